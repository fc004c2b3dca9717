from __future__ import annotations

import csv
from pathlib import Path


def test_it_prints_the_error_against_real_cars(kyotsu) -> None:
    run = kyotsu("validate", "--json")
    assert run.code == 0
    assert run.json["cars"] > 150
    assert run.json["mean_absolute_error_pct"] <= 8.0
    assert len(run.json["rows"]) == run.json["cars"]
    assert run.json["interval_pct"]["udds"][0] < 0 < run.json["interval_pct"]["udds"][1]
    assert [run.json[test]["tests"] for test in ("cold", "us06", "sc03")] == [31, 4, 4]


def test_the_report_is_for_people(kyotsu) -> None:
    told = kyotsu("validate").out
    assert "mean |error|" in told
    assert "8 of 10 new cars measure" in told
    assert "cold: 31 tests" in told
    assert "US06, mild: 4 tests" in told


CARS = """row,make,model,test_mass_kg,target_a_N,target_b_N_per_mps,target_c_N_per_mps2,rated_hp,drive
7,Somebody,Car,1757.7,115.164,3.4319,0.43293,147,Front-Wheel Drive
"""


def test_cars_of_a_file_are_predicted(kyotsu, tmp_path: Path) -> None:
    (tmp_path / "cars.csv").write_text(CARS)
    run = kyotsu("validate", "--predict", tmp_path / "cars.csv", tmp_path / "out.csv")
    assert run.code == 0
    (row,) = csv.DictReader((tmp_path / "out.csv").read_text().splitlines())
    assert row["row"] == "7"
    assert 100 < float(row["udds_ac_wh_per_km"]) < 140


def test_a_file_that_is_no_table_of_cars_is_exit_2(kyotsu, tmp_path: Path) -> None:
    (tmp_path / "cars.csv").write_text("a,b\n1,2\n")
    run = kyotsu("validate", "--predict", tmp_path / "cars.csv", tmp_path / "out.csv")
    assert run.code == 2
    assert not (tmp_path / "out.csv").exists()
