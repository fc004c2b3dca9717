from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.errors import InputError
from kyotsu.sim.cycles import CYCLES, load_cycle, make_cycle
from kyotsu.units import KMH_PER_MPS, MPS_PER_MPH

# name: length [s], distance [km], top speed [m/s]; as printed in the regulations, see data/cycles/SOURCES.md
PUBLISHED = {
    "udds": (1369, 11.990, 56.7 * MPS_PER_MPH),
    "hwfet": (765, 16.507, 59.9 * MPS_PER_MPH),
    "us06": (600, 12.888, 80.3 * MPS_PER_MPH),
    "sc03": (600, 5.761, 54.8 * MPS_PER_MPH),
    "wltc_3a": (1800, 23.194, 131.3 / KMH_PER_MPS),
    "wltc_3b": (1800, 23.266, 131.3 / KMH_PER_MPS),
    "jc08": (1204, 8.159, 81.6 / KMH_PER_MPS),
    "nedc": (1179, 11.022, 120.0 / KMH_PER_MPS),
    "jp1015": (660, 4.165, 70.0 / KMH_PER_MPS),
}


@pytest.mark.parametrize("name", CYCLES)
def test_a_cycle_has_its_published_length_distance_and_top_speed(name: str) -> None:
    cycle = load_cycle(name)
    length, distance, top = PUBLISHED[name]
    assert cycle.duration_s == length
    assert cycle.distance_km == pytest.approx(distance, abs=0.0006)
    assert cycle.speed.max() == pytest.approx(top, abs=1e-4)
    assert not cycle.grade.any()


def test_a_cycle_comes_from_a_file_with_grade(tmp_path: Path) -> None:
    path = tmp_path / "hill.csv"
    path.write_text("time_s,speed_mps,grade\n0,0,0.05\n2,4,0.05\n4,4,-0.01\n", encoding="utf-8")
    cycle = load_cycle(path)
    assert cycle.name == "hill"
    assert cycle.distance_km == pytest.approx(0.012)
    assert cycle.grade.tolist() == [0.05, 0.05, -0.01]
    assert repr(cycle) == "Cycle('hill', 4 s, 0.012 km)"


def test_all_that_is_wrong_with_a_cycle_is_found_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("time_s,speed_mps\n0,0\n1,nan\n2,-3\n1,5\nx,5\n6,\n7,9999\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_cycle(path)
    places = {(problem.location.line, problem.location.key) for problem in caught.value.problems}
    assert places == {
        (3, "speed_mps"),
        (4, "speed_mps"),
        (5, "time_s"),
        (6, "time_s"),
        (7, "speed_mps"),
        (8, "speed_mps"),
    }
    assert all(problem.location.file == str(path) for problem in caught.value.problems)
    assert "bad.csv:5 (time_s): found 1 s; expected more than 2 s" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "an empty file"),
        ("\n\n", "an empty file"),
        ("time_s,speed\n0,0\n1,1\n", "a column speed_mps"),
        ("a,b\n", "a column time_s"),
        ("time_s,speed_mps\n", "0 usable samples"),
        ("time_s,speed_mps\n0,1\n", "1 usable samples"),
    ],
)
def test_a_file_that_is_no_cycle_says_what_is_missing(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=expected):
        load_cycle(path)


def test_a_missing_or_unreadable_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one of udds"):
        load_cycle(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="Check the name or path"):
        load_cycle(tmp_path)
    (tmp_path / "latin.csv").write_bytes(b"time_s,speed_mps\n0,\xff\n")
    with pytest.raises(InputError, match="not UTF-8"):
        load_cycle(tmp_path / "latin.csv")


def test_arrays_of_different_length_are_no_cycle() -> None:
    with pytest.raises(InputError, match="3 times, 2 speeds"):
        make_cycle("bad", [0, 1, 2], [0, 1])


@given(st.text(max_size=200))
def test_no_text_crashes_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("cycle") / "any.csv"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(InputError):
        load_cycle(path)


@given(st.lists(st.tuples(st.floats(), st.floats(), st.floats()), min_size=1, max_size=6))
def test_arrays_are_a_cycle_or_an_input_error(rows: list[tuple[float, float, float]]) -> None:
    with contextlib.suppress(InputError):
        cycle = make_cycle("any", *np.array(rows).T)
        assert (np.diff(cycle.time) > 0.0).all()
        assert np.isfinite(cycle.speed).all()


def test_wind_is_an_optional_column(tmp_path: Path) -> None:
    path = tmp_path / "windy.csv"
    path.write_text("time_s,wind_mps,speed_mps\n0,3,0\n1,-4.5,1\n", encoding="utf-8")
    cycle = load_cycle(path)
    assert cycle.wind is not None
    assert cycle.wind.tolist() == [3.0, -4.5]
    assert load_cycle("udds").wind is None
    path.write_text("time_s,speed_mps,wind_mps\n0,0,70\n1,1,nan\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_cycle(path)
    assert [problem.location.key for problem in caught.value.problems] == ["wind_mps", "wind_mps"]
    with pytest.raises(InputError, match="3 winds"):
        make_cycle("bad", [0, 1], [0, 1], wind_mps=[1, 2, 3])


def test_a_shipped_cycle_is_read_once_and_cannot_be_written_to() -> None:
    cycle = load_cycle("udds")
    assert load_cycle("udds") is cycle
    with pytest.raises(ValueError, match="read-only"):
        cycle.speed[0] = 1.0
