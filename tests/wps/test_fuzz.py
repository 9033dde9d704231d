"""Whatever is sent, the answer is a valid document and no internal error."""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wps.stand_in import document

relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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
