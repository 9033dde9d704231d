"""Defects met while answering: logged whole, told by a name that leads to the log."""

import logging
import secrets
from urllib.parse import quote

from werkzeug import Request

logger = logging.getLogger(__name__)


def report(error: Exception, request: Request) -> str:
    """Log an error that nobody foresaw, with its stack; return what the client is told of it."""
    incident = secrets.token_hex(6)
    # Quoted: a path may hold line ends, and would forge lines of the log.
    logger.error(
        "incident %s: %s %s failed", incident, request.method, quote(request.path), exc_info=error
    )
    return f"internal error, reported to the operators as incident {incident}"
