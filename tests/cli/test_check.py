"""`kyotsu check`: what is written down is sound, or every problem with its place; exit code 0, 1 or 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from spec.workspaces import TWO_MAKERS, Folder

from .conftest import Run

COUNTS = {"makers": 2, "vehicles": 3, "battery_modules": 2, "eaxles": 1, "standards": 3, "cells": 1}


def test_a_sound_workspace(kyotsu: Callable[..., Run]) -> None:
    answer = kyotsu("check", TWO_MAKERS)
    assert answer.code == 0
    assert answer.err == ""
    assert answer.out.splitlines() == [
        "Two makers: 2 makers, 3 vehicles, 2 battery modules, 1 e-axles, 3 standards, 1 cells",
        "0 errors, 0 warnings",
    ]


def test_a_sound_workspace_as_json(kyotsu: Callable[..., Run]) -> None:
    answer = kyotsu("check", TWO_MAKERS, "--json")
    assert answer.code == 0
    assert answer.json == {"problems": [], **COUNTS}


def test_the_examples_are_sound(kyotsu: Callable[..., Run], alliance: Path, interchange: Path) -> None:
    for example in (alliance, interchange):
        answer = kyotsu("check", example)
        assert answer.code == 0
        assert "0 errors, 0 warnings" in answer.out
    counts = kyotsu("check", alliance, "--json").json
    assert counts["makers"] == 3
    assert counts["vehicles"] >= 14
    assert counts["battery_modules"] >= 8
    assert counts["eaxles"] >= 8


def test_warnings_end_in_1(kyotsu: Callable[..., Run], folder: Folder) -> None:
    folder.change("parts/battery_modules.toml", "mass_kg = 20.5", "mass_kg = 21.5")
    answer = kyotsu("check", folder.root)
    assert answer.code == 1
    assert "warning" in answer.out
    assert "0 errors, 1 warnings" in answer.out
    assert "found     block_8s_heavy: mass_kg is 21.5" in answer.out


@pytest.mark.parametrize("columns", [40, 120])
def test_a_problem_is_told_on_four_lines_however_narrow(
    kyotsu: Callable[..., Run], folder: Folder, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    line = folder.change("parts/eaxles.toml", "mass_kg = 80.0", "mass_kg = -80.0")
    lines = kyotsu("check", folder.root).out.splitlines()
    assert lines[:4] == [
        f"error {folder.path('parts/eaxles.toml')}:{line} (eaxle[1].mass_kg)",
        "    found     mass_kg = -80.0",
        "    expected  greater than 0 in kilogram",
        "    do        Correct the value.",
    ]


def test_json_and_text_carry_the_same(kyotsu: Callable[..., Run], folder: Folder) -> None:
    folder.change("parts/eaxles.toml", "mass_kg = 80.0", "mass_kg = -80.0")
    folder.change("parts/battery_modules.toml", "mass_kg = 20.5", "mass_kg = 21.5")
    folder.change("alliance.toml", '"beta"', '"gamma"')
    text, record = kyotsu("check", folder.root), kyotsu("check", folder.root, "--json")
    assert text.code == record.code == 2
    problems = record.json["problems"]
    assert len(problems) == text.out.count("    found     ") == 3
    for problem in problems:
        place = f"{problem['severity']} {problem['file']}:{problem['line']} ({problem['key']})"
        found, expected, action = (problem[name] for name in ("found", "expected", "action"))
        told = f"{place}\n    found     {found}\n    expected  {expected}\n    do        {action}\n"
        assert told in text.out
    assert [problem["severity"] for problem in problems] == ["error", "error", "warning"]
    assert "2 errors, 1 warnings" in text.out


def test_nothing_is_written(kyotsu: Callable[..., Run], folder: Folder) -> None:
    before = {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}
    kyotsu("check", folder.root)
    kyotsu("fit", folder.root)
    assert {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()} == before
