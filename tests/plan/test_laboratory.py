"""What the laboratory says of builds is what each build does on its own."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from kyotsu.plan.assembly import battery_table, module_table
from kyotsu.plan.duty import FIGURES, Limit
from kyotsu.plan.evaluate import figures_of
from kyotsu.plan.laboratory import TABLED, Laboratory
from kyotsu.sim.build import build_parameters
from kyotsu.spec.build import Build, Drive, as_built, rebuilt
from kyotsu.spec.layout import layouts
from plan.small import parts, workspace


def laboratory(name: str) -> tuple[Laboratory, list[Build]]:
    """Some batteries and drives of a vehicle, and every build of them."""
    vehicle = workspace().vehicles[name]
    base, _ = as_built(name, vehicle, workspace().eaxles)
    assert base is not None
    modules = [*parts().battery_modules.values()]
    rows = [(index, layout) for index, module in enumerate(modules) for layout in layouts(module, vehicle)[::9]]
    offered = [
        [Drive(old.mount, part, part.ratings[-1]) for part in list(parts().eaxles.values())[:3]] for old in base.drives
    ]
    limits = tuple(
        Limit(figure, figure, direction, 1.0, unit, stated=True) for figure, _, direction, unit, _ in FIGURES
    )
    own, table = build_parameters([base]), module_table(modules, base)
    lab = Laboratory(base, own, limits, modules, table, battery_table(base, modules, rows), offered)
    builds = []
    for index, layout in rows:
        for places in lab.drives.T:
            drives = tuple(drives[place] for drives, place in zip(offered, places, strict=True))
            build = rebuilt(base, "tried", modules[index], layout, drives)
            assert build is not None
            builds.append(build)
    return lab, builds


@pytest.mark.parametrize("name", ["nissan/sakura", "honda/prologue_awd"])
def test_figures_are_those_of_each_build_simulated_on_its_own(name: str) -> None:
    lab, builds = laboratory(name)
    index = np.arange(len(builds))
    found = lab.figures(index // lab.combinations, index % lab.combinations)
    expected = figures_of(builds)
    assert found.keys() == expected[0].keys()
    for figure, values in found.items():
        own = [row[figure] for row in expected]
        assert values == pytest.approx(own, rel=1e-6, nan_ok=True), figure
        assert len({*values[~np.isnan(values)].round(6)}) > 1, "figures that are all the same test nothing"
    assert np.isnan(found["continuous_power_kw"]).any(), "a unit that does not state it"


def test_tests_say_what_the_figures_say() -> None:
    lab, builds = laboratory("nissan/sakura")
    rows = figures_of(builds)
    bounds = {figure: 1.0003 * float(np.nanmedian([row[figure] for row in rows])) for figure in rows[0]}
    lab.limits = tuple(
        Limit(limit.figure, limit.title, limit.direction, bounds[limit.figure], limit.unit, stated=True)
        for limit in lab.limits
    )
    for battery in range(lab.count):
        own = rows[battery * lab.combinations : (battery + 1) * lab.combinations]
        tests = dict(lab.tests(battery))
        for limit in lab.limits:
            met = limit.met(np.array([row[limit.figure] for row in own]))
            if limit.figure in TABLED:
                assert tests[limit.title].tolist() == met.tolist()
        far = next(limit for limit in lab.limits if limit.figure == "range_km")
        reached = far.met(np.array([row["range_km"] for row in own]))
        assert not (reached & ~tests["range, by R2"]).any(), "R2 leaves out nothing that reaches the range"


def test_what_misses_is_counted_once() -> None:
    lab, builds = laboratory("nissan/sakura")
    rows = figures_of(builds)
    lab.limits = tuple(
        Limit(figure, title, direction, 1.0003 * float(np.nanmedian([row[figure] for row in rows])), unit, stated=True)
        for figure, _, direction, unit, title in FIGURES
    )
    missed: Counter[str] = Counter()
    batch = [(row, np.ones(lab.combinations, dtype=np.bool_)) for row in range(lab.count)]
    found = np.concatenate([serves for _, serves in lab.serving(batch, missed)])
    simulated = [limit for limit in lab.limits if limit.figure not in TABLED]
    expected = [all(limit.met(np.array(row[limit.figure])) for limit in simulated) for row in rows]
    assert found.tolist() == expected
    assert missed.total() + int(found.sum()) == len(builds)
