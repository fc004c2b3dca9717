"""Choosing under uncertainty: what a family costs in other scenarios than its own, and which one is regretted least.

Scenarios are the same choice at other costs (demand, prices). The family is chosen before the scenario is known, who
uses which of its parts after. The *regret* of a family in a scenario is its cost there less that of the best family
for that scenario. The family of least greatest regret is found with its proof: any weights on the scenarios give a
lower bound, the least weighted mean of the regrets over all families; the weights are moved by cutting planes
(J. E. Kelley, Journal of the SIAM 8 (1960) 703) and every family met on the way is a candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from kyotsu.errors import InputError, Location, Problem
from kyotsu.plan.assortment import Assortment, FloatArray
from kyotsu.plan.branch import solve
from kyotsu.plan.relaxation import arrays
from kyotsu.plan.search import Open, cost_of

CLOSED = 1e-6  # -, of the least cost


@dataclass(frozen=True, slots=True, eq=False)
class Robust:
    """Families under scenarios.

    Attributes:
        scenarios: names.
        families: sets of open parts that were met, shape (family, part); the first are the best of each scenario.
        cost: of each family in each scenario, shape (family, scenario).
        best: least cost in each scenario, shape (scenario,).
        choice: index of the family of least greatest regret.
        bound: no family has a lower greatest regret than this.
        proven: whether `choice` is known to be best.
    """

    scenarios: tuple[str, ...]
    families: Open
    cost: FloatArray
    best: FloatArray
    choice: int
    bound: float
    proven: bool

    @property
    def regret(self) -> FloatArray:
        """Cost of each family beyond the best of each scenario, shape (family, scenario)."""
        return self.cost - self.best

    @property
    def greatest_regret(self) -> FloatArray:
        """The most that each family can be regretted, shape (family,)."""
        return np.asarray(self.regret.max(axis=1))


def least_regret(
    scenarios: Sequence[Assortment],
    names: Sequence[str],
    *,
    rounds: int = 30,
    seconds: float = 60.0,
    families: Sequence[Open] = (),
) -> Robust:
    """The family of least greatest regret over scenarios.

    Args:
        scenarios: the same parts, vehicles and offers at different costs.
        names: of the scenarios.
        rounds: at most so many weights are tried.
        seconds: time for each of them.
        families: to be judged too.

    Raises:
        InputError: no scenario, or scenarios of different problems.
    """
    _check(scenarios, names)
    laid_out = [arrays(choice.usable()) for choice in scenarios]
    answers = [solve(choice, seconds=seconds) for choice in scenarios]
    best = np.array([answer.cost for answer in answers])
    met: list[Open] = []
    cost: list[list[float]] = []

    def meet(family: Open) -> None:
        if not any(np.array_equal(family, known) for known in met):
            met.append(family)
            cost.append([cost_of(a, family) for a in laid_out])

    for family in (*(answer.is_open for answer in answers), *families):
        meet(family)
    close = CLOSED * float(best.min())
    exact = all(answer.proven for answer in answers)
    bound = 0.0
    for _ in range(rounds):
        regret = np.array(cost) - best
        least = regret.max(axis=1).min()
        if least - bound <= close:
            break
        weights = _weights(regret)
        answer = solve(_mean(scenarios, weights), seconds=seconds)
        bound = max(bound, answer.bound - float(weights @ best))
        before = len(met)
        meet(answer.is_open)
        if len(met) == before:
            break
    regret = np.array(cost) - best
    choice = int(np.argmin(regret.max(axis=1)))
    least = float(regret[choice].max())
    return Robust(
        tuple(names),
        np.array(met),
        np.array(cost),
        best,
        choice,
        min(bound, least),
        exact and least - bound <= close,
    )


def _weights(regret: FloatArray) -> FloatArray:
    """Weights on the scenarios for which the best of the known families is as bad as can be, shape (scenario,)."""
    families, scenarios = regret.shape
    scale = max(float(regret.max()), 1e-9)
    found = linprog(
        np.append(np.zeros(scenarios), -1.0),
        A_ub=np.hstack([-regret / scale, np.ones((families, 1))]),
        b_ub=np.zeros(families),
        A_eq=[[*np.ones(scenarios), 0.0]],
        b_eq=[1.0],
        bounds=[(0.0, 1.0)] * scenarios + [(None, None)],
    )
    weights = np.maximum(found.x[:scenarios], 0.0)
    return np.asarray(weights / weights.sum())


def _mean(scenarios: Sequence[Assortment], weights: FloatArray) -> Assortment:
    """All scenarios side by side, each with its vehicles at its weight, over one family of parts."""
    used = [(choice, weight) for choice, weight in zip(scenarios, weights, strict=True) if weight > 0.0]
    first = scenarios[0]
    vehicles, menus, needs = len(first.vehicle_names), first.menu_vehicle.size, first.need_menu.size
    places = int(first.need_place.max(initial=0)) + 1
    copies = range(len(used))
    return replace(
        first,
        part_cost=np.sum([weight * choice.part_cost for choice, weight in used], axis=0),
        vehicle_names=[f"{name} ({copy})" for copy in copies for name in first.vehicle_names],
        menu_vehicle=np.concatenate([first.menu_vehicle + copy * vehicles for copy in copies]),
        need_menu=np.concatenate([first.need_menu + copy * menus for copy in copies]),
        need_place=np.concatenate([first.need_place + copy * places for copy in copies]),
        offer_need=np.concatenate([first.offer_need + copy * needs for copy in copies]),
        offer_part=np.tile(first.offer_part, len(used)),
        offer_cost=np.concatenate([weight * choice.offer_cost for choice, weight in used]),
    )


def _check(scenarios: Sequence[Assortment], names: Sequence[str]) -> None:
    problems = []
    if not scenarios or len(names) != len(scenarios):
        found = f"{len(scenarios)} scenarios and {len(names)} names"
        problems.append(Problem(Location(key="scenarios"), found, "as many of each, at least one", "Add a scenario."))
    for name, choice in zip(names, scenarios, strict=False):
        first = scenarios[0]
        same = all(
            np.array_equal(getattr(choice, field), getattr(first, field))
            for field in ("menu_vehicle", "need_menu", "offer_need", "offer_part")
        )
        if not same or list(choice.part_names) != list(first.part_names):
            place = Location(key=f"scenarios.{name}")
            problems.append(Problem(place, "other parts or offers", "those of the first", "Change costs only."))
    if problems:
        raise InputError(problems)
