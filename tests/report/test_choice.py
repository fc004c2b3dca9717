"""The section on common parts: what it says, where it draws it, and that nothing breaks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selenium.webdriver import Chrome
from tests.report.decisions import VEHICLES, assignment, decision, plan, record, swing
from tests.report.test_page import Document, hostile, resize

from kyotsu.plan.costs import coefficients
from kyotsu.report.choice import Choice, choice_section, remarks
from kyotsu.report.choice_families import rating_words
from kyotsu.report.choice_plots import COEFFICIENTS, change_axis, coefficient
from kyotsu.report.page import report_html

Record = dict[str, Any]
MILLION = 1e6


def plain(text: str) -> str:
    """A text with plain spaces and signs, as a person would type it."""
    return text.replace("\u202f", " ").replace("\u2212", "-")


def section(chosen: Record | None = None) -> Choice:
    found = choice_section(record() if chosen is None else chosen)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def html() -> str:
    return report_html(record())


# --- what it says ---


def test_without_a_choice_there_is_no_section_and_no_link_to_it() -> None:
    for empty in (record() | {"choice": None}, {key: value for key, value in record().items() if key != "choice"}):
        document = Document(report_html(empty))
        assert "common" not in document.values("id")
        assert "#common" not in document.values("href")
        assert remarks(empty) == []


def test_the_first_words_say_what_the_knee_and_the_cheapest_cost() -> None:
    found = section()
    assert [plain(tile.value) for tile in found.tiles] == ["+10.0 %", "-5.0 %", "123 456", "2 of 2"]
    assert plain(found.tiles[0].note) == "where the curve bends most; 100 M USD more, proven"
    assert plain(found.tiles[1].note) == "the cheapest of all; 50 M USD saved, proven"
    lead = plain(found.lead)
    assert "3 vehicles of 2 makers cost 1 000 M USD over 6 years" in lead
    assert "with 3 common parts, where the curve bends most, 1 100 M USD" in lead
    assert lead.endswith("Every vehicle meets its limits in simulation.")
    assert found.verdict == "Checked anew without the optimiser: both hold."
    assert found.warning == found.terms == ""


def test_the_brief_says_it_in_two_sentences() -> None:
    first, second = (plain(text) for text in remarks(record()))
    assert first == (
        "3 common parts serve all 3 vehicles at +10.0 % of cost; the cheapest family has 5, and saves 5.0 %, proven."
    )
    assert second.startswith(
        "No group of makers would do better with common parts of its own, but Honda Motor pays 60 M USD more"
    )
    document = Document(report_html(record()))
    assert document.values("href").count("#common") == 3, "the navigation, and both remarks"


def test_the_brief_says_so_where_nobody_pays_more_or_some_would_refuse() -> None:
    sharing = decision().sharing
    assert sharing is not None
    glad = tuple(gain.model_copy(update={"as_built_usd": 600 * MILLION}) for gain in sharing.gains)
    (_, second) = remarks(record(decision(sharing=sharing.model_copy(update={"gains": glad}))))
    assert second.endswith("; every maker pays no more than for its parts as built.")
    (_, second) = remarks(record(decision(sharing=sharing.model_copy(update={"core_is_empty": True}))))
    assert second.startswith("Some group of makers would do better")
    assert "however the cost is split, and Honda Motor pays" in second


def test_the_brief_calls_proven_only_what_is() -> None:
    plans = list(decision().plans)
    plans[1] = plan(1, 2, 1100.0, bound=1045.0)
    assert "not proven: at most 5.00\u202f% to gain" in remarks(record(decision(plans=tuple(plans))))[0]


def test_a_fault_that_the_evaluator_found_is_told_at_every_place() -> None:
    broken = record(faults=("Clarity does not reach 100 km/h.",))
    assert section(broken).verdict.startswith("Checked anew without the optimiser: does not hold. 5 parts: Clarity")
    assert any("does not hold: Clarity" in text for text in remarks(broken))
    html = report_html(broken)
    assert "✕ Clarity does not reach 100 km/h." in html
    assert html.count("● Checked anew: holds.") == 1, "of the other family"


def test_limits_that_are_missed_are_counted_and_marked() -> None:
    chosen = record()
    chosen["choice"]["plans"][-1]["assignments"][0]["figures"][0].update(value=250.0)
    assert section(chosen).lead.endswith("1 vehicle misses a limit in simulation.")
    assert "t-fail" in report_html(chosen)


# --- the curve ---


def test_the_curve_falls_and_says_what_each_further_part_saves() -> None:
    curve = section().curve
    assert [point.variants for point in curve.points] == [2, 3, 4, 5]
    assert [point.saves for point in curve.points] == ["", "400", "110", "40"]
    assert [point.bar for point in curve.points] == [0.0, 100.0, 27.5, 10.0]
    assert [point.role for point in curve.points] == ["", "knee", "", "cheapest"]
    heights = [point.height for point in curve.points]
    assert heights == sorted(heights, reverse=True)
    assert heights[1] > curve.own_height > heights[2], "parts as built lie between three and four standards"
    assert [point.proven for point in curve.points] == [True, True, False, True]
    bound = curve.points[2].bound
    assert bound is not None
    assert bound < heights[2]
    assert plain(curve.points[2].proof) == "not proven: at most 0.51 % to gain"


@given(st.lists(st.tuples(st.floats(1.0, 1e6), st.floats(0.0, 1.0)), min_size=2, max_size=4))
def test_all_that_is_drawn_lies_within_the_plot(points: list[tuple[float, float]]) -> None:
    sizes = [(1, 1), (1, 2), (2, 2), (2, 3)]
    plans = tuple(
        plan(*sizes[index], cost, bound=cost * share, free=index == len(points) - 1)
        for index, (cost, share) in enumerate(points)
    )
    found = section(record(decision(plans=plans, knee=plans[0].variants)))
    for point in found.curve.points:
        for place in (point.at, point.height, point.bound, point.bar):
            assert place is None or -0.01 <= place <= 100.01
    assert -0.01 <= found.curve.own_height <= 100.01


def test_a_choice_of_one_number_only_has_a_table_and_no_line() -> None:
    alone = section(record(decision(plans=(plan(2, 2, 990.0),), knee=4)))
    assert not alone.curve.drawn
    assert len(alone.families) == 1
    assert alone.terms == "Asked for: at most 4 common parts."
    document = Document(report_html(record(decision(plans=(plan(2, 2, 990.0),), knee=4))))
    assert not document.count("polyline")
    assert not document.count("input", name="family")


# --- families ---


def test_every_vehicle_of_a_family_shows_what_it_takes_and_its_proof() -> None:
    knee, cheapest = section().families
    assert [item.label for item in knee.standards] == ["M1", "A1", "A2"]
    assert [item.label for item in cheapest.standards] == ["M1", "M2", "A1", "A2", "A3"]
    assert [(maker.name, len(maker.rows)) for maker in cheapest.makers] == [("Honda Motor", 2), ("Nissan Motor", 1)]
    row = cheapest.makers[0].rows[0]
    texts = [[(plain(use.text), use.place, use.verdict) for use in uses] for uses in row.uses]
    assert texts == [[("11s2p", "battery", "conditional")], [], [("117 kW", "front", "unknown")], [], []]
    assert (row.conditional, row.unknown, row.basis, row.over) == (5, 7, "assumed", "2\u202f500")
    assert [(item.value, item.sign, item.limit, item.met) for item in row.proofs] == [
        ("300.4", "≥", "300.1", True),  # a decimal more, because 300 and 300 would not tell them apart
        ("7.2", "≤", "9.5", True),
    ]
    assert row.proofs[1].origin == "derived from the vehicle as built"
    assert plain(row.proofs[1].margin) == "+24 %"
    assert [line.whole for line in row.costs] == ["6.0", "3.0", "1.0", "0.5", "10.5", "8.0", "2.5"]
    both = knee.makers[1].rows[0]
    assert [use.place for use in both.uses[1]] == ["front", "rear"], "one standard at both axles"


def test_over_design_is_drawn_against_the_widest_of_all_families() -> None:
    widths = [row.over_width for item in section().families for maker in item.makers for row in maker.rows]
    assert max(widths) == 100.0
    assert min(widths) == 25.0, "the same amount over four times as many vehicles"


def test_parts_of_its_own_have_a_column_where_a_vehicle_keeps_some() -> None:
    chosen = decision()
    rows = list(chosen.best.assignments)
    battery = rows[0].battery.model_copy(update={"part": None, "verdict": None, "conditional": 0})
    axle = rows[0].axles[0].model_copy(update={"own": True, "part": "as_built"})
    rows[0] = rows[0].model_copy(update={"battery": battery, "axles": (axle,)})
    plans = (*chosen.plans[:-1], chosen.best.model_copy(update={"assignments": tuple(rows)}))
    knee, cheapest = section(record(decision(plans=plans))).families
    assert not knee.own
    assert cheapest.own
    assert [use.text for use in cheapest.makers[0].rows[0].uses[-1]] == ["own", "own"]
    Document(report_html(record(decision(plans=plans))))


@pytest.mark.parametrize(
    ("rating", "words"), [("117kw", "117 kW"), ("70.5_kW", "70.5 kW"), ("low_power", "low power"), ("", "")]
)
def test_ratings_are_written_as_engineers_do(rating: str, words: str) -> None:
    assert plain(rating_words(rating)) == words


def test_vehicles_link_to_what_changes_only_where_they_are_there(html: str) -> None:
    assert "#change-" not in html, "this record has no rebuilt vehicle"


# --- who gains, what comes, what it rests on ---


def test_makers_see_what_they_gain_and_who_pays_more() -> None:
    gains = section().gains
    assert gains is not None
    assert [(row.name, row.agreed, row.saving, row.sense) for row in (*gains.rows, gains.total)] == [
        ("Honda Motor", "460", "10", "worse"), ("Nissan Motor", "490", "30", "better"), ("All", "950", "40", "better"),
    ]  # fmt: skip
    assert "no group of makers would do better" in gains.core
    assert gains.remark.endswith("the others save 110 against theirs, enough to make up for it.")


def test_an_empty_core_and_a_loss_that_nobody_makes_up_for_are_told() -> None:
    sharing = decision().sharing
    assert sharing is not None
    honda, nissan = sharing.gains
    poorer = sharing.model_copy(
        update={
            "core_is_empty": True,
            "proven": False,
            "gains": (honda, nissan.model_copy(update={"as_built_usd": 500 * MILLION})),
        }
    )
    gains = section(record(decision(sharing=poorer))).gains
    assert gains is not None
    assert gains.core.startswith("However the common cost is split")
    assert gains.core.endswith("proven to be the least.")
    assert gains.remark.endswith("does not make up for it.")


def test_scenarios_show_both_regrets_and_how_the_families_differ() -> None:
    found = section().scenarios
    assert found is not None
    assert [(row.name, row.kept_regret, row.least_regret) for row in found.rows] == [
        ("As assumed", "0", "10"), ("Cells fall", "33", "11"),
    ]  # fmt: skip
    assert max(row.kept_bar for row in found.rows) == 100.0
    words = plain(found.sentence)
    assert "costs at most 33.0 M USD more than the best one" in words
    assert "of 3 parts, costs at most 11.0 M USD more; no family can be regretted less than 10.4." in words
    assert found.swap == "It has new part instead of Name of m_one."


def test_a_family_that_serves_no_more_in_a_scenario_says_so() -> None:
    found = decision().robustness
    assert found is not None
    lost = found.families[1].model_copy(update={"cost_usd": (950e6, None), "greatest_usd": None})
    robustness = found.model_copy(update={"families": (found.families[0], lost), "proven": True})
    scenarios = section(record(decision(robustness=robustness))).scenarios
    assert scenarios is not None
    assert scenarios.rows[1].kept_regret == "serves no more"
    assert scenarios.sentence.startswith("In some scenario the cheapest family serves not every vehicle.")


def test_the_tornado_draws_both_ends_and_cuts_what_would_hide_the_others() -> None:
    found = section().tornado
    assert found is not None
    demand, price, strange = found.swings
    assert demand.low.cut
    assert demand.high.cut
    assert found.cut
    assert (demand.low.left, demand.low.width) == (0.0, 50.0), "as far as the axis goes"
    assert not price.low.cut
    assert price.low.left + price.low.width == pytest.approx(50.0), "it ends where nothing changes"
    assert price.high.left == 50.0
    assert (price.low.change, price.high.change) == ("\u221250", "+20")
    assert (price.name, strange.name) == (COEFFICIENTS["pack_price_ratio"], "strange new usd")
    assert (strange.high.sense, strange.high.regret) == ("worse", "63")
    words = plain(found.sentence)
    assert "except: demand for every vehicle, \u00d7 1.50; strange new usd, 20.0 M USD." in words
    assert words.endswith("strange new usd, 20.0 M USD (63 M USD).")


def test_a_coefficient_at_which_the_family_serves_no_more_is_named() -> None:
    rows = (swing("conditional_usd", 5e5, (0.0, 940.0, 940.0), (2e6, 960.0, None)),)
    found = section(record(decision(sensitivities=rows))).tornado
    assert found is not None
    assert found.swings[0].high.regret == "serves no more"
    assert "serves no more with: settling one conditional finding" in found.sentence


def test_every_coefficient_has_words() -> None:
    assert {"demand", *coefficients()} == COEFFICIENTS.keys()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("demand", 0.5, "\u00d7 0.50"), ("volume_effect_share", 0.3, "30 %"), ("module_handling_usd", 8.0, "8 USD"),
        ("inverter_usd_per_kw", 11.61, "11.61 USD"), ("drive_fixed_usd", 558.9, "559 USD"),
        ("unknown_usd", 1.5e6, "1.5 M USD"), ("conditional_usd", 0.0, "0 USD"), ("reference_units", 4e5, "400 000"),
    ],
)  # fmt: skip
def test_coefficients_have_their_units(name: str, value: float, words: str) -> None:
    assert plain(coefficient(name, value)) == words


@given(st.floats(0.0, 1e6))
def test_an_axis_of_changes_has_zero_in_the_middle_and_a_tick_at_both_ends(most: float) -> None:
    scale = change_axis(most)
    assert scale.at(0.0) == 50.0
    assert -scale.low == scale.high >= most * (1.0 - 1e-9)
    assert [scale.ticks[0].at, scale.ticks[-1].at] == [0.0, 100.0]
    assert len(scale.ticks) <= 11


def test_the_window_says_which_is_worth_more() -> None:
    found = section().window
    assert found is not None
    assert [(row.saves, row.more, row.wins) for row in found.rows] == [
        ("—", "—", ""), ("50", "400", "more"), ("125", "110", "wide"), ("30", "40", "more"), ("10", "—", ""),
    ]  # fmt: skip
    words = plain(found.sentence)
    assert "With 3 standards, voltage windows 10 % wider at both ends would save 125 M USD" in words
    assert "one more standard saves 110: the wider windows are worth more." in words
    assert words.endswith("With them 1 standard serves every vehicle; as windows are, so few do not.")


# --- what is not there, and what does harm ---


@pytest.mark.parametrize(
    "missing",
    [
        {"sharing": None}, {"robustness": None}, {"sensitivities": ()}, {"window": None},
        {"sharing": None, "robustness": None, "sensitivities": (), "window": None, "complete": False},
        {"plans": (plan(1, 1, 1500.0),), "knee": 2, "complete": False},
        {"plans": (plan(1, 1, 0.0), plan(1, 2, 0.0, free=True)), "knee": 2},
    ],
)  # fmt: skip
def test_a_page_is_made_whatever_is_missing(missing: Record) -> None:
    document = Document(report_html(record(decision(**missing))))
    assert document.text["Which parts to make common"] == 1


def test_an_interrupted_choice_says_so_and_claims_no_more_than_it_knows() -> None:
    chosen = record(decision(plans=(plan(1, 1, 1500.0), plan(1, 2, 1100.0)), knee=2, complete=False))
    found = section(chosen)
    assert found.warning.startswith("The choice was interrupted")
    assert "the cheapest found before the interruption" in found.lead
    assert "the cheapest family found so far has 3" in remarks(chosen)[0]


def test_names_cannot_break_out_of_their_place() -> None:
    chosen = record()
    codes = ("kind", "direction", "verdict")

    def attack(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: attack(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [attack(item, key) for item in value]
        return value if key in codes else hostile(value)

    attacked = chosen | {"choice": attack(chosen["choice"]), "makers": hostile(chosen["makers"])}
    document = Document(report_html(attacked))
    assert document.count("script") == 2
    assert not document.count("img")
    assert not [name for _, attributes in document.elements for name in attributes if name.startswith("on")]


def test_the_page_keeps_the_rules_of_all_pages(html: str) -> None:
    document = Document(html)
    assert report_html(record()) == html
    assert not document.values("src")
    assert not re.search(r"url\(|@import", html)
    ids = document.values("id")
    assert len(set(ids)) == len(ids)
    assert {link[1:] for link in document.values("href") if link[0] == "#"} <= set(ids)
    assert set(document.values("aria-labelledby")) <= {*ids, "detail-title"}
    heads = [document.count("th", scope=word) for word in ("col", "row", "colgroup", "rowgroup")]
    assert document.count("th") == sum(heads)


def test_every_figure_of_every_vehicle_is_in_the_page_without_a_script(html: str) -> None:
    body = html.split("<script", maxsplit=1)[0]
    assert body.count("derived from the vehicle as built") == 2 * len(VEHICLES)
    assert body.count('class="proofs"') == 2 * len(VEHICLES)
    assert assignment("honda/e", "m_one", ("a_one",)).figures[0].met


# --- in a browser ---


@pytest.fixture
def page(browser: Chrome, html: str, tmp_path: Path) -> Iterator[Chrome]:
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    resize(browser, 1440)
    browser.get(path.as_uri())
    yield browser
    browser.get("about:blank")


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_sticks_out_with_everything_open(page: Chrome, width: int) -> None:
    resize(page, width)
    page.execute_script("document.querySelectorAll('details').forEach(details => (details.open = true))")
    for number in (1, 2):
        page.execute_script(f"document.querySelector('input[name=family][value=\"{number}\"]').click()")
        measure = "const { scrollWidth, clientWidth } = document.documentElement; return scrollWidth - clientWidth"
        assert page.execute_script(measure) == 0


def test_one_family_is_shown_at_a_time(page: Chrome) -> None:
    shown = "return [...document.querySelectorAll('.family')].map(family => family.offsetParent !== null)"
    assert page.execute_script(shown) == [True, False]
    page.execute_script("document.querySelector('input[name=family][value=\"2\"]').click()")
    assert page.execute_script(shown) == [False, True]
