"""What a caller may do, on every address."""

import re

import pytest
from lxml import etree
from werkzeug.test import Client

from peps_wps.app import create_app
from peps_wps.errors import ConfigError
from tests.access.conftest import Service, basic, serve
from tests.archive_world import ArchiveWorld
from tests.wps.stand_in import NAMES, Echo, FullMaja, Ledger

TITLE = "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8"
DESCRIBE = "/wps?service=WPS&version=1.0.0&request=DescribeProcess&identifier="
EXECUTE = "/wps?service=WPS&version=1.0.0&request=execute&identifier="
MAJA = f"{EXECUTE}FULL_MAJA&datainputs=tileid=31TCJ&status=true&storeExecuteResponse=true"
ECHO = f"{EXECUTE}ECHO&datainputs=text=hello"


def offered(client: Client, headers: dict[str, str] | None = None) -> list[str]:
    answer = client.get("/wps?service=WPS&request=GetCapabilities", headers=headers)
    assert answer.status_code == 200
    root = etree.fromstring(answer.data)
    return [one.text for one in root.findall(".//wps:Process/ows:Identifier", NAMES)]


def report(answer) -> tuple[int, str, str | None]:
    """Return status, code and locator of an exception report."""
    error = etree.fromstring(answer.data).find("ows:Exception", NAMES)
    return answer.status_code, error.get("exceptionCode"), error.get("locator")


def job_of(answer) -> str:
    assert answer.status_code == 200, answer.text
    return re.search(r"pywps-([0-9a-f-]{36})\.xml", answer.text)[1]


def test_restricted_processes_are_shown_to_those_who_hold_them(client: Client) -> None:
    assert offered(client) == ["ECHO"]
    assert offered(client, basic("eve")) == ["ECHO"]
    assert offered(client, basic("ada@example.org")) == ["FULL_MAJA", "ECHO"]
    assert offered(client, basic("operator")) == ["FULL_MAJA", "ECHO"]


def test_a_restricted_process_is_described_to_those_who_hold_it(client: Client) -> None:
    assert client.get(DESCRIBE + "FULL_MAJA", headers=basic("ada@example.org")).status_code == 200
    for headers in ({}, basic("eve")):
        unknown = client.get(DESCRIBE + "NO_SUCH", headers=headers)
        hidden = client.get(DESCRIBE + "FULL_MAJA", headers=headers)
        # What is hidden is as what is not there.
        assert hidden.text.replace("FULL_MAJA", "NO_SUCH") == unknown.text
        assert "FULL_MAJA" not in client.get(DESCRIBE + "all", headers=headers).text


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("order", [MAJA, ECHO])
def test_an_order_without_credentials_is_challenged(client: Client, order: str) -> None:
    answer = client.get(order)

    assert report(answer) == (401, "AccessForbidden", None)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="PEPS", charset="UTF-8"'


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("identifier", ["FULL_MAJA", "maja-s2"])
def test_an_order_without_right_is_refused_as_peps_did(client: Client, identifier: str) -> None:
    order = MAJA.replace("FULL_MAJA", identifier).replace("tileid", "tile-name")
    if identifier == "FULL_MAJA":
        order = MAJA
    status, code, locator = report(client.get(order, headers=basic("eve")))

    assert (status, code) == (403, "InvalidParameterValue")
    assert locator == "FULL_MAJA"


@pytest.mark.usefixtures("ledger")
def test_wrong_credentials_are_refused_where_none_are_needed(client: Client) -> None:
    answer = client.get("/wps?service=WPS&request=GetCapabilities", headers=basic("eve", "wrong"))
    assert report(answer) == (401, "AccessForbidden", None)


def test_a_job_belongs_to_who_ordered_it(client: Client, ledger: Ledger) -> None:
    job_of(client.get(MAJA, headers=basic("ada@example.org")))
    assert ledger.submitted[-1]["owner"] == "ada@example.org"


@pytest.mark.usefixtures("ledger")
def test_the_address_of_a_job_is_the_right_to_read_it(client: Client) -> None:
    job = job_of(client.get(MAJA, headers=basic("ada@example.org")))

    assert client.get(f"/resto/wps/outputs/pywps-{job}.xml").status_code == 200
    assert client.get(f"/resto/wps/outputs/{job}/report-{job}.json").status_code == 200


@pytest.mark.usefixtures("ledger")
def test_dismissal_and_log_are_the_owners(client: Client) -> None:
    job = job_of(client.get(MAJA, headers=basic("ada@example.org")))
    dismiss = f"/wps?service=WPS&request=Dismiss&jobid={job}"
    log = f"/resto/wps/outputs/{job}/joblog-{job}.log"

    for address in (dismiss, log):
        assert client.get(address).status_code == 401
        assert client.get(address, headers=basic("eve")).status_code == 403
    assert client.get(log, headers=basic("ada@example.org")).status_code == 200
    assert client.get(log, headers=basic("operator")).status_code == 200
    assert client.get(dismiss, headers=basic("operator")).status_code == 200


def test_links_of_owners_are_read_by_owners(tmp_path, monkeypatch) -> None:
    service = serve(tmp_path, PEPS_AUTH_LINKS="owner")
    ledger = Ledger(service.world.engine, service.world.config)
    monkeypatch.setattr("peps_wps.jobs.submit", ledger.submit)
    job = job_of(service.client.get(MAJA, headers=basic("ada@example.org")))

    for address in (
        f"/resto/wps/outputs/pywps-{job}.xml",
        f"/resto/wps/outputs/{job}/report-{job}.json",
        f"/wps?service=WPS&request=GetStatus&jobid={job}",
    ):
        assert service.client.get(address).status_code == 401
        assert service.client.get(address, headers=basic("eve")).status_code == 403
        assert service.client.get(address, headers=basic("ada@example.org")).status_code == 200


def test_nobody_owns_what_was_ordered_before_there_were_users(
    client: Client, ledger: Ledger
) -> None:
    job = job_of(client.get(MAJA, headers=basic("ada@example.org")))
    ledger.set(job, owner="anonymous")

    assert client.get(f"/wps?service=WPS&request=Dismiss&jobid={job}").status_code == 401


@pytest.mark.usefixtures("ledger")
def test_a_page_of_another_site_orders_nothing_with_its_visitors_password(
    service: Service, client: Client
) -> None:
    page = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}

    assert client.get(ECHO, headers={**basic("eve"), **page}).status_code == 403
    # A token is what the page was given.
    token = {"Authorization": f"Bearer {service.token('eve')}"}
    assert client.get(ECHO, headers={**token, **page}).status_code == 200


def test_a_page_of_another_site_orders_nothing_at_an_open_service(tmp_path) -> None:
    world = ArchiveWorld(tmp_path)
    client = Client(create_app(world.config, world.engine, processes=(FullMaja, Echo)))

    answer = client.get(MAJA, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert offered(client, {"Sec-Fetch-Site": "cross-site"}) == ["FULL_MAJA", "ECHO"]


@pytest.fixture
def product(service: Service) -> str:
    uid = service.world.add(TITLE, b"content", tier="disk")
    return f"/resto/collections/S1/{uid}/download/?issuerId=peps"


def test_a_download_needs_a_user(service: Service, client: Client, product: str) -> None:
    for headers in ({}, basic("eve", "wrong password")):
        answer = client.get(product, headers=headers)
        assert answer.status_code == 401
        assert answer.json == {"ErrorMessage": "Unauthorized", "ErrorCode": 401}
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert client.get(product, headers=basic("eve")).data == b"content"
    assert client.get(product, headers={"X-API-Key": service.token("eve")}).data == b"content"


def test_a_download_without_credentials_tells_nothing_of_what_there_is(
    client: Client, product: str
) -> None:
    there = client.get(product)
    not_there = client.get("/resto/collections/S1/no-such/download")
    assert (there.status_code, there.data) == (not_there.status_code, not_there.data)


def test_a_search_is_for_everybody(client: Client, product: str) -> None:
    answer = client.get("/resto/api/collections/S1/search.json")
    assert answer.json["properties"]["totalResults"] == 1


def test_a_password_is_changed_into_a_token(service: Service, client: Client, product: str) -> None:
    answer = client.get("/resto/api/users/connect", headers=basic("eve"))

    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json["token"]
    assert client.get(product, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    service.disable("eve")
    assert client.get(product, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_token_does_not_bring_the_next(client: Client) -> None:
    token = client.get("/resto/api/users/connect", headers=basic("eve")).json["token"]

    for headers in ({"Authorization": f"Bearer {token}"}, basic("eve", token)):
        assert client.get("/resto/api/users/connect", headers=headers).status_code == 403


def test_no_page_of_another_site_has_tokens_made(client: Client) -> None:
    headers = basic("eve") | {"Sec-Fetch-Site": "cross-site"}

    assert client.get("/resto/api/users/connect", headers=headers).status_code == 403


@pytest.mark.parametrize("headers", [{}, basic("eve", "wrong password"), basic("nobody", "x")])
def test_no_password_is_no_token(client: Client, headers: dict[str, str]) -> None:
    answer = client.get("/resto/api/users/connect", headers=headers)

    assert answer.status_code == 403
    assert answer.json == {"ErrorMessage": "Forbidden", "ErrorCode": 403}


def test_a_restriction_of_no_process_is_refused(tmp_path) -> None:
    world = ArchiveWorld(tmp_path, PEPS_AUTH_RESTRICTED="FULL_MAYA")
    with pytest.raises(ConfigError, match="FULL_MAYA: expected some of ECHO, FULL_MAJA"):
        create_app(world.config, world.engine, processes=(FullMaja, Echo))


def test_everything_can_be_restricted(tmp_path) -> None:
    service = serve(tmp_path, PEPS_AUTH_RESTRICTED="*")
    assert offered(service.client, basic("eve")) == []
    assert offered(service.client, basic("ada@example.org")) == ["FULL_MAJA"]


EXECUTION = {"inputs": {"tileid": "31TCJ"}}


@pytest.mark.usefixtures("ledger")
def test_ogcapi_asks_and_refuses_as_wps_does(client: Client) -> None:
    def processes(headers: dict[str, str]) -> list[str]:
        listed = client.get("/ogcapi/processes", headers=headers).json["processes"]
        return sorted(one["id"] for one in listed)

    def order(headers: dict[str, str]) -> int:
        address = "/ogcapi/processes/FULL_MAJA/execution"
        answer = client.post(
            address, json=EXECUTION, headers={"Prefer": "respond-async", **headers}
        )
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json"
        assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
        return answer.status_code

    assert processes({}) == processes(basic("eve")) == ["ECHO"]
    assert processes(basic("ada@example.org")) == ["ECHO", "FULL_MAJA"]
    assert client.get("/ogcapi/processes/FULL_MAJA", headers=basic("eve")).status_code == 404
    assert order({}) == 401
    assert order(basic("eve", "wrong password")) == 401
    assert order(basic("eve")) == 403
    assert order(basic("ada@example.org")) == 201
    assert order({**basic("ada@example.org"), "Origin": "https://evil.example"}) == 403


@pytest.mark.usefixtures("ledger")
def test_a_list_of_jobs_is_its_owners(service: Service, client: Client) -> None:
    job = job_of(client.get(MAJA, headers=basic("ada@example.org")))

    def listed(headers: dict[str, str]) -> list[str]:
        return [one["jobID"] for one in client.get("/ogcapi/jobs", headers=headers).json["jobs"]]

    assert client.get("/ogcapi/jobs").status_code == 401
    assert listed(basic("ada@example.org")) == [job]
    assert listed({"X-API-Key": service.token("operator")}) == [job]
    assert listed(basic("eve")) == []
    # Its address is the right to read it, and to nothing more.
    assert client.get(f"/ogcapi/jobs/{job}").status_code == 200
    assert client.delete(f"/ogcapi/jobs/{job}").status_code == 401
    assert client.delete(f"/ogcapi/jobs/{job}", headers=basic("eve")).status_code == 403
    assert client.get(f"/ogcapi/jobs/{job}/log", headers=basic("eve")).status_code == 403


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_both_versions_of_wps_ask(client: Client, version: str) -> None:
    order = MAJA.replace("version=1.0.0", f"version={version}")
    unknown, wrong = client.get(order), client.get(order, headers=basic("eve", "wrong password"))
    forbidden = client.get(order, headers=basic("eve"))

    assert (unknown.status_code, wrong.status_code, forbidden.status_code) == (401, 401, 403)
    for answer in (unknown, wrong, forbidden):
        assert b"ExceptionReport" in answer.data
        assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
