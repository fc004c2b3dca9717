"""Ratings of Europe and Japan: consumption at the wall and range from full to empty on one repeated cycle.

In: vehicles, or what they used on tests. Out: `Rating`s. For pure electric vehicles (UN GTR 15, annex 8,
4.3.4 and 4.4.2; UN R154; Regulation (EU) 2017/1151, annex XXI):

    PER = UBE / EC_DC     range: usable energy of the battery over consumption out of it
    EC  = E_AC / PER      consumption: energy from the wall that refills the battery over range

With UBE / E_AC the charge efficiency, EC is the consumption out of the battery over the charge efficiency.
City values take low and medium phases alone. Every electric vehicle is of class 3 (annex 1, 2.3.1): class 3a
with a top speed under 120 km/h, else 3b. Japan leaves out the extra high phase, as annex 1 lets a contracting
party do; until 2018 it rated on JC08 in the same way. The vehicle's mass and road load are those given:
WLTP's own test mass and coast-down are not those of the EPA.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.sim.parameters import FloatArray, VehicleParameters
from kyotsu.sim.performance import top_speed_km_h
from kyotsu.sim.phases import PhasedCycle, PhaseResults, drive_phases, phase_range_km, whole_test, wltc_test

CLASS_3B_SPEED = 120.0  # km/h, least top speed of class 3b; UN GTR 15, annex 1, 3.3
PHASES = ("low", "medium", "high", "extra_high")
CITY = ("low", "medium")
JAPAN = ("low", "medium", "high")


class Rating(NamedTuple):
    """What one procedure says of vehicles; each of shape (vehicle,)."""

    consumption_ac_wh_per_km: FloatArray
    range_km: FloatArray


class WltpLabel(NamedTuple):
    """WLTP of Europe; a rating for the whole and one for each phase."""

    combined: Rating
    city: Rating
    low: Rating
    medium: Rating
    high: Rating
    extra_high: Rating
    class_3a: npt.NDArray[np.bool_]  # whether the cycle of class 3a was driven, shape (vehicle,)
    validity: npt.NDArray[np.int64]  # flags of `simulate.Validity`, shape (vehicle,)


class JapanLabel(NamedTuple):
    """Japan's WLTC, with its phases by Japan's names, and JC08."""

    wltc: Rating
    urban: Rating  # low
    suburban: Rating  # medium
    motorway: Rating  # high
    jc08: Rating
    validity: npt.NDArray[np.int64]  # flags of `simulate.Validity`, shape (vehicle,)


def wltc_tests(parameters: VehicleParameters) -> dict[str, PhasedCycle]:
    """The WLTC that the vehicles' top speeds ask for, one or both of class 3, by name."""
    slow = is_class_3a(parameters)
    return {name: wltc_test(name) for name, some in (("wltc_3a", slow), ("wltc_3b", ~slow)) if some.any()}


def is_class_3a(parameters: VehicleParameters) -> npt.NDArray[np.bool_]:
    """Whether the WLTC of class 3a is a vehicle's, shape (vehicle,)."""
    return np.asarray(top_speed_km_h(parameters) < CLASS_3B_SPEED)


def wltp_label(parameters: VehicleParameters, driven: Mapping[str, PhaseResults] | None = None) -> WltpLabel:
    """WLTP of Europe.

    Args:
        parameters: the vehicles, with the mass and road load to be rated.
        driven: results of `wltc_tests`; by default they are driven now.
    """
    driven = driven or drive_phases(parameters, wltc_tests(parameters))
    wltc, class_3a = _wltc(parameters, driven)
    return WltpLabel(
        combined=rating(parameters, wltc),
        city=rating(parameters, wltc, *CITY),
        low=rating(parameters, wltc, "low"),
        medium=rating(parameters, wltc, "medium"),
        high=rating(parameters, wltc, "high"),
        extra_high=rating(parameters, wltc, "extra_high"),
        class_3a=class_3a,
        validity=wltc.validity,
    )


def japan_label(parameters: VehicleParameters, driven: Mapping[str, PhaseResults] | None = None) -> JapanLabel:
    """Japan's WLTC and JC08.

    Args:
        parameters: the vehicles, with the mass and road load to be rated.
        driven: results of `wltc_tests` and of `jc08`; by default they are driven now.
    """
    driven = driven or drive_phases(parameters, {**wltc_tests(parameters), "jc08": whole_test("jc08")})
    wltc, _ = _wltc(parameters, driven)
    return JapanLabel(
        wltc=rating(parameters, wltc, *JAPAN),
        urban=rating(parameters, wltc, "low"),
        suburban=rating(parameters, wltc, "medium"),
        motorway=rating(parameters, wltc, "high"),
        jc08=rating(parameters, driven["jc08"]),
        validity=wltc.validity | driven["jc08"].validity,
    )


def rating(parameters: VehicleParameters, driven: PhaseResults, *names: str) -> Rating:
    """Consumption and range on the phases named, repeated from full to empty; on all of them when none is."""
    range_km = phase_range_km(parameters, driven, *names)
    return Rating(driven.consumption_ac_wh_per_km(*names), range_km)


def _wltc(
    parameters: VehicleParameters, driven: Mapping[str, PhaseResults]
) -> tuple[PhaseResults, npt.NDArray[np.bool_]]:
    """Each vehicle's results on the WLTC of its class, and whether that is 3a."""
    found = {name: driven[name] for name in ("wltc_3a", "wltc_3b") if name in driven}
    if len(found) == 1:
        ((name, only),) = found.items()
        return only, np.full(parameters.vehicle_count, name == "wltc_3a")
    slow, first, second = is_class_3a(parameters), *found.values()
    merged = {
        name: np.where(slow[:, None], getattr(first, name), getattr(second, name))
        for name in ("energy_ac_wh", "energy_dc_wh", "distance_km")
    }
    return PhaseResults(PHASES, **merged, validity=np.where(slow, first.validity, second.validity)), slow
