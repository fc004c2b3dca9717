"""Numbers and words in the bytes of a text log, for compiled kernels.

Every text ends in a line feed, at which each of these stops; so none looks past the end. `text` is an array of bytes
for compiled code and `bytes` for plain Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kyotsu.can.compiler import HAS_COMPILER, byte_at, inlined

NO_DIGIT = 255
LINE_FEED = 10
NS_PER_S = 1_000_000_000
MOST_SECONDS = 9_000_000_000  # the year 2255, the last that [ns] since 1970 hold with room to spare
MOST_DIGITS = 18  # of a decimal number that int64 holds

_digits = bytes(int(chr(code), 16) if chr(code) in "0123456789abcdefABCDEF" else NO_DIGIT for code in range(256))
# The value of each character as a hexadecimal digit, or NO_DIGIT.
DIGITS: Any = np.frombuffer(_digits, dtype=np.uint8) if HAS_COMPILER else _digits


@inlined
def digit_at(text: Any, at: int) -> int:
    """The value of the hexadecimal digit here, or NO_DIGIT."""
    return byte_at(DIGITS, byte_at(text, at))  # type: ignore[no-any-return]


@inlined
def skip_blanks(text: Any, at: int) -> int:
    """The next character that is no blank, tab or carriage return."""
    while byte_at(text, at) == 32 or byte_at(text, at) == 9 or byte_at(text, at) == 13:
        at += 1
    return at


@inlined
def skip_word(text: Any, at: int) -> int:
    """The end of the word that begins here."""
    while byte_at(text, at) > 32:
        at += 1
    return at


@inlined
def next_line(text: Any, at: int) -> int:
    """The first character of the next line."""
    while byte_at(text, at) != LINE_FEED:
        at += 1
    return at + 1


@inlined
def hex_number(text: Any, at: int) -> tuple[int, int, int]:
    """The hexadecimal number that begins here, where it ends, and its digits: at most 15 are of use."""
    value = 0
    digits = 0
    digit = digit_at(text, at)
    while digit != NO_DIGIT:
        if digits < 15:
            value = value * 16 + digit
        digits += 1
        at += 1
        digit = digit_at(text, at)
    return value, at, digits


@inlined
def decimal_number(text: Any, at: int) -> tuple[int, int, int]:
    """The decimal number that begins here, where it ends, and its digits: at most 18 are of use."""
    value = 0
    start = at
    digit = byte_at(text, at) - 48
    while 0 <= digit <= 9:
        if at - start < MOST_DIGITS:
            value = value * 10 + digit
        at += 1
        digit = byte_at(text, at) - 48
    return value, at, at - start


@inlined
def fixed_point(text: Any, at: int, unit: int) -> tuple[int, int, bool]:
    """A number such as `12.0035` in whole parts of `unit` (a power of ten), where it ends, and whether it is one.

    Digits finer than the unit are cut off; a number that int64 cannot hold is none.
    """
    value, at, digits = decimal_number(text, at)
    if digits == 0 or digits > MOST_DIGITS or value > MOST_SECONDS * NS_PER_S // unit:
        return 0, at, False
    if byte_at(text, at) == 46:
        at += 1
        digit = byte_at(text, at) - 48
        while 0 <= digit <= 9:
            if unit > 1:
                unit //= 10
                value = value * 10 + digit
            at += 1
            digit = byte_at(text, at) - 48
    return value * unit, at, True


@inlined
def starts_with(text: Any, at: int, word: Any) -> bool:
    """Whether the word, `bytes` in lower case, begins here in whatever case; it holds no line feed."""
    for index in range(len(word)):
        character = byte_at(text, at + index)
        if 65 <= character <= 90:
            character += 32
        if character != word[index]:
            return False
    return True


@inlined
def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar.

    Howard Hinnant, chrono-Compatible Low-Level Date Algorithms (2013), `days_from_civil`.
    """
    if month <= 2:
        year -= 1
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


@inlined
def date_and_time(text: Any, at: int) -> tuple[int, int, bool]:
    """A moment such as `2021-09-12 02:48:34.717133` in [ns] since 1970, where it ends, and whether it is one."""
    year, at, _ = decimal_number(text, at)
    if byte_at(text, at) != 45 or not 1970 <= year < 2250:
        return 0, at, False
    month, at, _ = decimal_number(text, at + 1)
    if byte_at(text, at) != 45 or not 1 <= month <= 12:
        return 0, at, False
    day, at, _ = decimal_number(text, at + 1)
    if not 1 <= day <= 31:
        return 0, at, False
    hour, at, _ = decimal_number(text, skip_blanks(text, at))
    if byte_at(text, at) != 58 or hour > 23:
        return 0, at, False
    minute, at, _ = decimal_number(text, at + 1)
    if byte_at(text, at) != 58 or minute > 59:
        return 0, at, False
    second, at, good = fixed_point(text, at + 1, NS_PER_S)
    if not good or second > 61 * NS_PER_S:
        return 0, at, False
    minutes = (days_from_civil(year, month, day) * 24 + hour) * 60 + minute
    return minutes * 60 * NS_PER_S + second, at, True
