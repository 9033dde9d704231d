"""What every endpoint is given: the objects that the composition root built."""

from collections.abc import Iterable
from dataclasses import dataclass

from catalog_db import migrations
from catalog_db.engine import Engine, create_engine
from catalog_db.errors import CatalogError
from catalog_db.processing.job_queue import DatabaseError
from peps_wps.access import Access
from peps_wps.access.quotas import Limits
from peps_wps.access.running_downloads import RunningDownloads
from peps_wps.config import Config
from peps_wps.errors import ConfigError
from peps_wps.metrics import SearchMeter
from peps_wps.ordering import ChainProcess, OrderDesk
from peps_wps.staging import Archive
from peps_wps.tiles.pool import RasterPool


@dataclass(frozen=True)
class Services:
    """Configuration, catalogue, archive, rights and orders of one application.

    A web module exposes ``rules() -> list[werkzeug.routing.Rule]``; the endpoint of a rule is a
    callable ``(request: werkzeug.Request, services: Services, **path_arguments) -> Response``.
    """

    config: Config
    engine: Engine
    archive: Archive
    access: Access
    desk: OrderDesk
    downloads: RunningDownloads
    search_meter: SearchMeter
    rasters: RasterPool

    @classmethod
    def of(
        cls, config: Config, engine: Engine, processes: Iterable[type[ChainProcess]] = ()
    ) -> "Services":
        """Build the objects of one configuration; `processes` are those that can be ordered."""
        access = Access(config, engine)
        desk = OrderDesk(config, engine, processes, access)
        downloads = RunningDownloads(engine, Limits.of(config.downloads))
        archive = Archive(config, engine)
        meter = SearchMeter(engine)
        return cls(config, engine, archive, access, desk, downloads, meter, RasterPool())


def open_catalogue(config: Config, *, upgrade: bool = True) -> Engine:
    """Open the database of a configuration, brought to the newest schema.

    Raises
    ------
    ConfigError
        When there is no usable database: the address, the file, its folder or its schema is wrong.
    """
    try:
        engine = create_engine(config.catalog.url)
        if upgrade:
            migrations.upgrade(engine)
        else:
            migrations.current(engine)
    except (DatabaseError, CatalogError, OSError, ImportError) as error:
        url = str(config.catalog.url)
        # Another address than that of a file may hold a password.
        place = url if url.startswith("sqlite") else "[catalog] url"
        raise ConfigError(f"the database {place} cannot be used: {_reason(error)}") from error
    return engine


def _reason(error: Exception) -> str:
    """Return the first line of what a driver says, without the statement it was about."""
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename}"
    said = str(getattr(error, "orig", None) or error)
    return said.partition("\n")[0]
