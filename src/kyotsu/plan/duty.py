"""What a vehicle must still do with other parts: its requirements, and what it does as built where it states none.

A build serves its vehicle when every figure meets its limit. Each requirement has one judge:

    figures here     what a build does: mass, continuous power, charging time, range, top speed, gradeability, sprint
    `spec.fit`       whether parts fit, and whether what each mount and the bay ask for is stated and offered

The charging time is that of `sim.fast_charge`, as in a study. Check G1 has an estimate of its own from stated values,
for whoever has the specification alone; of that `serving` leaves only what nobody stated. Continuous power is of all
drives together; where nothing is required of it, check A3 judges it mount by mount. A figure that is not known (`NaN`:
a rating without continuous power) is judged by the fit alone, where check A7 is then unknown, and costs or refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from kyotsu.sim.fast_charge import charges
from kyotsu.sim.parameters import FloatArray, VehicleParameters, take
from kyotsu.sim.performance import (
    PEAK_TIME,
    TEST_SOC,
    acceleration_time_s,
    force_to_spare,
    gradeability_pct,
    motor_top_speed_km_h,
    top_speed_km_h,
)
from kyotsu.sim.step import supply_of
from kyotsu.spec.finding import Finding, Verdict
from kyotsu.spec.vehicle import Vehicle
from kyotsu.units import KMH_PER_MPS

Number = TypeVar("Number", bound=np.generic)

LAUNCH_KM_H = 1.0  # at which `gradeability_pct` asks for the grade
PART = 2048  # vehicles at a time: their arrays stay in the processor's cache

MASS, CONTINUOUS, CHARGING, RANGE = "curb_mass_kg", "continuous_power_kw", "charge_10_to_80_min", "range_km"

Direction = Literal["at least", "at most"]

# Figure, the requirement that bounds it, which way, its unit and its title; cheapest to compute first.
FIGURES: tuple[tuple[str, str, Direction, str, str], ...] = (
    (MASS, "max_curb_mass_kg", "at most", "kg", "curb mass"),
    (CONTINUOUS, CONTINUOUS, "at least", "kW", "continuous power"),
    (CHARGING, CHARGING, "at most", "min", "charging 10 to 80 %"),
    (RANGE, RANGE, "at least", "km", "range"),
    ("top_speed_km_h", "top_speed_km_h", "at least", "km/h", "top speed"),
    ("gradeability_pct", "gradeability_pct", "at least", "%", "gradeability"),
    ("zero_to_100_km_h_s", "zero_to_100_km_h_s", "at most", "s", "0 to 100 km/h"),
)
REQUIREMENT = {figure: name for figure, name, *_ in FIGURES}
SIMULATED: Mapping[str, Callable[[VehicleParameters], FloatArray]] = {
    "top_speed_km_h": top_speed_km_h,
    "gradeability_pct": gradeability_pct,
    "zero_to_100_km_h_s": acceleration_time_s,
}


@dataclass(frozen=True)
class Limit:
    """One figure's limit.

    Attributes:
        stated: False where it follows from the vehicle as built.
    """

    figure: str
    title: str
    direction: Direction
    limit: float
    unit: str
    stated: bool

    def met(self, value: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether values of any shape meet it; one that is not known is judged elsewhere, and does not miss it."""
        return np.logical_not(value < self.limit if self.direction == "at least" else value > self.limit)

    def shortfall(self, value: FloatArray) -> FloatArray:
        """How far values miss it, as a share of it; 0 where they meet it."""
        away = self.limit - value if self.direction == "at least" else value - self.limit
        return np.where(self.met(value), 0.0, away) / self.limit


def limits_of(vehicle: Vehicle, as_built: Mapping[str, float], accepted_loss: float) -> tuple[Limit, ...]:
    """The limits of a vehicle; a figure that it does not require may be worse than as built by the accepted loss.

    Not by that loss: a mass, which the bay limits; a continuous power of which every mount says what it asks. And a
    vehicle without direct-current charging has no limit for its time.
    """
    elsewhere = {MASS}
    if all(mount.continuous_power_kw is not None for mount in vehicle.eaxle_mounts):
        elsewhere.add(CONTINUOUS)
    found = []
    for figure, name, direction, unit, title in FIGURES:
        wanted = getattr(vehicle.requirements, name)
        own = as_built.get(figure, np.inf)
        if figure == CHARGING and not charges(vehicle):
            continue
        if wanted is not None:
            found.append(Limit(figure, title, direction, wanted, unit, stated=True))
        elif np.isfinite(own) and own > 0.0 and figure not in elsewhere:
            loss = 1.0 - accepted_loss if direction == "at least" else 1.0 + accepted_loss
            found.append(Limit(figure, title, direction, own * loss, unit, stated=False))
    return tuple(found)


def serving(vehicle: Vehicle, finding: Finding) -> Finding:
    """A finding of a battery's fit as the choice takes it: check G1 without its estimate of the charging time.

    Simulation judges that time. What the estimate would need and nobody stated stays unknown.
    """
    if finding.check != "G1" or not charges(vehicle):
        return finding
    left = tuple(item for item in finding.outcomes if item.unit != "min" or item.verdict is Verdict.UNKNOWN)
    return finding if len(left) == len(finding.outcomes) else replace(finding, outcomes=left)


def simulated(figure: str, parameters: VehicleParameters, threads: int = 2) -> FloatArray:
    """One of `SIMULATED` for many vehicles, a part at a time, shape (vehicle,)."""
    return _by_parts(SIMULATED[figure], parameters, threads)


def meets(limit: Limit, parameters: VehicleParameters, threads: int = 2) -> npt.NDArray[np.bool_]:
    """Whether vehicles meet a limit of one of `SIMULATED`, shape (vehicle,).

    Whether a speed or a grade can be held is one question; how fast or steep it can be, found by halving, is fifty.
    """
    holds = HOLDS.get(limit.figure)
    if holds is None:
        return limit.met(simulated(limit.figure, parameters, threads))
    return _by_parts(lambda part: holds(part, limit.limit), parameters, threads)


def _by_parts(
    function: Callable[[VehicleParameters], npt.NDArray[Number]], parameters: VehicleParameters, threads: int
) -> npt.NDArray[Number]:
    count = parameters.vehicle_count
    parts = [np.arange(first, min(first + PART, count)) for first in range(0, count, PART)]
    if len(parts) < 2:
        return function(parameters)
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate([*pool.map(lambda part: function(take(parameters, part)), parts)])


def _holds_speed(parameters: VehicleParameters, km_h: float) -> npt.NDArray[np.bool_]:
    """Whether the top speed is this or more."""
    left = _force_left(parameters, km_h, 0.0)
    return (left >= 0.0) & (motor_top_speed_km_h(parameters) >= km_h)


def _holds_grade(parameters: VehicleParameters, pct: float) -> npt.NDArray[np.bool_]:
    """Whether the gradeability is this or more."""
    if pct > 100.0:  # beyond the steepest that is looked at
        return np.zeros(parameters.vehicle_count, dtype=np.bool_)
    left = _force_left(parameters, LAUNCH_KM_H, pct / np.hypot(pct, 100.0))
    return (left >= 0.0) & (motor_top_speed_km_h(parameters) >= LAUNCH_KM_H)


def _force_left(parameters: VehicleParameters, km_h: float, slope_sine: float) -> FloatArray:
    count = parameters.vehicle_count
    supply = supply_of(parameters, np.full(count, TEST_SOC), np.full(count, PEAK_TIME))
    return force_to_spare(parameters, np.full(count, km_h / KMH_PER_MPS), np.full(count, slope_sine), supply)


HOLDS: Mapping[str, Callable[[VehicleParameters, float], npt.NDArray[np.bool_]]] = {
    "top_speed_km_h": _holds_speed,
    "gradeability_pct": _holds_grade,
}
