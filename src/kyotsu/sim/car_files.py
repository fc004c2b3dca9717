"""Tables of more cars than memory holds: Parquet or CSV, read block by block.

Columns are the arguments of `generic_vehicle`; an `id` and a `weight`, the cars that a row stands for, may be
added. An empty cell is unknown. A cell that cannot be read makes its row invalid, not the table.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.car_blocks import BLOCK, Block, Cars, Outline, OutlineBlock
from kyotsu.sim.components import LAYOUTS, MOTOR_TYPES, REFERENCE_YEAR
from kyotsu.sim.parameters import FloatArray

REQUIRED = Outline._fields[:4]
NUMBERS = Outline._fields[:7]
TEXTS = {"motor_type": MOTOR_TYPES, "layout": LAYOUTS}
COLUMNS = (*Outline._fields, "id", "weight")
COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".br")  # CSV files whose lines cannot be counted
CHUNK = 1 << 22  # bytes; read at a time


def table_cars(path: str | Path, *, ignored: Collection[str] = ()) -> Cars:
    """The cars of a table, in blocks.

    Args:
        path: a Parquet file (`.parquet`, `.pq`) or a CSV file in UTF-8 (may be compressed), with columns of `COLUMNS`;
            the first four are required. Without `id`, rows are counted from 0.
        ignored: columns that mean nothing here.

    Raises:
        InputError: the file cannot be read, has no row, lacks a column or has an unknown one.
    """
    path = Path(path)
    try:
        parquet = _is_parquet(path)
        names, rows = _parquet_header(path) if parquet else _csv_header(path)
        identity, lines = _digest(path)
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    known = [name for name in names if name not in ignored]
    problems = list(_header_problems(path, known))
    if rows is None and path.suffix not in COMPRESSED:
        rows = max(lines - 1, 0)
    if rows == 0:
        problems.append(Problem(Location(str(path)), "no rows", "at least one", "Add a row."))
    if problems:
        raise InputError(problems)

    def blocks() -> Iterator[Block]:
        first = 0
        try:
            for table in _whole_blocks(_parquet(path, known) if parquet else _csv(path, known)):
                yield _block(table, first)
                first += table.num_rows
        except (OSError, pa.ArrowException) as error:
            raise _unreadable(path, error) from error

    return Cars(path.name, identity, rows, blocks)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _parquet_header(path: Path) -> tuple[list[str], int | None]:
    with pq.ParquetFile(path) as file:
        return file.schema_arrow.names, file.metadata.num_rows


def _csv_header(path: Path) -> tuple[list[str], int | None]:
    with pa.input_stream(str(path), compression="detect") as stream:
        line = stream.read(1 << 16).split(b"\n", 1)[0]
    text = line.decode("utf-8-sig")
    return next(csv.reader([text.rstrip("\r")]), []), None


def _digest(path: Path) -> tuple[str, int]:
    """Hash of the file, and how many lines it has at most, less for quoted ends of line."""
    digest, lines, last = hashlib.sha256(), 0, b"\n"
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            lines, last = lines + chunk.count(b"\n"), chunk[-1:]
    return digest.hexdigest(), lines + (last != b"\n")


def _header_problems(path: Path, names: list[str]) -> Iterator[Problem]:
    for name in REQUIRED:
        if name not in names:
            yield Problem(Location(str(path), 1, name), "no such column", f"a column {name}", "Add the column.")
    for name in sorted(set(names)):
        if names.count(name) > 1:
            yield Problem(Location(str(path), 1, name), "two columns of that name", "one", "Remove or rename one.")
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            action = f"Did you mean {near[0]}? " if near else ""
            action += f"Rename the column, or ignore it: --ignore {name}."
            yield Problem(Location(str(path), 1, name), "unknown column", "one of " + ", ".join(COLUMNS), action)


def _unreadable(path: Path, error: BaseException) -> InputError:
    found = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).splitlines()[0]
    expected = "a Parquet table, or a CSV table in UTF-8"
    return InputError([Problem(Location(str(path)), found, expected, "Check the path and the file.")])


def _parquet(path: Path, names: list[str]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=BLOCK, columns=names)


def _csv(path: Path, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Every cell as text, so that one that is no number spoils its row only."""
    read = pyarrow.csv.ReadOptions(block_size=CHUNK)
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        include_columns=names,
        strings_can_be_null=True,
        null_values=[""],
    )
    with (
        pa.input_stream(str(path), compression="detect") as stream,
        pyarrow.csv.open_csv(stream, read_options=read, convert_options=convert) as reader,
    ):
        yield from reader


def _whole_blocks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows cut anew, `BLOCK` at a time."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows < BLOCK:
            continue
        table = pa.Table.from_batches(waiting)
        whole = rows // BLOCK * BLOCK
        for first in range(0, whole, BLOCK):
            yield table.slice(first, BLOCK)
        waiting, rows = table.slice(whole).to_batches(), rows - whole
    if rows:
        yield pa.Table.from_batches(waiting)


def _block(table: pa.Table, first: int) -> OutlineBlock:
    rows, wrong = table.num_rows, dict[int, str]()
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    absent = np.full(rows, np.nan)
    numbers = {
        name: _numbers(name, columns[name], wrong) if name in columns else absent for name in (*NUMBERS, "weight")
    }
    year = numbers["model_year"]
    numbers["model_year"] = np.where(np.isnan(year), REFERENCE_YEAR, year)
    if "weight" in columns:
        _mark(~(numbers["weight"] >= 0.0), "weight", columns["weight"], "0 or more", wrong)
    codes = {
        name: _codes(name, columns[name], allowed, wrong) if name in columns else np.zeros(rows, dtype=np.int8)
        for name, allowed in TEXTS.items()
    }
    ids = _ids(columns["id"], wrong) if "id" in columns else np.arange(first, first + rows)
    outline = Outline(**{name: numbers[name] for name in NUMBERS}, **codes)  # type: ignore[arg-type]
    return OutlineBlock(ids, outline, numbers["weight"] if "weight" in columns else None, wrong)


def _numbers(name: str, column: pa.Array, wrong: dict[int, str]) -> FloatArray:
    """A column as numbers, NaN where empty; a cell that is no finite number marks its row."""
    try:
        values = pc.cast(column, pa.float64())
    except pa.ArrowException:
        values = pa.array([_number(cell) for cell in column.to_pylist()], pa.float64())
    numbers: FloatArray = np.array(pc.fill_null(values, np.nan), dtype=np.float64)
    _mark(np.isinf(numbers), name, column, "a number", wrong)
    if name in REQUIRED:
        _mark(np.isnan(numbers), name, column, "a number", wrong)
    return numbers


def _number(cell: Any) -> float | None:
    """A cell by itself; infinite where it is no number."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    try:
        return float(cell)
    except (TypeError, ValueError):
        return np.inf


def _codes(name: str, column: pa.Array, allowed: tuple[str, ...], wrong: dict[int, str]) -> npt.NDArray[np.int8]:
    """A column of names as their places among those allowed; the first where empty."""
    texts = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    empty = np.asarray(pc.fill_null(pc.equal(texts, ""), True))
    codes = np.array(pc.fill_null(pc.index_in(texts, pa.array(allowed)), -1), dtype=np.int8)
    _mark((codes < 0) & ~empty, name, column, "one of " + ", ".join(allowed), wrong)
    return np.maximum(codes, 0)


def _ids(column: pa.Array, wrong: dict[int, str]) -> npt.NDArray[Any]:
    _mark(np.asarray(column.is_null()), "id", column, "an id", wrong)
    if pa.types.is_integer(column.type):
        return np.array(pc.fill_null(pc.cast(column, pa.int64()), -1))
    return np.array(pc.fill_null(pc.cast(column, pa.string()), ""), dtype=object)


def _mark(bad: npt.NDArray[np.bool_], name: str, column: pa.Array, expected: str, wrong: dict[int, str]) -> None:
    for place in np.flatnonzero(bad).tolist():
        cell = column[place].as_py()
        found = "nothing" if cell is None else str(cell)
        wrong.setdefault(place, f"{name} = {found[:40]}, must be {expected}")
