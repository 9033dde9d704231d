"""One file over HTTP, resumed where it broke off: the door of a tape site."""

import re
from collections.abc import Callable

import requests

from storage.backends.resuming import resumed
from storage.backends.wlcg_site import UnknownAtSiteError, answering, pieces
from storage.errors import NotHeldError, TapeError
from storage.model import ArchiveFile

_MOST_REDIRECTS = 5  # to the machines behind the door


def download(
    session: requests.Session, url: str, file: ArchiveFile, write: Callable[[memoryview], None]
) -> None:
    """Pass the bytes of a file to `write`, in order and each once, through broken connections.

    Raises
    ------
    NotHeldError
        When there is no such file.
    TapeUnavailableError
        When the server does not answer, or breaks off too often.
    TapeError
        When the server says something else than what was asked for.
    """
    transfer = _Transfer(session, url, file, write)
    resumed(file.path, transfer.receive, lambda: transfer.done)


class _Transfer:
    """A file on its way: how much of it has come, and of which version."""

    def __init__(
        self,
        session: requests.Session,
        url: str,
        file: ArchiveFile,
        write: Callable[[memoryview], None],
    ) -> None:
        self._session = session
        self._url = url
        self._file = file
        self._write = write
        self._tag = ""
        self.done = 0

    def receive(self) -> None:
        """Receive what is left; a body that ends in order ends the transfer, whatever its size."""
        if 0 < self._file.size_bytes <= self.done:
            return
        try:
            with answering(
                self._session,
                "GET",
                self._url,
                redirects=_MOST_REDIRECTS,
                headers=self._headers(),
            ) as answer:
                self._pass_on(answer)
        except UnknownAtSiteError as error:
            raise NotHeldError(f"the site has no file {self._file.path}") from error

    def _headers(self) -> dict[str, str]:
        """Return what asks for the rest, of the same version (RFC 9110, section 13.1.5)."""
        if not self.done:
            return {}
        condition = {"If-Range": self._tag} if self._tag else {}
        return {"Range": f"bytes={self.done}-", **condition}

    def _pass_on(self, answer: requests.Response) -> None:
        """Pass on what an answer brings beyond what came before."""
        skip = self._known_bytes(answer)
        for chunk in pieces(answer):
            fresh = memoryview(chunk)[skip:]
            skip = max(0, skip - len(chunk))
            if fresh:
                self.done += len(fresh)
                self._write(fresh)

    def _known_bytes(self, answer: requests.Response) -> int:
        """Return how many bytes of the body came before."""
        tag = answer.headers.get("ETag", "")
        if self.done and self._tag and tag and tag != self._tag:
            raise TapeError(f"{self._file.path} changed while it came")
        self._tag = "" if tag.startswith("W/") else tag
        if answer.status_code != 206:
            return self.done
        ranged = re.match(r"bytes (\d{1,18})-", answer.headers.get("Content-Range", ""))
        start = int(ranged[1]) if ranged else -1
        if start != self.done:
            raise TapeError(f"{self._file.path}: byte {self.done} was asked for, {start} comes")
        return 0
