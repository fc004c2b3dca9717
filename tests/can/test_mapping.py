"""`signals.toml` as written: its schema, and every check against matrix and catalogue, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyotsu.can.mapping import SignalMapping, load_mapping, read_mapping
from kyotsu.can.mapping_checks import check_mapping, link_mapping, linked
from kyotsu.can.mapping_links import Unknown, find_signal, raw_ranges
from kyotsu.can.matrix import Matrix, Message, Signal
from kyotsu.errors import InputError, Problem
from kyotsu.spec.vss import load_vss

BATTERY = "Vehicle.Powertrain.TractionBattery"


def matrix() -> Matrix:
    """A small bus with one of everything."""
    gear = Signal("GEAR", 16, 4, labels={0: "P", 1: "R", 2: "N", 3: "D", 15: "SNA"}, not_available=((15, 15),))
    drive = Message("DRIVE", 100, 8, (
        Signal("SPEED", 0, 16, scale=0.01, unit="kph", minimum=0, maximum=250), gear,
        Signal("PEDAL", 20, 8, scale=0.5, unit="%", minimum=0, maximum=100), Signal("BIT", 30, 1),
        Signal("BARE", 32, 8), Signal("TORQUE", 40, 16, signed=True, unit="Nm"),
    ), cycle_ms=10)  # fmt: skip
    pack = Message("PACK", 101, 8, (
        Signal("VOLTAGE", 0, 16, scale=0.1, unit="V"), Signal("CURRENT", 16, 16, scale=0.1, signed=True, unit="A"),
        Signal("MODE", 32, 2, labels={0: "off", 1: "slow", 2: "fast"}), Signal("SPEED", 40, 8, unit="mph"),
    ))  # fmt: skip
    tyres = Message("TYRES", 102, 8, (
        Signal("POSITION", 0, 8, is_multiplexor=True),
        Signal("PRESSURE", 8, 8, scale=2.0, unit="kPa", multiplexor="POSITION", multiplex_values=((0, 3),)),
    ))  # fmt: skip
    return Matrix("bus", (drive, pack, tyres))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "signals.toml"
    path.write_text("format = 1\n" + text, "utf-8")
    return path


def mapping(tmp_path: Path, text: str) -> SignalMapping:
    return load_mapping(write(tmp_path, text))


def problems_of(tmp_path: Path, text: str) -> list[Problem]:
    return check_mapping(mapping(tmp_path, text), matrix(), load_vss())


GOOD = f"""
sources."*" = {{ source = "our matrix", status = "declared" }}
sources."{BATTERY}" = {{ source = "scale", status = "measured" }}
[[signal]]
path = "Vehicle.Speed"
from = "DRIVE.SPEED"
min_interval_ms = 50
[[signal]]
path = "Vehicle.Powertrain.Transmission.SelectedGear"
from = "GEAR"
values = {{ P = 126, R = -1, N = 0, D = 127 }}
on_change = true
[[signal]]
path = "{BATTERY}.CurrentPower"
rule = "product"
inputs = ["PACK.VOLTAGE", {{ from = "PACK.CURRENT" }}]
unit = "W"
[[signal]]
path = "{BATTERY}.Charging.IsCharging"
from = "PACK.MODE"
values = {{ "1-2" = true, off = false, "*" = false }}
only_when = [{{ from = "PACK.VOLTAGE", minimum = 100.0 }}]
[[signal]]
path = "Vehicle.Chassis.Axle.*.Wheel.*.Tire.Pressure"
from = "TYRES.PRESSURE"
instances = {{ from = "TYRES.POSITION", values = {{ 0 = "Row1.Left", 1 = "Row1.Right" }} }}
[[write]]
path = "Vehicle.MotionManagement.ElectricAxle.Row1.TorqueTarget"
to = "DRIVE.TORQUE"
scale = 0.125
with = {{ GEAR = "D" }}
[[absent]]
path = "{BATTERY}.CellVoltage"
reason = "not on this bus"
"""


# --- the file alone ---


def test_a_good_mapping_has_nothing_to_say(tmp_path: Path) -> None:
    assert not problems_of(tmp_path, GOOD)


def test_a_source_covers_its_branch(tmp_path: Path) -> None:
    read = mapping(tmp_path, GOOD)
    speed, soc = read.source_of("Vehicle.Speed"), read.source_of(f"{BATTERY}.CurrentPower")
    assert (speed and speed.status, soc and soc.status) == ("declared", "measured")


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ('path = "Vehicle.Speed"', "neither from nor inputs"),
        ('path = "Vehicle.Speed"\nfrom = "A"\ninputs = ["A", "B"]\nrule = "sum"', "from and inputs"),
        ('path = "Vehicle.Speed"\ninputs = ["A", "B"]', "inputs without a rule"),
        ('path = "Vehicle.Speed"\ninputs = ["A"]\nrule = "sum"', "1 input of the rule sum"),
        ('path = "Vehicle.Speed"\ninputs = ["A", "B", "C"]\nrule = "quotient"', "3 inputs of the rule quotient"),
        ('path = "Vehicle.Speed"\nfrom = "A"\nrule = "cube"', "rule = 'cube'"),
        ('path = "Vehicle.Speed"\nform = "A"', "unknown key 'form'"),
        ('path = "Vehicle.*.Speed"\nfrom = "A"', "a path with * without instances"),
        ('path = "Vehicle.Speed"\nfrom = "A"\nminimum = 3.0\nmaximum = 1.0', "minimum = 3 above maximum = 1"),
        ('path = "Vehicle.Speed"\nfrom = "A"\nonly_when = [{ from = "B" }]', "a condition that asks nothing"),
        ('path = "speed!"\nfrom = "A"', "path = 'speed!'"),
        ('path = "Vehicle.Speed"\nfrom = "A"\nscale = inf', "scale = inf"),
        ('path = "Vehicle.Speed"\ninputs = ["A", "B"]\nrule = "sum"\nvalues = { 1 = 2 }', "values"),
    ],
)
def test_a_wrong_entry_is_told_with_its_line(tmp_path: Path, entry: str, found: str) -> None:
    read, problems = read_mapping(write(tmp_path, f"\n[[signal]]\n{entry}\n"))
    assert read is None
    assert any(found in problem.found for problem in problems), problems
    assert all((problem.location.line or 0) >= 3 for problem in problems)


def test_all_that_is_wrong_comes_at_once(tmp_path: Path) -> None:
    text = '[[signal]]\npath = "Vehicle.Speed"\n[[signal]]\npath = "x"\nfrom = "A"\n[[write]]\npath = "Vehicle.Speed"\n'
    with pytest.raises(InputError) as caught:
        load_mapping(write(tmp_path, text))
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    "text", ["format = 2", "", "format = 'one'", "format = 1\nsignals = 3", "\x00", "[[[", "a=" * 99]
)
def test_junk_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "signals.toml"
    path.write_text(text, "utf-8")
    read, problems = read_mapping(path)
    assert read is None
    assert problems


# --- against the catalogue and the matrix ---


@pytest.mark.parametrize(
    ("entry", "found", "expected"),
    [
        ('path = "Vehicle.Sped"\nfrom = "DRIVE.SPEED"', "Vehicle.Sped, no signal", "Vehicle.Speed"),
        ('path = "Vehicle.Powertrain"\nfrom = "DRIVE.SPEED"', "a branch", "Vehicle.Powertrain."),
        (f'path = "{BATTERY}.ErrorCodes"\nfrom = "DRIVE.BIT"', "datatype string[]", "one value"),
        ('path = "Vehicle.Speed"\nfrom = "DRIVE.SPED"', "signal 'SPED'", "SPEED"),
        ('path = "Vehicle.Speed"\nfrom = "DRIV.SPEED"', "message 'DRIV'", "DRIVE"),
        ('path = "Vehicle.Speed"\nfrom = "SPEED"', "which 2 messages have", "DRIVE.SPEED, PACK.SPEED"),
        ('path = "Vehicle.Speed"\nfrom = "PACK.VOLTAGE"', "unit 'V'", "km/h"),
        ('path = "Vehicle.Speed"\nfrom = "DRIVE.BARE"', "no unit", "km/h"),
        ('path = "Vehicle.Speed"\nfrom = "DRIVE.SPEED"\nunit = "furlong"', "unit 'furlong'", "km/h"),
        (
            f'path = "{BATTERY}.CurrentPower"\nrule = "product"\ninputs = ["PACK.VOLTAGE", "PACK.CURRENT"]',
            "no unit",
            "W",
        ),
        (f'path = "{BATTERY}.CurrentPower"\nrule = "sum"\ninputs = ["PACK.VOLTAGE", "PACK.CURRENT"]', "V and A", "one"),
        ('path = "Vehicle.Speed"\nfrom = "DRIVE.GEAR"\nvalues = { X = 1 }', "'X' of GEAR", "label (P, R"),
        (f'path = "{BATTERY}.Charging.IsCharging"\nfrom = "PACK.MODE"', "2 bits", "true or false"),
        (
            f'path = "{BATTERY}.Charging.IsCharging"\nfrom = "PACK.MODE"\nvalues = {{ 0 = "no" }}',
            "'no'",
            "true or false",
        ),
        (f'path = "{BATTERY}.Charging.StartStopCharging"\nfrom = "PACK.MODE"', "labels off", "START, STOP"),
        (
            f'path = "{BATTERY}.Charging.StartStopCharging"\nfrom = "PACK.MODE"\n'
            'values = { off = "HALT", "*" = "START" }',
            "off = 'HALT'",
            "START, STOP",
        ),
        (
            'path = "Vehicle.Powertrain.Transmission.SelectedGear"\nfrom = "GEAR"\nvalues = { P = 500, "*" = 0 }',
            "500",
            "127",
        ),
        (
            'path = "Vehicle.Powertrain.Transmission.SelectedGear"\nfrom = "GEAR"\nvalues = { P = 0.5, "*" = 0 }',
            "P = 0.5",
            "whole",
        ),
        (
            'path = "Vehicle.Chassis.Accelerator.PedalPosition"\nfrom = "DRIVE.PEDAL"\noffset = 200.0',
            "values from 200 to 300",
            "0 to 100",
        ),
        (
            'path = "Vehicle.Chassis.Axle.*.Wheel.*.Tire.Pressure"\nfrom = "TYRES.PRESSURE"\n'
            'instances = { from = "TYRES.POSITION", values = { 0 = "Row9.Left" } }',
            "instance 'Row9.Left'",
            "Row1.Left",
        ),
        (
            'path = "Vehicle.Chassis.Axle.*.Wheel.*.Tire.Pressure"\nfrom = "TYRES.PRESSURE"\n'
            'instances = { from = "PACK.MODE", values = { 0 = "Row1.Left" } }',
            "PACK.MODE beside inputs of TYRES",
            "one message",
        ),
        ('path = "Vehicle.Speed"\nfrom = "Vehicle.Acceleration.Lateral"', "which this file does not make", "entry"),
        ('path = "Vehicle.Speed"\nfrom = "DRIVE.SPEED"\nnot_available = ["none"]', "'none' of SPEED", "raw value"),
        ('path = "Vehicle.Speed"\nfrom = "DRIVE.SPEED"\nonly_when = [{ from = "X", equals = [1] }]', "'X'", "signal"),
    ],
)
def test_each_fault_is_found(tmp_path: Path, entry: str, found: str, expected: str) -> None:
    problems = problems_of(tmp_path, f"[[signal]]\n{entry}\n")
    errors = [problem for problem in problems if problem.severity == "error"]
    assert any(found in problem.found and expected in problem.expected for problem in errors), problems
    assert all(problem.location.file and problem.location.line for problem in problems)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (
            'path = "Vehicle.Powertrain.Transmission.SelectedGear"\nfrom = "GEAR"\nvalues = { P = 126 }',
            "no value for 'R'",
        ),
        (
            'path = "Vehicle.Chassis.Accelerator.PedalPosition"\nfrom = "DRIVE.PEDAL"\nscale = 2.0',
            "values from 0 to 200",
        ),
    ],
)
def test_a_doubt_is_a_warning_and_stops_nothing(tmp_path: Path, entry: str, found: str) -> None:
    problems = problems_of(tmp_path, f"[[signal]]\n{entry}\n")
    assert [problem.severity for problem in problems] == ["warning"]
    assert found in problems[0].found
    assert len(linked(mapping(tmp_path, f"[[signal]]\n{entry}\n"), matrix(), load_vss())[0]) == 1


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ('path = "Vehicle.Speed"\nto = "DRIVE.SPEED"', "which is a sensor"),
        ('path = "Vehicle.Sped"\nto = "DRIVE.SPEED"', "no signal of the catalogue"),
        (f'path = "{BATTERY}.Charging.ChargeLimit"\nto = "PACK.VOLTAGE"', "unit 'V'"),
        (f'path = "{BATTERY}.Charging.ChargeLimit"\nto = "DRIVE.BARE"', "no unit"),
        (f'path = "{BATTERY}.Charging.StartStopCharging"\nto = "PACK.MODE"', "a text"),
        (f'path = "{BATTERY}.Charging.StartStopCharging"\nto = "PACK.MODE"\nvalues = {{ GO = 1 }}', "value 'GO'"),
        (f'path = "{BATTERY}.Charging.StartStopCharging"\nto = "PACK.MODE"\nvalues = {{ START = "warp" }}', "'warp'"),
        (f'path = "{BATTERY}.Charging.ChargeLimit"\nto = "DRIVE.PEDAL"\nwith = {{ NOTHING = 1 }}', "signal 'NOTHING'"),
        (f'path = "{BATTERY}.Charging.ChargeLimit"\nto = "DRIVE.PEDAL"\noffset = 900.0', "DRIVE.PEDAL from 0 to 100"),
    ],
)
def test_each_fault_of_a_write_is_found(tmp_path: Path, entry: str, found: str) -> None:
    problems = problems_of(tmp_path, f"[[write]]\n{entry}\n")
    assert any(found in problem.found for problem in problems), problems


def test_a_value_that_nothing_is_written_for_is_a_warning(tmp_path: Path) -> None:
    entry = (
        f'[[write]]\npath = "{BATTERY}.Charging.StartStopCharging"\nto = "PACK.MODE"\nvalues = {{ START = "fast" }}\n'
    )
    problems = problems_of(tmp_path, entry)
    assert [(problem.severity, problem.found) for problem in problems] == [("warning", "no raw value for STOP")]


def test_a_circle_is_refused_and_the_rest_runs(tmp_path: Path) -> None:
    lateral, longitudinal = "Vehicle.Acceleration.Lateral", "Vehicle.Acceleration.Longitudinal"
    text = (
        f'[[signal]]\npath = "{lateral}"\nfrom = "{longitudinal}"\n'
        f'[[signal]]\npath = "{longitudinal}"\nfrom = "{lateral}"\n'
        '[[signal]]\npath = "Vehicle.Speed"\nfrom = "DRIVE.SPEED"\n'
    )
    rules, _, problems = link_mapping(mapping(tmp_path, text), matrix(), load_vss())
    assert [rule.rule.path for rule in rules] == ["Vehicle.Speed"]
    assert len([problem for problem in problems if "a circle" in problem.found]) == 1


def test_an_entry_may_read_itself_no_more_than_a_circle(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, '[[signal]]\npath = "Vehicle.Speed"\nfrom = "Vehicle.Speed"\n')
    assert any("Vehicle.Speed -> Vehicle.Speed" in problem.found for problem in problems)


def test_a_signal_has_one_entry(tmp_path: Path) -> None:
    twice = '[[signal]]\npath = "Vehicle.Speed"\nfrom = "DRIVE.SPEED"\n' * 2
    assert any("a second time" in problem.found for problem in problems_of(tmp_path, twice))
    absent = twice[: len(twice) // 2] + '[[absent]]\npath = "Vehicle.Speed"\nreason = "none"\n'
    assert any("which another entry makes" in problem.found for problem in problems_of(tmp_path, absent))
    unknown = '[[absent]]\npath = "Vehicle.Sped"\nreason = "none"\n'
    assert any("Vehicle.Speed" in problem.expected for problem in problems_of(tmp_path, unknown))


def test_joined_bits_fit_in_a_double(tmp_path: Path) -> None:
    inputs = '["DRIVE.SPEED", "DRIVE.TORQUE", "PACK.VOLTAGE", "PACK.CURRENT"]'
    text = f'[[signal]]\npath = "Vehicle.Speed"\nrule = "bits"\ninputs = {inputs}\nunit = "km/h"\n'
    assert any("64 bits" in problem.found for problem in problems_of(tmp_path, text))


def test_units_and_scales_become_one_factor(tmp_path: Path) -> None:
    text = '[[signal]]\npath = "Vehicle.Speed"\nfrom = "PACK.SPEED"\nscale = 2.0\noffset = 10.0\n'
    (rule,), _ = linked(mapping(tmp_path, text), matrix(), load_vss())
    assert (rule.factor, rule.offset) == (pytest.approx(2 * 1.609344), pytest.approx(10 * 1.609344))


# --- names ---


def test_a_reference_is_message_and_signal_or_a_name_that_is_unique() -> None:
    place = find_signal(matrix(), "PEDAL")
    assert not isinstance(place, Unknown)
    assert str(place) == "DRIVE.PEDAL"
    assert isinstance(find_signal(matrix(), "SPEED"), Unknown)


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        (3, ((3, 3),)), ("3", ((3, 3),)), ("-3", ((-3, -3),)), ("0x1F", ((31, 31),)), ("1022-1023", ((1022, 1023),)),
        ("5..2", ((2, 5),)), ("-5--2", ((-5, -2),)), ("R", ((1, 1),)),
    ],
)  # fmt: skip
def test_raw_values_ranges_and_labels(text: int | str, ranges: object) -> None:
    gear = matrix().by_name["DRIVE"].by_name["GEAR"]
    assert raw_ranges(gear, text) == ranges


@settings(max_examples=300)
@given(st.text(max_size=40))
def test_no_name_breaks_the_search(text: str) -> None:
    find_signal(matrix(), text)
    raw_ranges(matrix().by_name["DRIVE"].by_name["GEAR"], text)
