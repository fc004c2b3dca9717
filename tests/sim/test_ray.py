"""A sweep on a cluster gives the rows of one machine, also when a node is lost midway."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sim.test_sweep import SPRINT, run_python

from kyotsu.errors import InputError
from kyotsu.sim.car_blocks import sales_cars
from kyotsu.sim.sweep import sweep

LAST_BITS = 2e-6  # -, some ten units in the last place of a number of 32 bits

# In a process of its own: Ray leaves threads and sockets behind in the one that drives it.
CLUSTER = """
import os, sys
from pathlib import Path
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
from ray.cluster_utils import Cluster
from kyotsu.sim.car_blocks import sales_cars
from kyotsu.sim.sweep import sweep

folder, store = Path(sys.argv[1]), 100 * 2**20
cluster = Cluster(initialize_head=True, head_node_args={
    "num_cpus": 0, "object_store_memory": store, "include_dashboard": False})
try:
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=store) for _ in range(2)]
    os.environ["RAY_ADDRESS"] = cluster.address
    lost = []

    def progress(done, total):
        if not lost:
            lost.append(done)
            cluster.remove_node(nodes[0], allow_graceful=False)

    done = sweep(sales_cars(170_000), folder, cycles="jp1015", dtype="float32", runner="ray", progress=progress)
    assert lost and lost[0] < done.rows, "no node was lost midway"
    print(done.rows, done.parts)
finally:
    cluster.shutdown()
"""


def ray_processes() -> set[str]:
    """Processes of Ray on this machine that are alive."""
    alive = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"raylet" in words or b"gcs_server" in words:
            alive.add(folder.name)
    return alive


def identity(part: pa.Table) -> tuple[object, ...]:
    """What a part is an answer to, and of how many vehicles."""
    record = json.loads(part.schema.metadata[b"kyotsu"])
    return record["question"], record["block"], record["fingerprint"], record["tally"]["vehicles"], part.schema.names


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes as Linux shows them")
def test_a_node_lost_midway_loses_and_doubles_nothing(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    before = ray_processes()
    command = [sys.executable, "-c", CLUSTER, str(tmp_path / "cluster")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-2:] == ["170000", "6"]
    here = sweep(sales_cars(170_000), tmp_path / "here", cycles="jp1015", dtype="float32")
    assert here.rows == 170_000
    for name in (f"part-{number:06d}.parquet" for number in range(6)):
        one, other = (pq.read_table(tmp_path / place / "rows" / name) for place in ("cluster", "here"))
        assert identity(one) == identity(other)
        for column in one.column_names:
            if pa.types.is_floating(one[column].type):  # another process may compile the last bit otherwise
                assert np.allclose(one[column].to_numpy(), other[column].to_numpy(), rtol=LAST_BITS, atol=1e-6)
            else:
                assert one[column].equals(other[column])
    end = time.monotonic() + 30.0
    while ray_processes() - before and time.monotonic() < end:
        time.sleep(0.2)
    assert not ray_processes() - before


@pytest.mark.parametrize(
    ("address", "expected"),
    [("", "nothing; expected host:port"), ("somewhere", "not host:port"), ("127.0.0.1:{closed}", "refused")],
)
def test_a_cluster_that_cannot_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, expected: str
) -> None:
    pytest.importorskip("ray")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        monkeypatch.setenv("RAY_ADDRESS", address.format(closed=held.getsockname()[1]))
        with pytest.raises(InputError, match=expected) as error:
            sweep(sales_cars(3), tmp_path / "out", cycles=SPRINT, runner="ray")
    assert "RAY_ADDRESS" in str(error.value)


def test_without_ray_the_extra_is_named(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["ray"] = None
from kyotsu.errors import InputError
from kyotsu.sim.car_blocks import sales_cars
from kyotsu.sim.sweep import sweep
try:
    sweep(sales_cars(3), sys.argv[1], runner="ray")
except InputError as error:
    print(error)
"""
    assert "pip install 'kyotsu[ray]'" in run_python(code, str(tmp_path / "out")).stdout
    assert not (tmp_path / "out").exists()
