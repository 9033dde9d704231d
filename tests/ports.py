"""Ports for services that are told a port, and open it themselves a moment later."""

import itertools
import os
import socket
from pathlib import Path

_FIRST, _EACH = 20_000, 400
_PRIVILEGED = 1024
_RANGE_OF_KERNEL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _own_ports() -> "itertools.cycle[int]":
    """Return the ports of this process of the suite, in turn.

    Two suites on one machine begin at different places.
    """
    end = int(_RANGE_OF_KERNEL.read_text().split()[0]) if _RANGE_OF_KERNEL.exists() else 32_768
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first = first_of_all(workers, end) + worker * _EACH
    begin = os.getpid() % _EACH
    return itertools.cycle([*range(first + begin, first + _EACH), *range(first, first + begin)])


def first_of_all(workers: int, end: int) -> int:
    """Return the first port of the suite, whose processes have a block each.

    The kernel hands none of them out, from `end` on: a port that it had chosen, and that was closed
    again, could be that of any other test or connection before the service opens it, or while it
    starts anew. Where too few are left below, the processes are kept apart from one another only.
    """
    first = min(_FIRST, end - workers * _EACH)
    return first if first >= _PRIVILEGED else _FIRST


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
