"""One vehicle on one cycle as a picture: speed, power, state of charge, and what limited it when.

`trace_svg(record)` is one SVG, `trace_html(record)` a page around it; both pure, with
nothing fetched. The picture takes the width that it is given: curves stretch, letters and lines do not, so that it
reads on a telephone as on a screen. The record holds `title`, `subtitle`, the figures of `study.traces.Trace` as plain
data, and `facts`, lines of text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil, floor
from typing import Any, NamedTuple

from kyotsu.report.numbers import number, tick_step, with_unit
from kyotsu.report.words import LIMITER_WORDS, Record, worded

HEAD, GAP, FOOT = 52, 34, 26  # px; above the first panel, between panels, under the last
HEIGHTS = {"speed": 190, "power": 120, "charge": 84}  # px
ROW = 22  # px; of a limit
TRACE_WORDS = {**LIMITER_WORDS, "trace": "trace missed"}
HUES = {"trace": "miss", "battery": "battery", "battery_empty": "battery", "tyre": "tyre"}  # others: motor

STYLE = """
svg.trace{--paper:#fff;--ink:#14181c;--soft:#46515b;--faint:#5d6873;--hair:#e4e8ec;--asked:#9aa6b1;--speed:#14181c;
--power:#0a5a8c;--regen:#0a6640;--charge:#6a3d9a;--motor:#c05f00;--battery:#0a5a8c;--tyre:#7a5c00;--miss:#a01c14;
background:var(--paper);font:13px/1.4 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
font-variant-numeric:tabular-nums}
@media(prefers-color-scheme:dark){svg.trace{--paper:#14171a;--ink:#e9ecee;--soft:#b6c0c9;--faint:#97a4af;--hair:#2b3238;
--asked:#6d7984;--speed:#e9ecee;--power:#6fbaf0;--regen:#86dbb0;--charge:#c5a3ea;--motor:#f5a25d;--battery:#6fbaf0;
--tyre:#d9bc5a;--miss:#ffa196}}
.trace text{fill:var(--soft)}.trace .tick{fill:var(--faint);font-size:11.5px;paint-order:stroke;stroke:var(--paper);
stroke-width:3px;stroke-linejoin:round}.trace .head{font-weight:600;fill:var(--ink);font-size:13.5px}
.trace .halo{paint-order:stroke;
stroke:var(--paper);stroke-width:4px}.trace .title{font-weight:700;font-size:16px;fill:var(--ink)}
.trace .line{fill:none;stroke-width:1.6px;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.trace .asked{stroke:var(--asked);stroke-width:3px}.trace .speed{stroke:var(--speed)}
.trace .charge{stroke:var(--charge)}.trace .power{fill:var(--power);fill-opacity:.75}
.trace .regen{fill:var(--regen);fill-opacity:.75}.trace .grid{stroke:var(--hair);stroke-width:1px}
.trace .zero{stroke:var(--faint);stroke-width:1px}.trace .motor{fill:var(--motor)}.trace .battery{fill:var(--battery)}
.trace .tyre{fill:var(--tyre)}.trace .miss{fill:var(--miss)}.trace .wash{fill-opacity:.13}
""".strip()
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title><link rel="icon" href="data:,">
<style>body{{margin:0 auto;max-width:1200px;padding:20px clamp(14px,3vw,40px);font:14.5px/1.5 system-ui,-apple-system,
"Segoe UI",Roboto,"Noto Sans",sans-serif;background:#fff;color:#14181c}}ul{{padding-left:1.2em;margin:.6rem 0}}
li{{margin:.2rem 0}}@media(prefers-color-scheme:dark){{body{{background:#14171a;color:#e9ecee}}}}</style></head>
<body>{svg}<ul>{items}</ul></body></html>
"""


class Scale(NamedTuple):
    """A vertical axis of a panel: values, and its place in the picture [px]."""

    low: float
    high: float
    top: float
    height: float

    def at(self, value: float) -> float:
        """Where a value lies [px]."""
        return round(self.top + self.height * (self.high - value) / (self.high - self.low), 2)


def trace_html(record: Record) -> str:
    """The picture as a page, with the facts as a list."""
    items = record.get("facts", ())
    title = escape(f"{record['title']}, {record['subtitle']}")
    return PAGE.format(title=title, svg=_svg(record, ""), items="".join(f"<li>{escape(item)}</li>" for item in items))


def trace_lines(record: Record) -> list[str]:
    """Each limit in words: what, when first, how long, in how many spells."""
    lines = []
    for limit in record["limits"]:
        spells = len(limit["spells_s"])
        often = f" in {spells} spells" if spells > 1 else ""
        what = worded(TRACE_WORDS, limit["limiter"])
        first, lasted = (with_unit(number(limit[name]), "s") for name in ("first_s", "lasted_s"))
        lines.append(f"{what[0].upper()}{what[1:]}: first at {first}, for {lasted}{often}")
    return lines or ["Nothing limited the vehicle."]


def trace_svg(record: Record) -> str:
    """The picture as an SVG document."""
    return _svg(record, ' style="box-sizing:border-box;padding:14px 16px"', room=28)


def _svg(record: Record, attributes: str, room: int = 0) -> str:
    time = [0.0, *record["time_s"]]
    panels = [*_title(record)]
    top = HEAD + GAP
    body: list[str] = []
    for name, draw in (("speed", _speed), ("power", _power), ("charge", _charge)):
        panels += draw(record, time, top)
        top += HEIGHTS[name] + GAP
    rows, height = _limit_rows(record, time[-1], top)
    bottom = top + height
    washes = _washes(record, time[-1], HEAD + GAP, HEIGHTS["speed"])
    body += [*_times(time[-1], HEAD + GAP, bottom), *washes, *panels, *rows]
    description = escape("; ".join(trace_lines(record)))
    height = bottom + FOOT + room
    return (
        f'<svg class="trace" xmlns="http://www.w3.org/2000/svg" width="100%" height="{height:g}" '
        f'role="img"{attributes}>'
        f"<title>{escape(record['title'])}, {escape(record['subtitle'])}</title><desc>{description}</desc>"
        f"<style>{STYLE}</style>{''.join(body)}</svg>"
    )


def _title(record: Record) -> Iterable[str]:
    yield f'<text class="title" x="0" y="18">{escape(record["title"])}</text>'
    yield f'<text x="0" y="39">{escape(record["subtitle"])}</text>'


def _speed(record: Record, time: Sequence[float], top: float) -> list[str]:
    asked, speed = record["asked_km_h"], record["speed_km_h"]
    scale = Scale(0.0, max(1.0, *asked, *speed) * 1.05, top, HEIGHTS["speed"])
    asked, speed = ([values[0], *values] for values in (asked, speed))
    return [
        *_grid(scale, "Speed (grey: asked for)", "km/h"),
        _curve("line asked", time, asked, scale),
        _curve("line speed", time, speed, scale),
    ]


def _power(record: Record, time: Sequence[float], top: float) -> list[str]:
    power = record["terminals_kw"]
    scale = Scale(min(-1.0, *power) * 1.05, max(1.0, *power) * 1.05, top, HEIGHTS["power"])
    zero = scale.at(0.0)
    return [
        *_grid(scale, "Battery power (below 0: charging)", "kW"),
        _steps("power", time, [max(value, 0.0) for value in power], scale),
        _steps("regen", time, [min(value, 0.0) for value in power], scale),
        f'<line class="zero" x1="0" x2="100%" y1="{zero}" y2="{zero}"/>',
    ]


def _charge(record: Record, time: Sequence[float], top: float) -> list[str]:
    charge = record["soc_pct"]
    middle, half = 0.5 * (max(charge) + min(charge)), max(0.6 * (max(charge) - min(charge)), 0.5)
    scale = Scale(middle - half, middle + half, top, HEIGHTS["charge"])
    return [*_grid(scale, "State of charge", "%", 4), _curve("line charge", time, [charge[0], *charge], scale)]


def _grid(scale: Scale, heading: str, unit: str, most: int = 5) -> Iterable[str]:
    """Lines at round values, their numbers at the left end, and the heading above."""
    step = tick_step(scale.low, scale.high, most)
    digits = 0 if step >= 1.0 else 1 if step >= 0.1 else 2
    yield f'<text class="head halo" x="0" y="{scale.top - 9:g}">{heading}, {unit}</text>'
    for place in range(ceil(scale.low / step), floor(scale.high / step) + 1):
        y = scale.at(place * step)
        yield f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        yield f'<text class="tick" x="1" y="{y - 3:g}">{number(place * step, digits)}</text>'


def _stretched(inside: str, end: float, scale: Scale) -> str:
    """Shapes over time and pixels down, stretched to the width there is."""
    place = f'x="0" y="{scale.top:g}" width="100%" height="{scale.height:g}"'
    return f'<svg {place} viewBox="0 {scale.top:g} {end:g} {scale.height:g}" preserveAspectRatio="none">{inside}</svg>'


def _curve(kind: str, time: Sequence[float], values: Sequence[float], scale: Scale) -> str:
    points = " ".join(f"{x:g},{scale.at(y)}" for x, y in zip(time, values, strict=True))
    return _stretched(f'<polyline class="{kind}" points="{points}"/>', time[-1], scale)


def _steps(kind: str, time: Sequence[float], values: Sequence[float], scale: Scale) -> str:
    """An area between zero and values that hold over each step."""
    outline = " ".join(f"V{scale.at(value)}H{after:g}" for value, after in zip(values, time[1:], strict=True))
    zero = scale.at(0.0)
    return _stretched(f'<path class="{kind}" d="M{time[0]:g},{zero}{outline}V{zero}Z"/>', time[-1], scale)


def _limit_rows(record: Record, end: float, top: float) -> tuple[list[str], float]:
    """A row for each limit with its spells as bars; and how much room they take [px]."""
    drawn = [f'<text class="head halo" x="0" y="{top - 9:g}">What limited the vehicle, and when</text>']
    limits: list[Any] = list(record["limits"])
    if not limits:
        return [*drawn, f'<text x="0" y="{top + 14:g}">Nothing.</text>'], ROW
    for place, limit in enumerate(limits):
        y = top + 2 * ROW * place
        drawn.append(f'<text x="0" y="{y + 14:g}">{escape(trace_lines({"limits": [limit]})[0])}</text>')
        drawn += [_bar(_hue(limit), spell, end, y + ROW - 1, ROW - 8) for spell in limit["spells_s"]]
    return drawn, 2.0 * ROW * len(limits)


def _washes(record: Record, end: float, top: float, height: float) -> list[str]:
    """Limits as a wash behind the speed."""
    return [
        _bar(f"{_hue(limit)} wash", spell, end, top, height)
        for limit in record["limits"]
        if limit["limiter"] != "trace"
        for spell in limit["spells_s"]
    ]


def _hue(limit: Record) -> str:
    return HUES.get(limit["limiter"], "motor")


def _bar(kind: str, spell: Sequence[float], end: float, y: float, height: float) -> str:
    left, width = 100.0 * spell[0] / end, 100.0 * (spell[1] - spell[0]) / end
    place = f'x="{left:.3f}%" y="{y:g}" width="{max(width, 0.4):.3f}%" height="{height:g}"'
    return f'<rect class="{kind}" {place}><title>{spell[0]:g} to {spell[1]:g} s</title></rect>'


def _times(end: float, top: float, bottom: float) -> Iterable[str]:
    step = tick_step(0.0, end, 6)
    for place in range(1, floor(end / step) + 1):
        x = f"{100.0 * place * step / end:.3f}%"
        last = place * step > 0.97 * end
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{top:g}" y2="{bottom:g}"/>' if not last else ""
        anchor = "end" if last else "middle"
        yield f'<text class="tick" text-anchor="{anchor}" x="{x}" y="{bottom + 18:g}">{number(place * step)} s</text>'
