"""The same products in pgstac, as STAC items, `grid:code` indexed and no total asked for."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import shapely

from benchmarks.catalogue.generator import Catalogue
from benchmarks.catalogue.measuring import Found
from benchmarks.catalogue.queries import PAGE, Asked

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROPERTIES = {
    "platform": "platform",
    "product_type": "product:type",
    "polarization": "sar:polarization",
    "orbit_direction": "sat:orbit_state",
}
_PATH = "SET search_path = pgstac, public"
_AFTER = (
    "INSERT INTO pgstac.pgstac_settings (name, value) VALUES ('context', 'off') "
    "ON CONFLICT (name) DO UPDATE SET value = 'off'",
    "INSERT INTO pgstac.queryables (name, property_index_type) VALUES ('grid:code', 'BTREE') "
    "ON CONFLICT DO NOTHING",
    "SELECT pgstac.maintain_partitions()",
)


def load(url: str, catalogue: Catalogue, program: Path, folder: Path) -> None:
    """Write items and load them with pypgstac, a program of another environment.

    Parameters
    ----------
    url
        Of an empty database, as libpq has it.
    catalogue
        What to load.
    program
        ``pypgstac``.
    folder
        For the files in between.
    """
    collections, items = folder / "collections.ndjson", folder / "items.ndjson"
    collections.write_text("".join(json.dumps(_collection(name)) + "\n" for name in ("S1", "S2ST")))
    with items.open("w") as file:
        for item in _items(catalogue):
            file.write(json.dumps(item) + "\n")
    for command in (
        ["migrate"],
        ["load", "collections", str(collections), "--method", "insert"],
    ):
        subprocess.run([program, *command, "--dsn", url], check=True)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_PATH)
        connection.execute(
            "UPDATE pgstac.collections SET partition_trunc = 'month' WHERE id IN ('S1', 'S2ST')"
        )
    subprocess.run(
        [program, "load", "items", str(items), "--method", "insert", "--dsn", url], check=True
    )
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (_PATH, *_AFTER):
            connection.execute(statement)
        connection.execute("ANALYZE")
    items.unlink()


def _collection(name: str) -> dict[str, Any]:
    return {
        "type": "Collection", "id": name, "stac_version": "1.0.0", "description": name,
        "license": "proprietary", "links": [],
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]},
                   "temporal": {"interval": [["2014-04-03T00:00:00Z", None]]}},
    }  # fmt: skip


def _items(catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    shapes = [shapely.from_wkb(one) for one in catalogue.placed[1]]
    geometries = [json.loads(shapely.to_geojson(shape)) for shape in shapes]
    number = 0
    for rows in catalogue.rows():
        batch = catalogue.batch(rows, number).columns
        number += len(rows)
        for place, (template, key) in enumerate(
            zip(rows.template.tolist(), rows.kind.tolist(), strict=True)
        ):
            kind = catalogue.kinds[key]
            properties = {
                "datetime": _text(batch["t0_us"][place]),
                "created": _text(batch["published_us"][place]),
                "sat:relative_orbit": batch["relative_orbit"][place],
                **{theirs: getattr(kind, ours) for ours, theirs in _PROPERTIES.items()},
            }
            if batch["mgrs_tile"][place]:
                properties["grid:code"] = f"MGRS-{batch['mgrs_tile'][place]}"
                properties["eo:cloud_cover"] = batch["cloud_cover"][place]
            yield {
                "type": "Feature", "stac_version": "1.0.0", "id": batch["title"][place],
                "collection": kind.collection, "geometry": geometries[template],
                "bbox": list(shapes[template].bounds), "properties": properties, "links": [],
                "assets": {"product": {"href": f"https://example.org/{batch['title'][place]}.zip"}},
            }  # fmt: skip


class PgstacSearch:
    """Searches with the function that stac-fastapi-pgstac calls."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        connection.execute(_PATH)

    def __call__(self, asked: Asked) -> Found:
        """Return the page of a search; pgstac is not asked for a total."""
        (answer,) = self._connection.execute(
            "SELECT search(%s::jsonb)", [json.dumps(_body(asked))]
        ).fetchone() or ({},)
        return tuple(one["id"] for one in answer["features"]), None, False


def _body(asked: Asked) -> dict[str, Any]:
    body: dict[str, Any] = {
        "limit": PAGE,
        "sortby": [{"field": "datetime", "direction": "desc"}],
        "conf": {"context": "off"},
    }
    if "collection" in asked.kind:
        body["collections"] = [asked.kind["collection"]]
    if asked.cut_region is not None:
        body["intersects"] = json.loads(shapely.to_geojson(asked.cut_region))
    if asked.first_us is not None and asked.last_us is not None:
        body["datetime"] = f"{_text(asked.first_us)}/{_text(asked.last_us)}"
    compared = [
        ("=", _PROPERTIES[name], value) for name, value in asked.kind.items() if name in _PROPERTIES
    ]
    if asked.tile is not None:
        compared.append(("=", "grid:code", f"MGRS-{asked.tile}"))
    filters = [
        {"op": operator, "args": [{"property": name}, value]} for operator, name, value in compared
    ]
    if asked.relative_orbit is not None:
        filters.append(
            {"op": "=", "args": [{"property": "sat:relative_orbit"}, asked.relative_orbit]}
        )
    if asked.most_cloud is not None:
        filters.append({"op": "<=", "args": [{"property": "eo:cloud_cover"}, asked.most_cloud]})
    if filters:
        body["filter-lang"] = "cql2-json"
        body["filter"] = {"op": "and", "args": filters}
    return body


def _text(us: int) -> str:
    return (_EPOCH + timedelta(microseconds=us)).isoformat().replace("+00:00", "Z")
