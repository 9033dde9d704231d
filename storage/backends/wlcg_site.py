"""A site that speaks WLCG Tape REST v1: each operation one request, each answer checked.

Nothing that a site says is believed: bodies are read up to a limit and a time, members are looked
at before they are used, and no request follows a redirect. Messages name what was wrong; they never
hold a token.

References
----------
WLCG Tape REST API (v1) reference document, github.com/wlcg-storage/wlcg-tape-rest-api.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from storage.errors import TapeError, TapeUnavailableError

_WELL_KNOWN = "/.well-known/wlcg-tape-rest-api"
_TIMEOUT_S = (5.0, 10.0)  # to connect, between two pieces
_ANSWER_S = 10.0  # for a whole answer: a lease is renewed between two of them
_ANSWER_BYTES = 32 << 20
_CHUNK_BYTES = 1 << 20
_LONGEST_QUOTE = 200
_LONGEST_ID = 200
_LONGEST_PAUSE_S = 600.0
_BUSY = (408, 425, 429)


class UnknownAtSiteError(TapeError):
    """The site does not know the request: it has forgotten it."""


class SiteBusyError(TapeUnavailableError):
    """The site asks to come back later."""

    def __init__(self, message: str, pause_s: float) -> None:
        super().__init__(message, pause_s)  # keeps the error picklable
        self.message = message
        self.pause_s = pause_s

    def __str__(self) -> str:
        return self.message


class Locality(Enum):
    """Where a site has a file; the words of the interface."""

    DISK = "DISK"
    TAPE = "TAPE"
    DISK_AND_TAPE = "DISK_AND_TAPE"
    LOST = "LOST"
    NONE = "NONE"
    UNAVAILABLE = "UNAVAILABLE"


class Progress(Enum):
    """How far a site is with a file."""

    SUBMITTED = "SUBMITTED"
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class SiteFile:
    """What a site says of a file of a request; `bytes_done` is 0 where it does not say."""

    progress: Progress
    bytes_done: int = 0
    error: str = ""


class TapeSite:
    """The tape of another site.

    Parameters
    ----------
    url
        Where ``/.well-known/wlcg-tape-rest-api`` is asked for.
    session
        Sends the requests.
    """

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url = url
        self._session = session
        self._endpoint = ""

    def stage(self, paths: Sequence[str], disk_lifetime_s: float) -> str:
        """Ask for files to be brought to disk; return the request."""
        lifetime = f"PT{round(disk_lifetime_s)}S"
        files = [{"path": path, "diskLifetime": lifetime} for path in paths]
        answer = self._ask("POST", "stage", {"files": files})
        request_id: str = _member(_object(answer), "requestId", str)
        if not re.fullmatch(rf"[\w.:~-]{{1,{_LONGEST_ID}}}", request_id, re.ASCII):
            raise TapeUnavailableError(f"the site names a request {_quoted(request_id)}")
        return request_id

    def progress(self, request_id: str) -> dict[str, SiteFile]:
        """Return what the site says of each file of a request, by path.

        Raises
        ------
        UnknownAtSiteError
            When the site has forgotten the request.
        """
        files = _member(_object(self._ask("GET", f"stage/{request_id}")), "files", list)
        return dict(_site_file(_object(one)) for one in files)

    def cancel(self, request_id: str, paths: Sequence[str]) -> None:
        """Tell that some files of a request are not wanted any more."""
        self._ask("POST", f"stage/{request_id}/cancel", {"paths": list(paths)})

    def forget(self, request_id: str) -> None:
        """End a request with all that it still waits for."""
        self._ask("DELETE", f"stage/{request_id}")

    def release(self, request_id: str, paths: Sequence[str]) -> None:
        """Tell that staged files need not stay on disk."""
        self._ask("POST", f"release/{request_id}", {"paths": list(paths)})

    def localities(self, paths: Sequence[str]) -> dict[str, Locality | None]:
        """Return where the site has files, None for one that it has not or does not speak of."""
        answer = self._ask("POST", "archiveinfo", {"paths": list(paths)})
        if not isinstance(answer, list):
            raise TapeUnavailableError("the site answers archiveinfo without a list")
        known = {one.value: one for one in Locality}
        said = {
            plain(_member(_object(one), "path", str)): known.get(str(one.get("locality")))
            for one in answer
        }
        return {path: said.get(plain(path)) for path in paths}

    def _ask(self, method: str, what: str, body: object = None) -> Any:
        """Return the JSON of an answer, None where it has no body."""
        if not self._endpoint:
            self._endpoint = self._discover()
        return self._json(method, f"{self._endpoint}/{what}", body)

    def _discover(self) -> str:
        """Return the address of version 1 of the interface."""
        found = _object(self._json("GET", self._url.rstrip("/") + _WELL_KNOWN, None))
        for one in map(_object, _member(found, "endpoints", list)):
            if str(one.get("version")) == "v1":
                endpoint: str = _member(one, "uri", str).strip()
                _check_as_safe(endpoint, self._url)
                return endpoint.rstrip("/")
        raise TapeUnavailableError("the site names no endpoint of version v1")

    def _json(self, method: str, url: str, body: object) -> Any:
        with answering(self._session, method, url, json=body) as answer:
            content = b"".join(_within_limits(answer))
        if not content:
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise TapeUnavailableError("the site answers with what is not JSON") from error


def site_session(token_file: Path | None, ca_file: Path | None) -> requests.Session:
    """Return what sends requests to a site, with a token where there is one.

    Neither a proxy nor credentials are taken from the environment.

    Parameters
    ----------
    token_file
        Holds a bearer token; read for each request, so that it can be replaced, and refused where
        others may read it.
    ca_file
        Certificates that are trusted in place of the usual ones.
    """
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"  # sizes and ranges are of the bytes as they are
    if ca_file is not None:
        session.verify = str(ca_file)
    if token_file is not None:
        session.auth = _TokenFile(token_file)
    return session


class _TokenFile(requests.auth.AuthBase):
    """The token that a file holds now."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token to a request."""
        try:
            if self._path.stat().st_mode & 0o077:
                raise TapeUnavailableError(f"the token file {self._path} can be read by others")
            token = self._path.read_text("utf-8").strip()
        except OSError as error:
            sentence = f"the token file {self._path} cannot be read: {error.strerror}"
            raise TapeUnavailableError(sentence) from error
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise TapeUnavailableError(f"the token file {self._path} holds no token")
        request.headers["Authorization"] = f"Bearer {token}"
        return request


@contextmanager
def answering(
    session: requests.Session, method: str, url: str, *, redirects: int = 0, **options: Any
) -> Iterator[requests.Response]:
    """Send a request; give the answer, its body unread, if it is one of success.

    Parameters
    ----------
    session
        Sends it.
    method, url, options
        The request.
    redirects
        How many are followed; another server is not shown the token.

    Raises
    ------
    UnknownAtSiteError
        On 404 and 410.
    TapeUnavailableError
        When the site does not answer, is busy, broken, redirects or does not accept who we are.
    TapeError
        When it refuses the request for another reason.
    """
    options = {"stream": True, "timeout": _TIMEOUT_S, "allow_redirects": False, **options}
    try:
        answer = session.request(method, url, **options)
        while answer.is_redirect and redirects > 0:
            target = urljoin(url, answer.headers["Location"])
            answer.close()
            _check_as_safe(target, url)
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                options["auth"] = _show_nothing
            url, redirects = target, redirects - 1
            answer = session.request(method, url, **options)
    except requests.RequestException as error:
        raise _no_answer(error) from error
    with answer:
        if not answer.ok or 300 <= answer.status_code < 400:
            raise _refusal(answer)
        yield answer


def _show_nothing(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _check_as_safe(url: str, known: str) -> None:
    """Refuse an address that a site names and that is less safe than the one we know."""
    scheme, known_scheme = urlsplit(url).scheme, urlsplit(known).scheme
    if scheme not in ("http", "https") or (known_scheme == "https" and scheme != "https"):
        raise TapeUnavailableError(f"the site names the address {_quoted(url)}")


def plain(path: str) -> str:
    """Return a path with single slashes, one in front and none behind."""
    return "/" + "/".join(part for part in path.split("/") if part)


def pieces(answer: requests.Response) -> Iterator[bytes]:
    """Yield the body of an answer as it comes; `TapeUnavailableError` where it breaks off.

    Each piece is what is there, so that a body that drips is seen to and nothing of one that
    breaks off is lost.
    """
    try:
        while piece := answer.raw.read1(_CHUNK_BYTES, decode_content=False):
            yield piece
    except HTTPError as error:
        raise _no_answer(error) from error


def _within_limits(answer: requests.Response) -> Iterator[bytes]:
    """Yield the body of an answer; raise where it is too long or takes too long."""
    end, size = time.monotonic() + _ANSWER_S, 0
    for piece in pieces(answer):
        size += len(piece)
        if size > _ANSWER_BYTES or time.monotonic() > end:
            raise TapeUnavailableError("the answer of the site has no end")
        yield piece


def _no_answer(error: requests.RequestException | HTTPError) -> TapeUnavailableError:
    return TapeUnavailableError(f"the site does not answer ({type(error).__name__})")


def _refusal(answer: requests.Response) -> TapeError:
    """Return what an answer that is no success means."""
    status = answer.status_code
    if 300 <= status < 400:
        return TapeUnavailableError(f"the site redirects elsewhere (HTTP {status})")
    if status in (401, 403):
        return TapeUnavailableError(f"the site does not accept our token (HTTP {status})")
    if status in (404, 410):
        return UnknownAtSiteError(f"the site does not know it (HTTP {status})")
    if status in _BUSY or status >= 500:
        return SiteBusyError(f"the site is not at work (HTTP {status})", _retry_after_s(answer))
    return TapeError(f"the site refuses: {_detail(answer)} (HTTP {status})")


def _detail(answer: requests.Response) -> str:
    """Return what a problem document says (RFC 7807)."""
    try:
        found = json.loads(b"".join(_within_limits(answer)))
    except (ValueError, RecursionError, TapeUnavailableError):
        return "no reason given"
    said = found.get("detail") or found.get("title") if isinstance(found, dict) else None
    return _quoted(str(said or "no reason given"))


def _retry_after_s(answer: requests.Response) -> float:
    text = answer.headers.get("Retry-After", "").strip()
    return min(float(text), _LONGEST_PAUSE_S) if re.fullmatch(r"\d{1,9}", text) else 0.0


def _site_file(item: Mapping[str, Any]) -> tuple[str, SiteFile]:
    """Return path and state of a file of a request; the interface has two ways to tell it."""
    path = plain(_member(item, "path", str))
    error = _quoted(str(item["error"])) if item.get("error") else ""
    if isinstance(on_disk := item.get("onDisk"), bool):
        waits = Progress.FAILED if error else Progress.SUBMITTED
        return path, SiteFile(Progress.COMPLETED if on_disk else waits, error=error)
    state = str(item.get("state"))
    progress = next((one for one in Progress if one.value == state), None)
    if progress is None:
        return path, SiteFile(Progress.FAILED, error=f"the site says the state {_quoted(state)}")
    done = item.get("bytesDone")
    bytes_done = done if isinstance(done, int) and not isinstance(done, bool) else 0
    return path, SiteFile(progress, max(0, bytes_done), error)


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TapeUnavailableError("the answer of the site has not the form of the interface")
    return value


def _member(value: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    if not isinstance(found := value.get(name), kind):
        raise TapeUnavailableError(f"the answer of the site has no {name}")
    return found


def _quoted(text: str) -> str:
    """Return what a stranger says, fit for one line of a log."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST_QUOTE])
