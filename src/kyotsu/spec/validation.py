"""From raw tables to records: what pydantic finds wrong, said as problems with file, line and key."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kyotsu.errors import Location, Problem
from kyotsu.spec.document import dotted
from kyotsu.spec.inheritance import Entry
from kyotsu.spec.record import (
    IDENTIFIER,
    IDENTIFIER_WORDS,
    PRINTABLE,
    SMALLEST,
    STATUSES,
    Record,
    table_in,
)
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
# What a pattern asks for, in words.
_SHAPES = {
    IDENTIFIER: IDENTIFIER_WORDS,
    PRINTABLE: "text without control characters",
    r"^[a-z0-9][a-z0-9_\-]{0,63}@\d+\.\d+$": "a standard with its version, such as common_module@1.0",
    r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$": "the path of a field, such as envelope.height_mm",
    r"^\d+\.\d+$": 'a version, such as "1.0"',
    r"^[A-Z]{3}$": 'a currency of three letters, such as "JPY"',
    r"^\d{4}-\d{2}(-\d{2})?$": 'a date in quotes, such as "2024-08" or "2024-08-01"',
    r"^IP[0-6X][0-9X]K?$": 'an IP code, such as "IP67"',
    r"^[A-Z][0-9]{1,2}$": 'the id of a check, such as "E10"',
    r"^[0-9A-Z]{24}$": "24 digits and capital letters (GB/T 34014)",
}


def read_record(model: type[RecordT], entry: Entry) -> tuple[RecordT | None, list[Problem]]:
    """The record that an entry holds, or everything that is wrong with it."""
    try:
        return model.model_validate(entry.raw), []
    except ValidationError as error:
        return None, _problems(model, entry, error.errors(include_url=False))


def own_problems(model: type[RecordT], entry: Entry) -> list[Problem]:
    """What is wrong with the values that an entry writes itself, whatever its base would add to them."""
    own = entry.without("extends", "template")
    try:
        model.model_validate(own.raw)
    except ValidationError as error:
        details = error.errors(include_url=False)
        return _problems(model, own, [item for item in details if item["type"] != "missing" and item["loc"]])
    return []


def _problems(model: type[BaseModel], entry: Entry, details: Sequence[ErrorDetails]) -> list[Problem]:
    """Each detail as a problem, those of one value together; what only follows from another is left out."""
    renamed = {
        (*detail["loc"][:-1], _near(_fields_at(model, detail["loc"][:-1]), str(detail["loc"][-1])))
        for detail in details
        if detail["type"] == "extra_forbidden"
    }
    problems: dict[tuple[Location, str], Problem] = {}
    for detail in details:
        emptied = detail["type"] == "too_short" and any(
            len(other["loc"]) > len(detail["loc"]) and other["loc"][: len(detail["loc"])] == detail["loc"]
            for other in details
        )
        if emptied or (detail["type"] == "missing" and detail["loc"] in renamed):
            continue
        ours = "faults" in detail.get("ctx", {})
        for problem in _faults(entry, detail, details) if ours else [_problem(model, entry, detail)]:
            same = problems.get((problem.location, problem.found))
            if same is not None:
                problem = replace(problem, expected=f"{same.expected} or {problem.expected}")
            problems[problem.location, problem.found] = problem
    return list(problems.values())


def _faults(entry: Entry, detail: ErrorDetails, details: Sequence[ErrorDetails]) -> list[Problem]:
    """The faults that a validator of ours found, without an origin given to a key that is itself unknown."""
    problems = []
    for fault in detail["ctx"]["faults"]:
        path = (*detail["loc"], *fault.path)
        named = (*detail["loc"][:-1], *str(path[-1]).split(".")) if path else ()
        unknown = [other["loc"] for other in details if other["type"] == "extra_forbidden"]
        if not any(named[: len(place)] == place for place in unknown):
            problems.append(Problem(entry.locate(path), fault.found, fault.expected, "Correct it."))
    return problems


def _problem(model: type[BaseModel], entry: Entry, detail: ErrorDetails) -> Problem:
    kind, value, path = detail["type"], detail["input"], detail["loc"]
    if kind not in ("missing", "extra_forbidden"):
        path = _written(entry.raw, path)
    place, name = entry.locate(path), _name(path)
    if kind == "extra_forbidden":
        return Problem(place, f"unknown key {_short(name)}", *_known_key(model, path))
    if kind == "missing":
        return Problem(place, f"no key {name!r}", _EXPECTED[kind], f"Add {name} = ...")
    if kind == "value_error":
        return Problem(place, str(detail["ctx"]["error"]), "values that agree with each other", "Correct one of them.")
    expected = _EXPECTED.get(kind) or _lower_first(detail["msg"].removeprefix("Input should be "))
    if kind == "string_pattern_mismatch":
        expected = _SHAPES.get(detail["ctx"]["pattern"], expected)
    if kind == "greater_than" and detail["ctx"]["gt"] == SMALLEST and value <= 0:
        expected = "greater than 0"
    unit = SUFFIXES.get(suffix_of(name) or "")
    if unit and kind in ("float_type", "greater_than", "greater_than_equal", "finite_number"):
        expected += f" in {unit}"
    return Problem(place, f"{name} = {_short(value)}", expected, "Correct the value.")


def _written(raw: Any, path: tuple[Any, ...]) -> tuple[Any, ...]:
    """A path as far as it stands in the document: pydantic adds the names of a union's branches."""
    for end, part in enumerate(path):
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return path[:end]
    return path


def _name(path: tuple[Any, ...]) -> str:
    """The last part of a path, an entry of a list with its list: `soc[5]`."""
    names = [index for index, part in enumerate(path) if isinstance(part, str)]
    return (dotted(path[names[-1] :]) if names else None) or ""


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) if isinstance(value, (date, time)) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _known_key(model: type[BaseModel], path: tuple[Any, ...]) -> tuple[str, str]:
    """What stands in place of an unknown key: the same quantity in our unit, or the nearest name."""
    fields, name = _fields_at(model, path[:-1]), str(path[-1])
    near = _near(fields, name)
    if near is None and "sources" in path[:-1]:
        return "source and status", 'Remove the key. A path has quotes around it: sources."envelope.height_mm" = ...'
    if near is None:
        return f"one of {', '.join(sorted(fields)[:12])}" if fields else "no key here", "Remove the key."
    unit = suffix_of(near)
    if unit and near.removesuffix(f"_{unit}") in _stems(name):
        return f"{near} (in {SUFFIXES[unit]})", f"Convert the value and rename the key to {near}."
    return near, f"Rename the key to {near}, or remove it."


def _near(fields: Sequence[str], name: str) -> str | None:
    """The field that an unknown key was meant for: the same quantity in another unit, or a like name."""
    for field in fields:
        unit = suffix_of(field)
        if unit and field.removesuffix(f"_{unit}") in _stems(name):
            return field
    return next(iter(difflib.get_close_matches(name[:100], fields, n=1, cutoff=0.6)), None)


def _stems(name: str) -> tuple[str, str]:
    """A key without its unit: the unit may be one of ours, or any other word."""
    return name.removesuffix(f"_{suffix_of(name)}"), name.rpartition("_")[0]


def _fields_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    current: Any = model
    parts = iter(path)
    for part in parts:
        if isinstance(part, int):
            continue
        field = getattr(current, "model_fields", {}).get(part)
        annotation = None if field is None else field.annotation
        if get_origin(annotation) is dict:
            next(parts, None)  # the key of an entry is the writer's
            annotation = get_args(annotation)[1]
        current = table_in(annotation)
        if current is None:
            return []
    return [field.alias or name for name, field in current.model_fields.items() if name != "template"]


def unsourced(record: Record, entry: Entry, prefix: tuple[str | int, ...] = ()) -> list[Problem]:
    """A warning for every number of a record, and of the records inside it, whose origin nobody wrote down."""
    problems = []
    for path, value in record.values():
        if record.source_of(path) is None:
            place = entry.locate((*prefix, *path.split(".")))
            key = f'"{path}"' if "." in path else path
            problems.append(
                Problem(
                    place,
                    f"{path} = {_short(value)} without origin",
                    "a source and a status beside it",
                    f'Add sources.{key} = {{ source = "...", status = "{"|".join(STATUSES)}" }}.',
                    severity="warning",
                )
            )
    for name in type(record).model_fields:
        inner = getattr(record, name)
        if isinstance(inner, Record):
            problems += unsourced(inner, entry, (*prefix, name))
        for index, item in enumerate(inner if isinstance(inner, tuple) else ()):
            if isinstance(item, Record):
                problems += unsourced(item, entry, (*prefix, name, index))
    return problems
