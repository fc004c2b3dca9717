"""The choice of standards within a study: made here or read from a file, and checked anew without the optimiser.

chosen(workspace)              explore, choose, ask what would change it: minutes for a large workspace
checked(decision, workspace)   the families that the report shows, each built and simulated again
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kyotsu.plan.decision import Decision, decide
from kyotsu.plan.evaluate import evaluate
from kyotsu.plan.family import Options, Plan
from kyotsu.plan.settings import CHOICE_FILE
from kyotsu.plan.standards import Model
from kyotsu.spec.workspace import Workspace

Report = Callable[[str], None]


@dataclass(frozen=True)
class Checked:
    """A family, checked from the workspace alone.

    Attributes:
        variants: number of its standards.
        cost_usd: found anew.
        faults: what does not hold, in sentences.
    """

    variants: int
    cost_usd: float
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """A decision with the families that the report shows in full, and their checks."""

    decision: Decision
    checked: tuple[Checked, ...]

    @property
    def shown(self) -> tuple[Plan, ...]:
        """The families in full: that of the knee and the cheapest of all, which may be one."""
        return shown(self.decision)


def shown(decision: Decision) -> tuple[Plan, ...]:
    """The families that a report shows in full, few standards first."""
    return tuple(plan for plan in decision.plans if plan.variants == decision.knee or plan is decision.best)


def chosen(workspace: Workspace, report: Report = lambda step: None) -> Decision | None:
    """The workspace's choice of standards; `None` where it has no `choice.toml`.

    Raises:
        InputError: the choice cannot be read, or no candidates build some vehicle.
    """
    if not (workspace.root / CHOICE_FILE).exists():
        return None
    model = Model.explored(workspace, progress=lambda vehicle: report(f"build {vehicle} in every way"))
    return decide(model, Options(), report=report)


def checked(decision: Decision, workspace: Workspace) -> Choice:
    """A decision with its families checked anew.

    Raises:
        InputError: the workspace's own choice cannot be read.
    """
    found = []
    for plan in shown(decision):
        evaluation = evaluate(plan, workspace)
        found.append(Checked(plan.variants, evaluation.cost_usd, evaluation.faults))
    return Choice(decision, tuple(found))
