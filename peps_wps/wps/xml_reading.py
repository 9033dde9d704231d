"""What the XML requests of both versions have in common; the size of a body is capped before."""

import base64
import binascii
import copy
from collections.abc import Callable, Iterable
from typing import NamedTuple

from lxml import etree

from peps_wps.ordering.boxes import Box
from peps_wps.wps.errors import WpsError, invalid, missing
from peps_wps.wps.requests import InputReference, collect
from peps_wps.wps.vocabulary import XLINK, Vocabulary
from peps_wps.xml_parsing import Element, XmlError, XmlLimits, read_xml

# Generous: a layer of a map, as QGIS sends it, has thousands of elements.
_LIMITS = XmlLimits(elements=50_000, attributes=100, depth=100)


class Input(NamedTuple):
    """An input of an Execute request; its media type is empty where none is named."""

    identifier: str
    value: str | InputReference
    media_type: str


def read_request(body: bytes) -> Element:
    """Return the root of a request.

    Raises
    ------
    WpsError
        When the body is not well formed, carries a DTD, or has more parts than any order needs.
    """
    try:
        return read_xml(body, _LIMITS)
    except XmlError as error:
        raise WpsError("NoApplicableCode", "", f"the body {error}") from error


def text_of(element: Element | None) -> str:
    """Return all the text inside an element."""
    return "" if element is None else "".join(str(part) for part in element.itertext()).strip()


def texts_at(root: Element, path: str, words: Vocabulary) -> tuple[str, ...]:
    """Return the texts of the elements at a path, empty ones left out."""
    found = (text_of(one) for one in root.iterfind(path, dict(words.names)))
    return tuple(text for text in found if text)


def process_in(root: Element, words: Vocabulary) -> str:
    """Return the process that an Execute request names."""
    identifier = text_of(root.find("ows:Identifier", dict(words.names)))
    if not identifier:
        raise missing("identifier")
    return identifier


def inputs_in(
    elements: Iterable[Element], read: Callable[[Element], Input]
) -> tuple[dict[str, tuple[str | InputReference, ...]], tuple[tuple[str, str], ...]]:
    """Return the values by identifier, in their order, and the media types that are named."""
    inputs = [read(element) for element in elements]
    types = tuple((one.identifier, one.media_type) for one in inputs if one.media_type)
    return collect([(one.identifier, one.value) for one in inputs]), types


def document_in(element: Element, identifier: str) -> str:
    """Return what an element holds as a value: inline XML as a document, anything else as text."""
    if len(element):
        return _standalone(element[0])
    text = text_of(element)
    if element.get("encoding", "").lower() != "base64" or not _is_text(element):
        return text
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise invalid(identifier, f"{identifier} is no text in base64") from error


def box_in(element: Element, identifier: str, words: Vocabulary) -> str:
    """Return a bounding box as the literal that it is for a process."""
    names = dict(words.names)
    corners = [
        text_of(element.find(f"ows:{corner}Corner", names)).split() for corner in ("Lower", "Upper")
    ]
    parts = [*corners[0], *corners[1], *filter(None, [element.get("crs")])]
    try:
        return str(Box.of_text(",".join(parts)))
    except ValueError as error:
        raise invalid(identifier, f"{identifier}: {error}") from error


def media_type_at(element: Element, paths: Iterable[str], words: Vocabulary) -> str:
    """Return the media type of what is at the first of these paths, empty where none is named."""
    found = (element.find(path, dict(words.names)) for path in paths)
    return next((one.get("mimeType", "") for one in found if one is not None), "")


def href_of(element: Element, identifier: str) -> str:
    """Return where a reference leads; one that is to be asked by POST is refused."""
    href = element.get(f"{{{XLINK}}}href") or element.get("href") or ""
    if not href.strip():
        raise invalid(identifier, f"{identifier} is a reference without an address")
    if element.get("method", "GET").upper() != "GET" or len(element):
        raise invalid(identifier, f"{identifier} is a reference to fetch with GET, nothing else")
    return href.strip()


def _is_text(element: Element) -> bool:
    """Say whether a value given in base64 is text; what is binary stays as it came."""
    mime_type = element.get("mimeType", "").partition(";")[0].lower()
    return mime_type.startswith("text/") or mime_type.endswith(("xml", "json"))


def _standalone(element: Element) -> str:
    """Return an element as a document of its own, without the namespaces of the request."""
    element = copy.deepcopy(element)
    element.tail = None
    etree.cleanup_namespaces(element)
    return etree.tostring(element, encoding="unicode")
