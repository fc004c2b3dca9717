"""The optimiser against trying everything, against published optima, and when it is stopped."""

from __future__ import annotations

import csv
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plan.problems import few_of_many, plainly, random_choice, trying_everything
from tests.public_data import public_data

from kyotsu.errors import InputError
from kyotsu.plan import branch
from kyotsu.plan.assortment import Assortment
from kyotsu.plan.branch import solve
from kyotsu.plan.instances import load_instance
from kyotsu.plan.relaxation import Node, arrays, ascend, first_prices, opening_penalties
from kyotsu.plan.rest import Rest
from kyotsu.plan.search import cost_of
from kyotsu.plan.splits import cases, families, whole_group
from kyotsu.plan.synthetic import Size, synthetic


@pytest.mark.parametrize("first", range(0, 400, 40))
@pytest.mark.parametrize("whole", [True, False])
def test_it_finds_what_trying_everything_finds(first: int, whole: bool) -> None:
    for seed in range(first, first + 40):
        choice = random_choice(seed, whole=whole)
        best = trying_everything(choice)
        if np.isinf(best):
            with pytest.raises(InputError):
                solve(choice)
            continue
        answer = solve(choice)
        assert answer.proven
        assert answer.cost == pytest.approx(best, abs=1e-9)
        assert plainly(choice, answer.is_open) == pytest.approx(answer.cost, abs=1e-9)


def test_it_branches_and_asks_highs_where_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "ROOT_ROUNDS", 4)
    monkeypatch.setattr(branch, "ROOT_CALLS", 1)
    monkeypatch.setattr(branch, "NODE_ROUNDS", 3)
    monkeypatch.setattr(branch, "ENUMERATED", 1)
    nodes = 0
    for first in (1, 3, 10_000):
        monkeypatch.setattr(branch, "NODES_FIRST", first)
        for seed in range(1000, 1040):
            choice = random_choice(seed)
            best = trying_everything(choice)
            if np.isfinite(best):
                answer = solve(choice)
                assert (answer.proven, answer.cost) == (True, best)
                nodes += answer.nodes
    assert nodes > 50


def test_few_parts_of_many_that_are_nearly_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "ROOT_ROUNDS", 5)
    monkeypatch.setattr(branch, "ROOT_CALLS", 1)
    monkeypatch.setattr(branch, "NODE_ROUNDS", 5)
    monkeypatch.setattr(branch, "ENUMERATED", 1)
    nodes = 0
    for seed in range(300):
        choice = few_of_many(seed)
        best = trying_everything(choice)
        if np.isfinite(best):
            answer = solve(choice)
            assert (answer.proven, answer.cost) == (True, best), seed
            assert plainly(choice, answer.is_open) == best
            nodes += answer.nodes
        else:
            with pytest.raises(InputError):
                solve(choice)
    assert nodes > 100


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([few_of_many, random_choice]))
def test_the_cases_of_a_node_leave_no_plan_out(seed: int, made: Callable[[int], Assortment]) -> None:
    choice = made(seed)
    a, family = arrays(choice), families(choice)
    share = np.random.default_rng(seed).random(choice.part_kind.size)
    plans = [np.array(plan, dtype=bool) for plan in itertools.product([False, True], repeat=share.size)]
    nodes = [whole_group(choice)]
    for _ in range(4):
        divided = [list(cases(a, family, node, share)) for node in nodes if np.any(node.status == 0)]
        inside = [node for node in nodes if np.any(node.status == 0)]
        for node, children in zip(inside, divided, strict=True):
            for plan in plans:
                if _allows(node, plan):
                    assert any(_allows(child, plan) for child in children)
        nodes = [child for children in divided for child in children][:6]


def _allows(node: Node, plan: np.ndarray) -> bool:
    if np.any(plan & (node.status < 0)) or np.any(~plan & (node.status > 0)):
        return False
    return bool(np.all((node.most < 0) | (np.bincount(node.group[plan], minlength=node.most.size) <= node.most)))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 40.0), st.sampled_from([few_of_many, random_choice]))
def test_no_price_gives_a_bound_above_the_optimum(seed: int, level: float, made: Callable[[int], Assortment]) -> None:
    choice = made(seed).usable()
    best = trying_everything(choice)
    if np.isinf(best):
        return
    a = arrays(choice)
    prices = np.random.default_rng(seed).uniform(0.0, level, choice.need_menu.size)
    node = whole_group(choice)
    bound, _, rho, chosen, _, _ = ascend(a, node, prices, best, 5, 1.0, np.inf)
    assert bound <= best + 1e-9
    penalty = opening_penalties(a, node, rho, chosen)
    for part in np.flatnonzero(node.status == 0):  # the other choice of a part costs at least its penalty more
        for is_open in (True, False):
            if is_open != chosen[part]:
                assert bound + penalty[part] <= _best_with(choice, int(part), is_open) + 1e-9


def _best_with(choice: Assortment, part: int, is_open: bool) -> float:
    best = np.inf
    for chosen in itertools.product([False, True], repeat=choice.part_kind.size):
        some = np.array(chosen, dtype=bool)
        count = np.bincount(choice.part_kind[some], minlength=2)
        inside = not np.any((choice.kind_limit >= 0) & (count > choice.kind_limit))
        inside &= not 0 <= choice.limit < count.sum() and not np.any(choice.required & ~some)
        if inside and some[part] == is_open:
            best = min(best, plainly(choice, some))
    return best


def test_prices_climb_to_the_linear_relaxation() -> None:
    choice = load_instance(public_data("benchmarks/pmed/pmed10.txt"))
    a = arrays(choice)
    bound = ascend(a, whole_group(choice), first_prices(a), 1255.0, 1000, 1.0, np.inf)[0]
    assert 1254.0 < bound <= 1255.0


@pytest.mark.parametrize("folder", ["pmed", "uflp"])
def test_published_optima(folder: str) -> None:
    with public_data(f"benchmarks/{folder}/optimum.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        answer = solve(load_instance(public_data(f"benchmarks/{folder}/{row['instance']}.txt")))
        assert answer.proven
        assert answer.cost == pytest.approx(float(row["optimal_value"]), abs=1e-3), row["instance"]


@pytest.mark.slow
def test_the_published_curve_of_the_assortment() -> None:
    choice = load_instance(public_data("benchmarks/assortment/a60x500x200_slots.csv"))
    with public_data("benchmarks/assortment/a60x500x200_optimum.csv").open() as file:
        for row in csv.DictReader(file):
            bound = row["max_variants"]
            answer = solve(choice.limited(-1 if bound == "none" else int(bound)))
            assert (answer.proven, answer.cost) == (True, float(row["optimal_cost"])), bound


def test_stopped_early_it_keeps_the_best_plan_and_an_honest_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "ROOT_ROUNDS", 10)
    monkeypatch.setattr(branch, "ROOT_CALLS", 1)
    choice = load_instance(public_data("benchmarks/pmed/pmed6.txt"))
    answer = solve(choice, seconds=0.0)
    assert not answer.proven
    assert answer.bound < 7824.0 <= answer.cost
    assert "gap" in repr(answer)
    assert cost_of(arrays(choice), answer.is_open) == answer.cost


def test_interrupted_it_keeps_the_best_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    choice = load_instance(public_data("benchmarks/pmed/pmed6.txt"))
    monkeypatch.setattr(branch._Search, "branch", interrupted)
    answer = solve(choice)
    assert not answer.proven
    assert 0.0 < answer.bound < 7824.0 <= answer.cost < 8000.0


SOLVE = """
from kyotsu.plan.branch import solve
from kyotsu.plan.synthetic import Size, synthetic

choice = synthetic(Size(200, 2000, 500), misfit=0.16).limited(7)
answer = solve(choice, seconds=500.0, report=lambda cost, bound: print(cost, bound, flush=True))
print("answer", answer.cost, answer.bound, answer.proven, answer.seconds, int(answer.is_open.sum()), flush=True)
"""


def test_an_interrupt_while_highs_solves_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "NODES_FIRST", 1)
    choice = synthetic(Size(60, 500, 200), misfit=0.16).limited(8)
    solve_rest = branch.solve_rest

    def interrupted(*arguments: Any) -> Rest:
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        return solve_rest(*arguments)

    monkeypatch.setattr(branch, "solve_rest", interrupted)
    answer = solve(choice, seconds=400.0)
    assert answer.seconds < 100.0
    assert not answer.proven
    assert 0.0 < answer.bound < answer.cost
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow
def test_a_real_interrupt_keeps_the_best_plan_and_the_bound() -> None:
    process = subprocess.Popen([sys.executable, "-c", SOLVE], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    cost, bound = (float(value) for value in process.stdout.readline().split())
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60.0)
    assert process.returncode == 0
    word, *values, proven, seconds, parts = out.splitlines()[-1].split()
    assert (word, proven) == ("answer", "False")
    assert bound <= float(values[1]) < float(values[0]) <= cost
    assert float(seconds) < 500.0  # it ended of the interrupt, and not of the time
    assert int(parts) <= 7
