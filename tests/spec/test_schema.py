"""The JSON Schema describes entries as they are written: closed, with units, and short when they extend."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from kyotsu.spec.record import Table
from kyotsu.spec.schema import EXTENDABLE, KINDS, json_schema
from kyotsu.units import SUFFIXES, suffix_of
from spec.workspaces import TWO_MAKERS


def tables(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    yield from schema.get("$defs", {}).values()


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_plain_json_and_closed(kind: str) -> None:
    schema = json_schema(kind)
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/{kind}")
    for table in tables(schema):
        if "properties" in table:
            assert table["additionalProperties"] is False


@pytest.mark.parametrize("kind", KINDS)
def test_every_quantity_carries_its_unit(kind: str) -> None:
    for table in tables(json_schema(kind)):
        for name, prop in table.get("properties", {}).items():
            unit = suffix_of(name)
            assert prop.get("unit") == (SUFFIXES[unit] if unit else None), name


@pytest.mark.parametrize("kind", sorted(EXTENDABLE))
def test_an_entry_that_extends_needs_nothing_but_its_id(kind: str) -> None:
    schema = json_schema(kind)
    assert schema["required"] == ["id"]
    assert schema["if"] == {"not": {"required": ["extends"]}}
    needed = [name for name, field in KINDS[kind].model_fields.items() if field.is_required()]
    assert set(schema["then"]["required"]) == set(needed)
    assert schema["properties"]["extends"]["type"] == "string"


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("parts/battery_modules.toml", "battery_module"),
        ("parts/eaxles.toml", "eaxle"),
        ("standards/common.toml", "standard"),
        ("standards/slots.toml", "battery_bay"),
        ("standards/slots.toml", "eaxle_mount"),
        ("makers/alpha/vehicles.toml", "vehicle"),
    ],
)
def test_what_is_written_has_the_keys_of_its_schema(file: str, kind: str) -> None:
    known = set(json_schema(kind)["properties"])
    for entry in tomllib.loads((TWO_MAKERS / file).read_text("utf-8"))[kind]:
        assert set(entry) <= known


def test_a_schema_is_that_of_the_model() -> None:
    for kind, model in KINDS.items():
        assert issubclass(model, Table)
        assert set(model.model_fields) <= set(json_schema(kind)["properties"]), kind
