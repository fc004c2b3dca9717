"""The command tree, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

import typer
from rich.text import Text

from kyotsu import __version__
from kyotsu.cli import (
    bench,
    bench_can,
    bench_plan,
    bench_sweep,
    can,
    check,
    choose,
    decode,
    drive,
    fit,
    label,
    schema,
    standard,
    study,
    sweep,
    validate,
)
from kyotsu.cli.output import BAD_INPUT, error_screen, print_json, print_problems, problem_record
from kyotsu.errors import InputError, KyotsuError

INTERRUPTED = 130

app = typer.Typer(
    name="kyotsu",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "The open platform for carmakers that share parts and software.\n\n"
        "A *workspace* is a folder of TOML files: makers, vehicles, parts, standards. "
        "Start with `kyotsu study examples/alliance`.\n\n"
        "Exit codes: 0 all is well, 1 there are findings, 2 the input is bad. "
        "Every command takes `--json`."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kyotsu {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Shared options."""


app.command("check")(check.check)
app.command("fit")(fit.fit)
app.command("drive")(drive.drive)
app.command("label")(label.label)
app.command("study")(study.study)
app.command("choose")(choose.choose)
app.command("evaluate")(choose.evaluate)
app.command("sweep")(sweep.sweep)
app.command("decode")(decode.decode)
app.command("validate")(validate.validate)
app.command("schema")(schema.schema)
app.add_typer(standard.app, name="standard")
app.add_typer(can.app, name="can")
bench.app.command("can")(bench_can.can)
bench.app.command("plan")(bench_plan.plan)
bench.app.command("sweep")(bench_sweep.sweep)
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Run the command line; every expected error ends in one clear message and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character gets its number
    try:
        app(prog_name="kyotsu")
    except InputError as error:
        _refuse(error)
    except KyotsuError as error:
        error_screen.print(Text.assemble(("error", "bold red"), f" {error}"), soft_wrap=True)
        sys.exit(BAD_INPUT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        error_screen.print("interrupted: nothing was left half-written")
        sys.exit(INTERRUPTED)


def _refuse(error: InputError) -> None:
    if "--json" in sys.argv:
        print_json({"problems": [problem_record(problem) for problem in error.problems]})
    print_problems(error.problems)
    count = len(error.problems)
    error_screen.print(f"{count} {'problem' if count == 1 else 'problems'}: the input cannot be used", soft_wrap=True)
    sys.exit(BAD_INPUT)
