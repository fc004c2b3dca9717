"""The discretisation of BLAST-Lite 1.1.1, in our words: how it steps through the laws that `kyotsu.sim.ageing` solves.

It takes explicit steps; leaves out the interval between two windows; starts each window at the profile's own state of
charge, and lets swings grow from there; takes plain means over samples; and means of current by the trapezoidal rule
over all but the first interval. Laws, rate formulas and coefficients are ours: equal results say that those are equal.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kyotsu.sim.ageing import AT_REST, HALF_CHARGE_POTENTIAL, REFERENCE
from kyotsu.sim.ageing_model import AgeingModel, AgeingState, Stress, ageing_model, anode_potential
from kyotsu.sim.parameters import FloatArray

DATA = Path(__file__).parent / "data"


class Record(NamedTuple):
    """A row of the reference."""

    step: int
    days: float
    cycles: float
    capacity: float
    resistance: float | None


@cache
def profiles() -> dict[str, tuple[FloatArray, FloatArray, FloatArray]]:
    """Time [s], state of charge and temperature [degC] by name."""
    with (DATA / "ageing_profiles.csv").open(encoding="utf-8") as file:
        table = {name: np.array([float(v) for v in values]) for name, *values in zip(*csv.reader(file), strict=True)}
    names = [name.removesuffix(".soc") for name in table if name.endswith(".soc")]
    return {name: (table["time_s"], table[f"{name}.soc"], table[f"{name}.temperature_c"]) for name in names}


@cache
def windows() -> dict[str, list[tuple[int, int]]]:
    """First and last sample of each window by profile."""
    with (DATA / "ageing_windows.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [(int(r["first"]), int(r["last"])) for r in rows if r["profile"] == name] for name in profiles()}


@cache
def reference() -> dict[tuple[str, str, str], list[Record]]:
    """Records by profile, model and kind of input."""
    found: dict[tuple[str, str, str], list[Record]] = {}
    with (DATA / "ageing_reference.csv").open(encoding="utf-8") as file:
        for r in csv.DictReader(file):
            resistance = float(r["resistance"]) if r["resistance"] else None
            record = Record(int(r["step"]), float(r["time_days"]), float(r["efc"]), float(r["capacity"]), resistance)
            found.setdefault((r["profile"], r["model"], r["input"]), []).append(record)
    return found


def simulate(name: str, profile: str, kind: str, most: int = 10_000) -> list[Record]:
    """The reference's records up to `most` steps, as they come out of our laws under its discretisation."""
    model, (time, soc, celsius), wanted = ageing_model(name), profiles()[profile], reference()[profile, name, kind]
    keep = {record.step for record in wanted if record.step <= most}
    values = np.array([state.start for state in model.states])
    days = cycles = 0.0
    capacity, resistance = 1.0, None
    found = []
    pieces = windows()[profile] if kind == "varying" else [(0, time.size - 1)]
    rates = None
    for step in range(1, max(keep) + 1):
        first, last = pieces[(step - 1) % len(pieces)]
        some = slice(first, last + 1)
        if kind == "varying" or rates is None:
            swings = soc[some] if kind == "constant" else rescaled(soc[some], capacity)
            rates, lasting, moved = window(model, time[some], swings, celsius[some], capacity)
        growth = [
            explicit_step(state, value, (lasting if state.driver == "time_days" else moved) / state.unit, rate)
            for state, value, rate in zip(model.states, values, rates, strict=True)
        ]
        values = values + growth
        days, cycles = days + lasting, cycles + moved
        named = dict(zip((state.name for state in model.states), values, strict=True))
        capacity = float(model.capacity(named))
        resistance = float(model.resistance(named)) if model.resistance else None
        if step in keep:
            found.append(Record(step, days, cycles, capacity, resistance))
    return found


def rescaled(soc: FloatArray, capacity: float) -> FloatArray:
    """Swings from the window's first sample grown by the capacity lost, inside 0..1."""
    return np.clip(soc[0] + (soc - soc[0]) / capacity, 0.0, 1.0)


def window(
    model: AgeingModel, time: FloatArray, soc: FloatArray, celsius: FloatArray, capacity: float
) -> tuple[list[float], float, float]:
    """Mean rate of every state, days and full cycles."""
    hours = np.diff(time) / 3600.0
    current = np.diff(soc) / hours
    current[np.abs(current) < AT_REST] = 0.0
    days = (time[-1] - time[0]) / 86400.0
    c_rate = np.trapezoid(np.abs(current), time[1:] / 86400.0) / days
    charging = current > 0.0
    if charging.sum() > 1:
        clock = np.cumsum(hours[charging])
        charge_rate = np.trapezoid(current[charging], clock) / (clock[-1] - clock[0])
    else:
        charge_rate = float(current[charging].sum())
    kelvin, potential = celsius + 273.15, anode_potential(soc)
    stress = Stress(
        kelvin, kelvin / REFERENCE, soc, potential, potential / HALF_CHARGE_POTENTIAL,
        *(np.asarray(v) for v in (np.ptp(soc), c_rate * capacity, (charge_rate or c_rate) * capacity)),
        kelvin.mean(), soc.mean(),
    )  # fmt: skip
    values = stress._asdict()
    means = [mean_rate(state, np.broadcast_to(state.rate(values), time.shape), time) for state in model.states]
    return means, days, float(np.abs(np.diff(soc)).sum() / 2.0 * capacity)


def mean_rate(state: AgeingState, rate: FloatArray, time: FloatArray) -> float:
    """Mean over time; of a sigmoid its inverse is what the reference averages."""
    power = -1.0 if state.law == "sigmoid" else 1.0
    return float((np.trapezoid(rate**power, time) / (time[-1] - time[0])) ** power)


def explicit_step(state: AgeingState, value: float, driven: float, rate: float) -> float:
    """Growth by the slope at the start of the step; from nothing, by the law itself."""
    p = state.exponent
    if driven == 0.0:
        return 0.0
    if state.law == "power":
        return rate * driven**p if value == 0.0 else rate * p * (value / rate) ** ((p - 1.0) / p) * driven
    at = (2.0 * np.arctanh(value / state.limit)) ** (1.0 / p)  # k x
    slope = state.limit * p * at ** (p - 1.0) * rate / (2.0 * np.cosh(0.5 * at**p) ** 2)
    return float(slope * driven)
