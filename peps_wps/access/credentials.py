"""What a request says of who sends it: a password, a token, or nothing.

Nothing is read from the address: what stands there ends in logs, histories and referrers.
"""

import base64
from dataclasses import dataclass, field

from werkzeug import Request

from peps_wps.access.tokens import is_token
from peps_wps.errors import UnauthorizedError

_LONGEST = 1024  # characters of a header with credentials, before anything is computed of it


@dataclass(frozen=True)
class Password:
    """A user's name and password, as HTTP Basic brings them; the password is in no repr."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class TokenText:
    """A token; `name` is that of its user where the client said one too."""

    text: str = field(repr=False)
    name: str | None = None


def credentials_of(request: Request) -> Password | TokenText | None:
    """Return the credentials of a request, None where it has none.

    ``Authorization: Basic`` holds a password, or a token in its place, for clients that know
    nothing else; ``Authorization: Bearer`` and ``X-API-Key`` hold a token.

    Raises
    ------
    UnauthorizedError
        When there are some that cannot be read: they were meant to say something.
    """
    header = request.headers.get("Authorization")
    if header is None:
        key = request.headers.get("X-API-Key")
        return None if key is None else TokenText(_short(key))
    scheme, _, value = _short(header).strip().partition(" ")
    match scheme.lower():
        case "basic":
            return _basic(value.strip())
        case "bearer":
            return TokenText(value.strip())
        case _:
            raise UnauthorizedError


def _basic(value: str) -> Password | TokenText:
    """Read the credentials of RFC 7617; OWSLib writes them in Latin-1, others in UTF-8."""
    try:
        content = base64.b64decode(value, validate=True)
    except ValueError as error:  # not Base64, or not even ASCII
        raise UnauthorizedError from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    name, colon, secret = text.partition(":")
    if not colon:
        raise UnauthorizedError
    return TokenText(secret, name) if is_token(secret) else Password(name, secret)


def _short(header: str) -> str:
    if len(header) > _LONGEST:
        raise UnauthorizedError
    return header
