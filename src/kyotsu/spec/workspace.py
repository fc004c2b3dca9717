"""A workspace: the folder in which an alliance writes down what it has and wants.

    alliance.toml                     name, year, markets, agreements, adopted standards
    standards/*.toml                  [[standard]]; slots.toml: [[battery_bay]], [[eaxle_mount]] to extend
    parts/battery_modules.toml        [[battery_module]]
    parts/eaxles.toml                 [[eaxle]]
    parts/cells/*.json                cells, BPX
    makers/<name>/maker.toml          a maker; the folder's name is its identity
    makers/<name>/vehicles.toml       [[vehicle]]

Rooms above read what else a maker's folder may hold: `demand.toml`, and of its bus `bus.dbc` and `signals.toml`.

It loads whole: `load_workspace` returns everything or raises with everything that is wrong.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.alliance import Alliance, Maker
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.cell import Cell, load_cell
from kyotsu.spec.document import Document, dotted, read_toml
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.inheritance import Entry, Place, resolve
from kyotsu.spec.migration import migrate
from kyotsu.spec.record import IDENTIFIER, IDENTIFIER_WORDS, Record
from kyotsu.spec.references import reference_problems
from kyotsu.spec.slots import BatteryBay, EAxleMount
from kyotsu.spec.standard import Part, Standard
from kyotsu.spec.validation import own_problems, read_record, unsourced
from kyotsu.spec.vehicle import Vehicle

RecordT = TypeVar("RecordT", bound=Record)

REFERRED_TO = ("battery_module", "cell", "eaxle", "maker", "standard")  # kinds that records name
MAKER_FILES = ("maker.toml", "vehicles.toml")
LATER_FILES = frozenset({"choice.toml", "bus.dbc", "signals.toml", "demand.toml", "supply.toml"})  # of the rooms above


@dataclass(frozen=True)
class Workspace:
    """Everything an alliance wrote down, checked.

    Attributes:
        root: the folder.
        makers: by folder name.
        vehicles: by `maker/id`, templates left out.
        battery_modules, eaxles: by id, templates left out.
        standards: by `id@version`.
        cells: by file name without ending.
        warnings: what is questionable but usable.
        entries: the written form of every record, to say where a value stands.
    """

    root: Path
    alliance: Alliance
    makers: Mapping[str, Maker]
    vehicles: Mapping[str, Vehicle]
    battery_modules: Mapping[str, BatteryModule]
    eaxles: Mapping[str, EAxle]
    standards: Mapping[str, Standard]
    cells: Mapping[str, Cell]
    warnings: tuple[Problem, ...] = ()
    entries: Mapping[str, Entry] = field(default_factory=dict, repr=False)

    @property
    def parts(self) -> dict[str, Part]:
        """Battery modules and e-axles by id."""
        return {**self.battery_modules, **self.eaxles}

    def locate(self, name: str, path: str = "") -> Location:
        """The file and line of a value; `name` is a part's id, `maker/id` or `id@version`."""
        entry = self.entries.get(name)
        if entry is None:
            return Location(str(self.root), None, path or None)
        return entry.locate(tuple(int(part) if part.isdigit() else part for part in path.split(".") if part))


def load_workspace(root: Path) -> Workspace:
    """The workspace in a folder.

    Raises:
        InputError: with every problem of every file.
    """
    workspace, problems = check_workspace(root)
    errors = [problem for problem in problems if problem.severity == "error"]
    if workspace is None or errors:
        raise InputError(errors or problems)
    return workspace


def check_workspace(root: Path) -> tuple[Workspace | None, list[Problem]]:
    """The workspace in a folder if it is usable, and all that is wrong or questionable in it."""
    try:
        status = root.stat()
        found = "" if stat.S_ISDIR(status.st_mode) else "a file"
    except OSError as error:
        found = "no such folder" if isinstance(error, FileNotFoundError) else f"{error.strerror or error}"
    if found:
        return None, [
            Problem(Location(str(root)), found, "the folder of a workspace", "Give a folder with alliance.toml.")
        ]
    reader = _Reader(root)
    workspace = reader.workspace()
    problems = sorted(dict.fromkeys(reader.problems), key=lambda problem: (problem.severity, _order(problem.location)))
    return workspace, problems


def _order(place: Location) -> tuple[str, int, str]:
    return place.file or "", place.line or 0, place.key or ""


class _Reader:
    """Reads the files of one workspace and gathers what is wrong."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.entries: dict[str, Entry] = {}
        self.names = {kind: set[str]() for kind in REFERRED_TO}  # written down, whether valid or not
        self.incomplete: set[str] = set()  # kinds of which something could not be read: who knows its name

    def workspace(self) -> Workspace | None:
        slots = self.slot_templates()
        alliance = self.table(Alliance, "alliance.toml")
        standards = self.standards()
        cells = self.cells()
        modules = self.records(BatteryModule, "parts/battery_modules.toml", "battery_module")
        eaxles = self.records(EAxle, "parts/eaxles.toml", "eaxle")
        makers, vehicles = self.makers(slots)
        self.unexpected_files()
        if alliance is None:
            return None
        workspace = Workspace(self.root, alliance, makers, vehicles, modules, eaxles, standards, cells)
        names = {kind: None if kind in self.incomplete else known for kind, known in self.names.items()}
        self.problems.extend(reference_problems(workspace, self.entries, names))
        warnings = tuple(dict.fromkeys(problem for problem in self.problems if problem.severity == "warning"))
        return Workspace(
            self.root, alliance, makers, vehicles, modules, eaxles, standards, cells, warnings, self.entries
        )

    def document(self, name: str, required: bool = True) -> Document | None:
        """A file of the workspace in today's format; what is wrong with it is kept."""
        path = self.root / name
        if not required and not any(self.root.glob(name)):
            return Document(self.shown(path), {})
        document, problems = read_toml(path, self.shown(path))
        self.problems.extend(problems)
        if document is None:
            return None
        document, problems = migrate(document)
        self.problems.extend(problems)
        return document

    def shown(self, path: Path) -> str:
        """A file's name as the user gave its folder; bytes that are no text are spelled out."""
        return os.fsencode(path).decode("utf-8", "backslashreplace")

    def table(self, model: type[Any], name: str) -> Any:
        """A file that is one table."""
        document = self.document(name)
        if document is None:
            return None
        entry = Entry(document.content, (Place(document, ()),))
        self.entries[name] = entry
        record, problems = read_record(model, entry)
        self.problems.extend(problems)
        return record

    def listed(self, document: Document | None, *kinds: str) -> Iterator[tuple[str, Entry]]:
        """Every entry of the lists of tables in a document, with its kind."""
        if document is None:
            self.incomplete.update(kinds)
            return
        for key, value in document.content.items():
            if key == "format":
                continue
            if key not in kinds:
                expected = " and ".join(f"[[{kind}]]" for kind in kinds)
                self.problems.append(
                    Problem(document.locate((key,)), f"unknown key {key!r}", expected, "Remove or rename the key.")
                )
            elif not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
                self.problems.append(
                    Problem(
                        document.locate((key,)),
                        f"{key} as a single value",
                        f"[[{key}]]",
                        "Use double brackets.",
                    )
                )
            else:
                for index, item in enumerate(value):
                    yield key, Entry(item, (Place(document, (key, index)),))

    def named(self, entries: Iterator[tuple[str, Entry]]) -> dict[str, Entry]:
        """Entries by id; those without an id or with one that is taken are reported and left out."""
        result: dict[str, Entry] = {}
        for kind, entry in entries:
            name = entry.raw.get("id")
            if not isinstance(name, str):
                self.incomplete.add(kind)
                found = "no key 'id'" if name is None else f"id = {str(name)[:60]}"
                self.problems.append(
                    Problem(entry.locate(("id",)), found, "an id in quotes", f"Give this {kind} an id.")
                )
            elif name in result:
                first = result[name].locate(("id",))
                found = f"id {name[:64]!r} a second time, first in {first.file} line {first.line}"
                self.problems.append(
                    Problem(
                        entry.locate(("id",)),
                        found,
                        "ids that are unique",
                        "Rename or remove one of the two.",
                    )
                )
            else:
                result[name] = entry
        return result

    def read_all(self, model: type[RecordT], entries: Mapping[str, Entry], scope: str = "") -> dict[str, RecordT]:
        """The valid records among resolved entries, templates left out."""
        records: dict[str, RecordT] = {}
        for name, entry in entries.items():
            if entry.raw.get("template") is True or "extends" in entry.raw:
                # A template, or unresolved: judge what it says itself, not what it lacks.
                self.problems.extend(own_problems(model, entry))
                continue
            record, problems = read_record(model, entry)
            self.problems.extend(problem for problem in problems if not self.inherited(problem, entry))
            if record is not None:
                records[f"{scope}{name}"] = record
                self.entries[f"{scope}{name}"] = entry
        for name, record in records.items():
            entry = self.entries[name]
            if not self.spoiled(entry):  # an origin that is none is told, and not missed in what inherits it
                self.problems.extend(unsourced(record, entry))
        return records

    def spoiled(self, entry: Entry) -> bool:
        """Whether something is wrong in a record that this one extends."""
        bases = {(place.document.file, dotted(place.prefix)) for place in entry.places if place.of_base}
        return any(
            problem.severity == "error" and (problem.location.key or "").startswith(f"{key}.")
            for problem in self.problems
            for file, key in bases
            if problem.location.file == file
        )

    def inherited(self, problem: Problem, entry: Entry) -> bool:
        """Whether a problem of a record as a whole was already told of the record that it extends."""
        whole, *bases = [place.document.locate(place.prefix) for place in entry.places]
        said = {(known.location, known.found) for known in self.problems}
        return problem.location == whole and any((base, problem.found) in said for base in bases)

    def records(self, model: type[RecordT], name: str, kind: str) -> dict[str, RecordT]:
        """All records of one kind in one file."""
        entries = self.resolved(kind, self.named(self.listed(self.document(name), kind)))
        self.names[kind] |= {name for name, entry in entries.items() if entry.raw.get("template") is not True}
        return self.read_all(model, entries)

    def resolved(
        self, kind: str, entries: Mapping[str, Entry], bases: Mapping[str, Entry] | None = None
    ) -> dict[str, Entry]:
        result, problems = resolve(entries, bases, kind not in self.incomplete)
        self.problems.extend(problems)
        return {name: result.get(name, entry) for name, entry in entries.items()}

    def standards(self) -> dict[str, Standard]:
        """All versions of all standards."""
        result: dict[str, Standard] = {}
        for path in sorted((self.root / "standards").glob("*.toml")):
            if path.name == "slots.toml":
                continue
            for _, entry in self.listed(self.document(f"standards/{path.name}"), "standard"):
                standard, problems = read_record(Standard, entry)
                self.problems.extend(problems)
                self.names["standard"].add(f"{entry.raw.get('id')}@{entry.raw.get('version')}")
                if standard is None:
                    continue
                if standard.reference in result:
                    first = self.entries[standard.reference].locate(("id",))
                    found = f"{standard.reference} a second time, first in {first.file} line {first.line}"
                    self.problems.append(
                        Problem(entry.locate(("id",)), found, "one entry for each version", "Raise the version.")
                    )
                    continue
                result[standard.reference] = standard
                self.entries[standard.reference] = entry
        return result

    def slot_templates(self) -> dict[str, dict[str, Entry]]:
        """Slots that vehicles may extend, by kind and id."""
        found = list(self.listed(self.document("standards/slots.toml", required=False), "battery_bay", "eaxle_mount"))
        models: dict[str, type[Record]] = {"battery_bay": BatteryBay, "eaxle_mount": EAxleMount}
        templates = {}
        for kind, model in models.items():
            named = self.named((key, entry) for key, entry in found if key == kind)
            templates[kind] = self.resolved(kind, named)
            for entry in templates[kind].values():
                self.problems.extend(own_problems(model, entry))
        return templates

    def cells(self) -> dict[str, Cell]:
        """All cells, by file name."""
        cells: dict[str, Cell] = {}
        for path in sorted((self.root / "parts" / "cells").glob("*.json")):
            cell, problems = load_cell(path, self.shown(path))
            self.problems.extend(problems)
            self.names["cell"].add(path.stem)
            self.named_well(path, path.stem)
            if cell is not None:
                cells[cell.id] = cell
        return cells

    def makers(self, slots: Mapping[str, Mapping[str, Entry]]) -> tuple[dict[str, Maker], dict[str, Vehicle]]:
        """All makers and their vehicles."""
        makers: dict[str, Maker] = {}
        vehicles: dict[str, Vehicle] = {}
        folders = [path for path in sorted(self.root.glob("makers/*/")) if not path.name.startswith(".")]
        if not folders:
            self.problems.append(
                Problem(
                    Location(self.shown(self.root / "makers")),
                    "no maker",
                    "one folder for each maker",
                    "Add makers/<name>/.",
                )
            )
        for folder in folders:
            name = folder.name
            self.names["maker"].add(name)
            self.named_well(folder, name)
            maker = self.table(Maker, f"makers/{name}/maker.toml")
            if maker is not None:
                makers[name] = maker
            self.incomplete.discard("vehicle")  # a vehicle extends those of its own file only
            entries = self.named(self.listed(self.document(f"makers/{name}/vehicles.toml"), "vehicle"))
            resolved = self.resolved("vehicle", entries)
            filled = {key: self.with_slots(entry, slots) for key, entry in resolved.items()}
            vehicles.update(self.read_all(Vehicle, filled, f"{name}/"))
        return makers, vehicles

    def named_well(self, path: Path, name: str) -> None:
        """A file or folder whose name is an identity has a name that others can refer to."""
        if re.fullmatch(IDENTIFIER, name) is None:
            place, found = Location(self.shown(path)), f"the name {self.shown(Path(name))!r}"
            self.problems.append(Problem(place, found, IDENTIFIER_WORDS, "Rename it."))

    def with_slots(self, entry: Entry, slots: Mapping[str, Mapping[str, Entry]]) -> Entry:
        """A vehicle's entry with the `extends` of its slots resolved; if one cannot be, the entry cannot."""
        mounts = entry.raw.get("eaxle_mounts")
        paths: list[tuple[str, tuple[str | int, ...]]] = [("battery_bay", ("battery_bay",))]
        if isinstance(mounts, list):
            paths += [("eaxle_mount", ("eaxle_mounts", index)) for index in range(len(mounts))]
        for kind, path in paths:
            slot = entry.raw.get("battery_bay") if kind == "battery_bay" else mounts[path[1]]  # type: ignore[index]
            if isinstance(slot, dict) and "extends" in slot:
                found = self.resolved(kind, {"": entry.table(path)}, slots[kind])[""]
                if "extends" in found.raw:
                    found = found.without("extends")
                    entry = replace(entry, raw={**entry.raw, "extends": slot["extends"]})
                entry = entry.with_table(path, found)
        return entry

    def unexpected_files(self) -> None:
        """A TOML or DBC file that nothing reads is a typing error: say so."""
        expected = {"alliance.toml", "parts/battery_modules.toml", "parts/eaxles.toml"}
        for path in sorted(self.root.glob("*.toml")) + sorted(self.root.glob("parts/*.toml")):
            name = str(path.relative_to(self.root))
            if name not in expected and path.name not in LATER_FILES:
                self._unread(path, "a file of a workspace")
        for path in sorted([*self.root.glob("makers/*/*.toml"), *self.root.glob("makers/*/*.dbc")]):
            if path.name not in MAKER_FILES and path.name not in LATER_FILES:
                self._unread(path, " or ".join(MAKER_FILES))

    def _unread(self, path: Path, expected: str) -> None:
        self.problems.append(
            Problem(
                Location(self.shown(path)),
                "a file that nothing reads",
                expected,
                "Correct its name, or move it out of the workspace.",
                severity="warning",
            )
        )
