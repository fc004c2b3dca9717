"""The bus to measure with: in time order, in due number, walking through its values, and all of it right."""

from __future__ import annotations

import numpy as np

from kyotsu.can.codec import Codec
from kyotsu.can.frames import take
from kyotsu.can.matrix import Matrix, Message, Protection, Signal
from kyotsu.can.workloads import bus_load

GUARD = Protection("counter", "sum", "honda")
MATRIX = Matrix(
    "car",
    (
        Message("FAST", 0x1A0, 8, (
            Signal("speed", 7, 16, big_endian=True, scale=0.01), Signal("temperature", 16, 8, signed=True),
            Signal("counter", 61, 2, big_endian=True), Signal("sum", 59, 4, big_endian=True),
        ), cycle_ms=10, protection=GUARD),
        Message("SLOW", 0x12345, 5, (Signal("value", 0, 32, is_float=True),), is_extended=True, cycle_ms=100),
        Message("BRANCHES", 0x300, 2, (
            Signal("selector", 0, 8, is_multiplexor=True),
            Signal("part", 8, 8, multiplexor="selector", multiplex_values=((1, 1),)),
        ), cycle_ms=20),
    ),
)  # fmt: skip


def test_a_load_is_a_log_of_the_bus() -> None:
    load = bus_load(MATRIX, 16_000, seed=1)
    assert load.size == 16_000
    assert (np.diff(load.time) >= 0).all()
    decoded = Codec(MATRIX).decode(load)
    assert not decoded.unknown
    assert not decoded.too_short | decoded.too_long | decoded.wrong_checksums | decoded.wrong_counters
    assert [decoded.count(name) for name in ("FAST", "BRANCHES", "SLOW")] == [10_000, 5_000, 1_000]
    periods = np.diff(decoded.time("FAST")) / 1e6
    assert abs(periods.mean() - 10) < 0.01
    assert periods.std() > 0.3
    table = decoded["FAST"]
    speed = table["speed"].to_numpy()
    assert np.unique(speed).size > 5_000
    assert np.abs(np.diff(speed)).max() <= 655.36 / 64 + 0.02
    assert table["temperature"].to_numpy().min() < -50
    assert 0.05 < 1 - decoded["BRANCHES"]["part"].null_count / 5_000 < 0.3


def test_a_seed_is_a_log() -> None:
    first, again, other = (bus_load(MATRIX, 500, seed=seed) for seed in (1, 1, 2))
    assert all((ours == theirs).all() for ours, theirs in zip(first, again, strict=True))
    assert (first.payload != other.payload).any()
    assert take(first, slice(0, 3)).size == 3
    assert bus_load(Matrix("empty"), 10).size == 0
