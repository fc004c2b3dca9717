from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import kyotsu

COMMANDS = (
    ["check"], ["fit"], ["drive"], ["study"], ["schema"], ["standard", "diff"], ["validate"],
)  # fmt: skip


def test_the_version_is_the_package_s(kyotsu) -> None:
    run = kyotsu("--version")
    assert (run.code, run.out.strip()) == (0, f"kyotsu {__import__('kyotsu').__version__}")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_alone_teaches(kyotsu, command: list[str]) -> None:
    run = kyotsu(*command, "--help")
    assert run.code == 0
    assert "--json" in run.out
    assert len(run.out.split()) > 30


@pytest.mark.parametrize("command", [["check"], ["fit"], ["study"]], ids=" ".join)
def test_bad_input_is_exit_2_with_every_problem_and_no_traceback(kyotsu, broken: Path, command: list[str]) -> None:
    run = kyotsu(*command, broken)
    shown = run.out + run.err
    assert run.code == 2
    assert "Traceback" not in shown
    for sign in ("year", "mass_kg", "not UTF-8"):
        assert sign in shown
    assert not list(broken.glob("kyotsu-study*"))


def test_bad_input_as_json_holds_the_same_problems(kyotsu, broken: Path) -> None:
    run = kyotsu("fit", broken, "--json")
    assert run.code == 2
    problems = run.json["problems"]
    assert len(problems) == 3
    assert all(problem["file"] and problem["line"] and problem["action"] for problem in problems)


def test_a_workspace_that_is_not_there_is_one_clear_problem(kyotsu, tmp_path: Path) -> None:
    run = kyotsu("check", tmp_path / "nowhere")
    assert run.code == 2
    assert "no such folder" in run.out + run.err


def test_an_unknown_option_is_exit_2(kyotsu, tmp_path: Path) -> None:
    assert kyotsu("check", tmp_path, "--nonsense").code == 2


def test_a_closed_pipe_is_no_traceback(interchange: Path) -> None:
    command = f"{sys.executable} -m kyotsu fit {interchange} --json | head -c 10"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in run.stderr


def test_the_specification_s_commands_need_no_array_package(interchange: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('numpy', 'scipy', 'pyarrow', 'jinja2', 'numba'): sys.modules[name] = None\n"
        f"sys.argv = ['kyotsu', 'check', {str(interchange)!r}]\n"
        "from kyotsu.cli import main\nmain()\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_missing_extra_says_how_to_get_it(interchange: Path) -> None:
    code = (
        "import sys\nsys.modules['numpy'] = None\n"
        f"sys.argv = ['kyotsu', 'study', {str(interchange)!r}]\n"
        "from kyotsu.cli import main\nmain()\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "kyotsu[study]" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_package_says_its_version() -> None:
    assert kyotsu.__version__.count(".") == 2
