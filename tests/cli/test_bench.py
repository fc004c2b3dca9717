from __future__ import annotations

import json
from pathlib import Path

import pytest

from kyotsu.cli.bench import Case, gpu_record
from kyotsu.plan import branch
from kyotsu.sim.gpu import gpu_name


@pytest.mark.slow
def test_a_gpu_has_a_row_where_there_is_one(kyotsu) -> None:
    name, run = gpu_name(), kyotsu("bench", "sim", "--vehicles", "4", "--seconds", "0")
    assert run.code == 0
    assert "float32" in run.out
    assert ("GPU" in run.out) == (name is not None)


def test_the_speed_of_a_gpu_is_that_of_its_least_time() -> None:
    cases = [Case(dtype, 1, list, [0.5, least], [0.0, 0.0]) for dtype, least in (("float64", 0.2), ("float32", 0.1))]
    assert gpu_record("Some GPU", cases, 1000) == {
        "name": "Some GPU",
        "vehicle_cycles_per_s_float64": 5000,
        "vehicle_cycles_per_s_float32": 10000,
    }


SMALL = {
    "modules": {"module": [0, 1], "fixed_cost": [5, 7]},
    "axles": {"axle": [0, 1], "voltage_class": [0, 1], "fixed_cost": [3, 2]},
    "slots": {"slot": [0], "vehicle": [0]},
    "module_cost": {"vehicle": [0, 0], "module": [0, 1], "voltage_class": [0, 1], "cost": [10, 1]},
    "axle_cost": {"slot": [0, 0], "axle": [0, 1], "cost": [10, 20]},
}


def test_a_file_and_a_made_up_problem_have_a_line_each(kyotsu, tmp_path: Path) -> None:
    (tmp_path / "small.json").write_text(json.dumps(SMALL))
    run = kyotsu("bench", "plan", str(tmp_path / "small.json"), "--synthetic", "6x12x8:2", "--synthetic", "5x9x6")
    assert run.code == 0
    rows = [json.loads(line) for line in run.out.splitlines()]
    assert [row["file"] for row in rows] == [str(tmp_path / "small.json"), "synthetic 6x12x8:2", "synthetic 5x9x6:1"]
    assert all(row["proven"] and row["gap"] == 0.0 for row in rows)
    assert rows[0]["objective"] == 28.0


@pytest.mark.parametrize(
    ("table", "column", "value", "found"),
    [
        ("modules", "module", [1, 1], "module 1 twice"),
        ("modules", "fixed_cost", [5, -7], "-7 in row 2"),
        ("axle_cost", "cost", [float("nan"), 1], "nan in row 1"),
        ("axle_cost", "cost", [1e300, 1], "1e+300 in row 1"),
        ("axles", "voltage_class", [0.5, 1], "0.5 in row 1"),
        ("slots", "slot", [], "columns of"),
        ("slots", "vehicle", [[0]], "columns of"),
        (None, "max_variants", 0, "0"),
        (None, "max_variants", 5, "1 to 4"),
        (None, "max_axles", True, "True"),
        (None, "max_modules", 10**400, "1 to 2"),
    ],
)
def test_an_assortment_that_is_wrong_is_told_so(kyotsu, tmp_path: Path, table, column, value, found) -> None:
    content = {**SMALL, column: value} if table is None else {**SMALL, table: {**SMALL[table], column: value}}
    content["axles"] = {**content["axles"], "fixed_cost": [-1, 0]}  # all that is wrong is told, not only the first
    (tmp_path / "bad.json").write_text(json.dumps(content))
    run = kyotsu("bench", "plan", str(tmp_path / "bad.json"))
    assert run.code == 2
    assert found in run.err
    assert "axles.fixed_cost" in run.err


@pytest.mark.parametrize(
    "text",
    [
        "99999999 1 5\n1 2 3\n", "5 99999999 2\n1 2 3\n", "-5 1 1\n1 2 3\n", "2 1 0\n1 2 3\n", "2 1 3\n1 2 3\n",
        "2 1 1\n1 2 nan\n", "2 1 1\n1 2 -3\n", "2 1 1\n1 7 3\n", "3 2 1\n1 2 3\n1 2 4\n", "1.5 1 1\n1 2 3\n",
        "inf 1 1\n", "99999999 99999999\n1 2\n", "0 0\n", "-1 -2\n0 1\n", "", "1 2 3 4\n", "\x00\x01", "[" * 100_000,
        "{" * 100_000, '{"modules":' * 50_000, "{}",
    ],
)  # fmt: skip
def test_a_hostile_file_is_a_clear_problem(kyotsu, tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.txt").write_text(text)
    run = kyotsu("bench", "plan", str(tmp_path / "bad.txt"))
    assert run.code == 2
    assert "bad.txt" in run.err
    assert len(run.err) < 3000


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--synthetic", "0x1x1"],
        ["--synthetic", "5x9x6", "--curve", "2:1"],
        ["--synthetic", "5x9x6", "--curve", "1:999999999"],
        ["--synthetic", "5x9x6", "--curve", "2:3", "--max-variants", "2"],
        ["--synthetic", "5x9x6", "--max-variants", "99999999999999999999"],
    ],
)
def test_options_that_do_not_go_together_are_refused(kyotsu, arguments: list[str]) -> None:
    run = kyotsu("bench", "plan", *arguments)
    assert run.code == 2
    assert "Traceback" not in run.err


def test_interrupted_it_prints_the_best_plan_and_ends(kyotsu, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(branch._Search, "branch", interrupted)
    run = kyotsu("bench", "plan", "--synthetic", "60x500x200", "--curve", "5:9")
    assert run.code == 130
    row = json.loads(run.out)
    assert (row["proven"], row["max_variants"]) == (False, 5)
    assert 0.0 < row["bound"] < 79303148.0 <= row["objective"] < 1.2 * row["bound"]
