"""What the report's plots show: positions in per cent of an axis, worked out here and drawn by the template."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Any, NamedTuple

from kyotsu.report.changes import SLIGHT, bounds
from kyotsu.report.numbers import (
    Sense,
    number,
    ratio_change,
    sense,
    signed,
    span,
    tick_step,
    with_unit,
)
from kyotsu.report.words import BUILD_WORDS, by_vehicle, maker_name, vehicle_name, worded
from kyotsu.spec.build import AS_BUILT, COMMON

Records = Sequence[dict[str, Any]]

FLOWS = {
    "aero": "Air resistance",
    "rolling": "Rolling resistance",
    "road": "Air and rolling resistance",
    "potential": "Stored in height",
    "kinetic": "Stored in motion",
    "friction_brake": "Friction brakes",
    "drive_loss": "Motors, inverters, reducers",
    "auxiliary": "Auxiliaries",
    "battery_loss": "Battery resistance",
    "charging_loss": "Charging",
}
TOTALS = frozenset({"wall", "cells", "terminals"})  # columns that are sums of the others
LEDGER_CYCLE = "wltc_3b"
SMALLEST = 0.05  # Wh/km; less than this is not drawn
ROOM_FOR_TEXT = 3.2  # % of the axis; narrower segments show their number on hover only
ROOM = 0.03  # of the values' span, left free at the ends of an axis
FAR_FROM_ZERO = 0.4  # smallest over largest value from which an axis need not start at zero


class Tick(NamedTuple):
    """A mark on an axis."""

    at: float
    text: str


class Axis(NamedTuple):
    """A linear axis from `low` to `high`; `step` is the distance of its ticks [% of the axis]."""

    low: float
    high: float
    step: float
    ticks: tuple[Tick, ...]

    def at(self, value: float) -> float:
        """Where a value lies [% of the axis]."""
        return round(100.0 * (value - self.low) / (self.high - self.low), 2)


def axis(values: Sequence[float], from_zero: bool = False) -> Axis:
    """An axis with round ticks around all values; from zero unless all values are far from it."""
    least, most = min(values, default=0.0), max(values, default=1.0)
    room = ROOM * (most - least) or 1.0
    start = 0.0 if from_zero or least < FAR_FROM_ZERO * most else least - room
    step = tick_step(start, most + room)
    low, high = floor(start / step) * step, most + room
    whole = Axis(low, high, round(100.0 * step / (high - low), 3), ())
    digits = 0 if step >= 1 else 1
    marks = [low + index * step for index in range(floor((high - low) / step) + 1)]
    return whole._replace(ticks=tuple(Tick(whole.at(mark), number(mark, digits)) for mark in marks))


class Dumbbell(NamedTuple):
    """One vehicle as built and with common parts, on one axis."""

    name: str
    was: str
    now: str
    was_at: float
    now_at: float | None
    left: float
    width: float
    sure_left: float
    sure_width: float
    change: str
    sense: Sense
    text: str


class Group(NamedTuple):
    """A maker's rows."""

    maker: str
    rows: tuple[Any, ...]


class DumbbellPlot(NamedTuple):
    """One quantity for all vehicles."""

    key: str
    label: str
    unit: str
    axis: Axis
    groups: tuple[Group, ...]


class PlotSet(NamedTuple):
    """Plots among which the reader chooses one."""

    key: str
    title: str
    note: str
    plots: tuple[DumbbellPlot, ...]


def dumbbell(
    before: dict[str, Any],
    after: dict[str, Any] | None,
    column: str,
    unit: str,
    scale: Axis,
    better: int,
    apart: bool | None = None,
) -> Dumbbell:
    """One vehicle's row; without a rebuilt vehicle only the dot as built. `apart`: whether the model can tell."""
    was, now = before[column], after[column] if after else None
    was_at, now_at = scale.at(was), None if now is None else scale.at(now)
    ends = (was_at, was_at if now_at is None else now_at)
    percent = ratio_change(was, now)
    change = "not rebuilt" if now is None else with_unit(signed(percent, 1), "%")
    text = f"{before['name']}: {with_unit(number(was), unit)} as built"
    if now is not None:
        text += f", {with_unit(number(now), unit)} with common parts ({change})"
    slight = percent is not None and abs(percent) < SLIGHT
    meaning = sense(0.0 if slight else percent, better)
    meaning = "unsure" if apart is False and meaning in ("better", "worse") else meaning
    low, high = bounds(after or before, column)
    sure = (0.0, 0.0) if low is None or high is None else (scale.at(low), round(scale.at(high) - scale.at(low), 2))
    if sure[1]:
        text += f"; 8 of 10 such cars would measure {with_unit(span(low, high), unit)}"
    return Dumbbell(
        before["name"], number(was), number(now), was_at, now_at, min(ends), round(abs(ends[1] - ends[0]), 2), *sure,
        change, meaning, text,
    )  # fmt: skip


def dumbbell_plot(record: dict[str, Any], column: str, label: str, unit: str, better: int) -> DumbbellPlot:
    """A quantity of the builds for all vehicles, by maker."""
    builds: Records = record.get("builds", [])
    before = {row["vehicle"]: row for row in builds if row["build"] == AS_BUILT and row.get(column) is not None}
    after = {row["vehicle"]: row for row in builds if row["build"] == COMMON and row.get(column) is not None}
    shown = [*before.values(), *after.values()]
    ends = [end for row in shown for end in bounds(row, column) if end is not None]
    scale = axis([*(row[column] for row in shown), *ends])
    makers = dict.fromkeys(row["maker"] for row in before.values())
    apart = {row["vehicle"]: row.get(f"{column}_told_apart") for row in record.get("changes", [])}
    groups = tuple(
        Group(
            maker_name(record, maker),
            tuple(
                dumbbell(row, after.get(vehicle), column, unit, scale, better, apart.get(vehicle))
                for vehicle, row in before.items()
                if row["maker"] == maker
            ),
        )
        for maker in makers
    )
    return DumbbellPlot(column, label, unit, scale, groups)


def plot_sets(record: dict[str, Any]) -> tuple[PlotSet, ...]:
    """Range and consumption."""
    wanted = (
        (
            "range", "Range", "More is better.", "km", 1,
            (("wltc_range_km", "WLTC"), ("epa_range_km", "EPA label")),
        ),
        (
            "consumption", "Consumption", "From the wall, charging loss included. Less is better.", "Wh/km", -1,
            (("wltc_ac_wh_per_km", "WLTC"), ("udds_ac_wh_per_km", "UDDS"), ("hwfet_ac_wh_per_km", "HWFET")),
        ),
    )  # fmt: skip
    return tuple(
        PlotSet(key, title, note, tuple(dumbbell_plot(record, *column, unit, better) for column in columns))
        for key, title, note, unit, better, columns in wanted
    )


# --- the energy ledger ---


class Segment(NamedTuple):
    """One use of energy in a bar; `kind` numbers its colour and pattern."""

    kind: int
    width: float
    text: str
    title: str


class Bar(NamedTuple):
    """Where one build's energy goes."""

    name: str
    build: str
    total: str
    segments: tuple[Segment, ...]
    numbers: tuple[str, ...]


class Bars(NamedTuple):
    """The bars of one vehicle."""

    name: str
    bars: tuple[Bar, ...]


class LedgerPlot(NamedTuple):
    """Stacked bars for one cycle; `uses` names the kinds of segments in order."""

    cycle: str
    uses: tuple[str, ...]
    axis: Axis
    groups: tuple[Group, ...]


def flow_words(column: str) -> str:
    """A ledger column as words."""
    name = column.removesuffix("_wh")
    return FLOWS.get(name, name.replace("_", " ").capitalize())


def flow_columns(rows: Records) -> list[str]:
    """The ledger's columns that are uses and not sums, those known first, without those that are all near zero."""
    found = dict.fromkeys(name for row in rows for name in row if name.endswith("_wh") and name[:-3] not in TOTALS)
    known = [f"{name}_wh" for name in FLOWS if f"{name}_wh" in found]
    ordered = [*known, *(name for name in found if name not in known)]
    return [name for name in ordered if any(abs(per_km(row, name)) >= SMALLEST for row in rows)]


def per_km(row: dict[str, Any], column: str) -> float:
    """An energy of a cycle per distance [Wh/km]; 0 when the vehicle did not move."""
    distance = row.get("distance_km") or 0.0
    return (row.get(column) or 0.0) / distance if distance else 0.0


def ledger_bar(row: dict[str, Any], columns: Sequence[str], name: str, scale: Axis) -> Bar:
    """One build's bar."""
    values = [per_km(row, column) for column in columns]
    segments = []
    for kind, (column, value) in enumerate(zip(columns, values, strict=True)):
        if value < SMALLEST:
            continue
        width = scale.at(value)
        title = f"{flow_words(column)}: {with_unit(number(value, 1), 'Wh/km')}"
        segments.append(Segment(kind, width, number(value) if width >= ROOM_FOR_TEXT else "", title))
    return Bar(
        name, worded(BUILD_WORDS, row["build"]), number(sum(values)), tuple(segments),
        tuple(number(value, 1) for value in values),
    )  # fmt: skip


def ledger_plot(record: dict[str, Any], cycle: str = LEDGER_CYCLE) -> LedgerPlot | None:
    """Where the energy goes on one cycle, for every build; `None` when the cycle was not driven."""
    rows = by_vehicle(row for row in record.get("cycles", []) if row["cycle"] == cycle)
    columns = flow_columns(rows)
    if not columns:
        return None
    scale = axis([sum(max(per_km(row, name), 0.0) for name in columns) for row in rows], from_zero=True)
    drawn: dict[str, list[Bar]] = {}
    for row in rows:
        bar = ledger_bar(row, columns, vehicle_name(record, row["vehicle"]), scale)
        drawn.setdefault(row["vehicle"], []).append(bar)
    groups: dict[str, list[Bars]] = {}
    for vehicle, bars in drawn.items():
        own = groups.setdefault(maker_name(record, vehicle.split("/")[0]), [])
        own.append(Bars(bars[0].name, tuple(bars)))
    return LedgerPlot(
        cycle, tuple(flow_words(name) for name in columns), scale,
        tuple(Group(maker, tuple(own)) for maker, own in groups.items()),
    )  # fmt: skip
