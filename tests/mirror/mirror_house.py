"""A mirror for tests: an archive, a file of sources that leads to a fake hub, and short pauses."""

import hashlib
import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from catalog_db.catalogue import products
from catalog_db.engine import create_engine
from catalog_db.tables import file, item, mirror_content, mirror_product, placement
from peps_wps.config import Config
from peps_wps.mirror.report import SourceReport, report
from peps_wps.mirror.running import SourceMirror, Tally
from peps_wps.mirror.sources import Source, load_sources
from peps_wps.services import Services
from tests.mirror.fake_hub import PASSWORD, USER, FakeHub
from tests.mirror.hub_products import HubProduct, md5, some_products

SOURCES = """
[[source]]
name = "hub"
catalogue = "{url}/odata/v1"
download = "{url}/odata/v1"
token = "{url}/auth/token"
{limits}

[[source.feed]]
name = "s2"
collection = "SENTINEL-2"
since = {since}

[[source.feed]]
name = "s1"
collection = "SENTINEL-1"
since = {since}
priority = 5
"""


class MirrorHouse:
    def __init__(self, root: Path, hub: FakeHub, database_url: str, *, tier: str = "disk") -> None:
        self.root = root
        self.hub = hub
        self.environ = {
            "PEPS_CATALOG_URL": database_url,
            "PEPS_AUTH_MODE": "open",
            "PEPS_MIRROR_SOURCES": "sources.toml",
            "PEPS_MIRROR_TIER": tier,
            "PEPS_MIRROR_BACKOFF_S": "0.01",
            "PEPS_MIRROR_INTERVAL_S": "0.2",
            "PEPS_MIRROR_RESCAN_S": "0",
        }
        self.credentials = {"MIRROR_HUB_USER": USER, "MIRROR_HUB_PASSWORD": PASSWORD}
        self.since = datetime.now(UTC) - timedelta(days=10)
        self.write_sources()
        self.config = Config.load(var=root, environ=self.environ)
        self.services = Services.of(self.config, create_engine(database_url))

    def write_sources(self, **limits: object) -> None:
        text = SOURCES.format(
            url=self.hub.url,
            since=self.since.isoformat(),
            limits="\n".join(f"{name} = {value}" for name, value in limits.items()),
        )
        (self.root / "sources.toml").write_text(text)

    @property
    def source(self) -> Source:
        (source,) = load_sources(self.config.mirror.sources, self.credentials)
        return source

    def mirror(self) -> SourceMirror:
        return SourceMirror(self.source, self.services, threading.Event())

    def run_once(self) -> Tally:
        return self.mirror().run(once=True)

    def run_until_settled(self, rounds: int = 40) -> None:
        """Run as a timer would until nothing waits any more."""
        for _ in range(rounds):
            self.run_once()
            if not self.states().keys() & {"waiting", "fetching"}:
                return
        raise AssertionError(f"still {self.states()} after {rounds} runs")

    def report(self) -> SourceReport:
        with self.services.engine.connect() as connection:
            return report(connection, self.source, datetime.now(UTC))

    def states(self) -> dict[str, int]:
        return self.report().states

    def row(self, hub_id: str) -> Any:
        with self.services.engine.connect() as connection:
            query = select(mirror_product).where(mirror_product.c.hub_id == hub_id)
            return connection.execute(query).one()

    def contents(self, title: str) -> list[Any]:
        query = select(mirror_content).join(mirror_product).where(mirror_product.c.name == title)
        with self.services.engine.connect() as connection:
            return list(connection.execute(query.order_by(mirror_content.c.id)))

    def served(self) -> dict[str, str]:
        """Title of each product in service, and the MD5 of the file that the archive serves."""
        query = (
            select(item.c.title, item.c.uid)
            .join(placement, placement.c.item == item.c.pk)
            .where(~item.c.withdrawn)
        )
        with self.services.engine.connect() as connection:
            found = connection.execute(query).all()
        return {
            row.title: hashlib.md5(self.services.archive.path(row.uid).read_bytes()).hexdigest()
            for row in found
        }

    def product(self, title: str) -> products.Product:
        with self.services.engine.connect() as connection:
            found = products.get(connection, title)
        assert found is not None
        return found

    def files(self) -> int:
        with self.services.engine.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(file)) or 0)


def truth(hub: FakeHub) -> dict[str, str]:
    """Title and MD5 of all that the hub has, by its own bytes."""
    return {one.title: md5(one.content) for one in hub.products.values()}


def add_products(hub: FakeHub, dice: random.Random, folder: Path, count: int) -> list[HubProduct]:
    found = list(some_products(dice, count, folder / "safe", now=datetime.now(UTC)))
    hub.publish(*found)
    return found
