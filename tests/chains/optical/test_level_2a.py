"""Products of level 2A: offsets of their own, images at several resolutions, a classification."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from peps_wps.chains.colour_s2.chain import ColourS2
from peps_wps.chains.extract_s2.chain import ExtractS2
from peps_wps.chains.index_s2.chain import IndexS2
from peps_wps.errors import OrderRefusedError
from simulator.optical.product_xml import Tile, manifest_xml, product_xml, tile_xml
from tests.chains.optical.conftest import SENSING
from tests.chains.optical.simulated_scene import Bench, bench_of

pytestmark = pytest.mark.xdist_group("optical")

SIZE = 240
TILE = Tile.of("31TCJ", 32631, 330_000, 4_840_020, SIZE, SENSING, 0.0)
# Classes of Sen2Cor that hide the ground: shadow, cloud of medium and high probability, cirrus.
HIDING = (3, 8, 9, 10)
WORDS = (
    ("MSIL1C", "MSIL2A"),
    ("S2MSI1C", "S2MSI2A"),
    ("Level-1C<", "Level-2A<"),
    ("RADIO_ADD_OFFSET", "BOA_ADD_OFFSET"),
    ("<QUANTIFICATION_VALUE", "<BOA_QUANTIFICATION_VALUE"),
    ("</QUANTIFICATION_VALUE", "</BOA_QUANTIFICATION_VALUE"),
    ("L1C_T31", "L2A_T31"),
)


def _in_2a(text: str) -> str:
    for old, new in WORDS:
        text = text.replace(old, new)
    return text


def _write(folder: Path, name: str, resolution: int, pixels: np.ndarray) -> np.ndarray:
    path = folder / f"R{resolution}m/{TILE.stem}_{name}_{resolution}m.jp2"
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "JP2OpenJPEG", "count": 1, "dtype": pixels.dtype, "crs": "EPSG:32631"}
    profile |= {"height": len(pixels), "width": len(pixels), "QUALITY": "100", "REVERSIBLE": "YES"}
    transform = Affine(resolution, 0, TILE.left, 0, -resolution, TILE.top)
    with rasterio.open(path, "w", transform=transform, **profile) as dataset:
        dataset.write(pixels[None])
    return pixels


@pytest.fixture(scope="module")
def images() -> dict[str, np.ndarray]:
    """Pixels by name; the B04 of 20 m is not the mean of that of 10 m, to tell them apart."""
    rng = np.random.default_rng(3)
    made = {
        name: rng.integers(1_100, 5_000, (SIZE * 10 // resolution,) * 2, dtype=np.uint16)
        for name, resolution in (("B04_10", 10), ("B08_10", 10), ("B04_20", 20), ("B11_20", 20))
    }
    return made | {"SCL_20": rng.integers(0, 12, (SIZE // 2,) * 2, dtype=np.uint8)}


@pytest.fixture(scope="module")
def level_2a(images, tmp_path_factory) -> Bench:
    folder = tmp_path_factory.mktemp("level-2a")
    product = folder / f"{_in_2a(TILE.title)}.SAFE"
    granule = product / _in_2a(TILE.granule)
    for name, pixels in images.items():
        band, resolution = name.split("_")
        _write(granule / "IMG_DATA", band, int(resolution), pixels)
    (product / "MTD_MSIL2A.xml").write_text(_in_2a(product_xml(TILE)))
    (granule / "MTD_TL.xml").write_text(_in_2a(tile_xml(TILE)))
    (product / "manifest.safe").write_text(manifest_xml(TILE, product))
    return bench_of([product], folder)


def _reflectance(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype(float) - 1_000) / 10_000


def test_it_is_level_2a(level_2a):
    assert level_2a.shelf.products[0].processing_level == "LEVEL2A"
    assert level_2a.scene.radiometry.offsets["B04"] == -1000.0


def test_the_index_is_of_surface_reflectances(level_2a, images):
    done = level_2a.run(IndexS2())
    red, infrared = _reflectance(images["B04_10"]), _reflectance(images["B08_10"])
    np.testing.assert_allclose(done.read()[0], (infrared - red) / (infrared + red), atol=0.51e-4)
    assert done.body["level"] == "L2A"


def test_clouds_and_shadows_are_those_of_the_classification(level_2a, images):
    done = level_2a.run(IndexS2(), mask_clouds="true")
    hidden = np.isin(images["SCL_20"], HIDING).repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(np.isnan(done.read()[0]), hidden)


def test_an_image_of_the_resolution_asked_for_is_read_where_there_is_one(level_2a, images):
    done = level_2a.run(IndexS2(), formula="R * 1", resolution="20")
    np.testing.assert_allclose(done.read()[0], _reflectance(images["B04_20"]), rtol=1e-6)


def test_a_band_of_one_resolution_is_averaged_to_another(level_2a, images):
    done = level_2a.run(IndexS2(), index="NDMI", format="float32")
    half = SIZE // 2
    infrared = _reflectance(images["B08_10"]).reshape(half, 2, half, 2).mean(axis=(1, 3))
    shortwave = _reflectance(images["B11_20"])
    np.testing.assert_allclose(
        done.read()[0], (infrared - shortwave) / (infrared + shortwave), atol=1e-5
    )


def test_bands_are_extracted_from_the_resolution_asked_for(level_2a, images):
    done = level_2a.run(ExtractS2(), bands="B04", resolution="20", values="dn")
    with rasterio.open(done.path("b04.tif")) as dataset:
        np.testing.assert_array_equal(dataset.read(1), images["B04_20"])


@pytest.mark.parametrize(
    ("chain", "inputs"),
    [
        (IndexS2(), {"formula": "B10 - N"}),
        (ColourS2(), {"bands": "B10 B04 B03"}),
        (ExtractS2(), {"bands": "B10"}),
    ],
)
def test_the_band_of_cirrus_is_refused(level_2a, chain, inputs):
    with pytest.raises(OrderRefusedError, match="level 2A has no band B10"):
        level_2a.plan(chain, **inputs)
