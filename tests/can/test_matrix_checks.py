"""What cannot be on a bus is told, and nothing that can."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.can.dbc_files import dbc_files
from tests.can.test_dbc import read

from kyotsu.can.matrix import Matrix, Message, Protection, Signal
from kyotsu.can.matrix_checks import check_matrix


def found(*signals: Signal, length: int = 8, **more: object) -> list[str]:
    message = Message("A", 1, length, signals, **more)  # type: ignore[arg-type]
    return [problem.found for problem in check_matrix(Matrix("bus", (message,)))]


MUX = Signal("Mux", 0, 4, is_multiplexor=True)


def branch(name: str, value: int, start: int = 8, by: str = "Mux", **more: object) -> Signal:
    return Signal(name, start, 8, multiplexor=by, multiplex_values=((value, value),), **more)  # type: ignore[arg-type]


def test_nothing_is_wrong() -> None:
    assert found(MUX, branch("X", 1), branch("Y", 2), Signal("Z", 23, 8, big_endian=True)) == []


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ([Signal("X", 0, 8), Signal("Y", 7, 2)], "bits that X has as well"),
        ([Signal("X", 7, 16, big_endian=True), Signal("Y", 15, 1)], "bits that X has as well"),
        ([Signal("X", 60, 8)], "a signal that needs 9 bytes"),
        ([Signal("X", 60, 8, big_endian=True)], "a signal that needs 9 bytes"),
        ([Signal("X", 0, 0)], "bits 0|0"),
        ([Signal("X", 0, 8, is_float=True)], "a floating signal of 8 bits"),
        ([Signal("X", 0, 8, scale=0.0)], "a scale of 0"),
        ([Signal("X", 0, 8, minimum=2.0, maximum=1.0)], "limits 2 to 1"),
        ([Signal("X", 0, 2, labels={4: "four"})], "labels of raw values that it cannot have: 4"),
        ([Signal("X", 0, 2, signed=True, initial=2)], "the start value 2"),
        ([branch("X", 1)], "the multiplexor 'Mux', which there is not"),
        ([Signal("Mux", 0, 4), branch("X", 1)], "the multiplexor Mux, not marked as one"),
        ([MUX, branch("X", 16)], "multiplexed by Mux at 16"),
        ([MUX, branch("X", 1), branch("Y", 1)], "bits that X has as well"),
        ([MUX, branch("X", 1, start=0)], "bits that Mux has as well"),
        ([MUX, branch("X", 1), Signal("Y", 8, 1)], "bits that X has as well"),
    ],
)
def test_what_is_wrong_with_signals(signals: list[Signal], expected: str) -> None:
    assert found(*signals) == [expected]


def test_branches_of_branches() -> None:
    inner = branch("Inner", 1, is_multiplexor=True)
    assert found(MUX, inner, branch("X", 5, 16, by="Inner"), branch("Y", 2, 16), branch("Z", 6, 16, by="Inner")) == []
    assert found(MUX, inner, branch("X", 5, 16, by="Inner"), branch("Y", 1, 16)) == ["bits that X has as well"]


def test_circles() -> None:
    signals = branch("X", 1, by="Y", is_multiplexor=True), branch("Y", 1, 16, by="X", is_multiplexor=True)
    assert found(*signals) == ["X, which by other signals selects itself"]


def test_messages() -> None:
    assert found(length=9, is_fd=True) == ["a CAN FD frame of 9 bytes"]
    assert found(protection=Protection("X", None)) == ["the counter or checksum 'X', which there is not"]
    twins = Matrix("bus", (Message("A", 1, 8, line=3), Message("A", 1, 8), Message("B", 0x800, 8)))
    assert [problem.found for problem in check_matrix(twins)] == [
        "the id 0x1 again, after A in line 3", "the name of another message", "the id 0x800",
    ]  # fmt: skip


def test_a_contained_message_is_checked_too() -> None:
    inner = Message("Inner", 1, 1, (Signal("X", 0, 9),))
    assert found(length=64, contained={1: inner}, is_fd=True) == ["a signal that needs 2 bytes"]


@st.composite
def plain(draw: st.DrawFn) -> tuple[Signal, ...]:
    places = draw(st.lists(st.tuples(st.integers(0, 63), st.integers(1, 20), st.booleans()), min_size=2, max_size=5))
    return tuple(Signal(f"S{n}", start, length, big_endian=big) for n, (start, length, big) in enumerate(places))


@given(plain())
def test_overlaps_are_those_of_the_bits(signals: tuple[Signal, ...]) -> None:
    fitting = [signal for signal in signals if signal.end_byte <= 8]
    expected = sum(
        any(set(signal.bits) & set(other.bits) for other in fitting[:index]) for index, signal in enumerate(fitting)
    )
    assert sum("has as well" in problem for problem in found(*signals)) == expected


def test_a_real_file() -> None:
    matrix, _ = read(dbc_files()["css_electronics/tp_uds.dbc"])
    (problem,) = check_matrix(matrix)
    assert (problem.location.line, problem.found) == (45, "multiplexed by service at 256")


@pytest.mark.parametrize(
    "message",
    [
        Message("A", 1, 8, tuple(Signal(f"S{n}", 0, 64) for n in range(20_000))),
        Message("A", 1, 8, (MUX, *(branch(f"S{n}", n) for n in range(10_000)))),
        Message("A", 1, 65_535, tuple(Signal(f"S{n}", n, 1) for n in range(20_000))),
    ],
    ids=["one place", "many branches", "long"],
)
def test_hostile_matrices_are_checked_in_time(message: Message) -> None:
    start = time.process_time()
    problems = check_matrix(Matrix("bus", (message,)))
    assert time.process_time() - start < 20.0
    assert problems
