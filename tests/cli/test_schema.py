"""`kyotsu schema`: the specification for editors and for other languages."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from kyotsu.spec.schema import KINDS, json_schema
from kyotsu.units import SUFFIXES

from .conftest import Run


def test_the_kinds_are_listed(kyotsu: Callable[..., Run]) -> None:
    answer = kyotsu("schema")
    assert answer.code == 0
    for kind, model in KINDS.items():
        assert kind in answer.out
        assert (model.__doc__ or "").split()[0] in answer.out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_the_schema_of_a_kind_is_json(kyotsu: Callable[..., Run], kind: str, flag: list[str]) -> None:
    answer = kyotsu("schema", kind, *flag)
    assert answer.code == 0
    assert answer.json == json_schema(kind)


def test_all_schemas_as_json(kyotsu: Callable[..., Run]) -> None:
    found = kyotsu("schema", "--json").json
    assert list(found) == list(KINDS)


def test_a_kind_that_there_is_not(kyotsu: Callable[..., Run]) -> None:
    answer = kyotsu("schema", "gearbox")
    assert answer.code == 2
    assert "found     kind 'gearbox'" in answer.err
    assert "battery_module" in answer.err


def test_a_quantity_carries_its_unit(kyotsu: Callable[..., Run]) -> None:
    schema = kyotsu("schema", "battery_module").json
    assert schema["properties"]["mass_kg"]["unit"] == SUFFIXES["kg"]
    assert schema["$defs"]["Envelope"]["properties"]["height_mm"]["unit"] == "millimetre"
    assert "unit" not in schema["properties"]["name"]


def test_the_keys_of_the_example_are_those_of_the_schema(kyotsu: Callable[..., Run], alliance: Path) -> None:
    known = set(kyotsu("schema", "eaxle").json["properties"])
    for entry in tomllib.loads((alliance / "parts" / "eaxles.toml").read_text("utf-8"))["eaxle"]:
        assert set(entry) <= known
