from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kyotsu.errors import InputError
from kyotsu.study import Study, write_study
from kyotsu.study.tables import TABLES


def test_every_table_can_be_read_back(study: Study, tmp_path: Path) -> None:
    written = write_study(study, tmp_path / "out")
    assert written[-1].name == "report.html"
    for name, records in TABLES.items():
        assert pq.read_table(tmp_path / "out" / f"{name}.parquet").num_rows == len(records(study))
    assert json.loads((tmp_path / "out" / "results.json").read_text())["fits"]


def test_nothing_else_is_left_in_the_folder(study: Study, tmp_path: Path) -> None:
    written = write_study(study, tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(written)


def test_a_folder_that_is_a_file_is_one_clear_problem(study: Study, tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.write_text("mine")
    with pytest.raises(InputError) as raised:
        write_study(study, place)
    assert len(raised.value.problems) == 1
    assert place.read_text() == "mine"


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
from kyotsu.cli import main
sys.argv = ["kyotsu", "study", sys.argv[1], "--no-choice", "-o", sys.argv[2]]
main()
"""


@pytest.mark.slow
def test_a_full_disk_leaves_the_earlier_study_as_it_was(study: Study, root: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in write_study(study, tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(root / "examples" / "alliance"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    assert "cannot be written" in run.stderr
    assert "Traceback" not in run.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.slow
def test_a_killed_study_leaves_the_earlier_one_and_the_next_one_cleans_up(
    study: Study, root: Path, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in write_study(study, tmp_path)}
    command = [
        sys.executable,
        "-m",
        "kyotsu",
        "study",
        str(root / "examples" / "alliance"),
        "--no-choice",
        "-o",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".partial-*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert kept == set(before)
    write_study(study, tmp_path)
    assert not list(tmp_path.glob(".partial-*"))
