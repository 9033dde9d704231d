"""A media type that a client names of an input must be one that the input takes."""

import pytest
from werkzeug.test import Client

from catalog_db.engine import Engine
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from processes.echo import Echo
from tests.wps.stand_in import NAMES, document

KVP = (
    "/wps?service=WPS&version={}&request=Execute&identifier=echo"
    "&storeExecuteResponse=true&status=true&mode=async&datainputs=complexInput={}"
)
FIRST = """<wps:Execute xmlns:wps="http://www.opengis.net/wps/1.0.0" service="WPS" version="1.0.0"
 xmlns:ows="http://www.opengis.net/ows/1.1"><ows:Identifier>echo</ows:Identifier><wps:DataInputs>
 <wps:Input><ows:Identifier>complexInput</ows:Identifier><wps:Data>
 <wps:ComplexData mimeType="{}"><a/></wps:ComplexData></wps:Data></wps:Input></wps:DataInputs>
 <wps:ResponseForm><wps:ResponseDocument storeExecuteResponse="true" status="true"/>
 </wps:ResponseForm></wps:Execute>"""
SECOND = """<wps:Execute xmlns:wps="http://www.opengis.net/wps/2.0" service="WPS" version="2.0.0"
 xmlns:ows="http://www.opengis.net/ows/2.0" response="document" mode="async">
 <ows:Identifier>echo</ows:Identifier><wps:Input id="complexInput">
 <wps:Data mimeType="{}"><a/></wps:Data></wps:Input><wps:Output id="complexOutput"/>
 </wps:Execute>"""


@pytest.fixture(scope="module")
def app(config: Config, engine: Engine) -> Application:
    return create_app(config, engine, processes=(Echo,))


@pytest.mark.parametrize("mime_type", ["text/xml", "TEXT/XML; charset=utf-8", ""])
def test_a_type_that_is_offered_is_taken(client: Client, mime_type: str) -> None:
    for body in (FIRST, SECOND):
        assert client.post("/wps", data=body.format(mime_type)).status_code == 200
    for version in ("1.0.0", "2.0.0"):
        value = f"<a/>@mimeType={mime_type}".replace(";", "%3B")
        assert client.get(KVP.format(version, value)).status_code == 200


@pytest.mark.parametrize(
    ("version", "body"),
    [("1.0.0", FIRST), ("2.0.0", SECOND), ("1.0.0", None), ("2.0.0", None)],
    ids=["1.0 XML", "2.0 XML", "1.0 KVP", "2.0 KVP"],
)
def test_another_type_is_refused_with_those_that_are_offered(
    client: Client, ledger, version: str, body: str | None
) -> None:
    if body is None:
        answer = client.get(KVP.format(version, "II*@mimeType=image/tiff"))
    else:
        answer = client.post("/wps", data=body.format("image/tiff"))

    assert answer.status_code == 400
    (exception,) = document(answer)
    code = {"1.0.0": "InvalidParameterValue", "2.0.0": "NoSuchFormat"}[version]
    assert (exception.get("exceptionCode"), exception.get("locator")) == (code, "complexInput")
    assert "complexInput is image/tiff, expected " in exception[0].text
    assert ledger.submitted == []


def test_the_type_of_a_reference_counts_too(client: Client) -> None:
    reference = 'Reference mimeType="image/tiff" xlink:href="http://data.example.org/a"/>'
    body = FIRST.replace("xmlns:ows", 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:ows', 1)
    head, _, tail = body.partition("<wps:Data>")
    body = f"{head}<wps:{reference}{tail.partition('</wps:Data>')[2]}"

    assert "is image/tiff" in client.post("/wps", data=body).text


def test_a_literal_has_no_type_to_compare(client: Client) -> None:
    query = KVP.replace("complexInput={}", "literalInput=a@mimeType=image/tiff")

    answer = client.get(query.format("1.0.0"))

    assert document(answer).find("wps:Status", NAMES) is not None
