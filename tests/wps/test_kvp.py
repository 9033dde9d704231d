"""Query strings are read as clients write them, whatever stands in a value."""

import base64
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peps_wps.wps.errors import WpsError
from peps_wps.wps.kvp import parse_query
from peps_wps.wps.requests import (
    DescribeProcess,
    Execute,
    GetCapabilities,
    InputReference,
    JobRequest,
    OutputRequest,
)

pytestmark = pytest.mark.kvp

EXECUTE = "service=WPS&version=1.0.0&request=execute&identifier=P"
# What XML can carry, as a request can name it.
text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
).filter(lambda value: value.strip() == value and value)
names = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_-]{0,12}\Z")


def inputs(datainputs: str) -> dict[str, tuple[str, ...]]:
    _, request = parse_query(f"{EXECUTE}&datainputs={datainputs}")
    assert isinstance(request, Execute)
    return request.inputs


def is_answered(query: str) -> bool:
    try:
        parse_query(query)
    except WpsError as error:
        return bool(error.code and str(error))
    return True


@given(st.lists(st.tuples(names, text), max_size=5))
def test_encoded_values_come_back_whatever_they_hold(pairs):
    expected: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        expected[name] = (*expected.get(name, ()), value)

    assert inputs(";".join(f"{name}={quote(value, safe='')}" for name, value in pairs)) == expected
    assert inputs(f"[{';'.join(f'{n}={quote(v)}' for n, v in pairs)}]") == expected


@given(st.lists(st.tuples(names, text), min_size=1, max_size=5))
def test_a_list_encoded_again_by_an_http_library_comes_back_too(pairs):
    datainputs = ";".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
    plain = inputs(datainputs)

    for whole in (datainputs, f"[{datainputs}]"):
        _, request = parse_query(f"{EXECUTE}&{urlencode({'DataInputs': whole})}")
        assert request.inputs == plain


@given(st.text())
def test_any_query_string_is_a_request_or_a_refusal(query):
    wsgi_query = query.encode().decode("latin-1")
    for string in (wsgi_query, f"{EXECUTE}&datainputs={wsgi_query}"):
        assert is_answered(string)


@pytest.mark.parametrize(
    ("datainputs", "expected"),
    [
        ("product=a;tile=b", {"product": ("a",), "tile": ("b",)}),
        ("product=a;product=b", {"product": ("a", "b")}),
        ("[wps_id=12]", {"wps_id": ("12",)}),
        ("%5Bwps_id=12%5D", {"wps_id": ("12",)}),
        ("%5Bwps_id%3D12%5D", {"wps_id": ("12",)}),
        ("filter=a=b=c", {"filter": ("a=b=c",)}),
        ("who=me@cnes.fr", {"who": ("me@cnes.fr",)}),
        ("who=me%40cnes.fr;x=a%3Bb", {"who": ("me@cnes.fr",), "x": ("a;b",)}),
        ("xml=%3Ca/%3E@mimeType=text/xml@encoding=utf-8", {"xml": ("<a/>",)}),
        ("sensorMode=;productType=GRD;", {"productType": ("GRD",)}),
        ("", {}),
        ("[]", {}),
        ("town=Aix+en+Provence", {"town": ("Aix en Provence",)}),
        ("town=Saint%2BLary", {"town": ("Saint+Lary",)}),
        ("wkt=POINT(1 2)", {"wkt": ("POINT(1 2)",)}),
    ],
)
def test_inputs_are_split_before_they_are_decoded(datainputs, expected):
    assert inputs(datainputs) == expected


# The second holds a plus in base64.
@pytest.mark.parametrize(
    "address",
    [
        "https://peps.cnes.fr/resto/api/collections/S2ST/search.json?tileid=31TCJ&maxRecords=500",
        "https://peps.cnes.fr/resto/api/collections/S2ST/search.json?q=~~~>>>",
    ],
)
def test_base64_of_an_address_survives_without_percent_encoding(address):
    encoded = base64.b64encode(address.encode()).decode()

    assert base64.b64decode(inputs(f"opensearch_request={encoded}")["opensearch_request"][0]) == (
        address.encode()
    )


def test_declared_base64_keeps_its_plus():
    assert inputs("image=+/+/@encoding=base64") == {"image": ("+/+/",)}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "Request=GetCapabilities&identifier=&Service=WPS&Version=1.0.0",
            GetCapabilities(),
        ),
        ("SERVICE=wps&REQUEST=getcapabilities&acceptversions=2.0.0,1.0.0", GetCapabilities()),
        (
            "service=WPS&request=DescribeProcess&version=1.0.0&identifier=a,%20b",
            DescribeProcess(("a", "b")),
        ),
        ("service=WPS&request=Dismiss&JobId=7", JobRequest("dismiss", "7")),
        ("service=WPS&request=GetStatus&executionId=7", JobRequest("getstatus", "7")),
        (
            f"{EXECUTE}&StoreExecuteResponse=TRUE&Status=true&lineage=1&title=My%20job",
            Execute("P", store=True, mode="async", lineage=True, title="My job"),
        ),
        (
            f"{EXECUTE}&responseDocument=[archive=@asReference=true;notes@mimeType=text/plain]",
            Execute(
                "P",
                outputs=(
                    OutputRequest("archive", True),
                    OutputRequest("notes", None, "text/plain"),
                ),
            ),
        ),
        (
            f"{EXECUTE}&RawDataOutput=archive@mimeType=application/zip",
            Execute("P", outputs=(OutputRequest("archive", None, "application/zip"),), raw=True),
        ),
        (
            f"{EXECUTE}&datainputs=a=@xlink:href=http%3A%2F%2Fhost%2Fa%3Bb;b=1",
            Execute("P", inputs={"a": (InputReference("http://host/a;b"),), "b": ("1",)}),
        ),
    ],
)
def test_requests_are_understood_in_any_letter_case(query, expected):
    assert parse_query(query)[1] == expected


EXECUTE_2 = "service=WPS&version=2.0.0&request=Execute&identifier=P"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (EXECUTE_2, Execute("P", mode="auto")),
        (f"{EXECUTE_2}&mode=ASYNC&response=raw", Execute("P", mode="async", raw=True)),
        (
            f"{EXECUTE_2}&mode=sync&responsedocument=a@transmission=reference;b@transmission=value",
            Execute("P", outputs=(OutputRequest("a", True), OutputRequest("b", False))),
        ),
        (
            "service=WPS&version=2.0.0&request=GetCapabilities&sections=Contents,OperationsMetadata",
            GetCapabilities(sections=("Contents", "OperationsMetadata")),
        ),
    ],
)
def test_requests_of_the_second_version_are_understood(query, expected):
    assert parse_query(query) == ("2.0.0", expected)


@pytest.mark.parametrize(
    ("query", "version"),
    [
        ("request=GetCapabilities", "1.0.0"),
        ("request=GetCapabilities&version=1.0.0", "1.0.0"),
        ("request=GetCapabilities&version=2.0.0", "2.0.0"),
        ("request=GetCapabilities&acceptversions=2.0.0,1.0.0", "2.0.0"),
        ("request=GetCapabilities&acceptversions=3.0.0,1.0.0,2.0.0", "1.0.0"),
        ("request=GetCapabilities&version=1.0.0&acceptversions=2.0.0", "2.0.0"),
        ("request=DescribeProcess&identifier=a", "1.0.0"),
        ("request=GetStatus&jobid=7&version=2.0.0", "2.0.0"),
    ],
)
def test_the_version_is_what_the_client_likes_best(query, version):
    assert parse_query(f"service=WPS&{query}")[0] == version


def test_inputs_after_an_ampersand_that_was_not_encoded_are_inputs():
    _, request = parse_query(
        "request=execute&service=WPS&version=1.0.0&identifier=P&datainputs=startDate=2018-01-01"
        "&completionDate=2018-03-10;tileid=31TCJ&status=true&storeExecuteResponse=true"
    )

    assert request.inputs == {
        "startDate": ("2018-01-01",),
        "completionDate": ("2018-03-10",),
        "tileid": ("31TCJ",),
    }
    assert request.mode == "async"


@pytest.mark.parametrize(
    ("query", "code", "locator"),
    [
        ("request=GetCapabilities", "MissingParameterValue", "service"),
        ("service=WFS&request=GetCapabilities", "InvalidParameterValue", "service"),
        ("service=WPS", "MissingParameterValue", "request"),
        ("service=WPS&request=Explode", "OperationNotSupported", "explode"),
        (
            "service=WPS&request=GetCapabilities&acceptversions=3.0.0",
            "VersionNegotiationFailed",
            "AcceptVersions",
        ),
        (
            "service=WPS&version=3.0.0&request=Execute&identifier=P",
            "VersionNegotiationFailed",
            "version",
        ),
        (
            "service=WPS&version=3.0.0&request=GetCapabilities",
            "VersionNegotiationFailed",
            "version",
        ),
        (f"{EXECUTE_2}&mode=soon", "InvalidParameterValue", "mode"),
        (f"{EXECUTE_2}&response=xml", "InvalidParameterValue", "response"),
        (
            f"{EXECUTE_2}&responsedocument=a@transmission=post",
            "InvalidParameterValue",
            "transmission",
        ),
        (f"{EXECUTE}&status=true", "InvalidParameterValue", "status"),
        ("service=WPS&version=1.0.0&request=Execute", "MissingParameterValue", "identifier"),
        (f"{EXECUTE}&status=maybe", "InvalidParameterValue", "status"),
        (f"{EXECUTE}&datainputs=a=1;b", "InvalidParameterValue", "DataInputs"),
        (f"{EXECUTE}&datainputs=a=%00", "InvalidParameterValue", "a"),
        (f"{EXECUTE}&datainputs=a=%ff", "InvalidParameterValue", "a"),
        (
            f"{EXECUTE}&datainputs=a=@xlink:href=",
            "InvalidParameterValue",
            "a",
        ),
    ],
)
def test_what_is_wrong_is_named(query, code, locator):
    with pytest.raises(WpsError) as refused:
        parse_query(query)

    assert (refused.value.code, refused.value.locator) == (code, locator)
