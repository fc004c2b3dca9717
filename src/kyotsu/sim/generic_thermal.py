"""Generic circuit and thermal parameters: what warms, and how fast, when only the outline of a car is known.

Heat capacities and conductances grow with the pack's energy and the drives' power; all else is the same for all cars.
The constants stand with their origin under [thermal] in `data/components.toml`. Nothing here is fitted to a car.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kyotsu.sim.battery import table_value
from kyotsu.sim.thermal_parameters import (
    BatteryThermal,
    CabinParameters,
    CircuitParameters,
    DriveThermal,
    FloatArray,
    ThermalParameters,
)

if TYPE_CHECKING:
    from kyotsu.sim.parameters import BatteryParameters, DriveParameters

PRESENT_YEAR = 2024.0  # where the model year is not known


class ThermalConstants(NamedTuple):
    """The constants of [thermal]. Units in the TOML; pairs of temperatures run from no current or torque to all."""

    fast_pair: list[float]
    slow_pair: list[float]
    activation: float
    pack_specific_energy: float
    pack_specific_heat: float
    pack_conductance: float
    battery_heater: list[float]
    battery_cooler: list[float]
    discharge_cold: list[float]
    charge_cold: list[float]
    battery_hot: list[float]
    discharge_low: list[float]
    charge_high: list[float]
    motor_mass: float
    motor_specific_heat: float
    motor_conductance: float
    motor_hot: list[float]
    motor_loss_share: float
    inverter_capacity: float
    inverter_conductance: float
    inverter_hot: list[float]
    inverter_loss_share: float
    rated_soc: float
    cabin_capacity: float
    cabin_conductance: float
    cabin_heater: float
    cabin_cooler: float
    heat_pump_years: list[float]
    heat_pump_cop: list[float]
    cooling_cop: list[float]
    blower_power: float


@cache
def constants_table() -> dict[str, Any]:
    """The tables of `data/components.toml`."""
    return tomllib.loads((files("kyotsu.sim") / "data" / "components.toml").read_text(encoding="utf-8"))


@cache
def thermal_constants() -> ThermalConstants:
    """The shipped constants of [thermal]."""
    return ThermalConstants(**constants_table()["thermal"])


def generic_circuit(count: int) -> CircuitParameters:
    """The same circuit for `count` vehicles."""
    chosen = thermal_constants()
    return CircuitParameters(*_filled(count, *chosen.fast_pair, *chosen.slow_pair, chosen.activation))


def generic_thermal(
    *,
    front: DriveParameters,
    rear: DriveParameters,
    battery: BatteryParameters,
    model_year: FloatArray | float = PRESENT_YEAR,
    constants: ThermalConstants | None = None,
) -> ThermalParameters:
    """Thermal parameters by size.

    Args:
        front: drive of the front axle, each entry of shape (vehicle,).
        rear: drive of the rear axle.
        battery: the pack.
        model_year: first model year, shape () or (vehicle,); later cars heat with a heat pump.
        constants: other constants than the shipped ones.
    """
    chosen = constants or thermal_constants()
    size = battery.capacity.size
    voltage = table_value(battery.open_circuit_voltage, np.full(size, chosen.rated_soc), np.arange(size))
    driven = [_drive(drive.peak_power / 1e3, voltage, chosen) for drive in (front, rear)]
    year = np.broadcast_to(np.asarray(model_year, dtype=np.float64), (size,))
    return ThermalParameters(_battery(battery, chosen), driven[0], driven[1], _cabin(year, chosen))


def _battery(battery: BatteryParameters, chosen: ThermalConstants) -> BatteryThermal:
    count = battery.capacity.size
    table = battery.open_circuit_voltage
    energy_kwh = battery.capacity * 0.5 * (table[:, 1:] + table[:, :-1]).mean(axis=1) / 3.6e6
    mass = energy_kwh / chosen.pack_specific_energy
    (low, low_slope), (high, high_slope) = _ramp(*chosen.discharge_low), _ramp(*chosen.charge_high)
    return BatteryThermal._make(
        (
            chosen.pack_specific_heat * mass,
            chosen.pack_conductance * mass,
            *_filled(count, *chosen.battery_heater, *chosen.battery_cooler),
            *_filled(count, *_ramp(*chosen.discharge_cold), *_ramp(*chosen.charge_cold), *_ramp(*chosen.battery_hot)),
            battery.soc_minimum + low,
            *_filled(count, low_slope),
            battery.soc_maximum + high,
            *_filled(count, high_slope),
        )
    )


def _drive(power_kw: FloatArray, rated_voltage: FloatArray, chosen: ThermalConstants) -> DriveThermal:
    """An axle without a drive holds next to nothing and is warmed by nothing."""
    count, least = power_kw.size, 1e-3
    sized = np.maximum(power_kw, least)
    return DriveThermal._make(
        (
            chosen.motor_specific_heat * chosen.motor_mass * sized,
            chosen.motor_conductance * sized,
            *_filled(count, chosen.motor_loss_share, *_ramp(*chosen.motor_hot)),
            chosen.inverter_capacity * sized,
            chosen.inverter_conductance * sized,
            *_filled(count, chosen.inverter_loss_share, *_ramp(*chosen.inverter_hot)),
            1.0 / rated_voltage,
        )
    )


def _cabin(year: FloatArray, chosen: ThermalConstants) -> CabinParameters:
    first, last = chosen.heat_pump_years
    pumps = np.clip((year - first) / (last - first), 0.0, 1.0)
    cop, slope = chosen.heat_pump_cop
    return CabinParameters._make(
        (
            *_filled(
                year.size,
                chosen.cabin_capacity,
                chosen.cabin_conductance,
                chosen.cabin_heater,
                chosen.cabin_cooler,
            ),
            1.0 + pumps * (cop - 1.0),
            slope * pumps,
            *_filled(year.size, *chosen.cooling_cop, chosen.blower_power),
        )
    )


def _ramp(zero: float, full: float) -> tuple[float, float]:
    """Where a linear factor is 0, and by how much it grows towards 1 each unit away from there."""
    return zero, 1.0 / abs(full - zero)


def _filled(count: int, *values: float) -> Sequence[FloatArray]:
    return [np.full(count, value) for value in values]
