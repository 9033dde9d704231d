"""A service with workers, on the loopback and through WSGI; and one whose rows tests write."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from pywps import ComplexInput, ComplexOutput, Format, LiteralInput, LiteralOutput
from pywps.inout.literaltypes import AllowedValue
from werkzeug import Response
from werkzeug.test import Client, TestResponse

from catalog_db.engine import create_engine
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from peps_wps.ordering.boxes import BoxInput, BoxOutput
from peps_wps.ordering.process import Alias, ChainProcess
from processes.echo import Echo
from processes.processing_status import ProcessingStatus
from tests.loopback import on_the_loopback
from tests.patience import until
from tests.workers import working

TIFF = Format("image/tiff")
GEOJSON = Format("application/geo+json")
LIBRARY = {"/words": "teststring é".encode(), "/picture.tif": bytes(range(256))}
ENDED = ("successful", "failed", "dismissed")


class Mirror(ChainProcess):
    """Has an input and an output of every kind."""

    identifier = "MIRROR"
    title = "Mirror"
    abstract = "Gives back what it is given"
    keywords: ClassVar = ["test"]
    sync_allowed = True
    inputs: ClassVar = [
        LiteralInput("words", "Words", data_type="string", min_occurs=1, max_occurs=3),
        LiteralInput(
            "number",
            "Number",
            data_type="float",
            allowed_values=[AllowedValue(minval=0, maxval=10, range_closure="closed-open")],
            min_occurs=0,
        ),
        LiteralInput(
            "count",
            "Count",
            data_type="integer",
            allowed_values=[10, 20],
            default=10,
            min_occurs=0,
        ),
        LiteralInput("flag", "Flag", data_type="boolean", default="true", min_occurs=0),
        BoxInput("box", "Box", min_occurs=0),
        ComplexInput("picture", "Picture", supported_formats=[TIFF], min_occurs=0),
        ComplexInput(
            "features",
            "Features",
            supported_formats=[GEOJSON, Format("application/gml+xml")],
            min_occurs=0,
        ),
    ]
    outputs: ClassVar = [
        LiteralOutput("words", "Words", data_type="string"),
        LiteralOutput("number", "Number", data_type="float"),
        LiteralOutput("count", "Count", data_type="integer"),
        LiteralOutput("flag", "Flag", data_type="boolean"),
        BoxOutput("box", "Box"),
        ComplexOutput("picture", "Picture", supported_formats=[TIFF]),
        ComplexOutput("features", "Features", supported_formats=[GEOJSON]),
    ]


class Slow(ChainProcess):
    """Nobody may wait for it on a connection."""

    identifier = "SLOW"
    title = "Slow"
    chain = "echo"
    inputs: ClassVar = [
        LiteralInput("pause", "Seconds", data_type="float", min_occurs=0),
        LiteralInput("literalInput", "Words", data_type="string", min_occurs=0),
    ]
    outputs: ClassVar = [LiteralOutput("literalOutput", "Words", data_type="string")]
    aliases: ClassVar = {"slow-s1": Alias({"product-title": "literalInput"}, ("restoration",))}


@dataclass(frozen=True)
class Service:
    """One service, as its clients see it."""

    app: Application
    url: str
    # Where inputs by reference may be fetched from.
    library: str

    @property
    def client(self) -> Client:
        return Client(self.app)

    def execute(self, process: str, body: Any, **headers: str) -> TestResponse:
        path = f"/ogcapi/processes/{process}/execution"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, json=body, headers=sent, buffered=True)

    def order(self, process: str, **inputs: Any) -> str:
        """Order asynchronously; return the identifier of the job."""
        body = {"inputs": inputs}
        answer = self.execute(process, body, Prefer="respond-async")
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["jobID"])

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.fetch(f"/ogcapi{path}", **headers)

    def fetch(self, address: str, **headers: str) -> TestResponse:
        """Return what is at any address of the service, read whole."""
        return self.client.get(address, base_url=self.url, headers=headers, buffered=True)

    def ended(self, job_id: str) -> Any:
        """Return the status of a job once it has ended."""

        def status() -> Any:
            info = self.get(f"/jobs/{job_id}").get_json()
            return info if info["status"] in ENDED else None

        return until(status, 60)


def library(environ: Any, start_response: Any) -> Any:
    """Answer with what is referred to, or 404."""
    content = LIBRARY.get(environ["PATH_INFO"])
    status = 200 if content is not None else 404
    return Response(content or b"no such thing", status)(environ, start_response)


@pytest.fixture(scope="package")
def library_url() -> Iterator[str]:
    with on_the_loopback(library) as url:
        yield url


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory, library_url: str) -> Iterator[Service]:
    """One server with one supervisor for all tests here."""
    folder = tmp_path_factory.mktemp("ogcapi")
    environ = {
        "PEPS_AUTH_MODE": "open",
        "PEPS_PROCESSING_CHAINS": "tests.web.ogcapi.chains",
        "PEPS_PROCESSING_HEARTBEAT_S": "0.3",
        "PEPS_PROCESSING_PARALLELPROCESSES": "2",
        "PEPS_INPUTS_ALLOWED_HOSTS": library_url.removeprefix("http://"),
        "PEPS_INPUTS_ALLOWED_SCHEMES": "http",
        "PEPS_INPUTS_PRIVATE_NETWORKS": "127.0.0.0/8",
    }
    config = Config.load(var=folder / "var", environ=environ)
    engine = create_engine(config.catalog.url)
    app = create_app(config, engine, processes=(Echo, Mirror, Slow, ProcessingStatus))
    with working(config), on_the_loopback(app) as url:
        yield Service(app, url, library_url)
    engine.dispose()
