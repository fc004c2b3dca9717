"""The errors of kyotsu, split by whose fault it is.

    KyotsuError
    ├── InputError       what was given is wrong; carries every problem found, not only the first
    ├── PluginError      something plugged in broke its contract
    └── InternalError    our fault: please report it

A `Problem` is data, not an exception: loaders return all of them; only a strict call raises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """Where a value stands: file, 1-based line and dotted key; each may be unknown."""

    file: str | None = None
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        place = f"{self.file or 'input'}:{self.line}" if self.line else (self.file or "input")
        return f"{place} ({self.key})" if self.key else place


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        location: file, line and key.
        found: what stands there.
        expected: what should stand there.
        action: what to do about it.
        severity: an `error` makes the input unusable (exit code 2); a `warning` does not.
    """

    location: Location
    found: str
    expected: str
    action: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.location}: found {self.found}; expected {self.expected}. {self.action}"


class KyotsuError(Exception):
    """Any error that kyotsu raises on purpose."""


class InputError(KyotsuError):
    """What was given cannot be used; `problems` says all that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PluginError(KyotsuError):
    """Something plugged in (a cell reader, a component model) broke its contract."""


class InternalError(KyotsuError):
    """kyotsu is wrong, not the input: please report it with the message."""
