"""Synchronous, asynchronous, or as long as the client is ready to wait (RFC 7240)."""

import pytest
from werkzeug.test import TestResponse

from tests.web.ogcapi.conftest import Service


def applied(answer: TestResponse) -> str:
    return answer.headers.get("Preference-Applied", "")


def test_without_preference_a_quick_process_is_answered(service: Service) -> None:
    answer = service.execute("echo", {"inputs": {"literalInput": "a"}})

    assert (answer.status_code, applied(answer)) == (200, "")


def test_respond_async_is_honoured_and_said(service: Service) -> None:
    body = {"inputs": {"literalInput": "a"}}

    answer = service.execute("echo", body, Prefer='foo="bar", Respond-Async; x=1')

    assert (answer.status_code, applied(answer)) == (201, "respond-async")
    assert answer.headers["Location"].endswith(f"/ogcapi/jobs/{answer.get_json()['jobID']}")


@pytest.mark.parametrize("prefer", ["wait=30", "respond-async, wait=30"])
def test_a_job_that_ends_within_the_wait_is_answered(service: Service, prefer: str) -> None:
    body = {"inputs": {"literalInput": "a"}, "response": "document"}

    answer = service.execute("echo", body, Prefer=prefer)

    assert (answer.status_code, applied(answer)) == (200, "wait=30")
    assert answer.get_json()["literalOutput"] == "a"


def test_a_job_that_takes_longer_than_the_wait_goes_on(service: Service) -> None:
    body = {"inputs": {"literalInput": "a", "pause": 1.5}}

    answer = service.execute("echo", body, Prefer="respond-async, wait=0")

    assert (answer.status_code, applied(answer)) == (201, "wait=0")
    assert service.ended(answer.get_json()["jobID"])["status"] == "successful"


def test_what_cannot_be_waited_for_never_is(service: Service) -> None:
    body = {"inputs": {"literalInput": "a"}}

    answer = service.execute("SLOW", body, Prefer="wait=30")

    assert (answer.status_code, applied(answer)) == (201, "")
