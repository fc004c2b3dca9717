"""Standards: who conforms, what a new version changes, and whom it breaks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.standard import Constraint, Standard, conformance, diff, value_at
from kyotsu.spec.workspace import Workspace
from spec.workspaces import changed, eaxle_of, module_of


def module(**values: Any) -> BatteryModule:
    required = {"id": "m", "name": "M", "supplier": "S", "cells_series": 8, "cells_parallel": 2}
    return BatteryModule.model_validate({**required, **values})


def standard(*constraints: dict[str, Any], version: str = "1.0", **values: Any) -> Standard:
    head = {"id": "s", "kind": "battery_module", "name": "S", "state": "proposal", "owner": "O", "version": version}
    listed = [{"reason": "because", **constraint} for constraint in constraints]
    return Standard.model_validate({**head, "constraints": listed, **values})


def mass(**rule: Any) -> dict[str, Any]:
    return {"field": "mass_kg", **rule}


# --- conformance ---


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        ({"rule": "at_most", "value": 20.0}, [20.0, 1.0], [20.1]),
        ({"rule": "at_least", "value": 20.0}, [20.0, 99.0], [19.9]),
        ({"rule": "between", "low": 10.0, "high": 20.0}, [10.0, 15.0, 20.0], [9.9, 20.1]),
        ({"rule": "equal", "value": 20.0}, [20.0], [20.0001]),
        ({"rule": "one_of", "values": [10.0, 20.0]}, [10.0, 20.0], [15.0]),
        ({"rule": "stated"}, [1.0, 99.0], []),
    ],
)
def test_a_part_conforms_inside_the_rule(rule: dict[str, Any], inside: list[float], outside: list[float]) -> None:
    asked = standard(mass(**rule))
    assert all(conformance(module(mass_kg=value), asked) == [] for value in inside)
    for value in outside:
        (deviation,) = conformance(module(mass_kg=value), asked)
        assert (deviation.found, deviation.unknown) == (value, False)
    (deviation,) = conformance(module(), asked)
    assert deviation.unknown, "a value that nobody states does not conform: nobody knows"


def test_rules_on_words_and_on_truths() -> None:
    asked = standard(
        {"field": "chemistry", "rule": "one_of", "values": ["NMC", "LFP"]},
        {"field": "electrical.terminal", "rule": "equal", "value": "m6"},
        {"field": "electrical.interlock", "rule": "equal", "value": True},
    )
    electrical = {"terminal": "m6", "interlock": True}
    assert conformance(module(chemistry="LFP", electrical=electrical), asked) == []
    other = module(chemistry="LTO", electrical={"terminal": "m8", "interlock": False})
    assert [deviation.found for deviation in conformance(other, asked)] == ["LTO", "m8", False]


def test_of_several_ratings_the_strongest_counts(two_makers: Workspace) -> None:
    eaxle = eaxle_of(two_makers)
    assert value_at(eaxle, "ratings.peak_power_kw") == 100.0
    assert conformance(eaxle, two_makers.standards["common_drive@0.1"]) == []
    weak = changed(eaxle, {"ratings": [eaxle.ratings[0].model_dump()]})
    assert [deviation.found for deviation in conformance(weak, two_makers.standards["common_drive@0.1"])] == [70.0]
    bare = EAxle.model_validate(
        {"id": "e", "name": "E", "supplier": "S", "ratings": [{"id": "a", "peak_power_kw": 1.0, "peak_torque_nm": 1.0}]}
    )
    assert value_at(bare, "ratings.continuous_power_kw") is None


@pytest.mark.parametrize("path", ["envelope.height_mm", "curves.open_circuit_voltage.soc", "loss", "life.full_cycles"])
def test_the_value_at_a_path_is_unknown_where_nothing_is_stated(path: str) -> None:
    if path != "loss":
        assert value_at(module(), path) is None


@pytest.mark.parametrize(
    "constraint",
    [
        mass(rule="at_most"),
        mass(rule="at_most", value="heavy"),
        mass(rule="at_most", value=True),
        mass(rule="at_most", value=1.0, low=0.0),
        mass(rule="between", low=1.0),
        mass(rule="between", low=2.0, high=1.0),
        mass(rule="one_of", value=1.0),
        mass(rule="stated", value=1.0),
        mass(rule="near", value=1.0),
        mass(rule="equal", value=float("nan")),
        {"field": "weight_kg", "rule": "stated"},
        {"field": "mass_kg.value", "rule": "stated"},
        {"field": "sources.status", "rule": "equal", "value": "measured"},
        {"field": "Mass", "rule": "stated"},
        mass(rule="stated", reason=""),
    ],
)
def test_what_is_no_constraint(constraint: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        standard(constraint)


def test_each_field_takes_one_constraint() -> None:
    with pytest.raises(ValidationError, match="a second constraint on 'mass_kg'"):
        standard(mass(rule="stated"), mass(rule="at_most", value=1.0))


def test_a_standard_has_at_least_one_constraint_and_a_version() -> None:
    with pytest.raises(ValidationError):
        standard()
    with pytest.raises(ValidationError):
        standard(mass(rule="stated"), version="1")
    assert standard(mass(rule="stated"), version="0.10").reference == "s@0.10"


# --- what a new version changes ---

AT_MOST_20 = mass(rule="at_most", value=20.0)


@pytest.mark.parametrize(
    ("old", "new", "kind", "can_break"),
    [
        (None, AT_MOST_20, "added", True),
        (AT_MOST_20, None, "removed", False),
        (AT_MOST_20, mass(rule="at_most", value=19.0), "tightened", True),
        (AT_MOST_20, mass(rule="at_most", value=21.0), "loosened", False),
        (AT_MOST_20, mass(rule="between", low=1.0, high=20.0), "tightened", True),
        (AT_MOST_20, mass(rule="between", low=1.0, high=21.0), "changed", True),
        (AT_MOST_20, mass(rule="at_least", value=20.0), "changed", True),
        (AT_MOST_20, mass(rule="equal", value=20.0), "tightened", True),
        (AT_MOST_20, mass(rule="one_of", values=[20.0]), "changed", True),
        (AT_MOST_20, mass(rule="stated"), "loosened", False),
        (mass(rule="stated"), AT_MOST_20, "tightened", True),
        (AT_MOST_20, {**AT_MOST_20, "reason": "other words"}, "reworded", False),
        (mass(rule="equal", value=5.0), mass(rule="between", low=4.0, high=6.0), "loosened", False),
        (mass(rule="one_of", values=[1.0, 2.0]), mass(rule="one_of", values=[1.0]), "tightened", True),
        (mass(rule="one_of", values=[1.0]), mass(rule="one_of", values=[1.0, 2.0]), "loosened", False),
        (mass(rule="one_of", values=[1.0]), mass(rule="one_of", values=[2.0]), "changed", True),
        (mass(rule="one_of", values=[1.0, 2.0]), mass(rule="one_of", values=[2.0, 1.0]), "reworded", False),
        (AT_MOST_20, mass(rule="equal", value="light"), "changed", True),
        (AT_MOST_20, mass(rule="equal", value=True), "changed", True),
        (mass(rule="equal", value="light"), AT_MOST_20, "changed", True),
    ],
)
def test_the_kind_of_a_change(
    old: dict[str, Any] | None, new: dict[str, Any] | None, kind: str, can_break: bool
) -> None:
    other = {"field": "cells_series", "rule": "stated"}
    before = standard(*([old] if old else []), other)
    after = standard(*([new] if new else []), other, version="1.1")
    (change,) = diff(before, after)
    assert (change.field, change.kind, change.can_break) == ("mass_kg", kind, can_break)


def test_versions_that_ask_the_same_differ_in_nothing() -> None:
    assert diff(standard(AT_MOST_20), standard(AT_MOST_20, version="2.0")) == []


def test_only_parts_that_conformed_are_broken_and_each_by_the_change_that_breaks_it() -> None:
    before = standard(mass(rule="at_most", value=20.0))
    after = standard(mass(rule="at_most", value=18.0), {"field": "chemistry", "rule": "stated"}, version="2.0")
    parts = [
        module(id="light", mass_kg=17.0, chemistry="NMC"),
        module(id="middle", mass_kg=19.0, chemistry="NMC"),
        module(id="silent", mass_kg=17.0),
        module(id="heavy", mass_kg=21.0),
        module(id="unknown"),
    ]
    changes = {change.field: change.broken for change in diff(before, after, parts)}
    assert changes == {"mass_kg": ("middle",), "chemistry": ("silent",)}


def test_parts_of_another_kind_are_not_asked(two_makers: Workspace) -> None:
    after = standard(AT_MOST_20, {"field": "chemistry", "rule": "stated"}, version="2.0")
    (change,) = diff(standard(AT_MOST_20), after, [eaxle_of(two_makers), module_of(two_makers)])
    assert change.broken == ()


def test_the_two_makers_versions(two_makers: Workspace) -> None:
    old, new = (two_makers.standards[f"common_module@{version}"] for version in ("0.9", "1.0"))
    kinds = {change.field: (change.kind, change.can_break) for change in diff(old, new, two_makers.parts.values())}
    assert kinds == {
        "mass_kg": ("tightened", True),
        "chemistry": ("loosened", False),
        "envelope.height_mm": ("removed", False),
        "cells_series": ("added", True),
    }


numbers = st.sampled_from([-1.0, 0.5, 1.0, 2.0, 3.0])
bounds = st.tuples(numbers, numbers).map(sorted)
any_constraint = st.one_of(
    st.none(),
    st.just(mass(rule="stated")),
    numbers.map(lambda value: mass(rule="at_most", value=value)),
    numbers.map(lambda value: mass(rule="at_least", value=value)),
    (numbers | st.sampled_from(["1", True, False])).map(lambda value: mass(rule="equal", value=value)),
    bounds.map(lambda pair: mass(rule="between", low=pair[0], high=pair[1])),
    st.lists(numbers | st.just("1"), max_size=3).map(lambda values: mass(rule="one_of", values=values)),
)
masses = st.sampled_from([None, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0])


@given(any_constraint, any_constraint, st.lists(masses, min_size=1))
def test_a_change_that_cannot_break_breaks_no_part_that_conformed(
    old: dict[str, Any] | None, new: dict[str, Any] | None, values: list[float | None]
) -> None:
    other = {"field": "cells_series", "rule": "stated"}
    before, after = (standard(*([rule] if rule else []), other) for rule in (old, new))
    parts = [module(id=f"m{number}", mass_kg=value) for number, value in enumerate(values)]
    changes = diff(before, after, parts)
    for change in changes:
        assert change.can_break or not change.broken
        if change.kind == "loosened":
            assert not any(conformance(part, after) for part in parts if not conformance(part, before))
        if change.kind == "tightened":
            assert not any(conformance(part, before) for part in parts if not conformance(part, after))
    broken = {part.id for part in parts if not conformance(part, before) and conformance(part, after)}
    assert {name for change in changes for name in change.broken} == broken
    if not changes:
        assert not broken


@given(any_constraint.filter(bool))
def test_a_rule_in_words_names_its_numbers(rule: dict[str, Any]) -> None:
    constraint = Constraint.model_validate({"reason": "r", **rule})
    for number in [rule.get("value"), rule.get("low"), rule.get("high"), *rule.get("values", [])]:
        if number is not None:
            assert str(number).removesuffix(".0") in constraint.text
