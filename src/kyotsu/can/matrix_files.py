"""Message matrices from files: DBC by a tolerant reader of our own, KCD, SYM and ARXML through cantools."""

from __future__ import annotations

import codecs
import hashlib
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Literal

from kyotsu.can.dbc import parse_dbc
from kyotsu.can.foreign_matrices import Format, Refused, read_foreign
from kyotsu.can.matrix import Matrix
from kyotsu.can.repairs import Repairs
from kyotsu.errors import InputError, Location, Problem

MOST_BYTES = 256_000_000  # of a DBC file: some three million signals

_FORMATS: dict[str, Literal["dbc"] | Format] = {"dbc": "dbc", "kcd": "kcd", "sym": "sym", "arxml": "arxml"}
_KANA = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]")  # in Shift-JIS; in Western text the first byte is a rare mark


def load_matrix(path: Path | str, bus: str | None = None) -> Matrix:
    """The matrix of a file; whatever could be mended was.

    Raises:
        InputError: if nothing of the file can be used.
    """
    matrix, problems = read_matrix(path, bus)
    if matrix is None:
        raise InputError([problem for problem in problems if problem.severity == "error"])
    return matrix


def read_matrix(path: Path | str, bus: str | None = None) -> tuple[Matrix | None, list[Problem]]:
    """The matrix of a file and every repair as a warning with its line; no matrix and why, if nothing can be used.

    Args:
        path: of a DBC, KCD, SYM or ARXML file; where its name does not say which, its content does.
        bus: of a file with several buses (KCD, ARXML) the one to take; all of them if it is not given.
    """
    path = Path(path)
    content, problems = _content(path)
    if content is None:
        return None, problems
    return matrix_of(content, path.name, shown=str(path), bus=bus)


def matrix_of(
    content: bytes, name: str, *, shown: str | None = None, bus: str | None = None
) -> tuple[Matrix | None, list[Problem]]:
    """The matrix of a file's content; `name` is the file's, `shown` what problems call it."""
    shown = shown or name
    repairs = Repairs(shown)
    text = decoded(content, repairs)
    if text is None:
        place, expected = Location(shown), "a text file: DBC, KCD, SYM or ARXML"
        return None, [Problem(place, "binary data", expected, "Replace it.")]
    fingerprint = hashlib.sha256(content).hexdigest()
    del content  # a large file is held once, as text
    matrix = _parsed(text, name, repairs, bus)
    if isinstance(matrix, Refused):
        place = Location(shown, matrix.line)
        return None, [Problem(place, matrix.found, matrix.expected, "Check the file.")]
    return replace(matrix, file=shown, fingerprint=fingerprint), repairs.all()


def _parsed(text: str, name: str, repairs: Repairs, bus: str | None) -> Matrix | Refused:
    stem, suffix = Path(name).stem, Path(name).suffix.lower().removeprefix(".")
    form = _FORMATS.get(suffix) or _format_of(text)
    if form != "dbc":
        return read_foreign(text, form, repairs, stem, bus)
    matrix = parse_dbc(text, repairs, stem)
    if matrix is None:
        found = "no statement of DBC" if text.strip() else "an empty file"
        return Refused(found, "BO_ <id> <name>: <bytes> <sender> and the like")
    if bus is not None and bus != stem:
        repairs.note(None, None, f"a DBC file, which has no bus {bus!r}", "one bus", "Its messages were read.")
    return matrix


def _format_of(text: str) -> Literal["dbc"] | Format:
    """The format of a file whose name does not say it."""
    head = text[:4096].lstrip()
    if head.startswith("<"):
        return "arxml" if "autosar" in head.lower() else "kcd"
    return "sym" if head.startswith("FormatVersion=") else "dbc"


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
