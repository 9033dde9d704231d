"""Orders in JSON: what goes in comes out, in the form that the client asked for."""

import base64
import email
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.web.ogcapi.conftest import LIBRARY, Service

PICTURE = bytes(range(256)) * 20
FEATURES = {"type": "FeatureCollection", "features": [], "name": "Toulouse & co"}
BOX = {"bbox": [1.25, 43, 2, 44.5], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
ENCODED = base64.b64encode(PICTURE).decode()
RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"

Mirror = Callable[..., TestResponse]


@pytest.fixture
def mirror(service: Service) -> Mirror:
    """Order MIRROR and wait: its inputs, then any other member of the request."""

    def execute(inputs: dict[str, Any], *, accept: str = "*/*", **members: Any) -> TestResponse:
        body = {"inputs": {"words": "a", **inputs}, **members}
        return service.execute("MIRROR", body, Accept=accept)

    return execute


def wanted(**modes: str | None) -> dict[str, Any]:
    """Return the outputs member of a request."""
    return {name: {"transmissionMode": mode} if mode else {} for name, mode in modes.items()}


def parts_of(answer: TestResponse) -> dict[str, Any]:
    """Return the parts of a multipart answer by their Content-ID, read by another parser."""
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + answer.data)
    assert message.get_content_type() == "multipart/related"
    return {part["Content-ID"]: part for part in message.get_payload()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("words", "=;@+& é"),
        ("number", 1.5),
        ("number", 1e-7),
        ("number", 9),
        ("count", 20),
        ("count", 20.0),
        ("flag", False),
        ("box", BOX),
    ],
)
def test_a_value_comes_back_with_its_type(mirror: Mirror, name: str, value: Any) -> None:
    answer = mirror({name: value}, outputs=wanted(**{name: "value"}), response="document")

    assert answer.status_code == 200
    assert answer.get_json() == {name: value}


@pytest.mark.parametrize(
    "inputs",
    [
        {"words": ["x", "y", "z"]},
        {"words": [{"value": "x"}, "y", {"value": "z", "mediaType": "text/plain"}]},
    ],
)
def test_a_list_is_several_values(mirror: Mirror, inputs: dict[str, Any]) -> None:
    answer = mirror(inputs, outputs=wanted(words=None), response="document")

    assert answer.get_json() == {"words": "x,y,z"}


@pytest.mark.parametrize(
    "picture",
    [
        {"value": ENCODED, "mediaType": "image/tiff", "encoding": "base64"},
        {"value": ENCODED, "format": {"mediaType": "image/tiff", "encoding": "base64"}},
        ENCODED,
    ],
)
def test_bytes_survive_in_both_directions(mirror: Mirror, picture: Any) -> None:
    answer = mirror({"picture": picture}, outputs=wanted(picture="value"), response="document")

    found = answer.get_json()["picture"]
    assert (found["mediaType"], found["encoding"]) == ("image/tiff", "base64")
    assert base64.b64decode(found["value"]) == PICTURE


def test_inputs_by_reference_are_their_content(service: Service, mirror: Mirror) -> None:
    picture = {"href": f"{service.library}/picture.tif", "type": "image/tiff"}
    words = ["a", {"href": f"{service.library}/words"}]

    answer = mirror(
        {"picture": picture, "words": words},
        outputs=wanted(picture="value", words=None),
        response="document",
    )

    found = answer.get_json()
    assert base64.b64decode(found["picture"]["value"]) == LIBRARY["/picture.tif"]
    assert found["words"] == "a,teststring é"


def test_a_reference_that_leads_nowhere_is_refused(service: Service) -> None:
    body = {"inputs": {"words": {"href": f"{service.library}/missing"}}}

    answer = service.execute("MIRROR", body)

    assert (answer.status_code, answer.get_json()["locator"]) == (400, "words")


def test_an_object_goes_in_and_comes_out_as_an_object(mirror: Mirror) -> None:
    given = {"value": FEATURES, "mediaType": "application/geo+json"}

    answer = mirror({"features": given}, outputs=wanted(features="value"), response="document")

    assert answer.get_json() == {"features": given}


def test_a_client_of_json_is_given_a_document_with_files_as_references(
    service: Service, mirror: Mirror
) -> None:
    inputs = {"picture": ENCODED, "number": 3.5}

    answer = mirror(inputs, accept="application/json")

    found = answer.get_json()
    assert answer.content_type == "application/json"
    assert found["number"] == 3.5
    assert found["picture"]["type"] == "image/tiff"
    assert service.fetch(found["picture"]["href"]).data == PICTURE
    assert service.fetch(found["report"]["href"]).get_json()["USER_INFO"]


def test_one_raw_output_is_the_answer_itself(mirror: Mirror) -> None:
    answer = mirror({"picture": ENCODED}, outputs=wanted(picture="value"), response="raw")

    assert (answer.status_code, answer.content_type) == (200, "image/tiff")
    assert answer.data == PICTURE


def test_several_raw_outputs_are_parts_of_one_message(mirror: Mirror) -> None:
    outputs = wanted(picture="value", words=None, features="reference")
    inputs = {"picture": ENCODED, "features": {"value": FEATURES}}

    answer = mirror(inputs, outputs=outputs, response="raw")

    parts = parts_of(answer)
    assert set(parts) == {"picture", "words", "features"}
    assert parts["picture"].get_payload(decode=True) == PICTURE
    assert parts["picture"].get_content_type() == "image/tiff"
    assert parts["words"].get_payload(decode=True) == b"a"
    assert parts["features"]["Content-Location"].endswith("/features.json")
    assert parts["features"].get_payload(decode=True) == b""


def test_raw_references_are_links_and_nothing_else(service: Service, mirror: Mirror) -> None:
    outputs = wanted(picture="reference", number="reference")

    answer = mirror({"picture": ENCODED, "number": 2}, outputs=outputs, response="raw")

    assert (answer.status_code, answer.data) == (204, b"")
    links = [line for line in answer.headers.getlist("Link") if RESULTS in line]
    content = [service.fetch(line[1 : line.index(">")]).data for line in links]
    assert content == [PICTURE, b"2"]


def test_a_literal_by_reference_can_be_fetched(service: Service, mirror: Mirror) -> None:
    answer = mirror({}, outputs=wanted(words="reference"), response="document")

    fetched = service.fetch(answer.get_json()["words"]["href"])
    assert (fetched.text, fetched.mimetype) == ("a", "text/plain")


def test_an_output_that_the_run_did_not_give_is_left_out(mirror: Mirror) -> None:
    answer = mirror({}, response="document")

    assert set(answer.get_json()) == {"words", "report"}


def test_raw_outputs_that_the_run_did_not_give_are_no_content(mirror: Mirror) -> None:
    answer = mirror({}, outputs=wanted(picture=None), response="raw")

    assert (answer.status_code, answer.data) == (204, b"")


def test_no_browser_runs_what_a_client_gave(service: Service) -> None:
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>'
    given = {"value": page, "mediaType": "application/xml"}
    job_id = service.order("echo", complexInput=given)
    service.ended(job_id)

    for address in (
        f"/ogcapi/jobs/{job_id}/results/complexOutput",
        f"/resto/wps/outputs/{job_id}/complexOutput",
    ):
        answer = service.fetch(address)
        assert "<script>" in answer.text
        assert answer.headers["Content-Security-Policy"] == "sandbox"


def test_a_synchronous_answer_names_its_job(service: Service, mirror: Mirror) -> None:
    answer = mirror({})

    monitor = next(line for line in answer.headers.getlist("Link") if "rel=monitor" in line)
    info = service.fetch(monitor[1 : monitor.index(">")]).get_json()
    assert (info["status"], info["processID"]) == ("successful", "MIRROR")


def test_a_failed_run_says_why_and_nothing_of_the_server(service: Service, mirror: Mirror) -> None:
    answer = mirror({"words": "broken"})

    assert answer.status_code == 500
    assert answer.get_json()["detail"] == "the mirror is broken"
    assert "Traceback" not in answer.text


def test_an_alias_takes_the_names_of_another_centre(service: Service) -> None:
    body = {"inputs": {"product-title": "S1A_IW", "restoration": False}}

    answer = service.execute("slow-s1", body, X_API_Key="0123", Prefer="respond-async")

    assert answer.status_code == 201
    job_id = answer.get_json()["jobID"]
    assert service.ended(job_id)["status"] == "successful"
    assert service.get(f"/jobs/{job_id}/results/literalOutput").text == "S1A_IW"


def test_a_direct_process_answers_and_leaves_no_job(service: Service) -> None:
    job_id = service.order("echo", literalInput="x")
    before = service.get("/jobs").get_json()["numberMatched"]

    answer = service.execute(
        "PROCESSING_STATUS",
        {"inputs": {"wps_id": job_id}},
        Accept="application/json",
        Prefer="respond-async",
    )

    assert answer.status_code == 200
    assert job_id in answer.text
    assert "Link" not in answer.headers
    by_reference = {name: {"transmissionMode": "reference"} for name in answer.get_json()}
    body = {"inputs": {"wps_id": job_id}, "outputs": by_reference}
    assert service.execute("PROCESSING_STATUS", body).status_code == 400
    assert service.get("/jobs").get_json()["numberMatched"] == before


@pytest.mark.parametrize(
    ("body", "locator"),
    [
        ({"inputs": {"nothing": 1}}, "nothing"),
        ({"inputs": {}}, "words"),
        ({"inputs": {"words": ["1", "2", "3", "4"]}}, "words"),
        ({"inputs": {"words": "a", "number": 10}}, "number"),
        ({"inputs": {"words": "a", "number": "much"}}, "number"),
        ({"inputs": {"words": "a", "count": 15}}, "count"),
        ({"inputs": {"words": "a", "count": 10.5}}, "count"),
        ({"inputs": {"words": "a", "flag": "perhaps"}}, "flag"),
        ({"inputs": {"words": [["a"]]}}, "words"),
        ({"inputs": {"words": {"type": "text/plain"}}}, "words"),
        ({"inputs": {"words": "a", "box": {"bbox": [1, 2, 3]}}}, "box"),
        ({"inputs": {"words": "a", "box": {"bbox": [1, 2, 3, "x"]}}}, "box"),
        ({"inputs": {"words": "a", "box": "1,2"}}, "box"),
        ({"inputs": {"words": "a", "picture": {"value": "*", "encoding": "base64"}}}, "picture"),
        ({"inputs": {"words": "a", "picture": {"value": "", "mediaType": "a/b"}}}, "picture"),
        ({"inputs": {"words": "a", "picture": {"value": "x", "encoding": "rot13"}}}, "picture"),
        ({"inputs": {"words": "a", "features": FEATURES}}, "features"),
        ({"inputs": {"words": {"href": 3}}}, "words"),
        ({"inputs": {"words": "a" * 2**20 + "b"}}, "words"),
        ({"inputs": []}, "inputs"),
        ({"inputs": {"words": "a"}, "outputs": {"nothing": {}}}, "nothing"),
        ({"inputs": {"words": "a"}, "outputs": {"words": "value"}}, "words"),
        ({"inputs": {"words": "a"}, "outputs": {"words": {"transmissionMode": "x"}}}, "words"),
        ({"inputs": {"words": "a"}, "outputs": {"words": {"mediaType": "a/b"}}}, "words"),
        ({"inputs": {"words": "a"}, "outputs": []}, "outputs"),
        ({"inputs": {"words": "a"}, "response": "xml"}, "response"),
        ({"inputs": {"words": "a"}, "subscriber": {"successUri": "http://a"}}, "subscriber"),
        ({"inputs": {"words": "a"}, "invalid-execute-request": "true"}, "invalid-execute-request"),
        ([], "body"),
        ("x", "body"),
    ],
)
def test_a_wrong_order_names_what_is_wrong_and_leaves_no_job(
    service: Service, body: Any, locator: str
) -> None:
    before = service.get("/jobs").get_json()["numberMatched"]

    answer = service.execute("MIRROR", body)

    problem = answer.get_json()
    assert answer.content_type == "application/problem+json"
    assert answer.status_code == problem["status"]
    assert problem["status"] in (400, 413)
    assert problem["locator"] == locator
    assert service.get("/jobs").get_json()["numberMatched"] == before
