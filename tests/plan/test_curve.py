from __future__ import annotations

import numpy as np
import pytest
from tests.plan.problems import random_choice, trying_everything
from tests.public_data import public_data

from kyotsu.errors import InputError
from kyotsu.plan.curve import cost_curve
from kyotsu.plan.instances import load_instance


def test_each_point_is_the_best_of_all_sets_of_that_many() -> None:
    compared = 0
    for seed in range(200, 260):
        choice = random_choice(seed)
        best = {limit: trying_everything(choice.limited(limit)) for limit in range(1, choice.part_kind.size + 1)}
        feasible = [limit for limit, cost in best.items() if np.isfinite(cost)]
        if not feasible:
            with pytest.raises(InputError):
                cost_curve(choice)
            continue
        curve = cost_curve(choice, 1, choice.part_kind.size)
        assert curve.limit[0] == feasible[0]
        assert dict(zip(curve.limit.tolist(), curve.cost.tolist(), strict=True)) == {k: best[k] for k in feasible}
        assert curve.proven
        assert np.all(curve.marginal_saving >= 0.0)
        assert curve.limit[0] <= curve.knee <= curve.limit[-1]
        compared += len(feasible)
    assert compared > 100


def test_the_knee_of_the_published_assortment_is_early() -> None:
    curve = cost_curve(load_instance(public_data("benchmarks/assortment/a60x500x200_slots.csv")), 2, 8)
    assert curve.cost[0] == 137398638
    assert curve.knee == 4


def test_bounds_that_are_none() -> None:
    choice = random_choice(201)
    for first, last in ((0, 3), (3, 2)):
        with pytest.raises(InputError, match="rising"):
            cost_curve(choice, first, last)
