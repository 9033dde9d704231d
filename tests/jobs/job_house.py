"""A database with supervisors on it that can be killed."""

import dataclasses
import os
import signal
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy import text

from catalog_db import migrations
from catalog_db.catalogue import products
from catalog_db.catalogue.products import Product
from catalog_db.engine import Engine, create_engine
from peps_wps import jobs as job_store
from peps_wps.config import Config
from peps_wps.staging import Archive
from tests import workers
from tests.patience import until
from tests.processes import states

_OTHERS_IN_TRANSACTION = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
)


class House:
    """A database, and supervisors on it that can be killed."""

    def __init__(
        self, config: Config, engine: Engine, journal: Path, environ: dict[str, str]
    ) -> None:
        self.config = config
        # What makes this configuration in another process.
        self.environ = environ
        self.engine = engine
        self.journal = journal
        self.supervisors: list[Any] = []

    def configure(self, **processing: object) -> None:
        """Change settings of ``[processing]`` for what is started or ordered from now on."""
        changed = dataclasses.replace(self.config.processing, **processing)
        self.config = dataclasses.replace(self.config, processing=changed)

    def start(self) -> Any:
        self.supervisors.append(workers.start_workers(self.config))
        return self.supervisors[-1]

    def stall(self) -> int:
        """Stop the supervisor started last where it holds no lock of the database; return it."""
        process = int(self.supervisors[-1].pid)
        while True:
            os.kill(process, signal.SIGSTOP)
            until(lambda: set(states(process)) == {"T"})
            # What it had sent may still reach the database.
            time.sleep(0.2)
            if not self._is_locked():
                return process
            os.kill(process, signal.SIGCONT)
            time.sleep(0.01)

    def _is_locked(self) -> bool:
        """Tell whether a transaction is open that may write."""
        with self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                return bool(connection.execute(_OTHERS_IN_TRANSACTION).scalar())
        with sqlite3.connect(self.config.var / "catalog.db", timeout=1) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    def archive(self, title: str, size: int = 1000) -> str:
        """Put a product on tape: its title, then padding."""
        instant = datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)
        product = Product(
            title=title,
            collection="S1",
            platform="S1A",
            product_type="GRD",
            start=instant,
            end=instant,
            published=instant,
            updated=instant,
            footprint=shapely.box(0, 43, 2, 44),
            size_bytes=size,
        )
        archive = Archive(self.config, self.engine)
        source = self.journal.with_name(title)
        source.write_bytes(title.encode().ljust(size, b"."))
        stored = archive.copy(source, f"S1/{title}.zip", tier="tape")
        with self.engine.begin() as connection:
            products.insert_products(connection, [product])
            file_id = archive.record(stored, connection)
            products.place(connection, {product.uid: file_id})
        return product.uid

    def submit(self, **inputs: object) -> str:
        texts = {
            name: [str(value) for value in (given if isinstance(given, list) else [given])]
            for name, given in {"journal": self.journal, **inputs}.items()
        }
        return job_store.submit(
            self.engine, self.config, process="STAND_IN", inputs=texts, owner="anonymous"
        ).id

    def job(self, job_id: str) -> job_store.Job:
        job = job_store.get(self.engine, self.config, job_id)
        assert job is not None
        return job

    def wait(self, job_id: str, *states: str, limit_s: float = 60.0) -> job_store.Job:
        wanted = states or ("succeeded", "failed", "dismissed")
        return until(lambda: job if (job := self.job(job_id)).state in wanted else None, limit_s)

    def let_go(self) -> None:
        """Have the last tasks of jobs that hold until then come to their ends."""
        Path(f"{self.journal}.go").touch()

    def lines(self, word: str) -> list[str]:
        text = self.journal.read_text() if self.journal.exists() else ""
        return [line for line in text.splitlines() if word in line]


@contextmanager
def opened_house(
    folder: Path,
    *,
    pool_gb: str = "1",
    database_url: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[House]:
    """Give a database in a folder; its supervisors end with the block.

    `environ` adds to the settings, as the environment of the service does.
    """
    settings = {
        "PEPS_VAR": str(folder / "var"),
        "PEPS_AUTH_MODE": "open",
        "PEPS_PROCESSING_CHAINS": "tests.jobs.stand_in_chains",
        "PEPS_PROCESSING_LEASE_S": "1.5",
        "PEPS_PROCESSING_HEARTBEAT_S": "0.3",
        "PEPS_PROCESSING_PARALLELPROCESSES": "2",
        "PEPS_TAPE_SPEED": "1000",
        "PEPS_STORAGE_BUDGET_GB": pool_gb,
        **({} if database_url is None else {"PEPS_CATALOG_URL": database_url}),
        **(environ or {}),
    }
    config = Config.load(environ=settings)
    engine = create_engine(config.catalog.url)
    migrations.upgrade(engine)
    house = House(config, engine, folder / "journal", settings)
    try:
        yield house
    finally:
        for process in house.supervisors:
            process.terminate()
        for process in house.supervisors:
            workers.end(process)
        engine.dispose()
