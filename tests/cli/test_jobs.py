"""`peps jobs` on a server, and what the others tell of expected times, against its database."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from catalog_db.tables import job as table
from peps_wps import cli
from peps_wps.client import jobs as client_jobs
from tests.jobs.job_house import House, opened_house
from tests.jobs.served_house import Served, served


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened_house(tmp_path_factory.mktemp("jobs")) as house:
        yield house


@pytest.fixture(scope="module")
def service(house: House) -> Iterator[Served]:
    with served(house) as service, requests.Session() as session:
        house.wait(service.order(session, seconds=0))
        house.wait(service.order(session, behaviour="chain error"))
        service.order(session, seconds=600)
        yield service


@pytest.fixture
def listed(service: Served, capsys: pytest.CaptureFixture[str]):
    """Run `peps jobs --json` on the service; return what it lists."""

    def run(*options: str) -> list[dict[str, object]]:
        assert cli.main(["jobs", "--json", "--url", service.url, *options]) == 0
        found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
        return found

    return run


@pytest.mark.parametrize(
    ("options", "states"),
    [
        ([], ["running", "failed", "succeeded"]),
        (["--state", "succeeded"], ["succeeded"]),
        (["--state", "failed", "--state", "running"], ["running", "failed"]),
        (["--state", "queued"], []),
        (["--limit", "2"], ["running", "failed"]),
        (["--process", "S1_ORTHO", "--limit", "1"], ["running"]),
        (["--process", "echo"], []),
    ],
)
def test_jobs_are_listed_newest_first_and_by_filter(
    house: House, listed, options: list[str], states: list[str]
) -> None:
    running = listed("--limit", "1")[0]["id"]
    house.wait(str(running), "running")

    assert [job["state"] for job in listed(*options)] == states


@pytest.mark.parametrize("process", ["PROCESSING_STATUS", "STATUS"])
def test_what_answers_at_once_is_printed(
    service: Served, listed, capsys: pytest.CaptureFixture[str], process: str
) -> None:
    (job,) = listed("--state", "succeeded")
    order = ["execute", process, f"wps_id={job['id']}", "--url", service.url]
    assert cli.main(order) == 0
    report = json.loads(capsys.readouterr().out)
    assert cli.main([*order, "--json", "--watch"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert report["USER_INFO"]["job_status"] == "FINISHED"
    assert (told["state"], json.loads(told["outputs"][0]["value"])) == ("succeeded", report)


def test_jobs_of_several_pages_are_listed_once(listed, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [job["id"] for job in listed()]
    monkeypatch.setattr(client_jobs, "_LARGEST_PAGE", 1)

    assert [job["id"] for job in listed()] == whole
    assert len(set(whole)) == 3


def test_jobs_since_an_instant_are_those_accepted_later(house: House, listed) -> None:
    times = [datetime.fromisoformat(str(job["created"])) for job in listed()]
    between = (times[1] + (times[0] - times[1]) / 2).astimezone(UTC)

    assert len(listed("--since", between.isoformat())) == 1
    assert listed("--since", (times[0] + timedelta(hours=1)).isoformat()) == []
    assert len(listed("--since", "2000-01-01")) == 3  # of UTC where no zone is said


def test_a_list_for_a_person_is_a_line_each(
    service: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["jobs", "--url", service.url, "--state", "failed"]) == 0
    (line,) = capsys.readouterr().out.splitlines()

    assert "failed" in line
    assert "The measurement ends at byte 17, expected 40" in line


def test_the_time_that_is_left_is_told_while_a_job_runs(
    house: House, service: Served, listed
) -> None:
    (running,) = listed("--state", "running")
    with house.engine.begin() as connection:
        # Half done in a minute.
        claimed_us = table.c.claimed_us - 60_000_000
        change = {"progress": 50, "claimed_us": claimed_us}
        connection.execute(table.update().where(table.c.id == running["id"]).values(change))
    url = f"{service.url}/resto/wps/outputs/pywps-{running['id']}.xml"
    document = requests.get(url, timeout=30).text
    status = requests.get(f"{service.url}/ogcapi/jobs/{running['id']}", timeout=30).json()

    assert "left</wps:ProcessStarted>" in document
    assert "left" in status["message"]
    finish = datetime.fromisoformat(status["expectedFinish"])
    assert timedelta(0) < finish - datetime.now(UTC) < timedelta(minutes=3)


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", ""])
def test_what_is_no_time_is_a_wrong_command_line(since: str) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["jobs", "--since", since])
    assert left.value.code == 2


def test_a_server_that_is_not_there_or_no_server_of_jobs_is_told(
    service: Served, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["jobs", "--url", "http://127.0.0.1:9"]) == 3
    assert cli.main(["jobs", "--url", f"{service.url}/absent"]) == 4
    assert "no server answers" in capsys.readouterr().err
