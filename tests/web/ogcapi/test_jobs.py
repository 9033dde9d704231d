"""Jobs as this API shows them: every state, the list and its filters, dismissal, the log."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from werkzeug.test import Client

from catalog_db import times
from catalog_db.engine import Engine, create_engine
from catalog_db.tables import job as table
from catalog_db.tables import job_log
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from tests.jobs.job_rows import add_job
from tests.web.ogcapi.conftest import Mirror, Slow

RELATIONS = "http://www.opengis.net/def/rel/ogc/1.0/"
EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
# Nobody works: whoever waits does so for nothing.
ENVIRON = {
    "PEPS_AUTH_MODE": "open",
    "PEPS_PROCESSING_SYNC_LIMIT_S": "0.2",
    "PEPS_PROCESSING_CHAINS": "tests.web.ogcapi.chains",
    "PEPS_PROCESSING_MAXPROCESSES": "3",
}
NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
ORDER = {"inputs": {"words": "a"}}
STATUSES = {
    "accepted": "accepted",
    "staging": "accepted",
    "queued": "accepted",
    "running": "running",
    "succeeded": "successful",
    "failed": "failed",
    "dismissed": "dismissed",
}


class Rows:
    """Jobs written into the table by a test; no worker looks at it."""

    def __init__(self, engine: Engine, client: Client) -> None:
        self.engine = engine
        self.client = client

    def add(self, state: str = "accepted", *, created: datetime = NOON, **columns: Any) -> str:
        job = add_job(
            self.engine,
            columns.pop("process", "MIRROR"),
            owner=columns.pop("owner", "anonymous"),
            response_options=columns.pop("options", {}),
            created=created,
        )
        with self.engine.begin() as connection:
            values = {"state": state, **columns}
            connection.execute(update(table).where(table.c.id == job.id).values(**values))
        return job.id

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/ogcapi{path}", headers=headers, buffered=True)

    def listed(self, query: str) -> list[str]:
        answer = self.get(f"/jobs?{query}")
        assert answer.status_code == 200, answer.text
        return [one["jobID"] for one in answer.get_json()["jobs"]]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("jobs") / "var"
    return Config.load(var=folder, environ=ENVIRON)


@pytest.fixture(scope="module")
def engine(config: Config) -> Iterator[Engine]:
    engine = create_engine(config.catalog.url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def app(config: Config, engine: Engine) -> Application:
    return create_app(config, engine, processes=(Mirror, Slow))


@pytest.fixture
def rows(app: Application, engine: Engine) -> Rows:
    with engine.begin() as connection:
        connection.execute(delete(job_log))
        connection.execute(delete(table))
    return Rows(engine, Client(app))


def started(seconds: float) -> dict[str, int]:
    """Return the columns of a job that took so long."""
    begun = NOON + timedelta(seconds=1)
    ended = begun + timedelta(seconds=seconds)
    return {"started_us": times.to_us(begun), "finished_us": times.to_us(ended)}


@pytest.mark.parametrize(("state", "status"), STATUSES.items())
def test_every_state_has_its_word(rows: Rows, state: str, status: str) -> None:
    job_id = rows.add(state, progress=40)

    info = rows.get(f"/jobs/{job_id}").get_json()

    assert (info["jobID"], info["type"], info["status"]) == (job_id, "process", status)
    assert info["created"] == "2026-03-01T12:00:00.123Z"
    assert info["progress"] == (100 if state == "succeeded" else 40)


def test_a_job_that_is_tried_again_stays_running(rows: Rows) -> None:
    job_id = rows.add("queued", started_us=times.to_us(NOON), attempt=1)

    assert rows.get(f"/jobs/{job_id}").get_json()["status"] == "running"


@pytest.mark.parametrize(
    ("state", "relations"),
    [
        ("queued", {"self", "monitor", "related"}),
        ("succeeded", {"self", "related", RELATIONS + "results", RELATIONS + "tilesets-map"}),
        ("failed", {"self", "related", RELATIONS + "exceptions"}),
    ],
)
def test_links_lead_only_where_something_is(rows: Rows, state: str, relations: set[str]) -> None:
    job_id = rows.add(state, results="{}" if state == "succeeded" else None)

    info = rows.get(f"/jobs/{job_id}").get_json()

    assert {one["rel"] for one in info["links"]} == relations


@pytest.mark.parametrize(
    ("state", "columns", "status", "kind"),
    [
        ("staging", {}, 404, EXCEPTIONS + "result-not-ready"),
        ("running", {}, 404, EXCEPTIONS + "result-not-ready"),
        ("failed", {"message": "no orbit"}, 500, "NoApplicableCode"),
        ("failed", {"error_code": "InvalidParameterValue"}, 400, "InvalidParameterValue"),
        ("dismissed", {}, 410, "JobDismissed"),
        ("succeeded", {"results": None}, 410, "about:blank"),
    ],
)
def test_a_job_without_results_says_why(
    rows: Rows, state: str, columns: dict[str, Any], status: int, kind: str
) -> None:
    job_id = rows.add(state, **columns)

    for path in (f"/jobs/{job_id}/results", f"/jobs/{job_id}/results/words"):
        answer = rows.get(path)
        assert (answer.status_code, answer.get_json()["type"]) == (status, kind)


def test_what_another_protocol_ordered_is_a_document(rows: Rows) -> None:
    options = {"protocol": "wps-1.0.0", "identifier": "MIRROR", "outputs": []}
    results = {"words": {"value": "a", "type": "text/plain"}}
    job_id = rows.add("succeeded", options=options, results=json.dumps(results))

    answer = rows.get(f"/jobs/{job_id}/results")

    assert answer.get_json()["words"] == "a"


def test_lost_files_are_gone_and_not_an_error(rows: Rows) -> None:
    results = {"picture": {"href": "picture.tif", "type": "image/tiff", "size": 3}}
    job_id = rows.add("succeeded", results=json.dumps(results))

    assert rows.get(f"/jobs/{job_id}/results").status_code == 410


def test_jobs_are_paged_newest_first(rows: Rows) -> None:
    made = [rows.add(created=NOON + timedelta(hours=hour)) for hour in range(5)]

    found, address = [], "/ogcapi/jobs?limit=2&status=accepted"
    while address:
        page = rows.client.get(address).get_json()
        found += [one["jobID"] for one in page["jobs"]]
        assert page["numberMatched"] == 5
        links = {one["rel"]: one["href"] for one in page["links"]}
        address = links.get("next", "")

    assert found == made[::-1]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "abcd"),
        ("type=process", "abcd"),
        ("processID=SLOW", "d"),
        ("processID=slow-s1", "d"),
        ("processID=MIRROR,SLOW", "abcd"),
        ("processID=MIRROR&processID=SLOW", "abcd"),
        ("processID=nothing", ""),
        ("status=accepted", "a"),
        ("status=successful,failed", "bc"),
        ("status=running", "d"),
        ("datetime=2026-03-01T12:00:00.123Z", "a"),
        ("datetime=2026-03-01T13:00:00.123%2B01:00", "a"),
        ("datetime=2026-03-02T00:00:00Z/2026-03-03T23:00:00Z", "bc"),
        ("datetime=../2026-03-02T23:00:00Z", "ab"),
        ("datetime=2026-03-03T00:00:00Z/", "cd"),
        ("minDuration=60", "bcd"),
        ("minDuration=61&maxDuration=600", "c"),
        ("maxDuration=60", "b"),
        ("f=json&unknown=1&status=", "abcd"),
    ],
)
def test_filters_of_the_list(rows: Rows, query: str, wanted: str) -> None:
    day = timedelta(days=1)
    long_ago = times.to_us(datetime.now(UTC) - timedelta(days=20))
    made = {
        "a": rows.add("staging"),
        "b": rows.add("succeeded", created=NOON + day, **started(60)),
        "c": rows.add("failed", created=NOON + 2 * day, **started(600)),
        "d": rows.add("running", created=NOON + 3 * day, process="echo", started_us=long_ago),
    }

    assert set(rows.listed(query)) == {made[name] for name in wanted}


@pytest.mark.parametrize(
    ("query", "locator"),
    [
        ("type=openeo", "type"),
        ("status=done", "status"),
        ("datetime=yesterday", "datetime"),
        ("datetime=../..", "datetime"),
        ("datetime=2026-02-30T00:00:00Z", "datetime"),
        ("datetime=2026-03-02T00:00:00Z/2026-03-01T00:00:00Z", "datetime"),
        ("datetime=0001-01-01T00:00:00%2B14:00", "datetime"),
        ("datetime=9999-12-31T23:59:59Z", None),
        ("datetime=../9999-12-31T23:59:59.999999Z", None),
        ("minDuration=-1", "minDuration"),
        ("maxDuration=1.5", "maxDuration"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=ten", "limit"),
        ("cursor=x", "cursor"),
    ],
)
def test_a_wrong_filter_is_named(rows: Rows, query: str, locator: str | None) -> None:
    answer = rows.get(f"/jobs?{query}")

    if locator is None:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.get_json()["locator"]) == (400, locator)


def test_a_dismissed_job_is_so_in_every_view(rows: Rows) -> None:
    job_id = rows.add("queued")

    answer = rows.client.delete(f"/ogcapi/jobs/{job_id}")

    assert (answer.status_code, answer.get_json()["status"]) == (200, "dismissed")
    assert rows.client.delete(f"/ogcapi/jobs/{job_id}").get_json()["status"] == "dismissed"
    assert rows.listed("status=dismissed") == [job_id]
    status = rows.client.get(f"/resto/wps/outputs/pywps-{job_id}.xml").text
    assert "JobDismissed" in status


def test_the_log_tells_events_and_no_stack(rows: Rows) -> None:
    job_id = rows.add()

    answer = rows.get(f"/jobs/{job_id}/log")

    assert answer.mimetype == "text/plain"
    assert answer.text.endswith(" Accepted\n")
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/jobs/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/jobs/%00", 404),
        ("GET", "/processes/%F0%9F%9B%B0", 404),
        ("POST", "/jobs", 405),
        ("PUT", "/", 405),
        ("GET", "/processes/MIRROR/execution", 405),
        ("DELETE", "/processes/MIRROR", 405),
    ],
)
def test_what_is_not_served_is_a_problem(rows: Rows, method: str, path: str, status: int) -> None:
    answer = rows.client.open(f"/ogcapi{path}", method=method)

    assert (answer.status_code, answer.get_json()["status"]) == (status, status)
    assert answer.content_type == "application/problem+json"
    assert (status == 405) == ("Allow" in answer.headers)


def test_a_client_of_plain_json_is_given_it(rows: Rows) -> None:
    answer = rows.get("/jobs/x", Accept="application/json")

    assert (answer.status_code, answer.content_type) == (404, "application/json")


def test_a_stranger_has_no_list_and_may_not_dismiss(config: Config, engine: Engine) -> None:
    config = replace(config, auth=replace(config.auth, mode="basic"))
    rows = Rows(engine, Client(create_app(config, engine, processes=(Mirror, Slow))))
    job_id = rows.add("running", owner="jane")

    assert rows.get("/processes/MIRROR").status_code == 200
    assert rows.get(f"/jobs/{job_id}").get_json()["status"] == "running"
    for answer in (
        rows.get("/jobs"),
        rows.get(f"/jobs/{job_id}/log"),
        rows.client.delete(f"/ogcapi/jobs/{job_id}"),
        rows.client.post("/ogcapi/processes/MIRROR/execution", json={}),
    ):
        assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
        assert "WWW-Authenticate" in answer.headers
    assert rows.get(f"/jobs/{job_id}").get_json()["status"] == "running"


def test_who_waits_too_long_is_told_and_the_job_is_dismissed(rows: Rows) -> None:
    answer = rows.client.post("/ogcapi/processes/MIRROR/execution", json=ORDER)

    assert (answer.status_code, answer.get_json()["status"]) == (504, 504)
    assert "asynchronously" in answer.get_json()["detail"]
    assert [one["status"] for one in rows.get("/jobs").get_json()["jobs"]] == ["dismissed"]


def test_a_full_queue_says_when_to_come_back(rows: Rows) -> None:
    for _ in range(3):
        rows.add("queued")

    answer = rows.client.post("/ogcapi/processes/MIRROR/execution", json=ORDER)

    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    assert len(rows.listed("")) == 3
