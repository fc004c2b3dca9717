"""Published test problems as assortments: OR-Library's p-median and facility location files, and assortment files.

An assortment file is JSON with the tables `modules` (module, fixed_cost), `axles` (axle, voltage_class, fixed_cost),
`slots` (slot, vehicle), `module_cost` (vehicle, module, voltage_class, cost) and `axle_cost` (slot, axle, cost); a
table is a list of records or a record of columns, and a row that is missing is a part that does not fit. Each vehicle
takes one module at one voltage class, and each of its slots an axle of that class. `max_variants`, `max_modules` and
`max_axles` may bound the open parts. The same tables may also be CSV files that share a prefix: name the one with the
slots.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kyotsu.errors import InputError, Location, Problem
from kyotsu.plan.assortment import MOST, Assortment

TABLES: dict[str, tuple[str, ...]] = {
    "modules": ("module", "fixed_cost"),
    "axles": ("axle", "voltage_class", "fixed_cost"),
    "slots": ("slot", "vehicle"),
    "module_cost": ("vehicle", "module", "voltage_class", "cost"),
    "axle_cost": ("slot", "axle", "cost"),
}
KEYS: dict[str, tuple[str, ...]] = {  # what must differ from row to row
    "modules": ("module",),
    "axles": ("axle",),
    "slots": ("slot",),
    "module_cost": ("vehicle", "module", "voltage_class"),
    "axle_cost": ("slot", "axle"),
}
BOUNDS = ("max_variants", "max_modules", "max_axles")
FAR = 1e9  # between vertices that no edge connects
MOST_VERTICES = 3000  # of a p-median: their distances, all to all, are found in half a minute
MOST_NEEDS = 10_000_000  # vehicles and slots times voltage classes


def load_instance(path: Path) -> Assortment:
    """The problem in a file, told by its form.

    Raises:
        InputError: the file cannot be read, or is none of the forms known.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise _bad(path, str(error), "a readable text file", "Check the path.") from error
    if text.lstrip().startswith("{"):
        return _assortment(path, _json_tables(path, text))
    if path.suffix == ".csv" and path.stem.endswith("_slots"):
        return _assortment(path, _csv_tables(path))
    try:
        numbers = np.array(text.split(), dtype=np.float64)
    except ValueError as error:
        raise _bad(path, str(error)[:120], "numbers, or JSON", "Give an OR-Library or assortment file.") from error
    header = len(text.lstrip().split("\n", 1)[0].split())
    if header not in (2, 3):
        expected = "3 (p-median) or 2 (facility location)"
        raise _bad(path, f"a first line of {header} numbers", expected, "Check the file.")
    if not np.all(np.isfinite(numbers)) or numbers.min() < 0.0 or numbers.max() >= MOST:
        wrong = numbers[~(np.isfinite(numbers) & (numbers >= 0.0) & (numbers < MOST))]
        found = f"{wrong[0]:g} ({wrong.size} such in all)"
        raise _bad(path, found, f"numbers from 0 to {MOST:g}", "Restore the file.")
    if np.any(numbers[:header] != np.rint(numbers[:header])):
        raise _bad(path, "a fraction in the first line", "whole numbers", "Restore the file.")
    return _p_median(path, numbers) if header == 3 else _facility_location(path, numbers)


def _p_median(path: Path, numbers: npt.NDArray[np.float64]) -> Assortment:
    """OR-Library pmed: every vertex is a customer and a site. Of parallel edges the last one listed counts."""
    vertices, edges, limit = (int(value) for value in numbers[:3])
    if numbers.size != 3 + 3 * edges:
        raise _bad(path, f"{numbers.size - 3} numbers", f"{3 * edges} for {edges} edges", "Restore the file.")
    if not 1 <= vertices <= MOST_VERTICES or not 1 <= limit <= vertices or edges < vertices - 1:
        found = f"{vertices} vertices, {edges} edges, {limit} medians"
        expected = f"1 to {MOST_VERTICES} vertices, edges that connect them, 1 median to one for each vertex"
        raise _bad(path, found, expected, "Restore the file.")
    ends = numbers[3:].reshape(-1, 3)[:, :2]
    wrong = np.any((ends < 1) | (ends > vertices) | (ends != np.rint(ends)), axis=1)
    if wrong.any():
        one, other = ends[wrong][0]
        raise _bad(path, f"an edge {one:g} to {other:g}", f"vertices 1 to {vertices}", "Restore the file.")
    distance = np.full((vertices, vertices), FAR)
    np.fill_diagonal(distance, 0.0)
    for one, other, length in numbers[3:].reshape(-1, 3):
        i, j = int(one) - 1, int(other) - 1
        distance[i, j] = distance[j, i] = length
    for via in range(vertices):  # Floyd and Warshall
        np.minimum(distance, distance[:, via, None] + distance[None, via, :], out=distance)
    if distance.max() >= FAR:
        raise _bad(path, "vertices that no path joins", "a connected graph", "Restore the file.")
    return _sites(distance, np.zeros(vertices), limit)


def _facility_location(path: Path, numbers: npt.NDArray[np.float64]) -> Assortment:
    """OR-Library cap without capacities: fixed costs, then each customer's demand and its cost from each site."""
    sites, customers = (int(value) for value in numbers[:2])
    if min(sites, customers) < 1:
        raise _bad(path, f"{sites} sites and {customers} customers", "one of each at least", "Restore the file.")
    if numbers.size != 2 + 2 * sites + customers * (1 + sites):
        found = f"{numbers.size} numbers"
        expected = f"{2 + 2 * sites + customers * (1 + sites)} for {sites} sites and {customers} customers"
        raise _bad(path, found, expected, "Restore the file.")
    fixed = numbers[2 : 2 + 2 * sites].reshape(-1, 2)[:, 1]
    return _sites(numbers[2 + 2 * sites :].reshape(customers, 1 + sites)[:, 1:], fixed, -1)


def _sites(cost: npt.NDArray[np.float64], fixed: npt.NDArray[np.float64], limit: int) -> Assortment:
    customers, sites = cost.shape
    each, every = np.arange(customers), np.arange(sites)
    return Assortment(
        part_names=[f"site {number + 1}" for number in every],
        part_kind=np.zeros(sites, dtype=np.int64),
        part_cost=fixed,
        kinds=("site",),
        vehicle_names=[f"customer {number + 1}" for number in each],
        menu_vehicle=each,
        need_menu=each,
        need_place=each,
        offer_need=np.repeat(each, sites),
        offer_part=np.tile(every, customers),
        offer_cost=cost.ravel(),
        limit=limit,
    )


def _json_tables(path: Path, text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(path, f"no JSON: {str(error)[:120]}", "an assortment", "Correct the file.") from error
    tables: dict[str, Any] = {name: content[name] for name in BOUNDS if content.get(name) is not None}
    problems = []
    for name, columns in TABLES.items():
        rows = content.get(name)
        if isinstance(rows, dict):
            table = rows
        elif isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            table = {column: [row.get(column) for row in rows] for column in columns}
        else:
            problems.append(Problem(Location(str(path), None, name), "no table", ", ".join(columns), "Add the table."))
            continue
        for column in columns:
            try:
                values = np.array(table[column], dtype=np.float64)
            except (KeyError, TypeError, ValueError, OverflowError):
                place = Location(str(path), None, f"{name}.{column}")
                problems.append(Problem(place, "no column of numbers", "a number in each row", "Complete the column."))
            else:
                tables[f"{name}.{column}"] = values
    if problems:
        raise InputError(problems)
    return tables


def _csv_tables(path: Path) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for name, columns in TABLES.items():
        file = path.with_name(path.name.removesuffix("slots.csv") + f"{name}.csv")
        try:
            with file.open(encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
            for column in columns:
                tables[f"{name}.{column}"] = np.array([row[column] for row in rows], dtype=np.float64)
        except (OSError, KeyError, ValueError, csv.Error) as error:
            raise _bad(file, str(error)[:120], f"columns {', '.join(columns)}", "Give all five files.") from error
    return tables


def _table_problems(path: Path, tables: dict[str, Any]) -> Iterator[Problem]:
    """All that is wrong with the numbers, before anything of their size is made."""

    def problem(key: str, found: str, expected: str, action: str = "Correct the rows.") -> Problem:
        return Problem(Location(str(path), None, key), found, expected, action)

    for name, columns in TABLES.items():
        values = {column: tables[f"{name}.{column}"] for column in columns}
        sizes = {array.shape for array in values.values()}
        if len(sizes) > 1 or any(len(size) != 1 for size in sizes):
            yield problem(name, f"columns of {sorted(sizes)} numbers", "as many in each", "Complete the columns.")
            continue
        if values[columns[0]].size == 0:
            yield problem(name, "no rows", "one row at least", "Fill the table.")
            continue
        for column, array in values.items():
            money = column.endswith("cost")
            good = np.isfinite(array) & (np.abs(array) < MOST)
            good &= (array >= 0.0) if money else (array == np.rint(array))
            if not good.all():
                found = f"{array[~good][0]:g} in row {int(np.argmin(good)) + 1} ({int((~good).sum())} such rows in all)"
                yield problem(f"{name}.{column}", found, f"a cost of 0 to {MOST:g}" if money else "a whole number")
        keys = [values[column] for column in KEYS[name]]
        order = np.lexsort(keys)
        same = np.all([key[order][1:] == key[order][:-1] for key in keys], axis=0)
        if same.any():
            row = order[1:][same][0]
            found = ", ".join(f"{column} {values[column][row]:g}" for column in KEYS[name])
            yield problem(name, f"{found} twice ({int(same.sum())} such rows in all)", "one row each", "Remove one.")
    parts = {"max_modules": tables["modules.module"].size, "max_axles": tables["axles.axle"].size}
    for name in BOUNDS:
        bound, most = tables.get(name, 1), parts.get(name, sum(parts.values()))
        if isinstance(bound, bool) or not isinstance(bound, int) or not 1 <= bound <= most:
            yield problem(name, repr(bound)[:60], f"1 to {most}, the parts there are", "Correct or leave it out.")
    places = np.unique(tables["slots.vehicle"]).size + tables["slots.slot"].size
    classes = np.unique(tables["axles.voltage_class"]).size
    if places * classes > MOST_NEEDS:
        found = f"{places} vehicles and slots times {classes} classes"
        yield problem("axles.voltage_class", found, f"{MOST_NEEDS} at most", "Check the classes.")


def _assortment(path: Path, tables: dict[str, Any]) -> Assortment:
    problems = list(_table_problems(path, tables))
    if problems:
        raise InputError(problems)
    names, index = {}, {}
    for table, column in (("modules", "module"), ("axles", "axle"), ("slots", "slot")):
        names[column] = tables[f"{table}.{column}"]
        index[column] = {value: place for place, value in enumerate(names[column].tolist())}
    vehicles, of_slot = np.unique(tables["slots.vehicle"], return_inverse=True)
    index["vehicle"] = {value: place for place, value in enumerate(vehicles.tolist())}
    classes = np.unique(tables["axles.voltage_class"])
    count = classes.size
    # Menus are vehicles at a class; of each the first need is the battery, then come the slots in their order.
    slots = np.bincount(of_slot, minlength=vehicles.size)
    menu_vehicle = np.repeat(np.arange(vehicles.size), count)
    sizes = np.repeat(1 + slots, count)
    first = np.concatenate([[0], np.cumsum(sizes)])
    rank = np.zeros(of_slot.size, dtype=np.int64)
    order = np.argsort(of_slot, kind="stable")
    starts = np.concatenate([[0], np.cumsum(slots)])
    rank[order] = np.arange(of_slot.size) - starts[of_slot[order]]
    need_menu = np.repeat(np.arange(sizes.size), sizes)
    place = np.repeat(menu_vehicle, sizes)
    within = np.arange(need_menu.size) - first[need_menu]
    slot_of = order[np.minimum(starts[place] + np.maximum(within - 1, 0), max(of_slot.size - 1, 0))]
    need_place = np.where(within == 0, place, vehicles.size + slot_of)

    def places(table: str, column: str) -> npt.NDArray[np.int64]:
        known, values = index[column], tables[f"{table}.{column}"].tolist()
        missing = sorted({value for value in values if value not in known})
        if missing:
            raise _bad(path, f"{table}: {column} {missing[0]:g}", f"a {column} that is listed", "Correct the row.")
        return np.array([known[value] for value in values], dtype=np.int64)

    level = np.searchsorted(classes, tables["module_cost.voltage_class"])
    module_need = first[places("module_cost", "vehicle") * count + np.minimum(level, count - 1)]
    known = np.isin(tables["module_cost.voltage_class"], classes)  # a class without an axle is no class
    slot, axle = places("axle_cost", "slot"), places("axle_cost", "axle")
    axle_level = np.searchsorted(classes, tables["axles.voltage_class"])[axle]
    axle_need = first[of_slot[slot] * count + axle_level] + 1 + rank[slot]
    modules, axles = names["module"].size, names["axle"].size
    return Assortment(
        part_names=[
            *(f"module {int(value)}" for value in names["module"]),
            *(f"axle {int(value)}" for value in names["axle"]),
        ],
        part_kind=np.repeat(np.arange(2), [modules, axles]),
        part_cost=np.concatenate([tables["modules.fixed_cost"], tables["axles.fixed_cost"]]),
        kinds=("module", "axle"),
        vehicle_names=[f"vehicle {int(value)}" for value in vehicles],
        menu_vehicle=menu_vehicle,
        need_menu=need_menu,
        need_place=need_place,
        offer_need=np.concatenate([module_need[known], axle_need]),
        offer_part=np.concatenate([places("module_cost", "module")[known], modules + axle]),
        offer_cost=np.concatenate([tables["module_cost.cost"][known], tables["axle_cost.cost"]]),
        kind_limit=np.array([int(tables.get("max_modules", -1)), int(tables.get("max_axles", -1))]),
        limit=int(tables.get("max_variants", -1)),
    )


def _bad(path: Path, found: str, expected: str, action: str) -> InputError:
    return InputError([Problem(Location(str(path)), found, expected, action)])
