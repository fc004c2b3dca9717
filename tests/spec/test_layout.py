"""Layouts are derived from places and voltages: never more parts than places, never above the window."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyotsu.spec.battery import BatteryModule, Envelope
from kyotsu.spec.layout import (
    MAX_LOST_SHARE,
    SOC_STEPS,
    Layout,
    battery_mass_kg,
    grown_size_mm,
    highest_voltage_v,
    layouts,
    nearest_layout,
    orientations_mm,
    places_for,
    window,
)
from kyotsu.spec.record import LARGEST_COUNT, interpolate
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import Workspace, load_workspace
from spec.workspaces import TWO_MAKERS, car_for_packs, changed, module_of, pack_of, vehicle_of

WORKSPACE = load_workspace(TWO_MAKERS)
MODULE, CAR = module_of(WORKSPACE), vehicle_of(WORKSPACE)


def part(**changes: Any) -> BatteryModule:
    return changed(MODULE, {name.replace("__", "."): value for name, value in changes.items()})


def car(**changes: Any) -> Vehicle:
    return changed(CAR, {f"battery_bay.{name.replace('__', '.')}": value for name, value in changes.items()})


# --- sizes ---


def test_a_part_grows_by_its_tolerance_and_along_one_side_by_swelling() -> None:
    assert grown_size_mm(MODULE.envelope) == (303.0, 201.0, 151.0)
    assert grown_size_mm(part(envelope__swelling_along="height").envelope) == (301.0, 201.0, 153.0)


@pytest.mark.parametrize("name", ["length_mm", "width_mm", "height_mm", "tolerance_mm", "swelling_mm"])
def test_a_size_that_lacks_a_value_is_unknown(name: str) -> None:
    assert grown_size_mm(changed(MODULE, {f"envelope.{name}": None}).envelope) is None


@pytest.mark.parametrize(
    ("allowed", "heights"),
    [
        (("upright",), {30.0}),
        (("on_side",), {20.0}),
        (("on_end",), {10.0}),
        (("upright", "on_side"), {30.0, 20.0}),
        (("upright", "on_side", "on_end"), {10.0, 20.0, 30.0}),
    ],
)
def test_a_part_turns_on_the_floor_and_tips_over_only_where_allowed(allowed: Any, heights: set[float]) -> None:
    envelope = Envelope(
        length_mm=10.0, width_mm=20.0, height_mm=30.0, tolerance_mm=0.0, swelling_mm=0.0, orientations=allowed
    )
    sizes = orientations_mm(envelope)
    assert {size[2] for size in sizes} == heights
    assert all(sorted(size) == [10.0, 20.0, 30.0] for size in sizes)
    assert len(sizes) == 2 * len(heights), "each way up in two directions on the floor"


# --- places ---


def test_a_part_that_fits_the_native_places_takes_those() -> None:
    assert places_for(MODULE, CAR) == 12
    assert places_for(MODULE, car(bay={})) == 12


def test_a_part_of_another_size_is_stacked_in_the_free_space() -> None:
    small = part(envelope__length_mm=147.0, envelope__width_mm=97.0)  # 150 x 98 x 151 with 2 mm around
    assert places_for(small, CAR) == max((1000 // 152) * (900 // 100), (1000 // 100) * (900 // 152)) == 54
    low = part(envelope__height_mm=80.0)  # two on top of each other: 83 mm each in 170 mm
    assert places_for(low, CAR) == 24


def test_a_part_that_is_too_large_has_no_place() -> None:
    assert places_for(part(envelope__height_mm=170.0), CAR) == 0
    assert places_for(part(envelope__height_mm=170.0, envelope__orientations=["on_end"]), CAR) == 0


def test_a_part_needs_the_clearance_too() -> None:
    tight = part(envelope__length_mm=305.0)  # 308 mm grown, and 2 mm around it, in 310 mm
    assert places_for(tight, car(bay={})) == 12
    assert places_for(tight, car(bay={}, clearance_mm=2.1)) is None


def test_a_pack_takes_the_whole_bay() -> None:
    assert places_for(pack_of(WORKSPACE), car_for_packs(WORKSPACE)) == 1
    assert places_for(changed(pack_of(WORKSPACE), {"envelope.length_mm": None}), CAR) == 1


def test_a_part_of_unknown_size_stands_only_where_it_was_made_for() -> None:
    unknown = part(envelope__length_mm=None)
    assert places_for(unknown, CAR) == 12, "the car is built with it"
    assert places_for(changed(unknown, {"id": "another"}), CAR) is None


def test_a_place_of_unknown_size_does_not_make_room() -> None:
    long = part(envelope__length_mm=600.0)
    assert places_for(long, CAR) == 4
    assert places_for(long, car(place__height_mm=None)) == 4, "as many as the free space has room for"
    assert places_for(changed(long, {"id": "another"}), car(place__height_mm=None, bay={})) is None


sizes = st.floats(20.0, 400.0)


@given(sizes, sizes, sizes, st.floats(0.0, 10.0), st.booleans())
def test_stacked_parts_do_not_take_more_than_the_bay(
    length: float, width: float, height: float, clearance: float, tips: bool
) -> None:
    orientations = ["upright", "on_side", "on_end"] if tips else ["upright"]
    module = part(
        envelope__length_mm=length, envelope__width_mm=width, envelope__height_mm=height,
        envelope__orientations=orientations,
    )  # fmt: skip
    vehicle = car(place={}, places=None, clearance_mm=clearance)
    places = places_for(module, vehicle)
    grown = grown_size_mm(module.envelope)
    assert places is not None
    assert grown is not None
    assert places * math.prod(side + clearance for side in grown) <= 1000.0 * 900.0 * 170.0 * (1.0 + 1e-9)
    if min(grown[:2]) + clearance <= 900.0 and max(grown[:2]) + clearance <= 1000.0 and grown[2] + clearance <= 170.0:
        assert places >= 1


@given(st.floats(1.0, 3.0), st.floats(1.0, 3.0), st.floats(1.0, 3.0))
def test_a_larger_bay_never_holds_fewer(length: float, width: float, height: float) -> None:
    larger = car(bay={"length_mm": 1000.0 * length, "width_mm": 900.0 * width, "height_mm": 170.0 * height})
    assert (places_for(MODULE, larger) or 0) >= 12


def test_the_number_of_places_is_bounded() -> None:
    tiny = part(**{f"envelope__{name}": 1e-6 for name in ("length_mm", "width_mm", "height_mm", "swelling_mm")})
    crumb = changed(tiny, {"envelope.tolerance_mm": 0.0})
    assert places_for(crumb, car(clearance_mm=0.0)) == LARGEST_COUNT
    assert layouts(crumb, car(clearance_mm=0.0))[0].parts <= LARGEST_COUNT


# --- layouts ---


def test_the_best_layout_uses_all_places_in_the_window() -> None:
    best = layouts(MODULE, CAR)[0]
    assert (best.places, best.series, best.strings, best.parts) == (12, 12, 1, 12)
    assert best.text == "12 parts (12 in series, 1 string)"
    assert Layout(1, 1, 1).text == "1 part"
    assert Layout(30, 12, 2).text == "24 parts (12 in series, 2 strings)"


def test_more_places_make_more_strings_not_more_voltage() -> None:
    best = layouts(MODULE, car(places=30, max_mass_kg=1000.0))[0]
    assert (best.series, best.strings) == (10, 3), "all 30 parts, above 240 V down to the last per cent"
    low = layouts(MODULE, car(places=30, max_mass_kg=1000.0, electrical__voltage_min_v=285.0))[0]
    assert (low.series, low.strings) == (12, 2), "ten in series would fall to 256 V"


def test_taking_modules_out_costs_voltage() -> None:
    """GM's Ultium: ten modules of 8s3p in series are 288 V, twelve are 96s."""
    ultium = part(cells_parallel=3, nominal_voltage_v=28.8)
    ten, twelve = (layouts(ultium, car(places=places, bay={}))[0] for places in (10, 12))
    assert ten.series * 28.8 == pytest.approx(288.0)
    assert twelve.series * ultium.cells_series == 96


def test_one_cell_class_makes_three_cars() -> None:
    """Nissan's 56 Ah cells: 96s1p is the Sakura, 96s2p the Leaf 40, 96s3p the Leaf 62."""
    block = part(cells_series=4, cells_parallel=1, envelope__height_mm=20.0)
    for strings in (1, 2, 3):
        vehicle = car(places=24 * strings, bay={}, electrical__voltage_min_v=285.0, max_mass_kg=5000.0)
        best = layouts(block, vehicle)[0]
        assert (best.series, best.strings) == (24, strings)


def test_no_layout_lies_in_a_window_that_is_too_low_or_too_high() -> None:
    high = car(electrical__voltage_min_v=700.0, electrical__full_power_min_v=750.0,
               electrical__voltage_max_v=850.0, electrical__class_limit_v=900.0)  # fmt: skip
    assert layouts(MODULE, high) == []
    assert nearest_layout(MODULE, high) == Layout(12, 12, 1)
    low = car(electrical__voltage_min_v=10.0, electrical__full_power_min_v=20.0, electrical__voltage_max_v=30.0)
    assert layouts(MODULE, low) == []
    assert nearest_layout(MODULE, low) == Layout(12, 1, 12)


def test_a_limit_that_is_met_exactly_is_met() -> None:
    exact = car(electrical__voltage_max_v=403.2)
    assert layouts(MODULE, exact)[0].series == 12


def test_a_heavy_part_fills_fewer_places() -> None:
    heavy = part(mass_kg=24.0)  # twelve of them and 60 kg of structure are above 320 kg
    best = layouts(heavy, CAR)[0]
    assert best.parts == 10
    assert battery_mass_kg(heavy, best, CAR.battery_bay) == 300.0


def test_what_is_unknown_excludes_no_layout() -> None:
    for name in ("limits.operating.cell_voltage_max_v", "curves.open_circuit_voltage", "mass_kg"):
        assert layouts(changed(MODULE, {name: None, "conforms_to": []}), CAR)[0].parts == 12
    for name in ("electrical.voltage_min_v", "electrical.voltage_max_v", "max_mass_kg", "structure_mass_kg"):
        assert layouts(MODULE, changed(CAR, {f"battery_bay.{name}": None}))[0].parts == 12


def test_no_places_no_layout() -> None:
    too_high = part(envelope__height_mm=500.0)
    assert layouts(too_high, CAR) == []
    assert nearest_layout(too_high, CAR) is None


@settings(max_examples=150)
@given(
    places=st.integers(1, 60),
    cells=st.integers(1, 40),
    mass=st.floats(1.0, 60.0),
    low=st.floats(50.0, 500.0),
    width=st.floats(1.05, 3.0),
)
def test_every_layout_has_a_place_for_each_part_and_stays_in_the_window(
    places: int, cells: int, mass: float, low: float, width: float
) -> None:
    module = part(cells_series=cells, mass_kg=mass)
    high = low * width
    electrical = {"voltage_min_v": low, "full_power_min_v": low, "voltage_max_v": high, "class_limit_v": 2000.0}
    vehicle = car(places=places, bay={}, electrical=electrical)
    found = layouts(module, vehicle)
    for layout in found:
        assert layout.parts == layout.series * layout.strings <= layout.places == places
        assert (highest_voltage_v(module, layout.series) or 0.0) <= high * (1.0 + 1e-9)
        seen = window(module, layout, vehicle.battery_bay, 0.0, 25.0)
        assert seen is not None
        assert sum(layout.series * (module.open_circuit_voltage_v(step / SOC_STEPS) or 0.0) < low
                   for step in range(SOC_STEPS + 1)) <= MAX_LOST_SHARE * (SOC_STEPS + 1)  # fmt: skip
    limit = vehicle.battery_bay.max_mass_kg or 0.0
    masses = [battery_mass_kg(module, layout, vehicle.battery_bay) or 0.0 for layout in found]
    if any(total <= limit for total in masses):
        assert masses[0] <= limit, "the best is light enough if any is"
        light = [layout for layout, total in zip(found, masses, strict=True) if total <= limit]
        most = max(layout.parts for layout in light)
        assert found[0].parts >= (1.0 - MAX_LOST_SHARE) * most
    assert len(set(found)) == len(found)


# --- the voltage window ---

FLAT = {"soc": [0.0, 1.0], "voltage_v": [3.7, 3.7]}


def test_the_voltage_under_load_follows_from_power_and_resistance() -> None:
    """U0 = 96 x 3.7 = 355.2 V and R = 12 x 5 mOhm: at 30 kW U = (U0 + sqrt(U0² - 4 R P)) / 2 = 350.0580 V."""
    flat = changed(MODULE, {"curves.open_circuit_voltage": FLAT})
    seen = window(flat, Layout(12, 12, 1), CAR.battery_bay, 30.0, 25.0)
    assert seen is not None
    assert seen.lowest_v == pytest.approx(350.0580, abs=1e-4)
    assert seen.highest_v == pytest.approx(403.2)
    assert (seen.lost_share, seen.derated_share) == (0.0, 0.0)
    current = 30_000.0 / seen.lowest_v
    assert 355.2 - 0.060 * current == pytest.approx(seen.lowest_v), "Ohm's law"


def test_two_strings_sag_half_as_much() -> None:
    flat = changed(MODULE, {"curves.open_circuit_voltage": FLAT})
    one = window(flat, Layout(24, 12, 1), CAR.battery_bay, 15.0, 25.0)
    two = window(flat, Layout(24, 12, 2), CAR.battery_bay, 30.0, 25.0)
    assert one is not None
    assert two is not None
    assert one.lowest_v == pytest.approx(two.lowest_v)


def test_a_power_that_cannot_be_drawn_is_lost() -> None:
    """The most that a source gives is U0² / 4 R = 525.7 kW, at half its voltage."""
    flat = changed(MODULE, {"curves.open_circuit_voltage": FLAT})
    inside = window(flat, Layout(12, 12, 1), CAR.battery_bay, 525.0, 25.0)
    beyond = window(flat, Layout(12, 12, 1), CAR.battery_bay, 526.0, 25.0)
    assert inside is not None
    assert beyond is not None
    assert beyond.lost_share == 1.0
    assert beyond.lowest_v == pytest.approx(355.2 / 2.0)
    assert inside.lowest_v > beyond.lowest_v


def test_the_share_below_the_window_is_that_of_the_charge() -> None:
    straight = changed(MODULE, {"curves.open_circuit_voltage": {"soc": [0.0, 1.0], "voltage_v": [3.0, 4.0]}})
    bay = car(electrical__voltage_min_v=96 * 3.25, electrical__full_power_min_v=96 * 3.5).battery_bay
    seen = window(straight, Layout(12, 12, 1), bay, 0.0, 25.0)
    assert seen is not None
    assert seen.lost_share == pytest.approx(0.25, abs=0.006)
    assert seen.derated_share == pytest.approx(0.5, abs=0.006)
    assert seen.lowest_v == pytest.approx(288.0)


def test_a_voltage_that_is_just_met_is_not_lost() -> None:
    level = changed(MODULE, {"curves.open_circuit_voltage": {"soc": [0.0, 1.0], "voltage_v": [3.5, 3.5]}})
    bay = car(electrical__voltage_min_v=336.0, electrical__full_power_min_v=336.0).battery_bay
    seen = window(level, Layout(12, 12, 1), bay, 0.0, 25.0)
    assert seen is not None
    assert (seen.lowest_v, seen.lost_share, seen.derated_share) == (336.0, 0.0, 0.0)


def test_the_cells_own_limit_counts_too() -> None:
    high = part(limits__operating__cell_voltage_min_v=3.3)
    seen = window(high, Layout(12, 12, 1), CAR.battery_bay, 0.0, 25.0)
    assert seen is not None
    assert seen.lost_share == pytest.approx(0.05, abs=0.006), "3.3 V is at 5 % of charge"


@given(st.floats(0.0, 200.0), st.floats(0.0, 200.0), st.floats(-40.0, 60.0))
def test_more_power_never_lifts_the_voltage(power: float, more: float, temperature: float) -> None:
    seen = window(MODULE, Layout(12, 12, 1), CAR.battery_bay, power, temperature)
    worse = window(MODULE, Layout(12, 12, 1), CAR.battery_bay, power + more, temperature)
    assert seen is not None
    assert worse is not None
    assert worse.lost_share >= seen.lost_share
    assert worse.derated_share >= seen.derated_share
    assert 0.0 <= worse.lost_share <= worse.derated_share <= 1.0


@pytest.mark.parametrize(
    "path",
    ["limits.operating.cell_voltage_max_v", "limits.operating.cell_voltage_min_v", "curves.resistance",
     "curves.open_circuit_voltage"],
)  # fmt: skip
def test_a_window_that_lacks_a_value_is_unknown(path: str) -> None:
    assert window(changed(MODULE, {path: None}), Layout(12, 12, 1), CAR.battery_bay, 0.0, 25.0) is None


# --- mass ---


def test_the_mass_of_a_battery_is_its_parts_and_the_bays_structure(two_makers: Workspace) -> None:
    assert battery_mass_kg(MODULE, Layout(12, 12, 1), CAR.battery_bay) == 300.0
    assert battery_mass_kg(pack_of(two_makers), Layout(1, 1, 1), CAR.battery_bay) == 300.0, "a pack brings its own"
    assert battery_mass_kg(changed(MODULE, {"mass_kg": None}), Layout(12, 12, 1), CAR.battery_bay) is None
    assert battery_mass_kg(MODULE, Layout(12, 12, 1), car(structure_mass_kg=None).battery_bay) is None


@given(
    curve=st.lists(st.floats(2.0, 4.5), min_size=3, max_size=8),
    series=st.integers(1, 40),
    strings=st.integers(1, 4),
    power_kw=st.floats(0.0, 400.0),
)
@settings(max_examples=60, deadline=None)
def test_the_window_is_that_of_looking_at_every_state_of_charge(
    curve: list[float], series: int, strings: int, power_kw: float
) -> None:
    """Found by halving; a curve need not rise."""
    soc = [step / (len(curve) - 1) for step in range(len(curve))]
    module = changed(MODULE, {"curves.open_circuit_voltage": {"soc": soc, "voltage_v": curve}})
    layout = Layout(series * strings, series, strings)
    found = window(module, layout, CAR.battery_bay, power_kw, 25.0)
    assert found is not None
    limits, electrical = module.limits.operating, CAR.battery_bay.electrical
    floor = max(electrical.voltage_min_v or 0.0, series * module.cells_series * (limits.cell_voltage_min_v or 0.0))
    full = electrical.full_power_min_v or electrical.voltage_min_v or 0.0
    drop = 4.0 * (module.resistance_ohm(25.0) or 0.0) * series / strings * power_kw * 1000.0
    lost, derated, lowest = 0, 0, found.highest_v
    for step in range(SOC_STEPS + 1):
        rest = series * (module.cells_series * interpolate(tuple(soc), tuple(curve), step / SOC_STEPS))
        root = rest**2 - drop
        loaded = (rest + math.sqrt(root)) / 2.0 if root >= 0.0 else 0.0
        lost, derated, lowest = lost + (loaded < floor), derated + (loaded < full), min(lowest, loaded or rest / 2.0)
    assert (found.lost_share, found.derated_share) == (lost / (SOC_STEPS + 1), derated / (SOC_STEPS + 1))
    assert found.lowest_v == lowest
