"""``/metrics``: the installation in figures, for Prometheus and for operators."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from werkzeug import Request, Response
from werkzeug.routing import Rule

from peps_wps.access.address import address_of, is_within
from peps_wps.errors import ForbiddenError, UnauthorizedError
from peps_wps.metrics.families import Reading, families, read
from peps_wps.services import Services

# The text format; what Prometheus of any version reads.
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED = ("Forwarded", "X-Forwarded-For")


def rules() -> list[Rule]:
    """Return the addresses of this module."""
    return [Rule("/metrics", endpoint=metrics, methods=["GET"])]


def metrics(request: Request, services: Services) -> Response:
    """Answer with the metrics.

    Raises
    ------
    UnauthorizedError, ForbiddenError
        When the caller is neither an operator nor in a network of ``[server] metrics_allow``.
    """
    _check(request, services)
    services.search_meter.flush()
    reading = read(services.config, services.engine, services.archive)
    registry = CollectorRegistry()
    registry.register(_Families(services, reading))
    return Response(
        generate_latest(registry), content_type=_TEXT, headers={"Cache-Control": "no-store"}
    )


class _Families(Collector):
    """One reading, as the registry wants it."""

    def __init__(self, services: Services, reading: Reading) -> None:
        self._services = services
        self._reading = reading

    def collect(self) -> Iterable[Metric]:
        """Return the metrics."""
        return families(self._services.config, self._reading)


def _check(request: Request, services: Services) -> None:
    """Refuse who is neither allowed by address nor an operator."""
    server = services.config.server
    # From a proxy that is not counted, every address is the proxy's.
    is_known = server.proxies > 0 or not any(name in request.headers for name in _FORWARDED)
    if is_known and is_within(address_of(request, server.proxies), server.metrics_networks):
        return
    caller = services.access.caller(request)
    if caller.is_anonymous and not caller.is_operator:
        raise UnauthorizedError
    if not caller.is_operator:
        raise ForbiddenError("metrics", "metrics are for operators")
