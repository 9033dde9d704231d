"""Where the log goes; called once in each process."""

import logging
import time

from peps_wps.config import Logging


def configure(settings: Logging) -> None:
    """Send the log of this process, in UTC, to the file of `settings`, else to standard error."""
    handler: logging.Handler
    if settings.file is None:
        handler = logging.StreamHandler()
    else:
        settings.file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(settings.file)
    formatter = logging.Formatter(settings.format)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=settings.level, handlers=[handler], force=True)
    # They tell at INFO what they do, not what happened.
    for name in ("rasterio", "numba", "alembic", "sqlalchemy", "PYWPS"):
        logging.getLogger(name).setLevel(logging.WARNING)
