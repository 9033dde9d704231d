"""The map of one raster as a Web Map Tile Service: its capabilities.

OGC 07-057r7, WMTS 1.0.0: ServiceMetadata document with RESTful resources and key-value pairs,
without SOAP and without what is asked about features.
"""

from dataclasses import dataclass

from lxml import etree

from peps_wps.readers.wording import legible
from peps_wps.tiles import grid
from peps_wps.tiles.errors import WmtsError
from peps_wps.tiles.raster import Raster
from peps_wps.xml_parsing import Element

_WMTS = "http://www.opengis.net/wmts/1.0"
_OWS = "http://www.opengis.net/ows/1.1"
_XLINK = "http://www.w3.org/1999/xlink"
_DOCUMENT = (
    f'<Capabilities xmlns="{_WMTS}" xmlns:ows="{_OWS}" xmlns:xlink="{_XLINK}" version="1.0.0"/>'
)
MIME_TYPE = "application/xml"
MATRIX_SET = "GoogleMapsCompatible"
_CRS = f"urn:ogc:def:crs:EPSG::{grid.EPSG}"
_SCALE_SET = f"urn:ogc:def:wkss:OGC:1.0:{MATRIX_SET}"
STYLE = "default"
FORMAT = "image/png"
KVP, REST = "KVP", "RESTful"  # clause 11: how operations are asked for


@dataclass(frozen=True)
class Layer:
    """What the service shows.

    Parameters
    ----------
    identifier, title
        Of the layer, for machines and for people.
    template
        Address of a tile with ``{TileMatrix}``, ``{TileCol}`` and ``{TileRow}``.
    address
        Of the capabilities.
    pairs
        Address to which key-value pairs are added, with ``?`` or ``&`` at its end.
    """

    identifier: str
    title: str
    template: str
    address: str
    pairs: str


def capabilities(layer: Layer, raster: Raster) -> bytes:
    """Return the ServiceMetadata document of a raster."""
    root = etree.fromstring(_DOCUMENT)
    service = _add(root, _OWS, "ServiceIdentification")
    _add(service, _OWS, "Title", layer.title)
    _add(service, _OWS, "ServiceType", "OGC WMTS")
    _add(service, _OWS, "ServiceTypeVersion", "1.0.0")
    _add_operations(root, layer)
    contents = _add(root, _WMTS, "Contents")
    _add_layer(contents, layer, raster)
    _add_matrix_set(contents, largest_zoom(raster))
    _add(root, _WMTS, "ServiceMetadataURL").set(f"{{{_XLINK}}}href", layer.address)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def exception_report(error: WmtsError) -> bytes:
    """Return the report of an error (OGC 06-121r3, clause 8)."""
    report = etree.Element(f"{{{_OWS}}}ExceptionReport", nsmap={"ows": _OWS}, version="1.0.0")
    exception = _add(report, _OWS, "Exception")
    exception.set("exceptionCode", error.code)
    if error.locator:
        exception.set("locator", legible(error.locator))
    _add(exception, _OWS, "ExceptionText", legible(error.message))
    return etree.tostring(report, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def shown_bounds(raster: Raster) -> tuple[float, float, float, float]:
    """Return west, south, east and north in degrees, around the world across 180 degrees."""
    west, south, east, north = raster.bounds
    if west > east:
        west, east = -180.0, 180.0
    return west, south, east, north


def largest_zoom(raster: Raster) -> int:
    """Return the last zoom of the map; beyond it clients enlarge tiles themselves."""
    return min(grid.SCALE_SET_ZOOMS - 1, raster.native_zoom)


def _add_operations(root: Element, layer: Layer) -> None:
    """Add how operations are asked for (OGC 06-121r3, clause 7.4.6)."""
    operations = _add(root, _OWS, "OperationsMetadata")
    ways = {
        "GetCapabilities": {KVP: layer.pairs, REST: layer.address},
        "GetTile": {KVP: layer.pairs},
    }
    for name, addresses in ways.items():
        operation = _add(operations, _OWS, "Operation")
        operation.set("name", name)
        http = _add(_add(operation, _OWS, "DCP"), _OWS, "HTTP")
        for encoding, address in addresses.items():
            get = _add(http, _OWS, "Get")
            get.set(f"{{{_XLINK}}}href", address)
            constraint = _add(get, _OWS, "Constraint")
            constraint.set("name", "GetEncoding")
            _add(_add(constraint, _OWS, "AllowedValues"), _OWS, "Value", encoding)


def _add_layer(contents: Element, layer: Layer, raster: Raster) -> None:
    """Add the layer: where it lies, and where its tiles are."""
    shown = _add(contents, _WMTS, "Layer")
    _add(shown, _OWS, "Title", layer.title)
    west, south, east, north = shown_bounds(raster)
    box = _add(shown, _OWS, "WGS84BoundingBox")
    _add(box, _OWS, "LowerCorner", f"{west:.7f} {south:.7f}")
    _add(box, _OWS, "UpperCorner", f"{east:.7f} {north:.7f}")
    _add(shown, _OWS, "Identifier", layer.identifier)
    style = _add(shown, _WMTS, "Style")
    style.set("isDefault", "true")
    _add(style, _OWS, "Identifier", STYLE)
    _add(shown, _WMTS, "Format", FORMAT)
    link = _add(shown, _WMTS, "TileMatrixSetLink")
    _add(link, _WMTS, "TileMatrixSet", MATRIX_SET)
    limits = _add(link, _WMTS, "TileMatrixSetLimits")
    for zoom in range(largest_zoom(raster) + 1):
        _add_limits(limits, raster, zoom)
    resource = _add(shown, _WMTS, "ResourceURL")
    resource.set("format", FORMAT)
    resource.set("resourceType", "tile")
    resource.set("template", layer.template)


def _add_limits(limits: Element, raster: Raster, zoom: int) -> None:
    """Add which tiles of a zoom show something."""
    first, last = grid.tiles_over(raster.box, zoom)
    limit = _add(limits, _WMTS, "TileMatrixLimits")
    _add(limit, _WMTS, "TileMatrix", str(zoom))
    _add(limit, _WMTS, "MinTileRow", str(first.row))
    _add(limit, _WMTS, "MaxTileRow", str(last.row))
    _add(limit, _WMTS, "MinTileCol", str(first.column))
    _add(limit, _WMTS, "MaxTileCol", str(last.column))


def _add_matrix_set(contents: Element, last: int) -> None:
    """Add the grid of web maps (annex E.4); a set may end before its finest scales (clause 6.2)."""
    matrices = _add(contents, _WMTS, "TileMatrixSet")
    _add(matrices, _OWS, "Identifier", MATRIX_SET)
    _add(matrices, _OWS, "SupportedCRS", _CRS)
    _add(matrices, _WMTS, "WellKnownScaleSet", _SCALE_SET)
    for zoom in range(last + 1):
        matrix = _add(matrices, _WMTS, "TileMatrix")
        _add(matrix, _OWS, "Identifier", str(zoom))
        _add(matrix, _WMTS, "ScaleDenominator", repr(grid.scale_denominator(zoom)))
        _add(matrix, _WMTS, "TopLeftCorner", f"{-grid.HALF_SIDE!r} {grid.HALF_SIDE!r}")
        for name, number in (
            ("TileWidth", grid.TILE_SIDE),
            ("TileHeight", grid.TILE_SIDE),
            ("MatrixWidth", 1 << zoom),
            ("MatrixHeight", 1 << zoom),
        ):
            _add(matrix, _WMTS, name, str(number))


def _add(parent: Element, namespace: str, name: str, text: str | None = None) -> Element:
    """Add an element, and return it."""
    child = etree.SubElement(parent, f"{{{namespace}}}{name}")
    child.text = text
    return child
