"""Air, sun and cabin: in what climate vehicles drive, and how warm they are.

In: a `Climate`, and temperatures at the start if they are not those of a soak. Out: `Weather` and `Inside` for
`thermal`, one entry per vehicle; and from what added up during a drive a `HeatLedger` and `Temperatures` in the units
that people read. `parked` lets vehicles stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.parameters import VehicleParameters, idle, map_arrays
from kyotsu.sim.thermal import Inside, Weather, heat_stored, part_after, response_of
from kyotsu.sim.thermal_parameters import NO_DRIVE_THERMAL, DriveThermal, FloatArray
from kyotsu.units import CELSIUS_ZERO_K, J_PER_WH

ROAD_LOAD_TEMPERATURE = 293.15  # K, that coast-downs are corrected to; SAE J1263, UN GTR 15 annex 4
ROLLING_PER_KELVIN = 8.6e-3  # 1/K, correction of rolling resistance; K0 of UN GTR 15 annex 4, made for 5 to 35 degC
LEAST_COP = 1.0  # -, of heating: a heat pump in great cold helps itself with a resistance
LIMITS = {
    "ambient_c": (-60.0, 60.0),
    "soak_c": (-60.0, 80.0),
    "cabin_c": (-60.0, 60.0),
    "solar_w": (0.0, 10_000.0),
}


@dataclass(frozen=True, slots=True)
class Climate:
    """Weather and what the driver makes of it.

    Attributes:
        ambient_c: air temperature [degC].
        soak_c: temperature of all parts at the start [degC]; by default that of the air.
        cabin_c: what the cabin is heated or cooled to [degC].
        solar_w: heat of the sun into the cabin [W].
        hvac: whether the cabin is heated and cooled at all.
        on_road: whether the road load follows the air temperature, as it does on a road and not on a test bench:
            A and B by the rolling resistance of warmer or colder tyres, C by the density of the air. The inverse
            of the correction that coast-downs get (UN GTR 15 annex 4); outside 5 to 35 degC it is extrapolated.

    Raises:
        InputError: a value is not a number or beyond any weather; with every problem.
    """

    ambient_c: float
    soak_c: float | None = None
    cabin_c: float = 22.0
    solar_w: float = 0.0
    hvac: bool = True
    on_road: bool = False

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise InputError(problems)

    @property
    def start_c(self) -> float:
        """Temperature of all parts at the start [degC]."""
        return self.ambient_c if self.soak_c is None else self.soak_c

    def _problems(self) -> Iterator[Problem]:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if value is None and name == "soak_c":
                continue
            number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not (number and low <= value <= high):
                yield Problem(
                    Location(key=f"climate.{name}"), repr(value), f"{low:g} to {high:g}", "Correct the value."
                )
        for name in ("hvac", "on_road"):
            value = getattr(self, name)
            if not isinstance(value, (bool, np.bool_)):
                yield Problem(Location(key=f"climate.{name}"), repr(value), "true or false", "Choose one of the two.")


class Temperatures(NamedTuple):
    """How warm the parts of vehicles are, each of shape (vehicle, cycle); over time (vehicle, time)."""

    battery_c: FloatArray
    front_motor_c: FloatArray
    front_inverter_c: FloatArray
    rear_motor_c: FloatArray
    rear_inverter_c: FloatArray
    cabin_c: FloatArray


class HeatLedger(NamedTuple):
    """Heat over a cycle, each of shape (vehicle, cycle).

    battery loss + drive loss + cabin heat + battery heat + solar = stored + given off.
    """

    hvac_wh: FloatArray  # electrical, of the cabin; part of the auxiliaries
    conditioning_wh: FloatArray  # electrical, of the battery; part of the auxiliaries
    battery_loss_wh: FloatArray
    drive_loss_wh: FloatArray
    cabin_heat_wh: FloatArray  # brought into the cabin, less what was taken out
    battery_heat_wh: FloatArray  # brought into the battery by its heater, less what was taken out
    solar_wh: FloatArray
    stored_wh: FloatArray  # in all parts, from the temperatures before and after
    given_off_wh: FloatArray  # to the ambient air

    def closure(self) -> FloatArray:
        """Heat brought in less where it went, over the heat that moved [-]; 0 is exact."""
        brought = [
            self.battery_loss_wh,
            self.drive_loss_wh,
            self.cabin_heat_wh,
            self.battery_heat_wh,
            self.solar_wh,
        ]
        moved = sum(np.abs(part) for part in brought) + np.abs(self.stored_wh)
        rest = sum(brought) - self.stored_wh - self.given_off_wh
        return np.asarray(rest / np.maximum(moved, 1.0), dtype=np.float64)


class Peaks(NamedTuple):
    """The highest temperatures on a cycle, each of shape (vehicle, cycle)."""

    battery_c: FloatArray
    motor_c: FloatArray  # of the hotter axle
    inverter_c: FloatArray  # of the hotter axle


class Warmth(NamedTuple):
    """What a climate did to vehicles on cycles."""

    heat: HeatLedger
    end: Temperatures
    peak: Peaks


class WarmTotals(NamedTuple):
    """What adds up in a climate over a cycle, in SI; each of shape (row, vehicle, cycle)."""

    heat: FloatArray  # J, rows of `thermal.Heat`
    inside: FloatArray  # rows of `thermal.Inside`, at the end
    peak: FloatArray  # K, rows of `Peaks`


def weather_of(vehicles: VehicleParameters, climate: Climate) -> Weather:
    """What stays the same while vehicles drive in a climate; each of shape (vehicle,).

    The coefficient of performance of heating is a line in the air temperature, from that at 0 degC and not under 1;
    that of cooling one from that at 35 degC.
    """
    cabin = vehicles.thermal.cabin
    one = np.ones(vehicles.vehicle_count)
    on = one * float(climate.hvac)
    heating = np.maximum(cabin.heating_cop + cabin.heating_cop_slope * climate.ambient_c, LEAST_COP)
    cooling = np.maximum(cabin.cooling_cop + cabin.cooling_cop_slope * (climate.ambient_c - 35.0), LEAST_COP)
    return Weather(
        ambient=one * (climate.ambient_c + CELSIUS_ZERO_K),
        solar=one * climate.solar_w,
        cabin_goal=one * (climate.cabin_c + CELSIUS_ZERO_K),
        cabin_heating=on * cabin.heater_power,
        cabin_cooling=on * cabin.cooler_power,
        heating_effort=1.0 / heating,
        cooling_effort=1.0 / cooling,
        blower=on * cabin.blower_power,
    )


def in_climate(vehicles: VehicleParameters, climate: Climate) -> VehicleParameters:
    """The vehicles with the road load of a climate, see `Climate.on_road`; an axle without a drive keeps no heat."""
    front, rear = (
        _without_idle(part, idle(drive))
        for part, drive in ((vehicles.thermal.front, vehicles.front), (vehicles.thermal.rear, vehicles.rear))
    )
    vehicles = vehicles._replace(thermal=vehicles.thermal._replace(front=front, rear=rear))
    if not climate.on_road:
        return vehicles
    ambient = climate.ambient_c + CELSIUS_ZERO_K
    rolling = 1.0 / (1.0 + ROLLING_PER_KELVIN * (ambient - ROAD_LOAD_TEMPERATURE))
    chassis = vehicles.chassis
    return vehicles._replace(
        chassis=chassis._replace(
            road_load_a=chassis.road_load_a * rolling,
            road_load_b=chassis.road_load_b * rolling,
            road_load_c=chassis.road_load_c * ROAD_LOAD_TEMPERATURE / ambient,
        )
    )


def _without_idle(drive: DriveThermal, still: npt.NDArray[np.bool_]) -> DriveThermal:
    return DriveThermal(*(np.where(still, none, value) for none, value in zip(NO_DRIVE_THERMAL, drive, strict=True)))


def starting(vehicles: VehicleParameters, cycles: int, climate: Climate, start: Temperatures | None) -> FloatArray:
    """Rows of `Inside` at the start, shape (row, vehicle, cycle): rested pairs and the temperatures given or soaked.

    Raises:
        InputError: temperatures of another shape, or beyond those of any part.
    """
    shape = (vehicles.vehicle_count, cycles)
    inside = np.zeros((len(Inside._fields), *shape))
    inside[2:] = climate.start_c + CELSIUS_ZERO_K
    if start is None:
        return inside
    problems = []
    for row, (name, given) in enumerate(zip(Temperatures._fields, start, strict=True), 2):
        value = np.asarray(given, dtype=np.float64)
        value = value[:, None] if value.ndim == 1 else value
        try:
            value = np.broadcast_to(value, shape)
        except ValueError:
            found, expected = f"shape {np.shape(given)}", f"{shape[:1]} or {shape}"
            problems.append(Problem(Location(key=f"start.{name}"), found, expected, "One for each vehicle."))
            continue
        wrong = ~((value >= -60.0) & (value <= 300.0))
        if wrong.any():
            found = f"{value[wrong][0]:g}"
            problems.append(Problem(Location(key=f"start.{name}"), found, "-60 to 300 degC", "Correct the value."))
        inside[row] = value + CELSIUS_ZERO_K
    if problems:
        raise InputError(problems)
    return inside


def parked(
    vehicles: VehicleParameters, temperatures: Temperatures, climate: Climate, duration_s: float
) -> Temperatures:
    """Temperatures after standing switched off: everything follows the air, the cabin the sun as well.

    Args:
        vehicles: the vehicles.
        temperatures: before, each of shape (vehicle, cycle) or (vehicle,).
        climate: while standing.
        duration_s: how long [s].
    """
    shaped = [np.asarray(value, dtype=np.float64) for value in temperatures]
    cycles = max((value.shape[1] for value in shaped if value.ndim == 2), default=1)
    before = starting(vehicles, cycles, climate, temperatures)[2:]
    weather = weather_of(vehicles, climate)
    answer = response_of(vehicles, np.full(vehicles.vehicle_count, duration_s))
    after = []
    for name, value in zip(Inside._fields[2:], before, strict=True):
        left, rise = (getattr(answer, f"{name}_{word}")[:, None] for word in ("left", "rise"))
        sun = weather.solar[:, None] if name == "cabin" else 0.0
        after.append(part_after(value, weather.ambient[:, None], np.asarray(sun), left, rise) - CELSIUS_ZERO_K)
    return Temperatures(*after)


def warmth_of(
    vehicles: VehicleParameters,
    totals: WarmTotals,
    begin: FloatArray,
    losses_wh: tuple[FloatArray, FloatArray],
    solar_j: FloatArray,
) -> Warmth:
    """What added up in a climate, in units that people read.

    Args:
        vehicles: the vehicles.
        totals: 0 for vehicles that cannot be driven.
        begin: rows of `Inside` at the start, shape (row, vehicle, cycle); 0 for those vehicles.
        losses_wh: of the battery and of the drives, each of shape (vehicle, cycle).
        solar_j: heat of the sun on each cycle, shape (vehicle, cycle).
    """
    hvac, conditioning, cabin, battery = totals.heat / J_PER_WH
    columns = map_arrays(lambda values: values[:, None], vehicles.thermal)
    stored = heat_stored(columns, Inside(*begin), Inside(*totals.inside)) / J_PER_WH
    stored = np.where(begin[2] > 0.0, stored, 0.0)  # a vehicle that cannot be driven may have no heat capacity
    solar = solar_j / J_PER_WH
    given_off = sum(losses_wh) + cabin + battery + solar - stored
    ledger = HeatLedger(hvac, conditioning, *losses_wh, cabin, battery, solar, stored, given_off)
    end = Temperatures(*(np.where(value > 0.0, value - CELSIUS_ZERO_K, 0.0) for value in totals.inside[2:]))
    peak = Peaks(*(np.where(value > 0.0, value - CELSIUS_ZERO_K, 0.0) for value in totals.peak))
    return Warmth(ledger, end, peak)
