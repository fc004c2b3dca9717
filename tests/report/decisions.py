"""A decision over three vehicles of two makers, with every part of the answer; figures are chosen to be told apart."""

from __future__ import annotations

from typing import Any

from kyotsu.plan.decision import Coalition, Decision, Gain, Sharing, Window, WindowPoint
from kyotsu.plan.family import (
    Assignment,
    AxleChoice,
    BatteryChoice,
    CostParts,
    Figure,
    Kind,
    Options,
    Plan,
    StandardChoice,
)
from kyotsu.plan.sensitivity import Outcome, Regret, Robustness, Sensitivity
from kyotsu.study.choice import Checked, Choice
from kyotsu.study.choice_tables import choice_record
from kyotsu.study.tables import TABLES

VEHICLES = {"honda/e": "Honda e", "honda/clarity": "Clarity", "nissan/ariya": "Ariya"}
UNITS = {"honda/e": 1000.0, "honda/clarity": 2000.0, "nissan/ariya": 4000.0}
MODULES, AXLES = ("m_one", "m_two"), ("a_one", "a_two", "a_three")
MILLION = 1e6


def figures() -> tuple[Figure, ...]:
    """One stated limit met by little, one derived limit at which less is better."""
    return (
        Figure(title="range", value=300.4, direction="at least", limit=300.1, unit="km", stated=True),
        Figure(title="0 to 100 km/h", value=7.25, direction="at most", limit=9.5, unit="s", stated=False),
    )


def assignment(vehicle: str, module: str, axles: tuple[str, ...]) -> Assignment:
    """A vehicle with a battery of two strings, and its axles from the front."""
    return Assignment(
        vehicle=vehicle,
        units=UNITS[vehicle],
        battery=BatteryChoice(part=module, places=22, series=11, strings=2, verdict="conditional", conditional=5),
        axles=tuple(
            AxleChoice(mount=mount, part=part, rating="117kw", verdict="unknown", unknown=7)
            for mount, part in zip(("front", "rear"), axles, strict=False)
        ),
        cost=CostParts(battery_usd=6 * MILLION, eaxles_usd=3 * MILLION, change_usd=MILLION, findings_usd=MILLION / 2),
        alone_usd=8 * MILLION,
        energy_kwh=36.6,
        figures=figures(),
        basis="assumed",
    )


def standard(kind: Kind, part: str, rows: tuple[Assignment, ...]) -> StandardChoice:
    """A part made common, with whoever takes it."""
    taken = tuple(row.vehicle for row in rows if part in (row.battery.part, *(axle.part for axle in row.axles)))
    return StandardChoice(
        kind=kind, part=part, name=f"Name of {part}", suppliers=("AESC", "Jatco"), scaled=part != "m_one",
        vehicles=taken, units=sum(UNITS[name] for name in taken), once_usd=40 * MILLION,
    )  # fmt: skip


def plan(modules: int, axles: int, cost: float, *, free: bool = False, bound: float | None = None) -> Plan:
    """The cheapest family of so many parts [M USD]; `free` without a bound on their number."""
    rows = tuple(
        assignment(name, MODULES[index % modules], (AXLES[index % axles], *([AXLES[0]] if index == 2 else [])))
        for index, name in enumerate(VEHICLES)
    )
    kinds: tuple[tuple[Kind, tuple[str, ...]], ...] = (("battery_module", MODULES[:modules]), ("eaxle", AXLES[:axles]))
    return Plan(
        workspace="Test",
        year=2025,
        years=6.0,
        options=Options(variants=None if free else modules + axles),
        standards=tuple(standard(kind, part, rows) for kind, parts in kinds for part in parts),
        assignments=rows,
        cost_usd=cost * MILLION,
        bound_usd=(cost if bound is None else bound) * MILLION,
        as_built_usd=1000 * MILLION,
        proven=bound is None,
        builds=123456,
        simulated=4321,
        explore_seconds=1.0,
        solve_seconds=0.5,
    )


def swing(name: str, value: float, *ends: tuple[float, float, float | None]) -> Sensitivity:
    """A coefficient with value, cost and cost of the family kept at each end [M USD]."""
    low, high = (
        Outcome(
            value=at, cost_usd=cost * MILLION, kept_usd=None if kept is None else kept * MILLION,
            as_built_usd=1000 * MILLION, parts=("m_one",), proven=True,
        )
        for at, cost, kept in ends
    )  # fmt: skip
    return Sensitivity(name=name, value=value, low=low, high=high)


def decision(**changes: Any) -> Decision:
    """Families of two to five parts: the curve bends at three, that of four is not proven."""
    plans = (
        plan(1, 1, 1500.0), plan(1, 2, 1100.0), plan(2, 2, 990.0, bound=985.0), plan(2, 3, 950.0, free=True),
    )  # fmt: skip
    whole: dict[str, Any] = {
        "plans": plans,
        "knee": 3,
        "sharing": Sharing(
            gains=(
                Gain(maker="honda", as_built_usd=400e6, alone_usd=470e6, shapley_usd=455e6, agreed_usd=460e6),
                Gain(maker="nissan", as_built_usd=600e6, alone_usd=520e6, shapley_usd=495e6, agreed_usd=490e6),
            ),
            coalitions=(
                Coalition(makers=("honda",), cost_usd=470e6),
                Coalition(makers=("nissan",), cost_usd=520e6),
                Coalition(makers=("honda", "nissan"), cost_usd=950e6),
            ),
            core_is_empty=False,
            shapley_in_core=True,
            least_gain_usd=10e6,
            proven=True,
        ),
        "robustness": Robustness(
            scenarios=("as assumed", "cells_fall"),
            best_usd=(950e6, 700e6),
            families=(
                Regret(parts=("m_two", "a_one", "new_part"), cost_usd=(960e6, 711e6), greatest_usd=11e6),
                Regret(parts=("m_one", "m_two", "a_one"), cost_usd=(950e6, 733e6), greatest_usd=33e6),
            ),
            chosen=1,
            bound_usd=10.4e6,
            proven=False,
        ),
        "sensitivities": (
            swing("demand", 1.0, (0.5, 480.0, 500.0), (1.5, 1420.0, 1420.0)),
            swing("pack_price_ratio", 1.0, (0.72, 900.0, 902.0), (1.1, 970.0, 970.0)),
            swing("strange_new_usd", 8.0e6, (1.0e6, 940.0, 941.0), (2.0e7, 1030.0, 1093.0)),
        ),
        "window": Window(
            share=0.1,
            points=(
                WindowPoint(variants=1, cost_usd=None, wide_usd=1600e6, proven=True),
                WindowPoint(variants=2, cost_usd=1500e6, wide_usd=1450e6, proven=True),
                WindowPoint(variants=3, cost_usd=1100e6, wide_usd=975e6, proven=True),
                WindowPoint(variants=4, cost_usd=990e6, wide_usd=960e6, proven=False),
                WindowPoint(variants=5, cost_usd=950e6, wide_usd=940e6, proven=True),
            ),
        ),
    }
    return Decision(**whole | changes)


def record(chosen: Decision | None = None, faults: tuple[str, ...] = ()) -> dict[str, Any]:
    """A study's record that holds nothing but a choice, as the study makes it; the cheapest family has the faults."""
    made = decision() if chosen is None else chosen
    shown = [item for item in made.plans if item.variants == made.knee or item is made.best]
    found = Choice(
        made, tuple(Checked(item.variants, item.cost_usd, faults if item is made.best else ()) for item in shown)
    )
    head = {"kyotsu": "0", "alliance": "Test", "year": 2030, "parts": {}, "seconds": {}, "vehicles": VEHICLES}
    makers = {"honda": "Honda Motor", "nissan": "Nissan Motor"}
    return head | {"makers": makers} | {table: [] for table in TABLES} | {"choice": choice_record(found)}
