"""Units as matrices write them, and the linear way from one to another.

Matrices write `km/h`, `kph`, `KPH`, `degC`, `°C`, `%` or `1/min` as their authors liked; VSS has one name for each. A
conversion is found once, when a mapping is read, and is then a factor and an offset.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from kyotsu.spec.vss_quantities import VSS_UNITS, Unit


class Conversion(NamedTuple):
    """Value in the one unit x factor + offset = value in the other."""

    factor: float = 1.0
    offset: float = 0.0

    def __call__(self, value: float) -> float:
        """One value, converted."""
        return value * self.factor + self.offset


SAME = Conversion()

# Units of matrices that VSS lacks.
_MORE_UNITS: Mapping[str, Unit] = MappingProxyType({
    "um": Unit("length", 1e-6), "ft": Unit("length", 0.3048), "mile": Unit("length", 1609.344),
    "yd": Unit("length", 0.9144),
    "mph": Unit("velocity", 0.44704), "knot": Unit("velocity", 1852 / 3600),
    "g0": Unit("acceleration", 9.80665),
    "K": Unit("temperature"),
    "rad": Unit("angle"), "mrad": Unit("angle", 1e-3),
    "mW": Unit("power", 1e-3), "MW": Unit("power", 1e6), "hp": Unit("power", 745.6998715822702),
    "Wh": Unit("work", 3600.0), "J": Unit("work"), "kJ": Unit("work", 1e3), "MJ": Unit("work", 1e6),
    "mg": Unit("mass", 1e-6), "t": Unit("mass", 1e3),
    "mV": Unit("voltage", 1e-3), "kV": Unit("voltage", 1e3), "uV": Unit("voltage", 1e-6),
    "mA": Unit("electric-current", 1e-3), "kA": Unit("electric-current", 1e3),
    "mAh": Unit("electric-charge", 3.6), "As": Unit("electric-charge"),
    "mOhm": Unit("resistance", 1e-3), "kOhm": Unit("resistance", 1e3), "MOhm": Unit("resistance", 1e6),
    "us": Unit("duration", 1e-6), "ns": Unit("duration", 1e-9),
    "bar": Unit("pressure", 1e5), "hPa": Unit("pressure", 100.0), "MPa": Unit("pressure", 1e6),
    "kg/h": Unit("mass-per-time", 1 / 3600), "kg/s": Unit("mass-per-time"), "mg/s": Unit("mass-per-time", 1e-6),
    "l/min": Unit("volume-flow-rate", 1e-3 / 60),
    "mNm": Unit("torque", 1e-3), "kNm": Unit("torque", 1e3), "lbf.ft": Unit("torque", 1.3558179483314004),
    "rps": Unit("rotational-speed"),
    "kHz": Unit("frequency", 1e3), "MHz": Unit("frequency", 1e6),
    "permille": Unit("relation", 1e-3), "ppm": Unit("relation", 1e-6),
})  # fmt: skip

_UNITS: Mapping[str, Unit] = MappingProxyType({**VSS_UNITS, **_MORE_UNITS})

# Other spellings, by the name used above.
_SPELLINGS: Mapping[str, str] = MappingProxyType({
    "km/h": "kph kmh kmph km/hr km/hour kmh-1 km/h.", "mph": "mi/h miles/h",
    "m/s": "mps m/sec ms-1", "knot": "kn kt knots",
    "m/s^2": "m/s2 m/s/s m/s² m/ss m/sec2 m/sec^2 mps2 m/s**2 ms-2", "g0": "gn g-force gforce",
    "mm": "millimeter millimeters millimetre", "cm": "centimeter centimeters", "m": "meter meters metre metres mtr",
    "km": "kilometer kilometers kms", "mile": "mi miles", "inch": "in inches", "ft": "feet foot",
    "Celsius": "degc °c c deg_c degreesc degree_c degcelsius deg.c 'c grad_c gradc °celsius degreec",
    "fahrenheit": "degf °f f deg_f degreesf", "K": "kelvin degk",
    "degrees": "deg ° degree degs grad", "rad": "radian radians",
    "degrees/s": "deg/s °/s deg/sec degree/s dps", "rad/s": "rad/sec radian/s",
    "percent": "% pct prozent perc per_cent %soc", "ratio": "", "permille": "‰ o/oo", "ppm": "",
    "W": "watt watts", "kW": "kilowatt kilowatts", "hp": "bhp", "PS": "",
    "kWh": "kwhr kw.h kw*h", "Wh": "whr w.h w*h", "J": "joule",
    "V": "volt volts vdc", "mV": "millivolt", "A": "amp amps ampere adc", "mA": "milliamp", "Ah": "a.h a*h amph ahr",
    "As": "a.s a*s", "Ohm": "ohms Ω", "mOhm": "mΩ", "kOhm": "kΩ", "MOhm": "MΩ",
    "s": "sec secs second seconds", "ms": "msec millisecond milliseconds", "us": "µs μs usec",
    "min": "minute minutes mins",
    "h": "hr hrs hour hours", "day": "d days", "weeks": "week", "unix-time": "epoch",
    "Pa": "pascal", "kPa": "", "bar": "bars", "mbar": "", "psi": "PSI lb/in2",
    "kg": "kilogram", "g": "gram grams", "lbs": "lb pound pounds", "t": "ton tonne",
    "g/s": "", "kg/h": "kg/hr", "l/h": "l/hr lph",
    "l": "liter liters litre litres ltr", "ml": "milliliter", "cm^3": "cc cm3 ccm",
    "l/min": "lpm", "l/100km": "l/100_km", "kWh/100km": "", "Wh/km": "",
    "N": "newton", "Nm": "n.m n*m n-m newtonmeter newton.meter n·m", "lbf.ft": "lb.ft lb-ft ft-lb ftlb lbft ft.lb",
    "rpm": "1/min r/min rev/min min-1 min^-1 revs/min u/min /min upm", "rps": "1/s_rev rev/s r/s",
    "Hz": "hertz 1/s", "cpm": "", "bpm": "beats/min", "dB": "", "dBm": "",
    "lx": "lux", "um": "µm μm micron", "uV": "µv μv",
})  # fmt: skip

_EXACT = {name: name for name in _UNITS} | {
    spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings.split()
}


def _without_case() -> dict[str, str]:
    """By small letters; a spelling that means two units without its capitals (mW, MW) is left out."""
    names: dict[str, set[str]] = {}
    for spelling, name in _EXACT.items():
        names.setdefault(spelling.lower(), set()).add("Celsius" if name == "celsius" else name)
    return {spelling: found.pop() for spelling, found in names.items() if len(found) == 1}


_ANY_CASE = _without_case()
# A sign that was lost between two encodings stands for the degree; both codes of the Greek letter are micro.
_SIGNS = str.maketrans({"º": "°", "˚": "°", "\ufffd": "°", "μ": "µ", "[": "", "]": "", " ": ""})
_NONE = frozenset(
    {"", "-", "--", "1", "none", "unit", "status", "n/a", "na", "bool", "boolean", "bit", "enum", "count"}
)


def is_no_unit(text: str) -> bool:
    """Whether a matrix states no unit here, in one of the ways in which matrices do."""
    return text.strip().lower() in _NONE


@cache
def unit_named(text: str) -> str | None:
    """The name under which a unit of a matrix is known here, whatever its spelling; `None` for one that is not.

    An empty text is no unit: `None`. Exact capitals count first, since mW and MW differ.
    """
    spelled = text.strip()
    if not spelled or len(spelled) > 40:
        return None
    if spelled in _EXACT:
        return _EXACT[spelled]
    spelled = spelled.translate(_SIGNS)
    return _EXACT.get(spelled) or _ANY_CASE.get(spelled.lower())


@cache
def conversion(source: str, target: str) -> Conversion | None:
    """The way from one unit to another; `None` where there is none, or one of the two is unknown.

    Equal spellings convert whether or not they are known.
    """
    if source.strip() == target.strip():
        return SAME
    first, second = unit_named(source), unit_named(target)
    if first is None or second is None:
        return None
    one, other = _UNITS[first], _UNITS[second]
    if first == second or one == other:
        return SAME
    if one.quantity != other.quantity or one.factor is None or other.factor is None:
        return None
    offset = (one.offset - other.offset) / other.factor
    return Conversion(_tidy(one.factor / other.factor), _tidy(offset))


def _tidy(value: float) -> float:
    """The number that was meant where the quotient of two factors misses it by rounding: 100, not 99.99999999999999."""
    rounded = float(f"{value:.14g}")
    return rounded if math.isclose(value, rounded, rel_tol=4e-16) else value


def quantity_of(text: str) -> str | None:
    """What a unit measures, by VSS's name of the quantity; `None` for an unknown one."""
    name = unit_named(text)
    return None if name is None else _UNITS[name].quantity
