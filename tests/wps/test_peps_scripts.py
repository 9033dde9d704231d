"""The steps of the public PEPS scripts, which read the answers as text (maja_peps, AMALTHEE)."""

import base64
import json
from urllib.parse import urlsplit

import pytest
import requests

pytestmark = pytest.mark.client


def submit(url: str, inputs: str) -> list[str]:
    """Send an order as full_maja_process.py does: lower-case words, nothing encoded."""
    answer = requests.get(
        f"{url}/resto/wps?request=execute&service=WPS&version=1.0.0&identifier=FULL_MAJA"
        f"&datainputs={inputs}&status=true&storeExecuteResponse=true",
        timeout=20,
    )
    assert answer.status_code == 200
    return answer.text.splitlines()


def status_location(lines: list[str]) -> str:
    (line,) = [one for one in lines if one.startswith("<wps:ExecuteResponse")]
    return line.split('statusLocation="')[1].split('">')[0]


def last_reference(text: str) -> str:
    line = [one for one in text.splitlines() if "<wps:Reference" in one][-1]
    return line.split('href="')[1].split('"')[0]


def test_full_maja_from_order_to_result(url, ledger):
    lines = submit(url, "tileid=31TCJ;relativeOrbitNumber=51;startDate=2018-01-01")
    assert any("Process FULL_MAJA accepted" in line for line in lines)
    location = status_location(lines)
    job_id = location.rpartition("pywps-")[2].removesuffix(".xml")

    report = last_reference(requests.get(location, timeout=20).text)
    assert requests.get(report, timeout=20).json()["USER_INFO"]["job_status"] == "PENDING"
    ledger.set(job_id, state="running", progress=45, message="31TCJ")
    running = requests.get(report, timeout=20)
    assert '"percentCompleted": 45,' in running.text
    assert running.json()["USER_INFO"]["process"] == "45%"

    ledger.succeed(job_id)
    (result,) = [
        line.strip().strip(',"')
        for line in requests.get(report, timeout=20).text.splitlines()
        if ".zip" in line
    ]
    assert requests.get(result, timeout=20).content[:256] == bytes(range(256))


def test_a_failed_order_gives_message_and_log(url, ledger):
    location = status_location(submit(url, "tileid=31TCJ"))
    job_id = location.rpartition("pywps-")[2].removesuffix(".xml")
    ledger.set(job_id, state="failed", message="No product of 31TCJ in January")

    report = requests.get(last_reference(requests.get(location, timeout=20).text), timeout=20)

    information = report.json()["USER_INFO"]
    assert information["job_status"] == "ERROR"
    assert information["message"] == "No product of 31TCJ in January"
    assert requests.get(information["logs"][0], timeout=20).status_code == 200


def test_base64_of_a_search_address_reaches_the_job_unharmed(url, ledger):
    address = "https://peps.cnes.fr/resto/api/collections/S2ST/search.json?q=~~~>>>&maxRecords=50"
    encoded = base64.b64encode(address.encode()).decode()
    assert "+" in encoded
    assert encoded.endswith("=")

    submit(url, f"tileid={encoded}")

    (received,) = ledger.submitted[0]["inputs"]["tileid"]
    assert base64.b64decode(received).decode() == address


def test_links_follow_the_configured_address(config, engine, ledger, monkeypatch):
    from dataclasses import replace

    from werkzeug.test import Client

    from peps_wps.app import create_app
    from tests.wps.stand_in import FullMaja

    public = replace(config, server=replace(config.server, url="https://peps.example.org/"))
    client = Client(create_app(public, engine, processes=(FullMaja,)))
    job = ledger.insert()

    text = client.get(f"/resto/wps/outputs/pywps-{job.id}.xml").text
    report = client.get(f"/resto/wps/outputs/{job.id}/report-{job.id}.json").json

    assert status_location(text.splitlines()).startswith("https://peps.example.org/resto/wps/")
    assert urlsplit(json.dumps(report["USER_INFO"]["logs"])).path
    assert report["USER_INFO"]["logs"][0].startswith("https://peps.example.org/resto/wps/")
