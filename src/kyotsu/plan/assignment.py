"""From sets of open parts to plans: which vehicle takes what, what that costs, and what the build then does."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from kyotsu.plan.assortment import BoolArray
from kyotsu.plan.builds import AxleWay, BatteryWay, Ways
from kyotsu.plan.candidates import Candidates
from kyotsu.plan.duty import limits_of
from kyotsu.plan.evaluate import build_of, figures_of, judged
from kyotsu.plan.family import (
    Assignment,
    AxleChoice,
    BatteryChoice,
    CostParts,
    Kind,
    StandardChoice,
)
from kyotsu.plan.menus import OWN, THOUSAND, Menu, Offer, Prices, cheapest_offers, part_of
from kyotsu.spec.build import Build
from kyotsu.spec.finding import Verdict, weakest
from kyotsu.spec.fit import Fit

KINDS: tuple[Kind, Kind] = ("battery_module", "eaxle")
Taken = tuple[tuple[Offer, ...], ...]  # the offers of each vehicle, battery first


@dataclass(frozen=True, eq=False)
class Proofs:
    """What builds do, each simulated once however often it is chosen."""

    known: dict[Hashable, dict[str, float]] = field(default_factory=dict, repr=False)

    def of(self, builds: Sequence[Build]) -> list[dict[str, float]]:
        """Figures of each build, by the names of `duty.FIGURES`; those not known yet are simulated together."""
        keys = [_key(build) for build in builds]
        new = {key: build for key, build in zip(keys, builds, strict=True) if key not in self.known}
        if new:
            self.known.update(zip(new, figures_of([*new.values()]), strict=True))
        return [self.known[key] for key in keys]


def _key(build: Build) -> Hashable:
    drives = ((drive.eaxle.id, drive.rating.id) for drive in build.drives)
    return (build.vehicle_name, build.kind, build.pack.name, build.pack.energy_kwh, *drives)


@dataclass(frozen=True, eq=False)
class Assigner:
    """All that turning sets of open parts into assignments takes.

    Attributes:
        ways, menus: of each vehicle.
        accepted_loss: against the vehicle as built, where it states no requirement [-].
        wanted: ids of parts that makers insist on.
    """

    ways: tuple[Ways, ...]
    menus: tuple[tuple[Menu, ...], ...]
    prices: Prices
    accepted_loss: float
    wanted: frozenset[str]
    proofs: Proofs

    def taken(self, is_open: BoolArray) -> Taken:
        """What each vehicle takes of the open parts: the cheapest menu that they fill."""
        return tuple(cheapest_offers(menus, is_open) for menus in self.menus)

    def assignments(self, families: Sequence[Taken]) -> list[tuple[Assignment, ...]]:
        """What each vehicle takes in each family; all builds are simulated together."""
        count = len(self.ways)
        drafts = [
            self._draft(item, offers) for taken in families for item, offers in zip(self.ways, taken, strict=True)
        ]
        figures = self.proofs.of([*(build for *_, build in drafts), *(item.base for item in self.ways)])
        own = figures[len(drafts) :]
        alone = [THOUSAND * sum(offer.cost for offer in cheapest_offers(menus, None)) for menus in self.menus]
        found = []
        for index, (item, offers, battery, axles, build) in enumerate(drafts):
            limits = limits_of(item.base.vehicle, own[index % count], self.accepted_loss)
            fits = [offer.way.fit for offer in offers if offer.way.fit is not None]
            cost = CostParts()
            for offer in offers:
                cost += self.prices.of(item, offer.way)
            found.append(
                Assignment(
                    vehicle=item.vehicle,
                    units=item.units,
                    battery=battery,
                    axles=axles,
                    cost=cost,
                    alone_usd=alone[index % count],
                    energy_kwh=build.pack.energy_kwh,
                    figures=judged(limits, figures[index]),
                    basis=weakest(fit.status for fit in fits),
                )
            )
        return [tuple(found[first : first + count]) for first in range(0, len(found), count)]

    def _draft(
        self, item: Ways, offers: tuple[Offer, ...]
    ) -> tuple[Ways, tuple[Offer, ...], BatteryChoice, tuple[AxleChoice, ...], Build]:
        battery, axles = _battery_choice(offers[0].way), tuple(_axle_choice(offer.way) for offer in offers[1:])
        build = build_of(item.base, self.prices.parts, battery, axles)
        assert build is not None  # modules without energy are no candidates
        return item, offers, battery, axles, build

    def standards(self, taken: Taken) -> tuple[StandardChoice, ...]:
        """The parts of a family, those on most units first."""
        users: dict[str, dict[str, float]] = {name: {} for name in sorted(self.wanted)}
        for item, offers in zip(self.ways, taken, strict=True):
            for name in (part_of(offer.way) for offer in offers):
                if name != OWN:
                    units = users.setdefault(name, {})
                    units[item.vehicle] = units.get(item.vehicle, 0.0) + item.units
        found = [_standard(self.prices, name, units) for name, units in users.items()]
        return tuple(sorted(found, key=lambda item: (item.kind, -item.units)))


def once_usd(prices: Prices, part: str) -> float:
    """What making a part common costs."""
    parts: Candidates = prices.parts
    module = parts.battery_modules.get(part)
    if module is not None:
        return prices.costs.module_standard_usd(module, parts.cost_ratio.get(part, 1.0))
    return 0.0 if part == OWN else prices.costs.eaxle_standard_usd(parts.eaxles[part])


def _standard(prices: Prices, name: str, units: Mapping[str, float]) -> StandardChoice:
    parts = prices.parts
    module = parts.battery_modules.get(name)
    record = module or parts.eaxles[name]
    return StandardChoice(
        kind=KINDS[0] if module is not None else KINDS[1],
        part=name,
        name=record.name,
        suppliers=parts.suppliers(name),
        scaled=name in parts.scaled,
        vehicles=tuple(units),
        units=sum(units.values()),
        once_usd=once_usd(prices, name),
    )


def _battery_choice(way: BatteryWay | AxleWay) -> BatteryChoice:
    assert isinstance(way, BatteryWay)
    if way.module is None or way.layout is None:
        return BatteryChoice(part=None)
    layout = way.layout
    return BatteryChoice(
        part=way.module.id, places=layout.places, series=layout.series, strings=layout.strings,
        lost_share=layout.lost_share, **_counts(way.fit),
    )  # fmt: skip


def _axle_choice(way: BatteryWay | AxleWay) -> AxleChoice:
    assert isinstance(way, AxleWay)
    drive = way.drive
    return AxleChoice(
        mount=drive.mount.id, part=drive.eaxle.id, rating=drive.rating.id, own=way.is_own, **_counts(way.fit)
    )


def _counts(fit: Fit | None) -> dict[str, object]:
    if fit is None:
        return {}
    return {
        "verdict": fit.verdict.value,
        "conditional": fit.count(Verdict.CONDITIONAL),
        "unknown": fit.count(Verdict.UNKNOWN),
    }
