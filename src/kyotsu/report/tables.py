"""The tables of the report: what to ask whom, cycles that were missed, consumption on every cycle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from kyotsu.report.changes import Mark, bounds
from kyotsu.report.numbers import number, signed, span, with_unit
from kyotsu.report.words import (
    BUILD_WORDS,
    CYCLE_WORDS,
    LIMITER_WORDS,
    Record,
    by_vehicle,
    part_name,
    vehicle_name,
    worded,
)


class Question(NamedTuple):
    """A value that nobody stated."""

    text: str
    field: str
    checks: str
    pairs: int


class AskedRecord(NamedTuple):
    """The questions about one part or vehicle, and where the answers go."""

    name: str
    record: str
    place: str
    questions: tuple[Question, ...]


class Asked(NamedTuple):
    """All questions to one supplier or maker."""

    ask: str
    records: tuple[AskedRecord, ...]
    total: int
    pairs: int


def questions(record: Record) -> list[Asked]:
    """What to ask whom, those first for whose answers most pairs wait."""
    by_owner: dict[str, dict[str, list[Record]]] = {}
    for row in record.get("unknowns", []):
        by_owner.setdefault(row["ask"], {}).setdefault(row["record"], []).append(row)
    asked = [
        Asked(
            owner,
            tuple(_asked_record(record, name, rows) for name, rows in records.items()),
            sum(map(len, records.values())),
            max(row["pairs"] for rows in records.values() for row in rows),
        )
        for owner, records in by_owner.items()
    ]
    return sorted(asked, key=lambda item: (-item.pairs, -item.total, item.ask))


def _asked_record(record: Record, name: str, rows: Sequence[Record]) -> AskedRecord:
    first = rows[0]
    place = f"{first['file'] or 'workspace'}:{first['line']}" if first["line"] else first["file"] or "workspace"
    known = name in record.get("parts", {})
    return AskedRecord(
        part_name(record, name) if known else vehicle_name(record, name), name, place,
        tuple(Question(row["question"], row["field"], row["checks"], row["pairs"]) for row in rows),
    )  # fmt: skip


class Miss(NamedTuple):
    """A build that was slower than a cycle asks."""

    name: str
    build: str
    cycle: str
    missed: str
    shortfall: str
    limited_by: str


def misses(record: Record) -> list[Miss]:
    """Every missed trace."""
    return [
        Miss(
            vehicle_name(record, row["vehicle"]), worded(BUILD_WORDS, row["build"]),
            worded(CYCLE_WORDS, row["cycle"]), number(row["missed_s"], 0), number(row["shortfall_km_h"], 1),
            worded(LIMITER_WORDS, row["limited_by"]) or "—",
        )
        for row in by_vehicle(record.get("cycles", []))
        if row["missed_s"]
    ]  # fmt: skip


class CycleTable(NamedTuple):
    """Consumption of every build on every cycle."""

    cycles: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]


def cycle_table(record: Record) -> CycleTable:
    """Consumption from the wall of every build on every cycle [Wh/km]."""
    rows = by_vehicle(record.get("cycles", []))
    cycles = tuple(dict.fromkeys(row["cycle"] for row in rows))
    found = {(row["vehicle"], row["build"], row["cycle"]): row for row in rows}
    builds = dict.fromkeys((row["vehicle"], row["build"]) for row in rows)
    return CycleTable(
        tuple(worded(CYCLE_WORDS, cycle) for cycle in cycles),
        tuple(
            (
                vehicle_name(record, vehicle), worded(BUILD_WORDS, build),
                tuple(_consumption(found.get((vehicle, build, cycle), {})) for cycle in cycles),
            )
            for vehicle, build in builds
        ),
    )  # fmt: skip


def _consumption(row: Record) -> tuple[str, str]:
    """A cycle's consumption and its interval."""
    return number(row.get("ac_wh_per_km")), span(*bounds(row, "ac_wh_per_km"))


class PublishedFigure(NamedTuple):
    """A published figure beside the simulated one."""

    label: str
    published: str
    simulated: str
    expected: str
    difference: str
    inside: bool


class PublishedRow(NamedTuple):
    """A vehicle's published figures."""

    name: str
    figures: tuple[PublishedFigure, ...]


FIGURES = {
    "udds_ac_wh_per_km": ("Consumption, UDDS", "Wh/km", 0),
    "hwfet_ac_wh_per_km": ("Consumption, HWFET", "Wh/km", 0),
    "wltp_ac_wh_per_km": ("Consumption, WLTP", "Wh/km", 0),
    "label_range_km": ("Range, EPA label", "km", 0),
    "wltp_range_km": ("Range, WLTP", "km", 0),
    "jc08_range_km": ("Range, JC08", "km", 0),
    "zero_to_100_km_h_s": ("0\u2013100 km/h", "s", 1),
    "top_speed_km_h": ("Top speed", "km/h", 0),
    "charge_10_to_80_min": ("Charging 10\u201380 %", "min", 0),
}


def published_rows(record: Record) -> list[PublishedRow]:
    """Every vehicle as built beside what is published of it."""
    rows: dict[str, list[PublishedFigure]] = {}
    for row in by_vehicle(record.get("published", [])):
        label, unit, digits = FIGURES.get(row["figure"], (row["figure"].replace("_", " "), "", 1))
        rows.setdefault(row["vehicle"], []).append(
            PublishedFigure(
                label,
                with_unit(number(row["published"], digits), unit),
                with_unit(number(row["simulated"], digits), unit),
                span(row["low"], row["high"], digits),
                with_unit(signed(row["difference_pct"], 1), "%"),
                bool(row["inside"]),
            )
        )
    return [PublishedRow(vehicle_name(record, vehicle), tuple(figures)) for vehicle, figures in rows.items()]


class BuildRow(NamedTuple):
    """One build in full."""

    name: str
    build: str
    parts: tuple[Mark, ...]
    values: tuple[str, ...]
    notes: str


BUILD_COLUMNS = (
    ("energy_kwh", 1), ("usable_kwh", 1), ("nominal_voltage_v", 0), ("curb_mass_kg", 0), ("test_mass_kg", 0),
    ("battery_cost_usd", 0), ("drive_cost_usd", 0),
)  # fmt: skip


def build_rows(record: Record, parts: Callable[[Record], tuple[Mark, ...]]) -> list[BuildRow]:
    """Every build; `parts` says what fills its slots."""
    return [
        BuildRow(
            row["name"], worded(BUILD_WORDS, row["build"]), parts(row),
            tuple(number(row.get(name), digits) for name, digits in BUILD_COLUMNS), row.get("notes") or "",
        )
        for row in by_vehicle(record.get("builds", []))
    ]  # fmt: skip
