"""What a vehicle did second by second: traces, and which component limited it when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kyotsu.sim.drive import LIMITERS
from kyotsu.sim.parameters import FloatArray
from kyotsu.sim.simulate import TRACE_TOLERANCE, History, Results
from kyotsu.units import KMH_PER_MPS

MISSED = "trace"  # the name of a missed trace among the limits


@dataclass(frozen=True)
class Limit:
    """One limit on one cycle, or the trace itself where it was missed by more than 2 mph.

    Attributes:
        limiter: of `kyotsu.sim.drive.LIMITERS`, or `trace`.
        first_s: when it first bound.
        lasted_s: how long in all.
        spells_s: begin and end of each spell.
    """

    limiter: str
    first_s: float
    lasted_s: float
    spells_s: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Trace:
    """One vehicle on one cycle, values at the end of each step.

    Attributes:
        cycle: its name.
        terminals_kw: power out of the battery's terminals, mean of the step.
        limits: in the order in which they first bound, a missed trace last.
    """

    cycle: str
    time_s: tuple[float, ...]
    asked_km_h: tuple[float, ...]
    speed_km_h: tuple[float, ...]
    terminals_kw: tuple[float, ...]
    soc_pct: tuple[float, ...]
    limits: tuple[Limit, ...]


def traces(results: Results, vehicle: int = 0) -> tuple[Trace, ...]:
    """The traces of one vehicle on all cycles that have a history."""
    return tuple(_trace(cycle, history, vehicle) for cycle, history in results.history.items())


def _trace(cycle: str, history: History, vehicle: int) -> Trace:
    return Trace(
        cycle=cycle,
        time_s=tuple(history.time_s.tolist()),
        asked_km_h=tuple(history.trace_km_h.tolist()),
        speed_km_h=tuple(history.speed_km_h[vehicle].tolist()),
        terminals_kw=tuple((history.terminals_w[vehicle] / 1000.0).tolist()),
        soc_pct=tuple((100.0 * history.soc[vehicle]).tolist()),
        limits=tuple(_limits(history, vehicle)),
    )


def _limits(history: History, vehicle: int) -> Iterator[Limit]:
    code = history.limiter[vehicle].astype(np.intp)
    found = [_limit(name, code == place, history.time_s) for place, name in enumerate(LIMITERS) if place]
    yield from sorted((limit for limit in found if limit.spells_s), key=lambda limit: limit.first_s)
    behind = history.trace_km_h - history.speed_km_h[vehicle]
    missed = _limit(MISSED, behind > TRACE_TOLERANCE * KMH_PER_MPS, history.time_s)
    if missed.spells_s:
        yield missed


def _limit(name: str, bound: npt.NDArray[np.bool_], time: FloatArray) -> Limit:
    """Steps that follow each other are one spell; `time` is at the end of each step."""
    edges = np.diff(np.concatenate([[0], bound.astype(np.int8), [0]]))
    begin = np.concatenate([[time[0] - (time[1] - time[0] if time.size > 1 else 0.0)], time])
    spells = tuple(
        (float(begin[start]), float(begin[end]))
        for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    )
    lasted = sum(end - start for start, end in spells)
    return Limit(name, spells[0][0] if spells else 0.0, lasted, spells)
