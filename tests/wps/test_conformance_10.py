"""The assertions of ets-wps10 0.8 on this service, its workers included (OGC 05-007r7, annex A).

The suite is Java and drives a TEAM Engine; here each test carries the clause that it asserts.
"""

from urllib.parse import quote

import pytest
import requests
from lxml import etree

from tests.wps.stand_in import NAMES

pytestmark = pytest.mark.slow
clause = pytest.mark.ets_wps10

SPACES = 'xmlns:wps="http://www.opengis.net/wps/1.0.0" xmlns:ows="http://www.opengis.net/ows/1.1"'
INPUTS = (
    "<wps:DataInputs><wps:Input><ows:Identifier>complexInput</ows:Identifier><wps:Data>"
    "<wps:ComplexData><testElement>testValue</testElement></wps:ComplexData></wps:Data></wps:Input>"
    "<wps:Input><ows:Identifier>literalInput</ows:Identifier><wps:Data>"
    '<wps:LiteralData dataType="xs:string">Hello!</wps:LiteralData></wps:Data></wps:Input>'
    "</wps:DataInputs>"
)
OUTPUTS = "".join(
    f'<wps:Output asReference="false" encoding="UTF-8"><ows:Identifier>{name}</ows:Identifier>'
    "</wps:Output>"
    for name in ("literalOutput", "complexOutput")
)


@pytest.fixture(scope="module")
def service(served) -> str:
    return f"{served.url}/resto/wps"


def get(service: str, query: str) -> requests.Response:
    return requests.get(f"{service}?{query}", timeout=60)


def post(service: str, body: str) -> requests.Response:
    return requests.post(
        service, body.encode(), headers={"Content-Type": "application/xml"}, timeout=60
    )


def document(response: requests.Response) -> etree._Element:
    return etree.fromstring(response.content)


def execute(form: str) -> str:
    return (
        f'<wps:Execute service="WPS" version="1.0.0" {SPACES}>'
        f"<ows:Identifier>echo</ows:Identifier>{INPUTS}<wps:ResponseForm>{form}</wps:ResponseForm>"
        "</wps:Execute>"
    )


def code_of(response: requests.Response) -> str:
    return document(response).find("ows:Exception", NAMES).get("exceptionCode")


@clause("A.4.1.1")
@pytest.mark.parametrize(
    "query", ["version=1.0.0&request=GetCapabilities", "request=DescribeProcess&identifier=echo"]
)
def test_requests_are_answered_over_http(service, query):
    assert get(service, f"service=wps&{query}").status_code == 200


@clause("A.4.1.2")
@pytest.mark.parametrize(
    "query",
    [
        "version=1.0.0&request=GetCapabilities",
        "version=1.0.0&request=DescribeProcess",
        "version=1.0.0&request=DescribeProcess&identifier=JTS:Invalid",
    ],
)
def test_an_exception_is_a_report_with_an_error_status(service, ows_schema, query):
    for response in (
        requests.post(f"{service}?service=wps&{query}", timeout=60),
        get(service, "service=wps&request=DescribeProcess&identifier=JTS:Invalid"),
    ):
        assert response.status_code // 100 == 4
        ows_schema.assertValid(document(response))


@clause("A.4.2.1")
@pytest.mark.parametrize("name", ["AcceptVersions", "aCcepTVersioNS", "ACCEPTVERSIONS"])
def test_capabilities_by_get_in_any_letter_case(service, name):
    assert get(service, f"service=wps&request=GetCapabilities&{name}=1.0.0").status_code == 200


@clause("A.4.2.2")
def test_capabilities_by_post(service, wps_schema, ows_schema):
    body = (
        f'<wps:GetCapabilities service="WPS" {SPACES}><wps:AcceptVersions>'
        "<ows:Version>1.0.0</ows:Version></wps:AcceptVersions></wps:GetCapabilities>"
    )

    wps_schema.assertValid(document(post(service, body)))
    ows_schema.assertValid(document(post(service, body.replace("<wps:G", "<wps:g"))))


@clause("A.4.2.3")
@pytest.mark.parametrize("query", ["", "&AcceptVersions=1.0.0"])
def test_the_capabilities_are_valid(service, wps_schema, query):
    wps_schema.assertValid(document(get(service, f"service=wps&request=GetCapabilities{query}")))


@clause("A.4.2.4")
def test_versions_are_negotiated(service):
    default = document(get(service, "service=wps&request=GetCapabilities&language=en-US"))
    offered = default.findall(".//ows:ServiceTypeVersion", NAMES)
    assert default.get("version") == max(one.text for one in offered)

    for version in ("3.0.0", "0.0.1"):
        refused = get(service, f"service=wps&request=GetCapabilities&AcceptVersions={version}")
        assert code_of(refused) == "VersionNegotiationFailed"
    accepted = get(service, "service=wps&request=GetCapabilities&AcceptVersions=1.0.0")
    assert document(accepted).get("version") == "1.0.0"


@clause("A.4.2.5")
@pytest.mark.parametrize("mime_type", ["text/xml", "application/x-bxml"])
def test_formats_that_are_accepted_change_nothing(service, wps_schema, mime_type):
    query = f"service=wps&request=GetCapabilities&AcceptVersions=1.0.0&AcceptFormats={mime_type}"

    wps_schema.assertValid(document(get(service, query)))


@clause("A.4.2.6")
@clause("A.4.3.4")
@clause("A.4.4.6")
def test_every_language_that_is_offered_is_spoken(service, wps_schema):
    capabilities = document(get(service, "service=wps&request=GetCapabilities"))
    (language,) = capabilities.xpath(
        "wps:Languages/wps:Supported/ows:Language/text()", namespaces=NAMES
    )
    described = "service=wps&request=DescribeProcess&version=1.0.0&identifier=echo"
    executed = "service=wps&request=Execute&version=1.0.0&identifier=echo&DataInputs=literalInput=a"

    for query in ("service=wps&request=GetCapabilities", described, executed):
        answer = document(get(service, f"{query}&language={language}"))
        wps_schema.assertValid(answer)
        assert answer.get("{http://www.w3.org/XML/1998/namespace}lang") == language


def test_of_the_languages_that_are_accepted_one_that_is_spoken_is_enough(service):
    query = "service=wps&request=GetCapabilities&AcceptLanguages="
    body = (
        '<w:GetCapabilities service="WPS" xmlns:w="http://www.opengis.net/wps/2.0" '
        'xmlns:o="http://www.opengis.net/ows/2.0"><o:AcceptLanguages><o:Language>fr</o:Language>'
        "<o:Language>en-US</o:Language></o:AcceptLanguages></w:GetCapabilities>"
    )

    assert document(get(service, f"{query}fr-FR,%20en")).get("service") == "WPS"
    assert document(post(service, body)).get("version") == "2.0.0"
    assert code_of(get(service, f"{query}fr,de")) == "InvalidParameterValue"


@clause("A.4.3.1")
@clause("A.4.3.3")
def test_descriptions_by_get_are_valid(service, wps_schema):
    query = "service=wps&version=1.0.0&request=DescribeProcess&Identifier=echo"

    wps_schema.assertValid(document(get(service, query)))


@clause("A.4.3.2")
def test_descriptions_by_post_are_valid(service, wps_schema):
    body = (
        f'<wps:DescribeProcess service="WPS" version="1.0.0" {SPACES}>'
        "<ows:Identifier>echo</ows:Identifier></wps:DescribeProcess>"
    )

    wps_schema.assertValid(document(post(service, body)))


@clause("A.4.4.1")
def test_an_order_by_get_is_answered(service, wps_schema):
    query = "service=WPS&version=1.0.0&request=Execute&identifier=echo&DataInputs=literalInput=Hi"

    root = document(get(service, query))

    wps_schema.assertValid(root)
    assert root.findtext(".//wps:LiteralData", None, NAMES) == "Hi"


@clause("A.4.4.2")
@clause("A.4.4.3")
def test_a_raw_output_by_post_is_the_answer(service):
    form = "<wps:RawDataOutput><ows:Identifier>complexOutput</ows:Identifier></wps:RawDataOutput>"

    response = post(service, execute(form))

    assert response.headers["Content-Type"].startswith("application/xml")
    assert response.text == "<testElement>testValue</testElement>"


@clause("A.4.4.4")
def test_a_response_document_holds_the_outputs(service, wps_schema):
    form = (
        '<wps:ResponseDocument storeExecuteResponse="false" lineage="false" status="false">'
        f"{OUTPUTS}</wps:ResponseDocument>"
    )

    root = document(post(service, execute(form)))

    wps_schema.assertValid(root)
    assert root.findtext(".//wps:LiteralData", None, NAMES) == "Hello!"
    assert root.findtext(".//wps:ComplexData/testElement", None, NAMES) == "testValue"


@clause("A.4.4.5")
@pytest.mark.parametrize("status", ["false", "true"])
def test_a_stored_document_stays_at_its_address_and_is_updated(service, wps_schema, status):
    form = (
        f'<wps:ResponseDocument storeExecuteResponse="true" lineage="true" status="{status}">'
        f"{OUTPUTS}</wps:ResponseDocument>"
    )

    root = document(post(service, execute(form)))

    wps_schema.assertValid(root)
    for _ in range(200):
        stored = document(requests.get(root.get("statusLocation"), timeout=60))
        wps_schema.assertValid(stored)
        if stored.find(".//wps:ProcessSucceeded", NAMES) is not None:
            break
    assert stored.findtext(".//wps:LiteralData", None, NAMES) == "Hello!"


def test_inputs_by_reference(service, served):
    address = f"{served.elsewhere}/vehicle.txt"
    by_kvp = get(
        service,
        "service=WPS&version=1.0.0&request=Execute&identifier=echo&rawdataoutput=literalOutput"
        f"&DataInputs=literalInput=@xlink:href={quote(address, safe='')}",
    )
    by_xml = post(
        service,
        f'<wps:Execute service="WPS" version="1.0.0" {SPACES} '
        'xmlns:xlink="http://www.w3.org/1999/xlink"><ows:Identifier>echo</ows:Identifier>'
        "<wps:DataInputs><wps:Input><ows:Identifier>literalInput</ows:Identifier>"
        f'<wps:Reference xlink:href="{address}"/></wps:Input></wps:DataInputs><wps:ResponseForm>'
        "<wps:RawDataOutput><ows:Identifier>literalOutput</ows:Identifier></wps:RawDataOutput>"
        "</wps:ResponseForm></wps:Execute>",
    )

    assert [by_kvp.text, by_xml.text] == ["hello by reference"] * 2


def test_a_reference_that_is_not_allowed_is_named(service):
    for address in ("http://127.0.0.1:1/", "file:///etc/passwd", "http://169.254.169.254/"):
        response = get(
            service,
            "service=WPS&version=1.0.0&request=Execute&identifier=echo"
            f"&DataInputs=literalInput=@xlink:href={quote(address, safe='')}",
        )
        exception = document(response).find("ows:Exception", NAMES)
        assert response.status_code == 400
        assert exception.get("locator") == "literalInput"
