"""Rebuilding a vehicle with the parts that the alliance proposes to make common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kyotsu.spec.build import COMMON, Build, Drive, rebuilt
from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import Fit
from kyotsu.spec.workspace import Workspace
from kyotsu.study.results import NotBuilt


def proposed_build(workspace: Workspace, base: Build, fits: Sequence[Fit]) -> tuple[Build | None, Verdict, str]:
    """The vehicle with the proposed parts, the worst verdict of their fit, and why there is none if so.

    Of the proposed e-axles each mount takes the one that fits best; among equals the least powerful that
    serves it, for power that nobody asked for costs mass and money. A part that fails a check is built in
    nevertheless when it has a layout, so that the report shows what it would do; the verdict says it fails.
    """
    head = workspace.alliance
    own = [fit for fit in fits if fit.vehicle == base.vehicle_name]
    battery = next((fit for fit in own if fit.part == head.proposed_battery_module), None)
    if battery is None:
        return None, Verdict.UNKNOWN, "The workspace proposes no battery module: set proposed_battery_module."
    if battery.layout is None:
        module = workspace.battery_modules[battery.part]
        return None, battery.verdict, f"How often {module.name} goes into the bay is not known, or it does not at all."
    chosen: list[Fit] = []
    drives: list[Drive] = []
    for drive in base.drives:
        offers = [fit for fit in own if fit.slot == drive.mount.id and fit.part in head.proposed_eaxles]
        if not offers:
            return None, Verdict.UNKNOWN, "The workspace proposes no e-axle: set proposed_eaxles."
        best = min(offers, key=lambda fit: _preference(workspace, fit))
        eaxle = workspace.eaxles[best.part]
        rating = next(rating for rating in eaxle.ratings if rating.id == best.rating)
        chosen.append(best)
        drives.append(Drive(drive.mount, eaxle, rating))
    module = workspace.battery_modules[battery.part]
    build = rebuilt(base, COMMON, module, battery.layout, tuple(drives))
    verdict = max((fit.verdict for fit in (battery, *chosen)), key=lambda item: item.rank)
    if build is None:
        return None, verdict, f"The energy of {module.name} is not stated: add energy_kwh."
    return build, verdict, ""


def _preference(workspace: Workspace, fit: Fit) -> tuple[int, int, float, float]:
    eaxle = workspace.eaxles[fit.part]
    rating = next(rating for rating in eaxle.ratings if rating.id == fit.rating)
    return (
        fit.verdict.rank,
        fit.count(Verdict.FAIL),
        max(item.peak_power_kw for item in eaxle.ratings),
        rating.peak_power_kw,
    )


def proposed_builds(
    workspace: Workspace, bases: Mapping[str, Build], fits: Sequence[Fit]
) -> tuple[list[tuple[Build, Verdict | None]], list[NotBuilt]]:
    """Every vehicle with the proposed parts, and those that cannot be built so."""
    built: list[tuple[Build, Verdict | None]] = []
    refused: list[NotBuilt] = []
    for base in bases.values():
        build, verdict, reason = proposed_build(workspace, base, fits)
        if build is None:
            refused.append(NotBuilt(base.vehicle_name, COMMON, reason))
        else:
            built.append((build, verdict))
    return built, refused
