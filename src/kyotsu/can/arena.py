"""Memory that is used again: half of the time of a fast decoder goes into memory that the system hands out anew.

What is decoded lies in one arena. Whoever holds any array or Arrow buffer of it keeps it; when the last has gone, the
arena serves the next block. So what was handed out stays as it is, and a stream of blocks runs in the same few
megabytes.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import numpy.typing as npt

ALIGNMENT = 64  # [byte] as Arrow recommends
MOST_KEPT = 4  # arenas that wait for the next block
MOST_BYTES = 1 << 28  # of one that waits; a larger one goes back to the system
ROOM = 1.25  # an arena is larger than asked for, as blocks differ a little


class _Loan:
    """What all arrays of an arena that is lent rest on; it dies with the last of them."""

    __slots__ = ("__array_interface__", "__weakref__")

    def __init__(self, interface: dict[str, Any]) -> None:
        self.__array_interface__ = interface


class ArenaPool:
    """Arenas to lend."""

    def __init__(self) -> None:
        self.waiting: list[npt.NDArray[np.uint8]] = []

    def lend(self, size: int) -> npt.NDArray[np.uint8]:
        """An arena of so many bytes, with whatever was in it before; it comes back by itself."""
        arena = self._taken(size)
        begin = arena.ctypes.data
        begin += -begin % ALIGNMENT
        loan = _Loan({"shape": (size,), "typestr": "|u1", "data": (begin, False), "version": 3})
        weakref.finalize(loan, self._give_back, arena).atexit = False
        return np.asarray(loan)

    def _taken(self, size: int) -> npt.NDArray[np.uint8]:
        for index, arena in enumerate(self.waiting):
            if size + ALIGNMENT <= arena.size <= max(4 * size, 1 << 20):
                try:
                    return self.waiting.pop(index)
                except IndexError:  # another thread was faster
                    break
        return np.empty(int(size * ROOM) + ALIGNMENT, dtype=np.uint8)

    def _give_back(self, arena: npt.NDArray[np.uint8]) -> None:
        if arena.size <= MOST_BYTES:
            self.waiting.insert(0, arena)
            del self.waiting[MOST_KEPT:]


def writable_view(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same memory as an array that may be written, so that a kernel is not compiled anew for one that may not."""
    if values.flags.writeable:
        return values
    view = np.asarray(_Loan({**values.__array_interface__, "data": (values.ctypes.data, False)}))
    weakref.finalize(view.base, _keep, values).atexit = False
    return view


def _keep(_values: npt.NDArray[Any]) -> None:
    """Holds what a view looks at until the view has gone."""
