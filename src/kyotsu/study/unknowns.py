"""What nobody stated, and whom to ask: every missing field once, with what hangs on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kyotsu.errors import Location
from kyotsu.spec.comparison import sentence, symbol, words
from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import Fit
from kyotsu.spec.workspace import Workspace

_OF_PART = ("battery_module", "eaxle")


@dataclass(frozen=True)
class Unknown:
    """A field that nobody stated.

    Attributes:
        ask: the supplier or maker who would know.
        record: the part's id or the vehicle's `maker/id`.
        checks: the checks that wait for it.
        pairs: how many vehicle-part pairs wait for it.
        location: the file and line of the record, where the value belongs.
    """

    ask: str
    record: str
    field: str
    unit: str
    checks: tuple[str, ...]
    pairs: int
    location: Location

    @property
    def question(self) -> str:
        """The question to send."""
        unit = f" [{self.unit}]" if self.unit else ""
        group = ".".join(self.field.split(".")[1:-1]).replace("_", " ")
        return f"{sentence(words(self.field))}{unit}" + (f" ({group})" if group else "")


def unknowns(workspace: Workspace, fits: Iterable[Fit]) -> list[Unknown]:
    """Every missing field of the fits that did not fail, those that most pairs wait for first."""
    waiting: dict[tuple[str, str], tuple[set[str], set[tuple[str, str]]]] = {}
    for fit in fits:
        if fit.verdict is Verdict.FAIL:
            continue
        for finding in fit.findings:
            for field in finding.missing:
                record = fit.part if field.startswith(_OF_PART) and not field.startswith("eaxle_mount") else fit.vehicle
                checks, pairs = waiting.setdefault((record, field), (set(), set()))
                checks.add(finding.check)
                pairs.add((fit.vehicle + fit.slot, fit.part))
    listed = [
        Unknown(
            _owner(workspace, record),
            record,
            field,
            symbol(field),
            tuple(sorted(checks)),
            len(pairs),
            workspace.locate(record),
        )
        for (record, field), (checks, pairs) in waiting.items()
    ]
    return sorted(listed, key=lambda item: (-item.pairs, item.ask, item.record, item.field))


def _owner(workspace: Workspace, record: str) -> str:
    part = workspace.parts.get(record)
    return part.supplier if part is not None else workspace.makers[record.split("/")[0]].name
