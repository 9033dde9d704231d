"""What a client shows of who it is: to its server, and to nobody else.

It comes from the environment, else from a file that only its owner reads, else (by requests) from
``~/.netrc``; never from the command line, which every user of a machine can list.
"""

import os
import stat
from collections.abc import Mapping
from configparser import ConfigParser, SectionProxy
from configparser import Error as ConfigParserError
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from peps_wps.client.errors import CredentialsError

TOKEN, USER, PASSWORD = "PEPS_TOKEN", "PEPS_USER", "PEPS_PASSWORD"
FILE = "PEPS_CREDENTIALS"


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

    @classmethod
    def of_file(cls, path: Path, server: str) -> "Credentials | None":
        """Return those that a file has for a server, None where it has none.

        Parameters
        ----------
        path
            INI file with one section a server, named by its address (scheme, host and port), with
            ``token``, or ``user`` and ``password``. That it is missing is fine.
        server
            Address of the server.

        Raises
        ------
        CredentialsError
            When others than its owner may read the file, or it is no such file.
        """
        try:
            text = read_private(path)
        except FileNotFoundError:
            return None
        parser = ConfigParser(interpolation=None, delimiters=("=",))
        try:
            parser.read_string(text)
        except ConfigParserError as error:
            # The error's own text quotes lines, and these hold passwords.
            kind = type(error).__name__
            raise CredentialsError(f"{path} cannot be understood ({kind})") from None
        sections = [parser[name] for name in parser.sections() if _origin(name) == _origin(server)]
        return cls._of_section(sections[0], path) if sections else None

    @classmethod
    def _of_section(cls, section: SectionProxy, path: Path) -> "Credentials":
        token, user = section.get("token"), section.get("user")
        if not (token or user):
            raise CredentialsError(f"{path}: [{section.name}] has neither token nor user")
        return cls(token=token, user=user, password=section.get("password", ""))

    @classmethod
    def find(cls, server: str, environ: Mapping[str, str]) -> "Credentials | None":
        """Return those of the environment, else those that the user's file has for a server."""
        return cls.of_environment(environ) or cls.of_file(credentials_file(environ), server)


def credentials_file(environ: Mapping[str, str]) -> Path:
    """Return where credentials are kept: ``PEPS_CREDENTIALS``, else below ``~/.config``."""
    if named := environ.get(FILE):
        return Path(named).expanduser()
    folder = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "peps" / "credentials"


def read_private(path: Path) -> str:
    """Return the text of a file that nobody but its owner, the caller, may read.

    Raises
    ------
    CredentialsError
        When others may, with how to mend it.
    FileNotFoundError
        When there is none.
    """
    with path.open(encoding="utf-8", errors="replace") as stream:
        facts = os.fstat(stream.fileno())
        mode = stat.S_IMODE(facts.st_mode)
        if facts.st_uid != os.geteuid():
            raise CredentialsError(f"{path} belongs to somebody else; credentials must be yours")
        if mode & 0o077:
            raise CredentialsError(
                f"{path} has mode {mode:04o}: others can read it. Mend it with: chmod 600 {path}"
            )
        return stream.read()


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
    """Return scheme, host and port; nothing that credentials are for where there are none."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    try:
        return parts.scheme, parts.hostname, parts.port or usual
    except ValueError:  # a port that is no number
        return parts.scheme, parts.hostname, None
