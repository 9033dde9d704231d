"""Documents of the tape service: members of the interface, and a few beside them.

Extensions: of a file ``position`` (in the queue, from 1), ``expectedSeconds``, ``bytesDone`` and
``sizeBytes``; a list of one's requests.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from catalog_db.archive.request_views import ListedRequest
from catalog_db.archive.staging import ProductFile
from peps_wps.staging.stage_requests import StagedFile, StageStatus, locality
from peps_wps.staging.states import FileStatus

Json = dict[str, Any]

API = "/tape/api/v1"
_WAITS = ("SUBMITTED", "STARTED")


def discovery(base: str, title: str) -> Json:
    """Return where the interface is; the host is what makes the name of the site its own."""
    return {
        "sitename": f"peps@{urlsplit(base).netloc}",
        "description": f"Products of {title} on tape",
        "endpoints": [{"uri": base + API, "version": "v1", "metadata": {}}],
    }


def progress(status: StageStatus) -> Json:
    """Return how far a request is (section "Progress tracking of one request")."""
    created = _seconds(status.request.created)
    files = [_file(one, created) for one in status.files]
    starts = [one["startedAt"] for one in files if "startedAt" in one]
    document = {
        "id": status.request.id,
        "createdAt": created,
        "startedAt": min(starts, default=created),
        "files": files,
    }
    if not any(one["state"] in _WAITS for one in files):
        document["completedAt"] = max((one["finishedAt"] for one in files), default=created)
    return document


def listing(requests: Iterable[ListedRequest]) -> Json:
    """Return the requests of a user, as far as the archive counts them: an extension."""
    return {"requests": [_listed(one) for one in requests]}


def archive_info(
    paths: Sequence[str], found: Mapping[str, ProductFile], known_backends: Iterable[str]
) -> list[Json]:
    """Return where files are (section "ARCHIVEINFO")."""
    backends = frozenset(known_backends)
    return [_info(path, found.get(path), backends) for path in paths]


def _info(path: str, product: ProductFile | None, backends: frozenset[str]) -> Json:
    if product is None:
        return {"path": path, "error": f"the archive has no file {path}"}
    if product.withdrawn:
        return {"path": path, "error": f"the product {product.title} has been withdrawn"}
    return {"path": path, "locality": locality(product, backends)}


def _file(staged: StagedFile, created: int) -> Json:
    """Return the state of a file; `onDisk` is not said beside it."""
    status = staged.status
    if status is None:
        refused = {"state": "FAILED", "startedAt": created, "finishedAt": created}
        return {"path": staged.path, **refused, "error": staged.error}
    document: Json = {"path": staged.path, "state": _state(status)}
    if status.started is not None:
        document["startedAt"] = _seconds(status.started)
    if document["state"] not in _WAITS:
        document["finishedAt"] = _seconds(status.finished or status.asked) or created
    if document["state"] == "FAILED":
        document["error"] = status.error
    return {**document, **_extension(status)}


def _extension(status: FileStatus) -> Json:
    document: Json = {"bytesDone": status.bytes_done, "sizeBytes": status.size_bytes}
    if status.state == "waiting" and status.position is not None:
        document["position"] = status.position
    if status.state == "waiting" and status.expected_s is not None:
        document["expectedSeconds"] = math.ceil(status.expected_s)
    return document


def _state(status: FileStatus) -> str:
    """Return the state of a file in the words of the interface; what was released was complete."""
    if status.state == "waiting":
        return "SUBMITTED" if status.started is None else "STARTED"
    return {"failed": "FAILED", "cancelled": "CANCELLED"}.get(status.state, "COMPLETED")


def _listed(one: ListedRequest) -> Json:
    done = one.files.get("ready", 0) + one.files.get("released", 0)
    document = {
        "id": one.request.id,
        "createdAt": _seconds(one.request.created),
        "files": sum(one.files.values()),
        "done": done,
        "sizeBytes": one.size_bytes,
    }
    if one.request.released is not None:
        document["completedAt"] = _seconds(one.request.released)
    return document


def _seconds(instant: datetime | None) -> int:
    """Return an instant as the interface has it, 0 for none."""
    return 0 if instant is None else int(instant.timestamp())
