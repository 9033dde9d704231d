from collections.abc import Iterator

import pytest

from catalog_db.catalogue.products import Product
from tests.archive_world import ArchiveWorld
from tests.live_server import serving
from tests.web.catalogue_world import fill


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[Product]]]:
    """The address of a server, and its products, latest first."""
    world = ArchiveWorld(tmp_path_factory.mktemp("var"))
    stored = fill(world)
    world.engine.dispose()
    with serving(world.root) as address:
        yield address, stored
