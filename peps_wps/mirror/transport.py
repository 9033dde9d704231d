"""Requests to a source: paced, counted, with a token where one is needed, and never without limit.

The token is the OAuth 2 one of the Copernicus Data Space: it holds for about ten minutes and is
fetched anew with a refresh token, or with user and password when that has ended too.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.auth import AuthBase

from peps_wps.mirror.answers import read_answer
from peps_wps.mirror.errors import (
    CredentialsError,
    HubAnswerError,
    HubRefusalError,
    HubUnavailableError,
)
from peps_wps.mirror.pacing import Breaker, Rate
from peps_wps.mirror.sources import Source

CHUNK_BYTES = 2**16
_TIMEOUT_S = (10.0, 60.0)  # to connect, between two pieces
_UNAVAILABLE = (429, 502, 503, 504)
_MARGIN_S = 30.0  # a token is fetched anew before it ends
_TOKEN_LIFETIME_S = 600.0  # where the answer does not say


class Bearer(AuthBase):
    """The token of a request, or none at all: credentials of ~/.netrc are for others."""

    def __init__(self, token: str = "") -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token to a request."""
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """Sends requests to a source, from any thread.

    Parameters
    ----------
    source
        Where to.
    rate
        How many a second.
    breaker
        Whether the source is in service.
    """

    def __init__(self, source: Source, rate: Rate, breaker: Breaker) -> None:
        self._source = source
        self._rate = rate
        self._breaker = breaker
        self._sessions = threading.local()
        self._lock = threading.Lock()
        self._token = ""
        self._refresh_token = ""
        self._expires_at = 0.0
        self._requests = 0
        self._refusals = 0
        self.clock = datetime.now(UTC)

    def tally(self) -> tuple[int, int]:
        """Return requests and refusals since the last time this was asked."""
        with self._lock:
            counted = self._requests, self._refusals
            self._requests = self._refusals = 0
        return counted

    def json(self, url: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Return a document of the catalogue, which needs no token."""
        with self._send("GET", url, params=parameters, auth=Bearer()) as answer:
            if answer.status_code != 200:
                raise HubAnswerError(f"the catalogue answers with HTTP {answer.status_code}")
            self.clock = _date_of(answer)
            with self._unavailable_when_broken():
                return read_answer(answer.iter_content(CHUNK_BYTES))

    @contextmanager
    def download(self, url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """Open a download; a token that is refused is fetched anew, once.

        Raises
        ------
        HubRefusalError
            When the source does not give this product.
        """
        for is_last in (False, True):
            token = self._valid_token()
            with self._send("GET", url, headers=headers, auth=Bearer(token)) as answer:
                if answer.status_code == 401 and not is_last and token:
                    self._forget(token)
                    continue
                if answer.status_code == 401:
                    raise CredentialsError(f"{self._source.name} refuses a new token")
                if answer.status_code not in (200, 206, 416):
                    raise HubRefusalError(f"the download is answered with {answer.status_code}")
                yield answer
                return

    # ------------------------------------------------------------------------------- sending

    @contextmanager
    def _send(self, method: str, url: str, **options: Any) -> Iterator[requests.Response]:
        """Send a request; raise when the source does not serve it now."""
        self._breaker.enter()
        try:
            self._rate.take(1)
            answer = self._session().request(
                method, url, stream=True, timeout=_TIMEOUT_S, **options
            )
        except requests.RequestException as error:
            self._count(refused=True)
            self._breaker.fail(None)
            raise HubUnavailableError(_reason(error)) from error
        except BaseException:
            self._breaker.leave()
            raise
        with answer:
            refused = answer.status_code in _UNAVAILABLE
            self._count(refused=refused)
            if refused:
                self._breaker.fail(_retry_after_s(answer))
                raise HubUnavailableError(f"HTTP {answer.status_code}")
            self._breaker.succeed()
            yield answer

    def _session(self) -> requests.Session:
        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
            # Sizes and checksums are of the bytes as they are.
            self._sessions.session.headers["Accept-Encoding"] = "identity"
        session: requests.Session = self._sessions.session
        return session

    def _count(self, *, refused: bool) -> None:
        with self._lock:
            self._requests += 1
            self._refusals += refused

    @contextmanager
    def _unavailable_when_broken(self) -> Iterator[None]:
        try:
            yield
        except requests.RequestException as error:
            self._breaker.fail(None)
            raise HubUnavailableError(_reason(error)) from error

    # -------------------------------------------------------------------------------- tokens

    def _valid_token(self) -> str:
        """Return a token that holds a while longer; empty where the source wants none."""
        if not self._source.token:
            return ""
        with self._lock:
            token, expires_at = self._token, self._expires_at
        if token and time.monotonic() < expires_at:
            return token
        return self._fetch_token()

    def _forget(self, token: str) -> None:
        with self._lock:
            if self._token == token:
                self._token = ""

    def _fetch_token(self) -> str:
        if self._refresh_token:
            granted = self._grant(
                {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
            )
            if granted is not None:
                return granted
        credentials = self._source.credentials
        if credentials is None:
            raise CredentialsError(f"{self._source.name} wants credentials")
        granted = self._grant(
            {
                "grant_type": "password",
                "username": credentials.user,
                "password": credentials.password,
            }
        )
        if granted is None:
            raise CredentialsError(f"{self._source.name} does not accept user and password")
        return granted

    def _grant(self, form: dict[str, str]) -> str | None:
        """Ask for a token; None when what was shown for it is refused."""
        form = {**form, "client_id": self._source.client_id}
        with self._send("POST", self._source.token, data=form, auth=Bearer()) as answer:
            if answer.status_code in (400, 401, 403):
                with self._lock:
                    self._refresh_token = ""
                return None
            if answer.status_code != 200:
                raise HubAnswerError(f"no token: HTTP {answer.status_code}")
            with self._unavailable_when_broken():
                document = read_answer(answer.iter_content(CHUNK_BYTES))
        token, lifetime_s = document.get("access_token"), document.get("expires_in")
        refresh_token = document.get("refresh_token", "")
        if not (isinstance(token, str) and token and isinstance(refresh_token, str)):
            raise HubAnswerError("the answer to a request for a token has none")
        if not isinstance(lifetime_s, int | float):
            lifetime_s = _TOKEN_LIFETIME_S
        with self._lock:
            self._token, self._refresh_token = token, refresh_token
            self._expires_at = time.monotonic() + max(lifetime_s - _MARGIN_S, lifetime_s / 2)
        return token


def _reason(error: requests.RequestException) -> str:
    """Return what kind of failure it is: addresses in messages of others are not for logs."""
    return f"no answer ({type(error).__name__})"


def _date_of(answer: requests.Response) -> datetime:
    """Return what the source takes for the present time."""
    try:
        date = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return datetime.now(UTC)
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _retry_after_s(answer: requests.Response) -> float | None:
    """Return the pause that a source asks for (RFC 9110, section 10.2.3)."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
