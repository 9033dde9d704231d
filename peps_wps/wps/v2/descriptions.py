"""``wps:ProcessOfferings``: what processes take and give (OGC 14-065, clauses 7 and 9.8)."""

import re
from collections.abc import Iterable
from typing import Any

from pywps import LiteralInput, LiteralOutput
from pywps.inout.literaltypes import AllowedValue
from pywps.validator.allowed_value import ALLOWEDVALUETYPE

from peps_wps.config import Config
from peps_wps.ordering import ChainProcess
from peps_wps.ordering.boxes import CRS84, BoxInput, BoxOutput
from peps_wps.wps.vocabulary import V2, XML_LANG, serialise
from peps_wps.xml_parsing import Element

_VERSION = re.compile(r"\d+\.\d?\d\.\d?\d")
_TYPES = "http://www.w3.org/2001/XMLSchema#"
# Every literal is given and taken in both.
_LITERAL_FORMATS = ("text/xml", "text/plain")


def render_descriptions(processes: Iterable[ChainProcess], config: Config) -> bytes:
    """Return the description of processes."""
    root = V2.root("wps:ProcessOfferings")
    for process in processes:
        offering = V2.add(root, "wps:ProcessOffering", **properties(process))
        described = V2.add(offering, "wps:Process")
        described.set(XML_LANG, config.server.language)
        describe(described, process)
        for one in process.inputs:
            _input(described, one, max(1, config.server.max_input_bytes // 2**20))
        for one in process.outputs:
            _output(described, one)
    return serialise(root)


def properties(process: ChainProcess) -> dict[str, str]:
    """Return the attributes of an offering: how a process is run, how it gives its outputs."""
    modes = ["sync-execute"] * process.sync_allowed
    modes += ["async-execute", "dismiss"] * process.async_allowed
    attributes = {
        "jobControlOptions": " ".join(modes),
        "outputTransmission": "value reference",
    }
    if _VERSION.fullmatch(process.version or ""):
        attributes["processVersion"] = process.version
    return attributes


def describe(parent: Element, described: Any) -> None:
    """Write what a person reads of a process, an input or an output, and its identifier."""
    V2.add(parent, "ows:Title", described.title or described.identifier)
    if described.abstract:
        V2.add(parent, "ows:Abstract", described.abstract)
    if described.keywords:
        keywords = V2.add(parent, "ows:Keywords")
        for keyword in described.keywords:
            V2.add(keywords, "ows:Keyword", keyword)
    V2.add(parent, "ows:Identifier", described.identifier)


def _input(parent: Element, described: Any, largest_mb: int) -> None:
    occurs = {"minOccurs": str(described.min_occurs), "maxOccurs": str(described.max_occurs)}
    element = V2.add(parent, "wps:Input", **occurs)
    describe(element, described)
    if isinstance(described, BoxInput):
        _box(element)
    elif isinstance(described, LiteralInput):
        literal = _literal(element)
        domain = V2.add(literal, "LiteralDataDomain", default="true")
        _allowed(domain, described.allowed_values or ())
        _data_type(domain, described)
        if described._default is not None:
            V2.add(domain, "ows:DefaultValue", str(described._default))
    else:
        _complex(element, described, maximumMegabytes=str(largest_mb))


def _output(parent: Element, described: Any) -> None:
    element = V2.add(parent, "wps:Output")
    describe(element, described)
    if isinstance(described, BoxOutput):
        _box(element)
    elif isinstance(described, LiteralOutput):
        domain = V2.add(_literal(element), "LiteralDataDomain", default="true")
        V2.add(domain, "ows:AnyValue")
        _data_type(domain, described)
    else:
        _complex(element, described)


def _literal(parent: Element) -> Element:
    literal = V2.add(parent, "wps:LiteralData")
    _formats(literal, _LITERAL_FORMATS)
    return literal


def _box(parent: Element) -> None:
    box = V2.add(parent, "wps:BoundingBoxData")
    _formats(box, _LITERAL_FORMATS)
    V2.add(box, "wps:SupportedCRS", CRS84, default="true")


def _complex(parent: Element, described: Any, **limits: str) -> None:
    data = V2.add(parent, "wps:ComplexData")
    types = [one.mime_type for one in described.supported_formats] or ["application/octet-stream"]
    _formats(data, types, **limits)


def _formats(parent: Element, mime_types: Iterable[str], **limits: str) -> None:
    """Write the formats of a value; the first is the default."""
    for number, mime_type in enumerate(mime_types):
        element = V2.add(parent, "wps:Format", mimeType=mime_type, **limits)
        if number == 0:
            element.set("default", "true")


def _data_type(domain: Element, described: Any) -> None:
    data_type = V2.add(domain, "ows:DataType", described.data_type)
    data_type.set(V2.name("ows:reference"), _TYPES + described.data_type)


def _allowed(domain: Element, allowed: Iterable[Any]) -> None:
    """Write the values and ranges that a literal may have."""
    values = [one for one in allowed if isinstance(one, AllowedValue)]
    if not values:
        V2.add(domain, "ows:AnyValue")
        return
    element = V2.add(domain, "ows:AllowedValues")
    for value in values:
        if value.allowed_type == ALLOWEDVALUETYPE.RANGE:
            extent = V2.add(element, "ows:Range")
            V2.add(extent, "ows:MinimumValue", str(value.minval))
            V2.add(extent, "ows:MaximumValue", str(value.maxval))
        else:
            V2.add(element, "ows:Value", str(value.value))
