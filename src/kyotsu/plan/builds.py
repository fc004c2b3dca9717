"""Every way to build a vehicle with candidates, judged by fit and simulation.

    e-axles x mounts, battery modules x layouts   ->   all pairs and triples   ->   those that serve the vehicle

What fits is asked once for each part, slot and layout; what a build does is simulated for each build, by `sim.batch`.
A build is left out without simulation only by rules that no optimum can be lost by:

    R1  Among layouts of one module with the same drives only the cheapest that serves counts: all other costs of a
        plan are the same. Layouts are tried by rising cost, and a dearer one only where it might have fewer findings.
    R2  A heavier vehicle takes no less energy from its battery's terminals to follow the same cycle. So range is at
        most usable energy over what the vehicle takes with the lightest battery of all; builds below their limit by
        that measure are left out. (One too heavy to follow the cycle might take less, but does not serve.)
    R3  A build that misses one limit is not asked for the others.
    R4  A module that fails a check which does not look at the layout fails in every layout.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kyotsu.errors import InputError, Problem
from kyotsu.plan.assembly import (
    BatteryTable,
    DriveTable,
    ModuleTable,
    assembled,
    battery_table,
    drive_table,
    module_table,
    with_own,
)
from kyotsu.plan.assortment import BoolArray, FloatArray, IntArray
from kyotsu.plan.candidates import Candidates
from kyotsu.plan.costs import CostModel
from kyotsu.plan.duty import FIGURES, SIMULATED, Limit, limits_of, simulated
from kyotsu.plan.settings import Settings
from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.build import build_parameters
from kyotsu.sim.cycles import load_cycle
from kyotsu.sim.parameters import VehicleParameters, take
from kyotsu.sim.performance import usable_energy_kwh
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.build import Build, Drive, as_built
from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import Fit, fit_battery, fit_eaxle
from kyotsu.spec.layout import Layout, highest_voltage_v, layouts
from kyotsu.spec.workspace import Workspace

CHUNK = 40_000  # builds assembled at a time: some 100 MB
MOST_DIAGNOSED = 300  # batteries that are asked for their fit to say why nothing serves a vehicle
# Checks that do not look at the layout: a part that fails one of them fails in every layout.
LAYOUT_FREE = frozenset({"M1", "M3", "M4", "M5", "M6", "E9", "E10", "T3", "T4", "L1", "R1", "R2", "R3"}) | frozenset(
    {"S1", "S2", "S3", "S4", "S5", "C1", "C2", "C3", "C4"}
)

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
        builds: of battery and drives that there are.
        simulated: builds that were.
        left_out: how many builds, or parts, each reason excluded; `fit` reasons count parts in layouts.
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
    hint: str = ""

    @property
    def maker(self) -> str:
        """Whose vehicle it is."""
        return self.vehicle.partition("/")[0]


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
    first = next(iter(bases.values()))
    table = module_table(modules, first) if modules else None
    found_ways = []
    for name, base in bases.items():
        progress(name)
        explorer = _Explorer(base, settings, parts, costs, modules, table, accept_unknown, keep_own)
        found_ways.append(explorer.run())
    return tuple(found_ways)


def figures_as_built(base: Build) -> dict[str, float]:
    """What a vehicle does as built, by the names of `duty.FIGURES`."""
    own = build_parameters([base])
    found = {figure: float(simulated(figure, own)[0]) for figure in SIMULATED}
    cycle = base.vehicle.requirements.range_cycle
    consumption = simulate_batch(own, cycle).consumption_dc_wh_per_km[0, 0]
    found["range_km"] = float(usable_energy_kwh(own)[0] * 1e3 / max(consumption, 1e-9))
    found["curb_mass_kg"] = base.curb_mass_kg
    return found


class _Explorer:
    """The search for the ways of one vehicle."""

    def __init__(
        self,
        base: Build,
        settings: Settings,
        parts: Candidates,
        costs: CostModel,
        modules: Sequence[BatteryModule],
        table: ModuleTable | None,
        accept_unknown: bool,
        keep_own: bool,
    ) -> None:
        self.base, self.parts, self.costs, self.modules = base, parts, costs, modules
        self.units = settings.units(base.vehicle_name)
        self.allowed = {Verdict.PASS, Verdict.CONDITIONAL} | ({Verdict.UNKNOWN} if accept_unknown else set())
        self.keep_own = keep_own
        self.own = build_parameters([base])
        self.table = table
        self.limits = limits_of(base.vehicle, figures_as_built(base), settings.choice.accepted_loss_share)
        self.left_out: Counter[str] = Counter()
        self.simulated = self.builds = 0
        self.nearest: dict[str, float] = {}  # figure: least shortfall of builds asked for it

    def run(self) -> Ways:
        axles = tuple(self.axle_ways(index) for index in range(len(self.base.drives)))
        ways = list(self.battery_ways(axles)) if all(axles) else []
        return Ways(
            self.base.vehicle_name, self.base, axles, tuple(ways), self.limits, self.units,
            self.builds, self.simulated, dict(self.left_out), "" if ways else self.hint(axles),
        )  # fmt: skip

    # --- what fits ---

    def axle_ways(self, index: int) -> tuple[AxleWay, ...]:
        own, vehicle = self.base.drives[index], self.base.vehicle
        found = [AxleWay(own, None)] if self.keep_own else []
        for eaxle in self.parts.eaxles.values():
            fit = fit_eaxle(self.base.vehicle_name, vehicle, own.mount, eaxle)
            if fit.verdict not in self.allowed:
                self.refuse(fit, own.mount.id)
                continue
            rating = next(rating for rating in eaxle.ratings if rating.id == fit.rating)
            found.append(AxleWay(Drive(own.mount, eaxle, rating), fit))
        return tuple(found)

    def refuse(self, fit: Fit, slot: str) -> None:
        checks = [item.check for item in fit.deciding]
        self.left_out.update(f"{slot}: {fit.verdict.value} {check}" for check in checks)

    def rows(self) -> Iterator[tuple[int, Layout]]:
        """Modules in layouts, by index; the battery as built comes last, as a module of its own."""
        for index, module in enumerate(self.modules):
            found = layouts(module, self.base.vehicle)
            if not found:
                self.left_out["no layout: size, places or voltage window"] += 1
            for layout in found:
                yield index, layout
        if self.keep_own:
            yield len(self.modules), Layout(1, 1, 1)

    def bare_cost(self, index: int, layout: Layout) -> float:
        """Of a battery over all vehicles, findings aside."""
        if index == len(self.modules):
            return self.costs.battery_parts(self.base, self.units, None, None).total_usd
        module = self.modules[index]
        ratio = self.parts.cost_ratio.get(module.id, 1.0)
        return self.costs.battery_parts(self.base, self.units, module, layout, ratio).total_usd

    # --- what serves ---

    def battery_ways(self, axles: tuple[tuple[AxleWay, ...], ...]) -> Iterator[BatteryWay]:
        rows = sorted(self.rows(), key=lambda row: (row[0], self.bare_cost(*row), row[1].lost_share))
        shape = tuple(len(ways) for ways in axles)
        drives = np.array([*np.ndindex(*shape)], dtype=np.int64).T  # shape (mount, combination)
        self.builds = len(rows) * drives.shape[1]
        if not rows:
            return
        table = with_own(self.table, self.base, self.own) if self.keep_own else self.table
        assert table is not None
        lab = _Laboratory(self, table, battery_table(self.base, self.modules, rows), axles, drives)
        cost = np.array([self.bare_cost(*row) for row in rows])
        best = {index: np.full(drives.shape[1], np.inf) for index, _ in rows}
        waiting: dict[int, list[int]] = {index: [] for index in best}
        for row in reversed(range(len(rows))):
            waiting[rows[row][0]].append(row)
        serving = False
        while True:
            batch = [found for index, left in waiting.items() if (found := self.next_row(lab, cost, best[index], left))]
            if not batch:
                break
            for row, serves in lab.serving(batch):
                fit = lab.fits[row]
                whole = float(cost[row]) + self.costs.finding_parts(fit).total_usd
                index, layout = rows[row]
                gained = serves & (whole < best[index])
                best[index][gained] = whole
                if gained.any():
                    serving = True
                    own = index == len(self.modules)
                    yield BatteryWay(
                        None if own else self.modules[index], None if own else layout, gained.reshape(shape), fit
                    )

        if not serving and not self.nearest:
            self.diagnose(lab)

    def diagnose(self, lab: _Laboratory) -> None:
        """Where not one build was simulated to the end: simulate the battery of most energy that fits."""
        for row in np.argsort(-lab.usable_wh)[:MOST_DIAGNOSED]:
            if lab.fitting(int(row)) and lab.windows[row].any():
                combination = np.flatnonzero(lab.windows[row])
                lab.meets(np.full(combination.size, row), combination)
                return

    def next_row(
        self, lab: _Laboratory, cost: FloatArray, best: FloatArray, left: list[int]
    ) -> tuple[int, BoolArray] | None:
        """The cheapest layout left of a module that fits and may serve, and with which drives it is to be tried."""
        while left:
            row = left.pop()
            cheaper = best > cost[row]  # R1
            self.left_out["dearer than another layout of the same part"] += int(np.sum(~cheaper))
            pending = cheaper & lab.windows[row]
            far = lab.reach(row)
            self.left_out["range, by R2"] += int(np.sum(pending & ~far))
            pending &= far
            if not pending.any():
                continue
            if lab.fitting(row):
                return row, pending
            fit = lab.fits[row]
            if fit is not None and any(item.check in LAYOUT_FREE for item in fit.deciding):  # R4
                left.clear()
        return None

    def hint(self, axles: tuple[tuple[AxleWay, ...], ...]) -> str:
        """What stands in the way of a vehicle that nothing serves, and the least that would help."""
        empty = [drive.mount.id for drive, ways in zip(self.base.drives, axles, strict=True) if not ways]
        if empty:
            least = self.least_failing_eaxle(empty[0])
            return f"no e-axle fits the mount {empty[0]}; {least}"
        if self.nearest:
            titles = {limit.figure: limit for limit in self.limits}
            figure, short = min(self.nearest.items(), key=lambda item: -[f for f, *_ in FIGURES].index(item[0]))
            limit = titles[figure]
            nearest = limit.limit * (1.0 - short if limit.direction == "at least" else 1.0 + short)
            word = "Lower" if limit.direction == "at least" else "Raise"
            return (
                f"{limit.title} of {limit.direction} {limit.limit:g} {limit.unit} is met by no build that fits: "
                f"{word} it to {nearest:.4g} {limit.unit}, or add a part"
            )
        reasons = Counter({key: count for key, count in self.left_out.items() if key.startswith("battery: ")})
        most = ", ".join(f"{key.removeprefix('battery: ')} ({count})" for key, count in reasons.most_common(3))
        return f"no battery module fits the bay: {most or 'none has a layout in it'}"

    def least_failing_eaxle(self, mount_id: str) -> str:
        own = next(drive for drive in self.base.drives if drive.mount.id == mount_id)
        fits = [
            fit_eaxle(self.base.vehicle_name, self.base.vehicle, own.mount, part) for part in self.parts.eaxles.values()
        ]
        if not fits:
            return "there is none on offer"
        nearest = min(fits, key=lambda fit: (fit.verdict.rank, len(fit.deciding)))
        return f"nearest is {nearest.part}: {' '.join(item.reason for item in nearest.deciding)}"


class _Laboratory:
    """Simulates the builds of one vehicle and says which meet all its limits."""

    def __init__(
        self,
        explorer: _Explorer,
        modules: ModuleTable,
        batteries: BatteryTable,
        axles: tuple[tuple[AxleWay, ...], ...],
        drives: IntArray,
    ) -> None:
        self.explorer, self.base, self.limits = explorer, explorer.base, explorer.limits
        self.modules, self.batteries, self.drives = modules, batteries, drives
        self.tables: tuple[DriveTable, ...] = tuple(
            drive_table(self.base, [way.drive for way in ways]) for ways in axles
        )
        self.fits: dict[int, Fit | None] = {}
        self.cycle = load_cycle(self.base.vehicle.requirements.range_cycle)
        self.windows = self.inside_windows(axles)
        self.range_limit = next((limit for limit in self.limits if limit.figure == "range_km"), None)
        count = len(batteries.layouts)
        one, _ = self.assemble(np.arange(count), np.zeros(count, dtype=np.int64))
        self.usable_wh = usable_energy_kwh(one) * 1e3
        lightest = np.full(drives.shape[1], np.argmin(batteries.mass_change))
        least, _ = self.assemble(lightest, np.arange(drives.shape[1]))
        self.taken = self.drive(least)[1]  # Wh/km at the terminals with the lightest battery

    def assemble(self, battery: IntArray, combination: IntArray) -> tuple[VehicleParameters, FloatArray]:
        chosen = [places[combination] for places in self.drives]
        own, base = self.explorer.own, self.base
        return assembled(base, own, self.modules, self.batteries, self.tables, battery, chosen)

    def drive(self, parameters: VehicleParameters) -> tuple[FloatArray, FloatArray]:
        """Consumption of cells and at the terminals [Wh/km] on the cycle of the vehicle's range."""
        self.explorer.simulated += parameters.vehicle_count
        results = simulate_batch(parameters, self.cycle)
        return results.consumption_dc_wh_per_km[:, 0], results.consumption_terminals_wh_per_km[:, 0]

    def inside_windows(self, axles: tuple[tuple[AxleWay, ...], ...]) -> BoolArray:
        """Whether each battery's voltage lies in the windows of the inverters, shape (battery, combination)."""
        parts = self.explorer.modules
        own = self.base.pack
        highest = np.array([
            (highest_voltage_v(parts[index], layout.series) if index < len(parts) else own.voltage_max_v) or np.nan
            for index, layout in zip(self.batteries.module, self.batteries.layouts, strict=True)
        ])  # fmt: skip
        inside = np.ones((highest.size, self.drives.shape[1]), dtype=np.bool_)
        for ways, places in zip(axles, self.drives, strict=True):
            most = np.array([way.drive.eaxle.inverter.voltage_max_v or np.nan for way in ways])[places]
            inside &= ~(highest[:, None] > most)  # what nobody stated does not exclude
        return inside

    def reach(self, row: int) -> BoolArray:
        """With which drives a battery may reach the range at all (R2), shape (combination,)."""
        if self.range_limit is None:
            return np.ones(self.taken.size, dtype=np.bool_)
        return self.range_limit.met(self.usable_wh[row] / np.maximum(self.taken, 1e-9))

    def serving(self, batch: Sequence[tuple[int, BoolArray]]) -> Iterator[tuple[int, BoolArray]]:
        """Of batteries and drives to be tried, those that meet all limits."""
        battery = np.concatenate([np.full(int(pending.sum()), row) for row, pending in batch])
        combination = np.concatenate([np.flatnonzero(pending) for _, pending in batch])
        meets = np.concatenate([
            self.meets(battery[first : first + CHUNK], combination[first : first + CHUNK])
            for first in range(0, battery.size, CHUNK)
        ])  # fmt: skip
        for row, pending in batch:
            serves = np.zeros_like(pending)
            serves[combination[meets & (battery == row)]] = True
            yield row, serves

    def meets(self, battery: IntArray, combination: IntArray) -> BoolArray:
        """Which builds meet every limit, cheapest question first (R3), shape (build,)."""
        parameters, change = self.assemble(battery, combination)
        left = np.arange(battery.size)
        for limit in self.limits:
            values = self.figure(limit.figure, parameters, change, battery[left])
            self.note(limit.figure, values)
            met = limit.met(values)
            self.explorer.left_out[limit.title] += int(np.sum(~met))
            left, change, parameters = left[met], change[met], take(parameters, met)
            if not left.size:
                break
        found = np.zeros(battery.size, dtype=np.bool_)
        found[left] = True
        return found

    def figure(self, figure: str, parameters: VehicleParameters, change: FloatArray, battery: IntArray) -> FloatArray:
        if figure == "curb_mass_kg":
            return self.base.curb_mass_kg + change
        if figure == "range_km":
            return self.usable_wh[battery] / np.maximum(self.drive(parameters)[0], 1e-9)
        return simulated(figure, parameters)

    def note(self, figure: str, values: FloatArray) -> None:
        """Remember how near any build came to a limit."""
        if values.size:
            limit = next(limit for limit in self.limits if limit.figure == figure)
            short = float(limit.shortfall(values).min())
            if short > 0.0:
                self.explorer.nearest[figure] = min(short, self.explorer.nearest.get(figure, np.inf))
            else:
                self.explorer.nearest.pop(figure, None)

    def fitting(self, row: int) -> bool:
        """Whether a battery fits its bay."""
        explorer, index = self.explorer, int(self.batteries.module[row])
        if index == len(explorer.modules):
            self.fits[row] = None
            return True
        layout = self.batteries.layouts[row]
        fit = fit_battery(self.base.vehicle_name, self.base.vehicle, explorer.modules[index], layout)
        self.fits[row] = fit
        if fit.verdict in explorer.allowed:
            return True
        explorer.refuse(fit, "battery")
        return False
