"""The loop that runs a mapping: frame after frame in the order of time, the same for files and for a live bus.

Each frame sets the slots of its message; then the rules that read it run, each after those that it reads. Badness is
data here: a value that is worth nothing keeps its place with a quality, and is told once when it begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kyotsu.can import mapping_tables as at
from kyotsu.can.compiler import compiled, inlined
from kyotsu.can.mapping import Quality

GOOD = int(Quality.GOOD)
NOT_AVAILABLE, OUT_OF_RANGE = int(Quality.NOT_AVAILABLE), int(Quality.OUT_OF_RANGE)
UNKNOWN_VALUE, NOT_VALID, UNTRUSTED = int(Quality.UNKNOWN_VALUE), int(Quality.NOT_VALID), int(Quality.UNTRUSTED)
SUM, DIFFERENCE, PRODUCT = at.OPERATIONS["sum"], at.OPERATIONS["difference"], at.OPERATIONS["product"]
QUOTIENT, FIRST, BITS = at.OPERATIONS["quotient"], at.OPERATIONS["first"], at.OPERATIONS["bits"]
MAGNITUDE_SIGN, MINIMUM, MEAN = at.OPERATIONS["magnitude_sign"], at.OPERATIONS["minimum"], at.OPERATIONS["mean"]
NEAREST, DOWN, UP, POSITIVE = (at.ROUNDINGS[name] for name in ("nearest", "down", "up", "positive"))
NOT_READY = -1
# Rows of the events and columns of what comes out.
EVENT_TIME, EVENT_MESSAGE, EVENT_BASE, EVENT_TRUSTED = range(4)
OUT_TIME, OUT_TARGET, OUT_TEXT, OUT_QUALITY = range(4)


@inlined
def _entry(raw: float, entries: Any, begin: int, end: int) -> int:
    """The first entry whose range holds a raw value; -1 where none does."""
    for row in range(begin, end):
        if entries[row, at.ENTRY_LOW] <= raw <= entries[row, at.ENTRY_HIGH]:
            return row
    return -1


@inlined
def _raw(slot: int, tables: Any, state: Any) -> float:
    """The raw value of a slot."""
    value = state.values[slot]
    if tables.slots[slot, at.WHOLE] == 0:
        return value  # type: ignore[no-any-return]
    raw = (value - tables.scales[slot, at.SCALE_OFFSET]) / tables.scales[slot, at.SCALE]
    return np.rint(raw)  # type: ignore[no-any-return]


@inlined
def _hear(event: int, frame: int, events: Any, strides: Any, values: Any, tables: Any, state: Any) -> None:
    """Takes over what a frame says: the signals that are in it, as their multiplexors tell."""
    message = events[EVENT_MESSAGE, event]
    first = tables.messages[message, at.FIRST_SLOT]
    for slot in range(first, tables.messages[message + 1, at.FIRST_SLOT]):
        above = tables.slots[slot, at.MULTIPLEXOR]
        if above >= 0:
            if state.slots[above, at.FRESH] != frame:
                continue
            begin, end = tables.slots[slot, at.PRESENT], tables.slots[slot, at.PRESENT_END]
            if _entry(_raw(above, tables, state), tables.entries, begin, end) < 0:
                continue
        value = values[events[EVENT_BASE, event] + (slot - first) * strides[message]]
        state.values[slot] = value
        state.slots[slot, at.TIME], state.slots[slot, at.FRESH] = events[EVENT_TIME, event], frame
        quality = NOT_AVAILABLE if np.isnan(value) else GOOD
        state.slots[slot, at.QUALITY] = quality if events[EVENT_TRUSTED, event] else UNTRUSTED


@inlined
def _conditions_hold(rule: int, tables: Any, state: Any) -> bool:
    for row in range(tables.rules[rule, at.CONDITIONS], tables.rules[rule, at.CONDITIONS_END]):
        slot = tables.conditions[row, at.CONDITION_SLOT]
        if state.slots[slot, at.QUALITY] != GOOD:
            return False
        begin, end = tables.conditions[row, at.RANGES], tables.conditions[row, at.RANGES_END]
        if begin < end:
            if _entry(_raw(slot, tables, state), tables.entries, begin, end) < 0:
                return False
        elif not tables.bounds[row, at.BOUND_LOW] <= state.values[slot] <= tables.bounds[row, at.BOUND_HIGH]:
            return False
    return True


@inlined
def _quality(slot: int, time: int, max_age: int, state: Any) -> int:
    """What the last value of a slot is worth now."""
    quality = state.slots[slot, at.QUALITY]
    if quality == GOOD and time - state.slots[slot, at.TIME] > max_age:
        return NOT_AVAILABLE
    return quality  # type: ignore[no-any-return]


@inlined
def _joined(operation: int, so_far: float, value: float) -> float:
    """What an operation makes of its result up to now and one more input."""
    if operation == SUM or operation == MEAN:  # noqa: SIM109 - a tuple would be built in each turn
        return so_far + value
    if operation == DIFFERENCE:
        return so_far - value
    if operation == PRODUCT:
        return so_far * value
    if operation == QUOTIENT:
        return so_far / value if value != 0.0 else np.nan
    if operation == MINIMUM:
        return min(so_far, value)
    return max(so_far, value)


@inlined
def _first(rule: int, time: int, frame: int, tables: Any, state: Any) -> tuple[float, float, int]:
    """The first input that is available; a lesser one that comes while a better one holds says nothing."""
    worst = NOT_READY
    for row in range(tables.rules[rule, at.INPUTS], tables.rules[rule, at.INPUTS_END]):
        slot = tables.inputs[row]
        quality = _quality(slot, time, tables.rules[rule, at.MAX_AGE], state)
        fresh = state.slots[slot, at.FRESH] == frame
        if quality == GOOD:
            value = state.values[slot] * tables.terms[row, at.TERM_FACTOR] + tables.terms[row, at.TERM_OFFSET]
            return value, _raw(slot, tables, state), GOOD if fresh else NOT_READY
        if worst == NOT_READY and fresh:
            worst = quality
    return np.nan, np.nan, worst


@inlined
def _combined(rule: int, time: int, frame: int, tables: Any, state: Any) -> tuple[float, float, int]:
    """The result over all inputs, the raw value that is translated, and the quality; `NOT_READY`: nothing to say."""
    begin, end = tables.rules[rule, at.INPUTS], tables.rules[rule, at.INPUTS_END]
    operation, max_age = tables.rules[rule, at.OPERATION], tables.rules[rule, at.MAX_AGE]
    needs_raw = tables.rules[rule, at.NEEDS_RAW]
    result, bits, worst, fresh = 0.0, 0.0, GOOD, False
    for row in range(begin, end):
        slot = tables.inputs[row]
        quality = _quality(slot, time, max_age, state)
        if quality == at.UNHEARD:
            return np.nan, np.nan, NOT_READY
        fresh = fresh or state.slots[slot, at.FRESH] == frame
        worst = max(worst, quality)
        value = state.values[slot] * tables.terms[row, at.TERM_FACTOR] + tables.terms[row, at.TERM_OFFSET]
        raw = _raw(slot, tables, state) if needs_raw else 0.0
        if operation == BITS:
            span = tables.terms[row, at.SPAN]
            bits = bits * span + (raw + span if raw < 0.0 else raw)
        elif row == begin:
            result, bits = value, raw
        elif operation == MAGNITUDE_SIGN:
            first, last = tables.rules[rule, at.NEGATIVE], tables.rules[rule, at.NEGATIVE_END]
            result = -result if _entry(raw, tables.entries, first, last) >= 0 else result
        else:
            result = _joined(operation, result, value)
    if not fresh:
        return np.nan, np.nan, NOT_READY
    if operation == BITS:
        result = bits
    elif operation == MEAN:
        result /= end - begin
    return result, bits, worst


@inlined
def _rounded(value: float, rounding: int) -> float:
    if rounding == NEAREST:
        return np.rint(value)  # type: ignore[no-any-return]
    if rounding == DOWN:
        return np.floor(value)  # type: ignore[no-any-return]
    if rounding == UP:
        return np.ceil(value)  # type: ignore[no-any-return]
    return abs(value) if rounding == POSITIVE else value


@inlined
def _worth(rule: int, result: float, raw: float, quality: int, tables: Any, state: Any) -> tuple[float, int, int]:
    """Value, text and quality that the catalogue gets for a result."""
    begin, end = tables.rules[rule, at.ABSENT], tables.rules[rule, at.ABSENT_END]
    if quality == GOOD and begin < end and _entry(raw, tables.entries, begin, end) >= 0:
        return np.nan, -1, NOT_AVAILABLE
    if quality == GOOD and not _conditions_hold(rule, tables, state):
        return np.nan, -1, NOT_VALID
    if quality != GOOD:
        return np.nan, -1, quality
    if tables.rules[rule, at.TRANSLATES]:
        begin, end = tables.rules[rule, at.TRANSLATIONS], tables.rules[rule, at.TRANSLATIONS_END]
        row = _entry(raw, tables.entries, begin, end)
        if row < 0:
            return np.nan, -1, UNKNOWN_VALUE
        return tables.entries[row, at.ENTRY_NUMBER], int(tables.entries[row, at.ENTRY_TEXT]), GOOD
    value = result * tables.factors[rule, at.FACTOR] + tables.factors[rule, at.OFFSET]
    value = _rounded(value, tables.rules[rule, at.ROUNDING])
    if np.isnan(value):
        return np.nan, -1, NOT_AVAILABLE
    if not tables.factors[rule, at.LOW] <= value <= tables.factors[rule, at.HIGH]:
        return np.nan, -1, OUT_OF_RANGE
    return value, -1, GOOD


@inlined
def _target(rule: int, frame: int, tables: Any, state: Any) -> int:
    """The target that a value of a rule belongs to; -1 where nobody knows."""
    slot, first = tables.rules[rule, at.SELECTOR], tables.rules[rule, at.FIRST_TARGET]
    if slot < 0:
        return first  # type: ignore[no-any-return]
    if state.slots[slot, at.FRESH] == frame and state.slots[slot, at.QUALITY] == GOOD:
        begin, end = tables.rules[rule, at.SELECTIONS], tables.rules[rule, at.SELECTIONS_END]
        row = _entry(_raw(slot, tables, state), tables.entries, begin, end)
        if row >= 0:
            return first + int(tables.entries[row, at.ENTRY_NUMBER])  # type: ignore[no-any-return]
    return -1


@inlined
def _is_told(rule: int, target: int, time: int, value: float, text: int, quality: int, tables: Any, state: Any) -> bool:
    """Whether a value becomes a datapoint: a change of quality always; else by interval and change."""
    if quality != state.targets[target, at.SENT_QUALITY]:
        return True
    if quality != GOOD or time - state.targets[target, at.SENT_TIME] < tables.rules[rule, at.INTERVAL]:
        return False
    if tables.rules[rule, at.ON_CHANGE] == 0:
        return True
    if text >= 0 or state.targets[target, at.SENT_TEXT] >= 0:
        return text != state.targets[target, at.SENT_TEXT]  # type: ignore[no-any-return]
    return value != state.sent[target]  # type: ignore[no-any-return]


@compiled
def lay_out_changes(changes: Any, filled: int, trusted: Any, places: Any, widths: Any, events: Any, values: Any) -> int:
    """Lays out what a few live frames say, signal after signal, as events for `run_rules`.

    Args:
        changes: signal, frame, value, validity and time of each entry, frame after frame, as `live.Changes` has them.
        filled: how many there are.
        trusted: of each frame.
        places: of each signal its message among those that rules read and its place there; -1 for none.
        widths: signals of each message.
        events, values: to be filled.

    Returns:
        The number of events.
    """
    signals, frames, numbers, valid, times = changes
    count, laid, current = 0, 0, -1
    for row in range(filled):
        message = places[signals[row], 0]
        if message < 0:
            continue
        if frames[row] != current:
            current = frames[row]
            events[EVENT_TIME, count], events[EVENT_MESSAGE, count] = times[row], message
            events[EVENT_BASE, count], events[EVENT_TRUSTED, count] = laid, trusted[current]
            values[laid : laid + widths[message]] = np.nan
            laid += widths[message]
            count += 1
        place = places[signals[row], 1]
        if place >= 0 and valid[row]:
            values[events[EVENT_BASE, count - 1] + place] = numbers[row]
    return count


@compiled
def run_rules(
    events: Any, size: int, strides: Any, values: Any, tables: Any, state: Any, numbers: Any, results: Any
) -> int:
    """Runs all frames through all rules.

    Args:
        events: of each frame, in the order of time: time [ns], message, where its values begin, whether it is trusted;
            shape (4, frame or more).
        size: number of frames.
        strides: of each message, from one signal's value to the next one's of the same frame.
        values: physical values, NaN where there is none.
        tables, state: of the mapping.
        numbers: room for time, target, text and quality of each datapoint, shape (4, datapoint).
        results: room for its value.

    Returns:
        The number of datapoints.
    """
    count, counts = 0, state.counts
    for event in range(size):
        time, message = events[EVENT_TIME, event], events[EVENT_MESSAGE, event]
        frame = counts[-1] + 1
        counts[-1] = frame
        _hear(event, frame, events, strides, values, tables, state)
        for row in range(tables.messages[message, at.FIRST_TRIGGER], tables.messages[message + 1, at.FIRST_TRIGGER]):
            rule = tables.triggers[row]
            if tables.rules[rule, at.OPERATION] == FIRST:
                result, raw, quality = _first(rule, time, frame, tables, state)
            else:
                result, raw, quality = _combined(rule, time, frame, tables, state)
            if quality == NOT_READY:
                continue
            value, text, quality = _worth(rule, result, raw, quality, tables, state)
            own, target = tables.rules[rule, at.OWN_SLOT], _target(rule, frame, tables, state)
            state.values[own], state.slots[own, at.QUALITY] = value, quality
            state.slots[own, at.TIME], state.slots[own, at.FRESH] = time, frame
            if target < 0:
                counts[rule] += 1
            elif _is_told(rule, target, time, value, text, quality, tables, state):
                state.sent[target], state.targets[target, at.SENT_QUALITY] = value, quality
                state.targets[target, at.SENT_TIME], state.targets[target, at.SENT_TEXT] = time, text
                numbers[OUT_TIME, count], numbers[OUT_TARGET, count] = time, target
                numbers[OUT_TEXT, count], numbers[OUT_QUALITY, count] = text, quality
                results[count] = value
                count += 1
    return count
