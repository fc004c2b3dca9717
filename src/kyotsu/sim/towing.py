"""A trailer behind a vehicle: the same vehicle with more to pull."""

from __future__ import annotations

import numpy as np

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.parameters import FloatArray, Numbers, VehicleParameters
from kyotsu.units import STANDARD_GRAVITY

AIR_DENSITY = 1.204  # kg/m³ at 20 degC and 1013 hPa
LIMITS = {"trailer_mass_kg": (0.0, 1e5), "trailer_drag_area_m2": (0.0, 50.0), "rolling_resistance": (0.0, 0.1)}


def towing(
    vehicles: VehicleParameters,
    *,
    trailer_mass_kg: Numbers,
    trailer_drag_area_m2: Numbers,
    rolling_resistance: Numbers = 0.01,
) -> VehicleParameters:
    """The vehicles with a trailer of its own wheels; each argument of shape () or (vehicle,).

    A grows by c_r m g, C by ½ ρ c_d A of the trailer; mass and slope act on both. What tyres carry and what the
    motors are asked for in braking stays that of the vehicle: friction and deceleration shrink with the masses'
    ratio. The load on the coupling and the turning mass of the trailer's wheels are left out.

    Args:
        vehicles: that tow.
        trailer_mass_kg: mass of the trailer [kg].
        trailer_drag_area_m2: what the trailer adds to drag coefficient times frontal area [m²].
        rolling_resistance: coefficient of the trailer's tyres [-].

    Raises:
        InputError: a value is not a number, or out of its range; with every problem.
    """
    given = {
        "trailer_mass_kg": trailer_mass_kg,
        "trailer_drag_area_m2": trailer_drag_area_m2,
        "rolling_resistance": rolling_resistance,
    }
    problems, values = [], []
    for name, value in given.items():
        low, high = LIMITS[name]
        array = np.asarray(value, dtype=np.float64)
        wrong = ~((array >= low) & (array <= high))
        if wrong.any():
            found = f"{np.atleast_1d(array)[np.atleast_1d(wrong)][0]:g}"
            problems.append(Problem(Location(key=name), found, f"{low:g} to {high:g}", "Correct the value."))
        elif array.ndim and array.shape != (vehicles.vehicle_count,):
            found, expected = f"shape {array.shape}", f"one, or {vehicles.vehicle_count}"
            problems.append(Problem(Location(key=name), found, expected, "Give one for each vehicle."))
        values.append(array)
    if problems:
        raise InputError(problems)
    mass, area, rolling = values
    chassis = vehicles.chassis
    alone: FloatArray = chassis.mass / (chassis.mass + mass)
    return vehicles._replace(
        chassis=chassis._replace(
            mass=chassis.mass + mass,
            road_load_a=chassis.road_load_a + rolling * STANDARD_GRAVITY * mass,
            road_load_c=chassis.road_load_c + 0.5 * AIR_DENSITY * area,
            friction=chassis.friction * alone,
            regeneration_deceleration=chassis.regeneration_deceleration * alone,
        )
    )
