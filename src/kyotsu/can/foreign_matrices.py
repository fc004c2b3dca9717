"""Matrices in KCD, SYM and ARXML, read by cantools and turned into ours; the one file that knows cantools.

XML is looked through before cantools reads it: a document type (entities could unfold without end), nesting or size
that no matrix has are refused. Whatever cantools raises comes back as one problem; what it warns of, as warnings.

A scale that changes with the raw value (ARXML's piecewise conversions) has no place in a signal: that one keeps its
raw values, and a warning says so. End-to-end protection of ARXML names profile and data id; counter and checksum are
the signals of that message whose names say so, where each is only one. With several data ids (profile 2) the algorithm
stays unknown, since one of them is not enough.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, NamedTuple
from xml.parsers import expat

from kyotsu.can import conventions
from kyotsu.can.dbc_signals import FLOAT_LENGTHS, unique
from kyotsu.can.dbc_text import LONGEST_MESSAGE, LONGEST_SIGNAL
from kyotsu.can.matrix import NO_LABELS, Matrix, Message, Protection, Protocol, RawRange, Signal
from kyotsu.can.repairs import Repairs, quoted

Format = Literal["kcd", "sym", "arxml"]

MOST_TEXT = {
    "kcd": 64_000_000,
    "sym": 16_000_000,
    "arxml": 128_000_000,
}  # characters; cantools needs some 20 times that
_MOST_ELEMENTS = 3_000_000
_PIECE = 65_536  # characters between two looks at what was found
_DEEPEST = 64  # AUTOSAR's deepest documents have some 30 levels
_MOST_IDS = 10_000  # of one message in SYM, which is repeated for each

_ID_RANGE = re.compile(r"^[ \t]*ID[ \t]*=[ \t]*([0-9A-Fa-f]{1,9})h?[ \t]*-[ \t]*([0-9A-Fa-f]+)h?", re.MULTILINE)
_COUNTER = re.compile(r".*(?:counter|cntr)\d*|(?:.*_)?(?:cnt|alive|aliv|sqc|bz|ctr)\d*", re.IGNORECASE)
_CHECKSUM = re.compile(r".*(?:checksum|chksum)\d*|(?:.*_)?(?:crc|chks|cks)\d*", re.IGNORECASE)
_PROFILE = re.compile(r"(?:E2E_)?(?:PROFILE|P)_?0*(\d{1,2})\w?", re.IGNORECASE)
_PROFILES = frozenset({"1", "2", "4", "5", "6", "7"})  # of those that kyotsu.can.checksums knows


class Refused(NamedTuple):
    """Why a file was not read."""

    found: str
    expected: str
    line: int | None = None


def read_foreign(text: str, form: Format, repairs: Repairs, name: str, bus: str | None = None) -> Matrix | Refused:
    """The matrix of a file's text, or why it cannot be had; `bus` takes one bus of a file with several."""
    refused = _refused(text, form)
    if refused is not None:
        return refused
    try:
        with _noted(repairs):
            import cantools  # noqa: PLC0415  (1 s and 115 MB, which nobody needs for DBC)

            database = cantools.database.load_string(text, form, strict=False, sort_signals=None)
    except Exception as error:
        reason = str(error).removeprefix(f"{form.upper()}: ") or type(error).__name__
        return Refused(f"what cantools cannot read: {quoted(reason)}", f"{form.upper()} in order")
    messages = getattr(database, "messages", None)
    if messages is None:
        return Refused("a description of diagnostics", "a matrix of messages")
    return _Turned(repairs).matrix(database, name, bus)


def _refused(text: str, form: Format) -> Refused | None:
    """What would make cantools work or remember without bound."""
    if len(text) > MOST_TEXT[form]:
        return Refused(
            f"{len(text) / 1e6:.0f} million characters", f"at most {MOST_TEXT[form] / 1e6:.0f} in {form.upper()}"
        )
    if form != "sym":
        return _xml_refused(text)
    for match in _ID_RANGE.finditer(text):
        first, last = int(match[1], 16), int(match[2][:9], 16)
        if last - first >= _MOST_IDS:
            line = text.count("\n", 0, match.start()) + 1
            return Refused(f"{last - first + 1} ids of one message", f"at most {_MOST_IDS}", line)
    return None


def _xml_refused(text: str) -> Refused | None:
    """Whether a document is one that no tool writes: with a document type, too deep, or with too many elements."""
    parser = expat.ParserCreate("utf-8")
    found: list[Refused] = []
    depth = count = 0

    def refuse(what: str, expected: str) -> None:
        if not found:
            found.append(Refused(what, expected, parser.CurrentLineNumber))

    def start(name: str, attributes: object) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > _DEEPEST:
            refuse(f"elements in more than {_DEEPEST} levels", "a matrix")
        if count > _MOST_ELEMENTS:
            refuse(f"more than {_MOST_ELEMENTS} elements", "a smaller file")

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def document_type(*names: object) -> None:
        refuse("a document type", "none, since its entities could unfold without end")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = document_type
    try:
        for begin in range(0, len(text) + 1, _PIECE):
            parser.Parse(text[begin : begin + _PIECE].encode("utf-8", "replace"), begin + _PIECE > len(text))
            if found:
                return found[0]
    except expat.ExpatError as error:
        if found:
            return found[0]
        return Refused(f"XML that is not well-formed ({expat.ErrorString(error.code)})", "XML", error.lineno)
    return None


@contextmanager
def _noted(repairs: Repairs) -> Iterator[None]:
    """What cantools logs while it reads becomes warnings and goes nowhere else."""
    logger = logging.getLogger("cantools")

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.getMessage().startswith("Overwriting"):  # two of a name or id: ours keeps and notes both
                repairs.note(None, None, quoted(record.getMessage()), "a matrix in order", "Reported by cantools.")

    handler, propagates = Notes(logging.WARNING), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates


class _Turned:
    """Turns cantools' objects into ours, and notes what does not go over."""

    def __init__(self, repairs: Repairs) -> None:
        self.repairs = repairs
        self.names: dict[str, int] = {}

    def matrix(self, database: Any, name: str, bus: str | None) -> Matrix | Refused:
        buses = list(dict.fromkeys(message.bus_name for message in database.messages if message.bus_name))
        if bus is not None and bus not in buses:
            return Refused(f"no bus {bus!r}", f"one of {', '.join(map(repr, buses)) or 'a file with named buses'}")
        if bus is None and len(buses) > 1:
            action = f"All were read as one; name one of {', '.join(buses)}."
            self.repairs.note(None, None, f"{len(buses)} buses in one file", "one bus", action)
        chosen = [message for message in database.messages if bus is None or message.bus_name == bus]
        messages = tuple(self.message(message) for message in chosen)
        return Matrix(bus or name, messages, str(database.version or ""))

    def message(self, foreign: Any, container: Any = None) -> Message:
        note = partial(self.repairs.note, None, foreign.name)
        name = foreign.name if container is not None else unique(foreign.name, self.names, note)
        carrier = container or foreign
        frame_id, is_extended = int(carrier.frame_id), bool(carrier.is_extended_frame)
        length = min(int(foreign.length), LONGEST_MESSAGE)
        is_fd = bool(carrier.is_fd) or (
            container is None
            and foreign.autosar is None
            and conventions.is_fd_by_length(frame_id, length, is_extended=is_extended)
        )
        said: Protocol = "j1939" if foreign.protocol == "j1939" else ""
        protocol = conventions.transport(frame_id, length, said, is_extended=is_extended, is_fd=is_fd)
        if container is not None or foreign.is_container:
            protocol = said
        signals = self.signals(foreign, name, protocol, frame_id)
        if foreign.is_container and foreign.header_byte_order != "big_endian":
            note("headers of contained messages in little-endian order", "big-endian", "They are read as big-endian.")
        return Message(
            name=name,
            frame_id=frame_id,
            length=length,
            signals=signals,
            is_extended=is_extended,
            is_fd=is_fd,
            cycle_ms=float(foreign.cycle_time) if foreign.cycle_time else None,
            protocol=protocol,
            protection=_protection(foreign, signals),
            contained={
                int(inner.header_id): self.message(inner, foreign)
                for inner in foreign.contained_messages or ()
                if inner.header_id is not None
            },
            senders=tuple(foreign.senders),
            comment=foreign.comment or "",
        )

    def signals(self, foreign: Any, message: str, protocol: Protocol, frame_id: int) -> tuple[Signal, ...]:
        taken: dict[str, int] = {}
        signals = []
        for signal in foreign.signals:
            note = partial(self.repairs.note, None, f"{message}.{signal.name}")
            if not 0 < signal.length <= LONGEST_SIGNAL or not 0 <= signal.start < 10 * LONGEST_SIGNAL:
                found = f"bits {signal.start}|{signal.length}"
                note(found, "a place in a frame", "The signal was left out.")
                continue
            signals.append(self.signal(signal, unique(signal.name, taken, note), protocol, frame_id, note))
        return tuple(signals)

    def signal(self, foreign: Any, name: str, protocol: Protocol, frame_id: int, note: Any) -> Signal:
        labels = {int(raw): str(label) for raw, label in (foreign.choices or {}).items()} or NO_LABELS
        scale, offset = foreign.scale, foreign.offset
        if hasattr(foreign.conversion, "_segments") or scale is None or offset is None:
            note("a scale that changes with the raw value", "one scale", "The values are raw ones.")
            scale, offset = 1, 0
        is_float = bool(foreign.is_float) and foreign.length in FLOAT_LENGTHS
        kind = conventions.SignalKind(foreign.length, bool(foreign.is_signed), is_float, protocol, frame_id)
        implied = conventions.implied_none(kind, labels)
        return Signal(
            name=name,
            start=foreign.start,
            length=foreign.length,
            big_endian=foreign.byte_order == "big_endian",
            signed=bool(foreign.is_signed),
            is_float=is_float,
            scale=float(scale),
            offset=float(offset),
            minimum=_limit(foreign.minimum),
            maximum=_limit(foreign.maximum),
            unit=foreign.unit or "",
            labels=labels,
            is_multiplexor=bool(foreign.is_multiplexer),
            multiplexor=foreign.multiplexer_signal if foreign.multiplexer_ids else None,
            multiplex_values=conventions.ranges_of(foreign.multiplexer_ids or ()),
            not_available=conventions.merged([*implied, *_whole_ranges(foreign.raw_invalid)]),
            initial=_initial(foreign),
            receivers=tuple(foreign.receivers),
            comment=foreign.comment or "",
        )


def _limit(value: Any) -> float | None:
    number = None if value is None else float(value)
    return number if number is not None and abs(number) < float("inf") else None


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value == value // 1 else None


def _initial(foreign: Any) -> int | None:
    """The raw start value; one of a signed signal that is written as unsigned is turned."""
    value, whole = _whole(foreign.raw_initial), 1 << foreign.length
    turned = value is not None and foreign.is_signed and whole // 2 <= value < whole
    return value - whole if turned and value is not None else value


def _whole_ranges(value: Any) -> tuple[RawRange, ...]:
    whole = _whole(value)
    return () if whole is None else ((whole, whole),)


def _protection(foreign: Any, signals: Iterable[Signal]) -> Protection | None:
    """What ARXML's end-to-end protection says of a message."""
    stated = getattr(foreign.autosar, "e2e", None)
    if stated is None:
        return None
    counters = [signal.name for signal in signals if _COUNTER.fullmatch(signal.name)]
    checksums = [signal.name for signal in signals if _CHECKSUM.fullmatch(signal.name)]
    profile = _PROFILE.fullmatch(stated.category or "")
    known = profile is not None and profile[1] in _PROFILES and len(stated.data_ids or ()) < 2
    return Protection(
        counters[0] if len(counters) == 1 else None,
        checksums[0] if len(checksums) == 1 else None,
        f"autosar_e2e_p{profile[1]}" if known and profile is not None else None,
        int(stated.data_ids[0]) if stated.data_ids else 0,
    )
