"""The fit matrices of the report, and the findings behind every cell.

A `Matrix` is what the template draws. `Findings` collects every finding once: texts and findings repeat a
great deal between vehicles, so a pair is a list of indexes into shared tables, and the whole of 12 000
findings stays well under a megabyte.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from kyotsu.spec.finding import Verdict
from kyotsu.study.report_numbers import margin

MARKS = {Verdict.PASS: "●", Verdict.CONDITIONAL: "◐", Verdict.UNKNOWN: "?", Verdict.FAIL: "✕"}
ASSUMED = "assumed"
KINDS = {
    "battery_module": ("batteries", "Battery modules", "battery module"),
    "eaxle": ("eaxles", "E-axles", "e-axle"),
}
RANKS = {verdict.value: verdict.rank for verdict in Verdict}
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
    count: int
    assumed: bool
    label: str
    reason: str
    parts: str

    @property
    def title(self) -> str:
        """The tooltip, cut to a readable length."""
        whole = f"{self.label}. {self.reason}"
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
    """A check and how many pairs it leaves failing, unknown and conditional."""

    check: str
    title: str
    fail: int
    unknown: int
    conditional: int
    pairs: int

    @property
    def total(self) -> int:
        """Pairs that it does not simply pass."""
        return self.fail + self.unknown + self.conditional


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
    def pairs(self) -> int:
        """How many pairs were tried."""
        return sum(self.counts.values())


PairKey = tuple[str, str, str]


def pair_key(record: dict[str, Any]) -> PairKey:
    """What joins a fit with its findings."""
    return record["vehicle"], record["slot"], record["part"]


def findings_by_pair(record: dict[str, Any]) -> dict[PairKey, list[FindingRecord]]:
    """All findings, worst first within a pair."""
    found: dict[PairKey, list[FindingRecord]] = {}
    for row in record.get("findings", []):
        found.setdefault(pair_key(row), []).append(row)
    return {key: sorted(rows, key=lambda row: -RANKS[row["verdict"]]) for key, rows in found.items()}


def deciding(findings: Iterable[FindingRecord], verdict: str) -> list[FindingRecord]:
    """The findings that make the overall verdict; none when all pass."""
    return [row for row in findings if row["verdict"] == verdict != Verdict.PASS.value]


def reasons(findings: Sequence[FindingRecord]) -> str:
    """Why, check by check."""
    return " ".join(f"{row['check']} {row['title']}: {row['reason']}" for row in findings) or "Every check passes."


def matrix(record: dict[str, Any], kind: str, collected: Findings, proposed: frozenset[str]) -> Matrix | None:
    """The matrix of one kind of part; its findings go into `collected`. `None` when there is none."""
    fits = [fit for fit in record.get("fits", []) if fit["kind"] == kind]
    if not fits:
        return None
    by_pair = findings_by_pair(record)
    parts = list(dict.fromkeys(fit["part"] for fit in fits))
    cells = {pair_key(fit): _cell(record, fit, by_pair.get(pair_key(fit), []), collected) for fit in fits}
    slots = dict.fromkeys((fit["vehicle"], fit["slot"]) for fit in fits)
    rows = [_row(record, vehicle, slot, [cells.get((vehicle, slot, part)) for part in parts]) for vehicle, slot in slots]
    own = [row for fit in fits for row in by_pair.get(pair_key(fit), [])]
    key, title, noun = KINDS[kind]
    return Matrix(
        key, title, noun,
        tuple(_column(record, part, cells, proposed) for part in parts),
        tuple(_by_maker(record, rows)),
        {verdict.value: sum(fit["verdict"] == verdict.value for fit in fits) for verdict in Verdict},
        tuple(dict.fromkeys((row["check"], row["title"]) for fit in fits[:1] for row in _in_order(by_pair, fits))),
        tuple(obstacles(own, len(fits))),
    )  # fmt: skip


def _in_order(by_pair: dict[PairKey, list[FindingRecord]], fits: Sequence[dict[str, Any]]) -> list[FindingRecord]:
    rows = [row for fit in fits for row in by_pair.get(pair_key(fit), [])]
    return sorted(rows, key=lambda row: _check_order(row["check"]))


def _check_order(check: str) -> tuple[str, int]:
    letters = check.rstrip("0123456789")
    return letters, int(check[len(letters) :] or 0)


def works(verdict: str) -> bool:
    """Whether a part can be used: it passes, or passes with an action."""
    return RANKS[verdict] <= Verdict.CONDITIONAL.rank


def _cell(record: dict[str, Any], fit: dict[str, Any], findings: list[FindingRecord], collected: Findings) -> Cell:
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


def _row(record: dict[str, Any], vehicle: str, slot: str, cells: Sequence[Cell | None]) -> Row:
    fits = sum(works(cell.verdict) for cell in cells if cell)
    return Row(vehicle, vehicle_name(record, vehicle), slot.replace("_", " "), tuple(cells), fits)


def _column(record: dict[str, Any], part: str, cells: dict[PairKey, Cell], proposed: frozenset[str]) -> Column:
    known = record.get("parts", {}).get(part, {})
    life = known.get("life_cycle") or ""
    notes = [
        *([f"life cycle: {life.replace('_', ' ')}"] if life and life != "production" else []),
        *([f"conforms to {', '.join(known['conforms_to'])}"] if known.get("conforms_to") else []),
    ]
    fits = sum(works(cell.verdict) for key, cell in cells.items() if key[2] == part)
    return Column(part, known.get("name", part), known.get("supplier", ""), "; ".join(notes), part in proposed, fits)


def _by_maker(record: dict[str, Any], rows: Sequence[Row]) -> Iterable[MakerRows]:
    for maker in dict.fromkeys(row.vehicle.split("/")[0] for row in rows):
        own = tuple(row for row in rows if row.vehicle.split("/")[0] == maker)
        yield MakerRows(maker, maker_name(record, maker), own)


def obstacles(findings: Iterable[FindingRecord], pairs: int) -> list[Obstacle]:
    """The checks that pairs do not simply pass, those that most pairs fail first."""
    counts: Counter[tuple[str, str, str]] = Counter(
        (row["check"], row["title"], row["verdict"]) for row in findings
    )
    names = dict.fromkeys((check, title) for check, title, _ in counts)
    listed = [
        Obstacle(check, title, *(counts[check, title, word] for word in ("fail", "unknown", "conditional")), pairs)
        for check, title in names
    ]
    return sorted(
        (item for item in listed if item.total),
        key=lambda item: (-item.fail, -item.unknown, -item.conditional, _check_order(item.check)),
    )


def vehicle_name(record: dict[str, Any], vehicle: str) -> str:
    """A vehicle's name, or its id when the record has no name for it."""
    return str(record.get("vehicles", {}).get(vehicle, vehicle))


def maker_name(record: dict[str, Any], maker: str) -> str:
    """A maker's name, or its id."""
    return str(record.get("makers", {}).get(maker, maker))


def part_name(record: dict[str, Any], part: str) -> str:
    """A part's name, or its id."""
    return str(record.get("parts", {}).get(part, {}).get("name", part))
