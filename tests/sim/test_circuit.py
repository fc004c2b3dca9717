from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.errors import InputError
from kyotsu.sim.battery import relaxed
from kyotsu.sim.circuit import approached, fading, identify_circuit, kelvin_per_watt, simple_circuit
from kyotsu.sim.pack import pack_parameters
from kyotsu.sim.pack_simulation import simulate_pack

VOLTAGE = np.interp(np.linspace(0.0, 1.0, 101), [0.0, 0.1, 0.5, 0.9, 1.0], [3.0, 3.45, 3.7, 4.05, 4.18])


def one(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value])


@given(st.floats(-500.0, 500.0), st.floats(-500.0, 500.0), st.floats(0.01, 100.0), st.floats(0.5, 5000.0))
def test_a_step_of_a_pair_is_the_relaxation_of_the_battery(
    value: float, goal: float, duration: float, time: float
) -> None:
    left = fading(one(duration), one(time)).left
    whole = relaxed(one(value), one(goal), one(duration), one(time))
    assert approached(one(value), one(goal), left)[0] == pytest.approx(whole[0], rel=1e-12, abs=1e-9)


@given(st.floats(0.01, 1000.0), st.floats(0.5, 5000.0))
def test_the_mean_of_a_decay_is_its_integral_over_the_step(duration: float, time: float) -> None:
    times = np.linspace(0.0, min(duration, 40.0 * time), 4001)
    integral = np.trapezoid(np.exp(-times / time), times) / duration
    assert fading(one(duration), one(time)).mean[0] == pytest.approx(integral, rel=1e-3)


def test_heat_without_a_way_out_warms_by_its_energy() -> None:
    assert kelvin_per_watt(one(10.0), one(500.0), one(0.0))[0] == pytest.approx(0.02, rel=1e-6)
    cooled = kelvin_per_watt(one(10.0), one(500.0), one(25.0))[0]
    assert cooled == pytest.approx((1.0 - np.exp(-0.5)) / 25.0, rel=1e-12)


def measurement(noise_mv: float = 0.0) -> dict[str, object]:
    """Pulses on a circuit that is known."""
    circuit = simple_circuit(
        open_circuit_voltage_v=VOLTAGE,
        resistance_ohm=np.linspace(3e-3, 1e-3, 101),
        pair_resistance_ohm=[0.8e-3, 1.5e-3],
        pair_time_s=[15.0, 250.0],
    )
    pattern = [(50.0, 10), (0.0, 40), (-50.0, 10), (0.0, 40), (50.0, 210), (0.0, 250)]
    current = np.concatenate([np.full(length, rate) for _ in range(12) for rate, length in pattern])
    limits = {"voltage_min_v": 0.0, "voltage_max_v": 9.0, "heat_capacity_j_per_k": 1e6}
    pack = pack_parameters(circuit, series=1, strings=1, capacity_ah=50.0, **limits)
    run = simulate_pack(pack, current_a=current, initial_soc=0.95)
    assert run.history is not None
    # A row's voltage is at its start: that at the end of the step before, but with the row's own current.
    at_end = run.history.module_voltage_v[0, 0, 0]
    soc = np.append(0.95, run.history.module_soc[0, 0, 0])
    before = np.append(0.0, current[:-1])
    ohm = np.interp(soc[:-1], np.linspace(0.0, 1.0, 101), circuit.resistance_ohm)
    voltage = np.append(np.interp(0.95, np.linspace(0.0, 1.0, 101), VOLTAGE), at_end[:-1]) - ohm * (current - before)
    noise = np.random.default_rng(1).normal(0.0, noise_mv / 1e3, voltage.size)
    return {"time_s": np.arange(current.size) * 1.0, "current_a": current, "voltage_v": voltage + noise}


def test_identification_finds_the_circuit_that_was_measured() -> None:
    rows = measurement()
    found = identify_circuit(**rows, capacity_ah=50.0, initial_soc=0.95, open_circuit_voltage_v=VOLTAGE)  # type: ignore[arg-type]
    assert found.rms_mv < 0.3
    assert found.circuit.pair_time_s == pytest.approx([15.0, 250.0], rel=0.1)
    assert found.circuit.resistance_ohm[20:90] == pytest.approx(np.linspace(3e-3, 1e-3, 101)[20:90], rel=0.03)
    assert found.circuit.pair_resistance_ohm[0, 20:90] == pytest.approx(0.8e-3, rel=0.1)
    assert found.circuit.pair_resistance_ohm[1, 20:90] == pytest.approx(1.5e-3, rel=0.1)


def test_noise_of_a_measurement_hardly_moves_the_circuit() -> None:
    rows = measurement(noise_mv=2.0)
    found = identify_circuit(**rows, capacity_ah=50.0, initial_soc=0.95, open_circuit_voltage_v=VOLTAGE)  # type: ignore[arg-type]
    assert found.rms_mv == pytest.approx(2.0, rel=0.1)
    assert found.circuit.resistance_ohm[50] == pytest.approx(2e-3, rel=0.05)


def test_identification_finds_the_open_circuit_voltage_too() -> None:
    found = identify_circuit(**measurement(), capacity_ah=50.0, initial_soc=0.95)  # type: ignore[arg-type]
    assert 1e3 * np.abs(found.circuit.open_circuit_voltage_v - VOLTAGE)[20:90].max() < 15.0


def test_a_measurement_that_cannot_be_used_says_all_that_is_wrong() -> None:
    with pytest.raises(InputError) as caught:
        identify_circuit([0.0, 2.0, 1.0], [1.0, np.nan, 1.0], [4.0, 4.0], capacity_ah=0.0, initial_soc=1.5, pairs=3)
    keys = {problem.location.key for problem in caught.value.problems}
    assert keys == {"time_s", "current_a", "capacity_ah", "initial_soc", "pairs"}


def test_a_charge_count_outside_the_cell_is_the_wrong_sign_or_capacity() -> None:
    rows = measurement()
    rows["current_a"] = -np.asarray(rows["current_a"])
    with pytest.raises(InputError, match="charge count"):
        identify_circuit(**rows, capacity_ah=50.0, initial_soc=0.95)  # type: ignore[arg-type]
