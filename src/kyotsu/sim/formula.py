"""Formulas of data files: arithmetic over named arrays, and nothing else.

A formula is Python's arithmetic with the names given and the functions of `FUNCTIONS`. Everything else that Python
can do is refused before it runs, so that a data file stays data.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from types import CodeType

import numpy as np

from kyotsu.errors import InputError, Location, Problem
from kyotsu.sim.battery import arrhenius as temperature_factor
from kyotsu.sim.parameters import FloatArray

GAS_CONSTANT = 8.3144  # J/(mol K), rounded as in the fits that use it


def arrhenius(activation: float, temperature: FloatArray) -> FloatArray:
    """e^(−E/R (1/T − 1/298.15 K)), E the activation energy [J/mol]; grows with temperature if E is positive."""
    return temperature_factor(np.asarray(-activation / GAS_CONSTANT), temperature)


def tafel(factor: float, potential: FloatArray, temperature: FloatArray) -> FloatArray:
    """e^(a U/T), how a side reaction follows the electrode's potential; a [K/V]."""
    return np.asarray(np.exp(factor * potential / temperature))


def positive(value: FloatArray) -> FloatArray:
    """The larger of a number and 0."""
    return np.maximum(value, 0.0)


FUNCTIONS: dict[str, Callable[..., FloatArray]] = {
    "abs": np.abs,
    "arrhenius": arrhenius,
    "exp": np.exp,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "positive": positive,
    "tafel": tafel,
    "tanh": np.tanh,
}
ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Load, ast.Constant,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub,
)  # fmt: skip


class Formula:
    """A formula over names, called with their values."""

    __slots__ = ("_code", "text")

    def __init__(self, text: str, names: Iterable[str]) -> None:
        """Check and compile a formula.

        Args:
            text: the formula; line breaks do not count.
            names: what it may speak of.

        Raises:
            InputError: it is none, or speaks of something else.
        """
        self.text = " ".join(text.split())
        self._code = _compiled(self.text, frozenset(names))

    def __call__(self, values: Mapping[str, FloatArray]) -> FloatArray:
        """The value, of the shape that the names' values broadcast to."""
        return np.asarray(eval(self._code, {"__builtins__": {}, **FUNCTIONS}, dict(values)), dtype=np.float64)

    def __repr__(self) -> str:
        return f"Formula({self.text!r})"


def _compiled(text: str, names: frozenset[str]) -> CodeType:
    place = Location(key="formula")
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise InputError([Problem(place, repr(text), "an arithmetic expression", "Correct it.")]) from error
    known = ", ".join(sorted(names | FUNCTIONS.keys()))
    problems = [
        Problem(place, f"{ast.unparse(node)} in {text!r}", f"arithmetic over {known}", "Correct it.")
        for node in ast.walk(tree)
        if not _is_allowed(node, names)
    ]
    if problems:
        raise InputError(problems)
    return compile(tree, "<formula>", "eval")


def _is_allowed(node: ast.AST, names: frozenset[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in names or node.id in FUNCTIONS
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS and not node.keywords
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, float)
    return isinstance(node, ALLOWED)
