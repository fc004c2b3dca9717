"""Drive very many vehicles: the compiled backend of `simulate`, on all cores.

`simulate_batch` gives the results of `simulate`, without history, some hundred times sooner. Vehicles are sorted
by driven axles, cut into parts, referred, and handed to `kernel`, which releases the GIL: every thread drives the
parts it can get. Memory beyond parameters and results is that of the parts in work, whatever the batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.climate import Climate, Temperatures, WarmTotals, in_climate, starting, weather_of
from kyotsu.sim.climate_kernel import HEAT, INSIDE, PEAK, climate_rows, compiled_climate_kernel
from kyotsu.sim.climate_kernel import PARAMETERS as CLIMATE_PARAMETERS
from kyotsu.sim.climate_kernel import RESULT_ROWS as CLIMATE_RESULT_ROWS
from kyotsu.sim.climate_kernel import WIDTH as CLIMATE_WIDTH
from kyotsu.sim.cycles import Cycle
from kyotsu.sim.drive import LIMITERS
from kyotsu.sim.kernel import (
    DISTANCE,
    ENERGIES,
    FIRST,
    LIMITED,
    MISSED,
    PARAMETERS,
    RESULT_ROWS,
    SHORTFALL,
    SOC,
    WIDTH,
    Kind,
    compiled_kernel,
    row_fields,
)
from kyotsu.sim.parameter_checks import invalid
from kyotsu.sim.parameters import (
    BatteryParameters,
    ChassisParameters,
    DriveParameters,
    FloatArray,
    LossParameters,
    VehicleParameters,
    bare,
    idle,
    take,
)
from kyotsu.sim.simulate import NEVER, Plan, Results, Totals, checked_traces, summary
from kyotsu.sim.thermal import Weather
from kyotsu.sim.thermal_parameters import CircuitParameters, ThermalParameters

Precision = Literal["float64", "float32"]
Lanes = npt.NDArray[np.intp]
Part = tuple[Kind, bool, Lanes]  # vehicles of one kind, and whether they are to be mirrored

WARM_ROWS = (INSIDE - HEAT, PEAK - INSIDE, CLIMATE_RESULT_ROWS - PEAK)
MIRRORED_INSIDE = [0, 1, 2, 5, 6, 3, 4, 7]  # rows of `Inside` with front and rear exchanged
PART = 25 * WIDTH  # vehicles; some 10 ms of work on UDDS, 1 MB of parameters


def simulate_batch(
    parameters: VehicleParameters,
    cycles: Cycle | str | Sequence[Cycle | str],
    *,
    initial_soc: float = 0.6,
    dtype: Precision = "float64",
    threads: int | None = None,
    climate: Climate | None = None,
    start: Temperatures | None = None,
) -> Results:
    """Drive every vehicle over every cycle, fast.

    Args:
        parameters: the vehicles, arrays of shape (vehicle,).
        cycles: cycles, or names of them.
        initial_soc: state of charge at the start [-].
        dtype: precision inside; `float32` is nearly twice as fast and right to about 1e-5, or 1e-3 where it
            decides otherwise whether a limit just binds.
        threads: how many; by default one for each processor that this process may use.
        climate: temperatures, sun and cabin, as of `simulate`.
        start: temperatures at the start in a climate, as of `simulate`.

    Returns:
        Results of shape (vehicle, cycle), as `simulate` gives them: equal to rounding.

    Raises:
        InputError: as of `simulate`; or an unknown precision, or no thread.
    """
    traces = checked_traces(cycles, initial_soc)
    workers = _workers(dtype, threads)
    begin = None if climate is None else starting(parameters, len(traces), climate, start)
    bad = invalid(parameters, thermal=climate is not None)
    totals = _no_totals(bad.size, len(traces), climate is not None)
    drive = Drive([_steps(trace, dtype) for trace in traces], initial_soc, dtype, climate, begin)
    vehicles = parameters if climate is not None else bare(parameters)
    run = _drive_part if climate is None else _drive_part_in_climate
    _run([partial(run, vehicles, part, drive, totals) for part in _parts(parameters, bad)], workers)
    return summary(parameters, traces, totals, bad, {}, climate, begin)


class Drive(NamedTuple):
    """What all parts of a batch drive."""

    steps: Sequence[npt.NDArray[Any]]  # of each cycle, columns of `kernel.Trace`
    initial_soc: float
    dtype: Precision
    climate: Climate | None
    begin: FloatArray | None  # rows of `Inside` at the start, shape (row, vehicle, cycle)


def _workers(dtype: str, threads: int | None) -> int:
    problems = []
    if dtype not in ("float64", "float32"):
        found = repr(dtype)
        problems.append(Problem(Location(key="dtype"), found, "float64 or float32", "Choose one of the two."))
    if threads is not None and threads < 1:
        problems.append(Problem(Location(key="threads"), str(threads), "1 or more", "Give a whole number."))
    if problems:
        raise InputError(problems)
    if threads is not None:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(jobs: Sequence[Callable[[], None]], workers: int) -> None:
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            job()
        return
    with ThreadPoolExecutor(min(workers, len(jobs))) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()


def _no_totals(vehicles: int, cycles: int, warm: bool) -> Totals:
    shape = (vehicles, cycles)
    limits = (len(LIMITERS), *shape)
    return Totals(
        energies=np.zeros((RESULT_ROWS - ENERGIES, *shape)),
        limited=np.zeros(limits),
        first=np.full(limits, NEVER),
        distance=np.zeros(shape),
        soc=np.zeros(shape),
        missed=np.zeros(shape),
        shortfall=np.zeros(shape),
        warm=WarmTotals._make(np.zeros((rows, *shape)) for rows in WARM_ROWS) if warm else None,
    )


def _steps(trace: Cycle, dtype: str) -> npt.NDArray[Any]:
    """Columns of `kernel.Trace`, shape (step, 6)."""
    plan = Plan.of([trace])
    before = np.concatenate([plan.first_speed, plan.speed[:-1, 0]])
    speed, slope, duration, wind = (column[:, 0] for column in (plan.speed, plan.slope_sine, plan.duration, plan.wind))
    begin = np.concatenate([[0.0], np.cumsum(duration)[:-1]])
    return np.stack([before, speed, slope, duration, wind, begin], axis=1).astype(dtype)


def _parts(parameters: VehicleParameters, bad: npt.NDArray[np.bool_]) -> Iterator[Part]:
    """Vehicles of one kind, `PART` at most at a time; those that cannot be driven are left out."""
    front_idle, rear_idle = idle(parameters.front), idle(parameters.rear)
    both, free = ~front_idle & ~rear_idle, parameters.chassis.least_loss_split > 0.0
    kinds: list[tuple[Kind, bool, npt.NDArray[np.bool_]]] = [
        ("one", False, rear_idle),
        ("one", True, front_idle & ~rear_idle),
        ("fixed", False, both & ~free),
        ("least_loss", False, both & free),
    ]
    for kind, mirror, chosen in kinds:
        lanes = np.flatnonzero(chosen & ~bad)
        for first in range(0, lanes.size, PART):
            yield kind, mirror, lanes[first : first + PART]


def _drive_part(vehicles: VehicleParameters, part: Part, drive: Drive, totals: Totals) -> None:
    kind, mirror, lanes = part
    kernel = compiled_kernel(kind, drive.dtype)
    some = take(vehicles, lanes)
    some = referred(mirrored(some) if mirror else some)
    tables = _tables(some, row_fields(kind), drive.dtype)
    tile = np.zeros((PARAMETERS + len(tables[0])) * WIDTH, dtype=drive.dtype)
    results = np.zeros((RESULT_ROWS, lanes.size), dtype=drive.dtype)
    for cycle, trace in enumerate(drive.steps):
        kernel(*tables, trace, np.dtype(drive.dtype).type(drive.initial_soc), tile, results)
        _keep(totals, results, lanes, cycle)


def _drive_part_in_climate(vehicles: VehicleParameters, part: Part, drive: Drive, totals: Totals) -> None:
    kind, mirror, lanes = part
    assert drive.climate is not None
    assert drive.begin is not None
    assert totals.warm is not None
    kernel = compiled_climate_kernel(kind, drive.dtype)
    some = in_climate(take(vehicles, lanes), drive.climate)
    some = referred(mirrored(some) if mirror else some)
    known = _InClimate(*some, weather_of(some, drive.climate))
    tables = _tables(known, climate_rows(kind), drive.dtype)
    tile = np.zeros((CLIMATE_PARAMETERS + len(tables[0])) * CLIMATE_WIDTH, dtype=drive.dtype)
    results = np.zeros((CLIMATE_RESULT_ROWS, lanes.size), dtype=drive.dtype)
    order = MIRRORED_INSIDE if mirror else slice(None)
    for cycle, trace in enumerate(drive.steps):
        begin = np.ascontiguousarray(drive.begin[order][:, lanes, cycle], dtype=drive.dtype)
        kernel(*tables, trace, np.dtype(drive.dtype).type(drive.initial_soc), begin, tile, results)
        _keep(totals, results, lanes, cycle)
        totals.warm.heat[:, lanes, cycle] = results[HEAT:INSIDE]
        totals.warm.inside[:, lanes, cycle] = results[INSIDE:PEAK][order]
        totals.warm.peak[:, lanes, cycle] = results[PEAK:]


class _InClimate(NamedTuple):
    """Vehicles and their weather, so that each value has a dotted name."""

    chassis: ChassisParameters
    front: DriveParameters
    rear: DriveParameters
    battery: BatteryParameters
    circuit: CircuitParameters
    thermal: ThermalParameters
    weather: Weather


def _tables(
    vehicles: VehicleParameters | _InClimate, names: Sequence[str], dtype: str
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Rows of parameters, and both tables of the battery, as the kernels take them."""
    rows = np.array([_field(vehicles, name) for name in names], dtype=dtype)
    voltage, resistance = (
        np.ascontiguousarray(table, dtype=dtype)
        for table in (vehicles.battery.open_circuit_voltage, vehicles.battery.resistance)
    )
    return rows, voltage, resistance


def _keep(totals: Totals, results: npt.NDArray[Any], lanes: Lanes, cycle: int) -> None:
    totals.energies[:, lanes, cycle] = results[ENERGIES:RESULT_ROWS]
    totals.limited[:, lanes, cycle] = results[LIMITED:FIRST]
    totals.first[:, lanes, cycle] = results[FIRST:ENERGIES]
    totals.distance[lanes, cycle] = results[DISTANCE]
    totals.soc[lanes, cycle] = results[SOC]
    totals.missed[lanes, cycle] = results[MISSED]
    totals.shortfall[lanes, cycle] = results[SHORTFALL]


def _field(vehicles: VehicleParameters | _InClimate, name: str) -> FloatArray:
    value: Any = vehicles
    for part in name.split("."):
        value = getattr(value, part)
    array: FloatArray = value
    return array


def mirrored(vehicles: VehicleParameters) -> VehicleParameters:
    """The same vehicles driving backwards: front is rear, and weight moves the other way."""
    chassis = vehicles.chassis
    turned = chassis._replace(
        front_load_share=1.0 - chassis.front_load_share,
        height_per_wheelbase=-chassis.height_per_wheelbase,
        front_torque_share=1.0 - chassis.front_torque_share,
    )
    vehicles = vehicles._replace(chassis=turned, front=vehicles.rear, rear=vehicles.front)
    if vehicles.thermal is None:
        return vehicles
    warm = vehicles.thermal
    return vehicles._replace(thermal=warm._replace(front=warm.rear, rear=warm.front))


def referred(vehicles: VehicleParameters) -> VehicleParameters:
    """The same vehicles with drives referred to the wheel and packs to a capacity of 1 A s.

    As an ideal gear and an ideal transformer do, without a change of any power: with k = i/r the wheel force is
    T k and its speed w/k; with the charge Q the current is I/Q, the voltage U Q and the resistance R Q². Tyre
    radius, gear ratio and capacity become 1, so that the physics need not divide by them.
    """
    chassis, front, rear, pack = vehicles.chassis, vehicles.front, vehicles.rear, vehicles.battery
    top = np.minimum(front.maximum_speed / front.gear_ratio, rear.maximum_speed / rear.gear_ratio)
    one, charge = np.ones_like(top), pack.capacity
    if vehicles.thermal is not None:
        warm = vehicles.thermal
        ahead, behind = (
            drive._replace(per_rated_voltage=drive.per_rated_voltage / charge) for drive in (warm.front, warm.rear)
        )
        vehicles = vehicles._replace(thermal=warm._replace(front=ahead, rear=behind))
    return vehicles._replace(
        chassis=chassis._replace(tyre_radius=one),
        front=_at_wheel(front, chassis.tyre_radius, top * chassis.tyre_radius),
        rear=_at_wheel(rear, chassis.tyre_radius, top * chassis.tyre_radius),
        battery=BatteryParameters(
            open_circuit_voltage=pack.open_circuit_voltage * charge[:, None],
            resistance=pack.resistance * (charge * charge)[:, None],
            capacity=one,
            voltage_minimum=pack.voltage_minimum * charge,
            voltage_maximum=pack.voltage_maximum * charge,
            discharge_current=pack.discharge_current / charge,
            charge_current=pack.charge_current / charge,
            soc_minimum=pack.soc_minimum,
            soc_maximum=pack.soc_maximum,
            charge_efficiency=pack.charge_efficiency,
        ),
    )


def _at_wheel(drive: DriveParameters, tyre_radius: FloatArray, top_speed: FloatArray) -> DriveParameters:
    k, loss = drive.gear_ratio / tyre_radius, drive.loss
    return DriveParameters(
        gear_ratio=np.ones_like(k),
        peak_torque=drive.peak_torque * k,
        peak_power=drive.peak_power,
        maximum_speed=top_speed,
        loss=LossParameters(
            constant=loss.constant,
            speed=loss.speed * k,
            speed2=loss.speed2 * k**2,
            speed3=loss.speed3 * k**3,
            torque=loss.torque / k,
            torque2=loss.torque2 / k**2,
            torque_speed=loss.torque_speed,
            torque2_speed=loss.torque2_speed / k,
            torque_speed2=loss.torque_speed2 * k,
        ),
    )
