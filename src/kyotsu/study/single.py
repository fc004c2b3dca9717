"""One vehicle driven on its own, as built or with parts that a person names."""

from __future__ import annotations

from kyotsu.errors import InputError, Problem
from kyotsu.spec.build import Build, Drive, as_built, rebuilt
from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import Fit, fit_battery, fit_eaxle
from kyotsu.spec.layout import Layout
from kyotsu.spec.workspace import Workspace
from kyotsu.study.figures import drive_one
from kyotsu.study.results import BuildResult, CycleResult
from kyotsu.study.traces import Trace


def drive_vehicle(
    workspace: Workspace, vehicle: str, battery_module: str | None = None, eaxles: tuple[str, ...] = ()
) -> tuple[BuildResult, tuple[CycleResult, ...], tuple[Trace, ...]]:
    """A vehicle over all cycles, as built or with the parts named.

    Args:
        workspace: where vehicle and parts are written down.
        vehicle: `maker/id`.
        battery_module: id of the module to build in; `None` keeps the battery.
        eaxles: ids of e-axles for the mounts in order; mounts beyond keep theirs.

    Returns:
        What the build is and does, each cycle in figures, and each cycle second by second.

    Raises:
        InputError: a name is unknown, or the vehicle cannot be built so.
    """
    base, missing = as_built(vehicle, workspace.vehicles[vehicle], workspace.eaxles)
    if base is None:
        raise _refused(workspace, vehicle, f"{', '.join(missing)} not stated", "these values", "State them.")
    build: Build = base
    verdict: Verdict | None = None
    if battery_module is not None or eaxles:
        build, verdict = _with_parts(workspace, base, battery_module, eaxles)
    return drive_one(build, verdict, workspace.alliance.year)


def _with_parts(
    workspace: Workspace, base: Build, battery_module: str | None, eaxles: tuple[str, ...]
) -> tuple[Build, Verdict]:
    name, mounts = base.vehicle_name, base.vehicle.eaxle_mounts
    if len(eaxles) > len(mounts):
        found = f"{len(eaxles)} e-axles for {len(mounts)} mounts"
        raise _refused(workspace, name, found, "one for each mount at most", "Name fewer.")
    fits: list[Fit] = []
    drives = list(base.drives)
    for index, part in enumerate(eaxles):
        eaxle = workspace.eaxles.get(part)
        if eaxle is None:
            known = ", ".join(sorted(workspace.eaxles))
            raise _refused(workspace, name, f"e-axle {part!r}", f"one of: {known}", "Correct the name.")
        fit = fit_eaxle(name, base.vehicle, mounts[index], eaxle)
        fits.append(fit)
        rating = next(rating for rating in eaxle.ratings if rating.id == fit.rating)
        drives[index] = Drive(mounts[index], eaxle, rating)
    if battery_module is None:
        build = base.with_drives("rebuilt", tuple(drives))
        return build, max((fit.verdict for fit in fits), key=lambda verdict: verdict.rank)
    module = workspace.battery_modules.get(battery_module)
    if module is None:
        known = ", ".join(sorted(workspace.battery_modules))
        raise _refused(workspace, name, f"battery module {battery_module!r}", f"one of: {known}", "Correct the name.")
    fit = fit_battery(name, base.vehicle, module)
    layout: Layout | None = fit.layout
    whole = None if layout is None else rebuilt(base, "rebuilt", module, layout, tuple(drives))
    if whole is None:
        asked = "its energy" if layout is not None else "how often it goes into the bay"
        found = f"{module.id}, of which {asked} is not known"
        raise _refused(workspace, name, found, "a part with a layout and an energy", fit_hint(fit))
    return whole, max((item.verdict for item in (fit, *fits)), key=lambda verdict: verdict.rank)


def fit_hint(fit: Fit) -> str:
    """Where the whole reason can be read."""
    return f"See kyotsu fit --vehicle {fit.vehicle} --part {fit.part}."


def _refused(workspace: Workspace, vehicle: str, found: str, expected: str, action: str) -> InputError:
    return InputError([Problem(workspace.locate(vehicle), found, expected, action)])
