"""The status document: valid in every state, laid out as the PEPS scripts read it."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from lxml import etree

from tests.wps.stand_in import NAMES, document

OUTPUTS = "/resto/wps/outputs"
STATES = {
    "accepted": {},
    "staging": {"state": "staging", "message": "2 of 3 products recalled"},
    "queued": {"state": "queued", "message": ""},
    "running": {"state": "running", "attempt": 1, "progress": 100, "message": "Cut <31TCJ> & co"},
    "retried": {"state": "running", "attempt": 2, "progress": 0, "message": ""},
    "succeeded": {"state": "succeeded", "results": {"tiles": {"value": "1"}}},
    "failed": {"state": "failed", "message": "No height\x00 for 31TCJ", "error_code": "DemError"},
    "dismissed": {"state": "dismissed"},
}
TAGS = {
    "accepted": "ProcessAccepted",
    "staging": "ProcessAccepted",
    "queued": "ProcessAccepted",
    "running": "ProcessStarted",
    "retried": "ProcessStarted",
    "succeeded": "ProcessSucceeded",
    "failed": "ProcessFailed",
    "dismissed": "ProcessFailed",
}
REPORTED = {
    "accepted": "PENDING",
    "staging": "PENDING",
    "queued": "PENDING",
    "running": "STALLED",
    "retried": "STALLED",
    "succeeded": "FINISHED",
    "failed": "ERROR",
    "dismissed": "CANCELED",
}


def in_state(ledger, state: str, **options):
    job = ledger.insert(response_options={"identifier": "FULL_MAJA", **options})
    if STATES[state]:
        ledger.set(job.id, **STATES[state])
    return job


@pytest.mark.wps100
@pytest.mark.parametrize("lineage", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_the_document_is_valid_in_every_state(client, ledger, wps_schema, state, lineage):
    job = in_state(ledger, state, lineage=lineage)

    root = document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml"))

    wps_schema.assertValid(root)
    assert root.find(f"wps:Status/wps:{TAGS[state]}", NAMES) is not None
    assert (root.find("wps:DataInputs", NAMES) is not None) == lineage


@pytest.mark.parametrize("state", STATES)
def test_every_view_tells_the_same_state(client, ledger, state):
    job = in_state(ledger, state)
    address = f"{OUTPUTS}/pywps-{job.id}.xml"

    vendor = client.get(f"/wps?service=WPS&request=GetStatus&jobid={job.id}")
    report = client.get(f"{OUTPUTS}/{job.id}/report-{job.id}.json").json

    status = etree.tostring(document(client.get(address)).find("wps:Status", NAMES)[0])
    assert etree.tostring(document(vendor).find("wps:Status", NAMES)[0]) == status
    assert report["USER_INFO"]["job_status"] == REPORTED[state]


@pytest.mark.parametrize("state", STATES)
def test_the_lines_are_those_the_peps_scripts_look_for(client, ledger, state):
    job = in_state(ledger, state)
    lines = client.get(f"{OUTPUTS}/pywps-{job.id}.xml").text.splitlines()

    (start,) = [line for line in lines if line.startswith("<wps:ExecuteResponse")]
    assert start.split('statusLocation="')[1].split('">')[0] == (
        f"http://localhost{OUTPUTS}/pywps-{job.id}.xml"
    )
    references = [line for line in lines if "<wps:Reference" in line]
    assert re.findall('href="(.*?)"', references[-1]) == [
        f"http://localhost{OUTPUTS}/{job.id}/report-{job.id}.json"
    ]


def test_the_report_is_the_third_child_of_the_first_output_from_acceptance_on(client, ledger):
    job = in_state(ledger, "accepted")

    root = document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml"))

    assert root[2][0][2].get("href").endswith(f"report-{job.id}.json")


def test_the_service_instance_is_escaped_once(client, ledger):
    job = in_state(ledger, "accepted")

    text = client.get(f"{OUTPUTS}/pywps-{job.id}.xml").text

    assert 'serviceInstance="http://localhost/resto/wps?service=WPS&amp;request=Get' in text


def test_percent_is_below_100_until_the_job_has_ended(client, ledger):
    job = in_state(ledger, "running")

    started = document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml")).find(
        "wps:Status/wps:ProcessStarted", NAMES
    )

    step, _, time_left = started.text.partition("; ")
    assert (started.get("percentCompleted"), step) == ("99", "Cut <31TCJ> & co")
    assert time_left == "about 1 s left"  # the least that is told


def test_a_waiting_job_says_what_it_waits_for(client, ledger):
    job = in_state(ledger, "staging")

    accepted = document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml")).find(
        "wps:Status/wps:ProcessAccepted", NAMES
    )

    assert accepted.text.startswith("Process FULL_MAJA accepted")
    assert "2 of 3 products recalled" in accepted.text


def test_a_retry_says_which_attempt_it_is(client, ledger):
    job = in_state(ledger, "retried")

    started = document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml")).find(
        "wps:Status/wps:ProcessStarted", NAMES
    )

    assert started.text.startswith("Attempt 2 of 3")


@pytest.mark.wps100
def test_results_are_referred_to_and_the_report_comes_last(client, ledger, wps_schema):
    job = in_state(ledger, "accepted")
    ledger.succeed(job.id)

    root = document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml"))

    wps_schema.assertValid(root)
    identifiers = root.xpath(
        "wps:ProcessOutputs/wps:Output/ows:Identifier/text()", namespaces=NAMES
    )
    assert identifiers == ["archive", "notes", "tiles", "report"]
    assert root.xpath("string(//wps:LiteralData)", namespaces=NAMES) == "1"


@pytest.mark.wps100
@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([{"identifier": "archive", "as_reference": True}], ["archive"]),
        ([{"identifier": "notes", "as_reference": False}], ["notes"]),
        ([{"identifier": "report"}, {"identifier": "archive"}], ["archive", "report"]),
    ],
)
def test_only_the_outputs_asked_for_are_given(client, ledger, wps_schema, outputs, expected):
    job = in_state(ledger, "accepted", outputs=outputs)
    ledger.succeed(job.id)

    root = document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml"))

    wps_schema.assertValid(root)
    identifiers = root.xpath(
        "wps:ProcessOutputs/wps:Output/ows:Identifier/text()", namespaces=NAMES
    )
    assert identifiers == expected


@pytest.mark.wps100
def test_outputs_wanted_inline_are_in_the_document(client, ledger, wps_schema):
    names = ("archive", "notes", "report")
    job = in_state(
        ledger,
        "accepted",
        outputs=[{"identifier": name, "as_reference": False} for name in names],
        lineage=True,
    )
    ledger.succeed(job.id)

    root = document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml"))

    wps_schema.assertValid(root)
    archive, notes, report = root.findall("wps:ProcessOutputs/wps:Output//wps:ComplexData", NAMES)
    assert archive.get("encoding") == "base64"
    assert notes.text == "clear & <dry>"
    assert json.loads(report.text)["USER_INFO"]["job_status"] == "FINISHED"


def test_lineage_repeats_inputs_under_the_names_of_the_client(client, ledger):
    job = ledger.insert(
        inputs={"tileid": ["31TCJ"], "startDate": ["2018-01-01", "2018-02-01"]},
        response_options={"identifier": "maja-s2", "lineage": True},
    )

    root = document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml"))

    given = [
        (
            one.findtext("ows:Identifier", None, NAMES),
            one.findtext(".//wps:LiteralData", None, NAMES),
        )
        for one in root.findall("wps:DataInputs/wps:Input", NAMES)
    ]
    assert given == [
        ("tile-name", "31TCJ"),
        ("startDate", "2018-01-01"),
        ("startDate", "2018-02-01"),
    ]


def test_expired_results_are_said_to_be_gone(client, ledger):
    job = in_state(ledger, "accepted")
    ledger.succeed(job.id)
    ledger.set(job.id, results=None, message="Finished; the results have expired")

    root = document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml"))

    assert "expired" in root.findtext("wps:Status/wps:ProcessSucceeded", None, NAMES)
    assert len(root.findall("wps:ProcessOutputs/wps:Output", NAMES)) == 1


def test_an_unknown_job_is_not_found(client):
    response = client.get(f"{OUTPUTS}/pywps-00000000-0000-4000-8000-000000000000.xml")

    assert response.status_code == 404
    assert document(response).find("ows:Exception", NAMES).get("exceptionCode") == "NoSuchJob"


def test_a_job_of_a_process_no_longer_offered_still_has_a_document(client, ledger, wps_schema):
    job = ledger.insert(process="GONE")

    wps_schema.assertValid(document(client.get(f"{OUTPUTS}/pywps-{job.id}.xml")))


def test_twenty_pollers_never_get_less_than_a_whole_document(url, ledger, wps_schema):
    job = in_state(ledger, "running")
    address = f"{url}{OUTPUTS}/pywps-{job.id}.xml"

    def poll(number: int) -> bytes:
        ledger.set(job.id, progress=number % 100, message=f"Step {number}")
        answer = requests.get(address, timeout=20)
        assert answer.status_code == 200
        return answer.content

    with ThreadPoolExecutor(20) as pool:
        documents = list(pool.map(poll, range(100)))

    for one in documents:
        wps_schema.assertValid(etree.fromstring(one))
