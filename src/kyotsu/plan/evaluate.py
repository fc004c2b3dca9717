"""A plan checked from the workspace alone: feasible, and what it costs.

Nothing here knows how plans are found. Each build of a plan is laid out, fitted and simulated anew, with the reference
backend of the simulation; its costs are added up anew; what the plan says otherwise is a fault.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kyotsu.plan.candidates import Candidates, candidates
from kyotsu.plan.costs import CostModel, cost_model
from kyotsu.plan.duty import FIGURES, Limit, limits_of, serving
from kyotsu.plan.family import Assignment, AxleChoice, BatteryChoice, CostParts, Figure, Plan
from kyotsu.plan.settings import Settings, load_settings
from kyotsu.sim.build import build_parameters
from kyotsu.sim.fast_charge import charge_times_min
from kyotsu.sim.performance import acceleration_time_s, gradeability_pct, top_speed_km_h, usable_energy_kwh
from kyotsu.sim.simulate import simulate
from kyotsu.spec.build import Build, Drive, as_built, rebuilt
from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import Fit, fit_battery, fit_eaxle
from kyotsu.spec.layout import Layout, highest_voltage_v, layouts
from kyotsu.spec.workspace import Workspace

CLOSE = 1e-6  # -, relative; figures and costs nearer than this are the same
WHOLE_USD = 500.0  # each cost of a plan is rounded to whole thousands of dollars


@dataclass(frozen=True)
class Evaluation:
    """What was found anew.

    Attributes:
        cost_usd: of standards and all vehicles.
        faults: whatever makes the plan wrong, in sentences; none means that it holds.
        assignments: as they are, with figures and costs found anew.
    """

    cost_usd: float
    faults: tuple[str, ...]
    assignments: tuple[Assignment, ...]

    @property
    def holds(self) -> bool:
        """Whether the plan is feasible, and costs what it says."""
        return not self.faults


def evaluate(plan: Plan, workspace: Workspace) -> Evaluation:
    """Check a plan against a workspace.

    Raises:
        InputError: the workspace's own choice cannot be read.
    """
    settings = load_settings(workspace)
    parts = candidates(workspace, settings)
    costs = cost_model(settings, plan.year, plan.options.costs)
    return _Evaluator(plan, workspace, settings, parts, costs).run()


def figures_of(builds: Sequence[Build]) -> list[dict[str, float]]:
    """What builds do, by the names of `duty.FIGURES`: range on the cycle that each vehicle names.

    NaN is not known: the time of a vehicle that does not charge with direct current, the continuous power of a build
    with a rating that does not state it.
    """
    parameters = build_parameters(builds)
    cycles = sorted({build.vehicle.requirements.range_cycle for build in builds})
    consumption = dict(zip(cycles, simulate(parameters, cycles).consumption_dc_wh_per_km.T, strict=True))
    energy = usable_energy_kwh(parameters) * 1e3
    found = {
        "top_speed_km_h": top_speed_km_h(parameters),
        "gradeability_pct": gradeability_pct(parameters),
        "zero_to_100_km_h_s": acceleration_time_s(parameters),
    }
    charging = charge_times_min(builds, parameters.battery)
    rows = []
    for index, build in enumerate(builds):
        taken = float(consumption[build.vehicle.requirements.range_cycle][index])
        row = {name: float(values[index]) for name, values in found.items()}
        row["range_km"] = float(energy[index]) / max(taken, 1e-9)
        row["curb_mass_kg"] = build.curb_mass_kg
        minutes, power = charging[index], build.continuous_power_kw
        row["charge_10_to_80_min"] = math.nan if minutes is None else minutes
        row["continuous_power_kw"] = math.nan if power is None else power
        rows.append(row)
    return rows


def judged(limits: Sequence[Limit], figures: Mapping[str, float]) -> tuple[Figure, ...]:
    """Each known figure against its limit."""
    return tuple(
        Figure(
            title=limit.title, value=min(figures[limit.figure], 1e12), direction=limit.direction, limit=limit.limit,
            unit=limit.unit, stated=limit.stated,
        )
        for limit in limits
        if not math.isnan(figures[limit.figure])
    )  # fmt: skip


def build_of(base: Build, parts: Candidates, battery: BatteryChoice, axles: Sequence[AxleChoice]) -> Build | None:
    """The build that a plan describes; `None` where the battery's energy is not known."""
    drives = []
    for old, chosen in zip(base.drives, axles, strict=True):
        eaxle = old.eaxle if chosen.own else parts.eaxles[chosen.part]
        rating = next(rating for rating in eaxle.ratings if rating.id == chosen.rating)
        drives.append(Drive(old.mount, eaxle, rating))
    if battery.part is None:
        return base.with_drives("planned", tuple(drives))
    return rebuilt(base, "planned", parts.battery_modules[battery.part], layout_of(battery), tuple(drives))


def layout_of(battery: BatteryChoice) -> Layout:
    """The layout that a plan describes."""
    return Layout(battery.places, battery.series, battery.strings, battery.lost_share)


class _Evaluator:
    def __init__(
        self, plan: Plan, workspace: Workspace, settings: Settings, parts: Candidates, costs: CostModel
    ) -> None:
        self.plan, self.workspace, self.settings, self.parts, self.costs = plan, workspace, settings, parts, costs
        self.faults: list[str] = []

    def run(self) -> Evaluation:
        self.faults += [*self.family_faults()]
        bases: dict[str, Build] = {}
        builds: dict[str, Build] = {}
        for item in self.plan.assignments:
            base, build = self.built(item)
            if base is not None and build is not None:
                bases[item.vehicle], builds[item.vehicle] = base, build
        figures: dict[str, dict[str, float]] = {}
        reference: dict[str, dict[str, float]] = {}
        if builds:
            rows = figures_of([*builds.values(), *bases.values()])
            figures = dict(zip(builds, rows, strict=False))
            reference = dict(zip(bases, rows[len(builds) :], strict=True))
        found = tuple(
            self.checked(item, bases[item.vehicle], figures[item.vehicle], reference[item.vehicle])
            for item in self.plan.assignments
            if item.vehicle in builds
        )
        once = sum(self.once(item.kind, item.part) for item in self.plan.standards)
        cost = once + sum(item.cost.total_usd for item in found)
        pieces = len(self.plan.standards) + sum(len(item.axles) + 1 for item in found)
        if not math.isclose(cost, self.plan.cost_usd, rel_tol=CLOSE, abs_tol=WHOLE_USD * pieces):
            self.faults.append(f"The plan says {self.plan.cost_usd:.0f} USD; found anew: {cost:.0f} USD.")
        if self.plan.bound_usd > self.plan.cost_usd * (1.0 + CLOSE):
            self.faults.append("The bound is above the cost: the proof contradicts itself.")
        return Evaluation(cost, tuple(self.faults), found)

    def once(self, kind: str, part: str) -> float:
        if kind == "battery_module":
            module = self.parts.battery_modules.get(part)
            return (
                0.0 if module is None else self.costs.module_standard_usd(module, self.parts.cost_ratio.get(part, 1.0))
            )
        eaxle = self.parts.eaxles.get(part)
        return 0.0 if eaxle is None else self.costs.eaxle_standard_usd(eaxle)

    # --- the family ---

    def family_faults(self) -> Iterator[str]:
        plan, options = self.plan, self.plan.options
        for kind, bound in (("battery_module", options.modules), ("eaxle", options.axles)):
            count = sum(item.kind == kind for item in plan.standards)
            if bound is not None and count > bound:
                yield f"{count} standards of kind {kind}, at most {bound} allowed."
        if options.variants is not None and plan.variants > options.variants:
            yield f"{plan.variants} standards, at most {options.variants} allowed."
        opened: set[tuple[str, str]] = {(item.kind, item.part) for item in plan.standards}
        if len(opened) < len(plan.standards):
            yield "A standard stands twice in the family."
        for kind, part in sorted(opened):
            known = self.parts.battery_modules if kind == "battery_module" else self.parts.eaxles
            if part not in known:
                yield f"{part}: no such candidate in the workspace."
            elif options.dual_source and len(self.parts.suppliers(part)) < 2:
                yield f"{part}: one supplier only, and dual sourcing was asked for."
        yield from self.wish_faults({part for _, part in opened})
        yield from self.vehicle_faults(opened)

    def wish_faults(self, opened: set[str]) -> Iterator[str]:
        choice = self.settings.choice
        for wish in choice.wish:
            if self.plan.options.makers and wish.maker not in self.plan.options.makers:
                continue
            yield from (f"{wish.maker} insists on {part}, which is not in the family." for part in wish.must_have
                        if part not in opened)  # fmt: skip
            for item in self.plan.assignments:
                taken = [item.battery.part, *(axle.part for axle in item.axles if not axle.own)]
                if item.maker == wish.maker:
                    yield from (
                        f"{item.vehicle} takes {part}, which {wish.maker} refuses."
                        for part in taken
                        if part is not None and wish.refuses(part)
                    )

    def vehicle_faults(self, opened: set[tuple[str, str]]) -> Iterator[str]:
        makers = self.plan.options.makers
        wanted = {
            name
            for name in self.workspace.vehicles
            if self.settings.units_per_year[name] and (not makers or name.split("/")[0] in makers)
        }
        times = Counter(item.vehicle for item in self.plan.assignments)
        yield from (f"{name} is not built." for name in sorted(wanted - times.keys()))
        yield from (f"{name} is no vehicle of the choice." for name in sorted(times.keys() - wanted))
        yield from (f"{name} is built {count} times." for name, count in times.items() if count > 1)
        for item in self.plan.assignments:
            taken = [("eaxle", axle.part) for axle in item.axles if not axle.own]
            if item.battery.part is not None:
                taken.append(("battery_module", item.battery.part))
            yield from (f"{item.vehicle} takes {part}, which is not in the family." for kind, part in taken
                        if (kind, part) not in opened)  # fmt: skip

    # --- one vehicle ---

    def built(self, item: Assignment) -> tuple[Build | None, Build | None]:
        vehicle = self.workspace.vehicles.get(item.vehicle)
        if vehicle is None:
            return None, None
        base, _ = as_built(item.vehicle, vehicle, self.workspace.eaxles)
        if base is None or len(item.axles) != len(base.drives):
            self.faults.append(f"{item.vehicle}: the plan does not fill its mounts.")
            return None, None
        known = item.battery.part is None or item.battery.part in self.parts.battery_modules
        for axle, drive in zip(item.axles, base.drives, strict=True):
            eaxle = drive.eaxle if axle.own else self.parts.eaxles.get(axle.part)
            known &= eaxle is not None and any(rating.id == axle.rating for rating in eaxle.ratings)
            if axle.mount != drive.mount.id or (axle.own and axle.part != drive.eaxle.id):
                self.faults.append(f"{item.vehicle}: {axle.part} at {axle.mount} is not what the vehicle has there.")
        if not known:
            self.faults.append(f"{item.vehicle}: a part or rating that the workspace does not know.")
            return None, None
        return base, build_of(base, self.parts, item.battery, item.axles)

    def checked(
        self, item: Assignment, base: Build, figures: Mapping[str, float], reference: Mapping[str, float]
    ) -> Assignment:
        """The assignment with all its numbers found anew; what is wrong is added to the faults."""
        fits = [*self.fits(item, base)]
        allowed = {Verdict.PASS, Verdict.CONDITIONAL} | (
            {Verdict.UNKNOWN} if self.plan.options.accept_unknown else set()
        )
        for fit in fits:
            if fit is not None and fit.verdict not in allowed:
                checks = ", ".join(finding.check for finding in fit.deciding)
                self.faults.append(f"{item.vehicle}: {fit.part} in {fit.slot} is {fit.verdict.value} ({checks}).")
        self.faults += [*self.window_faults(item, base)]
        limits = limits_of(base.vehicle, reference, self.settings.choice.accepted_loss_share)
        found = judged(limits, figures)
        for figure in found:
            slack = CLOSE * abs(figure.limit)
            short = figure.limit - figure.value if figure.direction == "at least" else figure.value - figure.limit
            if short > slack:
                self.faults.append(
                    f"{item.vehicle}: {figure.title} {figure.value:.4g} {figure.unit}, "
                    f"{figure.direction} {figure.limit:.4g} required."
                )
        said = {figure.title: figure.value for figure in item.figures}
        for figure in found:
            if not np.isclose(said.get(figure.title, np.nan), figure.value, rtol=1e-4):
                self.faults.append(f"{item.vehicle}: the plan says another {figure.title} than is found anew.")
        units = self.settings.units(item.vehicle)
        if not math.isclose(units, item.units, rel_tol=CLOSE):
            self.faults.append(f"{item.vehicle}: {item.units:g} units in the plan, {units:g} in the workspace.")
        return item.model_copy(update={"figures": found, "cost": self.cost(item, base, fits), "units": units})

    def window_faults(self, item: Assignment, base: Build) -> Iterator[str]:
        """Inverters that the battery's highest voltage is too much for; what nobody stated is no fault."""
        highest = base.pack.voltage_max_v
        if item.battery.part is not None:
            highest = highest_voltage_v(self.parts.battery_modules[item.battery.part], item.battery.series)
        for axle, old in zip(item.axles, base.drives, strict=True):
            most = (old.eaxle if axle.own else self.parts.eaxles[axle.part]).inverter.voltage_max_v
            if highest is not None and most is not None and highest > most:
                yield f"{item.vehicle}: {highest:.0f} V of the battery, {most:.0f} V at most for {axle.part}."

    def fits(self, item: Assignment, base: Build) -> Iterator[Fit | None]:
        """The fit of the battery and of each e-axle; `None` for what stays as built."""
        name, vehicle = item.vehicle, base.vehicle
        if item.battery.part is None:
            yield None
        else:
            module = self.parts.battery_modules[item.battery.part]
            layout = layout_of(item.battery)
            if layout not in layouts(module, vehicle):
                self.faults.append(f"{name}: {layout.text} of {module.id} is no layout of its bay.")
            fit = fit_battery(name, vehicle, module, layout)
            yield replace(fit, findings=tuple(serving(vehicle, item) for item in fit.findings))
        for axle, drive in zip(item.axles, base.drives, strict=True):
            if axle.own:
                yield None
                continue
            eaxle = self.parts.eaxles[axle.part]
            rated = replace_ratings(eaxle.ratings, axle.rating)
            yield fit_eaxle(name, vehicle, drive.mount, eaxle.model_copy(update={"ratings": rated}))

    def cost(self, item: Assignment, base: Build, fits: Sequence[Fit | None]) -> CostParts:
        costs, units = self.costs, self.settings.units(item.vehicle)
        part = item.battery.part
        module = None if part is None else self.parts.battery_modules[part]
        layout = None if part is None else layout_of(item.battery)
        ratio = self.parts.cost_ratio.get(part or "", 1.0)
        total = costs.battery_parts(base, units, module, layout, ratio)
        for axle, old in zip(item.axles, base.drives, strict=True):
            drive = old if axle.own else replace(old, eaxle=self.parts.eaxles[axle.part])
            total += costs.axle_parts(base, units, drive, axle.own)
        for fit in fits:
            total += costs.finding_parts(fit)
        return total


def replace_ratings(ratings: Sequence[object], name: str) -> tuple[object, ...]:
    """Only the rating of a name."""
    return tuple(rating for rating in ratings if getattr(rating, "id", None) == name)


__all__ = ["FIGURES", "Evaluation", "build_of", "evaluate", "figures_of", "judged", "layout_of"]
