"""Logs written as lines of text: from the bytes of a file to blocks, whatever the format of a line.

A format brings a `LineReader`: a compiled `kernel` that reads lines until a block is full or it meets something that
plain Python must see, and the memory that it keeps from line to line. All else is here: chunks of whole lines, lines
without an end, gzip, blocks, and the account of every line.

A kernel looks like this; `at` must be the start of a line whenever it returns:

    @compiled
    def read_lines(text, at, end, frames, filled, memory, names, counts, damages):
        stop = STOP_END
        while at < end and filled < frames.time.size:
            code, after = _read_line(text, at, frames, filled, memory, names)
            if code <= STOP_WIDER:
                stop = code
                break
            account(code, at, memory, counts, damages)
            if code == FRAME:
                filled += 1
            at = after
        return at, filled, stop
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from kyotsu.can.compiler import HAS_COMPILER, inlined
from kyotsu.can.frames import BLOCK_FRAMES, CLASSIC_BYTES, FD_BYTES, Frames, empty_frames, take
from kyotsu.can.inflate import GZIP_WINDOW, inflated
from kyotsu.can.log_report import MOST_NAMED, Ledger, Source

CHUNK_BYTES = 1 << 20
SHOWN_CHARACTERS = 60  # of a damaged line

# Why a kernel stops.
STOP_END, STOP_WIDER, STOP_NAME, STOP_PYTHON = 0, -1, -2, -3

# What became of a line: 0 a frame, others by the format's `Outcome`s.
FRAME, BLANK = 0, 1
FIRST_DAMAGE = 16  # codes from here on are damages, below what is ignored
MOST_CODES = 64

# Places of a kernel's memory that all formats share; a format's own begin at OWN.
LINE, BASE_NS, NAMED, SEEN = 0, 1, 2, 3
OWN = 8

Kernel = Callable[..., tuple[int, int, int]]


class Outcome(NamedTuple):
    """What a line is that is no frame: ignored, or damaged where it says what was expected."""

    kind: str
    expected: str = ""


@inlined
def account(code: int, at: int, memory: Any, counts: Any, damages: Any) -> None:
    """Count the line at `at`, and note the place of one that is damaged."""
    memory[LINE] += 1
    counts[code] += 1
    if code >= FIRST_DAMAGE and memory[NAMED] < damages.shape[0]:
        row = memory[NAMED]
        damages[row, 0] = code
        damages[row, 1] = memory[LINE]
        damages[row, 2] = at
        memory[NAMED] += 1


class LineReader(ABC):
    """Reads the lines of one file; what it remembers from line to line is its own.

    Attributes:
        kernel: reads lines.
        outcomes: what the kernel's codes above 1 mean.
        memory: integers that the kernel keeps, shape (64,).
        names: bytes that the kernel keeps, shape (256, 32).
    """

    kernel: Kernel
    outcomes: Mapping[int, Outcome]

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.memory = np.zeros(64, dtype=np.int64)
        self.names = np.zeros((256, 32), dtype=np.uint8)

    @abstractmethod
    def see(self, line: bytes, stop: int) -> int:
        """Take in a line at which the kernel stopped, STOP_NAME or STOP_PYTHON.

        Returns the line's code where this did all that there is to do, else STOP_END to have the kernel read it again.
        """


@dataclass(frozen=True)
class TextFormat:
    """A format of lines, see `kyotsu.can.log_report.LogFormat`.

    Attributes:
        name: what it is called.
        suffixes: endings of its files.
        shows: whether the first lines of a file look like it.
        reader: makes the reader of a file.
    """

    name: str
    suffixes: tuple[str, ...]
    shows: Callable[[bytes], bool]
    reader: Callable[[Ledger], LineReader]

    def recognises(self, head: bytes, *, is_named: bool) -> bool:
        """Whether the file's first lines look like it, or it is empty and named so."""
        return self.shows(head) or (is_named and not head.strip())

    def read(self, source: Source, ledger: Ledger) -> Iterator[Frames]:
        """Blocks in the order of the lines."""
        reader = self.reader(ledger)
        ledger.begin(None, "relative")
        reader.memory[BASE_NS] = ledger.start_ns or 0
        desk = _Desk(reader, ledger)
        for chunk in _chunks(_text(source, ledger), desk):
            yield from desk.read(chunk)
        if desk.filled:
            yield ledger.count(desk.full_block())
        ledger.read_bytes = source.size
        ledger.finished = True


class _Desk:
    """Where the lines of one file are read: the block in work and the tables that the kernel writes."""

    def __init__(self, reader: LineReader, ledger: Ledger) -> None:
        self.reader, self.ledger = reader, ledger
        self.width = CLASSIC_BYTES
        self.frames = empty_frames(BLOCK_FRAMES, self.width)
        self.filled = 0
        self.counts = np.zeros(MOST_CODES, dtype=np.int64)
        self.damages = np.zeros((MOST_NAMED, 3), dtype=np.int64)

    def full_block(self) -> Frames:
        """The block in work, and a new one in its place."""
        block = self.frames if self.filled == self.frames.size else take(self.frames, slice(0, self.filled))
        self.frames, self.filled = empty_frames(BLOCK_FRAMES, self.width), 0
        return block

    def read(self, chunk: bytes | memoryview) -> Iterator[Frames]:
        """Blocks from whole lines."""
        reader, at, end = self.reader, 0, len(chunk)
        text: Any = np.frombuffer(chunk, dtype=np.uint8) if HAS_COMPILER else bytes(chunk) + b"\n\n"
        while at < end:
            at, self.filled, stop = reader.kernel(
                text, at, end, self.frames, self.filled, reader.memory, reader.names, self.counts, self.damages
            )
            self._settle(chunk)
            if stop == STOP_WIDER:
                self._widen()
            elif stop != STOP_END:
                at = self._see(chunk, at, stop)
            if self.filled == BLOCK_FRAMES:
                yield self.ledger.count(self.full_block())

    def _widen(self) -> None:
        self.width = FD_BYTES
        payload = np.zeros((self.frames.size, FD_BYTES), dtype=np.uint8)
        payload[:, :CLASSIC_BYTES] = self.frames.payload
        self.frames = self.frames._replace(payload=payload)

    def _see(self, chunk: bytes | memoryview, at: int, stop: int) -> int:
        """Show Python the line at which the kernel stopped; returns where to go on."""
        after = bytes(chunk[at : at + CHUNK_BYTES]).find(b"\n") + 1 + at
        code = self.reader.see(bytes(chunk[at:after]), stop)
        if code == STOP_END:
            return at
        self.reader.memory[LINE] += 1
        outcome = self.reader.outcomes[code]
        if outcome.expected:
            self.ledger.damage(outcome.kind, shown(chunk, at), outcome.expected, line=int(self.reader.memory[LINE]))
        else:
            self.ledger.ignored[outcome.kind] += 1
        return after

    def _settle(self, chunk: bytes | memoryview) -> None:
        """Bring the kernel's tables into the ledger."""
        memory, outcomes = self.reader.memory, self.reader.outcomes
        for code, line, at in self.damages[: int(memory[NAMED])].tolist():
            self.ledger.damage(outcomes[code].kind, shown(chunk, at), outcomes[code].expected, line=line, count=0)
        memory[NAMED] = 0
        for code in np.flatnonzero(self.counts).tolist():
            if code != FRAME:
                kind, expected = outcomes[code] if code != BLANK else Outcome("blank lines")
                (self.ledger.damages if expected else self.ledger.ignored)[kind] += int(self.counts[code])
        self.counts[:] = 0

    def too_long(self, chunk: bytes | memoryview) -> None:
        """Count a line that has no end within a chunk."""
        self.reader.memory[LINE] += 1
        self.ledger.damage("line without an end", shown(chunk, 0), f"a line of less than {CHUNK_BYTES} bytes",
                           line=int(self.reader.memory[LINE]))  # fmt: skip


def shown(chunk: bytes | memoryview, at: int) -> str:
    """The beginning of a line for a message."""
    line = bytes(chunk[at : at + SHOWN_CHARACTERS + 1]).split(b"\n", 1)[0]
    text = line.decode("ascii", "backslashreplace").rstrip()
    return repr(text if len(line) <= SHOWN_CHARACTERS else text + "...")


def _pieces(source: Source, ledger: Ledger) -> Iterator[bytes]:
    """The bytes of the file as they lie there."""
    with source.path.open("rb") as stream:
        while piece := stream.read(CHUNK_BYTES):
            ledger.read_bytes += len(piece)
            yield piece


def _text(source: Source, ledger: Ledger) -> Iterator[bytes]:
    """The bytes of the text, decompressed where needed."""
    pieces = _pieces(source, ledger)
    if not source.is_gzipped:
        return pieces
    return inflated(pieces, GZIP_WINDOW, lambda why: ledger.damage("broken gzip file", why, "whole compressed data"))


def _chunks(text: Iterator[bytes], desk: _Desk) -> Iterator[bytes | memoryview]:
    """Whole lines, about a chunk of them at a time; the last gets the line feed that it may lack."""
    rest, skipping = b"", False  # the line that the last piece cut, and whether it was given up
    for piece in text:
        begin = piece.find(b"\n") + 1 if rest or skipping else 0
        cut = piece.rfind(b"\n") + 1
        if not cut:
            rest += b"" if skipping else piece
        else:
            if rest:
                yield rest + piece[:begin]
            if cut > begin:
                yield memoryview(piece)[begin:cut]
            rest, skipping = piece[cut:], False
        if len(rest) > CHUNK_BYTES:
            desk.too_long(rest)
            rest, skipping = b"", True
    if rest:
        yield rest + b"\n"
