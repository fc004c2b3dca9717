"""`kyotsu choose` and `kyotsu evaluate`: which parts to make common, and whether a plan holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from kyotsu.cli.check import JsonOption, WorkspaceArgument
from kyotsu.cli.output import FINDINGS, OK, error_screen, optional, print_json, print_problems, screen, table
from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.workspace import load_workspace

if TYPE_CHECKING:
    from kyotsu.plan.evaluate import Evaluation
    from kyotsu.plan.family import Options, Plan
    from kyotsu.plan.standards import Model

MILLION = 1e6


def choose(
    workspace: WorkspaceArgument,
    variants: Annotated[
        int | None, typer.Option("--variants", "-n", help="Most standards in all, modules and e-axles.", metavar="N")
    ] = None,
    modules: Annotated[int | None, typer.Option(help="Most battery modules.", metavar="N")] = None,
    axles: Annotated[int | None, typer.Option(help="Most e-axles.", metavar="N")] = None,
    curve: Annotated[bool, typer.Option("--curve", help="Choose for every number of standards.")] = False,
    dual_source: Annotated[
        bool, typer.Option("--dual-source", help="Only parts that at least two suppliers make, or could.")
    ] = False,
    accept_unknown: Annotated[
        bool, typer.Option(help="Take parts of whose fit something is unknown; each such finding costs, and is told.")
    ] = True,
    keep_own: Annotated[
        bool, typer.Option("--keep-own", help="Vehicles may keep battery and e-axles as built.")
    ] = False,
    why: Annotated[bool, typer.Option("--why", help="List for each vehicle what left how many builds out.")] = False,
    seconds: Annotated[float, typer.Option(min=0.0, help="Time for each proof.")] = 300.0,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File for the plan as JSON.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose which battery modules and e-axles to make common: the cheapest family that serves every vehicle.

    Tries every candidate in every vehicle: those on offer and those of the grids in the workspace's choice.toml.
    What fits is judged, what each build does is simulated, and the family of least cost is proven so: standards, units,
    changes of vehicles and findings to settle, over all years. Exit code 1 when the time was too short for the proof.
    """
    with optional("plan"):
        from kyotsu.plan.family import Options, save_plans  # noqa: PLC0415  (an extra)
        from kyotsu.plan.standards import Model  # noqa: PLC0415
    if curve and variants is not None:
        problem = Problem(Location(key="--curve"), "--curve and --variants", "one of the two", "Leave one out.")
        raise InputError([problem])
    loaded = load_workspace(workspace)
    options = Options(variants=variants, modules=modules, axles=axles, dual_source=dual_source)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=error_screen, transient=True) as bar:
        task = bar.add_task("read the workspace", total=None)

        def say(step: str) -> None:
            bar.update(task, description=step)

        model = Model.explored(
            loaded,
            accept_unknown=accept_unknown,
            keep_own=keep_own,
            progress=lambda vehicle: say(f"build {vehicle} in every way"),
        )
        say("choose")
        plans = [*_curve(model, options, seconds)] if curve else [model.choose(options, seconds)]
    if output is not None:
        save_plans(plans, output)
    print_problems(loaded.warnings)
    if as_json:
        print_json([plan.model_dump(mode="json") for plan in plans] if curve else plans[0].model_dump(mode="json"))
    elif curve:
        _print_curve(plans)
    else:
        _print(plans[0])
    if why and not as_json:
        _print_reasons(model)
    raise typer.Exit(OK if all(plan.proven for plan in plans) else FINDINGS)


def _curve(model: Model, options: Options, seconds: float) -> Iterator[Plan]:
    """A plan for each number of standards, from the fewest that serve to those that nothing is gained beyond."""
    free = model.choose(options, seconds)
    start: tuple[str, ...] = ()
    for bound in range(0 if model.keep_own else 1, free.variants):
        try:
            plan = model.choose(options.model_copy(update={"variants": bound}), seconds, start)
        except InputError as error:
            if any(problem.location.key not in ("limits", "variants") for problem in error.problems):
                raise
            continue
        start = tuple(standard.part for standard in plan.standards)
        yield plan
        if not plan.proven and plan.solve_seconds < seconds:  # interrupted: what is there is kept
            return
    yield free


def _print(plan: Plan) -> None:
    _print_head(plan)
    labels = _labels(plan)
    numbers = ("vehicles", "units")
    listing = table("", "standard", "what", *numbers, "taken by", right=numbers)
    for item in plan.standards:
        listing.add_row(
            labels[item.part], item.part + ("*" if item.scaled else ""), item.name, str(len(item.vehicles)),
            f"{item.units:,.0f}", ", ".join(item.makers) or "nobody",
        )  # fmt: skip
    screen.print(listing)
    if any(item.scaled for item in plan.standards):
        screen.print("* of a grid in choice.toml: nobody offers it yet")
    heads = ("range km", "0-100 s", "USD each", "over-design", "open")
    vehicles = table("vehicle", "battery", "e-axles", *heads, right=heads)
    for row in plan.assignments:
        figures = {figure.title: figure for figure in row.figures}
        battery = row.battery
        layout = "own" if battery.part is None else f"{labels[battery.part]} {battery.series}s{battery.strings}p"
        drives = ", ".join("own" if axle.own else f"{labels[axle.part]} {axle.rating}" for axle in row.axles)
        sprint = figures.get("0 to 100 km/h")
        far = figures.get("range")
        units = max(row.units, 1.0)
        vehicles.add_row(
            row.vehicle, layout, drives,
            "-" if far is None else f"{far.value:.0f} ({far.limit:.0f})",
            "-" if sprint is None else f"{sprint.value:.1f} ({sprint.limit:.1f})",
            f"{row.cost.total_usd / units:,.0f}", f"{max(row.over_design_usd, 0.0) / units:,.0f}",
            f"{row.conditional}+{row.unknown}",
        )  # fmt: skip
    screen.print(vehicles)
    screen.print(
        "In brackets: what is required. over-design: USD a vehicle that sharing adds to the vehicle's own best."
    )
    screen.print("open: findings of fit that are conditional + unknown.")
    _print_proof(plan)


def _print_reasons(model: Model) -> None:
    for ways in model.ways:
        screen.print(
            f"{ways.vehicle}: {ways.builds:,} builds, {ways.simulated:,} simulated; "
            f"{len(ways.batteries)} batteries in layouts serve, {' and '.join(str(len(axle)) for axle in ways.axles)} "
            "e-axles fit. Left out, builds by limits and rules, parts by checks:",
            soft_wrap=True, highlight=False,
        )  # fmt: skip
        reasons = sorted(((count, reason) for reason, count in ways.left_out.items() if count), reverse=True)
        screen.print("  " + "; ".join(f"{reason} {count:,}" for count, reason in reasons), soft_wrap=True)


def _labels(plan: Plan) -> dict[str, str]:
    """Short names: M1, M2 of battery modules, A1, A2 of e-axles."""
    found: dict[str, str] = {}
    for letter, kind in (("M", "battery_module"), ("A", "eaxle")):
        parts = [item.part for item in plan.standards if item.kind == kind]
        found |= {part: f"{letter}{number}" for number, part in enumerate(parts, start=1)}
    return found


def _print_head(plan: Plan) -> None:
    count = len(plan.assignments)
    screen.print(
        f"{plan.workspace}: {count} vehicles, {plan.builds:,} builds, {plan.simulated:,} simulated in "
        f"{plan.explore_seconds:.0f} s; {plan.years:g} years, USD of 2022",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
    if plan.assumed_units:
        screen.print(f"Nobody stated how many are built of {', '.join(plan.assumed_units)}: assumed.", soft_wrap=True)


def _print_proof(plan: Plan) -> None:
    own, cost = plan.as_built_usd / MILLION, plan.cost_usd / MILLION
    against = f"saves {own - cost:,.0f}" if cost <= own else f"costs {cost - own:,.0f} more"
    volume, spent = (100.0 * share for share in (plan.commonality_by_volume(), plan.commonality_by_cost()))
    unknown = sum(row.unknown for row in plan.assignments)
    assumed = sum(row.basis == "assumed" for row in plan.assignments)
    change = 100.0 * (cost / own - 1.0)
    lines = (
        f"Cost {cost:,.0f} M USD; with every part a vehicle's own {own:,.0f}: {against} ({change:+.1f} %).",
        f"Shared by two makers or more: {volume:.0f} % of units, {spent:.0f} % of cost.",
        f"Rests on {unknown} unknown findings, and on assumed values in {assumed} of {len(plan.assignments)} vehicles.",
    )
    for line in lines:
        screen.print(line, soft_wrap=True, highlight=False)
    proof = "Proven: no family costs less" if plan.proven else f"Not proven: at most {100.0 * plan.gap:.3f} % to gain"
    screen.print(Text(f"{proof} ({plan.solve_seconds:.1f} s).", style="green" if plan.proven else "yellow"))


def _print_curve(plans: list[Plan]) -> None:
    _print_head(plans[0])
    numbers = ("standards", "modules", "e-axles", "cost M USD", "against own", "shared", "seconds")
    listing = table(*numbers, "proof", right=numbers)
    for plan in plans:
        against = 100.0 * (plan.cost_usd / plan.as_built_usd - 1.0)
        listing.add_row(
            str(plan.variants), str(len(plan.of_kind("battery_module"))), str(len(plan.of_kind("eaxle"))),
            f"{plan.cost_usd / MILLION:,.0f}", f"{against:+.1f} %", f"{100.0 * plan.commonality_by_volume():.0f} %",
            f"{plan.solve_seconds:.1f}", "proven" if plan.proven else f"gap {100.0 * plan.gap:.3f} %",
        )  # fmt: skip
    screen.print(listing)
    screen.print("shared: units of batteries and e-axles on standards that two makers or more take")
    for plan in plans:
        family = ", ".join(item.part for item in plan.standards)
        screen.print(f"{plan.variants}: {family}", soft_wrap=True, highlight=False)


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
