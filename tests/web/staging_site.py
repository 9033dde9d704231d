"""A service with Sentinel-1 products on disk and on tape, for clients that fetch them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from catalog_db.access import users
from catalog_db.access.users import User
from catalog_db.catalogue import products
from catalog_db.catalogue.products import product_uid
from peps_wps.access.passwords import hash_password
from tests.archive_world import ArchiveWorld
from tests.background import running
from tests.live_server import serving
from tests.web.catalogue_world import radar

NAME, PASSWORD = "ada@example.org", "correct horse"
ON_DISK, ON_TAPE = (1, 2), (3, 5)  # numbers of products, in order of time


@dataclass
class StagingSite:
    """The service, the products in it, and the folders that they were made of."""

    url: str
    world: ArchiveWorld
    folders: dict[str, Path]  # title -> <title>.SAFE

    @property
    def titles(self) -> set[str]:
        return set(self.folders)

    def size(self, title: str) -> int:
        """The size of the zip, as the archive has it."""
        return self.world.archive.find(product_uid("S1", title)).file.size_bytes

    def recalling(self) -> AbstractContextManager[None]:
        """Recall what is asked for, in the background."""
        return running(self.world.service())

    def evict_all(self) -> None:
        """Take from the pool what has a copy on tape, and forget who wanted it."""
        for listed in self.world.archive.requests(only_open=True):
            self.world.archive.release(listed.request.id)
        for number in ON_TAPE:
            self.world.pool_file(radar(number).title).unlink(missing_ok=True)


@contextmanager
def staging_site(root: Path) -> Iterator[StagingSite]:
    """Serve two products on disk and two on tape to one user."""
    rng = np.random.default_rng(20210809)
    world = ArchiveWorld(root)
    folders = {}
    for number in (*ON_DISK, *ON_TAPE):
        folder = _safe(root / "made", radar(number).title, rng)
        folders[radar(number).title] = folder
        _store(world, number, folder)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    with world.engine.begin() as connection:
        users.add(connection, User(NAME, now, hash_password(PASSWORD)))
    with serving(root, PEPS_AUTH_MODE="basic", PEPS_TAPE_SPEED="1000") as url:
        yield StagingSite(url, world, folders)
    world.engine.dispose()


def _safe(parent: Path, title: str, rng: np.random.Generator) -> Path:
    """Make a product folder: what its zip holds is what must come out at the client."""
    folder = parent / f"{title}.SAFE"
    (folder / "measurement").mkdir(parents=True)
    (folder / "annotation").mkdir()
    (folder / "manifest.safe").write_bytes(b"<xfdu/>")
    (folder / "measurement" / "iw-vv.tiff").write_bytes(rng.bytes(300_000 + len(title)))
    return folder


def _store(world: ArchiveWorld, number: int, folder: Path) -> None:
    product = radar(number)
    tier = "disk" if number in ON_DISK else "tape"
    stored = world.archive.copy(folder, f"S1/2021/08/09/{product.title}.zip", tier=tier)
    described = replace(product, size_bytes=stored.size_bytes, checksum=stored.checksum)
    with world.engine.begin() as connection:
        file_id = world.archive.record(stored, connection)
        products.insert_products(connection, [described])
        products.place(connection, {product_uid("S1", product.title): file_id})
