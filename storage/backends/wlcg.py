"""The tape of another site, by WLCG Tape REST v1: dCache, EOS with CTA, StoRM, or another PEPS.

A batch is one stage request there. The site schedules its drives itself; it is asked for progress
more seldom the longer nothing changes, and one that is out of reach is waited for. Files come
through its HTTP or WebDAV door and are verified by who takes them. Nothing is written there.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import requests

from storage.backends.http_file import download
from storage.backends.patience import Patience
from storage.backends.remote_batches import RemoteBatches
from storage.backends.wlcg_site import (
    Locality,
    Progress,
    SiteBusyError,
    SiteFile,
    TapeSite,
    UnknownAtSiteError,
    plain,
)
from storage.errors import MediaError, NotHeldError, TapeError, TapeUnavailableError
from storage.model import ArchiveFile, StageState, StageStatus
from storage.pool import Fill, checked

logger = logging.getLogger(__name__)

NAME = "wlcg"
_MOUNT_S, _BANDWIDTH_BYTES_S = 600.0, 100e6  # for estimates: nobody knows how busy the site is
_STATES = {
    Progress.SUBMITTED: StageState.WAITING,
    Progress.STARTED: StageState.READING,
    Progress.COMPLETED: StageState.STAGED,
}


@dataclass(eq=False)
class _Session:
    """A stage request at the site; files and their last known states by archive path."""

    slot: str
    request_id: str
    files: dict[str, ArchiveFile]
    states: dict[str, StageStatus]
    pause_s: float
    next_look: float = 0.0
    away_since: float | None = None
    reasons: dict[str, TapeError] = field(default_factory=dict)


class WlcgTape(RemoteBatches[_Session]):
    """Files on the tape of another site.

    Parameters
    ----------
    site
        Its tape.
    data
        Sends the requests for files.
    data_url
        Address of its HTTP or WebDAV door.
    batches
        Stage requests that this process may have under way.
    name
        What the catalogue calls it.
    folder
        Path of our archive at the site.
    disk_s
        How long files should stay on its disk, seconds.
    patience
        How often and how long it is asked.
    """

    def __init__(
        self,
        site: TapeSite,
        data: requests.Session,
        data_url: str,
        *,
        batches: int,
        name: str = NAME,
        folder: str = "/",
        disk_s: float = 86_400.0,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(name, batches, patience)
        self._site = site
        self._data = data
        self._data_url = data_url.rstrip("/")
        self._folder = plain(folder).rstrip("/")
        self._disk_s = disk_s

    def store(self, archive_path: str, fill: Fill, *, writer: str) -> ArchiveFile:
        """Refuse to write: files get on the tape of another site by its own means.

        Raises
        ------
        TapeError
            Always.
        """
        del fill, writer
        raise TapeError(
            f"{archive_path} cannot be written: {self.name} is the tape of another site"
        )

    def locate(self, files: Sequence[ArchiveFile]) -> Sequence[tuple[str, int] | None]:
        """Return ``("", 0)`` for each file that the site holds, None for the others."""
        localities = self._site.localities([self._site_path(file) for file in files])
        lost = (None, Locality.LOST, Locality.NONE)
        return [
            None if localities[self._site_path(file)] in lost else (file.tape or "", 0)
            for file in files
        ]

    def submit(self, drive: str, files: Sequence[ArchiveFile]) -> str:
        """Ask the site for files; return the request.

        Raises
        ------
        TapeUnavailableError
            When the batch is one too many, or the site does not take the request.
        """
        paths = [self._site_path(file) for file in files]
        self._slots.take(drive, files[0].tape)
        try:
            handle = self._site.stage(paths, self._disk_s)
        except TapeError as error:
            self._slots.free(drive)
            raise TapeUnavailableError(f"no request at {self.name}: {error}") from error
        waiting = {file.path: StageStatus(StageState.WAITING) for file in files}
        by_path = {file.path: file for file in files}
        self._sessions[handle] = _Session(drive, handle, by_path, waiting, self._patience.poll_s)
        return handle

    def poll(self, handle: str) -> Mapping[str, StageStatus]:
        """Return the state of every file of the batch that is not cancelled, by archive path.

        Raises
        ------
        TapeUnavailableError
            When the site has not answered for long, or has forgotten the request.
        """
        session = self._sessions[handle]
        if time.monotonic() >= session.next_look:
            try:
                self._look(session)
            except UnknownAtSiteError as error:
                raise TapeUnavailableError(f"{self.name} has forgotten a request") from error
            except TapeError as error:
                self._wait_for_site(session, error)
        return dict(session.states)

    def cancel(self, handle: str, files: Sequence[ArchiveFile]) -> None:
        """Leave out files that nobody waits for any more."""
        session = self._sessions[handle]
        unwanted = [file for file in files if session.states.pop(file.path, None)]
        paths = [self._site_path(file) for file in unwanted]
        if paths:
            self._tell(lambda: self._site.cancel(session.request_id, paths))

    def fetch(self, handle: str, file: ArchiveFile, write: Callable[[memoryview], None]) -> None:
        """Pass the bytes of a staged file to `write`, continued where a connection breaks.

        Raises
        ------
        NotHeldError, TapeUnavailableError
            When the door has no such file, or does not answer.
        TapeError
            When the file is not staged, or something else arrives.
        """
        status = self._sessions[handle].states.get(file.path)
        if status is None or status.state is not StageState.STAGED:
            raise TapeError(f"{file.path} has not been staged yet")
        url = self._data_url + quote(self._site_path(file))
        download(self._data, url, file, write)

    def release(self, handle: str) -> None:
        """End the request: the site may drop what it staged, and stop what it did not."""
        session = self._sessions.pop(handle)
        self._slots.free(session.slot)
        staged = [
            self._site_path(session.files[path])
            for path, status in session.states.items()
            if status.state is StageState.STAGED
        ]
        if staged:
            self._tell(lambda: self._site.release(session.request_id, staged))
        self._tell(lambda: self._site.forget(session.request_id))

    def expected_s(self, waiting_bytes: int, waiting_tapes: int) -> float:
        """Return about how long files already waiting will take, seconds: a guess."""
        return (_MOUNT_S if waiting_tapes else 0.0) + waiting_bytes / _BANDWIDTH_BYTES_S

    def _site_path(self, file: ArchiveFile) -> str:
        """Return the path of a file at the site."""
        return f"{self._folder}/{checked(file.path)}"

    def _look(self, session: _Session) -> None:
        """Ask the site how far it is; the next time later if nothing has changed."""
        said = self._site.progress(session.request_id)
        here = {path: said.get(self._site_path(session.files[path])) for path in session.states}
        self._find_reasons(session, {path: one for path, one in here.items() if _has_failed(one)})
        states = {path: self._status(session, path, one) for path, one in here.items()}
        patience = self._patience
        longer_s = min(2 * session.pause_s, patience.longest_pause_s)
        session.pause_s = patience.poll_s if states != session.states else longer_s
        session.next_look = time.monotonic() + session.pause_s
        session.states, session.away_since = states, None

    def _status(self, session: _Session, path: str, said: SiteFile | None) -> StageStatus:
        """Return the state of a file from what the site says of it."""
        if said is None or said.progress not in _STATES:
            return StageStatus(StageState.FAILED, error=session.reasons[path])
        size_bytes = session.files[path].size_bytes
        if said.progress is Progress.COMPLETED:
            return StageStatus(StageState.STAGED, size_bytes)
        return StageStatus(_STATES[said.progress], min(said.bytes_done, size_bytes), None)

    def _find_reasons(self, session: _Session, failed: Mapping[str, SiteFile | None]) -> None:
        """Note whose fault it is that files do not come: the site is asked what it has of them."""
        fresh = [path for path in failed if path not in session.reasons]
        if not fresh:
            return
        site_paths = {path: self._site_path(session.files[path]) for path in fresh}
        localities = self._site.localities(list(site_paths.values()))
        for path, site_path in site_paths.items():
            one = failed[path]
            said = one.error or one.progress.value.lower() if one else "not spoken of"
            session.reasons[path] = _reason(self.name, path, localities[site_path], said)

    def _wait_for_site(self, session: _Session, error: TapeError) -> None:
        """Leave the states as they are while the site does not answer, unless that lasts."""
        now = time.monotonic()
        if session.away_since is None:
            session.away_since = now
            logger.warning("%s: %s", self.name, error)
        if now - session.away_since > self._patience.away_s:
            raise TapeUnavailableError(f"{self.name}: {error}") from error
        asked_s = error.pause_s if isinstance(error, SiteBusyError) else 0.0
        session.pause_s = min(2 * session.pause_s, self._patience.longest_pause_s)
        session.next_look = now + max(session.pause_s, asked_s)

    def _tell(self, say: Callable[[], None]) -> None:
        """Tell the site something that is well without: its disk lifetime ends everything."""
        try:
            say()
        except TapeError as error:
            logger.info("%s: %s", self.name, error)


def _has_failed(said: SiteFile | None) -> bool:
    return said is None or said.progress not in _STATES


def _reason(name: str, path: str, locality: Locality | None, said: str) -> TapeError:
    """Return whose fault it is that a site does not stage a file."""
    sentence = f"{name} does not stage {path}: {said}"
    if locality in (None, Locality.LOST, Locality.NONE):
        return NotHeldError(sentence)
    if locality is Locality.UNAVAILABLE:
        return TapeUnavailableError(sentence)
    return MediaError(sentence)
