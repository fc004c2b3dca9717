"""What each signal did over a recording, in one line: how often, from what to what, between what, and its sum.

Made while the blocks go by, without keeping them. Physical values; those that do not count are left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from kyotsu.can.decoded import Decoded

HEAD = ("message", "signal", "count", "first", "last", "min", "max", "sum", "unit")


@dataclass(slots=True)
class _Line:
    unit: str
    count: int = 0
    first: Any = None
    last: Any = None
    least: Any = None
    most: Any = None
    total: Any = 0

    def add(self, values: npt.NDArray[Any]) -> None:
        if not values.size:
            return
        if self.first is None:
            self.first = values[0]
        self.last = values[-1]
        least, most = values.min(), values.max()
        self.least = least if self.least is None else min(self.least, least)
        self.most = most if self.most is None else max(self.most, most)
        self.count += values.size
        kind = np.float64 if values.dtype.kind == "f" else (np.uint64 if values.dtype.kind == "u" else np.int64)
        self.total += values.sum(dtype=kind).item()


class SignalSummary:
    """Gathers the lines, block by block."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], _Line] = {}

    def add(self, decoded: Decoded, prefix: str = "") -> None:
        """Take a block in; what is inside a container message is named after it."""
        for name in decoded:
            count = decoded.count(name)
            for column in decoded.plan(name).columns:
                if not column.shown or column.is_raw:
                    continue
                line = self._lines.get((prefix + name, column.name))
                if line is None:
                    line = self._lines[prefix + name, column.name] = _Line(column.signal.unit)
                values, valid = decoded.column(column, count), decoded.valid(column, count)
                line.add(values if valid is None else values[valid])
        for name, inside in decoded.contained.items():
            self.add(inside, f"{prefix}{name}.")

    def rows(self) -> Iterator[dict[str, Any]]:
        """One record for each signal that was there, `HEAD` its keys; `None` where it never had a value."""
        for (message, signal), line in self._lines.items():
            found = (line.first, line.last, line.least, line.most)
            numbers = [None if value is None else np.asarray(value).item() for value in found]
            total = line.total if line.count else None
            yield dict(zip(HEAD, (message, signal, line.count, *numbers, total, line.unit), strict=True))

    def write_csv(self, stream: TextIO) -> None:
        """The records as CSV, numbers in the fewest digits that give them back."""
        writer = csv.DictWriter(stream, HEAD, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows())
