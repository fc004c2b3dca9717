"""A standard: versioned constraints, each with its reason, that a part may conform to.

`conformance` judges a part, `diff` says what changed between two versions and which parts that conformed
no longer do. Which standards to adopt is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.record import Fault, Identifier, Number, Record, Table, Text, misplaced, path_exists

Rule = Literal["equal", "at_least", "at_most", "between", "one_of", "stated"]
Part = BatteryModule | EAxle
PART_KINDS: Mapping[str, type[Part]] = {"battery_module": BatteryModule, "eaxle": EAxle}


class Constraint(Table):
    """One rule on one value of a part, and why it is there."""

    field: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
    rule: Rule
    value: Number | Text | bool | None = None
    low: Number | None = None
    high: Number | None = None
    values: tuple[Number | Text, ...] | None = None
    reason: Text

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = {name for name in ("value", "low", "high", "values") if getattr(self, name) is not None}
        wanted = {"between": {"low", "high"}, "one_of": {"values"}, "stated": set()}.get(self.rule, {"value"})
        if given != wanted:
            raise ValueError(
                f'rule = "{self.rule}" on {self.field} takes {", ".join(sorted(wanted)) or "no value"}, '
                f"found {', '.join(sorted(given)) or 'none'}"
            )
        if self.rule in ("at_least", "at_most") and not _is_number(self.value):
            raise ValueError(f'rule = "{self.rule}" on {self.field} needs a number, found {self.value!r}')
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low = {self.low:g} must not exceed high = {self.high:g}")
        return self

    @property
    def text(self) -> str:
        """The rule as a person reads it."""
        return {
            "equal": f"= {_plain(self.value)}",
            "at_least": f">= {_plain(self.value)}",
            "at_most": f"<= {_plain(self.value)}",
            "between": f"{self.low:g} to {self.high:g}" if self.low is not None and self.high is not None else "",
            "one_of": f"one of {', '.join(str(value) for value in self.values or ())}",
            "stated": "stated",
        }[self.rule]

    def holds(self, found: object) -> bool:
        """Whether a known value satisfies the rule."""
        if self.rule == "stated":
            return True
        if self.rule == "equal":
            return bool(found == self.value)
        if self.rule == "one_of":
            return found in (self.values or ())
        if not isinstance(found, (int, float)) or isinstance(found, bool):
            return False
        low, high = self.bounds
        return low <= found <= high

    @property
    def is_numeric(self) -> bool:
        """Whether the rule is about the size of a number."""
        return self.rule in ("at_least", "at_most", "between") or (self.rule == "equal" and _is_number(self.value))

    @property
    def bounds(self) -> tuple[float, float]:
        """The numbers that satisfy the rule: lowest and highest."""
        infinity = float("inf")
        value = float(self.value) if isinstance(self.value, (int, float)) else 0.0
        if self.rule == "at_least":
            return value, infinity
        if self.rule == "at_most":
            return -infinity, value
        if self.rule == "between" and self.low is not None and self.high is not None:
            return self.low, self.high
        if self.rule == "equal" and _is_number(self.value):
            return value, value
        return -infinity, infinity


class Standard(Record):
    """A versioned set of constraints on one kind of part; its full name is `id@version`."""

    version: Annotated[str, Field(pattern=r"^\d+\.\d+$")]
    kind: Literal["battery_module", "eaxle"]
    name: Text
    state: Literal["proposal", "adopted", "withdrawn"]
    owner: Text
    replaces: Identifier | None = None
    notes: Text | None = None
    constraints: Annotated[tuple[Constraint, ...], Field(min_length=1)]

    @property
    def reference(self) -> str:
        """`id@version`."""
        return f"{self.id}@{self.version}"

    @model_validator(mode="after")
    def _fields_exist(self) -> Self:
        fields = [constraint.field for constraint in self.constraints]
        faults = []
        for index, field in enumerate(fields):
            place = ("constraints", index, "field")
            if not path_exists(PART_KINDS[self.kind], field):
                faults.append(Fault(f"field = {field!r}", f"a field of a {self.kind}", place))
            elif field in fields[:index]:
                faults.append(Fault(f"a second constraint on {field!r}", "one for each field", place))
        if faults:
            raise misplaced(faults)
        return self


@dataclass(frozen=True)
class Deviation:
    """A constraint that a part does not meet; `found` is `None` when the part does not state the value."""

    constraint: Constraint
    found: object

    @property
    def unknown(self) -> bool:
        """Whether the part leaves the value open: it may conform, nobody knows."""
        return self.found is None


@dataclass(frozen=True)
class Change:
    """One difference between two versions of a standard."""

    field: str
    kind: Literal["added", "removed", "tightened", "loosened", "changed", "reworded"]
    old: Constraint | None
    new: Constraint | None
    broken: tuple[str, ...] = ()

    @property
    def can_break(self) -> bool:
        """Whether some part that conformed to the old version may fail the new one."""
        return self.kind in ("added", "tightened", "changed")


def value_at(part: Any, path: str) -> object:
    """The value of a part at a dotted path; of a list of tables, the largest (the strongest rating)."""
    current = part
    for name in path.split("."):
        if isinstance(current, tuple):
            current = max((value for item in current if (value := getattr(item, name)) is not None), default=None)
        else:
            current = getattr(current, name)
        if current is None:
            return None
    return current


def conformance(part: Part, standard: Standard) -> list[Deviation]:
    """What keeps a part from conforming to a standard; an empty list means that it conforms."""
    return [
        Deviation(constraint, found)
        for constraint in standard.constraints
        if (found := value_at(part, constraint.field)) is None or not constraint.holds(found)
    ]


def diff(old: Standard, new: Standard, parts: Iterable[Part] = ()) -> list[Change]:
    """What changed from `old` to `new`, and which of `parts` conformed to `old` but break on each change."""
    conforming = [part for part in parts if isinstance(part, PART_KINDS[old.kind]) and not conformance(part, old)]
    before = {constraint.field: constraint for constraint in old.constraints}
    after = {constraint.field: constraint for constraint in new.constraints}
    changes = []
    for field in dict.fromkeys([*before, *after]):
        was, now = before.get(field), after.get(field)
        if was == now:
            continue
        broken = () if now is None else tuple(part.id for part in conforming if _breaks(part, now))
        changes.append(Change(field, _kind_of_change(was, now), was, now, broken))
    return changes


def _breaks(part: Part, constraint: Constraint) -> bool:
    found = value_at(part, constraint.field)
    return found is None or not constraint.holds(found)


def _kind_of_change(
    was: Constraint | None, now: Constraint | None
) -> Literal["added", "removed", "tightened", "loosened", "changed", "reworded"]:
    if was is None:
        return "added"
    if now is None:
        return "removed"
    if was.model_copy(update={"reason": now.reason}) == now:
        return "reworded"
    if was.rule == "one_of" and now.rule == "one_of":
        old_values, new_values = set(was.values or ()), set(now.values or ())
        if new_values == old_values:
            return "reworded"
        if new_values < old_values:
            return "tightened"
        return "loosened" if new_values > old_values else "changed"
    if now.rule == "stated":
        return "loosened"
    if was.rule == "stated":
        return "tightened"
    (old_low, old_high), (new_low, new_high) = was.bounds, now.bounds
    if was.is_numeric and now.is_numeric and (old_low, old_high) != (new_low, new_high):
        if new_low >= old_low and new_high <= old_high:
            return "tightened"
        if new_low <= old_low and new_high >= old_high:
            return "loosened"
    return "changed"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
