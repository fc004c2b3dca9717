"""Costs: published curves, ranges that hold their values, and the volume effect as a tangent."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.plan.costs import USUAL_PACK_KWH, CostModel, battery_cost_usd, coefficients, cost_model
from kyotsu.plan.settings import Choice, Settings
from kyotsu.spec.layout import Layout
from kyotsu.spec.workspace import Workspace

SETTINGS = Settings(Choice(format=1), {})


def model(**changes: float) -> CostModel:
    return cost_model(SETTINGS, 2025, changes)


def test_every_coefficient_says_where_it_comes_from_and_how_far_it_may_move() -> None:
    for entry in coefficients().values():
        assert entry.low <= entry.value <= entry.high, entry.name
        assert entry.low < entry.high, entry.name
        assert len(entry.source) > 20, entry.name
        assert entry.status in ("declared", "derived", "assumed")
        assert ("assumption" in entry.source) >= (entry.status == "assumed" and "RMI" not in entry.source), entry.name


@pytest.mark.parametrize(("chemistry", "energy", "usd"), [("NMC", 20, 164), ("NMC", 85, 127), ("LFP", 62, 117)])
def test_the_curve_gives_the_published_values(chemistry: str, energy: float, usd: float) -> None:
    assert battery_cost_usd(energy, chemistry, 2025) / energy == pytest.approx(usd, abs=0.6)


def test_a_usual_drive_costs_what_simpson_says(alliance: Workspace) -> None:
    """At 2 N m for each kW: 385 USD + 16 USD/kW of 2006, in 2022 USD."""
    unit = alliance.eaxles["kyotsu_ea_large"]  # 180 kW, 350 N m
    expected = 292.655 / 201.6 * (385.0 + 16.0 * 180.0)
    assert model().eaxle_usd(unit) == pytest.approx(expected, rel=0.02)


def test_many_small_modules_cost_more_than_few_large_ones(alliance: Workspace) -> None:
    module = alliance.battery_modules["kyotsu_bm_nmc_8s1p"]
    half = module.model_copy(update={"energy_kwh": 0.5 * (module.energy_kwh or 0.0)})
    assert model().battery_usd(half, Layout(48, 12, 4)) > model().battery_usd(module, Layout(24, 12, 2))


@given(st.floats(0.05, 0.3), st.floats(2e4, 5e6))
def test_the_volume_effect_is_a_tangent_from_above(share: float, volume: float) -> None:
    """Fixed plus linear cost against c V (V/V0)^-b on the value added."""
    costs = model(volume_effect_share=share)
    unit = costs.pack_usd(USUAL_PACK_KWH, "NMC")
    added, b = costs["value_added_share"], costs.learning_exponent
    reference = costs["reference_units"]
    assert 2.0**-b == pytest.approx(1.0 - share)

    def tangent(units: float) -> float:
        return costs._once(unit) + units * unit * costs.unit_ratio()

    def power(units: float) -> float:
        return unit * units * ((1.0 - added) + added * (units / reference) ** -b)

    assert tangent(reference) == pytest.approx(power(reference))
    assert tangent(volume) >= power(volume) * (1.0 - 1e-9)
    slope = (power(reference * 1.0001) - power(reference)) / (0.0001 * reference)
    assert slope == pytest.approx(unit * costs.unit_ratio(), rel=1e-3)


def test_without_a_volume_effect_nothing_is_added() -> None:
    assert model().unit_ratio() == 1.0
    assert model()._once(1e6) == 0.0


def test_a_workspace_and_a_caller_replace_coefficients() -> None:
    settings = Settings(Choice(format=1, costs={"module_standard_usd": 1.0, "eaxle_standard_usd": 2.0}), {})
    costs = cost_model(settings, 2025, {"eaxle_standard_usd": 3.0})
    assert (costs["module_standard_usd"], costs["eaxle_standard_usd"]) == (1.0, 3.0)


def test_prices_fall_over_the_years() -> None:
    prices = [cost_model(SETTINGS, year).pack_usd(60.0, "LFP") for year in (2025, 2030, 2040)]
    assert prices == sorted(prices, reverse=True)
    assert math.isfinite(prices[-1])


def test_the_file_of_costs_is_part_of_the_package(root: Path) -> None:
    assert (root / "src" / "kyotsu" / "plan" / "data" / "costs.toml").exists()
