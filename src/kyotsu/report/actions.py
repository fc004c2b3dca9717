"""What it takes to build the common parts in: every check that they do not simply pass, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kyotsu.report.changes import Builds, fitted_pairs
from kyotsu.report.matrix import FindingRecord, PairKey
from kyotsu.report.words import MARKS, RANKS, Record, part_name, vehicle_name
from kyotsu.spec.finding import Verdict


class Action(NamedTuple):
    """What one check of one common part asks for, and in which vehicles.

    Attributes:
        text: what to do, or why it fails, or what to ask.
        vehicles: names; `every` says that they are all that have the part.
    """

    verdict: str
    mark: str
    part: str
    check: str
    title: str
    text: str
    vehicles: tuple[str, ...]
    every: bool


def actions(record: Record, builds: Builds, findings: Mapping[PairKey, list[FindingRecord]]) -> list[Action]:
    """Everything that the common parts still need in the rebuilt vehicles, what fails first."""
    users: dict[str, dict[str, None]] = {}
    wanted: dict[tuple[str, str, str, str, str], dict[str, None]] = {}
    for vehicle, part, row in _open_findings(record, builds, findings, users):
        key = (row["verdict"], part, row["check"], row["title"], _text(row))
        wanted.setdefault(key, {})[vehicle] = None
    listed = [
        Action(
            verdict, MARKS[Verdict(verdict)], part_name(record, part), check, title, text,
            tuple(vehicle_name(record, vehicle) for vehicle in vehicles), len(vehicles) == len(users[part]),
        )
        for (verdict, part, check, title, text), vehicles in wanted.items()
    ]  # fmt: skip
    return sorted(listed, key=lambda item: (-RANKS[item.verdict], -len(item.vehicles)))


def _open_findings(
    record: Record,
    builds: Builds,
    findings: Mapping[PairKey, list[FindingRecord]],
    users: dict[str, dict[str, None]],
) -> Iterator[tuple[str, str, FindingRecord]]:
    for build in builds.after.values():
        for key in _parts(record, build, findings):
            users.setdefault(key[2], {})[key[0]] = None
            yield from ((key[0], key[2], row) for row in findings[key] if row["verdict"] != Verdict.PASS.value)


def _parts(record: Record, build: Record, known: Iterable[PairKey]) -> Iterable[PairKey]:
    return (key for _, key in fitted_pairs(record, build, known) if key is not None)


def _text(row: FindingRecord) -> str:
    conditional = row["verdict"] == Verdict.CONDITIONAL.value
    return str(row["action"] if conditional and row["action"] else row["reason"])
