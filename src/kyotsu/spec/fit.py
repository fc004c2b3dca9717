"""The fit of a part in a slot: every check listed once, every verdict with its reason.

    fit_battery(vehicle, module)         34 checks M1 to R3, of the best layout or of one that is given
    fit_eaxle(vehicle, mount, eaxle)     25 checks A1 to A25, at the rating that suits the mount best
    fit_workspace(workspace)             every part in every slot

A verdict also says what it rests on: a pass on assumed values is shown as such, never hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.battery_body_checks import BODY_CHECKS
from kyotsu.spec.battery_case import BatteryCase
from kyotsu.spec.battery_electrical_checks import ELECTRICAL_CHECKS
from kyotsu.spec.battery_operation_checks import OPERATION_CHECKS
from kyotsu.spec.eaxle import EAxle, Rating
from kyotsu.spec.eaxle_case import EAxleCase
from kyotsu.spec.eaxle_checks import EAXLE_CHECKS
from kyotsu.spec.finding import Finding, Outcome, Verdict, finding, overall, weakest
from kyotsu.spec.layout import Layout
from kyotsu.spec.record import Status
from kyotsu.spec.slots import BatteryBay, EAxleMount
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import Workspace

BATTERY_CHECKS = BODY_CHECKS + ELECTRICAL_CHECKS + OPERATION_CHECKS


@dataclass(frozen=True)
class Fit:
    """All findings of one part in one slot.

    Attributes:
        vehicle: `maker/id`.
        slot: the slot's id.
        part: the part's id; for an e-axle with `rating`.
        layout: of a battery; `None` when none can be derived, and for e-axles.
    """

    vehicle: str
    slot: str
    part: str
    kind: str
    findings: tuple[Finding, ...]
    layout: Layout | None = None
    rating: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of all findings."""
        return overall(self.findings)

    @property
    def status(self) -> Status | None:
        """The weakest origin that the findings rest on."""
        return weakest(item.status for item in self.findings)

    @property
    def missing(self) -> tuple[str, ...]:
        """Every field that nobody stated."""
        return tuple(dict.fromkeys(name for item in self.findings for name in item.missing))

    def count(self, verdict: Verdict) -> int:
        """How many checks came out so."""
        return sum(item.verdict is verdict for item in self.findings)

    @property
    def deciding(self) -> tuple[Finding, ...]:
        """The findings that make the overall verdict."""
        worst = self.verdict
        return tuple(item for item in self.findings if item.verdict is worst)

    def record(self) -> dict[str, Any]:
        """The fit as plain data, without its findings."""
        return {
            "vehicle": self.vehicle,
            "slot": self.slot,
            "kind": self.kind,
            "part": self.part,
            "rating": self.rating,
            "layout": self.layout.text if self.layout else None,
            "parts_used": self.layout.parts if self.layout else None,
            "verdict": self.verdict.value,
            "status": self.status,
            **{verdict.value: self.count(verdict) for verdict in Verdict},
        }


def fit_battery(name: str, vehicle: Vehicle, module: BatteryModule, layout: Layout | None = None) -> Fit:
    """Every battery check of a part in a vehicle's bay, in a layout or the best one; `name` is `maker/id`."""
    case = BatteryCase(module, vehicle, layout)
    bay = vehicle.battery_bay
    if module.level not in bay.accepts:
        taken = ", ".join(level.replace("_", " ") for level in bay.accepts)
        outcome = Outcome(
            Verdict.FAIL,
            f"The bay takes {taken}; this part is a {module.level.replace('_', ' ')}.",
            module.level,
            taken,
        )
        return Fit(name, bay.id, module.id, "battery_module", (finding("M1", "Envelope", "kyotsu", [outcome]),))
    findings = tuple(
        finding(check.id, check.title, check.standard, _judged(bay, check.id, lambda: check.judge(case)))  # noqa: B023
        for check in BATTERY_CHECKS
    )
    return Fit(name, bay.id, module.id, "battery_module", findings, case.layout)


def fit_eaxle(name: str, vehicle: Vehicle, mount: EAxleMount, eaxle: EAxle) -> Fit:
    """Every e-axle check at the rating that suits the mount best: the best verdict, then the least power."""
    fits = [_fit_rating(name, vehicle, mount, eaxle, rating) for rating in eaxle.ratings]
    powers = {rating.id: rating.peak_power_kw for rating in eaxle.ratings}

    def badness(fit: Fit) -> tuple[int, int, float]:
        return fit.verdict.rank, fit.count(Verdict.FAIL), powers[fit.rating or ""]

    return min(fits, key=badness)


def _fit_rating(name: str, vehicle: Vehicle, mount: EAxleMount, eaxle: EAxle, rating: Rating) -> Fit:
    case = EAxleCase(eaxle, rating, vehicle, mount)
    findings = tuple(
        finding(check.id, check.title, check.standard, _judged(mount, check.id, lambda: check.judge(case)))  # noqa: B023
        for check in EAXLE_CHECKS
    )
    return Fit(name, mount.id, eaxle.id, "eaxle", findings, rating=rating.id)


def _judged(slot: BatteryBay | EAxleMount, check: str, judge: Callable[[], Iterable[Outcome]]) -> Iterable[Outcome]:
    reason = slot.waived.get(check)
    return judge() if reason is None else [Outcome(Verdict.PASS, f"Not required by this vehicle: {reason}")]


def fit_workspace(workspace: Workspace) -> list[Fit]:
    """Every part on offer in every slot of every vehicle."""
    fits = []
    for name, vehicle in workspace.vehicles.items():
        fits += [fit_battery(name, vehicle, module) for module in workspace.battery_modules.values()]
        for mount in vehicle.eaxle_mounts:
            fits += [fit_eaxle(name, vehicle, mount, eaxle) for eaxle in workspace.eaxles.values()]
    return fits
