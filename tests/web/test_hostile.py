"""What strangers send, over real connections: refused in order, and told nothing."""

import base64
import contextlib
import re
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from peps_wps.app import Application, create_app
from tests.archive_world import ArchiveWorld
from tests.live_server import serving
from tests.wps.stand_in import Echo, FullMaja

NO_JOB = "63d0445b-86ee-452c-8dab-0db7b808a338"

BODY_LIMIT = 3 * 2**20  # [server] maxrequestsize
# What a stack, a path of this machine or a statement of SQL would have in it.
TOLD = re.compile(rb"Traceback|File \"|\.py\b|site-packages|sqlalchemy|SELECT |/root|/home|/tmp")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("hostile"), PEPS_AUTH_MODE="basic") as url:
        yield url


def exchange(address: str, request: bytes) -> tuple[int, bytes]:
    """Return status and whole answer to the bytes of a request."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        answer = b""
        # It may be refused before all of it was read.
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
    return int(answer.split(b" ", 2)[1]), answer


def get(address: str, target: str, *headers: str) -> tuple[int, bytes]:
    lines = [f"GET {target} HTTP/1.1", "Host: peps.test", "Connection: close", *headers, "", ""]
    return exchange(address, "\r\n".join(lines).encode("latin-1"))


def post(address: str, target: str, body: bytes, *headers: str) -> tuple[int, bytes]:
    given = [f"POST {target} HTTP/1.1", "Host: peps.test", "Connection: close", *headers, "", ""]
    return exchange(address, "\r\n".join(given).encode() + body)


@pytest.mark.parametrize("target", ["/wps", "/resto/wps", "/ogcapi/processes/echo/execution"])
def test_a_large_body_is_refused_with_and_without_a_length(address: str, target: str) -> None:
    body = b"x" * (BODY_LIMIT + 1)
    chunks = b"".join(b"10000\r\n" + b"x" * 65536 + b"\r\n" for _ in range(49)) + b"0\r\n\r\n"
    sort = "Content-Type: application/json"

    told, _ = post(address, target, body, f"Content-Length: {len(body)}", sort)
    untold, answer = post(address, target, chunks, "Transfer-Encoding: chunked", sort)

    if "ogcapi" in target:
        assert {told, untold} <= {401, 404, 413}
    else:
        assert (told, untold) == (413, 413)
    assert not TOLD.search(answer)


@pytest.mark.parametrize(
    "target",
    [
        "/resto/wps/outputs/../../../../etc/passwd",
        "/resto/wps/outputs/%2e%2e/%2e%2e/etc/passwd",
        f"/resto/wps/outputs/{NO_JOB}/../../catalog.db",
        f"/resto/wps/outputs/{NO_JOB}/%2e%2e%2fcatalog.db",
        f"/resto/wps/outputs/{NO_JOB}//etc/passwd",
        "/resto/wps/outputs/pywps-..%2f..%2fcatalog.db.xml",
        "/resto/collections/S1/..%2f..%2fcatalog.db/download",
        "/resto/collections/%00/%00/download",
        "/catalog.db",
        "/var/catalog.db",
        "/.git/config",
        "/pywps.cfg",
        "/%ff%fe",
        "/resto/api/collections/S1/search.json/../../../../wps",
    ],
)
def test_no_path_leads_out(address: str, target: str) -> None:
    status, answer = get(address, target)
    if status == 308:  # two slashes
        status, answer = get(address, target.replace("//", "/"))

    assert status in (400, 401, 404)
    assert b"root:" not in answer
    assert b"SQLite" not in answer
    assert not TOLD.search(answer)


@pytest.mark.parametrize(
    "target",
    [
        "/wps?service=WPS&request=GetCapabilities",
        "/resto/api/collections/S1/describe.xml",
        "/ogcapi",
        "/",
    ],
)
@pytest.mark.parametrize("host", ['evil.test"><script>', "a b", "x'onload=", "evil.test/<x>", ""])
def test_a_forged_host_breaks_no_document(address: str, target: str, host: str) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    status, answer = exchange(address, request.encode())

    assert status in (200, 400)
    assert b"<script>" not in answer
    assert b"<x>" not in answer
    assert not TOLD.search(answer)


@pytest.mark.parametrize(
    "value", ["a%0d%0aSet-Cookie:%20x=1", "a%0aX: y", "%e5%98%8a%e5%98%8dX: y"]
)
def test_a_value_makes_no_header(address: str, value: str) -> None:
    for target in (
        f"/resto/api/collections/{value}/search.json",
        f"/resto/api/collections/S1/search.json?productIdentifier={value}",
        f"/wps?service=WPS&request=DescribeProcess&version=1.0.0&identifier={value}",
        f"/ogcapi/processes/{value}",
        f"/ogcapi/jobs/{value}",
    ):
        _, answer = get(address, target.replace(" ", "%20"))
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert b"\nset-cookie" not in head
        assert b"\nx: y" not in head


@pytest.mark.parametrize(
    "method", ["TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "OPTIONS", "XYZZY"]
)
def test_other_methods_do_nothing(address: str, method: str) -> None:
    request = f"{method} /wps HTTP/1.1\r\nHost: h\r\nCookie: secret\r\nConnection: close\r\n\r\n"
    status, answer = exchange(address, request.encode())

    assert 400 <= status < 500 or (method == "OPTIONS" and status in (200, 204))
    assert b"secret" not in answer


def test_two_lengths_are_refused(address: str) -> None:
    """A proxy and the server shall not see two different requests (RFC 9112, section 11.2)."""
    both = ("Content-Length: 5", "Transfer-Encoding: chunked")
    assert post(address, "/wps", b"0\r\n\r\n", *both)[0] == 400
    assert post(address, "/wps", b"hello", "Content-Length: 5", "Content-Length: 50")[0] == 400


def test_a_defect_is_told_by_its_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = ArchiveWorld(tmp_path)
    client = Client(create_app(world.config, world.engine, processes=(FullMaja, Echo)))

    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("secret of /srv/peps")

    monkeypatch.setattr("peps_wps.jobs.get", fail)
    monkeypatch.setattr("peps_wps.web.resto.search", fail)
    job = uuid.uuid4()
    for target in (
        f"/resto/wps/outputs/pywps-{job}.xml",
        "/resto/api/collections/S1/search.json",
        f"/ogcapi/jobs/{job}",
    ):
        caplog.clear()
        answer = client.get(target)

        assert answer.status_code == 500
        incident = re.search(r"incident ([0-9a-f]{12})", answer.text)
        assert incident is not None
        assert "secret" not in answer.text
        assert incident[1] in caplog.text
        assert "secret of /srv/peps" in caplog.text


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Application:
    world = ArchiveWorld(tmp_path_factory.mktemp("fuzz"), PEPS_AUTH_MODE="basic")
    return create_app(world.config, world.engine, processes=(FullMaja, Echo))


@given(
    scheme=st.sampled_from(["Basic", "Bearer", "basic", "Digest", ""]),
    text=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=80)
    | st.binary(max_size=60).map(lambda content: base64.b64encode(content).decode()),
    name=st.sampled_from(["Authorization", "X-API-Key"]),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_header_of_credentials_is_refused_in_order(
    app: Application, scheme: str, text: str, name: str
) -> None:
    answer = Client(app).get("/resto/collections/S1/x/download", headers={name: f"{scheme} {text}"})

    assert answer.status_code in (401, 429)
    assert answer.json["ErrorCode"] == answer.status_code
