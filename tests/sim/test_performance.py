from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from tests.sim.vehicles import any_vehicle, finite, leaf, lossless

from kyotsu.sim.cycles import make_cycle
from kyotsu.sim.parameters import VehicleParameters
from kyotsu.sim.performance import (
    acceleration_time_s,
    gradeability_pct,
    motor_top_speed_km_h,
    range_km,
    top_speed_km_h,
    usable_energy_kwh,
)
from kyotsu.sim.simulate import simulate
from kyotsu.units import STANDARD_GRAVITY


def test_acceleration_at_constant_force_is_by_hand() -> None:
    strong = lossless(
        road_load_a_n=0.0, road_load_b_n_per_mps=0.0, road_load_c_n_per_mps2=0.0, peak_power_kw=900.0,
        discharge_current_a=9000.0,
    )  # fmt: skip
    # 120 N m · 10 / 0.3 m = 4000 N on 1000 kg: 4 m/s²
    assert acceleration_time_s(strong)[0] == pytest.approx(100.0 / 3.6 / 4.0)


def test_acceleration_at_constant_power_is_by_hand() -> None:
    weak = lossless(
        road_load_a_n=0.0, road_load_b_n_per_mps=0.0, road_load_c_n_per_mps2=0.0, peak_power_kw=20.0,
        peak_torque_nm=9e4, friction=5.0,
    )  # fmt: skip
    high, low = 100.0 / 3.6, 20.0 / 3.6
    by_hand = 1000.0 * (high**2 - low**2) / (2.0 * 20e3)
    assert acceleration_time_s(weak, from_km_h=20.0)[0] == pytest.approx(by_hand, rel=1e-4)


def test_acceleration_on_slippery_ground_is_by_hand() -> None:
    slippery = lossless(
        road_load_a_n=0.0, road_load_b_n_per_mps=0.0, road_load_c_n_per_mps2=0.0, friction=0.2,
        height_per_wheelbase=0.25,
    )  # fmt: skip
    # front drive: a = μ (g s − a h/L)  =>  a = μ g s / (1 + μ h/L)
    acceleration = 0.2 * STANDARD_GRAVITY * 0.6 / (1.0 + 0.2 * 0.25)
    assert acceleration_time_s(slippery, to_km_h=36.0)[0] == pytest.approx(10.0 / acceleration, rel=1e-4)


def test_acceleration_agrees_with_the_drive() -> None:
    car = leaf()
    time = acceleration_time_s(car, soc=0.8)[0]
    flat_out = make_cycle("flat out", np.arange(0.0, 20.0, 0.1), np.r_[0.0, np.full(199, 60.0)])
    speed = simulate(car, flat_out, initial_soc=0.8, history=True).history["flat out"]
    driven = np.interp(100.0, speed.speed_km_h[0], speed.time_s)
    assert driven == pytest.approx(time, rel=0.01)
    assert 6.0 < time < 11.0  # published for 110 kW: 7.9 s


def test_a_speed_that_is_never_reached_takes_for_ever() -> None:
    assert acceleration_time_s(lossless(peak_power_kw=2.0))[0] == np.inf
    assert acceleration_time_s(lossless(maximum_speed_rpm=8000.0))[0] == np.inf


def test_top_speed_is_the_root_of_power_against_road() -> None:
    # A v + B v² + C v³ = P
    root = max(np.roots([0.5, 1.0, 100.0, -50e3]).real)
    assert top_speed_km_h(lossless())[0] == pytest.approx(3.6 * root)


def test_top_speed_is_not_above_the_motors() -> None:
    car = lossless(maximum_speed_rpm=8000.0)
    by_hand = 8000.0 / 60.0 * 2.0 * np.pi / 10.0 * 0.3 * 3.6
    assert motor_top_speed_km_h(car)[0] == pytest.approx(by_hand)
    assert top_speed_km_h(car)[0] == pytest.approx(by_hand)


def test_gradeability_is_force_over_weight() -> None:
    sine = (2000.0 - 100.0) / (1000.0 * STANDARD_GRAVITY)
    by_hand = 100.0 * sine / np.sqrt(1.0 - sine**2)
    flat = lossless(peak_torque_nm=60.0, road_load_b_n_per_mps=0.0, road_load_c_n_per_mps2=0.0)
    assert gradeability_pct(flat)[0] == pytest.approx(by_hand)
    assert gradeability_pct(flat, at_km_h=20.0)[0] == pytest.approx(by_hand)


def test_gradeability_of_front_drive_ends_with_the_grip() -> None:
    strong = lossless(
        peak_torque_nm=2000.0, height_per_wheelbase=0.2, friction=0.8, road_load_a_n=0.0,
        road_load_b_n_per_mps=0.0, road_load_c_n_per_mps2=0.0,
    )  # fmt: skip
    # μ (s cos θ − h/L sin θ) = sin θ  =>  tan θ = μ s / (1 + μ h/L)
    assert gradeability_pct(strong)[0] == pytest.approx(100.0 * 0.8 * 0.6 / (1.0 + 0.8 * 0.2))


def test_no_grade_where_the_level_is_too_much() -> None:
    assert gradeability_pct(lossless(peak_power_kw=0.1), at_km_h=100.0)[0] == 0.0


def test_range_is_energy_over_consumption() -> None:
    car = lossless()
    energy = 400.0 * 100.0 * 0.94 / 1000.0
    assert usable_energy_kwh(car)[0] == pytest.approx(energy)
    consumption = simulate(car, "udds", initial_soc=0.5).consumption_dc_wh_per_km[0, 0]
    assert range_km(car, "udds")[0] == pytest.approx(1000.0 * energy / consumption)


def test_range_is_what_can_be_driven() -> None:
    """At a steady speed the battery is empty where the energy says."""
    car = lossless(capacity_ah=1.5)
    steady = make_cycle("steady", np.arange(500.0), np.full(500, 20.0))
    far = range_km(car, steady)[0]
    assert far == pytest.approx(0.94 * 1.5 * 400.0 * 3.6 / 320.0)  # 320 N at 20 m/s
    results = simulate(car, steady, initial_soc=0.97)
    rolls_out = 1.1  # km, from 20 m/s to rest
    assert far < results.distance_km[0, 0] < far + rolls_out


@settings(max_examples=10, deadline=None)
@given(any_vehicle())
def test_performance_is_a_number_for_any_vehicle(vehicle: VehicleParameters) -> None:
    assert (acceleration_time_s(vehicle) > 0.0).all()
    assert finite(top_speed_km_h(vehicle), gradeability_pct(vehicle))
    assert (gradeability_pct(vehicle) >= gradeability_pct(vehicle, at_km_h=90.0) - 1e-9).all()


def test_a_vehicle_that_cannot_move_goes_nowhere() -> None:
    assert range_km(lossless(peak_torque_nm=1.0), "jp1015")[0] == 0.0
