"""How a cell fades: capacity and resistance over years of a repeated profile of charge and temperature.

    data/ageing.toml -> AgeingModel      states, each with a law of growth by name and a rate formula
    profile -> windows -> Stress         what the cell met: temperature, anode potential, depth, current
    rate formulas -> damage -> Ageing    capacity and resistance relative to new, flags

The idea: every law is a fixed curve of one damage that adds up. A power law y = k x^p is y = d^p with
d = Σ k^(1/p) Δx, whatever order the stresses come in; so a week is one vector of damage, added exactly however
long the step. What it depends on besides is the capacity left, for the same energy then swings the state of
charge further; it is tabulated over that capacity and read at each step, for all packs at once.

Cell by cell, as tested: a pack fades sooner (see `pack_life_share`). Fits to tests of one to three years say what
to expect, not what to warrant, and know nothing of abuse, plating in frost or sudden death.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.ageing_model import AgeingModel, Stress, ageing_model, anode_potential
from kyotsu.sim.parameters import FloatArray, Numbers
from kyotsu.sim.rainflow import rainflow
from kyotsu.units import CELSIUS_ZERO_K

Indices = npt.NDArray[np.intp]

DAY = 86400.0  # s
DAYS_PER_YEAR = 365.25
REFERENCE = 273.15 + 35.0  # K, of `theta`
HALF_CHARGE_POTENTIAL = 0.123  # V, of `upsilon`
AT_REST = 0.01  # 1/h; smaller currents are storage, not use
LEAST_CAPACITY = 0.5  # below it no cell was tested: rates stay as they are there
NODE = 0.05  # of capacity, of the table of damage; read by cubics, it is right to 1e-6 of a capacity
NODES = 1 + round((1.0 - LEAST_CAPACITY) / NODE)
STEP_DAYS = 28.0  # between updates of capacity; a step loses up to 1 % of it when new, later a tenth of that
CHUNK = 1_000_000  # samples in work at a time
RATE_LIMIT = 6.0  # 1/h; mean currents above, thrice the fastest tested, count as this: they are flagged anyway
OPEN = 0.02  # -, of the charge that a profile moves; a gap from its end to its begin that counts


class AgeingFlag(IntFlag):
    """What is to be known about a pack's result; 0 is a result inside the range of the tests."""

    TEMPERATURE = 1  # outside the temperatures tested
    SOC = 2  # stored or used at a state of charge outside those tested
    DEPTH = 4  # cycles shallower or deeper than tested
    CHARGE_RATE = 8  # charged faster than tested
    DISCHARGE_RATE = 16  # discharged faster than tested
    RAN_EMPTY = 32  # aged, it no longer holds the energy that the profile takes
    WORN = 64  # less than half of the capacity is left: rates are held
    LONG_CYCLES = 128  # cycles last longer than a window, which sees them too shallow: see `window_days`
    OPEN_ENDED = 256  # a repeated profile does not end where it begins: charge comes from nowhere


@dataclass(frozen=True, slots=True, eq=False)
class Ageing:
    """A pack's life; arrays of shape (pack, time).

    Attributes:
        model: its name.
        time_years: since the start, shape (time,).
        capacity: relative to new [-].
        resistance: relative to new [-]; `None` where the source has no equation for it.
        full_cycles: charge moved, over twice the capacity when new [-].
        states: every state by name [-].
        flags: of `AgeingFlag`, shape (pack,).
        damage: at the end, shape (state, pack): where another profile may go on, see `age`.
    """

    model: str
    time_years: FloatArray
    capacity: FloatArray
    resistance: FloatArray | None
    full_cycles: FloatArray
    states: dict[str, FloatArray]
    flags: npt.NDArray[np.int64]
    damage: FloatArray

    def years_to(self, capacity: float = 0.8) -> FloatArray:
        """Time until a capacity relative to new is left [years], shape (pack,); infinity if not in this life."""
        return np.array([_crossing(self.time_years, row, capacity) for row in self.capacity])

    def __repr__(self) -> str:
        left = ", ".join(f"{value:.3f}" for value in self.capacity[:4, -1])
        more = ", ..." if len(self.capacity) > 4 else ""
        return f"Ageing({self.model}, {self.time_years[-1]:.1f} years, capacity {left}{more})"


def age(
    model: AgeingModel | str,
    time_s: object,
    soc: object,
    temperature_c: object,
    *,
    years: float,
    window_days: float = 1.0,
    pack_life_share: Numbers = 1.0,
    start: FloatArray | None = None,
) -> Ageing:
    """Age packs by a profile that repeats until the years are over.

    The energy that the profile takes stays; so the swings below its highest state of charge grow as capacity
    falls, z' = z_max − (z_max − z)/q, not below empty. Depth and mean current are those of a window.

    Args:
        model: of `ageing_models()`, or one of your own.
        time_s: time [s], shape (sample,), rising. The profile ends where it begins: a week by the hour has 169
            samples.
        soc: state of charge [-], shape (sample,) or (pack, sample).
        temperature_c: of the cells [degC], likewise.
        years: how long [years], of 365.25 days; of a profile cut short at the end its mean counts.
        window_days: from charge to charge; a pack that is charged once a week has cycles of 7 days.
        pack_life_share: life of a pack over that of its cells [-], shape () or (pack,); 1 is the cell as tested.
            0.7 to 0.8 is a rule of thumb of those who fitted the models, not a measurement.
        start: `damage` of an earlier life, to go on from; by default a new cell.

    Returns:
        The life, at every step of four weeks or so. What left the tested range is flagged, never refused.

    Raises:
        InputError: with every problem of the input.
    """
    chosen = ageing_model(model) if isinstance(model, str) else model
    given = _checked(chosen, time_s, soc, temperature_c, years, window_days, pack_life_share, start)
    edges = _edges(given.time, window_days * DAY)
    size = max(1, CHUNK // given.time.size)
    lives = []
    for first in range(0, given.share.size, size):
        some = slice(first, first + size)
        profile = Profile.of(given.time, given.soc[some], given.kelvin[some], edges)
        lives.append(_live(chosen, profile, years, given.share[some], given.start[:, some]))
    history = np.concatenate([damage for _, damage in lives], axis=-1)
    return _ageing(chosen, given, edges, lives[0][0], history)


class Profile(NamedTuple):
    """A profile cut into windows and steps; (interval,) lies between samples."""

    soc: FloatArray  # shape (pack, sample)
    top: FloatArray  # shape (pack, 1), highest state of charge
    kelvin: FloatArray  # shape (pack, interval), mean of both ends
    hours: FloatArray  # shape (interval,)
    first: Indices  # shape (window,), first interval
    window: Indices  # shape (interval,), window that it lies in
    days: FloatArray  # shape (window,)
    step_first: Indices  # shape (step,), first window
    step_days: FloatArray  # shape (step,)

    @classmethod
    def of(cls, time: FloatArray, soc: FloatArray, kelvin: FloatArray, edges: Indices) -> Profile:
        """The profile with window edges given as samples."""
        days = np.diff(time[edges]) / DAY
        steps = [0]
        for index in range(1, days.size):
            if days[steps[-1] : index + 1].sum() > STEP_DAYS + 1e-9:
                steps.append(index)
        step_first = np.array(steps, dtype=np.intp)
        return cls(
            soc,
            soc.max(axis=1, keepdims=True),
            0.5 * (kelvin[:, 1:] + kelvin[:, :-1]),
            np.diff(time) / 3600.0,
            edges[:-1],
            np.repeat(np.arange(days.size), np.diff(edges)),
            days,
            step_first,
            np.add.reduceat(days, step_first),
        )


def stress_of(profile: Profile, capacity: float) -> tuple[Stress, FloatArray]:
    """What packs of a capacity relative to the start meet, and full cycles per window.

    Returns:
        Stress of shape (pack, interval), by the midpoint rule, and full cycles of shape (pack, window).
    """
    soc = np.maximum(profile.top - (profile.top - profile.soc) / capacity, 0.0)
    middle = 0.5 * (soc[:, 1:] + soc[:, :-1])
    moved = np.abs(np.diff(soc, axis=1)) * capacity
    rising = (np.diff(soc, axis=1) > 0.0) & (moved > AT_REST * profile.hours)
    used = np.where(moved > AT_REST * profile.hours, moved, 0.0)
    ends = np.append(profile.first[1:], profile.hours.size)

    def total(values: FloatArray) -> FloatArray:
        return np.add.reduceat(values, profile.first, axis=1)

    def spread(values: FloatArray) -> FloatArray:
        return values[:, profile.window]

    hours = 24.0 * profile.days
    most = np.maximum(np.maximum.reduceat(soc[:, :-1], profile.first, axis=1), soc[:, ends])
    least = np.minimum(np.minimum.reduceat(soc[:, :-1], profile.first, axis=1), soc[:, ends])
    c_rate = np.minimum(total(used) / hours, RATE_LIMIT)
    charging = total(np.where(rising, profile.hours, 0.0))
    charged = total(np.where(rising, moved, 0.0)) / np.where(charging > 0.0, charging, 1.0)
    charge_rate = np.where(charging > 0.0, np.minimum(charged, RATE_LIMIT), c_rate)
    potential = anode_potential(middle)
    stress = Stress(
        profile.kelvin,
        profile.kelvin / REFERENCE,
        middle,
        potential,
        potential / HALF_CHARGE_POTENTIAL,
        spread(most - least),
        spread(c_rate),
        spread(charge_rate),
        spread(total(profile.kelvin * profile.hours) / hours),
        spread(total(middle * profile.hours) / hours),
    )
    return stress, 0.5 * total(moved)


def _damage(model: AgeingModel, profile: Profile, capacity: float) -> FloatArray:
    """Damage and full cycles in every step of the profile, shape (step, state + 1, pack)."""
    stress, cycles = stress_of(profile, capacity)
    shape = profile.kelvin.shape
    rows = []
    for state in model.states:
        weighted = np.broadcast_to(state.speed(stress), shape) * profile.hours
        mean = np.add.reduceat(weighted, profile.first, axis=1) / (24.0 * profile.days)
        rows.append(mean * (profile.days if state.driver == "time_days" else cycles))
    rows.append(cycles)
    return np.moveaxis(np.add.reduceat(np.array(rows), profile.step_first, axis=2), 2, 0)


def _live(
    model: AgeingModel, profile: Profile, years: float, share: FloatArray, start: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Times [days], and damage and full cycles at each, shape (time, state + 1, pack)."""
    count = profile.step_days.size
    repeats = max(1.0, np.floor(STEP_DAYS / profile.step_days[0] + 1e-9)) if count == 1 else 1.0
    duration = profile.step_days * repeats
    end = years * DAYS_PER_YEAR
    lengths = np.tile(duration, int(np.ceil(end / duration.sum() - 1e-9)) or 1)
    times = np.concatenate([[0.0], np.cumsum(lengths)])
    times = np.append(times[times < end - 1e-9], end)
    table = Table(model, profile, start.shape[1])
    now = np.concatenate([start, np.zeros((1, start.shape[1]))])
    pace = repeats * np.concatenate([np.broadcast_to(1.0 / share, start.shape), np.ones((1, share.size))])
    history = [now]
    for step, (before, after) in enumerate(pairwise(times)):
        at = step % count
        scale = pace * ((after - before) / duration[at])
        halfway = now + 0.5 * scale * table.at(at, now[:-1])
        now = now + scale * table.at(at, halfway[:-1])
        history.append(now)
    return times, np.array(history)


class Table:
    """Damage in each step of a profile over the capacity left; filled as far down as packs get."""

    def __init__(self, model: AgeingModel, profile: Profile, packs: int) -> None:
        self._model, self._profile = model, profile
        self._lanes, self._four = np.arange(packs), np.arange(4)[:, None]
        self._filled = 0
        self._values = np.zeros((NODES, profile.step_days.size, len(model.states) + 1, packs))

    def at(self, step: int, damage: FloatArray) -> FloatArray:
        """Damage and full cycles of a step of the profile with a damage so far, shape (state + 1, pack)."""
        left = _capacity(self._model, damage)
        place = (1.0 - np.minimum(np.maximum(left, LEAST_CAPACITY), 1.0)) / NODE
        node = np.minimum(np.maximum(np.floor(place) - 1.0, 0.0), NODES - 4.0).astype(np.intp)
        while self._filled < node.max() + 4:
            self._values[self._filled] = _damage(self._model, self._profile, 1.0 - self._filled * NODE)
            self._filled += 1
        values = self._values[:, step]
        nodes = values[node + self._four, :, self._lanes]  # (4, pack, state + 1)
        more = (np.stack(_cubic(place - node))[:, :, None] * nodes).sum(axis=0).T
        return np.asarray(np.maximum(more, 0.0), dtype=np.float64)


def _cubic(place: FloatArray) -> tuple[FloatArray, ...]:
    """Weights of the cubic through four nodes at 0, 1, 2 and 3 (Lagrange)."""
    a, b, c, d = place, place - 1.0, place - 2.0, place - 3.0
    return -b * c * d / 6.0, a * c * d / 2.0, -a * b * d / 2.0, a * b * c / 6.0


def _states(model: AgeingModel, damage: FloatArray) -> dict[str, FloatArray]:
    return {state.name: state.value(damage[index]) for index, state in enumerate(model.states)}


def _capacity(model: AgeingModel, damage: FloatArray) -> FloatArray:
    """Relative to the start, no less than 0; of the shape of the damage without its first axis."""
    return np.maximum(model.capacity(_states(model, damage)), 0.0)


def _ageing(model: AgeingModel, given: _Given, edges: Indices, days: FloatArray, history: FloatArray) -> Ageing:
    rows = np.moveaxis(history, 0, 2)  # (state + 1, pack, time)
    states = _states(model, rows[:-1])
    capacity = _capacity(model, rows[:-1])
    soc = given.soc
    flags = _range_flags(model, given, edges)
    deepest = soc.max(axis=1) - soc.min(axis=1)
    empty = soc.max(axis=1) < deepest / np.maximum(capacity[:, -1], 1e-9)
    repeated = days[-1] * DAY > 1.5 * (given.time[-1] - given.time[0])
    flags |= np.where(empty, int(AgeingFlag.RAN_EMPTY), 0)
    flags |= np.where(capacity[:, -1] < LEAST_CAPACITY, int(AgeingFlag.WORN), 0)
    gap, moved = np.abs(soc[:, -1] - soc[:, 0]), np.abs(np.diff(soc, axis=1)).sum(axis=1)
    flags |= np.where(repeated & (gap > OPEN * moved), int(AgeingFlag.OPEN_ENDED), 0)
    return Ageing(
        model.name,
        days / DAYS_PER_YEAR,
        model.initial * capacity,
        model.resistance(states) if model.resistance else None,
        rows[-1],
        states,
        flags,
        rows[:-1, :, -1],
    )


def _range_flags(model: AgeingModel, given: _Given, edges: Indices) -> npt.NDArray[np.int64]:
    soc, kelvin = given.soc, given.kelvin
    rate = np.diff(soc, axis=1) / (np.diff(given.time) / 3600.0)
    moved = np.add.reduceat(np.abs(np.diff(soc, axis=1)), edges[:-1], axis=1)
    pieces = [soc[:, a : b + 1] for a, b in pairwise(edges)]
    seen = np.stack([piece.max(axis=1) - piece.min(axis=1) for piece in pieces], axis=1)
    mean_seen = np.sum(seen * moved, axis=1) / np.maximum(moved.sum(axis=1), 1e-12)
    counted = [rainflow(row) for row in soc]
    depth = np.array([c.throughput_depth for c in counted])
    small = 1e-6  # rounding of recorded values
    low, high = (limit + CELSIUS_ZERO_K for limit in model.temperature_c)
    conditions = {
        AgeingFlag.TEMPERATURE: ((kelvin < low - small) | (kelvin > high + small)).any(axis=1),
        AgeingFlag.SOC: ((soc < model.soc[0] - small) | (soc > model.soc[1] + small)).any(axis=1),
        AgeingFlag.DEPTH: (depth > 0.0) & ((depth < model.depth[0] - small) | (depth > model.depth[1] + small)),
        AgeingFlag.CHARGE_RATE: rate.max(axis=1) > model.charge_rate + small,
        AgeingFlag.DISCHARGE_RATE: -rate.min(axis=1) > model.discharge_rate + small,
        AgeingFlag.LONG_CYCLES: depth > 1.25 * mean_seen + small,
    }
    flags = np.zeros(soc.shape[0], dtype=np.int64)
    for flag, condition in conditions.items():
        flags |= np.where(condition, int(flag), 0)
    return flags


def _edges(time: FloatArray, length: float) -> Indices:
    """Samples where windows of at least a length begin, and the last sample; a short rest joins the window before."""
    edges = [0]
    for goal in np.arange(time[0] + length, time[-1] - 0.5 * length, length):
        index = int(np.searchsorted(time, goal - 1e-6))
        if edges[-1] < index < time.size - 1:
            edges.append(index)
    return np.array([*edges, time.size - 1], dtype=np.intp)


def _crossing(time: FloatArray, capacity: FloatArray, limit: float) -> float:
    below = np.flatnonzero(capacity <= limit)
    if below.size == 0:
        return float(np.inf)
    at = int(below[0])
    return float(time[0]) if at == 0 else float(np.interp(-limit, -capacity[at - 1 : at + 1], time[at - 1 : at + 1]))


class _Given(NamedTuple):
    """The input of `age` in SI, packs side by side."""

    time: FloatArray  # s, shape (sample,)
    soc: FloatArray  # -, shape (pack, sample)
    kelvin: FloatArray  # K, shape (pack, sample)
    share: FloatArray  # -, shape (pack,)
    start: FloatArray  # damage, shape (state, pack)


def _checked(
    model: AgeingModel,
    time_s: object,
    soc: object,
    temperature_c: object,
    years: float,
    window_days: float,
    pack_life_share: Numbers,
    start: FloatArray | None,
) -> _Given:
    time = np.asarray(time_s, dtype=np.float64).ravel()
    charge, celsius = (np.atleast_2d(np.asarray(values, dtype=np.float64)) for values in (soc, temperature_c))
    share = np.atleast_1d(np.asarray(pack_life_share, dtype=np.float64))
    new = np.array([[state.damage(state.start)] for state in model.states])
    begun = new if start is None else np.asarray(start, dtype=np.float64)
    problems = [
        *_time_problems(time, years, window_days),
        *_value_problems("soc", charge, time.size, 0.0, 1.0, "Give a share of capacity, not per cent."),
        *_value_problems("temperature_c", celsius, time.size, -80.0, 120.0, _temperature_action(celsius)),
        *_value_problems("pack_life_share", share, None, 1e-3, 10.0, "Give the pack's life over that of its cells."),
    ]
    counts = {charge.shape[0], celsius.shape[0], share.size, begun.shape[-1]} - {1}
    if len(counts) > 1 or begun.ndim != 2 or begun.shape[0] != len(model.states) or not (begun >= 0.0).all():
        found = f"soc {charge.shape}, temperature_c {celsius.shape}, pack_life_share {share.shape}, start {begun.shape}"
        expected = f"as many packs in each, and {len(model.states)} states of no negative damage in start"
        problems.append(_problem("packs", found, expected, "Give one row for each pack, or one for all."))
    if problems:
        raise InputError(problems)
    packs = max(counts, default=1)
    wide = (packs, time.size)
    return _Given(
        time,
        np.broadcast_to(charge, wide),
        np.broadcast_to(celsius + CELSIUS_ZERO_K, wide),
        np.broadcast_to(share, (packs,)),
        np.broadcast_to(begun, (begun.shape[0], packs)),
    )


def _time_problems(time: FloatArray, years: float, window_days: float) -> Iterator[Problem]:
    if time.size < 2:
        yield _problem("time_s", f"{time.size} samples", "2 or more", "Give a profile.")
    elif not (np.isfinite(time).all() and (np.diff(time) > 0.0).all()):
        at = int(np.argmin(np.append(np.diff(time) > 0.0, False)))
        found = f"{time[at]:g} s before {time[at + 1]:g} s (sample {at})" if at + 1 < time.size else "no number"
        yield _problem("time_s", found, "rising times", "Sort the samples and remove doubles.")
    if not 0.0 < years <= 1000.0:
        yield _problem("years", f"{years:g}", "more than 0, at most 1000", "Give a number of years.")
    if not 0.01 <= window_days <= 400.0:
        yield _problem("window_days", f"{window_days:g}", "0.01 to 400", "Give the days from charge to charge.")


def _value_problems(
    key: str, values: FloatArray, samples: int | None, low: float, high: float, action: str
) -> Iterator[Problem]:
    if values.ndim > 2 or (samples is not None and values.shape[-1] != samples):
        yield _problem(key, f"shape {values.shape}", f"(pack, {samples}), as time_s", "Give one value per time.")
    wrong = ~((values >= low) & (values <= high))
    if wrong.any():
        place = tuple(int(index) for index in np.argwhere(wrong)[0])
        found = f"{values[wrong][0]:g} at {place} ({int(wrong.sum())} in all)"
        yield _problem(key, found, f"{low:g} to {high:g}", action)


def _temperature_action(celsius: FloatArray) -> str:
    seen = celsius[np.isfinite(celsius)]
    kelvin = seen.size > 0 and float(seen.min()) > 150.0
    return "It looks like kelvin: subtract 273.15." if kelvin else "Correct the value or its unit."


def _problem(key: str, found: str, expected: str, action: str) -> Problem:
    return Problem(Location(key=key), found, expected, action)
