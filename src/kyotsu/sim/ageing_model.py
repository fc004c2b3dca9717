"""What is known of how kinds of cells age: published laws and rate formulas, from `data/ageing.toml`.

A model is a few states (losses and gains), each with a law of growth by name, what drives it, and a formula of its
rate over the `Stress` that a cell meets. Models of your own are built of the same classes.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import numpy as np

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.formula import Formula
from kyotsu.sim.parameters import FloatArray


class Stress(NamedTuple):
    """What rate formulas speak of (see `data/ageing.toml`); arrays that broadcast to (..., sample)."""

    T: FloatArray  # K
    theta: FloatArray  # -
    soc: FloatArray  # -
    U: FloatArray  # V
    upsilon: FloatArray  # -
    depth: FloatArray  # -
    c_rate: FloatArray  # 1/h
    charge_rate: FloatArray  # 1/h
    mean_temperature: FloatArray  # K
    mean_soc: FloatArray  # -


@dataclass(frozen=True, slots=True)
class AgeingState:
    """One loss or gain: its law, what drives it and its rate.

    Attributes:
        name: as capacity and resistance call it.
        law: `power` or `sigmoid`.
        driver: `time_days` or `full_cycles`.
        unit: of the driver; x/unit enters the law.
        exponent: of the law [-].
        limit: largest value of a sigmoid [-].
        start: value of the new cell [-].
        rate: formula of the rate k over the fields of `Stress`.
    """

    name: str
    law: Literal["power", "sigmoid"]
    driver: Literal["time_days", "full_cycles"]
    rate: Formula
    exponent: float
    unit: float = 1.0
    limit: float = 1.0
    start: float = 0.0

    def value(self, damage: FloatArray) -> FloatArray:
        """The state at a damage, d^p or limit · tanh(d^p / 2) [-], of the same shape."""
        grown = np.asarray(damage**self.exponent, dtype=np.float64)
        return grown if self.law == "power" else np.asarray(self.limit * np.tanh(0.5 * grown))

    def damage(self, value: float) -> float:
        """The damage at which the state has a value; the inverse of `value`."""
        grown = value if self.law == "power" else 2.0 * np.arctanh(value / self.limit)
        return float(grown ** (1.0 / self.exponent))

    def speed(self, stress: Stress) -> FloatArray:
        """Damage per driver, k^(1/p) or k over the unit, of the shape of the stress; no less than 0."""
        rate = np.maximum(self.rate(stress._asdict()), 0.0)
        return np.asarray((rate ** (1.0 / self.exponent) if self.law == "power" else rate) / self.unit)


@dataclass(frozen=True, slots=True)
class AgeingModel:
    """The ageing of one kind of cell.

    Attributes:
        name: of `ageing_models()`.
        title: the cell in words.
        doi: where the tests, and the equations or their fit, are published.
        note: what else limits it.
        temperature_c: tested range [degC].
        soc: tested range [-].
        depth: tested range of cycle depth [-].
        charge_rate: fastest charge tested, current over capacity [1/h].
        discharge_rate: fastest discharge tested [1/h].
        initial: capacity at the start relative to new [-]; below 1 for cells tested in a second life.
        states: what grows.
        capacity: formula of the capacity relative to the start, over the states' names.
        resistance: formula of the resistance relative to new; `None` where the source has none.
    """

    name: str
    title: str
    doi: str
    note: str
    temperature_c: tuple[float, float]
    soc: tuple[float, float]
    depth: tuple[float, float]
    charge_rate: float
    discharge_rate: float
    initial: float
    states: tuple[AgeingState, ...]
    capacity: Formula
    resistance: Formula | None


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files("kyotsu.sim") / "data" / "ageing.toml").read_text(encoding="utf-8"))


def ageing_models() -> tuple[str, ...]:
    """Names of the shipped models."""
    return tuple(_table()["models"])


@cache
def ageing_model(name: str) -> AgeingModel:
    """The shipped model of a name.

    Raises:
        InputError: there is none.
    """
    entry = _table()["models"].get(name)
    if entry is None:
        known = "one of " + ", ".join(ageing_models())
        raise InputError([Problem(Location(key="model"), repr(name), known, "Correct the name.")])
    states = tuple(
        AgeingState(state, **{**row, "rate": Formula(row["rate"], Stress._fields)})
        for state, row in entry["states"].items()
    )
    names = tuple(entry["states"])
    low_high = {key: tuple(entry["valid"][key]) for key in ("temperature_c", "soc", "depth")}
    return AgeingModel(
        name=name,
        title=entry["title"],
        doi=entry["doi"],
        note=entry["note"],
        **low_high,
        charge_rate=entry["valid"]["charge_rate"],
        discharge_rate=entry["valid"]["discharge_rate"],
        initial=entry.get("initial", 1.0),
        states=states,
        capacity=Formula(entry["capacity"], names),
        resistance=Formula(entry["resistance"], names) if "resistance" in entry else None,
    )


def anode_potential(soc: FloatArray) -> FloatArray:
    """Potential of graphite against lithium [V] at a state of charge [-], of the same shape.

    Safari and Delacourt, 10.1149/1.3567007; lithiation as of Schimpe et al., 10.1149/2.1181714jes, taken alike for
    every cell, as the fits do.
    """
    entry = _table()["anode_potential"]
    empty, full = entry["lithiation"]
    return _potential()({"x": empty + soc * (full - empty)})


@cache
def _potential() -> Formula:
    return Formula(_table()["anode_potential"]["formula"], ("x",))
