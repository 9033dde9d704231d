"""An S3 bucket as boto3 sees it: objects, their restored copies, and what its errors mean.

boto3 is an extra of the package (``peps[glacier]``): nothing else imports this module.

References
----------
Amazon S3 API reference: HeadObject (x-amz-restore, x-amz-archive-status), RestoreObject, GetObject.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from storage.backends.glacier import CopyState, ObjectFacts
from storage.errors import MediaError, NotHeldError, TapeError, TapeUnavailableError

_CHUNK_BYTES = 1 << 20
_CHECKSUM = "peps-sha256"  # metadata of objects that we wrote
_TIMEOUT_S = 5.0  # a lease is renewed between two requests
_ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")
_MISSING = ("404", "NoSuchKey", "NotFound")
_STREAM_ERRORS = (
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)


class S3Bucket:
    """The objects of a bucket.

    Parameters
    ----------
    client
        The S3 client of boto3.
    bucket
        Its name.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def look(self, key: str) -> ObjectFacts | None:
        """Return whether an object can be read, None where there is none."""
        try:
            with _translated(key):
                head = self._client.head_object(Bucket=self._bucket, Key=key)
        except NotHeldError:
            return None
        return ObjectFacts(_copy_state(head), head.get("Metadata", {}).get(_CHECKSUM, ""))

    def restore(self, key: str, tier: str, days: int) -> CopyState:
        """Ask for a copy that can be read; return how it is now."""
        request = {"Days": days, "GlacierJobParameters": {"Tier": tier}}
        try:
            self._client.restore_object(Bucket=self._bucket, Key=key, RestoreRequest=request)
        except ClientError as error:
            code = _code(error)
            if code == "InvalidObjectState":  # of a class that needs no restoring
                return CopyState.READABLE
            if code != "RestoreAlreadyInProgress":
                with _translated(key):
                    raise
        except BotoCoreError:
            with _translated(key):
                raise
        return CopyState.RESTORING

    def read(self, key: str, start: int, tag: str) -> tuple[str, Iterator[bytes]]:
        """Return tag and bytes of an object from `start` on, of the version `tag` if that is known.

        Raises
        ------
        MediaError
            When it is not restored (any more).
        TapeError
            When there is another version now.
        """
        ranged = {"Range": f"bytes={start}-"} if start else {}
        condition = {"IfMatch": tag} if tag else {}
        with _translated(key):
            found = self._client.get_object(Bucket=self._bucket, Key=key, **ranged, **condition)
        return found["ETag"], _chunks(key, found["Body"])

    def write(self, key: str, path: Path, checksum: str, storage_class: str) -> None:
        """Write an object from a file, in parts if it is large."""
        extra = {"StorageClass": storage_class, "Metadata": {_CHECKSUM: checksum}}
        with _translated(key):
            self._client.upload_file(str(path), self._bucket, key, ExtraArgs=extra)


def open_bucket(
    bucket: str, *, region: str = "", endpoint_url: str = "", profile: str = ""
) -> S3Bucket:
    """Return a bucket with the credentials that boto3 finds; nothing is asked of it yet."""
    session = boto3.Session(profile_name=profile or None, region_name=region or None)
    settings = Config(
        connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"total_max_attempts": 1}
    )
    client = session.client("s3", endpoint_url=endpoint_url or None, config=settings)
    return S3Bucket(client, bucket)


def _copy_state(head: dict[str, Any]) -> CopyState:
    """Return whether an object can be read, from what HeadObject says."""
    if head.get("StorageClass") not in _ARCHIVED and not head.get("ArchiveStatus"):
        return CopyState.READABLE
    said = head.get("Restore", "")
    if 'ongoing-request="true"' in said:
        return CopyState.RESTORING
    expiry = re.search(r'expiry-date="([^"]+)"', said)
    if expiry is None:
        return CopyState.ARCHIVED
    is_there = parsedate_to_datetime(expiry[1]) > datetime.now(UTC)
    return CopyState.READABLE if is_there else CopyState.ARCHIVED


def _chunks(key: str, body: Any) -> Iterator[bytes]:
    """Yield the bytes of an object; what breaks off in between is nobody's fault."""
    try:
        yield from body.iter_chunks(_CHUNK_BYTES)
    except _STREAM_ERRORS as error:
        raise TapeUnavailableError(f"{key} broke off ({type(error).__name__})") from error
    finally:
        body.close()


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """Say whose fault an error of boto3 is."""
    try:
        yield
    except ClientError as error:
        raise _refusal(key, error) from error
    except BotoCoreError as error:
        raise TapeUnavailableError(
            f"the bucket does not answer ({type(error).__name__})"
        ) from error


def _refusal(key: str, error: ClientError) -> TapeError:
    """Return what an answer that is no success means."""
    code = _code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _MISSING:
        return NotHeldError(f"the bucket has no object {key}")
    if code == "InvalidObjectState":
        return MediaError(f"{key} is not restored")
    if code in ("412", "PreconditionFailed"):
        return TapeError(f"{key} changed while it came")
    if status in (401, 403, 429) or status >= 500 or code == "NoSuchBucket":
        return TapeUnavailableError(f"the bucket refuses: {code} (HTTP {status})")
    return TapeError(f"the bucket refuses {key}: {code} (HTTP {status})")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "no reason given"))
