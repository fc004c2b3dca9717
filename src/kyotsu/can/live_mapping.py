"""Datapoints of the catalogue from a live bus: the codec's live kernel, then the mapper's loop, a few frames at a time.

    live = LiveMapper(Mapper(mapping, matrix), Live(Codec(matrix)))
    for frames in batches:                     # some 16 frames each: a few milliseconds of a full bus
        points = live.update(frames)

The same rules, the same loop and the same verdicts on counters and checksums as for files, so the same datapoints. With
a compiler all of it is one call of machine code.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can import numpy_kernels
from kyotsu.can.frames import Frames
from kyotsu.can.live import Live, live_frames
from kyotsu.can.mapper import Datapoints, Mapper, datapoints
from kyotsu.can.mapping_kernel import lay_out_changes, run_rules
from kyotsu.can.mapping_tables import RuleState, RuleTables

try:
    from kyotsu.can.live_rules import follow_rules
except ImportError:  # no compiler on this computer
    follow_rules = None  # type: ignore[assignment]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Mapped(NamedTuple):
    """The arrays that the kernel of a live bus needs to run rules, beside those of `live.Held`.

    Attributes:
        tables, state: of the mapping.
        places: of each signal its message among those that rules read and its place there; -1 for none.
        widths: signals of each message.
        strides: ones, as the values of a frame follow each other.
        events, values, notes, results: room, see `mapping_kernel`.
    """

    tables: RuleTables
    state: RuleState
    places: Integers
    widths: Integers
    strides: Integers
    events: Integers
    values: Floats
    notes: Integers
    results: Floats

    @property
    def arrays(self) -> list[npt.NDArray[Any]]:
        """All of them, in the order that the kernel knows."""
        arrays: list[Any] = [*self.tables, *self.state, *self[2:]]
        return arrays


class LiveMapper:
    """Follows one bus in terms of the catalogue.

    Args:
        mapper: keeps the state of the rules; no other block may go through it meanwhile.
        live: of the same matrix.
        verify: whether counters and checksums are verified, as they are in files.
    """

    def __init__(self, mapper: Mapper, live: Live, *, verify: bool = True) -> None:
        self.mapper, self.live, self.verify = mapper, live, verify
        flat = mapper.flat
        number_of = {message.name: number for number, message in enumerate(flat.messages)}
        places = np.full((len(live.signals), 2), -1, dtype=np.int64)
        for row, (message, signal) in enumerate(live.signals):
            number = number_of.get(message.name, -1)
            if number >= 0:
                names = [known.name for known in flat.slots[number]]
                places[row] = number, names.index(signal.name) if signal.name in names else -1
        widths = np.array([len(signals) for signals in flat.slots], dtype=np.int64)
        self._widest, self._most = int(widths.max(initial=0)), int(mapper.most.max(initial=0))
        strides = np.ones(len(flat.messages), dtype=np.int64)
        self._mapped = Mapped(flat.tables, mapper.state, places, widths, strides, *self._room(0))
        self._held: Any = None
        self._addresses: Any = None

    def _room(self, frames: int) -> tuple[Integers, Floats, Integers, Floats]:
        """Events, values, notes and results of so many frames."""
        return (
            np.empty((4, frames), dtype=np.int64),
            np.empty(frames * self._widest),
            np.empty((4, frames * self._most), dtype=np.int64),
            np.empty(frames * self._most),
        )

    def update(self, frames: Frames) -> Datapoints:
        """What the frames say, in their order; meant for a few hundred at a time."""
        live, kernels = self.live, self.live.codec.kernels
        columns = live_frames(frames)
        live.make_room(columns.time.size)
        if live.held is not self._held or self.mapper.state is not self._mapped.state:
            events, values, notes, results = self._room(live.held.trusted.size)
            self._held = live.held
            self._mapped = self._mapped._replace(
                state=self.mapper.state, events=events, values=values, notes=notes, results=results
            )
            self._addresses = kernels.hold(live.held, self._mapped)
        time, frame_id, flags, bus, length, words = columns
        told = _follow_rules if kernels is numpy_kernels else follow_rules
        count = told(time, frame_id, flags, bus, length, words, self._addresses, self.verify)
        return datapoints(self._mapped.notes, self._mapped.results, count)


def _follow_rules(
    time: Any, frame_id: Any, flags: Any, bus: Any, length: Any, words: Any, parts: tuple[Any, Any], verify: bool
) -> int:
    """What `live_rules.follow_rules` does, by numpy's kernels."""
    held, mapped = parts
    filled = numpy_kernels.follow(time, frame_id, flags, bus, length, words, parts, verify)
    signals, frames, values, valid, _, moments = held.found
    changes = signals, frames, values, valid, moments
    count = lay_out_changes(changes, filled, held.trusted, mapped.places, mapped.widths, mapped.events, mapped.values)
    return run_rules(
        mapped.events, count, mapped.strides, mapped.values, mapped.tables, mapped.state, mapped.notes, mapped.results
    )
