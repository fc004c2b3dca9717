"""The report: one HTML file that opens offline, made from a study's record alone.

In: the plain data of `tables.study_record`. Out: the whole document as text; the same record gives the same
document. What stands in it is decided by the `report_*` files beside this one, where it stands by
`templates/`. Everything that comes from a workspace is escaped; nothing is fetched from anywhere.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kyotsu.report.actions import actions
from kyotsu.report.changes import builds_of, cells_by_pair, change_rows, fitted, metric_groups, refused
from kyotsu.report.choice import choice_section, remarks
from kyotsu.report.matrix import Findings, Matrix, findings_by_pair, json_for_html, matrices
from kyotsu.report.numbers import number, with_unit
from kyotsu.report.plots import ledger_plot, plot_sets
from kyotsu.report.summary import brief, key_figures
from kyotsu.report.tables import build_rows, cycle_table, misses, published_rows, questions
from kyotsu.report.words import CYCLE_WORDS, MARKS, part_name
from kyotsu.spec.build import COMMON
from kyotsu.spec.finding import Verdict

Record = dict[str, Any]

VERDICT_MEANINGS = {
    Verdict.PASS: "Every check passes with the values stated.",
    Verdict.CONDITIONAL: "Passes once something is done; every finding says what.",
    Verdict.UNKNOWN: "A value that a check needs is not stated. Never counted as a pass.",
    Verdict.FAIL: "A check fails; the finding says by how much.",
}
STATUS_MEANINGS = {
    "measured": "from a test of the part or vehicle",
    "declared": "from its maker or supplier, or a public database",
    "derived": "computed from other values that have a source",
    "assumed": "an assumption with its reason; to be replaced before anything is decided on it",
}


class Standard(NamedTuple):
    """A check and the rule that it comes from."""

    check: str
    title: str
    standard: str


def report_html(record: Record) -> str:
    """The whole report as one HTML document."""
    environment = _environment()
    templates = resources.files("kyotsu.report") / "templates"
    assets = {name: Markup((templates / f"report.{name}").read_text("utf-8")) for name in ("css", "js")}
    return environment.get_template("report.html").render(**assets, **_content(record))


@cache
def _environment() -> Environment:
    loader = PackageLoader("kyotsu.report")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _content(record: Record) -> dict[str, Any]:
    collected = Findings()
    builds = builds_of(record)
    proposed = _proposed(record)
    findings = findings_by_pair(record)
    drawn = matrices(record, findings, collected, proposed)
    cells = cells_by_pair(drawn)
    asked = questions(record)
    content = {
        "alliance": record["alliance"],
        "year": record["year"],
        "version": record["kyotsu"],
        "makers": record.get("makers", {}),
        "counts": _counts(record, drawn),
        "common": [part_name(record, part) for part in record.get("parts", {}) if part in proposed],
        "figures": key_figures(builds, len(record.get("vehicles", {}))),
        "brief": brief(builds, drawn, asked, record.get("published", []), remarks(record)),
        "choice": choice_section(record),
        "metric_groups": metric_groups(),
        "changes": change_rows(record, builds, cells, collected),
        "actions": actions(record, builds, findings),
        "refused": refused(record),
        "builds": build_rows(record, lambda build: fitted(record, build, cells)),
        "plot_sets": plot_sets(record),
        "ledger": ledger_plot(record),
        "cycle_table": cycle_table(record),
        "cycle_words": CYCLE_WORDS,
        "matrices": drawn,
        "asked": asked,
        "misses": misses(record),
        "published": published_rows(record),
        "driven": len(record.get("cycles", [])),
    }
    return content | _about(record) | {"data": Markup(json_for_html(collected.data()))}


def _proposed(record: Record) -> frozenset[str]:
    """The parts that fill the slots of the rebuilt vehicles."""
    words = [item for row in record.get("builds", []) if row["build"] == COMMON for item in row["parts"].split("; ")]
    filled = [item.partition(": ")[2] for item in words]
    return frozenset(
        key
        for key, part in record.get("parts", {}).items()
        if any(item.startswith((f"{part['name']}: ", f"{part['name']} at ")) for item in filled)
    )


def _counts(record: Record, drawn: list[Matrix]) -> dict[str, Any]:
    verdicts = {verdict.value: sum(item.counts[verdict.value] for item in drawn) for verdict in Verdict}
    return {
        "makers": len(record.get("makers", {})),
        "vehicles": len(record.get("vehicles", {})),
        "parts": [(len(item.columns), item.noun) for item in drawn],
        "pairs": sum(verdicts.values()),
        "checks": len(record.get("findings", [])),
        "verdicts": verdicts,
    }


def _about(record: Record) -> dict[str, Any]:
    seconds: dict[str, float] = record.get("seconds", {})
    standards = {
        row["check"]: Standard(row["check"], row["title"], row["standard"]) for row in record.get("findings", [])
    }
    return {
        "marks": {verdict.value: mark for verdict, mark in MARKS.items()},
        "verdict_meanings": {verdict.value: text for verdict, text in VERDICT_MEANINGS.items()},
        "status_meanings": STATUS_MEANINGS,
        "cost_sources": record.get("cost_sources", []),
        "seconds": [(step, with_unit(number(time, 1), "s")) for step, time in seconds.items()],
        "standards": list(standards.values()),
        "files": list(record.get("files", {}).items()),
    }
