"""The kernels that can run here: compiled ones, or those of numpy where numba is not installed or not wanted."""

from __future__ import annotations

import os
from types import ModuleType

from kyotsu.can import numpy_kernels

try:
    from kyotsu.can import kernels as compiled_kernels
except ImportError:  # no compiler on this computer: ten times slower, the same results
    compiled_kernels = None  # type: ignore[assignment]


def has_compiler() -> bool:
    """Whether kernels are compiled by default: numba is there and KYOTSU_NO_COMPILER is not set."""
    return compiled_kernels is not None and not os.environ.get("KYOTSU_NO_COMPILER")


def kernels_for(compiled: bool | None = None) -> ModuleType:
    """The kernels to use; `None` leaves it to `has_compiler`."""
    wanted = has_compiler() if compiled is None else compiled
    return compiled_kernels if wanted and compiled_kernels is not None else numpy_kernels
