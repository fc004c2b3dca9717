"""Columns made ready for Arrow by numpy: what `table_kernel` does, with the same results."""

from __future__ import annotations

from typing import Any

import numpy as np


def dress(
    packs: Any, jobs: Any, of_byte: Any, keys: Any, labels: Any, rows: Any, offsets: Any, arena: Any, nulls: Any
) -> None:
    """Bits of validity and numbers of labels, of all columns of a block."""
    bytes8 = arena[0]
    wholes = {2: arena[1], 4: arena[2], 8: arena[3]}

    def put(slot: int, there: Any) -> None:
        begin = int(offsets[slot])
        bytes8[begin : begin + -(-there.size // 8)] = np.packbits(there, bitorder="little")
        nulls[slot] = there.size - np.count_nonzero(there)

    for source, target, message in packs.tolist():
        begin, count = int(offsets[source]), int(rows[message])
        nulls[target] = 0
        if begin >= 0:
            put(target, bytes8[begin : begin + count].view(np.bool_))
    for source, width, validity, target, bits, message, first, end, byte_row, is_real in jobs.tolist():
        begin, count = int(offsets[source]), int(rows[message])
        if byte_row >= 0:
            found = of_byte[byte_row].take(bytes8[begin : begin + count])
        elif first == end:
            found = np.full(count, -1, dtype=np.int16)
        else:
            values = wholes[width][begin // width :][:count].astype(np.uint64)
            if is_real:
                values[values == np.uint64(1 << (8 * width - 1))] = 0  # a zero without its sign
            places = np.minimum(np.searchsorted(keys[first:end], values), end - first - 1) + first
            found = np.where(keys[places] == values, labels[places], np.int16(-1))
        there = found >= 0
        if validity >= 0 and offsets[validity] >= 0:
            valid = int(offsets[validity])
            there &= bytes8[valid : valid + count].view(np.bool_)
        begin = int(offsets[target]) // 2
        arena[1][begin : begin + count] = np.where(there, found, 0)
        put(bits, there)
