"""OWSLib, unmodified, against the service on the loopback."""

import pytest
from owslib.util import ServiceException
from owslib.wps import WebProcessingService

pytestmark = pytest.mark.client


@pytest.fixture
def wps(url) -> WebProcessingService:
    return WebProcessingService(f"{url}/wps", version="1.0.0")


def test_it_reads_the_capabilities(wps):
    assert [process.identifier for process in wps.processes] == ["FULL_MAJA", "ECHO"]
    assert wps.identification.title == "PEPS processing service"
    assert wps.provider.name == "PEPS"


def test_it_reads_a_description(wps):
    process = wps.describeprocess("FULL_MAJA")

    inputs = {one.identifier: one for one in process.dataInputs}
    assert inputs["tileid"].minOccurs == 1
    assert inputs["relativeOrbitNumber"].allowedValues == [51, 108]
    assert process.statusSupported
    assert process.storeSupported


def job_id(execution) -> str:
    return execution.statusLocation.rpartition("pywps-")[2].removesuffix(".xml")


@pytest.mark.parametrize("outputs", [[], [("archive", True)]])
def test_it_orders_polls_and_fetches(wps, ledger, tmp_path, outputs):
    execution = wps.execute("FULL_MAJA", [("tileid", "31TCJ")], output=outputs)
    assert execution.status == "ProcessAccepted"

    ledger.set(job_id(execution), state="running", progress=45, message="Reading")
    execution.checkStatus(sleepSecs=0)
    assert (execution.status, execution.percentCompleted) == ("ProcessStarted", 45)
    # When the process ran before, how long it took then tells what is left.
    assert execution.statusMessage.partition(";")[0] == "Reading"

    ledger.succeed(job_id(execution))
    execution.checkStatus(sleepSecs=0)
    assert execution.isSucceded()
    archive = next(one for one in execution.processOutputs if one.identifier == "archive")
    archive.writeToDisk(path=f"{tmp_path}/")
    assert sum(file.stat().st_size for file in tmp_path.glob("*.zip")) == 10240


def test_it_is_told_why_a_job_failed(wps, ledger):
    execution = wps.execute("FULL_MAJA", [("tileid", "31TCJ")], output=[])
    ledger.set(job_id(execution), state="failed", message="No height", error_code="DemError")

    execution.checkStatus(sleepSecs=0)

    assert execution.isComplete()
    assert not execution.isSucceded()
    assert [(error.code, error.text) for error in execution.errors] == [("DemError", "No height")]


def test_its_waiting_call_gets_the_answer(wps):
    execution = wps.execute("ECHO", [("text", "a;b"), ("text", "c=d@e")])

    assert execution.isSucceded()
    text = next(one for one in execution.processOutputs if one.identifier == "text")
    assert text.data == ["a;b c=d@e"]


@pytest.mark.parametrize(
    ("identifier", "inputs", "said"),
    [
        ("FULL_MAJA", [], "input tileid is missing"),
        ("FULL_MAJA", [("tileid", "")], "input tileid is missing"),
        ("FULL_MAJA", [("tileid", "unknown")], "no product is called unknown"),
        ("NOPE", [("tileid", "31TCJ")], "there is no process NOPE"),
    ],
)
def test_it_raises_what_the_service_says(wps, identifier, inputs, said):
    with pytest.raises(ServiceException, match=said):
        wps.execute(identifier, inputs, output=[])


def test_its_waiting_call_of_a_long_process_is_told_how_to_ask(wps):
    with pytest.raises(ServiceException, match="status=true and storeExecuteResponse=true"):
        wps.execute("FULL_MAJA", [("tileid", "31TCJ")])
