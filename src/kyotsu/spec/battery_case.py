"""A battery check's case: one part, one vehicle's bay, and the layout in which the part stands there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.comparison import Side
from kyotsu.spec.finding import Outcome, Verdict
from kyotsu.spec.layout import Layout, layouts, nearest_layout, places_for
from kyotsu.spec.slots import BatteryBay
from kyotsu.spec.vehicle import Vehicle


@dataclass(frozen=True)
class BatteryCase:
    """Everything that a battery check may look at; `chosen` is a layout to judge instead of the best one.

    `looks` grows with each look at the layout: what was found without one is found in every layout.
    """

    module: BatteryModule
    vehicle: Vehicle
    chosen: Layout | None = None
    looks: list[str] = field(default_factory=list, compare=False)

    @property
    def bay(self) -> BatteryBay:
        """The vehicle's battery bay."""
        return self.vehicle.battery_bay

    @cached_property
    def offer(self) -> Side:
        """The part's values, read by path."""
        return Side("battery_module", self.module, self.module.name)

    @cached_property
    def need(self) -> Side:
        """The bay's values, read by path."""
        return Side("battery_bay", self.bay, self.vehicle.name)

    @cached_property
    def car(self) -> Side:
        """The vehicle's own values, read by path."""
        return Side("vehicle", self.vehicle, self.vehicle.name)

    @cached_property
    def places(self) -> int | None:
        """Parts of this kind that the bay can hold."""
        return places_for(self.module, self.vehicle)

    @property
    def allowed(self) -> Layout | None:
        """The layout chosen, else the best one inside the voltage window."""
        self.looks.append("allowed")
        return self._allowed

    @property
    def layout(self) -> Layout | None:
        """The layout that the checks judge: the allowed one, else the nearest."""
        self.looks.append("layout")
        return self._layout

    @cached_property
    def _allowed(self) -> Layout | None:
        return self.chosen or next(iter(layouts(self.module, self.vehicle)), None)

    @cached_property
    def _layout(self) -> Layout | None:
        return self._allowed or nearest_layout(self.module, self.vehicle)

    @property
    def is_pack(self) -> bool:
        """Whether the part is a whole pack: what lies inside it is its maker's business."""
        return self.module.level == "pack"


@dataclass(frozen=True)
class BatteryCheck:
    """One check: id, what it checks, where the rule comes from, and the rule."""

    id: str
    title: str
    standard: str
    judge: Callable[[BatteryCase], list[Outcome]]


def no_layout(case: BatteryCase) -> Outcome:
    """What every check says that needs a layout when none can be derived: the part's size or the bay's is open."""
    size = [case.offer(f"envelope.{name}_mm") for name in ("length", "width", "height", "tolerance", "swelling")]
    space = [case.need(f"bay.{name}_mm") for name in ("length", "width", "height")]
    missing = tuple(value.field for value in (*size, *space) if value.content is None)
    return Outcome(
        Verdict.UNKNOWN,
        "No layout can be derived: whether and how often the part goes into the bay is not known.",
        missing=missing,
        action=f"Ask for {', '.join(missing)}." if missing else "",
    )
