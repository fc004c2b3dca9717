"""How right the model is: predicted against measured consumption of real cars.

`validate()` drives every usable row of `data/ev_validation.csv` over UDDS and HWFET with the generic
components and compares with the certification results; `str()` of what it returns is the report. `predict()`
does the same for a file of cars without results. Held-out errors are of constants fitted without any car of
the same make.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.calibration import CYCLES, fit_components, held_out_prediction
from kyotsu.sim.car_table import RESULTS, CarTable, load_cars, load_validation_cars
from kyotsu.sim.interval import COVERAGE_PCT, consumption_bounds, interval_pct, left_out_coverage
from kyotsu.sim.parameters import FloatArray
from kyotsu.sim.simulate import simulate

MASSES = ("to 1800 kg", "to 2300 kg", "over 2300 kg")
YEARS = ("to 2018", "2019 to 2021", "from 2022")
PLACES = (0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 100.0)  # % of the cars, of the distribution printed
ALIKE = 0.5  # least ratio of the two errors that are called alike
INTERVALS = ("udds_ac_low_wh_per_km", "udds_ac_high_wh_per_km", "hwfet_ac_low_wh_per_km", "hwfet_ac_high_wh_per_km")


@dataclass(frozen=True, slots=True)
class Bias:
    """Mean error of a class of cars, in per cent; predicted too high is positive."""

    kind: str
    name: str
    cars: int
    udds_pct: float
    hwfet_pct: float


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Predicted against measured consumption.

    Attributes:
        cars: the rows compared.
        predicted: UDDS and HWFET consumption at the wall [Wh/km], shape (row, 2).
        held_out: the same with constants fitted without the row's make; `None` when not asked for.
    """

    cars: CarTable
    predicted: FloatArray
    held_out: FloatArray | None

    @property
    def error_pct(self) -> FloatArray:
        """Predicted over measured less one [%], shape (row, 2)."""
        return 100.0 * (self.predicted / self.cars.measured - 1.0)

    @property
    def held_out_error_pct(self) -> FloatArray:
        """The same for held-out predictions [%], shape (row, 2); empty when they were not asked for."""
        if self.held_out is None:
            return np.zeros((0, 2))
        return 100.0 * (self.held_out / self.cars.measured - 1.0)

    @property
    def mean_absolute_error_pct(self) -> float:
        """Over both cycles and all rows [%]."""
        return float(np.abs(self.error_pct).mean())

    @property
    def held_out_mean_absolute_error_pct(self) -> float:
        """The same by constants fitted without each row's make [%]; infinity when not asked for."""
        return float(np.abs(self.held_out_error_pct).mean()) if self.held_out is not None else np.inf

    def share_within_pct(self, limit_pct: float) -> float:
        """Share of the results with an error of at most `limit_pct` [%]."""
        return float(100.0 * np.mean(np.abs(self.error_pct) <= limit_pct))

    def interval_pct(self, coverage_pct: float = COVERAGE_PCT) -> FloatArray:
        """The shipped bounds of measured over predicted, less one [%], shape (cycle, 2); see `kyotsu.sim.interval`."""
        return np.array([interval_pct(cycle, coverage_pct) for cycle in CYCLES])

    def coverage_pct(self, coverage_pct: float = COVERAGE_PCT) -> FloatArray:
        """Share of results inside bounds that were made without their make [%], shape (2, cycle).

        First of all cars, then the mean over makes. Zeros where nothing was held out.
        """
        if self.held_out is None:
            return np.zeros((2, len(CYCLES)))
        inside = left_out_coverage(self.cars.make, np.log(self.cars.measured / self.held_out), coverage_pct)
        makes = [inside[self.cars.make == make].mean(axis=0) for make in np.unique(self.cars.make)]
        return 100.0 * np.stack([inside.mean(axis=0), np.mean(makes, axis=0)])

    def bias(self) -> list[Bias]:
        """Mean errors by mass, motor type, layout, model year and make; makes by the size of their error."""
        mass = np.array(MASSES)[np.searchsorted([1800.0, 2300.0], self.cars.test_mass_kg)]
        year = np.array(YEARS)[np.searchsorted([2018.0, 2021.0], self.cars.model_year)]
        classes: dict[str, tuple[npt.NDArray[np.str_], Iterable[str]]] = {
            "mass": (mass, MASSES),
            "motor": (self.cars.motor_type, np.unique(self.cars.motor_type)),
            "layout": (self.cars.layout, np.unique(self.cars.layout)),
            "year": (year, YEARS),
            "make": (self.cars.make, np.unique(self.cars.make)),
        }
        found = [
            Bias(kind, str(name), int(same.sum()), *(float(e) for e in self.error_pct[same].mean(axis=0)))
            for kind, (names, order) in classes.items()
            for name in order
            for same in (names == name,)
            if same.any()
        ]
        makes = [entry for entry in found if entry.kind == "make"]
        rest = [entry for entry in found if entry.kind != "make"]
        return rest + sorted(makes, key=lambda entry: -abs(entry.udds_pct + entry.hwfet_pct))

    def worst(self, count: int = 10) -> npt.NDArray[np.int64]:
        """Rows with the largest mean of both absolute errors, worst first."""
        order = np.argsort(-np.abs(self.error_pct).mean(axis=1), kind="stable")
        return order[:count].astype(np.int64)

    def reason(self, row: int) -> str:
        """What the errors of a row look like, and what makes the row doubtful."""
        udds, hwfet = self.error_pct[row]
        if udds * hwfet > 0.0 and min(abs(udds), abs(hwfet)) >= ALIKE * max(abs(udds), abs(hwfet)):
            looks = "alike on both cycles: road load, charger or drive loss"
        elif abs(udds) > abs(hwfet):
            looks = "in the city: auxiliaries, regeneration or loss at low load"
        else:
            looks = "on the highway: road load or loss at speed"
        unknown = "; rated power not known" if np.isnan(self.cars.power_kw[row]) else ""
        loose = "; its label averages several tests" if self.cars.quality[row] == "loose" else ""
        return looks + unknown + loose

    def __str__(self) -> str:
        parts = (self._summary(), self._distribution(), self._classes(), self._worst_rows())
        return "\n\n".join("\n".join(part) for part in parts)

    def _summary(self) -> list[str]:
        lines = [f"{len(self.cars)} cars, two-cycle AC consumption, one set of constants for all"]
        errors = {"fitted to all": self.error_pct, "make held out": self.held_out_error_pct}
        for name, error in errors.items():
            if error.size:
                udds, hwfet = np.abs(error).mean(axis=0)
                both = np.abs(error).mean()
                lines.append(f"mean |error|, {name}: {both:.2f} %  (UDDS {udds:.2f}, HWFET {hwfet:.2f})")
        shares = ", ".join(f"{limit:g} %: {self.share_within_pct(limit):.0f} %" for limit in (5.0, 10.0))
        lines.append(f"results within {shares}")
        for name, (low, high) in zip(CYCLES, self.interval_pct(), strict=True):
            lines.append(f"8 of 10 new cars measure {low:+.1f} to {high:+.1f} % of the prediction on {name.upper()}")
        if self.held_out is not None:
            cars, makes = self.coverage_pct()
            held = "such bounds made without a make hold"
            lines.append(
                f"{held} {cars[0]:.0f} and {cars[1]:.0f} % of all cars' results (UDDS, HWFET), and of a make's"
            )
            lines.append(
                f"cars {makes[0]:.0f} and {makes[1]:.0f} % in the mean over makes: small makes are off more often"
            )
        lines.append(
            "two tests of one car differ by 1.3 % (UDDS) and 0.7 % (HWFET) in the median: no model can do better"
        )
        return lines

    def _distribution(self) -> list[str]:
        lines = ["error [%] that is not reached by" + "".join(f"{place:8.0f} %" for place in PLACES)]
        for name, error in zip(CYCLES, self.error_pct.T, strict=True):
            lines.append(f"  {name.upper():<30}" + "".join(f"{value:+10.1f}" for value in np.percentile(error, PLACES)))
        return lines

    def _classes(self) -> list[str]:
        lines = ["bias by class, + too high      cars    UDDS   HWFET  [%]"]
        for entry in self.bias():
            name = f"{entry.kind} {entry.name}"
            lines.append(f"  {name:<28} {entry.cars:4d}  {entry.udds_pct:+6.1f}  {entry.hwfet_pct:+6.1f}")
        return lines

    def _worst_rows(self) -> list[str]:
        lines = ["worst cars                                    UDDS   HWFET  [%]  off"]
        for index in self.worst():
            car = f"{self.cars.make[index]} {self.cars.model[index]}"[:35] + f" {self.cars.model_year[index]:.0f}"
            udds, hwfet = self.error_pct[index]
            lines.append(f"  {car:<40}  {udds:+6.1f}  {hwfet:+6.1f}       {self.reason(int(index))}")
        return lines


def validate(held_out: bool = False) -> Validation:
    """Compare the model with the certification results of real cars.

    Args:
        held_out: fit again without each make as well, which takes some seconds.
    """
    cars = load_validation_cars()
    predicted = simulate(cars.vehicles(), CYCLES).consumption_ac_wh_per_km
    return Validation(cars, predicted, held_out_prediction(fit_components(cars)) if held_out else None)


def predict(rows_csv: str | Path, out_csv: str | Path, *, intervals: bool = False) -> CarTable:
    """Predict the two-cycle consumption of cars in a file; what a row lacks the generic components fill.

    Args:
        rows_csv: cars, see `car_table.load_cars`.
        out_csv: where to write `row,udds_ac_wh_per_km,hwfet_ac_wh_per_km`; replaced when it exists.
        intervals: write the columns `INTERVALS` too, the bounds that hold 8 of 10 measurements.

    Returns:
        The cars read.

    Raises:
        InputError: the file is not a table of cars, or the result cannot be written.
    """
    cars = load_cars(rows_csv)
    predicted = simulate(cars.vehicles(), CYCLES).consumption_ac_wh_per_km
    bounds = [consumption_bounds(one, cycle) for one, cycle in zip(predicted.T, CYCLES, strict=True)]
    more = [bound for pair in bounds for bound in pair] if intervals else []
    columns = np.column_stack([predicted, *more])
    try:
        with Path(out_csv).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["row", *RESULTS, *(INTERVALS if intervals else ())])
            writer.writerows(
                [row, *(f"{one:.3f}" for one in values)] for row, values in zip(cars.row, columns, strict=True)
            )
    except OSError as error:
        found = error.strerror or "a path that cannot be written"
        problem = Problem(Location(str(out_csv)), found, "a writable path", "Choose another.")
        raise InputError([problem]) from error
    return cars
