"""GVRET, the CSV files of SavvyCAN: one frame in a line, the columns by their header.

    Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8
    96291,00000285,false,Rx,0,8,00,00,02,00,00,00,00,00,

Times are whole microseconds since some start, or since 1970 UTC where they are that great. A frame of more than 8 bytes
is taken as CAN FD, which the format does not say.
"""

from __future__ import annotations

import re
from typing import Any

from kyotsu.can.compiler import byte_at, compiled, inlined
from kyotsu.can.frames import CLASSIC_BYTES, FD_BYTES, Flag
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
from kyotsu.can.text_scan import LINE_FEED, decimal_number, hex_number, next_line, skip_blanks

HEADER = 2
BAD_TIME, BAD_ID, BAD_FIELD, BAD_PAYLOAD, BAD_HEADER = 16, 17, 18, 19, 20
OUTCOMES = {
    HEADER: Outcome("headers"),
    BAD_TIME: Outcome("broken time", "whole microseconds"),
    BAD_ID: Outcome("broken id", "an id of hexadecimal digits, at most 7FF or, extended, 1FFFFFFF"),
    BAD_FIELD: Outcome("broken field", "true or false, Rx or Tx, a bus from 0 to 255, a length from 0 to 64"),
    BAD_PAYLOAD: Outcome("broken payload", "as many bytes of one or two hexadecimal digits as LEN says"),
    BAD_HEADER: Outcome("broken header", "columns named as SavvyCAN names them, among them Time Stamp, ID, LEN and D1"),
}

# The memory holds what each column is, from COLUMNS on; the columns from D1 on are bytes.
COLUMNS, MOST_COLUMNS = OWN, 32
OTHER, TIME, ID, IS_EXTENDED, DIRECTION, BUS, LENGTH, BYTES = range(8)
_MEANING = {
    "time stamp": TIME, "id": ID, "extended": IS_EXTENDED, "dir": DIRECTION, "bus": BUS, "len": LENGTH, "d1": BYTES,
}  # fmt: skip

NS_PER_US = 1000
MOST_US = 9_000_000_000_000_000
EPOCH_FROM = 100_000_000_000_000  # [us] an earlier time, before 1973, counts from some start
EXTENDED, FD, SENT = int(Flag.EXTENDED), int(Flag.FD), int(Flag.SENT)


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
    if memory[SEEN] == 0 or byte_at(text, at) == 84 or byte_at(text, at) == 116:  # "Time Stamp"
        return STOP_PYTHON
    frames.flags[row] = 0
    frames.bus[row] = 0
    length = -1
    for column in range(MOST_COLUMNS):
        meaning = memory[COLUMNS + column]
        if meaning == BYTES:
            return _read_bytes(text, at, frames, row, length)
        code, length = _read_field(text, at, meaning, frames, row, memory, length)
        if code != FRAME:
            return code
        while byte_at(text, at) != 44 and byte_at(text, at) != LINE_FEED:
            at += 1
        if byte_at(text, at) == LINE_FEED:
            return FRAME if length == 0 else BAD_PAYLOAD
        at = skip_blanks(text, at + 1)
    return BAD_FIELD


@inlined
def _read_field(text: Any, at: int, meaning: int, frames: Any, row: int, memory: Any, length: int) -> tuple[int, int]:
    """One field before the bytes: its code, and the length as far as known."""
    if meaning == TIME:
        value, at, digits = decimal_number(text, at)
        if digits == 0 or digits > 17 or value > MOST_US:
            return BAD_TIME, length
        frames.time[row] = memory[BASE_NS] + value * NS_PER_US
        return (FRAME if byte_at(text, at) == 44 else BAD_TIME), length
    if meaning == ID:
        value, at, digits = hex_number(text, at)
        if digits == 0 or digits > 8 or value > 0x1FFF_FFFF or byte_at(text, at) != 44:
            return BAD_ID, length
        frames.frame_id[row] = value
        if value > 0x7FF:
            frames.flags[row] |= EXTENDED
    elif meaning == IS_EXTENDED:
        if byte_at(text, at) == 116 or byte_at(text, at) == 84 or byte_at(text, at) == 49:  # "true", "1"
            frames.flags[row] |= EXTENDED
        elif (byte_at(text, at) != 102 and byte_at(text, at) != 70 and byte_at(text, at) != 48) or frames.flags[
            row
        ] & EXTENDED:
            return BAD_FIELD, length
    elif meaning == DIRECTION:
        if byte_at(text, at) == 84 or byte_at(text, at) == 116:
            frames.flags[row] |= SENT
        elif byte_at(text, at) != 82 and byte_at(text, at) != 114:
            return BAD_FIELD, length
    elif meaning in (BUS, LENGTH):
        value, at, digits = decimal_number(text, at)
        if digits == 0 or value > (255 if meaning == BUS else FD_BYTES):
            return BAD_FIELD, length
        if meaning == LENGTH:
            return FRAME, value
        frames.bus[row] = value
    return FRAME, length


@inlined
def _read_bytes(text: Any, at: int, frames: Any, row: int, length: int) -> int:
    if length < 0:
        return BAD_FIELD
    if length > frames.payload.shape[1]:
        return STOP_WIDER
    if length > CLASSIC_BYTES:
        frames.flags[row] |= FD
    for index in range(length):
        value, at, digits = hex_number(text, at)
        if digits == 0 or digits > 2:
            return BAD_PAYLOAD
        frames.payload[row, index] = value
        at = skip_blanks(text, at)
        if byte_at(text, at) == 44:
            at = skip_blanks(text, at + 1)
        elif byte_at(text, at) != LINE_FEED:
            return BAD_PAYLOAD
    frames.length[row] = length
    return FRAME


class GvretLines(LineReader):
    """Lines of one file, with its columns."""

    kernel = staticmethod(read_lines)
    outcomes = OUTCOMES

    def see(self, line: bytes, stop: int) -> int:
        """Learn the columns from a header, and the clock from the first frame."""
        names = [name.strip() for name in line.decode("ascii", "replace").lower().split(",")]
        if names[0].startswith("t"):
            columns = [_MEANING.get(name, OTHER) for name in names[:MOST_COLUMNS]]
            if not {TIME, ID, LENGTH, BYTES} <= set(columns):
                return BAD_HEADER
            self.memory[COLUMNS : COLUMNS + MOST_COLUMNS] = 0
            self.memory[COLUMNS : COLUMNS + len(columns)] = columns
            return HEADER
        self.memory[SEEN] = 1
        if not self.memory[COLUMNS : COLUMNS + MOST_COLUMNS].any():
            return BAD_HEADER
        column = self.memory[COLUMNS : COLUMNS + MOST_COLUMNS].tolist().index(TIME)
        if column < len(names) and names[column].isdigit() and int(names[column][:18]) >= EPOCH_FROM:
            self.memory[BASE_NS] = 0
            self.ledger.clock, self.ledger.start_ns = "utc", None
        return STOP_END


_HEADER = re.compile(rb"^\s*time stamp\s*,\s*id\s*,.*\blen\b.*\bd1\b", re.IGNORECASE | re.MULTILINE)

GVRET = TextFormat("GVRET CSV", (".csv",), lambda head: bool(_HEADER.search(head)), GvretLines)
