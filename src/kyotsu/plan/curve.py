"""The price of variety: the least cost for every number of open parts, and where more of them stop to pay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kyotsu.errors import InputError, Location, Problem
from kyotsu.plan.assortment import Assortment, FloatArray, IntArray
from kyotsu.plan.branch import Answer, solve


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Answers for rising bounds on the number of open parts.

    Attributes:
        limit: the bounds, shape (point,); fewer parts than the first cannot build every vehicle.
        answers: the plan at each; where more parts would not help, that of the bound before.
        complete: whether every bound was tried; False after an interruption.
    """

    limit: IntArray
    answers: tuple[Answer, ...]
    complete: bool = True

    @property
    def cost(self) -> FloatArray:
        """Cost of the plan at each bound, shape (point,)."""
        return np.array([answer.cost for answer in self.answers])

    @property
    def bound(self) -> FloatArray:
        """What no plan within each bound costs less than, shape (point,)."""
        return np.array([answer.bound for answer in self.answers])

    @property
    def proven(self) -> bool:
        """Whether every point is proven optimal."""
        return all(answer.proven for answer in self.answers)

    @property
    def marginal_saving(self) -> FloatArray:
        """What one more part than the bound before saves, shape (point,); 0 for the first."""
        return np.concatenate([[0.0], -np.diff(self.cost)])

    @property
    def knee(self) -> int:
        """The bound at which the curve bends most: farthest below the line from its first to its last saving.

        Satopaa et al., Finding a "Kneedle" in a Haystack, ICDCSW 2011, doi 10.1109/ICDCSW.2011.20, without smoothing: a
        proven curve carries no noise.
        """
        return knee(self.limit, self.cost)


def knee(limit: IntArray, cost: FloatArray) -> int:
    """The bound at which a falling curve bends most, see `Curve.knee`."""
    flat = int(np.argmax(cost <= cost[-1]))
    if flat < 2:
        return int(limit[flat])
    x = (limit[: flat + 1] - limit[0]) / (limit[flat] - limit[0])
    y = (cost[: flat + 1] - cost[flat]) / (cost[0] - cost[flat])
    return int(limit[int(np.argmax(1.0 - x - y))])


def cost_curve(
    choice: Assortment,
    first: int = 1,
    last: int | None = None,
    *,
    seconds: float = 300.0,
    report: Callable[[int, Answer], None] | None = None,
) -> Curve:
    """The least cost for each bound on the number of open parts from `first` to `last`.

    Solved from many parts to few, each starting from the plan before.

    Args:
        choice: the problem; its own bound on all parts is replaced, those on kinds stay.
        first: least bound; bounds that no plan keeps are left out.
        last: greatest bound; by default so many as the plan without a bound opens.
        seconds: time for each point.
        report: called with each bound and its answer.

    Raises:
        InputError: some vehicle cannot be built, or bounds that are none.
    """
    if first < 1 or (last is not None and last < first):
        found = f"{first} to {'any' if last is None else last}"
        raise InputError([Problem(Location(key="curve"), found, "1 or more, rising", "Correct the bounds.")])
    free = solve(choice.limited(-1), seconds=seconds)
    opened = int(free.is_open.sum())
    highest = opened if last is None else last
    if interrupted(free, seconds):
        return Curve(np.array([opened]), (free,), complete=False)
    found_answers: list[tuple[int, Answer]] = []
    before, complete = free, True
    for limit in range(highest, first - 1, -1):
        if limit >= opened and free.proven:
            answer = free
        else:
            try:
                answer = solve(choice.limited(limit), seconds=seconds, start=_smaller(choice, before, limit))
            except InputError:
                break
        found_answers.append((limit, answer))
        if report is not None:
            report(limit, answer)
        before = answer
        if interrupted(answer, seconds):  # what is there is kept
            complete = False
            break
    if not found_answers:
        expected = f"at least as many as every vehicle needs, more than {highest}"
        raise InputError([Problem(Location(key="curve"), f"at most {highest} parts", expected, "Allow more parts.")])
    found_answers.reverse()
    limits = np.array([limit for limit, _ in found_answers])
    return Curve(limits, tuple(answer for _, answer in found_answers), complete)


def interrupted(answer: Answer, seconds: float) -> bool:
    """Whether somebody stopped a solution before its proof and before its time was over."""
    return not answer.proven and answer.seconds < seconds


def _smaller(choice: Assortment, answer: Answer, limit: int) -> np.ndarray | None:
    """A set of at most `limit` parts to start from: those of a plan that carry most offers' worth."""
    is_open = answer.is_open.copy()
    spare = int(is_open.sum()) - limit
    if spare <= 0:
        return is_open
    offers = np.bincount(choice.offer_part, minlength=is_open.size)
    order = np.argsort(np.where(is_open & ~choice.required, offers, np.iinfo(np.int64).max), kind="stable")
    is_open[order[:spare]] = False
    return is_open if not np.any(choice.required & ~is_open) else None
