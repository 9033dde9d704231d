"""Product folders as stored zips."""

import io
import os
import subprocess
import sys
import zipfile

import pytest

from storage.folder_zip import zip_folder


@pytest.fixture
def safe(tmp_path, rng):
    folder = tmp_path / "S1A_X.SAFE"
    for name in ("measurement", "annotation/calibration", "empty"):
        (folder / name).mkdir(parents=True)
    (folder / "manifest.safe").write_text("<xml/>")
    (folder / "measurement" / "vv.tiff").write_bytes(rng.bytes(100_000))
    (folder / "annotation" / "calibration" / "é.xml").write_text("<a/>")
    return folder


def zipped(folder):
    stream = io.BytesIO()
    zip_folder(folder, stream)
    return stream.getvalue()


def test_the_first_entry_names_the_product(safe):
    # Download clients take namelist()[0] without its slash for the folder to extract.
    with zipfile.ZipFile(io.BytesIO(zipped(safe))) as archive:
        assert archive.namelist()[0] == "S1A_X.SAFE/"


def test_the_same_folder_gives_the_same_bytes(safe):
    first = zipped(safe)
    os.utime(safe / "manifest.safe", (0, 0))
    (safe / "manifest.safe").chmod(0o600)
    assert zipped(safe) == first


def test_unzipping_gives_the_folder_back(safe, tmp_path):
    path = tmp_path / "p.zip"
    path.write_bytes(zipped(safe))
    # In another process, from the central directory, every CRC checked.
    command = [sys.executable, "-m", "zipfile", "-e", str(path), str(tmp_path / "out")]
    subprocess.run(command, check=True)
    for source in safe.rglob("*"):
        copy = tmp_path / "out" / source.relative_to(safe.parent)
        assert copy.is_dir() if source.is_dir() else copy.read_bytes() == source.read_bytes()


def test_files_lie_in_the_zip_as_they_are(safe):
    # Stored, no trailing descriptor: a reader may map a TIFF of the zip in place.
    content = zipped(safe)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = archive.getinfo("S1A_X.SAFE/measurement/vv.tiff")
    assert entry.flag_bits & 0x08 == 0
    assert (safe / "measurement" / "vv.tiff").read_bytes() in content


def test_a_file_of_more_than_4_gib_is_announced_as_zip64(tmp_path, monkeypatch):
    # The limit is moved instead of writing 4 GiB.
    folder = tmp_path / "BIG.SAFE"
    folder.mkdir()
    (folder / "big").write_bytes(b"x" * 5000)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 4096)
    content = zipped(folder)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.getinfo("BIG.SAFE/big").extract_version >= zipfile.ZIP64_VERSION
        assert archive.read("BIG.SAFE/big") == b"x" * 5000
