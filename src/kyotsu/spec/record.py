"""What every record of a specification has in common.

A record is a frozen, closed pydantic model: unknown keys are refused, numbers are finite and their
names end in a unit. Beside the values stands their origin:

    sources."*"     = { source = "maker's page, 2024", status = "declared" }
    sources.mass_kg = { source = "scale, lot 7", status = "measured" }
    sources.envelope = { source = "our guess from the pack's volume", status = "assumed" }

A key of `sources` is the dotted path of a value, or of the table above it; the longest match counts and
`"*"` stands for everything not named. An absent value is unknown: never zero, never a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple, Self, get_origin

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

Status = Literal["measured", "declared", "derived", "assumed"]
STATUSES: tuple[Status, ...] = ("measured", "declared", "derived", "assumed")  # strongest first

IDENTIFIER = r"^[a-z0-9][a-z0-9_\-.]{0,63}$"
IDENTIFIER_WORDS = "small letters, digits, _, - and ., such as leaf_40"
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER)]
StandardReference = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_\-]{0,63}@\d+\.\d+$")]
PRINTABLE = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"  # no control characters: they would steer the terminal
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=PRINTABLE)]
# Beyond these a number is a slip of the pen; within them no product or quotient of a check overflows.
LARGEST, SMALLEST, LARGEST_COUNT = 1e12, 1e-9, 10_000
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, strict=True)]
Positive = Annotated[float, Field(gt=SMALLEST, le=LARGEST, strict=True)]
NonNegative = Annotated[float, Field(ge=0, le=LARGEST, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Celsius = Annotated[float, Field(ge=-273.15, le=LARGEST, strict=True)]
Count = Annotated[int, Field(ge=1, le=LARGEST_COUNT, strict=True)]
Natural = Annotated[int, Field(ge=0, le=LARGEST_COUNT, strict=True)]
Flag = Annotated[bool, Field(strict=True)]


class Table(BaseModel):
    """A closed, frozen group of values: the base of every table of a specification."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _lowest_below_highest(self) -> Self:
        """`voltage_min_v` and `voltage_max_v`, `climate_min_c` and `climate_max_c`: each pair in order."""
        faults = []
        for name in type(self).model_fields:
            other = name.replace("_min_", "_max_")
            lowest, highest = getattr(self, name), getattr(self, other, None)
            if other != name and lowest is not None and highest is not None and lowest > highest:
                faults.append(Fault(f"{name} = {lowest:g}", f"at most {other} = {highest:g}", (name,)))
        if faults:
            raise misplaced(faults)
        return self


class Source(Table):
    """Where a value comes from, and how far it can be trusted."""

    source: Text
    status: Status


class Record(Table):
    """A table with an identity, whose values carry their origin."""

    id: Identifier
    sources: dict[str, Source] = Field(default_factory=dict)

    @field_validator("sources")
    @classmethod
    def _sources_name_values(cls, sources: dict[str, Source]) -> dict[str, Source]:
        unknown = [key for key in sources if key != "*" and not path_exists(cls, key)]
        if unknown:
            raise misplaced(
                Fault(f"an origin for {key!r}, which is no field", "the path of a field", (key,)) for key in unknown
            )
        return sources

    def source_of(self, path: str) -> Source | None:
        """The origin of the value at a dotted path: the longest key of `sources` that covers it."""
        key = covering_key(self.sources, path)
        return None if key is None else self.sources[key]

    def values(self) -> Iterator[tuple[str, object]]:
        """Every value that needs an origin, with its dotted path: numbers and tables of numbers."""
        yield from _numbers(self, "")


def _numbers(table: Table, prefix: str) -> Iterator[tuple[str, object]]:
    for name in type(table).model_fields:
        value = getattr(table, name)
        path = f"{prefix}{name}"
        if name not in table.model_fields_set or name == "sources" or isinstance(value, Record):
            continue
        if isinstance(value, Table):
            yield from _numbers(value, f"{path}.")
        elif (
            (isinstance(value, tuple) and value and all(_is_plain_table(item) for item in value))
            or (isinstance(value, (int, float)) and not isinstance(value, bool))
            or (isinstance(value, tuple) and value and isinstance(value[0], (int, float, tuple)))
        ):
            yield path, value


def _is_plain_table(item: object) -> bool:
    """A table without an identity: a record inside a record has its own origins."""
    return isinstance(item, Table) and not isinstance(item, Record)


def covering_key(sources: Mapping[str, Any], path: str) -> str | None:
    """The key of `sources` that covers a dotted path: the longest prefix, else `"*"`."""
    while path not in sources:
        path, dot, _ = path.rpartition(".")
        if not dot:
            return "*" if "*" in sources else None
    return path


class Fault(NamedTuple):
    """What a validator found, what it expected, and the way from the validator's own place to the value."""

    found: str
    expected: str = "values that agree with each other"
    path: tuple[str | int, ...] = ()


def misplaced(faults: Iterable[Fault]) -> PydanticCustomError:
    """What a validator raises that found several faults, or one further in."""
    listed = list(faults)
    message = "; ".join(f"{fault.found}, must be {fault.expected}" for fault in listed)
    return PydanticCustomError("misplaced", "{message}", {"message": message, "faults": listed})


def path_exists(model: type[BaseModel], path: str) -> bool:
    """Whether a dotted path names a field of a model (through optional tables and tuples of tables)."""
    current: Any = model
    for part in path.split("."):
        fields = getattr(current, "model_fields", None)
        if not fields or part not in fields:
            return False
        current = table_in(fields[part].annotation)
    return True


def table_in(annotation: Any) -> Any:
    """The `Table` subclass inside an annotation such as `Envelope | None` or `tuple[Rating, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is dict:  # its keys are the writer's, no fields
        return None
    for inner in getattr(annotation, "__args__", ()):
        found = table_in(inner)
        if found is not None:
            return found
    return None


def require_rising(table: Table, *names: str) -> None:
    """Raise `ValueError` when the known values of a table do not rise, or stay, in the order of `names`."""
    known = [(name, value) for name in names if (value := getattr(table, name)) is not None]
    for (low, below), (high, above) in pairwise(known):
        if below > above:
            raise ValueError(f"{low} = {below:g} must not exceed {high} = {above:g}")


class Curve(Table):
    """A table y(x) read by linear interpolation and held flat beyond its ends; subclasses name x and y."""

    @model_validator(mode="after")
    def _axes_fit(self) -> Self:
        axis, values = (getattr(self, name) for name in type(self).model_fields)
        if len(axis) != len(values):
            raise ValueError(f"the two columns have {len(axis)} and {len(values)} entries, must be equal")
        if any(second <= first for first, second in pairwise(axis)):
            raise ValueError("the first column must rise from entry to entry")
        return self


def interpolate(axis: tuple[float, ...], values: tuple[float, ...], at: float) -> float:
    """y(at) by linear interpolation over a rising axis, held flat beyond its ends."""
    if at <= axis[0]:
        return values[0]
    for left in range(len(axis) - 1):
        if at <= axis[left + 1]:
            share = (at - axis[left]) / (axis[left + 1] - axis[left])
            return values[left] + share * (values[left + 1] - values[left])
    return values[-1]
