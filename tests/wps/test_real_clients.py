"""Real clients, unmodified, against the whole service with its workers."""

import contextlib
import logging
import types
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from lxml import etree
from owslib.wps import ComplexDataInput, WebProcessingService

from tests.patience import until
from tests.wps.serving import Served
from tests.wps.stand_in import NAMES

pytestmark = [pytest.mark.client, pytest.mark.slow]


@pytest.fixture
def wps(served: Served) -> WebProcessingService:
    return WebProcessingService(f"{served.url}/wps")


@pytest.fixture
def product(served: Served) -> str:
    """A product on tape."""
    title = "S1A_IW_GRDH_1SDV_ONE"
    with contextlib.suppress(Exception):  # there already
        served.house.archive(title)
    return title


# It imports what warns of its own age.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestBirdy:
    """birdy: a Python method a process."""

    @pytest.fixture(params=[False, True], ids=["waiting", "progress"])
    def client(self, served: Served, request, monkeypatch) -> Iterator[Any]:
        # It logs a stack for each value that is no named tuple, takes SIGINT for itself, and shows
        # pictures with IPython, which it does not require.
        logging.disable(logging.CRITICAL)
        import birdy
        import birdy.dependencies

        shown = types.SimpleNamespace(display=types.SimpleNamespace(Image=lambda url: url))
        monkeypatch.setattr(birdy.dependencies, "IPython", shown)
        monkeypatch.setattr("signal.signal", lambda *_: None)
        yield birdy.WPSClient(f"{served.url}/wps", progress=request.param)
        logging.disable(logging.NOTSET)

    def test_it_offers_a_method_a_process(self, client):
        methods = {name for name in dir(client) if callable(getattr(client, name))}

        assert {"s1_ortho", "echo", "processing_status", "status", "full_maja"} <= methods
        assert "ortho_s1_grd" not in methods

    def test_echo(self, client):
        answer = client.echo(
            literalinput="a;b=c@d & <e>", complexinput='{"a": 1}', boundingboxinput="1,43,2,44"
        ).get(asobj=True)

        assert answer.literaloutput == "a;b=c@d & <e>"
        assert answer.complexoutput == {"a": 1}
        assert answer.boundingboxoutput == "1,43,2,44"
        assert answer.report["USER_INFO"]["job_status"] == "FINISHED"

    def test_the_state_of_a_job(self, client, served):
        job = served.house.submit()

        for method in (client.processing_status, client.status):
            answer = method(wps_id=job).get(asobj=True)
            assert answer.status["USER_INFO"]["job_id"] == job

    def test_s1_ortho(self, client, product):
        if not client._interactive:
            with pytest.raises(Exception, match="can take minutes"):
                client.s1_ortho(product=product)
            return
        execution = client.s1_ortho(product=product, polarizations=["VV", "VH"])

        answer = execution.get(asobj=True)

        assert "clear" in str(answer.archive[0])
        assert answer.quicklook.endswith(".png")
        assert answer.report["tiles"] == ["31TCJ"]

    def test_a_refusal_says_why(self, client):
        with pytest.raises(Exception, match="there is no job 7"):
            client.processing_status(wps_id="7")


class TestOwslib:
    """OWSLib against workers; how it reads each document is tested with job rows."""

    def test_its_waiting_call(self, wps):
        execution = wps.execute("echo", [("literalInput", "a"), ("complexInput", "<a>1</a>")])

        assert execution.isSucceded()
        data = {one.identifier: one.data for one in execution.processOutputs if one.data}
        assert data["literalOutput"] == ["a"]
        assert etree.fromstring(data["complexOutput"][0]).text == "1"

    @pytest.mark.parametrize("outputs", [[], [("archive", True)]])
    def test_it_polls_and_fetches(self, wps, product, tmp_path, outputs):
        execution = wps.execute("S1_ORTHO", [("product", product)], output=outputs)
        until(lambda: execution.checkStatus(sleepSecs=0.2) or execution.isComplete(), 60)
        archive = next(one for one in execution.processOutputs if one.identifier == "archive")
        archive.writeToDisk(path=f"{tmp_path}/")

        (path,) = tmp_path.iterdir()
        assert zipfile.ZipFile(path).namelist() == ["31TCJ/clear.txt"]
        expected = ["archive", "quicklook", "report"] if not outputs else ["archive"]
        assert [one.identifier for one in execution.processOutputs] == expected


def test_the_qgis_plugin_of_opengeolabs(served, product, tmp_path):
    """Facts: OpenGeoLabs/qgis-wps-plugin 859ea8f, connect.py."""
    listing = WebProcessingService(f"{served.url}/wps")
    listing.getcapabilities()
    assert "S1_ORTHO" in [one.identifier for one in listing.processes]
    described = WebProcessingService(f"{served.url}/wps").describeprocess("S1_ORTHO")
    # Empty optional fields are sent as empty literals.
    inputs = [(one.identifier, "") for one in described.dataInputs if one.identifier != "product"]

    client = WebProcessingService(f"{served.url}/wps")
    execution = client.execute("S1_ORTHO", [("product", product), *inputs], output=[])
    until(lambda: execution.checkStatus(sleepSecs=0.2) or execution.isComplete(), 60)

    assert execution.errors == []
    for output in execution.processOutputs:
        execution.getOutput(str(tmp_path / output.identifier), output.identifier)
    assert zipfile.is_zipfile(tmp_path / "archive")


def test_a_vector_layer_from_the_qgis_plugin_is_a_document(served):
    """The plugin sends a layer as GML in ComplexData without a media type."""
    layer = '<gml:Point xmlns:gml="http://www.opengis.net/gml"><gml:pos>43 1</gml:pos></gml:Point>'
    client = WebProcessingService(f"{served.url}/wps")

    execution = client.execute("echo", [("complexInput", ComplexDataInput(layer))], output=[])
    until(lambda: execution.checkStatus(sleepSecs=0.2) or execution.isComplete(), 60)

    output = next(one for one in execution.processOutputs if one.identifier == "complexOutput")
    assert etree.fromstring(output.data[0]).findtext("{*}pos") == "43 1"


def test_the_qgis_plugin_of_sourcepole(served):
    """Facts: sourcepole/qgis-wps-client 9cf241b, wpsserver.py and executionrequest.py."""
    base = f"{served.url}/resto/wps"
    answer = requests.get(
        f"{base}?Request=GetCapabilities&identifier=&Service=WPS&Version=1.0.0", timeout=60
    )
    assert etree.fromstring(answer.content).get("version") == "1.0.0"
    body = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<wps:Execute service="WPS" '
        'version="1.0.0" xmlns:wps="http://www.opengis.net/wps/1.0.0" '
        'xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation='
        '"http://www.opengis.net/wps/1.0.0 http://schemas.opengis.net/wps/1.0.0/'
        'wpsExecute_request.xsd"><ows:Identifier>echo</ows:Identifier>\n<wps:DataInputs>\n'
        "<wps:Input>\n<ows:Identifier>literalInput</ows:Identifier>\n<ows:Title>literalInput"
        "</ows:Title>\n<wps:Data>\n<wps:LiteralData>25</wps:LiteralData>\n</wps:Data>\n"
        "</wps:Input>\n<wps:Input>\n<ows:Identifier>complexInput</ows:Identifier>\n<wps:Data>\n"
        '<wps:ComplexData mimeType="application/xml" schema="" ><![CDATA[<a><b/></a>]]>'
        "</wps:ComplexData>\n</wps:Data>\n</wps:Input>\n<wps:Input>\n"
        "<ows:Identifier>boundingboxInput</ows:Identifier>\n<wps:Data>\n"
        '<wps:BoundingBoxData ows:dimensions="2"><ows:LowerCorner>1 43</ows:LowerCorner>'
        "<ows:UpperCorner>2 44</ows:UpperCorner></wps:BoundingBoxData>\n</wps:Data>\n</wps:Input>\n"
        '</wps:DataInputs>\n<wps:ResponseForm>\n<wps:ResponseDocument lineage="false" '
        'storeExecuteResponse="false" status="false">\n<wps:Output>\n<ows:Identifier>literalOutput'
        "</ows:Identifier>\n</wps:Output>\n<wps:Output>\n<ows:Identifier>boundingboxOutput"
        '</ows:Identifier>\n</wps:Output>\n<wps:Output asReference="true" '
        'mimeType="application/xml"  ><ows:Identifier>complexOutput</ows:Identifier>\n</wps:Output>'
        "\n</wps:ResponseDocument>\n</wps:ResponseForm>\n</wps:Execute>"
    )

    response = requests.post(base, body, headers={"Content-Type": "text/xml"}, timeout=60)

    outputs = etree.fromstring(response.content).findall(".//wps:Output", NAMES)
    literal, document, box = outputs
    assert literal.findtext(".//wps:LiteralData", None, NAMES) == "25"
    assert box.findtext(".//wps:LiteralData", None, NAMES).startswith("1,43,2,44")
    reference = document.find("wps:Reference", NAMES)
    assert reference.get("mimeType") == "application/xml"
    assert requests.get(reference.get("href"), timeout=60).text == "<a><b/></a>"
