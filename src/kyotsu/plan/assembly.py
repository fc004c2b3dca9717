"""Parameters of very many builds of one vehicle, assembled from tables of their parts.

`sim.build` turns one build into parameters. A build of a choice differs from its vehicle only in battery, drives and
mass; so each battery module and each drive goes through `sim.build` once, and the builds are put together by index:

    battery   a module's values, times modules in series, times or over strings
    drive     as it is; the drag of a drive without a stated loss model is its share of the vehicle's
    chassis   the vehicle's, with the new mass in all that follows it

`tests/plan/test_assembly.py` holds the result equal to that of `sim.build` field by field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from kyotsu.plan.assortment import FloatArray, IntArray
from kyotsu.sim.build import build_parameters, model_year
from kyotsu.sim.components import chosen_constants, generic_auxiliary_power_w, generic_drive_drag_n
from kyotsu.sim.fast_charge import CellCurrents, cell_currents
from kyotsu.sim.generic_thermal import generic_thermal
from kyotsu.sim.parameters import (
    BatteryParameters,
    ChassisParameters,
    DriveParameters,
    VehicleParameters,
    map_arrays,
    no_drive,
    stack,
)
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.build import USABLE_SHARE, Build, Drive, drives_mass_kg, laid_out
from kyotsu.spec.layout import Layout, battery_mass_kg

SINGLE = Layout(1, 1, 1)  # one module on its own, of which all layouts are multiples
Tree = TypeVar("Tree")


@dataclass(frozen=True, eq=False)
class ModuleTable:
    """Batteries of one module each; arrays of shape (module,), tables (module, table)."""

    parameters: VehicleParameters  # of the vehicle that lends all else; only the batteries count
    unstated_current: FloatArray  # 1 where the discharge current is the generic one, else 0
    charging: CellCurrents  # that the cells of one module take

    @property
    def battery(self) -> BatteryParameters:
        """One module each."""
        return self.parameters.battery

    @property
    def mean_voltage(self) -> FloatArray:
        """Over state of charge [V]."""
        voltage = self.battery.open_circuit_voltage
        return np.asarray(0.5 * (voltage[:, 1:] + voltage[:, :-1]).mean(axis=1))


@dataclass(frozen=True, eq=False)
class DriveTable:
    """Drives on offer at one mount; arrays of shape (drive,)."""

    front: bool
    drives: tuple[Drive, ...]
    parameters: DriveParameters
    power: FloatArray  # kW
    mass_change: FloatArray  # kg, against the drive as built; NaN where a mass is not stated
    generic: FloatArray  # 1 where the generic loss model speaks, else 0


@dataclass(frozen=True, eq=False)
class BatteryTable:
    """Modules in layouts in one vehicle's bay; arrays of shape (battery,)."""

    module: IntArray
    layouts: tuple[Layout, ...]
    series: FloatArray
    strings: FloatArray
    lost: FloatArray  # -, share of the charge below the vehicle's window
    mass_change: FloatArray  # kg, against the battery as built; 0 where a mass is not stated


def module_table(modules: Sequence[BatteryModule], base: Build) -> ModuleTable:
    """Each module on its own in a vehicle that lends all else."""
    builds, laid, unstated = [], [], []
    for module in modules:
        pack = laid_out(base.vehicle, module, SINGLE)
        assert pack is not None  # modules without energy are left out before
        builds.append(replace(base, pack=replace(pack, layout=None)))
        laid.append(replace(base, pack=pack))
        unstated.append(float(pack.discharge_current_a is None))
    parameters = build_parameters(builds)
    return ModuleTable(parameters, np.array(unstated), cell_currents(laid, parameters.battery))


def with_own(table: ModuleTable | None, base: Build, own: VehicleParameters) -> ModuleTable:
    """The table with a vehicle's battery as built as one more module, the last."""
    pack = base.pack
    generic = float(pack.discharge_current_a is None and pack.peak_power_kw is None)
    charging = cell_currents([base], own.battery)
    if table is None:
        return ModuleTable(own, np.array([generic]), charging)
    both = CellCurrents(*(np.concatenate(pair) for pair in zip(table.charging, charging, strict=True)))
    return ModuleTable(stack([table.parameters, own]), np.append(table.unstated_current, generic), both)


def drive_table(base: Build, drives: Sequence[Drive]) -> DriveTable:
    """The drives that may stand at one mount of a vehicle."""
    front = drives[0].mount.axle == "front"
    alone = build_parameters(replace(base, drives=(drive,)) for drive in drives)
    old = next(drive for drive in base.drives if drive.mount.axle == drives[0].mount.axle)
    masses = [_change(drives_mass_kg((old,)), drives_mass_kg((drive,)), np.nan) for drive in drives]
    generic = [float(drive.eaxle.loss_model is None and drive.eaxle.loss_map is None) for drive in drives]
    return DriveTable(
        front,
        tuple(drives),
        alone.front if front else alone.rear,
        np.array([drive.rating.peak_power_kw for drive in drives]),
        np.array(masses),
        np.array(generic),
    )


def battery_table(base: Build, modules: Sequence[BatteryModule], rows: Sequence[tuple[int, Layout]]) -> BatteryTable:
    """Modules, by index, in layouts in a vehicle's bay; the index after the last is the battery as built."""
    bay, own = base.vehicle.battery_bay, base.pack.mass_kg
    layouts = tuple(layout for _, layout in rows)
    change = [
        _change(own, battery_mass_kg(modules[index], layout, bay)) if index < len(modules) else 0.0
        for index, layout in rows
    ]
    return BatteryTable(
        np.array([index for index, _ in rows], dtype=np.int64),
        layouts,
        np.array([float(layout.series) for layout in layouts]),
        np.array([float(layout.strings) for layout in layouts]),
        np.array([layout.lost_share for layout in layouts]),
        np.array(change),
    )


def charging_of(modules: ModuleTable, batteries: BatteryTable) -> CellCurrents:
    """What the cells of batteries take: that of a module, times its strings."""
    largest, over_soc = (values[batteries.module] for values in modules.charging)
    return CellCurrents(largest * batteries.strings, over_soc * batteries.strings[:, None])


def assembled(
    base: Build,
    own: VehicleParameters,
    modules: ModuleTable,
    batteries: BatteryTable,
    drives: Sequence[DriveTable],
    battery_index: IntArray,
    drive_index: Sequence[IntArray],
) -> tuple[VehicleParameters, FloatArray]:
    """Parameters of builds, and their change of mass [kg], shape (build,).

    Args:
        base: the vehicle as built.
        own: its parameters, of one vehicle.
        modules: all modules.
        batteries: those in this vehicle's bay.
        drives: for each mount.
        battery_index: the battery of each build, shape (build,).
        drive_index: for each mount, the drive of each build.
    """
    power, front_power, change = np.zeros((3, battery_index.size))
    for table, index in zip(drives, drive_index, strict=True):
        change = change + table.mass_change[index]
        power = power + table.power[index]
        front_power = front_power + (table.power[index] if table.front else 0.0)
    change = np.where(np.isnan(change), 0.0, change) + batteries.mass_change[battery_index]
    chassis = _chassis(base, repeat(own.chassis, change.size), change, front_power / power)
    axles = {True: no_drive(change.size), False: no_drive(change.size)}
    for table, index in zip(drives, drive_index, strict=True):
        axles[table.front] = _drive(base, table, index, power, change)
    battery = _battery(base, modules, batteries, battery_index, power)
    front, rear, year = axles[True], axles[False], model_year(base.vehicle)
    thermal = generic_thermal(front=front, rear=rear, battery=battery, model_year=year)
    circuit = repeat(own.circuit, change.size)
    return VehicleParameters(chassis, front, rear, battery, circuit, thermal), change


def repeat(tree: Tree, count: int) -> Tree:
    """One vehicle's arrays for many of it."""
    return map_arrays(lambda values: np.repeat(values, count, axis=0), tree)


def _change(old: float | None, new: float | None, unknown: float = 0.0) -> float:
    return unknown if old is None or new is None else new - old


def _chassis(base: Build, own: ChassisParameters, change: FloatArray, front_share: FloatArray) -> ChassisParameters:
    mass = own.mass + change
    auxiliary = own.auxiliary_power
    if base.vehicle.auxiliaries.base_w is None:
        auxiliary = generic_auxiliary_power_w(mass, model_year(base.vehicle))
    return own._replace(
        mass=mass,
        rotating_mass=chosen_constants().rotating_mass_share * mass,
        road_load_a=own.road_load_a * mass / own.mass,
        auxiliary_power=auxiliary,
        front_torque_share=front_share,
    )


def _drive(
    base: Build, table: DriveTable, index: IntArray, total_power: FloatArray, change: FloatArray
) -> DriveParameters:
    drive: DriveParameters = map_arrays(lambda values: values[index], table.parameters)
    share = table.power[index] / total_power
    if base.vehicle.masses.test_kg is None:  # the drag then follows the build's mass
        share = share * generic_drive_drag_n(base.test_mass_kg + change) / generic_drive_drag_n(base.test_mass_kg)
    ratio = np.where(table.generic[index] > 0.0, share, 1.0)
    return drive._replace(loss=drive.loss._replace(speed=drive.loss.speed * ratio))


def _battery(
    base: Build, modules: ModuleTable, table: BatteryTable, index: IntArray, power_kw: FloatArray
) -> BatteryParameters:
    one: BatteryParameters = map_arrays(lambda values: values[table.module[index]], modules.battery)
    series, strings, lost = table.series[index], table.strings[index], table.lost[index]
    of_pack = series / strings
    generic = chosen_constants().discharge_power_margin * 1e3 * power_kw
    generic = generic / (series * modules.mean_voltage[table.module[index]])
    unstated = modules.unstated_current[table.module[index]] > 0.0
    own = base.vehicle.battery
    usable = own.usable_kwh / own.energy_kwh if own.usable_kwh and own.energy_kwh else USABLE_SHARE
    soc_maximum = 0.5 * (1.0 + usable)
    changes: dict[str, Any] = {
        "open_circuit_voltage": one.open_circuit_voltage * series[:, None],
        "resistance": one.resistance * of_pack[:, None],
        "capacity": one.capacity * strings,
        "voltage_minimum": one.voltage_minimum * series,
        "voltage_maximum": one.voltage_maximum * series,
        "discharge_current": np.where(unstated, generic, one.discharge_current * strings),
        "charge_current": one.charge_current * strings,
        "soc_minimum": np.maximum(soc_maximum - usable * (1.0 - lost), 0.0),
        "soc_maximum": np.full(series.size, soc_maximum),
    }
    return one._replace(**changes)
