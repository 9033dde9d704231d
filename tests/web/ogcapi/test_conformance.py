"""The abstract tests of OGC 18-062r2, annex A, as ets-ogcapi-processes10 1.3 asserts them.

Requests are built from the description of the echo process, as that suite builds them. Documents
are read by the models of ogc-api-processes-client, generated from the schemas of OGC.
"""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from ogc_api_processes_client.models.conf_classes import ConfClasses
from ogc_api_processes_client.models.exception import Exception as Problem
from ogc_api_processes_client.models.job_list import JobList
from ogc_api_processes_client.models.landing_page import LandingPage
from ogc_api_processes_client.models.process import Process
from ogc_api_processes_client.models.process_list import ProcessList
from ogc_api_processes_client.models.status_info import StatusInfo

from tests.web.ogcapi.conformance_suite import JSON, WORD, Suite
from tests.web.ogcapi.conftest import Service

ats = pytest.mark.ogcapi

REL = "http://www.opengis.net/def/rel/ogc/1.0/"

CLASSES = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"

EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"

BOX = {
    "bbox": [51.9, 7, 52, 7.1],
    "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
}


def without(body: dict[str, Any], member: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != member}


@pytest.fixture(scope="module")
def suite(service: Service) -> Suite:
    return Suite(service)


@ats("/conf/core/http")
def test_the_server_speaks_http_1_1(suite: Suite) -> None:
    assert suite.get("/").raw.version in (10, 11)


@ats("/conf/core/landingpage-op", "/conf/core/landingpage-success")
def test_the_landing_page_leads_everywhere(suite: Suite) -> None:
    answer = suite.get("/")

    assert answer.status_code == 200
    links = {one.rel: one.href for one in LandingPage.from_dict(answer.json()).links}
    wanted = {"service-desc", "service-doc", REL + "conformance", REL + "processes"}
    assert wanted | {REL + "job-list"} <= links.keys()
    assert all(suite.get(href).status_code == 200 for href in links.values())


@ats("/conf/core/api-definition-op", "/conf/core/api-definition-success")
def test_the_definition_is_where_the_landing_page_says(suite: Suite) -> None:
    links = {one["rel"]: one for one in suite.get("/").json()["links"]}

    for relation in ("service-desc", "service-doc"):
        answer = suite.get(links[relation]["href"], Accept=links[relation]["type"])
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(links[relation]["type"])


@ats("/conf/core/conformance-op", "/conf/core/conformance-success")
def test_the_classes_are_declared(suite: Suite) -> None:
    answer = suite.get("/conformance")

    assert answer.status_code == 200
    assert CLASSES + "core" in ConfClasses.from_dict(answer.json()).conforms_to


@ats("/conf/core/process-list", "/conf/core/process-list-success")
def test_processes_are_listed(suite: Suite) -> None:
    answer = suite.get("/processes")

    assert answer.status_code == 200
    listed = ProcessList.from_dict(answer.json()).processes
    assert {one.id for one in listed} == {"echo", "MIRROR", "SLOW", "PROCESSING_STATUS"}


@ats("/conf/core/pl-limit-definition", "/conf/core/pl-limit-response", "/conf/core/pl-links")
def test_a_page_of_processes_is_no_longer_than_asked(suite: Suite) -> None:
    assert suite.get("/processes?limit=10").status_code == 200
    found, address = [], "/processes?limit=1"
    while address:
        page = suite.get(address).json()
        assert len(page["processes"]) == 1
        found += [one["id"] for one in page["processes"]]
        links = {one["rel"]: one["href"] for one in page["links"]}
        assert suite.get(links["self"]).json() == page
        address = links.get("next", "")
    assert found == [one["id"] for one in suite.get("/processes").json()["processes"]]


@ats("/conf/core/process", "/conf/core/process-success")
@ats("/conf/ogc-process-description/json-encoding")
@ats("/conf/ogc-process-description/inputs-def", "/conf/ogc-process-description/input-def")
@ats("/conf/ogc-process-description/outputs-def", "/conf/ogc-process-description/output-def")
@ats("/conf/ogc-process-description/input-mixed-type")
@ats("/conf/ogc-process-description/output-mixed-type")
def test_every_process_is_described(suite: Suite) -> None:
    for listed in suite.get("/processes").json()["processes"]:
        answer = suite.get(f"/processes/{listed['id']}")

        assert answer.status_code == 200
        described = answer.json()
        assert Process.from_dict(described).id == listed["id"]
        assert all("schema" in one for one in described["inputs"].values())
        assert all("schema" in one for one in described["outputs"].values())
    assert "oneOf" in suite.echo["inputs"]["complexInput"]["schema"]
    assert "oneOf" in suite.echo["outputs"]["complexOutput"]["schema"]


@ats("/conf/core/process-exception-no-such-process")
def test_an_unknown_process_is_said_to_be_unknown(suite: Suite) -> None:
    path = f"/processes/invalid-process-{uuid4()}"
    for answer in (suite.get(path), suite.execute({}, path.rpartition("/")[2])):
        assert answer.status_code == 404
        assert Problem.from_dict(answer.json()).type == EXCEPTIONS + "no-such-process"


@ats("/conf/core/job-creation-op", "/conf/core/job-creation-success-async", "/conf/core/job")
@ats("/conf/core/job-creation-auto-execution-mode", "/conf/core/job-success")
def test_an_asynchronous_order_is_a_job(suite: Suite) -> None:
    answer = suite.execute_async(suite.request())

    assert answer.status_code == 201
    assert StatusInfo.from_dict(answer.json()).process_id == "echo"
    status = suite.get(answer.headers["Location"])
    assert status.status_code == 200
    assert StatusInfo.from_dict(status.json()).job_id == answer.json()["jobID"]


@ats("/conf/core/job-creation-default-execution-mode")
def test_what_cannot_be_waited_for_is_asynchronous_by_itself(suite: Suite) -> None:
    assert suite.execute(suite.request()).status_code == 200
    assert suite.execute({"inputs": {"literalInput": WORD}}, "SLOW").status_code == 201


@ats("/conf/core/job-creation-request", "/conf/core/job-creation-inputs")
@ats("/conf/core/job-creation-input-inline", "/conf/core/job-creation-default-outputs")
def test_without_outputs_all_are_given(suite: Suite) -> None:
    answer = suite.execute(without(suite.request(), "outputs"))

    assert answer.status_code == 200
    assert set(answer.json()) == set(suite.echo["outputs"])


@ats("/conf/core/job-creation-input-array")
def test_an_array_is_taken_where_an_input_may_be_repeated(suite: Suite) -> None:
    for words in (["test1", "test2", "test3"], ["test1"]):
        assert suite.execute({"inputs": {"words": words}}, "MIRROR").status_code == 200


@ats("/conf/core/job-creation-input-inline-bbox")
def test_a_bounding_box_is_taken(suite: Suite) -> None:
    request = suite.request()
    request["inputs"]["boundingboxInput"] = BOX
    answer = suite.execute({**request, "response": "document"})

    assert answer.json()["boundingboxOutput"] == BOX


@ats("/conf/core/job-creation-input-binary")
def test_base64_is_taken(suite: Suite) -> None:
    picture = {"value": "AAECAw==", "format": {"mediaType": "image/tiff", "encoding": "base64"}}
    request = {"inputs": {"words": WORD, "picture": picture}}

    assert suite.execute(request, "MIRROR").status_code == 200


@ats("/conf/core/job-creation-input-inline-mixed", "/conf/core/job-creation-input-inline-object")
def test_an_object_is_taken(suite: Suite) -> None:
    request = suite.request()
    request["inputs"]["complexInput"] = {"value": {"a": [1]}, "mediaType": "application/json"}

    answer = suite.execute({**request, "response": "document"})

    assert answer.json()["complexOutput"] == request["inputs"]["complexInput"]


@ats("/conf/core/job-creation-input-validation")
def test_a_wrong_input_is_refused_in_json(suite: Suite) -> None:
    request = suite.request()
    request["inputs"]["complexInput"] = {"type": f"wrong/type_{uuid4()}"}

    answer = suite.execute(request)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/json")
    assert Problem.from_dict(answer.json()).type == "InvalidParameterValue"
    assert answer.json()["locator"] == "complexInput"


@ats("/conf/core/job-creation-input-ref")
def test_an_input_by_reference_is_fetched(suite: Suite) -> None:
    request = suite.request(response="document")
    request["inputs"]["literalInput"] = {"href": suite.service.library + "/words"}

    answer = suite.execute(request)

    assert answer.status_code == 200
    assert answer.json()["literalOutput"].startswith(WORD)


@ats("/conf/core/job-creation-sync-document")
def test_a_document_holds_every_output(suite: Suite) -> None:
    answer = suite.execute(suite.request(response="document"))

    assert answer.status_code == 200
    assert answer.json()["literalOutput"] == WORD
    assert set(answer.json()) == set(suite.echo["outputs"])


def one_output(suite: Suite, mode: str = "value") -> dict[str, Any]:
    return suite.request(outputs={"literalOutput": {"transmissionMode": mode}}, response="raw")


@ats("/conf/core/job-creation-sync-raw-value-one")
def test_one_raw_value_is_the_answer(suite: Suite) -> None:
    answer = suite.execute(one_output(suite))

    assert (answer.status_code, answer.text) == (200, WORD)
    assert answer.headers["Content-Type"].startswith("text/plain")


@ats("/conf/core/job-creation-sync-raw-value-multi", "/conf/core/job-creation-sync-raw-mixed-multi")
def test_several_raw_outputs_are_one_multipart_message(suite: Suite) -> None:
    request = suite.request(response="raw")
    request["outputs"]["complexOutput"] = {"transmissionMode": "reference"}
    for body in (suite.request(response="raw"), request):
        answer = suite.execute(body)

        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("multipart/related")
        assert WORD in answer.text
    assert "Content-Location: http" in answer.text


@ats("/conf/core/job-creation-sync-raw-ref")
def test_raw_references_are_links(suite: Suite) -> None:
    answer = suite.execute(one_output(suite, "reference"))

    assert (answer.status_code, answer.content) == (204, b"")
    address = re.findall(rf'<([^>]+)>; rel="{REL}results"', answer.headers["Link"])
    assert [suite.get(one).text for one in address] == [WORD]


@ats("/conf/core/job-results", "/conf/core/job-results-async-document")
def test_a_job_gives_its_document(suite: Suite) -> None:
    answer = suite.results(suite.execute_async(suite.request(response="document")))

    assert answer.status_code == 200
    assert answer.json()["literalOutput"] == WORD


@ats("/conf/core/job-results-async-raw-value-one")
def test_a_job_gives_one_raw_value(suite: Suite) -> None:
    answer = suite.results(suite.execute_async(one_output(suite)))

    assert (answer.status_code, answer.text) == (200, WORD)


@ats("/conf/core/job-results-async-raw-value-multi", "/conf/core/job-results-async-raw-mixed-multi")
def test_a_job_gives_several_raw_values(suite: Suite) -> None:
    answer = suite.results(suite.execute_async(suite.request(response="raw")))

    assert answer.headers["Content-Type"].startswith("multipart/related")
    assert WORD in answer.text


@ats("/conf/core/job-results-async-raw-ref")
def test_a_job_gives_raw_references(suite: Suite) -> None:
    answer = suite.results(suite.execute_async(one_output(suite, "reference")))

    assert (answer.status_code, answer.content) == (204, b"")


@ats("/conf/core/job-results-sync")
def test_a_synchronous_answer_links_to_its_job(suite: Suite) -> None:
    answer = suite.execute(suite.request())

    address = re.findall(r"<([^>]+)>; rel=monitor", answer.headers["Link"])
    assert suite.get(address[0]).json()["status"] == "successful"


@ats("/conf/core/job-exception-no-such-job", "/conf/core/job-results-exception-no-such-job")
def test_an_unknown_job_is_said_to_be_unknown(suite: Suite) -> None:
    for path in (f"/jobs/invalid-job-{uuid4()}", f"/jobs/{uuid4()}/results"):
        answer = suite.get(path)

        assert answer.status_code == 404
        assert Problem.from_dict(answer.json()).type == EXCEPTIONS + "no-such-job"


@ats("/conf/core/job-results-exception-results-not-ready")
def test_results_of_a_running_job_are_not_ready(suite: Suite) -> None:
    job = suite.execute_async({"inputs": {"literalInput": WORD, "pause": 60}})
    answer = suite.get(job.headers["Location"] + "/results")

    assert answer.status_code == 404
    assert Problem.from_dict(answer.json()).type == EXCEPTIONS + "result-not-ready"
    requests.delete(job.headers["Location"], timeout=30)


@ats("/conf/core/job-results-failed")
def test_results_of_a_failed_job_are_its_reason(suite: Suite) -> None:
    invalid = suite.execute({"invalid-execute-request": "true"})
    job = suite.execute({"inputs": {"words": "broken"}}, "MIRROR", Prefer="respond-async")
    assert suite.service.ended(job.json()["jobID"])["status"] == "failed"
    failed = suite.get(job.headers["Location"] + "/results")

    assert invalid.status_code == 400
    assert failed.status_code == 500
    assert Problem.from_dict(failed.json()).detail == "the mirror is broken"


@ats("/conf/job-list/job-list-op", "/conf/job-list/job-list-success")
def test_jobs_are_listed(suite: Suite) -> None:
    job = suite.execute_async(suite.request()).json()

    answer = suite.get("/jobs")

    assert answer.status_code == 200
    listed = JobList.from_dict(answer.json())
    assert listed.jobs[0].job_id == job["jobID"]


@ats("/conf/dismiss/job-dismiss-op", "/conf/dismiss/job-dismiss-success")
def test_a_job_can_be_dismissed(suite: Suite) -> None:
    job = suite.execute_async({"inputs": {"literalInput": WORD, "pause": 60}})

    answer = requests.delete(job.headers["Location"], headers=JSON, timeout=30)

    assert answer.status_code == 200
    assert StatusInfo.from_dict(answer.json()).status == "dismissed"
    assert suite.get(job.headers["Location"]).json()["status"] == "dismissed"


def test_the_table_of_the_reference_names_every_abstract_test(
    request: pytest.FixtureRequest,
) -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "conformance.md"
    section = page.read_text(encoding="utf-8").partition("## OGC API")[2].partition("\n## ")[0]
    ported = {
        name
        for test in vars(request.module).values()
        for mark in getattr(test, "pytestmark", [])
        for name in mark.args
    }

    assert set(re.findall(r"`(/conf/[\w/-]+)`", section)) == ported
