"""Addresses below ``/ogcapi``, and the links between its documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from werkzeug import Request

from peps_wps.config import Config
from peps_wps.links import Links

Json = dict[str, Any]
Query = Mapping[str, object] | Sequence[tuple[str, object]]

ROOT = "/ogcapi"
JSON = "application/json"
OPENAPI_JSON = "application/vnd.oai.openapi+json;version=3.0"
HTML = "text/html"

# Link relations of OGC 18-062r2; the others are registered with IANA.
REL = "http://www.opengis.net/def/rel/ogc/1.0/"


@dataclass(frozen=True)
class Addresses:
    """Addresses of the documents of this API, and of the files of jobs."""

    links: Links

    @classmethod
    def of(cls, config: Config, request: Request) -> "Addresses":
        """Return the addresses as the client reaches them."""
        return cls(Links.of(config, request))

    @property
    def root(self) -> str:
        """The landing page."""
        return self.links.base + ROOT

    def at(self, path: str, query: Query = ()) -> str:
        """Return an address below the landing page; `path` begins with a slash."""
        return self.root + path + (f"?{urlencode(query)}" if query else "")

    def process(self, identifier: str) -> str:
        """Return the address of the description of a process."""
        return self.at(f"/processes/{quote(identifier, safe='')}")

    def job(self, job_id: str) -> str:
        """Return the address of the status of a job."""
        return self.at(f"/jobs/{job_id}")

    def results(self, job_id: str) -> str:
        """Return the address of the results of a job."""
        return f"{self.job(job_id)}/results"

    def result(self, job_id: str, output: str) -> str:
        """Return the address of one result of a job."""
        return f"{self.results(job_id)}/{quote(output, safe='')}"

    def log(self, job_id: str) -> str:
        """Return the address of the log of a job."""
        return f"{self.job(job_id)}/log"


def link(href: str, relation: str, title: str = "", media_type: str = JSON) -> Json:
    """Return a link as ``link.yaml`` has it."""
    found = {"href": href, "rel": relation, "type": media_type}
    return {**found, "title": title} if title else found
