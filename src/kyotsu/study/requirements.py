"""Does a build still do the vehicle's job? Each requirement judged against the simulation.

Where a vehicle states no requirement, a build with other parts is held against the vehicle as built: a loss
of more than a fifth is conditional, for somebody has to accept it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from kyotsu.spec.finding import Finding, Outcome, Verdict, finding
from kyotsu.spec.record import Status
from kyotsu.spec.vehicle import CYCLE_TITLES, Vehicle

ACCEPTED_LOSS = 0.20  # against the vehicle as built, where nothing is required; our proposal
STANDARD = "vehicle requirement, by simulation"

CHARGING = "charge_10_to_80_min"
CONTINUOUS = "continuous_power_kw"
# What a figure is not known for want of.
SILENT = {
    CHARGING: ("no direct-current charging stated", "vehicle.charging.dc_power_kw"),
    CONTINUOUS: ("that of a rating is not stated", "eaxle.ratings.continuous_power_kw"),
}

Direction = Literal["at least", "at most"]


@dataclass(frozen=True)
class Performance:
    """What a build does, as far as requirements speak of it.

    Attributes:
        range_km: on the cycle that the vehicle names.
        zero_to_100_km_h_s: `None` when 100 km/h is never reached.
        top_speed_km_h: held on a level road, without electronic limiter.
        gradeability_pct: climbed from standstill.
        curb_mass_kg: of the build.
        charge_10_to_80_min: `None` when no direct-current charging is stated, infinity when 80 % is not reached.
        continuous_power_kw: of all drives for 30 minutes; `None` when one does not state it.
    """

    range_km: float
    zero_to_100_km_h_s: float | None
    top_speed_km_h: float
    gradeability_pct: float
    curb_mass_kg: float
    charge_10_to_80_min: float | None = None
    continuous_power_kw: float | None = None


@dataclass(frozen=True)
class Requirement:
    """One line of a vehicle's requirements.

    `accuracy` is the share by which a simulated value may miss the limit and still be doubtful: for range the
    error of `kyotsu validate`, for the rest how far as-built simulations are from published values.
    """

    check: str
    title: str
    figure: str
    limit: str
    direction: Direction
    unit: str
    accuracy: float


REQUIREMENTS = (
    Requirement("D1", "Range", "range_km", "range_km", "at least", "km", 0.05),
    Requirement("D2", "0 to 100 km/h", "zero_to_100_km_h_s", "zero_to_100_km_h_s", "at most", "s", 0.10),
    Requirement("D3", "Top speed", "top_speed_km_h", "top_speed_km_h", "at least", "km/h", 0.05),
    Requirement("D4", "Gradeability", "gradeability_pct", "gradeability_pct", "at least", "%", 0.10),
    Requirement("D5", "Curb mass", "curb_mass_kg", "max_curb_mass_kg", "at most", "kg", 0.0),
    Requirement("D6", "Charging 10 to 80 %", CHARGING, CHARGING, "at most", "min", 0.10),
    Requirement("D7", "Continuous power", CONTINUOUS, CONTINUOUS, "at least", "kW", 0.0),
)


def requirement_findings(
    vehicle: Vehicle, found: Performance, as_built: Performance | None = None
) -> tuple[Finding, ...]:
    """A finding for each requirement that the vehicle states, and for each large loss against `as_built`."""
    findings = []
    for requirement in REQUIREMENTS:
        title = requirement.title
        if requirement.figure == "range_km":
            title += f" on {CYCLE_TITLES[vehicle.requirements.range_cycle]}"
        limit = getattr(vehicle.requirements, requirement.limit)
        value = getattr(found, requirement.figure)
        if limit is not None:
            source = vehicle.source_of(f"requirements.{requirement.limit}")
            outcome = _judged(requirement, title, value, limit, source.status if source else None)
        else:
            reference = getattr(as_built, requirement.figure) if as_built is not None else None
            loss = _loss(requirement, title, value, reference)
            if loss is None:
                continue
            outcome = loss
        findings.append(finding(requirement.check, title, STANDARD, [outcome]))
    return tuple(findings)


def _judged(requirement: Requirement, title: str, found: float | None, limit: float, status: Status | None) -> Outcome:
    required = f"{requirement.direction} {limit:g}"
    if found is None and requirement.figure in SILENT:
        words, field = SILENT[requirement.figure]
        reason = f"{title}: {required} {requirement.unit} required, and {words}."
        return Outcome(Verdict.UNKNOWN, reason, "", required, missing=(field,), status=status)
    if found is None or math.isinf(found):
        reason = f"{title}: never reached, {required} {requirement.unit} required."
        return Outcome(Verdict.FAIL, reason, "never", required, status=status)
    margin = found - limit if requirement.direction == "at least" else limit - found
    doubtful = margin >= -requirement.accuracy * limit
    verdict = Verdict.PASS if margin >= 0 else Verdict.CONDITIONAL if doubtful else Verdict.FAIL
    action = "Within the accuracy of simulation: confirm by test." if verdict is Verdict.CONDITIONAL else ""
    reason = f"{title}: {found:.1f} {requirement.unit} simulated, {required} {requirement.unit} required."
    return Outcome(verdict, reason, f"{found:.1f}", required, margin, requirement.unit, action, status=status)


def _loss(requirement: Requirement, title: str, found: float | None, reference: float | None) -> Outcome | None:
    """A conditional outcome when a figure that nobody requires is much worse than as built."""
    if reference is None or (found is None and requirement.figure in SILENT):
        return None
    least = requirement.direction == "at least"
    bound = reference * (1.0 - ACCEPTED_LOSS if least else 1.0 + ACCEPTED_LOSS)
    if found is not None and (found >= bound if least else found <= bound):
        return None
    found = None if found is None or math.isinf(found) else found
    shown = "never reached" if found is None else f"{found:.1f} {requirement.unit}"
    return Outcome(
        Verdict.CONDITIONAL,
        f"{title}: {shown} against {reference:.1f} {requirement.unit} as built; the vehicle states no requirement.",
        "never" if found is None else f"{found:.1f}",
        f"{requirement.direction} {bound:.1f}",
        None if found is None else (found - bound if least else bound - found),
        requirement.unit,
        f"Accept the loss, or state requirements.{requirement.limit}.",
        status="derived",
    )
