"""ogc-api-processes-client from PyPI, unmodified, from listing to dismissal."""

from typing import Any

import pytest
from ogc_api_processes_client import Configuration
from ogc_api_processes_client.api_client_wrapper import ApiClientWrapper
from ogc_api_processes_client.exceptions import NotFoundException

from tests.web.ogcapi.conftest import Service

pytestmark = pytest.mark.client
PICTURE = "AAECAwQ="


@pytest.fixture(scope="module")
def api(service: Service) -> ApiClientWrapper:
    return ApiClientWrapper(Configuration(host=f"{service.url}/ogcapi"))


def execute(api: ApiClientWrapper, process: str, inputs: dict[str, Any], *outputs: str) -> Any:
    headers = {"Prefer": "respond-async", "Content-Type": "application/json"}
    body = {"inputs": inputs, "outputs": {name: {} for name in outputs}}
    return api.execute_simple(process, body, _headers=headers)


def test_it_finds_its_way_about(api: ApiClientWrapper) -> None:
    assert api.get_landing_page().links
    assert len(api.get_conformance_classes().conforms_to) == 6
    assert "MIRROR" in [one.id for one in api.get_processes().processes]


def test_it_reads_descriptions(api: ApiClientWrapper) -> None:
    described = api.get_process_description("MIRROR")

    assert [str(one.value) for one in described.job_control_options] == [
        "sync-execute",
        "async-execute",
        "dismiss",
    ]
    assert described.inputs["words"].min_occurs == 1
    assert set(described.outputs) >= {"picture", "features"}


def test_it_orders_waits_and_fetches(api: ApiClientWrapper, service: Service) -> None:
    # Its models of results take text for two schemas at once, so it can read none.
    inputs = {"words": "a", "picture": PICTURE, "number": 1.5}
    accepted = execute(api, "MIRROR", inputs, "picture", "number", "report")
    service.ended(accepted.job_id)

    status = api.get_status(accepted.job_id)
    results = api.get_result(accepted.job_id)

    assert (accepted.status.value, status.status.value) == ("accepted", "successful")
    assert (status.process_id, status.progress) == ("MIRROR", 100)
    assert status.created <= status.started <= status.finished
    picture = results["picture"].actual_instance
    assert service.fetch(picture.href).data == bytes(range(5))
    assert results["number"].actual_instance.actual_instance == 1.5


def test_it_dismisses(api: ApiClientWrapper) -> None:
    accepted = execute(api, "SLOW", {"pause": 60})

    assert api.dismiss(accepted.job_id).status.value == "dismissed"
    assert api.get_status(accepted.job_id).status.value == "dismissed"
    listed = {one.job_id: one.status.value for one in api.get_jobs().jobs}
    assert listed[accepted.job_id] == "dismissed"


def test_it_reads_problems(api: ApiClientWrapper) -> None:
    with pytest.raises(NotFoundException) as refused:
        api.get_process_description("nothing")

    assert refused.value.data.type.endswith("/no-such-process")
