"""The compiled kernels: frames to groups, and groups to columns.

`numpy_kernels` has the same functions with the same results for where there is no compiler. Compiled at the first call,
cached on disk, free of the interpreter's lock. A block of frames is decoded in tiles: the words that a message's
signals need are gathered once into a few lines that stay in the first-level cache, and each signal is one simple loop
over such a line, of which LLVM makes SIMD code.

What a frame holds is data here: an id that nobody described is a group, a short frame makes values that do not count.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from kyotsu.can import layout as at
from kyotsu.can.guard_kernel import expected, judge
from kyotsu.can.kernel_bits import (
    FD,
    OPTIONS,
    TURN,
    compiled,
    counting,
    group_of,
    inlined,
    joined,
    number_of,
    raw_of,
    swapped,
)
from kyotsu.can.live_kernel import follow, hold
from kyotsu.can.table_kernel import dress

__all__ = [
    "Scratch",
    "classify",
    "count_keys",
    "decode",
    "dress",
    "expected",
    "follow",
    "hold",
    "judge",
    "scratch_for",
]

BLOCK = 8_192  # frames sorted at a time, so that what they hold stays in the second-level cache
TILE = 512  # rows decoded at a time; a few lines of 64-bit words and of results stay in the first-level cache


class Scratch(NamedTuple):
    """Room to work in.

    Attributes:
        order: frames of a block by their group, shape (BLOCK,).
        times, buses, words: of those frames; of words the first.
        ends: where each group ends in them, shape (group,).
        cursors: rows of each message that are done, shape (message,).
        lines: words of a tile, shape (plane and one to spare, TILE).
        gates: which rows of a tile have each branch, shape (gate, TILE).
    """

    order: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    buses: npt.NDArray[np.uint8]
    words: npt.NDArray[np.uint64]
    ends: npt.NDArray[np.int64]
    cursors: npt.NDArray[np.int64]
    lines: npt.NDArray[np.uint64]
    gates: npt.NDArray[np.uint8]


def scratch_for(messages: int, planes: int, gates: int) -> Scratch:
    """Room for so many messages, and planes and gates of one."""
    return Scratch(
        np.empty(BLOCK, dtype=np.int64),
        np.empty(BLOCK, dtype=np.int64),
        np.empty(BLOCK, dtype=np.uint8),
        np.empty(BLOCK, dtype=np.uint64),
        np.empty(messages + at.OTHERS, dtype=np.int64),
        np.empty(messages, dtype=np.int64),
        np.empty((planes + 1, TILE), dtype=np.uint64),
        np.empty((gates, TILE), dtype=np.uint8),
    )


# --- frames to groups ---


@compiled
def classify(
    frame_id: Any, flags: Any, length: Any, tables: Any, group: Any, counts: Any, shortest: Any, short: Any, long: Any
) -> None:
    """The group of each frame.

    Args:
        frame_id, flags, length: of the frames.
        tables: of the layout.
        group: to be filled, shape (frame,).
        counts: added to, shape (group,): frames of each group.
        shortest: lowered, shape (message,): bytes of the shortest frame of each message.
        short, long: added to, shape (message,): frames shorter and longer than described.
    """
    for index in range(frame_id.size):
        chosen = group_of(np.int64(frame_id[index]), np.int64(flags[index]), tables)
        group[index] = chosen
        counts[chosen] += 1
        if chosen >= at.OTHERS:
            message = chosen - at.OTHERS
            size, described = np.int64(length[index]), tables.messages[message, at.LENGTH]
            if size < shortest[message]:
                shortest[message] = size
            if size < described:
                short[message] += 1
            elif size > described and (not flags[index] & FD or size > tables.messages[message, at.LONGEST]):
                long[message] += 1


@counting
def count_keys(keys: Any) -> tuple[Any, Any]:
    """How often each key is there, in the order of first appearance: (keys, counts)."""
    size = 1024
    places = np.full(size, -1, np.int64)
    found = np.empty(size // 2, np.uint64)
    counts = np.zeros(size // 2, np.int64)
    known = 0
    for key in keys:
        place = np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & (size - 1)
        while places[place] >= 0 and found[places[place]] != key:
            place = (place + 1) & (size - 1)
        if places[place] < 0:
            if known == found.size:
                size *= 4
                places = np.full(size, -1, np.int64)
                found, counts = _grown(found, size // 2), _grown(counts, size // 2)
                for number in range(known):
                    place = np.int64((found[number] * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & (size - 1)
                    while places[place] >= 0:
                        place = (place + 1) & (size - 1)
                    places[place] = number
                place = np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & (size - 1)
                while places[place] >= 0:
                    place = (place + 1) & (size - 1)
            places[place] = known
            found[known] = key
            known += 1
        counts[places[place]] += 1
    return found[:known], counts[:known]


@counting
def _grown(values: Any, size: int) -> Any:
    more = np.zeros(size, values.dtype)
    more[: values.size] = values
    return more


# --- a line of one tile ---


@inlined
def _fill_whole(target: Any, line: Any, up: Any, down: Any, sign: Any) -> None:
    for row in range(target.size):
        target[row] = raw_of(line[row], up, down, sign)


@inlined
def _fill_affine(target: Any, line: Any, up: Any, down: Any, sign: Any, scale: Any, offset: Any) -> None:
    for row in range(target.size):
        target[row] = raw_of(line[row], up, down, sign) * scale + offset


@inlined
def _fill_small(target: Any, line: Any, up: Any, down: Any, sign: Any, scale: float, offset: float) -> None:
    for row in range(target.size):
        target[row] = np.float64(np.int32(raw_of(line[row], up, down, sign))) * scale + offset


@inlined
def _fill_wide(target: Any, line: Any, up: Any, down: Any, sign: Any, scale: float, offset: float) -> None:
    for row in range(target.size):
        target[row] = np.float64(np.int64(raw_of(line[row], up, down, sign))) * scale + offset


def _fill_other(target: Any, line: Any, up: Any, down: Any, sign: Any, kind: int, scale: float, offset: float) -> None:
    for row in range(target.size):
        target[row] = number_of(raw_of(line[row], up, down, sign), kind, scale, offset)


_fill_other = njit(**OPTIONS)(_fill_other)  # rare, so called rather than inlined


@inlined
def _inside(mask: Any, line: Any, up: Any, down: Any, sign: Any, bias: int, ranges: Any) -> None:
    """Where the raw value lies in one of the ranges: 1, else 0."""
    turn = TURN if bias else np.uint64(0)
    mask[:] = 0
    for number in range(ranges.shape[0]):
        low, high = ranges[number, 0], ranges[number, 1]
        for row in range(mask.size):
            raw = raw_of(line[row], up, down, sign) ^ turn
            mask[row] |= (raw >= low) & (raw <= high)


@inlined
def _line_of(field: Any, lines: Any, size: int) -> Any:
    """The number of the line that has all bits of a field: a plane, or two joined in the spare line."""
    if field[at.SECOND_PLANE] < 0:
        return field[at.FIRST_PLANE]
    first, second = lines[field[at.FIRST_PLANE]], lines[field[at.SECOND_PLANE]]
    join, big, spare = np.uint64(field[at.JOIN]), field[at.FIELD_BIG] != 0, lines.shape[0] - 1
    target = lines[spare]
    for row in range(size):
        target[row] = joined(first[row], second[row], join, big)
    return spare


# --- groups to columns ---


@inlined
def _load_planes(words: Any, firsts: Any, rows: Any, planes: Any, lines: Any) -> None:
    """The words of a payload that a message's signals need, in the byte order that they need."""
    for plane in range(planes.shape[0]):
        word, big, line = planes[plane, at.PLANE_WORD], planes[plane, at.PLANE_BIG] != 0, lines[plane]
        if word == 0 and big:
            for row in range(rows.size):
                line[row] = swapped(firsts[row])
        elif word == 0:
            for row in range(rows.size):
                line[row] = firsts[row]
        elif word >= words.shape[1]:
            line[: rows.size] = 0
        else:
            for row in range(rows.size):
                line[row] = words[rows[row], word]
            if big:
                for row in range(rows.size):
                    line[row] = swapped(line[row])


@inlined
def _fill_gates(message: int, tables: Any, lines: Any, gates: Any, size: int) -> None:
    """Which rows have each branch of the multiplexors."""
    begin, end = tables.messages[message, at.GATES], tables.messages[message + 1, at.GATES]
    for number in range(begin, end):
        gate = tables.gates[number]
        field = tables.fields[gate[at.GATE_FIELD]]
        mask = gates[number - begin, :size]
        ranges = tables.ranges[gate[at.GATE_RANGES] : gate[at.GATE_RANGES_END]]
        up, down, sign = np.uint64(field[at.UP]), np.uint64(field[at.DOWN]), np.uint64(field[at.SIGN])
        _inside(mask, lines[_line_of(field, lines, size), :size], up, down, sign, gate[at.GATE_BIAS], ranges)
        if gate[at.GATE_PARENT] >= 0:
            above = gates[gate[at.GATE_PARENT]]
            for row in range(size):
                mask[row] &= above[row]


@inlined
def _fill_validities(
    message: int, tables: Any, lines: Any, gates: Any, length: Any, rows: Any, offsets: Any, first: int,
    bytes8: Any,
) -> None:  # fmt: skip
    """Which values count, for those signals of which not all do."""
    size = rows.size
    for number in range(tables.messages[message, at.VALIDITIES], tables.messages[message + 1, at.VALIDITIES]):
        validity = tables.validities[number]
        place = offsets[validity[at.VALID_SLOT]]
        if place < 0:
            continue
        target = bytes8[place + first : place + first + size]
        if validity[at.VALID_FIELD] >= 0:
            field = tables.fields[validity[at.VALID_FIELD]]
            ranges = tables.ranges[validity[at.VALID_RANGES] : validity[at.VALID_RANGES_END]]
            up, down, sign = np.uint64(field[at.UP]), np.uint64(field[at.DOWN]), np.uint64(field[at.SIGN])
            _inside(target, lines[_line_of(field, lines, size), :size], up, down, sign, validity[at.VALID_BIAS], ranges)
            for row in range(size):
                target[row] ^= 1
        else:
            target[:] = 1
        if validity[at.VALID_GATE] >= 0:
            gate = gates[validity[at.VALID_GATE]]
            for row in range(size):
                target[row] &= gate[row]
        needed = validity[at.VALID_BYTES]
        for row in range(size):
            target[row] &= length[rows[row]] >= needed


@inlined
def _fill_columns(message: int, tables: Any, lines: Any, offsets: Any, first: int, size: int, arena: Any) -> None:
    """The values of each signal."""
    bytes8, bytes16, bytes32, bytes64, singles, doubles = arena
    for number in range(tables.messages[message, at.COLUMNS], tables.messages[message + 1, at.COLUMNS]):
        column = tables.columns[number]
        field = tables.fields[column[at.COLUMN_FIELD]]
        line = lines[_line_of(field, lines, size), :size]
        up, down, sign = np.uint64(field[at.UP]), np.uint64(field[at.DOWN]), np.uint64(field[at.SIGN])
        kind, width = column[at.COLUMN_KIND], column[at.COLUMN_WIDTH]
        begin = offsets[column[at.COLUMN_SLOT]] // width + first
        end = begin + size
        scale, offset = tables.factors[number, 0], tables.factors[number, 1]
        if (kind == at.FLOAT_32 and width == 4) or (kind == at.FLOAT_64 and scale == 1 and offset == 0):
            kind = at.INTEGER  # the bits as they are
        if kind == at.INTEGER:
            if width == 1:
                _fill_whole(bytes8[begin:end], line, up, down, sign)
            elif width == 2:
                _fill_whole(bytes16[begin:end], line, up, down, sign)
            elif width == 4:
                _fill_whole(bytes32[begin:end], line, up, down, sign)
            else:
                _fill_whole(bytes64[begin:end], line, up, down, sign)
        elif kind == at.REAL and width == 8:
            _fill_small(doubles[begin:end], line, up, down, sign, scale, offset)
        elif kind == at.REAL:
            _fill_small(singles[begin:end], line, up, down, sign, scale, offset)
        elif kind == at.AFFINE:
            whole, more = np.uint64(column[at.COLUMN_SCALE]), np.uint64(column[at.COLUMN_OFFSET])
            if width == 1:
                _fill_affine(bytes8[begin:end], line, up, down, sign, whole, more)
            elif width == 2:
                _fill_affine(bytes16[begin:end], line, up, down, sign, whole, more)
            elif width == 4:
                _fill_affine(bytes32[begin:end], line, up, down, sign, whole, more)
            else:
                _fill_affine(bytes64[begin:end], line, up, down, sign, whole, more)
        elif kind == at.REAL_WIDE and width == 8:
            _fill_wide(doubles[begin:end], line, up, down, sign, scale, offset)
        elif width == 8:
            _fill_other(doubles[begin:end], line, up, down, sign, kind, scale, offset)
        else:
            _fill_other(singles[begin:end], line, up, down, sign, kind, scale, offset)


@inlined
def _sort_block(time: Any, bus: Any, words: Any, group: Any, begin: int, end: int, scratch: Any) -> None:
    """Frames of a block by their group, each group in the order of arrival."""
    order, times, buses, firsts, ends = scratch.order, scratch.times, scratch.buses, scratch.words, scratch.ends
    ends[:] = 0
    for index in range(begin, end):
        ends[group[index]] += 1
    total = 0
    for number in range(ends.size):
        total += ends[number]
        ends[number] = total - ends[number]
    for index in range(begin, end):
        place = ends[group[index]]
        ends[group[index]] = place + 1
        order[place] = index
        times[place] = time[index]
        buses[place] = bus[index]
        firsts[place] = words[index, 0]


@inlined
def _fill_frame_columns(
    message: int, tables: Any, frame_id: Any, begin: int, end: int, offsets: Any, first: int, scratch: Any, bytes8: Any,
    bytes64: Any,
) -> None:  # fmt: skip
    """What is known of each frame besides its payload."""
    row, size = tables.messages[message], end - begin
    place = offsets[row[at.SLOTS]] // 8 + first
    for number in range(size):
        bytes64[place + number] = scratch.times[begin + number]
    place = offsets[row[at.SLOTS] + 1] + first
    for number in range(size):
        bytes8[place + number] = scratch.buses[begin + number]
    if row[at.SOURCE_SLOT] >= 0:
        place = offsets[row[at.SOURCE_SLOT]] + first
        for number in range(size):
            bytes8[place + number] = frame_id[scratch.order[begin + number]] & 0xFF
    if row[at.POSITION_SLOT] >= 0:
        place = offsets[row[at.POSITION_SLOT]] // 8 + first
        for number in range(size):
            bytes64[place + number] = scratch.order[begin + number]


@compiled
def decode(
    time: Any, frame_id: Any, bus: Any, length: Any, words: Any, group: Any, tables: Any, offsets: Any, arena: Any,
    scratch: Any,
) -> None:  # fmt: skip
    """All columns of all messages of some frames.

    Args:
        time, frame_id, bus, length: of the frames.
        words: their payloads as 64-bit words, shape (frame, word).
        group: of each frame, from `classify`.
        tables: of the layout.
        offsets: [byte] where each slot begins in the arena, a multiple of 8; -1 where it is not wanted.
        arena: the same memory as 8-, 16-, 32- and 64-bit whole numbers and as single and double precision.
        scratch: room to work in, see `scratch_for`.
    """
    messages = tables.messages.shape[0] - 1
    order, ends, cursors, lines, gates = scratch.order, scratch.ends, scratch.cursors, scratch.lines, scratch.gates
    bytes8, bytes64 = arena[0], arena[3]
    cursors[:] = 0
    for begin in range(0, time.size, BLOCK):
        end = min(begin + BLOCK, time.size)
        _sort_block(time, bus, words, group, begin, end, scratch)
        for message in range(messages):
            row, last = ends[message + at.OTHERS - 1], ends[message + at.OTHERS]
            if row == last:
                continue
            planes = tables.planes[tables.messages[message, at.PLANES] : tables.messages[message + 1, at.PLANES]]
            first = cursors[message]
            cursors[message] += last - row
            _fill_frame_columns(message, tables, frame_id, row, last, offsets, first, scratch, bytes8, bytes64)
            while row < last:
                following = min(row + TILE, last)
                rows, size = order[row:following], following - row
                _load_planes(words, scratch.words[row:following], rows, planes, lines)
                _fill_gates(message, tables, lines, gates, size)
                _fill_validities(message, tables, lines, gates, length, rows, offsets, first, bytes8)
                _fill_columns(message, tables, lines, offsets, first, size, arena)
                first += size
                row = following
