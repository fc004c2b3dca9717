"""What had to be mended while a matrix was read: each repair with its line, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from kyotsu.errors import Location, Problem

MOST_PROBLEMS = 10_000  # of one file; what is beyond is counted, so that a hostile file cannot fill the memory
_LONGEST_QUOTE = 80  # characters of the file shown in a problem


def quoted(text: str) -> str:
    """A piece of a file as it is shown in a problem: one line, cut where it is long."""
    piece = " ".join(text[: 4 * _LONGEST_QUOTE].split())
    shown = piece if len(piece) <= _LONGEST_QUOTE and len(text) <= 4 * _LONGEST_QUOTE else piece[:_LONGEST_QUOTE] + "…"
    return repr("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in shown))


@dataclass
class Repairs:
    """The repairs of one file, in the order in which they were made.

    Attributes:
        file: as it is shown to a person.
        problems: at most `MOST_PROBLEMS` of them.
        beyond: how many more there were.
    """

    file: str
    problems: list[Problem] = field(default_factory=list)
    beyond: int = 0

    def note(self, line: int | None, key: str | None, found: str, expected: str, action: str) -> None:
        """Keep a repair: where, what stood there, what should, and what was done."""
        if len(self.problems) >= MOST_PROBLEMS:
            self.beyond += 1
            return
        self.problems.append(Problem(Location(self.file, line, key), found, expected, action, "warning"))

    def all(self) -> list[Problem]:
        """Every repair by line, and how many more there were."""
        problems = sorted(self.problems, key=lambda problem: problem.location.line or 0)
        if self.beyond:
            found = f"{self.beyond} more repairs than the {MOST_PROBLEMS} above"
            action = "Mend those first, or save the mended matrix."
            problems.append(Problem(Location(self.file), found, "a matrix in order", action, "warning"))
        return problems
