"""`kyotsu can check`: what message matrices hold, what had to be mended in them, and what in them cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyotsu.cli.check import JsonOption
from kyotsu.cli.output import (
    BAD_INPUT,
    FINDINGS,
    OK,
    optional,
    print_json,
    print_problems,
    problem_record,
    screen,
    table,
)  # fmt: skip
from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.vss import load_vss

if TYPE_CHECKING:
    from kyotsu.can.matrix import Matrix

FilesArgument = Annotated[
    list[Path],
    typer.Argument(help="Matrices: DBC, KCD, SYM or ARXML; or makers' folders, with their mapping.", metavar="FILE..."),
]
WriteOption = Annotated[
    Path | None,
    typer.Option("--write", help="Write the mended matrix of a single file here, as DBC.", metavar="OUT.dbc"),
]
BusOption = Annotated[str | None, typer.Option("--bus", help="Of a file with several buses, the one to take.")]

_KINDS = ("messages", "signals", "multiplexed", "fd", "extended", "j1939", "transported", "protected")
_COLUMNS = ("messages", "signals", "mux", "FD", "29-bit", "J1939")  # the first of them, short enough for a table


def check(file: FilesArgument, as_json: JsonOption = False, write: WriteOption = None, bus: BusOption = None) -> None:
    """Check message matrices: how much they hold, every repair with its line, signals that cannot be as described.

    A file is read whatever state it is in; only one of which nothing can be used is an error. Of a maker's folder,
    bus.dbc and signals.toml are checked, against each other and the catalogue of VSS. --write saves the mended
    matrix as a DBC file that other tools read as well. Exit code 0: nothing found; 1: warnings; 2: errors.
    """
    with optional("can"):
        from kyotsu.can.dbc_writer import save_dbc  # noqa: PLC0415  (an extra)
        from kyotsu.can.mapping import read_mapping  # noqa: PLC0415
        from kyotsu.can.mapping_checks import check_mapping  # noqa: PLC0415
        from kyotsu.can.matrix_checks import check_matrix  # noqa: PLC0415
        from kyotsu.can.matrix_files import read_matrix  # noqa: PLC0415
    if write is not None and len(file) != 1:
        found = f"--write with {len(file)} files"
        raise InputError([Problem(Location("command line"), found, "one file", "Mend them one by one.")])
    problems: list[Problem] = []
    matrices: dict[Path, Matrix | None] = {}
    for path in file:
        matrix, repairs = read_matrix(path / "bus.dbc" if path.is_dir() else path, bus)
        matrices[path] = matrix
        problems += repairs + ([] if matrix is None else check_matrix(matrix))
        if matrix is not None and path.is_dir():
            rules, faults = read_mapping(path / "signals.toml")
            problems += faults + ([] if rules is None else check_mapping(rules, matrix, load_vss()))
        if matrix is not None and write is not None:
            save_dbc(matrix, write)
    if as_json:
        counts = [{"file": str(path), **_counts(matrix)} for path, matrix in matrices.items()]
        print_json({"matrices": counts, "problems": [problem_record(problem) for problem in problems]})
    else:
        _print(matrices, problems)
    errors = any(problem.severity == "error" for problem in problems)
    raise typer.Exit(BAD_INPUT if errors else FINDINGS if problems else OK)


def _counts(matrix: Matrix | None) -> dict[str, Any]:
    """How many messages and signals there are, and of what kinds; nothing for a file that cannot be used."""
    if matrix is None:
        return {}
    messages = matrix.messages
    counts = (
        len(messages),
        sum(len(message.signals) for message in messages),
        sum(any(signal.is_multiplexor for signal in message.signals) for message in messages),
        sum(message.is_fd for message in messages),
        sum(message.is_extended for message in messages),
        sum(message.protocol == "j1939" for message in messages),
        sum(message.protocol in ("isotp", "nmea2000") for message in messages),
        sum(message.protection is not None for message in messages),
    )
    return dict(zip(_KINDS, counts, strict=True))


def _print(matrices: dict[Path, Matrix | None], problems: list[Problem]) -> None:
    print_problems(problems, screen)
    shown = table("matrix", *_COLUMNS, right=_COLUMNS)
    for path, matrix in matrices.items():
        counts = list(map(str, _counts(matrix).values())) or ["-"] * len(_COLUMNS)
        shown.add_row(path.name, *counts[: len(_COLUMNS)])
    screen.print(shown)
    errors = sum(problem.severity == "error" for problem in problems)
    screen.print(f"{errors} errors, {len(problems) - errors} warnings")
