"""Checks E1 to E10: voltage, layout, power, protection and insulation."""

from __future__ import annotations

import math

from kyotsu.spec.battery_case import BatteryCase, BatteryCheck, no_layout
from kyotsu.spec.comparison import AT_LEAST, AT_MOST, Value, compare, passed, same, sentence, shown, unknown
from kyotsu.spec.finding import Outcome, Verdict, weakest
from kyotsu.spec.layout import (
    MAX_LOST_SHARE,
    REFERENCE_TEMPERATURE_C,
    Layout,
    highest_voltage_v,
    window,
)
from kyotsu.spec.record import Status

END_OF_LIFE_RESISTANCE = 1.5  # growth of resistance to end of life; our assumption, no public agreed value
MIDDLE_SOC = 0.5  # where continuous power and regeneration are judged; our choice
CLASS_A_LIMIT_V = 60.0  # V DC, border of voltage class A and B, ISO 6469-3
PRECHARGE_TIME_CONSTANTS = 3.0  # 95 % of the bus voltage, the usual release of the main contactor


def voltage_window(case: BatteryCase) -> list[Outcome]:
    """E1: the string's voltage in the vehicle's window, over state of charge and temperature, under load."""
    layout = case.layout
    values = [
        case.offer("limits.operating.cell_voltage_min_v"),
        case.offer("limits.operating.cell_voltage_max_v"),
        case.need("electrical.voltage_min_v"),
        case.need("electrical.voltage_max_v"),
    ]
    missing = unknown(values, "The voltage window")
    if missing or layout is None:
        return [missing or no_layout(case)]
    status = weakest(value.status for value in values)
    return [_upper(case, layout, status), *_lower(case, layout, status)]


def _upper(case: BatteryCase, layout: Layout, status: Status | None) -> Outcome:
    highest = Value("battery voltage_v", highest_voltage_v(case.module, layout.series), status)
    cells = layout.series * case.module.cells_series
    return compare(
        highest,
        AT_MOST,
        case.need("electrical.voltage_max_v"),
        what=f"highest voltage of {cells} cells in series",
    )


def _lower(case: BatteryCase, layout: Layout, status: Status | None) -> list[Outcome]:
    values = [
        case.offer("curves.open_circuit_voltage"),
        case.offer("curves.resistance"),
        case.need("electrical.continuous_power_kw"),
        case.need("thermal.climate_min_c"),
        case.need("electrical.full_power_min_v"),
    ]
    power, coldest = values[2], values[3]
    known_window = window(case.module, layout, case.bay, 0.0, REFERENCE_TEMPERATURE_C)
    missing = unknown(values, "The voltage under load")
    if missing and (known_window is None or known_window.lost_share <= MAX_LOST_SHARE):
        return [missing]
    states = [("without load", 0.0, REFERENCE_TEMPERATURE_C)]
    if missing is None:
        states += [(f"at {t:g} °C and {power.number:g} kW", power.number, t) for t in (25.0, coldest.number)]
    worst: Outcome | None = None
    status = weakest([status, *(value.status for value in values)])
    for words, drawn, temperature in states:
        seen = window(case.module, layout, case.bay, drawn, temperature)
        if seen is None:
            continue
        outcome = _share_outcome(case, layout, seen.lowest_v, seen.lost_share, seen.derated_share, words, status)
        if worst is None or outcome.verdict.rank > worst.verdict.rank:
            worst = outcome
    return (
        [worst]
        if worst
        else [unknown([Value("battery_module.curves.resistance", None, None)], "Sag") or no_layout(case)]
    )


def _share_outcome(
    case: BatteryCase,
    layout: Layout,
    lowest_v: float,
    lost: float,
    derated: float,
    words: str,
    status: Status | None,
) -> Outcome:
    floor = case.need("electrical.voltage_min_v").number
    full = case.bay.electrical.full_power_min_v or floor
    cells = layout.series * case.module.cells_series
    if lost > MAX_LOST_SHARE:
        verdict, action = Verdict.FAIL, ""
        reason = f"below the vehicle's {floor:g} V in {lost:.0%} of the charge range"
    elif lost > 0:
        verdict, action = (
            Verdict.CONDITIONAL,
            f"Raise the discharge floor: {lost:.0%} of the charge is not used.",
        )
        reason = f"below the vehicle's {floor:g} V in the last {lost:.0%} of the charge range"
    elif derated > MAX_LOST_SHARE:
        verdict, action = (
            Verdict.CONDITIONAL,
            f"Accept less power below {full:g} V, or widen the inverter window.",
        )
        reason = f"below the full-power {full:g} V in {derated:.0%} of the charge range"
    else:
        verdict, action = Verdict.PASS, ""
        reason = f"above {floor:g} V throughout" + (f", derated in the last {derated:.0%}" if derated else "")
    return Outcome(
        verdict,
        f"{cells} cells in series {words}: down to {lowest_v:.0f} V, {reason}.",
        f"{lowest_v:.0f}",
        f"at least {floor:g}",
        lowest_v - floor,
        "V",
        action,
        status=status,
    )


def voltage_class(case: BatteryCase) -> list[Outcome]:
    """E2: the string's highest voltage within the class of every high-voltage part, and the part's own."""
    if case.layout is None:
        return [no_layout(case)]
    cell_limit = case.offer("limits.operating.cell_voltage_max_v")
    highest = Value("battery voltage_v", highest_voltage_v(case.module, case.layout.series), cell_limit.status)
    if highest.content is None:
        missing = unknown([cell_limit], "The voltage class")
        return [missing] if missing else []
    outcomes = [
        compare(
            highest,
            AT_MOST,
            case.need("electrical.class_limit_v"),
            what="highest voltage against the class limit",
        ),
        compare(
            case.offer("electrical.max_system_voltage_v"),
            AT_LEAST,
            Value("battery voltage_v", highest.content, highest.status),
            what="system voltage the part is insulated for",
        ),
    ]
    if highest.number <= CLASS_A_LIMIT_V:
        outcomes.append(passed(f"Class A: {highest.number:.0f} V is not above {CLASS_A_LIMIT_V:g} V."))
    return outcomes


def series_and_parallel(case: BatteryCase) -> list[Outcome]:
    """E3: an integer layout of equal strings exists in the bay's places and voltage window."""
    if case.is_pack:
        return [passed("A pack brings its own layout.", offered="1 pack", required="1 pack")]
    places = case.places
    if places is None:
        return [no_layout(case)]
    shown_places = f"{places} places"
    if places == 0:
        return [Outcome(Verdict.FAIL, "The bay has no place for a part of this size.", "0 places", "at least 1")]
    if case.allowed is None:
        cells = case.module.cells_series
        return [
            Outcome(
                Verdict.FAIL,
                f"No whole number of {cells}s parts in {places} places lies in the vehicle's voltage window.",
                shown_places,
                "a layout in the window",
            )
        ]
    empty = places - case.allowed.parts
    left = f"; {empty} of {places} places stay empty" if empty else f"; all {places} places are used"
    return [passed(f"Layout: {case.allowed.text}{left}.", offered=case.allowed.text, required=shown_places)]


def power(case: BatteryCase) -> list[Outcome]:
    """E4: peak, continuous and regeneration current where the vehicle needs them, at end of life."""
    layout = case.layout
    values = [
        case.offer("curves.open_circuit_voltage"),
        case.offer("curves.resistance"),
        case.need("electrical.power_soc"),
        case.need("electrical.power_temperature_c"),
    ]
    missing = unknown(values, "The voltage at peak power")
    if missing or layout is None:
        return [missing or no_layout(case)]
    lowest_soc, temperature = values[2].number, values[3].number
    status = weakest(value.status for value in values)
    resistance = (case.module.resistance_ohm(temperature) or 0.0) * END_OF_LIFE_RESISTANCE
    resistance *= layout.series / layout.strings
    demands = (  # what the bay asks, what the part offers, in words, at which state of charge, direction
        ("discharge_peak_power_kw", "electrical.discharge_peak_current_a", "peak discharge", lowest_soc, 1.0),
        ("regeneration_peak_power_kw", "electrical.charge_peak_current_a", "peak regeneration", MIDDLE_SOC, -1.0),
        ("continuous_power_kw", "limits.operating.discharge_current_a", "continuous", MIDDLE_SOC, 1.0),
    )
    outcomes = [
        compare(
            case.offer("electrical.peak_duration_s"),
            AT_LEAST,
            case.need("electrical.peak_duration_s"),
            what="duration of peak current",
        )
    ]
    for demand, offer, words, soc, direction in demands:
        wanted, own = case.need(f"electrical.{demand}"), case.offer(offer)
        voltage = (case.module.open_circuit_voltage_v(soc) or 0.0) * layout.series
        watt = None if wanted.content is None else wanted.number * 1000.0
        current = None if watt is None else current_for_power(watt, voltage, direction * resistance)
        if current is not None and math.isinf(current):
            limit = voltage**2 / (4.0 * resistance) / 1000.0
            reason = (
                f"{sentence(words)} power: {shown(limit)} kW is the most that this battery gives at {soc:.0%} charge "
                f"and {temperature:g} °C at end of life, {shown(wanted.number)} kW required."
            )
            required = f"at least {shown(wanted.number)}"
            margin = limit - wanted.number
            outcomes.append(Outcome(Verdict.FAIL, reason, shown(limit), required, margin, "kW", status=status))
            continue
        field = wanted.field if current is None else "battery current_a"
        total = None if own.content is None else own.number * layout.strings
        offered, needed = Value(own.field, total, own.status), Value(field, current, weakest([wanted.status, status]))
        outcomes.append(compare(offered, AT_LEAST, needed, what=f"{words} current"))
        if current is not None and demand == "discharge_peak_power_kw":
            loaded = Value("battery voltage_v", voltage - resistance * current, status)
            outcomes.append(_voltage_at_peak(case, loaded, f"at {wanted.number:g} kW, {soc:.0%} charge, end of life"))
    return outcomes


def _voltage_at_peak(case: BatteryCase, loaded: Value, state: str) -> Outcome:
    """Whether the bus stays up at peak power: below the minimum it shuts down, below full power it derates."""
    floor, full = case.need("electrical.voltage_min_v"), case.need("electrical.full_power_min_v")
    what = f"voltage {state}"
    if floor.content is None or full.content is None or loaded.number < floor.number:
        return compare(loaded, AT_LEAST, floor, what=what)
    action = f"Accept less peak power below {shown(full.content)} V, or widen the inverter window."
    return compare(loaded, AT_LEAST, full, tolerance=math.inf, action=action, what=what)


def current_for_power(power_w: float, voltage_v: float, resistance_ohm: float) -> float:
    """Current [A] that draws a power from a source U0 behind R: I = (U0 - sqrt(U0² - 4 R P)) / (2 R).

    Written as 2 P / (U0 + sqrt(...)), which loses no digits to a small R. Infinite when the source cannot
    give the power; a negative R stands for charging.
    """
    root = voltage_v**2 - 4.0 * resistance_ohm * power_w
    return math.inf if root < 0 else 2.0 * power_w / (voltage_v + math.sqrt(root))


def balance(case: BatteryCase) -> list[Outcome]:
    """E5: parts that work together are alike enough in capacity."""
    if case.layout is not None and case.layout.parts == 1:
        return [passed("One part: nothing to balance between parts.")]
    return [
        compare(
            case.offer("electrical.capacity_spread_pct"),
            AT_MOST,
            case.need("electrical.capacity_spread_max_pct"),
            what="spread of capacity between parts",
        )
    ]


def short_circuit(case: BatteryCase) -> list[Outcome]:
    """E6: the fuse carries the continuous current, and breaks the prospective short-circuit current U/R."""
    layout = case.layout
    values = [case.offer("curves.resistance"), case.offer("limits.operating.cell_voltage_max_v")]
    missing = unknown(values, "The short-circuit current")
    if missing or layout is None:
        return [missing or no_layout(case)]
    resistance = (case.module.resistance_ohm(REFERENCE_TEMPERATURE_C) or 1.0) * layout.series / layout.strings
    highest = highest_voltage_v(case.module, layout.series) or 0.0
    status = weakest(value.status for value in values)
    outcomes = [
        compare(
            case.need("electrical.breaking_capacity_a"),
            AT_LEAST,
            Value("battery short_circuit_current_a", highest / resistance, status),
            what="breaking capacity against short-circuit current",
        )
    ]
    continuous, nominal = case.need("electrical.continuous_power_kw"), case.offer("nominal_voltage_v")
    missing = unknown((continuous, nominal), "The fuse")
    if missing:
        return [*outcomes, missing]
    current = continuous.number * 1000.0 / (nominal.number * layout.series)
    required = Value("battery continuous_current_a", current, weakest((continuous.status, nominal.status)))
    fuse = case.need("electrical.fuse_current_a")
    return [*outcomes, compare(fuse, AT_LEAST, required, what="fuse against continuous current")]


def precharge(case: BatteryCase) -> list[Outcome]:
    """E7: time and energy of the precharge stay within limits at the new voltage: 3 R C and ½ C U²."""
    capacitance, resistor = (
        case.need("electrical.dc_link_capacitance_uf"),
        case.need("electrical.precharge_resistance_ohm"),
    )
    cell_limit = case.offer("limits.operating.cell_voltage_max_v")
    missing = unknown((capacitance, resistor, cell_limit), "Precharge")
    if missing or case.layout is None:
        return [missing or no_layout(case)]
    status = weakest((capacitance.status, resistor.status, cell_limit.status))
    farad = capacitance.number * 1e-6
    voltage = highest_voltage_v(case.module, case.layout.series) or 0.0
    duration = Value("precharge time_s", PRECHARGE_TIME_CONSTANTS * resistor.number * farad, status)
    energy = Value("precharge energy_j", 0.5 * farad * voltage**2, status)
    return [
        compare(duration, AT_MOST, case.need("electrical.precharge_time_max_s"), what="precharge time to 95 %"),
        compare(energy, AT_MOST, case.need("electrical.precharge_energy_max_j"), what="precharge energy"),
    ]


def isolation(case: BatteryCase) -> list[Outcome]:
    """E8: insulation resistance of all parts in parallel to the chassis, per volt."""
    insulation, cell_limit = (
        case.offer("electrical.insulation_mega_ohm"),
        case.offer("limits.operating.cell_voltage_max_v"),
    )
    missing = unknown((insulation, cell_limit), "Insulation")
    if missing or case.layout is None:
        return [missing or no_layout(case)]
    voltage = highest_voltage_v(case.module, case.layout.series) or 1.0
    per_volt = insulation.number * 1e6 / case.layout.parts / voltage
    offered = Value("battery insulation_ohm_per_v", per_volt, weakest((insulation.status, cell_limit.status)))
    return [
        compare(
            offered,
            AT_LEAST,
            case.need("electrical.insulation_ohm_per_v"),
            what="insulation of the whole battery",
        )
    ]


def terminals(case: BatteryCase) -> list[Outcome]:
    """E9: the same high-voltage terminal and interlock."""
    return [
        same(
            case.offer("electrical.terminal"),
            case.need("electrical.terminal"),
            action="Adapter cable between the two high-voltage connectors.",
            what="high-voltage terminal",
        ),
        same(
            case.offer("electrical.interlock"),
            case.need("electrical.interlock"),
            action="Bridge or add the interlock loop.",
            what="high-voltage interlock",
        ),
    ]


def creepage(case: BatteryCase) -> list[Outcome]:
    """E10: creepage, clearance and altitude rating for the vehicle's voltage and use."""
    return [
        compare(case.offer("electrical.creepage_mm"), AT_LEAST, case.need("electrical.creepage_mm")),
        compare(case.offer("electrical.clearance_mm"), AT_LEAST, case.need("electrical.clearance_mm")),
        compare(case.offer("electrical.max_altitude_m"), AT_LEAST, case.need("electrical.altitude_m")),
    ]


ELECTRICAL_CHECKS = (
    BatteryCheck("E1", "Voltage window", "ISO 21498-1; LV 123", voltage_window),
    BatteryCheck("E2", "Voltage class", "ISO 21498-1; ISO 6469-3", voltage_class),
    BatteryCheck("E3", "Series and parallel count", "kyotsu", series_and_parallel),
    BatteryCheck("E4", "Current and power", "ISO 12405-4", power),
    BatteryCheck("E5", "Balance", "ISO 12405-4", balance),
    BatteryCheck("E6", "Fuse, contactor, short circuit", "ISO 21498-2", short_circuit),
    BatteryCheck("E7", "Precharge", "ISO 21498-1, -2", precharge),
    BatteryCheck("E8", "Isolation", "UN R100 5.1.3", isolation),
    BatteryCheck("E9", "Terminals and interlock", "kyotsu (no public standard)", terminals),
    BatteryCheck("E10", "Creepage and altitude", "ISO 6469-3; IEC 60664-1", creepage),
)
