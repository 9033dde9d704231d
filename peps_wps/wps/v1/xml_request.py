"""Requests as XML (OGC 05-007r7, clauses 8.2.2, 9.2.2 and 10.2.3)."""

from lxml import etree

from peps_wps.wps.errors import WpsError, invalid, missing
from peps_wps.wps.requests import (
    DescribeProcess,
    Execute,
    GetCapabilities,
    InputReference,
    OutputRequest,
    Request,
    read_boolean,
    stored_mode,
)
from peps_wps.wps.vocabulary import V1
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

_NAMES = dict(V1.names)


def parse_request(root: Element) -> Request:
    """Return what a document of WPS 1.0.0 asks.

    Raises
    ------
    WpsError
        When it is no request of this service.
    """
    operation = etree.QName(root).localname
    language = root.get("language", "")
    if operation == "GetCapabilities":
        return GetCapabilities(language)
    if operation == "DescribeProcess":
        return DescribeProcess(texts_at(root, "ows:Identifier", V1), language)
    if operation == "Execute":
        return _execute(root, language)
    raise WpsError("OperationNotSupported", operation, f"there is no operation {operation}")


def _execute(root: Element, language: str) -> Execute:
    identifier = process_in(root, V1)
    document = root.find("wps:ResponseForm/wps:ResponseDocument", _NAMES)
    raw = root.find("wps:ResponseForm/wps:RawDataOutput", _NAMES)
    is_raw = raw is not None and document is None
    wanted = [raw] if raw is not None else []
    if document is not None:
        wanted = document.findall("wps:Output", _NAMES)
    store = _flag(document, "storeExecuteResponse")
    inputs, input_types = inputs_in(root.iterfind("wps:DataInputs/wps:Input", _NAMES), _input)
    return Execute(
        identifier,
        inputs=inputs,
        input_types=input_types,
        outputs=tuple(_output(one) for one in wanted),
        mode=stored_mode(status=_flag(document, "status"), store=store, raw=is_raw),
        raw=is_raw,
        store=store,
        lineage=_flag(document, "lineage"),
        language=language,
    )


def _flag(document: Element | None, name: str) -> bool:
    return document is not None and read_boolean(name, document.get(name, ""))


def _output(element: Element) -> OutputRequest:
    """Return an output that the client names."""
    identifier = text_of(element.find("ows:Identifier", _NAMES))
    if not identifier:
        raise missing("Output", "an output has no identifier")
    reference = element.get("asReference")
    return OutputRequest(
        identifier,
        None if reference is None else read_boolean("asReference", reference),
        element.get("mimeType", ""),
    )


def _input(element: Element) -> Input:
    """Return an input."""
    identifier = text_of(element.find("ows:Identifier", _NAMES))
    if not identifier:
        raise missing("Input", "an input has no identifier")
    media_type = media_type_at(element, ("wps:Reference", "wps:Data/wps:ComplexData"), V1)
    return Input(identifier, _value(element, identifier), media_type)


def _value(element: Element, identifier: str) -> str | InputReference:
    """Return the value of an input, or where it is."""
    reference = element.find("wps:Reference", _NAMES)
    if reference is not None:
        return InputReference(href_of(reference, identifier))
    literal = element.find("wps:Data/wps:LiteralData", _NAMES)
    if literal is not None:
        return text_of(literal)
    inline = element.find("wps:Data/wps:ComplexData", _NAMES)
    if inline is not None:
        return document_in(inline, identifier)
    box = element.find("wps:Data/wps:BoundingBoxData", _NAMES)
    if box is not None:
        return box_in(box, identifier, V1)
    raise invalid(identifier, f"{identifier} has neither data nor a reference")
