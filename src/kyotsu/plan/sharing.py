"""Who gains what: splitting the cost of a common family among partners so that none would rather go alone.

The cost of a coalition is that of the best family for its own vehicles. A split is in the *core* when no coalition pays
more than it would alone. L. S. Shapley, A value for n-person games (1953); the least core of M. Maschler, B. Peleg and
L. S. Shapley, Mathematics of Operations Research 4 (1979) 303.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import factorial

import numpy as np
from scipy.optimize import linprog

from kyotsu.errors import InputError, Location, Problem
from kyotsu.plan.assortment import Assortment, IntArray
from kyotsu.plan.branch import Answer, solve

MOST_PARTNERS = 12  # 2^12 coalitions are solved
CLOSED = 1e-9  # -, of the whole cost


@dataclass(frozen=True, slots=True)
class Split:
    """What each partner pays of the common family, and why it would agree.

    Attributes:
        partners: their names.
        alone: cost of each on its own.
        coalition: cost of each coalition, by the names of its partners in their order.
        proven: whether each of these costs is proven optimal.
        shapley: the mean of what a partner adds to the cost, over all orders of joining.
        shapley_in_core: whether no coalition would pay less on its own than by `shapley`.
        core_is_empty: whether there is no split at all that every coalition accepts.
        agreed: the split in which the coalition that gains least gains most (the least core; of those the one nearest
            to `shapley`): no coalition refuses it unless the core is empty.
        least_gain: what that coalition gains.
    """

    partners: tuple[str, ...]
    alone: dict[str, float]
    coalition: dict[tuple[str, ...], float]
    proven: bool
    shapley: dict[str, float]
    shapley_in_core: bool
    core_is_empty: bool
    agreed: dict[str, float]
    least_gain: float

    @property
    def saving(self) -> dict[str, float]:
        """What each partner saves by `agreed` against going alone."""
        return {name: self.alone[name] - self.agreed[name] for name in self.partners}


def split_cost(
    choice: Assortment,
    partner: IntArray,
    partners: Sequence[str],
    *,
    seconds: float = 300.0,
    report: Callable[[tuple[str, ...], Answer], None] | None = None,
) -> Split:
    """Solve every coalition of partners and split the cost of the whole.

    Args:
        choice: the problem of all; its bounds hold for each coalition's family.
        partner: index into `partners` of each vehicle, shape (vehicle,).
        partners: their names.
        seconds: time for each coalition.
        report: called with each coalition and its answer.

    Raises:
        InputError: too many partners, or a partner without a vehicle.
    """
    names = tuple(partners)
    without = [name for number, name in enumerate(names) if not np.any(partner == number)]
    if len(names) > MOST_PARTNERS or without:
        found = f"{len(names)} partners" + (f", of them {', '.join(without)} without a vehicle" if without else "")
        expected = f"at most {MOST_PARTNERS}, each with a vehicle"
        raise InputError([Problem(Location(key="partners"), found, expected, "Join or leave out some.")])
    cost: dict[frozenset[int], float] = {frozenset(): 0.0}
    proven = True
    for size in range(1, len(names) + 1):
        for members in combinations(range(len(names)), size):
            answer = solve(of_vehicles(choice, np.isin(partner, members)), seconds=seconds)
            cost[frozenset(members)] = answer.cost
            proven &= answer.proven
            if report is not None:
                report(tuple(names[member] for member in members), answer)
    shapley = _shapley(len(names), cost)
    agreed, least = _least_core(len(names), cost, shapley)
    whole = cost[frozenset(range(len(names)))]
    refused = [sum(shapley[i] for i in some) > cost[some] + CLOSED * whole for some in cost if some]
    return Split(
        partners=names,
        alone={name: cost[frozenset([i])] for i, name in enumerate(names)},
        coalition={tuple(names[i] for i in sorted(some)): value for some, value in cost.items() if some},
        proven=proven,
        shapley=dict(zip(names, shapley, strict=True)),
        shapley_in_core=not any(refused),
        core_is_empty=least < -CLOSED * whole,
        agreed=dict(zip(names, agreed, strict=True)),
        least_gain=least,
    )


def of_vehicles(choice: Assortment, kept: np.ndarray) -> Assortment:
    """The same choice for some of the vehicles, a mask of shape (vehicle,)."""
    menus = kept[choice.menu_vehicle]
    needs = menus[choice.need_menu]
    offers = needs[choice.offer_need]
    new_vehicle, new_menu, new_need = np.cumsum(kept) - 1, np.cumsum(menus) - 1, np.cumsum(needs) - 1
    return replace(
        choice,
        vehicle_names=[name for name, keep in zip(choice.vehicle_names, kept, strict=True) if keep],
        menu_vehicle=new_vehicle[choice.menu_vehicle[menus]],
        need_menu=new_menu[choice.need_menu[needs]],
        need_place=choice.need_place[needs],
        offer_need=new_need[choice.offer_need[offers]],
        offer_part=choice.offer_part[offers],
        offer_cost=choice.offer_cost[offers],
    )


def _shapley(count: int, cost: dict[frozenset[int], float]) -> list[float]:
    """x_i = sum over S without i of |S|! (n - |S| - 1)! / n! (c(S + i) - c(S))."""
    values = [0.0] * count
    for some, value in cost.items():
        weight = (
            factorial(len(some)) * factorial(count - len(some) - 1) / factorial(count) if len(some) < count else 0.0
        )
        for i in set(range(count)) - some:
            values[i] += weight * (cost[some | {i}] - value)
    return values


def _least_core(count: int, cost: dict[frozenset[int], float], shapley: list[float]) -> tuple[list[float], float]:
    """The split that is nearest to `shapley` among those that are best for the coalition that gains least."""
    whole = frozenset(range(count))
    proper = [some for some in cost if some and some != whole]
    if not proper:
        return [cost[whole]], 0.0
    member = np.array([[float(i in some) for i in range(count)] for some in proper])
    alone = np.array([cost[some] for some in proper])
    scale = max(cost[whole], 1.0)
    # max e with x(S) + e <= c(S) for all S, x(N) = c(N)
    first = linprog(
        np.append(np.zeros(count), -1.0),
        A_ub=np.hstack([member, np.ones((len(proper), 1))]),
        b_ub=alone / scale,
        A_eq=[[*np.ones(count), 0.0]],
        b_eq=[cost[whole] / scale],
        bounds=[(None, None)] * (count + 1),
    )
    least = float(first.x[-1])
    # min sum |x - shapley| with that e
    unit = np.eye(count)
    second = linprog(
        np.append(np.zeros(count), np.ones(count)),
        A_ub=np.vstack(
            [
                np.hstack([member, np.zeros_like(member)]),
                np.hstack([unit, -unit]),
                np.hstack([-unit, -unit]),
            ]
        ),
        b_ub=np.concatenate([alone / scale - least + 1e-12, np.array(shapley) / scale, -np.array(shapley) / scale]),
        A_eq=[[*np.ones(count), *np.zeros(count)]],
        b_eq=[cost[whole] / scale],
        bounds=[(None, None)] * (2 * count),
    )
    return [float(value * scale) for value in second.x[:count]], least * scale
