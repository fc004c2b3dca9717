"""The choice of a family of common parts, as arrays: which parts to open so that every vehicle can be built.

    vehicle --picks one--> menu --has--> needs --each filled by one--> offer --of an open--> part

A *menu* is one way to equip a vehicle: a voltage class, or one battery module with its layout. Its *needs* are the
places that must then be filled: the battery, each axle. An *offer* fills a need with a part at a cost over the
vehicle's whole volume. A part in use is *open* and costs its fixed cost once. Needs of several menus that stand for
the same place share that place. Facility location and the p-median are the case of one menu with one need.

Costs of one problem are in one currency; where all of them are whole numbers, a plan is proven optimal as soon as no
whole number lies between its cost and the bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem

MOST_NAMED = 20  # problems of one sort that are told one by one
MOST = 1e12  # in any currency; a cost that large is a mistake, and would cost digits

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Assortment:
    """Parts that may be opened, vehicles that have to be built, and what each way of building them costs.

    Attributes:
        part_names: what reports call the parts, shape (part,).
        part_kind: index into `kinds`, shape (part,).
        part_cost: fixed cost of opening, shape (part,).
        kinds: names of the kinds of part, such as `module` and `axle`.
        vehicle_names: what reports call the vehicles, shape (vehicle,).
        menu_vehicle: the vehicle of each menu, shape (menu,), ascending.
        need_menu: the menu of each need, shape (need,), ascending.
        need_place: the place that a need stands for, shape (need,); a place belongs to one vehicle.
        offer_need: the need that an offer fills, shape (offer,).
        offer_part: the part that it takes, shape (offer,).
        offer_cost: its cost, shape (offer,).
        kind_limit: most open parts of each kind, shape (kind,); -1 for no limit.
        limit: most open parts in all; -1 for no limit.
        required: parts that have to be open, shape (part,).
    """

    part_names: Sequence[str]
    part_kind: IntArray
    part_cost: FloatArray
    kinds: tuple[str, ...]
    vehicle_names: Sequence[str]
    menu_vehicle: IntArray
    need_menu: IntArray
    need_place: IntArray
    offer_need: IntArray
    offer_part: IntArray
    offer_cost: FloatArray
    kind_limit: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    limit: int = -1
    required: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def __post_init__(self) -> None:
        if self.kind_limit.size == 0:
            object.__setattr__(self, "kind_limit", np.full(len(self.kinds), -1, dtype=np.int64))
        if self.required.size == 0:
            object.__setattr__(self, "required", np.zeros(self.part_kind.size, dtype=np.bool_))
        problems = list(_problems(self))
        if problems:
            raise InputError(problems)

    @property
    def whole(self) -> bool:
        """True where every cost is a whole number."""
        return bool(
            np.all(self.part_cost == np.rint(self.part_cost)) and np.all(self.offer_cost == np.rint(self.offer_cost))
        )

    def limited(self, limit: int | None = None, **kinds: int) -> Assortment:
        """The same choice with at most `limit` open parts in all, and at most so many of each kind named."""
        bounds = self.kind_limit.copy()
        for kind, bound in kinds.items():
            bounds[self.kinds.index(kind)] = bound
        return replace(self, kind_limit=bounds, limit=self.limit if limit is None else limit)

    def usable(self) -> Assortment:
        """The same choice without menus of which a need has no offer; those can be in no plan."""
        offered = np.zeros(self.need_menu.size, dtype=np.bool_)
        offered[self.offer_need] = True
        if offered.all():
            return self
        return self.restricted(np.ones(self.offer_need.size, dtype=np.bool_))

    def restricted(self, offers: BoolArray) -> Assortment:
        """The same choice among some of the offers, shape (offer,), and the menus that these fill; all parts stay."""
        offered = np.zeros(self.need_menu.size, dtype=np.bool_)
        offered[self.offer_need[offers]] = True
        menus = np.ones(self.menu_vehicle.size, dtype=np.bool_)
        menus[self.need_menu[~offered]] = False
        needs = menus[self.need_menu]
        new_menu, new_need = np.cumsum(menus) - 1, np.cumsum(needs) - 1
        kept = offers & needs[self.offer_need]
        return replace(
            self,
            menu_vehicle=self.menu_vehicle[menus],
            need_menu=new_menu[self.need_menu[needs]],
            need_place=self.need_place[needs],
            offer_need=new_need[self.offer_need[kept]],
            offer_part=self.offer_part[kept],
            offer_cost=self.offer_cost[kept],
        )

    def __repr__(self) -> str:
        counts = ", ".join(f"{np.sum(self.part_kind == i)} {kind}s" for i, kind in enumerate(self.kinds))
        return f"Assortment({len(self.vehicle_names)} vehicles, {counts}, {self.offer_need.size} offers)"


def _problems(choice: Assortment) -> Iterable[Problem]:
    sizes = {
        "part": (len(choice.part_names), choice.part_kind.size, choice.part_cost.size, choice.required.size),
        "need": (choice.need_menu.size, choice.need_place.size),
        "offer": (choice.offer_need.size, choice.offer_part.size, choice.offer_cost.size),
    }
    for name, lengths in sizes.items():
        if len(set(lengths)) > 1:
            found = f"arrays of {', '.join(map(str, lengths))} entries"
            yield _problem(name, found, "as many in each", "Give one for each.")
    indices = {
        "part_kind": (choice.part_kind, len(choice.kinds)),
        "menu_vehicle": (choice.menu_vehicle, len(choice.vehicle_names)),
        "need_menu": (choice.need_menu, choice.menu_vehicle.size),
        "offer_need": (choice.offer_need, choice.need_menu.size),
        "offer_part": (choice.offer_part, len(choice.part_names)),
    }
    for name, (values, count) in indices.items():
        wrong = (values < 0) | (values >= count)
        if wrong.any():
            place = f"{name}[{int(np.argmax(wrong))}]"
            yield _problem(place, str(values[wrong][0]), f"0 to {count - 1}", "Name one that is there.")
    for name in ("menu_vehicle", "need_menu"):
        if np.any(np.diff(getattr(choice, name)) < 0):
            yield _problem(name, "entries out of order", "ascending entries", "Sort them.")
    for name in ("part_cost", "offer_cost"):
        wrong = ~((getattr(choice, name) >= 0.0) & (getattr(choice, name) < MOST))
        if wrong.any():
            place = f"{name}[{int(np.argmax(wrong))}]"
            found = f"{getattr(choice, name)[wrong][0]:g} ({int(wrong.sum())} in all)"
            yield _problem(place, found, f"a cost of 0 to {MOST:g}", "Correct the cost.")
    for name, names in (("part", choice.part_names), ("vehicle", choice.vehicle_names)):
        twice = sorted(str(value) for value, count in Counter(names).items() if count > 1)
        for value in twice[:MOST_NAMED]:
            yield _problem(name, f"two of the name {value!r}", "one", "Rename one.")
        if len(twice) > MOST_NAMED:
            yield _problem(name, f"{len(twice) - MOST_NAMED} more names given twice", "one of each", "Rename them.")


def _problem(place: str, found: str, expected: str, action: str) -> Problem:
    return Problem(Location(key=place), found, expected, action)
