"""What a vehicle must still do with other parts: its requirements, and what it does as built where it states none.

A build serves its vehicle when every figure meets its limit. Charging time, continuous power, the voltage window and
peak power of battery and axles are judged by `spec.fit`; what is simulated is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from kyotsu.sim.parameters import FloatArray, VehicleParameters, take
from kyotsu.sim.performance import acceleration_time_s, gradeability_pct, top_speed_km_h
from kyotsu.spec.vehicle import Vehicle

PART = 2048  # vehicles at a time: their arrays stay in the processor's cache

Direction = Literal["at least", "at most"]

# Figure, the requirement that bounds it, which way, its unit and its title; cheapest to compute first.
FIGURES: tuple[tuple[str, str, Direction, str, str], ...] = (
    ("curb_mass_kg", "max_curb_mass_kg", "at most", "kg", "curb mass"),
    ("range_km", "range_km", "at least", "km", "range"),
    ("top_speed_km_h", "top_speed_km_h", "at least", "km/h", "top speed"),
    ("gradeability_pct", "gradeability_pct", "at least", "%", "gradeability"),
    ("zero_to_100_km_h_s", "zero_to_100_km_h_s", "at most", "s", "0 to 100 km/h"),
)
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
        """Whether values of any shape meet it."""
        return value >= self.limit if self.direction == "at least" else value <= self.limit

    def shortfall(self, value: FloatArray) -> FloatArray:
        """How far values miss it, as a share of it; 0 where they meet it."""
        away = self.limit - value if self.direction == "at least" else value - self.limit
        return np.maximum(away, 0.0) / self.limit


def limits_of(vehicle: Vehicle, as_built: Mapping[str, float], accepted_loss: float) -> tuple[Limit, ...]:
    """The limits of a vehicle; a figure that it does not require may be worse than as built by the accepted loss."""
    found = []
    for figure, name, direction, unit, title in FIGURES:
        wanted = getattr(vehicle.requirements, name)
        own = as_built.get(figure, np.inf)
        if wanted is not None:
            found.append(Limit(figure, title, direction, wanted, unit, stated=True))
        elif np.isfinite(own) and own > 0.0 and figure != "curb_mass_kg":
            loss = 1.0 - accepted_loss if direction == "at least" else 1.0 + accepted_loss
            found.append(Limit(figure, title, direction, own * loss, unit, stated=False))
    return tuple(found)


def simulated(figure: str, parameters: VehicleParameters, threads: int = 2) -> FloatArray:
    """One of `SIMULATED` for many vehicles, a part at a time, shape (vehicle,)."""
    function, count = SIMULATED[figure], parameters.vehicle_count
    parts = [np.arange(first, min(first + PART, count)) for first in range(0, count, PART)]
    if len(parts) < 2:
        return function(parameters)
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate([*pool.map(lambda part: function(take(parameters, part)), parts)])
