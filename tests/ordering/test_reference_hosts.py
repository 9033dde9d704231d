"""Which hosts inputs by reference may be fetched from, however their address is written."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peps_wps.config.web_sections import Inputs
from peps_wps.errors import ConfigError
from peps_wps.ordering import reference_hosts
from peps_wps.ordering.errors import UnusableReferenceError
from peps_wps.ordering.reference_hosts import is_public, place_of
from tests.ordering.reference_server import reader, reading, refused, sends, serving, whole


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
