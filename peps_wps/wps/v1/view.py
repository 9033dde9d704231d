"""WPS 1.0.0 as a rendering over the order desk."""

from collections.abc import Iterable

from werkzeug import Request, Response

from catalog_db import times
from peps_wps.access import Caller
from peps_wps.jobs import Job
from peps_wps.links import Links
from peps_wps.ordering import ChainProcess, OrderDesk
from peps_wps.wps import outputs
from peps_wps.wps.errors import WpsError
from peps_wps.wps.requests import Execute, GetCapabilities, JobRequest
from peps_wps.wps.v1.documents import Documents
from peps_wps.wps.v1.exceptions import TABLE
from peps_wps.wps.v1.status import render_status
from peps_wps.wps.view import View, xml
from peps_wps.wps.vocabulary import V1


class View1(View):
    """Answers requests of WPS 1.0.0, and the vendor operations on jobs."""

    words = V1
    table = TABLE

    def __init__(self, desk: OrderDesk) -> None:
        super().__init__(desk)
        self._documents = Documents(desk.config, desk.processes.values())

    def capabilities(
        self, _asked: GetCapabilities, processes: Iterable[ChainProcess], links: Links
    ) -> Response:
        """Answer with what the service offers."""
        return xml(self._documents.capabilities(links, processes))

    def descriptions(self, processes: Iterable[ChainProcess]) -> bytes:
        """Return what processes take and give."""
        return self._documents.descriptions(processes)

    def executed(self, execute: Execute, job: Job, request: Request, links: Links) -> Response:
        """Answer with the status document, or with the raw output of a job that has succeeded."""
        if execute.raw and job.state == "succeeded":
            output = execute.outputs[0].identifier
            return outputs.send_output(request, self.desk, job, output, links)
        return self.document(job, links)

    def job_operation(
        self, asked: JobRequest, _request: Request, caller: Caller, links: Links
    ) -> Response:
        """Answer GetStatus, GetResult or Dismiss."""
        if asked.operation == "dismiss":
            return self.document(self.desk.dismiss(asked.job_id, caller), links)
        job = self.desk.job(asked.job_id, caller)
        if asked.operation == "getresult" and not job.is_finished:
            raise WpsError("ResultNotReady", job.id, f"the job is {job.shown_state}")
        return self.document(job, links)

    def document(self, job: Job, links: Links) -> Response:
        """Return the status document of a job; what it says may be old in a second."""
        document = render_status(
            job, self.desk.process_of(job), links, folder=self.desk.folder(job), now=times.now()
        )
        return xml(document, is_live=True)

    def status_of(self, _error: WpsError) -> int:
        """Return 400: OWSLib reads the report of no other error."""
        return 400
