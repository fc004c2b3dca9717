"""The house rules as tests: what holds for all files, names, errors, commands and documents of kyotsu."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import tomllib
import typing
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import typer
from importlinter.cli import lint_imports
from pydantic import BaseModel

import kyotsu
from kyotsu import errors, spec
from kyotsu.units import SUFFIXES, suffix_of

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "kyotsu"
SOURCES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]

LONGEST_FILE = 600  # lines
MOST_EXPORTS = 12
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "misc", "tools", "base", "types"}
HAND_WRITTEN = {".py", ".html", ".j2", ".css", ".js"}

# Words for pure numbers: a name that is one of them, or ends in one, needs no unit.
DIMENSIONLESS = {"coefficient", "cycles", "efficiency", "factor", "ratio", "share", "soc"}
# Models and fields whose numbers have no unit of their own, and why.
UNITLESS = {
    "Constraint": "its numbers have the unit of the field that it constrains",
    "LossModel": "coefficients of one printed equation, in SI",
    "Maker.units_per_year": "a count of vehicles",
}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=relative)


# --- the tree ---


def test_the_tests_run_against_this_checkout() -> None:
    assert Path(kyotsu.__file__).parent == PACKAGE, "another copy of kyotsu is installed: make clean, make test"


def test_packages_are_one_folder_deep() -> None:
    deeper = [relative(path) for path in SOURCES if len(path.relative_to(PACKAGE).parts) > 2]
    assert not deeper, "package, room, file, and no deeper"


def test_no_file_has_a_name_that_says_nothing() -> None:
    everything = [*SOURCES, *(ROOT / "tests").rglob("*.py")]
    vague = [relative(p) for p in everything if FORBIDDEN_NAMES & {p.stem, p.parent.name, p.stem.removeprefix("test_")}]
    assert not vague, "a helper lives beside its only user; with two users it earns a name of its own"


def test_no_file_is_too_long() -> None:
    files = (path for path in PACKAGE.rglob("*") if path.suffix in HAND_WRITTEN)
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in files}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE}, "split it"


def test_every_room_stands_in_the_layers_contract() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {room.strip() for layer in layers for room in re.split(r"[|:]", layer)}
    assert {f"kyotsu.{room}" for room in ROOMS} <= named


def test_import_contracts_hold(capsys: pytest.CaptureFixture[str]) -> None:
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert code == 0, capsys.readouterr().out


# --- docstrings and doors ---


def undocumented(tree: ast.Module) -> Iterator[str]:
    if not ast.get_docstring(tree):
        yield "the module"
    for node in tree.body:
        documentable = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if documentable and not node.name.startswith("_") and not ast.get_docstring(node):
            yield f"{node.name} (line {node.lineno})"


def test_everything_public_has_a_docstring() -> None:
    public = [path for path in SOURCES if not path.stem.startswith("_") or path.stem == "__init__"]
    missing = {relative(path): list(undocumented(ast.parse(path.read_text("utf-8")))) for path in public}
    assert not {path: names for path, names in missing.items() if names}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_a_small_documented_door(room: str) -> None:
    module = importlib.import_module(f"kyotsu.{room}")
    assert hasattr(module, "__all__"), "a room says what it exports"
    assert 0 < len(module.__all__) <= MOST_EXPORTS
    assert not [name for name in module.__all__ if not is_documented(module, name)], (
        "an export has a docstring, or is named in its room's docstring if it cannot have one"
    )


def is_documented(module: ModuleType, name: str) -> bool:
    export = getattr(module, name)
    if inspect.isclass(export) or inspect.isroutine(export) or inspect.ismodule(export):
        return bool(export.__doc__) and name != export.__doc__
    return re.search(rf"\b{name}\b", module.__doc__ or "") is not None


# --- errors ---


def test_the_error_tree_is_drawn_on_top_of_errors() -> None:
    drawn = re.findall(r"\b\w+Error\b", errors.__doc__ or "")
    defined = [name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)]
    assert sorted(drawn) == sorted(defined), "each error once, each with its line"
    assert all(issubclass(getattr(errors, name), errors.KyotsuError) for name in defined)


def strays(tree: ast.Module) -> list[str]:
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return [c.name for c in classes if any(ast.unparse(b).endswith(("Error", "Exception")) for b in c.bases)]


def test_errors_are_defined_in_one_place() -> None:
    elsewhere = [path for path in SOURCES if path != PACKAGE / "errors.py"]
    found = {relative(path): strays(ast.parse(path.read_text("utf-8"))) for path in elsewhere}
    assert not {path: names for path, names in found.items() if names}, "an error belongs in errors.py"


# --- units ---


class Quantity(NamedTuple):
    """A field of a model that holds numbers."""

    model: type[BaseModel]
    name: str

    @property
    def named_well(self) -> bool:
        return bool(suffix_of(self.name)) or self.name.rpartition("_")[2] in DIMENSIONLESS

    @property
    def keys(self) -> set[str]:
        return {self.model.__name__, f"{self.model.__name__}.{self.name}"}


def models(package: ModuleType) -> Iterator[type[BaseModel]]:
    names = [
        package.__name__,
        *(m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")),
    ]
    for name in names:
        for value in vars(importlib.import_module(name)).values():
            if inspect.isclass(value) and issubclass(value, BaseModel) and value.__module__ == name:
                yield value


def holds_numbers(annotation: Any) -> bool:
    """Whether a type is a real number, or a container, option or alias of one; a model names its own."""
    annotation = getattr(annotation, "__value__", annotation)  # what a `type` alias stands for
    if typing.get_origin(annotation) is typing.Annotated:
        return holds_numbers(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) is typing.Literal:
        return False
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return any(holds_numbers(a) for a in annotation.__pydantic_generic_metadata__["args"])
    inside = typing.get_args(annotation)
    return any(holds_numbers(a) for a in inside) if inside else annotation in (float, Decimal)


def quantities(package: ModuleType) -> list[Quantity]:
    fields = ((model, name, field) for model in models(package) for name, field in model.model_fields.items())
    return [Quantity(model, name) for model, name, field in fields if holds_numbers(field.annotation)]


def test_every_physical_number_says_its_unit() -> None:
    found = quantities(spec)
    assert len(found) > 50, "the search for numbers no longer finds the specification"
    bare = [q for q in found if not q.named_well]
    assert not [max(q.keys) for q in bare if not q.keys & UNITLESS.keys()], (
        f"a number's name ends in a suffix of kyotsu.units.SUFFIXES, or in one of {sorted(DIMENSIONLESS)}"
    )
    assert UNITLESS.keys() <= set().union(*(q.keys for q in bare)), "an exception that nothing needs any more"


def test_the_search_for_numbers_sees_through_containers() -> None:
    class Part(BaseModel):
        mass: float
        curve: tuple[tuple[float, float], ...]
        limits: dict[str, typing.Annotated[float | None, "a limit"]]
        width_mm: float
        gear_ratio: float
        name: str
        count: int
        level: typing.Literal[1, 2]

    fields = [Quantity(Part, name) for name, field in Part.model_fields.items() if holds_numbers(field.annotation)]
    assert [q.name for q in fields] == ["mass", "curve", "limits", "width_mm", "gear_ratio"]
    assert [q.name for q in fields if not q.named_well] == ["mass", "curve", "limits"]


def test_no_word_is_both_a_unit_and_a_pure_number() -> None:
    assert not DIMENSIONLESS & set(SUFFIXES)


# --- commands ---


class Command(NamedTuple):
    """A command or group of the command line, with the words that call it."""

    words: str
    click: Any

    @property
    def is_group(self) -> bool:
        return bool(getattr(self.click, "commands", None))


def commands(click: Any, words: str = "kyotsu") -> Iterator[Command]:
    yield Command(words, click)
    for name, child in getattr(click, "commands", {}).items():
        yield from commands(child, f"{words} {name}")


@pytest.fixture(scope="module")
def command_line() -> list[Command]:
    app = importlib.import_module("kyotsu.cli.app").app
    found = list(commands(typer.main.get_command(app)))
    assert len(found) > 1
    return found


def test_help_alone_teaches_every_command(command_line: list[Command]) -> None:
    silent = [command.words for command in command_line if not command.click.help]
    for command in command_line:
        silent += [f"{command.words} {p.name}" for p in command.click.params if not getattr(p, "help", None)]
    assert not silent


def test_the_readme_shows_every_command_and_no_other(command_line: list[Command]) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    known = {command.words for command in command_line}
    assert not [c.words for c in command_line if not c.is_group and not re.search(rf"\b{c.words}\b", readme)]
    called = re.findall(r"^(?:\$ )?(?:\S+/)?(kyotsu .*)", code(readme, "console|bash|sh"), flags=re.MULTILINE)
    assert not [call for call in called if not any(call.startswith(words) for words in known - {"kyotsu"})]


# --- documents ---

PYTHON = "python|pycon"


def code(document: str, language: str) -> str:
    return "\n".join(re.findall(rf"^```(?:{language})\n(.*?)^```", document, flags=re.DOTALL | re.MULTILINE))


@each([path for path in DOCUMENTS if code(path.read_text("utf-8"), PYTHON)])
def test_python_in_documents_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = code(path.read_text("utf-8"), PYTHON)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    if ">>>" in source:
        example = doctest.DocTestParser().get_doctest(source, {}, relative(path), str(path), 0)
        assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed == 0
    else:
        exec(compile(source, relative(path), "exec"), {"__name__": "__main__"})


@each(DOCUMENTS)
def test_documents_name_only_what_there_is(path: Path) -> None:
    text = path.read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"(?:^|`|&& )make ([a-z]+)", text, flags=re.MULTILINE)) <= targets
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    assert not [link for link in links if not (path.parent / link).exists()]


def test_the_version_is_one_and_the_changelog_knows_it() -> None:
    assert PROJECT["project"]["version"] == kyotsu.__version__
    assert f"## [{kyotsu.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


# --- the repository ---

# Joined here, so that this file does not find itself.
FOREIGN_WORDS = [
    "/wo" + "rk/", "/ro" + "ot/", "/opt/" + "wheels", "/tmp/" + "bash", "../sha" + "red", ".lib" + "rary/",
    "py" + "pi.org", "python" + "hosted", "npm" + "js.org", "crates" + ".io", "deb.debian" + ".org",
]  # fmt: skip


def test_the_repository_speaks_of_kyotsu_alone() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone, so git cannot say which files are the project's")
    list_files = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(list_files, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert ROOT / "pyproject.toml" in files
    found = []
    for path in files:
        content = path.read_bytes().lower()
        found += [f"{relative(path)}: {word}" for word in FOREIGN_WORDS if word.encode() in content]
    assert not found, "no path of a machine, no address of a package index"


def pins(lock: str) -> dict[str, str]:
    """The pinned requirements of a lock file, each of which must carry a hash."""
    entries = re.findall(
        r"^([a-z0-9.-]+)==(\S+)[^\n]*\\\n +--hash=sha256:[0-9a-f]{64}",
        (ROOT / lock).read_text("utf-8"),
        flags=re.MULTILINE,
    )
    return dict(entries)


def required(extra: str) -> set[str]:
    project = PROJECT["project"]
    names = set(project["dependencies"]) | set(PROJECT["dependency-groups"]["build"])
    for requirement in project["optional-dependencies"][extra]:
        nested = re.fullmatch(r"kyotsu\[(\w+)\]", requirement)
        names |= required(nested[1]) if nested else {requirement}
    return {re.match(r"[\w-]+", name)[0].lower() for name in names}  # type: ignore[index]


@pytest.mark.parametrize(("extra", "lock"), [("all", "requirements.lock"), ("dev", "requirements-dev.lock")])
def test_every_dependency_is_locked(extra: str, lock: str) -> None:
    requirements = re.findall(r"^[a-z0-9]", (ROOT / lock).read_text("utf-8"), flags=re.MULTILINE)
    assert len(pins(lock)) == len(requirements), "one version and a hash for each"
    assert not required(extra) - pins(lock).keys(), "make lock"


def test_running_and_developing_use_the_same_versions() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items(), "make lock"
