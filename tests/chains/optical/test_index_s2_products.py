"""S2_NDVI of products that are not as the simulator writes them: old, cut, zipped, damaged."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from peps_wps.chains.index_s2.chain import IndexS2
from peps_wps.errors import SafeError
from tests.chains.optical.simulated_scene import bench_of

pytestmark = pytest.mark.xdist_group("optical")

CHAIN = IndexS2()
HALF_A_STEP = 0.51e-4


@pytest.fixture
def copied(bench, tmp_path):
    """A copy of the product to change before it is read."""
    (source,) = bench.shelf.paths.values()
    return Path(shutil.copytree(source, tmp_path / source.name))


def _image(product: Path, name: str) -> Path:
    (found,) = product.glob(f"GRANULE/*/IMG_DATA/*_{name}.jp2")
    return found


def _read(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def _rewrite(path: Path, numbers: np.ndarray) -> None:
    with rasterio.open(path) as dataset:
        profile = {key: dataset.profile[key] for key in ("crs", "transform", "width", "height")}
    profile |= {"driver": "JP2OpenJPEG", "dtype": "uint16", "count": 1}
    with rasterio.open(path, "w", QUALITY="100", REVERSIBLE="YES", **profile) as dataset:
        dataset.write(numbers[None])


def _index(red: np.ndarray, near_infrared: np.ndarray, offset: float) -> np.ndarray:
    red, near_infrared = red + offset, near_infrared + offset
    return (near_infrared - red) / (near_infrared + red)


def test_before_baseline_0400_there_is_no_offset(copied, tmp_path):
    metadata = copied / "MTD_MSIL1C.xml"
    before, _, rest = metadata.read_text().partition("<Radiometric_Offset_List>")
    metadata.write_text(before + rest.partition("</Radiometric_Offset_List>")[2])
    done = bench_of([copied], tmp_path).run(CHAIN)
    red, infrared = (_read(_image(copied, name)).astype(float) for name in ("B04", "B08"))
    np.testing.assert_allclose(done.read()[0], _index(red, infrared, 0.0), atol=HALF_A_STEP)


def test_no_data_and_saturated_pixels_are_left_out(copied, tmp_path):
    red = _read(_image(copied, "B04"))
    red[:100, :37], red[200:210, 300:340] = 0, 65_535
    _rewrite(_image(copied, "B04"), red)
    done = bench_of([copied], tmp_path).run(CHAIN)
    missing = (red == 0) | (red == 65_535)
    np.testing.assert_array_equal(np.isnan(done.read()[0]), missing)
    told = done.body["statistics"]
    assert told["no_data_percent"] == pytest.approx(100 * missing.mean(), abs=1e-3)


def test_a_zip_gives_the_same(bench, copied, tmp_path):
    packed = shutil.make_archive(str(tmp_path / copied.stem), "zip", tmp_path, copied.name)
    done = bench_of([Path(packed)], tmp_path).run(CHAIN)
    np.testing.assert_array_equal(done.read(), bench.run(CHAIN).read())


def test_a_damaged_image_fails(copied, tmp_path):
    image = _image(copied, "B08")
    content = bytearray(image.read_bytes())
    middle = len(content) // 2
    content[middle:] = b""
    image.write_bytes(content)
    with pytest.raises(SafeError, match=r"_B08.jp2 .* damaged"):
        bench_of([copied], tmp_path).run(CHAIN)


def test_a_missing_band_fails(copied, tmp_path):
    _image(copied, "B08").unlink()
    with pytest.raises(SafeError, match="has no B08"):
        bench_of([copied], tmp_path).run(CHAIN)


def test_an_image_of_another_size_fails(copied, tmp_path):
    shutil.copyfile(_image(copied, "B11"), _image(copied, "B08"))
    with pytest.raises(SafeError, match="300 rows of 300 pixels, 600 rows of 600"):
        bench_of([copied], tmp_path).run(CHAIN)
