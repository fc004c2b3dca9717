"""What a workspace says of the choice, and what is refused in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kyotsu.errors import InputError
from kyotsu.plan.costs import cost_model
from kyotsu.plan.settings import DEFAULT_UNITS_PER_YEAR, load_settings
from spec.workspaces import Folder

HEAD = "format = 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "two_makers")


def refused(folder: Folder) -> str:
    loaded = folder.load()
    with pytest.raises(InputError) as error:
        cost_model(load_settings(loaded), 2025)
    assert all(problem.action and problem.expected for problem in error.value.problems)
    return str(error.value)


def test_without_files_every_vehicle_is_built_as_often(folder: Folder) -> None:
    settings = load_settings(folder.load())
    assert set(settings.units_per_year.values()) == {DEFAULT_UNITS_PER_YEAR}
    assert set(settings.assumed_units) == set(folder.load().vehicles)
    assert not settings.choice.cell_class


def test_volumes_are_those_of_the_makers(folder: Folder) -> None:
    folder.write("makers/alpha/demand.toml", HEAD + '[[demand]]\nid = "hatch"\nunits_per_year = 1200.0\n')
    folder.write("choice.toml", HEAD + "years = 5.0\n")
    settings = load_settings(folder.load())
    assert settings.units("alpha/hatch") == 6000.0
    assert "alpha/hatch" not in settings.assumed_units
    assert "beta/box" in settings.assumed_units


def test_the_files_belong_to_a_workspace(folder: Folder) -> None:
    folder.write("makers/alpha/demand.toml", HEAD)
    folder.write("choice.toml", HEAD)
    assert folder.load().warnings == ()


def test_nothing_built_at_all_is_refused(folder: Folder) -> None:
    for maker, names in (("alpha", ("hatch", "hatch_plus")), ("beta", ("box",))):
        text = "".join(f'[[demand]]\nid = "{name}"\nunits_per_year = 0.0\n' for name in names)
        folder.write(f"makers/{maker}/demand.toml", HEAD + text)
    assert "0 units of every vehicle" in refused(folder)


@pytest.mark.parametrize(
    ("demand", "words"),
    [
        ('[[demand]]\nid = "none"\nunits_per_year = 1.0\n', "one of: hatch, hatch_plus"),
        ('[[demand]]\nid = "hatch"\nunits_per_year = -1.0\n', "-1"),
        ('[[demand]]\nid = "hatch"\nunits_per_year = 1.0\n' * 2, "a second time"),
        ('[[demand]]\nid = "hatch"\nunits = 1.0\n', "units"),
        ("[[demand]\n", "TOML"),
    ],
)
def test_wrong_volumes_are_refused(folder: Folder, demand: str, words: str) -> None:
    folder.write("makers/alpha/demand.toml", HEAD + demand)
    assert words in refused(folder)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("years = 0.0\n", "years"),
        ("costs = { module_standard_usd = -5.0 }\n", "module_standard_usd"),
        ("costs = { modul_usd = 5.0 }\n", "one of: module_handling_usd"),
        ("costs = { volume_effect_share = 1.0 }\n", "0 to 0.9"),
        ('[[wish]]\nmaker = "gamma"\n', "one of: alpha, beta"),
        ('[[wish]]\nmaker = "alpha"\nveto = ["drive*"]\nmust_have = ["drive_100"]\n', "also refuses"),
        ('[[second_source]]\npart = "none"\nsuppliers = ["X"]\n', "a part on offer"),
        ('[[cell_class]]\nid = "a"\npart = "none"\ncapacity_ah = [1.0]\ncells_series = [1]\ncells_parallel = [1]\n'
         "sections_mm = [[1.0, 1.0]]\n", "one of: block_8s"),
        ('[[cell_class]]\nid = "a"\npart = "block_8s"\ncapacity_ah = []\ncells_series = [1]\ncells_parallel = [1]\n'
         "sections_mm = [[1.0, 1.0]]\n", "capacity_ah"),
        ("colour = 1\n", "colour"),
    ],
)  # fmt: skip
def test_wrong_choices_are_refused(folder: Folder, choice: str, words: str) -> None:
    folder.write("choice.toml", HEAD + choice)
    assert words in refused(folder)


def test_all_problems_are_told_at_once_and_where(folder: Folder) -> None:
    folder.write("choice.toml", HEAD + '[[wish]]\nmaker = "gamma"\n')
    folder.write("makers/alpha/demand.toml", HEAD + '[[demand]]\nid = "none"\nunits_per_year = 1.0\n')
    with pytest.raises(InputError) as error:
        load_settings(folder.load())
    places = {(Path(problem.location.file or "").name, problem.location.line) for problem in error.value.problems}
    assert places == {("choice.toml", 3), ("demand.toml", 3)}
