"""Execute: what becomes a job, what is answered at once, what is refused."""

import threading
from typing import Any

import pytest

from peps_wps.jobs import Job
from tests.patience import stretched, until
from tests.wps.stand_in import NAMES, document, job_id_of

EXECUTE = "/resto/wps?service=WPS&version=1.0.0&request=Execute&identifier="
ASYNC = "&storeExecuteResponse=true&status=true"


def refusal(response) -> tuple[int, str, str]:
    exception = document(response).find("ows:Exception", NAMES)
    return response.status_code, exception.get("exceptionCode"), exception.get("locator", "")


def test_an_order_becomes_a_job(client, ledger):
    response = client.get(
        f"{EXECUTE}FULL_MAJA&datainputs=tileid=31TCJ;relativeOrbitNumber=51;startDate="
        f"&lineage=true&title=Toulouse{ASYNC}"
    )

    (order,) = ledger.submitted
    assert response.status_code == 200
    assert job_id_of(document(response))
    assert (order["process"], order["title"]) == ("FULL_MAJA", "Toulouse")
    assert order["inputs"] == {"tileid": ["31TCJ"], "relativeOrbitNumber": ["51"]}
    assert order["response_options"]["lineage"] is True
    assert order["response_options"]["base"] == "http://localhost"


def test_a_link_checker_orders_nothing(client, ledger):
    response = client.head(f"{EXECUTE}FULL_MAJA&datainputs=tileid=31TCJ{ASYNC}")

    assert response.status_code == 400
    assert ledger.submitted == []


@pytest.mark.wps100
def test_the_first_answer_is_the_status_document(client, ledger, wps_schema):
    first = client.get(f"{EXECUTE}FULL_MAJA&datainputs=tileid=31TCJ{ASYNC}")

    root = document(first)
    wps_schema.assertValid(root)
    again = client.get(root.get("statusLocation"))
    assert again.headers["Cache-Control"] == "no-store"
    accepted = [line for line in again.text.splitlines() if "creationTime" not in line]
    assert accepted == [line for line in first.text.splitlines() if "creationTime" not in line]


def test_an_alias_orders_the_same_chain(client, ledger):
    client.get(f"{EXECUTE}maja-s2&datainputs=tile-name=31TCJ;notif-email=true;denoise=false{ASYNC}")
    client.get(f"{EXECUTE}maja-s2&datainputs=tileid=31TDJ{ASYNC}")

    assert [(one["process"], one["inputs"]) for one in ledger.submitted] == [
        ("FULL_MAJA", {"tileid": ["31TCJ"], "denoise": ["false"]}),
        ("FULL_MAJA", {"tileid": ["31TDJ"]}),
    ]


@pytest.mark.parametrize(
    ("order", "code", "locator"),
    [
        ("NOPE&datainputs=a=1", "InvalidParameterValue", "identifier"),
        ("FULL_MAJA&datainputs=startDate=2018-01-01", "MissingParameterValue", "tileid"),
        ("FULL_MAJA&datainputs=tileid=", "MissingParameterValue", "tileid"),
        ("FULL_MAJA&datainputs=tileid=31TCJ;tileid=31TDJ", "InvalidParameterValue", "tileid"),
        ("FULL_MAJA&datainputs=tileid=31TCJ;tile=31TDJ", "InvalidParameterValue", "tile"),
        (
            "FULL_MAJA&datainputs=tileid=31TCJ&DataInputs=denoise=false",
            "InvalidParameterValue",
            "datainputs",
        ),
        ("FULL_MAJA&datainputs=tileid=unknown", "InvalidParameterValue", "tileid"),
        ("maja-s2&datainputs=startDate=2018-01-01", "MissingParameterValue", "tile-name"),
        ("maja-s2&datainputs=tile-name=unknown", "InvalidParameterValue", "tile-name"),
        (
            "FULL_MAJA&datainputs=tileid=31TCJ;relativeOrbitNumber=52",
            "InvalidParameterValue",
            "relativeOrbitNumber",
        ),
        (
            "FULL_MAJA&datainputs=tileid=31TCJ;relativeOrbitNumber=51.5",
            "InvalidParameterValue",
            "relativeOrbitNumber",
        ),
        (
            "FULL_MAJA&datainputs=tileid=31TCJ;denoise=perhaps",
            "InvalidParameterValue",
            "denoise",
        ),
        (
            f"FULL_MAJA&datainputs=tileid={'3' * 1_048_577}",
            "FileSizeExceeded",
            "tileid",
        ),
        (
            "FULL_MAJA&datainputs=tileid=31TCJ&responsedocument=archive;map",
            "InvalidParameterValue",
            "map",
        ),
        ("FULL_MAJA&datainputs=tileid=31TCJ&language=fr", "InvalidParameterValue", "language"),
    ],
)
@pytest.mark.wps100
def test_a_wrong_order_is_refused_by_name(client, ledger, ows_schema, order, code, locator):
    response = client.get(f"{EXECUTE}{order}{ASYNC}")

    ows_schema.assertValid(document(response))
    assert refusal(response) == (400, code, locator)
    assert ledger.submitted == []


def test_a_refused_order_says_what_is_expected(client):
    response = client.get(
        f"{EXECUTE}FULL_MAJA&datainputs=tileid=31TCJ;relativeOrbitNumber=52{ASYNC}"
    )

    text = document(response).findtext("ows:Exception/ows:ExceptionText", None, NAMES)
    assert text == "relativeOrbitNumber is 52, expected 51 or 108"


def test_refused_orders_leave_nothing_behind(client, config, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = sorted(config.var.rglob("*"))

    for _ in range(5):
        client.get(f"{EXECUTE}FULL_MAJA&datainputs=tile=1{ASYNC}")

    assert sorted(config.var.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_takes_minutes_refuses_to_be_waited_for(client, ledger):
    for form in ("", "&storeExecuteResponse=true", "&rawdataoutput=archive"):
        response = client.get(f"{EXECUTE}FULL_MAJA&datainputs=tileid=31TCJ{form}")

        assert refusal(response) == (400, "InvalidParameterValue", "status")
        assert "storeExecuteResponse=true" in response.text
    assert ledger.submitted == []


def test_status_without_store_is_refused(client):
    response = client.get(f"{EXECUTE}FULL_MAJA&datainputs=tileid=31TCJ&status=true")

    assert refusal(response) == (400, "InvalidParameterValue", "status")


@pytest.mark.wps100
def test_a_quick_process_answers_with_its_outputs(client, wps_schema):
    root = document(client.get(f"{EXECUTE}ECHO&datainputs=text=a%3Bb;text=c"))

    wps_schema.assertValid(root)
    assert root.find("wps:Status/wps:ProcessSucceeded", NAMES) is not None
    assert root.findtext(".//wps:LiteralData", None, NAMES) == "a;b c"
    assert root.get("statusLocation") is None


def test_a_stored_answer_stays_at_its_address(client):
    root = document(client.get(f"{EXECUTE}ECHO&datainputs=text=a&storeExecuteResponse=true"))

    assert client.get(root.get("statusLocation")).status_code == 200


def test_a_raw_output_is_the_answer_itself(client):
    response = client.get(f"{EXECUTE}ECHO&datainputs=text=hello&rawdataoutput=text")

    assert (response.text, response.mimetype) == ("hello", "text/plain")


def test_a_raw_report_is_the_answer_itself(client):
    response = client.get(f"{EXECUTE}ECHO&datainputs=text=hello&rawdataoutput=report")

    assert response.json["USER_INFO"]["job_status"] == "FINISHED"


def test_a_raw_file_is_the_answer_itself(client, ledger):
    def write(job):
        folder = ledger.config.results.path / job.id
        folder.mkdir(parents=True)
        (folder / "a.tif").write_bytes(b"II*\0")
        return {"state": "succeeded", "results": {"text": {"href": "a.tif", "type": "image/tiff"}}}

    ledger.echo = write
    response = client.get(f"{EXECUTE}ECHO&datainputs=text=a&rawdataoutput=text", buffered=True)

    assert (response.data, response.mimetype) == (b"II*\0", "image/tiff")


@pytest.mark.wps100
def test_a_quick_process_that_fails_says_why(client, ledger, wps_schema):
    ledger.echo = lambda _job: {"state": "failed", "message": "The cable is cut"}

    for form in ("", "&rawdataoutput=text"):
        root = document(client.get(f"{EXECUTE}ECHO&datainputs=text=a{form}"))

        wps_schema.assertValid(root)
        assert root.findtext(".//ows:ExceptionText", None, NAMES) == "The cable is cut"


def test_an_answer_that_takes_too_long_is_given_up_and_its_job_dismissed(client, ledger, engine):
    ledger.echo = None

    response = client.get(f"{EXECUTE}ECHO&datainputs=text=a")

    status, code, job_id = refusal(response)
    assert (status, code) == (400, "NoApplicableCode")
    assert client.get(f"/wps?service=WPS&request=GetStatus&jobid={job_id}").text.count(
        "JobDismissed"
    )


def test_waiting_clients_leave_half_of_the_threads_to_others(client, ledger, config, monkeypatch):
    ledger.echo = None
    half, others_are_answered = config.server.threads // 2, threading.Event()

    def submit_once_others_are_answered(*arguments: Any, **options: Any) -> Job:
        others_are_answered.wait(stretched(60))
        return ledger.submit(*arguments, **options)

    monkeypatch.setattr("peps_wps.jobs.submit", submit_once_others_are_answered)
    answers: list[tuple[int, str, str]] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(refusal(client.get(f"{EXECUTE}ECHO&datainputs=text=a")))
        )
        for _ in range(config.server.threads)
    ]
    for thread in threads:
        thread.start()
    until(lambda: len(answers) >= half)
    others_are_answered.set()
    for thread in threads:
        thread.join()

    assert [code for _, code, _ in answers].count("ServerBusy") == half


def test_a_job_is_dismissed(client, ledger):
    job = ledger.insert()

    root = document(client.get(f"/wps?service=WPS&request=Dismiss&jobid={job.id}"))

    assert root.find(".//ows:Exception", NAMES).get("exceptionCode") == "JobDismissed"


def test_the_result_is_given_when_it_is_there(client, ledger):
    job = ledger.insert()
    address = f"/wps?service=WPS&request=GetResult&jobid={job.id}"

    assert refusal(client.get(address)) == (400, "ResultNotReady", job.id)
    ledger.succeed(job.id)
    assert document(client.get(address)).find(".//wps:ProcessSucceeded", NAMES) is not None


@pytest.mark.parametrize("operation", ["GetStatus", "GetResult", "Dismiss"])
def test_an_unknown_job_is_named(client, operation):
    address = f"/wps?service=WPS&request={operation}"

    assert refusal(client.get(f"{address}&jobid=7")) == (400, "NoSuchJob", "7")
    assert refusal(client.get(address)) == (400, "MissingParameterValue", "jobid")


@pytest.mark.wps100
def test_a_large_body_is_refused_even_without_a_length(client, ows_schema, config):
    body = b"<a>" + b" " * config.server.max_request_bytes + b"</a>"
    chunked = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}

    for environ in ({}, chunked):
        response = client.post("/wps", data=body, environ_overrides=environ)

        ows_schema.assertValid(document(response))
        assert response.status_code == 413


@pytest.mark.wps100
def test_a_defect_leaves_no_trace_in_the_answer(client, ows_schema, monkeypatch, caplog):
    def break_down(*_arguments, **_options):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("peps_wps.jobs.submit", break_down)
    response = client.get(f"{EXECUTE}FULL_MAJA&datainputs=tileid=31TCJ{ASYNC}")

    ows_schema.assertValid(document(response))
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "ZeroDivisionError: secret" in caplog.text


def test_other_methods_are_refused(client):
    assert refusal(client.put("/wps")) == (400, "OperationNotSupported", "")
