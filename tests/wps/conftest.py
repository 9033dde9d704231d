"""A service with stand-in processes, its job rows written by the tests themselves."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import Client

from catalog_db.engine import Engine, create_engine
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from processes import PROCESSES
from tests.loopback import on_the_loopback
from tests.wps.serving import Served, serving
from tests.wps.stand_in import Amalthee, Echo, FullMaja, Ledger


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("service") / "var"
    loaded = Config.load(var=folder, environ={"PEPS_AUTH_MODE": "open"})
    return replace(loaded, processing=replace(loaded.processing, sync_limit_s=1.0))


@pytest.fixture(scope="module")
def engine(config: Config) -> Iterator[Engine]:
    engine = create_engine(config.catalog.url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def app(config: Config, engine: Engine) -> Application:
    return create_app(config, engine, processes=(FullMaja, Echo))


@pytest.fixture
def ledger(app: Application, config: Config, engine: Engine, monkeypatch) -> Ledger:
    ledger = Ledger(engine, config)
    monkeypatch.setattr("peps_wps.jobs.submit", ledger.submit)
    monkeypatch.setattr("peps_wps.jobs.dismiss", ledger.dismiss)
    return ledger


@pytest.fixture
def client(app: Application, ledger: Ledger) -> Client:
    return Client(app)


@pytest.fixture
def url(app: Application, ledger: Ledger) -> Iterator[str]:
    """A real server on the loopback, for clients that know HTTP only."""
    with on_the_loopback(app) as address:
        yield address


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The whole service, workers included, with the processes of PEPS and of its scripts."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, (*PROCESSES, FullMaja, Amalthee)) as service:
        yield service


def _schema(file: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(file, etree.XMLParser(no_network=True)))


@pytest.fixture(scope="session")
def wps_schema(ogc_schemas: Path) -> etree.XMLSchema:
    return _schema(ogc_schemas / "wps" / "1.0.0" / "wpsAll.xsd")


@pytest.fixture(scope="session")
def ows_schema(ogc_schemas: Path) -> etree.XMLSchema:
    return _schema(ogc_schemas / "ows" / "1.1.0" / "owsAll.xsd")


@pytest.fixture(scope="session")
def wps2_schema(ogc_schemas: Path) -> etree.XMLSchema:
    return _schema(ogc_schemas / "wps" / "2.0" / "wps.xsd")


@pytest.fixture(scope="session")
def ows2_schema(ogc_schemas: Path) -> etree.XMLSchema:
    return _schema(ogc_schemas / "ows" / "2.0" / "owsAll.xsd")
