"""A maker's `signals.toml`: how what its bus says becomes signals of the catalogue, and back.

    format = 1
    sources."*" = { source = "our own matrix, release 7", status = "declared" }

    [[signal]]
    path = "Vehicle.Speed"
    from = "WHEELS.SPEED"                 # MESSAGE.SIGNAL of bus.dbc; SIGNAL alone where only one message has it
    min_interval_ms = 50

    [[signal]]
    path = "Vehicle.Powertrain.TractionBattery.CurrentPower"
    rule = "product"
    inputs = ["PACK.VOLTAGE", "PACK.CURRENT"]
    unit = "W"                            # of the result

    [[signal]]
    path = "Vehicle.Chassis.Axle.*.Wheel.*.Tire.Pressure"
    from = "TYRES.PRESSURE"
    instances = { from = "TYRES.POSITION", values = { "0" = "Row1.Left", "1" = "Row1.Right" } }

    [[write]]
    path = "Vehicle.MotionManagement.ElectricAxle.Row1.TorqueTarget"
    to = "TORQUE.REQUEST"
    scale = 0.125

    [[absent]]
    path = "Vehicle.Powertrain.TractionBattery.CellVoltage.Min"
    reason = "the bus carries no cell voltage"

A value goes this way: the input in the matrix's unit, scaled where `values` does not translate it; the rule over all
inputs; x `scale` + `offset`; from `unit` (the inputs' own where it is not stated) to the unit of VSS; rounded where the
datatype is whole. What comes out then has a `Quality`: nothing is dropped because it is bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator

from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.document import Document, dotted, read_toml
from kyotsu.spec.inheritance import Entry, Place
from kyotsu.spec.record import PRINTABLE, Fault, NonNegative, Number, Source, Table, Text, covering_key, misplaced
from kyotsu.spec.validation import read_record

FORMAT = 1
SIGNALS_FILE = "signals.toml"
MOST_INPUTS = 64

VssPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+(\.([A-Za-z0-9_]+|\*))+$", max_length=300)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=PRINTABLE)]
Rule = Literal[
    "value", "sum", "difference", "product", "quotient", "first", "magnitude_sign", "bits", "minimum", "maximum", "mean"
]
Rounding = Literal["none", "nearest", "down", "up", "positive"]
RULES_OF_ONE_UNIT = ("value", "sum", "difference", "first", "magnitude_sign", "minimum", "maximum", "mean")
VssValue = bool | int | float | str
# A raw value (TOML's keys are text), a range of them, a label of the matrix, or * for any other.
Values = dict[Text, VssValue]


class Quality(IntEnum):
    """What a datapoint's value is worth. Only `GOOD` has a value; of several inputs the worst counts."""

    GOOD = 0
    NOT_AVAILABLE = 1  # the sender says that it has no value, the frame was too short, or the value is too old
    OUT_OF_RANGE = 2  # outside the bounds of the mapping or of the catalogue
    UNKNOWN_VALUE = 3  # a raw value that the mapping does not translate
    NOT_VALID = 4  # another signal says that this one does not count now
    UNTRUSTED = 5  # counter or checksum of the frame is wrong


class MappingTable(Table):
    """A table of `signals.toml`; keys that are words of Python have another name inside."""

    model_config = ConfigDict(populate_by_name=True)


class Input(MappingTable):
    """One input of a rule: `from` alone may be written as plain text.

    Attributes:
        source: `MESSAGE.SIGNAL` of the matrix, or the path of another entry of this file; in the file: `from`.
        unit: in place of the one that the matrix states.
        scale, offset: applied to its value first.
    """

    source: Reference = Field(alias="from")
    unit: Text | None = None
    scale: Number = 1.0
    offset: Number = 0.0

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"from": value} if isinstance(value, str) else value


class Condition(MappingTable):
    """What another signal must say; a signal that nobody has heard yet says nothing.

    Attributes:
        source: `MESSAGE.SIGNAL`; in the file: `from`.
        equals: raw values or labels, of which it must be one.
        minimum, maximum: bounds of its physical value.
    """

    source: Reference = Field(alias="from")
    equals: tuple[int | Text, ...] = ()
    minimum: Number | None = None
    maximum: Number | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.equals and self.minimum is None and self.maximum is None:
            raise misplaced([Fault("a condition that asks nothing", "equals, minimum or maximum")])
        if self.equals and (self.minimum is not None or self.maximum is not None):
            raise misplaced([Fault("equals and bounds in one condition", "two conditions")])
        return self


class Instances(MappingTable):
    """Which instance a value belongs to, told by another signal of the message.

    Attributes:
        source: that signal; in the file: `from`.
        values: by its raw value or label: the names for the `*` of the path, joined by dots.
    """

    source: Reference = Field(alias="from")
    values: Annotated[dict[Text, Text], Field(min_length=1)]


class SignalRule(MappingTable):
    """How a signal of the catalogue is made of what the bus says.

    Attributes:
        path: in the catalogue; with `*` where `instances` says which.
        source: the one input; in the file: `from`.
        inputs: of a rule with several, in its order.
        rule: `sum`, `difference` (the first less the others), `product`, `quotient`, `minimum`, `maximum`, `mean`;
            `first`: the first that is available; `magnitude_sign`: the second says whether the first is negative;
            `bits`: raw values joined, the most significant first.
        negative: raw values or labels of the sign's input that mean "negative".
        unit: of the result, where the matrix states none or a wrong one.
        scale, offset: applied to the result.
        rounding: of the result in VSS's unit; whole datatypes are rounded to the nearest without it.
        values: translates raw values or labels; a number that it does not list is unknown.
        minimum, maximum: bounds beyond which a value is out of range, in VSS's unit.
        not_available: raw values, ranges such as "1022-1023" or labels of the input that mean "no value".
        only_when: conditions that must all hold.
        instances: which instance a value belongs to.
        max_age_ms: beyond this age an input counts as not available.
        min_interval_ms: no two values nearer to each other.
        on_change: only values that differ from the last.
    """

    path: VssPath
    source: Reference | None = Field(default=None, alias="from")
    inputs: Annotated[tuple[Input, ...], Field(max_length=MOST_INPUTS)] = ()
    rule: Rule = "value"
    negative: tuple[int | Text, ...] = (1,)
    unit: Text | None = None
    scale: Number = 1.0
    offset: Number = 0.0
    rounding: Rounding = "none"
    values: Values = Field(default_factory=dict)
    minimum: Number | None = None
    maximum: Number | None = None
    not_available: tuple[int | Text, ...] = ()
    only_when: tuple[Condition, ...] = ()
    instances: Instances | None = None
    max_age_ms: NonNegative | None = None
    min_interval_ms: NonNegative = 0.0
    on_change: bool = False

    @model_validator(mode="after")
    def _inputs_fit_the_rule(self) -> Self:
        faults = list(self._faults())
        if faults:
            raise misplaced(faults)
        return self

    def _faults(self) -> Any:
        count = len(self.inputs)
        if (self.source is None) == (count == 0):
            found = "from and inputs" if count else "neither from nor inputs"
            yield Fault(found, "either from = ... or inputs = [ ... ]")
        elif count and self.rule == "value":
            yield Fault("inputs without a rule", 'a rule, such as rule = "product"')
        elif self.rule != "value" and count < 2:
            yield Fault(f"{max(count, 1)} input of the rule {self.rule}", "two or more", ("rule",))
        elif self.rule in ("magnitude_sign", "quotient") and count != 2:
            yield Fault(f"{count} inputs of the rule {self.rule}", "two", ("inputs",))
        if self.values and self.rule not in ("value", "bits", "first"):
            yield Fault("values", "no values: a rule of several inputs makes a number", ("values",))
        if self.not_available and count:
            yield Fault("not_available of several inputs", "it in the matrix, or one input", ("not_available",))
        if ("*" in self.path.split(".")) != (self.instances is not None):
            found = "a path with * without instances" if self.instances is None else "instances without * in the path"
            yield Fault(found, "a * for each name that instances gives", ("path",))
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            yield Fault(f"minimum = {self.minimum:g} above maximum = {self.maximum:g}", path=("minimum",))

    @property
    def all_inputs(self) -> tuple[Input, ...]:
        """Its inputs, also where there is only one."""
        return self.inputs or (Input(source=self.source or ""),)


class WriteRule(MappingTable):
    """How a value that is asked of an actuator becomes a signal on the bus.

    Attributes:
        path: of an actuator.
        target: `MESSAGE.SIGNAL`; in the file: `to`.
        unit: of the CAN signal, where the matrix states none.
        scale, offset: CAN value = VSS value in that unit x scale + offset.
        values: by VSS value (as text): raw value or label on the bus.
        minimum, maximum: bounds in VSS's unit; what lies outside is refused.
        only_when: conditions on what the bus said last, that must all hold.
        with_signals: physical values or labels of other signals of the message; in the file: `with`.
    """

    path: VssPath
    target: Reference = Field(alias="to")
    unit: Text | None = None
    scale: Number = 1.0
    offset: Number = 0.0
    values: dict[Text, int | Text] = Field(default_factory=dict)
    minimum: Number | None = None
    maximum: Number | None = None
    only_when: tuple[Condition, ...] = ()
    with_signals: dict[Text, float | Text] = Field(default_factory=dict, alias="with")

    @model_validator(mode="after")
    def _can_be_undone(self) -> Self:
        if self.scale == 0:
            raise misplaced([Fault("scale = 0", "a scale that is not 0", ("scale",))])
        return self


class Absent(Table):
    """A signal that the bus does not carry, and why one knows."""

    path: VssPath
    reason: Text


class SignalsFile(MappingTable):
    """The whole of `signals.toml`.

    Attributes:
        format: of the file.
        vss: version of the catalogue that the paths are of.
        sources: where what is written comes from; by path or branch of the catalogue, `"*"` for the rest.
    """

    format: int
    vss: Text = "6.0"
    sources: dict[Text, Source] = Field(default_factory=dict)
    signal: tuple[SignalRule, ...] = ()
    write: tuple[WriteRule, ...] = ()
    absent: tuple[Absent, ...] = ()

    @field_validator("format")
    @classmethod
    def _format_is_known(cls, value: int) -> int:
        if value != FORMAT:
            raise misplaced([Fault(f"format = {value}", f"format = {FORMAT}")])
        return value


@dataclass(frozen=True)
class SignalMapping:
    """What a maker's bus says, in terms of the catalogue.

    Attributes:
        signals: how each signal is made.
        writes: how each actuator is set.
        absent: what the bus does not carry.
        sources: origins, by path or branch.
        name: of the file or maker.
        entry: the written form, to say where a value stands; `None` for one made in memory or read from an overlay.
        places: where each signal and then each write stands, of a mapping that has no `entry`.
        in_catalogue_units: what a rule makes has the catalogue's unit already, whatever the matrix says, as in KUKSA's
            overlays.
    """

    signals: tuple[SignalRule, ...]
    writes: tuple[WriteRule, ...] = ()
    absent: tuple[Absent, ...] = ()
    sources: Mapping[str, Source] | None = None
    name: str = "mapping"
    entry: Entry | None = None
    places: tuple[Location, ...] = ()
    in_catalogue_units: bool = False

    def locate(self, kind: Literal["signal", "write", "absent"], index: int, *key: str | int) -> Location:
        """Where a value stands: a key of the entry of that kind and number."""
        if self.entry is not None:
            return self.entry.locate((kind, index, *key))
        at = index + (len(self.signals) if kind == "write" else 0)
        if kind != "absent" and at < len(self.places):
            return self.places[at]
        return Location(self.name, None, dotted((kind, index, *key)))

    def source_of(self, path: str) -> Source | None:
        """Where the rule of a path comes from: the longest key of `sources` that covers it."""
        key = covering_key(self.sources or {}, path)
        return None if key is None or self.sources is None else self.sources[key]


def load_mapping(path: Path) -> SignalMapping:
    """The mapping in a `signals.toml`.

    Raises:
        InputError: with everything that is wrong in the file, as far as it can be told without matrix and catalogue.
    """
    mapping, problems = read_mapping(path)
    if mapping is None:
        raise InputError(problems)
    return mapping


def read_mapping(path: Path) -> tuple[SignalMapping | None, list[Problem]]:
    """The mapping in a `signals.toml` if it is sound, and all that is wrong with the file by itself."""
    document, problems = read_toml(path, str(path))
    if document is None:
        return None, problems
    return mapping_of(document)


def mapping_of(document: Document) -> tuple[SignalMapping | None, list[Problem]]:
    """The mapping in a document that was read."""
    entry = Entry(document.content, (Place(document, ()),))
    file, problems = read_record(SignalsFile, entry)
    if file is None:
        return None, problems
    return SignalMapping(file.signal, file.write, file.absent, file.sources, document.file, entry), []
