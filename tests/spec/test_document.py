"""Reading files: every key is found on its line, and no content hangs, fills the memory or raises."""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyotsu.errors import Location, Problem
from kyotsu.spec.document import MAX_DEPTH, MAX_JSON_BYTES, MAX_TOML_BYTES, Document, KeyPath, read_json, read_toml


def read(path: Path, content: str | bytes) -> tuple[Document | None, list[Problem]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return (read_json if path.suffix == ".json" else read_toml)(path, path.name)


def refused(path: Path, content: str | bytes) -> Problem:
    document, problems = read(path, content)
    assert document is None
    assert len(problems) == 1
    return problems[0]


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "a.toml"


@pytest.fixture
def json_file(tmp_path: Path) -> Path:
    return tmp_path / "a.json"


# --- lines ---

SHAPES = """\
# A comment.
top = 1
"quoted key" = 2
'literal.key' = 3
dotted.inner.leaf = 4
dotted.other = 5
inline = { one = 1, two = { three = 3 } }
array = [
  # a comment inside
  1,
  2, { deep = 6 },
]
text = '''
[not_a_table]
top = 7
'''
after = 8

[table]  # with a comment
key = 9
[table.sub."a b"]
key = 10

[[list]]
name = "first"
[list.table]
x = 1
[[list.inner]]
q = 1
[[list.inner]]
q = 2
[[list]]
name = "second"
[[list.inner]]
q = 3
[ spaced . header ]
z = 1
"""


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("top",), "top = 1"),
        (("quoted key",), '"quoted key"'),
        (("literal.key",), "'literal.key'"),
        (("dotted",), "dotted.inner.leaf"),
        (("dotted", "inner", "leaf"), "dotted.inner.leaf"),
        (("dotted", "other"), "dotted.other"),
        (("inline", "two", "three"), "inline ="),
        (("array", 0), "  1,"),
        (("array", 1), "  2,"),
        (("array", 2, "deep"), "  2,"),
        (("text",), "text ="),
        (("after",), "after = 8"),
        (("table", "key"), "key = 9"),
        (("table", "sub"), "[table.sub"),
        (("table", "sub", "a b", "key"), "key = 10"),
        (("list",), "[[list]]"),
        (("list", 0, "name"), 'name = "first"'),
        (("list", 0, "table", "x"), "x = 1"),
        (("list", 0, "inner", 0, "q"), "q = 1"),
        (("list", 0, "inner", 1, "q"), "q = 2"),
        (("list", 1, "name"), 'name = "second"'),
        (("list", 1, "inner", 0, "q"), "q = 3"),
        (("spaced", "header", "z"), "z = 1"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "\N{ZERO WIDTH NO-BREAK SPACE}"], ids=["plain", "BOM"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_toml_key_is_found_on_its_line(toml: Path, path: KeyPath, words: str, newline: str, prefix: str) -> None:
    document, problems = read(toml, prefix + SHAPES.replace("\n", newline))
    assert document is not None, problems
    assert document.locate(path).line == SHAPES[: SHAPES.index(words)].count("\n") + 1


def test_a_key_that_is_not_there_is_located_at_the_nearest_table(toml: Path) -> None:
    document, _ = read(toml, SHAPES)
    assert document is not None
    line = SHAPES[: SHAPES.index("[list.table]")].count("\n") + 1
    assert document.locate(("list", 0, "table", "gone", "deeper")) == Location(
        "a.toml", line, "list[1].table.gone.deeper"
    )
    assert document.locate(("gone",)).line == 1


class Writer:
    """Writes a tree as TOML in a random shape, and remembers on which line each key path first stood."""

    def __init__(self, tree: dict[str, Any], chance: random.Random) -> None:
        self.chance = chance
        self.text = ""
        self.lines: dict[KeyPath, int] = {(): 1}
        self.table((), tree)

    def mark(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def noise(self) -> None:
        self.text += self.chance.choice(["", "", "\n", "# a = [1]\n", "  \t# [x]\n", " "])

    def key(self, part: str) -> str:
        shapes = [json.dumps(part, ensure_ascii=False)]
        if re.fullmatch(r"[A-Za-z0-9_-]+", part):
            shapes += [part, part]
        if "'" not in part and part.isprintable():
            shapes.append(f"'{part}'")
        return self.chance.choice(shapes)

    def dots(self, parts: list[str]) -> str:
        return self.chance.choice([".", " . ", "."]).join(self.key(part) for part in parts)

    def table(self, path: KeyPath, table: dict[str, Any]) -> None:
        below = [name for name in table if self.goes_below(table[name])]
        for name, value in table.items():
            if name not in below:
                self.pair(path, [name], value)
        for name in below:
            inner = table[name]
            elements = [((*path, name, index), item) for index, item in enumerate(inner)]
            for place, item in elements if isinstance(inner, list) else [((*path, name), inner)]:
                self.noise()
                for end in range(1, len(place) + 1):
                    self.mark(place[:end])
                brackets = "[[{}]]" if isinstance(inner, list) else "[{}]"
                names = [part for part in place if isinstance(part, str)]
                self.text += brackets.format(self.dots(names)) + self.chance.choice(["\n", " # c\n"])
                self.table(place, item)

    def goes_below(self, value: Any) -> bool:
        """Whether a value gets a header of its own; each is asked once."""
        tables = isinstance(value, dict) or (
            isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
        )
        return tables and self.chance.random() < 0.7

    def pair(self, path: KeyPath, names: list[str], value: Any) -> None:
        if isinstance(value, dict) and value and self.chance.random() < 0.5:  # dotted
            for name, inner in value.items():
                self.pair(path, [*names, name], inner)
            return
        self.noise()
        for end in range(1, len(names) + 1):
            self.mark((*path, *names[:end]))
        self.text += self.dots(names) + " = "
        self.value((*path, *names), value)
        self.text += "\n"

    def value(self, path: KeyPath, value: Any) -> None:
        if isinstance(value, dict):
            self.text += "{"
            for position, (name, inner) in enumerate(value.items()):
                self.text += ", " if position else " "
                self.mark((*path, name))
                self.text += f"{self.key(name)} = "
                self.value((*path, name), inner)
            self.text += " }"
        elif isinstance(value, list):
            self.text += "["
            for index, inner in enumerate(value):
                self.text += self.chance.choice(["", "\n", "\n# ,1\n", " "])
                self.mark((*path, index))
                self.value((*path, index), inner)
                self.text += self.chance.choice([",", ", # ]\n"])
            self.text += "]"
        elif isinstance(value, str):
            plain = "'''" not in value and not value.endswith("'") and value.isprintable()
            literal = plain and self.chance.random() < 0.3
            self.text += f"'''\n{value}'''" if literal else json.dumps(value, ensure_ascii=False)
        elif isinstance(value, bool):
            self.text += "true" if value else "false"
        else:
            self.text += str(value)


names = st.one_of(
    st.sampled_from(["a", "b", "mass_kg", "1", "a.b", "a b", "", "é", "#", "[x]", "true"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=4),
)
scalars = st.one_of(
    st.integers(-(2**62), 2**62),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda number: float(f"{number:.3f}")),
    st.dates(),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
)
trees = st.dictionaries(
    names,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=12,
    ),
    max_size=5,
)


@given(trees, st.integers(0, 2**16), st.sampled_from(["\n", "\r\n"]))
def test_every_key_of_any_toml_document_is_found_on_its_line(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any], seed: int, newline: str
) -> None:
    written = Writer(tree, random.Random(seed))
    assert tomllib.loads(written.text) == tree, "the writer of this test is wrong"
    document, problems = read(tmp_path_factory.getbasetemp() / "any.toml", written.text.replace("\n", newline))
    assert document is not None, problems
    assert document.content == tree
    assert document.lines == written.lines


@given(trees, st.sampled_from([None, 0, 2]), st.booleans())
def test_every_key_of_any_json_document_is_found_on_its_line(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(tree, indent=indent, default=str, ensure_ascii=ascii_only)
    document, problems = read(tmp_path_factory.getbasetemp() / "any.json", text)
    assert document is not None, problems
    pairs = json.JSONDecoder(object_pairs_hook=list).decode(text)
    expected = dict(zip(paths(pairs, ()), key_lines(text), strict=True))
    assert {path: line for path, line in document.lines.items() if path} == expected


def paths(value: Any, path: KeyPath) -> list[KeyPath]:
    """Every key path of a decoded JSON text whose objects are lists of pairs, in the order of the text."""
    found: list[KeyPath] = []
    for index, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, tuple):  # a pair of an object
            found += [(*path, item[0]), *paths(item[1], (*path, item[0]))]
        else:
            found += paths(item, (*path, index))
    return found


def key_lines(text: str) -> list[int]:
    """The line of each key, in the order of the text: keys are the strings before a colon."""
    strings = re.finditer(r'"(?:[^"\\]|\\.)*"(\s*:)?', text)
    return [text.count("\n", 0, match.start()) + 1 for match in strings if match.group(1) is not None]


def test_a_json_key_is_not_taken_for_an_equal_value(json_file: Path) -> None:
    document, _ = read(json_file, '{"Title": "Model",\n "Cell": ["Model", {"Model": 1}],\n "Model": "DFN"}')
    assert document is not None
    assert document.locate(("Model",)).line == 3
    assert document.locate(("Cell", 1, "Model")).line == 2


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \nc = 3", 2),
        ("a = 1\na = 2", 2),
        ("[a]\n[a]", 2),
        ("a = 1\nb = [1,\n2", 3),
        ('a = 1\nb = """x', 2),
        ("a = 1\nb = 2024-13-45", 2),
        ("=", 1),
        ("a = 1 b = 2", 1),
    ],
)
def test_invalid_toml_is_told_with_its_line(toml: Path, text: str, line: int) -> None:
    problem = refused(toml, text)
    assert problem.location == Location("a.toml", line)
    assert problem.found.startswith("invalid TOML: ")


@pytest.mark.parametrize(("text", "line"), [('{"a": 1,\n}', 2), ("", 1), ('{"a":\n\n x}', 3)])
def test_invalid_json_is_told_with_its_line(json_file: Path, text: str, line: int) -> None:
    problem = refused(json_file, text)
    assert problem.location == Location("a.json", line)
    assert problem.found.startswith("invalid JSON: ")


@pytest.mark.parametrize("text", ["[1]", "7", '"x"', "null"])
def test_json_holds_one_object(json_file: Path, text: str) -> None:
    assert refused(json_file, text).expected == "an object { ... }"


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_json_constants_that_are_no_numbers_are_told_with_their_line(json_file: Path, constant: str) -> None:
    problem = refused(json_file, f'{{"a": "{constant}",\n"b": [1, {constant}]}}')
    assert problem.location == Location("a.json", 2)
    assert problem.found == constant
    assert problem.expected == "a finite number"


@pytest.mark.parametrize("file", ["a.toml", "a.json"])
def test_text_that_is_not_utf8_is_told_with_its_line(tmp_path: Path, file: str) -> None:
    problem = refused(tmp_path / file, b"a = 1\nb = '\xff'\n")
    assert problem.location == Location(file, 2)
    assert problem.found == "byte 0xff that is not UTF-8"
    assert problem.expected == "UTF-8 text"


def test_utf16_is_told_as_not_utf8(toml: Path) -> None:
    assert "not UTF-8" in refused(toml, "a = 1".encode("utf-16")).found


@pytest.mark.parametrize(("file", "limit"), [("a.toml", MAX_TOML_BYTES), ("a.json", MAX_JSON_BYTES)])
def test_a_large_file_is_refused_without_reading_it(tmp_path: Path, file: str, limit: int) -> None:
    path = tmp_path / file
    with path.open("wb") as sparse:
        sparse.truncate(100_000_000_000)  # a hole: reading it would fill any memory
    begin = time.perf_counter()
    document, problems = (read_json if file.endswith("json") else read_toml)(path, file)
    assert time.perf_counter() - begin < 1.0
    assert document is None
    assert [problem.found for problem in problems] == ["100000.0 MB"]
    assert problems[0].expected == f"at most {limit // 1_000_000} MB"


def test_the_largest_file_that_is_allowed_is_read(toml: Path) -> None:
    line = b"# " + b"x" * 997 + b"\n"
    document, problems = read(toml, line * (MAX_TOML_BYTES // 1000) + b"")
    assert (document is not None, problems) == (True, [])
    assert "MB" in refused(toml, line * (MAX_TOML_BYTES // 1000) + b"#").found


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")  # opening it would wait for ever
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "dangling.toml").symlink_to("nowhere")
    found = {}
    for path in [*tmp_path.iterdir(), tmp_path / "missing.toml", tmp_path / ("x" * 300)]:
        document, problems = read_toml(path, path.name)
        assert document is None
        found[path.name[:8]] = problems[0].found
    assert found.pop("loop.tom").startswith("unreadable (")
    assert found.pop("xxxxxxxx").startswith("unreadable (")
    assert found == {
        "folder.t": "no regular file",
        "pipe.tom": "no regular file",
        "zero.tom": "no regular file",
        "dangling": "no such file",
        "missing.": "no such file",
    }


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 10_000 + "]" * 10_000,
        "a = " + "[" * 3_900_000,
        "a = " + "[ " * 1_900_000,
        "a = " + "{a=" * 10_000 + "1" + "}" * 10_000,
        ".".join("a" * 500_000) + " = 1",
        "[" + ".".join("a" * 500_000) + "]",
        " . ".join(['"a"'] * 200_000) + " = 1",
        "a = " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "\n".join("[" + ".".join("a" * depth) + "]" for depth in range(1, MAX_DEPTH + 3)),
    ],
    ids=[
        "arrays",
        "open arrays",
        "spaced arrays",
        "inline tables",
        "dotted key",
        "dotted header",
        "spaced dots",
        "just too deep",
        "many headers",
    ],
)
def test_deep_toml_is_refused_at_once(toml: Path, text: str) -> None:
    begin = time.perf_counter()
    assert refused(toml, text).found == "tables nested too deeply"
    assert time.perf_counter() - begin < 3.0


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 10_000, 1_000_000])
def test_deep_json_is_refused_at_once(json_file: Path, depth: int) -> None:
    begin = time.perf_counter()
    assert refused(json_file, '{"a": ' + "[" * depth + "]" * depth + "}").found == "tables nested too deeply"
    assert time.perf_counter() - begin < 3.0


def test_what_a_person_writes_is_not_too_deep(toml: Path) -> None:
    inner = MAX_DEPTH - 2
    text = "\n".join(["a = " + "[" * inner + "]" * inner, ".".join("b" * inner) + " = 1", "# " + "e.g. " * 100])
    document, problems = read(toml, text)
    assert (document is not None, problems) == (True, [])


def test_json_with_many_escaped_keys_is_read_in_a_straight_line(json_file: Path) -> None:
    keys = ",\n".join(f'"\\u0061{number}": 1' for number in range(30_000))
    begin = time.perf_counter()
    document, _ = read(json_file, "{" + keys + "}")
    assert time.perf_counter() - begin < 5.0
    assert document is not None
    assert document.locate(("a29999",)).line == 30_000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = 1" + "0" * 5000, 2),
        ("a = 1\nb = 1" + "0" * 400, 2),
        ("a = 1\nb = [1,\n0x" + "f" * 100_000 + "]", 3),
        ("a = 1\nb = -9223372036854775809", 2),
    ],
)
def test_a_whole_number_that_toml_does_not_have_is_told_with_its_line(toml: Path, text: str, line: int) -> None:
    problem = refused(toml, text)
    assert problem.location.line == line
    assert problem.found.startswith("a whole number of ")


def test_many_long_numbers_do_not_take_long(toml: Path) -> None:
    begin = time.perf_counter()
    problem = refused(toml, "a = [" + ("1" * 3900 + ",") * 900 + "\n" + "1" * 5000 + "]")
    assert time.perf_counter() - begin < 3.0
    assert (problem.location.line, problem.found) == (2, "a whole number of more than 4000 digits")


def test_the_whole_numbers_that_toml_has_are_read(toml: Path) -> None:
    document, _ = read(toml, f"a = {2**63 - 1}\nb = {-(2**63)}")
    assert document is not None
    assert document.content == {"a": 2**63 - 1, "b": -(2**63)}


@settings(max_examples=150)
@given(st.sampled_from(["any.toml", "any.json"]), st.one_of(st.binary(), st.text().map(str.encode)))
def test_no_content_raises(tmp_path_factory: pytest.TempPathFactory, file: str, content: bytes) -> None:
    document, problems = read(tmp_path_factory.getbasetemp() / file, content)
    assert (document is None) == bool(problems)
    for problem in problems:
        assert problem.found
        assert problem.expected
        assert problem.action
        assert problem.location.file == file
        assert 1 <= (problem.location.line or 1) <= content.count(b"\n") + 1


pieces = [
    "a", "b", "=", "[", "]", "[[", "]]", "{", "}", ",", ".", "\n", "\r\n", " ", "#", '"', "'", '"""', "'''", "1", "1.5",
    "nan", "inf", "true", "2024-01-01", "07:32:00", "0x", "\\u0041", "é", "\x00", "_", "-", "\t",
]  # fmt: skip
toml_words = st.lists(st.sampled_from(pieces), max_size=40).map("".join)


@settings(max_examples=200)
@given(toml_words)
def test_every_toml_that_python_reads_has_a_line_for_every_key(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    document, problems = read(tmp_path_factory.getbasetemp() / "words.toml", text)
    assert (document is None) == bool(problems)
    if document is not None:
        left: list[tuple[KeyPath, Any]] = [((), document.content)]
        while left:
            path, value = left.pop()
            assert path in document.lines, path
            entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
            left += [((*path, key), inner) for key, inner in entries]


def test_reading_does_not_depend_on_the_recursion_limit(toml: Path) -> None:
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(20_000)
        assert refused(toml, "a = " + "[" * 3000 + "]" * 3000).found == "tables nested too deeply"
    finally:
        sys.setrecursionlimit(limit)
