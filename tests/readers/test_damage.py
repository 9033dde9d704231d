"""Whatever happens to the bytes of a product, it is read or refused in one sentence."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peps_wps.errors import SafeError
from peps_wps.readers.sentinel1_grd import read_grd
from tests.readers.safe_builder import SafeRecipe, write_folder, zip_folder

# What PyWPS lets through of a message.
ALLOWED = re.compile(r"[A-Za-z0-9 .:!?=,;_/-]{0,300}")

PLACE = st.floats(0, 1, exclude_max=True)
DAMAGE = st.lists(
    st.tuples(PLACE, st.binary(min_size=0, max_size=3), st.integers(0, 40)), max_size=4
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dn = {"VV": np.arange(600, dtype=np.uint16).reshape(20, 30)}
    return write_folder(SafeRecipe(dn=dn), tmp_path_factory.mktemp("damage"))


def damaged(content: bytes, damage: list[tuple[float, bytes, int]]) -> bytes:
    """Replace some bytes at each place by others, not always as many."""
    for place, put, removed in damage:
        start = int(place * len(content))
        content = content[:start] + put + content[start + removed :]
    return content


def refusal(path: Path) -> str:
    """Return what a product is refused with, empty when it is read."""
    try:
        product = read_grd(path)
        for image in product.images.values():
            image.lines.read(0, image.annotation.lines)
    except SafeError as error:
        return str(error)
    return ""


@settings(max_examples=150)
@given(damage=DAMAGE, compression=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
def test_a_damaged_zip_is_read_or_refused(
    small: Path, damage: list[tuple[float, bytes, int]], compression: int
) -> None:
    path = zip_folder(small, small.parent / "product.zip", compression)
    path.write_bytes(damaged(path.read_bytes(), damage))
    assert ALLOWED.fullmatch(refusal(path))


@settings(max_examples=150)
@given(damage=DAMAGE, which=st.integers(0, 4))
def test_a_damaged_file_is_read_or_refused(
    small: Path, damage: list[tuple[float, bytes, int]], which: int
) -> None:
    files = sorted(path for path in small.rglob("*") if path.is_file())
    file = files[which]
    whole = file.read_bytes()
    file.write_bytes(damaged(whole, damage))
    try:
        assert ALLOWED.fullmatch(refusal(small))
    finally:
        file.write_bytes(whole)
