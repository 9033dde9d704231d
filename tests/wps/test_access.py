"""Who may not is told so in either version, and sees what is for everybody."""

import pytest

from peps_wps.errors import ForbiddenError, UnauthorizedError
from tests.wps.stand_in import document

ORDER = "&request=Execute&identifier=ECHO&datainputs=text=a"


@pytest.fixture(params=["1.0.0", "2.0.0"])
def version(request) -> str:
    return request.param


@pytest.fixture
def report_schema(version, ows_schema, ows2_schema):
    return ows_schema if version == "1.0.0" else ows2_schema


def ask(client, version: str, query: str):
    return client.get(f"/wps?service=WPS&version={version}{query}")


@pytest.fixture
def access(app):
    return app.services.access


def refuse(error: Exception):
    def check(*_arguments):
        raise error

    return check


def test_an_order_by_nobody_is_challenged(
    client, ledger, access, monkeypatch, version, report_schema
):
    monkeypatch.setattr(access, "check_order", refuse(UnauthorizedError()))

    response = ask(client, version, ORDER)

    report_schema.assertValid(document(response))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert "AccessForbidden" in response.text  # birdy looks for it
    assert ledger.submitted == []


def test_an_order_without_the_right_names_the_process(
    client, ledger, access, monkeypatch, version, report_schema
):
    monkeypatch.setattr(access, "check_order", refuse(ForbiddenError("ECHO")))

    response = ask(client, version, ORDER)

    report_schema.assertValid(document(response))
    exception = document(response).find("{*}Exception")
    assert response.status_code == 403
    assert exception.get("exceptionCode") == "InvalidParameterValue"
    assert exception.get("locator") == "ECHO"
    assert ledger.submitted == []


def test_a_process_that_is_not_for_the_caller_is_neither_listed_nor_described(
    client, access, monkeypatch, version, wps_schema, wps2_schema
):
    monkeypatch.setattr(access, "may_see_process", lambda _, identifier: identifier == "ECHO")
    schema = wps_schema if version == "1.0.0" else wps2_schema

    accepted = f"&request=GetCapabilities&acceptversions={version}"
    for query in (accepted, "&request=DescribeProcess&identifier=all"):
        response = ask(client, version, query)
        schema.assertValid(document(response))
        assert "ECHO" in response.text
        assert "FULL_MAJA" not in response.text
    for hidden in ("FULL_MAJA", "maja-s2"):
        refused = ask(client, version, f"&request=DescribeProcess&identifier={hidden}")
        assert refused.status_code == 400


def test_a_dismissal_is_the_owners(client, ledger, access, monkeypatch, version, report_schema):
    job = ledger.insert()
    monkeypatch.setattr(access, "check_owner", refuse(ForbiddenError(job.id)))

    response = ask(client, version, f"&request=Dismiss&jobid={job.id}")

    report_schema.assertValid(document(response))
    assert response.status_code == 403
    assert "Accepted" in ask(client, version, f"&request=GetStatus&jobid={job.id}").text


def test_a_log_is_the_owners(client, ledger, access, monkeypatch):
    job = ledger.insert()
    monkeypatch.setattr(access, "check_owner", refuse(UnauthorizedError()))

    address = f"/resto/wps/outputs/{job.id}/joblog-{job.id}.log"

    assert client.get(address).status_code == 401
