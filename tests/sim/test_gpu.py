"""The GPU drives as the processor does: in numba's simulator, as machine code of a GPU, and on one if there is one.

Each in a process of its own: whether numba simulates is settled when it is first imported.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.sim.test_kernel import TOLERANCE, same
from tests.sim.vehicles import kei, leaf, lossless

from kyotsu.errors import InputError
from kyotsu.sim.batch import Precision
from kyotsu.sim.car_table import load_validation_cars
from kyotsu.sim.cycles import CYCLES
from kyotsu.sim.gpu import RESULT_ROWS, gpu_name, simulate_gpu, vehicle_source
from kyotsu.sim.simulate import simulate

NO_LIBRARY = "this machine lacks numba-cuda or CUDA's libraries"

SIMULATED = """
import sys
try:
    from numba import cuda
except (ImportError, RuntimeError, OSError):
    sys.exit(77)
import numpy as np
from tests.sim.test_kernel import TOLERANCE, same
from tests.sim.vehicles import kei, leaf, lossless
from kyotsu.sim import gpu
from kyotsu.sim.car_table import load_validation_cars
from kyotsu.sim.cycles import make_cycle
from kyotsu.sim.parameters import stack, take
from kyotsu.sim.simulate import simulate

gpu.CHUNK, gpu.THREADS, dtype = 4, 3, sys.argv[1]
cars = take(load_validation_cars().vehicles(), np.array([0, 30, 77]))
cars = stack([cars, kei(), lossless(maximum_speed_rpm=3000.0), leaf(), lossless(capacity_ah=0.01)])
cars.chassis.mass[5] = np.nan
if dtype == "float32":  # which limit a battery without any charge is under is a matter of the last digit
    cars = take(cars, np.arange(6))
cycles = [
    make_cycle("hill", [0, 3, 5, 9, 12, 20, 21], [0, 6, 20, 45, 20, 3, 0], [0, 0.1, 0.4, 0.1, 0, -0.1, 0]),
    make_cycle("stop", [0.0, 2.0, 4.5], [9.0, 3.0, 0.0]),
]
reference = simulate(cars, cycles, initial_soc=0.05)
limits = {name for row in reference.limiter() for name in row}
assert limits >= {"none", "motor_torque", "motor_speed", "battery"}, limits
assert dtype == "float32" or "battery_empty" in limits
assert same(reference, gpu.simulate_gpu(cars, cycles, initial_soc=0.05, dtype=dtype), TOLERANCE[dtype])
assert gpu.gpu_name()
"""

COMPILED = """
import sys
try:
    from numba import cuda, types
    import numba.cuda.compiler, numba.cuda.dispatcher
    cuda.compile_ptx(lambda values: None, (types.float64[:],), cc=(8, 0))
except (ImportError, RuntimeError, OSError):
    sys.exit(77)

class Device:
    "Stands in for the GPU that device functions are compiled for, where there is none."
    compute_capability = (int(sys.argv[2]), 0)

numba.cuda.dispatcher.get_current_device = numba.cuda.compiler.get_current_device = lambda: Device
from kyotsu.sim import gpu
from kyotsu.sim.car_table import load_validation_cars
real = getattr(types, sys.argv[1])
table = types.Array(real, 2, "C")
function = gpu.kernel_function(gpu.vehicle_source(load_validation_cars().vehicles()), sys.argv[1])
text, _ = cuda.compile_ptx(function, (table, table, table, table, real, table), cc=Device.compute_capability)
print(text)
"""


def answer(code: str, *arguments: str, **environment: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    found = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment, "PYTHONPATH": path()}
    )
    if found.returncode == 77:
        pytest.skip(NO_LIBRARY)
    assert found.returncode == 0, found.stderr[-3000:]
    return found.stdout


def path() -> str:
    return os.pathsep.join(entry for entry in (os.getcwd(), *sys.path) if entry)  # noqa: PTH109


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_simulated_gpu_gives_the_answers_of_the_reference(dtype: Precision) -> None:
    answer(SIMULATED, dtype, NUMBA_ENABLE_CUDASIM="1")


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "capability"), [("float64", "8"), ("float32", "9")])
def test_it_compiles_for_a_real_gpu_in_one_precision_and_one_piece(dtype: Precision, capability: str) -> None:
    text = answer(COMPILED, dtype, capability, NUMBA_ENABLE_CUDASIM="0")
    assert f".target sm_{capability}0" in text
    assert text.count(".entry") == 1
    mine, other = (f".f{dtype[-2:]}", ".f32" if dtype == "float64" else ".f64")
    assert text.count(mine) > 500
    assert text.count(f"st.global{mine}") == RESULT_ROWS
    assert f" add{other}" not in text, "another precision than asked for"
    assert f"mul{other}" not in text
    assert "call" not in text, "a function that was not inlined"


@pytest.mark.skipif(gpu_name() is None, reason="no NVIDIA GPU")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_real_gpu_gives_the_answers_of_the_reference(dtype: Precision) -> None:
    cars = load_validation_cars().vehicles()
    same(simulate(cars, CYCLES), simulate_gpu(cars, CYCLES, dtype=dtype), TOLERANCE[dtype])
    same(simulate(kei(), CYCLES), simulate_gpu(kei(), CYCLES, dtype=dtype), TOLERANCE[dtype])


@pytest.mark.skipif(gpu_name() is not None, reason="there is a GPU")
def test_without_a_gpu_it_says_what_to_do() -> None:
    with pytest.raises(InputError, match=r"an NVIDIA GPU(.|\n)*Use simulate_batch"):
        simulate_gpu(leaf(), "udds")


def test_without_numba_cuda_it_says_what_to_do() -> None:
    code = """
import sys
sys.modules["numba.cuda"] = None
from kyotsu.errors import InputError
from kyotsu.sim.gpu import gpu_name, simulate_gpu
from tests.sim.vehicles import leaf
assert gpu_name() is None
try:
    simulate_gpu(leaf(), "udds")
except InputError as error:
    print(error)
"""
    assert "kyotsu[gpu]" in answer(code)


def test_a_wrong_question_is_refused() -> None:
    with pytest.raises(InputError, match="float64 or float32"):
        simulate_gpu(leaf(), "udds", dtype="float16")  # type: ignore[arg-type]


def test_every_parameter_has_one_row() -> None:
    car = lossless()
    source = vehicle_source(car)
    drive = 4 + len(car.front.loss)
    count = len(car.chassis) + 2 * drive + len(car.battery) - 2  # both tables apart
    assert all(source.count(f"rows[{number}, place]") == 1 for number in range(count))
    assert source.count("rows[") == count
