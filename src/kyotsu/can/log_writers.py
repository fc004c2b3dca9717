"""Writes frames as log files of others' tools: candump, Vector's BLF and ASC; at the speed of the disk, for exchange
and as input of benchmarks.

What a format cannot say is left out: ASC has neither id nor payload of an error frame; the length that a remote request
asks for `Frames` do not keep. Times are whole microseconds in candump and ASC, nanoseconds in BLF.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from kyotsu.can.blf import CAN_ERROR_EXT, CAN_FD_MESSAGE, CAN_MESSAGE, ID_EXTENDED
from kyotsu.can.blf_file import CONTAINER, CONTAINER_KIND, DEFLATED, FILE_MAGIC, HEADER, OBJECT_MAGIC
from kyotsu.can.compiler import compiled, inlined
from kyotsu.can.frames import FD_BYTES, Flag, Frames
from kyotsu.can.inflate import ENGINE
from kyotsu.can.mf4_groups import FD_LENGTHS

EXTENDED, REMOTE, ERROR, FD = int(Flag.EXTENDED), int(Flag.REMOTE), int(Flag.ERROR), int(Flag.FD)
SWITCH, STATE, SENT = int(Flag.BIT_RATE_SWITCH), int(Flag.ERROR_STATE), int(Flag.SENT)

HEX = np.frombuffer(b"0123456789ABCDEF", dtype=np.uint8)
NS_PER_US, US_PER_S, NS_PER_S, NS_PER_MS = 1000, 1_000_000, 1_000_000_000, 1_000_000
ERROR_BIT = 0x2000_0000  # of an id in candump
CANDUMP_BYTES, ASC_BYTES, BLF_BYTES = 192, 288, 120  # most that a frame needs

BLF_HEADER_BYTES, CONTAINER_BYTES = 144, 1 << 17
LENGTH_CODES = np.searchsorted(FD_LENGTHS, np.arange(FD_BYTES + 1))  # of each length in bytes


def write_candump(frames: Frames | Iterable[Frames], path: str | Path) -> int:
    """Write as candump -L does, the bus as `can<number>`; returns the number of frames."""
    count = 0
    with Path(path).open("wb") as stream:
        for block in _blocks(frames):
            out = np.empty(block.size * CANDUMP_BYTES, dtype=np.uint8)
            stream.write(out[: _candump_lines(block, out)].data)
            count += block.size
    return count


def write_asc(frames: Frames | Iterable[Frames], path: str | Path, *, start: datetime | None = None) -> int:
    """Write as Vector's ASC; returns the number of frames.

    Args:
        frames: of which no time is before `start`.
        path: of the file.
        start: date of the log, which states no zone; by default that of the first frame, cut to milliseconds.
    """
    count, start_ns = 0, None if start is None else _nanoseconds(start)
    with Path(path).open("wb") as stream:
        for block in _blocks(frames):
            if start_ns is None:
                start_ns = int(block.time[0]) // NS_PER_MS * NS_PER_MS
            if not count:
                stream.write(_asc_header(start_ns))
            out = np.empty(block.size * ASC_BYTES, dtype=np.uint8)
            stream.write(out[: _asc_lines(block, start_ns, LENGTH_CODES, out)].data)
            count += block.size
        stream.write(b"End TriggerBlock\n")
    return count


def write_blf(frames: Frames | Iterable[Frames], path: str | Path, *, compression: int = 1) -> int:
    """Write as Vector's BLF, in containers of 128 KiB; returns the number of frames.

    Args:
        frames: of which no time is before that of the first, cut to milliseconds.
        path: of the file.
        compression: 0, none, to 3 (isal) or 9 (zlib).
    """
    count, plain_bytes, start_ns, last_ns, rest = 0, BLF_HEADER_BYTES, 0, 0, b""
    with Path(path).open("wb") as stream:
        stream.write(bytes(BLF_HEADER_BYTES))
        for block in _blocks(frames):
            if not count:
                start_ns = int(block.time[0]) // NS_PER_MS * NS_PER_MS
            count, last_ns = count + block.size, int(block.time[-1])
            out = np.zeros(block.size * BLF_BYTES, dtype=np.uint8)
            data = rest + out[: _blf_objects(block, start_ns, LENGTH_CODES, out)].tobytes()
            whole = len(data) // CONTAINER_BYTES * CONTAINER_BYTES
            for begin in range(0, whole, CONTAINER_BYTES):
                plain_bytes += _write_container(stream, data[begin : begin + CONTAINER_BYTES], compression)
            rest = data[whole:]
        if rest:
            plain_bytes += _write_container(stream, rest, compression)
        size = stream.tell()
        stream.seek(0)
        stream.write(_blf_header(size, plain_bytes, count, start_ns, last_ns))
    return count


def _blocks(frames: Frames | Iterable[Frames]) -> Iterator[Frames]:
    blocks = [frames] if isinstance(frames, Frames) else frames
    return (block for block in blocks if block.size)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * NS_PER_S + moment.microsecond * NS_PER_US


def _date(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // NS_PER_S, UTC).replace(microsecond=nanoseconds % NS_PER_S // NS_PER_US)


def _asc_header(start_ns: int) -> bytes:
    start = _date(start_ns)
    date = f"{start:%a %b %d %H:%M:%S}.{start.microsecond // 1000:03d} {start:%Y}"
    return (
        f"date {date}\nbase hex  timestamps absolute\ninternal events logged\n"
        f"Begin Triggerblock {date}\n   0.000000 Start of measurement\n"
    ).encode("ascii")


def _blf_header(size: int, plain_bytes: int, count: int, start_ns: int, last_ns: int) -> bytes:
    header = struct.pack(
        "<4sL8BQQLL", FILE_MAGIC, BLF_HEADER_BYTES, 0, 0, 0, 0, 2, 6, 8, 1, size, plain_bytes, count, 0
    )
    for nanoseconds in (start_ns, last_ns):
        at = _date(nanoseconds)
        day = (at.year, at.month, at.isoweekday() % 7, at.day, at.hour, at.minute, at.second, at.microsecond // 1000)
        header += struct.pack("<8H", *day)
    return header.ljust(BLF_HEADER_BYTES, b"\0")


def _write_container(stream: Any, data: bytes, compression: int) -> int:
    """Write a container; returns its size if it were not compressed."""
    content = ENGINE.compress(data, compression) if compression else data
    size = HEADER.size + CONTAINER.size + len(content)
    stream.write(HEADER.pack(OBJECT_MAGIC, HEADER.size, 1, size, CONTAINER_KIND))
    stream.write(CONTAINER.pack(DEFLATED if compression else 0, len(data)))
    stream.write(content + bytes(size % 4))  # padded as others pad
    return HEADER.size + CONTAINER.size + len(data)


@inlined
def _put_decimal(out: Any, at: int, value: int, width: int, fill: int) -> int:
    """Write a number at least `width` wide; returns where it ends."""
    digits, rest = 1, value // 10
    while rest > 0:
        digits += 1
        rest //= 10
    size = max(digits, width)
    for index in range(size - 1, -1, -1):
        out[at + index] = 48 + value % 10 if index >= size - digits else fill
        value //= 10
    return at + size


@inlined
def _put_hex(out: Any, at: int, value: int, digits: int) -> int:
    for index in range(digits - 1, -1, -1):
        out[at + index] = HEX[value & 15]
        value >>= 4
    return at + digits


@inlined
def _hex_digits(value: int) -> int:
    digits = 1
    while value > 15:
        digits += 1
        value >>= 4
    return digits


@inlined
def _put(out: Any, at: int, word: Any) -> int:
    for index in range(len(word)):
        out[at + index] = word[index]
    return at + len(word)


@compiled
def _candump_lines(frames: Any, out: Any) -> int:
    at = 0
    for row in range(frames.time.size):
        flags = int(frames.flags[row])
        microseconds = frames.time[row] // NS_PER_US
        out[at] = 40
        at = _put_decimal(out, at + 1, microseconds // US_PER_S, 1, 48)
        out[at] = 46
        at = _put_decimal(out, at + 1, microseconds % US_PER_S, 6, 48)
        at = _put(out, at, b") can")
        at = _put_decimal(out, at, int(frames.bus[row]), 1, 48)
        out[at] = 32
        frame_id = int(frames.frame_id[row])
        if flags & ERROR:
            frame_id |= ERROR_BIT
        at = _put_hex(out, at + 1, frame_id, 8 if flags & (EXTENDED | ERROR) else 3)
        out[at] = 35
        at += 1
        if flags & FD:
            out[at] = 35
            at = _put_hex(out, at + 1, (1 if flags & SWITCH else 0) | (2 if flags & STATE else 0), 1)
        if flags & REMOTE:
            out[at] = 82
            at += 1
        else:
            for index in range(int(frames.length[row])):
                at = _put_hex(out, at, int(frames.payload[row, index]), 2)
        out[at], out[at + 1], out[at + 2] = 32, 84 if flags & SENT else 82, 10
        at += 3
    return at


@compiled
def _asc_lines(frames: Any, start_ns: int, length_codes: Any, out: Any) -> int:
    at = 0
    for row in range(frames.time.size):
        flags, length = int(frames.flags[row]), int(frames.length[row])
        microseconds = (frames.time[row] - start_ns) // NS_PER_US
        at = _put_decimal(out, at, microseconds // US_PER_S, 4, 32)
        out[at] = 46
        at = _put_decimal(out, at + 1, microseconds % US_PER_S, 6, 48)
        at = _put(out, at, b" CANFD " if flags & FD and not flags & ERROR else b" ")
        at = _put_decimal(out, at, int(frames.bus[row]), 1, 32)
        if flags & ERROR:
            at = _put(out, at, b"  ErrorFrame\n")
            continue
        direction = b" Tx " if flags & SENT else b" Rx "
        if flags & FD:
            at = _put(out, at, direction)
            at = _put_asc_id(out, at, int(frames.frame_id[row]), flags)
            at = _put(out, at, b" 1" if flags & SWITCH else b" 0")
            at = _put(out, at, b" 1 " if flags & STATE else b" 0 ")
            at = _put_hex(out, at, length_codes[length], 1)
            out[at] = 32
            at = _put_decimal(out, at + 1, length, 1, 32)
        else:
            out[at] = 32
            at = _put_asc_id(out, at + 1, int(frames.frame_id[row]), flags)
            at = _put(out, at, direction)
            at = _put(out, at, b"r" if flags & REMOTE else b"d ")
            if not flags & REMOTE:
                at = _put_hex(out, at, length, 1)
        for index in range(0 if flags & REMOTE else length):
            out[at] = 32
            at = _put_hex(out, at + 1, int(frames.payload[row, index]), 2)
        if flags & FD:  # duration, length in bits, flags, of which bits 12 to 14 say what it is, and a checksum
            form = 1 << 12 | (1 << 13 if flags & SWITCH else 0) | (1 << 14 if flags & STATE else 0)
            at = _put(out, at, b" 0 0 ")
            at = _put_hex(out, at, form, 4)
            at = _put(out, at, b" 0 0 0 0 0")
        out[at] = 10
        at += 1
    return at


@inlined
def _put_asc_id(out: Any, at: int, frame_id: int, flags: int) -> int:
    at = _put_hex(out, at, frame_id, _hex_digits(frame_id))
    if flags & EXTENDED:
        out[at] = 120
        at += 1
    return at


@inlined
def _put_little(out: Any, at: int, value: int, size: int) -> int:
    for index in range(size):
        out[at + index] = value >> (8 * index) & 255
    return at + size


@compiled
def _blf_objects(frames: Any, start_ns: int, length_codes: Any, out: Any) -> int:
    """Objects with a header of 32 bytes; `out` is zero."""
    at = 0
    for row in range(frames.time.size):
        flags, length = int(frames.flags[row]), int(frames.length[row])
        kind, size = CAN_MESSAGE, 48
        if flags & ERROR:
            kind, size = CAN_ERROR_EXT, 64
        elif flags & FD:
            kind, size = CAN_FD_MESSAGE, 116
        _put(out, at, b"LOBJ")
        _put_little(out, at + 4, 32, 2)
        _put_little(out, at + 6, 1, 2)
        _put_little(out, at + 8, size, 4)
        _put_little(out, at + 12, kind, 4)
        _put_little(out, at + 16, 2, 4)  # the time is in [ns]
        _put_little(out, at + 24, max(frames.time[row] - start_ns, 0), 8)
        body = at + 32
        _put_little(out, body, int(frames.bus[row]), 2)
        frame_id = int(frames.frame_id[row]) | (ID_EXTENDED if flags & EXTENDED else 0)
        payload = body + 8
        if kind == CAN_ERROR_EXT:
            out[body + 10] = length_codes[length]
            _put_little(out, body + 16, frame_id, 4)
            payload = body + 24
        else:
            out[body + 2] = (1 if flags & SENT else 0) | (0x80 if flags & REMOTE else 0)
            out[body + 3] = length_codes[length]
            _put_little(out, body + 4, frame_id, 4)
        if kind == CAN_FD_MESSAGE:
            out[body + 13] = 1 | (2 if flags & SWITCH else 0) | (4 if flags & STATE else 0)
            out[body + 14] = length
            payload = body + 20
        for index in range(length):
            out[payload + index] = frames.payload[row, index]
        at += size
    return at
