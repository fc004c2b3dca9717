"""What nobody should ask for: refused at the edge with a reason, or flagged; never NaN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest
from tests.sim.vehicles import finite, leaf

from kyotsu.errors import InputError
from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.build import build_parameters, filled
from kyotsu.sim.climate import Climate
from kyotsu.sim.components import generic_vehicle
from kyotsu.sim.cycles import Cycle, make_cycle
from kyotsu.sim.label import labels
from kyotsu.sim.parameters import map_arrays, stack, take
from kyotsu.sim.simulate import Results, Validity, simulate
from kyotsu.spec.build import Build, as_built
from kyotsu.spec.workspace import load_workspace
from spec.workspaces import TWO_MAKERS, changed, eaxle_of, vehicle_of

Backend = Callable[..., Results]
BACKENDS = pytest.mark.parametrize("drive", [simulate, simulate_batch])
COLD = Climate(ambient_c=-10.0)


def arrays(results: Results) -> list[object]:
    return [
        getattr(results, field.name) for field in fields(results) if field.name not in ("cycles", "history", "warmth")
    ]


def sound(results: Results) -> bool:
    first = np.where(np.isinf(results.first_limited_s), 0.0, results.first_limited_s)  # infinity: never limited
    others = replace(results, first_limited_s=first)
    warm = [value for group in results.warmth or () for value in group]
    return finite(*(value for value in arrays(others) if isinstance(value, np.ndarray)), *results.ledger, *warm)


@pytest.mark.parametrize("mass", [0.0, -1500.0, np.nan, np.inf])
def test_a_car_without_mass_is_refused_by_the_builder(mass: float) -> None:
    with pytest.raises(InputError, match="mass"):
        generic_vehicle(mass_kg=mass, road_load_a_n=100.0, road_load_b_n_per_mps=2.0, road_load_c_n_per_mps2=0.4)
    with pytest.raises(InputError, match="mass_kg"):
        labels(mass_kg=mass, road_load_a_n=100.0, road_load_b_n_per_mps=2.0, road_load_c_n_per_mps2=0.4)


@BACKENDS
@pytest.mark.parametrize("climate", [None, COLD])
def test_one_that_came_in_all_the_same_is_flagged_and_blank(drive: Backend, climate: Climate | None) -> None:
    cars = take(leaf(), np.zeros(3, dtype=np.int64))
    cars = cars._replace(chassis=cars.chassis._replace(mass=np.array([0.0, -1500.0, 1757.7])))
    results = drive(cars, "jp1015", climate=climate)
    assert results.validity[:, 0].tolist() == [Validity.INVALID_PARAMETERS, Validity.INVALID_PARAMETERS, 0]
    assert not results.consumption_ac_wh_per_km[:2].any()
    assert sound(results)


RISING, SPEED = np.array([0.0, 1.0, 2.0]), np.array([0.0, 3.0, 0.0])


@pytest.mark.parametrize(
    ("time", "speed", "expected"),
    [
        ([0.0, np.nan, 2.0], SPEED, "time_s.*nan"),
        ([0.0, 2.0, 1.0], SPEED, "found 1 s; expected more than 2 s"),
        ([0.0, 1.0, 1.0], SPEED, "expected more than 1 s"),
        ([-np.inf, 0.0, np.inf], SPEED, "time_s"),
        (RISING, [0.0, np.nan, 0.0], "speed_mps.*nan"),
        (RISING, [0.0, -3.0, 0.0], "speed_mps.*-3"),
        (RISING, [0.0, 3.0], "3 times, 2 speeds"),
        ([0.0], [0.0], "1 usable samples"),
    ],
)
def test_a_trace_that_is_none_is_refused_however_it_is_made(time: object, speed: object, expected: str) -> None:
    time, speed = np.array(time), np.array(speed)
    with pytest.raises(InputError, match=expected):
        make_cycle("bad", time, speed)
    with pytest.raises(InputError, match=expected):
        Cycle("bad", time, speed, np.zeros_like(time))


@BACKENDS
@pytest.mark.parametrize("climate", [None, COLD])
def test_no_vehicles_give_empty_results_that_can_be_told(drive: Backend, climate: Climate | None) -> None:
    results = drive(take(leaf(), np.zeros(0, dtype=np.int64)), ("jp1015", "us06"), climate=climate)
    assert results.distance_km.shape == results.ledger.wall_wh.shape == (0, 2)
    assert results.limiter() == []
    assert repr(results).startswith("Results: 0 vehicles on 2 cycles")
    assert len(results.to_pandas()) == 0


def test_nothing_stacks_to_nothing() -> None:
    with pytest.raises(InputError, match="an empty batch"):
        stack([])


@BACKENDS
@pytest.mark.parametrize("soc", [-0.01, 1.01, np.nan, np.inf])
def test_a_state_of_charge_outside_0_to_1_is_refused(drive: Backend, soc: float) -> None:
    with pytest.raises(InputError, match="0 to 1"):
        drive(leaf(), "jp1015", initial_soc=soc)


@BACKENDS
@pytest.mark.parametrize("soc", [0.0, 1.0])
@pytest.mark.parametrize("climate", [None, COLD])
def test_its_ends_are_outside_the_usable_window_and_give_numbers(
    drive: Backend, soc: float, climate: Climate | None
) -> None:
    results = drive(leaf(), "jp1015", initial_soc=soc, climate=climate)
    assert sound(results)
    assert bool(results.validity[0, 0] & Validity.BATTERY_EMPTY) == (soc == 0.0)


@BACKENDS
@pytest.mark.parametrize("ambient_c", [-60.0, 60.0])
def test_the_bounds_of_the_weather_give_numbers(drive: Backend, ambient_c: float) -> None:
    results = drive(leaf(), "jp1015", climate=Climate(ambient_c=ambient_c, solar_w=1000.0))
    assert sound(results)
    assert results.warmth is not None
    assert abs(results.warmth.heat.closure()[0, 0]) < 1e-9


@pytest.mark.slow
def test_a_million_identical_rows_are_a_million_identical_answers() -> None:
    """As views of one car: nothing copies the batch as a whole."""
    count = 1_000_000
    cars = map_arrays(lambda values: np.broadcast_to(values, (count, *values.shape[1:])), leaf())
    found = simulate_batch(cars, make_cycle("short", [0.0, 5.0, 10.0, 15.0], [0.0, 10.0, 10.0, 0.0]))
    assert np.ptp(found.consumption_ac_wh_per_km) == np.ptp(found.final_soc) == 0.0
    assert not found.validity.any()


MAP = {"speed_rpm": [0.0, 7000.0, 14000.0], "torque_nm": [0.0, 400.0], "loss_w": [[0.0, 500.0, 1e3], [9e2, 2e3, 4e3]]}


def with_map(**changes: list[float]) -> Build:
    """A build whose e-axle states its losses as a map."""
    workspace = load_workspace(TWO_MAKERS)
    eaxle = eaxle_of(workspace)
    mapped = changed(eaxle, {"loss_model": None, "loss_map": {**MAP, **changes}})
    build, missing = as_built("alpha/hatch", vehicle_of(workspace), {eaxle.id: mapped})
    assert build is not None, missing
    return build


def test_a_loss_map_that_ends_before_the_motor_does_is_named() -> None:
    assert not [name for name in filled(with_map(speed_rpm=[0.0, 8000.0, 30000.0])) if "loss" in name]
    named = filled(with_map(speed_rpm=[0.0, 2000.0, 4000.0], torque_nm=[0.0, 20.0]))
    assert [name.split()[-1] for name in named if "loss" in name] == ["loss_map.speed_rpm", "loss_map.torque_nm"]


def test_beyond_its_map_a_motor_still_loses_and_the_drive_gives_numbers() -> None:
    car = build_parameters([with_map(speed_rpm=[0.0, 1000.0, 2000.0], torque_nm=[0.0, 20.0])])
    results = simulate(car, "us06")
    assert sound(results)
    assert results.ledger.drive_loss_wh[0, 0] > 0.0
