from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kyotsu.spec.schema import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_schema_with_units(kyotsu, kind: str) -> None:
    schema = kyotsu("schema", kind).json
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["properties"]


def test_numbers_carry_their_unit(kyotsu) -> None:
    assert kyotsu("schema", "battery_module").json["properties"]["mass_kg"]["unit"] == "kilogram"


def test_the_list_names_every_kind(kyotsu) -> None:
    listed = kyotsu("schema").out
    assert all(kind in listed for kind in KINDS)


def test_an_unknown_kind_lists_the_known(kyotsu) -> None:
    run = kyotsu("schema", "nothing")
    assert run.code == 2
    assert "battery_module" in run.err


def test_the_example_s_keys_are_those_of_the_schema(kyotsu, alliance: Path) -> None:
    known = set(kyotsu("schema", "eaxle").json["properties"])
    for entry in tomllib.loads((alliance / "parts" / "eaxles.toml").read_text())["eaxle"]:
        assert set(entry) <= known
