from __future__ import annotations

import pytest

from kyotsu.cli.bench import Case, gpu_record
from kyotsu.sim.gpu import gpu_name


@pytest.mark.slow
def test_a_gpu_has_a_row_where_there_is_one(kyotsu) -> None:
    name, run = gpu_name(), kyotsu("bench", "sim", "--vehicles", "4", "--seconds", "0")
    assert run.code == 0
    assert "float32" in run.out
    assert ("GPU" in run.out) == (name is not None)


def test_the_speed_of_a_gpu_is_that_of_its_least_time() -> None:
    cases = [Case(dtype, 1, list, [0.5, least], [0.0, 0.0]) for dtype, least in (("float64", 0.2), ("float32", 0.1))]
    assert gpu_record("Some GPU", cases, 1000) == {
        "name": "Some GPU",
        "vehicle_cycles_per_s_float64": 5000,
        "vehicle_cycles_per_s_float32": 10000,
    }
