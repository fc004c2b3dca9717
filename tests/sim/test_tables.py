from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tests.sim.vehicles import kei, leaf

from kyotsu.errors import InputError
from kyotsu.sim.climate import Climate
from kyotsu.sim.parameters import stack
from kyotsu.sim.simulate import Results, simulate
from kyotsu.sim.tables import (
    history_columns,
    results_columns,
    summary_text,
    to_arrow,
    to_pandas,
    to_polars,
)
from kyotsu.units import suffix_of

NAMES = ["leaf", "kei"]
TEXTS_AND_FLAGS = {
    "vehicle",
    "cycle",
    "limited_by",
    "trace_missed",
    "battery_empty",
    "no_distance",
    "invalid_parameters",
}


@pytest.fixture(scope="module")
def results() -> Results:
    return simulate(stack([leaf(), kei()]), ("jp1015", "us06"), history=True)


def test_one_row_for_each_vehicle_and_cycle(results: Results) -> None:
    columns = results_columns(results, NAMES)
    assert {values.size for values in columns.values()} == {4}
    assert columns["vehicle"].tolist() == ["leaf", "leaf", "kei", "kei"]
    assert columns["cycle"].tolist() == ["jp1015", "us06", "jp1015", "us06"]
    assert columns["missed_s"][3] == results.missed_s[1, 1] > 0.0
    assert columns["trace_missed"].tolist() == [False, False, False, True]
    assert columns["limited_by"][3] == results.limiter()[1][1] != "none"
    assert columns["ledger_wall_wh"][2] == results.ledger.wall_wh[1, 0]


def test_nothing_of_the_results_is_left_out_and_every_number_says_its_unit(results: Results) -> None:
    columns = results_columns(results)
    arrays = {field.name for field in fields(results)} - {"cycles", "ledger", "validity", "history"}
    arrays = {name for name in arrays if getattr(results, name) is not None}
    by_limiter = {name for name in arrays if getattr(results, name).ndim == 3}
    arrays = arrays - by_limiter | {name.removesuffix("_s") + "_battery_s" for name in by_limiter}
    assert arrays <= columns.keys()
    for name in columns.keys() - TEXTS_AND_FLAGS - {"final_soc"}:
        assert suffix_of(name), name


def test_a_climate_brings_columns_of_its_own() -> None:
    columns = results_columns(simulate(leaf(), "jp1015", climate=Climate(ambient_c=-10.0)))
    assert -10.0 < columns["end_battery_c"][0] < columns["end_cabin_c"][0]
    assert columns["heat_hvac_wh"][0] > 0.0


def test_every_package_holds_the_same(results: Results) -> None:
    columns = results_columns(results, NAMES)
    arrow, pandas, polars = to_arrow(columns), to_pandas(columns), to_polars(columns)
    assert isinstance(pandas, pd.DataFrame)
    assert isinstance(polars, pl.DataFrame)
    assert arrow.column_names == list(pandas.columns) == polars.columns == list(columns)
    for name, values in columns.items():
        assert arrow[name].to_pylist() == pandas[name].tolist() == polars[name].to_list() == values.tolist()


def test_results_are_tables_of_every_package_at_once(results: Results) -> None:
    columns = results.columns(NAMES)
    pandas, polars, arrow = results.to_pandas(NAMES), results.to_polars(NAMES), results.to_arrow(NAMES)
    assert list(pandas.columns) == polars.columns == arrow.column_names == list(columns)
    for name in columns:
        assert pandas[name].tolist() == polars[name].to_list() == arrow[name].to_pylist()
    assert pandas["vehicle"].tolist() == ["leaf", "leaf", "kei", "kei"]
    assert results.to_polars()["vehicle"].to_list() == [0, 0, 1, 1]


def test_so_are_histories(results: Results) -> None:
    pandas, polars = results.to_pandas(NAMES, history="us06"), results.to_polars(NAMES, history="us06")
    assert list(pandas.columns) == polars.columns == list(history_columns(results, "us06", NAMES))
    assert len(pandas) == polars.height == results.history["us06"].speed_km_h.size
    with pytest.raises(InputError, match=r"jp1015, us06"):
        results.to_pandas(history="udds")


def test_a_history_is_one_row_for_each_step(results: Results) -> None:
    columns = history_columns(results, "us06", NAMES)
    history = results.history["us06"]
    steps = history.time_s.size
    frame = to_pandas(columns)
    assert len(frame) == 2 * steps
    slow = frame[frame.vehicle == "kei"]
    assert np.array_equal(slow.speed_km_h, history.speed_km_h[1])
    assert np.array_equal(slow.trace_km_h, history.trace_km_h)
    assert set(slow.limited_by) > {"none"}


def test_what_is_not_there_is_refused(results: Results) -> None:
    with pytest.raises(InputError, match=r"jp1015, us06"):
        history_columns(results, "udds")
    with pytest.raises(InputError, match="history=True"):
        history_columns(simulate(leaf(), "jp1015"), "jp1015")
    with pytest.raises(InputError, match="2, one for each vehicle"):
        results_columns(results, ["leaf"])


def test_a_package_that_is_missing_is_named(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys  # noqa: PLC0415

    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(InputError, match="pip install polars"):
        to_polars(results_columns(results))


def test_a_summary_tells_misses_and_limits(results: Results) -> None:
    first, second, third = summary_text(results, NAMES).splitlines()
    assert first == "Results: 2 vehicles on 2 cycles"
    assert second.strip().startswith("jp1015  ")
    assert "missed" not in second
    assert "1 missed the trace (first kei)" in third
    assert "; limited by " in third
    one = simulate(leaf(), "jp1015")
    assert "Wh/km AC" in repr(one) == summary_text(one)
