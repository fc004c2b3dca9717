"""A plan: the family of standards, which vehicle takes which, what it costs, and what proves it.

Plain frozen data. `load_plans` reads the plans of a decision's file without what made them, so that they can be checked
without the optimiser.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from kyotsu.errors import InputError, Problem
from kyotsu.spec.document import read_json
from kyotsu.spec.inheritance import Entry, Place
from kyotsu.spec.record import Table
from kyotsu.spec.validation import read_record

PLAN_FORMAT = 1

Kind = Literal["battery_module", "eaxle"]


class Options(Table):
    """What was asked for; `None` is no bound."""

    variants: int | None = None
    modules: int | None = None
    axles: int | None = None
    dual_source: bool = False
    accept_unknown: bool = True
    keep_own: bool = False
    costs: dict[str, float] = Field(default_factory=dict)  # coefficients that were replaced
    makers: tuple[str, ...] = ()  # those that take part; empty: all


class Figure(Table):
    """One figure of a build against its limit; `stated` is False where the limit follows from the vehicle as built."""

    title: str
    value: float
    direction: Literal["at least", "at most"]
    limit: float
    unit: str
    stated: bool

    @property
    def met(self) -> bool:
        """Whether the limit is met."""
        return self.value >= self.limit if self.direction == "at least" else self.value <= self.limit


class CostParts(Table):
    """What one vehicle's parts cost over all years [USD]."""

    battery_usd: float = 0.0
    eaxles_usd: float = 0.0
    change_usd: float = 0.0
    findings_usd: float = 0.0

    @property
    def total_usd(self) -> float:
        """All of them."""
        return self.battery_usd + self.eaxles_usd + self.change_usd + self.findings_usd

    def __add__(self, other: CostParts) -> CostParts:
        """The sum, part by part."""
        return CostParts(**{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields})


class BatteryChoice(Table):
    """The battery of a vehicle; `part` is `None` where it keeps its own."""

    part: str | None
    places: int = 1
    series: int = 1
    strings: int = 1
    lost_share: float = 0.0
    verdict: str | None = None
    conditional: int = 0
    unknown: int = 0


class AxleChoice(Table):
    """The e-axle at one mount; `own` where it is the drive as built, kept."""

    mount: str
    part: str
    rating: str
    own: bool = False
    verdict: str | None = None
    conditional: int = 0
    unknown: int = 0


class Assignment(Table):
    """One vehicle with the parts it takes.

    Attributes:
        units: built over all years.
        cost: of its parts and changes; standards are paid once, elsewhere.
        alone_usd: the least that its parts could cost with any candidates; the rest is over-design.
        figures: what the build does against what it must do.
        conditional, unknown: findings of fit that are so.
        basis: weakest origin of the values that the fit rests on.
    """

    vehicle: str
    units: float
    battery: BatteryChoice
    axles: tuple[AxleChoice, ...]
    cost: CostParts
    alone_usd: float
    energy_kwh: float
    figures: tuple[Figure, ...]
    basis: str | None = None

    @property
    def maker(self) -> str:
        """Whose vehicle it is."""
        return self.vehicle.split("/")[0]

    @property
    def conditional(self) -> int:
        """Findings of fit that ask for an action."""
        return self.battery.conditional + sum(axle.conditional for axle in self.axles)

    @property
    def unknown(self) -> int:
        """Findings of fit that nobody can judge yet."""
        return self.battery.unknown + sum(axle.unknown for axle in self.axles)

    @property
    def over_design_usd(self) -> float:
        """What sharing makes this vehicle's parts dearer, over all years."""
        return self.cost.total_usd - self.alone_usd


class StandardChoice(Table):
    """One part made common.

    Attributes:
        scaled: True where nobody offers it yet.
        vehicles: that take it.
        units: vehicles, or mounts, that take it over all years.
        once_usd: what making it common costs.
    """

    kind: Kind
    part: str
    name: str
    suppliers: tuple[str, ...]
    scaled: bool
    vehicles: tuple[str, ...]
    units: float
    once_usd: float

    @property
    def makers(self) -> tuple[str, ...]:
        """Whose vehicles take it."""
        return tuple(dict.fromkeys(name.split("/")[0] for name in self.vehicles))


class Plan(Table):
    """The cheapest family of standards found, with its proof.

    Attributes:
        cost_usd: of standards and all vehicles over all years.
        bound_usd: no family within the options costs less.
        proven: whether the two are the same, costs being whole thousands of dollars.
        as_built_usd: of the same vehicles with every part of their own.
        builds, simulated: how many there are, and how many were simulated; rules leave out the others.
        seconds: to explore the builds, and to choose.
    """

    format: int = PLAN_FORMAT
    workspace: str
    year: int
    years: float
    options: Options
    standards: tuple[StandardChoice, ...]
    assignments: tuple[Assignment, ...]
    cost_usd: float
    bound_usd: float
    as_built_usd: float
    proven: bool
    builds: int
    simulated: int
    explore_seconds: float
    solve_seconds: float
    assumed_units: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """Part of the cost by which a better family could at most be cheaper [-]."""
        return max(self.cost_usd - self.bound_usd, 0.0) / self.cost_usd if self.cost_usd else 0.0

    @property
    def variants(self) -> int:
        """How many standards."""
        return len(self.standards)

    def of_kind(self, kind: Kind) -> tuple[StandardChoice, ...]:
        """The standards of one kind."""
        return tuple(item for item in self.standards if item.kind == kind)

    def commonality_by_volume(self, makers: int = 2) -> float:
        """Share of batteries and e-axles on standards that at least so many makers take [-]."""
        taken = sum(item.units * (len(item.axles) + 1) for item in self.assignments)
        shared = sum(item.units for item in self.standards if len(item.makers) >= makers)
        return shared / taken if taken else 0.0

    def commonality_by_cost(self, makers: int = 2) -> float:
        """Share of what batteries and e-axles cost that is spent on standards that at least so many makers take [-]."""
        shared = {item.part for item in self.standards if len(item.makers) >= makers}
        spent = part = 0.0
        for item in self.assignments:
            batteries = item.cost.battery_usd
            drives = item.cost.eaxles_usd / len(item.axles)
            spent += batteries + drives * len(item.axles)
            part += batteries * (item.battery.part in shared)
            part += sum(drives for axle in item.axles if not axle.own and axle.part in shared)
        return part / spent if spent else 0.0


def load_plans(path: Path) -> tuple[Plan, ...]:
    """The plans in a JSON file that `decision.save_decision` wrote, or one plan alone.

    Raises:
        InputError: with everything that is wrong with it.
    """
    document, problems = read_json(path, str(path))
    plans: list[Plan] = []
    if document is not None:
        listed = document.content.get("plans")
        entries = [Entry(document.content, (Place(document, ()),))]
        if isinstance(listed, list):
            entries = [Entry(item, (Place(document, ("plans", index)),)) for index, item in enumerate(listed)]
        for entry in entries:
            plan, found = read_record(Plan, entry)
            problems = [*problems, *found]
            if plan is not None and plan.format != PLAN_FORMAT:
                expected, action = f"format {PLAN_FORMAT}", "Choose anew with this version."
                problems = [*problems, Problem(entry.locate(("format",)), f"format {plan.format}", expected, action)]
            plans += [] if plan is None else [plan]
    if problems:
        raise InputError(problems)
    return tuple(plans)
