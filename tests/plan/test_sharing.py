from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from tests.plan.problems import random_choice, trying_everything

from kyotsu.errors import InputError
from kyotsu.plan.assortment import Assortment
from kyotsu.plan.sharing import of_vehicles, split_cost


def partnered(seed: int, count: int) -> tuple[Assortment, np.ndarray] | None:
    choice = replace(random_choice(seed), limit=-1, kind_limit=np.array([-1, -1]))
    partner = np.random.default_rng(seed).integers(0, count, len(choice.vehicle_names))
    if np.unique(partner).size < count or np.isinf(trying_everything(choice)):
        return None
    return choice, partner


def test_shapley_is_the_mean_over_all_orders_and_the_agreed_split_gives_no_coalition_less_than_it_could() -> None:
    tried = inside = 0
    for seed in range(400):
        made = partnered(seed, 3)
        if made is None:
            continue
        choice, partner = made
        names = ("a", "b", "c")
        split = split_cost(choice, partner, names)
        cost = {
            some: trying_everything(of_vehicles(choice, np.isin(partner, some)))
            for size in (1, 2, 3)
            for some in combinations(range(3), size)
        }
        cost[()] = 0.0
        mean = np.zeros(3)
        for order in permutations(range(3)):
            for place, member in enumerate(order):
                after, before = tuple(sorted(order[: place + 1])), tuple(sorted(order[:place]))
                mean[member] += (cost[after] - cost[before]) / 6.0
        assert list(split.shapley.values()) == pytest.approx(mean)
        assert sum(split.agreed.values()) == pytest.approx(cost[0, 1, 2])
        gains = [
            cost[some] - sum(split.agreed[names[i]] for i in some)
            for size in (1, 2)
            for some in combinations(range(3), size)
        ]
        assert min(gains) == pytest.approx(split.least_gain, abs=1e-6)
        assert split.core_is_empty == (split.least_gain < -1e-6)
        if split.shapley_in_core:
            assert not split.core_is_empty
            inside += 1
        tried += 1
    assert tried > 40
    assert inside > 10


def test_one_part_that_two_share_is_paid_by_halves() -> None:
    zero, one = np.zeros(2, dtype=np.int64), np.arange(2)
    choice = Assortment(["p"], zero[:1], np.array([10.0]), ("part",), ["v", "w"], one, one, one, one, zero, np.ones(2))
    split = split_cost(choice, one, ("a", "b"))
    assert split.alone == {"a": 11.0, "b": 11.0}
    assert split.shapley == {"a": 6.0, "b": 6.0}
    assert split.shapley_in_core
    assert split.saving == pytest.approx({"a": 5.0, "b": 5.0})


def test_a_partner_without_a_vehicle() -> None:
    choice = random_choice(3)
    with pytest.raises(InputError, match="without a vehicle"):
        split_cost(choice, np.zeros(len(choice.vehicle_names), dtype=np.int64), ("a", "b"))
