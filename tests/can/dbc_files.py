"""Every DBC file there is to test on, and cantools as the witness of what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cantools
import opendbc
from tests.public_data import public_data

from kyotsu.can.matrix import Matrix, Message, RawRange, Signal

PACKAGE = Path(opendbc.__file__).parent / "dbc"


class Exempt(NamedTuple):
    """Where we differ from cantools: what the difference looks like, and why."""

    shows: str
    reason: str


EXCEPTIONS = {
    "fd": Exempt("False or True$", "nobody states the frame format, but the length is one that only CAN FD has"),
    "protocol": Exempt(
        "'' or '(j1939|isotp)'$|'j1939' or 'nmea2000'$",
        "more than 8 bytes outside CAN FD need a transport protocol, which cantools has no word for",
    ),
    "labels": Exempt(r" or \{.*-\d", "labels of a signed signal that stand there as unsigned numbers are never shown"),
    "limits": Exempt(r"\(0.0, 0.0\) or \(None, None\)$", "limits of 0.0 and 0.0 state nothing, like 0 and 0"),
    "multiplexor": Exempt("^Motor_2.MO2_Mp_Code", "a signal of vw_pq.dbc that SG_MUL_VAL_ names, without its mark"),
}


@cache
def dbc_files() -> dict[str, bytes]:
    """The content of each file by a name that says where it is from."""
    folder = public_data("can")
    paths = {
        *folder.rglob("*.dbc"),
        *(folder / "cantools_testfiles" / "dbc").iterdir(),
        *PACKAGE.glob("*.dbc"),
    }
    files = {f"{path.parent.name}/{path.name}": path.read_bytes() for path in sorted(paths)}
    generated = {f"generated/{name}.dbc": text.encode() for name, text in opendbc.get_generated_dbcs().items()}
    return files | generated


def text_of(content: bytes) -> str:
    """As a person would read the file."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def cantools_database(text: str, form: str = "dbc") -> Any:
    """What cantools makes of a file, strict or not; `None` if it refuses it."""
    for strict in (True, False):
        try:
            return cantools.database.load_string(text, form, strict=strict, sort_signals=None)
        except Exception:
            continue
    return None


def differences(database: Any, matrix: Matrix) -> Iterator[tuple[str, str]]:
    """What a matrix says otherwise than cantools: kind of difference, and where with both values."""
    if len(database.messages) != len(matrix.messages):
        yield "count", f"{len(database.messages)} or {len(matrix.messages)}"
    if (database.version or "") != matrix.version:
        yield "version", f"{database.version!r} or {matrix.version!r}"
    for theirs, ours in zip(database.messages, matrix.messages, strict=False):
        yield from message_differences(theirs, ours)


def message_differences(theirs: Any, ours: Message) -> Iterator[tuple[str, str]]:
    pairs = {
        "name": (theirs.name, ours.name),
        "id": ((theirs.frame_id, theirs.is_extended_frame), (ours.frame_id, ours.is_extended)),
        "length": (theirs.length, ours.length),
        "fd": (theirs.is_fd, ours.is_fd),
        "protocol": (theirs.protocol or "", ours.protocol),
        "cycle": (theirs.cycle_time or None, ours.cycle_ms),
        "senders": (tuple(theirs.senders), ours.senders),
        "comment": (theirs.comment or "", ours.comment),
        "signals": (len(theirs.signals), len(ours.signals)),
    }
    yield from ((kind, f"{theirs.name}: {a!r} or {b!r}") for kind, (a, b) in pairs.items() if a != b)
    for signal, other in zip(theirs.signals, ours.signals, strict=False):
        yield from signal_differences(signal, other, theirs.name)


def signal_differences(theirs: Any, ours: Signal, message: str) -> Iterator[tuple[str, str]]:
    multiplexing = theirs.multiplexer_signal, sorted(theirs.multiplexer_ids or ())
    pairs = {
        "signal name": (theirs.name, ours.name),
        "place": ((theirs.start, theirs.length), (ours.start, ours.length)),
        "byte order": (theirs.byte_order == "big_endian", ours.big_endian),
        "type": ((theirs.is_signed, theirs.is_float), (ours.signed, ours.is_float)),
        "scale": ((theirs.scale, theirs.offset), (ours.scale, ours.offset)),
        "limits": ((double(theirs.minimum), double(theirs.maximum)), (ours.minimum, ours.maximum)),
        "unit": (theirs.unit or "", ours.unit),
        "labels": ({int(raw): str(label) for raw, label in (theirs.choices or {}).items()}, dict(ours.labels)),
        "multiplexor": (theirs.is_multiplexer, ours.is_multiplexor),
        "multiplexing": (multiplexing, (ours.multiplexor, values_of(ours.multiplex_values))),
        "receivers": (tuple(theirs.receivers), ours.receivers),
        "comment": (theirs.comment or "", ours.comment),
        "initial": (theirs.raw_initial, ours.initial),
    }
    for kind, (a, b) in pairs.items():
        if a != b:
            yield kind, f"{message}.{theirs.name}: {a!r} or {b!r}"


def double(value: float | None) -> float | None:
    return None if value is None else float(value)


def values_of(ranges: tuple[RawRange, ...]) -> list[int]:
    return [value for low, high in ranges for value in range(low, high + 1)]
