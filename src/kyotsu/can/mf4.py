"""MF4, the MDF 4 files of ASAM with logs of CAN buses: sorted or not, zipped, and such as a logger left unfinished.

`mf4_blocks` follows the links of the file, `mf4_groups` finds the fields in its records, `mf4_records` reads them. Here
groups become one stream: those of one data group come in the order of their records, several data groups are merged
by time. Buses are numbered as the file does.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Iterator
from typing import Any, BinaryIO

import numpy as np

from kyotsu.can.ahead import ahead
from kyotsu.can.compiler import HAS_COMPILER
from kyotsu.can.frames import BLOCK_FRAMES, CLASSIC_BYTES, FD_BYTES, Frames, empty_frames, joined, take
from kyotsu.can.log_report import Clock, Ledger, Source
from kyotsu.can.mf4_blocks import FINISHED, HD_AT, ID_BYTES, UNFINISHED, Block, Blocks, Damage
from kyotsu.can.mf4_groups import GroupPlan, plans_of
from kyotsu.can.mf4_records import (
    LOST_PAYLOAD,
    NO_PAYLOAD,
    PAD_BYTES,
    STOP_BAD,
    STOP_END,
    STOP_LOST,
    STOP_WIDER,
    WINDOW,
    add_payloads,
    columns_of,
    next_sound_record,
    read_records,
    take_payloads,
)

AHEAD_FROM = 1 << 20  # bytes of a file for which a second thread pays
MOST_STREAMS = 64  # of payloads in a data group
MOST_GROUPS = 4096  # data groups with frames
LEAST_BLOCK = 1024  # frames, where many data groups are merged
START = struct.Struct("<QhhB")  # start [ns], zone and summer time [min], flags
IS_LOCAL = 1  # flag of the start
MOST_START_NS = 5_000_000_000_000_000_000
PAD = bytes(PAD_BYTES)


class Mf4Format:
    """See `kyotsu.can.log_report.LogFormat`."""

    name = "MF4"
    suffixes = (".mf4", ".mdf", ".dat")

    def recognises(self, head: bytes, *, is_named: bool) -> bool:
        """By its magic number and version, or with a broken one by the block behind it."""
        sound = head.startswith((FINISHED, UNFINISHED)) and head[8:9] == b"4"
        return sound or (is_named and head[HD_AT : HD_AT + 4] == b"##HD")

    def read(self, source: Source, ledger: Ledger) -> Iterator[Frames]:
        """Blocks in the order of the records, or by time where several data groups hold frames."""
        told = _teller(ledger)
        with source.path.open("rb") as stream:
            head = stream.read(ID_BYTES)
            is_finished = head.startswith(FINISHED)
            if not head.startswith((FINISHED, UNFINISHED)) or head[8:9] != b"4":
                told(Damage("broken magic number", repr(head[:12]), repr(FINISHED + b"4."), 0))
            blocks = Blocks(stream, source.size, told, is_finished=is_finished)
            base_ns = _begin(blocks, ledger)
            groups = list(_groups_with_frames(blocks, ledger))
        capacity = max(LEAST_BLOCK, BLOCK_FRAMES // max(len(groups), 1))
        readers = [_GroupReader(source, ledger, group, plans, base_ns, capacity) for group, plans in groups]
        for block in merged([reader.blocks(is_finished=is_finished) for reader in readers]):
            yield ledger.count(block)
        ledger.read_bytes = source.size
        ledger.finished = True


def _teller(ledger: Ledger) -> Callable[[Damage], None]:
    def tell(damage: Damage) -> None:
        ledger.damage(damage.kind, damage.found, damage.expected, byte=damage.byte)
        ledger.lost_bytes += damage.lost_bytes

    return tell


def _begin(blocks: Blocks, ledger: Ledger) -> int:
    """Read the start of the log; returns it [ns]."""
    block = blocks.block(HD_AT, b"##HD")
    if block is None or len(block.content) < START.size:
        return ledger.begin(None, "relative")
    start_ns, _, _, flags = START.unpack_from(block.content)
    clock: Clock = "local" if flags & IS_LOCAL else "utc"
    return ledger.begin(start_ns if 0 < start_ns <= MOST_START_NS else None, clock)


def _groups_with_frames(blocks: Blocks, ledger: Ledger) -> Iterator[tuple[Block, list[GroupPlan]]]:
    """Data groups that hold frames; the records of all others are accounted for as ignored."""
    found = 0
    head = blocks.block(HD_AT, b"##HD")
    for group in blocks.chain(head.link(0) if head else 0, b"##DG"):
        plans = plans_of(blocks, group)
        streams = sum(plan.is_vlsd for plan in plans) + len({plan.payload_at for plan in plans})
        if not any(plan.is_frames for plan in plans):
            for plan in plans:
                if plan.stated and not plan.is_vlsd:
                    ledger.ignored[f"records of {plan.name}"] += min(plan.stated, blocks.size)
        elif not group.link(2):
            continue
        elif streams > MOST_STREAMS or found == MOST_GROUPS:
            expected = f"at most {MOST_STREAMS} streams in {MOST_GROUPS} data groups"
            blocks.tell(Damage("too many groups", f"{streams} streams in data group {found}", expected, group.address))
        else:
            found += 1
            yield group, plans


class _GroupReader:
    """Reads the records of one data group."""

    def __init__(
        self, source: Source, ledger: Ledger, group: Block, plans: list[GroupPlan], base_ns: int, capacity: int
    ) -> None:
        self.source, self.ledger, self.group, self.plans, self.base_ns = source, ledger, group, plans, base_ns
        self.tell = _teller(ledger)
        self.columns, self.outside = columns_of(plans)
        self.id_size = group.content[0] if group.content else 0
        self.counts = np.zeros(len(plans), dtype=np.int64)
        streams = max(int(self.columns.stream.max()) + 1, 1)
        self.window = np.zeros((streams, WINDOW if (self.columns.stream >= 0).any() else 1), dtype=np.uint8)
        self.written = np.zeros(streams, dtype=np.int64)
        self.capacity, self.width = capacity, CLASSIC_BYTES
        self.frames, self.filled, self.first = empty_frames(capacity, self.width), 0, 0  # first without its payload
        self.where = np.full(capacity, NO_PAYLOAD, dtype=np.int64)
        self.of_stream = np.zeros(capacity, dtype=np.int64)
        self.payloads: dict[int, Iterator[bytes | Damage]] = {}

    def blocks(self, *, is_finished: bool) -> Iterator[Frames]:
        """Blocks in the order of the records; each has at most the capacity's frames."""
        if self.id_size not in (0, 1, 2, 4, 8) or (self.id_size == 0 and len(self.plans) != 1):
            found = f"{len(self.plans)} groups with numbers of {self.id_size} bytes"
            self.tell(Damage("broken data group", found, "numbers of 1, 2, 4 or 8 bytes", self.group.address))
            return
        with self.source.path.open("rb") as stream:
            for number, address in self.outside.items():  # of small pieces, hence without a thread
                self.payloads[number] = self._pieces(stream, address, is_finished)
            with self.source.path.open("rb") as other:
                pieces = self._pieces(other, self.group.link(2), is_finished)
                yield from self._read(ahead(pieces) if self.source.size > AHEAD_FROM else pieces)
        self._check_counts(is_finished=is_finished)

    def _pieces(self, stream: BinaryIO, address: int, is_finished: bool) -> Generator[bytes | Damage, None, None]:
        return Blocks(stream, self.source.size, self.tell, is_finished=is_finished).data(address)

    def _read(self, pieces: Iterator[bytes | Damage]) -> Iterator[Frames]:
        tail = b""
        for piece in pieces:
            if isinstance(piece, Damage):
                self.tell(piece)
                continue
            size = len(piece)
            self.ledger.read_bytes = min(self.ledger.read_bytes + size, self.source.size)
            data = b"".join([tail, piece, PAD])
            at, end = 0, len(data) - PAD_BYTES
            stream: Any = np.frombuffer(data, dtype=np.uint8) if HAS_COMPILER else data
            while True:
                at, stop = self._step(stream, at, end)
                if self.filled == self.capacity:
                    yield from self._full_block()
                elif stop == STOP_END:
                    break
            tail = data[at:end]
        if tail:
            self.ledger.lost_bytes += len(tail)
            self.ledger.damage("record cut off", f"{len(tail)} bytes", "a whole record", byte=self.source.size)
        self._take_payloads()
        self._give_up()
        yield from self._full_block()

    def _step(self, stream: Any, at: int, end: int) -> tuple[int, int]:
        at, self.filled, stop = read_records(
            stream, at, end, self.id_size, self.columns, self.counts, self.base_ns,
            self.frames, self.filled, self.where, self.of_stream, self.window, self.written,
        )  # fmt: skip
        self._take_payloads()
        if stop == STOP_WIDER:
            self._widen()
        elif stop == STOP_LOST:
            begin, at = at, next_sound_record(stream, at + 1, end, self.id_size, self.columns)
            self.tell(Damage("broken record", "no record of a known group", "one", self.group.link(2), at - begin))
        elif stop == STOP_BAD:
            self.tell(Damage("broken frame", "a time or bus that cannot be", "one that can", self.group.link(2)))
        return at, stop

    def _widen(self) -> None:
        self.width = FD_BYTES
        payload = np.zeros((self.capacity, FD_BYTES), dtype=np.uint8)
        payload[:, :CLASSIC_BYTES] = self.frames.payload
        self.frames = self.frames._replace(payload=payload)

    def _take_payloads(self) -> None:
        """Give frames their payloads, reading those that stand in blocks of their own."""
        while self.first < self.filled:
            self.first, stop = take_payloads(
                self.frames, self.first, self.filled, self.where, self.of_stream, self.window, self.written
            )
            if stop == STOP_WIDER:
                self._widen()
            elif self.first < self.filled and not self._read_payloads(int(self.of_stream[self.first])):
                return

    def _read_payloads(self, number: int) -> bool:
        """Read on in a stream of payloads; whether there was more."""
        source = self.payloads.get(number)
        if source is None:
            return False
        for piece in source:
            if isinstance(piece, Damage):
                self.tell(piece)
                continue
            for begin in range(0, len(piece), WINDOW // 4):
                part = piece[begin : begin + WINDOW // 4]
                data: Any = np.frombuffer(part, dtype=np.uint8) if HAS_COMPILER else part
                add_payloads(data, len(part), number, self.window, self.written)
            return True
        del self.payloads[number]
        self.where[: self.filled][(self.where[: self.filled] >= 0) & (self.of_stream[: self.filled] == number)] = (
            LOST_PAYLOAD
        )
        return True

    def _give_up(self) -> None:
        waiting = self.where[: self.filled] >= 0
        self.where[: self.filled][waiting] = LOST_PAYLOAD
        self.first = self.filled

    def _full_block(self) -> Iterator[Frames]:
        """The frames that have their payloads; those that wait for theirs begin the next block."""
        if self.first == 0:
            self._give_up()
        done, rest = slice(0, self.first), slice(self.first, self.filled)
        block, waiting = take(self.frames, done), take(self.frames, rest)
        lost = self.where[done] == LOST_PAYLOAD
        if lost.any():
            count = int(lost.sum())
            expected = "what the record points to"
            self.ledger.damage("payload missing", f"{count} frames", expected, byte=self.group.link(2), count=count)
            block = take(block, ~lost)
        where, of_stream = self.where[rest].copy(), self.of_stream[rest].copy()
        self.frames = empty_frames(self.capacity, self.width)
        self.filled, self.first = waiting.size, 0
        columns: list[Any] = list(self.frames)
        for column, values in zip(columns, waiting, strict=True):
            column[: waiting.size] = values
        self.where[: waiting.size], self.of_stream[: waiting.size] = where, of_stream
        if block.size:
            yield block

    def _check_counts(self, *, is_finished: bool) -> None:
        """Compare the number of records with what the file states, and account for those that are no frames."""
        for plan, count in zip(self.plans, self.counts.tolist(), strict=True):
            if plan.is_vlsd:
                continue
            if not plan.is_frames and count:
                self.ledger.ignored[f"records of {plan.name}"] += count
            if is_finished and count != plan.stated:
                found = f"{count} records of {plan.name}"
                self.ledger.damage("wrong number of records", found, f"{plan.stated} as stated", byte=plan.address)


def merged(streams: list[Iterator[Frames]]) -> Iterator[Frames]:
    """Several streams of blocks as one, by time; a stream alone keeps its order, whatever its times."""
    if len(streams) < 2:
        for stream in streams:
            yield from stream
        return
    heads = {index: block for index, stream in enumerate(streams) if (block := next(stream, None)) is not None}
    while heads:
        # The latest time up to which all streams are known; a frame out of order goes with the one before it.
        keys = {index: np.maximum.accumulate(block.time) for index, block in heads.items()}
        limit = min(int(key[-1]) for key in keys.values())
        parts = []
        for index, key in keys.items():
            count = int(np.searchsorted(key, limit, side="right"))
            block = heads[index]
            if count:
                parts.append((key[:count], take(block, slice(0, count))))
            if count < block.size:
                heads[index] = take(block, slice(count, None))
            elif (following := next(streams[index], None)) is not None:
                heads[index] = following
            else:
                del heads[index]
        order = np.argsort(np.concatenate([key for key, _ in parts]), kind="stable")
        whole = take(joined(part for _, part in parts), order)
        for begin in range(0, whole.size, BLOCK_FRAMES):
            yield take(whole, slice(begin, begin + BLOCK_FRAMES))


MF4 = Mf4Format()
