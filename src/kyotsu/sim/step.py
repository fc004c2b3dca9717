"""One step of the drive: from a speed asked for to a speed reached, with every power on the way.

`step(parameters, state, input) -> state, flows` is pure. The step works backward from the speed asked for to
the force at the wheels and the power of the battery, and forward where tyre, motor or battery cannot deliver:
then the speed reached follows from the force there is. Forces act at the mean speed of the step, so that
energy is conserved to rounding: cells = road + grade + kinetic + friction brake + drive loss + auxiliaries +
battery loss. SI units without suffix; every array has the shape (vehicle,).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.sim.battery import (
    charge_limit,
    current_at_power,
    discharge_limit,
    table_value,
    terminal_power,
)
from kyotsu.sim.drive import (
    BATTERY,
    BATTERY_EMPTY,
    LEAST,
    MOTOR_SPEED,
    NONE,
    AxleForces,
    ElectricTerms,
    electric_scale,
    electric_terms,
    force_limit,
    least_loss_share,
    share_force,
)
from kyotsu.sim.parameters import BatteryParameters, FloatArray, VehicleParameters, map_arrays
from kyotsu.sim.road import axle_loads, breakaway, grade_force, inertia, road_load

FLOOR_IT = 1e9  # N, more than any drive can give
ITERATIONS = 30  # at most, of the speed reached under a limit; it closes in 4 to 8
CLOSED = 1e-12  # N per kg of vehicle; where that iteration stops
TINY = 1e-9  # s; a step of no length leaves everything as it is


class State(NamedTuple):
    """What a vehicle carries from step to step."""

    speed: FloatArray  # m/s
    soc: FloatArray  # -, state of charge
    distance: FloatArray  # m


class Input(NamedTuple):
    """What is asked for in one step."""

    speed: FloatArray  # m/s, wanted at the end of the step
    slope_sine: FloatArray  # -, sine of the road's slope
    duration: FloatArray  # s
    wind: FloatArray  # m/s, head wind


class Flows(NamedTuple):
    """Mean powers of one step [W], and what limited it."""

    road: FloatArray  # W, rolling and air resistance
    grade: FloatArray  # W, into height
    kinetic: FloatArray  # W, into motion
    friction_brake: FloatArray  # W
    drive_loss: FloatArray  # W, motors, inverters and reducers
    auxiliary: FloatArray  # W
    battery_loss: FloatArray  # W, in the pack's resistance
    terminals: FloatArray  # W, out of the battery
    cells: FloatArray  # W, out of the cells, before the pack's resistance
    limiter: FloatArray  # code of `drive.LIMITERS`


class Supply(NamedTuple):
    """The battery during one step."""

    voltage: FloatArray  # V, open circuit
    resistance: FloatArray  # ohm
    auxiliary: FloatArray  # W, what the auxiliaries get
    charge: FloatArray  # W, least power of the drives, not above zero
    discharge: FloatArray  # W, most power of the drives
    empty: npt.NDArray[np.bool_]  # the charge, not the current, is what limits


class Moment(NamedTuple):
    """All that is given at the start of a step."""

    parameters: VehicleParameters
    state: State
    asked: Input
    supply: Supply


def step(parameters: VehicleParameters, state: State, asked: Input) -> tuple[State, Flows]:
    """Drive one step.

    Args:
        parameters: the vehicles.
        state: at the start of the step.
        asked: the speed wanted at its end, the slope and the duration.

    Returns:
        The state at the end of the step, and the mean powers during it.
    """
    moment = Moment(parameters, state, asked, supply_of(parameters, state.soc, asked.duration))
    target, forces, travelled = driven(moment)
    return settle(moment, target, forces, travelled)


def driven(moment: Moment) -> tuple[FloatArray, AxleForces, FloatArray]:
    """The speed reached [m/s], the wheel forces, and the part of the way travelled, see `travelled_share`."""
    target, too_fast = reachable_target(moment.parameters, moment.state, moment.asked)
    forces = traction(moment, target)
    short = forces.limiter > NONE
    if np.any(short):
        lanes = np.flatnonzero(short)
        some = map_arrays(lambda values: values[lanes], moment)
        reached = speed_under_limit(some, target[lanes])
        target[lanes] = reached
        for whole, part in zip(forces, full_throttle(some, reached), strict=True):
            whole[lanes] = part
    limiter = np.where(too_fast & (forces.limiter == NONE), MOTOR_SPEED, forces.limiter)
    return target, AxleForces(forces.front, forces.rear, limiter), travelled_share(moment, target, forces)


def supply_of(parameters: VehicleParameters, soc: FloatArray, duration: FloatArray) -> Supply:
    """What the battery offers during a step that starts at `soc` and lasts `duration` [s]."""
    lanes = np.arange(soc.shape[0])
    voltage = table_value(parameters.battery.open_circuit_voltage, soc, lanes)
    resistance = table_value(parameters.battery.resistance, soc, lanes)
    return supply_from(parameters.battery, parameters.chassis.auxiliary_power, voltage, resistance, soc, duration)


def supply_from(
    battery: BatteryParameters,
    auxiliary_power: FloatArray,
    voltage: FloatArray,
    resistance: FloatArray,
    soc: FloatArray,
    duration: FloatArray,
) -> Supply:
    """What a battery of this open-circuit voltage [V] and resistance [ohm] offers beside auxiliaries [W]."""
    out = discharge_limit(battery, voltage, resistance, soc, duration)
    into = charge_limit(battery, voltage, resistance, soc, duration)
    most = terminal_power(voltage, resistance, out)
    auxiliary = np.minimum(auxiliary_power, most)
    by_charge = (soc - battery.soc_minimum) * battery.capacity
    return Supply(
        voltage,
        resistance,
        auxiliary,
        terminal_power(voltage, resistance, -into) - auxiliary,
        most - auxiliary,
        by_charge <= out * np.maximum(duration, TINY) * (1.0 + 1e-9),
    )


def reachable_target(
    parameters: VehicleParameters, state: State, asked: Input
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """The speed asked for, held under the motors' top speed, and where that was needed."""
    top = np.minimum(
        parameters.front.maximum_speed / parameters.front.gear_ratio,
        parameters.rear.maximum_speed / parameters.rear.gear_ratio,
    )
    top = top * parameters.chassis.tyre_radius
    target = np.where(asked.duration > TINY, asked.speed, state.speed)
    return np.minimum(target, top), target > top


def motion(moment: Moment, target: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean speed [m/s] and acceleration [m/s²] of a step that ends at `target`, each of shape (vehicle,)."""
    speed = moment.state.speed
    return 0.5 * (speed + target), (target - speed) / np.maximum(moment.asked.duration, TINY)


def wheel_demand(moment: Moment, target: FloatArray) -> FloatArray:
    """Wheel force that brings the vehicle from its speed to `target`, F = R(v) + m g sin θ + M a [N].

    R at the mean speed. At rest the brake holds the vehicle: no force.
    """
    chassis = moment.parameters.chassis
    mean, acceleration = motion(moment, target)
    force = road_load(chassis, mean, moment.asked.wind) + grade_force(chassis, moment.asked.slope_sine)
    return np.where(mean > 0.0, force + inertia(chassis) * acceleration, 0.0)


def traction(moment: Moment, target: FloatArray) -> AxleForces:
    """Wheel forces for `target` under all limits; a limit on braking is no limit on the drive."""
    forces = wheel_forces(moment, target, force_asked(moment, target))
    limiter = np.where(wheel_demand(moment, target) > 0.0, forces.limiter, NONE)
    return AxleForces(forces.front, forces.rear, limiter)


def force_asked(moment: Moment, target: FloatArray) -> FloatArray:
    """Wheel force asked of the motors [N]: the demand when driving, their part of it when braking.

    Braking it is F = max(share · fade(v) · demand, −m a_max), fade rising from 0 to 1 between the speeds
    `regeneration_start` and `regeneration_full`.
    """
    chassis = moment.parameters.chassis
    demand = wheel_demand(moment, target)
    mean, _ = motion(moment, target)
    span = np.maximum(chassis.regeneration_full - chassis.regeneration_start, TINY)
    fade = np.minimum(np.maximum((mean - chassis.regeneration_start) / span, 0.0), 1.0)
    braking = demand * chassis.regeneration_share * fade
    braking = np.maximum(braking, -chassis.regeneration_deceleration * chassis.mass)
    return np.where(demand < 0.0, braking, demand)


def wheel_forces(moment: Moment, target: FloatArray, force: FloatArray) -> AxleForces:
    """What of a wheel force [N] the axles can give under the tyre, motor and battery limits."""
    forces = forces_at_axles(moment, target, force)
    scale = electric_scale(drive_terms(moment, target, forces), moment.supply.charge, moment.supply.discharge)
    by_battery = np.where(moment.supply.empty, BATTERY_EMPTY, BATTERY)
    limiter = np.where(scale < 1.0, by_battery, forces.limiter)
    return AxleForces(forces.front * scale, forces.rear * scale, limiter)


def forces_at_axles(moment: Moment, target: FloatArray, force: FloatArray) -> AxleForces:
    """What of a wheel force [N] the axles can give under the tyre and motor limits."""
    parameters = moment.parameters
    chassis, front, rear = parameters.chassis, parameters.front, parameters.rear
    mean, acceleration = motion(moment, target)
    front_load, rear_load = axle_loads(chassis, acceleration, moment.asked.slope_sine)
    front_share = chassis.front_torque_share
    if np.any(chassis.least_loss_split > 0.0):
        best = least_loss_share(chassis, front, rear, force, mean)
        front_share = np.where(chassis.least_loss_split > 0.0, best, front_share)
    return share_force(
        front_share,
        force,
        force_limit(front, chassis.tyre_radius, mean, chassis.friction * front_load),
        force_limit(rear, chassis.tyre_radius, mean, chassis.friction * rear_load),
    )


def drive_terms(moment: Moment, target: FloatArray, forces: AxleForces) -> ElectricTerms:
    """Electrical power of both drives on the way to `target`, over a common scale of their forces."""
    parameters = moment.parameters
    mean, _ = motion(moment, target)
    return electric_terms(parameters.chassis, parameters.front, parameters.rear, forces, mean)


def full_throttle(moment: Moment, target: FloatArray) -> AxleForces:
    """All that the axles can give on the way to `target`, but no more than it takes to get there."""
    most = wheel_forces(moment, target, np.full_like(target, FLOOR_IT))
    given = most.front + most.rear
    demand = np.maximum(wheel_demand(moment, target), 0.0)
    part = np.minimum(demand / np.maximum(given, LEAST), 1.0)
    return AxleForces(most.front * part, most.rear * part, most.limiter)


def speed_under_limit(moment: Moment, target: FloatArray) -> FloatArray:
    """Speed at the end of the step when the vehicle gives all it can.

    Root of demand(v) − available(v) between rolling out and `target`.

    Args:
        moment: the vehicles, their state, and what is asked.
        target: a speed that cannot be reached [m/s], shape (vehicle,).

    Returns:
        Speed reached [m/s], shape (vehicle,); `target` where it can be reached after all.
    """
    chassis, speed, wind = moment.parameters.chassis, moment.state.speed, moment.asked.wind
    climb, still = grade_force(chassis, moment.asked.slope_sine), breakaway(chassis, wind)
    road = np.maximum(road_load(chassis, speed, wind), road_load(chassis, target, wind))
    against = np.maximum(road, still) + climb
    low = np.maximum(speed - moment.asked.duration * against / inertia(chassis), 0.0)
    low = np.minimum(low, target)
    # From rest the drives have to overcome road and grade before anything moves.
    start = np.where(speed + low > 0.0, 0.0, still + climb)
    return _balance(moment, (low, force_lacking(moment, low) + start), (target, force_lacking(moment, target)))


def force_lacking(moment: Moment, target: FloatArray) -> FloatArray:
    """By how much the demand of `target` exceeds all that the axles can give [N], shape (vehicle,)."""
    most = wheel_forces(moment, target, np.full_like(target, FLOOR_IT))
    return wheel_demand(moment, target) - most.front - most.rear


Point = tuple[FloatArray, FloatArray]  # speed [m/s] and force lacking there [N]


def _balance(moment: Moment, low: Point, high: Point) -> FloatArray:
    """Root of `force_lacking` between two points, by the Illinois variant of regula falsi; elementwise.

    An end that is already on the wrong side is the answer. M. Dowell and P. Jarratt, BIT 11 (1971) 168.
    """
    (x_low, y_low), (x_high, y_high) = low, high
    close = CLOSED * moment.parameters.chassis.mass
    reachable, stuck = y_high <= 0.0, y_low >= 0.0
    middle, side = x_low, np.zeros_like(x_low)
    for _ in range(ITERATIONS):
        middle = x_high - y_high * (x_high - x_low) / np.maximum(y_high - y_low, LEAST)
        middle = np.minimum(np.maximum(middle, x_low), x_high)
        narrow = (middle == x_low) | (middle == x_high)  # no number lies between
        value = force_lacking(moment, middle)
        above = value > 0.0
        x_low, x_high = np.where(above, x_low, middle), np.where(above, middle, x_high)
        y_low = np.where(above, np.where(side > 0.0, 0.5, 1.0) * y_low, value)
        y_high = np.where(above, value, np.where(side < 0.0, 0.5, 1.0) * y_high)
        side = np.where(above, 1.0, -1.0)
        if np.all(reachable | stuck | narrow | (np.abs(value) < close)):
            break
    return np.where(reachable, high[0], np.where(stuck, low[0], middle))


def travelled_share(moment: Moment, target: FloatArray, forces: AxleForces) -> FloatArray:
    """Part of the way that the mean speed would give [-], shape (vehicle,).

    Less than 1 where a vehicle rolls to rest before the step ends.
    """
    chassis = moment.parameters.chassis
    mean, _ = motion(moment, target)
    against = road_load(chassis, mean, moment.asked.wind) + grade_force(chassis, moment.asked.slope_sine)
    lack = np.maximum(wheel_demand(moment, target) - (forces.front + forces.rear), 0.0)
    return np.where(against > lack, 1.0 - lack / np.where(against > lack, against, 1.0), 1.0)


def settle(moment: Moment, target: FloatArray, forces: AxleForces, travelled: FloatArray) -> tuple[State, Flows]:
    """Account for the step: from the wheel forces to the powers of every component, and the state after it."""
    parameters, state, asked, supply = moment
    chassis = parameters.chassis
    mean, acceleration = motion(moment, target)
    demand = wheel_demand(moment, target)
    drive_force = forces.front + forces.rear
    brake = np.maximum(drive_force - demand, 0.0)
    road, grade = road_load(chassis, mean, asked.wind), grade_force(chassis, asked.slope_sine)
    terms = drive_terms(moment, target, forces)
    # With less than the idle loss on offer the contactors are open, and the drives draw nothing.
    off = (terms.idle > supply.discharge) & (drive_force == 0.0)
    electric = np.where(off, 0.0, terms.idle + terms.linear + terms.square)
    terminals = electric + supply.auxiliary
    current = current_at_power(supply.voltage, supply.resistance, terminals)
    cells = supply.voltage * current
    flows = Flows(
        road=road * mean * travelled,
        grade=grade * mean * travelled,
        kinetic=inertia(chassis) * acceleration * mean,
        friction_brake=brake * mean,
        drive_loss=electric - drive_force * mean,
        auxiliary=supply.auxiliary,
        battery_loss=cells - terminals,
        terminals=terminals,
        cells=cells,
        limiter=forces.limiter,
    )
    after = State(
        target,
        state.soc - current * asked.duration / parameters.battery.capacity,
        state.distance + mean * travelled * asked.duration,
    )
    return after, flows
