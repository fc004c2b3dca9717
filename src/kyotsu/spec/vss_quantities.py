"""The units of the signal catalogue, with the quantity that each measures and its way to SI.

Names and quantities: COVESA VSS 6.0, `spec/units.yaml`. SI value = value x factor + offset, with the exact factors of
the international definitions. A unit without a linear way to SI (decibels, dates) has the factor `None`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit of VSS: what it measures, and SI value = value x factor + offset."""

    quantity: str
    factor: float | None = 1.0
    offset: float = 0.0


_POUND = 0.45359237  # kg, exact
_US_GALLON, _UK_GALLON = 3.785411784e-3, 4.54609e-3  # m3, exact
_MILE = 1609.344  # m, exact

VSS_UNITS: Mapping[str, Unit] = MappingProxyType({
    "mm": Unit("length", 1e-3), "cm": Unit("length", 1e-2), "m": Unit("length"), "km": Unit("length", 1e3),
    "inch": Unit("length", 0.0254),
    "km/h": Unit("velocity", 1 / 3.6), "m/s": Unit("velocity"),
    "m/s^2": Unit("acceleration"), "cm/s^2": Unit("acceleration", 1e-2),
    "ml": Unit("volume", 1e-6), "l": Unit("volume", 1e-3), "cm^3": Unit("volume", 1e-6),
    "Celsius": Unit("temperature", 1.0, 273.15), "celsius": Unit("temperature", 1.0, 273.15),
    "fahrenheit": Unit("temperature", 5 / 9, 459.67 * 5 / 9),
    "degrees": Unit("angle", math.pi / 180),
    "degrees/s": Unit("angular-speed", math.pi / 180), "rad/s": Unit("angular-speed"),
    "W": Unit("power"), "kW": Unit("power", 1e3), "PS": Unit("power", 735.49875),  # metric horsepower, exact
    "kWh": Unit("work", 3.6e6),
    "g": Unit("mass", 1e-3), "kg": Unit("mass"), "lbs": Unit("mass", _POUND),
    "V": Unit("voltage"), "A": Unit("electric-current"), "Ah": Unit("electric-charge", 3600.0),
    "Ohm": Unit("resistance"),
    "ms": Unit("duration", 1e-3), "s": Unit("duration"), "min": Unit("duration", 60.0), "h": Unit("duration", 3600.0),
    "day": Unit("duration", 86400.0), "weeks": Unit("duration", 604800.0), "months": Unit("duration", None),
    "years": Unit("duration", None),
    "unix-time": Unit("datetime"), "iso8601": Unit("datetime", None),
    "mbar": Unit("pressure", 100.0), "Pa": Unit("pressure"), "kPa": Unit("pressure", 1e3),
    "psi": Unit("pressure", _POUND * 9.80665 / 0.0254**2),
    "stars": Unit("rating"),
    "g/s": Unit("mass-per-time", 1e-3), "g/km": Unit("mass-per-distance", 1e-6),
    "kWh/100km": Unit("energy-consumption-per-distance", 36.0), "Wh/km": Unit("energy-consumption-per-distance", 3.6),
    "ml/100km": Unit("volume-per-distance", 1e-11), "l/100km": Unit("volume-per-distance", 1e-8),
    "l/h": Unit("volume-flow-rate", 1e-3 / 3600),
    "mpg-us": Unit("distance-per-volume", _MILE / _US_GALLON),
    "mpg-uk": Unit("distance-per-volume", _MILE / _UK_GALLON),
    "mpg": Unit("distance-per-volume", _MILE / _US_GALLON), "mpge": Unit("distance-per-volume", None),
    "km/l": Unit("distance-per-volume", 1e6),
    "N": Unit("force"), "kN": Unit("force", 1e3), "Nm": Unit("torque"),
    "rpm": Unit("rotational-speed", 1 / 60),
    "Hz": Unit("frequency"), "cpm": Unit("frequency", 1 / 60), "bpm": Unit("frequency", 1 / 60),
    "ratio": Unit("relation"), "percent": Unit("relation", 1e-2), "nm/km": Unit("relation", 1e-12),
    "dBm": Unit("level", None), "dB": Unit("level", None),
    "lx": Unit("illuminance"),
})  # fmt: skip
