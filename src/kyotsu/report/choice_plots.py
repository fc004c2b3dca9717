"""The two plots of the choice of common parts: cost against their number, and what each coefficient would change."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from kyotsu.report.numbers import NARROW, UNKNOWN, Sense, number, ratio_change, sense, signed, tick_step, with_unit
from kyotsu.report.plots import Axis, Tick, axis
from kyotsu.report.words import Record, worded

MILLION = 1e6
MONEY = "M\u202fUSD"
CROWDED = 16  # points; more of them leave no room for a number at each
FAR_BEYOND = 2.5  # a bar so many times as long as the next one is cut, so that the others can be seen
COEFFICIENTS = {
    "demand": "Demand for every vehicle",
    "pack_price_ratio": "Price of a pack, against the cost curve",
    "module_handling_usd": "Case, sensors and assembly of each battery module",
    "drive_fixed_usd": "E-axle, before its power and torque",
    "inverter_usd_per_kw": "Inverter, per kW",
    "motor_usd_per_nm": "Motor, per N\u202fm",
    "module_standard_usd": "Making a battery module common, once",
    "eaxle_standard_usd": "Making an e-axle common, once",
    "battery_change_usd": "Changing a vehicle to a common battery, once",
    "eaxle_change_usd": "Changing a mount to a common e-axle, once",
    "conditional_usd": "Settling one conditional finding",
    "unknown_usd": "Settling one unknown finding",
    "own_renewal_ratio": "Renewing a vehicle's own part, against a new standard",
    "volume_effect_share": "Cost that falls with each doubling of volume",
    "value_added_share": "Part of the cost that volume moves",
    "reference_units": "Units at which the prices hold",
}


def millions(usd: float | None, digits: int = 0) -> str:
    """An amount in millions of dollars."""
    return number(None if usd is None else usd / MILLION, digits)


def amount(usd: float) -> str:
    """An amount in millions of dollars, with its unit."""
    return with_unit(millions(usd), MONEY)


def signed_millions(usd: float | None) -> str:
    """A difference in millions of dollars."""
    return signed(None if usd is None else usd / MILLION)


def against(cost_usd: float, as_built_usd: float) -> str:
    """A cost against that of parts as built, `+0.4 %`."""
    return with_unit(signed(ratio_change(as_built_usd, cost_usd), 1), "%")


def proof(plan: Record) -> str:
    """How sure it is that no family of so many costs less."""
    if plan["proven"]:
        return "proven"
    gap = 100.0 * max(plan["cost_usd"] - plan["bound_usd"], 0.0) / plan["cost_usd"] if plan["cost_usd"] else 0.0
    return f"not proven: at most {with_unit(number(gap, 2), '%')} to gain"


# --- the curve ---


class CurvePoint(NamedTuple):
    """The cheapest family for one number of standards.

    Attributes:
        at, height: where it lies [% of the plot].
        bound: height of what no family costs less than, where that is not proven to be the same.
        saves: against one standard fewer; `bar` is its height [% of the greatest].
    """

    variants: int
    at: float
    height: float
    bound: float | None
    role: str
    modules: int
    eaxles: int
    cost: str
    change: str
    sense: Sense
    saves: str
    bar: float
    volume: str
    spent: str
    proof: str
    proven: bool


class Curve(NamedTuple):
    """Cost against the number of standards; `line` holds the points of an SVG polyline, `own` is the cost as built."""

    axis: Axis
    points: tuple[CurvePoint, ...]
    line: str
    own_height: float
    own: str
    crowded: bool

    @property
    def drawn(self) -> bool:
        """Whether there is more than one point to draw a line through."""
        return len(self.points) > 1

    @property
    def unproven(self) -> bool:
        """Whether some point is not known to be the cheapest."""
        return not all(point.proven for point in self.points)


def curve(choice: Record, roles: dict[int, str]) -> Curve:
    """The curve of a choice; `roles` names the numbers of standards that stand out."""
    plans = choice["plans"]
    own = plans[-1]["as_built_usd"]
    counts = [len(plan["standards"]) for plan in plans]
    saved = _saved(plans)
    values = [value / MILLION for plan in plans for value in (plan["cost_usd"], plan["bound_usd"])]
    scale = axis([*values, own / MILLION])
    across = max(counts) - min(counts) + 1.0
    shares = [*choice.get("commonality", ()), *([{}] * len(plans))]
    points = tuple(
        CurvePoint(
            variants=count,
            at=round(100.0 * (count - min(counts) + 0.5) / across, 2),
            height=scale.at(plan["cost_usd"] / MILLION),
            bound=None if plan["proven"] else scale.at(plan["bound_usd"] / MILLION),
            role=roles.get(count, ""),
            modules=sum(item["kind"] == "battery_module" for item in plan["standards"]),
            eaxles=sum(item["kind"] == "eaxle" for item in plan["standards"]),
            cost=millions(plan["cost_usd"]),
            change=against(plan["cost_usd"], plan["as_built_usd"]),
            sense=_sense(plan["cost_usd"] - plan["as_built_usd"]),
            saves="" if saves is None else millions(saves),
            bar=0.0 if saves is None else _share(saves, saved),
            volume=_percent(share.get("volume")),
            spent=_percent(share.get("cost")),
            proof=proof(plan),
            proven=plan["proven"],
        )
        for plan, count, saves, share in zip(plans, counts, saved, shares, strict=False)
    )
    line = " ".join(f"{point.at},{round(100.0 - point.height, 2)}" for point in points)
    return Curve(scale, points, line, scale.at(own / MILLION), millions(own), len(points) > CROWDED)


def _saved(plans: Sequence[Record]) -> list[float | None]:
    """What each family saves against the one before, which has fewer standards [USD]."""
    costs = [plan["cost_usd"] for plan in plans]
    return [None, *(before - after for before, after in pairwise(costs))]


def _share(value: float, values: Sequence[float | None]) -> float:
    most = max((item for item in values if item is not None), default=0.0)
    return round(100.0 * max(value, 0.0) / most, 2) if most > 0.0 else 0.0


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else with_unit(number(100.0 * share), "%")


def _sense(change_usd: float) -> Sense:
    return sense(round(change_usd / MILLION), -1)


# --- sensitivities ---


class End(NamedTuple):
    """One end of a coefficient's range: its bar [% of the axis], what it changes, what keeping the family costs there.

    Attributes:
        cut: the bar is longer than the axis.
        saving: of the best family there against parts as built.
    """

    value: str
    left: float
    width: float
    cut: bool
    change: str
    regret: str
    saving: str
    sense: Sense
    proven: bool


class Swing(NamedTuple):
    """What one coefficient does over its range."""

    name: str
    assumed: str
    low: End
    high: End


class Tornado(NamedTuple):
    """All coefficients, those that change most first."""

    axis: Axis
    swings: tuple[Swing, ...]
    sentence: str

    @property
    def cut(self) -> bool:
        """Whether some bar is longer than the axis."""
        return any(end.cut for swing in self.swings for end in (swing.low, swing.high))


def tornado(choice: Record) -> Tornado | None:
    """What each coefficient changes of the cheapest family's cost; `None` where nobody asked."""
    rows = choice.get("sensitivities") or ()
    if not rows:
        return None
    base = choice["plans"][-1]["cost_usd"]
    lengths = sorted((max(abs(row[end]["cost_usd"] - base) for end in ("low", "high")) for row in rows), reverse=True)
    cut = len(lengths) > 1 and lengths[1] > 0.0 and lengths[0] > FAR_BEYOND * lengths[1]
    scale = change_axis((lengths[1] if cut else lengths[0]) / MILLION)
    return Tornado(
        scale,
        tuple(
            Swing(
                worded(COEFFICIENTS, row["name"]),
                coefficient(row["name"], row["value"]),
                _end(row["name"], row["low"], base, scale),
                _end(row["name"], row["high"], base, scale),
            )
            for row in rows
        ),
        _answer(rows),
    )


def _answer(rows: Sequence[Record]) -> str:
    """Where common parts stop to pay, and where the family would be regretted most."""
    ends = [(row, row[end]) for row in rows for end in ("low", "high")]
    dear = [_at(row, end) for row, end in ends if end["cost_usd"] > end["as_built_usd"]]
    if len(dear) == len(ends):
        text = "At no end of any range do common parts cost less than parts as built."
    elif dear:
        text = f"Common parts cost less than parts as built at every end of every range, except: {'; '.join(dear)}."
    else:
        text = "Common parts cost less than parts as built at every end of every range."
    gone = [_at(row, end) for row, end in ends if end["kept_usd"] is None]
    if gone:
        return f"{text} The family serves no more with: {'; '.join(gone)}."
    row, end = max(ends, key=lambda pair: pair[1]["kept_usd"] - pair[1]["cost_usd"])
    regret = amount(end["kept_usd"] - end["cost_usd"])
    return f"{text} Having chosen this family would be regretted most with: {_at(row, end)} ({regret})."


def _at(row: Record, end: Record) -> str:
    name = worded(COEFFICIENTS, row["name"])
    return f"{name[:1].lower()}{name[1:]}, {coefficient(row['name'], end['value'])}"


def change_axis(most: float) -> Axis:
    """An axis for changes up to `most` in both directions, with zero in the middle; never finer than a million."""
    most = max(most, 1.0)
    step = tick_step(-most, most)
    steps = ceil(most / step - 1e-9)
    whole = Axis(-steps * step, steps * step, round(50.0 / steps, 3), ())
    digits = 0 if step >= 1 else 2
    marks = [index * step for index in range(-steps, steps + 1)]
    return whole._replace(ticks=tuple(Tick(whole.at(mark), signed(mark, digits) if mark else "0") for mark in marks))


def coefficient(name: str, value: float) -> str:
    """A coefficient's value with its unit, by its name."""
    if name == "demand" or name.endswith("_ratio"):
        return f"\u00d7{NARROW}{number(value, 2)}"
    if name.endswith("_share"):
        return with_unit(number(100.0 * value), "%")
    if "_usd" in name:
        if abs(value) >= 1e5:
            return with_unit(number(value / MILLION, 1), MONEY)
        return with_unit(number(value, 0 if abs(value) >= 100.0 or value == round(value) else 2), "USD")
    return number(value, 0 if value == round(value) else 2)


def _end(name: str, outcome: Record, base_usd: float, scale: Axis) -> End:
    change = (outcome["cost_usd"] - base_usd) / MILLION
    shown = min(max(change, scale.low), scale.high)
    kept = outcome["kept_usd"]
    zero, tip = scale.at(0.0), scale.at(shown)
    return End(
        value=coefficient(name, outcome["value"]),
        left=min(zero, tip),
        width=round(abs(tip - zero), 2),
        cut=abs(change) > scale.high * (1.0 + 1e-9),
        change=signed(change),
        regret="serves no more" if kept is None else millions(max(kept - outcome["cost_usd"], 0.0)),
        saving=against(outcome["cost_usd"], outcome["as_built_usd"]),
        sense=_sense(outcome["cost_usd"] - outcome["as_built_usd"]),
        proven=outcome["proven"],
    )
