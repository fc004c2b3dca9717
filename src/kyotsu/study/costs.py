"""What a battery and a drive cost: public curves, the same for every build, so that differences are fair.

These are planning figures. They hold no effect of common volume: that is the choice of standards' question.
"""

from __future__ import annotations

import math

# EPA OMEGA, powertrain_cost_frm.csv of 2023-10-30 (from ANL BatPaC): 2022 USD per kWh gross, before mark-up
# cost = a + b / E^n - c d exp(-k d) with d = year - 2023, and 1.5 % less a year after 2035
_CURVES = {
    "NMC": (128.9, 1480.0, 1.164, 5.278, 0.0129),
    "LFP": (120.6, 1535.0, 1.148, 10.04, 0.08346),
}
_LFP_LIKE = frozenset({"LFP", "LMFP", "LMO"})
BASE_YEAR = 2023
LAST_YEAR = 2035
YEARLY_FALL = 0.015
COST_SOURCE = "battery: EPA OMEGA powertrain_cost_frm.csv (2023-10-30, from ANL BatPaC), 2022 USD, before mark-up"

# A. Simpson 2006, long-term motor cost: 16 USD/kW + 385 USD of 2006
DRIVE_USD_PER_KW = 16.0
DRIVE_FIXED_USD = 385.0
USD_2022_PER_2006 = 292.655 / 201.6  # US consumer price index CPI-U, annual averages (Bureau of Labor Statistics)
DRIVE_SOURCE = "drives: A. Simpson 2006, long-term motor cost, 16 USD/kW + 385 USD, in 2022 USD by CPI-U"


def battery_cost_usd(energy_kwh: float, chemistry: str | None, year: int) -> float:
    """Cost of a pack [USD of 2022] by gross energy [kWh], chemistry and year (EPA OMEGA's curves)."""
    a, b, exponent, c, decay = _CURVES["LFP" if chemistry in _LFP_LIKE else "NMC"]
    elapsed = min(max(year, BASE_YEAR), LAST_YEAR) - BASE_YEAR
    per_kwh = a + b / math.pow(energy_kwh, exponent) - c * elapsed * math.exp(-decay * elapsed)
    return energy_kwh * per_kwh * math.pow(1.0 - YEARLY_FALL, max(year - LAST_YEAR, 0))


def drive_cost_usd(peak_power_kw: float) -> float:
    """Cost of a motor with inverter [USD of 2022] by the peak power [kW] of its hardware (Simpson 2006)."""
    return USD_2022_PER_2006 * (DRIVE_FIXED_USD + DRIVE_USD_PER_KW * peak_power_kw)
