"""The window-sticker values of the United States from the two-cycle test.

In: AC consumption on UDDS (city) and HWFET (highway), measured or simulated. Out: unadjusted and adjusted
values. Adjusted values use the factor 0.7 that the EPA lets makers of battery cars apply instead of the
five-cycle test: 40 CFR 600.210-12; test SAE J1634. Weights 55 % city and 45 % highway: 40 CFR
600.210-12, 600.311-12.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kyotsu.sim.parameters import FloatArray, Numbers, VehicleParameters
from kyotsu.sim.performance import ranges_km
from kyotsu.sim.simulate import simulate
from kyotsu.units import KM_PER_MILE, KWH_PER_US_GALLON

CITY_WEIGHT = 0.55  # 40 CFR 600.311-12, combined value
ADJUSTMENT = 0.7  # 40 CFR 600.210-12, adjusted over unadjusted fuel economy and range


class Label(NamedTuple):
    """Two-cycle and window-sticker values, each of shape (vehicle,)."""

    city_unadjusted_wh_per_km: FloatArray  # AC, UDDS
    highway_unadjusted_wh_per_km: FloatArray  # AC, HWFET
    city_range_unadjusted_km: FloatArray
    highway_range_unadjusted_km: FloatArray
    city_wh_per_km: FloatArray  # AC, adjusted
    highway_wh_per_km: FloatArray
    combined_wh_per_km: FloatArray
    range_km: FloatArray  # combined, adjusted

    @property
    def adjustment(self) -> FloatArray:
        """Factor of the label on range and fuel economy [-], shape (vehicle,)."""
        adjusted = self.city_wh_per_km > 0.0
        return np.where(adjusted, self.city_unadjusted_wh_per_km / np.where(adjusted, self.city_wh_per_km, 1.0), 0.0)

    @property
    def combined_mpge(self) -> FloatArray:
        """Miles per gallon of gasoline equivalent, combined and adjusted, shape (vehicle,)."""
        return miles_per_gallon_equivalent(self.combined_wh_per_km)


def epa_label(parameters: VehicleParameters) -> Label:
    """Simulate UDDS and HWFET and derive the label."""
    results = simulate(parameters, ("udds", "hwfet"))
    city, highway = results.consumption_ac_wh_per_km.T
    return label_of(city, highway, *ranges_km(parameters, results).T)


def label_of(
    udds_ac_wh_per_km: Numbers,
    hwfet_ac_wh_per_km: Numbers,
    udds_range_km: Numbers,
    hwfet_range_km: Numbers,
    adjustment: Numbers = ADJUSTMENT,
) -> Label:
    """The label from two-cycle results, each of shape () or (vehicle,).

    Adjusted consumption = unadjusted / a; adjusted range = unadjusted · a; combined = 0.55 city + 0.45
    highway, for consumption per distance and for range alike. The factor a [-] is 0.7, or the car's own by
    `five_cycle.adjustment_factor`; 0 where the car cannot be driven, and so are then the adjusted values.
    """
    city, highway, city_range, highway_range, factor = (
        np.atleast_1d(np.asarray(value, dtype=np.float64))
        for value in (udds_ac_wh_per_km, hwfet_ac_wh_per_km, udds_range_km, hwfet_range_km, adjustment)
    )
    more = np.where(factor > 0.0, 1.0 / np.where(factor > 0.0, factor, 1.0), 0.0)
    return Label(
        city,
        highway,
        city_range,
        highway_range,
        city * more,
        highway * more,
        (CITY_WEIGHT * city + (1.0 - CITY_WEIGHT) * highway) * more,
        np.where(factor > 0.0, CITY_WEIGHT * city_range + (1.0 - CITY_WEIGHT) * highway_range, 0.0) * factor,
    )


def miles_per_gallon_equivalent(consumption_wh_per_km: Numbers) -> FloatArray:
    """MPGe of an AC consumption, 33.705 kWh per US gallon (40 CFR 600.002), shape (vehicle,)."""
    consumption = np.asarray(consumption_wh_per_km, dtype=np.float64)
    per_mile = np.maximum(consumption, 1e-9) * KM_PER_MILE / 1e3
    return KWH_PER_US_GALLON / per_mile
