"""A matrix from a DBC file in whatever state: every frame and signal of it, every repair with its line.

What is stated beside the frames comes in: comments, value tables, extended multiplexing, floating types, senders, long
names, and these attributes: `GenMsgCycleTime`, `GenSigStartValue`, `VFrameFormat`, `ProtocolType`, `CanTpFcFrameId`,
`SystemMessageLongSymbol`, `SystemSignalLongSymbol`, `SystemNodeLongSymbol`.

kyotsu's own attributes say what DBC has no word for. They win over every convention (`kyotsu.can.conventions`):

    BA_DEF_ BO_ "KyotsuCounter" STRING ;             name of the signal that counts the frames
    BA_DEF_ BO_ "KyotsuChecksum" STRING ;            name of the signal that holds the checksum
    BA_DEF_ BO_ "KyotsuChecksumAlgorithm" STRING ;   a name of kyotsu.can.checksums
    BA_DEF_ BO_ "KyotsuChecksumDataId" INT 0 65535;  secret or constant that the algorithm mixes in
    BA_DEF_ BO_ "KyotsuProtocol" STRING ;            can, j1939, isotp or nmea2000
    BA_DEF_ SG_ "KyotsuNotAvailable" STRING ;        raw values that are none: "0xFF", "1022-1023,1021", "" for none
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import cast, get_args

from kyotsu.can import conventions
from kyotsu.can.dbc_signals import Carrier, SignalAssembly, unique
from kyotsu.can.dbc_text import DbcText, MessageText, SignalKey, read_statements
from kyotsu.can.matrix import Matrix, Message, Protection, Protocol, RawRange, Signal
from kyotsu.can.repairs import Repairs, quoted

EXTENDED_FLAG = 1 << 31
STANDARD_MASK, EXTENDED_MASK = 0x7FF, 0x1FFF_FFFF
INDEPENDENT = "VECTOR__INDEPENDENT_SIG_MSG"  # not a frame: where tools keep signals that no message carries
NO_NODE = "Vector__XXX"
FRAME_FORMATS = (
    "StandardCAN", "ExtendedCAN", "reserved", "J1939PG", *["reserved"] * 10, "StandardCAN_FD", "ExtendedCAN_FD",
)  # fmt: skip


def parse_dbc(text: str, repairs: Repairs, name: str) -> Matrix | None:
    """The matrix of a DBC file's text, none if it is no DBC; `name` is that of the file, without its suffix."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    statements = read_statements(text, repairs)
    return _Assembly(statements, repairs, name).matrix() if statements.recognised else None


class _Assembly:
    """What the parts of a file come to."""

    def __init__(self, text: DbcText, repairs: Repairs, name: str) -> None:
        self.text, self.repairs, self.name = text, repairs, name
        self.maker = conventions.maker_of(name, text.bus_comment)
        self.node_names: dict[str, str] = {
            node: values["SystemNodeLongSymbol"]
            for node, values in text.node_attributes.items()
            if values.get("SystemNodeLongSymbol")
        }
        self.signals = SignalAssembly(text, repairs, self.node_names)
        self.default_cycle = _milliseconds(text.defaults.get("GenMsgCycleTime"))
        self.default_format = self.frame_format(text.defaults.get("VFrameFormat"))
        stated = text.bus_attributes.get("ProtocolType") or text.defaults.get("ProtocolType") or ""
        self.is_j1939 = "j1939" in stated.lower() or "nmea" in stated.lower()
        self.names: dict[str, int] = {}
        self.multiplexing: dict[int, dict[str, tuple[str, tuple[RawRange, ...]]]] = {}

    def matrix(self) -> Matrix:
        self.find_owners()
        for (raw_id, signal), (by, ranges, _) in self.text.multiplexing.items():
            self.multiplexing.setdefault(raw_id, {})[signal] = by, ranges
        messages = []
        parts = self.text.messages
        parts.reverse()
        while parts:  # each part is let go as soon as its message is made
            part = parts.pop()
            if part.name == INDEPENDENT:
                found = f"{len(part.signals)} signals that no message carries"
                self.repairs.note(part.line, part.name, found, "signals of messages", "They were left out.")
            else:
                messages.append(self.message(part))
        return Matrix(self.name, tuple(messages), self.text.version)

    def find_owners(self) -> None:
        """Note what is stated of messages and signals that are not there, or mend its id where only bit 31 differs."""
        text = self.text
        signals = {part.raw_id: set[str]() for part in text.messages}
        for part in text.messages:
            signals[part.raw_id].update([signal.name for signal in part.signals])
        tables: list[tuple[str, dict[SignalKey, object]]] = [
            ("VAL_", cast("dict[SignalKey, object]", text.labels)),
            ("VAL_", cast("dict[SignalKey, object]", text.table_of)),
            ("CM_ SG_", cast("dict[SignalKey, object]", text.signal_comments)),
            ("SIG_VALTYPE_", cast("dict[SignalKey, object]", text.float_types)),
            ("SG_MUL_VAL_", cast("dict[SignalKey, object]", text.multiplexing)),
        ]
        for keyword, table in tables:
            for key in [key for key in table if key[0] not in signals or key[1] not in signals[key[0]]]:
                raw_id, name = key
                line = cast("tuple[int]", table[key])[-1]
                other = raw_id ^ EXTENDED_FLAG
                if name in signals.get(other, ()) and (other, name) not in table:
                    table[other, name] = table.pop(key)
                    found = f"{keyword} of signal {name!r} of message {raw_id}"
                    self.repairs.note(line, name, found, f"message {other}, as its BO_ says", "It was read so.")
                elif keyword != "CM_ SG_" or raw_id not in signals:
                    found = f"{keyword} of signal {name!r} of message {raw_id}, which there is not"
                    self.repairs.note(line, name, found, "a signal of the file", "It was left out.")
        for raw_id, (_, line) in text.message_comments.items():
            if raw_id not in signals:
                found = f"a comment on message {raw_id}, which there is not"
                self.repairs.note(line, None, found, "a message of the file", "It was left out.")

    def identity(self, part: MessageText) -> tuple[int, bool]:
        """Id and whether it is extended, mended where bit 31 is missing."""
        frame_id = part.raw_id & ~EXTENDED_FLAG
        is_extended = bool(part.raw_id & EXTENDED_FLAG) or frame_id > STANDARD_MASK
        if part.raw_id > EXTENDED_MASK | EXTENDED_FLAG or frame_id > EXTENDED_MASK:
            action = f"The lowest 29 bits were taken: 0x{frame_id & EXTENDED_MASK:X}."
            self.repairs.note(part.line, part.name, f"the id {part.raw_id}", "at most 29 bits and bit 31", action)
        elif is_extended and not part.raw_id & EXTENDED_FLAG:
            found = f"the id 0x{frame_id:X}, above 11 bits, without the mark of a 29-bit id (bit 31)"
            action = "It was read as a 29-bit id."
            self.repairs.note(part.line, part.name, found, str(frame_id | EXTENDED_FLAG), action)
        return frame_id & EXTENDED_MASK, is_extended

    def message(self, part: MessageText) -> Message:
        frame_id, is_extended = self.identity(part)
        attributes = self.text.message_attributes.get(part.raw_id, {})
        long = attributes.get("SystemMessageLongSymbol") or part.name
        name = unique(long, self.names, partial(self.repairs.note, part.line, long))
        is_fd, protocol = self.form(part, frame_id, attributes, is_extended=is_extended)
        stated = self.multiplexing.get(part.raw_id, {})
        signals = self.signals.of_message(part, stated, Carrier(name, frame_id, protocol))
        cycle = attributes.get("GenMsgCycleTime")
        senders = [part.sender, *self.text.senders.get(part.raw_id, ([], 0))[0]]
        named = tuple(dict.fromkeys(self.node_names.get(node, node) for node in senders))
        return Message(
            name=name,
            frame_id=frame_id,
            length=part.length,
            signals=signals,
            is_extended=is_extended,
            is_fd=is_fd,
            cycle_ms=self.default_cycle if cycle is None else _milliseconds(cycle),
            protocol=protocol,
            protection=self.protection(attributes, {signal.name: signal for signal in signals}, name, part.line),
            senders=() if named == (NO_NODE,) else named,
            comment=self.text.message_comments.get(part.raw_id, ("", 0))[0],
            line=part.line,
        )

    def frame_format(self, value: str | None) -> str | None:
        """The word of a frame format, which stands as a word or as a number of the list."""
        if value is None:
            return None
        words = self.text.choices.get("VFrameFormat") or FRAME_FORMATS
        if re.fullmatch(r"\d{1,3}(\.0*)?", value):
            index = int(float(value))
            return words[index] if index < len(words) else None
        return value or None

    def form(
        self, part: MessageText, frame_id: int, attributes: Mapping[str, str], *, is_extended: bool
    ) -> tuple[bool, Protocol]:
        """Whether a message is CAN FD, and the protocol that carries it."""
        frame_format = self.frame_format(attributes.get("VFrameFormat")) or self.default_format
        own = attributes.get("KyotsuProtocol")
        if frame_format is None:
            is_fd = conventions.is_fd_by_length(frame_id, part.length, is_extended=is_extended) and not self.is_j1939
        else:
            is_fd = frame_format.upper().endswith("_FD") or frame_format.upper().endswith("CANFD")
        if own == "can":
            return is_fd, ""
        if own in get_args(Protocol):
            return is_fd, cast("Protocol", own)
        if own is not None:
            words = "can, j1939, isotp or nmea2000"
            self.repairs.note(part.line, part.name, f"KyotsuProtocol {quoted(own)}", words, "It was left out.")
        if attributes.get("CanTpFcFrameId", "0") not in ("0", "") and part.length > 8:
            return is_fd, "isotp"
        said = frame_format == "J1939PG" or (frame_format is None and self.is_j1939)
        protocol: Protocol = "j1939" if said and is_extended else ""
        return is_fd, conventions.transport(frame_id, part.length, protocol, is_extended=is_extended, is_fd=is_fd)

    def protection(
        self, attributes: Mapping[str, str], signals: Mapping[str, Signal], message: str, line: int
    ) -> Protection | None:
        """Counter and checksum: as kyotsu's attributes state them, or by opendbc's convention."""
        counter, checksum = attributes.get("KyotsuCounter"), attributes.get("KyotsuChecksum")
        if counter is None and checksum is None:
            return conventions.protection_by_name(signals, message, self.maker)
        for name in (counter, checksum):
            if name and name not in signals:
                found = f"the counter or checksum {name!r}, which the message has not"
                self.repairs.note(line, message, found, "a signal of the message", "It was left out.")
        if counter not in signals and checksum not in signals:
            return None
        data_id = attributes.get("KyotsuChecksumDataId", "0")
        if not re.fullmatch(r"\d{1,10}|0x[0-9A-Fa-f]{1,8}", data_id):
            self.repairs.note(line, message, f"the data id {quoted(data_id)}", "a whole number", "It was read as 0.")
            data_id = "0"
        return Protection(
            counter if counter in signals else None,
            checksum if checksum in signals else None,
            attributes.get("KyotsuChecksumAlgorithm") or None if checksum in signals else None,
            int(data_id, 0) if data_id.startswith("0x") else int(data_id),
        )


def _milliseconds(value: str | None) -> float | None:
    """A period; none where nothing or zero is stated."""
    try:
        period = float(value or 0)
    except ValueError:
        return None
    return period if 0 < period < float("inf") else None
