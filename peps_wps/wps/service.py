"""The WPS itself: addresses, which version answers, and what no request may break.

PyWPS's `Service` up to the seam: it describes processes, converts literals and writes the documents
of WPS 1.0.0 that say what is offered. It neither parses requests nor runs, queues or logs anything.
"""

import logging
from collections.abc import Callable
from typing import Any

import pywps.configuration
from pywps import Service
from werkzeug import Request, Response
from werkzeug.routing import Rule

from peps_wps.links import OUTPUTS_PATH, SERVICE_PATH, Links
from peps_wps.ordering import OrderDesk
from peps_wps.services import Services
from peps_wps.wps import outputs
from peps_wps.wps.asking import asked_of, hinted_version
from peps_wps.wps.requests import Version
from peps_wps.wps.v1.view import View1
from peps_wps.wps.v2.view import View2
from peps_wps.wps.view import View


class WpsService(Service):  # type: ignore[misc]  # PyWPS carries no types
    """WPS 1.0.0 and 2.0 at the same addresses, over the order desk."""

    def __init__(self, desk: OrderDesk) -> None:
        # PyWPS reads its settings from this one place.
        pywps.configuration.CONFIG = desk.config.pywps_settings()
        # It logs each refused literal as an error, with a stack; we answer and log these ourselves.
        logging.getLogger("PYWPS").propagate = False
        super().__init__(list(desk.processes.values()))
        self.desk = desk
        self.first = View1(desk)
        self.views: dict[Version, View] = {"1.0.0": self.first, "2.0.0": View2(desk)}

    def rules(self) -> list[Rule]:
        """Return the addresses of the service."""
        return [
            Rule(f"{SERVICE_PATH}/", endpoint=self.answer, strict_slashes=False),
            Rule("/wps/", endpoint=self.answer, strict_slashes=False),
            Rule(
                f"{OUTPUTS_PATH}/pywps-<uuid:job_id>.xml",
                endpoint=self._guarded(self.status_document),
                methods=["GET"],
            ),
            Rule(
                f"{OUTPUTS_PATH}/<uuid:job_id>/<path:name>",
                endpoint=self._guarded(self.output),
                methods=["GET"],
            ),
        ]

    def call(self, http_request: Request) -> Response:
        """Answer a request as PyWPS's own WSGI entry does: the service can be mounted alone."""
        return self.answer(http_request, None)

    def answer(self, request: Request, _services: Services | None) -> Response:
        """Answer a request of any operation, in either version and encoding."""
        view: View = self.first
        try:
            view = self.views[hinted_version(request)]
            caller = self.desk.access.caller(request)
            version, asked = asked_of(request)
            view = self.views[version]
            return view.answer(asked, request, caller)
        except Exception as error:  # noqa: BLE001 - the outermost edge: answered and logged there
            return view.failure(error, request)

    def status_document(self, request: Request, job_id: object) -> Response:
        """Return the status document of a job, as its row stands."""
        job = self.desk.job(str(job_id), self.desk.access.caller(request))
        return self.first.document(job, Links.of(self.desk.config, request))

    def output(self, request: Request, job_id: object, name: str) -> Response:
        """Return a file of a job: its report and log from the row, results from their folder."""
        caller = self.desk.access.caller(request)
        job = self.desk.job(str(job_id), caller)
        links = Links.of(self.desk.config, request)
        return outputs.send(request, self.desk, job, name, links, caller)

    def _guarded(self, endpoint: Callable[..., Response]) -> Callable[..., Response]:
        """Return an endpoint whose errors leave as reports of WPS 1.0.0, 404 for what is absent."""

        def answer(request: Request, _services: Services, **arguments: Any) -> Response:
            try:
                return endpoint(request, **arguments)
            except Exception as error:  # noqa: BLE001 - the outermost edge, as of `answer`
                return self.first.failure(error, request, refused=404)

        return answer
