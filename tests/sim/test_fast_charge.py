"""The time at a fast charger: what the inlet, the pack and its cells make of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from kyotsu.sim.build import build_parameters, filled
from kyotsu.sim.fast_charge import STATION_KW, cell_currents, charge_times_min, charges, fast_charge_min
from kyotsu.spec import Workspace
from kyotsu.spec.build import COMMON, Build, as_built, rebuilt
from kyotsu.spec.fit import fit_battery

LEAF = "nissan/leaf_40"


@pytest.fixture
def leaf(alliance: Workspace) -> Build:
    build, missing = as_built(LEAF, alliance.vehicles[LEAF], alliance.eaxles)
    assert build is not None, missing
    return build


def minutes(*builds: Build) -> list[float | None]:
    return charge_times_min(builds, build_parameters(builds).battery)


def inlet(build: Build, **values: Any) -> Build:
    charging = build.vehicle.charging.model_copy(update=values)
    return replace(build, vehicle=build.vehicle.model_copy(update={"charging": charging}))


def test_a_weaker_inlet_takes_longer_and_energy_over_power_at_least(leaf: Build) -> None:
    weak, strong = minutes(inlet(leaf, dc_power_kw=10.0), leaf)
    assert weak is not None
    assert strong is not None
    least = 60.0 * 0.7 * leaf.pack.usable_kwh / 10.0
    assert least < weak < 1.5 * least
    assert strong < weak


def test_without_direct_current_there_is_no_time(leaf: Build) -> None:
    assert minutes(inlet(leaf, dc_power_kw=None), leaf, inlet(leaf, inlet="none"))[::2] == [None, None]


def test_a_pack_above_the_voltage_of_the_inlet_is_never_charged(leaf: Build) -> None:
    (found,) = minutes(inlet(leaf, dc_voltage_max_v=300.0))
    assert found == math.inf


def test_the_curve_of_a_module_counts_and_is_scaled_by_strings(alliance: Workspace, leaf: Build) -> None:
    module = alliance.battery_modules["kyotsu_bm_nmc_8s1p"]
    layout = fit_battery(LEAF, leaf.vehicle, module).layout
    assert layout is not None
    common = rebuilt(leaf, COMMON, module, layout, leaf.drives)
    assert common is not None
    curve = common.pack.charging_current_over_soc_a
    assert curve is not None
    assert max(curve) == 114.0 * layout.strings
    assert "battery.charge_current" in filled(leaf)
    assert "battery.charge_current" not in filled(common)
    free = inlet(common, dc_power_kw=STATION_KW, dc_current_max_a=None)
    halved = replace(free, pack=replace(free.pack, charging_current_over_soc_a=tuple(0.5 * one for one in curve)))
    fast, slow = minutes(free, halved)
    assert fast is not None
    assert slow == pytest.approx(2.0 * fast, rel=0.05)


def test_one_inlet_for_all_is_each_ones(alliance: Workspace, leaf: Build) -> None:
    """As the choice asks: many batteries in one vehicle."""
    module = alliance.battery_modules["kyotsu_bm_nmc_8s1p"]
    layout = fit_battery(LEAF, leaf.vehicle, module).layout
    assert layout is not None
    common = rebuilt(leaf, COMMON, module, layout, leaf.drives)
    assert common is not None
    battery = build_parameters([leaf, common]).battery
    cells = cell_currents([leaf, common], battery)
    assert fast_charge_min(leaf.vehicle.charging, battery, cells).tolist() == minutes(leaf, common)
    assert charges(leaf.vehicle)
    assert not charges(inlet(leaf, inlet="none").vehicle)
