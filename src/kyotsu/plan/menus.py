"""Menus: which batteries and e-axles serve a vehicle together, at which cost.

A *menu* is a set of batteries that serve a vehicle with the same drives: whatever battery and drives are taken from one
menu serve together, so that voltage, mass, range and acceleration of the whole are met exactly, and not part by part.

Costs are whole thousands of dollars: an optimum is proven as soon as no whole number lies between it and the bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kyotsu.plan.assortment import BoolArray
from kyotsu.plan.builds import AxleWay, BatteryWay, Ways
from kyotsu.plan.candidates import Candidates
from kyotsu.plan.costs import CostModel
from kyotsu.plan.family import CostParts
from kyotsu.plan.settings import Wish

OWN = "as built"  # the one part that stands for every part a vehicle keeps; it is always open and counts for nothing
THOUSAND = 1000.0  # USD, the unit of costs of a choice


@dataclass(frozen=True, eq=False)
class Offer:
    """A part in a place of a vehicle; `way` says where it comes from."""

    part: int
    cost: float  # thousand USD, whole
    way: BatteryWay | AxleWay


@dataclass(frozen=True, eq=False)
class Menu:
    """Batteries that serve a vehicle with the same drives: one need for the battery, one for each mount."""

    vehicle: int
    needs: tuple[tuple[Offer, ...], ...]


@dataclass(frozen=True)
class Prices:
    """What a vehicle's parts cost over all its units, as parts of the whole and as offers."""

    costs: CostModel
    parts: Candidates

    def of_battery(self, ways: Ways, way: BatteryWay) -> CostParts:
        """A battery in a vehicle, with the findings to settle."""
        ratio = 1.0 if way.module is None else self.parts.cost_ratio.get(way.module.id, 1.0)
        parts = self.costs.battery_parts(ways.base, ways.units, way.module, way.layout, ratio)
        return parts + self.costs.finding_parts(way.fit)

    def of_axle(self, ways: Ways, way: AxleWay) -> CostParts:
        """An e-axle at one mount of a vehicle, with the findings to settle."""
        return self.costs.axle_parts(ways.base, ways.units, way.drive, way.is_own) + self.costs.finding_parts(way.fit)

    def of(self, ways: Ways, way: BatteryWay | AxleWay) -> CostParts:
        """Either of them."""
        return self.of_battery(ways, way) if isinstance(way, BatteryWay) else self.of_axle(ways, way)


def part_of(way: BatteryWay | AxleWay) -> str:
    """The id of a way's part, `OWN` for one that the vehicle keeps."""
    if isinstance(way, AxleWay):
        return OWN if way.is_own else way.drive.eaxle.id
    return OWN if way.module is None else way.module.id


def part_names(ways: Sequence[Ways]) -> tuple[str, ...]:
    """Every candidate that some vehicle could take, and `OWN`."""
    modules = {part_of(way): None for item in ways for way in item.batteries}
    drives = {part_of(way): None for item in ways for axle in item.axles for way in axle}
    return (*(name for name in (modules | drives) if name != OWN), OWN)


def vehicle_menus(
    number: int, ways: Ways, prices: Prices, numbers: Mapping[str, int], wish: Wish | None
) -> Iterator[Menu]:
    """All menus of one vehicle.

    Args:
        number: of the vehicle.
        ways: to build it.
        prices: of parts.
        numbers: index of each part by id.
        wish: what its maker refuses.
    """

    def offer(way: BatteryWay | AxleWay) -> Offer:
        return Offer(numbers[part_of(way)], whole(prices.of(ways, way).total_usd), way)

    def refused(way: BatteryWay | AxleWay) -> bool:
        return wish is not None and part_of(way) != OWN and wish.refuses(part_of(way))

    axles = [[offer(way) for way in axle] for axle in ways.axles]
    allowed = [np.array([not refused(way) for way in axle], dtype=np.bool_) for axle in ways.axles]
    groups: dict[tuple[bytes, ...], tuple[tuple[BoolArray, ...], list[BatteryWay]]] = {}
    for battery in ways.batteries:
        if not refused(battery):
            for sets in _rectangles(battery.serves, allowed):
                groups.setdefault(tuple(one.tobytes() for one in sets), (sets, []))[1].append(battery)
    for sets, batteries in groups.values():
        cheapest: dict[int, Offer] = {}
        for battery in batteries:
            one = offer(battery)
            if one.part not in cheapest or one.cost < cheapest[one.part].cost:
                cheapest[one.part] = one
        needs = [tuple(cheapest.values())]
        for offers, chosen in zip(axles, sets, strict=True):
            needs.append(tuple(offers[index] for index in np.flatnonzero(chosen)))
        yield Menu(number, tuple(needs))


def cheapest_offers(menus: Sequence[Menu], is_open: BoolArray | None) -> tuple[Offer, ...]:
    """The cheapest offers of one of a vehicle's menus among open parts, or among all; battery first, then the mounts.

    The open parts must fill one of the menus.
    """
    best: tuple[float, tuple[Offer, ...]] | None = None
    for menu in menus:
        needs = [[offer for offer in need if is_open is None or is_open[offer.part]] for need in menu.needs]
        if all(needs):
            offers = tuple(min(need, key=lambda offer: offer.cost) for need in needs)
            cost = sum(offer.cost for offer in offers)
            if best is None or cost < best[0]:
                best = cost, offers
    assert best is not None  # an answer builds every vehicle
    return best[1]


def whole(cost_usd: float) -> float:
    """A cost in whole thousands of dollars."""
    return float(round(cost_usd / THOUSAND))


def _rectangles(serves: BoolArray, allowed: Sequence[BoolArray]) -> Iterator[tuple[BoolArray, ...]]:
    """The combinations that serve, as sets of drives of which each goes with each; together they are all of them.

    For two mounts: drives of the first that serve with the same drives of the second.
    """
    if serves.ndim == 1:
        found = serves & allowed[0]
        if found.any():
            yield (found,)
        return
    seconds = serves & allowed[1]
    groups: dict[bytes, BoolArray] = {}
    for first in np.flatnonzero(allowed[0] & seconds.any(axis=1)):
        members = groups.setdefault(seconds[first].tobytes(), np.zeros(serves.shape[0], dtype=np.bool_))
        members[first] = True
    for members in groups.values():
        yield members, seconds[np.argmax(members)]
