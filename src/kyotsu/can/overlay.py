"""KUKSA's mappings: overlays of the catalogue that say of a signal how it comes from the bus, read into our own form.

    Vehicle.Speed:                      Vehicle.Body.Mirrors.DriverSide.Pan:
      type: sensor                        type: actuator
      datatype: float                     datatype: int8
      dbc2vss:                            vss2dbc:
        signal: DI_uiSpeed                  signal: VCLEFT_mirrorTiltXPosition
        interval_ms: 100                    transform:
        on_change: true                       math: "(x+100)/40"

Forms: `.vspec` (YAML) as above, with `dbc` as an older name of `dbc2vss`; VSS's JSON tree with the same keys in its
leaves; and the oldest, keyed by the CAN signal with `vss`, `minupdatedelay` and `targets`. Units are the catalogue's:
whatever a formula makes of x is in it. What has no counterpart here is reported, not skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from kyotsu.can.formula import Linear, linear_formula
from kyotsu.can.mapping import SignalMapping, SignalRule, WriteRule
from kyotsu.can.matrix import Matrix
from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.document import MAX_DEPTH, MAX_TOML_BYTES, dotted, read_text
from kyotsu.spec.vss import VssTree, load_vss

DEFAULT_INTERVAL_MS = 1000.0  # of a dbc2vss that states none, as in KUKSA's CAN provider
MOST_NODES = 400_000
_READ_KEYS = ("dbc2vss", "dbc")
_RULE_KEYS = frozenset({"signal", "interval_ms", "on_change", "transform"})
_ROUNDINGS = {"": "none", "floor": "down", "ceil": "up", "round": "nearest", "abs": "positive"}

Key = tuple[str | int, ...]


def load_overlay(path: Path, matrix: Matrix | None = None, tree: VssTree | None = None) -> SignalMapping:
    """The mapping in one of KUKSA's files.

    Raises:
        InputError: with everything in it that is wrong or has no counterpart here.
    """
    mapping, problems = read_overlay(path, matrix, tree)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise InputError(errors)
    return mapping


def read_overlay(
    path: Path, matrix: Matrix | None = None, tree: VssTree | None = None
) -> tuple[SignalMapping, list[Problem]]:
    """What can be used of one of KUKSA's files, and all that cannot.

    Args:
        path: `.vspec`, `.yml`, `.yaml` or `.json`.
        matrix: of the bus, to find the messages of a signal that several have.
        tree: the catalogue; VSS 6.0 where none is given. Signals that it lacks are the check's to report.
    """
    text, problems = read_text(path, str(path), MAX_TOML_BYTES)
    reader = _Reader(str(path), matrix, load_vss() if tree is None else tree, problems)
    if text is not None:
        content = reader.parsed(text)
        if content is not None:
            reader.entries(content)
    places = (*reader.signal_places, *reader.write_places)
    mapping = SignalMapping(
        tuple(reader.signals), tuple(reader.writes), name=str(path), places=places, in_catalogue_units=True
    )
    return mapping, problems


class _Reader:
    """Reads one file and gathers what is wrong with it."""

    def __init__(self, file: str, matrix: Matrix | None, tree: VssTree, problems: list[Problem]) -> None:
        self.file, self.matrix, self.tree, self.problems = file, matrix, tree, problems
        self.lines: dict[Key, int] = {}
        self.signals: list[SignalRule] = []
        self.writes: list[WriteRule] = []
        self.signal_places: list[Location] = []
        self.write_places: list[Location] = []

    def place(self, key: Key) -> Location:
        for end in range(len(key), 0, -1):
            if key[:end] in self.lines:
                return Location(self.file, self.lines[key[:end]], dotted(key))
        return Location(self.file, None, dotted(key))

    def wrong(self, key: Key, found: str, expected: str, action: str, warning: bool = False) -> None:
        self.problems.append(Problem(self.place(key), found, expected, action, "warning" if warning else "error"))

    def parsed(self, text: str) -> dict[str, Any] | None:
        """The top of the file; YAML's nodes give the lines, and no alias is followed: a few lines could fill memory."""
        try:
            loader = yaml.CSafeLoader(text) if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader(text)
            try:
                self.refuse_aliases(text)
                node = loader.get_single_node()
                content = None if node is None else loader.construct_document(node)
            finally:
                loader.dispose()
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            line = None if mark is None else mark.line + 1
            found = f"no readable YAML: {getattr(error, 'problem', None) or type(error).__name__}"
            self.problems.append(Problem(Location(self.file, line), found, "YAML or JSON", "Correct this line."))
            return None
        if node is None or not isinstance(content, dict):
            found = f"{type(content).__name__} at the top"
            self.problems.append(
                Problem(Location(self.file, 1), found, "entries by path", "Write one for each signal.")
            )
            return None
        self.note_lines(node)
        return content

    def refuse_aliases(self, text: str) -> None:
        depth = 0
        for count, event in enumerate(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))):
            if isinstance(event, yaml.AliasEvent):
                raise _refused(event, "an alias (*name)")
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH or count > MOST_NODES:
                raise _refused(event, "entries nested too deeply" if depth > MAX_DEPTH else "too many entries")

    def note_lines(self, root: yaml.Node) -> None:
        left: list[tuple[Key, yaml.Node]] = [((), root)]
        while left:
            key, node = left.pop()
            if isinstance(node, yaml.MappingNode):
                for name, value in node.value:
                    inner = (*key, str(getattr(name, "value", "")))
                    self.lines[inner] = name.start_mark.line + 1
                    left.append((inner, value))
            elif isinstance(node, yaml.SequenceNode):
                for index, value in enumerate(node.value):
                    self.lines[(*key, index)] = value.start_mark.line + 1
                    left.append(((*key, index), value))

    # --- forms ---

    def entries(self, content: Mapping[str, Any]) -> None:
        for path, key, entry in self.leaves(content):
            if "targets" in entry and "vss" in entry:
                self.old_entry(str(key[-1]), key, entry)
                continue
            found = False
            for name in _READ_KEYS:
                if name in entry:
                    self.signal(path, (*key, name), entry[name])
                    found = True
            if "vss2dbc" in entry:
                self.write(path, (*key, "vss2dbc"), entry["vss2dbc"])
                found = True
            if not found and entry.get("type") != "branch":
                expected = "dbc2vss or vss2dbc"
                self.wrong(key, f"{path} without a mapping", expected, "Add one, or remove the entry.", warning=True)

    def leaves(self, content: Mapping[str, Any]) -> Iterator[tuple[str, Key, Mapping[str, Any]]]:
        """Entries with their path: flat, or a tree under `children`."""
        left: list[tuple[str, Key, Any]] = [(str(name), (str(name),), entry) for name, entry in content.items()]
        left.reverse()
        while left:
            path, key, entry = left.pop()
            if not isinstance(entry, dict):
                self.wrong(key, f"{path} as {type(entry).__name__}", "an entry with keys", "Correct it.")
                continue
            children = entry.get("children")
            if isinstance(children, dict):
                inner = [(f"{path}.{name}", (*key, "children", str(name)), child) for name, child in children.items()]
                left.extend(reversed(inner))
            if not isinstance(children, dict) or any(name in entry for name in (*_READ_KEYS, "vss2dbc")):
                yield path, key, entry

    def old_entry(self, signal: str, key: Key, entry: Mapping[str, Any]) -> None:
        """The oldest form: one CAN signal with its targets."""
        delay, targets = entry.get("minupdatedelay", DEFAULT_INTERVAL_MS), entry["targets"]
        if not isinstance(targets, dict) or not targets:
            self.wrong((*key, "targets"), "no target", "the paths that the signal is for", "Name them.")
            return
        changes = entry.get("databroker", {})
        on_change = isinstance(changes, dict) and changes.get("changetype") == 2  # ON_CHANGE of KUKSA's types
        for path, target in targets.items():
            rule = {"signal": signal, "interval_ms": delay, "on_change": on_change}
            transform = (target or {}).get("transform") if isinstance(target or {}, dict) else target
            if transform is not None:
                rule["transform"] = transform
            self.signal(str(path), (*key, "targets", str(path)), rule)

    # --- one rule ---

    def rule_of(self, path: str, key: Key, rule: Any) -> tuple[str, dict[str, Any]] | None:
        """The CAN signal and the transformation, as far as they are of use."""
        if not isinstance(rule, dict) or not isinstance(rule.get("signal"), str) or not rule["signal"]:
            self.wrong(key, f"no signal for {path}"[:200], "signal: its name in the matrix", "Add it.")
            return None
        for name in rule.keys() - _RULE_KEYS:
            self.wrong(
                (*key, str(name)), f"unknown key {str(name)[:60]!r}", ", ".join(sorted(_RULE_KEYS)), "Remove it."
            )
        transform = rule.get("transform")
        if transform is None:
            return rule["signal"], {}
        if not isinstance(transform, dict) or len(transform) != 1 or not transform.keys() <= {"math", "mapping"}:
            kinds = list(transform) if isinstance(transform, dict) else [transform]
            found = f"transform {', '.join(map(repr, kinds))}"[:120]
            self.wrong((*key, "transform"), found, "math or mapping", "Write it as one of the two.")
            return None
        return rule["signal"], transform

    def signal(self, path: str, key: Key, rule: Any) -> None:
        found = self.rule_of(path, key, rule)
        if found is None:
            return
        name, transform = found
        interval, on_change = rule.get("interval_ms", DEFAULT_INTERVAL_MS), rule.get("on_change", False)
        if "interval_ms" not in rule and on_change:
            interval = 0.0
        if isinstance(interval, bool) or not isinstance(interval, int | float) or not 0 <= interval < 1e9:
            self.wrong((*key, "interval_ms"), f"interval_ms {str(interval)[:40]!r}", "milliseconds", "Correct it.")
            return
        values: dict[str, Any] = {}
        if "math" in transform:
            linear = self.formula(transform["math"], (*key, "transform", "math"))
            if linear is None:
                return
            values = {"scale": linear.factor, "offset": linear.offset, "rounding": _ROUNDINGS[linear.rounding]}
        elif "mapping" in transform:
            pairs = self.pairs(transform["mapping"], (*key, "transform", "mapping"))
            if pairs is None:
                return
            values = {"values": {self.label(come): self.vss_value(path, go) for come, go in pairs}}
        times = {"min_interval_ms": float(interval), "on_change": bool(on_change)}
        raw = {"path": path, **self.source(name, (*key, "signal")), **times, **values}
        self.add(SignalRule, self.signals, self.signal_places, key, raw)

    def source(self, name: str, key: Key) -> dict[str, Any]:
        """The input of that name; KUKSA takes it from whichever message has it."""
        messages = [] if self.matrix is None else [m for m in self.matrix.messages if name in m.by_name]
        if len(messages) < 2:
            return {"from": name}
        references = [f"{message.name}.{name}" for message in messages]
        found = f"{name}, which {len(messages)} messages have: {', '.join(message.name for message in messages[:4])}"
        self.wrong(key, found, "one message", "The first of them that comes is taken.", warning=True)
        return {"inputs": references, "rule": "first"}

    def write(self, path: str, key: Key, rule: Any) -> None:
        found = self.rule_of(path, key, rule)
        if found is None:
            return
        name, transform = found
        values: dict[str, Any] = {}
        if "math" in transform:
            linear = self.formula(transform["math"], (*key, "transform", "math"))
            if linear is None:
                return
            if linear.rounding:
                found_text = f"{linear.rounding}() on the way to the bus"
                self.wrong((*key, "transform", "math"), found_text, "a linear formula", "The bus rounds anyway.", True)
            values = {"scale": linear.factor, "offset": linear.offset}
        elif "mapping" in transform:
            pairs = self.pairs(transform["mapping"], (*key, "transform", "mapping"))
            if pairs is None:
                return
            values = {"values": {str(come).lower() if isinstance(come, bool) else str(come): go for come, go in pairs}}
        self.add(WriteRule, self.writes, self.write_places, key, {"path": path, "to": name, **values})

    def add(self, model: Any, rules: list[Any], places: list[Location], key: Key, raw: dict[str, Any]) -> None:
        try:
            rule = model.model_validate(raw)
        except ValueError as error:
            first = str(error).splitlines()[2:3] or [str(error)]
            self.wrong(key, first[0].strip()[:200], "an entry that means something", "Correct it.")
            return
        rules.append(rule)
        places.append(self.place(key))

    def formula(self, text: Any, key: Key) -> Linear | None:
        linear = linear_formula(str(text))
        if isinstance(linear, str):
            expected = "a formula that is linear in x, perhaps rounded as a whole"
            self.wrong(key, f"{str(text)[:80]!r}: {linear}", expected, "Map it with a rule in signals.toml.")
            return None
        return linear

    def pairs(self, mapping: Any, key: Key) -> list[tuple[Any, Any]] | None:
        if not isinstance(mapping, list) or not mapping:
            self.wrong(key, "no list of from and to", "- from: ...\n  to: ...", "Write a list.")
            return None
        pairs = []
        for index, item in enumerate(mapping):
            if not isinstance(item, dict) or item.keys() != {"from", "to"}:
                self.wrong((*key, index), str(item)[:80], "from and to", "Write both.")
                return None
            pairs.append((item["from"], item["to"]))
        return pairs

    @staticmethod
    def label(value: Any) -> str:
        """What stands for a raw value or label; YAML reads ON and OFF as truth values."""
        if isinstance(value, bool):
            return "1" if value else "0"
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

    def vss_value(self, path: str, value: Any) -> Any:
        """A value of the signal's datatype: overlays write numbers as text now and then."""
        signal = self.tree.signals.get(path)
        if signal is None or signal.datatype == "string" or not isinstance(value, str):
            return value
        if signal.datatype == "boolean":
            return {"true": True, "false": False}.get(value.lower(), value)
        try:
            return json.loads(value)
        except ValueError:
            return value


def _refused(event: yaml.Event, problem: str) -> yaml.YAMLError:
    mark: Any = event.start_mark
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
