from __future__ import annotations

import numpy as np
import pytest
from tests.sim.vehicles import lossless

from kyotsu.sim.road import axle_loads, breakaway, grade_force, inertia, road_load
from kyotsu.units import STANDARD_GRAVITY


def one(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value])


def test_road_load_is_the_coast_down_polynomial_and_zero_at_rest() -> None:
    chassis = lossless().chassis
    assert road_load(chassis, one(20.0), one(0.0))[0] == pytest.approx(100.0 + 20.0 + 200.0)
    assert road_load(chassis, one(0.0), one(0.0))[0] == 0.0


def test_weight_on_a_slope() -> None:
    assert grade_force(lossless().chassis, one(0.1))[0] == pytest.approx(980.665)


def test_inertia_counts_what_turns() -> None:
    assert inertia(lossless(rotating_mass_kg=50.0).chassis)[0] == 1050.0


def test_axle_loads_sum_to_the_weight_across_the_road() -> None:
    chassis = lossless(height_per_wheelbase=0.2).chassis
    front, rear = axle_loads(chassis, one(2.0), one(0.3))
    assert front[0] + rear[0] == pytest.approx(1000.0 * STANDARD_GRAVITY * np.sqrt(1.0 - 0.09))


def test_acceleration_moves_weight_to_the_rear_by_height_over_wheelbase() -> None:
    chassis = lossless(height_per_wheelbase=0.2).chassis
    at_rest, _ = axle_loads(chassis, one(0.0), one(0.0))
    pulling, _ = axle_loads(chassis, one(3.0), one(0.0))
    assert at_rest[0] == pytest.approx(0.6 * 1000.0 * STANDARD_GRAVITY)
    assert at_rest[0] - pulling[0] == pytest.approx(1000.0 * 3.0 * 0.2)


def test_no_axle_is_pulled_off_the_road() -> None:
    front, rear = axle_loads(lossless(height_per_wheelbase=1.0).chassis, one(50.0), one(0.0))
    assert front[0] == 0.0
    assert rear[0] == pytest.approx(1000.0 * STANDARD_GRAVITY)


def test_wind_acts_on_the_air_drag_alone() -> None:
    chassis = lossless().chassis
    calm, ahead, behind = (float(road_load(chassis, one(20.0), one(wind))[0]) for wind in (0.0, 10.0, -30.0))
    assert ahead - calm == pytest.approx(0.5 * (30.0**2 - 20.0**2))
    assert behind - calm == pytest.approx(0.5 * (-(10.0**2) - 20.0**2))
    assert breakaway(chassis, one(10.0))[0] == pytest.approx(100.0 + 50.0)
    assert road_load(chassis, one(0.0), one(10.0))[0] == 0.0
