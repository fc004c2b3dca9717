"""TRC, the text logs of PEAK-System, versions 1.0 to 2.1: data, remote requests and errors; all else is counted.

    ;$FILEVERSION=2.1
    ;$STARTTIME=43008.920986006946
    ;$COLUMNS=N,O,T,B,I,d,R,L,D
          1      2501.000 DT 2      00C8 Tx -  8    09 08 07 06 05 04 03 02

PEAK CAN TRC File Format (PEAK-System, 2022). Times are milliseconds since the start, which is local time without a
zone. An id of more than four digits is an extended one. Without a column for the bus it is 1.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from kyotsu.can.compiler import byte_at, compiled, inlined
from kyotsu.can.frames import CLASSIC_BYTES, FD_BYTES, Flag
from kyotsu.can.mf4_groups import FD_LENGTHS
from kyotsu.can.text_log import (
    BASE_NS,
    BLANK,
    FRAME,
    OWN,
    SEEN,
    STOP_END,
    STOP_PYTHON,
    STOP_WIDER,
    LineReader,
    Outcome,
    TextFormat,
    account,
)
from kyotsu.can.text_scan import (
    LINE_FEED,
    decimal_number,
    digit_at,
    fixed_point,
    hex_number,
    next_line,
    skip_blanks,
    skip_word,
)

COMMENT, HEADER, STATUS, EVENT = 2, 3, 4, 5
BAD_TIME, BAD_ID, BAD_FIELD, BAD_PAYLOAD, BAD_HEADER = 16, 17, 18, 19, 20
OUTCOMES = {
    COMMENT: Outcome("comments"),
    HEADER: Outcome("headers"),
    STATUS: Outcome("states of the bus"),
    EVENT: Outcome("other events"),
    BAD_TIME: Outcome("broken time", "milliseconds such as 2501.000"),
    BAD_ID: Outcome("broken id", "an id of 11 or 29 bits in hexadecimal digits"),
    BAD_FIELD: Outcome("broken field", "a line with all columns of the file's version"),
    BAD_PAYLOAD: Outcome("broken payload", "a length and as many bytes of two hexadecimal digits"),
    BAD_HEADER: Outcome("broken header", "version 1.0 to 2.1, a date in days, or known columns"),
}

# What the columns are, in the memory from COLUMNS on.
COLUMNS, MOST_COLUMNS = OWN, 16
END, NUMBER, TIME, TYPE, BUS, ID, DIRECTION, RESERVED, LENGTH, CODE, BYTES = range(11)
_MEANING = {
    "N": NUMBER,
    "O": TIME,
    "T": TYPE,
    "B": BUS,
    "I": ID,
    "d": DIRECTION,
    "R": RESERVED,
    "l": LENGTH,
    "L": CODE,
    "D": BYTES,
}
_COLUMNS = {"1.0": "N,O,I,L,D", "1.1": "N,O,T,I,L,D", "1.2": "N,O,B,T,I,L,D", "1.3": "N,O,B,T,I,R,L,D",
            "2.0": "N,O,T,I,d,l,D", "2.1": "N,O,T,B,I,d,R,L,D"}  # fmt: skip

NS_PER_MS, US_PER_DAY = 1_000_000, 86_400_000_000
ID_BITS = 0x1FFF_FFFF
LENGTH_OF_CODE = np.array(FD_LENGTHS, dtype=np.int64)
EXTENDED, REMOTE, ERROR, FD = int(Flag.EXTENDED), int(Flag.REMOTE), int(Flag.ERROR), int(Flag.FD)
SWITCH, STATE, SENT = int(Flag.BIT_RATE_SWITCH), int(Flag.ERROR_STATE), int(Flag.SENT)


@compiled
def read_lines(
    text: Any, at: int, end: int, frames: Any, filled: int, memory: Any, names: Any, counts: Any, damages: Any
) -> tuple[int, int, int]:
    """The kernel, see `kyotsu.can.text_log`."""
    stop = STOP_END
    while at < end and filled < frames.time.size:
        code = _read_line(text, at, frames, filled, memory)
        if code < STOP_END:
            stop = code
            break
        account(code, at, memory, counts, damages)
        if code == FRAME:
            filled += 1
        else:
            for index in range(frames.payload.shape[1]):
                frames.payload[filled, index] = 0
        at = next_line(text, at)
    return at, filled, stop


@inlined
def _read_line(text: Any, start: int, frames: Any, row: int, memory: Any) -> int:
    at = skip_blanks(text, start)
    if byte_at(text, at) == LINE_FEED:
        return BLANK
    if byte_at(text, at) == 59:  # ";"
        return STOP_PYTHON if memory[SEEN] == 0 or byte_at(text, at + 1) == 36 else COMMENT
    if memory[SEEN] == 0:
        return STOP_PYTHON
    frames.bus[row] = 1
    frames.flags[row] = 0
    frames.length[row] = 0
    length = 0
    for column in range(MOST_COLUMNS):
        meaning = memory[COLUMNS + column]
        at = skip_blanks(text, at)
        if meaning in (BYTES, END):
            return _read_bytes(text, at, frames, row, length, start)
        if byte_at(text, at) == LINE_FEED:
            return BAD_FIELD
        if meaning == ID and frames.flags[row] & ERROR:
            frames.frame_id[row] = 0
            return FRAME
        code, length = _read_field(text, at, meaning, frames, row, memory, length)
        if code != FRAME:
            return code
        at = skip_word(text, at)
    return BAD_FIELD


@inlined
def _read_field(text: Any, at: int, meaning: int, frames: Any, row: int, memory: Any, length: int) -> tuple[int, int]:
    """One field before the bytes: its code, and the length as far as known."""
    if meaning == TIME:
        value, after, good = fixed_point(text, at, NS_PER_MS)
        if not good or byte_at(text, after) > 32 or value > 4_000_000_000_000_000_000:
            return BAD_TIME, length
        frames.time[row] = memory[BASE_NS] + value
    elif meaning == TYPE:
        return _read_type(text, at, frames, row), length
    elif meaning == DIRECTION:
        if byte_at(text, at) == 84:  # "Tx"
            frames.flags[row] |= SENT
    elif meaning == ID:
        value, after, digits = hex_number(text, at)
        if digits == 8 and value == 0xFFFF_FFFF:
            return STATUS, length
        if digits == 0 or digits > 8 or value > (ID_BITS if digits > 4 else 0x7FF) or byte_at(text, after) > 32:
            return BAD_ID, length
        frames.frame_id[row] = value
        frames.flags[row] |= EXTENDED if digits > 4 else 0
    elif meaning in (BUS, LENGTH, CODE):
        value, after, digits = decimal_number(text, at)
        if digits == 0 or byte_at(text, after) > 32 or value > (255 if meaning == BUS else FD_BYTES):
            return BAD_FIELD, length
        if meaning == BUS:
            frames.bus[row] = value
        elif meaning == LENGTH:
            return FRAME, value
        elif frames.flags[row] & FD:
            return (FRAME if value < LENGTH_OF_CODE.size else BAD_FIELD), LENGTH_OF_CODE[min(value, 15)]
        else:
            return FRAME, min(value, CLASSIC_BYTES)
    return FRAME, length


@inlined
def _read_type(text: Any, at: int, frames: Any, row: int) -> int:
    """The type: `Rx`, `Tx`, `Warng` and `Error` in versions 1, two capitals in versions 2."""
    first, second = byte_at(text, at), byte_at(text, at + 1)
    if second == 120:  # "Rx", "Tx"
        frames.flags[row] |= SENT if first == 84 else 0
    elif first == 69 and (second == 82 or second == 114):  # "ER", "Error"
        frames.flags[row] |= ERROR
    elif first == 82 and second == 82:  # "RR"
        frames.flags[row] |= REMOTE
    elif first == 70 and second == 68:  # "FD"
        frames.flags[row] |= FD
    elif first == 70 and second == 66:  # "FB"
        frames.flags[row] |= FD | SWITCH
    elif first == 70 and second == 69:  # "FE"
        frames.flags[row] |= FD | SWITCH | STATE
    elif first == 66 and second == 73:  # "BI"
        frames.flags[row] |= FD | STATE
    elif (first == 83 and second == 84) or first == 87:  # "ST", "Warng"
        return STATUS
    elif first != 68 or second != 84:  # "DT"
        return EVENT
    return FRAME


@inlined
def _read_bytes(text: Any, at: int, frames: Any, row: int, length: int, start: int) -> int:
    if frames.flags[row] & REMOTE:
        return FRAME
    if byte_at(text, at) == 82 and byte_at(text, at + 1) == 84:  # "RTR"
        frames.flags[row] |= REMOTE
        return FRAME
    if length > frames.payload.shape[1]:
        return STOP_WIDER
    for index in range(length):
        high = digit_at(text, at)
        if high > 15 or digit_at(text, at + 1) > 15 or byte_at(text, at + 2) > 32:
            return BAD_PAYLOAD
        frames.payload[row, index] = high * 16 + digit_at(text, at + 1)
        at = skip_blanks(text, at + 2)
    frames.length[row] = length
    return FRAME


_START = re.compile(
    r"start time:\s*(\d{1,2})\.(\d{1,2})\.(\d{4})\s+(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,3}))?", re.IGNORECASE
)
EPOCH, DAY_ZERO = datetime(1970, 1, 1, tzinfo=UTC), datetime(1899, 12, 30, tzinfo=UTC)


class TrcLines(LineReader):
    """Lines of one log, with its version, columns and start."""

    kernel = staticmethod(read_lines)
    outcomes = OUTCOMES
    version = "1.0"
    columns = ""

    def see(self, line: bytes, stop: int) -> int:
        """Take in a header, or the columns before the first frame."""
        words = line.decode("utf-8", "replace").strip()
        if not words.startswith(";"):
            self.memory[SEEN] = 1
            columns = (self.columns or _COLUMNS[self.version]).split(",")
            self.memory[COLUMNS : COLUMNS + len(columns)] = [_MEANING[name] for name in columns]
            return STOP_END
        name, _, value = words.partition("=")
        if name == ";$FILEVERSION":
            self.version = value.strip() if value.strip() in _COLUMNS else self.version
            return HEADER if value.strip() in _COLUMNS else BAD_HEADER
        if name == ";$COLUMNS":
            columns = [column.strip() for column in value.split(",")]
            if not {"O", "I"} <= set(columns) <= set(_MEANING) or len(columns) >= MOST_COLUMNS:
                return BAD_HEADER
            self.columns = ",".join(columns)
            return HEADER
        if name == ";$STARTTIME":
            return self._begin_by_days(value)
        return self._begin_by_date(words) if self.memory[SEEN] == 0 else COMMENT

    def _begin_by_days(self, value: str) -> int:
        """Days since 1899-12-30, with a fraction."""
        try:
            days = Decimal(value.strip())
            if not 25_569 <= days < 100_000:  # from 1970 to 2173
                return BAD_HEADER
            self._begin(DAY_ZERO + timedelta(microseconds=round(days * US_PER_DAY)))
        except (InvalidOperation, ValueError):
            return BAD_HEADER
        return HEADER

    def _begin_by_date(self, words: str) -> int:
        """The start in words, all that version 1.0 has."""
        found = _START.search(words)
        if found is None or self.version != "1.0" or not 1970 <= int(found[3]) < 2200:
            return COMMENT
        day, month, year, hour, minute, second = (int(part) for part in found.groups()[:6])
        milliseconds = int((found[7] or "0").ljust(3, "0"))
        try:
            self._begin(datetime(year, month, day, hour, minute, second, milliseconds * 1000, UTC))
        except ValueError:
            return BAD_HEADER
        return HEADER

    def _begin(self, start: datetime) -> None:
        nanoseconds = (start - EPOCH) // timedelta(microseconds=1) * 1000
        self.memory[BASE_NS] = self.ledger.begin(nanoseconds, "local")


_LOOK = re.compile(
    rb"^(?:;\$FILEVERSION=|;.*(?:PCAN|PEAK-)|\s*\d+\)\s+\d+(?:\.\d+)?\s+(?:\d\s+)?(?:[RT]x\s+)?[0-9A-F]{4,8}\s)",
    re.MULTILINE,
)

TRC = TextFormat("TRC", (".trc",), lambda head: bool(_LOOK.search(head)), TrcLines)
