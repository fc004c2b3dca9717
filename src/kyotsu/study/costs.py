"""What a battery and a drive cost: public curves, the same for every build, so that differences are fair.

These are planning figures, those of `plan.costs`. They hold no effect of common volume: that is the choice of
standards' question.
"""

from __future__ import annotations

from kyotsu.plan.costs import battery_cost_source, battery_cost_usd

COST_SOURCE = f"battery: {battery_cost_source()}"

# A. Simpson 2006, long-term motor cost: 16 USD/kW + 385 USD of 2006
DRIVE_USD_PER_KW = 16.0
DRIVE_FIXED_USD = 385.0
USD_2022_PER_2006 = 292.655 / 201.6  # US consumer price index CPI-U, annual averages (Bureau of Labor Statistics)
DRIVE_SOURCE = "drives: A. Simpson 2006, long-term motor cost, 16 USD/kW + 385 USD, in 2022 USD by CPI-U"


def drive_cost_usd(peak_power_kw: float) -> float:
    """Cost of a motor with inverter [USD of 2022] by the peak power [kW] of its hardware (Simpson 2006)."""
    return USD_2022_PER_2006 * (DRIVE_FIXED_USD + DRIVE_USD_PER_KW * peak_power_kw)


__all__ = ["COST_SOURCE", "DRIVE_SOURCE", "battery_cost_usd", "drive_cost_usd"]
