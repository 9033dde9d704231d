"""``/resto/api/users/connect``: a token for a password, as clients of PEPS fetch one."""

import json
import secrets
from datetime import timedelta

from werkzeug import Request, Response
from werkzeug.routing import Rule

from peps_wps.access import tokens
from peps_wps.access.credentials import TokenText, credentials_of
from peps_wps.errors import ForbiddenError, UnauthorizedError
from peps_wps.services import Services

# A client that fetches a token for each request it makes has this many at most.
_MOST_TOKENS = 20


def rules() -> list[Rule]:
    """Return the addresses of this module."""
    return [Rule("/resto/api/users/connect", endpoint=connect, methods=["GET"])]


def connect(request: Request, services: Services) -> Response:
    """Answer with a token of the user who asks.

    Raises
    ------
    ForbiddenError
        Without a right password: PEPS says 403 here, and its clients know it. A token is none: it
        would never end, each one bringing the next. Nor is one that a browser sends for a page.
    """
    try:
        caller = services.access.caller(request)
        services.access.check_download(caller)
    except UnauthorizedError as error:
        raise ForbiddenError("user") from error
    if services.config.auth.mode == "open":
        text = secrets.token_urlsafe()  # any will do there
    else:
        if caller.is_page or isinstance(credentials_of(request), TokenText):
            raise ForbiddenError("user")
        text, _ = tokens.issue(
            services.engine,
            caller.name,
            label=tokens.FETCHED,
            lasts=timedelta(hours=services.config.auth.token_hours),
            keep=_MOST_TOKENS,
        )
    return Response(
        json.dumps({"token": text}),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
