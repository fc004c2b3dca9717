"""Small random problems, and their optimum by trying everything."""

from __future__ import annotations

import itertools

import numpy as np

from kyotsu.plan.assortment import Assortment


def random_choice(seed: int, *, whole: bool = True) -> Assortment:
    """A small problem of two kinds of part, one to three menus a vehicle and up to three needs a menu."""
    random = np.random.default_rng(seed)
    vehicles, modules, axles = int(random.integers(1, 7)), int(random.integers(1, 6)), int(random.integers(0, 5))
    kind = np.repeat([0, 1], [modules, axles])
    menu_vehicle, need_menu, need_place, need, part = [], [], [], [], []
    place = 0
    for vehicle in range(vehicles):
        slots = int(random.integers(0, 3)) if axles else 0
        for _ in range(int(random.integers(1, 4))):
            for row in range(1 + slots):
                fitting = np.flatnonzero((kind == (row > 0)) & (random.random(kind.size) < 0.7))
                need += [len(need_menu)] * fitting.size
                part += fitting.tolist()
                need_menu.append(len(menu_vehicle))
                need_place.append(place + row)
            menu_vehicle.append(vehicle)
        place += 1 + slots
    cost = random.integers(0, 60, len(need)).astype(float)
    fixed = random.integers(0, 50, kind.size).astype(float)
    if not whole:
        cost, fixed = cost + random.random(cost.size), fixed + random.random(fixed.size)
    return Assortment(
        part_names=[f"p{i}" for i in range(kind.size)],
        part_kind=kind,
        part_cost=fixed,
        kinds=("module", "axle"),
        vehicle_names=[f"v{i}" for i in range(vehicles)],
        menu_vehicle=np.array(menu_vehicle),
        need_menu=np.array(need_menu),
        need_place=np.array(need_place),
        offer_need=np.array(need, dtype=np.int64),
        offer_part=np.array(part, dtype=np.int64),
        offer_cost=cost,
        kind_limit=random.integers(-1, 4, 2),
        limit=int(random.integers(-1, 6)),
        required=random.random(kind.size) < 0.1,
    )


def trying_everything(choice: Assortment) -> float:
    best = np.inf
    for chosen in itertools.product([False, True], repeat=choice.part_kind.size):
        is_open = np.array(chosen, dtype=bool)
        count = np.bincount(choice.part_kind[is_open], minlength=2)
        if np.any(choice.required & ~is_open) or 0 <= choice.limit < count.sum():
            continue
        if np.any((choice.kind_limit >= 0) & (count > choice.kind_limit)):
            continue
        best = min(best, plainly(choice, is_open))
    return best


def plainly(choice: Assortment, is_open: np.ndarray) -> float:
    """Cost of a set of open parts, spelled out."""
    total = float(choice.part_cost[is_open].sum())
    for vehicle in range(len(choice.vehicle_names)):
        costs = []
        for menu in np.flatnonzero(choice.menu_vehicle == vehicle):
            cost = 0.0
            for need in np.flatnonzero(choice.need_menu == menu):
                offers = (choice.offer_need == need) & is_open[choice.offer_part]
                cost += min(choice.offer_cost[offers], default=np.inf)
            costs.append(cost)
        total += min(costs, default=np.inf)
    return total


def few_of_many(seed: int) -> Assortment:
    """A small problem where at most one to four parts may be open of up to eight, of which many are nearly alike.

    The two menus of a vehicle have axles of their own, as of two voltages; modules fill both.
    """
    random = np.random.default_rng(seed)
    vehicles, modules, axles = int(random.integers(2, 6)), int(random.integers(2, 5)), int(random.integers(2, 5))
    alike = random.integers(0, 3, modules + axles)  # parts of one number differ by little
    need, part, cost = [], [], []
    level = random.integers(10, 60, (vehicles, 4, 3))
    for vehicle in range(vehicles):
        for menu in range(2):
            for row in range(2):
                for number in range(modules) if row == 0 else range(modules + menu, modules + axles, 2):
                    if random.random() < 0.9:
                        need.append(4 * vehicle + 2 * menu + row)
                        part.append(number)
                        cost.append(float(level[vehicle, 2 * menu + row, alike[number]] + random.integers(0, 2)))
    return Assortment(
        part_names=[f"p{i}" for i in range(modules + axles)],
        part_kind=np.repeat([0, 1], [modules, axles]),
        part_cost=random.integers(0, 8, modules + axles).astype(float),
        kinds=("module", "axle"),
        vehicle_names=[f"v{i}" for i in range(vehicles)],
        menu_vehicle=np.repeat(np.arange(vehicles), 2),
        need_menu=np.repeat(np.arange(2 * vehicles), 2),
        need_place=np.add.outer(2 * np.arange(vehicles), [0, 1, 0, 1]).ravel(),
        offer_need=np.array(need, dtype=np.int64),
        offer_part=np.array(part, dtype=np.int64),
        offer_cost=np.array(cost),
        kind_limit=random.choice([-1, -1, 1, 2, 3], 2),
        limit=int(random.choice([-1, 2, 3, 4])),
        required=random.random(modules + axles) < 0.05,
    )
