"""Searches over HTTP: CPU of an answer, 50 clients at one request a second, and the rate at most.

``python -m benchmarks.search_http [--var DIR]``: on the catalogue of a state folder, or on 20,000
made-up products of its own. The clients share the machine with the server.
"""

import argparse
import http.client
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
from werkzeug.test import EnvironBuilder

from catalog_db.catalogue import products
from catalog_db.engine import create_engine
from catalog_db.migrations import upgrade
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from tests.catalog_db.synthetic import catalogue
from tests.live_server import serving

PRODUCTS = 20_000
CLIENTS = 50
STEADY_S = 60
RATE_S = 10
PAGE = 50


@dataclass(frozen=True)
class Answered:
    """What a client saw: seconds of each answer, and answers that were none."""

    took_s: tuple[float, ...]
    errors: int

    @classmethod
    def of_all(cls, parts: Sequence["Answered"]) -> "Answered":
        """Return what several clients saw."""
        return cls(tuple(t for part in parts for t in part.took_s), sum(p.errors for p in parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--var", type=Path, help="state folder with a catalogue")
    parser.add_argument("--workers", type=int, default=2, help="processes of the server")
    parser.add_argument(
        "--part", nargs="*", default=["answer", "steady", "rate"], help="what to measure"
    )
    given = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    with _state(given.var) as folder:
        if "answer" in given.part:
            answers(folder)
        if "steady" in given.part or "rate" in given.part:
            with serving(folder, workers=given.workers) as address:
                _load(address, given.part)


def answers(folder: Path) -> None:
    """Measure the CPU of whole answers, without a network."""
    config = Config.load(var=folder)
    engine = create_engine(config.catalog.url)
    app = create_app(config, engine)
    for kind, requests in (("resto JSON", _resto()), ("STAC", _stac()), ("resto Atom", _atom())):
        for path in requests[:20]:
            _answer(app, path)
        found = [_answer(app, path) for path in requests]
        cpu = sorted(cpu_s for cpu_s, _ in found)
        size = statistics.median(size for _, size in found)
        print(
            f"{kind}, pages of {PAGE}: CPU median {1e3 * statistics.median(cpu):.1f} ms, "
            f"p95 {1e3 * _at(cpu, 0.95):.1f} ms; {size / 1000:.0f} kB"
        )
    engine.dispose()


def _load(address: str, parts: Sequence[str]) -> None:
    _client(address, 2 * 20, 0.0, time.monotonic() + 5)  # every thread opens its database
    if "steady" in parts:
        seen = _at_once(address, CLIENTS, 1.0, STEADY_S)
        took = sorted(seen.took_s)
        print(
            f"{CLIENTS} clients at 1 request/s for {STEADY_S} s: {len(took)} answers, "
            f"{seen.errors} errors, p50 {1e3 * _at(took, 0.5):.0f} ms, "
            f"p95 {1e3 * _at(took, 0.95):.0f} ms, p99 {1e3 * _at(took, 0.99):.0f} ms, "
            f"max {1e3 * took[-1]:.0f} ms"
        )
    if "rate" in parts:
        for clients in (2, 4, 8, 16):
            seen = _at_once(address, clients, 0.0, RATE_S)
            print(
                f"{clients} clients without a pause: {len(seen.took_s) / RATE_S:.0f} answers/s, "
                f"{seen.errors} errors, p99 {1e3 * _at(sorted(seen.took_s), 0.99):.0f} ms"
            )


def _at_once(address: str, clients: int, period_s: float, seconds: float) -> Answered:
    """Run clients in a process of their own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_clients, (address, clients, period_s, seconds))


def _clients(address: str, clients: int, period_s: float, seconds: float) -> Answered:
    end = time.monotonic() + seconds
    with ThreadPoolExecutor(clients) as threads:
        parts = [
            threads.submit(_client, address, number, period_s, end) for number in range(clients)
        ]
        return Answered.of_all([part.result() for part in parts])


def _client(address: str, number: int, period_s: float, end: float) -> Answered:
    """Ask page after page over one connection until the end."""
    requests = [*_resto(), *_stac()]
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    took, errors = [], 0
    due = time.monotonic() + period_s * (number % CLIENTS) / CLIENTS
    while due < end:
        time.sleep(max(0.0, due - time.monotonic()))
        started = time.monotonic()
        try:
            connection.request("GET", requests[(7 * number + len(took)) % len(requests)])
            answer = connection.getresponse()
            body = answer.read()
            is_error = answer.status != 200 or b'"features"' not in body
        except (OSError, http.client.HTTPException):
            connection.close()
            is_error = True
        errors += is_error
        took.append(time.monotonic() - started)
        due = max(due + period_s, time.monotonic() - period_s)
    connection.close()
    return Answered(tuple(took), errors)


def _answer(app: Application, path: str) -> tuple[float, int]:
    """Return CPU seconds and bytes of an answer."""
    place, _, query = path.partition("?")
    environ = EnvironBuilder(path=place, query_string=query).get_environ()
    started = time.thread_time()
    body = b"".join(app(environ, lambda *_: lambda _data: None))
    return time.thread_time() - started, len(body)


def _resto(name: str = "search.json") -> list[str]:
    """Return the searches of clients: towns, countries, tiles, the newest, in seasons and years."""
    rng = np.random.default_rng(20190916)
    root = "/resto/api/collections"
    asked = [(f"{root}/{collection}/{name}", {}) for collection in ("S1", "S2ST")]
    for _ in range(49):
        west, south = float(rng.uniform(-170, 160)), float(rng.uniform(-60, 65))
        size = float(rng.choice([0.2, 1.0, 8.0]))
        year = int(rng.integers(2015, 2019))
        season = {"startDate": f"{year}-03-01", "completionDate": f"{year}-06-01"}
        box = f"{west:.3f},{south:.3f},{west + size:.3f},{south + size:.3f}"
        asked += [
            (f"{root}/S1/{name}", {"box": box, "productType": "GRD", "sensorMode": ""}),
            (f"{root}/S2ST/{name}", {"box": box, "cloudCover": "[0,50]", **season}),
            (f"{root}/{name}", season),
            (f"{root}/S2ST/{name}", {"tileid": f"{int(rng.integers(1, 61)):02d}TCJ"}),
        ]
    return [f"{path}?{urlencode({**words, 'maxRecords': PAGE})}" for path, words in asked]


def _atom() -> list[str]:
    return _resto("search.atom")


def _stac() -> list[str]:
    rng = np.random.default_rng(20190917)
    asked = []
    for _ in range(50):
        west, south = float(rng.uniform(-170, 160)), float(rng.uniform(-60, 65))
        year = int(rng.integers(2015, 2019))
        asked += [
            {"bbox": f"{west:.3f},{south:.3f},{west + 5:.3f},{south + 5:.3f}"},
            {"datetime": f"{year}-01-01T00:00:00Z/{year}-03-01T00:00:00Z", "collections": "S1"},
            {"filter": "eo:cloud_cover < 20", "collections": "S2ST"},
        ]
    return [f"/stac/search?{urlencode({**words, 'limit': PAGE})}" for words in asked]


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


@contextmanager
def _state(given: Path | None) -> Iterator[Path]:
    """Yield the state folder: the one given, or a new one with products of its own."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as name:
        engine = create_engine(Config.load(var=Path(name)).catalog.url)
        upgrade(engine)
        known = catalogue(PRODUCTS, np.random.default_rng(1))
        with engine.begin() as connection:
            products.insert_products(connection, [one.product for one in known])
        engine.dispose()
        yield Path(name)


if __name__ == "__main__":
    main()
