"""The 25 e-axle checks, each in words that an engineer would use: pass, fail or conditional, unknown."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.eaxle_case import EAxleCase
from kyotsu.spec.finding import Finding, Verdict
from kyotsu.spec.fit import EAXLE_CHECKS, fit_eaxle
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import load_workspace
from spec.workspaces import TWO_MAKERS, changed, eaxle_of, vehicle_of

WORKSPACE = load_workspace(TWO_MAKERS)
CAR = vehicle_of(WORKSPACE)
EAXLE = changed(eaxle_of(WORKSPACE), {"ratings": [eaxle_of(WORKSPACE).ratings[1].model_dump()]})
MAP = {"speed_rpm": [0.0, 14000.0], "torque_nm": [0.0, 400.0], "loss_w": [[0.0, 500.0], [900.0, 2000.0]]}
PASS, CONDITIONAL, UNKNOWN, FAIL = Verdict


def judged(check: str, eaxle: EAxle, vehicle: Vehicle) -> Finding:
    findings = fit_eaxle("alpha/hatch", vehicle, vehicle.eaxle_mounts[0], eaxle).findings
    return next(item for item in findings if item.check == check)


def varied(check: str, changes: dict[str, Any]) -> Finding:
    """The finding when other values stand in the e-axle, the mount (`mount.`) or the car (`car.`)."""
    own: dict[str, Any] = {}
    need: dict[str, Any] = {}
    for path, value in changes.items():
        side, _, rest = path.partition(".")
        if side == "mount":
            need[f"eaxle_mounts.0.{rest}"] = value
        elif side == "car":
            need[rest] = value
        else:
            own[path.replace("rating.", "ratings.0.")] = value
    return judged(check, changed(EAXLE, own), changed(CAR, need))


@pytest.mark.parametrize("check", [check.id for check in EAXLE_CHECKS])
def test_every_check_passes_where_everything_is_stated_and_right(check: str) -> None:
    finding = judged(check, EAXLE, CAR)
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
    Case("A1", {"inverter.voltage_min_v": 245.0, "inverter.full_power_min_v": 245.0}, FAIL,
         "Lowest voltage of the inverter: 245 V offered, at most 240 V required"),
    Case("A1", {"inverter.voltage_max_v": 400.0, "inverter.full_power_max_v": 400.0}, FAIL,
         "Highest voltage of the inverter: 400 V offered, at least 410 V required"),
    Case("A1", {"inverter.voltage_class": "b_800v"}, FAIL, "Voltage class: b_800v offered, b_400v required"),
    Case("A1", {"inverter.full_power_min_v": 260.0}, CONDITIONAL, "Accept less power at the lower end"),
    Case("A1", {"inverter.full_power_max_v": 400.0}, CONDITIONAL, "Accept less power at the upper end"),
    Case("A1", {"inverter.full_power_min_v": 415.0, "inverter.full_power_max_v": 420.0}, FAIL,
         "Full power from: 415 V"),
    Case("A1", {"inverter.full_power_min_v": None}, UNKNOWN, "eaxle.inverter.full_power_min_v"),
    Case("A1", {"mount.electrical.voltage_class": None}, UNKNOWN, "eaxle_mount.electrical.voltage_class"),
    Case("A2", {"mount.peak_power_kw": 120.0}, FAIL, "Peak power at 100kw: 100 kW offered, at least 120 kW required"),
    Case("A2", {"rating.peak_duration_s": 5.0}, FAIL, "Duration of peak power: 5 s offered, at least 10 s required"),
    Case("A2", {"rating.peak_duration_s": None}, UNKNOWN, "eaxle.ratings.100kw.peak_duration_s"),
    Case("A3", {"rating.continuous_power_kw": 30.0}, FAIL, "Continuous power: 30 kW offered, at least 40 kW required"),
    Case("A3", {"mount.continuous_power_kw": None}, UNKNOWN, "eaxle_mount.continuous_power_kw"),
    Case("A4", {"motor.max_speed_rpm": 12000.0}, FAIL, "Highest motor speed: 12000 rpm offered, at least 13158 rpm"),
    Case("A4", {"reducer.ratio": None}, UNKNOWN, "eaxle.reducer.ratio"),
    Case("A4", {"car.tyre.radius_mm": None}, UNKNOWN, "vehicle.tyre.radius_mm"),
    Case("A4", {"mount.speed_reserve_share": None}, UNKNOWN, "eaxle_mount.speed_reserve_share"),
    Case("A5", {"mount.axle_torque_nm": 2450.0}, FAIL,
         "Torque at the axle: 2396 N m offered, at least 2450 N m required"),
    Case("A5", {"reducer.axle_peak_torque_nm": 1900.0}, FAIL, "1900 N m offered"),
    Case("A5", {"mount.half_shaft_torque_max_nm": 2200.0}, CONDITIONAL, "Limit torque in software"),
    Case("A5", {"reducer.backlash_mrad": 9.0}, FAIL, "Backlash: 9 mrad offered, at most 8 mrad required"),
    Case("A5", {"reducer.efficiency": None}, PASS, "Torque at the axle: 2470 N m offered"),
    Case("A5", {"reducer.efficiency": None, "reducer.axle_peak_torque_nm": None}, UNKNOWN, "eaxle.reducer.efficiency"),
    Case("A5", {"reducer.efficiency": None, "mount.axle_torque_nm": 2490.0}, FAIL, "2470 N m offered"),
    Case("A5", {"reducer.efficiency": None, "reducer.axle_peak_torque_nm": None, "mount.axle_torque_nm": 2490.0}, FAIL,
         "Torque at the axle without loss: 2470 N m offered"),
    Case("A5", {"reducer.ratio": None, "reducer.axle_peak_torque_nm": None}, UNKNOWN, "axle_peak_torque_nm"),
    Case("A6", {"loss_model": None}, UNKNOWN, "eaxle.loss_map"),
    Case("A6", {"loss_model": None, "loss_map": {**MAP, "speed_rpm": [0.0, 10000.0]}}, CONDITIONAL,
         "Highest speed of the loss map: 10000 rpm offered, at least 13158 rpm"),
    Case("A6", {"loss_model": None, "loss_map": {**MAP, "torque_nm": [0.0, 50.0]}}, CONDITIONAL,
         "Highest torque of the loss map: 50 N m offered"),
    Case("A6", {"loss_model": None, "loss_map": MAP}, PASS, "Losses over speed and torque are stated"),
    Case("A7", {"rating.continuous_power_kw": None}, UNKNOWN, "eaxle.ratings.100kw.continuous_power_kw"),
    Case("A8", {"rating.dc_current_max_a": 500.0}, FAIL, "Direct current: 500 A offered, at most 450 A required"),
    Case("A8", {"inverter.dc_link_capacitance_uf": 1500.0}, FAIL, "1500 µF offered, at most 1000 µF required"),
    Case("A8", {"inverter.ripple_current_a": 90.0}, FAIL, "Ripple current: 90 A offered"),
    Case("A8", {"inverter.ripple_current_a": None}, UNKNOWN, "eaxle.inverter.ripple_current_a"),
    Case("A9", {"inverter.active_discharge_s": 3.0}, FAIL, "Active discharge: 3 s offered, at most 2 s required"),
    Case("A9", {"inverter.insulation_ohm_per_v": 400.0}, FAIL, "400 Ω/V offered, at least 500 Ω/V required"),
    Case("A9", {"vehicle_interface.interlock": False}, CONDITIONAL, "Bridge or add the interlock loop."),
    Case("A9", {"inverter.passive_discharge_s": None}, UNKNOWN, "eaxle.inverter.passive_discharge_s"),
    Case("A10", {"vehicle_interface.hv_connector": "hv_3"}, CONDITIONAL, "Adapter cable between the two"),
    Case("A10", {"vehicle_interface.hv_cable_mm2": 25.0}, FAIL, "Cable section: 25 mm² offered, at least 35 mm²"),
    Case("A10", {"vehicle_interface.hv_shielded": False}, FAIL, "Shielded cable: no offered, yes required"),
    Case("A10", {"mount.interface.hv_connector": None}, UNKNOWN, "eaxle_mount.interface.hv_connector"),
    Case("A11", {"envelope.length_mm": 510.0}, FAIL, "Length: 510 mm offered, at most 500 mm required"),
    Case("A11", {"mass_kg": 95.0}, CONDITIONAL, "recheck the axle load"),
    Case("A11", {"mass_kg": 105.0}, FAIL, "Mass: 105 kg offered, at most 90 kg required"),
    Case("A11", {"mount.body.clear": {}}, UNKNOWN, "eaxle_mount.body.clear.length_mm"),
    Case("A12", {"mounting.pattern": "four_mounts"}, CONDITIONAL, "Adapter brackets"),
    Case("A12", {"mounting.reaction_torque_nm": 3500.0}, FAIL, "Reaction torque: 3500 N m offered, at most 3000 N m"),
    Case("A12", {"mounting.reaction_torque_nm": None}, UNKNOWN, "eaxle.mounting.reaction_torque_nm"),
    Case("A13", {"mounting.output_spline": "spline_27"}, CONDITIONAL, "New half shafts"),
    Case("A13", {"mounting.shaft_angle_max_deg": 8.0}, FAIL, "Joint angle: 8 ° offered, at least 10 ° required"),
    Case("A13", {"envelope.output_axis_offset_mm": 20.0}, FAIL,
         "Distance of the output axis: 12 mm offered, at most 5 mm"),
    Case("A13", {"envelope.output_axis_offset_mm": -20.0}, FAIL, "28 mm offered"),
    Case("A13", {"envelope.output_axis_offset_mm": None}, UNKNOWN, "eaxle.envelope.output_axis_offset_mm"),
    Case("A14", {"thermal.medium": "air"}, FAIL, "Coolant: air offered, water_glycol required"),
    Case("A14", {"thermal.port": "quick_12"}, CONDITIONAL, "Adapter hose or fitting."),
    Case("A14", {"thermal.flow_l_min": 12.0}, FAIL, "Coolant flow: 12 l/min offered, at most 10 l/min required"),
    Case("A14", {"thermal.heat_rejection_kw": 7.0}, FAIL, "Heat to reject: 7 kW offered, at most 6 kW required"),
    Case("A14", {"thermal.inlet_max_c": 55.0}, FAIL, "60 °C offered, at most 55 °C required"),
    Case("A14", {"thermal.medium": None}, UNKNOWN, "eaxle.thermal.medium"),
    Case("A14", {"thermal.medium": "air", "mount.thermal.medium": "air", "thermal.port": None}, PASS, "both air"),
    Case("A15", {"reducer.park_lock": False}, CONDITIONAL, "Provide the park function elsewhere"),
    Case("A15", {"reducer.park_lock": False, "mount.park_lock": False}, PASS, "as required"),
    Case("A15", {"reducer.oil": None}, UNKNOWN, "eaxle.reducer.oil"),
    Case("A15", {"mount.park_lock": None}, UNKNOWN, "eaxle_mount.park_lock"),
    Case("A16", {"scope": "motor"}, UNKNOWN, "eaxle.motor_interface.position_sensor"),
    Case("A16", {"scope": "motor", "motor_interface": {"position_sensor": "resolver", "pole_pairs": 4,
         "back_emf_v_per_krpm": 60.0, "phase_current_max_a": 400.0}}, PASS, "Position sensor: resolver."),
    Case("A17", {"vehicle_interface.lv_supply_min_v": 10.0}, FAIL, "10 V offered, at most 9 V required"),
    Case("A17", {"vehicle_interface.quiescent_current_ma": 2.0}, FAIL, "2 mA offered, at most 1 mA required"),
    Case("A17", {"vehicle_interface.wake_line": False}, CONDITIONAL, "Wake by message instead of by line."),
    Case("A17", {"vehicle_interface.wake_line": None}, UNKNOWN, "eaxle.vehicle_interface.wake_line"),
    Case("A18", {"vehicle_interface.bus": "can_fd"}, CONDITIONAL, "Adapter between the two buses"),
    Case("A18", {"vehicle_interface.end_to_end_profile": "e2e_2"}, CONDITIONAL, "End-to-end protection: e2e_2 offered"),
    Case("A18", {"vehicle_interface.period_ms": 30.0}, FAIL, "Message period: 30 ms offered, at most 20 ms required"),
    Case("A18", {"vehicle_interface.bus": None}, UNKNOWN, "eaxle.vehicle_interface.bus"),
    Case("A19", {"vehicle_interface.message_set": "other"}, CONDITIONAL, "Adapter that maps the unit's frames"),
    Case("A19", {"vehicle_interface.message_set": "other", "vehicle_interface.signals": ["torque"]}, FAIL,
         "speed required and not offered"),
    Case("A19", {"vehicle_interface.message_set": None}, UNKNOWN, "eaxle.vehicle_interface.message_set"),
    Case("A20", {"vehicle_interface.back_emf_max_v": 420.0}, FAIL, "420 V offered, at most 410 V required"),
    Case("A20", {"vehicle_interface.back_emf_max_v": 420.0, "vehicle_interface.safe_state": "both"}, PASS,
         "both declared"),
    Case("A20", {"vehicle_interface.safe_state": None}, UNKNOWN, "eaxle.vehicle_interface.safe_state"),
    Case("A20", {"vehicle_interface.back_emf_max_v": None}, UNKNOWN, "eaxle.vehicle_interface.back_emf_max_v"),
    Case("A21", {"vehicle_interface.asil_torque": "B"}, FAIL, "Torque integrity: ASIL B offered, at least C required"),
    Case("A21", {"vehicle_interface.torque_error_limit_nm": 60.0}, FAIL, "60 N m offered, at most 50 N m required"),
    Case("A21", {"vehicle_interface.fault_tolerant_time_ms": 300.0}, FAIL, "Fault reaction time: 300 ms offered"),
    Case("A21", {"mount.interface.asil_torque": None}, UNKNOWN, "eaxle_mount.interface.asil_torque"),
    Case("A22", {"environment.ip_code": "IP65"}, FAIL, "IP65 offered, at least IP67 required"),
    Case("A22", {"environment.temperature_min_c": -20.0}, FAIL, "-20 °C offered, at most -30 °C required"),
    Case("A22", {"environment.vibration_class": 1}, FAIL, "Vibration class: 1 offered, at least 2 required"),
    Case("A22", {"environment.emc_class": 2}, FAIL, "2 offered, at least 3 required"),
    Case("A22", {"environment.max_altitude_m": None}, UNKNOWN, "eaxle.environment.max_altitude_m"),
    Case("A23", {"environment.noise_db": 70.0}, CONDITIONAL, "Encapsulate the unit."),
    Case("A23", {"environment.noise_db": 72.0}, FAIL, "Noise: 72 dB offered, at most 65 dB required"),
    Case("A23", {"environment.noise_db": None}, UNKNOWN, "eaxle.environment.noise_db"),
    Case("A24", {"vehicle_interface.software_signed": False}, CONDITIONAL, "Sign the unit's software"),
    Case("A24", {"vehicle_interface.software_signed": None}, UNKNOWN, "eaxle.vehicle_interface.software_signed"),
    Case("A25", {"environment.endurance_rank": "C"}, FAIL, "Endurance: rank C offered, at least B required"),
    Case("A25", {"environment.endurance_rank": None}, UNKNOWN, "eaxle.environment.endurance_rank"),
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


def test_every_check_is_shown_to_pass_to_be_unknown_and_to_fail_or_ask_for_something() -> None:
    shown = {(case.check, case.verdict) for case in CASES}
    checks = {check.id for check in EAXLE_CHECKS}
    assert {check for check, verdict in shown if verdict is UNKNOWN} == checks
    never = {"A7", "A16"}  # a declaration is there or nobody knows of it
    assert {check for check, verdict in shown if verdict in (FAIL, CONDITIONAL)} == checks - never


def test_torque_and_speed_by_hand() -> None:
    """260 N m x 9.5 x 0.97 = 2395.9 N m; 165 km/h on 316 mm are 23.08 turns a second, at 9.5 so 13,158 rpm."""
    case = EAxleCase(EAXLE, EAXLE.ratings[0], CAR, CAR.eaxle_mounts[0])
    assert case.axle_torque.number == pytest.approx(260.0 * 9.5 * 0.97)
    assert case.motor_speed.number == pytest.approx(13_158.1, abs=0.5)


def test_a_reducer_bears_no_more_than_it_is_made_for() -> None:
    weak = changed(EAXLE, {"reducer.axle_peak_torque_nm": 2000.0})
    assert EAxleCase(weak, weak.ratings[0], CAR, CAR.eaxle_mounts[0]).axle_torque.number == 2000.0
    unknown_ratio = changed(EAXLE, {"reducer.ratio": None})
    assert EAxleCase(unknown_ratio, EAXLE.ratings[0], CAR, CAR.eaxle_mounts[0]).axle_torque.number == 2500.0


WORSE = [  # check, path, whether more of it is worse
    ("A1", "inverter.full_power_min_v", True), ("A1", "inverter.full_power_max_v", False),
    ("A2", "rating.peak_power_kw", False), ("A2", "mount.peak_duration_s", True),
    ("A3", "mount.continuous_power_kw", True), ("A4", "motor.max_speed_rpm", False), ("A4", "reducer.ratio", True),
    ("A4", "mount.top_speed_km_h", True), ("A4", "mount.speed_reserve_share", True), ("A4", "car.tyre.radius_mm",
    False),
    ("A5", "rating.peak_torque_nm", False), ("A5", "reducer.efficiency", False), ("A5", "mount.axle_torque_nm", True),
    ("A8", "rating.dc_current_max_a", True), ("A9", "inverter.active_discharge_s", True),
    ("A10", "vehicle_interface.hv_cable_mm2", False), ("A11", "mass_kg", True), ("A11", "mount.body.max_mass_kg",
    False),
    ("A11", "envelope.width_mm", True), ("A12", "mounting.reaction_torque_nm", True),
    ("A13", "mount.body.output_axis_tolerance_mm", False), ("A14", "thermal.heat_rejection_kw", True),
    ("A17", "vehicle_interface.quiescent_current_ma", True), ("A18", "vehicle_interface.period_ms", True),
    ("A20", "vehicle_interface.back_emf_max_v", True), ("A21", "vehicle_interface.torque_error_limit_nm", True),
    ("A22", "environment.max_altitude_m", False), ("A23", "environment.noise_db", True),
]  # fmt: skip


def value_at(path: str) -> Any:
    side, _, rest = path.partition(".")
    record: Any = {"mount": CAR.eaxle_mounts[0], "car": CAR, "rating": EAXLE.ratings[0]}.get(side, EAXLE)
    for name in (rest if side in ("mount", "car", "rating") else path).split("."):
        record = getattr(record, name)
    return record


@given(st.sampled_from(WORSE), st.floats(0.2, 5.0), st.floats(1.0, 4.0))
def test_a_worse_value_never_makes_a_better_verdict(worse: tuple[str, str, bool], scale: float, step: float) -> None:
    check, path, more = worse
    first = value_at(path) * scale
    second = first * step if more else first / step
    try:
        before, after = varied(check, {path: first}), varied(check, {path: second})
    except ValueError:  # a value that no record can have
        return
    if check == "A5" and before.worst.reason.startswith("Torque on the half shafts"):
        return  # less torque spares the half shafts
    assert after.verdict.rank >= before.verdict.rank, (first, second, before.reason, after.reason)
