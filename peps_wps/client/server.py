"""Requests to a server, and its refusals in its own words: exception reports, problem details."""

import os
import threading
from typing import Any
from urllib.parse import urlsplit

import requests

from peps_wps.client.credentials import (
    PASSWORD,
    TOKEN,
    USER,
    Credentials,
    OwnServerAuth,
    credentials_file,
    without_credentials,
)
from peps_wps.client.errors import (
    ClientError,
    CredentialsError,
    GoneError,
    RefusedError,
    UnreachableError,
)
from peps_wps.xml_parsing import Element, XmlError, read_xml

WPS = "http://www.opengis.net/wps/1.0.0"
OWS = "http://www.opengis.net/ows/1.1"
NAMES = {"wps": WPS, "ows": OWS}

TIMEOUT_S = (5.0, 60.0)  # to connect, between two bytes


class Server:
    """A server and who asks; any number of threads may use it.

    Parameters
    ----------
    url
        Its address. ``user:password@`` before the host are credentials, and win.
    credentials
        Who asks; none: whoever ``~/.netrc`` says, else nobody.
    """

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        address, given = without_credentials(url)
        self.url = address.rstrip("/")
        self._credentials = given or credentials
        self._of_thread = threading.local()

    @property
    def root(self) -> str:
        """Address of the service, whichever of its parts the given one names."""
        return self.url.removesuffix("/wps").removesuffix("/resto")

    def send(self, method: str, url: str, **options: Any) -> requests.Response:
        """Return the answer to a request that was not refused.

        Raises
        ------
        UnreachableError
            When nobody answers, or only an error of the server.
        RefusedError, GoneError
            When the server refuses, with its reason; when what was asked for is kept no more.
        """
        answer = self.ask(method, url, **options)
        if answer.ok:
            return answer
        with answer:
            if answer.status_code >= 500:
                raise UnreachableError(f"{url} answers {answer.status_code} {answer.reason}")
            raise refusal(answer)

    def ask(self, method: str, url: str, **options: Any) -> requests.Response:
        """Return the answer to a request, whatever it is.

        Raises
        ------
        UnreachableError
            When nobody answers.
        """
        try:
            return self._session.request(method, url, timeout=TIMEOUT_S, **options)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise UnreachableError(f"no server answers at {url}") from error
        except requests.RequestException as error:
            raise ClientError(f"{url}: {error}") from error

    @property
    def _session(self) -> requests.Session:
        """Return the session of this thread: sessions are not made to be shared."""
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = requests.Session()
            if self._credentials:
                session.auth = OwnServerAuth(self.url, self._credentials)
        return session


def raise_report(root: Element) -> None:
    """Raise what an exception report says; another document is none."""
    if root.tag != f"{{{OWS}}}ExceptionReport":
        return
    error = root.find("ows:Exception", NAMES)
    if error is None:
        raise RefusedError("NoApplicableCode", "", "the server gave no reason")
    raise RefusedError(
        error.get("exceptionCode", "NoApplicableCode"),
        error.get("locator", ""),
        (error.findtext("ows:ExceptionText", "", NAMES) or "").strip(),
    )


def refusal(answer: requests.Response) -> ClientError:
    """Return the error for an answer of the 400s, in the server's own words where it has any."""
    if answer.status_code == 401:
        return _unknown_caller(answer)
    refused = _problem(answer) or _report(answer)
    if refused is None:
        sentence = f"{answer.url} answers {answer.status_code} {answer.reason}"
        refused = RefusedError(str(answer.status_code), "", sentence)
    return GoneError(refused.message) if answer.status_code == 410 else refused


def _unknown_caller(answer: requests.Response) -> CredentialsError:
    """Return the error for an answer 401, with what can be done about it."""
    is_shown = "Authorization" in answer.request.headers
    does = "refuses your credentials" if is_shown else "asks who you are"
    parts = urlsplit(answer.url)
    return CredentialsError(
        f"{parts.scheme}://{parts.netloc} {does}: set {TOKEN}, or {USER} and {PASSWORD}, "
        f"or write them to {credentials_file(os.environ)}"
    )


def _problem(answer: requests.Response) -> RefusedError | None:
    """Return what problem details (RFC 7807), or resto's own error document, say; else None."""
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    try:
        said = answer.json()
    except ValueError:
        return None
    names = ("detail", "title", "ErrorMessage")
    sentences = [said[name] for name in names if said.get(name)] if isinstance(said, dict) else []
    if not sentences:
        return None
    sentence = sentences[0]
    return RefusedError(str(answer.status_code), "", str(sentence))


def _report(answer: requests.Response) -> RefusedError | None:
    """Return what an exception report says, None where there is none."""
    try:
        raise_report(read_xml(answer.content))
    except RefusedError as refused:
        return refused
    except XmlError:
        return None
    return None
