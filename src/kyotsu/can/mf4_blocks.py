"""The blocks of an MDF 4 file: their links followed with care, their data as one stream of bytes.

ASAM MDF 4.2: every block begins with "##" and two letters, 4 bytes of no use, 8 length, 8 number of links, the links
(addresses in the file), then its content. Nothing that a block says is believed: an address may lie outside the file,
links may run in circles, a length may be absurd, a compressed block may claim to hold more than memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from kyotsu.can.inflate import ZLIB_WINDOW, inflated

HEADER = struct.Struct("<4s4xQQ")
ZIP_HEADER = struct.Struct("<2sBxIQQ")  # original kind, method, columns, plain size, compressed size
ID_BYTES, HD_AT = 64, 64
FINISHED, UNFINISHED = b"MDF     ", b"UnFinMF "

MOST_STRUCTURE = 1 << 20  # bytes of a block that describes something; more of it is not read
MOST_LIST = 1 << 27  # bytes of a list of data blocks
MOST_BLOCKS = 1 << 18  # that describe something
MOST_TRANSPOSED = 1 << 26  # bytes of a transposed block, which must be in memory as a whole
PIECE_BYTES = 1 << 20
DEFLATED, TRANSPOSED = 0, 1
PLAIN_DATA = {b"##DT", b"##DV", b"##SD", b"##RD"}


class Damage(NamedTuple):
    """Something broken in the file."""

    kind: str
    found: str
    expected: str
    byte: int
    lost_bytes: int = 0


class Block(NamedTuple):
    """A block that describes something, its content cut at MOST_STRUCTURE."""

    kind: bytes
    address: int
    links: tuple[int, ...]
    content: bytes

    def link(self, index: int) -> int:
        """An address, 0 where there is none."""
        return self.links[index] if index < len(self.links) else 0


class Blocks:
    """Reads the blocks of one file.

    Attributes:
        stream, size: the file.
        tell: takes in damages.
        is_finished: whether the logger finished the file; else the last data block may go on to the end of the file.
    """

    def __init__(self, stream: BinaryIO, size: int, tell: Callable[[Damage], None], *, is_finished: bool) -> None:
        self.stream, self.size, self.tell, self.is_finished = stream, size, tell, is_finished
        self._count = 0

    def read(self, address: int, count: int) -> bytes:
        """Bytes of the file, as far as it has them."""
        self.stream.seek(address)
        return self.stream.read(count)

    def header(self, address: int) -> tuple[bytes, int, int]:
        """Kind, length and number of links of the block there; the kind is empty where there is none."""
        data = self.read(address, HEADER.size) if address <= self.size - HEADER.size else b""
        if len(data) < HEADER.size or not data.startswith(b"##"):
            self.tell(
                Damage("broken link", f"no block at {address}", "the address of a block", min(address, self.size))
            )
            return b"", 0, 0
        kind, length, links = HEADER.unpack(data)
        return kind, length, links

    def block(self, address: int, kind: bytes, most: int = MOST_STRUCTURE) -> Block | None:
        """The block there; nothing, and a damage, where there is no such block."""
        self._count += 1
        found, length, link_count = self.header(address) if self._count <= MOST_BLOCKS else (b"", 0, 0)
        content_at = HEADER.size + 8 * link_count
        if found != kind or not content_at <= length or content_at > most:
            if found:
                expected = f"a {kind!r} block of at least {content_at} bytes"
                self.tell(Damage("broken block", f"{found!r} of {length} bytes", expected, address))
            return None
        data = self.read(address + HEADER.size, min(length, most) - HEADER.size)
        if len(data) < 8 * link_count:
            self.tell(Damage("broken block", "the end of the file", "its links", address))
            return None
        links = struct.unpack_from(f"<{link_count}Q", data)
        return Block(found, address, links, data[8 * link_count :])

    def chain(self, address: int, kind: bytes, most: int = MOST_STRUCTURE) -> Iterator[Block]:
        """Blocks of which each names the next in its first link."""
        seen: set[int] = set()
        while address:
            if address in seen:
                self.tell(Damage("links in a circle", f"{kind!r} at {address} again", "a chain with an end", address))
                return
            seen.add(address)
            block = self.block(address, kind, most)
            if block is None:
                return
            yield block
            address = block.link(0)

    def text(self, address: int) -> str:
        """What a text block says; empty where there is none."""
        if not address:
            return ""
        kind = self.read(address, 4) if address <= self.size else b""
        block = self.block(address, kind if kind in (b"##TX", b"##MD") else b"##TX")
        return "" if block is None else block.content.split(b"\0", 1)[0].decode("utf-8", "replace")

    def data(self, address: int) -> Generator[bytes | Damage, None, None]:
        """The bytes of a data block, or of those that a list names, in pieces; damages in their place."""
        told: list[Damage] = []
        outer, self.tell = self.tell, told.append
        try:
            for place in self._data_blocks(address):
                yield from told
                told.clear()
                yield from self._content(place)
            yield from told
        finally:
            self.tell = outer

    def is_columns(self, address: int) -> bool:
        """Whether the data are kept without their invalidation bytes, as MDF 4.2 may."""
        return bool(address) and address <= self.size and self.read(address, 4) in (b"##LD", b"##DV")

    def _data_blocks(self, address: int) -> Iterator[int]:
        """Addresses of the blocks that hold the data."""
        if not address:
            return
        kind, _, _ = self.header(address)
        if kind == b"##HL":
            block = self.block(address, b"##HL")
            address = block.link(0) if block else 0
            kind = self.header(address)[0] if address else b""
        if kind in (b"##DL", b"##LD"):
            for block in self.chain(address, kind, MOST_LIST):
                count = len(block.links) - 1
                if kind == b"##LD" and len(block.content) >= 8:  # behind them may stand those of invalidation bytes
                    count = min(count, int.from_bytes(block.content[4:8], "little"))
                self._count -= 1  # the size of the file bounds lists
                yield from (link for link in block.links[1 : 1 + count] if link)
        elif kind:
            yield address

    def _content(self, address: int) -> Iterator[bytes | Damage]:
        kind, length, links = self.header(address)
        if kind == b"##DZ":
            yield from self._zipped(address, length)
        elif kind in PLAIN_DATA:
            begin, end = address + HEADER.size + 8 * min(links, 1 << 20), address + length
            if not self.is_finished and (length <= HEADER.size or end > self.size):
                end = self.size
            yield from self._plain(begin, min(end, self.size))
            if end > self.size:
                lost = end - self.size
                yield Damage(
                    "data cut off", f"{lost} bytes too few", f"{length} bytes from {address} on", self.size, lost
                )
        elif kind:
            yield Damage("broken block", repr(kind), "a block of data", address)

    def _plain(self, begin: int, end: int) -> Iterator[bytes]:
        while begin < end:
            piece = self.read(begin, min(PIECE_BYTES, end - begin))
            if not piece:
                return
            begin += len(piece)
            yield piece

    def _zipped(self, address: int, length: int) -> Iterator[bytes | Damage]:
        begin = address + HEADER.size + ZIP_HEADER.size
        data = self.read(address + HEADER.size, ZIP_HEADER.size)
        if len(data) < ZIP_HEADER.size:
            yield Damage("broken block", "the end of the file", "a compressed block", address)
            return
        _, method, columns, plain, size = ZIP_HEADER.unpack(data)
        if method not in (DEFLATED, TRANSPOSED) or (method == TRANSPOSED and not 0 < plain <= MOST_TRANSPOSED):
            expected = f"method 0, or 1 and at most {MOST_TRANSPOSED} bytes"
            yield Damage("compressed block not known", f"method {method}, {plain} bytes", expected, address, length)
            return
        reasons: list[str] = []
        kept: list[bytes] = []
        count = 0
        for piece in inflated(self._plain(begin, min(begin + size, self.size)), ZLIB_WINDOW, reasons.append):
            part = piece[: plain - count]
            count += len(part)
            if method == DEFLATED:
                yield part
            else:
                kept.append(part)
            if count == plain:
                break
        if kept:
            yield rows_of(b"".join(kept), columns, plain)
        if count != plain:
            why = reasons[0] if reasons else f"{count} bytes in it"
            yield Damage("broken compressed block", why, f"{plain} bytes of sound zlib data", address, plain - count)


def rows_of(data: bytes, columns: int, plain: int) -> bytes:
    """Bytes in rows that were kept column by column; of data that are cut, only the rows that are whole.

    Args:
        data: column by column, then what does not fill a row.
        columns: bytes in a row.
        plain: bytes that there should be.
    """
    rows = plain // columns if columns else 0
    if rows < 2 or columns < 2:
        return data
    if len(data) < plain:  # of the last column some rows are missing
        rows_there = len(data) - (columns - 1) * rows
        if rows_there <= 0:
            return b""
        data = data.ljust(plain, b"\0")
        return _turned(data, columns, rows)[: rows_there * columns]
    return _turned(data, columns, rows) + data[rows * columns :]


def _turned(data: bytes, columns: int, rows: int) -> bytes:
    return np.frombuffer(data, dtype=np.uint8, count=rows * columns).reshape(columns, rows).T.tobytes()
