"""The kernels without a compiler: what `kernels` does, in numpy, with the same results.

The arguments are the same, so that one driver serves both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kyotsu.can import layout as at
from kyotsu.can.frames import Flag
from kyotsu.can.numpy_guards import expected, judge, trusted_rows
from kyotsu.can.numpy_tables import dress

__all__ = [
    "classify", "count_keys", "decode", "dress", "expected", "follow", "hold", "judge", "scratch_for",
]  # fmt: skip

BLOCK = 1 << 18  # frames sorted at a time: few calls for each frame, and what they hold stays in the cache
WORD_BITS = np.uint64(64)
TURN = np.uint64(1 << 63)
Words = npt.NDArray[np.uint64]


def scratch_for(messages: int, planes: int, gates: int) -> None:
    """Nothing: numpy makes its room itself."""


# --- frames to groups ---


def _found(table: at.IntArray, keys: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The group of each key in an open-addressed table."""
    known = table[table[:, 0] >= 0]
    if not known.size:
        return np.full(keys.size, at.UNKNOWN, dtype=np.int64)
    known = known[np.argsort(known[:, 0])]
    places = np.minimum(np.searchsorted(known[:, 0], keys), len(known) - 1)
    return np.where(known[places, 0] == keys, known[places, 1], at.UNKNOWN)


def classify(
    frame_id: Any,
    flags: Any,
    length: Any,
    tables: at.Tables,
    group: Any,
    counts: Any,
    shortest: Any,
    short: Any,
    long: Any,
) -> None:
    """The group of each frame."""
    np.take(tables.standard, frame_id & np.uint32(0x7FF), out=group)
    group[frame_id >= tables.standard.size] = at.UNKNOWN
    flagged = flags.any()
    extended = (flags & np.uint8(Flag.EXTENDED)) != 0 if flagged else np.zeros(0, dtype=np.bool_)
    if extended.any():
        wide = frame_id[extended].astype(np.int64)
        groups = _found(tables.extended, wide)
        number = (wide >> 8) & 0x3FFFF
        number = np.where((number >> 8) & 0xFF < 240, number & 0x3FF00, number)
        group[extended] = np.where(groups == at.UNKNOWN, _found(tables.groups, number), groups)
    if flagged:
        group[(flags & np.uint8(Flag.REMOTE)) != 0] = at.REMOTE
        group[(flags & np.uint8(Flag.ERROR)) != 0] = at.ERROR
    counts += np.bincount(group, minlength=counts.size)
    described = np.concatenate([np.full(at.OTHERS, -1), tables.messages[:-1, at.LENGTH]]).astype(np.int32)
    odd = np.flatnonzero(length != described.take(group))
    odd = odd[group[odd] >= at.OTHERS]
    present = np.flatnonzero(counts[at.OTHERS :])
    shortest[present] = np.minimum(shortest[present], tables.messages[present, at.LENGTH])
    message, size = group[odd].astype(np.int64) - at.OTHERS, length[odd].astype(np.int64)
    longest = np.where(flags[odd] & np.uint8(Flag.FD), tables.messages[message, at.LONGEST], described[group[odd]])
    least = np.full(shortest.size, np.iinfo(np.int64).max)
    np.minimum.at(least, message, size)
    np.minimum(shortest, least, out=shortest)
    short += np.bincount(message[size < described[group[odd]]], minlength=short.size)
    long += np.bincount(message[size > longest], minlength=long.size)


def count_keys(keys: Words) -> tuple[Words, npt.NDArray[np.int64]]:
    """How often each key is there, in the order of first appearance: (keys, counts)."""
    found, first, counts = np.unique(keys, return_index=True, return_counts=True)
    order = np.argsort(first)
    return found[order], counts[order]


# --- bits to numbers ---


class _Message:
    """Rows of one message in a block, with the words that were already loaded."""

    def __init__(self, tables: at.Tables, message: int, words: Words, rows: npt.NDArray[np.int64]) -> None:
        self.tables, self.words, self.rows = tables, words, rows
        self.begin, self.end = tables.messages[message], tables.messages[message + 1]
        self.planes: dict[tuple[int, int], Words] = {}
        self.gates: list[npt.NDArray[np.bool_]] = []

    def plane(self, word: int, big: int) -> Words:
        """A word of each payload in one byte order."""
        if (word, big) not in self.planes:
            inside = word < self.words.shape[1]
            values = self.words[:, word].take(self.rows) if inside else np.zeros(self.rows.size, dtype=np.uint64)
            self.planes[word, big] = values.byteswap() if big else values
        return self.planes[word, big]

    def raw(self, number: int) -> Words:
        """Raw values of a field, in two's complement where signed."""
        field = self.tables.fields[number]
        up, down, sign, join = field[[at.UP, at.DOWN, at.SIGN, at.JOIN]].view(np.uint64)
        big = int(field[at.FIELD_BIG])
        line = self.plane(int(field[at.FIELD_WORD]), big)
        if field[at.SECOND_PLANE] >= 0:
            second = self.plane(int(field[at.FIELD_WORD]) + 1, big)
            rest = WORD_BITS - join
            line = (line << join) | (second >> rest) if big else (line >> join) | (second << rest)
        raw: Words = line << up
        raw >>= down
        return (raw ^ sign) - sign if sign else raw

    def inside(self, number: int, begin: int, end: int, bias: int) -> npt.NDArray[np.bool_]:
        """Which rows have a raw value in one of the ranges."""
        raw = self.raw(number) ^ (TURN if bias else np.uint64(0))
        mask = np.zeros(self.rows.size, dtype=np.bool_)
        for low, high in self.tables.ranges[begin:end]:
            mask |= (raw >= low) & (raw <= high)
        return mask

    def find_gates(self) -> None:
        """Which rows have each branch of the multiplexors."""
        for parent, field, begin, end, bias in self.tables.gates[self.begin[at.GATES] : self.end[at.GATES]].tolist():
            mask = self.inside(field, begin, end, bias)
            self.gates.append(mask & self.gates[parent] if parent >= 0 else mask)

    def valid(self, number: int, length: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which rows of a validity count."""
        gate, needed, field, begin, end, bias, _ = self.tables.validities[number].tolist()
        mask: npt.NDArray[np.bool_] = length[self.rows] >= needed
        if gate >= 0:
            mask &= self.gates[gate]
        return mask & ~self.inside(field, begin, end, bias) if field >= 0 else mask

    def numbers(self, number: int) -> npt.NDArray[Any]:
        """Values of a column, of the bits or the double precision that the arena wants."""
        field, kind, width, _, _, _, whole, more, _ = self.tables.columns[number].tolist()
        scale, offset = self.tables.factors[number].tolist()
        raw = self.raw(field)
        same = scale == 1 and offset == 0
        if kind == at.INTEGER or (kind in (at.FLOAT_32, at.FLOAT_64) and same and width * 8 == _BITS[kind]):
            return raw
        if kind == at.AFFINE:
            return raw * np.int64(whole).view(np.uint64) + np.int64(more).view(np.uint64)
        numbers: npt.NDArray[np.float64] = real_numbers(raw, kind) * scale + offset
        return numbers


_BITS = {at.FLOAT_32: 32, at.FLOAT_64: 64}


def real_numbers(raw: Words, kind: int) -> npt.NDArray[np.float64]:
    """Raw values as double precision, before scale and offset."""
    if kind == at.REAL_UNSIGNED:
        return raw.astype(np.float64)
    if kind == at.FLOAT_16:
        return raw.astype(np.uint16).view(np.float16).astype(np.float64)
    if kind == at.FLOAT_32:
        return raw.astype(np.uint32).view(np.float32).astype(np.float64)
    if kind == at.FLOAT_64:
        return raw.view(np.float64)
    return raw.view(np.int64).astype(np.float64)


# --- groups to columns ---


def decode(
    time: Any, frame_id: Any, bus: Any, length: Any, words: Any, group: Any, tables: at.Tables, offsets: Any,
    arena: Any, scratch: None,
) -> None:  # fmt: skip
    """All columns of all messages of some frames."""
    cursors = np.zeros(tables.messages.shape[0] - 1, dtype=np.int64)
    with np.errstate(over="ignore", invalid="ignore"):  # numbers too large for the type are what the kernels give too
        for begin in range(0, time.size, BLOCK):
            part = group[begin : begin + BLOCK]
            order = np.argsort(part, kind="stable") + begin
            counts = np.bincount(part, minlength=cursors.size + at.OTHERS)
            ends = np.cumsum(counts)
            for message in np.flatnonzero(counts[at.OTHERS :]).tolist():
                rows = order[ends[message + at.OTHERS - 1] : ends[message + at.OTHERS]]
                _fill(message, rows, int(cursors[message]), time, frame_id, bus, length, words, tables, offsets, arena)
                cursors[message] += rows.size


def _fill(
    message: int, rows: Any, first: int, time: Any, frame_id: Any, bus: Any, length: Any, words: Any, tables: at.Tables,
    offsets: Any, arena: Any,
) -> None:  # fmt: skip
    """The columns of one message."""
    bytes8, bytes16, bytes32, bytes64, singles, doubles = arena
    wholes, reals = {1: bytes8, 2: bytes16, 4: bytes32, 8: bytes64}, {4: singles, 8: doubles}
    row = tables.messages[message]

    def put(target: npt.NDArray[Any], slot: int, values: npt.NDArray[Any]) -> None:
        begin = int(offsets[slot]) // target.itemsize + first
        target[begin : begin + rows.size] = values

    put(bytes64, row[at.SLOTS], time.take(rows).view(np.uint64))
    put(bytes8, row[at.SLOTS] + 1, bus.take(rows))
    if row[at.SOURCE_SLOT] >= 0:
        put(bytes8, row[at.SOURCE_SLOT], frame_id[rows] & 0xFF)
    if row[at.POSITION_SLOT] >= 0:
        put(bytes64, row[at.POSITION_SLOT], rows)
    decoder = _Message(tables, message, words, rows)
    decoder.find_gates()
    for number in range(row[at.VALIDITIES], decoder.end[at.VALIDITIES]):
        slot = tables.validities[number, at.VALID_SLOT]
        if offsets[slot] >= 0:
            put(bytes8, slot, decoder.valid(number, length))
    for number in range(row[at.COLUMNS], decoder.end[at.COLUMNS]):
        values = decoder.numbers(number)
        targets = (
            reals if values.dtype == np.float64 and tables.columns[number, at.COLUMN_KIND] != at.INTEGER else wholes
        )
        put(targets[int(tables.columns[number, at.COLUMN_WIDTH])], tables.columns[number, at.COLUMN_SLOT], values)


# --- one frame after the other ---


def hold(*parts: Any) -> tuple[Any, ...]:
    """What `follow` works on, as it is."""
    return parts


def follow(
    time: Any, frame_id: Any, flags: Any, bus: Any, length: Any, words: Any, parts: tuple[Any, ...], verify: bool
) -> int:
    """Every signal of a few frames in their order, beside its last value; how many entries were filled."""
    held = parts[0]
    tables, length = held.tables, np.minimum(length, 8 * words.shape[1])
    group = np.empty(frame_id.size, dtype=np.uint16)
    unused = [np.zeros(tables.messages.shape[0] - 1, dtype=np.int64) for _ in range(3)]
    classify(frame_id, flags, length, tables, group, held.counts, *unused)
    held.trusted[: frame_id.size] = 1
    entries: list[tuple[Any, ...]] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for chosen in np.unique(group[group >= at.OTHERS]).tolist():
            rows = np.flatnonzero(group == chosen)
            decoder = _Message(tables, chosen - at.OTHERS, words, rows)
            decoder.find_gates()
            first = decoder.begin[at.VALIDITIES]
            valid = [decoder.valid(number, length) for number in range(first, decoder.end[at.VALIDITIES])]
            guard = int(held.guards.of_message[chosen - at.OTHERS])
            if verify and guard >= 0:
                held.trusted[rows] = trusted_rows(
                    frame_id, bus, length, words, tables.fields, held.guards, guard, rows, valid, held.senders
                )
            for number in range(decoder.begin[at.COLUMNS], decoder.end[at.COLUMNS]):
                signal = int(tables.columns[number, at.COLUMN_SIGNAL])
                if signal >= 0:
                    there = valid[tables.columns[number, at.COLUMN_VALIDITY]]
                    last = held.raws, held.values, held.valids, held.times
                    told = _followed(decoder, number, signal, there.astype(np.uint8), last, time)
                    entries.append((np.full(rows.size, signal), rows, *told))
    if not entries:
        return 0
    columns = [np.concatenate(part) for part in zip(*entries, strict=True)]
    order = np.lexsort(columns[:2])
    for target, values in zip(held.found, columns, strict=True):
        target[: order.size] = values[order]
    return int(order.size)


def _followed(
    decoder: _Message, number: int, signal: int, there: npt.NDArray[np.uint8], last: Any, time: Any
) -> tuple[Any, ...]:
    """Value, whether it counts and whether it changed, of one signal in one message's rows."""
    raws, values, valids, times = last
    field, kind = decoder.tables.columns[number, [at.COLUMN_FIELD, at.COLUMN_KIND]].tolist()
    raw = decoder.raw(field)
    numbers = decoder.numbers(number)
    if kind in (at.INTEGER, at.AFFINE):
        numbers = numbers.view(np.int64 if decoder.tables.columns[number, at.COLUMN_SIGNED] else np.uint64)
    elif numbers.dtype != np.float64:  # a float's bits as they are
        numbers = real_numbers(raw, kind)
    counting = np.flatnonzero(there)
    newest = np.searchsorted(counting, np.arange(raw.size), side="right") - 1  # the last row that counted
    held = np.concatenate([[values[signal]], numbers[counting].astype(np.float64)])[newest + 1]
    before = np.concatenate([valids[signal : signal + 1], there[:-1]])
    other = np.concatenate([raws[signal : signal + 1], raw[:-1]]) != raw
    changed = (there != before) | ((there != 0) & other)
    changed[0] |= times[signal] == at.NEVER
    times[signal], valids[signal], values[signal] = time[decoder.rows[-1]], there[-1], held[-1]
    if counting.size:
        raws[signal] = raw[counting[-1]]
    return held, there, changed.astype(np.uint8), time[decoder.rows]
