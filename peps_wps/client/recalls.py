"""The recalls of a run of downloads: asked for together, followed by one question for all."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from peps_wps.client.errors import ClientError
from peps_wps.client.tape import FileRecall, RecallStatus, TapeService

logger = logging.getLogger(__name__)

# Time for a product to get its turn; it is released when it is there.
PIN_S = 2 * 3600.0


@dataclass(frozen=True)
class _Visit:
    """What the tape service said: the identifier of a new request, and how all of them are."""

    request: str | None  # None too where it was refused
    statuses: tuple[RecallStatus, ...]


class FollowedRecalls:
    """Products that a tape service was asked for.

    What it cannot do is no failure: such a product waits no more here, and its download is asked
    for until the server sends it. All but `release` and the jobs belong to one thread.

    Parameters
    ----------
    tape
        The service.
    deadline
        When the products are of no use any more.
    """

    def __init__(self, tape: TapeService, deadline: datetime | None) -> None:
        self._tape = tape
        self._deadline = deadline
        self._new: list[str] = []
        self._asked: list[str] = []  # in the job that is under way
        self._waiting: dict[str, str] = {}  # name -> request
        self._request_of: dict[str, str] = {}
        self.is_busy = False

    def has(self, name: str) -> bool:
        """Whether a product was asked for, however that ended."""
        return name in self._request_of or name in self._new or name in self._asked

    def is_waiting(self, name: str) -> bool:
        """Whether a product is on its way as far as is known."""
        return name in self._waiting or name in self._new or name in self._asked

    def add(self, name: str) -> None:
        """Ask for a product at the next occasion."""
        self._new.append(name)

    def job(self) -> Callable[[], _Visit] | None:
        """Return what is to be asked of the service now, None for nothing."""
        if not (self._new or self._waiting):
            return None
        self.is_busy = True
        self._asked, self._new = self._new, []
        requests = dict.fromkeys(self._waiting.values())
        return partial(self._visit, tuple(self._asked), tuple(requests))

    def take(self, result: "Future[Any]") -> list[FileRecall]:
        """Take in what a job brought; return where products stand."""
        self.is_busy = False
        asked, self._asked = self._asked, []
        error = result.exception()
        if isinstance(error, ClientError):
            logger.info("the tape service is left alone: %s", error)
            self._request_of.update(dict.fromkeys(asked, ""))
            self._waiting.clear()
            return []
        visit: _Visit = result.result()
        self._request_of.update(dict.fromkeys(asked, visit.request or ""))
        if visit.request is not None:
            self._waiting.update(dict.fromkeys(asked, visit.request))
        files = [file for status in visit.statuses for file in status.files]
        for file in files:
            if file.is_finished:
                self._waiting.pop(file.path, None)
        return files

    def release(self, name: str) -> None:
        """Say that a product is needed no more; in any thread."""
        request = self._request_of.get(name)
        if not request:
            return
        try:
            self._tape.release(request, [name])
        except ClientError as error:
            logger.info("%s stays pinned until its time: %s", name, error)

    def _visit(self, new: Sequence[str], known: Sequence[str]) -> _Visit:
        """Ask for the new products, and how all requests are."""
        request = None
        if new:
            try:
                request = self._tape.stage(new, pin_s=PIN_S, deadline=self._deadline)
            except ClientError as error:  # a quota; those asked for before are followed still
                logger.info("%d products are not asked for together: %s", len(new), error)
        everything = [*known, request] if request else known
        return _Visit(request, tuple(self._tape.status(one) for one in everything))
