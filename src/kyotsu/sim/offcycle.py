"""How right cold, heat and hard driving are: tests of EPA's lists as ratios to the warm city cycle of the same car.

The ratio leaves out what is wrong about the car itself. Three constants of `[thermal]` in `data/components.toml`
(marked `*` there) were set by the median ratio of the very cold tests here: their level is no evidence.
Evidence is how the cars spread about it, and the few tests of US06 and SC03, to which nothing was fitted.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np

from kyotsu.sim.car_table import CarTable, load_cars
from kyotsu.sim.climate_tests import cold_ftp, composite_ac_wh_per_km, sc03
from kyotsu.sim.parameters import FloatArray
from kyotsu.sim.simulate import simulate

TELLS_APART = 0.5  # least correlation of a model that tells cars apart; our assumption
COLUMNS = ("cold_ftp_ac_wh_per_km", "us06_ac_wh_per_km", "sc03_ac_wh_per_km")


@dataclass(frozen=True, slots=True, eq=False)
class TestRatio:
    """Consumption on a test over that of the warm UDDS, each of shape (car,).

    Attributes:
        cars: those that the test is known of.
        measured: ratio [-].
        predicted: ratio [-].
    """

    __test__ = False  # pytest takes classes named Test for its own

    cars: CarTable
    measured: FloatArray
    predicted: FloatArray

    @property
    def error_pct(self) -> FloatArray:
        """Predicted over measured ratio, less one [%], shape (car,)."""
        return 100.0 * (self.predicted / self.measured - 1.0)

    @property
    def correlation(self) -> float:
        """Of predicted and measured ratios over the cars [-]."""
        return float(np.corrcoef(self.measured, self.predicted)[0, 1])


@dataclass(frozen=True, slots=True, eq=False)
class OffcycleCheck:
    """Predicted against measured ratios of the cars of `data/offcycle_tests.csv`.

    Attributes:
        cold: the FTP at -6.7 degC, heated.
        us06: hard driving on a mild day.
        sc03: 35 degC, sun and air conditioning.
    """

    cold: TestRatio
    us06: TestRatio
    sc03: TestRatio

    def __str__(self) -> str:
        cold = self.cold
        low, high = np.percentile(cold.error_pct, [10.0, 90.0])
        spread = [float(values.std(ddof=1)) for values in (cold.measured, cold.predicted)]
        not_told = ": which car loses more than another is not predicted"
        lines = [
            f"cold: {len(cold.cars)} tests of the FTP at -6.7 degC, heated, over UDDS of the same car",
            f"median ratio measured {np.median(cold.measured):.2f}, predicted {np.median(cold.predicted):.2f}: "
            "three thermal constants were set by this median, so the level is no evidence",
            f"evidence is each car: mean error {cold.error_pct.mean():+.1f} %, mean |error| "
            f"{np.abs(cold.error_pct).mean():.1f} %, 8 of 10 between {low:+.0f} and {high:+.0f} %",
            f"standard deviation of the ratios measured {spread[0]:.2f}, predicted {spread[1]:.2f}, correlation "
            f"{cold.correlation:.2f}" + (not_told if cold.correlation < TELLS_APART else ""),
            f"{np.unique(cold.cars.make).size} makes only, most are Tesla",
        ]
        for name, test in (("US06, mild", self.us06), ("SC03, 35 degC, sun, A/C", self.sc03)):
            makes = ", ".join(np.unique(test.cars.make))
            lines += ["", f"{name}: {len(test.cars)} tests over UDDS of the same car ({makes}); nothing fitted to them"]
            rows = zip(test.cars.model, test.measured, test.predicted, test.error_pct, strict=True)
            lines += [f"  {car:<12} measured {m:.2f}, predicted {p:.2f}  {error:+.0f} %" for car, m, p, error in rows]
        return "\n".join(lines)


def offcycle_check() -> OffcycleCheck:
    """Drive every car of the list on all three tests and on the warm UDDS, by the generic components."""
    with as_file(files("kyotsu.sim") / "data" / "offcycle_tests.csv") as path:
        cars = load_cars(path)
        with path.open(encoding="utf-8", newline="") as file:
            told = [[float(row[name] or "nan") for name in COLUMNS] for row in csv.DictReader(file)]
    measured = np.array(told) / cars.udds_ac_wh_per_km[:, None]
    predicted = predicted_ratios(cars)
    tests = []
    for column in range(len(COLUMNS)):
        known = np.isfinite(measured[:, column])
        tests.append(TestRatio(cars.where(known), measured[known, column], predicted[known, column]))
    return OffcycleCheck(*tests)


def predicted_ratios(cars: CarTable) -> FloatArray:
    """Consumption on cold FTP, US06 and SC03 over that of the warm UDDS [-], shape (row, 3)."""
    vehicles = cars.vehicles()
    udds, us06 = simulate(vehicles, ("udds", "us06")).consumption_ac_wh_per_km.T
    tests = (composite_ac_wh_per_km(cold_ftp(vehicles)), us06, sc03(vehicles).consumption_ac_wh_per_km[:, 0])
    return np.asarray(np.stack(tests, axis=1) / udds[:, None])
