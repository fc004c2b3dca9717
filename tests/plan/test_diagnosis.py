"""A vehicle that nothing serves says what stands in the way, and what it names is enough."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from kyotsu.plan.builds import Ways, explore
from kyotsu.plan.candidates import Candidates
from kyotsu.plan.diagnosis import _change, _down, _up
from kyotsu.plan.duty import FIGURES, Limit
from kyotsu.spec.layout import layouts
from kyotsu.spec.vehicle import Vehicle
from plan.small import costs, parts, settings, workspace
from spec.workspaces import changed

LEAF = "nissan/leaf_40"
FAR = {
    "max_curb_mass_kg": 900.0,
    "continuous_power_kw": 900.0,
    "charge_10_to_80_min": 3.0,
    "range_km": 900.0,
    "top_speed_km_h": 900.0,
    "gradeability_pct": 99.0,
    "zero_to_100_km_h_s": 0.5,
}

# E-axles that state their continuous power: of others the fit says that it is unknown, and no limit excludes them.
STATED = replace(
    parts(),
    eaxles={
        name: part
        for name, part in parts().eaxles.items()
        if all(rating.continuous_power_kw is not None for rating in part.ratings)
    },
)


def ways_of(vehicle: Vehicle, candidates: Candidates | None = None, accept_unknown: bool = True) -> Ways:
    bent = replace(workspace(), vehicles={LEAF: vehicle})
    (ways,) = explore(bent, settings(), candidates or parts(), costs(), accept_unknown=accept_unknown)
    return ways


def leaf(**changes: Any) -> Vehicle:
    return changed(workspace().vehicles[LEAF], {path.replace("__", "."): value for path, value in changes.items()})


def named(hint: str) -> dict[str, float]:
    """What a hint says to write."""
    return {key: float(value) for value, key in re.findall(r" to ([\d.e+]+) \S+ \(requirements\.(\w+)\)", hint)}


def test_every_requirement_is_tried() -> None:
    assert FAR.keys() == {name for _, name, *_ in FIGURES}


@pytest.mark.parametrize("name", [*FAR])
def test_the_relaxation_named_is_enough_and_a_little_less_is_not(name: str) -> None:
    vehicle = leaf(**{f"requirements__{name}": FAR[name]})
    ways = ways_of(vehicle, STATED)
    assert not ways.batteries
    assert ways.builds == sum(ways.left_out.values())
    wanted = named(ways.hint)
    assert name in wanted
    relaxed = changed(vehicle, {f"requirements.{key}": value for key, value in wanted.items()})
    assert ways_of(relaxed, STATED).batteries
    if [*wanted] == [name]:  # the least: a part in a thousand of the way back, and nothing serves
        short = wanted[name] + 2e-3 * (FAR[name] - wanted[name])
        assert not ways_of(changed(vehicle, {f"requirements.{name}": short}), STATED).batteries


def test_two_requirements_that_nothing_meets_are_both_named() -> None:
    vehicle = leaf(requirements__range_km=900.0, requirements__zero_to_100_km_h_s=1.0)
    wanted = named(ways_of(vehicle).hint)
    assert wanted.keys() >= {"range_km", "zero_to_100_km_h_s"}
    assert ways_of(changed(vehicle, {f"requirements.{key}": value for key, value in wanted.items()})).batteries


def test_the_reasons_that_leave_out_most_are_told() -> None:
    ways = ways_of(leaf(requirements__range_km=900.0))
    reason, count = max(ways.left_out.items(), key=lambda item: item[1])
    assert f"{reason} ({count:,})" in ways.hint


def test_a_limit_that_follows_from_the_vehicle_as_built_asks_to_be_stated() -> None:
    limit = Limit("range_km", "range", "at least", 200.0, "km", stated=False)
    assert "State requirements.range_km" in _change(limit, 150.0, "it")
    charging = Limit("charge_10_to_80_min", "charging 10 to 80 %", "at most", 40.0, "min", stated=True)
    assert "leave requirements.charge_10_to_80_min out" in _change(charging, float("inf"), "it")


def test_values_are_rounded_to_the_side_that_helps() -> None:
    assert (_down(123.456), _up(123.456)) == (pytest.approx(123.4), pytest.approx(123.5))
    assert (_down(0.012345), _up(0.012345)) == (pytest.approx(0.01234), pytest.approx(0.01235))


@pytest.mark.parametrize(("limit", "value"), [("voltage_max_v", 10.0), ("voltage_min_v", 440.0)])
def test_a_voltage_window_without_a_layout_says_how_far_to_widen_it(limit: str, value: float) -> None:
    window = {"voltage_min_v": 5.0, "full_power_min_v": None, "voltage_max_v": 445.0, "class_limit_v": 1000.0}
    window[limit] = value
    vehicle = leaf(**{f"battery_bay__electrical__{name}": volt for name, volt in window.items()})
    ways = ways_of(vehicle)
    assert ways.builds == 0
    assert ways.not_built["no layout: size, places or voltage window"] == len(parts().battery_modules)
    wanted = dict(re.findall(r"(battery_bay\.electrical\.\w+) to ([\d.]+) V", ways.hint))
    assert f"battery_bay.electrical.{limit}" in wanted
    wider = changed(vehicle, {path: float(volt) for path, volt in wanted.items()})
    assert any(layouts(module, wider) for module in parts().battery_modules.values())


def test_a_bay_without_room_says_so() -> None:
    vehicle = leaf(battery_bay__place={}, battery_bay__bay={"length_mm": 50.0, "width_mm": 50.0, "height_mm": 50.0})
    assert f"of {len(parts().battery_modules)} modules 0 go into it" in ways_of(vehicle).hint


def test_inverters_that_bear_no_battery_are_named() -> None:
    low = {
        name: changed(part, {"inverter.voltage_max_v": 250.0, "inverter.full_power_max_v": None})
        for name, part in parts().eaxles.items()
    }
    vehicle = leaf(eaxle_mounts__0__electrical__voltage_max_v=240.0, eaxle_mounts__0__electrical__voltage_min_v=None)
    ways = ways_of(vehicle, replace(parts(), eaxles=low))
    assert ways.left_out["voltage above what an inverter bears"] > 0
    assert "bear 250 V at most: add an e-axle for" in ways.hint


def test_a_mount_that_no_eaxle_fits_names_the_nearest_and_its_reason() -> None:
    ways = ways_of(leaf(eaxle_mounts__0__peak_power_kw=900.0))
    assert "no e-axle fits the mount front; nearest is" in ways.hint
    assert "at least 900 kW required" in ways.hint
    assert ways.builds == sum(ways.left_out.values()) > 0


@pytest.mark.parametrize("mass", [60.0, 150.0])
def test_a_bay_that_no_module_fits_names_the_nearest_and_its_reason(mass: float) -> None:
    ways = ways_of(leaf(battery_bay__max_mass_kg=mass))
    assert "no battery module fits the bay; nearest is" in ways.hint
    assert ways.builds == sum(ways.left_out.values()) > 0


def test_parts_that_only_lack_answers_are_named_where_unknown_is_refused() -> None:
    silent = {name: changed(part, {"electrical.creepage_mm": None}) for name, part in parts().battery_modules.items()}
    ways = ways_of(leaf(), replace(parts(), battery_modules=silent), accept_unknown=False)
    assert not ways.batteries
    assert "unknown" in ways.hint


def test_nothing_on_offer_is_said() -> None:
    assert "there is none on offer" in ways_of(leaf(), replace(parts(), eaxles={})).hint
    assert "none has a layout in it" in ways_of(leaf(), replace(parts(), battery_modules={})).hint
