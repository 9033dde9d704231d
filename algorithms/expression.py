"""Formulas of people, read into a small tree and evaluated over arrays: nothing else can be said.

A formula has numbers, names, ``+ - * / **`` and parentheses. It is never handed to an interpreter.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

LONGEST = 300  # characters
DEEPEST = 30  # parentheses, signs and powers inside each other

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9]*)|(?P<sign>\*\*|[-+*/()]))",
    re.ASCII,
)
_END = ""


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Name:
    """A variable."""

    name: str


@dataclass(frozen=True)
class Negative:
    """Minus something."""

    operand: "Expression"


@dataclass(frozen=True)
class Operation:
    """Two things and a sign between: ``+ - * / **``."""

    sign: str
    left: "Expression"
    right: "Expression"


Expression = Number | Name | Negative | Operation


def parse(text: str) -> Expression:
    """Read a formula.

    Powers bind tighter than signs and to the right: ``-a**2`` is ``-(a**2)``.

    Raises
    ------
    ValueError
        With what was found and where, when it is no formula, too long or nested too deep.
    """
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text)} characters, at most {LONGEST} expected")
    reader = _Reader(_tokens(text))
    expression = reader.sum(0)
    if reader.next != _END:
        raise ValueError(f"{reader.next} is not expected there")
    return expression


def names_in(expression: Expression) -> frozenset[str]:
    """Return the variables of a formula."""
    match expression:
        case Name(name):
            return frozenset([name])
        case Negative(operand):
            return names_in(operand)
        case Operation(_, left, right):
            return names_in(left) | names_in(right)
        case Number():
            return frozenset()


def evaluate(expression: Expression, values: Mapping[str, Float32]) -> Float32:
    """Return the value of a formula at every place, float32.

    Parameters
    ----------
    expression
        The formula.
    values
        Its variables, all of one shape; NaN where there is no data, and so in the result.

    Returns
    -------
    Not finite where the formula has no value: a division by zero, a root of a negative number.
    """
    with np.errstate(all="ignore"):
        return np.asarray(_value(expression, values), np.float32)


def _value(expression: Expression, values: Mapping[str, Float32]) -> Float32 | np.float32:
    match expression:
        case Number(value):
            return np.float32(value)
        case Name(name):
            return values[name]
        case Negative(operand):
            return -_value(operand, values)
        case Operation("**", left, Number(2.0)):
            return np.square(_value(left, values))
        case Operation("**", left, Number(0.5)):
            return np.sqrt(_value(left, values))
        case Operation(sign, left, right):
            return _OPERATIONS[sign](_value(left, values), _value(right, values))


_OPERATIONS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
}


def _tokens(text: str) -> list[str]:
    """Return numbers, names and signs, and an end."""
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"{text[position:].lstrip()[:1]!r} is no part of a formula")
        tokens.append(match[0].strip())
        position = match.end()
    return [*tokens, _END]


class _Reader:
    """Reads tokens by the grammar: sums of products of signed powers of atoms."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = iter(tokens)
        self.next = next(self._tokens)

    def _take(self) -> str:
        token, self.next = self.next, next(self._tokens, _END)
        return token

    def sum(self, depth: int) -> Expression:
        """Read ``product + product - ...``."""
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        left = self._product(depth)
        while self.next in ("+", "-"):
            left = Operation(self._take(), left, self._product(depth))
        return left

    def _product(self, depth: int) -> Expression:
        left = self._signed(depth)
        while self.next in ("*", "/"):
            left = Operation(self._take(), left, self._signed(depth))
        return left

    def _signed(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        if self.next in ("+", "-"):
            sign, operand = self._take(), self._signed(depth + 1)
            return Negative(operand) if sign == "-" else operand
        base = self._atom(depth)
        if self.next == "**":
            return Operation(self._take(), base, self._signed(depth + 1))
        return base

    def _atom(self, depth: int) -> Expression:
        word = self._take()
        if word == "(":
            inner = self.sum(depth + 1)
            if self._take() != ")":
                raise ValueError("a parenthesis is not closed")
            return inner
        if word[:1].isalpha():
            return Name(word)
        if word[:1].isdigit() or word[:1] == ".":
            if not math.isfinite(value := float(word)):
                raise ValueError(f"{word} is too large")
            return Number(value)
        raise ValueError(f"{word or 'its end'} is not expected there")
