"""Machine code for the loops over bytes, where a compiler is there.

`compiled` hands a function to numba; without it, or with KYOTSU_NO_COMPILER set, the same text runs as plain Python:
some hundred times slower, the same answer. In a compiled function badness is a code, never an exception, and no number
may leave the range of its type, since plain Python would not wrap it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Any, TypeVar

try:
    from llvmlite import ir
    from numba import njit, types
    from numba.extending import intrinsic
except ImportError:
    njit = None

HAS_COMPILER = njit is not None and not os.environ.get("KYOTSU_NO_COMPILER")

OPTIONS: dict[str, Any] = {"_nrt": False, "error_model": "numpy"}

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code that releases the GIL, compiled at its first call and cached on disk."""
    if not HAS_COMPILER:
        return function
    machine: Function = njit(cache=True, nogil=True, **OPTIONS)(function)
    return machine


def inlined(function: Function) -> Function:
    """A part of compiled functions, which becomes part of their code: a call would count the users of every array."""
    if not HAS_COMPILER:
        return function
    machine: Function = njit(forceinline=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(
        function
    )
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
