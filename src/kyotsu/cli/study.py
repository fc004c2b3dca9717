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
    from kyotsu.study.choice import Choice

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
    choice: Annotated[
        Path | None, typer.Option(help="Report on this answer of kyotsu choose instead of choosing anew.")
    ] = None,
    no_choice: Annotated[
        bool, typer.Option("--no-choice", help="Leave out which parts to make common, which takes longest.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Study a workspace: what fits where, what each vehicle does as built and with common parts, which to choose.

    Checks every specification, tries every battery module and e-axle in every vehicle's slots, drives
    every build over seven cycles, chooses the cheapest family of standards for every number of them where the
    workspace has a choice.toml, and writes one HTML report that opens offline, with the same results as JSON and
    Parquet beside it. Exit code 2 when the workspace cannot be used, else 0: what the study finds is its result, not
    its failure.
    """
    with optional("study"):
        from kyotsu.plan.decision import load_decision  # noqa: PLC0415  (an extra)
        from kyotsu.study import STEPS, changes, chosen, run_study, study_record, write_study  # noqa: PLC0415
    decision = None if choice is None or no_choice else load_decision(choice)
    loaded = load_workspace(workspace)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=error_screen, transient=True) as bar:
        task = bar.add_task("read the workspace", total=len(STEPS) + 1)
        if decision is None and not no_choice:
            decision = chosen(loaded, lambda step: bar.update(task, description=step))
        result = run_study(loaded, lambda step: bar.update(task, description=step, advance=1), decision)
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
    if result.choice is not None:
        _choice(result.choice)


def _choice(choice: Choice) -> None:
    for plan, check in zip(choice.shown, choice.checked, strict=True):
        change = 100.0 * (plan.cost_usd / plan.as_built_usd - 1.0)
        words = "the cheapest of all" if plan is choice.decision.best else "where the curve bends most"
        state = ("proven" if plan.proven else f"gap {100.0 * plan.gap:.3f} %") + (
            "" if not check.faults else f"; does not hold: {check.faults[0]}"
        )
        screen.print(
            f"{plan.variants} common parts ({words}): {change:+.1f} % of cost against parts as built, {state}.",
            soft_wrap=True, highlight=False,
        )  # fmt: skip


def _change(change: float | None, digits: int) -> str:
    return "-" if change is None else f"{change:+.{digits}f}"
