"""Files of older formats are read as if they were written today; files of newer ones are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kyotsu.spec.document import Document, read_toml
from kyotsu.spec.migration import FORMAT, STEPS, migrate

FIRST = """\
format = 1

[[pack]]
id = "a"
weight = 20
[[pack]]
id = "b"
"""


def rename_packs(content: dict[str, Any]) -> dict[str, Any]:
    """From format 1 to 2: `pack` became `battery_module`."""
    return {("battery_module" if key == "pack" else key): value for key, value in content.items()}


def say_the_unit(content: dict[str, Any]) -> dict[str, Any]:
    """From format 2 to 3: `weight` in whole kilograms became `mass_kg`."""
    modules = [
        {("mass_kg" if key == "weight" else key): value for key, value in module.items()}
        for module in content.get("battery_module", [])
    ]
    return {**content, "battery_module": modules}


TWO_STEPS = {1: rename_packs, 2: say_the_unit}


@pytest.fixture
def first(tmp_path: Path) -> Document:
    path = tmp_path / "first.toml"
    path.write_text(FIRST)
    document, _ = read_toml(path, "first.toml")
    assert document is not None
    return document


def test_a_file_goes_every_step_from_its_format_to_todays(first: Document) -> None:
    document, problems = migrate(first, 3, TWO_STEPS)
    assert problems == []
    assert document is not None
    assert document.content == {"format": 3, "battery_module": [{"id": "a", "mass_kg": 20}, {"id": "b"}]}


def test_a_file_goes_only_the_steps_that_it_needs(first: Document) -> None:
    second = Document("second.toml", {"format": 2, "battery_module": [{"weight": 1}], "pack": 7}, first.lines)
    document, problems = migrate(second, 3, TWO_STEPS)
    assert problems == []
    assert document is not None
    assert document.content == {"format": 3, "battery_module": [{"mass_kg": 1}], "pack": 7}


def test_the_document_itself_is_left_as_it_was(first: Document) -> None:
    migrate(first, 3, TWO_STEPS)
    assert first.content["format"] == 1
    assert first.content["pack"][0] == {"id": "a", "weight": 20}


def test_problems_after_a_migration_are_told_in_the_file_as_it_stands(first: Document) -> None:
    document, _ = migrate(first, 3, TWO_STEPS)
    assert document is not None
    assert document.lines == first.lines
    place = document.locate(("battery_module", 1, "mass_kg"))
    assert (place.file, place.line) == ("first.toml", 1), "the nearest key that still has its old name"


@pytest.mark.parametrize(
    ("format_", "found", "action"),
    [
        (4, "format = 4", "Update kyotsu"),
        (0, "format = 0", "Write format = 3"),
        (-1, "format = -1", "Write format = 3"),
        (None, "no key 'format'", "Write format = 3"),
        (True, "format = True", "Write format = 3"),
        (1.0, "format = 1.0", "Write format = 3"),
        ("1", "format = '1'", "Write format = 3"),
    ],
)
def test_what_is_no_format_between_the_oldest_and_todays_is_refused(format_: object, found: str, action: str) -> None:
    content = {} if format_ is None else {"format": format_}
    document, problems = migrate(Document("x.toml", content, {(): 1, ("format",): 3}), 3, TWO_STEPS)
    assert document is None
    assert [problem.found for problem in problems] == [found]
    assert problems[0].expected == "format = 1 to 3"
    assert problems[0].action.startswith(action)
    assert problems[0].location.line == 3


def test_there_is_a_step_from_every_published_format() -> None:
    assert set(STEPS) == set(range(1, FORMAT))
