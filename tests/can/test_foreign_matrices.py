"""KCD, SYM and ARXML come into the same form, whole; what is hostile or broken becomes one problem."""

from __future__ import annotations

import logging
from pathlib import Path

import cantools
import pytest
from tests.can.dbc_files import differences
from tests.public_data import public_data

from kyotsu.can.matrix import Matrix, Protection
from kyotsu.can.matrix_files import matrix_of, read_matrix

# Of cantools' own test files these are broken on purpose, or of a version that it does not read.
REFUSED = {
    "issue_138.sym", "jopp-5.0.sym", "system-bad-root-tag-4.2.arxml", "system-dangling-reference-4.2.arxml",
    "system-illegal-namespace-4.2.arxml", "system-illegal-root-4.2.arxml", "system-illegal-version-4.2.2.1.0.arxml",
    "system-missing-denominator-4.2.arxml", "system-missing-factor-4.2.arxml",
}  # fmt: skip
# What is otherwise than in cantools' objects, and why.
APART = {
    "fd": "KCD does not state CAN FD, which the length tells",
    "name": "messages of one name are told apart",
    "signal name": "so are signals of one message",
    "protocol": "cantools knows no transport protocol",
    "initial": "a start value of a signed signal that is written as unsigned",
    "scale": "a scale in pieces",
}


def files() -> list[Path]:
    folder = public_data("can/cantools_testfiles")
    return sorted(path for form in ("kcd", "sym", "arxml") for path in (folder / form).iterdir())


def load(name: str, bus: str | None = None) -> Matrix:
    matrix, problems = read_matrix(public_data(f"can/cantools_testfiles/{name}"), bus)
    assert matrix is not None, problems
    return matrix


def test_every_file_is_as_cantools_finds_it() -> None:
    refused, compared = set(), 0
    for path in files():
        matrix, problems = read_matrix(path)
        if matrix is None:
            refused.add(path.name)
            assert [problem.severity for problem in problems] == ["error"]
            continue
        database = cantools.database.load_file(path, strict=False, sort_signals=None)
        for kind, where in differences(database, matrix):
            assert kind in APART, (path.name, kind, where)
        compared += len(matrix.messages)
    assert refused == REFUSED
    assert compared > 300


def test_containers() -> None:
    container = load("arxml/system-4.2.arxml").by_name["OneToContainThemAll"]
    assert container.length == 64
    inner = container.contained[0x0A0B0C]
    assert (inner.name, inner.length, len(inner.signals)) == ("message1", 9, 5)
    assert inner.frame_id == container.frame_id


def test_end_to_end_protection() -> None:
    matrix = load("arxml/system-4.2.arxml")
    expected = Protection("message3_SeqCounter", "message3_CRC", "autosar_e2e_p5", 321)
    assert matrix.by_name["Message3"].protection == expected
    several_ids = Protection("message1_SeqCounter", "message1_CRC", None, 123)
    assert matrix.by_name["Message1"].protection == several_ids
    assert matrix.by_name["Message2"].protection is None


def test_multiplexing() -> None:
    signals = load("arxml/system-4.2.arxml").by_name["MultiplexedMessage"].by_name
    selector = signals["MultiplexedMessage_selector1"]
    assert selector.is_multiplexor
    assert signals["Hello"].multiplexor == selector.name
    assert signals["Hello"].multiplex_values


def test_one_bus_of_several() -> None:
    path = public_data("can/cantools_testfiles/kcd/the_homer.kcd")
    everything, problems = read_matrix(path)
    assert everything is not None
    assert any("3 buses" in problem.found for problem in problems)
    parts = [load("kcd/the_homer.kcd", bus) for bus in ("Motor", "Instrumentation", "Comfort")]
    assert sum(len(part.messages) for part in parts) == len(everything.messages)
    assert [part.name for part in parts] == ["Motor", "Instrumentation", "Comfort"]
    matrix, (problem,) = read_matrix(path, "Kitchen")
    assert matrix is None
    assert "'Motor'" in problem.expected


def test_what_cantools_logs_goes_into_the_problems(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        load("sym/jopp-6.0.sym")
    assert not [record for record in caplog.records if record.name.startswith("cantools")]


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' if n else '<!ENTITY a0 "&a;&a;">' for n in range(12)
) + "]><AUTOSAR>&a11;</AUTOSAR>"  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.arxml", BOMB, "a document type"),
        ("a.kcd", BOMB, "a document type"),
        ("a.arxml", "<a>" * 100_000, "elements in more than 64 levels"),
        ("a.kcd", "<NetworkDefinition", "not well-formed"),
        ("a.kcd", "<a/>", "cannot read"),
        ("a.arxml", "", "not well-formed"),
        ("a.sym", "", "cannot read"),
        ("a.sym", "FormatVersion=6.0\n{SENDRECEIVE}\n[A]\nID=000h-FFFFFFFFh\nDLC=8\n", "ids of one message"),
        ("a.sym", "FormatVersion=6.0 " + '"' * 100_001, "cannot read"),
        ("a.sym", "[" * 100_000, "cannot read"),
        ("a.kcd", "\x00" * 100, "binary data"),
    ],
    ids=range(11),
)  # fmt: skip
def test_hostile_files(name: str, content: str, found: str) -> None:
    matrix, (problem,) = matrix_of(content.encode(), name)
    assert matrix is None
    assert problem.severity == "error"
    assert found in problem.found
    assert len(str(problem)) < 400
