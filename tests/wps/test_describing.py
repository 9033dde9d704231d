"""Capabilities and descriptions say what is offered, as the schemas want it."""

import pytest
from werkzeug.test import Client

from peps_wps.access import Access
from peps_wps.app import create_app
from peps_wps.ordering import OrderDesk
from peps_wps.wps.service import WpsService
from tests.wps.stand_in import NAMES, FullMaja, document

DESCRIBE = "/resto/wps?service=WPS&version=1.0.0&request=DescribeProcess&identifier="


def texts(root, path: str) -> list[str]:
    return root.xpath(path, namespaces=NAMES)


@pytest.mark.wps100
def test_capabilities_are_valid_and_list_the_processes(client, wps_schema):
    root = document(client.get("/wps?service=WPS&request=GetCapabilities"))

    wps_schema.assertValid(root)
    listed = texts(root, "wps:ProcessOfferings/wps:Process/ows:Identifier/text()")
    assert listed == ["FULL_MAJA", "ECHO"]
    assert texts(root, "//ows:ServiceTypeVersion/text()") == ["1.0.0"]


@pytest.mark.parametrize("path", ["/wps?service=WPS&request=GetCapabilities", "/ogcapi"])
def test_a_host_that_is_none_is_in_no_address(client, path):
    answer = client.get(path, headers={"Host": 'a"><b'})

    assert (answer.status_code, 'a"' in answer.text) == (400, False)


def test_capabilities_lead_back_to_the_address_of_the_request(client):
    root = document(
        client.get("/wps?service=WPS&request=GetCapabilities", base_url="https://peps.example:8443")
    )

    addresses = set(texts(root, "//ows:HTTP/ows:*/@xlink:href"))
    assert addresses == {
        "https://peps.example:8443/resto/wps?",
        "https://peps.example:8443/resto/wps",
    }


@pytest.mark.wps100
@pytest.mark.parametrize("identifiers", ["all", "ECHO", "FULL_MAJA,ECHO", "maja-s2"])
def test_descriptions_are_valid(client, wps_schema, identifiers):
    root = document(client.get(DESCRIBE + identifiers))

    wps_schema.assertValid(root)
    expected = {"all": ["FULL_MAJA", "ECHO"]}.get(identifiers, identifiers.split(","))
    assert texts(root, "ProcessDescription/ows:Identifier/text()") == expected


def test_the_service_can_be_mounted_alone(config, engine, wps_schema):
    service = WpsService(OrderDesk(config, engine, (FullMaja,), Access(config, engine)))

    root = document(Client(service).get("/?service=WPS&request=GetCapabilities"))

    wps_schema.assertValid(root)


def test_posted_requests_get_the_same_documents(client):
    spaces = (
        'xmlns:wps="http://www.opengis.net/wps/1.0.0" xmlns:ows="http://www.opengis.net/ows/1.1"'
    )
    capabilities = f'<wps:GetCapabilities {spaces} service="WPS"/>'
    describe = (
        f'<wps:DescribeProcess {spaces} service="WPS" version="1.0.0">'
        "<ows:Identifier>ECHO</ows:Identifier></wps:DescribeProcess>"
    )

    assert client.post("/wps", data=capabilities).data == (
        client.get("/wps?service=WPS&request=GetCapabilities").data
    )
    assert client.post("/resto/wps", data=describe).data == client.get(DESCRIBE + "ECHO").data


def test_an_alias_is_described_under_its_own_names(client):
    root = document(client.get(DESCRIBE + "maja-s2"))

    names = texts(root, "//Input/ows:Identifier/text()")
    shared = ["startDate", "completionDate", "relativeOrbitNumber", "denoise"]
    assert names == ["tile-name", *shared, "notif-email"]


def test_a_boolean_default_is_spelled_as_xml_does(client):
    root = document(client.get(DESCRIBE + "FULL_MAJA"))

    assert texts(root, "//Input[ows:Identifier='denoise']//DefaultValue/text()") == ["true"]


@pytest.mark.parametrize(
    ("query", "code", "locator"),
    [
        ("request=DescribeProcess&identifier=NOPE", "InvalidParameterValue", "identifier"),
        ("request=DescribeProcess", "MissingParameterValue", "identifier"),
        ("request=GetCapabilities&language=fr-FR", "InvalidParameterValue", "language"),
        ("request=GetCapabilities&acceptversions=3.0.0", "VersionNegotiationFailed", None),
    ],
)
def test_refusals_are_exception_reports_that_owslib_reads(client, ows_schema, query, code, locator):
    response = client.get(f"/wps?service=WPS&version=1.0.0&{query}")

    root = document(response)
    ows_schema.assertValid(root)
    exception = root.find("ows:Exception", NAMES)
    assert (response.status_code, exception.get("exceptionCode")) == (400, code)
    assert locator in (None, exception.get("locator"))


def test_the_shipped_processes_are_described_validly(config, engine, wps_schema):
    client = Client(create_app(config, engine))

    for query in ("GetCapabilities", "DescribeProcess&identifier=all"):
        root = document(client.get(f"/wps?service=WPS&version=1.0.0&request={query}"))
        wps_schema.assertValid(root)
        assert "S1_ORTHO" in texts(root, "//ows:Identifier/text()")
