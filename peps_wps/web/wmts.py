"""``/tiles/<raster>/wmts``: the WMTS of one raster asked by key-value pairs.

OGC 07-057r7, clauses 7.1.1.1 and 7.2.1: GetCapabilities and GetTile; names of pairs in any case
(OGC 06-121r3, clause 11.5.2), those that nobody knows are passed over. What is wrong is told as an
exception report.
"""

import re

from werkzeug import Request, Response
from werkzeug.routing import Rule

from peps_wps.links import TILES_PATH
from peps_wps.services import Services
from peps_wps.tiles.errors import WmtsError
from peps_wps.tiles.grid import TILE_SIDE, Tile
from peps_wps.tiles.style import PARAMETERS, Style
from peps_wps.tiles.wmts import (
    FORMAT,
    MATRIX_SET,
    MIME_TYPE,
    STYLE,
    exception_report,
    largest_zoom,
)
from peps_wps.web import tiles
from peps_wps.web.problem import ProblemError
from peps_wps.web.tile_sources import source_of

_SERVICE, _VERSION = "WMTS", "1.0.0"
_NUMBER = re.compile(r"\d{1,8}", re.ASCII)
_WRONG = "InvalidParameterValue"
# Clause 7.1.4 and 7.2.4: what is not offered; anything else that a client does wrong is 400.
_STATUS = {"OperationNotSupported": 501}


def rules() -> list[Rule]:
    """Return the addresses of this module."""
    path = f"{TILES_PATH}/<result>/{tiles.PAIRS}"
    return [Rule(path, endpoint=pairs, methods=["GET"])]


def pairs(request: Request, services: Services, result: str) -> Response:
    """Answer an operation."""
    try:
        return tiles.guarded(_answer)(request, services, result=result)
    except WmtsError as error:
        return _report(error, _STATUS.get(error.code, 400))
    except ProblemError as problem:
        code = _WRONG if problem.locator else "NoApplicableCode"
        return _report(WmtsError(code, problem.locator, problem.detail), problem.status)


def _report(error: WmtsError, status: int) -> Response:
    answer = Response(exception_report(error), status, mimetype=MIME_TYPE)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _answer(request: Request, services: Services, result: str) -> Response:
    asked = {name.lower(): value for name, value in request.args.items()}
    _expect(asked, "service", _SERVICE)
    match _given(asked, "request"):
        case "GetCapabilities":
            accepted = (asked.get("acceptversions") or _VERSION).split(",")
            if _VERSION not in accepted:
                raise WmtsError("VersionNegotiationFailed", "", f"expected version {_VERSION}")
            return tiles.capabilities_answer(request, services, result, _style(request))
        case "GetTile":
            return _tile(asked, request, services, result)
        case other:
            message = f"{other} is not offered: expected GetCapabilities or GetTile"
            raise WmtsError("OperationNotSupported", other, message)


def _tile(asked: dict[str, str], request: Request, services: Services, result: str) -> Response:
    """Return a tile."""
    wanted = {"version": _VERSION, "layer": result, "format": FORMAT, "tilematrixset": MATRIX_SET}
    for name, value in wanted.items():
        _expect(asked, name, value)
    if asked.get("style"):
        _expect(asked, "style", STYLE)
    raster = services.rasters.raster(source_of(request, services, result))
    last = largest_zoom(raster)
    zoom = _whole(asked, "tilematrix")
    if zoom > last:
        raise WmtsError(_WRONG, "tilematrix", f"tilematrix is {zoom}, expected 0 to {last}")
    column, row = _whole(asked, "tilecol"), _whole(asked, "tilerow")
    for name, number in (("tilecol", column), ("tilerow", row)):
        if number >= 1 << zoom:
            message = f"{name} is {number}, expected 0 to {(1 << zoom) - 1}"
            raise WmtsError("TileOutOfRange", name, message)
    target = tiles.Target(Tile(zoom, column, row), TILE_SIDE, "png")
    return tiles.tile_answer(request, services, result, target, _style(request))


def _style(request: Request) -> Style:
    """Return the style of a request: parameters of ours beside the pairs of WMTS."""
    given = request.args.to_dict(flat=False)
    return Style.of({name: given[name] for name in given if name in PARAMETERS})


def _given(asked: dict[str, str], name: str) -> str:
    if not asked.get(name):
        raise WmtsError("MissingParameterValue", name, f"{name} is missing")
    return asked[name]


def _expect(asked: dict[str, str], name: str, value: str) -> None:
    found = _given(asked, name)
    if found != value:
        raise WmtsError(_WRONG, name, f"{name} is {found}, expected {value}")


def _whole(asked: dict[str, str], name: str) -> int:
    text = _given(asked, name)
    if not _NUMBER.fullmatch(text):
        raise WmtsError(_WRONG, name, f"{name} is {text}, expected a whole number")
    return int(text)
