"""The mapper: each rule's answer, quality and time, the same in any blocks; and a plain Python mapper as a witness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyotsu.can.mapper import SCHEMA, Mapper
from kyotsu.can.mapping import SignalMapping, SignalRule, WriteRule
from kyotsu.can.mapping_writes import BusWrite, Refusal
from kyotsu.can.matrix import Matrix, Message, Signal

SPEED, GEAR, SOC = "Vehicle.Speed", "Vehicle.Powertrain.Transmission.SelectedGear", "Vehicle.Powertrain.TractionBattery"
MS = 1_000_000

MATRIX = Matrix("bus", (
    Message("A", 1, 8, (
        Signal("X", 0, 16, scale=0.5, unit="km/h"), Signal("SIGN", 16, 1),
        Signal("HIGH", 24, 4), Signal("LOW", 28, 4),
        Signal("GEAR", 32, 4, labels={0: "P", 1: "R", 2: "N", 3: "D"}),
        Signal("OK", 40, 2, labels={0: "bad", 1: "good"}),
    ), cycle_ms=10),
    Message("B", 2, 8, (Signal("Y", 0, 16, scale=0.25, unit="km/h"), Signal("MPH", 16, 8, unit="mph"))),
    Message("T", 3, 8, (
        Signal("WHICH", 0, 8, is_multiplexor=True),
        Signal("P", 8, 8, scale=2.0, unit="kPa", multiplexor="WHICH", multiplex_values=((0, 1),)),
        Signal("Q", 8, 8, scale=0.1, unit="bar", multiplexor="WHICH", multiplex_values=((2, 2),)),
    )),
))  # fmt: skip


def rule(path: str, source: str | None = None, **more: Any) -> SignalRule:
    raw = {"path": path, **({"from": source} if source else {}), **more}
    return SignalRule.model_validate(raw)


def mapper(*rules: SignalRule, writes: Sequence[WriteRule] = ()) -> Mapper:
    return Mapper(SignalMapping(rules, tuple(writes)), MATRIX)


def table(
    name: str, rows: Sequence[tuple[Any, ...]], *signals: str, **checks: list[bool | None]
) -> dict[str, pa.Table]:
    """A message's table from rows of time [ms] and physical values."""
    columns: dict[str, Any] = {"time": pa.array([row[0] * MS for row in rows], pa.timestamp("ns", "UTC"))}
    for number, signal in enumerate(signals, start=1):
        columns[signal] = pa.array([row[number] for row in rows], pa.float64())
    return {name: pa.table({**columns, **{key: pa.array(value) for key, value in checks.items()}})}


def points(result: pa.Table) -> list[tuple[float, str, Any, str]]:
    """Time [ms], path, value or text, quality."""
    return [
        (
            row["time"].value / MS if hasattr(row["time"], "value") else row["time"].timestamp() * 1000,
            row["path"],
            row["text"] if row["text"] is not None else row["value"],
            row["quality"],
        )
        for row in result.to_pylist()
    ]


def values(result: pa.Table) -> list[Any]:
    return [value for _, _, value, _ in points(result)]


def qualities(result: pa.Table) -> list[str]:
    return [quality for _, _, _, quality in points(result)]


# --- one input ---


def test_a_value_goes_through_scale_unit_and_offset() -> None:
    result = mapper(rule(SPEED, "B.MPH", scale=2.0)).map(table("B", [(0, 50.0), (10, 100.0)], "MPH"))
    assert result.schema == SCHEMA
    assert points(result) == [(0, SPEED, pytest.approx(160.9344), "good"), (10, SPEED, pytest.approx(321.8688), "good")]


def test_whole_datatypes_are_rounded() -> None:
    path = "Vehicle.Chassis.Accelerator.PedalPosition"
    read = table("A", [(0, 0.4), (1, 0.6), (2, 99.9)], "X")
    assert values(mapper(rule(path, "A.X", unit="percent")).map(read)) == [0, 1, 100]
    assert values(mapper(rule(path, "A.X", unit="percent", rounding="down")).map(read)) == [0, 0, 99]
    assert values(mapper(rule(path, "A.X", unit="percent", rounding="up")).map(read)) == [1, 1, 100]


def test_values_are_translated_by_raw_value_range_and_label() -> None:
    gear = rule(GEAR, "A.GEAR", values={"P": 126, "1": -1, "2-3": 127})
    assert values(mapper(gear).map(table("A", [(t, t) for t in range(4)], "GEAR"))) == [126, -1, 127, 127]


def test_texts_stand_in_their_own_column() -> None:
    path = f"{SOC}.Charging.StartStopCharging"
    result = mapper(rule(path, "A.OK", values={"good": "START", "bad": "STOP"})).map(table("A", [(0, 1), (1, 0)], "OK"))
    assert result["text"].to_pylist() == ["START", "STOP"]
    assert result["value"].null_count == 2


def test_labels_serve_as_texts_where_any_text_may_stand() -> None:
    result = mapper(rule("Vehicle.VehicleIdentification.Model", "A.GEAR")).map(table("A", [(0, 3), (1, 0)], "GEAR"))
    assert result["text"].to_pylist() == ["D", "P"]


def test_a_column_of_labels_is_understood_too() -> None:
    read = table("A", [(0, 0), (1, 0)], "GEAR")
    read["A"] = read["A"].set_column(1, "GEAR", pa.array(["D", None]).dictionary_encode())
    result = mapper(rule(GEAR, "A.GEAR", values={"D": 127, "*": 0})).map(read)
    assert points(result) == [(0, GEAR, 127, "good"), (1, GEAR, None, "not_available")]


# --- several inputs ---


@pytest.mark.parametrize(
    ("name", "expected"),
    [("sum", 14.0), ("difference", 6.0), ("minimum", 4.0), ("maximum", 10.0), ("mean", 7.0)],
)
def test_two_inputs_of_one_unit(name: str, expected: float) -> None:
    read = table("A", [(0, 10.0)], "X") | table("B", [(1, 4.0)], "Y")
    result = mapper(rule(SPEED, inputs=["A.X", "B.Y"], rule=name)).map(read)
    assert points(result) == [(1, SPEED, expected, "good")], "nothing is said before both were heard"


def test_inputs_in_two_units_of_one_quantity() -> None:
    read = table("B", [(0, 10.0, 10.0)], "Y", "MPH")
    assert values(mapper(rule(SPEED, inputs=["B.Y", "B.MPH"], rule="sum")).map(read)) == [pytest.approx(26.09344)]


def test_a_product_and_a_quotient_have_the_unit_that_is_stated() -> None:
    read = table("A", [(0, 6.0, 2.0), (1, 6.0, 0.0)], "X", "LOW")
    power = f"{SOC}.CurrentPower"
    assert values(mapper(rule(power, inputs=["A.X", "A.LOW"], rule="product", unit="kW")).map(read)) == [12000.0, 0.0]
    result = mapper(rule(power, inputs=["A.X", "A.LOW"], rule="quotient", unit="W")).map(read)
    assert (values(result), qualities(result)) == ([3.0, None], ["good", "not_available"])


def test_magnitude_and_sign() -> None:
    read = table("A", [(0, 30.0, 0), (1, 30.0, 1)], "X", "SIGN")
    both = rule("Vehicle.Chassis.SteeringWheel.Angle", inputs=["A.X", "A.SIGN"], rule="magnitude_sign", unit="degrees")
    assert values(mapper(both).map(read)) == [30, -30]


def test_bits_are_joined_the_most_significant_first() -> None:
    read = table("A", [(0, 0xA, 0x5)], "HIGH", "LOW")
    both = rule(SPEED, inputs=["A.HIGH", "A.LOW"], rule="bits", unit="km/h", scale=0.5)
    assert values(mapper(both).map(read)) == [0xA5 * 0.5]


def test_the_first_that_is_available_speaks() -> None:
    either = rule(SPEED, inputs=["A.X", "B.Y"], rule="first", max_age_ms=100.0)
    read = table("A", [(10, 1.0), (20, None), (30, 2.0)], "X") | table(
        "B", [(t, 9.0) for t in (0, 15, 25, 40, 140)], "Y"
    )
    assert [(t, v) for t, _, v, _ in points(mapper(either).map(read))] == [
        (0, 9.0), (10, 1.0), (25, 9.0), (30, 2.0), (140, 9.0),
    ], "B speaks before A does, while A has nothing to say, and when A is too old"  # fmt: skip


def test_an_entry_reads_another_before_it_is_throttled() -> None:
    voltage, power = f"{SOC}.CurrentVoltage", f"{SOC}.CurrentPower"
    rules = (
        rule(power, inputs=[voltage, {"from": "A.LOW"}], rule="product", unit="W"),
        rule(voltage, "A.X", unit="V", min_interval_ms=1000.0),
    )
    result = mapper(*rules).map(table("A", [(0, 300.0, 2.0), (10, 310.0, 2.0)], "X", "LOW"))
    assert points(result) == [
        (0, voltage, 300.0, "good"), (0, power, 600.0, "good"), (10, power, 620.0, "good"),
    ]  # fmt: skip


# --- which instance ---


def test_a_multiplexor_chooses_the_instance() -> None:
    pattern = "Vehicle.Chassis.Axle.*.Wheel.*.Tire.Pressure"
    which = {"from": "T.WHICH", "values": {"0": "Row1.Left", "1": "Row2.Right"}}
    read = table("T", [(0, 0, 200.0, None), (1, 1, 210.0, None), (2, 2, None, 2.2)], "WHICH", "P", "Q")
    result = mapper(rule(pattern, "T.P", instances=which)).map(read)
    assert [(t, path.removeprefix("Vehicle.Chassis.Axle."), v) for t, path, v, _ in points(result)] == [
        (0, "Row1.Wheel.Left.Tire.Pressure", 200.0), (1, "Row2.Wheel.Right.Tire.Pressure", 210.0),
    ], "the third frame does not hold the signal: no datapoint, and no quality either"  # fmt: skip


def test_an_instance_that_nobody_named_is_counted() -> None:
    pattern = "Vehicle.Chassis.Axle.*.Wheel.*.Tire.Pressure"
    one = mapper(rule(pattern, "T.P", instances={"from": "T.WHICH", "values": {"0": "Row1.Left"}}))
    assert one.map(table("T", [(0, 1, 200.0)], "WHICH", "P")).num_rows == 0
    assert one.unplaced == {pattern: 1}


def test_a_branch_that_is_not_there_says_nothing() -> None:
    read = table("T", [(0, 0, 200.0, None), (1, 2, None, 2.2), (2, 0, 210.0, None)], "WHICH", "P", "Q")
    result = mapper(rule("Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure", "T.P")).map(read)
    assert [(t, v) for t, _, v, _ in points(result)] == [(0, 200.0), (2, 210.0)], "the last value is not said again"


def test_an_input_counts_up_to_its_greatest_age() -> None:
    both = rule(SPEED, inputs=["A.X", "B.Y"], rule="sum", max_age_ms=10.0)
    read = table("A", [(0, 1.0)], "X") | table("B", [(10, 2.0), (11, 2.0)], "Y")
    assert [(t, q) for t, _, _, q in points(mapper(both).map(read))] == [(10, "good"), (11, "not_available")]


# --- quality ---


def test_what_is_bad_is_told_once_with_its_quality() -> None:
    read = table("A", [(0, 1.0), (1, None), (2, None), (3, 500.0), (4, 2.0)], "X")
    result = mapper(rule(SPEED, "A.X", maximum=100.0)).map(read)
    assert qualities(result) == ["good", "not_available", "out_of_range", "good"]
    assert values(result) == [1.0, None, None, 2.0]


def test_raw_values_that_mean_nothing() -> None:
    result = mapper(rule(SPEED, "A.X", not_available=["65534-65535"])).map(table("A", [(0, 32767.5), (1, 5.0)], "X"))
    assert qualities(result) == ["not_available", "good"]
    gear = mapper(rule(GEAR, "A.GEAR", values={"P": 126})).map(table("A", [(0, 9)], "GEAR"))
    assert qualities(gear) == ["unknown_value"]


def test_another_signal_says_whether_it_counts() -> None:
    gated = rule(SPEED, "B.Y", only_when=[{"from": "A.OK", "equals": ["good"]}, {"from": "A.X", "minimum": 1.0}])
    read = table("B", [(t, 5.0) for t in (0, 2, 4, 6)], "Y") | table(
        "A", [(1, 0, 9.0), (3, 1, 0.0), (5, 1, 9.0)], "OK", "X"
    )
    assert [(t, q) for t, _, _, q in points(mapper(gated).map(read))] == [(0, "not_valid"), (6, "good")]


def test_a_frame_with_a_wrong_checksum_is_not_trusted() -> None:
    read = table(
        "A", [(0, 1.0), (1, 2.0), (2, 3.0)], "X", checksum_ok=[True, False, None], counter_ok=[None, True, True]
    )
    assert qualities(mapper(rule(SPEED, "A.X")).map(read)) == ["good", "untrusted", "good"]


def test_the_catalogues_own_bounds_hold() -> None:
    result = mapper(rule(f"{SOC}.StateOfCharge.Current", "A.X", unit="%")).map(
        table("A", [(0, 100.0), (1, 100.5)], "X")
    )
    assert qualities(result) == ["good", "out_of_range"]


# --- how often ---


def test_no_two_values_are_nearer_than_the_interval() -> None:
    read = table("A", [(t, float(t)) for t in range(0, 100, 7)], "X")
    times = [t for t, _, _, _ in points(mapper(rule(SPEED, "A.X", min_interval_ms=20.0)).map(read))]
    assert times == [0, 21, 42, 63, 84]


def test_only_changes() -> None:
    read = table("A", [(t, v) for t, v in enumerate([0, 0, 3, 3, 0])], "GEAR")
    changes = mapper(rule(GEAR, "A.GEAR", values={"P": 126, "D": 127, "*": 0}, on_change=True))
    assert [(t, v) for t, _, v, _ in points(changes.map(read))] == [(0, 126), (2, 127), (4, 126)]


def test_frames_are_taken_in_the_order_of_their_times() -> None:
    read = table("A", [(2, 3.0), (0, 1.0)], "X") | table("B", [(1, 10.0)], "Y")
    result = mapper(rule(SPEED, inputs=["A.X", "B.Y"], rule="sum")).map(read)
    assert [(t, v) for t, _, v, _ in points(result)] == [(1, 11.0), (2, 13.0)]


def test_nothing_gives_an_empty_table() -> None:
    one = mapper(rule(SPEED, "A.X"))
    assert one.map({}).schema == SCHEMA
    assert one.map({"OTHER": pa.table({"time": pa.array([], pa.timestamp("ns", "UTC"))})}).num_rows == 0
    assert mapper().map(table("A", [(0, 1.0)], "X")).num_rows == 0
    assert qualities(one.map(table("A", [(0,)]))) == ["not_available"], "a column that is absent says nothing"


# --- blocks, and a witness ---

RULES = (
    rule(SPEED, inputs=["A.X", "B.Y"], rule="first", max_age_ms=20.0, min_interval_ms=3.0),
    rule("Vehicle.Acceleration.Lateral", inputs=["A.X", "B.Y"], rule="difference", unit="m/s^2", on_change=True),
    rule(GEAR, "A.GEAR", values={"P": 126, "D": 127}, on_change=True),
    rule(f"{SOC}.CurrentVoltage", "B.Y", unit="V", maximum=50.0, only_when=[{"from": "A.OK", "equals": [1]}]),
    rule(f"{SOC}.CurrentPower", inputs=[f"{SOC}.CurrentVoltage", "A.LOW"], rule="product", unit="W"),
)

frame_a = st.tuples(st.just("A"), st.sampled_from([None, 0.0, 5.0, 70.0]), st.integers(0, 4), st.integers(0, 3))
frame_b = st.tuples(st.just("B"), st.sampled_from([None, 1.0, 60.0]), st.just(0), st.just(0))
traffic = st.lists(st.tuples(st.integers(0, 15), frame_a | frame_b), max_size=40)


def tables(rows: Sequence[tuple[int, tuple[Any, ...]]]) -> dict[str, pa.Table]:
    a = [(t, x, gear, ok, 2.0) for t, (name, x, gear, ok) in rows if name == "A"]
    b = [(t, y) for t, (name, y, _, _) in rows if name == "B"]
    return table("A", a, "X", "GEAR", "OK", "LOW") | table("B", b, "Y")


def stamped(steps: Sequence[tuple[int, tuple[Any, ...]]]) -> list[tuple[int, tuple[Any, ...]]]:
    """Steps of time added up, never twice the same."""
    result, now = [], 0
    for step, frame in steps:
        now += step + 1
        result.append((now, frame))
    return result


@settings(max_examples=60, deadline=None)
@given(traffic, st.integers(1, 7))
def test_blocks_of_any_size_give_the_same_datapoints(steps: list[Any], size: int) -> None:
    rows = stamped(steps)
    whole, live = mapper(*RULES), mapper(*RULES)
    expected = points(whole.map(tables(rows)))
    pieces = [live.map(tables(rows[at : at + size])) for at in range(0, len(rows), size)]
    assert [point for piece in pieces for point in points(piece)] == expected


@settings(max_examples=60, deadline=None)
@given(traffic)
def test_a_plain_python_mapper_agrees(steps: list[Any]) -> None:
    rows = stamped(steps)
    assert points(mapper(*RULES).map(tables(rows))) == list(witness(rows))


def witness(rows: Sequence[tuple[int, tuple[Any, ...]]]) -> list[tuple[float, str, Any, str]]:
    """What `RULES` make of frames, written down once more without tables or numbers for names."""
    last: dict[str, tuple[int, float | None]] = {}
    sent: dict[str, tuple[int, Any, str]] = {}
    told: list[tuple[float, str, Any, str]] = []

    def tell(now: int, which: SignalRule, value: Any, quality: str) -> None:
        before = sent.get(which.path)
        if before is not None and before[2] == quality:
            if quality != "good" or now - before[0] < which.min_interval_ms:
                return
            if which.on_change and before[1] == value:
                return
        sent[which.path] = now, value, quality
        told.append((now, which.path, value, quality))

    for now, (name, value, gear, ok) in rows:
        if name == "A":
            last |= {"X": (now, value), "GEAR": (now, gear), "OK": (now, ok), "LOW": (now, 2.0)}
        else:
            last["Y"] = now, value
        usable = {key: v for key, (t, v) in last.items() if v is not None and now - t <= 20}
        fresh = {key for key, (t, _) in last.items() if t == now}
        if "X" in usable:
            if "X" in fresh:
                tell(now, RULES[0], usable["X"], "good")
        elif "Y" in usable:
            if "Y" in fresh:
                tell(now, RULES[0], usable["Y"], "good")
        elif fresh & {"X", "Y"}:
            tell(now, RULES[0], None, "not_available")
        if "X" in last and "Y" in last:
            x, y = last["X"][1], last["Y"][1]
            bad = x is None or y is None
            tell(now, RULES[1], None if bad else x - y, "not_available" if bad else "good")  # type: ignore[operator]
        if name == "A":
            known = {0: 126, 3: 127}
            tell(now, RULES[2], known.get(gear), "good" if gear in known else "unknown_value")
        if name == "B":
            if value is None:
                voltage, quality = None, "not_available"
            elif last.get("OK", (0, None))[1] != 1:
                voltage, quality = None, "not_valid"
            else:
                voltage, quality = (None, "out_of_range") if value > 50 else (value, "good")
            last["V"] = now, voltage
            last["VQ"] = now, quality  # type: ignore[assignment]
            tell(now, RULES[3], voltage, quality)
        if "V" in last and "LOW" in last:
            power, quality = last["V"][1], str(last["VQ"][1])
            tell(now, RULES[4], None if power is None else power * 2.0, quality)
    return told


def test_a_reset_mapper_has_forgotten_all() -> None:
    one = mapper(*RULES)
    read = tables(stamped([(3, ("A", 5.0, 0, 1)), (2, ("B", 1.0, 0, 0))]))
    first = points(one.map(read))
    one.reset()
    assert points(one.map(read)) == first


def test_many_rows_keep_the_order_of_time() -> None:
    count = 50_000
    rng = np.random.default_rng(3)
    times = np.sort(rng.integers(0, 10**12, count))
    read = {"A": pa.table({"time": pa.array(times).cast(pa.timestamp("ns", "UTC")), "X": rng.random(count)})}
    read |= {"B": pa.table({"time": pa.array(times + 1).cast(pa.timestamp("ns", "UTC")), "Y": rng.random(count)})}
    result = mapper(rule(SPEED, inputs=["A.X", "B.Y"], rule="sum")).map(read)
    assert result.num_rows == 2 * count - 1
    stamps = result["time"].to_numpy().astype(np.int64)
    assert (np.diff(stamps) >= 0).all()


# --- writing ---


def write(path: str, target: str, **more: Any) -> WriteRule:
    return WriteRule.model_validate({"path": path, "to": target, **more})


TORQUE = "Vehicle.MotionManagement.ElectricAxle.Row1.TorqueTarget"


def test_a_value_becomes_a_signal_on_the_bus() -> None:
    one = mapper(writes=[write(TORQUE, "A.X", unit="Nm", scale=0.1, offset=5.0, **{"with": {"GEAR": "D", "LOW": 2}})])
    assert one.writer.write(TORQUE, 100, one.last) == BusWrite("A", {"GEAR": 3.0, "LOW": 2.0, "X": 15.0})
    assert isinstance(one.writer.write(TORQUE, -900, one.last), Refusal), "beyond what the signal holds"
    assert isinstance(one.writer.write(TORQUE, 10**6, one.last), Refusal), "beyond an int16"
    assert isinstance(one.writer.write(TORQUE, "much", one.last), Refusal)
    assert isinstance(one.writer.write(SPEED, 1, one.last), Refusal)


def test_a_write_waits_for_its_conditions() -> None:
    gate = write(TORQUE, "A.X", unit="Nm", only_when=[{"from": "B.Y", "minimum": 10.0}])
    one = mapper(writes=[gate])
    assert one.messages == ("B",), "what a condition asks is heard, though no signal is made of it"
    refused = one.writer.write(TORQUE, 50, one.last)
    assert isinstance(refused, Refusal)
    assert "B.Y is unknown" in refused.reason
    one.map(table("B", [(0, 5.0)], "Y"))
    assert isinstance(one.writer.write(TORQUE, 50, one.last), Refusal)
    one.map(table("B", [(1, 20.0)], "Y"))
    assert one.writer.write(TORQUE, 50, one.last) == BusWrite("A", {"X": 50.0})


def test_words_are_written_as_raw_values() -> None:
    path = f"{SOC}.Charging.StartStopCharging"
    one = mapper(writes=[write(path, "A.OK", values={"START": "good", "STOP": 0})])
    assert one.writer.write(path, "START", one.last) == BusWrite("A", {"OK": 1.0})
    assert one.writer.write(path, "STOP", one.last) == BusWrite("A", {"OK": 0.0})
    assert isinstance(one.writer.write(path, "PAUSE", one.last), Refusal)


@given(st.floats(0, 100))
def test_what_is_written_reads_back(value: float) -> None:
    path = "Vehicle.Powertrain.Transmission.ClutchEngagement"
    one = mapper(rule(path, "A.X", unit="percent", scale=2.0), writes=[write(path, "A.X", unit="percent", scale=0.5)])
    sent = one.writer.write(path, value, one.last)
    assert isinstance(sent, BusWrite)
    back = values(one.map(table("A", [(0, sent.values["X"])], "X")))[0]
    assert math.isclose(back, value, abs_tol=1e-9)
