"""Charging from one state of charge to another: how long it takes, what it costs, and what limits it when.

At each state of charge the current is the least of what the cells take (over state of charge and temperature), what
keeps the terminals under the highest voltage, and what inlet, station and the way between them give; so a charge at
constant current and then at constant voltage falls out. The cells warm by R I² and are cooled. Vectorised over
vehicles; the step is one of state of charge, so that the time of each follows from its current.

States of charge here are those on the display: 0 and 1 are the ends of the usable window. After the edge nothing
raises: what cannot be charged has a flag, an infinite time, and what it got to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntFlag
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import Problem
from kyotsu.sim.battery import arrhenius, table_value, terminal_power
from kyotsu.sim.parameter_checks import battery_findings, wrong_ones
from kyotsu.sim.parameters import BatteryParameters, FloatArray, Numbers
from kyotsu.sim.quantities import Quantity, spread, wrong
from kyotsu.sim.station import (
    ADAPTERS,
    CHARGE_LIMITERS,
    Adapter,
    Inlet,
    Station,
    constants,
    current_limits,
    current_share,
    station_side,
)
from kyotsu.units import CELSIUS_ZERO_K, J_PER_KWH

STEPS = 200  # of state of charge; twice as many change the time of a fast charge by less than 0.1 %


class ChargeValidity(IntFlag):
    """What is to be known about a charge; 0 is a result without reserve."""

    STATION_VOLTAGE = 1  # the pack's voltage lies outside the station's window from the start
    NOT_REACHED = 2  # the current fell under the cut-off on the way; the time is infinite
    INVALID_PARAMETERS = 4  # all numbers are 0, the time is infinite


class ChargeCurve(NamedTuple):
    """A charge step by step; shape (vehicle, step), in the middle of each step of state of charge."""

    soc: FloatArray  # displayed
    time_s: FloatArray  # at the end of the step
    power_kw: FloatArray  # into the terminals
    current_a: FloatArray
    voltage_v: FloatArray
    battery_c: FloatArray
    limiter: npt.NDArray[np.int64]  # code of `CHARGE_LIMITERS`


@dataclass(frozen=True, slots=True, eq=False)
class Charge:
    """What charging took; arrays of shape (vehicle,).

    Attributes:
        time_s: infinity where the state of charge was not reached.
        energy_kwh: out of the station, or out of the wall.
        battery_kwh: into the pack's terminals.
        heat_kwh: of that, lost in the pack's resistance.
        peak_kw, mean_kw: power into the terminals.
        final_soc: displayed state of charge got to.
        battery_c, peak_c: temperature of the cells at the end, and its highest.
        limited_s: time under each limit, shape (vehicle, limiter), in the order of `CHARGE_LIMITERS`.
        validity: flags of `ChargeValidity`.
        curve: when asked for.
    """

    time_s: FloatArray
    energy_kwh: FloatArray
    battery_kwh: FloatArray
    heat_kwh: FloatArray
    peak_kw: FloatArray
    mean_kw: FloatArray
    final_soc: FloatArray
    battery_c: FloatArray
    peak_c: FloatArray
    limited_s: FloatArray
    validity: npt.NDArray[np.int64]
    curve: ChargeCurve | None = None

    def limiter(self) -> list[str]:
        """The limit that bound longest, for each vehicle; `none` where nothing was charged."""
        return [CHARGE_LIMITERS[int(row.argmax())] if row.any() else "none" for row in self.limited_s]


def charge_dc(
    battery: BatteryParameters,
    station: Station,
    *,
    soc_from: Numbers = 0.1,
    soc_to: Numbers = 0.8,
    battery_c: Numbers = 25.0,
    inlet: Inlet | None = None,
    cell_current_a: Numbers | None = None,
    cell_current_over_soc_a: FloatArray | None = None,
    cooling_kw: Numbers | None = None,
    heat_capacity_j_per_k: Numbers | None = None,
    auxiliary_kw: Numbers | None = None,
    curve: bool = False,
) -> Charge:
    """Charge packs at a direct-current station.

    What is not given is generic, see `data/charging.toml`.

    Args:
        battery: the packs.
        station: what the station gives.
        soc_from, soc_to: displayed state of charge, shape () or (vehicle,).
        battery_c: temperature of the cells at the start, so preconditioned or not [°C].
        inlet: what the vehicle lets in; without it the station alone.
        cell_current_a: largest charging current of the cells, over which `current_share` counts [A of the pack].
        cell_current_over_soc_a: what is stated of it at 25 °C, over a uniform state of charge of the cells from 0 to 1,
            shape (vehicle, table) [A of the pack]; counts instead of `cell_current_a`, but in rows of NaN.
        cooling_kw: most heat that cooling takes from the cells [kW]; 0 for a pack without.
        heat_capacity_j_per_k: of the cells [J/K].
        auxiliary_kw: the vehicle's own use while it charges [kW].
        curve: whether to keep the charge step by step.

    Raises:
        InputError: a value that is no number or out of its range, or lengths that do not match.
    """
    chosen = constants()["chosen"]
    way = inlet or Inlet()
    energy = np.mean(battery.open_circuit_voltage, axis=1) * battery.capacity / J_PER_KWH
    defaults = {
        "cell_current_a": chosen["charge_rate"] * battery.capacity / 3600.0,
        "cooling_kw": chosen["cooling_kw_per_kwh"] * energy,
        "heat_capacity_j_per_k": chosen["heat_capacity_j_per_k_kwh"] * energy,
        "auxiliary_kw": chosen["auxiliary_kw"],
    }
    given = (cell_current_a, cooling_kw, heat_capacity_j_per_k, auxiliary_kw)
    filled = {
        name: default if value is None else value
        for (name, default), value in zip(defaults.items(), given, strict=True)
    }
    ranges: dict[str, tuple[Numbers, float, float]] = {
        "soc_from": (soc_from, 0.0, 1.0),
        "soc_to": (soc_to, 0.0, 1.0),
        "battery_c": (battery_c, -60.0, 100.0),
        "station.power_kw": (station.power_kw, 0.0, 1e5),
        "station.current_a": (station.current_a, 0.0, 1e5),
        "station.voltage_min_v": (station.voltage_min_v, 0.0, 1e4),
        "station.voltage_max_v": (station.voltage_max_v, 0.0, 1e4),
        "inlet.power_kw": (way.power_kw, 0.0, 1e6),
        "inlet.current_a": (way.current_a, 0.0, 1e6),
        "inlet.booster_kw": (way.booster_kw, 0.0, 1e6),
        **{name: (value, 1.0 if name == "heat_capacity_j_per_k" else 0.0, 1e10) for name, value in filled.items()},
    }
    known = way.adapter in ADAPTERS
    stated = None if cell_current_over_soc_a is None else np.asarray(cell_current_over_soc_a, dtype=np.float64)
    values = spread(
        {name: Quantity(*limits, battery.capacity.shape) for name, limits in ranges.items()},
        [
            None if known else wrong("inlet.adapter", repr(way.adapter), ", ".join(ADAPTERS)),
            _wrong_table(stated, battery),
        ],
    )
    return _charge(battery, values, way.adapter, curve, stated)


def charge_ac(
    battery: BatteryParameters,
    power_kw: Numbers,
    *,
    efficiency: Numbers | None = None,
    soc_from: Numbers = 0.1,
    soc_to: Numbers = 0.8,
    battery_c: Numbers = 25.0,
    curve: bool = False,
) -> Charge:
    """Charge packs through their on-board charger.

    Args:
        battery: the packs.
        power_kw: out of the wall [kW], shape () or (vehicle,).
        efficiency: terminals over wall [-]; the pack's own `charge_efficiency` where not given, which counts the loss
            in the cells too, less than 1 % at these powers.
        soc_from, soc_to, battery_c, curve: as for `charge_dc`.

    Raises:
        InputError: as `charge_dc`.
    """
    size = battery.capacity.shape
    share = battery.charge_efficiency if efficiency is None else efficiency
    given = spread({"power_kw": Quantity(power_kw, 0.0, 1e5, size), "efficiency": Quantity(share, 0.01, 1.0, size)})
    station = Station(given["power_kw"] * given["efficiency"], 1e5, 0.0, 1e4)
    done = charge_dc(
        battery, station, soc_from=soc_from, soc_to=soc_to, battery_c=battery_c, auxiliary_kw=0.0, curve=curve
    )
    return replace(done, energy_kwh=done.battery_kwh / given["efficiency"])


def _wrong_table(stated: FloatArray | None, battery: BatteryParameters) -> Problem | None:
    key, count = "cell_current_over_soc_a", battery.capacity.size
    if stated is None:
        return None
    if stated.ndim != 2 or stated.shape[0] != count or stated.shape[1] < 2:
        return wrong(key, f"shape {stated.shape}", f"({count}, 2 or more)")
    known = stated[~np.isnan(stated).all(axis=1)]
    inside = (known >= 0.0) & (known <= 1e10)
    return None if inside.all() else wrong(key, f"{known[~inside].flat[0]:g}", "0 to 1e+10, or a whole row of NaN")


def _charge(
    battery: BatteryParameters,
    given: dict[str, FloatArray],
    adapter: Adapter,
    curve: bool,
    stated: FloatArray | None = None,
) -> Charge:
    chosen = constants()["chosen"]
    count = battery.capacity.size
    lanes, zero = np.arange(count), np.zeros(count)
    invalid = (given["soc_to"] <= given["soc_from"]) | wrong_ones(battery_findings(battery), count)
    window = battery.soc_maximum - battery.soc_minimum
    step = (given["soc_to"] - given["soc_from"]) / STEPS
    temperature, peak_c, time, heat, terminals, peak = given["battery_c"], given["battery_c"], zero, zero, zero, zero
    limited_s = np.zeros((count, len(CHARGE_LIMITERS)))
    going, final = ~invalid, given["soc_from"]
    cutoff = chosen["cutoff_rate"] * battery.capacity / 3600.0
    outside = zero > 0.0
    rows = []
    for number in range(STEPS):
        soc = given["soc_from"] + (number + 0.5) * step
        inside = battery.soc_minimum + soc * window
        voltage = table_value(battery.open_circuit_voltage, inside, lanes)
        factor = arrhenius(np.full(count, chosen["activation_k"]), temperature + CELSIUS_ZERO_K)
        resistance = table_value(battery.resistance, inside, lanes) * factor
        by_soc, by_temperature = current_share(soc, temperature)
        cell_current = given["cell_current_a"] * by_soc
        if stated is not None:
            own = table_value(stated, inside, lanes)
            cell_current = np.where(np.isnan(own), cell_current, own)
        most, reachable = current_limits(battery, given, adapter, cell_current, by_temperature, voltage, resistance)
        limiter = most.argmin(axis=0)
        current = np.maximum(most[limiter, lanes], 0.0)
        if number == 0:
            outside = going & ~reachable
        going = going & (current > cutoff)
        taken = np.where(going, current, 0.0)
        duration = np.where(going, step * window * battery.capacity / np.maximum(current, cutoff), 0.0)
        power, warmth = -terminal_power(voltage, resistance, -taken), resistance * taken**2
        time, heat, terminals = time + duration, heat + warmth * duration, terminals + power * duration
        peak = np.maximum(peak, power)
        final = np.where(going, soc + 0.5 * step, final)
        limited_s[lanes, limiter] += duration
        cooling = 1e3 * given["cooling_kw"] * _cooling_share(temperature)
        temperature = temperature + (warmth - cooling) * duration / given["heat_capacity_j_per_k"]
        peak_c = np.maximum(peak_c, temperature)
        if curve:
            rows.append((soc, time, power / 1e3, taken, voltage + resistance * taken, temperature, limiter))
    energy = terminals / J_PER_KWH
    used = station_side(energy, battery, given, adapter) + given["auxiliary_kw"] * time / 3600.0
    flags = (
        np.where(outside, int(ChargeValidity.STATION_VOLTAGE), 0)
        + np.where(~going & ~invalid, int(ChargeValidity.NOT_REACHED), 0)
        + np.where(invalid, int(ChargeValidity.INVALID_PARAMETERS), 0)
    )
    return Charge(
        time_s=np.where(going, time, np.inf),
        energy_kwh=used,
        battery_kwh=energy,
        heat_kwh=heat / J_PER_KWH,
        peak_kw=peak / 1e3,
        mean_kw=np.where(time > 0.0, terminals / np.maximum(time, 1e-9) / 1e3, 0.0),
        final_soc=final,
        battery_c=temperature,
        peak_c=peak_c,
        limited_s=limited_s,
        validity=flags.astype(np.int64),
        curve=ChargeCurve(*(np.stack(column, axis=1) for column in zip(*rows, strict=True))) if curve else None,
    )


def _cooling_share(temperature: FloatArray) -> FloatArray:
    start, full = constants()["chosen"]["cooling_from_c"], constants()["chosen"]["cooling_full_c"]
    share: FloatArray = np.clip((temperature - start) / (full - start), 0.0, 1.0)
    return share
