"""What the channel groups of an MDF 4 file say about the records of CAN frames: where each field stands.

ASAM MDF 4.2 with the associated standard for bus logging: a group of frames has a channel `CAN_DataFrame` (or
`CAN_ErrorFrame`, `CAN_RemoteFrame`) and channels `CAN_DataFrame.ID`, `.BusChannel`, `.DataBytes` and so on.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from kyotsu.can.frames import Flag
from kyotsu.can.mf4_blocks import Block, Blocks, Damage

GROUP = struct.Struct("<QQHHIII")  # record id, records, flags, separator, ., data bytes, invalidation bytes
CHANNEL = struct.Struct("<BBBBIIII")  # kind, sync, data type, bit offset, byte offset, bits, flags, invalidation bit
CONVERSION = struct.Struct("<BBHHHdd")  # kind, precision, flags, references, values, minimum, maximum

VLSD_GROUP, REMOTE_MASTER = 1, 8  # flags of a group
FIXED, VARIABLE, MASTER, VIRTUAL_MASTER, MOST_LENGTH, VIRTUAL = 0, 1, 2, 3, 5, 6  # kinds of channels
ALL_INVALID = 1  # flag of a channel
UNSIGNED, UNSIGNED_BIG, SIGNED, SIGNED_BIG, FLOAT, FLOAT_BIG, TEXT, BYTE_ARRAY = 0, 1, 2, 3, 4, 5, 6, 10
LINEAR, RATIONAL, TABLE_BETWEEN, TABLE, RANGES = 1, 2, 4, 5, 6  # conversions

MOST_RECORD = 1 << 16  # bytes of a record of frames
NS_PER_S = 1e9
LUT_SIZE = 256

FRAME_CHANNELS = {"CAN_DataFrame": 0, "CAN_ErrorFrame": int(Flag.ERROR), "CAN_RemoteFrame": int(Flag.REMOTE)}
# Bytes of each length code in CAN FD, ISO 11898-1.
FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)


class Name(IntEnum):
    """The fields of a record, rows of a plan."""

    TIME = 0
    ID = 1
    BUS = 2
    IS_EXTENDED = 3
    CODE = 4
    LENGTH = 5
    BYTES = 6
    SENT = 7
    FD = 8
    SWITCH = 9
    STATE = 10


class Kind(IntEnum):
    """How a field is read."""

    ABSENT = 0
    CONSTANT = 1
    LITTLE = 2
    BIG = 3
    DOUBLE = 4
    SINGLE = 5
    INDEX = 6  # the number of the record


# Columns of a plan: how, first byte, first bit in it, bits, whether the table converts it, value of a constant.
HOW, BYTE, BIT, BITS, CONVERTED, VALUE = range(6)

CHANNELS = {
    "ID": Name.ID, "BusChannel": Name.BUS, "IDE": Name.IS_EXTENDED, "DLC": Name.CODE, "DataLength": Name.LENGTH,
    "DataBytes": Name.BYTES, "Dir": Name.SENT, "EDL": Name.FD, "BRS": Name.SWITCH, "ESI": Name.STATE,
}  # fmt: skip


@dataclass
class GroupPlan:
    """How the records of a group are read.

    Attributes:
        name: of the group, for the account of what is ignored.
        address: of its block.
        record_id: that stands before its records in an unsorted file.
        stated: number of records that the file states.
        record_bytes: of each record; 0 with a length before each (VLSD).
        is_vlsd: payloads that other records point to.
        is_frames: frames, else ignored.
        flags: of each of its frames.
        fields: shape (11, 6), see `Name` and the columns.
        tables: value of each raw value, shape (11, 256).
        scale, offset: of the time [ns] by raw value.
        payload_bytes: of the payload within the record; 0 where it stands elsewhere.
        payload_at: address of the group (VLSD) or of the data (SD) where payloads stand; 0 within the record.
    """

    name: str
    address: int
    record_id: int
    stated: int
    record_bytes: int
    is_vlsd: bool = False
    is_frames: bool = False
    flags: int = 0
    fields: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(Name), 6), dtype=np.int64))
    tables: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(Name), LUT_SIZE), dtype=np.int64))
    scale: float = NS_PER_S
    offset: float = 0.0
    payload_bytes: int = 0
    payload_at: int = 0


def plans_of(blocks: Blocks, group: Block) -> list[GroupPlan]:
    """How the records of each group of a data group are read."""
    is_columns = blocks.is_columns(group.link(2))
    plans = []
    for block in blocks.chain(group.link(1), b"##CG"):
        if len(block.content) < GROUP.size:
            blocks.tell(Damage("broken block", f"{len(block.content)} bytes", "a whole channel group", block.address))
            continue
        record_id, stated, flags, _, _, data_bytes, invalid_bytes = GROUP.unpack_from(block.content)
        size = data_bytes + (0 if is_columns else invalid_bytes)
        plan = GroupPlan(blocks.text(block.link(2)), block.address, record_id, stated, size)
        if flags & VLSD_GROUP:
            plan.is_vlsd, plan.record_bytes = True, 0
        else:
            _read_channels(blocks, block, flags, data_bytes, plan)
        plans.append(plan)
    return plans


@dataclass(frozen=True)
class _Channel:
    name: str
    block: Block
    kind: int
    data_type: int
    byte: int
    bit: int
    bits: int
    flags: int


def _channels(blocks: Blocks, address: int, depth: int = 0) -> Iterator[_Channel]:
    """Channels, each before those that it is made of."""
    for block in blocks.chain(address, b"##CN"):
        if len(block.content) < CHANNEL.size:
            blocks.tell(Damage("broken block", f"{len(block.content)} bytes", "a whole channel", block.address))
            continue
        kind, _, data_type, bit, byte, bits, flags, _ = CHANNEL.unpack_from(block.content)
        yield _Channel(blocks.text(block.link(2)), block, kind, data_type, byte, bit, bits, flags)
        inner = block.link(1)
        if inner and depth < 4 and inner <= blocks.size and blocks.read(inner, 4) == b"##CN":
            yield from _channels(blocks, inner, depth + 1)


def _read_channels(blocks: Blocks, block: Block, flags: int, data_bytes: int, plan: GroupPlan) -> None:
    """Fill in a plan from the channels of its group."""
    frames = ""
    for channel in _channels(blocks, block.link(1)):
        if channel.kind in (MASTER, VIRTUAL_MASTER):
            _set_time(blocks, channel, data_bytes, plan)
        elif channel.name in FRAME_CHANNELS:
            frames = channel.name
            plan.flags = FRAME_CHANNELS[frames]
        else:
            plan.name = plan.name or channel.name
            prefix, _, part = channel.name.rpartition(".")
            if prefix in FRAME_CHANNELS and part in CHANNELS and not channel.flags & ALL_INVALID:
                _set_field(blocks, channel, CHANNELS[part], data_bytes, plan)
    plan.name = plan.name or frames or "records without a name"
    if not frames:
        return
    needed = (Name.TIME,) if plan.flags & Flag.ERROR else (Name.TIME, Name.ID)
    missing = [name.name for name in needed if plan.fields[name, HOW] == Kind.ABSENT]
    if missing or flags & REMOTE_MASTER or not 0 < plan.record_bytes <= MOST_RECORD:
        found = f"no {' and '.join(missing).lower()}" if missing else f"records of {plan.record_bytes} bytes"
        expected = "frames with time and id in one record of sound size"
        blocks.tell(Damage(f"group {plan.name} not readable", found, expected, block.address))
        return
    plan.is_frames = True


def _set_time(blocks: Blocks, channel: _Channel, data_bytes: int, plan: GroupPlan) -> None:
    _place(blocks, channel, Name.TIME, data_bytes, plan)
    kind, values = _conversion(blocks, channel.block.link(4))
    if kind == LINEAR and len(values) >= 2 and all(math.isfinite(value) for value in values):
        plan.offset, plan.scale = values[0] * NS_PER_S, values[1] * NS_PER_S
    nearest = round(plan.scale) if abs(plan.scale) < 1e15 else 0
    if nearest and abs(plan.scale - nearest) < 1e-6 * abs(nearest):  # 1e-9 s is one nanosecond, whatever a float says
        plan.scale = float(nearest)


def _set_field(blocks: Blocks, channel: _Channel, name: Name, data_bytes: int, plan: GroupPlan) -> None:
    if name == Name.BYTES:
        if channel.kind == VARIABLE:
            plan.payload_at = channel.block.link(5)
        else:
            plan.payload_bytes = min(channel.bits // 8, max(data_bytes - channel.byte, 0))
    if not _place(blocks, channel, name, data_bytes, plan):
        return
    row = plan.fields[name]
    kind, values = _conversion(blocks, channel.block.link(4))
    if channel.data_type >= TEXT and name == Name.SENT:  # "Tx" or "Rx" in words
        row[[HOW, BITS, CONVERTED]] = Kind.LITTLE, 8, 1
        plan.tables[name, [ord("T"), ord("t")]] = 1
    elif kind and name != Name.BYTES and (row[HOW] == Kind.CONSTANT or row[BITS] <= 8):
        table = _table(kind, values)
        plan.tables[name], row[CONVERTED] = table, 1
        if row[HOW] == Kind.CONSTANT:
            row[VALUE] = table[0]


def _place(blocks: Blocks, channel: _Channel, name: Name, data_bytes: int, plan: GroupPlan) -> bool:
    """Write where a field stands; whether it can be read."""
    row = plan.fields[name]
    how = Kind.LITTLE
    if channel.kind in (VIRTUAL, VIRTUAL_MASTER):
        row[HOW] = Kind.INDEX if channel.kind == VIRTUAL_MASTER else Kind.CONSTANT
        return True
    if channel.data_type in (UNSIGNED_BIG, SIGNED_BIG):
        how = Kind.BIG
    elif channel.data_type in (FLOAT, FLOAT_BIG):
        how = Kind.DOUBLE if channel.bits == 64 else Kind.SINGLE
    in_array = name == Name.BYTES and channel.kind != VARIABLE
    bits = 8 if in_array or (channel.data_type >= TEXT and channel.kind != VARIABLE) else channel.bits
    sound = bits > 0 and channel.bit + bits <= 64 and channel.byte + (channel.bit + bits + 7) // 8 <= data_bytes
    if not sound or channel.data_type == FLOAT_BIG or (how >= Kind.DOUBLE and channel.bits not in (32, 64)):
        found = f"{channel.name}: {channel.bits} bits at byte {channel.byte}, type {channel.data_type}"
        blocks.tell(Damage("broken channel", found, f"a number within {data_bytes} bytes", channel.block.address))
        return False
    row[:] = how, channel.byte, channel.bit, bits, 0, 0
    return True


def _conversion(blocks: Blocks, address: int) -> tuple[int, tuple[float, ...]]:
    """Kind and values of a conversion; 0 where there is none or it gives words."""
    block = blocks.block(address, b"##CC") if address else None
    if block is None or len(block.content) < CONVERSION.size:
        return 0, ()
    kind, _, _, _, count, _, _ = CONVERSION.unpack_from(block.content)
    count = min(count, (len(block.content) - CONVERSION.size) // 8)
    return (kind if kind <= RANGES else 0), struct.unpack_from(f"<{count}d", block.content, CONVERSION.size)


def _table(kind: int, values: tuple[float, ...]) -> npt.NDArray[np.int64]:
    """What a conversion makes of 0 to 255, as whole numbers."""
    raw = np.arange(LUT_SIZE, dtype=np.float64)
    given = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    physical = raw
    if kind == LINEAR and given.size >= 2:
        physical = given[0] + given[1] * raw
    elif kind == RATIONAL and given.size >= 6:
        below = given[3] * raw**2 + given[4] * raw + given[5]
        physical = np.divide(given[0] * raw**2 + given[1] * raw + given[2], below, out=raw.copy(), where=below != 0)
    elif kind in (TABLE_BETWEEN, TABLE) and given.size >= 2:
        keys, results = given[: given.size // 2 * 2 : 2], given[1 : given.size // 2 * 2 : 2]
        order = np.argsort(keys, kind="stable")
        keys, results = keys[order], results[order]
        nearest = np.abs(raw[:, None] - keys[None, :]).argmin(axis=1)
        physical = results[nearest] if kind == TABLE else np.interp(raw, keys, results)
    elif kind == RANGES and given.size >= 4:
        physical = np.full(LUT_SIZE, given[-1])
        for low, high, result in given[: given.size // 3 * 3].reshape(-1, 3)[::-1]:
            physical = np.where((raw >= low) & (raw <= high), result, physical)
    return np.clip(np.rint(physical), -1e9, 1e9).astype(np.int64)
