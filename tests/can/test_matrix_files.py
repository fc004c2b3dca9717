"""A file is read by its name or its content, in whatever letters; what is none is one clear error."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from tests.public_data import public_data

from kyotsu.can.matrix_files import MOST_BYTES, load_matrix, matrix_of, read_matrix
from kyotsu.errors import InputError

DBC = 'BO_ 1 A: 8 X\n SG_ S : 0|8@1+ (1,0) [0|0] "%s" X\nCM_ BO_ 1 "%s";\n'


def test_a_matrix_knows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "bus.of.today.dbc"
    content = (DBC % ("km/h", "")).encode()
    path.write_bytes(content)
    matrix = load_matrix(path)
    assert (matrix.name, matrix.file) == ("bus.of.today", str(path))
    assert matrix.fingerprint == hashlib.sha256(content).hexdigest()
    assert load_matrix(str(path)) == matrix


@pytest.mark.parametrize(
    ("encoding", "text", "repairs"),
    [
        ("utf-8", "°C 速度", 0),
        ("utf-8-sig", "°C 速度", 0),
        ("cp1252", "°C ä€", 0),
        ("utf-16", "°C 速度", 1),
        ("cp932", "エンジン表示", 1),
        ("cp932", "そ能ソ表", 1),
        ("latin-1", "\x81 ä", 1),
    ],
)
def test_letters(encoding: str, text: str, repairs: int) -> None:
    matrix, problems = matrix_of((DBC % (text, text)).encode(encoding), "bus.dbc")
    assert matrix is not None
    assert (matrix.messages[0].comment, matrix.messages[0].signals[0].unit) == (text, text)
    assert len(problems) == repairs


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends(newline: str) -> None:
    matrix, problems = matrix_of((DBC % ("", "two\nlines")).replace("\n", newline).encode(), "bus.dbc")
    assert problems == []
    assert matrix is not None
    assert matrix.messages[0].comment == "two\nlines"
    assert matrix.messages[0].signals[0].line == 2


@pytest.mark.parametrize("name", ["kcd/tester.kcd", "sym/jopp-6.0.sym", "arxml/system-4.2.arxml", "dbc/motohawk.dbc"])
def test_the_content_tells_the_format(name: str, tmp_path: Path) -> None:
    path = public_data(f"can/cantools_testfiles/{name}")
    copy = tmp_path / "matrix"
    copy.write_bytes(path.read_bytes())
    assert [message.name for message in load_matrix(copy).messages] == [m.name for m in load_matrix(path).messages]


def test_case_of_the_suffix_does_not_matter() -> None:
    assert len(load_matrix(public_data("can/cantools_testfiles/dbc/issue_168.DBC")).messages) == 5


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"  \n", "an empty file"),
        (b"MDF     4.10\0\0\0", "binary data"),
        (b"Dear reader, this is a letter.\n", "no statement of DBC"),
        (bytes(range(1, 256)) * 100, "no statement of DBC"),
    ],
)
def test_what_is_no_matrix(content: bytes, found: str) -> None:
    matrix, (problem,) = matrix_of(content, "bus.dbc")
    assert matrix is None
    assert (problem.found, problem.severity) == (found, "error")


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large.dbc").open("wb") as large:
        large.truncate(MOST_BYTES + 1)
    names = ["missing.dbc", "pipe", ".", "large.dbc", "a\0b.dbc", "x" * 5000]
    for name in names:
        with pytest.raises(InputError) as raised:
            load_matrix(tmp_path / name)
        assert len(raised.value.problems) == 1
    matrix, problems = read_matrix(tmp_path / "missing.dbc")
    assert (matrix, problems[0].found) == (None, "no such file")


def test_a_file_without_messages_is_a_matrix() -> None:
    matrix, problems = matrix_of(b'VERSION "1"\n\nBU_: A B\n', "bus.dbc")
    assert matrix is not None
    assert (matrix.messages, matrix.version, problems) == ((), "1", [])
