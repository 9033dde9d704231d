"""XML of unknown origin, read safely: no document type, no entity, nothing fetched.

libxml2 itself refuses elements nested deeper than 256 and texts above 10 MB; who calls caps the
size of the whole.
"""

from lxml import etree

from peps_wps.errors import PepsError

Element = etree._Element  # lxml has no public name for its elements


class XmlError(PepsError):
    """A text is no sound XML document; the sentence goes on after "the document"."""


def read_xml(content: bytes) -> Element:
    """Return the root element of a document, its comments and processing instructions left out.

    Raises
    ------
    XmlError
        When it is not well formed or declares a document type.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise XmlError(f"is not well-formed XML, line {error.lineno or 0}") from error
    except ValueError as error:
        raise XmlError("is not XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlError("declares a document type, none expected")
    return root
