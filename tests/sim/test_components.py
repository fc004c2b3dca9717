from __future__ import annotations

import numpy as np
import pytest
from tests.sim.vehicles import leaf

from kyotsu.errors import InputError
from kyotsu.sim.components import (
    FittedConstants,
    chosen_constants,
    fitted_constants,
    generic_auxiliary_power_w,
    generic_battery,
    generic_battery_energy_kwh,
    generic_drive,
    generic_drive_drag_n,
    generic_vehicle,
    priors,
    road_load_without_drive_drag_n,
)
from kyotsu.sim.drive import loss_power
from kyotsu.sim.performance import top_speed_km_h, usable_energy_kwh

OUTLINE = {
    "mass_kg": 2000.0,
    "road_load_a_n": 140.0,
    "road_load_b_n_per_mps": 2.0,
    "road_load_c_n_per_mps2": 0.4,
}


def test_fitted_constants_lie_inside_their_bounds_and_near_their_priors() -> None:
    for name, value in fitted_constants()._asdict().items():
        prior = priors()[name]
        assert prior.low < value < prior.high, name
        assert abs(value - prior.mean) < 3.0 * prior.deviation, name


def test_the_outline_is_enough() -> None:
    car = generic_vehicle(**OUTLINE)
    assert car.vehicle_count == 1
    assert car.front.peak_power[0] == pytest.approx(2000.0 * chosen_constants().power_per_mass * 1e3)
    assert car.rear.peak_power[0] == 0.0
    assert 120.0 < top_speed_km_h(car)[0] < 250.0


def test_arrays_and_scalars_mix_and_unknowns_are_filled() -> None:
    cars = generic_vehicle(
        **{**OUTLINE, "mass_kg": [1500.0, 2000.0, 2500.0]},  # type: ignore[arg-type]
        rated_power_kw=[np.nan, 200.0, 300.0],
        battery_kwh=[40.0, np.nan, 100.0],
        motor_type=["pm", "induction", "eesm"],
        layout=["front", "rear", "all"],
        model_year=[2015, 2020, 2030],
    )
    assert cars.front.peak_power.tolist() == pytest.approx([127.5e3, 0.0, 150e3])
    assert cars.rear.peak_power.tolist() == pytest.approx([0.0, 200e3, 150e3])
    assert cars.rear.loss.torque_speed[1] > cars.front.loss.torque_speed[0]
    gross = cars.battery.capacity * cars.battery.open_circuit_voltage.mean(axis=1) / 3.6e6
    assert gross == pytest.approx([40.0, generic_battery_energy_kwh(2000.0), 100.0], rel=0.02)


def test_drag_is_taken_off_the_road_and_put_into_the_drive() -> None:
    fitted = fitted_constants()
    assert road_load_without_drive_drag_n(140.0) == pytest.approx(140.0 * (1.0 - fitted.drag_share))
    car = leaf()
    speed = np.array([300.0])
    radius, ratio = car.chassis.tyre_radius, car.front.gear_ratio
    drag_power = loss_power(car.front.loss, speed, np.zeros(1))
    assert drag_power == pytest.approx(generic_drive_drag_n(1757.7) * radius / ratio * speed)


def test_losses_scale_with_the_rating() -> None:
    """At the same share of its torque a motor of twice the power loses twice as much, besides its drag."""
    small, large = (generic_drive(power_kw=power, tyre_radius_m=0.32, drag_n=0.0) for power in (100.0, 200.0))
    speed = np.array([500.0])
    losses = [loss_power(drive.loss, speed, 0.3 * drive.peak_torque)[0] for drive in (small, large)]
    assert losses[1] == pytest.approx(2.0 * losses[0])


def test_a_drive_is_efficient_where_drives_are() -> None:
    drive = generic_drive(power_kw=110.0, tyre_radius_m=0.32, drag_n=generic_drive_drag_n(1757.7))
    speed, torque = np.array([600.0]), 0.3 * drive.peak_torque
    power = speed * torque
    assert 0.88 < float((power / (power + loss_power(drive.loss, speed, torque)))[0]) < 0.94


def test_auxiliaries_never_fall_under_the_floor() -> None:
    power = generic_auxiliary_power_w([500.0, 2000.0, 3000.0], [2024, 2024, 2015])
    assert power[0] == chosen_constants().auxiliary_floor
    assert power[1] == fitted_constants().auxiliary_power
    assert power[2] > power[1] + 500.0


def test_a_one_hour_discharge_loses_the_same_share_in_every_pack() -> None:
    packs = generic_battery(energy_kwh=[20.0, 100.0], drive_power_kw=100.0)
    current = packs.capacity / 3600.0
    share = current * packs.resistance[:, 0] / packs.open_circuit_voltage.mean(axis=1)
    assert share == pytest.approx(chosen_constants().resistance_loss, rel=0.02)


def test_usable_energy_is_less_than_gross() -> None:
    assert 0.9 * 40.0 < usable_energy_kwh(leaf())[0] < 40.0


@pytest.mark.parametrize(("key", "value"), [("motor_type", "steam"), ("layout", "side")])
def test_an_unknown_kind_is_refused(key: str, value: str) -> None:
    with pytest.raises(InputError, match=f"found '{value}'; expected one of"):
        generic_vehicle(**OUTLINE, **{key: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("mass", [0.0, -1.0, np.nan, np.inf])
def test_an_impossible_mass_is_refused(mass: float) -> None:
    with pytest.raises(InputError, match=r"chassis\.mass"):
        generic_vehicle(**{**OUTLINE, "mass_kg": mass})


def test_constants_can_be_replaced() -> None:
    other = FittedConstants(*fitted_constants())._replace(charge_efficiency=0.5)
    assert generic_vehicle(**OUTLINE, fitted=other).battery.charge_efficiency[0] == 0.5


def test_one_axle_of_an_induction_all_wheel_drive_is_counted_as_excited() -> None:
    """More loss per torque and speed than with magnets: all of it with two driven wheels, half with four."""
    loss = {
        (kind, layout): generic_vehicle(**OUTLINE, motor_type=kind, layout=layout).rear.loss.torque_speed[0]
        for kind in ("pm", "induction", "eesm")
        for layout in ("rear", "all")
    }
    more = fitted_constants().excited_rotor_loss
    assert loss["induction", "rear"] - loss["pm", "rear"] == pytest.approx(more)
    assert loss["eesm", "all"] - loss["pm", "all"] == pytest.approx(more)
    assert loss["induction", "all"] - loss["pm", "all"] == pytest.approx(0.5 * more)
