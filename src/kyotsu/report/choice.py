"""The section on which parts to make common: what it costs, who uses what, who gains, what would change the answer.

In: the record's `choice`, which may be interrupted and lack any part but its families. Out: words, numbers and
positions in per cent; the template draws them. Amounts are in millions of dollars over all years, unless a heading says
otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from kyotsu.report.choice_families import Family, families, met
from kyotsu.report.choice_plots import (
    MONEY,
    Curve,
    Tornado,
    against,
    amount,
    curve,
    millions,
    proof,
    signed_millions,
    tornado,
)
from kyotsu.report.numbers import Sense, number, ratio_change, sense, with_unit
from kyotsu.report.words import Record, maker_name, part_name

WHOLE_USD = 1e6  # a difference of less is none in millions
KNEE, CHEAPEST = "knee", "cheapest"


class Tile(NamedTuple):
    """A number that stands out."""

    value: str
    label: str
    note: str


class GainRow(NamedTuple):
    """What one maker pays, and would pay otherwise; `change` is what it pays against its parts as built."""

    name: str
    as_built: str
    alone: str
    agreed: str
    saving: str
    shapley: str
    change: str
    percent: str
    sense: Sense


class Gains(NamedTuple):
    """Who gains what; `groups` holds the cost of every group of makers on its own."""

    rows: tuple[GainRow, ...]
    total: GainRow
    core: str
    remark: str
    groups: tuple[tuple[str, str], ...]


class ScenarioRow(NamedTuple):
    """One course of things: the best family for it, the one chosen, and the one that is regretted least.

    Attributes:
        kept_bar, least_bar: the regrets as bars [% of the greatest].
    """

    name: str
    best: str
    kept: str
    kept_regret: str
    kept_bar: float
    least_regret: str
    least_bar: float


class Scenarios(NamedTuple):
    """The families under every scenario; `same` says whether the chosen one is regretted least."""

    rows: tuple[ScenarioRow, ...]
    sentence: str
    swap: str
    same: bool


class WindowRow(NamedTuple):
    """What wider windows save at one number of standards, and what one more standard saves there."""

    variants: int
    cost: str
    wide: str
    saves: str
    saves_bar: float
    more: str
    more_bar: float
    wins: str
    proven: bool


class WindowTable(NamedTuple):
    """What wider voltage windows are worth."""

    share: str
    sentence: str
    rows: tuple[WindowRow, ...]


class Choice(NamedTuple):
    """All that the section shows; what was not asked, or not reached, is `None`."""

    tiles: tuple[Tile, ...]
    lead: str
    verdict: str
    holds: bool
    warning: str
    terms: str
    curve: Curve
    families: tuple[Family, ...]
    linked: frozenset[str]
    gains: Gains | None
    scenarios: Scenarios | None
    tornado: Tornado | None
    window: WindowTable | None


def choice_section(record: Record) -> Choice | None:
    """The section's content; `None` where nothing was chosen."""
    choice = record.get("choice")
    if not choice or not choice["plans"]:
        return None
    rebuilt = frozenset(row["vehicle"] for row in record.get("changes", ()))
    return Choice(
        tiles=tuple(_tiles(choice)),
        lead=_lead(choice),
        verdict=_verdict(choice),
        holds=not any(item["faults"] for item in choice.get("checked", ())),
        warning=_warning(choice),
        terms=_terms(choice),
        curve=curve(choice, _roles(choice)),
        families=families(record, choice, _labels(choice)),
        linked=rebuilt,
        gains=_gains(record, choice),
        scenarios=_scenarios(record, choice),
        tornado=tornado(choice),
        window=_window(choice),
    )


# --- what to say first ---


def _knee(choice: Record) -> Record:
    """The family where the curve bends most."""
    return next((plan for plan in choice["plans"] if len(plan["standards"]) == choice["knee"]), choice["plans"][-1])


def _whole_curve(choice: Record) -> bool:
    """Whether the last family is the cheapest of all, and not only the last before an interruption."""
    return bool(choice["complete"]) or choice["plans"][-1]["options"]["variants"] is None


def _pair(choice: Record) -> list[tuple[Record, str]]:
    """The families to speak of, each with what it is; one alone where the knee is the cheapest."""
    knee, best = _knee(choice), choice["plans"][-1]
    bounded = best["options"]["variants"] is not None and choice["complete"]
    words = "the cheapest within the bound asked for" if bounded else "the cheapest of all"
    words = words if _whole_curve(choice) else "the cheapest found before the interruption"
    return [(best, words)] if knee is best else [(knee, "where the curve bends most"), (best, words)]


def _roles(choice: Record) -> dict[int, str]:
    return {len(choice["plans"][-1]["standards"]): CHEAPEST, len(_knee(choice)["standards"]): KNEE} | (
        {len(choice["plans"][-1]["standards"]): CHEAPEST} if _knee(choice) is choice["plans"][-1] else {}
    )


def _labels(choice: Record) -> dict[int, str]:
    return {len(plan["standards"]): f"{_parts(plan)}, {words}" for plan, words in _pair(choice)}


def _parts(plan: Record) -> str:
    count = len(plan["standards"])
    return f"{count} common part{'s' if count != 1 else ''}"


def _tiles(choice: Record) -> Iterator[Tile]:
    for plan, words in _pair(choice):
        saved = plan["as_built_usd"] - plan["cost_usd"]
        told = amount(abs(saved)) + (" saved" if saved >= 0.0 else " more")
        note = f"{words}; {told}, {proof(plan)}"
        yield Tile(against(plan["cost_usd"], plan["as_built_usd"]), f"of cost with {_parts(plan)}", note)
    best = choice["plans"][-1]
    vehicles = len(best["assignments"])
    yield Tile(
        number(best["builds"]), "ways to build them judged",
        f"for {vehicles} vehicles; {number(best['simulated'])} simulated, rules leave out the others",
    )  # fmt: skip
    checked = choice.get("checked", ())
    if checked:
        holds = sum(not item["faults"] for item in checked)
        yield Tile(
            f"{holds} of {len(checked)}", f"{'family holds' if len(checked) == 1 else 'families hold'} when checked",
            "built, simulated and added up anew, without the optimiser",
        )  # fmt: skip


def _lead(choice: Record) -> str:
    best = choice["plans"][-1]
    makers = dict.fromkeys(row["vehicle"].split("/")[0] for row in best["assignments"])
    years = number(best["years"], 0 if best["years"] == round(best["years"]) else 1)
    told = "; ".join(f"with {_parts(plan)}, {words}, {amount(plan['cost_usd'])}" for plan, words in _pair(choice))
    return (
        f"With every part a vehicle's own, batteries and e-axles of {len(best['assignments'])} vehicles of "
        f"{len(makers)} maker{'s' if len(makers) != 1 else ''} cost {amount(best['as_built_usd'])} over {years} "
        f"years; {told}. {_limits(choice)}"
    )


def _limits(choice: Record) -> str:
    """Whether the vehicles of the families that are shown meet what they must do."""
    rows = [row for plan, _ in _pair(choice) for row in plan["assignments"]]
    short = {row["vehicle"] for row in rows if not all(met(figure) for figure in row["figures"])}
    if short:
        return f"{len(short)} vehicle{'s miss' if len(short) != 1 else ' misses'} a limit in simulation."
    return "Every vehicle meets its limits in simulation."


def _verdict(choice: Record) -> str:
    """What the evaluator says, which knows nothing of how families are found."""
    checked = choice.get("checked", ())
    if not checked:
        return ""
    bad = [item for item in checked if item["faults"]]
    if not bad:
        return f"Checked anew without the optimiser: {'holds' if len(checked) == 1 else 'both hold'}."
    faults = "; ".join(f"{item['variants']} parts: {' '.join(item['faults'][:2])}" for item in bad)
    return f"Checked anew without the optimiser: does not hold. {faults}"


def _warning(choice: Record) -> str:
    texts = []
    if not choice["complete"]:
        texts.append("The choice was interrupted: what had been found by then is shown.")
    assumed = choice["plans"][-1]["assumed_units"]
    if assumed:
        texts.append(f"Volumes are assumed for {len(assumed)} of {len(choice['plans'][-1]['assignments'])} vehicles.")
    return " ".join(texts)


def _terms(choice: Record) -> str:
    options = choice["plans"][-1]["options"]
    terms = [
        f"at most {options[key]} {noun}"
        for key, noun in (("variants", "common parts"), ("modules", "battery modules"), ("axles", "e-axles"))
        if options[key] is not None
    ]
    terms += ["two suppliers for each part"] if options["dual_source"] else []
    terms += [] if options["accept_unknown"] else ["no part of whose fit something is unknown"]
    terms += ["vehicles may keep parts of their own"] if options["keep_own"] else []
    terms += [f"{key.replace('_', ' ')} = {value:g}" for key, value in options["costs"].items()]
    return f"Asked for: {'; '.join(terms)}." if terms else ""


def remarks(record: Record) -> list[str]:
    """What the brief says of the choice."""
    choice = record.get("choice")
    if not choice or not choice["plans"]:
        return []
    best, knee = choice["plans"][-1], _knee(choice)
    vehicles = len(best["assignments"])
    saved = -(ratio_change(best["as_built_usd"], best["cost_usd"]) or 0.0)
    saves = (
        f"saves {with_unit(number(saved, 1), '%')}"
        if saved >= 0.0
        else f"costs {with_unit(number(-saved, 1), '%')} more"
    )
    told = f"{_parts(best)} {'serve' if len(best['standards']) != 1 else 'serves'} all {vehicles} vehicles"
    if knee is not best:
        word = "cheapest family" if _whole_curve(choice) else "cheapest family found so far"
        change = against(knee["cost_usd"], knee["as_built_usd"])
        first = f"{_parts(knee)} {'serve' if len(knee['standards']) != 1 else 'serves'} all {vehicles} vehicles"
        told = f"{first} at {change} of cost; the {word} has {len(best['standards'])}, and {saves}"
    else:
        told = f"{told}: that {saves}"
    unsure = next((plan for plan in (knee, best) if not plan["proven"]), best)
    found = [f"{told}, {proof(unsure)}."]
    broken = [item for item in choice.get("checked", ()) if item["faults"]]
    found += [f"Checked anew, the family of {item['variants']} does not hold: {item['faults'][0]}" for item in broken]
    sharing = choice.get("sharing")
    return found + ([_gains_in_brief(record, sharing)] if sharing else [])


def _gains_in_brief(record: Record, sharing: Record) -> str:
    losers = _losers(record, sharing)
    if sharing["core_is_empty"]:
        first = "Some group of makers would do better with common parts of its own, however the cost is split"
    else:
        first = "No group of makers would do better with common parts of its own"
    if not losers:
        return f"{first}; every maker pays no more than for its parts as built."
    joint = "and" if sharing["core_is_empty"] else "but"
    return f"{first}, {joint} {losers.removeprefix('But ')}"


# --- who gains what ---


def _gains(record: Record, choice: Record) -> Gains | None:
    sharing = choice.get("sharing")
    if not sharing:
        return None
    rows = tuple(_gain(maker_name(record, item["maker"]), item) for item in sharing["gains"])
    keys = ("as_built_usd", "alone_usd", "shapley_usd", "agreed_usd")
    total = _gain("All", {key: sum(item[key] for item in sharing["gains"]) for key in keys})
    groups = tuple(
        (", ".join(maker_name(record, maker) for maker in item["makers"]), millions(item["cost_usd"]))
        for item in sharing["coalitions"]
    )
    return Gains(rows, total, _core(sharing), _losers(record, sharing), groups)


def _gain(name: str, item: Record) -> GainRow:
    change = item["agreed_usd"] - item["as_built_usd"]
    return GainRow(
        name, millions(item["as_built_usd"]), millions(item["alone_usd"]), millions(item["agreed_usd"]),
        millions(item["alone_usd"] - item["agreed_usd"]), millions(item["shapley_usd"]), signed_millions(change),
        against(item["agreed_usd"], item["as_built_usd"]), sense(round(change / WHOLE_USD), -1),
    )  # fmt: skip


def _core(sharing: Record) -> str:
    sure = "" if sharing["proven"] else " Not all of these costs are proven to be the least."
    if sharing["core_is_empty"]:
        text = "However the common cost is split, some group of makers would pay less without the others."
    else:
        least = amount(sharing["least_gain_usd"])
        text = (
            "By the agreed shares no group of makers would do better with common parts of its own: "
            f"the one that gains least gains {least}."
        )
    return text + sure


def _losers(record: Record, sharing: Record) -> str:
    """The honest remark: who pays more than for its parts as built, and whether the others could make up for it."""
    changes = {item["maker"]: item["agreed_usd"] - item["as_built_usd"] for item in sharing["gains"]}
    losing = {maker: usd for maker, usd in changes.items() if usd >= WHOLE_USD}
    if not losing:
        return ""
    names = ", ".join(maker_name(record, maker) for maker in losing)
    lost = sum(losing.values())
    won = -sum(usd for usd in changes.values() if usd < 0.0)
    several = len(losing) > 1
    text = f"But {names} {'pay' if several else 'pays'} {amount(lost)} more than for parts as built"
    if won >= lost:
        return f"{text}; the others save {millions(won)} against theirs, enough to make up for it."
    return f"{text}, and what the others save against theirs ({millions(won)}) does not make up for it."


# --- scenarios ---


def _scenarios(record: Record, choice: Record) -> Scenarios | None:
    found = choice.get("robustness")
    if not found or not found["families"]:
        return None
    best = found["best_usd"]
    kept, least = found["families"][found["chosen"]], found["families"][0]
    regrets = [_regrets(family, best) for family in (kept, least)]
    most = max((regret for row in regrets for regret in row if regret is not None), default=0.0)
    rows = tuple(
        ScenarioRow(
            _capital(name.replace("_", " ")), millions(usd), millions(cost), _regret(own), _bar(own, most),
            _regret(other), _bar(other, most),
        )
        for name, usd, cost, own, other in zip(found["scenarios"], best, kept["cost_usd"], *regrets, strict=True)
    )  # fmt: skip
    same = found["chosen"] == 0
    return Scenarios(
        rows, _regret_sentence(found, kept, least, same), "" if same else _swap(record, choice, kept, least), same
    )


def _regrets(family: Record, best: Sequence[float]) -> list[float | None]:
    return [None if cost is None else cost - usd for cost, usd in zip(family["cost_usd"], best, strict=True)]


def _regret(usd: float | None) -> str:
    return "serves no more" if usd is None else millions(max(usd, 0.0))


def _bar(usd: float | None, most: float) -> float:
    return round(100.0 * max(usd or 0.0, 0.0) / most, 2) if most > 0.0 else 0.0


def _regret_sentence(found: Record, kept: Record, least: Record, same: bool) -> str:
    if kept["greatest_usd"] is None:
        first = "In some scenario the cheapest family serves not every vehicle."
    else:
        first = (
            f"Whichever of these comes, the cheapest family ({len(kept['parts'])} parts) costs at most "
            f"{with_unit(_fine(kept['greatest_usd']), MONEY)} more than the best one for it."
        )
    if least["greatest_usd"] is None:
        return f"{first} No family was met that serves in all of them."
    bound = (
        "no family is regretted less" if found["proven"]
        else f"no family can be regretted less than {_fine(found['bound_usd'])}"
    )  # fmt: skip
    if same:
        return f"{first} It is the one regretted least; {bound}."
    regret = with_unit(_fine(least["greatest_usd"]), MONEY)
    return f"{first} Another one, of {len(least['parts'])} parts, costs at most {regret} more; {bound}."


def _swap(record: Record, choice: Record, kept: Record, least: Record) -> str:
    names = {item["part"]: item["name"] for plan in choice["plans"] for item in plan["standards"]}

    def listed(some: Sequence[str], others: Sequence[str]) -> str:
        return "; ".join(names.get(part) or _part_words(record, part) for part in some if part not in others)

    out, into = listed(kept["parts"], least["parts"]), listed(least["parts"], kept["parts"])
    if out and into:
        return f"It has {into} instead of {out}."
    return f"It also has {into}." if into else f"It goes without {out}." if out else ""


def _part_words(record: Record, part: str) -> str:
    """A part's name; its id with spaces where it is no part on offer, and in no family that is known."""
    return part_name(record, part) if part in record.get("parts", {}) else part.replace("_", " ")


def _fine(usd: float) -> str:
    """An amount that may be small, in millions."""
    return millions(usd, 1 if abs(usd) < 100.0 * WHOLE_USD else 0)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- voltage windows ---


def _window(choice: Record) -> WindowTable | None:
    window = choice.get("window")
    if not window or not window["points"]:
        return None
    points = sorted(window["points"], key=lambda point: point["variants"])
    saves = [_less(point["cost_usd"], point["wide_usd"]) for point in points]
    more = [*(_less(now["cost_usd"], after["cost_usd"]) for now, after in pairwise(points)), None]
    most = max((value for value in (*saves, *more) if value is not None), default=0.0)
    rows = tuple(
        WindowRow(
            point["variants"], millions(point["cost_usd"]), millions(point["wide_usd"]), millions(wide),
            _bar(wide, most), millions(one), _bar(one, most), _wins(wide, one), point["proven"],
        )
        for point, wide, one in zip(points, saves, more, strict=True)
    )  # fmt: skip
    share = with_unit(number(100.0 * window["share"], 0 if round(100.0 * window["share"], 6) % 1 == 0 else 1), "%")
    return WindowTable(share, _window_sentence(choice, points, saves, more, share), rows)


def _less(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else before - after


def _wins(wide: float | None, one: float | None) -> str:
    if wide is None or one is None or round(wide / WHOLE_USD) == round(one / WHOLE_USD):
        return ""
    return "wide" if wide > one else "more"


def _window_sentence(
    choice: Record, points: Sequence[Record], saves: Sequence[float | None], more: Sequence[float | None], share: str
) -> str:
    found = {point["variants"]: (wide, one) for point, wide, one in zip(points, saves, more, strict=True)}
    wide, one = found.get(len(_knee(choice)["standards"]), (None, None))
    count = len(_knee(choice)["standards"])
    only = [point["variants"] for point in points if point["cost_usd"] is None and point["wide_usd"] is not None]
    serve = f"{min(only)} standard{' serves' if min(only) == 1 else 's serve'}" if only else ""
    fewer = f" With them {serve} every vehicle; as windows are, so few do not." if only else ""
    if wide is None:
        return f"Voltage windows {share} wider at both ends.{fewer}"
    text = (
        f"With {count} standards, voltage windows {share} wider at both ends would save "
        f"{amount(wide)}, before what they cost"
    )
    if one is None:
        return f"{text}.{fewer}"
    worth = {"wide": "the wider windows are worth more", "more": "the further standard is worth more"}
    verdict = worth.get(_wins(wide, one), "both are worth the same")
    return f"{text}; one more standard saves {millions(one)}: {verdict}.{fewer}"
