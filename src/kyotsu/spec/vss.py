"""The signal catalogue: COVESA's Vehicle Signal Specification, so that every maker's vehicle speaks of the same things.

A signal has a path such as `Vehicle.Powertrain.TractionBattery.StateOfCharge.Current`, a kind (a sensor is read, an
actuator can also be set, an attribute stays), a datatype and, where it is a quantity, a unit. Branches that differ in
one name only, such as `Row1` and `Row2`, are instances of one thing: a pattern with `*` names them all.

The tree of VSS 6.0 ships with kyotsu; any other comes as VSS's own JSON export (`vspec export json`).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.document import Document, KeyPath, read_json

Kind = Literal["sensor", "actuator", "attribute"]
Value = bool | int | float | str

VSS_VERSION = "6.0"
INTEGER_LIMITS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)}
    | {f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)}
)
_OTHER_DATATYPES = ("boolean", "string", "float", "double", "numeric")
_KINDS = get_args(Kind)
_NO_SIGNALS = ("branch", "struct", "property")  # structs describe datatypes; they carry no value of their own


@dataclass(frozen=True, slots=True)
class VssSignal:
    """A signal of the catalogue.

    Attributes:
        path: from the root, names joined by dots.
        kind: a sensor is read, an actuator can also be set, an attribute stays as it is.
        datatype: as VSS names it, with `[]` behind for an array.
        unit: VSS's name of the unit; `None` where it has none.
        minimum, maximum: stated bounds, in the unit.
        allowed: the only values that it may take; empty for any.
        default: its value when nothing else is known.
        pattern: regular expression of a text.
        array_size: entries of an array, where it is fixed.
    """

    path: str
    kind: Kind
    datatype: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[Value, ...] = ()
    default: Value | tuple[Value, ...] | None = None
    pattern: str | None = None
    array_size: int | None = None

    @property
    def is_array(self) -> bool:
        """Whether it holds several values at once."""
        return self.datatype.endswith("[]")

    @property
    def is_integer(self) -> bool:
        """Whether it is a whole number."""
        return self.datatype in INTEGER_LIMITS

    @property
    def is_number(self) -> bool:
        """Whether it is one number; a truth value is none."""
        return self.is_integer or self.datatype in ("float", "double", "numeric")

    @property
    def limits(self) -> tuple[float, float]:
        """Least and greatest value: as stated, within what the datatype holds; infinite where nothing bounds it."""
        lowest, highest = (0, 1) if self.datatype == "boolean" else INTEGER_LIMITS.get(self.datatype, _UNBOUNDED)
        lowest = lowest if self.minimum is None else max(lowest, self.minimum)
        return lowest, highest if self.maximum is None else min(highest, self.maximum)


_UNBOUNDED = (float("-inf"), float("inf"))


@dataclass(frozen=True)
class VssTree:
    """A catalogue of signals.

    Attributes:
        name: of the file, such as `vss_6.0`.
        signals: by path, in the order of the file.
        branches: paths of the branches.
    """

    name: str
    signals: Mapping[str, VssSignal]
    branches: frozenset[str] = field(default=frozenset(), repr=False)

    def __contains__(self, path: str) -> bool:
        return path in self.signals

    def __getitem__(self, path: str) -> VssSignal:
        return self.signals[path]

    def __len__(self) -> int:
        return len(self.signals)

    def under(self, branch: str) -> tuple[VssSignal, ...]:
        """The signals below a branch, at any depth."""
        start = f"{branch}."
        return tuple(signal for path, signal in self.signals.items() if path.startswith(start))

    def matching(self, pattern: str) -> tuple[VssSignal, ...]:
        """The signals whose path fits a pattern: `*` stands for one name, as in `...Row1.Wheel.*.Speed`."""
        wanted = pattern.split(".")
        return tuple(
            signal
            for path, signal in self.signals.items()
            if len(parts := path.split(".")) == len(wanted)
            and all(part == name or name == "*" for part, name in zip(parts, wanted, strict=True))
        )

    def instances(self, pattern: str) -> tuple[tuple[str, ...], ...]:
        """What the `*` of a pattern can be, one entry for each signal that matches."""
        at = [place for place, name in enumerate(pattern.split(".")) if name == "*"]
        return tuple(tuple(signal.path.split(".")[place] for place in at) for signal in self.matching(pattern))

    def nearest(self, path: str, count: int = 3) -> tuple[str, ...]:
        """Paths that somebody may have meant who wrote this one: the same last names elsewhere, or like letters."""
        path = path[:300]
        if path in self.branches:
            return tuple(signal.path for signal in self.under(path)[:count])
        last = path.rpartition(".")[2].lower()
        same = [known for known in self._by_last_name.get(last, ()) if known != path]
        close = same if len(same) > count else [*same, *self._alike(path, last)]
        ranked = sorted(dict.fromkeys(close), key=lambda known: -difflib.SequenceMatcher(None, path, known).ratio())
        return tuple(ranked[:count])

    def _alike(self, path: str, last: str) -> Iterator[str]:
        for name in difflib.get_close_matches(last, self._by_last_name, n=3, cutoff=0.75):
            yield from self._by_last_name[name][:8]
        yield from difflib.get_close_matches(path, self.signals, n=3, cutoff=0.8)

    @cached_property
    def _by_last_name(self) -> Mapping[str, list[str]]:
        names: dict[str, list[str]] = {}
        for path in self.signals:
            names.setdefault(path.rpartition(".")[2].lower(), []).append(path)
        return names


def load_vss(path: Path | None = None) -> VssTree:
    """The catalogue in a JSON export of VSS; VSS 6.0 as shipped where no file is named.

    Raises:
        InputError: with everything that is wrong in the file.
    """
    if path is None:
        return _shipped()
    tree, problems = read_vss(path)
    if tree is None:
        raise InputError(problems)
    return tree


@cache
def _shipped() -> VssTree:
    name = f"vss_{VSS_VERSION}"
    content = json.loads((files("kyotsu.spec") / "data" / f"{name}.json").read_text(encoding="utf-8"))
    reader = _Reader(Document(name, content))
    return reader.tree(name)


def read_vss(path: Path) -> tuple[VssTree | None, list[Problem]]:
    """The catalogue in a JSON export of VSS if it is sound, and all that is wrong with it."""
    document, problems = read_json(path, str(path))
    if document is None:
        return None, problems
    reader = _Reader(document)
    tree = reader.tree(path.stem)
    if not tree.signals and not reader.problems:
        expected = "a tree of branches and signals under one root"
        action = "Export it with `vspec export json`."
        reader.problems.append(Problem(Location(document.file, 1), "no signal", expected, action))
    return (None if reader.problems else tree), reader.problems


class _Reader:
    """Walks a VSS export and gathers what is wrong in it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.signals: dict[str, VssSignal] = {}
        self.branches: set[str] = set()

    def tree(self, name: str) -> VssTree:
        for root, node in self.document.content.items():
            self.node(root, node, (root,))
        return VssTree(name, MappingProxyType(self.signals), frozenset(self.branches))

    def node(self, path: str, node: Any, place: KeyPath) -> None:
        """A branch or a signal; `document` has bounded the depth."""
        if not isinstance(node, dict):
            self.wrong(place, f"{path} as {type(node).__name__}", "a branch or a signal { ... }")
            return
        kind: Any = node.get("type")
        if kind == "branch":
            self.branches.add(path)
            children = node.get("children", {})
            if not isinstance(children, dict):
                self.wrong((*place, "children"), f"children as {type(children).__name__}", "an object { ... }")
                return
            for name, child in children.items():
                self.node(f"{path}.{name}", child, (*place, "children", name))
        elif kind in _KINDS:
            self.signal(path, kind, node, place)
        elif kind not in _NO_SIGNALS:
            self.wrong((*place, "type"), f"type {str(kind)[:60]!r} of {path}", f"one of: branch, {', '.join(_KINDS)}")

    def signal(self, path: str, kind: Kind, node: Mapping[str, Any], place: KeyPath) -> None:
        datatype = node.get("datatype")
        element = datatype.removesuffix("[]") if isinstance(datatype, str) else ""
        if not isinstance(datatype, str) or not (
            element in INTEGER_LIMITS or element in _OTHER_DATATYPES or "." in element
        ):
            found = f"datatype {str(datatype)[:60]!r} of {path}"
            self.wrong((*place, "datatype"), found, "a datatype of VSS, such as float, uint8, string or boolean")
            return
        low, high = (self.number(node, key, path, place) for key in ("min", "max"))
        unit, pattern, size = node.get("unit"), node.get("pattern"), node.get("arraysize")
        for key, value, wanted in (("unit", unit, str), ("pattern", pattern, str), ("arraysize", size, int)):
            if value is not None and not isinstance(value, wanted):
                self.wrong((*place, key), f"{key} of {path} as {type(value).__name__}", f"a {wanted.__name__}")
                return
        allowed, default = node.get("allowed", []), node.get("default")
        if not isinstance(allowed, list) or not all(isinstance(value, Value) for value in allowed):
            self.wrong((*place, "allowed"), f"allowed of {path} that is no list of values", "a list [ ... ] of values")
            return
        default = tuple(default) if isinstance(default, list) else default
        self.signals[path] = VssSignal(path, kind, datatype, unit, low, high, tuple(allowed), default, pattern, size)

    def number(self, node: Mapping[str, Any], key: str, path: str, place: KeyPath) -> float | None:
        value = node.get(key)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        self.wrong((*place, key), f"{key} of {path} = {str(value)[:60]!r}", "a number")
        return None

    def wrong(self, place: KeyPath, found: str, expected: str) -> None:
        action = "Correct it, or export the tree anew with `vspec export json`."
        self.problems.append(Problem(self.document.locate(place), found, expected, action))
