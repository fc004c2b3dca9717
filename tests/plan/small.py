"""A choice small enough to try everything: four vehicles of the example, a handful of parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

from kyotsu.plan.builds import explore
from kyotsu.plan.candidates import Candidates, candidates
from kyotsu.plan.costs import CostModel, cost_model
from kyotsu.plan.duty import limits_of, serving
from kyotsu.plan.evaluate import figures_of
from kyotsu.plan.settings import Settings, load_settings
from kyotsu.plan.standards import Model
from kyotsu.spec.build import Build, Drive, as_built, rebuilt
from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import fit_battery, fit_eaxle
from kyotsu.spec.layout import Layout, layouts
from kyotsu.spec.workspace import Workspace, load_workspace

ALLIANCE = Path(__file__).resolve().parents[2] / "examples" / "alliance"
VEHICLES = ("honda/honda_e", "honda/prologue_awd", "nissan/leaf_40", "nissan/sakura")
MODULES = ("kyotsu_bm_nmc_8s1p", "kyotsu_bm_nmc_4s2p", "kyotsu_bm_lfp_8s1p", "nmc_63ah_12s1p_310x108")
EAXLES = ("kyotsu_ea_small", "kyotsu_ea_large", "nissan_em57", "large_l90_n120_i90", "small_l80_n120_i100")


@cache
def workspace() -> Workspace:
    whole = load_workspace(ALLIANCE)
    return replace(whole, vehicles={name: whole.vehicles[name] for name in VEHICLES})


@cache
def settings() -> Settings:
    return load_settings(load_workspace(ALLIANCE))


@cache
def parts() -> Candidates:
    every = candidates(workspace(), settings())
    return replace(
        every,
        battery_modules={name: every.battery_modules[name] for name in MODULES},
        eaxles={name: every.eaxles[name] for name in EAXLES},
    )


def costs() -> CostModel:
    return cost_model(settings(), workspace().alliance.year)


@cache
def model(keep_own: bool = False, accept_unknown: bool = True) -> Model:
    ways = explore(workspace(), settings(), parts(), costs(), accept_unknown=accept_unknown, keep_own=keep_own)
    return Model(workspace(), settings(), parts(), costs(), ways, 0.0, accept_unknown, keep_own)


@dataclass(frozen=True)
class Tried:
    """One build, judged on its own: what it takes, whether it serves, what it costs."""

    vehicle: str
    module: str
    layout: Layout
    axles: tuple[str, ...]
    serves: bool
    cost_usd: float
    build: Build
    figures: dict[str, float]


@cache
def everything() -> tuple[Tried, ...]:
    """Every build of every vehicle, laid out, fitted, simulated and priced one by one."""
    return tuple(tried for name in VEHICLES for tried in _tried(name))


def _tried(name: str) -> list[Tried]:
    vehicle, price = workspace().vehicles[name], costs()
    base, _ = as_built(name, vehicle, workspace().eaxles)
    assert base is not None
    units = settings().units(name)
    offers = []
    for old in base.drives:
        found = []
        for eaxle in parts().eaxles.values():
            fit = fit_eaxle(name, vehicle, old.mount, eaxle)
            rating = next(rating for rating in eaxle.ratings if rating.id == fit.rating)
            found.append((fit, Drive(old.mount, eaxle, rating)))
        offers.append(found)
    rows: list[tuple[Build, str, Layout, tuple[str, ...], bool, float]] = []
    for module in parts().battery_modules.values():
        for layout in layouts(module, vehicle):
            whole = fit_battery(name, vehicle, module, layout)
            battery = replace(whole, findings=tuple(serving(vehicle, item) for item in whole.findings))
            for drives in product(*offers):
                build = rebuilt(base, "tried", module, layout, tuple(drive for _, drive in drives))
                assert build is not None
                highest = layout.series * module.cells_series * (module.limits.operating.cell_voltage_max_v or 0.0)
                window = all(
                    drive.eaxle.inverter.voltage_max_v is None or highest <= drive.eaxle.inverter.voltage_max_v
                    for _, drive in drives
                )
                fits = window and all(fit.verdict is not Verdict.FAIL for fit in (battery, *(fit for fit, _ in drives)))
                ratio = parts().cost_ratio.get(module.id, 1.0)
                cost = price.battery_parts(base, units, module, layout, ratio) + price.finding_parts(battery)
                for fit, drive in drives:
                    cost += price.axle_parts(base, units, drive) + price.finding_parts(fit)
                rows.append(
                    (build, module.id, layout, tuple(drive.eaxle.id for _, drive in drives), fits, cost.total_usd)
                )
    figures = figures_of([base, *(build for build, *_ in rows)])
    limits = limits_of(vehicle, figures[0], settings().choice.accepted_loss_share)
    return [
        Tried(name, *what, fits and all(limit.met(own[limit.figure]) for limit in limits), cost, build, own)
        for (build, *what, fits, cost), own in zip(rows, figures[1:], strict=True)
    ]
