"""The signal catalogue: what ships, what is looked up, and what a broken export says."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.public_data import public_data

from kyotsu.errors import InputError
from kyotsu.spec.vss import INTEGER_LIMITS, VssTree, load_vss, read_vss
from kyotsu.spec.vss_quantities import VSS_UNITS

SOC = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"


@pytest.fixture(scope="module")
def tree() -> VssTree:
    return load_vss()


def leaf(**changes: Any) -> dict[str, Any]:
    return {"type": "sensor", "datatype": "float", **changes}


def export(path: Path, **leaves: Any) -> Path:
    path.write_text(json.dumps({"Vehicle": {"type": "branch", "children": leaves}}), "utf-8")
    return path


# --- what ships ---


def test_the_shipped_tree_is_vss_6_0(tree: VssTree) -> None:
    kinds = [signal.kind for signal in tree.signals.values()]
    assert (len(tree), kinds.count("actuator"), kinds.count("sensor"), kinds.count("attribute")) == (
        1267,
        643,
        494,
        130,
    )


def test_the_shipped_tree_equals_the_public_export(tree: VssTree) -> None:
    public, problems = read_vss(public_data("vss/vss_6.0.json"))
    assert public is not None
    assert not problems
    assert public.signals == tree.signals
    assert public.branches == tree.branches


def test_the_shipped_tree_has_facts_and_no_sentences() -> None:
    text = (Path(__file__).parents[2] / "src/kyotsu/spec/data/vss_6.0.json").read_text("utf-8")
    assert '"description"' not in text
    assert '"comment"' not in text


def test_loading_takes_no_time() -> None:
    load_vss()
    begin = time.perf_counter()
    load_vss()
    assert time.perf_counter() - begin < 0.001, "read once"


def test_every_unit_of_the_tree_is_known(tree: VssTree) -> None:
    units = {signal.unit for signal in tree.signals.values() if signal.unit is not None}
    assert units <= set(VSS_UNITS)


# --- looking up ---


def test_a_signal_says_what_it_is(tree: VssTree) -> None:
    soc = tree[SOC]
    assert (soc.kind, soc.datatype, soc.unit, soc.limits) == ("sensor", "float", "percent", (0, 100))
    assert tree["Vehicle.Chassis.Accelerator.PedalPosition"].limits == (0, 100), "narrower than a byte"
    assert tree["Vehicle.Powertrain.Transmission.SelectedGear"].limits == INTEGER_LIMITS["int8"]
    assert tree["Vehicle.Powertrain.TractionBattery.Charging.IsCharging"].limits == (0, 1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Vehicle.Sped", "Vehicle.Speed"),
        ("Vehicle.Powertrain.Battery.StateOfCharge.Current", SOC),
        ("Vehicle.Chassis.Axle.Row1.Wheel.Left.Tyre.Pressure", "Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure"),
        ("Vehicle.powertrain.electricmotor.torque", "Vehicle.Powertrain.ElectricMotor.Torque"),
    ],
)
def test_a_slip_of_the_pen_finds_what_was_meant(tree: VssTree, written: str, meant: str) -> None:
    assert meant in tree.nearest(written)


@given(st.text(max_size=400))
def test_nothing_written_breaks_the_search(text: str) -> None:
    assert all(path in load_vss() for path in load_vss().nearest(text))


def test_instances_are_what_a_star_can_be(tree: VssTree) -> None:
    pattern = "Vehicle.Chassis.Axle.*.Wheel.*.Speed"
    expected = {("Row1", "Left"), ("Row1", "Right"), ("Row2", "Left"), ("Row2", "Right")}
    assert set(tree.instances(pattern)) == expected
    assert len(tree.matching(pattern)) == 4
    assert not tree.matching("Vehicle.*"[:-1]), "a name without a star matches itself alone"
    assert {signal.path for signal in tree.under("Vehicle.Acceleration")} == {
        f"Vehicle.Acceleration.{axis}" for axis in ("Lateral", "Longitudinal", "Vertical")
    }


# --- other exports ---


def test_another_tree_is_read(tmp_path: Path) -> None:
    own = leaf(unit="km/h", min=0, max=250.5, allowed=[1, 2], default=1)
    tree = load_vss(export(tmp_path / "own.json", Speed=own, Pose=leaf(datatype="Types.Pose")))
    assert tree.name == "own"
    assert tree["Vehicle.Speed"].limits == (0, 250.5)
    assert tree["Vehicle.Speed"].allowed == (1, 2)
    assert tree["Vehicle.Pose"].datatype == "Types.Pose"


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (leaf(type="sensr"), "type 'sensr'"),
        (leaf(datatype="flaot"), "datatype 'flaot'"),
        (leaf(min="low"), "min of Vehicle.A = 'low'"),
        (leaf(unit=3), "unit of Vehicle.A as int"),
        (leaf(allowed={"a": 1}), "allowed of Vehicle.A"),
        ({"type": "branch", "children": []}, "children as list"),
        (7, "Vehicle.A as int"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, node: Any, found: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(json.dumps({"Vehicle": {"type": "branch", "children": {"A": node}}}, indent=1), "utf-8")
    tree, problems = read_vss(path)
    assert tree is None
    assert len(problems) == 1
    assert found in problems[0].found
    assert (problems[0].location.line or 0) >= 4


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_vss(export(tmp_path / "x.json", A=leaf(datatype="?"), B=leaf(type="?"), C=leaf()))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"a": 1}', "{" * 2000, '{"Vehicle": null}', "\x00\xff"])
def test_junk_is_no_tree_and_no_crash(tmp_path: Path, text: str) -> None:
    path = tmp_path / "junk.json"
    path.write_text(text, "latin-1")
    tree, problems = read_vss(path)
    assert tree is None
    assert problems


def test_a_deep_tree_is_refused(tmp_path: Path) -> None:
    node: dict[str, Any] = leaf()
    for _ in range(100):
        node = {"type": "branch", "children": {"A": node}}
    path = tmp_path / "deep.json"
    path.write_text(json.dumps({"Vehicle": node}), "utf-8")
    tree, problems = read_vss(path)
    assert tree is None
    assert "nested" in problems[0].found
