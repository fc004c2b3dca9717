"""A battery module as an equivalent circuit: a source, a resistance, and up to two pairs of resistance and capacitance.

    U = U_oc(z) − R_0 I − R_1 j_1 − R_2 j_2,   τ dj/dt = I − j,   Q dz/dt = −I

with j the current in a pair's resistance (G. L. Plett, Battery Management Systems, vol. 1,
Artech House 2015, ch. 2).
The functions up to `kelvin_per_watt` are one step of it at a current that stays: exact for the pairs and the charge,
so a step may be as long as the resistances hardly change. `identify_circuit` finds the circuit from a measurement.

Elementwise; SI units without suffix: current [A] positive when discharging, state of charge z [-].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares, nnls

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.battery import mean_remaining, remaining
from kyotsu.sim.parameters import FloatArray, Numbers
from kyotsu.sim.quantities import wrong

PAIRS = 2  # that the model has; one that is not there has a resistance of 0
TABLE = 101  # entries of the tables that are made here
KNOTS = 11  # of the piecewise linear resistance over state of charge
SMOOTHNESS = 1e-3  # weight of a kink between knots against the data; only where they say nothing does it count


class Circuit(NamedTuple):
    """The circuit of a cell or module at 25 °C; tables over a uniform state of charge from 0 to 1."""

    open_circuit_voltage_v: FloatArray  # shape (table,)
    resistance_ohm: FloatArray  # R_0, shape (table,)
    pair_resistance_ohm: FloatArray  # R_1, R_2, shape (pair, table)
    pair_time_s: FloatArray  # τ_1, τ_2, shape (pair,)

    def scaled(self, series: float, parallel: float = 1.0) -> Circuit:
        """The circuit of cells in series and parallel, of equal states."""
        ratio = series / parallel
        return Circuit(
            series * self.open_circuit_voltage_v,
            ratio * self.resistance_ohm,
            ratio * self.pair_resistance_ohm,
            self.pair_time_s,
        )


def simple_circuit(
    *,
    open_circuit_voltage_v: Numbers,
    resistance_ohm: Numbers,
    pair_resistance_ohm: Numbers = (0.0, 0.0),
    pair_time_s: Numbers = (1.0, 1.0),
) -> Circuit:
    """A circuit whose resistances do not depend on the state of charge, or R_0 alone does.

    Args:
        open_circuit_voltage_v: over a uniform state of charge from 0 to 1 [V], shape (table,).
        resistance_ohm: R_0 [ohm], shape () or (table,).
        pair_resistance_ohm: R_1, R_2 [ohm], shape (pair,), one or two of them.
        pair_time_s: τ_1, τ_2 [s], shape (pair,).
    """
    voltage = np.asarray(open_circuit_voltage_v, dtype=np.float64)
    resistances = np.atleast_1d(np.asarray(pair_resistance_ohm, dtype=np.float64))
    times = np.atleast_1d(np.asarray(pair_time_s, dtype=np.float64))
    more = max(PAIRS - len(resistances), 0)
    resistances, times = np.append(resistances, np.zeros(more)), np.append(times, np.ones(max(PAIRS - len(times), 0)))
    return Circuit(
        voltage,
        np.broadcast_to(np.asarray(resistance_ohm, dtype=np.float64), voltage.shape).astype(np.float64),
        np.repeat(resistances[:, None], voltage.size, axis=1),
        times,
    )


# --- one step ---


class Elements(NamedTuple):
    """The circuit of a module during one step; each of shape (module,)."""

    voltage: FloatArray  # V, open circuit, at the start of the step
    slope: FloatArray  # V, of the open-circuit voltage over state of charge
    resistance: FloatArray  # ohm, R_0
    pair_resistance: FloatArray  # ohm, R_1
    slow_resistance: FloatArray  # ohm, R_2


class Memory(NamedTuple):
    """What a module carries from step to step; each of shape (module,)."""

    soc: FloatArray  # -
    pair_current: FloatArray  # A, j_1
    slow_current: FloatArray  # A, j_2
    temperature: FloatArray  # K


class Fading(NamedTuple):
    """What a step's length leaves of the past of one pair; each of shape (pack,)."""

    left: FloatArray  # -, at its end
    mean: FloatArray  # -, on average over the step


def fading(duration: FloatArray, time_constant: FloatArray) -> Fading:
    """What is left of an exponential decay, e^(−Δt/τ), and its mean (1 − e^(−Δt/τ)) τ/Δt over a step."""
    return Fading(remaining(duration, time_constant), mean_remaining(duration, time_constant))


def source_voltage(module: Elements, memory: Memory, fast: Fading, slow: Fading) -> FloatArray:
    """Mean voltage of the step if no current flowed, U_oc − R_1 j_1 − R_2 j_2 with the j fading [V]."""
    pair = module.pair_resistance * memory.pair_current * fast.mean
    return module.voltage - pair - module.slow_resistance * memory.slow_current * slow.mean


def source_resistance(module: Elements, per_ampere: FloatArray, fast: Fading, slow: Fading) -> FloatArray:
    """By how much the mean voltage of the step falls for each ampere [ohm].

    R_0, what the pairs take up by mid-step, and what the open-circuit voltage loses by then, U_oc' Δt/2Q; `per_ampere`
    is Δt/Q, the state of charge that an ampere takes [1/A].
    """
    pairs = module.pair_resistance * (1.0 - fast.mean) + module.slow_resistance * (1.0 - slow.mean)
    return module.resistance + pairs + 0.5 * module.slope * per_ampere


def approached(value: FloatArray, goal: FloatArray, left: FloatArray) -> FloatArray:
    """`battery.relaxed` with the exponential already known, goal + (value − goal) left."""
    return goal + (value - goal) * left


def loaded_voltage(module: Elements, charged: FloatArray, after: Memory, current: FloatArray) -> FloatArray:
    """Voltage at the end of a step that changed the state of charge by `charged` [V], the current still flowing."""
    pairs = module.pair_resistance * after.pair_current + module.slow_resistance * after.slow_current
    return module.voltage + module.slope * charged - module.resistance * current - pairs


def heat_of(module: Elements, memory: Memory, current: FloatArray, fast: Fading, slow: Fading) -> FloatArray:
    """Mean heat of the step, I (U_oc − U) = I (R_0 I + R_1 mean(j_1) + R_2 mean(j_2)) [W].

    D. Bernardi, E. Pawlikowski and J. Newman, J. Electrochem. Soc. 132 (1985) 5, eq. 33, without heat of reaction and
    of mixing: so what a pair stands for heats at once, and energy is conserved whatever the resistances do.
    """
    pair = module.pair_resistance * approached(memory.pair_current, current, fast.mean)
    slow_pair = module.slow_resistance * approached(memory.slow_current, current, slow.mean)
    return current * (module.resistance * current + pair + slow_pair)


def kelvin_per_watt(duration: FloatArray, heat_capacity: FloatArray, conductance: FloatArray) -> FloatArray:
    """Change of temperature over a step per heat that comes in at its start, (1 − e^(−h Δt/C))/h, Δt/C for h = 0 [K/W].

    Exact for one mass at one temperature, C dT/dt = P − h (T − T_coolant), while P stays.
    """
    slowest = np.maximum(conductance, 1e-9 * heat_capacity / duration)
    return fading(duration, heat_capacity / slowest).mean * duration / heat_capacity


# --- identification ---


class Identified(NamedTuple):
    """A circuit found from a measurement, and how well it repeats it."""

    circuit: Circuit
    rms_mv: float  # of its voltage against the one measured
    largest_mv: float  # error, magnitude
    soc: FloatArray  # -, counted along the measurement, shape (time,)


def identify_circuit(
    time_s: Numbers,
    current_a: Numbers,
    voltage_v: Numbers,
    *,
    capacity_ah: float,
    initial_soc: float,
    open_circuit_voltage_v: Numbers | None = None,
    pairs: int = 2,
) -> Identified:
    """The circuit whose voltage is nearest to a measured one: least squares, resistances not below zero.

    For given time constants the voltage is linear in U_oc and the resistances at knots of the state of charge, so
    these follow at once and only the time constants are searched (variable projection: G. H. Golub and V. Pereyra,
    SIAM J. Numer. Anal. 10 (1973) 413). What the measurement does not cover continues smoothly.

    The measurement starts from rest, and holds pulses and rests of different lengths over the range of state of
    charge that matters; a temperature near 25 °C throughout.

    Args:
        time_s: of each row, rising [s], shape (time,); `test_time_second` of the Battery Data Format.
        current_a: from each row to the next [A], discharging positive (that format's `current_ampere` with the
            other sign), shape (time,).
        voltage_v: at each row, its current flowing [V], shape (time,).
        capacity_ah: whole state of charge from 0 to 1 [A h].
        initial_soc: at the first row [-].
        open_circuit_voltage_v: over a uniform state of charge from 0 to 1 [V], shape (table,), if it is known;
            else it is found too, which needs a measurement over all of the state of charge.
        pairs: 0, 1 or 2.

    Raises:
        InputError: columns of different lengths, a value that is no number, or one outside its range.
    """
    columns = tuple(np.asarray(values, dtype=np.float64) for values in (time_s, current_a, voltage_v))
    known = None if open_circuit_voltage_v is None else np.asarray(open_circuit_voltage_v, dtype=np.float64)
    _require_measurement(columns, capacity_ah, initial_soc, known, pairs)
    time, current, voltage = columns
    durations = np.diff(time)
    soc = initial_soc - np.append(0.0, np.cumsum(current[:-1] * durations)) / (3600.0 * capacity_ah)
    if soc.min() < -1e-6 or soc.max() > 1.0 + 1e-6:
        found = f"a charge count that runs from {soc.min():.3f} to {soc.max():.3f}"
        action = "Correct initial_soc, capacity_ah or the sign."
        raise InputError([Problem(Location(key="current_a"), found, "0 to 1", action)])
    hats = _hats(soc)
    target = voltage if known is None else voltage - np.interp(soc, np.linspace(0.0, 1.0, known.size), known)

    def solved(log_times: FloatArray) -> tuple[FloatArray, FloatArray]:
        past = [current, *(_pair_currents(current, durations, tau) for tau in np.exp(log_times))]
        columns = [-hats * flow[:, None] for flow in past]
        return _fit(columns if known is not None else [hats, *columns], target)

    span = float(time[-1] - time[0])
    start = np.log(np.geomspace(max(span / 400.0, 5.0), max(span / 40.0, 50.0), PAIRS)[:pairs])
    bounds = (np.log(2.0 * float(durations.min())), np.log(2.0 * span))
    start = np.clip(start, bounds[0] + 1e-3, bounds[1] - 1e-3)
    best = start
    if pairs:
        best = least_squares(lambda logs: solved(logs)[1], start, bounds=bounds, diff_step=1e-3, ftol=1e-5, xtol=1e-3).x
    best = np.sort(best)
    weights, error = solved(best)
    return Identified(
        _circuit_from(weights, np.exp(best), known),
        float(1e3 * np.sqrt(np.mean(error**2))),
        float(1e3 * np.max(np.abs(error))),
        soc,
    )


def _hats(soc: FloatArray) -> FloatArray:
    """Weights of the knots at each state of charge, for linear interpolation; shape (time, KNOTS)."""
    place = soc[:, None] * (KNOTS - 1) - np.arange(KNOTS)
    return np.maximum(1.0 - np.abs(place), 0.0)


def _pair_currents(current: FloatArray, durations: FloatArray, time_constant: float) -> FloatArray:
    """j at each row, from rest, shape (time,)."""
    left = np.exp(-durations / time_constant)
    flow = np.zeros_like(current)
    for row, (goal, share) in enumerate(zip(current[:-1].tolist(), left.tolist(), strict=True)):
        flow[row + 1] = approached(flow[row], goal, share)
    return flow


def _fit(columns: list[FloatArray], target: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values at the knots, none below zero, and the error at each row.

    Of many rows the normal equations are small; each kind of column has the scale of its largest.
    """
    matrix = np.hstack(columns)
    blocks = len(columns)
    scale = np.repeat(np.sqrt((matrix**2).sum(axis=0).reshape(blocks, KNOTS).max(axis=1)), KNOTS) + 1e-12
    matrix /= scale
    kinks = np.kron(np.eye(blocks), SMOOTHNESS * np.diff(np.eye(KNOTS), n=2, axis=0))
    root = np.linalg.cholesky(matrix.T @ matrix + kinks.T @ kinks + 1e-10 * np.eye(blocks * KNOTS))
    weights, _ = nnls(root.T, np.linalg.solve(root, matrix.T @ target))
    return weights / scale, target - matrix @ weights


def _circuit_from(weights: FloatArray, times: FloatArray, known: FloatArray | None) -> Circuit:
    table = np.linspace(0.0, 1.0, TABLE if known is None else known.size)
    knots = np.linspace(0.0, 1.0, KNOTS)
    rows = [np.interp(table, knots, row) for row in weights.reshape(-1, KNOTS)]
    voltage = rows.pop(0) if known is None else known
    missing = PAIRS - len(times)
    pairs = np.array([*rows[1:], *(np.zeros(table.size) for _ in range(missing))])
    return Circuit(voltage, rows[0], pairs, np.append(times, np.ones(missing)))


def _require_measurement(
    columns: tuple[FloatArray, ...], capacity_ah: float, initial_soc: float, known: FloatArray | None, pairs: int
) -> None:
    found = []
    sizes = {name: values.shape for name, values in zip(("time_s", "current_a", "voltage_v"), columns, strict=True)}
    if len(set(sizes.values())) > 1 or columns[0].ndim != 1 or columns[0].size < 3:
        shapes = ", ".join(f"{name} {shape}" for name, shape in sizes.items())
        found.append(wrong("time_s", shapes, "columns of one length, at least 3 rows"))
    for name, values in zip(sizes, columns, strict=True):
        if not np.isfinite(values).all():
            found.append(wrong(name, "a value that is no number", "numbers"))
    if columns[0].ndim == 1 and np.any(np.diff(columns[0]) <= 0.0):
        row = int(np.argmax(np.diff(columns[0]) <= 0.0)) + 1
        found.append(wrong("time_s", f"a time not after the one before, row {row}", "rising times"))
    if not 0.0 < capacity_ah < 1e6:
        found.append(wrong("capacity_ah", f"{capacity_ah:g}", "above 0"))
    if not 0.0 <= initial_soc <= 1.0:
        found.append(wrong("initial_soc", f"{initial_soc:g}", "0 to 1"))
    if known is not None and (known.ndim != 1 or known.size < 2 or not np.isfinite(known).all()):
        found.append(wrong("open_circuit_voltage_v", f"shape {known.shape}", "at least two numbers"))
    if pairs not in range(PAIRS + 1):
        found.append(wrong("pairs", f"{pairs}", "0, 1 or 2"))
    if found:
        raise InputError(found)
