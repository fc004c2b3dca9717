"""Numbers as the report prints them: true minus, narrow no-break spaces, units always, a dash for unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import floor, log10
from statistics import median
from typing import Literal

Sense = Literal["better", "worse", "same", "neutral", "unsure", "unknown"]

UNKNOWN = "—"
MINUS = "\u2212"
NEGATIVE = re.compile(r"(?<![^\s(=])-(?=\d)")  # a hyphen before a digit, at the start of a word
NARROW = "\u202f"  # narrow no-break space: between thousands, and between a number and its unit


def number(value: float | None, digits: int = 0) -> str:
    """A number with a fixed count of decimals; a dash when it is not known."""
    if value is None:
        return UNKNOWN
    text = f"{round(value, digits) + 0.0:,.{digits}f}"  # adding 0.0 makes −0 a plain 0
    return text.replace(",", NARROW).replace("-", MINUS)


def signed(value: float | None, digits: int = 0) -> str:
    """A difference: always with its sign, `±0` when nothing is left after rounding."""
    if value is None:
        return UNKNOWN
    rounded = round(value, digits)
    if rounded == 0:
        return "±0"
    return ("+" if rounded > 0 else "") + number(rounded, digits)


def significant(value: float | None, figures: int = 3) -> str:
    """A number with about so many significant figures, for margins of any size."""
    if value is None or abs(value) < 1e-9:
        return number(value)
    return number(value, max(0, figures - 1 - floor(log10(abs(value)))))


def margin(value: float | None, unit: str) -> str:
    """How far inside (+) or outside (−) a requirement; empty when the check has no margin."""
    if value is None:
        return ""
    text = significant(value)
    return with_unit(f"+{text}" if value > 1e-9 else text, unit)


def with_unit(text: str, unit: str) -> str:
    """A number and its unit, kept together."""
    return f"{text}{NARROW}{unit}" if unit and text != UNKNOWN else text


def span(low: float | None, high: float | None, digits: int = 0) -> str:
    """An interval, `153–185`; `≤ 185` where nothing is too low; empty when it is not known."""
    if low is None or high is None:
        return ""
    return f"{number(low, digits)}\u2013{number(high, digits)}" if low > 0.0 else f"≤{NARROW}{number(high, digits)}"


def typeset(text: str) -> str:
    """A text with true minus signs; hyphens inside words, dates and numbers of standards stay."""
    return NEGATIVE.sub(MINUS, text) if "-" in text else text


def sense(change: float | None, better: int) -> Sense:
    """What a rounded change means where `better` is 1 (more is better), −1 (less is) or 0 (neither)."""
    if change is None:
        return "unknown"
    if change == 0:
        return "same"
    if better == 0:
        return "neutral"
    return "better" if change * better > 0 else "worse"


def middle(values: Iterable[float | None]) -> float | None:
    """The median of the values that are known."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def ratio_change(was: float | None, now: float | None) -> float | None:
    """Relative change [%]."""
    return None if was is None or now is None or was == 0 else 100.0 * (now - was) / abs(was)


def tick_step(low: float, high: float, most: int = 8) -> float:
    """The distance of ticks that makes at most `most` steps from `low` to `high`: 1, 2, 2.5 or 5 times 10^n."""
    raw = (high - low) / most
    power = 10.0 ** floor(log10(raw))
    return next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if power * factor >= raw * (1.0 - 1e-9))
