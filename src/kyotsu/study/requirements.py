"""Does a build still do the vehicle's job? Each requirement judged against the simulation."""

from __future__ import annotations

from typing import Literal

from kyotsu.spec.finding import Finding, Outcome, Verdict, finding
from kyotsu.spec.vehicle import CYCLE_TITLES, Vehicle

CLOSE = 0.02  # share of a requirement by which a simulated value may miss it; repeat tests differ by as much

Direction = Literal["at least", "at most"]


def requirement_findings(
    vehicle: Vehicle,
    *,
    range_km: float,
    zero_to_100_km_h_s: float | None,
    top_speed_km_h: float,
    gradeability_pct: float,
    curb_mass_kg: float,
) -> tuple[Finding, ...]:
    """A finding for each requirement that the vehicle states; within 2 % of it is conditional.

    Args:
        vehicle: whose requirements count.
        range_km: on the cycle that the vehicle names.
        zero_to_100_km_h_s: `None` when 100 km/h is never reached.
        top_speed_km_h: held on a level road.
        gradeability_pct: climbed from standstill.
        curb_mass_kg: of the build.
    """
    wanted = vehicle.requirements
    rows: tuple[tuple[str, str, float | None, Direction, float | None, str], ...] = (
        ("D1", f"Range on {CYCLE_TITLES[wanted.range_cycle]}", range_km, "at least", wanted.range_km, "km"),
        ("D2", "0 to 100 km/h", zero_to_100_km_h_s, "at most", wanted.zero_to_100_km_h_s, "s"),
        ("D3", "Top speed", top_speed_km_h, "at least", wanted.top_speed_km_h, "km/h"),
        ("D4", "Gradeability", gradeability_pct, "at least", wanted.gradeability_pct, "%"),
        ("D5", "Curb mass", curb_mass_kg, "at most", wanted.max_curb_mass_kg, "kg"),
    )
    return tuple(
        finding(
            check,
            title,
            "vehicle requirement, by simulation",
            [_judged(title, found, direction, limit, unit)],
        )
        for check, title, found, direction, limit, unit in rows
        if limit is not None
    )


def _judged(title: str, found: float | None, direction: Direction, limit: float, unit: str) -> Outcome:
    if found is None:
        return Outcome(
            Verdict.FAIL,
            f"{title}: never reached, {direction} {limit:g} {unit} required.",
            "never",
            f"{direction} {limit:g}",
        )
    margin = found - limit if direction == "at least" else limit - found
    verdict = Verdict.PASS if margin >= 0 else Verdict.CONDITIONAL if margin >= -CLOSE * limit else Verdict.FAIL
    action = "Within the accuracy of simulation: confirm by test." if verdict is Verdict.CONDITIONAL else ""
    reason = f"{title}: {found:.1f} {unit} simulated, {direction} {limit:g} {unit} required."
    return Outcome(verdict, reason, f"{found:.1f}", f"{direction} {limit:g}", margin, unit, action)
