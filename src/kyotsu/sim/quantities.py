"""Numbers as they are given: in range, of a shape that fits, and all that is wrong with them said at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.parameters import FloatArray, Numbers


class Quantity(NamedTuple):
    """A number or an array, the range it must lie in, and the shape it is spread over."""

    value: Numbers
    low: float
    high: float
    shape: tuple[int, ...]


def spread(quantities: Mapping[str, Quantity], more: Iterable[Problem | None] = ()) -> dict[str, FloatArray]:
    """Each quantity as an array of its shape.

    Args:
        quantities: by the name that a problem is told with.
        more: problems that were found elsewhere, to be told with these.

    Raises:
        InputError: a value that is no number or out of its range, a shape that does not fit, or any of `more`.
    """
    problems = [problem for problem in more if problem is not None]
    arrays = {}
    for key, (value, low, high, shape) in quantities.items():
        array = np.asarray(value, dtype=np.float64)
        inside = (array >= low) & (array <= high)  # false for NaN too
        if not inside.all():
            problems.append(wrong(key, f"{array[~inside].flat[0]:g}", f"{low:g} to {high:g}"))
        try:
            arrays[key] = np.ascontiguousarray(np.broadcast_to(array, shape))
        except ValueError:
            problems.append(wrong(key, f"shape {array.shape}", f"one that broadcasts to {shape}"))
    if problems:
        raise InputError(problems)
    return arrays


def wrong(key: str, found: str, expected: str) -> Problem:
    """A problem with a value that was given."""
    return Problem(Location(key=key), found, expected, "Correct the value.")
