from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["alliance", "interchange"])
def test_the_examples_are_sound(kyotsu, root: Path, name: str) -> None:
    run = kyotsu("check", root / "examples" / name)
    assert run.code == 0
    assert "0 errors, 0 warnings" in run.out


def test_json_counts_what_there_is(kyotsu, alliance: Path) -> None:
    run = kyotsu("check", alliance, "--json")
    assert run.code == 0
    assert run.json["problems"] == []
    assert run.json["makers"] == 3
    assert run.json["vehicles"] >= 14
    assert run.json["battery_modules"] >= 8
    assert run.json["eaxles"] >= 8


def test_a_warning_is_exit_1(kyotsu, broken: Path) -> None:
    (broken / "alliance.toml").write_text('format = 1\nname = "x"\nyear = 2025\n')
    (broken / "parts" / "battery_modules.toml").write_text("format = 1\n")
    (broken / "parts" / "eaxles.toml").write_text("format = 1\n")
    (broken / "makers" / "one" / "vehicle.toml").write_text("format = 1\n")
    run = kyotsu("check", broken)
    assert run.code == 1
    assert "vehicle.toml" in run.out
