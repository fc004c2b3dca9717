from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

HEAD = "mass_kg,road_load_a_n,road_load_b_n_per_mps,road_load_c_n_per_mps2,rated_power_kw"
TABLE = f"{HEAD}\n1500,100,3,0.4,80\n1800,120,3,0.45,\n"


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    path = tmp_path / "cars.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_a_table_becomes_rows(kyotsu, cars: Path, tmp_path: Path) -> None:
    run = kyotsu("sweep", cars, "-o", tmp_path / "out", "--cycle", "jp1015", "--cycle", "nedc")
    assert run.code == 0
    assert "4 rows in 1 parts" in run.out
    for word in ("jp1015", "nedc", "mean wall Wh/km"):
        assert word in run.out
    assert pq.read_table(tmp_path / "out" / "rows").num_rows == 4


def test_json_says_the_same(kyotsu, cars: Path, tmp_path: Path) -> None:
    answer = kyotsu("sweep", cars, "-o", tmp_path / "out", "--cycle", "jp1015", "--json").json
    assert answer["rows"] == answer["vehicles"] == 2
    mean = pq.read_table(tmp_path / "out" / "rows")["consumption_ac_wh_per_km"].to_numpy().mean()
    assert answer["cycles"]["jp1015"]["mean_ac_wh_per_km"] == pytest.approx(mean, rel=1e-6)


def test_a_finished_sweep_may_be_resumed_and_not_overwritten(kyotsu, tmp_path: Path) -> None:
    words = ("sweep", "--sales", "50", "--cycle", "jp1015", "-o", tmp_path / "out")
    assert kyotsu(*words).code == 0
    refused = kyotsu(*words)
    assert refused.code == 2
    assert "--resume" in refused.err
    again = kyotsu(*words, "--resume")
    assert again.code == 0
    assert "(1 from before)" in again.out


def test_the_cold_costs_and_is_part_of_what_is_resumed(kyotsu, cars: Path, tmp_path: Path) -> None:
    def mean(*words: str) -> float:
        answer = kyotsu("sweep", cars, "-o", tmp_path / words[-1], "--cycle", "jp1015", "--json", *words[:-1]).json
        return answer["cycles"]["jp1015"]["mean_ac_wh_per_km"]

    assert mean("--ambient", "-10", "cold") > 1.2 * mean("bench")
    words = ("sweep", cars, "-o", tmp_path / "cold", "--cycle", "jp1015", "--resume")
    assert kyotsu(*words, "--ambient", "-10").code == 0
    refused = kyotsu(*words)
    assert refused.code == 2
    assert "climate" in refused.err


def test_cars_that_cannot_be_driven_are_counted_and_named(kyotsu, cars: Path, tmp_path: Path) -> None:
    cars.write_text(TABLE + "-5,1,1,1,1\n" * 12, encoding="utf-8")
    run = kyotsu("sweep", cars, "-o", tmp_path / "out", "--cycle", "jp1015")
    assert run.code == 1
    assert "12 of 14 vehicles cannot be driven" in run.out
    assert "vehicle 2: chassis.mass = -5, must be 1 to" in run.out
    assert "... and 2 more" in run.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "a TABLE or --sales"),
        (("{cars}", "--sales", "3"), "a TABLE or --sales"),
        (("{cars}", "--cycle", "moon"), "moon"),
        (("none.parquet",), "No such file"),
        (("{cars}", "--ambient", "230"), "climate.ambient_c"),
        (("{cars}", "-o", "{cars}"), "a folder that can be written"),
    ],
)
def test_what_cannot_be_asked_says_why(
    kyotsu, cars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run = kyotsu("sweep", *(word.format(cars=cars) for word in words))
    assert run.code == 2
    assert expected in run.err


def test_an_unknown_column_is_refused_unless_ignored(kyotsu, cars: Path, tmp_path: Path) -> None:
    cars.write_text(TABLE.replace("rated_power_kw", "rated_power_hp"), encoding="utf-8")
    run = kyotsu("sweep", cars, "-o", tmp_path / "out", "--cycle", "jp1015")
    assert run.code == 2
    assert "Did you mean rated_power_kw?" in run.err
    words = ("--ignore", "rated_power_hp", "--cycle", "jp1015")
    assert kyotsu("sweep", cars, "-o", tmp_path / "out", *words).code == 0


def test_the_bench_measures_time_memory_and_bytes(kyotsu, tmp_path: Path) -> None:
    run = kyotsu("bench", "sweep", "--vehicles", "500", "--cycle", "jp1015", "-o", tmp_path, "--json")
    assert run.code == 0
    assert run.json["rows"] == 500
    assert run.json["seconds"] > 0.0
    assert run.json["peak_memory_mib"] > 50
    assert run.json["bytes_written"] > 5000
    assert not list(tmp_path.iterdir())
    assert "MiB of memory" in kyotsu("bench", "sweep", "--vehicles", "50", "--cycle", "jp1015").out
