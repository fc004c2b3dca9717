"""A live bus through the mapping: the same datapoints as from a file, at a few microseconds for each frame."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.public_data import public_data

from kyotsu.can.codec import Codec
from kyotsu.can.frames import Frames, empty_frames, take
from kyotsu.can.live import Live
from kyotsu.can.live_mapping import LiveMapper
from kyotsu.can.logs import open_log
from kyotsu.can.mapper import Mapper
from kyotsu.can.mapping import Quality, load_mapping
from kyotsu.can.matrix import Matrix
from kyotsu.can.matrix_files import load_matrix
from kyotsu.can.workloads import bus_load

MAKERS = Path(__file__).parents[2] / "examples" / "alliance" / "makers"


def bus(maker: str) -> tuple[Mapper, Matrix]:
    matrix = load_matrix(MAKERS / maker / "bus.dbc")
    return Mapper(load_mapping(MAKERS / maker / "signals.toml"), matrix), matrix


def noise(matrix: Matrix, count: int) -> Frames:
    """Frames of all messages of a matrix, and some of none, with random payloads of random lengths."""
    rng = np.random.default_rng(5)
    frames = empty_frames(count)
    frames.time[:] = np.cumsum(rng.integers(1, 2_000_000, count))
    ids = [message.frame_id for message in matrix.messages] + [0x7FF]
    frames.frame_id[:] = rng.choice(ids, count)
    frames.length[:] = rng.choice([8, 8, 8, 8, 5, 0], count)
    frames.payload[:] = rng.integers(0, 256, frames.payload.shape)
    frames.payload[np.arange(8) >= frames.length[:, None]] = 0
    return frames


def same(frames: Frames, maker: str, size: int, *, compiled: bool = True) -> int:
    """Compares file and live; the number of datapoints."""
    filed, matrix = bus(maker)
    expected = filed.map(Codec(matrix).decode(frames))
    followed, _ = bus(maker)
    live = LiveMapper(followed, Live(Codec(matrix, compiled=compiled)))
    pieces = [live.update(take(frames, slice(at, at + size))) for at in range(0, frames.size, size)]
    assert pa.concat_tables([followed.table(piece) for piece in pieces]).equals(expected)
    return expected.num_rows


@pytest.mark.parametrize(("size", "compiled"), [(1, True), (16, True), (500, True), (16, False)])
@pytest.mark.parametrize("maker", ["honda", "nissan", "mitsubishi"])
def test_live_and_file_say_the_same(maker: str, size: int, *, compiled: bool) -> None:
    _, matrix = bus(maker)
    assert same(noise(matrix, 2000), maker, size, compiled=compiled) > 500


@pytest.mark.parametrize("maker", ["honda", "nissan", "mitsubishi"])
def test_live_and_file_say_the_same_of_right_counters_and_checksums(maker: str) -> None:
    """And of some that are wrong: one bit in each hundredth frame."""
    _, matrix = bus(maker)
    frames = bus_load(matrix, 4000)
    frames.time[:] += np.arange(frames.size)
    frames.payload[::100, 0] ^= 1
    for compiled in (True, False):
        assert same(frames, maker, 16, compiled=compiled) > 500


def test_a_mapper_that_is_reset_and_larger_batches_are_followed() -> None:
    mapper, matrix = bus("nissan")
    live = LiveMapper(mapper, Live(Codec(matrix)))
    frames = bus_load(matrix, 3000)
    first = live.update(take(frames, slice(0, 10)))
    mapper.reset()
    again = live.update(take(frames, slice(0, 10)))
    assert set(first.target.tolist()) == set(again.target.tolist()), "all is told anew"
    before = [column.copy() for column in again]
    assert live.update(take(frames, slice(10, 3000))).time.size > 1000
    for column, copy in zip(again, before, strict=True):
        np.testing.assert_array_equal(column, copy)


def test_live_and_file_say_the_same_of_a_real_drive() -> None:
    log = open_log(public_data("can/mitsubishi_outlander_phev/damienmaguire_DRIVING1.csv"))
    frames = next(log.blocks())
    order = np.argsort(frames.time, kind="stable")
    frames = take(frames, order)
    frames.time[:] += np.arange(frames.size)  # no two at once: a file takes those by message, a bus as they come
    assert same(frames, "mitsubishi", 16) > 10_000


def test_a_wrong_counter_is_seen_across_batches() -> None:
    mapper, matrix = bus("nissan")
    live = LiveMapper(mapper, Live(Codec(matrix)))
    message = matrix.by_name["BATTERY_SOC"]
    frames = empty_frames(3)  # zeros have the checksum zero
    frames.frame_id[:], frames.length[:], frames.time[:] = message.frame_id, 8, [1, 2, 3]
    qualities = [live.update(take(frames, slice(at, at + 1))).quality.tolist() for at in range(3)]
    assert qualities == [[Quality.GOOD], [Quality.UNTRUSTED], []], "the counter stands still, which is told once"
    unverified = LiveMapper(bus("nissan")[0], Live(Codec(matrix)), verify=False)
    assert unverified.update(frames).quality.tolist() == [Quality.GOOD] * 3


@pytest.mark.slow
def test_a_frame_takes_a_few_microseconds() -> None:
    mapper, matrix = bus("mitsubishi")
    live = LiveMapper(mapper, Live(Codec(matrix)))
    frames = noise(matrix, 8000)
    batches = [take(frames, slice(at, at + 16)) for at in range(0, frames.size, 16)]
    for batch in batches[:20]:
        live.update(batch)
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        for batch in batches:
            live.update(batch)
        best = min(best, (time.process_time() - begin) / frames.size)
    assert best < 10e-6, "some 1.5 microseconds on a quiet machine"
