from __future__ import annotations

from pathlib import Path

import pytest

CYCLES = ["udds", "hwfet", "us06", "wltc_3b", "jc08", "nedc", "jp1015"]


def test_a_vehicle_is_driven_over_all_cycles(kyotsu, alliance: Path) -> None:
    run = kyotsu("drive", alliance, "nissan/leaf_40", "--json")
    assert run.code == 0
    assert [cycle["cycle"] for cycle in run.json["cycles"]] == CYCLES
    assert run.json["build"]["build"] == "as_built"
    assert 30.0 < run.json["build"]["charge_10_to_80_min"] < 70.0


def test_it_can_be_rebuilt(kyotsu, alliance: Path) -> None:
    parts = ("-m", "kyotsu_bm_nmc_8s1p", "-e", "kyotsu_ea_large")
    run = kyotsu("drive", alliance, "nissan/leaf_40", *parts)
    assert run.code == 0
    assert "Common module" in run.out
    assert "10 to 80 % at a fast charger in" in run.out
    for cycle in CYCLES:
        assert cycle in run.out


def test_it_says_how_sure_it_is_and_what_limited_when(kyotsu, alliance: Path) -> None:
    run = kyotsu("drive", alliance, "mitsubishi/minicab_ev")
    assert "8 of 10 cars" in run.out
    assert "wltc_3b, motor power: first at 1 5" in run.out
    assert "wltc_3b, trace missed: first at 1 5" in run.out
    whole = kyotsu("drive", alliance, "mitsubishi/minicab_ev", "--json").json
    for cycle in whole["cycles"]:
        assert cycle["ac_low_wh_per_km"] < cycle["ac_wh_per_km"] < cycle["ac_high_wh_per_km"]
        assert bool(cycle["missed_s"]) == any(limit["limiter"] == "trace" for limit in whole["limits"][cycle["cycle"]])


@pytest.mark.parametrize("name", ["trace.svg", "trace.html"])
def test_a_cycle_is_drawn(kyotsu, alliance: Path, tmp_path: Path, name: str) -> None:
    run = kyotsu("drive", alliance, "nissan/leaf_40", "--plot", tmp_path / name, "--cycle", "us06")
    assert run.code == 0
    text = (tmp_path / name).read_text("utf-8")
    assert "US06, as built" in text
    assert "Tyre grip: first at" in text


def test_what_cannot_be_drawn_says_why(kyotsu, alliance: Path, tmp_path: Path) -> None:
    run = kyotsu("drive", alliance, "nissan/leaf_40", "--plot", tmp_path / "trace.png", "--cycle", "nothing")
    assert run.code == 2
    assert ".svg or .html" in run.err
    assert "wltc_3b" in run.err
    run = kyotsu("drive", alliance, "nissan/leaf_40", "--plot", tmp_path / "none" / "trace.svg")
    assert run.code == 2
    assert "a writable path" in run.err


@pytest.mark.parametrize(
    ("arguments", "sign"),
    [
        (["nissan/nothing"], "nissan/leaf_40"),
        (["nissan/leaf_40", "-m", "nothing"], "kyotsu_bm_nmc_8s1p"),
        (["nissan/leaf_40", "-e", "nothing"], "kyotsu_ea_large"),
        (["nissan/leaf_40", "-e", "nissan_em57", "-e", "nissan_em57"], "2 e-axles for 1 mounts"),
        (["nissan/leaf_40", "-m", "ultium_8s3p"], "is not known"),
    ],
)
def test_what_cannot_be_driven_says_why(kyotsu, alliance: Path, arguments: list[str], sign: str) -> None:
    run = kyotsu("drive", alliance, *arguments)
    assert run.code == 2
    assert sign in run.err
    assert "Traceback" not in run.err
