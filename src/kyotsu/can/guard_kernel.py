"""The compiled kernels of counters and checksums: whole columns of a block, and one frame of a live bus.

What is judged, and how, stands in a table with one row for each guarded message; `guards` makes it of the matrix.
`numpy_guards` has the same functions with the same results for where there is no compiler.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kyotsu.can.guard_tables import (
    AFTER,
    BEGIN,
    CHECK_FIELD,
    CHECK_KNOWN,
    CHECK_MASK,
    CHECK_RIGHT,
    CHECK_VALID_SLOT,
    CHECK_VALIDITY,
    COUNTER_FIELD,
    COUNTER_KNOWN,
    COUNTER_MASK,
    COUNTER_RIGHT,
    COUNTER_VALID_SLOT,
    COUNTER_VALIDITY,
    CRC,
    END,
    FINAL,
    LAST,
    LISTED,
    MESSAGE,
    METHOD,
    MIXED,
    MIXED_HIGH,
    NIBBLES,
    POSITIONS,
    REFLECTED,
    SOURCE,
    SPARE,
    START,
    SUM,
    TABLE,
)
from kyotsu.can.kernel_bits import compiled, frame_raw, inlined, swapped
from kyotsu.can.layout import DOWN, FIELD_BIG, FIELD_WORD, SECOND_PLANE, UP

LOW_NIBBLES, EVERY_BYTE = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
BYTE = np.uint64(0xFF)


# --- one frame ---


@inlined
def byte_of(words: Any, index: Any, place: Any) -> Any:
    """A byte of a payload."""
    return (words[index, place >> 3] >> np.uint64((place & 7) << 3)) & BYTE


@inlined
def _nibble_sum(word: Any) -> Any:
    return (((word & LOW_NIBBLES) + ((word >> np.uint64(4)) & LOW_NIBBLES)) * EVERY_BYTE) >> np.uint64(56)


@inlined
def _nibbles(words: Any, index: Any, size: Any, frame_id: Any) -> Any:
    """Eight less the sum of all nibbles of id and payload but the last, three more on 29-bit ids."""
    total = _nibble_sum(np.uint64(frame_id))
    whole, rest = size >> 3, np.uint64((size & 7) << 3)
    for place in range(whole):
        total += _nibble_sum(words[index, place])
    if rest:
        total += _nibble_sum(words[index, whole] & ((np.uint64(1) << rest) - np.uint64(1)))
    if size > 0:
        total -= byte_of(words, index, size - 1) & np.uint64(15)
    more = np.uint64(11) if frame_id > 0x7FF else np.uint64(8)
    return (more - total) & np.uint64(15)


@inlined
def _crc_step(register: Any, byte: Any, table: Any, reflected: bool) -> Any:
    if reflected:
        return (register >> np.uint64(8)) ^ table[(register ^ byte) & BYTE]
    return (register << np.uint64(8)) ^ table[(register >> np.uint64(56)) ^ byte]


@inlined
def _crc(words: Any, index: Any, size: Any, recipe: Any, crcs: Any) -> Any:
    """The register after the payload and what follows it."""
    table, reflected = crcs[recipe[TABLE]], recipe[REFLECTED] != 0
    register, begin, end = np.uint64(recipe[START]), recipe[BEGIN], recipe[END]
    for place in range(min(begin, size)):
        register = _crc_step(register, byte_of(words, index, place), table, reflected)
    for place in range(end, size):
        register = _crc_step(register, byte_of(words, index, place), table, reflected)
    mixed = np.uint64(recipe[MIXED])
    if recipe[LISTED]:
        place = min(begin + 1, 8 * words.shape[1] - 1)
        chosen = byte_of(words, index, place) & np.uint64(15)
        mixed = mixed if chosen < np.uint64(8) else np.uint64(recipe[MIXED_HIGH])
        mixed >>= (chosen & np.uint64(7)) << np.uint64(3)
    for _ in range(recipe[AFTER]):
        register = _crc_step(register, mixed & BYTE, table, reflected)
        mixed >>= np.uint64(8)
    return (register >> np.uint64(recipe[SPARE])) ^ np.uint64(recipe[FINAL])


@inlined
def expected_of(words: Any, index: Any, length: Any, frame_id: Any, recipe: Any, crcs: Any) -> Any:
    """The checksum that one frame should have."""
    method, size = recipe[METHOD], min(length, 8 * words.shape[1])
    if method == NIBBLES:
        return _nibbles(words, index, size, frame_id)
    if method == CRC:
        return _crc(words, index, size, recipe, crcs)
    total = np.uint64(recipe[MIXED])
    for place in range(size):
        if place < recipe[BEGIN] or place >= recipe[END]:
            byte = byte_of(words, index, place)
            total = total + byte if method == SUM else total ^ byte
    return total & BYTE


@inlined
def sender_of(bus: Any, frame_id: Any, with_source: Any) -> Any:
    """A number for who sent a frame: its bus, and its source address where there is one."""
    return bus << 8 | frame_id & 0xFF if with_source else bus


# --- whole columns ---


@compiled
def expected(words: Any, length: Any, frame_id: Any, recipe: Any, crcs: Any, values: Any) -> None:
    """The checksum that each frame should have.

    Args:
        words, length, frame_id: of the frames.
        recipe: how, see the constants above.
        crcs: of `Guards`.
        values: to be filled.
    """
    for row in range(values.size):
        values[row] = expected_of(words, row, np.int64(length[row]), np.int64(frame_id[row]), recipe, crcs)


@inlined
def judged_frame(
    index: Any, frame_id: Any, bus: Any, length: Any, words: Any, fields: Any, guard: Any, crcs: Any, valid: Any,
    senders: Any,
) -> bool:  # fmt: skip
    """Whether neither counter nor checksum of one frame are known to be wrong.

    Args:
        index: of the frame.
        frame_id, bus, length, words: its own, and the payloads of all.
        fields: of the layout's tables.
        guard, crcs: of `Guards`.
        valid: of the message's validities, whether they hold.
        senders: counters, changed.
    """
    trusted = True
    if guard[COUNTER_FIELD] >= 0 and valid[guard[COUNTER_VALIDITY]]:
        mask = guard[COUNTER_MASK]
        counter = np.int64(frame_raw(fields[guard[COUNTER_FIELD]], words, index)) & mask
        place = guard[LAST] + sender_of(bus, frame_id, guard[SOURCE])
        before = senders[place]
        senders[place] = counter
        trusted = before < 0 or counter == (before + 1) & mask
    if guard[CHECK_FIELD] >= 0 and valid[guard[CHECK_VALIDITY]]:
        value = expected_of(words, index, length, frame_id, guard, crcs)
        raw = frame_raw(fields[guard[CHECK_FIELD]], words, index)
        trusted = trusted and ((raw ^ value) & np.uint64(guard[CHECK_MASK])) == np.uint64(0)
    return trusted


@inlined
def _plain_raw(words: Any, index: Any, word: Any, big: bool, up: Any, down: Any) -> Any:
    """The raw value of a field in one word, without its sign."""
    bits = words[index, word]
    return ((swapped(bits) if big else bits) << up) >> down


@inlined
def _judge_counters(
    frame_id: Any, bus: Any, words: Any, field: Any, guard: Any, rows: Any, valid: Any, last: Any, right: Any,
    known: Any, gathered: Any,
) -> Any:  # fmt: skip
    """How many counters are wrong in some rows of one message."""
    mask, source, begin, every = guard[COUNTER_MASK], guard[SOURCE] != 0, guard[LAST], valid.size == 0
    big, up, down = field[FIELD_BIG] != 0, np.uint64(field[UP]), np.uint64(field[DOWN])
    plain = words.shape[1] == 1 and field[SECOND_PLANE] < 0 and field[FIELD_WORD] == 0
    wrong: Any = 0
    for row in range(rows.size):
        index = rows[row]
        if not every and not valid[row]:
            right[row], known[row] = 0, 0
            continue
        if plain:
            bits = gathered[row]
            raw = ((swapped(bits) if big else bits) << up) >> down
        else:
            raw = frame_raw(field, words, index)
        counter, place = np.int64(raw) & mask, np.int64(bus[index])
        if source:
            place = place << 8 | np.int64(frame_id[index]) & 0xFF
        before = last[begin + place]
        last[begin + place] = counter
        told = np.uint8(before >= 0)
        follows = np.uint8(counter == (before + 1) & mask) & told
        right[row], known[row] = follows, told
        wrong += np.int64(told ^ follows)
    return wrong


@inlined
def _judge_checksums(
    frame_id: Any, length: Any, words: Any, field: Any, guard: Any, crcs: Any, rows: Any, valid: Any, right: Any,
    known: Any,
) -> Any:  # fmt: skip
    """How many checksums are wrong in some rows of one message."""
    mask, width, every = np.uint64(guard[CHECK_MASK]), 8 * words.shape[1], valid.size == 0
    word, big, up, down = (
        np.uint64(field[FIELD_WORD]),
        field[FIELD_BIG] != 0,
        np.uint64(field[UP]),
        np.uint64(field[DOWN]),
    )
    plain = field[SECOND_PLANE] < 0 and field[FIELD_WORD] < words.shape[1]
    wrong: Any = 0
    for row in range(rows.size):
        index = rows[row]
        size = np.int64(length[index])
        value = expected_of(words, index, min(size, width), np.int64(frame_id[index]), guard, crcs)
        raw = _plain_raw(words, index, word, big, up, down) if plain else frame_raw(field, words, index)
        same = np.uint8(((raw ^ value) & mask) == np.uint64(0))
        told = np.uint8(1) if every else np.uint8(valid[row])
        right[row], known[row] = same, told
        wrong += np.int64(told & (same ^ np.uint8(1)))
    return wrong


@inlined
def _gather(words: Any, length: Any, rows: Any, lines: Any) -> None:
    """Payloads of one word, and the same without what is behind the frame and without the last low nibble."""
    for row in range(rows.size):
        index = rows[row]
        word, size = words[index, 0], np.uint64(length[index])
        lines[0, row] = word
        if size < np.uint64(8):
            word &= (np.uint64(1) << (size << np.uint64(3))) - np.uint64(1)
        last = (min(max(size, np.uint64(1)), np.uint64(8)) - np.uint64(1)) << np.uint64(3)
        lines[1, row] = word & ~(np.uint64(15) << last)


@inlined
def _judge_nibbles(lines: Any, frame_id: Any, field: Any, guard: Any, right: Any, known: Any) -> Any:
    """How many of Honda's checksums are wrong in rows of one word and one id; simple, so that it becomes SIMD code."""
    mask, big, up, down = (
        np.uint64(guard[CHECK_MASK]),
        field[FIELD_BIG] != 0,
        np.uint64(field[UP]),
        np.uint64(field[DOWN]),
    )
    start = (np.uint64(11) if frame_id > 0x7FF else np.uint64(8)) - _nibble_sum(np.uint64(frame_id))
    wrong = np.uint64(0)
    for row in range(right.size):
        word = lines[1, row]
        sums = (word & LOW_NIBBLES) + ((word >> np.uint64(4)) & LOW_NIBBLES)
        sums += sums >> np.uint64(32)
        sums += sums >> np.uint64(16)
        sums += sums >> np.uint64(8)
        bits = lines[0, row]
        raw = ((swapped(bits) if big else bits) << up) >> down
        other = np.uint64(((raw ^ ((start - sums) & np.uint64(15))) & mask) != np.uint64(0))
        wrong += other
        right[row] = np.uint8(other ^ np.uint64(1))
        known[row] = 1
    return np.int64(wrong)


@compiled
def judge(
    frame_id: Any, bus: Any, length: Any, words: Any, fields: Any, guards: Any, counts: Any, offsets: Any, arena: Any,
    last: Any, wrong: Any, cursors: Any, lines: Any,
) -> None:  # fmt: skip
    """Counters and checksums of all guarded messages of a block.

    Args:
        frame_id, bus, length, words: of the frames.
        fields: of the layout's tables.
        guards: what is judged.
        counts: rows of each message.
        offsets, arena: where the slots begin, and the arena as bytes and as 64-bit words.
        last: counter of each sender of each guard, -1 for none; changed.
        wrong: added to, shape (guard, 2): rows whose counter and whose checksum is wrong.
        cursors: zeros to work in, shape (guard,).
        lines: room to work in, shape (2, frames at a time).
    """
    bytes8, bytes64 = arena
    block = np.uint64(lines.shape[1])
    for part in range(0, frame_id.size, lines.shape[1]):
        for number in range(guards.rows.shape[0]):
            guard = guards.rows[number]
            count, first = counts[guard[MESSAGE]], cursors[number]
            place, end = offsets[guard[POSITIONS]] >> 3, first
            while end < count and bytes64[place + end] < np.uint64(part) + block:
                end += 1
            cursors[number] = end
            rows = bytes64[place + first : place + end]
            if words.shape[1] == 1:
                _gather(words, length, rows, lines)
            if guard[COUNTER_FIELD] >= 0:
                begin = offsets[guard[COUNTER_VALID_SLOT]]
                valid = bytes8[max(begin, 0) + first : begin + end if begin >= 0 else 0]  # none where all count
                right, known = offsets[guard[COUNTER_RIGHT]], offsets[guard[COUNTER_KNOWN]]
                wrong[number, 0] += _judge_counters(
                    frame_id, bus, words, fields[guard[COUNTER_FIELD]], guard, rows, valid, last,
                    bytes8[right + first : right + end], bytes8[known + first : known + end], lines[0],
                )  # fmt: skip
            if guard[CHECK_FIELD] >= 0:
                begin = offsets[guard[CHECK_VALID_SLOT]]
                valid = bytes8[max(begin, 0) + first : begin + end if begin >= 0 else 0]
                right, known = offsets[guard[CHECK_RIGHT]], offsets[guard[CHECK_KNOWN]]
                check = fields[guard[CHECK_FIELD]]
                plain = check[SECOND_PLANE] < 0 and check[FIELD_WORD] == 0 and words.shape[1] == 1
                if guard[METHOD] == NIBBLES and plain and guard[SOURCE] == 0 and begin < 0 and first < end:
                    wrong[number, 1] += _judge_nibbles(
                        lines, np.int64(frame_id[rows[0]]), check, guard,
                        bytes8[right + first : right + end], bytes8[known + first : known + end],
                    )  # fmt: skip
                    continue
                wrong[number, 1] += _judge_checksums(
                    frame_id, length, words, check, guard, guards.crcs, rows, valid,
                    bytes8[right + first : right + end], bytes8[known + first : known + end],
                )  # fmt: skip
