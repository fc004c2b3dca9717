"""A trailer costs what it weighs and what its air drag takes."""

from __future__ import annotations

import numpy as np
import pytest
from tests.sim.vehicles import leaf, lossless

from kyotsu.errors import InputError
from kyotsu.sim.cycles import make_cycle
from kyotsu.sim.simulate import simulate
from kyotsu.sim.towing import towing

STEADY = make_cycle("steady", np.arange(100.0), np.full(100, 20.0))


def test_a_steady_trailer_costs_its_rolling_and_its_air() -> None:
    car = lossless()
    pulling = towing(car, trailer_mass_kg=500.0, trailer_drag_area_m2=1.0, rolling_resistance=0.01)
    more = simulate(pulling, STEADY).consumption_dc_wh_per_km - simulate(car, STEADY).consumption_dc_wh_per_km
    force = 0.01 * 500.0 * 9.80665 + 0.5 * 1.204 * 1.0 * 20.0**2
    assert more[0, 0] == pytest.approx(force / 3.6)


def test_tyres_and_braking_stay_those_of_the_car() -> None:
    car, pulling = leaf(), towing(leaf(), trailer_mass_kg=900.0, trailer_drag_area_m2=1.2)
    for one in ("friction", "regeneration_deceleration"):
        alone, both = (getattr(v.chassis, one) * v.chassis.mass for v in (car, pulling))
        assert both == pytest.approx(alone)
    nothing = towing(car, trailer_mass_kg=0.0, trailer_drag_area_m2=0.0)
    assert simulate(nothing, "jp1015").final_soc == simulate(car, "jp1015").final_soc


def test_impossible_trailers_are_refused_with_every_reason() -> None:
    with pytest.raises(InputError) as caught:
        towing(leaf(), trailer_mass_kg=-1.0, trailer_drag_area_m2=np.nan, rolling_resistance=[0.01, 0.01])
    assert len(caught.value.problems) == 3
