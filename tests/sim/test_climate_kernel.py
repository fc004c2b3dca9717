"""The compiled backend in a climate gives the answers of the numpy reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numba import njit
from tests.sim.test_climate import any_climate
from tests.sim.test_kernel import TOLERANCE, Rows, any_trace, same
from tests.sim.vehicles import any_vehicle, kei, leaf

from kyotsu.sim import lane
from kyotsu.sim.batch import PART, Precision, simulate_batch
from kyotsu.sim.car_table import load_validation_cars
from kyotsu.sim.climate import Climate, parked
from kyotsu.sim.climate_kernel import CLIMATE_COMMON, PARAMETERS, climate_rows, climate_source
from kyotsu.sim.cycles import make_cycle
from kyotsu.sim.parameters import VehicleParameters, map_arrays, stack, take
from kyotsu.sim.simulate import LEAST_DISTANCE_KM, Results, Validity, simulate


def alike(one: Results, other: Results, tolerance: float = TOLERANCE["float64"]) -> None:
    same(one, other, tolerance)
    assert one.warmth is not None
    assert other.warmth is not None
    for mine, theirs in zip(one.warmth, other.warmth, strict=True):
        for name, value, found in zip(mine._fields, mine, theirs, strict=True):
            scale = 300.0 if name.endswith("_c") else np.abs(one.ledger.cells_wh) + np.abs(value) + 1.0
            assert (np.abs(found - value) <= 10.0 * tolerance * scale).all(), name
    np.testing.assert_allclose(other.first_limited_s, one.first_limited_s, rtol=1e-5)


@pytest.mark.parametrize("climate", [Climate(-25.0, on_road=True), Climate(38.0, soak_c=52.0, solar_w=900.0)])
def test_real_cars_in_cold_and_heat(climate: Climate) -> None:
    cars = load_validation_cars()
    some = take(cars.vehicles(), np.arange(0, len(cars), 16))
    names = ("udds", "us06")
    alike(simulate(some, names, climate=climate), simulate_batch(some, names, climate=climate))


def test_weak_vehicles_and_an_almost_empty_battery() -> None:
    cars = stack([kei(), leaf()])
    for soc in (0.04, 0.96):
        results = [f(cars, "us06", initial_soc=soc, climate=Climate(-15.0)) for f in (simulate, simulate_batch)]
        alike(*results)


@settings(max_examples=40, deadline=None)
@given(st.lists(any_vehicle(), min_size=1, max_size=3), any_climate, any_trace, st.floats(0.0, 1.0))
def test_any_vehicles_in_any_weather_on_any_trace(
    vehicles: list[VehicleParameters], climate: Climate, rows: Rows, soc: float
) -> None:
    steps, speed, grade = np.array(rows).T
    batch, cycle = stack(vehicles), make_cycle("any", np.cumsum(steps), speed, grade, np.roll(speed, 1) / 4.0 - 5.0)
    reference = simulate(batch, cycle, initial_soc=soc, climate=climate)
    assume((np.abs(reference.distance_km - LEAST_DISTANCE_KM) > 1e-9).all())  # there rounding decides what counts
    alike(
        reference,
        simulate_batch(batch, cycle, initial_soc=soc, climate=climate),
        1e-8,
    )


def test_warm_starts_of_axles_in_front_and_behind() -> None:
    table = load_validation_cars()
    cars = take(
        table.vehicles(),
        np.concatenate([np.flatnonzero(table.layout == layout)[:2] for layout in ("front", "rear", "all")]),
    )
    before = simulate(cars, ("udds", "jp1015"), climate=Climate(0.0))
    assert before.warmth is not None
    start = parked(cars, before.warmth.end, Climate(0.0), 300.0)
    start = start._replace(rear_motor_c=start.rear_motor_c + 11.0)
    results = [f(cars, ("udds", "jp1015"), climate=Climate(0.0), start=start) for f in (simulate, simulate_batch)]
    alike(*results)


def test_many_parts_odd_tiles_and_threads() -> None:
    kinds = stack([leaf(), kei(), take(load_validation_cars().vehicles(), np.array([0]))])
    many = take(kinds, np.arange(PART + 31) % 3)
    results = simulate_batch(many, "jp1015", threads=3, climate=Climate(-5.0))
    alike(simulate(kinds, "jp1015", climate=Climate(-5.0)), simulate_batch(kinds, "jp1015", climate=Climate(-5.0)))
    for kind in range(3):
        assert np.unique(results.consumption_ac_wh_per_km[kind::3]).size == 1


def test_impossible_vehicles_and_none() -> None:
    bad = stack([leaf(), leaf()])
    bad.thermal.battery.heat_capacity[0] = -1.0
    results = [f(bad, "jp1015", climate=Climate(-5.0)) for f in (simulate, simulate_batch)]
    alike(*results)
    assert results[1].validity[:, 0].tolist() == [Validity.INVALID_PARAMETERS, 0]
    assert simulate_batch(take(leaf(), np.zeros(0, dtype=np.int64)), "udds", climate=Climate(0.0)).warmth is not None
    nothing = map_arrays(lambda values: values * np.nan, leaf())
    assert (simulate_batch(nothing, "udds", climate=Climate(0.0)).validity == Validity.INVALID_PARAMETERS).all()


def test_every_value_has_one_row() -> None:
    for kind in CLIMATE_COMMON:
        rows, source = climate_rows(kind), climate_source(kind)
        assert len(rows) == len(set(rows))
        assert f"tile[{PARAMETERS + len(rows) - 1} * WIDTH + place]" in source


EXP, EXPM1 = njit(lane.exp), njit(lane.expm1)


@settings(deadline=None)
@given(st.floats(-40.0, 40.0))
def test_arithmetic_exponentials(value: float) -> None:
    near = 1e-10 if abs(value) <= 4.0 else 2e-5 if abs(value) <= 20.0 else 1e-2
    assert EXP(value) == pytest.approx(np.exp(value), rel=near)
    assert EXPM1(value) == pytest.approx(np.expm1(value), rel=near, abs=1e-300)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_all_real_cars_in_both_precisions(dtype: Precision) -> None:
    cars = load_validation_cars().vehicles()
    climate = Climate(-6.7)
    tolerance = {"float64": 1e-9, "float32": 1e-3}[dtype]
    one, other = simulate(cars, "udds", climate=climate), simulate_batch(cars, "udds", climate=climate, dtype=dtype)
    difference = np.abs(other.consumption_ac_wh_per_km / one.consumption_ac_wh_per_km - 1.0)
    assert difference.max() < tolerance
    assert one.warmth is not None
    assert other.warmth is not None
    assert np.abs(one.warmth.end.battery_c - other.warmth.end.battery_c).max() < 300.0 * tolerance
