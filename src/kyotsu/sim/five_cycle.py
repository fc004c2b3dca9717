"""The five-cycle label of the United States for battery electric vehicles.

In: vehicles; or consumption on the FTP at 75 and 20 °F by bags, US06 by parts, HWFET and SC03. Out: five-cycle city
and highway consumption, and the factor that adjusts the two-cycle values.

The equations are the vehicle-specific five-cycle equations of 40 CFR 600.114-12 (a) and (b), written there for
fuel economy and here for its reciprocal: they are linear in consumption, so that energy stands for fuel. SAE J1634
(from 2017, appendix B), which 40 CFR 600.116-12 refers to, makes ONE factor of them, the combined five-cycle over the
combined two-cycle fuel economy: it takes the place of 0.7 on city, highway and range. Of 93 labels of battery cars
with a factor other than 0.7 (fueleconomy.gov, 2025), 76 show the same on city and highway within 0.2 %. The appendix
itself is not public; what it changes in the equations, if anything, is not in here, nor is thermal conditioning from
the wall (appendix C). Simulated factors of those 76 cars: 0.724 in the mean against 0.735, 2.8 % apart per car; makers
may lower theirs.

How the tests are simulated:

    FTP at 75 °F, US06, HWFET   as the two-cycle test: a mild day, nothing heated or cooled; bag 3 is as bag 1
    FTP at 20 °F, SC03          `climate_tests`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.sim.climate_tests import cold_ftp, sc03
from kyotsu.sim.parameters import FloatArray, Numbers, VehicleParameters
from kyotsu.sim.phases import (
    PhasedCycle,
    PhaseResults,
    drive_phases,
    phase_range_km,
    udds_test,
    us06_test,
    whole_test,
)
from kyotsu.sim.two_cycle import CITY_WEIGHT, Label, label_of

IN_USE = 0.905  # -, effects on fuel economy that no cycle shows; 40 CFR 600.114-12
START_SHARE_20F = 0.24  # -, of starts that are cold; the rest at 75 °F
RUNNING_SHARE_20F = 0.18  # -, of city driving
AIR_CONDITIONING = 0.133  # -, share of driving with the compressor on
BAG_1_MILES = 3.6  # mile, of the first and third bag
CITY_TRIP_MILES, HIGHWAY_TRIP_MILES = 4.1, 60.0  # mile
STARTS_PER_TRIP = 0.33  # -, soak of a trip over the soak of the test

Value = float | FloatArray


class FiveCycleTests(NamedTuple):
    """Consumption at the wall on the five tests [Wh/km], each of shape () or (vehicle,)."""

    bag_1_wh_per_km: Value  # FTP at 75 °F (24 °C), 0-505 s
    bag_2_wh_per_km: Value  # 505-1369 s
    bag_3_wh_per_km: Value  # 0-505 s again, after 10 minutes of soak
    cold_bag_1_wh_per_km: Value  # FTP at 20 °F (-7 °C)
    cold_bag_2_wh_per_km: Value
    cold_bag_3_wh_per_km: Value
    us06_city_wh_per_km: Value
    us06_highway_wh_per_km: Value
    hwfet_wh_per_km: Value
    sc03_wh_per_km: Value  # at 95 °F (35 °C) with sun and air conditioning


class FiveCycle(NamedTuple):
    """The five tests of vehicles and the label that they make."""

    tests: FiveCycleTests
    two_cycle: Label  # adjusted by 0.7
    label: Label  # adjusted by the car's own factor
    validity: npt.NDArray[np.int64]  # flags of `simulate.Validity`, shape (vehicle,)


def mild_tests() -> dict[str, PhasedCycle]:
    """The tests at 75 °F that the five-cycle label is made of, by name."""
    return {"udds": udds_test(), "hwfet": whole_test("hwfet"), "us06": us06_test()}


def five_cycle(parameters: VehicleParameters, driven: Mapping[str, PhaseResults] | None = None) -> FiveCycle:
    """Simulate the five tests and derive the label.

    Args:
        parameters: the vehicles, with their heat capacities and cabins.
        driven: results of `mild_tests`; by default they are driven now.
    """
    driven = driven or drive_phases(parameters, mild_tests())
    udds, hwfet, us06 = (driven[name] for name in ("udds", "hwfet", "us06"))
    cold, heat = cold_ftp(parameters), sc03(parameters)
    first_bag = udds.consumption_ac_wh_per_km("1")
    tests = FiveCycleTests(
        bag_1_wh_per_km=first_bag,
        bag_2_wh_per_km=udds.consumption_ac_wh_per_km("2"),
        bag_3_wh_per_km=first_bag,
        cold_bag_1_wh_per_km=cold.consumption_ac_wh_per_km("1"),
        cold_bag_2_wh_per_km=cold.consumption_ac_wh_per_km("2"),
        cold_bag_3_wh_per_km=cold.consumption_ac_wh_per_km("3"),
        us06_city_wh_per_km=us06.consumption_ac_wh_per_km("city"),
        us06_highway_wh_per_km=us06.consumption_ac_wh_per_km("highway"),
        hwfet_wh_per_km=hwfet.consumption_ac_wh_per_km(),
        sc03_wh_per_km=heat.consumption_ac_wh_per_km[:, 0],
    )
    two_cycle = label_of(
        udds.consumption_ac_wh_per_km(),
        hwfet.consumption_ac_wh_per_km(),
        phase_range_km(parameters, udds),
        phase_range_km(parameters, hwfet),
    )
    validity = udds.validity | hwfet.validity | us06.validity | cold.validity | heat.validity[:, 0]
    return FiveCycle(tests, two_cycle, five_cycle_label(two_cycle, tests), validity)


def five_cycle_city_wh_per_km(tests: FiveCycleTests) -> FloatArray:
    """Five-cycle city consumption at the wall [Wh/km], shape (vehicle,); 40 CFR 600.114-12 (a).

    With E the consumption of a test, B1, B2 and B3 the bags, at 75 °F or (index 20) at 20 °F:

        start   = 0.33 · 3.6/4.1 (0.76 (B1 − B3) + 0.24 (B1₂₀ − B3₂₀))
        running = 0.82 (0.48 B2 + 0.41 B3 + 0.11 US06city) + 0.18 (0.5 B2₂₀ + 0.5 B3₂₀)
                  + 0.133 · 1.083 (SC03 − 0.61 B3 − 0.39 B2)
        city    = (start + running) / 0.905
    """
    t = _arrays(tests)
    warm = 0.48 * t.bag_2_wh_per_km + 0.41 * t.bag_3_wh_per_km + 0.11 * t.us06_city_wh_per_km
    cold = 0.5 * t.cold_bag_2_wh_per_km + 0.5 * t.cold_bag_3_wh_per_km
    running = (1.0 - RUNNING_SHARE_20F) * warm + RUNNING_SHARE_20F * cold + 1.083 * _air_conditioning(t)
    return np.asarray((_start(t, CITY_TRIP_MILES) + running) / IN_USE)


def five_cycle_highway_wh_per_km(tests: FiveCycleTests) -> FloatArray:
    """Five-cycle highway consumption at the wall [Wh/km], shape (vehicle,); 40 CFR 600.114-12 (b)(1).

    In the symbols of `five_cycle_city_wh_per_km`:

        start   = 0.33 · 3.6/60 (0.76 (B1 − B3) + 0.24 (B1₂₀ − B3₂₀))
        running = 1.007 (0.79 US06highway + 0.21 HWFET) + 0.133 · 0.377 (SC03 − 0.61 B3 − 0.39 B2)
        highway = (start + running) / 0.905
    """
    t = _arrays(tests)
    steady = 1.007 * (0.79 * t.us06_highway_wh_per_km + 0.21 * t.hwfet_wh_per_km)
    return np.asarray((_start(t, HIGHWAY_TRIP_MILES) + steady + 0.377 * _air_conditioning(t)) / IN_USE)


def adjustment_factor(tests: FiveCycleTests, udds_wh_per_km: Numbers) -> FloatArray:
    """Combined five-cycle over combined two-cycle fuel economy [-], shape (vehicle,); SAE J1634, appendix B.

    Args:
        tests: consumption on the five tests.
        udds_wh_per_km: on UDDS, at the wall [Wh/km].

    Returns:
        What two-cycle range and fuel economy are multiplied with; 0.7 in the label of most cars.
    """
    udds, hwfet = np.asarray(udds_wh_per_km, dtype=np.float64), np.asarray(tests.hwfet_wh_per_km, dtype=np.float64)
    five = _combined(five_cycle_city_wh_per_km(tests), five_cycle_highway_wh_per_km(tests))
    return np.where(five > 0.0, _combined(udds, hwfet) / np.where(five > 0.0, five, 1.0), 0.0)


def five_cycle_label(two_cycle: Label, tests: FiveCycleTests) -> Label:
    """The label with the car's own factor in place of 0.7.

    Args:
        two_cycle: values of UDDS and HWFET; only the unadjusted ones are used.
        tests: consumption on the five tests.
    """
    return label_of(
        two_cycle.city_unadjusted_wh_per_km,
        two_cycle.highway_unadjusted_wh_per_km,
        two_cycle.city_range_unadjusted_km,
        two_cycle.highway_range_unadjusted_km,
        adjustment_factor(tests, two_cycle.city_unadjusted_wh_per_km),
    )


def _arrays(tests: FiveCycleTests) -> FiveCycleTests:
    return FiveCycleTests(*(np.asarray(value, dtype=np.float64) for value in tests))


def _start(t: FiveCycleTests, trip_miles: float) -> FloatArray:
    """Energy of starts per distance of a trip [Wh/km]."""
    warm = np.asarray(t.bag_1_wh_per_km) - t.bag_3_wh_per_km
    cold = np.asarray(t.cold_bag_1_wh_per_km) - t.cold_bag_3_wh_per_km
    more = (1.0 - START_SHARE_20F) * warm + START_SHARE_20F * cold
    return np.asarray(STARTS_PER_TRIP * BAG_1_MILES / trip_miles * more)


def _air_conditioning(t: FiveCycleTests) -> FloatArray:
    """What SC03 takes beyond the same driving without air conditioning, by the share of its use [Wh/km]."""
    without = 0.61 * np.asarray(t.bag_3_wh_per_km) + 0.39 * np.asarray(t.bag_2_wh_per_km)
    return np.asarray(AIR_CONDITIONING * (t.sc03_wh_per_km - without))


def _combined(city: FloatArray, highway: FloatArray) -> FloatArray:
    return np.asarray(CITY_WEIGHT * city + (1.0 - CITY_WEIGHT) * highway)
