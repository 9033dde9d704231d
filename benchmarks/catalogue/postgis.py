"""The same products in PostGIS: GiST(geom, t0), GiST(geom) and the usual B-trees.

The total is what resto 2 answered: the planner's estimate, a count where that is small.
"""

import json
from typing import Any

import numpy as np
import psycopg
import shapely

from benchmarks.catalogue.generator import Catalogue
from benchmarks.catalogue.measuring import Found
from benchmarks.catalogue.queries import PAGE, Asked

# Where the estimate is below, the products are counted.
_COUNTED_BELOW = 1000
_COLUMNS = (
    "pk bigint", "title text", "collection text", "platform text", "product_type text",
    "sensor_mode text", "polarization text", "orbit_direction text", "orbit_number int",
    "relative_orbit int", "mgrs_tile text", "cloud_cover real", "size_bytes bigint",
    "t0_us bigint", "t1_us bigint", "published_us bigint", "geom geometry(Geometry, 4326)",
)  # fmt: skip
_INDEXES = (
    "CREATE INDEX ON peer USING gist (geom, t0_us)",
    "CREATE INDEX ON peer USING gist (geom)",
    "CREATE INDEX ON peer (t0_us, pk)",
    "CREATE INDEX ON peer (mgrs_tile, t0_us)",
    "CREATE UNIQUE INDEX ON peer (pk)",
)


def load(connection: psycopg.Connection[Any], catalogue: Catalogue) -> None:
    """Copy all products, then make the indexes."""
    for statement in (
        "CREATE EXTENSION IF NOT EXISTS postgis",
        "CREATE EXTENSION IF NOT EXISTS btree_gist",
        "DROP TABLE IF EXISTS peer",
        f"CREATE TABLE peer ({', '.join(_COLUMNS)})",
    ):
        connection.execute(statement)
    number = 0
    hexed = [shapely.set_srid(shapely.from_wkb(one), 4326) for one in catalogue.placed[1]]
    written = shapely.to_wkb(np.array(hexed), hex=True, include_srid=True).tolist()
    for rows in catalogue.rows():
        batch = catalogue.batch(rows, number).columns
        kinds = [catalogue.kinds[kind] for kind in rows.kind.tolist()]
        columns = [
            range(number + 1, number + 1 + len(rows)), batch["title"],
            *([getattr(kind, name) for kind in kinds] for name in (
                "collection", "platform", "product_type", "sensor_mode", "polarization",
                "orbit_direction",
            )),
            batch["orbit_number"], batch["relative_orbit"], batch["mgrs_tile"],
            batch["cloud_cover"], batch["size_bytes"], batch["t0_us"], batch["t1_us"],
            batch["published_us"], [written[template] for template in rows.template.tolist()],
        ]  # fmt: skip
        with connection.cursor() as cursor, cursor.copy("COPY peer FROM STDIN") as copy:
            for row in zip(*columns, strict=True):
                copy.write_row(row)
        number += len(rows)
        connection.commit()
    for statement in _INDEXES:
        connection.execute(statement)
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM (ANALYZE) peer")


class PostgisSearch:
    """Searches the table of `load`."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def __call__(self, asked: Asked) -> Found:
        """Return page and total of a search."""
        where, values = _conditions(asked)
        rows = self._connection.execute(
            f"SELECT * FROM peer WHERE {where} ORDER BY t0_us DESC, pk DESC LIMIT {PAGE}", values
        ).fetchall()
        shapely.from_wkb([row[-1] for row in rows])
        (plan,) = self._connection.execute(
            f"EXPLAIN (FORMAT JSON) SELECT 1 FROM peer WHERE {where}", values
        ).fetchone() or ("[]",)
        total = int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])
        is_exact = total < _COUNTED_BELOW
        if is_exact:
            (total,) = self._connection.execute(
                f"SELECT count(*) FROM peer WHERE {where}", values
            ).fetchone() or (0,)
        return tuple(row[1] for row in rows), total, is_exact


def _conditions(asked: Asked) -> tuple[str, list[Any]]:
    """Return the conditions of a search."""
    parts, values = ["true"], []
    if asked.cut_region is not None:
        parts.append("ST_Intersects(geom, ST_GeomFromWKB(%s, 4326))")
        values.append(shapely.to_wkb(asked.cut_region))
    for name, value in asked.kind.items():
        parts.append(f"{name} = %s")
        values.append(value)
    for condition, value in (
        ("t0_us >= %s", asked.first_us),
        ("t0_us <= %s", asked.last_us),
        ("cloud_cover <= %s", asked.most_cloud),
        ("relative_orbit = %s", asked.relative_orbit),
        ("mgrs_tile = %s", asked.tile),
    ):
        if value is not None:
            parts.append(condition)
            values.append(value)
    return " AND ".join(parts), values
