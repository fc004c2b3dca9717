from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.errors import InputError
from kyotsu.sim.calibration import fit_components, held_out_prediction
from kyotsu.sim.car_table import CarTable
from kyotsu.sim.cycles import CYCLES
from kyotsu.sim.interval import (
    MEASURED,
    apart_pct,
    consumption_bounds,
    fit_intervals,
    interval_pct,
    interval_record,
    left_out_coverage,
    range_bounds,
    shipped_intervals,
)
from kyotsu.sim.parameters import FloatArray

COVERAGES = st.floats(50.0, 95.0)


@pytest.fixture(scope="module")
def held_out() -> tuple[CarTable, FloatArray]:
    """The cars, and the log of measured over held-out predicted consumption."""
    fit = fit_components()
    return fit.cars, np.log(fit.cars.measured / held_out_prediction(fit))


@pytest.mark.slow
def test_the_shipped_intervals_are_those_of_the_held_out_predictions(held_out: tuple[CarTable, FloatArray]) -> None:
    cars, deviation = held_out
    found = interval_record(fit_intervals(cars.make, cars.model_year, deviation))
    shipped = interval_record(shipped_intervals())
    assert found.keys() == shipped.keys()
    for name, value in found.items():
        assert shipped[name] == pytest.approx(value, abs=0.05), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("coverage", "cars_least", "makes_least"), [(80.0, 0.78, 0.66), (90.0, 0.87, 0.78), (95.0, 0.94, 0.86)]
)
def test_bounds_made_without_a_make_hold_its_cars(
    held_out: tuple[CarTable, FloatArray], coverage: float, cars_least: float, makes_least: float
) -> None:
    """80 % bounds: 83 and 80 % of all cars (UDDS, HWFET); 69 and 73 % as the mean over makes, many of one car."""
    cars, deviation = held_out
    inside = left_out_coverage(cars.make, deviation, coverage)
    makes = np.array([inside[cars.make == make].mean(axis=0) for make in np.unique(cars.make)])
    assert (inside.mean(axis=0) >= cars_least).all()
    assert (inside.mean(axis=0) <= coverage / 100.0 + 0.05).all()
    assert (makes.mean(axis=0) >= makes_least).all()


def test_the_bounds_of_invented_deviations_are_their_quantiles() -> None:
    """Normal deviations without likeness of a make: bounds at ±1.28 σ, and √2 of that for a ratio of two."""
    random = np.random.default_rng(7)
    make, year = np.repeat(np.arange(200).astype(str), 20), np.zeros(4000)
    deviation = random.normal(0.0, 0.05, (4000, 2))
    found = fit_intervals(make, year, deviation)
    assert found.log_quantile[:, 2] == pytest.approx(-1.2816 * 0.05, rel=0.06)
    assert found.log_quantile[:, 5] == pytest.approx(1.2816 * 0.05, rel=0.06)
    assert found.log_apart[:, 1] == pytest.approx(1.2816 * 0.05 * np.sqrt(2.0), rel=0.06)
    assert found.widening == pytest.approx(
        np.sqrt(2.0), rel=0.03
    )  # nothing in common: all of the error is a cycle's own
    assert left_out_coverage(make, deviation).mean() == pytest.approx(0.8, abs=0.02)


def test_cars_of_one_make_that_err_alike_are_told_apart_sooner() -> None:
    random = np.random.default_rng(7)
    make, year = np.repeat(np.arange(200).astype(str), 20), np.zeros(4000)
    common = np.repeat(random.normal(0.0, 0.05, 200), 20)[:, None]
    found = fit_intervals(make, year, common + random.normal(0.0, 0.01, (4000, 2)))
    assert (found.log_apart[:, 1] < 0.5 * found.log_quantile[:, 5]).all()
    assert found.widening < 1.05


@given(low=COVERAGES, high=COVERAGES, cycle=st.sampled_from(sorted(CYCLES)))
def test_more_coverage_is_never_narrower(low: float, high: float, cycle: str) -> None:
    low, high = min(low, high), max(low, high)
    (inner_low, inner_high), (outer_low, outer_high) = interval_pct(cycle, low), interval_pct(cycle, high)
    assert outer_low <= inner_low < 0.0 < inner_high <= outer_high
    assert 0.0 < apart_pct(cycle, low) <= apart_pct(cycle, high)


@pytest.mark.parametrize("cycle", sorted(set(CYCLES) - set(MEASURED)))
def test_a_cycle_that_was_not_measured_is_less_sure_than_the_nearer_that_was(cycle: str) -> None:
    widths = [high - low for low, high in (interval_pct(one) for one in (cycle, *MEASURED))]
    assert widths[0] > 1.1 * min(widths[1:])
    assert widths[0] < 1.2 * max(widths[1:])


@given(value=st.floats(1.0, 1e4), cycle=st.sampled_from(sorted(CYCLES)))
def test_bounds_hold_the_value_and_range_mirrors_consumption(value: float, cycle: str) -> None:
    low, high = consumption_bounds(value, cycle)
    assert low < value < high
    near, far = range_bounds(1e3 / value, cycle)
    assert (near, far) == (pytest.approx(1e3 / high), pytest.approx(1e3 / low))


@pytest.mark.parametrize("coverage", [0.0, 49.0, 96.0, 100.0, float("nan")])
def test_a_coverage_that_the_table_cannot_tell_is_refused(coverage: float) -> None:
    with pytest.raises(InputError, match="50 to 95"):
        interval_pct("udds", coverage)
    with pytest.raises(InputError, match="50 to 95"):
        apart_pct("udds", coverage)
