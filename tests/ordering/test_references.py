"""Inputs by reference, from real servers on the loopback: honest, broken and hostile ones."""

import base64
import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from peps_wps.config.web_sections import Inputs
from peps_wps.ordering.errors import InputTooLargeError, ServerBusyError
from tests.ordering.reference_server import (
    LIMIT,
    reader,
    reading,
    refused,
    sends,
    serving,
    whole,
)
from tests.patience import stretched, until

# Bytes one by one, and the pause after each: together they last longer than any limit.
DRIPS, DRIP_S = 4000, 0.05


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_the_content_of_an_allowed_host_is_read() -> None:
    with serving(sends(whole("POINT(1 43) é".encode()))) as server:
        assert reader(server).text("region", f"{server.url}/a/b?c=d") == "POINT(1 43) é"
    head, *lines = server.requests[0].split("\r\n")
    assert head == "GET /a/b?c=d HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in lines
    assert not any(line.startswith(("Authorization", "Cookie")) for line in lines)


def test_what_is_no_text_comes_as_base64(rng) -> None:
    content = b"\xff" + rng.bytes(1000)
    with serving(sends(whole(content))) as server:
        assert base64.b64decode(reader(server).text("region", server.url)) == content


@pytest.mark.parametrize("content", [b"a\0b", b"\x1b[2J", "\uffff".encode()])
def test_what_xml_cannot_carry_comes_as_base64(content: bytes) -> None:
    with serving(sends(whole(content))) as server:
        assert base64.b64decode(reader(server).text("a", f"{server.url}/x")) == content


def test_a_chunked_body_is_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serving(sends(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) as server:
        assert reader(server).text("region", server.url) == "abcde"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 T", "308 P"])
def test_a_redirection_is_checked_as_the_first_address(status: str) -> None:
    with serving(sends(whole(b"secret"))) as inner:
        moved = whole(b"", f"Location: {inner.url}/", status=status)
        with serving(sends(moved)) as server:
            assert "host is not allowed" in refused(reader(server), server.url)
    assert inner.requests == []


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:11211/x", "//[::1]/", "http:"],
)
def test_a_redirection_leads_to_no_other_scheme(location: str) -> None:
    with serving(sends(whole(b"", f"Location: {location}", status="302 Found"))) as server:
        refused(reader(server, allowed_folders="/etc"), server.url)


def test_an_allowed_redirection_is_followed_and_an_endless_one_is_not() -> None:
    def answer(connection: socket.socket, asked: str) -> None:
        hops = int(asked.split()[1].strip("/"))
        if hops == 0:
            connection.sendall(whole(b"here"))
        else:
            connection.sendall(whole(b"", f"Location: /{hops - 1}", status="302 Found"))

    with serving(answer) as server:
        assert reader(server).text("region", f"{server.url}/3") == "here"
        assert "more than 3 times" in refused(reader(server), f"{server.url}/4")


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "204 No Content", "206 Partial"])
def test_a_page_that_is_no_answer_is_no_input(status: str) -> None:
    with serving(sends(whole(b"<html>sorry</html>", status=status))) as server:
        assert f"status {status[:3]}" in refused(reader(server), server.url)


def test_a_body_is_read_up_to_the_limit_and_no_further() -> None:
    with serving(sends(whole(b"x" * LIMIT))) as server:
        assert len(reader(server).text("region", server.url)) == LIMIT
    with serving(sends(whole(b"x" * (LIMIT + 1)))) as server, pytest.raises(InputTooLargeError):
        reader(server).text("region", server.url)


def test_an_endless_body_is_left() -> None:
    sent = []

    def answer(connection: socket.socket, _asked: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 10_000)
            sent.append(10_000)

    with serving(answer) as server, pytest.raises(InputTooLargeError):
        reader(server).text("region", server.url)
    # What the buffers of both sockets hold beside what was read.
    assert sum(sent) < 20_000_000


def test_all_references_together_have_a_limit_too() -> None:
    with serving(sends(whole(b"x" * LIMIT))) as server:
        reads = reader(server)
        reads.text("region", server.url)
        reads.text("region", server.url)
        with pytest.raises(InputTooLargeError):
            reads.text("region", server.url)


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * DRIPS],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", *[b"x"] * DRIPS],
        [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * DRIPS],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3", *[b"0"] * DRIPS],
    ],
    ids=["headers", "body", "body without length", "length of a chunk"],
)
def test_a_server_that_drips_is_cut_at_the_deadline(parts: list[bytes]) -> None:
    with serving(sends(*parts, pause_s=DRIP_S)) as server:
        begun = time.monotonic()
        text = refused(reader(server, timeout_s=0.5, idle_s=30.0), server.url)
        # 0.5 s where nothing else runs, minutes of dripping.
        assert time.monotonic() - begun < stretched(4.0) < DRIPS * DRIP_S
        assert "does not come within 0.5 s" in text


def test_a_server_that_says_nothing_is_left_soon() -> None:
    left = threading.Event()
    with serving(lambda _connection, _asked: left.wait(250)) as server:
        begun = time.monotonic()
        refused(reader(server, timeout_s=200.0, idle_s=0.2), server.url)
        assert time.monotonic() - begun < stretched(2.5)
        left.set()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02 nonsense\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 2000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        whole(gzip.compress(b"x" * 10_000_000), "Content-Encoding: gzip"),
        whole(b"", status="302 Found"),
    ],
    ids=[
        "nothing",
        "nonsense",
        "another protocol",
        "cut body",
        "cut chunk",
        "length of a chunk is no number",
        "2000 headers",
        "long header",
        "compressed",
        "redirection",
    ],
)
def test_an_answer_that_is_none_is_refused(answer: bytes) -> None:
    with serving(sends(answer)) as server:
        refused(reader(server), server.url)


def test_threads_and_connections_end_with_the_reading() -> None:
    with serving(sends(whole(b"x"))) as server:
        reads = reader(server, timeout_s=60.0)
        before = _open_files()
        for _ in range(10):
            reads.text("region", server.url)
        until(lambda: _open_files() <= before)
        until(lambda: not any(isinstance(one, threading.Timer) for one in threading.enumerate()))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
def test_a_certificate_must_be_known_and_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = ["-subj", "/CN=peps", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    with serving(sends(whole(b"secured")), context) as server:
        hosts = f"localhost:{server.port},127.0.0.1:{server.port}"
        reads = reader(allowed_hosts=hosts, allowed_schemes="https")
        refused(reads, f"https://localhost:{server.port}/")

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        refused(reads, f"https://127.0.0.1:{server.port}/")
        assert reads.text("region", f"https://localhost:{server.port}/") == "secured"


def test_nobody_waits_for_a_place_to_fetch() -> None:
    with serving(sends(whole(b"x"))) as server:
        settings = Inputs(
            allowed_hosts=f"127.0.0.1:{server.port}",
            allowed_schemes="http",
            private_networks="127.0.0.0/8",
        )
        with pytest.raises(ServerBusyError):
            reading(settings, slots=0).text("region", server.url)
        one = reading(settings, slots=1)
        for _ in range(3):
            assert one.text("region", server.url) == "x"
        refused(one, "http://elsewhere.example/")
        assert one.text("region", server.url) == "x"
