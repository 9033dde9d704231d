"""Inputs by reference, from real servers on the loopback: honest, broken and hostile ones."""

import base64
import contextlib
import gzip
import ipaddress
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peps_wps.config_sections import Inputs
from peps_wps.errors import ConfigError, InvalidInputError
from peps_wps.ordering import reference_hosts
from peps_wps.ordering.errors import InputTooLargeError, ServerBusyError, UnusableReferenceError
from peps_wps.ordering.reference_hosts import is_public, place_of
from peps_wps.ordering.references import ReferenceReader
from tests.patience import stretched

# Answers a request that was read, on the open connection.
Answer = Callable[[socket.socket, str], None]

LIMIT = 50_000


class Server:
    """A server that answers as a test wants, byte by byte."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None) -> None:
        self.answer = answer
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.requests: list[str] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._answer(connection)

    def _answer(self, raw: socket.socket) -> None:
        with self.context.wrap_socket(raw, server_side=True) if self.context else raw as connection:
            asked = connection.recv(65536).decode("latin-1")
            self.requests.append(asked)
            self.answer(connection, asked)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


@contextlib.contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(answer, context)
    try:
        yield server
    finally:
        server.close()


def sends(*parts: bytes, pause_s: float = 0.0) -> Answer:
    def answer(connection: socket.socket, _asked: str) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause_s)

    return answer


def whole(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def reading(settings: Inputs, slots: int = 1) -> ReferenceReader:
    return ReferenceReader(
        settings, largest=LIMIT, most=2 * LIMIT, slots=threading.BoundedSemaphore(slots)
    )


def reader(server: Server | None = None, **settings: object) -> ReferenceReader:
    allowed = {
        "allowed_hosts": "" if server is None else f"127.0.0.1:{server.port}",
        "allowed_schemes": "http",
        "private_networks": "127.0.0.0/8",
        "timeout_s": 5.0,
        "idle_s": 2.0,
        **settings,
    }
    return reading(Inputs(**allowed))


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def refused(reads: ReferenceReader, href: str) -> str:
    with pytest.raises(InvalidInputError) as error:
        reads.text("region", href)
    assert error.value.locator == "region"
    return str(error.value)


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


def test_nothing_is_allowed_at_first() -> None:
    with serving(sends(whole(b"secret"))) as server:
        nowhere = reading(Inputs())
        assert "scheme" in refused(nowhere, server.url)
        assert "host" in refused(nowhere, "https://example.org/")
        assert "no file" in refused(nowhere, "file:///etc/passwd")
    assert server.requests == []


def test_an_allowed_name_of_a_private_address_is_not_connected_to() -> None:
    with serving(sends(whole(b"secret"))) as server:
        hosts = f"localhost:{server.port},127.0.0.1:{server.port}"
        reads = reader(allowed_hosts=hosts, private_networks="")
        for host in ("localhost", "127.0.0.1"):
            text = refused(reads, f"http://{host}:{server.port}/")
            assert "no public address" in text
    assert server.requests == []


def test_the_address_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that tells another address the second time (rebinding) is not asked twice."""
    with serving(sends(whole(b"secret"))) as server:
        answers = iter(["192.0.2.1", "127.0.0.1"])

        def look_up(_host: str, port: int, **_options: object) -> list[tuple[object, ...]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (next(answers), port))]

        monkeypatch.setattr(reference_hosts.socket, "getaddrinfo", look_up)
        reads = reader(allowed_hosts=f"rebinds.example:{server.port}", private_networks="")

        assert "no public address" in refused(reads, f"http://rebinds.example:{server.port}/")
        assert next(answers) == "127.0.0.1"
    assert server.requests == []


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
        [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 200],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 200],
        [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 200],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3", *[b"0"] * 200],
    ],
    ids=["headers", "body", "body without length", "length of a chunk"],
)
def test_a_server_that_drips_is_cut_at_the_deadline(parts: list[bytes]) -> None:
    with serving(sends(*parts, pause_s=0.05)) as server:
        begun = time.monotonic()
        text = refused(reader(server, timeout_s=0.5, idle_s=0.4), server.url)
        # 0.5 s where nothing else runs, 10 s of dripping.
        assert time.monotonic() - begun < stretched(4.0)
        assert "does not come within 0.5 s" in text


def test_a_server_that_says_nothing_is_left_soon() -> None:
    with serving(lambda _connection, _asked: time.sleep(3)) as server:
        begun = time.monotonic()
        refused(reader(server, timeout_s=30.0, idle_s=0.2), server.url)
        assert time.monotonic() - begun < stretched(2.5)


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
        deadline = time.monotonic() + 5
        while _open_files() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert _open_files() <= before
        while any(isinstance(one, threading.Timer) for one in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.parametrize(
    "url",
    [
        "http://user@data.example.org/",
        "http://data.example.org@evil.example/",
        "http://evil.example#@data.example.org/",
        "http://evil.example\\@data.example.org/",
        "http://data.example.org.evil.example/",
        "http://evildata.example.org/",
        "http://data.example.org:22/",
        "http://data.example.org:0/",
        "http://data.example.org:99999/",
        "http://data.example.org /",
        "http://data.example.org/\r\nX: y",
        "http://data.example.org/\t",
        "http://dàta.example.org/",
        "http://[data.example.org]/",
        "http:///data.example.org/",
        "http:data.example.org",
        "HTTPS://data.example.org/",
        "ftp://data.example.org/",
        "data.example.org",
        "",
        "http://example.net/",
        "http://.example.net/",
    ],
)
def test_an_address_that_only_looks_allowed_is_refused(url: str) -> None:
    with pytest.raises(UnusableReferenceError):
        place_of(url, schemes=["http"], hosts=["data.example.org", "*.example.net"])


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://data.example.org/x", "data.example.org"),
        ("HTTP://DATA.Example.org./x", "data.example.org"),
        ("http://data.example.org:80/x", "data.example.org"),
        ("http://a.b.example.net/x", "a.b.example.net"),
        ("http://[2001:4860::8]:8080/x", "2001:4860::8"),
    ],
)
def test_an_allowed_address_is_read_as_one(url: str, host: str) -> None:
    hosts = ["data.example.org", "*.example.net", "[2001:4860::8]:8080"]
    assert place_of(url, schemes=["http"], hosts=hosts).host == host


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
        *("2002:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe"),
    ],
)
def test_no_inner_address_is_allowed_in_any_spelling(address: str) -> None:
    assert not reference_hosts.is_allowed(ipaddress.ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert reference_hosts.is_allowed(ipaddress.ip_address(address), ())


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_inside_ipv6(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    assert reference_hosts.is_allowed(mapped, ()) == is_public(address)


@pytest.mark.parametrize(
    "settings",
    [
        {"allowed_hosts": "*"},
        {"allowed_hosts": "https://example.org"},
        {"allowed_hosts": "example.org/path"},
        {"allowed_schemes": "ftp"},
        {"allowed_folders": "relative"},
        {"private_networks": "10.0.0.1/8"},
        {"private_networks": "inside"},
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        Inputs(**settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    allowed = tmp_path / "in"
    (allowed / "deep").mkdir(parents=True)
    (allowed / "deep" / "é a.txt").write_text("inside")
    (tmp_path / "in-secret").mkdir()
    (tmp_path / "in-secret" / "key").write_text("secret")
    (allowed / "link").symlink_to(tmp_path / "in-secret" / "key")
    (allowed / "up").symlink_to(tmp_path)
    os.mkfifo(allowed / "pipe")
    (allowed / "large").write_bytes(b"x" * (LIMIT + 1))
    (allowed / "again").symlink_to(allowed / "again")
    return allowed


def test_a_file_of_an_allowed_folder_is_read(folder: Path) -> None:
    reads = reader(allowed_folders=str(folder))
    for href in (f"file://{folder}/deep/%C3%A9%20a.txt", f"file://localhost{folder}/deep/é a.txt"):
        assert reads.text("region", href) == "inside"


@pytest.mark.parametrize(
    "path",
    [
        "../in-secret/key",
        "../../../../../../../../etc/passwd",
        "%2e%2e/in-secret/key",
        "link",
        "up/in-secret/key",
        "pipe",
        "deep",
        "again",
        "no-such",
        "deep%00",
        "large",
        "x" * 5000,
    ],
)
def test_nothing_else_is(folder: Path, path: str) -> None:
    refused(reader(allowed_folders=str(folder)), f"file://{folder}/{path}")


@pytest.mark.parametrize(
    "href", ["file:/etc/passwd", "file://other/etc/passwd", "file:relative", "file:", "file:///"]
)
def test_a_file_elsewhere_is_refused(folder: Path, href: str) -> None:
    refused(reader(allowed_folders=str(folder)), href)


def test_a_folder_of_a_similar_name_is_another(folder: Path) -> None:
    secret = folder.with_name("in-secret") / "key"
    refused(reader(allowed_folders=str(folder)), secret.as_uri())


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
