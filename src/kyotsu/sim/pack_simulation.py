"""Run packs through a current or a power, module by module.

In: `PackParameters` and the pack's current or power over time. Out: `PackResults`, arrays with units in their names;
which module met a limit first, and when. From then on the contactors are open: no current leaves the pack, and strings
in parallel go on to balance.

Current is positive when discharging. The equations stand in `circuit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import Problem
from kyotsu.sim.pack import PackParameters
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
    SCRATCH,
    SOC,
    TEMPERATURE,
    TERMINALS,
    compiled_kernel,
)  # fmt: skip
from kyotsu.sim.parameters import FloatArray, Numbers
from kyotsu.sim.quantities import Quantity, spread, wrong
from kyotsu.units import CELSIUS_ZERO_K, J_PER_WH


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
    count, (strings, series) = pack.pack_count, pack.modules.shape[2:]
    shape = (count, strings, series)
    name, value = ("current_a", current_a) if power_kw is None else ("power_kw", power_kw)
    asked = np.asarray(0.0 if value is None else value, dtype=np.float64)
    steps = asked.shape[-1] if asked.ndim else 0
    given = spread(
        {
            name: Quantity(asked, -1e9, 1e9, (count, max(steps, 1))),
            "duration_s": Quantity(duration_s, 1e-3, 1e6, (max(steps, 1),)),
            "initial_soc": Quantity(initial_soc, 0.0, 1.0, shape),
            "initial_c": Quantity(initial_c, -100.0, 200.0, shape),
        },
        [_exactly_one(current_a, power_kw), None if steps else wrong(name, "no steps", "(time,) or (pack, time)")],
    )
    wanted = given[name] if power_kw is None else 1e3 * given[name]
    kelvin = (given["initial_c"] + CELSIUS_ZERO_K).reshape(count, -1)
    durations = given["duration_s"]
    modules = strings * series
    state = np.zeros((count, COOLING + 1, modules))
    state[:, SOC] = given["initial_soc"].reshape(count, modules)
    state[:, TEMPERATURE] = state[:, PEAK_TEMPERATURE] = kelvin
    state[:, LEAST_VOLTAGE], state[:, MOST_VOLTAGE] = np.inf, -np.inf
    results = np.zeros((count, LIMITED_MODULE + 1))
    pack_trace = np.zeros((count, 2, steps))
    string_trace = np.zeros((count if history else 0, strings, steps))
    module_trace = np.zeros((count if history else 0, 3, steps, modules))
    compiled_kernel()(
        pack.tables, pack.pack, pack.modules.reshape(count, -1, modules), pack.busbars,
        wanted, power_kw is not None, durations, state, results,
        pack_trace, string_trace, module_trace, np.zeros((SCRATCH, modules)), np.zeros((3, strings)),
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


def _exactly_one(current: Numbers | None, power: Numbers | None) -> Problem | None:
    if (current is None) != (power is None):
        return None
    found = "neither of current_a and power_kw" if current is None else "both current_a and power_kw"
    return wrong("current_a", found, "exactly one of them")
