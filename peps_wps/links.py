"""Addresses that the service hands out: fixed names, clients rely on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from werkzeug import Request
from werkzeug.exceptions import BadRequest

from peps_wps.config import Config

SERVICE_PATH = "/resto/wps"
OUTPUTS_PATH = f"{SERVICE_PATH}/outputs"
TILES_PATH = "/tiles"
MAP_SEPARATOR = "~"  # in place of a slash in the name of a raster that is shown as a map


def report_name(job_id: str) -> str:
    """Return the file name of the PEPS report of a job."""
    return f"report-{job_id}.json"


def log_name(job_id: str) -> str:
    """Return the file name of the log of a job."""
    return f"joblog-{job_id}.log"


@dataclass(frozen=True)
class Links:
    """Addresses below the public base of the service, without a slash at its end."""

    base: str

    @classmethod
    def of(cls, config: Config, request: Request) -> "Links":
        """Return the links under the configured base, else under the address of the request.

        Raises
        ------
        BadRequest
            When the request names no host that an address can have.
        """
        if not (config.server.url or request.host):
            raise BadRequest("the Host header names no host")
        return cls((config.server.url or request.host_url).rstrip("/"))

    @property
    def service(self) -> str:
        """Where requests go."""
        return self.base + SERVICE_PATH

    @property
    def capabilities(self) -> str:
        """The capabilities document."""
        return f"{self.service}?service=WPS&request=GetCapabilities"

    def status(self, job_id: str) -> str:
        """Return the address of the status document of a job."""
        return f"{self.base}{OUTPUTS_PATH}/pywps-{job_id}.xml"

    def output(self, job_id: str, name: str) -> str:
        """Return the address of a file of a job; `name` is a path inside its folder."""
        return f"{self.base}{OUTPUTS_PATH}/{job_id}/{quote(name)}"

    def maps(self, job_id: str) -> str:
        """Return the address of the list of the maps of a job."""
        return f"{self.base}{TILES_PATH}/{job_id}"

    def map(self, path: str) -> str:
        """Return the address below which the tiles of a raster and their documents are.

        Parameters
        ----------
        path
            ``<job>/<file>``, ``<job>/<zip>/<member>`` or the path below the datalake.
        """
        name = quote(path.replace("/", MAP_SEPARATOR), safe=MAP_SEPARATOR)
        return f"{self.base}{TILES_PATH}/{name}"

    def download(self, collection: str, uid: str) -> str:
        """Return the address of a product."""
        return f"{self.base}/resto/collections/{quote(collection)}/{quote(uid)}/download"

    def raw(self, process: str, inputs: Mapping[str, Sequence[str]], output: str) -> str:
        """Return the address that is answered with one output of a process that answers at once."""
        given = ";".join(
            f"{quote(name)}={quote(value, safe='')}"
            for name, values in inputs.items()
            for value in values
        )
        return (
            f"{self.service}?service=WPS&version=1.0.0&request=Execute&identifier={quote(process)}"
            f"&datainputs={given}&rawdataoutput={quote(output)}"
        )

    def report(self, job_id: str) -> str:
        """Return the address of the report of a job."""
        return self.output(job_id, report_name(job_id))

    def log(self, job_id: str) -> str:
        """Return the address of the log of a job."""
        return self.output(job_id, log_name(job_id))
