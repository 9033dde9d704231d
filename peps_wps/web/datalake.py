"""``/datalake/``: published results, to be browsed, polled, read in part and fetched.

Folders answer as Apache's index does, or in JSON; files with ranges, validators and their digest.
"""

import base64
import mimetypes
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from werkzeug import Request, Response
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule
from werkzeug.utils import redirect

from catalog_db import times
from peps_wps.datalake.lake import Lake
from peps_wps.datalake.view import DatalakeView
from peps_wps.errors import InvalidInputError
from peps_wps.file_response import FileFacts, file_response
from peps_wps.links import Links
from peps_wps.services import Services
from peps_wps.web.datalake_listing import Order, document, page
from peps_wps.web.json_answer import JSON, json_answer
from peps_wps.writers.stac import COG
from storage.datalake import is_item_name
from storage.datalake_journal import Entry

ADDRESS = "/datalake/"
_HTML = "text/html"
_GEOJSON = "application/geo+json"
_MOST, _USUAL = 10_000, 1_000


def rules() -> list[Rule]:
    """Return the addresses of this module."""
    return [
        # As Apache moves those who leave out the last slash: not all clients know status 308.
        Rule(ADDRESS.rstrip("/"), endpoint=entrance, methods=["GET"]),
        Rule(ADDRESS, endpoint=answer, defaults={"path": ""}, methods=["GET"]),
        Rule(f"{ADDRESS}<path:path>", endpoint=answer, methods=["GET"], strict_slashes=True),
    ]


def entrance(_request: Request, _services: Services) -> Response:
    """Lead to the index of the root."""
    return redirect(ADDRESS, 301)


def answer(request: Request, services: Services, path: str) -> Response:
    """Answer with a file or the index of a folder.

    Parameters
    ----------
    request
        GET or HEAD. Of a folder, ``C`` and ``O`` sort it, ``format`` is html or json, and ``since``
        asks for what was published below it later.
    services
        Configuration and rights.
    path
        Below the root of the datalake.

    Raises
    ------
    UnauthorizedError
        When the datalake is for users and nobody says who asks.
    NotFound
        When there is nothing to see.
    """
    check_read(request, services)
    lake = Lake(services.config.datalake.path)
    view = DatalakeView(lake)
    relative = path.rstrip("/")
    place = view.locate(relative)
    is_root = not relative
    if place is None and not is_root:
        raise NotFound
    if place is not None and place.is_file():
        if path != relative:
            raise NotFound
        return _file(request, view, place)
    if path == relative and not is_root:
        query = request.query_string.decode("latin-1")
        target = f"{ADDRESS}{quote(path)}/" + (f"?{query}" if query else "")
        return redirect(target, 301)
    if "since" in request.args:
        return _news(request, services, lake, relative)
    return _index(request, services, view, relative, place)


def check_read(request: Request, services: Services) -> None:
    """Refuse what is published to who may not read it.

    Raises
    ------
    UnauthorizedError
        When the datalake is for users and nobody says who asks.
    """
    if services.config.datalake.access == "users":
        services.access.check_download(services.access.caller(request))


def _file(request: Request, view: DatalakeView, path: Path) -> Response:
    try:
        stream, seen = view.open(path)
    except FileNotFoundError as error:
        raise NotFound from error
    stamp = f"{int(seen.modified.timestamp() * 1e6):x}-{seen.size_bytes:x}"
    facts = FileFacts(
        size_bytes=seen.size_bytes,
        etag=seen.sha256 or stamp,
        modified=seen.modified,
        content_type=_content_type(path.name),
    )
    response = file_response(request, stream, facts)
    if seen.sha256 is not None:
        digest = base64.b64encode(bytes.fromhex(seen.sha256)).decode("ascii")
        response.headers["Repr-Digest"] = f"sha-256=:{digest}:"  # RFC 9530
    return response


def _content_type(name: str) -> str:
    if name.endswith(".tif"):
        return COG
    if name.endswith(".json"):
        return _GEOJSON if is_item_name(name) else JSON
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _index(
    request: Request, services: Services, view: DatalakeView, relative: str, place: Path | None
) -> Response:
    """Answer with the index of a folder in the form that is asked for."""
    address = f"{ADDRESS}{relative}/" if relative else ADDRESS
    order = Order.of(request.query_string.decode("latin-1"))
    is_json = _wants_json(request)
    seen = [] if place is None else list(view.entries(place, with_digests=is_json))
    if is_json:
        links, below = Links.of(services.config, request), f"{relative}/" if relative else ""
        answered = json_answer(document(address, seen, order, lambda name: links.map(below + name)))
    else:
        text = page(address, seen, order)
        answered = Response(text, content_type=f"{_HTML}; charset=utf-8")
    answered.headers["Vary"] = "Accept"
    return answered


def _wants_json(request: Request) -> bool:
    """Tell whether JSON is asked for, by `format` or, without it, by Accept."""
    asked = request.args.get("format")
    if asked not in (None, "html", "json"):
        raise InvalidInputError("format", f"format is {asked}, expected html or json")
    if asked is not None:
        return asked == "json"
    return request.accept_mimetypes.best_match([_HTML, JSON], default=_HTML) == JSON


def _news(request: Request, services: Services, lake: Lake, relative: str) -> Response:
    """Answer with what was published or removed below a folder since an instant, oldest first.

    ``until`` of the answer is the ``since`` of the next question: nothing is missed between them.
    """
    since = _instant(request.args["since"])
    most = _number(request.args.get("limit"))
    below = f"{relative}/" if relative else ""
    entries = (entry for entry in lake.journal.since(since) if entry.path.startswith(below))
    page_entries = list(islice(entries, most + 1))
    is_last = len(page_entries) <= most
    page_entries = page_entries[:most]
    root = Links.of(services.config, request).base + ADDRESS
    until = times.to_text(page_entries[-1].at if page_entries else since, "microseconds")
    answered: dict[str, Any] = {
        "since": times.to_text(since, "microseconds"),
        "until": until,
        "products": [_told(entry, lake, root) for entry in page_entries],
    }
    if not is_last:
        place = quote(below)
        answered["next"] = f"{root}{place}?since={until}&limit={most}"
    return json_answer(answered)


def _told(entry: Entry, lake: Lake, root: str) -> dict[str, Any]:
    """Return what is said of one product; its files, if it is still as it was published."""
    said: dict[str, Any] = {
        "event": "removed" if entry.size_bytes is None else "published",
        "at": times.to_text(entry.at, "microseconds"),
        "path": entry.path,
        "href": root + quote(entry.path),
    }
    product = None if entry.size_bytes is None else lake.files.product(entry.path)
    if product is None:
        return said
    folder = root + quote(product.folder)
    files = [
        {
            "href": f"{folder}/{quote(name)}",
            "size": asset.get("file:size"),
            "checksum": asset.get("file:checksum"),
        }
        for name, asset in product.files.items()
    ]
    return {**said, "files": files}


def _instant(text: str) -> datetime:
    """Return an instant; a day begins at midnight UTC, and a plus may have come as a space."""
    try:
        instant = datetime.fromisoformat(text.replace(" ", "+"))
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        message = f"since is {text}, expected an instant such as 2018-07-20T06:00:00Z"
        raise InvalidInputError("since", message) from error


def _number(text: str | None) -> int:
    if text is None:
        return _USUAL
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _MOST):
        raise InvalidInputError("limit", f"limit is {text}, expected 1 to {_MOST}")
    return int(text)
