"""`kyotsu standard diff`: what a new version changes, and whom it breaks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from spec.workspaces import TWO_MAKERS, Folder

from .conftest import Run

OLD, NEW = "common_module@0.9", "common_module@1.0"


def test_a_change_that_breaks_nobody_ends_in_0(kyotsu: Callable[..., Run]) -> None:
    answer = kyotsu("standard", "diff", OLD, NEW, "--workspace", TWO_MAKERS)
    assert answer.code == 0
    assert answer.out.splitlines()[0] == f"{OLD} -> {NEW}: 4 changes"
    words = re.sub(r"\s+", " ", answer.out)
    assert "tightened mass_kg: <= 25 -> <= 21" in words
    assert "140 to 160 -> nothing" in words
    assert "no longer do: none" in words


def test_a_change_that_breaks_a_part_ends_in_1_and_names_it(kyotsu: Callable[..., Run], folder: Folder) -> None:
    folder.change("parts/battery_modules.toml", "mass_kg = 20.5", "mass_kg = 21.5")
    answer = kyotsu("standard", "diff", OLD, NEW, "-w", folder.root)
    assert answer.code == 1
    assert "block_8s_heavy" in answer.out


def test_json_and_text_carry_the_same(kyotsu: Callable[..., Run], folder: Folder) -> None:
    folder.change("parts/battery_modules.toml", "mass_kg = 20.5", "mass_kg = 21.5")
    text = kyotsu("standard", "diff", OLD, NEW, "-w", folder.root)
    answer = kyotsu("standard", "diff", OLD, NEW, "-w", folder.root, "--json")
    assert answer.code == text.code == 1
    found = answer.json
    assert (found["old"], found["new"]) == (OLD, NEW)
    changes = {change["field"]: change for change in found["changes"]}
    assert changes["mass_kg"] == {
        "field": "mass_kg",
        "change": "tightened",
        "old": "<= 25",
        "new": "<= 21",
        "reason": "one person with a hoist",
        "can_break": True,
        "breaks": ["block_8s_heavy"],
    }
    letters = re.sub(r"\s", "", text.out)
    for change in changes.values():
        for word in ("change", "old", "new"):
            assert re.sub(r"\s", "", change[word] or "-")[:8] in letters


def test_a_version_against_itself(kyotsu: Callable[..., Run]) -> None:
    answer = kyotsu("standard", "diff", NEW, NEW, "-w", TWO_MAKERS)
    assert answer.code == 0
    assert "0 changes" in answer.out


@pytest.mark.parametrize(
    ("old", "new", "found", "expected"),
    [
        ("common_module@7.0", NEW, "standard 'common_module@7.0'", f"one of: common_drive@0.1, {OLD}, {NEW}"),
        (OLD, "common_module", "standard 'common_module'", "one of: common_drive@0.1"),
        (OLD, "common_drive@0.1", "for a battery_module and common_drive@0.1 for a eaxle", "two standards of one kind"),
    ],
)
def test_versions_that_cannot_be_compared(
    kyotsu: Callable[..., Run], old: str, new: str, found: str, expected: str
) -> None:
    answer = kyotsu("standard", "diff", old, new, "-w", TWO_MAKERS)
    assert answer.code == 2
    assert found in answer.err
    assert expected in answer.err
    assert kyotsu("standard", "diff", old, new, "-w", TWO_MAKERS, "--json").json["problems"]


def test_the_workspace_is_the_current_folder_unless_named(
    kyotsu: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(TWO_MAKERS)
    assert kyotsu("standard", "diff", OLD, NEW).code == 0


def test_the_alliance_says_what_its_new_version_breaks(kyotsu: Callable[..., Run], alliance: Path) -> None:
    words = ("standard", "diff", "kyotsu_battery_module@0.9", "kyotsu_battery_module@1.0", "-w", alliance)
    answer = kyotsu(*words)
    assert answer.code == 1
    assert "kyotsu_bm_pilot" in re.sub(r"\s", "", answer.out)
    changes = kyotsu(*words, "--json").json["changes"]
    assert {change["change"] for change in changes} >= {"added", "removed", "tightened", "loosened"}
    assert all(change["reason"] for change in changes)
    assert all(change["can_break"] for change in changes if change["breaks"])
