"""A small archive for tests: real database and pool, a simulated tape at 1000 times its speed."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from catalog_db import migrations
from catalog_db.catalogue import products
from catalog_db.engine import create_engine
from catalog_db.tables import recall
from peps_wps.access import Access
from peps_wps.config import Config
from peps_wps.staging import Archive, RecallService
from storage.recall import RecallPolicy
from tests.plain_product import plain_product

# The lease outlasts any pause of a loaded machine: nothing is taken from a service that works.
HASTY = RecallPolicy(max_attempts=30, backoff_s=0.01, lease_s=60.0, idle_s=0.01, error_pause_s=0.01)


class ArchiveWorld:
    def __init__(self, root: Path, **environ: str) -> None:
        self.root = root
        self.environ = environ
        defaults = {"PEPS_TAPE_SPEED": "1000", "PEPS_AUTH_MODE": "open"}
        self.config = Config.load(var=root, environ={**defaults, **environ})
        self.engine = create_engine(self.config.catalog.url)
        migrations.upgrade(self.engine)
        self.archive = Archive(self.config, self.engine)
        self.access = Access(self.config, self.engine)
        self.contents: dict[str, bytes] = {}

    def add(self, title: str, content: bytes, *, tier: Any = "tape", collection: str = "S1") -> str:
        """Archive a file as the zip of a product; return its uid."""
        source = self.root / "incoming" / f"{title}.zip"
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(content)
        return self.add_path(source, title, tier=tier, collection=collection)

    def add_path(self, source: Path, title: str, *, tier: Any, collection: str = "S1") -> str:
        stored = self.archive.copy(source, f"{collection}/2021/08/09/{title}.zip", tier=tier)
        product = plain_product(
            title,
            collection=collection,
            size_bytes=stored.size_bytes,
            checksum=stored.checksum,
        )
        uid = products.product_uid(collection, title)
        with self.engine.begin() as connection:
            file_id = self.archive.record(stored, connection)
            products.insert_products(connection, [product])
            products.place(connection, {uid: file_id})
        if source.is_file():
            self.contents[uid] = source.read_bytes()
        return uid

    def service(self, policy: RecallPolicy = HASTY) -> RecallService:
        return RecallService(self.config, self.engine, policy)

    def start_engine(self) -> None:
        """What a service does when it starts; it reads nothing from tape."""
        service = self.service(replace(HASTY, lease_s=0.0))
        for engine in service.engines.values():
            engine.start()

    def make_old(self, path: Path) -> None:
        """Let a file have been written long ago."""
        os.utime(path, (1, 1))

    def recalls(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(recall).order_by(recall.c.id)))

    def tape_file(self, title: str) -> Path:
        (path,) = self.config.tape.path.glob(f"*/*-{title}.zip")
        return path

    def pool_file(self, title: str, collection: str = "S1") -> Path:
        return self.config.storage.path / collection / "2021/08/09" / f"{title}.zip"

    def torn_files(self) -> list[Path]:
        """Files visible in the pool whose bytes are none of those archived."""
        known = {hashlib.sha256(content).digest() for content in self.contents.values()}
        visible = [path for path in self.config.storage.path.rglob("*.zip") if path.is_file()]
        return [p for p in visible if hashlib.sha256(p.read_bytes()).digest() not in known]
