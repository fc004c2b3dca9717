"""Formulas of one x, as overlays write them: read by a small parser of our own, never executed as a program.

    formula  = term { ("+" | "-") term }
    term     = factor { ("*" | "/" | "%") factor }
    factor   = ("-" | "+") factor | power
    power    = value [ ("^" | "**") factor ]
    value    = number | "x" | "(" formula ")" | function "(" formula ")"

Functions: floor, ceil, round, abs. Each node knows whether it is linear in x, so that a linear formula becomes a factor
and an offset, and the rounding around one is told apart.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

LONGEST, DEEPEST = 400, 40  # characters and parentheses; beyond, nobody wrote it by hand
FUNCTIONS = ("floor", "ceil", "round", "abs")
_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|([A-Za-z_]\w*)|(\*\*|[-+*/%^()]))")


class Linear(NamedTuple):
    """x x factor + offset, and what is done with it last: one of `FUNCTIONS`, or nothing."""

    factor: float
    offset: float
    rounding: str = ""

    def __call__(self, x: float) -> float:
        """The value at x."""
        return _rounded(self.rounding, x * self.factor + self.offset)


def linear_formula(text: str) -> Linear | str:
    """A formula as a linear one, perhaps rounded as a whole; or, in words, why it is none."""
    if len(text) > LONGEST:
        return f"a formula of {len(text)} characters"
    try:
        parser = _Parser(_tokens(text))
        result = parser.formula(0)
        if parser.peek():
            raise ValueError(f"{parser.peek()!r} where the formula should end")
    except ValueError as error:
        return str(error)
    if not math.isfinite(result.factor) or not math.isfinite(result.offset):
        return "a result beyond every number"
    return result


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None:
            raise ValueError(f"{text[position:].strip()[:12]!r}, which is no part of a formula")
        tokens.append(found.group().strip())
        position = found.end()
    return tokens


def _rounded(function: str, value: float) -> float:
    if function == "floor":
        return math.floor(value)
    if function == "ceil":
        return math.ceil(value)
    if function == "round":
        return round(value)
    return abs(value) if function == "abs" else value


class _Parser:
    """A recursive descent over the tokens; every rule returns a linear form or raises."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def formula(self, depth: int) -> Linear:
        if depth > DEEPEST:
            raise ValueError("parentheses nested too deeply")
        result = self.term(depth)
        while self.peek() in ("+", "-"):
            sign = 1.0 if self.take() == "+" else -1.0
            other = self.term(depth)
            self.plain(result, other, "a sum")
            result = Linear(result.factor + sign * other.factor, result.offset + sign * other.offset)
        return result

    def term(self, depth: int) -> Linear:
        result = self.factor(depth)
        while self.peek() in ("*", "/", "%"):
            operator = self.take()
            result = self.product(operator, result, self.factor(depth))
        return result

    def product(self, operator: str, first: Linear, second: Linear) -> Linear:
        self.plain(first, second, "a product")
        if operator == "*" and first.factor and second.factor:
            raise ValueError("x times x")
        if operator == "*":
            scale, other = (second.offset, first) if not second.factor else (first.offset, second)
            return Linear(other.factor * scale, other.offset * scale)
        if second.factor or (operator == "%" and first.factor):
            raise ValueError("a division by x" if operator == "/" else "the remainder of x")
        if second.offset == 0.0:
            raise ValueError("a division by zero")
        if operator == "%":
            return Linear(0.0, math.fmod(first.offset, second.offset))
        return Linear(first.factor / second.offset, first.offset / second.offset)

    def factor(self, depth: int) -> Linear:
        if self.peek() in ("-", "+"):
            if depth > DEEPEST:
                raise ValueError("signs and parentheses nested too deeply")
            sign = 1.0 if self.take() == "+" else -1.0
            inner = self.factor(depth + 1)
            self.plain(inner, inner, "a sign")
            return Linear(sign * inner.factor, sign * inner.offset)
        return self.power(depth)

    def power(self, depth: int) -> Linear:
        base = self.value(depth)
        if self.peek() not in ("^", "**"):
            return base
        self.take()
        exponent = self.factor(depth + 1)
        if exponent == Linear(0.0, 1.0):
            return base
        if base.factor or exponent.factor:
            raise ValueError("a power of x")
        try:
            result = base.offset**exponent.offset
        except (OverflowError, ZeroDivisionError):
            result = math.inf
        if isinstance(result, complex):
            raise ValueError("the root of a negative number")
        return Linear(0.0, result)

    def value(self, depth: int) -> Linear:
        token = self.take()
        if token[:1].isdigit() or token[:1] == ".":
            return Linear(0.0, float(token))
        if token == "x":
            return Linear(1.0, 0.0)
        if token == "(":
            return self.closed(depth)
        if token in FUNCTIONS and self.take() == "(":
            inner = self.closed(depth)
            if not inner.factor:
                return Linear(0.0, _rounded(token, inner(0.0)))
            self.plain(inner, inner, f"{token}()")
            return Linear(inner.factor, inner.offset, token)
        raise ValueError(f"{token!r} where a value should stand" if token else "an end where a value should stand")

    def closed(self, depth: int) -> Linear:
        inner = self.formula(depth + 1)
        if self.take() != ")":
            raise ValueError("a parenthesis that does not close")
        return inner

    def plain(self, first: Linear, second: Linear, what: str) -> None:
        """Only a whole formula may be rounded: what goes on after it would not be linear."""
        for one in (first, second):
            if one.rounding:
                raise ValueError(f"{what} of {one.rounding}()")
