"""The fit matrices of the report, and the findings behind every cell.

A `Matrix` is what the template draws. `Findings` collects every finding once: texts and findings repeat a
great deal between vehicles, so a pair is a list of indexes into shared tables, and the whole of 12 000
findings stays well under a megabyte.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kyotsu.report.numbers import margin, typeset
from kyotsu.report.words import MARKS, RANKS, Record, maker_name, part_name, vehicle_name, works
from kyotsu.spec.finding import Verdict

ASSUMED = "assumed"
KINDS = {
    "battery_module": ("batteries", "Battery modules", "battery module"),
    "eaxle": ("eaxles", "E-axles", "e-axle"),
}
TYPESET = ("reason", "offered", "required")  # texts with numbers in them
MOST_NAMED = 5  # checks that wait for values; more are listed by id
LONGEST_TITLE = 400  # characters of a cell's tooltip; the dialog has the rest

FindingRecord = dict[str, Any]


class Pair(NamedTuple):
    """What the dialog says above a list of findings; `facts` are labels and values in turn."""

    title: str
    subtitle: str
    verdict: str
    facts: tuple[str, ...]
    findings: tuple[int, ...]


class Findings:
    """Findings of all pairs, each text and each finding kept once."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {"": 0}
        self._findings: dict[tuple[int, ...], int] = {}
        self._pairs: list[Pair] = []

    def add(
        self, title: str, subtitle: str, verdict: str, facts: Sequence[str], findings: Iterable[FindingRecord]
    ) -> int:
        """Keep a pair; returns its number."""
        self._pairs.append(Pair(title, subtitle, verdict, tuple(facts), tuple(map(self._finding, findings))))
        return len(self._pairs) - 1

    def _text(self, text: str | None) -> int:
        return self._texts.setdefault(text or "", len(self._texts))

    def _finding(self, record: FindingRecord) -> int:
        names = ("check", "title", "standard", "status", "offered", "required")
        row = (
            RANKS[record["verdict"]],
            *(self._text(record[name]) for name in names),
            self._text(margin(record["margin"], record["unit"])),
            *(self._text(record[name]) for name in ("unit", "reason", "action", "missing")),
        )
        return self._findings.setdefault(row, len(self._findings))

    def data(self) -> dict[str, Any]:
        """Tables of texts, findings and pairs; numbers stand for texts."""
        pairs = [
            [self._text(pair.title), self._text(pair.subtitle), RANKS[pair.verdict],
             [self._text(fact) for fact in pair.facts], list(pair.findings)]
            for pair in self._pairs
        ]  # fmt: skip
        return {"texts": list(self._texts), "findings": list(map(list, self._findings)), "pairs": pairs}


def json_for_html(value: Any) -> str:
    """JSON that can stand in a script element: nothing in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


class Column(NamedTuple):
    """A part on offer."""

    part: str
    name: str
    supplier: str
    note: str
    proposed: bool
    fits: int


class Cell(NamedTuple):
    """A part in a slot."""

    pair: int
    verdict: str
    mark: str
    deciding: int
    assumed: bool
    label: str
    reasons: tuple[str, ...]
    parts: str

    @property
    def title(self) -> str:
        """The tooltip, cut to a readable length."""
        whole = f"{self.label}. {' '.join(self.reasons)}"
        return whole if len(whole) <= LONGEST_TITLE else whole[:LONGEST_TITLE].rsplit(" ", 1)[0] + " …"


class Row(NamedTuple):
    """A slot of a vehicle."""

    vehicle: str
    name: str
    slot: str
    cells: tuple[Cell | None, ...]
    fits: int


class MakerRows(NamedTuple):
    """The slots of a maker's vehicles."""

    maker: str
    name: str
    rows: tuple[Row, ...]


class Obstacle(NamedTuple):
    """A check and how many pairs it leaves failing, unknown and conditional; `alone`: all that a pair fails."""

    check: str
    title: str
    fail: int
    unknown: int
    conditional: int
    alone: int
    pairs: int

    @property
    def total(self) -> int:
        """Pairs that it does not simply pass."""
        return self.fail + self.unknown + self.conditional

    @property
    def judged(self) -> bool:
        """Whether it found anything but missing values."""
        return self.fail + self.conditional > 0


class Matrix(NamedTuple):
    """Every part of one kind in every slot."""

    key: str
    title: str
    noun: str
    columns: tuple[Column, ...]
    makers: tuple[MakerRows, ...]
    counts: dict[str, int]
    checks: tuple[tuple[str, str], ...]
    obstacles: tuple[Obstacle, ...]

    @property
    def several(self) -> bool:
        """Whether any vehicle has more than one slot for this kind, so that slots must be named."""
        slots = [row.vehicle for maker in self.makers for row in maker.rows]
        return len(set(slots)) < len(slots)

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return sum(len(maker.rows) for maker in self.makers)

    @property
    def pairs(self) -> int:
        """How many pairs were tried."""
        return sum(self.counts.values())


PairKey = tuple[str, str, str]


def pair_key(record: Record) -> PairKey:
    """What joins a fit with its findings."""
    return record["vehicle"], record["slot"], record["part"]


def findings_by_pair(record: Record) -> dict[PairKey, list[FindingRecord]]:
    """All findings, worst first within a pair."""
    found: dict[PairKey, list[FindingRecord]] = {}
    for row in record.get("findings", []):
        found.setdefault(pair_key(row), []).append(row | {name: typeset(row[name]) for name in TYPESET})
    return {key: sorted(rows, key=lambda row: -RANKS[row["verdict"]]) for key, rows in found.items()}


def deciding(findings: Iterable[FindingRecord], verdict: str) -> list[FindingRecord]:
    """The findings that make the overall verdict; none when all pass."""
    return [row for row in findings if row["verdict"] == verdict != Verdict.PASS.value]


def reasons(findings: Sequence[FindingRecord]) -> tuple[str, ...]:
    """Why, check by check; checks that cannot be judged only by name, for their reasons are all alike."""
    if not findings:
        return ("Every check passes.",)
    if findings[0]["verdict"] != Verdict.UNKNOWN.value:
        return tuple(f"{row['check']} {row['title']}: {row['reason']}" for row in findings)
    if len(findings) > MOST_NAMED:
        return (f"Values are missing for {len(findings)} checks: {', '.join(row['check'] for row in findings)}.",)
    return ("Values are missing for " + ", ".join(f"{row['check']} {row['title']}" for row in findings) + ".",)


def matrices(
    record: Record,
    by_pair: Mapping[PairKey, list[FindingRecord]],
    collected: Findings,
    proposed: frozenset[str],
) -> list[Matrix]:
    """The matrix of each kind of part that is on offer, proposed parts first; findings go into `collected`."""
    fits: dict[str, list[Record]] = {kind: [] for kind in KINDS}
    for fit in record.get("fits", []):
        fits[fit["kind"]].append(fit)
    return [_matrix(record, kind, own, by_pair, collected, proposed) for kind, own in fits.items() if own]


def _matrix(
    record: Record,
    kind: str,
    fits: Sequence[Record],
    by_pair: Mapping[PairKey, list[FindingRecord]],
    collected: Findings,
    proposed: frozenset[str],
) -> Matrix:
    tried = [by_pair.get(pair_key(fit), []) for fit in fits]
    parts = sorted(dict.fromkeys(fit["part"] for fit in fits), key=lambda part: part not in proposed)
    cells = {pair_key(fit): _cell(record, fit, own, collected) for fit, own in zip(fits, tried, strict=True)}
    slots = dict.fromkeys((fit["vehicle"], fit["slot"]) for fit in fits)
    rows = [
        _row(record, vehicle, slot, [cells.get((vehicle, slot, part)) for part in parts]) for vehicle, slot in slots
    ]
    titles = {row["check"]: row["title"] for own in tried for row in own}
    key, title, noun = KINDS[kind]
    return Matrix(
        key, title, noun,
        tuple(_column(record, part, cells, proposed) for part in parts),
        tuple(_by_maker(record, rows)),
        {verdict.value: sum(fit["verdict"] == verdict.value for fit in fits) for verdict in Verdict},
        tuple(sorted(titles.items(), key=lambda item: _check_order(item[0]))),
        tuple(obstacles(tried)),
    )  # fmt: skip


def _check_order(check: str) -> tuple[str, int]:
    letters = check.rstrip("0123456789")
    return letters, int(check[len(letters) :] or 0)


def _cell(record: Record, fit: Record, findings: list[FindingRecord], collected: Findings) -> Cell:
    verdict = Verdict(fit["verdict"])
    part, vehicle = part_name(record, fit["part"]), vehicle_name(record, fit["vehicle"])
    decided = deciding(findings, verdict)
    built = f"at rating {fit['rating']}" if fit["rating"] else fit["layout"] or ""
    counts = ", ".join(f"{fit[item.value]} {item.value}" for item in Verdict if fit[item.value])
    facts = (
        "Slot", fit["slot"], "Rating" if fit["rating"] else "Layout", fit["rating"] or fit["layout"] or "none found",
        "Checks", counts, "Weakest value", fit["status"] or "none used",
    )  # fmt: skip
    pair = collected.add(f"{part} in {vehicle}", f"{fit['part']} · {fit['vehicle']}", verdict, facts, findings)
    assumed = fit["status"] == ASSUMED
    label = f"{part} in {vehicle}: {verdict.value}" + (", rests on assumed values" if assumed else "")
    return Cell(pair, verdict.value, MARKS[verdict], len(decided), assumed, label, reasons(decided), built)


def _row(record: Record, vehicle: str, slot: str, cells: Sequence[Cell | None]) -> Row:
    fits = sum(works(cell.verdict) for cell in cells if cell)
    return Row(vehicle, vehicle_name(record, vehicle), slot, tuple(cells), fits)


def _column(record: Record, part: str, cells: dict[PairKey, Cell], proposed: frozenset[str]) -> Column:
    known = record.get("parts", {}).get(part, {})
    life = known.get("life_cycle") or ""
    notes = [
        *([f"life cycle: {life.replace('_', ' ')}"] if life and life != "production" else []),
        *([f"conforms to {', '.join(known['conforms_to'])}"] if known.get("conforms_to") else []),
    ]
    fits = sum(works(cell.verdict) for key, cell in cells.items() if key[2] == part)
    return Column(part, known.get("name", part), known.get("supplier", ""), "; ".join(notes), part in proposed, fits)


def _by_maker(record: Record, rows: Sequence[Row]) -> Iterable[MakerRows]:
    for maker in dict.fromkeys(row.vehicle.split("/")[0] for row in rows):
        own = tuple(row for row in rows if row.vehicle.split("/")[0] == maker)
        yield MakerRows(maker, maker_name(record, maker), own)


def obstacles(pairs: Sequence[Sequence[FindingRecord]]) -> list[Obstacle]:
    """The checks that pairs do not simply pass, those that most pairs fail first."""
    counts = Counter((row["check"], row["verdict"]) for pair in pairs for row in pair)
    failing = [[row["check"] for row in pair if row["verdict"] == Verdict.FAIL.value] for pair in pairs]
    alone = Counter(checks[0] for checks in failing if len(checks) == 1)
    titles = {row["check"]: row["title"] for pair in pairs for row in pair}
    listed = [
        Obstacle(
            check, title, counts[check, "fail"], counts[check, "unknown"], counts[check, "conditional"],
            alone[check], len(pairs),
        )
        for check, title in titles.items()
    ]  # fmt: skip
    return sorted(
        (item for item in listed if item.total),
        key=lambda item: (-item.fail, -item.unknown, -item.conditional, _check_order(item.check)),
    )
