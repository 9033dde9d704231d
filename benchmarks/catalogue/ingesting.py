"""Ingest of new products, as `peps ingest` does it, while another process searches.

They stay: a database that is to be held against the truth again must be a copy.
"""

import multiprocessing
import random
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import orjson
from sqlalchemy.exc import SQLAlchemyError

from catalog_db import SearchQuery, search
from catalog_db.catalogue.products import Product
from catalog_db.engine import create_engine
from catalog_db.errors import CatalogError
from catalog_db.migrations import upgrade
from peps_wps.config import Config
from peps_wps.ingest import IngestState
from peps_wps.ingest import ingest as ingest_files
from peps_wps.ingest_lists import ingest_list
from peps_wps.services import Services
from peps_wps.web.stac.item import items
from tests.mirror.hub_products import sentinel1

LISTED, FILES, SEARCHERS = 20_000, 300, 2
# Seconds of a search in each thread, and errors.
Searched = tuple[list[float], int]


def ingest(url: str, queries: Sequence[SearchQuery]) -> None:
    """Ingest a list, then SAFE products onto tape, with searches going on; say how fast.

    Parameters
    ----------
    url
        Of a loaded database.
    queries
        What is searched meanwhile, over and over.
    """
    upgrade(create_engine(url))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = Config.load(var=folder / "var", environ={"PEPS_CATALOG_URL": url})
        services = Services.of(config, create_engine(url))
        listed = _written_list(services, folder)
        files = _written_files(folder)
        _timed("a list", LISTED, url, queries, lambda: ingest_list(listed, services).taken)
        _timed(
            "SAFE files",
            FILES,
            url,
            queries,
            lambda: sum(
                one.state is IngestState.ADDED
                for one in ingest_files(files, tier="tape", services=services).products
            ),
        )


def _timed(
    what: str, number: int, url: str, queries: Sequence[SearchQuery], work: Callable[[], int]
) -> None:
    """Do some work while another process searches, and print both."""
    context = multiprocessing.get_context("fork")
    ready, stop, searched = context.Event(), context.Event(), context.Queue()
    reader = context.Process(target=_search_on, args=(url, queries, ready, stop, searched))
    reader.start()
    ready.wait()
    start, worked = time.perf_counter(), time.process_time()
    taken = work()
    wall, cpu = time.perf_counter() - start, time.process_time() - worked
    stop.set()
    walls, errors = searched.get(timeout=60)
    reader.join()
    assert taken == number, f"{taken} of {number} taken"
    p50, p95 = np.percentile(walls, [50, 95]) * 1e3
    print(f"{what}: {taken / wall:.0f} products a second, {1e3 * cpu / taken:.1f} CPU ms each")
    print(
        f"  meanwhile {len(walls) / wall:.0f} searches a second by {SEARCHERS} threads, "
        f"{errors} errors, p50 {p50:.0f} p95 {p95:.0f} max {1e3 * max(walls):.0f} wall ms"
    )


def _search_on(
    url: str, queries: Sequence[SearchQuery], ready: Event, stop: Event, searched: "Queue[Searched]"
) -> None:
    """Search in several threads until told to stop."""
    engine = create_engine(url)
    with engine.connect() as connection:
        search(connection, queries[0])  # the counts are read once
    walls: list[float] = []
    errors = [0]
    lock = threading.Lock()

    def run(first: int) -> None:
        number = first
        while not stop.is_set():
            start = time.perf_counter()
            try:
                with engine.connect() as connection:
                    search(connection, queries[number % len(queries)])
            except (SQLAlchemyError, CatalogError):
                errors[0] += 1
            with lock:
                walls.append(time.perf_counter() - start)
            number += SEARCHERS

    ready.set()
    with ThreadPoolExecutor(SEARCHERS) as threads:
        list(threads.map(run, range(SEARCHERS)))
    searched.put((walls, errors[0]))


def _written_list(services: Services, folder: Path) -> Path:
    """Write STAC items of new products: the latest ones taken again, in the days after."""
    with services.engine.connect() as connection:
        known = search(connection, SearchQuery(limit=500)).items
    stamp = time.time_ns()
    path = folder / "products.ndjson"
    with path.open("wb") as file:
        for first in range(0, LISTED, len(known)):
            new = [_again(one, first + n, stamp) for n, one in enumerate(known)]
            for item in items(new, ["tape"] * len(new), "http://example.org"):
                file.write(orjson.dumps(item) + b"\n")
    return path


def _again(product: Product, number: int, stamp: int) -> Product:
    later = timedelta(days=1 + number / 5000)
    return replace(
        product,
        title=f"{product.title[:60]}_{stamp}_{number:05d}",
        start=product.start + later,
        end=product.end + later,
    )


def _written_files(folder: Path) -> list[Path]:
    """Write small SAFE products of Sentinel-1 as zip files."""
    rng, paths = random.Random(1), []
    (folder / "files").mkdir()
    for number in range(FILES):
        product = sentinel1(rng, number, datetime.now(UTC), folder / "folders")
        paths.append(folder / "files" / f"{product.title}.zip")
        paths[-1].write_bytes(product.content)
    return paths
