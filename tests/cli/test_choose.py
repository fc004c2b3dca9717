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
    for word in ("Proven", "alpha/hatch", "beta/box", "drive_100", "saves", "Shared by two makers", "Left out"):
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
    assert run.json["proven"] is True
    assert {item["vehicle"] for item in run.json["assignments"]} == {"alpha/hatch", "alpha/hatch_plus", "beta/box"}


@pytest.mark.slow
def test_a_curve_names_every_number_of_standards(kyotsu, folder: Folder, tmp_path: Path) -> None:
    run = kyotsu("choose", folder.root, "--curve", "-o", tmp_path / "curve.json")
    assert run.code == 0
    assert "proven" in run.out
    assert kyotsu("evaluate", tmp_path / "curve.json", "-w", folder.root, "--json").code == 0


def test_bad_input_is_exit_2(kyotsu, folder: Folder, tmp_path: Path) -> None:
    assert kyotsu("choose", folder.root, "--curve", "--variants", "3").code == 2
    assert kyotsu("choose", folder.root, "--modules", "0").code == 2
    (tmp_path / "plan.json").write_text('{"format": 1}')
    run = kyotsu("evaluate", tmp_path / "plan.json", "-w", folder.root)
    assert run.code == 2
    assert "assignments" in run.err
    folder.change("makers/alpha/vehicles.toml", "range_km = 200.0", "range_km = 2000.0")
    run = kyotsu("choose", folder.root)
    assert run.code == 2
    assert "Lower it to" in run.err
