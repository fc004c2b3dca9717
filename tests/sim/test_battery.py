from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.sim.vehicles import lossless

from kyotsu.sim.battery import (
    charge_limit,
    current_at_power,
    discharge_limit,
    table_value,
    terminal_power,
)

Array = np.ndarray[tuple[int], np.dtype[np.float64]]


def one(value: float) -> Array:
    return np.array([value])


@given(st.floats(100.0, 900.0), st.floats(0.0, 1.0), st.floats(-3e5, 3e5))
def test_current_and_power_are_each_others_inverse(voltage: float, resistance: float, power: float) -> None:
    assume(4.0 * resistance * power < 0.99 * voltage**2)
    current = current_at_power(one(voltage), one(resistance), one(power))
    assert terminal_power(one(voltage), one(resistance), current)[0] == pytest.approx(power, abs=1e-4)


def test_the_current_is_the_smaller_root() -> None:
    # 400 V, 0.1 ohm: 300 kW at 1000 A, the textbook root (U - sqrt(U² - 4RP)) / 2R
    assert current_at_power(one(400.0), one(0.1), one(300e3))[0] == pytest.approx(1000.0)


def test_tables_are_read_linearly_and_held_at_the_ends() -> None:
    table = np.array([[1.0, 2.0, 4.0]] * 5)
    soc = np.array([-0.2, 0.25, 0.5, 0.75, 1.3])
    assert table_value(table, soc, np.arange(5)).tolist() == [1.0, 1.5, 2.0, 3.0, 4.0]


def test_each_limit_binds_in_its_turn() -> None:
    battery = lossless(discharge_current_a=300.0, charge_current_a=150.0, voltage_minimum_v=350.0).battery
    second = one(1.0)
    assert discharge_limit(battery, one(400.0), one(0.1), one(0.5), second)[0] == 300.0
    assert discharge_limit(battery, one(400.0), one(0.5), one(0.5), second)[0] == pytest.approx(100.0)
    assert discharge_limit(battery, one(400.0), one(0.0), one(0.0301), second)[0] == pytest.approx(36.0)
    assert discharge_limit(battery, one(340.0), one(0.1), one(0.5), second)[0] == 0.0
    assert charge_limit(battery, one(400.0), one(0.1), one(0.5), second)[0] == 150.0
    assert charge_limit(battery, one(400.0), one(1.0), one(0.5), second)[0] == pytest.approx(100.0)
    assert charge_limit(battery, one(400.0), one(0.1), one(0.98), second)[0] == 0.0


def test_no_more_current_than_gives_the_greatest_power() -> None:
    battery = lossless(discharge_current_a=1e5, voltage_minimum_v=0.0).battery
    assert discharge_limit(battery, one(400.0), one(0.2), one(0.5), one(1.0))[0] == pytest.approx(1000.0)
