"""``/tiles``: published rasters as maps, in square tiles that any map client shows.

A raster is named by its path with ``~`` for each slash, below the results of a job or below the
datalake; the members of a result's zip are paths below it.
"""

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from werkzeug import Request, Response
from werkzeug.routing import Rule

from peps_wps.links import TILES_PATH, Links
from peps_wps.services import Services
from peps_wps.tiles import wmts
from peps_wps.tiles.errors import NoSuchMemberError, NotACogError, ReplacedError, TileError
from peps_wps.tiles.grid import LARGEST_ZOOM, TILE_SIDE, Tile
from peps_wps.tiles.picture import MIME_TYPES, VERSION, PictureFormat, render
from peps_wps.tiles.raster import Identity
from peps_wps.tiles.style import PARAMETERS, Style
from peps_wps.web.json_answer import json_answer
from peps_wps.web.ogcapi.errors import problem_of
from peps_wps.web.problem import ProblemError
from peps_wps.web.tile_sources import job_of, rasters_of, source_of

_TILE_NAME = re.compile(r"(\d{1,8})(@2x)?\.(png|webp)", re.ASCII)
_NUMBER = re.compile(r"\d{1,8}", re.ASCII)
# A result is what it is until it goes; a browser that looks again after this hears that it went.
_KEPT_S = 3600
_STATUS: dict[type[TileError], int] = {
    NoSuchMemberError: 404,
    NotACogError: 400,
    ReplacedError: 503,
}
_CAPABILITIES = "WMTSCapabilities.xml"
PAIRS = "wmts"  # the address for key-value pairs, below that of the map
# What clients add to any address of capabilities.
_OPERATION = "GetCapabilities"
_KVP = (
    "service",
    "request",
    "version",
    "acceptversions",
    "sections",
    "updatesequence",
    "acceptformats",
)


class Target(NamedTuple):
    """A tile as its address says it."""

    tile: Tile
    side: int
    form: PictureFormat


def rules() -> list[Rule]:
    """Return the addresses of this module."""
    endpoints: list[tuple[str, Callable[..., Response]]] = [
        ("/<job_id>", maps),
        ("/<result>/tilejson.json", tilejson),
        ("/<result>/WMTSCapabilities.xml", capabilities),
        ("/<result>/<zoom>/<column>/<name>", tile),
    ]
    return [
        Rule(TILES_PATH + path, endpoint=guarded(endpoint), methods=["GET"])
        for path, endpoint in endpoints
    ]


def maps(request: Request, services: Services, job_id: str) -> Response:
    """Return the rasters of a job that can be shown as maps."""
    job = job_of(request, services, job_id)
    addresses = Links.of(services.config, request)
    found = []
    for name in rasters_of(services, job):
        address = addresses.map(f"{job.id}/{name}")
        links = {"tilejson": f"{address}/tilejson.json", "wmts": f"{address}/{_CAPABILITIES}"}
        found.append({"name": name, **links})
    return _kept(json_answer({"maps": found}), services)


def tilejson(request: Request, services: Services, result: str) -> Response:
    """Return a description of a map (TileJSON 3.0.0)."""
    style = Style.of(request.args.to_dict(flat=False))
    raster = services.rasters.raster(source_of(request, services, result))
    west, south, east, north = wmts.shown_bounds(raster)
    document = {
        "tilejson": "3.0.0",
        "name": raster.identity.source.name,
        "tiles": [_template(request, services, result, "{z}/{x}/{y}")],
        "scheme": "xyz",
        "minzoom": 0,
        "maxzoom": wmts.largest_zoom(raster),
        "bounds": [west, south, east, north],
        "center": [(west + east) / 2, (south + north) / 2, max(0, raster.native_zoom - 3)],
    }
    style.suited(raster)
    return _kept(json_answer(document), services)


def capabilities(request: Request, services: Services, result: str) -> Response:
    """Return the capabilities of the WMTS of a map."""
    asked = {name.lower(): value for name, value in request.args.items()}
    if asked.get("request", _OPERATION) != _OPERATION:
        raise ProblemError(400, f"request is none of {_OPERATION}: tiles have addresses here")
    given = request.args.to_dict(flat=False)
    style = Style.of({name: given[name] for name in given if name.lower() not in _KVP})
    return capabilities_answer(request, services, result, style)


def capabilities_answer(
    request: Request, services: Services, result: str, style: Style
) -> Response:
    """Return the capabilities of the WMTS of a map in a style."""
    raster = services.rasters.raster(source_of(request, services, result))
    style.suited(raster)
    address, query = Links.of(services.config, request).map(result), _query(request)
    layer = wmts.Layer(
        identifier=result,
        title=raster.identity.source.name,
        template=_template(request, services, result, "{TileMatrix}/{TileCol}/{TileRow}"),
        address=f"{address}/{_CAPABILITIES}{query}",
        pairs=f"{address}/{PAIRS}{f'{query}&' if query else '?'}",
    )
    return _kept(Response(wmts.capabilities(layer, raster), mimetype=wmts.MIME_TYPE), services)


def tile(
    request: Request, services: Services, result: str, zoom: str, column: str, name: str
) -> Response:
    """Return a tile by its address."""
    target = _target(zoom, column, name)
    return tile_answer(
        request, services, result, target, Style.of(request.args.to_dict(flat=False))
    )


def tile_answer(
    request: Request, services: Services, result: str, target: Target, style: Style
) -> Response:
    """Return a tile, or that the client's is still right."""
    source = source_of(request, services, result)
    tag = _tag(Identity.of(source), target, style)
    answer = Response(status=304)
    if not request.if_none_match.contains_weak(tag):
        raster = services.rasters.raster(source)
        tag = _tag(raster.identity, target, style)
        content = render(
            services.rasters, raster, target.tile, style, side=target.side, form=target.form
        )
        answer = Response(content, content_type=MIME_TYPES[target.form])
    answer.set_etag(tag)
    return _kept(answer, services)


def guarded(endpoint: Callable[..., Response]) -> Callable[..., Response]:
    """Return an endpoint whose errors leave as problems."""

    def answer(request: Request, services: Services, **arguments: str) -> Response:
        try:
            return endpoint(request, services, **arguments)
        except TileError as error:
            raise ProblemError(_STATUS[type(error)], str(error)) from error
        except FileNotFoundError as error:
            raise ProblemError(404, "there is no such file") from error
        except Exception as error:
            if (problem := problem_of(error)) is not None:
                raise problem from error
            raise

    return answer


def _target(zoom: str, column: str, name: str) -> Target:
    """Return which tile an address names.

    Raises
    ------
    ProblemError
        404 when the grid has none there.
    """
    found = _TILE_NAME.fullmatch(name)
    if found is None or not _NUMBER.fullmatch(zoom) or not _NUMBER.fullmatch(column):
        raise ProblemError(404, "expected /tiles/{result}/{z}/{x}/{y}.png, @2x.png or .webp")
    wanted = Tile(int(zoom), int(column), int(found[1]))
    if not wanted.exists:
        detail = f"there is no tile {wanted.zoom}/{wanted.column}/{wanted.row}: zooms are 0 to "
        raise ProblemError(404, f"{detail}{LARGEST_ZOOM}, columns and rows below 2**zoom")
    form: PictureFormat = "png" if found[3] == "png" else "webp"
    return Target(wanted, TILE_SIDE * (2 if found[2] else 1), form)


def _tag(identity: Identity, target: Target, style: Style) -> str:
    """Return what changes whenever the bytes of a tile do."""
    said = repr((VERSION, identity, target, style))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _template(request: Request, services: Services, result: str, position: str) -> str:
    """Return the address of any tile of a map, in the style that was asked for."""
    address = Links.of(services.config, request).map(result)
    return f"{address}/{position}.png{_query(request)}"


def _query(request: Request) -> str:
    """Return the style of a request as its query, with no comma: GDAL ends an address there."""
    given = [(name, value) for name, value in request.args.items(multi=True) if name in PARAMETERS]
    return f"?{urlencode(given)}" if given else ""


def _kept(answer: Response, services: Services) -> Response:
    """Return an answer that clients keep for a while; others than they only if it is for all."""
    is_for_all = services.access.links_are_public and services.config.datalake.access != "users"
    scope = "public" if is_for_all else "private"
    answer.headers["Cache-Control"] = f"{scope}, max-age={_KEPT_S}"
    return answer
