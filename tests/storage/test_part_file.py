"""Files appear whole or not at all."""

import fcntl
import hashlib
import io
import random

import pytest

from storage.errors import CorruptFileError
from storage.part_file import PartFile, chunks_of, remove_orphans


def test_a_part_is_seen_under_its_name_only_when_published(tmp_path):
    destination = tmp_path / "a" / "b" / "file"
    with PartFile(tmp_path, "1-1") as part:
        part.write(b"some ")
        part.write(b"bytes")
        assert not destination.exists()
        part.verify(10, hashlib.sha256(b"some bytes").hexdigest())
        part.publish(destination)
    assert destination.read_bytes() == b"some bytes"
    assert list(tmp_path.glob(".part-*")) == []


@pytest.mark.parametrize(("size", "content"), [(9, b"some bytes"), (10, b"same bytes")])
def test_wrong_bytes_are_never_published(tmp_path, size, content):
    def receive():
        with PartFile(tmp_path, "1-1") as part:
            part.write(b"some bytes")
            part.verify(size, hashlib.sha256(content).hexdigest())
            part.publish(tmp_path / "file")

    with pytest.raises(CorruptFileError, match="expected"):
        receive()
    assert list(tmp_path.iterdir()) == []


def test_bytes_written_in_any_order_are_digested_again(tmp_path):
    with PartFile(tmp_path, "1-1") as part:
        part.stream.write(b"0000")
        part.stream.seek(0)
        part.stream.write(b"12")
        part.redigest()
        assert (part.size_bytes, part.checksum) == (4, hashlib.sha256(b"1200").hexdigest())


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 9_000_000])
def test_the_chunks_of_a_stream_are_its_bytes(size):
    content = random.Random(size).randbytes(size)
    assert b"".join(bytes(chunk) for chunk in chunks_of(io.BytesIO(content))) == content


def test_orphans_are_removed_and_living_parts_are_not(tmp_path):
    orphan = tmp_path / ".part-7-1"
    orphan.write_bytes(b"left behind")
    with PartFile(tmp_path, "8-1") as part:
        assert remove_orphans(tmp_path) == [orphan]
        assert part.path.exists()
        assert not orphan.exists()


def test_a_part_taken_for_an_orphan_while_it_is_opened_is_made_anew(tmp_path, monkeypatch):
    real = fcntl.flock
    seen = []

    def unlinked_before_the_first_lock(stream, operation):
        if not seen:
            seen.append(stream)
            (tmp_path / ".part-1-1").unlink()
        real(stream, operation)

    monkeypatch.setattr(fcntl, "flock", unlinked_before_the_first_lock)
    with PartFile(tmp_path, "1-1") as part:
        part.write(b"bytes")
        part.publish(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"bytes"
