"""An archive with much to do, written into its tables."""

from datetime import timedelta

from sqlalchemy import insert

from catalog_db import counters, times
from catalog_db.engine import Engine
from catalog_db.tables import file, recall, replica, request, request_file
from catalog_db.times import to_us


def fill(engine: Engine, *, requests: int, replicas: int, days: int = 0) -> None:
    """Let requests wait for a file each, put files on disk, and count on as many days."""
    now = times.now()
    now_us, numbers = to_us(now), range(1, requests + 1)
    content = {"size_bytes": 10, "checksum_algorithm": "sha256", "checksum": ""}
    asked = {"user": "u", "state": "waiting", "asked_us": now_us}
    rows = {
        file: [
            {"path": f"{n}.zip", "backend": "simtape", "created_us": now_us, **content}
            for n in numbers
        ],
        recall: [
            {"file": n, "state": "queued", "created_us": now_us, "not_before_us": 0}
            for n in numbers
        ],
        request: [
            {"id": str(n), "user": "u", "purpose": "p", "created_us": now_us, "pin_lifetime_s": 1}
            for n in numbers
        ],
        request_file: [{"request": str(n), "file": n, **asked} for n in numbers],
        replica: [
            {
                "file": n,
                "path": f"{n}.zip",
                "state": "ready",
                "size_bytes": 10,
                "last_access_us": now_us,
            }
            for n in numbers[:replicas]
        ],
    }
    names = (counters.RECALLS, counters.RECALL_BYTES, counters.MOUNTS, counters.DOWNLOAD_BYTES)
    amounts = {(name, label): 5 for name in names for label in ("a", "b", "c")}
    with engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(insert(table), values)
        for day in range(days):
            counted = {**amounts, **counters.waits([1, 100, 1000, 5000])}
            counters.add(connection, counted, now - timedelta(days=day))
