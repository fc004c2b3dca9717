"""One step in a climate: what temperature, voltage and charge leave of the ratings, and what the losses warm.

A layer around `step`. Before it `conditions` derives from the warm parts what the vehicle can give and take in this
step: derated parameters, the pack's voltage behind its overvoltage, and what heating and cooling draw. After it
`warmed` turns the losses into temperatures. Each part is one mass that gives off heat to the ambient air,

    C dT/dt = Q − G (T − T_ambient),

and each pair of the pack's circuit relaxes towards its resistance times the current; both are integrated exactly for
a heat and a current that stay during the step (`Response`), so that no length of a step is unstable and long steps
end in the steady state. A thermostat asks for the power that brings its part to the goal in this step, or for all it
has. The pack's loss is I (U_oc − U), Bernardi, Pawlikowski and Newman, J. Electrochem. Soc. 132 (1985) 5, without
the reversible heat.

All functions are elementwise: arrays of shape (vehicle,) in numpy, scalars when compiled. SI units without suffix:
temperature [K], power and heat [W], voltage [V].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kyotsu.sim.battery import arrhenius, mean_remaining, remaining, table_value
from kyotsu.sim.drive import (
    BATTERY,
    BATTERY_COLD,
    BATTERY_HOT,
    BATTERY_LOW,
    BATTERY_VOLTAGE,
    INVERTER_HOT,
    LEAST,
    MOTOR_HOT,
    MOTOR_POWER,
    MOTOR_TORQUE,
    MOTOR_VOLTAGE,
    AxleForces,
    axle_terms,
)
from kyotsu.sim.parameters import BatteryParameters, DriveParameters, VehicleParameters, bare
from kyotsu.sim.step import Flows, Input, Moment, State, Supply, driven, motion, settle, supply_from
from kyotsu.sim.thermal_parameters import BatteryThermal, DriveThermal, FloatArray, ThermalParameters


class Weather(NamedTuple):
    """What stays the same during a drive in a climate; each of shape (vehicle,)."""

    ambient: FloatArray  # K
    solar: FloatArray  # W, sun into the cabin
    cabin_goal: FloatArray  # K
    cabin_heating: FloatArray  # W, most heat; 0 with heating and cooling off
    cabin_cooling: FloatArray  # W, most heat taken out
    heating_effort: FloatArray  # -, electrical power per heat brought in
    cooling_effort: FloatArray  # -, electrical power per heat taken out
    blower: FloatArray  # W


class Inside(NamedTuple):
    """What a vehicle carries from step to step in a climate, beside `State`."""

    fast: FloatArray  # V, over the fast pair
    slow: FloatArray  # V, over the slow pair
    battery: FloatArray  # K
    front_motor: FloatArray  # K
    front_inverter: FloatArray  # K
    rear_motor: FloatArray  # K
    rear_inverter: FloatArray  # K
    cabin: FloatArray  # K


class Response(NamedTuple):
    """How pairs and parts answer in one step of a given length: what is left of a deviation, and how much one watt
    warms."""

    fast_left: FloatArray  # -
    fast_mean: FloatArray  # -, left in the mean over the step
    slow_left: FloatArray  # -
    slow_mean: FloatArray  # -
    battery_left: FloatArray  # -
    battery_rise: FloatArray  # K/W
    battery_hold: FloatArray  # W/K, its inverse
    front_motor_left: FloatArray  # -
    front_motor_rise: FloatArray  # K/W
    front_inverter_left: FloatArray  # -
    front_inverter_rise: FloatArray  # K/W
    rear_motor_left: FloatArray  # -
    rear_motor_rise: FloatArray  # K/W
    rear_inverter_left: FloatArray  # -
    rear_inverter_rise: FloatArray  # K/W
    cabin_left: FloatArray  # -
    cabin_rise: FloatArray  # K/W
    cabin_hold: FloatArray  # W/K


class Reasons(NamedTuple):
    """What to name when a limit binds: codes of `LIMITERS`, each of shape (vehicle,)."""

    battery: FloatArray
    torque: FloatArray
    power: FloatArray


class Comfort(NamedTuple):
    """Heat asked for, and what it draws [W]; each of shape (vehicle,)."""

    cabin: FloatArray  # into the cabin, cooling negative
    battery: FloatArray  # into the battery, cooling negative
    hvac: FloatArray  # electrical, of the cabin
    conditioning: FloatArray  # electrical, of the battery


class Conditions(NamedTuple):
    """What a vehicle can give and take in one step."""

    parameters: VehicleParameters  # derated
    supply: Supply
    overvoltage: FloatArray  # V, mean over the step of what the pairs carried before
    reasons: Reasons


class Losses(NamedTuple):
    """What a step brings into the parts; each of shape (vehicle,)."""

    current: FloatArray  # A, out of the cells
    battery: FloatArray  # W
    front: FloatArray  # W, loss of the front drive
    rear: FloatArray  # W
    fed: FloatArray  # -, share of heating and cooling that the battery could feed


class Heat(NamedTuple):
    """Mean powers of heating, cooling and giving off in one step [W]; each of shape (vehicle,)."""

    hvac: FloatArray  # electrical, for the cabin
    conditioning: FloatArray  # electrical, for the battery
    cabin: FloatArray  # heat into the cabin, cooling negative
    battery: FloatArray  # heat into the battery from its heater, cooling negative


def part_response(capacity: FloatArray, conductance: FloatArray, duration: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What is left of an excess temperature [-], and the rise by one watt [K/W], at the end of a step."""
    time_constant = capacity / np.maximum(conductance, LEAST_CONDUCTANCE)
    return remaining(duration, time_constant), duration / capacity * mean_remaining(duration, time_constant)


LEAST_CONDUCTANCE = 1e-12  # W/K; a part that gives nothing off


def response_of(parameters: VehicleParameters, duration: FloatArray) -> Response:
    """The response of vehicles to a step of `duration` [s]; each of shape (vehicle,)."""
    circuit, thermal = parameters.circuit, parameters.thermal
    battery, front, rear, cabin = thermal.battery, thermal.front, thermal.rear, thermal.cabin
    battery_left, battery_rise = part_response(battery.heat_capacity, battery.conductance, duration)
    front_motor_left, front_motor_rise = part_response(front.motor_capacity, front.motor_conductance, duration)
    front_inverter_left, front_inverter_rise = part_response(
        front.inverter_capacity, front.inverter_conductance, duration
    )
    rear_motor_left, rear_motor_rise = part_response(rear.motor_capacity, rear.motor_conductance, duration)
    rear_inverter_left, rear_inverter_rise = part_response(rear.inverter_capacity, rear.inverter_conductance, duration)
    cabin_left, cabin_rise = part_response(cabin.heat_capacity, cabin.conductance, duration)
    return Response(
        remaining(duration, circuit.fast_time),
        mean_remaining(duration, circuit.fast_time),
        remaining(duration, circuit.slow_time),
        mean_remaining(duration, circuit.slow_time),
        battery_left,
        battery_rise,
        1.0 / np.maximum(battery_rise, LEAST_RISE),
        front_motor_left,
        front_motor_rise,
        front_inverter_left,
        front_inverter_rise,
        rear_motor_left,
        rear_motor_rise,
        rear_inverter_left,
        rear_inverter_rise,
        cabin_left,
        cabin_rise,
        1.0 / np.maximum(cabin_rise, LEAST_RISE),
    )


LEAST_RISE = 1e-18  # K/W; of a step of no length


def part_after(
    temperature: FloatArray, ambient: FloatArray, heat: FloatArray, left: FloatArray, rise: FloatArray
) -> FloatArray:
    """Temperature of a part after a step, T_a + (T − T_a) e^(−Δt G/C) + Q (1 − e^(−Δt G/C))/G [K]."""
    return ambient + (temperature - ambient) * left + heat * rise


def ramp(value: FloatArray, zero: FloatArray, slope: FloatArray) -> FloatArray:
    """Linear factor from 0 at `zero`, rising with `slope`, to 1 [-]."""
    return np.minimum(np.maximum((value - zero) * slope, 0.0), 1.0)


def comfort(parameters: VehicleParameters, weather: Weather, response: Response, inside: Inside) -> Comfort:
    """Heat for cabin and battery: what brings them to their goals in this step, or all there is.

    The cabin has one goal; the battery is heated under one temperature, cooled over another, and left alone between.
    """
    battery, ambient = parameters.thermal.battery, weather.ambient
    free = part_after(inside.cabin, ambient, weather.solar, response.cabin_left, response.cabin_rise)
    cabin = (weather.cabin_goal - free) * response.cabin_hold
    warming = np.minimum(np.maximum(cabin, 0.0), weather.cabin_heating)
    cooling = np.minimum(np.maximum(-cabin, 0.0), weather.cabin_cooling)
    pack = part_after(inside.battery, ambient, np.zeros_like(ambient), response.battery_left, response.battery_rise)
    heater = np.minimum(np.maximum((battery.heat_below - pack) * response.battery_hold, 0.0), battery.heater_power)
    cooler = np.minimum(np.maximum((pack - battery.cool_above) * response.battery_hold, 0.0), battery.cooler_power)
    return Comfort(
        warming - cooling,
        heater - cooler,
        warming * weather.heating_effort + cooling * weather.cooling_effort + weather.blower,
        heater + cooler * weather.cooling_effort,
    )


def derated_battery(
    battery: BatteryParameters, thermal: BatteryThermal, temperature: FloatArray, soc: FloatArray
) -> tuple[BatteryParameters, FloatArray]:
    """The pack with the currents that temperature and charge leave it, and what holds its discharge back most."""
    cold = ramp(temperature, thermal.discharge_cold, thermal.discharge_cold_slope)
    hot = ramp(thermal.hot, temperature, thermal.hot_slope)
    low = ramp(soc, thermal.discharge_low, thermal.discharge_low_slope)
    out = np.minimum(np.minimum(cold, hot), low)
    into = np.minimum(
        np.minimum(ramp(temperature, thermal.charge_cold, thermal.charge_cold_slope), hot),
        ramp(thermal.charge_high, soc, thermal.charge_high_slope),
    )
    reason = np.where(cold <= out, BATTERY_COLD, np.where(hot <= out, BATTERY_HOT, BATTERY_LOW))
    derated = BatteryParameters(
        battery.open_circuit_voltage,
        battery.resistance,
        battery.capacity,
        battery.voltage_minimum,
        battery.voltage_maximum,
        battery.discharge_current * out,
        battery.charge_current * into,
        battery.soc_minimum,
        battery.soc_maximum,
        battery.charge_efficiency,
    )
    return derated, np.where(out < 1.0, reason, BATTERY)


def derated_drive(
    drive: DriveParameters,
    thermal: DriveThermal,
    motor: FloatArray,
    inverter: FloatArray,
    voltage: FloatArray,
) -> tuple[DriveParameters, FloatArray, FloatArray]:
    """A drive with what temperatures and voltage leave it, and the factors of torque by heat and of power by voltage.

    Peak power is that of a rated voltage and falls in proportion below it.
    """
    heat = np.minimum(
        ramp(thermal.motor_hot, motor, thermal.motor_hot_slope),
        ramp(thermal.inverter_hot, inverter, thermal.inverter_hot_slope),
    )
    weak = np.minimum(voltage * thermal.per_rated_voltage, 1.0)
    derated = DriveParameters(
        drive.gear_ratio,
        drive.peak_torque * heat,
        drive.peak_power * np.minimum(heat, weak),
        drive.maximum_speed,
        drive.loss,
    )
    return derated, heat, weak


def drive_reasons(
    parameters: VehicleParameters, inside: Inside, heats: tuple[FloatArray, FloatArray], weak: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What to name when torque or power of the drives binds: of the axle held back more, its hotter part."""
    front, rear = parameters.thermal.front, parameters.thermal.rear
    behind = heats[1] < heats[0]
    heat = np.minimum(heats[0], heats[1])
    motor = np.where(
        behind,
        ramp(rear.motor_hot, inside.rear_motor, rear.motor_hot_slope),
        ramp(front.motor_hot, inside.front_motor, front.motor_hot_slope),
    )
    hot = np.where(motor <= heat, MOTOR_HOT, INVERTER_HOT)
    torque = np.where(heat < 1.0, hot, MOTOR_TORQUE)
    power = np.where(weak < heat, MOTOR_VOLTAGE, np.where(heat < 1.0, hot, MOTOR_POWER))
    return torque, power


def warm_resistance(parameters: VehicleParameters, inside: Inside, resistance: FloatArray) -> FloatArray:
    """The pack's resistance at its temperature [ohm], from that at 25 degC; see `battery.arrhenius`."""
    return resistance * arrhenius(parameters.circuit.activation, inside.battery)


def conditions(
    parameters: VehicleParameters,
    response: Response,
    inside: Inside,
    charge: tuple[FloatArray, FloatArray, FloatArray],
    wanted: Comfort,
    duration: FloatArray,
) -> Conditions:
    """What vehicles can give and take in a step.

    With a constant current over the step the pairs' mean voltage is v m + R_k I (1 − m), m from `mean_remaining`: so
    the pack is a source of U_oc − Σ v m behind R_0 + Σ R_k (1 − m).

    Args:
        parameters: the vehicles.
        response: of this length of step.
        inside: pairs and temperatures at the start of the step.
        charge: state of charge [-], and there open-circuit voltage [V] and `warm_resistance` [ohm].
        wanted: heat asked for, and what it draws.
        duration: of the step [s].
    """
    circuit, thermal = parameters.circuit, parameters.thermal
    soc, voltage, warm = charge
    at_once = 1.0 - circuit.fast_share * response.fast_mean - circuit.slow_share * response.slow_mean
    overvoltage = inside.fast * response.fast_mean + inside.slow * response.slow_mean
    behind = voltage - overvoltage
    battery, battery_reason = derated_battery(parameters.battery, thermal.battery, inside.battery, soc)
    front, front_heat, front_weak = derated_drive(
        parameters.front, thermal.front, inside.front_motor, inside.front_inverter, behind
    )
    rear, rear_heat, rear_weak = derated_drive(
        parameters.rear, thermal.rear, inside.rear_motor, inside.rear_inverter, behind
    )
    auxiliary = parameters.chassis.auxiliary_power + wanted.hvac + wanted.conditioning
    supply = supply_from(battery, auxiliary, behind, warm * at_once, soc, duration)
    by_voltage = (behind - battery.voltage_minimum) < battery.discharge_current * warm * at_once
    torque, power = drive_reasons(parameters, inside, (front_heat, rear_heat), np.minimum(front_weak, rear_weak))
    return Conditions(
        VehicleParameters(parameters.chassis, front, rear, battery, circuit, thermal),
        supply,
        overvoltage,
        Reasons(np.where(by_voltage, BATTERY_VOLTAGE, battery_reason), torque, power),
    )


def named(limiter: FloatArray, reasons: Reasons) -> FloatArray:
    """The code of what limited, with the reason where a component gave less than its ratings."""
    by_battery = np.where(limiter == BATTERY, reasons.battery, limiter)
    by_torque = np.where(limiter == MOTOR_TORQUE, reasons.torque, by_battery)
    return np.where(limiter == MOTOR_POWER, reasons.power, by_torque)


def losses(
    moment: Moment, found: Conditions, course: tuple[FloatArray, AxleForces, Flows], wanted: Comfort
) -> tuple[Flows, Losses]:
    """The powers with the pairs' loss and the reason of a limit, and what the step brings into the parts.

    Args:
        moment: what was given at the start, derated.
        found: the conditions of the step.
        course: speed reached [m/s], wheel forces and powers, as of `step.driven` and `step.settle`.
        wanted: heat asked for, and what it draws.
    """
    target, forces, flows = course
    supply = moment.supply
    current = flows.cells / supply.voltage
    pairs = found.overvoltage * current
    flows = Flows(
        flows.road,
        flows.grade,
        flows.kinetic,
        flows.friction_brake,
        flows.drive_loss,
        flows.auxiliary,
        flows.battery_loss + pairs,
        flows.terminals,
        flows.cells + pairs,
        named(flows.limiter, found.reasons),
    )
    asked = moment.parameters.chassis.auxiliary_power + wanted.hvac + wanted.conditioning
    fed = np.where(supply.auxiliary < asked, supply.auxiliary / np.maximum(asked, LEAST), 1.0)
    front, rear = axle_losses(moment, target, forces, flows.drive_loss)
    return flows, Losses(current, flows.battery_loss, front, rear, fed)


def warmed(
    parameters: VehicleParameters,
    weather: Weather,
    response: Response,
    inside: Inside,
    warm: FloatArray,
    wanted: Comfort,
    lost: Losses,
) -> tuple[Inside, Heat]:
    """What a step leaves behind: pairs and temperatures at its end, and the heat.

    Args:
        parameters: the vehicles.
        weather: what stays the same.
        response: of this length of step.
        inside: pairs and temperatures at the start.
        warm: `warm_resistance` [ohm].
        wanted: heat asked for, and what it draws.
        lost: what the step brings in.
    """
    circuit, thermal, ambient = parameters.circuit, parameters.thermal, weather.ambient
    cabin_heat, battery_heat = wanted.cabin * lost.fed, wanted.battery * lost.fed
    front, rear, rise = thermal.front, thermal.rear, warm * lost.current
    after = Inside(
        inside.fast * response.fast_left + circuit.fast_share * rise * (1.0 - response.fast_left),
        inside.slow * response.slow_left + circuit.slow_share * rise * (1.0 - response.slow_left),
        part_after(inside.battery, ambient, lost.battery + battery_heat, response.battery_left, response.battery_rise),
        part_after(
            inside.front_motor,
            ambient,
            lost.front * front.motor_loss_share,
            response.front_motor_left,
            response.front_motor_rise,
        ),
        part_after(
            inside.front_inverter,
            ambient,
            lost.front * front.inverter_loss_share,
            response.front_inverter_left,
            response.front_inverter_rise,
        ),
        part_after(
            inside.rear_motor,
            ambient,
            lost.rear * rear.motor_loss_share,
            response.rear_motor_left,
            response.rear_motor_rise,
        ),
        part_after(
            inside.rear_inverter,
            ambient,
            lost.rear * rear.inverter_loss_share,
            response.rear_inverter_left,
            response.rear_inverter_rise,
        ),
        part_after(inside.cabin, ambient, cabin_heat + weather.solar, response.cabin_left, response.cabin_rise),
    )
    return after, Heat(wanted.hvac * lost.fed, wanted.conditioning * lost.fed, cabin_heat, battery_heat)


def climate_step(
    parameters: VehicleParameters,
    weather: Weather,
    response: Response,
    state: State,
    inside: Inside,
    asked: Input,
) -> tuple[State, Inside, Flows, Heat]:
    """Drive one step in a climate; for arrays.

    Args:
        parameters: the vehicles.
        weather: what stays the same.
        response: to a step of this length.
        state: at the start of the step.
        inside: pairs and temperatures at the start of the step.
        asked: the speed wanted at its end, the slope, the duration and the wind.

    Returns:
        State, pairs and temperatures at the end of the step, the mean powers and the heat during it.
    """
    lanes = np.arange(state.soc.shape[0])
    voltage = table_value(parameters.battery.open_circuit_voltage, state.soc, lanes)
    resistance = table_value(parameters.battery.resistance, state.soc, lanes)
    warm, wanted = warm_resistance(parameters, inside, resistance), comfort(parameters, weather, response, inside)
    found = conditions(parameters, response, inside, (state.soc, voltage, warm), wanted, asked.duration)
    moment = Moment(bare(found.parameters), state, asked, found.supply)
    target, forces, travelled = driven(moment)
    after, flows = settle(moment, target, forces, travelled)
    flows, lost = losses(moment, found, (target, forces, flows), wanted)
    inside, heat = warmed(parameters, weather, response, inside, warm, wanted, lost)
    return after, inside, flows, heat


def axle_losses(
    moment: Moment, target: FloatArray, forces: AxleForces, drive_loss: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The loss of the front and of the rear drive [W], together `drive_loss`."""
    chassis = moment.parameters.chassis
    mean, _ = motion(moment, target)
    terms = axle_terms(moment.parameters.front, chassis.tyre_radius, forces.front, mean)
    front = np.minimum(terms.idle + terms.linear + terms.square, drive_loss)
    return front, drive_loss - front


def heat_stored(thermal: ThermalParameters, before: Inside, after: Inside) -> FloatArray:
    """Heat that all parts took up between two states, Σ C ΔT [J]."""
    front, rear = thermal.front, thermal.rear
    return (
        thermal.battery.heat_capacity * (after.battery - before.battery)
        + front.motor_capacity * (after.front_motor - before.front_motor)
        + front.inverter_capacity * (after.front_inverter - before.front_inverter)
        + rear.motor_capacity * (after.rear_motor - before.rear_motor)
        + rear.inverter_capacity * (after.rear_inverter - before.rear_inverter)
        + thermal.cabin.heat_capacity * (after.cabin - before.cabin)
    )
