"""Plans for an assortment: the cost of a set of open parts, and better sets near it.

With the open parts given, every need takes its cheapest open offer and every vehicle its cheapest menu. `improve`
walks to the best neighbour (one part opened, closed, or exchanged for another) until none is better: the
interchange of Teitz and Bart, Operations Research 16 (1968) 955.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from kyotsu.plan.assortment import FloatArray, IntArray
from kyotsu.plan.relaxation import NOWHERE, Arrays, Status

Open = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def fill_needs(a: Arrays, is_open: Open, first: IntArray, best: FloatArray, second: FloatArray) -> None:
    """Cheapest open part of each need, its cost, and the cost of the next; NOWHERE where there is none."""
    for need in range(best.size):
        first[need], best[need], second[need] = -1, NOWHERE, NOWHERE
        for index in range(a.need_offer[need], a.need_offer[need + 1]):
            part = a.cheap_part[index]
            if is_open[part]:
                if first[need] < 0:
                    first[need], best[need] = part, a.cheap_cost[index]
                elif part != first[need]:
                    second[need] = a.cheap_cost[index]
                    break


@njit(cache=True, nogil=True)
def fill_menus(a: Arrays, best: FloatArray, menu: FloatArray, vehicle: FloatArray) -> float:
    """Cost of each menu and of each vehicle at its cheapest; returns their sum."""
    total = 0.0
    for v in range(vehicle.size):
        vehicle[v] = NOWHERE
        for k in range(a.vehicle_menu[v], a.vehicle_menu[v + 1]):
            menu[k] = 0.0
            for need in range(a.menu_need[k], a.menu_need[k + 1]):
                menu[k] += best[need]
            menu[k] = min(menu[k], NOWHERE)
            vehicle[v] = min(vehicle[v], menu[k])
        total += vehicle[v]
    return total


@njit(cache=True, nogil=True)
def cost_of(a: Arrays, is_open: Open) -> float:
    """Cost of the best plan with these open parts; NOWHERE and more where a vehicle cannot be built."""
    needs = a.need_menu.size
    best = np.empty(needs)
    fill_needs(a, is_open, np.empty(needs, np.int64), best, np.empty(needs))
    total = fill_menus(a, best, np.empty(a.menu_vehicle.size), np.empty(a.vehicle_menu.size - 1))
    for part in range(is_open.size):
        if is_open[part]:
            total += a.part_cost[part]
    return total


@njit(cache=True, nogil=True)
def _gain(a: Arrays, part: int, best: FloatArray, menu: FloatArray, vehicle: FloatArray) -> float:
    """What the vehicles' cost falls by when `part` is opened as well, fixed cost aside."""
    gain = 0.0
    index, end = a.part_offer[part], a.part_offer[part + 1]
    while index < end:
        v = a.menu_vehicle[a.need_menu[a.need[index]]]
        least = vehicle[v]
        while index < end and a.menu_vehicle[a.need_menu[a.need[index]]] == v:
            k = a.need_menu[a.need[index]]
            total, nowhere = 0.0, 0
            changed = 0.0
            while index < end and a.need_menu[a.need[index]] == k:
                need = a.need[index]
                if a.cost[index] < best[need]:
                    changed += a.cost[index] - best[need]
                index += 1
            if changed < 0.0:
                if menu[k] >= NOWHERE:
                    # Several needs may be open: add up anew, with this part's offers.
                    total, nowhere = _menu_with(a, k, part, best)
                    if nowhere == 0:
                        least = min(least, total)
                else:
                    least = min(least, menu[k] + changed)
        gain += vehicle[v] - least
    return gain


@njit(cache=True, nogil=True)
def _menu_with(a: Arrays, menu: int, part: int, best: FloatArray) -> tuple[float, int]:
    total, nowhere = 0.0, 0
    for need in range(a.menu_need[menu], a.menu_need[menu + 1]):
        cost = best[need]
        for index in range(a.part_offer[part], a.part_offer[part + 1]):
            if a.need[index] == need:
                cost = min(cost, a.cost[index])
        if cost >= NOWHERE:
            nowhere += 1
        total += cost
    return total, nowhere


@njit(cache=True, nogil=True)
def improve(a: Arrays, status: Status, is_open: Open, ins: int, outs: int, rounds: int) -> float:
    """Change `is_open` to the best neighbour until none is better; returns the cost.

    Args:
        a: the problem.
        status: required parts stay open, excluded ones closed.
        is_open: where to start, within the limits; changed in place.
        ins: of the parts that could be opened the so many are tried for an exchange that gain most alone.
        outs: and so many of those open that are missed least.
        rounds: at most so many changes.
    """
    parts, needs, kinds = is_open.size, a.need_menu.size, a.kind_limit.size
    first, best, second, other = np.empty(needs, np.int64), np.empty(needs), np.empty(needs), np.empty(needs)
    menu, vehicle = np.empty(a.menu_vehicle.size), np.empty(a.vehicle_menu.size - 1)
    adds, drops = np.empty(parts), np.empty(parts)
    count, total = np.zeros(kinds, np.int64), 0
    for part in range(parts):
        if is_open[part]:
            count[a.part_kind[part]] += 1
            total += 1
    for _ in range(rounds):
        fill_needs(a, is_open, first, best, second)
        whole = fill_menus(a, best, menu, vehicle)
        least = 1e-9 * abs(whole)
        gain, opened, closed = least, -1, -1
        for part in range(parts):
            kind = a.part_kind[part]
            adds[part], drops[part] = -np.inf, -np.inf
            if not is_open[part] and status[part] >= 0:
                adds[part] = _gain(a, part, best, menu, vehicle) - a.part_cost[part]
                room = (a.limit < 0 or total < a.limit) and (a.kind_limit[kind] < 0 or count[kind] < a.kind_limit[kind])
                if room and adds[part] > gain:
                    gain, opened, closed = adds[part], part, -1
        for part in range(parts):
            if is_open[part] and status[part] != 1:
                for need in range(needs):
                    other[need] = second[need] if first[need] == part else best[need]
                drops[part] = a.part_cost[part] + whole - fill_menus(a, other, menu, vehicle)
                if drops[part] > gain:
                    gain, opened, closed = drops[part], -1, part
        for out in np.argsort(-drops)[:outs]:
            if drops[out] == -np.inf:
                break
            for need in range(needs):
                other[need] = second[need] if first[need] == out else best[need]
            fill_menus(a, other, menu, vehicle)
            for part in np.argsort(-adds)[:ins]:
                if adds[part] == -np.inf:
                    break
                kind = a.part_kind[part]
                same = 1 if a.part_kind[out] == kind else 0
                if a.kind_limit[kind] >= 0 and count[kind] - same >= a.kind_limit[kind]:
                    continue
                value = drops[out] - a.part_cost[part] + _gain(a, part, other, menu, vehicle)
                if value > gain:
                    gain, opened, closed = value, part, out
        if opened < 0 and closed < 0:
            break
        if opened >= 0:
            is_open[opened] = True
            count[a.part_kind[opened]] += 1
            total += 1
        if closed >= 0:
            is_open[closed] = False
            count[a.part_kind[closed]] -= 1
            total -= 1
    return cost_of(a, is_open)
