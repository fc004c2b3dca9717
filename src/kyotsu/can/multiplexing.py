"""Which signal of a message selects which: from a DBC file's markers and ranges to one tree, free of loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kyotsu.can.conventions import merged
from kyotsu.can.matrix import RawRange

Note = Callable[[str, str, str, str], None]  # signal, found, expected, action


class Selection(NamedTuple):
    """What multiplexing says of a signal: whether it selects others, and what selects it."""

    is_multiplexor: bool = False
    multiplexor: str | None = None
    values: tuple[RawRange, ...] = ()


ALWAYS = Selection()


def select(
    markers: Sequence[tuple[str, str | None]],
    stated: Mapping[str, tuple[str, tuple[RawRange, ...]]],
    note: Note,
) -> dict[str, Selection]:
    """The selection of every signal that takes part; `markers` are those of the lines, `stated` the extended ranges.

    With a single multiplexor the marker's value counts beside the stated ranges, with several only the ranges
    count, as in Vector's extended multiplexing. What cannot be selected by anything is always there.
    """
    names = {name for name, _ in markers}
    multiplexors = [name for name, marker in markers if marker is not None and marker.endswith("M")]
    plain = [name for name, marker in markers if marker == "M"]
    result = {name: Selection(True) for name in multiplexors}
    for name, marker in markers:
        by, ranges = stated.get(name, (None, ()))
        if by is None and (marker is None or marker == "M"):
            continue
        value = int(marker[1:].removesuffix("M")) if marker is not None and marker != "M" else None
        if by is not None and (by not in names or by == name):
            note(name, f"the multiplexor {by!r}", "another signal of the message", "The statement was left out.")
            by, ranges = None, ()
        if by is None and value is not None:
            by = _only(name, multiplexors, plain, note)
        if by is None:
            continue
        if value is not None and (not ranges or len(multiplexors) == 1):
            ranges = (*ranges, (value, value))
        if by not in result or not result[by].is_multiplexor:
            note(by, "a signal that selects others without a mark", "M or m<value>M", "It was read as a multiplexor.")
            result[by] = result.get(by, ALWAYS)._replace(is_multiplexor=True)
        selects = name in result and result[name].is_multiplexor
        result[name] = Selection(selects, by, merged(ranges) if len(ranges) > 1 else ranges)
    _cut_loops(result, note)
    return result


def _only(name: str, multiplexors: list[str], plain: list[str], note: Note) -> str | None:
    """The multiplexor of a signal whose marker does not name it."""
    if len(multiplexors) == 1 and multiplexors[0] != name:
        return multiplexors[0]
    candidates = [other for other in plain if other != name]
    if not candidates:
        action = "It was read as a signal that is always there."
        note(name, "a value of a multiplexor, but no multiplexor", "a signal marked M in the message", action)
        return None
    if len(candidates) > 1:
        action = f"{candidates[0]} was taken, the first."
        note(name, f"{len(candidates)} multiplexors that could select it", "SG_MUL_VAL_, which names one", action)
    return candidates[0]


def _cut_loops(result: dict[str, Selection], note: Note) -> None:
    """Make multiplexors that select each other always present; each signal is looked at twice at most."""
    if not any(selection.is_multiplexor and selection.multiplexor for selection in result.values()):
        return  # none that is selected selects
    done: set[str] = set()
    for first in result:
        path: list[str] = []
        on_path: set[str] = set()
        name: str | None = first
        while name is not None and name not in done and name not in on_path:
            path.append(name)
            on_path.add(name)
            name = result[name].multiplexor if name in result else None
        if name is not None and name in on_path:
            action = "It was read as a signal that is always there."
            note(name, "multiplexors that select each other in a circle", "a tree", action)
            result[name] = result[name]._replace(multiplexor=None, values=())
        done.update(path)
