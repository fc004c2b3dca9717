"""Counters and checksums by numpy, for where there is no compiler: what `guard_kernel` does, with the same results."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kyotsu.can import guard_tables as by
from kyotsu.can import layout as at

Words = npt.NDArray[np.uint64]
BYTE, WORD_BITS = np.uint64(0xFF), np.uint64(64)


def raw_values(field: npt.NDArray[np.int64], words: Words, rows: npt.NDArray[np.int64]) -> Words:
    """Raw values of a field in some frames, in two's complement where signed."""
    up, down, sign, join = field[[at.UP, at.DOWN, at.SIGN, at.JOIN]].view(np.uint64)
    first, big = int(field[at.FIELD_WORD]), bool(field[at.FIELD_BIG])

    def load(word: int) -> Words:
        values = words[rows, word] if word < words.shape[1] else np.zeros(rows.size, dtype=np.uint64)
        return values.byteswap() if big else values

    line = load(first)
    if field[at.SECOND_PLANE] >= 0:
        second, rest = load(first + 1), WORD_BITS - join
        line = (line << join) | (second >> rest) if big else (line >> join) | (second << rest)
    raw = (line << up) >> down
    signed: Words = (raw ^ sign) - sign if sign else raw
    return signed


def expected(words: Words, length: Any, frame_id: Any, recipe: Any, crcs: Words, values: Words) -> None:
    """The checksum that each frame should have."""
    payload = words.view(np.uint8)
    covered = np.arange(payload.shape[1]) < np.asarray(length)[:, None]
    payload = np.where(covered, payload, np.uint8(0))
    method, begin, end = recipe[[by.METHOD, by.BEGIN, by.END]].tolist()
    if method == by.NIBBLES:
        values[:] = _nibbles(payload, length, frame_id)
    elif method == by.CRC:
        values[:] = _crc(words.view(np.uint8), covered, recipe, crcs)
    else:
        payload[:, begin:end] = 0
        folded = np.add if method == by.SUM else np.bitwise_xor
        total = folded.reduce(payload.astype(np.uint64), axis=1)
        values[:] = folded(total, np.uint64(recipe[by.MIXED])) & BYTE


def _nibbles(payload: npt.NDArray[np.uint8], length: Any, frame_id: Any) -> npt.NDArray[np.int64]:
    """Eight less the sum of all nibbles of id and payload but the last, three more on 29-bit ids."""
    nibbles = ((payload & 15) + (payload >> 4)).sum(axis=1, dtype=np.int64)
    last = np.clip(length.astype(np.int64) - 1, 0, payload.shape[1] - 1)
    nibbles -= payload[np.arange(last.size), last] & 15
    ids = frame_id.astype(np.int64)
    for shift in range(0, 32, 4):
        nibbles += ids >> shift & 15
    verdict: npt.NDArray[np.int64] = (8 - nibbles + np.where(ids > 0x7FF, 3, 0)) & 15
    return verdict


def _crc(payload: npt.NDArray[np.uint8], covered: npt.NDArray[np.bool_], recipe: Any, crcs: Words) -> Words:
    """The CRC of the payload and of what follows it."""
    table, reflected = crcs[recipe[by.TABLE]], bool(recipe[by.REFLECTED])
    bits = recipe.view(np.uint64)
    register = np.full(len(payload), bits[by.START])

    def fed(byte: Any) -> Any:
        if reflected:
            return (register >> np.uint64(8)) ^ table[(register ^ byte) & BYTE]
        return (register << np.uint64(8)) ^ table[(register >> np.uint64(56)) ^ byte]

    for place in range(payload.shape[1]):
        if not recipe[by.BEGIN] <= place < recipe[by.END] and covered[:, place].any():
            register = np.where(covered[:, place], fed(payload[:, place].astype(np.uint64)), register)
    mixed = np.full(len(payload), bits[by.MIXED])
    if recipe[by.LISTED]:
        chosen = payload[:, min(recipe[by.BEGIN] + 1, payload.shape[1] - 1)].astype(np.uint64) & np.uint64(15)
        mixed = np.where(chosen < 8, mixed, bits[by.MIXED_HIGH]) >> ((chosen & np.uint64(7)) << np.uint64(3))
    for _ in range(recipe[by.AFTER]):
        register = fed(mixed & BYTE)
        mixed = mixed >> np.uint64(8)
    ended: Words = (register >> bits[by.SPARE]) ^ bits[by.FINAL]
    return ended


def judge(
    frame_id: Any, bus: Any, length: Any, words: Words, fields: Any, guards: by.Guards, counts: Any, offsets: Any,
    arena: Any, last: Any, wrong: Any, _cursors: Any, _lines: Any,
) -> None:  # fmt: skip
    """Counters and checksums of all guarded messages of a block."""
    bytes8, bytes64 = arena
    for number, guard in enumerate(guards.rows):
        count = int(counts[guard[by.MESSAGE]])
        if not count:
            continue
        place = int(offsets[guard[by.POSITIONS]]) // 8
        rows = bytes64[place : place + count].view(np.int64)

        def slot(name: int, guard: Any = guard, count: int = count) -> npt.NDArray[np.bool_]:
            begin = int(offsets[guard[name]])
            return np.ones(count, np.bool_) if begin < 0 else bytes8[begin : begin + count].view(np.bool_)

        if guard[by.COUNTER_FIELD] >= 0:
            right, known = slot(by.COUNTER_RIGHT), slot(by.COUNTER_KNOWN)
            right[:], known[:] = judged_counters(
                frame_id, bus, words, fields, guard, rows, slot(by.COUNTER_VALID_SLOT), last
            )
            wrong[number, 0] = np.count_nonzero(known & ~right)
        if guard[by.CHECK_FIELD] >= 0:
            right, known = slot(by.CHECK_RIGHT), slot(by.CHECK_KNOWN)
            right[:] = judged_checksums(frame_id, length, words, fields, guard, guards.crcs, rows)
            known[:] = slot(by.CHECK_VALID_SLOT)
            wrong[number, 1] = np.count_nonzero(known & ~right)


def judged_checksums(
    frame_id: Any, length: Any, words: Words, fields: Any, guard: Any, crcs: Words, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Whether the checksum of each row is that of its payload."""
    values = np.empty(rows.size, dtype=np.uint64)
    expected(words[rows], length[rows], frame_id[rows], guard, crcs, values)
    mask = guard.view(np.uint64)[by.CHECK_MASK]
    same: npt.NDArray[np.bool_] = (raw_values(fields[guard[by.CHECK_FIELD]], words, rows) ^ values) & mask == 0
    return same


def judged_counters(
    frame_id: Any, bus: Any, words: Words, fields: Any, guard: Any, rows: npt.NDArray[np.int64], valid: Any, last: Any
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether each counter is the one before of the same sender and one more, and whether there was one before."""
    right, known = np.zeros(rows.size, dtype=np.bool_), np.zeros(rows.size, dtype=np.bool_)
    chosen = np.flatnonzero(valid)
    places, mask = bus[rows].astype(np.int64), guard[by.COUNTER_MASK]
    if guard[by.SOURCE]:
        places = places << 8 | frame_id[rows].astype(np.int64) & 0xFF
    chosen = chosen[np.argsort(places[chosen], kind="stable")]
    who = places[chosen] + guard[by.LAST]
    values = raw_values(fields[guard[by.COUNTER_FIELD]], words, rows[chosen]).view(np.int64) & mask
    begins = np.flatnonzero(np.diff(who, prepend=-1))
    before = np.concatenate([[-1], values[:-1]])[: values.size]
    before[begins] = last[who[begins]]
    known[chosen] = before >= 0
    right[chosen] = (before >= 0) & (values == (before + 1) & mask)
    ends = np.append(begins[1:], values.size)[: begins.size] - 1
    last[who[begins]] = values[ends]
    return right, known


def trusted_rows(
    frame_id: Any, bus: Any, length: Any, words: Words, fields: Any, guards: by.Guards, number: int,
    rows: npt.NDArray[np.int64], valid: list[npt.NDArray[np.bool_]], senders: Any,
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """Whether neither counter nor checksum are known to be wrong, of some rows of a live bus."""
    guard = guards.rows[number]
    trusted = np.ones(rows.size, dtype=np.bool_)
    if guard[by.COUNTER_FIELD] >= 0:
        there = valid[guard[by.COUNTER_VALIDITY]]
        right, known = judged_counters(frame_id, bus, words, fields, guard, rows, there, senders)
        trusted &= right | ~known
    if guard[by.CHECK_FIELD] >= 0:
        right = judged_checksums(frame_id, length, words, fields, guard, guards.crcs, rows)
        trusted &= right | ~valid[guard[by.CHECK_VALIDITY]]
    return trusted
