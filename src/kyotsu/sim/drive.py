"""What motors, inverters and reducers can give, what they lose, and how two axles share.

All functions are elementwise: arrays of shape (vehicle,) in numpy, scalars when compiled.
SI units without suffix: force at the wheel [N], speed [m/s], shaft speed [rad/s], torque [N m], power [W].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kyotsu.sim.parameters import ChassisParameters, DriveParameters, FloatArray, LossParameters

# Which component limited: codes in results, ordered as they are listed in reports.
# From `battery_cold` on they say why a component gave less than its ratings; that happens in a climate only.
LIMITERS = (
    "none", "tyre", "motor_torque", "motor_power", "motor_speed", "battery", "battery_empty",
    "battery_cold", "battery_hot", "battery_low", "battery_voltage", "motor_hot", "inverter_hot", "motor_voltage",
)  # fmt: skip
NONE, TYRE, MOTOR_TORQUE, MOTOR_POWER, MOTOR_SPEED, BATTERY, BATTERY_EMPTY = (float(i) for i in range(7))
BATTERY_COLD, BATTERY_HOT, BATTERY_LOW, BATTERY_VOLTAGE = (float(i) for i in range(7, 11))
MOTOR_HOT, INVERTER_HOT, MOTOR_VOLTAGE = (float(i) for i in range(11, 14))

STANDSTILL = 1e-3  # m/s; under it the power limit of a motor does not bind
ROUNDING = 1e-6  # -, of a force; less than that wanting is no limit, but rounding in single precision
LEAST = 1e-30  # in any unit; keeps a division finite in single precision too


class AxleForces(NamedTuple):
    """Wheel force of both axles, signed, and which component limited; each of shape (vehicle,)."""

    front: FloatArray  # N
    rear: FloatArray  # N
    limiter: FloatArray  # code of LIMITERS


class ElectricTerms(NamedTuple):
    """Electrical power of both drives with all forces scaled by s, P(s) = idle + linear s + square s² [W]."""

    idle: FloatArray  # W, loss at no torque
    linear: FloatArray  # W
    square: FloatArray  # W


def shaft_speed(drive: DriveParameters, tyre_radius: FloatArray, speed: FloatArray) -> FloatArray:
    """Motor speed w = v i / r [rad/s], shape (vehicle,)."""
    return speed * drive.gear_ratio / tyre_radius


def shaft_torque(drive: DriveParameters, tyre_radius: FloatArray, force: FloatArray) -> FloatArray:
    """Motor torque T = F r / i [N m], shape (vehicle,); gear loss is in the drive's loss, not here."""
    return force * tyre_radius / drive.gear_ratio


def loss_terms(loss: LossParameters, speed: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The loss at one shaft speed as a parabola in torque, P_loss = p0 + p1 |T| + p2 T².

    p0 = c [w > 0] + c_w w + c_w2 w² + c_w3 w³, p1 = c_T + c_Tw w + c_Tw2 w², p2 = c_T2 + c_T2w w;
    the polynomial of `LossParameters`, ordered by torque.

    Args:
        loss: coefficients, each of shape (vehicle,).
        speed: shaft speed [rad/s], shape (vehicle,).

    Returns:
        p0 [W], p1 [W/(N m)], p2 [W/(N m)²], each of shape (vehicle,).
    """
    idle = np.where(speed > 0.0, loss.constant, 0.0)
    idle = idle + speed * (loss.speed + speed * (loss.speed2 + speed * loss.speed3))
    linear = loss.torque + speed * (loss.torque_speed + speed * loss.torque_speed2)
    return idle, linear, loss.torque2 + speed * loss.torque2_speed


def loss_power(loss: LossParameters, speed: FloatArray, torque: FloatArray) -> FloatArray:
    """Loss of motor, inverter and reducer [W] at shaft speed [rad/s] and torque [N m], shape (vehicle,)."""
    idle, linear, square = loss_terms(loss, speed)
    size = np.abs(torque)
    return idle + size * (linear + size * square)


def force_limit(
    drive: DriveParameters, tyre_radius: FloatArray, speed: FloatArray, grip: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Most wheel force of one axle, driving or braking alike.

    F = min(T_peak i / r, P_peak / v, μ N).

    Args:
        drive: parameters, each of shape (vehicle,).
        tyre_radius: [m], shape (vehicle,).
        speed: mean speed of the step [m/s], shape (vehicle,).
        grip: friction times normal force of the axle [N], shape (vehicle,).

    Returns:
        Force [N] and the code of what limits it, each of shape (vehicle,).
    """
    by_torque = drive.peak_torque * drive.gear_ratio / tyre_radius
    by_power = drive.peak_power / np.maximum(speed, STANDSTILL)
    motor = np.minimum(by_torque, by_power)
    code = np.where(by_torque <= by_power, MOTOR_TORQUE, MOTOR_POWER)
    return np.minimum(motor, grip), np.where(grip < motor, TYRE, code)


def least_loss_share(
    chassis: ChassisParameters, front: DriveParameters, rear: DriveParameters, asked: FloatArray, speed: FloatArray
) -> FloatArray:
    """Front axle's share of a wheel force at which both drives together lose least [-], shape (vehicle,).

    With the losses p1 k x + p2 k² x² of each axle at the force x (`loss_terms`, k = r/i) the sum is a parabola in
    the front force: x = (2 b_r F + a_r − a_f) / (2 (b_f + b_r)), a = p1 k, b = p2 k², within 0 to F. Where both
    are straight lines the flatter one takes all. Limits come later: what one axle cannot give the other does.

    Args:
        chassis: parameters, each of shape (vehicle,).
        front: parameters of the front drive.
        rear: parameters of the rear drive.
        asked: wheel force, driving or braking [N], shape (vehicle,).
        speed: mean speed of the step [m/s], shape (vehicle,).
    """
    size = np.maximum(np.abs(asked), LEAST)
    one, other = (
        axle_terms(front, chassis.tyre_radius, size, speed),
        axle_terms(rear, chassis.tyre_radius, size, speed),
    )
    curve = 2.0 * (one.square + other.square)
    best = (2.0 * other.square + other.linear - one.linear) / np.maximum(curve, LEAST)
    flatter = np.where(one.linear < other.linear, 1.0, np.where(one.linear > other.linear, 0.0, 0.5))
    share = np.where(curve > LEAST, np.minimum(np.maximum(best, 0.0), 1.0), flatter)
    return np.where(rear.peak_torque == 0.0, 1.0, np.where(front.peak_torque == 0.0, 0.0, share))


def share_force(
    front_share: FloatArray,
    asked: FloatArray,
    front_limit: tuple[FloatArray, FloatArray],
    rear_limit: tuple[FloatArray, FloatArray],
) -> AxleForces:
    """Split a wheel force over the axles: the front's share first, then what the other axle cannot take.

    Args:
        front_share: share of the force that the front axle is asked for [-], shape (vehicle,).
        asked: wheel force, driving positive, braking negative [N], shape (vehicle,).
        front_limit: most force of the front axle [N] and its code, each of shape (vehicle,).
        rear_limit: most force of the rear axle [N] and its code, each of shape (vehicle,).

    Returns:
        Forces with the sign of `asked`; the code is that of the stronger axle where both are at their limit,
        the first in `LIMITERS` of axles equally strong.
    """
    size = np.abs(asked)
    front = np.minimum(front_share * size, front_limit[0])
    rear = np.minimum(size - front, rear_limit[0])
    front = np.minimum(size - rear, front_limit[0])
    code = np.where(front_limit[0] > rear_limit[0], front_limit[1], rear_limit[1])
    code = np.where(front_limit[0] == rear_limit[0], np.minimum(front_limit[1], rear_limit[1]), code)
    sign = np.where(asked < 0.0, -1.0, 1.0)
    short = size - (front + rear) > ROUNDING * size
    return AxleForces(sign * front, sign * rear, np.where(short, code, NONE))


def electric_terms(
    chassis: ChassisParameters,
    front: DriveParameters,
    rear: DriveParameters,
    forces: AxleForces,
    speed: FloatArray,
) -> ElectricTerms:
    """Electrical power of both drives as a parabola in a common scale s of their forces.

    P(s) = Σ p0 + s (F v + Σ p1 |T|) + s² Σ p2 T², from `loss_terms` of each axle.

    Args:
        chassis: parameters, each of shape (vehicle,).
        front: parameters of the front drive.
        rear: parameters of the rear drive.
        forces: wheel forces [N].
        speed: mean speed of the step [m/s], shape (vehicle,).

    Returns:
        Coefficients [W], each of shape (vehicle,); the power at the forces given is their sum.
    """
    one = axle_terms(front, chassis.tyre_radius, forces.front, speed)
    other = axle_terms(rear, chassis.tyre_radius, forces.rear, speed)
    linear = one.linear + other.linear + (forces.front + forces.rear) * speed
    return ElectricTerms(one.idle + other.idle, linear, one.square + other.square)


def axle_terms(drive: DriveParameters, tyre_radius: FloatArray, force: FloatArray, speed: FloatArray) -> ElectricTerms:
    """Loss of one axle as a parabola in a scale of its force, Σ p0 + s p1 |T| + s² p2 T² [W]; see `loss_terms`."""
    idle, linear, square = loss_terms(drive.loss, shaft_speed(drive, tyre_radius, speed))
    torque = np.abs(shaft_torque(drive, tyre_radius, force))
    return ElectricTerms(idle, linear * torque, square * torque * torque)


def electric_scale(terms: ElectricTerms, low: FloatArray, high: FloatArray) -> FloatArray:
    """The largest scale s in 0..1 at which the drives' power stays between `low` and `high`.

    Root of idle + linear s + square s² = limit, in the form that is stable for a vanishing square.

    Args:
        terms: power of the drives over s.
        low: least electrical power, the charge limit, not above zero [W], shape (vehicle,).
        high: most electrical power [W], shape (vehicle,).

    Returns:
        Scale [-], shape (vehicle,); 1 where no limit binds, 0 where not even the idle loss can be met.
    """
    full = terms.idle + terms.linear + terms.square
    braking = terms.linear < 0.0
    limit = np.where((full > high) & ~braking, high, low)
    slack = limit - terms.idle
    slope = np.abs(terms.linear) + np.sqrt(np.maximum(terms.linear * terms.linear + 4.0 * terms.square * slack, 0.0))
    root = 2.0 * np.abs(slack) / np.maximum(slope, LEAST)
    # Past the lowest point of the parabola more braking gives less power back.
    lowest = np.abs(terms.linear) / np.maximum(2.0 * terms.square, LEAST)
    root = np.where(braking, np.minimum(root, lowest), root)
    scale = np.where((full > high) | (full < low), np.minimum(root, 1.0), 1.0)
    return np.where((terms.idle > high) & (full > high), 0.0, scale)
