"""The signals of a DBC message: their lines and all that stands about them elsewhere in the file, put together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from kyotsu.can import conventions
from kyotsu.can.dbc_text import DbcText, MessageText, SignalKey, SignalText
from kyotsu.can.matrix import NO_LABELS, Protocol, RawRange, Signal
from kyotsu.can.multiplexing import ALWAYS, Selection, select
from kyotsu.can.repairs import Repairs, quoted

FLOAT_LENGTHS = (16, 32, 64)

SignalNote = Callable[[str, str, str], None]  # found, expected, action

_RAW_RANGE = re.compile(r"\s*([+-]?\w+)(?:\s*-\s*([+-]?\w+))?\s*")


class Carrier(NamedTuple):
    """What a signal must know of its message."""

    name: str
    frame_id: int
    protocol: Protocol


def raw_ranges(text: str) -> tuple[RawRange, ...] | None:
    """The ranges of raw values in a text such as `0xFF` or `1022-1023,1021`; `None` if it is none such."""
    ranges = []
    for part in text.split(",") if text.strip() else []:
        match = _RAW_RANGE.fullmatch(part) if len(part) < 60 else None
        try:
            low = int(match[1], 0) if match else None
            high = int(match[2], 0) if match and match[2] else low
        except ValueError:
            return None
        if low is None or high is None or high < low:
            return None
        ranges.append((low, high))
    return conventions.merged(ranges)


def unique(name: str, taken: dict[str, int], note: SignalNote) -> str:
    """A name that is not taken yet; `taken` keeps how often each was asked for, so that many equal ones stay cheap."""
    if name not in taken:
        taken[name] = 1
        return name
    count = taken[name] + 1
    while f"{name}_{count}" in taken:
        count += 1
    taken[name] = count
    other = f"{name}_{count}"
    taken[other] = 1
    note(f"the name {quoted(name)} again", "names that differ", f"The later one was called {other}.")
    return other


class SignalAssembly:
    """Makes the signals of one message after the other."""

    def __init__(self, text: DbcText, repairs: Repairs, node_names: Mapping[str, str]) -> None:
        self.text, self.repairs, self.node_names = text, repairs, node_names

    def of_message(
        self, part: MessageText, stated: Mapping[str, tuple[str, tuple[RawRange, ...]]], carrier: Carrier
    ) -> tuple[Signal, ...]:
        """The signals of a message in the order of the file; `stated` is its extended multiplexing."""
        selections: Mapping[str, Selection] = {}
        if stated or any(signal.marker is not None for signal in part.signals):
            line_of = {signal.name: signal.line for signal in reversed(part.signals)}
            markers = [(signal.name, signal.marker) for signal in part.signals]
            selections = select(markers, stated, partial(self.note_signal, carrier.name, line_of))
        names = self.names(part, carrier.name)
        long_names = {signal.name: name for signal, name in zip(reversed(part.signals), reversed(names), strict=True)}
        select_of = selections.get
        return tuple([
            self.signal(part.raw_id, carrier, stated_signal, name, select_of(stated_signal.name, ALWAYS), long_names)
            for stated_signal, name in zip(part.signals, names, strict=True)
        ])  # fmt: skip

    def names(self, part: MessageText, message: str) -> list[str]:
        """The names of a message's signals: the long ones, each once."""
        attributes, names = self.text.signal_attributes, [signal.name for signal in part.signals]
        if attributes:
            stated = [attributes.get((part.raw_id, name)) for name in names]
            names = [(own and own.get("SystemSignalLongSymbol")) or n for own, n in zip(stated, names, strict=True)]
        if len(set(names)) == len(names):
            return names
        taken: dict[str, int] = {}
        lines = [signal.line for signal in part.signals]
        return [
            unique(name, taken, partial(self.repairs.note, line, f"{message}.{name}"))
            for name, line in zip(names, lines, strict=True)
        ]

    def note_signal(
        self, message: str, line_of: Mapping[str, int], signal: str, found: str, expected: str, action: str
    ) -> None:
        """Keep a repair of a signal that multiplexing takes part in."""
        self.repairs.note(line_of.get(signal), f"{message}.{signal}", found, expected, action)

    def signal(
        self, raw_id: int, carrier: Carrier, stated: SignalText, name: str, selection: Selection,
        long_names: Mapping[str, str],
    ) -> Signal:  # fmt: skip
        """One signal, with what the rest of the file says of it."""
        text, key = self.text, (raw_id, stated.name)
        attributes = text.signal_attributes.get(key) if text.signal_attributes else None
        labels: Mapping[int, str] = NO_LABELS
        is_float, initial, own = False, None, None
        if key in text.labels or key in text.table_of or key in text.float_types or attributes:
            note = partial(self.repairs.note, stated.line, f"{carrier.name}.{name}")
            labels, is_float = self.labels(key, stated, note), self.is_float(key, stated, note)
            initial = self.initial(attributes, note) if attributes else None
            own = self.own_ranges(attributes, note) if attributes else None
        if own is None:
            plain = (labels is NO_LABELS and carrier.protocol in ("", "isotp")) or is_float
            kind = (stated.length, stated.signed, is_float, carrier.protocol, carrier.frame_id)
            own = () if plain else conventions.implied_none(conventions.SignalKind(*kind), labels)
        comment, multiplexor = text.signal_comments.get(key), selection.multiplexor
        receivers = stated.receivers
        if self.node_names:
            receivers = tuple([self.node_names.get(node, node) for node in receivers])
        return Signal(
            name, stated.start, stated.length, stated.big_endian, stated.signed, is_float, stated.scale, stated.offset,
            stated.minimum, stated.maximum, stated.unit, labels, selection.is_multiplexor,
            None if multiplexor is None else long_names[multiplexor], selection.values, own, initial, receivers,
            comment[0] if comment else "", stated.line,
        )  # fmt: skip

    def own_ranges(self, attributes: Mapping[str, str], note: SignalNote) -> tuple[RawRange, ...] | None:
        """The raw values that kyotsu's attribute says are none; `None` if it says nothing."""
        value = attributes.get("KyotsuNotAvailable")
        ranges = None if value is None else raw_ranges(value)
        if value is not None and ranges is None:
            expected = 'raw values such as "0xFF" or "1022-1023,1021"'
            note(f"KyotsuNotAvailable {quoted(value)}", expected, "It was left out.")
        return ranges

    def labels(self, key: SignalKey, stated: SignalText, note: SignalNote) -> Mapping[int, str]:
        """The value table of a signal; values of a signed one that are written as unsigned are turned."""
        found = self.text.labels.get(key)
        labels = found[0] if found else {}
        if not labels and self.text.table_of and (table := self.text.table_of.get(key)):
            labels = self.text.tables.get(table[0], {})
            if table[0] not in self.text.tables:
                note(f"the value table {table[0]!r}, which there is not", "a VAL_TABLE_", "It has no labels.")
        if not labels:
            return NO_LABELS
        if stated.signed and max(labels) >= 1 << (stated.length - 1):
            return self.turned(labels, stated.length, note)
        return labels

    def turned(self, labels: dict[int, str], length: int, note: SignalNote) -> dict[int, str]:
        """Labels with the raw values of a signed signal."""
        half, whole = 1 << (length - 1), 1 << length
        wrong = [raw for raw in labels if half <= raw < whole and raw - whole not in labels]
        if wrong:
            found = f"labels of {', '.join(map(str, wrong[:4]))} on a signed signal of {length} bits"
            note(found, f"raw values from {-half} to {half - 1}", f"{whole} was taken from them.")
        chosen = set(wrong)
        return {raw - whole if raw in chosen else raw: label for raw, label in labels.items()}

    def is_float(self, key: SignalKey, stated: SignalText, note: SignalNote) -> bool:
        """Whether a signal holds a floating number; one of a length that has no float does not."""
        kind = self.text.float_types.get(key, (0, 0))[0]
        if kind not in (1, 2):
            return False
        if stated.length not in FLOAT_LENGTHS:
            note(f"a floating signal of {stated.length} bits", "16, 32 or 64", "It was read as a whole number.")
            return False
        if stated.length != 32 * kind:
            action = f"It was read as a float of {stated.length} bits."
            note(f"SIG_VALTYPE_ {kind} with {stated.length} bits", f"{32 * kind} bits", action)
        return True

    def initial(self, attributes: Mapping[str, str], note: SignalNote) -> int | None:
        """The raw value that a signal starts with."""
        value = attributes.get("GenSigStartValue")
        if value is None:
            return None
        try:
            number = int(value) if re.fullmatch(r"[+-]?\d{1,20}", value) else float(value)
            whole = int(number)
        except (ValueError, OverflowError):
            whole, number = 0, 0.5
        if whole != number:
            note(f"the start value {quoted(value)}", "a raw value, a whole number", "It was left out.")
            return None
        return whole
