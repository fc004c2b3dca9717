"""The pack as a voltage source with a resistance: what it can give and take, and what that costs.

Elementwise on arrays of shape (vehicle,), but for `table_value`, which reads tables of shape (vehicle,
table). SI units without suffix: power [W], current [A] positive when discharging, voltage [V], state of
charge [-].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from kyotsu.sim.parameters import BatteryParameters, FloatArray

REFERENCE_TEMPERATURE = 298.15  # K, of resistances and rates
LEAST_PART = 1e-12  # -, of a time constant; keeps the mean of a step of no length finite


def table_value(table: FloatArray, soc: FloatArray, lanes: npt.NDArray[np.intp]) -> FloatArray:
    """Linear interpolation in a table over a uniform state of charge from 0 to 1, held constant outside.

    Args:
        table: values, shape (vehicle, table).
        soc: state of charge [-], shape (vehicle,).
        lanes: 0, 1, 2, ..., shape (vehicle,).

    Returns:
        Value for each vehicle, shape (vehicle,).
    """
    below, weight = table_place(soc, table.shape[1] - 1.0)
    index = below.astype(np.intp)
    return between(table[lanes, index], table[lanes, index + 1], weight)


def table_place(soc: FloatArray, last: float) -> tuple[FloatArray, FloatArray]:
    """The entry at or below a state of charge, and how far towards the next [-], each of shape (vehicle,).

    `last` is the number of the table's last entry.
    """
    place = np.minimum(np.maximum(soc, 0.0), 1.0) * last
    below = np.minimum(np.floor(place), last - 1.0)
    return below, place - below


def between(low: FloatArray, high: FloatArray, weight: FloatArray) -> FloatArray:
    """Linear interpolation from `low` at weight 0 to `high` at weight 1, shape (vehicle,)."""
    return (1.0 - weight) * low + weight * high


def discharge_limit(
    battery: BatteryParameters,
    voltage: FloatArray,
    resistance: FloatArray,
    soc: FloatArray,
    duration: FloatArray,
) -> FloatArray:
    """Most current that voltage, current and charge limits allow for one step.

    I = min(I_max, (U_oc − U_min)/R, U_oc/2R, (z − z_min) Q/Δt), not below zero; U_oc/2R is where the power is
    greatest.

    Args:
        battery: parameters, each of shape (vehicle,).
        voltage: open-circuit voltage [V], shape (vehicle,).
        resistance: [ohm], shape (vehicle,).
        soc: state of charge at the start of the step [-], shape (vehicle,).
        duration: length of the step [s], shape (vehicle,).

    Returns:
        Current [A], shape (vehicle,).
    """
    ohm = np.maximum(resistance, 1e-9)
    by_voltage = np.minimum(voltage - battery.voltage_minimum, 0.5 * voltage) / ohm
    by_charge = (soc - battery.soc_minimum) * battery.capacity / np.maximum(duration, 1e-9)
    return np.maximum(np.minimum(np.minimum(battery.discharge_current, by_voltage), by_charge), 0.0)


def charge_limit(
    battery: BatteryParameters,
    voltage: FloatArray,
    resistance: FloatArray,
    soc: FloatArray,
    duration: FloatArray,
) -> FloatArray:
    """Most charging current, positive, that voltage, current and charge limits allow for one step.

    I = min(I_max, (U_max − U_oc)/R, (z_max − z) Q/Δt), not below zero. Arguments as for `discharge_limit`.
    """
    by_voltage = (battery.voltage_maximum - voltage) / np.maximum(resistance, 1e-9)
    by_charge = (battery.soc_maximum - soc) * battery.capacity / np.maximum(duration, 1e-9)
    return np.maximum(np.minimum(np.minimum(battery.charge_current, by_voltage), by_charge), 0.0)


def terminal_power(voltage: FloatArray, resistance: FloatArray, current: FloatArray) -> FloatArray:
    """Power at the terminals, P = (U_oc − R I) I [W], shape (vehicle,)."""
    return (voltage - resistance * current) * current


def current_at_power(voltage: FloatArray, resistance: FloatArray, power: FloatArray) -> FloatArray:
    """Current that gives a power at the terminals, the smaller root of P = (U_oc − R I) I.

    I = 2 P / (U_oc + sqrt(U_oc² − 4 R P)), the form that holds for R = 0 too.

    Args:
        voltage: open-circuit voltage [V], shape (vehicle,).
        resistance: [ohm], shape (vehicle,).
        power: at the terminals, discharging positive [W], shape (vehicle,); at most U_oc²/4R.

    Returns:
        Current [A], shape (vehicle,).
    """
    root = np.sqrt(np.maximum(voltage * voltage - 4.0 * resistance * power, 0.0))
    return 2.0 * power / (voltage + root)


def relaxed(value: FloatArray, goal: FloatArray, duration: FloatArray, time_constant: FloatArray) -> FloatArray:
    """First-order approach of a value to a goal that stays, goal + (value − goal) e^(−Δt/τ), shape (vehicle,).

    Of the voltage over a resistance and a capacitance in parallel the goal is R I.
    """
    return goal + (value - goal) * remaining(duration, time_constant)


def remaining(duration: FloatArray, time_constant: FloatArray) -> FloatArray:
    """What is left of a first-order deviation at the end of a step, e^(−Δt/τ) [-], shape (vehicle,)."""
    return np.exp(-duration / time_constant)


def mean_remaining(duration: FloatArray, time_constant: FloatArray) -> FloatArray:
    """What is left of it in the mean over the step, (1 − e^(−x))/x with x = Δt/τ [-], shape (vehicle,)."""
    part = np.maximum(duration / time_constant, LEAST_PART)
    return -np.expm1(-part) / part


def arrhenius(activation: FloatArray, temperature: FloatArray) -> FloatArray:
    """Factor on a resistance or a rate, e^(E/R (1/T − 1/T_ref)), 1 at 25 degC, shape (vehicle,).

    Args:
        activation: activation energy over the gas constant, E/R [K]; positive for what falls with temperature.
        temperature: [K], shape (vehicle,).
    """
    return np.exp(activation * (1.0 / temperature - 1.0 / REFERENCE_TEMPERATURE))
