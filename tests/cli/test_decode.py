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
    for words in (
        (),
        ("--maker", nissan, "--matrix", nissan / "bus.dbc"),
        ("--maker", nissan, "--mapping", nissan / "signals.toml"),
        ("--maker", tmp_path / "none"),
        ("--matrix", tmp_path / "drive.log"),
    ):
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
