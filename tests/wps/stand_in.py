"""Stand-in processes, and a job table driven by the test instead of a dispatcher."""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from lxml import etree
from pywps import ComplexOutput, Format, LiteralInput, LiteralOutput
from sqlalchemy import update
from werkzeug.test import TestResponse

from catalog_db import times
from catalog_db.engine import Engine
from catalog_db.processing import jobs
from catalog_db.processing.jobs import Job
from catalog_db.tables import job as job_table
from peps_wps.config import Config
from peps_wps.errors import OrderRefusedError
from peps_wps.ordering.process import Alias, ChainProcess
from tests.jobs.job_rows import add_job

NAMES = {
    "wps": "http://www.opengis.net/wps/1.0.0",
    "ows": "http://www.opengis.net/ows/1.1",
    "xlink": "http://www.w3.org/1999/xlink",
}


class FullMaja(ChainProcess):
    """Takes minutes, as the process of the PEPS scripts does."""

    identifier = "FULL_MAJA"
    version = "1.0"
    title = "Surface reflectance & masks"
    abstract = "A stand-in"
    keywords: ClassVar = ["Sentinel-2"]
    aliases: ClassVar = {"maja-s2": Alias(inputs={"tile-name": "tileid"}, ignored=("notif-email",))}
    inputs: ClassVar = [
        LiteralInput("tileid", "Tile", data_type="string"),
        LiteralInput("startDate", "Begin", data_type="string", min_occurs=0, max_occurs=2),
        LiteralInput("completionDate", "End", data_type="string", min_occurs=0),
        LiteralInput(
            "relativeOrbitNumber",
            "Orbit",
            data_type="integer",
            allowed_values=[51, 108],
            min_occurs=0,
        ),
        LiteralInput("denoise", "Denoise", data_type="boolean", default=True, min_occurs=0),
    ]
    outputs: ClassVar = [
        ComplexOutput("archive", "Zip", supported_formats=[Format("application/zip")]),
        ComplexOutput("notes", "Notes", supported_formats=[Format("text/plain")]),
        LiteralOutput("tiles", "Number of tiles", data_type="integer"),
    ]


class Amalthee(ChainProcess):
    """Takes minutes, and gives nothing but its report, as the staging of PEPS does."""

    identifier = "AMALTHEE"
    title = "Staging"
    inputs: ClassVar = [LiteralInput("opensearch_request", "Search", data_type="string")]


class Echo(ChainProcess):
    """Answers at once."""

    identifier = "ECHO"
    title = "Echo"
    sync_allowed = True
    inputs: ClassVar = [LiteralInput("text", "Text", data_type="string", max_occurs=3)]
    outputs: ClassVar = [LiteralOutput("text", "Text", data_type="string")]


class Ledger:
    """The job table, driven by a test instead of a dispatcher."""

    def __init__(self, engine: Engine, config: Config) -> None:
        self.engine = engine
        self.config = config
        self.submitted: list[dict[str, Any]] = []
        # What becomes of an ECHO job the moment it is submitted; None leaves it waiting.
        self.echo: Callable[[Job], Mapping[str, Any]] | None = lambda job: {
            "state": "succeeded",
            "results": {"text": {"value": " ".join(job.inputs["text"]), "type": "text/plain"}},
        }

    def submit(self, engine: Engine, config: Config, **order: Any) -> Job:
        if "unknown" in str(order["inputs"]):
            raise OrderRefusedError("tileid", "no product is called unknown")
        self.submitted.append(order)
        job = self.insert(**order)
        if order["process"] == "ECHO" and self.echo:
            self.set(job.id, **self.echo(job))
        with self.engine.connect() as connection:
            return jobs.get(connection, job.id)

    def insert(self, *, process: str = "FULL_MAJA", **order: Any) -> Job:
        return add_job(
            self.engine,
            process,
            owner=order.get("owner", "anonymous"),
            title=order.get("title"),
            inputs=order.get("inputs", {"tileid": ["31TCJ"]}),
            response_options=order.get("response_options") or {"identifier": process},
        )

    def set(self, job_id: str, **columns: Any) -> None:
        now = times.to_us(times.now())
        if columns.get("results") is not None:
            columns["results"] = json.dumps(columns["results"])
        if columns.get("state") in ("running", "succeeded", "failed"):
            columns.setdefault("started_us", now)
        if columns.get("state") in ("succeeded", "failed", "dismissed"):
            columns.setdefault("finished_us", now)
        with self.engine.begin() as connection:
            connection.execute(update(job_table).where(job_table.c.id == job_id).values(**columns))

    def succeed(self, job_id: str) -> None:
        """Publish three outputs, as a worker would."""
        folder = self.config.results.path / job_id
        folder.mkdir(parents=True)
        (folder / "31TCJ.zip").write_bytes(bytes(range(256)) * 40)
        (folder / "notes.txt").write_text("clear & <dry>", encoding="utf-8")
        results = {
            "archive": {"href": "31TCJ.zip", "type": "application/zip", "size": 10240},
            "notes": {"href": "notes.txt", "type": "text/plain", "size": 13},
            "tiles": {"value": "1", "type": "text/plain"},
            "report": {"value": {"tiles": ["31TCJ"]}, "type": "application/json"},
        }
        self.set(job_id, state="succeeded", progress=100, message="", results=results)

    def dismiss(self, _engine: Engine, _config: Config, job_id: str) -> bool:
        self.set(job_id, state="dismissed")
        return True


def document(response: TestResponse) -> etree._Element:
    """Return the XML of an answer."""
    return etree.fromstring(response.data)


def job_id_of(status: etree._Element) -> str:
    """Return the job whose status document this is."""
    return status.get("statusLocation").rpartition("pywps-")[2].removesuffix(".xml")
