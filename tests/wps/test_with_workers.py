"""WPS, dispatcher and workers together: orders that end, are told why they fail, are dismissed."""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from lxml import etree
from owslib.wps import WebProcessingService, WPSExecution
from pywps import ComplexOutput, Format, LiteralInput
from werkzeug.test import Client

from catalog_db import migrations
from catalog_db.engine import create_engine
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from peps_wps.ordering.process import ChainProcess
from tests.jobs.job_house import House
from tests.loopback import on_the_loopback
from tests.patience import until
from tests.workers import working
from tests.wps.stand_in import NAMES, document, job_id_of

pytestmark = pytest.mark.slow

STATUS = "/resto/wps/outputs/pywps-{}.xml"


class StandIn(ChainProcess):
    identifier = "STAND_IN"
    title = "A chain that does nothing but behave"
    sync_allowed = True
    inputs: ClassVar = [
        LiteralInput("product", "Products", data_type="string", min_occurs=0, max_occurs=9),
        LiteralInput("seconds", "Seconds", data_type="float", min_occurs=0),
        LiteralInput("behaviour", "Behaviour", data_type="string", min_occurs=0),
    ]
    outputs: ClassVar = [
        ComplexOutput("archive", "Answer", supported_formats=[Format("text/plain")])
    ]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One supervisor for all tests here: it takes seconds to warm up."""
    folder = tmp_path_factory.mktemp("workers")
    environ = {
        "PEPS_AUTH_MODE": "open",
        "PEPS_PROCESSING_CHAINS": "tests.jobs.stand_in_chains",
        "PEPS_PROCESSING_HEARTBEAT_S": "0.3",
        "PEPS_TAPE_SPEED": "1000",
    }
    config = Config.load(var=folder / "var", environ=environ)
    engine = create_engine(config.catalog.url)
    migrations.upgrade(engine)
    with working(config):
        yield House(config, engine, folder / "journal", environ)
    engine.dispose()


@pytest.fixture(scope="module")
def app(house: House) -> Application:
    return create_app(house.config, house.engine, processes=(StandIn,))


def status_of(client: Client, job_id: str) -> etree._Element:
    return document(client.get(STATUS.format(job_id))).find("wps:Status", NAMES)[0]


def test_an_order_of_a_product_on_tape_ends_with_its_result(app, house, tmp_path):
    house.archive("S1A_ONE")
    with on_the_loopback(app) as url:
        wps = WebProcessingService(f"{url}/resto/wps")
        execution = wps.execute("STAND_IN", [("product", "S1A_ONE")], output=[])
        until(lambda: poll(execution).isComplete(), 60)
        archive = next(one for one in execution.processOutputs if one.identifier == "archive")
        archive.writeToDisk(path=f"{tmp_path}/")

    assert execution.isSucceded()
    assert "S1A_ONE" in "".join(file.read_text() for file in tmp_path.glob("*.txt"))


def poll(execution: WPSExecution) -> WPSExecution:
    execution.checkStatus(sleepSecs=0.2)
    return execution


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("chain error", "The measurement ends at byte 17, expected 40"),
        ("bug", "internal error"),
    ],
)
def test_a_failed_order_says_why_and_nothing_else(app, behaviour, said):
    client = Client(app)

    root = document(
        client.get(
            f"/wps?service=WPS&request=Execute&identifier=STAND_IN&datainputs=behaviour={behaviour}"
        )
    )

    text = root.findtext(".//ows:ExceptionText", None, NAMES)
    assert said in text
    assert "/srv/peps" not in etree.tostring(root, encoding="unicode")


def test_a_quick_order_can_be_waited_for(app):
    response = Client(app).get(
        "/wps?service=WPS&request=Execute&identifier=STAND_IN&rawdataoutput=archive", buffered=True
    )

    assert response.text == "task 0 []\n"


def test_a_dismissed_order_is_dismissed_in_every_view(app):
    client = Client(app)
    first = document(
        client.get(
            "/wps?service=WPS&request=Execute&identifier=STAND_IN&datainputs=seconds=30"
            "&status=true&storeExecuteResponse=true"
        )
    )
    job_id = job_id_of(first)
    until(lambda: status_of(client, job_id).get("percentCompleted") is not None, 60)

    client.get(f"/wps?service=WPS&request=Dismiss&jobid={job_id}")

    exception = status_of(client, job_id).find(".//ows:Exception", NAMES)
    report = client.get(f"/resto/wps/outputs/{job_id}/report-{job_id}.json").json
    assert exception.get("exceptionCode") == "JobDismissed"
    assert report["USER_INFO"]["job_status"] == "CANCELED"
