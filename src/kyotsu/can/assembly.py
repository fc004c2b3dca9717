"""The engine below the transport protocols: parts in, messages out, and a count of all that broke on the way.

A protocol turns a block of frames into `Steps`, one for each; the engine keeps a session for each sender under way.
What can go wrong with a message has one of the names of `BROKEN`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can.compiler import compiled, inlined
from kyotsu.can.frames import BytesArray, Frames

IntArray = npt.NDArray[np.int64]

# What a frame does.
NOTHING, SINGLE, FIRST, NEXT, TOUCH, ABORT, WRONG = range(7)

INTERRUPTED, ORPHANS, TIMED_OUT, OUT_OF_ORDER, ABORTED, IMPOSSIBLE, CROWDED_OUT, UNFINISHED = range(8)
BROKEN = (
    "begun anew before its end", "frames without a beginning", "timed out", "frames out of order or missing", "aborted",
    "length that cannot be", "too many at once", "unfinished at the end",
)  # fmt: skip

MOST_SESSIONS = 256
MOST_PARTS = 256  # of a message whose parts may come again

# Columns of a session.
KEY, IS_OPEN, TOTAL, COUNT, EXPECTED, LAST_NS, PATIENCE_NS, MESSAGE_ID, FLAGS, IS_PLACED = range(10)


@dataclass(frozen=True)
class TransportReport:
    """What was put together.

    Attributes:
        messages: that are whole.
        broken: messages that are not, and frames without a beginning, by reason.
        under_way: messages that wait for frames.
    """

    messages: int
    broken: Mapping[str, int]
    under_way: int


class Steps(NamedTuple):
    """What each frame of a block does; every array has shape (frame,).

    Attributes:
        kind: NOTHING, SINGLE, FIRST, NEXT, TOUCH (the session lives on), ABORT, or WRONG.
        key: of the session.
        other_key: of a second session that an abort ends.
        sequence: of this frame, in NEXT; the sequence of the frame to come, in FIRST.
        total: bytes of the message, in SINGLE and FIRST.
        begin: first byte of payload that belongs to the message.
        patience: longest time to the next frame [ns], in FIRST.
        message_id: id of the message, in SINGLE and FIRST.
        is_placed: whether parts may come again and are placed by their sequence, in FIRST.
    """

    kind: IntArray
    key: IntArray
    other_key: IntArray
    sequence: IntArray
    total: IntArray
    begin: IntArray
    patience: IntArray
    message_id: IntArray
    is_placed: IntArray


def no_steps(count: int) -> Steps:
    """Steps that do nothing."""
    return Steps(*(np.zeros(count, dtype=np.int64) for _ in Steps._fields))


class Assembly:
    """The sessions of one protocol.

    Args:
        longest: most bytes of a message; one that claims more is broken.
        modulus: where sequences start anew.
    """

    def __init__(self, longest: int, modulus: int) -> None:
        self.longest, self.modulus = longest, modulus
        self.sessions = np.zeros((MOST_SESSIONS, 10), dtype=np.int64)
        self.content = np.zeros((MOST_SESSIONS, longest), dtype=np.uint8)
        self.parts = np.zeros((MOST_SESSIONS, MOST_PARTS), dtype=np.uint8)
        self.broken = np.zeros(len(BROKEN), dtype=np.int64)
        self.messages = 0

    def push(self, frames: Frames, steps: Steps) -> Frames:
        """Messages that these frames complete."""
        rows = np.flatnonzero(steps.kind != NOTHING)
        room = int(np.sum(frames.length[rows], dtype=np.int64)) + int(np.sum(self.sessions[:, COUNT]))
        out = np.zeros(room, dtype=np.uint8)
        ends = np.zeros((rows.size, 4), dtype=np.int64)  # row, id, flags, end in out
        count = assemble(
            frames, steps, rows, self.longest, self.modulus, self.sessions, self.content, self.parts, self.broken,
            out, ends,
        )  # fmt: skip
        self.messages += count
        return _messages(frames, ends[:count], out)

    def finish(self) -> None:
        """Give up what is under way."""
        self.broken[UNFINISHED] += int(np.sum(self.sessions[:, IS_OPEN]))
        self.sessions[:] = 0

    @property
    def report(self) -> TransportReport:
        """How many messages there were, and what became of the others."""
        broken = {name: int(count) for name, count in zip(BROKEN, self.broken, strict=True) if count}
        return TransportReport(self.messages, broken, int(np.sum(self.sessions[:, IS_OPEN])))


def _messages(frames: Frames, ends: IntArray, out: BytesArray) -> Frames:
    """The messages as frames with a payload as wide as the longest."""
    rows = ends[:, 0]
    begins = np.concatenate([[0], ends[:-1, 3]]) if len(ends) else ends[:, 3]
    length = ends[:, 3] - begins
    width = max(8, int(length.max(initial=0)))
    payload = np.zeros((len(ends), width), dtype=np.uint8)
    inside = np.arange(width) < length[:, None]
    payload[inside] = out[: int(length.sum())]
    return Frames(
        frames.time[rows],
        ends[:, 1].astype(np.uint32),
        ends[:, 2].astype(np.uint8),
        frames.bus[rows],
        length.astype(np.uint16),
        payload,
    )


@compiled
def assemble(
    frames: Any, steps: Any, rows: Any, longest: int, modulus: int, sessions: Any, content: Any, parts: Any,
    broken: Any, out: Any, ends: Any,
) -> int:  # fmt: skip
    """Take the steps; returns the number of messages, which stand in `out` one after the other, with their `ends`."""
    count, end = 0, 0
    for index in range(rows.size):
        row = rows[index]
        kind, key, now = steps.kind[row], steps.key[row], frames.time[row]
        if kind == WRONG:
            broken[IMPOSSIBLE] += 1
            continue
        at = _session(sessions, key)
        if kind == ABORT:
            _end(sessions, at, ABORTED, broken)
            _end(sessions, _session(sessions, steps.other_key[row]), ABORTED, broken)
        elif kind == TOUCH:
            if at >= 0:
                sessions[at, LAST_NS] = now
        elif kind == SINGLE:
            _end(sessions, at, INTERRUPTED, broken)
            begin, total = steps.begin[row], steps.total[row]
            for byte in range(total):
                out[end + byte] = frames.payload[row, begin + byte]
            end += total
            ends[count, 0], ends[count, 1], ends[count, 2], ends[count, 3] = (
                row,
                steps.message_id[row],
                frames.flags[row],
                end,
            )
            count += 1
        elif kind == FIRST:
            _end(sessions, at, INTERRUPTED, broken)
            if steps.total[row] > longest:
                broken[IMPOSSIBLE] += 1
                continue
            at = _begin(frames, steps, row, sessions, content, parts, broken)
        elif at < 0:
            broken[ORPHANS] += 1
            continue
        elif now - sessions[at, LAST_NS] > sessions[at, PATIENCE_NS]:
            _end(sessions, at, TIMED_OUT, broken)
            broken[ORPHANS] += 1
            continue
        else:
            _continue(frames, steps, row, modulus, at, sessions, content, parts, broken)
        if kind >= FIRST and at >= 0 and sessions[at, IS_OPEN] and sessions[at, COUNT] >= sessions[at, TOTAL]:
            for byte in range(sessions[at, TOTAL]):
                out[end + byte] = content[at, byte]
            end += sessions[at, TOTAL]
            ends[count, 0], ends[count, 1] = row, sessions[at, MESSAGE_ID]
            ends[count, 2], ends[count, 3] = sessions[at, FLAGS], end
            count += 1
            sessions[at, IS_OPEN], sessions[at, COUNT] = 0, 0
    return count


@inlined
def _session(sessions: Any, key: int) -> int:
    """The open session of a sender, or -1."""
    for at in range(sessions.shape[0]):
        if sessions[at, IS_OPEN] and sessions[at, KEY] == key:
            return at
    return -1


@inlined
def _end(sessions: Any, at: int, reason: int, broken: Any) -> None:
    if at >= 0:
        sessions[at, IS_OPEN], sessions[at, COUNT] = 0, 0
        broken[reason] += 1


@inlined
def _begin(frames: Any, steps: Any, row: int, sessions: Any, content: Any, parts: Any, broken: Any) -> int:
    """Open a session, for which the one that waits longest makes room where there is none."""
    at, oldest = -1, 0
    for place in range(sessions.shape[0]):
        if not sessions[place, IS_OPEN]:
            at = place
            break
        if sessions[place, LAST_NS] < sessions[oldest, LAST_NS]:
            oldest = place
    if at < 0:
        _end(sessions, oldest, CROWDED_OUT, broken)
        at = oldest
    sessions[at, KEY], sessions[at, IS_OPEN], sessions[at, TOTAL] = steps.key[row], 1, steps.total[row]
    sessions[at, EXPECTED], sessions[at, LAST_NS] = steps.sequence[row], frames.time[row]
    sessions[at, PATIENCE_NS], sessions[at, MESSAGE_ID] = steps.patience[row], steps.message_id[row]
    sessions[at, FLAGS], sessions[at, IS_PLACED] = frames.flags[row] & 0x7F, steps.is_placed[row]
    begin = steps.begin[row]
    count = max(min(frames.length[row] - begin, steps.total[row]), 0)
    for byte in range(count):
        content[at, byte] = frames.payload[row, begin + byte]
    sessions[at, COUNT] = count
    for part in range(parts.shape[1]):
        parts[at, part] = 0
    return at


@inlined
def _continue(
    frames: Any, steps: Any, row: int, modulus: int, at: int, sessions: Any, content: Any, parts: Any, broken: Any
) -> None:
    sequence, begin = steps.sequence[row], steps.begin[row]
    size, place = frames.length[row] - begin, sessions[at, COUNT]
    sessions[at, LAST_NS] = frames.time[row]
    if sessions[at, IS_PLACED]:
        place = (sequence - 1) * size
        if sequence < 1 or size <= 0 or place >= sessions[at, TOTAL]:
            _end(sessions, at, OUT_OF_ORDER, broken)
            return
    elif sequence != sessions[at, EXPECTED]:
        _end(sessions, at, OUT_OF_ORDER, broken)
        return
    count = max(min(size, sessions[at, TOTAL] - place), 0)
    for byte in range(count):
        content[at, place + byte] = frames.payload[row, begin + byte]
    if not sessions[at, IS_PLACED] or not parts[at, sequence]:
        sessions[at, COUNT] += count
        parts[at, sequence] = 1
    sessions[at, EXPECTED] = (sequence + 1) % modulus
