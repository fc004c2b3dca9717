"""What stands between the grid and the cells: a station, the way into the vehicle, and what cells take.

`current_limits` is the least of all of it for one moment of a charge; `charging` goes through the whole.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kyotsu.sim.battery import current_at_power
from kyotsu.sim.parameters import BatteryParameters, FloatArray, Numbers

# What can limit the current, in the order in which ties go.
CHARGE_LIMITERS = (
    "cell_current", "cell_temperature", "cell_voltage", "pack_current", "inlet_power", "inlet_current",
    "station_power", "station_current", "station_voltage", "booster",
)  # fmt: skip

Adapter = Literal["none", "booster", "bank_switch"]
ADAPTERS = ("none", "booster", "bank_switch")


@dataclass(frozen=True, slots=True, eq=False)
class Station:
    """A direct-current station; scalars or arrays of shape (vehicle,)."""

    power_kw: Numbers
    current_a: Numbers = 500.0
    voltage_min_v: Numbers = 200.0
    voltage_max_v: Numbers = 920.0


@dataclass(frozen=True, slots=True, eq=False)
class Inlet:
    """What stands between a station and the pack; scalars or arrays of shape (vehicle,).

    Attributes:
        power_kw: most that the inlet lets in.
        current_a: most through the inlet, at the station's voltage.
        adapter: for a station whose voltage is too low: `booster` raises it on board, `bank_switch` puts two halves
            of the pack in parallel, `none` cannot charge.
        booster_kw: most power of the booster, on the station's side.
    """

    power_kw: Numbers = 1e6
    current_a: Numbers = 1e6
    adapter: Adapter = "none"
    booster_kw: Numbers = 1e6


@cache
def constants() -> dict[str, Any]:
    """The shipped constants of charging, as in `data/charging.toml`."""
    return tomllib.loads((files("kyotsu.sim") / "data" / "charging.toml").read_text(encoding="utf-8"))


def current_share(soc: FloatArray, temperature_c: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Generic highest charging current of cells over its largest value [-]: by state of charge, and by temperature.

    Both of shape (vehicle,); their product is the share. Figures and origin: `data/charging.toml`.
    """
    over_soc, over_temperature = constants()["current_over_soc"], constants()["current_over_temperature"]
    return (
        np.interp(soc, over_soc["soc"], over_soc["share"]),
        np.interp(temperature_c, over_temperature["temperature_c"], over_temperature["share"]),
    )


def current_limits(
    battery: BatteryParameters,
    given: dict[str, FloatArray],
    adapter: Adapter,
    cell_current: FloatArray,
    by_temperature: FloatArray,
    voltage: FloatArray,
    resistance: FloatArray,
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """The most current under each of `CHARGE_LIMITERS` [A], shape (limiter, vehicle), and whether the voltages meet.

    Args:
        battery: the packs.
        given: what `charging.charge_dc` was given or filled in, by name, each of shape (vehicle,).
        adapter: between station and pack.
        cell_current: the most that the cells take at 25 °C [A].
        by_temperature: what is left of it at the temperature of the cells [-].
        voltage: open circuit [V].
        resistance: of the pack [ohm].
    """
    ohm = np.maximum(resistance, 1e-9)
    boosted, banks = _boosted(battery, given, adapter), _banks(battery, given, adapter)
    unlimited = np.full_like(voltage, 1e9)
    power, amperes = 1e3 * given["station.power_kw"], given["station.current_a"]
    share = np.where(boosted, constants()["chosen"]["booster_efficiency"], 1.0)
    net = -1e3 * given["auxiliary_kw"]

    def at_power(watts: FloatArray) -> FloatArray:
        return -current_at_power(voltage, resistance, -np.maximum(share * (watts + net), 0.0))

    def at_current(ampere: FloatArray) -> FloatArray:
        boost_input = np.minimum(given["station.voltage_max_v"], constants()["chosen"]["booster_input_v"])
        return np.where(boosted, at_power(boost_input * ampere), ampere / banks)

    station_voltage = (banks * given["station.voltage_max_v"] - voltage) / ohm
    most = np.stack(
        [
            cell_current,
            np.where(by_temperature < 1.0, cell_current * by_temperature, unlimited),
            (battery.voltage_maximum - voltage) / ohm,
            battery.charge_current,
            at_power(1e3 * given["inlet.power_kw"]),
            at_current(given["inlet.current_a"]),
            at_power(power),
            at_current(amperes),
            np.where(boosted, unlimited, station_voltage),
            np.where(boosted, at_power(1e3 * given["inlet.booster_kw"]), unlimited),
        ]
    )
    too_low = ~boosted & (voltage < banks * given["station.voltage_min_v"])
    most[CHARGE_LIMITERS.index("station_voltage")] = np.where(
        too_low, 0.0, most[CHARGE_LIMITERS.index("station_voltage")]
    )
    return most, boosted | (~too_low & (station_voltage > 0.0))


def _too_high(battery: BatteryParameters, given: dict[str, FloatArray]) -> npt.NDArray[np.bool_]:
    return battery.voltage_maximum > given["station.voltage_max_v"]


def _boosted(battery: BatteryParameters, given: dict[str, FloatArray], adapter: Adapter) -> npt.NDArray[np.bool_]:
    return _too_high(battery, given) & (adapter == "booster")


def _banks(battery: BatteryParameters, given: dict[str, FloatArray], adapter: Adapter) -> FloatArray:
    """Banks in parallel: the station sees the pack's voltage divided by them, and each gets its part of the current."""
    return np.where(_too_high(battery, given) & (adapter == "bank_switch"), 2.0, 1.0)


def station_side(
    energy: FloatArray, battery: BatteryParameters, given: dict[str, FloatArray], adapter: Adapter
) -> FloatArray:
    """What a station gives for an energy into the terminals, shape (vehicle,)."""
    return energy / np.where(_boosted(battery, given, adapter), constants()["chosen"]["booster_efficiency"], 1.0)
