"""What is read of a product serves the next tile of an order, as long as the files are the same."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from peps_wps.readers.byte_source import DeflatedBytes
from peps_wps.readers.sentinel1_grd import KEPT_PRODUCTS, read_grd
from tests.readers.safe_builder import SafeRecipe, write_folder, zip_folder


@pytest.fixture
def expanded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the chunks that are inflated from now on."""
    numbers: list[int] = []
    expand = DeflatedBytes._expand

    def counted(self: DeflatedBytes, number: int) -> bytes:
        numbers.append(number)
        return expand(self, number)

    monkeypatch.setattr(DeflatedBytes, "_expand", counted)
    return numbers


def test_a_deflated_image_is_inflated_once_for_several_tiles(
    recipe: SafeRecipe, tmp_path: Path, expanded: list[int]
) -> None:
    root = write_folder(recipe, tmp_path)
    path = zip_folder(root, tmp_path / "p.zip", zipfile.ZIP_DEFLATED)
    first = read_grd(path).images["VV"].lines.read(690, 700)
    assert 0 in expanded
    expanded.clear()
    # Another tile of the order, of another task.
    again = read_grd(path).images["VV"].lines.read(690, 700)
    assert 0 not in expanded
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("form", ["folder", "stored", "deflated"])
def test_a_product_that_is_replaced_is_read_anew(
    recipe: SafeRecipe, tmp_path: Path, form: str
) -> None:
    other = replace(recipe, dn={name: dn[::-1].copy() for name, dn in recipe.dn.items()})
    paths = []
    for name, content in (("before", recipe), ("after", other)):
        (tmp_path / name).mkdir()
        root = write_folder(content, tmp_path / name)
        if form != "folder":
            method = zipfile.ZIP_STORED if form == "stored" else zipfile.ZIP_DEFLATED
            root = zip_folder(root, tmp_path / name / "p.zip", method)
        paths.append(root)
    place = tmp_path / paths[0].name
    for path, content in zip(paths, (recipe, other), strict=True):
        if place.exists():
            place.rename(tmp_path / "old")
        path.rename(place)
        found = read_grd(place).images["VV"].lines.read(3, 9)
        np.testing.assert_array_equal(found, content.dn["VV"][3:9])


def test_products_are_closed_when_others_come(recipe: SafeRecipe, tmp_path: Path) -> None:
    small = replace(recipe, dn={name: dn[:9, :50] for name, dn in recipe.dn.items()})
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(KEPT_PRODUCTS + 3):
        (tmp_path / str(number)).mkdir()
        product = read_grd(write_folder(small, tmp_path / str(number)))
        for image in product.images.values():
            image.lines.read(0, 2)
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= KEPT_PRODUCTS * len(small.dn)
