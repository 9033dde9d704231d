"""Processes that the web application answers itself, whatever the workers do."""

from collections.abc import Iterator

import pytest
from lxml import etree
from werkzeug.test import Client

from catalog_db.engine import Engine, create_engine
from catalog_db.processing import jobs
from peps_wps.app import create_app
from peps_wps.config import Config
from processes import PROCESSES
from tests.wps.stand_in import NAMES, Ledger, document

ASK = "/wps?service=WPS&version=1.0.0&request=Execute&identifier="


@pytest.fixture
def config(tmp_path) -> Config:
    return Config.load(var=tmp_path / "var", environ={"PEPS_AUTH_MODE": "open"})


@pytest.fixture
def engine(config: Config) -> Iterator[Engine]:
    engine = create_engine(config.catalog.url)
    yield engine
    engine.dispose()


@pytest.fixture
def client(config: Config, engine: Engine) -> Client:
    return Client(create_app(config, engine, processes=PROCESSES))


@pytest.fixture
def job_id(client: Client, config: Config, engine: Engine) -> str:
    return Ledger(engine, config).insert(process="S1_ORTHO").id


@pytest.mark.parametrize("identifier", ["PROCESSING_STATUS", "STATUS"])
def test_the_state_of_a_job_is_answered_without_any_worker(client, job_id, identifier):
    root = document(client.get(f"{ASK}{identifier}&datainputs=[wps_id={job_id}]"))

    report = root.findtext(".//wps:ComplexData", None, NAMES)
    assert '"job_status": "PENDING"' in report
    assert f'"job_id": "{job_id}"' in report


def test_asking_makes_no_job(client, job_id, engine):
    for _ in range(3):
        client.get(f"{ASK}PROCESSING_STATUS&datainputs=wps_id={job_id}")

    with engine.connect() as connection:
        assert sum(jobs.count_by_state(connection).values()) == 1


def test_an_answer_by_reference_is_at_the_address_of_the_question(client, job_id):
    query = f"PROCESSING_STATUS&datainputs=wps_id={job_id}&responsedocument=status@asReference=true"

    root = document(client.get(ASK + query))

    address = root.find(".//wps:Reference", NAMES).get("href")
    assert client.get(address).json["USER_INFO"]["job_id"] == job_id


def test_an_unknown_job_is_a_wrong_input(client):
    exception = document(client.get(f"{ASK}STATUS&datainputs=wps_id=7")).find(
        "ows:Exception", NAMES
    )

    assert exception.get("exceptionCode") == "InvalidParameterValue"
    assert exception.get("locator") == "wps_id"


def test_there_is_nothing_to_follow(client, job_id):
    query = f"STATUS&datainputs=wps_id={job_id}&storeExecuteResponse=true"
    refusals = [document(client.get(ASK + query + more)) for more in ("", "&status=true")]
    described = document(
        client.get("/wps?service=WPS&version=1.0.0&request=DescribeProcess&identifier=STATUS")
    )

    for refusal in refusals:
        assert refusal.find("ows:Exception", NAMES).get("exceptionCode") == "StorageNotSupported"
    description = described.find("ProcessDescription")
    assert (description.get("storeSupported"), description.get("statusSupported")) == (
        "false",
        "false",
    )


def test_the_second_version_answers_too(client, job_id):
    root = etree.fromstring(
        client.get(
            "/wps?service=WPS&version=2.0.0&request=Execute&identifier=STATUS&mode=sync"
            f"&datainputs=wps_id={job_id}"
        ).data
    )

    assert root.find("{*}JobID") is None  # no table knows it
    assert job_id in root.findtext("{*}Output/{*}Data")
