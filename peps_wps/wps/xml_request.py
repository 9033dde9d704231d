"""Requests as XML (WPS 1.0.0); the size of the body is capped before."""

import copy

from lxml import etree

from peps_wps.wps.errors import WpsError, invalid, missing
from peps_wps.wps.requests import (
    DescribeProcess,
    Execute,
    GetCapabilities,
    OutputRequest,
    Request,
    check_accepted_versions,
    check_version,
    collect,
    read_boolean,
)
from peps_wps.xml_parsing import Element, XmlError, read_xml

WPS = "http://www.opengis.net/wps/1.0.0"
OWS = "http://www.opengis.net/ows/1.1"
_NAMES = {"wps": WPS, "ows": OWS}


def parse_xml(body: bytes) -> Request:
    """Return what an XML document asks.

    Raises
    ------
    WpsError
        When it is no request of this service, is not well formed, or carries a DTD.
    """
    try:
        root = read_xml(body)
    except XmlError as error:
        raise WpsError("NoApplicableCode", "", f"the body {error}") from error
    operation = etree.QName(root)
    if operation.namespace != WPS:
        raise invalid("request", f"{operation.localname} is not in the namespace {WPS}")
    service = root.get("service", "WPS")
    if service.upper() != "WPS":
        raise invalid("service", f"service {service} is not offered, WPS is")
    language = root.get("language", "")
    if operation.localname == "GetCapabilities":
        check_accepted_versions(_texts(root, "wps:AcceptVersions/ows:Version"))
        check_accepted_versions(_texts(root, "ows:AcceptVersions/ows:Version"))
        return GetCapabilities(language)
    check_version(root.get("version", ""))
    if operation.localname == "DescribeProcess":
        return DescribeProcess(tuple(_texts(root, "ows:Identifier")), language)
    if operation.localname == "Execute":
        return _execute(root, language)
    raise WpsError(
        "OperationNotSupported", operation.localname, f"there is no operation {operation.localname}"
    )


def _texts(element: Element, path: str) -> list[str]:
    """Return the texts of the elements at a path, empty ones left out."""
    found = (_text(one) for one in element.iterfind(path, _NAMES))
    return [text for text in found if text]


def _text(element: Element | None) -> str:
    return "" if element is None else "".join(str(part) for part in element.itertext()).strip()


def _execute(root: Element, language: str) -> Execute:
    identifier = _text(root.find("ows:Identifier", _NAMES))
    if not identifier:
        raise missing("identifier")
    document = root.find("wps:ResponseForm/wps:ResponseDocument", _NAMES)
    raw = root.find("wps:ResponseForm/wps:RawDataOutput", _NAMES)
    wanted = [raw] if raw is not None else []
    if document is not None:
        wanted = document.findall("wps:Output", _NAMES)
    return Execute(
        identifier,
        inputs=collect([_input(one) for one in root.iterfind("wps:DataInputs/wps:Input", _NAMES)]),
        outputs=tuple(_output(one) for one in wanted),
        raw=raw is not None and document is None,
        store=_flag(document, "storeExecuteResponse"),
        status=_flag(document, "status"),
        lineage=_flag(document, "lineage"),
        language=language,
    )


def _flag(document: Element | None, name: str) -> bool:
    return document is not None and read_boolean(name, document.get(name, ""))


def _output(element: Element) -> OutputRequest:
    """Return an output that the client names."""
    identifier = _text(element.find("ows:Identifier", _NAMES))
    if not identifier:
        raise missing("Output", "an output has no identifier")
    reference = element.get("asReference")
    return OutputRequest(
        identifier, None if reference is None else read_boolean("asReference", reference)
    )


def _input(element: Element) -> tuple[str, str]:
    """Return identifier and value of an input; inline XML stays XML."""
    identifier = _text(element.find("ows:Identifier", _NAMES))
    if not identifier:
        raise missing("Input", "an input has no identifier")
    literal = element.find("wps:Data/wps:LiteralData", _NAMES)
    if literal is not None:
        return identifier, _text(literal)
    inline = element.find("wps:Data/wps:ComplexData", _NAMES)
    if inline is not None:
        if len(inline):
            return identifier, _standalone(inline[0])
        return identifier, _text(inline)
    if element.find("wps:Reference", _NAMES) is not None:
        raise invalid(identifier, f"{identifier} is given by reference, expected its value")
    raise invalid(identifier, f"{identifier} has neither LiteralData nor ComplexData")


def _standalone(element: Element) -> str:
    """Return an element as a document of its own, without the namespaces of the request."""
    element = copy.deepcopy(element)
    element.tail = None
    etree.cleanup_namespaces(element)
    return etree.tostring(element, encoding="unicode")
