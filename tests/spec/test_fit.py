"""The contract that every check keeps, the overall verdict, and the interchange facts in words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.battery_case import BatteryCase
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.eaxle_case import EAxleCase
from kyotsu.spec.finding import Finding, Outcome, Verdict, finding, overall, weakest
from kyotsu.spec.fit import (
    BATTERY_CHECKS,
    EAXLE_CHECKS,
    BatteryFitting,
    EAxleFitting,
    Fit,
    fit_battery,
    fit_eaxle,
    fit_workspace,
)
from kyotsu.spec.layout import layouts
from kyotsu.spec.record import Record
from kyotsu.spec.references import BATTERY_CHECK_IDS, EAXLE_CHECK_IDS
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import Workspace, load_workspace
from spec.workspaces import (
    TWO_MAKERS,
    car_for_packs,
    changed,
    eaxle_of,
    module_of,
    pack_of,
    stated_paths,
    vehicle_of,
)

WORKSPACE = load_workspace(TWO_MAKERS)
MODULE, CAR, EAXLE = module_of(WORKSPACE), vehicle_of(WORKSPACE), eaxle_of(WORKSPACE)
INTERCHANGE = Path(__file__).parents[2] / "examples" / "interchange"

EMPTY_CAR = Vehicle.model_validate(
    {
        "id": "empty",
        "name": "Empty car",
        "drive": "front",
        "coast_down": {"a_n": 100.0, "b_n_per_mps": 0.0, "c_n_per_mps2": 0.4},
        "masses": {"curb_kg": 1500.0},
        "battery_bay": {"id": "bay", "accepts": ["battery_module", "cell_block", "cell", "pack"]},
        "eaxle_mounts": [{"id": "front", "axle": "front"}],
    }
)
EMPTY_EAXLE = EAxle.model_validate(
    {"id": "e", "name": "E", "supplier": "S", "ratings": [{"id": "a", "peak_power_kw": 50.0, "peak_torque_nm": 100.0}]}
)


def empty_module(level: str) -> BatteryModule:
    return BatteryModule.model_validate(
        {"id": "m", "name": "M", "supplier": "S", "cells_series": 8, "cells_parallel": 2, "level": level}
    )


def in_mount(vehicle: Vehicle, eaxle: EAxle) -> Fit:
    return fit_eaxle("alpha/hatch", vehicle, vehicle.eaxle_mounts[0], eaxle)


def verdicts(fit: Fit) -> dict[str, Verdict]:
    return {item.check: item.verdict for item in fit.findings}


# --- the lists ---


def test_the_battery_checks_are_those_of_the_list() -> None:
    counts = {"M": 6, "E": 10, "T": 4, "S": 5, "C": 4, "G": 1, "L": 1, "R": 3}
    expected = [f"{letter}{number}" for letter, count in counts.items() for number in range(1, count + 1)]
    assert [check.id for check in BATTERY_CHECKS] == expected == BATTERY_CHECK_IDS
    assert len(expected) == 34


def test_the_eaxle_checks_are_those_of_the_list() -> None:
    assert [check.id for check in EAXLE_CHECKS] == [f"A{number}" for number in range(1, 26)] == EAXLE_CHECK_IDS


@pytest.mark.parametrize("check", [*BATTERY_CHECKS, *EAXLE_CHECKS], ids=lambda check: check.id)
def test_a_check_says_what_it_checks_and_where_the_rule_comes_from(check: Any) -> None:
    assert check.title
    assert check.standard
    assert (check.judge.__doc__ or "").startswith(f"{check.id}: ")


# --- unknown is never a pass ---

# Rules that need no value: nothing is required, or the part's own maker answers for it.
NEEDS_NOTHING = {
    "battery_module": {"L1"},  # the vehicle requires no life
    "cell_block": {"L1"},
    "cell": {"L1"},
    "pack": {"L1", "M6", "E3", "E5", "T3"},  # what lies inside a pack is its maker's business
    "eaxle": {"A16"},  # motor and inverter come as one unit
}


@pytest.mark.parametrize("level", ["battery_module", "cell_block", "cell", "pack"])
def test_of_an_empty_part_in_an_empty_bay_nothing_is_known(level: str) -> None:
    fit = fit_battery("x/empty", EMPTY_CAR, empty_module(level))
    found = verdicts(fit)
    assert {check for check, verdict in found.items() if verdict is Verdict.PASS} == NEEDS_NOTHING[level]
    assert set(found.values()) == {Verdict.PASS, Verdict.UNKNOWN}
    assert fit.verdict is Verdict.UNKNOWN
    assert len(found) == len(BATTERY_CHECKS)


def test_of_an_empty_eaxle_at_an_empty_mount_nothing_is_known() -> None:
    fit = in_mount(EMPTY_CAR, EMPTY_EAXLE)
    found = verdicts(fit)
    assert {check for check, verdict in found.items() if verdict is Verdict.PASS} == NEEDS_NOTHING["eaxle"]
    assert set(found.values()) == {Verdict.PASS, Verdict.UNKNOWN}
    assert fit.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("full", ["part", "slot"])
def test_where_one_side_says_nothing_no_pair_passes(full: str) -> None:
    for module, vehicle in ((MODULE, CAR), (pack_of(WORKSPACE), car_for_packs(WORKSPACE))):
        pair = (EMPTY_CAR, module) if full == "part" else (vehicle, empty_module(module.level))
        assert fit_battery("x/y", *pair).verdict is Verdict.UNKNOWN
    strong = changed(EMPTY_EAXLE, {"ratings.0.peak_power_kw": 500.0})
    assert in_mount(*((EMPTY_CAR, EAXLE) if full == "part" else (CAR, strong))).verdict is Verdict.UNKNOWN


def pairs() -> dict[str, tuple[Record, Vehicle]]:
    strong = changed(EAXLE, {"ratings": [EAXLE.ratings[1].model_dump()]})
    return {"module": (MODULE, CAR), "pack": (pack_of(WORKSPACE), car_for_packs(WORKSPACE)), "eaxle": (strong, CAR)}


def tried(part: Record, vehicle: Vehicle) -> Fit:
    if isinstance(part, BatteryModule):
        return fit_battery("alpha/hatch", vehicle, part)
    assert isinstance(part, EAxle)
    return in_mount(vehicle, part)


def judged_paths(kind: str, vehicle: Vehicle) -> list[str]:
    slot = "eaxle_mounts" if kind == "eaxle" else "battery_bay"
    return [path for path in stated_paths(vehicle) if path.startswith((slot, "charging", "requirements", "tyre"))]


def removals(kind: str) -> list[tuple[str, str]]:
    part, vehicle = pairs()[kind]
    return [("part", path) for path in stated_paths(part)] + [("car", path) for path in judged_paths(kind, vehicle)]


def without(part: Record, vehicle: Vehicle, side: str, path: str) -> tuple[Record, Vehicle]:
    return (changed(part, {path: None}), vehicle) if side == "part" else (part, changed(vehicle, {path: None}))


@pytest.mark.parametrize("kind", ["module", "pack", "eaxle"])
def test_taking_any_value_away_from_a_pass_makes_it_unknown_or_leaves_it(kind: str) -> None:
    part, vehicle = pairs()[kind]
    assert tried(part, vehicle).verdict is Verdict.PASS
    for side, path in removals(kind):
        fit = tried(*without(part, vehicle, side, path))
        assert set(verdicts(fit).values()) <= {Verdict.PASS, Verdict.UNKNOWN}, (side, path)
        for item in fit.findings:
            assert (item.verdict is Verdict.UNKNOWN) == bool(item.missing)


# What no check reads, or what is an alternative to something else that is stated.
SILENT = {
    "module": {
        "cell", "energy_kwh", "limits.recommended.cell_voltage_min_v", "limits.recommended.cell_voltage_max_v",
        "electrical.y_capacitance_nf", "thermal.max_pressure_kpa", "communication.temperature_sensors",
        "life.end_of_life_share", "offer.price_usd", "offer.price_year",
        "communication.signals",  # the message set is the same, so nothing needs bridging
    },
    "pack": {  # what lies inside a pack is its maker's business
        "mounting.face_pressure_min_kpa", "mounting.face_pressure_max_kpa", "electrical.capacity_spread_pct",
        "thermal.cooled_face", "thermal.contact_area_mm2", "thermal.flatness_mm",
        "thermal.interface_resistance_k_per_w",
    },
    "eaxle": {
        "motor.type", "motor.overspeed_rpm", "reducer.axle_peak_torque_nm", "reducer.efficiency",
        "vehicle_interface.signals",  # the message set is the same
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", ["module", "pack", "eaxle"])
def test_every_value_that_a_part_states_is_read_by_some_check(kind: str) -> None:
    part, vehicle = pairs()[kind]
    silent = {path for path in stated_paths(part) if tried(changed(part, {path: None}), vehicle).missing == ()}
    assert silent == (SILENT["module"] | SILENT["pack"] if kind == "pack" else SILENT[kind])


# Values whose absence means "not required", as the vehicle's schema says, or a stricter rule.
NOT_REQUIRED = ("requirements.",)
# Torque at the axle is stated, or follows from ratio and efficiency; a reducer is made for its own motor.
STATED_TWICE = ("reducer.axle_peak_torque_nm", "reducer.efficiency")


def variants(record: Record, paths: list[str]) -> Iterator[tuple[str, object]]:
    raw = record.model_dump(mode="json")
    for path in paths:
        value: Any = raw
        for name in path.split("."):
            value = value[int(name)] if isinstance(value, list) else value[name]
        if isinstance(value, bool):
            yield path, not value
        elif isinstance(value, int):
            yield from ((path, max(0, value // 2)), (path, value * 2))
        elif isinstance(value, float):
            yield from ((path, value / 3.0), (path, value * 3.0))
        elif isinstance(value, str):
            yield path, "other"


def spoiled_pairs() -> list[tuple[str, Record, Vehicle]]:
    """Every pair in which one value was made another, and which no longer passes."""
    found = []
    for kind, (part, vehicle) in pairs().items():
        sides: list[tuple[Record, list[str]]] = [(part, stated_paths(part)), (vehicle, judged_paths(kind, vehicle))]
        for record, paths in sides:
            for path, value in variants(record, paths):
                try:
                    other = changed(record, {path: value})
                except ValueError:
                    continue
                pair = (other, vehicle) if record is part else (part, other)
                if tried(*pair).verdict is not Verdict.PASS:  # type: ignore[arg-type]
                    found.append((kind, *pair))
    return found  # type: ignore[return-value]


@pytest.fixture(scope="module")
def spoiled() -> list[tuple[str, Record, Vehicle]]:
    found = spoiled_pairs()
    assert len(found) > 150
    return found


@pytest.mark.slow
@settings(max_examples=200)
@given(st.data())
def test_taking_a_value_away_never_makes_a_pass(
    spoiled: list[tuple[str, Record, Vehicle]], data: st.DataObject
) -> None:
    kind, part, vehicle = data.draw(st.sampled_from(spoiled))
    side, path = data.draw(st.sampled_from(removals(kind)))
    if path.startswith(NOT_REQUIRED) or path in STATED_TWICE:
        return
    assert tried(*without(part, vehicle, side, path)).verdict is not Verdict.PASS, (side, path)


@pytest.mark.slow
@settings(max_examples=80)
@given(st.sampled_from(["module", "pack", "eaxle"]), st.data())
def test_no_values_raise_and_every_margin_is_a_number(kind: str, data: st.DataObject) -> None:
    part, vehicle = pairs()[kind]
    extremes = st.sampled_from([1e-8, 1e-3, 1.0, 1e3, 1e11, 1e12, 0, -273.15, 1, 9_999])
    for _ in range(data.draw(st.integers(1, 6))):
        side, path = data.draw(st.sampled_from(removals(kind)))
        value = data.draw(extremes)
        try:
            if side == "part":
                part = changed(part, {path: value})
            else:
                vehicle = changed(vehicle, {path: value})
        except ValueError:
            continue
    fit = tried(part, vehicle)
    for item in fit.findings:
        assert item.outcomes, item.check
        for outcome in item.outcomes:
            assert outcome.reason.endswith(".")
            assert outcome.margin is None or math.isfinite(outcome.margin), outcome.reason
    json.dumps([item.record() for item in fit.findings], allow_nan=False)


# --- findings ---


def outcome(verdict: Verdict, reason: str = "Why.", **rest: Any) -> Outcome:
    return Outcome(verdict, reason, **rest)


def test_verdicts_are_ranked_from_best_to_worst() -> None:
    assert sorted(Verdict, key=lambda verdict: -verdict.rank)[::-1] == [
        Verdict.PASS,
        Verdict.CONDITIONAL,
        Verdict.UNKNOWN,
        Verdict.FAIL,
    ]


@given(st.lists(st.sampled_from(Verdict), min_size=1))
def test_a_finding_is_the_worst_of_its_outcomes_and_a_fit_the_worst_of_its_findings(found: list[Verdict]) -> None:
    item = finding("X1", "Title", "Standard", [outcome(verdict) for verdict in found])
    worst = max(found, key=lambda verdict: verdict.rank)
    assert item.verdict is worst
    assert overall([finding("X", "T", "S", [outcome(verdict)]) for verdict in found]) is worst


def test_nothing_checked_is_unknown() -> None:
    assert overall([]) is Verdict.UNKNOWN


def test_a_finding_tells_every_reason_that_decides_and_all_that_is_missing() -> None:
    item = finding(
        "X1", "Title", "Standard",
        [
            outcome(Verdict.PASS, "Good.", status="measured"),
            outcome(Verdict.CONDITIONAL, "Nearly.", action="Do this."),
            outcome(Verdict.FAIL, "Bad.", action="Stop."),
            outcome(Verdict.UNKNOWN, "Who knows.", missing=("a.b",), status="assumed"),
            outcome(Verdict.FAIL, "Worse.", action="Stop."),
        ],
    )  # fmt: skip
    assert item.reason == "Bad. Worse."
    assert item.action == "Stop."
    assert item.missing == ("a.b",)
    assert item.status == "assumed"


def test_the_weakest_origin_counts() -> None:
    assert weakest(["measured", "declared", None]) == "declared"
    assert weakest(["derived", "assumed", "measured"]) == "assumed"
    assert weakest([None, None]) is None


# --- fits ---


def test_a_bay_takes_only_the_levels_that_it_accepts() -> None:
    fit = fit_battery("alpha/hatch", CAR, pack_of(WORKSPACE))
    assert fit.verdict is Verdict.FAIL
    assert [item.check for item in fit.findings] == ["M1"]
    assert fit.findings[0].reason == "The bay takes battery module, cell block; this part is a pack."


def test_a_check_that_the_vehicle_waives_passes_with_its_reason() -> None:
    unknown = changed(MODULE, {"electrical.creepage_mm": None})
    assert fit_battery("alpha/hatch", CAR, unknown).verdict is Verdict.UNKNOWN
    waived = changed(CAR, {"battery_bay.waived": {"E10": "sea-level test vehicle"}})
    fit = fit_battery("alpha/hatch", waived, unknown)
    assert fit.verdict is Verdict.PASS
    (item,) = (item for item in fit.findings if item.check == "E10")
    assert item.reason == "Not required by this vehicle: sea-level test vehicle"


def test_an_eaxle_is_tried_at_every_rating_and_the_least_that_serves_is_taken() -> None:
    assert in_mount(CAR, EAXLE).rating == "100kw", "70 kW are too few"
    easy = changed(CAR, {"eaxle_mounts.0.peak_power_kw": 60.0, "eaxle_mounts.0.continuous_power_kw": 30.0,
                         "eaxle_mounts.0.axle_torque_nm": 1500.0})  # fmt: skip
    assert in_mount(easy, EAXLE).rating == "70kw", "both serve, and the smaller is enough"
    hard = changed(CAR, {"eaxle_mounts.0.peak_power_kw": 500.0})
    assert in_mount(hard, EAXLE).verdict is Verdict.FAIL


def test_a_verdict_says_what_it_rests_on() -> None:
    assert fit_battery("alpha/hatch", CAR, MODULE).status == "declared"
    sources = {"*": {"source": "guess", "status": "assumed"}}
    assert fit_battery("alpha/hatch", CAR, changed(MODULE, {"sources": sources})).status == "assumed"


def test_every_part_is_tried_in_every_slot(two_makers: Workspace) -> None:
    fits = fit_workspace(two_makers)
    assert {(fit.vehicle, fit.part, fit.kind) for fit in fits} == {
        (vehicle, part, kind)
        for vehicle in two_makers.vehicles
        for part, kind in [
            ("block_8s", "battery_module"), ("block_8s_heavy", "battery_module"), ("drive_100", "eaxle")
        ]
    }  # fmt: skip
    assert len(fits) == 9
    assert {fit.verdict for fit in fits} == {Verdict.PASS}
    for fit in fits:
        assert fit.count(Verdict.PASS) == len(fit.findings) == (34 if fit.kind == "battery_module" else 25)


# --- interchange facts, in words that a powertrain engineer would use ---


@pytest.fixture(scope="module")
def interchange() -> Workspace:
    return load_workspace(INTERCHANGE)


def found(workspace: Workspace, vehicle: str, part: str) -> tuple[Fit, dict[str, Finding]]:
    fit = fit_battery(vehicle, workspace.vehicles[vehicle], workspace.battery_modules[part])
    return fit, {item.check: item for item in fit.findings}


AZE0, ZE1, ZE0 = "nissan/leaf_aze0", "nissan/leaf_ze1_40", "nissan/leaf_ze0"


@pytest.mark.parametrize(
    ("vehicle", "part"),
    [(AZE0, "leaf_ze1_40"), (ZE1, "leaf_aze0_24"), (ZE1, "leaf_aze0_30"), (AZE0, "leaf_aze0_30")],
)
def test_leaf_aze0_and_ze1_packs_take_each_others_place(interchange: Workspace, vehicle: str, part: str) -> None:
    fit, findings = found(interchange, vehicle, part)
    assert fit.verdict is Verdict.PASS
    assert "kg offered, at most 315 kg required" in findings["M2"].reason
    assert "message set: both leaf_aze0_lbc" in findings["C2"].reason.lower()


@pytest.mark.parametrize("vehicle", [AZE0, ZE1])
def test_a_leaf_ze0_pack_needs_another_connector_and_a_can_bridge(interchange: Workspace, vehicle: str) -> None:
    fit, findings = found(interchange, vehicle, "leaf_ze0_24")
    assert fit.verdict is Verdict.CONDITIONAL
    assert findings["C2"].verdict is findings["E9"].verdict is findings["C1"].verdict is Verdict.CONDITIONAL
    assert "CAN bridge" in findings["C2"].action
    assert "Adapter cable" in findings["E9"].action
    assert {findings[f"M{number}"].verdict for number in range(1, 7)} == {Verdict.PASS}


def test_a_leaf_62_pack_in_a_40_car_asks_for_springs_and_body_work(interchange: Workspace) -> None:
    fit, findings = found(interchange, ZE1, "leaf_ze1_62")
    assert fit.verdict is Verdict.CONDITIONAL
    assert findings["M1"].verdict is findings["M2"].verdict is Verdict.CONDITIONAL
    assert "410 kg offered, at most 315 kg required" in findings["M2"].reason
    assert "springs" in findings["M2"].action
    assert "mm too much in height" in findings["M1"].reason


def test_the_imiev_m_pack_goes_in_but_does_not_drive(interchange: Workspace) -> None:
    fit, findings = found(interchange, "mitsubishi/imiev", "imiev_m_10")
    assert fit.verdict is Verdict.FAIL
    assert {findings[f"M{number}"].verdict for number in range(1, 7)} == {Verdict.PASS}
    assert findings["E1"].verdict is Verdict.FAIL
    assert "117 cells in series" in findings["E1"].reason
    assert "below the vehicle's 264 V" in findings["E1"].reason
    assert "chemistry" in findings["S2"].reason.lower()


def test_one_mache_bay_takes_94_nmc_and_108_lfp_cells(interchange: Workspace) -> None:
    for part, cells, highest in [("mache_nmc_94s", 94, 394.8), ("mache_lfp_108s", 108, 394.2)]:
        fit, findings = found(interchange, "ford/mache", part)
        assert fit.count(Verdict.FAIL) == 0
        assert findings["E1"].verdict is not Verdict.UNKNOWN
        assert f"{highest} V offered" in " ".join(outcome.reason for outcome in findings["E1"].outcomes)
        assert f"{cells} cells in series" in " ".join(outcome.reason for outcome in findings["E1"].outcomes)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("small_car_72s", "below the vehicle's 268.8 V in"),
        ("800v_192s", "Highest voltage of 192 cells in series: 806.4 V offered, at most 403.2 V required"),
    ],
)
def test_packs_of_other_voltage_classes_fail_a_400_v_slot(interchange: Workspace, part: str, words: str) -> None:
    fit, findings = found(interchange, "example/car_400v", part)
    assert fit.verdict is Verdict.FAIL
    assert findings["E1"].verdict is Verdict.FAIL
    assert words in findings["E1"].reason


def test_every_condition_says_what_to_do_and_every_unknown_whom_to_ask(interchange: Workspace) -> None:
    for fit in fit_workspace(interchange):
        for item in fit.findings:
            if item.verdict is Verdict.CONDITIONAL:
                assert item.action
            if item.verdict is Verdict.UNKNOWN:
                assert item.missing
                assert all(name.split(".")[0] in ("battery_module", "battery_bay", "eaxle", "eaxle_mount", "vehicle")
                           for name in item.missing)  # fmt: skip


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_checks_made_once_for_all_layouts_find_what_each_layout_finds(data: st.DataObject) -> None:
    """Also of a part and a car of which something is not stated."""
    part = changed(MODULE, dict.fromkeys(data.draw(st.lists(st.sampled_from(stated_paths(MODULE)), max_size=3))))
    fitting, several = BatteryFitting("alpha/hatch", CAR, part), layouts(part, CAR)
    for layout in several:
        case = BatteryCase(part, CAR, layout)
        alone = tuple(finding(check.id, check.title, check.standard, check.judge(BatteryCase(part, CAR, layout)))
                      for check in BATTERY_CHECKS if check.id not in CAR.battery_bay.waived)  # fmt: skip
        found = fitting.fit(case, fitting.findings(case))
        assert tuple(item for item in found.findings if item.check not in CAR.battery_bay.waived) == alone
        assert found.layout == layout
    if several and part == MODULE:  # what is not stated is not, whatever the layout
        assert {"M1", "M3", "C1", "R2"} <= fitting.in_every_layout.keys()
        assert not {"M2", "E1", "E4", "E6"} & fitting.in_every_layout.keys()


def test_checks_made_once_for_all_ratings_find_what_each_rating_finds() -> None:
    mount = CAR.eaxle_mounts[0]
    fitting = EAxleFitting("alpha/hatch", CAR, mount, EAXLE)
    assert len(EAXLE.ratings) > 1
    for rating in EAXLE.ratings:
        alone = tuple(finding(check.id, check.title, check.standard, check.judge(EAxleCase(EAXLE, rating, CAR, mount)))
                      for check in EAXLE_CHECKS)  # fmt: skip
        assert tuple(fitting.findings(rating)) == alone
