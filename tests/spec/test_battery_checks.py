"""The 34 battery checks, each in words that an engineer would use: pass, fail or conditional, unknown."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.battery_case import BatteryCase
from kyotsu.spec.battery_electrical_checks import current_for_power
from kyotsu.spec.battery_operation_checks import charge_time_min
from kyotsu.spec.finding import Finding, Verdict
from kyotsu.spec.fit import BATTERY_CHECKS, fit_battery
from kyotsu.spec.layout import Layout
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import load_workspace
from spec.workspaces import TWO_MAKERS, car_for_packs, changed, module_of, pack_of, vehicle_of

WORKSPACE = load_workspace(TWO_MAKERS)
MODULE, CAR = module_of(WORKSPACE), vehicle_of(WORKSPACE)
PACK, PACK_CAR = pack_of(WORKSPACE), car_for_packs(WORKSPACE)
FLAT = {"soc": [0.0, 1.0], "voltage_v": [3.7, 3.7]}
PASS, CONDITIONAL, UNKNOWN, FAIL = Verdict


def judged(check: str, module: BatteryModule, vehicle: Vehicle) -> Finding:
    return next(item for item in fit_battery("alpha/hatch", vehicle, module).findings if item.check == check)


def varied(check: str, changes: dict[str, Any], module: BatteryModule = MODULE, vehicle: Vehicle = CAR) -> Finding:
    """The finding when other values stand in the part, the bay (`bay.`) or the car (`car.`)."""
    own: dict[str, Any] = {}
    need: dict[str, Any] = {}
    for path, value in changes.items():
        side, _, rest = path.partition(".")
        if side == "bay":
            need[f"battery_bay.{rest}"] = value
        elif side == "car":
            need[rest] = value
        else:
            own[path] = value
    return judged(check, changed(module, own), changed(vehicle, need))


@pytest.mark.parametrize("check", [check.id for check in BATTERY_CHECKS])
@pytest.mark.parametrize(("module", "vehicle"), [(MODULE, CAR), (PACK, PACK_CAR)], ids=["module", "pack"])
def test_every_check_passes_where_everything_is_stated_and_right(
    check: str, module: BatteryModule, vehicle: Vehicle
) -> None:
    finding = judged(check, module, vehicle)
    assert finding.verdict is PASS, finding.reason
    assert finding.reason.endswith(".")
    assert finding.missing == ()


class Case(NamedTuple):
    """Other values, and what must come of them."""

    check: str
    changes: dict[str, Any]
    verdict: Verdict
    words: str  # that stand in the reason, the action or among the missing fields


CASES = [
    # the body
    Case("M1", {"envelope.height_mm": 175.0}, CONDITIONAL, "8.0 mm too much in height"),
    Case("M1", {"envelope.height_mm": 175.0}, CONDITIONAL, "Body work: find 8.0 mm in height."),
    Case("M1", {"envelope.height_mm": 200.0}, FAIL, "33.0 mm too much in height"),
    Case("M1", {"envelope.length_mm": 1200.0}, FAIL, "the whole bay leaves 998, 898, 168 mm"),
    Case("M1", {"envelope.swelling_mm": 900.0}, FAIL, "Grown to end of life the part measures 1201, 201, 151 mm"),
    Case("M1", {"envelope.height_mm": 200.0, "envelope.orientations": ["on_end", "upright"]}, FAIL, "mm too much"),
    Case("M1", {"envelope.swelling_mm": None}, UNKNOWN, "battery_module.envelope.swelling_mm"),
    Case("M1", {"bay.clearance_mm": None}, UNKNOWN, "battery_bay.clearance_mm"),
    Case("M1", {"bay.place": {}, "bay.bay": {}}, UNKNOWN, "battery_bay.bay.length_mm"),
    Case("M2", {"mass_kg": 30.0}, CONDITIONAL, "330 kg offered, at most 320 kg required"),
    Case("M2", {"mass_kg": 30.0}, CONDITIONAL, "Suspension: retune springs and dampers"),
    Case("M2", {"mass_kg": 40.0}, FAIL, "Battery mass of 9 parts (9 in series, 1 string): 420 kg offered"),
    Case("M2", {"mass_kg": None}, UNKNOWN, "battery_module.mass_kg"),
    Case("M2", {"bay.structure_mass_kg": None}, UNKNOWN, "battery_bay.structure_mass_kg"),
    Case("M3", {"mounting.pattern": "six_bolts"}, CONDITIONAL,
         "Mounting pattern: six_bolts offered, four_bolts required"),
    Case("M3", {"mounting.thread": "M10"}, CONDITIONAL, "Adapter bolts."),
    Case("M3", {"bay.mounting.pattern": None}, UNKNOWN, "battery_bay.mounting.pattern"),
    Case("M4", {"mounting.vibration_class": 1}, FAIL, "Vibration class: 1 offered, at least 2 required"),
    Case("M4", {"mounting.vibration_class": None}, UNKNOWN, "battery_module.mounting.vibration_class"),
    Case("M5", {"mounting.ip_code": "IP66"}, FAIL, "Ingress protection: IP66 offered, at least IP67 required"),
    Case("M5", {"mounting.ip_code": "IP57"}, FAIL, "IP57 offered"),
    Case("M5", {"mounting.ip_code": "IP6X"}, FAIL, "IP6X offered"),
    Case("M5", {"mounting.ip_code": "IP69K"}, PASS, "IP69K offered"),
    Case("M5", {"bay.mounting.ip_code": "IPX7"}, PASS, "at least IPX7 required"),
    Case("M5", {"mounting.crush_force_kn": 90.0}, FAIL, "Crush force: 90 kN offered, at least 100 kN required"),
    Case("M5", {"mounting.ip_code": None}, UNKNOWN, "battery_module.mounting.ip_code"),
    Case("M6", {"bay.mounting.face_pressure_min_kpa": 10.0}, FAIL, "Lowest face pressure of the frame: 10 kPa"),
    Case("M6", {"bay.mounting.face_pressure_max_kpa": 250.0}, FAIL, "at most 200 kPa required"),
    Case("M6", {"envelope.swelling_mm": 4.0}, FAIL, "Growth to end of life: 4 mm offered, at most 3 mm required"),
    Case("M6", {"mounting.face_pressure_max_kpa": None}, UNKNOWN, "battery_module.mounting.face_pressure_max_kpa"),
    # electricity
    Case("E2", {"bay.electrical.voltage_max_v": 405.0, "bay.electrical.class_limit_v": 405.0}, PASS, "class limit"),
    Case("E2", {"electrical.max_system_voltage_v": 400.0}, FAIL, "400 V offered, at least 403.2 V required"),
    Case("E2", {"bay.electrical.class_limit_v": None}, UNKNOWN, "battery_bay.electrical.class_limit_v"),
    Case("E2", {"limits.operating.cell_voltage_max_v": None}, UNKNOWN, "cell_voltage_max_v"),
    Case("E3", {"envelope.height_mm": 200.0}, FAIL, "The bay has no place for a part of this size."),
    Case("E3", {"bay.places": 5, "bay.bay": {}}, FAIL, "No whole number of 8s parts in 5 places lies in the vehicle's"),
    Case("E3", {"bay.places": 13, "bay.bay": {}}, PASS, "1 of 13 places stay empty"),
    Case("E3", {"id": "another", "envelope.length_mm": None}, UNKNOWN, "battery_module.envelope.length_mm"),
    Case("E4", {"electrical.discharge_peak_current_a": 300.0}, FAIL, "Peak discharge current: 300 A offered, at least"),
    Case("E4", {"electrical.charge_peak_current_a": 100.0}, FAIL, "Peak regeneration current: 100 A offered"),
    Case("E4", {"limits.operating.discharge_current_a": 80.0}, FAIL, "Continuous current: 80 A offered"),
    Case("E4", {"electrical.peak_duration_s": 5.0}, FAIL, "Duration of peak current: 5 s offered, at least 10 s"),
    Case("E4", {"bay.electrical.discharge_peak_power_kw": 300.0}, FAIL, "Peak discharge power: 2"),
    Case("E4", {"bay.electrical.discharge_peak_power_kw": 300.0}, FAIL,
         "kW is the most that this battery gives at 30% charge and 10 °C at end of life, 300 kW required"),
    Case("E4", {"bay.electrical.continuous_power_kw": 400.0}, FAIL, "Continuous power: "),
    Case("E4", {"bay.electrical.continuous_power_kw": 400.0}, FAIL, "at 50% charge"),
    Case("E4", {"bay.electrical.discharge_peak_power_kw": 130.0}, CONDITIONAL,
         "at 130 kW, 30% charge, end of life: 278"),
    Case("E4", {"bay.electrical.discharge_peak_power_kw": 130.0}, CONDITIONAL, "Accept less peak power below 288 V"),
    Case("E4", {"bay.electrical.discharge_peak_power_kw": 190.0, "electrical.discharge_peak_current_a": 900.0,
                "limits.safety.discharge_current_a": 900.0}, FAIL, "231.5 V offered, at least 240 V required"),
    Case("E4", {"bay.electrical.power_soc": None}, UNKNOWN, "battery_bay.electrical.power_soc"),
    Case("E4", {"electrical.charge_peak_current_a": None}, UNKNOWN, "electrical.charge_peak_current_a"),
    Case("E5", {"electrical.capacity_spread_pct": 3.0}, FAIL,
         "Spread of capacity between parts: 3 % offered, at most 2 %"),
    Case("E5", {"electrical.capacity_spread_pct": None}, UNKNOWN, "capacity_spread_pct"),
    Case("E6", {"bay.electrical.breaking_capacity_a": 6000.0}, FAIL, "6000 A offered, at least 6720 A required"),
    Case("E6", {"bay.electrical.fuse_current_a": 80.0}, FAIL, "Fuse against continuous current: 80 A offered"),
    Case("E6", {"nominal_voltage_v": None}, UNKNOWN, "battery_module.nominal_voltage_v"),
    Case("E6", {"curves.resistance": None}, UNKNOWN, "battery_module.curves.resistance"),
    Case("E7", {"bay.electrical.precharge_time_max_s": 0.05}, FAIL,
         "Precharge time to 95 %: 0.09 s offered, at most 0.05"),
    Case("E7", {"bay.electrical.precharge_energy_max_j": 80.0}, FAIL, "81.29 J offered, at most 80 J required"),
    Case("E7", {"bay.electrical.dc_link_capacitance_uf": None}, UNKNOWN, "dc_link_capacitance_uf"),
    Case("E8", {"electrical.insulation_mega_ohm": 2.0}, FAIL, "413.4 Ω/V offered, at least 500 Ω/V required"),
    Case("E8", {"electrical.insulation_mega_ohm": None}, UNKNOWN, "insulation_mega_ohm"),
    Case("E9", {"electrical.terminal": "busbar_m8"}, CONDITIONAL,
         "Adapter cable between the two high-voltage connectors."),
    Case("E9", {"electrical.interlock": False}, CONDITIONAL, "High-voltage interlock: no offered, yes required"),
    Case("E9", {"bay.electrical.terminal": None}, UNKNOWN, "battery_bay.electrical.terminal"),
    Case("E10", {"electrical.creepage_mm": 7.0}, FAIL, "Creepage: 7 mm offered, at least 8 mm required"),
    Case("E10", {"electrical.max_altitude_m": 2000.0}, FAIL, "2000 m offered, at least 3000 m required"),
    Case("E10", {"electrical.clearance_mm": None}, UNKNOWN, "battery_module.electrical.clearance_mm"),
    # heat
    Case("T1", {"bay.thermal.heat_rejection_w": 500.0}, FAIL, "Heat at continuous power, end of life: "),
    Case("T1", {"bay.thermal.heat_rejection_w": None}, UNKNOWN, "battery_bay.thermal.heat_rejection_w"),
    Case("T2", {"thermal.medium": "refrigerant"}, FAIL, "Coolant: refrigerant offered, water_glycol required"),
    Case("T2", {"thermal.medium": "none"}, PASS, "cooled through its bottom face"),
    Case("T2", {"thermal.medium": "none", "bay.thermal.cooled_face": None}, UNKNOWN, "battery_bay.thermal.cooled_face"),
    Case("T2", {"thermal.medium": "none", "bay.thermal.cooled_face": "none"}, FAIL, "none offered"),
    Case("T2", {"thermal.port": "quick_10"}, CONDITIONAL, "Adapter hose or fitting."),
    Case("T2", {"thermal.flow_l_min": 2.0}, FAIL, "Coolant flow of all parts: 24 l/min offered, at most 14 l/min"),
    Case("T2", {"thermal.pressure_drop_kpa": 70.0}, FAIL, "Pressure drop: 70 kPa offered, at most 60 kPa required"),
    Case("T2", {"thermal.inlet_max_c": 35.0}, FAIL, "Coolant inlet temperature: 40 °C offered, at most 35 °C"),
    Case("T2", {"thermal.medium": None}, UNKNOWN, "battery_module.thermal.medium"),
    Case("T2", {"thermal.flow_l_min": None}, UNKNOWN, "battery_module.thermal.flow_l_min"),
    Case("T2", {"id": "another", "envelope.length_mm": None}, UNKNOWN, "battery_module.envelope.length_mm"),
    Case("T3", {"thermal.cooled_face": "side"}, FAIL, "Cooled face: side offered, bottom required"),
    Case("T3", {"thermal.contact_area_mm2": 40000.0}, FAIL, "Contact area: 40000 mm² offered, at least 50000 mm²"),
    Case("T3", {"thermal.flatness_mm": 0.6}, FAIL, "Flatness: 0.6 mm offered"),
    Case("T3", {"thermal.interface_resistance_k_per_w": 0.04}, FAIL, "0.04 K/W offered, at most 0.03 K/W required"),
    Case("T3", {"thermal.flatness_mm": None}, UNKNOWN, "battery_module.thermal.flatness_mm"),
    Case("T4", {"limits.operating.charge_temperature_min_c": 0.0, "limits.safety.charge_temperature_min_c": -10.0},
         CONDITIONAL, "Preheat the battery before charging in the cold."),
    Case("T4", {"limits.operating.discharge_temperature_min_c": -10.0}, FAIL,
         "Lowest temperature for driving: -10 °C offered, at most -25 °C required"),
    Case("T4", {"limits.operating.discharge_temperature_max_c": 40.0}, FAIL, "40 °C offered, at least 45 °C required"),
    Case("T4", {"thermal.storage_temperature_min_c": -20.0}, FAIL, "Lowest temperature in storage: -20 °C offered"),
    Case("T4", {"thermal.storage_temperature_max_c": 50.0}, FAIL, "Highest temperature in storage: 50 °C offered"),
    Case("T4", {"limits.operating.charge_temperature_max_c": 40.0}, FAIL, "Highest temperature for charging: 40 °C"),
    Case("T4", {"bay.thermal.climate_max_c": None}, UNKNOWN, "battery_bay.thermal.climate_max_c"),
    # safety
    Case("S1", {"safety.propagation": "none", "safety.propagation_warning_s": None}, PASS,
         "none in the supplier's test"),
    Case("S1", {"safety.propagation": "without_warning"}, FAIL, "Thermal propagation without warning."),
    Case("S1", {"safety.propagation_warning_s": 200.0}, FAIL, "Warning before hazard: 200 s offered, at least 300 s"),
    Case("S1", {"safety.vent_face": "top"}, FAIL, "Vent face: top offered, one of side, end required"),
    Case("S1", {"safety.propagation": None}, UNKNOWN, "battery_module.safety.propagation"),
    Case("S1", {"safety.propagation": "none", "safety.vent_face": None}, UNKNOWN, "battery_module.safety.vent_face"),
    Case("S2", {"safety.reess_type": "common_b"}, CONDITIONAL, "Extend the vehicle's UN R100 approval"),
    Case("S2", {"chemistry": "LTO"}, CONDITIONAL, "Re-parameterise the battery controller"),
    Case("S2", {"chemistry": None}, UNKNOWN, "battery_module.chemistry"),
    Case("S3", {"safety.transport_test_summary": None}, UNKNOWN, "UN 38.3 test summary cannot be judged"),
    Case("S4", {"limits.safety.discharge_current_a": None}, UNKNOWN, "limits.safety.discharge_current_a"),
    Case("S5", {"safety.asil": "B"}, FAIL, "Safety integrity: ASIL B offered, at least C required"),
    Case("S5", {"safety.asil": "QM", "bay.safety.asil": "A"}, FAIL, "ASIL QM offered"),
    Case("S5", {"safety.asil": "D"}, PASS, "ASIL D offered"),
    Case("S5", {"bay.safety.asil": None}, UNKNOWN, "battery_bay.safety.asil"),
    # messages
    Case("C1", {"communication.bus": "can_fd"}, CONDITIONAL, "Gateway between the two buses."),
    Case("C1", {"communication.bitrate_kbit_s": 250.0}, CONDITIONAL,
         "Bit rate: 250 kbit/s offered, 500 kbit/s required"),
    Case("C1", {"communication.connector": "signal_8"}, CONDITIONAL, "Adapter for the signal connector."),
    Case("C1", {"communication.bitrate_kbit_s": None}, UNKNOWN, "battery_module.communication.bitrate_kbit_s"),
    Case("C1", {"communication.bus": "analog", "bay.communication.bus": "analog", "communication.bitrate_kbit_s": None},
         PASS, "Bus: both analog"),
    Case("C2", {"communication.message_set": "other"}, CONDITIONAL, "CAN bridge that translates the messages"),
    Case("C2", {"communication.message_set": "other", "communication.signals": ["voltage"]}, FAIL,
         "Signals: current required and not offered"),
    Case("C2", {"communication.period_ms": 200.0}, FAIL, "Message period: 200 ms offered, at most 100 ms required"),
    Case("C2", {"communication.message_set": None}, UNKNOWN, "battery_module.communication.message_set"),
    Case("C3", {"communication.cell_voltage_taps": 7}, FAIL, "Cell voltage taps: 7 offered, at least 8 required"),
    Case("C3", {"communication.voltage_accuracy_mv": 20.0}, FAIL, "Voltage accuracy: 20 mV offered, at most 10 mV"),
    Case("C3", {"communication.temperature_accuracy_k": 3.0}, FAIL, "3 K offered, at most 2 K required"),
    Case("C3", {"communication.balancing_current_ma": 10.0}, FAIL, "Balancing current: 10 mA offered"),
    Case("C3", {"communication.cell_voltage_taps": None}, UNKNOWN, "battery_module.communication.cell_voltage_taps"),
    Case("C4", {"communication.diagnostics": "kwp"}, CONDITIONAL, "Teach the gateway this part's diagnostics."),
    Case("C4", {"bay.communication.diagnostics": None}, UNKNOWN, "battery_bay.communication.diagnostics"),
    # charging, life, service
    Case("G1", {"car.charging.dc_voltage_max_v": 400.0}, FAIL, "403.2 V offered, at most 400 V required"),
    Case("G1", {"car.requirements.charge_10_to_80_min": 10.0}, FAIL, "Charging time 10 to 80 %: "),
    Case("G1", {"car.requirements.charge_10_to_80_min": None}, PASS, "Charging time: none required."),
    Case("G1", {"car.charging.dc_power_kw": None}, UNKNOWN, "vehicle.charging.dc_power_kw"),
    Case("G1", {"curves.charge_current": None}, UNKNOWN, "battery_module.curves.charge_current"),
    Case("G1", {"limits.operating.cell_voltage_max_v": None}, UNKNOWN, "cell_voltage_max_v"),
    Case("L1", {"life.calendar_years": 7.0}, FAIL, "7 years offered, at least 8 years required"),
    Case("L1", {"life.distance_km": 100000.0}, FAIL, "100000 km offered, at least 160000 km required"),
    Case("L1", {"life.distance_km": None}, UNKNOWN, "battery_module.life.distance_km"),
    Case("L1", {"life.distance_km": None, "car.requirements.life_distance_km": None}, PASS, "none required"),
    Case("R1", {"service.replaceable_in_bay": False}, CONDITIONAL, "Plan repair as replacement of the whole battery."),
    Case("R1", {"service.replaceable_in_bay": None}, UNKNOWN, "battery_module.service.replaceable_in_bay"),
    Case("R1", {"service.dismantling_instructions": None}, UNKNOWN, "dismantling_instructions"),
    Case("R2", {"service.traceability_code": "X12PCPM27KLPCLX2M2382320"}, FAIL, "fourth letter P, M for this level"),
    Case("R2", {"service.traceability_code": None}, UNKNOWN, "battery_module.service.traceability_code"),
    Case("R3", {"service.passport_lacks": ["carbon footprint"]}, CONDITIONAL, "Fill carbon footprint."),
    Case("R3", {"service.passport_lacks": None}, UNKNOWN, "battery_module.service.passport_lacks"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check} {case.words[:40]}")
def test_a_check_says_what_is_wrong(case: Case) -> None:
    finding = varied(case.check, case.changes)
    assert finding.verdict is case.verdict, finding.reason
    assert case.words in f"{finding.reason} {finding.action} {' '.join(finding.missing)}"
    if case.verdict is CONDITIONAL:
        assert finding.action, "a condition says what to do"
    if case.verdict is UNKNOWN:
        assert finding.missing
        assert finding.action.startswith("Ask for ")


# A pack leaves nothing about its layout to choose, so each value speaks for itself.
PACK_CASES = [
    Case("E1", {"bay.electrical.voltage_max_v": 400.0}, FAIL, "Highest voltage of 96 cells in series: 403.2 V offered"),
    Case("E1", {"bay.electrical.voltage_min_v": 340.0, "bay.electrical.full_power_min_v": 345.0}, FAIL,
         "below the vehicle's 340 V in"),
    Case("E1", {"bay.electrical.voltage_min_v": 309.0, "bay.electrical.full_power_min_v": 310.0,
                "bay.electrical.continuous_power_kw": 0.1}, CONDITIONAL, "Raise the discharge floor"),
    Case("E1", {"bay.electrical.full_power_min_v": 345.0}, CONDITIONAL, "Accept less power below 345 V"),
    Case("E1", {"bay.electrical.continuous_power_kw": 100.0}, CONDITIONAL, "at -25 °C and 100 kW: down to 196 V"),
    Case("E1", {"bay.electrical.continuous_power_kw": 150.0}, FAIL, "at -25 °C and 150 kW"),
    Case("E1", {"curves.resistance": None}, UNKNOWN, "battery_module.curves.resistance"),
    Case("E1", {"bay.electrical.voltage_min_v": None}, UNKNOWN, "battery_bay.electrical.voltage_min_v"),
    Case("E1", {"bay.electrical.full_power_min_v": None}, UNKNOWN, "battery_bay.electrical.full_power_min_v"),
    Case("E1", {"bay.thermal.climate_min_c": None}, UNKNOWN, "battery_bay.thermal.climate_min_c"),
    Case("E1", {"curves.resistance": None, "bay.electrical.voltage_max_v": 400.0}, FAIL, "403.2 V offered"),
    Case("E2", {"bay.electrical.voltage_max_v": 400.0, "bay.electrical.class_limit_v": 400.0}, FAIL,
         "Highest voltage against the class limit: 403.2 V offered, at most 400 V required"),
    Case("M1", {"envelope.length_mm": 996.0}, CONDITIONAL, "1.0 mm too much in length"),
    Case("M2", {"mass_kg": 340.0}, CONDITIONAL, "340 kg offered, at most 320 kg required"),
    Case("M2", {"mass_kg": 360.0}, FAIL, "Battery mass of 1 part: 360 kg offered"),
    Case("M6", {"mounting.face_pressure_max_kpa": None}, PASS, "The pack has its own frame"),
    Case("E3", {"envelope.length_mm": None}, PASS, "A pack brings its own layout."),
    Case("E5", {"electrical.capacity_spread_pct": None}, PASS, "nothing to balance"),
    Case("E8", {"electrical.insulation_mega_ohm": 0.2}, FAIL, "496 Ω/V offered, at least 500 Ω/V required"),
    Case("T3", {"thermal.flatness_mm": None}, PASS, "No cooling plate of the vehicle touches the part."),
    Case("R1", {"service.replaceable_in_bay": False}, PASS, "can be replaced"),
]  # fmt: skip


@pytest.mark.parametrize("case", PACK_CASES, ids=lambda case: f"{case.check} {case.words[:40]}")
def test_a_check_of_a_pack_says_what_is_wrong(case: Case) -> None:
    finding = varied(case.check, case.changes, PACK, PACK_CAR)
    assert finding.verdict is case.verdict, finding.reason
    assert case.words in f"{finding.reason} {finding.action} {' '.join(finding.missing)}"


def test_every_check_is_shown_to_pass_to_be_unknown_and_to_fail_or_ask_for_something() -> None:
    shown = {(case.check, case.verdict) for case in CASES + PACK_CASES}
    checks = {check.id for check in BATTERY_CHECKS}
    assert {check for check, verdict in shown if verdict is UNKNOWN} == checks
    never = {"S3", "S4"}  # a document or a limit is there or nobody knows of it
    assert {check for check, verdict in shown if verdict in (FAIL, CONDITIONAL)} == checks - never


# --- figures ---


@given(st.floats(1.0, 1e6), st.floats(10.0, 1000.0), st.floats(1e-9, 1.0))
def test_the_current_gives_the_power_at_the_voltage_that_it_leaves(power: float, voltage: float, ohm: float) -> None:
    current = current_for_power(power, voltage, ohm)
    if math.isinf(current):
        assert power > voltage**2 / (4.0 * ohm) * (1.0 - 1e-12)
    else:
        assert current * (voltage - ohm * current) == pytest.approx(power, rel=1e-9)
        assert ohm * current <= voltage / 2.0 * (1.0 + 1e-9), "the branch of less current"
    charging = current_for_power(power, voltage, -ohm)
    assert charging * (voltage + ohm * charging) == pytest.approx(power, rel=1e-9)


def test_the_current_of_a_source_without_resistance() -> None:
    assert current_for_power(1000.0, 100.0, 0.0) == 10.0
    assert current_for_power(1000.0, 100.0, 1e-300) == pytest.approx(10.0), "no digits are lost"


def test_the_figures_of_the_checks_by_hand() -> None:
    """96 cells at 3.7 V, 12 x 5 mOhm; the heat, the short circuit, the precharge, the insulation."""
    flat = changed(MODULE, {"curves.open_circuit_voltage": FLAT})
    heat = judged("T1", flat, CAR).worst
    current = 30_000.0 / (12 * 29.6)
    assert heat.margin == pytest.approx(2500.0 - 1.5 * 0.060 * current**2)
    short, fuse = judged("E6", flat, CAR).outcomes
    assert short.margin == pytest.approx(10_000.0 - 403.2 / 0.060)
    assert fuse.margin == pytest.approx(250.0 - current)
    time, energy = judged("E7", flat, CAR).outcomes
    assert time.margin == pytest.approx(0.5 - 3.0 * 30.0 * 1e-3)
    assert energy.margin == pytest.approx(100.0 - 0.5 * 1e-3 * 403.2**2)
    assert judged("E8", flat, CAR).worst.margin == pytest.approx(100e6 / 12 / 403.2 - 500.0)


def test_peak_current_by_hand() -> None:
    """At 10 °C and end of life 12 x 7.4 x 1.5 = 133.2 mOhm: 100 kW at 355.2 V need 320.1 A, and sag to 312.6 V."""
    flat = changed(MODULE, {"curves.open_circuit_voltage": FLAT, "electrical.discharge_peak_current_a": 300.0})
    (short,) = (outcome for outcome in judged("E4", flat, CAR).outcomes if outcome.verdict is FAIL)
    needed = 300.0 - (short.margin or 0.0)
    assert needed == pytest.approx(320.0, abs=0.5)
    assert needed * (355.2 - 0.1332 * needed) == pytest.approx(100_000.0)


def steady(current_a: float, **charging: Any) -> BatteryCase:
    """A case of one string at a steady charging current, without resistance to speak of."""
    module = changed(
        MODULE,
        {
            "curves.open_circuit_voltage": FLAT,
            "curves.charge_current": {"soc": [0.0, 1.0], "current_a": [current_a, current_a]},
            "curves.resistance": {"temperature_c": [25.0], "resistance_mohm": [1e-6]},
        },
    )
    return BatteryCase(module, changed(CAR, {f"charging.{name}": value for name, value in charging.items()}))


@pytest.mark.parametrize(
    ("current", "charging", "strings", "minutes"),
    [
        (112.0, {}, 1, 0.7 * 60.0),  # at 1 C 70 % take 42 minutes
        (224.0, {}, 1, 0.7 * 30.0),
        (112.0, {"dc_current_max_a": 56.0}, 1, 0.7 * 120.0),
        (112.0, {"dc_power_kw": 355.2 * 56.0 / 1000.0}, 1, 0.7 * 120.0),
        (112.0, {"dc_power_kw": 1000.0, "dc_current_max_a": 1000.0}, 2, 0.7 * 60.0),  # twice of both
        (112.0, {"dc_power_kw": 1000.0, "dc_current_max_a": 112.0}, 2, 0.7 * 120.0),
    ],
)
def test_charging_time_by_hand(current: float, charging: dict[str, Any], strings: int, minutes: float) -> None:
    case = steady(current, **charging)
    assert charge_time_min(case, Layout(12 * strings, 12, strings)) == pytest.approx(minutes, rel=1e-6)


def test_charging_slows_where_the_curve_falls() -> None:
    """Half the way at 1 C and half at 0.5 C: 35 % in 21 minutes and 35 % in 42."""
    case = steady(112.0)
    curve = {"soc": [0.0, 0.45, 0.4500001, 1.0], "current_a": [112.0, 112.0, 56.0, 56.0]}
    stepped = BatteryCase(changed(case.module, {"curves.charge_current": curve}), case.vehicle)
    assert charge_time_min(stepped, Layout(12, 12, 1)) == pytest.approx(63.0, rel=1e-6)


# --- a worse value never makes a better verdict ---

WORSE = [  # check, path, whether more of it is worse
    ("M1", "envelope.length_mm", True), ("M1", "envelope.height_mm", True), ("M1", "envelope.swelling_mm", True),
    ("M1", "envelope.tolerance_mm", True), ("M1", "bay.bay.length_mm", False), ("M1", "bay.bay.height_mm", False),
    ("M1", "bay.clearance_mm", True), ("M1", "bay.envelope_tolerance_mm", False),
    ("M2", "mass_kg", True), ("M2", "bay.max_mass_kg", False), ("M2", "bay.mass_tolerance_kg", False),
    ("M4", "mounting.vibration_class", False), ("M5", "mounting.crush_force_kn", False),
    ("E1", "bay.electrical.voltage_max_v", False), ("E1", "bay.electrical.continuous_power_kw", True),
    ("E1", "cells_series", True), ("E2", "electrical.max_system_voltage_v", False),
    ("E4", "electrical.discharge_peak_current_a", False), ("E4", "bay.electrical.discharge_peak_power_kw", True),
    ("E4", "bay.electrical.regeneration_peak_power_kw", True), ("E4", "bay.electrical.continuous_power_kw", True),
    ("E4", "electrical.peak_duration_s", False), ("E4", "bay.electrical.power_soc", False),
    ("E6", "bay.electrical.breaking_capacity_a", False), ("E6", "bay.electrical.fuse_current_a", False),
    ("E7", "bay.electrical.dc_link_capacitance_uf", True), ("E7", "bay.electrical.precharge_resistance_ohm", True),
    ("E8", "electrical.insulation_mega_ohm", False), ("E10", "electrical.creepage_mm", False),
    ("T1", "bay.thermal.heat_rejection_w", False), ("T1", "bay.electrical.continuous_power_kw", True),
    ("T2", "thermal.flow_l_min", True), ("T2", "bay.thermal.pump_pressure_kpa", False),
    ("T4", "bay.thermal.climate_max_c", True), ("S1", "safety.propagation_warning_s", False),
    ("C2", "communication.period_ms", True), ("C3", "communication.cell_voltage_taps", False),
    ("G1", "capacity_ah", True), ("G1", "car.charging.dc_power_kw", False),
    ("G1", "car.charging.dc_current_max_a", False), ("L1", "life.calendar_years", False),
]  # fmt: skip


def value_at(path: str) -> Any:
    side, _, rest = path.partition(".")
    record: Any = {"bay": PACK_CAR.battery_bay, "car": PACK_CAR}.get(side, PACK)
    for name in (rest if side in ("bay", "car") else path).split("."):
        record = getattr(record, name)
    return record


@given(st.sampled_from(WORSE), st.floats(0.2, 5.0), st.floats(1.0, 4.0))
def test_a_worse_value_never_makes_a_better_verdict(worse: tuple[str, str, bool], scale: float, step: float) -> None:
    check, path, more = worse
    now = value_at(path)
    first = now * scale
    second = first * step if more else first / step
    if isinstance(now, int):
        first, second = max(1, round(first)), max(1, round(second))
    if path.endswith("power_soc"):
        first, second = min(first, 1.0), min(second, 1.0)
    try:
        before = varied(check, {path: first}, PACK, PACK_CAR)
        after = varied(check, {path: second}, PACK, PACK_CAR)
    except ValueError:  # a value that no record can have, such as a window out of order
        return
    assert after.verdict.rank >= before.verdict.rank, (first, second, before.reason, after.reason)


@settings(max_examples=40)
@given(st.floats(1.0, 80.0), st.floats(1.0, 3.0))
def test_heavier_modules_never_make_a_better_mass(mass: float, factor: float) -> None:
    lighter, heavier = varied("M2", {"mass_kg": mass}), varied("M2", {"mass_kg": mass * factor})
    assert heavier.verdict.rank >= lighter.verdict.rank
