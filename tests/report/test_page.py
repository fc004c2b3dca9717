"""The report: what stands in the document, and how the page behaves in a browser."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from kyotsu.report.actions import actions
from kyotsu.report.changes import METRICS, builds_of, change
from kyotsu.report.matrix import findings_by_pair, json_for_html, obstacles
from kyotsu.report.numbers import (
    margin,
    middle,
    number,
    ratio_change,
    sense,
    signed,
    significant,
    tick_step,
    typeset,
)
from kyotsu.report.page import report_html
from kyotsu.report.plots import axis, ledger_plot
from kyotsu.study import Study
from kyotsu.study.tables import TABLES, study_record

Record = dict[str, Any]

VOID = {"meta", "link", "br", "hr", "img", "input", "col"}
LARGEST = 3_000_000  # bytes; a report goes by e-mail
READABLE = 4.5  # contrast of text, WCAG 2.2 success criterion 1.4.3
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \" ' onmouseover=alert(3) & <!--"


class Document(HTMLParser):
    """Every element of a page, and whether each that opens is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: Counter[str] = Counter()
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} ends where another element is open, at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        self.text[" ".join(data.split())] += 1

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] or "" for _, attributes in self.elements if attribute in attributes]

    def count(self, tag: str, **wanted: str) -> int:
        return sum(tag == name and wanted.items() <= attributes.items() for name, attributes in self.elements)


def embedded(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, flags=re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.fixture(scope="session")
def record(study: Study) -> Record:
    return study_record(study)


@pytest.fixture(scope="session")
def html(record: Record) -> str:
    return report_html(record)


@pytest.fixture(scope="session")
def small(record: Record) -> Record:
    """The study of two vehicles only."""
    some = list(record["vehicles"])[:2]
    return record | {name: [row for row in record[name] if row.get("vehicle", some[0]) in some] for name in TABLES}


@pytest.fixture(scope="session")
def document(html: str) -> Document:
    return Document(html)


# --- the document ---


def test_the_same_record_gives_the_same_page_of_a_size_that_can_be_sent(record: Record, html: str) -> None:
    assert report_html(record) == html
    assert len(html.encode()) < LARGEST


def test_nothing_is_fetched_from_anywhere(html: str, document: Document) -> None:
    assert not document.values("src")
    assert not document.values("srcset")
    assert not [link for link in document.values("href") if not link.startswith("#") and link != "data:,"]
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|import\(", html)
    assert {tag for tag, _ in document.elements}.isdisjoint({"iframe", "object", "embed", "base", "img"})


def test_links_lead_to_places_that_exist_and_ids_are_unique(document: Document) -> None:
    ids = Counter(document.values("id"))
    assert not [name for name, times in ids.items() if times > 1]
    referred = {*document.values("aria-labelledby"), *(link[1:] for link in document.values("href") if link[0] == "#")}
    assert referred <= ids.keys() | {"detail-title"}, "the title of the dialog is made when it opens"


def test_tables_say_what_their_headings_head(document: Document) -> None:
    assert document.count("th") == sum(
        document.count("th", scope=word) for word in ("col", "row", "colgroup", "rowgroup")
    )


def test_every_vehicle_part_and_maker_is_shown(record: Record, document: Document) -> None:
    assert not [name for name in record["makers"].values() if not document.text[name]]
    assert not [name for name in record["vehicles"].values() if not document.text[name]]
    assert not [part["name"] for part in record["parts"].values() if not document.text[part["name"]]]


def test_every_fit_has_a_cell_that_says_why_without_a_script(record: Record, document: Document) -> None:
    cells = [attributes for tag, attributes in document.elements if tag == "td" and "data-verdict" in attributes]
    assert Counter(cell["data-verdict"] for cell in cells) == Counter(fit["verdict"] for fit in record["fits"])
    titles = [attributes.get("title") or "" for tag, attributes in document.elements if "data-pair" in attributes]
    failing = next(row for row in record["findings"] if row["verdict"] == "fail")
    assert any(typeset(failing["reason"]) in title for title in titles)


def test_every_finding_is_in_the_page_once_and_belongs_to_its_pairs(record: Record, html: str) -> None:
    data = embedded(html)
    texts, findings = data["texts"], data["findings"]
    assert len(set(texts)) == len(texts)
    told = Counter(
        (texts[findings[index][1]], texts[findings[index][9]]) for pair in data["pairs"] for index in pair[4]
    )
    rows = (*record["findings"], *record["requirements"])
    in_reason = Counter((row["check"], typeset(row["reason"])) for row in rows if row.get("build") != "as_built")
    assert not in_reason - told


def test_every_rebuilt_vehicle_shows_every_figure(record: Record, document: Document) -> None:
    figures = len(METRICS) * len(record["changes"])
    assert sum("data-label" in attributes for _, attributes in document.elements) == figures + len(record["changes"])


def test_builds_that_cannot_be_made_are_listed_with_the_reason(small: Record) -> None:
    refused = {"vehicle": next(iter(small["vehicles"])), "build": "common", "reason": "No layout fits the bay."}
    assert Document(report_html(small | {"not_built": [refused]})).text["No layout fits the bay."] == 1


def hostile(value: Any) -> Any:
    """The same data with every name and text made to break out of its place."""
    if isinstance(value, dict):
        return {key: hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return HOSTILE if isinstance(value, str) else value


CODES = ("vehicle", "maker", "build", "verdict", "fit", "requirements", "kind", "part", "check", "slot", "cycle")


def test_names_cannot_break_out_of_their_place(small: Record) -> None:
    attacked = {key: hostile(value) for key, value in small.items()}
    for table in TABLES:
        for row, original in zip(attacked[table], small[table], strict=True):
            row.update({name: original[name] for name in CODES if name in original})
    html = report_html(attacked)
    document = Document(html)
    assert document.count("script") == 2
    assert not document.count("img")
    assert not [name for _, attributes in document.elements for name in attributes if name.startswith("on")]
    assert any(HOSTILE in text for text in embedded(html)["texts"]), "told as it is, and harmless"


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_in_html_is_the_same_and_ends_no_element(value: Any) -> None:
    text = json_for_html(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)


@pytest.mark.parametrize("table", [*TABLES, "makers", "vehicles", "parts", "seconds"])
def test_a_page_is_made_whatever_is_empty(small: Record, table: str) -> None:
    empty = type(small[table])()
    Document(report_html(small | {table: empty}))


def test_a_page_is_made_of_nothing() -> None:
    empty: Record = {"kyotsu": "0", "alliance": "Nobody", "year": 2030, "makers": {}, "vehicles": {}, "parts": {}}
    document = Document(report_html(empty | {"seconds": {}} | {table: [] for table in TABLES}))
    assert document.text["No vehicle was rebuilt with common parts."]


def test_what_is_not_known_is_shown_as_such(small: Record) -> None:
    bare = copy.deepcopy({key: small[key] for key in ("builds", "cycles", "findings", "fits")})
    for row in bare["builds"]:
        row.update(zero_to_100_km_h_s=None, nominal_voltage_v=None, notes="")
    for row in bare["fits"]:
        row.update(layout=None, status=None)
    for row in bare["findings"]:
        row.update(margin=None, status=None)
    assert Document(report_html(small | bare)).text["never"]


def test_the_ledger_adds_up_to_the_consumption(record: Record) -> None:
    plot = ledger_plot(record)
    assert plot is not None
    drawn = {bar.name: bar for group in plot.groups for vehicle in group.rows for bar in vehicle.bars[:1]}
    for row in record["cycles"]:
        if row["cycle"] == plot.cycle and row["build"] == "as_built":
            bar = drawn[record["vehicles"][row["vehicle"]]]
            assert float(bar.total) == pytest.approx(row["ac_wh_per_km"], abs=0.6)
            assert sum(segment.width for segment in bar.segments) <= 100.0


def test_a_check_that_alone_stands_in_the_way_is_counted() -> None:
    def row(check: str, verdict: str) -> Record:
        return {"check": check, "title": check, "verdict": verdict}

    first, second = obstacles(
        [[row("E1", "fail"), row("M1", "pass")], [row("E1", "fail"), row("M1", "fail")], [row("M1", "unknown")]]
    )
    assert (first.check, first.fail, first.alone) == ("E1", 2, 1)
    assert (second.check, second.fail, second.unknown, second.alone) == ("M1", 1, 1, 0)


# --- changes ---


def test_actions_say_what_the_common_parts_need_and_where() -> None:
    def finding(vehicle: str, check: str, verdict: str, action: str = "") -> Record:
        return {
            "vehicle": vehicle, "slot": "bay", "part": "p", "check": check, "title": check, "verdict": verdict,
            "action": action, "reason": f"{check} reason.", "offered": "", "required": "",
        }  # fmt: skip

    vehicles = {"a/x": "X", "a/y": "Y"}
    rows = [finding(vehicle, "E1", "conditional", "Preheat.") for vehicle in vehicles]
    rows += [finding("a/y", "M1", "fail"), finding("a/x", "M1", "pass")]
    parts = "battery: Part: 3 parts"
    builds = [{"vehicle": vehicle, "build": "common", "parts": parts} for vehicle in vehicles]
    record = {"vehicles": vehicles, "parts": {"p": {"name": "Part"}}, "builds": builds, "findings": rows}
    first, second = actions(record, builds_of(record), findings_by_pair(record))
    assert (first.verdict, first.check, first.text, first.vehicles, first.every) == (
        "fail", "M1", "M1 reason.", ("Y",), False,
    )  # fmt: skip
    assert (second.verdict, second.text, second.vehicles, second.every) == (
        "conditional", "Preheat.", ("X", "Y"), True,
    )  # fmt: skip


def changed(column: str, was: float | None, now: float | None) -> tuple[str, str]:
    metric = next(metric for metric in METRICS if metric.column == column)
    before, after = ({"vehicle": "a/b", "name": "B", column: value} for value in (was, now))
    cell = change(metric, before, after, builds_of({}))
    return cell.change, cell.sense


@pytest.mark.parametrize(
    ("column", "was", "now", "shown", "meaning"),
    [
        ("wltc_ac_wh_per_km", 150.0, 165.0, "+10.0\u202f%", "worse"),
        ("wltc_ac_wh_per_km", 150.0, 149.0, "\u22120.7\u202f%", "same"),
        ("wltc_range_km", 400.0, 300.0, "\u221225.0\u202f%", "worse"),
        ("energy_kwh", 40.0, 50.0, "+25.0\u202f%", "neutral"),
        ("zero_to_100_km_h_s", 9.96, 8.84, "\u22121.2", "better"),
        ("zero_to_100_km_h_s", 9.0, None, "", "worse"),
        ("zero_to_100_km_h_s", None, 9.0, "", "better"),
        ("zero_to_100_km_h_s", None, None, "", "unknown"),
        ("curb_mass_kg", 1500.4, 1500.6, "+1", "same"),
    ],
)
def test_a_change_says_which_way_is_better(
    column: str, was: float | None, now: float | None, shown: str, meaning: str
) -> None:
    assert changed(column, was, now) == (shown, meaning)


# --- numbers ---


def test_numbers_are_printed_as_engineers_write_them() -> None:
    assert number(12345.678, 1) == "12\u202f345.7"
    assert number(-0.04, 1) == "0.0"
    assert number(-3) == "\u22123"
    assert number(None) == "—"
    assert signed(-0.04, 1) == signed(0.0) == "±0"
    assert signed(4.25, 1) == "+4.2"
    assert significant(0.01234) == "0.0123"
    assert significant(7968.0) == "7\u202f968"
    assert margin(-5.7e-14, "V") == "0\u202fV"
    assert margin(206.04, "kg") == "+206\u202fkg"
    assert margin(None, "V") == ""


def test_minus_signs_are_true_and_hyphens_stay() -> None:
    assert typeset("Charge at -10 °C (-20 required), ISO 21498-1, 2023-10-30, 0-100 km/h, MM-48") == (
        "Charge at \u221210 °C (\u221220 required), ISO 21498-1, 2023-10-30, 0-100 km/h, MM-48"
    )


def test_medians_and_ratios_leave_out_what_is_not_known() -> None:
    assert middle([None, 3.0, 1.0]) == 2.0
    assert middle([None]) is None
    assert ratio_change(0.0, 1.0) is None
    assert ratio_change(50.0, 40.0) == -20.0
    assert sense(None, 1) == "unknown"


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e5))
def test_ticks_are_few_and_round(low: float, span: float) -> None:
    step = tick_step(low, low + span)
    assert span / step <= 8.0 * (1.0 + 1e-6)
    assert re.fullmatch(r"(1|2|2\.5|5)(\.0*)?e[+-]\d+", f"{step:.1e}".replace("2.5e", "2.5e")) is not None


@given(st.lists(st.floats(1.0, 1e4), min_size=1, max_size=20))
def test_every_value_lies_on_its_axis(values: list[float]) -> None:
    scale = axis(values)
    assert all(-1e-6 <= scale.at(value) <= 100.0 + 1e-6 for value in values)
    assert all(-1e-6 <= tick.at <= 100.0 + 1e-6 for tick in scale.ticks)


# --- colours ---


def palettes() -> list[dict[str, str]]:
    """The colours of the light page, and of the dark one."""
    css = resources.files("kyotsu.report").joinpath("templates/report.css").read_text("utf-8")
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", part)) for part in css.split("@media")[:2])
    return [light, light | dark]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", palettes(), ids=["light", "dark"])
def test_text_can_be_read(colours: dict[str, str]) -> None:
    words = ("pass", "conditional", "unknown", "fail")
    pairs = [(word, "paper") for word in ("ink", "soft", "faint", "accent", "better", "worse", *words)]
    pairs += [(word, f"{word}-wash") for word in words]
    for text, ground in pairs:
        dark, light = sorted((luminance(colours[text]), luminance(colours[ground])))
        assert (light + 0.05) / (dark + 0.05) >= READABLE, f"{text} on {ground}"


# --- in a browser ---


@pytest.fixture(scope="session")
def address(html: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Chrome, address: str) -> Iterator[Chrome]:
    """The report, freshly opened at desktop width; errors of its scripts fail the test."""
    resize(browser, 1440)
    watch = "addEventListener('error', event => (window.errors ??= []).push(event.message), true)"
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": watch})
    browser.get("about:blank")
    browser.get(address)
    yield browser
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    assert not browser.execute_script("return window.errors ?? []")


def resize(browser: Chrome, width: int) -> None:
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def find(page: Chrome, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def open_details(page: Chrome, button: WebElement) -> WebElement:
    page.execute_script("arguments[0].scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'})", button)
    button.click()
    return WebDriverWait(page, 5).until(lambda _: find(page, "dialog[open]"))


@pytest.mark.parametrize("width", [1440, 390])
def test_it_opens_offline_and_nothing_sticks_out(page: Chrome, width: int) -> None:
    resize(page, width)
    measure = """
        const { scrollWidth, clientWidth } = document.documentElement;
        return [scrollWidth - clientWidth, performance.getEntriesByType("resource").length];
    """
    assert page.execute_script(measure) == [0, 0]
    page.execute_script("document.querySelectorAll('details').forEach(details => (details.open = true))")
    assert page.execute_script(measure) == [0, 0]
    assert not [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]


def test_a_cell_opens_every_check_of_its_pair(page: Chrome, record: Record) -> None:
    fit = next(fit for fit in record["fits"] if fit["verdict"] == "fail" and fit["kind"] == "battery_module")
    title = f"{record['parts'][fit['part']]['name']} in {record['vehicles'][fit['vehicle']]}"
    button = find(page, f'.matrix button[data-tip^="{title}: "]')
    dialog = open_details(page, button)
    own = [row for row in record["findings"] if all(row[key] == fit[key] for key in ("vehicle", "slot", "part"))]
    assert dialog.find_element(By.TAG_NAME, "h2").text == title
    assert len(dialog.find_elements(By.CLASS_NAME, "finding")) == len(own)
    told = " ".join(dialog.text.split())
    for row in own:
        if row["verdict"] == "fail":
            assert row["check"] in told
            assert " ".join(typeset(row["reason"]).split()) in told


def test_a_tap_on_a_phone_opens_the_details_over_the_whole_width(page: Chrome) -> None:
    resize(page, 390)
    dialog = open_details(page, find(page, "#eaxles .matrix tbody button"))
    assert dialog.rect["width"] == 390
    find(page, "dialog .close").click()
    assert not page.find_elements(By.CSS_SELECTOR, "dialog[open]")


def test_keys_alone_reach_open_and_close_a_cell(page: Chrome) -> None:
    cells = page.find_elements(By.CSS_SELECTOR, "#batteries .matrix tbody tr:not(.maker) button")
    page.execute_script("arguments[0].focus()", cells[0])
    ActionChains(page).send_keys(Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ARROW_RIGHT).perform()
    assert page.switch_to.active_element == cells[1]
    assert cells[1].get_attribute("tabindex") == "0"
    tip = find(page, "#tip").text
    ActionChains(page).send_keys(Keys.ENTER).perform()
    dialog = find(page, "dialog[open]")
    assert tip.startswith(dialog.find_element(By.TAG_NAME, "h2").text)
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert not page.find_elements(By.CSS_SELECTOR, "dialog[open]")
    assert page.switch_to.active_element == cells[1], "back to where the reader was"


def test_requirements_open_too(page: Chrome, record: Record) -> None:
    buttons = page.find_elements(By.CSS_SELECTOR, ".changes .job button")
    judged = {(row["vehicle"], row["build"]) for row in record["requirements"]}
    rebuilt = {row["vehicle"] for row in record["changes"]}
    assert len(buttons) == sum(vehicle in rebuilt for vehicle, _ in judged)
    assert "required" in open_details(page, buttons[0]).text


def test_a_maker_can_be_looked_at_alone(page: Chrome, record: Record) -> None:
    maker = list(record["makers"])[-1]
    Select(find(page, "select[name=maker]")).select_by_value(maker)
    shown = [body for body in page.find_elements(By.CSS_SELECTOR, ".matrix tbody") if body.is_displayed()]
    assert {body.get_attribute("data-maker") for body in shown} == {maker}


def test_verdicts_can_be_faded(page: Chrome) -> None:
    page.execute_script("document.querySelector('.tools input[value=fail]').click()")
    collect = "return [...document.querySelectorAll('td[data-verdict]')].map(cell => [cell.dataset.verdict, "
    for verdict, faded in page.execute_script(f"{collect}cell.matches('.dim')])"):
        assert faded == (verdict == "fail")


def test_a_matrix_can_show_one_check_and_return(page: Chrome, record: Record) -> None:
    def marks() -> list[str]:
        return page.execute_script(
            "return [...document.querySelectorAll('#batteries td[data-verdict]')].map(cell => cell.dataset.verdict)"
        )

    before = marks()
    choice = Select(find(page, "#batteries .by-check"))
    choice.select_by_value("E1")
    battery = {fit["part"] for fit in record["fits"] if fit["kind"] == "battery_module"}
    rows = [row["verdict"] for row in record["findings"] if row["check"] == "E1" and row["part"] in battery]
    assert Counter(mark for mark in marks() if mark) == Counter(rows)
    choice.select_by_value("")
    assert marks() == before


def test_plots_change_with_the_cycle(page: Chrome) -> None:
    plots = page.find_elements(By.CSS_SELECTOR, ".plot-set:nth-child(2) .plot")
    assert [plot.is_displayed() for plot in plots] == [True, False, False]
    page.execute_script("document.querySelector('.plot-set:nth-child(2) input[value=\"3\"]').click()")
    assert [plot.is_displayed() for plot in plots] == [False, False, True]


def test_questions_can_be_copied_as_text(page: Chrome, record: Record) -> None:
    page.execute_script("navigator.clipboard.writeText = async text => { window.copied = text }")
    page.execute_script("document.querySelector('.asked').open = true")
    page.execute_script("document.querySelector('.asked .copy').click()")
    copied = WebDriverWait(page, 5).until(lambda _: page.execute_script("return window.copied"))
    owner = find(page, ".asked").get_attribute("data-ask")
    asked = [row for row in record["unknowns"] if row["ask"] == owner]
    assert copied.startswith(f"To: {owner}\n")
    assert all(f"- {row['question']}: key {row['field']};" in copied for row in asked)


def test_the_page_follows_the_reader_into_the_dark(page: Chrome) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = page.execute_script(ground)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert page.execute_script(ground) != light
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
