"""Reading a file of a workspace: its text, its values, and the line of every key.

Nothing here raises on bad content: what is wrong comes back as problems. A file is refused before it
is read when it is too large or no regular file, so a hostile workspace cannot fill the memory or hang.
"""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from kyotsu.errors import Location, Problem

MAX_TOML_BYTES = 4_000_000  # about 100,000 lines: far beyond a hand-written file
MAX_JSON_BYTES = 16_000_000  # a BPX cell with long validation data is below 1 MB
LARGEST_INTEGER = 2**63
MAX_DEPTH = 64  # nested tables and arrays; deeper is no document that a person wrote

# More names than MAX_DEPTH joined by dots: the time that tomllib takes grows with the square of their number.
_KEY = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+"""
_DEEP_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+(?:{_KEY}\.[ \t]*+){{{MAX_DEPTH}}}", re.MULTILINE)
_LONG_INTEGER = re.compile(r"(?<![\d_])\d[\d_]{4000}")  # Python reads integers of at most 4300 digits
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|NaN|-?Infinity', re.DOTALL)

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A parsed file: its values, and the 1-based line of every key path."""

    file: str
    content: dict[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def locate(self, path: KeyPath) -> Location:
        """The place of a key path, or of the nearest table above it that stands in the file."""
        for end in range(len(path), -1, -1):
            line = self.lines.get(path[:end])
            if line is not None:
                return Location(self.file, line, dotted(path))
        return Location(self.file, 1, dotted(path))


def dotted(path: KeyPath) -> str | None:
    """A key path as a person writes it: `vehicle[2].masses.curb_kg`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text or None


def read_text(path: Path, shown: str, max_bytes: int) -> tuple[str | None, list[Problem]]:
    """The text of a regular UTF-8 file of at most `max_bytes`, or what is wrong with it."""
    place = Location(shown)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None, [Problem(place, "no regular file", "a text file", "Replace it by a file.")]
        if status.st_size > max_bytes:
            return None, [
                Problem(
                    place,
                    f"{status.st_size / 1e6:.1f} MB",
                    f"at most {max_bytes / 1e6:.0f} MB",
                    "Split the file, or keep measurements outside the workspace.",
                )
            ]
        raw = path.read_bytes()
    except FileNotFoundError:
        return None, [Problem(place, "no such file", "a text file", "Create it, or correct the name.")]
    except OSError as error:
        return None, [
            Problem(
                place,
                f"unreadable ({error.strerror or error})",
                "a readable text file",
                "Check permissions and disk.",
            )
        ]
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        byte = raw[error.start]
        return None, [
            Problem(
                Location(shown, line),
                f"byte 0x{byte:02x} that is not UTF-8",
                "UTF-8 text",
                "Save the file as UTF-8.",
            )
        ]


def read_toml(path: Path, shown: str) -> tuple[Document | None, list[Problem]]:
    """A TOML file with the line of every key, or what is wrong with it."""
    text, problems = read_text(path, shown, MAX_TOML_BYTES)
    if text is None:
        return None, problems
    deep = _DEEP_KEY.search(text)  # before parsing, whose time grows with the square of a dotted key's depth
    if deep is not None:
        return None, [_too_deep(shown, _line(text, deep.start()))]
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = re.search(r"\(at line (\d+), column \d+\)", message)
        line = int(place.group(1)) if place else text.count("\n") + 1
        found = message.split(" (at ")[0]
        return None, [Problem(Location(shown, line), f"invalid TOML: {found}", "TOML 1.0", "Correct this line.")]
    except RecursionError:
        return None, [_too_deep(shown)]
    except ValueError as error:
        return None, [_unreadable(shown, text, error)]
    if _depth(content) > MAX_DEPTH:
        return None, [_too_deep(shown)]
    document = Document(shown, content, _toml_lines(text))
    problems = [
        Problem(
            document.locate(path),
            f"a whole number of {value.bit_length()} bits",
            "64 bits at most, as TOML has them",
            "Correct the value.",
        )
        for path, value in _values(content)
        if isinstance(value, int) and not -LARGEST_INTEGER <= value < LARGEST_INTEGER
    ]
    return None if problems else document, problems


def read_json(path: Path, shown: str) -> tuple[Document | None, list[Problem]]:
    """A JSON file whose top level is an object, or what is wrong with it. Lines are those of its keys."""
    text, problems = read_text(path, shown, MAX_JSON_BYTES)
    if text is None:
        return None, problems
    constants: list[str] = []
    try:
        content = json.loads(text, parse_constant=constants.append)
    except json.JSONDecodeError as error:
        found = f"invalid JSON: {error.msg}"
        return None, [Problem(Location(shown, error.lineno), found, "JSON", "Correct this line.")]
    except RecursionError:
        return None, [_too_deep(shown)]
    except ValueError as error:
        return None, [_unreadable(shown, text, error)]
    if constants:
        tokens = (token for token in _JSON_TOKEN.finditer(text) if token.group() in constants)
        return None, [
            Problem(
                Location(shown, _line(text, next(tokens).start())),
                constants[0],
                "a finite number",
                "Correct the value, or leave the key out.",
            )
        ]
    if not isinstance(content, dict):
        found = f"a {type(content).__name__} at the top"
        return None, [Problem(Location(shown, 1), found, "an object { ... }", "Write one object.")]
    if _depth(content) > MAX_DEPTH:
        return None, [_too_deep(shown)]
    return Document(shown, content, _json_lines(text)), []


def _too_deep(shown: str, line: int | None = None) -> Problem:
    return Problem(
        Location(shown, line),
        "tables nested too deeply",
        f"at most {MAX_DEPTH} levels",
        "Flatten the document.",
    )


def _unreadable(shown: str, text: str, error: ValueError) -> Problem:
    long = _LONG_INTEGER.search(text)
    if long is not None:
        found = "a whole number of more than 4000 digits"
        place = Location(shown, _line(text, long.start()))
        return Problem(place, found, "numbers that a computer can hold", "Correct the value.")
    return Problem(Location(shown), f"an unreadable value: {error}", "plain values", "Correct the value.")


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _depth(value: object) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        if deepest > MAX_DEPTH:
            break
        level = [inner for item in level for inner in _inner(item)]
    return deepest


def _inner(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _values(content: dict[str, Any]) -> Iterator[tuple[KeyPath, object]]:
    """Every value with its key path, tables and arrays too."""
    left: list[tuple[KeyPath, object]] = [((), content)]
    while left:
        path, value = left.pop()
        yield path, value
        if isinstance(value, dict):
            left.extend(((*path, key), inner) for key, inner in value.items())
        elif isinstance(value, list):
            left.extend(((*path, index), inner) for index, inner in enumerate(value))


def _toml_lines(text: str) -> dict[KeyPath, int]:
    """The line of every key of a valid TOML text, found by its syntax tree."""
    source = text.encode()
    root = Parser(Language(tree_sitter_toml.language())).parse(source).root_node
    lines: dict[KeyPath, int] = {(): 1}
    counts: dict[KeyPath, int] = {}
    for node in root.named_children:
        if node.type == "pair":
            _pair_lines(node, (), lines)
        elif node.type in ("table", "table_array_element"):
            key, *pairs = [child for child in node.named_children if child.type != "comment"]
            path = _table_path(_key_parts(key), counts, node.type == "table_array_element")
            for end in range(1, len(path) + 1):
                lines.setdefault(path[:end], node.start_point.row + 1)
            for pair in pairs:
                _pair_lines(pair, path, lines)
    return lines


def _table_path(parts: tuple[str, ...], counts: dict[KeyPath, int], is_array: bool) -> KeyPath:
    """`[[a]]`, `[a.b]` to `("a", n, "b")`: a name that is an array means its last element."""
    path: KeyPath = ()
    for position, part in enumerate(parts):
        path = (*path, part)
        if is_array and position == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _pair_lines(pair: Node, above: KeyPath, lines: dict[KeyPath, int]) -> None:
    parts = [child for child in pair.named_children if child.type != "comment"]
    if pair.type != "pair" or len(parts) < 2:
        return
    path = above
    for part in _key_parts(parts[0]):
        path = (*path, part)
        lines.setdefault(path, pair.start_point.row + 1)
    _value_lines(parts[1], path, lines)


def _value_lines(value: Node, path: KeyPath, lines: dict[KeyPath, int]) -> None:
    inner = [child for child in value.named_children if child.type != "comment"]
    if value.type == "inline_table":
        for pair in inner:
            _pair_lines(pair, path, lines)
    elif value.type == "array":
        for index, item in enumerate(inner):
            lines[(*path, index)] = item.start_point.row + 1
            _value_lines(item, (*path, index), lines)


def _key_parts(key: Node) -> tuple[str, ...]:
    if key.type == "dotted_key":
        return tuple(part for child in key.named_children for part in _key_parts(child))
    text = (key.text or b"").decode()
    if key.type == "quoted_key":
        return (next(iter(tomllib.loads(f"{text} = 0"))),)
    return (text,)


def _json_lines(text: str) -> dict[KeyPath, int]:
    """The line of every key of a valid JSON text, found token by token."""
    lines: dict[KeyPath, int] = {(): 1}
    above: list[KeyPath] = []  # the path of every object and array that is open
    path: KeyPath = ()
    line, seen, previous = 1, 0, ""
    for match in _JSON_TOKEN.finditer(text):
        token = match.group()
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        if token == ":":
            path = (*above[-1], json.loads(previous))
            lines[path] = line
        elif token in ("{", "["):
            above.append(path)
            path = (*path, 0) if token == "[" else path
        elif token in ("}", "]"):
            path = above.pop()
        elif token == "," and isinstance(path[-1], int) and path[:-1] == above[-1]:
            path = (*above[-1], path[-1] + 1)
        previous = token
    return lines
