"""Drive many vehicles over many cycles and account for every joule.

In: `VehicleParameters` and cycles. Out: `Results`, arrays of shape (vehicle, cycle) with units in their
names. Every vehicle drives every cycle at once, one lane for each pair. Nothing raises after the edge: a
missed trace, an empty battery or impossible parameters are numbers and `Validity` flags, and no result is
NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.cycles import Cycle, load_cycle
from kyotsu.sim.drive import LIMITERS
from kyotsu.sim.parameter_checks import invalid
from kyotsu.sim.parameters import FloatArray, VehicleParameters, map_arrays, take
from kyotsu.sim.step import Flows, Input, State, step
from kyotsu.units import J_PER_WH, KMH_PER_MPS, MPS_PER_MPH

LEAST_DISTANCE_KM = 1e-3  # under it a consumption per distance says nothing
TRACE_TOLERANCE = 2.0 * MPS_PER_MPH  # m/s below the trace that counts as missed; 40 CFR 1066.425


class Validity(IntFlag):
    """What is to be known about a result; 0 is a result without reserve."""

    TRACE_MISSED = 1
    BATTERY_EMPTY = 2
    NO_DISTANCE = 4  # less than a metre; consumption per distance is given as 0
    INVALID_PARAMETERS = 8  # all numbers are 0


class Ledger(NamedTuple):
    """Energy over a cycle, each of shape (vehicle, cycle).

    wall = charging + cells; cells = battery + terminals;
    terminals = auxiliary + drive + friction brake + road + potential + kinetic.
    """

    wall_wh: FloatArray  # AC energy that recharges what was used
    charging_loss_wh: FloatArray  # wall to cells
    cells_wh: FloatArray  # net energy out of the cells
    battery_loss_wh: FloatArray  # pack resistance
    terminals_wh: FloatArray  # net energy out of the battery
    auxiliary_wh: FloatArray
    drive_loss_wh: FloatArray  # motors, inverters, reducers
    friction_brake_wh: FloatArray
    road_wh: FloatArray  # rolling and air resistance
    potential_wh: FloatArray  # stored in height
    kinetic_wh: FloatArray  # stored in motion

    def closure(self) -> FloatArray:
        """Wall energy less where it went, over the energy that moved [-]; 0 is exact."""
        out = self[1] + self[3] + sum(self[5:])
        moved = np.abs(self.wall_wh) + np.abs(self.road_wh) + np.abs(self.potential_wh)
        return np.asarray((self.wall_wh - out) / np.maximum(moved, 1.0), dtype=np.float64)


class History(NamedTuple):
    """Second-by-second traces on one cycle; shape (vehicle, time), at the end of each step."""

    time_s: FloatArray  # shape (time,)
    trace_km_h: FloatArray  # shape (time,), the speed asked for
    speed_km_h: FloatArray
    soc: FloatArray
    cells_w: FloatArray  # mean of the step
    terminals_w: FloatArray
    friction_brake_w: FloatArray
    limiter: FloatArray  # code of `LIMITERS`


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What vehicles did on cycles; arrays of shape (vehicle, cycle).

    Attributes:
        cycles: names of the cycles.
        consumption_ac_wh_per_km: at the wall, charging loss included.
        consumption_dc_wh_per_km: net out of the cells, the pack's own loss included.
        consumption_terminals_wh_per_km: net out of the battery's terminals.
        distance_km: driven.
        trace_distance_km: asked for.
        missed_s: time more than 2 mph under the trace.
        shortfall_km_h: most that the speed fell short of the trace.
        limited_s: time under each limit, shape (vehicle, cycle, limiter), in the order of `LIMITERS`.
        final_soc: state of charge at the end.
        ledger: where the energy went.
        validity: flags of `Validity`.
        history: per cycle, when asked for.
    """

    cycles: tuple[str, ...]
    consumption_ac_wh_per_km: FloatArray
    consumption_dc_wh_per_km: FloatArray
    consumption_terminals_wh_per_km: FloatArray
    distance_km: FloatArray
    trace_distance_km: FloatArray
    missed_s: FloatArray
    shortfall_km_h: FloatArray
    limited_s: FloatArray
    final_soc: FloatArray
    ledger: Ledger
    validity: npt.NDArray[np.int64]
    history: dict[str, History] = field(default_factory=dict)

    @property
    def distance_shortfall_km(self) -> FloatArray:
        """Distance asked for but not driven [km], shape (vehicle, cycle)."""
        return self.trace_distance_km - self.distance_km

    def limiter(self) -> list[list[str]]:
        """The limit that bound longest, for each vehicle and cycle; `none` where none did."""
        time = self.limited_s.copy()
        time[..., 0] = 1e-12
        return [[LIMITERS[code] for code in row] for row in time.argmax(axis=2)]

    def __repr__(self) -> str:
        vehicles = self.distance_km.shape[0]
        mean = ", ".join(
            f"{name} {value:.1f}"
            for name, value in zip(self.cycles, self.consumption_ac_wh_per_km.mean(axis=0), strict=True)
        )
        return f"Results({vehicles} vehicles; mean AC Wh/km: {mean})"


def simulate(
    parameters: VehicleParameters,
    cycles: Cycle | str | Sequence[Cycle | str],
    *,
    initial_soc: float = 0.6,
    history: bool = False,
    substeps: int = 1,
) -> Results:
    """Drive every vehicle over every cycle.

    The trace is followed from the vehicle's own speed: after a miss it gives all it has until it has caught
    up.

    Args:
        parameters: the vehicles, arrays of shape (vehicle,).
        cycles: cycles, or names of them.
        initial_soc: state of charge at the start [-]; by default near the middle, which stands for the mean
            of a full discharge such as the EPA's.
        history: keep every step.
        substeps: equal parts that each step of the trace is cut into.

    Returns:
        Results of shape (vehicle, cycle).

    Raises:
        InputError: no cycle, a state of charge outside 0..1, or no step to drive.
    """
    traces = checked_traces(cycles, initial_soc, substeps)
    vehicles, count = parameters.vehicle_count, len(traces)
    bad = invalid(parameters)
    plan = Plan.of(traces, substeps)
    lane_vehicle, lane_cycle = np.repeat(np.arange(vehicles), count), np.tile(np.arange(count), vehicles)
    lanes = take(_standing_in(parameters, bad), lane_vehicle)
    tally = _drive(lanes, plan, lane_cycle, initial_soc, history)
    totals = tally.totals(vehicles, count)
    for total in totals:
        total[..., bad, :] = 0.0
    histories = tally.histories(traces, plan, vehicles) if history else {}
    return summary(parameters, traces, totals, bad, histories)


class Totals(NamedTuple):
    """What adds up over a cycle, in SI; each of shape (..., vehicle, cycle)."""

    energies: FloatArray  # J, shape (power of `Flows`, vehicle, cycle)
    limited: FloatArray  # s, shape (limiter, vehicle, cycle)
    distance: FloatArray  # m
    soc: FloatArray  # -, at the end
    missed: FloatArray  # s
    shortfall: FloatArray  # m/s


def summary(
    parameters: VehicleParameters,
    traces: Sequence[Cycle],
    totals: Totals,
    bad: npt.NDArray[np.bool_],
    history: dict[str, History],
) -> Results:
    """Totals as results, with units at the edge.

    Args:
        parameters: the vehicles.
        traces: the cycles driven.
        totals: 0 for vehicles that cannot be driven.
        bad: those vehicles, shape (vehicle,).
        history: per cycle, if kept.
    """
    road, grade, kinetic, brake, drive, auxiliary, battery, terminals, cells = totals.energies / J_PER_WH
    wall = cells / np.where(bad, 1.0, parameters.battery.charge_efficiency)[:, None]
    ledger = Ledger(
        wall,
        wall - cells,
        cells,
        battery,
        terminals,
        auxiliary,
        drive,
        brake,
        road,
        potential_wh=grade,
        kinetic_wh=kinetic,
    )
    distance = totals.distance / 1000.0
    moved = distance >= LEAST_DISTANCE_KM
    validity = np.where(totals.missed > 0.0, int(Validity.TRACE_MISSED), 0)
    validity |= np.where(totals.limited[-1] > 0.0, int(Validity.BATTERY_EMPTY), 0)
    validity |= np.where(moved, 0, int(Validity.NO_DISTANCE))
    validity[bad] = int(Validity.INVALID_PARAMETERS)
    per_km = np.where(moved, 1.0 / np.where(moved, distance, 1.0), 0.0)
    return Results(
        cycles=tuple(trace.name for trace in traces),
        consumption_ac_wh_per_km=ledger.wall_wh * per_km,
        consumption_dc_wh_per_km=ledger.cells_wh * per_km,
        consumption_terminals_wh_per_km=ledger.terminals_wh * per_km,
        distance_km=distance,
        trace_distance_km=np.tile(np.array([trace.distance_km for trace in traces]), (bad.size, 1)),
        missed_s=totals.missed,
        shortfall_km_h=totals.shortfall * KMH_PER_MPS,
        limited_s=np.ascontiguousarray(np.moveaxis(totals.limited, 0, -1)),
        final_soc=totals.soc,
        ledger=ledger,
        validity=validity.astype(np.int64),
        history=history,
    )


class Plan(NamedTuple):
    """The traces side by side, cut into steps; shape (step, cycle), steps after the end have no length."""

    duration: FloatArray  # s
    speed: FloatArray  # m/s, wanted at the end of the step
    slope_sine: FloatArray  # -
    first_speed: FloatArray  # m/s, shape (cycle,)

    @classmethod
    def of(cls, traces: Sequence[Cycle], substeps: int = 1) -> Plan:
        """The steps of traces, each cut into equal parts."""
        length = max(trace.time.size - 1 for trace in traces) * substeps
        duration, slope = np.zeros((2, length, len(traces)))
        speed = np.zeros((length, len(traces)))
        for column, trace in enumerate(traces):
            steps = (trace.time.size - 1) * substeps
            place = np.arange(trace.time.size)
            at = np.arange(steps + 1) / substeps
            fine_speed = np.interp(at, place, trace.speed)
            fine_grade = np.interp(at, place, trace.grade)
            grade = 0.5 * (fine_grade[1:] + fine_grade[:-1])
            duration[:steps, column] = np.repeat(np.diff(trace.time) / substeps, substeps)
            speed[:steps, column], speed[steps:, column] = fine_speed[1:], fine_speed[-1]
            slope[:steps, column] = grade / np.sqrt(1.0 + grade * grade)
        return cls(duration, speed, slope, np.array([trace.speed[0] for trace in traces]))


@dataclass(slots=True, eq=False)
class _Tally:
    """What adds up while the lanes drive; each of shape (lane,)."""

    state: State
    sums: FloatArray  # J, shape (flow, lane)
    limited: FloatArray  # s, shape (lane, limiter)
    missed: FloatArray  # s
    shortfall: FloatArray  # m/s
    records: list[tuple[FloatArray, ...]]

    def add(self, state: State, flows: Flows, asked: Input) -> None:
        self.state = state
        self.sums += np.stack(flows[:-1]) * asked.duration
        lanes = np.arange(asked.duration.size)
        self.limited[lanes, flows.limiter.astype(np.intp)] += asked.duration
        behind = np.where(asked.duration > 0.0, asked.speed - state.speed, 0.0)
        self.missed += np.where(behind > TRACE_TOLERANCE, asked.duration, 0.0)
        self.shortfall = np.maximum(self.shortfall, behind)

    def record(self, state: State, flows: Flows) -> None:
        self.records.append((state.speed, state.soc, flows.cells, flows.terminals, flows.friction_brake, flows.limiter))

    def totals(self, vehicles: int, cycles: int) -> Totals:
        state, shape = self.state, (vehicles, cycles)
        totals = (self.sums, self.limited.T, state.distance, state.soc, self.missed, self.shortfall)
        return Totals(*(total.reshape(*total.shape[:-1], *shape).copy() for total in totals))

    def histories(self, traces: Sequence[Cycle], plan: Plan, vehicles: int) -> dict[str, History]:
        kept = np.array(self.records).reshape(len(self.records), -1, vehicles, len(traces))
        histories: dict[str, History] = {}
        for column, trace in enumerate(traces):
            steps = int(np.count_nonzero(plan.duration[:, column]))
            speed, soc, cells, terminals, brake, limiter = np.moveaxis(kept[:steps, :, :, column], 0, 2)
            histories[trace.name] = History(
                trace.time[0] + np.cumsum(plan.duration[:steps, column]),
                plan.speed[:steps, column] * KMH_PER_MPS,
                speed * KMH_PER_MPS,
                soc,
                cells,
                terminals,
                brake,
                limiter,
            )
        return histories


def _drive(
    lanes: VehicleParameters,
    plan: Plan,
    lane_cycle: npt.NDArray[np.intp],
    initial_soc: float,
    history: bool,
) -> _Tally:
    size = lane_cycle.size
    state = State(plan.first_speed[lane_cycle], np.full(size, initial_soc), np.zeros(size))
    flows = len(Flows._fields) - 1
    tally = _Tally(state, np.zeros((flows, size)), np.zeros((size, len(LIMITERS))), np.zeros(size), np.zeros(size), [])
    for duration, speed, slope in zip(plan.duration, plan.speed, plan.slope_sine, strict=True):
        asked = Input(speed[lane_cycle], slope[lane_cycle], duration[lane_cycle])
        state, powers = step(lanes, state, asked)
        tally.add(state, powers, asked)
        if history:
            tally.record(state, powers)
    return tally


def checked_traces(cycles: Cycle | str | Sequence[Cycle | str], initial_soc: float, substeps: int = 1) -> list[Cycle]:
    """The cycles to drive; raises `InputError` with every problem of the question asked."""
    several = [cycles] if isinstance(cycles, (Cycle, str)) else list(cycles)
    problems = []
    if not several:
        problems.append(Problem(Location(key="cycles"), "no cycle", "at least one", "Name a cycle."))
    if not 0.0 <= initial_soc <= 1.0:
        problems.append(Problem(Location(key="initial_soc"), f"{initial_soc:g}", "0 to 1", "Give a fraction."))
    if substeps < 1:
        problems.append(Problem(Location(key="substeps"), str(substeps), "1 or more", "Give a whole number."))
    if problems:
        raise InputError(problems)
    return [cycle if isinstance(cycle, Cycle) else load_cycle(cycle) for cycle in several]


def _standing_in(parameters: VehicleParameters, bad: npt.NDArray[np.bool_]) -> VehicleParameters:
    """The batch with harmless numbers where a vehicle cannot be driven; its results are blanked later."""
    if not bad.any():
        return parameters

    def mend(values: FloatArray) -> FloatArray:
        mended = values.copy()
        mended[bad] = 1.0
        return mended

    return map_arrays(mend, parameters)
