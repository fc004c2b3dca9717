from __future__ import annotations

import numpy as np
import pytest
from tests.sim.vehicles import kei, leaf

from kyotsu.sim.drive import LIMITERS
from kyotsu.sim.parameters import stack
from kyotsu.sim.simulate import Results, simulate
from kyotsu.study.traces import MISSED, Trace, traces

CYCLES = ("us06", "jp1015")


@pytest.fixture(scope="module")
def results() -> Results:
    return simulate(stack([leaf(), kei()]), CYCLES, history=True)


@pytest.fixture(scope="module")
def slow(results: Results) -> Trace:
    """The small car on the fast cycle."""
    return traces(results, 1)[0]


def test_the_time_under_each_limit_is_that_of_the_results(results: Results, slow: Trace) -> None:
    found = {limit.limiter: limit.lasted_s for limit in slow.limits}
    for code, limiter in enumerate(LIMITERS[1:], start=1):
        assert found.get(limiter, 0.0) == pytest.approx(results.limited_s[1, 0, code])
    assert found[MISSED] > 0.0
    assert found[MISSED] == pytest.approx(results.missed_s[1, 0])


def test_spells_are_apart_and_in_order_and_sum_up(slow: Trace) -> None:
    for limit in slow.limits:
        edges = np.array(limit.spells_s).ravel()
        assert (np.diff(edges) > 0.0).all(), limit
        assert limit.first_s == edges[0]
        assert limit.lasted_s == pytest.approx((edges[1::2] - edges[::2]).sum())
    first = [limit.first_s for limit in slow.limits if limit.limiter != MISSED]
    assert first == sorted(first)


def test_a_missed_trace_is_where_the_speed_is_too_low(slow: Trace) -> None:
    missed = next(limit for limit in slow.limits if limit.limiter == MISSED)
    for time, asked, speed in zip(slow.time_s, slow.asked_km_h, slow.speed_km_h, strict=True):
        inside = any(begin < time <= end for begin, end in missed.spells_s)
        assert inside == (asked - speed > 2.0 * 1.609344)


def test_a_car_that_nothing_limits_has_no_limits(results: Results) -> None:
    _, gentle = traces(results, 0)
    assert gentle.cycle == "jp1015"
    assert gentle.limits == ()
    assert gentle.soc_pct[-1] < gentle.soc_pct[0]
    assert min(gentle.terminals_kw) < 0.0 < max(gentle.terminals_kw)


def test_without_a_history_there_is_no_trace() -> None:
    assert traces(simulate(leaf(), "jp1015")) == ()
