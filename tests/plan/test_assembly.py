"""Builds put together by index are those of `sim.build`, field by field."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kyotsu.plan.assembly import assembled, battery_table, drive_table, module_table
from kyotsu.sim.build import build_parameters
from kyotsu.spec.build import Drive, as_built, rebuilt
from kyotsu.spec.layout import Layout
from kyotsu.spec.workspace import Workspace

VEHICLES = [
    "nissan/leaf_40", "honda/honda_e", "honda/prologue_awd", "nissan/ariya_87_e4orce", "mitsubishi/minicab_ev",
]  # fmt: skip


def fields(tree: Any, name: str = "") -> dict[str, Any]:
    if isinstance(tree, np.ndarray):
        return {name: tree}
    found: dict[str, Any] = {}
    for key, value in tree._asdict().items():
        found |= fields(value, f"{name}.{key}")
    return found


@pytest.mark.parametrize("name", VEHICLES)
def test_an_assembled_build_is_the_build(alliance: Workspace, name: str) -> None:
    vehicle = alliance.vehicles[name]
    base, _ = as_built(name, vehicle, alliance.eaxles)
    assert base is not None
    modules = [part for part in alliance.battery_modules.values() if part.rated_energy_kwh is not None]
    rows = [
        (index, Layout(40, series, strings, lost))
        for index in range(len(modules))
        for series, strings, lost in ((11, 2, 0.0), (24, 1, 0.07), (3, 4, 0.0))
    ]
    # a unit with a stated loss model, and units for which the generic one speaks
    offered = [[Drive(mount, part, part.ratings[-1]) for part in alliance.eaxles.values()] for mount in
               (drive.mount for drive in base.drives)]  # fmt: skip
    rng = np.random.default_rng(7)
    battery = np.arange(len(rows))
    chosen = [rng.integers(len(drives), size=len(rows)) for drives in offered]
    parameters, change = assembled(
        base,
        build_parameters([base]),
        module_table(modules, base),
        battery_table(base, modules, rows),
        [drive_table(base, drives) for drives in offered],
        battery,
        chosen,
    )
    builds = []
    for build, (index, layout) in enumerate(rows):
        drives = tuple(drives[at[build]] for drives, at in zip(offered, chosen, strict=True))
        whole = rebuilt(base, "other", modules[index], layout, drives)
        assert whole is not None
        builds.append(whole)
    expected = build_parameters(builds)
    masses = [build.mass_change_kg if not build.unknown else None for build in builds]
    for own, found in zip(masses, change, strict=True):
        assert own is None or own == pytest.approx(found)
    found = fields(parameters)
    for path, values in fields(expected).items():
        assert found[path] == pytest.approx(values, rel=1e-9, abs=1e-12), path
