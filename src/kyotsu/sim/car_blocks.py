"""Cars in blocks: more vehicles than memory holds, one block at a time.

    sales_cars    variants of the cars of the validation table, made as they are needed
    vehicle_cars  `VehicleParameters`, from an iterable or a function of the block's number

`Cars` says what there is and yields blocks; a block is light, can be sent to another process, and becomes a
`Load` of parameters only where it is driven. A row that cannot be a car does not stop the others: its
parameters are such that `parameter_checks.invalid` flags it, and `Load.wrong` says why where the reading knew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.car_table import load_validation_cars
from kyotsu.sim.components import LAYOUTS, MOTOR_TYPES, generic_vehicle
from kyotsu.sim.parameter_checks import unchecked
from kyotsu.sim.parameters import FloatArray, VehicleParameters, map_arrays

BLOCK = 32_768  # vehicles; 26 MB of parameters, and a part of some 1 MB on disk
SALES_MAKES = ("Honda", "Nissan")
SPREAD = 0.07  # -, of the variants: our assumption, about what trims and options of one model differ by

Ids = npt.NDArray[Any]  # whole numbers, or texts


class Load(NamedTuple):
    """A block's vehicles, ready to be driven."""

    ids: Ids  # shape (vehicle,)
    parameters: VehicleParameters
    weight: FloatArray | None  # cars that each row stands for, shape (vehicle,)
    wrong: dict[int, str]  # place in the block: what cannot be read there


class Block(Protocol):
    """Some vehicles of many; can be pickled."""

    @property
    def size(self) -> int:
        """Number of vehicles."""
        ...

    def fingerprint(self) -> str:
        """Changes with anything that its vehicles are made of."""
        ...

    def load(self) -> Load:
        """The vehicles."""
        ...


@dataclass(frozen=True, slots=True)
class Cars:
    """Vehicles in blocks.

    Attributes:
        name: what they are called in messages.
        identity: changes with what they are; empty where only the blocks themselves can tell.
        count: how many; `None` where nobody knows before the end.
        blocks: yields them from the first, the same each time.
    """

    name: str
    identity: str
    count: int | None
    blocks: Callable[[], Iterator[Block]]


class Outline(NamedTuple):
    """What `generic_vehicle` needs of each car, NaN where unknown; each of shape (vehicle,)."""

    mass_kg: FloatArray
    road_load_a_n: FloatArray
    road_load_b_n_per_mps: FloatArray
    road_load_c_n_per_mps2: FloatArray
    rated_power_kw: FloatArray
    battery_kwh: FloatArray
    model_year: FloatArray
    motor_type: npt.NDArray[np.int8]  # place in `MOTOR_TYPES`
    layout: npt.NDArray[np.int8]  # place in `LAYOUTS`

    def vehicles(self) -> VehicleParameters:
        """Parameters by the generic components, unchecked."""
        named = self._asdict() | {
            "motor_type": np.array(MOTOR_TYPES)[self.motor_type].tolist(),
            "layout": np.array(LAYOUTS)[self.layout].tolist(),
        }
        with unchecked():
            return generic_vehicle(**named)


@dataclass(frozen=True, slots=True)
class OutlineBlock:
    """Cars of a table."""

    ids: Ids
    outline: Outline
    weight: FloatArray | None = None
    wrong: dict[int, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of vehicles."""
        return int(self.ids.size)

    def fingerprint(self) -> str:
        """Hash of all columns."""
        weight = () if self.weight is None else (self.weight,)
        return _hash(self.ids, *self.outline, *weight, repr(sorted(self.wrong.items())))

    def load(self) -> Load:
        """The cars, their gaps filled by the generic components."""
        outline = self.outline
        if self.wrong:
            mass = outline.mass_kg.copy()
            mass[list(self.wrong)] = np.nan
            outline = outline._replace(mass_kg=mass)
        return Load(self.ids, outline.vehicles(), self.weight, self.wrong)


@dataclass(frozen=True, slots=True)
class SalesBlock:
    """Variants of real cars that are made where they are driven."""

    base: Outline
    first: int
    size: int
    seed: int

    def fingerprint(self) -> str:
        """Hash of what the variants follow from."""
        return _hash(*self.base, repr((self.first, self.size, self.seed, SPREAD)))

    def load(self) -> Load:
        """The variants: mass, road load, power and battery each within `SPREAD` of a car drawn by lot."""
        random = np.random.default_rng([self.seed, self.first])
        drawn = random.integers(self.base.mass_kg.size, size=self.size)
        cars = map_arrays(lambda values: values[drawn], self.base)
        varied = {
            name: getattr(cars, name) * random.uniform(1.0 - SPREAD, 1.0 + SPREAD, self.size)
            for name in Outline._fields[:6]
        }
        parameters = cars._replace(**varied).vehicles()
        return Load(np.arange(self.first, self.first + self.size), parameters, None, {})


@dataclass(frozen=True, slots=True)
class VehicleBlock:
    """Vehicles that somebody else made."""

    ids: Ids
    parameters: VehicleParameters

    @property
    def size(self) -> int:
        """Number of vehicles."""
        return self.parameters.vehicle_count

    def fingerprint(self) -> str:
        """Hash of all parameters."""
        return _hash(self.ids, *_arrays(self.parameters))

    def load(self) -> Load:
        """The vehicles as they are."""
        return Load(self.ids, self.parameters, None, {})


def sales_cars(vehicles: int, *, seed: int = 2026, makes: Collection[str] = SALES_MAKES) -> Cars:
    """As many different cars as are sold: seeded variants of the cars that a maker had certified.

    Each is a car of the validation table, drawn by lot, with mass, road load, power and battery energy each
    varied by up to 7 %. Synthetic: which models sell how often is not in it.

    Args:
        vehicles: how many.
        seed: other cars for another number.
        makes: of the cars varied.

    Raises:
        InputError: no vehicle asked for, or no car of these makes.
    """
    table = load_validation_cars()
    table = table.where(np.isin(table.make, list(makes)))
    problems = []
    if vehicles < 1:
        problems.append(Problem(Location(key="vehicles"), str(vehicles), "1 or more", "Give a whole number."))
    if not len(table):
        found = ", ".join(makes) or "no make"
        problems.append(Problem(Location(key="makes"), found, "a make of the validation table", "Correct the name."))
    if problems:
        raise InputError(problems)
    base = Outline(
        mass_kg=table.test_mass_kg,
        road_load_a_n=table.road_load_a_n,
        road_load_b_n_per_mps=table.road_load_b_n_per_mps,
        road_load_c_n_per_mps2=table.road_load_c_n_per_mps2,
        rated_power_kw=table.power_kw,
        battery_kwh=table.battery_gross_kwh,
        model_year=table.model_year,
        motor_type=np.array([MOTOR_TYPES.index(name) for name in table.motor_type], dtype=np.int8),
        layout=np.array([LAYOUTS.index(name) for name in table.layout], dtype=np.int8),
    )

    def blocks() -> Iterator[Block]:
        for first in range(0, vehicles, BLOCK):
            yield SalesBlock(base, first, min(BLOCK, vehicles - first), seed)

    identity = _hash(*base, repr((vehicles, seed, SPREAD)))
    return Cars(f"{vehicles} variants of cars of {', '.join(makes)}", identity, vehicles, blocks)


Batch = VehicleParameters | tuple[Ids, VehicleParameters]


def vehicle_cars(
    batches: Iterable[Batch] | Callable[[int], Batch | None], *, count_known: int | None = None, identity: str = ""
) -> Cars:
    """Vehicles that come as parameters, each batch a block; it should hold some 10 000, for it is held whole.

    Args:
        batches: parameters, or ids of shape (vehicle,) and parameters; or a function that gives the batch of a
            number from 0, and `None` after the last. Vehicles without ids are counted from 0. To be
            resumed, they must come again as they were.
        count_known: how many vehicles there are, if known.
        identity: whatever changes with the vehicles; without it only the batches that were driven are compared.
    """

    def blocks() -> Iterator[Block]:
        first = 0
        for batch in _called(batches) if callable(batches) else batches:
            if isinstance(batch, VehicleParameters):
                ids: Ids = np.arange(first, first + batch.vehicle_count)
                block = VehicleBlock(ids, batch)
            else:
                block = VehicleBlock(np.asarray(batch[0]), batch[1])
            first += block.size
            if block.size:
                yield block

    return Cars("vehicles given as parameters", identity, count_known, blocks)


def _called(function: Callable[[int], Batch | None]) -> Iterator[Batch]:
    for number in count():
        batch = function(number)
        if batch is None:
            return
        yield batch


def _arrays(tree: Any) -> Iterator[npt.NDArray[Any]]:
    if isinstance(tree, np.ndarray):
        yield tree
    else:
        for branch in tree or ():
            yield from _arrays(branch)


def _hash(*parts: npt.NDArray[Any] | str) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode())
        elif part.dtype == object:
            digest.update("\0".join(map(str, part)).encode())
        else:
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()
