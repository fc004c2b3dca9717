"""Results as tables: one row for each vehicle and cycle, or for each step; units in the names of columns.

`results_columns` and `history_columns` need nothing but numpy; `to_arrow`, `to_pandas` and `to_polars` turn either into
a table of the package named, which must be installed (`pip install pyarrow`, `pandas`, `polars`). `Results` has methods
of these names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.drive import LIMITERS
from kyotsu.sim.parameters import FloatArray
from kyotsu.sim.simulate import Results, Validity

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Columns = dict[str, npt.NDArray[Any]]
MOST_LIMITS = 3  # named in a summary


def results_columns(results: Results, names: Sequence[str] | None = None) -> Columns:
    """Results as columns, one row for each vehicle and cycle, the cycles of a vehicle together.

    Args:
        results: of `simulate` or `simulate_batch`.
        names: of the vehicles, in their order; their numbers from 0 when not given.

    Returns:
        `vehicle`, `cycle`, every array of the results, `limited_by` and the time under each limiter
        (`limited_battery_s`), in a climate heat and temperatures (`end_battery_c`), the ledger
        (`ledger_wall_wh`), and a truth for each flag of `Validity`.

    Raises:
        InputError: not one name for each vehicle.
    """
    vehicles, cycles = results.distance_km.shape
    columns: Columns = {
        "vehicle": np.repeat(_names(names, vehicles), cycles),
        "cycle": np.tile(np.array(results.cycles), vehicles),
    }
    for field in fields(results):
        value = getattr(results, field.name)
        if isinstance(value, np.ndarray) and value.shape == (vehicles, cycles) and field.name != "validity":
            columns[field.name] = value.ravel()
        elif isinstance(value, np.ndarray) and value.shape == (vehicles, cycles, len(LIMITERS)):
            stem, _, unit = field.name.rpartition("_")
            for code, limiter in enumerate(LIMITERS[1:], start=1):
                columns[f"{stem}_{limiter}_{unit}"] = value[..., code].ravel()
    columns["limited_by"] = np.array(results.limiter()).ravel()
    for group, members in results.warmth._asdict().items() if results.warmth is not None else ():
        columns |= {f"{group}_{name}": value.ravel() for name, value in members._asdict().items()}
    columns |= {f"ledger_{use}": energy.ravel() for use, energy in results.ledger._asdict().items()}
    for flag in Validity:
        columns[str(flag.name).lower()] = (results.validity.ravel() & int(flag)) > 0
    return columns


def history_columns(results: Results, cycle: str, names: Sequence[str] | None = None) -> Columns:
    """The second-by-second traces on one cycle as columns, one row for each vehicle and step.

    Args:
        results: driven with `history=True`.
        cycle: its name.
        names: as of `results_columns`.

    Raises:
        InputError: there is no history of that cycle, or not one name for each vehicle.
    """
    if cycle not in results.history:
        known = ", ".join(results.history) or "none: drive with history=True"
        raise InputError(
            [Problem(Location(key="cycle"), repr(cycle), f"one with a history ({known})", "Choose another.")]
        )
    history = results.history[cycle]
    vehicles, steps = history.speed_km_h.shape
    columns: Columns = {"vehicle": np.repeat(_names(names, vehicles), steps)}
    for name, values in history._asdict().items():
        if not isinstance(values, np.ndarray):
            continue
        if name == "limiter":
            columns["limited_by"] = np.array(LIMITERS)[values.astype(np.intp)].ravel()
        else:
            columns[name] = np.tile(values, vehicles) if values.ndim == 1 else values.ravel()
    return columns


def to_arrow(columns: Mapping[str, npt.NDArray[Any]]) -> pa.Table:
    """Columns as a pyarrow table.

    Raises:
        InputError: pyarrow is not installed.
    """
    arrow = _package("pyarrow")
    return arrow.table({name: arrow.array(values) for name, values in columns.items()})


def to_pandas(columns: Mapping[str, npt.NDArray[Any]]) -> pd.DataFrame:
    """Columns as a pandas data frame.

    Raises:
        InputError: pandas is not installed.
    """
    frame: pd.DataFrame = _package("pandas").DataFrame(dict(columns))
    return frame


def to_polars(columns: Mapping[str, npt.NDArray[Any]]) -> pl.DataFrame:
    """Columns as a polars data frame.

    Raises:
        InputError: polars is not installed.
    """
    frame: pl.DataFrame = _package("polars").DataFrame(dict(columns))
    return frame


def summary_text(results: Results, names: Sequence[str] | None = None) -> str:
    """Results in a few lines: what was driven, consumption, who missed a trace, and what limited most often."""
    vehicles, cycles = results.distance_km.shape
    who = _names(names, vehicles)
    lines = [f"Results: {vehicles} {_plural('vehicle', vehicles)} on {cycles} {_plural('cycle', cycles)}"]
    width = max(map(len, results.cycles))
    for column, cycle in enumerate(results.cycles):
        consumption = results.consumption_ac_wh_per_km[:, column]
        invalid = (results.validity[:, column] & int(Validity.INVALID_PARAMETERS | Validity.NO_DISTANCE)) > 0
        text = f"  {cycle:<{width}}  {_range_text(consumption[~invalid])} Wh/km AC"
        text += _who(" not driven", invalid, who) + _who(" missed the trace", results.missed_s[:, column] > 0.0, who)
        lines.append(text + _limits(results.limited_s[:, column]))
    return "\n".join(lines)


def _range_text(values: FloatArray) -> str:
    if not values.size:
        return "-"
    if values.size == 1:
        return f"{values[0]:.1f}"
    return f"{values.mean():.1f} ({values.min():.1f} to {values.max():.1f})"


def _who(what: str, which: npt.NDArray[np.bool_], names: npt.NDArray[Any]) -> str:
    count = int(which.sum())
    if not count or which.size == 1:
        return f",{what}" if count else ""
    return f", {count}{what} (first {names[which][0]})"


def _limits(time: FloatArray) -> str:
    seconds = time[:, 1:].sum(axis=0)
    order = [code for code in np.argsort(-seconds, kind="stable")[:MOST_LIMITS] if seconds[code] > 0.0]
    named = ", ".join(f"{LIMITERS[code + 1].replace('_', ' ')} {seconds[code]:.0f} s" for code in order)
    return f"; limited by {named}" if named else ""


def _names(names: Sequence[str] | None, vehicles: int) -> npt.NDArray[Any]:
    if names is None:
        return np.arange(vehicles)
    if len(names) != vehicles:
        found, expected = f"{len(names)} names", f"{vehicles}, one for each vehicle"
        raise InputError([Problem(Location(key="names"), found, expected, "Name every vehicle once.")])
    return np.array(names)


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _package(name: str) -> Any:
    load: Callable[[str], Any] = import_module
    try:
        return load(name)
    except ModuleNotFoundError as error:
        found, action = f"no package {name!r}, which this table needs", f"pip install {name}"
        raise InputError([Problem(Location("installation"), found, f"the package {name!r}", action)]) from error
