"""Checks of an order against the description of its process.

What a chain alone can know (does the product exist?) is its own to refuse; here are the names, the
number of times, the types and the allowed values.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pywps import LiteralInput
from pywps.exceptions import NoApplicableCode
from pywps.inout.literaltypes import AllowedValue
from pywps.validator.allowed_value import ALLOWEDVALUETYPE

from peps_wps.errors import InvalidInputError
from peps_wps.ordering.boxes import Box, BoxInput
from peps_wps.ordering.errors import (
    InputTooLargeError,
    MissingInputError,
    TooManyValuesError,
    UnknownInputError,
    UnknownOutputError,
)
from peps_wps.ordering.process import ChainProcess

_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _is_finite(text: str) -> bool:
    """Tell whether a text is a number that a float can hold."""
    return _FLOAT.fullmatch(text) is not None and math.isfinite(float(text))


# Spellings that XML Schema part 2 gives a type; PyWPS converts far more than that, and fails on an
# integer of hundreds of digits. Here one has as many as 64 bits always hold.
_SPELLINGS: dict[str, Callable[[str], object]] = {
    "boolean": re.compile(r"true|false|1|0", re.IGNORECASE | re.ASCII).fullmatch,
    "integer": re.compile(r"[+-]?\d{1,18}", re.ASCII).fullmatch,
    "nonNegativeInteger": re.compile(r"\+?\d{1,18}", re.ASCII).fullmatch,
    "positiveInteger": re.compile(r"\+?0{0,17}[1-9]\d{0,17}", re.ASCII).fullmatch,
    "float": _is_finite,
}
_TYPES_IN_WORDS = {
    "boolean": "true or false",
    "integer": "a whole number",
    "nonNegativeInteger": "a whole number from 0",
    "positiveInteger": "a whole number from 1",
    "float": "a number",
}


def check_outputs(process: ChainProcess, outputs: Iterable[str]) -> None:
    """Refuse an output that the process does not have.

    Raises
    ------
    UnknownOutputError
        With the identifier of the output.
    """
    known = [one.identifier for one in process.outputs]
    for output in outputs:
        if output not in known:
            raise UnknownOutputError(
                output,
                f"{process.identifier} has no output {output}, it has {', '.join(known)}",
            )


def chain_inputs(
    process: ChainProcess, given: Mapping[str, Sequence[str]], *, largest: int
) -> dict[str, list[str]]:
    """Return the inputs that are given, under the names that the chain knows, checked.

    Parameters
    ----------
    process, given
        The process as the client named it, and the values of each input in their order. An empty
        value is an absent one, whatever the protocol.
    largest
        Most bytes of a value.

    Raises
    ------
    InvalidInputError
        On an unknown, missing or repeated input, or a value outside its type or domain; the
        locator is the input's identifier.
    """
    described = {process.chain_inputs[one.identifier]: one for one in process.inputs}
    used: dict[str, list[str]] = {}
    checked: dict[str, list[str]] = {}
    for name, texts in given.items():
        if name not in process.chain_inputs:
            known = ", ".join(one.identifier for one in process.inputs) or "none"
            raise UnknownInputError(
                name, f"{process.identifier} has no input {name}, it has {known}"
            )
        chain_name = process.chain_inputs[name]
        values = [text for text in texts if text.strip()]
        if chain_name and values:
            used[name] = values
            checked[chain_name] = [*checked.get(chain_name, []), *values]
    # Counted before they are read: a body has room for half a million values.
    for one in process.inputs:
        _check_occurrences(one, checked.get(process.chain_inputs[one.identifier] or "", ()))
    for name, values in used.items():
        _check_values(described[process.chain_inputs[name]], name, values, largest)
    return checked


def _check_occurrences(described: Any, values: Sequence[str]) -> None:
    """Refuse an input that is given too rarely or too often."""
    name, fewest, most = described.identifier, described.min_occurs, described.max_occurs
    if not values and fewest > 0 and described._default is None:
        raise MissingInputError(name, f"input {name} is missing")
    if values and len(values) < fewest:
        raise MissingInputError(
            name, f"input {name} is given {len(values)} times, expected {fewest} or more"
        )
    if len(values) > most:
        raise TooManyValuesError(
            name, f"input {name} is given {len(values)} times, expected at most {most}"
        )


def _check_values(described: Any, name: str, values: Sequence[str], largest: int) -> None:
    """Refuse a value that is too long, of another type or outside the domain."""
    for value in values:
        if len(value.encode()) > largest:
            raise InputTooLargeError(name, f"a value of {name} has more than {largest} bytes")
        if isinstance(described, LiteralInput):
            _check_literal(described, name, value)


def _check_literal(described: LiteralInput, name: str, value: str) -> None:
    shown = value if len(value) <= 80 else value[:77] + "..."
    if isinstance(described, BoxInput):
        _check_box(name, value)
    if not _has_type(described.data_type, value):
        expected = _TYPES_IN_WORDS.get(described.data_type, described.data_type)
        raise InvalidInputError(name, f"{name} is {shown}, expected {expected}")
    literal = described.clone()
    try:
        literal.data = value
    except NoApplicableCode as error:
        domain = _domain(described.allowed_values)
        raise InvalidInputError(name, f"{name} is {shown}, expected {domain}") from error


def _check_box(name: str, value: str) -> None:
    try:
        Box.of_text(value)
    except ValueError as error:
        raise InvalidInputError(name, f"{name}: {error}") from error


def _has_type(data_type: str, value: str) -> bool:
    return bool(_SPELLINGS.get(data_type, bool)(value))


def _domain(allowed: Sequence[Any]) -> str:
    """Return allowed values and ranges in words."""
    parts = []
    for one in allowed:
        if not isinstance(one, AllowedValue):
            continue
        if one.allowed_type == ALLOWEDVALUETYPE.RANGE:
            parts.append(f"{one.minval} to {one.maxval}")
        else:
            parts.append(str(one.value))
    return " or ".join(parts) or "a value of its type"
