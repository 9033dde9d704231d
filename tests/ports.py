"""Ports for services that are told a port, and open it themselves a moment later."""

import itertools
import os
import socket
from pathlib import Path

_FIRST, _EACH = 20_000, 400
_RANGE_OF_KERNEL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _own_ports() -> "itertools.cycle[int]":
    """Return the ports of this process of the suite, in turn.

    The kernel hands none of them out: a port that it had chosen, and that was closed again, could
    be that of any other test or connection before the service opens it, or while it starts anew.
    Two suites on one machine begin at different places.
    """
    end = int(_RANGE_OF_KERNEL.read_text().split()[0]) if _RANGE_OF_KERNEL.exists() else 32_768
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = _FIRST + worker * _EACH % max(_EACH, end - _FIRST - _EACH)
    begin = os.getpid() % _EACH
    return itertools.cycle([*range(first + begin, first + _EACH), *range(first, first + begin)])


_ports = _own_ports()


def free_port() -> int:
    """Return a port of the loopback that nobody has, another one each time."""
    for port in itertools.islice(_ports, _EACH):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"none of {_EACH} ports is free")
