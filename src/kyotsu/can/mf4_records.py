"""The records of MDF 4 data groups: compiled loops from bytes to frames.

A record of an unsorted file begins with the number of its group; a payload may stand in a record of its own (VLSD)
before or behind the one that points to it, or in a block of its own (SD). Both are kept in a window of the last WINDOW
bytes of each stream of payloads, until the frames that point there have taken theirs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can.compiler import (
    byte_at,
    compiled,
    double_at,
    double_word_at,
    inlined,
    quad_word_at,
    single_at,
    word_at,
)
from kyotsu.can.frames import CLASSIC_BYTES, FD_BYTES, Flag
from kyotsu.can.mf4_groups import BIT, BITS, BYTE, CONVERTED, FD_LENGTHS, HOW, LUT_SIZE, VALUE, GroupPlan, Kind, Name

IntArray = npt.NDArray[np.int64]

STOP_END, STOP_WIDER, STOP_LOST, STOP_BAD = 0, -1, -2, -3
IGNORED, FRAMES, PAYLOADS = 0, 1, 2  # what the records of a group are

WINDOW = 1 << 22  # bytes of payloads that are kept, a power of two
MOST_PAYLOAD = 1 << 16
NO_PAYLOAD, LOST_PAYLOAD = -1, -2
NO_LENGTH = 65_535
PAD_BYTES = 64  # behind the data, so that no number at their end is read beyond them
SURE_RECORDS = 8  # sound records in a row that make a place in broken data one to go on from

LAST_TIME = 4e18  # [ns] since the start; more is damage
ID_EXTENDED, ID_BITS = 0x8000_0000, 0x1FFF_FFFF
EXTENDED, REMOTE, ERROR, FD = int(Flag.EXTENDED), int(Flag.REMOTE), int(Flag.ERROR), int(Flag.FD)
SWITCH, STATE, SENT = int(Flag.BIT_RATE_SWITCH), int(Flag.ERROR_STATE), int(Flag.SENT)

# The enumerations as plain numbers, which compiled code takes.
TIME, ID, BUS, IS_EXTENDED, CODE, LENGTH, BYTES, IS_SENT, IS_FD, IS_SWITCH, IS_STATE = (int(name) for name in Name)
ABSENT, CONSTANT, LITTLE, BIG, DOUBLE, SINGLE, INDEX = (int(kind) for kind in Kind)
LENGTH_OF_CODE = np.array(FD_LENGTHS, dtype=np.int64)


class Plans(NamedTuple):
    """The plans of a data group in columns.

    Attributes:
        record_id: shape (group,).
        size: bytes of a record without its number, shape (group,).
        role: IGNORED, FRAMES or PAYLOADS, shape (group,).
        flags: of its frames, shape (group,).
        payload_bytes: within the record, shape (group,).
        stream: of payloads that it fills or points to, or -1, shape (group,).
        fields: shape (group, 11, 6), see `kyotsu.can.mf4_groups`.
        tables: shape (group, 11, 256).
        scale, offset: of the time [ns], shape (group,).
        whole_scale: the scale if it is a whole number, else 0, shape (group,).
    """

    record_id: IntArray
    size: IntArray
    role: IntArray
    flags: IntArray
    payload_bytes: IntArray
    stream: IntArray
    fields: IntArray
    tables: IntArray
    scale: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    whole_scale: IntArray


def columns_of(plans: list[GroupPlan]) -> tuple[Plans, dict[int, int]]:
    """The plans in columns, and for each stream that stands in blocks of its own their address."""
    payload_groups = [plan.address for plan in plans if plan.is_vlsd]
    streams = {address: number for number, address in enumerate(payload_groups)}
    for plan in plans:
        if plan.is_frames and plan.payload_at:
            streams.setdefault(plan.payload_at, len(streams))

    def column(values: list[int]) -> IntArray:
        return np.array(values, dtype=np.int64)

    def stream_of(plan: GroupPlan) -> int:
        return streams.get(plan.address if plan.is_vlsd else plan.payload_at if plan.is_frames else 0, -1)

    whole = [plan.scale.is_integer() and 0 < plan.scale <= 1e12 and plan.offset == 0 for plan in plans]
    arrays = Plans(
        record_id=column([plan.record_id & (2**63 - 1) for plan in plans]),
        size=column([plan.record_bytes for plan in plans]),
        role=column([PAYLOADS if plan.is_vlsd else FRAMES if plan.is_frames else IGNORED for plan in plans]),
        flags=column([plan.flags for plan in plans]),
        payload_bytes=column([plan.payload_bytes for plan in plans]),
        stream=column([stream_of(plan) for plan in plans]),
        fields=np.array([plan.fields for plan in plans]).reshape(-1, len(Name), 6),
        tables=np.array([plan.tables for plan in plans]).reshape(-1, len(Name), LUT_SIZE),
        scale=np.array([plan.scale for plan in plans]),
        offset=np.array([plan.offset for plan in plans]),
        whole_scale=column([int(plan.scale) if is_whole else 0 for plan, is_whole in zip(plans, whole, strict=True)]),
    )
    return arrays, {number: address for address, number in streams.items() if address not in payload_groups}


@compiled
def read_records(
    data: Any, at: int, end: int, id_size: int, plans: Any, counts: Any, base_ns: int,
    frames: Any, filled: int, where: Any, source: Any, window: Any, written: Any,
) -> tuple[int, int, int]:  # fmt: skip
    """Records until the block is full; returns where it stopped, how far the block is filled, and why.

    Args:
        data: with PAD_BYTES behind `end`.
        at, end: where to begin, and where the data end.
        id_size: bytes of the number before a record.
        plans: see `Plans`.
        counts: records of each group.
        base_ns: start of the log.
        frames, filled: the block, and how many of it are there.
        where, source: of each frame the place of its payload in its stream or NO_PAYLOAD, and the stream.
        window, written: the last bytes of each stream, shape (stream, WINDOW), and how many it had.
    """
    group = 0
    while filled < frames.time.size and end - at > id_size:
        group = _group_of(data, at, id_size, plans, group)
        size = _record_size(data, at, end, id_size, plans, group)
        if size < 0:
            return at, filled, STOP_LOST
        if size > end - at:
            break
        if plans.role[group] == FRAMES:
            code = _read_record(data, at + id_size, plans, group, counts[group], base_ns, frames, filled, where, source)
            if code == STOP_WIDER:
                return at, filled, code
            if code == STOP_BAD:
                counts[group] += 1
                return at + size, filled, code
            filled += 1
        elif plans.role[group] == PAYLOADS:
            stream = plans.stream[group]
            for index in range(id_size, size):
                window[stream, (written[stream] + index - id_size) & (WINDOW - 1)] = byte_at(data, at + index)
            written[stream] += size - id_size
        counts[group] += 1
        at += size
    return at, filled, STOP_END


@inlined
def _group_of(data: Any, at: int, id_size: int, plans: Any, last: int) -> int:
    """The group of the record here, or -1; of a sorted file it is the only one."""
    if id_size == 0:
        return 0
    number = byte_at(data, at)
    if id_size == 2:
        number = word_at(data, at)
    elif id_size == 4:
        number = double_word_at(data, at)
    elif id_size == 8:
        number = quad_word_at(data, at)
    if last >= 0 and plans.record_id[last] == number:
        return last
    for group in range(plans.record_id.size):
        if plans.record_id[group] == number:
            return group
    return -1


@inlined
def _record_size(data: Any, at: int, end: int, id_size: int, plans: Any, group: int) -> int:
    """Bytes of the record with its number, -1 for none that can be; more than there are where its length is cut."""
    if group < 0:
        return -1
    if plans.role[group] != PAYLOADS:
        return id_size + plans.size[group] if plans.size[group] > 0 else -1
    if end - at < id_size + 4:
        return end - at + 1
    length = double_word_at(data, at + id_size)
    return id_size + 4 + length if length <= MOST_PAYLOAD else -1


@inlined
def _field(data: Any, at: int, plans: Any, group: int, name: int, absent: int) -> int:
    """The value of a field."""
    how = plans.fields[group, name, HOW]
    if how == ABSENT:
        return absent
    if how == CONSTANT:
        return plans.fields[group, name, VALUE]  # type: ignore[no-any-return]
    place, first, bits = (
        at + plans.fields[group, name, BYTE],
        plans.fields[group, name, BIT],
        plans.fields[group, name, BITS],
    )
    value = 0
    if how == BIG:
        for index in range((first + bits + 7) // 8):
            value = (value << 8 | byte_at(data, place + index)) & 0x7FFF_FFFF_FFFF_FFFF
    else:
        value = quad_word_at(data, place)
    if bits < 64:
        value = value >> first & ((1 << bits) - 1)
    if plans.fields[group, name, CONVERTED] != 0:
        value = plans.tables[group, name, value & (LUT_SIZE - 1)]
    return value


@inlined
def _time(data: Any, at: int, plans: Any, group: int, record: int) -> int:
    """The time [ns] since the start, or -1 for none that can be."""
    how, place = plans.fields[group, TIME, HOW], at + plans.fields[group, TIME, BYTE]
    if how in (DOUBLE, SINGLE):
        value = double_at(data, place) if how == DOUBLE else single_at(data, place)
        value = value * plans.scale[group] + plans.offset[group]
        return int(np.rint(value)) if 0 <= value <= LAST_TIME else -1
    raw = record if how == INDEX else _field(data, at, plans, group, TIME, 0)
    if plans.whole_scale[group] > 0:
        return (
            raw * plans.whole_scale[group] if 0 <= raw <= 4_000_000_000_000_000_000 // plans.whole_scale[group] else -1
        )
    value = raw * plans.scale[group] + plans.offset[group]
    return int(np.rint(value)) if 0 <= value <= LAST_TIME else -1


@inlined
def _read_record(
    data: Any,
    at: int,
    plans: Any,
    group: int,
    record: int,
    base_ns: int,
    frames: Any,
    row: int,
    where: Any,
    source: Any,
) -> int:
    time = _time(data, at, plans, group, record)
    bus = _field(data, at, plans, group, BUS, 0)
    if time < 0 or not 0 <= bus <= 255:
        return STOP_BAD
    frame_id, flags = _field(data, at, plans, group, ID, 0), plans.flags[group]
    if _field(data, at, plans, group, IS_EXTENDED, 1 if frame_id & ID_EXTENDED else 0) & 1:
        flags |= EXTENDED
    flags |= SENT if _field(data, at, plans, group, IS_SENT, 0) & 1 else 0
    flags |= FD if _field(data, at, plans, group, IS_FD, 0) & 1 else 0
    flags |= SWITCH if _field(data, at, plans, group, IS_SWITCH, 0) & 1 else 0
    flags |= STATE if _field(data, at, plans, group, IS_STATE, 0) & 1 else 0
    code = _field(data, at, plans, group, CODE, -1)
    by_code = NO_LENGTH
    if 0 <= code < LENGTH_OF_CODE.size:
        by_code = LENGTH_OF_CODE[code] if flags & FD else min(code, CLASSIC_BYTES)
    length = _field(data, at, plans, group, LENGTH, by_code)
    where[row] = NO_PAYLOAD
    if flags & REMOTE or plans.fields[group, BYTES, HOW] == ABSENT:
        length = 0
    elif plans.payload_bytes[group] > 0:
        length = min(length, plans.payload_bytes[group], FD_BYTES)
        if length > frames.payload.shape[1]:
            return STOP_WIDER
        place = at + plans.fields[group, BYTES, BYTE]
        for index in range(length):
            frames.payload[row, index] = byte_at(data, place + index)
    elif plans.stream[group] >= 0:
        where[row], source[row] = _field(data, at, plans, group, BYTES, 0), plans.stream[group]
        if where[row] < 0:
            return STOP_BAD
    else:
        length = 0
    frames.time[row] = base_ns + time
    frames.frame_id[row] = frame_id & ID_BITS
    frames.flags[row] = flags
    frames.bus[row] = bus
    frames.length[row] = max(min(length, NO_LENGTH), 0)
    return STOP_END


@compiled
def take_payloads(
    frames: Any, first: int, filled: int, where: Any, source: Any, window: Any, written: Any
) -> tuple[int, int]:
    """Give frames from `first` on their payloads as far as these are there; returns the first without, and why."""
    for row in range(first, filled):
        place, stream = where[row], source[row]
        if place < 0:
            continue
        if place + 4 > written[stream]:
            return row, STOP_END
        length = 0
        for index in range(4):
            length |= (window[stream, (place + index) & (WINDOW - 1)] + 0) << (8 * index)
        if length <= MOST_PAYLOAD and place + 4 + length > written[stream]:
            return row, STOP_END
        if length > MOST_PAYLOAD or place < written[stream] - WINDOW:
            where[row] = LOST_PAYLOAD
            continue
        length = min(length, frames.length[row], FD_BYTES)
        if length > frames.payload.shape[1]:
            return row, STOP_WIDER
        for index in range(length):
            frames.payload[row, index] = window[stream, (place + 4 + index) & (WINDOW - 1)]
        frames.length[row] = length
        where[row] = NO_PAYLOAD
    return filled, STOP_END


@compiled
def add_payloads(data: Any, end: int, stream: int, window: Any, written: Any) -> None:
    """Take the next bytes of a stream into its window."""
    for index in range(end):
        window[stream, (written[stream] + index) & (WINDOW - 1)] = byte_at(data, index)
    written[stream] += end


@compiled
def next_sound_record(data: Any, at: int, end: int, id_size: int, plans: Any) -> int:
    """The first place from `at` on where several records follow one another, or `end`."""
    while at < end:
        place, group, sound = at, 0, 0
        while sound < SURE_RECORDS and end - place > id_size:
            group = _group_of(data, place, id_size, plans, group)
            size = _record_size(data, place, end, id_size, plans, group)
            if size < 0 or size > end - place:
                break
            place += size
            sound += 1
        if sound == SURE_RECORDS or (sound > 0 and place == end):
            return at
        at += 1
    return end
