"""Is what a matrix says possible on a bus? Signals in each other's bits, beyond their frame, never there, and the like.

Nothing here changes the matrix: a frame is decoded as it is described, overlapping signals each for itself. The work
grows with the number of signals; where signals of many multiplexor values would have to be compared each with each, it
stops at a budget and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kyotsu.can.conventions import FD_LENGTHS
from kyotsu.can.dbc_signals import FLOAT_LENGTHS, SignalNote
from kyotsu.can.matrix import Matrix, Message, RawRange, Signal
from kyotsu.can.repairs import Repairs
from kyotsu.errors import Problem

_MOST_COMPARISONS = 1_000_000  # of bit masks, for a whole matrix: some seconds
_MOST_MASK_BYTES = 200_000_000  # signals x bytes of a message whose overlaps are looked for
_MOST_SHOWN = 20  # overlaps of one message

_Presence = tuple[str | None, tuple[RawRange, ...]]  # the multiplexor of a signal, and at which values it is there


def check_matrix(matrix: Matrix) -> list[Problem]:
    """All that is doubtful in a matrix, as warnings with the line where it stands."""
    repairs = Repairs(matrix.file or matrix.name)
    _Checks(matrix, repairs).run()
    return repairs.all()


class _Checks:
    """The checks of one matrix, and how many comparisons are left."""

    def __init__(self, matrix: Matrix, repairs: Repairs) -> None:
        self.matrix, self.repairs = matrix, repairs
        self.comparisons = _MOST_COMPARISONS
        self.unchecked = 0

    def run(self) -> None:
        names: dict[str, Message] = {}
        ids: dict[tuple[int, bool], Message] = {}
        for message in self.matrix.messages:
            note = partial(self.repairs.note, message.line, message.name)
            first = ids.setdefault((message.frame_id, message.is_extended), message)
            if first is not message:
                found = f"the id 0x{message.frame_id:X} again, after {first.name}{_in_line(first.line)}"
                note(found, "one message for an id", "Drop one of them; frames are decoded by the first.")
            if names.setdefault(message.name, message) is not message:
                note("the name of another message", "names that differ", "Rename one of them.")
            self.message(message, note)
            for contained in message.contained.values():
                self.message(contained, partial(self.repairs.note, contained.line, contained.name))
        if self.unchecked:
            found = f"{self.unchecked} messages too large to compare all their signals"
            self.repairs.note(None, None, found, "fewer signals", "Their overlaps were not looked for.")

    def message(self, message: Message, note: SignalNote) -> None:
        """The frame itself, then its signals."""
        if message.frame_id > (0x1FFF_FFFF if message.is_extended else 0x7FF):
            note(f"the id 0x{message.frame_id:X}", "29 bits, or 11 without the mark of a 29-bit id", "Correct the id.")
        if message.is_fd and message.length > 8 and message.length not in FD_LENGTHS:
            action = "Correct the length; frames arrive with the next larger one."
            note(f"a CAN FD frame of {message.length} bytes", "8, 12, 16, 20, 24, 32, 48 or 64", action)
        guard = message.protection
        for name in (guard.counter, guard.checksum) if guard else ():
            if name is not None and name not in message.by_name:
                note(f"the counter or checksum {name!r}, which there is not", "a signal of the message", "Correct it.")
        if len(message.by_name) < len(message.signals):
            note("two signals of one name", "names that differ", "Rename one of them.")
        for signal in message.signals:
            key = f"{message.name}.{signal.name}"
            for problem in _signal_problems(signal, message):
                self.repairs.note(signal.line or message.line, key, *problem)
        for signal in _in_circles(message):
            note(f"{signal.name}, which by other signals selects itself", "a tree", "Correct the multiplexors.")
        if len(message.signals) * message.length > _MOST_MASK_BYTES or self.comparisons <= 0:
            self.unchecked += 1
        else:
            self.overlaps(message)

    def overlaps(self, message: Message) -> None:
        """Pairs of signals that can be there at the same time and share a bit."""
        groups: dict[_Presence, int] = {}
        together: dict[tuple[_Presence, _Presence], bool] = {}
        shown = 0
        for index, signal in enumerate(message.signals):
            if signal.end_byte > message.length or signal.length < 1:
                continue
            mask = _mask(signal, message.length)
            presence = signal.multiplexor, signal.multiplex_values
            self.comparisons -= len(groups)
            if self.comparisons <= 0:
                self.unchecked += 1
                return
            for other, taken in groups.items():
                if taken & mask and (other == presence or _together(message, presence, other, together)):
                    shown += 1
                    if shown <= _MOST_SHOWN:
                        self.note_overlap(message, index, mask, other)
                    break
            groups[presence] = groups.get(presence, 0) | mask
        if shown > _MOST_SHOWN:
            found = f"{shown - _MOST_SHOWN} more signals that share bits with others"
            self.repairs.note(message.line, message.name, found, "bits of their own", "Correct their places.")

    def note_overlap(self, message: Message, index: int, mask: int, presence: _Presence) -> None:
        signal = message.signals[index]
        for other in message.signals[:index]:
            same = (other.multiplexor, other.multiplex_values) == presence
            if same and other.end_byte <= message.length and _mask(other, message.length) & mask:
                found = f"bits that {other.name}{_in_line(other.line)} has as well"
                key = f"{message.name}.{signal.name}"
                action = "Correct one of them; both are decoded as they stand."
                self.repairs.note(signal.line or message.line, key, found, "bits of its own", action)
                return


def _in_line(line: int | None) -> str:
    return "" if line is None else f" in line {line}"


def _mask(signal: Signal, length: int) -> int:
    """The bits of a signal in a frame of that many bytes, the first on the wire highest."""
    ones = (1 << signal.length) - 1
    if not signal.big_endian:
        return int.from_bytes((ones << signal.start).to_bytes(length, "little"), "big")
    first = 8 * (signal.start // 8) + 7 - signal.start % 8
    return ones << (8 * length - first - signal.length)


def _ancestors(message: Message, presence: _Presence) -> Iterator[tuple[str, tuple[RawRange, ...]]]:
    """What must hold for a signal to be there: each multiplexor above it and the values it must have."""
    seen: set[str] = set()
    name, values = presence
    while name is not None and name not in seen and name in message.by_name:
        seen.add(name)
        yield name, values
        by = message.by_name[name]
        name, values = by.multiplexor, by.multiplex_values


def _together(
    message: Message, one: _Presence, other: _Presence, known: dict[tuple[_Presence, _Presence], bool]
) -> bool:
    """Whether signals with these presences can be in one frame: no multiplexor would need two values for it."""
    if one[0] == other[0] and one[0] is not None and not _common(one[1], other[1]):
        return False  # the plain case, of which there are many: two branches of one multiplexor
    pair = one, other
    if pair not in known:
        needed = dict(_ancestors(message, one))
        known[pair] = all(
            name not in needed or _common(needed[name], values) for name, values in _ancestors(message, other)
        )
    return known[pair]


def _common(some: tuple[RawRange, ...], others: tuple[RawRange, ...]) -> bool:
    return any(low <= high_other and low_other <= high for low, high in some for low_other, high_other in others)


def _in_circles(message: Message) -> list[Signal]:
    """Multiplexors that select each other."""
    done: set[str] = set()
    found = []
    for signal in message.signals:
        path: dict[str, None] = {}
        current: Signal | None = signal
        while current is not None and current.name not in done and current.name not in path:
            path[current.name] = None
            current = message.by_name.get(current.multiplexor) if current.multiplexor is not None else None
        if current is not None and current.name in path:
            found.append(current)
        done.update(path)
    return found


def _signal_problems(signal: Signal, message: Message) -> Iterator[tuple[str, str, str]]:
    """What is doubtful in a signal by itself: found, expected, action."""
    if signal.length < 1 or signal.start < 0:
        yield f"bits {signal.start}|{signal.length}", "a place in the frame", "Correct start and length."
        return
    if signal.end_byte > message.length:
        action = "Correct one of them; in shorter frames the signal has no value."
        yield f"a signal that needs {signal.end_byte} bytes", f"at most the message's {message.length}", action
    if signal.is_float and signal.length not in FLOAT_LENGTHS:
        yield f"a floating signal of {signal.length} bits", "16, 32 or 64", "Correct its length."
    if signal.scale == 0.0:
        yield "a scale of 0", "any other", "Correct the scale; every value is the offset."
    if signal.minimum is not None and signal.maximum is not None and signal.minimum > signal.maximum:
        yield f"limits {signal.minimum:g} to {signal.maximum:g}", "the lower one first", "Correct the limits."
    low, high = _raw_limits(signal)
    if not signal.is_float:
        outside = [raw for raw in signal.labels if not low <= raw <= high]
        if outside:
            action = "Correct them; they are never shown."
            yield (
                f"labels of raw values that it cannot have: {', '.join(map(str, outside[:4]))}",
                f"{low} to {high}",
                action,
            )
        if signal.initial is not None and not low <= signal.initial <= high:
            yield f"the start value {signal.initial}", f"{low} to {high}", "Correct it."
    yield from _selection_problems(signal, message)


def _selection_problems(signal: Signal, message: Message) -> Iterator[tuple[str, str, str]]:
    if signal.multiplexor is None:
        return
    by = message.by_name.get(signal.multiplexor)
    if by is None:
        yield f"the multiplexor {signal.multiplexor!r}, which there is not", "a signal of the message", "Correct it."
        return
    if not by.is_multiplexor:
        yield f"the multiplexor {by.name}, not marked as one", "a mark at it", "Mark it."
    low, high = _raw_limits(by)
    if not any(first <= high and last >= low for first, last in signal.multiplex_values):
        values = ", ".join(f"{first}" for first, _ in signal.multiplex_values[:4]) or "no value"
        action = "Correct the value; the signal is never there."
        yield f"multiplexed by {by.name} at {values}", f"a value that it can have: {low} to {high}", action


def _raw_limits(signal: Signal) -> RawRange:
    length = max(signal.length, 1)
    return (-(1 << (length - 1)), (1 << (length - 1)) - 1) if signal.signed else (0, (1 << length) - 1)
