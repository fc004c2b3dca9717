"""Checks T, S, C, G, L and R: heat, safety, messages, charging, life, repair and passport."""

from __future__ import annotations

import math

from kyotsu.spec.battery_case import BatteryCase, BatteryCheck, no_layout
from kyotsu.spec.battery_electrical_checks import END_OF_LIFE_RESISTANCE
from kyotsu.spec.comparison import (
    AT_LEAST,
    AT_MOST,
    Value,
    compare,
    covers,
    one_of,
    passed,
    same,
    sentence,
    stated,
    unknown,
)
from kyotsu.spec.finding import Outcome, Verdict, weakest
from kyotsu.spec.layout import REFERENCE_TEMPERATURE_C, Layout, highest_voltage_v
from kyotsu.spec.record import interpolate

ASIL_RANK = {"QM": 0, "A": 1, "B": 2, "C": 3, "D": 4}
TRACEABILITY_LETTER = {"pack": "P", "battery_module": "M", "cell_block": "M", "cell": "C"}  # GB/T 34014
CHARGE_STEPS = 140  # 0.5 % of state of charge between 10 and 80 %


def heat(case: BatteryCase) -> list[Outcome]:
    """T1: the heat R I² of the continuous power at end of life, against what the cooling takes away."""
    layout = case.layout
    values = [
        case.offer("curves.resistance"),
        case.offer("nominal_voltage_v"),
        case.need("electrical.continuous_power_kw"),
    ]
    missing = unknown(values, "Heat")
    if missing or layout is None:
        return [missing or no_layout(case)]
    current = values[2].number * 1000.0 / (values[1].number * layout.series)
    resistance = (case.module.resistance_ohm(REFERENCE_TEMPERATURE_C) or 0.0) * END_OF_LIFE_RESISTANCE
    loss = resistance * layout.series / layout.strings * current**2
    offered = Value("battery heat_w", loss, weakest(value.status for value in values))
    return [
        compare(
            offered,
            AT_MOST,
            case.need("thermal.heat_rejection_w"),
            what="heat at continuous power, end of life",
        )
    ]


def coolant(case: BatteryCase) -> list[Outcome]:
    """T2: the same medium and port; flow and pressure within what the pump gives.

    A part that no coolant enters is served by the vehicle's plate: T3 judges that.
    """
    medium, wanted = case.offer("thermal.medium"), case.need("thermal.medium")
    face = case.need("thermal.cooled_face")
    if medium.content == "none" and wanted.content not in (None, "none", "air") and face.content != "none":
        missing = unknown((face,), "Cooling through the vehicle's plate")
        if missing:
            return [missing]
        status = weakest((medium.status, wanted.status, face.status))
        return [passed(f"No coolant enters the part: it is cooled through its {face.content} face.", status=status)]
    outcome = same(medium, wanted, what="coolant")
    if outcome.verdict is not Verdict.PASS or wanted.content == "none":
        return [outcome]
    port = same(
        case.offer("thermal.port"),
        case.need("thermal.port"),
        action="Adapter hose or fitting.",
        what="coolant port",
    )
    if wanted.content == "air":
        return [outcome, port]
    if case.layout is None:
        return [outcome, port, no_layout(case)]
    flow = case.offer("thermal.flow_l_min")
    total = None if flow.content is None else flow.number * case.layout.parts
    return [
        outcome,
        port,
        compare(
            Value(flow.field, total, flow.status),
            AT_MOST,
            case.need("thermal.flow_l_min"),
            what="coolant flow of all parts",
        ),
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
    ]


def thermal_interface(case: BatteryCase) -> list[Outcome]:
    """T3: the cooled face meets the plate: same face, enough contact, flat enough, conductive enough."""
    if case.bay.thermal.medium == "none" or case.is_pack:
        return [passed("No cooling plate of the vehicle touches the part.")]
    return [
        same(case.offer("thermal.cooled_face"), case.need("thermal.cooled_face")),
        compare(case.offer("thermal.contact_area_mm2"), AT_LEAST, case.need("thermal.contact_area_mm2")),
        compare(case.offer("thermal.flatness_mm"), AT_MOST, case.need("thermal.flatness_mm")),
        compare(
            case.offer("thermal.interface_resistance_k_per_w"),
            AT_MOST,
            case.need("thermal.interface_resistance_max_k_per_w"),
        ),
    ]


def temperature(case: BatteryCase) -> list[Outcome]:
    """T4: the climate is covered in discharge, charge and storage; cold charging may ask for heating."""
    limits = "limits.operating."
    coldest, hottest = case.need("thermal.climate_min_c"), case.need("thermal.climate_max_c")
    coldest_stored, hottest_stored = case.need("thermal.storage_min_c"), case.need("thermal.storage_max_c")
    rules = (
        (f"{limits}discharge_temperature_min_c", AT_MOST, coldest, "lowest temperature for driving"),
        (f"{limits}discharge_temperature_max_c", AT_LEAST, hottest, "highest temperature for driving"),
        (f"{limits}charge_temperature_max_c", AT_LEAST, hottest, "highest temperature for charging"),
        ("thermal.storage_temperature_min_c", AT_MOST, coldest_stored, "lowest temperature in storage"),
        ("thermal.storage_temperature_max_c", AT_LEAST, hottest_stored, "highest temperature in storage"),
    )
    cold_charging = compare(
        case.offer(f"{limits}charge_temperature_min_c"),
        AT_MOST,
        coldest,
        tolerance=math.inf,
        action="Preheat the battery before charging in the cold.",
        what="lowest temperature for charging",
    )
    return [*(compare(case.offer(path), rule, need, what=words) for path, rule, need, words in rules), cold_charging]


def propagation(case: BatteryCase) -> list[Outcome]:
    """S1: no propagation, or a warning early enough; the vent meets the bay's duct."""
    result = case.offer("safety.propagation")
    vent = one_of(case.offer("safety.vent_face"), case.need("safety.vent_faces"), what="vent face")
    missing = unknown((result,), "Thermal propagation")
    if missing:
        return [missing, vent]
    if result.content == "none":
        return [
            passed("Thermal propagation: none in the supplier's test.", offered="none", status=result.status),
            vent,
        ]
    if result.content == "without_warning":
        return [
            Outcome(Verdict.FAIL, "Thermal propagation without warning.", "no warning", "a warning"),
            vent,
        ]
    warning = case.offer("safety.propagation_warning_s")
    return [
        compare(warning, AT_LEAST, case.need("safety.propagation_warning_s"), what="warning before hazard"),
        vent,
    ]


def type_approval(case: BatteryCase) -> list[Outcome]:
    """S2: the same type of REESS and a chemistry the controller knows; else an extension is needed."""
    return [
        one_of(
            case.offer("safety.reess_type"),
            case.need("safety.reess_types"),
            action="Extend the vehicle's UN R100 approval to this type of REESS.",
            what="type of REESS",
        ),
        one_of(
            case.offer("chemistry"),
            case.need("safety.chemistries"),
            action="Re-parameterise the battery controller and charging for this chemistry.",
            what="chemistry",
        ),
    ]


def transport(case: BatteryCase) -> list[Outcome]:
    """S3: a UN 38.3 test summary exists."""
    return [stated(case.offer("safety.transport_test_summary"), what="UN 38.3 test summary")]


def limits(case: BatteryCase) -> list[Outcome]:
    """S4: operating and safety limits of voltage, temperature and current, for the controller to hold."""
    levels = ("operating", "safety")
    fields = (
        "cell_voltage_min_v",
        "cell_voltage_max_v",
        "discharge_temperature_max_c",
        "charge_temperature_min_c",
        "discharge_current_a",
        "charge_current_a",
    )
    values = [case.offer(f"limits.{level}.{field}") for level in levels for field in fields]
    missing = unknown(values, "The limits that the battery controller must hold")
    status = weakest(value.status for value in values)
    return [
        missing or passed("Operating and safety limits of voltage, temperature and current are stated.", status=status)
    ]


def functional_safety(case: BatteryCase) -> list[Outcome]:
    """S5: safety integrity of the part at least the vehicle's allocation."""
    offered, required = case.offer("safety.asil"), case.need("safety.asil")
    return [integrity(offered, required, "safety integrity")]


def integrity(offered: Value, required: Value, what: str) -> Outcome:
    """ASIL compares by rank: QM, A, B, C, D."""
    missing = unknown((offered, required), sentence(what))
    if missing:
        return missing
    margin = ASIL_RANK[offered.content] - ASIL_RANK[required.content]
    return Outcome(
        Verdict.PASS if margin >= 0 else Verdict.FAIL,
        f"{sentence(what)}: ASIL {offered.content} offered, at least {required.content} required.",
        f"ASIL {offered.content}",
        f"at least ASIL {required.content}",
        float(margin),
        "levels",
        status=weakest((offered.status, required.status)),
    )


def bus(case: BatteryCase) -> list[Outcome]:
    """C1: the same bus, bit rate and connector; a gateway or an adapter bridges a difference."""
    gateway = "Gateway between the two buses."
    wire = same(case.offer("communication.bus"), case.need("communication.bus"), action=gateway, what="bus")
    connector = same(
        case.offer("communication.connector"),
        case.need("communication.connector"),
        action="Adapter for the signal connector.",
        what="signal connector",
    )
    if case.bay.communication.bus in ("none", "analog", "wireless"):
        return [wire, connector]
    rate = same(
        case.offer("communication.bitrate_kbit_s"),
        case.need("communication.bitrate_kbit_s"),
        action=gateway,
        what="bit rate",
    )
    return [wire, connector, rate]


def signals(case: BatteryCase) -> list[Outcome]:
    """C2: the same message set, or all required signals through a gateway; fast enough."""
    offered, required = case.offer("communication.message_set"), case.need("communication.message_set")
    messages = same(
        offered,
        required,
        action="CAN bridge that translates the messages of the battery controller.",
        what="message set",
    )
    outcomes = [messages]
    if messages.verdict is not Verdict.PASS:
        outcomes.append(covers(case.offer("communication.signals"), case.need("communication.signals"), what="signals"))
    outcomes.append(
        compare(
            case.offer("communication.period_ms"),
            AT_MOST,
            case.need("communication.period_max_ms"),
            what="message period",
        )
    )
    return outcomes


def measurement(case: BatteryCase) -> list[Outcome]:
    """C3: a voltage tap for each cell in series, accurate enough; balancing strong enough."""
    cells = Value("battery_module.cells_series", case.module.cells_series, case.offer("cells_series").status)
    return [
        compare(case.offer("communication.cell_voltage_taps"), AT_LEAST, cells, what="cell voltage taps"),
        compare(
            case.offer("communication.voltage_accuracy_mv"),
            AT_MOST,
            case.need("communication.voltage_accuracy_mv"),
        ),
        compare(
            case.offer("communication.temperature_accuracy_k"),
            AT_MOST,
            case.need("communication.temperature_accuracy_k"),
        ),
        compare(
            case.offer("communication.balancing_current_ma"),
            AT_LEAST,
            case.need("communication.balancing_current_ma"),
        ),
    ]


def diagnostics(case: BatteryCase) -> list[Outcome]:
    """C4: the same set of diagnostic services and trouble codes."""
    return [
        same(
            case.offer("communication.diagnostics"),
            case.need("communication.diagnostics"),
            action="Teach the gateway this part's diagnostics.",
            what="diagnostics",
        )
    ]


def charging(case: BatteryCase) -> list[Outcome]:
    """G1: direct-current charging from 10 to 80 %: time, and voltages of station and vehicle."""
    layout = case.layout
    cell_limit = case.offer("limits.operating.cell_voltage_max_v")
    if layout is None or cell_limit.content is None:
        return [unknown((cell_limit,), "Charging voltage") or no_layout(case)]
    highest = Value("battery voltage_v", highest_voltage_v(case.module, layout.series), cell_limit.status)
    outcomes = [compare(highest, AT_MOST, case.car("charging.dc_voltage_max_v"), what="charging voltage at the inlet")]
    wanted = case.car("requirements.charge_10_to_80_min")
    if wanted.content is None:
        return [*outcomes, passed("Charging time: none required.")]
    values = [
        case.offer("curves.charge_current"),
        case.offer("curves.open_circuit_voltage"),
        case.offer("curves.resistance"),
        case.offer("capacity_ah"),
        case.car("charging.dc_current_max_a"),
        case.car("charging.dc_power_kw"),
    ]
    missing = unknown(values, "Charging time")
    if missing:
        return [*outcomes, missing]
    offered = Value("battery time_min", charge_time_min(case, layout), weakest(value.status for value in values))
    return [*outcomes, compare(offered, AT_MOST, wanted, what="charging time 10 to 80 %")]


def charge_time_min(case: BatteryCase, layout: Layout) -> float:
    """Time [min] of direct-current charging from 10 to 80 %, limited by part, vehicle current and power."""
    module, charger = case.module, case.vehicle.charging
    curve = module.curves.charge_current
    capacity_as = (module.capacity_ah or 0.0) * layout.strings * 3600.0
    resistance = (module.resistance_ohm(REFERENCE_TEMPERATURE_C) or 0.0) * layout.series / layout.strings
    seconds = 0.0
    for step in range(CHARGE_STEPS):
        soc = 0.10 + 0.70 * (step + 0.5) / CHARGE_STEPS
        allowed = interpolate(curve.soc, curve.current_a, soc) * layout.strings if curve else 0.0
        current = min(allowed, charger.dc_current_max_a or allowed)
        voltage = (module.open_circuit_voltage_v(soc) or 0.0) * layout.series + resistance * current
        if charger.dc_power_kw is not None:
            current = min(current, charger.dc_power_kw * 1000.0 / voltage)
        seconds += 0.70 / CHARGE_STEPS * capacity_as / max(current, 1e-9)
    return seconds / 60.0


def ageing(case: BatteryCase) -> list[Outcome]:
    """L1: declared life at least what the vehicle is built for."""
    outcomes = []
    for life, requirement in (("calendar_years", "life_years"), ("distance_km", "life_distance_km")):
        wanted = case.car(f"requirements.{requirement}")
        if wanted.content is None:
            outcomes.append(passed(f"{sentence(requirement.replace('_', ' '))}: none required."))
        else:
            outcomes.append(compare(case.offer(f"life.{life}"), AT_LEAST, wanted, what=f"declared life in {life}"))
    return outcomes


def repair(case: BatteryCase) -> list[Outcome]:
    """R1: a single part can be replaced in the bay, with instructions."""
    replaceable = case.offer("service.replaceable_in_bay")
    missing = unknown((replaceable,), "Repair")
    instructions = stated(case.offer("service.dismantling_instructions"), what="dismantling instructions")
    if missing or case.is_pack or replaceable.content:
        return [
            missing or passed("The part can be replaced in the bay.", status=replaceable.status),
            instructions,
        ]
    action = "Plan repair as replacement of the whole battery."
    reason = "The part cannot be replaced alone."
    return [
        Outcome(Verdict.CONDITIONAL, reason, "no", "yes", action=action, status=replaceable.status),
        instructions,
    ]


def traceability(case: BatteryCase) -> list[Outcome]:
    """R2: a traction battery code of 24 characters whose fourth says pack, module or cell."""
    code = case.offer("service.traceability_code")
    missing = unknown((code,), "Traceability")
    if missing:
        return [missing]
    wanted = TRACEABILITY_LETTER[case.module.level]
    right = code.content[3] == wanted
    return [
        Outcome(
            Verdict.PASS if right else Verdict.FAIL,
            f"Traceability code {code.content}: fourth letter {code.content[3]}, {wanted} for this level.",
            code.content[3],
            wanted,
            status=code.status,
        )
    ]


def passport(case: BatteryCase) -> list[Outcome]:
    """R3: the mandatory entries of the battery passport are filled."""
    lacks = case.offer("service.passport_lacks")
    missing = unknown((lacks,), "The battery passport")
    if missing:
        return [missing]
    if not lacks.content:
        return [passed("The battery passport is complete.", status=lacks.status)]
    listed = ", ".join(lacks.content)
    reason = f"The battery passport lacks {listed}."
    return [
        Outcome(
            Verdict.CONDITIONAL,
            reason,
            f"lacks {listed}",
            "complete",
            action=f"Fill {listed}.",
            status=lacks.status,
        )
    ]


OPERATION_CHECKS = (
    BatteryCheck("T1", "Heat", "ISO 12405-4", heat),
    BatteryCheck("T2", "Coolant", "kyotsu (no public standard)", coolant),
    BatteryCheck("T3", "Thermal interface", "kyotsu (no public standard)", thermal_interface),
    BatteryCheck("T4", "Temperature", "ISO 12405-4; EU 2023/1542 passport", temperature),
    BatteryCheck("S1", "Thermal propagation", "UN R100 03; GTR 20", propagation),
    BatteryCheck("S2", "Type approval", "UN R100 2.48; GRSP-79-15", type_approval),
    BatteryCheck("S3", "Transport", "UN 38.3", transport),
    BatteryCheck("S4", "Limits", "foxBMS 2 limit levels", limits),
    BatteryCheck("S5", "Functional safety", "ISO 26262", functional_safety),
    BatteryCheck("C1", "Bus", "kyotsu", bus),
    BatteryCheck("C2", "Signals", "COVESA VSS; kyotsu", signals),
    BatteryCheck("C3", "Measurement", "foxBMS 2 configuration", measurement),
    BatteryCheck("C4", "Diagnostics", "ISO 14229", diagnostics),
    BatteryCheck("G1", "Charging", "IEC 61851-1; GB/T 27930; ISO 15118", charging),
    BatteryCheck("L1", "Ageing", "EU 2023/1542 passport", ageing),
    BatteryCheck("R1", "Repair", "EU 2023/1542 annex XIII", repair),
    BatteryCheck("R2", "Traceability", "GB/T 34014", traceability),
    BatteryCheck("R3", "Passport", "EU 2023/1542 art. 77; DIN DKE SPEC 99100", passport),
)
