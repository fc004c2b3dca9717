"""From a build to arrays: the one crossing from the specification into the simulation.

What a build does not state is filled by the generic components, so every build can be driven; `filled`
says which values those are. A vehicle rebuilt with other parts keeps its road load, but for the tyres'
rolling resistance, which follows its mass, and the drag of its drives, which comes with the new ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from kyotsu.sim.components import (
    REFERENCE_YEAR,
    chosen_constants,
    fitted_constants,
    generic_auxiliary_power_w,
    generic_drive_drag_n,
    generic_loss,
    generic_tyre_radius_m,
    road_load_without_drive_drag_n,
)
from kyotsu.sim.generic_thermal import generic_thermal
from kyotsu.sim.motor_map import loss_model_of_map
from kyotsu.sim.parameters import (
    BatteryParameters,
    ChassisParameters,
    DriveParameters,
    LossParameters,
    VehicleParameters,
    battery_parameters,
    chassis_parameters,
    drive_parameters,
    loss_parameters,
    no_drive,
    stack,
    vehicle_parameters,
)
from kyotsu.spec.build import Build, Drive
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.vehicle import Vehicle
from kyotsu.units import RPM_PER_RAD_S, STANDARD_GRAVITY

AIR_DENSITY = 1.2  # kg/m³ at 20 degC and sea level
UNLIMITED = 2.0  # times the generic motor speed: a limit that nobody stated must not decide a top speed
REDUCER_EFFICIENCY = 0.97  # -, single-speed reducer where not stated; our assumption


def build_parameters(builds: Iterable[Build]) -> VehicleParameters:
    """Parameters of builds as one batch, in their order; shape (vehicle,)."""
    return stack([_one(build) for build in builds])


def filled(build: Build) -> tuple[str, ...]:
    """The values of a build that nobody stated and generic components filled, as dotted fields.

    An axis of a loss map is among them where the map ends before the motor does: beyond it the fitted polynomial
    goes on.
    """
    vehicle, pack = build.vehicle, build.pack
    found = {
        "vehicle.tyre.radius_mm": vehicle.tyre.radius_mm,
        "vehicle.auxiliaries.base_w": vehicle.auxiliaries.base_w,
        "battery.open_circuit_voltage": pack.open_circuit_voltage_v,
        "battery.resistance_mohm": pack.resistance_ohm,
        "battery.peak_power_kw": pack.discharge_current_a or pack.peak_power_kw,
    }
    if vehicle.charging.dc_power_kw is not None:
        found["battery.charge_current"] = pack.charging_current_over_soc_a
    for drive in build.drives:
        name = f"eaxle {drive.eaxle.id}"
        found[f"{name} reducer.ratio"] = drive.eaxle.reducer.ratio
        found[f"{name} motor.max_speed_rpm"] = drive.eaxle.motor.max_speed_rpm
        found[f"{name} loss_model"] = 1.0 if drive.eaxle.loss_model or drive.eaxle.loss_map else None
        if drive.eaxle.loss_map is not None:
            speed, torque = drive.eaxle.loss_map.speed_rpm[-1], drive.eaxle.loss_map.torque_nm[-1]
            highest = drive.eaxle.motor.max_speed_rpm or generic_speed_rpm(drive.eaxle, tyre_radius_m(vehicle))
            found[f"{name} loss_map.speed_rpm"] = speed if speed >= highest else None
            found[f"{name} loss_map.torque_nm"] = torque if torque >= drive.rating.peak_torque_nm else None
    return tuple(field for field, value in found.items() if value is None)


def _one(build: Build) -> VehicleParameters:
    radius = tyre_radius_m(build.vehicle)
    total = sum(drive.rating.peak_power_kw for drive in build.drives)
    drag = float(generic_drive_drag_n(build.vehicle.masses.test_kg or build.test_mass_kg))
    axles = {
        drive.mount.axle: _drive(drive, radius, drag * drive.rating.peak_power_kw / total) for drive in build.drives
    }
    front_power = sum(drive.rating.peak_power_kw for drive in build.drives if drive.mount.axle == "front")
    front, rear = axles.get("front") or no_drive(), axles.get("rear") or no_drive()
    battery = _battery(build, total)
    return vehicle_parameters(
        chassis=_chassis(build, radius, front_power / total),
        front=front,
        rear=rear,
        battery=battery,
        thermal=generic_thermal(front=front, rear=rear, battery=battery, model_year=model_year(build.vehicle)),
    )


def tyre_radius_m(vehicle: Vehicle) -> float:
    """Rolling radius [m]: as stated, else that of a car of this mass."""
    if vehicle.tyre.radius_mm is not None:
        return vehicle.tyre.radius_mm / 1000.0
    return float(generic_tyre_radius_m(vehicle.masses.curb_kg))


def road_load(build: Build) -> tuple[float, float, float]:
    """A [N], B [N s/m], C [N s²/m²] of a build, without the drag of its drives.

    From a coast-down the tyres' part of A follows the build's mass against the mass of the test.
    """
    vehicle, mass = build.vehicle, build.test_mass_kg
    parts = vehicle.resistances
    if parts is not None:
        rolling = mass * STANDARD_GRAVITY * parts.rolling_resistance_coefficient
        return rolling, 0.0, 0.5 * AIR_DENSITY * parts.drag_coefficient * parts.frontal_area_m2
    coast = vehicle.coast_down
    assert coast is not None  # a vehicle has one of the two
    as_tested = mass - build.mass_change_kg
    a = float(road_load_without_drive_drag_n(coast.a_n)) * mass / as_tested
    return a, coast.b_n_per_mps, coast.c_n_per_mps2


def _chassis(build: Build, radius: float, front_share: float) -> ChassisParameters:
    vehicle, chosen = build.vehicle, chosen_constants()
    a, b, c = road_load(build)
    height, base = vehicle.body.center_of_gravity_height_mm, vehicle.body.wheelbase_mm
    auxiliary = vehicle.auxiliaries.base_w
    if auxiliary is None:
        auxiliary = float(generic_auxiliary_power_w(build.test_mass_kg, model_year(vehicle)))
    return chassis_parameters(
        mass_kg=build.test_mass_kg,
        road_load_a_n=a,
        road_load_b_n_per_mps=b,
        road_load_c_n_per_mps2=c,
        rotating_mass_kg=chosen.rotating_mass_share * build.test_mass_kg,
        tyre_radius_m=radius,
        auxiliary_power_w=auxiliary,
        front_torque_share=front_share,
        friction=vehicle.tyre.friction_coefficient or chosen.friction,
        front_load_share=vehicle.masses.front_share or chosen.front_load_share,
        height_per_wheelbase=height / base if height and base else chosen.height_per_wheelbase,
        regeneration_share=fitted_constants().regeneration_share,
        regeneration_deceleration_m_s2=chosen.regeneration_deceleration,
        regeneration_start_mps=chosen.regeneration_start,
        regeneration_full_mps=chosen.regeneration_full,
    )


def model_year(vehicle: Vehicle) -> float:
    """The first model year of a vehicle; the present when none is stated."""
    found = re.search(r"\b(19|20)\d\d\b", vehicle.model_years or "")
    return float(found.group()) if found else REFERENCE_YEAR


def gear_ratio(eaxle: EAxle) -> float:
    """Motor turns per wheel turn: as stated, else from the two torques, else generic."""
    if eaxle.reducer.ratio is not None:
        return eaxle.reducer.ratio
    torque = max(rating.peak_torque_nm for rating in eaxle.ratings)
    if eaxle.reducer.axle_peak_torque_nm is not None and eaxle.reducer.axle_peak_torque_nm > 3.0 * torque:
        return eaxle.reducer.axle_peak_torque_nm / torque
    return float(chosen_constants().gear_ratio)


def generic_speed_rpm(eaxle: EAxle, radius_m: float) -> float:
    """Motor speed at the top speed of most cars [1/min], for a motor of which no highest speed is stated."""
    return float(chosen_constants().top_speed / radius_m * gear_ratio(eaxle) * RPM_PER_RAD_S)


def _drive(drive: Drive, radius: float, drag_n: float) -> DriveParameters:
    eaxle = drive.eaxle
    ratio = gear_ratio(eaxle)
    generic_rpm = generic_speed_rpm(eaxle, radius)
    highest_rpm = eaxle.motor.max_speed_rpm or UNLIMITED * generic_rpm
    return drive_parameters(
        gear_ratio=ratio,
        peak_torque_nm=drive.rating.peak_torque_nm,
        peak_power_kw=drive.rating.peak_power_kw,
        maximum_speed_rpm=highest_rpm,
        loss=drive_loss(eaxle, (eaxle.motor.max_speed_rpm or generic_rpm) / RPM_PER_RAD_S, drag_n * radius / ratio),
    )


def drive_loss(eaxle: EAxle, maximum_speed: float, drag: float) -> LossParameters:
    """Loss of motor, inverter and reducer together.

    A stated model or map holds motor and inverter; the reducer's share (1 - efficiency) T w comes on top.
    Without either the generic model takes the hardware's largest rating: a motor run at less than it can
    loses what its hardware loses.

    Args:
        eaxle: the unit.
        maximum_speed: of the motor [rad/s].
        drag: at no load, at the motor shaft [N m]; used where no model is stated.
    """
    model = eaxle.loss_model or (loss_model_of_map(eaxle.loss_map) if eaxle.loss_map is not None else None)
    if model is None:
        largest = max(eaxle.ratings, key=lambda rating: rating.peak_power_kw)
        return generic_loss(
            peak_power_kw=largest.peak_power_kw,
            peak_torque_nm=largest.peak_torque_nm,
            maximum_speed_rad_s=maximum_speed,
            drag_nm=drag,
            excited=float(eaxle.motor.type in ("induction", "eesm")),
        )
    return loss_parameters(
        constant=model.c0,
        speed=model.w1,
        speed2=model.w2,
        speed3=model.w3,
        torque=model.t1,
        torque2=model.t2,
        torque_speed=model.tw + 1.0 - (eaxle.reducer.efficiency or REDUCER_EFFICIENCY),
        torque2_speed=model.t2w,
        torque_speed2=model.tw2,
    )


def _battery(build: Build, drive_power_kw: float) -> BatteryParameters:
    pack, chosen = build.pack, chosen_constants()
    voltage = np.array(pack.open_circuit_voltage_v) if pack.open_circuit_voltage_v else _generic_voltage(build)
    mean = float(np.mean(0.5 * (voltage[1:] + voltage[:-1])))
    capacity = pack.energy_kwh * 1000.0 / mean
    low, high = (float(bound / np.mean(chosen.cell_voltage) * mean) for bound in chosen.cell_voltage_bounds)
    power = pack.peak_power_kw or chosen.discharge_power_margin * drive_power_kw
    lost = pack.layout.lost_share if pack.layout else 0.0
    soc_maximum = 0.5 * (1.0 + pack.usable_kwh / pack.energy_kwh / (1.0 - lost))  # what is lost is at the bottom
    return battery_parameters(
        cells_series=1.0,
        cell_voltage_v=voltage,
        resistance_ohm=pack.resistance_ohm or chosen.resistance_loss * mean / capacity,
        capacity_ah=capacity,
        voltage_minimum_v=min(pack.voltage_min_v or low, float(voltage.min())),
        voltage_maximum_v=max(pack.voltage_max_v or high, float(voltage.max())),
        discharge_current_a=pack.discharge_current_a or power * 1000.0 / mean,
        charge_current_a=pack.charge_current_a or chosen.charge_rate * capacity,
        soc_minimum=max(soc_maximum - pack.usable_kwh / pack.energy_kwh, 0.0),
        soc_maximum=soc_maximum,
        charge_efficiency=fitted_constants().charge_efficiency,
    )


def _generic_voltage(build: Build) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    chosen = chosen_constants()
    cell = np.array(chosen.cell_voltage)
    series = chosen.cells_series
    if build.pack.nominal_voltage_v is not None:
        series = build.pack.nominal_voltage_v / float(np.mean(cell))
    return np.asarray(series * cell, dtype=np.float64)
