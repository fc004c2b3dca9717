"""Comparing what a part offers with what a slot requires.

A `Side` reads values of one record by path and remembers their origin; a `Case` holds the two sides of a
check and turns a rule ("at least", "the same", "covers") into an `Outcome`. Values that nobody stated
make the outcome unknown, with the fields to ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from kyotsu.spec.finding import Outcome, Verdict, weakest
from kyotsu.spec.record import Record, Status
from kyotsu.units import suffix_of

_SYMBOLS = {
    "v": "V", "a": "A", "ah": "Ah", "kw": "kW", "w": "W", "kwh": "kWh", "nm": "N m", "km_h": "km/h",
    "c": "°C", "ohm": "Ω", "mohm": "mΩ", "ohm_per_v": "Ω/V", "mega_ohm": "MΩ", "kn": "kN", "kpa": "kPa",
    "l_min": "l/min", "uf": "µF", "nf": "nF", "ma": "mA", "mv": "mV", "kbit_s": "kbit/s", "k": "K",
    "k_per_w": "K/W", "mm2": "mm²", "j": "J", "db": "dB", "pct": "%", "deg": "°", "a2s": "A²s", "n": "N",
}  # fmt: skip


ACRONYMS = frozenset({"asil", "dc", "emc", "emf", "hv", "ip", "lv", "reess"})


@lru_cache(maxsize=4096)  # of the fields that there are; asked for at every comparison
def symbol(path: str) -> str:
    """The unit of a field as engineers write it: `V` for `electrical.voltage_max_v`."""
    suffix = suffix_of(path.rpartition(".")[2]) or ""
    return _SYMBOLS.get(suffix, suffix)


def shown(value: object) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, tuple):
        return ", ".join(shown(item) for item in value) or "none"
    return str(value)


def quantity(value: object, unit: str) -> str:
    """A value with its unit, if it has one."""
    return f"{shown(value)} {unit}" if unit else shown(value)


def sentence(text: str) -> str:
    """A text with its first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=4096)
def words(path: str) -> str:
    """A field as words, without its unit: `voltage max` for `electrical.voltage_max_v`."""
    name = path.rpartition(".")[2]
    suffix = suffix_of(name)
    parts = (name.removesuffix(f"_{suffix}") if suffix else name).split("_")
    return " ".join(part.upper() if part in ACRONYMS else part for part in parts)


class Value(NamedTuple):
    """A value that was read: its field, what stands there (`None`: unknown) and its origin."""

    field: str
    content: Any
    status: Status | None

    @property
    def number(self) -> float:
        """The content as a number; only for values that are known."""
        return float(self.content)


@dataclass(frozen=True)
class Side:
    """One record in a comparison, with the word that names it: `battery_module`, `battery_bay`..."""

    word: str
    record: Record
    label: str

    def __call__(self, path: str) -> Value:
        """The value at a dotted path."""
        current: Any = self.record
        for name in path.split("."):
            current = getattr(current, name)
            if current is None:
                break
        source = self.record.source_of(path)
        return Value(f"{self.word}.{path}", current, source.status if source else None)


def unknown(values: Iterable[Value], what: str) -> Outcome | None:
    """An unknown outcome when any of the values is not stated, else `None`."""
    missing = tuple(value.field for value in values if value.content is None)
    if not missing:
        return None
    return Outcome(
        Verdict.UNKNOWN,
        f"{what} cannot be judged: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not stated.",
        missing=missing,
        action=f"Ask for {', '.join(missing)}.",
    )


@dataclass(frozen=True)
class Rule:
    """How two known values compare; `margin` says how far the offer is inside the requirement."""

    text: str
    margin: Callable[[float, float], float]


AT_LEAST = Rule("at least", lambda offered, required: offered - required)
AT_MOST = Rule("at most", lambda offered, required: required - offered)


def compare(
    offered: Value, rule: Rule, required: Value, *, action: str = "", tolerance: float = 0.0, what: str = ""
) -> Outcome:
    """A numeric comparison: inside passes, outside by no more than `tolerance` is conditional, else fails.

    With an `action` and an infinite tolerance the outcome is conditional however far outside.
    """
    name = what or words(offered.field)
    missing = unknown((offered, required), sentence(name))
    if missing:
        return missing
    unit = symbol(required.field)
    margin = rule.margin(offered.number, required.number)
    inside = margin >= -1e-9 * max(abs(required.number), 1.0)
    verdict = Verdict.PASS if inside else Verdict.CONDITIONAL if margin >= -tolerance else Verdict.FAIL
    return Outcome(
        verdict,
        f"{sentence(name)}: {quantity(offered.content, unit)} offered, {rule.text} "
        f"{quantity(required.content, unit)} required.",
        shown(offered.content),
        f"{rule.text} {shown(required.content)}",
        margin,
        unit,
        "" if inside else action,
        status=weakest((offered.status, required.status)),
    )


def same(offered: Value, required: Value, *, action: str = "", what: str = "") -> Outcome:
    """Equality of two named things; a difference is conditional when an action can bridge it."""
    name = what or words(offered.field)
    missing = unknown((offered, required), sentence(name))
    if missing:
        return missing
    equal, unit = offered.content == required.content, symbol(required.field)
    verdict = Verdict.PASS if equal else Verdict.CONDITIONAL if action else Verdict.FAIL
    reason = (
        f"{sentence(name)}: both {quantity(offered.content, unit)}."
        if equal
        else f"{sentence(name)}: {quantity(offered.content, unit)} offered, "
        f"{quantity(required.content, unit)} required."
    )
    return Outcome(
        verdict,
        reason,
        shown(offered.content),
        shown(required.content),
        action="" if equal else action,
        status=weakest((offered.status, required.status)),
    )


def one_of(offered: Value, allowed: Value, *, action: str = "", what: str = "") -> Outcome:
    """Membership of a named thing in a list; an absence is conditional when an action can bridge it."""
    name = what or words(offered.field)
    missing = unknown((offered, allowed), sentence(name))
    if missing:
        return missing
    inside = offered.content in allowed.content
    verdict = Verdict.PASS if inside else Verdict.CONDITIONAL if action else Verdict.FAIL
    return Outcome(
        verdict,
        f"{sentence(name)}: {shown(offered.content)} offered, {'one of ' if not inside else 'among '}"
        f"{shown(allowed.content)} {'required' if not inside else 'accepted'}.",
        shown(offered.content),
        f"one of {shown(allowed.content)}",
        action="" if inside else action,
        status=weakest((offered.status, allowed.status)),
    )


def covers(offered: Value, required: Value, *, action: str = "", what: str = "") -> Outcome:
    """Whether a list of offered things holds every required one."""
    name = what or words(offered.field)
    missing = unknown((offered, required), sentence(name))
    if missing:
        return missing
    lacking = tuple(item for item in required.content if item not in offered.content)
    verdict = Verdict.PASS if not lacking else Verdict.CONDITIONAL if action else Verdict.FAIL
    reason = f"{sentence(name)}: " + (
        f"all {len(required.content)} required are offered."
        if not lacking
        else f"{shown(lacking)} required and not offered."
    )
    return Outcome(
        verdict,
        reason,
        shown(offered.content),
        shown(required.content),
        float(-len(lacking)),
        "",
        action if lacking else "",
        status=weakest((offered.status, required.status)),
    )


def stated(value: Value, what: str = "") -> Outcome:
    """Whether a document or declaration exists at all."""
    name = what or words(value.field)
    missing = unknown((value,), sentence(name))
    if missing:
        return missing
    return Outcome(
        Verdict.PASS,
        f"{sentence(name)}: {shown(value.content)}.",
        shown(value.content),
        "stated",
        status=value.status,
    )


def passed(reason: str, *, offered: str = "", required: str = "", status: Status | None = None) -> Outcome:
    """A pass with its reason, for rules that need no numbers."""
    return Outcome(Verdict.PASS, reason, offered, required, status=status)
