"""Bounds for an assortment: the Lagrangian relaxation of "every need of the chosen menu is filled".

Relaxed with one price u for each need, the problem falls apart: a part is worth opening where what it would save at
these prices outweighs its fixed cost; a vehicle takes the menu whose needs cost least. For any prices u >= 0

    L(u) = sum_v min_k sum_(r in k) u_r + min over sets S that the limits allow of sum_(j in S) rho_j
    rho_j = f_j + sum_places min(0, min_e (c_e - u_r(e)))

is at most the cost of any plan. The prices are raised by a subgradient method with a smoothed direction.
Beasley, Lagrangean heuristics for location problems, EJOR 65 (1993) 383; Barahona and Chudak, Near-optimal solutions
to large-scale facility location problems, Discrete Optimization 2 (2005) 35.

All compiled functions take `Arrays`, and a `Node`: what a part of the search allows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from kyotsu.plan.assortment import Assortment, FloatArray, IntArray

NOWHERE = 1e13  # cost of a need that no open part can fill: above any cost, small enough to keep digits
Status = npt.NDArray[np.int8]
ShortArray = npt.NDArray[np.int32]  # half the memory where there are millions of offers


class Node(NamedTuple):
    """A part of the search: which parts may be open, and how many.

    Groups of parts never cross: each is within one kind, or made of whole kinds.
    """

    status: Status  # parts free (0), required (1) or excluded (-1), shape (part,)
    group: npt.NDArray[np.int32]  # of each part, shape (part,)
    most: IntArray  # open parts of each group, required ones among them, shape (group,); -1 is no limit


class Arrays(NamedTuple):
    """An assortment laid out for compiled loops."""

    part_kind: IntArray
    part_cost: FloatArray
    kind_limit: IntArray  # -1 is no limit
    limit: int
    kind_needed: npt.NDArray[np.bool_]  # some vehicle cannot do without a part of this kind
    part_offer: IntArray  # first of each part in the two below, shape (part + 1,)
    need: ShortArray  # of each offer, sorted by part and need
    cost: FloatArray
    need_offer: IntArray  # first entry of each need in the two below, shape (need + 1,)
    cheap_part: ShortArray  # parts by rising cost for each need
    cheap_cost: FloatArray
    need_menu: IntArray
    need_place: IntArray
    by_place: IntArray  # needs sorted by place
    menu_need: IntArray  # first need of each menu, shape (menu + 1,)
    menu_vehicle: IntArray
    vehicle_menu: IntArray  # first menu of each vehicle, shape (vehicle + 1,)


def arrays(choice: Assortment) -> Arrays:
    """Lay an assortment out for the compiled functions."""
    parts, needs, menus, vehicles = (
        choice.part_kind.size, choice.need_menu.size, choice.menu_vehicle.size, len(choice.vehicle_names)
    )  # fmt: skip
    order = np.lexsort((choice.offer_need, choice.offer_part))
    part = choice.offer_part[order]
    cheap = np.lexsort((choice.offer_part, choice.offer_cost, choice.offer_need))
    return Arrays(
        part_kind=choice.part_kind.astype(np.int64),
        part_cost=choice.part_cost.astype(np.float64),
        kind_limit=choice.kind_limit.astype(np.int64),
        limit=int(choice.limit),
        kind_needed=_needed(choice),
        part_offer=np.searchsorted(part, np.arange(parts + 1)),
        need=choice.offer_need[order].astype(np.int32),
        cost=choice.offer_cost[order].astype(np.float64),
        need_offer=np.searchsorted(choice.offer_need[cheap], np.arange(needs + 1)),
        cheap_part=choice.offer_part[cheap].astype(np.int32),
        cheap_cost=choice.offer_cost[cheap].astype(np.float64),
        need_menu=choice.need_menu.astype(np.int64),
        need_place=choice.need_place.astype(np.int64),
        by_place=np.argsort(choice.need_place, kind="stable").astype(np.int64),
        menu_need=np.searchsorted(choice.need_menu, np.arange(menus + 1)),
        menu_vehicle=choice.menu_vehicle.astype(np.int64),
        vehicle_menu=np.searchsorted(choice.menu_vehicle, np.arange(vehicles + 1)),
    )


def _needed(choice: Assortment) -> npt.NDArray[np.bool_]:
    """Kinds of which at least one part is in every plan: a vehicle needs it in each of its menus."""
    needed = np.zeros(len(choice.kinds), dtype=np.bool_)
    for kind in range(len(choice.kinds)):
        of_kind = choice.part_kind[choice.offer_part] == kind
        other = np.unique(choice.offer_need[~of_kind])
        only = np.setdiff1d(np.unique(choice.offer_need[of_kind]), other)
        menus = np.unique(choice.need_menu[only])
        count = np.bincount(choice.menu_vehicle[menus], minlength=len(choice.vehicle_names))
        needed[kind] = bool(np.any((count > 0) & (count == np.bincount(choice.menu_vehicle, minlength=count.size))))
    return needed


class Live(NamedTuple):
    """Offers of parts that are not excluded, by need and rising cost; as in `Arrays`."""

    need_offer: IntArray
    part: ShortArray
    cost: FloatArray


@njit(cache=True, nogil=True)
def live_offers(a: Arrays, status: Status) -> Live:
    """The offers that a node leaves."""
    if np.all(status >= 0):
        return Live(a.need_offer, a.cheap_part, a.cheap_cost)
    size = 0
    for part in a.cheap_part:
        size += status[part] >= 0
    first, part_of, cost = np.empty(a.need_offer.size, np.int64), np.empty(size, np.int32), np.empty(size)
    size = 0
    for need in range(first.size - 1):
        first[need] = size
        for index in range(a.need_offer[need], a.need_offer[need + 1]):
            if status[a.cheap_part[index]] >= 0:
                part_of[size], cost[size] = a.cheap_part[index], a.cheap_cost[index]
                size += 1
    first[-1] = size
    return Live(first, part_of, cost)


@njit(cache=True, nogil=True)
def reduced_costs(a: Arrays, live: Live, status: Status, prices: FloatArray, rho: FloatArray) -> None:
    """Fill `rho` with the fixed cost of each part less what it saves at these prices; 0 of excluded parts.

    Only offers below the price are looked at: they come first among those of a need, and are few.
    """
    seen, saved = np.full(rho.size, -1, np.int64), np.empty(rho.size)  # last place of a part, and its saving there
    for part in range(rho.size):
        rho[part] = a.part_cost[part] if status[part] >= 0 else 0.0
    for need in a.by_place:
        place, price = a.need_place[need], prices[need]
        for index in range(live.need_offer[need], live.need_offer[need + 1]):
            saving = price - live.cost[index]
            if saving <= 0.0:
                break
            part = live.part[index]
            if seen[part] != place:
                seen[part], saved[part] = place, saving
                rho[part] -= saving
            elif saving > saved[part]:
                rho[part] -= saving - saved[part]
                saved[part] = saving


@njit(cache=True, nogil=True)
def _room(a: Arrays, node: Node, part: int, total: int, of_kind: IntArray, of_group: IntArray) -> bool:
    """Whether the limits leave room for one more part."""
    kind, group = a.part_kind[part], node.group[part]
    if 0 <= a.limit <= total or 0 <= a.kind_limit[kind] <= of_kind[kind]:
        return False
    return not 0 <= node.most[group] <= of_group[group]


@njit(cache=True, nogil=True)
def choose_parts(a: Arrays, node: Node, rho: FloatArray, chosen: npt.NDArray[np.bool_]) -> float:
    """Fill `chosen` with the cheapest set of parts within the limits; returns its cost, infinity if there is none.

    One of each kind that nothing can do without comes first, whatever it costs; then the cheapest that there is room
    for: the limits are nested, so that to be greedy is best.
    """
    of_kind, of_group = np.zeros(a.kind_limit.size, np.int64), np.zeros(node.most.size, np.int64)
    total, value = 0, 0.0
    candidates, size = np.empty(rho.size, np.int64), 0
    for part in range(rho.size):
        chosen[part] = node.status[part] == 1
        if chosen[part]:
            of_kind[a.part_kind[part]] += 1
            of_group[node.group[part]] += 1
            total += 1
            value += rho[part]
        elif node.status[part] == 0 and rho[part] < 0.0:
            candidates[size] = part
            size += 1
    for kind in range(of_kind.size):
        if not a.kind_needed[kind] or of_kind[kind] > 0:
            continue
        best = -1
        for part in range(rho.size):
            better = a.part_kind[part] == kind and node.status[part] == 0 and (best < 0 or rho[part] < rho[best])
            if better and _room(a, node, part, total, of_kind, of_group):
                best = part
        if best < 0:
            return np.inf
        chosen[best] = True
        of_kind[kind] += 1
        of_group[node.group[best]] += 1
        total += 1
        value += rho[best]
    for part in candidates[:size][np.argsort(rho[candidates[:size]])]:
        if chosen[part] or not _room(a, node, part, total, of_kind, of_group):
            continue
        chosen[part] = True
        of_kind[a.part_kind[part]] += 1
        of_group[node.group[part]] += 1
        total += 1
        value += rho[part]
    return value


@njit(cache=True, nogil=True)
def choose_menus(a: Arrays, prices: FloatArray, gradient: FloatArray) -> float:
    """Fill `gradient` with 1 for each need of the cheapest menus, else 0; returns their cost."""
    value = 0.0
    gradient[:] = 0.0
    for vehicle in range(a.vehicle_menu.size - 1):
        least, best = np.inf, -1
        for menu in range(a.vehicle_menu[vehicle], a.vehicle_menu[vehicle + 1]):
            total = 0.0
            for need in range(a.menu_need[menu], a.menu_need[menu + 1]):
                total += prices[need]
            if total < least:
                least, best = total, menu
        value += least
        if best >= 0:
            for need in range(a.menu_need[best], a.menu_need[best + 1]):
                gradient[need] = 1.0
    return value


@njit(cache=True, nogil=True)
def fill_gradient(
    a: Arrays, prices: FloatArray, chosen: npt.NDArray[np.bool_], gradient: FloatArray, best: IntArray
) -> None:
    """Take from `gradient` 1 for each need that a chosen part fills at a profit, the best one at each place.

    `best`, shape (place,), is room to work in.
    """
    for part in range(chosen.size):
        if not chosen[part]:
            continue
        first, last = a.part_offer[part], a.part_offer[part + 1]
        for index in range(first, last):
            best[a.need_place[a.need[index]]] = -1
        for index in range(first, last):
            need = a.need[index]
            if a.cost[index] >= prices[need]:
                continue
            before = best[a.need_place[need]]
            if before >= 0:
                if prices[need] - a.cost[index] <= prices[a.need[before]] - a.cost[before]:
                    continue
                gradient[a.need[before]] += 1.0
            gradient[need] -= 1.0
            best[a.need_place[need]] = index


@njit(cache=True, nogil=True)
def ascend(
    a: Arrays, node: Node, prices: FloatArray, upper: float, rounds: int, theta: float, stop: float
) -> tuple[float, FloatArray, FloatArray, npt.NDArray[np.bool_], FloatArray, float]:
    """Raise the bound by up to `rounds` steps.

    Args:
        a: the problem.
        node: what is allowed.
        prices: where to start, shape (need,).
        upper: cost of the best plan known.
        rounds: at most so many steps.
        theta: relaxation factor of the step, 0..2.
        stop: a bound that is high enough.

    Returns:
        The best bound, its prices, reduced costs and chosen parts; a smoothed share in which parts were
        chosen, shape (part,); and the factor reached.
    """
    parts = a.part_kind.size
    rho, gradient, direction = np.empty(parts), np.empty(prices.size), np.zeros(prices.size)
    chosen, share = np.zeros(parts, np.bool_), np.zeros(parts)
    best, best_prices, best_rho, best_chosen = 0.0, prices.copy(), rho.copy(), chosen.copy()
    prices = prices.copy()
    live = live_offers(a, node.status)
    for need in range(prices.size):
        if live.need_offer[need] == live.need_offer[need + 1]:
            prices[need] = NOWHERE  # no menu is taken for a need that no part may fill
    best_offer = np.empty(a.need_place.max() + 1 if prices.size else 0, np.int64)
    idle = 0
    for number in range(rounds):
        reduced_costs(a, live, node.status, prices, rho)
        value = choose_parts(a, node, rho, chosen) + choose_menus(a, prices, gradient)
        fill_gradient(a, prices, chosen, gradient, best_offer)
        for part in range(parts):
            share[part] = 0.95 * share[part] + (0.05 if chosen[part] else 0.0)
        if value == np.inf:
            return np.inf, prices, rho, chosen, share, theta
        if number == 0 or value > best:
            if number == 0 or value - best > 1e-5 * (upper - best):
                idle = 0
            best = value
            best_prices[:] = prices
            best_rho[:] = rho
            best_chosen[:] = chosen
        else:
            idle += 1
            if idle >= 12:
                theta *= 0.6
                idle = 0
                prices[:] = best_prices
                direction[:] = 0.0
                continue
        if best >= stop or theta < 1e-4:
            break
        norm = 0.0
        for need in range(prices.size):
            slope = gradient[need]
            if prices[need] <= 0.0 and slope < 0.0:
                slope = 0.0
            direction[need] = 0.4 * direction[need] + slope
            norm += direction[need] * direction[need]
        if norm < 1e-12:
            break
        length = theta * max(upper - value, 1e-9 * abs(upper)) / norm
        for need in range(prices.size):
            prices[need] = max(prices[need] + length * direction[need], 0.0)
    return best, best_prices, best_rho, best_chosen, share, theta


@njit(cache=True, nogil=True)
def opening_penalties(a: Arrays, node: Node, rho: FloatArray, chosen: npt.NDArray[np.bool_]) -> FloatArray:
    """By how much the bound rises when a part's choice is turned over, shape (part,); 0 where that is not known.

    Of a chosen part it is the rise when it stays closed, of another when it is open. The limits being nested, one
    part turned over changes one other at most.
    """
    status, most, group = node.status, node.most, node.group
    kinds, groups = a.kind_limit.size, most.size
    of_kind, of_group, total = np.zeros(kinds, np.int64), np.zeros(groups, np.int64), 0
    for part in range(rho.size):
        if chosen[part]:
            of_kind[a.part_kind[part]] += 1
            of_group[group[part]] += 1
            total += 1
    # Reduced cost of the dearest free part chosen, and of the cheapest that is not: in all, by kind, by group. A part
    # whose group is full can only come for one of its group.
    out, out_kind, out_group = -np.inf, np.full(kinds, -np.inf), np.full(groups, -np.inf)
    spare, spare_kind, spare_group = np.inf, np.full(kinds, np.inf), np.full(groups, np.inf)
    for part in range(rho.size):
        if status[part] != 0:
            continue
        kind, own, value = a.part_kind[part], group[part], rho[part]
        if chosen[part]:
            out = max(out, value)
            out_kind[kind] = max(out_kind[kind], value)
            out_group[own] = max(out_group[own], value)
            continue
        spare_kind[kind] = min(spare_kind[kind], value)
        spare_group[own] = min(spare_group[own], value)
        if not 0 <= most[own] <= of_group[own]:
            spare = min(spare, value)
    penalty = np.zeros(rho.size)
    for part in range(rho.size):
        if status[part] != 0:
            continue
        kind, own = a.part_kind[part], group[part]
        only = a.kind_needed[kind] and of_kind[kind] == 1
        if chosen[part]:
            gain = min(spare, spare_group[own], 0.0)
            if only:
                gain = min(spare_kind[kind], NOWHERE)  # another of this kind has to come
            penalty[part] = max(gain - rho[part], 0.0)
            continue
        goes = 0.0
        if 0 <= a.limit <= total and out > -np.inf:
            goes = min(out, 0.0)
        if 0 <= a.kind_limit[kind] <= of_kind[kind] and out_kind[kind] > -np.inf:
            goes = min(out_kind[kind], 0.0)
        if 0 <= most[own] <= of_group[own] and out_group[own] > -np.inf:
            goes = min(out_group[own], 0.0)
        if only and out_kind[kind] > 0.0:
            goes = out_kind[kind]
        penalty[part] = max(rho[part] - goes, 0.0)
    return penalty


def first_prices(a: Arrays) -> FloatArray:
    """Prices to start from: the cost of the second cheapest offer of each need."""
    first, last = a.need_offer[:-1], a.need_offer[1:]
    return np.asarray(a.cheap_cost[np.minimum(first + 1, np.maximum(last - 1, first))], dtype=np.float64)
