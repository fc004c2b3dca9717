"""How sure a prediction is: bounds that hold what a bench would measure, from cars that the fit had not seen.

The deviations are those of `calibration.held_out_prediction`: of each car by constants fitted without its make.
Their quantiles stand in `data/intervals.toml`; `kyotsu validate --fit` finds them again. So far this is
inductive conformal prediction (Papadopoulos, Proedrou, Vovk, Gammerman: Inductive Confidence Machines for Regression,
ECML 2002) without its small-sample term. Two things differ, and are our choice:

- Cars of one make are alike, and a new car is drawn neither among all cars (a third of the table is one make) nor
  among all makes. A car counts 1/√n with n cars of its make in the table. `left_out_coverage` tells what that is worth:
  the share of a make's cars inside bounds that were made without the make.
- Only UDDS and HWFET were measured. Other cycles take the deviations between the two by mean speed, the nearer end's
  outside of them, and are wider, for a third cycle has an error of its own: with e_c = common + own_c and equal own
  parts, Var(own) = ½ Var(e_udds − e_hwfet), and the bounds grow by √(1 + Var(own)/Var(e)).

A difference between two builds of one car is surer than either, for what is wrong about the car cancels. How much
is known from cars of one make and model year: the ratio of two predictions against that of two measurements.
These are different cars, so that the bound is wide for two builds of one.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import combinations

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.cycles import Cycle, load_cycle
from kyotsu.sim.parameters import FloatArray
from kyotsu.units import KMH_PER_MPS

MEASURED = ("udds", "hwfet")
COVERAGE_PCT = 80.0  # what is shown where nobody asks for another
LEVELS_PCT = (2.5, 5.0, 10.0, 25.0, 75.0, 90.0, 95.0, 97.5)
APART_PCT = (50.0, 80.0, 90.0, 95.0)  # coverages of a difference

Names = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Deviations of measured from predicted consumption.

    Attributes:
        log_quantile: of log(measured / predicted) at `LEVELS_PCT`, shape (cycle of `MEASURED`, level).
        log_apart: bound of the log of a ratio of two cars of one make, at `APART_PCT`, shape (cycle, coverage).
        widening: of both on cycles that were not measured [-].
    """

    log_quantile: FloatArray
    log_apart: FloatArray
    widening: float


def fit_intervals(make: Names, model_year: FloatArray, log_deviation: FloatArray) -> Intervals:
    """The intervals of held-out predictions.

    Args:
        make: shape (row,).
        model_year: shape (row,).
        log_deviation: log(measured / predicted), shape (row, cycle of `MEASURED`).
    """
    quantile = np.stack([_quantile(one, _weight(make), LEVELS_PCT) for one in log_deviation.T])
    pairs, weight = _alike(make, model_year)
    apart = np.abs(log_deviation[pairs[:, 0]] - log_deviation[pairs[:, 1]])
    bound = np.stack([_quantile(one, weight, APART_PCT) for one in apart.T])
    own = 0.5 * np.var(log_deviation[:, 0] - log_deviation[:, 1])
    widening = np.sqrt(1.0 + own / np.mean(np.var(log_deviation, axis=0)))
    return Intervals(quantile, bound, float(widening))


def left_out_coverage(make: Names, log_deviation: FloatArray, coverage_pct: float = COVERAGE_PCT) -> FloatArray:
    """Whether each result is inside bounds made without its make [1 or 0], shape (row, cycle)."""
    tail = 0.5 * (100.0 - coverage_pct)
    inside = np.zeros_like(log_deviation)
    for name in np.unique(make):
        own, others = make == name, make != name
        for column in range(log_deviation.shape[1]):
            low, high = _quantile(log_deviation[others, column], _weight(make[others]), (tail, 100.0 - tail))
            inside[own, column] = (log_deviation[own, column] >= low) & (log_deviation[own, column] <= high)
    return inside


@cache
def shipped_intervals() -> Intervals:
    """The intervals of the shipped constants."""
    table = tomllib.loads((files("kyotsu.sim") / "data" / "intervals.toml").read_text(encoding="utf-8"))
    quantile, apart = (np.array([table[name][cycle] for cycle in MEASURED]) for name in ("measured_pct", "apart_pct"))
    return Intervals(np.log1p(quantile / 100.0), np.log1p(apart / 100.0), float(table["widening"]))


def interval_record(intervals: Intervals) -> dict[str, float]:
    """Every figure of `data/intervals.toml` by a name of its own; `measured_p10_udds_pct` is the 10 % quantile."""
    record = {"widening": intervals.widening}
    for place, cycle in enumerate(MEASURED):
        quantile, apart = 100.0 * np.expm1(intervals.log_quantile[place]), 100.0 * np.expm1(intervals.log_apart[place])
        record |= {f"measured_p{p:g}_{cycle}_pct": float(q) for p, q in zip(LEVELS_PCT, quantile, strict=True)}
        record |= {f"apart_p{p:g}_{cycle}_pct": float(q) for p, q in zip(APART_PCT, apart, strict=True)}
    return record


def interval_pct(cycle: Cycle | str, coverage_pct: float = COVERAGE_PCT) -> tuple[float, float]:
    """Bounds of measured over predicted consumption on a cycle, less one [%].

    Args:
        cycle: a cycle, or its name.
        coverage_pct: how many of 100 cars shall measure within them; 50 to 95.

    Raises:
        InputError: another coverage, or an unknown cycle.
    """
    _check(coverage_pct)
    known, tail = shipped_intervals(), 0.5 * (100.0 - coverage_pct)
    low, high = (
        float(100.0 * np.expm1(_at(cycle, [np.interp(level, LEVELS_PCT, one) for one in known.log_quantile])))
        for level in (tail, 100.0 - tail)
    )
    return low, high


def apart_pct(cycle: Cycle | str, coverage_pct: float = COVERAGE_PCT) -> float:
    """The relative difference of consumption from which two builds of a car are told apart on a cycle [%].

    Raises:
        InputError: a coverage outside 50 to 95 %, or an unknown cycle.
    """
    _check(coverage_pct)
    bounds = [np.interp(coverage_pct, APART_PCT, one) for one in shipped_intervals().log_apart]
    return float(100.0 * np.expm1(_at(cycle, bounds)))


def consumption_bounds(
    consumption: FloatArray | float, cycle: Cycle | str, coverage_pct: float = COVERAGE_PCT
) -> tuple[FloatArray, FloatArray]:
    """What a bench would measure of a predicted consumption, at least and at most; same unit and shape."""
    low, high = interval_pct(cycle, coverage_pct)
    value = np.asarray(consumption, dtype=np.float64)
    return value * (1.0 + low / 100.0), value * (1.0 + high / 100.0)


def range_bounds(
    distance: FloatArray | float, cycle: Cycle | str, coverage_pct: float = COVERAGE_PCT
) -> tuple[FloatArray, FloatArray]:
    """What a bench would measure of a predicted range, at least and at most; same unit and shape.

    Of the same usable energy: what is not known of that comes on top.
    """
    low, high = interval_pct(cycle, coverage_pct)
    value = np.asarray(distance, dtype=np.float64)
    return value / (1.0 + high / 100.0), value / (1.0 + low / 100.0)


def _check(coverage_pct: float) -> None:
    if not APART_PCT[0] <= coverage_pct <= APART_PCT[-1]:
        expected = f"{APART_PCT[0]:g} to {APART_PCT[-1]:g}"
        raise InputError([Problem(Location(key="coverage_pct"), f"{coverage_pct:g}", expected, "Give another.")])


def _at(cycle: Cycle | str, ends: list[float]) -> float:
    """A value known of UDDS and HWFET, on any cycle."""
    name = cycle.name if isinstance(cycle, Cycle) else cycle
    if name in MEASURED:
        return ends[MEASURED.index(name)]
    speeds = [_mean_speed_km_h(one) for one in (cycle, *MEASURED)]
    return float(np.interp(speeds[0], speeds[1:], ends)) * shipped_intervals().widening


def _mean_speed_km_h(cycle: Cycle | str) -> float:
    trace = cycle if isinstance(cycle, Cycle) else load_cycle(cycle)
    return float(trace.distance_km * 1000.0 / (trace.time[-1] - trace.time[0]) * KMH_PER_MPS)


def _weight(make: Names) -> FloatArray:
    _, place, cars = np.unique(make, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / np.sqrt(cars[place]), dtype=np.float64)


def _alike(make: Names, model_year: FloatArray) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Pairs of rows of one make and model year, shape (pair, 2); all pairs of a make weigh as the makes' cars do."""
    pairs, weights = [], []
    for name in np.unique(make):
        rows = np.flatnonzero(make == name)
        own = [pair for pair in combinations(rows.tolist(), 2) if model_year[pair[0]] == model_year[pair[1]]]
        pairs += own
        weights += [float(np.sqrt(rows.size)) / len(own) for _ in own]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), np.array(weights)


def _quantile(values: FloatArray, weight: FloatArray, levels_pct: tuple[float, ...]) -> FloatArray:
    """Quantiles of weighted values, each in the middle of its own weight; linear between them."""
    order = np.argsort(values, kind="stable")
    sorted_weight = weight[order]
    place = (np.cumsum(sorted_weight) - 0.5 * sorted_weight) / sorted_weight.sum()
    return np.interp(np.asarray(levels_pct) / 100.0, place, values[order])
