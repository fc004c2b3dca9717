"""`kyotsu choose` and `kyotsu evaluate`: which parts to make common, and whether a plan holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from kyotsu.cli.check import JsonOption, WorkspaceArgument
from kyotsu.cli.choose_tables import (
    MILLION,
    print_curve,
    print_decision,
    print_head,
    print_plan,
    print_proof,
    print_reasons,
)
from kyotsu.cli.output import FINDINGS, OK, error_screen, optional, print_json, print_problems, screen
from kyotsu.spec.workspace import Workspace, load_workspace

if TYPE_CHECKING:
    from kyotsu.plan.decision import Decision
    from kyotsu.plan.evaluate import Evaluation
    from kyotsu.plan.family import Plan


def choose(
    workspace: WorkspaceArgument,
    variants: Annotated[
        int | None,
        typer.Option("--variants", "-n", help="Most standards in all; else every number of them.", metavar="N"),
    ] = None,
    modules: Annotated[int | None, typer.Option(help="Most battery modules.", metavar="N")] = None,
    axles: Annotated[int | None, typer.Option(help="Most e-axles.", metavar="N")] = None,
    dual_source: Annotated[
        bool, typer.Option("--dual-source", help="Only parts that at least two suppliers make, or could.")
    ] = False,
    accept_unknown: Annotated[
        bool, typer.Option(help="Take parts of whose fit something is unknown; each such finding costs, and is told.")
    ] = True,
    keep_own: Annotated[
        bool, typer.Option("--keep-own", help="Vehicles may keep battery and e-axles as built.")
    ] = False,
    window: Annotated[
        float | None,
        typer.Option(min=0.1, max=50.0, help="Explore again with voltage windows wider by this share.", metavar="PCT"),
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="List for each vehicle what left how many builds out.")] = False,
    seconds: Annotated[float, typer.Option(min=0.0, help="Time for each proof.")] = 300.0,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File for the answer as JSON.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose which battery modules and e-axles to make common: the cheapest family that serves every vehicle.

    Tries every candidate in every vehicle: those on offer and those of the grids in the workspace's choice.toml.
    What fits is judged, what each build does is simulated, and for every number of standards the family of least
    cost is proven so: standards, units, changes of vehicles and findings to settle, over all years. Then says what
    each maker gains, and what other costs and demand would change. Exit code 1 when the time was too short for a proof.
    """
    with optional("plan"):
        from kyotsu.plan.decision import decide, save_decision  # noqa: PLC0415  (an extra)
        from kyotsu.plan.family import Options  # noqa: PLC0415
        from kyotsu.plan.sensitivity import widened  # noqa: PLC0415
        from kyotsu.plan.standards import Model  # noqa: PLC0415
    loaded = load_workspace(workspace)
    options = Options(variants=variants, modules=modules, axles=axles, dual_source=dual_source)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=error_screen, transient=True) as bar:
        task = bar.add_task("read the workspace", total=None)

        def report(step: str) -> None:
            bar.update(task, description=step)

        def explored(space: Workspace, words: str = "") -> Model:
            return Model.explored(
                space,
                accept_unknown=accept_unknown,
                keep_own=keep_own,
                progress=lambda vehicle: report(f"build {vehicle} in every way{words}"),
            )

        model = explored(loaded)
        share = None if window is None else window / 100.0
        wide = None if share is None else (share, explored(widened(loaded, share), " with wider windows"))
        decision = decide(model, options, seconds=seconds, wide=wide, report=report)
    if output is not None:
        save_decision(decision, output)
    print_problems(loaded.warnings)
    if as_json:
        print_json(decision.model_dump(mode="json"))
    else:
        _print(decision)
    if why and not as_json:
        print_reasons(model)
    raise typer.Exit(OK if decision.proven else FINDINGS)


def _print(decision: Decision) -> None:
    plan = decision.best
    print_head(plan)
    if len(decision.plans) > 1:
        print_curve(decision)
        screen.print(f"\nThe cheapest of all, {plan.variants} standards", style="bold")
    print_plan(plan)
    print_proof(plan)
    print_decision(decision)


def evaluate(
    plan: Annotated[Path, typer.Argument(help="JSON file that kyotsu choose wrote.")],
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="Folder of the workspace.")] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Check a plan anew from the workspace: fit, simulation, bounds, wishes and costs, without the optimiser.

    Exit code 1 when something in the plan does not hold.
    """
    with optional("plan"):
        from kyotsu.plan.evaluate import evaluate as evaluated  # noqa: PLC0415  (an extra)
        from kyotsu.plan.family import load_plans  # noqa: PLC0415
    plans = load_plans(plan)
    loaded = load_workspace(workspace)
    results = [evaluated(item, loaded) for item in plans]
    if as_json:
        records = [_record(item, result) for item, result in zip(plans, results, strict=True)]
        print_json(records if len(records) > 1 else records[0])
    else:
        for item, result in zip(plans, results, strict=True):
            state = "holds" if result.holds else "does not hold"
            screen.print(
                f"{item.variants} standards, {len(item.assignments)} vehicles: {state}. "
                f"Cost found anew {result.cost_usd / MILLION:,.3f} M USD, in the plan {item.cost_usd / MILLION:,.3f}.",
                soft_wrap=True, highlight=False,
            )  # fmt: skip
            for fault in result.faults:
                screen.print(Text(f"  ✕ {fault}", style="red"), soft_wrap=True)
    raise typer.Exit(OK if all(result.holds for result in results) else FINDINGS)


def _record(plan: Plan, result: Evaluation) -> dict[str, object]:
    return {
        "variants": plan.variants,
        "holds": result.holds,
        "cost_usd": result.cost_usd,
        "plan_cost_usd": plan.cost_usd,
        "faults": list(result.faults),
    }
