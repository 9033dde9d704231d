"""Where the log goes; called once in each process."""

import logging
import time
from pathlib import Path

from peps_wps.config.web_sections import Logging
from peps_wps.errors import ConfigError


def configure(settings: Logging) -> None:
    """Send the log of this process, in UTC, to the file of `settings`, else to standard error.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    handler = logging.StreamHandler() if settings.file is None else _file_handler(settings.file)
    formatter = logging.Formatter(settings.format)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=settings.level, handlers=[handler], force=True)
    # They tell at INFO what they do, not what happened.
    for name in ("rasterio", "numba", "alembic", "sqlalchemy", "PYWPS"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _file_handler(path: Path) -> logging.FileHandler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return logging.FileHandler(path)
    except OSError as error:
        raise ConfigError(f"[logging] file = {path} cannot be written: {error.strerror}") from error
