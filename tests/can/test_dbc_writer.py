"""What is written is read back as it was, by us and by cantools; what DBC cannot say is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.can.dbc_files import cantools_database, dbc_files, differences

from kyotsu.can.conventions import ranges_of
from kyotsu.can.dbc_writer import dbc_text, save_dbc
from kyotsu.can.matrix import Matrix, Message, Protection, Signal
from kyotsu.can.matrix_checks import check_matrix
from kyotsu.can.matrix_files import load_matrix, matrix_of, read_matrix
from kyotsu.errors import InputError

# No backslash at the end, no line break alone, no surrogate: DBC has no way to write them.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12).filter(
    lambda t: not t.endswith("\\")
)
LINE = TEXT.map(lambda text: text.replace("\n", " "))
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,40}", fullmatch=True) | LINE.filter(bool)
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]{0,19}")  # of a multiplexor: cantools calls it by its short name
NODES = st.lists(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,40}", fullmatch=True), max_size=3, unique=True).map(tuple)
NUMBER = st.floats(-1e12, 1e12, allow_nan=False).filter(bool) | st.integers(1, 10**6).map(float)


def bare(matrix: Matrix) -> list[Message]:
    """The messages without the lines on which they stand."""
    signals = {m.name: tuple(replace(signal, line=None) for signal in m.signals) for m in matrix.messages}
    return [replace(message, line=None, signals=signals[message.name]) for message in matrix.messages]


@st.composite
def signals(draw: st.DrawFn, names: list[str], message_bytes: int) -> list[Signal]:
    """Signals that lie beside each other, those of one multiplexor over each other."""
    result: list[Signal] = []
    position = 0
    multiplexor: Signal | None = None
    for name in names:
        length = draw(st.integers(1, 24))
        is_float = length > 20 and position % 8 == 0
        length = 32 if is_float else length
        if position + length > 8 * message_bytes:
            break
        big_endian = draw(st.booleans())
        if big_endian:  # byte by byte, so that nothing shares a bit
            length, position = 8 * ((length + 7) // 8), 8 * ((position + 7) // 8)
            if position + length > 8 * message_bytes:
                break
        signed = draw(st.booleans())
        low, high = (-(1 << (length - 1)), (1 << (length - 1)) - 1) if signed else (0, (1 << length) - 1)
        raw = st.integers(low, high)
        limits = sorted(draw(st.tuples(NUMBER, NUMBER)))
        values = ranges_of(draw(st.sets(st.integers(0, 20), min_size=1, max_size=4))) if multiplexor else ()
        selected = multiplexor is not None and draw(st.booleans())
        signal = Signal(
            name, position + 7 if big_endian else position, length, big_endian, signed, is_float,
            scale=draw(NUMBER), offset=draw(NUMBER), minimum=limits[0], maximum=limits[1], unit=draw(LINE),
            labels={} if is_float else draw(st.dictionaries(raw, TEXT, max_size=3)),
            is_multiplexor=not signed and not is_float and bool(PLAIN.fullmatch(name)) and draw(st.booleans()),
            multiplexor=multiplexor.name if selected and multiplexor else None,
            multiplex_values=values if selected else (),
            not_available=() if is_float else ranges_of(draw(st.sets(raw, max_size=2))),
            initial=draw(st.none() | raw), receivers=draw(NODES), comment=draw(TEXT),
        )  # fmt: skip
        if signal.is_multiplexor and length >= 5 and multiplexor is None:
            multiplexor = signal
        elif signal.is_multiplexor:
            signal = replace(signal, is_multiplexor=False)
        result.append(signal)
        position += length
    return result


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    names = draw(st.lists(NAME, max_size=4, unique=True))
    messages: list[Message] = []
    for name in names:
        is_extended = draw(st.booleans())
        is_fd = draw(st.booleans())
        frame_id = draw(st.integers(0, (1 << 29) - 1 if is_extended else 0x7FF))
        if (frame_id, is_extended) in {(message.frame_id, message.is_extended) for message in messages}:
            continue
        length = draw(st.integers(1, 64 if is_fd else 8))
        within = draw(signals(draw(st.lists(NAME, max_size=6, unique=True)), length))
        counter = within[0].name if within and draw(st.booleans()) else None
        protocol = draw(st.sampled_from(["", "j1939", "isotp"])) if is_extended and not is_fd else ""
        guard = Protection(counter, counter, "xor8", draw(st.integers(0, 65535))) if counter else None
        cycle = draw(st.none() | st.integers(1, 9999).map(float))
        messages.append(Message(
            name, frame_id, length, tuple(within), is_extended, is_fd, cycle, protocol, guard,
            senders=draw(NODES), comment=draw(TEXT),
        ))  # fmt: skip
    return Matrix("bus", tuple(messages), draw(LINE))


@given(matrices())
@settings(max_examples=60)
def test_what_is_written_is_read_back(matrix: Matrix) -> None:
    text = dbc_text(matrix)
    ours, problems = matrix_of(text.encode(), "bus.dbc")
    assert problems == []
    assert ours is not None
    assert bare(ours) == bare(matrix)
    assert ours.version == matrix.version


@given(matrices())
@settings(max_examples=30)
def test_cantools_reads_the_same(matrix: Matrix) -> None:
    database = cantools_database(dbc_text(matrix))
    assert database is not None
    apart = {"protocol"}  # ISO-TP, which cantools does not know
    assert [found for found in differences(database, matrix) if found[0] not in apart] == []


def test_every_file_is_written_and_read_back() -> None:
    for name, content in dbc_files().items():
        matrix, _ = matrix_of(content, name)
        assert matrix is not None
        again, problems = matrix_of(dbc_text(matrix).encode(), name)
        assert again is not None
        assert problems == [], name
        assert bare(again) == bare(matrix), name


@pytest.mark.parametrize("name", ["honda_civic_touring_2016_can_generated", "honda_bosch_radarless_generated"])
def test_cantools_loads_a_mended_file(name: str) -> None:
    content = dbc_files()[f"opendbc_honda_nissan/{name}.dbc"]
    matrix, _ = matrix_of(content, name)
    assert matrix is not None
    assert cantools_database(content.decode()) is None
    database = cantools_database(dbc_text(matrix))
    assert list(differences(database, matrix)) == []


@pytest.mark.parametrize("text", ["°C", "ä€", "速度", "速度 °C", "Ã¤"])
def test_a_file_is_written_so_that_its_letters_come_back(text: str, tmp_path: Path) -> None:
    signal = Signal("Speed", 0, 8, unit=text, comment=text)
    path = tmp_path / "bus.dbc"
    save_dbc(Matrix("bus", (Message("A", 1, 8, (signal,), comment=text),)), path)
    matrix, problems = read_matrix(path)
    assert problems == []
    assert matrix is not None
    assert (matrix.messages[0].comment, matrix.messages[0].signals[0].unit) == (text, text)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bus.dbc"]


def test_limits_on_one_side() -> None:
    message = Message("A", 1, 8, (Signal("Up", 0, 8, maximum=5.0), Signal("Down", 8, 8, minimum=-5.0)))
    matrix, _ = matrix_of(dbc_text(Matrix("bus", (message,))).encode(), "bus.dbc")
    assert matrix is not None
    assert [(s.minimum, s.maximum) for s in matrix.messages[0].signals] == [(None, 5.0), (-5.0, None)]


@pytest.mark.parametrize(
    "message",
    [
        Message("A", 1, 64, contained={1: Message("B", 1, 8)}),
        Message("A", 0x800, 8),
        Message("A", 1 << 29, 8, is_extended=True),
        Message("A", 1, 100_000),
        Message("A", 1, 8, (Signal("S", 0, 0),)),
        Message("A", 1, 8, (Signal("S", 0, 8, scale=float("nan")),)),
        Message("A", 1, 8, (Signal("S", 0, 8, multiplexor="T", multiplex_values=((1, 1),)),)),
        Message("A", 1, 8, (Signal("S", 0, 8), Signal("S", 8, 8))),
        Message("A", 1, 8, (Signal("S", 0, 8, is_float=True),)),
    ],
    ids=range(9),
)
def test_what_dbc_cannot_say_is_refused(message: Message) -> None:
    with pytest.raises(InputError) as raised:
        dbc_text(Matrix("bus", (message,)))
    assert {str(problem.location) for problem in raised.value.problems} <= {"input (A)", "input (A.S)"}


def test_two_messages_of_one_id_are_refused() -> None:
    with pytest.raises(InputError):
        dbc_text(Matrix("bus", (Message("A", 1, 8), Message("B", 1, 8))))


def test_no_place_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        save_dbc(Matrix("bus"), tmp_path / "nowhere" / "bus.dbc")


def test_an_example_as_a_person_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "bus.dbc"
    message = Message("Motor", 0x18F, 8, (Signal("Count", 0, 4), Signal("Sum", 8, 8)), cycle_ms=10.0)
    matrix = Matrix("bus", (replace(message, protection=Protection("Count", "Sum", "autosar_e2e_p1", 7)),))
    save_dbc(matrix, path)
    assert 'BA_ "KyotsuChecksumAlgorithm" BO_ 399 "autosar_e2e_p1";' in path.read_text("cp1252")
    assert bare(load_matrix(path)) == bare(matrix)
    assert check_matrix(load_matrix(path)) == []
