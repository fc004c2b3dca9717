"""The worked examples: they load without a finding, and the fit check reproduces documented interchange facts."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import Fit, fit_battery, fit_eaxle
from kyotsu.spec.record import Record
from kyotsu.spec.standard import conformance, diff
from kyotsu.spec.workspace import Workspace, check_workspace, load_workspace

EXAMPLES = Path(__file__).parents[2] / "examples"
LEAF_FAMILY = ("leaf_aze0_24", "leaf_aze0_30", "leaf_ze1_40")


@cache
def example(name: str) -> Workspace:
    return load_workspace(EXAMPLES / name)


def tried(workspace: str, vehicle: str, module: str) -> Fit:
    loaded = example(workspace)
    return fit_battery(vehicle, loaded.vehicles[vehicle], loaded.battery_modules[module])


def checks(fit: Fit, verdict: Verdict) -> set[str]:
    return {finding.check for finding in fit.findings if finding.verdict is verdict}


@pytest.mark.parametrize("name", ["alliance", "interchange"])
def test_an_example_has_no_finding(name: str) -> None:
    workspace, problems = check_workspace(EXAMPLES / name)
    assert workspace is not None
    assert problems == []


@pytest.mark.parametrize("name", ["alliance", "interchange"])
def test_every_origin_is_public_and_every_assumption_is_ours(name: str) -> None:
    loaded = example(name)
    vehicles = loaded.vehicles.values()
    slots: list[Record] = [slot for vehicle in vehicles for slot in (vehicle.battery_bay, *vehicle.eaxle_mounts)]
    records: list[Record] = [*vehicles, *slots, *loaded.battery_modules.values(), *loaded.eaxles.values()]
    for record in records:
        for key, origin in record.sources.items():
            assert not re.search(r"shared/|\.\./|^/", origin.source), (record.id, key)
            if "kyotsu assumption" in origin.source or "kyotsu proposal" in origin.source:
                assert origin.status == "assumed", (record.id, key)


# What owners and makers have shown: nissanleaf.carhackingwiki.com, energytrend.com, ford.co.uk.


@pytest.mark.parametrize("module", LEAF_FAMILY)
@pytest.mark.parametrize("vehicle", ["nissan/leaf_aze0", "nissan/leaf_ze1_40"])
def test_leaf_aze0_and_ze1_packs_interchange(vehicle: str, module: str) -> None:
    assert tried("interchange", vehicle, module).verdict is Verdict.PASS


@pytest.mark.parametrize("vehicle", ["nissan/leaf_aze0", "nissan/leaf_ze1_40"])
def test_a_leaf_ze0_pack_needs_an_adapter_and_a_can_bridge(vehicle: str) -> None:
    fit = tried("interchange", vehicle, "leaf_ze0_24")
    assert fit.verdict is Verdict.CONDITIONAL
    assert checks(fit, Verdict.CONDITIONAL) == {"E9", "S2", "C1", "C2"}
    assert any("CAN bridge" in finding.action for finding in fit.findings)


def test_the_leaf_62_pack_in_a_leaf_40_needs_springs_and_body_work() -> None:
    fit = tried("interchange", "nissan/leaf_ze1_40", "leaf_ze1_62")
    assert fit.verdict is Verdict.CONDITIONAL
    assert checks(fit, Verdict.CONDITIONAL) == {"M1", "M2", "S2"}


def test_the_lto_pack_fits_the_imiev_in_body_but_not_in_voltage() -> None:
    fit = tried("interchange", "mitsubishi/imiev", "imiev_m_10")
    assert checks(fit, Verdict.FAIL) == {"E1", "E4"}
    assert {f"M{number}" for number in range(1, 7)} <= checks(fit, Verdict.PASS)
    assert tried("interchange", "mitsubishi/imiev", "imiev_16").verdict is Verdict.PASS


@pytest.mark.parametrize("module", ["mache_nmc_94s", "mache_lfp_108s"])
def test_one_mache_bay_takes_two_chemistries(module: str) -> None:
    assert tried("interchange", "ford/mache", module).verdict is Verdict.PASS


@pytest.mark.parametrize(("module", "also"), [("small_car_72s", {"E4"}), ("800v_192s", {"E2", "E6", "E7", "G1"})])
def test_other_voltage_classes_fail_a_400_v_bay_by_voltage(module: str, also: set[str]) -> None:
    assert checks(tried("interchange", "example/car_400v", module), Verdict.FAIL) == {"E1"} | also


# What the proposal does in the makers' cars.


def test_the_common_module_fits_every_car_but_the_plug_in_hybrid() -> None:
    loaded = example("alliance")
    proposed = loaded.alliance.proposed_battery_module
    assert proposed is not None
    verdicts = {name: tried("alliance", name, proposed).verdict for name in loaded.vehicles}
    power_hungry = "mitsubishi/outlander_phev"
    assert verdicts.pop(power_hungry) is Verdict.FAIL
    assert checks(tried("alliance", power_hungry, proposed), Verdict.FAIL) == {"E4"}
    assert set(verdicts.values()) == {Verdict.CONDITIONAL}


def test_every_mount_takes_a_common_eaxle() -> None:
    loaded = example("alliance")
    for name, vehicle in loaded.vehicles.items():
        for mount in vehicle.eaxle_mounts:
            fits = [fit_eaxle(name, vehicle, mount, loaded.eaxles[part]) for part in loaded.alliance.proposed_eaxles]
            assert min(fit.verdict.rank for fit in fits) <= Verdict.CONDITIONAL.rank, (name, mount.id)


def test_the_proposal_leaves_nothing_unknown() -> None:
    loaded = example("alliance")
    for name in loaded.vehicles:
        assert tried("alliance", name, loaded.alliance.proposed_battery_module or "").missing == ()


@pytest.mark.parametrize(
    ("name", "pilot"), [("kyotsu_battery_module", "kyotsu_bm_pilot"), ("kyotsu_eaxle", "kyotsu_ea_pilot")]
)
def test_the_pilot_lots_conform_to_the_draft_only(name: str, pilot: str) -> None:
    loaded = example("alliance")
    part = {**loaded.battery_modules, **loaded.eaxles}[pilot]
    old, new = loaded.standards[f"{name}@0.9"], loaded.standards[f"{name}@1.0"]
    assert conformance(part, old) == []
    assert conformance(part, new) != []
    kinds = {change.kind for change in diff(old, new, [part])}
    assert {"added", "tightened", "loosened"} <= kinds
    assert any(pilot in change.broken for change in diff(old, new, [part]))


def test_third_parties_are_never_a_pass_by_silence() -> None:
    loaded = example("alliance")
    real = [name for name in loaded.battery_modules if not name.startswith("kyotsu_")]
    assert len(real) >= 8
    for vehicle in loaded.vehicles:
        for module in real:
            assert tried("alliance", vehicle, module).verdict in (Verdict.UNKNOWN, Verdict.FAIL)
