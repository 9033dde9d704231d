"""The assertions of ets-wps20 1.1 on this service, its workers included (OGC 14-065, annex A).

The suite is Java and drives a TEAM Engine; here each test carries the clause that it asserts. It
asks after an asynchronous job once, at once, and expects it to have ended.
"""

import pytest
import requests
from lxml import etree

from tests.wps.test_second_version import NAMES, SPACES

pytestmark = pytest.mark.slow
clause = pytest.mark.ets_wps20

LITERAL = (
    '<wps:Input id="literalInput"><wps:Data><wps:LiteralValue>hello_literal</wps:LiteralValue>'
    "</wps:Data></wps:Input>"
)
COMPLEX = (
    '<wps:Input id="complexInput"><wps:Data><testElement>hello_complex</testElement></wps:Data>'
    "</wps:Input>"
)
WPS = f"{{{NAMES['wps']}}}"


@pytest.fixture(scope="module")
def service(served) -> str:
    return f"{served.url}/resto/wps"


def kvp(service: str, letters=str, **parameters: str) -> requests.Response:
    query = {"Service": "WPS", "Version": "2.0.0"} | parameters
    return requests.get(
        service, params={letters(name): value for name, value in query.items()}, timeout=60
    )


def post(service: str, body: str) -> requests.Response:
    return requests.post(
        service, body.encode(), headers={"Content-Type": "application/xml"}, timeout=60
    )


def document(response: requests.Response) -> etree._Element:
    assert response.status_code == 200, response.text
    return etree.fromstring(response.content)


def execute(
    *, mode: str = "sync", response: str = "document", inputs: str = LITERAL, output: str = ""
) -> str:
    output = output or '<wps:Output id="literalOutput" transmission="value"/>'
    return (
        f'<wps:Execute {SPACES} service="WPS" version="2.0.0" response="{response}" mode="{mode}">'
        f"<ows:Identifier>echo</ows:Identifier>{inputs}{output}</wps:Execute>"
    )


def job(operation: str, job_id: str) -> str:
    return (
        f'<wps:{operation} {SPACES} service="WPS" version="2.0.0"><wps:JobID>{job_id}</wps:JobID>'
        f"</wps:{operation}>"
    )


@pytest.fixture
def job_id(service) -> str:
    root = document(post(service, execute(mode="async")))
    return root.findtext("wps:JobID", None, NAMES)


@clause("A.4.1")
@clause("A.4.3")
def test_the_description_of_echo_is_valid_and_holds_every_kind_of_data(service, wps2_schema):
    root = document(kvp(service, Request="DescribeProcess", Identifier="echo"))

    wps2_schema.assertValid(root)
    for kind in ("LiteralData", "ComplexData", "BoundingBoxData"):
        assert root.find(f".//wps:{kind}", NAMES) is not None


@clause("precondition")
def test_echo_gives_back_a_literal_and_a_document(service):
    complex_output = '<wps:Output id="complexOutput" transmission="value"/>'
    literal = post(service, execute(response="raw"))
    given = post(service, execute(response="raw", inputs=COMPLEX, output=complex_output))

    assert "hello_literal" in literal.text
    assert document(given).tag == "testElement"
    assert document(given).text == "hello_complex"


@clause("A.5.1")
def test_the_name_of_the_service_is_checked(service):
    assert kvp(service, Request="GetCapabilities").status_code == 200
    assert kvp(service, Service="WMS", Request="GetCapabilities").status_code == 400


@clause("A.5.2")
def test_the_version_is_checked(service):
    assert kvp(service, Version="3.0.0", Request="GetCapabilities").status_code == 400


@clause("A.5.3")
@clause("A.5.5")
def test_inputs_and_outputs_by_value(service, wps2_schema):
    root = document(post(service, execute()))

    wps2_schema.assertValid(root)
    assert root.findtext("wps:Output/wps:Data/wps:LiteralValue", None, NAMES) == "hello_literal"


@clause("A.5.4")
def test_inputs_by_reference(service, served, wps2_schema):
    address = f"{served.elsewhere}/vehicle.txt"
    given = f'<wps:Reference mimeType="text/plain" xlink:href="{address}"/>'

    root = document(
        post(service, execute(inputs=f'<wps:Input id="literalInput">{given}</wps:Input>'))
    )

    wps2_schema.assertValid(root)
    value = root.findtext("wps:Output/wps:Data/wps:LiteralValue", None, NAMES)
    assert value == "hello by reference"


@clause("A.5.6")
def test_outputs_by_reference(service, wps2_schema):
    output = '<wps:Output id="literalOutput" transmission="reference"/>'

    root = document(post(service, execute(output=output)))

    wps2_schema.assertValid(root)
    (address,) = root.xpath("wps:Output/wps:Reference/@xlink:href", namespaces=NAMES)
    assert requests.get(address, timeout=60).text == "hello_literal"


@clause("A.5.7")
def test_every_process_has_an_identifier_of_its_own(service, wps2_schema):
    root = document(kvp(service, Request="DescribeProcess", Identifier="ALL"))

    wps2_schema.assertValid(root)
    identifiers = root.xpath("wps:ProcessOffering/wps:Process/ows:Identifier", namespaces=NAMES)
    assert len({one.text for one in identifiers}) == len(identifiers) > 1


@clause("A.5.8")
def test_every_job_has_an_identifier_of_its_own(service):
    jobs = [document(post(service, execute(mode="async"))) for _ in range(5)]

    assert len({one.findtext("wps:JobID", None, NAMES) for one in jobs}) == 5


@clause("A.5.9")
def test_capabilities_by_post(service, wps2_schema):
    root = document(post(service, f'<wps:GetCapabilities {SPACES} service="WPS"/>'))

    wps2_schema.assertValid(root)
    assert root.tag == f"{WPS}Capabilities"


@clause("A.5.10")
def test_descriptions_by_post(service, wps2_schema):
    body = (
        f'<wps:DescribeProcess {SPACES} service="WPS" version="2.0.0">'
        "<ows:Identifier>echo</ows:Identifier></wps:DescribeProcess>"
    )

    root = document(post(service, body))

    wps2_schema.assertValid(root)
    assert root.tag == f"{WPS}ProcessOfferings"


@clause("A.5.11")
def test_a_synchronous_order_is_answered_with_its_result(service):
    assert document(post(service, execute())).tag == f"{WPS}Result"
    assert "hello_literal" in post(service, execute(response="raw")).text


@clause("A.5.12")
def test_an_asynchronous_order_is_answered_with_its_status(service, wps2_schema):
    root = document(post(service, execute(mode="async")))

    wps2_schema.assertValid(root)
    assert root.find("wps:Status", NAMES) is not None


@clause("A.5.13")
@pytest.mark.parametrize("mode", ["sync", "async", "auto"])
@pytest.mark.parametrize("response", ["raw", "document"])
def test_every_mode_is_answered(service, mode, response):
    root = document(post(service, execute(mode=mode, response=response)))

    named = {"raw": "LiteralValue", "document": "Result"}[response]
    assert root.tag == WPS + ("StatusInfo" if mode == "async" else named)


@clause("A.5.14")
def test_the_status_by_post(service, wps2_schema, job_id):
    root = document(post(service, job("GetStatus", job_id)))

    wps2_schema.assertValid(root)
    assert root.tag == f"{WPS}StatusInfo"


@clause("A.5.15")
@pytest.mark.parametrize("response", ["raw", "document"])
def test_the_result_by_post_asked_for_at_once(service, response):
    accepted = document(post(service, execute(mode="async", response=response)))

    root = document(post(service, job("GetResult", accepted.findtext("wps:JobID", None, NAMES))))

    assert root.tag == WPS + {"raw": "LiteralValue", "document": "Result"}[response]
    assert next(root.iter(f"{WPS}LiteralValue")).text == "hello_literal"


@clause("A.5.16")
@pytest.mark.parametrize("letters", [str.upper, str.lower])
def test_capabilities_by_get(service, letters):
    root = document(kvp(service, letters, Request="GetCapabilities"))

    assert root.tag == f"{WPS}Capabilities"


@clause("A.5.17")
@pytest.mark.parametrize("letters", [str.upper, str.lower])
def test_descriptions_by_get(service, letters):
    capabilities = document(kvp(service, Request="GetCapabilities"))
    first = capabilities.findtext(".//ows:Identifier", None, NAMES)

    root = document(kvp(service, letters, Request="DescribeProcess", Identifier=first))

    assert root.tag == f"{WPS}ProcessOfferings"


@clause("A.5.18")
@pytest.mark.parametrize("letters", [str.upper, str.lower])
def test_the_status_by_get(service, letters, job_id):
    root = document(kvp(service, letters, Request="GetStatus", JobID=job_id))

    assert root.findtext("wps:Status", None, NAMES) == "Succeeded"


@clause("A.5.19")
def test_the_result_by_get(service, job_id):
    status = document(kvp(service, Request="GetStatus", JobID=job_id))
    result = document(kvp(service, Request="GetResult", JobID=job_id))

    assert status.findtext("wps:Status", None, NAMES) == "Succeeded"
    assert result.tag == f"{WPS}Result"


def test_a_dismissed_job_is_dismissed_in_every_version(service):
    paused = LITERAL + (
        '<wps:Input id="pause"><wps:Data><wps:LiteralValue>60</wps:LiteralValue></wps:Data>'
        "</wps:Input>"
    )
    accepted = document(post(service, execute(mode="async", inputs=paused)))
    job_id = accepted.findtext("wps:JobID", None, NAMES)

    dismissed = document(post(service, job("Dismiss", job_id)))

    assert dismissed.findtext("wps:Status", None, NAMES) == "Dismissed"
    first = requests.get(f"{service}/outputs/pywps-{job_id}.xml", timeout=60)
    assert "JobDismissed" in first.text
