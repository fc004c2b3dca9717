"""The other direction: what is asked of an actuator becomes a signal on the bus, or is refused with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kyotsu.can.mapping import Condition, SignalMapping
from kyotsu.can.mapping_links import (
    LinkedCondition,
    LinkedWrite,
    Place,
    Unknown,
    find_signal,
    physical_limits,
    raw_ranges,
)
from kyotsu.can.matrix import Matrix, RawRange, Signal
from kyotsu.can.vss_units import SAME, conversion, is_no_unit
from kyotsu.errors import Location, Problem
from kyotsu.spec.vss import VssSignal, VssTree


def link_write(
    mapping: SignalMapping, index: int, matrix: Matrix, tree: VssTree
) -> tuple[LinkedWrite | None, list[Problem]]:
    """A write rule of a mapping without names, if it is sound; and what is wrong with it."""
    linker = _WriteLinker(mapping, index, matrix, tree)
    write = linker.link()
    return write, [*linker.problems, *linker.warnings]


class _WriteLinker:
    """Links one write rule and gathers what is wrong with it."""

    def __init__(self, mapping: SignalMapping, index: int, matrix: Matrix, tree: VssTree) -> None:
        self.mapping, self.index, self.matrix, self.tree = mapping, index, matrix, tree
        self.rule = mapping.writes[index]
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def wrong(self, key: tuple[str | int, ...], found: str, expected: str, action: str) -> None:
        place: Location = self.mapping.locate("write", self.index, *key)
        self.problems.append(Problem(place, found, expected, action))

    def link(self) -> LinkedWrite | None:
        rule, signal = self.rule, self.tree.signals.get(self.rule.path)
        if signal is None:
            near = ", ".join(self.tree.nearest(rule.path)) or "an actuator"
            expected = f"a signal of {self.tree.name}, such as {near}"
            self.wrong(("path",), f"{rule.path}, no signal of the catalogue", expected, "Correct the path.")
        elif signal.kind != "actuator":
            found = f"{rule.path}, which is a {signal.kind}"
            self.wrong(("path",), found, "an actuator", "Map it with [[signal]]: only actuators are set.")
        elif signal.is_array:
            self.wrong(
                ("path",), f"{rule.path} of datatype {signal.datatype}", "a signal of one value", "Leave it out."
            )
        place = self.place(rule.target, ("to",))
        conditions = [self.condition(position, item) for position, item in enumerate(rule.only_when)]
        if self.problems or signal is None or place is None:
            return None
        factor, offset = self.way(signal, place.signal)
        low, high = signal.limits
        write = LinkedWrite(
            rule,
            self.index,
            signal,
            place,
            factor,
            offset,
            self.translations(signal, place.signal),
            tuple(item for item in conditions if item is not None),
            self.others(place),
            low if rule.minimum is None else max(low, rule.minimum),
            high if rule.maximum is None else min(high, rule.maximum),
        )
        self.compare_ranges(write)
        return None if self.problems else write

    def place(self, reference: str, key: tuple[str | int, ...]) -> Place | None:
        place = find_signal(self.matrix, reference)
        if isinstance(place, Unknown):
            self.wrong(key, place.found, place.expected, "Correct the name.")
            return None
        return place

    def condition(self, position: int, item: Condition) -> LinkedCondition | None:
        place = self.place(item.source, ("only_when", position, "from"))
        if place is None:
            return None
        ranges: list[RawRange] = []
        for text in item.equals:
            found = raw_ranges(place.signal, text)
            if isinstance(found, Unknown):
                self.wrong(("only_when", position, "equals"), found.found, found.expected, "Correct it.")
            else:
                ranges += found
        low = float("-inf") if item.minimum is None else item.minimum
        return LinkedCondition(place, tuple(ranges), low, float("inf") if item.maximum is None else item.maximum)

    def way(self, signal: VssSignal, target: Signal) -> tuple[float, float]:
        """Factor and offset from VSS's unit to the physical value on the bus."""
        rule, way = self.rule, SAME
        if not rule.values and signal.is_number and signal.unit is not None and not self.mapping.in_catalogue_units:
            unit = rule.unit or (None if is_no_unit(target.unit) else target.unit)
            if unit is None:
                found, expected = "no unit, neither here nor in the matrix", f"one that {signal.unit} can become"
                self.wrong(("to",), found, expected, 'Add unit = "...".')
            elif (known := conversion(signal.unit, unit)) is None:
                expected = f"one that {signal.unit}, the unit of {signal.path}, can become"
                self.wrong(("unit",) if rule.unit else ("to",), f"unit {unit!r}", expected, "State the unit.")
            else:
                way = known
        return way.factor * rule.scale, way.offset * rule.scale + rule.offset

    def translations(self, signal: VssSignal, target: Signal) -> tuple[tuple[bool | float | str, float], ...]:
        """Each VSS value with the physical value that says it on the bus."""
        result: list[tuple[bool | float | str, float]] = []
        for text, said in self.rule.values.items():
            value = vss_value(signal, text)
            if value is None or (signal.allowed and value not in signal.allowed):
                allowed = ", ".join(map(str, signal.allowed[:12])) or f"a value of datatype {signal.datatype}"
                self.wrong(("values", text), f"value {text!r} of {signal.path}", allowed, "Correct the value.")
                continue
            physical = self.said(target, said, ("values", text))
            if physical is not None:
                result.append((value, physical))
        if signal.datatype == "string" and not self.rule.values:
            self.wrong(("path",), f"{signal.path}, a text", "values = { text = raw }", "Say what each text becomes.")
        missing = [str(value) for value in signal.allowed if value not in [known for known, _ in result]]
        if missing and self.rule.values:
            found = f"no raw value for {', '.join(missing[:6])}"
            place = self.mapping.locate("write", self.index, "values")
            expected, action = f"one for each value that {signal.path} allows", "Add them, or let them be refused."
            self.warnings.append(Problem(place, found, expected, action, "warning"))
        return tuple(result)

    def said(self, target: Signal, said: int | float | str, key: tuple[str | int, ...]) -> float | None:
        """The physical value of a raw value or label; a float is physical already."""
        if isinstance(said, float):
            return said
        ranges = raw_ranges(target, said)
        if isinstance(ranges, Unknown) or ranges[0][0] != ranges[0][1]:
            found = ranges.found if isinstance(ranges, Unknown) else f"{said!r}, several raw values"
            expected = ranges.expected if isinstance(ranges, Unknown) else "one raw value or label"
            self.wrong(key, found, expected, "Correct it.")
            return None
        return ranges[0][0] * target.scale + target.offset

    def others(self, place: Place) -> tuple[tuple[str, float], ...]:
        result = []
        for name, said in self.rule.with_signals.items():
            other = place.message.by_name.get(name.removeprefix(f"{place.message.name}."))
            if other is None or other is place.signal:
                found = f"signal {name!r}" if other is None else f"{name}, the signal that is set"
                self.wrong(("with", name), found, f"another signal of {place.message.name}", "Correct the name.")
                continue
            physical = self.said(other, said, ("with", name))
            if physical is not None:
                result.append((other.name, physical))
        return tuple(result)

    def compare_ranges(self, write: LinkedWrite) -> None:
        if write.translations or write.signal.datatype == "string":
            return
        low, high = physical_limits(write.place.signal)
        ends = [(end - write.offset) / write.factor for end in (low, high)]
        if min(ends) > write.maximum or max(ends) < write.minimum:
            found = f"{write.place} from {low:g} to {high:g}"
            expected = (
                f"a range that holds some value from {write.minimum:g} to {write.maximum:g} of {write.signal.path}"
            )
            self.wrong(("to",), found, expected, "Correct unit or scale.")


def vss_value(signal: VssSignal, text: str) -> bool | float | str | None:
    """A VSS value written as a key: `None` where it is none of the signal's datatype."""
    if signal.datatype == "boolean":
        return {"true": True, "false": False, "1": True, "0": False}.get(text.lower())
    if signal.datatype == "string":
        return text
    try:
        return float(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class BusWrite:
    """What goes onto the bus for an actuator's value.

    Attributes:
        message: name of the message.
        values: physical values by signal, the asked one and those that the mapping sets with it.
    """

    message: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an actuator's value does not go onto the bus."""

    path: str
    reason: str


LastValue = Callable[[Place], float | None]  # the physical value that the bus said last; None: nothing yet, or invalid


class Writer:
    """Sets actuators: one call for each value that is asked.

    Args:
        writes: the linked write rules of a mapping.
    """

    def __init__(self, writes: tuple[LinkedWrite, ...]) -> None:
        self._writes = {write.signal.path: write for write in writes}

    @property
    def paths(self) -> tuple[str, ...]:
        """The actuators that can be set."""
        return tuple(self._writes)

    def write(self, path: str, value: bool | float | str, last: LastValue) -> BusWrite | Refusal:
        """What to send for this value, or why it must not be sent. `last` tells what the bus said last."""
        write = self._writes.get(path)
        if write is None:
            return Refusal(path, "no write entry in the mapping")
        for condition in write.conditions:
            said = last(condition.place)
            if said is None or not holds(condition, said):
                state = "unknown" if said is None else f"{said:g}"
                return Refusal(path, f"{condition.place} is {state}")
        physical = self._physical(write, value)
        if isinstance(physical, Refusal):
            return physical
        signal = write.place.signal
        low, high = physical_limits(signal)
        if not low <= physical <= high:
            return Refusal(path, f"{value} becomes {physical:g} {signal.unit}, beyond {low:g} to {high:g} on the bus")
        return BusWrite(write.place.message.name, {**dict(write.others), signal.name: physical})

    def _physical(self, write: LinkedWrite, value: bool | float | str) -> float | Refusal:
        path = write.signal.path
        if write.translations:
            for known, physical in write.translations:
                if type(known) is type(value) and known == value:
                    return physical
                if not isinstance(known, str | bool) and not isinstance(value, str | bool) and known == value:
                    return physical
            return Refusal(path, f"{value!r} is none of the values that the mapping translates")
        if isinstance(value, str):
            return Refusal(path, f"{value!r} is no number")
        if not write.minimum <= value <= write.maximum:
            return Refusal(path, f"{value} is outside {write.minimum:g} to {write.maximum:g}")
        return float(value) * write.factor + write.offset


def holds(condition: LinkedCondition, physical: float) -> bool:
    """Whether a condition holds at this physical value of its signal."""
    if not condition.ranges:
        return condition.minimum <= physical <= condition.maximum
    signal = condition.place.signal
    raw = physical if signal.is_float else round((physical - signal.offset) / signal.scale)
    return any(low <= raw <= high for low, high in condition.ranges)
