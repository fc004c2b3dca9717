"""Families of common parts in full: each standard, who uses it, and what every vehicle then does and costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from kyotsu.report.choice_plots import against, amount, millions, proof
from kyotsu.report.numbers import UNKNOWN, number, ratio_change, signed, with_unit
from kyotsu.report.words import MARKS, Record, maker_name, vehicle_name
from kyotsu.spec.finding import Verdict

KINDS = {"battery_module": ("M", "battery module"), "eaxle": ("A", "e-axle")}
COSTS = (
    ("Battery", "battery_usd"),
    ("E-axles", "eaxles_usd"),
    ("Changes to the vehicle", "change_usd"),
    ("Settling findings", "findings_usd"),
)
POWER = re.compile(r"(\d+(?:\.\d+)?)_?kw", re.IGNORECASE)
DIGITS = {"s": 1}  # of a figure, by its unit; 0 for others


class Standard(NamedTuple):
    """One common part; `label` is how the table of vehicles calls it."""

    label: str
    kind: str
    part: str
    name: str
    suppliers: str
    scaled: bool
    vehicles: int
    who: str
    makers: str
    units: str
    once: str


class Use(NamedTuple):
    """What one vehicle takes of one standard: layout or rating, and how it fits."""

    verdict: str
    mark: str
    text: str
    place: str
    title: str


class Proof(NamedTuple):
    """One simulated figure of a build against its limit."""

    title: str
    value: str
    sign: str
    limit: str
    unit: str
    margin: str
    origin: str
    met: bool


class CostLine(NamedTuple):
    """One part of what a vehicle costs: over all years [M USD], and each [USD]."""

    label: str
    whole: str
    each: str


class VehicleRow(NamedTuple):
    """One vehicle in a family.

    Attributes:
        uses: for each standard, and last for parts of its own.
        over, over_width: what sharing makes its parts dearer [USD a vehicle], and its bar [% of the widest].
    """

    vehicle: str
    name: str
    units: str
    uses: tuple[tuple[Use, ...], ...]
    over: str
    over_width: float
    conditional: int
    unknown: int
    basis: str
    proofs: tuple[Proof, ...]
    costs: tuple[CostLine, ...]
    facts: str

    @property
    def met(self) -> bool:
        """Whether every limit is met."""
        return all(item.met for item in self.proofs)


class MakerRows(NamedTuple):
    """A maker's vehicles."""

    name: str
    rows: tuple[VehicleRow, ...]


class Family(NamedTuple):
    """One family in full; `own` says whether some vehicle keeps a part of its own."""

    variants: int
    label: str
    summary: str
    faults: tuple[str, ...]
    checked: bool
    standards: tuple[Standard, ...]
    makers: tuple[MakerRows, ...]
    own: bool


def families(record: Record, choice: Record, labels: dict[int, str]) -> tuple[Family, ...]:
    """The families that are shown in full; `labels` names them by their number of standards."""
    shown = [
        (plan, share)
        for plan, share in zip(choice["plans"], choice["commonality"], strict=True)
        if len(plan["standards"]) in choice["shown"]
    ]
    widest = max((_over_usd(row) for plan, _ in shown for row in plan["assignments"]), default=0.0)
    checks = {item["variants"]: item for item in choice.get("checked", ())}
    return tuple(_family(record, plan, share, labels, widest, checks) for plan, share in shown)


def _family(
    record: Record, plan: Record, share: Record, labels: dict[int, str], widest: float, checks: dict[int, Record]
) -> Family:
    variants = len(plan["standards"])
    standards = _standards(record, plan)
    own = any(_keeps(row) for row in plan["assignments"])
    makers = dict.fromkeys(_maker(row["vehicle"]) for row in plan["assignments"])
    check = checks.get(variants)
    return Family(
        variants,
        labels.get(variants, f"{variants} common parts"),
        _summary(plan, share),
        tuple(check["faults"]) if check else (),
        check is not None,
        standards,
        tuple(
            MakerRows(
                maker_name(record, maker),
                tuple(
                    _vehicle(record, row, standards, own, widest)
                    for row in plan["assignments"]
                    if _maker(row["vehicle"]) == maker
                ),
            )
            for maker in makers
        ),
        own,
    )


def _kinds(plan: Record) -> str:
    """How many standards of each kind a family has, in words."""
    counts = [(sum(item["kind"] == kind for item in plan["standards"]), noun) for kind, (_, noun) in KINDS.items()]
    return " and ".join(f"{count} {noun}{'s' if count != 1 else ''}" for count, noun in counts if count)


def _summary(plan: Record, share: Record) -> str:
    once = sum(item["once_usd"] for item in plan["standards"])
    return (
        f"{_kinds(plan) or 'No common part'}: {amount(plan['cost_usd'])}, "
        f"{against(plan['cost_usd'], plan['as_built_usd'])} against parts as built; {proof(plan)}. "
        f"Making them common costs {amount(once)} of it, once. "
        f"{with_unit(number(100.0 * share['volume']), '%')} of all units, and "
        f"{with_unit(number(100.0 * share['cost']), '%')} of what they cost, are parts that two makers or more share."
    )


def _standards(record: Record, plan: Record) -> tuple[Standard, ...]:
    counts = dict.fromkeys(KINDS, 0)
    found = []
    for item in sorted(plan["standards"], key=lambda item: list(KINDS).index(item["kind"])):
        counts[item["kind"]] += 1
        letter, noun = KINDS[item["kind"]]
        makers = dict.fromkeys(_maker(name) for name in item["vehicles"])
        found.append(
            Standard(
                f"{letter}{counts[item['kind']]}", noun, item["part"], item["name"], "; ".join(item["suppliers"]),
                item["scaled"], len(item["vehicles"]),
                "; ".join(vehicle_name(record, name) for name in item["vehicles"]),
                ", ".join(maker_name(record, maker) for maker in makers),
                number(item["units"]), millions(item["once_usd"]),
            )
        )  # fmt: skip
    return tuple(found)


def _maker(vehicle: str) -> str:
    return vehicle.split("/")[0]


def _keeps(row: Record) -> bool:
    return row["battery"]["part"] is None or any(axle["own"] for axle in row["axles"])


def _over_usd(row: Record) -> float:
    """What sharing makes a vehicle's parts dearer [USD a vehicle]."""
    return (sum(row["cost"].values()) - row["alone_usd"]) / row["units"] if row["units"] else 0.0


def _vehicle(record: Record, row: Record, standards: Sequence[Standard], own: bool, widest: float) -> VehicleRow:
    over = _over_usd(row)
    name = vehicle_name(record, row["vehicle"])
    parts: list[str | None] = [item.part for item in standards]
    uses = tuple(_uses(row, part, name) for part in [*parts, *([None] if own else [])])
    return VehicleRow(
        vehicle=row["vehicle"],
        name=name,
        units=number(row["units"]),
        uses=uses,
        over=number(over),
        over_width=round(100.0 * max(over, 0.0) / widest, 2) if widest > 0.0 else 0.0,
        conditional=sum(item["conditional"] for item in (row["battery"], *row["axles"])),
        unknown=sum(item["unknown"] for item in (row["battery"], *row["axles"])),
        basis=row["basis"] or UNKNOWN,
        proofs=tuple(_proof(figure) for figure in row["figures"]),
        costs=_costs(row),
        facts=_facts(row),
    )


def _uses(row: Record, part: str | None, name: str) -> tuple[Use, ...]:
    """What a vehicle takes of one standard; of parts of its own where `part` is `None`."""
    found = []
    battery = row["battery"]
    if battery["part"] == part:
        text = "own" if part is None else f"{battery['series']}s{battery['strings']}p"
        found.append(_use(battery, text, "battery", f"{name}, battery: {text}"))
    for axle in row["axles"]:
        if axle["own"] if part is None else axle["part"] == part and not axle["own"]:
            text = "own" if axle["own"] else rating_words(axle["rating"])
            found.append(_use(axle, text, axle["mount"].replace("_", " "), f"{name}, {axle['mount']}: {text}"))
    return tuple(found)


def _use(item: Record, text: str, place: str, title: str) -> Use:
    if item["verdict"] is None:
        return Use("", "", text, place, title)
    verdict = Verdict(item["verdict"])
    return Use(verdict.value, MARKS[verdict], text, place, f"{title}; {verdict.value}{_open(item)}")


def _open(item: Record) -> str:
    counts = [f"{item[word]} {word}" for word in ("conditional", "unknown") if item[word]]
    return f" ({', '.join(counts)})" if counts else ""


def rating_words(rating: str) -> str:
    """A rating's id as engineers write it: `117kw` is 117 kW."""
    found = POWER.fullmatch(rating)
    return with_unit(found[1], "kW") if found else rating.replace("_", " ")


def met(figure: Record) -> bool:
    """Whether a simulated figure meets its limit."""
    value, limit = figure["value"], figure["limit"]
    return bool(value >= limit if figure["direction"] == "at least" else value <= limit)


def _proof(figure: Record) -> Proof:
    value, limit, unit = figure["value"], figure["limit"], figure["unit"]
    least = figure["direction"] == "at least"
    digits = DIGITS.get(unit, 0)
    if round(value, digits) == round(limit, digits) and round(value, digits + 1) != round(limit, digits + 1):
        digits += 1  # tells the two apart
    margin = ratio_change(limit, value)
    return Proof(
        figure["title"], number(value, digits), "≥" if least else "≤", number(limit, digits), unit,
        with_unit(signed(margin if margin is None or least else -margin), "%"),
        "stated" if figure["stated"] else "derived from the vehicle as built",
        met(figure),
    )  # fmt: skip


def _costs(row: Record) -> tuple[CostLine, ...]:
    cost, units = row["cost"], row["units"]
    lines = [*((label, cost[name]) for label, name in COSTS), ("All", sum(cost.values()))]
    lines += [
        ("The cheapest parts for it alone", row["alone_usd"]),
        ("Over-design by sharing", sum(cost.values()) - row["alone_usd"]),
    ]
    return tuple(CostLine(label, millions(usd, 1), number(usd / units) if units else UNKNOWN) for label, usd in lines)


def _facts(row: Record) -> str:
    battery = row["battery"]
    facts = [f"{number(row['units'])} vehicles", f"{with_unit(number(row['energy_kwh'], 1), 'kWh')} gross"]
    if battery["part"] is not None:
        facts.append(f"{battery['places']} battery modules, {battery['series']}s{battery['strings']}p")
        if battery["lost_share"]:
            lost = with_unit(number(100.0 * battery["lost_share"], 1), "%")
            facts.append(f"{lost} of the charge lies below the vehicle's voltage window")
    return "; ".join(facts)
