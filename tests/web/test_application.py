"""The edge of the application: health, errors, the landing page."""

from dataclasses import replace
from datetime import timedelta

import pytest
from werkzeug import Request
from werkzeug.test import Client, EnvironBuilder

from catalog_db import times
from catalog_db.engine import create_engine
from catalog_db.errors import QueryError, UnknownProductError
from catalog_db.processing import jobs, workers
from catalog_db.processing.jobs import Job
from catalog_db.tables import job as job_table
from peps_wps.app import create_app
from peps_wps.config import Config
from peps_wps.errors import OrderRefusedError
from peps_wps.web.errors import response_to
from storage.errors import ProductWithdrawnError


@pytest.fixture
def config(tmp_path) -> Config:
    return Config.load(var=tmp_path / "var", environ={"PEPS_AUTH_MODE": "open"})


@pytest.fixture
def engine(config):
    engine = create_engine(config.catalog.url)
    yield engine
    engine.dispose()


@pytest.fixture
def client(config, engine) -> Client:
    return Client(create_app(config, engine))


def hear_worker(engine, *, seconds_ago):
    with engine.begin() as connection:
        instant = times.now() - timedelta(seconds=seconds_ago)
        workers.note_heartbeat(connection, "machine:1:0", 2, instant)


def test_a_new_service_with_a_worker_is_ready(client, engine):
    hear_worker(engine, seconds_ago=1)
    response = client.get("/health")

    assert (response.status_code, response.json["status"]) == (200, "ready")
    assert set(response.json["checks"]) == {"database", "folders", "workers"}
    assert response.json["checks"]["workers"]["workers"] == 1


@pytest.mark.parametrize("seconds_ago", [None, 31])
def test_a_service_without_a_living_worker_says_so(client, engine, seconds_ago):
    if seconds_ago is not None:
        hear_worker(engine, seconds_ago=seconds_ago)
    response = client.get("/health")

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.json["checks"]["workers"] == {
        "ok": False,
        "reason": "no worker was heard of for 30 s: orders and recalls wait",
    }


def test_a_service_whose_pool_cannot_be_written_is_alive_and_not_ready(client, config):
    config.storage.path.parent.mkdir(parents=True, exist_ok=True)
    if config.storage.path.is_dir():
        config.storage.path.rename(config.var / "moved")
    config.storage.path.write_text("a file where the folder should be")

    response = client.get("/health")

    assert (response.status_code, response.json["status"]) == (503, "not ready")
    assert response.json["checks"]["folders"]["reason"].startswith("pool cannot be written")
    assert client.get("/health/live").status_code == 200


def test_a_database_of_another_schema_is_not_ready(client, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    response = client.get("/health")

    assert response.status_code == 503
    assert "9999" in response.json["checks"]["database"]["reason"]


def test_running_jobs_that_nobody_is_heard_of_are_told(client, engine, config):
    now = times.now()
    lost = now - timedelta(seconds=3 * config.processing.lease_s)
    row = Job(
        id="00000000-0000-4000-8000-000000000000",
        process="S1_ORTHO",
        owner="anonymous",
        state="accepted",
        inputs={},
        order={},
        max_attempts=3,
        created=now,
        updated=now,
    )
    with engine.begin() as connection:
        jobs.insert_job(connection, row, [])
        connection.execute(
            job_table.update().values(state="running", lease_until_us=times.to_us(lost))
        )

    response = client.get("/health")

    assert response.status_code == 503
    assert "1 running jobs" in response.json["checks"]["workers"]["reason"]


def test_the_landing_page_names_the_address_it_was_asked_at(client):
    page = client.get("/", base_url="http://peps.example.org:8080").text

    assert "http://peps.example.org:8080/resto/wps?service=WPS" in page


def test_the_landing_page_escapes_what_it_shows(config, engine):
    titled = replace(config, portal=replace(config.portal, title="<script>"))

    assert "<script>" not in Client(create_app(titled, engine)).get("/").text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/health", 405)]
)
def test_errors_have_the_shape_that_peps_clients_test(client, method, path, status):
    response = client.open(path, method=method)

    assert response.status_code == status
    assert response.json["ErrorCode"] == status
    assert response.json["ErrorMessage"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OrderRefusedError("product", "no such product"), 400),
        (QueryError("box has three numbers"), 400),
        (UnknownProductError("S1A"), 404),
        (ProductWithdrawnError("S1A"), 410),
    ],
)
def test_errors_of_the_service_are_told(error, status):
    response = response_to(error, Request(EnvironBuilder().get_environ()))

    assert response.status_code == status
    assert response.json == {"ErrorMessage": str(error), "ErrorCode": status}


def test_a_defect_is_logged_and_not_told(caplog):
    request = Request(EnvironBuilder(path="/somewhere").get_environ())

    response = response_to(ZeroDivisionError("secret"), request)

    assert response.status_code == 500
    assert b"secret" not in response.data
    assert "/somewhere" in caplog.text
    assert "ZeroDivisionError: secret" in caplog.text
