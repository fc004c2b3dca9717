"""From raw tables to records: what pydantic finds wrong, said as problems with file, line and key."""

from __future__ import annotations

import difflib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kyotsu.errors import Problem
from kyotsu.spec.inheritance import Entry
from kyotsu.spec.record import STATUSES, Record, table_in
from kyotsu.units import SUFFIXES, suffix_of

RecordT = TypeVar("RecordT", bound=BaseModel)

_EXPECTED = {
    "missing": "this key, it is required",
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "tuple_type": "a list [ ... ]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
}


def read_record(model: type[RecordT], entry: Entry) -> tuple[RecordT | None, list[Problem]]:
    """The record that an entry holds, or everything that is wrong with it."""
    try:
        return model.model_validate(entry.raw), []
    except ValidationError as error:
        return None, [_problem(model, entry, detail) for detail in _causes(error)]
    except (OverflowError, RecursionError) as error:
        found = f"a value out of range ({error})"
        return None, [
            Problem(entry.locate(()), found, "numbers that a computer can hold", "Correct the value.")
        ]


def own_problems(model: type[RecordT], entry: Entry) -> list[Problem]:
    """What is wrong with the values that an entry writes itself, whatever its broken `extends` would add."""
    own = Entry({key: value for key, value in entry.raw.items() if key != "extends"}, entry.places)
    _, problems = read_record(model, own)
    return [problem for problem in problems if problem.expected != _EXPECTED["missing"]]


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """The details without those that only follow from one inside: a list emptied by its bad items."""
    details = error.errors(include_url=False)
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(
            len(place) > len(detail["loc"]) and place[: len(detail["loc"])] == detail["loc"]
            for place in places
        )
    ]


def _problem(model: type[BaseModel], entry: Entry, detail: ErrorDetails) -> Problem:
    path = tuple(
        part for part in detail["loc"] if not (isinstance(part, str) and part.startswith("function-"))
    )
    kind, value = detail["type"], detail["input"]
    place = entry.locate(path)
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return Problem(place, f"unknown key {name!r}", *_known_key(model, path))
    if kind == "missing":
        return Problem(place, f"no key {name!r}", _EXPECTED[kind], f"Add {name} = ...")
    if kind == "value_error":
        return Problem(
            place, str(detail["ctx"]["error"]), "values that agree with each other", "Correct one of them."
        )
    expected = _EXPECTED.get(kind) or _lower_first(detail["msg"].removeprefix("Input should be "))
    unit = SUFFIXES.get(suffix_of(name) or "")
    if unit and kind in ("float_type", "greater_than", "greater_than_equal", "finite_number"):
        expected += f" in {unit}"
    return Problem(place, f"{name} = {_short(value)}", expected, "Correct the value.")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _short(value: Any) -> str:
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _known_key(model: type[BaseModel], path: tuple[Any, ...]) -> tuple[str, str]:
    """What stands in place of an unknown key: the same quantity in our unit, or the nearest name."""
    fields = _fields_at(model, path[:-1])
    name = str(path[-1])
    unit = suffix_of(name)
    stem = name.removesuffix(f"_{unit}") if unit else name
    for field in fields:
        known_unit = suffix_of(field)
        if known_unit and field.removesuffix(f"_{known_unit}") in (stem, name.rpartition("_")[0]):
            return (
                f"{field} (in {SUFFIXES[known_unit]})",
                f"Convert the value and rename the key to {field}.",
            )
    near = difflib.get_close_matches(name, fields, n=1, cutoff=0.6)
    if near:
        return f"{near[0]}", f"Rename the key to {near[0]}, or remove it."
    return f"one of {', '.join(sorted(fields)[:12])}" if fields else "no key here", "Remove the key."


def _fields_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    current: Any = model
    for part in path:
        if isinstance(part, int):
            continue
        field = getattr(current, "model_fields", {}).get(part)
        current = table_in(field.annotation) if field is not None else None
        if current is None:
            return []
    return [name for name in current.model_fields if name != "template"]


def unsourced(record: Record, entry: Entry, prefix: tuple[str | int, ...] = ()) -> list[Problem]:
    """A warning for every number of a record whose origin nobody wrote down."""
    problems = []
    for path, value in record.values():
        if record.source_of(path) is None:
            place = entry.locate((*prefix, *path.split(".")))
            problems.append(
                Problem(
                    place,
                    f"{path} = {_short(value)} without origin",
                    "a source and a status beside it",
                    f'Add sources.{path} = {{ source = "...", status = "{"|".join(STATUSES)}" }}.',
                    severity="warning",
                )
            )
    return problems
