"""Cross-origin requests: pages of other sites may use the service from a browser.

Credentials travel in headers that such a page sets itself, never in cookies: nothing is allowed
that the page could not do with the user's password or token in hand (Fetch standard, section 3.2).
"""

from werkzeug import Request, Response

_METHODS = "GET, HEAD, POST, PUT, DELETE"
_HEADERS = ", ".join(
    (
        *("Authorization", "Content-Type", "If-None-Match", "If-Range"),
        *("Prefer", "Range", "X-API-Key"),
    )
)
_EXPOSED = ", ".join(
    (
        *("Accept-Ranges", "Content-Disposition", "Content-Range", "ETag", "Link", "Location"),
        *("Preference-Applied", "Repr-Digest", "Retry-After", "WWW-Authenticate"),
    )
)
_KEPT_S = 86_400


def is_preflight(request: Request) -> bool:
    """Tell whether a browser asks what a page may do, instead of doing it."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def preflight() -> Response:
    """Return what a page may do; each request is checked when it comes."""
    return Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": str(_KEPT_S),
        },
    )


def allow(answer: Response, origin: str) -> None:
    """Let pages of an origin read an answer; ``*`` stands for all, an empty one for none."""
    if not origin:
        return
    answer.headers["Access-Control-Allow-Origin"] = origin
    answer.headers["Access-Control-Expose-Headers"] = _EXPOSED
    if origin != "*":
        answer.headers.add("Vary", "Origin")
