"""The web application: builds the objects once, and sends each request to the part that answers."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug import Request, Response
from werkzeug.routing import Map, Rule

from catalog_db import migrations
from catalog_db.engine import Engine, create_engine
from peps_wps.config import Config
from peps_wps.config.web_sections import EVERY_PROCESS
from peps_wps.errors import ConfigError
from peps_wps.ordering import ChainProcess
from peps_wps.services import Services
from peps_wps.web import (
    auth,
    cors,
    datalake,
    download,
    errors,
    health,
    landing,
    metrics,
    ogcapi,
    resto,
    stac,
    statistics,
    tape_rest,
    tiles,
    wmts,
)
from peps_wps.wps.service import WpsService
from processes import PROCESSES

# The modules of the web, each with its addresses.
PARTS = (
    landing,
    health,
    metrics,
    auth,
    resto,
    download,
    datalake,
    ogcapi,
    stac,
    statistics,
    tape_rest,
    tiles,
    wmts,
)

# When to come back to what is busy and does not know itself.
_RETRY_AFTER_S = 5

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Application:
    """One WSGI application over the rules of all parts.

    Parameters
    ----------
    services
        What every endpoint is given.
    rules
        Addresses and their endpoints: ``(request, services, **path_arguments) -> Response``.
    """

    def __init__(self, services: Services, rules: Iterable[Rule]) -> None:
        self.services = services
        self.map = Map(list(rules))

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = Request(environ)
        # Holds for bodies without a length too: reading stops there with 413.
        request.max_content_length = self.services.config.server.max_request_bytes
        return self.respond(request)(environ, start_response)

    def close(self) -> None:
        """Write down what is only in memory, when the process that serves ends."""
        self.services.downloads.flush()

    def respond(self, request: Request) -> Response:
        """Return the answer to a request; an error becomes one too."""
        answer = cors.preflight() if cors.is_preflight(request) else self._answer(request)
        cors.allow(answer, self.services.config.server.allowed_origin)
        # A result is what its type says; no browser shall guess a page into it.
        answer.headers["X-Content-Type-Options"] = "nosniff"
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            answer.headers.setdefault("Retry-After", str(_RETRY_AFTER_S))
        if self.services.search_meter.is_due():
            answer.call_on_close(self.services.search_meter.flush)
        return answer

    def _answer(self, request: Request) -> Response:
        """Return what the endpoint of an address answers."""
        try:
            endpoint, arguments = self.map.bind_to_environ(request.environ).match()
            answer: Response = endpoint(request, self.services, **arguments)
        except Exception as error:  # noqa: BLE001 - the outermost edge: answered and logged there
            return errors.response_to(error, request)
        return answer


def create_app(
    config: Config,
    engine: Engine | None = None,
    *,
    processes: Sequence[type[ChainProcess]] = PROCESSES,
) -> Application:
    """Build the application of one configuration; the database is brought to the newest schema."""
    _check_restricted(config, processes)
    engine = engine or create_engine(config.catalog.url)
    migrations.upgrade(engine)
    services = Services.of(config, engine, processes)
    wps = WpsService(services.desk)
    rules = [rule for part in PARTS for rule in part.rules()]
    return Application(services, [*rules, *wps.rules()])


def _check_restricted(config: Config, processes: Iterable[type[ChainProcess]]) -> None:
    """Refuse a restriction of no process: a misspelt one would be open to everybody."""
    offered = sorted(one.identifier for one in processes)
    for name in sorted(config.auth.restricted_processes - {EVERY_PROCESS}):
        if name not in offered:
            raise ConfigError(
                f"[auth] restricted = {name}: expected some of {', '.join(offered)}, or *"
            )
