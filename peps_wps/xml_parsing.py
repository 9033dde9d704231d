"""XML of unknown origin, read safely: no document type, no entity, nothing fetched.

libxml2 itself refuses elements nested deeper than 256 and texts above 10 MB; who calls caps the
size of the whole, and of what a stranger sends the number of its parts too: three megabytes of
empty elements would be a hundred in memory.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from lxml import etree

from peps_wps.errors import PepsError

Element = etree._Element  # lxml has no public name for its elements

# All but the characters of XML 1.0, production 2: no document says them, whatever the escape.
NOT_CARRIED = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_CHUNK_BYTES = 64 * 1024
_SETTINGS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


class XmlError(PepsError):
    """A text is no sound XML document; the sentence goes on after "the document"."""


@dataclass(frozen=True)
class XmlLimits:
    """How many parts a document may have: elements, attributes of each, levels of nesting."""

    elements: int
    attributes: int
    depth: int


def read_xml(content: bytes, limits: XmlLimits | None = None) -> Element:
    """Return the root element of a document, its comments and processing instructions left out.

    Parameters
    ----------
    content
        The document.
    limits
        What it may have at most; reading stops where it has more.

    Raises
    ------
    XmlError
        When it is not well formed, declares a document type or is beyond the limits.
    """
    try:
        if limits is None:
            root = etree.fromstring(content, etree.XMLParser(**_SETTINGS))
        else:
            root = _read_within(content, limits)
    except etree.XMLSyntaxError as error:
        raise XmlError(f"is not well-formed XML, line {error.lineno or 0}") from error
    except ValueError as error:
        raise XmlError("is not XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlError("declares a document type, none expected")
    return root


def _read_within(content: bytes, limits: XmlLimits) -> Element:
    """Read piece by piece, counting."""
    parser = etree.XMLPullParser(events=("start", "end"), **_SETTINGS)
    elements = depth = 0
    for piece in _pieces(content):
        parser.feed(piece)
        # Of these events, a type stub says less than it could.
        events = cast("Iterable[tuple[str, Element]]", parser.read_events())
        for event, element in events:
            if event == "end":
                depth -= 1
                continue
            elements += 1
            depth += 1
            if elements > limits.elements:
                raise XmlError(f"has more than {limits.elements} elements")
            if depth > limits.depth:
                raise XmlError(f"nests elements deeper than {limits.depth}")
            if len(element.attrib) > limits.attributes:
                raise XmlError(f"has an element with more than {limits.attributes} attributes")
    return parser.close()


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _CHUNK_BYTES):
        yield content[start : start + _CHUNK_BYTES]
