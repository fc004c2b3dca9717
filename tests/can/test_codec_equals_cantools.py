"""Every message of every file that cantools can load decodes as cantools decodes it, compiled or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cantools
import numpy as np
import opendbc
import pytest
from cantools.database.errors import DecodeError
from tests.can.slow_decoder import (
    decode_slowly,
    frames_for,
    load_database,
    matrix_of,
    messages_with_payload,
    random_payloads,
    same_number,
)
from tests.public_data import FOLDER, public_data

from kyotsu.can.codec import Codec
from kyotsu.can.decoded import Decoded
from kyotsu.can.frames import joined
from kyotsu.can.matrix import Matrix, Message

SUFFIXES = (".dbc", ".kcd", ".sym", ".arxml")
PAYLOADS = 9  # of each message

# Where the answers differ, and why ours is what it is.
EXCEPTIONS = {
    "a multiplexor's value that no branch has": "cantools raises; here the branches are null and the rest is decoded",
    "a branch of a signal that is marked as no multiplexor": "cantools never decodes it; here it is decoded",
    "signals that overlap": "cantools 45 raises for some of them; here both are decoded, as the bits are",
    "a signal beyond its message's length": "cantools raises; here it is decoded where the frame has the bytes",
    "two signals of one name in one message": "cantools has one value for both; a matrix of ours has no such thing",
    "two messages of one id": "cantools keeps the last; here the first counts",
    "whole numbers that leave 64 bits by their scale": "cantools counts on; here they are rounded to double precision",
    "signals above 64 bits": "cantools gives one large number; here the column has bytes",
}


def files() -> list[Path]:
    folders = [FOLDER / "can", Path(opendbc.__file__).parent / "dbc"]
    found = [path for folder in folders if folder.exists() for path in folder.rglob("*")]
    return sorted(path for path in found if path.suffix.lower() in SUFFIXES)


@pytest.mark.slow
def test_every_message_of_every_file() -> None:
    public_data("can/cantools_testfiles")
    random = np.random.default_rng(20260109)
    compared = loaded = 0
    for path in files():
        database = load_database(path)
        if isinstance(database, cantools.database.Database):
            loaded += 1
            compared += compare_file(database, matrix_of(database), random)
    assert loaded > 150
    assert compared > 200_000, "the comparison no longer compares"


def compare_file(database: Any, matrix: Matrix, random: np.random.Generator) -> int:
    """All messages of a file in one block, whose frames are mixed."""
    messages = list(messages_with_payload(matrix))
    payloads = {message.name: random_payloads(message, random, PAYLOADS) for message in messages}
    frames = joined(frames_for(message, payloads[message.name]) for message in messages)
    decoded, plain = (Codec(matrix, compiled=compiled).decode(frames) for compiled in (True, False))
    assert not decoded.unknown
    assert decoded.rows.sum() == decoded.frames
    described = {(message.frame_id, message.is_extended_frame): message for message in reversed(database.messages)}
    compared = 0
    for message in messages:
        for signal in message.signals:
            if signal.length <= 64:
                ours, without_compiler = (column(block, message, signal.name) for block in (decoded, plain))
                assert str(ours) == str(without_compiler), (message.name, signal.name)  # as text: NaN is not itself
        theirs = described[message.frame_id, message.is_extended]
        compared += compare(decoded, message, payloads[message.name], theirs)
    return compared


def compare(decoded: Decoded, message: Message, payloads: list[bytes], theirs: Any) -> int:
    columns = {signal.name: column(decoded, message, signal.name) for signal in message.signals if signal.length <= 64}
    compared = 0
    for row, payload in enumerate(payloads):
        ours = {name: values[row] for name, values in columns.items() if values[row] is not None}
        slow = {name: value for name, value in decode_slowly(message, payload).items() if name in columns}
        compared += agree(ours, slow, (message.name, payload.hex(), "bit by bit"))
        known = cantools_values(theirs, payload)
        if known is not None:
            reached = {name: value for name, value in ours.items() if name in reached_names(theirs.signal_tree)}
            known = {name: value for name, value in known.items() if name in columns}
            compared += agree(reached, known, (message.name, payload.hex(), "cantools"))
    return compared


def agree(ours: dict[str, Any], theirs: dict[str, Any], place: tuple[str, ...]) -> int:
    assert ours.keys() == theirs.keys(), place
    different = {name: (ours[name], theirs[name]) for name in ours if not same_number(ours[name], theirs[name])}
    assert not different, place
    return len(ours)


def reached_names(tree: Any) -> set[str]:
    """Names in cantools' tree of signals, where a multiplexor maps its values to trees."""
    names: set[str] = set()
    for node in tree:
        if isinstance(node, str):
            names.add(node)
        else:
            for selector, branches in node.items():
                names |= {selector}.union(*map(reached_names, branches.values()))
    return names


def column(decoded: Decoded, message: Message, name: str) -> list[Any]:
    values, valid = decoded.numbers(message.name, name)
    numbers = values.tolist()
    return numbers if valid is None else [value if there else None for value, there in zip(numbers, valid, strict=True)]


def cantools_values(message: Any, payload: bytes) -> dict[str, Any] | None:
    if message.is_container:
        return None
    try:
        values: dict[str, Any] = message.decode(payload, decode_choices=False, allow_truncated=True)
    except DecodeError:
        return None
    return values
