"""How right the cold is: the cold test of EPA's lists, as a ratio to the warm city cycle of the same car.

The ratio leaves out what is wrong about the car itself. The test is the FTP at -7 degC (40 CFR 1066.710): a start
from the cold, and one after 10 minutes off, weighted 43 and 57 % (40 CFR 1066.820); the cabin is heated. Two things
are our reading of it: each start is driven as one UDDS, and the bench is set to a coast-down time 10 % shorter than
on a mild day, which is a road load of 1/0.9.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np

from kyotsu.sim.car_table import CarTable, load_cars
from kyotsu.sim.climate import Climate, parked
from kyotsu.sim.parameters import FloatArray
from kyotsu.sim.simulate import simulate

COLD = Climate(ambient_c=-6.7)  # 20 degF
ROAD_LOAD = 1.0 / 0.9  # -, of a coast-down that takes 10 % less time
COLD_START_WEIGHT = 0.43  # 40 CFR 1066.820
SOAK_S = 600.0  # off between the two starts


@dataclass(frozen=True, slots=True, eq=False)
class ColdCheck:
    """Consumption in the cold over that of the warm city cycle, each of shape (car,).

    Attributes:
        cars: the cars of `data/cold_tests.csv`.
        measured: ratio [-].
        predicted: ratio [-].
    """

    cars: CarTable
    measured: FloatArray
    predicted: FloatArray

    @property
    def error_pct(self) -> FloatArray:
        """Predicted over measured ratio, less one [%]."""
        return 100.0 * (self.predicted / self.measured - 1.0)

    def __str__(self) -> str:
        low, high = np.percentile(self.error_pct, [10.0, 90.0])
        return "\n".join(
            [
                f"cold: {len(self.cars)} tests of the FTP at -6.7 degC, heated, over UDDS of the same car",
                f"median ratio measured {np.median(self.measured):.2f}, predicted {np.median(self.predicted):.2f}; "
                f"mean error {self.error_pct.mean():+.1f} %, mean |error| {np.abs(self.error_pct).mean():.1f} %, "
                f"8 of 10 between {low:+.0f} and {high:+.0f} %",
                f"{np.unique(self.cars.make).size} makes only, most are Tesla; nothing was fitted to these tests",
            ]
        )


def cold_check() -> ColdCheck:
    """Drive every car of the cold tests warm and cold by the generic components."""
    with as_file(files("kyotsu.sim") / "data" / "cold_tests.csv") as path:
        cars = load_cars(path)
        with path.open(encoding="utf-8", newline="") as file:
            cold = np.array([float(row["cold_ftp_ac_wh_per_km"]) for row in csv.DictReader(file)])
    return ColdCheck(cars, cold / cars.udds_ac_wh_per_km, predicted_ratio(cars))


def predicted_ratio(cars: CarTable) -> FloatArray:
    """Consumption on the cold FTP over that of the warm UDDS [-], shape (row,)."""
    vehicles = cars.vehicles()
    chassis = vehicles.chassis
    heavier = {name: getattr(chassis, name) * ROAD_LOAD for name in ("road_load_a", "road_load_b", "road_load_c")}
    on_bench = vehicles._replace(chassis=chassis._replace(**heavier))
    warm = simulate(vehicles, "udds").consumption_ac_wh_per_km[:, 0]
    first = simulate(on_bench, "udds", climate=COLD)
    assert first.warmth is not None  # as it always is in a climate
    soaked = parked(on_bench, first.warmth.end, COLD, SOAK_S)
    second = simulate(on_bench, "udds", climate=COLD, start=soaked)
    starts = [results.consumption_ac_wh_per_km[:, 0] for results in (first, second)]
    return (COLD_START_WEIGHT * starts[0] + (1.0 - COLD_START_WEIGHT) * starts[1]) / warm
