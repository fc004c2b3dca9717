from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.study.costs import battery_cost_usd, drive_cost_usd

# USD of 2022 per kWh in 2025, worked out by hand from the published formula
PUBLISHED = [
    ("NMC", 20, 164), ("NMC", 40, 139), ("NMC", 62, 131), ("NMC", 85, 127),
    ("LFP", 20, 153), ("LFP", 40, 126), ("LFP", 62, 117), ("LFP", 85, 113),
]  # fmt: skip


@pytest.mark.parametrize(("chemistry", "energy_kwh", "usd_per_kwh"), PUBLISHED)
def test_the_curve_gives_the_published_values(chemistry: str, energy_kwh: float, usd_per_kwh: float) -> None:
    assert battery_cost_usd(energy_kwh, chemistry, 2025) / energy_kwh == pytest.approx(usd_per_kwh, abs=0.6)


@given(st.floats(5, 200), st.floats(1.01, 3), st.sampled_from(["NMC", "LFP", None]), st.integers(2020, 2050))
def test_more_energy_costs_more_but_less_per_kwh(
    energy_kwh: float, factor: float, chemistry: str | None, year: int
) -> None:
    small, large = (battery_cost_usd(size, chemistry, year) for size in (energy_kwh, factor * energy_kwh))
    assert small < large < factor * small


def test_cost_falls_after_the_curve_ends() -> None:
    assert battery_cost_usd(60, "NMC", 2040) == pytest.approx(battery_cost_usd(60, "NMC", 2035) * 0.985**5)


def test_a_drive_costs_what_the_formula_says() -> None:
    assert drive_cost_usd(100) == pytest.approx((385 + 1600) * 1.4517, rel=1e-4)
