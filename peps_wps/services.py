"""What every endpoint is given: the objects that the composition root built."""

from dataclasses import dataclass

from catalog_db.engine import Engine
from peps_wps.config import Config
from peps_wps.staging import Archive


@dataclass(frozen=True)
class Services:
    """Configuration, catalogue and archive of one application.

    A web module exposes ``rules() -> list[werkzeug.routing.Rule]``; the endpoint of a rule is a
    callable ``(request: werkzeug.Request, services: Services, **path_arguments) -> Response``.
    """

    config: Config
    engine: Engine
    archive: Archive
