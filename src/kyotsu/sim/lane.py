"""The physics for one vehicle: how functions written for numpy arrays become machine code for a lane of a tile.

`compiled` takes the functions of whole files as they are and gives them another world to live in: `np` is this
file, constants have the precision asked for, and each name is the compiled function of that name. So one text is
the physics of both backends. What stands for numpy here is a choice or one machine instruction, hence a loop over
vehicles becomes SIMD code. NaN is not minded: the edge keeps it out.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

# Reassociation and reciprocals may change the last digit; neither NaN nor infinity occurs.
OPTIONS: dict[str, Any] = {"fastmath": True, "error_model": "numpy", "nogil": True}
INNER: dict[str, Any] = {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # halves the compile time


Function = TypeVar("Function", bound=Callable[..., Any])


def _inlined(function: Function) -> Function:
    return cast(Function, njit(forceinline=True, **INNER)(function))


def source_text(files: Iterable[ModuleType]) -> str:
    """The text of files, to be read when they are loaded: what they say later is not what runs."""
    return "".join(Path(str(file.__file__)).read_text("utf-8") for file in files)


def compiled(
    kernel: Callable[..., None],
    parts: Iterable[Callable[..., Any]],
    physics: Iterable[ModuleType],
    dtype: str,
    *,
    text: str,
    called: Collection[str] = (),
    generated: str = "",
) -> Callable[..., None]:
    """A kernel as machine code that releases the GIL; compiled at its first call, cached on disk.

    Args:
        kernel: the function to call, of arrays of `dtype`.
        parts: the functions that it needs of its own file or, with the constants of its own, of another.
        physics: files whose functions it needs; those written for arrays only are left alone.
        dtype: `float64` or `float32`.
        text: of all files that take part; it keys the cache, so that no stale physics is ever run.
        called: names of functions to call rather than inline, those of the rare path.
        generated: Python source of further functions.

    Returns:
        The compiled function; without a writable place for the cache it is compiled in every process.
    """
    real = np.dtype(dtype).type
    identity = f"{dtype}_{hashlib.sha256((text + generated).encode()).hexdigest()[:16]}"
    parts, physics = list(parts), list(physics)
    homes = [sys.modules[part.__module__] for part in parts]  # what a part of another file knows there, it knows here
    files = [*homes, *physics, sys.modules[kernel.__module__]]
    scope = {name: value for file in files for name, value in vars(file).items()}
    functions = [value for file in physics for value in vars(file).values() if _of(file, value)]
    more: dict[str, FunctionType] = {}
    exec(generated, scope, more)
    scope.update({name: real(value) for name, value in scope.items() if type(value) is float})
    scope["np"] = _numpy(scope, real, identity)
    for function in (*parts, *functions, *more.values()):
        name = function.__name__
        scope[name] = njit(forceinline=name not in called, **INNER)(_rebound(function, scope, real, identity))
    whole = _rebound(kernel, scope, real, identity)
    try:
        cached: Callable[..., None] = njit(cache=True, **OPTIONS)(whole)
    except RuntimeError:
        return njit(**OPTIONS)(whole)  # type: ignore[no-any-return]
    return cached


def _numpy(scope: dict[str, Any], real: type, identity: str) -> ModuleType:
    """This file, with those of its functions that have constants in the precision asked for."""
    world = ModuleType("numpy_of_lanes")
    vars(world).update(vars(sys.modules[__name__]))
    own = {**scope, "minimum": minimum, "maximum": maximum}
    for function in (exp, expm1):
        setattr(world, function.__name__, njit(forceinline=True, **INNER)(_rebound(function, own, real, identity)))
    return world


def _of(file: ModuleType, value: object) -> bool:
    return isinstance(value, FunctionType) and value.__module__ == file.__name__


def _rebound(function: Any, scope: dict[str, Any], real: type, identity: str) -> FunctionType:
    """The same function with its names looked up in `scope` and its constants of type `real`.

    The kernel's identity is in its name, hence in the name of its machine code: of two cached kernels in one
    process, compiled by two others, numba would else call the inner functions of the first from the second.
    """
    code = function.__code__
    constants = tuple(real(value) if type(value) is float else value for value in code.co_consts)
    bound = FunctionType(code.replace(co_consts=constants), scope, function.__name__)
    bound.__qualname__ = f"{function.__name__}_{identity}"
    return bound


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


def exp(value: Any) -> Any:
    """e^x by multiplication alone, right to 1e-10 for |x| up to 4, to 1e-5 up to 20, and held beyond 40.

    Taylor's polynomial at x/64, then six squarings. There is no SIMD code for the library's function, and a division
    would cost more than the rest.
    """
    part = minimum(maximum(value, -40.0), 40.0) * 0.015625
    root = part * 0.001388888888888889 + 0.008333333333333333
    root = root * part + 0.041666666666666664
    root = root * part + 0.16666666666666666
    root = root * part + 0.5
    root = (root * part + 1.0) * part + 1.0
    root *= root
    root *= root
    root *= root
    root *= root
    root *= root
    return root * root


def expm1(value: Any) -> Any:
    """e^x − 1 likewise, without cancellation: doubled by (e^x − 1)(e^x + 1)."""
    part = minimum(maximum(value, -40.0), 40.0) * 0.015625
    less = part * 0.001388888888888889 + 0.008333333333333333
    less = less * part + 0.041666666666666664
    less = less * part + 0.16666666666666666
    less = less * part + 0.5
    less = (less * part + 1.0) * part
    less *= less + 2.0
    less *= less + 2.0
    less *= less + 2.0
    less *= less + 2.0
    less *= less + 2.0
    return less * (less + 2.0)


@_inlined
def zeros_like(value: Any) -> Any:
    """Zero of the same precision."""
    return value - value


@_inlined
def full_like(value: Any, filling: Any) -> Any:
    """`filling` in the precision of `value`."""
    return value - value + filling


@_inlined
def any(condition: Any) -> Any:
    """The condition itself."""
    return condition


@_inlined
def all(condition: Any) -> Any:
    """The condition itself."""
    return condition
