"""The public PEPS scripts from order to result, against workers: they read answers as text.

Facts: olivierhagolle/maja_peps, full_maja_process.py, full_maja_download.py,
peps_maja_download.py; CNES's launch_amalthee.py.
"""

import base64
import re

import pytest
import requests
from lxml import etree

from tests.patience import until
from tests.wps.serving import Served

pytestmark = [pytest.mark.client, pytest.mark.slow]

# The script writes it with the ampersand where it has no orbit, and without where it has one.
ORDERS = (
    "startDate=2018-01-01;completionDate=2018-03-10;tileid=31TCJ;relativeOrbitNumber=51",
    "startDate=2018-01-01&completionDate=2018-03-10;tileid=31TCJ",
)


def get(url: str) -> str:
    answer = requests.get(url, auth=("someone@cnes.fr", "secret"), timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text


def submit(served: Served, identifier: str, inputs: str) -> str:
    """Return the log that full_maja_process.py writes."""
    return get(
        f"{served.url}/resto/wps?request=execute&service=WPS&version=1.0.0"
        f"&identifier={identifier}&datainputs={inputs}&status=true&storeExecuteResponse=true"
    )


def state_of(served: Served, wps_id: str, *, bracketed: bool) -> tuple[int, str, str | None]:
    """Return what peps_maja_download.py reads, line by line, of PROCESSING_STATUS."""
    inputs = f"[wps_id={wps_id}]" if bracketed else f"wps_id={wps_id}"
    percent, status, download_url = -1, "computing", None
    for line in get(
        f"{served.url}/resto/wps?service=WPS&request=execute&version=1.0.0"
        f"&identifier=PROCESSING_STATUS&datainputs={inputs}"
    ).splitlines():
        if line.find("percentCompleted") > 0:
            percent = int(line.split(":")[1].split(",")[0])
        if line.find("FINISHED") > 0:
            status = "finished"
        if line.find("CANCELED") > 0:
            status = "canceled"
        if line.find("zip") >= 0 and status == "finished":
            download_url = line.split('"')[1]
    return percent, status, download_url


@pytest.mark.parametrize("order", ORDERS)
def test_full_maja_from_order_to_result(served, order):
    log = submit(served, "FULL_MAJA", order)
    assert "Process FULL_MAJA accepted" in log
    (line,) = [one for one in log.splitlines() if one.startswith("<wps:ExecuteResponse")]
    wps_id = line.split("pywps-")[1].split(".xml")[0]
    status_url = line.split('statusLocation="')[1].split('">')[0]

    def report() -> dict:
        lines = [one for one in get(status_url).splitlines() if "<wps:Reference" in one]
        return requests.get(lines[-1].split('href="')[1].split('"')[0], timeout=60).json()

    until(lambda: report()["USER_INFO"]["job_status"] == "FINISHED", 60)
    status = (
        f"{served.url}/resto/wps?request=execute&service=WPS&version=1.0.0&identifier="
        f"PROCESSING_STATUS&datainputs=wps_id={wps_id}&status=false&storeExecuteResponse=false"
    )
    assert "FINISHED" in get(status)
    results = report()["USER_INFO"]["results"]
    assert [url.split("/")[-1] for url in results] == ["31TCJ.zip", "31TCJ.png"]
    assert requests.get(results[0], timeout=60).content.startswith(b"PK")


@pytest.mark.parametrize("bracketed", [False, True])
def test_the_text_of_a_state_is_what_the_script_looks_for(served, bracketed):
    log = submit(served, "FULL_MAJA", "tileid=31TCJ")
    (wps_id,) = re.findall(r"pywps-([0-9a-f-]+)\.xml", log)

    until(lambda: state_of(served, wps_id, bracketed=bracketed)[1] == "finished", 60)

    percent, _, url = state_of(served, wps_id, bracketed=bracketed)
    assert percent == 100
    assert url.endswith("31TCJ.zip")
    assert requests.get(url, timeout=60).status_code == 200


def test_a_state_is_told_while_no_worker_is_free(served):
    """It needs none: the web application answers from the row."""
    wps_id = served.house.submit(seconds=20)

    percent, status, _ = state_of(served, wps_id, bracketed=True)

    assert (percent, status) == (0, "computing")
    requests.get(
        f"{served.url}/wps?service=WPS&request=Dismiss&jobid={wps_id}", timeout=60
    ).raise_for_status()
    assert state_of(served, wps_id, bracketed=True)[1] == "canceled"


def test_amalthee_finds_its_report_two_seconds_after_the_order(served):
    address = "https://peps.cnes.fr/resto/api/collections/S2ST/search.json?q=~~~>>>&maxRecords=50"
    encoded = base64.b64encode(address.encode()).decode()
    log = submit(served, "AMALTHEE", f"opensearch_request={encoded}")

    status_url = etree.fromstring(log.encode()).get("statusLocation")
    root = etree.fromstring(get(status_url).encode())
    (wps_id,) = re.findall(r"pywps-([0-9a-f-]+)\.xml", status_url)

    assert root[2][0][2].get("href").endswith(f"report-{wps_id}.json")
    status = (
        f"{served.url}/resto/wps?request=execute&service=WPS&version=1.0.0&identifier=STATUS"
        f"&datainputs=wps_id={wps_id}&status=false&storeExecuteResponse=false"
    )
    assert '"job_status"' in get(status)
    job = served.house.job(wps_id)
    assert base64.b64decode(job.inputs["opensearch_request"][0]).decode() == address


@pytest.mark.parametrize(
    ("datainputs", "expected"),
    [
        ("literalInput=a=b@c", "a=b@c"),
        ("[literalInput=a%3Bb%2Bc]", "a;b+c"),
        ("literalInput=x;pause=", "x"),
    ],
)
def test_values_reach_a_worker_and_come_back_as_they_were(served, datainputs, expected):
    text = get(
        f"{served.url}/resto/wps?request=execute&service=WPS&version=1.0.0&identifier=echo"
        f"&datainputs={datainputs}&rawdataoutput=literalOutput"
    )

    assert text == expected
