"""A service with stand-in processes, its job rows written by the tests themselves."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from werkzeug.serving import make_server
from werkzeug.test import Client

from catalog_db.engine import Engine, create_engine
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from tests.wps.stand_in import Echo, FullMaja, Ledger


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("service") / "var"
    loaded = Config.load(var=folder, environ={"PEPS_AUTH_MODE": "open"})
    return replace(loaded, processing=replace(loaded.processing, sync_limit_s=0.3))


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
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def wps_schema(ogc_schemas: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    return etree.XMLSchema(etree.parse(str(ogc_schemas / "wps" / "1.0.0" / "wpsAll.xsd"), parser))


@pytest.fixture(scope="session")
def ows_schema(ogc_schemas: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    return etree.XMLSchema(etree.parse(str(ogc_schemas / "ows" / "1.1.0" / "owsAll.xsd"), parser))


@pytest.fixture(scope="session")
def wps2_schema(ogc_schemas: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    return etree.XMLSchema(etree.parse(str(ogc_schemas / "wps" / "2.0" / "wps.xsd"), parser))


@pytest.fixture(scope="session")
def ows2_schema(ogc_schemas: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    return etree.XMLSchema(etree.parse(str(ogc_schemas / "ows" / "2.0" / "owsAll.xsd"), parser))
