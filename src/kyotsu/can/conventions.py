"""What makers leave unsaid in a matrix: transport protocol, raw values that are no value, counters and checksums.

Every rule here takes what is stated first and falls back on a convention of the field, and only on a clear one.

- **Protocol.** J1939 where the frame format or the bus says so. More than 8 bytes outside CAN FD need a transport
  protocol: NMEA 2000's fast packet in its range of group numbers, J1939's own for other broadcast group numbers,
  ISO-TP for the rest. Lengths of CAN FD (12, 16, 20, 24, 32, 48, 64) without a stated format are CAN FD, save on the
  diagnostic ids of ISO 15765-4 and ISO 14229.
- **No value.** SAE J1939-71 keeps the highest values of every parameter for "error" and "not available": from 0xFE in
  the most significant byte on, 2 and 3 of two bits, 14 and 15 of four; other short lengths keep only all ones. Signed,
  floating and one-bit signals and those above 32 bits (text) have none. NMEA 2000 keeps the two highest values of the
  type, signed or not. A label on such a value that names something real takes it out again. Elsewhere a label marks
  a value where it cannot mean anything else: SNA, "not available", "signal invalid"; not on one bit, nor beside a label
  such as "valid" or "available", where it is a statement of its own.
- **Protection.** Signals named COUNTER and CHECKSUM are opendbc's convention; the algorithm follows the maker in the
  file's name, as in opendbc (MIT), where its code checks or makes that checksum; otherwise it stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kyotsu.can.matrix import Protection, Protocol, RawRange

FD_LENGTHS = frozenset({12, 16, 20, 24, 32, 48, 64})  # bytes above 8 that a CAN FD frame can have
CLASSIC_LENGTH = 8

_FAST_PACKETS = (0x1ED00, 0x1FFFF)  # group numbers of NMEA 2000, of which those above 8 bytes are fast packets
_FIRST_BROADCAST = 0xF0  # PDU format from which a J1939 group number has no destination address
_LONGEST_J1939, _LONGEST_NMEA = 32, 64  # bits of a parameter that has reserved values

_NONE = re.compile(
    r"(?:.*_)?(?:SNA|NOT_AVAILABLE|NOT_AVAIL|INVALID)"
    r"|(?:signal |value |data |information )?(?:is )?(?:not[ _-]?available|invalid)(?: (?:value|signal|data))?"
    r"|(?:invalid|not available)[ /]+(?:sna|not available|invalid)|no data|signal not available \(?sna\)?",
    re.IGNORECASE,
)
_WORDS_OF_NONE = ("sna", "avail", "invalid", "no data")
_RESERVED = re.compile(
    r"reserved|res|error|err|n/?a|undefined|unused|not (?:used|defined|installed|supported)"
    r"|don'?t care(?:/take no action)?|take no action|error indicator|fault|error condition|out of range",
    re.IGNORECASE,
)
_CONTRARY = re.compile(r"(?:.*[_ ])?(?:valid|available|avail)(?:[_ ].*)?", re.IGNORECASE)


def group_number(frame_id: int) -> int:
    """J1939's parameter group number of a 29-bit id, without a destination address."""
    number = (frame_id >> 8) & 0x3FFFF
    return number & 0x3FF00 if (number >> 8) & 0xFF < _FIRST_BROADCAST else number


def is_diagnostic(frame_id: int, *, is_extended: bool) -> bool:
    """Whether an id is one of those that diagnostics use by convention (ISO 15765-2 and -4)."""
    return (frame_id >> 16) & 0xFF in (0xDA, 0xDB) if is_extended else frame_id >= 0x700


def is_fd_by_length(frame_id: int, length: int, *, is_extended: bool) -> bool:
    """Whether a frame of which nobody states the format must be CAN FD."""
    return length in FD_LENGTHS and not is_diagnostic(frame_id, is_extended=is_extended)


def transport(frame_id: int, length: int, protocol: Protocol, *, is_extended: bool, is_fd: bool) -> Protocol:
    """The protocol that carries a message, given whether it is said to be J1939."""
    if length <= CLASSIC_LENGTH or is_fd:
        return protocol
    number = group_number(frame_id) if is_extended else 0
    broadcast = is_extended and (number >> 8) & 0xFF >= _FIRST_BROADCAST
    if is_extended and _FAST_PACKETS[0] <= number <= _FAST_PACKETS[1] and (broadcast or protocol == "j1939"):
        return "nmea2000"
    if protocol:
        return protocol
    return "j1939" if broadcast and not is_diagnostic(frame_id, is_extended=True) else "isotp"


class SignalKind(NamedTuple):
    """What of a signal and its message decides which raw values are none."""

    length: int
    signed: bool
    is_float: bool
    protocol: Protocol
    frame_id: int


def implied_none(kind: SignalKind, labels: Mapping[int, str]) -> tuple[RawRange, ...]:
    """The raw values that are none by the protocol or by their label, where nothing more is stated."""
    if kind.is_float:
        return ()
    ranges = labelled_as_none(labels, kind.length) if labels else ()
    if kind.protocol in ("j1939", "nmea2000"):
        ranges = merged([*ranges, *without_named(reserved_values(kind), labels)])
    return ranges


def reserved_values(kind: SignalKind) -> tuple[RawRange, ...]:
    """The raw values of a signal that J1939 or NMEA 2000 keep for "error" and "not available"."""
    length, signed = kind.length, kind.signed
    if kind.protocol == "nmea2000" or (kind.protocol == "j1939" and group_number(kind.frame_id) >= _FAST_PACKETS[0]):
        if not 2 <= length <= _LONGEST_NMEA:
            return ()
        top = (1 << (length - 1 if signed else length)) - 1
        return ((top, top),) if length < 4 else ((top - 1, top),)
    if kind.protocol != "j1939" or signed or not 2 <= length <= _LONGEST_J1939:
        return ()
    top = (1 << length) - 1
    if length >= 8:
        return ((0xFE << (length - 8), top),)
    return ((top - 1, top),) if length in (2, 4) else ((top, top),)


def labelled_as_none(labels: Mapping[int, str], length: int) -> tuple[RawRange, ...]:
    """The raw values whose label can only mean that there is no value."""
    words = "\n".join(labels.values()).lower()
    if length < 2 or not any(word in words for word in _WORDS_OF_NONE):
        return ()
    none = sorted(raw for raw, label in labels.items() if len(label) < 60 and _NONE.fullmatch(label.strip()))
    if not none or len(none) == len(labels) > 1:
        return ()
    others = (label.strip() for raw, label in labels.items() if raw not in none)
    if any(len(label) < 60 and _CONTRARY.fullmatch(label) and not _NONE.fullmatch(label) for label in others):
        return ()
    return ranges_of(none)


def without_named(ranges: tuple[RawRange, ...], labels: Mapping[int, str]) -> tuple[RawRange, ...]:
    """Reserved ranges without the raw values that a label names as something real."""
    named = [raw for raw in labels if any(low <= raw <= high for low, high in ranges)]
    for raw in named:
        label = labels[raw].strip()
        if label and not _NONE.fullmatch(label[:60]) and not _RESERVED.fullmatch(label[:60]):
            pieces = [piece for low, high in ranges for piece in _without(low, high, raw)]
            ranges = tuple((low, high) for low, high in pieces if low <= high)
    return ranges


def _without(low: int, high: int, raw: int) -> tuple[RawRange, ...]:
    return ((low, raw - 1), (raw + 1, high)) if low <= raw <= high else ((low, high),)


def ranges_of(values: Iterable[int]) -> tuple[RawRange, ...]:
    """Whole numbers as ranges, in order."""
    ranges: list[RawRange] = []
    for value in sorted(set(values)):
        if ranges and ranges[-1][1] == value - 1:
            ranges[-1] = ranges[-1][0], value
        else:
            ranges.append((value, value))
    return tuple(ranges)


def merged(ranges: Iterable[RawRange]) -> tuple[RawRange, ...]:
    """Ranges in order, those that touch joined."""
    result: list[RawRange] = []
    for low, high in sorted(ranges):
        if result and result[-1][1] >= low - 1:
            result[-1] = result[-1][0], max(high, result[-1][1])
        else:
            result.append((low, high))
    return tuple(result)


def maker_of(name: str, bus_comment: str) -> str:
    """The maker whose checksums a matrix of opendbc has, from the file's name or the generator's note; maybe none."""
    for maker in ("honda", "nissan", "vw_pq"):
        if name.lower().startswith(maker) or f"Imported file _{maker}" in bus_comment:
            return maker
    return "honda" if name.lower().startswith("acura_") else ""


def protection_by_name(names: Mapping[str, object], message: str, maker: str) -> Protection | None:
    """Counter and checksum of a message in opendbc's convention."""
    counter = "COUNTER" if "COUNTER" in names else None
    checksum = "CHECKSUM" if "CHECKSUM" in names else None
    if counter is None and checksum is None:
        return None
    algorithm = None
    if checksum is not None:
        # nissancan.py makes the checksum of LKAS with J1850's CRC; whether that of others is the same it does not say.
        known = {"honda": "honda", "vw_pq": "xor8", "nissan": "j1850" if message == "LKAS" else None}
        algorithm = known.get(maker)
    return Protection(counter, checksum, algorithm)
