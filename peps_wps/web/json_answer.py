"""JSON answers written fast: documents by orjson, footprints by GEOS."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry
from werkzeug import Response

JSON = "application/json"


def json_answer(
    document: Mapping[str, Any] | Sequence[Any],
    content_type: str = JSON,
    *,
    is_pretty: bool = False,
) -> Response:
    """Return a document as the answer to a request; indented where a person is to read it."""
    option = orjson.OPT_INDENT_2 if is_pretty else 0
    return Response(orjson.dumps(document, option=option), content_type=content_type)


def geometries(footprints: Sequence[BaseGeometry]) -> list[orjson.Fragment]:
    """Return footprints as GeoJSON geometries, to stand in a document as they are.

    All at once and written by GEOS: ten times faster than through Python objects.
    """
    return [orjson.Fragment(text) for text in shapely.to_geojson(list(footprints))]
