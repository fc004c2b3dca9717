"""Message matrices from files: DBC by a tolerant reader of our own, KCD, SYM and ARXML through cantools."""

from __future__ import annotations

import codecs
import hashlib
import re
import stat
from dataclasses import replace
from pathlib import Path

from kyotsu.can.dbc import parse_dbc
from kyotsu.can.matrix import Matrix
from kyotsu.can.repairs import Repairs
from kyotsu.errors import InputError, Location, Problem

MOST_BYTES = 256_000_000  # of a DBC file: some three million signals

_KANA = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]")  # in Shift-JIS; in Western text the first byte is a rare mark


def load_matrix(path: Path | str) -> Matrix:
    """The matrix of a file; whatever could be mended was.

    Raises:
        InputError: if nothing of the file can be used.
    """
    matrix, problems = read_matrix(path)
    if matrix is None:
        raise InputError([problem for problem in problems if problem.severity == "error"])
    return matrix


def read_matrix(path: Path | str) -> tuple[Matrix | None, list[Problem]]:
    """The matrix of a file and every repair as a warning with its line; no matrix and why, if nothing can be used."""
    path = Path(path)
    content, problems = _content(path)
    if content is None:
        return None, problems
    matrix, problems = matrix_of(content, path.name, shown=str(path))
    return matrix, problems


def matrix_of(content: bytes, name: str, *, shown: str | None = None) -> tuple[Matrix | None, list[Problem]]:
    """The matrix of a file's content; `name` is the file's, `shown` what problems call it."""
    repairs = Repairs(shown or name)
    text = decoded(content, repairs)
    if text is None:
        return None, [
            Problem(Location(shown or name), "binary data", "a text file: DBC, KCD, SYM or ARXML", "Replace it.")
        ]
    fingerprint = hashlib.sha256(content).hexdigest()
    del content
    matrix = parse_dbc(text, repairs, name.removesuffix(Path(name).suffix))
    problems = repairs.all()
    if matrix is None:
        found = "no message that can be read" if text.strip() else "an empty file"
        return None, [Problem(Location(shown or name), found, "BO_ <id> <name>: <bytes> <sender>", "Check the file.")]
    return replace(matrix, file=shown or name, fingerprint=fingerprint), problems


def _content(path: Path) -> tuple[bytes | None, list[Problem]]:
    """The bytes of a regular file of a size that fits in memory, or why not."""
    place = Location(str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None, [Problem(place, "no regular file", "a matrix: DBC, KCD, SYM or ARXML", "Name a file.")]
        if status.st_size > MOST_BYTES:
            limit = f"at most {MOST_BYTES / 1e6:.0f} MB"
            return None, [Problem(place, f"{status.st_size / 1e6:.0f} MB", limit, "Split the matrix.")]
        return path.read_bytes(), []
    except FileNotFoundError:
        return None, [Problem(place, "no such file", "a matrix: DBC, KCD, SYM or ARXML", "Correct the name.")]
    except (OSError, ValueError) as error:
        return None, [Problem(place, f"unreadable ({error})", "a readable file", "Check name, permissions and disk.")]


def decoded(content: bytes, repairs: Repairs) -> str | None:
    """The text of a file: UTF-8, UTF-16 with its mark, Shift-JIS with Japanese letters in it, else Windows-1252.

    Vector's tools write Windows-1252 and Japanese ones Shift-JIS, neither of which says so. Shift-JIS read as
    Windows-1252 would take the second byte of some letters for a backslash. `None` for binary data.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        repairs.note(1, None, "text in UTF-16", "Windows-1252 or UTF-8", "It was read as UTF-16.")
        return content.decode("utf-16", "replace")
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    if _KANA.search(content):
        try:
            text = content.decode("cp932")
        except UnicodeDecodeError:
            pass
        else:
            repairs.note(line, None, "text in Shift-JIS", "Windows-1252 or UTF-8", "It was read as Shift-JIS.")
            return text
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{content[error.start]:02X}, which Windows-1252 has not"
        repairs.note(line, None, found, "Windows-1252 or UTF-8", "The file was read as Latin-1.")
        return content.decode("latin-1")
