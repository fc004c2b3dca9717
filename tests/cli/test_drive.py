from __future__ import annotations

from pathlib import Path

import pytest

CYCLES = ["udds", "hwfet", "us06", "wltc_3b", "jc08", "nedc", "jp1015"]


def test_a_vehicle_is_driven_over_all_cycles(kyotsu, alliance: Path) -> None:
    run = kyotsu("drive", alliance, "nissan/leaf_40", "--json")
    assert run.code == 0
    assert [cycle["cycle"] for cycle in run.json["cycles"]] == CYCLES
    assert run.json["build"]["build"] == "as_built"


def test_it_can_be_rebuilt(kyotsu, alliance: Path) -> None:
    parts = ("-m", "kyotsu_bm_nmc_8s1p", "-e", "kyotsu_ea_large")
    run = kyotsu("drive", alliance, "nissan/leaf_40", *parts)
    assert run.code == 0
    assert "Common module" in run.out
    for cycle in CYCLES:
        assert cycle in run.out


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
