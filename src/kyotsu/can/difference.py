"""Two makers' buses side by side: which signals of the catalogue each gives, how often, how finely, how far.

    kyotsu can diff examples/alliance/makers/honda examples/alliance/makers/nissan

An app runs on both makers' vehicles as far as this table says `both`, and no faster or finer than the coarser of the
two allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from kyotsu.can.maker_bus import Bus
from kyotsu.can.mapping_links import LinkedRule, Place, physical_limits
from kyotsu.spec.vss import VssSignal, VssTree, load_vss

Where = Literal["both", "first", "second"]


@dataclass(frozen=True)
class Offer:
    """How one bus gives a signal.

    Attributes:
        period_ms: between two values: of the message, or the least interval where that is longer; of several messages
            the shortest. `None` where nobody states it.
        resolution: smallest step, in the catalogue's unit; `None` for a value that is translated or not linear.
        minimum, maximum: of what can be said, in the catalogue's unit, within the bounds; `None` likewise.
        inputs: the signals on the bus.
        rule: what is done with them.
        status: of the source of the rule; empty where nobody states one.
        can_write: whether the actuator can be set.
    """

    period_ms: float | None
    resolution: float | None
    minimum: float | None
    maximum: float | None
    inputs: tuple[str, ...]
    rule: str
    status: str
    can_write: bool = False


@dataclass(frozen=True)
class Pair:
    """A signal of the catalogue and how each of two buses gives it; `None` where one does not.

    Attributes:
        signal: of the catalogue.
        first, second: the offers.
        reason: why a bus does not give it, where its mapping says so.
    """

    signal: VssSignal
    first: Offer | None
    second: Offer | None
    reason: str = ""

    @property
    def where(self) -> Where:
        """Who gives it."""
        if self.first is not None and self.second is not None:
            return "both"
        return "first" if self.first is not None else "second"


def offers(bus: Bus) -> dict[str, Offer]:
    """How a bus gives each signal that it gives, by path."""
    writable = {write.signal.path for write in bus.writes}
    result: dict[str, Offer] = {}
    by_index = {rule.index: rule for rule in bus.rules}
    for rule in bus.rules:
        numbers = range(len(rule.targets))
        if rule.selector is not None:
            numbers = sorted({number for _, _, number in rule.selections})  # type: ignore[assignment]
        for number in numbers:
            target = rule.targets[number]
            result[target.path] = _offer(bus, rule, target, by_index, target.path in writable)
    for write in bus.writes:
        if write.signal.path not in result:
            source = bus.mapping.source_of(write.signal.path)
            status = "" if source is None else source.status
            result[write.signal.path] = Offer(None, None, None, None, (str(write.place),), "write", status, True)
    return result


def _offer(bus: Bus, rule: LinkedRule, target: VssSignal, by_index: Mapping[int, LinkedRule], can_write: bool) -> Offer:
    places = tuple(_places(rule, by_index))
    periods = [place.message.cycle_ms for place in places if place.message.cycle_ms]
    period = min(periods) if periods else None
    interval = rule.rule.min_interval_ms
    if interval:
        period = interval if period is None else max(period, interval)
    resolution, minimum, maximum = _precision(rule)
    source = bus.mapping.source_of(target.path)
    names = tuple(dict.fromkeys(str(place) for place in places))
    status = "" if source is None else source.status
    return Offer(period, resolution, minimum, maximum, names, rule.operation, status, can_write)


def _places(rule: LinkedRule, by_index: Mapping[int, LinkedRule]) -> Iterable[Place]:
    """The inputs on the bus, through other rules; linked rules have no circles."""
    for item in rule.inputs:
        if item.place is not None:
            yield item.place
        elif item.rule is not None:
            yield from _places(by_index[item.rule], by_index)


def _precision(rule: LinkedRule) -> tuple[float | None, float | None, float | None]:
    """Smallest step and range of a rule of one quantity, in the catalogue's unit."""
    item = rule.inputs[0]
    if rule.translates or item.place is None or rule.operation not in ("value", "first", "mean", "minimum", "maximum"):
        return None, None, None
    signal, factor = item.place.signal, item.factor * rule.factor
    step = None if signal.is_float else abs(signal.scale * factor)
    if step is not None and rule.targets[0].is_integer:
        step = max(step, 1.0)
    ends = sorted(end * factor + item.offset * rule.factor + rule.offset for end in physical_limits(signal))
    return _short(step), _short(max(ends[0], rule.minimum)), _short(min(ends[1], rule.maximum))


def _short(value: float | None) -> float | None:
    """Without the tail that products of decimal fractions have."""
    return None if value is None else float(f"{value:.10g}")


def difference(first: Bus, second: Bus, tree: VssTree | None = None) -> tuple[Pair, ...]:
    """Every signal that one of two buses gives, in the order of the catalogue."""
    tree = load_vss() if tree is None else tree
    one, other = offers(first), offers(second)
    pairs = []
    for path in sorted(one.keys() | other.keys(), key=list(tree.signals).index):
        reason = ""
        if path not in one:
            reason = _reason(path, first.absences)
        elif path not in other:
            reason = _reason(path, second.absences)
        pairs.append(Pair(tree[path], one.get(path), other.get(path), reason))
    return tuple(pairs)


def _reason(path: str, absences: Mapping[str, str]) -> str:
    """What a mapping says of an absent signal: of itself, or of a branch above it."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        reason = absences.get(".".join(parts[:end]))
        if reason is not None:
            return reason
    return ""
