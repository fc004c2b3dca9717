"""`kyotsu fit`: a matrix of verdicts, or one pair explained; exit code 1 when something is no pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kyotsu.spec.fit import fit_workspace
from kyotsu.spec.workspace import load_workspace
from spec.workspaces import TWO_MAKERS, Folder

from .conftest import Run

INTERCHANGE = Path(__file__).parents[2] / "examples" / "interchange"

# What a powertrain engineer must read in the answer.
ORACLES = [
    ("nissan/leaf_ze1_40", "leaf_aze0_30", 0, ["pass", "34 checks: 34 pass"]),
    ("nissan/leaf_aze0", "leaf_ze1_40", 0, ["pass"]),
    ("nissan/leaf_aze0", "leaf_ze0_24", 1, ["conditional", "connector", "CAN bridge", "Message set"]),
    ("nissan/leaf_ze1_40", "leaf_ze1_62", 1, ["conditional", "410 kg", "height", "Suspension", "Body work"]),
    ("mitsubishi/imiev", "imiev_m_10", 1, ["fail", "117 cells in series", "below the vehicle's", "E1"]),
    ("ford/mache", "mache_nmc_94s", 0, ["pass"]),
    ("ford/mache", "mache_lfp_108s", 0, ["pass"]),
    ("example/car_400v", "small_car_72s", 1, ["fail", "E1", "72 cells in series", "below the vehicle's"]),
    ("example/car_400v", "800v_192s", 1, ["fail", "E1", "806.4 V", "192 cells in series"]),
]


def fits(answer: Run) -> list[dict[str, Any]]:
    return answer.json  # type: ignore[no-any-return]


@pytest.mark.parametrize(("vehicle", "part", "code", "words"), ORACLES)
def test_known_cases_are_explained(
    kyotsu: Callable[..., Run], vehicle: str, part: str, code: int, words: list[str]
) -> None:
    answer = kyotsu("fit", INTERCHANGE, "--vehicle", vehicle, "--part", part)
    assert answer.code == code
    for word in words:
        assert word in answer.out


def test_the_matrix_of_the_alliance_names_every_vehicle_and_part(kyotsu: Callable[..., Run], alliance: Path) -> None:
    matrix = kyotsu("fit", alliance)
    workspace = load_workspace(alliance)
    assert matrix.code == 1
    for name in [*workspace.vehicles, *workspace.parts]:
        assert name in matrix.out
    assert max(map(len, matrix.out.splitlines())) <= 110


def test_the_matrix_shows_every_part_in_every_slot(kyotsu: Callable[..., Run]) -> None:
    answer = kyotsu("fit", TWO_MAKERS)
    assert answer.code == 0
    lines = answer.out.splitlines()
    for vehicle in ("alpha/hatch ", "alpha/hatch_plus ", "beta/box "):
        rows = [line for line in lines if line.startswith(vehicle)]
        assert [row.count("●") for row in rows] == [2, 1], "battery modules, then e-axles"
    for number, part in [(1, "block_8s"), (2, "block_8s_heavy"), (1, "drive_100")]:
        assert f"   {number} {part}" in answer.out
    assert "● pass" in answer.out


def test_the_marks_of_the_matrix_are_the_verdicts(kyotsu: Callable[..., Run]) -> None:
    answer = kyotsu("fit", INTERCHANGE)
    assert answer.code == 1
    workspace = load_workspace(INTERCHANGE)
    fits = [fit for fit in fit_workspace(workspace) if fit.kind == "battery_module"]
    marks = {"pass": "●", "conditional": "◐", "unknown": "?", "fail": "✕"}
    for name, vehicle in workspace.vehicles.items():
        row = next(line for line in answer.out.splitlines() if line.startswith(f"{name} {vehicle.battery_bay.id}"))
        expected = [
            "○" if fit.verdict.value == "pass" and fit.status == "assumed" else marks[fit.verdict.value]
            for fit in fits
            if fit.vehicle == name
        ]
        assert row.split()[2:] == expected


def test_json_carries_every_finding(kyotsu: Callable[..., Run]) -> None:
    answer = kyotsu("fit", TWO_MAKERS, "--json")
    assert answer.code == 0
    found = fits(answer)
    assert len(found) == 9
    for fit in found:
        assert fit["verdict"] == "pass"
        assert len(fit["findings"]) == (34 if fit["kind"] == "battery_module" else 25)
        for finding in fit["findings"]:
            assert finding["reason"]
            assert {"check", "title", "verdict", "offered", "required", "margin", "unit", "standard"} <= set(finding)


def test_one_pair_is_explained(kyotsu: Callable[..., Run]) -> None:
    answer = kyotsu("fit", INTERCHANGE, "--vehicle", "nissan/leaf_ze1_40", "--part", "leaf_ze1_62")
    assert answer.code == 1
    assert answer.out.startswith(
        "Leaf e+ ZE1 62 kWh in Nissan Leaf ZE1 (2020, 40 kWh) (nissan/leaf_ze1_40, leaf_ze1_bay)"
    )
    assert "◐ conditional" in answer.out
    assert "M2 Mass  [UN R100 part II]" in answer.out
    assert "410 kg offered, at most 315 kg required" in answer.out
    assert "-> Suspension: retune springs and dampers" in answer.out
    assert "E1 Voltage window" not in answer.out, "passes are told only with --all"
    every = kyotsu("fit", INTERCHANGE, "-v", "nissan/leaf_ze1_40", "-p", "leaf_ze1_62", "--all")
    assert "E1 Voltage window" in every.out


def test_text_and_json_of_one_pair_carry_the_same(kyotsu: Callable[..., Run]) -> None:
    words = ("fit", INTERCHANGE, "-v", "mitsubishi/imiev", "-p", "imiev_m_10")
    text, record = kyotsu(*words, "--all"), kyotsu(*words, "--json")
    assert text.code == record.code == 1
    (fit,) = fits(record)
    assert fit["verdict"] == "fail"
    for finding in fit["findings"]:
        assert f"{finding['check']} {finding['title']}  [{finding['standard']}]" in text.out
        assert finding["reason"] in text.out
        if finding["action"]:
            assert f"-> {finding['action']}" in text.out


def test_an_exact_name_is_that_vehicle_alone(kyotsu: Callable[..., Run]) -> None:
    """`honda/e` is also the start of `honda/eny1`."""
    exact = fits(kyotsu("fit", TWO_MAKERS, "-v", "alpha/hatch", "-p", "block_8s", "--json"))
    assert [fit["vehicle"] for fit in exact] == ["alpha/hatch"]


@pytest.mark.parametrize(
    ("start", "vehicles"),
    [
        ("alpha/", {"alpha/hatch", "alpha/hatch_plus"}),
        ("alpha/hatch_", {"alpha/hatch_plus"}),
        ("beta", {"beta/box"}),
        ("", {"alpha/hatch", "alpha/hatch_plus", "beta/box"}),
    ],
)
def test_the_start_of_a_name_is_every_vehicle_that_starts_so(
    kyotsu: Callable[..., Run], start: str, vehicles: set[str]
) -> None:
    assert {fit["vehicle"] for fit in fits(kyotsu("fit", TWO_MAKERS, "-v", start, "--json"))} == vehicles


def test_one_part_in_every_vehicle(kyotsu: Callable[..., Run]) -> None:
    found = fits(kyotsu("fit", TWO_MAKERS, "-p", "drive_100", "--json"))
    assert [(fit["part"], fit["rating"]) for fit in found] == [("drive_100", "100kw")] * 3


@pytest.mark.parametrize(
    ("words", "found", "expected"),
    [
        (("-v", "gamma/car"), "vehicle 'gamma/car'", "one of: alpha/hatch, alpha/hatch_plus, beta/box"),
        (("-p", "block_9s"), "part 'block_9s'", "one of: block_8s, block_8s_heavy, drive_100"),
    ],
)
def test_a_name_that_nobody_has(kyotsu: Callable[..., Run], words: tuple[str, str], found: str, expected: str) -> None:
    answer = kyotsu("fit", TWO_MAKERS, *words)
    assert answer.code == 2
    assert found in answer.err
    assert expected in answer.err
    assert kyotsu("fit", TWO_MAKERS, *words, "--json").json["problems"][0]["found"] == found


def test_a_part_that_is_no_pass_ends_in_1(kyotsu: Callable[..., Run], folder: Folder) -> None:
    folder.change("parts/battery_modules.toml", "creepage_mm = 8.0\n", "")
    answer = kyotsu("fit", folder.root, "-v", "beta/box", "-p", "block_8s")
    assert answer.code == 1
    assert "? unknown  E10 Creepage and altitude" in answer.out
    assert "-> Ask for battery_module.electrical.creepage_mm." in answer.out
    assert kyotsu("fit", folder.root, "-p", "drive_100").code == 0
