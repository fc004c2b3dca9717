"""How every command speaks: tables for people, JSON on request, problems to the error stream."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.finding import Verdict

OK, FINDINGS, BAD_INPUT = 0, 1, 2

VERDICT_STYLE = {
    Verdict.PASS: "green",
    Verdict.CONDITIONAL: "yellow",
    Verdict.UNKNOWN: "cyan",
    Verdict.FAIL: "red",
}
VERDICT_MARK = {Verdict.PASS: "●", Verdict.CONDITIONAL: "◐", Verdict.UNKNOWN: "?", Verdict.FAIL: "✕"}
ASSUMED_PASS = "○"

# What stands in a workspace is printed as it is: brackets and colons in a name are no markup and no emoji.
screen = Console(markup=False, emoji=False)
error_screen = Console(markup=False, emoji=False, stderr=True)


def print_json(value: Any) -> None:
    """A value as JSON on the output stream, with keys in order and no escape codes."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")


@contextmanager
def optional(extra: str) -> Iterator[None]:
    """Around the import of a room that an extra brings: without it, says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == "kyotsu":
            raise
        found = f"no package {error.name!r}, which this command needs"
        action = f"pip install 'kyotsu[{extra}]'"
        raise InputError([Problem(Location("installation"), found, f"the extra {extra!r}", action)]) from error


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)


def problem_record(problem: Problem) -> dict[str, Any]:
    """A problem as a flat record."""
    return {
        "severity": problem.severity,
        "file": problem.location.file,
        "line": problem.location.line,
        "key": problem.location.key,
        "found": problem.found,
        "expected": problem.expected,
        "action": problem.action,
    }


def print_problems(problems: Iterable[Problem], console: Console = error_screen) -> None:
    """Problems one by one: where, what was found, what was expected, what to do."""
    for problem in problems:
        style = "red" if problem.severity == "error" else "yellow"
        place = str(problem.location)
        console.print(Text.assemble((problem.severity, f"bold {style}"), " ", (place, "bold")), soft_wrap=True)
        console.print(Text(f"    found     {problem.found}"), soft_wrap=True)
        console.print(Text(f"    expected  {problem.expected}"), soft_wrap=True)
        console.print(Text(f"    do        {problem.action}"), soft_wrap=True)


def verdict_text(verdict: Verdict, word: bool = True, assumed: bool = False) -> Text:
    """A verdict with its colour and mark; the mark alone tells it apart without colour."""
    mark = ASSUMED_PASS if assumed and verdict is Verdict.PASS else VERDICT_MARK[verdict]
    return Text(f"{mark} {verdict.value}" if word else mark, style=VERDICT_STYLE[verdict])


def table(*columns: str, title: str | None = None, right: Iterable[str] = ()) -> Table:
    """A plain table; columns named in `right` hold numbers."""
    result = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    numbers = set(right)
    for column in columns:
        result.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return result
