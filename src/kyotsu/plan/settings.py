"""What a workspace says of the choice: the parts that might be made, volumes, costs, vetoes and bounds.

    choice.toml                   the grids of candidates, years, costs of its own, what a maker refuses or insists on
    makers/<name>/demand.toml     [[demand]]: how many of a vehicle are built in a year

Both may be absent: then the parts on offer are all there is, and every vehicle is built as often as any other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.document import Document, read_toml
from kyotsu.spec.inheritance import Entry, Place
from kyotsu.spec.migration import migrate
from kyotsu.spec.record import Count, Identifier, NonNegative, Positive, Record, Share, Table, Text
from kyotsu.spec.validation import read_record
from kyotsu.spec.workspace import Workspace

DEFAULT_UNITS_PER_YEAR = 10_000.0  # of a vehicle of which nobody stated it; our assumption
CHOICE_FILE = "choice.toml"

Shares = Annotated[tuple[Positive, ...], Field(min_length=1)]
Counts = Annotated[tuple[Count, ...], Field(min_length=1)]
Section = tuple[Positive, Positive]


class CellClass(Record):
    """A grid of battery modules of one kind of cell, scaled from a part on offer.

    Attributes:
        part: the battery module that they are scaled from; it lends chemistry, curves, limits and interfaces.
        capacity_ah: of one cell.
        sections_mm: width and height of the module; its length follows.
        energy_ratio: energy for each litre and kilogram against the part.
        resistance_ratio: resistance of a cell of equal capacity against the part's.
        current_ratio: current of a cell of equal capacity against the part's, driving and charging.
        cost_ratio: cost for each kWh against the chemistry's.
        suppliers: that could make them; empty: the part's own.
    """

    part: Identifier
    capacity_ah: Shares
    cells_series: Counts
    cells_parallel: Counts
    sections_mm: Annotated[tuple[Section, ...], Field(min_length=1)]
    energy_ratio: Positive = 1.0
    resistance_ratio: Positive = 1.0
    current_ratio: Positive = 1.0
    cost_ratio: Positive = 1.0
    suppliers: tuple[Text, ...] = ()


class EAxleClass(Record):
    """A grid of e-axles of one motor cross-section, scaled from a part on offer.

    Attributes:
        part: the e-axle that they are scaled from; it lends windows, gear and interfaces.
        stack_ratio: length of the motor's active part against the part's.
        turns_ratio: turns of a phase.
        current_ratio: current of the inverter.
        excitation_min_ratio, excitation_max_ratio: bounds of turns times current: below a motor is wasted, above it
            saturates.
        axle_torque_max_nm: what gear and output of this class bear.
        rating_shares: software ratings, as shares of the hardware's power.
        suppliers: that could make them; empty: the part's own.
    """

    part: Identifier
    stack_ratio: Shares
    turns_ratio: Shares
    current_ratio: Shares
    excitation_min_ratio: Positive = 0.7
    excitation_max_ratio: Positive = 1.2
    axle_torque_max_nm: Positive
    rating_shares: Annotated[tuple[Share, ...], Field(min_length=1)] = (1.0, 0.8, 0.6)
    suppliers: tuple[Text, ...] = ()


class Wish(Table):
    """What one maker refuses, `*` for any letters, and what it wants in the family, by ids of parts."""

    maker: Identifier
    veto: tuple[Text, ...] = ()
    must_have: tuple[Identifier, ...] = ()

    def refuses(self, part: str) -> bool:
        """Whether the maker's vehicles take no part of this id."""
        return any(fnmatchcase(part, pattern) for pattern in self.veto)


class SecondSource(Table):
    """Who else makes a part on offer, to the same drawing."""

    part: Identifier
    suppliers: Annotated[tuple[Text, ...], Field(min_length=1)]


class Scenario(Record):
    """Another course of things, for which the choice is made again.

    Attributes:
        units: factors on the vehicles built: by market, maker, `maker/id`, or `*` for all. They multiply; for a vehicle
            of several markets the mean of theirs counts.
        costs: coefficients that replace those of the choice, by name.
    """

    units: dict[str, NonNegative] = Field(default_factory=dict)
    costs: dict[str, NonNegative] = Field(default_factory=dict)

    def factor(self, vehicle: str, markets: tuple[str, ...]) -> float:
        """On the units of a vehicle, by its name and markets."""
        of_markets = [self.units.get(market, 1.0) for market in markets] or [1.0]
        maker = vehicle.partition("/")[0]
        others = (self.units.get(key, 1.0) for key in ("*", maker, vehicle))
        return math.prod(others) * sum(of_markets) / len(of_markets)


class Choice(Table):
    """The head of the choice: `choice.toml`.

    Attributes:
        years: for which vehicles are built with the parts chosen.
        accepted_loss_share: against the vehicle as built, where it states no requirement.
        module_mass_max_kg, module_length_max_mm: beyond, a scaled module is left out of the grid.
        costs: coefficients that replace those of `data/costs.toml`, by name.
        wish: of each maker.
        second_source: of parts on offer.
        scenario: other courses of things, under which the family is to be regretted least.
    """

    format: int
    years: Positive = 6.0
    accepted_loss_share: Share = 0.20
    module_mass_max_kg: Positive = 40.0
    module_length_max_mm: Positive = 700.0
    cell_class: tuple[CellClass, ...] = ()
    eaxle_class: tuple[EAxleClass, ...] = ()
    costs: dict[str, NonNegative] = Field(default_factory=dict)
    wish: tuple[Wish, ...] = ()
    second_source: tuple[SecondSource, ...] = ()
    scenario: tuple[Scenario, ...] = ()


class Demand(Record):
    """How many of a vehicle are built in a year; its id is the vehicle's."""

    units_per_year: NonNegative


class DemandFile(Table):
    """`demand.toml` of a maker."""

    format: int
    demand: tuple[Demand, ...] = ()


@dataclass(frozen=True)
class Settings:
    """The choice as a workspace states it.

    Attributes:
        choice: the head.
        units_per_year: by `maker/id`, of every vehicle.
        assumed_units: the vehicles of which nobody stated it.
        entry: the written form of the head, to say where a value stands.
    """

    choice: Choice
    units_per_year: Mapping[str, float]
    assumed_units: tuple[str, ...] = ()
    entry: Entry | None = None

    def units(self, vehicle: str) -> float:
        """Vehicles built over all years."""
        return self.units_per_year[vehicle] * self.choice.years

    def locate(self, *path: str | int) -> Location:
        """Where a value of the head stands."""
        return Location(CHOICE_FILE, None, ".".join(map(str, path))) if self.entry is None else self.entry.locate(path)


def load_settings(workspace: Workspace) -> Settings:
    """What a workspace says of the choice.

    Raises:
        InputError: with everything that is wrong in `choice.toml` and in every `demand.toml`.
    """
    problems: list[Problem] = []
    choice, entry = Choice(format=1), None
    head = _read(Choice, workspace.root / CHOICE_FILE, problems)
    if head is not None:
        choice, entry = head
        problems += _contradictions(workspace, choice, entry)
    stated: dict[str, float] = {}
    for maker in workspace.makers:
        found = _read(DemandFile, workspace.root / "makers" / maker / "demand.toml", problems)
        if found is not None:
            problems += _demands(workspace, maker, *found, stated)
    if problems:
        raise InputError(problems)
    assumed = tuple(name for name in workspace.vehicles if name not in stated)
    units = {name: stated.get(name, DEFAULT_UNITS_PER_YEAR) for name in workspace.vehicles}
    if not any(units.values()):
        place = Location(str(workspace.root), None, "demand")
        found_text, expected = "0 units of every vehicle", "at least one vehicle that is built"
        raise InputError([Problem(place, found_text, expected, "State units_per_year in makers/<name>/demand.toml.")])
    return Settings(choice, units, assumed, entry)


def _read(model: type[Any], path: Path, problems: list[Problem]) -> tuple[Any, Entry] | None:
    if not path.exists():
        return None
    document: Document | None
    document, found = read_toml(path, str(path))
    problems += found
    if document is not None:
        document, found = migrate(document)
        problems += found
    if document is None:
        return None
    entry = Entry(document.content, (Place(document, ()),))
    record, found = read_record(model, entry)
    problems += found
    return None if record is None else (record, entry)


def _contradictions(workspace: Workspace, choice: Choice, entry: Entry) -> Iterator[Problem]:
    kinds: tuple[tuple[str, tuple[Any, ...], Mapping[str, Any]], ...] = (
        ("cell_class", choice.cell_class, workspace.battery_modules),
        ("eaxle_class", choice.eaxle_class, workspace.eaxles),
    )
    for kind, classes, parts in kinds:
        seen: set[str] = set()
        for index, item in enumerate(classes):
            if item.part not in parts:
                known = ", ".join(sorted(parts)) or "none"
                place = entry.locate((kind, index, "part"))
                yield Problem(place, f"part {item.part!r}", f"one of: {known}", "Correct the name.")
            if item.id in seen:
                place = entry.locate((kind, index, "id"))
                yield Problem(place, f"id {item.id!r} a second time", "ids that are unique", "Rename one of the two.")
            seen.add(item.id)
    for index, wish in enumerate(choice.wish):
        if wish.maker not in workspace.makers:
            known = ", ".join(sorted(workspace.makers))
            place = entry.locate(("wish", index, "maker"))
            yield Problem(place, f"maker {wish.maker!r}", f"one of: {known}", "Correct the name.")
        for name in sorted(name for name in wish.must_have if wish.refuses(name)):
            place = entry.locate(("wish", index, "must_have"))
            found = f"{name!r}, which {wish.maker} also refuses"
            yield Problem(place, found, "a part wanted or refused", "Take it out of veto or of must_have.")
    groups = {"*", *workspace.makers, *workspace.vehicles, *(market.id for market in workspace.alliance.market)}
    named: set[str] = set()
    for index, scenario in enumerate(choice.scenario):
        for key in sorted(scenario.units.keys() - groups):
            place = entry.locate(("scenario", index, "units", key))
            expected = f"a market, a maker, maker/id or *: {', '.join(sorted(groups))}"
            yield Problem(place, f"units of {key!r}", expected, "Correct the name.")
        if scenario.id in named:
            place = entry.locate(("scenario", index, "id"))
            yield Problem(place, f"id {scenario.id!r} a second time", "ids that are unique", "Rename one of the two.")
        named.add(scenario.id)
    for index, source in enumerate(choice.second_source):
        if source.part not in workspace.parts:
            place = entry.locate(("second_source", index, "part"))
            yield Problem(place, f"part {source.part!r}", "a part on offer", "Correct the name.")


def _demands(
    workspace: Workspace, maker: str, file: DemandFile, entry: Entry, stated: dict[str, float]
) -> Iterator[Problem]:
    for index, demand in enumerate(file.demand):
        name, place = f"{maker}/{demand.id}", entry.locate(("demand", index, "id"))
        if name not in workspace.vehicles:
            known = ", ".join(key.partition("/")[2] for key in workspace.vehicles if key.startswith(f"{maker}/"))
            yield Problem(place, f"vehicle {demand.id!r}", f"one of: {known}", "Correct the name.")
        elif name in stated:
            yield Problem(place, f"{demand.id!r} a second time", "one entry for each vehicle", "Remove one.")
        else:
            stated[name] = demand.units_per_year
