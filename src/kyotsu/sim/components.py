"""Generic components: what a drive loses and a battery holds when only the outline of a car is known.

From mass, coast-down coefficients, rated power, motor type, layout and battery energy, `generic_vehicle`
makes full `VehicleParameters`. The constants stand with their origin in `data/components.toml`: one set for
all cars, the fitted ones found once over the validation table by `calibration.fit_components`, none of them
for a single car.

The idea of the loss model: a coast-down is done with the selector in neutral, so that the coefficient A holds
the drag of gears, bearings and magnets beside that of the tyres. `drag_share` of A is taken off the road, and
the drive's own no-load loss is put in its place. So a car rebuilt with another e-axle loses that e-axle's
drag, not the old one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.generic_thermal import constants_table, generic_thermal
from kyotsu.sim.parameters import (
    BatteryParameters,
    DriveParameters,
    FloatArray,
    LossParameters,
    Numbers,
    VehicleParameters,
    battery_parameters,
    chassis_parameters,
    loss_parameters,
    vehicle_parameters,
)
from kyotsu.units import J_PER_KWH, STANDARD_GRAVITY

MotorType = Literal["pm", "induction", "eesm"]
Layout = Literal["front", "rear", "all"]

MOTOR_TYPES = ("pm", "induction", "eesm")
LAYOUTS = ("front", "rear", "all")
REFERENCE_MASS = 2000.0  # kg, of `auxiliary_power`
REFERENCE_YEAR = 2024.0  # of `auxiliary_power`


class FittedConstants(NamedTuple):
    """The constants that are fitted; scalars, or of shape (vehicle,) while fitting. Units in the TOML."""

    charge_efficiency: Numbers
    drive_loss: Numbers
    excited_rotor_loss: Numbers
    regeneration_share: Numbers
    drag_share: Numbers
    auxiliary_power: Numbers
    auxiliary_power_per_mass: Numbers
    auxiliary_power_per_year: Numbers


class ChosenConstants(NamedTuple):
    """The constants that are set, not fitted. Units in the TOML."""

    auxiliary_floor: float
    rolling_drag: float
    copper_loss: float
    field_weakening_loss: float
    base_speed: float
    top_speed: float
    gear_ratio: float
    rotating_mass_share: float
    tyre_radius: list[float]
    friction: float
    front_load_share: float
    height_per_wheelbase: float
    regeneration_deceleration: float
    regeneration_start: float
    regeneration_full: float
    battery_energy: list[float]
    battery_energy_bounds: list[float]
    power_per_mass: float
    cells_series: float
    resistance_loss: float
    discharge_power_margin: float
    charge_rate: float
    cell_voltage_bounds: list[float]
    usable_soc: list[float]
    cell_voltage: list[float]


class Prior(NamedTuple):
    """What is known of a fitted constant before the fit."""

    mean: float
    deviation: float
    low: float
    high: float


@cache
def fitted_constants() -> FittedConstants:
    """The shipped fitted constants."""
    return FittedConstants(*(float(constants_table()["fitted"][key]["value"]) for key in FittedConstants._fields))


@cache
def chosen_constants() -> ChosenConstants:
    """The shipped chosen constants."""
    return ChosenConstants(**constants_table()["chosen"])


@cache
def priors() -> dict[str, Prior]:
    """The prior of each fitted constant."""
    table = constants_table()["fitted"]
    return {
        key: Prior(table[key]["prior"], table[key]["deviation"], *table[key]["bounds"])
        for key in FittedConstants._fields
    }


def generic_vehicle(
    *,
    mass_kg: Numbers,
    road_load_a_n: Numbers,
    road_load_b_n_per_mps: Numbers,
    road_load_c_n_per_mps2: Numbers,
    rated_power_kw: Numbers | None = None,
    motor_type: str | Sequence[str] = "pm",
    layout: str | Sequence[str] = "front",
    battery_kwh: Numbers | None = None,
    model_year: Numbers = REFERENCE_YEAR,
    fitted: FittedConstants | None = None,
) -> VehicleParameters:
    """Full parameters of cars of which only the outline is known.

    Args:
        mass_kg: test mass [kg], shape () or (vehicle,).
        road_load_a_n: coast-down A [N].
        road_load_b_n_per_mps: coast-down B [N s/m].
        road_load_c_n_per_mps2: coast-down C [N s²/m²].
        rated_power_kw: peak power of all motors together [kW]; NaN or `None` where unknown.
        motor_type: one of `MOTOR_TYPES`, for all or for each vehicle.
        layout: driven axles, one of `LAYOUTS`, for all or for each vehicle.
        battery_kwh: gross energy [kWh]; NaN or `None` where unknown.
        model_year: first model year.
        fitted: other constants than the shipped ones.

    Returns:
        Parameters of as many vehicles as the longest argument has.

    Raises:
        InputError: a value is impossible, or a motor type or layout unknown.
    """
    constants, chosen = fitted or fitted_constants(), chosen_constants()
    unknown = np.nan
    arrays = (
        mass_kg, road_load_a_n, road_load_b_n_per_mps, road_load_c_n_per_mps2,
        unknown if rated_power_kw is None else rated_power_kw,
        unknown if battery_kwh is None else battery_kwh,
        model_year,
        _code(motor_type, MOTOR_TYPES, "motor_type"), _code(layout, LAYOUTS, "layout"),
    )  # fmt: skip
    spread = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in arrays))
    mass, a, b, c, power, energy, year, motor, driven = (np.array(values) for values in spread)
    power = np.where(np.isnan(power), chosen.power_per_mass * mass, power)
    energy = np.where(np.isnan(energy), generic_battery_energy_kwh(mass), energy)
    radius = generic_tyre_radius_m(mass)
    front_share = np.select([driven == 0, driven == 1], [1.0, 0.0], 0.5)
    chassis = chassis_parameters(
        mass_kg=mass,
        road_load_a_n=road_load_without_drive_drag_n(a, constants),
        road_load_b_n_per_mps=b,
        road_load_c_n_per_mps2=c,
        rotating_mass_kg=chosen.rotating_mass_share * mass,
        tyre_radius_m=radius,
        auxiliary_power_w=generic_auxiliary_power_w(mass, year, constants),
        front_torque_share=front_share,
        friction=chosen.friction,
        front_load_share=chosen.front_load_share,
        height_per_wheelbase=chosen.height_per_wheelbase,
        regeneration_share=constants.regeneration_share,
        regeneration_deceleration_m_s2=chosen.regeneration_deceleration,
        regeneration_start_mps=chosen.regeneration_start,
        regeneration_full_mps=chosen.regeneration_full,
    )
    drag = generic_drive_drag_n(mass, constants)
    excited = (motor > 0).astype(np.float64)
    front, rear = (
        generic_drive(
            power_kw=share * power,
            tyre_radius_m=radius,
            drag_n=share * drag,
            excited=excited,
            fitted=constants,
        )
        for share in (front_share, 1.0 - front_share)
    )
    battery = generic_battery(energy_kwh=energy, drive_power_kw=power, fitted=constants)
    thermal = generic_thermal(front=front, rear=rear, battery=battery, model_year=year)
    return vehicle_parameters(chassis=chassis, front=front, rear=rear, battery=battery, thermal=thermal)


def road_load_without_drive_drag_n(road_load_a_n: Numbers, fitted: FittedConstants | None = None) -> FloatArray:
    """Coast-down A without the drive's own drag, A (1 − drag_share) [N], shape (vehicle,)."""
    share = np.asarray((fitted or fitted_constants()).drag_share, dtype=np.float64)
    return np.asarray(road_load_a_n, dtype=np.float64) * (1.0 - share)


def generic_drive_drag_n(mass_kg: Numbers, fitted: FittedConstants | None = None) -> FloatArray:
    """Mean drag of a car's drives at the wheel, drag_share · rolling_drag · m g [N], shape (vehicle,)."""
    share = np.asarray((fitted or fitted_constants()).drag_share, dtype=np.float64)
    return share * chosen_constants().rolling_drag * STANDARD_GRAVITY * np.asarray(mass_kg, dtype=np.float64)


def generic_auxiliary_power_w(
    mass_kg: Numbers, model_year: Numbers, fitted: FittedConstants | None = None
) -> FloatArray:
    """Electrical load besides the drives with heating and cooling off [W], shape (vehicle,).

    P = max(floor, P_0 + p_m (m − 2000 kg) + p_y max(0, 2024 − year)).
    """
    constants = fitted or fitted_constants()
    heavier = np.asarray(mass_kg, dtype=np.float64) - REFERENCE_MASS
    older = np.maximum(REFERENCE_YEAR - np.asarray(model_year, dtype=np.float64), 0.0)
    more = constants.auxiliary_power_per_mass * heavier + constants.auxiliary_power_per_year * older
    return np.maximum(constants.auxiliary_power + more, chosen_constants().auxiliary_floor)


def generic_tyre_radius_m(mass_kg: Numbers) -> FloatArray:
    """Rolling radius of the tyres of a car of that mass [m], shape (vehicle,)."""
    at_zero, per_mass = chosen_constants().tyre_radius
    return at_zero + per_mass * np.asarray(mass_kg, dtype=np.float64)


def generic_battery_energy_kwh(mass_kg: Numbers) -> FloatArray:
    """Gross battery energy of a present-day car of that mass [kWh], shape (vehicle,)."""
    chosen = chosen_constants()
    per_mass, at_zero = chosen.battery_energy
    low, high = chosen.battery_energy_bounds
    energy = per_mass * np.asarray(mass_kg, dtype=np.float64) + at_zero
    return np.minimum(np.maximum(energy, low), high)


def generic_loss(
    *,
    peak_power_kw: Numbers,
    peak_torque_nm: Numbers,
    maximum_speed_rad_s: Numbers,
    drag_nm: Numbers,
    excited: Numbers = 0.0,
    fitted: FittedConstants | None = None,
) -> LossParameters:
    """Loss of motor, inverter and reducer by rating and type.

    P_loss = T_drag w + κ |T| w + ε P_peak (T/T_peak)² + φ |T| w²/w_max, with κ = drive_loss, more by
    excited_rotor_loss when the rotor has to be excited, ε = copper_loss, φ = field_weakening_loss.

    Args:
        peak_power_kw: of the motor [kW], shape () or (vehicle,).
        peak_torque_nm: of the motor [N m].
        maximum_speed_rad_s: of the motor [rad/s].
        drag_nm: no-load drag at the motor shaft [N m].
        excited: 1 for induction and externally excited motors, 0 for permanent magnets [-].
        fitted: other constants than the shipped ones.
    """
    constants, chosen = fitted or fitted_constants(), chosen_constants()
    power, torque, speed, share = (
        np.asarray(value, dtype=np.float64) for value in (peak_power_kw, peak_torque_nm, maximum_speed_rad_s, excited)
    )
    copper = chosen.copper_loss * 1e3 * power / np.maximum(torque, 1e-9) ** 2
    return loss_parameters(
        speed=drag_nm,
        torque2=np.where(torque > 0.0, copper, 0.0),
        torque_speed=constants.drive_loss + constants.excited_rotor_loss * share,
        torque_speed2=chosen.field_weakening_loss / speed,
    )


def generic_drive(
    *,
    power_kw: Numbers,
    tyre_radius_m: Numbers,
    drag_n: Numbers,
    excited: Numbers = 0.0,
    fitted: FittedConstants | None = None,
) -> DriveParameters:
    """The drive of one axle by its rated power; a power of 0 is an axle without a drive.

    Args:
        power_kw: peak power [kW], shape () or (vehicle,).
        tyre_radius_m: rolling radius [m].
        drag_n: no-load drag at the wheel [N].
        excited: 1 for induction and externally excited motors, 0 for permanent magnets [-].
        fitted: other constants than the shipped ones.
    """
    chosen = chosen_constants()
    power, radius, drag = (np.asarray(value, dtype=np.float64) for value in (power_kw, tyre_radius_m, drag_n))
    torque = 1e3 * power / chosen.base_speed * radius / chosen.gear_ratio
    speed = chosen.top_speed / radius * chosen.gear_ratio
    loss = generic_loss(
        peak_power_kw=power,
        peak_torque_nm=torque,
        maximum_speed_rad_s=speed,
        drag_nm=drag * radius / chosen.gear_ratio,
        excited=excited,
        fitted=fitted,
    )
    idle = power > 0.0
    loss = LossParameters(*(np.where(idle, coefficient, 0.0) for coefficient in loss))
    speed = np.where(idle, speed, 1e9)
    return DriveParameters(np.full(speed.shape, chosen.gear_ratio), torque, 1e3 * power, speed, loss)


def generic_battery(
    *, energy_kwh: Numbers, drive_power_kw: Numbers, fitted: FittedConstants | None = None
) -> BatteryParameters:
    """A pack by its gross energy.

    R = resistance_loss U²/E, so that a one-hour discharge loses the same share in every pack; U mean voltage,
    E energy.

    Args:
        energy_kwh: gross energy [kWh], shape () or (vehicle,).
        drive_power_kw: peak power of the drives that it has to feed [kW].
        fitted: other constants than the shipped ones.
    """
    constants, chosen = fitted or fitted_constants(), chosen_constants()
    energy = np.asarray(energy_kwh, dtype=np.float64)
    cell_voltage = np.asarray(chosen.cell_voltage)
    voltage = chosen.cells_series * float(np.mean(0.5 * (cell_voltage[1:] + cell_voltage[:-1])))
    capacity_ah = energy * J_PER_KWH / 3600.0 / voltage
    low, high = chosen.cell_voltage_bounds
    power = 1e3 * chosen.discharge_power_margin * np.asarray(drive_power_kw, dtype=np.float64)
    return battery_parameters(
        cells_series=chosen.cells_series,
        cell_voltage_v=cell_voltage,
        resistance_ohm=chosen.resistance_loss * voltage / capacity_ah,
        capacity_ah=capacity_ah,
        voltage_minimum_v=low * chosen.cells_series,
        voltage_maximum_v=high * chosen.cells_series,
        discharge_current_a=power / voltage,
        charge_current_a=chosen.charge_rate * capacity_ah,
        soc_minimum=chosen.usable_soc[0],
        soc_maximum=chosen.usable_soc[1],
        charge_efficiency=constants.charge_efficiency,
    )


def _code(names: str | Sequence[str], allowed: tuple[str, ...], key: str) -> FloatArray:
    given = [names] if isinstance(names, str) else list(names)
    wrong = sorted({name for name in given if name not in allowed})
    if wrong:
        raise InputError(
            Problem(Location(key=key), repr(name), "one of " + ", ".join(allowed), "Correct the name.")
            for name in wrong
        )
    return np.array([float(allowed.index(name)) for name in given])
