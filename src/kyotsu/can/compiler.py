"""Machine code for the loops over bytes, where a compiler is there.

`compiled` hands a function to numba; without it, or with KYOTSU_NO_COMPILER set, the same text runs as plain Python:
some hundred times slower, the same answer. In a compiled function badness is a code, never an exception, and no number
may leave the range of its type, since plain Python would not wrap it.
"""

from __future__ import annotations

import os
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


def _loader(bits: int) -> Any:
    """Reads a little-endian number from a place in an array of bytes, which may be any place."""
    if not HAS_COMPILER:
        if bits == 8:
            return lambda data, at: data[at]
        return lambda data, at: int.from_bytes(data[at : at + bits // 8], "little", signed=bits == 64)

    @intrinsic
    def load(_context: Any, data: Any, at: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            place = builder.gep(array.data, [arguments[1]])
            word = builder.load(builder.bitcast(place, ir.IntType(bits).as_pointer()), align=1)
            return word if bits == 64 else builder.zext(word, ir.IntType(64))

        return types.int64(data, types.int64), code

    return load


# A number in an array of bytes at `at`, for compiled functions: without a sign but the longest, and unlike `data[at]`
# never counted from the end for a negative place, of which the compiler could not know that there is none.
byte_at, word_at, double_word_at, quad_word_at = _loader(8), _loader(16), _loader(32), _loader(64)
