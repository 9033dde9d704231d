"""Metrics: what Prometheus reads is what happened, whatever process it asks."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update
from werkzeug.test import Client

from catalog_db import counters, times
from catalog_db.access.events import Event, record
from catalog_db.processing import job_queue
from catalog_db.tables import (
    mirror_content,
    mirror_day,
    mirror_mark,
    mirror_product,
    recall,
)
from catalog_db.times import to_us
from peps_wps import jobs
from peps_wps.app import create_app
from peps_wps.metrics import SearchMeter
from peps_wps.metrics.search_meter import class_of
from peps_wps.resto.query import parse_search
from tests.archive_world import ArchiveWorld
from tests.web.busy_archive import fill

Samples = dict[str, dict[tuple[str, ...], float]]


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[ArchiveWorld]:
    world = ArchiveWorld(tmp_path, PEPS_CATALOG_URL=database_url)
    yield world
    world.engine.dispose()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service that asks for credentials."""
    world = ArchiveWorld(tmp_path_factory.mktemp("guarded"), PEPS_AUTH_MODE="basic")
    yield web_process(world)
    world.engine.dispose()


def web_process(world: ArchiveWorld) -> Client:
    return Client(create_app(world.config, world.engine, processes=()))


def scraped(client: Client) -> Samples:
    """What Prometheus itself reads of an answer: name and labels of each sample."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    samples: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            samples.setdefault(sample.name, {})[labels] = sample.value
    return samples


def test_what_the_archive_does_is_counted_once_wherever_it_is_asked(world):
    uids = [world.add(f"P{n}", b"x" * 1000) for n in range(3)]
    archive = world.archive
    archive.request(uids[:2], user="u", purpose="p")
    waiting = scraped(web_process(world))
    while world.service().run_once():
        pass
    archive.request(uids[:1], user="v", purpose="p")

    for client in (web_process(world), web_process(world)):
        found = scraped(client)
        assert waiting["stage_queue_length"][("queued",)] == 2
        assert found["stage_queue_length"] == {("queued",): 0, ("running",): 0}
        assert found["recalls_total"][("done",)] == 2
        assert found["recall_bytes_total"] == {("simtape",): 2000}
        assert found["mounts_total"][("simtape",)] >= 1
        assert (found["cache_hits_total"][()], found["cache_misses_total"][()]) == (1, 2)
        assert found["cache_hit_ratio"][()] == pytest.approx(1 / 3)
        assert found["stage_wait_seconds_count"][()] == 2
        assert found["stage_wait_seconds_bucket"][("+Inf",)] == 2
        assert found["pool_bytes"][("used",)] == 2000
        assert found["pool_bytes"][("pinned",)] == 2000
        assert 0 < found["drive_busy_ratio"][("simtape",)] <= 1
        assert found["drives"][("simtape",)] == world.config.tape.drives


def test_searches_of_all_web_processes_come_together(world):
    world.add("P1", b"bytes")
    first, second = web_process(world), web_process(world)
    for client, number in ((first, 3), (second, 2)):
        for _ in range(number):
            client.get("/resto/api/collections/S1/search.json?productType=GRD")
    first.get("/stac/search?bbox=1,43,3,44")
    first.get("/resto/api/collections/S1/search.json?identifier=P1")
    scraped(second)  # each brings its own when it is asked

    found = scraped(first)
    numbers = found["catalog_search_seconds_count"]
    assert numbers == {("attributes",): 5, ("identifier",): 1, ("region",): 1}
    assert found["catalog_search_seconds_sum"][("attributes",)] > 0
    assert scraped(first)["catalog_search_seconds_count"] == numbers


def test_a_search_is_counted_when_its_database_is_back(world):
    meter = SearchMeter(world.engine)
    meter.observe("time", 0.02)
    with world.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE counter RENAME TO away")
    meter.flush()
    with world.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO counter")
    meter.flush()
    meter.flush()

    with world.engine.connect() as connection:
        totals = counters.totals(connection)
    assert totals == {("searches", "time:0.025"): 1, ("search_us", "time"): 20_000}


@pytest.mark.parametrize(
    ("parameters", "query_class"),
    [
        ({}, "all"),
        ({"productType": "GRD"}, "attributes"),
        ({"startDate": "2021-08-09"}, "time"),
        ({"box": "1,43,3,44"}, "region"),
        ({"box": "1,43,3,44", "completionDate": "2021-08-09"}, "region_time"),
        ({"identifier": "P1", "box": "1,43,3,44"}, "identifier"),
    ],
)
def test_a_search_is_of_the_class_that_narrows_it_most(parameters, query_class):
    assert class_of(parse_search("S1", parameters).query) == query_class


def test_jobs_are_counted_where_they_stand_and_when_they_end(tmp_path, database_url):
    chains = {"PEPS_PROCESSING_CHAINS": "tests.jobs.stand_in_chains"}
    world = ArchiveWorld(tmp_path, PEPS_CATALOG_URL=database_url, **chains)

    def order() -> str:
        return jobs.submit(world.engine, world.config, process="STAND_IN", inputs={}, owner="u").id

    waiting, failed, dismissed = order(), order(), order()
    with world.engine.begin() as connection:
        assert job_queue.fail(connection, failed, "for the test")
        assert not job_queue.fail(connection, failed, "again")
    jobs.dismiss(world.engine, world.config, dismissed)

    found = scraped(web_process(world))
    with world.engine.connect() as connection:
        statement = "SELECT kind, user, events FROM daily_use"
        assert connection.exec_driver_sql(statement).all() == [("wps", "u", 2)]
    world.engine.dispose()
    assert waiting
    assert found["wps_jobs"] == {("STAND_IN", "queued"): 1}
    ended = {("STAND_IN", "failed"): 1, ("STAND_IN", "dismissed"): 1}
    assert found["wps_jobs_ended_total"] == ended


def test_downloads_are_those_of_the_events(world):
    now = times.now()
    with world.engine.begin() as connection:
        record(
            connection,
            [
                Event(now, "download", "u", platform="S1A", size_bytes=5),
                Event(now, "download", "v", platform="S2B", size_bytes=7, status="broken"),
            ],
        )
    found = scraped(web_process(world))

    assert found["downloads_total"] == {("broken",): 1, ("done",): 1}
    assert found["download_bytes_total"] == {("S1A",): 5, ("S2B",): 7}
    assert found["downloads_running"] == {(): 0}


def announce(world: ArchiveWorld, state: str, hours_ago: float, took_hours: float | None) -> None:
    """Write down a product of a mirror as announced, and as mirrored if it took a time."""
    announced = times.now() - timedelta(hours=hours_ago)
    with world.engine.begin() as connection:
        number = connection.exec_driver_sql("SELECT count(*) FROM mirror_product").scalar_one()
        key = connection.execute(
            insert(mirror_product)
            .values(
                source="hub",
                hub_id=str(number),
                selection="s",
                collection="S1",
                name=f"P{number}",
                size_bytes=1000,
                published_us=to_us(announced),
                modified_us=to_us(announced),
                announced_us=to_us(announced),
                priority=0,
                state=state,
            )
            .returning(mirror_product.c.id)
        ).scalar_one()
        if took_hours is not None:
            connection.execute(
                insert(mirror_content).values(
                    product=key,
                    file=1,
                    checksum="",
                    announced_us=to_us(announced),
                    mirrored_us=to_us(announced + timedelta(hours=took_hours)),
                )
            )


def test_a_mirror_tells_its_backlog_and_its_delay(world):
    world.add("P1", b"bytes")
    with world.engine.begin() as connection:
        connection.execute(
            insert(mirror_mark).values(source="hub", selection="s", subject="published", until_us=0)
        )
    announce(world, "done", hours_ago=10, took_hours=2)
    announce(world, "done", hours_ago=60, took_hours=52)  # late
    announce(world, "done", hours_ago=400, took_hours=1)  # long ago
    announce(world, "waiting", hours_ago=50, took_hours=None)  # late, and not here
    announce(world, "fetching", hours_ago=1, took_hours=None)
    note = {"size_bytes": 0, "traffic_bytes": 0, "requests": 0, "refusals": 0, "products": 0}
    with world.engine.begin() as connection:
        for day in (1, 2):
            key = {"source": "hub", "collection": "S1", "day": day}
            connection.execute(insert(mirror_day).values(**key, **note, corrupt=2))
    client = web_process(world)

    found = scraped(client)
    assert found["checksum_failures_total"] == {("mirror",): 4}
    assert found["mirror_backlog_products"] == {("hub",): 2}
    assert found["mirror_backlog_bytes"] == {("hub",): 2000}
    assert found["mirror_oldest_seconds"][("hub",)] == pytest.approx(50 * 3600, abs=60)
    assert found["mirror_delay_seconds"][("hub",)] == pytest.approx(27 * 3600)
    assert found["mirror_in_time_ratio"][("hub",)] == pytest.approx(1 / 3)


def test_alerts_are_told_by_health_too(world, monkeypatch):
    uid = world.add("P1", b"bytes")
    client = web_process(world)
    health = "peps_wps.web.health._CHECKS"
    monkeypatch.setattr(health, {})
    assert client.get("/health").json["alerts"] == []

    world.archive.request([uid], user="u", purpose="p")
    with world.engine.begin() as connection:
        asked_us = to_us(times.now() - timedelta(hours=3))
        connection.execute(update(recall).values(created_us=asked_us))
    monkeypatch.setattr("peps_wps.metrics.alerts.LEAST_FREE", 2.0)
    world.config.storage.path.mkdir(exist_ok=True)
    answer = client.get("/health")

    assert answer.status_code == 200
    late, full, *_ = answer.json["alerts"]
    assert late == "the oldest recall has waited for 3.0 h, expected at most 1.0 h"
    assert "percent of the disk of pool are free, expected 200" in full


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        ("192.0.2.1", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 401),  # by a proxy that nobody told of
        ("no address", {}, 401),
    ],
)
def test_metrics_are_told_to_known_networks_only(guarded, address, headers, status):
    environ = {"REMOTE_ADDR": address}

    assert guarded.get("/metrics", headers=headers, environ_base=environ).status_code == status


def test_a_scrape_with_ten_thousand_requests_takes_a_moment(world):
    fill(world.engine, requests=10_000, replicas=2000)
    client = web_process(world)
    scraped(client)

    def once() -> float:
        begun = time.process_time()
        assert client.get("/metrics").status_code == 200
        return time.process_time() - begun

    assert min(once() for _ in range(5)) < 0.05
