"""Proof for an assortment: branch and bound over which parts are open, with Lagrangian bounds.

A node fixes some parts open and some closed. Its bound starts from the prices of its parent; parts whose other choice
would lift the bound past the best plan are fixed on the way. Nodes are taken lowest bound first, so that the bound of
the whole is that of the next node at any time: stopped early, an answer still says how far from optimal it can be.
"""

from __future__ import annotations

import heapq
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.plan.assortment import Assortment, FloatArray
from kyotsu.plan.relaxation import (
    NOWHERE,
    Node,
    Status,
    arrays,
    ascend,
    choose_parts,
    first_prices,
    opening_penalties,
)
from kyotsu.plan.rest import solve_rest, useful_offers
from kyotsu.plan.search import Open, cost_of, improve
from kyotsu.plan.splits import cases, families, whole_group

ROOT_ROUNDS, ROOT_CALLS = 150, 12
NODE_ROUNDS = 60
NODES_FIRST, NODES_FACTOR = 150, 4  # before HiGHS is asked, and by how much more before it is asked again
REST_OFFERS = 60_000  # at most, that HiGHS is asked to choose among
ENUMERATED = 300  # sets of parts that are tried one by one rather than branched on
ROUNDING = 1e-10  # -, relative, of sums of costs


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The best set of open parts found, and how good it is known to be.

    Attributes:
        is_open: the parts, shape (part,).
        cost: of the plan.
        bound: no plan costs less.
        seconds: it took.
        nodes: of the search.
    """

    is_open: Open
    cost: float
    bound: float
    seconds: float
    nodes: int

    @property
    def gap(self) -> float:
        """Part of the cost by which a better plan could at most be cheaper [-]."""
        return max(self.cost - self.bound, 0.0) / self.cost if self.cost else 0.0

    @property
    def proven(self) -> bool:
        """Whether no plan is cheaper."""
        return self.gap <= 0.0

    def __repr__(self) -> str:
        state = "proven" if self.proven else f"gap {100.0 * self.gap:.4f} %"
        return f"Answer(cost {self.cost:g}, {state}, {int(self.is_open.sum())} parts, {self.seconds:.2f} s)"


def solve(
    choice: Assortment,
    *,
    seconds: float = 300.0,
    start: Open | None = None,
    report: Callable[[float, float], None] | None = None,
) -> Answer:
    """The cheapest set of open parts from which every vehicle can be built.

    Interrupted (Ctrl-C) it answers as when the time is over, only sooner.

    Args:
        choice: the problem.
        seconds: time after which the best plan so far is given.
        start: open parts to begin with, within the limits.
        report: called now and then with the cost and the bound.

    Raises:
        InputError: some vehicle cannot be built, or not within the limits.
    """
    return _Search(choice.usable(), seconds, report).run(start)


class _Search:
    def __init__(self, choice: Assortment, seconds: float, report: Callable[[float, float], None] | None) -> None:
        self.begin = time.perf_counter()
        self.choice, self.seconds, self.report = choice, seconds, report
        self.a = arrays(choice)
        self.whole = choice.whole
        self.best: Open = choice.required.copy()
        self.cost = np.inf
        self.nodes = 0
        self.stopped = False
        self.tried: set[bytes] = set()
        self.bound = 0.0

    def run(self, start: Open | None) -> Answer:
        a, choice = self.a, self.choice
        root = whole_group(choice)
        if np.unique(choice.menu_vehicle).size < len(choice.vehicle_names) or not self.allowed(root):
            raise InputError([_unbuildable(choice)])
        if start is not None:
            self.try_set(start.copy(), root.status)
        with self.heard(), suppress(KeyboardInterrupt):
            self.prove(root, first_prices(a))
        if self.cost >= NOWHERE:
            raise InputError([_unbuildable(choice) if self.bound >= NOWHERE else _not_found(self.seconds)])
        return Answer(self.best, self.cost, min(self.bound, self.cost), time.perf_counter() - self.begin, self.nodes)

    @property
    def cutoff(self) -> float:
        """A bound at or above it leaves no room for a cheaper plan."""
        if not np.isfinite(self.cost):
            return np.inf
        if self.whole:
            return self.cost - 1.0 + max(1e-6, ROUNDING * self.cost)
        return self.cost * (1.0 - ROUNDING)

    @property
    def late(self) -> bool:
        return self.stopped or time.perf_counter() - self.begin > self.seconds

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Take Ctrl-C as the end of the time: an exception would come up anywhere, even within compiled code.

        A second one is raised as ever. Outside the main thread, or where another handler is set, nothing changes.
        """
        ours = threading.current_thread() is threading.main_thread()
        if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return

        def stop(*_: object) -> None:
            self.stopped = True
            signal.signal(signal.SIGINT, signal.default_int_handler)

        signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def try_set(self, is_open: Open, status: Status, ins: int = 100, outs: int = 20) -> None:
        key = is_open.tobytes()
        if key in self.tried:
            return
        self.tried.add(key)
        cost = improve(self.a, status, is_open, ins, outs, 1000)
        self.tried.add(is_open.tobytes())
        if cost < self.cost:
            self.cost, self.best = cost, is_open

    def prove(self, node: Node, prices: FloatArray) -> None:
        a = self.a
        theta = 1.0
        guess = float(a.cheap_cost[a.need_offer[:-1]].sum()) * 1.5 + float(a.part_cost.sum())
        bound = 0.0
        for call in range(ROOT_CALLS):
            upper = self.cost if self.cost < NOWHERE else guess
            found, prices, rho, chosen, share, theta = ascend(a, node, prices, upper, ROOT_ROUNDS, theta, self.cutoff)
            gained = found - bound
            bound = max(bound, found)
            self.bound = max(self.bound, min(bound, self.cost))
            if bound >= self.cutoff:
                break
            self.try_set(self.likely(node, share), node.status)
            if call == 0:
                self.try_set(chosen.copy(), node.status)
            if bound >= self.cutoff or self.late:
                break
            node = self.fix(node, bound, rho, chosen)
            if call > 1 and gained < 0.02 * (self.cost - bound):
                break
            theta = max(theta, 0.1)
        if bound >= self.cutoff:
            self.bound = self.cost
            return
        if np.isinf(self.cost):
            self.cost = NOWHERE
        offers = useful_offers(self.choice, node.status, prices, rho, chosen, self.cost - found)
        needs = self.narrow(offers)
        self.branch(node, bound, prices[needs])

    def narrow(self, offers: Open) -> npt.NDArray[np.bool_]:
        """Go on with some of the offers only; returns which needs are left, shape (need,)."""
        before = self.choice
        self.choice = before.restricted(offers)
        self.a = arrays(self.choice)
        offered = np.zeros(before.need_menu.size, dtype=np.bool_)
        offered[before.offer_need[offers]] = True
        whole = np.ones(before.menu_vehicle.size, dtype=np.bool_)
        whole[before.need_menu[~offered]] = False
        return np.asarray(whole[before.need_menu])

    def likely(self, node: Node, share: FloatArray) -> Open:
        """The parts most often chosen, as many as the limits allow."""
        chosen = np.zeros(share.size, dtype=np.bool_)
        choose_parts(self.a, node, np.where(share > 0.05, -share, 1.0), chosen)
        return chosen

    def fix(self, node: Node, bound: float, rho: FloatArray, chosen: Open) -> Node:
        penalty = opening_penalties(self.a, node, rho, chosen)
        certain = (node.status == 0) & (bound + penalty >= self.cutoff)
        return node._replace(status=np.where(certain, np.where(chosen, 1, -1), node.status).astype(np.int8))

    def branch(self, node: Node, bound: float, prices: FloatArray) -> None:
        root = node
        self.family = families(self.choice)
        heap: list[tuple[float, int, Node, FloatArray]] = [(bound, 0, node, prices)]
        number, ask = 1, NODES_FIRST
        while heap:
            bound, _, node, prices = heapq.heappop(heap)
            self.bound = min(bound, self.cost)
            if bound >= self.cutoff:
                break
            if self.late:
                return
            self.nodes += 1
            if self.nodes == ask:
                ask *= NODES_FACTOR
                if self.finish(root.status):
                    break
            if self.report is not None and self.nodes % 20 == 0:
                self.report(self.cost, self.bound)
            for child in self.children(node, bound, prices):
                heapq.heappush(heap, (child[0], -number, child[1], child[2]))
                number += 1
        self.bound = self.cost

    def finish(self, status: Status) -> bool:
        """Let HiGHS solve what the root left, where that is little; False where it is not or time ran out.

        It has as long as the search so far: where many parts are open it is often done at once, where few are it
        would often take far longer than the search.
        """
        choice = self.choice
        if choice.offer_need.size > REST_OFFERS:
            return False
        spent = time.perf_counter() - self.begin
        rest = solve_rest(
            choice, status, self.cost, max(min(max(spent, 1.0), self.seconds - spent), 0.1), lambda: self.stopped
        )
        if rest.is_open is not None:
            cost = cost_of(self.a, rest.is_open)
            if cost < self.cost:
                self.cost, self.best = cost, rest.is_open
        self.bound = max(self.bound, min(rest.bound, self.cost))
        return rest.bound >= self.cutoff

    def children(self, node: Node, bound: float, prices: FloatArray) -> Iterator[tuple[float, Node, FloatArray]]:
        a = self.a
        found, prices, rho, chosen, share, _ = ascend(a, node, prices, self.cost, NODE_ROUNDS, 0.5, self.cutoff)
        bound = max(bound, found)
        if bound >= self.cutoff:
            return
        node = self.fix(node, found, rho, chosen)
        if self.nodes < 30 or self.nodes % 10 == 0:
            self.try_set(self.likely(node, share), node.status, 30, 10)
        if bound >= self.cutoff or self.enumerate(node):
            return
        menus = found - choose_parts(a, node, rho, chosen)
        for child in cases(a, self.family, node, share):
            if self.allowed(child):
                least = max(bound, menus + choose_parts(a, child, rho, chosen))
                if least < self.cutoff:
                    yield least, child, prices

    def allowed(self, node: Node) -> bool:
        """Whether the required parts are within the limits; parts that no limit leaves room for are closed."""
        a, status = self.a, node.status
        required = status == 1
        of_kind = np.bincount(a.part_kind[required], minlength=a.kind_limit.size)
        of_group = np.bincount(node.group[required], minlength=node.most.size)
        if 0 <= a.limit < required.sum():
            return False
        if np.any((a.kind_limit >= 0) & (of_kind > a.kind_limit)) or np.any((node.most >= 0) & (of_group > node.most)):
            return False
        full = (of_kind == a.kind_limit)[a.part_kind] | (of_group == node.most)[node.group]
        if required.sum() == a.limit:
            full[:] = True
        status[(status == 0) & full] = -1
        return True

    def enumerate(self, node: Node) -> bool:
        """Try all sets that a node still allows, if they are few; False if they are not."""
        a = self.a
        free = np.flatnonzero(node.status == 0)
        required = node.status == 1
        most = np.where(node.most < 0, free.size, node.most).sum() - int(required.sum())
        room = min(free.size, int(most), free.size if a.limit < 0 else a.limit - int(required.sum()))
        if sum(comb(free.size, size) for size in range(room + 1)) > ENUMERATED:
            return False
        for size in range(room + 1):
            for some in combinations(free, size):
                is_open = required.copy()
                is_open[list(some)] = True
                of_kind = np.bincount(a.part_kind[is_open], minlength=a.kind_limit.size)
                of_group = np.bincount(node.group[is_open], minlength=node.most.size)
                if np.any((a.kind_limit >= 0) & (of_kind > a.kind_limit)):
                    continue
                if np.any((node.most >= 0) & (of_group > node.most)):
                    continue
                cost = cost_of(a, is_open)
                if cost < self.cost:
                    self.cost, self.best = cost, is_open
        return True


def _unbuildable(choice: Assortment) -> Problem:
    built = np.zeros(len(choice.vehicle_names), dtype=np.bool_)
    built[choice.menu_vehicle] = True
    names = [name for name, found in zip(choice.vehicle_names, built, strict=True) if not found]
    if names:
        found = f"no way to build {', '.join(names[:5])}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        return Problem(
            Location(key="vehicles"), found, "at least one feasible build each", "Widen a requirement or add a part."
        )
    found = "no set of parts within the limits builds every vehicle"
    return Problem(Location(key="limits"), found, "limits that leave enough parts", "Allow more parts.")


def _not_found(seconds: float) -> Problem:
    found = f"no set of parts within the limits found in {seconds:g} s; there may be one"
    return Problem(Location(key="limits"), found, "limits that leave enough parts", "Allow more parts, or more time.")
