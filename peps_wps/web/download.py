"""Product download as PEPS's clients know it: the file, or 202 while it comes from tape.

A file stays in the pool while it is sent: its open descriptor says so (`storage.pool.Pool.open`).
"""

import base64
import math
from functools import partial

from werkzeug import Request, Response
from werkzeug.routing import Rule

from catalog_db.archive.staging import ProductFile
from catalog_db.catalogue import succession
from catalog_db.errors import UnknownProductError
from peps_wps.access import Caller
from peps_wps.access.quotas import subject_of
from peps_wps.file_response import FileFacts, file_response
from peps_wps.services import Services
from peps_wps.staging.stage_requests import StageRequests
from peps_wps.web.errors import error_response
from peps_wps.web.problem import ProblemError
from storage.errors import ProductOnTapeError

_RETRY_REASON = "202 You should retry the request"
_UNKNOWN_WAIT_S = 60


def rules() -> list[Rule]:
    """Return the routes: clients of PEPS write the path with and without the last slash."""
    path = "/resto/collections/<collection>/<uid>/download"
    known_by_uid = [
        Rule(ending, endpoint=download, methods=["GET", "HEAD"], strict_slashes=True)
        for ending in (path, f"{path}/")
    ]
    door = Rule("/archive/<path:path>", endpoint=download_at, methods=["GET", "HEAD"])
    return [*known_by_uid, door]


def download(request: Request, services: Services, collection: str, uid: str) -> Response:
    """Answer with the product's file, or have it recalled and ask to come back.

    Parameters
    ----------
    request
        GET or HEAD; a HEAD starts no recall. `issuerId` and other parameters mean nothing here.
    services
        Configuration, catalogue, archive.
    collection, uid
        The product.

    Raises
    ------
    UnauthorizedError
        When it must be known who asks, and is not.
    QuotaError
        When the caller has as much as one may have.
    UnknownProductError, LostFileError, ProductWithdrawnError
        When there is nothing to serve.
    """
    caller = services.access.caller(request)
    services.access.check_download(caller)
    product = services.archive.find(uid)
    if product.collection != collection:
        raise UnknownProductError(uid)
    if product.withdrawn and (successor := _successor(services, uid)) is not None:
        return error_response(404, f"Feature has been moved, new feature id is : {successor}")
    try:
        return _serve(request, services, product, caller)
    except ProductOnTapeError:
        return _stage(request, services, uid, caller.name)


def download_at(request: Request, services: Services, path: str) -> Response:
    """Answer with a file by its path in the archive: the door of the tape service's clients.

    Nothing is recalled here, and nothing but the file is an answer of success: who copies files
    without looking would keep anything else.

    Raises
    ------
    UnauthorizedError
        When it must be known who asks, and is not.
    QuotaError
        When the caller has as much as one may have.
    ProblemError
        409 when the file is on tape, 404 when there is none.
    LostFileError, ProductWithdrawnError
        When there is nothing to serve.
    """
    caller = services.access.caller(request)
    services.access.check_download(caller)
    product = StageRequests(services.archive, services.engine).find([path]).get(path)
    if product is None or product.file.path != path:
        raise ProblemError(404, "the archive has no file of this path")
    try:
        return _serve(request, services, product, caller)
    except ProductOnTapeError as error:
        raise ProblemError(409, f"{path} is on tape: it must be staged first") from error


def _successor(services: Services, uid: str) -> str | None:
    """Return the product in whose place one was withdrawn, if there is one."""
    with services.engine.connect() as connection:
        return succession.successor_of(connection, uid)


def _serve(request: Request, services: Services, product: ProductFile, caller: Caller) -> Response:
    """Answer with a file that is in the pool, if its user may have it now."""
    file = product.file
    stream = services.archive.open(product)
    facts = FileFacts(
        size_bytes=file.size_bytes,
        etag=file.checksum,
        modified=product.created,
        content_type="application/zip",
        filename=f"{product.title}.zip",
    )
    subject = subject_of(caller, request, services.config.server.proxies)
    admission = partial(services.downloads.admit, subject, caller.name, product)
    response = file_response(request, stream, facts, admission)
    digest = base64.b64encode(bytes.fromhex(file.checksum)).decode("ascii")
    response.headers["Repr-Digest"] = f"sha-256=:{digest}:"  # RFC 9530
    return response


def _stage(request: Request, services: Services, uid: str, user: str) -> Response:
    """Have the file recalled; say when to come back, or why it will not come."""
    if request.method == "HEAD":
        return _retry_later(None)
    archive = services.archive
    pin_lifetime_s = 3600 * services.config.storage.download_pin_hours
    request_id = archive.request(
        [uid], user=user, purpose=f"download:{uid}", pin_lifetime_s=pin_lifetime_s
    )
    status = archive.status(request_id)
    if status.failed:
        archive.release(request_id)  # the next request tries anew
        answer = error_response(503, status.failed)
        answer.headers["Retry-After"] = str(_UNKNOWN_WAIT_S)
        return answer
    return _retry_later(status.expected_s)


def _retry_later(expected_s: float | None) -> Response:
    """Return 202 without a body: EODAG would store one as the product."""
    wait_s = _UNKNOWN_WAIT_S if expected_s is None else max(1, math.ceil(expected_s))
    response = Response(status=_RETRY_REASON)
    response.headers["Content-Length"] = "0"
    response.headers["Retry-After"] = str(wait_s)
    response.headers["X-regards-retry"] = str(wait_s)
    return response
