"""Tables of cars: certification inputs, and results where they are known.

A row has at least test mass and coast-down coefficients; what else is missing the generic components fill.
The shipped table `data/ev_validation.csv` has kyotsu's column names; the names of the EPA-derived lists are
understood as well.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.components import REFERENCE_YEAR, FittedConstants, generic_vehicle
from kyotsu.sim.parameters import FloatArray, VehicleParameters

KW_PER_HP = 0.745699872  # mechanical horsepower, 550 ft lbf/s
LEAST_POWER_PER_MASS = 0.025  # kW/kg; a lower rating is a 30-minute rating or a slip

# name here: (other name, factor)
ALIASES = {
    "road_load_a_n": ("target_a_N", 1.0),
    "road_load_b_n_per_mps": ("target_b_N_per_mps", 1.0),
    "road_load_c_n_per_mps2": ("target_c_N_per_mps2", 1.0),
    "rated_power_kw": ("rated_hp", KW_PER_HP),
    "motor_power_kw": ("motor_kw_total", 1.0),
}
REQUIRED = ("test_mass_kg", "road_load_a_n", "road_load_b_n_per_mps", "road_load_c_n_per_mps2")
RESULTS = ("udds_ac_wh_per_km", "hwfet_ac_wh_per_km")
NUMBERS = (*REQUIRED, "rated_power_kw", "motor_power_kw", "model_year_first", "battery_gross_kwh", *RESULTS)
TEXTS = ("make", "model", "quality")


@dataclass(frozen=True, slots=True, eq=False)
class CarTable:
    """Cars in columns, each of shape (row,); NaN and empty text where unknown.

    Attributes:
        row: identity of the row, by the file's `row` column or counted from 0.
        make: maker's name.
        model: model name.
        quality: how well test record and label agree, see `data/SOURCES.md`.
        motor_type: `pm`, `induction` or `eesm`, read from the maker's wording; see `motor_type_of`.
        layout: `front`, `rear` or `all`.
        model_year: first model year.
        test_mass_kg: equivalent test weight.
        road_load_a_n: coast-down A.
        road_load_b_n_per_mps: coast-down B.
        road_load_c_n_per_mps2: coast-down C.
        power_kw: most credible rating of all motors together.
        battery_gross_kwh: gross battery energy.
        udds_ac_wh_per_km: measured, unadjusted.
        hwfet_ac_wh_per_km: measured, unadjusted.
    """

    row: npt.NDArray[np.str_]
    make: npt.NDArray[np.str_]
    model: npt.NDArray[np.str_]
    quality: npt.NDArray[np.str_]
    motor_type: npt.NDArray[np.str_]
    layout: npt.NDArray[np.str_]
    model_year: FloatArray
    test_mass_kg: FloatArray
    road_load_a_n: FloatArray
    road_load_b_n_per_mps: FloatArray
    road_load_c_n_per_mps2: FloatArray
    power_kw: FloatArray
    battery_gross_kwh: FloatArray
    udds_ac_wh_per_km: FloatArray
    hwfet_ac_wh_per_km: FloatArray

    def __len__(self) -> int:
        return int(self.row.size)

    def where(self, index: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> CarTable:
        """The rows at `index`."""
        return CarTable(*(getattr(self, name)[index] for name in self.__slots__))

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Rows that a model can be judged by: road load and both results, and not suspect; shape (row,)."""
        known = np.isfinite(self.road_load_a_n + self.udds_ac_wh_per_km + self.hwfet_ac_wh_per_km)
        return known & ~np.isin(self.quality, ["suspect", "label"])

    @property
    def measured(self) -> FloatArray:
        """UDDS and HWFET consumption at the wall [Wh/km], shape (row, 2)."""
        return np.stack([self.udds_ac_wh_per_km, self.hwfet_ac_wh_per_km], axis=1)

    def vehicles(self, fitted: FittedConstants | None = None) -> VehicleParameters:
        """Parameters of all rows by the generic components."""
        return generic_vehicle(
            mass_kg=self.test_mass_kg,
            road_load_a_n=self.road_load_a_n,
            road_load_b_n_per_mps=self.road_load_b_n_per_mps,
            road_load_c_n_per_mps2=self.road_load_c_n_per_mps2,
            rated_power_kw=self.power_kw,
            motor_type=self.motor_type.tolist(),
            layout=self.layout.tolist(),
            battery_kwh=self.battery_gross_kwh,
            model_year=self.model_year,
            fitted=fitted,
        )


def load_validation_cars() -> CarTable:
    """The usable rows of the shipped table."""
    with as_file(files("kyotsu.sim") / "data" / "ev_validation.csv") as path:
        cars = load_cars(path, inputs_needed=False)
    return cars.where(cars.usable)


def load_cars(path: str | Path, inputs_needed: bool = True) -> CarTable:
    """The cars of a CSV file.

    Args:
        path: a file with the columns `REQUIRED` (or their `ALIASES`), and any others of the shipped table.
        inputs_needed: whether a row without mass or road load is a problem.

    Raises:
        InputError: the file cannot be read, a column is missing, or a cell is not a number.
    """
    rows, header = _read(Path(path))
    problems = [
        Problem(Location(str(path), 1, name), "no such column", f"{name} or {_other(name)}", "Add the column.")
        for name in REQUIRED
        if name not in header and _other(name) not in header
    ]
    if not rows:
        problems.append(Problem(Location(str(path)), "no rows", "at least one", "Add a row."))
    if problems:
        raise InputError(problems)
    numbers = {name: _column(str(path), rows, name, problems) for name in NUMBERS}
    if inputs_needed:
        for name in REQUIRED:
            for index in np.flatnonzero(~np.isfinite(numbers[name])):
                place = Location(str(path), rows[index][0], name)
                problems.append(Problem(place, "nothing", "a number", "Fill the cell."))
    if problems:
        raise InputError(problems)
    make, model, quality = (np.array([row.get(name) or "" for _, row in rows]) for name in TEXTS)
    identity = [row.get("row") or str(count) for count, (_, row) in enumerate(rows)]
    motors = [row.get("motor_text") or "" for _, row in rows]
    year = numbers["model_year_first"]
    return CarTable(
        row=np.array(identity),
        make=make,
        model=model,
        quality=quality,
        motor_type=np.array(
            [motor_type_of(*told) for told in zip(motors, make, model, numbers["model_year_first"], strict=True)]
        ),
        layout=np.array([layout_of(row.get("drive") or "") for _, row in rows]),
        model_year=np.where(np.isnan(year), REFERENCE_YEAR, year),
        power_kw=_power(numbers, motors),
        test_mass_kg=numbers["test_mass_kg"],
        road_load_a_n=numbers["road_load_a_n"],
        road_load_b_n_per_mps=numbers["road_load_b_n_per_mps"],
        road_load_c_n_per_mps2=numbers["road_load_c_n_per_mps2"],
        battery_gross_kwh=numbers["battery_gross_kwh"],
        udds_ac_wh_per_km=numbers["udds_ac_wh_per_km"],
        hwfet_ac_wh_per_km=numbers["hwfet_ac_wh_per_km"],
    )


def motor_type_of(text: str, make: str = "", model: str = "", model_year: float = np.nan) -> str:
    """The motor type that a maker's wording names: `eesm`, `induction` or `pm`.

    Where the wording is silent about the rotor, what is public of the cars (`data/motor_types.toml`), else `pm`.
    """
    words = text.lower()
    for kind, signs in _motor_types()["words"].items():
        if any(sign in words for sign in signs):
            return str(kind)
    for known in _motor_types()["car"]:
        first, last = known["model_years"]
        starts = tuple(start.lower() for start in known["models"])
        named = make.lower() == known["make"].lower() and model.lower().startswith(starts)
        if named and first <= model_year <= last:
            return str(known["motor_type"])
    return "pm"


@cache
def _motor_types() -> dict[str, Any]:
    text = (files("kyotsu.sim") / "data" / "motor_types.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def layout_of(text: str) -> str:
    """Driven axles by the EPA's wording; all where it does not say front or rear."""
    return {"fro": "front", "rea": "rear"}.get(text[:3].lower(), "all")


def motor_text_power_kw(text: str) -> float:
    """Sum of the motor powers that a maker's wording names [kW]; NaN where it names none."""
    plain = re.sub(r"\([^)]*kw-?hr[^)]*\)|\d-phase", "", text.lower())
    named = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", plain)]
    return sum(named) if named else np.nan


def _power(numbers: Mapping[str, FloatArray], motors: Sequence[str]) -> FloatArray:
    """The largest of the ratings given: most slips are ratings too small. NaN where none is credible."""
    named = np.array([motor_text_power_kw(text) for text in motors])
    given = np.stack([numbers["rated_power_kw"], numbers["motor_power_kw"], named])
    largest = np.max(np.where(np.isnan(given), 0.0, given), axis=0)
    return np.where(largest >= LEAST_POWER_PER_MASS * numbers["test_mass_kg"], largest, np.nan)


def _read(path: Path) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
            return rows, list(reader.fieldnames or [])
    except OSError as error:
        problem = Problem(Location(str(path)), error.strerror or "unreadable", "a CSV file", "Check the path.")
    except (ValueError, csv.Error) as error:
        problem = Problem(Location(str(path)), str(error), "a CSV table in UTF-8", "Save it as UTF-8 CSV.")
    raise InputError([problem])


def _column(path: str, rows: list[tuple[int, dict[str, str]]], name: str, problems: list[Problem]) -> FloatArray:
    other, factor = ALIASES.get(name, (name, 1.0))
    values = np.full(len(rows), np.nan)
    for index, (line, row) in enumerate(rows):
        own = name in row
        cell = (row.get(name if own else other) or "").strip()
        try:
            values[index] = float(cell) * (1.0 if own else factor) if cell else np.nan
        except ValueError:
            place = Location(path, line, name)
            problems.append(Problem(place, repr(cell), "a number or nothing", "Correct the cell."))
    return values


def _other(name: str) -> str:
    return ALIASES.get(name, (name, 1.0))[0]
