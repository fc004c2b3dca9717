"""The loss polynomial against maps of real motors: what it can follow, and that the fit finds it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.public_data import public_data

from kyotsu.sim.drive import loss_power
from kyotsu.sim.motor_map import TERMS, fit_loss_model, loss_model_of_map, loss_terms
from kyotsu.sim.parameters import FloatArray, loss_parameters
from kyotsu.spec.eaxle import LossMap, LossModel
from kyotsu.units import RPM_PER_RAD_S

HERE = Path(__file__).parent
Row = dict[str, str]


def read(name: str) -> list[Row]:
    lines = (HERE / name).read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


FITS = {row["map_id"]: row for row in read("motor_fits.csv")}
SIMULATED = "nissan_leaf_80kw_motor_only_simulated"  # its points are not public
MAPS = sorted(set(FITS) - {SIMULATED})


def points(name: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Speed [rad/s], torque [N m] and efficiency of a map, motoring, inside the envelope."""
    columns = ("speed_rpm", "torque_nm", "efficiency", "envelope_torque_nm")
    lines = public_data(f"motor_maps/{name}.csv").read_text("utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    table = np.array([[float(row[key]) for key in columns] for row in rows])
    speed, torque, value, most = table.T
    inside = (speed > 0.0) & (torque > 0.0) & (torque < most) & (value > 0.0)
    return speed[inside] / RPM_PER_RAD_S, torque[inside], value[inside]


def saved(name: str) -> LossModel:
    return LossModel(**{term: float(FITS[name][term]) for term in TERMS})


def efficiency(model: LossModel, speed: FloatArray, torque: FloatArray) -> FloatArray:
    """By the physics that drives vehicles."""
    names = ("constant", "speed", "speed2", "speed3", "torque", "torque2", "torque_speed", "torque2_speed")
    values = (model.c0, model.w1, model.w2, model.w3, model.t1, model.t2, model.tw, model.t2w)
    parameters = loss_parameters(**dict(zip(names, values, strict=True)), torque_speed2=model.tw2)
    given = speed * torque
    return given / (given + loss_power(parameters, speed, torque))


def errors(model: LossModel, name: str) -> tuple[float, float]:
    """Root mean square and largest error of efficiency on a map."""
    speed, torque, measured = points(name)
    error = efficiency(model, speed, torque) - measured
    return float(np.sqrt(np.mean(error**2))), float(np.abs(error).max())


@pytest.mark.parametrize("name", MAPS)
def test_coefficients_fitted_elsewhere_follow_the_map_as_far_as_they_say(name: str) -> None:
    """The points here are some fewer than the fit had: those at the very edge of the envelope are left out."""
    rms, largest = errors(saved(name), name)
    assert rms == pytest.approx(float(FITS[name]["rms_efficiency_error"]), abs=0.004)
    assert largest <= float(FITS[name]["max_efficiency_error"]) + 1e-3


@pytest.mark.parametrize("name", MAPS)
def test_the_fit_follows_a_real_map_as_well_as_any_was_found_to(name: str) -> None:
    speed, torque, measured = points(name)
    found = fit_loss_model(speed, torque, speed * torque * (1.0 / measured - 1.0))
    rms, largest = errors(found, name)
    assert rms <= float(FITS[name]["rms_efficiency_error"]) + 5e-4
    assert largest <= 1.25 * float(FITS[name]["max_efficiency_error"])
    assert min(found.model_dump(include=set(TERMS)).values()) >= 0.0


def test_the_best_motors_are_followed_within_a_point_or_two() -> None:
    """Permanent-magnet motors, 0.5 to 1.3 points; induction motors of the nineties need a term that is not there."""
    rms = {name: errors(saved(name), name)[0] for name in MAPS}
    assert max(rms[name] for name in ("honda_evplus_49kw_pm", "toyota_prius_jpn_30kw_pm", "aachen_58kw_pm")) < 0.013
    assert max(rms.values()) < 0.035


def test_the_simulated_motor_peaks_where_it_is_said_to() -> None:
    speed, torque = np.meshgrid(np.linspace(50.0, 1100.0, 200), np.linspace(5.0, 280.0, 200))
    inside = (speed * torque <= 80e3).ravel()
    model = saved(SIMULATED)
    peak = efficiency(model, speed.ravel()[inside], torque.ravel()[inside]).max()
    assert peak == pytest.approx(0.9795, abs=0.005)


@given(st.lists(st.floats(0.0, 1.0), min_size=len(TERMS), max_size=len(TERMS)))
def test_a_map_made_by_a_polynomial_is_met_at_every_point(shares: list[float]) -> None:
    """Rest and no load are in it too; terms may stand in for another, so losses are compared and not coefficients."""
    speed, torque = np.linspace(0.0, 1200.0, 7), np.linspace(0.0, 300.0, 6)
    grid = np.meshgrid(speed, torque)
    terms = loss_terms(grid[0].ravel(), grid[1].ravel())
    loss = terms @ (200.0 * np.array(shares) / terms.max(axis=0)) + 1.0
    table = LossMap(
        speed_rpm=tuple(speed * RPM_PER_RAD_S),
        torque_nm=tuple(torque),
        loss_w=tuple(map(tuple, loss.reshape(grid[0].shape))),
    )
    model = loss_model_of_map(table)
    assert terms @ np.array([getattr(model, term) for term in TERMS]) == pytest.approx(loss, rel=1e-6)


def test_a_map_without_loss_has_none() -> None:
    model = fit_loss_model(np.array([0.0, 100.0, 200.0]), np.array([0.0, 10.0, 0.0]), np.zeros(3))
    assert all(getattr(model, term) == 0.0 for term in TERMS)
