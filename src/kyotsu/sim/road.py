"""What the road asks of a vehicle, and what the tyres can carry.

All functions are elementwise: arrays of shape (vehicle,) in numpy, scalars when compiled.
SI units without suffix: force [N], speed [m/s], mass [kg].
"""

from __future__ import annotations

import numpy as np

from kyotsu.sim.parameters import ChassisParameters, FloatArray
from kyotsu.units import STANDARD_GRAVITY


def road_load(chassis: ChassisParameters, speed: FloatArray, wind: FloatArray) -> FloatArray:
    """Rolling and air resistance on a level road, by coast-down coefficients.

    F = A + B v + C (v + w) |v + w|, zero at rest. 40 CFR 1066.301; the coefficients are used directly, C as that of
    the air alone and B of what turns.

    Args:
        chassis: parameters, each of shape (vehicle,).
        speed: mean speed of the step [m/s], shape (vehicle,).
        wind: head wind w, from behind negative [m/s], shape (vehicle,).

    Returns:
        Resisting force [N], shape (vehicle,); a strong wind from behind may push.
    """
    gust = (speed + wind) * np.abs(speed + wind) - speed * speed
    force = chassis.road_load_a + speed * (chassis.road_load_b + speed * chassis.road_load_c)
    return np.where(speed > 0.0, force + chassis.road_load_c * gust, 0.0)


def breakaway(chassis: ChassisParameters, wind: FloatArray) -> FloatArray:
    """The road load that a vehicle meets when it starts to roll, A + C w |w| [N], shape (vehicle,)."""
    return chassis.road_load_a + chassis.road_load_c * wind * np.abs(wind)


def grade_force(chassis: ChassisParameters, slope_sine: FloatArray) -> FloatArray:
    """Weight along the road, F = m g sin θ [N], shape (vehicle,); positive uphill."""
    return chassis.mass * STANDARD_GRAVITY * slope_sine


def inertia(chassis: ChassisParameters) -> FloatArray:
    """Mass plus the equivalent mass of all that turns, M = m + Σ J/r² [kg], shape (vehicle,)."""
    return chassis.mass + chassis.rotating_mass


def axle_loads(
    chassis: ChassisParameters, acceleration: FloatArray, slope_sine: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Normal force on the front and the rear axle with quasi-static weight transfer.

    N_front = m (g s cos θ − (a + g sin θ) h/L), N_rear = m g cos θ − N_front, neither below zero;
    s static front share, h height of the centre of gravity, L wheelbase.
    Gillespie, Fundamentals of Vehicle Dynamics (1992), chapter 1, without aerodynamic moment.

    Args:
        chassis: parameters, each of shape (vehicle,).
        acceleration: along the road [m/s²], shape (vehicle,).
        slope_sine: sine of the road's slope [-], shape (vehicle,).

    Returns:
        Front and rear normal force [N], each of shape (vehicle,).
    """
    across = STANDARD_GRAVITY * np.sqrt(np.maximum(1.0 - slope_sine * slope_sine, 0.0))
    moved = (acceleration + STANDARD_GRAVITY * slope_sine) * chassis.height_per_wheelbase
    front = np.minimum(np.maximum(chassis.front_load_share * across - moved, 0.0), across)
    return chassis.mass * front, chassis.mass * (across - front)
