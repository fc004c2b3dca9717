"""The choice of standards: builds and costs as an assortment, its optimum as a plan.

    Model.explored(workspace)  ->  Model.choose(options)  ->  Plan

A *standard* is one battery module or one e-axle made common. Opening it costs once; each vehicle that takes it pays its
units, its own change and the findings to settle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from kyotsu.errors import InputError, Location, Problem
from kyotsu.plan.assignment import KINDS, Assigner, Proofs, once_usd
from kyotsu.plan.assortment import Assortment
from kyotsu.plan.branch import Answer, solve
from kyotsu.plan.builds import Progress, Ways, explore
from kyotsu.plan.candidates import Candidates, candidates
from kyotsu.plan.costs import CostModel, cost_model
from kyotsu.plan.curve import cost_curve
from kyotsu.plan.family import Assignment, Options, Plan, StandardChoice
from kyotsu.plan.menus import OWN, THOUSAND, Menu, Prices, part_names, vehicle_menus, whole
from kyotsu.plan.settings import Settings, load_settings
from kyotsu.spec.workspace import Workspace

PLACES = 3  # of a vehicle: battery, first mount, second mount


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
    proofs: Proofs = field(default_factory=Proofs)

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
        ways = tuple(item for item in self.ways if item.maker in makers)
        return replace(self, ways=ways, some_makers=True)

    @property
    def makers(self) -> tuple[str, ...]:
        """Whose vehicles are built."""
        return tuple(dict.fromkeys(item.maker for item in self.ways))

    @cached_property
    def part_names(self) -> tuple[str, ...]:
        """Every candidate that some vehicle could take, and the one that stands for parts as built."""
        return part_names(self.ways)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.part_names)}

    @property
    def prices(self) -> Prices:
        """Of parts in vehicles."""
        return Prices(self.costs, self.parts)

    def once_usd(self, part: str) -> float:
        """What making a part common costs."""
        return once_usd(self.prices, part)

    @cached_property
    def menus(self) -> tuple[tuple[Menu, ...], ...]:
        """All menus of each vehicle."""
        wishes = {wish.maker: wish for wish in self.settings.choice.wish}
        return tuple(
            tuple(vehicle_menus(number, item, self.prices, self._numbers, wishes.get(item.maker)))
            for number, item in enumerate(self.ways)
        )

    def assortment(self, dual_source: bool = False) -> Assortment:
        """The choice as arrays; kinds are `KINDS` and that of the part which stands for parts as built.

        Raises:
            InputError: with dual sourcing, or by vetoes, a vehicle is left without a build.
        """
        sourced = np.array([
            name == OWN or not dual_source or len(self.parts.suppliers(name)) > 1 for name in self.part_names
        ])  # fmt: skip
        every = [menu for menus in self.menus for menu in menus]
        menus = [menu for menu in every if all(any(sourced[offer.part] for offer in need) for need in menu.needs)]
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
            part_cost=np.array([whole(self.once_usd(name)) for name in self.part_names]),
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

    def _wanted(self) -> frozenset[str]:
        """Parts that a maker insists on."""
        makers = {item.maker for item in self.ways}
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
        return frozenset(wanted)

    def choose(self, options: Options, seconds: float = 300.0, start: Sequence[str] = ()) -> Plan:
        """The cheapest family of standards within the options, with its proof.

        Args:
            options: bounds on standards, and dual sourcing; the rest of them is as explored.
            seconds: time after which the best family so far is given, with the gap that is left.
            start: ids of a family within the options to begin with.

        Raises:
            InputError: nothing can be built within the options.
        """
        bounded = self.bounded(options)
        first = np.array([name == OWN or name in start for name in self.part_names]) if start else None
        return self.plans([solve(bounded, seconds=seconds, start=first)], [options])[0]

    def choose_each(
        self, options: Options, seconds: float = 300.0, report: Callable[[int], None] = lambda bound: None
    ) -> tuple[Plan, ...]:
        """The cheapest family for each number of standards, from the fewest that serve to the cheapest of all.

        Interrupted, it gives the points that are there.

        Args:
            options: as for `choose`; its bound on all standards is replaced.
            seconds: time for each point.
            report: told each number of standards when it is done.

        Raises:
            InputError: nothing can be built within the options.
        """
        free = self.bounded(options.model_copy(update={"variants": None}))
        least = 1 if self.keep_own else 2  # parts that are open, the one that stands for those as built among them
        curve = cost_curve(free, least, seconds=seconds, report=lambda limit, answer: report(limit - 1))
        bounds: list[int | None] = [int(limit) - 1 for limit in curve.limit]
        if curve.complete:
            bounds[-1] = None  # the cheapest of all is not held back by its bound
        return self.plans(curve.answers, [options.model_copy(update={"variants": bound}) for bound in bounds])

    def bounded(self, options: Options) -> Assortment:
        """The choice as arrays, within the options.

        Raises:
            InputError: bounds that make no sense, or that leave a vehicle without a build.
        """
        choice = self.assortment(options.dual_source)
        self._require_sense(choice, options)
        limits = {KINDS[0]: options.modules, KINDS[1]: options.axles}
        total = -1 if options.variants is None else options.variants + 1  # and the part that stands for those as built
        return choice.limited(total, **{kind: most for kind, most in limits.items() if most is not None})

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

    # --- from answers to plans ---

    def plans(self, answers: Sequence[Answer], options: Sequence[Options]) -> tuple[Plan, ...]:
        """Plans of sets of open parts: each vehicle takes the cheapest menu that they fill."""
        assigner = Assigner(
            self.ways, self.menus, self.prices, self.settings.choice.accepted_loss_share, self._wanted(), self.proofs
        )
        families = [assigner.taken(answer.is_open) for answer in answers]
        return tuple(
            self._plan(answer, asked, assigner.standards(taken), assigned)
            for answer, asked, taken, assigned in zip(
                answers, options, families, assigner.assignments(families), strict=True
            )
        )

    def _plan(
        self,
        answer: Answer,
        options: Options,
        standards: tuple[StandardChoice, ...],
        assignments: tuple[Assignment, ...],
    ) -> Plan:
        explored = {
            "accept_unknown": self.accept_unknown, "keep_own": self.keep_own, "costs": dict(self.changed_costs or {}),
            "makers": self.makers if self.some_makers else (),
        }  # fmt: skip
        return Plan(
            workspace=self.workspace.alliance.name,
            year=self.costs.year,
            years=self.settings.choice.years,
            options=options.model_copy(update=explored),
            standards=standards,
            assignments=assignments,
            cost_usd=answer.cost * THOUSAND,
            bound_usd=answer.bound * THOUSAND,
            as_built_usd=self.as_built_usd(),
            proven=answer.proven,
            builds=sum(item.builds for item in self.ways),
            simulated=sum(item.simulated for item in self.ways),
            explore_seconds=round(self.seconds, 3),
            solve_seconds=round(answer.seconds, 3),
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
