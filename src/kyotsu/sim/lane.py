"""The few numpy functions that the physics uses, for one vehicle: what `np` means when the kernel compiles it.

`kernel` compiles the functions of `road`, `drive`, `battery` and `step` with this file in the place of numpy, so
that one text is the physics of both backends. Everything here is a choice or one machine instruction, hence a
loop over vehicles becomes SIMD code. NaN is not minded: the edge keeps it out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

# Reassociation and reciprocals may change the last digit; NaN and infinity do not occur.
OPTIONS: dict[str, Any] = {"fastmath": True, "error_model": "numpy", "nogil": True}

_inlined = njit(forceinline=True, **OPTIONS)


@_inlined
def where(condition: Any, yes: Any, no: Any) -> Any:
    """One of two numbers."""
    return yes if condition else no


@_inlined
def minimum(one: Any, other: Any) -> Any:
    """The lesser of two numbers."""
    return one if one < other else other


@_inlined
def maximum(one: Any, other: Any) -> Any:
    """The greater of two numbers."""
    return one if one > other else other


@_inlined
def abs(value: Any) -> Any:
    """Magnitude."""
    return math.fabs(value)


@_inlined
def sqrt(value: Any) -> Any:
    """Square root."""
    return math.sqrt(value)


@_inlined
def floor(value: Any) -> Any:
    """Largest whole number not above, as a float."""
    return np.floor(value)


@_inlined
def zeros_like(value: Any) -> Any:
    """Zero of the same precision."""
    return value - value


@_inlined
def full_like(value: Any, filling: Any) -> Any:
    """The number itself; its precision is the caller's."""
    return filling


@_inlined
def all(condition: Any) -> Any:
    """The condition itself."""
    return condition
