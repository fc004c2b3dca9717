"""What a vehicle can do flat out: acceleration, top speed, gradeability and range, from the limits of `step`.

Every function takes `VehicleParameters` and returns an array of shape (vehicle,), with the unit in its name.
Infinity means never; nothing raises and nothing is NaN. Power is peak power: how long it lasts is not
modelled.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from kyotsu.sim.cycles import Cycle
from kyotsu.sim.parameters import FloatArray, VehicleParameters
from kyotsu.sim.road import inertia, road_load
from kyotsu.sim.simulate import LEAST_DISTANCE_KM, Results, simulate
from kyotsu.sim.step import FLOOR_IT, Input, Moment, State, Supply, supply_of, wheel_forces
from kyotsu.units import J_PER_KWH, KMH_PER_MPS, STANDARD_GRAVITY

TEST_SOC = 0.8  # -, state of charge of performance tests here
PEAK_TIME = 10.0  # s that the battery has to hold its power; SAE J2908 averages over 8 to 10 s
SPEED_STEPS = 200  # of the acceleration integral
ENDLESS = 1e9  # A s; of a battery that stays at one state of charge
HALVINGS = 50  # of a bisection: 2^-50 of the range
TRANSFER_ROUNDS = 6  # of weight transfer and force; each is at least 3 times nearer


def acceleration_time_s(
    parameters: VehicleParameters, to_km_h: float = 100.0, from_km_h: float = 0.0, soc: float = TEST_SOC
) -> FloatArray:
    """Time from one speed to another on a level road [s], shape (vehicle,).

    t = ∫ M dv / (F(v) − R(v)) by the midpoint rule, F the most that tyres, motors and battery give.

    Args:
        parameters: the vehicles.
        to_km_h: speed at the end [km/h].
        from_km_h: speed at the start [km/h].
        soc: state of charge [-].

    Returns:
        Time [s]; infinity where the speed is never reached.
    """
    supply = _supply(parameters, soc)
    edges = np.linspace(from_km_h, to_km_h, SPEED_STEPS + 1) / KMH_PER_MPS
    mass = inertia(parameters.chassis)
    time = np.zeros(parameters.vehicle_count)
    for low, high in pairwise(edges):
        speed = np.full_like(time, 0.5 * (low + high))
        left = force_to_spare(parameters, speed, np.zeros_like(time), supply)
        time += np.where(left > 0.0, mass * (high - low) / np.where(left > 0.0, left, 1.0), np.inf)
    return np.where(motor_top_speed_km_h(parameters) < to_km_h, np.inf, time)


def top_speed_km_h(parameters: VehicleParameters, soc: float = TEST_SOC) -> FloatArray:
    """Highest speed that can be held on a level road [km/h], shape (vehicle,).

    The largest v with F(v) ≥ R(v), not above the motors' own top speed.
    """
    supply = _supply(parameters, soc)
    level = np.zeros(parameters.vehicle_count)
    high = np.minimum(motor_top_speed_km_h(parameters) / KMH_PER_MPS, 200.0)
    low = np.zeros_like(high)
    holds = force_to_spare(parameters, high, level, supply) >= 0.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        enough = force_to_spare(parameters, middle, level, supply) >= 0.0
        low, high = np.where(enough, middle, low), np.where(enough | holds, high, middle)
    return np.where(holds, high, low) * KMH_PER_MPS


def motor_top_speed_km_h(parameters: VehicleParameters) -> FloatArray:
    """Speed at which the first motor reaches its speed limit [km/h], shape (vehicle,)."""
    top = np.minimum(
        parameters.front.maximum_speed / parameters.front.gear_ratio,
        parameters.rear.maximum_speed / parameters.rear.gear_ratio,
    )
    return top * parameters.chassis.tyre_radius * KMH_PER_MPS


def gradeability_pct(parameters: VehicleParameters, at_km_h: float = 1.0, soc: float = TEST_SOC) -> FloatArray:
    """Steepest grade that can be held at a speed [%], shape (vehicle,).

    Root of F(v, θ) = R(v) + m g sin θ; the tyre limit sees the weight that the slope moves. At 1 km/h it is
    the grade that the vehicle can start on.

    Args:
        parameters: the vehicles.
        at_km_h: speed [km/h].
        soc: state of charge [-].

    Returns:
        100 tan θ [%], at most 100 (45 degrees); 0 where not even the level can be held.
    """
    supply = _supply(parameters, soc)
    speed = np.full(parameters.vehicle_count, at_km_h / KMH_PER_MPS)
    low, high = np.zeros_like(speed), np.full_like(speed, np.sqrt(0.5))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        enough = force_to_spare(parameters, speed, middle, supply) >= 0.0
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    grade = 100.0 * low / np.sqrt(1.0 - low * low)
    return np.where(motor_top_speed_km_h(parameters) < at_km_h, 0.0, grade)


def usable_energy_kwh(parameters: VehicleParameters) -> FloatArray:
    """Energy of the cells between the ends of the usable window, Q ∫ U_oc dz [kWh], shape (vehicle,)."""
    battery = parameters.battery
    grid = np.linspace(0.0, 1.0, battery.open_circuit_voltage.shape[1])
    fine = np.linspace(0.0, 1.0, 513)
    share = battery.soc_minimum[:, None] + fine * (battery.soc_maximum - battery.soc_minimum)[:, None]
    voltage = np.array([np.interp(z, grid, u) for z, u in zip(share, battery.open_circuit_voltage, strict=True)])
    charge = battery.capacity * (battery.soc_maximum - battery.soc_minimum)
    energy: FloatArray = charge * np.trapezoid(voltage, fine, axis=1) / J_PER_KWH
    return energy


def range_km(parameters: VehicleParameters, cycle: Cycle | str) -> FloatArray:
    """Distance on repeats of a cycle from full to empty [km], shape (vehicle,).

    Usable energy over the consumption of the cells, this held at half charge. 0 where the vehicle cannot move, infinity
    where the cycle gives more than it takes.
    """
    endless = parameters.battery._replace(capacity=np.full(parameters.vehicle_count, ENDLESS))
    results = simulate(parameters._replace(battery=endless), cycle, initial_soc=0.5)
    return ranges_km(parameters, results)[:, 0]


def ranges_km(parameters: VehicleParameters, results: Results) -> FloatArray:
    """Distance from full to empty on repeats of each cycle driven [km], shape (vehicle, cycle); see `full_range_km`."""
    return full_range_km(parameters, results.consumption_dc_wh_per_km, results.distance_km)


def full_range_km(
    parameters: VehicleParameters, consumption_dc_wh_per_km: FloatArray, distance_km: FloatArray
) -> FloatArray:
    """Distance from full to empty at a consumption: usable energy of the cells over it [km].

    Args:
        parameters: the vehicles.
        consumption_dc_wh_per_km: out of the cells [Wh/km], shape (vehicle,) or (vehicle, cycle).
        distance_km: on which it was found [km], of the same shape.

    Returns:
        Of the same shape; 0 where the vehicle did not move, infinity where it gains energy.
    """
    used = consumption_dc_wh_per_km
    energy = 1e3 * usable_energy_kwh(parameters).reshape(-1, *[1] * (used.ndim - 1))
    far = np.where(used > 0.0, energy / np.where(used > 0.0, used, 1.0), np.inf)
    return np.where(distance_km >= LEAST_DISTANCE_KM, far, 0.0)


def force_to_spare(
    parameters: VehicleParameters, speed: FloatArray, slope_sine: FloatArray, supply: Supply
) -> FloatArray:
    """Wheel force left over at full power after road and grade [N], shape (vehicle,).

    Args:
        parameters: the vehicles.
        speed: [m/s], shape (vehicle,).
        slope_sine: sine of the road's slope [-], shape (vehicle,).
        supply: what the battery offers.

    Returns:
        F − R − m g sin θ [N], with the weight moved by the acceleration that follows on a level road, and by
        the slope on a grade.
    """
    chassis = parameters.chassis
    against = road_load(chassis, speed, np.zeros_like(speed)) + chassis.mass * STANDARD_GRAVITY * slope_sine
    level = slope_sine <= 0.0
    second = np.ones_like(speed)
    acceleration = left = np.zeros_like(speed)
    for _ in range(TRANSFER_ROUNDS):
        start = State(speed - 0.5 * acceleration, second, second)
        asked = Input(speed, slope_sine, second, np.zeros_like(speed))
        moment = Moment(parameters, start, asked, supply)
        most = wheel_forces(moment, speed + 0.5 * acceleration, np.full_like(speed, FLOOR_IT))
        left = most.front + most.rear - against
        acceleration = np.where(level, np.maximum(left, 0.0) / inertia(chassis), 0.0)
    return left


def _supply(parameters: VehicleParameters, soc: float) -> Supply:
    size = parameters.vehicle_count
    return supply_of(parameters, np.full(size, soc), np.full(size, PEAK_TIME))
