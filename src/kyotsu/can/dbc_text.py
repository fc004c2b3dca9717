"""The statements of a DBC file as they stand there, read tolerantly and in linear time.

A statement is tried against the strict form of the format first; what does not fit is read as loosely as it can be
without guessing, and the repair is noted with its line. What cannot be read is left out up to the end of its line or
the next statement, and noted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from kyotsu.can import dbc_forms as form
from kyotsu.can.matrix import RawRange
from kyotsu.can.repairs import Repairs, quoted

LONGEST_MESSAGE = 65_535  # bytes; a transport protocol carries 4095 (ISO-TP), 1785 (J1939) or 223 (NMEA 2000)
LONGEST_SIGNAL = 8 * LONGEST_MESSAGE  # bits

# The attributes that something is made of; the others are passed over.
ATTRIBUTES = frozenset({
    "CanTpFcFrameId", "GenMsgCycleTime", "GenSigStartValue", "KyotsuChecksum", "KyotsuChecksumAlgorithm",
    "KyotsuChecksumDataId", "KyotsuCounter", "KyotsuNotAvailable", "KyotsuProtocol", "ProtocolType",
    "SystemMessageLongSymbol", "SystemNodeLongSymbol", "SystemSignalLongSymbol", "VFrameFormat",
})  # fmt: skip

_SIGNAL_FORM = 'SG_ <name> : <start>|<bits>@<0|1><+|-> (<scale>,<offset>) [<min>|<max>] "<unit>" <receivers>'

SignalKey = tuple[int, str]  # id as it stands in the file, name


class SignalText(NamedTuple):
    """A signal as its line states it."""

    name: str
    marker: str | None
    start: int
    length: int
    big_endian: bool
    signed: bool
    scale: float
    offset: float
    minimum: float | None
    maximum: float | None
    unit: str
    receivers: tuple[str, ...]
    line: int


@dataclass(slots=True)
class MessageText:
    """A message as its line states it; bit 31 of `raw_id` says that the id has 29 bits."""

    raw_id: int
    name: str
    length: int
    sender: str
    line: int
    signals: list[SignalText] = field(default_factory=list)


@dataclass
class DbcText:
    """All that a DBC file states and kyotsu uses; where a line is kept, it serves the repairs."""

    recognised: bool = False  # whether anything of the format was found
    version: str = ""
    bus_comment: str = ""
    messages: list[MessageText] = field(default_factory=list)
    message_comments: dict[int, tuple[str, int]] = field(default_factory=dict)
    signal_comments: dict[SignalKey, tuple[str, int]] = field(default_factory=dict)
    labels: dict[SignalKey, tuple[dict[int, str], int]] = field(default_factory=dict)
    tables: dict[str, dict[int, str]] = field(default_factory=dict)
    table_of: dict[SignalKey, tuple[str, int]] = field(default_factory=dict)
    float_types: dict[SignalKey, tuple[int, int]] = field(default_factory=dict)
    multiplexing: dict[SignalKey, tuple[str, tuple[RawRange, ...], int]] = field(default_factory=dict)
    senders: dict[int, tuple[list[str], int]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)  # of attributes of type ENUM
    defaults: dict[str, str] = field(default_factory=dict)
    bus_attributes: dict[str, str] = field(default_factory=dict)
    node_attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    message_attributes: dict[int, dict[str, str]] = field(default_factory=dict)
    signal_attributes: dict[SignalKey, dict[str, str]] = field(default_factory=dict)


def read_statements(text: str, repairs: Repairs) -> DbcText:
    """All statements of a file; lines end in a newline alone."""
    return _Reader(text, repairs).read()


def unescaped(string: str) -> str:
    """The text of a string in the file: a quote is written with a backslash before it."""
    return string.replace('\\"', '"') if "\\" in string else string


class _Reader:
    """A place in the text, and what was read up to there."""

    def __init__(self, text: str, repairs: Repairs) -> None:
        self.text, self.repairs, self.result = text, repairs, DbcText()
        self.line, self.counted = 1, 0
        self.numbers: dict[str, float] = {}
        self.receivers: dict[str, tuple[str, ...]] = {}
        self.message: MessageText | None = None
        handlers: dict[str, Callable[[int], int]] = {
            "VERSION": self.read_version,
            "NS_": self.pass_symbols,
            "BS_": self.pass_speed,
            "BU_": self.pass_nodes,
            "BO_": self.read_message,
            "SG_": self.read_signal,
            "CM_": self.read_comment,
            "VAL_": self.read_labels,
            "VAL_TABLE_": self.read_table,
            "BA_": self.read_attribute,
            "BA_DEF_": self.read_definition,
            "BA_DEF_DEF_": self.read_default,
            "SIG_VALTYPE_": self.read_float_type,
            "SG_MUL_VAL_": self.read_multiplexing,
            "BO_TX_BU_": self.read_senders,
        }
        self.handlers = dict.fromkeys(form.SKIPPED, self.pass_statement) | handlers

    def read(self) -> DbcText:
        """From the first to the last character."""
        position, following, handlers, signal = 0, form.NEXT.match, self.handlers, self.read_signal
        while True:
            match = following(self.text, position)
            word = match[1] if match else None
            if match is None or word is None:
                return self.result
            start = match.start(1)
            if word == "SG_":
                position = signal(start)
            elif word == ";":
                position = start + 1
            else:
                position = handlers.get(word, self.pass_unknown)(start)

    def line_of(self, position: int) -> int:
        """The line of a place; places are asked for in order."""
        self.line += self.text.count("\n", self.counted, position)
        self.counted = position
        return self.line

    def note(self, position: int, key: str | None, found: str, expected: str, action: str) -> None:
        self.repairs.note(self.line_of(position), key, found, expected, action)

    def rest(self, position: int) -> int:
        """Where the next statement can begin: at the next line, or further on in this one."""
        match = form.REST.match(self.text, position + 1)
        return match.end() if match else len(self.text)

    def pass_unknown(self, start: int) -> int:
        end = self.rest(start)
        found = quoted(self.text[start : min(end, start + 400)])
        self.note(start, None, f"{found}, which is no statement", "a statement of DBC", "It was left out.")
        return end

    def pass_statement(self, start: int) -> int:
        match = form.STATEMENT.match(self.text, start)
        return match.end() if match else self.rest(start)

    def unreadable(self, start: int, expected: str) -> int:
        """Leave out a statement of a known kind."""
        end = max(self.pass_statement(start), start + 1)
        found = quoted(self.text[start : min(end, start + 400)])
        self.note(start, None, found, expected, "It was left out.")
        return end

    def whole(self, match: re.Match[str], start: int) -> bool:
        """Whether a statement ends where it should; a quote that nothing closes swallows the next statement."""
        if match[match.re.groups] == ";":
            return True
        if form.SWALLOWED.search(self.text, start, match.end()):
            return False
        self.note(start, None, "a statement without ';' at its end", "';'", "It was read as if it stood there.")
        return True

    def read_version(self, start: int) -> int:
        match = form.VERSION.match(self.text, start)
        if match is None or "\n" in match[1]:
            return self.unreadable(start, 'VERSION "..."')
        self.result.version, self.result.recognised = unescaped(match[1]), True
        return match.end()

    def pass_symbols(self, start: int) -> int:
        match = form.SYMBOLS.match(self.text, start)
        return match.end() if match else self.rest(start)

    def pass_speed(self, start: int) -> int:
        match = form.SPEED.match(self.text, start)
        return match.end() if match else self.rest(start)

    def pass_nodes(self, start: int) -> int:
        match = form.NODES.match(self.text, start)
        self.result.recognised = True
        return match.end() if match else self.rest(start)

    def read_message(self, start: int) -> int:
        match = form.MESSAGE.match(self.text, start)
        line = self.line_of(start)
        if match is not None:
            raw_id, name, length, sender = int(match[1]), match[2], int(match[3]), match[4]
        else:
            match = form.LOOSE_MESSAGE.match(self.text, start)
            number = _whole(match[1]) if match else None
            if match is None or number is None:
                self.message = None
                return self.unreadable(start, "BO_ <id> <name>: <bytes> <sender>")
            raw_id, name, sender = number, match[2], match[4] or "Vector__XXX"
            length = int(match[3] or 0)
            self.note_loose_message(match, line)
        if length > LONGEST_MESSAGE:
            action = f"It was read as {LONGEST_MESSAGE}."
            self.repairs.note(line, name, f"a message of {length} bytes", f"at most {LONGEST_MESSAGE}", action)
            length = LONGEST_MESSAGE
        self.message = MessageText(raw_id, name, length, sender, line)
        self.result.messages.append(self.message)
        self.result.recognised = True
        return match.end()

    def note_loose_message(self, match: re.Match[str], line: int) -> None:
        name, length, sender = match[2], match[3], match[4]
        if not length:
            self.repairs.note(line, name, "a message without length", "its bytes", "It was read as 0.")
        elif not sender:
            self.repairs.note(line, name, "a message without sender", "a node or Vector__XXX", "It has none.")
        self.note_name(name, name, line)

    def note_name(self, name: str, key: str, line: int) -> None:
        if not form.PLAIN_NAME.fullmatch(name):
            expected = "letters, digits and '_', no digit first"
            self.repairs.note(line, key, f"the name {quoted(name)}", expected, "It was kept as it is.")

    def number(self, text: str) -> float:
        value = float(text)
        if math.isfinite(value):
            self.numbers[text] = value
        return value

    def receivers_of(self, text: str) -> tuple[str, ...]:
        names = self.receivers.get(text)
        if names is None:
            names = tuple(name for name in form.SEPARATORS.split(text) if name)
            names = self.receivers[text] = () if names == ("Vector__XXX",) else names
        return names

    def read_signal(self, start: int) -> int:
        match = form.SIGNAL.match(self.text, start)
        message = self.message
        if match is None or message is None:
            return self.read_loose_signal(start)
        name, marker, begin, length, order, sign, scale, offset, low, high, unit, receivers = match.groups()
        if length == "0" or len(length) > 6:
            return self.read_loose_signal(start)
        numbers = self.numbers
        try:
            values = numbers[scale], numbers[offset], numbers[low], numbers[high]
        except KeyError:
            values = self.number(scale), self.number(offset), self.number(low), self.number(high)
            if not all(map(math.isfinite, values)):
                return self.read_loose_signal(start)
        limited = not (values[2] == values[3] == 0.0)
        self.line += self.text.count("\n", self.counted, start)
        self.counted = start
        message.signals.append(SignalText(
            name, marker, int(begin), int(length), order == "0", sign == "-", values[0], values[1],
            values[2] if limited else None, values[3] if limited else None, unescaped(unit),
            self.receivers.get(receivers) or self.receivers_of(receivers), self.line,
        ))  # fmt: skip
        return match.end()

    def read_loose_signal(self, start: int) -> int:
        """A signal whose line is not quite in order; its place in the frame must be readable."""
        match = form.LOOSE_SIGNAL.match(self.text, start)
        if match is None or self.message is None or not 0 < int(match[4]) <= LONGEST_SIGNAL:
            end = self.rest(start)
            found = quoted(self.text[start : min(end, start + 400)])
            expected = _SIGNAL_FORM if self.message else "a message before it"
            self.note(start, None, found, expected, "The signal was left out.")
            return end
        line = self.line_of(start)
        key = f"{self.message.name}.{match[1]}"
        self.note_name(match[1], key, line)
        marker = match[2]
        if marker is not None and not form.MARKER.fullmatch(marker):
            expected, action = "M, m<value> or m<value>M", "It was read as a signal that is always there."
            self.repairs.note(line, key, f"the multiplexing {quoted(marker)}", expected, action)
            marker = None
        if match[5] is None or match[6] is None:
            self.repairs.note(line, key, "no byte order or sign", "@0+, @0-, @1+ or @1-", "It was read as @1+.")
        position = match.end()
        scale, offset, position = self.loose_pair(form.FACTORS, ",", position, key, (1.0, 0.0), line)
        low, high, position = self.loose_pair(form.LIMITS, "|", position, key, (0.0, 0.0), line)
        unit = form.UNIT.match(self.text, position)
        if unit is None:
            self.repairs.note(line, key, "no unit", 'a unit, "" for none', "It has none.")
        names = form.RECEIVERS.match(self.text, unit.end() if unit else position)
        receivers = self.receivers_of(names[0].strip()) if names else ()
        limited = not (low == high == 0.0)
        self.message.signals.append(SignalText(
            match[1], marker, int(match[3]), int(match[4]), match[5] == "0", match[6] == "-", scale, offset,
            low if limited and math.isfinite(low) else None, high if limited and math.isfinite(high) else None,
            unescaped(unit[1]) if unit else "", receivers, line,
        ))  # fmt: skip
        return names.end() if names else position

    def loose_pair(
        self, pattern: re.Pattern[str], comma: str, position: int, key: str, otherwise: tuple[float, float], line: int
    ) -> tuple[float, float, int]:
        """Two numbers of a signal in brackets, however they are written."""
        match = pattern.match(self.text, position)
        parts = [part.strip() for part in match[1].split(comma)] if match else []
        numbers = [self.number(part) for part in parts if form.LOOSE_NUMBER.fullmatch(part)]
        if len(numbers) != 2 or len(parts) != 2 or (comma == "," and not all(map(math.isfinite, numbers))):
            what = "scale and offset" if comma == "," else "limits"
            action = f"They were read as {otherwise[0]:g} and {otherwise[1]:g}."
            found = f"{what} {quoted(match[0].strip())}" if match else f"no {what}"
            self.repairs.note(line, key, found, "two numbers", action)
            return *otherwise, match.end() if match else position
        if any(form.BARE_POINT.search(part) for part in parts):
            found = f"a number without a digit before the point in {quoted(match[0].strip())}" if match else ""
            self.repairs.note(line, key, found, "0 before the point", "It was read as if it stood there.")
        return numbers[0], numbers[1], match.end() if match else position

    def read_comment(self, start: int) -> int:
        match = form.COMMENT.match(self.text, start)
        if match is None:
            return self.read_nameless_comment(start)
        if not self.whole(match, start):
            return self.unclosed(start)
        result, comment = self.result, unescaped(match[7])
        if match[1]:
            result.signal_comments[int(match[2]), match[3]] = comment, self.line_of(start)
        elif match[4]:
            result.message_comments[int(match[5])] = comment, self.line_of(start)
        elif not match[6]:
            result.bus_comment += comment
        result.recognised = True
        return match.end()

    def read_nameless_comment(self, start: int) -> int:
        """`CM_ SG_ 304 "..."`, a comment on a signal that it does not name: it is kept with the message."""
        match = form.NAMELESS_COMMENT.match(self.text, start)
        if match is None:
            return self.unreadable(start, 'CM_ [SG_ <id> <name> | BO_ <id>] "<comment>";')
        if not self.whole(match, start):
            return self.unclosed(start)
        raw_id, name, line = int(match[2]), match[3], self.line_of(start)
        comment = unescaped(match[4])
        if match[1] == "SG_" and name:
            self.result.signal_comments[raw_id, name] = comment, line
        elif raw_id not in self.result.message_comments:
            self.result.message_comments[raw_id] = comment, line
        if not name:
            what = f"a comment on a signal of {raw_id} without its name" if match[1] else f"a comment on {raw_id} alone"
            expected = "CM_ SG_ <id> <name> ... or CM_ BO_ <id> ..."
            self.repairs.note(line, None, what, expected, "It was kept with the message.")
        return match.end()

    def unclosed(self, start: int) -> int:
        """Leave out the line of a quote that the next statement's would close."""
        end = self.text.find("\n", start)
        end = len(self.text) if end < 0 else end
        found = f"a quote that is not closed: {quoted(self.text[start : min(end, start + 400)])}"
        self.note(start, None, found, "a closing quote and ';'", "The line was left out.")
        return end

    def read_labels(self, start: int) -> int:
        match = form.TABLE_LABELS.match(self.text, start)
        if match is not None:
            self.result.table_of[int(match[1]), match[2]] = match[3], self.line_of(start)
            return match.end()
        match = form.LABELS.match(self.text, start)
        if match is None:
            if form.ENVIRONMENT.match(self.text, start):
                return self.pass_statement(start)  # labels of an environment variable
            return self.unreadable(start, 'VAL_ <id> <name> <value> "<label>" ... ;')
        if not self.whole(match, start):
            return self.unclosed(start)
        self.result.labels[int(match[1]), match[2]] = self.pairs(match[3]), self.line_of(start)
        return match.end()

    def pairs(self, text: str) -> dict[int, str]:
        pairs = form.PAIR.findall(text)
        if "\\" in text:
            return {int(value): unescaped(label) for value, label in pairs}
        return {int(value): label for value, label in pairs}

    def read_table(self, start: int) -> int:
        match = form.TABLE.match(self.text, start)
        if match is None:
            return self.unreadable(start, 'VAL_TABLE_ <name> <value> "<label>" ... ;')
        if not self.whole(match, start):
            return self.unclosed(start)
        self.result.tables[match[1]] = self.pairs(match[2])
        return match.end()

    def read_definition(self, start: int) -> int:
        match = form.DEFINITION.match(self.text, start)
        if match is None:
            return self.unreadable(start, 'BA_DEF_ [BU_|BO_|SG_|EV_] "<name>" <type> ...;')
        if not self.whole(match, start):
            return self.unclosed(start)
        if match[2] == "ENUM" and match[1] in ATTRIBUTES:
            self.result.choices[match[1]] = re.findall(form.STRING, match[3])
        return match.end()

    def read_default(self, start: int) -> int:
        match = form.DEFAULT.match(self.text, start)
        if match is None:
            return self.unreadable(start, 'BA_DEF_DEF_ "<name>" <value>;')
        if not self.whole(match, start):
            return self.unclosed(start)
        if match[1] in ATTRIBUTES:
            self.result.defaults[match[1]] = match[3] if match[2] is None else unescaped(match[2])
        return match.end()

    def read_attribute(self, start: int) -> int:
        match = form.ATTRIBUTE.match(self.text, start)
        if match is None:
            return self.unreadable(start, 'BA_ "<name>" [BU_ <node> | BO_ <id> | SG_ <id> <name>] <value>;')
        if not self.whole(match, start):
            return self.unclosed(start)
        name, of_signal, signal_id, signal, of_message, message_id, kind, node, string, number, _ = match.groups()
        if name not in ATTRIBUTES:
            return match.end()
        value = number if string is None else unescaped(string)
        result = self.result
        if of_signal:
            result.signal_attributes.setdefault((int(signal_id), signal), {})[name] = value
        elif of_message:
            result.message_attributes.setdefault(int(message_id), {})[name] = value
        elif kind == "BU_":
            result.node_attributes.setdefault(node, {})[name] = value
        elif not kind:
            result.bus_attributes[name] = value
        return match.end()

    def read_float_type(self, start: int) -> int:
        match = form.FLOAT.match(self.text, start)
        if match is None or not self.whole(match, start):
            return self.unreadable(start, "SIG_VALTYPE_ <id> <name> : <0|1|2|3>;")
        self.result.float_types[int(match[1]), match[2]] = int(match[3]), self.line_of(start)
        return match.end()

    def read_multiplexing(self, start: int) -> int:
        match = form.MULTIPLEXING.match(self.text, start)
        if match is None or not self.whole(match, start):
            return self.unreadable(start, "SG_MUL_VAL_ <id> <signal> <multiplexor> <first>-<last>, ... ;")
        ranges = tuple(
            (min(int(low), int(high)), max(int(low), int(high))) for low, high in form.RANGE.findall(match[4])
        )
        self.result.multiplexing[int(match[1]), match[2]] = match[3], ranges, self.line_of(start)
        return match.end()

    def read_senders(self, start: int) -> int:
        match = form.SENDERS.match(self.text, start)
        if match is None or not self.whole(match, start):
            return self.unreadable(start, "BO_TX_BU_ <id> : <node>, ... ;")
        names = [name for name in form.SEPARATORS.split(match[2]) if name]
        self.result.senders.setdefault(int(match[1]), ([], self.line_of(start)))[0].extend(names)
        return match.end()


def _whole(text: str) -> int | None:
    """A whole number, maybe hexadecimal, of at most ten digits."""
    try:
        return int(text, 0) if len(text) <= 12 and text.isascii() else None
    except ValueError:
        return None
