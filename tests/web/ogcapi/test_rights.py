"""Who may see, order, list and dismiss, as this API says it."""

from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.access.conftest import Service, basic, serve
from tests.wps.stand_in import Ledger

BODY = {"inputs": {"tileid": "31TCJ"}}
ADA, EVE = "ada@example.org", "eve"


class Users:
    """A service with two users and an operator; FULL_MAJA is ada's."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def ask(self, user: str | None, path: str, method: str = "GET", **options: Any) -> TestResponse:
        """Ask with a token, as the scripts of GEODES send it."""
        headers = {"X-API-Key": self.service.token(user)} if user else {}
        return self.service.client.open(f"/ogcapi{path}", method=method, headers=headers, **options)

    def order(self, user: str | None, process: str = "FULL_MAJA") -> TestResponse:
        return self.ask(user, f"/processes/{process}/execution", "POST", json=BODY)

    def listed(self, user: str) -> list[str]:
        return [one["jobID"] for one in self.ask(user, "/jobs").get_json()["jobs"]]


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Users:
    service = serve(tmp_path / "var")
    ledger = Ledger(service.world.engine, service.world.config)
    monkeypatch.setattr("peps_wps.jobs.submit", ledger.submit)
    return Users(service)


def is_problem(answer: TestResponse, status: int) -> bool:
    return (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_a_restricted_process_is_shown_to_those_who_hold_it(users: Users) -> None:
    def offered(user: str | None) -> set[str]:
        return {one["id"] for one in users.ask(user, "/processes").get_json()["processes"]}

    assert offered(ADA) == {"FULL_MAJA", "ECHO"}
    assert offered(EVE) == offered(None) == {"ECHO"}
    assert users.ask(ADA, "/processes/FULL_MAJA").status_code == 200
    assert is_problem(users.ask(EVE, "/processes/FULL_MAJA"), 404)


@pytest.mark.parametrize("process", ["FULL_MAJA", "maja-s2"])
def test_an_order_needs_a_user_with_the_right(users: Users, process: str) -> None:
    stranger = users.order(None, process)

    assert is_problem(stranger, 401)
    assert "Basic" in stranger.headers["WWW-Authenticate"]
    assert is_problem(users.order(EVE, process), 403)
    assert users.order(ADA, process).status_code == 201


def test_jobs_are_listed_to_their_owner_and_the_operator(users: Users) -> None:
    job_id = users.order(ADA).get_json()["jobID"]

    assert users.listed(ADA) == users.listed("operator") == [job_id]
    assert users.listed(EVE) == []


def test_the_address_of_a_job_is_the_right_to_read_it(users: Users) -> None:
    job_id = users.order(ADA).get_json()["jobID"]

    assert users.ask(None, f"/jobs/{job_id}").status_code == 200
    for path, method in ((f"/jobs/{job_id}", "DELETE"), (f"/jobs/{job_id}/log", "GET")):
        assert is_problem(users.ask(None, path, method), 401)
        assert is_problem(users.ask(EVE, path, method), 403)
        assert users.ask(ADA, path, method).status_code == 200


def test_wrong_credentials_are_refused_everywhere(users: Users) -> None:
    for headers in ({"X-API-Key": "wrong"}, basic(EVE, "wrong")):
        answer = users.service.client.get("/ogcapi/processes", headers=headers)
        assert is_problem(answer, 401)


def test_a_page_of_another_site_orders_with_a_token_only(users: Users) -> None:
    page = {"Origin": "https://map.example", "Sec-Fetch-Site": "cross-site"}
    path = "/ogcapi/processes/FULL_MAJA/execution"
    client = users.service.client

    refused = client.post(path, json=BODY, headers={**page, **basic(ADA)})
    taken = client.post(path, json=BODY, headers={**page, "X-API-Key": users.service.token(ADA)})

    assert is_problem(refused, 403)
    assert taken.status_code == 201
    assert taken.headers["Access-Control-Allow-Origin"] == "*"
