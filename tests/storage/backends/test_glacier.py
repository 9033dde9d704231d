"""Objects that must be restored: what S3 says of them, and what it does that moto does not."""

import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from storage.backends.glacier import CopyState, GlacierVault, ObjectFacts, Terms
from storage.backends.patience import Patience
from storage.backends.s3 import S3Bucket
from storage.errors import MediaError, NotHeldError, TapeError, TapeUnavailableError
from storage.model import ArchiveFile, StageState

KEY = "S1/P1.zip"
CONTENT = b"0123456789"
FILE = ArchiveFile(KEY, 10, "sha256", "00", "glacier")
HASTY = Patience(poll_s=0.0, longest_pause_s=0.0, away_s=0.05)


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = boto3.client("s3", region_name="us-east-1")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    client.close()


@pytest.fixture
def bucket(s3):
    return S3Bucket(s3.client, "cold")


@pytest.fixture
def vault(bucket, tmp_path):
    terms = Terms(tier="Bulk", days=3)
    return GlacierVault(bucket, scratch=tmp_path, batches=1, terms=terms, patience=HASTY)


def heads(s3, **members):
    s3.add_response("head_object", members, {"Bucket": "cold", "Key": KEY})


def refuses(s3, operation, code, status):
    s3.add_client_error(operation, code, http_status_code=status)


def restores(s3):
    request = {"Days": 3, "GlacierJobParameters": {"Tier": "Bulk"}}
    expected = {"Bucket": "cold", "Key": KEY, "RestoreRequest": request}
    s3.add_response("restore_object", {}, expected)


def gives(s3, content, length=None, **asked):
    body = StreamingBody(io.BytesIO(content), len(content) if length is None else length)
    expected = {"Bucket": "cold", "Key": KEY, **asked}
    s3.add_response("get_object", {"Body": body, "ETag": '"1"'}, expected)


def restored_until(**delta):
    expiry = format_datetime(datetime.now(UTC) + timedelta(**delta), usegmt=True)
    return f'ongoing-request="false", expiry-date="{expiry}"'


ONGOING = 'ongoing-request="true"'


@pytest.mark.parametrize(
    ("head", "state"),
    [
        ({}, CopyState.READABLE),
        ({"StorageClass": "STANDARD_IA"}, CopyState.READABLE),
        ({"StorageClass": "GLACIER_IR"}, CopyState.READABLE),
        ({"StorageClass": "GLACIER"}, CopyState.ARCHIVED),
        ({"StorageClass": "DEEP_ARCHIVE"}, CopyState.ARCHIVED),
        (
            {"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"},
            CopyState.ARCHIVED,
        ),
        ({"StorageClass": "GLACIER", "Restore": ONGOING}, CopyState.RESTORING),
        ({"StorageClass": "GLACIER", "Restore": restored_until(days=1)}, CopyState.READABLE),
        ({"StorageClass": "GLACIER", "Restore": restored_until(seconds=-1)}, CopyState.ARCHIVED),
    ],
    ids=["no class", "ia", "ir", "glacier", "deep", "tiered", "ongoing", "restored", "expired"],
)
def test_the_head_of_an_object_tells_whether_it_can_be_read(s3, bucket, head, state):
    heads(s3, **head, Metadata={"peps-sha256": "ab"})
    assert bucket.look(KEY) == ObjectFacts(state, "ab")


def test_a_missing_object_is_none(s3, bucket):
    refuses(s3, "head_object", "404", 404)
    assert bucket.look(KEY) is None


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDenied", 403, TapeUnavailableError),
        ("ExpiredToken", 401, TapeUnavailableError),
        ("NoSuchBucket", 404, TapeUnavailableError),
        ("SlowDown", 503, TapeUnavailableError),
        ("InternalError", 500, TapeUnavailableError),
        ("NoSuchKey", 404, NotHeldError),
        ("InvalidObjectState", 403, MediaError),
        ("PreconditionFailed", 412, TapeError),
        ("InvalidRange", 416, TapeError),
    ],
)
def test_a_refusal_tells_whose_fault_it_is(s3, bucket, code, status, kind):
    refuses(s3, "get_object", code, status)
    with pytest.raises(TapeError) as caught:
        bucket.read(KEY, 0, "")
    assert type(caught.value) is kind


def test_a_service_that_is_not_there_is_nobodys_fault(s3, bucket, monkeypatch):
    def fails(**arguments):
        raise EndpointConnectionError(endpoint_url="http://x")

    monkeypatch.setattr(s3.client, "head_object", fails)
    with pytest.raises(TapeUnavailableError, match="EndpointConnectionError"):
        bucket.look(KEY)


@pytest.mark.parametrize(
    ("code", "status", "state"),
    [
        ("RestoreAlreadyInProgress", 409, CopyState.RESTORING),
        ("InvalidObjectState", 403, CopyState.READABLE),
    ],
)
def test_a_restore_that_another_asked_for_or_that_none_needs_is_none_of_ours(
    s3, bucket, code, status, state
):
    refuses(s3, "restore_object", code, status)
    assert bucket.restore(KEY, "Bulk", 3) is state


def states(vault, handle):
    return [status.state for status in vault.poll(handle).values()]


def test_an_object_is_asked_for_once_and_looked_at_until_it_is_there(s3, vault):
    handle = vault.submit("slot-1", [FILE])
    heads(s3, StorageClass="DEEP_ARCHIVE")
    restores(s3)
    assert states(vault, handle) == [StageState.READING]
    heads(s3, StorageClass="DEEP_ARCHIVE", Restore=ONGOING)
    assert states(vault, handle) == [StageState.READING]
    heads(s3, StorageClass="DEEP_ARCHIVE", Restore=restored_until(days=3))
    assert states(vault, handle) == [StageState.STAGED]
    assert states(vault, handle) == [StageState.STAGED]  # nothing is asked any more
    gives(s3, CONTENT)
    assert fetched(vault, handle) == CONTENT
    vault.release(handle)


def fetched(vault, handle):
    chunks = []
    vault.fetch(handle, FILE, lambda chunk: chunks.append(bytes(chunk)))
    return b"".join(chunks)


def staged(s3, vault):
    handle = vault.submit("slot-1", [FILE])
    heads(s3)
    assert states(vault, handle) == [StageState.STAGED]
    return handle


def test_a_copy_that_expired_in_between_is_restored_again(s3, vault):
    handle = staged(s3, vault)
    refuses(s3, "get_object", "InvalidObjectState", 403)
    with pytest.raises(TapeUnavailableError, match="expired: it is restored again"):
        fetched(vault, handle)
    vault.release(handle)
    handle = vault.submit("slot-1", [FILE])
    heads(s3, StorageClass="GLACIER", Restore=restored_until(seconds=-5))
    restores(s3)
    assert states(vault, handle) == [StageState.READING]
    vault.release(handle)


def test_a_torn_transfer_goes_on_with_the_same_version(s3, vault, monkeypatch):
    monkeypatch.setattr("storage.backends.resuming._PAUSE_S", 0.0)
    monkeypatch.setattr("storage.backends.s3._CHUNK_BYTES", 4)
    handle = staged(s3, vault)
    gives(s3, CONTENT[:4], length=10)
    gives(s3, CONTENT[4:], Range="bytes=4-", IfMatch='"1"')
    assert fetched(vault, handle) == CONTENT
    vault.release(handle)


def test_expedited_capacity_that_is_lacking_is_waited_for_a_while(s3, vault):
    handle = vault.submit("slot-1", [FILE])
    heads(s3, StorageClass="GLACIER")
    refuses(s3, "restore_object", "GlacierExpeditedRetrievalNotAvailable", 503)
    assert states(vault, handle) == [StageState.WAITING]
    heads(s3, StorageClass="GLACIER")
    restores(s3)
    assert states(vault, handle) == [StageState.READING]
    vault.release(handle)


def test_a_service_that_stays_away_is_given_up_after_the_patience(s3, tmp_path, bucket):
    impatient = Patience(poll_s=0.0, longest_pause_s=0.0, away_s=-1.0)
    vault = GlacierVault(bucket, scratch=tmp_path, batches=1, patience=impatient)
    handle = vault.submit("slot-1", [FILE])
    refuses(s3, "head_object", "503", 503)
    with pytest.raises(TapeUnavailableError, match="HTTP 503"):
        vault.poll(handle)
    vault.release(handle)
    assert not vault.drives()[0].is_busy
