"""`kyotsu can check`: counts, every problem with its place, a mended file; exit code 0, 1 or 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from kyotsu.can.matrix_files import read_matrix
from kyotsu.cli.can_check import check
from kyotsu.errors import InputError

CLEAN = 'VERSION ""\n\nBO_ 256 Motor: 8 ECU\n SG_ Speed : 0|16@1+ (0.1,0) [0|0] "km/h" A\n'
DOUBTFUL = CLEAN + 'BO_ 2048 Far: 8 ECU\n SG_ A : 0|8@1+ (1,0) [0|0] "" A\n SG_ B : 7|2@1+ (.5,0) [0|0] "" A\n'


def call(*arguments: str | Path) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(check)
    answer = CliRunner().invoke(app, list(map(str, arguments)))
    if isinstance(answer.exception, InputError):
        raise answer.exception
    return answer.exit_code, answer.output


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    path = tmp_path / "clean.dbc"
    path.write_text(CLEAN)
    return path


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    path = tmp_path / "doubtful.dbc"
    path.write_text(DOUBTFUL)
    return path


def test_a_sound_matrix(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = call(clean)
    assert code == 0


def test_what_is_doubtful_as_json(doubtful: Path) -> None:
    code, out = call(doubtful, "--json")
    assert code == 1
    answer = json.loads(out)
    (counts,) = answer["matrices"]
    assert counts == {
        "file": str(doubtful), "messages": 2, "signals": 3, "multiplexed": 0, "fd": 0, "extended": 1, "j1939": 0,
        "transported": 0, "protected": 0,
    }  # fmt: skip
    assert [(problem["line"], problem["key"]) for problem in answer["problems"]] == [
        (5, "Far"), (7, "Far.B"), (7, "Far.B"),
    ]  # fmt: skip


def test_an_error_among_several_files(clean: Path, tmp_path: Path) -> None:
    code, out = call(clean, tmp_path / "missing.dbc", "--json")
    assert code == 2
    assert [problem["found"] for problem in json.loads(out)["problems"]] == ["no such file"]
    assert len(json.loads(out)["matrices"]) == 2


def test_a_mended_file(doubtful: Path, tmp_path: Path) -> None:
    mended = tmp_path / "mended.dbc"
    code, _ = call(doubtful, "--json", "--write", mended)
    assert code == 1
    matrix, problems = read_matrix(mended)
    assert problems == []
    assert matrix is not None
    assert matrix.by_name["Far"].is_extended


def test_only_one_file_is_mended(clean: Path, doubtful: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        call(clean, doubtful, "--write", tmp_path / "mended.dbc")


def test_a_maker_s_folder_is_checked_with_its_mapping(kyotsu, alliance: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert kyotsu("can", "check", *(alliance / "makers" / name for name in ("honda", "nissan", "mitsubishi"))).code == 0
    for name in ("bus.dbc", "signals.toml"):
        text = (alliance / "makers" / "nissan" / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace('path = "Vehicle.Speed"', 'path = "Vehicle.Sped"'), "utf-8")
    run = kyotsu("can", "check", tmp_path, "--json")
    assert run.code == 2
    assert any("Vehicle.Sped" in problem["found"] for problem in run.json["problems"])
