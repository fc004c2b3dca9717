from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from kyotsu.sim.simulate import Ledger
from kyotsu.spec import Fit, Verdict, Workspace, load_workspace
from kyotsu.spec.build import AS_BUILT, COMMON
from kyotsu.study import Study, drive_vehicle, run_study
from kyotsu.study.figures import CYCLES

MAKERS = ("honda", "mitsubishi", "nissan")


def test_every_vehicle_is_driven_as_built_and_with_common_parts(study: Study) -> None:
    driven = {(build.vehicle, build.build) for build in study.builds}
    refused = {(item.vehicle, item.build) for item in study.not_built}
    wanted = {(name, build) for name in study.workspace.vehicles for build in (AS_BUILT, COMMON)}
    assert driven | refused == wanted
    assert {(name, AS_BUILT) for name in study.workspace.vehicles} <= driven
    assert all(item.reason for item in study.not_built)


def test_every_part_is_tried_in_every_slot(study: Study) -> None:
    workspace = study.workspace
    mounts = sum(len(vehicle.eaxle_mounts) for vehicle in workspace.vehicles.values())
    pairs = len(workspace.vehicles) * len(workspace.battery_modules) + mounts * len(workspace.eaxles)
    assert len(study.fits) == pairs
    assert len({(fit.vehicle, fit.slot, fit.part) for fit in study.fits}) == pairs


def test_every_build_completes_every_cycle(study: Study) -> None:
    assert len(study.cycles) == len(study.builds) * len(CYCLES)
    for result in study.cycles:
        assert result.distance_km > 0.9 * _distance(study, result.cycle)
        assert all(math.isfinite(value) for value in result.ledger.values())
        assert (result.limited_by != "") == (result.missed_s > 0)


def _distance(study: Study, cycle: str) -> float:
    return max(result.distance_km for result in study.cycles if result.cycle == cycle)


def test_every_ledger_closes(study: Study) -> None:
    uses = [name.removesuffix("_wh") for name in Ledger._fields]
    for result in study.cycles:
        ledger = result.ledger
        assert list(ledger) == uses
        spent = sum(
            ledger[use]
            for use in ("charging_loss", "battery_loss", "auxiliary", "drive_loss", "friction_brake", "road")
        ) + sum(ledger[use] for use in ("potential", "kinetic"))
        assert ledger["wall"] == pytest.approx(spent, rel=1e-9)
        assert ledger["wall"] / result.distance_km == pytest.approx(result.ac_wh_per_km)


def test_cars_as_built_agree_with_their_published_two_cycle_results(study: Study) -> None:
    errors = []
    for build in study.builds:
        published = study.workspace.vehicles[build.vehicle].published
        for measured, found in (
            (published.udds_ac_wh_per_km, build.udds_ac_wh_per_km),
            (published.hwfet_ac_wh_per_km, build.hwfet_ac_wh_per_km),
        ):
            if build.build == AS_BUILT and measured is not None:
                errors.append(abs(found / measured - 1))
    assert len(errors) >= 6
    assert sum(errors) / len(errors) < 0.08


def test_the_common_parts_are_those_that_the_alliance_proposes(study: Study) -> None:
    head = study.workspace.alliance
    names = {study.workspace.parts[part].name for part in (head.proposed_battery_module, *head.proposed_eaxles)}
    for build in study.builds:
        if build.build == COMMON:
            assert all(any(name in part for name in names) for part in build.parts)


def test_the_same_workspace_gives_the_same_study(alliance: Workspace, study: Study) -> None:
    again = run_study(alliance)
    assert again.builds == study.builds
    assert again.cycles == study.cycles
    assert again.fits == study.fits


def test_a_fourth_maker_is_a_copied_folder(root: Path, tmp_path: Path, study: Study) -> None:
    place = tmp_path / "alliance"
    shutil.copytree(root / "examples" / "alliance", place)
    shutil.copytree(place / "makers" / "nissan", place / "makers" / "fourth")
    wider = run_study(load_workspace(place))
    assert set(wider.workspace.makers) == {*MAKERS, "fourth"}
    own = {
        build.vehicle.split("/")[1]: build
        for build in wider.builds
        if build.maker == "fourth" and build.build == COMMON
    }
    original = {
        build.vehicle.split("/")[1]: build
        for build in study.builds
        if build.maker == "nissan" and build.build == COMMON
    }
    assert own
    assert own.keys() == original.keys()
    for name, build in own.items():
        assert build.udds_ac_wh_per_km == pytest.approx(original[name].udds_ac_wh_per_km)
        assert build.fit is original[name].fit


def test_one_vehicle_alone_does_what_it_does_in_the_study(alliance: Workspace, study: Study) -> None:
    alone, cycles, traces = drive_vehicle(alliance, "nissan/leaf_40")
    together = next(build for build in study.builds if build.vehicle == "nissan/leaf_40" and build.build == AS_BUILT)
    assert alone.udds_ac_wh_per_km == pytest.approx(together.udds_ac_wh_per_km)
    assert [cycle.cycle for cycle in cycles] == [trace.cycle for trace in traces] == list(CYCLES)


def test_unknown_is_never_counted_as_fitting(study: Study) -> None:
    for fit in study.fits:
        if fit.missing:
            assert fit.verdict in (Verdict.UNKNOWN, Verdict.FAIL)


def test_no_part_fails_in_the_car_that_was_built_with_it(study: Study) -> None:
    own = {name: {vehicle.battery.part} for name, vehicle in study.workspace.vehicles.items()}
    for name, vehicle in study.workspace.vehicles.items():
        own[name] |= {mount.fitted.part for mount in vehicle.eaxle_mounts if mount.fitted is not None}
    failing = [
        (fit.vehicle, fit.part, [finding.check for finding in fit.findings if finding.verdict is Verdict.FAIL])
        for fit in study.fits
        if fit.part in own[fit.vehicle] and fit.verdict is Verdict.FAIL and _at_own_mount(study, fit)
    ]
    assert not failing


def _at_own_mount(study: Study, fit: Fit) -> bool:
    mounts = study.workspace.vehicles[fit.vehicle].eaxle_mounts
    here = next((mount for mount in mounts if mount.id == fit.slot), None)
    return here is None or (here.fitted is not None and here.fitted.part == fit.part)
