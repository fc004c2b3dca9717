"""KUKSA's overlays: the real ones, every form, formulas that are none, and hostile files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.public_data import public_data

from kyotsu.can.formula import Linear, linear_formula
from kyotsu.can.mapper import Mapper
from kyotsu.can.mapping_checks import check_mapping, link_mapping
from kyotsu.can.matrix import Matrix, Message, Signal
from kyotsu.can.matrix_files import load_matrix
from kyotsu.can.overlay import load_overlay, read_overlay
from kyotsu.errors import InputError
from kyotsu.spec.vss import load_vss

PAN = "Vehicle.Body.Mirrors.DriverSide.Pan"


def overlay(tmp_path: Path, text: str, name: str = "overlay.vspec") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


# --- real files ---


def test_the_overlay_that_kuksa_ships() -> None:
    matrix = load_matrix(public_data("can/kuksa_mapping/Model3CAN.dbc"))
    mapping, problems = read_overlay(public_data("can/kuksa_mapping/dbc_overlay.vspec"), matrix)
    assert (len(mapping.signals), len(mapping.writes)) == (34, 3)
    errors = [problem for problem in problems if problem.severity == "error"]
    assert [problem.location.line for problem in errors] == [457], "floor(abs(x/5)) is not linear; all else is read"
    rules, writes, checks = link_mapping(mapping, matrix, load_vss())
    assert len(writes) == 3
    missing = {problem.found.split(",")[0] for problem in checks if problem.severity == "error"}
    assert missing == {f"Vehicle.OBD.{name}" for name in ("Speed", "ControlModuleVoltage", "AmbientAirTemperature")}
    assert len(rules) == 31, "all that VSS 6.0 still has; it dropped the branch OBD"


def test_its_values_are_those_that_kuksa_documents() -> None:
    matrix = load_matrix(public_data("can/kuksa_mapping/Model3CAN.dbc"))
    mapping, _ = read_overlay(public_data("can/kuksa_mapping/dbc_overlay.vspec"), matrix)
    rules, _, _ = link_mapping(mapping, matrix, load_vss())
    mapper = Mapper.of_rules(rules)
    message = next(m.name for m in matrix.messages if "DI_gear" in m.by_name)
    gear = matrix.by_name[message].by_name["DI_gear"]
    raw = {label: number for number, label in gear.labels.items()}
    times = pa.array([0, 200, 400], pa.int64()).cast(pa.timestamp("ms", "UTC")).cast(pa.timestamp("ns", "UTC"))
    table = pa.table({"time": times, "DI_gear": [raw["DI_GEAR_D"], raw["DI_GEAR_P"], raw["DI_GEAR_R"]]})
    rows = mapper.map({message: table}).to_pylist()
    gears = [row["value"] for row in rows if row["path"] == "Vehicle.Powertrain.Transmission.CurrentGear"]
    locks = [row["value"] for row in rows if row["path"] == "Vehicle.Powertrain.Transmission.IsParkLockEngaged"]
    assert (gears, locks) == ([1, 0, -1], [0, 1, 0])


def test_the_oldest_form() -> None:
    mapping = load_overlay(public_data("can/tesla_dogmode/mapping_DogMode.yml"))
    assert [rule.source for rule in mapping.signals] == [
        "VCRIGHT_hvacCabinTempEst", "UI_SOC", "DogModeOn", "DogModeTempSet",
    ]  # fmt: skip
    assert all(rule.min_interval_ms == 100 and rule.on_change for rule in mapping.signals)
    matrix = load_matrix(public_data("can/tesla_dogmode/DogMode.dbc"))
    assert any("TractionBattery" in problem.expected for problem in check_mapping(mapping, matrix, load_vss()))


# --- forms ---

MATRIX = Matrix("bus", (Message("A", 1, 8, (Signal("S", 0, 8), Signal("T", 8, 8, scale=0.05, unit="V"))),
                        Message("B", 2, 8, (Signal("T", 0, 8),))))  # fmt: skip


@pytest.mark.parametrize("key", ["dbc2vss", "dbc"])
def test_flat_and_nested_forms_are_the_same(tmp_path: Path, key: str) -> None:
    entry = {
        "datatype": "int8",
        "type": "actuator",
        key: {"signal": "S", "interval_ms": 100, "transform": {"math": "x-2"}},
    }
    flat = load_overlay(overlay(tmp_path, json.dumps({PAN: entry}), "a.json"))
    nested: dict[str, object] = entry
    for name in reversed(PAN.split(".")[1:]):
        nested = {"type": "branch", "children": {name: nested}}
    tree = load_overlay(overlay(tmp_path, json.dumps({"Vehicle": nested}), "b.json"))
    assert flat.signals == tree.signals
    (rule,) = flat.signals
    assert (rule.path, rule.source, rule.scale, rule.offset, rule.min_interval_ms) == (PAN, "S", 1.0, -2.0, 100.0)


def test_defaults_are_those_of_kuksa(tmp_path: Path) -> None:
    text = f"{PAN}:\n  dbc2vss:\n    signal: S\nVehicle.Speed:\n  dbc2vss:\n    signal: S\n    on_change: true\n"
    slow, changing = load_overlay(overlay(tmp_path, text)).signals
    assert (slow.min_interval_ms, slow.on_change) == (1000.0, False)
    assert (changing.min_interval_ms, changing.on_change) == (0.0, True)


def test_units_are_the_catalogues(tmp_path: Path) -> None:
    text = f'{PAN}:\n  dbc2vss:\n    signal: A.T\n    transform:\n      math: "floor((x*40)-100)"\n'
    mapping = load_overlay(overlay(tmp_path, text), MATRIX)
    assert not [p for p in check_mapping(mapping, MATRIX, load_vss()) if p.severity == "error"]
    table = pa.table({"time": pa.array([0], pa.timestamp("ns", "UTC")), "T": [1.51]})
    assert Mapper(mapping, MATRIX).map({"A": table})["value"].to_pylist() == [math.floor(1.51 * 40 - 100)]


def test_a_signal_that_two_messages_have_comes_from_either(tmp_path: Path) -> None:
    mapping, problems = read_overlay(overlay(tmp_path, f"{PAN}:\n  dbc2vss:\n    signal: T\n"), MATRIX)
    assert [problem.severity for problem in problems] == ["warning"]
    assert [item.source for item in mapping.signals[0].inputs] == ["A.T", "B.T"]


def test_a_write_goes_back(tmp_path: Path) -> None:
    text = f'{PAN}:\n  vss2dbc:\n    signal: A.T\n    transform:\n      math: "(x+100)/40"\n'
    mapper = Mapper(load_overlay(overlay(tmp_path, text)), MATRIX)
    assert mapper.writer.write(PAN, 20, mapper.last).values == {"T": pytest.approx(3.0)}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dbc2vss:\n    interval_ms: 3", "no signal"),
        ("dbc2vss:\n    signal: S\n    transform:\n      magic: 1", "transform 'magic'"),
        ("dbc2vss:\n    signal: S\n    transform:\n      math: x*x", "x times x"),
        ("dbc2vss:\n    signal: S\n    transform:\n      mapping: []", "no list of from and to"),
        ("dbc2vss:\n    signal: S\n    transform:\n      mapping:\n      - from: a", "from"),
        ("dbc2vss:\n    signal: S\n    intervall: 3", "unknown key 'intervall'"),
        ("dbc2vss:\n    signal: S\n    interval_ms: soon", "interval_ms 'soon'"),
        ("dbc2vss: 7", "no signal"),
        ("type: sensor", "without a mapping"),
    ],
)
def test_what_has_no_counterpart_is_told_with_its_line(tmp_path: Path, text: str, found: str) -> None:
    _, problems = read_overlay(overlay(tmp_path, f"# a line\n{PAN}:\n  {text}\n"))
    assert any(found in problem.found for problem in problems), problems
    assert all((problem.location.line or 0) >= 2 for problem in problems)


HOSTILE = {
    "aliases": "a: &a [1,2]\nb: &b [*a,*a]\nc: [*b,*b]\n",
    "deep": "[" * 5000,
    "deep mapping": "".join(f"{'  ' * depth}k:\n" for depth in range(200)),
    "object": "a: !!python/object/apply:os.system ['true']\n",
    "broken": "a: [1, 2\nb: }",
    "list": "- 1\n- 2\n",
    "empty": "",
    "binary": "\x00\x01\x02",
    "date": "2020-01-01: {dbc2vss: {signal: S}}\n",
    "keys": "? [1, 2]\n: 3\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_give_a_problem_and_nothing_else(tmp_path: Path, name: str) -> None:
    mapping, problems = read_overlay(overlay(tmp_path, HOSTILE[name]))
    assert not mapping.signals or name == "date"
    assert problems or name == "date"


def test_strict_loading_raises_with_all_errors(tmp_path: Path) -> None:
    text = f"{PAN}:\n  dbc2vss: 1\nVehicle.Speed:\n  dbc2vss: 2\n"
    with pytest.raises(InputError) as caught:
        load_overlay(overlay(tmp_path, text))
    assert len(caught.value.problems) == 2


# --- formulas ---


@pytest.mark.parametrize(
    ("text", "linear"),
    [
        ("x", Linear(1, 0)), ("2*x+3", Linear(2, 3)), ("(x+100)/40", Linear(0.025, 2.5)), ("3-(x-1)*2", Linear(-2, 5)),
        ("floor(x+0.5)", Linear(1, 0.5, "floor")), ("ceil(x/2)", Linear(0.5, 0, "ceil")), ("-x", Linear(-1, 0)),
        ("2^3*x", Linear(8, 0)), ("x^1", Linear(1, 0)), ("1e2*x", Linear(100, 0)),
        (".5*x", Linear(0.5, 0)),
        ("floor(2.7)*x", Linear(2, 0)), ("7 % 4 + x", Linear(1, 3)), ("round(x*10)", Linear(10, 0, "round")),
    ],
)  # fmt: skip
def test_linear_formulas(text: str, linear: Linear) -> None:
    found = linear_formula(text)
    assert isinstance(found, Linear), found
    assert found == pytest.approx(linear[:2]) or (found.rounding == linear.rounding and found[:2] == linear[:2])


@pytest.mark.parametrize(
    "text",
    [
        "", "x*x", "1/x", "x^2", "2^x", "sqrt(x)", "floor(x)+1", "floor(abs(x))", "x y", "x +", "(x", "x)",
        "y",
        "import os", "__import__('os')", "x.real", "[x]", "x if x else 1",
        "x/0", "10^400*x", "(-1)^0.5", "(" * 500 + "x",
        "-" * 300 + "x", "9" * 500,
    ],
)  # fmt: skip
def test_what_is_no_linear_formula_says_why(text: str) -> None:
    assert isinstance(linear_formula(text), str)


NUMBERS = st.integers(-20, 20).map(str) | st.floats(0.1, 9, allow_nan=False).map(lambda v: f"{v:.3f}")


@given(st.recursive(
    NUMBERS | st.just("x"),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
    max_leaves=8,
), st.integers(-50, 50))  # fmt: skip
def test_a_formula_means_what_python_makes_of_it(text: str, x: int) -> None:
    found = linear_formula(text)
    if isinstance(found, Linear):
        assert found(x) == pytest.approx(eval(text, {"x": x}), rel=1e-6, abs=1e-6)


@settings(max_examples=300)
@given(st.text(alphabet="x0123456789.+-*/^%()floorabsce ", max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    linear_formula(text)
