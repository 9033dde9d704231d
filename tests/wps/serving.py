"""A whole service on the loopback: web application, dispatcher and workers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug import Response

from catalog_db import migrations
from catalog_db.engine import create_engine
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from peps_wps.ordering import ChainProcess
from tests.jobs.job_house import House
from tests.loopback import on_the_loopback
from tests.workers import working


@dataclass(frozen=True)
class Served:
    """A service, where it is, and another server whose text can be an input by reference."""

    url: str
    app: Application
    house: House
    elsewhere: str


@contextmanager
def serving(folder: Path, processes: tuple[type[ChainProcess], ...]) -> Iterator[Served]:
    """Give a service with one supervisor: it takes seconds to start."""
    with on_the_loopback(Response("hello by reference")) as elsewhere:
        environ = {
            "PEPS_AUTH_MODE": "open",
            "PEPS_PROCESSING_CHAINS": "tests.wps.chains",
            "PEPS_PROCESSING_HEARTBEAT_S": "0.3",
            "PEPS_TAPE_SPEED": "1000",
            "PEPS_INPUTS_ALLOWED_HOSTS": elsewhere.removeprefix("http://"),
            "PEPS_INPUTS_ALLOWED_SCHEMES": "http",
            "PEPS_INPUTS_PRIVATE_NETWORKS": "127.0.0.0/8",
        }
        config = Config.load(var=folder / "var", environ=environ)
        engine = create_engine(config.catalog.url)
        migrations.upgrade(engine)
        house = House(config, engine, folder / "journal", environ)
        app = create_app(config, engine, processes=processes)
        with working(config), on_the_loopback(app) as url:
            yield Served(url, app, house, elsewhere)
        engine.dispose()
