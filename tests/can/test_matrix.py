"""Bits, bytes and group numbers of a matrix are those of the standards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.can.matrix import Matrix, Message, Signal


@pytest.mark.parametrize(
    ("signal", "bits"),
    [
        (Signal("A", 6, 4), (9, 8, 7, 6)),
        (Signal("A", 1, 4, big_endian=True), (1, 0, 15, 14)),
        (Signal("A", 7, 8, big_endian=True), (7, 6, 5, 4, 3, 2, 1, 0)),
    ],
)
def test_bits_stand_most_significant_first(signal: Signal, bits: tuple[int, ...]) -> None:
    assert signal.bits == bits


@given(st.integers(0, 511), st.integers(1, 64), st.booleans())
def test_the_last_byte_is_that_of_the_bits(start: int, length: int, big_endian: bool) -> None:
    signal = Signal("A", start, length, big_endian)
    assert len(set(signal.bits)) == length
    assert signal.end_byte == max(bit // 8 for bit in signal.bits) + 1


@pytest.mark.parametrize(
    ("frame_id", "group_number"),
    [(0x0CF00400, 61444), (0x18EA00FE, 59904), (0x18FEF1FE, 65265), (0x19F80501, 129029)],  # EEC1, request, CCVS, GNSS
)
def test_group_numbers(frame_id: int, group_number: int) -> None:
    assert Message("A", frame_id, 8, is_extended=True).group_number == group_number


def test_of_two_messages_with_one_id_the_first_counts() -> None:
    first, second = Message("A", 1, 8), Message("B", 1, 8)
    matrix = Matrix("bus", (first, second, Message("C", 1, 8, is_extended=True)))
    assert matrix.by_id[1, False] is first
    assert matrix.by_name["B"] is second
    assert matrix.by_id[1, True].name == "C"
