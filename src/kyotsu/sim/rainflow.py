"""Cycles in a history of load, by the rainflow method of ASTM E1049-85, section 5.4.4.

Short enough to own: the package `rainflow` (MIT) counts the same cycles in as many lines, one by one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kyotsu.sim.parameters import FloatArray


class Cycles(NamedTuple):
    """Cycles in the order in which they end; each of shape (cycle,)."""

    depth: FloatArray  # largest less smallest value
    mean: FloatArray
    weight: FloatArray  # 1 for a whole cycle, 0.5 for half of one
    first: npt.NDArray[np.intp]  # sample at which the cycle begins
    last: npt.NDArray[np.intp]  # sample of its other end

    @property
    def throughput_depth(self) -> float:
        """Mean depth, each cycle by the charge that it moves, Σ n d² / Σ n d [-]; 0 without any."""
        moved = float(np.sum(self.weight * self.depth))
        return float(np.sum(self.weight * self.depth**2)) / moved if moved > 0.0 else 0.0


def reversals(values: FloatArray) -> npt.NDArray[np.intp]:
    """Samples at which a history turns, with its first and last; of a plateau the last sample, shape (turn,)."""
    change = np.diff(values)
    moving = np.flatnonzero(change)
    turns = moving[1:][np.sign(change[moving[1:]]) != np.sign(change[moving[:-1]])]
    return np.concatenate([[0], turns, [values.size - 1]]).astype(np.intp)


def rainflow(values: FloatArray) -> Cycles:
    """Count the cycles of a history.

    Args:
        values: shape (sample,), at least two.

    Returns:
        Whole cycles, and halves for what does not close.
    """
    found: list[tuple[float, int, int]] = []
    open_turns: list[int] = []
    for turn in reversals(values):
        open_turns.append(int(turn))
        while len(open_turns) >= 3:
            before, middle, after = (values[index] for index in open_turns[-3:])
            if abs(after - middle) < abs(middle - before):
                break
            if len(open_turns) == 3:
                found.append((0.5, open_turns[0], open_turns[1]))
                del open_turns[0]
            else:
                found.append((1.0, open_turns[-3], open_turns[-2]))
                del open_turns[-3:-1]
    found += [(0.5, *pair) for pair in pairwise(open_turns)]
    weight, first, last = (np.array(column) for column in zip(*found, strict=True))
    one, other = values[first], values[last]
    return Cycles(np.abs(one - other), 0.5 * (one + other), weight, first.astype(np.intp), last.astype(np.intp))
