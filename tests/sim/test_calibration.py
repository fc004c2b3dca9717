from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kyotsu.sim.calibration import CYCLES, Fit, fit_components, held_out_prediction, refit_without
from kyotsu.sim.car_table import load_validation_cars
from kyotsu.sim.components import fitted_constants, priors
from kyotsu.sim.simulate import simulate


@pytest.fixture(scope="module")
def fit() -> Fit:
    return fit_components()


@pytest.mark.slow
def test_the_fit_finds_the_shipped_constants(fit: Fit) -> None:
    for name, found in fit.fitted._asdict().items():
        assert found == pytest.approx(getattr(fitted_constants(), name), rel=2e-3), name
    assert fit.evaluations < 30


@pytest.mark.slow
def test_held_out_makes_are_predicted_within_five_per_cent(fit: Fit) -> None:
    error = held_out_prediction(fit) / fit.cars.measured - 1.0
    assert np.abs(error).mean() < 0.0455
    assert np.abs(error).mean(axis=0).tolist() == pytest.approx([0.0530, 0.0369], abs=0.002)


@pytest.mark.slow
def test_the_linear_refit_is_the_full_refit(fit: Fit) -> None:
    """Without the make that has a third of all rows, both ways give the same prediction for it."""
    tesla = fit.cars.make == "Tesla"
    full = fit_components(fit.cars.where(~tesla)).fitted
    short_cut = refit_without(fit, tesla)
    cars = fit.cars.where(tesla)
    one, other = (simulate(cars.vehicles(c), CYCLES).consumption_ac_wh_per_km for c in (full, short_cut))
    assert np.abs(one / other - 1.0).max() < 0.005


def test_a_fit_to_invented_cars_finds_what_they_were_made_with() -> None:
    """Measured values that the model made itself are met exactly but for the pull of the priors."""
    cars = load_validation_cars()
    some = cars.where(np.arange(0, len(cars), 12))
    truth = fitted_constants()._replace(auxiliary_power=300.0)
    made = simulate(some.vehicles(truth), CYCLES).consumption_ac_wh_per_km
    invented = replace(some, udds_ac_wh_per_km=made[:, 0], hwfet_ac_wh_per_km=made[:, 1])
    found = fit_components(invented)
    assert np.abs(found.log_error).max() < 0.02
    assert all(priors()[name].low < value < priors()[name].high for name, value in found.fitted._asdict().items())
