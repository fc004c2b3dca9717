"""The compiled kernel that makes decoded columns ready for Arrow: bits that say what counts, and numbers of labels.

`numpy_tables` has the same function with the same results for where there is no compiler.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kyotsu.can.kernel_bits import compiled, inlined

# Columns of the packs: bytes of truth become bits. ROWS_OF is a message.
PACK_FROM, PACK_TO, PACK_ROWS_OF = range(3)
# Columns of the label jobs; VALIDITY is -1 where none is kept. KEYS are the bits of the values that have a label, in
# rising order; of values of one byte BYTE_ROW has the label of each, else it is -1.
LABEL_FROM, LABEL_WIDTH, LABEL_VALIDITY, LABEL_TO, LABEL_BITS, LABEL_ROWS_OF, KEYS, KEYS_END, BYTE_ROW, REAL = range(10)
BOTTOM_BITS, GATHER = np.uint64(0x0101010101010101), np.uint64(0x0102040810204080)
TOP_64, TOP_32 = np.uint64(1 << 63), np.uint64(1 << 31)


@inlined
def _pack(bytes8: Any, words: Any, start: Any, target: Any, count: Any) -> Any:
    """Eight bytes of truth become one of bits; how many are true. Both slots have room for whole words."""
    true = np.uint64(0)
    whole = count >> 3
    for place in range(whole):
        word = words[(start >> 3) + place] & BOTTOM_BITS
        bytes8[target + place] = np.uint8((word * GATHER) >> np.uint64(56))
        true += (word * BOTTOM_BITS) >> np.uint64(56)
    rest = count & 7
    if rest:
        mask = (np.uint64(1) << np.uint64(rest << 3)) - np.uint64(1)
        word = words[(start >> 3) + whole] & BOTTOM_BITS & mask
        bytes8[target + whole] = np.uint8((word * GATHER) >> np.uint64(56))
        true += (word * BOTTOM_BITS) >> np.uint64(56)
    return np.int64(true)


@inlined
def _found(bits: Any, keys: Any, begin: int, end: int) -> int:
    """The place of a key; -1 where it is not there."""
    low, high = begin, end
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < bits:
            low = middle + 1
        else:
            high = middle
    return low if low < end and keys[low] == bits else -1


@inlined
def _value_bits(job: Any, place: int, row: int, arena: Any) -> Any:
    """The bits of a value; a zero without its sign."""
    _, bytes16, bytes32, bytes64 = arena
    width = job[LABEL_WIDTH]
    if width == 2:
        return np.uint64(bytes16[(place >> 1) + row])
    if width == 4:
        bits = np.uint64(bytes32[(place >> 2) + row])
        return np.uint64(0) if job[REAL] and bits == TOP_32 else bits
    bits = bytes64[(place >> 3) + row]
    return np.uint64(0) if job[REAL] and bits == TOP_64 else bits


@compiled
def dress(
    packs: Any, jobs: Any, of_byte: Any, keys: Any, labels: Any, rows: Any, offsets: Any, arena: Any, nulls: Any
) -> None:
    """Bits of validity and numbers of labels, of all columns of a block.

    Args:
        packs, jobs: what to do, see the constants above.
        of_byte: label of each value of one byte, -1 for none, shape (row, 256).
        keys, labels: bits of values and their labels.
        rows: of each message.
        offsets: where the slots begin; -1 for one that is not wanted.
        arena: as 8-, 16-, 32- and 64-bit whole numbers; changed.
        nulls: to be filled, of each slot of bits: how many are 0.
    """
    bytes8, bytes16, _, bytes64 = arena
    for number in range(packs.shape[0]):
        pack = packs[number]
        start, count = offsets[pack[PACK_FROM]], rows[pack[PACK_ROWS_OF]]
        true = count
        if start >= 0:
            true = _pack(bytes8, bytes64, start, offsets[pack[PACK_TO]], count)
        nulls[pack[PACK_TO]] = count - true
    for number in range(jobs.shape[0]):
        job = jobs[number]
        count, place, target = rows[job[LABEL_ROWS_OF]], offsets[job[LABEL_FROM]], offsets[job[LABEL_TO]] >> 1
        bits, valid, byte_row = offsets[job[LABEL_BITS]], np.int64(-1), job[BYTE_ROW]
        if job[LABEL_VALIDITY] >= 0:
            valid = offsets[job[LABEL_VALIDITY]]
        missing, mask = 0, np.int64(0)
        for row in range(count):
            if byte_row >= 0:
                label = np.int64(of_byte[byte_row, bytes8[place + row]])
            else:
                found = _found(_value_bits(job, place, row, arena), keys, job[KEYS], job[KEYS_END])
                label = np.int64(labels[found]) if found >= 0 else np.int64(-1)
            there = label >= 0 and (valid < 0 or bytes8[valid + row] != 0)
            bytes16[target + row] = np.uint16(label if there else 0)
            missing += not there
            mask |= np.int64(there) << (row & 7)
            if row & 7 == 7:
                bytes8[bits + (row >> 3)] = np.uint8(mask)
                mask = np.int64(0)
        if count & 7:
            bytes8[bits + (count >> 3)] = np.uint8(mask)
        nulls[job[LABEL_BITS]] = missing
