"""The specification as JSON Schema, for editors and for other languages.

Each schema describes one entry as it is written in a file: `extends` is allowed, and then nothing but the
id is required. Every property whose name ends in a unit carries it as `unit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from kyotsu.spec.alliance import Alliance, Maker
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.migration import FORMAT
from kyotsu.spec.slots import BatteryBay, EAxleMount
from kyotsu.spec.standard import Standard
from kyotsu.spec.vehicle import Vehicle
from kyotsu.units import SUFFIXES, suffix_of

KINDS: Mapping[str, type[BaseModel]] = {
    "alliance": Alliance,
    "maker": Maker,
    "battery_module": BatteryModule,
    "eaxle": EAxle,
    "vehicle": Vehicle,
    "battery_bay": BatteryBay,
    "eaxle_mount": EAxleMount,
    "standard": Standard,
}
EXTENDABLE = frozenset({"battery_module", "eaxle", "vehicle", "battery_bay", "eaxle_mount"})


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one kind of entry; `kind` is a key of `KINDS`."""
    schema = KINDS[kind].model_json_schema()
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"kyotsu/{FORMAT}/{kind}",
        **schema,
    }
    if kind in EXTENDABLE:
        schema["properties"]["extends"] = {
            "type": "string",
            "description": "id of the record this one varies",
        }
        required = schema.pop("required", [])
        schema["if"] = {"not": {"required": ["extends"]}}
        schema["then"] = {"required": required}
        schema["required"] = ["id"]
    for table in (schema, *schema.get("$defs", {}).values()):
        for name, prop in table.get("properties", {}).items():
            unit = suffix_of(name)
            if unit is not None and isinstance(prop, dict):
                prop["unit"] = SUFFIXES[unit]
    return schema
