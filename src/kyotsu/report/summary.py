"""The head of the report: key figures, and what to know before anything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kyotsu.report.changes import Builds
from kyotsu.report.matrix import Matrix
from kyotsu.report.numbers import middle, number, ratio_change, signed, with_unit
from kyotsu.report.tables import Asked
from kyotsu.report.words import Record, works
from kyotsu.spec.finding import Verdict


class Figure(NamedTuple):
    """A number that stands out, with what it counts."""

    value: str
    label: str
    note: str = ""


def key_figures(builds: Builds, vehicles: int) -> list[Figure]:
    """The numbers at the head of the report."""
    pairs = list(builds.both)
    figures = [Figure(f"{len(pairs)} of {vehicles}", "vehicles can be rebuilt", "with the proposed common parts")]
    if not pairs:
        return figures
    keep = sum(works(after["requirements"]) for _, after in pairs)
    had = sum(works(before["requirements"]) for before, _ in pairs)
    fits = sum(works(after["fit"]) for _, after in pairs)
    figures += [
        Figure(f"{fits} of {len(pairs)}", "of these take the parts", "as they are or with actions; no check fails"),
        Figure(f"{keep} of {len(pairs)}", "of these still do their job", f"as built: {had} of {len(pairs)}"),
    ]
    for column, label in (
        ("wltc_ac_wh_per_km", "consumption, WLTC"),
        ("wltc_range_km", "range, WLTC"),
        ("cost_usd", "cost of battery and drives"),
    ):
        typical = middle(ratio_change(before[column], after[column]) for before, after in pairs)
        figures.append(Figure(with_unit(signed(typical, 1), "%"), label, "median change"))
    return figures


class Remark(NamedTuple):
    """One sentence of the summary and the section that shows more."""

    text: str
    section: str


def brief(
    builds: Builds,
    matrices: Sequence[Matrix],
    asked: Sequence[Asked],
    published: Sequence[Record] = (),
    chosen: Sequence[str] = (),
) -> list[Remark]:
    """What a reader should know before anything else, in a few sentences; `chosen` says it of the common parts."""
    remarks = [Remark(text, "common") for text in chosen]
    remarks += [*_proposed_remarks(matrices), *_fit_remarks(builds), *_job_remarks(builds), *_range_remarks(builds)]
    for matrix in matrices:
        worst = matrix.obstacles[0] if matrix.obstacles else None
        if worst and worst.fail:
            alone = f"; in {worst.alone} it is all that fails" if worst.alone else ""
            remarks.append(
                Remark(
                    f"{worst.title} ({worst.check}) stands in the way most: it fails {worst.fail} of {matrix.pairs} "
                    f"{matrix.noun} pairs{alone}.",
                    matrix.key,
                )
            )
    if published:
        inside = sum(bool(row["inside"]) for row in published)
        remarks.append(
            Remark(
                f"{inside} of {len(published)} published figures are where the simulation expects them.",
                "published",
            )
        )
    if asked:
        first = max(asked, key=lambda item: item.pairs)
        remarks.append(
            Remark(
                f"{number(sum(item.total for item in asked))} values are not stated; {first.ask} can answer "
                f"{number(first.total)} of them"
                + (f", for which up to {first.pairs} pairs wait." if first.pairs > 1 else "."),
                "unknowns",
            )
        )
    return remarks


def _proposed_remarks(matrices: Sequence[Matrix]) -> Iterator[Remark]:
    for matrix in matrices:
        texts = [
            f"{column.name} fits {column.fits} of {matrix.slots} slots, as it is or with actions"
            for column in matrix.columns
            if column.proposed
        ]
        if texts:
            yield Remark(f"Proposed {matrix.noun}{'s' if len(texts) > 1 else ''}: {'; '.join(texts)}.", matrix.key)


def _fit_remarks(builds: Builds) -> Iterator[Remark]:
    for verdict, words in ((Verdict.FAIL, "fail a check"), (Verdict.UNKNOWN, "cannot be judged")):
        names = [after["name"] for _, after in builds.both if after["fit"] == verdict.value]
        if names:
            yield Remark(f"The common parts {words} in: {'; '.join(names)}.", "changes")


def _job_remarks(builds: Builds) -> Iterator[Remark]:
    lost = [
        after["name"]
        for before, after in builds.both
        if works(before["requirements"]) and not works(after["requirements"])
    ]
    if lost:
        yield Remark(f"Met their requirements as built and no longer do: {'; '.join(lost)}.", "changes")


def _range_remarks(builds: Builds) -> Iterator[Remark]:
    changes = [
        (percent, after["name"])
        for before, after in builds.both
        if (percent := ratio_change(before["wltc_range_km"], after["wltc_range_km"])) is not None
    ]
    if len(changes) > 1:
        least, most = min(changes), max(changes)
        yield Remark(
            f"WLTC range changes by {with_unit(signed(least[0], 0), '%')} ({least[1]}) to "
            f"{with_unit(signed(most[0], 0), '%')} ({most[1]}).",
            "plots",
        )
