"""Whether a browser sends a request for a page of another site.

A browser adds by itself the Basic credentials that its user once typed, and reaches networks that
the page's author does not: such a request says nothing of what its user wants.
"""

from urllib.parse import urlsplit

from werkzeug import Request

_OWN = ("same-origin", "none")


def comes_from_elsewhere(request: Request, allowed_origin: str) -> bool:
    """Return whether a page of another origin makes a request.

    Parameters
    ----------
    request
        The request. Browsers say what it is in ``Sec-Fetch-Site`` where the connection is safe
        (Fetch Metadata, W3C, section 2), else ``Origin`` tells; other clients send neither.
    allowed_origin
        The one other origin that is trusted; ``*`` trusts none.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin == allowed_origin:
        return False
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in _OWN
    return origin is not None and urlsplit(origin).netloc != request.host
