"""Deflate, of gzip files and of the containers of binary logs: in bounded pieces, whatever a file claims.

Intel's isal is used where it is installed, else the standard library: the same answer at a third of the speed.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Generator, Iterable
from typing import Any

ENGINE: Any = zlib
DEFLATE_ERRORS: tuple[Any, ...] = (zlib.error,)
with contextlib.suppress(ImportError):
    from isal import isal_zlib

    ENGINE, DEFLATE_ERRORS = isal_zlib, (zlib.error, isal_zlib.error)

ZLIB_WINDOW, GZIP_WINDOW = 15, 31  # as zlib calls its formats
PIECE_BYTES = 1 << 20  # most that comes out at once
INPUT_BYTES = 1 << 15  # goes in at once; what a broken piece would have given is lost


def inflated(compressed: Iterable[bytes], window: int, broken: Callable[[str], None]) -> Generator[bytes, None, int]:
    """What the compressed bytes give, in pieces of at most PIECE_BYTES; several gzip members follow one another.

    `broken` is told when the data are damaged or end early; what came before is yielded all the same. It returns how
    many bytes of the last piece of input were not used.
    """
    engine = ENGINE.decompressobj(window)
    for data in compressed:
        for start in range(0, len(data), INPUT_BYTES):
            piece = data[start : start + INPUT_BYTES]
            while True:
                try:
                    out = engine.decompress(piece, PIECE_BYTES)
                except DEFLATE_ERRORS as error:
                    broken(str(error))
                    return len(data) - start
                if out:
                    yield out
                if engine.eof:
                    unused = engine.unused_data
                    if window == ZLIB_WINDOW:
                        return max(len(data) - start - INPUT_BYTES, 0) + len(unused)
                    piece = unused.lstrip(b"\0")
                    if piece:
                        engine = ENGINE.decompressobj(window)
                        continue
                    break
                piece = engine.unconsumed_tail
                if not piece and len(out) < PIECE_BYTES:
                    break
    if not engine.eof:
        broken("ends early")
    return 0
