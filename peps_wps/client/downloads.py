"""Many products to a folder: several at a time, tape ahead of time, until all are there or failed.

One thread, the caller's, decides; the others do one thing each and report. Products on tape are
asked for as soon as they are known, `Options.ahead` of them at most, so that tapes are read in an
order of their own while other products are transferred.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from peps_wps.client.crew import Crew, Report
from peps_wps.client.download_model import Download, Options, Progress, Watch
from peps_wps.client.errors import (
    BrokenOffError,
    ClientError,
    CredentialsError,
    NoSpaceError,
    NotReadyError,
    StoppedError,
    UnreachableError,
    WrongBytesError,
)
from peps_wps.client.extraction import extract
from peps_wps.client.products import Product, find
from peps_wps.client.recalls import FollowedRecalls
from peps_wps.client.server import Server
from peps_wps.client.tape import FileRecall, TapeService
from peps_wps.client.transfer import Received, fetch, prompt

_PROGRESS_S = 0.1
_GOODBYE_S = 3.0  # for transfers to keep what came when they are told to stop


@dataclass(eq=False)
class _Task:
    """A product that is neither there nor failed."""

    name: str
    product: Product | None = None
    due: float = 0.0  # on the monotonic clock
    is_prompted: bool = False  # the server said that it has it on disk
    is_busy: bool = False
    faults: int = 0
    wrong: int = 0


class Downloads:
    """One run over many products.

    Parameters
    ----------
    server
        Who has them.
    folder
        Where they go, as ``<title>.zip``, or ``<title>.SAFE`` extracted.
    options
        How.
    tape
        The tape service of the server, None where it has none: then it is asked for each product.
    watch
        Told where each product stands, in the caller's thread.
    """

    def __init__(
        self,
        server: Server,
        folder: Path,
        options: Options,
        *,
        tape: TapeService | None = None,
        watch: Watch = lambda _: None,
    ) -> None:
        self._server = server
        self._folder = folder
        self._options = options
        self._watch = watch
        self._tasks: list[_Task] = []
        self._reports: SimpleQueue[Report | Progress] = SimpleQueue()
        self._is_stopped = threading.Event()
        self._away_since: float | None = None
        self._recalls = FollowedRecalls(tape, options.deadline) if tape else None
        self._next_poll = 0.0
        self._poll_pause_s = options.pace.poll_s / 20

    def run(self, wanted: Iterable[Product | str]) -> Iterator[Download]:
        """Download products; yield what came of each, as it comes.

        Parameters
        ----------
        wanted
            Products, or titles or identifiers of some; read as they are needed.

        Raises
        ------
        CredentialsError, NoSpaceError, UnreachableError
            When it is of no use to go on. What came so far is kept, here as when the caller stops.
        """
        source = iter(wanted)
        self._transfers = Crew(self._options.parallel, self._reports)
        self._office = Crew(2, self._reports)
        try:
            while True:
                yield from self._take(source)
                if not self._tasks:
                    return
                if self._left_s() <= 0:
                    yield from self._give_up()
                    return
                self._begin()
                yield from self._hear()
        finally:
            self._is_stopped.set()
            self._office.close(0)
            self._transfers.close(_GOODBYE_S)

    def _take(self, source: Iterator[Product | str]) -> Iterator[Download]:
        """Take on what there is room for."""
        # One even at the deadline: it is late then, and that is told.
        while not self._tasks or (len(self._tasks) < self._options.ahead and self._left_s() > 0):
            one = next(source, None)
            if one is None:
                return
            if isinstance(one, str):
                self._tasks.append(_Task(one))
            elif all(task.name != one.title for task in self._tasks):
                task = _Task(one.title, one)
                self._tasks.append(task)
                yield from self._look(task)

    def _look(self, task: _Task) -> Iterator[Download]:
        """See what is to be done for a product that is known now."""
        product = task.product
        if product is None:
            return
        if any(one.name == product.title and one is not task for one in self._tasks):
            self._tasks.remove(task)  # asked for twice
            return
        task.name = product.title
        if Path(product.title).name != product.title or product.title.startswith("."):
            yield self._over(task, "failed", message="its title is no name of a file")
        elif (path := self._present(product)) is not None:
            yield self._over(task, "present", path)
        elif product.mode == "disk" or self._is_whole(product):
            task.is_prompted = True
        elif self._recalls is not None and not self._recalls.has(task.name):
            self._recalls.add(task.name)

    def _present(self, product: Product) -> Path | None:
        """Return where a product is already, whole."""
        folder = self._folder / f"{product.title}.SAFE"
        if self._options.extract and folder.is_dir():
            return folder
        is_there = not self._options.extract and self._is_whole(product)
        return self._zip(product) if is_there else None

    def _is_whole(self, product: Product) -> bool:
        """Tell whether the zip of a product is there."""
        path = self._zip(product)
        return path.is_file() and product.size_bytes in (None, path.stat().st_size)

    def _begin(self) -> None:
        """Give work to who has none."""
        now = time.monotonic()
        for task in self._tasks:
            if task.is_busy or task.due > now:
                continue
            if self._recalls is not None and self._recalls.is_waiting(task.name):
                continue
            crew = self._transfers if task.is_prompted and task.product else self._office
            if crew.is_free:
                task.is_busy = True
                crew.do((crew, task), self._job(task))
        self._ask_about_recalls(now)

    def _ask_about_recalls(self, now: float) -> None:
        """Have the tape service asked, unless it was a moment ago."""
        if self._recalls is None or self._recalls.is_busy or now < self._next_poll:
            return
        if (job := self._recalls.job()) is not None:
            self._office.do((self._office, self._recalls), job)

    def _job(self, task: _Task) -> Callable[[], Any]:
        """Return the next thing to do for a product."""
        product = task.product
        if product is None:
            return partial(find, self._server, task.name)
        if not task.is_prompted:
            return partial(prompt, self._server, product)
        return partial(self._fetch, product)

    def _fetch(self, product: Product) -> Path:
        """Fetch a product, in a thread of the crew."""
        path = self._zip(product)
        if not self._is_whole(product):
            fetch(
                self._server,
                product,
                path,
                received=self._receiver(product.title),
                should_stop=self._is_stopped.is_set,
            )
        if self._recalls is not None:
            self._recalls.release(product.title)
        if not self._options.extract:
            return path
        try:
            return extract(path)
        except WrongBytesError:
            if product.checksum is None:
                path.unlink()  # its bytes were never verified: they come anew
            raise

    def _receiver(self, name: str) -> Received:
        """Return what reports a transfer ten times a second."""
        last = 0.0

        def report(done: int, whole: int | None) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PROGRESS_S or done == whole:
                last = now
                self._reports.put(Progress(name, "receiving", done, whole))

        return report

    def _hear(self) -> Iterator[Download]:
        """Wait for a report, or until something is due, and see what follows."""
        try:
            report = self._reports.get(timeout=self._pause_s())
        except Empty:
            return
        if isinstance(report, Progress):
            self._watch(report)
            return
        crew, subject = report.subject
        crew.done()
        error = report.result.exception()
        if not isinstance(error, UnreachableError):
            self._away_since = None
        if isinstance(subject, FollowedRecalls):
            pace = self._options.pace
            # Quick ones are seen soon, long ones are not asked about without end.
            self._poll_pause_s = min(pace.poll_s, self._poll_pause_s * 1.5)
            self._next_poll = time.monotonic() + self._poll_pause_s
            self._show_recalls(subject.take(report.result))
            return
        subject.is_busy = False
        if error is None:
            yield from self._succeeded(subject, report.result.result())
        else:
            yield from self._failed(subject, error)

    def _succeeded(self, task: _Task, result: Product | Path | None) -> Iterator[Download]:
        """Go on with a product after something went well."""
        if isinstance(result, Product):
            task.product = result
            yield from self._look(task)
        elif isinstance(result, Path):
            yield self._over(task, "fetched", result)
        else:
            task.is_prompted = True

    def _failed(self, task: _Task, error: BaseException) -> Iterator[Download]:
        """See whether and when a product is tried again."""
        if isinstance(error, CredentialsError | NoSpaceError) or not isinstance(
            error, ClientError | OSError
        ):
            raise error
        wait_s = self._retry_s(task, error)
        if isinstance(error, StoppedError):
            return
        if wait_s is None:
            yield self._over(task, "failed", message=str(error))
            return
        task.due = time.monotonic() + wait_s
        is_recall = isinstance(error, NotReadyError) and not error.is_quota
        state = "recalling" if is_recall else "waiting"
        self._watch(Progress(task.name, state, expected_s=wait_s, message=str(error)))

    def _retry_s(self, task: _Task, error: ClientError | OSError) -> float | None:
        """Return in how many seconds a product is tried again, None for never."""
        pace = self._options.pace
        if isinstance(error, NotReadyError):
            task.is_prompted = False
            task.faults = 0
            return self._bounded(pace.unknown_s if error.wait_s is None else error.wait_s)
        if isinstance(error, UnreachableError):
            now = time.monotonic()
            self._away_since = self._away_since or now
            if now - self._away_since > pace.patience_s:
                raise error
            task.faults += 1
        elif isinstance(error, WrongBytesError):
            task.wrong += 1
            # The catalogue may say something else by now.
            task.product, task.is_prompted = None, False
            return pace.fault_s if task.wrong < 2 else None
        elif isinstance(error, BrokenOffError):
            task.faults = 1 if error.gained else task.faults + 1
            if task.faults >= self._options.tries:
                return None
            if error.wait_s is not None:
                return self._bounded(error.wait_s)
        else:
            return None
        return self._bounded(pace.fault_s * 2.0 ** (task.faults - 1))

    def _bounded(self, seconds: float) -> float:
        """Return a wait within bounds, and a little longer: not everybody comes back at once."""
        pace = self._options.pace
        within = min(max(seconds, pace.fault_s), pace.longest_s)
        return within * (1 + random.uniform(0, 0.1))  # noqa: S311  (no secret)

    def _show_recalls(self, files: Sequence[FileRecall]) -> None:
        """Tell where the products in the queue of the tapes stand; fetch those that are there."""
        there = {file.path for file in files if file.state == "done"}
        for task in self._tasks:
            task.is_prompted = task.is_prompted or task.name in there
        for file in files:
            if file.is_finished:
                continue
            self._watch(
                Progress(
                    file.path,
                    "recalling",
                    done_bytes=file.done_bytes or 0,
                    size_bytes=file.size_bytes,
                    position=file.position,
                    expected_s=file.expected_s,
                    message="on its way from tape",
                )
            )

    def _over(
        self, task: _Task, state: str, path: Path | None = None, message: str = ""
    ) -> Download:
        self._tasks.remove(task)
        self._watch(Progress(task.name, "over"))
        size = task.product.size_bytes if task.product else None
        return Download(task.name, state, path, size, message)

    def _give_up(self) -> Iterator[Download]:
        """Yield what is not there at the deadline."""
        for task in list(self._tasks):
            yield self._over(task, "late", message="not there at the deadline")

    def _zip(self, product: Product) -> Path:
        return self._folder / f"{product.title}.zip"

    def _left_s(self) -> float:
        """Return the seconds until the deadline."""
        if self._options.deadline is None:
            return float("inf")
        return (self._options.deadline - datetime.now(UTC)).total_seconds()

    def _pause_s(self) -> float:
        """Return when to look at everything again though nobody reports."""
        now = time.monotonic()
        instants = [task.due - now for task in self._tasks if task.due > now]
        if self._recalls is not None:
            instants.append(self._next_poll - now)
        return max(0.01, min([*instants, self._left_s(), 1.0]))
