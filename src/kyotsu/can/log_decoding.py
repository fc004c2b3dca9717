"""Logs to tables: read, put together what a transport protocol spread, decode, map to VSS signals, write.

    decode_logs(logs, matrix, rules, output=FOLDER)  ->  Coverage

Reading (and inflating) runs in a thread of its own, writing in two more; a recording streams through in blocks, so the
memory does not grow with it. Ctrl-C ends the reading: what was decoded until then is kept, and marked partial.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kyotsu import __version__
from kyotsu.can.ahead import ahead
from kyotsu.can.carriers import Carriers
from kyotsu.can.codec import Codec
from kyotsu.can.coverage import Coverage
from kyotsu.can.decoded import Decoded
from kyotsu.can.frames import Frames, joined
from kyotsu.can.log_report import LogReport
from kyotsu.can.logs import Log, open_log
from kyotsu.can.mapper import Mapper
from kyotsu.can.matrix import Matrix
from kyotsu.can.recording import RecordingFolder
from kyotsu.can.signal_summary import SignalSummary

HASH_BYTES = 1 << 22
DECODED_FRAMES = 1 << 17  # at once: a quarter of the time of small blocks goes into starting on them
LOG_COLUMN = "log"  # which of several logs a row is from

Report = Callable[[LogReport], None]


@dataclass(frozen=True)
class Decoding:
    """What to do with logs.

    Attributes:
        matrix: what the bits mean.
        mapper: to VSS signals; `None` for none.
        output: folder to write; `None` to count only.
        summary: whether to summarise each signal.
        raw, labels: columns beside each signal's, see `Codec`.
        start: moment from which the times of logs count that do not state it.
        mapping_fingerprint: SHA-256 of the mapping, for the provenance.
    """

    matrix: Matrix
    mapper: Mapper | None = None
    output: Path | None = None
    summary: bool = False
    raw: bool = False
    labels: bool = True
    start: datetime | None = None
    mapping_fingerprint: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came out.

    Attributes:
        coverage: the account of all frames.
        summary: of each signal, where it was asked for.
        datapoints: of each VSS signal, by path.
        files: that were written.
    """

    coverage: Coverage
    summary: SignalSummary
    datapoints: dict[str, int] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


def decode_logs(paths: Sequence[Path], asked: Decoding, report: Report = lambda log: None) -> Outcome:
    """Decode logs one after the other into one recording.

    Args:
        paths: of the logs.
        asked: with what, and where to.
        report: told now and then how far the log is that is being read.

    Raises:
        InputError: a file is no log, or the folder cannot be written; an earlier recording is as it was.
    """
    logs = [open_log(path, start=asked.start) for path in paths]
    run = _Run(asked, [path.name for path in paths])
    if asked.output is None:
        run.all_of(logs, report)
        return Outcome(run.coverage, run.summary, run.datapoints)
    with RecordingFolder(asked.output) as folder, ThreadPoolExecutor(1) as pool:
        hashes = [pool.submit(_fingerprint, path) for path in paths]
        run.folder = folder
        run.all_of(logs, report)
        files = folder.finish(run.record(), _provenance(paths, hashes, asked, run.coverage))
    return Outcome(run.coverage, run.summary, run.datapoints, tuple(files))


class _Run:
    def __init__(self, asked: Decoding, names: list[str]) -> None:
        self.asked = asked
        self.names = pa.array(names, pa.string())
        self.codec = Codec(asked.matrix, raw=asked.raw, labels=asked.labels)
        self.coverage = Coverage(asked.matrix)
        self.summary = SignalSummary()
        self.datapoints: dict[str, int] = {}
        self.folder: RecordingFolder | None = None

    def all_of(self, logs: Sequence[Log], report: Report) -> None:
        try:
            for number, log in enumerate(logs):
                self.one(log, number, report)
        except KeyboardInterrupt:
            self.coverage.interrupted = True

    def one(self, log: Log, number: int, report: Report) -> None:
        self.coverage.new_log()
        if self.asked.mapper is not None:
            self.asked.mapper.reset()
        carriers = Carriers(self.asked.matrix)
        before: Decoded | None = None
        together: Decoded | None = None
        try:
            for block in ahead(gathered(log.blocks())):
                frames, messages, carrying = carriers.split(block)
                self.coverage.carry(carrying)
                before = self.codec.decode(frames, after=before)
                self.coverage.add(before)
                self.take(before, number)
                for longer in messages:
                    together = self.codec.decode(longer, after=together)
                    self.coverage.add_messages(together)
                    self.take(together, number)
                report(log.report)
        finally:
            self.coverage.transport.update(carriers.finish())
            self.coverage.logs.append(log.report)

    def take(self, decoded: Decoded, number: int) -> None:
        if self.asked.summary:
            self.summary.add(decoded)
        if self.folder is not None:
            for name, table in _tables(decoded):
                self.folder.add_message(name, self.marked(table, number))
        if self.asked.mapper is None:
            return
        points = self.asked.mapper.feed(decoded)
        if points.time.size:
            paths = self.asked.mapper.paths
            for target, count in enumerate(np.bincount(points.target, minlength=len(paths)).tolist()):
                if count:
                    self.datapoints[paths[target]] = self.datapoints.get(paths[target], 0) + count
            if self.folder is not None:
                for batch in self.asked.mapper.table(points).to_batches():
                    self.folder.add_datapoints(self.marked(batch, number))

    def marked(self, table: pa.RecordBatch, number: int) -> pa.RecordBatch:
        """With the log that the rows are from, where there are several."""
        if len(self.names) == 1:
            return table
        column = pa.DictionaryArray.from_arrays(pa.array(np.full(table.num_rows, number, dtype=np.int16)), self.names)
        return table.append_column(LOG_COLUMN, column)

    def record(self) -> dict[str, Any]:
        """The account as plain data."""
        mapper = self.asked.mapper
        signals = None if mapper is None else {
            "datapoints": dict(sorted(self.datapoints.items())),
            "silent": sorted(set(mapper.paths) - self.datapoints.keys()),
            "unplaced": mapper.unplaced,
        }  # fmt: skip
        return {**self.coverage.record(), "vss": signals}


def gathered(blocks: Iterator[Frames], least: int = DECODED_FRAMES) -> Generator[Frames, None, None]:
    """Blocks put together until each has so many frames, for what a block costs whatever its size."""
    waiting: list[Frames] = []
    for block in blocks:
        waiting.append(block)
        if sum(one.size for one in waiting) >= least:
            yield joined(waiting)
            waiting = []
    if waiting:
        yield joined(waiting)


def _tables(decoded: Decoded, prefix: str = "") -> Iterator[tuple[str, pa.RecordBatch]]:
    for name in decoded:
        yield prefix + name, decoded.table(name)
    for name, inside in decoded.contained.items():
        yield from _tables(inside, f"{prefix}{name}.")


def _provenance(
    paths: Sequence[Path], hashes: Sequence[Future[str]], asked: Decoding, coverage: Coverage
) -> dict[str, Any]:
    """What every table says of its origin."""
    return {
        "kyotsu": __version__,
        "partial": coverage.partial,
        "matrix": {"name": asked.matrix.name, "version": asked.matrix.version, "sha256": asked.matrix.fingerprint},
        "mapping": {"sha256": asked.mapping_fingerprint} if asked.mapper is not None else None,
        "inputs": [
            {"name": path.name, "sha256": future.result(), "clock": log.clock}
            for path, future, log in zip(paths, hashes, coverage.logs, strict=False)
        ],
    }


def _fingerprint(path: Path) -> str:
    """SHA-256 of a file; empty where it can no longer be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(HASH_BYTES):
                digest.update(piece)
    except OSError:
        return ""
    return digest.hexdigest()
