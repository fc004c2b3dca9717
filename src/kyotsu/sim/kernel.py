"""The compiled step: the physics of `road`, `drive`, `battery` and `step`, many vehicles at a time.

The physics stands in those four files only. `kernel` compiles their functions, unchanged, for one vehicle: numpy's
name stands for `lane`, and the constants take the precision asked for. Two passes over a tile of `WIDTH` vehicles
make a step of it:

    free pass     all vehicles side by side, no branch: the step as it is when nothing limits, and a mask of where
                  that was right. LLVM makes SIMD code of it.
    limited pass  one by one those under a limit, behind the trace, or at a new place of the battery's tables: the
                  step in full, with the search for the speed that can be reached.

What is fast: a tile lies in the first-level cache as one flat block, row after row, so that nothing can alias; its
vehicles are on the trace, hence speed, acceleration and slope are the same for all and what depends on them alone
is computed once; and the vehicles come referred (see `referred`), which takes the divisions by radius, gear ratio
and capacity out of the loop.

The kernel is cached on disk under a digest of all these files: a change of the physics compiles it anew.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from kyotsu.sim import battery, drive, lane, road, step
from kyotsu.sim.battery import charge_limit, discharge_limit, table_place, terminal_power
from kyotsu.sim.drive import MOTOR_SPEED, NONE
from kyotsu.sim.parameters import (
    BatteryParameters,
    ChassisParameters,
    DriveParameters,
    LossParameters,
    VehicleParameters,
)
from kyotsu.sim.step import (
    TINY,
    Flows,
    Input,
    Moment,
    State,
    Supply,
    drive_terms,
    force_asked,
    forces_at_axles,
    full_throttle,
    reachable_target,
    settle,
    speed_under_limit,
    supply_from,
    traction,
    travelled_share,
    wheel_demand,
)

WIDTH = 64  # vehicles of a tile: all its rows fit into 32 KiB of first-level cache

# Rows of a tile: first the results, then what is carried from step to step, then the parameters.
BEHIND, SOC, DISTANCE, MISSED, SHORTFALL = range(5)
LIMITED = 5  # time under each of `drive.LIMITERS`
ENERGIES = LIMITED + len(drive.LIMITERS)  # one row for each power of `Flows`
RESULT_ROWS = ENERGIES + len(Flows._fields) - 1
FREE, LOW, HIGH, VOLTAGE, VOLTAGE_SLOPE, RESISTANCE, RESISTANCE_SLOPE, CHARGE, DISCHARGE = range(
    RESULT_ROWS, RESULT_ROWS + 9
)
PARAMETERS = RESULT_ROWS + 9
RESERVE = 0.002
NOWHERE = 2.0

TRACE_TOLERANCE = 0.89408
NO_LIMIT = 1e9


class Trace(NamedTuple):
    """One step of the trace, the same for all vehicles of a tile."""

    before: Any  # m/s, speed asked for at the start of the step
    speed: Any  # m/s, at its end
    slope_sine: Any  # -
    duration: Any  # s


# What a referred vehicle has in common with all others: no row, and no arithmetic, is spent on it.
REFERRED = {
    "chassis.tyre_radius": 1.0,
    "front.gear_ratio": 1.0,
    "rear.gear_ratio": 1.0,
    "rear.maximum_speed": NO_LIMIT,  # both motors' top speed is in the front's
    "battery.open_circuit_voltage": 0.0,  # in rows of its own
    "battery.resistance": 0.0,
    "battery.capacity": 1.0,
    "battery.charge_efficiency": 1.0,  # plays no part in a step
}
ONE_AXLE = {
    **REFERRED,
    "chassis.front_torque_share": 1.0,
    "rear.peak_torque": 0.0,
    "rear.peak_power": 0.0,
    **{f"rear.loss.{name}": 0.0 for name in LossParameters._fields},
}
AXLES = {1: ONE_AXLE, 2: REFERRED}


def fields(axles: int) -> list[str]:
    """The parameters that have a row in a tile, as dotted names, in the order of the rows."""
    return [name for name, value in _parameters(axles) if value is None]


def _parameters(axles: int) -> Iterator[tuple[str, float | None]]:
    drives = [f"{name}.loss.{field}" for name in () for field in ()]
    names = [f"chassis.{field}" for field in ChassisParameters._fields]
    for axle in ("front", "rear"):
        names += [f"{axle}.{field}" for field in DriveParameters._fields if field != "loss"]
        names += [f"{axle}.loss.{field}" for field in LossParameters._fields]
    names += [f"battery.{field}" for field in BatteryParameters._fields]
    for name in names + drives:
        yield name, AXLES[axles].get(name)


def vehicle_source(axles: int) -> str:
    """Text of `vehicle_at(tile, place)`, which makes the parameters of one vehicle from the rows of a tile."""
    rows = iter(range(PARAMETERS, PARAMETERS + 1000))
    value = {
        name: f"tile[{next(rows)} * WIDTH + place]" if fixed is None else repr(fixed)
        for name, fixed in _parameters(axles)
    }

    def make(kind: type, prefix: str) -> str:
        return f"{kind.__name__}({', '.join(value[prefix + field] for field in kind._fields)})"

    def make_drive(axle: str) -> str:
        own = [value[f"{axle}.{field}"] for field in DriveParameters._fields[:-1]]
        return f"DriveParameters({', '.join(own)}, {make(LossParameters, f'{axle}.loss.')})"

    parts = (make(ChassisParameters, "chassis."), make_drive("front"), make_drive("rear"), make(BatteryParameters, "battery."))
    return f"def vehicle_at(tile, place):\n    return VehicleParameters({', '.join(parts)})\n"


def drive_vehicles(
    vehicles: Any,
    voltage: Any,
    resistance: Any,
    traces: Any,
    initial_soc: Any,
    tile: Any,
    results: Any,
) -> None:
    """Drive every vehicle over one cycle, tile by tile.

    Args:
        vehicles: rows of `packed`, shape (row, vehicle).
        voltage: open-circuit voltage, referred, shape (vehicle, table).
        resistance: referred, shape (vehicle, table).
        traces: columns of `Trace`, shape (step, 4).
        initial_soc: state of charge at the start [-].
        tile: scratch, shape (row * WIDTH,).
        results: rows `BEHIND` to `RESULT_ROWS`, shape (row, vehicle).
    """
    count = vehicles.shape[1]
    longest = traces[:, 3].max()
    for first in range(0, count, WIDTH):
        _load(vehicles, first, initial_soc, tile)
        for number in range(traces.shape[0]):
            trace = Trace(traces[number, 0], traces[number, 1], traces[number, 2], traces[number, 3])
            if free_pass(tile, trace) < WIDTH:
                for place in range(WIDTH):
                    if tile[FREE * WIDTH + place] == 0.0:
                        source = min(first + place, count - 1)
                        limited_pass(tile, place, trace, voltage[source], resistance[source], longest)
        for row in range(RESULT_ROWS):
            for place in range(min(WIDTH, count - first)):
                results[row, first + place] = tile[row * WIDTH + place]


def _load(vehicles: Any, first: int, initial_soc: Any, tile: Any) -> None:
    """Fill a tile; places past the last vehicle repeat it."""
    tile[: PARAMETERS * WIDTH] = 0.0
    for place in range(WIDTH):
        source = min(first + place, vehicles.shape[1] - 1)
        tile[SOC * WIDTH + place] = initial_soc
        tile[LOW * WIDTH + place] = NOWHERE
        for row in range(vehicles.shape[0]):
            tile[(PARAMETERS + row) * WIDTH + place] = vehicles[row, source]


def free_pass(tile: Any, trace: Trace) -> Any:
    """Drive all vehicles of a tile one step as if nothing limited them; how many it was right for.

    The others stay as they are, with 0 in the row `FREE`.
    """
    count = 0.0
    for place in range(WIDTH):
        parameters = vehicle_at(tile, place)
        soc = tile[SOC * WIDTH + place]
        supply = Supply(
            tile[VOLTAGE * WIDTH + place] + soc * tile[VOLTAGE_SLOPE * WIDTH + place],
            tile[RESISTANCE * WIDTH + place] + soc * tile[RESISTANCE_SLOPE * WIDTH + place],
            parameters.chassis.auxiliary_power,
            tile[CHARGE * WIDTH + place],
            tile[DISCHARGE * WIDTH + place],
            False,
        )
        state = State(trace.before, soc, tile[DISTANCE * WIDTH + place])
        moment = Moment(parameters, state, Input(trace.speed, trace.slope_sine, trace.duration), supply)
        forces = forces_at_axles(moment, trace.speed, force_asked(moment, trace.speed))
        terms = drive_terms(moment, trace.speed, forces)
        power = terms.idle + terms.linear + terms.square
        _, too_fast = reachable_target(parameters, state, moment.asked)
        short = (forces.limiter > NONE) & (wheel_demand(moment, trace.speed) > 0.0)
        free = (power >= supply.charge) & (power <= supply.discharge) & (not short) & (not too_fast)
        free &= (soc >= tile[LOW * WIDTH + place]) & (soc <= tile[HIGH * WIDTH + place])
        free &= (tile[BEHIND * WIDTH + place] == 0.0) & (trace.duration > TINY)
        share = lane.where(free, 1.0, 0.0)
        weight = share * trace.duration
        after, flows = settle(moment, trace.speed, forces, 1.0)
        count += share
        tile[FREE * WIDTH + place] = share
        tile[SOC * WIDTH + place] = soc + share * (after.soc - soc)
        tile[DISTANCE * WIDTH + place] += share * (after.distance - state.distance)
        tile[LIMITED * WIDTH + place] += weight
        add_energies(tile, place, flows, weight)
    return count


def limited_pass(tile: Any, place: int, trace: Trace, voltage: Any, resistance: Any, longest: Any) -> None:
    """Drive one vehicle of a tile one step, under all limits; as `step.step` does."""
    parameters = vehicle_at(tile, place)
    soc = tile[SOC * WIDTH + place]
    if not tile[LOW * WIDTH + place] <= soc <= tile[HIGH * WIDTH + place]:
        look_up(tile, place, parameters, voltage, resistance, longest)
    supply = supply_from(
        parameters,
        tile[VOLTAGE * WIDTH + place] + soc * tile[VOLTAGE_SLOPE * WIDTH + place],
        tile[RESISTANCE * WIDTH + place] + soc * tile[RESISTANCE_SLOPE * WIDTH + place],
        soc,
        trace.duration,
    )
    state = State(trace.before - tile[BEHIND * WIDTH + place], soc, tile[DISTANCE * WIDTH + place])
    asked = Input(trace.speed, trace.slope_sine, trace.duration)
    moment = Moment(parameters, state, asked, supply)
    target, too_fast = reachable_target(parameters, state, asked)
    forces = traction(moment, target)
    limiter = forces.limiter
    if limiter > NONE:
        target = speed_under_limit(moment, target)
        forces = full_throttle(moment, target)
        limiter = forces.limiter
    if too_fast and limiter == NONE:
        limiter = MOTOR_SPEED
    after, flows = settle(moment, target, forces, travelled_share(moment, target, forces))
    behind = trace.speed - after.speed
    tile[BEHIND * WIDTH + place] = behind
    tile[SOC * WIDTH + place] = after.soc
    tile[DISTANCE * WIDTH + place] = after.distance
    tile[(LIMITED + int(limiter)) * WIDTH + place] += trace.duration
    if behind > TRACE_TOLERANCE:
        tile[MISSED * WIDTH + place] += trace.duration
    tile[SHORTFALL * WIDTH + place] = max(tile[SHORTFALL * WIDTH + place], behind)
    add_energies(tile, place, flows, trace.duration)


def look_up(tile: Any, place: int, parameters: VehicleParameters, voltage: Any, resistance: Any, longest: Any) -> None:
    """Lay the battery's tables near its state of charge into the tile as straight lines.

    They hold from `LOW` to `HIGH`; the powers `CHARGE` and `DISCHARGE` can be had anywhere there.
    """
    pack, auxiliary = parameters.battery, parameters.chassis.auxiliary_power
    soc = tile[SOC * WIDTH + place]
    last = lane.full_like(soc, voltage.shape[0] - 1)
    below, _ = table_place(soc, last)
    entry = int(below)
    voltage_slope = (voltage[entry + 1] - voltage[entry]) * last
    resistance_slope = (resistance[entry + 1] - resistance[entry]) * last
    low, high = below / last, (below + 1.0) / last
    tile[VOLTAGE_SLOPE * WIDTH + place] = voltage_slope
    tile[VOLTAGE * WIDTH + place] = voltage[entry] - low * voltage_slope
    tile[RESISTANCE_SLOPE * WIDTH + place] = resistance_slope
    tile[RESISTANCE * WIDTH + place] = resistance[entry] - low * resistance_slope
    low, high = max(low, pack.soc_minimum + RESERVE), min(high, pack.soc_maximum - RESERVE)
    u_low, u_high = voltage[entry] + (low - below / last) * voltage_slope, voltage[entry] + (high - below/last) * voltage_slope
    r_low, r_high = resistance[entry] + (low - below / last) * resistance_slope, resistance[entry] + (high - below/last) * resistance_slope
    out = min(discharge_limit(pack, u_low, r_low, low, longest), discharge_limit(pack, u_high, r_high, high, longest))
    into = min(charge_limit(pack, u_low, r_low, low, longest), charge_limit(pack, u_high, r_high, high, longest))
    most = min(terminal_power(u_low, r_low, out), terminal_power(u_high, r_high, out))
    least = max(terminal_power(u_low, r_low, -into), terminal_power(u_high, r_high, -into))
    tile[LOW * WIDTH + place] = low if most >= auxiliary else NOWHERE
    tile[HIGH * WIDTH + place] = high
    tile[DISCHARGE * WIDTH + place] = most - auxiliary
    tile[CHARGE * WIDTH + place] = least - auxiliary


def add_energies(tile: Any, place: int, flows: Flows, duration: Any) -> None:
    """Add the powers of one step, for its duration, to the rows of a tile."""
    tile[ENERGIES * WIDTH + place] += flows.road * duration
    tile[(ENERGIES + 1) * WIDTH + place] += flows.grade * duration
    tile[(ENERGIES + 2) * WIDTH + place] += flows.kinetic * duration
    tile[(ENERGIES + 3) * WIDTH + place] += flows.friction_brake * duration
    tile[(ENERGIES + 4) * WIDTH + place] += flows.drive_loss * duration
    tile[(ENERGIES + 5) * WIDTH + place] += flows.auxiliary * duration
    tile[(ENERGIES + 6) * WIDTH + place] += flows.battery_loss * duration
    tile[(ENERGIES + 7) * WIDTH + place] += flows.terminals * duration
    tile[(ENERGIES + 8) * WIDTH + place] += flows.cells * duration


PHYSICS = (road, drive, battery, step)


@lru_cache
def compiled(axles: int, dtype: str) -> Callable[..., None]:
    """`drive_vehicles` as machine code, for vehicles of one or two driven axles; compiled on the first call."""
    real = np.dtype(dtype).type
    scope: dict[str, Any] = {}
    functions: list[FunctionType] = []
    for module in (*PHYSICS, inspect.getmodule(compiled)):
        scope.update(vars(module))
        functions += [f for f in vars(module).values() if inspect.isfunction(f) and f.__module__ == module.__name__]
    text = vehicle_source(axles)
    exec(text, scope)
    functions.append(scope["vehicle_at"])
    scope.update({name: real(value) for name, value in scope.items() if type(value) is float})
    scope["np"] = lane
    for function in functions:
        if function.__name__ in NOT_COMPILED: continue
        options = dict(lane.OPTIONS, forceinline=function.__name__ not in OUTLINED)
        scope[function.__name__] = njit(**options)(_rebound(function, scope, real))
    kernel = _rebound(drive_vehicles, scope, real)
    kernel.__qualname__ = f"drive_vehicles_{axles}_{dtype}_{_digest(text)}"
    return njit(cache=True, **lane.OPTIONS)(kernel)


OUTLINED = {"limited_pass", "free_pass", "look_up",  "force_lacking", "drive_vehicles"}
NOT_COMPILED = {"compiled", "_rebound", "_digest", "vehicle_source", "_parameters", "fields", "make", "referred"}


def _rebound(function: FunctionType, scope: dict[str, Any], real: type) -> FunctionType:
    """The same function with its names looked up in `scope` and its constants of type `real`."""
    constants = tuple(real(value) if type(value) is float else value for value in function.__code__.co_consts)
    return FunctionType(function.__code__.replace(co_consts=constants), scope, function.__name__, function.__defaults__)


def _digest(text: str) -> str:
    sources = [Path(str(module.__file__)).read_bytes() for module in (*PHYSICS, lane)]
    return hashlib.sha256(b"".join([*sources, text.encode()])).hexdigest()[:16]


def referred(vehicles):
    """Referred."""
    chassis, front, rear, pack = vehicles
    top = np.minimum(front.maximum_speed/front.gear_ratio, rear.maximum_speed/rear.gear_ratio)*chassis.tyre_radius
    def wheel(drive):
        k = drive.gear_ratio / chassis.tyre_radius
        l = drive.loss
        return DriveParameters(np.ones_like(k), drive.peak_torque*k, drive.peak_power, top, LossParameters(
            l.constant, l.speed*k, l.speed2*k*k, l.speed3*k*k*k, l.torque/k, l.torque2/k/k, l.torque_speed, l.torque2_speed/k, l.torque_speed2*k))
    q = pack.capacity
    b = pack._replace(open_circuit_voltage=pack.open_circuit_voltage*q[:,None], resistance=pack.resistance*(q*q)[:,None],
        capacity=np.ones_like(q), voltage_minimum=pack.voltage_minimum*q, voltage_maximum=pack.voltage_maximum*q,
        discharge_current=pack.discharge_current/q, charge_current=pack.charge_current/q)
    return VehicleParameters(chassis._replace(tyre_radius=np.ones_like(q)), wheel(front), wheel(rear), b)
