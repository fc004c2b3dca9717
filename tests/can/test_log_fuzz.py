"""Damaged and hostile logs of every format: the sound part is read, the rest counted, nothing raised but InputError."""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.can.frame_rows import rows_of
from tests.public_data import public_data

from kyotsu.can.blf_file import CONTAINER, HEADER
from kyotsu.can.frames import BLOCK_FRAMES, Frames, frames_of, joined
from kyotsu.can.log_report import LogReport
from kyotsu.can.log_writers import write_asc, write_blf, write_candump
from kyotsu.can.logs import FORMATS, open_log
from kyotsu.errors import InputError

SAMPLES = {
    "BLF": "can/python_can_testdata/issue_1905.blf",
    "MF4": "can/css_electronics/uds_kona_ev_17BD1DB7.MF4",
    "TRC": "can/python_can_testdata/test_CanMessage_V2_1.trc",
    "ASC": "can/python_can_testdata/logfile.asc",
    "GVRET CSV": "can/mitsubishi_outlander_phev/damienmaguire_DRIVING1.csv",
    "candump": "can/tesla_dogmode/candump_DogMode.log",
}
BEGIN = {"GVRET CSV": 3_000, "candump": 3_000}  # bytes of a sample that are enough
COUNT = 3_000


def sample(name: str) -> tuple[bytes, str]:
    path = public_data(SAMPLES[name])
    return path.read_bytes()[: BEGIN.get(name)], path.suffix


def read_any(path: Path) -> tuple[Frames, LogReport] | None:
    """All that there is; nothing where the file is no log."""
    try:
        log = open_log(path)
    except InputError:
        return None
    blocks = []
    for block in log.blocks():
        assert block.size <= BLOCK_FRAMES
        assert block.payload.shape[1] in (8, 64)
        assert (block.length <= block.payload.shape[1]).all()
        assert (block.frame_id < 1 << 29).all()
        blocks.append(block)
    report = log.report
    assert report.finished
    assert report.frames == sum(block.size for block in blocks)
    assert bool(report.problems) == bool(report.damages)
    assert report.partial == bool(report.damages)
    return joined(blocks), report


def test_every_format_has_a_sample() -> None:
    assert SAMPLES.keys() == {one.name for one in FORMATS}


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=60)
@given(data=st.data())
def test_damage_is_never_raised(name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    content, suffix = sample(name)
    broken = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(broken)))
        change = data.draw(st.sampled_from(["flip", "number", "insert", "remove", "repeat", "cut"]))
        if change == "flip":
            broken[at : at + 1] = data.draw(st.binary(min_size=1, max_size=1))
        elif change == "number":
            broken[at : at + 8] = struct.pack(
                "<Q", data.draw(st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]))
            )
        elif change == "insert":
            broken[at:at] = data.draw(st.binary(max_size=40))
        elif change == "remove":
            del broken[at : at + data.draw(st.integers(1, 200))]
        elif change == "repeat":
            broken[at:at] = broken[at : at + data.draw(st.integers(1, 200))]
        else:
            del broken[max(at, 1) :]
    path = tmp_path_factory.mktemp("fuzz") / f"broken{suffix}"
    path.write_bytes(broken)
    found = read_any(path)
    if found is not None and name not in ("BLF", "MF4"):
        assert found[1].records == broken.count(b"\n") + (not broken.endswith(b"\n") and bool(broken))


@pytest.mark.parametrize("name", ["BLF", "MF4"])
def test_a_binary_log_cut_at_any_byte_gives_the_frames_before(name: str, tmp_path: Path) -> None:
    content, suffix = sample(name)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content)
    whole = read_any(path)
    assert whole is not None
    rows = rows_of(whole[0])
    before = 0
    for cut in np.linspace(64, len(content) - 1, 150).astype(int).tolist():
        path.write_bytes(content[:cut])
        found = read_any(path)
        if found is None:
            assert cut < 200
            continue
        assert rows_of(found[0]) == rows[: found[0].size]
        assert found[0].size >= before
        before = found[0].size
    assert before >= len(rows) - 2


def many(count: int = COUNT) -> Frames:
    random = np.random.default_rng(1)
    rows = [
        (1_700_000_000 * 10**9 + index * 10**6, int(random.integers(0x7FF)), random.bytes(8)) for index in range(count)
    ]
    frames = frames_of(rows)
    frames.bus[:] = 1
    return frames


@pytest.mark.parametrize(("suffix", "write"), [("log", write_candump), ("asc", write_asc)])
def test_broken_lines_are_named_with_their_place(suffix: str, write: object, tmp_path: Path) -> None:
    frames = many(100)
    path = tmp_path / f"lines.{suffix}"
    assert callable(write)
    write(frames, path)
    lines = path.read_bytes().splitlines(keepends=True)
    first = len(lines) - 100 - (suffix == "asc")
    for at in range(first + 10, first + 60, 2):
        lines[at] = lines[at][:-9] + b"zz\n"
    path.write_bytes(b"".join(lines))
    found = read_any(path)
    assert found is not None
    report = found[1]
    assert (found[0].size, report.damaged, len(report.problems)) == (75, 25, 20)
    assert [problem.location.line for problem in report.problems[:3]] == [first + 11, first + 13, first + 15]
    assert all(problem.severity == "warning" and "zz" in problem.found for problem in report.problems)


def test_a_broken_container_costs_only_its_own_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    frames = many(9_000)
    write_blf(frames, path)
    content = bytearray(path.read_bytes())
    containers = [at for at in range(144, len(content)) if content.startswith(b"LOBJ", at)]
    assert len(containers) > 3
    middle = containers[1]
    content[middle + 200 : middle + 260] = bytes(60)
    path.write_bytes(content)
    found = read_any(path)
    assert found is not None
    report = found[1]
    assert "broken container" in report.damages
    per_container = (1 << 17) // 48
    assert found[0].size >= 9_000 - per_container - 2
    expected = set(rows_of(frames))
    sound = [row for row in rows_of(found[0]) if row in expected]
    assert len(sound) >= 9_000 - per_container - 2


def test_a_size_that_is_not_that_of_the_container_does_not_hide_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    write_blf(many(9_000), path)
    content = bytearray(path.read_bytes())
    for size in (0xFFFF_FFF0, 5, 10_000_000):
        struct.pack_into("<I", content, 144 + 8, size)
        path.write_bytes(content)
        found = read_any(path)
        assert found is not None
        assert found[1].partial
        assert found[0].size >= 9_000 - (1 << 17) // 48 - 2


def container(data: bytes, stated: int | None = None, method: int = 2) -> bytes:
    content = zlib.compress(data, 1) if method == 2 else data
    size = HEADER.size + CONTAINER.size + len(content)
    header = HEADER.pack(b"LOBJ", 16, 1, size, 10) + CONTAINER.pack(method, len(data) if stated is None else stated)
    return header + content + bytes(size % 4)


def blf_of(*parts: bytes) -> bytes:
    return struct.pack("<4sL", b"LOGG", 144).ljust(144, b"\0") + b"".join(parts)


def objects(count: int, tmp_path: Path) -> bytes:
    """The plain stream of a log."""
    path = tmp_path / "plain.blf"
    write_blf(many(count), path, compression=0)
    content, plain, at = path.read_bytes(), b"", 144
    while at < len(content):
        size = struct.unpack_from("<I", content, at + 8)[0]
        plain += content[at + 32 : at + size]
        at += size + size % 4
    return plain


def test_objects_stand_beside_containers_or_across_them(tmp_path: Path) -> None:
    stream = objects(50, tmp_path)
    path = tmp_path / "a.blf"
    ways = {
        "no container": blf_of(stream),
        "across": blf_of(*(container(stream[at : at + 100]) for at in range(0, len(stream), 100))),
        "plain containers": blf_of(*(container(stream[at : at + 31], method=0) for at in range(0, len(stream), 31))),
        "both": blf_of(container(stream[:480]), stream[480:960], container(stream[960:])),
        "padded": blf_of(*(container(stream[at : at + 48]) + bytes(7) for at in range(0, len(stream), 48))),
        "wrong magic": b"GOGG" + blf_of(container(stream))[4:],
    }
    for way, content in ways.items():
        path.write_bytes(content)
        found = read_any(path)
        assert found is not None, way
        assert found[0].size == 50, way
        assert found[1].damages == ({"broken file header": 1} if way == "wrong magic" else {}), way


def peak_bytes(path: Path) -> int:
    tracemalloc.start()
    try:
        assert read_any(path) is not None
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_bomb_in_a_container_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.blf"
    bomb = 100_000_000
    for stated in (bomb, 10, 0xFFFF_FFFF):
        path.write_bytes(
            blf_of(container(objects(5, tmp_path)), container(bytes(bomb), stated), container(objects(5, tmp_path)))
        )
        assert path.stat().st_size < 1_000_000
        assert peak_bytes(path) < 60_000_000


def test_a_bomb_in_a_compressed_block_does_not_fill_the_memory(tmp_path: Path) -> None:
    content = public_data(SAMPLES["MF4"]).read_bytes()
    data = content.index(b"##DT")
    packed = zlib.compress(bytes(120_000_000), 1)
    path = tmp_path / "bomb.mf4"
    for method, plain in ((0, 120_000_000), (1, 120_000_000), (0, 2**63), (1, 2**40)):
        block = struct.pack("<4sIQQ2sBBIQQ", b"##DZ", 0, 48 + len(packed), 0, b"DT", method, 0, 22, plain, len(packed))
        path.write_bytes(content[:data] + block + packed)
        assert peak_bytes(path) < 80_000_000


def test_a_line_without_an_end_and_a_bomb_in_gzip_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    write_candump(many(10), path)
    lines = path.read_bytes()
    path.write_bytes(lines + b"x" * 40_000_000 + b"\n" + lines)
    assert peak_bytes(path) < 30_000_000
    found = read_any(path)
    assert found is not None
    assert (found[0].size, found[1].damages) == (20, {"line without an end": 1})
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = packer.compress(lines + b"x" * 40_000_000 + b"\n" + lines) + packer.flush()
    zipped = tmp_path / "bomb.log.gz"
    zipped.write_bytes(packed)
    found = read_any(zipped)
    assert found is not None
    assert (found[0].size, found[1].damages) == (20, {"line without an end": 1})
    zipped.write_bytes(packed[:-9])
    found = read_any(zipped)
    assert found is not None
    assert "broken gzip file" in found[1].damages


ATHERIS = """
import sys, tempfile, pathlib
import atheris
with atheris.instrument_imports(include=["kyotsu.can"]):
    from kyotsu.can.logs import open_log
from kyotsu.errors import InputError

path = pathlib.Path(tempfile.mkdtemp()) / ("fuzz" + sys.argv.pop())

def read(data):
    path.write_bytes(data)
    try:
        log = open_log(path)
    except InputError:
        return
    for block in log.blocks():
        assert block.size
    assert log.report.finished

atheris.Setup(sys.argv, read)
atheris.Fuzz()
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("name", SAMPLES)
def test_atheris_finds_no_crash(name: str, root: Path, tmp_path: Path) -> None:
    content, suffix = sample(name)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "sample").write_bytes(content)
    arguments = ["-max_total_time=4", f"-max_len={2 * len(content)}", "-timeout=20", "-rss_limit_mb=4096", str(corpus)]
    command = [sys.executable, "-c", ATHERIS, *arguments, suffix]
    environment = {
        "PYTHONPATH": str(root / "src"),
        "KYOTSU_NO_COMPILER": "1",
        "HOME": str(tmp_path),
    }
    result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=180)
    assert result.returncode == 0, result.stderr[-3000:]
