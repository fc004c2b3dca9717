"""Limits: what a vehicle requires, else what it does as built, less the loss accepted."""

from __future__ import annotations

import numpy as np
import pytest

from kyotsu.plan.builds import figures_as_built
from kyotsu.plan.duty import FIGURES, HOLDS, PART, RANGE, SIMULATED, Limit, limits_of, meets, serving, simulated
from kyotsu.plan.evaluate import figures_of
from kyotsu.plan.laboratory import TABLED
from kyotsu.sim.build import build_parameters
from kyotsu.sim.parameters import take
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.build import Drive, as_built
from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import fit_battery
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import Workspace
from plan.small import parts, workspace
from spec.workspaces import changed

OWN = {"range_km": 300.0, "top_speed_km_h": 150.0, "gradeability_pct": 40.0, "zero_to_100_km_h_s": 10.0,
       "curb_mass_kg": 1500.0, "charge_10_to_80_min": 40.0, "continuous_power_kw": 60.0}  # fmt: skip


def test_stated_limits_are_taken_and_others_follow_from_the_vehicle_as_built(alliance: Workspace) -> None:
    vehicle = changed(
        alliance.vehicles["nissan/sakura"],
        {"requirements.range_km": 123.0, "requirements.top_speed_km_h": None, "requirements.gradeability_pct": None},
    )
    found = {limit.figure: limit for limit in limits_of(vehicle, OWN, 0.2)}
    assert (found["range_km"].limit, found["range_km"].stated) == (123.0, True)
    assert (found["top_speed_km_h"].limit, found["top_speed_km_h"].stated) == (pytest.approx(120.0), False)
    assert found["zero_to_100_km_h_s"].limit == pytest.approx(12.0)
    assert "curb_mass_kg" not in found, "a mass that nobody limits is limited by the bay"


def test_a_figure_never_reached_as_built_limits_nothing(alliance: Workspace) -> None:
    vehicle = changed(alliance.vehicles["nissan/sakura"], {"requirements.zero_to_100_km_h_s": None})
    limits = limits_of(vehicle, {**OWN, "zero_to_100_km_h_s": float("inf")}, 0.2)
    assert "zero_to_100_km_h_s" not in {limit.figure for limit in limits}


def test_meeting_and_missing(alliance: Workspace) -> None:
    limits = {limit.figure: limit for limit in limits_of(alliance.vehicles["nissan/leaf_40"], OWN, 0.2)}
    sprint, far = limits["zero_to_100_km_h_s"], limits["range_km"]
    assert sprint.met(np.array([9.5, 9.6])).tolist() == [True, False]
    assert far.met(np.array([216.0, 215.9])).tolist() == [True, False]
    assert sprint.shortfall(np.array([9.5, 19.0])).tolist() == [0.0, 1.0]
    assert far.shortfall(np.array([300.0, 108.0])).tolist() == [0.0, 0.5]


def test_both_ways_to_the_figures_agree(alliance: Workspace) -> None:
    """Compiled for the choice, in numpy for the check of a plan."""
    for name in ("nissan/leaf_40", "honda/prologue_awd"):
        base, _ = as_built(name, alliance.vehicles[name], alliance.eaxles)
        assert base is not None
        assert figures_as_built([base])[0] == pytest.approx(figures_of([base])[0], rel=1e-6, nan_ok=True)


def test_many_vehicles_are_simulated_part_by_part(alliance: Workspace) -> None:
    base, _ = as_built("nissan/leaf_40", alliance.vehicles["nissan/leaf_40"], alliance.eaxles)
    assert base is not None
    one = build_parameters([base])
    many = take(one, np.zeros(PART + 3, dtype=np.int64))
    values = simulated("gradeability_pct", many)
    assert values.shape == (PART + 3,)
    assert values == pytest.approx(simulated("gradeability_pct", one)[0])


def test_every_figure_has_a_way_to_it() -> None:
    assert {figure for figure, *_ in FIGURES} == {*SIMULATED, RANGE, *TABLED}


def test_the_charging_time_is_limited_where_the_vehicle_charges_with_direct_current(alliance: Workspace) -> None:
    sakura = alliance.vehicles["nissan/sakura"]
    free = changed(sakura, {"requirements.charge_10_to_80_min": None})
    assert limit_of(sakura, "charge_10_to_80_min") == (40.0, True)
    assert limit_of(free, "charge_10_to_80_min") == (pytest.approx(48.0), False)
    for without in ({"charging.dc_power_kw": None}, {"charging.inlet": "none"}):
        assert limit_of(changed(sakura, without), "charge_10_to_80_min") is None


def test_continuous_power_has_one_judge(alliance: Workspace) -> None:
    """The requirement; else each mount, where all say what they ask; else the vehicle as built."""
    leaf = alliance.vehicles["nissan/leaf_40"]
    assert limit_of(leaf, "continuous_power_kw") is None, "its mount asks, and check A3 judges"
    asked = changed(leaf, {"requirements.continuous_power_kw": 55.0})
    assert limit_of(asked, "continuous_power_kw") == (55.0, True)
    silent = changed(leaf, {"eaxle_mounts.0.continuous_power_kw": None})
    assert limit_of(silent, "continuous_power_kw") == (pytest.approx(48.0), False)
    unknown = {**OWN, "continuous_power_kw": float("nan")}
    assert "continuous_power_kw" not in {limit.figure for limit in limits_of(silent, unknown, 0.2)}


def limit_of(vehicle: Vehicle, figure: str) -> tuple[float, bool] | None:
    found = {limit.figure: (limit.limit, limit.stated) for limit in limits_of(vehicle, OWN, 0.2)}
    return found.get(figure)


def test_what_is_not_known_is_judged_by_the_fit() -> None:
    limit = Limit("continuous_power_kw", "continuous power", "at least", 50.0, "kW", stated=True)
    values = np.array([np.nan, 49.0, 50.0])
    assert limit.met(values).tolist() == [True, False, True]
    assert limit.shortfall(values).tolist() == [0.0, pytest.approx(0.02), 0.0]


def test_check_g1_leaves_the_charging_time_to_simulation(alliance: Workspace) -> None:
    leaf = alliance.vehicles["nissan/leaf_40"]
    module = alliance.battery_modules["kyotsu_bm_nmc_8s1p"]
    slow = changed(leaf, {"requirements.charge_10_to_80_min": 1.0})

    def judged(vehicle: Vehicle, part: BatteryModule) -> list[Verdict]:
        found = next(item for item in fit_battery("nissan/leaf_40", vehicle, part).findings if item.check == "G1")
        return [found.verdict, serving(vehicle, found).verdict]

    assert judged(slow, module) == [Verdict.FAIL, Verdict.PASS]
    silent = changed(module, {"curves.charge_current": None})
    assert judged(slow, silent) == [Verdict.UNKNOWN, Verdict.UNKNOWN], "what nobody stated is never a pass"
    low = changed(slow, {"charging.dc_voltage_max_v": 300.0})
    assert judged(low, module) == [Verdict.FAIL, Verdict.FAIL], "nor is a voltage that the inlet does not bear"
    bare = changed(slow, {"charging.inlet": "none"})
    assert judged(bare, module) == [Verdict.FAIL, Verdict.FAIL], "no simulation judges what does not charge"


@pytest.mark.parametrize("figure", [*HOLDS])
def test_a_limit_is_met_as_its_figure_says(figure: str) -> None:
    """Asked in one question, or found by halving and compared."""
    vehicle = workspace().vehicles["nissan/leaf_40"]
    base, _ = as_built("nissan/leaf_40", vehicle, workspace().eaxles)
    assert base is not None
    builds = [
        base.with_drives("other", (Drive(base.drives[0].mount, part, rating),))
        for part in parts().eaxles.values()
        for rating in part.ratings
    ]
    parameters = build_parameters(builds)
    values = simulated(figure, parameters)
    met = 0
    for bound in (*(values * 0.999), *(values * 1.001), 0.5, 1e3):
        limit = Limit(figure, figure, "at least", float(bound), "", stated=True)
        assert meets(limit, parameters).tolist() == limit.met(values).tolist()
        met += int(meets(limit, parameters).sum())
    assert 0 < met < len(builds) * (2 * len(builds) + 2)
