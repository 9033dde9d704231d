"""Load a made-up catalogue, search it, hold it beside its peers.

python -m benchmarks.catalogue load    --number 1000000 --url sqlite:////tmp/catalogue.db
python -m benchmarks.catalogue search  --number 1000000 --url sqlite:////tmp/catalogue.db --url postgresql+psycopg://... \
                                       --postgis "host=... dbname=..." --pgstac "host=... dbname=..."
python -m benchmarks.catalogue postgis --number 1000000 --url "host=... dbname=..."
python -m benchmarks.catalogue pgstac  --number 1000000 --url "host=... dbname=..." --program .../pypgstac
python -m benchmarks.catalogue ingest  --url sqlite:////tmp/copy.db
python -m benchmarks.catalogue upgrade --url sqlite:////tmp/copy.db

`search` runs all that it is given in one go, so that they share the state of the machine.
"""  # noqa: E501

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from benchmarks.catalogue import ingesting, pgstac, postgis, upgrading
from benchmarks.catalogue.generator import PEPS_PRODUCTS, Catalogue
from benchmarks.catalogue.measuring import Found, Measured, compare, measure, report
from benchmarks.catalogue.plans import whole_reads
from benchmarks.catalogue.queries import Asked, Truth, query_mix
from catalog_db import bulk, search
from catalog_db.bulk import Batch
from catalog_db.engine import Connection, create_engine
from catalog_db.migrations import upgrade

WORKS = ("load", "search", "postgis", "pgstac", "ingest", "upgrade")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalogue")
    parser.add_argument("work", choices=WORKS)
    parser.add_argument("--number", type=int, default=PEPS_PRODUCTS)
    parser.add_argument("--url", action="append", default=[])
    parser.add_argument("--postgis")
    parser.add_argument("--pgstac")
    parser.add_argument("--program", type=Path)
    parser.add_argument("--passes", type=int, default=4)
    given = parser.parse_args()
    catalogue = Catalogue(given.number)
    if given.work == "load":
        _load(catalogue, given.url[0])
    elif given.work == "postgis":
        with psycopg.connect(given.url[0]) as connection:
            postgis.load(connection, catalogue)
    elif given.work == "pgstac":
        with tempfile.TemporaryDirectory() as folder:
            pgstac.load(given.url[0], catalogue, given.program, Path(folder))
    elif given.work == "ingest":
        ingesting.ingest(given.url[0], [asked.query() for asked in query_mix(catalogue)])
    elif given.work == "upgrade":
        upgrading.upgrade(given.url[0])
    else:
        _search(catalogue, given)


def _load(catalogue: Catalogue, url: str) -> None:
    """Load everything, and say how long its parts took."""
    engine = create_engine(url)
    upgrade(engine)
    _ = catalogue.placed
    prepared = [0.0]

    def timed() -> Iterator[Batch]:
        batches = catalogue.batches()
        while True:
            before = time.perf_counter()
            batch = next(batches, None)
            prepared[0] += time.perf_counter() - before
            if batch is None:
                inserted.append(time.perf_counter())
                return
            yield batch

    inserted: list[float] = []
    start = time.perf_counter()
    number = bulk.load(engine, catalogue.kinds, catalogue.placed[0], timed())
    end = time.perf_counter()
    inserting = inserted[0] - start - prepared[0]
    print(f"{number} products: {(end - start - prepared[0]) / 60:.1f} min without preparing rows")
    print(f"  rows prepared in {prepared[0]:.0f} s ({number / prepared[0]:.0f} a second)")
    print(f"  rows inserted in {inserting:.0f} s ({number / inserting:.0f} a second)")
    print(f"  indexes and counts in {end - inserted[0]:.0f} s")
    if engine.dialect.name == "sqlite":
        print(f"  file of {Path(make_url(url).database or '').stat().st_size / 1e9:.2f} GB")


def _search(catalogue: Catalogue, given: argparse.Namespace) -> None:
    """Search every database that was given."""
    mix = query_mix(catalogue)
    truth = Truth(catalogue)
    answers = [truth.answer(asked) for asked in mix]
    del truth
    ours: dict[str, Measured] = {}
    for url in given.url:
        engine = create_engine(url)
        with engine.connect() as connection:
            measured = measure(
                lambda asked, connection=connection: _found(connection, asked),
                mix,
                passes=given.passes,
                backend=_backend(connection),
            )
            report(f"PEPS on {engine.dialect.name}, {catalogue.number}", measured, mix, answers)
            number, whole = whole_reads(connection, [asked.query() for asked in mix])
            print(f"  statements on products: {number}, reading all of them: {len(whole)}")
            print(*whole[:3], sep="\n", end="")
        ours[engine.dialect.name] = measured
    for name, address, peer in (
        ("PostGIS", given.postgis, postgis.PostgisSearch),
        ("pgstac", given.pgstac, pgstac.PgstacSearch),
    ):
        if address:
            with psycopg.connect(address, autocommit=True) as connection:
                backend = connection.info.backend_pid
                measured = measure(peer(connection), mix, passes=given.passes, backend=backend)
            report(f"{name}, {catalogue.number}", measured, mix, answers, is_peer=True)
            compare(name, measured, ours)


def _found(connection: Connection, asked: Asked) -> Found:
    result = search(connection, asked.query())
    return tuple(one.title for one in result.items), result.total, result.total_is_exact


def _backend(connection: Connection) -> int | None:
    """Return the process that works for a connection, none where it is this one."""
    if connection.dialect.name == "sqlite":
        return None
    driver = connection.connection.driver_connection
    return None if driver is None else int(driver.info.backend_pid)


if __name__ == "__main__":
    main()
