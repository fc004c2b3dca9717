from __future__ import annotations

import pytest

from kyotsu.sim.interval import interval_pct

SI = ("--mass", "1757.7", "--a", "115.2", "--b", "3.432", "--c", "0.4329", "--year", "2020")
DRIVE = ("--power", "110", "--battery", "40", "--motor", "pm", "--layout", "front")


def test_a_car_gets_its_labels(kyotsu) -> None:
    run = kyotsu("label", *SI, *DRIVE)
    assert run.code == 0
    for name in ("EPA combined", "EPA five-cycle combined", "WLTP city", "Japan WLTC", "Japan JC08"):
        assert name in run.out
    assert "at the wall" in run.out
    assert "8 of 10" in run.out


def test_bounds_are_those_of_the_interval_and_of_no_five_cycle_value(kyotsu) -> None:
    found = {record["label"]: record for record in kyotsu("label", *SI, *DRIVE, "--json").json["labels"]}
    low, high = interval_pct("udds")
    city = found["EPA city"]
    assert city["ac_low_wh_per_km"] == pytest.approx(city["consumption_ac_wh_per_km"] * (1.0 + low / 100.0))
    assert city["ac_high_wh_per_km"] == pytest.approx(city["consumption_ac_wh_per_km"] * (1.0 + high / 100.0))
    for name, record in found.items():
        known = record["ac_low_wh_per_km"] is not None
        assert known == ("five-cycle" not in name)
        assert (
            not known or record["ac_low_wh_per_km"] < record["consumption_ac_wh_per_km"] < record["ac_high_wh_per_km"]
        )


def test_the_units_of_the_epa_give_the_same_car(kyotsu) -> None:
    """Leaf 40 kWh of 2020: 3875 lb, 25.89 lbf, 0.3449 lbf/mph, 0.01945 lbf/mph², 147 hp."""
    epa = ("--mass", "3875.1", "--a", "25.898", "--b", "0.34491", "--c", "0.019449", "--year", "2020")
    one = kyotsu("label", *SI, *DRIVE, "--json").json["labels"]
    other = kyotsu("label", *epa, "--power", "147.5", "--battery", "40", "--units", "epa", "--json").json["labels"]
    for first, second in zip(one, other, strict=True):
        assert first["label"] == second["label"]
        assert second["consumption_ac_wh_per_km"] == pytest.approx(first["consumption_ac_wh_per_km"], rel=2e-3)
        assert second["range_km"] == pytest.approx(first["range_km"], rel=2e-3)


def test_a_car_that_is_too_slow_says_so(kyotsu) -> None:
    run = kyotsu("label", "--mass", "1800", "--a", "200", "--b", "4", "--c", "0.6", "--power", "20", "--json")
    assert run.code == 0
    assert {note.split(":")[0] for note in run.json["notes"] if "cannot follow" in note} >= {"EPA", "WLTP"}


def test_bad_values_are_all_named(kyotsu) -> None:
    run = kyotsu("label", "--mass", "-5", "--a", "1e9", "--b", "1", "--c", "0.4", "--battery", "0")
    assert run.code == 2
    for key in ("mass_kg", "road_load_a_n", "battery_kwh"):
        assert key in run.err
    assert "3 problems" in run.err
