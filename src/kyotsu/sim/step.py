"""One step of the drive: from a speed asked for to a speed reached, with every power on the way.

`step(parameters, state, input) -> state, flows` is pure. The step works backward from the speed asked for to the
force at the wheels and the power of the battery, and forward where tyre, motor or battery cannot deliver: then the
speed reached follows from the force there is. Forces act at the mean speed of the step, so that energy is
conserved to rounding: cells = road + grade + kinetic + friction brake + drive loss + auxiliaries + battery loss.
SI units without suffix; every array has the shape (vehicle,).
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
    MOTOR_SPEED,
    NONE,
    AxleForces,
    electric_scale,
    electric_terms,
    force_limit,
    share_force,
)
from kyotsu.sim.parameters import FloatArray, VehicleParameters
from kyotsu.sim.road import axle_loads, grade_force, inertia, road_load

FLOOR_IT = 1e9  # N, more than any drive can give
ITERATIONS = 12  # of the speed reached under a limit; it closes to rounding in 5 to 8
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


def step(parameters: VehicleParameters, state: State, asked: Input) -> tuple[State, Flows]:
    """Drive one step.

    Args:
        parameters: the vehicles.
        state: at the start of the step.
        asked: the speed wanted at its end, the slope and the duration.

    Returns:
        The state at the end of the step, and the mean powers during it.
    """
    supply = supply_of(parameters, state.soc, asked.duration)
    target, too_fast = reachable_target(parameters, state, asked)
    forces = traction(parameters, state, target, asked, supply)
    short = forces.limiter > NONE
    if np.any(short):
        reached = speed_under_limit(parameters, state, target, asked, supply)
        target = np.where(short, reached, target)
        limited = full_throttle(parameters, state, target, asked, supply)
        forces = AxleForces(*(np.where(short, b, a) for a, b in zip(forces, limited, strict=True)))
    limiter = np.where(too_fast & (forces.limiter == NONE), MOTOR_SPEED, forces.limiter)
    return _settle(parameters, state, target, asked, supply, forces._replace(limiter=limiter))


def supply_of(parameters: VehicleParameters, soc: FloatArray, duration: FloatArray) -> Supply:
    """What the battery offers during a step that starts at `soc` and lasts `duration` [s]."""
    battery = parameters.battery
    lanes = np.arange(soc.shape[0])
    voltage = table_value(battery.open_circuit_voltage, soc, lanes)
    resistance = table_value(battery.resistance, soc, lanes)
    out = discharge_limit(battery, voltage, resistance, soc, duration)
    into = charge_limit(battery, voltage, resistance, soc, duration)
    most = terminal_power(voltage, resistance, out)
    auxiliary = np.minimum(parameters.chassis.auxiliary_power, most)
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


def wheel_demand(parameters: VehicleParameters, state: State, target: FloatArray, asked: Input) -> FloatArray:
    """Wheel force that brings the vehicle from its speed to `target`, F = R(v) + m g sin θ + M a [N].

    R at the mean speed. At rest the brake holds the vehicle: no force.
    """
    chassis = parameters.chassis
    mean = 0.5 * (state.speed + target)
    acceleration = (target - state.speed) / np.maximum(asked.duration, TINY)
    force = (
        road_load(chassis, mean) + grade_force(chassis, asked.slope_sine) + inertia(chassis) * acceleration
    )
    return np.where(mean > 0.0, force, 0.0)


def traction(
    parameters: VehicleParameters, state: State, target: FloatArray, asked: Input, supply: Supply
) -> AxleForces:
    """Wheel forces for `target`: the demand when driving, the motors' part of it when braking."""
    chassis = parameters.chassis
    demand = wheel_demand(parameters, state, target, asked)
    mean = 0.5 * (state.speed + target)
    fade = (mean - chassis.regeneration_start) / np.maximum(
        chassis.regeneration_full - chassis.regeneration_start, TINY
    )
    share = chassis.regeneration_share * np.minimum(np.maximum(fade, 0.0), 1.0)
    braking = np.maximum(demand * share, -chassis.regeneration_deceleration * chassis.mass)
    forces = wheel_forces(parameters, state, target, asked, supply, np.where(demand < 0.0, braking, demand))
    return forces._replace(limiter=np.where(demand > 0.0, forces.limiter, NONE))


def wheel_forces(
    parameters: VehicleParameters,
    state: State,
    target: FloatArray,
    asked: Input,
    supply: Supply,
    force: FloatArray,
) -> AxleForces:
    """What of a wheel force [N] the axles can give under the tyre, motor and battery limits."""
    chassis = parameters.chassis
    mean = 0.5 * (state.speed + target)
    acceleration = (target - state.speed) / np.maximum(asked.duration, TINY)
    front_load, rear_load = axle_loads(chassis, acceleration, asked.slope_sine)
    forces = share_force(
        chassis,
        force,
        force_limit(parameters.front, chassis.tyre_radius, mean, chassis.friction * front_load),
        force_limit(parameters.rear, chassis.tyre_radius, mean, chassis.friction * rear_load),
    )
    terms = electric_terms(chassis, parameters.front, parameters.rear, forces, mean)
    scale = electric_scale(terms, supply.charge, supply.discharge)
    by_battery = np.where(supply.empty, BATTERY_EMPTY, BATTERY)
    limiter = np.where(scale < 1.0, by_battery, forces.limiter)
    return AxleForces(forces.front * scale, forces.rear * scale, limiter)


def full_throttle(
    parameters: VehicleParameters, state: State, target: FloatArray, asked: Input, supply: Supply
) -> AxleForces:
    """All that the axles can give on the way to `target`, but no more than it takes to get there."""
    most = wheel_forces(parameters, state, target, asked, supply, np.full_like(target, FLOOR_IT))
    demand = wheel_demand(parameters, state, target, asked)
    given = most.front + most.rear
    part = np.minimum(np.maximum(demand, 0.0) / np.maximum(given, 1e-300), 1.0)
    return most._replace(front=most.front * part, rear=most.rear * part)


def speed_under_limit(
    parameters: VehicleParameters, state: State, target: FloatArray, asked: Input, supply: Supply
) -> FloatArray:
    """Speed at the end of the step when the vehicle gives all it can.

    Root of demand(v) − available(v) between rolling out and `target`, by the Illinois variant of regula falsi.

    Args:
        parameters: the vehicles.
        state: at the start of the step.
        target: a speed that cannot be reached [m/s], shape (vehicle,).
        asked: slope and duration.
        supply: the battery during the step.

    Returns:
        Speed reached [m/s], shape (vehicle,); `target` where it can be reached after all.
    """
    chassis = parameters.chassis

    def lack(speed: FloatArray) -> FloatArray:
        most = wheel_forces(parameters, state, speed, asked, supply, np.full_like(speed, FLOOR_IT))
        return wheel_demand(parameters, state, speed, asked) - most.front - most.rear

    against = road_load(chassis, state.speed) + grade_force(chassis, asked.slope_sine)
    low = np.maximum(state.speed - asked.duration * against / inertia(chassis), 0.0)
    low = np.minimum(low, target)
    high = target
    lack_low, lack_high = lack(low), lack(high)
    reachable, stuck = lack_high <= 0.0, lack_low >= 0.0
    for _ in range(ITERATIONS):
        middle = high - lack_high * (high - low) / np.maximum(lack_high - lack_low, 1e-300)
        middle = np.minimum(np.maximum(middle, low), high)
        lack_middle = lack(middle)
        above = lack_middle > 0.0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
        lack_low = np.where(above, 0.5 * lack_low, lack_middle)
        lack_high = np.where(above, lack_middle, 0.5 * lack_high)
    best = np.where(np.abs(lack_low) < np.abs(lack_high), low, high)
    return np.where(reachable, target, np.where(stuck, low, best))


def _settle(
    parameters: VehicleParameters,
    state: State,
    target: FloatArray,
    asked: Input,
    supply: Supply,
    forces: AxleForces,
) -> tuple[State, Flows]:
    chassis = parameters.chassis
    mean = 0.5 * (state.speed + target)
    demand = wheel_demand(parameters, state, target, asked)
    drive_force = forces.front + forces.rear
    brake = np.maximum(drive_force - demand, 0.0)
    road, grade = road_load(chassis, mean), grade_force(chassis, asked.slope_sine)
    # A vehicle that rolls to rest before the step ends travels only part of the way that its mean speed would give.
    against = road + grade
    lack = np.maximum(demand - drive_force, 0.0)
    travelled = np.where(against > lack, 1.0 - lack / np.where(against > lack, against, 1.0), 1.0)
    terms = electric_terms(chassis, parameters.front, parameters.rear, forces, mean)
    # With less than the idle loss on offer the contactors are open, and the drives draw nothing.
    off = (terms.idle > supply.discharge) & (drive_force == 0.0)
    electric = np.where(off, 0.0, terms.idle + terms.linear + terms.square)
    terminals = electric + supply.auxiliary
    current = current_at_power(supply.voltage, supply.resistance, terminals)
    cells = supply.voltage * current
    acceleration = (target - state.speed) / np.maximum(asked.duration, TINY)
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
