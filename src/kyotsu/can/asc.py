"""ASC, Vector's text logs: classic and FD frames, error frames and remote requests; all else is counted.

    date Sat Sep 30 03:06:13.191 pm 2017
    base hex  timestamps absolute
    2.501000 1  123x       Rx   d 8 01 A0 0F A6 60 3B D1 40  Length = 273910 BitCount = 141 ID = 418119424x
    2.510001 2  100        Tx   r
    2.511000 1  ErrorFrame
    30.005071 CANFD   2 Rx  300  Name  1 0 8  8 01 02 03 04 05 06 07 08   102203  133   303000 ...

`base dec` makes ids and bytes decimal. With `timestamps relative` each time counts from the line before. The date
states no zone, and its words are of the logger's language; a later trigger block does not move the start. A line `TxRq`
tells of a wish to send and is no frame. Buses are numbered from 1.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
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
    NS_PER_S,
    decimal_number,
    fixed_point,
    hex_number,
    next_line,
    skip_blanks,
    skip_word,
    starts_with,
)

COMMENT, HEADER, REMARK, STATISTICS, STATUS, TRANSPORT, REQUEST, EVENT = range(2, 10)
BAD_TIME, BAD_ID, BAD_CHANNEL, BAD_PAYLOAD, BAD_DATE = range(16, 21)
OUTCOMES = {
    COMMENT: Outcome("comments"),
    HEADER: Outcome("headers"),
    REMARK: Outcome("remarks"),
    STATISTICS: Outcome("statistics"),
    STATUS: Outcome("states of a chip"),
    TRANSPORT: Outcome("messages put together by the logger"),
    REQUEST: Outcome("requests to send"),
    EVENT: Outcome("other events"),
    BAD_TIME: Outcome("broken time", "seconds such as 2.501000"),
    BAD_ID: Outcome("broken id", "an id of 11 bits, or of 29 with an x behind it"),
    BAD_CHANNEL: Outcome("broken channel", "a number from 0 to 255"),
    BAD_PAYLOAD: Outcome("broken payload", "a length and as many bytes"),
    BAD_DATE: Outcome("date not understood", "a date such as Sat Sep 30 03:06:13.191 pm 2017"),
}

IS_DECIMAL, IS_RELATIVE, CLOCK, NOW, HAS_DATE = range(OWN, OWN + 5)  # places of the memory

MOST_NS = 4_000_000_000 * NS_PER_S
ID_BITS = 0x1FFF_FFFF
BIT_REMOTE, BIT_FD = 1 << 4, 1 << 12  # of the flags at the end of a CANFD line
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
        memory[NOW] = memory[CLOCK]
        code = _read_line(text, at, frames, filled, memory)
        if code < STOP_END:
            stop = code
            break
        memory[CLOCK] = memory[NOW]
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
    first = byte_at(text, at)
    if first == LINE_FEED:
        return BLANK
    if first == 47:  # "/"
        return COMMENT
    if not 48 <= first <= 57:
        if (
            starts_with(text, at, b"date ")
            or starts_with(text, at, b"base ")
            or starts_with(text, at, b"begin trigger")
        ):
            return STOP_PYTHON
        return REMARK
    value, at, good = fixed_point(text, at, NS_PER_S)
    time = value + (memory[CLOCK] if memory[IS_RELATIVE] else 0)
    if not good or byte_at(text, at) > 32 or time > MOST_NS:
        return BAD_TIME
    memory[NOW] = time
    frames.time[row] = memory[BASE_NS] + time
    at = skip_blanks(text, at)
    if 48 <= byte_at(text, at) <= 57:
        return _read_classic(text, at, frames, row, memory)
    if starts_with(text, at, b"canfd "):
        return _read_fd(text, skip_blanks(text, at + 5), frames, row, memory, start)
    return STATUS if starts_with(text, at, b"can ") else EVENT


@inlined
def _number(text: Any, at: int, memory: Any) -> tuple[int, int, int]:
    """A number in the base of the log, where it ends, and its digits."""
    value, end, digits = hex_number(text, at)
    if memory[IS_DECIMAL]:
        value, end, digits = decimal_number(text, at)
    return value, end, digits


@inlined
def _read_id(text: Any, at: int, frames: Any, row: int, memory: Any) -> tuple[int, int]:
    """Write the id; the code, EVENT for a word that is none, and where it ends."""
    value, at, digits = _number(text, at, memory)
    is_extended = byte_at(text, at) == 120 or byte_at(text, at) == 88
    at += 1 if is_extended else 0
    if digits == 0 or byte_at(text, at) > 32:
        return EVENT, at
    frames.frame_id[row] = min(value, ID_BITS)
    frames.flags[row] = EXTENDED if is_extended else 0
    return (FRAME if digits < 12 and value <= (ID_BITS if is_extended else 0x7FF) else BAD_ID), at


@inlined
def _read_direction(text: Any, at: int, frames: Any, row: int) -> tuple[int, int]:
    """Note who sent it: the code, and where the word ends."""
    if starts_with(text, at, b"txrq"):
        return REQUEST, at
    if starts_with(text, at, b"tx"):
        frames.flags[row] |= SENT
    elif not starts_with(text, at, b"rx"):
        return EVENT, at
    return FRAME, skip_word(text, at)


@inlined
def _read_classic(text: Any, at: int, frames: Any, row: int, memory: Any) -> int:
    """What begins with a channel."""
    channel, at, digits = decimal_number(text, at)
    if byte_at(text, at) > 32:
        return EVENT
    at = skip_blanks(text, at)
    frames.length[row] = 0
    frames.flags[row] = 0
    is_error = starts_with(text, at, b"errorframe")
    if digits > 3 or channel > 255:
        return BAD_CHANNEL
    frames.bus[row] = channel
    if is_error:
        frames.frame_id[row] = 0
        frames.flags[row] = ERROR
        return FRAME
    if starts_with(text, at, b"statistic"):
        return STATISTICS
    if starts_with(text, at, b"j1939tp"):
        return TRANSPORT
    id_code, at = _read_id(text, at, frames, row, memory)
    if id_code == EVENT:
        return EVENT
    code, at = _read_direction(text, skip_blanks(text, at), frames, row)
    if code != FRAME or id_code != FRAME:
        return code if code != FRAME else id_code
    at = skip_blanks(text, at)
    kind = byte_at(text, at) | 32
    if kind == 114 and byte_at(text, at + 1) <= 32:  # "r"
        frames.flags[row] |= REMOTE
        return FRAME
    if kind != 100 or byte_at(text, at + 1) > 32:  # "d"
        return BAD_PAYLOAD
    length, at, digits = _number(text, skip_blanks(text, at + 1), memory)
    if digits == 0 or length > FD_BYTES:
        return BAD_PAYLOAD
    return _read_bytes(text, at, frames, row, memory, min(length, CLASSIC_BYTES))[0]


@inlined
def _read_bytes(text: Any, at: int, frames: Any, row: int, memory: Any, length: int) -> tuple[int, int]:
    """Write the payload: the code, and where it ends."""
    for index in range(length):
        value, at, digits = _number(text, skip_blanks(text, at), memory)
        if digits == 0 or digits > 3 or value > 255 or byte_at(text, at) > 32:
            return BAD_PAYLOAD, at
        frames.payload[row, index] = value
    frames.length[row] = length
    return FRAME, at


@inlined
def _read_fd(text: Any, at: int, frames: Any, row: int, memory: Any, start: int) -> int:
    """What begins with CANFD, which may tell of a classic frame too."""
    channel, at, digits = decimal_number(text, at)
    if digits == 0 or digits > 3 or channel > 255 or byte_at(text, at) > 32:
        return BAD_CHANNEL
    frames.bus[row] = channel
    frames.length[row] = 0
    frames.frame_id[row] = 0
    frames.flags[row] = 0
    code, at = _read_direction(text, skip_blanks(text, at), frames, row)
    if code != FRAME:
        return code
    sent = frames.flags[row] & SENT
    at = skip_blanks(text, at)
    if starts_with(text, at, b"errorframe"):
        frames.flags[row] |= ERROR | FD
        return FRAME
    code, at = _read_id(text, at, frames, row, memory)
    if code != FRAME:
        return BAD_ID
    flags = frames.flags[row] | sent
    switch, after, digits = decimal_number(text, skip_blanks(text, at))
    if digits == 0 or byte_at(text, after) > 32:  # a name
        switch, after, digits = decimal_number(text, skip_blanks(text, skip_word(text, skip_blanks(text, at))))
    state, at, more = decimal_number(text, skip_blanks(text, after))
    code_of_length, at, code_digits = hex_number(text, skip_blanks(text, at))
    length, at, length_digits = decimal_number(text, skip_blanks(text, at))
    if digits == 0 or more == 0 or code_digits == 0 or length_digits == 0 or length > FD_BYTES:
        return BAD_PAYLOAD
    if length > frames.payload.shape[1]:
        return STOP_WIDER
    code, at = _read_bytes(text, at, frames, row, memory, length)
    form = _form(text, at)
    is_classic = form > 0 and not form & BIT_FD and length <= CLASSIC_BYTES
    if form & BIT_REMOTE or (form <= 0 and length == 0 and code_of_length > 0):
        flags |= REMOTE
    flags |= 0 if is_classic else FD | (SWITCH if switch == 1 else 0) | (STATE if state == 1 else 0)
    frames.flags[row] = flags
    return code


@inlined
def _form(text: Any, at: int) -> int:
    """The flags behind duration and length in bits, 0 where there are none."""
    for _ in range(2):
        at = skip_word(text, skip_blanks(text, at))
    value, at, digits = hex_number(text, skip_blanks(text, at))
    return value if 0 < digits <= 8 and byte_at(text, at) <= 32 else 0


# How months begin in English, German, French, Spanish, Italian and Portuguese.
_MONTHS = (
    ("jan", "ene", "gen"), ("feb", "fév", "fev"), ("mar", "mär", "mrz"), ("apr", "avr", "abr"), ("may", "mai", "mag"),
    ("jun", "juin", "giu"), ("jul", "juil", "lug"), ("aug", "aoû", "aou", "ago"), ("sep", "set"),
    ("oct", "okt", "ott", "out"), ("nov",), ("dec", "dez", "déc", "dic"),
)  # fmt: skip
_DATE = re.compile(
    r"(?P<month>[^\W\d_]+)\.?\s+(?P<day>\d{1,2})\s+(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,9}))?\s*(?P<half>[^\W\d_.]+\.?(?:\s?m\.)?)?\s+(?P<year>\d{4})"
)
_DAY_FIRST = re.compile(r"(\d{1,2})\.?\s+([^\W\d_]+\.?)(\s+\d{1,2}:)")


def date_of(words: str) -> datetime | None:
    """The date that a line states, its local time as if it were UTC; `None` where it cannot be understood."""
    found = _DATE.search(_DAY_FIRST.sub(r"\2 \1\3", words.lower()))
    if found is None:
        return None
    month = next((n for n, names in enumerate(_MONTHS, 1) if found["month"].startswith(names)), 0)
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + (12 if found["half"][0] in "pn" else 0)  # pm, nachm.
    microsecond = int((found["fraction"] or "0").ljust(6, "0")[:6])
    try:
        return datetime(
            int(found["year"]),
            month,
            int(found["day"]),
            hour,
            int(found["minute"]),
            int(found["second"]),
            microsecond,
            UTC,
        )
    except ValueError:
        return None


class AscLines(LineReader):
    """Lines of one log, with its base and its date."""

    kernel = staticmethod(read_lines)
    outcomes = OUTCOMES

    def see(self, line: bytes, stop: int) -> int:
        """Take in a header."""
        try:
            words = line.decode("utf-8")
        except UnicodeDecodeError:
            words = line.decode("cp1252", "replace")
        lower = words.strip().lower()
        if lower.startswith("base"):
            self.memory[IS_DECIMAL] = int(lower.split()[1].startswith("dec")) if len(lower.split()) > 1 else 0
            self.memory[IS_RELATIVE] = int("relative" in lower)
            return HEADER
        is_first_block = lower.startswith("begin") and self.memory[HAS_DATE] < 2
        if not is_first_block and self.memory[HAS_DATE]:
            return HEADER
        if lower.startswith("begin") and len(lower.split()) < 3:  # a block that states no date
            return HEADER
        date = date_of(words)
        if date is None or not 1970 <= date.year < 2200:
            return BAD_DATE
        self.memory[HAS_DATE] = 2 if is_first_block else 1
        nanoseconds = (date - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
        self.memory[BASE_NS] = self.ledger.begin(nanoseconds, "local")
        return HEADER


_LOOK = re.compile(
    rb"^\s*(?:date\s+\S+\s+.*\d{4}|base\s+(?:hex|dec)\s+timestamps"
    rb"|\d+\.\d+\s+(?:CANFD\s+\d|\d+\s+(?:[0-9A-Fa-f]+x?\s+[RT]x|ErrorFrame)))",
    re.MULTILINE | re.IGNORECASE,
)

ASC = TextFormat("ASC", (".asc",), lambda head: bool(_LOOK.search(head)), AscLines)
