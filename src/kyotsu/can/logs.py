"""Log files of any format, found by what they hold: `open_log(path).blocks()` streams frames from files of any size.

    log = open_log("drive.blf")
    for frames in log.blocks():
        ...
    print(log.report)

A new format is one file with one object (see `kyotsu.can.log_report.LogFormat`), listed once in FORMATS. All tests of
formats, those with damaged and hostile files too, run over that list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kyotsu.can.asc import ASC
from kyotsu.can.blf import BLF
from kyotsu.can.candump import CANDUMP
from kyotsu.can.frames import Frames
from kyotsu.can.gvret import GVRET
from kyotsu.can.inflate import GZIP_WINDOW, inflated
from kyotsu.can.log_report import Ledger, LogFormat, LogReport, Source
from kyotsu.can.mf4 import MF4
from kyotsu.can.trc import TRC
from kyotsu.errors import InputError, Location, Problem

# The first that recognises a file reads it: those with a magic number before those with a look.
FORMATS: tuple[LogFormat, ...] = (BLF, MF4, TRC, ASC, GVRET, CANDUMP)

HEAD_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Log:
    """A log file that was found to be one; `blocks` reads it, as often as one likes.

    Attributes:
        source: the file.
        format: what reads it.
    """

    def __init__(self, source: Source, log_format: LogFormat) -> None:
        self.source = source
        self.format = log_format
        self._ledger = Ledger(source, log_format.name)

    def blocks(self) -> Iterator[Frames]:
        """Blocks of at most BLOCK_FRAMES frames in the order of the file, each the receiver's to keep.

        Damage does not stop it: see `report`. A file that can no longer be read (`OSError`) ends it with a damage.
        """
        self._ledger = ledger = Ledger(self.source, self.format.name)
        try:
            yield from self.format.read(self.source, ledger)
        except OSError as error:
            ledger.damage("unreadable file", str(error), "a file that can be read to its end", byte=ledger.read_bytes)

    @property
    def report(self) -> LogReport:
        """What was read up to now, and what could not be."""
        return self._ledger.report


def open_log(path: str | Path, *, start: datetime | None = None) -> Log:
    """Find out what log a file is, by its content first and its suffix second; text logs may be gzip files.

    Args:
        path: of the file.
        start: with a zone, the moment from which the times of the log count, for a log that does not state it or not
            its zone. It does not move the times of a log that counts from 1970.

    Raises:
        InputError: the file cannot be read, or is no log.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        source = Source(path, path.stat().st_size, None if start is None else nanoseconds(start))
    except OSError as error:
        problem = Problem(Location(str(path)), str(error), "a log file that can be read", "Check its path and rights.")
        raise InputError([problem]) from error
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if head.startswith(GZIP_MAGIC):
        source = replace(source, is_gzipped=True)
        head = next(inflated([head], GZIP_WINDOW, lambda _: None), b"")[:HEAD_BYTES]
        suffixes = suffixes[:-1] if suffixes[-1:] == [".gz"] else suffixes
    suffix = suffixes[-1] if suffixes else ""
    for log_format in sorted(FORMATS, key=lambda one: suffix not in one.suffixes):
        if log_format.recognises(head, is_named=suffix in log_format.suffixes):
            return Log(source, log_format)
    names = ", ".join(f"{one.name} ({' '.join(one.suffixes)})" for one in FORMATS)
    found = f"{head[:16]!r}..." if head else "an empty file"
    raise InputError([Problem(Location(str(path)), found, f"a log: {names}", "Give a file of one of these formats.")])


def nanoseconds(moment: datetime) -> int:
    """A moment with a zone in [ns] since 1970 UTC."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
