"""A bus as it comes: a few frames at a time through the codec's kernels, beside the last value of every signal.

The values are those of `Codec.decode`, as double precision. Every signal of every frame is an entry, in the order of
the frames, with a flag that says whether it differs from what was there before; who wants changes takes those alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can.codec import Codec, kernel_frames
from kyotsu.can.frames import Frames
from kyotsu.can.layout import COLUMNS, ERROR, NEVER, OTHERS, REMOTE, UNKNOWN
from kyotsu.can.matrix import Message, Signal


class Changes(NamedTuple):
    """What a few frames say; every array has one entry for each signal of each frame.

    Attributes:
        signal: number of the signal, see `Live.signals`.
        frame: place of the frame in what was given, from which time, bus and sender follow.
        value: physical; where it does not count, the last that did.
        valid: 0 where the branch is absent, the frame too short, or the raw value means "not available".
        changed: 1 where value or validity differ from before, and at the first sight.
        time: [ns] of the frame.
    """

    signal: npt.NDArray[np.int32]
    frame: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]
    valid: npt.NDArray[np.uint8]
    changed: npt.NDArray[np.uint8]
    time: npt.NDArray[np.int64]


class Live:
    """Follows one bus.

    Attributes:
        signals: message and signal of each signal number.
        values: the last value of each signal that counted; NaN before the first.
        valid: whether the last one counts.
        times: [ns] when each signal was last there; `NEVER` before the first time.
        counts: frames of each group so far.
    """

    def __init__(self, codec: Codec) -> None:
        layout = codec.layout
        count = len(layout.signals)
        self.codec = codec
        self.signals: tuple[tuple[Message, Signal], ...] = layout.signals
        self.values = np.full(count, np.nan)
        self.valid = np.zeros(count, dtype=np.uint8)
        self.times = np.full(count, NEVER, dtype=np.int64)
        self.counts = np.zeros(len(layout.plans) + OTHERS, dtype=np.int64)
        self._last = (np.zeros(count, dtype=np.uint64), self.values, self.valid, self.times)
        room = (max(1, layout.most_gates), max(1, layout.most_validities))
        self._room = tuple(np.zeros(size, dtype=np.uint8) for size in room)
        self._found = _room_for(0)
        self._tables = layout.tables
        self._most = int(np.diff(layout.tables.messages[:, COLUMNS]).max(initial=0))

    @property
    def unknown(self) -> int:
        """Frames so far whose id the matrix does not describe."""
        return int(self.counts[UNKNOWN])

    @property
    def without_data(self) -> int:
        """Remote and error frames so far."""
        return int(self.counts[REMOTE] + self.counts[ERROR])

    def number(self, message: str, signal: str) -> int:
        """The number of a signal."""
        names = [(described.name, part.name) for described, part in self.signals]
        return names.index((message, signal))

    def update(self, frames: Frames) -> Changes:
        """What the frames say, in their order; meant for a few hundred at a time."""
        columns = kernel_frames(frames)
        if frames.size * self._most > self._found[0].size:
            self._found = _room_for(2 * frames.size * self._most)
        time, frame_id, flags, _, length, words = columns
        filled = self.codec.kernels.follow(
            time, frame_id, flags, length, words, self._tables, self.counts, self._last, self._room, self._found
        )
        copies: list[Any] = [values[:filled].copy() for values in self._found]
        return Changes(*copies)


def _room_for(entries: int) -> Changes:
    kinds: tuple[Any, ...] = (np.int32, np.int32, np.float64, np.uint8, np.uint8, np.int64)
    columns: list[Any] = [np.empty(entries, dtype=kind) for kind in kinds]
    return Changes(*columns)
