"""Capabilities and process descriptions: PyWPS's templates, corrected.

What PyWPS 4.8.1 writes is not always what WPS 1.0.0 says: it announces version 2.0.0, leaves
contact fields out or empty, puts keywords where the schema has none and spells booleans as Python
does. The corrections are made once, when the service starts; a request only fills in the address
it came to.
"""

import copy
from collections.abc import Iterable, Sequence

from lxml import etree
from pywps.app.WPSRequest import WPSRequest
from pywps.response.capabilities import CapabilitiesResponse
from pywps.response.describe import DescribeResponse

from peps_wps.config import Config
from peps_wps.links import Links
from peps_wps.ordering.process import ChainProcess
from peps_wps.wps.vocabulary import V1, serialise

XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
_SCHEMAS = "http://schemas.opengis.net/wps/1.0.0"
_NAMES = dict(V1.names)
_WPS, _OWS = V1.names["wps"], V1.names["ows"]
# Vendor operations, and what each operation can be asked by.
_METHODS = {
    "GetCapabilities": ("Get", "Post"),
    "DescribeProcess": ("Get", "Post"),
    "Execute": ("Get", "Post"),
    "GetStatus": ("Get",),
    "GetResult": ("Get",),
    "Dismiss": ("Get",),
}


class Documents:
    """The documents that describe the service and its processes."""

    def __init__(self, config: Config, processes: Iterable[ChainProcess]) -> None:
        request = WPSRequest()
        request.language = config.server.language
        everyone = list(processes)
        self._capabilities = _capabilities(config, request, everyone)
        self._descriptions = _descriptions(config, request, everyone)

    def capabilities(self, links: Links, listed: Iterable[ChainProcess]) -> bytes:
        """Return the capabilities document, its operations under `links`."""
        root = copy.deepcopy(self._capabilities)
        _keep(root.find("wps:ProcessOfferings", _NAMES), listed)
        for method in root.iterfind("ows:OperationsMetadata//ows:HTTP/*", _NAMES):
            # The question mark is part of a KVP address (OGC 06-121r3, clause 11.3).
            suffix = "?" if etree.QName(method).localname == "Get" else ""
            method.set(XLINK_HREF, links.service + suffix)
        return serialise(root)

    def descriptions(self, described: Iterable[ChainProcess]) -> bytes:
        """Return the description of processes."""
        root = copy.deepcopy(self._descriptions)
        _keep(root, described)
        return serialise(root)


def _capabilities(
    config: Config, request: WPSRequest, processes: Sequence[ChainProcess]
) -> etree._Element:
    """Return the corrected capabilities, without addresses."""
    response = CapabilitiesResponse(
        request, None, "1.0.0", processes={one.identifier: one for one in processes}
    )
    context = response.json
    metadata = config.metadata
    context["provider"]["fascimile"] = metadata.contact_fax
    context["provider"]["address"]["delivery"] = metadata.contact_address
    context["provider"]["address"]["administrativearea"] = metadata.contact_stateorprovince
    root = _render(response, "capabilities", context)
    root.set(_SCHEMA_LOCATION, f"{_WPS} {_SCHEMAS}/wpsGetCapabilities_response.xsd")
    for version in root.findall("ows:ServiceIdentification/ows:ServiceTypeVersion", _NAMES)[1:]:
        _remove(version)
    for keywords in root.findall("wps:ProcessOfferings/wps:Process/ows:Keywords", _NAMES):
        _remove(keywords)
    site = root.find("ows:ServiceProvider/ows:ProviderSite", _NAMES)
    if site is not None and not site.get(XLINK_HREF):
        _remove(site)
    _remove_empty(root)
    _replace_operations(root)
    return root


def _replace_operations(root: etree._Element) -> None:
    """List the operations that are served, the vendor's among them."""
    operations = root.find("ows:OperationsMetadata", _NAMES)
    if operations is None:
        raise LookupError("the capabilities template has no OperationsMetadata")
    operations[:] = []
    for name, methods in _METHODS.items():
        operation = etree.SubElement(operations, f"{{{_OWS}}}Operation", name=name)
        http = etree.SubElement(etree.SubElement(operation, f"{{{_OWS}}}DCP"), f"{{{_OWS}}}HTTP")
        for method in methods:
            etree.SubElement(http, f"{{{_OWS}}}{method}")


def _descriptions(
    config: Config, request: WPSRequest, processes: Sequence[ChainProcess]
) -> etree._Element:
    """Return the corrected descriptions of all processes in one document."""
    offered = {one.identifier: one for one in processes}
    response = DescribeResponse(request, None, processes=offered, identifiers=list(offered))
    largest_mb = max(1, config.server.max_input_bytes // 2**20)
    root = _render(response, "describe", {**response.json, "max_size": largest_mb})
    root.set(_SCHEMA_LOCATION, f"{_WPS} {_SCHEMAS}/wpsDescribeProcess_response.xsd")
    for literal in root.iterfind(".//LiteralData"):
        is_boolean = literal.findtext("ows:DataType", namespaces=_NAMES) == "boolean"
        default = literal.find("DefaultValue")
        if is_boolean and default is not None:
            default.text = (default.text or "").lower()
    for reference in root.iter(f"{{{_OWS}}}ValuesReference"):
        reference.tag = "ValuesReference"
    _remove_empty(root)
    return root


def _render(
    response: CapabilitiesResponse | DescribeResponse, operation: str, context: dict[str, object]
) -> etree._Element:
    """Return what a template of PyWPS writes, without comments and layout."""
    template = response.template_env.get_template(f"1.0.0/{operation}/main.xml")
    parser = etree.XMLParser(remove_comments=True, remove_blank_text=True, no_network=True)
    root = etree.fromstring(template.render(**context).encode(), parser)
    for element in root.iter(etree.Element):
        if element.text:
            element.text = element.text.strip() or None
    return root


def _keep(offerings: etree._Element | None, processes: Iterable[ChainProcess]) -> None:
    """Leave only some of the processes, in their order."""
    if offerings is None:
        raise LookupError("the template has no processes")
    offered = {_identifier(one): one for one in offerings}
    wanted = dict.fromkeys(one.identifier for one in processes)
    offerings[:] = [offered[identifier] for identifier in wanted]


def _remove_empty(root: etree._Element) -> None:
    """Remove elements of OWS without text, attribute or child, but those whose presence speaks."""
    kept = {f"{{{_OWS}}}AnyValue", f"{{{_OWS}}}ServiceContact"}
    for element in reversed(list(root.iter(f"{{{_OWS}}}*"))):
        has_content = len(element) or element.text or element.attrib
        if not has_content and element.tag not in kept:
            _remove(element)


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _identifier(description: etree._Element) -> str:
    return description.findtext("ows:Identifier", default="", namespaces=_NAMES)
