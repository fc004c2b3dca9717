"""The choice of standards: builds and costs as an assortment, its optimum as a plan.

    Model.explored(workspace)  ->  Model.choose(options)  ->  Plan

A *standard* is one battery module or one e-axle made common. Opening it costs once; each vehicle that takes it pays its
units, its own change and the findings to settle. A *menu* is a set of batteries that serve a vehicle with the same
drives: whatever battery and drives are taken from one menu serve together, so that voltage, mass, range and
acceleration of the whole are met exactly, and not part by part.

Costs are whole thousands of dollars: an optimum is proven as soon as no whole number lies between it and the bound.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from kyotsu.errors import InputError, Location, Problem
from kyotsu.plan.assortment import Assortment, BoolArray
from kyotsu.plan.branch import Answer, solve
from kyotsu.plan.builds import AxleWay, BatteryWay, Progress, Ways, explore
from kyotsu.plan.candidates import Candidates, candidates
from kyotsu.plan.costs import CostModel, cost_model
from kyotsu.plan.duty import limits_of
from kyotsu.plan.evaluate import build_of, figures_of, judged
from kyotsu.plan.family import (
    Assignment,
    AxleChoice,
    BatteryChoice,
    CostParts,
    Kind,
    Options,
    Plan,
    StandardChoice,
)
from kyotsu.plan.settings import Settings, load_settings
from kyotsu.spec.build import Build
from kyotsu.spec.finding import Verdict, weakest
from kyotsu.spec.fit import Fit
from kyotsu.spec.workspace import Workspace

KINDS: tuple[Kind, Kind] = ("battery_module", "eaxle")
OWN = "as built"  # the one part that stands for every part a vehicle keeps; it is always open and counts for nothing
THOUSAND = 1000.0  # USD, the unit of costs of a choice
PLACES = 3  # of a vehicle: battery, first mount, second mount


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


@dataclass(frozen=True, eq=False)
class Model:
    """A workspace, explored: everything that any choice over it needs.

    Attributes:
        ways: of every vehicle that is built.
        seconds: that exploring took.
        accept_unknown, keep_own: as explored.
        changed_costs: coefficients that were replaced.
        some_makers: whether makers were left out.
        proofs: figures of builds that were simulated one by one, kept from choice to choice.
    """

    workspace: Workspace
    settings: Settings
    parts: Candidates
    costs: CostModel
    ways: tuple[Ways, ...]
    seconds: float
    accept_unknown: bool = True
    keep_own: bool = False
    changed_costs: Mapping[str, float] | None = None
    some_makers: bool = False
    proofs: dict[Hashable, dict[str, float]] = field(default_factory=dict, repr=False)

    @classmethod
    def explored(
        cls,
        workspace: Workspace,
        *,
        accept_unknown: bool = True,
        keep_own: bool = False,
        costs: Mapping[str, float] | None = None,
        progress: Progress = lambda step: None,
    ) -> Model:
        """Explore a workspace: all ways to build every vehicle.

        Args:
            workspace: the workspace.
            accept_unknown: take parts of whose fit something is unknown.
            keep_own: parts as built may stay.
            costs: coefficients to replace.
            progress: told each vehicle as it begins.

        Raises:
            InputError: the choice cannot be read, or some vehicle cannot be built from any candidates.
        """
        begin = time.perf_counter()
        settings = load_settings(workspace)
        parts = candidates(workspace, settings)
        model = cost_model(settings, workspace.alliance.year, costs)
        ways = explore(
            workspace, settings, parts, model, accept_unknown=accept_unknown, keep_own=keep_own, progress=progress
        )
        seconds = time.perf_counter() - begin
        found = cls(workspace, settings, parts, model, ways, seconds, accept_unknown, keep_own, costs)
        problems = [found._unservable(item) for item in ways if not item.batteries]
        if problems:
            raise InputError(problems)
        return found

    def _unservable(self, ways: Ways) -> Problem:
        found = f"{ways.vehicle}, which no candidates serve: {ways.hint}"
        place = self.workspace.locate(ways.vehicle)
        return Problem(place, found, "at least one build", "Relax what is named, or add a part that meets it.")

    def priced(self, changes: Mapping[str, float], units: Mapping[str, float] | None = None) -> Model:
        """The same ways at other costs, and other volumes by `maker/id`.

        The ways were explored at the model's own costs, which decide only between layouts of one module: dearer ones
        with the same drives are left out, and these are so at any costs but that of a finding.
        """
        costs = cost_model(self.settings, self.costs.year, {**(self.changed_costs or {}), **changes})
        ways = self.ways if units is None else tuple(
            replace(item, units=units.get(item.vehicle, item.units)) for item in self.ways
        )  # fmt: skip
        return replace(self, costs=costs, ways=ways, changed_costs={**(self.changed_costs or {}), **changes})

    def of_makers(self, makers: Sequence[str]) -> Model:
        """The same choice for the vehicles of some makers only."""
        ways = tuple(item for item in self.ways if item.vehicle.split("/")[0] in makers)
        return replace(self, ways=ways, some_makers=True)

    @property
    def makers(self) -> tuple[str, ...]:
        """Whose vehicles are built."""
        return tuple(dict.fromkeys(item.vehicle.split("/")[0] for item in self.ways))

    @cached_property
    def part_names(self) -> tuple[str, ...]:
        """Every candidate that some vehicle could take, and the one that stands for parts as built."""
        modules = {way.module.id: None for item in self.ways for way in item.batteries if way.module is not None}
        drives = {
            way.drive.eaxle.id: None for item in self.ways for axle in item.axles for way in axle if not way.is_own
        }
        return (*modules, *(name for name in drives), OWN)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.part_names)}

    @cached_property
    def menus(self) -> tuple[Menu, ...]:
        """All menus, vehicle by vehicle, without those that another one of the vehicle contains."""
        return tuple(menu for number, item in enumerate(self.ways) for menu in self._menus(number, item))

    def _menus(self, number: int, ways: Ways) -> Iterator[Menu]:
        wish = next((wish for wish in self.settings.choice.wish if wish.maker == ways.vehicle.split("/")[0]), None)

        def refused(part: str) -> bool:
            return wish is not None and wish.refuses(part)

        axles = [[self._axle_offer(ways, way) for way in axle] for axle in ways.axles]
        allowed = [
            np.array([way.is_own or not refused(way.drive.eaxle.id) for way in axle], dtype=np.bool_)
            for axle in ways.axles
        ]
        groups: dict[tuple[bytes, ...], tuple[tuple[BoolArray, ...], list[BatteryWay]]] = {}
        for battery in ways.batteries:
            if battery.module is not None and refused(battery.module.id):
                continue
            for sets in _rectangles(battery.serves, allowed):
                groups.setdefault(tuple(one.tobytes() for one in sets), (sets, []))[1].append(battery)
        for sets, batteries in groups.values():
            cheapest: dict[int, Offer] = {}
            for battery in batteries:
                offer = self._battery_offer(ways, battery)
                if offer.part not in cheapest or offer.cost < cheapest[offer.part].cost:
                    cheapest[offer.part] = offer
            needs = [tuple(cheapest.values())]
            for offers, chosen in zip(axles, sets, strict=True):
                needs.append(tuple(offers[index] for index in np.flatnonzero(chosen)))
            yield Menu(number, tuple(needs))

    def _battery_offer(self, ways: Ways, way: BatteryWay) -> Offer:
        name = OWN if way.module is None else way.module.id
        return Offer(self._numbers[name], _whole(self._battery_cost(ways, way).total_usd), way)

    def _axle_offer(self, ways: Ways, way: AxleWay) -> Offer:
        name = OWN if way.is_own else way.drive.eaxle.id
        return Offer(self._numbers[name], _whole(self._axle_cost(ways, way).total_usd), way)

    def _battery_cost(self, ways: Ways, way: BatteryWay) -> CostParts:
        ratio = 1.0 if way.module is None else self.parts.cost_ratio.get(way.module.id, 1.0)
        parts = self.costs.battery_parts(ways.base, ways.units, way.module, way.layout, ratio)
        return parts + self.costs.finding_parts(way.fit)

    def _axle_cost(self, ways: Ways, way: AxleWay) -> CostParts:
        return self.costs.axle_parts(ways.base, ways.units, way.drive, way.is_own) + self.costs.finding_parts(way.fit)

    def once_usd(self, part: str) -> float:
        """What making a part common costs."""
        module = self.parts.battery_modules.get(part)
        if module is not None:
            return self.costs.module_standard_usd(module, self.parts.cost_ratio.get(part, 1.0))
        return 0.0 if part == OWN else self.costs.eaxle_standard_usd(self.parts.eaxles[part])

    def assortment(self, dual_source: bool = False) -> Assortment:
        """The choice as arrays; kinds are `KINDS` and that of the part which stands for parts as built.

        Raises:
            InputError: with dual sourcing, or by vetoes, a vehicle is left without a build.
        """
        sourced = np.array([
            name == OWN or not dual_source or len(self.parts.suppliers(name)) > 1 for name in self.part_names
        ])  # fmt: skip
        menus = [menu for menu in self.menus if all(any(sourced[offer.part] for offer in need) for need in menu.needs)]
        self._require_builds(menus, dual_source)
        need_menu: list[int] = []
        need_place: list[int] = []
        offer_need: list[int] = []
        offer_part: list[int] = []
        offer_cost: list[float] = []
        for index, menu in enumerate(menus):
            for place, need in enumerate(menu.needs):
                for offer in need:
                    if sourced[offer.part]:
                        offer_need.append(len(need_menu))
                        offer_part.append(offer.part)
                        offer_cost.append(offer.cost)
                need_menu.append(index)
                need_place.append(menu.vehicle * PLACES + place)
        kinds = [2 if name == OWN else int(name not in self.parts.battery_modules) for name in self.part_names]
        wanted = self._wanted()
        return Assortment(
            part_names=list(self.part_names),
            part_kind=np.array(kinds, dtype=np.int64),
            part_cost=np.array([_whole(self.once_usd(name)) for name in self.part_names]),
            kinds=(*KINDS, "own"),
            vehicle_names=[item.vehicle for item in self.ways],
            menu_vehicle=np.array([menu.vehicle for menu in menus], dtype=np.int64),
            need_menu=np.array(need_menu, dtype=np.int64),
            need_place=np.array(need_place, dtype=np.int64),
            offer_need=np.array(offer_need, dtype=np.int64),
            offer_part=np.array(offer_part, dtype=np.int64),
            offer_cost=np.array(offer_cost, dtype=np.float64),
            required=np.array([name == OWN or name in wanted for name in self.part_names]),
        )

    def _require_builds(self, menus: Sequence[Menu], dual_source: bool) -> None:
        built = {menu.vehicle for menu in menus}
        why = "vetoes and dual sourcing leave" if dual_source else "the maker's vetoes leave"
        problems = [
            Problem(
                self.workspace.locate(item.vehicle),
                f"{item.vehicle}, for which {why} no build",
                "at least one build",
                "Withdraw a veto, or name a second supplier.",
            )
            for number, item in enumerate(self.ways)
            if number not in built
        ]
        if problems:
            raise InputError(problems)

    def _wanted(self) -> set[str]:
        """Parts that a maker insists on."""
        makers = {item.vehicle.split("/")[0] for item in self.ways}
        wanted: set[str] = set()
        problems = []
        for index, wish in enumerate(self.settings.choice.wish):
            for name in wish.must_have if wish.maker in makers else ():
                if name in self._numbers:
                    wanted.add(name)
                else:
                    place = self.settings.locate("wish", index, "must_have")
                    found = f"{name!r}, which {wish.maker} insists on and which serves no vehicle"
                    problems.append(Problem(place, found, "a candidate that serves", "Correct or withdraw it."))
        if problems:
            raise InputError(problems)
        return wanted

    def choose(self, options: Options, seconds: float = 300.0, start: Sequence[str] = ()) -> Plan:
        """The cheapest family of standards within the options, with its proof.

        Args:
            options: bounds on standards, and dual sourcing; the rest of them is as explored.
            seconds: time after which the best family so far is given, with the gap that is left.
            start: ids of a family within the options to begin with.

        Raises:
            InputError: nothing can be built within the options.
        """
        options = options.model_copy(update={
            "accept_unknown": self.accept_unknown, "keep_own": self.keep_own, "costs": dict(self.changed_costs or {}),
            "makers": self.makers if self.some_makers else (),
        })  # fmt: skip
        choice = self.assortment(options.dual_source)
        self._require_sense(choice, options)
        limits = {KINDS[0]: options.modules, KINDS[1]: options.axles}
        total = -1 if options.variants is None else options.variants + 1  # and the part that stands for those as built
        bounded = choice.limited(total, **{kind: most for kind, most in limits.items() if most is not None})
        begin = time.perf_counter()
        first = np.array([name == OWN or name in start for name in self.part_names]) if start else None
        answer = solve(bounded, seconds=seconds, start=first)
        return self.plan_of(answer, options, time.perf_counter() - begin)

    def _require_sense(self, choice: Assortment, options: Options) -> None:
        bounds = {"variants": options.variants, "modules": options.modules, "axles": options.axles}
        problems = [
            Problem(Location(key=name), str(bound), "1 or more", "Allow at least one.")
            for name, bound in bounds.items()
            if bound is not None and bound < 1 and not (self.keep_own and bound == 0)
        ]
        wanted = [sum(choice.required[choice.part_kind == kind]) for kind in range(len(KINDS))]
        for name, bound, count in (
            ("modules", options.modules, wanted[0]),
            ("axles", options.axles, wanted[1]),
            ("variants", options.variants, sum(wanted)),
        ):
            if bound is not None and count > bound >= 1:
                found = f"at most {bound}, with {count} parts that makers insist on"
                problems.append(
                    Problem(Location(key=name), found, "bounds that agree", "Raise it, or withdraw a wish.")
                )
        if problems:
            raise InputError(problems)

    # --- from the answer to the plan ---

    def plan_of(self, answer: Answer, options: Options, seconds: float) -> Plan:
        """The plan of a set of open parts: each vehicle takes the cheapest menu that they fill."""
        chosen = [self._cheapest(number, answer.is_open) for number in range(len(self.ways))]
        assignments = self._assignments(chosen)
        standards = self._standards(chosen)
        return Plan(
            workspace=self.workspace.alliance.name,
            year=self.costs.year,
            years=self.settings.choice.years,
            options=options,
            standards=standards,
            assignments=assignments,
            cost_usd=answer.cost * THOUSAND,
            bound_usd=answer.bound * THOUSAND,
            as_built_usd=self.as_built_usd(),
            proven=answer.proven,
            builds=sum(item.builds for item in self.ways),
            simulated=sum(item.simulated for item in self.ways),
            explore_seconds=round(self.seconds, 3),
            solve_seconds=round(seconds, 3),
            assumed_units=tuple(item.vehicle for item in self.ways if item.vehicle in self.settings.assumed_units),
        )

    def as_built_usd(self) -> float:
        """The same vehicles with every part of their own: units, and what renewing each part costs."""
        total = 0.0
        for item in self.ways:
            total += self.costs.battery_parts(item.base, item.units, None, None).total_usd
            for drive in item.base.drives:
                total += self.costs.axle_parts(item.base, item.units, drive, own=True).total_usd
        return total

    def _cheapest(self, vehicle: int, is_open: BoolArray | None) -> tuple[Offer, ...]:
        """The cheapest offers of one menu among open parts, or among all; battery first, then the mounts."""
        best: tuple[float, tuple[Offer, ...]] | None = None
        for menu in self._menus_of[vehicle]:
            needs = [[offer for offer in need if is_open is None or is_open[offer.part]] for need in menu.needs]
            if all(needs):
                offers = tuple(min(need, key=lambda offer: offer.cost) for need in needs)
                cost = sum(offer.cost for offer in offers)
                if best is None or cost < best[0]:
                    best = cost, offers
        assert best is not None  # an answer builds every vehicle
        return best[1]

    @cached_property
    def _menus_of(self) -> tuple[tuple[Menu, ...], ...]:
        found: list[list[Menu]] = [[] for _ in self.ways]
        for menu in self.menus:
            found[menu.vehicle].append(menu)
        return tuple(tuple(menus) for menus in found)

    @cached_property
    def _alone(self) -> tuple[float, ...]:
        """For each vehicle the least that its parts could cost."""
        return tuple(
            THOUSAND * sum(offer.cost for offer in self._cheapest(number, None)) for number in range(len(self.ways))
        )

    def _assignments(self, chosen: Sequence[tuple[Offer, ...]]) -> tuple[Assignment, ...]:
        rows = []
        for item, offers in zip(self.ways, chosen, strict=True):
            drives = tuple(self._axle_choice(offer.way) for offer in offers[1:])
            rows.append((item, self._battery_choice(offers[0].way), drives, offers))
        builds = [build_of(item.base, self.parts, battery, axles) for item, battery, axles, _ in rows]
        known = [build for build in builds if build is not None]
        figures = self._proven([*known, *(item.base for item in self.ways)])
        loss = self.settings.choice.accepted_loss_share
        found = []
        for index, (item, battery, axles, offers) in enumerate(rows):
            limits = limits_of(item.base.vehicle, figures[len(known) + index], loss)
            cost = CostParts()
            for offer in offers:
                cost += (
                    self._battery_cost(item, offer.way)
                    if isinstance(offer.way, BatteryWay)
                    else self._axle_cost(item, offer.way)
                )
            fits = [offer.way.fit for offer in offers if offer.way.fit is not None]
            found.append(
                Assignment(
                    vehicle=item.vehicle,
                    units=item.units,
                    battery=battery,
                    axles=axles,
                    cost=cost,
                    alone_usd=self._alone[index],
                    energy_kwh=known[index].pack.energy_kwh,
                    figures=judged(limits, figures[index]),
                    basis=weakest(fit.status for fit in fits),
                )
            )
        return tuple(found)

    def _proven(self, builds: Sequence[Build]) -> list[dict[str, float]]:
        """What builds do, each simulated once."""
        keys: list[Hashable] = [
            (
                build.vehicle_name, build.kind, build.pack.name, build.pack.energy_kwh,
                *((drive.eaxle.id, drive.rating.id) for drive in build.drives),
            )
            for build in builds
        ]  # fmt: skip
        new = {key: build for key, build in zip(keys, builds, strict=True) if key not in self.proofs}
        if new:
            self.proofs.update(zip(new, figures_of([*new.values()]), strict=True))
        return [self.proofs[key] for key in keys]

    def _battery_choice(self, way: BatteryWay | AxleWay) -> BatteryChoice:
        assert isinstance(way, BatteryWay)
        if way.module is None or way.layout is None:
            return BatteryChoice(part=None)
        layout = way.layout
        return BatteryChoice(
            part=way.module.id, places=layout.places, series=layout.series, strings=layout.strings,
            lost_share=layout.lost_share, **_counts(way.fit),
        )  # fmt: skip

    def _axle_choice(self, way: BatteryWay | AxleWay) -> AxleChoice:
        assert isinstance(way, AxleWay)
        drive = way.drive
        return AxleChoice(
            mount=drive.mount.id, part=drive.eaxle.id, rating=drive.rating.id, own=way.is_own, **_counts(way.fit)
        )

    def _standards(self, chosen: Sequence[tuple[Offer, ...]]) -> tuple[StandardChoice, ...]:
        users: dict[str, dict[str, float]] = {name: {} for name in sorted(self._wanted())}
        for item, offers in zip(self.ways, chosen, strict=True):
            for offer in offers:
                name = self.part_names[offer.part]
                if name != OWN:
                    taken = users.setdefault(name, {})
                    taken[item.vehicle] = taken.get(item.vehicle, 0.0) + item.units
        found = []
        for name, taken in users.items():
            module = self.parts.battery_modules.get(name)
            record = module or self.parts.eaxles[name]
            found.append(
                StandardChoice(
                    kind=KINDS[0] if module is not None else KINDS[1],
                    part=name,
                    name=record.name,
                    suppliers=self.parts.suppliers(name),
                    scaled=name in self.parts.scaled,
                    vehicles=tuple(taken),
                    units=sum(taken.values()),
                    once_usd=self.once_usd(name),
                )
            )
        return tuple(sorted(found, key=lambda item: (item.kind, -item.units)))


def _whole(cost_usd: float) -> float:
    return float(round(cost_usd / THOUSAND))


def _counts(fit: Fit | None) -> dict[str, object]:
    if fit is None:
        return {}
    return {
        "verdict": fit.verdict.value,
        "conditional": fit.count(Verdict.CONDITIONAL),
        "unknown": fit.count(Verdict.UNKNOWN),
    }


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
