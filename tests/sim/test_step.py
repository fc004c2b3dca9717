from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sim.vehicles import any_vehicle, finite, leaf, lossless

from kyotsu.sim.drive import LIMITERS
from kyotsu.sim.parameters import VehicleParameters
from kyotsu.sim.step import Flows, Input, Moment, State, step, supply_of, wheel_demand
from kyotsu.units import STANDARD_GRAVITY

Array = np.ndarray[tuple[int], np.dtype[np.float64]]


def one(value: float) -> Array:
    return np.array([value])


def drive(
    vehicle: VehicleParameters,
    speed: float,
    asked: float,
    slope: float = 0.0,
    soc: float = 0.5,
    duration: float = 1.0,
    wind: float = 0.0,
) -> tuple[State, Flows]:
    start = State(one(speed), one(soc), one(0.0))
    return step(vehicle, start, Input(one(asked), one(slope), one(duration), one(wind)))


def limiter(flows: Flows) -> str:
    return LIMITERS[int(flows.limiter[0])]


def test_steady_speed_costs_road_load_times_speed() -> None:
    after, flows = drive(lossless(), 20.0, 20.0)
    assert flows.cells[0] == pytest.approx((100.0 + 20.0 + 200.0) * 20.0)
    assert after.soc[0] == pytest.approx(0.5 - 6400.0 / 400.0 / (100.0 * 3600.0))
    assert after.distance[0] == 20.0


def test_braking_gives_the_motion_back_less_the_road() -> None:
    _, flows = drive(lossless(), 20.0, 19.0)
    kinetic = 0.5 * 1000.0 * (20.0**2 - 19.0**2)
    road = (100.0 + 19.5 + 0.5 * 19.5**2) * 19.5
    assert flows.cells[0] == pytest.approx(road - kinetic)
    assert flows.friction_brake[0] == pytest.approx(0.0, abs=1e-9)


def test_the_brakes_take_what_the_motors_are_not_asked_for() -> None:
    _, flows = drive(lossless(regeneration_share=0.6), 20.0, 18.0)
    total = -(flows.road + flows.kinetic)[0]
    assert flows.friction_brake[0] == pytest.approx(0.4 * total)


def test_motors_fade_out_towards_rest() -> None:
    slow = lossless(regeneration_start_mps=2.0, regeneration_full_mps=4.0)
    assert drive(slow, 2.0, 1.0)[1].terminals[0] == pytest.approx(0.0, abs=1e-9)
    assert drive(slow, 3.5, 2.5)[1].friction_brake[0] == pytest.approx(
        -0.5 * (drive(slow, 3.5, 2.5)[1].road + drive(slow, 3.5, 2.5)[1].kinetic)[0]
    )


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"peak_torque_nm": 30.0}, "motor_torque"),
        ({"peak_power_kw": 10.0}, "motor_power"),
        ({"friction": 0.05}, "tyre"),
        ({"discharge_current_a": 25.0}, "battery"),
        ({"maximum_speed_rpm": 4000.0}, "motor_speed"),
    ],
)
def test_what_limits_is_named(change: dict[str, float], name: str) -> None:
    after, flows = drive(lossless(**change), 12.0, 18.0)
    assert limiter(flows) == name
    assert after.speed[0] < 18.0


def test_an_empty_battery_is_named_and_the_vehicle_rolls_out() -> None:
    after, flows = drive(lossless(auxiliary_power_w=500.0), 12.0, 12.0, soc=0.03)
    assert limiter(flows) == "battery_empty"
    assert flows.cells[0] == 0.0
    assert 11.0 < after.speed[0] < 12.0


def test_at_the_power_limit_the_force_balance_holds() -> None:
    after, _ = drive(lossless(peak_power_kw=10.0), 12.0, 18.0)
    mean = 0.5 * (12.0 + after.speed[0])
    force = 10e3 / mean - (100.0 + mean + 0.5 * mean**2)
    assert after.speed[0] - 12.0 == pytest.approx(force / 1000.0, rel=1e-9)


def test_at_the_tyre_limit_the_force_is_friction_times_load() -> None:
    after, _ = drive(lossless(friction=0.1, height_per_wheelbase=0.3), 5.0, 18.0)
    acceleration = after.speed[0] - 5.0
    mean = 5.0 + 0.5 * acceleration
    grip = 0.1 * 1000.0 * (0.6 * STANDARD_GRAVITY - 0.3 * acceleration)
    assert 1000.0 * acceleration == pytest.approx(grip - (100.0 + mean + 0.5 * mean**2), rel=1e-9)


def test_a_vehicle_that_cannot_climb_stands() -> None:
    after, flows = drive(lossless(peak_torque_nm=10.0), 0.0, 5.0, slope=0.3)
    assert after.speed[0] == 0.0
    assert after.distance[0] == 0.0
    assert limiter(flows) == "motor_torque"


def test_a_step_of_no_length_changes_nothing() -> None:
    after, flows = drive(leaf(), 15.0, 0.0, duration=0.0)
    assert (after.speed[0], after.soc[0], after.distance[0]) == (15.0, 0.5, 0.0)
    assert flows.kinetic[0] == 0.0


def test_demand_at_rest_is_none() -> None:
    start, asked = State(one(0.0), one(0.5), one(0.0)), Input(one(0.0), one(0.2), one(1.0), one(0.0))
    moment = Moment(leaf(), start, asked, supply_of(leaf(), one(0.5), one(1.0)))
    assert wheel_demand(moment, one(0.0))[0] == 0.0


def test_the_auxiliaries_come_first() -> None:
    supply = supply_of(lossless(auxiliary_power_w=500.0, discharge_current_a=1.0), one(0.5), one(1.0))
    assert (supply.auxiliary[0], supply.discharge[0]) == (400.0, 0.0)


@given(
    any_vehicle(),
    st.floats(0.0, 60.0),
    st.floats(0.0, 60.0),
    st.floats(-0.5, 0.5),
    st.floats(0.0, 1.0),
    st.floats(0.01, 10.0),
)
def test_every_step_conserves_energy_and_keeps_its_limits(
    vehicle: VehicleParameters, speed: float, asked: float, slope: float, soc: float, duration: float
) -> None:
    after, flows = drive(vehicle, speed, asked, slope, soc, duration)
    assert finite(*after, *flows)
    out = flows.road + flows.grade + flows.kinetic + flows.friction_brake
    out = out + flows.drive_loss + flows.auxiliary + flows.battery_loss
    moved = sum(float(abs(flow[0])) for flow in flows[:-1]) + 1.0
    assert abs(float((flows.cells - out)[0])) < 1e-9 * moved
    assert 0.0 <= after.speed[0] <= max(asked, speed) + 1e-9
    for gained in (flows.friction_brake, flows.drive_loss, flows.battery_loss, flows.auxiliary):
        assert gained[0] >= -1e-9 * moved
    battery = vehicle.battery
    current = (soc - after.soc[0]) * battery.capacity[0] / duration
    assert current <= battery.discharge_current[0] * (1.0 + 1e-6) + 1e-6
    assert current >= -battery.charge_current[0] * (1.0 + 1e-6) - 1e-6
    top = asked if limiter(flows) == "none" else np.inf
    assert after.speed[0] == pytest.approx(top) or limiter(flows) != "none"
