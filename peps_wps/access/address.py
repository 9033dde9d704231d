"""Where a request comes from, as far as that can be believed."""

import ipaddress
from collections.abc import Iterable

from werkzeug import Request

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address_of(request: Request, proxies: int) -> str:
    """Return the address that a request comes from, as text.

    Parameters
    ----------
    request
        The request.
    proxies
        How many proxies in front of the service add to ``X-Forwarded-For``. What stands there
        before theirs is the client's own invention.
    """
    forwarded = request.access_route if "X-Forwarded-For" in request.headers else []
    chain = [*forwarded, request.remote_addr or ""]
    return chain[max(0, len(chain) - 1 - proxies)]


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Tell whether an address is in one of these networks."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(read, ipaddress.IPv6Address) and read.ipv4_mapped is not None:
        read = read.ipv4_mapped
    return any(read in network for network in networks)
