"""The compiled backend gives the answers of the numpy reference."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.sim.vehicles import any_vehicle, finite, kei, leaf, lossless

from kyotsu.errors import InputError
from kyotsu.sim.batch import PART, Precision, mirrored, referred, simulate_batch
from kyotsu.sim.car_table import load_validation_cars
from kyotsu.sim.cycles import CYCLES, Cycle, load_cycle, make_cycle
from kyotsu.sim.kernel import COMMON, PARAMETERS, WIDTH, row_fields, vehicle_source
from kyotsu.sim.parameters import FloatArray, VehicleParameters, map_arrays, stack, take
from kyotsu.sim.simulate import LEAST_DISTANCE_KM, Results, Validity, simulate
from kyotsu.sim.step import Input, State, step

TOLERANCE = {"float64": 1e-9, "float32": 1e-4}


def deviations(one: Results, other: Results) -> dict[str, float]:
    """Largest difference of each table, over the size of what it measures."""
    energy = sum(np.abs(part) for part in one.ledger) + 1.0
    sizes: dict[str, tuple[FloatArray, FloatArray, FloatArray | float]] = {
        name: (mine, theirs, energy)
        for name, mine, theirs in zip(one.ledger._fields, one.ledger, other.ledger, strict=True)
    }
    for name in ("distance_km", "final_soc", "shortfall_km_h", "trace_distance_km", "consumption_ac_wh_per_km"):
        mine = getattr(one, name)
        sizes[name] = (mine, getattr(other, name), np.abs(mine) + 1.0)
    return {name: float(np.max(np.abs(mine - theirs) / size)) for name, (mine, theirs, size) in sizes.items()}


def same(one: Results, other: Results, tolerance: float = TOLERANCE["float64"]) -> bool:
    different = {name: value for name, value in deviations(one, other).items() if not value <= tolerance}
    assert not different
    assert (one.validity == other.validity).all()
    np.testing.assert_allclose(other.missed_s, one.missed_s, atol=1e-3)
    np.testing.assert_allclose(other.limited_s, one.limited_s, atol=1e-3)
    return True


@pytest.mark.parametrize("soc", [0.0, 0.03, 0.05, 0.6, 0.97, 1.0])
def test_real_cars_on_all_cycles(soc: float) -> None:
    cars = load_validation_cars()
    some = take(cars.vehicles(), np.arange(0, len(cars), 8))
    same(simulate(some, CYCLES, initial_soc=soc), simulate_batch(some, CYCLES, initial_soc=soc))


def test_weak_vehicles_that_miss_the_trace() -> None:
    cars = stack([kei(), lossless(peak_power_kw=8.0, discharge_current_a=12.0), kei()])
    reference = simulate(cars, CYCLES)
    assert (reference.missed_s > 0.0).any(axis=1).all()
    same(reference, simulate_batch(cars, CYCLES))


def test_a_battery_that_runs_empty() -> None:
    reference = simulate(kei(), "wltc_3b", initial_soc=0.05)
    assert reference.validity[0, 0] & Validity.BATTERY_EMPTY
    same(reference, simulate_batch(kei(), "wltc_3b", initial_soc=0.05))


def test_a_motor_at_its_top_speed() -> None:
    slow = lossless(maximum_speed_rpm=6000.0)
    reference = simulate(slow, "hwfet")
    assert reference.limiter() == [["motor_speed"]]
    same(reference, simulate_batch(slow, "hwfet"))


Rows = list[tuple[float, float, float]]
any_trace = st.lists(
    st.tuples(st.floats(0.1, 30.0), st.floats(0.0, 60.0), st.floats(-0.3, 0.3)), min_size=2, max_size=12
)


def trace(rows: Rows) -> Cycle:
    steps, speed, grade = np.array(rows).T
    return make_cycle("any", np.cumsum(steps), speed, grade)


@settings(max_examples=100, deadline=None)
@given(st.lists(any_vehicle(), min_size=1, max_size=3), any_trace, st.floats(0.0, 1.0))
def test_any_vehicles_on_any_trace(vehicles: list[VehicleParameters], rows: Rows, soc: float) -> None:
    batch, cycle = stack(vehicles), trace(rows)
    reference = simulate(batch, cycle, initial_soc=soc)
    assume((np.abs(reference.distance_km - LEAST_DISTANCE_KM) > 1e-9).all())  # there rounding decides what counts
    same(reference, simulate_batch(batch, cycle, initial_soc=soc))


def test_single_precision() -> None:
    cars = stack([leaf(), kei()] + [lossless()] * 3)
    names = ("udds", "hwfet", "wltc_3b", "jc08")
    same(simulate(cars, names), simulate_batch(cars, names, dtype="float32"), TOLERANCE["float32"])


def least_loss(vehicles: VehicleParameters) -> VehicleParameters:
    flags = np.ones(vehicles.vehicle_count)
    return vehicles._replace(chassis=vehicles.chassis._replace(least_loss_split=flags))


def test_axles_that_share_so_that_they_lose_least() -> None:
    table = load_validation_cars()
    fixed = take(table.vehicles(), np.flatnonzero(table.layout == "all")[::12])
    # A small motor in front: half and half is then not what loses least.
    loss = fixed.front.loss._replace(torque_speed=1.5 * fixed.front.loss.torque_speed)
    fixed = fixed._replace(front=fixed.front._replace(loss=loss))
    cars = stack([fixed, least_loss(fixed)])
    reference = simulate(cars, ("jp1015", "us06"))
    same(reference, simulate_batch(cars, ("jp1015", "us06")))
    half = fixed.vehicle_count
    assert (reference.ledger.drive_loss_wh[half:] < reference.ledger.drive_loss_wh[:half]).all()


def test_wind_and_first_limits_in_both_backends() -> None:
    cars = stack([leaf(), kei()])
    windy = make_cycle("windy", np.arange(60.0), np.linspace(0.0, 30.0, 60), 0.02, np.linspace(-25.0, 25.0, 60))
    reference, batch = simulate(cars, windy), simulate_batch(cars, windy)
    same(reference, batch)
    assert (reference.first_limited_s == batch.first_limited_s).all()
    assert (np.isfinite(reference.first_limited_s) == (reference.limited_s > 0.0))[..., 1:].all()
    calm = simulate_batch(cars, make_cycle("calm", np.arange(60.0), np.linspace(0.0, 30.0, 60), 0.02))
    assert (calm.ledger.road_wh != batch.ledger.road_wh).all()


def test_a_batch_of_more_than_one_part_and_an_odd_tile() -> None:
    kinds = stack([leaf(), kei(), take(load_validation_cars().vehicles(), np.array([0]))])
    many = take(kinds, np.arange(3 * PART + WIDTH + 7) % 3)
    results = simulate_batch(many, "jp1015", threads=3)
    same(simulate(kinds, "jp1015"), simulate_batch(kinds, "jp1015"))
    for kind in range(3):
        assert np.unique(results.consumption_ac_wh_per_km[kind::3]).size == 1


def test_any_number_of_threads_gives_the_same_answer() -> None:
    cars = take(load_validation_cars().vehicles(), np.arange(3000) % 160)
    one, four = (simulate_batch(cars, "jp1015", threads=threads).final_soc for threads in (1, 4))
    assert (one == four).all()


@pytest.mark.parametrize("turned", [referred, mirrored])
@pytest.mark.parametrize("speed", [8.0, 14.0, 30.0])
def test_referred_and_mirrored_vehicles_do_the_same(
    turned: Callable[[VehicleParameters], VehicleParameters], speed: float
) -> None:
    cars = take(load_validation_cars().vehicles(), np.arange(160))
    one = np.ones(cars.vehicle_count)
    state, asked = State(12.0 * one, 0.5 * one, 0.0 * one), Input(speed * one, 0.02 * one, one, -3.0 * one)
    for mine, theirs in zip(step(cars, state, asked), step(turned(cars), state, asked), strict=True):
        for name, value, other in zip(mine._fields, mine, theirs, strict=True):
            np.testing.assert_allclose(other, value, rtol=1e-9, atol=1e-6, err_msg=name)


def test_impossible_parameters_blank_their_row_and_no_other() -> None:
    cars = stack([leaf(), leaf(), leaf()])
    bad = cars._replace(
        chassis=cars.chassis._replace(mass=np.array([np.nan, 1757.7, 1757.7])),
        battery=cars.battery._replace(capacity=np.array([1e5, -1.0, cars.battery.capacity[2]])),
    )
    results = simulate_batch(bad, "jp1015")
    same(simulate(bad, "jp1015"), results)
    assert results.validity[:, 0].tolist() == [Validity.INVALID_PARAMETERS, Validity.INVALID_PARAMETERS, 0]


def test_a_batch_of_nothing_but_impossible_vehicles() -> None:
    bad = map_arrays(lambda values: values * np.nan, leaf())
    results = simulate_batch(bad, ("udds", "us06"))
    assert (results.validity == Validity.INVALID_PARAMETERS).all()
    assert finite(*results.ledger, results.final_soc)


def test_no_vehicle_gives_empty_tables() -> None:
    results = simulate_batch(take(leaf(), np.zeros(0, dtype=np.int64)), ("udds", "us06"))
    assert results.distance_km.shape == (0, 2)


def test_very_many_vehicles_take_little_memory_beyond_their_tables() -> None:
    """In a process of its own, for the most memory ever used counts from its start."""
    code = """
import resource, numpy as np
from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.components import generic_vehicle
from kyotsu.sim.parameters import map_arrays
car = generic_vehicle(mass_kg=1700.0, road_load_a_n=110.0, road_load_b_n_per_mps=3.0, road_load_c_n_per_mps2=0.4)
count = 200_000
simulate_batch(car, "jp1015")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
# Views of one car: the batch itself takes nothing.
cars = map_arrays(lambda values: np.broadcast_to(values, (count, *values.shape[1:])), car)
results = simulate_batch(cars, "jp1015", dtype="float64")
assert np.ptp(results.final_soc) == 0.0
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / count)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1000.0  # bytes per vehicle; its results are 250


def test_other_threads_go_on_meanwhile() -> None:
    cars = take(leaf(), np.zeros(20 * PART, dtype=np.int64))
    simulate_batch(leaf(), "jp1015")
    running = threading.Thread(target=simulate_batch, args=(cars, "jp1015"), kwargs={"threads": 1})
    gaps = [0.0]
    running.start()
    last = time.perf_counter()
    while running.is_alive():
        now = time.perf_counter()
        gaps.append(now - last)
        last = now
        time.sleep(0)
    assert len(gaps) > 100, "the simulation held the interpreter"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"initial_soc": 1.2}, "1.2; expected 0 to 1"),
        ({"dtype": "float16"}, "'float16'; expected float64 or float32"),
        ({"threads": 0}, "threads"),
    ],
)
def test_a_wrong_question_is_refused(arguments: dict[str, float], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        simulate_batch(leaf(), "udds", **arguments)  # type: ignore[arg-type]


def test_every_parameter_has_one_row() -> None:
    for kind in COMMON:
        rows, source = row_fields(kind), vehicle_source(kind)
        assert len(rows) == len(set(rows)) == source.count("tile[")
        assert f"tile[{PARAMETERS} * WIDTH + place]" in source


@pytest.mark.slow
def test_a_fresh_process_starts_from_the_cache(tmp_path: Path) -> None:
    code = """
import time
from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.components import generic_vehicle
car = generic_vehicle(mass_kg=1700.0, road_load_a_n=110.0, road_load_b_n_per_mps=3.0, road_load_c_n_per_mps2=0.4)
begin = time.process_time()
simulate_batch(car, "udds", threads=1)
print(time.process_time() - begin)
"""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    cold, warm = (
        float(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)
        for _ in range(2)
    )
    assert warm < 1.0 < cold


@pytest.mark.slow
def test_kernels_compiled_by_different_processes_do_not_mix(tmp_path: Path) -> None:
    """Numba numbers functions anew in each process, and once called those of one kernel from another."""
    code = """
import sys, numpy as np
from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.car_table import load_validation_cars
from kyotsu.sim.parameters import take
from kyotsu.sim.simulate import simulate
cars = load_validation_cars().vehicles()
one_axle = cars.rear.peak_torque == 0.0
chosen = {"one": one_axle, "two": ~one_axle, "all": np.ones_like(one_axle)}[sys.argv[1]]
some = take(cars, np.flatnonzero(chosen)[::10])
batch, reference = simulate_batch(some, "jp1015", threads=1), simulate(some, "jp1015")
print(np.abs(batch.consumption_ac_wh_per_km - reference.consumption_ac_wh_per_km).max())
"""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    for group in ("one", "two", "all"):
        command = [sys.executable, "-c", code, group]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert float(done.stdout) < 1e-7, group


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_all_real_cars_in_both_precisions(dtype: Precision) -> None:
    cars = load_validation_cars().vehicles()
    names = (*CYCLES, load_cycle("udds"))
    same(simulate(cars, names), simulate_batch(cars, names, dtype=dtype), TOLERANCE[dtype])
