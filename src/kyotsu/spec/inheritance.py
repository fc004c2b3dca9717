"""`extends`: a record written as another one plus what differs.

A variant repeats nothing: `extends = "leaf_40"` takes every value of that record and replaces those that
it writes itself. A value keeps the origin that its own record gave it, so an overridden mass never
borrows the source of the mass it replaces. A key of `sources` covers what the variant writes below it; one
below which it writes nothing speaks of what it takes over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from kyotsu.errors import Location, Problem
from kyotsu.spec.document import Document, KeyPath
from kyotsu.spec.record import Source, covering_key

RECORD_TABLES = frozenset({"battery_bay"})  # tables inside a record that are records of their own
NOT_INHERITED = frozenset({"id", "extends", "template"})
MAX_LEVELS = 32  # of records that extend each other; deeper is no variant that a person wrote


@dataclass(frozen=True)
class Place:
    """Where a part of a record was written: the values below `under` stand below `prefix` in a document."""

    document: Document
    prefix: KeyPath
    under: KeyPath = ()
    of_base: bool = False

    def lends(self, path: KeyPath) -> bool:
        """Whether a value at this path may have been written here: a base does not lend its identity."""
        return not (self.of_base and len(path) == len(self.under) + 1 and path[-1] in NOT_INHERITED)


@dataclass(frozen=True)
class Entry:
    """One record as written, before or after its `extends` is resolved; its own place comes first."""

    raw: dict[str, Any]
    places: tuple[Place, ...]

    def locate(self, path: KeyPath) -> Location:
        """Where a value of the resolved record was written."""
        for place in self._holding(path):
            written = (*place.prefix, *path[len(place.under) :])
            if written in place.document.lines:
                return place.document.locate(written)
        own = self.places[0]
        return own.document.locate((*own.prefix, *path))

    def _holding(self, path: KeyPath) -> Iterator[Place]:
        """The places that may hold a value: a list replaces that of the base, so the first to have it counts."""
        replaced = -1  # length of the path to a list that an earlier place writes
        for place in self.places:
            if path[: len(place.under)] != place.under or len(place.under) <= replaced or not place.lends(path):
                continue
            yield place
            for end in range(len(place.under), len(path)):
                written = (*place.prefix, *path[len(place.under) : end])
                if isinstance(path[end], int) and written in place.document.lines:
                    replaced = max(replaced, end)

    def table(self, path: KeyPath) -> Entry:
        """A table inside the record as an entry of its own."""
        raw: Any = self.raw
        for part in path:
            raw = raw[part]
        places = tuple(Place(place.document, (*place.prefix, *path)) for place in self._holding(path))
        return Entry(raw, places)

    def without(self, *keys: str) -> Entry:
        """The record without some of its keys."""
        return Entry({key: value for key, value in self.raw.items() if key not in keys}, self.places)

    def with_table(self, path: KeyPath, table: Entry) -> Entry:
        """The record with one inner table replaced by a resolved one."""
        raw = _replaced(self.raw, path, table.raw)
        return Entry(raw, self.places + tuple(replace(place, under=path) for place in table.places))


def _replaced(raw: Any, path: KeyPath, value: Any) -> Any:
    if not path:
        return value
    copy: Any = raw.copy()
    copy[path[0]] = _replaced(raw[path[0]], path[1:], value)
    return copy


def resolve(
    entries: Mapping[str, Entry], bases: Mapping[str, Entry] | None = None, complete: bool = True
) -> tuple[dict[str, Entry], list[Problem]]:
    """Every entry with its `extends` resolved, against each other and against `bases`.

    Left out are entries in a circle, on too many levels, and with an unknown base. When some entries could
    not be read the rest is not `complete`, and an unknown base is no problem of its own.
    """
    known = {**(bases or {}), **entries}
    resolved: dict[str, Entry | None] = {  # None: left out
        name: None if "extends" in entry.raw else entry for name, entry in (bases or {}).items()
    }
    problems: list[Problem] = []
    for name in entries:
        chain, last = _chain(name, known, resolved)
        base = known[last].raw.get("extends")
        intact = base is None or last not in chain
        if not intact and isinstance(base, str) and base in chain:
            problems.append(_circle(known[last], [*chain[chain.index(base) :], base]))
        elif not intact and (complete or not isinstance(base, str)):
            problems.append(_unknown_base(known[last], known.keys() - {last}))
        for step in reversed(chain):
            base = known[step].raw.get("extends")
            below = resolved[base] if intact and base is not None else None
            resolved[step] = None
            if base is None:
                resolved[step] = known[step]
            elif below is not None and len(below.places) < MAX_LEVELS:
                resolved[step] = extend(known[step], below)
            elif below is not None:
                problems.append(_too_many_levels(known[step]))
    return {name: entry for name in entries if (entry := resolved[name]) is not None}, problems


def _chain(name: str, known: Mapping[str, Entry], resolved: Mapping[str, Entry | None]) -> tuple[list[str], str]:
    """The way from an entry down its bases, as far as they are new, and where it ended."""
    chain: dict[str, None] = {}
    step = name
    while step not in resolved:
        chain[step] = None
        base = known[step].raw.get("extends")
        if not isinstance(base, str) or base not in known or base in chain:
            break
        step = base
    return [*chain], step


def _unknown_base(entry: Entry, known: Iterable[str]) -> Problem:
    listed = ", ".join(sorted(known)[:8]) or "there is none yet"
    return Problem(
        entry.locate(("extends",)),
        f"extends = {str(entry.raw['extends'])!r:.60}",
        f"the id of a record of the same kind: {listed}",
        "Correct the id, or write the record in full.",
    )


def _circle(entry: Entry, names: Iterable[str]) -> Problem:
    return Problem(
        entry.locate(("extends",)),
        f"a circle: {' -> '.join(names)}",
        "records that extend in one direction",
        "Break the circle.",
    )


def _too_many_levels(entry: Entry) -> Problem:
    return Problem(
        entry.locate(("extends",)),
        f"more than {MAX_LEVELS} records that extend each other",
        f"at most {MAX_LEVELS} levels",
        "Extend a record nearer to the first.",
    )


def extend(entry: Entry, base: Entry) -> Entry:
    """The entry laid over its base: tables merge, everything else is replaced."""
    below = with_explicit_sources(base.raw)
    own = {key: value for key, value in with_explicit_sources(entry.raw, below).items() if key != "extends"}
    inherited = {key: value for key, value in _without_sources_of(own, below).items() if key not in NOT_INHERITED}
    return Entry(_merged(inherited, own), entry.places + tuple(replace(place, of_base=True) for place in base.places))


def _without_sources_of(own: Mapping[str, Any], below: dict[str, Any]) -> dict[str, Any]:
    """The base without the origins of what the entry writes itself: a new value has its own origin or none."""
    result = {
        key: _without_sources_of(own[key], value)
        if key in RECORD_TABLES and isinstance(value, dict) and isinstance(own.get(key), dict)
        else value
        for key, value in below.items()
    }
    if isinstance(below.get("sources"), dict):
        sources = {key: value for key, value in below["sources"].items() if _is_origin(value)}
        for path in _leaves(own, ""):
            while (key := covering_key(sources, path)) is not None:
                del sources[key]
        result["sources"] = sources
    return result


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def with_explicit_sources(raw: dict[str, Any], below: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The same record with `sources` spelled out value by value, so that merging cannot mix them up.

    A key that covers no value of the record covers those of the record `below`; `"*"` never does. One that
    covers nothing at all is kept as it is: the schema judges it.
    """
    below = below or {}
    result = dict(raw)
    for name in RECORD_TABLES & raw.keys():
        if isinstance(raw[name], dict):
            inner = below.get(name)
            result[name] = with_explicit_sources(raw[name], inner if isinstance(inner, dict) else None)
    written = raw.get("sources")
    if not isinstance(written, dict):
        return result
    sources = {key: value for key, value in written.items() if _is_origin(value)}
    own, inherited = _leaves(raw, ""), _leaves(below, "")
    explicit = {path: sources[key] for path in own if (key := covering_key(sources, path)) is not None}
    used = {covering_key(sources, path) for path in own} | {"*"}
    unused = {key: value for key, value in sources.items() if key not in used}
    for path in set(inherited) - set(own):
        key = covering_key(unused, path)
        if key is not None:
            used.add(key)
            explicit[path] = sources[key]
    result["sources"] = {
        key: value for key, value in written.items() if key not in used or key not in sources
    } | explicit
    return result


def _is_origin(value: object) -> bool:
    """Whether a value is a source with its status; what is none is told where it stands, and not inherited."""
    try:
        Source.model_validate(value)
    except ValidationError:
        return False
    return True


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
