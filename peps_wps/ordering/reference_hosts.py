"""Which hosts an input may be fetched from, and the connection to one of them.

The name must be on the list of the configuration, and the address that is connected to must be a
public one: it is looked up once, checked, and connected to by number, so that no second answer of
the name server leads elsewhere.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from peps_wps.ordering.errors import UnusableReferenceError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS = {"http": 80, "https": 443}
# Printable ASCII without what a URL must encode; a backslash is a slash to some and not to others.
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]{1,2000}")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
# IPv4 inside IPv6 by translation (RFC 6052, RFC 8215): what counts is where it leads.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_TRANSLATED_HERE = ipaddress.IPv6Network("64:ff9b:1::/48")


@dataclass(frozen=True)
class Place:
    """Where a reference leads: scheme, host in lower case, port, and what to ask there."""

    scheme: str
    host: str
    port: int
    target: str


def place_of(url: str, *, schemes: Iterable[str], hosts: Iterable[str]) -> Place:
    """Return where a URL leads, all of it allowed.

    Parameters
    ----------
    url
        The URL.
    schemes
        Those allowed, of ``http`` and ``https``.
    hosts
        Those allowed: ``name`` or ``*.domain`` with the port of the scheme, or ``name:port``.

    Raises
    ------
    UnusableReferenceError
        When something in it is not allowed, or it is no URL.
    """
    if not _PLAIN.fullmatch(url):
        raise UnusableReferenceError("its address is not written as a URL")
    try:
        parts = urlsplit(url)
        port = _PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    except ValueError as error:
        raise UnusableReferenceError("its address is not written as a URL") from error
    if parts.scheme not in schemes or parts.scheme not in _PORTS:
        raise UnusableReferenceError(
            f"its scheme is {parts.scheme or 'missing'}, which is not allowed"
        )
    host = (parts.hostname or "").rstrip(".")
    if "@" in parts.netloc or not _is_listed(host, port, parts.scheme, hosts):
        raise UnusableReferenceError("its host is not allowed")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, host, port, target)


def connect(place: Place, *, private: Iterable[Network], timeout_s: float) -> socket.socket:
    """Return a connection to one of the public addresses of a host.

    Parameters
    ----------
    place
        Where to.
    private
        Networks that may be connected to although they are not public.
    timeout_s
        How long a connection may take, and each wait for a byte afterwards.

    Raises
    ------
    UnusableReferenceError
        When the host is not known, has no address that is allowed, or does not answer.
    """
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnusableReferenceError("its host is not known") from error
    networks = tuple(private)
    allowed = [entry for entry in found if is_allowed(_address(entry[4]), networks)]
    if not allowed:
        raise UnusableReferenceError("its host has no public address")
    for family, kind, protocol, _, address in allowed:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(timeout_s)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
        else:
            return connection
    raise UnusableReferenceError("its host does not answer")


def is_allowed(address: Address, private: Iterable[Network]) -> bool:
    """Return whether an address may be connected to: public, or in one of the private networks."""
    real = _inside(address)
    return is_public(real) or any(
        real.version == network.version and real in network for network in private
    )


def is_public(address: Address) -> bool:
    """Return whether an address is one of the open Internet, of one host."""
    if isinstance(address, ipaddress.IPv6Address) and address in _TRANSLATED_HERE:
        return False
    return address.is_global and not (
        address.is_multicast
        or address.is_private
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )


def _inside(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address


def _address(sockaddr: tuple[object, ...]) -> Address:
    return ipaddress.ip_address(str(sockaddr[0]).partition("%")[0])


def _is_listed(host: str, port: int, scheme: str, hosts: Iterable[str]) -> bool:
    is_name = _NAME.fullmatch(host) is not None
    if not is_name and ":" not in host:
        return False
    is_usual = port == _PORTS[scheme]
    for listed in hosts:
        if listed.startswith("*."):
            if is_usual and is_name and host.endswith(listed[1:]):
                return True
        elif listed in (f"{host}:{port}", f"[{host}]:{port}") or (is_usual and listed == host):
            return True
    return False
