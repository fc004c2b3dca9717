"""A decoded recording on disk: one Parquet file for each message, one long table of VSS signals, and the coverage.

    FOLDER/messages/<MESSAGE>.parquet
    FOLDER/signals.parquet          time, path, value, text, quality; where there is a mapping
    FOLDER/coverage.json

All is written beside its place and moved into it at the end, so an earlier recording stays as it was until the new one
is whole; one that was stopped, or of a damaged log, is whole too and says `partial`. Tables are written by two other
threads, half a million rows at a time, in an encoding that suits what a bus says: no dictionary, zstd at its fastest,
bytes of floats apart, differences of times.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kyotsu.errors import InputError, Location, Problem
from kyotsu.partial_folder import new_partial_folder

MESSAGES, SIGNALS, COVERAGE = "messages", "signals.parquet", "coverage.json"
FLUSH_ROWS = 500_000  # of all messages together, before they are handed to the writers
LEAST_ROWS = 8_000  # of one message; fewer wait for more
WRITERS = 2
COMPRESSION = "zstd"
METADATA = "kyotsu"  # key in each file's metadata; a JSON record

_PLAIN = re.compile(r"[^A-Za-z0-9_.\- ]")


class RecordingFolder:
    """Takes tables in and writes them; use it as a context, which removes what is unfinished.

    Args:
        folder: of the recording; made where there is none.

    Raises:
        InputError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, _TableFile] = {}
        self._names: dict[str, str] = {}
        self._rows = 0
        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="kyotsu-parquet")
        self._running: list[Future[None]] = []
        try:
            self._place = new_partial_folder(folder)
            (self._place / MESSAGES).mkdir()
        except OSError as error:
            raise _unwritable(folder, error) from error

    def __enter__(self) -> RecordingFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        for file in self._files.values():
            file.abandon()
        shutil.rmtree(self._place, ignore_errors=True)

    def add_message(self, name: str, table: pa.RecordBatch) -> None:
        """Rows of a message, in the order of their arrival.

        Raises:
            InputError: what was added before could not be written.
        """
        path = self._names.get(name) or self._names.setdefault(name, f"{MESSAGES}/{file_name(name)}.parquet")
        self._add(path, table)

    def add_datapoints(self, table: pa.RecordBatch) -> None:
        """Datapoints of VSS signals, in the order of their time.

        Raises:
            InputError: what was added before could not be written.
        """
        self._add(SIGNALS, table)

    def _add(self, path: str, batch: pa.RecordBatch) -> None:
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = _TableFile(self._place / path, batch.schema)
        file.waiting.append(batch)
        file.rows += batch.num_rows
        self._rows += batch.num_rows
        if self._rows >= FLUSH_ROWS:
            self._flush(LEAST_ROWS)

    def _flush(self, least: int) -> None:
        """Hand what waits to the writers, once they are done with what they had."""
        self._join()
        self._rows = 0
        for file in self._files.values():
            if file.rows >= least:
                self._running.append(self._pool.submit(file.write, *file.taken()))
            else:
                file.gather()
                self._rows += file.rows

    def _join(self) -> None:
        running, self._running = self._running, []
        try:
            for future in running:
                future.result()
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def finish(self, coverage: Mapping[str, Any], provenance: Mapping[str, Any]) -> list[Path]:
        """Write what is left, put all in its place, and return the files.

        Args:
            coverage: becomes `coverage.json`.
            provenance: what every table says of its origin, in its metadata.

        Raises:
            InputError: something could not be written; an earlier recording is as it was.
        """
        self._flush(1)
        self._join()
        try:
            for file in self._files.values():
                file.close({METADATA: json.dumps(provenance, ensure_ascii=False)})
            text = json.dumps({**provenance, **coverage}, indent=2, ensure_ascii=False) + "\n"
            (self._place / COVERAGE).write_text(text, encoding="utf-8")
            return self._put_in_place()
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def _put_in_place(self) -> list[Path]:
        own = self.folder / MESSAGES
        if own.is_dir():
            own.replace(self._place / "before")
        (self._place / MESSAGES).replace(own)
        for name in (SIGNALS, COVERAGE):
            (self.folder / name).unlink(missing_ok=True)
            if (self._place / name).exists():
                (self._place / name).replace(self.folder / name)
        found = [*sorted(own.glob("*.parquet")), self.folder / SIGNALS, self.folder / COVERAGE]
        return [path for path in found if path.exists()]


class _TableFile:
    """One Parquet file: what waits for it, and its writer once there was something to write."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self.schema = path, schema
        self.waiting: list[pa.RecordBatch] = []
        self.rows = 0
        self.writer: pq.ParquetWriter | None = None

    def taken(self) -> tuple[list[pa.RecordBatch]]:
        batches, self.waiting, self.rows = self.waiting, [], 0
        return (batches,)

    def gather(self) -> None:
        """Copy the few rows that wait out of the memory of their blocks, so that this can serve again."""
        if len(self.waiting) > 1:
            whole = pa.Table.from_batches(self.waiting, self.schema).combine_chunks()
            self.waiting = whole.to_batches()

    def write(self, batches: list[pa.RecordBatch]) -> None:
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, self.schema, **encoding(self.schema))
        table = pa.Table.from_batches(batches, self.schema)
        self.writer.write_table(table, row_group_size=max(table.num_rows, 1))

    def close(self, metadata: Mapping[str, str]) -> None:
        if self.writer is None:
            self.write([])
        assert self.writer is not None
        self.writer.add_key_value_metadata(dict(metadata))
        self.writer.close()
        self.writer = None

    def abandon(self) -> None:
        if self.writer is not None:
            with suppress(OSError, pa.ArrowException):
                self.writer.close()


def encoding(schema: pa.Schema) -> dict[str, Any]:
    """How a table's columns are written: bytes of floats apart, differences of times, the rest plain."""
    encodings: dict[str, str] = {}
    labels: list[str] = []
    for field in schema:
        if pa.types.is_dictionary(field.type):
            labels.append(field.name)
        elif pa.types.is_floating(field.type):
            encodings[field.name] = "BYTE_STREAM_SPLIT"
        elif pa.types.is_timestamp(field.type):
            encodings[field.name] = "DELTA_BINARY_PACKED"
    return {
        "compression": COMPRESSION,
        "compression_level": 1,
        "use_dictionary": labels,
        "column_encoding": encodings,
        "write_statistics": [name for name in ("time", "path") if name in schema.names],  # what readers skip rows by
    }


def file_name(name: str) -> str:
    """A message's name as that of a file: what a file system might take amiss is written as %XX."""
    text = _PLAIN.sub(lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode()), name)[:200]
    return f"%2E{text[1:]}" if text.startswith(".") else text or "%00"


def _unwritable(folder: Path, error: OSError) -> InputError:
    found = f"the folder cannot be written ({error.strerror or error})"
    action = "Free space, or give another -o."
    return InputError([Problem(Location(str(folder)), found, "a folder with space and permission", action)])
