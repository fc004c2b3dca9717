from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sim.vehicles import leaf

from kyotsu.sim.car_table import load_validation_cars
from kyotsu.sim.drive import (
    LIMITERS,
    AxleForces,
    ElectricTerms,
    electric_scale,
    electric_terms,
    force_limit,
    least_loss_share,
    loss_power,
    loss_terms,
    share_force,
)
from kyotsu.sim.parameters import LossParameters, drive_parameters, loss_parameters, take

Array = np.ndarray[tuple[int], np.dtype[np.float64]]


def one(value: float) -> Array:
    return np.array([value])


# Nine-term fit to the measured map of the Honda EV Plus motor and controller (NREL ADVISOR data file, 49 kW):
# peak efficiency of the map 0.961, rms error of the fit 0.013.
EV_PLUS = loss_parameters(speed=1.33661, speed3=2.99064e-6, torque=3.53286, torque2=0.0994347, torque_speed=0.0107989)


def efficiency(loss: LossParameters, speed: float, torque: float) -> float:
    return speed * torque / (speed * torque + float(loss_power(loss, one(speed), one(torque))[0]))


def test_a_measured_motor_keeps_its_efficiency() -> None:
    grid = [(speed, torque) for speed in range(50, 890, 20) for torque in range(5, 270, 5) if speed * torque < 49e3]
    best = max(efficiency(EV_PLUS, speed, torque) for speed, torque in grid)
    assert best == pytest.approx(0.961, abs=0.02)
    assert efficiency(EV_PLUS, 100.0, 250.0) < 0.85


@given(st.floats(0.0, 1500.0), st.floats(-500.0, 500.0))
def test_loss_is_the_printed_polynomial_the_same_driving_and_braking(w: float, t: float) -> None:
    loss = loss_parameters(
        constant=10.0, speed=0.5, speed2=1e-4, speed3=1e-6, torque=0.3, torque2=0.05, torque_speed=0.02,
        torque2_speed=1e-5, torque_speed2=1e-6,
    )  # fmt: skip
    size = abs(t)
    expected = (10.0 if w > 0.0 else 0.0) + 0.5 * w + 1e-4 * w**2 + 1e-6 * w**3
    expected += 0.3 * size + 0.05 * t**2 + 0.02 * size * w + 1e-5 * t**2 * w + 1e-6 * size * w**2
    assert loss_power(loss, one(w), one(t))[0] == pytest.approx(expected)
    assert loss_power(loss, one(w), one(t))[0] == loss_power(loss, one(w), one(-t))[0]


def test_force_is_limited_by_torque_then_power_and_by_the_tyre() -> None:
    drive = drive_parameters(
        gear_ratio=10.0, peak_torque_nm=200.0, peak_power_kw=100.0, maximum_speed_rpm=1e4, loss=loss_parameters()
    )
    radius, plenty = one(0.4), one(1e6)
    slow = force_limit(drive, radius, one(1.0), plenty)
    fast = force_limit(drive, radius, one(40.0), plenty)
    slippery = force_limit(drive, radius, one(1.0), one(3000.0))
    assert (slow[0][0], LIMITERS[int(slow[1][0])]) == (5000.0, "motor_torque")
    assert (fast[0][0], LIMITERS[int(fast[1][0])]) == (2500.0, "motor_power")
    assert (slippery[0][0], LIMITERS[int(slippery[1][0])]) == (3000.0, "tyre")


@given(st.floats(-2e4, 2e4), st.floats(0.0, 1.0), st.floats(0.0, 1e4), st.floats(0.0, 1e4))
def test_axles_share_all_that_they_can_take(asked: float, share: float, front: float, rear: float) -> None:
    code = one(1.0)
    forces = share_force(one(share), one(asked), (one(front), code), (one(rear), code))
    total = float(forces.front[0] + forces.rear[0])
    assert total == pytest.approx(np.sign(asked) * min(abs(asked), front + rear))
    assert abs(forces.front[0]) <= front
    assert abs(forces.rear[0]) <= rear * (1.0 + 1e-12)
    assert (forces.limiter[0] > 0.0) == (abs(asked) > abs(total))


def test_terms_sum_to_mechanical_power_and_loss() -> None:
    car = leaf()
    code = one(0.0)
    forces = share_force(car.chassis.front_torque_share, one(1500.0), (one(9e3), code), (one(0.0), code))
    terms = electric_terms(car.chassis, car.front, car.rear, forces, one(15.0))
    ratio, radius = car.front.gear_ratio[0], car.chassis.tyre_radius[0]
    loss = loss_power(car.front.loss, one(15.0 * ratio / radius), one(1500.0 * radius / ratio))
    assert terms.idle + terms.linear + terms.square == pytest.approx(1500.0 * 15.0 + loss)
    assert terms.idle == pytest.approx(loss_terms(car.front.loss, one(15.0 * ratio / radius))[0])


powers = st.floats(-1e5, 1e5)


@given(st.floats(0.0, 2e3), powers, st.floats(0.0, 1e5), st.floats(-1e5, 0.0), st.floats(0.0, 1e5))
def test_scaled_power_stays_between_the_limits(
    idle: float, linear: float, square: float, low: float, high: float
) -> None:
    terms = ElectricTerms(one(idle), one(linear), one(square))
    scale = float(electric_scale(terms, one(low), one(high))[0])
    power = idle + linear * scale + square * scale * scale
    assert 0.0 <= scale <= 1.0
    slack = 1e-6 * (abs(idle) + abs(linear) + abs(square) + 1.0)
    assert power >= low - slack
    assert power <= max(high, idle) + slack
    if low + slack < idle + linear + square < high - slack:
        assert scale == 1.0


@given(st.floats(-8e3, 8e3), st.floats(0.1, 50.0), st.floats(0.05, 0.95))
def test_the_least_loss_split_loses_no_more_than_any_other(asked: float, speed: float, other: float) -> None:
    car = take(load_validation_cars().vehicles(), np.flatnonzero(load_validation_cars().layout == "all")[:1])
    small = car.front._replace(loss=LossParameters(*(1.3 * value for value in car.front.loss)))
    best = least_loss_share(car.chassis, small, car.rear, one(asked), one(speed))[0]

    def loss(share: float) -> float:
        forces = AxleForces(one(share * asked), one((1.0 - share) * asked), one(0.0))
        terms = electric_terms(car.chassis, small, car.rear, forces, one(speed))
        return float((terms.idle + terms.linear + terms.square)[0])

    assert 0.0 <= best <= 1.0
    assert loss(best) <= loss(other) + 1e-9 * abs(loss(other))


def test_one_driven_axle_takes_all() -> None:
    front = leaf()
    assert least_loss_share(front.chassis, front.front, front.rear, one(1e3), one(10.0)) == 1.0
    assert least_loss_share(front.chassis, front.rear, front.front, one(1e3), one(10.0)) == 0.0
