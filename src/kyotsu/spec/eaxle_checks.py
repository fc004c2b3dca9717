"""Checks A1 to A25: does the e-axle fit the mount, deliver what the axle needs, and speak its language?"""

from __future__ import annotations

import math

from kyotsu.spec.battery_body_checks import SIDES, protection
from kyotsu.spec.battery_operation_checks import integrity
from kyotsu.spec.comparison import (
    AT_LEAST,
    AT_MOST,
    Value,
    compare,
    covers,
    passed,
    same,
    stated,
    unknown,
)
from kyotsu.spec.eaxle_case import EAxleCase, EAxleCheck
from kyotsu.spec.finding import Outcome, Verdict, weakest

ENDURANCE_RANK = {"C": 0, "B": 1, "A": 2, "S": 3}


def voltage_window(case: EAxleCase) -> list[Outcome]:
    """A1: the vehicle's voltage range inside the inverter's, and the same voltage class."""
    lowest, highest = case.need("electrical.voltage_min_v"), case.need("electrical.voltage_max_v")
    span = 0.0 if None in (lowest.content, highest.content) else highest.number - lowest.number
    outcomes = [
        compare(case.offer("inverter.voltage_min_v"), AT_MOST, lowest, what="lowest voltage of the inverter"),
        compare(case.offer("inverter.voltage_max_v"), AT_LEAST, highest, what="highest voltage of the inverter"),
        same(case.offer("inverter.voltage_class"), case.need("electrical.voltage_class"), what="voltage class"),
    ]
    for limit, rule, edge, words in (
        ("full_power_min_v", AT_MOST, lowest, "full power from"),
        ("full_power_max_v", AT_LEAST, highest, "full power up to"),
    ):
        action = f"Accept less power at the {'lower' if edge is lowest else 'upper'} end of the voltage range."
        full_power = case.offer(f"inverter.{limit}")
        outcomes.append(compare(full_power, rule, edge, tolerance=span, action=action, what=words))
    return outcomes


def peak_power(case: EAxleCase) -> list[Outcome]:
    """A2: peak power of the rating for as long as the vehicle needs it."""
    return [
        compare(
            case.rated("peak_power_kw"),
            AT_LEAST,
            case.need("peak_power_kw"),
            what=f"peak power at {case.rating.id}",
        ),
        compare(
            case.rated("peak_duration_s"),
            AT_LEAST,
            case.need("peak_duration_s"),
            what="duration of peak power",
        ),
    ]


def continuous_power(case: EAxleCase) -> list[Outcome]:
    """A3: 30-minute power of the rating."""
    return [
        compare(
            case.rated("continuous_power_kw"),
            AT_LEAST,
            case.need("continuous_power_kw"),
            what="continuous power",
        )
    ]


def motor_speed(case: EAxleCase) -> list[Outcome]:
    """A4: motor speed at top speed with reserve below the motor's highest; over-speed above it."""
    required = case.motor_speed
    outcomes = [compare(case.offer("motor.max_speed_rpm"), AT_LEAST, required, what="highest motor speed")]
    overspeed = case.offer("motor.overspeed_rpm")
    if overspeed.content is not None:
        outcomes.append(compare(overspeed, AT_LEAST, required, what="over-speed of the motor"))
    return outcomes


def axle_torque(case: EAxleCase) -> list[Outcome]:
    """A5: torque at the wheels enough for launch and hill, and not more than the half shafts bear."""
    enough = compare(case.axle_torque, AT_LEAST, case.need("axle_torque_nm"), what="torque at the axle")
    if enough.verdict is Verdict.UNKNOWN:  # unless it would be too little even without loss
        without_loss = case.axle_torque_at(1.0)
        at_best = compare(without_loss, AT_LEAST, case.need("axle_torque_nm"), what="torque at the axle without loss")
        enough = at_best if at_best.verdict is Verdict.FAIL else enough
    return [
        enough,
        compare(
            case.axle_torque,
            AT_MOST,
            case.need("half_shaft_torque_max_nm"),
            tolerance=1e9,
            action="Limit torque in software, or fit stronger half shafts.",
            what="torque on the half shafts",
        ),
        compare(case.offer("reducer.backlash_mrad"), AT_MOST, case.need("backlash_max_mrad"), what="backlash"),
    ]


def losses(case: EAxleCase) -> list[Outcome]:
    """A6: losses are stated as far as speed and torque go, so that energy use is computed, not guessed."""
    source = case.eaxle.source_of("loss_model") or case.eaxle.source_of("loss_map")
    if case.eaxle.loss_model is None and case.eaxle.loss_map is None:
        reason = "Losses cannot be judged: eaxle.loss_map is not stated; simulation uses the generic model."
        action = "Ask for the loss map at the points of ISO 21782-2."
        return [Outcome(Verdict.UNKNOWN, reason, missing=("eaxle.loss_map",), action=action)]
    status = source.status if source else None
    outcomes = [passed("Losses over speed and torque are stated.", status=status)]
    if case.eaxle.loss_map is not None:
        map_, action = case.eaxle.loss_map, "Ask for losses up to there; beyond the map simulation extrapolates."
        for axis, end, required in (
            ("speed", Value("eaxle.loss_map.speed_rpm", map_.speed_rpm[-1], status), case.motor_speed),
            ("torque", Value("eaxle.loss_map.torque_nm", map_.torque_nm[-1], status), case.rated("peak_torque_nm")),
        ):
            if required.content is not None:
                what = f"highest {axis} of the loss map"
                outcomes.append(compare(end, AT_LEAST, required, tolerance=math.inf, action=action, what=what))
    return outcomes


def system_power(case: EAxleCase) -> list[Outcome]:
    """A7: the declared system power names its voltage and cooling: rating with continuous power stated."""
    return [stated(case.rated("continuous_power_kw"), what="rating declared with its continuous power")]


def direct_current(case: EAxleCase) -> list[Outcome]:
    """A8: direct current, link capacitance and ripple within what pack, contactors and precharge allow."""
    return [
        compare(
            case.rated("dc_current_max_a"),
            AT_MOST,
            case.need("electrical.dc_current_max_a"),
            what="direct current",
        ),
        compare(
            case.offer("inverter.dc_link_capacitance_uf"),
            AT_MOST,
            case.need("electrical.dc_link_capacitance_max_uf"),
        ),
        compare(case.offer("inverter.ripple_current_a"), AT_MOST, case.need("electrical.ripple_current_max_a")),
    ]


def discharge_and_insulation(case: EAxleCase) -> list[Outcome]:
    """A9: discharge to 60 V in time, insulation, and the interlock loop."""
    return [
        compare(case.offer("inverter.active_discharge_s"), AT_MOST, case.need("electrical.active_discharge_max_s")),
        compare(
            case.offer("inverter.passive_discharge_s"),
            AT_MOST,
            case.need("electrical.passive_discharge_max_s"),
        ),
        compare(
            case.offer("inverter.insulation_ohm_per_v"),
            AT_LEAST,
            case.need("electrical.insulation_ohm_per_v"),
        ),
        same(
            case.offer("vehicle_interface.interlock"),
            case.need("interface.interlock"),
            action="Bridge or add the interlock loop.",
            what="interlock",
        ),
    ]


def hv_connector(case: EAxleCase) -> list[Outcome]:
    """A10: the same high-voltage connector, cable and shield."""
    return [
        same(
            case.offer("vehicle_interface.hv_connector"),
            case.need("interface.hv_connector"),
            action="Adapter cable between the two high-voltage connectors.",
            what="high-voltage connector",
        ),
        compare(
            case.offer("vehicle_interface.hv_cable_mm2"),
            AT_LEAST,
            case.need("interface.hv_cable_mm2"),
            what="cable section",
        ),
        same(
            case.offer("vehicle_interface.hv_shielded"),
            case.need("interface.hv_shielded"),
            what="shielded cable",
        ),
    ]


def envelope(case: EAxleCase) -> list[Outcome]:
    """A11: size and mass within the mount's; a little more mass asks for suspension work."""
    outcomes = [
        compare(case.offer(f"envelope.{side}_mm"), AT_MOST, case.need(f"body.clear.{side}_mm"), what=side)
        for side in SIDES
    ]
    outcomes.append(
        compare(
            case.offer("mass_kg"),
            AT_MOST,
            case.need("body.max_mass_kg"),
            tolerance=case.mount.body.mass_tolerance_kg or 0.0,
            action="Suspension and mounts: retune, and recheck the axle load.",
        )
    )
    return outcomes


def mounts(case: EAxleCase) -> list[Outcome]:
    """A12: the same mounting pattern, and mounts that bear the reaction torque."""
    return [
        same(
            case.offer("mounting.pattern"),
            case.need("body.pattern"),
            action="Adapter brackets between the unit's mounts and the subframe.",
            what="mounting pattern",
        ),
        compare(case.offer("mounting.reaction_torque_nm"), AT_MOST, case.need("body.reaction_torque_max_nm")),
    ]


def half_shafts(case: EAxleCase) -> list[Outcome]:
    """A13: spline, seal, joint angle and position of the output axis."""
    shafts = "New half shafts with the unit's spline and seal."
    return [
        same(
            case.offer("mounting.output_spline"),
            case.need("body.output_spline"),
            action=shafts,
            what="output spline",
        ),
        same(case.offer("mounting.seal"), case.need("body.seal"), action=shafts, what="shaft seal"),
        compare(
            case.offer("mounting.shaft_angle_max_deg"),
            AT_LEAST,
            case.need("body.shaft_angle_deg"),
            what="joint angle",
        ),
        _axis(case),
    ]


def _axis(case: EAxleCase) -> Outcome:
    offered, wanted = case.offer("envelope.output_axis_offset_mm"), case.need("body.output_axis_offset_mm")
    missing = unknown((offered, wanted), "Output axis offset")
    if missing:
        return missing
    away = Value("eaxle axis_error_mm", abs(offered.number - wanted.number), weakest((offered.status, wanted.status)))
    return compare(away, AT_MOST, case.need("body.output_axis_tolerance_mm"), what="distance of the output axis")


def coolant(case: EAxleCase) -> list[Outcome]:
    """A14: medium, port, flow, pressure drop, inlet temperature and heat rejection."""
    medium = same(case.offer("thermal.medium"), case.need("thermal.medium"), what="coolant")
    if medium.verdict is not Verdict.PASS or case.mount.thermal.medium in ("none", "air"):
        return [medium]
    return [
        medium,
        same(
            case.offer("thermal.port"),
            case.need("thermal.port"),
            action="Adapter hose or fitting.",
            what="coolant port",
        ),
        compare(case.offer("thermal.flow_l_min"), AT_MOST, case.need("thermal.flow_l_min"), what="coolant flow"),
        compare(
            case.offer("thermal.pressure_drop_kpa"),
            AT_MOST,
            case.need("thermal.pump_pressure_kpa"),
            what="pressure drop",
        ),
        compare(
            case.need("thermal.inlet_c"),
            AT_MOST,
            case.offer("thermal.inlet_max_c"),
            what="coolant inlet temperature",
        ),
        compare(
            case.offer("thermal.heat_rejection_kw"),
            AT_MOST,
            case.need("thermal.heat_rejection_kw"),
            what="heat to reject",
        ),
    ]


def park_lock(case: EAxleCase) -> list[Outcome]:
    """A15: a park lock where the vehicle needs one; the oil is named for service."""
    lock, wanted = case.offer("reducer.park_lock"), case.need("park_lock")
    missing = unknown((lock, wanted), "Park lock")
    oil = stated(case.offer("reducer.oil"), what="gear oil")
    if missing:
        return [missing, oil]
    if wanted.content and not lock.content:
        action = "Provide the park function elsewhere: brake-by-wire or the other axle."
        return [
            Outcome(Verdict.CONDITIONAL, "Park lock: none offered, required.", "no", "yes", action=action),
            oil,
        ]
    return [passed("Park lock: as required.", status=weakest((lock.status, wanted.status))), oil]


def motor_split(case: EAxleCase) -> list[Outcome]:
    """A16: bought apart, motor and inverter must agree on sensor, pole pairs and back-EMF; as a unit not."""
    if case.eaxle.scope != "motor":
        return [passed("Motor and inverter come as one unit: their split is the supplier's.")]
    return [
        stated(case.offer("motor_interface.position_sensor"), what="position sensor"),
        stated(case.offer("motor_interface.pole_pairs"), what="pole pairs"),
        stated(case.offer("motor_interface.back_emf_v_per_krpm"), what="back-EMF constant"),
        stated(case.offer("motor_interface.phase_current_max_a"), what="phase current"),
    ]


def low_voltage(case: EAxleCase) -> list[Outcome]:
    """A17: the vehicle's low-voltage range inside the unit's; wake line and quiescent current."""
    return [
        compare(case.offer("vehicle_interface.lv_supply_min_v"), AT_MOST, case.need("interface.lv_supply_min_v")),
        compare(case.offer("vehicle_interface.lv_supply_max_v"), AT_LEAST, case.need("interface.lv_supply_max_v")),
        compare(
            case.offer("vehicle_interface.quiescent_current_ma"),
            AT_MOST,
            case.need("interface.quiescent_current_max_ma"),
        ),
        same(
            case.offer("vehicle_interface.wake_line"),
            case.need("interface.wake_line"),
            action="Wake by message instead of by line.",
            what="wake line",
        ),
    ]


def bus(case: EAxleCase) -> list[Outcome]:
    """A18: bus, bit rate, period and end-to-end protection; an adapter may bridge bus and protection."""
    gateway = "Adapter between the two buses or protections."
    return [
        same(case.offer("vehicle_interface.bus"), case.need("interface.bus"), action=gateway, what="bus"),
        same(
            case.offer("vehicle_interface.bitrate_kbit_s"),
            case.need("interface.bitrate_kbit_s"),
            action=gateway,
            what="bit rate",
        ),
        compare(
            case.offer("vehicle_interface.period_ms"),
            AT_MOST,
            case.need("interface.period_max_ms"),
            what="message period",
        ),
        same(
            case.offer("vehicle_interface.end_to_end_profile"),
            case.need("interface.end_to_end_profile"),
            action=gateway,
            what="end-to-end protection",
        ),
    ]


def signals(case: EAxleCase) -> list[Outcome]:
    """A19: the same message set, or every required signal through an adapter."""
    messages = same(
        case.offer("vehicle_interface.message_set"),
        case.need("interface.message_set"),
        action="Adapter that maps the unit's frames to the normalised signals.",
        what="message set",
    )
    if messages.verdict is Verdict.PASS:
        return [messages]
    return [
        messages,
        covers(case.offer("vehicle_interface.signals"), case.need("interface.signals"), what="signals"),
    ]


def safe_state(case: EAxleCase) -> list[Outcome]:
    """A20: back-EMF at top speed below the bus limit, or an active short circuit declared above it."""
    state, back_emf = (
        case.offer("vehicle_interface.safe_state"),
        case.offer("vehicle_interface.back_emf_max_v"),
    )
    missing = unknown((state,), "Safe state")
    if missing:
        return [missing]
    if state.content in ("active_short_circuit", "both"):
        return [passed(f"Safe state: {state.content.replace('_', ' ')} declared.", status=state.status)]
    limit = case.need("electrical.voltage_max_v")
    return [compare(back_emf, AT_MOST, limit, what="back-EMF at top speed in freewheel")]


def functional_safety(case: EAxleCase) -> list[Outcome]:
    """A21: integrity of torque, torque error and fault-tolerant time within the vehicle's assumptions."""
    return [
        integrity(
            case.offer("vehicle_interface.asil_torque"),
            case.need("interface.asil_torque"),
            "torque integrity",
        ),
        compare(
            case.offer("vehicle_interface.torque_error_limit_nm"),
            AT_MOST,
            case.need("interface.torque_error_max_nm"),
        ),
        compare(
            case.offer("vehicle_interface.fault_tolerant_time_ms"),
            AT_MOST,
            case.need("interface.fault_tolerant_time_max_ms"),
            what="fault reaction time",
        ),
    ]


def environment(case: EAxleCase) -> list[Outcome]:
    """A22: ingress, vibration, climate, EMC and altitude."""
    return [
        protection(case.offer("environment.ip_code"), case.need("environment.ip_code")),
        compare(case.offer("environment.vibration_class"), AT_LEAST, case.need("environment.vibration_class")),
        compare(case.offer("environment.temperature_min_c"), AT_MOST, case.need("environment.climate_min_c")),
        compare(case.offer("environment.temperature_max_c"), AT_LEAST, case.need("environment.climate_max_c")),
        compare(case.offer("environment.emc_class"), AT_LEAST, case.need("environment.emc_class")),
        compare(case.offer("environment.max_altitude_m"), AT_LEAST, case.need("environment.altitude_m")),
    ]


def noise(case: EAxleCase) -> list[Outcome]:
    """A23: noise at the vehicle's target, or encapsulation."""
    return [
        compare(
            case.offer("environment.noise_db"),
            AT_MOST,
            case.need("environment.noise_max_db"),
            tolerance=6.0,  # dB, what an encapsulation usually takes away (our assumption)
            action="Encapsulate the unit.",
            what="noise",
        )
    ]


def software(case: EAxleCase) -> list[Outcome]:
    """A24: signed software, as the vehicle's update chain asks."""
    return [
        same(
            case.offer("vehicle_interface.software_signed"),
            case.need("interface.software_signed"),
            action="Sign the unit's software, or isolate it behind the gateway.",
            what="signed software",
        )
    ]


def endurance(case: EAxleCase) -> list[Outcome]:
    """A25: acceleration endurance rank, C to S."""
    offered, required = case.offer("environment.endurance_rank"), case.need("environment.endurance_rank")
    missing = unknown((offered, required), "Endurance")
    if missing:
        return [missing]
    margin = ENDURANCE_RANK[offered.content] - ENDURANCE_RANK[required.content]
    return [
        Outcome(
            Verdict.PASS if margin >= 0 else Verdict.FAIL,
            f"Endurance: rank {offered.content} offered, at least {required.content} required.",
            offered.content,
            f"at least {required.content}",
            float(margin),
            "ranks",
            status=weakest((offered.status, required.status)),
        )
    ]


EAXLE_CHECKS = (
    EAxleCheck("A1", "Voltage window and class", "ISO 21498-1; LV 123", voltage_window),
    EAxleCheck("A2", "Peak power", "ISO 21782-2; SAE J2907", peak_power),
    EAxleCheck("A3", "Continuous power", "UN R85; GB/T 18488", continuous_power),
    EAxleCheck("A4", "Motor speed", "ISO 21782-2, -5", motor_speed),
    EAxleCheck("A5", "Axle torque", "kyotsu; vehicle specification", axle_torque),
    EAxleCheck("A6", "Losses", "ISO 21782-2", losses),
    EAxleCheck("A7", "System power", "UN GTR 21; SAE J2908", system_power),
    EAxleCheck("A8", "Direct current and link", "ISO 21498-2", direct_current),
    EAxleCheck("A9", "Discharge, insulation, interlock", "ISO 6469-3; UN R100", discharge_and_insulation),
    EAxleCheck("A10", "High-voltage connector", "LV 215; USCAR-37", hv_connector),
    EAxleCheck("A11", "Envelope and mass", "drawing", envelope),
    EAxleCheck("A12", "Mounts", "kyotsu (no public standard)", mounts),
    EAxleCheck("A13", "Half shafts", "ISO 4156; DIN 5480", half_shafts),
    EAxleCheck("A14", "Coolant", "ISO 21782-1", coolant),
    EAxleCheck("A15", "Oil and park lock", "vehicle specification", park_lock),
    EAxleCheck("A16", "Motor-inverter split", "kyotsu", motor_split),
    EAxleCheck("A17", "Low-voltage supply", "LV 124; ISO 16750", low_voltage),
    EAxleCheck("A18", "Bus", "kyotsu; AUTOSAR E2E", bus),
    EAxleCheck("A19", "Signals", "kyotsu", signals),
    EAxleCheck("A20", "Safe state", "ISO 26262; GB/T 43254", safe_state),
    EAxleCheck("A21", "Functional safety", "ISO 26262", functional_safety),
    EAxleCheck("A22", "Environment", "ISO 20653; ISO 19453; CISPR 25", environment),
    EAxleCheck("A23", "Noise", "vehicle specification", noise),
    EAxleCheck("A24", "Software identity", "UN R155, R156", software),
    EAxleCheck("A25", "Endurance", "ISO 21782-6", endurance),
)
