"""A pack, module by module: modules in series make a string, strings stand in parallel; each has a state of its own.

`pack_parameters` makes packs from numbers, `module_pack` from a battery module of the specification and its layout;
`pack_simulation.simulate_pack` runs them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.battery import REFERENCE_TEMPERATURE
from kyotsu.sim.circuit import PAIRS, Circuit, simple_circuit
from kyotsu.sim.parameters import FloatArray, Numbers
from kyotsu.sim.quantities import Quantity, spread, wrong
from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.layout import Layout
from kyotsu.units import CELSIUS_ZERO_K

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
    counts = {"series": series, "strings": strings, "packs": packs}
    few = [wrong(name, f"{count}", "a whole number from 1") for name, count in counts.items() if count < 1]
    pack = (max(packs, 1),)
    branch = (*pack, max(strings, 1))
    each = (*branch, max(series, 1))
    given = spread(
        {
            "resistance_factor": Quantity(resistance_factor, 1e-3, 1e3, each),
            "capacity_ah": Quantity(capacity_ah, 1e-3, 1e6, each),
            "heat_capacity_j_per_k": Quantity(heat_capacity_j_per_k, 1e-3, 1e9, each),
            "conductance_w_per_k": Quantity(conductance_w_per_k, 0.0, 1e6, each),
            "coolant_c": Quantity(coolant_c, -100.0, 200.0, each),
            "string_resistance_ohm": Quantity(string_resistance_ohm, 0.0, 1e3, branch),
            "activation_k": Quantity(activation_k, 0.0, 2e4, pack),
            "voltage_min_v": Quantity(voltage_min_v, 0.0, 1e4, pack),
            "voltage_max_v": Quantity(voltage_max_v, 1e-3, 1e4, pack),
            "temperature_max_c": Quantity(temperature_max_c, -100.0, 1e3, pack),
            "discharge_current_a": Quantity(discharge_current_a, 0.0, 1e9, pack),
            "charge_current_a": Quantity(charge_current_a, 0.0, 1e9, pack),
            **_of_circuit(circuit),
        },
        few,
    )
    table = np.vstack([given["open_circuit_voltage_v"], given["resistance_ohm"], given["pair_resistance_ohm"]])
    table[1] = np.maximum(table[1], 1e-9)  # strings without any resistance have no share of their own
    of_module = [given["resistance_factor"], given["capacity_ah"] * 3600.0, given["heat_capacity_j_per_k"]]
    of_module += [given["conductance_w_per_k"], given["coolant_c"] + CELSIUS_ZERO_K]
    of_pack = [np.full(packs, time) for time in given["pair_time_s"]]
    of_pack += [given["activation_k"], given["voltage_min_v"], given["voltage_max_v"]]
    of_pack += [given["temperature_max_c"] + CELSIUS_ZERO_K, given["discharge_current_a"], given["charge_current_a"]]
    return PackParameters(
        np.repeat(table[None], packs, axis=0),
        np.stack(of_pack, axis=1),
        np.stack(of_module, axis=1),
        given["string_resistance_ohm"],
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
    kelvin, ohm = np.array(over.temperature_c) + CELSIUS_ZERO_K, np.array(over.resistance_mohm) / 1000.0
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


def _of_circuit(circuit: Circuit) -> dict[str, Quantity]:
    table = (max(circuit.open_circuit_voltage_v.size, 2),)
    return {
        "open_circuit_voltage_v": Quantity(circuit.open_circuit_voltage_v, 0.0, 1e4, table),
        "resistance_ohm": Quantity(circuit.resistance_ohm, 0.0, 1e3, table),
        "pair_resistance_ohm": Quantity(circuit.pair_resistance_ohm, 0.0, 1e3, (PAIRS, *table)),
        "pair_time_s": Quantity(circuit.pair_time_s, 1e-3, 1e7, (PAIRS,)),
    }
