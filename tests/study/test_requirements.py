from __future__ import annotations

import math
from dataclasses import replace

import pytest

from kyotsu.spec import Vehicle, Verdict, Workspace
from kyotsu.spec.vehicle import Requirements
from kyotsu.study.requirements import Performance, requirement_findings

GOOD = Performance(
    range_km=1e4,
    zero_to_100_km_h_s=1.0,
    top_speed_km_h=500.0,
    gradeability_pct=100.0,
    curb_mass_kg=100.0,
    charge_10_to_80_min=5.0,
    continuous_power_kw=500.0,
)


@pytest.fixture
def demanding(alliance: Workspace) -> Vehicle:
    wanted = Requirements(
        range_km=200.0,
        zero_to_100_km_h_s=10.0,
        top_speed_km_h=150.0,
        gradeability_pct=30.0,
        max_curb_mass_kg=1700.0,
        charge_10_to_80_min=30.0,
        continuous_power_kw=40.0,
    )
    return alliance.vehicles["nissan/leaf_40"].model_copy(update={"requirements": wanted})


@pytest.fixture
def undemanding(demanding: Vehicle) -> Vehicle:
    return demanding.model_copy(update={"requirements": Requirements()})


def test_a_build_that_does_everything_passes_everything(demanding: Vehicle) -> None:
    findings = requirement_findings(demanding, GOOD)
    assert [finding.check for finding in findings] == ["D1", "D2", "D3", "D4", "D5", "D6", "D7"]
    assert all(finding.verdict is Verdict.PASS for finding in findings)
    assert findings[0].status is not None  # the origin of the requirement is told


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("D1", {"range_km": 150.0}),
        ("D2", {"zero_to_100_km_h_s": 12.0}),
        ("D3", {"top_speed_km_h": 120.0}),
        ("D4", {"gradeability_pct": 20.0}),
        ("D5", {"curb_mass_kg": 1701.0}),
        ("D6", {"charge_10_to_80_min": 34.0}),
        ("D7", {"continuous_power_kw": 39.9}),
    ],
)
def test_each_requirement_can_fail_and_says_by_how_much(
    demanding: Vehicle, check: str, change: dict[str, float]
) -> None:
    findings = {finding.check: finding for finding in requirement_findings(demanding, replace(GOOD, **change))}
    failed = findings.pop(check)
    assert failed.verdict is Verdict.FAIL
    assert failed.worst.margin is not None
    assert failed.worst.margin < 0
    assert all(finding.verdict is Verdict.PASS for finding in findings.values())


def test_a_miss_within_the_accuracy_of_simulation_is_conditional(demanding: Vehicle) -> None:
    (first, *_) = requirement_findings(demanding, replace(GOOD, range_km=197.0))
    assert first.verdict is Verdict.CONDITIONAL
    assert first.action


def test_a_speed_never_reached_fails(demanding: Vehicle) -> None:
    findings = requirement_findings(demanding, replace(GOOD, zero_to_100_km_h_s=None))
    assert findings[1].verdict is Verdict.FAIL
    assert "never" in findings[1].reason


def test_80_percent_never_reached_fails_and_no_fast_charging_is_unknown(demanding: Vehicle) -> None:
    endless = requirement_findings(demanding, replace(GOOD, charge_10_to_80_min=math.inf))[5]
    assert (endless.check, endless.verdict) == ("D6", Verdict.FAIL)
    assert "never" in endless.reason
    none = requirement_findings(demanding, replace(GOOD, charge_10_to_80_min=None))[5]
    assert (none.check, none.verdict) == ("D6", Verdict.UNKNOWN)
    assert none.missing == ("vehicle.charging.dc_power_kw",)


def test_a_continuous_power_that_a_rating_does_not_state_is_unknown(demanding: Vehicle, undemanding: Vehicle) -> None:
    silent = replace(GOOD, continuous_power_kw=None)
    none = requirement_findings(demanding, silent)[-1]
    assert (none.check, none.verdict) == ("D7", Verdict.UNKNOWN)
    assert none.missing == ("eaxle.ratings.continuous_power_kw",)
    assert requirement_findings(undemanding, silent, GOOD) == ()


def test_charging_that_nobody_requires_is_judged_by_its_loss(undemanding: Vehicle) -> None:
    none = replace(GOOD, charge_10_to_80_min=None)
    assert requirement_findings(undemanding, none, none) == ()
    for slower in (7.0, math.inf):
        (found,) = requirement_findings(undemanding, replace(GOOD, charge_10_to_80_min=slower), GOOD)
        assert (found.check, found.verdict) == ("D6", Verdict.CONDITIONAL)


def test_nothing_required_and_nothing_lost_is_no_finding(undemanding: Vehicle) -> None:
    assert requirement_findings(undemanding, GOOD) == ()
    assert requirement_findings(undemanding, replace(GOOD, range_km=8500.0), GOOD) == ()


@pytest.mark.parametrize("slower", [2.0, None])
def test_a_large_loss_that_nobody_forbade_has_to_be_accepted(undemanding: Vehicle, slower: float | None) -> None:
    (found,) = requirement_findings(undemanding, replace(GOOD, zero_to_100_km_h_s=slower), GOOD)
    assert (found.check, found.verdict) == ("D2", Verdict.CONDITIONAL)
    assert "as built" in found.reason
