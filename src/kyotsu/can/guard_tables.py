"""What is judged of guarded messages, as flat tables: one row for each, whose columns are numbered here.

A row begins with the recipe of the checksum. Its START is the register before the payload; it stands at the top of 64
bits, or at the bottom where the CRC is reflected. SPARE is how many of the 64 it does not use, FINAL what its end is
combined with, TABLE the number of its table. BEGIN and END are the bytes that hold the checksum and are left out. MIXED
is what is added (sum, exclusive or), or the bytes that follow the payload, the first lowest (CRC); AFTER is how many
follow. Where LISTED, one of sixteen follows, chosen by the low four bits of the byte behind BEGIN: the first eight
stand in MIXED, the others in MIXED_HIGH.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

NIBBLES, SUM, XOR, CRC = range(4)  # METHOD
METHOD, BEGIN, END, MIXED, MIXED_HIGH, AFTER, LISTED, TABLE, START, FINAL, SPARE, REFLECTED = range(12)
RECIPE = 12  # columns
# A field is -1 where nothing is judged; a validity is counted within the message, a slot is one of the arena. LAST is
# where the counters of a guard's senders begin, SOURCE whether they are told by their address too.
(
    MESSAGE, POSITIONS, SOURCE, LAST,
    COUNTER_FIELD, COUNTER_VALIDITY, COUNTER_VALID_SLOT, COUNTER_MASK, COUNTER_RIGHT, COUNTER_KNOWN,
    CHECK_FIELD, CHECK_VALIDITY, CHECK_VALID_SLOT, CHECK_MASK, CHECK_RIGHT, CHECK_KNOWN,
) = range(RECIPE, 28)  # fmt: skip
WIDTH = 28


class Guards(NamedTuple):
    """What the kernels judge.

    Attributes:
        rows: one for each guarded message.
        crcs: the register after each byte, from zero, shape (crc, 256).
        of_message: row of each message; -1 for one without.
    """

    rows: npt.NDArray[np.int64]
    crcs: npt.NDArray[np.uint64]
    of_message: npt.NDArray[np.int64]
