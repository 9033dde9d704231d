"""Whatever is sent, the answer is a valid document and no internal error."""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wps.stand_in import document

relaxed = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
words = st.sampled_from(
    ["WPS", "Execute", "GetCapabilities", "DescribeProcess", "Dismiss", "1.0.0", "ECHO", "true"]
) | st.sampled_from(
    ["FULL_MAJA", "all", "[text=a]", "text=a;text=b@c", "tileid=", "text@asReference=true", ""]
)
names = st.sampled_from(
    ["service", "REQUEST", "version", "identifier", "datainputs", "status", "jobid", "lineage"]
) | st.sampled_from(
    ["storeExecuteResponse", "responsedocument", "rawdataoutput", "language", "title"]
)
values = words | st.text(max_size=20).map(lambda text: quote(text, safe=";=@[]+%"))


@pytest.mark.kvp
@relaxed
@given(st.dictionaries(names, values))
def test_any_parameters_get_a_valid_document(client, wps_schema, ows_schema, parameters):
    parameters = {"service": "WPS", "version": "1.0.0", **parameters}
    query = "&".join(f"{name}={value}" for name, value in parameters.items())

    response = client.get(f"/resto/wps?{query}")

    assert response.status_code in (200, 400)
    if "xml" in response.mimetype:
        root = document(response)
        assert wps_schema.validate(root) or ows_schema.validate(root)


@relaxed
@given(
    st.text(max_size=30),
    st.sampled_from(["LiteralData", "ComplexData", "BoundingBoxData", "Other"]),
    st.sampled_from(["ECHO", "FULL_MAJA", "NOPE", ""]),
    st.sampled_from(["true", "false", "1", "x"]),
)
def test_any_posted_order_gets_a_valid_document(
    client, wps_schema, ows_schema, text, kind, identifier, flag
):
    body = (
        '<wps:Execute xmlns:wps="http://www.opengis.net/wps/1.0.0" service="WPS" version="1.0.0" '
        f'xmlns:ows="http://www.opengis.net/ows/1.1"><ows:Identifier>{identifier}</ows:Identifier>'
        "<wps:DataInputs><wps:Input><ows:Identifier>text</ows:Identifier><wps:Data>"
        f"<wps:{kind}>{text}</wps:{kind}></wps:Data></wps:Input></wps:DataInputs><wps:ResponseForm>"
        f'<wps:ResponseDocument status="{flag}" storeExecuteResponse="{flag}" lineage="{flag}"/>'
        "</wps:ResponseForm></wps:Execute>"
    )

    response = client.post("/wps", data=body.encode("utf-8", "replace"))

    assert response.status_code in (200, 400)
    root = document(response)
    assert wps_schema.validate(root) or ows_schema.validate(root)


SPACES_2 = (
    'xmlns:wps="http://www.opengis.net/wps/2.0" xmlns:ows="http://www.opengis.net/ows/2.0" '
    'xmlns:xlink="http://www.w3.org/1999/xlink"'
)
# What the second version answers with beside 200 and 400: no such operation, too many clients.
STATUSES_2 = (200, 400, 501, 503)
names_2 = names | st.sampled_from(["mode", "response", "sections", "acceptversions", "version"])
values_2 = values | st.sampled_from(["2.0.0", "auto", "raw", "Contents", "GetStatus", "GetResult"])


def is_sound(response, *schemas) -> bool:
    """An answer that is XML is a document of the service or a report; none tells of a stack."""
    if "Traceback" in response.text or "internal error" in response.text:
        return False
    return "xml" not in response.mimetype or any(
        schema.validate(document(response)) for schema in schemas
    )


@relaxed
@given(st.dictionaries(names_2, values_2))
def test_any_parameters_of_the_second_version_get_a_valid_document(
    client, wps_schema, ows_schema, wps2_schema, ows2_schema, parameters
):
    parameters = {"service": "WPS", "version": "2.0.0", **parameters}
    query = "&".join(f"{name}={value}" for name, value in parameters.items())

    response = client.get(f"/resto/wps?{query}")

    assert response.status_code in STATUSES_2
    assert is_sound(response, wps2_schema, ows2_schema, wps_schema, ows_schema)


@relaxed
@given(
    st.text(max_size=30),
    st.sampled_from(["wps:LiteralValue", "ows:BoundingBox", "wps:Reference", "a", "wps:Input"]),
    st.sampled_from(["Execute", "GetStatus", "GetResult", "Dismiss", "DescribeProcess", "Other"]),
    st.sampled_from(["ECHO", "FULL_MAJA", "NOPE", ""]),
    st.tuples(
        st.sampled_from(["sync", "async", "auto", "x", ""]),
        st.sampled_from(["raw", "document", "x", ""]),
        st.sampled_from(["text", "report", "archive", "x", ""]),
    ),
)
def test_any_posted_order_of_the_second_version_gets_a_valid_document(
    client, wps2_schema, ows2_schema, text, kind, operation, identifier, options
):
    mode, response, name = options
    body = (
        f'<wps:{operation} {SPACES_2} service="WPS" version="2.0.0" mode="{mode}" '
        f'response="{response}"><ows:Identifier>{identifier}</ows:Identifier>'
        f'<wps:JobID>{identifier}</wps:JobID><wps:Input id="{name}"><wps:Data>'
        f'<{kind} xlink:href="{name}">{text}</{kind}></wps:Data></wps:Input>'
        f'<wps:Output id="{name}" transmission="reference"/></wps:{operation}>'
    )

    answer = client.post("/wps", data=body.encode("utf-8", "replace"))

    assert answer.status_code in STATUSES_2
    assert is_sound(answer, wps2_schema, ows2_schema)


@relaxed
@given(st.binary(max_size=300), st.sampled_from(["", "<wps:Execute ", "<?xml"]))
def test_any_body_is_refused_and_leaves_nothing_behind(client, ledger, config, body, head):
    before = sorted(config.var.rglob("*"))
    ordered = len(ledger.submitted)

    response = client.post("/wps", data=head.encode() + body)

    assert response.status_code == 400
    assert document(response).tag.endswith("ExceptionReport")
    assert len(ledger.submitted) == ordered
    assert sorted(config.var.rglob("*")) == before
