"""Bounds for an assortment: the Lagrangian relaxation of "every need of the chosen menu is filled".

Relaxed with one price u for each need, the problem falls apart: a part is worth opening where what it would save at
these prices outweighs its fixed cost; a vehicle takes the menu whose needs cost least. For any prices u >= 0

    L(u) = sum_v min_k sum_(r in k) u_r + min over sets S that the limits allow of sum_(j in S) rho_j
    rho_j = f_j + sum_places min(0, min_e (c_e - u_r(e)))

is at most the cost of any plan. The prices are raised by a subgradient method with a smoothed direction.
Beasley, Lagrangean heuristics for location problems, EJOR 65 (1993) 383; Barahona and Chudak, Near-optimal solutions
to large-scale facility location problems, Discrete Optimization 2 (2005) 35.

All compiled functions take `Arrays`; parts are free (0), required (1) or excluded (-1) by `status`, shape (part,).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from kyotsu.plan.assortment import Assortment, FloatArray, IntArray

NOWHERE = 1e13  # cost of a need that no open part can fill: above any cost, small enough to keep digits
Status = npt.NDArray[np.int8]


class Arrays(NamedTuple):
    """An assortment laid out for compiled loops."""

    part_kind: IntArray
    part_cost: FloatArray
    kind_limit: IntArray  # -1 is no limit
    limit: int
    kind_needed: npt.NDArray[np.bool_]  # some vehicle cannot do without a part of this kind
    part_offer: IntArray  # first offer of each part, shape (part + 1,)
    need: IntArray  # of each offer, sorted by part and need
    cost: FloatArray
    same_place: npt.NDArray[np.bool_]  # offers by part and place: the one before is of the same part and place
    by_place: IntArray  # offers sorted by part and place
    need_offer: IntArray  # first entry of each need in the two below, shape (need + 1,)
    cheap_part: IntArray  # parts by rising cost for each need
    cheap_cost: FloatArray
    need_menu: IntArray
    menu_need: IntArray  # first need of each menu, shape (menu + 1,)
    menu_vehicle: IntArray
    vehicle_menu: IntArray  # first menu of each vehicle, shape (vehicle + 1,)


def arrays(choice: Assortment) -> Arrays:
    """Lay an assortment out for the compiled functions."""
    parts, needs, menus, vehicles = (
        choice.part_kind.size, choice.need_menu.size, choice.menu_vehicle.size, len(choice.vehicle_names)
    )  # fmt: skip
    order = np.lexsort((choice.offer_need, choice.offer_part))
    need, part, cost = choice.offer_need[order], choice.offer_part[order], choice.offer_cost[order]
    place = choice.need_place[need]
    by_place = np.lexsort((place, part))
    same = np.zeros(need.size, dtype=np.bool_)
    same[1:] = (part[by_place][1:] == part[by_place][:-1]) & (place[by_place][1:] == place[by_place][:-1])
    cheap = np.lexsort((cost, need))
    return Arrays(
        part_kind=choice.part_kind.astype(np.int64),
        part_cost=choice.part_cost.astype(np.float64),
        kind_limit=choice.kind_limit.astype(np.int64),
        limit=int(choice.limit),
        kind_needed=_needed(choice),
        part_offer=np.searchsorted(part, np.arange(parts + 1)),
        need=need.astype(np.int64),
        cost=cost.astype(np.float64),
        same_place=same,
        by_place=by_place.astype(np.int64),
        need_offer=np.searchsorted(need[cheap], np.arange(needs + 1)),
        cheap_part=part[cheap].astype(np.int64),
        cheap_cost=cost[cheap].astype(np.float64),
        need_menu=choice.need_menu.astype(np.int64),
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


@njit(cache=True, nogil=True, fastmath=True)
def reduced_costs(a: Arrays, status: Status, prices: FloatArray, rho: FloatArray) -> None:
    """Fill `rho` with the fixed cost of each part less what it saves at these prices; 0 of excluded parts."""
    for part in range(a.part_kind.size):
        if status[part] < 0:
            rho[part] = 0.0
            continue
        saved, least = 0.0, 0.0
        for index in range(a.part_offer[part], a.part_offer[part + 1]):
            offer = a.by_place[index]
            gain = a.cost[offer] - prices[a.need[offer]]
            if not a.same_place[index]:
                saved += least
                least = 0.0
            least = min(least, gain)
        rho[part] = a.part_cost[part] + saved + least


@njit(cache=True, nogil=True)
def choose_parts(a: Arrays, status: Status, rho: FloatArray, chosen: npt.NDArray[np.bool_]) -> float:
    """Fill `chosen` with the cheapest set of parts within the limits; returns its cost, infinity if there is none."""
    kinds = a.kind_limit.size
    count, total, value = np.zeros(kinds, np.int64), 0, 0.0
    candidates = np.empty(rho.size, np.int64)
    size = 0
    for part in range(rho.size):
        chosen[part] = status[part] == 1
        if chosen[part]:
            count[a.part_kind[part]] += 1
            total += 1
            value += rho[part]
        elif status[part] == 0 and rho[part] < 0.0:
            candidates[size] = part
            size += 1
    # One of each kind that nothing can do without, whatever it costs.
    for kind in range(kinds):
        if a.kind_needed[kind] and count[kind] == 0:
            best = -1
            for part in range(rho.size):
                if a.part_kind[part] == kind and status[part] == 0 and (best < 0 or rho[part] < rho[best]):
                    best = part
            room = (a.limit < 0 or total < a.limit) and a.kind_limit[kind] != 0
            if best < 0 or not room:
                return np.inf
            chosen[best] = True
            count[kind] += 1
            total += 1
            value += rho[best]
    order = candidates[:size][np.argsort(rho[candidates[:size]])]
    for part in order:
        kind = a.part_kind[part]
        if chosen[part] or (a.limit >= 0 and total >= a.limit):
            continue
        if a.kind_limit[kind] >= 0 and count[kind] >= a.kind_limit[kind]:
            continue
        chosen[part] = True
        count[kind] += 1
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
def fill_gradient(a: Arrays, prices: FloatArray, chosen: npt.NDArray[np.bool_], gradient: FloatArray) -> None:
    """Take from `gradient` 1 for each need that a chosen part fills at a profit."""
    for part in range(chosen.size):
        if not chosen[part]:
            continue
        least, best = 0.0, -1
        for index in range(a.part_offer[part], a.part_offer[part + 1]):
            offer = a.by_place[index]
            if not a.same_place[index]:
                if best >= 0:
                    gradient[best] -= 1.0
                least, best = 0.0, -1
            gain = a.cost[offer] - prices[a.need[offer]]
            if gain < least:
                least, best = gain, a.need[offer]
        if best >= 0:
            gradient[best] -= 1.0


@njit(cache=True, nogil=True)
def ascend(
    a: Arrays, status: Status, prices: FloatArray, upper: float, rounds: int, theta: float, stop: float
) -> tuple[float, FloatArray, FloatArray, npt.NDArray[np.bool_], FloatArray, float]:
    """Raise the bound by up to `rounds` steps.

    Args:
        a: the problem.
        status: of the parts.
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
    idle = 0
    for number in range(rounds):
        reduced_costs(a, status, prices, rho)
        value = choose_parts(a, status, rho, chosen) + choose_menus(a, prices, gradient)
        fill_gradient(a, prices, chosen, gradient)
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
def opening_penalties(a: Arrays, status: Status, rho: FloatArray, chosen: npt.NDArray[np.bool_]) -> FloatArray:
    """By how much the bound rises when a part's choice is turned over, shape (part,); 0 where that is not known.

    Of a chosen part it is the rise when it stays closed, of another when it is open.
    """
    kinds = a.kind_limit.size
    count, total = np.zeros(kinds, np.int64), 0
    worst = np.full(kinds, -1, np.int64)  # chosen free part that costs most, by kind
    spare = np.full(kinds, -1, np.int64)  # part not chosen that costs least, by kind
    for part in range(rho.size):
        kind = a.part_kind[part]
        if chosen[part]:
            count[kind] += 1
            total += 1
            if status[part] == 0 and (worst[kind] < 0 or rho[part] > rho[worst[kind]]):
                worst[kind] = part
        elif status[part] == 0 and (spare[kind] < 0 or rho[part] < rho[spare[kind]]):
            spare[kind] = part
    worst_of_all, spare_of_all = -1, -1
    for kind in range(kinds):
        if worst[kind] >= 0 and (worst_of_all < 0 or rho[worst[kind]] > rho[worst_of_all]):
            worst_of_all = worst[kind]
        if spare[kind] >= 0 and (spare_of_all < 0 or rho[spare[kind]] < rho[spare_of_all]):
            spare_of_all = spare[kind]
    penalty = np.zeros(rho.size)
    for part in range(rho.size):
        if status[part] != 0:
            continue
        kind = a.part_kind[part]
        if chosen[part]:
            gain = min(rho[spare_of_all], 0.0) if spare_of_all >= 0 else 0.0
            if a.kind_needed[kind] and count[kind] == 1:
                gain = rho[spare[kind]] if spare[kind] >= 0 else NOWHERE  # another of this kind has to come
            penalty[part] = max(gain - rho[part], 0.0)
        else:
            out = 0.0  # of the part that has to go for it
            if a.limit >= 0 and total >= a.limit and worst_of_all >= 0:
                out = min(rho[worst_of_all], 0.0)
            if a.kind_limit[kind] >= 0 and count[kind] >= a.kind_limit[kind] and worst[kind] >= 0:
                out = min(rho[worst[kind]], 0.0)
            if a.kind_needed[kind] and count[kind] == 1 and worst[kind] >= 0 and rho[worst[kind]] > 0.0:
                out = rho[worst[kind]]
            penalty[part] = max(rho[part] - out, 0.0)
    return penalty


def first_prices(a: Arrays) -> FloatArray:
    """Prices to start from: the cost of the second cheapest offer of each need."""
    first, last = a.need_offer[:-1], a.need_offer[1:]
    return np.asarray(a.cheap_cost[np.minimum(first + 1, np.maximum(last - 1, first))], dtype=np.float64)
