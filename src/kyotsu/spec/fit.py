"""The fit of a part in a slot: every check listed once, every verdict with its reason.

    fit_battery(vehicle, module)         34 checks M1 to R3, of the best layout or of one that is given
    fit_eaxle(vehicle, mount, eaxle)     25 checks A1 to A25, at the rating that suits the mount best
    fit_workspace(workspace)             every part in every slot

A verdict also says what it rests on: a pass on assumed values is shown as such, never hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

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

Case = TypeVar("Case")

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
    fitting = BatteryFitting(name, vehicle, module)
    case = BatteryCase(module, vehicle, layout)
    return fitting.fit(case, fitting.findings(case))


class BatteryFitting:
    """One part in one vehicle's bay, judged in one layout after the other.

    A check that does not look at the layout finds the same in every one: it is made once.

    Attributes:
        in_every_layout: findings of such checks so far, by check.
    """

    def __init__(self, name: str, vehicle: Vehicle, module: BatteryModule) -> None:
        self.name, self.vehicle, self.module = name, vehicle, module
        self.in_every_layout: dict[str, Finding] = {}

    def findings(self, case: BatteryCase) -> Iterator[Finding]:
        """The checks in their order, one by one, so that who has seen enough can stop."""
        module, bay = self.module, self.vehicle.battery_bay
        if not self.accepted:
            taken = ", ".join(level.replace("_", " ") for level in bay.accepts)
            reason = f"The bay takes {taken}; this part is a {module.level.replace('_', ' ')}."
            outcome = Outcome(Verdict.FAIL, reason, module.level, taken)
            self.in_every_layout["M1"] = finding("M1", "Envelope", "kyotsu", [outcome])
            yield self.in_every_layout["M1"]
            return
        for check in BATTERY_CHECKS:
            found = self.in_every_layout.get(check.id)
            if found is None:
                case.looks.clear()
                found = finding(check.id, check.title, check.standard, _judged(bay, check.id, check.judge, case))
                if not case.looks:
                    self.in_every_layout[check.id] = found
            yield found

    @property
    def accepted(self) -> bool:
        """Whether the bay takes parts of this level at all."""
        return self.module.level in self.vehicle.battery_bay.accepts

    def fit(self, case: BatteryCase, findings: Iterable[Finding]) -> Fit:
        """All findings of a case as one fit."""
        layout = case.layout if self.accepted else None
        return Fit(self.name, self.vehicle.battery_bay.id, self.module.id, "battery_module", tuple(findings), layout)


def fit_eaxle(name: str, vehicle: Vehicle, mount: EAxleMount, eaxle: EAxle) -> Fit:
    """Every e-axle check at the rating that suits the mount best: the best verdict, then the least power."""
    fitting = EAxleFitting(name, vehicle, mount, eaxle)
    return fitting.best([fitting.fit(rating, fitting.findings(rating)) for rating in eaxle.ratings])


class EAxleFitting:
    """One e-axle at one mount, judged at one rating after the other.

    A check that does not look at the rating finds the same at every one: it is made once.
    """

    def __init__(self, name: str, vehicle: Vehicle, mount: EAxleMount, eaxle: EAxle) -> None:
        self.name, self.vehicle, self.mount, self.eaxle = name, vehicle, mount, eaxle
        self._at_every_rating: dict[str, Finding] = {}

    def findings(self, rating: Rating) -> Iterator[Finding]:
        """The checks in their order, one by one, so that who has seen enough can stop."""
        case = EAxleCase(self.eaxle, rating, self.vehicle, self.mount)
        for check in EAXLE_CHECKS:
            found = self._at_every_rating.get(check.id)
            if found is None:
                case.looks.clear()
                outcomes = _judged(self.mount, check.id, check.judge, case)
                found = finding(check.id, check.title, check.standard, outcomes)
                if not case.looks:
                    self._at_every_rating[check.id] = found
            yield found

    def fit(self, rating: Rating, findings: Iterable[Finding]) -> Fit:
        """All findings at a rating as one fit."""
        return Fit(self.name, self.mount.id, self.eaxle.id, "eaxle", tuple(findings), rating=rating.id)

    def best(self, fits: Sequence[Fit]) -> Fit:
        """Of fits at several ratings that which suits the mount best."""
        powers = {rating.id: rating.peak_power_kw for rating in self.eaxle.ratings}
        return min(fits, key=lambda fit: (fit.verdict.rank, fit.count(Verdict.FAIL), powers[fit.rating or ""]))


def _judged(
    slot: BatteryBay | EAxleMount, check: str, judge: Callable[[Case], Iterable[Outcome]], case: Case
) -> Iterable[Outcome]:
    reason = slot.waived.get(check)
    return judge(case) if reason is None else [Outcome(Verdict.PASS, f"Not required by this vehicle: {reason}")]


def fit_workspace(workspace: Workspace) -> list[Fit]:
    """Every part on offer in every slot of every vehicle."""
    fits = []
    for name, vehicle in workspace.vehicles.items():
        fits += [fit_battery(name, vehicle, module) for module in workspace.battery_modules.values()]
        for mount in vehicle.eaxle_mounts:
            fits += [fit_eaxle(name, vehicle, mount, eaxle) for eaxle in workspace.eaxles.values()]
    return fits
