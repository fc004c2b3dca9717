"""A workspace loads whole, or says all that is wrong with it: once, in words, with file, line and key."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyotsu.errors import InputError, Problem
from kyotsu.spec.fit import fit_battery, fit_workspace
from kyotsu.spec.schema import KINDS
from kyotsu.spec.workspace import check_workspace
from spec.test_document import Writer
from spec.workspaces import TWO_MAKERS, Folder

ALLIANCE, SLOTS, STANDARDS = "alliance.toml", "standards/slots.toml", "standards/common.toml"
MODULES, EAXLES, CELL = "parts/battery_modules.toml", "parts/eaxles.toml", "parts/cells/pouch.json"
MAKER, VEHICLES, BETA = "makers/alpha/maker.toml", "makers/alpha/vehicles.toml", "makers/beta/vehicles.toml"
EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = (ALLIANCE, SLOTS, STANDARDS, MODULES, EAXLES, CELL, MAKER, VEHICLES, BETA)

MINIMAL_VEHICLE = """\
format = 1

[[vehicle]]
id = "car"
name = "Car"
drive = "front"
resistances = { drag_coefficient = 0.3, frontal_area_m2 = 2.2, rolling_resistance_coefficient = 0.01 }
masses = { curb_kg = 1500.0 }
battery_bay = { id = "bay" }
eaxle_mounts = [{ id = "front", axle = "front" }]
sources."*" = { source = "none", status = "assumed" }
"""


def minimal(root: Path) -> Folder:
    folder = Folder(root, source=None)
    folder.write(ALLIANCE, 'format = 1\nname = "One"\nyear = 2024\n')
    folder.write(MODULES, "format = 1\n")
    folder.write(EAXLES, "format = 1\n")
    folder.write("makers/one/maker.toml", 'format = 1\nname = "One"\n')
    folder.write("makers/one/vehicles.toml", MINIMAL_VEHICLE)
    return folder


# --- what loads ---


def test_the_smallest_workspace_loads(tmp_path: Path) -> None:
    workspace, problems = check_workspace(minimal(tmp_path).root)
    assert problems == []
    assert workspace is not None
    assert list(workspace.vehicles) == ["one/car"]
    assert (workspace.parts, workspace.standards, workspace.cells, workspace.warnings) == ({}, {}, {}, ())


def test_a_workspace_loads_whole(folder: Folder) -> None:
    workspace = folder.load()
    assert list(workspace.makers) == ["alpha", "beta"]
    assert list(workspace.vehicles) == ["alpha/hatch", "alpha/hatch_plus", "beta/box"]
    assert list(workspace.parts) == ["block_8s", "block_8s_heavy", "drive_100"]
    assert list(workspace.standards) == ["common_module@0.9", "common_module@1.0", "common_drive@0.1"]
    assert list(workspace.cells) == ["pouch"]
    assert workspace.alliance.agreement[0].parties == ("alpha", "beta")


@pytest.mark.parametrize(
    ("name", "path", "file", "words"),
    [
        ("alliance.toml", "market.0.name", ALLIANCE, 'name = "Japan"'),
        ("block_8s", "mass_kg", MODULES, "mass_kg = 20.0"),
        ("block_8s", "envelope.height_mm", MODULES, "height_mm = 150.0"),
        ("drive_100", "ratings.1.peak_power_kw", EAXLES, "peak_power_kw = 100.0"),
        ("alpha/hatch", "battery_bay.mounting.thread", SLOTS, 'thread = "M8"'),
        ("alpha/hatch", "eaxle_mounts.0.park_lock", SLOTS, "park_lock = true"),
        ("alpha/hatch", "eaxle_mounts.0.axle", VEHICLES, 'axle = "front"'),
        ("alpha/hatch_plus", "tyre.radius_mm", VEHICLES, "tyre = "),
        ("beta/box", "battery_bay.max_mass_kg", BETA, "max_mass_kg = 340.0"),
        ("common_drive@0.1", "kind", STANDARDS, 'kind = "eaxle"'),
    ],
)
def test_a_value_of_a_loaded_workspace_is_located(folder: Folder, name: str, path: str, file: str, words: str) -> None:
    place = folder.load().locate(name, path)
    assert (place.file, place.line) == (str(folder.path(file)), folder.line(file, words))


def test_what_is_not_in_a_workspace_is_located_at_its_folder(folder: Folder) -> None:
    assert folder.load().locate("nobody/car", "mass_kg").file == str(folder.root)


def test_what_stands_outside_the_known_files_is_told_as_a_warning(folder: Folder) -> None:
    for name in ("alliances.toml", "parts/battery_module.toml", "makers/alpha/Vehicles.toml", "makers/alpha/buss.dbc"):
        folder.write(name, "format = 1\n")
    later = ("bus.dbc", "signals.toml", "demand.toml")
    for name in ("supply.toml", "parts/notes.txt", *(f"makers/alpha/{name}" for name in later)):
        folder.write(name, "not for this room")
    folder.write("makers/.git/config", "x")
    problems = folder.problems()
    assert {folder.at(problem)[0] for problem in problems} == {
        "alliances.toml",
        "parts/battery_module.toml",
        "makers/alpha/Vehicles.toml",
        "makers/alpha/buss.dbc",
    }
    assert {problem.severity for problem in problems} == {"warning"}
    assert set(folder.load().warnings) == set(problems)


# --- bad input: each gives one problem ---


class Bad(NamedTuple):
    """One thing wrong in a file, and where and in which words it must be told."""

    file: str
    old: str
    new: str
    key: str | None
    found: str
    expected: str
    at: str = ""  # words on the line of the problem, if it is not the last line of `new`


SECOND_VERSION = '\nid = "common_module"\nversion = "1.0"\nkind = "battery_module"\nname = "Common module"'
BAD = {
    # units
    "grams": Bad(
        MODULES, "mass_kg = 20.0", "mass_g = 20000.0",
        "battery_module[1].mass_g", "unknown key 'mass_g'", "mass_kg (in kilogram)",
    ),
    "pounds": Bad(
        MODULES, "mass_kg = 20.0", "mass_lb = 44.0",
        "battery_module[1].mass_lb", "unknown key 'mass_lb'", "mass_kg (in kilogram)",
    ),
    "no unit": Bad(EAXLES, "mass_kg = 80.0", "mass = 80.0", "eaxle[1].mass", "unknown key 'mass'",
    "mass_kg (in kilogram)"),
    "another unit of ours": Bad(
        MODULES, "nominal_voltage_v", "nominal_voltage_mv",
        "battery_module[1].nominal_voltage_mv", "unknown key", "nominal_voltage_v (in volt)",
    ),
    # keys
    "unknown key": Bad(
        MODULES, "mass_kg = 20.0", "mass_kg = 20.0\ncolour = 'red'",
        "battery_module[1].colour", "unknown key 'colour'", "one of capacity_ah, ",
    ),
    "unknown table": Bad(ALLIANCE, "[[market]]", "[[markets]]", "markets", "unknown key 'markets'", "market"),
    "unknown list of tables": Bad(
        BETA, "[[vehicle]]", "[[car]]\nid = 'x'\n\n[[vehicle]]", "car", "unknown key 'car'", "[[vehicle]]", at="[[car]]"
    ),
    "typing error": Bad(
        MODULES, "capacity_ah", "capacty_ah", "battery_module[1].capacty_ah", "unknown key 'capacty_ah'", "capacity_ah"
    ),
    "typing error in a required key": Bad(
        MODULES, "cells_series = 8", "cell_series = 8",
        "battery_module[1].cell_series", "unknown key 'cell_series'", "cells_series",
    ),
    "required key absent": Bad(
        EAXLES, 'supplier = "Turn Works"\n', "", "eaxle[1].supplier", "no key 'supplier'", "required", at="[[eaxle]]"
    ),
    # numbers
    "not a number": Bad(
        MODULES, "mass_kg = 20.0", "mass_kg = nan",
        "battery_module[1].mass_kg", "mass_kg = nan", "a finite number in kilogram",
    ),
    "infinite": Bad(
        EAXLES, "mass_kg = 80.0", "mass_kg = inf", "eaxle[1].mass_kg", "mass_kg = inf", "a finite number in kilogram"
    ),
    "negative mass": Bad(
        MODULES, "mass_kg = 20.0", "mass_kg = -20.0",
        "battery_module[1].mass_kg", "mass_kg = -20.0", "greater than 0 in kilogram",
    ),
    "no mass": Bad(EAXLES, "mass_kg = 80.0", "mass_kg = 0", "eaxle[1].mass_kg", "mass_kg = 0",
    "greater than 0 in kilogram"),
    "beyond any mass": Bad(
        EAXLES, "mass_kg = 80.0", "mass_kg = 1e300", "eaxle[1].mass_kg", "mass_kg = 1e+300", "less than or equal to 1"
    ),
    "below absolute zero": Bad(
        MODULES, "inlet_max_c = 45.0", "inlet_max_c = -300", "battery_module[1].thermal.inlet_max_c",
        "inlet_max_c = -300", "greater than or equal to -273.15 in degree Celsius",
    ),
    "a count too large": Bad(
        MODULES, "cells_series = 8", "cells_series = 9223372036854775807",
        "battery_module[1].cells_series", "cells_series = 9223372036854775807", "less than or equal to 10000",
    ),
    "whole number beyond TOML": Bad(
        MODULES, "cells_series = 8", "cells_series = 9223372036854775808",
        "battery_module[1].cells_series", "a whole number of 64 bits", "64 bits at most",
    ),
    "share above one": Bad(
        EAXLES, "efficiency = 0.97", "efficiency = 97.0",
        "eaxle[1].reducer.efficiency", "efficiency = 97.0", "less than or equal to 1",
    ),
    # types
    "number in quotes": Bad(
        MODULES, "mass_kg = 20.0", 'mass_kg = "20"', "battery_module[1].mass_kg", "mass_kg = '20'",
        "a number in kilogram"
    ),
    "number for a text": Bad(
        MODULES, 'supplier = "Cell Works"', "supplier = 7", "battery_module[1].supplier", "supplier = 7",
        "text in quotes"
    ),
    "fraction for a count": Bad(
        MODULES, "cells_series = 8", "cells_series = 8.0",
        "battery_module[1].cells_series", "cells_series = 8.0", "a whole number",
    ),
    "truth for a number": Bad(
        MODULES, "mass_kg = 20.0", "mass_kg = true", "battery_module[1].mass_kg", "mass_kg = true",
        "a number in kilogram"
    ),
    "number for a truth": Bad(
        MODULES, "replaceable_in_bay = true", "replaceable_in_bay = 1",
        "battery_module[1].service.replaceable_in_bay", "replaceable_in_bay = 1", "true or false",
    ),
    "date for a number": Bad(
        MODULES, "mass_kg = 20.0", "mass_kg = 2024-01-02",
        "battery_module[1].mass_kg", "mass_kg = 2024-01-02", "a number in kilogram",
    ),
    "text for a table": Bad(
        VEHICLES, "tyre = { radius_mm = 316.0 }", "tyre = '205/55R16'", "vehicle[1].tyre", "tyre = '205/55R16'",
        "a table"
    ),
    "text for a list": Bad(
        SLOTS, 'chemistries = ["NMC", "LFP"]', 'chemistries = "NMC"',
        "battery_bay[1].safety.chemistries", "chemistries = 'NMC'", "a list [ ... ]",
    ),
    "text in a list of tables": Bad(
        BETA, '{ id = "rear", extends = "subframe", axle = "rear" }', '"rear"',
        "vehicle[1].eaxle_mounts[1]", "eaxle_mounts[1] = 'rear'", "a table",
    ),
    "single brackets": Bad(ALLIANCE, "[[market]]", "[market]", "market", "market = {'id': 'japan'", "a list [ ... ]"),
    "single brackets around a record": Bad(
        BETA, "[[vehicle]]", "[vehicle]", "vehicle", "vehicle as a single value", "[[vehicle]]"
    ),
    # words
    "unknown word": Bad(
        MODULES, 'chemistry = "NMC"', 'chemistry = "nmc"', "battery_module[1].chemistry", "chemistry = 'nmc'", "'NMC'"
    ),
    "empty name": Bad(
        MODULES, 'name = "Block 8s2p"', 'name = ""', "battery_module[1].name", "name = ''", "at least 1 character"
    ),
    "id with capitals": Bad(
        STANDARDS, 'id = "common_drive"', 'id = "Common Drive"',
        "standard[3].id", "id = 'Common Drive'", "small letters, digits",
    ),
    "IP code": Bad(
        MODULES, 'ip_code = "IP67"', 'ip_code = "67"',
        "battery_module[1].mounting.ip_code", "ip_code = '67'", 'an IP code, such as "IP67"',
    ),
    "version as a number": Bad(
        STANDARDS, 'version = "0.9"', "version = 0.9", "standard[1].version", "version = 0.9", "text in quotes"
    ),
    "version without its dot": Bad(
        STANDARDS, 'version = "0.9"', 'version = "1"', "standard[1].version", "version = '1'",
        'a version, such as "1.0"',
    ),
    "date": Bad(
        ALLIANCE, 'date = "2024-08-01"', 'date = "August"', "agreement[1].date", "date = 'August'", 'such as "2024-08"'
    ),
    # values that contradict each other
    "columns of different length": Bad(
        MODULES, "soc = [0.0, 0.1, 0.5, 0.9, 1.0]", "soc = [0.0, 0.1, 0.5, 1.0]",
        "battery_module[1].curves.open_circuit_voltage", "4 and 5 entries", "agree with each other",
        at="[battery_module.curves.open",
    ),
    "entry of a column": Bad(
        MODULES, "soc = [0.0, 0.1, 0.5, 0.9, 1.0]", "soc = [0.0, 0.1, 0.5, 0.9,\n1.2]",
        "battery_module[1].curves.open_circuit_voltage.soc[5]", "soc[5] = 1.2", "less than or equal to 1",
    ),
    "limits out of order": Bad(
        MODULES, "cell_voltage_min_v = 2.5", "cell_voltage_min_v = 4.3",
        "battery_module[1].limits.operating.cell_voltage_min_v", "cell_voltage_min_v = 4.3",
        "at most cell_voltage_max_v = 4.2",
    ),
    "limits that do not widen": Bad(
        MODULES, "cell_voltage_max_v = 4.25", "cell_voltage_max_v = 4.1",
        "battery_module[1].limits", "cell_voltage_max_v must widen from operating to recommended to safety",
        "agree with each other", at="[battery_module.limits.operating]",
    ),
    "climate out of order": Bad(
        SLOTS, "storage_min_c = -30.0", "storage_min_c = 70.0",
        "battery_bay[1].thermal.storage_min_c", "storage_min_c = 70", "at most storage_max_c = 60",
    ),
    "over-speed below speed": Bad(
        EAXLES, "overspeed_rpm = 15500.0", "overspeed_rpm = 9000.0",
        "eaxle[1].motor", "overspeed_rpm = 9000 must not be below max_speed_rpm = 14000", "agree with each other",
    ),
    "voltage window out of order": Bad(
        SLOTS, "full_power_min_v = 288.0", "full_power_min_v = 500.0", "battery_bay[1].electrical",
        "full_power_min_v = 500 must not exceed voltage_max_v = 410", "agree with each other",
        at="[battery_bay.electrical]",
    ),
    "two road loads": Bad(
        BETA, "masses =", "coast_down = { a_n = 1.0, b_n_per_mps = 1.0, c_n_per_mps2 = 0.4 }\nmasses =",
        "vehicle[1]", "road load: both", "coast_down or resistances, exactly one of them", at="[[vehicle]]",
    ),
    "two road loads of a base": Bad(
        VEHICLES, "masses =", "resistances.drag_coefficient = 0.3\nresistances.frontal_area_m2 = 2.0\n"
        "resistances.rolling_resistance_coefficient = 0.01\nmasses =",
        "vehicle[1]", "road load: both", "coast_down or resistances, exactly one of them", at="[[vehicle]]",
    ),
    "no road load": Bad(
        BETA, "resistances =", "#", "vehicle[1]", "road load: neither of them", "exactly one of them", at="[[vehicle]]"
    ),
    "drive without its mount": Bad(
        VEHICLES, 'drive = "front"', 'drive = "rear"',
        "vehicle[1].drive", 'drive = "rear" with eaxle_mounts at front', "eaxle_mounts at rear",
    ),
    "usable above gross energy": Bad(
        VEHICLES, "usable_kwh = 38.0", "usable_kwh = 48.0",
        "vehicle[1].battery.usable_kwh", "usable_kwh = 48", "at most energy_kwh = 40",
    ),
    # one record as a variant of another
    "unknown base": Bad(
        MODULES, 'extends = "block_8s"', 'extends = "block_9s"',
        "battery_module[2].extends", "extends = 'block_9s'", "the id of a record of the same kind: block_8s",
    ),
    "unknown base of a vehicle": Bad(
        VEHICLES, 'extends = "hatch"', 'extends = "sedan"',
        "vehicle[2].extends", "extends = 'sedan'", "the id of a record of the same kind: hatch",
    ),
    "unknown base of a bay": Bad(
        BETA, 'extends = "twelve_places"', 'extends = "ten_places"', "vehicle[1].battery_bay.extends",
        "extends = 'ten_places'", "the id of a record of the same kind: twelve_places",
    ),
    "unknown base of a bay that others inherit": Bad(
        VEHICLES, 'extends = "twelve_places"', 'extends = "ten_places"', "vehicle[1].battery_bay.extends",
        "extends = 'ten_places'", "the id of a record of the same kind: twelve_places",
    ),
    "unknown base of a mount": Bad(
        BETA, 'extends = "subframe"', 'extends = "frame"', "vehicle[1].eaxle_mounts[1].extends",
        "extends = 'frame'", "the id of a record of the same kind: subframe",
    ),
    "base of another kind": Bad(
        BETA, 'extends = "twelve_places"', 'extends = "subframe"', "vehicle[1].battery_bay.extends",
        "extends = 'subframe'", "the id of a record of the same kind: twelve_places",
    ),
    "base that is no text": Bad(
        MODULES, 'extends = "block_8s"', "extends = ['block_8s']",
        "battery_module[2].extends", "extends = ", "the id of a record of the same kind",
    ),
    "wrong value in a slot that many extend": Bad(
        SLOTS, "places = 12", "places = 0", "battery_bay[1].places", "places = 0", "greater than or equal to 1"
    ),
    "unknown key in a slot that many extend": Bad(
        SLOTS, "park_lock = true", "park_look = true", "eaxle_mount[1].park_look", "unknown key 'park_look'",
        "park_lock"
    ),
    "a record of itself": Bad(
        MODULES, 'extends = "block_8s"', 'extends = "block_8s_heavy"',
        "battery_module[2].extends", "a circle: block_8s_heavy -> block_8s_heavy", "in one direction",
    ),
    # names of other records
    "unknown e-axle": Bad(
        VEHICLES, 'part = "drive_100"', 'part = "drive_1"',
        "vehicle[1].eaxle_mounts[1].fitted.part", "part = 'drive_1'", "one of: drive_100",
    ),
    "unknown rating": Bad(
        VEHICLES, 'rating = "100kw"', 'rating = "1kw"',
        "vehicle[1].eaxle_mounts[1].fitted.rating", "rating = '1kw'", "one of: 100kw, 70kw",
    ),
    "unknown battery module": Bad(
        VEHICLES, 'part = "block_8s"', 'part = "block"',
        "vehicle[1].battery.part", "part = 'block'", "one of: block_8s, block_8s_heavy",
    ),
    "unknown market": Bad(
        VEHICLES, 'markets = ["japan"]', 'markets = ["mars"]', "vehicle[1].markets[1]", "markets = 'mars'",
        "one of: japan"
    ),
    "unknown cell": Bad(
        MODULES, 'cell = "pouch"', 'cell = "prism"', "battery_module[1].cell", "cell = 'prism'", "one of: pouch"
    ),
    "unknown standard": Bad(
        MODULES, "common_module@1.0", "common_module@7.0", "battery_module[1].conforms_to[1]",
        "conforms_to = 'common_module@7.0'", "one of: common_drive@0.1, common_module@0.9, common_module@1.0",
    ),
    "unknown adopted standard": Bad(
        ALLIANCE, "common_module@1.0", "common_module@7.0",
        "adopted_standards[1]", "adopted_standards = 'common_module@7.0'", "one of: common_drive@0.1",
    ),
    "unknown proposal": Bad(
        ALLIANCE, '["drive_100"]', '["drive_1"]', "proposed_eaxles[1]", "proposed_eaxles = 'drive_1'",
        "one of: drive_100"
    ),
    "unknown party": Bad(
        ALLIANCE, '"alpha", "beta"', '"alpha", "gamma"', "agreement[1].parties[2]", "parties = 'gamma'", "alpha, beta"
    ),
    "unknown check": Bad(
        SLOTS, "places = 12", 'places = 12\nwaived.E11 = "no such check"',
        "battery_bay[1].waived.E11", "waived.E11", "the id of a check of this slot, M1 to R3",
    ),
    "check of another slot": Bad(
        SLOTS, "park_lock = true", 'park_lock = true\nwaived.M1 = "no such check"',
        "eaxle_mount[1].waived.M1", "waived.M1", "the id of a check of this slot, A1 to A25",
    ),
    # identities
    "no id": Bad(EAXLES, 'id = "drive_100"\n', "", "eaxle[1].id", "no key 'id'", "an id in quotes", at="[[eaxle]]"),
    "id that is a number": Bad(EAXLES, 'id = "drive_100"', "id = 100", "eaxle[1].id", "id = 100", "an id in quotes"),
    "duplicate id": Bad(
        MODULES, 'id = "block_8s_heavy"', 'id = "block_8s"',
        "battery_module[2].id", "id 'block_8s' a second time, first in ", "ids that are unique",
    ),
    "duplicate vehicle": Bad(
        VEHICLES, 'id = "hatch_plus"', 'id = "hatch"',
        "vehicle[2].id", "id 'hatch' a second time, first in ", "ids that are unique",
    ),
    "duplicate version": Bad(
        STANDARDS, 'version = "0.9"', 'version = "1.0"', "standard[2].id",
        "common_module@1.0 a second time, first in ", "one entry for each version", at=SECOND_VERSION,
    ),
    # origins
    "status of an origin": Bad(
        MODULES, '"measured"', '"weighed"',
        "battery_module[1].sources.mass_kg.status", "status = 'weighed'", "'measured'",
    ),
    "key of an origin": Bad(
        MODULES, 'lot 7", status', 'lot 7", state', "battery_module[1].sources.mass_kg.state", "unknown key 'state'",
        "status"
    ),
    "origin of nothing": Bad(
        MODULES, "sources.mass_kg", "sources.weight_kg", "battery_module[1].sources.weight_kg",
        "an origin for 'weight_kg', which is no field", "the path of a field",
    ),
    # standards
    "constraint on nothing": Bad(
        STANDARDS, 'field = "envelope.height_mm"', 'field = "envelope.size_mm"',
        "standard[1].constraints[3].field", "field = 'envelope.size_mm'", "a field of a battery_module",
    ),
    "constraint on an origin": Bad(
        STANDARDS, 'field = "envelope.height_mm"', 'field = "sources.status"',
        "standard[1].constraints[3].field", "field = 'sources.status'", "a field of a battery_module",
    ),
    "two constraints on one field": Bad(
        STANDARDS, 'field = "envelope.height_mm"', 'field = "mass_kg"',
        "standard[1].constraints[3].field", "a second constraint on 'mass_kg'", "one for each field",
    ),
    "constraint with a table": Bad(
        STANDARDS, "value = 25.0", "value = { max = 25.0 }",
        "standard[1].constraints[1].value", "value = {'max': 25.0}", "a number or text in quotes or true or false",
    ),
    "constraint without its number": Bad(
        STANDARDS, "low = 140.0, ", "", "standard[1].constraints[3]", "takes high, low, found high",
        "agree with each other"
    ),
    # formats
    "newer format": Bad(MODULES, "format = 1", "format = 2", "format", "format = 2", "format = 1"),
    "no format": Bad(EAXLES, "format = 1\n", "", "format", "no key 'format'", "format = 1"),
    "format in quotes": Bad(VEHICLES, "format = 1", 'format = "1"', "format", "format = '1'", "format = 1"),
    "invalid TOML": Bad(MODULES, "mass_kg = 20.0", "mass_kg = ", None, "invalid TOML: Invalid value", "TOML 1.0"),
    "invalid TOML in a slot that many extend": Bad(
        SLOTS, "places = 12", "places == 12", None, "invalid TOML: Invalid value", "TOML 1.0"
    ),
    "invalid TOML in a standard that parts conform to": Bad(
        STANDARDS, "format = 1", "format = 1\n=", None, "invalid TOML: Invalid statement", "TOML 1.0"
    ),
    "invalid TOML of a maker": Bad(MAKER, "country", "coun try", None, "invalid TOML: Expected '='", "TOML 1.0"),
    "older BPX": Bad(CELL, '"1.1.0"', '"0.4.0"', "Header.BPX", "BPX version 0.4.0", "BPX 1.x"),
    "invalid JSON": Bad(CELL, "56.0", "fifty", None, "invalid JSON: Expecting value", "JSON"),
    "not a number in JSON": Bad(CELL, "56.0", "NaN", None, "NaN", "a finite number"),
    "word for a number in BPX": Bad(
        CELL, "56.0", '"fifty"',
        "Parameterisation.Cell.Nominal cell capacity [A.h]", "valid number", "a valid BPX parameter set",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_each_bad_input_gives_one_clear_problem(folder: Folder, name: str) -> None:
    bad = BAD[name]
    line = folder.change(bad.file, bad.old, bad.new) + bad.new.count("\n")
    if bad.at:
        line = folder.line(bad.file, bad.at) + bad.at.startswith("\n")
    problem = folder.problem()
    assert bad.found in problem.found
    assert bad.expected in problem.expected
    assert problem.action.endswith(".")
    assert problem.severity == "error"
    assert folder.at(problem) == (bad.file, line, bad.key)
    with pytest.raises(InputError) as caught:
        folder.load()
    assert caught.value.problems == (problem,)
    assert str(problem) in str(caught.value)


@pytest.mark.parametrize("file", [ALLIANCE, MODULES, EAXLES, MAKER, VEHICLES])
def test_a_missing_file_gives_one_problem(folder: Folder, file: str) -> None:
    folder.path(file).unlink()
    problem = folder.problem()
    assert folder.at(problem) == (file, None, None)
    assert (problem.found, problem.severity) == ("no such file", "error")


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_100_mb_gives_one_problem(folder: Folder, file: str) -> None:
    with folder.path(file).open("r+b") as sparse:
        sparse.truncate(100_000_000)
    problem = folder.problem()
    assert folder.at(problem) == (file, None, None)
    assert problem.found == "100.0 MB"
    assert problem.expected.startswith("at most ")


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_not_utf8_gives_one_problem(folder: Folder, file: str) -> None:
    content = folder.path(file).read_bytes()
    folder.write(file, content + b"# caf\xe9\n")
    problem = folder.problem()
    assert folder.at(problem) == (file, content.count(b"\n") + 1, None)
    assert problem.found == "byte 0xe9 that is not UTF-8"


@pytest.mark.parametrize("file", FILES)
def test_a_folder_in_the_place_of_a_file_gives_one_problem(folder: Folder, file: str) -> None:
    folder.path(file).unlink()
    folder.path(file).mkdir()
    problem = folder.problem()
    assert (folder.at(problem)[0], problem.found) == (file, "no regular file")


def test_records_that_extend_each_other_in_a_circle_give_one_problem_each_circle(folder: Folder) -> None:
    for name, base in ("ab", "bc", "ca"):
        folder.append(MODULES, f'\n[[battery_module]]\nid = "{name}"\nextends = "{base}"\n')
    folder.append(MODULES, '\n[[battery_module]]\nid = "d"\nextends = "a"\n')
    for name, base in ("ab", "ba"):
        folder.append(VEHICLES, f'\n[[vehicle]]\nid = "{name}"\nextends = "{base}"\n')
    folder.append(SLOTS, '\n[[battery_bay]]\nid = "a"\nextends = "b"\n\n[[battery_bay]]\nid = "b"\nextends = "a"\n')
    folder.change(BETA, 'extends = "twelve_places"', 'extends = "b"')
    problems = {folder.at(problem)[0]: problem for problem in folder.problems()}
    assert len(folder.problems()) == 3
    assert problems[MODULES].found == "a circle: a -> b -> c -> a"
    assert problems[VEHICLES].found == "a circle: a -> b -> a"
    assert problems[SLOTS].found == "a circle: a -> b -> a"
    assert folder.at(problems[MODULES])[1] == folder.line(MODULES, 'id = "c"\n') + 1


def test_an_id_of_two_kinds_of_parts_gives_one_problem(folder: Folder) -> None:
    folder.change(MODULES, 'id = "block_8s_heavy"', 'id = "drive_100"')
    problem = folder.problem()
    assert problem.found == "id 'drive_100' for a battery module and for an e-axle"
    assert folder.at(problem) == (EAXLES, folder.line(EAXLES, 'id = "drive_100"'), "eaxle[1].id")


def test_a_module_that_charges_its_cells_too_high_gives_one_problem(folder: Folder) -> None:
    folder.change(CELL, '"Upper voltage cut-off [V]": 4.2', '"Upper voltage cut-off [V]": 4.1')
    problem = folder.problem()
    assert problem.found == "cell_voltage_max_v = 4.2"
    assert problem.expected == "at most 4.1 V, the upper cut-off of the cell pouch"
    line = folder.line(MODULES, "cell_voltage_max_v = 4.2")
    assert folder.at(problem) == (MODULES, line, "battery_module[1].limits.operating.cell_voltage_max_v")


def test_no_maker_gives_one_problem(tmp_path: Path) -> None:
    folder = minimal(tmp_path)
    shutil.rmtree(folder.path("makers"))
    assert folder.problem().found == "no maker"


@pytest.mark.parametrize("name", ["Toyota", "two words", "café", "-", "a" * 65])
def test_the_name_of_a_makers_folder_is_one_that_others_can_write(folder: Folder, name: str) -> None:
    shutil.copytree(folder.path("makers/beta"), folder.path(f"makers/{name}"))
    problem = folder.problem()
    assert problem.found == f"the name {name!r}"
    assert "small letters" in problem.expected


def test_a_name_that_is_no_text_is_told_in_words_that_can_be_printed(folder: Folder) -> None:
    strange = os.fsencode(folder.path("makers")) + b"/caf\xe9"
    shutil.copytree(os.fsencode(folder.path("makers/beta")), strange)
    for problem in folder.problems():
        str(problem).encode()
    assert "caf\\xe9" in folder.problems()[0].location.file  # type: ignore[operator]


@pytest.mark.parametrize(
    ("root", "found"), [("nowhere", "no such folder"), ("file", "a file"), ("x" * 300, "File name too long")]
)
def test_what_is_no_folder_gives_one_problem(tmp_path: Path, root: str, found: str) -> None:
    (tmp_path / "file").write_text("x")
    workspace, problems = check_workspace(tmp_path / root)
    assert workspace is None
    assert [(problem.found, problem.location.file) for problem in problems] == [(found, str(tmp_path / root))]


def test_an_empty_folder_says_what_is_missing(tmp_path: Path) -> None:
    folder = Folder(tmp_path, source=None)
    assert [folder.at(problem)[0] for problem in folder.problems()] == [ALLIANCE, "makers", MODULES, EAXLES]


# --- all of it in one run ---

APART = [  # one or two in each file; a record whose values are wrong is not weighed against others as well
    "unknown party", "grams", "columns of different length", "unknown key in a slot that many extend",
    "required key absent", "share above one", "status of an origin", "constraint on nothing", "id with capitals",
    "unknown base of a vehicle", "number for a text", "unknown base of a mount", "older BPX", "IP code",
]  # fmt: skip


def test_all_problems_are_told_in_one_run(folder: Folder) -> None:
    for name in APART:
        folder.change(BAD[name].file, BAD[name].old, BAD[name].new)
    folder.path(MAKER).unlink()
    problems = folder.problems()
    told = {(folder.at(problem)[0], problem.location.key) for problem in problems}
    wanted = {(BAD[name].file, BAD[name].key) for name in APART}
    assert told == wanted | {(MAKER, None)}
    assert len(problems) == len(told)
    with pytest.raises(InputError) as caught:
        folder.load()
    assert list(caught.value.problems) == problems


def test_several_contradictions_of_one_vehicle_are_told_together(folder: Folder) -> None:
    for name in ("two road loads of a base", "drive without its mount", "usable above gross energy"):
        folder.change(BAD[name].file, BAD[name].old, BAD[name].new)
    keys = {problem.location.key for problem in folder.problems()}
    assert keys == {"vehicle[1]", "vehicle[1].drive", "vehicle[1].battery.usable_kwh"}


def test_problems_are_sorted_by_severity_and_place(folder: Folder) -> None:
    folder.write("alliances.toml", "")
    for name in APART:
        folder.change(BAD[name].file, BAD[name].old, BAD[name].new)
    problems = folder.problems()
    places = [(p.severity, p.location.file or "", p.location.line or 0) for p in problems]
    assert places == sorted(places)
    assert problems[-1].severity == "warning"
    assert len(set(problems)) == len(problems)


def test_warnings_do_not_keep_a_workspace_from_loading(folder: Folder) -> None:
    folder.change(MODULES, 'sources."*" = { source = "data sheet 7", status = "declared" }\n', "")
    problems = folder.problems()
    assert {problem.severity for problem in problems} == {"warning"}
    assert folder.load().warnings
    told = {problem.location.key: problem for problem in problems}
    assert "battery_module[1].mass_kg" not in told, "its origin is written down"
    problem = told["battery_module[1].envelope.height_mm"]
    assert problem.found == "envelope.height_mm = 150.0 without origin"
    assert problem.location.line == folder.line(MODULES, "height_mm")


def test_the_advice_about_an_origin_is_valid_toml_and_helps(folder: Folder) -> None:
    folder.change(MODULES, 'sources."*" = { source = "data sheet 7", status = "declared" }\n', "")
    before = folder.problems()
    problem = next(item for item in before if item.found.startswith("envelope.height_mm"))
    advice = problem.action.removeprefix("Add ").removesuffix(".")
    advice = advice.replace("measured|declared|derived|assumed", "measured")
    folder.change(MODULES, "sources.mass_kg = ", f"{advice}\nsources.mass_kg = ")
    assert len(folder.problems()) == len(before) - 1
    origin = folder.load().battery_modules["block_8s"].source_of("envelope.height_mm")
    assert origin is not None
    assert origin.status == "measured"


def test_an_origin_whose_path_lacks_its_quotes_is_told_how_to_write_it(folder: Folder) -> None:
    line = folder.change(MODULES, "sources.mass_kg", "sources.envelope.height_mm")
    problems = folder.problems()
    assert {problem.location.line for problem in problems} == {line}
    (problem,) = (problem for problem in problems if problem.found == "unknown key 'height_mm'")
    assert 'sources."envelope.height_mm" = ...' in problem.action


@pytest.mark.parametrize("kind", ["battery_bay", "eaxle_mounts"])
def test_a_number_of_a_slot_without_origin_is_a_warning(folder: Folder, kind: str) -> None:
    source = {"battery_bay": "drawing 3", "eaxle_mounts": "drawing 4"}[kind]
    folder.change(SLOTS, f'sources."*" = {{ source = "{source}", status = "declared" }}\n', "")
    problems = folder.problems()
    assert {problem.severity for problem in problems} == {"warning"}
    assert {folder.at(problem)[0] for problem in problems} == {SLOTS}
    assert all("without origin" in problem.found for problem in problems)
    assert len(problems) > 20


def test_a_claim_that_does_not_hold_is_a_warning(folder: Folder) -> None:
    line = folder.change(MODULES, "mass_kg = 20.5", "mass_kg = 21.5")
    problem = folder.problem()
    assert problem.severity == "warning"
    assert problem.found == "block_8s_heavy: mass_kg is 21.5"
    assert problem.expected == "mass_kg <= 21, as common_module@1.0 asks (one person with a hoist)"
    assert folder.at(problem) == (MODULES, line, "battery_module[2].mass_kg")


def test_a_claim_about_an_unknown_value_is_a_warning(folder: Folder) -> None:
    folder.change(MODULES, 'chemistry = "NMC"\n', "")
    found = {problem.found for problem in folder.problems() if problem.severity == "warning"}
    assert "block_8s: chemistry is not stated" in found


def test_a_capacity_that_its_cells_do_not_have_is_a_warning(folder: Folder) -> None:
    line = folder.change(MODULES, "capacity_ah = 112.0", "capacity_ah = 130.0")
    problem = folder.problem()  # of the part that extends it too, and told once
    assert problem.severity == "warning"
    assert problem.expected == "2 x 56 = 112 Ah, as the cell pouch gives"
    assert folder.at(problem) == (MODULES, line, "battery_module[1].capacity_ah")


def test_a_template_is_checked_but_neither_fitted_nor_driven(folder: Folder) -> None:
    folder.append(MODULES, '\n[[battery_module]]\nid = "family"\ntemplate = true\nchemistry = "NMC"\n')
    folder.append(VEHICLES, '\n[[vehicle]]\nid = "family"\ntemplate = true\nmasses = { curb_kg = 1.0 }\n')
    assert folder.problems() == []
    assert not {"family", "alpha/family"} & (set(folder.load().parts) | set(folder.load().vehicles))
    line = folder.append(VEHICLES, "tyre = { radius_m = 0.3 }\n")
    problem = folder.problem()
    assert folder.at(problem) == (VEHICLES, line, "vehicle[3].tyre.radius_m")


def test_no_vehicle_is_built_with_a_template(folder: Folder) -> None:
    folder.append(MODULES, '\n[[battery_module]]\nid = "family"\ntemplate = true\n')
    folder.change(VEHICLES, 'part = "block_8s"', 'part = "family"')
    assert folder.problem().found == "part = 'family'"


# --- adding a maker ---


def test_a_fourth_maker_is_added_by_copying_a_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "alliance", EXAMPLES / "alliance")
    before = folder.load()
    shutil.copytree(folder.path("makers/mitsubishi"), folder.path("makers/mazda"))
    folder.change("makers/mazda/maker.toml", "Mitsubishi Motors", "Mazda")
    after = folder.load()
    assert set(after.makers) == set(before.makers) | {"mazda"}
    assert after.makers["mazda"].name == "Mazda"
    copied = {name.removeprefix("mitsubishi/") for name in before.vehicles if name.startswith("mitsubishi/")}
    assert {name.removeprefix("mazda/") for name in after.vehicles if name.startswith("mazda/")} == copied
    module = after.battery_modules[after.alliance.proposed_battery_module or ""]
    for name in copied:
        new = fit_battery(f"mazda/{name}", after.vehicles[f"mazda/{name}"], module)
        old = fit_battery(f"mitsubishi/{name}", before.vehicles[f"mitsubishi/{name}"], module)
        assert new.findings == old.findings


# --- anything at all ---

field_names = sorted(
    {name for model in KINDS.values() for name in model.model_fields}
    | {"extends", "source", "status", "*", "mass_g", "operating", "curb_kg", "E1", "peak_power_kw", "soc", "voltage_v"}
)
odd_names = st.sampled_from(["", "a.b", "ü", "\x7f", "0", "__class__", "model_fields", "mass_g", "mass_"])
ids = ["block_8s", "drive_100", "hatch", "pouch", "twelve_places", "subframe", "common_module@1.0", "alpha", "front"]
any_value = st.one_of(
    st.sampled_from(ids),
    st.sampled_from([0, 1, -1, 8, 2**63 - 1, -(2**63), 0.0, -0.0, 1e308, 5e-324, float("inf"), float("nan"), 96.0]),
    st.booleans(),
    st.dates(),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
)
any_tree = st.recursive(
    any_value,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(field_names) | odd_names, inner, max_size=6)
    ),
    max_leaves=20,
)
kinds = ["battery_module", "eaxle", "vehicle", "battery_bay", "eaxle_mount", "standard", "market", "agreement", "name"]
records = st.lists(st.dictionaries(st.sampled_from([*field_names, "id", "extends"]), any_tree, max_size=6), max_size=2)
any_document = st.builds(
    lambda number, lists, rest: {"format": number, **rest, **lists},
    st.just(1) | any_value,
    st.dictionaries(st.sampled_from(kinds), records, max_size=2),
    st.dictionaries(st.sampled_from(field_names), any_tree, max_size=2),
)
spoiled_lines = st.lists(st.tuples(st.integers(0, 200), st.sampled_from(field_names), any_tree), min_size=1, max_size=6)


def judged(root: Path) -> list[Problem]:
    """Problems of a workspace, each of which says what it must."""
    workspace, problems = check_workspace(root)
    for problem in problems:
        assert problem.found
        assert problem.expected
        assert problem.action
        assert problem.location.file
        assert len(problem.found) < 1000
        if problem.location.line is not None:
            text = Path(problem.location.file).read_bytes()
            assert 1 <= problem.location.line <= text.count(b"\n") + 1
    assert len(set(problems)) == len(problems)
    if workspace is not None and not any(problem.severity == "error" for problem in problems):
        fit_workspace(workspace)
    return problems


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("spoiled"))


def whole_again(folder: Folder, file: str) -> None:
    shutil.copyfile(TWO_MAKERS / file, folder.path(file))


@pytest.mark.slow
@settings(max_examples=100)
@given(st.sampled_from(FILES), any_document, st.integers(0, 2**16))
def test_no_document_in_the_place_of_a_file_raises(
    spoiled: Folder, file: str, document: dict[str, Any], seed: int
) -> None:
    text = json.dumps(document, default=str) if file == CELL else Writer(document, random.Random(seed)).text
    spoiled.write(file, text)
    judged(spoiled.root)
    whole_again(spoiled, file)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.sampled_from([file for file in FILES if file != CELL]), spoiled_lines, st.integers(0, 2**16))
def test_no_value_in_the_place_of_another_raises(
    spoiled: Folder, file: str, changes: list[tuple[int, str, Any]], seed: int
) -> None:
    lines = spoiled.text(file).splitlines()
    for number, name, tree in changes:
        at = number % len(lines)
        value = Writer({"x": [tree]}, random.Random(seed)).text.partition("= ")[2].strip()
        key, equals, _ = lines[at].partition(" = ")
        lines[at] = f"{key if equals and len(name) % 2 else name} = {value}[0]"[: -len("[0]")]
    spoiled.write(file, "\n".join(lines))
    judged(spoiled.root)
    whole_again(spoiled, file)


@settings(max_examples=60)
@given(st.sampled_from(FILES), st.one_of(st.binary(), st.text().map(str.encode)))
def test_no_bytes_in_the_place_of_a_file_raise(spoiled: Folder, file: str, content: bytes) -> None:
    spoiled.write(file, content)
    judged(spoiled.root)
    whole_again(spoiled, file)
