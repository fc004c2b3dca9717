"""The compiled step: the physics of `road`, `drive`, `battery` and `step`, many vehicles at a time.

The physics stands in those four files only; `lane` compiles their functions as they are. What stands here is the
order in which they are applied. Two passes over a tile of `WIDTH` vehicles make a step:

    free pass     all vehicles side by side and without a branch: the step as it is when nothing limits, and a
                  mask of where that was right. LLVM makes SIMD code of it.
    limited pass  one by one the others: under a limit, behind the trace, or at a new place of the battery's
                  tables. The step in full, with the search for the speed that can be reached.

Why it is fast: a tile is one flat block in the first-level cache, row after row, so that the compiler can prove
that nothing overlaps. Its free vehicles are on the trace, so speed, acceleration and slope are the same for all,
and what depends on them alone is computed once. The tables are not read, but their straight line at the present
state of charge. And the vehicles come referred to the wheel and to the charge (see `batch.referred`), which takes
the divisions by radius, gear ratio and capacity out of the loop.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from kyotsu.sim import battery, drive, lane, parameters, road, step
from kyotsu.sim.battery import charge_limit, discharge_limit, table_place, terminal_power
from kyotsu.sim.drive import LIMITERS, MOTOR_SPEED, NONE
from kyotsu.sim.parameters import (
    BatteryParameters,
    ChassisParameters,
    DriveParameters,
    LossParameters,
    VehicleParameters,
)
from kyotsu.sim.simulate import NEVER, TRACE_TOLERANCE
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

# Vehicles of a tile. All rows together stay under 32 KiB; a row is an odd number of 64-byte lines, so that rows
# do not compete for the same place in the cache (64 vehicles instead: a third slower).
WIDTH = 40

# Rows of a tile: first what adds up, then what is carried from step to step, then the parameters.
BEHIND, SOC, DISTANCE, MISSED, SHORTFALL = range(5)  # m/s under the trace, -, m, s, m/s
LIMITED = 5  # s, time under each of LIMITERS
FIRST = LIMITED + len(LIMITERS)  # s, when each of them first bound
ENERGIES = FIRST + len(LIMITERS)  # J, one row for each power of Flows
RESULT_ROWS = ENERGIES + len(Flows._fields) - 1
FREE, LOW, HIGH, VOLTAGE, VOLTAGE_SLOPE, RESISTANCE, RESISTANCE_SLOPE, CHARGE, DISCHARGE = range(
    RESULT_ROWS, RESULT_ROWS + 9
)
PARAMETERS = RESULT_ROWS + 9

RESERVE = 0.002  # -, of the state of charge at the ends of the usable window, where the charge left may limit
LIMITS = len(LIMITERS)
NOWHERE = 2.0  # -, above every state of charge

# What referred vehicles have in common: no row, and no arithmetic, is spent on it.
REFERRED = {
    "chassis.tyre_radius": 1.0,
    "chassis.least_loss_split": 0.0,
    "front.gear_ratio": 1.0,
    "rear.gear_ratio": 1.0,
    "rear.maximum_speed": 1e9,  # the lower of both is the front's
    "battery.open_circuit_voltage": 0.0,  # the tables are read by `look_up`
    "battery.resistance": 0.0,
    "battery.capacity": 1.0,
    "battery.charge_efficiency": 1.0,  # plays no part in a step
}
ONE_AXLE = {
    **REFERRED,
    "chassis.front_torque_share": 1.0,
    "rear.peak_torque": 0.0,
    "rear.peak_power": 0.0,
    **{f"rear.loss.{field}": 0.0 for field in LossParameters._fields},
}
LEAST_LOSS = {**REFERRED, "chassis.least_loss_split": 1.0, "chassis.front_torque_share": 0.5}
Kind = Literal["one", "fixed", "least_loss"]  # one driven axle, or two and how they share
COMMON: dict[Kind, dict[str, float]] = {"one": ONE_AXLE, "fixed": REFERRED, "least_loss": LEAST_LOSS}
GROUPS: tuple[tuple[str, type[Any]], ...] = (
    ("chassis", ChassisParameters),
    ("front", DriveParameters),
    ("front.loss", LossParameters),
    ("rear", DriveParameters),
    ("rear.loss", LossParameters),
    ("battery", BatteryParameters),
)


class Trace(NamedTuple):
    """One step of the trace, the same for all vehicles of a tile."""

    before: Any  # m/s, asked for at the start of the step
    speed: Any  # m/s, at its end
    slope_sine: Any  # -
    duration: Any  # s
    wind: Any  # m/s
    begin: Any  # s, since the start of the cycle


@lru_cache
def compiled_kernel(kind: Kind, dtype: str) -> Callable[..., None]:
    """`drive_vehicles` as machine code for vehicles of one kind, in `float64` or `float32`."""
    return lane.compiled(
        drive_vehicles,
        (trace_at, load, free_pass, limited_pass, look_up, line, count_limit, add_energies),
        PHYSICS,
        dtype,
        text=TEXT,
        called={"free_pass", "limited_pass", "look_up", *RARE},
        generated=vehicle_source(kind),
    )


PHYSICS = (road, drive, battery, step)
TEXT = lane.source_text((*PHYSICS, parameters, lane, sys.modules[__name__]))
RARE = ("traction", "wheel_forces", "force_lacking", "speed_under_limit", "full_throttle", "travelled_share")


Groups = tuple[tuple[str, type[Any]], ...]


def row_fields(kind: Kind) -> list[str]:
    """The parameters that have a row in a tile, as dotted names, in the order of the rows."""
    return fields_with_rows(GROUPS, COMMON[kind])


def fields_with_rows(groups: Groups, common: dict[str, float]) -> list[str]:
    """The fields of groups that are neither groups themselves nor common to all vehicles, as dotted names."""
    known = {name for name, _ in groups}
    names = [f"{group}.{field}" for group, kind in groups for field in kind._fields]
    return [name for name in names if name not in common and name not in known]


def grouped_source(groups: Groups, common: dict[str, float], first_row: int) -> dict[str, str]:
    """Text that makes each group from the rows of a tile, from `first_row` on, and from what all have in common."""
    value = {name: repr(number) for name, number in common.items()}
    for row, name in enumerate(fields_with_rows(groups, common), first_row):
        value[name] = f"tile[{row} * WIDTH + place]"
    for group, kind in reversed(groups):  # a drive's loss before the drive
        fields = ", ".join(value[f"{group}.{field}"] for field in kind._fields)
        value[group] = f"{kind.__name__}({fields})"
    return value


def vehicle_source(kind: Kind) -> str:
    """Text of `vehicle_at`, which takes each parameter from its row or from what all have in common."""
    value = grouped_source(GROUPS, COMMON[kind], PARAMETERS)
    parts = ", ".join(value.get(part, "None") for part in VehicleParameters._fields)
    return f"def vehicle_at(tile, place):\n    return VehicleParameters({parts})\n"


def vehicle_at(tile: Any, place: int) -> VehicleParameters:
    """The vehicle at a place of a tile; `vehicle_source` writes what is compiled."""
    raise NotImplementedError


def drive_vehicles(
    vehicles: Any, voltage: Any, resistance: Any, traces: Any, initial_soc: Any, tile: Any, results: Any
) -> None:
    """Drive every vehicle over one cycle, tile by tile.

    Args:
        vehicles: the parameters of `row_fields`, referred, shape (row, vehicle).
        voltage: open-circuit voltage, referred, shape (vehicle, table).
        resistance: referred, shape (vehicle, table).
        traces: columns of `Trace`, shape (step, 6).
        initial_soc: state of charge at the start [-].
        tile: scratch for a tile, shape ((PARAMETERS + row) * WIDTH,).
        results: filled with the first rows of each tile, shape (RESULT_ROWS, vehicle).
    """
    count = vehicles.shape[1]
    longest = traces[:, 3].max()
    for first in range(0, count, WIDTH):
        load(tile, vehicles, first, initial_soc)
        for number in range(traces.shape[0]):
            trace = trace_at(traces, number)
            if free_pass(tile, trace) == WIDTH:
                continue
            for place in range(WIDTH):
                if tile[FREE * WIDTH + place] == 0.0:
                    source = min(first + place, count - 1)
                    limited_pass(tile, place, trace, voltage[source], resistance[source], longest)
        for row in range(RESULT_ROWS):
            for place in range(min(WIDTH, count - first)):
                results[row, first + place] = tile[row * WIDTH + place]


def trace_at(traces: Any, number: int) -> Trace:
    """One step of the trace."""
    return Trace(
        traces[number, 0],
        traces[number, 1],
        traces[number, 2],
        traces[number, 3],
        traces[number, 4],
        traces[number, 5],
    )


def load(tile: Any, vehicles: Any, first: int, initial_soc: Any) -> None:
    """Fill a tile; places past the last vehicle repeat it."""
    tile[: PARAMETERS * WIDTH] = 0.0
    for place in range(WIDTH):
        source = min(first + place, vehicles.shape[1] - 1)
        tile[SOC * WIDTH + place] = initial_soc
        tile[LOW * WIDTH + place] = NOWHERE
        tile[VOLTAGE * WIDTH + place] = 1.0
        for code in range(LIMITS):
            tile[(FIRST + code) * WIDTH + place] = NEVER
        for row in range(vehicles.shape[0]):
            tile[(PARAMETERS + row) * WIDTH + place] = vehicles[row, source]


def free_pass(tile: Any, trace: Trace) -> Any:
    """Drive all vehicles of a tile one step as if nothing limited them.

    Returns:
        How many that was right for. The others stay as they are, with 0 in the row `FREE`.
    """
    count = 0.0
    for place in range(WIDTH):
        parameters = vehicle_at(tile, place)
        soc, distance = tile[SOC * WIDTH + place], tile[DISTANCE * WIDTH + place]
        supply = Supply(
            tile[VOLTAGE * WIDTH + place] + soc * tile[VOLTAGE_SLOPE * WIDTH + place],
            tile[RESISTANCE * WIDTH + place] + soc * tile[RESISTANCE_SLOPE * WIDTH + place],
            parameters.chassis.auxiliary_power,
            tile[CHARGE * WIDTH + place],
            tile[DISCHARGE * WIDTH + place],
            False,  # type: ignore[arg-type]
        )
        asked = Input(trace.speed, trace.slope_sine, trace.duration, trace.wind)
        moment = Moment(parameters, State(trace.before, soc, distance), asked, supply)
        forces = forces_at_axles(moment, trace.speed, force_asked(moment, trace.speed))
        terms = drive_terms(moment, trace.speed, forces)
        power = terms.idle + terms.linear + terms.square
        _, too_fast = reachable_target(parameters, moment.state, asked)
        short = (forces.limiter > NONE) & (wheel_demand(moment, trace.speed) > 0.0)
        free = (power >= supply.charge) & (power <= supply.discharge) & (not short) & (not too_fast)
        free &= (soc >= tile[LOW * WIDTH + place]) & (soc <= tile[HIGH * WIDTH + place])
        free &= (tile[BEHIND * WIDTH + place] == 0.0) & (trace.duration > TINY)
        share = lane.where(free, 1.0, 0.0)
        after, flows = settle(moment, trace.speed, forces, 1.0)  # type: ignore[arg-type]
        tile[FREE * WIDTH + place] = share
        tile[SOC * WIDTH + place] = soc + share * (after.soc - soc)
        tile[DISTANCE * WIDTH + place] = distance + share * (after.distance - distance)
        tile[LIMITED * WIDTH + place] += share * trace.duration
        add_energies(tile, place, flows, share * trace.duration)
        count += share
    return count


def limited_pass(tile: Any, place: int, trace: Trace, voltage: Any, resistance: Any, longest: Any) -> None:
    """Drive one vehicle of a tile one step under all limits, as `step.step` does."""
    parameters = vehicle_at(tile, place)
    soc = tile[SOC * WIDTH + place]
    if not tile[LOW * WIDTH + place] <= soc <= tile[HIGH * WIDTH + place]:
        look_up(tile, place, parameters, voltage, resistance, longest)
    supply = supply_from(
        parameters.battery,
        parameters.chassis.auxiliary_power,
        tile[VOLTAGE * WIDTH + place] + soc * tile[VOLTAGE_SLOPE * WIDTH + place],
        tile[RESISTANCE * WIDTH + place] + soc * tile[RESISTANCE_SLOPE * WIDTH + place],
        soc,
        trace.duration,
    )
    state = State(trace.before - tile[BEHIND * WIDTH + place], soc, tile[DISTANCE * WIDTH + place])
    asked = Input(trace.speed, trace.slope_sine, trace.duration, trace.wind)
    moment = Moment(parameters, state, asked, supply)
    target, too_fast = reachable_target(parameters, state, asked)
    forces = traction(moment, target)
    if forces.limiter > NONE:
        target = speed_under_limit(moment, target)
        forces = full_throttle(moment, target)
    limiter = lane.where(too_fast and forces.limiter == NONE, MOTOR_SPEED, forces.limiter)
    after, flows = settle(moment, target, forces, travelled_share(moment, target, forces))
    behind = trace.speed - after.speed
    tile[BEHIND * WIDTH + place] = behind
    tile[SOC * WIDTH + place] = after.soc
    tile[DISTANCE * WIDTH + place] = after.distance
    tile[SHORTFALL * WIDTH + place] = max(tile[SHORTFALL * WIDTH + place], behind)
    tile[MISSED * WIDTH + place] += lane.where(behind > TRACE_TOLERANCE, trace.duration, 0.0)
    count_limit(tile, place, limiter, trace)
    add_energies(tile, place, flows, trace.duration)


def count_limit(tile: Any, place: int, limiter: Any, trace: Trace) -> None:
    """Add a step to the time under a limit, and keep when it first bound."""
    tile[(LIMITED + int(limiter)) * WIDTH + place] += trace.duration
    if limiter > NONE and trace.duration > 0.0:
        first = (FIRST + int(limiter)) * WIDTH + place
        tile[first] = min(tile[first], trace.begin)


def look_up(tile: Any, place: int, parameters: VehicleParameters, voltage: Any, resistance: Any, longest: Any) -> None:
    """Lay the battery's tables at its state of charge into the tile: straight lines, and power that is safe.

    From `LOW` to `HIGH` the lines are the tables, and `CHARGE` and `DISCHARGE` are within what `supply_from`
    offers for a step as long as `longest` [s]: the current that both ends allow is allowed between them, as each
    bound on it is monotonic there, and at one current the power is linear in the state of charge.
    """
    pack, auxiliary = parameters.battery, parameters.chassis.auxiliary_power
    soc = tile[SOC * WIDTH + place]
    last = lane.full_like(soc, voltage.shape[0] - 1)
    below, _ = table_place(soc, last)
    u, u_slope = line(voltage, below, last)
    r, r_slope = line(resistance, below, last)
    low = max(below / last, pack.soc_minimum + RESERVE)
    high = min((below + 1.0) / last, pack.soc_maximum - RESERVE)
    u_low, r_low, u_high, r_high = u + low * u_slope, r + low * r_slope, u + high * u_slope, r + high * r_slope
    out = min(discharge_limit(pack, u_low, r_low, low, longest), discharge_limit(pack, u_high, r_high, high, longest))
    into = min(charge_limit(pack, u_low, r_low, low, longest), charge_limit(pack, u_high, r_high, high, longest))
    most = min(terminal_power(u_low, r_low, out), terminal_power(u_high, r_high, out))
    least = max(terminal_power(u_low, r_low, -into), terminal_power(u_high, r_high, -into))
    tile[VOLTAGE * WIDTH + place], tile[VOLTAGE_SLOPE * WIDTH + place] = u, u_slope
    tile[RESISTANCE * WIDTH + place], tile[RESISTANCE_SLOPE * WIDTH + place] = r, r_slope
    tile[LOW * WIDTH + place] = lane.where(most >= auxiliary, low, NOWHERE)
    tile[HIGH * WIDTH + place] = high
    tile[DISCHARGE * WIDTH + place] = most - auxiliary
    tile[CHARGE * WIDTH + place] = least - auxiliary


def line(table: Any, below: Any, last: Any) -> Any:
    """Value at 0 and slope of the straight line through an entry of a table over 0 to 1 and the next."""
    entry = int(below)
    rise = table[entry + 1] - table[entry]
    return table[entry] - below * rise, last * rise


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
