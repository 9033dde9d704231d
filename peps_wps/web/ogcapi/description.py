"""Process descriptions: the inputs and outputs that PyWPS describes, as JSON Schema.

The schemas are those of OpenAPI 3.0, which OGC 18-062r2 (clause 8) takes.
"""

from typing import Any

from pywps import LiteralInput, LiteralOutput
from pywps.inout.literaltypes import AllowedValue
from pywps.validator.allowed_value import ALLOWEDVALUETYPE, RANGECLOSURETYPE

from peps_wps.ordering.boxes import CRS84, BoxInput, BoxOutput
from peps_wps.ordering.process import ChainProcess
from peps_wps.web.ogcapi.addresses import JSON, Addresses, Json
from peps_wps.web.ogcapi.catalogue import summary

_TYPES: dict[str, Json] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "nonNegativeInteger": {"type": "integer", "minimum": 0},
    "positiveInteger": {"type": "integer", "minimum": 1},
    "float": {"type": "number", "format": "double"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "dateTime": {"type": "string", "format": "date-time"},
    "anyURI": {"type": "string", "format": "uri"},
}
_BOX: Json = {
    "type": "object",
    "format": "ogc-bbox",
    "required": ["bbox"],
    "properties": {
        "bbox": {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}},
        "crs": {"type": "string", "format": "uri", "default": CRS84},
    },
}


def description(process: ChainProcess, addresses: Addresses) -> Json:
    """Return the description of a process (``process.yaml``)."""
    return {
        **summary(process, addresses),
        "inputs": {one.identifier: _input(one) for one in process.inputs},
        "outputs": {one.identifier: _output(one) for one in process.outputs},
    }


def is_textual(media_type: str) -> bool:
    """Tell whether content of a media type is text that JSON can carry as it is."""
    return media_type.startswith("text/") or media_type.endswith(("json", "xml"))


def _input(one: Any) -> Json:
    if isinstance(one, BoxInput):
        schema = _BOX
    else:
        schema = _literal(one) if isinstance(one, LiteralInput) else _complex(one)
    if one.max_occurs > 1:
        schema = _repeated(schema, one)
    return {
        **_words(one),
        "minOccurs": one.min_occurs,
        "maxOccurs": one.max_occurs,
        "schema": schema,
    }


def _output(one: Any) -> Json:
    if isinstance(one, BoxOutput):
        schema = _BOX
    else:
        schema = _type(one.data_type) if isinstance(one, LiteralOutput) else _complex(one)
    return {**_words(one), "schema": schema}


def _words(one: Any) -> Json:
    words = {"title": one.title or one.identifier, "description": one.abstract or ""}
    return {**words, "keywords": list(one.keywords)} if one.keywords else words


def _repeated(schema: Json, one: Any) -> Json:
    """Return the schema of one value, or of a list of them."""
    items = {name: value for name, value in schema.items() if name != "default"}
    several = {
        "type": "array",
        "items": items,
        "minItems": max(1, one.min_occurs),
        "maxItems": one.max_occurs,
    }
    repeated: Json = {"oneOf": [items, several]} if one.min_occurs < 2 else several
    return {**repeated, "default": schema["default"]} if "default" in schema else repeated


def _type(data_type: str) -> Json:
    return _TYPES.get(data_type, {"type": "string"})


def _literal(one: Any) -> Json:
    """Return type, domain and default of a literal."""
    schema = dict(_type(one.data_type))
    allowed = [value for value in one.allowed_values if isinstance(value, AllowedValue)]
    words = [value.value for value in allowed if value.allowed_type == ALLOWEDVALUETYPE.VALUE]
    ranges = [value for value in allowed if value.allowed_type == ALLOWEDVALUETYPE.RANGE]
    if words and ranges:
        schema = {"oneOf": [{**schema, "enum": words}, *({**schema, **_range(r)} for r in ranges)]}
    elif words:
        schema["enum"] = words
    elif len(ranges) == 1:
        schema |= _range(ranges[0])
    elif ranges:
        schema = {"oneOf": [{**schema, **_range(one)} for one in ranges]}
    default = one._default
    return schema if default is None else {**schema, "default": _typed(one.data_type, default)}


def _range(allowed: AllowedValue) -> Json:
    """Return the bounds of a range, as OpenAPI 3.0 says open and closed ones."""
    bounds: Json = {}
    if allowed.minval is not None:
        bounds["minimum"] = allowed.minval
        if allowed.range_closure in (RANGECLOSURETYPE.OPEN, RANGECLOSURETYPE.OPENCLOSED):
            bounds["exclusiveMinimum"] = True
    if allowed.maxval is not None:
        bounds["maximum"] = allowed.maxval
        if allowed.range_closure in (RANGECLOSURETYPE.OPEN, RANGECLOSURETYPE.CLOSEDOPEN):
            bounds["exclusiveMaximum"] = True
    return bounds


def _typed(data_type: str, value: Any) -> Any:
    """Return a default as JSON says its type; PyWPS takes them as text too."""
    kind = _type(data_type)["type"]
    if kind == "boolean":
        return str(value).lower() in ("true", "1")
    if kind == "integer":
        return int(value)
    return float(value) if kind == "number" else str(value)


def _complex(one: Any) -> Json:
    """Return the formats of a complex input or output."""
    formats = [_format(supported) for supported in one.supported_formats]
    return formats[0] if len(formats) == 1 else {"oneOf": formats}


def _format(supported: Any) -> Json:
    """Return one format; JSON is an object, text is text, anything else base64."""
    media_type = supported.mime_type
    if media_type == JSON or media_type.endswith("+json"):
        return {"type": "object", "contentMediaType": media_type}
    schema = {"type": "string", "contentMediaType": media_type}
    is_text = is_textual(media_type)
    return schema if is_text else {**schema, "format": "byte", "contentEncoding": "base64"}
