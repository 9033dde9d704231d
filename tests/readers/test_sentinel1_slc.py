"""Real annotations of bursts say what they should, and products that lack something are told."""

import dataclasses
import re
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio

from algorithms.constants import SPEED_OF_LIGHT
from algorithms.interferometry.model import Burst
from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import SlcProduct, open_slc
from peps_wps.readers.sentinel1_slc_annotation import parse_slc_annotation
from simulator.terrain import Terrain
from simulator.tops.instrument import EW, IW
from simulator.tops.plan import Order, Pass
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import Scene
from tests.readers.safe_builder import zip_folder

EPOCH = datetime(2025, 4, 6, tzinfo=UTC)
TRACK = 108  # of the pair of 2025
FLAT = Scene(Terrain(np.radians(1.5), np.radians(43.5), 200.0, np.empty((0, 4))))

# Of the fifth burst of 2025-04-06, at mid range: k_s, k_a, k_t (Hz/s), span of the Doppler (Hz),
# period (s) to the next, lines that both share, bandwidths (Hz, MHz) and coefficient.
REAL = {
    "IW1": (7596.383, -2242.547, 1731.412, 5346, 2.758556, 160, 327, 56.50, 0.70),
    "IW2": (4680.298, -2107.634, 1453.220, 4520, 2.760612, 170, 313, 48.30, 0.75),
    "IW3": (6674.878, -1979.845, 1526.938, 4765, 2.758557, 176, 314, 42.79, 0.75),
}
# Of images that GDAL writes; a transform so that it does not warn.
GRID = rasterio.Affine(10, 0, 0, 0, -10, 0)
TILES = {
    "tiled": True, "blockxsize": 32, "blockysize": 16, "compress": "deflate", "transform": GRID,
}  # fmt: skip
SIZES = {"IW1": (1502, 22612), "IW2": (1513, 26395), "IW3": (1518, 25384)}


@pytest.fixture(scope="module")
def annotations(reference_data: Path) -> Path:
    return reference_data / "insar" / "s1_annotation_pair"


@pytest.fixture(scope="module")
def real(annotations: Path) -> SlcProduct:
    (path,) = annotations.glob("*20250406*.SAFE")
    return open_slc(Safe.open(path))


@pytest.fixture(scope="module")
def document(annotations: Path) -> str:
    (path,) = annotations.glob("*20250406*.SAFE/annotation/*-iw1-*.xml")
    return path.read_text()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product of two polarisations and two swaths of noise, three bursts each."""
    order = Order(
        FLAT,
        (Pass(),),
        swaths=("IW1", "IW2"),
        bursts=3,
        lines=40,
        samples=60,
        polarizations=("VV", "VH"),
    )
    folder = tmp_path_factory.mktemp("slc")
    (product,) = write_passes(folder, order, Options(is_noise=True, dem=False))
    return product


@pytest.fixture
def product(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may break."""
    return Path(shutil.copytree(made, tmp_path / made.name))


def rates(burst: Burst) -> tuple[float, float, float]:
    """Steering, FM and total Doppler rate at mid range, Hz/s (Miranda 2017, equations 3 to 8)."""
    delay = burst.slant_range_time + 0.5 * (burst.samples - 1) / burst.range_sampling_rate
    nearest = np.argmin(np.abs(burst.orbit.time - burst.mid_time))
    speed = np.linalg.norm(burst.orbit.velocity[nearest])
    steering = 2 * speed / SPEED_OF_LIGHT * burst.radar_frequency * burst.azimuth_steering_rate
    fm_rate = float(burst.fm_rate.at(delay))
    return float(steering), fm_rate, float(fm_rate * steering / (fm_rate - steering))


@pytest.mark.parametrize("name", REAL)
def test_a_real_burst_has_the_rates_of_its_swath(real: SlcProduct, name: str) -> None:
    bursts = real.swaths[name].bursts
    expected = REAL[name]
    burst = bursts[4]
    assert (burst.lines, burst.samples) == SIZES[name]
    # The speed is that of the nearest vector, up to 5 s away: 0.03 m/s of 7590.
    np.testing.assert_allclose(rates(burst), expected[:3], rtol=1e-5)
    span = rates(burst)[2] * burst.lines * burst.azimuth_time_interval
    assert span == pytest.approx(expected[3], abs=1)
    period = bursts[5].azimuth_time - burst.azimuth_time
    assert period == pytest.approx(expected[4], abs=2e-6)
    assert burst.lines - round(period / burst.azimuth_time_interval) == expected[5]
    assert burst.azimuth_window.bandwidth == expected[6]
    assert burst.range_window.bandwidth == pytest.approx(1e6 * expected[7], rel=1e-3)
    assert burst.azimuth_window.hamming == expected[8]


def test_what_real_bursts_share_is_that_of_the_instrument(real: SlcProduct) -> None:
    for burst in real.bursts.values():
        assert burst.azimuth_time_interval == pytest.approx(2.0555563e-3, rel=1e-9)
        assert burst.range_sampling_rate == pytest.approx(64.345238e6, rel=1e-8)
        assert burst.wavelength == pytest.approx(0.05546576, rel=1e-7)
        # Some lines at both ends hold nothing, and each line has an edge on either side.
        assert 10 < burst.valid_lines[0] < 40
        assert burst.lines - 60 < burst.valid_lines[1] < burst.lines
        assert 0 < burst.valid_samples[0] < burst.valid_samples[1] < burst.samples


def test_the_nearest_records_of_doppler_are_taken(real: SlcProduct) -> None:
    for burst in real.bursts.values():
        for record in (burst.fm_rate, burst.doppler_centroid):
            assert abs(record.azimuth_time - burst.mid_time) < 2.77 / 2


def test_both_passes_of_a_real_pair_have_the_same_bursts(annotations: Path) -> None:
    first, second = (open_slc(Safe.open(path)) for path in sorted(annotations.glob("*.SAFE")))
    assert len(first.bursts) == 27
    assert first.bursts.keys() == second.bursts.keys()
    for swath in second.swaths.values():
        for burst in swath.bursts:
            other = first.bursts[swath.name, burst.burst_id]
            # Twelve days later to the time of day, less the drift of the orbit.
            assert burst.azimuth_time == pytest.approx(other.azimuth_time, abs=0.3)


def test_real_products_of_other_years_are_read(reference_data: Path) -> None:
    folder = reference_data / "insar" / "s1_annotation_and_orbits"
    for path in folder.glob("*.zip"):
        product = open_slc(Safe.open(path))
        assert list(product.swaths) == ["IW2"]
        assert len(product.swaths["IW2"].bursts) == 9
        assert rates(product.swaths["IW2"].bursts[4])[2] == pytest.approx(1460, rel=2e-3)


def test_fm_rates_of_old_processors_are_read(document: str) -> None:
    def separate(match: re.Match[str]) -> str:
        return "".join(f"<c{k}>{c}</c{k}>" for k, c in enumerate(match[1].split()))

    old = re.sub(
        r"<azimuthFmRatePolynomial[^>]*>([^<]*)</azimuthFmRatePolynomial>", separate, document
    )
    before, after = (
        parse_slc_annotation(text.encode(), "iw1", EPOCH, TRACK).bursts for text in (document, old)
    )
    assert "<c2>" in old
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.fm_rate.coefficients, other.fm_rate.coefficients)


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        ("<productType>SLC", "<productType>GRD", "GRD image, SLC expected"),
        ("(?s)<burstList.*</burstList>", "", "has 0 bursts"),
        ("<linesPerBurst>1502", "<linesPerBurst>0", "0 lines"),
        ("<linesPerBurst>1502", "<linesPerBurst>9999999", "9999999 lines"),
        ("<linesPerBurst>1502", "<linesPerBurst>1501", "9 bursts of 1501 lines expected"),
        ('<firstValidSample count="1502">', '<firstValidSample count="1502">7 ', "1503 values"),
        (r"(?s)<lastValidSample count=\"1502\">[^<]*", "<lastValidSample>21357", "for 1 lines"),
        (" 21357", " 99999", "lastValidSample outside -1 to 22611"),
        ("(?s)<azimuthFmRateList.*</azimuthFmRateList>", "", "no azimuthFmRate"),
        ("(?s)<dcEstimateList.*</dcEstimateList>", "", "no dcEstimate"),
        ("<dataDcPolynomial[^<]*<", "<dataDcPolynomial><", "0 values in dataDcPolynomial"),
        ("<radarFrequency>", "<radarFrequency>-", "radarFrequency -5405000454.33435, more"),
        ("<slantRangeTime>5", "<slantRangeTime>nan", "no finite number in slantRangeTime"),
        ("<azimuthSteeringRate>[^<]*<", "<azimuthSteeringRate><", "empty azimuthSteeringRate"),
        ("(?s)<swathProcParamsList.*</swathProcParamsList>", "", "no imageAnnotation"),
        ("T02:20:12.207916", "T02:20:09.207916", "not in the order of time"),
        ("<swath>IW1", "<swath>S1", "S1 is not a swath of IW or EW"),
        ("<frame>Earth Fixed", "<frame>Inertial", "Earth Fixed expected"),
        ("</product>", "", "is not"),
    ],
)
def test_a_broken_annotation_is_told(
    document: str, pattern: str, replacement: str, message: str
) -> None:
    broken = re.sub(pattern, replacement, document)
    broken = re.sub(r"<burstId.*?</burstId>", "", broken) if "IW or EW" in message else broken
    assert broken != document
    with pytest.raises(SafeError, match=re.escape(message)):
        parse_slc_annotation(broken.encode(), "iw1.xml", EPOCH, TRACK)


def test_entities_of_a_hostile_annotation_are_not_expanded(document: str) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "SLC"><!ENTITY b "&a;&a;">]>'
    hostile = document.replace("<product>", f"{bomb}<product>").replace(">SLC<", ">&b;<")
    with pytest.raises(SafeError):
        parse_slc_annotation(hostile.encode(), "iw1.xml", EPOCH, TRACK)


def pack(path: Path, folder: Path, compression: int) -> Path:
    return zip_folder(path, folder / f"{path.stem}.zip", compression)


@pytest.mark.parametrize("how", ["folder", "stored", "deflated", "tiled"])
def test_pixels_are_those_that_gdal_reads_however_they_are_packed(
    product: Path, tmp_path: Path, how: str
) -> None:
    (measurement,) = product.glob("measurement/*-iw2-slc-vh-*.tiff")
    with rasterio.open(measurement) as dataset:
        expected = dataset.read(1)
        assert dataset.dtypes == ("complex_int16",)
    path = product
    if how == "tiled":
        with rasterio.open(measurement, "r+") as dataset:
            profile = dataset.profile | TILES
        measurement.unlink()
        with rasterio.open(measurement, "w", **profile) as dataset:
            dataset.write(expected, 1)
    elif how != "folder":
        path = pack(product, tmp_path, getattr(zipfile, f"ZIP_{how.upper()}"))
    swath = open_slc(Safe.open(path), "VH").swaths["IW2"]
    for number, burst in enumerate(swath.bursts):
        part = expected[number * 40 : (number + 1) * 40]
        whole = swath.read(burst.burst_id)
        assert whole.dtype == np.complex64
        np.testing.assert_array_equal(whole, part)
        window = swath.read(burst.burst_id, lines=(3, 17), samples=(11, 30))
        np.testing.assert_array_equal(window, part[3:17, 11:30])


def test_pixels_without_data_are_zero_and_no_others(product: Path) -> None:
    for swath in open_slc(Safe.open(product)).swaths.values():
        for burst in swath.bursts:
            sample = np.arange(burst.samples)
            first, last = burst.first_valid_sample[:, None], burst.last_valid_sample[:, None]
            is_valid = (first >= 0) & (sample >= first) & (sample <= last)
            np.testing.assert_array_equal(swath.read(burst.burst_id) != 0, is_valid)


def test_a_window_beyond_a_burst_is_refused(product: Path) -> None:
    swath = open_slc(Safe.open(product)).swaths["IW1"]
    identifier = swath.bursts[0].burst_id
    with pytest.raises(ValueError, match="lines 30 to 41 asked of a burst of 40 lines"):
        swath.read(identifier, lines=(30, 41))
    with pytest.raises(ValueError, match="samples 5 to 61 asked of lines of 60 samples"):
        swath.read(identifier, samples=(5, 61))


def remove(pattern: str) -> Callable[[Path], None]:
    def damage(product: Path) -> None:
        for path in product.glob(pattern):
            path.unlink()

    return damage


def rename_swath(product: Path) -> None:
    (path,) = product.glob("annotation/*-iw2-slc-vv-*.xml")
    path.write_text(path.read_text().replace("<swath>IW2", "<swath>IW3"))


def write_twice(product: Path) -> None:
    (path,) = product.glob("annotation/*-iw2-slc-vv-*.xml")
    shutil.copy(path, path.with_name(path.name.replace("-005.xml", "-009.xml").replace("s1a", "x")))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove("annotation/*.xml"), "has no annotation file"),
        (remove("annotation/*-vv-*.xml"), "has no polarisation VV: VH found"),
        (remove("annotation/*-iw2-*.xml"), "has no annotation of IW2 VV: IW1 found"),
        (rename_swath, "is of IW3 VV, IW2 VV expected"),
        (write_twice, "has two files annotation/ for IW2 VV"),
    ],
)
def test_a_product_that_lacks_a_part_is_told(
    product: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(product)
    with pytest.raises(SafeError, match=re.escape(message)):
        open_slc(Safe.open(product), swaths=["IW1", "IW2"])


def test_a_missing_burst_is_told_by_its_identifier(product: Path) -> None:
    swath = open_slc(Safe.open(product)).swaths["IW1"]
    first, last = swath.bursts[0].burst_id, swath.bursts[-1].burst_id
    with pytest.raises(SafeError, match=f"no burst 7 in IW1, {first} to {last} found"):
        swath.read(7)


def test_missing_pixels_are_missed_when_they_are_asked_for(product: Path) -> None:
    remove("measurement/*-iw1-*")(product)
    swath = open_slc(Safe.open(product)).swaths["IW1"]
    with pytest.raises(SafeError, match="has no measurement of IW1 VV"):
        swath.read(swath.bursts[0].burst_id)


@pytest.mark.parametrize(
    ("size", "message"), [(40_000 - 10_000, "is truncated"), (5, "not a readable TIFF")]
)
def test_a_truncated_image_is_told(product: Path, size: int, message: str) -> None:
    (path,) = product.glob("measurement/*-iw1-slc-vv-*")
    with path.open("r+b") as file:
        file.truncate(size)
    swath = open_slc(Safe.open(product)).swaths["IW1"]
    with pytest.raises(SafeError, match=message):
        swath.read(swath.bursts[0].burst_id)


def test_an_image_that_is_not_complex_is_refused(product: Path) -> None:
    (path,) = product.glob("measurement/*-iw1-slc-vv-*")
    with rasterio.open(path) as dataset:
        profile = dataset.profile
    path.unlink()
    with rasterio.open(path, "w", **profile | {"dtype": "float32", "transform": GRID}) as dataset:
        dataset.write(np.ones((120, 60), np.float32), 1)
    swath = open_slc(Safe.open(product)).swaths["IW1"]
    with pytest.raises(SafeError, match="does not hold one band of complex 16-bit integers"):
        swath.read(swath.bursts[0].burst_id)


def test_another_kind_of_product_is_refused(product: Path) -> None:
    manifest = product / "manifest.safe"
    manifest.write_text(manifest.read_text().replace("mode>IW<", "mode>SM<"))
    with pytest.raises(SafeError, match="SLC product of mode SM, an SLC of IW or EW expected"):
        open_slc(Safe.open(product))


@pytest.mark.parametrize("kind", ["POEORB", "RESORB"])
def test_an_orbit_file_goes_before_the_annotation_and_is_named(tmp_path: Path, kind: str) -> None:
    flown = Pass(orbit_error=(7.0, -3.0))
    order = Order(FLAT, (flown,), bursts=1, lines=30, samples=40)
    options = Options(is_noise=True, dem=False, orbit_files=kind)  # type: ignore[arg-type]
    (path,) = write_passes(tmp_path, order, options)
    stated = open_slc(Safe.open(path))
    better = open_slc(Safe.open(path), orbit_folder=tmp_path / "orbits")
    assert stated.orbit_source == stated.orbit_kind == "annotation"
    assert better.orbit_kind == {"POEORB": "precise", "RESORB": "restituted"}[kind]
    assert f"_AUX_{kind}_" in better.orbit_source
    (one,), (other,) = stated.bursts.values(), better.bursts.values()
    gap = one.orbit_polynomial.position(one.mid_time) - other.orbit_polynomial.position(
        other.mid_time
    )
    assert np.linalg.norm(gap) == pytest.approx(np.hypot(7.0, 3.0), abs=1e-3)
    # Where no file covers the product its own vectors are taken, and that is said.
    assert open_slc(Safe.open(path), orbit_folder=tmp_path / "none").orbit_kind == "annotation"


@pytest.mark.parametrize("satellite", ["S1A", "S1C", "S1D"])
@pytest.mark.parametrize("mode", [IW, EW], ids=lambda mode: mode.name)
def test_products_of_every_satellite_and_mode_are_read(
    tmp_path: Path, satellite: str, mode: object
) -> None:
    swaths = ("EW4", "EW5") if mode is EW else ("IW3",)
    start = datetime(2026, 1, 4, 6, 5, 4, tzinfo=UTC)
    order = Order(FLAT, (Pass(),), bursts=2, lines=30, samples=40, swaths=swaths, start=start)
    order = dataclasses.replace(order, mode=EW if mode is EW else IW, satellite=satellite)
    (path,) = write_passes(tmp_path, order, Options(is_noise=True, dem=False))
    product = open_slc(Safe.open(path))
    assert product.manifest.platform == satellite
    assert tuple(product.swaths) == swaths
    assert len(product.bursts) == 2 * len(swaths)


def test_the_bistatic_delay_is_corrected_for_the_middle_of_the_mode(annotations: Path) -> None:
    for path in annotations.glob("*.SAFE"):
        product = open_slc(Safe.open(path))
        middle = product.swaths["IW2"].bursts[0]
        delay = middle.slant_range_time + 0.5 * middle.samples / middle.range_sampling_rate
        for burst in product.bursts.values():
            # The middle of the samples is not quite that of the beam: 3 us of two-way time.
            assert burst.bistatic_time == pytest.approx(delay, abs=5e-6)


@pytest.mark.parametrize("is_left", [True, False])
def test_the_bistatic_delay_is_read_from_the_grid(tmp_path: Path, is_left: bool) -> None:
    order = Order(FLAT, (Pass(),), bursts=2, lines=60, samples=900, bistatic=is_left)
    (path,) = write_passes(tmp_path, order, Options(is_noise=True, dem=False))
    for burst in open_slc(Safe.open(path)).bursts.values():
        expected = order.bulk_delay
        # 63 times of the grid are rounded to 1 us: twice their mean error is 0.07 us; 4 sigma.
        assert burst.bistatic_time == (expected and pytest.approx(expected, abs=3e-7))
