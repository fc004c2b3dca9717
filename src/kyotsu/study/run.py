"""The study itself: check, fit, build, drive, judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from kyotsu.plan.decision import Decision
from kyotsu.spec.build import AS_BUILT, Build, as_built
from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import Fit, fit_workspace
from kyotsu.spec.workspace import Workspace
from kyotsu.study.choice import checked
from kyotsu.study.figures import drive_builds
from kyotsu.study.proposal import proposed_builds
from kyotsu.study.results import NotBuilt, Study
from kyotsu.study.unknowns import unknowns

STEPS = ("fit every part in every slot", "drive every build", "check the chosen families")

Progress = Callable[[str], None]


def run_study(workspace: Workspace, progress: Progress = lambda step: None, decision: Decision | None = None) -> Study:
    """Run the whole study of a workspace.

    Pure but for the time it notes: the same workspace gives the same study.

    Args:
        workspace: the workspace.
        progress: told each of `STEPS` as it begins.
        decision: the choice of standards to report on; see `study.choice`.
    """
    seconds: dict[str, float] = {}
    progress(STEPS[0])
    with _timed(seconds, "fit"):
        fits = fit_workspace(workspace)
    progress(STEPS[1])
    with _timed(seconds, "drive"):
        builds, refused = _builds(workspace, fits)
        judged, cycles = drive_builds(builds, workspace.alliance.year)
    asked = unknowns(workspace, fits)
    choice = None
    if decision is not None:
        progress(STEPS[2])
        with _timed(seconds, "check the choice"):
            choice = checked(decision, workspace)
    return Study(
        workspace, tuple(fits), judged, cycles, tuple(refused), tuple(asked), workspace.warnings, seconds, choice
    )


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 3)


def _builds(workspace: Workspace, fits: Sequence[Fit]) -> tuple[list[tuple[Build, Verdict | None]], list[NotBuilt]]:
    bases: dict[str, Build] = {}
    refused: list[NotBuilt] = []
    for name, vehicle in workspace.vehicles.items():
        build, missing = as_built(name, vehicle, workspace.eaxles)
        if build is None:
            refused.append(NotBuilt(name, AS_BUILT, f"Cannot be driven: {', '.join(missing)} not stated."))
        else:
            bases[name] = build
    common, more = proposed_builds(workspace, bases, fits)
    return [(build, None) for build in bases.values()] + common, refused + more
