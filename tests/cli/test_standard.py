from __future__ import annotations

from pathlib import Path

OLD, NEW = "kyotsu_battery_module@0.9", "kyotsu_battery_module@1.0"


def test_a_new_version_says_what_it_breaks(kyotsu, alliance: Path) -> None:
    run = kyotsu("standard", "diff", OLD, NEW, "-w", alliance)
    assert run.code == 1
    assert "kyotsu_bm_pilot" in run.out


def test_json_holds_every_change_with_its_reason(kyotsu, alliance: Path) -> None:
    changes = kyotsu("standard", "diff", OLD, NEW, "-w", alliance, "--json").json["changes"]
    assert {change["change"] for change in changes} >= {"added", "removed", "tightened", "loosened"}
    assert all(change["reason"] for change in changes)
    assert all(change["can_break"] for change in changes if change["breaks"])


def test_nothing_changes_against_itself(kyotsu, alliance: Path) -> None:
    run = kyotsu("standard", "diff", NEW, NEW, "-w", alliance, "--json")
    assert (run.code, run.json["changes"]) == (0, [])


def test_unknown_and_unlike_standards_are_refused(kyotsu, alliance: Path) -> None:
    assert kyotsu("standard", "diff", OLD, "nothing@1.0", "-w", alliance).code == 2
    assert kyotsu("standard", "diff", OLD, "kyotsu_eaxle@1.0", "-w", alliance).code == 2
