"""What every record has in common: closed, finite, frozen, in order, and with an origin beside each value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.record import (
    LARGEST,
    Celsius,
    Count,
    Curve,
    Identifier,
    NonNegative,
    Number,
    Positive,
    Record,
    Share,
    Table,
    covering_key,
    interpolate,
    path_exists,
    table_in,
)
from kyotsu.spec.schema import KINDS
from kyotsu.spec.validation import _SHAPES
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import Workspace
from spec.workspaces import eaxle_of, module_of, vehicle_of


class Inner(Table):
    depth_mm: Positive | None = None
    curve_v: tuple[Number, ...] | None = None


class Thing(Record):
    name: str = ""
    mass_kg: Positive | None = None
    count: Count | None = None
    on: bool | None = None
    inner: Inner = Inner()
    maybe: Inner | None = None
    many: tuple[Inner, ...] = ()
    voltage_min_v: Number | None = None
    voltage_max_v: Number | None = None


def thing(**values: Any) -> Thing:
    return Thing.model_validate({"id": "x", **values})


# --- numbers ---


@given(st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(2**70), 2**70))
def test_every_number_of_a_record_is_finite_and_in_bounds(value: float) -> None:
    kinds: dict[Any, tuple[float, float]] = {
        Number: (-LARGEST, LARGEST), NonNegative: (0.0, LARGEST), Share: (0.0, 1.0), Celsius: (-273.15, LARGEST),
    }  # fmt: skip
    for kind, (low, high) in kinds.items():
        allowed = math.isfinite(value) and low <= value <= high
        model = type("Model", (Table,), {"__annotations__": {"x_v": kind}})
        try:
            model(x_v=value)
        except ValidationError:
            assert not allowed
        else:
            assert allowed


@pytest.mark.parametrize("value", [0, -1.0, 1e-12, 1e13, math.nan, math.inf, "1", True, None, [1.0], 10**400])
def test_what_is_no_mass(value: object) -> None:
    with pytest.raises(ValidationError):
        Inner(depth_mm=value) if value is not None else TypeAdapter(Positive).validate_python(value)


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1", 10_001, 2**80])
def test_what_is_no_count(value: object) -> None:
    with pytest.raises(ValidationError):
        thing(count=value)


@pytest.mark.parametrize("name", ["a", "leaf_40", "9-b.c", "a" * 64])
def test_identifiers(name: str) -> None:
    assert TypeAdapter(Identifier).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "A", "_a", ".a", "a b", "a" * 65, "é", "a\n", "a/b", "a@1.0"])
def test_what_is_no_identifier(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Identifier).validate_python(name)


# --- tables ---


def test_a_table_is_closed_and_frozen() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        thing(weight_kg=1.0)
    with pytest.raises(ValidationError, match="frozen"):
        thing().mass_kg = 2.0  # type: ignore[misc]


def test_the_lowest_is_not_above_the_highest() -> None:
    assert thing(voltage_min_v=1.0, voltage_max_v=1.0).voltage_max_v == 1.0
    assert thing(voltage_min_v=1.0).voltage_max_v is None
    with pytest.raises(ValidationError, match="voltage_min_v = 2, must be at most voltage_max_v = 1"):
        thing(voltage_min_v=2.0, voltage_max_v=1.0)


def all_tables(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        inner = table_in(field.annotation)
        if inner is not None:
            yield from all_tables(inner)


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_of_the_specification_is_closed_frozen_and_finite(kind: str) -> None:
    for model in all_tables(KINDS[kind]):
        assert issubclass(model, Table), model
        assert model.model_config == Table.model_config, model


@pytest.mark.parametrize("kind", KINDS)
def test_every_pattern_is_put_into_words(kind: str) -> None:
    schema = str(KINDS[kind].model_json_schema())
    patterns = set(re.findall(r"'pattern': '([^']+)'", schema))
    assert {pattern.replace("\\\\", "\\") for pattern in patterns} <= set(_SHAPES)


# --- origins ---

SOURCE = {"source": "scale", "status": "measured"}
GUESS = {"source": "guess", "status": "assumed"}


def test_the_longest_key_that_covers_a_value_counts() -> None:
    record = thing(sources={"*": GUESS, "inner": SOURCE, "inner.depth_mm": {**SOURCE, "source": "ruler"}})
    origins = {path: record.source_of(path) for path in ("mass_kg", "inner.curve_v", "inner.depth_mm")}
    assert {path: origin and origin.source for path, origin in origins.items()} == {
        "mass_kg": "guess",
        "inner.curve_v": "scale",
        "inner.depth_mm": "ruler",
    }


def test_a_value_that_no_key_covers_has_no_origin() -> None:
    assert thing(sources={"inner": SOURCE}).source_of("mass_kg") is None
    assert thing(sources={"mass": SOURCE} if False else {}).source_of("mass_kg") is None


@given(st.lists(st.sampled_from(["*", "a", "a.b", "a.b.c", "ab"])), st.sampled_from(["a", "a.b", "a.b.c", "ab", "abc"]))
def test_a_key_covers_a_path_by_whole_words(keys: list[str], path: str) -> None:
    covering = [key for key in keys if path == key or path.startswith(f"{key}.")]
    expected = max(covering, key=len) if covering else ("*" if "*" in keys else None)
    assert covering_key(dict.fromkeys(keys), path) == expected


@pytest.mark.parametrize("key", ["weight_kg", "inner.width_mm", "mass_kg.value", "sources.source", "", "inner."])
def test_an_origin_of_nothing_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="which is no field"):
        thing(sources={key: SOURCE})


def test_every_origin_of_nothing_is_told() -> None:
    with pytest.raises(ValidationError) as caught:
        thing(sources={"weight_kg": SOURCE, "mass_kg": SOURCE, "width_mm": SOURCE})
    assert "'weight_kg'" in str(caught.value)
    assert "'width_mm'" in str(caught.value)


def test_the_values_that_need_an_origin_are_numbers_and_tables_of_numbers() -> None:
    record = thing(
        name="x", mass_kg=1.0, count=2, on=True,
        inner={"depth_mm": 3.0, "curve_v": [1.0]}, maybe={"depth_mm": 4.0}, many=[{"depth_mm": 5.0}],
    )  # fmt: skip
    assert dict(record.values()) == {
        "mass_kg": 1.0,
        "count": 2,
        "inner.depth_mm": 3.0,
        "inner.curve_v": (1.0,),
        "maybe.depth_mm": 4.0,
        "many": (Inner(depth_mm=5.0),),
    }


def test_records_inside_a_record_answer_for_themselves(two_makers: Workspace) -> None:
    paths = {path for path, _ in vehicle_of(two_makers).values()}
    assert not {path for path in paths if path.startswith(("battery_bay", "eaxle_mounts"))}
    assert "masses.curb_kg" in paths


def test_every_number_of_the_example_has_its_origin(two_makers: Workspace) -> None:
    for record in (module_of(two_makers), vehicle_of(two_makers), eaxle_of(two_makers)):
        assert all(record.source_of(path) is not None for path, _ in record.values())


@pytest.mark.parametrize(
    ("model", "path", "there"),
    [
        (BatteryModule, "mass_kg", True),
        (BatteryModule, "envelope.height_mm", True),
        (BatteryModule, "curves.open_circuit_voltage.soc", True),
        (EAxle, "ratings.peak_power_kw", True),
        (EAxle, "loss_model.t2", True),
        (Vehicle, "battery_bay.electrical.voltage_min_v", True),
        (BatteryModule, "sources", True),
        (BatteryModule, "sources.status", False),
        (BatteryModule, "sources.mass_kg", False),
        (BatteryModule, "mass_kg.value", False),
        (BatteryModule, "mass", False),
        (BatteryModule, "", False),
    ],
)
def test_paths_of_fields(model: type[Record], path: str, there: bool) -> None:
    assert path_exists(model, path) is there


# --- curves ---


class Line(Curve):
    x_s: Annotated[tuple[Number, ...], Field(min_length=1)]
    y_v: Annotated[tuple[Number, ...], Field(min_length=1)]


def test_the_columns_of_a_curve_are_equally_long_and_the_first_rises() -> None:
    assert Line(x_s=(0.0, 1.0), y_v=(1.0, 0.0)).y_v == (1.0, 0.0)
    with pytest.raises(ValidationError, match="2 and 1 entries"):
        Line(x_s=(0.0, 1.0), y_v=(1.0,))
    with pytest.raises(ValidationError, match="must rise"):
        Line(x_s=(0.0, 0.0), y_v=(1.0, 2.0))


sorted_axis = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6, unique=True).map(sorted)


@given(sorted_axis, st.data())
def test_interpolation_meets_the_entries_and_stays_between_them(axis: list[float], data: st.DataObject) -> None:
    size = len(axis)
    values = data.draw(st.lists(st.floats(-1e6, 1e6), min_size=size, max_size=size))
    tolerance = 1e-9 * max(map(abs, values))
    for x, y in zip(axis, values, strict=True):
        assert interpolate(tuple(axis), tuple(values), x) == pytest.approx(y, abs=tolerance)
    at = data.draw(st.floats(-2e6, 2e6))
    result = interpolate(tuple(axis), tuple(values), at)
    assert min(values) - tolerance <= result <= max(values) + tolerance
    if at <= axis[0]:
        assert result == values[0]
    if at >= axis[-1]:
        assert result == pytest.approx(values[-1], abs=tolerance)


def test_interpolation_is_linear() -> None:
    assert interpolate((0.0, 1.0, 3.0), (10.0, 20.0, 0.0), 0.25) == 12.5
    assert interpolate((0.0, 1.0, 3.0), (10.0, 20.0, 0.0), 2.5) == 5.0
