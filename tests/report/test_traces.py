"""The picture of one vehicle on one cycle: well formed, complete, harmless, and readable at any width."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selenium.webdriver import Chrome

from kyotsu.report import trace_html, trace_lines, trace_svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</svg><script>alert(1)</script> \" ' & <!--"


def limit(name: str = "battery", *spells: tuple[float, float]) -> dict[str, Any]:
    return {"limiter": name, "first_s": spells[0][0], "lasted_s": sum(b - a for a, b in spells), "spells_s": spells}


def record(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Car",
        "subtitle": "WLTC 3b: 164 Wh/km",
        "facts": ["battery: as built"],
        "time_s": (1.0, 2.0, 3.0),
        "asked_km_h": (0.0, 9.0, 20.0),
        "speed_km_h": (0.0, 9.0, 15.0),
        "terminals_kw": (0.2, 8.0, -3.0),
        "soc_pct": (60.0, 59.9, 59.95),
        "limits": (limit("battery", (1.0, 3.0)), limit("trace", (2.0, 3.0))),
    } | changes


def test_every_limit_is_a_row_of_bars_in_its_place() -> None:
    svg = ElementTree.fromstring(trace_svg(record()))
    bars = [bar for bar in svg.iter(f"{SVG}rect") if "wash" not in bar.get("class", "")]
    assert [bar.get("class") for bar in bars] == ["battery", "miss"]
    assert [float(bar.get("x", "").rstrip("%")) for bar in bars] == pytest.approx([100.0 / 3.0, 200.0 / 3.0], abs=1e-3)
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    assert "Battery power: first at 1\u202fs, for 2\u202fs" in texts
    assert "Trace missed: first at 2\u202fs, for 1\u202fs" in texts


def test_limits_in_words() -> None:
    assert trace_lines(record(limits=())) == ["Nothing limited the vehicle."]
    (line,) = trace_lines(record(limits=(limit("tyre", (5.0, 6.0), (1700.0, 1702.0)),)))
    assert line == "Tyre grip: first at 5\u202fs, for 3\u202fs in 2 spells"


def test_texts_cannot_break_out() -> None:
    for text in (trace_svg(record(title=HOSTILE)), trace_html(record(subtitle=HOSTILE, facts=[HOSTILE]))):
        assert "<script" not in text
    ElementTree.fromstring(trace_svg(record(title=HOSTILE, subtitle=HOSTILE)))


numbers = st.floats(-1e4, 1e4)
series = st.integers(1, 20).flatmap(
    lambda size: st.fixed_dictionaries(
        {
            name: st.lists(numbers, min_size=size, max_size=size)
            for name in ("asked_km_h", "speed_km_h", "terminals_kw", "soc_pct")
        }
    )
)


@given(series)
def test_a_picture_is_made_of_any_series(values: dict[str, list[float]]) -> None:
    time = [float(step + 1) for step in range(len(values["soc_pct"]))]
    text = trace_svg(record(**values, time_s=time, limits=()))
    ElementTree.fromstring(text)
    assert "nan" not in text
    assert "inf" not in text.lower()


@pytest.mark.parametrize("width", [390, 1440])
def test_it_takes_the_width_there_is(browser: Chrome, tmp_path: Path, width: int) -> None:
    (tmp_path / "trace.html").write_text(trace_html(record()), encoding="utf-8")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        browser.get((tmp_path / "trace.html").as_uri())
        over = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
        drawn = browser.execute_script("return document.querySelector('svg polyline').getBoundingClientRect().width")
        sizes = browser.execute_script(
            "return [...document.querySelectorAll('svg text')].map(t => parseFloat(getComputedStyle(t).fontSize))"
        )
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert over <= 0
    assert drawn > 0.85 * min(width, 1200) - 60
    assert min(sizes) >= 11.0
