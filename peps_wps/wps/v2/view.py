"""WPS 2.0 as a rendering over the order desk."""

from collections.abc import Iterable

from werkzeug import Request, Response

from catalog_db import times
from peps_wps.access import Caller
from peps_wps.jobs import Job
from peps_wps.links import Links
from peps_wps.ordering import ChainProcess
from peps_wps.wps.content import failure_of
from peps_wps.wps.errors import WpsError
from peps_wps.wps.requests import Execute, GetCapabilities, JobRequest
from peps_wps.wps.v2.capabilities import render_capabilities
from peps_wps.wps.v2.descriptions import render_descriptions
from peps_wps.wps.v2.exceptions import TABLE, status_of
from peps_wps.wps.v2.jobs import render_result, render_status, send_raw
from peps_wps.wps.view import View, xml
from peps_wps.wps.vocabulary import V2

# A job of a process that takes seconds is waited for so long when a client asks after it: most have
# ended by then, and nobody polls.
_MOMENT_S = 2.0


class View2(View):
    """Answers requests of WPS 2.0."""

    words = V2
    table = TABLE

    def capabilities(
        self, asked: GetCapabilities, processes: Iterable[ChainProcess], links: Links
    ) -> Response:
        """Answer with what the service offers."""
        return xml(render_capabilities(self.desk.config, asked, processes, links))

    def descriptions(self, processes: Iterable[ChainProcess]) -> bytes:
        """Return what processes take and give."""
        return render_descriptions(processes, self.desk.config)

    def executed(self, execute: Execute, job: Job, request: Request, links: Links) -> Response:
        """Answer with the result of a job that has ended, else with its status."""
        if job.is_finished and execute.mode != "async":
            return self._result(job, request, links)
        return self._status(job)

    def job_operation(
        self, asked: JobRequest, request: Request, caller: Caller, links: Links
    ) -> Response:
        """Answer GetStatus, GetResult or Dismiss."""
        if asked.operation == "dismiss":
            return self._status(self.desk.dismiss(asked.job_id, caller))
        job = self.desk.job(asked.job_id, caller)
        if not job.is_finished:
            job = self.desk.job_in_a_moment(job, _MOMENT_S)
        if asked.operation == "getstatus":
            return self._status(job)
        if not job.is_finished:
            raise WpsError("ResultNotReady", job.id, f"the job is {job.shown_state}")
        return self._result(job, request, links)

    def status_of(self, error: WpsError) -> int:
        """Return the HTTP status of an error."""
        return status_of(error)

    def no_such_format(self, locator: str, message: str) -> WpsError:
        """Return the error of a media type that is not offered."""
        return WpsError("NoSuchFormat", locator, message)

    def too_many_outputs(self, message: str) -> WpsError:
        """Return the error of more raw outputs than one."""
        return WpsError("TooManyOutputs", "response", message)

    def _status(self, job: Job) -> Response:
        return xml(render_status(job, times.now()), is_live=True)

    def _result(self, job: Job, request: Request, links: Links) -> Response:
        """Answer with what a job gave that has ended, or why it gave nothing."""
        if job.state != "succeeded":
            raise failure_of(job)
        process = self.desk.process_of(job)
        if job.response_options.get("raw"):
            return send_raw(request, self.desk, job, process, links)
        return xml(render_result(job, process, links, self.desk.folder(job)), is_live=True)
