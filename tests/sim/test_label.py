from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from tests.sim.vehicles import any_vehicle, finite, leaf

from kyotsu.errors import InputError
from kyotsu.sim.label import Labels, epa_label, labels, labels_of
from kyotsu.sim.parameters import VehicleParameters
from kyotsu.sim.wltp import japan_label, wltp_label

OUTLINE = {
    "mass_kg": 1757.7,
    "road_load_a_n": 115.2,
    "road_load_b_n_per_mps": 3.432,
    "road_load_c_n_per_mps2": 0.4329,
    "rated_power_kw": 110.0,
    "battery_kwh": 40.0,
    "model_year": 2020,
}
ROWS = [
    "EPA city",
    "EPA highway",
    "EPA combined",
    "EPA five-cycle city",
    "EPA five-cycle highway",
    "EPA five-cycle combined",
    "WLTP",
    "WLTP city",
    "Japan WLTC",
    "Japan JC08",
]


@pytest.fixture(scope="module")
def found() -> Labels:
    """A light, a usual and a heavy Leaf, and one of unknown power and energy."""
    several = {
        "mass_kg": [1600.0, 1757.7, 1900.0, 1757.7],
        "rated_power_kw": [110.0, 110.0, 110.0, np.nan],
        "battery_kwh": [40.0, 40.0, 40.0, np.nan],
    }
    return labels(**(OUTLINE | several))  # type: ignore[arg-type]


def test_one_call_gives_every_label_of_every_car(found: Labels) -> None:
    rows = list(found.rows())
    assert [row.procedure for row in rows] == ROWS
    for _, rating in rows:
        assert rating.consumption_ac_wh_per_km.shape == rating.range_km.shape == (4,)
        assert (np.diff(rating.consumption_ac_wh_per_km[:3]) > 0.0).all()
        assert (np.diff(rating.range_km[:3]) < 0.0).all()
    assert found.validity.tolist() == [0, 0, 0, 0]


def test_the_labels_are_those_of_their_procedures(found: Labels) -> None:
    two_cycle, europe, japan = epa_label(leaf()), wltp_label(leaf()), japan_label(leaf())
    assert found.epa.combined_wh_per_km[1] == pytest.approx(two_cycle.combined_wh_per_km[0])
    assert found.epa.range_km[1] == pytest.approx(two_cycle.range_km[0])
    assert found.wltp.combined.range_km[1] == pytest.approx(europe.combined.range_km[0])
    assert found.japan.jc08.range_km[1] == pytest.approx(japan.jc08.range_km[0])
    five = found.five_cycle.label
    assert five.city_wh_per_km == pytest.approx(found.epa.city_unadjusted_wh_per_km / five.adjustment)


def test_a_table_can_be_read(found: Labels) -> None:
    lines = repr(found).splitlines()
    assert lines[0] == "Labels of 4 vehicles, means"
    assert len(lines) == 2 + len(ROWS)
    wltp = found.wltp.combined
    assert lines[2 + ROWS.index("WLTP")].split() == [
        "WLTP",
        f"{wltp.consumption_ac_wh_per_km.mean():.1f}",
        f"{wltp.range_km.mean():.0f}",
    ]


def test_an_interval_by_cycle_bounds_the_labels(found: Labels) -> None:
    """Wider the faster a cycle is, so that every label has bounds of its own."""
    bounds = found.bounds_wh_per_km(lambda cycle: (-5.0, 100.0 * cycle.distance_km / cycle.duration_s))
    assert set(bounds) == {name for name in ROWS if "five-cycle" not in name}
    ratings = {name: rating.consumption_ac_wh_per_km for name, rating in found.rows()}
    upper = {name: both[:, 1] / ratings[name] - 1.0 for name, both in bounds.items()}
    for name, both in bounds.items():
        assert both.shape == (4, 2)
        assert both[:, 0] == pytest.approx(0.95 * ratings[name])
    assert bounds["EPA combined"] == pytest.approx(0.55 * bounds["EPA city"] + 0.45 * bounds["EPA highway"])
    assert upper["WLTP"][0] == pytest.approx(23.266 / 1800.0, rel=1e-3)
    assert upper["WLTP city"][0] == pytest.approx(7.850 / 1022.0, rel=1e-3)
    assert upper["Japan WLTC"][0] == pytest.approx(15.012 / 1477.0, rel=1e-3)


def test_a_car_that_cannot_be_driven_does_not_stop_the_others() -> None:
    broken = leaf()._replace(chassis=leaf().chassis._replace(mass=np.array([np.nan])))
    label = labels_of(broken)
    assert label.validity[0] != 0
    for _, rating in label.rows():
        assert rating.consumption_ac_wh_per_km.tolist() == rating.range_km.tolist() == [0.0]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(any_vehicle())
def test_labels_of_any_vehicle_are_numbers(car: VehicleParameters) -> None:
    found = labels_of(car)
    for _, rating in found.rows():
        assert np.isfinite(rating.consumption_ac_wh_per_km).all()
        assert not np.isnan(rating.range_km).any()
        assert (rating.range_km >= 0.0).all()
    assert finite(*found.five_cycle.tests, found.five_cycle.label.adjustment)


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = {
        "mass_kg": -1.0,
        "road_load_a_n": np.nan,
        "road_load_b_n_per_mps": "two",
        "road_load_c_n_per_mps2": [0.4, 900.0],
        "rated_power_kw": 0.0,
        "battery_kwh": -3.0,
        "model_year": 20.0,
        "motor_type": "steam",
        "layout": ["front", "middle"],
    }
    with pytest.raises(InputError) as caught:
        labels(**wrong)  # type: ignore[arg-type]
    assert {problem.location.key for problem in caught.value.problems} == wrong.keys()
    assert "900 (vehicle 1, 1 in all)" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"mass_kg": [1500.0, 1600.0], "battery_kwh": [30.0, 40.0, 50.0]}, {"mass_kg"}),
        ({"mass_kg": [1500.0, 1600.0], "motor_type": ["pm"] * 4}, {"mass_kg"}),
        ({"mass_kg": [[1500.0], [1600.0]]}, {"mass_kg"}),
        ({"mass_kg": []}, {"mass_kg"}),
    ],
)
def test_lengths_that_do_not_fit_are_refused(changes: dict[str, object], keys: set[str]) -> None:
    with pytest.raises(InputError) as caught:
        labels(**(OUTLINE | changes))  # type: ignore[arg-type]
    assert {problem.location.key for problem in caught.value.problems} == keys


def test_what_is_unknown_is_filled(found: Labels) -> None:
    assert np.isfinite(found.epa.range_km).all()
    assert found.epa.range_km[3] > 0.0
