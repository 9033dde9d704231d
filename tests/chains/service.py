"""A service that chains are ordered from as users do it: by WPS, with workers of its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from owslib.wps import WebProcessingService

from catalog_db.engine import create_engine
from peps_wps.app import create_app
from peps_wps.cli.archive import open_services
from peps_wps.config import Config
from peps_wps.ingest import ingest
from peps_wps.staging.archive import Tier
from tests.loopback import on_the_loopback
from tests.patience import until
from tests.workers import working


def stocked(var: Path, paths: Sequence[Path], *, tier: Tier, **environ: str) -> Config:
    """Ingest products into a new archive; `environ` are settings of the service beside."""
    given = {"PEPS_AUTH_MODE": "open", "PEPS_PROCESSING_HEARTBEAT_S": "0.3", **environ}
    config = Config.load(var=var, environ=given)
    services = open_services(config)
    ingest(list(paths), tier=tier, services=services, progress=lambda *_: None)
    services.engine.dispose()
    return config


@contextmanager
def served(config: Config) -> Iterator[str]:
    """Serve an archive and work on what is ordered; give the address."""
    engine = create_engine(config.catalog.url)
    with working(config), on_the_loopback(create_app(config, engine)) as url:
        yield url
    engine.dispose()


def ordered(
    url: str, process: str, inputs: Sequence[tuple[str, str]], *, within_s: float
) -> dict[str, str]:
    """Order a process and wait for it; return the address of each output."""
    execution = WebProcessingService(f"{url}/resto/wps").execute(process, list(inputs), output=[])

    def is_complete() -> bool:
        execution.checkStatus(sleepSecs=0)
        return bool(execution.isComplete())

    until(is_complete, within_s)
    assert execution.isSucceded(), execution.statusMessage
    return {output.identifier: output.reference for output in execution.processOutputs}
