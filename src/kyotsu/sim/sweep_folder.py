"""A sweep on disk: parts that are whole or absent, and what they answer.

    FOLDER/sweep.json                  the question, written first; once all is done, its summary too
    FOLDER/rows/part-000000.parquet    the rows of block 0, and so on

A part is written beside its place, flushed to the disk and moved into it, so what stands in `rows` is whole: that
is all the book-keeping there is, and a run that was killed goes on from it. Each part says in its metadata of which
question, block and vehicles it is. One run at a time holds the folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kyotsu.errors import InputError, Location, Problem

try:
    import fcntl
except ModuleNotFoundError:  # Windows: two runs at once are not kept apart
    fcntl = None  # type: ignore[assignment]

MANIFEST, ROWS, PARTIAL = "sweep.json", "rows", ".partial-"
METADATA = b"kyotsu"  # key in a part's metadata; a JSON record


class SweepFolder:
    """The place of one sweep's results.

    Attributes:
        path: the folder.
        parts: metadata of the parts that are there, by block.
    """

    def __init__(self, path: Path, question: Mapping[str, Any]) -> None:
        self.path = path
        self.question = dict(question)
        self.parts: dict[int, dict[str, Any]] = {}

    def part_path(self, block: int) -> Path:
        """Where the part of a block stands."""
        return self.path / ROWS / f"part-{block:06d}.parquet"

    def write(self, block: int, data: bytes) -> None:
        """Put a part in its place, whole or not at all.

        Raises:
            InputError: there is no room or no permission; the parts before are there to go on from.
        """
        try:
            _write_whole(self.part_path(block), data, self.path)
        except OSError as error:
            raise self._stopped(error) from error

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Say in the manifest that all parts are there."""
        try:
            _write_manifest(self.path, {**self.question, "summary": dict(summary)})
        except OSError as error:
            raise self._stopped(error) from error

    @property
    def bytes_written(self) -> int:
        """Size of all parts."""
        return sum(path.stat().st_size for path in (self.path / ROWS).glob("part-*.parquet"))

    def _stopped(self, error: OSError) -> InputError:
        whole = len(list((self.path / ROWS).glob("part-*.parquet")))
        found = f"{error.strerror or error}, after {whole} parts"
        action = "Make room and resume the sweep: what is written is whole."
        return InputError([Problem(Location(str(self.path)), found, "a folder with space and permission", action)])


@contextmanager
def open_sweep(path: str | Path, question: Mapping[str, Any], resume: bool) -> Iterator[SweepFolder]:
    """The folder for the answers to a question, held for this run.

    Args:
        path: a folder that is absent or empty, or holds the same sweep if `resume`.
        question: all that the rows depend on; plain data.
        resume: go on with what is there.

    Raises:
        InputError: the folder cannot be written, is in use, or holds something else.
    """
    folder = SweepFolder(Path(path), json.loads(json.dumps(question)))
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        with _held(folder.path):
            problems = _occupied(folder, resume)
            if problems:
                raise InputError(problems)
            _prepare(folder)
            yield folder
    except OSError as error:
        expected, action = "a folder that can be written", "Give another folder, or the permission."
        problem = Problem(Location(str(folder.path)), error.strerror or str(error), expected, action)
        raise InputError([problem]) from error


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold the folder by a lock on it, which ends with the process however that ends."""
    if fcntl is None:
        yield
        return
    place = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(place)
        found, action = "a sweep that is running", "Wait for it, or give another folder."
        raise InputError([Problem(Location(str(path)), found, "a folder not in use", action)]) from None
    except OSError:
        pass  # a file system that cannot lock: NFS, for one, locks no folder
    try:
        yield
    finally:
        os.close(place)


def _occupied(folder: SweepFolder, resume: bool) -> list[Problem]:
    """Why the folder cannot be used."""
    manifest = folder.path / MANIFEST
    if not manifest.exists():
        others = sorted(p.name for p in folder.path.iterdir() if not p.name.startswith(PARTIAL))
        if not others:
            return []
        found = f"other files ({', '.join(others[:3])}{', ...' if len(others) > 3 else ''})"
        return [Problem(Location(str(folder.path)), found, "an empty or new folder", "Give another folder.")]
    if not resume:
        whole = len(list((folder.path / ROWS).glob("part-*.parquet")))
        found = f"a sweep with {whole} parts"
        action = "Resume it (--resume), or give another folder."
        return [Problem(Location(str(manifest)), found, "an empty or new folder", action)]
    try:
        before = json.loads(manifest.read_text("utf-8"))
    except ValueError:
        before = None
    if not isinstance(before, dict):
        return [Problem(Location(str(manifest)), "no manifest", "that of a sweep", "Give another folder.")]
    action = "Ask as before to resume, or give another folder."
    return [
        Problem(Location(str(manifest), key=key), _short(wanted), f"{_short(before.get(key))}, as begun", action)
        for key, wanted in folder.question.items()
        if before.get(key) != wanted
    ]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _prepare(folder: SweepFolder) -> None:
    """Remove what was never finished, read what was."""
    (folder.path / ROWS).mkdir(exist_ok=True)
    for rest in folder.path.glob(f"{PARTIAL}*"):
        rest.unlink()
    if not (folder.path / MANIFEST).exists():
        _write_manifest(folder.path, folder.question)
    for path in sorted((folder.path / ROWS).glob("part-*.parquet")):
        record = _part_record(path)
        if record is not None:
            folder.parts[record["block"]] = record
    foreign = [block for block, record in folder.parts.items() if record["question"] != folder.question]
    if foreign:
        found = f"part {foreign[0]} of another sweep"
        raise InputError([Problem(Location(str(folder.path / ROWS)), found, "parts of one", "Give another folder.")])


def _part_record(path: Path) -> dict[str, Any] | None:
    """What a part says of itself; `None` of one that is damaged, which is driven again."""
    try:
        metadata = pq.read_schema(path).metadata or {}
        record: dict[str, Any] = json.loads(metadata[METADATA])
    except (pa.ArrowException, OSError, KeyError, ValueError):
        return None
    return record if path.name == f"part-{record['block']:06d}.parquet" else None


def _write_manifest(folder: Path, record: Mapping[str, Any]) -> None:
    _write_whole(folder / MANIFEST, json.dumps(record, indent=2, ensure_ascii=False).encode(), folder)


def _write_whole(path: Path, data: bytes, folder: Path) -> None:
    partial = folder / f"{PARTIAL}{path.name}"
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    if hasattr(os, "O_DIRECTORY"):
        place = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
