"""What changes when a vehicle is rebuilt with the common parts: every figure, and whether it still does its job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from kyotsu.report.matrix import Cell, Findings, Matrix, PairKey
from kyotsu.report.numbers import NARROW, Sense, number, ratio_change, sense, signed, span, with_unit
from kyotsu.report.words import (
    BUILD_WORDS,
    MARKS,
    RANKS,
    Record,
    maker_name,
    part_name,
    vehicle_name,
    worded,
)
from kyotsu.spec.build import AS_BUILT, COMMON
from kyotsu.spec.finding import Verdict
from kyotsu.spec.vehicle import CYCLE_TITLES

NEVER = "never"  # what is shown for a speed that is not reached
SLIGHT = 1.0  # %; a smaller change is called neither better nor worse


class Metric(NamedTuple):
    """A figure of a build; `better` is 1 where more is better, −1 where less is; shown divided by `scale`."""

    column: str
    group: str
    label: str
    unit: str
    digits: int
    better: int
    relative: bool
    scale: float = 1.0
    none: str = "—"

    @property
    def words(self) -> str:
        """Its name and unit, where it stands without its heading."""
        alone = self.group in ("Battery", "Mass", "Cost")
        return f"{self.group.lower() if alone else self.label}, {self.unit}"


METRICS = (
    Metric("wltc_ac_wh_per_km", "Consumption, AC", "WLTC", "Wh/km", 0, -1, True),
    Metric("udds_ac_wh_per_km", "Consumption, AC", "UDDS", "Wh/km", 0, -1, True),
    Metric("hwfet_ac_wh_per_km", "Consumption, AC", "HWFET", "Wh/km", 0, -1, True),
    Metric("wltc_range_km", "Range", "WLTC", "km", 0, 1, True),
    Metric("epa_range_km", "Range", "EPA label", "km", 0, 1, True),
    Metric("energy_kwh", "Battery", "gross", "kWh", 1, 0, True),
    Metric("zero_to_100_km_h_s", "Performance", "0\u2013100", "s", 1, -1, False, none=NEVER),
    Metric("top_speed_km_h", "Performance", "top speed", "km/h", 0, 0, False),
    Metric("gradeability_pct", "Performance", "grade", "%", 0, 1, False),
    Metric("charge_10_to_80_min", "Performance", f"10\u201380{NARROW}%", "min", 0, -1, False),
    Metric("curb_mass_kg", "Mass", "curb", "kg", 0, -1, False),
    Metric("cost_usd", "Cost", "total", "1000" + NARROW + "USD", 1, -1, True, 1000.0),
)
# The figure that a requirement is about; D1 depends on the cycle that the vehicle names.
REQUIRED = {
    "D2": "zero_to_100_km_h_s",
    "D3": "top_speed_km_h",
    "D4": "gradeability_pct",
    "D5": "curb_mass_kg",
    "D6": "charge_10_to_80_min",
}
RANGE_REQUIREMENT, RANGE_CYCLES = "D1", {f"Range on {CYCLE_TITLES['wltc_3b']}": "wltc_range_km"}


class MetricGroup(NamedTuple):
    """Columns under one heading."""

    name: str
    metrics: tuple[Metric, ...]


def metric_groups() -> list[MetricGroup]:
    """The columns of the changes by heading."""
    names = dict.fromkeys(metric.group for metric in METRICS)
    return [MetricGroup(name, tuple(metric for metric in METRICS if metric.group == name)) for name in names]


class Builds(NamedTuple):
    """The builds of the study by vehicle."""

    before: dict[str, Record]
    after: dict[str, Record]
    requirements: dict[tuple[str, str], list[Record]]
    differences: Mapping[str, Record] = MappingProxyType({})

    @property
    def both(self) -> Iterator[tuple[Record, Record]]:
        """Vehicles that were rebuilt: as built, and with common parts."""
        return ((row, self.after[name]) for name, row in self.before.items() if name in self.after)


def builds_of(record: Record) -> Builds:
    """The record's builds and requirements, ready to look up."""
    rows = record.get("builds", [])
    requirements: dict[tuple[str, str], list[Record]] = {}
    for row in record.get("requirements", []):
        requirements.setdefault((row["vehicle"], row["build"]), []).append(row)
    before = {row["vehicle"]: row for row in rows if row["build"] == AS_BUILT}
    after = {row["vehicle"]: row for row in rows if row["build"] == COMMON}
    return Builds(before, after, requirements, {row["vehicle"]: row for row in record.get("changes", [])})


class Mark(NamedTuple):
    """A verdict in a table: its mark, words, and the pair whose findings say why."""

    verdict: str
    mark: str
    text: str
    title: str
    pair: int | None


class Change(NamedTuple):
    """One figure, as built and with common parts.

    Attributes:
        sure: the interval of the figure with common parts.
        rests_on: what generic components fill in one of the two builds only.
    """

    label: str
    was: str
    now: str
    change: str
    sense: Sense
    title: str
    requirement: Mark | None
    sure: str = ""
    rests_on: str = ""


class ChangeRow(NamedTuple):
    """One rebuilt vehicle."""

    vehicle: str
    name: str
    parts: tuple[Mark, ...]
    job_before: Mark
    job_after: Mark
    cells: tuple[Change, ...]


class MakerChanges(NamedTuple):
    """A maker's rebuilt vehicles."""

    maker: str
    name: str
    rows: tuple[ChangeRow, ...]


def cells_by_pair(matrices: Iterable[Matrix]) -> dict[PairKey, Cell]:
    """The cells of all matrices by vehicle, slot and part."""
    return {
        (row.vehicle, row.slot, column.part): cell
        for matrix in matrices
        for maker in matrix.makers
        for row in maker.rows
        for column, cell in zip(matrix.columns, row.cells, strict=True)
        if cell is not None
    }


def fitted_pairs(record: Record, build: Record, cells: Iterable[PairKey]) -> list[tuple[str, PairKey | None]]:
    """What fills a build's slots, in words, and which pair of the matrices that is; `None` when it is none."""
    own = [key for key in cells if key[0] == build["vehicle"]]
    return [(words, _pair_of(record, words, own)) for words in (build.get("parts") or "").split("; ") if words]


def _pair_of(record: Record, words: str, own: Iterable[PairKey]) -> PairKey | None:
    place, _, part = words.partition(": ")
    slots = {slot for _, slot, _ in own}
    for key in own:
        name = part_name(record, key[2])
        if part.startswith((f"{name}: ", f"{name} at ")) and (key[1] == place or place not in slots):
            return key
    return None


def fitted(record: Record, build: Record, cells: Mapping[PairKey, Cell]) -> tuple[Mark, ...]:
    """What fills a build's slots, each part with the verdict of its fit when it is on offer."""
    return tuple(_part_mark(words, cells, key) for words, key in fitted_pairs(record, build, cells))


def _part_mark(words: str, cells: Mapping[PairKey, Cell], key: PairKey | None) -> Mark:
    if key is None:
        return Mark("", "", words, "", None)
    cell = cells[key]
    return Mark(cell.verdict, cell.mark, words, cell.title, cell.pair)


def change_rows(
    record: Record, builds: Builds, cells: Mapping[PairKey, Cell], collected: Findings
) -> list[MakerChanges]:
    """Every rebuilt vehicle by maker."""
    rows: dict[str, list[ChangeRow]] = {}
    for before, after in builds.both:
        row = ChangeRow(
            after["vehicle"], after["name"], fitted(record, after, cells),
            job(builds, before, collected), job(builds, after, collected),
            tuple(change(metric, before, after, builds) for metric in METRICS),
        )  # fmt: skip
        rows.setdefault(after["maker"], []).append(row)
    return [MakerChanges(maker, maker_name(record, maker), tuple(own)) for maker, own in rows.items()]


def job(builds: Builds, build: Record, collected: Findings) -> Mark:
    """Whether a build meets its vehicle's requirements; the findings go into `collected`."""
    findings = builds.requirements.get((build["vehicle"], build["build"]), [])
    words = BUILD_WORDS[build["build"]]
    if not findings:
        return Mark("", "—", "no requirement", f"{build['name']}: nothing is required.", None)
    verdict = Verdict(build["requirements"])
    facts = ["Parts", build.get("parts") or "—"]
    facts += ["Fit of the parts", build["fit"]] if build["build"] == COMMON else []
    facts += ["Notes", build["notes"]] if build.get("notes") else []
    ordered = sorted(findings, key=lambda row: -RANKS[row["verdict"]])
    pair = collected.add(f"{build['name']}, {words}: requirements", build["vehicle"], verdict, facts, ordered)
    why = " ".join(row["reason"] for row in findings if row["verdict"] == verdict.value)
    return Mark(verdict, MARKS[verdict], verdict.value, f"{build['name']}, {words}: {verdict.value}. {why}", pair)


def change(metric: Metric, before: Record, after: Record, builds: Builds) -> Change:
    """One figure of one vehicle."""
    was, now = (
        None if row.get(metric.column) is None else row[metric.column] / metric.scale for row in (before, after)
    )
    texts = [metric.none if value is None else number(value, metric.digits) for value in (was, now)]
    text, whole = _difference(metric, was, now)
    known = builds.differences.get(after["vehicle"], {})
    unsure = known.get(f"{metric.column}_told_apart") is False
    meaning = _sense(metric, was, now)
    rests_on = known.get(f"{metric.column}_rests_on") or "" if meaning not in ("same", "unknown") else ""
    sure = interval(after, metric.column)
    title = (
        f"{after['name']}, {metric.group.lower()} {metric.label}: {with_unit(texts[0], metric.unit)} as built, "
        f"{with_unit(texts[1], metric.unit)} with common parts"
        + (f" ({whole})" if whole else "")
        + (f". 8 of 10 such cars would measure {with_unit(sure, metric.unit)}" if sure else "")
        + (". The model does not tell the two apart" if unsure else "")
        + (f". Generic in one of the two: {rests_on}" if rests_on else "")
    )
    return Change(
        metric.words,
        texts[0],
        texts[1],
        text,
        "unsure" if unsure and meaning in ("better", "worse") else meaning,
        title,
        _requirement(metric, builds, after["vehicle"]),
        sure,
        rests_on,
    )


def interval(build: Record, column: str, digits: int = 0) -> str:
    """The interval of a build's consumption or range, `153–185`; empty for other figures."""
    low, high = bounds(build, column)
    return span(low, high, digits)


def bounds(row: Record, column: str) -> tuple[float | None, float | None]:
    """The ends of a figure's interval, `None` where it has none."""
    unit = next((unit for unit in ("wh_per_km", "km") if column.endswith(f"_{unit}")), "")
    stem = column.removesuffix(unit)
    return row.get(f"{stem}low_{unit}"), row.get(f"{stem}high_{unit}")


def _difference(metric: Metric, was: float | None, now: float | None) -> tuple[str, str]:
    """The change as the cell shows it, under a heading with the unit, and whole; of the figures as rounded."""
    if was is None or now is None:
        return "", ""
    if metric.relative:
        percent = with_unit(signed(ratio_change(was, now), 1), "%")
        return percent, percent
    text = signed(round(now, metric.digits) - round(was, metric.digits), metric.digits)
    return text, with_unit(text, "points" if metric.unit == "%" else metric.unit)


def _sense(metric: Metric, was: float | None, now: float | None) -> Sense:
    if (was is None) != (now is None) and metric.none == NEVER:
        return "worse" if now is None else "better"
    percent = ratio_change(was, now)
    return sense(percent if percent is None or abs(percent) >= SLIGHT else 0.0, metric.better)


def _requirement(metric: Metric, builds: Builds, vehicle: str) -> Mark | None:
    for row in builds.requirements.get((vehicle, COMMON), []):
        column = REQUIRED.get(row["check"])
        if row["check"] == RANGE_REQUIREMENT:
            column = RANGE_CYCLES.get(row["title"])
        if column == metric.column:
            needed = row["required"].replace("at least ", f"≥{NARROW}").replace("at most ", f"≤{NARROW}")
            return Mark(row["verdict"], MARKS[Verdict(row["verdict"])], needed, row["reason"], None)
    return None


class Refused(NamedTuple):
    """A build that cannot be made."""

    name: str
    vehicle: str
    build: str
    reason: str


def refused(record: Record) -> list[Refused]:
    """Builds that cannot be made, and why."""
    return [
        Refused(
            vehicle_name(record, row["vehicle"]),
            row["vehicle"],
            worded(BUILD_WORDS, row["build"]),
            row["reason"],
        )
        for row in record.get("not_built", [])
    ]
