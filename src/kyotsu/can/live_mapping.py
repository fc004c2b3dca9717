"""Datapoints of the catalogue from a live bus: the codec's live kernel, then the mapper's loop, a few frames at a time.

    live = LiveMapper(Mapper(mapping, matrix), Live(Codec(matrix)))
    for frames in batches:                     # some 16 frames each: a few milliseconds of a full bus
        points = live.update(frames)

The same rules, the same loop and the same verdicts on counters and checksums as for files, so the same datapoints.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can.checksums import CHECKSUMS, Guarded
from kyotsu.can.compiler import compiled
from kyotsu.can.frames import Frames
from kyotsu.can.layout import has_source
from kyotsu.can.live import Changes, Live
from kyotsu.can.mapper import Datapoints, Mapper
from kyotsu.can.mapping_kernel import lay_out_changes
from kyotsu.can.matrix import Message, Signal

Integers = npt.NDArray[np.int64]
SENDERS = 1 << 16  # bus and source address
# Columns of the counters, one row for each signal of the bus; modulus is 0 for what is no counter.
MODULUS, COUNTER, SOURCE = range(3)


class _Checks(NamedTuple):
    """Checksums that one call computes: of one algorithm, in the same bytes."""

    algorithm: str
    data_id: int
    begin: int
    end: int
    bits: int


class LiveMapper:
    """Follows one bus in terms of the catalogue.

    Args:
        mapper: keeps the state of the rules; no other block may go through it meanwhile.
        live: of the same matrix.
        verify: whether counters and checksums are verified, as they are in files; it takes longer than all else.
    """

    def __init__(self, mapper: Mapper, live: Live, *, verify: bool = True) -> None:
        self.mapper, self.live = mapper, live
        flat = mapper.flat
        number_of = {message.name: number for number, message in enumerate(flat.messages)}
        count = len(live.signals)
        self._places = np.full((count, 2), -1, dtype=np.int64)
        self._counters = np.zeros((count, 3), dtype=np.int64)
        self._group_of = np.full(count, -1, dtype=np.int64)
        self._groups: list[_Checks] = []
        guarded = 0
        for signal_number, (message, signal) in enumerate(live.signals):
            number = number_of.get(message.name, -1)
            if number >= 0:
                names = [known.name for known in flat.slots[number]]
                self._places[signal_number] = number, names.index(signal.name) if signal.name in names else -1
                guarded += self._guard(signal_number, message, signal, guarded) if verify else 0
        self._scales = np.array([(signal.scale or 1.0, signal.offset) for _, signal in live.signals]).reshape(-1, 2)
        self._last = np.full((guarded, SENDERS), -1, dtype=np.int64)
        self._widths = np.array([len(signals) for signals in flat.slots], dtype=np.int64)
        self._strides = np.ones(len(flat.messages), dtype=np.int64)
        self._widest = int(self._widths.max(initial=0))
        self._most = int(mapper.most.max(initial=0))

    def _guard(self, number: int, message: Message, signal: Signal, counters: int) -> int:
        """Notes a signal that is a counter or checksum; 1 for a counter."""
        guard = message.protection
        if guard is None:
            return 0
        if signal.name == guard.checksum and guard.algorithm in CHECKSUMS:
            touched = [bit // 8 for bit in signal.bits]
            checks = _Checks(guard.algorithm, guard.data_id, min(touched), max(touched) + 1, min(signal.length, 62))
            if checks not in self._groups:
                self._groups.append(checks)
            self._group_of[number] = self._groups.index(checks)
        if signal.name != guard.counter:
            return 0
        self._counters[number] = 1 << min(signal.length, 62), counters, int(has_source(message))
        return 1

    def update(self, frames: Frames) -> Datapoints:
        """What the frames say, in their order; meant for a few hundred at a time."""
        changes = self.live.update(frames)
        trusted = np.ones(frames.size, dtype=np.int64)
        entries = (changes.signal, changes.frame, changes.value, changes.valid, changes.time)
        if self._groups:
            self._judge_checksums(frames, changes, trusted)
        if self._last.size:
            _judge_counters(entries, frames.frame_id, frames.bus, self._counters, self._scales, self._last, trusted)
        events = np.empty((4, frames.size), dtype=np.int64)
        values = np.empty(frames.size * self._widest)
        count = lay_out_changes(entries, trusted, self._places, self._widths, events, values)
        return self.mapper.run(events[:, :count].copy(), self._strides, values, count * self._most)

    def _judge_checksums(self, frames: Frames, changes: Changes, trusted: Integers) -> None:
        """Takes the trust from frames whose checksum is not that of their payload."""
        group = self._group_of[changes.signal]
        chosen = np.flatnonzero((group >= 0) & (changes.valid != 0))
        for number in set(group[chosen].tolist()):
            checks, own = self._groups[number], chosen[group[chosen] == number]
            rows = changes.frame[own].astype(np.int64)
            payload, length, ids = frames.payload[rows], frames.length[rows], frames.frame_id[rows]
            expected = CHECKSUMS[checks.algorithm].expected(
                Guarded(payload, length, ids, checks.data_id, checks.begin, checks.end)
            )
            scale, offset = self._scales[changes.signal[own]].T
            raw = np.rint((changes.value[own] - offset) / scale).astype(np.int64)
            trusted[rows[raw != (expected & np.uint64((1 << checks.bits) - 1)).astype(np.int64)]] = 0


@compiled
def _judge_counters(
    entries: Any, frame_ids: Any, buses: Any, counters: Any, scales: Any, last: Any, trusted: Any
) -> None:
    """Takes the trust from frames whose counter is not the one before of the same sender and one more."""
    signals, frames, values, valid, _ = entries
    for row in range(signals.size):
        signal = signals[row]
        modulus = counters[signal, MODULUS]
        if modulus == 0 or not valid[row]:
            continue
        frame = frames[row]
        sender = np.int64(buses[frame])
        if counters[signal, SOURCE]:
            sender = sender << 8 | np.int64(frame_ids[frame]) & 255
        raw = np.int64(np.rint((values[row] - scales[signal, 1]) / scales[signal, 0]))
        before = last[counters[signal, COUNTER], sender]
        if before >= 0 and raw != (before + 1) % modulus:
            trusted[frame] = 0
        last[counters[signal, COUNTER], sender] = raw
