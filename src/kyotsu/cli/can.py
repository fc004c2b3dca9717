"""`kyotsu can`: message matrices and mappings, before any log is read."""

from __future__ import annotations

import typer

from kyotsu.cli import can_check, can_diff

app = typer.Typer(no_args_is_help=True, help="Message matrices and what they say in VSS signals.")
app.command("check")(can_check.check)
app.command("diff")(can_diff.diff)
