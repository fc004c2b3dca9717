"""Limits: what a vehicle requires, else what it does as built, less the loss accepted."""

from __future__ import annotations

import numpy as np
import pytest

from kyotsu.plan.builds import figures_as_built
from kyotsu.plan.duty import FIGURES, PART, SIMULATED, limits_of, simulated
from kyotsu.plan.evaluate import figures_of
from kyotsu.sim.build import build_parameters
from kyotsu.sim.parameters import take
from kyotsu.spec.build import as_built
from kyotsu.spec.workspace import Workspace
from spec.workspaces import changed

OWN = {"range_km": 300.0, "top_speed_km_h": 150.0, "gradeability_pct": 40.0, "zero_to_100_km_h_s": 10.0,
       "curb_mass_kg": 1500.0}  # fmt: skip


def test_stated_limits_are_taken_and_others_follow_from_the_vehicle_as_built(alliance: Workspace) -> None:
    vehicle = changed(
        alliance.vehicles["nissan/sakura"],
        {"requirements.range_km": 123.0, "requirements.top_speed_km_h": None, "requirements.gradeability_pct": None},
    )
    found = {limit.figure: limit for limit in limits_of(vehicle, OWN, 0.2)}
    assert (found["range_km"].limit, found["range_km"].stated) == (123.0, True)
    assert (found["top_speed_km_h"].limit, found["top_speed_km_h"].stated) == (pytest.approx(120.0), False)
    assert found["zero_to_100_km_h_s"].limit == pytest.approx(12.0)
    assert "curb_mass_kg" not in found, "a mass that nobody limits is limited by the bay"


def test_a_figure_never_reached_as_built_limits_nothing(alliance: Workspace) -> None:
    vehicle = changed(alliance.vehicles["nissan/sakura"], {"requirements.zero_to_100_km_h_s": None})
    limits = limits_of(vehicle, {**OWN, "zero_to_100_km_h_s": float("inf")}, 0.2)
    assert "zero_to_100_km_h_s" not in {limit.figure for limit in limits}


def test_meeting_and_missing(alliance: Workspace) -> None:
    limits = {limit.figure: limit for limit in limits_of(alliance.vehicles["nissan/leaf_40"], OWN, 0.2)}
    sprint, far = limits["zero_to_100_km_h_s"], limits["range_km"]
    assert sprint.met(np.array([9.5, 9.6])).tolist() == [True, False]
    assert far.met(np.array([216.0, 215.9])).tolist() == [True, False]
    assert sprint.shortfall(np.array([9.5, 19.0])).tolist() == [0.0, 1.0]
    assert far.shortfall(np.array([300.0, 108.0])).tolist() == [0.0, 0.5]


def test_both_ways_to_the_figures_agree(alliance: Workspace) -> None:
    """Compiled for the choice, in numpy for the check of a plan."""
    for name in ("nissan/leaf_40", "honda/prologue_awd"):
        base, _ = as_built(name, alliance.vehicles[name], alliance.eaxles)
        assert base is not None
        assert figures_as_built(base) == pytest.approx(figures_of([base])[0], rel=1e-6)


def test_many_vehicles_are_simulated_part_by_part(alliance: Workspace) -> None:
    base, _ = as_built("nissan/leaf_40", alliance.vehicles["nissan/leaf_40"], alliance.eaxles)
    assert base is not None
    one = build_parameters([base])
    many = take(one, np.zeros(PART + 3, dtype=np.int64))
    values = simulated("gradeability_pct", many)
    assert values.shape == (PART + 3,)
    assert values == pytest.approx(simulated("gradeability_pct", one)[0])


def test_every_figure_has_a_way_to_it() -> None:
    assert {figure for figure, *_ in FIGURES} == {*SIMULATED, "range_km", "curb_mass_kg"}
