"""Vehicles that several tests drive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from kyotsu.sim.components import LAYOUTS, MOTOR_TYPES, generic_vehicle
from kyotsu.sim.parameters import (
    VehicleParameters,
    battery_parameters,
    chassis_parameters,
    drive_parameters,
    loss_parameters,
    vehicle_parameters,
)


def leaf() -> VehicleParameters:
    """A car with the outline of a Leaf 40 kWh."""
    return generic_vehicle(
        mass_kg=1757.7,
        road_load_a_n=115.2,
        road_load_b_n_per_mps=3.432,
        road_load_c_n_per_mps2=0.4329,
        rated_power_kw=110.0,
        battery_kwh=40.0,
        model_year=2020,
    )


def kei() -> VehicleParameters:
    """A small car of 30 kW that no American cycle was made for."""
    return generic_vehicle(
        mass_kg=1100.0,
        road_load_a_n=90.0,
        road_load_b_n_per_mps=2.0,
        road_load_c_n_per_mps2=0.40,
        rated_power_kw=30.0,
        battery_kwh=20.0,
    )


def lossless(**changes: float) -> VehicleParameters:
    """A vehicle without losses, so that energy is by hand: 1000 kg, A 100 N, B 1 N s/m, C 0.5 N s²/m²."""
    chassis: dict[str, float] = {
        "mass_kg": 1000.0,
        "road_load_a_n": 100.0,
        "road_load_b_n_per_mps": 1.0,
        "road_load_c_n_per_mps2": 0.5,
        "rotating_mass_kg": 0.0,
        "tyre_radius_m": 0.3,
        "auxiliary_power_w": 0.0,
        "front_torque_share": 1.0,
        "friction": 1.0,
        "front_load_share": 0.6,
        "height_per_wheelbase": 0.0,
        "regeneration_share": 1.0,
        "regeneration_deceleration_m_s2": 9.0,
        "regeneration_start_mps": 0.0,
        "regeneration_full_mps": 0.0,
    }
    drive = {"peak_power_kw": 50.0, "peak_torque_nm": 120.0, "gear_ratio": 10.0, "maximum_speed_rpm": 20000.0}
    battery: dict[str, float | Sequence[float]] = {
        "cells_series": 100.0,
        "cell_voltage_v": [4.0, 4.0],
        "resistance_ohm": 0.0,
        "capacity_ah": 100.0,
        "voltage_minimum_v": 200.0,
        "voltage_maximum_v": 500.0,
        "discharge_current_a": 1000.0,
        "charge_current_a": 1000.0,
        "charge_efficiency": 1.0,
    }
    for name, value in changes.items():
        next(part for part in (chassis, drive, battery) if name in part)[name] = value  # type: ignore[index]
    return vehicle_parameters(
        chassis=chassis_parameters(**chassis),
        front=drive_parameters(**drive, loss=loss_parameters()),
        rear=None,
        battery=battery_parameters(**battery),  # type: ignore[arg-type]
    )


@st.composite
def any_vehicle(draw: st.DrawFn) -> VehicleParameters:
    """A car of any size, strength and kind."""
    mass = draw(st.floats(500.0, 5000.0))
    return generic_vehicle(
        mass_kg=mass,
        road_load_a_n=draw(st.floats(20.0, 500.0)),
        road_load_b_n_per_mps=draw(st.floats(0.0, 12.0)),
        road_load_c_n_per_mps2=draw(st.floats(0.1, 1.5)),
        rated_power_kw=draw(st.floats(0.5, 800.0)),
        motor_type=draw(st.sampled_from(MOTOR_TYPES)),
        layout=draw(st.sampled_from(LAYOUTS)),
        battery_kwh=draw(st.one_of(st.none(), st.floats(0.05, 200.0))),
        model_year=draw(st.integers(2010, 2035)),
    )


def finite(*tables: object) -> bool:
    """Whether nothing in the arrays is NaN or infinite."""
    return all(bool(np.isfinite(np.asarray(table, dtype=np.float64)).all()) for table in tables)
