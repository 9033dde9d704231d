"""A product is taken only whole: each way to damage one is refused by the name of the file."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from peps_wps.errors import SafeError
from peps_wps.readers.integrity import check_readable, check_stated_files
from peps_wps.readers.safe import Safe
from tests.readers.safe_builder import SafeRecipe, state_files, stem, write_folder, zip_folder

RECIPE = SafeRecipe(dn={"VV": np.arange(60, dtype=np.uint16).reshape(6, 10)})
STEM = stem(RECIPE, "VV")


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    return write_folder(RECIPE, tmp_path)


def zipped(safe: Path, compression: int) -> Path:
    return zip_folder(safe, safe.with_suffix(".zip"), compression)


FORMS = {
    "folder": lambda safe: safe,
    "stored": lambda safe: zipped(safe, zipfile.ZIP_STORED),
    "deflated": lambda safe: zipped(safe, zipfile.ZIP_DEFLATED),
}
form = pytest.mark.parametrize("form", FORMS)


def check_integrity(path: Path) -> None:
    safe = Safe.open(path)
    check_stated_files(safe)
    check_readable(safe)


@form
def test_a_whole_product_is_taken(safe: Path, form: str) -> None:
    check_integrity(FORMS[form](safe))


@form
@pytest.mark.parametrize(
    "name",
    [
        f"measurement/{STEM}.tiff",
        f"annotation/{STEM}.xml",
        f"annotation/calibration/noise-{STEM}.xml",
    ],
)
def test_one_bit_of_any_file_is_missed(safe: Path, form: str, name: str) -> None:
    content = bytearray((safe / name).read_bytes())
    content[len(content) // 2] ^= 1
    (safe / name).write_bytes(content)

    with pytest.raises(SafeError, match=f"{name} of .* is damaged: checksum"):
        check_integrity(FORMS[form](safe))


@form
def test_a_truncated_file_is_named_with_its_size(safe: Path, form: str) -> None:
    path = safe / "measurement" / f"{STEM}.tiff"
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(SafeError, match=f"has {whole - 1} bytes, its manifest states {whole}"):
        check_integrity(FORMS[form](safe))


@form
def test_a_missing_file_is_named(safe: Path, form: str) -> None:
    (safe / "measurement" / f"{STEM}.tiff").unlink()

    with pytest.raises(SafeError, match=f"lacks measurement/{STEM}.tiff"):
        check_integrity(FORMS[form](safe))


def test_a_stripped_preview_is_no_loss(safe: Path) -> None:
    manifest = (safe / "manifest.safe").read_text()
    (safe / "preview").mkdir(exist_ok=True)
    (safe / "preview" / "quick-look.png").write_bytes(b"picture")
    state_files(safe)
    assert "preview/quick-look.png" in (safe / "manifest.safe").read_text() != manifest
    (safe / "preview" / "quick-look.png").unlink()

    check_integrity(safe)


def test_an_annotation_that_says_nothing_is_refused_though_its_checksum_holds(safe: Path) -> None:
    (safe / "annotation" / f"{STEM}.xml").write_text("<product/>")
    state_files(safe)

    with pytest.raises(SafeError, match="has no"):
        check_integrity(safe)


def test_a_manifest_without_files_is_refused(safe: Path) -> None:
    text = (safe / "manifest.safe").read_text()
    (safe / "manifest.safe").write_text(text.replace("dataObject>", "other>"))

    with pytest.raises(SafeError, match="states no files"):
        check_integrity(safe)


def test_the_short_names_of_the_open_data_on_aws_are_the_same_files(safe: Path) -> None:
    for path in list(safe.rglob(f"*{STEM}*")):
        path.rename(path.with_name(path.name.replace(STEM, "iw-vv")))
    check_integrity(safe)
    shutil.copy(
        safe / "annotation" / "iw-vv.xml", safe / "annotation" / "calibration" / "noise-iw-vv.xml"
    )

    with pytest.raises(SafeError, match=r"annotation/calibration/noise-iw-vv\.xml"):
        check_integrity(safe)


def test_real_manifests_hold_for_the_files_that_came_with_them(reference_data: Path) -> None:
    paths = sorted((reference_data / "s1" / "safe").glob("*.zip"))
    # They came without measurements. What the manifest states before them passes its checksum.
    assert paths
    for path in paths:
        with pytest.raises(SafeError, match=r"lacks \S+, which its manifest states"):
            check_integrity(path)
