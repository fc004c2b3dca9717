"""The live bus: one frame at a time says what the same frames say from a file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.can.random_matrices import matrices
from tests.can.slow_decoder import frames_for

from kyotsu.can.codec import Codec
from kyotsu.can.frames import Flag, Frames, empty_frames, frames_of, joined, take
from kyotsu.can.live import Live
from kyotsu.can.matrix import Matrix, Message, Signal

both = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
Entry = tuple[str, str, int, float | None]


def mixed(matrix: Matrix, data: st.DataObject) -> Frames:
    parts = []
    for message in matrix.messages:
        size = st.sampled_from([message.length, message.length, message.length // 2])
        payloads = data.draw(st.lists(size.flatmap(lambda size: st.binary(min_size=size, max_size=size)), max_size=5))
        parts.append(frames_for(message, payloads))
    frames = joined([*parts, frames_of([(0, 0x7FF, b"")])])
    order = np.random.default_rng(data.draw(st.integers(0, 9))).permutation(frames.size)
    frames = take(frames, order)
    frames.time[:] = np.arange(frames.size)
    return frames


def from_file(codec: Codec, frames: Frames) -> list[Entry]:
    """Every value of a block, by time."""
    decoded = codec.decode(frames)
    entries = []
    for name in decoded:
        for signal in codec.matrix.by_name[name].signals:
            values, valid = decoded.numbers(name, signal.name)
            there = np.ones(values.size, dtype=np.bool_) if valid is None else valid
            for time, value, counts in zip(decoded.time(name).tolist(), values.tolist(), there.tolist(), strict=True):
                entries.append((name, signal.name, time, float(value) if counts else None))
    return sorted(entries, key=str)


def from_bus(live: Live, batches: list[Frames]) -> list[Entry]:
    entries = []
    for batch in batches:
        for signal, _, value, valid, _, time in zip(*(column.tolist() for column in live.update(batch)), strict=True):
            message, described = live.signals[signal]
            entries.append((message.name, described.name, time, value if valid else None))
    return sorted(entries, key=str)


@both
@settings(max_examples=40)
@given(data=st.data())
def test_a_live_bus_says_what_a_file_says(compiled: bool, data: st.DataObject) -> None:
    matrix = data.draw(matrices(overlapping=True))
    codec = Codec(matrix, compiled=compiled)
    frames = mixed(matrix, data)
    size = data.draw(st.sampled_from([1, 1, 3, 100]))
    batches = [take(frames, slice(begin, begin + size)) for begin in range(0, frames.size, size)]
    live = Live(codec)
    assert str(from_bus(live, batches)) == str(from_file(codec, frames))  # as text, since NaN is not itself
    assert live.counts.sum() == frames.size


@settings(max_examples=40)
@given(data=st.data())
def test_the_kernels_agree_on_changes(data: st.DataObject) -> None:
    matrix = data.draw(matrices())
    frames = mixed(matrix, data)
    lives = [Live(Codec(matrix, compiled=compiled)) for compiled in (True, False)]
    for begin in range(0, frames.size, 4):
        compiled, plain = (live.update(take(frames, slice(begin, begin + 4))) for live in lives)
        for ours, theirs in zip(compiled, plain, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(lives[0].values, lives[1].values)
    np.testing.assert_array_equal(lives[0].valid, lives[1].valid)
    np.testing.assert_array_equal(lives[0].times, lives[1].times)


@both
def test_changes_of_value_and_of_validity(compiled: bool) -> None:
    signal = Signal("s", 0, 8, scale=0.5, not_available=((255, 255),))
    live = Live(Codec(Matrix("car", (Message("M", 0x100, 2, (signal, Signal("t", 8, 8))),)), compiled=compiled))
    assert np.isnan(live.values).all()
    steps = [(b"\x04\x01", [1, 1], 2.0), (b"\x04\x01", [0, 0], 2.0), (b"\xff\x01", [1, 0], 2.0), (b"\xff", [0, 1], 2.0),
             (b"\x04\x01", [1, 1], 2.0), (b"\x06\x02", [1, 1], 3.0)]  # fmt: skip
    for time, (payload, changed, value) in enumerate(steps):
        changes = live.update(frames_of([(time, 0x100, payload)]))
        assert changes.changed.tolist() == changed, payload
        assert live.values[0] == value
        assert live.times.tolist() == [time, time]
    assert live.number("M", "t") == 1


@both
def test_frames_that_say_nothing_are_counted(compiled: bool) -> None:
    live = Live(Codec(Matrix("car", (Message("M", 0x100, 1, (Signal("s", 0, 8),)),)), compiled=compiled))
    frames = empty_frames(4)
    frames.frame_id[:] = [0x100, 0x100, 0x100, 0x101]
    frames.flags[:] = [Flag.REMOTE, Flag.ERROR, 0, 0]
    changes = live.update(frames)
    assert (live.without_data, live.unknown) == (2, 1)
    assert changes.frame.tolist() == [2]
    assert changes.valid.tolist() == [0]
    assert live.update(empty_frames(0)).signal.size == 0
