"""Made-up assortments of any size, to try the optimiser on: battery modules and e-axles for vehicles of two classes.

Nothing in them is measured. They have the form of the real choice, though: a pack is whole strings of whole modules,
so that a module fits some vehicles well and others with much idle energy; an e-axle of another voltage is another
part; costs are over a vehicle's whole volume, which differs by more than ten times from one to the next. The same
seed gives the same problem on any machine, to the unit: from the generator's raw bits on, there is nothing but sums,
products, quotients and roots, which IEEE 754 defines to the last digit. Costs are whole thousands of US dollars.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from kyotsu.errors import InputError, Location, Problem
from kyotsu.plan.assortment import Assortment, FloatArray, IntArray

PACK_VOLTAGE = (360.0, 720.0)  # V, nominal, of the two classes
VOLTAGE_TOLERANCE = 0.10  # -, of the pack's from that of its class
IDLE_ENERGY = 0.45  # -, most that a pack may hold beyond the vehicle's need
MISFIT = 0.04  # -, spread of the logarithm of what a pair costs beside the rules below
MOST_PAIRS = 40_000_000  # of a vehicle and a part: about 3 GB while it is solved
FORM = re.compile(r"(\d{1,9})x(\d{1,9})x(\d{1,9})(?::(\d{1,10}))?", re.ASCII)


class Size(NamedTuple):
    """How large a made-up assortment is, and the seed that it grows from."""

    vehicles: int
    modules: int
    axles: int
    seed: int = 1

    def __str__(self) -> str:
        return f"{self.vehicles}x{self.modules}x{self.axles}:{self.seed}"


def size_from(text: str) -> Size:
    """Read `VEHICLESxMODULESxAXLES[:SEED]`, such as `60x500x200:1`.

    Raises:
        InputError: it has another form, a number is 0, or there are fewer than two e-axles (one of each class) or
            more than `MOST_PAIRS` of a vehicle and a part.
    """
    found = FORM.fullmatch(text.strip())
    if found is None:
        raise _bad(text, "VEHICLESxMODULESxAXLES[:SEED]", "Write, say, 60x500x200:1.")
    size = Size(*(int(part) for part in found.groups("1")))
    if min(size[:3]) < 1 or size.axles < 2:
        raise _bad(text, "a vehicle, a module and two e-axles at least", "Raise the number.")
    pairs = size.vehicles * (2 * size.modules + size.axles)
    if pairs > MOST_PAIRS:
        expected = f"{MOST_PAIRS} pairs at most (vehicles x (2 modules + axles); here {pairs})"
        raise _bad(text, expected, "Lower a number.")
    return size


class _Random:
    """A stream of numbers that no version and no processor changes."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def uniform(self, low: float, high: float, count: int) -> FloatArray:
        unit = (self._bits.random_raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return np.asarray(low + (high - low) * unit, dtype=np.float64)

    def bell(self, count: int) -> FloatArray:
        """Mean 0, variance 1, within 6: the sum of twelve uniform numbers."""
        total = np.full(count, -6.0)
        for _ in range(12):
            total += self.uniform(0.0, 1.0, count)
        return total


def _grown(rate: FloatArray) -> FloatArray:
    """About the exponential of a rate above -8."""
    doubled = (1.0 + rate / 8.0) * (1.0 + rate / 8.0)
    doubled *= doubled
    return doubled * doubled


class _Vehicles(NamedTuple):
    volume: FloatArray  # thousands, over its life
    energy: FloatArray  # kWh
    height: FloatArray  # mm, of the space for the pack
    slots: IntArray  # driven axles
    power: FloatArray  # kW at each driven axle
    torque: FloatArray  # N m at each driven axle


def synthetic(size: Size, misfit: float = MISFIT) -> Assortment:
    """The assortment of this size and seed; every vehicle can be built.

    The more `misfit` (see `MISFIT`), the less alike are vehicles in what suits them, and the harder is the choice: at
    0.16 a few parts of a large catalogue take minutes.
    """
    random = _Random(size.seed)
    vehicles = _vehicles(random, size.vehicles)
    module_fixed, module_offers = _modules(random, size.modules, vehicles, misfit)
    axle_fixed, axle_offers = _axles(random, size.axles, size.modules, vehicles, misfit)
    # Each vehicle has a menu for each class; of each the first need is the battery, then come its slots.
    slots = np.repeat(vehicles.slots, 2)
    need_menu = np.repeat(np.arange(slots.size), 1 + slots)
    within = np.arange(need_menu.size) - _first_need(vehicles)[need_menu]
    place = np.concatenate([[0], np.cumsum(1 + vehicles.slots)])[need_menu // 2] + within
    offers = [*module_offers, *axle_offers]
    return Assortment(
        part_names=[
            *(f"module {number}" for number in range(size.modules)),
            *(f"axle {number}" for number in range(size.axles)),
        ],
        part_kind=np.repeat(np.arange(2), [size.modules, size.axles]),
        part_cost=np.concatenate([module_fixed, axle_fixed]),
        kinds=("module", "axle"),
        vehicle_names=[f"vehicle {number}" for number in range(size.vehicles)],
        menu_vehicle=np.repeat(np.arange(size.vehicles), 2),
        need_menu=need_menu,
        need_place=place,
        offer_need=np.concatenate([np.full(part.size, need) for need, part, _ in offers]),
        offer_part=np.concatenate([part for _, part, _ in offers]),
        offer_cost=np.concatenate([cost for _, _, cost in offers]),
    )


def _first_need(vehicles: _Vehicles) -> IntArray:
    """The first need of each menu, two menus a vehicle."""
    return np.concatenate([[0], np.cumsum(np.repeat(1 + vehicles.slots, 2))])[:-1]


def _vehicles(random: _Random, count: int) -> _Vehicles:
    energy = np.clip(60.0 * _grown(0.35 * random.bell(count)), 25.0, 150.0)
    power = np.clip(1.9 * energy * _grown(0.25 * random.bell(count)), 50.0, 300.0)
    return _Vehicles(
        volume=np.clip(150.0 * _grown(0.9 * random.bell(count)), 10.0, 1500.0),
        energy=energy,
        height=random.uniform(110.0, 180.0, count),
        slots=np.where(random.uniform(0.0, 1.0, count) < 0.25, 2, 1),
        power=power,
        torque=np.clip(18.0 * power * _grown(0.25 * random.bell(count)), 800.0, 5000.0),
    )


def _modules(
    random: _Random, count: int, vehicles: _Vehicles, misfit: float
) -> tuple[FloatArray, list[tuple[int, IntArray, FloatArray]]]:
    """Fixed costs, and per need the modules that fit with their cost over the volume."""
    series = np.floor(random.uniform(5.0, 31.0, count))  # cells in series; 3.65 V each
    energy = series * random.uniform(0.18, 0.75, count)  # kWh
    height = random.uniform(90.0, 175.0, count)
    price = 95.0 * _grown(0.15 * random.bell(count)) * (1.0 + 0.15 * (energy < 5.0))  # USD/kWh
    fixed = np.rint(random.uniform(30_000.0, 95_000.0, count))
    series[0], energy[0], height[0] = 9.0, 1.5, 90.0  # small enough for any space
    offers = []
    first = _first_need(vehicles)
    for vehicle in range(vehicles.energy.size):
        for level, voltage in enumerate(PACK_VOLTAGE):
            rows = np.maximum(np.rint(voltage / (3.65 * series)), 1.0)
            off = np.abs(rows * 3.65 * series / voltage - 1.0)
            need = vehicles.energy[vehicle]
            strings = np.maximum(np.ceil(need / (rows * energy)), 1.0)
            held = strings * rows * energy
            fits = (off <= VOLTAGE_TOLERANCE) & (held <= (1.0 + IDLE_ENERGY) * need)
            fits &= height <= vehicles.height[vehicle]
            if level == 0 and not fits.any():
                fits[0] = True  # so that every vehicle can be built
            part = np.flatnonzero(fits)
            each = held * price + 14.0 * strings * rows + 120.0 * strings + (250.0 if level else 0.0)
            each = each[part] * (1.0 + 0.1 * (held[part] / need - 1.0)) * _grown(misfit * random.bell(part.size))
            cost = np.rint(vehicles.volume[vehicle] * each)
            offers.append((int(first[2 * vehicle + level]), part, cost))
    return fixed, offers


def _axles(
    random: _Random, count: int, modules: int, vehicles: _Vehicles, misfit: float
) -> tuple[FloatArray, list[tuple[int, IntArray, FloatArray]]]:
    """Fixed costs, and per need the e-axles that are strong enough with their cost over the volume."""
    level = np.arange(count) % 2
    power = 60.0 * np.square(1.0 + random.uniform(0.0, 1.3, count))
    torque = 18.0 * power * _grown(0.2 * random.bell(count))
    quality = _grown(0.12 * random.bell(count))
    power[:2], torque[:2] = 320.0, 5500.0  # strong enough for any slot, one of each class
    price = (350.0 + 5.5 * power + 0.12 * torque) * quality * np.where(level == 1, 1.05, 1.0)  # USD
    loss = 180.0 * np.where(level == 1, 0.8, 1.0) / quality  # USD, of energy over the life
    fixed = np.rint(random.uniform(40_000.0, 100_000.0, count))
    offers = []
    first = _first_need(vehicles)
    for vehicle in range(vehicles.energy.size):
        for slot in range(int(vehicles.slots[vehicle])):
            share = (1.0, 0.7)[slot]
            need = share * vehicles.power[vehicle]
            for of_class in range(2):
                fits = (level == of_class) & (power >= need) & (torque >= share * vehicles.torque[vehicle])
                part = np.flatnonzero(fits)
                each = price[part] + loss[part] * np.sqrt(power[part] / need) * need / 100.0
                cost = np.rint(vehicles.volume[vehicle] * each * _grown(misfit * random.bell(part.size)))
                offers.append((int(first[2 * vehicle + of_class]) + 1 + slot, modules + part, cost))
    return fixed, offers


def _bad(text: str, expected: str, action: str) -> InputError:
    return InputError([Problem(Location(key="--synthetic"), repr(text[:60]), expected, action)])
