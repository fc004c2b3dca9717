"""A bus to measure with: the frames that a matrix's messages would make, from a seed.

Each message comes every 10, 20, 50 or 100 ms, or as often as the matrix says, give or take a tenth. Its signals walk at
random through the values that their bits hold, counters count and checksums are right, and all frames of the bus stand
in the order of time, as in a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kyotsu.can.decoded import guarded_names
from kyotsu.can.encoder import put
from kyotsu.can.frames import CLASSIC_BYTES, FD_BYTES, Flag, Frames, empty_frames
from kyotsu.can.guards import expected_checksum
from kyotsu.can.layout import is_real, raw_limits
from kyotsu.can.matrix import Matrix, Message, Signal

PERIODS_MS = (10, 20, 50, 100)
JITTER = 0.1  # of the period, to either side
FIRST_TIME = 1_767_225_600_000_000_000  # [ns] 2026-01-01 UTC
STEP_SHARE = 1 / 64  # of a signal's range, the largest step from frame to frame


def bus_load(matrix: Matrix, frames: int = 5_000_000, seed: int = 2026) -> Frames:
    """A seeded log of a bus.

    Args:
        matrix: whose messages it carries; of two with one id the first, and none above 64 bytes.
        frames: how many.
        seed: the same gives the same log.

    Returns:
        The frames, in the order of time.
    """
    random = np.random.default_rng(seed)
    messages = [message for message in matrix.by_id.values() if message.length <= FD_BYTES]
    messages.sort(key=lambda message: (message.is_extended, message.frame_id))
    wide = any(message.length > CLASSIC_BYTES for message in messages)
    if not messages:
        return empty_frames(0)
    periods = np.array([message.cycle_ms or random.choice(PERIODS_MS) for message in messages], dtype=np.float64)
    periods = np.maximum(periods, 1.0) * 1e6  # [ns]
    times, senders = _moments(periods, frames, random)
    load = empty_frames(frames, FD_BYTES if wide else CLASSIC_BYTES)
    load.time[:] = times
    for number, message in enumerate(messages):
        rows = np.flatnonzero(senders == number)
        load.frame_id[rows] = message.frame_id
        load.flags[rows] = (Flag.EXTENDED if message.is_extended else 0) | (Flag.FD if message.is_fd else 0)
        load.length[rows] = message.length
        load.payload[rows] = _payloads(message, load, rows, random)
    return load


def _moments(
    periods: npt.NDArray[np.float64], count: int, random: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16]]:
    """The first moments [ns] at which messages of those periods [ns] are sent, and which of them."""
    needed = np.ceil(count / (1 / periods).sum() / periods).astype(np.int64) + 2
    times, senders = [], []
    for sender, (period, own) in enumerate(zip(periods, needed.tolist(), strict=True)):
        jitter = random.uniform(-JITTER, JITTER, own) * period
        times.append(FIRST_TIME + (period * (random.uniform() + np.arange(own)) + jitter).astype(np.int64))
        senders.append(np.full(own, sender, dtype=np.uint16))
    every, sender_of = np.concatenate(times), np.concatenate(senders)
    order = np.argsort(every, kind="stable")[:count]
    return every[order], sender_of[order]


def _payloads(
    message: Message, load: Frames, rows: npt.NDArray[np.int64], random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Payloads of a message's frames."""
    payload = np.zeros((rows.size, load.payload.shape[1]), dtype=np.uint8)
    counter, checksum = guarded_names(message)
    every = np.ones(rows.size, dtype=np.bool_)
    for signal in message.signals:
        if signal.name != counter:
            put(payload, signal, _walk(signal, rows.size, random), every)
    if counter:
        mask = np.uint64((1 << message.by_name[counter].length) - 1)
        put(payload, message.by_name[counter], np.arange(rows.size, dtype=np.uint64) & mask, every)
    payload[:, message.length :] = 0
    if checksum:
        put(payload, message.by_name[checksum], expected_checksum(message, payload, load, rows), every)
    return payload


def _walk(signal: Signal, count: int, random: np.random.Generator) -> npt.NDArray[Any]:
    """Raw values of a signal that wanders: from end to end of what is there, turned back where it ends."""
    if signal.length > 64:
        return random.integers(0, 256, (count, -(-signal.length // 8)), dtype=np.uint8)
    if signal.is_multiplexor:
        return random.choice(_branches(signal), count)
    low, high = raw_limits(signal)
    span = min(high - low, 1 << 40)
    steps = random.integers(-max(1, int(span * STEP_SHARE)), max(1, int(span * STEP_SHARE)) + 1, count)
    place = np.abs((int(random.integers(0, span + 1)) + np.cumsum(steps)) % (2 * span) - span)
    if is_real(signal):
        kind = np.dtype(f"f{signal.length // 8}")
        return (place / span * 1000).astype(kind).view(f"u{signal.length // 8}").astype(np.uint64)
    return (place + max(low, -(1 << 40))).astype(np.int64).view(np.uint64)


def _branches(signal: Signal) -> Sequence[int] | npt.NDArray[np.uint64]:
    return np.arange(min(1 << signal.length, 8), dtype=np.uint64)
