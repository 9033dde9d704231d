from collections.abc import Iterator

import pytest
from werkzeug.test import Client

from catalog_db.catalogue.products import Product
from peps_wps.app import Application
from peps_wps.services import Services
from peps_wps.web import resto, stac
from tests.archive_world import ArchiveWorld
from tests.web.catalogue_world import fill


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveWorld]:
    world = ArchiveWorld(tmp_path_factory.mktemp("var"))
    yield world
    world.engine.dispose()


@pytest.fixture(scope="module")
def stored(world: ArchiveWorld) -> list[Product]:
    """60 products, latest first."""
    return fill(world)


@pytest.fixture(scope="module")
def client(world: ArchiveWorld, stored: list[Product]) -> Client:
    services = Services.of(world.config, world.engine)
    return Client(Application(services, [*stac.rules(), *resto.rules()]))


@pytest.fixture(scope="module")
def ids(client: Client):
    """What a search finds, as identifiers, by GET with parameters or by POST with a document."""

    def found(document: dict[str, object] | None = None, **parameters: object) -> list[str]:
        if document is None:
            answer = client.get("/stac/search", query_string={"limit": 500, **parameters})
        else:
            answer = client.post("/stac/search", json={"limit": 500, **document})
        assert answer.status_code == 200, answer.text
        assert answer.json["numberMatched"] == answer.json["numberReturned"]
        return [item["id"] for item in answer.json["features"]]

    return found
