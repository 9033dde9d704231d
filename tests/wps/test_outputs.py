"""Files of a job: whole, in ranges, and none but its own."""

import json
import shutil

import pytest

OUTPUTS = "/resto/wps/outputs"
CONTENT = bytes(range(256)) * 40


@pytest.fixture
def job_id(ledger) -> str:
    job = ledger.insert(title="Toulouse")
    ledger.succeed(job.id)
    return job.id


def test_a_result_is_served_whole(client, job_id):
    response = client.get(f"{OUTPUTS}/{job_id}/31TCJ.zip", buffered=True)

    assert response.data == CONTENT
    assert response.headers["Content-Length"] == "10240"
    assert response.mimetype == "application/zip"
    assert "31TCJ.zip" in response.headers["Content-Disposition"]


def test_a_range_of_a_result_is_served(client, job_id):
    response = client.get(
        f"{OUTPUTS}/{job_id}/31TCJ.zip", headers={"Range": "bytes=100-299"}, buffered=True
    )

    assert (response.status_code, response.data) == (206, CONTENT[100:300])
    assert response.headers["Content-Range"] == "bytes 100-299/10240"


@pytest.mark.parametrize("way", ["removed", "expired"])
def test_lost_results_are_gone_and_the_status_document_stays(client, ledger, config, job_id, way):
    if way == "removed":
        shutil.rmtree(config.results.path / job_id)
    else:
        ledger.set(job_id, results=None)

    lost = client.get(f"{OUTPUTS}/{job_id}/31TCJ.zip")
    assert lost.status_code == 410
    assert "the results of this job" in lost.text
    status = client.get(f"{OUTPUTS}/pywps-{job_id}.xml")
    assert status.status_code == 200
    assert "ProcessSucceeded" in status.text


def test_a_result_is_not_sent_twice(client, job_id):
    first = client.get(f"{OUTPUTS}/{job_id}/31TCJ.zip", buffered=True)

    again = client.get(
        f"{OUTPUTS}/{job_id}/31TCJ.zip", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "name",
    [
        "absent.zip",
        "../secret.txt",
        "..%2Fsecret.txt",
        "%2e%2e/secret.txt",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "link.txt",
        "folder",
        ".",
        "%00",
        "a" * 300,
    ],
)
def test_nothing_outside_the_folder_of_the_job_is_served(client, job_id, config, name):
    folder = config.results.path / job_id
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "folder").mkdir()

    response = client.get(f"{OUTPUTS}/{job_id}/{name}", follow_redirects=True)

    assert response.status_code == 404
    assert "secret" not in response.text.replace("secret.txt", "")


@pytest.mark.parametrize("state", ["running", "failed"])
def test_what_a_job_left_that_did_not_succeed_is_not_served(client, ledger, job_id, state):
    ledger.set(job_id, state=state)

    assert client.get(f"{OUTPUTS}/{job_id}/31TCJ.zip").status_code == 404


def test_the_report_has_one_key_or_item_a_line(client, job_id):
    response = client.get(f"{OUTPUTS}/{job_id}/report-{job_id}.json")
    lines = [line.strip() for line in response.text.splitlines()]

    assert '"percentCompleted": 100,' in lines
    assert f'"http://localhost{OUTPUTS}/{job_id}/31TCJ.zip",' in lines
    finished = next(number for number, line in enumerate(lines) if "FINISHED" in line)
    assert finished < next(number for number, line in enumerate(lines) if "zip" in line)


def test_the_report_holds_what_the_chain_reports(client, ledger, job_id, config):
    written = {"USER_INFO": "not this", "tiles": ["31TDJ"]}
    address = f"{OUTPUTS}/{job_id}/report-{job_id}.json"
    assert client.get(address).json["tiles"] == ["31TCJ"]

    (config.results.path / job_id / "s1.json").write_text(json.dumps(written))
    ledger.set(job_id, results={"report": {"href": "s1.json", "type": "application/json"}})

    report = client.get(address).json
    assert report["tiles"] == ["31TDJ"]
    assert report["USER_INFO"]["title"] == "Toulouse"


def test_the_log_shows_events_and_no_stack(client, job_id):
    report = client.get(f"{OUTPUTS}/{job_id}/report-{job_id}.json").json

    log = client.get(report["USER_INFO"]["logs"][0]).text

    assert log.endswith(" Accepted\n")
    assert "Traceback" not in log


def test_an_unknown_job_has_no_files(client):
    job_id = "00000000-0000-4000-8000-000000000000"

    assert client.get(f"{OUTPUTS}/{job_id}/report-{job_id}.json").status_code == 404
