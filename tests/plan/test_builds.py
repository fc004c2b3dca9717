"""The ways found with rules are those found by trying every build."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kyotsu.errors import InputError
from kyotsu.plan.builds import explore
from plan.counting import counted
from plan.small import VEHICLES, costs, everything, model, parts, settings, workspace
from spec.workspaces import changed


def cheapest_found() -> dict[tuple[str, str, tuple[str, ...]], float]:
    """For each vehicle, module and drives the least cost of the ways that were found."""
    found: dict[tuple[str, str, tuple[str, ...]], float] = {}
    price = costs()
    for ways in model().ways:
        for battery in ways.batteries:
            assert battery.module is not None
            ratio = parts().cost_ratio.get(battery.module.id, 1.0)
            own = price.battery_parts(ways.base, ways.units, battery.module, battery.layout, ratio)
            own += price.finding_parts(battery.fit)
            for place in np.argwhere(battery.serves):
                chosen = [axles[index] for axles, index in zip(ways.axles, place, strict=True)]
                cost = own
                for way in chosen:
                    cost += price.axle_parts(ways.base, ways.units, way.drive) + price.finding_parts(way.fit)
                key = ways.vehicle, battery.module.id, tuple(way.drive.eaxle.id for way in chosen)
                found[key] = min(cost.total_usd, found.get(key, np.inf))
    return found


@pytest.mark.slow
def test_the_ways_are_those_of_trying_every_build() -> None:
    expected: dict[tuple[str, str, tuple[str, ...]], float] = {}
    for tried in everything():
        if tried.serves:
            key = tried.vehicle, tried.module, tried.axles
            expected[key] = min(tried.cost_usd, expected.get(key, np.inf))
    found = cheapest_found()
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected)
    assert {vehicle for vehicle, *_ in found} == set(VEHICLES)
    assert len(found) < len({(t.vehicle, t.module, t.axles) for t in everything()}), "something must be left out"


@pytest.mark.slow
@pytest.mark.parametrize("accept_unknown", [True, False])
def test_every_build_is_counted_for_the_reason_that_trying_it_alone_gives(accept_unknown: bool) -> None:
    for ways in model(accept_unknown=accept_unknown).ways:
        builds, serving, reasons = counted(ways.vehicle, accept_unknown)
        assert ways.builds == builds
        assert ways.serving == serving
        assert ways.left_out == reasons
        assert ways.builds == ways.serving + sum(ways.left_out.values())
        assert 0 < ways.simulated < ways.builds


def test_unknown_parts_can_be_refused() -> None:
    known = model(accept_unknown=False)
    drives = {way.drive.eaxle.id for ways in known.ways for axle in ways.axles for way in axle}
    assert "nissan_em57" not in drives
    assert "nissan_em57" in {way.drive.eaxle.id for ways in model().ways for axle in ways.axles for way in axle}


def test_a_vehicle_that_cannot_be_driven_is_refused() -> None:
    vehicle = changed(workspace().vehicles["nissan/leaf_40"], {"battery.energy_kwh": None, "battery.usable_kwh": None})
    with pytest.raises(InputError, match="energy_kwh"):
        explore(replace(workspace(), vehicles={"nissan/leaf_40": vehicle}), settings(), parts(), costs())
