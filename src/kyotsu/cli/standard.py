"""`kyotsu standard`: versions of a standard, and what a change breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import FINDINGS, OK, print_json, screen
from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.standard import Change, Standard, diff
from kyotsu.spec.workspace import Workspace, load_workspace

app = typer.Typer(no_args_is_help=True, help="Versions of a common standard, and what a change breaks.")


@app.callback()
def _standard() -> None:
    """Versions of a common standard, and what a change breaks."""


@app.command("diff")
def compare_versions(
    old: Annotated[str, typer.Argument(help="Standard as id@version, such as kyotsu_battery_module@0.9.")],
    new: Annotated[str, typer.Argument(help="The version to compare it with.")],
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="Folder of the workspace.")] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Say which constraints changed from OLD to NEW, and which parts that conformed no longer do.

    Exit code 1 when the change breaks a part of the workspace.
    """
    loaded = load_workspace(workspace)
    before, after = _standard_named(loaded, old), _standard_named(loaded, new)
    if before.kind != after.kind:
        found = f"{old} for a {before.kind} and {new} for a {after.kind}"
        raise InputError(
            [Problem(Location("command line"), found, "two standards of one kind", "Compare versions of one.")]
        )
    changes = diff(before, after, loaded.parts.values())
    if as_json:
        print_json(
            {
                "old": before.reference,
                "new": after.reference,
                "changes": [_record(change) for change in changes],
            }
        )
    else:
        _print(before, after, changes)
    raise typer.Exit(FINDINGS if any(change.broken for change in changes) else OK)


def _standard_named(loaded: Workspace, name: str) -> Standard:
    standard = loaded.standards.get(name)
    if standard is None:
        known = ", ".join(sorted(loaded.standards)) or "none"
        found = f"standard {name!r}"
        raise InputError(
            [Problem(Location(str(loaded.root)), found, f"one of: {known}", "Correct the name or version.")]
        )
    return standard


def _record(change: Change) -> dict[str, Any]:
    return {
        "field": change.field,
        "change": change.kind,
        "old": change.old.text if change.old else None,
        "new": change.new.text if change.new else None,
        "reason": (change.new or change.old).reason if change.new or change.old else None,  # type: ignore[union-attr]
        "can_break": change.can_break,
        "breaks": list(change.broken),
    }


def _print(before: Standard, after: Standard, changes: list[Change]) -> None:
    screen.print(f"{before.reference} -> {after.reference}: {len(changes)} changes", soft_wrap=True, highlight=False)
    for change in changes:
        record = _record(change)
        versions = f"{record['old'] or 'nothing'} -> {record['new'] or 'nothing'}"
        head = Text.assemble(f"  {change.kind:<10} ", (change.field, "bold"), f": {versions}")
        screen.print(head, soft_wrap=True)
        screen.print(Text(f"             {record['reason']}", style="dim"), soft_wrap=True)
        if change.broken:
            screen.print(Text(f"             breaks {', '.join(change.broken)}", style="red"), soft_wrap=True)
    broken = {part for change in changes for part in change.broken}
    listed = ", ".join(sorted(broken)) or "none"
    screen.print(f"Parts that conformed and no longer do: {listed}", soft_wrap=True, highlight=False)
