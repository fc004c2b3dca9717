"""A bus as it comes: a few frames at a time through the codec's kernels, beside the last value of every signal.

The values are those of `Codec.decode`, as double precision. Every signal of every frame is an entry, in the order of
the frames, with a flag that says whether it differs from what was there before; who wants changes takes those alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can.codec import KINDS, Codec, kernel_frames
from kyotsu.can.frames import Frames
from kyotsu.can.guard_tables import Guards
from kyotsu.can.guards import new_counters
from kyotsu.can.layout import COLUMNS, ERROR, NEVER, OTHERS, REMOTE, UNKNOWN, Tables
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


class Held(NamedTuple):
    """The arrays that the kernel of a live bus reads and changes.

    Attributes:
        tables: of the layout.
        counts: added to, shape (group,): frames of each group.
        raws, values, valids, times: of each signal its last raw value and value that counted, whether the last one
            counts, and when it was there [ns]; changed.
        gates, validities: room for one message.
        found: to be filled.
        guards: what is judged.
        senders: counter of each sender, -1 for none; changed.
        trusted: to be filled, of each frame: 0 where its counter or checksum is wrong.
    """

    tables: Tables
    counts: npt.NDArray[np.int64]
    raws: npt.NDArray[np.uint64]
    values: npt.NDArray[np.float64]
    valids: npt.NDArray[np.uint8]
    times: npt.NDArray[np.int64]
    gates: npt.NDArray[np.uint8]
    validities: npt.NDArray[np.uint8]
    found: Changes
    guards: Guards
    senders: npt.NDArray[np.int64]
    trusted: npt.NDArray[np.int64]

    @property
    def arrays(self) -> list[npt.NDArray[Any]]:
        """All of them, in the order that the kernel knows."""
        first, found, last = self[1:8], self.found, self[10:]
        arrays: list[Any] = [*self.tables, *first, *found, *self.guards, *last]
        return arrays


class Live:
    """Follows one bus.

    Attributes:
        signals: message and signal of each signal number.
        values: the last value of each signal that counted; NaN before the first.
        valid: whether the last one counts.
        times: [ns] when each signal was last there; `NEVER` before the first time.
        counts: frames of each group so far.
        held: all that the kernel works on; another one after more frames than ever before.
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
        self._most = int(np.diff(layout.tables.messages[:, COLUMNS]).max(initial=0))
        gates, valid = (np.zeros(max(1, size), dtype=np.uint8) for size in (layout.most_gates, layout.most_validities))
        self.held = Held(
            layout.tables, self.counts, np.zeros(count, dtype=np.uint64), self.values, self.valid, self.times, gates,
            valid, _room_for(0), codec.guards.tables, new_counters(codec.guards), np.empty(0, dtype=np.int64),
        )  # fmt: skip
        self._addresses: Any = None

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
        filled = self.follow(frames, verify=False)
        copies: list[Any] = [values[:filled].copy() for values in self.held.found]
        return Changes(*copies)

    def follow(self, frames: Frames, *, verify: bool) -> int:
        """The same, left in `held.found` until the next call; how many entries there are.

        Args:
            frames: in their order.
            verify: whether counters and checksums are judged, see `held.trusted`.
        """
        time, frame_id, flags, bus, length, words = live_frames(frames)
        self.make_room(time.size)
        kernels = self.codec.kernels
        if self._addresses is None:
            self._addresses = kernels.hold(self.held)
        return int(kernels.follow(time, frame_id, flags, bus, length, words, self._addresses, verify))

    def make_room(self, frames: int) -> None:
        """Room for what so many frames say."""
        if frames > self.held.trusted.size:
            more = max(64, 2 * frames)
            self.held = self.held._replace(found=_room_for(more * self._most), trusted=np.empty(more, dtype=np.int64))
            self._addresses = None


def live_frames(frames: Frames) -> Frames:
    """Frames as the kernels want them; what comes so is not looked at for long."""
    columns: tuple[Any, ...] = frames
    for values, kind in zip(columns, KINDS, strict=True):
        if values.dtype is not kind or not values.flags.carray:
            return kernel_frames(frames)
    payload: Any = frames.payload
    if payload.shape[1] % 8 or not payload.shape[1]:
        return kernel_frames(frames)
    words = payload.view(np.uint64)
    return frames._replace(payload=words) if words.flags.aligned else kernel_frames(frames)


def _room_for(entries: int) -> Changes:
    kinds: tuple[Any, ...] = (np.int32, np.int32, np.float64, np.uint8, np.uint8, np.int64)
    columns: list[Any] = [np.empty(entries, dtype=kind) for kind in kinds]
    return Changes(*columns)
