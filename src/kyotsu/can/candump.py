"""candump of can-utils: its log files and what it prints on the screen.

    (1637353675.975229) can0 243#00000080A2004000         -L or -l; a last " R" or " T" says who sent it
    (1637353675.975229) can0 18DA10F1##1112233            FD: one digit of flags, 1 bit rate switch, 2 error state
    (1637353675.975229) can0 123#R8                       remote request
    (1637353675.975229) can0 20000004#0008000000000000    error frame: bit 29 set, below it the class of the error
    (2021-09-12 02:48:34.717133)  can0  RX B -  123  [08]  11 22 33 44 55 66 77 88     screen; time and RX by option

Interfaces are numbered by the digits that end their name, `can1` is bus 1; one whose number is taken gets the next
free one. An error frame keeps the class of the error as its id. Lines of the screen without a time get the log's zero.
Times from 1973 on count from 1970 UTC (`-ta`, `-L`), lesser ones from some start; the dates of `-tA` are local time.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from kyotsu.can.compiler import byte_at, compiled, inlined
from kyotsu.can.frames import CLASSIC_BYTES, FD_BYTES, Flag
from kyotsu.can.text_log import (
    BASE_NS,
    BLANK,
    FRAME,
    LINE,
    OWN,
    SEEN,
    STOP_END,
    STOP_NAME,
    STOP_PYTHON,
    STOP_WIDER,
    LineReader,
    Outcome,
    TextFormat,
    account,
)
from kyotsu.can.text_scan import (
    LINE_FEED,
    MOST_SECONDS,
    NO_DIGIT,
    NS_PER_S,
    date_and_time,
    digit_at,
    fixed_point,
    hex_number,
    next_line,
    skip_blanks,
    skip_word,
)

COMMENT, ERROR_TEXT, XL_FRAME = 2, 3, 4
BAD_TIME, BAD_NAME, BAD_ID, BAD_PAYLOAD, BAD_END, TOO_MANY_NAMES = 16, 17, 18, 19, 20, 21
OUTCOMES = {
    COMMENT: Outcome("comments"),
    ERROR_TEXT: Outcome("texts of errors"),
    XL_FRAME: Outcome("CAN XL frames"),
    BAD_TIME: Outcome("broken time", "a time such as (1637353675.975229)"),
    BAD_NAME: Outcome("broken interface", "the name of an interface"),
    BAD_ID: Outcome("broken id", "an id of 3 or 8 hexadecimal digits"),
    BAD_PAYLOAD: Outcome("broken payload", "0 to 8 bytes of two hexadecimal digits, or to 64 in an FD frame"),
    BAD_END: Outcome("something behind the frame", "the end of the line"),
    TOO_MANY_NAMES: Outcome("interface beyond the 255th", "at most 255 interfaces in a log"),
}

# Places of the memory; rows of the names hold a name, at 30 its bus number and at 31 its length.
KNOWN, LAST, NAME_AT, NAME_END = OWN, OWN + 1, OWN + 2, OWN + 3
NAME_BYTES, NUMBER_AT, LENGTH_AT = 30, 30, 31

NS_PER_US, US_PER_S = 1000, 1_000_000
LONGEST_COMMON = 80  # bytes: a time of 10 and 6 digits, a name, an id, 8 bytes of payload

ERROR_BIT, ID_BITS = 0x2000_0000, 0x1FFF_FFFF
EPOCH_FROM = 100_000_000 * NS_PER_S  # an earlier time, before 1973, counts from some start
EXTENDED, REMOTE, ERROR, FD = int(Flag.EXTENDED), int(Flag.REMOTE), int(Flag.ERROR), int(Flag.FD)
SWITCH, STATE, SENT = int(Flag.BIT_RATE_SWITCH), int(Flag.ERROR_STATE), int(Flag.SENT)


@compiled
def read_lines(
    text: Any, at: int, end: int, frames: Any, filled: int, memory: Any, names: Any, counts: Any, damages: Any
) -> tuple[int, int, int]:
    """The kernel, see `kyotsu.can.text_log`."""
    stop = STOP_END
    while at < end and filled < frames.time.size:
        after = _read_common(text, at, end, frames, filled, memory, names)
        if after > 0:
            memory[LINE] += 1
            filled += 1
            at = after
            continue
        code, after = _read_line(text, at, frames, filled, memory, names)
        if code < STOP_END:
            stop = code
            break
        account(code, at, memory, counts, damages)
        if code == FRAME:
            filled += 1
        else:
            _clear(frames, filled)
            after = next_line(text, after)
        at = after
    return at, filled, stop


@inlined
def _read_common(text: Any, start: int, end: int, frames: Any, row: int, memory: Any, names: Any) -> int:
    """The next line, if this one is a sound line of a log file from the interface of the line before; else 0.

    What is wrong with a number shows in bits above its lowest four, which are gathered and looked at once: three
    times as fast as `_read_line`, which reads all other lines.
    """
    if (
        end - start < LONGEST_COMMON
        or byte_at(text, start) != 40
        or byte_at(text, start + 11) != 46
        or memory[SEEN] == 0
    ):
        return 0
    entry, wrong, time, frame_id, length, flags = int(memory[LAST]), 0, 0, 0, 0, 0
    for index in range(1, 18):
        if index != 11:
            digit = byte_at(text, start + index) - 48
            wrong |= digit | (digit + 6)
            time = time * 10 + digit
    at = start + 20
    for index in range(int(names[entry, LENGTH_AT])):
        wrong |= (int(names[entry, index]) ^ byte_at(text, at + index)) << 4
    at += int(names[entry, LENGTH_AT])
    digits = 3 if byte_at(text, at + 4) == 35 else 8
    if (
        byte_at(text, start + 18) != 41
        or byte_at(text, start + 19) != 32
        or byte_at(text, at) != 32
        or byte_at(text, at + 1 + digits) != 35
    ):
        return 0
    for index in range(digits):
        digit = digit_at(text, at + 1 + index)
        wrong |= digit
        frame_id = frame_id * 16 + digit
    at += digits + 2
    while True:
        high, low = digit_at(text, at), digit_at(text, at + 1)
        if high == NO_DIGIT or length == CLASSIC_BYTES:
            break
        wrong |= low
        frames.payload[row, length] = (high * 16 + low) & 255
        length += 1
        at += 2
    if byte_at(text, at) == 32 and (byte_at(text, at + 1) == 82 or byte_at(text, at + 1) == 84):  # " R" or " T"
        flags = SENT if byte_at(text, at + 1) == 84 else 0
        at += 2
    most = 0x7FF if digits == 3 else ID_BITS
    if byte_at(text, at) != LINE_FEED or wrong >> 4 or frame_id > most or time > MOST_SECONDS * US_PER_S:
        return 0
    frames.time[row] = memory[BASE_NS] + time * NS_PER_US
    frames.frame_id[row] = frame_id
    frames.flags[row] = flags | (EXTENDED if digits == 8 else 0)
    frames.bus[row] = names[entry, NUMBER_AT]
    frames.length[row] = length
    return at + 1


@inlined
def _clear(frames: Any, row: int) -> None:
    frames.flags[row] = 0
    for index in range(frames.payload.shape[1]):
        frames.payload[row, index] = 0


@inlined
def _read_line(text: Any, start: int, frames: Any, row: int, memory: Any, names: Any) -> tuple[int, int]:
    """The code of a line, and the start of the next if it is a frame, else a place in the line."""
    at = skip_blanks(text, start)
    if byte_at(text, at) == LINE_FEED:
        return BLANK, at
    if byte_at(text, at) == 35:  # "#"
        return COMMENT, at
    time = int(memory[BASE_NS])
    if byte_at(text, at) == 40:  # "("
        value, at, good = fixed_point(text, at + 1, NS_PER_S)
        if good and byte_at(text, at) == 45:  # "-": a date
            value, at, good = date_and_time(text, skip_blanks(text, start) + 1)
        if not good or byte_at(text, at) != 41:
            return BAD_TIME, at
        time += value
        at = skip_blanks(text, at + 1)
    elif byte_at(text, start) == 9:
        return ERROR_TEXT, at
    if memory[SEEN] == 0:
        return STOP_PYTHON, start
    name_end = skip_word(text, at)
    bus = _bus_of(text, at, name_end, memory, names)
    if bus < 0:
        memory[NAME_AT], memory[NAME_END] = at - start, name_end - start
        return (STOP_NAME if 0 < name_end - at <= NAME_BYTES else BAD_NAME), start
    at = skip_blanks(text, name_end)
    frames.time[row] = time
    frames.bus[row] = bus
    frame_id, id_end, digits = hex_number(text, at)
    if byte_at(text, id_end) == 35:
        return _read_compact(text, id_end + 1, frames, row, frame_id, digits, start)
    return _read_screen(text, at, frames, row, start)


@inlined
def _bus_of(text: Any, at: int, end: int, memory: Any, names: Any) -> int:
    """Number of the interface, or -1 for one not met before."""
    length = end - at
    entry = int(memory[LAST])
    for _ in range(memory[KNOWN]):
        if names[entry, LENGTH_AT] == length:
            same = True
            for index in range(length):
                if names[entry, index] != byte_at(text, at + index):
                    same = False
                    break
            if same:
                memory[LAST] = entry
                return int(names[entry, NUMBER_AT])
        entry += 1
        if entry >= memory[KNOWN]:
            entry = 0
    return -1


@inlined
def _set_id(frames: Any, row: int, frame_id: int, digits: int, flags: int) -> bool:
    """Write id and flags; whether the id is one."""
    if digits == 3:
        if frame_id > 0x7FF:
            return False
    elif digits == 0 or digits > 8 or frame_id > (ERROR_BIT | ID_BITS):
        return False
    else:
        flags |= ERROR if frame_id & ERROR_BIT else EXTENDED
    frames.frame_id[row] = frame_id & ID_BITS
    frames.flags[row] = flags
    return True


@inlined
def _read_compact(text: Any, at: int, frames: Any, row: int, frame_id: int, digits: int, start: int) -> tuple[int, int]:
    """What stands behind `id#`."""
    flags, most = 0, CLASSIC_BYTES
    if byte_at(text, at) == 35:
        digit = digit_at(text, at + 1)
        if digit == NO_DIGIT:
            return (XL_FRAME if byte_at(text, at + 1) == 35 else BAD_PAYLOAD), at
        flags, most = FD, FD_BYTES
        flags |= (SWITCH if digit & 1 else 0) | (STATE if digit & 2 else 0)
        at += 2
    if not _set_id(frames, row, frame_id, digits, flags):
        return BAD_ID, at
    if byte_at(text, at) == 82 or byte_at(text, at) == 114:  # "R"
        frames.flags[row] |= REMOTE
        frames.length[row] = 0
        if digit_at(text, at + 1) != NO_DIGIT:
            at += 1
        return _read_end(text, at + 1, frames, row)
    length, room = 0, min(most, frames.payload.shape[1])
    while True:
        high = digit_at(text, at)
        if high == NO_DIGIT:
            if byte_at(text, at) != 46 or length == 0:
                break
            at += 1  # a point may stand between bytes
            continue
        low = digit_at(text, at + 1)
        if low == NO_DIGIT or length == room:
            return (BAD_PAYLOAD if low == NO_DIGIT or length == most else STOP_WIDER), start
        frames.payload[row, length] = high * 16 + low
        length += 1
        at += 2
    frames.length[row] = length
    if byte_at(text, at) == 95 and digit_at(text, at + 1) != NO_DIGIT:  # "_C": a length code above 8 in a classic frame
        at += 2
    return _read_end(text, at, frames, row)


@inlined
def _read_end(text: Any, at: int, frames: Any, row: int) -> tuple[int, int]:
    """What may stand behind a frame in a log file: who sent it."""
    if byte_at(text, at) > 32:
        return BAD_PAYLOAD, at
    at = skip_blanks(text, at)
    if byte_at(text, at) == 84 or byte_at(text, at) == 116:  # "T"
        frames.flags[row] |= SENT
        at = skip_blanks(text, at + 1)
    elif byte_at(text, at) == 82 or byte_at(text, at) == 114:
        at = skip_blanks(text, at + 1)
    return (FRAME if byte_at(text, at) == LINE_FEED else BAD_END), at + 1


@inlined
def _read_screen(text: Any, at: int, frames: Any, row: int, start: int) -> tuple[int, int]:
    """What stands behind the interface on the screen."""
    flags = 0
    if (byte_at(text, at) == 84 or byte_at(text, at) == 82) and byte_at(text, at + 1) == 88:  # "TX", "RX"
        flags |= SENT if byte_at(text, at) == 84 else 0
        at = skip_blanks(text, at + 2)
        flags |= SWITCH if byte_at(text, at) == 66 else 0  # "B" or "-"
        at = skip_blanks(text, skip_word(text, at))
        flags |= STATE if byte_at(text, at) == 69 else 0  # "E" or "-"
        at = skip_blanks(text, skip_word(text, at))
    frame_id, at, digits = hex_number(text, at)
    if byte_at(text, at) > 32:
        return BAD_ID, at
    at = skip_blanks(text, at)
    if byte_at(text, at) != 91 and byte_at(text, at) != 123:  # "[8]", or "{F}" of a length code
        return BAD_PAYLOAD, at
    length, close = 0, at + 1
    while 48 <= byte_at(text, close) <= 57 and close < at + 4:
        length = length * 10 + byte_at(text, close) - 48
        close += 1
    if byte_at(text, at) == 123:
        length, close = CLASSIC_BYTES, at + 2
    if (byte_at(text, close) != 93 and byte_at(text, close) != 125) or length > FD_BYTES:
        return BAD_PAYLOAD, at
    if close - at == 3 and byte_at(text, at) == 91:  # two digits
        flags |= FD
    if not _set_id(frames, row, frame_id, digits, flags):
        return BAD_ID, at
    return _read_spaced(text, skip_blanks(text, close + 1), frames, row, length, start)


@inlined
def _read_spaced(text: Any, at: int, frames: Any, row: int, length: int, start: int) -> tuple[int, int]:
    """Bytes with blanks between them, or the words for a remote request; what follows is for the eye."""
    frames.length[row] = 0
    if byte_at(text, at) == 114 and byte_at(text, at + 1) == 101:  # "remote request"
        frames.flags[row] |= REMOTE
        return FRAME, next_line(text, at)
    if length > frames.payload.shape[1]:
        return STOP_WIDER, start
    for index in range(length):
        high = digit_at(text, at)
        if high == NO_DIGIT or digit_at(text, at + 1) == NO_DIGIT:
            return BAD_PAYLOAD, at
        frames.payload[row, index] = high * 16 + digit_at(text, at + 1)
        at = skip_blanks(text, at + 2)
    frames.length[row] = length
    if (
        byte_at(text, at) != LINE_FEED and byte_at(text, at) != 39 and byte_at(text, at) != 69
    ):  # "'text'" or "ERRORFRAME"
        return BAD_END, at
    return FRAME, next_line(text, at)


_TIME = re.compile(rb"\s*\((\d+)([-.)])")


class CandumpLines(LineReader):
    """Lines of one log, with its interfaces."""

    kernel = staticmethod(read_lines)
    outcomes = OUTCOMES

    def see(self, line: bytes, stop: int) -> int:
        """Learn the clock from the first frame, an interface from its first line, and read a line with a date."""
        if stop == STOP_NAME:
            return self._learn(line)
        self.memory[SEEN] = 1
        stated = _TIME.match(line)
        if stated and (stated[2] == b"-" or int(stated[1][:11]) * NS_PER_S >= EPOCH_FROM):
            self.memory[BASE_NS] = 0
            self.ledger.clock, self.ledger.start_ns = ("local" if stated[2] == b"-" else "utc"), None
        return STOP_END

    def _learn(self, line: bytes) -> int:
        name = line[int(self.memory[NAME_AT]) : int(self.memory[NAME_END])]
        known = int(self.memory[KNOWN])
        if known == 255:
            return TOO_MANY_NAMES
        digits = re.search(rb"(\d+)$", name)
        wanted = int(digits[1]) if digits and len(digits[1]) < 4 else 0
        number = next(n for n in (wanted, *range(256)) if n < 256 and n not in self.ledger.buses)
        self.ledger.buses[number] = name.decode("ascii", "backslashreplace")
        self.names[known, : len(name)] = np.frombuffer(name, dtype=np.uint8)
        self.names[known, NUMBER_AT], self.names[known, LENGTH_AT] = number, len(name)
        self.memory[KNOWN], self.memory[LAST] = known + 1, known
        return STOP_END


_FRAME = re.compile(
    rb"^\s*(\([-\d:. ]+\)\s+)?\S{1,30}\s+([0-9A-Fa-f]{3,8}##?[0-9A-Fa-fRr]?"
    rb"|([RT]X\s\S\s\S\s+)?[0-9A-Fa-f]{3,8}\s+[\[{][0-9A-F]{1,2}[\]}])",
    re.MULTILINE,
)

CANDUMP = TextFormat("candump", (".log", ".candump", ".txt"), lambda head: bool(_FRAME.search(head)), CandumpLines)
