"""Whether parameters can be driven: every entry inside a range that no road vehicle leaves.

A finding is a mask of the vehicles concerned and the problem. The builders raise on any finding; `simulate`
only flags the vehicles, so that one bad row does not stop a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem

if TYPE_CHECKING:
    from kyotsu.sim.parameters import (
        BatteryParameters,
        ChassisParameters,
        DriveParameters,
        FloatArray,
        VehicleParameters,
    )
    from kyotsu.sim.thermal_parameters import CircuitParameters, ThermalParameters

Finding = tuple[npt.NDArray[np.bool_], Problem]


def invalid(vehicles: VehicleParameters, thermal: bool = False) -> npt.NDArray[np.bool_]:
    """True for each vehicle whose parameters cannot be driven, shape (vehicle,); `thermal` ones only if asked for."""
    findings = [
        *chassis_findings(vehicles.chassis),
        *drive_findings("front", vehicles.front),
        *drive_findings("rear", vehicles.rear),
        *battery_findings(vehicles.battery),
        *(thermal_findings(vehicles.circuit, vehicles.thermal) if thermal else []),
    ]
    return wrong_ones(findings, vehicles.vehicle_count)


def wrong_ones(findings: list[Finding], count: int) -> npt.NDArray[np.bool_]:
    """True for each of `count` vehicles that a finding concerns, shape (vehicle,)."""
    bad = np.zeros(count, dtype=np.bool_)
    for mask, _ in findings:
        bad |= mask
    return bad


def chassis_findings(chassis: ChassisParameters) -> list[Finding]:
    """What is wrong with a chassis: for each wrong entry a mask of shape (vehicle,) and the problem."""
    ranges = {
        "mass": (1.0, 1e6),
        "rotating_mass": (0.0, 1e6),
        "road_load_a": (-1e4, 1e6),
        "road_load_b": (-1e3, 1e5),
        "road_load_c": (-1e2, 1e4),
        "tyre_radius": (0.05, 5.0),
        "friction": (0.01, 5.0),
        "front_load_share": (0.0, 1.0),
        "height_per_wheelbase": (0.0, 2.0),
        "front_torque_share": (0.0, 1.0),
        "least_loss_split": (0.0, 1.0),
        "auxiliary_power": (0.0, 1e6),
        "regeneration_share": (0.0, 1.0),
        "regeneration_deceleration": (0.0, 20.0),
        "regeneration_start": (0.0, 100.0),
        "regeneration_full": (0.0, 100.0),
    }
    return _range_findings("chassis", chassis._asdict(), ranges)


def drive_findings(name: str, drive: DriveParameters) -> list[Finding]:
    """What is wrong with a drive: for each wrong entry a mask of shape (vehicle,) and the problem."""
    ranges = {
        "gear_ratio": (0.01, 1e3),
        "peak_torque": (0.0, 1e6),
        "peak_power": (0.0, 1e9),
        "maximum_speed": (1.0, 1e10),
    }
    found = _range_findings(name, drive._asdict(), ranges)
    loss = drive.loss._asdict()
    return found + _range_findings(f"{name}.loss", loss, dict.fromkeys(loss, (0.0, 1e9)))


def battery_findings(battery: BatteryParameters) -> list[Finding]:
    """What is wrong with a battery: for each wrong entry a mask of shape (vehicle,) and the problem."""
    ranges = {
        "open_circuit_voltage": (1.0, 1e5),
        "resistance": (0.0, 1e3),
        "capacity": (1.0, 1e9),
        "voltage_minimum": (0.0, 1e5),
        "voltage_maximum": (1.0, 1e5),
        "discharge_current": (0.0, 1e6),
        "charge_current": (0.0, 1e6),
        "soc_minimum": (0.0, 1.0),
        "soc_maximum": (0.0, 1.0),
        "charge_efficiency": (0.01, 1.0),
    }
    found = _range_findings("battery", battery._asdict(), ranges)
    empty = np.asarray(~(battery.soc_minimum < battery.soc_maximum))
    if empty.any():
        place = Location(key="battery.soc_minimum")
        found.append((empty, Problem(place, "an empty usable window", "soc_minimum < soc_maximum", "Swap them.")))
    return found


def thermal_findings(circuit: CircuitParameters, thermal: ThermalParameters) -> list[Finding]:
    """What is wrong with a circuit or what is warm: for each wrong entry a mask of shape (vehicle,) and the problem."""
    share, slope, kelvin, power = (0.0, 1.0), (1e-6, 1e9), (1.0, 1e5), (0.0, 1e7)
    capacity, conductance = (1e-3, 1e10), (0.0, 1e8)
    found = _range_findings(
        "circuit",
        circuit._asdict(),
        {
            "fast_share": share,
            "fast_time": (1e-3, 1e9),
            "slow_share": share,
            "slow_time": (1e-3, 1e9),
            "activation": (-1e4, 1e4),
        },
    )
    split = {"shares": circuit.fast_share + circuit.slow_share}
    found += _range_findings("circuit", split, {"shares": share})
    charge = (-2.0, 3.0)
    battery = {
        "heat_capacity": capacity, "conductance": conductance,
        "heat_below": kelvin, "heater_power": power, "cool_above": kelvin, "cooler_power": power,
        "discharge_cold": kelvin, "discharge_cold_slope": slope, "charge_cold": kelvin, "charge_cold_slope": slope,
        "hot": kelvin, "hot_slope": slope, "discharge_low": charge, "discharge_low_slope": slope,
        "charge_high": charge, "charge_high_slope": slope,
    }  # fmt: skip
    found += _range_findings("thermal.battery", thermal.battery._asdict(), battery)
    drive = {
        "motor_capacity": capacity, "motor_conductance": conductance, "motor_loss_share": share,
        "motor_hot": kelvin, "motor_hot_slope": slope,
        "inverter_capacity": capacity, "inverter_conductance": conductance, "inverter_loss_share": share,
        "inverter_hot": kelvin, "inverter_hot_slope": slope, "per_rated_voltage": (0.0, 1e3),
    }  # fmt: skip
    for name, one in (("front", thermal.front), ("rear", thermal.rear)):
        found += _range_findings(f"thermal.{name}", one._asdict(), drive)
        split = {"loss_shares": one.motor_loss_share + one.inverter_loss_share}
        found += _range_findings(f"thermal.{name}", split, {"loss_shares": share})
    cabin = {
        "heat_capacity": capacity, "conductance": conductance, "heater_power": power, "cooler_power": power,
        "heating_cop": (0.1, 100.0), "heating_cop_slope": (-1.0, 1.0),
        "cooling_cop": (0.1, 100.0), "cooling_cop_slope": (-1.0, 1.0), "blower_power": power,
    }  # fmt: skip
    return found + _range_findings("thermal.cabin", thermal.cabin._asdict(), cabin)


def _range_findings(name: str, values: dict[str, FloatArray], ranges: dict[str, tuple[float, float]]) -> list[Finding]:
    found: list[Finding] = []
    for key, (low, high) in ranges.items():
        wrong = ~((values[key] >= low) & (values[key] <= high))
        if wrong.any():
            mask = np.asarray(wrong.reshape(wrong.shape[0], -1).any(axis=1))
            first = values[key][wrong][0]
            place = Location(key=f"{name}.{key}")
            expected = f"{low:g} to {high:g} in SI units"
            where = f"{first:g} (vehicle {int(np.argmax(mask))}, {int(mask.sum())} in all)"
            found.append((mask, Problem(place, where, expected, "Correct the value or its unit.")))
    return found


_required: ContextVar[bool] = ContextVar("required", default=True)


@contextmanager
def unchecked() -> Iterator[None]:
    """In here builders build whatever they are given, and NaN may pass: `invalid` names the vehicles later."""
    before = _required.set(False)
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        _required.reset(before)


def require(found: list[Finding]) -> None:
    """Raise `InputError` with all findings, if there are any; not so where all is `unchecked`."""
    if found and _required.get():
        raise InputError(problem for _, problem in found)
