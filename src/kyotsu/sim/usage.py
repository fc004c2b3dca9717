"""A year of use: state of charge, battery temperature, energy from the wall, charging stops; and what ages.

    UsageProfile + VehicleParameters -> use() -> Use -> aged() -> Ageing

The year is of 52 weeks and stepped from event to event: drive, stop for a DC charge where the charge would not last,
stand, plug in. Energy is counted in the cells, and none is lost: what was stored is what was consumed and what is
left. Consumption on a trip comes from the vehicle on its cycles, at the air temperature if a table over it is given.

Not modelled: use while parked, preconditioning, heat of driving and charging in the battery, charging that slows
towards full. The parked battery follows the air with a time constant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Problem
from kyotsu.sim.ageing import DAYS_PER_YEAR, Ageing, age
from kyotsu.sim.ageing_model import AgeingModel
from kyotsu.sim.battery import relaxed
from kyotsu.sim.cycles import load_cycle
from kyotsu.sim.parameters import BatteryParameters, FloatArray, Numbers, VehicleParameters
from kyotsu.sim.simulate import Results, simulate
from kyotsu.sim.usage_profile import HOUR, AirYear, Charging, Trip, UsageProfile, problem
from kyotsu.units import J_PER_KWH

ConsumptionLaw = Callable[[str, float], FloatArray]  # cycle, air temperature [degC] -> cells [Wh/km], shape (vehicle,)

WEEK = 168.0 * HOUR
MOST_STOPS = 30  # on one trip
NOTHING = 1e-9  # kWh
ENERGY_NODES = 1025
WINDOW_LIMIT = 28.0  # days from charge to charge that ageing looks at


class UsageFlag(IntFlag):
    """What is to be known about a vehicle's year; 0 is a year that went as planned."""

    STRANDED = 1  # a trip was given up: not even charging stops make it possible
    LATE = 2  # a trip began after its time, for the one before was not over
    NO_CONSUMPTION = 4  # a consumption that is no number above 0; such trips count as free


class ConsumptionTable(NamedTuple):
    """Consumption over air temperature, linear between its nodes and constant outside; a `ConsumptionLaw`."""

    ambient_c: FloatArray  # degC, shape (node,), rising
    wh_per_km: Mapping[str, FloatArray]  # of the cells, by cycle, shape (vehicle, node)

    @classmethod
    def of(cls, ambient_c: Sequence[float], drive: Callable[[float], Results]) -> ConsumptionTable:
        """The table of what `drive` gives at each temperature.

        `ConsumptionTable.of((-10, 0, 20, 35), lambda c: simulate_batch(cars, usage.cycles, climate=Climate(c)))`.
        """
        driven = [drive(ambient) for ambient in ambient_c]
        values = np.stack([results.consumption_dc_wh_per_km for results in driven], axis=-1)
        return cls(
            np.asarray(ambient_c, dtype=np.float64),
            {name: values[:, column] for column, name in enumerate(driven[0].cycles)},
        )

    def __call__(self, cycle: str, ambient_c: float) -> FloatArray:
        """Consumption on a cycle [Wh/km], shape (vehicle,)."""
        place = np.interp(ambient_c, self.ambient_c, np.arange(self.ambient_c.size))
        below = min(int(place), self.ambient_c.size - 2) if self.ambient_c.size > 1 else 0
        above = min(below + 1, self.ambient_c.size - 1)
        values = self.wh_per_km[cycle]
        return np.asarray(values[:, below] + (place - below) * (values[:, above] - values[:, below]))


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """A year of use, of `weeks` weeks; sums of shape (vehicle,), energies in the cells but for the wall's.

    stored_ac + stored_dc = consumed + stored_change.

    Attributes:
        time_s: since Monday 0:00, shape (sample,).
        soc: state of charge [-], shape (vehicle, sample).
        battery_c: temperature of the battery [degC], shape (vehicle, sample).
        weeks: simulated.
        years: of service, as the profile says [years].
        distance_km: driven.
        consumed_kwh: out of the cells.
        stored_ac_kwh: into the cells by AC charging.
        stored_dc_kwh: into the cells by DC charging.
        stored_change_kwh: at the end less at the begin.
        wall_kwh: from AC outlets and DC stations.
        ac_sessions: times of AC charging.
        dc_sessions: times of DC charging.
        trip_stops: those of `dc_sessions` that a trip needed.
        least_soc: lowest state of charge [-].
        flags: of `UsageFlag`.
    """

    time_s: FloatArray
    soc: FloatArray
    battery_c: FloatArray
    weeks: int
    years: float
    distance_km: FloatArray
    consumed_kwh: FloatArray
    stored_ac_kwh: FloatArray
    stored_dc_kwh: FloatArray
    stored_change_kwh: FloatArray
    wall_kwh: FloatArray
    ac_sessions: FloatArray
    dc_sessions: FloatArray
    trip_stops: FloatArray
    least_soc: FloatArray
    flags: npt.NDArray[np.int64]

    @property
    def per_year(self) -> float:
        """What makes a sum one of a year of 365.25 days [-]."""
        return DAYS_PER_YEAR / (7.0 * self.weeks)

    @property
    def yearly_wall_kwh(self) -> FloatArray:
        """Energy from the wall in a year [kWh], shape (vehicle,)."""
        return self.wall_kwh * self.per_year

    @property
    def yearly_distance_km(self) -> FloatArray:
        """Distance in a year [km], shape (vehicle,)."""
        return self.distance_km * self.per_year

    @property
    def dc_share(self) -> FloatArray:
        """Share of the stored energy that DC stations gave [-], shape (vehicle,); 0 where nothing was stored."""
        stored = self.stored_ac_kwh + self.stored_dc_kwh
        return np.where(stored > NOTHING, self.stored_dc_kwh / np.maximum(stored, NOTHING), 0.0)

    @property
    def days_per_session(self) -> FloatArray:
        """Mean time from charge to charge [days], shape (vehicle,); the whole time where there was none."""
        return 7.0 * self.weeks / np.maximum(self.ac_sessions + self.dc_sessions, 1.0)

    def __repr__(self) -> str:
        mean = f"{self.yearly_distance_km.mean():.0f} km and {self.yearly_wall_kwh.mean():.0f} kWh a year"
        return f"Use({self.wall_kwh.size} vehicles; mean {mean}, DC share {self.dc_share.mean():.2f})"


def use(
    profile: UsageProfile,
    vehicles: VehicleParameters,
    *,
    consumption: ConsumptionLaw | None = None,
    weeks: int = 52,
    step_s: float = 900.0,
    initial_soc: float | None = None,
    battery_time_constant_h: Numbers = 12.0,
) -> Use:
    """Use vehicles for a year as a profile says.

    Args:
        profile: trips, habits, air.
        vehicles: shape (vehicle,).
        consumption: of the cells on a cycle at an air temperature, asked once for each trip of the year; by default
            `simulate` on the profile's cycles, alike at every temperature. See `ConsumptionTable`.
        weeks: how many, from the first Monday of the year; fewer than 52 do not see all seasons.
        step_s: between samples of the result [s]; sums do not depend on it. Ageing sees what samples show: by the hour
            it misses an eighth of the default usage's throughput, by the quarter of an hour a fortieth.
        initial_soc: on the first Monday [-]; by default the target of AC charging.
        battery_time_constant_h: of the parked battery towards the air [h], shape () or (vehicle,); 12 is our
            assumption, for a pack of some 500 kg that loses some 12 W/K.

    Returns:
        The year. What cannot be done is flagged, nothing raises after the checks.

    Raises:
        InputError: an argument is out of its range.
    """
    _check(weeks, step_s, initial_soc, battery_time_constant_h, vehicles.vehicle_count)
    law = consumption or _driven(vehicles, profile.cycles)
    year = _Year(profile, vehicles, weeks, initial_soc)
    starts = [(week * WEEK + start, trip) for week in range(weeks) for start, trip in profile.week()]
    ambient = profile.air.temperature_c(np.array([start for start, _ in starts]))
    hours = {id(trip): _driving_time(trip) for _, trip in profile.week()}
    place = profile.week()[-1][1].destination
    for (start, trip), air in zip(starts, ambient, strict=True):
        year.park(start, place)
        per_km = sum(share * np.asarray(law(name, float(air))) for name, share in trip.mix.items())
        year.drive(start, trip.distance_km, np.asarray(per_km, dtype=np.float64), hours[id(trip)])
        place = trip.destination
    year.park(weeks * WEEK, place)
    time = np.linspace(0.0, weeks * WEEK, 1 + max(1, round(weeks * WEEK / step_s)))
    return year.result(time, battery_temperature_c(profile.air, time, battery_time_constant_h, vehicles.vehicle_count))


def aged(used: Use, model: AgeingModel | str, years: float | None = None, *, pack_life_share: Numbers = 1.0) -> Ageing:
    """Age the vehicles' batteries by a year of use that repeats; see `age`.

    Windows last from charge to charge, as the vehicle that charges least does, at most four weeks.

    Args:
        used: of `use`.
        model: of the cells.
        years: how long [years]; by default the profile's years of service.
        pack_life_share: see `age`.

    Raises:
        InputError: as of `age`.
    """
    window = float(np.clip(np.ceil(used.days_per_session.max() - 1e-9), 1.0, min(WINDOW_LIMIT, 7.0 * used.weeks)))
    return age(
        model,
        used.time_s,
        used.soc,
        used.battery_c,
        years=used.years if years is None else years,
        window_days=window,
        pack_life_share=pack_life_share,
    )


def battery_temperature_c(air: AirYear, time_s: FloatArray, time_constant_h: Numbers, vehicles: int) -> FloatArray:
    """Temperature of a battery that follows the air, T' = (T_air − T)/τ [degC], shape (vehicle, sample).

    Args:
        air: over the year.
        time_s: rising, evenly spaced [s], shape (sample,).
        time_constant_h: τ [h], shape () or (vehicle,).
        vehicles: how many.
    """
    constant = np.broadcast_to(np.asarray(time_constant_h, dtype=np.float64) * HOUR, (vehicles,))
    step = time_s[1] - time_s[0]
    before = min(int(np.ceil(6.0 * constant.max() / step)), 4 * time_s.size)
    clock = time_s[0] + step * np.arange(-before, time_s.size)
    ambient = air.temperature_c(clock)
    values = np.empty((clock.size, vehicles))
    values[0] = ambient[0]
    for index in range(1, clock.size):
        goal = 0.5 * (ambient[index] + ambient[index - 1])
        values[index] = relaxed(values[index - 1], goal, step, constant)
    return np.ascontiguousarray(values[before:].T)


def _driven(vehicles: VehicleParameters, cycles: tuple[str, ...]) -> ConsumptionLaw:
    values = dict(zip(cycles, simulate(vehicles, cycles).consumption_dc_wh_per_km.T, strict=True))
    return lambda cycle, _: values[cycle]


def _driving_time(trip: Trip) -> float:
    """Time on the road [s]."""
    cycles = {name: load_cycle(name) for name in trip.mix}
    return sum(
        share * trip.distance_km * cycles[name].duration_s / cycles[name].distance_km
        for name, share in trip.mix.items()
    )


class _Energy:
    """Energy in the cells [kWh] over the state of charge, Q ∫ U_oc dz, shape (vehicle, node)."""

    def __init__(self, battery: BatteryParameters) -> None:
        table = battery.open_circuit_voltage
        fine = np.linspace(0.0, 1.0, ENERGY_NODES)
        voltage = np.array([np.interp(fine, np.linspace(0.0, 1.0, table.shape[1]), row) for row in table])
        mean = 0.5 * (voltage[:, 1:] + voltage[:, :-1])
        moved = np.cumsum(mean, axis=1) * battery.capacity[:, None] / ((ENERGY_NODES - 1) * J_PER_KWH)
        self._nodes = np.concatenate([np.zeros((table.shape[0], 1)), moved], axis=1)
        self._soc = fine

    def at(self, soc: FloatArray) -> FloatArray:
        """Energy [kWh] at a state of charge, shape (vehicle,)."""
        return np.array([np.interp(z, self._soc, row) for z, row in zip(soc, self._nodes, strict=True)])

    def soc(self, energy: FloatArray) -> FloatArray:
        """State of charge [-] of an energy [kWh], shape (vehicle, sample)."""
        return np.array([np.interp(e, row, self._soc) for e, row in zip(energy, self._nodes, strict=True)])


class _Year:
    """Vehicles between two events: where they are in time [s] and energy [kWh], and what added up so far."""

    def __init__(self, profile: UsageProfile, vehicles: VehicleParameters, weeks: int, soc: float | None) -> None:
        habits, battery = profile.charging, vehicles.battery
        count = vehicles.vehicle_count
        self._energy = _Energy(battery)

        def level(share: float) -> FloatArray:
            return self._energy.at(np.clip(np.full(count, share), battery.soc_minimum, battery.soc_maximum))

        self._habits: Charging = habits
        self._target, self._plug_in, self._dc_target = (
            level(share) for share in (habits.target_soc, habits.plug_in_soc, habits.dc_target_soc)
        )
        self._always = habits.plug_in_soc >= 1.0
        self._reserve = np.minimum(level(habits.reserve_soc), 0.999 * np.minimum(self._target, self._dc_target))
        self._ac_efficiency = battery.charge_efficiency
        most = battery.charge_current * battery.open_circuit_voltage.mean(axis=1) / 1e3  # kW
        self._ac_rate = np.minimum(habits.ac_power_kw * battery.charge_efficiency, most) / HOUR  # kW h/s
        self._dc_rate = np.minimum(habits.dc_power_kw * habits.dc_efficiency, most) / HOUR
        self._weeks, self._years = weeks, profile.years
        self.clock = np.zeros(count)
        self.now = self._target.copy() if soc is None else level(soc)
        self._begin = self.now.copy()
        self._times, self._energies = [self.clock], [self.now]
        self._sums = {
            name: np.zeros(count)
            for name in ("distance", "consumed", "ac", "dc", "ac_sessions", "dc_sessions", "stops")
        }
        self._flags = np.zeros(count, dtype=np.int64)

    def park(self, until: float, place: str) -> None:
        """Stand, and charge if that is the habit."""
        wanted = self._always | (self.now <= self._plug_in)
        total = self._sums["ac"] + self._sums["dc"]
        room = np.maximum(self._dc_target - self.now, 0.0)
        behind = self._sums["dc"] + 0.5 * room < self._habits.dc_share * (total + room)
        by_dc = wanted & behind & (room > NOTHING)
        self._charge("dc", np.where(by_dc, room, 0.0), self._dc_rate, until)
        if place in self._habits.places:
            self._wait(until)
            room = np.where(wanted & ~by_dc, np.maximum(self._target - self.now, 0.0), 0.0)
            self._charge("ac", room, self._ac_rate, until)
        self._pass_to(np.maximum(self.clock, until))

    def _wait(self, until: float) -> None:
        """Stand until the hour at which charging begins, if it comes before the car is needed."""
        hour = self._habits.start_h
        if hour is not None:
            day = 24.0 * HOUR
            start = self.clock + (hour * HOUR - self.clock) % day
            self._pass_to(np.where(start < until, start, self.clock))

    def _charge(self, kind: str, room: FloatArray, rate: FloatArray, until: float) -> None:
        duration = np.minimum(room / rate, np.maximum(until - self.clock, 0.0))
        stored = rate * duration
        self._sums[kind] += stored
        self._sums[f"{kind}_sessions"] += stored > NOTHING
        self.now = self.now + stored
        self._pass_to(self.clock + duration)

    def drive(self, start: float, distance_km: float, per_km: FloatArray, duration: float) -> None:
        """Make a trip, with DC stops where the charge would not last."""
        sound = np.isfinite(per_km) & (per_km > 0.0)
        need = np.where(sound, per_km, 0.0) * distance_km / 1e3
        self._flags |= np.where(sound, 0, int(UsageFlag.NO_CONSUMPTION))
        self._flags |= np.where(self.clock > start + 1.0, int(UsageFlag.LATE), 0)
        pace = duration / np.maximum(need, NOTHING)  # s/kWh
        left = need
        for stop in range(MOST_STOPS + 1):
            leg = np.minimum(left, np.maximum(self.now - self._reserve, 0.0))
            left = left - leg
            self.now = self.now - leg
            self._sums["consumed"] += leg
            self._pass_to(self.clock + np.where(sound, pace * leg, duration if stop == 0 else 0.0))
            short = left > NOTHING
            if not short.any() or stop == MOST_STOPS:
                break
            room = np.minimum(self._dc_target - self.now, self._reserve + left - self.now)
            self._sums["stops"] += short & (room > NOTHING)
            self._charge("dc", np.where(short, np.maximum(room, 0.0), 0.0), self._dc_rate, np.inf)
        self._flags |= np.where(left > NOTHING, int(UsageFlag.STRANDED), 0)
        self._sums["distance"] += distance_km * np.where(sound, 1.0 - left / np.maximum(need, NOTHING), 1.0)

    def _pass_to(self, clock: FloatArray) -> None:
        self.clock = clock
        self._times.append(clock)
        self._energies.append(self.now)

    def result(self, time: FloatArray, battery_c: FloatArray) -> Use:
        """The year, sampled at times [s]."""
        times, energies = np.stack(self._times, axis=1), np.stack(self._energies, axis=1)
        sampled = np.array([np.interp(time, t, e) for t, e in zip(times, energies, strict=True)])
        sums = self._sums
        return Use(
            time,
            self._energy.soc(sampled),
            battery_c,
            self._weeks,
            self._years,
            sums["distance"],
            sums["consumed"],
            sums["ac"],
            sums["dc"],
            self.now - self._begin,
            sums["ac"] / self._ac_efficiency + sums["dc"] / self._habits.dc_efficiency,
            sums["ac_sessions"],
            sums["dc_sessions"],
            sums["stops"],
            self._energy.soc(energies).min(axis=1),
            self._flags,
        )


def _check(weeks: int, step_s: float, initial_soc: float | None, constant_h: Numbers, vehicles: int) -> None:
    constant = np.atleast_1d(np.asarray(constant_h, dtype=np.float64))
    problems: list[Problem] = []
    if vehicles < 1:
        problems.append(problem("vehicles", "an empty batch", "at least one vehicle", "Add one."))
    if not 1 <= weeks <= 520:
        problems.append(problem("weeks", f"{weeks}", "1 to 520", "Give a whole number of weeks."))
    if not 10.0 <= step_s <= 24.0 * HOUR:
        problems.append(problem("step_s", f"{step_s:g}", "10 to 86400", "Give seconds between samples."))
    if initial_soc is not None and not 0.0 <= initial_soc <= 1.0:
        problems.append(problem("initial_soc", f"{initial_soc:g}", "0 to 1", "Give a share of capacity."))
    if constant.size not in (1, vehicles) or not ((constant >= 0.01) & (constant <= 1000.0)).all():
        found = f"{constant.min():g} to {constant.max():g}, {constant.size} of them"
        expected = f"0.01 to 1000 h, one or {vehicles}"
        problems.append(problem("battery_time_constant_h", found, expected, "Correct the value or its unit."))
    if problems:
        raise InputError(problems)
