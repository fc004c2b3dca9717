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
    from numba import njit
except ImportError:
    njit = None

HAS_COMPILER = njit is not None and not os.environ.get("KYOTSU_NO_COMPILER")

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code that releases the GIL, compiled at its first call and cached on disk."""
    if not HAS_COMPILER:
        return function
    machine: Function = njit(cache=True, nogil=True)(function)
    return machine
