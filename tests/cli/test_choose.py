"""`kyotsu choose` and `kyotsu evaluate` on the workspace of two makers."""

from __future__ import annotations

from pathlib import Path

import pytest

from spec.workspaces import Folder

CHOICE = """format = 1
[[cell_class]]
id = "wired"
part = "block_8s"
capacity_ah = [50.0, 56.0]
cells_series = [4, 8]
cells_parallel = [1, 2]
sections_mm = [[200.0, 150.0]]
"""


@pytest.fixture
def folder(folder: Folder) -> Folder:
    """Two makers, of whose vehicles all is stated that driving them takes."""
    name = "makers/beta/vehicles.toml"
    folder.change(name, 'axle = "rear" }', 'axle = "rear", fitted = { part = "drive_100", rating = "100kw" } }')
    folder.append(name, "\n[vehicle.battery]\nenergy_kwh = 39.8\nmass_kg = 310.0\n")
    folder.write("choice.toml", CHOICE)
    return folder


def test_a_family_is_chosen_proven_and_holds_until_it_is_bent(kyotsu, folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    run = kyotsu("choose", folder.root, "--why", "-o", file)
    assert run.code == 0
    for word in ("Proven", "alpha/hatch", "beta/box", "drive_100", "saves", "Shared by two makers", "left out"):
        assert word in run.out
    run = kyotsu("evaluate", file, "-w", folder.root)
    assert run.code == 0
    assert "holds" in run.out
    file.write_text(file.read_text("utf-8").replace('"units": 60000.0', '"units": 50000.0', 1), "utf-8")
    run = kyotsu("evaluate", file, "-w", folder.root)
    assert run.code == 1
    assert "does not hold" in run.out


def test_the_plan_as_json(kyotsu, folder: Folder) -> None:
    run = kyotsu("choose", folder.root, "--json")
    assert run.code == 0
    assert run.json["complete"] is True
    for plan in run.json["plans"]:
        assert plan["proven"] is True
        assert {item["vehicle"] for item in plan["assignments"]} == {"alpha/hatch", "alpha/hatch_plus", "beta/box"}


@pytest.mark.slow
def test_the_whole_answer_names_every_number_of_standards_and_what_would_change_it(
    kyotsu, folder: Folder, tmp_path: Path
) -> None:
    folder.append("choice.toml", '\n[[scenario]]\nid = "half"\nunits = { "*" = 0.5 }\n')
    run = kyotsu("choose", folder.root, "--window", "10", "-o", tmp_path / "choice.json")
    assert run.code == 0
    for words in ("Proven", "saves by sharing", "half", "Least greatest regret", "demand", "window saves"):
        assert words in run.out
    assert kyotsu("evaluate", tmp_path / "choice.json", "-w", folder.root, "--json").code == 0
    run = kyotsu("study", folder.root, "--choice", tmp_path / "choice.json", "-o", tmp_path / "study")
    assert run.code == 0
    assert "the cheapest of all" in run.out
    assert "does not hold" not in run.out


def test_bad_input_is_exit_2(kyotsu, folder: Folder, tmp_path: Path) -> None:
    assert kyotsu("choose", folder.root, "--modules", "0").code == 2
    (tmp_path / "plan.json").write_text('{"format": 1}')
    run = kyotsu("evaluate", tmp_path / "plan.json", "-w", folder.root)
    assert run.code == 2
    assert "assignments" in run.err
    run = kyotsu("study", folder.root, "--choice", tmp_path / "plan.json", "-o", tmp_path / "study")
    assert run.code == 2
    assert "plans" in run.err
    folder.append("choice.toml", '\n[[scenario]]\nid = "half"\nunits = { gamma = 0.5 }\n')
    run = kyotsu("choose", folder.root)
    assert run.code == 2
    assert "'gamma'" in run.err
    folder.change("choice.toml", "gamma", "alpha")
    folder.change("makers/alpha/vehicles.toml", "range_km = 200.0", "range_km = 2000.0")
    run = kyotsu("choose", folder.root)
    assert run.code == 2
    assert "Lower it to" in run.err
