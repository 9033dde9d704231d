"""``ows:ExceptionReport`` documents (OGC 06-121r3, clause 8)."""

from lxml import etree

from peps_wps.wps.errors import WpsError
from peps_wps.wps.requests import NOT_CARRIED
from peps_wps.wps.xml_request import OWS

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def exception_report(error: WpsError) -> etree._Element:
    """Return the report of one error."""
    report = etree.Element(f"{{{OWS}}}ExceptionReport", nsmap={"ows": OWS}, version="1.0.0")
    report.set(_XML_LANG, "en-US")
    exception = etree.SubElement(report, f"{{{OWS}}}Exception", exceptionCode=error.code)
    if error.locator:
        exception.set("locator", one_line(error.locator))
    etree.SubElement(exception, f"{{{OWS}}}ExceptionText").text = one_line(error.message)
    return report


def one_line(text: str) -> str:
    """Return text on one line, without the characters that XML 1.0 cannot carry."""
    return " ".join(NOT_CARRIED.sub(" ", text).split())
