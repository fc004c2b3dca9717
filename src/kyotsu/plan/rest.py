"""What is left of an assortment after fixing, as a mixed-integer program for HiGHS.

Columns: y of each part still free, t of each menu, x of each offer that may be in a plan cheaper than the best. Rows:
each vehicle takes one menu; each need of a menu taken is filled; offers of one part at one place need it open; the
limits. Only y is integer: with y given, the rest is integral by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import highspy
import numpy as np
from scipy import sparse

from kyotsu.plan.assortment import Assortment, BoolArray, FloatArray
from kyotsu.plan.relaxation import Status


class Rest(NamedTuple):
    """What HiGHS found: open parts or none, and a bound on the cost of all plans that the rest allows."""

    is_open: BoolArray | None
    bound: float


def useful_offers(
    choice: Assortment, status: Status, prices: FloatArray, rho: FloatArray, chosen: BoolArray, room: float
) -> BoolArray:
    """Offers that a plan cheaper than the best may contain, shape (offer,).

    Args:
        choice: the problem.
        status: of the parts.
        prices: of the relaxation, shape (need,).
        rho: reduced costs of the parts at these prices.
        chosen: parts chosen at these prices.
        room: cost of the best plan less the bound at these prices.

    An offer is out when its part is, when a required part fills the need for less, or when taking it would lift the
    bound by more than `room`: by its price beyond that of the part's best at the place, with the part's own
    reduced cost where that is not chosen, and by the menu's beyond the vehicle's cheapest.
    """
    part, need = choice.offer_part, choice.offer_need
    useful = status[part] >= 0
    cheapest = np.full(choice.need_menu.size, np.inf)
    required = status[part] == 1
    np.minimum.at(cheapest, need[required], choice.offer_cost[required])
    useful &= required & (choice.offer_cost <= cheapest[need]) | ~required & (choice.offer_cost < cheapest[need])
    gain = choice.offer_cost - prices[need]
    place = choice.need_place[need]
    keys, which = np.unique(part * (int(place.max()) + 1) + place, return_inverse=True)
    best = np.zeros(keys.size)
    np.minimum.at(best, which, gain)
    rise = gain - best[which]
    rise = np.where(chosen[part], rise, np.maximum(rise + np.minimum(rho[part], 0.0), 0.0))
    menu = np.bincount(choice.need_menu, prices, choice.menu_vehicle.size)
    least = np.full(len(choice.vehicle_names), np.inf)
    np.minimum.at(least, choice.menu_vehicle, menu)
    dearer = menu - least[choice.menu_vehicle]
    return np.asarray(useful & (rise + dearer[choice.need_menu[need]] <= room))


def solve_rest(choice: Assortment, status: Status, upper: float, seconds: float, stopped: Callable[[], bool]) -> Rest:
    """Solve what is left to the end, or for so many seconds.

    Args:
        choice: what is left of the problem, see `useful_offers`.
        status: of the parts.
        upper: plans that cost this or more are of no interest.
        seconds: time for it.
        stopped: whether to end sooner; asked a few times a second.
    """
    part, need, cost = choice.offer_part, choice.offer_need, choice.offer_cost
    parts = np.flatnonzero(status >= 0)
    column = np.full(status.size, -1)
    column[parts] = np.arange(parts.size)
    n_y, n_t, n_x = parts.size, choice.menu_vehicle.size, part.size
    t, x = n_y + np.arange(n_t), n_y + n_t + np.arange(n_x)
    vehicles, needs = len(choice.vehicle_names), choice.need_menu.size
    place = choice.need_place[need]
    keys, link = np.unique(part * (int(place.max(initial=0)) + 1) + place, return_inverse=True)
    link_part = np.zeros(keys.size, dtype=np.int64)
    link_part[link] = part
    rows, columns, values = [], [], []

    def put(row: np.ndarray, col: np.ndarray, value: float) -> None:
        rows.append(row)
        columns.append(col)
        values.append(np.full(row.size, value))

    put(choice.menu_vehicle, t, 1.0)
    put(vehicles + need, x, 1.0)
    put(vehicles + np.arange(needs), t[choice.need_menu], -1.0)
    first = vehicles + needs
    put(first + link, x, 1.0)
    put(first + np.arange(keys.size), column[link_part], -1.0)
    low = np.concatenate([np.ones(vehicles), np.zeros(needs), np.full(keys.size, -np.inf)])
    high = np.concatenate([np.ones(vehicles), np.zeros(needs), np.zeros(keys.size)])
    limits = [(np.arange(n_y), choice.limit)]
    limits += [(np.flatnonzero(choice.part_kind[parts] == k), int(bound)) for k, bound in enumerate(choice.kind_limit)]
    for members, bound in limits:
        if bound >= 0:
            put(np.full(members.size, low.size), members, 1.0)
            low, high = np.append(low, -np.inf), np.append(high, float(bound))
    size = n_y + n_t + n_x
    matrix = sparse.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(low.size, size)
    )
    lower = np.zeros(size)
    lower[:n_y] = status[parts] == 1
    return _run(
        np.concatenate([choice.part_cost[parts], np.zeros(n_t), cost]), lower, np.ones(size), n_y, matrix, low, high,
        parts, status.size, upper, seconds, stopped,
    )  # fmt: skip


def _run(
    cost: FloatArray, lower: FloatArray, upper: FloatArray, integers: int, matrix: sparse.csr_matrix,
    low: FloatArray, high: FloatArray, parts: np.ndarray, size: int, cutoff: float, seconds: float,
    stopped: Callable[[], bool],
) -> Rest:  # fmt: skip
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = cost.size, low.size
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, lower, upper
    lp.row_lower_, lp.row_upper_ = low, high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    kinds = [highspy.HighsVarType.kInteger] * integers + [highspy.HighsVarType.kContinuous] * (cost.size - integers)
    lp.integrality_ = kinds
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.silent()
    solver.setOptionValue("time_limit", seconds)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 1e-6)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("objective_bound", cutoff)
    solver.passModel(lp)
    _run_until(solver, stopped)
    status, info = solver.getModelStatus(), solver.getInfo()
    if status == highspy.HighsModelStatus.kInfeasible:
        return Rest(None, np.inf)
    if info.primal_solution_status != 2:
        return Rest(None, float(info.mip_dual_bound))
    is_open = np.zeros(size, dtype=np.bool_)
    is_open[parts[np.array(solver.getSolution().col_value[:integers]) > 0.5]] = True
    bound = info.mip_dual_bound if status != highspy.HighsModelStatus.kOptimal else info.objective_function_value
    return Rest(is_open, float(bound))


def _run_until(solver: highspy.Highs, stopped: Callable[[], bool]) -> None:
    """Run in a thread, so that a stop is heard at once and not when HiGHS has ended."""
    solver.HandleUserInterrupt = True
    solver.startSolve()
    try:
        while not solver.wait(0.2)[0]:
            if stopped():
                solver.cancelSolve()  # type: ignore[no-untyped-call]
    except KeyboardInterrupt:
        solver.cancelSolve()  # type: ignore[no-untyped-call]
        while not solver.wait(0.2)[0]:
            pass
        raise
