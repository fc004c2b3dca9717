"""The compiled kernel of a live bus: one frame after the other, beside the last value of every signal."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kyotsu.can import layout as at
from kyotsu.can.guard_kernel import judged_frame
from kyotsu.can.kernel_bits import (
    TURN,
    addresses_of,
    bits_column,
    bits_table,
    byte_column,
    compiled,
    frame_raw,
    group_of,
    inlined,
    number_column,
    real_column,
    real_table,
    short_column,
    value_of,
    whole_column,
    whole_table,
)


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
        raw = frame_raw(tables.fields[gate[at.GATE_FIELD]], words, index)
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
            raw = frame_raw(tables.fields[validity[at.VALID_FIELD]], words, index)
            ranges = tables.ranges[validity[at.VALID_RANGES] : validity[at.VALID_RANGES_END]]
            counts = not _is_inside(raw, validity[at.VALID_BIAS], ranges)
        valid[number - begin] = counts


# The arrays that are held by their addresses, in the order of `live.Held`: tables, what is known so far, room, what is
# found, guards. Behind them may come those of `live_mapping.Mapped`.
HELD = 29


def hold(*parts: Any) -> npt.NDArray[np.int64]:
    """Addresses of the arrays of `live.Held`, and of `live_mapping.Mapped`; the caller keeps both."""
    return addresses_of([values for part in parts for values in part.arrays])


@compiled
def follow(
    time: Any, frame_id: Any, flags: Any, bus: Any, length: Any, words: Any, addresses: Any, verify: bool
) -> int:
    """Every signal of a few frames in their order, beside its last value.

    Args:
        time, frame_id, flags, bus, length, words: of the frames.
        addresses: of the arrays of `live.Held`, which says what becomes of them.
        verify: whether counters and checksums are judged.

    Returns:
        How many entries were filled.
    """
    tables = at.Tables(
        short_column(addresses, 0), whole_table(addresses, 1), whole_table(addresses, 2), whole_table(addresses, 3),
        whole_table(addresses, 4), whole_table(addresses, 5), whole_table(addresses, 6), bits_table(addresses, 7),
        whole_table(addresses, 8), whole_table(addresses, 9), real_table(addresses, 10),
    )  # fmt: skip
    counts, raws, values = whole_column(addresses, 11), bits_column(addresses, 12), real_column(addresses, 13)
    valids, times = byte_column(addresses, 14), whole_column(addresses, 15)
    gates, valid = byte_column(addresses, 16), byte_column(addresses, 17)
    signals, frames, numbers = number_column(addresses, 18), number_column(addresses, 19), real_column(addresses, 20)
    counting, changed, moments = byte_column(addresses, 21), byte_column(addresses, 22), whole_column(addresses, 23)
    guards, crcs, guard_of = whole_table(addresses, 24), bits_table(addresses, 25), whole_column(addresses, 26)
    senders, trusted = whole_column(addresses, 27), whole_column(addresses, 28)
    filled = 0
    for index in range(frame_id.size):
        group = group_of(np.int64(frame_id[index]), np.int64(flags[index]), tables)
        counts[group] += 1
        trusted[index] = 1
        if group < at.OTHERS:
            continue
        message, size = group - at.OTHERS, min(np.int64(length[index]), 8 * words.shape[1])
        _judge_frame(message, words, index, size, tables, gates, valid)
        guard = guard_of[message]
        if verify and guard >= 0:
            trusted[index] = judged_frame(
                index, np.int64(frame_id[index]), np.int64(bus[index]), size, words, tables.fields, guards[guard], crcs,
                valid, senders,
            )  # fmt: skip
        for number in range(tables.messages[message, at.COLUMNS], tables.messages[message + 1, at.COLUMNS]):
            column = tables.columns[number]
            signal = column[at.COLUMN_SIGNAL]
            if signal < 0:
                continue
            there = valid[column[at.COLUMN_VALIDITY]]
            raw = frame_raw(tables.fields[column[at.COLUMN_FIELD]], words, index)
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
