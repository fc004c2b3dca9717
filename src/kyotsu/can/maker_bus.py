"""A maker's bus as its folder describes it: the matrix `bus.dbc` and the mapping `signals.toml`, or KUKSA's overlay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kyotsu.can.mapping import SIGNALS_FILE, SignalMapping, read_mapping
from kyotsu.can.mapping_checks import link_mapping
from kyotsu.can.mapping_links import LinkedRule, LinkedWrite
from kyotsu.can.matrix import Matrix
from kyotsu.can.matrix_files import read_matrix
from kyotsu.can.overlay import read_overlay
from kyotsu.errors import InputError, Location, Problem
from kyotsu.spec.vss import VssTree, load_vss

BUS_FILE = "bus.dbc"
OVERLAYS = (".vspec", ".yml", ".yaml", ".json")


@dataclass(frozen=True)
class Bus:
    """A maker's bus: matrix and mapping.

    Attributes:
        name: of the maker's folder, or of the files.
        matrix, mapping: what it says and what that means.
        rules, writes: the sound ones of the mapping, linked.
        problems: warnings of the mapping.
    """

    name: str
    matrix: Matrix
    mapping: SignalMapping
    rules: tuple[LinkedRule, ...]
    writes: tuple[LinkedWrite, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def absences(self) -> Mapping[str, str]:
        """Why it does not give a signal or branch, by path."""
        return {absent.path: absent.reason for absent in self.mapping.absent}


def load_bus(place: Path, tree: VssTree | None = None, signals: Path | None = None) -> Bus:
    """The bus of a maker's folder (`bus.dbc` and `signals.toml`), or of a matrix and a mapping named by `signals`.

    Raises:
        InputError: with everything that is wrong in both files and between them.
    """
    tree = load_vss() if tree is None else tree
    matrix_path = place / BUS_FILE if place.is_dir() else place
    mapping_path = signals or matrix_path.parent / SIGNALS_FILE
    matrix, found = read_matrix(matrix_path)
    problems = [problem for problem in found if problem.severity == "error"]
    if mapping_path.suffix.lower() in OVERLAYS:
        mapping: SignalMapping | None
        mapping, found = read_overlay(mapping_path, matrix, tree)
    else:
        mapping, found = read_mapping(mapping_path)
    problems += [problem for problem in found if problem.severity == "error"]
    if matrix is None or mapping is None:
        raise InputError(problems or [Problem(Location(str(place)), "nothing usable", "a bus", "Check the files.")])
    rules, writes, checks = link_mapping(mapping, matrix, tree)
    problems += [problem for problem in checks if problem.severity == "error"]
    if problems:
        raise InputError(problems)
    name = place.name if place.is_dir() else matrix_path.stem
    return Bus(name, matrix, mapping, rules, writes, tuple(checks))
