"""The closed list of unit suffixes, and the few named crossings between them and SI.

Every physical number that a person can see has a name that ends in one of `SUFFIXES`
(`mass_kg`, `energy_kwh`). Inside the kernels all is SI and bare.
"""

from __future__ import annotations

from functools import cache

SUFFIXES: dict[str, str] = {
    # mechanics
    "kg": "kilogram", "kg_m2": "kilogram square metre", "mm": "millimetre", "mm2": "square millimetre",
    "m": "metre", "m2": "square metre", "km": "kilometre", "m_s2": "metre per second squared",
    "nm": "newton metre", "n": "newton", "kn": "kilonewton", "kpa": "kilopascal",
    "n_per_mm": "newton per millimetre", "n_per_mps": "newton per (metre per second)",
    "n_per_mps2": "newton per (metre per second) squared", "rpm": "revolution per minute",
    "km_h": "kilometre per hour", "mps": "metre per second", "mrad": "milliradian", "deg": "degree of arc",
    "db": "decibel", "l": "litre", "l_min": "litre per minute",
    # electricity
    "v": "volt", "a": "ampere", "ah": "ampere hour", "ohm": "ohm", "mohm": "milliohm",
    "ohm_per_v": "ohm per volt", "mega_ohm": "megaohm", "nf": "nanofarad", "uf": "microfarad",
    "a2s": "ampere squared second", "uh": "microhenry", "mwb": "milliweber", "v_per_krpm": "volt per 1000 rpm",
    "mv": "millivolt", "ma": "milliampere", "j": "joule",
    # energy and power
    "w": "watt", "kw": "kilowatt", "kwh": "kilowatt hour", "wh": "watt hour",
    "wh_per_km": "watt hour per kilometre", "kwh_per_100km": "kilowatt hour per 100 km",
    # heat
    "c": "degree Celsius", "k": "kelvin", "k_per_w": "kelvin per watt", "j_per_k": "joule per kelvin",
    # time, data, shares, money
    "s": "second", "ms": "millisecond", "min": "minute", "h": "hour", "years": "year",
    "kbit_s": "kilobit per second", "pct": "per cent", "usd": "US dollar",
    "usd_per_kwh": "US dollar per kilowatt hour",
}  # fmt: skip

KMH_PER_MPS = 3.6
J_PER_KWH = 3.6e6
J_PER_WH = 3600.0
RPM_PER_RAD_S = 60.0 / (2.0 * 3.141592653589793)
STANDARD_GRAVITY = 9.80665  # m/s2, 3rd CGPM 1901
N_PER_LBF = 4.4482216152605  # exact: 0.45359237 kg × 9.80665 m/s2
MPS_PER_MPH = 0.44704  # exact, international mile
KM_PER_MILE = 1.609344  # exact, international mile
KWH_PER_US_GALLON = 33.705  # EPA's energy content of gasoline, 40 CFR 600.002
CELSIUS_ZERO_K = 273.15  # K


@cache
def suffix_of(name: str) -> str | None:
    """The unit suffix that `name` ends in, longest first; `None` when it ends in none."""
    parts = name.split("_")
    for start in range(1, len(parts)):
        candidate = "_".join(parts[start:])
        if candidate in SUFFIXES:
            return candidate
    return None
