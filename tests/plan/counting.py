"""Every build of a vehicle, laid out, fitted and simulated on its own, and the one reason that leaves it out.

The order of questions is that of `kyotsu.plan.builds`; every answer is found from the build alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import inf

import numpy as np

from kyotsu.plan.builds import DEARER
from kyotsu.plan.duty import Limit, limits_of, serving
from kyotsu.plan.evaluate import figures_of
from kyotsu.sim.build import build_parameters
from kyotsu.sim.performance import usable_energy_kwh
from kyotsu.sim.simulate import simulate
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.build import Build, Drive, as_built
from kyotsu.spec.finding import Finding, Verdict
from kyotsu.spec.fit import Fit, fit_battery, fit_eaxle
from kyotsu.spec.layout import Layout, layouts
from kyotsu.spec.vehicle import Vehicle
from plan.small import Tried, costs, everything, parts, settings, workspace

BEFORE_FIT = ("curb_mass_kg", "continuous_power_kw", "charge_10_to_80_min")
Offer = tuple[Drive, str | None]  # a drive, and why it does not fit


def counted(name: str, accept_unknown: bool) -> tuple[int, int, dict[str, int]]:
    """All builds of a vehicle, those that serve, and how many each reason leaves out."""
    vehicle = workspace().vehicles[name]
    base, _ = as_built(name, vehicle, workspace().eaxles)
    assert base is not None
    refused = {Verdict.FAIL} if accept_unknown else {Verdict.FAIL, Verdict.UNKNOWN}
    limits = limits_of(vehicle, figures_of([base])[0], settings().choice.accepted_loss_share)
    offers = [[_offer(name, vehicle, old, part.id, refused) for part in parts().eaxles.values()] for old in base.drives]
    rows = sum(len(layouts(module, vehicle)) for module in parts().battery_modules.values())
    combinations = [*product(*offers)]
    reasons: Counter[str] = Counter()
    for combination in combinations:
        wrong = next((reason for _, reason in combination if reason is not None), None)
        if wrong is not None:
            reasons[wrong] += rows
    fitting = [tuple(drive.eaxle.id for drive, _ in combination) for combination in combinations
               if all(reason is None for _, reason in combination)]  # fmt: skip
    trial = _Trial(name, base, limits, fitting, refused)
    found = sum(trial.of_module(module, reasons) for module in parts().battery_modules.values())
    return rows * len(combinations), found, {reason: count for reason, count in reasons.items() if count}


def _offer(name: str, vehicle: Vehicle, old: Drive, part: str, refused: set[Verdict]) -> Offer:
    eaxle = parts().eaxles[part]
    fits = {
        rating.id: fit_eaxle(name, vehicle, old.mount, eaxle.model_copy(update={"ratings": (rating,)}))
        for rating in eaxle.ratings
    }
    whole = fit_eaxle(name, vehicle, old.mount, eaxle)
    drive = Drive(old.mount, eaxle, next(rating for rating in eaxle.ratings if rating.id == whole.rating))
    if whole.verdict not in refused:
        return drive, None
    at = {rating: next(i for i, item in enumerate(fit.findings) if item.verdict in refused)
          for rating, fit in fits.items()}  # fmt: skip
    furthest = max(at, key=lambda rating: at[rating])
    return drive, f"{old.mount.id}: {_words(fits[furthest].findings[at[furthest]])}"


def _words(finding: Finding) -> str:
    return f"{finding.verdict.value} {finding.check}"


@dataclass(frozen=True, eq=False)
class _Trial:
    name: str
    base: Build
    limits: tuple[Limit, ...]
    drives: list[tuple[str, ...]]  # of each combination that fits, the e-axles
    refused: set[Verdict]

    @cached_property
    def tried(self) -> dict[tuple[str, Layout, tuple[str, ...]], Tried]:
        return {(item.module, item.layout, item.axles): item for item in everything() if item.vehicle == self.name}

    @cached_property
    def usable_wh(self) -> dict[tuple[str, Layout, tuple[str, ...]], float]:
        parameters = build_parameters([item.build for item in self.tried.values()])
        return dict(zip(self.tried, (1e3 * usable_energy_kwh(parameters)).tolist(), strict=True))

    @cached_property
    def taken(self) -> list[float]:
        """What each combination takes at the terminals with the lightest battery [Wh/km]."""
        lightest = min(self.tried.values(), key=lambda item: item.build.pack.mass_kg or inf)
        builds = [self.tried[lightest.module, lightest.layout, axles].build for axles in self.drives]
        results = simulate(build_parameters(builds), self.base.vehicle.requirements.range_cycle)
        return [float(value) for value in results.consumption_terminals_wh_per_km[:, 0]]

    def of_module(self, module: BatteryModule, reasons: Counter[str]) -> int:
        """Builds of one module that serve."""
        units, ratio = settings().units(self.name), parts().cost_ratio.get(module.id, 1.0)

        def bare(layout: Layout) -> float:
            return costs().battery_parts(self.base, units, module, layout, ratio).total_usd

        own = sorted(layouts(module, self.base.vehicle), key=lambda one: (bare(one), one.lost_share))
        in_all = self.same_in_all(module, own)
        best, served = [inf] * len(self.drives), 0
        for number, layout in enumerate(own):
            keys = [(module.id, layout, axles) for axles in self.drives]
            left = []
            for index, key in enumerate(keys):
                reach = self.usable_wh[key] / self.taken[index]
                reason = self.before_fit(self.tried[key], reach, best[index] <= bare(layout))
                if reason is None:
                    left.append(index)
                else:
                    reasons[reason] += 1
            if not left:
                continue
            fit = self.fit(module, layout)
            wrong = next((item for item in fit.findings if item.verdict in self.refused), None)
            if wrong is not None:
                reasons[f"battery: {_words(wrong)}"] += len(left)
                if wrong.check in in_all:
                    reasons[f"battery: {_words(wrong)}"] += (len(own) - number - 1) * len(self.drives)
                    break
                continue
            whole = bare(layout) + costs().finding_parts(fit).total_usd
            for index in left:
                figures = self.tried[keys[index]].figures
                missed = next((limit for limit in self.limits if not self.met(limit, figures)), None)
                if missed is not None:
                    reasons[missed.title] += 1
                elif whole < best[index]:
                    best[index], served = whole, served + 1
                else:
                    reasons[DEARER] += 1
        return served

    def before_fit(self, tried: Tried, reach_km: float, dearer: bool) -> str | None:
        if dearer:
            return DEARER
        highest = tried.build.pack.voltage_max_v
        for drive in tried.build.drives:
            most = drive.eaxle.inverter.voltage_max_v
            if highest is not None and most is not None and highest > most:
                return "voltage above what an inverter bears"
        for limit in self.limits:
            if limit.figure in BEFORE_FIT and not self.met(limit, tried.figures):
                return limit.title
            if limit.figure == "range_km" and reach_km < limit.limit:
                return "range, by R2"
        return None

    def met(self, limit: Limit, figures: dict[str, float]) -> bool:
        return bool(limit.met(np.array(figures[limit.figure])))

    def fit(self, module: BatteryModule, layout: Layout) -> Fit:
        fit = fit_battery(self.name, self.base.vehicle, module, layout)
        findings = tuple(serving(self.base.vehicle, item) for item in fit.findings)
        return Fit(fit.vehicle, fit.slot, fit.part, fit.kind, findings, fit.layout)

    def same_in_all(self, module: BatteryModule, own: list[Layout]) -> set[str]:
        """Checks whose finding is word for word the same in every layout."""
        seen: dict[str, set[Finding]] = {}
        for layout in own:
            for item in self.fit(module, layout).findings:
                seen.setdefault(item.check, set()).add(item)
        return {check for check, findings in seen.items() if len(findings) == 1 and len(own) > 1}
