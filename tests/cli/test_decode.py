"""`kyotsu decode`, `kyotsu can` and `kyotsu bench can` as a user meets them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from tests.public_data import public_data

LINES = "(1600000000.000000) can0 1DB#0000C88000000000\n(1600000000.010000) can0 7FF#00\n"


@pytest.fixture
def nissan(alliance: Path) -> Path:
    return alliance / "makers" / "nissan"


def test_a_log_becomes_tables_and_an_account(kyotsu, nissan: Path, tmp_path: Path) -> None:
    (tmp_path / "drive.log").write_text(LINES)
    run = kyotsu("decode", tmp_path / "drive.log", "--maker", nissan, "-o", tmp_path / "out")
    assert run.code == 1, "a wrong checksum"
    account = ("BATTERY", "0x1DB", "checksum 1", "1 of 2 frames described", "Not described: 0x7FF", "coverage.json")
    for words in account:
        assert words in run.out
    assert (tmp_path / "out" / "messages" / "BATTERY.parquet").exists()
    assert (tmp_path / "out" / "signals.parquet").exists()
    record = kyotsu("decode", tmp_path / "drive.log", "--maker", nissan, "--json").json
    assert record["described"] == 1
    assert record["files"] == []


def test_the_summary_is_csv(kyotsu, nissan: Path, tmp_path: Path) -> None:
    (tmp_path / "drive.log").write_text(LINES)
    run = kyotsu("decode", tmp_path / "drive.log", "--matrix", nissan / "bus.dbc", "--summary")
    rows = list(csv.DictReader(io.StringIO(run.out)))
    voltage = next(row for row in rows if row["signal"] == "VOLTAGE")
    assert voltage["count"] in ("0", "1")
    assert voltage["unit"] == "V"


def test_a_damaged_line_is_named_and_the_rest_is_read(kyotsu, nissan: Path, tmp_path: Path) -> None:
    (tmp_path / "drive.log").write_text(LINES + "(16000 broken\n" + LINES)
    run = kyotsu("decode", tmp_path / "drive.log", "--maker", nissan)
    assert run.code == 1
    assert "drive.log:3" in run.err
    assert "2 of 4 frames described" in run.out
    assert "partial" in run.out


def test_bad_questions_are_exit_2(kyotsu, nissan: Path, tmp_path: Path) -> None:
    (tmp_path / "drive.log").write_text(LINES)
    questions = (
        (),
        ("--maker", nissan, "--matrix", nissan / "bus.dbc"),
        ("--maker", nissan, "--mapping", nissan / "signals.toml"),
        ("--maker", tmp_path / "none"),
        ("--matrix", tmp_path / "drive.log"),
    )
    for words in questions:
        run = kyotsu("decode", tmp_path / "drive.log", *words)
        assert run.code == 2, words
        assert "do " in run.err
    run = kyotsu("decode", tmp_path / "none.blf", "--maker", nissan)
    assert run.code == 2
    assert "none.blf" in run.err


def test_two_makers_beside_each_other(kyotsu, alliance: Path) -> None:
    run = kyotsu("can", "diff", alliance / "makers" / "nissan", alliance / "makers" / "mitsubishi", "--json")
    assert run.code == 0
    paths = {row["path"] for row in run.json["signals"]}
    assert {"Vehicle.Speed", "Vehicle.Powertrain.TractionBattery.CurrentVoltage"} <= paths


def test_a_mapping_of_kuksa_is_taken_as_it_is(kyotsu) -> None:
    folder = public_data("can/tesla_dogmode")
    run = kyotsu("decode", folder / "candump_DogMode.log", "--matrix", folder / "DogMode.dbc", "--json")
    assert run.code in (0, 1)
    assert run.json["frames"] == 12138
    assert run.json["described"] == 6621


@pytest.mark.slow
def test_the_bench_runs_the_peers_beside_us(kyotsu, nissan: Path) -> None:
    run = kyotsu(
        "bench",
        "can",
        "--frames",
        "100000",
        "--repeats",
        "1",
        "--matrix",
        nissan / "bus.dbc",
        "--maker",
        nissan,
        "--json",
    )
    assert run.code == 0
    (load,) = run.json["loads"]
    assert {"kyotsu", "cantools", "asammdf"} <= load["frames_per_second"].keys()
    assert load["times_cantools"] > 5.0
    assert load["file"]["kyotsu"]["candump"]["memory_mb"] > 50.0
    assert run.json["live"]["microseconds_per_frame"] > 0.0
