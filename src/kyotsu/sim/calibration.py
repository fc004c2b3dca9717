"""The fit of the generic components: one set of constants to the two-cycle results of many cars.

Least squares on the logarithm of predicted over measured consumption, robust against odd rows (soft L1), with
a prior on each constant (`data/components.toml`). Cars of one make are alike, so that all results together
count only as `2 × makes` independent ones against the priors. Deterministic: no random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.car_table import CarTable, load_validation_cars
from kyotsu.sim.components import FittedConstants, priors
from kyotsu.sim.parameters import FloatArray

SCATTER = 0.04  # -, error beyond which a result counts less than its square
DIFFERENCE = 0.05  # of a prior's deviation, for the derivative
CYCLES = ("udds", "hwfet")

Model = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Constants found, and what is needed to fit again without some of the rows.

    Attributes:
        fitted: the constants.
        cars: the rows fitted to.
        log_error: log of predicted over measured, shape (row, 2).
        slope: derivative of `log_error` by each constant, shape (constant, row, 2).
        evaluations: sets of derivatives computed.
    """

    fitted: FittedConstants
    cars: CarTable
    log_error: FloatArray
    slope: FloatArray
    evaluations: int


def fit_components(cars: CarTable | None = None) -> Fit:
    """Find the constants of the generic components.

    Args:
        cars: rows to fit to; the shipped table when not given.

    Returns:
        The fit; with the shipped table its constants are the shipped ones.
    """
    table = cars if cars is not None else load_validation_cars()
    known = priors()
    start = np.array([prior.mean for prior in known.values()])
    cache: dict[bytes, tuple[FloatArray, FloatArray]] = {}

    def model(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        key = values.tobytes()
        if key not in cache:
            cache[key] = _log_error_and_slope(table, values)
        return cache[key]

    everything = np.ones(len(table), dtype=np.bool_)
    values = _solve(table, everything, start, lambda v: model(v)[0], lambda v: model(v)[1])
    error, slope = model(values)
    return Fit(FittedConstants(*map(float, values)), table, error, slope, len(cache))


def refit_without(fit: Fit, rows: npt.NDArray[np.bool_]) -> FittedConstants:
    """The constants had `rows` not been there, with the model taken as linear around the fit.

    Args:
        fit: the fit to all rows.
        rows: rows to leave out, shape (row,).
    """
    centre = np.array(fit.fitted, dtype=np.float64)

    def error(values: FloatArray) -> FloatArray:
        return fit.log_error + np.tensordot(values - centre, fit.slope, axes=1)

    return FittedConstants(*map(float, _solve(fit.cars, ~rows, centre, error, lambda _: fit.slope)))


def held_out_prediction(fit: Fit) -> FloatArray:
    """UDDS and HWFET consumption [Wh/km] of each car by constants fitted without its make, shape (row, 2)."""
    constants = np.zeros((len(FittedConstants._fields), len(fit.cars)))
    for make in np.unique(fit.cars.make):
        same = fit.cars.make == make
        constants[:, same] = np.array(refit_without(fit, same), dtype=np.float64)[:, None]
    vehicles = fit.cars.vehicles(FittedConstants(*constants))
    return simulate_batch(vehicles, CYCLES).consumption_ac_wh_per_km


def _log_error_and_slope(cars: CarTable, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """All variations of all cars as one batch: the constants as they are, then each moved a little."""
    steps = DIFFERENCE * np.array([prior.deviation for prior in priors().values()])
    variants = np.vstack([values, values + np.diag(steps)])
    index = np.tile(np.arange(len(cars)), len(variants))
    constants = FittedConstants(*np.repeat(variants, len(cars), axis=0).T)
    predicted = simulate_batch(cars.where(index).vehicles(constants), CYCLES).consumption_ac_wh_per_km
    error = np.log(predicted.reshape(len(variants), len(cars), 2) / cars.measured)
    return error[0], (error[1:] - error[0]) / steps[:, None, None]


def _solve(cars: CarTable, used: npt.NDArray[np.bool_], start: FloatArray, error: Model, slope: Model) -> FloatArray:
    """Least squares over the rows used and the priors; the soft L1 loss is folded into the residuals."""
    mean, deviation, low, high = np.array(list(priors().values())).T
    weight = np.sqrt(2.0 * np.unique(cars.make[used]).size / (2.0 * np.count_nonzero(used)))

    def residuals(values: FloatArray) -> FloatArray:
        scaled = error(values)[used].ravel() / SCATTER
        return np.concatenate([weight * _soft(scaled), (values - mean) / deviation])

    def jacobian(values: FloatArray) -> FloatArray:
        scaled = error(values)[used].ravel() / SCATTER
        slopes = slope(values)[:, used].reshape(values.size, -1).T / SCATTER
        return np.vstack([weight * _soft_slope(scaled)[:, None] * slopes, np.diag(1.0 / deviation)])

    inside = np.clip(start, low + 1e-6 * (high - low), high - 1e-6 * (high - low))
    found = least_squares(residuals, inside, jac=jacobian, bounds=(low, high), x_scale=deviation, ftol=1e-9, xtol=1e-7)
    return np.asarray(found.x, dtype=np.float64)


def _soft(scaled: FloatArray) -> FloatArray:
    """Residual whose square is the soft L1 loss 2 (sqrt(1 + z²) − 1)."""
    loss = 2.0 * scaled * scaled / (np.sqrt(1.0 + scaled * scaled) + 1.0)
    return np.sign(scaled) * np.sqrt(loss)


def _soft_slope(scaled: FloatArray) -> FloatArray:
    root = np.sqrt(1.0 + scaled * scaled)
    return np.sqrt(0.5 * (root + 1.0)) / root
