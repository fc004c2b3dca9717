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

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.sim.parameters import FloatArray, VehicleParameters
from kyotsu.sim.performance import top_speed_km_h
from kyotsu.sim.phases import PhaseResults, drive_phases, ranges_km, whole_test, wltc_test

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


def drive_wltc(parameters: VehicleParameters) -> tuple[PhaseResults, npt.NDArray[np.bool_]]:
    """Drive the WLTC that each vehicle's top speed asks for.

    Returns:
        Results with the phases `PHASES`; and whether class 3a was driven, shape (vehicle,).
    """
    slow = top_speed_km_h(parameters) < CLASS_3B_SPEED
    needed = {name: wltc_test(name) for name, some in (("wltc_3a", slow), ("wltc_3b", ~slow)) if some.any()}
    results = list(drive_phases(parameters, needed).values())
    if len(results) == 1:
        return results[0], slow
    first, second = results
    merged = {
        name: np.where(slow[:, None], getattr(first, name), getattr(second, name))
        for name in ("energy_ac_wh", "energy_dc_wh", "distance_km")
    }
    return PhaseResults(PHASES, **merged, validity=np.where(slow, first.validity, second.validity)), slow


def wltp_label(
    parameters: VehicleParameters, wltc: tuple[PhaseResults, npt.NDArray[np.bool_]] | None = None
) -> WltpLabel:
    """WLTP of Europe.

    Args:
        parameters: the vehicles, with the mass and road load to be rated.
        wltc: what `drive_wltc` gave; by default it is driven now.
    """
    driven, class_3a = wltc or drive_wltc(parameters)
    return WltpLabel(
        combined=rating(parameters, driven),
        city=rating(parameters, driven, *CITY),
        low=rating(parameters, driven, "low"),
        medium=rating(parameters, driven, "medium"),
        high=rating(parameters, driven, "high"),
        extra_high=rating(parameters, driven, "extra_high"),
        class_3a=class_3a,
        validity=driven.validity,
    )


def japan_label(
    parameters: VehicleParameters, wltc: tuple[PhaseResults, npt.NDArray[np.bool_]] | None = None
) -> JapanLabel:
    """Japan's WLTC and JC08.

    Args:
        parameters: the vehicles, with the mass and road load to be rated.
        wltc: what `drive_wltc` gave; by default it is driven now.
    """
    driven, _ = wltc or drive_wltc(parameters)
    jc08 = drive_phases(parameters, {"jc08": whole_test("jc08")})["jc08"]
    return JapanLabel(
        wltc=rating(parameters, driven, *JAPAN),
        urban=rating(parameters, driven, "low"),
        suburban=rating(parameters, driven, "medium"),
        motorway=rating(parameters, driven, "high"),
        jc08=rating(parameters, jc08),
        validity=driven.validity | jc08.validity,
    )


def rating(parameters: VehicleParameters, driven: PhaseResults, *names: str) -> Rating:
    """Consumption and range on the phases named, repeated from full to empty; on all of them when none is."""
    range_km = ranges_km(parameters, driven, *names)
    return Rating(driven.consumption_ac_wh_per_km(*names), range_km)
