"""The static STAC catalogue on disk: a document in each folder, rendered from what lies there.

``catalog.json`` at the root, ``collection.json`` in the folder of a collection and ``catalog.json``
in each folder below. All links are relative: the folder can be moved, mounted or served anywhere.
A document depends on what is published and on nothing else; it is replaced in one step.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from peps_wps.datalake.parameters import ORTHO
from peps_wps.writers.json_document import write_json
from peps_wps.writers.stac import LICENCE, VERSION, instant_text
from storage.datalake import HIDDEN, is_item_name
from storage.held_file import open_held

Json = dict[str, Any]

ROOT_ID = "datalake"
CATALOG, COLLECTION = "catalog.json", "collection.json"
_LOCK = ".catalogue.lock"
_JSON, _GEOJSON = "application/json", "application/geo+json"
_BBOX, _INTERVAL, _PARAMETERS = "peps:bbox", "peps:interval", "peps:parameters"
_SERIES = "Sentinel-1 on the tiles of Sentinel-2: calibrated, orthorectified, filtered."
_WORLD = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True)
class _Contents:
    """What the products below a folder have in common.

    Parameters
    ----------
    bbox
        West, south, east, north, degrees.
    interval
        First and last instant, UTC.
    parameters
        Of the processing, where the items say it.
    """

    bbox: tuple[float, float, float, float]
    interval: tuple[datetime, datetime]
    parameters: Json | None

    def to_json(self) -> Json:
        document: Json = {
            _BBOX: list(self.bbox),
            _INTERVAL: [instant_text(instant) for instant in self.interval],
        }
        return document if self.parameters is None else {**document, _PARAMETERS: self.parameters}


def linked(item: Json, folder: str) -> Json:
    """Return an item with the links of its place in the catalogue.

    Parameters
    ----------
    item
        What a chain says of its product.
    folder
        Where it lies, below the root; the first part is its collection.
    """
    depth = len(PurePosixPath(folder).parts)
    collection = f"{'../' * (depth - 1) or './'}{COLLECTION}"
    ours = [
        _link("root", f"{'../' * depth}{CATALOG}", _JSON),
        _link("parent", f"./{CATALOG}" if depth > 1 else collection, _JSON),
        _link("collection", collection, _JSON),
    ]
    rels = {link["rel"] for link in ours}
    others = [link for link in item.get("links", []) if link["rel"] not in rels]
    name = PurePosixPath(folder).parts[0]
    return {**item, "collection": name, "links": [*ours, *others]}


def update(root: Path, folder: str) -> None:
    """Render the documents of a folder and of all above it, one process at a time.

    Parameters
    ----------
    root
        Of the datalake.
    folder
        Below the root: where an item has appeared or gone.
    """
    places = [PurePosixPath(folder), *PurePosixPath(folder).parents]
    with open_held(root / _LOCK):
        for place in places:
            path = root / place / document_name(place)
            document = _rendered(root, place)
            if document is None:
                path.unlink(missing_ok=True)
            elif _read(path) != document:
                write_json(path, document)


def document_name(place: PurePosixPath) -> str:
    """Return the name of the document of a folder."""
    return COLLECTION if len(place.parts) == 1 else CATALOG


def _rendered(root: Path, place: PurePosixPath) -> Json | None:
    """Return the document of a folder, None if nothing is published in it."""
    children, items = _children(root, place), _items(root / place)
    documents = [*children.values(), *items.values()]
    if not documents:
        return None
    links = [
        *_upward(place),
        *(_link("child", f"./{name}", _JSON) for name in children),
        *(_link("item", f"./{name}", _GEOJSON) for name in items),
    ]
    if not place.parts:
        return {
            **_head("Catalog", ROOT_ID, "Datalake", "Results published to stay."),
            "links": links,
        }
    contents = _united([_contents(document) for document in documents])
    if len(place.parts) == 1:
        return _collection(place.name, contents, links)
    title = "-".join(place.parts)
    described = f"What is published in {place}."
    head = _head("Catalog", title, place.name, described)
    return {**head, **contents.to_json(), "links": links}


def _collection(name: str, contents: _Contents, links: Sequence[Json]) -> Json:
    start, end = (instant_text(instant) for instant in contents.interval)
    is_ortho = name.startswith(ORTHO)
    return {
        **_head("Collection", name, name, _SERIES if is_ortho else f"Results of {name}."),
        "license": "other",
        "extent": {
            "spatial": {"bbox": [list(contents.bbox)]},
            "temporal": {"interval": [[start, end]]},
        },
        **contents.to_json(),
        "links": [*links, _link("license", LICENCE, "text/html")],
    }


def _head(kind: str, identifier: str, title: str, description: str) -> Json:
    return {
        "type": kind,
        "stac_version": VERSION,
        "id": identifier,
        "title": title,
        "description": description,
    }


def _upward(place: PurePosixPath) -> list[Json]:
    """Return the links of a folder's document to those above."""
    if not place.parts:
        return [_link("root", f"./{CATALOG}", _JSON)]
    parent = document_name(place.parent)
    return [
        _link("root", f"{'../' * len(place.parts)}{CATALOG}", _JSON),
        _link("parent", f"../{parent}", _JSON),
    ]


def _children(root: Path, place: PurePosixPath) -> dict[str, Json]:
    """Return the documents of the folders in a folder, by their relative address."""
    found = {}
    for folder in sorted((root / place).glob("*/")):
        if not folder.name.startswith(HIDDEN):
            name = document_name(place / folder.name)
            document = _read(folder / name)
            if document is not None:
                found[f"{folder.name}/{name}"] = document
    return found


def _items(folder: Path) -> dict[str, Json]:
    """Return the items in a folder, by their names."""
    names = sorted(path.name for path in folder.glob("*.json") if is_item_name(path.name))
    read = {name: _read(folder / name) for name in names}
    return {name: document for name, document in read.items() if document is not None}


def _contents(document: Json) -> _Contents:
    """Return what a document says of what it holds."""
    if document["type"] != "Feature":
        start, end = (datetime.fromisoformat(text) for text in document[_INTERVAL])
        west, south, east, north = document[_BBOX]
        return _Contents((west, south, east, north), (start, end), document.get(_PARAMETERS))
    said = document["properties"]
    start = said.get("start_datetime") or said["datetime"]
    end = said.get("end_datetime") or said["datetime"]
    west, south, east, north = document["bbox"]
    return _Contents(
        (west, south, east, north),
        (datetime.fromisoformat(start), datetime.fromisoformat(end)),
        said.get(_PARAMETERS),
    )


def _united(parts: Iterable[_Contents]) -> _Contents:
    """Return what holds for several parts."""
    listed = list(parts)
    wests, souths, easts, norths = zip(*(part.bbox for part in listed), strict=True)
    # One that crosses the antimeridian: all longitudes, rather than those that are not meant.
    is_crossing = any(west > east for west, east in zip(wests, easts, strict=True))
    return _Contents(
        (
            _WORLD[0] if is_crossing else min(wests),
            min(souths),
            _WORLD[2] if is_crossing else max(easts),
            max(norths),
        ),
        (min(part.interval[0] for part in listed), max(part.interval[1] for part in listed)),
        next((part.parameters for part in listed if part.parameters is not None), None),
    )


def _link(relation: str, href: str, media_type: str) -> Json:
    return {"rel": relation, "href": href, "type": media_type}


def _read(path: Path) -> Json | None:
    """Return a document, None where there is none."""
    try:
        document: Json = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return document
