"""Every row once and right, whatever stops a sweep; what cannot be read or written says so."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sim.vehicles import kei, leaf

from kyotsu.errors import InputError
from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.car_blocks import BLOCK, Cars, sales_cars, vehicle_cars
from kyotsu.sim.car_files import table_cars
from kyotsu.sim.climate import Climate
from kyotsu.sim.components import generic_vehicle
from kyotsu.sim.cycles import Cycle, make_cycle
from kyotsu.sim.drive import LIMITERS
from kyotsu.sim.parameter_checks import invalid, unchecked
from kyotsu.sim.parameters import VehicleParameters, map_arrays, stack, take
from kyotsu.sim.simulate import Validity
from kyotsu.sim.sweep import sweep

SPRINT = make_cycle("sprint", [0.0, 4.0, 9.0, 14.0], [0.0, 8.0, 12.0, 0.0])
NUMBERS = ("consumption_ac_wh_per_km", "consumption_dc_wh_per_km", "distance_km", "missed_s", "final_soc")


def rows(folder: Path) -> pa.Table:
    return pq.read_table(folder / "rows").combine_chunks()


def outlines(count: int, **changes: Any) -> dict[str, Any]:
    random = np.random.default_rng(7)
    table: dict[str, Any] = {
        "mass_kg": random.uniform(900.0, 2500.0, count),
        "road_load_a_n": random.uniform(60.0, 180.0, count),
        "road_load_b_n_per_mps": random.uniform(0.0, 5.0, count),
        "road_load_c_n_per_mps2": random.uniform(0.3, 0.6, count),
        "rated_power_kw": random.uniform(30.0, 200.0, count),
        "battery_kwh": random.uniform(15.0, 100.0, count),
        "motor_type": random.choice(["pm", "induction", "eesm"], count),
        "layout": random.choice(["front", "rear", "all"], count),
        "model_year": random.integers(2015, 2026, count),
    }
    return {**table, **changes}


def some_cars(count: int) -> VehicleParameters:
    table = outlines(count)
    return generic_vehicle(**{**table, "motor_type": table["motor_type"].tolist(), "layout": table["layout"].tolist()})


def parquet(path: Path, table: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(table), path, **options)
    return path


def in_batches(vehicles: VehicleParameters, sizes: list[int]) -> Cars:
    def batches() -> Iterator[VehicleParameters]:
        first = 0
        for size in sizes:
            yield take(vehicles, np.arange(first, first + size))
            first += size

    return vehicle_cars(_Again(batches))


class _Again:
    """An iterable that starts anew each time."""

    def __init__(self, begin: Callable[[], Iterator[VehicleParameters]]) -> None:
        self.begin = begin

    def __iter__(self) -> Iterator[VehicleParameters]:
        return self.begin()


def agrees(found: pa.Table, vehicles: VehicleParameters, cycles: list[Cycle | str], **options: Any) -> None:
    results = simulate_batch(vehicles, cycles, **options)
    for name in NUMBERS:
        assert (found[name].to_numpy() == getattr(results, name).ravel().astype(np.float32)).all(), name
    assert found["validity"].to_pylist() == results.validity.ravel().tolist()
    assert found["cycle"].to_pylist() == list(results.cycles) * vehicles.vehicle_count
    assert found["limiter"].to_pylist() == [name for row in results.limiter() for name in row]
    assert set(found["limiter"].to_pylist()) <= set(LIMITERS)


def refused(expected: str, *arguments: Any, **options: Any) -> None:
    with pytest.raises(InputError, match=expected):
        sweep(*arguments, **options)


# --- the rows ---


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_table_of_several_blocks_gives_what_the_cars_do(tmp_path: Path, dtype: Any) -> None:
    count = 2 * BLOCK + 77
    path = parquet(tmp_path / "cars.parquet", outlines(count), row_group_size=50_000)
    done = sweep(table_cars(path), tmp_path / "out", cycles=SPRINT, dtype=dtype, threads=2)
    found = rows(tmp_path / "out")
    assert found["id"].to_pylist() == list(range(count))
    agrees(found, some_cars(count), [SPRINT], dtype=dtype)
    assert (done.rows, done.parts, done.tally.vehicles, done.tally.invalid) == (count, 3, count, 0)
    mean = found["consumption_ac_wh_per_km"].to_numpy().mean(dtype=np.float64)
    assert done.tally.mean_ac_wh_per_km == pytest.approx([mean], rel=1e-5)


def test_several_cycles_stand_side_by_side(tmp_path: Path) -> None:
    cars = stack([leaf(), kei(), leaf()])
    sweep(vehicle_cars([cars]), tmp_path / "out", cycles=["jp1015", SPRINT])
    found = rows(tmp_path / "out")
    agrees(found, cars, ["jp1015", SPRINT])
    assert found["id"].to_pylist() == [0, 0, 1, 1, 2, 2]


def test_columns_are_narrow_and_say_what_they_are(tmp_path: Path) -> None:
    sweep(sales_cars(20), tmp_path / "out", cycles=SPRINT)
    schema = pq.read_schema(tmp_path / "out" / "rows" / "part-000000.parquet")
    assert {str(schema.field(name).type) for name in NUMBERS} == {"float"}
    assert str(schema.field("validity").type) == "uint8"
    assert pa.types.is_dictionary(schema.field("cycle").type)
    record = json.loads(schema.metadata[b"kyotsu"])
    assert record["question"].keys() >= {"kyotsu", "cycles", "input", "dtype", "initial_soc", "climate"}
    assert record["validity"]["INVALID_PARAMETERS"] == Validity.INVALID_PARAMETERS
    manifest = json.loads((tmp_path / "out" / "sweep.json").read_text("utf-8"))
    assert manifest["summary"]["rows"] == 20


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 90), min_size=1, max_size=6), st.data())
def test_however_cut_and_wherever_resumed_the_rows_are_the_same(
    tmp_path: Path, sizes: list[int], data: st.DataObject
) -> None:
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    vehicles = some_cars(sum(sizes))
    sweep(in_batches(vehicles, sizes), tmp_path / "out", cycles=SPRINT, threads=1)
    lost = data.draw(st.sets(st.integers(0, len(sizes) - 1)))
    for block in lost:
        (tmp_path / "out" / "rows" / f"part-{block:06d}.parquet").unlink()
    done = sweep(in_batches(vehicles, sizes), tmp_path / "out", cycles=SPRINT, threads=1, resume=True)
    agrees(rows(tmp_path / "out"), vehicles, [SPRINT])
    assert (done.parts, done.resumed_parts) == (len(sizes), len(sizes) - len(lost))
    assert done.tally.vehicles == sum(sizes)


def test_batches_may_come_from_a_function_and_bring_ids(tmp_path: Path) -> None:
    names = [np.array(["a1", "a2"]), np.array(["b1"])]
    batches = [(names[0], stack([leaf(), kei()])), (names[1], leaf())]
    sweep(vehicle_cars(lambda n: batches[n] if n < 2 else None), tmp_path / "out", cycles=SPRINT)
    assert rows(tmp_path / "out")["id"].to_pylist() == ["a1", "a2", "b1"]


def test_variants_differ_and_stay_near_their_cars() -> None:
    block = next(sales_cars(5000).blocks())
    mass = block.load().parameters.chassis.mass
    assert np.unique(mass).size == 5000
    assert (block.load().parameters.chassis.mass == mass).all()
    assert 1000.0 < mass.min() < mass.max() < 3000.0


@pytest.mark.slow
def test_a_million_identical_rows(tmp_path: Path) -> None:
    one = {name: values[:1] for name, values in outlines(1).items()}
    path = parquet(tmp_path / "cars.parquet", {name: np.repeat(values, 1_000_000) for name, values in one.items()})
    done = sweep(table_cars(path), tmp_path / "out", cycles=SPRINT)
    found = rows(tmp_path / "out")
    assert done.rows == found.num_rows == 1_000_000
    assert (found["id"].to_numpy() == np.arange(1_000_000)).all()
    alone = float(simulate_batch(some_cars(1), SPRINT).consumption_ac_wh_per_km[0, 0])
    assert set(found["consumption_ac_wh_per_km"].to_numpy().tolist()) == {float(np.float32(alone))}


@pytest.mark.slow
def test_memory_does_not_grow_with_the_sweep(tmp_path: Path) -> None:
    code = """
import resource, sys
from kyotsu.sim.car_blocks import sales_cars
from kyotsu.sim.cycles import make_cycle
from kyotsu.sim.sweep import sweep
count, folder = int(sys.argv[1]), sys.argv[2]
sweep(sales_cars(count), folder, cycles=make_cycle("short", [0.0, 9.0], [0.0, 9.0]), threads=2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    few, many = (
        int(run_python(code, str(count), str(tmp_path / str(count))).stdout) / 1024.0 for count in (100_000, 400_000)
    )
    assert many - few < 100.0  # MiB; all parameters would be 240 more
    assert many < 2048.0


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)


# --- what stops a sweep ---

RUN = ["sweep", "--sales", "100000", "--cycle", "jp1015", "--dtype", "float32", "--json", "--resume", "-o"]


def start(folder: Path, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kyotsu", *RUN, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, error = process.communicate()
    assert "Traceback" not in error
    return process.returncode, out, error


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert finish(start(folder))[0] == 0
    return rows(folder)


@pytest.mark.slow
@pytest.mark.parametrize(("sign", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_run_that_is_killed_is_resumed(
    tmp_path: Path, undisturbed: pa.Table, sign: signal.Signals, code: int
) -> None:
    process = start(tmp_path)
    end = time.monotonic() + 60.0
    while len(list((tmp_path / "rows").glob("*.parquet"))) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(sign)
    assert finish(process)[0] == code
    assert len(list((tmp_path / "rows").glob("*.parquet"))) < 4
    (tmp_path / ".partial-part-000003.parquet").write_bytes(b"half")
    ended, answer, _ = finish(start(tmp_path))
    assert ended == 0
    assert json.loads(answer)["resumed_parts"] >= 2
    assert rows(tmp_path).equals(undisturbed)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows", "sweep.json"]


@pytest.mark.slow
def test_a_full_disk_says_so_and_the_rest_follows(tmp_path: Path, undisturbed: pa.Table) -> None:
    size = max(path.stat().st_size for path in _parts_of(undisturbed, tmp_path))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

    ended, _, error = finish(start(tmp_path / "out", preexec_fn=limit))
    assert ended == 2
    assert "what is written is whole" in error
    assert not list((tmp_path / "out").glob(".partial*"))
    assert finish(start(tmp_path / "out"))[0] == 0
    assert rows(tmp_path / "out").equals(undisturbed)


def _parts_of(table: pa.Table, folder: Path) -> list[Path]:
    path = folder / "one.parquet"
    pq.write_table(table.slice(0, BLOCK), path, compression="zstd")
    return [path]


def test_an_iterable_that_fails_leaves_what_is_done(tmp_path: Path) -> None:
    def batches() -> Iterator[VehicleParameters]:
        yield from [leaf(), kei()]
        raise OSError(5, "the line is dead")

    refused("the line is dead", vehicle_cars(batches()), tmp_path / "out", cycles=SPRINT, threads=1)
    done = sweep(vehicle_cars([leaf(), kei(), leaf()]), tmp_path / "out", cycles=SPRINT, resume=True)
    assert (done.resumed_parts, done.rows) == (1, 3) or (done.resumed_parts, done.rows) == (2, 3)


def test_a_damaged_part_is_driven_again(tmp_path: Path) -> None:
    cars = in_batches(some_cars(30), [10, 10, 10])
    sweep(cars, tmp_path / "out", cycles=SPRINT)
    part = tmp_path / "out" / "rows" / "part-000001.parquet"
    part.write_bytes(part.read_bytes()[:100])
    assert sweep(cars, tmp_path / "out", cycles=SPRINT, resume=True).resumed_parts == 2
    agrees(rows(tmp_path / "out"), some_cars(30), [SPRINT])


# --- what cannot be resumed, or written ---


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A table, and half of its sweep."""
    parquet(tmp_path / "cars.parquet", outlines(BLOCK + 9))
    sweep(table_cars(tmp_path / "cars.parquet"), tmp_path / "out", cycles=SPRINT)
    (tmp_path / "out" / "rows" / "part-000001.parquet").unlink()
    return tmp_path


def test_a_sweep_is_not_overwritten(begun: Path) -> None:
    refused("a sweep with 1 parts", table_cars(begun / "cars.parquet"), begun / "out", cycles=SPRINT)


def test_a_table_that_changed_since(begun: Path) -> None:
    parquet(begun / "cars.parquet", outlines(BLOCK + 9, model_year=np.full(BLOCK + 9, 2020)))
    refused(r"sweep.json \(input\)", table_cars(begun / "cars.parquet"), begun / "out", cycles=SPRINT, resume=True)


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("dtype", {"dtype": "float32"}),
        ("initial_soc", {"initial_soc": 0.7}),
        ("climate", {"climate": Climate(23.0)}),
        ("cycles", {"cycles": "jp1015"}),
        ("cycles", {"cycles": make_cycle("sprint", SPRINT.time, SPRINT.speed, 0.01)}),
    ],
)
def test_other_arguments_than_before(begun: Path, key: str, options: dict[str, Any]) -> None:
    options = {"cycles": SPRINT, "resume": True, **options}
    refused(rf"sweep.json \({key}\)", table_cars(begun / "cars.parquet"), begun / "out", **options)


def test_the_number_of_threads_may_change(begun: Path) -> None:
    done = sweep(table_cars(begun / "cars.parquet"), begun / "out", cycles=SPRINT, resume=True, threads=1)
    assert done.rows == BLOCK + 9


def test_vehicles_that_changed_since(tmp_path: Path) -> None:
    sweep(vehicle_cars([leaf(), kei()]), tmp_path / "out", cycles=SPRINT)
    refused("other vehicles in block 1", vehicle_cars([leaf(), leaf()]), tmp_path / "out", cycles=SPRINT, resume=True)
    refused("1 blocks less", vehicle_cars([leaf()]), tmp_path / "out", cycles=SPRINT, resume=True)


def test_a_climate_is_part_of_the_question(tmp_path: Path) -> None:
    vehicles, cold = stack([leaf(), kei()]), Climate(-10)
    place, options = tmp_path / "out", {"cycles": ["jp1015", SPRINT], "resume": True}
    cars = vehicle_cars([leaf(), kei()])
    sweep(cars, place, climate=cold, **options)
    agrees(rows(place), vehicles, ["jp1015", SPRINT], climate=cold)
    metadata = pq.read_schema(place / "rows" / "part-000000.parquet").metadata
    assert json.loads(metadata[b"kyotsu"])["question"]["climate"]["ambient_c"] == -10.0
    sweep(cars, place, climate=Climate(-10.0, soak_c=-10.0), **options)  # the same in other words
    for other in (None, Climate(-5.0), Climate(-10.0, on_road=True)):
        refused(r"sweep.json \(climate\)", cars, place, climate=other, **options)


def test_a_part_of_another_sweep(begun: Path) -> None:
    sweep(table_cars(begun / "cars.parquet"), begun / "other", cycles=SPRINT, initial_soc=0.5)
    (begun / "other" / "rows" / "part-000001.parquet").rename(begun / "out" / "rows" / "part-000001.parquet")
    refused("another sweep", table_cars(begun / "cars.parquet"), begun / "out", cycles=SPRINT, resume=True)


def test_a_folder_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()
    refused(r"other files \(thesis.docx\)", sales_cars(3), tmp_path, cycles=SPRINT)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_manifest_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text("{")
    refused("no manifest", sales_cars(3), tmp_path, cycles=SPRINT, resume=True)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused("can be written", sales_cars(3), tmp_path / "file", cycles=SPRINT)
    refused("can be written", sales_cars(3), Path("/proc/nothing"), cycles=SPRINT)


def test_two_runs_at_once(tmp_path: Path) -> None:
    def batches() -> Iterator[VehicleParameters]:
        refused("a sweep that is running", sales_cars(3), tmp_path / "out", cycles=SPRINT, resume=True)
        yield leaf()

    assert sweep(vehicle_cars(batches()), tmp_path / "out", cycles=SPRINT).rows == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"cycles": []}, "at least one"),
        ({"cycles": [SPRINT, SPRINT]}, "two cycles sprint"),
        ({"dtype": "float16"}, "float64 or float32"),
        ({"threads": 0}, "1 or more"),
        ({"runner": "spark"}, "one of local, ray"),
        ({"initial_soc": 2.0}, "0 to 1"),
    ],
)
def test_a_wrong_question(tmp_path: Path, options: dict[str, Any], expected: str) -> None:
    refused(expected, sales_cars(3), tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


# --- tables ---


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    table = outlines(40, weight=np.arange(40.0), id=[f"car {n}" for n in range(40)])
    pyarrow.csv.write_csv(pa.table(table), tmp_path / "cars.csv")
    parquet(tmp_path / "cars.parquet", table)
    for name in ("csv", "parquet"):
        sweep(table_cars(tmp_path / f"cars.{name}"), tmp_path / name, cycles=SPRINT)
    assert rows(tmp_path / "csv").equals(rows(tmp_path / "parquet"))
    assert rows(tmp_path / "csv")["id"][39].as_py() == "car 39"


def test_a_csv_may_be_compressed(tmp_path: Path) -> None:
    with pa.CompressedOutputStream(str(tmp_path / "cars.csv.gz"), "gzip") as stream:
        pyarrow.csv.write_csv(pa.table(outlines(40)), stream)
    cars = table_cars(tmp_path / "cars.csv.gz")
    assert cars.count is None
    sweep(cars, tmp_path / "out", cycles=SPRINT)
    agrees(rows(tmp_path / "out"), some_cars(40), [SPRINT])


def test_names_may_be_coded_and_ids_whole_numbers(tmp_path: Path) -> None:
    table = pa.table(outlines(30, id=np.arange(30, dtype=np.uint16) + 7))
    place = table.column_names.index("layout")
    pq.write_table(table.set_column(place, "layout", table["layout"].dictionary_encode()), tmp_path / "c.parquet")
    sweep(table_cars(tmp_path / "c.parquet"), tmp_path / "out", cycles=SPRINT)
    agrees(rows(tmp_path / "out"), some_cars(30), [SPRINT])
    assert rows(tmp_path / "out")["id"].to_pylist() == list(range(7, 37))


def test_a_weight_counts_cars_alike(tmp_path: Path) -> None:
    table = outlines(2, weight=[3.0, 1.0])
    done = sweep(table_cars(parquet(tmp_path / "c.parquet", table)), tmp_path / "out", cycles=SPRINT)
    first, second = rows(tmp_path / "out")["consumption_ac_wh_per_km"].to_pylist()
    assert done.tally.weight == 4.0
    assert done.tally.mean_ac_wh_per_km == pytest.approx([0.75 * first + 0.25 * second], rel=1e-6)


def test_what_nobody_knows_is_filled_by_the_generic_components(tmp_path: Path) -> None:
    table = pa.table({"mass_kg": [1500], "road_load_a_n": [100], "road_load_b_n_per_mps": [3.0],
                      "road_load_c_n_per_mps2": [0.4], "battery_kwh": pa.array([None], pa.float64()),
                      "layout": pa.array([None], pa.string())})  # fmt: skip
    pq.write_table(table, tmp_path / "c.parquet")
    sweep(table_cars(tmp_path / "c.parquet"), tmp_path / "out", cycles=SPRINT)
    car = generic_vehicle(mass_kg=1500, road_load_a_n=100, road_load_b_n_per_mps=3.0, road_load_c_n_per_mps2=0.4)
    agrees(rows(tmp_path / "out"), car, [SPRINT])


def test_wrong_rows_are_flagged_counted_and_named_and_spoil_no_other(tmp_path: Path) -> None:
    count, place = 2 * BLOCK + 99, 2 * BLOCK + 7
    table = outlines(count)
    table["mass_kg"][place] = -1500.0
    table["road_load_a_n"][3] = np.nan
    table["battery_kwh"][4] = np.inf
    table["rated_power_kw"][5] = -1.0
    table["layout"] = table["layout"].astype(object)
    table["layout"][6] = "sideways"
    wrong = [3, 4, 5, 6, place]
    done = sweep(table_cars(parquet(tmp_path / "c.parquet", table)), tmp_path / "out", cycles=SPRINT)
    assert done.tally.invalid == 5
    reasons = done.tally.first_invalid
    assert [reason.partition(":")[0] for reason in reasons] == [f"vehicle {number}" for number in wrong]
    for reason, word in zip(reasons, ["nan", "inf", "peak_", "sideways", "mass = -1500"], strict=True):
        assert word in reason
    found = rows(tmp_path / "out")
    flags = found["validity"].to_numpy()
    assert np.flatnonzero(flags == Validity.INVALID_PARAMETERS).tolist() == wrong
    for name in NUMBERS:
        assert np.isfinite(found[name].to_numpy()).all()
    good = np.setdiff1d(np.arange(count), wrong)
    agrees(found.take(good), take(some_cars(count), good), [SPRINT])


def test_cells_of_a_csv_that_are_no_numbers_spoil_their_row_only(tmp_path: Path) -> None:
    head = "mass_kg,road_load_a_n,road_load_b_n_per_mps,road_load_c_n_per_mps2,model_year,weight,id"
    lines = ["1500,100,3,0.4,2020,1,a", "heavy,100,3,0.4,2020,1,b", " 1500 ,100,3,0.4,,1,c", "1500,100,3,0.4,,-1,"]
    (tmp_path / "c.csv").write_text("\n".join([head, *lines]), encoding="utf-8-sig")
    done = sweep(table_cars(tmp_path / "c.csv"), tmp_path / "out", cycles=SPRINT)
    assert done.tally.first_invalid[0] == "vehicle b: mass_kg = heavy, must be a number"
    assert (rows(tmp_path / "out")["validity"].to_numpy() == 8).tolist() == [False, True, False, True]


CAR = {"mass_kg": [1500.0], "road_load_a_n": [100.0], "road_load_b_n_per_mps": [3.0], "road_load_c_n_per_mps2": [0.4]}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({**CAR, "motor_typ": ["pm"]}, "Did you mean motor_type"),
        ({"mass": [1.0]}, "no such column(.|\n)*road_load_c_n_per_mps2(.|\n)*unknown column"),
        ({name: [] for name in CAR}, "no rows"),
    ],
)
def test_a_table_of_the_wrong_shape(tmp_path: Path, table: dict[str, Any], expected: str) -> None:
    parquet(tmp_path / "c.parquet", table)
    pyarrow.csv.write_csv(pa.table(table), tmp_path / "c.csv")
    for name in ("c.parquet", "c.csv"):
        with pytest.raises(InputError, match=expected):
            table_cars(tmp_path / name)


def test_a_column_can_be_ignored(tmp_path: Path) -> None:
    parquet(tmp_path / "c.parquet", {**CAR, "colour": ["red"]})
    assert sweep(table_cars(tmp_path / "c.parquet", ignored=["colour"]), tmp_path / "out", cycles=SPRINT).rows == 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"PAR1 and nothing else", b"mass_kg\n\xff\xfe"])
def test_a_file_that_is_no_table(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"c\.csv"):
        sweep(table_cars(tmp_path / "c.csv"), tmp_path / "out", cycles=SPRINT)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        table_cars(tmp_path / "none.csv")


def test_a_ragged_csv_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(",".join(CAR) + "\n1500,100,3,0.4\n1500,100,3\n")
    refused("Expected 4 columns, got 3", table_cars(tmp_path / "c.csv"), tmp_path / "out", cycles=SPRINT)


def test_no_vehicle_at_all(tmp_path: Path) -> None:
    refused("at least one", vehicle_cars([]), tmp_path / "out", cycles=SPRINT)
    with pytest.raises(InputError, match="1 or more"):
        sales_cars(0)
    with pytest.raises(InputError, match="Trabant"):
        sales_cars(1, makes=["Trabant"])


def test_parameters_that_are_nonsense_are_flagged_too(tmp_path: Path) -> None:
    broken = map_arrays(lambda values: values * np.nan, leaf())
    done = sweep(vehicle_cars([stack([leaf()]), broken]), tmp_path / "out", cycles=SPRINT)
    assert rows(tmp_path / "out")["validity"].to_pylist() == [0, 8]
    assert done.tally.first_invalid == ["vehicle 1: chassis.mass = nan, must be 1 to 1e+06 in SI units"]


def test_builders_are_lenient_only_where_all_is_unchecked() -> None:
    wrong = {"mass_kg": -1.0, "road_load_a_n": 1.0, "road_load_b_n_per_mps": 0.0, "road_load_c_n_per_mps2": 0.4}
    with unchecked():
        car = generic_vehicle(**wrong)
    assert invalid(car).tolist() == [True]
    with pytest.raises(InputError, match="mass"):
        generic_vehicle(**wrong)


def test_progress_is_told(tmp_path: Path) -> None:
    heard: list[tuple[int, int | None]] = []
    cars = sales_cars(2 * BLOCK + 1)
    sweep(cars, tmp_path / "out", cycles=SPRINT, threads=1, progress=lambda done, total: heard.append((done, total)))
    assert [done for done, _ in heard] == [BLOCK, 2 * BLOCK, 2 * BLOCK + 1]
    assert {total for _, total in heard} == {2 * BLOCK + 1}
