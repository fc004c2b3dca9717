"""What a vehicle is to the simulation: named arrays in SI units, one entry per vehicle.

`VehicleParameters` holds a chassis, a front and a rear drive, a battery, its circuit and what is warm. Everything
inside is bare SI, shape (vehicle,) or (vehicle, table). The builders take numbers as people write them, keywords
with the unit in the name, scalars or arrays of shape (vehicle,); impossible values raise `InputError` with every
problem found. What is unknown can be taken from `components`. `stack` joins vehicles into one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.generic_thermal import generic_circuit, generic_thermal
from kyotsu.sim.parameter_checks import battery_findings, chassis_findings, drive_findings, require, thermal_findings
from kyotsu.sim.thermal_parameters import CircuitParameters, ThermalParameters
from kyotsu.units import RPM_PER_RAD_S

FloatArray = npt.NDArray[np.float64]
Numbers = float | Sequence[float] | FloatArray
TorqueSplit = Literal["fixed", "least_loss"]
TORQUE_SPLITS = ("fixed", "least_loss")


class ChassisParameters(NamedTuple):
    """Body, tyres and driver's rules; each entry of shape (vehicle,)."""

    mass: FloatArray  # kg, as tested
    rotating_mass: FloatArray  # kg, equivalent mass of wheels, gears and rotors
    road_load_a: FloatArray  # N
    road_load_b: FloatArray  # N s/m
    road_load_c: FloatArray  # N s²/m²
    tyre_radius: FloatArray  # m, rolling
    friction: FloatArray  # -, tyre to road
    front_load_share: FloatArray  # -, static
    height_per_wheelbase: FloatArray  # -, centre of gravity height over wheelbase
    front_torque_share: FloatArray  # -, of the wheel force asked for, where the split is fixed
    least_loss_split: FloatArray  # 1 where the axles share so that they lose least, 0 where the split is fixed
    auxiliary_power: FloatArray  # W, on the traction battery
    regeneration_share: FloatArray  # -, of the braking force that the motors are asked for
    regeneration_deceleration: FloatArray  # m/s², most that the motors are asked for
    regeneration_start: FloatArray  # m/s, below it friction only
    regeneration_full: FloatArray  # m/s, above it the full share


class LossParameters(NamedTuple):
    """Coefficients of a drive's loss in shaft speed w [rad/s] and shaft torque T [N m]; each of shape
    (vehicle,).

    P_loss = c + c_w w + c_w2 w² + c_w3 w³ + c_T |T| + c_T2 T² + c_Tw |T| w + c_T2w T² w + c_Tw2 |T| w² [W]
    """

    constant: FloatArray  # W, while turning
    speed: FloatArray  # W s
    speed2: FloatArray  # W s²
    speed3: FloatArray  # W s³
    torque: FloatArray  # W/(N m)
    torque2: FloatArray  # W/(N m)²
    torque_speed: FloatArray  # W s/(N m)
    torque2_speed: FloatArray  # W s/(N m)²
    torque_speed2: FloatArray  # W s²/(N m)


class DriveParameters(NamedTuple):
    """Motor, inverter and reducer of one axle, all units of the axle together; each entry of shape
    (vehicle,).

    An axle without a drive has a peak torque of zero.
    """

    gear_ratio: FloatArray  # -, motor turns per wheel turn
    peak_torque: FloatArray  # N m, at the motor shaft
    peak_power: FloatArray  # W, at the motor shaft
    maximum_speed: FloatArray  # rad/s, at the motor shaft
    loss: LossParameters  # motor, inverter and reducer together


class BatteryParameters(NamedTuple):
    """The pack, seen from its terminals, and its charger; shape (vehicle,), tables (vehicle, table)."""

    open_circuit_voltage: FloatArray  # V, over a uniform state of charge from 0 to 1; (vehicle, table)
    resistance: FloatArray  # ohm, over the same grid; (vehicle, table)
    capacity: FloatArray  # A s
    voltage_minimum: FloatArray  # V, under load
    voltage_maximum: FloatArray  # V, while charging
    discharge_current: FloatArray  # A, most
    charge_current: FloatArray  # A, most, positive
    soc_minimum: FloatArray  # -, lower end of the usable window
    soc_maximum: FloatArray  # -, upper end of the usable window
    charge_efficiency: FloatArray  # -, energy stored in the cells per energy from the wall


class VehicleParameters(NamedTuple):
    """A batch of vehicles."""

    chassis: ChassisParameters
    front: DriveParameters
    rear: DriveParameters
    battery: BatteryParameters
    circuit: CircuitParameters
    thermal: ThermalParameters

    @property
    def vehicle_count(self) -> int:
        """Number of vehicles in the batch."""
        return int(self.chassis.mass.shape[0])


def chassis_parameters(
    *,
    mass_kg: Numbers,
    road_load_a_n: Numbers,
    road_load_b_n_per_mps: Numbers,
    road_load_c_n_per_mps2: Numbers,
    rotating_mass_kg: Numbers,
    tyre_radius_m: Numbers,
    auxiliary_power_w: Numbers,
    front_torque_share: Numbers,
    friction: Numbers = 0.9,
    front_load_share: Numbers = 0.5,
    height_per_wheelbase: Numbers = 0.2,
    regeneration_share: Numbers = 0.9,
    regeneration_deceleration_m_s2: Numbers = 2.5,
    regeneration_start_mps: Numbers = 1.0,
    regeneration_full_mps: Numbers = 3.0,
    torque_split: TorqueSplit = "fixed",
) -> ChassisParameters:
    """A chassis from numbers with units in their names, scalars or arrays of shape (vehicle,).

    Args:
        mass_kg: mass as driven [kg].
        road_load_a_n: A [N]. Where A comes from a coast-down, the drive's own drag is in it:
            see `components.road_load_without_drive_drag_n`.
        road_load_b_n_per_mps: B [N s/m].
        road_load_c_n_per_mps2: C [N s²/m²].
        rotating_mass_kg: equivalent mass of all that turns [kg].
        tyre_radius_m: rolling radius [m].
        auxiliary_power_w: electrical load besides the drives [W].
        front_torque_share: front axle's share of the wheel force asked for [-]; 1 for front-wheel drive.
        friction: tyre-road friction coefficient [-].
        front_load_share: static share of the weight on the front axle [-].
        height_per_wheelbase: centre of gravity height over wheelbase [-].
        regeneration_share: share of the braking force asked of the motors [-].
        regeneration_deceleration_m_s2: most deceleration asked of the motors [m/s²].
        regeneration_start_mps: speed under which only friction brakes [m/s].
        regeneration_full_mps: speed above which the full share is asked [m/s].
        torque_split: `fixed`, by `front_torque_share`, or `least_loss`, see `drive.least_loss_share`.

    Raises:
        InputError: a value is not a number, or out of its range, or the split is unknown.
    """
    if torque_split not in TORQUE_SPLITS:
        expected = " or ".join(TORQUE_SPLITS)
        raise InputError([Problem(Location(key="torque_split"), repr(torque_split), expected, "Choose one.")])
    values = ChassisParameters(
        *_broadcast(
            mass_kg,
            rotating_mass_kg,
            road_load_a_n,
            road_load_b_n_per_mps,
            road_load_c_n_per_mps2,
            tyre_radius_m,
            friction,
            front_load_share,
            height_per_wheelbase,
            front_torque_share,
            float(torque_split == "least_loss"),
            auxiliary_power_w,
            regeneration_share,
            regeneration_deceleration_m_s2,
            regeneration_start_mps,
            regeneration_full_mps,
        )
    )
    require(chassis_findings(values))
    return values


def drive_parameters(
    *,
    gear_ratio: Numbers,
    peak_torque_nm: Numbers,
    peak_power_kw: Numbers,
    maximum_speed_rpm: Numbers,
    loss: LossParameters,
) -> DriveParameters:
    """The drive of one axle from numbers with units in their names, scalars or arrays of shape (vehicle,).

    Args:
        gear_ratio: motor turns per wheel turn [-].
        peak_torque_nm: at the motor shaft, all motors of the axle [N m].
        peak_power_kw: at the motor shaft, all motors of the axle [kW].
        maximum_speed_rpm: motor speed limit [1/min].
        loss: loss of motor, inverter and reducer together, see `loss_parameters` and
        `components.generic_loss`.

    Raises:
        InputError: a value is not a number, or out of its range.
    """
    ratio, torque, power, speed, _ = _broadcast(
        gear_ratio, peak_torque_nm, peak_power_kw, maximum_speed_rpm, loss.constant
    )
    size = ratio.size
    spread = LossParameters(*(np.broadcast_to(c, (size,)).astype(np.float64) for c in loss))
    values = DriveParameters(ratio, torque, power * 1e3, speed / RPM_PER_RAD_S, spread)
    require(drive_findings("drive", values))
    return values


def loss_parameters(
    *,
    constant: Numbers = 0.0,
    speed: Numbers = 0.0,
    speed2: Numbers = 0.0,
    speed3: Numbers = 0.0,
    torque: Numbers = 0.0,
    torque2: Numbers = 0.0,
    torque_speed: Numbers = 0.0,
    torque2_speed: Numbers = 0.0,
    torque_speed2: Numbers = 0.0,
) -> LossParameters:
    """Loss coefficients in W, rad/s and N m (see `LossParameters`), scalars or arrays of shape (vehicle,).

    The polynomial form is that of Mahmoudi et al., Loss Function Modeling of Efficiency Maps of Electrical
    Machines, IEEE Transactions on Industry Applications 53 (2017).
    """
    return LossParameters(
        *_broadcast(constant, speed, speed2, speed3, torque, torque2, torque_speed, torque2_speed, torque_speed2)
    )


def no_drive(count: int = 1) -> DriveParameters:
    """An axle without a drive, for `count` vehicles."""
    zero = np.zeros(count)
    idle = LossParameters(*(zero for _ in LossParameters._fields))
    return DriveParameters(np.ones(count), zero, zero, np.full(count, 1e9), idle)


def battery_parameters(
    *,
    cells_series: Numbers,
    cell_voltage_v: Numbers,
    resistance_ohm: Numbers,
    capacity_ah: Numbers,
    voltage_minimum_v: Numbers,
    voltage_maximum_v: Numbers,
    discharge_current_a: Numbers,
    charge_current_a: Numbers,
    soc_minimum: Numbers = 0.03,
    soc_maximum: Numbers = 0.97,
    charge_efficiency: Numbers = 0.88,
) -> BatteryParameters:
    """A pack from its cells, for one vehicle or for a batch.

    Args:
        cells_series: cells in series [-], shape () or (vehicle,).
        cell_voltage_v: open-circuit voltage of one cell over a uniform state of charge from 0 to 1 [V],
            shape (table,) or (vehicle, table), at least two entries.
        resistance_ohm: of the pack, cells to terminals [ohm]; shape (), (vehicle,) or (vehicle, table).
        capacity_ah: of the pack, whole state of charge from 0 to 1 [A h].
        voltage_minimum_v: least terminal voltage under load [V].
        voltage_maximum_v: most terminal voltage while charging [V].
        discharge_current_a: most discharge current [A].
        charge_current_a: most charge current, positive [A].
        soc_minimum: lower end of the usable window [-].
        soc_maximum: upper end of the usable window [-].
        charge_efficiency: energy stored in the cells per energy taken from the wall [-].

    Raises:
        InputError: a value is not a number, or out of its range.
    """
    series, capacity, low, high, out, into, least, most, efficiency = _broadcast(
        cells_series,
        capacity_ah,
        voltage_minimum_v,
        voltage_maximum_v,
        discharge_current_a,
        charge_current_a,
        soc_minimum,
        soc_maximum,
        charge_efficiency,
    )
    voltage = np.atleast_2d(np.asarray(cell_voltage_v, dtype=np.float64))
    resistance = np.asarray(resistance_ohm, dtype=np.float64)
    resistance = resistance if resistance.ndim == 2 else np.atleast_1d(resistance)[:, None]
    size = max(series.size, voltage.shape[0], resistance.shape[0])
    shape = (size, voltage.shape[1])
    spread = [
        np.broadcast_to(value, (size,)).astype(np.float64)
        for value in (capacity * 3600.0, low, high, out, into, least, most, efficiency)
    ]
    values = BatteryParameters(
        np.broadcast_to(series[:, None] * voltage, shape).astype(np.float64),
        np.broadcast_to(resistance, shape).astype(np.float64),
        *spread,
    )
    require(battery_findings(values))
    return values


def vehicle_parameters(
    *,
    chassis: ChassisParameters,
    front: DriveParameters | None,
    rear: DriveParameters | None,
    battery: BatteryParameters,
    circuit: CircuitParameters | None = None,
    thermal: ThermalParameters | None = None,
) -> VehicleParameters:
    """A vehicle or a batch from its parts; `None` is an axle without a drive, or a generic circuit or thermal part.

    Raises:
        InputError: the parts are not of as many vehicles, or a thermal value is impossible.
    """
    count = chassis.mass.size
    front, rear = front or no_drive(count), rear or no_drive(count)
    circuit = circuit or generic_circuit(battery.capacity.size)
    alike = front.peak_power.size == rear.peak_power.size == battery.capacity.size
    thermal = thermal or (generic_thermal(front=front, rear=rear, battery=battery) if alike else None)
    parts = {"chassis": chassis, "front": front, "rear": rear, "battery": battery, "circuit": circuit}
    sizes = {name: _size(part) for name, part in parts.items()}
    if thermal is not None:
        sizes["thermal"] = thermal.battery.heat_capacity.size
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name} {size}" for name, size in sizes.items())
        expected = "as many vehicles in each part"
        raise InputError([Problem(Location(key="vehicle"), found, expected, "Build all parts alike.")])
    assert thermal is not None  # parts of one size have a generic one
    require(thermal_findings(circuit, thermal))
    return VehicleParameters(chassis, front, rear, battery, circuit, thermal)


def stack(vehicles: Iterable[VehicleParameters]) -> VehicleParameters:
    """One batch of all the vehicles given, in order.

    Battery tables of different lengths are resampled to the longest.

    Raises:
        InputError: nothing was given.
    """
    batch = list(vehicles)
    if not batch:
        problem = Problem(Location(key="vehicles"), "an empty batch", "at least one vehicle", "Add one.")
        raise InputError([problem])
    longest = max(vehicle.battery.open_circuit_voltage.shape[1] for vehicle in batch)
    return _join([_resample(vehicle, longest) for vehicle in batch])


def take(vehicles: VehicleParameters, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> VehicleParameters:
    """The vehicles at `index`, shape (lane,), each as often as it is named; or those of a mask."""
    return map_arrays(lambda values: values[index], vehicles)


Tree = TypeVar("Tree")


def idle(drive: DriveParameters) -> npt.NDArray[np.bool_]:
    """Axles that neither pull nor lose, shape (vehicle,)."""
    still = [value == 0.0 for value in (drive.peak_torque, *drive.loss)]
    return np.asarray(np.all(still, axis=0))


def bare(vehicles: VehicleParameters) -> VehicleParameters:
    """The same vehicles without what matters in a climate only; cheaper to take apart."""
    return vehicles._replace(circuit=None, thermal=None)  # type: ignore[arg-type]


def map_arrays(function: Callable[[FloatArray], FloatArray], tree: Tree) -> Tree:
    """The same named tuple with `function` applied to each array in it; what is `None` stays so."""
    if isinstance(tree, np.ndarray):
        return function(tree)  # type: ignore[return-value]
    if tree is None:
        return tree
    return type(tree)(*(map_arrays(function, branch) for branch in tree))  # type: ignore[attr-defined]


def _resample(vehicle: VehicleParameters, length: int) -> VehicleParameters:
    battery = vehicle.battery
    old = np.linspace(0.0, 1.0, battery.open_circuit_voltage.shape[1])
    new = np.linspace(0.0, 1.0, length)
    voltage, resistance = (
        np.array([np.interp(new, old, row) for row in table])
        for table in (battery.open_circuit_voltage, battery.resistance)
    )
    return vehicle._replace(battery=battery._replace(open_circuit_voltage=voltage, resistance=resistance))


def _join(trees: list[VehicleParameters]) -> VehicleParameters:
    def join(parts: tuple[Any, ...]) -> Any:
        if isinstance(parts[0], np.ndarray):
            return np.concatenate(parts)
        return type(parts[0])(*(join(branch) for branch in zip(*parts, strict=True)))

    joined: VehicleParameters = join(tuple(trees))
    return joined


def _broadcast(*values: Numbers) -> list[FloatArray]:
    arrays = [np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values]
    return [array.astype(np.float64) for array in np.broadcast_arrays(*arrays)]


def _size(part: tuple[Any, ...]) -> int:
    return int(part[0].shape[0])
