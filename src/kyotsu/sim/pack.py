"""A pack, module by module: modules in series make a string, strings stand in parallel; each has a state of its own.

In: `PackParameters` (from numbers, or from a battery module of the specification and its layout) and the pack's
current or power over time. Out: `PackResults`, arrays with units in their names; which module met a limit first, and
when. From then on the contactors are open: no current leaves the pack, and strings in parallel go on to balance.

Current is positive when discharging. The equations stand in `circuit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.battery import REFERENCE_TEMPERATURE
from kyotsu.sim.circuit import Circuit, simple_circuit
from kyotsu.sim.pack_kernel import (
    CELLS,
    COOLING,
    HEAT,
    LEAST_VOLTAGE,
    LIMITED_MODULE,
    LIMITED_STEP,
    LIMITER,
    LIMITS,
    MOST_VOLTAGE,
    PEAK_TEMPERATURE,
    SOC,
    TEMPERATURE,
    TERMINALS,
    compiled_kernel,
)
from kyotsu.sim.parameters import FloatArray, Numbers
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.layout import Layout
from kyotsu.units import CELSIUS_ZERO_K, J_PER_WH

SPECIFIC_HEAT = 1000.0  # J/(kg K) of a module, cells 900 to 1100; our assumption where nothing is stated
GRID = np.linspace(0.0, 1.0, 101)


class PackParameters(NamedTuple):
    """Packs of one layout, in SI; a module of a string counts along `series`."""

    tables: FloatArray  # U_oc [V], R_0, R_1, R_2 [ohm] of a module at 25 °C, shape (pack, 4, table)
    pack: FloatArray  # τ_1, τ_2 [s], activation [K], limits of a module in V, V, K, A, A; shape (pack, 8)
    modules: FloatArray  # resistance factor, A s, J/K, W/K, coolant K; shape (pack, 5, string, series)
    busbars: FloatArray  # resistance of a string beside its modules [ohm], shape (pack, string)

    @property
    def pack_count(self) -> int:
        """Number of packs in the batch."""
        return int(self.tables.shape[0])


class PackHistory(NamedTuple):
    """Traces at the end of each step; shape (pack, string, series, time), but for the strings' current."""

    string_current_a: FloatArray  # shape (pack, string, time), mean of the step
    module_voltage_v: FloatArray  # under that current
    module_soc: FloatArray
    module_c: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PackResults:
    """What packs did; shape (pack, string, series) for each module unless said otherwise.

    Attributes:
        time_s: end of each step, shape (time,).
        current_a: of the pack, mean of the step, shape (pack, time).
        voltage_v: of the pack, mean of the step, shape (pack, time).
        soc, temperature_c: of the modules at the end.
        voltage_min_v, voltage_max_v, peak_c: extremes of the modules at the ends of steps.
        heat_wh: made in each module; cooling_wh: what of it went to the coolant.
        terminals_wh: net energy out of the pack, shape (pack,).
        cells_wh: net energy out of the sources of all modules, shape (pack,).
        limited_s: when a module first passed a limit, infinity if none did, shape (pack,).
        limit: which, in the order of `LIMITS`, shape (pack,).
        limited_module: string and place of that module, shape (pack, 2); -1 where none did, or for the pack as a whole.
        history: traces, when asked for.
    """

    time_s: FloatArray
    current_a: FloatArray
    voltage_v: FloatArray
    soc: FloatArray
    temperature_c: FloatArray
    voltage_min_v: FloatArray
    voltage_max_v: FloatArray
    peak_c: FloatArray
    heat_wh: FloatArray
    cooling_wh: FloatArray
    terminals_wh: FloatArray
    cells_wh: FloatArray
    limited_s: FloatArray
    limit: npt.NDArray[np.int64]
    limited_module: npt.NDArray[np.int64]
    history: PackHistory | None = None

    @property
    def soc_spread(self) -> FloatArray:
        """Highest less lowest state of charge of a pack's modules at the end [-], shape (pack,)."""
        return np.asarray(np.ptp(self.soc, axis=(1, 2)), dtype=np.float64)

    def limiter(self) -> list[str]:
        """The limit of each pack by its name; `none` where no module passed one."""
        return [LIMITS[code] for code in self.limit]


def pack_parameters(
    circuit: Circuit,
    *,
    series: int,
    strings: int,
    capacity_ah: Numbers,
    voltage_min_v: Numbers,
    voltage_max_v: Numbers,
    heat_capacity_j_per_k: Numbers,
    conductance_w_per_k: Numbers = 0.0,
    coolant_c: Numbers = 25.0,
    resistance_factor: Numbers = 1.0,
    string_resistance_ohm: Numbers = 0.0,
    activation_k: Numbers = 0.0,
    temperature_max_c: Numbers = 60.0,
    discharge_current_a: Numbers = 1e6,
    charge_current_a: Numbers = 1e6,
    packs: int = 1,
) -> PackParameters:
    """Packs from numbers with units in their names.

    What belongs to a module has a shape that broadcasts to (pack, string, series), what belongs to a string to (pack,
    string), the rest to (pack,).

    Args:
        circuit: of one module at 25 °C.
        series: modules of a string.
        strings: in parallel.
        capacity_ah: of each module [A h].
        voltage_min_v, voltage_max_v: limits of a module [V].
        heat_capacity_j_per_k: of each module [J/K].
        conductance_w_per_k: from each module to its coolant [W/K].
        coolant_c: at each module [°C].
        resistance_factor: of each module on all its resistances, so of its age or its make [-].
        string_resistance_ohm: of busbars, contactor and fuse of a string [ohm].
        activation_k: of the resistances, E/R [K], see `battery.arrhenius`.
        temperature_max_c: limit of a module [°C].
        discharge_current_a, charge_current_a: limits of a module, both positive [A].
        packs: how many packs.

    Raises:
        InputError: no modules or strings, or a value that is no number or out of its range.
    """
    _require(
        [
            _count("series", series),
            _count("strings", strings),
            _count("packs", packs),
            *(_range(name, values, 0.0, 1e9) for name, values in circuit._asdict().items()),
            _range("pair_time_s", circuit.pair_time_s, 1e-3, 1e7),
            _range("capacity_ah", capacity_ah, 1e-3, 1e6),
            _range("voltage_min_v", voltage_min_v, 0.0, 1e4),
            _range("voltage_max_v", voltage_max_v, 1e-3, 1e4),
            _range("heat_capacity_j_per_k", heat_capacity_j_per_k, 1e-3, 1e9),
            _range("conductance_w_per_k", conductance_w_per_k, 0.0, 1e6),
            _range("coolant_c", coolant_c, -100.0, 200.0),
            _range("resistance_factor", resistance_factor, 1e-3, 1e3),
            _range("string_resistance_ohm", string_resistance_ohm, 0.0, 1e3),
            _range("activation_k", activation_k, 0.0, 2e4),
            _range("temperature_max_c", temperature_max_c, -100.0, 1e3),
            _range("discharge_current_a", discharge_current_a, 0.0, 1e9),
            _range("charge_current_a", charge_current_a, 0.0, 1e9),
            *_tables(circuit),
        ]
    )
    table = np.vstack([circuit.open_circuit_voltage_v, circuit.resistance_ohm, circuit.pair_resistance_ohm])
    table[1] = np.maximum(table[1], 1e-9)  # strings without any resistance have no share of their own
    fast, slow = circuit.pair_time_s
    limits = (fast, slow, activation_k, voltage_min_v, voltage_max_v, _kelvin(temperature_max_c))
    of_pack = [_spread(value, (packs,)) for value in (*limits, discharge_current_a, charge_current_a)]
    each = (
        resistance_factor, _array(capacity_ah) * 3600.0, heat_capacity_j_per_k, conductance_w_per_k, _kelvin(coolant_c),
    )  # fmt: skip
    return PackParameters(
        np.repeat(table[None], packs, axis=0),
        np.stack(of_pack, axis=1),
        np.stack([_spread(value, (packs, strings, series)) for value in each], axis=1),
        _spread(string_resistance_ohm, (packs, strings)),
    )


def module_pack(module: BatteryModule, layout: Layout, **changes: Numbers) -> PackParameters:
    """The pack that a layout of a battery module makes, as far as the module says what it is.

    Its resistance over temperature gives R_0 and the activation energy (straight line of ln R over 1/T). Heat
    capacity is that of the module's mass where it is not stated. `changes` are arguments of `pack_parameters`.

    Raises:
        InputError: the module lacks a voltage curve, resistance, capacity, voltage limit or mass.
    """
    limits, curve, over = module.limits.operating, module.curves.open_circuit_voltage, module.curves.resistance
    heat = module.thermal.heat_capacity_j_per_k or SPECIFIC_HEAT * (module.mass_kg or 0.0) or None
    needed = {
        "curves.open_circuit_voltage": curve,
        "curves.resistance": over,
        "capacity_ah": module.capacity_ah,
        "limits.operating.cell_voltage_min_v": limits.cell_voltage_min_v,
        "limits.operating.cell_voltage_max_v": limits.cell_voltage_max_v,
        "mass_kg": heat,
    }
    missing = [key for key, value in needed.items() if value is None]
    if missing or curve is None or over is None:
        where = f"battery_module '{module.id}'"
        raise InputError(
            Problem(Location(key=f"{where} {key}"), "nothing", "a value", "State it, or give it.") for key in missing
        )
    cells = float(module.cells_series)
    kelvin, ohm = _kelvin(over.temperature_c), np.array(over.resistance_mohm) / 1000.0
    inverse = 1.0 / kelvin - 1.0 / REFERENCE_TEMPERATURE
    activation, at_reference = np.polyfit(inverse, np.log(ohm), 1) if ohm.size > 1 else (0.0, np.log(ohm[0]))
    given: dict[str, Numbers] = {
        "capacity_ah": module.capacity_ah or 0.0,
        "voltage_min_v": cells * (limits.cell_voltage_min_v or 0.0),
        "voltage_max_v": cells * (limits.cell_voltage_max_v or 0.0),
        "heat_capacity_j_per_k": heat or 0.0,
        "activation_k": max(float(activation), 0.0),
        "temperature_max_c": limits.discharge_temperature_max_c or 60.0,
        "discharge_current_a": module.electrical.discharge_peak_current_a or 1e6,
        "charge_current_a": module.electrical.charge_peak_current_a or 1e6,
    }
    circuit = simple_circuit(
        open_circuit_voltage_v=cells * np.interp(GRID, curve.soc, curve.voltage_v),
        resistance_ohm=float(np.exp(at_reference)),
    )
    everything = {**given, **changes}
    return pack_parameters(circuit, series=layout.series, strings=layout.strings, **everything)  # type: ignore[arg-type]


def simulate_pack(
    pack: PackParameters,
    *,
    current_a: Numbers | None = None,
    power_kw: Numbers | None = None,
    duration_s: Numbers = 1.0,
    initial_soc: Numbers = 0.9,
    initial_c: Numbers = 25.0,
    history: bool = True,
) -> PackResults:
    """Run packs through their current or power.

    Each step the current stays, and the mean power is the one asked for. The step may be as long as temperature and
    resistances hardly change; the pairs and the split between strings are exact.

    Args:
        pack: the packs.
        current_a: of the pack, discharging positive [A], shape (time,) or (pack, time).
        power_kw: instead of it, at the terminals [kW].
        duration_s: of the steps [s], shape () or (time,).
        initial_soc: state of charge of the modules [-], any shape that broadcasts to (pack, string, series).
        initial_c: their temperature [°C], the same.
        history: whether to keep the traces of modules and strings.

    Raises:
        InputError: both of current and power or neither, a value that is no number or out of its range, or lengths
            that do not match.
    """
    asked = np.atleast_2d(_array(current_a if power_kw is None else _array(power_kw) * 1e3))
    count, (strings, series) = pack.pack_count, pack.modules.shape[2:]
    steps = asked.shape[1]
    shape = (count, strings, series)
    fits = asked.ndim == 2 and asked.shape[0] in (1, count) and steps > 0
    name = "current_a" if power_kw is None else "power_kw"
    _require(
        [
            _exactly_one(current_a, power_kw),
            _range(name, asked if (current_a is None) != (power_kw is None) else 0.0, -1e9, 1e9),
            None if fits else _problem(name, f"shape {asked.shape}", f"(time,) or ({count}, time)"),
            _range("duration_s", duration_s, 1e-3, 1e6),
            _fits("duration_s", duration_s, (steps,)),
            _range("initial_soc", initial_soc, 0.0, 1.0),
            _fits("initial_soc", initial_soc, shape),
            _range("initial_c", initial_c, -100.0, 200.0),
            _fits("initial_c", initial_c, shape),
        ]
    )
    durations = _spread(duration_s, (steps,))
    modules = strings * series
    state = np.zeros((count, COOLING + 1, modules))
    state[:, SOC] = _spread(initial_soc, shape).reshape(count, modules)
    state[:, TEMPERATURE] = state[:, PEAK_TEMPERATURE] = _spread(_kelvin(initial_c), shape).reshape(count, modules)
    state[:, LEAST_VOLTAGE], state[:, MOST_VOLTAGE] = np.inf, -np.inf
    results = np.zeros((count, LIMITED_MODULE + 1))
    pack_trace = np.zeros((count, 2, steps))
    string_trace = np.zeros((count if history else 0, strings, steps))
    module_trace = np.zeros((count if history else 0, 3, steps, modules))
    compiled_kernel()(
        pack.tables, pack.pack, pack.modules.reshape(count, -1, modules), pack.busbars,
        _spread(asked, (count, steps)), power_kw is not None, durations, state, results,
        pack_trace, string_trace, module_trace, np.zeros((6, modules)), np.zeros((3, strings)),
    )  # fmt: skip
    limit = results[:, LIMITER].astype(np.int64)
    ends = np.cumsum(durations)
    where = np.where(limit > 0, results[:, LIMITED_MODULE], -1.0).astype(np.int64)
    at_end = {
        row: state[:, row].reshape(shape)
        for row in (SOC, TEMPERATURE, LEAST_VOLTAGE, MOST_VOLTAGE, PEAK_TEMPERATURE, HEAT, COOLING)
    }
    return PackResults(
        time_s=ends,
        current_a=pack_trace[:, 0],
        voltage_v=pack_trace[:, 1],
        soc=at_end[SOC],
        temperature_c=at_end[TEMPERATURE] - CELSIUS_ZERO_K,
        voltage_min_v=at_end[LEAST_VOLTAGE],
        voltage_max_v=at_end[MOST_VOLTAGE],
        peak_c=at_end[PEAK_TEMPERATURE] - CELSIUS_ZERO_K,
        heat_wh=at_end[HEAT] / J_PER_WH,
        cooling_wh=at_end[COOLING] / J_PER_WH,
        terminals_wh=results[:, TERMINALS] / J_PER_WH,
        cells_wh=results[:, CELLS] / J_PER_WH,
        limited_s=np.where(limit > 0, ends[results[:, LIMITED_STEP].astype(np.int64)], np.inf),
        limit=limit,
        limited_module=np.stack([np.where(where < 0, -1, where // series), np.where(where < 0, -1, where % series)], 1),
        history=_history(string_trace, module_trace, shape) if history else None,
    )


def _history(strings: FloatArray, modules: FloatArray, shape: tuple[int, int, int]) -> PackHistory:
    by_module = np.moveaxis(modules, 2, 3).reshape(shape[0], 3, shape[1], shape[2], -1)
    return PackHistory(strings, by_module[:, 0], by_module[:, 1], by_module[:, 2] - CELSIUS_ZERO_K)


def _array(values: Numbers | None) -> FloatArray:
    return np.asarray(0.0 if values is None else values, dtype=np.float64)


def _kelvin(celsius: Numbers) -> FloatArray:
    return _array(celsius) + CELSIUS_ZERO_K


def _spread(values: Numbers, shape: tuple[int, ...]) -> FloatArray:
    return np.ascontiguousarray(np.broadcast_to(_array(values), shape))


def _problem(key: str, found: str, expected: str) -> Problem:
    return Problem(Location(key=key), found, expected, "Correct the value.")


def _count(key: str, value: int) -> Problem | None:
    return None if 1 <= value <= 1_000_000 else _problem(key, f"{value}", "a whole number from 1")


def _range(key: str, values: Numbers, low: float, high: float) -> Problem | None:
    array = _array(values)
    inside = (array >= low) & (array <= high)  # false for NaN too
    return None if inside.all() else _problem(key, f"{array[~inside].flat[0]:g}", f"{low:g} to {high:g}")


def _fits(key: str, values: Numbers, shape: tuple[int, ...]) -> Problem | None:
    try:
        np.broadcast_to(_array(values), shape)
    except ValueError:
        return _problem(key, f"shape {_array(values).shape}", f"one that broadcasts to {shape}")
    return None


def _tables(circuit: Circuit) -> list[Problem | None]:
    size = circuit.open_circuit_voltage_v.size
    same = circuit.resistance_ohm.shape == (size,) and circuit.pair_resistance_ohm.shape == (2, size)
    found = (
        f"{circuit.open_circuit_voltage_v.shape}, {circuit.resistance_ohm.shape}, {circuit.pair_resistance_ohm.shape}"
    )
    expected = "tables of one length of at least 2: (table,), (table,), (2, table)"
    return [None if same and size >= 2 else _problem("circuit", found, expected)]


def _exactly_one(current: Numbers | None, power: Numbers | None) -> Problem | None:
    if (current is None) != (power is None):
        return None
    found = "neither of current_a and power_kw" if current is None else "both current_a and power_kw"
    return _problem("current_a", found, "exactly one of them")


def _require(problems: list[Problem | None]) -> None:
    found = [problem for problem in problems if problem is not None]
    if found:
        raise InputError(found)
