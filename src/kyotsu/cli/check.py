"""`kyotsu check`: is what is written down in a workspace sound?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kyotsu.cli.output import BAD_INPUT, FINDINGS, OK, print_json, print_problems, problem_record, screen
from kyotsu.spec.workspace import check_workspace

WorkspaceArgument = Annotated[
    Path, typer.Argument(help="Folder of the workspace, with alliance.toml.", metavar="WORKSPACE")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def check(workspace: WorkspaceArgument, as_json: JsonOption = False) -> None:
    """Check every specification of a workspace: schema, units, references, origins, claims.

    All problems are listed in one run, each with file, line and key, what was found, what was expected
    and what to do. Exit code 0: nothing found; 1: warnings; 2: errors.
    """
    loaded, problems = check_workspace(workspace)
    errors = [problem for problem in problems if problem.severity == "error"]
    if as_json:
        counts = (
            {}
            if loaded is None
            else {
                "makers": len(loaded.makers),
                "vehicles": len(loaded.vehicles),
                "battery_modules": len(loaded.battery_modules),
                "eaxles": len(loaded.eaxles),
                "standards": len(loaded.standards),
                "cells": len(loaded.cells),
            }
        )
        print_json({"problems": [problem_record(problem) for problem in problems], **counts})
    else:
        print_problems(problems, screen)
        if loaded is not None:
            screen.print(
                f"{loaded.alliance.name}: {len(loaded.makers)} makers, {len(loaded.vehicles)} vehicles, "
                f"{len(loaded.battery_modules)} battery modules, {len(loaded.eaxles)} e-axles, "
                f"{len(loaded.standards)} standards, {len(loaded.cells)} cells",
                soft_wrap=True,
            )
        screen.print(f"{len(errors)} errors, {len(problems) - len(errors)} warnings")
    raise typer.Exit(BAD_INPUT if errors else FINDINGS if problems else OK)
