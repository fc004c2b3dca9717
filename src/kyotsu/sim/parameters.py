"""What a vehicle is to the simulation: named arrays in SI units, one entry per vehicle.

`VehicleParameters` holds a chassis, a front and a rear drive, and a battery. Everything inside is bare SI, shape
(vehicle,) or (vehicle, table). The builders `chassis_parameters`, `drive_parameters` and `battery_parameters` take
numbers as people write them, with their unit in the name, as scalars or as arrays of shape (vehicle,). What is
unknown can be filled by `components.generic_vehicle`. `stack` joins vehicles into one batch.
A builder given an impossible value raises `InputError` with every problem found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.units import RPM_PER_RAD_S

FloatArray = npt.NDArray[np.float64]
Numbers = float | Sequence[float] | FloatArray


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
    front_torque_share: FloatArray  # -, of the wheel force asked for
    auxiliary_power: FloatArray  # W, on the traction battery
    regeneration_share: FloatArray  # -, of the braking force that the motors are asked for
    regeneration_deceleration: FloatArray  # m/s², most that the motors are asked for
    regeneration_start: FloatArray  # m/s, below it friction only
    regeneration_full: FloatArray  # m/s, above it the full share


class LossParameters(NamedTuple):
    """Coefficients of a drive's loss in shaft speed w [rad/s] and shaft torque T [N m]; each of shape (vehicle,).

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
    """Motor, inverter and reducer of one axle, all units of the axle together; each entry of shape (vehicle,).

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

    Raises:
        InputError: a value is not a number, or out of its range.
    """
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
            auxiliary_power_w,
            regeneration_share,
            regeneration_deceleration_m_s2,
            regeneration_start_mps,
            regeneration_full_mps,
        )
    )
    _require(chassis_problems(values))
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
        loss: loss of motor, inverter and reducer together, see `loss_parameters` and `components.generic_loss`.

    Raises:
        InputError: a value is not a number, or out of its range.
    """
    ratio, torque, power, speed, _ = _broadcast(
        gear_ratio, peak_torque_nm, peak_power_kw, maximum_speed_rpm, loss.constant
    )
    size = ratio.size
    spread = LossParameters(*(np.broadcast_to(c, (size,)).astype(np.float64) for c in loss))
    values = DriveParameters(ratio, torque, power * 1e3, speed / RPM_PER_RAD_S, spread)
    _require(drive_problems("drive", values))
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
        *_broadcast(
            constant, speed, speed2, speed3, torque, torque2, torque_speed, torque2_speed, torque_speed2
        )
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
    _require(battery_problems(values))
    return values


def vehicle_parameters(
    *,
    chassis: ChassisParameters,
    front: DriveParameters | None,
    rear: DriveParameters | None,
    battery: BatteryParameters,
) -> VehicleParameters:
    """A vehicle or a batch from its parts; `None` is an axle without a drive.

    Raises:
        InputError: the parts are not of as many vehicles, or no axle is driven.
    """
    count = chassis.mass.size
    vehicles = VehicleParameters(chassis, front or no_drive(count), rear or no_drive(count), battery)
    sizes = {name: _size(part) for name, part in zip(vehicles._fields, vehicles, strict=True)}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name} {size}" for name, size in sizes.items())
        expected = "as many vehicles in each part"
        raise InputError([Problem(Location(key="vehicle"), found, expected, "Build all parts alike.")])
    return vehicles


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


def take(
    vehicles: VehicleParameters, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_]
) -> VehicleParameters:
    """The vehicles at `index`, shape (lane,) or a mask of shape (vehicle,); a vehicle may be taken more than once."""
    return map_arrays(lambda values: values[index], vehicles)


Tree = TypeVar("Tree")


def map_arrays(function: Callable[[FloatArray], FloatArray], tree: Tree) -> Tree:
    """The same named tuple with `function` applied to each array in it."""
    if isinstance(tree, np.ndarray):
        return function(tree)  # type: ignore[return-value]
    return type(tree)(*(map_arrays(function, branch) for branch in tree))  # type: ignore[attr-defined]


def invalid(vehicles: VehicleParameters) -> npt.NDArray[np.bool_]:
    """True for each vehicle whose parameters cannot be driven, shape (vehicle,)."""
    problems = [
        *chassis_problems(vehicles.chassis),
        *drive_problems("front", vehicles.front),
        *drive_problems("rear", vehicles.rear),
        *battery_problems(vehicles.battery),
    ]
    bad = np.zeros(vehicles.vehicle_count, dtype=np.bool_)
    for mask, _ in problems:
        bad |= mask
    return bad


Finding = tuple[npt.NDArray[np.bool_], Problem]


def chassis_problems(chassis: ChassisParameters) -> list[Finding]:
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
        "auxiliary_power": (0.0, 1e6),
        "regeneration_share": (0.0, 1.0),
        "regeneration_deceleration": (0.0, 20.0),
        "regeneration_start": (0.0, 100.0),
        "regeneration_full": (0.0, 100.0),
    }
    return _range_problems("chassis", chassis._asdict(), ranges)


def drive_problems(name: str, drive: DriveParameters) -> list[Finding]:
    """What is wrong with a drive: for each wrong entry a mask of shape (vehicle,) and the problem."""
    ranges = {
        "gear_ratio": (0.01, 1e3),
        "peak_torque": (0.0, 1e6),
        "peak_power": (0.0, 1e9),
        "maximum_speed": (1.0, 1e10),
    }
    found = _range_problems(name, drive._asdict(), ranges)
    return found + _range_problems(
        f"{name}.loss", drive.loss._asdict(), dict.fromkeys(LossParameters._fields, (0.0, 1e9))
    )


def battery_problems(battery: BatteryParameters) -> list[Finding]:
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
    found = _range_problems("battery", battery._asdict(), ranges)
    empty = ~(battery.soc_minimum < battery.soc_maximum)
    if empty.any():
        place = Location(key="battery.soc_minimum")
        found.append(
            (empty, Problem(place, "an empty usable window", "soc_minimum < soc_maximum", "Swap them."))
        )
    return found


def _range_problems(
    name: str, values: dict[str, FloatArray], ranges: dict[str, tuple[float, float]]
) -> list[Finding]:
    found: list[Finding] = []
    for key, (low, high) in ranges.items():
        wrong = ~((values[key] >= low) & (values[key] <= high))
        if wrong.any():
            mask = wrong if wrong.ndim == 1 else wrong.any(axis=1)
            first = values[key][wrong][0]
            place = Location(key=f"{name}.{key}")
            expected = f"{low:g} to {high:g} in SI units"
            where = f"{first:g} (vehicle {int(np.argmax(mask))}, {int(mask.sum())} in all)"
            found.append((mask, Problem(place, where, expected, "Correct the value or its unit.")))
    return found


def _require(found: list[Finding]) -> None:
    if found:
        raise InputError(problem for _, problem in found)


def _broadcast(*values: Numbers) -> list[FloatArray]:
    arrays = [np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values]
    return [array.astype(np.float64) for array in np.broadcast_arrays(*arrays)]


def _size(part: tuple[Any, ...]) -> int:
    return int(part[0].shape[0])


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
    def join(parts: tuple[object, ...]) -> object:
        if isinstance(parts[0], np.ndarray):
            return np.concatenate(parts)  # type: ignore[arg-type]
        return type(parts[0])(*(join(branch) for branch in zip(*parts, strict=True)))  # type: ignore[call-overload]

    return join(tuple(trees))  # type: ignore[return-value]
