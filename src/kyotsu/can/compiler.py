"""Machine code for the loops over bytes, where a compiler is there.

`compiled` hands a function to numba; without it, or with KYOTSU_NO_COMPILER set, the same text runs as plain Python:
some hundred times slower, the same answer. In a compiled function badness is a code, never an exception, and no number
may leave the range of its type, since plain Python would not wrap it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

HAS_COMPILER = not os.environ.get("KYOTSU_NO_COMPILER")
try:
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import njit, types
    from numba.extending import intrinsic
except ImportError:
    HAS_COMPILER = False

# Without `_nrt` no function can make an array, and none spends half its time on counting who uses one.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
PARTS: dict[str, Any] = {**OPTIONS, "forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

SHARED = ("compiler", "frames", "text_scan", "text_log", "blf_file", "mf4_groups")

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code that releases the GIL, compiled at its first call and cached on disk."""
    if not HAS_COMPILER:
        return function
    machine: Any = njit(cache=True, **OPTIONS)(function)
    index = getattr(getattr(machine, "_cache", None), "_cache_file", None)
    if index is not None:  # numba minds the file of a function only, not those of its parts
        index._source_stamp = (index._source_stamp, _shared_stamp())
    return machine  # type: ignore[no-any-return]


@cache
def _shared_stamp() -> tuple[tuple[str, int, int], ...]:
    """What tells one state of the files whose parts and constants several kernels take from another."""
    files = [Path(__file__).with_name(f"{name}.py") for name in SHARED]
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)


def inlined(function: Function) -> Function:
    """A part of compiled functions, which becomes part of their code: a call would count the users of every array."""
    if not HAS_COMPILER:
        return function
    machine: Function = njit(**PARTS)(function)
    return machine


def _loader(form: str) -> Any:
    """Reads a little-endian number, in the form of `struct`, from any place in an array of bytes."""
    reader = struct.Struct(f"<{form}")
    if not HAS_COMPILER:
        return (lambda data, at: data[at]) if form == "B" else (lambda data, at: reader.unpack_from(data, at)[0])
    is_float = form in "fd"

    @intrinsic
    def load(_context: Any, data: Any, at: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            kind = {"f": ir.FloatType(), "d": ir.DoubleType()}.get(form, ir.IntType(8 * reader.size))
            place = builder.bitcast(builder.gep(array.data, [arguments[1]]), kind.as_pointer())
            value = builder.load(place, align=1)
            if is_float:
                return value if form == "d" else builder.fpext(value, ir.DoubleType())
            return value if reader.size == 8 else builder.zext(value, ir.IntType(64))

        return (types.float64 if is_float else types.int64)(data, types.int64), code

    return load


# A number in an array of bytes at `at`, for compiled functions: without a sign but the longest, and unlike `data[at]`
# never counted from the end for a negative place, of which the compiler could not know that there is none.
byte_at, word_at, double_word_at, quad_word_at = _loader("B"), _loader("H"), _loader("I"), _loader("q")
single_at, double_at = _loader("f"), _loader("d")
