"""A workspace on disk that a test bends.

In `two_makers` everything is stated and every check passes: two makers share one battery module and one
e-axle. A `Folder` is a copy of it, in which a test changes one thing at a time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from kyotsu.errors import Problem
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.record import Record, Table
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import Workspace, check_workspace, load_workspace

RecordT = TypeVar("RecordT", bound=Record)

TWO_MAKERS = Path(__file__).parent / "two_makers"


class Folder:
    """A workspace on disk, and what is wrong with it."""

    def __init__(self, root: Path, source: Path | None = TWO_MAKERS) -> None:
        self.root = root
        if source is not None:
            shutil.copytree(source, root, dirs_exist_ok=True)

    def path(self, name: str) -> Path:
        return self.root / name

    def write(self, name: str, text: str | bytes) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def text(self, name: str) -> str:
        return self.path(name).read_text("utf-8")

    def line(self, name: str, words: str) -> int:
        """The line on which `words` stand first."""
        before, found, _ = self.text(name).partition(words)
        assert found, f"{words!r} does not stand in {name}"
        return before.count("\n") + 1

    def change(self, name: str, old: str, new: str) -> int:
        """Put `new` in the first place of `old`; the line on which it stands."""
        line = self.line(name, old)
        self.write(name, self.text(name).replace(old, new, 1))
        return line

    def append(self, name: str, text: str) -> int:
        """Add `text` at the end; the line on which it starts."""
        line = self.text(name).count("\n") + 1
        self.write(name, self.text(name) + text)
        return line

    def problems(self) -> list[Problem]:
        return check_workspace(self.root)[1]

    def problem(self) -> Problem:
        """The one problem that there is."""
        problems = self.problems()
        assert len(problems) == 1, "\n".join(str(problem) for problem in problems) or "no problem"
        return problems[0]

    def load(self) -> Workspace:
        return load_workspace(self.root)

    def at(self, problem: Problem) -> tuple[str, int | None, str | None]:
        """A problem's place, its file as named in the workspace."""
        file = Path(problem.location.file or "").relative_to(self.root)
        return file.as_posix(), problem.location.line, problem.location.key


def changed(record: RecordT, changes: Mapping[str, Any]) -> RecordT:
    """The record with other values at dotted paths, read anew; `None` takes a value away."""
    raw = record.model_dump(mode="json")
    for path, value in changes.items():
        *tables, name = path.split(".")
        table: Any = raw
        for part in tables:
            table = table[int(part)] if isinstance(table, list) else table[part]
        table[name] = value
    return type(record).model_validate(raw)


def stated_paths(record: Record) -> list[str]:
    """The dotted path of every value that a record states and might leave open."""
    return [*_stated(record, "")]


def _stated(table: Table, prefix: str) -> Iterator[str]:
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        inner = value if isinstance(value, tuple) else ()
        if isinstance(value, Table) and field.default is not None:
            yield from _stated(value, f"{prefix}{name}.")
        elif field.default is None and value is not None:
            yield f"{prefix}{name}"
        for index, item in enumerate(inner):
            if isinstance(item, Table):
                yield from _stated(item, f"{prefix}{name}.{index}.")


def module_of(workspace: Workspace) -> BatteryModule:
    return workspace.battery_modules["block_8s"]


def eaxle_of(workspace: Workspace) -> EAxle:
    return workspace.eaxles["drive_100"]


def vehicle_of(workspace: Workspace) -> Vehicle:
    return workspace.vehicles["alpha/hatch"]


def pack_of(workspace: Workspace) -> BatteryModule:
    """Twelve of the modules as one pack, so that nothing about its layout is left to choose."""
    part = module_of(workspace)
    curve = part.curves.resistance
    assert curve is not None
    return changed(
        part,
        {
            "id": "pack_96s",
            "level": "pack",
            "conforms_to": [],
            "cells_series": 96,
            "nominal_voltage_v": 355.2,
            "energy_kwh": 39.6,
            "mass_kg": 300.0,
            "curves.resistance.resistance_mohm": [12.0 * value for value in curve.resistance_mohm],
            "envelope.length_mm": 990.0,
            "envelope.width_mm": 890.0,
            "electrical.insulation_mega_ohm": 8.0,
            "thermal.flow_l_min": 12.0,
            "communication.cell_voltage_taps": 96,
            "service.traceability_code": "X12PCPM27KLPCLX2M2382320",
        },
    )


def car_for_packs(workspace: Workspace) -> Vehicle:
    return changed(vehicle_of(workspace), {"battery_bay.accepts": ["pack"]})
