"""Recalls by WLCG Tape REST API v1, of any server that speaks it.

On a PEPS server the path of a file may be the title of its product; elsewhere it is the path that
the storage knows. Members beyond the specification are read where a server sends them: ``position``
(in the queue), ``expectedSeconds``, ``bytesDone`` and ``sizeBytes`` of a file.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urljoin

import requests

from peps_wps.client.errors import NotReadyError, RefusedError, UnreachableError
from peps_wps.client.server import Server, refusal
from peps_wps.client.transfer import retry_after_s

VERSION = "v1"

_LAST_SECONDS = 1e11  # the year 5138; what is beyond are milliseconds

_WAITING, _RUNNING, _DONE = "waiting", "running", "done"
_STATES = {
    "SUBMITTED": _WAITING,
    "STARTED": _RUNNING,
    "COMPLETED": _DONE,
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}


@dataclass(frozen=True)
class FileRecall:
    """A file of a request.

    Parameters
    ----------
    path
        As it was asked for.
    state
        ``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``.
    message
        Why it failed.
    position
        How many are before it, where the server tells.
    expected_s
        When it will be there, where the server tells.
    done_bytes, size_bytes
        How far its recall is, where the server tells.
    """

    path: str
    state: str
    message: str = ""
    position: int | None = None
    expected_s: float | None = None
    done_bytes: int | None = None
    size_bytes: int | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in (_WAITING, _RUNNING)


@dataclass(frozen=True)
class RecallStatus:
    """A request and its files."""

    id: str
    created: datetime | None
    files: tuple[FileRecall, ...]

    @property
    def is_finished(self) -> bool:
        """Whether every file is there, has failed or was cancelled."""
        return all(file.is_finished for file in self.files)

    @property
    def expected_s(self) -> float | None:
        """When the last of them will be there, None where that is unknown."""
        known = [file.expected_s for file in self.files if not file.is_finished]
        told = [seconds for seconds in known if seconds is not None]
        return max(told) if told and len(told) == len(known) else None

    def number(self, state: str) -> int:
        """How many files are in a state."""
        return sum(file.state == state for file in self.files)


@dataclass(frozen=True)
class ListedRecall:
    """A request as a list of them tells it."""

    id: str
    created: datetime | None
    files: int
    done: int


class TapeService:
    """The tape service of a server.

    Parameters
    ----------
    server
        The server and who asks.
    address
        Of the service, as `discover` finds it.
    """

    def __init__(self, server: Server, address: str) -> None:
        self._server = server
        self.address = address.rstrip("/")

    @classmethod
    def discover(cls, server: Server) -> "TapeService | None":
        """Return the tape service that a server announces, None where it announces none."""
        place = f"{server.root}/.well-known/wlcg-tape-rest-api"
        answer = server.ask("GET", place)
        with answer:
            try:
                endpoints = answer.json()["endpoints"] if answer.ok else []
                found = [one["uri"] for one in endpoints if one.get("version") == VERSION]
            except (ValueError, KeyError, TypeError, AttributeError):
                return None
        return cls(server, urljoin(place, found[0])) if found else None

    def stage(
        self,
        paths: Sequence[str],
        *,
        pin_s: float | None = None,
        deadline: datetime | None = None,
    ) -> str:
        """Ask that files be brought to disk; return the identifier of the request.

        Parameters
        ----------
        paths
            The files.
        pin_s
            How long they stay, in seconds; the server's own time where it is not said.
        deadline
            When they are of no use any more; a server that does not know of it ignores it.

        Raises
        ------
        NotReadyError
            When the quota of the caller is used up.
        RefusedError
            When the server refuses the request as a whole.
        """
        pin = {} if pin_s is None else {"diskLifetime": iso_duration(pin_s)}
        body: dict[str, Any] = {"files": [{"path": path, **pin} for path in paths]}
        if deadline is not None:
            body["deadline"] = deadline.astimezone(UTC).isoformat().replace("+00:00", "Z")
        with self._send("POST", "stage", json=body) as answer:
            return str(_member(_document(answer), "requestId"))

    def status(self, request: str) -> RecallStatus:
        """Return how far a request is.

        Raises
        ------
        RefusedError
            When the server knows no such request.
        """
        with self._send("GET", f"stage/{quote(request, safe='')}") as answer:
            document = _document(answer)
        return RecallStatus(
            id=str(document.get("id", request)),
            created=_instant(document.get("createdAt")),
            files=tuple(_file(one) for one in _member(document, "files")),
        )

    def listed(self) -> list[ListedRecall]:
        """Return the requests of the caller, newest first, of a server that lists them.

        Raises
        ------
        RefusedError
            When it does not: the specification has no list.
        """
        try:
            with self._send("GET", "stage") as answer:
                document = _document(answer)
        except RefusedError as error:
            if error.code not in ("404", "405"):
                raise
            raise RefusedError(
                error.code, "", "this server lists no requests: keep the identifiers that it gives"
            ) from error
        return [
            ListedRecall(
                id=str(one["id"]),
                created=_instant(one.get("createdAt")),
                files=int(one.get("files", 0)),
                done=int(one.get("done", 0)),
            )
            for one in _member(document, "requests")
        ]

    def cancel(self, request: str, paths: Sequence[str] = ()) -> None:
        """Cancel files of a request; all that are not finished where none is named."""
        chosen = list(paths) or [
            file.path for file in self.status(request).files if not file.is_finished
        ]
        if chosen:
            self._send("POST", f"stage/{quote(request, safe='')}/cancel", json={"paths": chosen})

    def release(self, request: str, paths: Sequence[str] = ()) -> None:
        """Say that files are needed no more; all of a request where none is named."""
        chosen = list(paths) or [file.path for file in self.status(request).files]
        self._send("POST", f"release/{quote(request, safe='')}", json={"paths": chosen})

    def forget(self, request: str) -> None:
        """Cancel a request and have it forgotten."""
        self._send("DELETE", f"stage/{quote(request, safe='')}")

    def localities(self, paths: Sequence[str]) -> dict[str, str]:
        """Return where files are: ``DISK``, ``TAPE``, ``DISK_AND_TAPE``, ``LOST``..., by path.

        A file that the service does not know is not among them.
        """
        with self._send("POST", "archiveinfo", json={"paths": list(paths)}) as answer:
            document = _document(answer)
        known = document if isinstance(document, list) else []
        return {str(one["path"]): str(one["locality"]) for one in known if "locality" in one}

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self._server.ask(method, f"{self.address}/{path}", **options)
        if answer.ok:
            return answer
        with answer:
            if answer.status_code == 429:
                wait_s = retry_after_s(answer.headers)
                raise NotReadyError(str(refusal(answer)), wait_s, is_quota=True)
            if answer.status_code >= 500:
                raise UnreachableError(f"the tape service answers {answer.status_code}")
            raise refusal(answer)


def iso_duration(seconds: float) -> str:
    """Return a duration as ISO 8601 writes it, to the second: ``P2DT3H``."""
    minutes, second = divmod(math.ceil(seconds), 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    days = f"{day}D" if day else ""
    of_day = [(hour, "H"), (minute, "M"), (second, "S")]
    clock = "".join(f"{number}{unit}" for number, unit in of_day if number)
    return f"P{days}T{clock}" if clock else f"P{days or 'T0S'}"


def _file(one: Mapping[str, Any]) -> FileRecall:
    """Return a file of a status; it has `onDisk` or `state`, never both."""
    position, expected_s = one.get("position"), one.get("expectedSeconds")
    state = _DONE if one.get("onDisk") is True else _STATES.get(one.get("state", ""), _WAITING)
    return FileRecall(
        path=str(_member(one, "path")),
        state="failed" if one.get("error") and state != "cancelled" else state,
        message=str(one.get("error") or ""),
        position=position if isinstance(position, int) else None,
        expected_s=float(expected_s) if isinstance(expected_s, int | float) else None,
        done_bytes=one.get("bytesDone"),
        size_bytes=one.get("sizeBytes"),
    )


def _document(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise UnreachableError(f"{answer.url} is no tape service") from error


def _member(document: Any, name: str) -> Any:
    if not isinstance(document, dict) or name not in document:
        raise UnreachableError(f"the tape service answers without {name}")
    return document[name]


def _instant(value: Any) -> datetime | None:
    """Return an instant: seconds since 1970, milliseconds as some sites write, or RFC 3339."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000 if value > _LAST_SECONDS else value, UTC)
        return datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
