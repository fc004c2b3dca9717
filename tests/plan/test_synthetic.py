"""Made-up assortments: the same everywhere, buildable, and their curve as an independent solver proved it."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.errors import InputError
from kyotsu.plan.branch import solve
from kyotsu.plan.synthetic import Size, size_from, synthetic

EXPECTED = (28538, "b982f3b4c6e80c73")  # offers, and the start of their costs' hash
# Least cost at most so many parts (-1: any number) of 60x500x200:1, by HiGHS 1.15 alone on the whole model.
PROVEN = {-1: 67045238.0, 24: 67045238.0, 20: 67170756.0, 16: 67429053.0, 12: 68603728.0, 10: 69856810.0, 8: 71728626.0}


def test_a_seed_gives_the_same_problem_to_the_unit() -> None:
    choice, again, other = (synthetic(Size(60, 500, 200, seed)) for seed in (1, 1, 2))
    assert np.array_equal(choice.offer_cost, again.offer_cost)
    assert not np.array_equal(choice.offer_cost[:1000], other.offer_cost[:1000])
    assert choice.whole
    assert (choice.offer_cost.size, hashlib.sha256(choice.offer_cost.tobytes()).hexdigest()[:16]) == EXPECTED


@pytest.mark.slow
def test_the_curve_that_an_independent_solver_proved() -> None:
    choice = synthetic(Size(60, 500, 200, 1))
    assert {bound: solve(choice.limited(bound)).cost for bound in PROVEN} == PROVEN


@given(st.builds(Size, st.integers(1, 30), st.integers(1, 40), st.integers(2, 40), st.integers(0, 2**31)))
def test_every_vehicle_can_be_built_at_any_size(size: Size) -> None:
    choice = synthetic(size).usable()
    assert np.unique(choice.menu_vehicle).size == size.vehicles
    assert size_from(str(size)) == size


@pytest.mark.parametrize(
    "text",
    ["", "60x500", "60x500x200:", "-1x5x5", "0x5x5", "5x5x1", "1e3x5x5", "9" * 400, "99999x99999x99999", "٣x5x5"],
)
def test_sizes_that_are_none_are_refused_before_anything_is_made(text: str) -> None:
    with pytest.raises(InputError) as caught:
        size_from(text)
    assert len(str(caught.value)) < 400
