from __future__ import annotations

import numpy as np
import pytest
from tests.sim.vehicles import kei, leaf, lossless

from kyotsu.errors import InputError
from kyotsu.sim.parameters import (
    battery_parameters,
    chassis_parameters,
    drive_parameters,
    loss_parameters,
    map_arrays,
    no_drive,
    stack,
    take,
    vehicle_parameters,
)

CHASSIS = {
    "mass_kg": 1500.0,
    "road_load_a_n": 100.0,
    "road_load_b_n_per_mps": 1.0,
    "road_load_c_n_per_mps2": 0.4,
    "rotating_mass_kg": 40.0,
    "tyre_radius_m": 0.31,
    "auxiliary_power_w": 300.0,
    "front_torque_share": 1.0,
}
BATTERY = {
    "cells_series": 96,
    "cell_voltage_v": [3.0, 3.7, 4.2],
    "resistance_ohm": 0.1,
    "capacity_ah": 112.0,
    "voltage_minimum_v": 250.0,
    "voltage_maximum_v": 405.0,
    "discharge_current_a": 400.0,
    "charge_current_a": 200.0,
}


def test_the_builders_turn_units_into_si() -> None:
    drive = drive_parameters(
        gear_ratio=8.0, peak_torque_nm=300.0, peak_power_kw=100.0, maximum_speed_rpm=12000.0, loss=loss_parameters()
    )
    battery = battery_parameters(**BATTERY)  # type: ignore[arg-type]
    assert drive.peak_power[0] == 100e3
    assert drive.maximum_speed[0] == pytest.approx(400.0 * np.pi)
    assert battery.capacity[0] == 112.0 * 3600.0
    assert battery.open_circuit_voltage[0].tolist() == pytest.approx([288.0, 355.2, 403.2])
    assert battery.resistance.shape == (1, 3)


def test_scalars_and_arrays_mix() -> None:
    chassis = chassis_parameters(**{**CHASSIS, "mass_kg": [1000.0, 2000.0, 3000.0]})  # type: ignore[arg-type]
    assert chassis.mass.shape == chassis.friction.shape == (3,)
    table = battery_parameters(**{**BATTERY, "resistance_ohm": [[0.1, 0.09, 0.08], [0.2, 0.2, 0.2]]})  # type: ignore[arg-type]
    assert table.open_circuit_voltage.shape == table.resistance.shape == (2, 3)
    assert table.capacity.shape == (2,)


def test_all_impossible_values_are_found_at_once() -> None:
    with pytest.raises(InputError) as caught:
        chassis_parameters(**{**CHASSIS, "mass_kg": -5.0, "friction": float("nan"), "tyre_radius_m": 300.0})
    assert {p.location.key for p in caught.value.problems} == {
        "chassis.mass",
        "chassis.friction",
        "chassis.tyre_radius",
    }


@pytest.mark.parametrize("name", ["soc_minimum", "resistance_ohm", "capacity_ah", "charge_efficiency"])
def test_an_impossible_battery_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        battery_parameters(**{**BATTERY, name: -0.1})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="empty usable window"):
        battery_parameters(**BATTERY, soc_minimum=0.9, soc_maximum=0.1)  # type: ignore[arg-type]


def test_parts_of_different_batches_are_no_vehicle() -> None:
    car = leaf()
    with pytest.raises(InputError, match="chassis 1, front 2"):
        vehicle_parameters(chassis=car.chassis, front=no_drive(2), rear=None, battery=car.battery)


def test_a_stack_keeps_order_and_values() -> None:
    batch = stack([leaf(), kei(), lossless()])
    assert batch.vehicle_count == 3
    assert batch.chassis.mass.tolist() == [1757.7, 1100.0, 1000.0]
    table = leaf().battery.open_circuit_voltage
    assert batch.battery.open_circuit_voltage.shape == (3, table.shape[1])
    assert batch.battery.open_circuit_voltage[0].tolist() == table[0].tolist()
    assert np.ptp(batch.battery.open_circuit_voltage[2]) == 0.0


def test_nothing_makes_no_stack() -> None:
    with pytest.raises(InputError, match="an empty batch"):
        stack([])


def test_take_repeats_and_reorders() -> None:
    batch = take(stack([leaf(), kei()]), np.array([1, 1, 0]))
    assert batch.chassis.mass.tolist() == [1100.0, 1100.0, 1757.7]
    assert batch.front.loss.torque2.shape == (3,)


def test_map_arrays_keeps_the_shape_of_the_tree() -> None:
    doubled = map_arrays(lambda values: 2.0 * values, leaf())
    assert doubled.front.loss.torque2[0] == 2.0 * leaf().front.loss.torque2[0]
    assert type(doubled) is type(leaf())
