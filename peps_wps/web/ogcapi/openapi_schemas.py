"""Schemas of the OpenAPI document: what this API takes and gives, as OGC 18-062r2 names it."""

from typing import Any

from peps_wps.web.ogcapi.status import STATUSES

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_INSTANT: Json = {"type": "string", "format": "date-time"}
_ADDRESS: Json = {"type": "string", "format": "uri"}


def reference(name: str) -> Json:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: tuple[str, ...] = (), **properties: Json) -> Json:
    schema: Json = {"type": "object", "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _list(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def _map(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}


def _enumeration(*words: str) -> Json:
    return {"type": "string", "enum": list(words)}


_LINKS = _list(reference("link"))
_MODE = _enumeration("value", "reference")
_SUMMARY = {
    "id": _TEXT,
    "version": _TEXT,
    "title": _TEXT,
    "description": _TEXT,
    "keywords": _list(_TEXT),
    "jobControlOptions": _list(_enumeration("sync-execute", "async-execute", "dismiss")),
    "outputTransmission": _list(_MODE),
    "links": _LINKS,
}
# A JSON Schema, as OpenAPI 3.0 has it.
_SCHEMA: Json = {"type": "object", "additionalProperties": True}

SCHEMAS: dict[str, Json] = {
    "link": _object(("href",), href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT),
    "landingPage": _object(("links",), title=_TEXT, description=_TEXT, links=_LINKS),
    "confClasses": _object(("conformsTo",), conformsTo=_list(_TEXT)),
    "processSummary": _object(("id", "version", "jobControlOptions"), **_SUMMARY),
    "processList": _object(
        ("processes", "links"), processes=_list(reference("processSummary")), links=_LINKS
    ),
    "process": _object(
        ("id", "version", "inputs", "outputs"),
        **_SUMMARY,
        inputs=_map(reference("inputDescription")),
        outputs=_map(reference("outputDescription")),
    ),
    "inputDescription": _object(
        ("schema",),
        title=_TEXT,
        description=_TEXT,
        keywords=_list(_TEXT),
        minOccurs={"type": "integer", "minimum": 0},
        maxOccurs={"type": "integer", "minimum": 1},
        schema=_SCHEMA,
    ),
    "outputDescription": _object(
        ("schema",), title=_TEXT, description=_TEXT, keywords=_list(_TEXT), schema=_SCHEMA
    ),
    "execute": {
        **_object(
            inputs=_map(reference("input")),
            outputs=_map(reference("output")),
            response=_enumeration("raw", "document"),
        ),
        "additionalProperties": False,
    },
    "input": {
        "description": "A value, or a list of values where the input may be given several times.",
        "anyOf": [reference("inputValue"), _list(reference("inputValue"))],
    },
    "inputValue": {
        "anyOf": [
            _TEXT,
            {"type": "number"},
            {"type": "boolean"},
            reference("bbox"),
            reference("qualifiedValue"),
            reference("inputReference"),
        ]
    },
    "bbox": _object(
        ("bbox",), bbox=_list({"type": "number"}, minItems=4, maxItems=6), crs=_ADDRESS
    ),
    "qualifiedValue": _object(
        ("value",),
        value={"description": "The content: text, a number, an object, or base64."},
        mediaType=_TEXT,
        encoding=_enumeration("base64", "utf-8"),
        format=reference("format"),
    ),
    "inputReference": _object(("href",), href=_ADDRESS, type=_TEXT, format=reference("format")),
    "format": _object(mediaType=_TEXT, encoding=_TEXT, schema={}),
    "output": _object(transmissionMode=_MODE, format=reference("format")),
    "statusInfo": _object(
        ("jobID", "processID", "type", "status"),
        jobID={"type": "string", "format": "uuid"},
        processID=_TEXT,
        type=_enumeration("process"),
        status=_enumeration(*STATUSES),
        message=_TEXT,
        created=_INSTANT,
        started=_INSTANT,
        finished=_INSTANT,
        updated=_INSTANT,
        expectedStart=_INSTANT,
        expectedFinish=_INSTANT,
        queuePosition={"type": "integer", "minimum": 1},
        progress={"type": "integer", "minimum": 0, "maximum": 100},
        links=_LINKS,
    ),
    "jobList": _object(
        ("jobs", "links"),
        jobs=_list(reference("statusInfo")),
        links=_LINKS,
        numberMatched={"type": "integer", "minimum": 0},
    ),
    "results": {
        **_map(reference("resultValue")),
        "description": "Each output by its identifier.",
    },
    "resultValue": {
        "anyOf": [
            _TEXT,
            {"type": "number"},
            {"type": "boolean"},
            _object(("value", "mediaType"), value={}, mediaType=_TEXT, encoding=_TEXT),
            reference("link"),
        ]
    },
    "exception": _object(
        ("type", "title", "status", "detail"),
        type=_TEXT,
        title=_TEXT,
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail=_TEXT,
        locator={"type": "string", "description": "The parameter, input or output it is about."},
    ),
}
