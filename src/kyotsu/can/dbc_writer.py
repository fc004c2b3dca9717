"""A matrix as a DBC file that this room and other tools read back as it was.

Names that DBC does not allow, and those above 32 characters, are written short with the long name as an attribute
(`SystemMessageLongSymbol` and its kin), as Vector's tools do. What DBC has no word for goes into kyotsu's attributes,
see `kyotsu.can.dbc`. What it cannot say at all, the messages inside a container, is refused rather than dropped.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kyotsu.can import conventions
from kyotsu.can.dbc import EXTENDED_FLAG, EXTENDED_MASK, FRAME_FORMATS, INDEPENDENT, NO_NODE, STANDARD_MASK
from kyotsu.can.dbc_forms import ANY
from kyotsu.can.dbc_text import LONGEST_MESSAGE, LONGEST_SIGNAL
from kyotsu.can.matrix import Matrix, Message, Signal
from kyotsu.can.matrix_files import decoded
from kyotsu.can.repairs import Repairs
from kyotsu.errors import InputError, Location, Problem

_NEWLINE = "\n"
LONGEST_NAME = 32  # characters of a name in Vector's tools

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_KEYWORD = re.compile(ANY)
_INFINITE = "1.8e+308"  # what no double can hold


def save_dbc(matrix: Matrix, path: Path | str) -> None:
    """Write a matrix as a DBC file, whole or not at all: Windows-1252 where that can hold it, else UTF-8.

    Raises:
        InputError: if DBC cannot hold the matrix, see `dbc_text`.
    """
    path = Path(path)
    text = dbc_text(matrix)
    aside = path.with_name(path.name + ".part")
    try:
        aside.write_bytes(_encoded(text))
        os.replace(aside, path)  # noqa: PTH105
    except OSError as error:
        aside.unlink(missing_ok=True)
        found = f"no place for the file ({error.strerror or error})"
        raise InputError([Problem(Location(str(path)), found, "a writable folder", "Name another.")]) from error


def dbc_text(matrix: Matrix) -> str:
    """A matrix as the text of a DBC file.

    A comment, unit or label that ends in a backslash gets a blank after it, since the backslash would escape the
    closing quote; limits of 0 and 0 state nothing in DBC, and a limit on one side alone is written with infinity.

    Raises:
        InputError: if a message is a container of others, or a number or name is beyond the format.
    """
    problems = list(_beyond(matrix))
    if problems:
        raise InputError(problems)
    return _Writer(matrix).text()


def _encoded(text: str) -> bytes:
    """The bytes that a reader takes for this text and no other."""
    try:
        content = text.encode("cp1252")
    except UnicodeEncodeError:
        return text.encode("utf-8")
    return content if decoded(content, Repairs("")) == text else text.encode("utf-8")


def _beyond(matrix: Matrix) -> Iterator[Problem]:
    """What a DBC file cannot say of a matrix."""
    ids = Counter((message.frame_id, message.is_extended) for message in matrix.messages)
    for message in matrix.messages:
        place = Location(matrix.file, message.line, message.name)
        if message.contained:
            yield Problem(place, "a container of other messages", "plain messages", "Keep it in ARXML.")
        if not 0 <= message.frame_id <= (EXTENDED_MASK if message.is_extended else STANDARD_MASK):
            yield Problem(place, f"the id {message.frame_id}", "11 or 29 bits", "Correct the id.")
        if ids[message.frame_id, message.is_extended] > 1:
            yield Problem(place, f"the id 0x{message.frame_id:X} twice", "one message for an id", "Drop one of them.")
        if not 0 <= message.length <= LONGEST_MESSAGE:
            yield Problem(place, f"{message.length} bytes", f"0 to {LONGEST_MESSAGE}", "Correct the length.")
        names = Counter(signal.name for signal in message.signals)
        for signal in message.signals:
            yield from _signal_beyond(
                signal, names, Location(matrix.file, signal.line, f"{message.name}.{signal.name}")
            )


def _signal_beyond(signal: Signal, names: Mapping[str, int], place: Location) -> Iterator[Problem]:
    if names[signal.name] > 1:
        yield Problem(place, "a name that is used twice", "names that differ", "Rename one of the signals.")
    if not (0 < signal.length <= LONGEST_SIGNAL and 0 <= signal.start < 10 * LONGEST_SIGNAL):
        yield Problem(place, f"bits {signal.start}|{signal.length}", "a place in a frame", "Correct it.")
    if not all(math.isfinite(value or 0.0) for value in (signal.scale, signal.offset, signal.minimum, signal.maximum)):
        yield Problem(place, "a number that is not finite", "finite numbers", "Correct scale, offset and limits.")
    if signal.multiplexor is not None and (signal.multiplexor not in names or not signal.multiplex_values):
        found = f"the multiplexor {signal.multiplexor!r} with {len(signal.multiplex_values)} values"
        yield Problem(place, found, "a signal of the message and its values", "Correct the multiplexor.")
    if signal.is_float and signal.length not in (16, 32, 64):
        yield Problem(place, f"a floating signal of {signal.length} bits", "16, 32 or 64", "Correct its length.")


class _ShortNames:
    """Names as DBC allows them, each once."""

    def __init__(self) -> None:
        self.taken: set[str] = {NO_NODE, INDEPENDENT}
        self.counts: dict[str, int] = {}

    def of(self, name: str) -> str:
        """The name itself where it can stand in the file and is not taken."""
        short = name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME]
        if not _NAME.fullmatch(short) or _KEYWORD.fullmatch(short):
            short = "_" + re.sub(r"[^A-Za-z0-9_]", "_", short)
        short = short[:LONGEST_NAME]
        stem = short
        while short in self.taken:
            self.counts[stem] = count = self.counts.get(stem, 1) + 1
            short = f"{stem[: LONGEST_NAME - 1 - len(str(count))]}_{count}"
        self.taken.add(short)
        return short


class _Writer:
    """Sections of a file as lists of lines, filled message by message."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix
        self.frames: list[str] = []
        self.senders: list[str] = []
        self.comments: list[str] = []
        self.attributes: list[str] = []
        self.labels: list[str] = []
        self.float_types: list[str] = []
        self.multiplexing: list[str] = []
        self.messages, self.nodes = _ShortNames(), _ShortNames()
        self.short_nodes: dict[str, str] = {NO_NODE: NO_NODE}

    def text(self) -> str:
        for message in self.matrix.messages:
            self.message(message)
        for node, short in self.short_nodes.items():
            if node != short:
                self.attribute("SystemNodeLongSymbol", f"BU_ {short}", node)
        nodes = " ".join(short for short in self.short_nodes.values() if short != NO_NODE)
        head = [
            f"VERSION {_string(self.matrix.version.replace(_NEWLINE, ' '))}",
            "",
            "NS_ :",
            "",
            "BS_:",
            "",
            f"BU_: {nodes}".rstrip(),
            "",
        ]
        rest = [
            self.senders, self.comments, _definitions(self.attributes), self.attributes, self.labels, self.float_types,
            self.multiplexing,
        ]  # fmt: skip
        return "\n".join([*head, *self.frames, *(line for section in rest for line in section)]) + "\n"

    def node(self, name: str) -> str:
        if name not in self.short_nodes:
            self.short_nodes[name] = self.nodes.of(name)
        return self.short_nodes[name]

    def attribute(self, name: str, place: str, value: str | int | float) -> None:
        shown = _string(value) if isinstance(value, str) else _number(value)
        self.attributes.append(f'BA_ "{name}" {place} {shown};')

    def message(self, message: Message) -> None:
        raw_id = _raw_id(message)
        short, senders = self.messages.of(message.name), [self.node(name) for name in message.senders]
        sender = senders[0] if senders else NO_NODE
        self.frames.append(f"BO_ {raw_id} {short}: {message.length} {sender}")
        if len(senders) > 1:
            self.senders.append(f"BO_TX_BU_ {raw_id} : {','.join(senders)};")
        if message.comment:
            self.comments.append(f"CM_ BO_ {raw_id} {_string(message.comment)};")
        if short != message.name:
            self.attribute("SystemMessageLongSymbol", f"BO_ {raw_id}", message.name)
        self.message_attributes(message, f"BO_ {raw_id}")
        names = _ShortNames()
        short_names = {signal.name: names.of(signal.name) for signal in message.signals}
        extended = _needs_ranges(message.signals)
        for signal in message.signals:
            self.signal(signal, message, short_names, extended=extended)
        self.frames.append("")

    def message_attributes(self, message: Message, place: str) -> None:
        word = ("Extended" if message.is_extended else "Standard") + ("CAN_FD" if message.is_fd else "CAN")
        if message.protocol == "j1939" and message.is_extended and not message.is_fd:
            word = "J1939PG"
        if word != FRAME_FORMATS[0] or message.length > conventions.CLASSIC_LENGTH:
            self.attribute("VFrameFormat", place, FRAME_FORMATS.index(word))
        if message.protocol != conventions.transport(
            message.frame_id, message.length, "j1939" if word == "J1939PG" else "",
            is_extended=message.is_extended, is_fd=message.is_fd,
        ):  # fmt: skip
            self.attribute("KyotsuProtocol", place, message.protocol or "can")
        if message.cycle_ms is not None:
            self.attribute("GenMsgCycleTime", place, message.cycle_ms)
        guard = message.protection
        if guard is not None or conventions.protection_by_name(message.by_name, message.name, "") is not None:
            self.attribute("KyotsuCounter", place, (guard and guard.counter) or "")
            self.attribute("KyotsuChecksum", place, (guard and guard.checksum) or "")
        if guard is not None and guard.algorithm:
            self.attribute("KyotsuChecksumAlgorithm", place, guard.algorithm)
        if guard is not None and guard.data_id:
            self.attribute("KyotsuChecksumDataId", place, guard.data_id)

    def signal(self, signal: Signal, message: Message, names: Mapping[str, str], *, extended: bool) -> None:
        short = names[signal.name]
        self.frames.append(
            f" SG_ {short}{_marker(signal)} : {signal.start}|{signal.length}@{0 if signal.big_endian else 1}"
            f"{'-' if signal.signed else '+'} ({_number(signal.scale)},{_number(signal.offset)})"
            f" [{_limits(signal)}] {_string(signal.unit.replace(_NEWLINE, ' '))}"
            f" {','.join(map(self.node, signal.receivers)) or NO_NODE}"
        )
        place = f"{_raw_id(message)} {short}"
        if signal.comment:
            self.comments.append(f"CM_ SG_ {place} {_string(signal.comment)};")
        if short != signal.name:
            self.attribute("SystemSignalLongSymbol", f"SG_ {place}", signal.name)
        if signal.initial is not None:
            self.attribute("GenSigStartValue", f"SG_ {place}", signal.initial)
        if signal.labels:
            pairs = " ".join(f"{raw} {_string(label)}" for raw, label in signal.labels.items())
            self.labels.append(f"VAL_ {place} {pairs} ;")
        if signal.is_float:
            self.float_types.append(f"SIG_VALTYPE_ {place} : {2 if signal.length == 64 else 1};")
        if signal.multiplexor is not None and extended:
            ranges = ", ".join(f"{first}-{last}" for first, last in signal.multiplex_values)
            self.multiplexing.append(f"SG_MUL_VAL_ {place} {names[signal.multiplexor]} {ranges};")
        kind = conventions.SignalKind(signal.length, signal.signed, signal.is_float, message.protocol, message.frame_id)
        if signal.not_available != conventions.implied_none(kind, signal.labels):
            self.attribute("KyotsuNotAvailable", f"SG_ {place}", ",".join(map(_range, signal.not_available)))


def _needs_ranges(signals: Sequence[Signal]) -> bool:
    """Whether a message's multiplexing needs more words than one value for each signal of one multiplexor."""
    if sum(signal.is_multiplexor for signal in signals) > 1:
        return True
    ranges = [signal.multiplex_values for signal in signals if signal.multiplexor is not None]
    return any(len(values) != 1 or values[0][0] != values[0][1] for values in ranges)


def _marker(signal: Signal) -> str:
    selects = "M" if signal.is_multiplexor else ""
    if signal.multiplexor is None:
        return f" {selects}" if selects else ""
    return f" m{signal.multiplex_values[0][0] if signal.multiplex_values else 0}{selects}"


def _raw_id(message: Message) -> int:
    return message.frame_id | (EXTENDED_FLAG if message.is_extended else 0)


def _limits(signal: Signal) -> str:
    low, high = signal.minimum, signal.maximum
    if low is None and high is None:
        return "0|0"
    return f"{'-' + _INFINITE if low is None else _number(low)}|{_INFINITE if high is None else _number(high)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _range(values: tuple[int, int]) -> str:
    low, high = values
    return str(low) if low == high else f"{low}-{high}"


def _string(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return '"' + text.replace('"', '\\"') + (' "' if text.endswith("\\") else '"')


_TYPES = {
    "VFrameFormat": ("BO_", "ENUM " + ",".join(f'"{word}"' for word in FRAME_FORMATS), '"StandardCAN"'),
    "GenMsgCycleTime": ("BO_", "FLOAT", "0"),
    "GenSigStartValue": ("SG_", "INT", "0"),
    "KyotsuChecksumDataId": ("BO_", "INT", "0"),
}


def _definitions(attributes: Sequence[str]) -> list[str]:
    """The definitions of the attributes that are used; a text is empty where none is stated."""
    used = {line.split('"', 2)[1]: line.split('"', 2)[2].split()[0] for line in attributes}
    values: dict[str, list[float]] = {}
    for line in attributes:
        name = line.split('"', 2)[1]
        if name in _TYPES:
            values.setdefault(name, [0]).append(float(line.rsplit(" ", 1)[1].removesuffix(";")))
    definitions, defaults = [], []
    for name, owner in used.items():
        _, kind, default = _TYPES.get(name, (owner, "STRING", '""'))
        limits = ""
        if kind in ("INT", "FLOAT"):
            whole = all(value == int(value) for value in values[name])
            kind = "INT" if whole else kind
            limits = f" {_number(min(values[name]))} {_number(max(values[name]))}"
        definitions.append(f'BA_DEF_ {owner} "{name}" {kind}{limits or " "};')
        defaults.append(f'BA_DEF_DEF_ "{name}" {default};')
    return [*definitions, *defaults]
