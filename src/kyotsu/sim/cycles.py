"""Drive cycles: speed (and grade and head wind) over time, by name or from a file.

In: a name of `CYCLES` or the path of a CSV file with the columns `time_s,speed_mps[,grade][,wind_mps]`.
Out: a `Cycle` of SI arrays. A file that cannot be driven raises `InputError` with every problem it has, by
line. Where the shipped figures come from stands in `data/cycles/SOURCES.md`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem

FloatArray = npt.NDArray[np.float64]

CYCLES = ("udds", "hwfet", "us06", "sc03", "wltc_3a", "wltc_3b", "jc08", "nedc", "jp1015")
COLUMNS = ("time_s", "speed_mps")
SPEED_LIMIT = 150.0  # m/s; faster than any road vehicle: a wrong unit
OPTIONAL = ("grade", "wind_mps")  # columns that a file may lack
WIND_LIMIT = 60.0  # m/s; stronger than any storm that is driven in
GRADE_LIMIT = 1.0  # rise over run; steeper than any road: per cent instead of a fraction
TIME_LIMIT = 1e7  # s, four months
FILE_LIMIT = 50_000_000  # bytes; a longer recording belongs in trips, not in one cycle


@dataclass(frozen=True, slots=True, eq=False)
class Cycle:
    """A speed trace that a vehicle is asked to follow.

    Attributes:
        name: what reports call it.
        time: time since the start [s], shape (sample,), strictly increasing.
        speed: vehicle speed [m/s], shape (sample,), not negative.
        grade: road grade, rise over run [-], shape (sample,).
        wind: head wind, from behind negative [m/s], shape (sample,); `None` is calm.

    Raises:
        InputError: the arrays are not a cycle; `problems` names every bad sample.
    """

    name: str
    time: FloatArray
    speed: FloatArray
    grade: FloatArray
    wind: FloatArray | None = None

    def __post_init__(self) -> None:
        wind = np.zeros_like(self.time) if self.wind is None else self.wind
        columns = (self.time, self.speed, self.grade, wind)
        if any(column.shape != (self.time.size,) for column in columns):
            found = "{} times, {} speeds, {} grades and {} winds".format(*(column.size for column in columns))
            raise InputError([_problem(self.name, None, None, found, "as many of each", "Give one per sample.")])
        if not _drivable(*columns):
            rows = [(index + 1, row) for index, row in enumerate(zip(*columns, strict=True))]
            raise InputError(list(_row_problems(self.name, rows)))

    @property
    def distance_km(self) -> float:
        """Length of the trace by the trapezoidal rule [km]."""
        return float(np.sum(np.diff(self.time) * (self.speed[1:] + self.speed[:-1])) / 2000.0)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last sample [s]."""
        return float(self.time[-1] - self.time[0])

    def __repr__(self) -> str:
        return f"Cycle({self.name!r}, {self.duration_s:.0f} s, {self.distance_km:.3f} km)"


def load_cycle(source: str | Path) -> Cycle:
    """The cycle named `source`, or the one in the CSV file at that path.

    Args:
        source: one of `CYCLES`, or a path of a file with the columns `time_s,speed_mps[,grade][,wind_mps]`.

    Raises:
        InputError: the file is missing or not a cycle; `problems` names every bad line.
    """
    name = str(source)
    if name in CYCLES:
        return _shipped(name)
    path = Path(source)
    return _parse(path.stem, _read(path), str(path))


@cache
def _shipped(name: str) -> Cycle:
    """A cycle of `CYCLES`; its arrays are read-only, for everyone gets the same."""
    text = (files("kyotsu.sim") / "data" / "cycles" / f"{name}.csv").read_text(encoding="utf-8")
    cycle = _parse(name, text, f"{name}.csv")
    for values in (cycle.time, cycle.speed, cycle.grade, cycle.wind):
        if values is not None:
            values.setflags(write=False)
    return cycle


def make_cycle(name: str, time_s: object, speed_mps: object, grade: object = 0.0, wind_mps: object = 0.0) -> Cycle:
    """A cycle from arrays, checked as a file is.

    Args:
        name: what reports call it.
        time_s: time since the start [s], shape (sample,).
        speed_mps: speed [m/s], shape (sample,).
        grade: rise over run [-], shape (sample,) or a scalar.
        wind_mps: head wind, from behind negative [m/s], shape (sample,) or a scalar.

    Raises:
        InputError: the arrays are not a cycle.
    """
    time, speed, slope, wind = (
        np.asarray(values, dtype=np.float64).ravel() for values in (time_s, speed_mps, grade, wind_mps)
    )
    slope, wind = (np.full(time.shape, values[0]) if values.size == 1 else values for values in (slope, wind))
    return Cycle(name, time, speed, slope, wind if wind.any() else None)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > FILE_LIMIT:
            found = f"{path.stat().st_size} bytes"
            raise InputError([_problem(str(path), None, None, found, f"at most {FILE_LIMIT}", "Cut it into trips.")])
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        expected = f"a CSV file, or one of {', '.join(CYCLES)}"
        found = error.strerror or "an unreadable file"
        problem = _problem(str(path), None, None, found, expected, "Check the name or path.")
    except ValueError:
        problem = _problem(str(path), None, None, "bytes that are not UTF-8", "UTF-8 text", "Save it as UTF-8.")
    raise InputError([problem])


def _parse(name: str, text: str, file: str) -> Cycle:
    try:
        table = [(number, row) for number, row in enumerate(csv.reader(text.splitlines()), 1) if any(row)]
    except csv.Error as error:
        raise InputError([_problem(file, None, None, str(error), "a CSV table", "Save it as CSV.")]) from error
    if not table:
        raise InputError([_problem(file, 1, None, "an empty file", f"a header {','.join(COLUMNS)}", "Fill it.")])
    header = [cell.strip() for cell in table[0][1]]
    problems = [
        _problem(file, table[0][0], column, f"columns {', '.join(header)}", f"a column {column}", "Add it.")
        for column in COLUMNS
        if column not in header
    ]
    if problems:
        raise InputError(problems)
    optional = [column for column in OPTIONAL if column in header]
    places = [header.index(column) for column in (*COLUMNS, *optional)]
    rows: list[tuple[int, tuple[float, ...]]] = []
    for number, row in table[1:]:
        values, wrong = _numbers(file, number, row, header, places)
        problems += wrong
        if not wrong:
            named = dict(zip((*COLUMNS, *optional), values, strict=True))
            rows.append((number, tuple(named.get(column, 0.0) for column in (*COLUMNS, *OPTIONAL))))
    problems += _row_problems(file, rows)
    if problems:
        raise InputError(problems)
    time, speed, grade, wind = np.array([values for _, values in rows], dtype=np.float64).T.copy()
    return Cycle(name, time, speed, grade, wind if wind.any() else None)


def _numbers(
    file: str, line: int, row: list[str], header: list[str], places: list[int]
) -> tuple[list[float], list[Problem]]:
    values, wrong = [], []
    for place in places:
        cell = row[place].strip() if place < len(row) else ""
        try:
            values.append(float(cell))
        except ValueError:
            found = repr(cell) if cell else "nothing"
            wrong.append(_problem(file, line, header[place], found, "a number", "Correct the cell."))
    return values, wrong


def _drivable(time: FloatArray, speed: FloatArray, grade: FloatArray, wind: FloatArray) -> bool:
    """Whether `_row_problems` has none, sooner."""
    return bool(
        time.size >= 2
        and (np.abs(time) <= TIME_LIMIT).all()
        and (np.diff(time) > 0.0).all()
        and ((speed >= 0.0) & (speed <= SPEED_LIMIT)).all()
        and (np.abs(grade) <= GRADE_LIMIT).all()
        and (np.abs(wind) <= WIND_LIMIT).all()
    )


def _row_problems(file: str, rows: Sequence[tuple[int, tuple[float, ...]]]) -> Iterator[Problem]:
    if len(rows) < 2:
        yield _problem(file, None, None, f"{len(rows)} usable samples", "at least 2", "Add samples.")
    previous = -np.inf
    for line, (time, speed, grade, wind) in rows:
        if not abs(time) <= TIME_LIMIT:
            yield _problem(file, line, "time_s", f"{time:g} s", f"at most {TIME_LIMIT:g} s", "Correct the time.")
        elif time <= previous:
            yield _problem(file, line, "time_s", f"{time:g} s", f"more than {previous:g} s", "Sort or remove it.")
        else:
            previous = time
        if not 0.0 <= speed <= SPEED_LIMIT:
            yield _problem(file, line, "speed_mps", f"{speed:g}", f"0 to {SPEED_LIMIT:g} m/s", "Correct the speed.")
        if not abs(grade) <= GRADE_LIMIT:
            yield _problem(file, line, "grade", f"{grade:g}", "a rise over run of at most 1", "Correct the grade.")
        if not abs(wind) <= WIND_LIMIT:
            expected = f"at most {WIND_LIMIT:g} m/s either way"
            yield _problem(file, line, "wind_mps", f"{wind:g}", expected, "Correct the wind.")


def _problem(file: str, line: int | None, key: str | None, found: str, expected: str, action: str) -> Problem:
    return Problem(Location(file, line, key), found, expected, action)
