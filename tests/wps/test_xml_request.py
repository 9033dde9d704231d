"""XML requests are read without trust."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peps_wps.wps.asking import parse_xml
from peps_wps.wps.errors import WpsError
from peps_wps.wps.requests import DescribeProcess, Execute, GetCapabilities, OutputRequest

SPACES = 'xmlns:wps="http://www.opengis.net/wps/1.0.0" xmlns:ows="http://www.opengis.net/ows/1.1"'


def execute(inside: str) -> bytes:
    return (
        f'<wps:Execute {SPACES} xmlns:xlink="http://www.w3.org/1999/xlink" service="WPS" '
        f'version="1.0.0"><ows:Identifier>P</ows:Identifier>{inside}</wps:Execute>'
    ).encode()


def value(identifier: str, data: str) -> str:
    return (
        f"<wps:Input><ows:Identifier>{identifier}</ows:Identifier>"
        f"<wps:Data>{data}</wps:Data></wps:Input>"
    )


def test_an_execute_request_is_read_whole():
    body = execute(
        "<wps:DataInputs>"
        + value("tile", "<wps:LiteralData> 31TCJ </wps:LiteralData>")
        + value("tile", "<wps:LiteralData>31TDJ</wps:LiteralData>")
        + value("empty", "<wps:LiteralData/>")
        + value("area", "<wps:ComplexData><a>1<b/></a></wps:ComplexData>")
        + value("text", '<wps:ComplexData><![CDATA[{"a": 1}]]></wps:ComplexData>')
        + "</wps:DataInputs><wps:ResponseForm>"
        '<wps:ResponseDocument storeExecuteResponse="true" status="1" lineage="false">'
        '<wps:Output asReference="true"><ows:Identifier>archive</ows:Identifier></wps:Output>'
        "</wps:ResponseDocument></wps:ResponseForm>"
    )

    assert parse_xml(body)[1] == Execute(
        "P",
        inputs={"tile": ("31TCJ", "31TDJ"), "area": ("<a>1<b/></a>",), "text": ('{"a": 1}',)},
        outputs=(OutputRequest("archive", as_reference=True),),
        store=True,
        mode="async",
    )


def test_a_raw_output_is_asked_for():
    body = execute(
        "<wps:ResponseForm><wps:RawDataOutput><ows:Identifier>archive</ows:Identifier>"
        "</wps:RawDataOutput></wps:ResponseForm>"
    )

    assert parse_xml(body)[1] == Execute("P", outputs=(OutputRequest("archive"),), raw=True)


def test_the_other_operations_are_read():
    capabilities = f'<wps:GetCapabilities {SPACES} service="WPS"/>'
    describe = (
        f'<wps:DescribeProcess {SPACES} service="WPS" version="1.0.0">'
        "<ows:Identifier>a</ows:Identifier><ows:Identifier>b</ows:Identifier></wps:DescribeProcess>"
    )

    assert parse_xml(capabilities.encode()) == ("1.0.0", GetCapabilities())
    assert parse_xml(describe.encode()) == ("1.0.0", DescribeProcess(("a", "b")))


BOMB = (
    '<!DOCTYPE a [<!ENTITY x "lol"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;&x;&x;">]>'
    f"<wps:Execute {SPACES}><ows:Identifier>&y;</ows:Identifier></wps:Execute>"
)
FILE = (
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    f"<wps:Execute {SPACES}><ows:Identifier>&x;</ows:Identifier></wps:Execute>"
)
DEEP = f"<wps:Execute {SPACES}>" + "<a>" * 100_000 + "</a>" * 100_000 + "</wps:Execute>"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "NoApplicableCode"),
        (b"hello", "NoApplicableCode"),
        (b"<a>", "NoApplicableCode"),
        (b"<Execute/>", "InvalidParameterValue"),
        (BOMB.encode(), "NoApplicableCode"),
        (BOMB.encode("utf-16"), "NoApplicableCode"),
        (FILE.encode(), "NoApplicableCode"),
        (DEEP.encode(), "NoApplicableCode"),
        (f'<wps:Execute {SPACES} version="2.0.0"/>'.encode(), "VersionNegotiationFailed"),
        (f'<wps:Explode {SPACES} version="1.0.0"/>'.encode(), "OperationNotSupported"),
        (f"<wps:Execute {SPACES}/>".encode(), "MissingParameterValue"),
        (execute("<wps:DataInputs><wps:Input/></wps:DataInputs>"), "MissingParameterValue"),
        (execute(f"<wps:DataInputs>{value('a', '')}</wps:DataInputs>"), "InvalidParameterValue"),
        (
            execute(
                "<wps:DataInputs><wps:Input><ows:Identifier>a</ows:Identifier>"
                '<wps:Reference xlink:href=""/></wps:Input></wps:DataInputs>'
            ),
            "InvalidParameterValue",
        ),
        (
            execute(
                "<wps:DataInputs><wps:Input><ows:Identifier>a</ows:Identifier>"
                '<wps:Reference xlink:href="http://host/" method="POST"/></wps:Input>'
                "</wps:DataInputs>"
            ),
            "InvalidParameterValue",
        ),
    ],
)
def test_hostile_and_broken_documents_are_refused(body, code):
    with pytest.raises(WpsError) as refused:
        parse_xml(body)

    assert refused.value.code == code
    assert "root:" not in str(refused.value)


def is_answered(body: bytes) -> bool:
    try:
        parse_xml(body)
    except WpsError as error:
        return bool(error.code and str(error))
    return True


@given(st.binary(max_size=200))
def test_any_body_is_a_request_or_a_refusal(body):
    for document in (body, execute(body.decode("utf-8", "replace"))):
        assert is_answered(document)
