"""Parts of the compiled kernels: how they are compiled, the group of a frame, the number that bits stand for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array
from numba.np.numpy_support import from_dtype

from kyotsu.can import layout as at
from kyotsu.can.frames import Flag

Function = TypeVar("Function", bound=Callable[..., Any])

EXTENDED, REMOTE, ERROR, FD = (int(flag) for flag in (Flag.EXTENDED, Flag.REMOTE, Flag.ERROR, Flag.FD))
TURN = np.uint64(1 << 63)
ODD_BYTES, ODD_PAIRS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
# No kernel but `count_keys` makes an array, so none has to count who uses which: that would cost more than the rest.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
# What stands here and the constants of the tables are part of all machine code, so they are part of its name on disk.
SHARED = ("layout", "kernel_bits", "guard_tables", "guard_kernel", "live_kernel")
RULES = ("mapping", "mapping_tables", "mapping_kernel")  # of which `live_rules` is made
IDENTITY = hashlib.sha256(
    b"".join(Path(__file__).with_name(f"{name}.py").read_bytes() for name in (*SHARED, *RULES))
).hexdigest()[:12]


def compiled(function: Function) -> Function:
    """Machine code, kept on disk where there is a place for it."""
    function.__qualname__ = f"{function.__name__}_{IDENTITY}"
    try:
        return cast(Function, njit(cache=True, **OPTIONS)(function))
    except RuntimeError:
        return cast(Function, njit(**OPTIONS)(function))


def counting(function: Function) -> Function:
    """Machine code of a function that makes arrays."""
    return cast(Function, njit(nogil=True)(function))


def inlined(function: Function) -> Function:
    """Machine code that becomes part of each function that calls it."""
    machine: Any = njit
    return cast(
        Function, machine(forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(function)
    )


populate: Any = populate_array  # numba has no types


def held(kind: str, dimensions: int) -> Any:
    """A part of kernels that gives array `number` of many held by their addresses, see `addresses_of`.

    To take some forty arrays from Python takes ten times longer than to decode a frame.
    """

    @intrinsic
    def view(_context: Any, addresses: Any, number: Any) -> Any:
        array_type = types.Array(from_dtype(np.dtype(kind)), dimensions, "C")

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            table = context.make_array(signature.args[0])(context, builder, arguments[0])
            first = builder.mul(arguments[1], context.get_constant(types.int64, 3))
            address, *sizes = (
                builder.load(builder.gep(table.data, [builder.add(first, context.get_constant(types.int64, place))]))
                for place in range(dimensions + 1)
            )
            array = context.make_array(array_type)(context, builder)
            size = context.get_constant(types.int64, np.dtype(kind).itemsize)
            strides = [size] if dimensions == 1 else [builder.mul(size, sizes[1]), size]
            data = builder.inttoptr(address, array.data.type)
            populate(array, data=data, shape=sizes, strides=strides, itemsize=size, meminfo=None)
            return array._getvalue()

        return array_type(addresses, types.int64), code

    return view


def addresses_of(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """Address, rows and columns of each array, for as long as somebody keeps it; shape (array, 3)."""
    for values in arrays:
        assert values.flags.carray, "what kernels hold is writable, aligned and in C order"
    return np.array([(values.ctypes.data, *values.shape, 1)[:3] for values in arrays], dtype=np.int64)


whole_column, whole_table = held("i8", 1), held("i8", 2)
bits_column, bits_table = held("u8", 1), held("u8", 2)
real_column, real_table = held("f8", 1), held("f8", 2)
byte_column, short_column, number_column = held("u1", 1), held("u2", 1), held("i4", 1)


# --- frames to groups ---


@inlined
def group_of_key(table: Any, key: Any) -> Any:
    """The group of a key in an open-addressed table."""
    mask = table.shape[0] - 1
    place = ((key * 2654435761) >> 16) & mask
    while table[place, 0] >= 0:
        if table[place, 0] == key:
            return table[place, 1]
        place = (place + 1) & mask
    return np.int64(at.UNKNOWN)


@inlined
def group_of(frame_id: Any, flags: Any, tables: Any) -> Any:
    """The group of a frame: by its id, and where no message has it by its group number."""
    if flags & ERROR:
        return np.int64(at.ERROR)
    if flags & REMOTE:
        return np.int64(at.REMOTE)
    if not flags & EXTENDED:
        if frame_id >= tables.standard.size:
            return np.int64(at.UNKNOWN)
        return np.int64(tables.standard[frame_id])
    group = group_of_key(tables.extended, frame_id)
    if group == at.UNKNOWN:
        number = (frame_id >> 8) & 0x3FFFF
        group = group_of_key(tables.groups, number & 0x3FF00 if (number >> 8) & 0xFF < 240 else number)
    return group


# --- bits to numbers ---


@inlined
def swapped(word: Any) -> Any:
    """A word with its bytes in the other order."""
    word = ((word & ODD_BYTES) << np.uint64(8)) | ((word >> np.uint64(8)) & ODD_BYTES)
    word = ((word & ODD_PAIRS) << np.uint64(16)) | ((word >> np.uint64(16)) & ODD_PAIRS)
    return (word << np.uint64(32)) | (word >> np.uint64(32))


@inlined
def joined(first: Any, second: Any, join: Any, big: bool) -> Any:
    """The 64 bits from bit `join` of the first word on, where 0 < join < 64."""
    if big:
        return (first << join) | (second >> (np.uint64(64) - join))
    return (first >> join) | (second << (np.uint64(64) - join))


@inlined
def raw_of(word: Any, up: Any, down: Any, sign: Any) -> Any:
    """The raw value, in two's complement where signed."""
    return (((word << up) >> down) ^ sign) - sign


@inlined
def frame_raw(field: Any, words: Any, index: Any) -> Any:
    """The raw value of a field in one frame."""
    word, big = field[at.FIELD_WORD], field[at.FIELD_BIG] != 0
    bits = words[index, word] if word < words.shape[1] else np.uint64(0)
    bits = swapped(bits) if big else bits
    if field[at.SECOND_PLANE] >= 0:
        second = words[index, word + 1] if word + 1 < words.shape[1] else np.uint64(0)
        bits = joined(bits, swapped(second) if big else second, np.uint64(field[at.JOIN]), big)
    return raw_of(bits, np.uint64(field[at.UP]), np.uint64(field[at.DOWN]), np.uint64(field[at.SIGN]))


@inlined
def half_number(bits: Any) -> Any:
    """The number that 16 bits of IEEE 754 stand for."""
    exponent, fraction = np.int64((bits >> np.uint64(10)) & np.uint64(31)), np.float64(bits & np.uint64(1023))
    if exponent == 31:
        size = np.inf if fraction == 0 else np.nan
    elif exponent == 0:
        size = fraction * 2.0**-24
    else:
        size = (1024.0 + fraction) * 2.0 ** (exponent - 25)
    return -size if bits & np.uint64(0x8000) else size


@inlined
def number_of(raw: Any, kind: int, scale: float, offset: float) -> Any:
    """A raw value as it counts: raw x scale + offset in double precision, each step rounded."""
    if kind == at.REAL:
        number = np.float64(np.int32(raw))
    elif kind == at.REAL_UNSIGNED:
        number = np.float64(raw)
    elif kind == at.FLOAT_16:
        number = half_number(raw)
    elif kind == at.FLOAT_32:
        number = np.float64(np.uint32(raw).view(np.float32))
    elif kind == at.FLOAT_64:
        number = np.uint64(raw).view(np.float64)
    else:
        number = np.float64(np.int64(raw))
    return number * scale + offset


@inlined
def value_of(raw: Any, column: Any, scale: float, offset: float) -> float:
    """What a column would hold, in double precision."""
    kind = column[at.COLUMN_KIND]
    if kind == at.INTEGER:
        return np.float64(np.int64(raw)) if column[at.COLUMN_SIGNED] else np.float64(raw)
    if kind == at.AFFINE:
        return np.float64(np.int64(raw * np.uint64(column[at.COLUMN_SCALE]) + np.uint64(column[at.COLUMN_OFFSET])))
    return number_of(raw, kind, scale, offset)  # type: ignore[no-any-return]
