"""`kyotsu study`: the whole question asked of a workspace, and the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from kyotsu.cli.check import JsonOption, WorkspaceArgument
from kyotsu.cli.output import error_screen, optional, print_json, print_problems, screen, table, verdict_text
from kyotsu.spec.finding import Verdict
from kyotsu.spec.workspace import load_workspace

if TYPE_CHECKING:
    from kyotsu.study import Study

# head of the column, figure, digits
SHOWN = (
    ("UDDS Wh/km", "udds_ac_wh_per_km", 1),
    ("range km", "epa_range_km", 0),
    ("0-100 s", "zero_to_100_km_h_s", 1),
    ("mass kg", "curb_mass_kg", 0),
    ("USD", "cost_usd", 0),
)


def study(
    workspace: WorkspaceArgument,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for report.html, results.json and the Parquet tables."),
    ] = Path("kyotsu-study"),
    as_json: JsonOption = False,
) -> None:
    """Study a workspace: what fits where, what each vehicle does as built and with the proposed common parts.

    Checks every specification, tries every battery module and e-axle in every vehicle's slots, drives
    every build over seven cycles, and writes one HTML report that opens offline, with the same results as
    JSON and Parquet beside it. Exit code 2 when the workspace cannot be used, else 0: what the study
    finds is its result, not its failure.
    """
    with optional("study"):
        from kyotsu.study import STEPS, changes, run_study, study_record, write_study  # noqa: PLC0415  (an extra)
    loaded = load_workspace(workspace)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=error_screen, transient=True) as bar:
        task = bar.add_task("read the workspace", total=len(STEPS) + 1)
        result = run_study(loaded, lambda step: bar.update(task, description=step, advance=1))
        bar.update(task, description="write the report", advance=1)
        files = write_study(result, output)
    print_problems(result.warnings)
    if as_json:
        print_json(study_record(result))
        return
    _summary(result, changes(result))
    screen.print(f"Report: {files[-1]}  (and {len(files) - 1} data files beside it)", soft_wrap=True)


def _summary(result: Study, rows: list[dict[str, Any]]) -> None:
    counts = {verdict: sum(fit.verdict is verdict for fit in result.fits) for verdict in Verdict}
    listed = "  ".join(f"{count} {verdict.value}" for verdict, count in counts.items())
    screen.print(f"{result.workspace.alliance.name}: {len(result.fits)} parts in slots tried: {listed}", soft_wrap=True)
    listing = table(
        "change with common parts", "fit", "job", *(head for head, *_ in SHOWN), right=[head for head, *_ in SHOWN]
    )
    for row in rows:
        marks = (verdict_text(Verdict(row[name]), word=False) for name in ("fit", "requirements"))
        changes = (_change(row[f"{name}_change"], digits) for _, name, digits in SHOWN)
        listing.add_row(row["vehicle"], *marks, *changes)
    if rows:
        screen.print(listing)
        screen.print("fit: do the parts fit?  job: does the vehicle still meet its requirements?")
        screen.print("● pass   ◐ conditional   ? unknown   ✕ fail")
    for item in result.not_built:
        screen.print(f"{item.vehicle} {item.build.replace('_', ' ')}: not built. {item.reason}", soft_wrap=True)
    screen.print(f"{len(result.unknowns)} values that nobody stated: the report says whom to ask.")


def _change(change: float | None, digits: int) -> str:
    return "-" if change is None else f"{change:+.{digits}f}"
