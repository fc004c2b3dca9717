"""Every way to build a vehicle with candidates, judged by fit and simulation.

    e-axles x mounts, battery modules x layouts   ->   all pairs and triples   ->   those that serve the vehicle

What fits is asked of each part in each slot and layout; what a build does is found by `laboratory`, for each build.
A build is left out without simulation only by rules that no optimum can be lost by:

    R1  Among layouts of one module with the same drives only the cheapest that serves counts: all other costs of a
        plan are the same. Layouts are tried by rising cost, and a dearer one only where it might have fewer findings.
    R2  A heavier vehicle takes no less energy from its battery's terminals to follow the same cycle. So range is at
        most usable energy over what the vehicle takes with the lightest battery of all; builds below their limit by
        that measure are left out. (One too heavy to follow the cycle might take less, but does not serve.)
    R3  A build that misses one limit, or fails one check, is not asked for the others.
    R4  A module that fails a check which does not look at the layout fails in every layout.

Every build that does not serve is left out for one reason, the first that was found, and counted there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kyotsu.errors import InputError, Problem
from kyotsu.plan import diagnosis
from kyotsu.plan.assembly import ModuleTable, battery_table, module_table, with_own
from kyotsu.plan.assortment import BoolArray, FloatArray
from kyotsu.plan.candidates import Candidates
from kyotsu.plan.costs import CostModel
from kyotsu.plan.duty import CHARGING, CONTINUOUS, MASS, RANGE, SIMULATED, Limit, limits_of, serving, simulated
from kyotsu.plan.laboratory import Laboratory
from kyotsu.plan.settings import Settings
from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.build import build_parameters
from kyotsu.sim.fast_charge import charge_times_min
from kyotsu.sim.parameters import take
from kyotsu.sim.performance import usable_energy_kwh
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.battery_case import BatteryCase
from kyotsu.spec.build import Build, Drive, as_built
from kyotsu.spec.finding import Finding, Verdict
from kyotsu.spec.fit import BatteryFitting, EAxleFitting, Fit
from kyotsu.spec.layout import Layout, layouts
from kyotsu.spec.workspace import Workspace

DEARER = "dearer than another layout of the same part"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class AxleWay:
    """A drive that may stand at a mount.

    Attributes:
        fit: `None` for the drive as built.
    """

    drive: Drive
    fit: Fit | None

    @property
    def is_own(self) -> bool:
        """Whether it is the drive as built, kept."""
        return self.fit is None


@dataclass(frozen=True, eq=False)
class BatteryWay:
    """A battery that serves a vehicle, and with which drives.

    Attributes:
        module: `None` for the battery as built.
        serves: with which drives, shape (drive,) or (drive of the first mount, drive of the second).
        fit: `None` for the battery as built.
    """

    module: BatteryModule | None
    layout: Layout | None
    serves: BoolArray
    fit: Fit | None


@dataclass(frozen=True, eq=False)
class Ways:
    """All ways to build one vehicle.

    Attributes:
        axles: for each mount, the drives that fit.
        batteries: those that serve with at least one of them.
        limits: that a build must meet.
        builds: every module in every layout with every e-axle at every mount, whether they fit or not.
        simulated: builds that were.
        left_out: how many builds each reason excluded; with those that serve they are all `builds`.
        not_built: how many modules make no build at all, by reason.
        hint: where nothing serves, what stands in the way.
    """

    vehicle: str
    base: Build
    axles: tuple[tuple[AxleWay, ...], ...]
    batteries: tuple[BatteryWay, ...]
    limits: tuple[Limit, ...]
    units: float
    builds: int = 0
    simulated: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    not_built: Mapping[str, int] = field(default_factory=dict)
    hint: str = ""

    @property
    def maker(self) -> str:
        """Whose vehicle it is."""
        return self.vehicle.partition("/")[0]

    @property
    def serving(self) -> int:
        """Builds that serve, and that no cheaper layout of the same part stands for."""
        return sum(int(battery.serves.sum()) for battery in self.batteries)


def explore(
    workspace: Workspace,
    settings: Settings,
    parts: Candidates,
    costs: CostModel,
    *,
    accept_unknown: bool = True,
    keep_own: bool = False,
    progress: Progress = lambda step: None,
) -> tuple[Ways, ...]:
    """All ways to build every vehicle that is built at all.

    Args:
        workspace: where the vehicles stand.
        settings: volumes and years.
        parts: candidates.
        costs: of parts and changes.
        accept_unknown: take parts of whose fit something is unknown; a part that fails is never taken.
        keep_own: battery and drives as built may stay, each.
        progress: told each vehicle as it begins.

    Raises:
        InputError: a vehicle cannot be driven as built.
    """
    bases, problems = {}, []
    for name, vehicle in workspace.vehicles.items():
        if not settings.units_per_year[name]:
            continue
        base, missing = as_built(name, vehicle, workspace.eaxles)
        if base is None:
            found = f"{name}, of which {', '.join(missing)} is not stated"
            problems.append(Problem(workspace.locate(name), found, "a vehicle that can be driven", "State it."))
        else:
            bases[name] = base
    if problems:
        raise InputError(problems)
    modules = [part for part in parts.battery_modules.values() if part.rated_energy_kwh is not None]
    table = module_table(modules, next(iter(bases.values()))) if modules and bases else None
    own = figures_as_built([*bases.values()])
    found_ways = []
    for (name, base), figures in zip(bases.items(), own, strict=True):
        progress(name)
        limits = limits_of(base.vehicle, figures, settings.choice.accepted_loss_share)
        explorer = _Explorer(base, limits, settings.units(name), parts, costs, modules, table, accept_unknown, keep_own)
        found_ways.append(explorer.run())
    return tuple(found_ways)


def figures_as_built(bases: Sequence[Build]) -> list[dict[str, float]]:
    """What vehicles do as built, by the names of `duty.FIGURES`; NaN where it is not known."""
    if not bases:
        return []
    own = build_parameters(bases)
    found = {figure: simulated(figure, own) for figure in SIMULATED}
    cycles = np.array([base.vehicle.requirements.range_cycle for base in bases])
    consumption = np.zeros(len(bases))
    for cycle in sorted({*cycles.tolist()}):
        driven = np.flatnonzero(cycles == cycle)
        consumption[driven] = simulate_batch(take(own, driven), cycle).consumption_dc_wh_per_km[:, 0]
    found[RANGE] = usable_energy_kwh(own) * 1e3 / np.maximum(consumption, 1e-9)
    found[MASS] = np.array([base.curb_mass_kg for base in bases])
    known = {
        CHARGING: charge_times_min(bases, own.battery),
        CONTINUOUS: [base.continuous_power_kw for base in bases],
    }
    found |= {name: np.array([np.nan if one is None else one for one in values]) for name, values in known.items()}
    return [{name: float(values[index]) for name, values in found.items()} for index in range(len(bases))]


class _Explorer:
    """The search for the ways of one vehicle."""

    def __init__(
        self,
        base: Build,
        limits: tuple[Limit, ...],
        units: float,
        parts: Candidates,
        costs: CostModel,
        modules: Sequence[BatteryModule],
        table: ModuleTable | None,
        accept_unknown: bool,
        keep_own: bool,
    ) -> None:
        self.base, self.limits, self.units = base, limits, units
        self.parts, self.costs, self.modules = parts, costs, modules
        self.allowed = {Verdict.PASS, Verdict.CONDITIONAL} | ({Verdict.UNKNOWN} if accept_unknown else set())
        self.keep_own = keep_own
        self.own = build_parameters([base])
        self.table = with_own(table, base, self.own) if keep_own else table
        self.fittings: dict[int, BatteryFitting] = {}
        self.fits: dict[int, Fit | None] = {}  # of batteries that fit, by row
        self.left_out: Counter[str] = Counter()
        self.not_built: Counter[str] = Counter()

    def run(self) -> Ways:
        offers = [self.axle_ways(index) for index in range(len(self.base.drives))]
        axles = tuple(ways for ways, _ in offers)
        rows, cost = self.rows()
        builds = self.count_misfits(len(rows), offers)
        ways: list[BatteryWay] = []
        lab = None
        if rows and all(axles):
            lab = self.laboratory(rows, axles)
            ways = [*self.battery_ways(rows, cost, lab, tuple(len(one) for one in axles))]
        return Ways(
            self.base.vehicle_name, self.base, axles, tuple(ways), self.limits, self.units, builds,
            lab.simulated if lab else 0, {reason: count for reason, count in self.left_out.items() if count},
            dict(self.not_built), "" if ways else self.hint(axles, lab, builds),
        )  # fmt: skip

    # --- what fits ---

    def axle_ways(self, index: int) -> tuple[tuple[AxleWay, ...], Counter[str]]:
        """The drives that may stand at a mount, and how many e-axles each reason excluded."""
        own, vehicle = self.base.drives[index], self.base.vehicle
        found = [AxleWay(own, None)] if self.keep_own else []
        misfits: Counter[str] = Counter()
        for eaxle in self.parts.eaxles.values():
            fitting = EAxleFitting(self.base.vehicle_name, vehicle, own.mount, eaxle)
            fits, wrong = [], []
            for rating in eaxle.ratings:
                findings, last = self.allowed_findings(fitting.findings(rating))
                if last is None:
                    fits.append(fitting.fit(rating, findings))
                else:
                    wrong.append((len(findings), last))
            if fits:
                fit = fitting.best(fits)
                rating = next(rating for rating in eaxle.ratings if rating.id == fit.rating)
                found.append(AxleWay(Drive(own.mount, eaxle, rating), fit))
            else:
                _, last = max(wrong, key=lambda item: item[0])  # of the rating that came furthest
                misfits[f"{own.mount.id}: {_words(last)}"] += 1
        return tuple(found), misfits

    def allowed_findings(self, findings: Iterable[Finding]) -> tuple[list[Finding], Finding | None]:
        """Findings up to the first that is not allowed, and that one."""
        found: list[Finding] = []
        for item in findings:
            if item.verdict not in self.allowed:
                return found, item
            found.append(item)
        return found, None

    def count_misfits(self, batteries: int, offers: Sequence[tuple[tuple[AxleWay, ...], Counter[str]]]) -> int:
        """Count the builds left out for an e-axle, at the first mount that one does not fit; gives all builds."""
        sizes = [len(ways) + misfits.total() for ways, misfits in offers]
        before = batteries  # with drives that fit the mounts before
        for number, (ways, misfits) in enumerate(offers):
            after = math.prod(sizes[number + 1 :])
            for reason, count in misfits.items():
                self.left_out[reason] += before * count * after
            before *= len(ways)
        return batteries * math.prod(sizes)

    def rows(self) -> tuple[list[tuple[int, Layout]], FloatArray]:
        """Modules in layouts, by index, cheapest first, and their costs over all vehicles, findings aside [USD].

        The battery as built comes last, as a module of its own.
        """
        found = []
        self.not_built["energy not stated"] += len(self.parts.battery_modules) - len(self.modules)
        for index, module in enumerate(self.modules):
            own = layouts(module, self.base.vehicle)
            self.not_built["no layout: size, places or voltage window"] += not own
            found += [(index, layout) for layout in own]
        if self.keep_own:
            found.append((len(self.modules), Layout(1, 1, 1)))
        priced = sorted(((row, self.bare_cost(*row)) for row in found), key=_module_cost_and_loss)
        return [row for row, _ in priced], np.array([cost for _, cost in priced])

    def bare_cost(self, index: int, layout: Layout) -> float:
        """Of a battery over all vehicles, findings aside."""
        if index == len(self.modules):
            return self.costs.battery_parts(self.base, self.units, None, None).total_usd
        module = self.modules[index]
        ratio = self.parts.cost_ratio.get(module.id, 1.0)
        return self.costs.battery_parts(self.base, self.units, module, layout, ratio).total_usd

    def misfit(self, lab: Laboratory, row: int) -> Finding | None:
        """The first check that a battery fails; `None` where it fits, with its fit kept."""
        index = int(lab.batteries.module[row])
        if index == len(self.modules):
            self.fits[row] = None
        if row in self.fits:
            return None
        vehicle, module = self.base.vehicle, self.modules[index]
        fitting = self.fittings.setdefault(index, BatteryFitting(self.base.vehicle_name, vehicle, module))
        case = BatteryCase(module, vehicle, lab.batteries.layouts[row])
        findings, wrong = self.allowed_findings(serving(vehicle, raw) for raw in fitting.findings(case))
        if wrong is None:
            self.fits[row] = fitting.fit(case, findings)
        return wrong

    # --- what serves ---

    def laboratory(self, rows: Sequence[tuple[int, Layout]], axles: tuple[tuple[AxleWay, ...], ...]) -> Laboratory:
        assert self.table is not None  # there are rows
        batteries = battery_table(self.base, self.modules, rows)
        offered = [[way.drive for way in ways] for ways in axles]
        return Laboratory(self.base, self.own, self.limits, self.modules, self.table, batteries, offered)

    def battery_ways(
        self, rows: Sequence[tuple[int, Layout]], cost: FloatArray, lab: Laboratory, shape: tuple[int, ...]
    ) -> Iterator[BatteryWay]:
        best = {index: np.full(lab.combinations, np.inf) for index, _ in rows}
        waiting: dict[int, list[int]] = {index: [] for index in best}
        for row in reversed(range(len(rows))):
            waiting[rows[row][0]].append(row)
        while batch := [
            found for index, left in waiting.items() if (found := self.next_row(lab, cost, best[index], left))
        ]:
            for row, serves in lab.serving(batch, self.left_out):
                fit = self.fits[row]
                whole = float(cost[row]) + self.costs.finding_parts(fit).total_usd
                index, layout = rows[row]
                gained = serves & (whole < best[index])
                self.left_out[DEARER] += int(np.sum(serves & ~gained))
                best[index][gained] = whole
                if gained.any():
                    own = index == len(self.modules)
                    yield BatteryWay(
                        None if own else self.modules[index], None if own else layout, gained.reshape(shape), fit
                    )

    def next_row(
        self, lab: Laboratory, cost: FloatArray, best: FloatArray, left: list[int]
    ) -> tuple[int, BoolArray] | None:
        """The cheapest layout left of a module that fits and may serve, and with which drives it is to be tried."""
        while left:
            row = left.pop()
            pending = best > cost[row]  # R1
            self.left_out[DEARER] += int(np.sum(~pending))
            for reason, passed in lab.tests(row):
                self.left_out[reason] += int(np.sum(pending & ~passed))
                pending &= passed
            if not pending.any():
                continue
            wrong = self.misfit(lab, row)
            if wrong is None:
                return row, pending
            self.left_out[f"battery: {_words(wrong)}"] += int(pending.sum())
            if wrong.check in self.fittings[int(lab.batteries.module[row])].in_every_layout:  # R4
                self.left_out[f"battery: {_words(wrong)}"] += len(left) * lab.combinations
                left.clear()
        return None

    def hint(self, axles: tuple[tuple[AxleWay, ...], ...], lab: Laboratory | None, builds: int) -> str:
        """What stands in the way of a vehicle that nothing serves, and the least that would help."""
        name, vehicle = self.base.vehicle_name, self.base.vehicle
        empty = next((drive for drive, ways in zip(self.base.drives, axles, strict=True) if not ways), None)
        if empty is not None:
            found = diagnosis.no_eaxle(name, vehicle, empty.mount, [*self.parts.eaxles.values()])
        elif lab is None:
            found = diagnosis.no_layout(vehicle, self.modules)
        else:
            nearest = diagnosis.nearest_build(lab, lambda row: self.misfit(lab, row) is None)
            found = nearest if nearest is not None else self.no_battery(lab)
        return "; ".join(part for part in (found, diagnosis.mostly(self.left_out, builds)) if part)

    def no_battery(self, lab: Laboratory) -> str:
        fitting = [row for row in range(lab.count) if self.misfit(lab, row) is None]
        if fitting:
            return diagnosis.too_high_a_voltage(lab, fitting)
        return diagnosis.nearest_battery(self.base.vehicle_name, self.base.vehicle, lab)


def _module_cost_and_loss(priced: tuple[tuple[int, Layout], float]) -> tuple[int, float, float]:
    (index, layout), cost = priced
    return index, cost, layout.lost_share


def _words(finding: Finding) -> str:
    return f"{finding.verdict.value} {finding.check}"
