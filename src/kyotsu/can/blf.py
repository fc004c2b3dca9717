"""BLF, Vector's binary logging format: the objects of CAN and CAN FD; all others are counted as ignored.

Every object begins with "LOBJ", 2 bytes header size, 2 header version, 4 size, 4 kind, 4 flags (1: time in 10 us, else
in ns), 4 of no use here, 8 time since the start of the log; its content follows the header. Layouts as in python-can
4.6 (`can.io.blf`), which cites no specification because none is open.

Buses are numbered from 1, as Vector does. The start in the file's header states no zone; see `LogReport.clock`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kyotsu.can.ahead import ahead
from kyotsu.can.blf_file import FILE_MAGIC, HEADER_BYTES, OBJECT_MAGIC, Batch, plain_stream, start_of
from kyotsu.can.compiler import HAS_COMPILER, byte_at, compiled, double_word_at, inlined, word_at
from kyotsu.can.frames import BLOCK_FRAMES, CLASSIC_BYTES, FD_BYTES, Flag, Frames, empty_frames, take
from kyotsu.can.log_report import Ledger, Source

# Kinds of objects; frames first.
CAN_MESSAGE, CAN_ERROR, CAN_ERROR_EXT, CAN_MESSAGE2 = 1, 2, 73, 86
CAN_FD_MESSAGE, CAN_FD_MESSAGE_64, CAN_FD_ERROR_64 = 100, 101, 104
KIND_NAMES = {
    3: "overload frames", 4: "statistics of CAN", 10: "containers in containers", 11: "LIN messages", 31: "chip states",
    41: "FlexRay messages", 65: "texts", 71: "Ethernet frames", 72: "system variables", 92: "comments of events",
    96: "markers", 113: "Ethernet frames", 115: "ends of the log", 120: "Ethernet frames",
}  # fmt: skip

# Why the kernel stops.
STOP_END, STOP_WIDER, STOP_LOST, STOP_BROKEN, STOP_CHANNEL = 0, -1, -2, -3, -4

MAGIC_WORD = int.from_bytes(OBJECT_MAGIC, "little")
BASE_HEADER, HEADER_WITH_TIME = 16, 32  # bytes
LEAST_CONTENT = 16  # bytes of a frame's object; each kind has its own
MOST_FRAME_OBJECT, MOST_OBJECT = 1 << 16, 1 << 26  # bytes; a greater size is taken as damage
PADDING = 8
PAD = bytes(64)  # behind the data, so that no number at their end is read beyond them
MOST_TICKS = 4_000_000_000_000_000_000  # [ns]

ID_EXTENDED, ID_BITS = 0x8000_0000, 0x1FFF_FFFF
EXTENDED, REMOTE, ERROR, FD = int(Flag.EXTENDED), int(Flag.REMOTE), int(Flag.ERROR), int(Flag.FD)
SWITCH, STATE, SENT = int(Flag.BIT_RATE_SWITCH), int(Flag.ERROR_STATE), int(Flag.SENT)

AHEAD_FROM = 1 << 20  # bytes of a file for which a second thread pays


@compiled
def read_objects(
    data: Any, at: int, end: int, frames: Any, filled: int, base_ns: int, buses: Any, counts: Any
) -> tuple[int, int, int, int]:
    """Objects until the block is full; returns where it stopped, how far the block is filled, why, and what to skip.

    Args:
        data: the plain stream, with PAD behind `end`.
        at, end: where to begin, and where the data end.
        frames, filled: the block, and how many of it are there.
        base_ns: start of the log.
        buses: the bus of each channel, or -1, shape (65536,).
        counts: of objects ignored, by kind, shape (256,); the last for all greater kinds.
    """
    while filled < frames.time.size:
        at = _skip_padding(data, at, end)
        if end - at < BASE_HEADER:
            break
        if double_word_at(data, at) != MAGIC_WORD:
            return at, filled, STOP_LOST, 0
        header, size, kind = word_at(data, at + 4), double_word_at(data, at + 8), double_word_at(data, at + 12)
        if header < BASE_HEADER or size < header or size > MOST_OBJECT:
            return at, filled, STOP_BROKEN, 0
        if not _is_frame(kind):
            counts[min(kind, 255)] += 1
            if size > end - at:
                return end, filled, STOP_END, size - (end - at)
            at += size
            continue
        if header < HEADER_WITH_TIME or size < header + LEAST_CONTENT or size > MOST_FRAME_OBJECT:
            return at, filled, STOP_BROKEN, 0
        if size > end - at:
            break
        code = _read_frame(data, at, header, size, kind, frames, filled, base_ns, buses)
        if code != STOP_END:
            return at, filled, code, 0
        filled += 1
        at += size
    return at, filled, STOP_END, 0


@inlined
def _skip_padding(data: Any, at: int, end: int) -> int:
    """The next byte that is no padding: zeros before an object, not more than PADDING."""
    begin = at
    while at < end and byte_at(data, at) == 0 and at - begin < PADDING:
        at += 1
    return at


@inlined
def _is_frame(kind: int) -> bool:
    return kind in (
        CAN_MESSAGE, CAN_MESSAGE2, CAN_FD_MESSAGE, CAN_FD_MESSAGE_64, CAN_ERROR_EXT, CAN_ERROR, CAN_FD_ERROR_64
    )  # fmt: skip


@inlined
def _read_frame(
    data: Any, start: int, header: int, size: int, kind: int, frames: Any, row: int, base_ns: int, buses: Any
) -> int:
    low, high = double_word_at(data, start + 24), double_word_at(data, start + 28)
    unit = 10_000 if double_word_at(data, start + 16) == 1 else 1
    if high >= 1 << 30 or (unit > 1 and (high << 32 | low) > MOST_TICKS // unit):
        return STOP_BROKEN
    at, room = start + header, size - header  # of the content
    bus, frame_id, flags, length, payload = word_at(data, at), 0, 0, 0, at + 8
    if kind in (CAN_MESSAGE, CAN_MESSAGE2):
        frame_id, length, payload = double_word_at(data, at + 4), min(byte_at(data, at + 3), CLASSIC_BYTES), at + 8
        flags = (SENT if byte_at(data, at + 2) & 1 else 0) | (REMOTE if byte_at(data, at + 2) & 0x80 else 0)
    elif kind == CAN_FD_MESSAGE:
        if room < 20:
            return STOP_BROKEN
        frame_id, length, payload = double_word_at(data, at + 4), min(byte_at(data, at + 14), FD_BYTES), at + 20
        flags = (SENT if byte_at(data, at + 2) & 1 else 0) | (REMOTE if byte_at(data, at + 2) & 0x80 else 0)
        form = byte_at(data, at + 13)
        flags |= (FD if form & 1 else 0) | (SWITCH if form & 2 else 0) | (STATE if form & 4 else 0)
    elif kind == CAN_FD_MESSAGE_64:
        if room < 40:
            return STOP_BROKEN
        bus, frame_id = byte_at(data, at), double_word_at(data, at + 4)
        length, payload, form = min(byte_at(data, at + 2), FD_BYTES), at + 40, double_word_at(data, at + 12)
        flags = (SENT if byte_at(data, at + 34) else 0) | (REMOTE if form & 0x10 else 0)
        flags |= (FD if form & 0x1000 else 0) | (SWITCH if form & 0x2000 else 0) | (STATE if form & 0x4000 else 0)
        extension = byte_at(data, at + 35)  # offset in the object of what follows the payload
        if extension != 0:
            room = min(room, extension - header)
    else:
        flags = ERROR
        if kind == CAN_ERROR_EXT:
            if room < 24:
                return STOP_BROKEN
            frame_id, length, payload = (
                double_word_at(data, at + 16),
                min(byte_at(data, at + 10), CLASSIC_BYTES),
                at + 24,
            )
        elif kind == CAN_FD_ERROR_64:
            bus, frame_id, flags = byte_at(data, at), double_word_at(data, at + 12), ERROR | FD
    if buses[bus] < 0:
        return STOP_CHANNEL
    length = 0 if flags & REMOTE else length
    if length > frames.payload.shape[1]:
        return STOP_WIDER
    # Vector's tools leave zeros at the end of a payload away.
    for index in range(min(length, room - (payload - at))):
        frames.payload[row, index] = byte_at(data, payload + index)
    frames.time[row] = base_ns + (high << 32 | low) * unit
    frames.frame_id[row] = frame_id & ID_BITS
    frames.flags[row] = flags | (EXTENDED if frame_id & ID_EXTENDED else 0)
    frames.bus[row] = buses[bus]
    frames.length[row] = length
    return STOP_END


class _Desk:
    """Where the objects of one file are read."""

    def __init__(self, ledger: Ledger, base_ns: int) -> None:
        self.ledger, self.base_ns = ledger, base_ns
        self.width = CLASSIC_BYTES
        self.frames, self.filled = empty_frames(BLOCK_FRAMES, self.width), 0
        self.buses = np.full(65_536, -1, dtype=np.int64)
        self.buses[:256] = np.arange(256)
        self.counts = np.zeros(256, dtype=np.int64)
        self.tail = b""  # of an object that goes on in the next batch
        self.skip = 0  # bytes of an ignored object that are still to come

    def full_block(self) -> Frames:
        """The block in work, and a new one in its place."""
        block = self.frames if self.filled == self.frames.size else take(self.frames, slice(0, self.filled))
        self.frames, self.filled = empty_frames(BLOCK_FRAMES, self.width), 0
        return self.ledger.count(block)

    def read(self, batch: Batch) -> Iterator[Frames]:
        """Blocks from the next part of the stream."""
        ledger = self.ledger
        for damage in batch.damages:
            ledger.damage(damage.kind, damage.found, damage.expected, byte=damage.byte)
            ledger.lost_bytes += damage.lost_bytes
            if damage.is_gap:
                self.drop_tail()
        data = b"".join([self.tail, *batch.pieces, PAD])
        self.tail = b""
        yield from self._read_stream(data, batch.position)
        ledger.read_bytes = batch.position

    def drop_tail(self) -> None:
        """Give up an object whose other part did not come."""
        if self.tail.strip(b"\0"):
            self.ledger.damage("object cut off", f"its first {len(self.tail)} bytes", "the rest behind them",
                               byte=self.ledger.read_bytes)  # fmt: skip
            self.ledger.lost_bytes += len(self.tail)
        self.tail, self.skip = b"", 0

    def _read_stream(self, data: bytes, position: int) -> Iterator[Frames]:
        end = len(data) - len(PAD)
        at = min(self.skip, end)
        self.skip -= at
        stream: Any = np.frombuffer(data, dtype=np.uint8) if HAS_COMPILER else data
        while True:
            at, self.filled, stop, self.skip = read_objects(
                stream, at, end, self.frames, self.filled, self.base_ns, self.buses, self.counts
            )
            if stop == STOP_WIDER:
                self._widen()
            elif stop == STOP_CHANNEL:
                self._number_channel(data, at)
            elif stop in (STOP_LOST, STOP_BROKEN):
                at = self._pass_damage(data, at, stop, position)
            if self.filled == BLOCK_FRAMES:
                yield self.full_block()
            elif stop == STOP_END:
                break
        self.tail = data[at:end]

    def _widen(self) -> None:
        self.width = FD_BYTES
        payload = np.zeros((self.frames.size, FD_BYTES), dtype=np.uint8)
        payload[:, :CLASSIC_BYTES] = self.frames.payload
        self.frames = self.frames._replace(payload=payload)

    def _number_channel(self, data: bytes, at: int) -> None:
        """Give a channel above 255 a number of its own, as long as there are any."""
        channel = int.from_bytes(data[at + (place := data[at + 4] | data[at + 5] << 8) : at + place + 2], "little")
        named = self.ledger.buses
        number = next((number for number in range(255, 0, -1) if number not in named), 0)
        named[number] = f"channel {channel}" if number else "all further channels"
        self.buses[channel] = number

    def _pass_damage(self, data: bytes, at: int, stop: int, position: int) -> int:
        """Go on at the next object."""
        found, end = data.find(OBJECT_MAGIC, at + 1), len(data) - len(PAD)
        after = found if found >= 0 else max(end - len(OBJECT_MAGIC) + 1, at + 1)
        kind, expected = ("broken object", "an object of CAN with a size, time and bus that it can have")
        if stop == STOP_LOST:
            kind, expected = "bytes between objects", repr(OBJECT_MAGIC)
        shown = repr(data[at : at + BASE_HEADER])
        self.ledger.damage(kind, shown, f"{expected}, within the batch read up to there", byte=position)
        self.ledger.lost_bytes += after - at
        return after

    def settle(self) -> None:
        """Bring the counts of ignored objects into the ledger."""
        for kind in np.flatnonzero(self.counts).tolist():
            name = KIND_NAMES.get(kind, f"objects of kind {kind}" if kind < 255 else "objects of kinds above 254")
            self.ledger.ignored[name] += int(self.counts[kind])
        self.counts[:] = 0


class BlfFormat:
    """See `kyotsu.can.log_report.LogFormat`."""

    name = "BLF"
    suffixes = (".blf",)

    def recognises(self, head: bytes, *, is_named: bool) -> bool:
        """By its magic number, or with a broken header by an object."""
        return head.startswith(FILE_MAGIC) or (is_named and OBJECT_MAGIC in head)

    def read(self, source: Source, ledger: Ledger) -> Iterator[Frames]:
        """Blocks in the order of the objects; a second thread inflates what comes next."""
        with source.path.open("rb") as stream:
            base_ns = ledger.begin(start_of(stream.read(HEADER_BYTES)), "local")
        desk = _Desk(ledger, base_ns)
        batches = plain_stream(source)
        for batch in ahead(batches) if source.size > AHEAD_FROM else batches:
            yield from desk.read(batch)
            desk.settle()
        desk.drop_tail()
        if desk.filled:
            yield desk.full_block()
        ledger.finished = True


BLF = BlfFormat()
