"""What the names in a mapping mean: signals of the matrix, raw values, labels; the linked form of a rule.

A linked rule says no name any more: it holds the signals themselves, ranges of raw values, and the factor and offset
into which scales and units have gone. The mapper runs it, the comparison of makers reads it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from kyotsu.can.mapping import Rule, SignalRule, WriteRule
from kyotsu.can.matrix import Matrix, Message, RawRange, Signal
from kyotsu.spec.vss import VssSignal

ANY_RAW: RawRange = (-(2**63), 2**64 - 1)
_RANGE = re.compile(r"^(-?\d+|0[xX][0-9a-fA-F]+)(?:\s*(?:-|\.\.)\s*(-?\d+|0[xX][0-9a-fA-F]+))?$")


@dataclass(frozen=True, slots=True)
class Place:
    """A signal in its message."""

    message: Message
    signal: Signal

    def __str__(self) -> str:
        return f"{self.message.name}.{self.signal.name}"


@dataclass(frozen=True, slots=True)
class LinkedInput:
    """One input: a signal on the bus, or what another rule makes; physical value x factor + offset."""

    place: Place | None
    rule: int | None = None
    factor: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class LinkedCondition:
    """A signal whose raw value lies in one of the ranges, or whose physical value lies between the bounds."""

    place: Place
    ranges: tuple[RawRange, ...] = ()
    minimum: float = float("-inf")
    maximum: float = float("inf")


@dataclass(frozen=True, slots=True)
class Translation:
    """Raw values from `low` to `high` mean this: a number, or a text."""

    low: int
    high: int
    number: float
    text: str | None = None


@dataclass(frozen=True, slots=True)
class LinkedRule:
    """A rule without names.

    Attributes:
        rule: as written.
        index: its place in the mapping.
        operation: what is done with the inputs.
        targets: the signals that it makes: one, or one for each instance.
        inputs: in order.
        factor, offset: applied to the result, units and scales together.
        translations: of raw values; empty where the physical value counts.
        translates: whether raw values are translated at all.
        not_available: raw ranges of the input that mean "no value", those of the matrix included.
        negative: raw ranges of the sign.
        conditions: that must all hold.
        selector: the signal that says which target is meant.
        selections: its raw ranges, with the number of the target.
        minimum, maximum: bounds in VSS's unit.
    """

    rule: SignalRule
    index: int
    operation: Rule
    targets: tuple[VssSignal, ...]
    inputs: tuple[LinkedInput, ...]
    factor: float = 1.0
    offset: float = 0.0
    translations: tuple[Translation, ...] = ()
    translates: bool = False
    not_available: tuple[RawRange, ...] = ()
    negative: tuple[RawRange, ...] = ()
    conditions: tuple[LinkedCondition, ...] = ()
    selector: Place | None = None
    selections: tuple[tuple[int, int, int], ...] = ()
    minimum: float = float("-inf")
    maximum: float = float("inf")

    @property
    def places(self) -> tuple[Place, ...]:
        """The signals on the bus that it reads, conditions and selector too."""
        found = [item.place for item in self.inputs if item.place is not None]
        found += [item.place for item in self.conditions]
        return tuple(found) if self.selector is None else (*found, self.selector)


@dataclass(frozen=True, slots=True)
class LinkedWrite:
    """A write rule without names: CAN value = VSS value x factor + offset, or what `translations` says.

    Attributes:
        rule: as written.
        index: its place in the mapping.
        signal: the actuator.
        place: the signal on the bus.
        translations: by VSS value: the physical value on the bus.
        conditions: that must all hold.
        others: physical values of other signals of the message.
        minimum, maximum: bounds in VSS's unit.
    """

    rule: WriteRule
    index: int
    signal: VssSignal
    place: Place
    factor: float = 1.0
    offset: float = 0.0
    translations: tuple[tuple[bool | float | str, float], ...] = ()
    conditions: tuple[LinkedCondition, ...] = ()
    others: tuple[tuple[str, float], ...] = ()
    minimum: float = float("-inf")
    maximum: float = float("inf")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that means nothing here, with what might have been meant."""

    found: str
    expected: str


def find_signal(matrix: Matrix, reference: str) -> Place | Unknown:
    """The signal that `MESSAGE.SIGNAL`, or `SIGNAL` where only one message has it, names."""
    name, dot, signal_name = reference.rpartition(".")
    if dot:
        message = matrix.by_name.get(name)
        if message is None:
            return Unknown(f"message {name!r}", f"a message of the matrix{_like(name, matrix.by_name)}")
        signal = message.by_name.get(signal_name)
        if signal is None:
            found = f"signal {signal_name!r}"
            return Unknown(found, f"a signal of {name}{_like(signal_name, message.by_name)}")
        return Place(message, signal)
    holding = [message for message in matrix.messages if reference in message.by_name]
    if len(holding) == 1:
        return Place(holding[0], holding[0].by_name[reference])
    if holding:
        options = ", ".join(f"{message.name}.{reference}" for message in holding[:4])
        return Unknown(f"{reference!r}, which {len(holding)} messages have", f"one of them: {options}")
    known = {name for message in matrix.messages for name in message.by_name}
    return Unknown(f"signal {reference!r}", f"a signal of the matrix{_like(reference, known)}")


def _like(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:200], list(known), n=3, cutoff=0.6)
    return f", such as {', '.join(near)}" if near else ""


def raw_ranges(signal: Signal, text: int | str) -> tuple[RawRange, ...] | Unknown:
    """The raw values that a number, a range such as `1022-1023`, a label, or `*` for all names."""
    if isinstance(text, int):
        return ((text, text),)
    if text == "*":
        return (ANY_RAW,)
    number = _RANGE.match(text.strip())
    if number is not None:
        low = int(number[1], 0)
        high = low if number[2] is None else int(number[2], 0)
        return ((min(low, high), max(low, high)),)
    labelled = tuple((raw, raw) for raw, label in signal.labels.items() if label == text)
    if labelled:
        return labelled
    known = ", ".join(list(signal.labels.values())[:8]) or "the matrix has no value table for it"
    return Unknown(f"{text!r} of {signal.name}", f"a raw value, a range or a label ({known})")


def raw_limits(signal: Signal) -> RawRange:
    """Least and greatest raw value that its bits hold; of no meaning for a float."""
    if signal.signed:
        return -(2 ** (signal.length - 1)), 2 ** (signal.length - 1) - 1
    return 0, 2**signal.length - 1


def physical_limits(signal: Signal) -> tuple[float, float]:
    """Least and greatest physical value: as stated, else as its bits allow; infinite for a float."""
    if signal.minimum is not None and signal.maximum is not None and signal.minimum < signal.maximum:
        return signal.minimum, signal.maximum
    if signal.is_float:
        return float("-inf"), float("inf")
    ends = sorted(raw * signal.scale + signal.offset for raw in raw_limits(signal))
    return ends[0], ends[1]
