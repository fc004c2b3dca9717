"""Comparing an offer with a requirement: what is inside, what can be bridged, what nobody stated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.spec.comparison import (
    AT_LEAST,
    AT_MOST,
    Rule,
    Side,
    Value,
    compare,
    covers,
    one_of,
    same,
    shown,
    stated,
    symbol,
    words,
)
from kyotsu.spec.finding import Verdict
from kyotsu.spec.workspace import Workspace
from spec.workspaces import module_of


def value(content: object, field: str = "part.mass_kg") -> Value:
    return Value(field, content, "measured")


@pytest.mark.parametrize(
    ("path", "unit", "text"),
    [
        ("electrical.voltage_max_v", "V", "voltage max"),
        ("mass_kg", "kg", "mass"),
        ("bitrate_kbit_s", "kbit/s", "bitrate"),
        ("insulation_ohm_per_v", "Ω/V", "insulation"),
        ("mounting.pattern", "", "pattern"),
        ("thermal.inlet_max_c", "°C", "inlet max"),
    ],
)
def test_a_field_in_words_and_its_unit_as_engineers_write_it(path: str, unit: str, text: str) -> None:
    assert (symbol(path), words(path)) == (unit, text)


@pytest.mark.parametrize(
    ("content", "text"),
    [(True, "yes"), (False, "no"), (315.0, "315"), (0.0314159, "0.03142"), (12345.6, "12346"), (7, "7"),
     (("a", 2.0), "a, 2"), ((), "none"), ("CAN", "CAN")],
)  # fmt: skip
def test_a_value_as_a_person_reads_it(content: object, text: str) -> None:
    assert shown(content) == text


numbers = st.floats(-1e6, 1e6)


@given(numbers, numbers, st.floats(0.0, 1e3), st.sampled_from([AT_LEAST, AT_MOST]))
def test_a_number_inside_passes_and_one_near_it_can_be_bridged(
    offered: float, required: float, tolerance: float, rule: Rule
) -> None:
    outcome = compare(value(offered), rule, value(required), tolerance=tolerance, action="Do something.")
    margin = offered - required if rule is AT_LEAST else required - offered
    slack = 1e-9 * max(abs(required), 1.0)
    assert outcome.margin == margin
    if margin >= 0:
        assert outcome.verdict is Verdict.PASS
    elif margin < -max(tolerance, slack):
        assert outcome.verdict is Verdict.FAIL
    assert (outcome.action == "") == (outcome.verdict is Verdict.PASS)
    assert outcome.unit == "kg"


def test_rounding_is_no_difference() -> None:
    assert compare(value(0.1 + 0.2), AT_MOST, value(0.3)).verdict is Verdict.PASS
    assert compare(value(0.3001), AT_MOST, value(0.3)).verdict is Verdict.FAIL


@pytest.mark.parametrize(("offered", "required"), [(None, 1.0), (1.0, None), (None, None)])
def test_what_nobody_stated_is_unknown_and_named(offered: float | None, required: float | None) -> None:
    pair = value(offered, "part.mass_kg"), value(required, "bay.max_mass_kg")
    missing = tuple(item.field for item in pair if item.content is None)
    for outcome in (compare(pair[0], AT_MOST, pair[1]), same(*pair), one_of(*pair), covers(*pair)):
        assert outcome.verdict is Verdict.UNKNOWN
        assert outcome.missing == missing
        assert outcome.action == f"Ask for {', '.join(missing)}."
        assert "cannot be judged" in outcome.reason
    assert stated(value(None)).verdict is Verdict.UNKNOWN


def test_two_names_are_the_same_or_can_be_bridged_or_not() -> None:
    assert same(value("a"), value("a")).verdict is Verdict.PASS
    assert same(value("a"), value("b")).verdict is Verdict.FAIL
    bridged = same(value("a"), value("b"), action="Adapter.")
    assert (bridged.verdict, bridged.action) == (Verdict.CONDITIONAL, "Adapter.")
    assert same(value(False), value(False)).verdict is Verdict.PASS


def test_a_name_is_one_of_several() -> None:
    assert one_of(value("a"), value(("a", "b"))).verdict is Verdict.PASS
    assert one_of(value("c"), value(("a", "b"))).verdict is Verdict.FAIL
    assert one_of(value("c"), value(("a", "b")), action="Extend.").verdict is Verdict.CONDITIONAL
    assert one_of(value("a"), value(())).verdict is Verdict.FAIL


def test_a_list_covers_another() -> None:
    assert covers(value(("a", "b", "c")), value(("c", "a"))).verdict is Verdict.PASS
    lacking = covers(value(("a",)), value(("b", "a", "c")), what="signals")
    assert lacking.verdict is Verdict.FAIL
    assert lacking.reason == "Signals: b, c required and not offered."
    assert lacking.margin == -2.0
    assert covers(value(()), value(())).verdict is Verdict.PASS


def test_the_weaker_origin_of_the_two_counts() -> None:
    guess = Value("bay.max_mass_kg", 2.0, "assumed")
    assert compare(value(1.0), AT_MOST, guess).status == "assumed"
    assert compare(value(1.0), AT_MOST, Value("bay.max_mass_kg", 2.0, None)).status == "measured"


def test_a_side_reads_values_by_path_with_their_origin(two_makers: Workspace) -> None:
    side = Side("battery_module", module_of(two_makers), "Block")
    assert side("mass_kg") == Value("battery_module.mass_kg", 20.0, "measured")
    assert side("envelope.height_mm") == Value("battery_module.envelope.height_mm", 150.0, "declared")
    assert side("life.full_cycles").content is None
