"""What warms and what holds back a vehicle: named arrays in SI units, one entry per vehicle.

`CircuitParameters` say how the pack's resistance is spread over time and temperature, `ThermalParameters` what the
parts hold and give off as heat, and between which temperatures and charges they give less. Each entry has the shape
(vehicle,); temperatures are in kelvin. A ramp is a linear factor from 0 to 1, given by the point where it is 0 and its
slope. They matter only in a `Climate`; what nobody states `generic_thermal` fills.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class CircuitParameters(NamedTuple):
    """How the pack's resistance builds up: at once, over a fast and over a slow pair of resistance and capacitance.

    The shares of the two pairs and what is left make up the resistance of `BatteryParameters`.
    """

    fast_share: FloatArray  # -, of the resistance
    fast_time: FloatArray  # s, time constant
    slow_share: FloatArray  # -
    slow_time: FloatArray  # s
    activation: FloatArray  # K, activation energy of the resistance over the gas constant


class BatteryThermal(NamedTuple):
    """The pack as one warm mass, its heater and cooler, and the ramps of its current."""

    heat_capacity: FloatArray  # J/K
    conductance: FloatArray  # W/K, to the ambient air
    heat_below: FloatArray  # K, under it the heater works
    heater_power: FloatArray  # W, most heat
    cool_above: FloatArray  # K, over it the cooler works
    cooler_power: FloatArray  # W, most heat taken out
    discharge_cold: FloatArray  # K, no discharge below
    discharge_cold_slope: FloatArray  # 1/K
    charge_cold: FloatArray  # K, no charge below
    charge_cold_slope: FloatArray  # 1/K
    hot: FloatArray  # K, neither above
    hot_slope: FloatArray  # 1/K
    discharge_low: FloatArray  # -, no discharge below this state of charge
    discharge_low_slope: FloatArray  # -
    charge_high: FloatArray  # -, no charge above this state of charge
    charge_high_slope: FloatArray  # -


class DriveThermal(NamedTuple):
    """Motor and inverter of one axle as two warm masses, and the ramps of their torque."""

    motor_capacity: FloatArray  # J/K
    motor_conductance: FloatArray  # W/K, through coolant and radiator to the ambient air
    motor_loss_share: FloatArray  # -, of the axle's loss; what neither takes is the reducer's and leaves at once
    motor_hot: FloatArray  # K, no torque above
    motor_hot_slope: FloatArray  # 1/K
    inverter_capacity: FloatArray  # J/K
    inverter_conductance: FloatArray  # W/K
    inverter_loss_share: FloatArray  # -
    inverter_hot: FloatArray  # K
    inverter_hot_slope: FloatArray  # 1/K
    per_rated_voltage: FloatArray  # 1/V, peak power falls with the voltage below that at which it is rated


# Of an axle without a drive: warmed by nothing, giving off nothing, holding nothing back. One number for all.
NO_DRIVE_THERMAL: tuple[float, ...] = (1.0, 0.0, 0.0, 1e6, 1.0, 1.0, 0.0, 0.0, 1e6, 1.0, 1.0)


class CabinParameters(NamedTuple):
    """The cabin as one warm mass, and what heats and cools it."""

    heat_capacity: FloatArray  # J/K, air and the trim that follows it
    conductance: FloatArray  # W/K, shell and fresh air
    heater_power: FloatArray  # W, most heat
    cooler_power: FloatArray  # W, most heat taken out
    heating_cop: FloatArray  # -, heat per electrical power at 0 degC; 1 for a resistive heater
    heating_cop_slope: FloatArray  # 1/K
    cooling_cop: FloatArray  # -, at 35 degC
    cooling_cop_slope: FloatArray  # 1/K, below zero
    blower_power: FloatArray  # W


class ThermalParameters(NamedTuple):
    """All that is warm in a batch of vehicles."""

    battery: BatteryThermal
    front: DriveThermal
    rear: DriveThermal
    cabin: CabinParameters
