"""XML documents of a product: what is looked up in them, and how its absence is told."""

import math
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from peps_wps.errors import SafeError
from peps_wps.readers.wording import printable
from peps_wps.xml_parsing import Element, XmlError, read_xml


def parse_xml(data: bytes, name: str) -> Element:
    """Return the root element of a document; raise SafeError naming it when it is not sound XML."""
    try:
        return read_xml(data)
    except XmlError as error:
        raise SafeError(f"{name} {error}") from error


def find(parent: Element, path: str, name: str) -> Element:
    """Return the first element at `path` (``{*}`` stands for any namespace)."""
    element = parent.find(path)
    if element is None:
        raise SafeError(f"{name} has no {_readable(path)}")
    return element


def find_text(parent: Element, path: str, name: str) -> str:
    """Return the text of the first element at `path`."""
    text = (find(parent, path, name).text or "").strip()
    if not text:
        raise SafeError(f"{name} has an empty {_readable(path)}")
    return text


def find_number(parent: Element, path: str, name: str) -> float:
    """Return the finite number at `path`."""
    text = find_text(parent, path, name)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SafeError(f"{name} has no finite number in {_readable(path)}")
    return value


def find_integer(parent: Element, path: str, name: str) -> int:
    """Return the integer at `path`, which has 32 bits at most, as in the catalogue."""
    text = find_text(parent, path, name)
    try:
        value = int(text)
    except ValueError as error:
        raise SafeError(f"{name} has no integer in {_readable(path)}") from error
    if not -(2**31) <= value < 2**31:
        raise SafeError(f"{name} has an integer of more than 32 bits in {_readable(path)}")
    return value


def find_time(parent: Element, path: str, name: str) -> datetime:
    """Return the instant at `path`, UTC."""
    return parse_time(find_text(parent, path, name), name)


def parse_time(text: str, name: str) -> datetime:
    """Return the instant an ISO 8601 text says; one without a zone is UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise SafeError(f"{name} has a malformed time") from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def find_numbers(parent: Element, path: str, name: str) -> NDArray[np.float64]:
    """Return the blank-separated finite numbers at `path`, as many as its `count` says."""
    element = find(parent, path, name)
    try:
        values = np.array((element.text or "").split(), dtype=np.float64)
    except ValueError as error:
        raise SafeError(f"{name} has a malformed number in {_readable(path)}") from error
    expected = element.get("count", str(values.size))
    if expected != str(values.size):
        raise SafeError(
            f"{name} has {values.size} values in {_readable(path)}, {printable(expected)} expected"
        )
    if not np.isfinite(values).all():
        raise SafeError(f"{name} has a value that is not finite in {_readable(path)}")
    return values


def _readable(path: str) -> str:
    return path.replace("{*}", "").lstrip("./")
