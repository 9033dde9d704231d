"""WPS 2.0 at the same addresses: every document valid in every state, refusals by their codes."""

import pytest
from lxml import etree

from peps_wps.app import create_app
from tests.wps.stand_in import document
from tests.wps.test_status import STATES, in_state

pytestmark = pytest.mark.wps200

NAMES = {
    "wps": "http://www.opengis.net/wps/2.0",
    "ows": "http://www.opengis.net/ows/2.0",
    "xlink": "http://www.w3.org/1999/xlink",
}
KVP = "/resto/wps?service=WPS&version=2.0.0&request="
SPACES = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NAMES.items())
SHOWN = {
    "accepted": "Accepted",
    "staging": "Accepted",
    "queued": "Accepted",
    "running": "Running",
    "retried": "Running",
    "succeeded": "Succeeded",
    "failed": "Failed",
    "dismissed": "Dismissed",
}


def execute(
    identifier: str, inside: str, *, mode: str = "async", response: str = "document"
) -> str:
    return (
        f'<wps:Execute {SPACES} service="WPS" version="2.0.0" mode="{mode}" '
        f'response="{response}"><ows:Identifier>{identifier}</ows:Identifier>{inside}'
        "</wps:Execute>"
    )


def literal(identifier: str, text: str) -> str:
    return (
        f'<wps:Input id="{identifier}"><wps:Data><wps:LiteralValue>{text}</wps:LiteralValue>'
        "</wps:Data></wps:Input>"
    )


def texts(root: etree._Element, path: str) -> list[str]:
    return root.xpath(path, namespaces=NAMES)


def refusal(response) -> tuple[int, str, str]:
    exception = document(response).find("ows:Exception", NAMES)
    return response.status_code, exception.get("exceptionCode"), exception.get("locator", "")


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.get(f"{KVP}GetCapabilities"),
        lambda client: client.get(
            "/wps?service=WPS&request=GetCapabilities&AcceptVersions=2.0.0,1.0.0"
        ),
        lambda client: client.get(f"{KVP}GetCapabilities&sections=ServiceIdentification,Contents"),
        lambda client: client.post("/wps", data=f'<wps:GetCapabilities {SPACES} service="WPS"/>'),
        lambda client: client.post(
            "/wps",
            data='<wps:GetCapabilities xmlns:wps="http://www.opengis.net/wps/1.0.0" '
            'xmlns:ows="http://www.opengis.net/ows/1.1" service="WPS"><wps:AcceptVersions>'
            "<ows:Version>2.0.0</ows:Version></wps:AcceptVersions></wps:GetCapabilities>",
        ),
    ],
)
def test_capabilities_are_valid_and_list_the_processes(client, wps2_schema, ask):
    root = document(ask(client))

    wps2_schema.assertValid(root)
    listed = texts(root, "wps:Contents/wps:ProcessSummary/ows:Identifier/text()")
    assert listed == ["FULL_MAJA", "ECHO"]
    assert root.get("version") == "2.0.0"


def test_only_the_sections_asked_for_are_given(client):
    root = document(client.get(f"{KVP}GetCapabilities&sections=serviceProvider"))

    assert [etree.QName(one).localname for one in root] == ["ServiceProvider", "Contents"]
    assert refusal(client.get(f"{KVP}GetCapabilities&sections=Layers")) == (
        400,
        "InvalidParameterValue",
        "sections",
    )


@pytest.mark.parametrize("identifiers", ["ALL", "ECHO", "FULL_MAJA,ECHO", "maja-s2"])
def test_descriptions_are_valid(client, wps2_schema, identifiers):
    root = document(client.get(f"{KVP}DescribeProcess&identifier={identifiers}"))

    wps2_schema.assertValid(root)
    expected = {"ALL": ["FULL_MAJA", "ECHO"]}.get(identifiers, identifiers.split(","))
    assert texts(root, "wps:ProcessOffering/wps:Process/ows:Identifier/text()") == expected


def test_a_process_is_described_once_however_often_it_is_named(client):
    root = document(client.get(f"{KVP}DescribeProcess&identifier={'ECHO,' * 100}FULL_MAJA,ECHO"))

    assert texts(root, "wps:ProcessOffering/wps:Process/ows:Identifier/text()") == [
        "ECHO",
        "FULL_MAJA",
    ]


def test_the_processes_of_the_service_are_described_validly(config, engine, wps2_schema):
    from werkzeug.test import Client

    root = document(Client(create_app(config, engine)).get(f"{KVP}DescribeProcess&identifier=all"))

    wps2_schema.assertValid(root)
    offered = {
        one.findtext("wps:Process/ows:Identifier", None, NAMES): one.get("jobControlOptions")
        for one in root
    }
    assert offered["S1_ORTHO"] == "async-execute dismiss"
    assert offered["echo"] == "sync-execute async-execute dismiss"
    assert offered["PROCESSING_STATUS"] == "sync-execute"
    assert root.findall(".//wps:BoundingBoxData", NAMES)


@pytest.mark.parametrize("state", STATES)
def test_the_status_is_valid_in_every_state(client, ledger, wps2_schema, state):
    job = in_state(ledger, state)

    by_kvp = document(client.get(f"{KVP}GetStatus&JobID={job.id}"))
    body = f'<wps:GetStatus {SPACES} service="WPS" version="2.0.0"><wps:JobID>{job.id}</wps:JobID>'
    by_xml = document(client.post("/wps", data=f"{body}</wps:GetStatus>"))

    for root in (by_kvp, by_xml):
        wps2_schema.assertValid(root)
        assert root.findtext("wps:JobID", None, NAMES) == job.id
        assert root.findtext("wps:Status", None, NAMES) == SHOWN[state]


def test_a_running_job_says_how_far_it_is_and_when_to_ask_again(client, ledger):
    job = in_state(ledger, "running")

    root = document(client.get(f"{KVP}GetStatus&jobid={job.id}"))

    assert root.findtext("wps:PercentCompleted", None, NAMES) == "99"
    assert root.findtext("wps:NextPoll", None, NAMES).endswith("Z")


def test_an_order_becomes_a_job(client, ledger, wps2_schema):
    body = execute(
        "FULL_MAJA",
        literal("tileid", "31TCJ") + literal("startDate", "") + '<wps:Output id="archive"/>',
    )

    root = document(client.post("/resto/wps", data=body))

    wps2_schema.assertValid(root)
    (order,) = ledger.submitted
    assert order["inputs"] == {"tileid": ["31TCJ"]}
    assert order["response_options"]["protocol"] == "wps-2.0.0"
    assert root.findtext("wps:Status", None, NAMES) == "Accepted"


@pytest.mark.parametrize("transmission", ["value", "reference", None])
def test_the_result_holds_or_refers_to_the_outputs(client, ledger, wps2_schema, transmission):
    chosen = f'transmission="{transmission}"' if transmission else ""
    names = ("archive", "notes", "tiles", "report")
    outputs = "".join(f'<wps:Output id="{name}" {chosen}/>' for name in names)
    accepted = document(
        client.post("/wps", data=execute("FULL_MAJA", literal("tileid", "31TCJ") + outputs))
    )
    job_id = accepted.findtext("wps:JobID", None, NAMES)
    ledger.succeed(job_id)

    root = document(client.get(f"{KVP}GetResult&jobid={job_id}"))

    wps2_schema.assertValid(root)
    assert texts(root, "wps:Output/@id") == list(names)
    held = texts(root, "wps:Output[wps:Data]/@id")
    assert held == {"value": list(names), "reference": [], None: ["tiles"]}[transmission]
    for address in texts(root, "//wps:Reference/@xlink:href"):
        assert client.get(address, buffered=True).status_code == 200
    if transmission == "value":
        archive, notes = root.findall("wps:Output/wps:Data", NAMES)[:2]
        assert archive.get("encoding") == "base64"
        assert notes.text == "clear & <dry>"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("accepted", "ResultNotReady"),
        ("running", "ResultNotReady"),
        ("failed", "DemError"),
        ("dismissed", "JobDismissed"),
    ],
)
def test_there_is_no_result_before_or_without_success(client, ledger, ows2_schema, state, code):
    job = in_state(ledger, state)

    response = client.get(f"{KVP}GetResult&jobid={job.id}")

    ows2_schema.assertValid(document(response))
    assert refusal(response)[:2] == (400, code)


def test_the_result_outlives_its_process(client, ledger):
    options = {"identifier": "GONE", "raw": True, "outputs": [{"identifier": "text"}]}
    job = ledger.insert(process="GONE", response_options=options)
    ledger.set(job.id, state="succeeded", results={"text": {"value": "a", "type": "text/plain"}})

    answer = client.get(f"{KVP}GetResult&jobid={job.id}")

    assert (answer.status_code, answer.text) == (200, "a")


def test_expired_results_are_gone(client, ledger):
    job = in_state(ledger, "accepted")
    ledger.succeed(job.id)
    ledger.set(job.id, results=None)

    assert client.get(f"{KVP}GetResult&jobid={job.id}").status_code == 410


def test_a_job_is_dismissed(client, ledger, wps2_schema):
    jobs = [ledger.insert(), ledger.insert()]
    body = (
        f'<wps:Dismiss {SPACES} service="WPS" version="2.0.0"><wps:JobID>{jobs[1].id}</wps:JobID>'
        "</wps:Dismiss>"
    )

    for response in (
        client.get(f"{KVP}Dismiss&jobid={jobs[0].id}"),
        client.post("/wps", data=body),
    ):
        root = document(response)
        wps2_schema.assertValid(root)
        assert root.findtext("wps:Status", None, NAMES) == "Dismissed"


@pytest.mark.parametrize("mode", ["sync", "auto"])
def test_a_quick_process_answers_with_its_result(client, wps2_schema, mode):
    body = execute("ECHO", literal("text", "a&amp;b") + '<wps:Output id="text"/>', mode=mode)

    root = document(client.post("/wps", data=body))

    wps2_schema.assertValid(root)
    assert texts(root, "wps:Output/@id") == ["text"]
    assert root.findtext(".//wps:LiteralValue", None, NAMES) == "a&b"


@pytest.mark.parametrize(
    ("output", "body"),
    [
        ("", ["hello"]),
        ('mimeType="text/xml"', ["hello"]),
        ('mimeType="text/plain"', None),
    ],
)
def test_a_raw_literal_is_the_answer_itself(client, output, body):
    outputs = f'<wps:Output id="text" {output}/>'
    answer = client.post(
        "/wps",
        data=execute("ECHO", literal("text", "hello") + outputs, mode="sync", response="raw"),
    )

    if body is None:
        assert (answer.text, answer.mimetype) == ("hello", "text/plain")
    else:
        assert document(answer).tag == f"{{{NAMES['wps']}}}LiteralValue"
        assert document(answer).text == "hello"


def test_automatic_order_of_a_long_process_is_a_job(client, wps2_schema):
    body = execute("FULL_MAJA", literal("tileid", "31TCJ"), mode="auto")

    root = document(client.post("/wps", data=body))

    wps2_schema.assertValid(root)
    assert root.findtext("wps:Status", None, NAMES) == "Accepted"


def test_an_automatic_order_that_takes_its_time_goes_on_as_a_job(client, ledger, wps2_schema):
    ledger.echo = None

    root = document(client.post("/wps", data=execute("ECHO", literal("text", "a"), mode="auto")))

    wps2_schema.assertValid(root)
    assert root.findtext("wps:Status", None, NAMES) == "Accepted"


@pytest.mark.parametrize(
    ("identifier", "inside", "code", "locator"),
    [
        ("NOPE", "", "NoSuchProcess", "NOPE"),
        ("FULL_MAJA", "", "MissingParameterValue", "tileid"),
        ("FULL_MAJA", literal("tile", "31TCJ"), "NoSuchInput", "tile"),
        (
            "FULL_MAJA",
            literal("tileid", "31TCJ") + literal("tileid", "31TDJ"),
            "TooManyInputs",
            "tileid",
        ),
        (
            "FULL_MAJA",
            literal("tileid", "31TCJ") + literal("relativeOrbitNumber", "52"),
            "InvalidParameterValue",
            "relativeOrbitNumber",
        ),
        ("FULL_MAJA", literal("tileid", "unknown"), "InvalidParameterValue", "tileid"),
        ("FULL_MAJA", literal("tileid", "3" * 1_048_577), "SizeExceeded", "tileid"),
        (
            "FULL_MAJA",
            literal("tileid", "31TCJ") + '<wps:Output id="map"/>',
            "NoSuchOutput",
            "map",
        ),
        (
            "FULL_MAJA",
            literal("tileid", "31TCJ") + '<wps:Output id="archive" mimeType="image/gif"/>',
            "NoSuchFormat",
            "archive",
        ),
        ("FULL_MAJA", '<wps:Input id="a"><wps:Input id="b"/></wps:Input>', "NoSuchInput", "a"),
        ("FULL_MAJA", "<wps:Input/>", "MissingParameterValue", "Input"),
    ],
)
def test_a_wrong_order_is_refused_by_name(
    client, ledger, ows2_schema, identifier, inside, code, locator
):
    response = client.post("/wps", data=execute(identifier, inside))

    ows2_schema.assertValid(document(response))
    assert refusal(response) == (400, code, locator)
    assert ledger.submitted == []


@pytest.mark.parametrize(
    ("query", "status", "code", "locator"),
    [
        (
            "Execute&identifier=FULL_MAJA&mode=sync&datainputs=tileid=1",
            400,
            "NoSuchMode",
            "FULL_MAJA",
        ),
        (
            "Execute&identifier=ECHO&datainputs=text=1&response=raw",
            400,
            "TooManyOutputs",
            "response",
        ),
        ("Execute&identifier=ECHO&mode=later", 400, "InvalidParameterValue", "mode"),
        ("DescribeProcess&identifier=NOPE", 400, "NoSuchProcess", "NOPE"),
        ("GetStatus&jobid=7", 400, "NoSuchJob", "7"),
        ("GetResult", 400, "MissingParameterValue", "jobid"),
        ("Explode", 501, "OperationNotSupported", "explode"),
    ],
)
def test_what_is_wrong_is_named(client, ows2_schema, query, status, code, locator):
    response = client.get(KVP + query)

    ows2_schema.assertValid(document(response))
    assert refusal(response) == (status, code, locator)


def test_a_busy_server_says_so_with_the_status_that_means_it(client, app, ledger, ows2_schema):
    desk = app.services.desk
    held = 0
    while desk._waiting.acquire(blocking=False):
        held += 1
    try:
        response = client.post("/wps", data=execute("ECHO", literal("text", "a"), mode="sync"))
    finally:
        desk._waiting.release(held)

    ows2_schema.assertValid(document(response))
    assert refusal(response) == (503, "ServerBusy", "")
    assert int(response.headers["Retry-After"]) > 0
