"""What is said of a log beside its frames, and what a format must offer to be one.

A reader never stops at damage: it counts it, names the first few with their place, and goes on. Hence three things
become of what stands in a file: a frame, something known that is no frame (`ignored`), or damage. Of a text log
these are its lines: `frames + ignored + damages` is their number. Of a binary log they are its objects, and
`lost_bytes` is what lay between damage and the next sound place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from kyotsu.can.frames import Frames
from kyotsu.errors import Location, Problem

Clock = Literal["utc", "local", "relative"]

MOST_NAMED = 20  # damages that are named; further ones are counted


@dataclass(frozen=True)
class LogReport:
    """What was read, and what was not.

    Attributes:
        path: of the file.
        format: name of the format.
        file_bytes: size of the file.
        read_bytes: how many of them were read so far.
        frames: that were yielded; those of errors and remote requests count.
        ignored: what is no frame by kind, such as comments, statistics, or another bus.
        damages: what could not be read, by kind.
        lost_bytes: of a binary log, between damage and the next sound place.
        problems: the first damages, each with its place.
        backwards: frames that are earlier than the one before.
        clock: `utc`, times count from 1970 UTC; `local`, the log states a date without its zone, taken as if it
            were UTC; `relative`, they count from the start of the log.
        start_ns: the start that the log states or the caller gave [ns] since 1970; `None` where neither did.
        first_ns, last_ns: least and greatest time of any frame.
        buses: names of the buses by number, where the log names them.
        finished: whether the end of the file was reached.
    """

    path: str
    format: str
    file_bytes: int
    read_bytes: int
    frames: int
    ignored: Mapping[str, int]
    damages: Mapping[str, int]
    lost_bytes: int
    problems: tuple[Problem, ...]
    backwards: int
    clock: Clock
    start_ns: int | None
    first_ns: int | None
    last_ns: int | None
    buses: Mapping[int, str]
    finished: bool

    @property
    def damaged(self) -> int:
        """Number of damages of all kinds."""
        return sum(self.damages.values())

    @property
    def records(self) -> int:
        """All that stands in the file: lines of a text log, objects of a binary one."""
        return self.frames + sum(self.ignored.values()) + self.damaged

    @property
    def is_absolute(self) -> bool:
        """Whether times are known to count from 1970 UTC."""
        return self.clock == "utc"

    @property
    def partial(self) -> bool:
        """Whether there is, or may be, more than was read."""
        return bool(self.damaged) or not self.finished


@dataclass(frozen=True)
class Source:
    """A file to read.

    Attributes:
        path: where it lies.
        size: bytes.
        start_ns: what the caller says about the moment of the log's zero [ns] since 1970 UTC.
        is_gzipped: a text log inside a gzip file.
    """

    path: Path
    size: int
    start_ns: int | None = None
    is_gzipped: bool = False


class Ledger:
    """The account of one reading; a reader writes it, `report` is what it says so far."""

    def __init__(self, source: Source, format_name: str) -> None:
        self.source = source
        self.format_name = format_name
        self.ignored: Counter[str] = Counter()
        self.damages: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.buses: dict[int, str] = {}
        self.clock: Clock = "relative" if source.start_ns is None else "utc"
        self.start_ns = source.start_ns
        self.read_bytes = self.frames = self.lost_bytes = self.backwards = 0
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self.finished = False
        self._previous: int | None = None

    def begin(self, stated_ns: int | None, clock: Clock) -> int:
        """Take note of the start that the log states; returns the one that holds, the caller's before the log's."""
        if self.source.start_ns is None and stated_ns is not None:
            self.start_ns, self.clock = stated_ns, clock
        return self.start_ns or 0

    def count(self, block: Frames) -> Frames:
        """Account for a block that goes out."""
        if block.size:
            time = block.time
            self.frames += block.size
            self.backwards += int(np.count_nonzero(time[1:] < time[:-1]))
            self.backwards += self._previous is not None and int(time[0]) < self._previous
            self._previous = int(time[-1])
            least, greatest = int(time.min()), int(time.max())
            self.first_ns = least if self.first_ns is None else min(self.first_ns, least)
            self.last_ns = greatest if self.last_ns is None else max(self.last_ns, greatest)
        return block

    def damage(
        self, kind: str, found: str, expected: str, *, line: int | None = None, byte: int | None = None, count: int = 1
    ) -> None:
        """Count a damage, and name it if it is among the first."""
        self.damages[kind] += count
        if len(self.problems) < MOST_NAMED:
            key = None if byte is None else f"byte {byte}"
            place = Location(str(self.source.path), line, key)
            action = "It was passed over and the rest was read; record it anew where it matters."
            self.problems.append(Problem(place, f"{kind}: {found}", expected, action, severity="warning"))

    @property
    def report(self) -> LogReport:
        """All that is known so far."""
        return LogReport(
            path=str(self.source.path),
            format=self.format_name,
            file_bytes=self.source.size,
            read_bytes=self.read_bytes,
            frames=self.frames,
            ignored=dict(self.ignored),
            damages=dict(self.damages),
            lost_bytes=self.lost_bytes,
            problems=tuple(self.problems),
            backwards=self.backwards,
            clock=self.clock,
            start_ns=self.start_ns,
            first_ns=self.first_ns,
            last_ns=self.last_ns,
            buses=dict(self.buses),
            finished=self.finished,
        )


class LogFormat(Protocol):
    """A format of log files: one object in one file, listed once in `kyotsu.can.logs.FORMATS`.

    A text format is a `kyotsu.can.text_log.TextFormat`, which brings all but the reading of lines. A binary one is:

        class Example:
            name = "Example"
            suffixes = (".exa",)

            def recognises(self, head: bytes, *, is_named: bool) -> bool:
                return head.startswith(b"EXAMPLE")

            def read(self, source: Source, ledger: Ledger) -> Iterator[Frames]:
                ledger.begin(start_ns, "utc")    # the caller's start goes before the log's
                ...                              # yield ledger.count(block), ledger.damage(...) and go on
    """

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of its files, in lower case with the dot."""

    def recognises(self, head: bytes, *, is_named: bool) -> bool:
        """Whether a file that begins so is of this format; `is_named` if its suffix says so, which permits damage."""

    def read(self, source: Source, ledger: Ledger) -> Iterator[Frames]:
        """Blocks of at most BLOCK_FRAMES frames in the order of the file; raises nothing but `OSError`."""
