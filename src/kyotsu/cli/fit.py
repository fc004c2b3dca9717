"""`kyotsu fit`: does a part fit a vehicle, and if not, why?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.text import Text

from kyotsu.cli.check import JsonOption, WorkspaceArgument
from kyotsu.cli.output import FINDINGS, OK, print_json, screen, verdict_text
from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.finding import Finding, Verdict
from kyotsu.spec.fit import Fit, fit_workspace
from kyotsu.spec.record import STATUSES
from kyotsu.spec.workspace import Workspace, load_workspace


def fit(
    workspace: WorkspaceArgument,
    vehicle: Annotated[str | None, typer.Option("--vehicle", "-v", help="maker/id, or the start of it.")] = None,
    part: Annotated[str | None, typer.Option("--part", "-p", help="Id of a battery module or e-axle.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Explain passes too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Try parts in vehicles' slots: a matrix of verdicts, or one pair explained.

    Verdicts: ● pass, ○ pass on assumed values, ◐ conditional (do something), ? unknown (ask
    somebody), ✕ fail. With --vehicle and --part every reason is told.
    Exit code 1 when a verdict shown is not a pass.
    """
    loaded = load_workspace(workspace)
    _known(vehicle, loaded.vehicles, "vehicle", loaded, prefix=True)
    _known(part, loaded.parts, "part", loaded)
    chosen = {vehicle} & loaded.vehicles.keys() or {name for name in loaded.vehicles if name.startswith(vehicle or "")}
    fits = fit_workspace(
        replace(
            loaded,
            vehicles={name: item for name, item in loaded.vehicles.items() if name in chosen},
            battery_modules={name: item for name, item in loaded.battery_modules.items() if part in (None, name)},
            eaxles={name: item for name, item in loaded.eaxles.items() if part in (None, name)},
        )
    )
    if as_json:
        print_json([{**item.record(), "findings": [finding.record() for finding in item.findings]} for item in fits])
    elif vehicle is not None and part is not None:
        for item in fits:
            _explain(item, loaded, every)
    else:
        for kind, title in (("battery_module", "Battery modules"), ("eaxle", "E-axles")):
            _matrix([item for item in fits if item.kind == kind], title)
        screen.print("● pass   ○ pass on assumed values   ◐ conditional   ? unknown   ✕ fail")
        screen.print("Explain one pair: kyotsu fit WORKSPACE --vehicle MAKER/ID --part ID")
    raise typer.Exit(OK if all(item.verdict is Verdict.PASS for item in fits) else FINDINGS)


def _known(name: str | None, names: Any, what: str, loaded: Workspace, prefix: bool = False) -> None:
    if name is None or name in names or (prefix and any(known.startswith(name) for known in names)):
        return
    listed = ", ".join(sorted(names))
    raise InputError(
        [Problem(Location(str(loaded.root)), f"{what} {name!r}", f"one of: {listed}", "Correct the name.")]
    )


def _matrix(fits: Sequence[Fit], title: str) -> None:
    """One line for each slot, one mark for each part, parts by number: narrow enough for any terminal."""
    if not fits:
        return
    parts = list(dict.fromkeys(item.part for item in fits))
    rows: dict[str, list[Fit]] = {}
    for item in fits:
        rows.setdefault(f"{item.vehicle} {item.slot}", []).append(item)
    width = max(map(len, rows)) + 2
    screen.print(Text(title, style="bold"))
    for digits in _numbers(len(parts)):
        screen.print(" " * width + digits, highlight=False, soft_wrap=True)
    for name, row in rows.items():
        screen.print(Text.assemble(name.ljust(width), *(_mark(item) for item in row)), soft_wrap=True)
    for number, part in enumerate(parts, start=1):
        screen.print(f"  {number:>2} {part}", highlight=False)
    screen.print()


def _numbers(count: int) -> list[str]:
    """The heads of numbered columns of two characters: tens above units, tens only where there are any."""
    tens = "".join(f"{number // 10 or ' '} " for number in range(1, count + 1)).rstrip()
    units = "".join(f"{number % 10} " for number in range(1, count + 1)).rstrip()
    return [tens, units] if tens else [units]


def _mark(item: Fit) -> Text:
    return verdict_text(item.verdict, word=False, assumed=item.status == "assumed") + " "


def _explain(item: Fit, loaded: Workspace, every: bool) -> None:
    part = loaded.parts[item.part]
    name = part.name + (f" at {item.rating}" if item.rating else "")
    screen.print(
        Text.assemble((f"{name} in {loaded.vehicles[item.vehicle].name}", "bold"), f" ({item.vehicle}, {item.slot})")
    )
    screen.print(Text.assemble("  ", verdict_text(item.verdict), _basis(item)))
    if item.layout is not None:
        screen.print(f"  layout: {item.layout.text}")
    counts = ", ".join(f"{item.count(verdict)} {verdict.value}" for verdict in Verdict)
    screen.print(f"  {len(item.findings)} checks: {counts}")
    for finding in sorted(item.findings, key=lambda one: -one.verdict.rank):
        if every or finding.verdict is not Verdict.PASS:
            _print_finding(finding)
    screen.print()


def _basis(item: Fit) -> str:
    """On what origin of values the checks rest, the weakest of each check counting."""
    counts = {status: sum(finding.status == status for finding in item.findings) for status in STATUSES}
    listed = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"; checks by the weakest value they rest on: {listed}" if listed else ""


def _print_finding(finding: Finding) -> None:
    heading = Text.assemble(
        "  ",
        verdict_text(finding.verdict),
        f"  {finding.check} {finding.title}",
        (f"  [{finding.standard}]", "dim"),
    )
    screen.print(heading, soft_wrap=True)
    screen.print(Text(f"      {finding.reason}"), soft_wrap=True)
    if finding.action:
        screen.print(Text(f"      -> {finding.action}", style="italic"), soft_wrap=True)
