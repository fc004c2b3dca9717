"""A finding: one check's verdict on one part in one slot, with both values, margin and reason.

Verdicts order from best to worst: `pass`, `conditional` (with the action that makes it pass), `unknown`
(with the fields that nobody stated), `fail`. Unknown is never a pass; an overall verdict is the worst.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kyotsu.spec.record import STATUSES, Status


class Verdict(StrEnum):
    """The four verdicts, best first."""

    PASS = "pass"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """0 for the best, 3 for the worst."""
        return _RANKS[self]


_RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Outcome:
    """What one comparison inside a check found; a check is the worst of its outcomes.

    Attributes:
        offered, required: both values as a person reads them, without unit.
        margin: how far the offer is inside the requirement (negative: outside), in `unit`.
        missing: fields that nobody stated, as `battery_module.electrical.creepage_mm`.
        status: the weakest origin among the values compared.
    """

    verdict: Verdict
    reason: str
    offered: str = ""
    required: str = ""
    margin: float | None = None
    unit: str = ""
    action: str = ""
    missing: tuple[str, ...] = ()
    status: Status | None = None


@dataclass(frozen=True)
class Finding:
    """One check's verdict.

    Attributes:
        check: its id, such as `E1`.
        title: what is checked.
        standard: where the rule comes from.
        outcomes: all comparisons that were made, worst first.
    """

    check: str
    title: str
    standard: str
    outcomes: tuple[Outcome, ...]

    @property
    def worst(self) -> Outcome:
        """The comparison that decides."""
        return self.outcomes[0]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all comparisons."""
        return self.worst.verdict

    @property
    def missing(self) -> tuple[str, ...]:
        """Every field that nobody stated."""
        return tuple(dict.fromkeys(name for outcome in self.outcomes for name in outcome.missing))

    @property
    def status(self) -> Status | None:
        """The weakest origin that the verdict rests on."""
        return weakest(outcome.status for outcome in self.outcomes)

    @property
    def reason(self) -> str:
        """Why, in a sentence for each comparison that decides."""
        return " ".join(outcome.reason for outcome in self.outcomes if outcome.verdict is self.verdict)

    @property
    def action(self) -> str:
        """What to do about it."""
        return " ".join(
            dict.fromkeys(
                outcome.action for outcome in self.outcomes if outcome.action and outcome.verdict is self.verdict
            )
        )

    def record(self) -> dict[str, Any]:
        """The finding as plain data, with the values that decided it."""
        worst = self.worst
        return {
            "check": self.check,
            "title": self.title,
            "verdict": self.verdict.value,
            "offered": worst.offered,
            "required": worst.required,
            "margin": worst.margin,
            "unit": worst.unit,
            "reason": self.reason,
            "action": self.action,
            "missing": ", ".join(self.missing),
            "standard": self.standard,
            "status": self.status,
        }


def finding(check: str, title: str, standard: str, outcomes: Iterable[Outcome]) -> Finding:
    """A finding from the outcomes of a check, worst first."""
    ordered = sorted(outcomes, key=lambda outcome: -outcome.verdict.rank)
    return Finding(check, title, standard, tuple(ordered))


def overall(findings: Iterable[Finding]) -> Verdict:
    """The worst verdict of all findings."""
    return max((item.verdict for item in findings), key=lambda verdict: verdict.rank, default=Verdict.UNKNOWN)


def weakest(statuses: Iterable[Status | None]) -> Status | None:
    """The least trustworthy of several origins; `None` when none is known."""
    known = [status for status in statuses if status is not None]
    return max(known, key=STATUSES.index, default=None)
