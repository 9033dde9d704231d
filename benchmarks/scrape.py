"""A scrape of the metrics with 10,000 requests that wait, 2,000 files on disk, two years of counts.

``python -m benchmarks.scrape``. Products are not read, so how many there are does not matter.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

from werkzeug.test import Client

from peps_wps.app import create_app
from tests.archive_world import ArchiveWorld
from tests.web.busy_archive import fill

_SCRAPES = 20


def main() -> None:
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        world = ArchiveWorld(Path(name))
        fill(world.engine, requests=10_000, replicas=2000, days=730)
        client = Client(create_app(world.config, world.engine, processes=()))
        client.get("/metrics")
        walls_s, cpus_s = zip(*(_scrape(client) for _ in range(_SCRAPES)), strict=True)
        world.engine.dispose()
    print(
        f"median {1e3 * statistics.median(walls_s):.1f} ms, {1e3 * statistics.median(cpus_s):.1f} "
        f"ms CPU; largest {1e3 * max(walls_s):.1f} ms"
    )


def _scrape(client: Client) -> tuple[float, float]:
    """Scrape once; return seconds of wall clock and CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    client.get("/metrics")
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
