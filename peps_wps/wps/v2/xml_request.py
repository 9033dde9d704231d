"""Requests as XML (OGC 14-065, the POST bindings of clauses 9 and 10)."""

from lxml import etree

from peps_wps.wps.errors import WpsError, invalid, missing
from peps_wps.wps.requests import (
    DescribeProcess,
    Execute,
    GetCapabilities,
    InputReference,
    JobRequest,
    OutputRequest,
    Request,
    read_mode,
    read_response,
    read_transmission,
)
from peps_wps.wps.vocabulary import V2, XML_LANG
from peps_wps.wps.xml_reading import (
    Input,
    box_in,
    document_in,
    href_of,
    inputs_in,
    media_type_at,
    process_in,
    text_of,
    texts_at,
)
from peps_wps.xml_parsing import Element

_NAMES = dict(V2.names)


def parse_request(root: Element) -> Request:
    """Return what a document of WPS 2.0 asks.

    Raises
    ------
    WpsError
        When it is no request of this service.
    """
    operation = etree.QName(root).localname
    language = root.get(XML_LANG, "")
    match operation:
        case "GetCapabilities":
            languages = texts_at(root, "ows:AcceptLanguages/ows:Language", V2)
            return GetCapabilities(
                ",".join(languages),
                texts_at(root, "ows:Sections/ows:Section", V2),
            )
        case "DescribeProcess":
            return DescribeProcess(texts_at(root, "ows:Identifier", V2), language)
        case "Execute":
            return _execute(root, language)
        case "GetStatus" | "GetResult" | "Dismiss":
            return JobRequest(operation.lower(), text_of(root.find("wps:JobID", _NAMES)))
    raise WpsError("OperationNotSupported", operation, f"there is no operation {operation}")


def _execute(root: Element, language: str) -> Execute:
    identifier = process_in(root, V2)
    inputs, input_types = inputs_in(root.iterfind("wps:Input", _NAMES), _input)
    return Execute(
        identifier,
        inputs=inputs,
        input_types=input_types,
        outputs=tuple(_output(one) for one in root.iterfind("wps:Output", _NAMES)),
        mode=read_mode(root.get("mode", ""), "auto"),
        raw=read_response(root.get("response", "")),
        language=language,
    )


def _output(element: Element) -> OutputRequest:
    """Return an output that the client names."""
    identifier = element.get("id", "").strip()
    if not identifier:
        raise missing("Output", "an output has no id")
    if element.find("wps:Output", _NAMES) is not None:
        raise WpsError("NoSuchOutput", identifier, f"{identifier} has no outputs inside")
    transmission = read_transmission(element.get("transmission", ""))
    return OutputRequest(identifier, transmission, element.get("mimeType", ""))


def _input(element: Element) -> Input:
    """Return an input."""
    identifier = element.get("id", "").strip()
    if not identifier:
        raise missing("Input", "an input has no id")
    if element.find("wps:Input", _NAMES) is not None:
        raise WpsError("NoSuchInput", identifier, f"{identifier} has no inputs inside")
    media_type = media_type_at(element, ("wps:Reference", "wps:Data"), V2)
    return Input(identifier, _value(element, identifier), media_type)


def _value(element: Element, identifier: str) -> str | InputReference:
    """Return the value of an input, or where it is."""
    reference = element.find("wps:Reference", _NAMES)
    if reference is not None:
        return InputReference(href_of(reference, identifier))
    data = element.find("wps:Data", _NAMES)
    if data is None:
        raise invalid(identifier, f"{identifier} has neither data nor a reference")
    literal = data.find("wps:LiteralValue", _NAMES)
    if literal is not None:
        return text_of(literal)
    box = data.find("ows:BoundingBox", _NAMES)
    if box is not None:
        return box_in(box, identifier, V2)
    return document_in(data, identifier)
