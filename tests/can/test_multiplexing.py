"""Markers and ranges come to one tree, whatever a file says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.can.dbc_files import dbc_files
from tests.can.test_dbc import read

from kyotsu.can.matrix import RawRange
from kyotsu.can.multiplexing import Selection, select

Stated = dict[str, tuple[str, tuple[RawRange, ...]]]


def chosen(
    markers: list[tuple[str, str | None]], stated: Stated | None = None
) -> tuple[dict[str, Selection], list[str]]:
    notes: list[str] = []
    result = select(markers, stated or {}, lambda signal, found, expected, action: notes.append(f"{signal}: {found}"))
    return result, notes


def test_one_multiplexor() -> None:
    result, notes = chosen([("A", None), ("B", "m2"), ("C", "M"), ("D", "m2")])
    assert notes == []
    assert result == {
        "C": Selection(True),
        "B": Selection(False, "C", ((2, 2),)),
        "D": Selection(False, "C", ((2, 2),)),
    }


def test_a_cascade_with_ranges() -> None:
    stated: Stated = {"B": ("A", ((1, 1),)), "C": ("B", ((0, 3), (8, 9)))}
    result, notes = chosen([("A", "M"), ("B", "m1M"), ("C", "m0")], stated)
    assert notes == []
    assert result["B"] == Selection(True, "A", ((1, 1),))
    assert result["C"] == Selection(False, "B", ((0, 3), (8, 9)))


def test_a_value_and_ranges_of_one_multiplexor_count_together() -> None:
    result, _ = chosen([("A", "M"), ("B", "m7")], {"B": ("A", ((0, 1),))})
    assert result["B"].values == ((0, 1), (7, 7))


@pytest.mark.parametrize(
    ("markers", "stated", "expected", "note"),
    [
        ([("A", "m1")], {}, {}, "no multiplexor"),
        ([("A", "M"), ("B", "M"), ("C", "m1")], {}, {"C": Selection(False, "A", ((1, 1),))}, "2 multiplexors"),
        ([("A", "M"), ("B", "m1")], {"B": ("X", ((1, 1),))}, {"B": Selection(False, "A", ((1, 1),))}, "'X'"),
        ([("A", None), ("B", "m1")], {"B": ("A", ((1, 1),))}, {"A": Selection(True)}, "without a mark"),
        ([("A", "m1M"), ("B", "m1M")], {"A": ("B", ((1, 1),)), "B": ("A", ((1, 1),))}, {}, "in a circle"),
    ],
)
def test_what_is_mended(
    markers: list[tuple[str, str | None]], stated: Stated, expected: dict[str, Selection], note: str
) -> None:
    result, notes = chosen(markers, stated)
    assert expected.items() <= result.items()
    assert len(notes) == 1
    assert note in notes[0]


NAMES = st.sampled_from("ABCDEFG")


@given(
    st.dictionaries(NAMES, st.sampled_from([None, "M", "m1", "m2M", "m3M"])),
    st.dictionaries(NAMES, st.tuples(NAMES, st.just(((1, 2),)))),
)
def test_there_is_never_a_circle(markers: dict[str, str | None], stated: Stated) -> None:
    result, _ = chosen(list(markers.items()), stated)
    for name in result:
        seen: set[str] = set()
        above: str | None = name
        while above is not None:
            assert above not in seen
            seen.add(above)
            above = result[above].multiplexor if above in result else None
        assert len(seen) <= len(markers)
        multiplexor = result[name].multiplexor
        assert multiplexor is None or (result[multiplexor].is_multiplexor and result[name].values)


def test_a_chain_of_a_hundred_thousand() -> None:
    count = 100_000
    markers: list[tuple[str, str | None]] = [(f"S{index}", "m1M") for index in range(count)]
    stated: Stated = {f"S{index}": (f"S{(index + 1) % count}", ((1, 1),)) for index in range(count)}
    start = time.process_time()
    result, notes = chosen(markers, stated)
    assert time.process_time() - start < 6.0
    assert len(notes) == 1
    assert sum(selection.multiplexor is None for selection in result.values()) == 1


def test_the_cascades_of_a_real_file() -> None:
    matrix, _ = read(dbc_files()["css_electronics/tp_uds_nissan.dbc"])
    signals = matrix.messages[0].by_name
    assert (signals["SoC"].multiplexor, signals["SoC"].multiplex_values) == ("response", ((1, 1),))
    assert (signals["response"].multiplexor, signals["response"].multiplex_values) == ("service", ((97, 97),))
    assert signals["service"].is_multiplexor
