"""Is a mapping sound? Its names against the matrix and the catalogue, its units, its values: all findings at once.

An error makes a rule unusable; a warning says what may surprise. What is sound comes back linked, ready to run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kyotsu.can.mapping import RULES_OF_ONE_UNIT, Condition, Input, SignalMapping, SignalRule
from kyotsu.can.mapping_links import (
    LinkedCondition,
    LinkedInput,
    LinkedRule,
    LinkedWrite,
    Place,
    Translation,
    Unknown,
    find_signal,
    physical_limits,
    raw_limits,
    raw_ranges,
)
from kyotsu.can.mapping_writes import link_write
from kyotsu.can.matrix import Matrix, RawRange, Signal
from kyotsu.can.vss_units import SAME, Conversion, conversion, is_no_unit
from kyotsu.errors import InputError, Problem
from kyotsu.spec.vss import INTEGER_LIMITS, VssSignal, VssTree

MOST_BITS = 53  # that a double holds exactly


def check_mapping(mapping: SignalMapping, matrix: Matrix, tree: VssTree) -> list[Problem]:
    """All that is wrong or questionable in a mapping, in the order of its entries."""
    return link_mapping(mapping, matrix, tree)[2]


def linked(
    mapping: SignalMapping, matrix: Matrix, tree: VssTree
) -> tuple[tuple[LinkedRule, ...], tuple[LinkedWrite, ...]]:
    """The rules of a mapping, ready to run.

    Raises:
        InputError: with every error in it.
    """
    rules, writes, problems = link_mapping(mapping, matrix, tree)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise InputError(errors)
    return rules, writes


def link_mapping(
    mapping: SignalMapping, matrix: Matrix, tree: VssTree
) -> tuple[tuple[LinkedRule, ...], tuple[LinkedWrite, ...], list[Problem]]:
    """The sound rules of a mapping, linked, each after those that it reads; and all problems."""
    problems: list[Problem] = []
    by_path = {rule.path: index for index, rule in enumerate(mapping.signals) if rule.instances is None}
    rules = []
    for index, rule in enumerate(mapping.signals):
        linker = _Linker(mapping, matrix, tree, by_path, index, rule)
        result = linker.link()
        problems += linker.problems
        if result is not None:
            rules.append(result)
    problems += _repeated(mapping, rules)
    rules, circles = _ordered(mapping, rules)
    problems += circles
    writes = []
    for index, _ in enumerate(mapping.writes):
        write, found = link_write(mapping, index, matrix, tree)
        problems += found
        if write is not None:
            writes.append(write)
    problems += _absences(mapping, rules, tree)
    return tuple(rules), tuple(writes), problems


class _Linker:
    """Links one rule and gathers what is wrong with it."""

    def __init__(
        self,
        mapping: SignalMapping,
        matrix: Matrix,
        tree: VssTree,
        by_path: dict[str, int],
        index: int,
        rule: SignalRule,
    ) -> None:
        self.mapping, self.matrix, self.tree, self.by_path = mapping, matrix, tree, by_path
        self.index, self.rule = index, rule
        self.problems: list[Problem] = []

    def wrong(self, key: Sequence[str | int], found: str, expected: str, action: str, warning: bool = False) -> None:
        place = self.mapping.locate("signal", self.index, *key)
        self.problems.append(Problem(place, found, expected, action, "warning" if warning else "error"))

    def link(self) -> LinkedRule | None:
        rule = self.rule
        targets = self.targets()
        inputs = [self.input(position, item) for position, item in enumerate(rule.all_inputs)]
        conditions = [self.condition(position, item) for position, item in enumerate(rule.only_when)]
        if not targets or None in inputs or None in conditions:
            return None
        found = LinkedRule(
            rule,
            self.index,
            rule.rule,
            targets,
            tuple(item for item in inputs if item is not None),
            conditions=tuple(item for item in conditions if item is not None),
        )
        self.check_bits(found)
        found = self.with_units(found)
        found = self.with_ranges(found)
        found = self.with_translations(found)
        if rule.instances is not None:
            found = self.with_instances(found)
        found = self.with_limits(found)
        return None if any(problem.severity == "error" for problem in self.problems) else found

    # --- the target ---

    def targets(self) -> tuple[VssSignal, ...]:
        path = self.rule.path
        signals = self.tree.matching(path) if "*" in path else tuple(filter(None, [self.tree.signals.get(path)]))
        if not signals:
            near = self.tree.nearest(path.replace("*", "Row1"))
            what = "a branch" if path in self.tree.branches else "no signal"
            expected = f"a signal of {self.tree.name}" + (f", such as {', '.join(near)}" if near else "")
            self.wrong(["path"], f"{path}, {what} of the catalogue", expected, "Correct the path.")
        for signal in signals[:1]:
            if signal.is_array:
                found = f"{path} of datatype {signal.datatype}"
                self.wrong(["path"], found, "a signal of one value", "Map the single values, or leave it out.")
                return ()
        return signals

    # --- the inputs ---

    def source_key(self, position: int) -> list[str | int]:
        return ["inputs", position] if self.rule.inputs else ["from"]

    def input(self, position: int, item: Input) -> LinkedInput | None:
        """One input: a path of this file that names one signal, or a signal of the matrix."""
        if item.source in self.by_path or item.source in self.tree:
            other = self.by_path.get(item.source)
            if other is None:
                found = f"{item.source}, which this file does not make"
                self.wrong(self.source_key(position), found, "a path that another entry makes", "Add that entry.")
                return None
            return LinkedInput(None, other, item.scale, item.offset)
        place = self.place(item.source, self.source_key(position))
        return None if place is None else LinkedInput(place, None, item.scale, item.offset)

    def place(self, reference: str, key: Sequence[str | int]) -> Place | None:
        place = find_signal(self.matrix, reference)
        if isinstance(place, Unknown):
            self.wrong(key, place.found, place.expected, "Correct the name.")
            return None
        if place.signal.length > 64:
            self.wrong(key, f"{place} of {place.signal.length} bits", "at most 64 bits", "Map another signal.")
            return None
        return place

    def ranges(self, signal: Signal, texts: Sequence[int | str], key: Sequence[str | int]) -> tuple[RawRange, ...]:
        found: list[RawRange] = []
        for position, text in enumerate(texts):
            ranges = raw_ranges(signal, text)
            if isinstance(ranges, Unknown):
                at = [*key, position] if len(texts) > 1 else key
                self.wrong(at, ranges.found, ranges.expected, "Correct it.")
            else:
                found += ranges
        return tuple(found)

    def condition(self, position: int, item: Condition) -> LinkedCondition | None:
        key: list[str | int] = ["only_when", position]
        place = self.place(item.source, [*key, "from"])
        if place is None:
            return None
        ranges = self.ranges(place.signal, item.equals, [*key, "equals"])
        return LinkedCondition(
            place,
            ranges,
            float("-inf") if item.minimum is None else item.minimum,
            float("inf") if item.maximum is None else item.maximum,
        )

    def check_bits(self, found: LinkedRule) -> None:
        """Bits that are joined must be raw values of whole numbers, and fit in what a double holds exactly."""
        if found.operation != "bits":
            return
        places = [item.place for item in found.inputs]
        if any(place is None or place.signal.is_float for place in places):
            self.wrong(["inputs"], "an input without bits of its own", "whole numbers of the matrix", "Correct it.")
        total = sum(place.signal.length for place in places if place is not None)
        if total > MOST_BITS:
            self.wrong(["inputs"], f"{total} bits", f"at most {MOST_BITS}", "Join fewer.")

    # --- units ---

    def with_units(self, found: LinkedRule) -> LinkedRule:
        rule = self.rule
        units = [self.unit_of(item, spec) for item, spec in zip(found.inputs, rule.all_inputs, strict=True)]
        inputs = list(found.inputs)
        if rule.rule in RULES_OF_ONE_UNIT:
            for position in range(1, len(inputs)):
                if rule.rule != "magnitude_sign":
                    inputs[position] = self.alike(inputs[position], units[position], units[0], position)
            result = rule.unit or units[0]
        else:
            result = rule.unit
        target, way = found.targets[0], SAME
        if not rule.values and target.is_number and target.unit is not None and not self.mapping.in_catalogue_units:
            way = self.way(result, target)
        return replace(
            found,
            inputs=tuple(inputs),
            factor=rule.scale * way.factor,
            offset=rule.offset * way.factor + way.offset,
        )

    def unit_of(self, item: LinkedInput, spec: Input) -> str | None:
        if spec.unit is not None:
            return spec.unit
        if item.place is None:
            path = self.mapping.signals[item.rule or 0].path
            return self.tree[path].unit if path in self.tree else None
        unit = item.place.signal.unit
        return None if is_no_unit(unit) else unit

    def alike(self, item: LinkedInput, unit: str | None, first: str | None, position: int) -> LinkedInput:
        if unit is None or first is None:
            return item
        way = conversion(unit, first)
        if way is None:
            found = f"inputs in {first} and {unit}"
            self.wrong(["inputs", position], found, "inputs of one quantity", "State the unit of an input.")
            return item
        return replace(item, factor=item.factor * way.factor, offset=item.offset * way.factor + way.offset)

    def way(self, unit: str | None, target: VssSignal) -> Conversion:
        if unit is None:
            found, expected = "no unit, neither here nor in the matrix", f"one that can become {target.unit}"
            self.wrong(["path"], found, expected, 'Add unit = "...".')
            return SAME
        way = conversion(unit, target.unit or "")
        if way is None:
            found, expected = f"unit {unit!r}", f"one that can become {target.unit}, the unit of {target.path}"
            self.wrong(["unit"] if self.rule.unit else ["path"], found, expected, "State the unit of the value.")
            return SAME
        return way

    # --- values ---

    def first_signal(self, found: LinkedRule) -> Signal | None:
        place = found.inputs[0].place
        return None if place is None else place.signal

    def with_ranges(self, found: LinkedRule) -> LinkedRule:
        signal, rule = self.first_signal(found), self.rule
        not_available: tuple[RawRange, ...] = ()
        if rule.not_available:
            if signal is None:
                self.wrong(["not_available"], "not_available of another entry", "it at that entry", "Move it there.")
            else:
                not_available = self.ranges(signal, rule.not_available, ["not_available"])
        if rule.rule != "magnitude_sign":
            return replace(found, not_available=not_available)
        sign = found.inputs[1].place
        if sign is None:
            self.wrong(["inputs", 1], "another entry as the sign", "a signal of the matrix", "Name the signal.")
            return found
        return replace(
            found, not_available=not_available, negative=self.ranges(sign.signal, rule.negative, ["negative"])
        )

    def with_translations(self, found: LinkedRule) -> LinkedRule:
        rule, target, signal = self.rule, found.targets[0], self.first_signal(found)
        if not rule.values:
            return self.untranslated(found, target, signal)
        if signal is None:
            self.wrong(["values"], "values of another entry", "a signal of the matrix as input", "Name the signal.")
            return found
        translations: list[Translation] = []
        for text, value in rule.values.items():
            ranges = raw_ranges(signal, text)
            if isinstance(ranges, Unknown):
                self.wrong(["values", text], ranges.found, ranges.expected, "Correct it.")
                continue
            problem = value_fault(target, value)
            if problem is not None:
                self.wrong(["values", text], f"{text} = {value!r}", problem, "Correct the value.")
                continue
            number = float("nan") if isinstance(value, str) else float(value)
            translations += [
                Translation(low, high, number, value if isinstance(value, str) else None) for low, high in ranges
            ]
        self.unmapped_labels(signal, found, translations)
        return replace(found, translations=tuple(translations), translates=True)

    def untranslated(self, found: LinkedRule, target: VssSignal, signal: Signal | None) -> LinkedRule:
        """A rule without `values`: a number as it is, the labels of the matrix as text, a bit as a truth value."""
        if target.datatype == "string":
            labels = {} if signal is None else signal.labels
            if not labels:
                self.wrong(["path"], f"{target.path}, a text", "values = { raw = text }", "Say what each value means.")
            bad = [label for label in labels.values() if value_fault(target, label) is not None]
            if bad:
                expected = f"labels that {target.path} allows: {', '.join(map(str, target.allowed[:8]))}"
                self.wrong(["path"], f"labels {', '.join(bad[:4])}", expected, "Add values = { label = text }.")
            texts = tuple(Translation(raw, raw, float("nan"), label) for raw, label in labels.items())
            return replace(found, translations=texts, translates=True)
        if target.datatype == "boolean" and signal is not None and (signal.length > 1 or signal.scale != 1.0):
            found_text = f"{signal.length} bits for {target.path}, a truth value"
            self.wrong(["path"], found_text, "values = { raw = true or false }", "Say what each value means.")
        return found

    def unmapped_labels(self, signal: Signal, found: LinkedRule, translations: Sequence[Translation]) -> None:
        covered = [(item.low, item.high) for item in translations]
        covered += [*found.not_available, *signal.not_available]
        missing = [
            label for raw, label in signal.labels.items() if not any(low <= raw <= high for low, high in covered)
        ]
        if missing:
            what = f"no value for {', '.join(repr(label) for label in missing[:6])}"
            action = 'Add them, list them as not_available, or add "*" for the rest.'
            self.wrong(["values"], what, f"one for each label of {signal.name}", action, warning=True)

    # --- instances and bounds ---

    def with_instances(self, found: LinkedRule) -> LinkedRule:
        rule = self.rule.instances
        if rule is None:
            return found
        key = ["instances", "from"]
        selector = self.place(rule.source, key)
        if selector is None:
            return found
        messages = {item.place.message.name for item in found.inputs if item.place is not None}
        if messages != {selector.message.name}:
            self.wrong(key, f"{selector} beside inputs of {', '.join(sorted(messages))}", "one message", "Correct it.")
        names = {".".join(name): number for number, name in enumerate(self.tree.instances(self.rule.path))}
        selections: list[tuple[int, int, int]] = []
        for text, name in rule.values.items():
            ranges = raw_ranges(selector.signal, text)
            place = ["instances", "values", text]
            if isinstance(ranges, Unknown):
                self.wrong(place, ranges.found, ranges.expected, "Correct it.")
            elif name not in names:
                known = ", ".join(list(names)[:8])
                self.wrong(place, f"instance {name!r}", f"one of: {known}", "Correct the name.")
            else:
                selections += [(low, high, names[name]) for low, high in ranges]
        return replace(found, selector=selector, selections=tuple(selections))

    def with_limits(self, found: LinkedRule) -> LinkedRule:
        rule, target = self.rule, found.targets[0]
        low, high = target.limits
        low = low if rule.minimum is None else max(low, rule.minimum)
        high = high if rule.maximum is None else min(high, rule.maximum)
        if found.operation == "value" and not found.translates and found.inputs[0].place is not None:
            self.compare_ranges(found, found.inputs[0].place.signal, low, high)
        return replace(found, minimum=low, maximum=high)

    def compare_ranges(self, found: LinkedRule, signal: Signal, low: float, high: float) -> None:
        """Whether what the signal can say lies within what the catalogue takes."""
        item, rule = found.inputs[0], self.rule
        factor = item.factor * found.factor
        offset = item.offset * found.factor + found.offset
        least, most = sorted(end * factor + offset for end in physical_limits(signal))
        tolerance = 1e-9 * max(abs(low) if low > float("-inf") else 0.0, abs(high) if high < float("inf") else 0.0)
        bounds = f"{low:g} to {high:g} for {found.targets[0].path}"
        if least > high + tolerance or most < low - tolerance:
            text = f"values from {least:g} to {most:g}"
            self.wrong(["path"], text, bounds, "Correct unit, scale or path.")
        elif (
            (least < low - tolerance or most > high + tolerance)
            and rule.minimum is None
            and rule.maximum is None
            and states_range(signal)
        ):
            text, action = f"values from {least:g} to {most:g}", "State minimum or maximum; beyond is out of range."
            self.wrong(["path"], text, bounds, action, warning=True)


def states_range(signal: Signal) -> bool:
    """Whether the matrix says less than the bits could hold."""
    return (
        physical_limits(signal) != tuple(sorted(raw * signal.scale + signal.offset for raw in raw_limits(signal)))
        and not signal.is_float
    )


def value_fault(target: VssSignal, value: bool | float | str) -> str | None:
    """What a signal takes instead of this value; `None` where it takes it."""
    if target.allowed and value not in target.allowed:
        return f"one of: {', '.join(map(str, target.allowed[:12]))}"
    if target.datatype == "string":
        return None if isinstance(value, str) else "a text in quotes"
    if target.datatype == "boolean":
        return None if isinstance(value, bool) or value in (0, 1) else "true or false"
    if isinstance(value, str | bool):
        return f"a number, as {target.path} is {target.datatype}"
    low, high = target.limits
    if not low <= value <= high:
        return f"a number from {low:g} to {high:g}"
    return "a whole number" if target.datatype in INTEGER_LIMITS and value != int(value) else None


def _repeated(mapping: SignalMapping, rules: Sequence[LinkedRule]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for rule in rules:
        used = {number for _, _, number in rule.selections} if rule.selector is not None else {0}
        for number in sorted(used):
            path = rule.targets[number].path
            if path in first:
                place, found = mapping.locate("signal", rule.index, "path"), f"{path} a second time"
                action = 'Remove one, or make one entry with rule = "first".'
                yield Problem(place, found, "one entry for each signal", action)
            first.setdefault(path, rule.index)


def _ordered(mapping: SignalMapping, rules: Sequence[LinkedRule]) -> tuple[list[LinkedRule], list[Problem]]:
    """The rules, each after those that it reads; circles and what hangs on a faulty rule are left out."""
    known = {rule.index: rule for rule in rules}
    done: dict[int, bool] = {}  # whether it can run
    order: list[LinkedRule] = []
    problems: list[Problem] = []
    for start in known:
        path: list[int] = []
        stack = [(start, False)]
        while stack:
            index, leaving = stack.pop()
            if leaving:
                path.pop()
                read = [item.rule for item in known[index].inputs if item.rule is not None]
                done[index] = all(done.get(other, False) for other in read)
                if done[index]:
                    order.append(known[index])
            elif index in path:
                names = [mapping.signals[step].path for step in (*path[path.index(index) :], index)]
                place = mapping.locate("signal", index, "path")
                found = f"a circle: {' -> '.join(names)}"
                problems.append(Problem(place, found, "entries that end at the matrix", "Break the circle."))
                done[index] = False
            elif index not in done and index in known:
                path.append(index)
                stack.append((index, True))
                stack.extend((item.rule, False) for item in known[index].inputs if item.rule is not None)
    return order, problems


def _absences(mapping: SignalMapping, rules: Sequence[LinkedRule], tree: VssTree) -> Iterator[Problem]:
    made = {target.path for rule in rules for target in rule.targets}
    seen: set[str] = set()
    for index, absent in enumerate(mapping.absent):
        place = mapping.locate("absent", index, "path")
        signals = {signal.path for signal in tree.matching(absent.path)}
        if not signals and absent.path not in tree.branches:
            near = ", ".join(tree.nearest(absent.path)) or "a signal or branch"
            found = f"{absent.path}, no signal of the catalogue"
            yield Problem(place, found, f"a signal or branch of {tree.name}, such as {near}", "Correct the path.")
        elif signals & made or absent.path in seen:
            found = f"{absent.path}, which another entry {'makes' if signals & made else 'lists'}"
            yield Problem(place, found, "one entry for each signal", "Remove one of the two.")
        seen.add(absent.path)
