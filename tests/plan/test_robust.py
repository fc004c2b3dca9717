from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from tests.plan.problems import plainly, random_choice, trying_everything

from kyotsu.errors import InputError
from kyotsu.plan.assortment import Assortment
from kyotsu.plan.robust import least_regret


def scenarios_of(seed: int) -> list[Assortment] | None:
    choice = random_choice(seed)
    if np.isinf(trying_everything(choice)):
        return None
    random = np.random.default_rng(seed)
    changed = [
        replace(
            choice,
            part_cost=np.rint(choice.part_cost * random.uniform(0.5, 2.0, choice.part_cost.size)),
            offer_cost=np.rint(choice.offer_cost * random.uniform(0.3, 3.0, choice.offer_cost.size)),
        )
        for _ in range(2)
    ]
    return [choice, *changed]


def least_by_trying(scenarios: list[Assortment]) -> float:
    first = scenarios[0]
    best = [trying_everything(choice) for choice in scenarios]
    least = np.inf
    for chosen in itertools.product([False, True], repeat=first.part_kind.size):
        is_open = np.array(chosen, dtype=bool)
        count = np.bincount(first.part_kind[is_open], minlength=2)
        if np.any(first.required & ~is_open) or 0 <= first.limit < count.sum():
            continue
        if np.any((first.kind_limit >= 0) & (count > first.kind_limit)):
            continue
        regrets = [plainly(choice, is_open) - low for choice, low in zip(scenarios, best, strict=True)]
        least = min(least, max(regrets))
    return least


def test_the_bound_holds_and_what_is_called_proven_is_best() -> None:
    tried = proven = 0
    for seed in range(240):
        scenarios = scenarios_of(seed)
        if scenarios is None:
            continue
        found = least_regret(scenarios, ("a", "b", "c"))
        least = least_by_trying(scenarios)
        assert found.bound <= least + 1e-4
        assert found.greatest_regret[found.choice] >= least - 1e-6
        if found.proven:
            assert found.greatest_regret[found.choice] == pytest.approx(least, abs=1e-3)
            proven += 1
        assert np.all(found.regret >= -1e-9)
        assert np.all(found.regret.min(axis=0) <= 1e-9)  # the best family of each scenario was met
        tried += 1
    assert tried > 30
    assert proven > 15


def test_scenarios_of_different_problems() -> None:
    with pytest.raises(InputError, match="other parts"):
        least_regret([random_choice(0), random_choice(1)], ("a", "b"))
    with pytest.raises(InputError, match="at least one"):
        least_regret([], ())
