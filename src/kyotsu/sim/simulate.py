"""Drive many vehicles over many cycles and account for every joule.

In: `VehicleParameters` and cycles. Out: `Results`, arrays of shape (vehicle, cycle) with units in their
names. Every vehicle drives every cycle at once, one lane for each pair. Nothing raises after the edge: a
missed trace, an empty battery or impossible parameters are numbers and `Validity` flags, and no result is
NaN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.climate import (
    Climate,
    Temperatures,
    Warmth,
    WarmTotals,
    in_climate,
    starting,
    warmth_of,
    weather_of,
)
from kyotsu.sim.cycles import Cycle, load_cycle
from kyotsu.sim.drive import BATTERY_EMPTY, LIMITERS, NONE
from kyotsu.sim.parameter_checks import invalid
from kyotsu.sim.parameters import FloatArray, VehicleParameters, bare, map_arrays, take
from kyotsu.sim.step import Flows, Input, State, step
from kyotsu.sim.thermal import Heat, Inside, Response, Weather, climate_step, response_of
from kyotsu.units import CELSIUS_ZERO_K, J_PER_WH, KMH_PER_MPS, MPS_PER_MPH

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

LEAST_DISTANCE_KM = 1e-3  # under it a consumption per distance says nothing
NEVER = 1e30  # s, of a limit that did not bind
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
    temperatures: Temperatures | None = None  # in a climate, at the end of each step


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
        first_limited_s: when each limit first bound, from the start of the cycle, shape (vehicle, cycle, limiter);
            infinity where it never did.
        final_soc: state of charge at the end.
        ledger: where the energy went.
        validity: flags of `Validity`.
        history: per cycle, when asked for.
        warmth: heat and temperatures, in a climate.
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
    first_limited_s: FloatArray
    final_soc: FloatArray
    ledger: Ledger
    validity: npt.NDArray[np.int64]
    history: dict[str, History] = field(default_factory=dict)
    warmth: Warmth | None = None

    @property
    def distance_shortfall_km(self) -> FloatArray:
        """Distance asked for but not driven [km], shape (vehicle, cycle)."""
        return self.trace_distance_km - self.distance_km

    def limiter(self) -> list[list[str]]:
        """The limit that bound longest, for each vehicle and cycle; `none` where none did."""
        time = self.limited_s.copy()
        time[..., 0] = 1e-12
        return [[LIMITERS[code] for code in row] for row in time.argmax(axis=2)]

    def columns(self, names: Sequence[str] | None = None, history: str | None = None) -> dict[str, npt.NDArray[Any]]:
        """The results as columns of a table, one row for each vehicle and cycle; see `tables.results_columns`.

        Args:
            names: of the vehicles, in their order; their numbers from 0 when not given.
            history: a cycle driven with `history=True`: its traces instead, one row for each vehicle and step.

        Raises:
            InputError: not one name for each vehicle, or no history of that cycle.
        """
        from kyotsu.sim import tables  # noqa: PLC0415  (it is made of results)

        if history is not None:
            return tables.history_columns(self, history, names)
        return tables.results_columns(self, names)

    def to_arrow(self, names: Sequence[str] | None = None, history: str | None = None) -> pa.Table:
        """`columns` as a pyarrow table.

        Raises:
            InputError: as of `columns`, or the package is not installed.
        """
        from kyotsu.sim import tables  # noqa: PLC0415  (it is made of results)

        return tables.to_arrow(self.columns(names, history))

    def to_pandas(self, names: Sequence[str] | None = None, history: str | None = None) -> pd.DataFrame:
        """`columns` as a pandas data frame.

        Raises:
            InputError: as of `columns`, or the package is not installed.
        """
        from kyotsu.sim import tables  # noqa: PLC0415  (it is made of results)

        return tables.to_pandas(self.columns(names, history))

    def to_polars(self, names: Sequence[str] | None = None, history: str | None = None) -> pl.DataFrame:
        """`columns` as a polars data frame.

        Raises:
            InputError: as of `columns`, or the package is not installed.
        """
        from kyotsu.sim import tables  # noqa: PLC0415  (it is made of results)

        return tables.to_polars(self.columns(names, history))

    def __repr__(self) -> str:
        from kyotsu.sim import tables  # noqa: PLC0415  (it is made of results)

        return tables.summary_text(self)


def simulate(
    parameters: VehicleParameters,
    cycles: Cycle | str | Sequence[Cycle | str],
    *,
    initial_soc: float = 0.6,
    history: bool = False,
    substeps: int = 1,
    climate: Climate | None = None,
    start: Temperatures | None = None,
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
        climate: temperatures, sun and cabin; `None` is a mild day on which nothing is warm or held back by warmth:
            no heating or cooling, and the pack's whole resistance at once.
        start: temperatures at the start in a climate, where they are not those of its soak; those at the end of
            another drive are in `Results.warmth`.

    Returns:
        Results of shape (vehicle, cycle).

    Raises:
        InputError: no cycle, a state of charge outside 0..1, no step to drive, or an impossible start.
    """
    traces = checked_traces(cycles, initial_soc, substeps)
    vehicles, count = parameters.vehicle_count, len(traces)
    begin = None if climate is None else starting(parameters, count, climate, start)
    bad = invalid(parameters, thermal=climate is not None)
    plan = Plan.of(traces, substeps)
    lane_vehicle, lane_cycle = np.repeat(np.arange(vehicles), count), np.tile(np.arange(count), vehicles)
    standing_in = _standing_in(parameters if climate is not None else bare(parameters), bad)
    if climate is None or begin is None:
        lanes, air = take(standing_in, lane_vehicle), None
    else:
        lanes = take(in_climate(standing_in, climate), lane_vehicle)
        air = _Air(weather_of(lanes, climate), begin.reshape(len(begin), -1))
    tally = _drive(lanes, plan, lane_cycle, initial_soc, history, air)
    totals = tally.totals(vehicles, count)
    histories = tally.histories(traces, plan, vehicles) if history else {}
    return summary(parameters, traces, totals, bad, histories, climate, begin)


class Totals(NamedTuple):
    """What adds up over a cycle, in SI; each of shape (..., vehicle, cycle)."""

    energies: FloatArray  # J, shape (power of `Flows`, vehicle, cycle)
    limited: FloatArray  # s, shape (limiter, vehicle, cycle)
    first: FloatArray  # s, when first limited, `NEVER` where not, shape (limiter, vehicle, cycle)
    distance: FloatArray  # m
    soc: FloatArray  # -, at the end
    missed: FloatArray  # s
    shortfall: FloatArray  # m/s
    warm: WarmTotals | None = None


def summary(
    parameters: VehicleParameters,
    traces: Sequence[Cycle],
    totals: Totals,
    bad: npt.NDArray[np.bool_],
    history: dict[str, History],
    climate: Climate | None = None,
    begin: FloatArray | None = None,
) -> Results:
    """Totals as results, with units at the edge.

    Args:
        parameters: the vehicles.
        traces: the cycles driven.
        totals: of vehicles that cannot be driven anything; they are blanked here.
        bad: those vehicles, shape (vehicle,).
        history: per cycle, if kept.
        climate: that they drove in, if any.
        begin: rows of `Inside` at the start, in a climate.
    """
    totals = _blanked(totals, bad)
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
    validity |= np.where(totals.limited[int(BATTERY_EMPTY)] > 0.0, int(Validity.BATTERY_EMPTY), 0)
    validity |= np.where(moved, 0, int(Validity.NO_DISTANCE))
    validity[bad] = int(Validity.INVALID_PARAMETERS)
    warmth = None
    if totals.warm is not None and climate is not None and begin is not None:
        begin = np.where(bad[:, None], 0.0, begin)
        duration = np.array([trace.duration_s for trace in traces])
        solar = np.where(bad[:, None], 0.0, climate.solar_w * duration)
        warmth = warmth_of(parameters, totals.warm, begin, (battery, drive), solar)
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
        first_limited_s=_first_times(totals.first),
        final_soc=totals.soc,
        ledger=ledger,
        validity=validity.astype(np.int64),
        history=history,
        warmth=warmth,
    )


def _blanked(totals: Totals, bad: npt.NDArray[np.bool_]) -> Totals:
    """The same in place, with 0 for vehicles that cannot be driven."""
    if bad.any():
        for total in (*totals[:-1], *(totals.warm or ())):
            total[..., bad, :] = 0.0
        totals.first[..., bad, :] = NEVER
    return totals


def _first_times(first: FloatArray) -> FloatArray:
    return np.ascontiguousarray(np.moveaxis(np.where(first < NEVER, first, np.inf), 0, -1))


class Plan(NamedTuple):
    """The traces side by side, cut into steps; shape (step, cycle), steps after the end have no length."""

    duration: FloatArray  # s
    speed: FloatArray  # m/s, wanted at the end of the step
    slope_sine: FloatArray  # -
    wind: FloatArray  # m/s, head wind
    first_speed: FloatArray  # m/s, shape (cycle,)

    @classmethod
    def of(cls, traces: Sequence[Cycle], substeps: int = 1) -> Plan:
        """The steps of traces, each cut into equal parts."""
        length = max(trace.time.size - 1 for trace in traces) * substeps
        duration, slope, gust = np.zeros((3, length, len(traces)))
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
            if trace.wind is not None:
                wind = np.interp(at, place, trace.wind)
                gust[:steps, column] = 0.5 * (wind[1:] + wind[:-1])
        return cls(duration, speed, slope, gust, np.array([trace.speed[0] for trace in traces]))


class _Air(NamedTuple):
    """A climate for each lane."""

    weather: Weather
    begin: FloatArray  # rows of `Inside`, shape (row, lane)


@dataclass(slots=True, eq=False)
class _Tally:
    """What adds up while the lanes drive; each of shape (lane,)."""

    state: State
    sums: FloatArray  # J, shape (flow, lane)
    limited: FloatArray  # s, shape (lane, limiter)
    first: FloatArray  # s, shape (lane, limiter)
    time: FloatArray  # s
    missed: FloatArray  # s
    shortfall: FloatArray  # m/s
    records: list[tuple[FloatArray, ...]]
    inside: Inside | None = None
    heat: FloatArray | None = None  # J, shape (heat, lane)
    peak: FloatArray | None = None  # K, shape (3, lane)

    @classmethod
    def of(cls, state: State, air: _Air | None) -> _Tally:
        size = state.speed.size
        nothing = np.zeros((3, size))
        limits = np.zeros((size, len(LIMITERS)))
        sums = np.zeros((len(Flows._fields) - 1, size))
        tally = cls(state, sums, limits, limits + NEVER, nothing[0], nothing[1], nothing[2], [])
        if air is not None:
            tally.inside, tally.heat = Inside(*air.begin), np.zeros((len(Heat._fields), size))
            tally.peak = _hottest(tally.inside)
        return tally

    def add(self, state: State, flows: Flows, asked: Input) -> None:
        self.state = state
        self.sums += np.stack(flows[:-1]) * asked.duration
        lanes, code = np.arange(asked.duration.size), flows.limiter.astype(np.intp)
        self.limited[lanes, code] += asked.duration
        bound = np.where((flows.limiter != NONE) & (asked.duration > 0.0), self.time, NEVER)
        self.first[lanes, code] = np.minimum(self.first[lanes, code], bound)
        self.time += asked.duration
        behind = np.where(asked.duration > 0.0, asked.speed - state.speed, 0.0)
        self.missed += np.where(behind > TRACE_TOLERANCE, asked.duration, 0.0)
        self.shortfall = np.maximum(self.shortfall, behind)

    def warm(self, inside: Inside, heat: Heat, duration: FloatArray) -> None:
        assert self.heat is not None
        assert self.peak is not None
        self.inside = inside
        self.heat += np.stack(heat) * duration
        self.peak = np.maximum(self.peak, _hottest(inside))

    def record(self, state: State, flows: Flows) -> None:
        inside = self.inside[2:] if self.inside is not None else ()
        self.records.append(
            (state.speed, state.soc, flows.cells, flows.terminals, flows.friction_brake, flows.limiter, *inside)
        )

    def totals(self, vehicles: int, cycles: int) -> Totals:
        state, shape = self.state, (vehicles, cycles)

        def shaped(*totals: FloatArray) -> Iterator[FloatArray]:
            return (total.reshape(*total.shape[:-1], *shape).copy() for total in totals)

        totals = shaped(self.sums, self.limited.T, self.first.T, state.distance, state.soc, self.missed, self.shortfall)
        if self.inside is None or self.heat is None or self.peak is None:
            return Totals._make((*totals, None))
        return Totals._make((*totals, WarmTotals._make(shaped(self.heat, np.stack(self.inside), self.peak))))

    def histories(self, traces: Sequence[Cycle], plan: Plan, vehicles: int) -> dict[str, History]:
        kept = np.array(self.records).reshape(len(self.records), -1, vehicles, len(traces))
        histories: dict[str, History] = {}
        for column, trace in enumerate(traces):
            steps = int(np.count_nonzero(plan.duration[:, column]))
            speed, *others = np.moveaxis(kept[:steps, :, :, column], 0, 2)
            warm = [value - CELSIUS_ZERO_K for value in others[5:]]
            histories[trace.name] = History(
                time_s=trace.time[0] + np.cumsum(plan.duration[:steps, column]),
                trace_km_h=plan.speed[:steps, column] * KMH_PER_MPS,
                speed_km_h=speed * KMH_PER_MPS,
                **dict(zip(History._fields[3:8], others[:5], strict=True)),
                temperatures=Temperatures(*warm) if warm else None,
            )
        return histories


def _hottest(inside: Inside) -> FloatArray:
    """Rows of `climate.Peaks`, shape (3, lane)."""
    motor = np.maximum(inside.front_motor, inside.rear_motor)
    return np.stack([inside.battery, motor, np.maximum(inside.front_inverter, inside.rear_inverter)])


def _drive(
    lanes: VehicleParameters,
    plan: Plan,
    lane_cycle: npt.NDArray[np.intp],
    initial_soc: float,
    history: bool,
    air: _Air | None,
) -> _Tally:
    size = lane_cycle.size
    state = State(plan.first_speed[lane_cycle], np.full(size, initial_soc), np.zeros(size))
    tally = _Tally.of(state, air)
    inside, response = tally.inside, _Responses(lanes)
    for duration, speed, slope, wind in zip(plan.duration, plan.speed, plan.slope_sine, plan.wind, strict=True):
        asked = Input(speed[lane_cycle], slope[lane_cycle], duration[lane_cycle], wind[lane_cycle])
        if air is None or inside is None:
            state, powers = step(lanes, state, asked)
        else:
            answer = response.to(asked.duration)
            state, inside, powers, heat = climate_step(lanes, air.weather, answer, state, inside, asked)
            tally.warm(inside, heat, asked.duration)
        tally.add(state, powers, asked)
        if history:
            tally.record(state, powers)
    return tally


class _Responses:
    """The response to the last duration asked for: steps are mostly of one length."""

    def __init__(self, lanes: VehicleParameters) -> None:
        self._lanes = lanes
        self._known: tuple[FloatArray, Response] | None = None

    def to(self, duration: FloatArray) -> Response:
        if self._known is None or not np.array_equal(self._known[0], duration):
            self._known = duration, response_of(self._lanes, duration)
        return self._known[1]


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

    mended = map_arrays(mend, parameters)
    if mended.circuit is None:
        return mended
    # Shares of 1 each would leave a resistance below zero.
    share = np.where(bad, 0.0, mended.circuit.fast_share)
    return mended._replace(circuit=mended.circuit._replace(fast_share=share))
