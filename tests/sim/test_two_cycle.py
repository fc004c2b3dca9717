from __future__ import annotations

import numpy as np
import pytest
from tests.sim.vehicles import leaf

from kyotsu.sim.components import fitted_constants
from kyotsu.sim.performance import usable_energy_kwh
from kyotsu.sim.two_cycle import epa_label, label_of, miles_per_gallon_equivalent


def test_the_published_label_of_a_car_follows_from_its_two_cycles() -> None:
    """Leaf 40 kWh of 2018: 117.26 and 146.66 Wh/km unadjusted; label 125, 100 and 112 MPGe."""
    label = label_of(117.26, 146.66, 340.0, 270.0)
    assert miles_per_gallon_equivalent(label.city_wh_per_km)[0] == pytest.approx(125.0, abs=0.5)
    assert miles_per_gallon_equivalent(label.highway_wh_per_km)[0] == pytest.approx(100.0, abs=0.5)
    assert label.combined_mpge[0] == pytest.approx(112.0, abs=0.5)
    assert label.range_km[0] == pytest.approx(0.7 * (0.55 * 340.0 + 0.45 * 270.0))


def test_one_call_gives_the_label_of_a_simulated_car() -> None:
    label = epa_label(leaf())
    assert label.city_wh_per_km[0] == pytest.approx(label.city_unadjusted_wh_per_km[0] / 0.7)
    energy = usable_energy_kwh(leaf())[0]
    dc = fitted_constants().charge_efficiency * label.city_unadjusted_wh_per_km[0]
    assert label.city_range_unadjusted_km[0] == pytest.approx(1e3 * energy / dc, rel=1e-6)
    assert 220.0 < label.range_km[0] < 260.0  # published: 149 miles, 240 km


def test_no_consumption_is_no_division_by_zero() -> None:
    assert np.isfinite(miles_per_gallon_equivalent(0.0)).all()
