from __future__ import annotations

from pathlib import Path


def test_the_study_writes_its_files_and_says_where(kyotsu, alliance: Path, tmp_path: Path) -> None:
    run = kyotsu("study", alliance, "--no-choice", "-o", tmp_path / "out")
    assert run.code == 0
    assert (tmp_path / "out" / "report.html").stat().st_size > 100_000
    assert "report.html" in run.out
    for vehicle in ("nissan/leaf_40", "honda/honda_e", "mitsubishi/imiev"):
        assert vehicle in run.out


def test_a_folder_that_cannot_be_written_is_exit_2(kyotsu, interchange: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    run = kyotsu("study", interchange, "-o", tmp_path / "out")
    assert run.code == 2
    assert "cannot be written" in run.err
    assert (tmp_path / "out").read_text() == "mine"


def test_json_is_the_study(kyotsu, interchange: Path, tmp_path: Path) -> None:
    run = kyotsu("study", interchange, "-o", tmp_path / "out", "--json")
    assert run.code == 0
    assert run.json["fits"]
