"""The WPS client against documents and servers as they can be, good and bad."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from lxml.etree import fromstring

from peps_wps.client import (
    ClientError,
    Credentials,
    GoneError,
    RefusedError,
    UnreachableError,
    WpsClient,
)
from peps_wps.client.wps import execute_document, read_status

STATUS = """<wps:ExecuteResponse xmlns:wps="http://www.opengis.net/wps/1.0.0"
 xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:xlink="http://www.w3.org/1999/xlink"
 statusLocation="http://h/resto/wps/outputs/pywps-0a1b2c3d-0000-4000-8000-000000000000.xml">
<wps:Status>{status}</wps:Status><wps:ProcessOutputs>{outputs}</wps:ProcessOutputs>
</wps:ExecuteResponse>"""
REFUSAL = """<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1" version="1.1.0">
<ows:Exception exceptionCode="InvalidParameterValue" locator="tiles"><ows:ExceptionText>99ZZZ is no
 tile</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"""


class Answers(BaseHTTPRequestHandler):
    """Answers each path as the test has laid down: status, headers, body."""

    pages: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {}
    shown: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.shown.append(self.headers["Authorization"])
        status, headers, body = self.pages[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "state", "percent", "message"),
    [
        ("<wps:ProcessAccepted>waiting</wps:ProcessAccepted>", "accepted", 0, "waiting"),
        (
            '<wps:ProcessStarted percentCompleted="42">half</wps:ProcessStarted>',
            "running",
            42,
            "half",
        ),
        ("<wps:ProcessSucceeded>done</wps:ProcessSucceeded>", "succeeded", 100, "done"),
        (f"<wps:ProcessFailed>{REFUSAL}</wps:ProcessFailed>", "failed", 0, "99ZZZ is no\n tile"),
    ],
)
def test_each_state_is_read(status: str, state: str, percent: int, message: str) -> None:
    read = read_status(fromstring(STATUS.format(status=status, outputs="")))

    assert (read.state, read.percent, read.message) == (state, percent, message)
    assert read.id == "0a1b2c3d-0000-4000-8000-000000000000"


def test_outputs_are_read_by_reference_and_by_value() -> None:
    outputs = """<wps:Output><ows:Identifier>a</ows:Identifier>
    <wps:Reference href="http://h/a.zip" mimeType="application/zip"/></wps:Output>
    <wps:Output><ows:Identifier>b</ows:Identifier><wps:Data><wps:LiteralData>7</wps:LiteralData>
    </wps:Data></wps:Output>"""
    document = STATUS.format(status="<wps:ProcessSucceeded/>", outputs=outputs)
    first, second = read_status(fromstring(document)).outputs

    assert (first.href, first.mime_type, second.value) == ("http://h/a.zip", "application/zip", "7")


def test_values_reach_the_document_as_they_are() -> None:
    value = "a=b;c@d+e <&> é"
    document = execute_document("P", [("x", value), ("x", "2")])
    texts = [one.text for one in fromstring(document).iter() if one.tag.endswith("LiteralData")]

    assert texts == [value, "2"]


def test_a_status_without_an_address_must_be_the_last() -> None:
    def kept_nowhere(status: str) -> str:
        return STATUS.format(status=status, outputs="").replace("statusLocation", "other")

    ended = read_status(fromstring(kept_nowhere("<wps:ProcessSucceeded/>")))
    assert (ended.state, ended.url) == ("succeeded", "")
    with pytest.raises(UnreachableError, match="does not say where"):
        read_status(fromstring(kept_nowhere("<wps:ProcessAccepted/>")))


def test_a_refusal_keeps_the_words_of_the_server(server: str) -> None:
    Answers.pages = {"/resto/wps": (400, {"Content-Type": "text/xml"}, REFUSAL.encode())}
    with pytest.raises(RefusedError) as caught:
        WpsClient(server).execute("S1_ORTHO", [("tiles", "99ZZZ")])

    assert (caught.value.code, caught.value.locator) == ("InvalidParameterValue", "tiles")


@pytest.mark.parametrize(
    ("status", "body"), [(502, b"bad gateway"), (200, b"<html>a portal"), (200, b"<a/>")]
)
def test_what_is_no_wps_server_is_told_as_unreachable(
    server: str, status: int, body: bytes
) -> None:
    Answers.pages = {"/resto/wps/outputs/pywps-1.xml": (status, {}, body)}
    with pytest.raises(UnreachableError):
        WpsClient(server).status("1")


def test_nobody_there_is_told_as_unreachable() -> None:
    with pytest.raises(UnreachableError):
        WpsClient("http://127.0.0.1:9").status("1")


def test_a_cut_transfer_leaves_no_file(server: str, tmp_path: Path) -> None:
    headers = {"Content-Length": "1000", "Connection": "close"}
    Answers.pages = {"/out/a.zip": (200, headers, b"x" * 400)}
    with pytest.raises(ClientError, match="broke off"):
        WpsClient(server).download(f"{server}/out/a.zip", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_transfer_appears_whole_under_the_name_of_its_address(
    server: str, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 10
    Answers.pages = {"/out/..%2Fa%20b.zip": (200, {}, content)}
    path = WpsClient(server).download(f"{server}/out/..%2Fa%20b.zip", tmp_path)

    assert path == tmp_path / "a b.zip"
    assert path.read_bytes() == content


def test_an_unknown_job_is_told_by_its_name(server: str) -> None:
    Answers.pages = {"/resto/wps/outputs/pywps-nope.xml": (404, {}, b'{"ErrorMessage": "no"}')}

    with pytest.raises(RefusedError, match=r"^there is no job nope$"):
        WpsClient(server).status("nope")


def test_a_result_that_is_gone_is_told_apart(server: str, tmp_path: Path) -> None:
    report = REFUSAL.replace("99ZZZ is no\n tile", "the results of this job have expired")
    Answers.pages = {"/x.zip": (410, {}, report.encode())}

    with pytest.raises(GoneError, match="have expired"):
        WpsClient(server).download(f"{server}/x.zip", tmp_path)
    assert list(tmp_path.iterdir()) == []


BASIC = "Basic " + base64.b64encode("ada:secr\u00e9t".encode()).decode()


@pytest.mark.parametrize(
    ("user", "environ", "header"),
    [
        ("", {}, None),
        ("", {"PEPS_TOKEN": "peps_x", "PEPS_USER": "ada"}, "Bearer peps_x"),
        ("", {"PEPS_USER": "ada", "PEPS_PASSWORD": "secr\u00e9t"}, BASIC),
        ("ada:secr%C3%A9t@", {"PEPS_TOKEN": "peps_x"}, BASIC),
    ],
)
def test_credentials_are_shown_to_the_server_alone(
    server: str, tmp_path: Path, user: str, environ: dict[str, str], header: str | None
) -> None:
    Answers.pages = {"/out/a.zip": (200, {}, b"content")}
    Answers.shown.clear()
    client = WpsClient(server.replace("//", f"//{user}"), Credentials.of_environment(environ))

    client.download(f"{server}/out/a.zip", tmp_path)
    # Another host, though it is the same machine.
    client.download(f"{server}/out/a.zip".replace("127.0.0.1", "localhost"), tmp_path)

    assert Answers.shown == [header, None]


def test_a_password_is_in_no_message() -> None:
    with pytest.raises(UnreachableError) as error:
        WpsClient("http://ada:secret@127.0.0.1:9").status("1")
    assert "secret" not in str(error.value)
    assert "secret" not in repr(Credentials(token="secret", password="secret"))
