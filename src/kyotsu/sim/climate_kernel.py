"""The compiled step in a climate: `kernel` with the layer of `thermal` around each step.

A tile holds the pairs and temperatures of its vehicles as well, and how they answer to a step of the present length,
computed anew only when that length changes. The free pass drives all vehicles under all limits that need no search
for a speed: in a climate braking is often held back by a cold battery. Only vehicles that fall behind, or come to a
new place of their tables, go through the limited pass.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from kyotsu.sim import battery, drive, kernel, lane, parameters, road, step, thermal, thermal_parameters
from kyotsu.sim.battery import table_place
from kyotsu.sim.drive import MOTOR_SPEED, NONE
from kyotsu.sim.kernel import (
    BEHIND,
    COMMON,
    DISTANCE,
    FIRST,
    GROUPS,
    LIMITED,
    LIMITS,
    MISSED,
    NOWHERE,
    SHORTFALL,
    SOC,
    Kind,
    Trace,
    add_energies,
    count_limit,
    fields_with_rows,
    grouped_source,
    line,
    trace_at,
)
from kyotsu.sim.kernel import RESULT_ROWS as PLAIN_ROWS
from kyotsu.sim.simulate import NEVER, TRACE_TOLERANCE
from kyotsu.sim.step import (
    TINY,
    Input,
    Moment,
    State,
    full_throttle,
    reachable_target,
    settle,
    speed_under_limit,
    traction,
    travelled_share,
)
from kyotsu.sim.thermal import (
    Comfort,
    Heat,
    Inside,
    Losses,
    Response,
    Weather,
    comfort,
    conditions,
    losses,
    response_of,
    warm_resistance,
    warmed,
)
from kyotsu.sim.thermal_parameters import (
    NO_DRIVE_THERMAL,
    BatteryThermal,
    CabinParameters,
    CircuitParameters,
    DriveThermal,
)

# Vehicles of a tile: less than in `kernel`, for there are twice as many rows; see there.
WIDTH = 24

# Rows of a tile: those of `kernel` that add up, heat and temperatures, then what is carried, then the parameters.
HEAT = PLAIN_ROWS  # J, one row for each power of Heat
INSIDE = HEAT + len(Heat._fields)  # one row for each of Inside
PEAK = INSIDE + len(Inside._fields)  # K; battery, hotter motor, hotter inverter
RESULT_ROWS = PEAK + 3
FREE, LOW, HIGH, VOLTAGE, VOLTAGE_SLOPE, RESISTANCE, RESISTANCE_SLOPE = range(RESULT_ROWS, RESULT_ROWS + 7)
WARM = RESULT_ROWS + 7  # ohm, `warm_resistance`
COMFORT = WARM + 1  # one row for each of Comfort
LOSSES = COMFORT + len(Comfort._fields)  # one row for each of Losses
RESPONSE = LOSSES + len(Losses._fields)
PARAMETERS = RESPONSE + len(Response._fields)

CLIMATE_GROUPS: tuple[tuple[str, type[Any]], ...] = (
    *GROUPS,
    ("circuit", CircuitParameters),
    ("thermal", thermal_parameters.ThermalParameters),
    ("thermal.battery", BatteryThermal),
    ("thermal.front", DriveThermal),
    ("thermal.rear", DriveThermal),
    ("thermal.cabin", CabinParameters),
    ("weather", Weather),
)
# What the preparation of `Weather` has used up.
WEATHERED = {
    f"thermal.cabin.{name}": 0.0 for name in CabinParameters._fields if name not in ("heat_capacity", "conductance")
}
NO_REAR = {f"thermal.rear.{name}": value for name, value in zip(DriveThermal._fields, NO_DRIVE_THERMAL, strict=True)}
STILL_REAR = {
    "rear_motor_left": "1.0", "rear_motor_rise": "0.0", "rear_inverter_left": "1.0", "rear_inverter_rise": "0.0",
}  # fmt: skip
CLIMATE_COMMON: dict[Kind, dict[str, float]] = {
    "one": {**COMMON["one"], **WEATHERED, **NO_REAR},
    "fixed": {**COMMON["fixed"], **WEATHERED},
    "least_loss": {**COMMON["least_loss"], **WEATHERED},
}


@lru_cache
def compiled_climate_kernel(kind: Kind, dtype: str) -> Callable[..., None]:
    """`drive_in_climate` as machine code for vehicles of one kind, in `float64` or `float32`."""
    return lane.compiled(
        drive_in_climate,
        PARTS,
        PHYSICS,
        dtype,
        text=TEXT,
        called={"free_pass", "limited_pass", "look_up", "respond", *RARE},
        generated=climate_source(kind),
    )


def climate_rows(kind: Kind) -> list[str]:
    """The parameters and the weather that have a row in a tile, as dotted names, in the order of the rows."""
    return fields_with_rows(CLIMATE_GROUPS, CLIMATE_COMMON[kind])


def climate_source(kind: Kind) -> str:
    """Text of `vehicle_at` and `weather_at`, which take each value from its row or from what all have in common."""
    values = grouped_source(CLIMATE_GROUPS, CLIMATE_COMMON[kind], PARAMETERS)
    parts = ", ".join(values[part] for part in parameters.VehicleParameters._fields)
    response = ", ".join(
        STILL_REAR[name] if kind == "one" and name in STILL_REAR else f"tile[{row} * WIDTH + place]"
        for row, name in enumerate(Response._fields, RESPONSE)
    )
    inside = ", ".join(f"tile[{INSIDE + row} * WIDTH + place]" for row in range(len(Inside._fields)))
    return (
        "".join(
            f"def {name}(tile, place):\n    return {value}\n"
            for name, value in {
                "vehicle_at": f"VehicleParameters({parts})",
                "weather_at": values["weather"],
                "response_at": f"Response({response})",
                "inside_at": f"Inside({inside})",
            }.items()
        )
        + "def keep_response(tile, place, response):\n"
        + "".join(
            f"    tile[{RESPONSE + row} * WIDTH + place] = response.{name}\n"
            for row, name in enumerate(Response._fields)
        )
    )


def vehicle_at(tile: Any, place: int) -> parameters.VehicleParameters:
    """The vehicle at a place of a tile; `climate_source` writes what is compiled."""
    raise NotImplementedError


def weather_at(tile: Any, place: int) -> Weather:
    """Its weather; likewise."""
    raise NotImplementedError


def response_at(tile: Any, place: int) -> Response:
    """Its response to a step of the present length; likewise."""
    raise NotImplementedError


def inside_at(tile: Any, place: int) -> Inside:
    """Its pairs and temperatures; likewise."""
    raise NotImplementedError


def keep_response(tile: Any, place: int, response: Response) -> None:
    """Lay its response into the tile; likewise."""
    raise NotImplementedError


def drive_in_climate(
    vehicles: Any, voltage: Any, resistance: Any, traces: Any, initial_soc: Any, begin: Any, tile: Any, results: Any
) -> None:
    """Drive every vehicle over one cycle in a climate, tile by tile.

    Args:
        vehicles: the values of `climate_rows`, referred, shape (row, vehicle).
        voltage: open-circuit voltage, referred, shape (vehicle, table).
        resistance: referred, shape (vehicle, table).
        traces: columns of `Trace`, shape (step, 6).
        initial_soc: state of charge at the start [-].
        begin: rows of `Inside` at the start, shape (row, vehicle).
        tile: scratch for a tile, shape ((PARAMETERS + row) * WIDTH,).
        results: filled with the first rows of each tile, shape (RESULT_ROWS, vehicle).
    """
    count = vehicles.shape[1]
    for first in range(0, count, WIDTH):
        load(tile, vehicles, begin, first, initial_soc)
        duration = -traces[0, 3]
        for number in range(traces.shape[0]):
            trace = trace_at(traces, number)
            if trace.duration != duration:
                duration = trace.duration
                respond(tile, duration)
            if free_pass(tile, trace) == WIDTH:
                continue
            for place in range(WIDTH):
                if tile[FREE * WIDTH + place] == 0.0:
                    source = min(first + place, count - 1)
                    limited_pass(tile, place, trace, voltage[source], resistance[source])
        for row in range(RESULT_ROWS):
            for place in range(min(WIDTH, count - first)):
                results[row, first + place] = tile[row * WIDTH + place]


def load(tile: Any, vehicles: Any, begin: Any, first: int, initial_soc: Any) -> None:
    """Fill a tile; places past the last vehicle repeat it."""
    tile[: PARAMETERS * WIDTH] = 0.0
    for place in range(WIDTH):
        source = min(first + place, vehicles.shape[1] - 1)
        tile[SOC * WIDTH + place] = initial_soc
        tile[LOW * WIDTH + place] = NOWHERE
        tile[VOLTAGE * WIDTH + place] = 1.0
        for code in range(LIMITS):
            tile[(FIRST + code) * WIDTH + place] = NEVER
        for row in range(begin.shape[0]):
            tile[(INSIDE + row) * WIDTH + place] = begin[row, source]
        for row in range(vehicles.shape[0]):
            tile[(PARAMETERS + row) * WIDTH + place] = vehicles[row, source]
        keep_peaks(tile, place, inside_at(tile, place))


def respond(tile: Any, duration: Any) -> None:
    """Lay the response to steps of a duration [s] into the tile."""
    for place in range(WIDTH):
        response = response_of(vehicle_at(tile, place), duration)
        keep_response(tile, place, response)


def free_pass(tile: Any, trace: Trace) -> Any:
    """Drive all vehicles of a tile one step, as far as they can follow the trace.

    In three loops: what depends on temperatures alone, the drive, and what it warms. One loop would be too long for
    a processor to work on several vehicles at a time while one waits for its divisions and roots.

    Returns:
        How many can. The others stay as they are, with 0 in the row `FREE`.
    """
    for place in range(WIDTH):
        vehicle, inside, soc = vehicle_at(tile, place), inside_at(tile, place), tile[SOC * WIDTH + place]
        resistance = tile[RESISTANCE * WIDTH + place] + soc * tile[RESISTANCE_SLOPE * WIDTH + place]
        wanted = comfort(vehicle, weather_at(tile, place), response_at(tile, place), inside)
        tile[WARM * WIDTH + place] = warm_resistance(vehicle, inside, resistance)
        tile[COMFORT * WIDTH + place] = wanted.cabin
        tile[(COMFORT + 1) * WIDTH + place] = wanted.battery
        tile[(COMFORT + 2) * WIDTH + place] = wanted.hvac
        tile[(COMFORT + 3) * WIDTH + place] = wanted.conditioning
    count = 0.0
    for place in range(WIDTH):
        vehicle, response, inside = vehicle_at(tile, place), response_at(tile, place), inside_at(tile, place)
        soc, distance = tile[SOC * WIDTH + place], tile[DISTANCE * WIDTH + place]
        voltage = tile[VOLTAGE * WIDTH + place] + soc * tile[VOLTAGE_SLOPE * WIDTH + place]
        wanted = comfort_at(tile, place)
        charge = (soc, voltage, tile[WARM * WIDTH + place])
        found = conditions(vehicle, response, inside, charge, wanted, trace.duration)
        asked = Input(trace.speed, trace.slope_sine, trace.duration, trace.wind)
        moment = Moment(found.parameters, State(trace.before, soc, distance), asked, found.supply)
        forces = traction(moment, trace.speed)
        _, too_fast = reachable_target(found.parameters, moment.state, asked)
        free = (forces.limiter == NONE) & (not too_fast)
        free &= (soc >= tile[LOW * WIDTH + place]) & (soc <= tile[HIGH * WIDTH + place])
        free &= (tile[BEHIND * WIDTH + place] == 0.0) & (trace.duration > TINY)
        share = lane.where(free, 1.0, 0.0)
        after, flows = settle(moment, trace.speed, forces, 1.0)  # type: ignore[arg-type]
        flows, lost = losses(moment, found, (trace.speed, forces, flows), wanted)
        tile[FREE * WIDTH + place] = share
        tile[SOC * WIDTH + place] = soc + share * (after.soc - soc)
        tile[DISTANCE * WIDTH + place] = distance + share * (after.distance - distance)
        tile[LIMITED * WIDTH + place] += share * trace.duration
        add_energies(tile, place, flows, share * trace.duration)
        tile[LOSSES * WIDTH + place] = lost.current
        tile[(LOSSES + 1) * WIDTH + place] = lost.battery
        tile[(LOSSES + 2) * WIDTH + place] = lost.front
        tile[(LOSSES + 3) * WIDTH + place] = lost.rear
        tile[(LOSSES + 4) * WIDTH + place] = lost.fed
        count += share
    for place in range(WIDTH):
        inside, share = inside_at(tile, place), tile[FREE * WIDTH + place]
        warm, heat = warmed(
            vehicle_at(tile, place),
            weather_at(tile, place),
            response_at(tile, place),
            inside,
            tile[WARM * WIDTH + place],
            comfort_at(tile, place),
            losses_at(tile, place),
        )
        add_heat(tile, place, heat, share * trace.duration)
        keep_inside(tile, place, blended(inside, warm, share))
    return count


def limited_pass(tile: Any, place: int, trace: Trace, voltage: Any, resistance: Any) -> None:
    """Drive one vehicle of a tile one step under all limits, as `thermal.climate_step` does."""
    vehicle, weather = vehicle_at(tile, place), weather_at(tile, place)
    response, inside = response_at(tile, place), inside_at(tile, place)
    soc = tile[SOC * WIDTH + place]
    if not tile[LOW * WIDTH + place] <= soc <= tile[HIGH * WIDTH + place]:
        look_up(tile, place, voltage, resistance)
    ohm = tile[RESISTANCE * WIDTH + place] + soc * tile[RESISTANCE_SLOPE * WIDTH + place]
    warm, wanted = warm_resistance(vehicle, inside, ohm), comfort(vehicle, weather, response, inside)
    charge = (soc, tile[VOLTAGE * WIDTH + place] + soc * tile[VOLTAGE_SLOPE * WIDTH + place], warm)
    found = conditions(vehicle, response, inside, charge, wanted, trace.duration)
    state = State(trace.before - tile[BEHIND * WIDTH + place], soc, tile[DISTANCE * WIDTH + place])
    asked = Input(trace.speed, trace.slope_sine, trace.duration, trace.wind)
    moment = Moment(found.parameters, state, asked, found.supply)
    target, too_fast = reachable_target(found.parameters, state, asked)
    forces = traction(moment, target)
    if forces.limiter > NONE:
        target = speed_under_limit(moment, target)
        forces = full_throttle(moment, target)
    limiter = lane.where(too_fast and forces.limiter == NONE, MOTOR_SPEED, forces.limiter)
    forces = drive.AxleForces(forces.front, forces.rear, limiter)
    after, flows = settle(moment, target, forces, travelled_share(moment, target, forces))
    flows, lost = losses(moment, found, (target, forces, flows), wanted)
    within, heat = warmed(vehicle, weather, response, inside, warm, wanted, lost)
    behind = trace.speed - after.speed
    tile[BEHIND * WIDTH + place] = behind
    tile[SOC * WIDTH + place] = after.soc
    tile[DISTANCE * WIDTH + place] = after.distance
    tile[SHORTFALL * WIDTH + place] = max(tile[SHORTFALL * WIDTH + place], behind)
    tile[MISSED * WIDTH + place] += lane.where(behind > TRACE_TOLERANCE, trace.duration, 0.0)
    count_limit(tile, place, flows.limiter, trace)
    add_energies(tile, place, flows, trace.duration)
    add_heat(tile, place, heat, trace.duration)
    keep_inside(tile, place, within)


def comfort_at(tile: Any, place: int) -> Comfort:
    """Heat asked for in this step."""
    return Comfort(
        tile[COMFORT * WIDTH + place],
        tile[(COMFORT + 1) * WIDTH + place],
        tile[(COMFORT + 2) * WIDTH + place],
        tile[(COMFORT + 3) * WIDTH + place],
    )


def losses_at(tile: Any, place: int) -> Losses:
    """What this step brings into the parts."""
    return Losses(
        tile[LOSSES * WIDTH + place],
        tile[(LOSSES + 1) * WIDTH + place],
        tile[(LOSSES + 2) * WIDTH + place],
        tile[(LOSSES + 3) * WIDTH + place],
        tile[(LOSSES + 4) * WIDTH + place],
    )


def look_up(tile: Any, place: int, voltage: Any, resistance: Any) -> None:
    """Lay the battery's tables at its state of charge into the tile: straight lines, good from `LOW` to `HIGH`."""
    soc = tile[SOC * WIDTH + place]
    last = lane.full_like(soc, voltage.shape[0] - 1)
    below, _ = table_place(soc, last)
    tile[VOLTAGE * WIDTH + place], tile[VOLTAGE_SLOPE * WIDTH + place] = line(voltage, below, last)
    tile[RESISTANCE * WIDTH + place], tile[RESISTANCE_SLOPE * WIDTH + place] = line(resistance, below, last)
    tile[LOW * WIDTH + place] = below / last
    tile[HIGH * WIDTH + place] = (below + 1.0) / last


def add_heat(tile: Any, place: int, heat: Heat, duration: Any) -> None:
    """Add the heat of one step, for its duration, to the rows of a tile."""
    tile[HEAT * WIDTH + place] += heat.hvac * duration
    tile[(HEAT + 1) * WIDTH + place] += heat.conditioning * duration
    tile[(HEAT + 2) * WIDTH + place] += heat.cabin * duration
    tile[(HEAT + 3) * WIDTH + place] += heat.battery * duration


def blended(before: Inside, after: Inside, share: Any) -> Inside:
    """`after` where the share is 1, `before` where it is 0."""
    return Inside(
        before.fast + share * (after.fast - before.fast),
        before.slow + share * (after.slow - before.slow),
        before.battery + share * (after.battery - before.battery),
        before.front_motor + share * (after.front_motor - before.front_motor),
        before.front_inverter + share * (after.front_inverter - before.front_inverter),
        before.rear_motor + share * (after.rear_motor - before.rear_motor),
        before.rear_inverter + share * (after.rear_inverter - before.rear_inverter),
        before.cabin + share * (after.cabin - before.cabin),
    )


def keep_inside(tile: Any, place: int, inside: Inside) -> None:
    """Keep pairs and temperatures, and the highest of them."""
    tile[INSIDE * WIDTH + place] = inside.fast
    tile[(INSIDE + 1) * WIDTH + place] = inside.slow
    tile[(INSIDE + 2) * WIDTH + place] = inside.battery
    tile[(INSIDE + 3) * WIDTH + place] = inside.front_motor
    tile[(INSIDE + 4) * WIDTH + place] = inside.front_inverter
    tile[(INSIDE + 5) * WIDTH + place] = inside.rear_motor
    tile[(INSIDE + 6) * WIDTH + place] = inside.rear_inverter
    tile[(INSIDE + 7) * WIDTH + place] = inside.cabin
    keep_peaks(tile, place, inside)


def keep_peaks(tile: Any, place: int, inside: Inside) -> None:
    """Keep the highest temperatures of battery, motors and inverters."""
    motor = lane.maximum(inside.front_motor, inside.rear_motor)
    inverter = lane.maximum(inside.front_inverter, inside.rear_inverter)
    tile[PEAK * WIDTH + place] = lane.maximum(tile[PEAK * WIDTH + place], inside.battery)
    tile[(PEAK + 1) * WIDTH + place] = lane.maximum(tile[(PEAK + 1) * WIDTH + place], motor)
    tile[(PEAK + 2) * WIDTH + place] = lane.maximum(tile[(PEAK + 2) * WIDTH + place], inverter)


PARTS = (
    load, respond, free_pass, limited_pass, comfort_at, losses_at, look_up, line, trace_at, count_limit,
    add_energies, add_heat, blended, keep_inside, keep_peaks,
)  # fmt: skip
PHYSICS = (road, drive, battery, step, thermal)
RARE = ("force_lacking", "speed_under_limit", "full_throttle", "travelled_share")
TEXT = lane.source_text((*PHYSICS, parameters, thermal_parameters, lane, kernel, sys.modules[__name__]))
