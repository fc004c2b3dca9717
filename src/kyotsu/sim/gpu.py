"""The same physics on an NVIDIA GPU: one thread drives one vehicle over a whole cycle.

`simulate_gpu` gives the results of `simulate`, without history. The functions of `road`, `drive`, `battery` and `step`
are compiled as they stand, as `lane` does for the processor, and what stands here is only the order in which they
are applied. There is no tile and no free pass: thousands of threads hide what a table read costs, so each step is the
step in full. A GPU needs the extra `gpu` and NVIDIA's driver.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim import battery, drive, lane, parameters, road, step
from kyotsu.sim.batch import Precision
from kyotsu.sim.battery import between, table_place
from kyotsu.sim.cycles import Cycle
from kyotsu.sim.drive import LIMITERS, MOTOR_SPEED, NONE, AxleForces
from kyotsu.sim.parameter_checks import invalid
from kyotsu.sim.parameters import FloatArray, VehicleParameters, bare, take
from kyotsu.sim.simulate import NEVER, TRACE_TOLERANCE, Plan, Results, Totals, checked_traces, summary
from kyotsu.sim.step import (
    Flows,
    Input,
    Moment,
    State,
    full_throttle,
    reachable_target,
    settle,
    speed_under_limit,
    supply_from,
    traction,
    travelled_share,
)

PHYSICS = (road, drive, battery, step)
THREADS = 128  # of a block
CHUNK = 1 << 20  # vehicles on the GPU at a time, some 1 GB in double precision
# Rows of the results.
SOC, DISTANCE, MISSED, SHORTFALL, LIMITED = range(5)
KINDS = len(LIMITERS)
FIRST = LIMITED + KINDS
ENERGIES = FIRST + KINDS
RESULT_ROWS = ENERGIES + len(Flows._fields) - 1


def simulate_gpu(
    vehicles: VehicleParameters,
    cycles: Cycle | str | Sequence[Cycle | str],
    *,
    initial_soc: float = 0.6,
    dtype: Precision = "float64",
) -> Results:
    """Drive every vehicle over every cycle, on the GPU.

    Args:
        vehicles: arrays of shape (vehicle,).
        cycles: cycles, or names of them.
        initial_soc: state of charge at the start [-].
        dtype: precision inside, as of `simulate_batch`.

    Returns:
        Results of shape (vehicle, cycle), as `simulate` gives them: equal to rounding.

    Raises:
        InputError: as of `simulate_batch`; or there is no GPU.
    """
    traces = checked_traces(cycles, initial_soc)
    if dtype not in ("float64", "float32"):
        problem = Problem(Location(key="dtype"), repr(dtype), "float64 or float32", "Choose one of the two.")
        raise InputError([problem])
    cuda = _cuda()
    if not cuda.is_available():
        raise InputError([_absent("no GPU, or no driver for it")])
    kernel = _compiled(vehicle_source(vehicles), dtype)
    bad = invalid(vehicles, thermal=False)
    good = np.flatnonzero(~bad)
    totals = _no_totals(bad.size, len(traces))
    steps = [cuda.to_device(steps_of(trace, dtype)) for trace in traces]
    for first in range(0, good.size, CHUNK):
        lanes = good[first : first + CHUNK]
        inputs = [cuda.to_device(table) for table in tables_of(take(bare(vehicles), lanes), dtype)]
        results = cuda.device_array((RESULT_ROWS, lanes.size), dtype)
        for cycle, trace in enumerate(steps):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Grid size")  # few vehicles do not fill a GPU: no fault
                kernel[-(-lanes.size // THREADS), THREADS](*inputs, trace, np.dtype(dtype).type(initial_soc), results)
            _store(totals, results.copy_to_host(), lanes, cycle)
    return summary(vehicles, traces, totals, bad, {})


def gpu_name() -> str | None:
    """What the GPU is called; `None` where there is none that can be used."""
    try:
        cuda = _cuda()
    except InputError:
        return None
    if not cuda.is_available():
        return None
    name = getattr(cuda.get_current_device(), "name", "simulated")
    return name.decode() if isinstance(name, bytes) else str(name)


def _cuda() -> Any:
    try:
        from numba import config, cuda  # noqa: PLC0415  (an extra)
    except (ImportError, RuntimeError, OSError) as error:
        raise InputError([_absent(str(error).splitlines()[0])]) from error
    config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # type: ignore[attr-defined]  # a few cars fill no GPU: nobody's mistake
    return cuda


def _absent(found: str) -> Problem:
    action = "Use simulate_batch; or install kyotsu[gpu], CUDA's libraries and the driver."
    return Problem(Location("GPU"), found, "an NVIDIA GPU, its driver and numba-cuda", action)


# --- what is compiled ---


def drive_vehicles(rows: Any, voltage: Any, resistance: Any, traces: Any, initial_soc: Any, results: Any) -> None:
    """Drive the vehicle of this thread over one cycle.

    Args:
        rows: parameters in the order of `vehicle_source`, shape (row, vehicle).
        voltage: open-circuit voltage [V], shape (table, vehicle).
        resistance: [ohm], shape (table, vehicle).
        traces: speed before, speed, sine of the slope, duration, head wind; shape (step, 5).
        initial_soc: state of charge at the start [-].
        results: filled, shape (RESULT_ROWS, vehicle).
    """
    place = cuda.grid(1)  # type: ignore[name-defined]  # noqa: F821  (of the world it is compiled in)
    if place >= rows.shape[1]:
        return
    vehicle = vehicle_at(rows, place)
    last = REAL(voltage.shape[0] - 1)  # type: ignore[name-defined]  # noqa: F821
    nothing = initial_soc - initial_soc
    limited = cuda.local.array(KINDS, REAL)  # type: ignore[name-defined]  # noqa: F821
    first = cuda.local.array(KINDS, REAL)  # type: ignore[name-defined]  # noqa: F821
    for kind in range(KINDS):
        limited[kind], first[kind] = nothing, NEVER
    time = nothing
    state = State(traces[0, 0], initial_soc, nothing)
    sums = no_flows(nothing)
    missed, shortfall = nothing, nothing
    for number in range(traces.shape[0]):
        asked = Input(traces[number, 1], traces[number, 2], traces[number, 3], traces[number, 4])
        below, weight = table_place(state.soc, last)
        entry = int(below)
        ocv = between(voltage[entry, place], voltage[entry + 1, place], weight)
        ohm = between(resistance[entry, place], resistance[entry + 1, place], weight)
        supply = supply_from(vehicle.battery, vehicle.chassis.auxiliary_power, ocv, ohm, state.soc, asked.duration)
        state, flows = drive_step(Moment(vehicle, state, asked, supply))
        sums = added(sums, flows, asked.duration)
        code = int(flows.limiter)
        limited[code] += asked.duration
        if code > 0 and asked.duration > nothing:
            first[code] = lane.minimum(first[code], time)
        time += asked.duration
        behind = asked.speed - state.speed
        missed += lane.where(behind > TRACE_TOLERANCE, asked.duration, nothing)
        shortfall = lane.maximum(shortfall, behind)
    results[SOC, place], results[DISTANCE, place] = state.soc, state.distance
    results[MISSED, place], results[SHORTFALL, place] = missed, shortfall
    for kind in range(KINDS):
        results[LIMITED + kind, place], results[FIRST + kind, place] = limited[kind], first[kind]
    store_flows(results, place, sums)


def vehicle_at(rows: Any, place: int) -> VehicleParameters:
    """The vehicle in a column of `rows`; `vehicle_source` writes what is compiled."""
    raise NotImplementedError


def drive_step(moment: Moment) -> tuple[State, Flows]:
    """One step of one vehicle in full, as `step.step` does of many."""
    target, too_fast = reachable_target(moment.parameters, moment.state, moment.asked)
    forces = traction(moment, target)
    if forces.limiter > NONE:
        target = speed_under_limit(moment, target)
        forces = full_throttle(moment, target)
    limiter = lane.where(too_fast and forces.limiter == NONE, MOTOR_SPEED, forces.limiter)
    share = travelled_share(moment, target, forces)
    return settle(moment, target, AxleForces(forces.front, forces.rear, limiter), share)


def no_flows(nothing: Any) -> Flows:
    """Energies before the first step; `flows_source` writes what is compiled."""
    raise NotImplementedError


def added(sums: Flows, flows: Flows, duration: Any) -> Flows:
    """Energies [J] with the powers of one more step; `flows_source` writes what is compiled."""
    raise NotImplementedError


def store_flows(results: Any, place: int, sums: Flows) -> None:
    """Energies to their rows, in the order of `Flows`; `flows_source` writes what is compiled."""
    raise NotImplementedError


def floor(value: Any) -> Any:
    """Largest whole number not above, as a float: CUDA knows no ufunc of that name."""
    return REAL(math.floor(value))  # type: ignore[name-defined]  # noqa: F821


# --- how it is compiled ---


@lru_cache
def _compiled(source: str, dtype: str) -> Any:
    return _cuda().jit(kernel_function(source, dtype))


def kernel_function(source: str, dtype: str) -> FunctionType:
    """`drive_vehicles` with all names bound to device functions and constants of a precision, to be compiled.

    Args:
        source: of `vehicle_source`.
        dtype: `float64` or `float32`.
    """
    cuda = _cuda()
    real = np.dtype(dtype).type
    scope: dict[str, Any] = {}
    for file in (parameters, *PHYSICS):
        scope.update({name: value for name, value in vars(file).items() if not name.startswith("__")})
    scope.update({name: globals()[name] for name in CONSTANTS})
    scope.update({name: real(value) for name, value in scope.items() if type(value) is float})
    numbers = ModuleType("numbers_of_a_thread")
    scope.update({"np": numbers, "lane": numbers, "REAL": real, "math": math})
    more: dict[str, FunctionType] = {}
    exec(source + flows_source(), scope, more)
    for name, value in vars(lane).items():
        if hasattr(value, "py_func"):
            setattr(numbers, name, cuda.jit(device=True)(_rebound(value.py_func, vars(lane), real)))
    numbers.floor = cuda.jit(device=True)(_rebound(floor, scope, real))  # type: ignore[attr-defined]
    physics = [value for file in PHYSICS for value in vars(file).values() if _defined_in(file, value)]
    for function in (*physics, drive_step, *more.values()):
        scope[function.__name__] = cuda.jit(device=True)(_rebound(function, scope, real))
    return _rebound(drive_vehicles, {**scope, "cuda": cuda}, real)


CONSTANTS = (
    "TRACE_TOLERANCE",
    "SOC",
    "DISTANCE",
    "MISSED",
    "SHORTFALL",
    "LIMITED",
    "FIRST",
    "ENERGIES",
    "KINDS",
    "NEVER",
)


def _defined_in(file: ModuleType, value: object) -> bool:
    return isinstance(value, FunctionType) and value.__module__ == file.__name__


def _rebound(function: Callable[..., Any], scope: dict[str, Any], real: type) -> FunctionType:
    code = function.__code__
    constants = tuple(real(value) if type(value) is float else value for value in code.co_consts)
    return FunctionType(code.replace(co_consts=constants), scope, function.__name__)


def vehicle_source(vehicles: VehicleParameters) -> str:
    """Text of `vehicle_at`: each parameter from its row; tables, which are read by the step, as 0."""
    driven = bare(vehicles)
    rows = iter(range(len(_columns(driven))))
    return f"def vehicle_at(rows, place):\n    return {_text(driven, rows)}\n"


def flows_source() -> str:
    """Text of `no_flows`, `added` and `store_flows`, field by field: a thread has no arrays of powers."""
    *powers, limiter = Flows._fields
    nothing = ", ".join("nothing" for _ in Flows._fields)
    sums = ", ".join(f"sums.{name} + flows.{name} * duration" for name in powers)
    rows = "".join(f"    results[ENERGIES + {row}, place] = sums.{name}\n" for row, name in enumerate(powers))
    return (
        f"def no_flows(nothing):\n    return Flows({nothing})\n"
        f"def added(sums, flows, duration):\n    return Flows({sums}, sums.{limiter})\n"
        f"def store_flows(results, place, sums):\n{rows}"
    )


def _text(tree: Any, rows: Iterator[int]) -> str:
    if tree is None:
        return "None"
    if isinstance(tree, np.ndarray):
        return f"rows[{next(rows)}, place]" if tree.ndim == 1 else "0.0"
    return f"{type(tree).__name__}({', '.join(_text(branch, rows) for branch in tree)})"


def tables_of(vehicles: VehicleParameters, dtype: str) -> list[npt.NDArray[Any]]:
    """Rows and the battery's tables as `drive_vehicles` takes them."""
    pack = vehicles.battery
    tables = (np.array(_columns(vehicles)), pack.open_circuit_voltage.T, pack.resistance.T)
    return [np.ascontiguousarray(table, dtype=dtype) for table in tables]


def _columns(tree: Any) -> list[FloatArray]:
    if isinstance(tree, np.ndarray):
        return [tree] if tree.ndim == 1 else []
    return [column for branch in tree or () for column in _columns(branch)]


def steps_of(trace: Cycle, dtype: str) -> npt.NDArray[Any]:
    """Steps of a cycle as `drive_vehicles` takes them, shape (step, 5)."""
    plan = Plan.of([trace])
    before = np.concatenate([plan.first_speed, plan.speed[:-1, 0]])
    columns = (before, *(column[:, 0] for column in (plan.speed, plan.slope_sine, plan.duration, plan.wind)))
    return np.stack(columns, axis=1).astype(dtype)


def _no_totals(vehicles: int, cycles: int) -> Totals:
    shape = (vehicles, cycles)
    energies, limited = np.zeros((RESULT_ROWS - ENERGIES, *shape)), np.zeros((KINDS, *shape))
    distance, soc, missed, shortfall = np.zeros((4, *shape))
    return Totals(energies, limited, np.full((KINDS, *shape), NEVER), distance, soc, missed, shortfall)


def _store(totals: Totals, results: npt.NDArray[Any], lanes: npt.NDArray[np.intp], cycle: int) -> None:
    totals.energies[:, lanes, cycle] = results[ENERGIES:]
    totals.limited[:, lanes, cycle] = results[LIMITED:FIRST]
    totals.first[:, lanes, cycle] = results[FIRST:ENERGIES]
    totals.soc[lanes, cycle] = results[SOC]
    totals.distance[lanes, cycle] = results[DISTANCE]
    totals.missed[lanes, cycle] = results[MISSED]
    totals.shortfall[lanes, cycle] = results[SHORTFALL]
