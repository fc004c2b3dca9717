"""The layer around the step: pairs, parts, ramps and thermostats, each by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sim.vehicles import leaf, lossless

from kyotsu.errors import InputError
from kyotsu.sim.battery import mean_remaining, relaxed, remaining
from kyotsu.sim.climate import Climate
from kyotsu.sim.cycles import make_cycle
from kyotsu.sim.drive import BATTERY_COLD, INVERTER_HOT, MOTOR_HOT, MOTOR_POWER, MOTOR_TORQUE
from kyotsu.sim.generic_thermal import generic_circuit, generic_thermal, thermal_constants
from kyotsu.sim.parameter_checks import thermal_findings
from kyotsu.sim.parameters import FloatArray, VehicleParameters, vehicle_parameters
from kyotsu.sim.simulate import simulate
from kyotsu.sim.thermal import derated_battery, derated_drive, part_after, part_response, ramp


def one(value: float) -> FloatArray:
    return np.array([value])


@given(st.floats(1e2, 1e6), st.floats(0.0, 1e3), st.floats(0.0, 1e6), st.floats(-1e4, 1e4))
def test_a_part_follows_its_differential_equation(
    capacity: float, conductance: float, duration: float, heat: float
) -> None:
    """Two halves of a step are the whole, and what went in is stored or given off."""

    def after(begin: float, time: float) -> float:
        left, rise = part_response(one(capacity), one(conductance), one(time))
        return float(part_after(one(begin), one(270.0), one(heat), left, rise)[0])

    assert after(after(300.0, 0.5 * duration), 0.5 * duration) == pytest.approx(after(300.0, duration), rel=1e-9)
    if conductance * duration / capacity > 50.0:
        assert after(300.0, duration) == pytest.approx(270.0 + heat / conductance)
    if conductance == 0.0:
        assert after(300.0, duration) == pytest.approx(300.0 + heat * duration / capacity)


@given(st.floats(1e-9, 1e6), st.floats(1e-3, 1e6))
def test_the_mean_of_a_relaxation_is_its_integral(duration: float, time_constant: float) -> None:
    left = float(remaining(one(duration), one(time_constant))[0])
    mean = float(mean_remaining(one(duration), one(time_constant))[0])
    assert left <= mean + 1e-12
    assert mean <= 1.0 + 1e-12
    # τ ln-slope: what relaxed in the step is the integral over τ.
    assert 1.0 - left == pytest.approx(mean * duration / time_constant, rel=1e-6, abs=1e-12)
    assert relaxed(one(0.0), one(1.0), one(duration), one(time_constant))[0] == pytest.approx(1.0 - left)


def test_a_ramp_is_clamped_at_both_ends() -> None:
    values = np.array([-5.0, 0.0, 2.5, 5.0, 9.0])
    assert ramp(values, np.zeros(5), np.full(5, 0.2)).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def flat(**circuit: float) -> VehicleParameters:
    """A constant voltage behind 0.1 ohm that sits still and draws 4 kW."""
    car = lossless(resistance_ohm=0.1, auxiliary_power_w=4000.0)
    values = {"fast_share": 0.3, "fast_time": 10.0, "slow_share": 0.2, "slow_time": 100.0, "activation": 0.0}
    values.update(circuit)
    return car._replace(circuit=generic_circuit(1)._replace(**{name: one(value) for name, value in values.items()}))


def test_the_pairs_build_up_to_the_whole_resistance() -> None:
    """At rest with a constant load: U = U_oc − I (R_0 + Σ R_k (1 − e^(−t/τ)))."""
    still = make_cycle("still", [0.0, 0.5, 1200.0, 1200.5], [0.0] * 4)
    history = simulate(flat(), still, climate=Climate(25.0, hvac=False), history=True).history["still"]
    loss = (history.cells_w - history.terminals_w)[0]
    current = history.cells_w[0] / 400.0
    resistance = loss / current**2
    fast, slow = (float(mean_remaining(one(0.5), one(time))[0]) for time in (10.0, 100.0))
    assert resistance[0] == pytest.approx(0.1 * (1.0 - 0.3 * fast - 0.2 * slow), rel=1e-9)
    assert resistance[2] == pytest.approx(0.1, rel=1e-4)


def test_without_pairs_and_at_25_degrees_the_battery_is_the_plain_one() -> None:
    car, cycle = flat(fast_share=0.0, slow_share=0.0), make_cycle("run", np.arange(30.0), np.linspace(0.0, 20.0, 30))
    plain, mild = simulate(car, cycle), simulate(car, cycle, climate=Climate(25.0, hvac=False))
    assert mild.ledger.battery_loss_wh == pytest.approx(plain.ledger.battery_loss_wh, rel=1e-9)


def test_resistance_follows_arrhenius() -> None:
    car, still = flat(activation=2500.0), make_cycle("still", [0.0, 1.0], [0.0, 0.0])
    losses = [
        simulate(car, still, climate=Climate(celsius, hvac=False), initial_soc=0.5).ledger for celsius in (25.0, -10.0)
    ]
    ratio = losses[1].battery_loss_wh / losses[0].battery_loss_wh
    expected = np.exp(2500.0 * (1.0 / 263.15 - 1.0 / 298.15))
    assert ratio[0, 0] == pytest.approx(expected, rel=0.01), "the current grows a little too"


def test_a_battery_gives_between_two_temperatures_what_lies_between() -> None:
    car = leaf()
    warm = car.thermal.battery
    middle = 0.5 * (228.15 + 263.15)
    pack, reason = derated_battery(car.battery, warm, one(middle), one(0.5))
    assert pack.discharge_current == pytest.approx(0.5 * car.battery.discharge_current)
    assert pack.charge_current == 0.0
    assert reason == BATTERY_COLD
    whole, _ = derated_battery(car.battery, warm, one(298.15), one(0.5))
    assert whole.discharge_current == car.battery.discharge_current
    assert whole.charge_current == car.battery.charge_current


def test_a_drive_is_held_back_by_its_hotter_part_and_by_voltage() -> None:
    car = leaf()
    drive, heat, weak = derated_drive(car.front, car.thermal.front, one(438.15), one(300.0), one(1e3))
    assert heat == pytest.approx(0.5)
    assert weak == 1.0
    assert drive.peak_torque == pytest.approx(0.5 * car.front.peak_torque)
    rated = 1.0 / car.thermal.front.per_rated_voltage
    slow, heat, weak = derated_drive(car.front, car.thermal.front, one(300.0), one(300.0), 0.9 * rated)
    assert slow.peak_power == pytest.approx(0.9 * car.front.peak_power)
    assert slow.peak_torque == car.front.peak_torque
    assert {MOTOR_HOT, INVERTER_HOT, MOTOR_TORQUE, MOTOR_POWER} <= set(map(float, range(14)))


def test_heat_grows_with_what_is_built_in() -> None:
    car = leaf()
    chosen = thermal_constants()
    energy = float(car.battery.capacity[0] * np.mean(car.battery.open_circuit_voltage)) / 3.6e6
    mass = car.thermal.battery.heat_capacity[0] / chosen.pack_specific_heat
    assert mass == pytest.approx(energy / chosen.pack_specific_energy, rel=0.01)
    older = generic_thermal(front=car.front, rear=car.rear, battery=car.battery, model_year=2010)
    assert older.cabin.heating_cop == 1.0 < car.thermal.cabin.heating_cop
    assert (older.front.motor_capacity / older.rear.motor_capacity) > 1e3


def test_impossible_thermal_parts_are_refused_all_at_once() -> None:
    car = leaf()
    assert not thermal_findings(car.circuit, car.thermal)
    circuit = car.circuit._replace(fast_share=one(0.7), slow_share=one(0.7), fast_time=one(-1.0))
    with pytest.raises(InputError) as caught:
        vehicle_parameters(
            chassis=car.chassis, front=car.front, rear=None, battery=car.battery, circuit=circuit, thermal=car.thermal
        )
    assert {problem.location.key for problem in caught.value.problems} == {"circuit.fast_time", "circuit.shares"}
