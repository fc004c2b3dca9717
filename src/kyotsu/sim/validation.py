"""How right the model is: predicted against measured consumption of real cars.

`validate()` drives every usable row of `data/ev_validation.csv` over UDDS and HWFET with the generic
components and compares with the certification results; `str()` of what it returns is the report. `predict()`
does the same for a file of cars without results. Held-out errors are of constants fitted without any car of
the same make.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.calibration import CYCLES, fit_components, held_out_prediction
from kyotsu.sim.car_table import RESULTS, CarTable, load_cars, load_validation_cars
from kyotsu.sim.parameters import FloatArray
from kyotsu.sim.simulate import simulate


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

    def interval_pct(self, coverage_pct: float = 80.0) -> FloatArray:
        """Bounds that hold measured over predicted, less one [%], shape (cycle, 2).

        The middle `coverage_pct` of the held-out residuals where there are any, else of the residuals.
        """
        predicted = self.predicted if self.held_out is None else self.held_out
        deviation = 100.0 * (self.cars.measured / predicted - 1.0)
        tail = 0.5 * (100.0 - coverage_pct)
        return np.percentile(deviation, [tail, 100.0 - tail], axis=0).T

    def bias(self) -> list[Bias]:
        """Mean errors by mass, motor type, layout, model year and make."""
        mass = np.array(["to 1800 kg", "to 2300 kg", "over 2300 kg"])[
            np.searchsorted([1800.0, 2300.0], self.cars.test_mass_kg)
        ]
        year = np.array(["to 2018", "2019 to 2021", "from 2022"])[
            np.searchsorted([2018.0, 2021.0], self.cars.model_year)
        ]
        classes = {
            "mass": mass,
            "motor": self.cars.motor_type,
            "layout": self.cars.layout,
            "year": year,
            "make": self.cars.make,
        }
        return [
            Bias(kind, str(name), int(same.sum()), *(float(e) for e in self.error_pct[same].mean(axis=0)))
            for kind, names in classes.items()
            for name in np.unique(names)
            for same in (names == name,)
        ]

    def worst(self, count: int = 10) -> npt.NDArray[np.int64]:
        """Rows with the largest mean of both absolute errors, worst first."""
        order = np.argsort(-np.abs(self.error_pct).mean(axis=1), kind="stable")
        return order[:count].astype(np.int64)

    def __str__(self) -> str:
        return "\n".join([*self._summary(), "", *self._classes(), "", *self._worst_rows()])

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
            lines.append(f"8 of 10 cars measure {low:+.1f} to {high:+.1f} % of the prediction on {name.upper()}")
        return lines

    def _classes(self) -> list[str]:
        lines = ["bias by class                  cars    UDDS   HWFET  [%]"]
        for entry in self.bias():
            name = f"{entry.kind} {entry.name}"
            lines.append(f"  {name:<28} {entry.cars:4d}  {entry.udds_pct:+6.1f}  {entry.hwfet_pct:+6.1f}")
        return lines

    def _worst_rows(self) -> list[str]:
        lines = ["worst rows                                                UDDS   HWFET  [%]"]
        for index in self.worst():
            car = f"{self.cars.make[index]} {self.cars.model[index]} {self.cars.model_year[index]:.0f}"
            udds, hwfet = self.error_pct[index]
            lines.append(f"  {car:<52}  {udds:+6.1f}  {hwfet:+6.1f}")
        return lines


def validate(held_out: bool = False) -> Validation:
    """Compare the model with the certification results of real cars.

    Args:
        held_out: fit again without each make as well, which takes some 20 s.
    """
    cars = load_validation_cars()
    predicted = simulate(cars.vehicles(), CYCLES).consumption_ac_wh_per_km
    return Validation(cars, predicted, held_out_prediction(fit_components(cars)) if held_out else None)


def predict(rows_csv: str | Path, out_csv: str | Path) -> CarTable:
    """Predict the two-cycle consumption of cars in a file; what a row lacks the generic components fill.

    Args:
        rows_csv: cars, see `car_table.load_cars`.
        out_csv: where to write `row,udds_ac_wh_per_km,hwfet_ac_wh_per_km`; replaced when it exists.

    Returns:
        The cars read.

    Raises:
        InputError: the file is not a table of cars, or the result cannot be written.
    """
    cars = load_cars(rows_csv)
    predicted = simulate(cars.vehicles(), CYCLES).consumption_ac_wh_per_km
    try:
        with Path(out_csv).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["row", *RESULTS])
            writer.writerows(
                [row, f"{udds:.3f}", f"{hwfet:.3f}"] for row, (udds, hwfet) in zip(cars.row, predicted, strict=True)
            )
    except OSError as error:
        found = error.strerror or "a path that cannot be written"
        problem = Problem(Location(str(out_csv)), found, "a writable path", "Choose another.")
        raise InputError([problem]) from error
    return cars
