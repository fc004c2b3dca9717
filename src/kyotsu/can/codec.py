"""Frames to typed columns: the same answer whatever the block, and a count of all that was not decoded.

    classify     the group of each frame: a message of the matrix, unknown, remote or error
    lay          where each column begins in an arena, now that the rows are counted
    decode       kernels fill the columns
    judge        counters, checksums; containers are unpacked and decoded in turn

Physical values are exactly what `raw x scale + offset` gives in double precision. A value is null where its multiplexed
branch is absent, the frame too short, or the raw value means "not available".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kyotsu.can.arena import ALIGNMENT, ArenaPool, writable_view
from kyotsu.can.backend import kernels_for
from kyotsu.can.decoded import Decoded, UnknownId, WideBytes
from kyotsu.can.frames import Flag, Frames
from kyotsu.can.guards import contained_frames, new_counters, payload_of, plan_guards, wide_bytes
from kyotsu.can.layout import ERROR, OTHERS, REMOTE, UNKNOWN, Precision, lay_out
from kyotsu.can.matrix import Matrix, Message
from kyotsu.can.table_form import Slots, table_form

FEW = 256  # frames of a live batch, for which every microsecond counts
KINDS = tuple(np.dtype(kind) for kind in (np.int64, np.uint32, np.uint8, np.uint8, np.uint16, np.uint8))
JUDGED = 8_192  # frames at a time, whose payloads stay in the cache for all messages
LONGER_THAN_ANY = 1 << 20  # bytes


class Codec:
    """Decodes frames of one matrix.

    Args:
        matrix: what the bits mean; of two messages with one id the first counts.
        raw: a column `<signal>.raw` beside each signal's.
        labels: a column `<signal>.label` (dictionary) beside each signal that has a value table.
        narrow: whole numbers in the smallest type that holds all; else in 64 bits.
        dtype: type of scaled values. With `float32` a signal has it where each raw value can still be told, and is then
            off by less than half its step; by default values are those of double precision.
        checks: whether to judge the counters and checksums that the matrix declares; otherwise a table has no columns
            for them. Where every message has both, judging takes half of the time of decoding.
        compiled: whether to use compiled kernels; by default if there is a compiler.

    Example:
        >>> from kyotsu.can.frames import frames_of
        >>> from kyotsu.can.matrix import Message, Signal
        >>> speed = Signal("speed", start=7, length=16, big_endian=True, scale=0.01, unit="km/h")
        >>> codec = Codec(Matrix("car", (Message("WHEELS", 0x1D4, 8, (speed,)),)))
        >>> codec.decode(frames_of([(0, 0x1D4, bytes.fromhex("1388000000000000"))]))["WHEELS"]["speed"].to_pylist()
        [50.0]
    """

    def __init__(
        self,
        matrix: Matrix,
        *,
        raw: bool = False,
        labels: bool = True,
        narrow: bool = True,
        dtype: Precision = "float64",
        checks: bool = True,
        compiled: bool | None = None,
    ) -> None:
        matrix = matrix if checks else _unguarded(matrix)
        self.matrix = matrix
        self.layout = lay_out(matrix, raw=raw, narrow=narrow, dtype=dtype)
        self.kernels = kernels_for(compiled)
        self.guards = plan_guards(self.layout)
        self.form = table_form(self.layout, self.guards.verdicts, self.guards.owners, self.kernels, labels=labels)
        self._arenas = ArenaPool()
        self._opened_plans = [plan for plan in self.layout.plans if plan.wide or plan.message.contained]
        self._contained = {
            message.name: Codec(
                Matrix(message.name, tuple(_headed(part, number) for number, part in message.contained.items())),
                raw=raw, labels=labels, narrow=narrow, dtype=dtype, checks=checks, compiled=compiled,
            )
            for message in matrix.messages
            if message.contained
        }  # fmt: skip

    def decode(self, frames: Frames, *, after: Decoded | None = None) -> Decoded:
        """Everything that a block of frames says.

        Args:
            frames: in the order of arrival.
            after: the block before, so that counters are followed across blocks.
        """
        columns = kernel_frames(frames)
        layout, count = self.layout, len(self.matrix.messages)
        group = np.empty(frames.size, dtype=np.uint16)
        counts = np.zeros(count + OTHERS, dtype=np.int64)
        shortest = np.full(count, LONGER_THAN_ANY, dtype=np.int64)
        short, long = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        tables = layout.tables
        self.kernels.classify(
            columns.frame_id, columns.flags, columns.length, tables, group, counts, shortest, short, long
        )
        offsets, size = slot_offsets(self.form.slots, self.form.heads.content.size, counts[OTHERS:], shortest)
        arena = self._arenas.lend(size)
        time, frame_id, _, bus, length, words = columns
        scratch = self.kernels.scratch_for(count, layout.most_planes, layout.most_gates)
        views = arena_views(arena)
        self.kernels.decode(time, frame_id, bus, length, words, group, tables, offsets, views, scratch)
        last = new_counters(self.guards) if after is None else after.last_counters.copy()
        wrong = np.zeros((len(self.guards.verdicts), 2), dtype=np.int64)
        if wrong.size:
            self.kernels.judge(
                frame_id, bus, length, words, tables.fields, self.guards.tables, counts[OTHERS:], offsets,
                (views[0], views[3]), last, wrong, np.zeros(len(wrong), dtype=np.int64),
                np.empty((2, JUDGED), dtype=np.uint64),
            )  # fmt: skip
        decoded = Decoded(
            frames=frames.size,
            rows=counts[OTHERS:],
            unknown=self._unknown(columns, group) if counts[UNKNOWN] else {},
            remote=int(counts[REMOTE]),
            error=int(counts[ERROR]),
            too_short=self._named(short),
            too_long=self._named(long),
            form=self.form,
            arena=arena,
            offsets=offsets,
            wrong=wrong,
            last_counters=last,
        )
        return self._opened(decoded, columns, after) if self._opened_plans else decoded

    def _opened(self, decoded: Decoded, frames: Frames, after: Decoded | None) -> Decoded:
        """With what needs the payload: long signals, and what is inside containers."""
        wide: dict[tuple[str, str], WideBytes] = {}
        contained: dict[str, Decoded] = {}
        for plan in self._opened_plans:
            name = plan.message.name
            rows = decoded.positions(name)
            for signal in plan.wide:
                wide[name, signal.name] = wide_bytes(signal, payload_of(frames, rows), frames.length[rows])
            if name in self._contained and rows.size:
                before = after.contained.get(name) if after else None
                contained[name] = self._contained[name].decode(contained_frames(frames, rows), after=before)
        return replace(decoded, wide=wide, contained=contained)

    def _named(self, counts: npt.NDArray[np.int64]) -> dict[str, int]:
        return {self.matrix.messages[number].name: int(counts[number]) for number in np.flatnonzero(counts)}

    def _unknown(self, frames: Frames, group: npt.NDArray[np.uint16]) -> dict[UnknownId, int]:
        chosen = np.flatnonzero(group == UNKNOWN)
        extended = (frames.flags[chosen] & Flag.EXTENDED).astype(np.uint64)
        keys = (
            frames.frame_id[chosen] | extended << np.uint64(32) | frames.bus[chosen].astype(np.uint64) << np.uint64(33)
        )
        found, counts = self.kernels.count_keys(keys)
        pairs = zip(found.tolist(), counts.tolist(), strict=True)
        return {UnknownId(key & 0xFFFF_FFFF, bool(key >> 32 & 1), key >> 33): count for key, count in pairs}


def _unguarded(matrix: Matrix) -> Matrix:
    return replace(matrix, messages=tuple(replace(message, protection=None) for message in matrix.messages))


def _headed(message: Message, number: int) -> Message:
    """A contained message with its header's number as its id, 24 bits of an extended id."""
    return replace(message, frame_id=number, is_extended=True, protocol="")


def kernel_frames(frames: Frames) -> Frames:
    """Frames as the kernels want them: of one type in one order, payloads as 64-bit words, no length beyond them."""
    width = frames.payload.shape[1]
    payload = frames.payload
    if frames.size <= FEW and width and width % 8 == 0 and _are_plain(frames):
        words: Any = payload.view(np.uint64)
        if words.flags.aligned and max(frames.length.tolist(), default=0) <= width:
            return frames._replace(payload=words)
    if width % 8 or not width:
        payload = np.pad(payload, ((0, 0), (0, 8 - width % 8)))
    words = np.require(payload, np.uint8, ["C", "A"]).view(np.uint64)
    length = frames.length
    if length.size and int(length.max()) > width:
        length = np.minimum(length, width)
    plain: list[Any] = [
        np.ascontiguousarray(values, dtype=kind) for values, kind in zip(frames[:4], KINDS, strict=False)
    ]
    plain += [np.ascontiguousarray(length, dtype=np.uint16), words]
    return Frames(*map(writable_view, plain))


def _are_plain(frames: Frames) -> bool:
    columns: tuple[Any, ...] = frames
    for values, kind in zip(columns, KINDS, strict=True):
        flags = values.flags
        if values.dtype != kind or not (flags.c_contiguous and flags.writeable and flags.aligned):
            return False
    return True


def slot_offsets(
    slots: Slots, begin: int, rows: npt.NDArray[np.int64], shortest: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], int]:
    """Where each slot begins in an arena [byte], -1 where it is not needed, and how large the arena is [byte].

    Args:
        slots: what there is.
        begin: of the first [byte].
        rows: of each message.
        shortest: bytes of the shortest frame of each message.
    """
    wanted = (slots.needs == 0) | (slots.needs > shortest[slots.message])
    sizes = np.where(wanted, (slots.bits * rows[slots.message] + 7) >> 3, 0)
    sizes += -sizes % ALIGNMENT
    ends = begin + np.cumsum(sizes)
    return np.where(wanted, ends - sizes, -1), int(ends[-1]) if ends.size else begin


def arena_views(arena: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[Any], ...]:
    """An arena as 8-, 16-, 32- and 64-bit whole numbers and as single and double precision."""
    return tuple(arena.view(kind) for kind in (np.uint8, np.uint16, np.uint32, np.uint64, np.float32, np.float64))
