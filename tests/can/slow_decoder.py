"""Oracles for the codec: a matrix as cantools read it, and a decoder that takes one bit at a time."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any

import cantools
import numpy as np

from kyotsu.can.frames import FD_BYTES, Flag, Frames, empty_frames
from kyotsu.can.matrix import Matrix, Message, RawRange, Signal


def matrix_of(database: Any, name: str = "cantools") -> Matrix:
    """What cantools read, in our words."""
    messages = (_message(message) for message in database.messages)
    return Matrix(name, tuple(message for message in messages if len(message.by_name) == len(message.signals)))


def _message(message: Any) -> Message:
    return Message(
        message.name,
        message.frame_id,
        message.length,
        tuple(_signal(signal) for signal in message.signals),
        is_extended=message.is_extended_frame,
        is_fd=message.is_fd,
        contained={part.header_id: _message(part) for part in message.contained_messages or ()},
    )


def _signal(signal: Any) -> Signal:
    labels = {int(number): str(text) for number, text in (signal.choices or {}).items()}
    return Signal(
        signal.name,
        signal.start,
        signal.length,
        big_endian=signal.byte_order == "big_endian",
        signed=signal.is_signed,
        is_float=signal.is_float,
        scale=signal.scale,
        offset=signal.offset,
        labels=labels,
        is_multiplexor=signal.is_multiplexer,
        multiplexor=signal.multiplexer_signal,
        multiplex_values=tuple((number, number) for number in signal.multiplexer_ids or ()),
    )


def raw_value(signal: Signal, payload: bytes) -> float | None:
    """The raw value of one signal, bit by bit; `None` where the payload is too short."""
    bits = 0
    for number in signal.bits:
        if number // 8 >= len(payload):
            return None
        bits = bits << 1 | payload[number // 8] >> number % 8 & 1
    if signal.is_float:
        code = {16: "e", 32: "f", 64: "d"}[signal.length]
        number: float = struct.unpack(f">{code}", bits.to_bytes(signal.length // 8, "big"))[0]
        return number
    return bits - (1 << signal.length) if signal.signed and bits >> (signal.length - 1) else bits


def within(raw: float, ranges: tuple[RawRange, ...]) -> bool:
    return any(low <= raw <= high for low, high in ranges)


def is_present(message: Message, signal: Signal, payload: bytes) -> bool:
    """Whether the branch of a signal is there."""
    if signal.multiplexor is None:
        return True
    selector = message.by_name[signal.multiplexor]
    raw = raw_value(selector, payload)
    return raw is not None and within(raw, signal.multiplex_values) and is_present(message, selector, payload)


def decode_slowly(message: Message, payload: bytes) -> dict[str, float]:
    """Physical values of what is there."""
    values: dict[str, float] = {}
    for signal in message.signals:
        raw = raw_value(signal, payload)
        if raw is None or not is_present(message, signal, payload) or within(raw, signal.not_available):
            continue
        whole = float(signal.scale).is_integer() and float(signal.offset).is_integer() and not signal.is_float
        scale, offset = (int(signal.scale), int(signal.offset)) if whole else (signal.scale, signal.offset)
        values[signal.name] = raw * scale + offset
    return values


def same_number(ours: Any, theirs: float) -> bool:
    if isinstance(theirs, float) and math.isnan(theirs):
        return bool(math.isnan(ours))
    return bool(ours == theirs)


def frames_for(message: Message, payloads: list[bytes]) -> Frames:
    """One frame of a message for each payload, a nanosecond apart."""
    width = max([FD_BYTES if message.length > 8 else 8, *(len(payload) for payload in payloads)])
    frames = empty_frames(len(payloads), width)
    frames.frame_id[:] = message.frame_id
    frames.flags[:] = Flag.EXTENDED if message.is_extended else 0
    frames.time[:] = np.arange(len(payloads))
    for row, payload in enumerate(payloads):
        frames.length[row] = len(payload)
        frames.payload[row, : len(payload)] = np.frombuffer(payload, dtype=np.uint8)
    return frames


def random_payloads(message: Message, random: np.random.Generator, count: int) -> list[bytes]:
    """Payloads of full length, most with a branch of each multiplexor that there is, and some short and long ones."""
    payloads = []
    for number in range(count):
        content = bytearray(random.bytes(message.length))
        for signal in message.signals if number % 8 else ():
            if signal.multiplexor and signal.multiplex_values and random.random() < 0.3:
                put_bits(content, message.by_name[signal.multiplexor], signal.multiplex_values[0][0])
        cut = random.integers(0, message.length + 1) if number % 3 == 0 else message.length
        payloads.append(bytes(content[:cut]))
    return payloads


def put_bits(payload: bytearray, signal: Signal, raw: int) -> None:
    """Write a raw value, bit by bit."""
    for shift, number in enumerate(reversed(signal.bits)):
        if number // 8 < len(payload):
            payload[number // 8] &= ~(1 << number % 8) & 0xFF
            payload[number // 8] |= (raw >> shift & 1) << number % 8


def messages_with_payload(matrix: Matrix) -> Iterator[Message]:
    seen = set()
    for message in matrix.messages:
        if (message.frame_id, message.is_extended) not in seen:
            seen.add((message.frame_id, message.is_extended))
            yield message


def load_database(path: Any) -> Any:
    """What cantools makes of a file; `None` if it refuses it."""
    try:
        return cantools.database.load_file(path, strict=False)
    except Exception:
        return None
