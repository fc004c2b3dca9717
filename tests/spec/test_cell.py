"""The cell in a BPX file: what bpx reads is read, and what is wrong is told on its line."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.errors import Problem
from kyotsu.spec.cell import Cell, load_cell
from spec.workspaces import TWO_MAKERS

PARTIAL: dict[str, Any] = json.loads((TWO_MAKERS / "parts/cells/pouch.json").read_text("utf-8"))
PARTICLE = {
    "Minimum stoichiometry": 0.1, "Maximum stoichiometry": 0.9, "Maximum concentration [mol.m-3]": 40000.0,
    "Particle radius [m]": 5e-6, "Surface area per unit volume [m-1]": 4e5, "Diffusivity [m2.s-1]": 1e-14,
    "Reaction rate constant [mol.m-2.s-1]": 1e-6, "Thickness [m]": 8e-5,
}  # fmt: skip
SINGLE_PARTICLE: dict[str, Any] = {
    "Header": {"BPX": "1.0.0", "Model": "SPM"},
    "Parameterisation": {
        "Cell": PARTIAL["Parameterisation"]["Cell"],
        "Negative electrode": {**PARTICLE, "OCP [V]": "0.5 - 0.4 * x"},
        "Positive electrode": {**PARTICLE, "OCP [V]": {"x": [0, 1], "y": [4.7, 3.5]}},
    },
}


def load(tmp_path: Path, content: object) -> tuple[Cell | None, list[Problem]]:
    path = tmp_path / "cell_a.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return load_cell(path, "cell_a.json")


def spoiled(change: Callable[[dict[str, Any]], object], base: dict[str, Any] = PARTIAL) -> dict[str, Any]:
    copy = json.loads(json.dumps(base))
    change(copy)
    return copy  # type: ignore[no-any-return]


def cell_of(content: dict[str, Any]) -> dict[str, Any]:
    return content["Parameterisation"]["Cell"]  # type: ignore[no-any-return]


def test_a_partial_file_is_read(tmp_path: Path) -> None:
    cell, problems = load(tmp_path, PARTIAL)
    assert problems == []
    assert cell is not None
    assert (cell.id, cell.title) == ("cell_a", "Pouch 56 Ah")
    assert (cell.capacity_ah, cell.voltage_min_v, cell.voltage_max_v) == (56.0, 2.5, 4.2)


def test_a_single_particle_file_is_read_with_its_parameters(tmp_path: Path) -> None:
    cell, problems = load(tmp_path, SINGLE_PARTICLE)
    assert problems == []
    assert cell is not None
    assert cell.title == "cell_a", "a file without a title goes by its name"
    assert isinstance(cell.parameters, bpx.BPX)
    assert cell.parameters.parameterisation.positive_electrode.ocp.y == [4.7, 3.5]


def test_reading_a_cell_prints_and_warns_of_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(tmp_path, spoiled(lambda content: content["Header"].update(BPX=1.1)))
        load(tmp_path, SINGLE_PARTICLE)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("version", ["0.1.0", "0.5", 0.4, "2.0.0", "10.0", "", None, [], {"a": 1}])
def test_another_version_is_refused_with_the_way_to_convert_it(tmp_path: Path, version: object) -> None:
    cell, problems = load(tmp_path, spoiled(lambda content: content["Header"].update(BPX=version)))
    assert cell is None
    (problem,) = problems
    assert problem.found.startswith("BPX version ")
    assert problem.expected == "BPX 1.x"
    assert problem.location.line == 3
    assert "bpx.parse_bpx_file" in problem.action


def test_the_advice_for_an_older_file_works(tmp_path: Path) -> None:
    old = spoiled(lambda content: content["Header"].update(BPX="0.4.0"), SINGLE_PARTICLE)
    cell_of(old).update({"Initial temperature [K]": 298.15, "Ambient temperature [K]": 298.15})
    cell_of(old).update({"Reference temperature [K]": 298.15})
    _, problems = load(tmp_path, old)
    code = problems[0].action.split("python -c '")[1].split("'")[0].replace("FILE", str(tmp_path / "cell_a.json"))
    converted = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, check=True, text=True)
    cell, problems = load(tmp_path, converted.stdout)
    assert problems == []
    assert cell is not None
    assert cell.capacity_ah == 56.0


@pytest.mark.parametrize("content", [{}, {"Header": 7}, {"Header": []}, {"Header": {}}])
def test_a_file_that_is_no_bpx_is_refused(tmp_path: Path, content: object) -> None:
    cell, problems = load(tmp_path, content)
    assert cell is None
    assert problems[0].found == "BPX version none"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("Nominal cell capacity [A.h]", "many", "valid number"),
        ("Nominal cell capacity [A.h]", None, "valid number"),
        ("Upper voltage cut-off [V]", [4.2], "valid number"),
        ("Colour", "red", "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_value_is_told_once_and_on_its_line(tmp_path: Path, key: str, value: object, words: str) -> None:
    content = spoiled(lambda content: cell_of(content).update({key: value}))
    cell, problems = load(tmp_path, content)
    assert cell is None
    (problem,) = problems
    assert words in problem.found
    lines = json.dumps(content, indent=1).splitlines()
    assert lines[(problem.location.line or 0) - 1].strip().startswith(f'"{key}"')
    assert problem.location.key == f"Parameterisation.Cell.{key}"


def test_a_missing_value_is_told_at_its_table(tmp_path: Path) -> None:
    content = spoiled(lambda content: cell_of(content).pop("Nominal cell capacity [A.h]"))
    cell, problems = load(tmp_path, content)
    assert cell is None
    assert [problem.found for problem in problems] == ["'Nominal cell capacity [A.h]': Field required"]
    assert problems[0].location.key == "Parameterisation.Cell"


def test_every_wrong_value_is_told(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        cell_of(content).update({"Nominal cell capacity [A.h]": "x", "Lower voltage cut-off [V]": "y"})

    _, problems = load(tmp_path, spoiled(change))
    assert len(problems) == 2


@pytest.mark.parametrize(
    ("capacity", "low", "high"), [(0, 2.5, 4.2), (-1, 2.5, 4.2), (1e999, 2.5, 4.2), (50, 4.2, 2.5), (50, -1, 4.2)]
)
def test_a_capacity_and_cut_offs_that_cannot_be_are_refused(
    tmp_path: Path, capacity: float, low: float, high: float
) -> None:
    """bpx itself takes any number."""
    text = json.dumps(PARTIAL).replace("56.0", "1e999" if math.isinf(capacity) else str(capacity))
    text = text.replace('[V]": 2.5', f'[V]": {low}').replace('[V]": 4.2', f'[V]": {high}')
    cell, problems = load(tmp_path, text)
    assert cell is None
    assert len(problems) == 1
    assert problems[0].location.key == "Parameterisation.Cell"


def test_a_partial_file_without_a_cell_is_refused(tmp_path: Path) -> None:
    """bpx takes it, but there is nothing to compare."""
    cell, problems = load(tmp_path, spoiled(lambda content: content["Parameterisation"].pop("Cell")))
    assert cell is None
    assert [problem.found for problem in problems] == ["no key 'Cell'"]


@pytest.mark.parametrize(
    "expression", ["__import__('os').system('true')", "x **", "undefined_name(x)", "1/0", "x" * 9999]
)
def test_an_expression_that_is_none_is_refused_and_not_run(tmp_path: Path, expression: str) -> None:
    content = spoiled(lambda content: None, SINGLE_PARTICLE)
    content["Parameterisation"]["Negative electrode"]["OCP [V]"] = expression
    cell, problems = load(tmp_path, content)
    assert (cell is None) == bool(problems)
    for problem in problems:
        assert len(problem.found) < 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)


@given(st.sampled_from(["Header", "Parameterisation", "Cell", "Negative electrode", "Nominal", "OCP"]), json_values)
def test_no_value_raises(tmp_path_factory: pytest.TempPathFactory, where: str, value: object) -> None:
    content = json.loads(json.dumps(SINGLE_PARTICLE))
    parameters = content["Parameterisation"]
    if where in ("Header", "Parameterisation"):
        content[where] = value
    elif where == "Nominal":
        parameters["Cell"]["Nominal cell capacity [A.h]"] = value
    elif where == "OCP":
        parameters["Negative electrode"]["OCP [V]"] = value
    else:
        parameters[where] = value
    cell, problems = load(tmp_path_factory.getbasetemp(), content)
    assert (cell is None) == bool(problems)
    if cell is not None:
        assert 0.0 < cell.capacity_ah < math.inf
        assert cell.voltage_min_v < cell.voltage_max_v
