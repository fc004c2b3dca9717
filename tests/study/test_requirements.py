from __future__ import annotations

import pytest

from kyotsu.spec import Verdict, Workspace
from kyotsu.study.requirements import requirement_findings

GOOD = {
    "range_km": 1e4,
    "zero_to_100_km_h_s": 1.0,
    "top_speed_km_h": 500.0,
    "gradeability_pct": 100.0,
    "curb_mass_kg": 100.0,
}


@pytest.fixture
def demanding(alliance: Workspace):
    vehicle = alliance.vehicles["nissan/leaf_40"]
    wanted = vehicle.requirements.model_copy(
        update={
            "range_km": 200.0,
            "zero_to_100_km_h_s": 10.0,
            "top_speed_km_h": 150.0,
            "gradeability_pct": 30.0,
            "max_curb_mass_kg": 1700.0,
        }
    )
    return vehicle.model_copy(update={"requirements": wanted})


def test_a_build_that_does_everything_passes_everything(demanding) -> None:
    findings = requirement_findings(demanding, **GOOD)
    assert [finding.check for finding in findings] == ["D1", "D2", "D3", "D4", "D5"]
    assert all(finding.verdict is Verdict.PASS for finding in findings)


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("D1", {"range_km": 150.0}),
        ("D2", {"zero_to_100_km_h_s": 12.0}),
        ("D3", {"top_speed_km_h": 120.0}),
        ("D4", {"gradeability_pct": 20.0}),
        ("D5", {"curb_mass_kg": 1900.0}),
    ],
)
def test_each_requirement_can_fail_and_says_by_how_much(demanding, check: str, change: dict) -> None:
    findings = {finding.check: finding for finding in requirement_findings(demanding, **(GOOD | change))}
    assert findings.pop(check).verdict is Verdict.FAIL
    assert all(finding.verdict is Verdict.PASS for finding in findings.values())


def test_a_miss_within_the_accuracy_of_simulation_is_conditional(demanding) -> None:
    (first, *_) = requirement_findings(demanding, **(GOOD | {"range_km": 197.0}))
    assert first.verdict is Verdict.CONDITIONAL
    assert first.action


def test_a_speed_never_reached_fails(demanding) -> None:
    findings = requirement_findings(demanding, **(GOOD | {"zero_to_100_km_h_s": None}))
    assert findings[1].verdict is Verdict.FAIL
    assert "never" in findings[1].reason
