"""Requests of the tape service: files by path or title, each with a state of its own.

A file that can never be staged does not spoil the others: its reason is told when the request is
looked at. What is asked here is an ordinary request of the archive too, seen by its user only.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from catalog_db import times
from catalog_db.archive import request_views, requests, stage_paths
from catalog_db.archive.recalls import DISK_ONLY
from catalog_db.archive.request_views import ListedRequest, RequestRow
from catalog_db.archive.stage_paths import StagePath
from catalog_db.archive.staging import ProductFile
from catalog_db.engine import Engine
from peps_wps.staging.archive import Archive
from peps_wps.staging.states import FileStatus
from storage.errors import NotRequestedError, UnknownRequestError

PURPOSE = "tape-rest:"
# Below which the door serves files; clients name them by the path of their address there.
DOOR = "/archive/"


@dataclass(frozen=True)
class StagedFile:
    """A file as a request named it; `status` is None where it can never be staged."""

    path: str
    status: FileStatus | None
    error: str = ""


@dataclass(frozen=True)
class StageStatus:
    """A request and its files."""

    request: RequestRow
    files: tuple[StagedFile, ...]


class StageRequests:
    """Requests of the tape service.

    Parameters
    ----------
    archive
        The archive.
    engine
        The catalogue database.
    """

    def __init__(self, archive: Archive, engine: Engine) -> None:
        self._archive = archive
        self._engine = engine

    def open(
        self,
        paths: Iterable[str],
        user: str,
        *,
        pin_lifetime_s: float | None = None,
        deadline: datetime | None = None,
    ) -> str:
        """Ask for files; return the request. A path that is given twice counts once.

        Raises
        ------
        PinTooLongError
            When they are to stay for longer than is allowed.
        QuotaError
            When the user would wait for more than is allowed.
        """
        distinct = list({name_of(path): path for path in reversed(list(paths))}.values())[::-1]
        products = self.find(distinct)
        named = [self._named(path, products.get(path)) for path in distinct]
        return self._archive.request(
            [one.product for one in named if one.product is not None],
            user=user,
            purpose=f"{PURPOSE}{uuid4()}",
            pin_lifetime_s=pin_lifetime_s,
            deadline=deadline,
            note=lambda connection, made: stage_paths.insert_paths(connection, made, named),
        )

    def find(self, paths: Sequence[str]) -> dict[str, ProductFile]:
        """Return the files that paths or titles name, as far as there are any."""
        names = {path: name_of(path) for path in paths}
        with self._engine.connect() as connection:
            found = stage_paths.find_files(connection, names.values())
        return {path: found[name] for path, name in names.items() if name in found}

    def status(self, request_id: str, user: str) -> StageStatus:
        """Return how far a request is.

        Raises
        ------
        UnknownRequestError
            When the user has no such request.
        """
        status = self._archive.status(request_id)
        request = status.request
        if request is None or request.user != user or not request.purpose.startswith(PURPOSE):
            raise UnknownRequestError(request_id)
        with self._engine.connect() as connection:
            named = stage_paths.paths_of(connection, request_id)
        by_uid = {file.uid: file for file in status.files}
        files = (
            StagedFile(one.path, by_uid.get(one.product or ""), one.error or "") for one in named
        )
        return StageStatus(request, tuple(files))

    def cancel(self, request_id: str, user: str, paths: Sequence[str]) -> None:
        """Wait no more for some files of a request; what is on disk stays pinned.

        Raises
        ------
        UnknownRequestError, NotRequestedError
            When the user has no such request, or it does not contain them all; nothing is changed.
        """
        self._change(self._archive.cancel, request_id, user, paths)

    def release(self, request_id: str, user: str, paths: Sequence[str]) -> None:
        """Let go of some files of a request.

        Raises
        ------
        UnknownRequestError, NotRequestedError
            When the user has no such request, or it does not contain them all; nothing is changed.
        """
        self._change(self._archive.release, request_id, user, paths)

    def release_all(self, user: str, paths: Sequence[str]) -> None:
        """Let go of files in whatever requests of the user have them, should it be none.

        Raises
        ------
        NotRequestedError
            When the archive has no such file; nothing is changed.
        """
        found = self.find(paths)
        for path in paths:
            if path not in found:
                raise NotRequestedError(f"the archive has no file {path}")
        file_ids = [product.file.id for product in found.values()]
        with self._engine.begin() as connection:
            held = request_views.requests_for_files(
                connection, file_ids, user=user, purpose=PURPOSE
            )
            for request_id, of_request in held.items():
                requests.release_files(connection, request_id, of_request, times.now())

    def forget(self, request_id: str, user: str) -> None:
        """End a request; it is not known any more then.

        Raises
        ------
        UnknownRequestError
            When the user has no such request.
        """
        self.status(request_id, user)
        self._archive.forget(request_id)

    def list(self, user: str, limit: int) -> list[ListedRequest]:
        """Return the requests of a user, the newest first."""
        return self._archive.requests(user=user, purpose=PURPOSE, only_open=False, limit=limit)

    def _named(self, path: str, product: ProductFile | None) -> StagePath:
        """Return what a path stands for, or why it can never be staged."""
        if product is None:
            return StagePath(path, None, f"the archive has no file {path}")
        refusal = self._archive.refusal(product)
        return StagePath(path, product.uid) if refusal is None else StagePath(path, None, refusal)

    def _change(
        self,
        change: Callable[[str, Sequence[str]], None],
        request_id: str,
        user: str,
        paths: Sequence[str],
    ) -> None:
        """Change some files of a request, all of which it must contain."""
        known = {name_of(one.path): one for one in self.status(request_id, user).files}
        for path in paths:
            if name_of(path) not in known:
                raise NotRequestedError(f"{path} does not belong to the request {request_id}")
        chosen = (known[name_of(path)].status for path in paths)
        uids = dict.fromkeys(one.uid for one in chosen if one is not None)
        if uids:
            change(request_id, list(uids))


def name_of(path: str) -> str:
    """Return what the archive calls a file: without the door, and the slash in front."""
    return path.removeprefix(DOOR).lstrip("/")


def locality(product: ProductFile, known_backends: Iterable[str]) -> str:
    """Return where a file is, in the words of the interface (Locality)."""
    file = product.file
    if file.size_bytes == 0:
        return "NONE"
    if file.backend == DISK_ONLY:
        return "DISK" if product.is_ready else "LOST"
    if product.is_ready:
        return "DISK_AND_TAPE"
    return "TAPE" if file.backend in known_backends else "UNAVAILABLE"
