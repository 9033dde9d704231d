"""One product to one file: continued where it broke off, verified, and whole or not there."""

import errno
import re
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

from peps_wps.client.errors import (
    BrokenOffError,
    ClientError,
    NoSpaceError,
    NotReadyError,
    RefusedError,
    StoppedError,
    WrongBytesError,
)
from peps_wps.client.part import Part
from peps_wps.client.products import Product
from peps_wps.client.server import Server, refusal

CHUNK_BYTES = 1 << 18

# (bytes so far, bytes in all or None)
Received = Callable[[int, int | None], None]

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def fetch(
    server: Server,
    product: Product,
    destination: Path,
    *,
    received: Received = lambda *_: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Fetch the file of a product; return where it is.

    Parameters
    ----------
    server
        Who has it.
    product
        As its catalogue shows it: size and checksum are verified.
    destination
        Where the file appears when it is whole. What came of it before is taken up again.
    received
        Told how far the transfer is.
    should_stop
        Asked at each piece.

    Raises
    ------
    NotReadyError
        When it comes from tape or a quota is used up: ask again later.
    BrokenOffError
        When the connection or the server failed: try again, the rest only is sent.
    WrongBytesError
        When size or checksum differ; what came is thrown away.
    CredentialsError, RefusedError, GoneError
        When the server refuses.
    StoppedError
        When `should_stop` says so; what came is kept.
    """
    with Part(destination, product.checksum_algorithm) as part:
        try:
            if part.size_bytes == 0 or part.size_bytes != product.size_bytes:
                _receive(server, product, part, received, should_stop)
            part.verify(product.size_bytes, product.checksum)
            part.publish()
        except WrongBytesError:
            part.remove()
            raise
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            missing = (product.size_bytes or part.size_bytes) - part.size_bytes
            raise NoSpaceError(destination.parent, missing, _free_bytes(part)) from error
    return destination


def prompt(server: Server, product: Product) -> None:
    """Ask for a product so that it is recalled where it is on tape; return when it is there.

    Raises
    ------
    NotReadyError, BrokenOffError, CredentialsError, RefusedError, GoneError
        As `fetch` does.
    """
    headers = {"Accept-Encoding": "identity", "Range": "bytes=0-0"}
    with server.ask("GET", product.download_url, headers=headers, stream=True) as answer:
        _refuse(answer)


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds of Retry-After (RFC 9110, section 10.2.3), None where there are none."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())


def _receive(
    server: Server,
    product: Product,
    part: Part,
    received: Received,
    should_stop: Callable[[], bool],
) -> None:
    """Append what is missing of a part, or all of it anew."""
    answer = server.ask("GET", product.download_url, headers=_headers(part, product), stream=True)
    with answer:
        _refuse(answer)
        whole = _start(answer, part)
        if whole is not None and product.size_bytes not in (None, whole):
            raise WrongBytesError(
                f"the server sends {whole} bytes, its catalogue says {product.size_bytes}"
            )
        _check_space(part, whole)
        before = part.size_bytes
        received(before, whole)
        # Else urllib3 throws the last piece away where a connection ends early; the size is
        # verified here.
        answer.raw.enforce_content_length = False
        try:
            for chunk in answer.iter_content(CHUNK_BYTES):
                part.write(chunk)
                received(part.size_bytes, whole)
                if should_stop():
                    part.settle()
                    raise StoppedError(f"stopped after {part.size_bytes} bytes")
                if whole is not None and part.size_bytes > whole:
                    raise WrongBytesError(f"more than the {whole} bytes that were announced came")
        except requests.RequestException as error:
            raise _broken_off(part, before, whole) from error
        if whole is not None and part.size_bytes < whole:
            raise _broken_off(part, before, whole)


def _headers(part: Part, product: Product) -> dict[str, str]:
    """Return the headers that ask for the rest of a part, unless the file is another one now."""
    headers = {"Accept-Encoding": "identity"}
    validator = part.validator
    # Without a validator it is the checksum that tells whether both halves are of one file.
    if part.size_bytes and (validator or product.checksum):
        headers["Range"] = f"bytes={part.size_bytes}-"
        if validator:
            headers["If-Range"] = validator
    return headers


def _refuse(answer: requests.Response) -> None:
    """Raise what an answer means that has no bytes of the file."""
    code = answer.status_code
    wait_s = retry_after_s(answer.headers)
    if code in (200, 206):
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith(("text/html", "application/json")):
            raise RefusedError("200", "", f"{answer.url} answers with {kind}, not with a product")
    elif code == 202:
        raise NotReadyError("on its way from tape", wait_s)
    elif code == 416:
        return
    elif code == 429:
        raise NotReadyError(str(refusal(answer)), wait_s, is_quota=True)
    elif code >= 500:
        raise BrokenOffError(_fault(answer), wait_s=wait_s)
    elif code >= 400:
        raise refusal(answer)
    else:
        raise ClientError(f"{answer.url} answers {code} {answer.reason}")


def _fault(answer: requests.Response) -> str:
    """Return the words of a server that failed."""
    said = refusal(answer)
    return f"the server failed: {said}"


def _start(answer: requests.Response, part: Part) -> int | None:
    """Make the part ready for what an answer sends; return the size of the whole file."""
    if answer.status_code == 416:  # more is there than the file has: it is another one
        part.begin(None)
        raise BrokenOffError("what came before is of another file: once more, from its beginning")
    if answer.status_code == 206:
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != part.size_bytes:
            part.begin(None)
            raise BrokenOffError("the server sent another range than asked for: once more, whole")
        return None if found[2] == "*" else int(found[2])
    part.begin(_validator(answer.headers))
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and "Content-Encoding" not in answer.headers else None


def _validator(headers: Mapping[str, str]) -> str | None:
    """Return what names the state of the file; a weak tag names no bytes (RFC 9110, 8.8.1)."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _check_space(part: Part, whole: int | None) -> None:
    """Refuse to begin what the disk has no room for."""
    free = _free_bytes(part)
    if whole is not None and whole - part.size_bytes > free:
        raise NoSpaceError(part.path.parent, whole - part.size_bytes, free)


def _free_bytes(part: Part) -> int:
    return shutil.disk_usage(part.path.parent).free


def _broken_off(part: Part, before: int, whole: int | None) -> BrokenOffError:
    part.settle()
    of = f" of {whole}" if whole else ""
    return BrokenOffError(
        f"the connection broke off after {part.size_bytes}{of} bytes",
        gained=part.size_bytes - before,
    )
