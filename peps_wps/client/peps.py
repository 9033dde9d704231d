"""The whole service in one object: search, download, recall, order."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from peps_wps.client import products as catalogue
from peps_wps.client.credentials import Credentials, without_credentials
from peps_wps.client.download_model import Download, Options, Watch
from peps_wps.client.downloads import Downloads
from peps_wps.client.errors import UnreachableError
from peps_wps.client.filters import Filters
from peps_wps.client.products import Count, Product
from peps_wps.client.server import Server
from peps_wps.client.tape import ListedRecall, RecallStatus, TapeService
from peps_wps.client.wps import JobStatus, WpsClient

DEFAULT_URL = "http://127.0.0.1:5000"
POLL_S = 5.0


@dataclass(frozen=True)
class Recall:
    """A request that products be brought to disk; it outlives this object and its program.

    Parameters
    ----------
    id
        By which the server knows it.
    tape
        The service that was asked.
    """

    id: str
    tape: TapeService

    def status(self) -> RecallStatus:
        """Return how far it is."""
        return self.tape.status(self.id)

    def wait(
        self,
        *,
        timeout_s: float | None = None,
        watch: Callable[[RecallStatus], None] = lambda _: None,
        interval_s: float | None = None,
    ) -> RecallStatus:
        """Return when every product is there, has failed or was cancelled, or time is up.

        Parameters
        ----------
        timeout_s
            After which what is known then is returned; None waits for ever.
        watch
            Told of every look at it.
        interval_s
            Between two looks at most, the first ones come sooner; `POLL_S` where it is not said.

        Raises
        ------
        UnreachableError
            When the server has not answered for a minute.
        """
        longest_s = POLL_S if interval_s is None else interval_s
        pause_s = longest_s / 20
        until = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        last_answer = time.monotonic()
        while True:
            try:
                status = self.status()
            except UnreachableError:
                if time.monotonic() - last_answer > 60:
                    raise
            else:
                last_answer = time.monotonic()
                watch(status)
                if status.is_finished or last_answer >= until:
                    return status
            time.sleep(max(0.0, min(pause_s, until - time.monotonic())))
            pause_s = min(longest_s, pause_s * 1.5)

    def cancel(self, titles: Sequence[str] = ()) -> None:
        """Cancel products that are not there yet: those named, or all."""
        self.tape.cancel(self.id, titles)

    def release(self, titles: Sequence[str] = ()) -> None:
        """Say that products are needed no more: those named, or all."""
        self.tape.release(self.id, titles)


class Peps:
    """A PEPS server, this one or another that speaks resto, and who asks.

    Parameters
    ----------
    url
        Its address; ``PEPS_URL`` where none is given, else this machine. ``user:password@``
        before the host are credentials, and win.
    credentials
        Who asks; else whoever the environment, ``~/.config/peps/credentials`` or ``~/.netrc`` says.

    Examples
    --------
    >>> peps = Peps("http://127.0.0.1:5000")  # doctest: +SKIP
    >>> found = peps.search(collection="S1", box=(1, 43, 2, 44), start="2021-08-01")
    ... # doctest: +SKIP
    """

    def __init__(self, url: str | None = None, credentials: Credentials | None = None) -> None:
        address = url or os.environ.get("PEPS_URL", DEFAULT_URL)
        bare, _ = without_credentials(address)
        shown = credentials or Credentials.find(bare, os.environ)
        self.wps = WpsClient(address, shown)
        self.server: Server = self.wps.server

    def search(
        self, filters: Filters | None = None, *, limit: int | None = None, **more: Any
    ) -> Iterator[Product]:
        """Yield products, latest start first, a page in memory at a time.

        Parameters
        ----------
        filters
            What they must be.
        limit
            So many at most.
        more
            Fields of `Filters` by their names, in the place of those of `filters`.

        Raises
        ------
        RefusedError
            When the server refuses the search, with its reason.
        """
        wanted = replace(filters or Filters(), **more)
        return catalogue.search(self.server, wanted, limit=limit)

    def count(self, filters: Filters | None = None, **more: Any) -> Count:
        """Return how many products a search would find."""
        return catalogue.count(self.server, replace(filters or Filters(), **more))

    def find(self, name: str) -> Product:
        """Return the product of a title or identifier.

        Raises
        ------
        RefusedError
            When there is none.
        """
        return catalogue.find(self.server, name)

    def download(
        self,
        wanted: Iterable[Product | str],
        folder: str | Path = ".",
        options: Options | None = None,
        *,
        watch: Watch = lambda _: None,
    ) -> list[Download]:
        """Download products; return what came of each. See `downloads`."""
        return list(self.downloads(wanted, folder, options, watch=watch))

    def downloads(
        self,
        wanted: Iterable[Product | str],
        folder: str | Path = ".",
        options: Options | None = None,
        *,
        watch: Watch = lambda _: None,
    ) -> Iterator[Download]:
        """Download products; yield what came of each, as it comes.

        Parameters
        ----------
        wanted
            Products, or titles or identifiers; also a search, which is read as it is needed.
        folder
            Where they go. What is there already is not fetched again; what broke off is continued.
        options
            How many at once, until when...
        watch
            Told where each product stands.

        Raises
        ------
        CredentialsError, NoSpaceError, UnreachableError
            When it is of no use to go on; what came so far is kept.
        """
        try:
            tape = self._tape
        except UnreachableError:
            tape = None  # a run has more patience than this question
        run = Downloads(self.server, Path(folder), options or Options(), tape=tape, watch=watch)
        return run.run(wanted)

    def recall(
        self,
        wanted: Iterable[Product | str],
        *,
        pin_s: float | None = None,
        deadline: datetime | None = None,
    ) -> Recall:
        """Ask that products be brought to disk.

        Parameters
        ----------
        wanted
            Products or titles.
        pin_s
            How long they stay there; the server's own time where it is not said.
        deadline
            When they are of no use any more.

        Raises
        ------
        UnreachableError
            When the server has no tape service.
        NotReadyError
            When the quota of the caller is used up.
        """
        titles = [one if isinstance(one, str) else one.title for one in wanted]
        return Recall(self.tape.stage(titles, pin_s=pin_s, deadline=deadline), self.tape)

    def recalls(self) -> list[ListedRecall]:
        """Return the requests of the caller, newest first, where the server lists them."""
        return self.tape.listed()

    def recall_of(self, request: str) -> Recall:
        """Return the request of an identifier."""
        return Recall(request, self.tape)

    @property
    def tape(self) -> TapeService:
        """The tape service of the server.

        Raises
        ------
        UnreachableError
            When it has none.
        """
        if self._tape is None:
            raise UnreachableError(f"{self.server.root} has no tape service (WLCG Tape REST v1)")
        return self._tape

    def order(self, process: str, **inputs: str | Sequence[str]) -> JobStatus:
        """Order a processing; several values of an input as a sequence.

        Raises
        ------
        RefusedError
            When the server refuses the order.
        """
        several = {
            name: [value] if isinstance(value, str) else value for name, value in inputs.items()
        }
        return self.wps.execute(
            process, [(n, one) for n, values in several.items() for one in values]
        )

    @cached_property
    def _tape(self) -> TapeService | None:
        return TapeService.discover(self.server)
