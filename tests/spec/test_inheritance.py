"""`extends`: a variant repeats nothing, and every value keeps its own origin and its own place."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyotsu.spec.document import Document, read_toml
from kyotsu.spec.inheritance import MAX_LEVELS, Entry, Place, resolve
from spec.test_workspace import BETA, MODULES, SLOTS, VEHICLES
from spec.workspaces import Folder

VARIANT = '\n[[battery_module]]\nid = "variant"\nextends = "block_8s_heavy"\n'


def entries(tmp_path: Path, text: str) -> dict[str, Entry]:
    """The entries of a document with one list `x`, by id."""
    path = tmp_path / "x.toml"
    path.write_text(text)
    document, problems = read_toml(path, "x.toml")
    assert document is not None, problems
    return {item["id"]: Entry(item, (Place(document, ("x", i)),)) for i, item in enumerate(document.content["x"])}


# --- values ---


def test_a_variant_takes_what_it_does_not_write(folder: Folder) -> None:
    base, variant = (folder.load().battery_modules[name] for name in ("block_8s", "block_8s_heavy"))
    assert (variant.id, variant.name, variant.mass_kg) == ("block_8s_heavy", "Block 8s2p, first series", 20.5)
    assert variant.curves == base.curves
    assert variant.limits == base.limits


def test_tables_merge_and_everything_else_is_replaced(folder: Folder) -> None:
    folder.append(MODULES, VARIANT + 'communication = { signals = ["voltage"] }\nenvelope.height_mm = 120.0\n')
    variant = folder.load().battery_modules["variant"]
    assert variant.envelope.height_mm == 120.0
    assert variant.envelope.length_mm == 300.0
    assert variant.communication.signals == ("voltage",)
    assert variant.communication.bus == "can"
    assert variant.mass_kg == 20.5, "from the second level"
    assert variant.cells_series == 8, "from the third level"


def test_identity_and_template_are_not_inherited(folder: Folder) -> None:
    folder.append(MODULES, '\n[[battery_module]]\nid = "family"\ntemplate = true\nextends = "block_8s"\n')
    folder.append(MODULES, '\n[[battery_module]]\nid = "member"\nextends = "family"\n')
    parts = folder.load().parts
    assert "family" not in parts
    assert parts["member"].id == "member"


def test_the_order_in_the_file_does_not_matter(folder: Folder) -> None:
    before = folder.load().battery_modules
    blocks = folder.text(MODULES).removeprefix("format = 1\n").split("[[battery_module]]\n")[1:]
    folder.write(MODULES, "format = 1\n" + "".join(f"[[battery_module]]\n{block}\n" for block in reversed(blocks)))
    assert folder.load().battery_modules == before


# --- origins ---


def test_an_overridden_value_has_its_own_origin(folder: Folder) -> None:
    variant = folder.load().battery_modules["block_8s_heavy"]
    assert variant.source_of("mass_kg") is not None
    assert variant.source_of("mass_kg").source == "data sheet 6"  # type: ignore[union-attr]
    assert variant.source_of("capacity_ah").source == "data sheet 7"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("mass_kg = 21.0", "mass_kg"),
        ("capacity_ah = 111.0", "capacity_ah"),
        ("envelope.height_mm = 149.0", "envelope.height_mm"),
        ("envelope = { height_mm = 149.0 }", "envelope.height_mm"),
        ("curves.resistance = { temperature_c = [0.0], resistance_mohm = [6.0] }", "curves.resistance.resistance_mohm"),
    ],
)
def test_an_overridden_value_never_borrows_the_origin_of_what_it_replaces(
    folder: Folder, written: str, path: str
) -> None:
    line = folder.append(MODULES, VARIANT + written + "\n") + VARIANT.count("\n")
    problems = folder.problems()
    assert f"{path} = " in problems[0].found
    assert "without origin" in problems[0].found
    assert problems[0].location.line == line
    variant = folder.load().battery_modules["variant"]
    assert variant.source_of(path) is None
    assert variant.source_of("nominal_voltage_v") is not None, "an inherited value keeps its origin"


def test_the_origin_of_a_variant_covers_only_what_it_writes(folder: Folder) -> None:
    everything = 'sources."*" = { source = "guess", status = "assumed" }\n'
    folder.append(MODULES, VARIANT + "envelope.height_mm = 149.0\n" + everything)
    variant = folder.load().battery_modules["variant"]
    told = {path: variant.source_of(path).source for path, _ in variant.values()}  # type: ignore[union-attr]
    assert told.pop("envelope.height_mm") == "guess"
    assert told.pop("mass_kg") == "data sheet 6"
    assert set(told.values()) == {"data sheet 7"}


def test_a_new_value_is_not_covered_by_an_origin_that_the_base_kept_for_nothing(folder: Folder) -> None:
    unused = 'sources."life.full_cycles" = { source = "old", status = "measured" }\n'
    folder.change(MODULES, "sources.mass_kg = {", unused + "sources.mass_kg = {")
    folder.append(MODULES, VARIANT + "life.full_cycles = 1500.0\n")
    assert folder.load().battery_modules["variant"].source_of("life.full_cycles") is None


def test_a_slot_keeps_the_origins_of_its_template(folder: Folder) -> None:
    bay = folder.load().vehicles["beta/box"].battery_bay
    assert bay.source_of("max_mass_kg").source == "drawing 8"  # type: ignore[union-attr]
    assert bay.source_of("structure_mass_kg").source == "drawing 3"  # type: ignore[union-attr]
    assert bay.source_of("electrical.voltage_min_v").source == "drawing 3"  # type: ignore[union-attr]


def test_an_overridden_value_of_an_inherited_bay_has_no_borrowed_origin(folder: Folder) -> None:
    folder.append(VEHICLES, "battery_bay = { max_mass_kg = 330.0 }\n")
    bay = folder.load().vehicles["alpha/hatch_plus"].battery_bay
    assert bay.max_mass_kg == 330.0
    assert bay.source_of("max_mass_kg") is None
    assert bay.source_of("structure_mass_kg") is not None
    problem = folder.problem()
    assert "max_mass_kg = 330.0 without origin" in problem.found
    assert problem.location.line == folder.line(VEHICLES, "max_mass_kg = 330.0")


def test_a_variant_may_give_what_it_takes_over_another_origin(folder: Folder) -> None:
    origin = '{ source = "as its predecessor", status = "assumed" }'
    folder.append(VEHICLES, f"sources.coast_down = {origin}\nsources.tyre = {origin}\n")
    folder.append(VEHICLES, f"battery_bay.sources.clearance_mm = {origin}\n")
    assert folder.problems() == []
    base, variant = (folder.load().vehicles[f"alpha/{name}"] for name in ("hatch", "hatch_plus"))
    for path in ("coast_down.a_n", "tyre.radius_mm"):
        assert variant.source_of(path).source == "as its predecessor"  # type: ignore[union-attr]
    assert variant.battery_bay.source_of("clearance_mm").source == "as its predecessor"  # type: ignore[union-attr]
    assert variant.source_of("masses.curb_kg").source == "type approval 13"  # type: ignore[union-attr]
    assert variant.source_of("charging.ac_power_kw").source == "type approval 12"  # type: ignore[union-attr]
    assert base.source_of("coast_down.a_n").source == "type approval 12"  # type: ignore[union-attr]


own_values = st.dictionaries(st.sampled_from(["a", "b", "t.c", "t.d", "t.u.e"]), st.integers(0, 9), max_size=5)
own_sources = st.dictionaries(st.sampled_from(["*", "a", "b", "t", "t.c", "t.u", "t.u.e"]), st.just(0), max_size=4)


def covers(key: str, path: str) -> bool:
    return key == "*" or key == path or path.startswith(f"{key}.")


@given(st.lists(st.tuples(own_values, own_sources), min_size=1, max_size=4))
def test_every_value_has_the_origin_that_a_record_gave_it(
    levels: list[tuple[dict[str, int], dict[str, int]]],
) -> None:
    """Each level marks its origins with its number, which the values must carry that it speaks of."""
    records = {}
    expected: dict[str, dict[str, str] | None] = {}
    for number, (values, sources) in enumerate(levels):
        raw: dict[str, Any] = {"id": str(number), "sources": {key: origin(number, key) for key in sources}}
        raw |= {"extends": str(number - 1)} if number else {}
        for path, value in values.items():
            *tables, name = path.split(".")
            table = raw
            for part in tables:
                table = table.setdefault(part, {})
            table[name] = value
        for path in expected.keys() - values.keys():  # taken over: a key below which nothing is written counts
            free = [key for key in sources if key != "*" and covers(key, path)]
            free = [key for key in free if not any(longest(sources, written) == key for written in values)]
            expected[path] = origin(number, max(free, key=len)) if free else expected[path]
        for path in values:
            key = longest(sources, path)
            expected[path] = None if key is None else origin(number, key)
        records[str(number)] = Entry(raw, (Place(Document("x", {}), ()),))
    resolved, problems = resolve(records)
    assert problems == []
    found = resolved[str(len(levels) - 1)].raw.get("sources", {})
    for path, wanted in expected.items():
        key = longest(found, path)
        assert (None if key is None else found[key]) == wanted, path


def origin(number: int, key: str) -> dict[str, str]:
    return {"source": f"level {number}, {key}", "status": "declared"}


def longest(sources: Iterable[str], path: str) -> str | None:
    return max((key for key in sources if covers(key, path)), key=lambda key: (key != "*", len(key)), default=None)


# --- places ---


def test_a_value_is_located_where_it_was_written(folder: Folder) -> None:
    workspace = folder.load()
    for name, path, file, words in [
        ("block_8s_heavy", "mass_kg", MODULES, "mass_kg = 20.5"),
        ("block_8s_heavy", "capacity_ah", MODULES, "capacity_ah = 112.0"),
        ("alpha/hatch_plus", "masses.curb_kg", VEHICLES, "curb_kg = 1550.0"),
        ("alpha/hatch_plus", "coast_down.a_n", VEHICLES, "a_n = 120.0"),
        ("alpha/hatch_plus", "battery_bay.extends", VEHICLES, "battery_bay = {"),
        ("alpha/hatch_plus", "battery_bay.safety.asil", SLOTS, 'asil = "C"'),
        ("alpha/hatch_plus", "eaxle_mounts.0.body.max_mass_kg", SLOTS, "max_mass_kg = 90.0"),
        ("beta/box", "eaxle_mounts.0.axle", BETA, "eaxle_mounts = "),
        ("beta/box", "eaxle_mounts.0.electrical.voltage_min_v", SLOTS, "voltage_min_v = 240.0\nvoltage_max_v"),
    ]:
        place = workspace.locate(name, path)
        assert (place.file, place.line) == (str(folder.path(file)), folder.line(file, words)), (name, path)


def test_what_a_list_lacks_is_not_located_in_the_list_that_it_replaced(folder: Folder) -> None:
    line = folder.append(VEHICLES, '\n[[vehicle.eaxle_mounts]]\nextends = "subframe"\naxle = "front"\n') + 1
    problem = folder.problem()
    assert problem.found == "no key 'id'"
    assert folder.at(problem) == (VEHICLES, line, "vehicle[2].eaxle_mounts[1].id")


def test_a_wrong_value_of_a_base_is_told_once_and_there(folder: Folder) -> None:
    for number in range(5):
        folder.append(VEHICLES, f'\n[[vehicle]]\nid = "v{number}"\nextends = "hatch"\nname = "V"\n')
    line = folder.change(VEHICLES, "radius_mm = 316.0", "radius_mm = -316.0")
    assert folder.at(folder.problem()) == (VEHICLES, line, "vehicle[1].tyre.radius_mm")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('sheet 7", status', 'sheet 7", state', "battery_module[1].sources.*.state"),
        (
            '"data sheet 7", status = "declared"',
            '"data sheet 7", status = "heard"',
            "battery_module[1].sources.*.status",
        ),
        ('"data sheet 7", status = "declared" }', '"data sheet 7" }', "battery_module[1].sources.*.status"),
        ('"*" = { source = "data sheet 7", status = "declared" }', '"*" = 7', "battery_module[1].sources.*"),
    ],
)
def test_a_wrong_origin_of_a_base_is_told_once_and_there(folder: Folder, old: str, new: str, key: str) -> None:
    for number in range(3):
        folder.append(MODULES, VARIANT.replace("variant", f"v{number}"))
    line = folder.change(MODULES, old, new)
    assert folder.at(folder.problem()) == (MODULES, line, key)


def test_a_wrong_origin_of_a_variant_is_told_once_and_there(folder: Folder) -> None:
    line = folder.append(MODULES, VARIANT + "mass_kg = 21.0\n") + VARIANT.count("\n") + 1
    folder.append(MODULES, 'capacity_ah = 111.0\nsources."*" = { source = "guess", status = "heard" }\n')
    problem = folder.problem()
    assert folder.at(problem) == (MODULES, line + 1, "battery_module[3].sources.*.status")


# --- what is broken ---


def test_a_record_with_an_unknown_base_is_still_judged_by_what_it_writes(folder: Folder) -> None:
    folder.append(MODULES, '\n[[battery_module]]\nid = "x"\nextends = "gone"\nmass_lb = 3.0\ncapacity_ah = -1.0\n')
    found = {problem.location.key: problem.found for problem in folder.problems()}
    assert found == {
        "battery_module[3].extends": "extends = 'gone'",
        "battery_module[3].mass_lb": "unknown key 'mass_lb'",
        "battery_module[3].capacity_ah": "capacity_ah = -1.0",
    }


def test_what_extends_a_record_with_an_unknown_base_is_not_told_too(folder: Folder) -> None:
    folder.append(MODULES, '\n[[battery_module]]\nid = "x"\nextends = "gone"\n')
    folder.append(MODULES, '\n[[battery_module]]\nid = "y"\nextends = "x"\n')
    assert folder.problem().found == "extends = 'gone'"


def test_a_slot_with_an_unknown_base_is_still_judged_by_what_it_writes(folder: Folder) -> None:
    folder.change(BETA, 'extends = "twelve_places"', 'extends = "gone"\nplaces = 0')
    assert [problem.found for problem in folder.problems()] == ["extends = 'gone'", "places = 0"]


def test_a_template_of_a_slot_with_an_unknown_base_is_told_once(folder: Folder) -> None:
    folder.append(SLOTS, '\n[[battery_bay]]\nid = "x"\nextends = "gone"\n')
    folder.change(BETA, 'extends = "twelve_places"', 'extends = "x"')
    problem = folder.problem()
    assert problem.found == "extends = 'gone'"
    assert folder.at(problem)[0] == SLOTS


def test_the_records_that_could_be_meant_do_not_include_the_record_itself(folder: Folder) -> None:
    folder.change(VEHICLES, 'extends = "hatch"', 'extends = "hatch_minus"')
    assert folder.problem().expected == "the id of a record of the same kind: hatch"
    folder.change(BETA, "[[vehicle]]", '[[vehicle]]\nextends = "van"')
    assert "there is none yet" in next(p.expected for p in folder.problems() if folder.at(p)[0] == BETA)


def chain(length: int) -> str:
    first = '[[x]]\nid = "0"\n'
    return first + "".join(f'[[x]]\nid = "{number}"\nextends = "{number - 1}"\n' for number in range(1, length))


@pytest.mark.parametrize("backwards", [False, True])
def test_too_many_levels_are_told_once(tmp_path: Path, backwards: bool) -> None:
    records = entries(tmp_path, chain(MAX_LEVELS + 20))
    if backwards:
        records = dict(reversed(records.items()))
    resolved, problems = resolve(records)
    assert len(resolved) == MAX_LEVELS
    assert [problem.found for problem in problems] == [f"more than {MAX_LEVELS} records that extend each other"]
    assert problems[0].location.line == 3 * MAX_LEVELS + 2


@pytest.mark.parametrize("backwards", [False, True])
def test_a_long_chain_takes_neither_long_nor_much(tmp_path: Path, backwards: bool) -> None:
    records = entries(tmp_path, chain(5_000))
    if backwards:
        records = dict(reversed(records.items()))
    begin = time.perf_counter()
    resolve(records)
    assert time.perf_counter() - begin < 3.0


names = st.sampled_from("abcdef")


@given(st.dictionaries(names, names | st.just("gone") | st.none(), min_size=1))
def test_whatever_extends_whatever_each_fault_is_told_once(bases: dict[str, str | None]) -> None:
    place = Place(Document("x", {}), ())
    records = {
        name: Entry({"id": name} if base is None else {"id": name, "extends": base}, (place,))
        for name, base in bases.items()
    }
    resolved, problems = resolve(records)

    def end(name: str) -> str:
        """Where the way from a record ends: at a root, nowhere, or in a circle named by its smallest member."""
        seen = [name]
        while True:
            base = bases[seen[-1]]
            if base is None:
                return "root"
            if base not in bases:
                return f"unknown {base} of {seen[-1]}"
            if base in seen:
                return f"circle of {min(seen[seen.index(base) :])}"
            seen.append(base)

    assert set(resolved) == {name for name in bases if end(name) == "root"}
    assert len(problems) == len({end(name) for name in bases} - {"root"})
