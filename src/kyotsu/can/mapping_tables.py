"""Linked rules as flat tables, so that one compiled loop runs any mapping.

A *slot* holds the last value of a signal that some rule reads, or of a rule that others read. Slots of one message
follow each other, a multiplexor before what it selects. Inputs, conditions and ranges of a variable number lie end to
end in one table; a row says where its own begin and end. Each column of a table has its constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.can.mapping_links import LinkedRule, Place
from kyotsu.can.matrix import Message, Signal

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Entry = tuple[float, float, float, float]

NO_LIMIT = np.iinfo(np.int64).max
NS_PER_MS = 1_000_000
UNHEARD = -1  # quality of a slot or target before its first value
OPERATIONS = {
    "value": 0, "sum": 1, "difference": 2, "product": 3, "quotient": 4, "first": 5, "magnitude_sign": 6, "bits": 7,
    "minimum": 8, "maximum": 9, "mean": 10,
}  # fmt: skip

ROUNDINGS = {"none": 0, "nearest": 1, "down": 2, "up": 3, "positive": 4}  # the last: without its sign

# Columns of `RuleTables.messages`; the next row says where they end.
FIRST_SLOT, FIRST_TRIGGER = range(2)
# Columns of `slots`; multiplexor is -1 for a signal that is always there.
MULTIPLEXOR, PRESENT, PRESENT_END, WHOLE = range(4)
# Columns of `scales`: raw = (physical - offset) / scale.
SCALE, SCALE_OFFSET = range(2)
# Columns of `rules`; max_age and interval [ns]; selector is -1 for a rule of one target.
(
    OPERATION, ROUNDING, TRANSLATES, ON_CHANGE, MAX_AGE, INTERVAL, OWN_SLOT, FIRST_TARGET, SELECTOR,
    INPUTS, INPUTS_END, TRANSLATIONS, TRANSLATIONS_END, ABSENT, ABSENT_END, NEGATIVE, NEGATIVE_END,
    CONDITIONS, CONDITIONS_END, SELECTIONS, SELECTIONS_END, NEEDS_RAW,
) = range(22)  # fmt: skip
# Columns of `factors`.
FACTOR, OFFSET, LOW, HIGH = range(4)
# Columns of `terms`: what an input is multiplied with; span is the number of its raw values.
TERM_FACTOR, TERM_OFFSET, SPAN = range(3)
# Columns of `conditions` and `bounds`.
CONDITION_SLOT, RANGES, RANGES_END = range(3)
BOUND_LOW, BOUND_HIGH = range(2)
# Columns of `entries`: raw values from low to high mean this number (of a target, for a selection), or text; -1: none.
ENTRY_LOW, ENTRY_HIGH, ENTRY_NUMBER, ENTRY_TEXT = range(4)
# Columns of `RuleState.slots` and `.targets`.
QUALITY, TIME, FRESH = range(3)
SENT_QUALITY, SENT_TIME, SENT_TEXT = range(3)


class RuleTables(NamedTuple):
    """What the loop reads; see the constants above.

    Attributes:
        messages: one row for each and one more.
        triggers: the rules to run when a message comes, each after those that it reads.
        slots, scales: one row for each slot.
        rules, factors: one row for each rule.
        inputs: slot of each input.
        terms: one row for each input.
        conditions, bounds: one row for each condition; without ranges its bounds count.
        entries: ranges of raw values.
    """

    messages: Integers
    triggers: Integers
    slots: Integers
    scales: Floats
    rules: Integers
    factors: Floats
    inputs: Integers
    terms: Floats
    conditions: Integers
    bounds: Floats
    entries: Floats


class RuleState(NamedTuple):
    """What the loop keeps from block to block.

    Attributes:
        values: last physical value of each slot.
        slots: quality, time [ns] and the number of the frame that set it last.
        sent: value of each target's last datapoint.
        targets: quality, time [ns] and text of it.
        counts: values of each rule whose instance nobody knows; behind them the number of the last frame.
    """

    values: Floats
    slots: Integers
    sent: Floats
    targets: Integers
    counts: Integers


class FlatRules(NamedTuple):
    """A mapping laid out.

    Attributes:
        tables: what the loop reads.
        messages: that some rule reads, in the order of their numbers.
        slots: the signals of each message, in the order of their slots.
        targets: path of each target.
        texts: that a translation can yield.
    """

    tables: RuleTables
    messages: tuple[Message, ...]
    slots: tuple[tuple[Signal, ...], ...]
    targets: tuple[str, ...]
    texts: tuple[str, ...]


def flatten(rules: Sequence[LinkedRule], also: Iterable[Place] = ()) -> FlatRules:
    """The tables of linked rules, which come each after those that it reads; `also`: what else is worth remembering."""
    messages, slots = _read_signals([*(place for rule in rules for place in rule.places), *also])
    texts = list(dict.fromkeys(item.text for rule in rules for item in rule.translations if item.text is not None))
    rows = _Rows(messages, slots, rules, {text: number for number, text in enumerate(texts)})
    targets = tuple(target.path for rule in rules for target in rule.targets)
    return FlatRules(rows.tables(), messages, slots, targets, tuple(texts))


def new_state(flat: FlatRules) -> RuleState:
    """Before the first frame: nothing was heard."""
    slots, rules, targets = len(flat.tables.slots), len(flat.tables.rules), len(flat.targets)
    state = RuleState(
        values=np.full(slots, np.nan),
        slots=np.zeros((slots, 3), dtype=np.int64),
        sent=np.full(targets, np.nan),
        targets=np.zeros((targets, 3), dtype=np.int64),
        counts=np.zeros(rules + 1, dtype=np.int64),
    )
    state.slots[:, QUALITY] = UNHEARD
    state.targets[:, (SENT_QUALITY, SENT_TEXT)] = UNHEARD
    return state


def _read_signals(places: Iterable[Place]) -> tuple[tuple[Message, ...], tuple[tuple[Signal, ...], ...]]:
    """The messages of some signals, and of each its signals, every multiplexor before what it selects."""
    wanted: dict[str, tuple[Message, dict[str, Signal]]] = {}
    for place in places:
        _, signals = wanted.setdefault(place.message.name, (place.message, {}))
        for signal in _with_multiplexors(place):
            signals.setdefault(signal.name, signal)
    found = tuple(wanted.values())
    return tuple(message for message, _ in found), tuple(tuple(signals.values()) for _, signals in found)


def _with_multiplexors(place: Place) -> list[Signal]:
    chain = [place.signal]
    while chain[0].multiplexor is not None and len(chain) <= len(place.message.signals):
        above = place.message.by_name.get(chain[0].multiplexor)
        if above is None:
            break
        chain.insert(0, above)
    return chain


class _Rows:
    """Rows of the tables as they come."""

    def __init__(
        self,
        messages: Sequence[Message],
        slots: Sequence[Sequence[Signal]],
        rules: Sequence[LinkedRule],
        text_of: dict[str, int],
    ) -> None:
        self.messages, self.signals, self.rules, self.text_of = messages, slots, rules, text_of
        pairs = [(message, signal) for message, group in zip(messages, slots, strict=True) for signal in group]
        self.pairs = pairs
        self.slot_of = {(message.name, signal.name): number for number, (message, signal) in enumerate(pairs)}
        self.rule_slot = {rule.index: len(pairs) + number for number, rule in enumerate(rules)}
        self.entries: list[Entry] = []
        self.conditions: list[tuple[int, int, int]] = []
        self.bounds: list[tuple[float, float]] = []
        self.inputs: list[int] = []
        self.terms: list[tuple[float, float, float]] = []

    def tables(self) -> RuleTables:
        """All rows as arrays."""
        slots = [self.slot(message, signal) for message, signal in self.pairs] + [(-1, 0, 0, 0)] * len(self.rules)
        scales = [(signal.scale or 1.0, signal.offset) for _, signal in self.pairs] + [(1.0, 0.0)] * len(self.rules)
        rules, target = [], 0
        for rule in self.rules:
            rules.append(self.rule(rule, target))
            target += len(rule.targets)
        messages, triggers = self.triggers()
        factors = [(rule.factor, rule.offset, *_eased(rule.minimum, rule.maximum)) for rule in self.rules]
        return RuleTables(
            _integers(messages, 2),
            np.array(triggers, dtype=np.int64),
            _integers(slots, 4),
            _floats(scales, 2),
            _integers(rules, 22),
            _floats(factors, 4),
            np.array(self.inputs, dtype=np.int64),
            _floats(self.terms, 3),
            _integers(self.conditions, 3),
            _floats(self.bounds, 2),
            _floats(self.entries, 4),
        )

    def slot(self, message: Message, signal: Signal) -> tuple[int, int, int, int]:
        above = -1 if signal.multiplexor is None else self.slot_of.get((message.name, signal.multiplexor), -1)
        return above, *self.ranges(signal.multiplex_values), int(not signal.is_float)

    def ranges(self, pairs: Iterable[tuple[float, float]]) -> tuple[int, int]:
        """Where ranges begin and end that say no more than themselves."""
        return self.add((low, high, 0.0, -1.0) for low, high in pairs)

    def add(self, entries: Iterable[Entry]) -> tuple[int, int]:
        begin = len(self.entries)
        self.entries += entries
        return begin, len(self.entries)

    def place(self, place: Place) -> int:
        return self.slot_of[place.message.name, place.signal.name]

    def rule(self, rule: LinkedRule, target: int) -> tuple[int, ...]:
        written = rule.rule
        return (
            OPERATIONS[rule.operation],
            ROUNDINGS[written.rounding] or int(rule.targets[0].is_integer),
            int(rule.translates),
            int(written.on_change),
            NO_LIMIT if written.max_age_ms is None else _ns(written.max_age_ms),
            _ns(written.min_interval_ms),
            self.rule_slot[rule.index],
            target,
            -1 if rule.selector is None else self.place(rule.selector),
            *self.input_rows(rule),
            *self.add(
                (item.low, item.high, item.number, -1.0 if item.text is None else self.text_of[item.text])
                for item in rule.translations
            ),
            *self.ranges(rule.not_available),
            *self.ranges(rule.negative),
            *self.condition_rows(rule),
            *self.add((low, high, number, -1.0) for low, high, number in rule.selections),
            int(rule.translates or bool(rule.not_available) or rule.operation in ("bits", "magnitude_sign")),
        )

    def input_rows(self, rule: LinkedRule) -> tuple[int, int]:
        begin = len(self.inputs)
        for item in rule.inputs:
            self.inputs.append(self.rule_slot[item.rule or 0] if item.place is None else self.place(item.place))
            span = 1.0 if item.place is None else 2.0**item.place.signal.length
            self.terms.append((item.factor, item.offset, span))
        return begin, len(self.inputs)

    def condition_rows(self, rule: LinkedRule) -> tuple[int, int]:
        begin = len(self.conditions)
        for item in rule.conditions:
            self.conditions.append((self.place(item.place), *self.ranges(item.ranges)))
            self.bounds.append((item.minimum, item.maximum))
        return begin, len(self.conditions)

    def triggers(self) -> tuple[list[tuple[int, int]], list[int]]:
        """Of each message its first slot and trigger, and the rules that read it or read a rule that does, in order."""
        number_of = {message.name: number for number, message in enumerate(self.messages)}
        heard: dict[int, set[int]] = {}
        groups: list[list[int]] = [[] for _ in self.messages]
        for position, rule in enumerate(self.rules):
            places = [item.place for item in rule.inputs if item.place is not None]
            heard[rule.index] = {number_of[place.message.name] for place in places}.union(
                *(heard[item.rule] for item in rule.inputs if item.rule is not None)
            )
            for number in heard[rule.index]:
                groups[number].append(position)
        rows, slot, triggers = [], 0, list[int]()
        for group, signals in zip(groups, self.signals, strict=True):
            rows.append((slot, len(triggers)))
            slot, triggers = slot + len(signals), triggers + group
        return [*rows, (slot, len(triggers))], triggers


def _ns(milliseconds: float) -> int:
    return min(round(milliseconds * NS_PER_MS), NO_LIMIT)


def _eased(low: float, high: float) -> tuple[float, float]:
    """Bounds that rounding does not cross: 100.00000000000001 per cent is in range."""
    ease = [1e-9 * max(1.0, abs(bound)) if np.isfinite(bound) else 0.0 for bound in (low, high)]
    return low - ease[0], high + ease[1]


def _floats(rows: Sequence[tuple[float, ...]], width: int) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(-1, width)


def _integers(rows: Sequence[tuple[int, ...]], width: int) -> Integers:
    return np.array(rows, dtype=np.int64).reshape(-1, width)
