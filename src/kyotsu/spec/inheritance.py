"""`extends`: a record written as another one plus what differs.

A variant repeats nothing: `extends = "leaf_40"` takes every value of that record and replaces those that
it writes itself. A value keeps the origin that its own record gave it, so an overridden mass never
borrows the source of the mass it replaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kyotsu.errors import Location, Problem
from kyotsu.spec.document import Document, KeyPath
from kyotsu.spec.record import covering_key

RECORD_TABLES = frozenset({"battery_bay"})  # tables inside a record that are records of their own
NOT_INHERITED = frozenset({"id", "extends", "template"})


@dataclass(frozen=True)
class Place:
    """Where a part of a record was written: the values below `under` stand below `prefix` in a document."""

    document: Document
    prefix: KeyPath
    under: KeyPath = ()


@dataclass(frozen=True)
class Entry:
    """One record as written, before or after its `extends` is resolved; its own place comes first."""

    raw: dict[str, Any]
    places: tuple[Place, ...]

    def locate(self, path: KeyPath) -> Location:
        """Where a value of the resolved record was written."""
        for place in self.places:
            if path[: len(place.under)] == place.under:
                written = (*place.prefix, *path[len(place.under) :])
                if written in place.document.lines:
                    return place.document.locate(written)
        own = self.places[0]
        return own.document.locate((*own.prefix, *path))

    def table(self, path: KeyPath) -> Entry:
        """A table inside the record as an entry of its own."""
        raw: Any = self.raw
        for part in path:
            raw = raw[part]
        return Entry(raw, tuple(Place(place.document, (*place.prefix, *path)) for place in self.places))

    def with_table(self, path: KeyPath, table: Entry) -> Entry:
        """The record with one inner table replaced by a resolved one."""
        raw = _replaced(self.raw, path, table.raw)
        return Entry(
            raw, self.places + tuple(Place(place.document, place.prefix, path) for place in table.places)
        )


def _replaced(raw: Any, path: KeyPath, value: Any) -> Any:
    if not path:
        return value
    copy: Any = raw.copy()
    copy[path[0]] = _replaced(raw[path[0]], path[1:], value)
    return copy


def resolve(entries: Mapping[str, Entry]) -> tuple[dict[str, Entry], list[Problem]]:
    """Every entry with its `extends` resolved; entries in a cycle or with an unknown base are left out."""
    resolved: dict[str, Entry] = {}
    problems: list[Problem] = []
    for name in entries:
        _resolve_one(name, entries, resolved, problems)
    return resolved, problems


def _resolve_one(
    name: str, entries: Mapping[str, Entry], resolved: dict[str, Entry], problems: list[Problem]
) -> Entry | None:
    chain = [name]
    while (base := entries[chain[-1]].raw.get("extends")) is not None and chain[-1] not in resolved:
        place = entries[chain[-1]].locate(("extends",))
        if not isinstance(base, str) or base not in entries:
            if len(chain) == 1:
                known = f"the id of a record of the same kind: {', '.join(sorted(entries)[:8])}"
                problems.append(
                    Problem(
                        place, f"extends = {base!r}", known, "Correct the id, or write the record in full."
                    )
                )
            return None
        if base in chain:
            cycle = " -> ".join([*chain[chain.index(base) :], base])
            if chain[0] == min(chain[chain.index(base) :]):
                problems.append(
                    Problem(
                        place,
                        f"a circle: {cycle}",
                        "records that extend in one direction",
                        "Break the circle.",
                    )
                )
            return None
        chain.append(base)
    for step in reversed(chain):
        if step not in resolved:
            base = entries[step].raw.get("extends")
            resolved[step] = entries[step] if base is None else extend(entries[step], resolved[base])
    return resolved[name]


def extend(entry: Entry, base: Entry) -> Entry:
    """The entry laid over its base: tables merge, everything else is replaced."""
    inherited = {
        key: value for key, value in with_explicit_sources(base.raw).items() if key not in NOT_INHERITED
    }
    own = {key: value for key, value in with_explicit_sources(entry.raw).items() if key != "extends"}
    return Entry(_merged(inherited, own), entry.places + base.places)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def with_explicit_sources(raw: dict[str, Any]) -> dict[str, Any]:
    """The same record with `sources` spelled out value by value, so that merging cannot mix them up.

    A key of `sources` that covers no value is kept as it is: the schema judges it.
    """
    result = {
        key: with_explicit_sources(value) if key in RECORD_TABLES and isinstance(value, dict) else value
        for key, value in raw.items()
    }
    sources = raw.get("sources")
    if not isinstance(sources, dict):
        return result
    explicit: dict[str, Any] = {}
    used: set[str] = set()
    for path in _leaves(raw, ""):
        key = covering_key(sources, path)
        if key is not None:
            used.add(key)
            explicit[path] = sources[key]
    result["sources"] = {key: value for key, value in sources.items() if key not in used} | explicit
    return result


def _leaves(table: Mapping[str, Any], prefix: str) -> list[str]:
    paths: list[str] = []
    for key, value in table.items():
        if key in ("id", "extends", "sources", "template", "waived") or (not prefix and key in RECORD_TABLES):
            continue
        if isinstance(value, dict):
            paths.extend(_leaves(value, f"{prefix}{key}."))
        else:
            paths.append(f"{prefix}{key}")
    return paths
