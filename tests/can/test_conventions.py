"""What nobody states follows a convention of the field, and only a clear one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.can.dbc_files import dbc_files
from tests.can.test_dbc import read

from kyotsu.can import conventions
from kyotsu.can.conventions import SignalKind
from kyotsu.can.matrix import Message, Protocol, RawRange

EEC1 = 0x0CF00400


# SAE J1939-71, transmitted signal ranges: error indicator and not available.
@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (1, ()), (2, ((2, 3),)), (3, ((7, 7),)), (4, ((0xE, 0xF),)), (7, ((127, 127),)), (8, ((0xFE, 0xFF),)),
        (12, ((0xFE0, 0xFFF),)), (16, ((0xFE00, 0xFFFF),)), (24, ((0xFE0000, 0xFFFFFF),)),
        (32, ((0xFE000000, 0xFFFFFFFF),)), (40, ()),
    ],
)  # fmt: skip
def test_reserved_values_of_j1939(length: int, expected: tuple[RawRange, ...]) -> None:
    assert conventions.implied_none(SignalKind(length, False, False, "j1939", EEC1), {}) == expected
    for kind in (SignalKind(length, True, False, "j1939", EEC1), SignalKind(length, False, True, "j1939", EEC1)):
        assert conventions.implied_none(kind, {}) == ()
    assert conventions.implied_none(SignalKind(length, False, False, "", EEC1), {}) == ()


@pytest.mark.parametrize(
    ("length", "signed", "expected"),
    [
        (8, False, ((254, 255),)),
        (16, True, ((0x7FFE, 0x7FFF),)),
        (64, True, ((2**63 - 2, 2**63 - 1),)),
        (2, False, ((3, 3),)),
    ],
)
def test_reserved_values_of_nmea2000(length: int, signed: bool, expected: tuple[RawRange, ...]) -> None:
    for protocol in ("nmea2000", "j1939"):
        kind = SignalKind(length, signed, False, protocol, 0x19F80501)  # type: ignore[arg-type]
        assert conventions.implied_none(kind, {}) == expected


def test_a_label_names_a_reserved_value_as_real() -> None:
    kind = SignalKind(2, False, False, "j1939", EEC1)
    assert conventions.implied_none(kind, {0: "off", 1: "on", 2: "blinking", 3: "not available"}) == ((3, 3),)
    assert conventions.implied_none(kind, {2: "Error", 3: "Don't care/take no action"}) == ((2, 3),)
    wide = SignalKind(16, False, False, "j1939", EEC1)
    assert conventions.implied_none(wide, {0xFE10: "special"}) == ((0xFE00, 0xFE0F), (0xFE11, 0xFFFF))


@pytest.mark.parametrize(
    "label", ["SNA", "sna", "DI_GEAR_SNA", "Signal not available", "not_available", "Invalid", "no data"]
)
def test_labels_that_mean_none(label: str) -> None:
    assert conventions.labelled_as_none({0: "off", 1: "on", 3: label}, 2) == ((3, 3),)


@pytest.mark.parametrize(
    ("labels", "length"),
    [
        ({0: "valid", 1: "invalid"}, 2),
        ({0: "available", 1: "not available"}, 2),
        ({0: "off", 1: "SNA"}, 1),
        ({1: "invalid"}, 1),
        ({1: "NA", 2: "EU"}, 2),
        ({1: "snapshot"}, 2),
        ({1: "invalid key inserted"}, 2),
        ({0: "SNA", 1: "invalid"}, 1),
        ({}, 8),
    ],
)
def test_labels_that_mean_something(labels: dict[int, str], length: int) -> None:
    assert conventions.labelled_as_none(labels, length) == ()


def test_tesla_marks_what_is_not_available() -> None:
    matrix, _ = read(dbc_files()["kuksa_mapping/Model3CAN.dbc"])
    marked = [s for message in matrix.messages for s in message.signals if s.not_available]
    assert len(marked) > 300
    energy = matrix.by_name["ID082UI_tripPlanning"].by_name["UI_energyAtDestination"]
    assert (energy.signed, energy.not_available) == (True, ((-32768, -32768),))


def test_j1939_of_a_real_file() -> None:
    matrix, _ = read(dbc_files()["css_electronics/CSS-Electronics-SAE-J1939-DEMO.dbc"])
    assert {message.protocol for message in matrix.messages} == {"j1939"}
    assert matrix.by_name["EEC1"].signals[0].not_available == ((0xFE00, 0xFFFF),)


@pytest.mark.parametrize(
    ("frame_id", "length", "said", "is_extended", "is_fd", "expected"),
    [
        (0x100, 8, "", False, False, ""), (0x100, 64, "", False, True, ""), (0x7E8, 12, "", False, False, "isotp"),
        (0x18DAF110, 12, "", True, False, "isotp"), (0x18FEE3FE, 40, "", True, False, "j1939"),
        (0x18EA00FE, 9, "", True, False, "isotp"), (0x19F80501, 43, "", True, False, "nmea2000"),
        (0x19ED00FE, 20, "j1939", True, False, "nmea2000"), (0x0CF00400, 8, "j1939", True, False, "j1939"),
    ],
)  # fmt: skip
def test_transport(
    frame_id: int, length: int, said: Protocol, is_extended: bool, is_fd: bool, expected: Protocol
) -> None:
    assert conventions.transport(frame_id, length, said, is_extended=is_extended, is_fd=is_fd) == expected


@given(st.integers(0, (1 << 29) - 1))
def test_group_number_is_that_of_a_message(frame_id: int) -> None:
    assert conventions.group_number(frame_id) == Message("A", frame_id, 8, is_extended=True).group_number


@given(st.sets(st.integers(-20, 20)))
def test_ranges_hold_exactly_the_values(values: set[int]) -> None:
    ranges = conventions.ranges_of(values)
    assert {value for low, high in ranges for value in range(low, high + 1)} == values
    assert all(low <= high for low, high in ranges)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(ranges))
    assert conventions.merged(reversed(ranges)) == ranges
