"""AMALTHEE from order to report, as launch_amalthee.py asks and reads, on a real archive.

Recalls and dispatch are done by the test in its own process, round by round: no worker is there at
any time, so none can be held.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import Client, TestResponse

from catalog_db.catalogue import products
from peps_wps import jobs
from peps_wps.app import create_app
from peps_wps.jobs.dispatcher import Dispatcher
from tests.archive_world import ArchiveWorld

ADDRESS = "https://peps.cnes.fr/resto/api/collections/S1/search.json?productType=GRD"


class Centre:
    """A service with its archive, moved on by hand."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.world = ArchiveWorld(folder, **environ)
        self.client = Client(create_app(self.world.config, self.world.engine))
        self.dispatcher = Dispatcher(self.world.config, self.world.engine, self.world.archive)

    def order(self, address: str = ADDRESS, more: str = "") -> TestResponse:
        encoded = base64.b64encode(address.encode()).decode()
        return self.client.get(
            "/resto/wps?request=execute&service=WPS&version=1.0.0&identifier=AMALTHEE"
            f"&datainputs=opensearch_request={encoded}{more}&status=true&storeExecuteResponse=true"
        )

    def ordered(self, address: str = ADDRESS, more: str = "") -> str:
        (job_id,) = re.findall(r"pywps-([0-9a-f-]{36})\.xml", self.order(address, more).text)
        return job_id

    def move_on(self) -> None:
        """Do one round of what workers do: ask, recall, look."""
        self.dispatcher.run_once()
        self.world.service().run_once()
        self.dispatcher.run_once()

    def status(self, job_id: str) -> etree._Element:
        answer = self.client.get(f"/resto/wps/outputs/pywps-{job_id}.xml")
        return etree.fromstring(answer.data)

    def report(self, job_id: str, **headers: str) -> dict:
        path = f"/resto/wps/outputs/{job_id}/report-{job_id}.json"
        answer = self.client.get(path, headers=headers)
        return json.loads(answer.text)

    def mode(self, uid: str) -> str:
        return self.world.archive.mode([uid])[uid]


@pytest.fixture
def opened(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Centre]]:
    centres: list[Centre] = []
    monkeypatch.setattr("peps_wps.jobs.staging_job.PAUSE_S", 0.0)

    def opened_with(**environ: str) -> Centre:
        centres.append(Centre(tmp_path, PEPS_CATALOG_URL=database_url, **environ))
        return centres[-1]

    yield opened_with
    for centre in centres:
        centre.world.engine.dispose()


@pytest.fixture(scope="module")
def quiet_centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """One that takes no order."""
    centre = Centre(tmp_path_factory.mktemp("centre"))
    centre.world.add("P1", b"bytes")
    yield centre
    centre.world.engine.dispose()


@pytest.fixture
def centre(opened: Callable[..., Centre]) -> Centre:
    return opened()


def element_name(element: etree._Element) -> str:
    return etree.QName(element).localname


def test_the_script_finds_its_report_from_the_order_to_the_end(centre, wps_schema):
    uids = [centre.world.add(f"P{n}", bytes([n]) * 5000) for n in range(3)]
    answer = centre.order()
    assert "Process AMALTHEE accepted" in answer.text
    (line,) = [one for one in answer.text.splitlines() if one.startswith("<wps:ExecuteResponse")]
    location = line.split('statusLocation="')[1].split('">')[0]
    wps_id = location.split("pywps-")[1].split(".xml")[0]

    states = []
    for _ in range(2):
        root = etree.fromstring(centre.client.get(location).data)
        wps_schema.assertValid(root)
        # Third child, its first output, the third element of that: where the script looks.
        href = root[2][0][2].get("href")
        assert href.endswith(f"report-{wps_id}.json")
        states.append((element_name(root[1][0]), centre.client.get(href).json["USER_INFO"]))
        centre.move_on()

    root = etree.fromstring(centre.client.get(location).data)
    wps_schema.assertValid(root)
    assert root[2][0][2].get("href").endswith(f"report-{wps_id}.json")
    assert element_name(root[1][0]) == "ProcessSucceeded"
    assert states[0][0] == "ProcessAccepted"
    assert states[0][1]["job_status"] == "PENDING"
    status = centre.client.get(
        "/resto/wps?request=execute&service=WPS&version=1.0.0&identifier=STATUS"
        f"&datainputs=wps_id={wps_id}&status=false&storeExecuteResponse=false"
    )
    assert '"job_status": "FINISHED"' in status.text
    text = centre.client.get(href).text
    downloads = [row.strip().strip(',"') for row in text.splitlines() if re.match(r'\s+"http', row)]
    assert downloads[1:] == [
        f"http://localhost/resto/collections/S1/{uid}/download" for uid in uids
    ]
    for uid, download in zip(uids, downloads[1:], strict=True):
        with centre.client.get(download) as answer:
            assert answer.data == centre.world.contents[uid]


def test_one_request_recalls_everything_and_keeps_it_when_the_job_has_ended(centre):
    uids = [centre.world.add(f"P{n}", b"bytes" * n) for n in range(1, 5)]
    before = datetime.now(UTC)
    job_id = centre.ordered(more=";pin_hours=2")
    for _ in range(3):
        centre.move_on()

    information = centre.report(job_id)
    assert information["USER_INFO"]["message"].startswith("4 of 4 products are on disk until 20")
    assert {centre.mode(uid) for uid in uids} == {"disk"}
    with centre.world.engine.connect() as connection:
        requests = connection.exec_driver_sql("SELECT id, released_us FROM request").all()
        pins = connection.exec_driver_sql("SELECT pin_until_us FROM request_file").scalars().all()
    assert [row.released_us for row in requests] == [None]
    ends = [datetime.fromtimestamp(pin / 1e6, UTC) for pin in pins]
    hours = timedelta(hours=2)
    assert all(before + hours <= end <= datetime.now(UTC) + hours for end in ends)


def test_it_runs_while_tape_does_and_says_how_far_it_is(centre):
    centre.world.add("P1", b"x" * 1000, tier="disk")
    centre.world.add("P2", b"y" * 3000)
    job_id = centre.ordered()
    centre.dispatcher.run_once()

    root = centre.status(job_id)
    (state,) = root[1]
    assert element_name(state) == "ProcessStarted"
    assert state.get("percentCompleted") == "25"
    assert state.text.startswith("1 of 2 products are on disk, 0.00 of 0.00 GB; about ")
    information = centre.report(job_id)["USER_INFO"]
    assert information["job_status"] == "STALLED"
    assert information["queue_position"] is None
    assert information["expected_finish"] is not None
    job = centre.client.get(f"/ogcapi/jobs/{job_id}").json
    assert (job["status"], job["progress"]) == ("running", 25)


def test_a_product_withdrawn_meanwhile_is_reported_and_the_rest_goes_on(centre):
    kept, early, late = (centre.world.add(f"P{n}", b"bytes") for n in range(3))
    job_id = centre.ordered()
    withdraw(centre, early)  # before its recall is asked for
    centre.dispatcher.run_once()
    withdraw(centre, late)  # and after
    for _ in range(3):
        centre.move_on()

    report = centre.report(job_id)
    information = report["USER_INFO"]
    assert information["job_status"] == "FINISHED"
    assert information["message"].startswith("1 of 3 products are on disk until")
    assert information["unprocessed"] == "2"
    assert [url.split("/")[-2] for url in information["results"]] == [kept]
    errors = [one.get("error") for one in report["products"]]
    assert errors == [None, *(f"the product P{n} has been withdrawn" for n in (1, 2))]


def withdraw(centre: Centre, uid: str) -> None:
    with centre.world.engine.begin() as connection:
        products.withdraw(connection, uid)


def test_an_order_whose_every_product_is_gone_fails_with_the_reason(centre):
    uid = centre.world.add("P1", b"bytes")
    job_id = centre.ordered()
    withdraw(centre, uid)
    centre.move_on()

    information = centre.report(job_id)["USER_INFO"]
    assert information["job_status"] == "ERROR"
    assert information["message"] == "No product is on disk: the product P1 has been withdrawn"


def test_a_dismissal_cancels_the_recalls_that_nobody_else_waits_for(centre):
    alone, shared = centre.world.add("P1", b"bytes"), centre.world.add("P2", b"bytes")
    first, second = centre.ordered(), centre.ordered(f"{ADDRESS}&identifier=P2")
    centre.dispatcher.run_once()

    centre.client.get(f"/wps?service=WPS&request=Dismiss&version=1.0.0&jobid={first}")

    assert (centre.mode(alone), centre.mode(shared)) == ("tape", "staging")
    for _ in range(2):
        centre.move_on()
    assert centre.report(first)["USER_INFO"]["job_status"] == "CANCELED"
    assert centre.report(second)["USER_INFO"]["job_status"] == "FINISHED"
    assert (centre.mode(alone), centre.mode(shared)) == ("tape", "disk")


def test_a_dismissal_after_the_end_lets_the_products_go(centre):
    centre.world.add("P1", b"bytes")
    job_id = centre.ordered()
    for _ in range(2):
        centre.move_on()
    jobs.dismiss(centre.world.engine, centre.world.config, job_id)

    with centre.world.engine.connect() as connection:
        states = connection.exec_driver_sql("SELECT state FROM request_file").scalars().all()
    assert states == ["released"]


def test_what_its_part_of_the_pool_cannot_hold_is_refused_with_both_sizes(opened):
    centre = opened(PEPS_STORAGE_BUDGET_GB="1e-5")
    for n in range(6):
        centre.world.add(f"P{n}", b"x" * 1000)
    answer = centre.order()

    assert answer.status_code == 400
    assert "6 products of 0.0 GB are needed on disk together, the limit is 0.0 GB" in answer.text


def test_an_order_waits_for_the_pins_of_another_and_leaves_room_to_jobs(opened):
    centre = opened(PEPS_STORAGE_BUDGET_GB="8e-6", PEPS_STAGING_POOL_SHARE="0.5")
    for name in ("A", "B"):
        for n in range(3):
            centre.world.add(f"{name}{n}", b"x" * 1000)
    first, second = (centre.ordered(f"{ADDRESS}&productIdentifier={name}%25") for name in "AB")
    for _ in range(3):
        centre.move_on()

    assert centre.report(first)["USER_INFO"]["job_status"] == "FINISHED"
    information = centre.report(second)["USER_INFO"]
    assert information["job_status"] == "PENDING"
    assert information["message"].startswith("Waiting for room on disk: of 0.0 GB for staged")
    jobs.dismiss(centre.world.engine, centre.world.config, first)
    for _ in range(3):
        centre.move_on()
    assert centre.report(second)["USER_INFO"]["job_status"] == "FINISHED"


def test_local_paths_are_told_to_the_owner_where_the_service_allows_it(opened):
    environ = {"PEPS_AUTH_MODE": "open", "PEPS_STORAGE_LOCAL_PATHS": "on"}
    centre = opened(**environ)
    uid = centre.world.add("P1", b"some bytes")
    job_id = centre.ordered()
    for _ in range(2):
        centre.move_on()

    (product,) = centre.report(job_id)["products"]
    assert Path(product["path"]).read_bytes() == centre.world.contents[uid]
    # A page of another site reads for whoever looks at it.
    (seen,) = centre.report(job_id, Origin="https://elsewhere.example")["products"]
    assert "path" not in seen


def test_local_paths_are_not_told_by_default(centre):
    centre.world.add("P1", b"some bytes")
    job_id = centre.ordered()
    for _ in range(2):
        centre.move_on()

    (product,) = centre.report(job_id)["products"]
    assert "path" not in product
    assert set(product) == {"title", "uid", "collection", "size", "download", "pinned_until"}


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("https://x/resto/api/collections/S4/search.json", "there is no collection S4"),
        (f"{ADDRESS}&colour=red", "unknown parameter colour"),
        (f"{ADDRESS}&tileid=31TCJ", "the search finds no product"),
        ("no address", "no address of a search"),
    ],
)
def test_a_search_that_cannot_be_staged_is_refused_with_the_order(quiet_centre, address, reason):
    answer = quiet_centre.order(address)

    assert answer.status_code == 400
    assert 'exceptionCode="InvalidParameterValue" locator="opensearch_request"' in answer.text
    assert reason in answer.text
    with quiet_centre.world.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM job").scalar_one() == 0


def test_every_page_of_a_search_is_staged(opened, monkeypatch):
    centre = opened()
    for n in range(5):
        centre.world.add(f"P{n}", b"bytes")
    monkeypatch.setattr("peps_wps.jobs.plan_catalogue.MOST_RECORDS", 2)
    job_id = centre.ordered(f"{ADDRESS}&maxRecords=1&page=3")
    for _ in range(3):
        centre.move_on()

    assert len(centre.report(job_id)["USER_INFO"]["results"]) == 5


def test_it_is_offered_in_every_protocol(quiet_centre):
    first = quiet_centre.client.get("/wps?service=WPS&request=GetCapabilities&version=1.0.0").text
    second = quiet_centre.client.get("/wps?service=WPS&request=GetCapabilities&version=2.0.0").text
    described = quiet_centre.client.get("/ogcapi/processes/AMALTHEE").json

    assert "<ows:Identifier>AMALTHEE</ows:Identifier>" in first
    assert "<ows:Identifier>AMALTHEE</ows:Identifier>" in second
    assert set(described["inputs"]) == {"opensearch_request", "products", "pin_hours"}


def test_ogcapi_orders_it_by_titles_and_gives_its_report(centre):
    uid = centre.world.add("P1", b"bytes")
    answer = centre.client.post(
        "/ogcapi/processes/AMALTHEE/execution",
        json={"inputs": {"products": ["P1"], "pin_hours": 1}},
        headers={"Prefer": "respond-async"},
    )
    assert answer.status_code == 201
    job_id = answer.json["jobID"]
    for _ in range(2):
        centre.move_on()

    assert centre.client.get(f"/ogcapi/jobs/{job_id}").json["status"] == "successful"
    (product,) = centre.client.get(f"/ogcapi/jobs/{job_id}/results").json["products"]
    assert product["uid"] == uid


def test_an_order_above_what_its_user_may_wait_for_says_so_and_goes_on_later(opened):
    centre = opened(PEPS_STORAGE_MAX_WAITING_FILES="1")
    for n in range(2):
        centre.world.add(f"P{n}", b"bytes")
    busy = centre.world.archive.request(
        [products.product_uid("S1", "P0")], user="anonymous", purpose="mine"
    )
    job_id = centre.ordered(f"{ADDRESS}&identifier=P1")
    centre.dispatcher.run_once()
    assert "1 products and 10000.0 GB are allowed" in centre.report(job_id)["USER_INFO"]["message"]

    centre.world.archive.release(busy)
    for _ in range(2):
        centre.move_on()
    assert centre.report(job_id)["USER_INFO"]["job_status"] == "FINISHED"
