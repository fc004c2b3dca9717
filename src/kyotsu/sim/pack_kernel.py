"""The compiled pack: in which order the steps of `circuit` are taken over modules, strings and packs.

The physics stands in `circuit` and `battery`; `lane` compiles those functions as they are. Each step goes over a
pack's modules twice: first what source each of them is, which gives the currents of the strings; then what the
current does to each of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from kyotsu.sim import battery, circuit, lane
from kyotsu.sim.battery import arrhenius, current_at_power, table_place
from kyotsu.sim.circuit import (
    Elements,
    Memory,
    approached,
    fading,
    heat_of,
    kelvin_per_watt,
    loaded_voltage,
    source_resistance,
    source_voltage,
)
from kyotsu.sim.kernel import line

# Limits of a module, in the order in which they are looked at; `POWER` is the pack's own.
LIMITS = ("none", "voltage_min", "voltage_max", "temperature_max", "discharge_current", "charge_current", "power")
NONE, VOLTAGE_MIN, VOLTAGE_MAX, TEMPERATURE_MAX, DISCHARGE_CURRENT, CHARGE_CURRENT, POWER = range(len(LIMITS))

# Columns of the arrays that the kernel is given, see `pack.PackParameters`.
RESISTANCE_FACTOR, CAPACITY, HEAT_CAPACITY, CONDUCTANCE, COOLANT = range(5)  # of a module
FAST_TIME, SLOW_TIME, ACTIVATION, LOWEST, HIGHEST, HOTTEST, DISCHARGE, CHARGE = range(8)  # of a pack
SOC, FAST_CURRENT, SLOW_CURRENT, TEMPERATURE, LEAST_VOLTAGE, MOST_VOLTAGE, PEAK_TEMPERATURE, HEAT, COOLING = range(9)
TERMINALS, CELLS, LIMITER, LIMITED_STEP, LIMITED_MODULE = range(5)  # results of a pack
VOLTAGE, SLOPE, R0, R1, R2, WARMING, PER_AMPERE, LOW, HIGH, AT_TEMPERATURE, LINES = range(11)  # scratch of a module
SCRATCH = LINES + 8  # `LINES` holds value at 0 and slope of U_oc, R_0, R_1 and R_2
E, R, CURRENT = range(3)  # scratch of a string
TRACE_VOLTAGE, TRACE_SOC, TRACE_TEMPERATURE = range(3)  # traces of a module


SAME_TEMPERATURE = 0.01  # K; at 3000 K of activation a resistance changes by 0.03 % over it
BEYOND = 1e9  # -, past every state of charge


@lru_cache
def compiled_kernel() -> Callable[..., None]:
    """`run_packs` as machine code that releases the GIL."""
    return lane.compiled(
        run_packs,
        (look_up, lay_lines, line, elements, memory, split, advance, passed, find_limit),
        (battery, circuit),
        "float64",
        text=TEXT,
        called=("find_limit", "lay_lines"),
    )


TEXT = lane.source_text((battery, circuit, lane, sys.modules[__name__]))


def run_packs(
    tables: Any,
    packs: Any,
    modules: Any,
    busbars: Any,
    asked: Any,
    by_power: bool,
    durations: Any,
    state: Any,
    results: Any,
    pack_trace: Any,
    string_trace: Any,
    module_trace: Any,
    places: Any,
    strings: Any,
) -> None:
    """Run every pack through its currents or powers.

    Args:
        tables: U_oc, R_0, R_1, R_2 of a module, shape (pack, 4, table).
        packs: columns from `FAST_TIME`, shape (pack, 8).
        modules: rows from `RESISTANCE_FACTOR`, shape (pack, 5, module), string by string.
        busbars: resistance of a string beside its modules, shape (pack, string).
        asked: current [A] or power [W], shape (pack, time).
        by_power: which of the two.
        durations: of the steps [s], shape (time,).
        state: rows from `SOC`, shape (pack, 9, module); holds the start and then the end.
        results: columns from `TERMINALS`, shape (pack, 5).
        pack_trace: current and mean voltage, shape (pack, 2, time).
        string_trace: current, shape (pack, string, time), or of length 0.
        module_trace: rows from `TRACE_VOLTAGE`, shape (pack, 3, time, module), or of length 0.
        places: scratch, shape (SCRATCH, module).
        strings: scratch, shape (3, string).
    """
    count, keep = busbars.shape[1], module_trace.shape[0] > 0
    for pack in range(asked.shape[0]):
        one, cells, now = packs[pack], modules[pack], state[pack]
        for module in range(now.shape[1]):
            places[LOW, module], places[HIGH, module] = BEYOND, -BEYOND
        last_duration = 0.0 * one[FAST_TIME]
        fast, slow = fading(one[FAST_TIME], one[FAST_TIME]), fading(one[SLOW_TIME], one[SLOW_TIME])
        for step in range(durations.shape[0]):
            duration = durations[step]
            if duration != last_duration:
                fast, slow, last_duration = fading(duration, one[FAST_TIME]), fading(duration, one[SLOW_TIME]), duration
                for module in range(now.shape[1]):
                    places[PER_AMPERE, module] = duration / cells[CAPACITY, module]
                    places[WARMING, module] = kelvin_per_watt(
                        duration, cells[HEAT_CAPACITY, module], cells[CONDUCTANCE, module]
                    )
            look_up(tables[pack], one, cells, now, places)
            wanted = asked[pack, step]
            closed = results[pack, LIMITER] == NONE
            lacking = split(now, busbars[pack], places, strings, wanted, by_power, closed, duration, fast, slow)
            if closed and lacking:
                results[pack, LIMITER], results[pack, LIMITED_STEP], results[pack, LIMITED_MODULE] = POWER, step, -1
            advance(cells, now, places, strings, duration, fast, slow, results[pack])
            total = 0.0
            for string in range(count):
                total += strings[CURRENT, string]
            mean = strings[E, 0] - strings[R, 0] * strings[CURRENT, 0]
            results[pack, TERMINALS] += mean * total * duration
            pack_trace[pack, 0, step], pack_trace[pack, 1, step] = total, mean
            if results[pack, LIMITER] == NONE and passed(one, now, places, strings):
                find_limit(one, now, places, strings, results[pack], step)
            if keep:
                for string in range(count):
                    string_trace[pack, string, step] = strings[CURRENT, string]
                for module in range(now.shape[1]):
                    module_trace[pack, TRACE_VOLTAGE, step, module] = places[VOLTAGE, module]
                    module_trace[pack, TRACE_SOC, step, module] = now[SOC, module]
                    module_trace[pack, TRACE_TEMPERATURE, step, module] = now[TEMPERATURE, module]


def look_up(tables: Any, one: Any, cells: Any, now: Any, places: Any) -> None:
    """The elements of each module's circuit at its state of charge and temperature.

    A table is a straight line between two entries, so it is read again only where a module has left them, or where
    its temperature has moved by `SAME_TEMPERATURE`.
    """
    for module in range(now.shape[1]):
        soc, temperature = now[SOC, module], now[TEMPERATURE, module]
        inside = (soc >= places[LOW, module]) & (soc <= places[HIGH, module])
        if not (inside & (abs(temperature - places[AT_TEMPERATURE, module]) <= SAME_TEMPERATURE)):
            lay_lines(tables, one, cells[RESISTANCE_FACTOR, module], soc, temperature, places, module)
    for module in range(now.shape[1]):
        soc = now[SOC, module]
        places[VOLTAGE, module] = places[LINES, module] + soc * places[LINES + 1, module]
        places[SLOPE, module] = places[LINES + 1, module]
        places[R0, module] = places[LINES + 2, module] + soc * places[LINES + 3, module]
        places[R1, module] = places[LINES + 4, module] + soc * places[LINES + 5, module]
        places[R2, module] = places[LINES + 6, module] + soc * places[LINES + 7, module]


def lay_lines(tables: Any, one: Any, factor: Any, soc: Any, temperature: Any, places: Any, module: int) -> None:
    """Straight lines of one module's circuit around its state of charge; beyond the tables' ends their last one."""
    last = tables.shape[1] - 1.0
    below, _ = table_place(soc, last)
    places[LOW, module] = lane.where(below > 0.0, below / last, -BEYOND)
    places[HIGH, module] = lane.where(below < last - 1.0, (below + 1.0) / last, BEYOND)
    places[AT_TEMPERATURE, module] = temperature
    places[LINES, module], places[LINES + 1, module] = line(tables[0], below, last)
    scale = factor * arrhenius(one[ACTIVATION], temperature)
    for row in range(1, 4):
        value, slope = line(tables[row], below, last)
        places[LINES + 2 * row, module], places[LINES + 2 * row + 1, module] = scale * value, scale * slope


def elements(places: Any, module: int) -> Elements:
    """The circuit of one module."""
    return Elements(
        places[VOLTAGE, module], places[SLOPE, module], places[R0, module], places[R1, module], places[R2, module]
    )


def memory(now: Any, module: int) -> Memory:
    """The state of one module."""
    return Memory(now[SOC, module], now[FAST_CURRENT, module], now[SLOW_CURRENT, module], now[TEMPERATURE, module])


def split(
    now: Any,
    busbars: Any,
    places: Any,
    strings: Any,
    wanted: Any,
    by_power: bool,
    closed: bool,
    duration: Any,
    fast: Any,
    slow: Any,
) -> Any:
    """The current of each string, and whether the pack cannot give the power that is wanted.

    All strings have one voltage, U = E_s − R_s I_s, and the currents add up. So the pack is a source too, of
    E = Σ(E_s/R_s)/Σ(1/R_s) and R = 1/Σ(1/R_s), and I_s = (E_s − E + R I)/R_s.
    """
    count = busbars.shape[0]
    series = now.shape[1] // count
    conductance, short_circuit = 0.0 * duration, 0.0 * duration
    for string in range(count):
        voltage, resistance = 0.0 * duration, busbars[string]
        for module in range(string * series, (string + 1) * series):
            part = elements(places, module)
            voltage += source_voltage(part, memory(now, module), fast, slow)
            resistance += source_resistance(part, places[PER_AMPERE, module], fast, slow)
        strings[E, string], strings[R, string] = voltage, resistance
        conductance += 1.0 / resistance
        short_circuit += voltage / resistance
    whole, inner = short_circuit / conductance, 1.0 / conductance
    lacking = by_power and 4.0 * inner * wanted > whole * whole
    current = 0.0 * duration
    if closed and not lacking:
        current = current_at_power(whole, inner, wanted) if by_power else wanted
    for string in range(count):
        strings[CURRENT, string] = (strings[E, string] - whole + inner * current) / strings[R, string]
    return lacking


def advance(cells: Any, now: Any, places: Any, strings: Any, duration: Any, fast: Any, slow: Any, results: Any) -> None:
    """Take the step; the scratch for the open-circuit voltage then holds the voltage at its end."""
    count = strings.shape[1]
    series = now.shape[1] // count
    for string in range(count):
        current = strings[CURRENT, string]
        from_cells = 0.0
        for module in range(string * series, (string + 1) * series):
            part, before = elements(places, module), memory(now, module)
            charged = -current * places[PER_AMPERE, module]
            heat = heat_of(part, before, current, fast, slow)
            out = cells[CONDUCTANCE, module] * (before.temperature - cells[COOLANT, module])
            after = Memory(
                before.soc + charged,
                approached(before.pair_current, current, fast.left),
                approached(before.slow_current, current, slow.left),
                before.temperature + (heat - out) * places[WARMING, module],
            )
            from_cells += (part.voltage + 0.5 * part.slope * charged) * current
            voltage = loaded_voltage(part, charged, after, current)
            now[SOC, module], now[TEMPERATURE, module] = after.soc, after.temperature
            now[FAST_CURRENT, module], now[SLOW_CURRENT, module] = after.pair_current, after.slow_current
            now[LEAST_VOLTAGE, module] = min(now[LEAST_VOLTAGE, module], voltage)
            now[MOST_VOLTAGE, module] = max(now[MOST_VOLTAGE, module], voltage)
            now[PEAK_TEMPERATURE, module] = max(now[PEAK_TEMPERATURE, module], after.temperature)
            now[HEAT, module] += heat * duration
            stored = cells[HEAT_CAPACITY, module] * (after.temperature - before.temperature)
            now[COOLING, module] += heat * duration - stored
            places[VOLTAGE, module] = voltage
        results[CELLS] += from_cells * duration


def passed(one: Any, now: Any, places: Any, strings: Any) -> Any:
    """Whether any module has passed a limit: `find_limit` says which, this one says it fast."""
    beyond = 0.0 * now[SOC, 0]
    for module in range(now.shape[1]):
        voltage, soc = places[VOLTAGE, module], now[SOC, module]
        low = lane.maximum(one[LOWEST] - voltage, -soc)
        high = lane.maximum(voltage - one[HIGHEST], soc - 1.0)
        hot = now[TEMPERATURE, module] - one[HOTTEST]
        beyond = lane.maximum(beyond, lane.maximum(hot, lane.maximum(low, high)))
    for string in range(strings.shape[1]):
        current = strings[CURRENT, string]
        beyond = lane.maximum(beyond, lane.maximum(current - one[DISCHARGE], -current - one[CHARGE]))
    return beyond > 0.0


def find_limit(one: Any, now: Any, places: Any, strings: Any, results: Any, step: int) -> None:
    """Note the first limit that a module has passed at the end of a step."""
    series = now.shape[1] // strings.shape[1]
    for module in range(now.shape[1]):
        voltage, current = places[VOLTAGE, module], strings[CURRENT, module // series]
        code = NONE
        if voltage < one[LOWEST] or now[SOC, module] < 0.0:
            code = VOLTAGE_MIN
        elif voltage > one[HIGHEST] or now[SOC, module] > 1.0:
            code = VOLTAGE_MAX
        elif now[TEMPERATURE, module] > one[HOTTEST]:
            code = TEMPERATURE_MAX
        elif current > one[DISCHARGE]:
            code = DISCHARGE_CURRENT
        elif -current > one[CHARGE]:
            code = CHARGE_CURRENT
        if code != NONE:
            results[LIMITER], results[LIMITED_STEP], results[LIMITED_MODULE] = code, step, module
            return
