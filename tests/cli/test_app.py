"""What holds for every command: exit codes, help that teaches, no traceback, and output on any terminal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from kyotsu import __version__
from kyotsu.cli.app import app
from spec.workspaces import TWO_MAKERS, Folder

from .conftest import Run

COMMANDS = ["check", "fit", "drive", "study", "validate", "schema", "standard diff"]
ON_A_WORKSPACE = {
    "check": ("check", "{}"),
    "fit": ("fit", "{}"),
    "standard diff": ("standard", "diff", "common_module@0.9", "common_module@1.0", "-w", "{}"),
}


def process(*words: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "kyotsu", *map(str, words)],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
        timeout=60,
    )


# --- help ---


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_teaches_it(kyotsu: Callable[..., Run], command: str) -> None:
    answer = kyotsu(*command.split(), "--help")
    assert answer.code == 0
    assert f"Usage: kyotsu {command}" in answer.out
    assert "--json" in answer.out
    click = typer.main.get_command(app)
    for word in command.split():
        click = click.commands[word]  # type: ignore[attr-defined]
    assert click.help
    for parameter in click.params:
        text = " ".join(getattr(parameter, "help", None) or "").replace(" ", "")
        assert text, f"{command} {parameter.name}"
        shown = re.sub(r"[│\s]", "", answer.out)
        assert re.sub(r"\s", "", parameter.help.split(".")[0])[:40] in shown  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_the_help_names_every_command_and_the_exit_codes(kyotsu: Callable[..., Run], words: list[str]) -> None:
    answer = kyotsu(*words)
    assert answer.code == 0
    for name in {command.split()[0] for command in COMMANDS}:
        assert re.search(rf"^│ {name} ", answer.out, flags=re.MULTILINE), name
    assert "Exit codes: 0 all is well, 1 there are findings, 2 the input is bad" in " ".join(answer.out.split())


def test_no_words_get_the_help(kyotsu: Callable[..., Run]) -> None:
    assert "Usage: kyotsu" in kyotsu().out + kyotsu().err
    assert "Usage: kyotsu standard" in kyotsu("standard").out + kyotsu("standard").err


def test_the_version(kyotsu: Callable[..., Run]) -> None:
    assert kyotsu("--version") == Run(0, f"kyotsu {__version__}\n", "")


# --- bad input: exit code 2, one clear message, no traceback ---


@pytest.mark.parametrize(
    "words",
    [
        ["no_such_command"],
        ["check"],
        ["check", str(TWO_MAKERS), "--no-such-option"],
        ["fit", str(TWO_MAKERS), "--part"],
        ["standard", "diff", "a@1.0"],
    ],
)
def test_words_that_no_command_takes(kyotsu: Callable[..., Run], words: list[str]) -> None:
    answer = kyotsu(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert "Error" in answer.err


@pytest.mark.parametrize("command", ON_A_WORKSPACE)
def test_bad_input_ends_in_2_with_every_problem(kyotsu: Callable[..., Run], folder: Folder, command: str) -> None:
    first = folder.change("parts/battery_modules.toml", "mass_kg = 20.0", "mass_lb = 44.0")
    second = folder.change("makers/beta/vehicles.toml", "curb_kg = 1400.0", "curb_kg = -1.0")
    answer = kyotsu(*(word.format(folder.root) for word in ON_A_WORKSPACE[command]))
    assert answer.code == 2
    told = answer.out if command == "check" else answer.err
    assert f"parts/battery_modules.toml:{first} (battery_module[1].mass_lb)" in told
    assert "found     unknown key 'mass_lb'" in told
    assert "expected  mass_kg (in kilogram)" in told
    assert "do        Convert the value and rename the key to mass_kg." in told
    assert f"makers/beta/vehicles.toml:{second} (vehicle[1].masses.curb_kg)" in told
    assert ("2 errors, 0 warnings" if command == "check" else "2 problems: the input cannot be used") in told


@pytest.mark.parametrize("command", ON_A_WORKSPACE)
def test_bad_input_as_json(kyotsu: Callable[..., Run], folder: Folder, command: str) -> None:
    line = folder.change("parts/eaxles.toml", "mass_kg = 80.0", "mass_kg = nan")
    answer = kyotsu(*(word.format(folder.root) for word in ON_A_WORKSPACE[command]), "--json")
    assert answer.code == 2
    assert answer.json["problems"] == [
        {
            "severity": "error",
            "file": str(folder.path("parts/eaxles.toml")),
            "line": line,
            "key": "eaxle[1].mass_kg",
            "found": "mass_kg = nan",
            "expected": "a finite number in kilogram",
            "action": "Correct the value.",
        }
    ]


@pytest.mark.parametrize("command", ON_A_WORKSPACE)
@pytest.mark.parametrize("root", ["nowhere", "file", "empty", "x" * 300])
def test_what_is_no_workspace(kyotsu: Callable[..., Run], tmp_path: Path, command: str, root: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    answer = kyotsu(*(word.format(tmp_path / root) for word in ON_A_WORKSPACE[command]))
    assert answer.code == 2
    assert "found" in answer.out + answer.err


SPOILED = {
    "sparse": lambda path: os.truncate(path, 100_000_000),
    "bytes": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "missing": lambda path: path.unlink(),
    "deep": lambda path: path.write_text("a = " + "[" * 50_000),
    "control": lambda path: path.write_text('name = "\\u001b[2J"'),
}


@pytest.mark.parametrize("how", SPOILED)
@pytest.mark.parametrize("file", ["alliance.toml", "parts/eaxles.toml", "makers/alpha/vehicles.toml"])
def test_no_file_makes_a_traceback(kyotsu: Callable[..., Run], folder: Folder, file: str, how: str) -> None:
    SPOILED[how](folder.path(file))  # type: ignore[no-untyped-call]
    answer = kyotsu("check", folder.root)
    assert answer.code == 2
    assert "\x1b" not in answer.out + answer.err, "no control character reaches the terminal"
    assert "error" in answer.out
    assert kyotsu("fit", folder.root).code == 2


@pytest.mark.parametrize("name", ["Two [/b] makers", "[bold]Two", ":smile:", "[link=x]", "\\[x]"])
def test_names_are_printed_as_they_are(kyotsu: Callable[..., Run], folder: Folder, name: str) -> None:
    literal = json.dumps(name)
    folder.change("alliance.toml", '"Two makers"', literal)
    folder.change("standards/common.toml", '"one person with a hoist"', literal)
    folder.change("parts/battery_modules.toml", '"Block 8s2p"', literal)
    assert f"{name}: 2 makers" in kyotsu("check", folder.root).out
    assert kyotsu("standard", "diff", "common_module@0.9", "common_module@1.0", "-w", folder.root).code == 0
    assert name in kyotsu("fit", folder.root, "-v", "alpha/hatch", "-p", "block_8s").out


def test_a_name_that_no_encoding_has_is_printed_by_its_number(folder: Folder) -> None:
    folder.change("parts/cells/pouch.json", '"1.1.0"', '"\\ud800"')
    for words in (["check", folder.root], ["fit", folder.root, "--json"]):
        done = process(*words)
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr
        assert b"\\ud800" in done.stdout + done.stderr
        if "--json" in words:
            assert "\ud800" in json.loads(done.stdout)["problems"][0]["found"]


# --- any terminal ---


@pytest.mark.parametrize("command", ON_A_WORKSPACE)
def test_output_fits_a_narrow_terminal_and_loses_nothing(kyotsu: Callable[..., Run], command: str) -> None:
    words = [word.format(TWO_MAKERS) for word in ON_A_WORKSPACE[command]]
    narrow, wide = process(*words, COLUMNS="20"), kyotsu(*words)
    assert narrow.returncode == wide.code
    assert b"Traceback" not in narrow.stderr

    def letters(text: str) -> list[str]:
        return sorted(re.sub(r"\s", "", text))

    assert letters(narrow.stdout.decode()) == letters(wide.out)


def test_a_terminal_without_the_marks_gets_their_numbers() -> None:
    done = process("fit", TWO_MAKERS, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"\\u25cf pass" in done.stdout
    assert b"Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_error() -> None:
    words = [sys.executable, "-m", "kyotsu", "schema", "--json"]
    writer = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.read(1)
    writer.stdout.close()
    assert b"Traceback" not in writer.stderr.read()
    writer.stderr.close()
    writer.wait(30)


def test_the_installed_script_is_this_command_line() -> None:
    script = Path(sys.executable).with_name("kyotsu")
    if not script.exists():
        pytest.skip("kyotsu is not installed beside this Python")
    done = subprocess.run([script, "check", TWO_MAKERS], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0
    assert b"0 errors, 0 warnings" in done.stdout


def test_the_commands_of_the_specification_need_no_array_package() -> None:
    code = (
        "import sys\n"
        "for name in ('numpy', 'scipy', 'pyarrow', 'jinja2', 'numba'): sys.modules[name] = None\n"
        f"sys.argv = ['kyotsu', 'check', {str(TWO_MAKERS)!r}]\n"
        "from kyotsu.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_missing_extra_says_how_to_get_it() -> None:
    code = (
        "import sys\nsys.modules['numpy'] = None\n"
        f"sys.argv = ['kyotsu', 'study', {str(TWO_MAKERS)!r}]\n"
        "from kyotsu.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "kyotsu[study]" in done.stderr
    assert "Traceback" not in done.stderr
