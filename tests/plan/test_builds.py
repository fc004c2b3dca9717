"""The ways found with rules are those found by trying every build."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kyotsu.errors import InputError
from kyotsu.plan.builds import LAYOUT_FREE, explore
from kyotsu.plan.candidates import candidates
from kyotsu.spec.fit import fit_battery
from kyotsu.spec.layout import layouts
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
def test_every_build_is_counted() -> None:
    tried: dict[str, int] = {}
    for item in everything():
        tried[item.vehicle] = tried.get(item.vehicle, 0) + 1
    for ways in model().ways:
        axles = int(np.prod([len(axle) for axle in ways.axles]))
        rows = ways.builds // axles
        assert rows * len(parts().eaxles) ** len(ways.axles) == tried[ways.vehicle]
        assert 0 < ways.simulated < ways.builds


def test_checks_without_a_look_at_the_layout_agree_in_every_layout() -> None:
    every = candidates(workspace(), settings())
    for module in [*parts().battery_modules.values(), every.battery_modules["lfp_45ah_4s1p_155x108"]]:
        for name in VEHICLES:
            vehicle = workspace().vehicles[name]
            seen: dict[str, set[str]] = {}
            for layout in layouts(module, vehicle)[::4]:
                for item in fit_battery(name, vehicle, module, layout).findings:
                    seen.setdefault(item.check, set()).add(item.verdict.value)
            assert all(len(verdicts) == 1 for check, verdicts in seen.items() if check in LAYOUT_FREE)


def test_unknown_parts_can_be_refused() -> None:
    known = model(accept_unknown=False)
    drives = {way.drive.eaxle.id for ways in known.ways for axle in ways.axles for way in axle}
    assert "nissan_em57" not in drives
    assert "nissan_em57" in {way.drive.eaxle.id for ways in model().ways for axle in ways.axles for way in axle}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("requirements.range_km", 900.0, "range"),
        ("requirements.zero_to_100_km_h_s", 1.0, "0 to 100 km/h"),
        ("eaxle_mounts.0.peak_power_kw", 900.0, "no e-axle fits the mount"),
        ("battery_bay.max_mass_kg", 60.0, "no battery module fits the bay"),
        ("battery_bay.max_mass_kg", 150.0, "no battery module fits the bay"),
    ],
)
def test_a_vehicle_that_nothing_serves_says_what_stands_in_the_way(path: str, value: float, words: str) -> None:
    vehicle = changed(workspace().vehicles["nissan/leaf_40"], {path: value})
    bent = replace(workspace(), vehicles={"nissan/leaf_40": vehicle})
    (ways,) = explore(bent, settings(), parts(), costs())
    assert not ways.batteries
    assert words in ways.hint


def test_the_relaxation_named_is_enough() -> None:
    vehicle = changed(workspace().vehicles["nissan/leaf_40"], {"requirements.zero_to_100_km_h_s": 4.0})
    (ways,) = explore(replace(workspace(), vehicles={"nissan/leaf_40": vehicle}), settings(), parts(), costs())
    wanted = float(ways.hint.split("Raise it to ")[1].split()[0])
    relaxed = changed(vehicle, {"requirements.zero_to_100_km_h_s": wanted * 1.001})
    (ways,) = explore(replace(workspace(), vehicles={"nissan/leaf_40": relaxed}), settings(), parts(), costs())
    assert ways.batteries


def test_a_vehicle_that_cannot_be_driven_is_refused() -> None:
    vehicle = changed(workspace().vehicles["nissan/leaf_40"], {"battery.energy_kwh": None, "battery.usable_kwh": None})
    with pytest.raises(InputError, match="energy_kwh"):
        explore(replace(workspace(), vehicles={"nissan/leaf_40": vehicle}), settings(), parts(), costs())
