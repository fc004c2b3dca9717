"""How a car is used: trips of a week, habits of charging, air over the year. The door for what fleets record.

    default_usage()        a household car in Japan, from `data/usage.toml`
    load_usage(path)       a TOML file of the same form
    make_usage({...})      the same values from Python

All three check alike and say everything that is wrong at once. Values carry their origin as in every record of the
specification, under `sources`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.cycles import CYCLES
from kyotsu.sim.parameters import FloatArray
from kyotsu.spec.document import Document, read_toml
from kyotsu.spec.inheritance import Entry, Place
from kyotsu.spec.record import Fault, Positive, Record, Share, Table, Text, misplaced
from kyotsu.spec.validation import read_record

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YEAR_DAYS = 364.0  # 52 whole weeks: a year that closes
HOUR = 3600.0  # s

Air = Annotated[float, Field(ge=-70.0, le=70.0, strict=True)]  # degC; nobody has measured more
Hour = Annotated[float, Field(ge=0.0, lt=24.0, strict=True)]


class Trip(Table):
    """A trip on certain days of every week.

    Attributes:
        days: weekdays.
        departure_h: time of day at the start [h].
        distance_km: [km].
        mix: share of the distance by name of cycle; the shares add up to 1.
        destination: where the car stands afterwards.
    """

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    departure_h: Hour
    distance_km: Annotated[float, Field(gt=0.0, le=5000.0, strict=True)]
    mix: Annotated[dict[str, Share], Field(min_length=1)]
    destination: Text

    @field_validator("mix")
    @classmethod
    def _shares_add_up(cls, mix: dict[str, float]) -> dict[str, float]:
        known = "one of " + ", ".join(CYCLES)
        faults = [Fault(f"cycle {name!r}", known) for name in mix if name not in CYCLES]
        if abs(sum(mix.values()) - 1.0) > 1e-6:
            faults.append(Fault(f"shares that add up to {sum(mix.values()):g}", "shares that add up to 1"))
        if faults:
            raise misplaced(faults)
        return mix

    @field_validator("days")
    @classmethod
    def _days_once(cls, days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
        if len(set(days)) < len(days):
            raise misplaced([Fault("a day twice", "each day once")])
        return days


class Charging(Table):
    """Habits of charging.

    Attributes:
        places: destinations with an AC outlet.
        target_soc: up to where AC charging goes [-].
        plug_in_soc: the car is plugged in when it arrives with no more than this [-]; 1 is always.
        reserve_soc: drivers stop for a DC charge rather than fall below it [-].
        ac_power_kw: from the wall [kW].
        start_h: time of day when AC charging begins [h]; at arrival by default, and where there is no time left.
        dc_share: share of the energy that habit takes from DC stations [-]; what long trips need comes on top.
        dc_power_kw: from the wall, mean of a stop [kW].
        dc_target_soc: up to where DC charging goes [-].
        dc_efficiency: energy stored per energy from the wall at DC stations [-].
    """

    places: tuple[Text, ...]
    target_soc: Share
    plug_in_soc: Share
    reserve_soc: Share
    ac_power_kw: Positive
    start_h: Hour | None = None
    dc_share: Share = 0.0
    dc_power_kw: Positive = 50.0
    dc_target_soc: Share = 0.8
    dc_efficiency: Annotated[float, Field(gt=0.1, le=1.0, strict=True)] = 0.93

    @model_validator(mode="after")
    def _targets_above_reserve(self) -> Self:
        faults = [
            Fault(f"{name} = {getattr(self, name):g}", f"more than reserve_soc = {self.reserve_soc:g}", (name,))
            for name in ("target_soc", "dc_target_soc")
            if getattr(self, name) <= self.reserve_soc
        ]
        if faults:
            raise misplaced(faults)
        return self


class AirYear(Table):
    """Air temperature over a year: by a mean and two swings, by months, or by hours.

    Attributes:
        mean_c: of the year [degC].
        yearly_swing_k: warmest less coldest day's mean [K].
        daily_swing_k: warmest less coldest hour of a day [K].
        coldest_day: of the year, 1 to 365.
        coldest_h: of the day [h].
        monthly_c: means of the twelve months [degC], in place of mean and yearly swing.
        hourly_c: 8760 hours [degC], in place of all else.
    """

    mean_c: Air | None = None
    yearly_swing_k: Annotated[float, Field(ge=0.0, le=100.0, strict=True)] = 0.0
    daily_swing_k: Annotated[float, Field(ge=0.0, le=60.0, strict=True)] = 0.0
    coldest_day: Annotated[int, Field(ge=1, le=365, strict=True)] = 25
    coldest_h: Hour = 5.0
    monthly_c: Annotated[tuple[Air, ...], Field(min_length=12, max_length=12)] | None = None
    hourly_c: Annotated[tuple[Air, ...], Field(min_length=8760, max_length=8760)] | None = None

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        given = [name for name in ("mean_c", "monthly_c", "hourly_c") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "no temperature"
            raise misplaced([Fault(found, "one of mean_c, monthly_c and hourly_c", ())])
        return self

    def temperature_c(self, time_s: FloatArray) -> FloatArray:
        """Air temperature [degC] at times since the start of the year [s], of the same shape; the year repeats."""
        part: FloatArray = np.mod(np.asarray(time_s, dtype=np.float64) / (YEAR_DAYS * 24.0 * HOUR), 1.0)
        if self.hourly_c is not None:
            return _periodic(part, np.linspace(0.0, 8759.0 / 8760.0, 8760), np.array(self.hourly_c))
        of_day = (np.asarray(time_s) / HOUR - self.coldest_h) / 24.0
        daily = -0.5 * self.daily_swing_k * np.cos(2.0 * np.pi * of_day)
        if self.monthly_c is not None:
            middle = np.linspace(1.0, 23.0, 12) / 24.0
            return np.asarray(_periodic(part, middle, np.array(self.monthly_c)) + daily)
        yearly = 0.5 * self.yearly_swing_k * np.cos(2.0 * np.pi * (part - self.coldest_day / 365.0))
        return np.asarray((self.mean_c or 0.0) - yearly + daily)


class UsageProfile(Record):
    """How a car is used.

    Attributes:
        title: in words.
        trips: of a week.
        charging: habits.
        air: temperature around the car.
        years: of service [years].
    """

    title: Text
    trips: Annotated[tuple[Trip, ...], Field(min_length=1, max_length=500)]
    charging: Charging
    air: AirYear
    years: Annotated[float, Field(gt=0.0, le=100.0, strict=True)] = 10.0

    @property
    def cycles(self) -> tuple[str, ...]:
        """Names of the cycles driven."""
        return tuple(name for name in CYCLES if any(name in trip.mix for trip in self.trips))

    @property
    def weekly_distance_km(self) -> float:
        """Driven in a week [km]."""
        return sum(trip.distance_km * len(trip.days) for trip in self.trips)

    def week(self) -> list[tuple[float, Trip]]:
        """Trips of a week by departure [s since Monday 0:00], in order."""
        starts = [
            ((24.0 * WEEKDAYS.index(day) + trip.departure_h) * HOUR, trip) for trip in self.trips for day in trip.days
        ]
        return sorted(starts, key=lambda start: start[0])

    @model_validator(mode="after")
    def _departures_differ(self) -> Self:
        starts = [start for start, _ in self.week()]
        if len(set(starts)) < len(starts):
            raise misplaced([Fault("two trips that start together", "one trip at a time", ("trips",))])
        return self


@cache
def default_usage() -> UsageProfile:
    """A household car in Japan, charged at home; each value with its origin."""
    with as_file(files("kyotsu.sim") / "data" / "usage.toml") as path:
        return load_usage(path)


def load_usage(path: str | Path) -> UsageProfile:
    """The usage in a TOML file (see `data/usage.toml` for one).

    Raises:
        InputError: with every problem of the file, by line.
    """
    document, problems = read_toml(Path(path), str(path))
    if document is None or problems:
        raise InputError(problems)
    return _profile(document)


def make_usage(values: Mapping[str, Any]) -> UsageProfile:
    """The usage of plain values, as they would stand in a file.

    Raises:
        InputError: with every problem of the values.
    """
    return _profile(Document("input", dict(values)))


def _profile(document: Document) -> UsageProfile:
    profile, problems = read_record(UsageProfile, Entry(document.content, (Place(document, (), ()),)))
    if profile is None:
        raise InputError(problems)
    return profile


def _periodic(part: FloatArray, places: npt.NDArray[np.floating[Any]], values: FloatArray) -> FloatArray:
    """Linear between places in a year, [0, 1), round its end."""
    return np.asarray(np.interp(part, places, values, period=1.0), dtype=np.float64)


def problem(key: str, found: str, expected: str, action: str) -> Problem:
    """A problem of an argument."""
    return Problem(Location(key=key), found, expected, action)
