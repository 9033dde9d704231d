"""What a client shows of who it is: to its server, and to nobody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

TOKEN, USER, PASSWORD = "PEPS_TOKEN", "PEPS_USER", "PEPS_PASSWORD"


@dataclass(frozen=True)
class Credentials:
    """A token, or a user with a password; neither is in the text of the object."""

    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str = field(default="", repr=False)

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> "Credentials | None":
        """Return those of ``PEPS_TOKEN``, else of ``PEPS_USER`` and ``PEPS_PASSWORD``."""
        if token := environ.get(TOKEN):
            return cls(token=token)
        user = environ.get(USER)
        return cls(user=user, password=environ.get(PASSWORD, "")) if user else None


def without_credentials(url: str) -> tuple[str, Credentials | None]:
    """Return a URL without ``user:password@``, which must stand in no message, and these."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, None
    host = parts.netloc.rpartition("@")[2]
    credentials = Credentials(
        user=unquote(parts.username or ""), password=unquote(parts.password or "")
    )
    return urlunsplit(parts._replace(netloc=host)), credentials


class OwnServerAuth(AuthBase):
    """Adds credentials to requests that go to the server they are for, not to where links lead."""

    def __init__(self, server: str, credentials: Credentials) -> None:
        self._origin = _origin(server)
        self._credentials = credentials

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Return the request, with credentials where they belong."""
        if _origin(request.url or "") != self._origin:
            return request
        if self._credentials.token:
            request.headers["Authorization"] = f"Bearer {self._credentials.token}"
            return request
        password = self._credentials.password.encode()
        basic = HTTPBasicAuth((self._credentials.user or "").encode(), password)
        signed: PreparedRequest = basic(request)
        return signed


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or usual
