"""Units as matrices write them, against pint."""

from __future__ import annotations

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.can.vss_units import SAME, conversion, is_no_unit, quantity_of, unit_named
from kyotsu.spec.vss import load_vss
from kyotsu.spec.vss_quantities import VSS_UNITS

PINT = {
    "km/h": "km/hour", "m/s": "m/s", "mph": "mile/hour", "Celsius": "degC", "fahrenheit": "degF", "K": "kelvin",
    "percent": "percent", "ratio": "dimensionless", "kW": "kW", "W": "W", "PS": "metric_horsepower", "hp": "hp",
    "kWh": "kWh", "Wh": "Wh", "J": "J", "MJ": "MJ", "degrees": "degree", "rad": "radian", "degrees/s": "degree/s",
    "rad/s": "radian/s", "mm": "mm", "cm": "cm", "m": "m", "km": "km", "inch": "inch", "ft": "ft", "mile": "mile",
    "kPa": "kPa", "bar": "bar", "psi": "psi", "mbar": "mbar", "Nm": "N*m", "mA": "mA", "A": "A", "mV": "mV", "V": "V",
    "min": "min", "h": "hour", "s": "s", "ms": "ms", "g": "gram", "kg": "kg", "lbs": "pound", "Ah": "A*hour",
    "As": "A*s", "l/h": "l/hour", "l/min": "l/min", "g/s": "g/s", "kg/h": "kg/hour", "m/s^2": "m/s**2", "rpm": "rpm",
    "Hz": "Hz", "kHz": "kHz", "l": "l", "ml": "ml", "cm^3": "cm**3", "mOhm": "mohm", "Ohm": "ohm", "kN": "kN", "N": "N",
    "Wh/km": "Wh/km", "km/l": "km/l", "mpg-us": "mile/gallon",
    "mpg-uk": "mile/imperial_gallon", "lbf.ft": "pound_force*foot",
}  # fmt: skip


@pytest.fixture(scope="module")
def registry() -> pint.UnitRegistry:
    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def test_conversions_are_those_of_pint(registry: pint.UnitRegistry) -> None:
    checked = 0
    for source, one in PINT.items():
        for target, other in PINT.items():
            way = conversion(source, target)
            if way is None:
                continue
            for value in (0.0, 1.0, -12.5):
                expected = registry.Quantity(value, one).to(other).magnitude
                assert way(value) == pytest.approx(expected, rel=1e-9, abs=1e-9), (source, target)
            checked += 1
    assert checked > 200


def test_one_quantity_only() -> None:
    for source in PINT:
        for target in PINT:
            same = quantity_of(source) == quantity_of(target)
            assert (conversion(source, target) is not None) == same, (source, target)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("kph", "km/h"), ("KPH", "km/h"), ("km/h", "km/h"), ("Km/H", "km/h"), ("kmh", "km/h"), ("mph", "mph"),
        ("degC", "Celsius"), ("°C", "Celsius"), ("º C", "Celsius"), ("C", "Celsius"), ("\ufffdC", "Celsius"),
        ("deg_C", "Celsius"), ("%", "percent"), ("Percent", "percent"), ("rpm", "rpm"), ("1/min", "rpm"),
        ("RPM", "rpm"),
        ("V", "V"), ("Volt", "V"), ("mV", "mV"), ("A", "A"), ("amps", "A"), ("kW", "kW"), ("KW", "kW"), ("NM", "Nm"),
        ("N.m", "Nm"), ("N·m", "Nm"), ("deg", "degrees"), ("°", "degrees"), ("deg/s", "degrees/s"), ("m/s2", "m/s^2"),
        ("m/s²", "m/s^2"), ("[km/h]", "km/h"), ("minutes", "min"), ("sec", "s"), ("μs", "us"), ("µs", "us"),
    ],
)  # fmt: skip
def test_spellings_of_real_matrices(written: str, name: str) -> None:
    assert unit_named(written) == name


def test_capitals_that_matter_are_not_guessed() -> None:
    assert unit_named("mW") == "mW"
    assert unit_named("MW") == "MW"
    assert unit_named("Mw") is None


def test_equal_units_change_nothing_at_all() -> None:
    assert conversion("kph", "km/h") == SAME
    assert conversion("unheard-of", "unheard-of") == SAME
    assert conversion("°C", "Celsius") == SAME


def test_round_factors_are_round() -> None:
    assert conversion("ratio", "percent") == (100.0, 0.0)
    assert conversion("m/s", "km/h") == (3.6, 0.0)
    assert conversion("kW", "W") == (1000.0, 0.0)
    assert conversion("km", "m") == (1000.0, 0.0)
    assert conversion("kWh/100km", "Wh/km") == (10.0, 0.0)


@pytest.mark.parametrize("text", ["", "-", " ", "1", "status", "N/A"])
def test_no_unit_in_all_its_ways(text: str) -> None:
    assert is_no_unit(text)
    assert unit_named(text) is None


def test_no_unit_has_no_way_to_one() -> None:
    assert conversion("", "km/h") is None
    assert conversion("dB", "percent") is None
    assert conversion("furlong", "m") is None


def test_every_vss_unit_is_known_to_the_mapping() -> None:
    for signal in load_vss().signals.values():
        if signal.unit is not None:
            assert conversion(signal.unit, signal.unit) == SAME
            assert quantity_of(signal.unit) == VSS_UNITS[signal.unit].quantity


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_it(one: str, other: str) -> None:
    way = conversion(one, other)
    assert way is None or isinstance(way.factor, float)
