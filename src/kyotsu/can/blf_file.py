"""The outer form of a BLF file: a header, then objects, of which containers hold deflated objects.

What comes out is one stream of plain objects, whether they stood in containers, one object across two of them, or
beside them. Where something is broken the stream has a gap, and the reason goes along with it.

Layout as written by python-can 4.6 (`can.io.blf`) and Vector's tools; sizes in bytes, little-endian:

    file       "LOGG", 4 header size, ..., at 40 the start as a SYSTEMTIME of 16
    object     "LOBJ", 2 header size, 2 header version, 4 size, 4 kind, ...; then padding, which tools count differently
    container  kind 10, at 16: 2 method (0 plain, 2 zlib), 6, 4 plain size, 4, then the data
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, NamedTuple

from kyotsu.can.inflate import DEFLATE_ERRORS, ENGINE, ZLIB_WINDOW, inflated
from kyotsu.can.log_report import Source

FILE_MAGIC, OBJECT_MAGIC = b"LOGG", b"LOBJ"
HEADER = struct.Struct("<4sHHLL")
CONTAINER = struct.Struct("<H6xL4x")
START_AT, HEADER_BYTES = 40, 56
CONTAINER_KIND = 10
PLAIN, DEFLATED = 0, 2
MOST_OBJECT = 1 << 26  # bytes of an object that is no container; a greater size is taken as damage
MOST_AT_ONCE = 1 << 24  # bytes inflated in one go, as the container states; else piece by piece
BATCH_BYTES = 1 << 20
MOST_PADDING = 64
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Damage(NamedTuple):
    """Something broken in the outer form."""

    kind: str
    found: str
    expected: str
    byte: int
    lost_bytes: int
    is_gap: bool = True


@dataclass
class Batch:
    """Consecutive bytes of the plain stream.

    Attributes:
        pieces: the bytes.
        position: how far the file was read for them.
        damages: met before the first byte, where the stream has a gap.
    """

    pieces: list[bytes] = field(default_factory=list)
    position: int = 0
    damages: list[Damage] = field(default_factory=list)


def start_of(head: bytes) -> int | None:
    """The start that the file's header states [ns] since 1970, of a clock whose zone is not known; `None` if none."""
    if len(head) < HEADER_BYTES or not head.startswith(FILE_MAGIC):
        return None
    year, month, _, day, hour, minute, second, millisecond = struct.unpack_from("<8H", head, START_AT)
    try:
        start = datetime(year, month, day, hour, minute, second, millisecond * 1000, tzinfo=UTC)
    except ValueError:
        return None
    return (start - EPOCH) // timedelta(microseconds=1) * 1000


class _Window:
    """A part of the file, moved forward only."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.data = b""
        self.at = 0  # in data
        self.base = 0  # of data in the file

    @property
    def position(self) -> int:
        return self.base + self.at

    def want(self, count: int) -> bool:
        """Have `count` bytes from here on, if the file has them."""
        if len(self.data) - self.at >= count:
            return True
        more = self.stream.read(max(BATCH_BYTES, count))
        self.base += self.at
        self.data = self.data[self.at :] + more
        self.at = 0
        return len(self.data) >= count

    def pieces(self, count: int) -> Iterator[bytes]:
        """The next `count` bytes piece by piece, as far as the file has them."""
        while count > 0 and self.want(1):
            piece = self.data[self.at : self.at + min(count, BATCH_BYTES)]
            self.at += len(piece)
            count -= len(piece)
            yield piece

    def find_object(self) -> int:
        """Go to the next object, or to the end; returns how many bytes were passed over."""
        before = self.position
        while True:
            found = self.data.find(OBJECT_MAGIC, self.at)
            if found >= 0:
                self.at = found
                return self.position - before
            self.at = max(self.at, len(self.data) - len(OBJECT_MAGIC) + 1)
            left = len(self.data) - self.at
            if not self.want(left + 1):
                self.at = len(self.data)
                return self.position - before


def plain_stream(source: Source) -> Generator[Batch, None, None]:
    """The objects of a file as one stream of bytes, in batches of about a mebibyte."""
    with source.path.open("rb") as stream:
        window = _Window(stream)
        batch = Batch()
        filled = 0
        _pass_header(window, batch)
        for piece in _pieces(window):
            if isinstance(piece, Damage):
                if batch.pieces:
                    yield batch
                    batch, filled = Batch(), 0
                batch.damages.append(piece)
            else:
                batch.pieces.append(piece)
                filled += len(piece)
            batch.position = window.position
            if filled >= BATCH_BYTES:
                yield batch
                batch, filled = Batch(), 0
        batch.position = window.position
        yield batch


def _pass_header(window: _Window, batch: Batch) -> None:
    if window.want(8) and window.data.startswith(FILE_MAGIC):
        size = int.from_bytes(window.data[4:8], "little")
        if window.want(size + 4) and window.data[size : size + 4] == OBJECT_MAGIC:
            window.at = size
            return
        if size <= 1 << 16 and not window.want(size + 1):  # a log without an object
            window.at = min(size, len(window.data))
            return
    expected = f"{FILE_MAGIC!r}, the size of the header, and an object behind it"
    damage = Damage("broken file header", repr(window.data[:8]), expected, 0, window.find_object())
    batch.damages.append(damage)


def _pieces(window: _Window) -> Iterator[bytes | Damage]:
    """Plain bytes and damages, from one object of the file to the next."""
    while window.want(HEADER.size):
        yield from _pass_padding(window)
        if not window.want(HEADER.size):
            break
        _, header_size, _, size, kind = HEADER.unpack_from(window.data, window.at)
        if kind == CONTAINER_KIND and size >= HEADER.size + CONTAINER.size:
            yield from _container(window, header_size, size)
        elif kind != CONTAINER_KIND and HEADER.size <= size <= MOST_OBJECT:
            yield from _run_of_objects(window, size)
        else:
            place = window.position
            window.at += len(OBJECT_MAGIC)
            lost = window.find_object() + len(OBJECT_MAGIC)
            yield Damage("broken object", f"a size of {size} bytes", "one that its kind can have", place, lost)
    left = len(window.data) - window.at
    rest = window.data[window.at :]
    window.at = len(window.data)
    if rest.strip(b"\0"):
        expected = "the end of an object"
        yield Damage("file cut off", f"{left} bytes behind the last object", expected, window.position - left, left)


def _pass_padding(window: _Window) -> Iterator[Damage]:
    """Go to the next object; zeros in between are padding, whatever their number."""
    if window.data.startswith(OBJECT_MAGIC, window.at):
        return
    place, before = window.position, window.data[window.at : window.at + HEADER.size]
    passed = window.find_object()
    if passed > len(before) or before[:passed].strip(b"\0"):
        yield Damage("bytes between objects", repr(before), f"{OBJECT_MAGIC!r}", place, passed)


def _run_of_objects(window: _Window, size: int) -> Iterator[bytes | Damage]:
    """Objects that stand in no container, as many as the window holds."""
    if not window.want(size):
        yield from _cut_off(window, size)
        return
    data, end = window.data, window.at + size
    while end + HEADER.size <= len(data):
        magic, _, _, size, kind = HEADER.unpack_from(data, end)
        sound = magic == OBJECT_MAGIC and kind != CONTAINER_KIND and HEADER.size <= size <= MOST_OBJECT
        if not sound or end + size > len(data):
            break
        end += size
    piece = data[window.at : end]
    window.at = end
    yield piece


def _cut_off(window: _Window, size: int) -> Iterator[bytes | Damage]:
    place, left = window.position, len(window.data) - window.at
    window.at += len(OBJECT_MAGIC)
    lost = window.find_object() + len(OBJECT_MAGIC)
    yield Damage("object cut off", f"{left} bytes to the end of the file", f"{size} bytes", place, lost)


def _container(window: _Window, header_size: int, size: int) -> Iterator[bytes | Damage]:
    """The content of a container; after damage the search for the next object begins right behind its header."""
    place, begin = window.position, HEADER.size + CONTAINER.size
    window.want(min(size, BATCH_BYTES))
    if len(window.data) - window.at < begin:
        yield from _cut_off(window, size)
        return
    method, stated = CONTAINER.unpack_from(window.data, window.at + HEADER.size)
    is_whole = len(window.data) - window.at >= size
    if method == DEFLATED and is_whole and stated <= MOST_AT_ONCE:
        content = _inflated_at_once(window.data[window.at + begin : window.at + size], stated)
        if content is not None:
            window.at += size
            yield content
            return
    window.at += begin
    if method == PLAIN:
        left = size - begin
        for piece in window.pieces(left):
            left -= len(piece)
            yield piece
        if left:
            yield Damage("container cut off", f"{left} bytes too few", f"{size} bytes", place, 0)
        return
    if method != DEFLATED:
        lost = window.find_object()
        yield Damage("container not known", f"method {method}", "0 (plain) or 2 (zlib)", place, lost)
        return
    yield from _inflated_in_pieces(window, place, size - begin, stated)


def _inflated_at_once(data: bytes, stated: int) -> bytes | None:
    """The content of a sound container, or nothing where it is not just what it states."""
    engine = ENGINE.decompressobj(ZLIB_WINDOW)
    try:
        content: bytes = engine.decompress(data, stated + 1)
    except DEFLATE_ERRORS:
        return None
    return content if engine.eof and len(content) == stated else None


def _inflated_in_pieces(window: _Window, place: int, size: int, stated: int) -> Iterator[bytes | Damage]:
    """What a broken, cut or great container gives; where its data end, not its size, says where to go on."""
    reasons: list[str] = []
    end = window.position + size
    pieces = inflated(window.pieces(size), ZLIB_WINDOW, reasons.append)
    count = 0
    while True:
        try:
            piece = next(pieces)
        except StopIteration as stop:
            window.at -= stop.value
            break
        count += len(piece)
        yield piece
    passed = window.find_object()
    if reasons:
        yield Damage("broken container", reasons[0], f"sound zlib data of {stated} bytes", place, passed)
    elif count != stated or abs(window.position - end) > MOST_PADDING:
        found = f"{count} bytes in it, and the next object {window.position - end} bytes behind its end"
        yield Damage("wrong size of a container", found, f"{stated} bytes, and none", place, passed, is_gap=False)
