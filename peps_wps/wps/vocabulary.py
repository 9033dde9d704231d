"""Writing XML: the namespaces of both versions, elements by prefixed name, documents as bytes."""

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from peps_wps.xml_parsing import NOT_CARRIED, Element

XLINK = "http://www.w3.org/1999/xlink"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Vocabulary:
    """The elements of one version of WPS, by prefixed names such as ``wps:Status``.

    Parameters
    ----------
    version
        The version of WPS.
    names
        Namespaces by their prefixes.
    """

    version: str
    names: Mapping[str, str]

    def name(self, prefixed: str) -> str:
        """Return a name as lxml has it; one without a prefix is in no namespace."""
        prefix, colon, local = prefixed.partition(":")
        return f"{{{self.names[prefix]}}}{local}" if colon else prefixed

    def root(self, name: str, /, **attributes: str) -> Element:
        """Return the root of a new document."""
        return etree.Element(self.name(name), attributes, nsmap=dict(self.names))

    def add(
        self, parent: Element, name: str, text: str | None = None, /, **attributes: str
    ) -> Element:
        """Add an element to the end of `parent`; its text is put on one line."""
        element = etree.SubElement(parent, self.name(name), attributes)
        element.text = None if text is None else one_line(text)
        return element


V1 = Vocabulary(
    "1.0.0",
    {
        "wps": "http://www.opengis.net/wps/1.0.0",
        "ows": "http://www.opengis.net/ows/1.1",
        "xlink": XLINK,
    },
)
V2 = Vocabulary(
    "2.0.0",
    {
        "wps": "http://www.opengis.net/wps/2.0",
        "ows": "http://www.opengis.net/ows/2.0",
        "xlink": XLINK,
    },
)

# What holds data of clients.
_DATA = (V1.name("wps:ComplexData"), V2.name("wps:Data"))


def one_line(text: str) -> str:
    """Return text on one line, without the characters that XML 1.0 cannot carry."""
    return " ".join(NOT_CARRIED.sub(" ", text).split())


def serialise(root: Element) -> bytes:
    """Return a document as UTF-8, one element a line, the start tag of the root on one line.

    What a client gave or gets as data stays as it is, white space included.
    """
    _indent(root, "\n")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _indent(element: Element, line: str) -> None:
    """Put the children of an element on lines of their own, all but those of data."""
    if not len(element) or element.tag in _DATA:
        return
    inner = line + "  "
    element.text = inner
    for child in element:
        _indent(child, inner)
        child.tail = inner
    element[-1].tail = line
