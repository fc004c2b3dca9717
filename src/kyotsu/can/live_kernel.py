"""The compiled kernel of a live bus: one frame after the other, beside the last value of every signal."""

from __future__ import annotations

from typing import Any

import numpy as np

from kyotsu.can import layout as at
from kyotsu.can.kernel_bits import TURN, compiled, group_of, inlined, joined, raw_of, swapped, value_of


@inlined
def _frame_raw(field: Any, words: Any, index: int) -> Any:
    """The raw value of a field in one frame."""
    word, big = field[at.FIELD_WORD], field[at.FIELD_BIG] != 0
    bits = words[index, word] if word < words.shape[1] else np.uint64(0)
    bits = swapped(bits) if big else bits
    if field[at.SECOND_PLANE] >= 0:
        second = words[index, word + 1] if word + 1 < words.shape[1] else np.uint64(0)
        bits = joined(bits, swapped(second) if big else second, np.uint64(field[at.JOIN]), big)
    return raw_of(bits, np.uint64(field[at.UP]), np.uint64(field[at.DOWN]), np.uint64(field[at.SIGN]))


@inlined
def _is_inside(raw: Any, bias: int, ranges: Any) -> bool:
    turned = raw ^ TURN if bias else raw
    for number in range(ranges.shape[0]):  # noqa: SIM110 - no generators here
        if ranges[number, 0] <= turned <= ranges[number, 1]:
            return True
    return False


@inlined
def _judge_frame(message: int, words: Any, index: int, length: Any, tables: Any, gates: Any, valid: Any) -> None:
    """Which branches and validities one frame has."""
    begin = tables.messages[message, at.GATES]
    for number in range(begin, tables.messages[message + 1, at.GATES]):
        gate = tables.gates[number]
        raw = _frame_raw(tables.fields[gate[at.GATE_FIELD]], words, index)
        ranges = tables.ranges[gate[at.GATE_RANGES] : gate[at.GATE_RANGES_END]]
        there = gate[at.GATE_PARENT] < 0 or gates[gate[at.GATE_PARENT]] != 0
        gates[number - begin] = there and _is_inside(raw, gate[at.GATE_BIAS], ranges)
    begin = tables.messages[message, at.VALIDITIES]
    for number in range(begin, tables.messages[message + 1, at.VALIDITIES]):
        validity = tables.validities[number]
        counts = length >= validity[at.VALID_BYTES]
        if validity[at.VALID_GATE] >= 0:
            counts = counts and gates[validity[at.VALID_GATE]] != 0
        if counts and validity[at.VALID_FIELD] >= 0:
            raw = _frame_raw(tables.fields[validity[at.VALID_FIELD]], words, index)
            ranges = tables.ranges[validity[at.VALID_RANGES] : validity[at.VALID_RANGES_END]]
            counts = not _is_inside(raw, validity[at.VALID_BIAS], ranges)
        valid[number - begin] = counts


@compiled
def follow(
    time: Any,
    frame_id: Any,
    flags: Any,
    length: Any,
    words: Any,
    tables: Any,
    counts: Any,
    last: Any,
    room: Any,
    found: Any,
) -> int:
    """Every signal of a few frames in their order, beside its last value.

    Args:
        time, frame_id, flags, length, words: of the frames.
        tables: of the layout.
        counts: added to, shape (group,): frames of each group.
        last: of each signal its raw value, value, whether that counts, and when it was there (NEVER before); changed.
        room: to work in: gates and validities of one message.
        found: to be filled: signal, frame, value, whether it counts, whether it changed, time.

    Returns:
        How many entries were filled.
    """
    raws, values, valids, times = last
    gates, valid = room
    signals, frames, numbers, counting, changed, moments = found
    filled = 0
    for index in range(frame_id.size):
        group = group_of(np.int64(frame_id[index]), np.int64(flags[index]), tables)
        counts[group] += 1
        if group < at.OTHERS:
            continue
        message = group - at.OTHERS
        _judge_frame(message, words, index, np.int64(length[index]), tables, gates, valid)
        for number in range(tables.messages[message, at.COLUMNS], tables.messages[message + 1, at.COLUMNS]):
            column = tables.columns[number]
            signal = column[at.COLUMN_SIGNAL]
            if signal < 0:
                continue
            raw, there = (
                _frame_raw(tables.fields[column[at.COLUMN_FIELD]], words, index),
                valid[column[at.COLUMN_VALIDITY]],
            )
            new = times[signal] == at.NEVER or there != valids[signal] or (there != 0 and raw != raws[signal])
            if new:
                valids[signal] = there
                if there:
                    raws[signal] = raw
                    values[signal] = value_of(raw, column, tables.factors[number, 0], tables.factors[number, 1])
            signals[filled], frames[filled], numbers[filled] = signal, index, values[signal]
            counting[filled], changed[filled], moments[filled] = there, new, time[index]
            times[signal] = time[index]
            filled += 1
    return filled
