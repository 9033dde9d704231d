import hashlib
import json
import re
import zipfile
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from simulator.acquisition import Order
from simulator.annotation import parse_annotation, parse_radiometry
from simulator.geometry import frame_of
from simulator.instrument import EW, IW, SM, Processor
from simulator.real_metadata import processor_of, read_files, write_from_metadata
from simulator.s1_grd import Options, read_metadata, write_pass
from simulator.terrain import ROLLING_HILLS, STEEP_RIDGES, Terrain

TITLE = re.compile(
    r"S1[A-D]_(IW|EW|S4)_GRD[HM]_1S(SV|SH|VH|HV|DV|DH)_\d{8}T\d{6}_\d{8}T\d{6}_\d{6}_"
    r"[0-9A-F]{6}_[0-9A-F]{4}"
)


def order(mode=IW, version="3.31", place=(1.4, 43.6), **options):
    options = {"lines": 260, "samples": 420} | options
    return Order(mode, Processor.of(version), *np.radians(place), **options)


def relief(given, spectrum=ROLLING_HILLS):
    return Terrain.random(spectrum, given.longitude, given.latitude, np.random.default_rng(2))


def cut_to(real, safe, lines):
    """Metadata of a real product that states fewer lines: whole ones take a minute."""
    for name, content in read_files(real).items():
        stated = f"<numberOfLines>{lines}</numberOfLines>".encode()
        (safe / name).parent.mkdir(parents=True, exist_ok=True)
        (safe / name).write_bytes(re.sub(rb"<numberOfLines>\d+</numberOfLines>", stated, content))


def written(folder, given, options=None, spectrum=ROLLING_HILLS):
    return write_pass(folder, given, relief(given, spectrum), options)


def test_names_follow_the_convention_and_the_manifest_lists_every_file(product):
    title = product.path.name.removesuffix(".SAFE")
    assert TITLE.fullmatch(title)
    manifest = (product.path / "manifest.safe").read_text()
    listed = dict(
        re.findall(r'href="\./([^"]+)"/>\s*<checksum checksumName="MD5">([0-9a-f]+)', manifest)
    )
    files = {
        path.relative_to(product.path).as_posix(): hashlib.md5(path.read_bytes()).hexdigest()
        for path in product.path.rglob("*")
        if path.is_file() and path.name != "manifest.safe"
    }
    assert listed == files
    assert len(files) == 9
    ET.fromstring(manifest)


def test_a_measurement_is_a_strip_a_line_with_the_grid_as_tie_points(product):
    annotation, _ = read_metadata(product.path)
    (path,) = (product.path / "measurement").glob("*-vv-*.tiff")
    with rasterio.open(path) as dataset:
        assert dataset.shape == (annotation.lines, annotation.samples)
        assert dataset.dtypes == ("uint16",)
        assert dataset.block_shapes == [(1, annotation.samples)]
        assert dataset.compression is None
        points, crs = dataset.gcps
    assert crs.to_epsg() == 4326
    assert len(points) == annotation.grid.line.size == 210
    np.testing.assert_allclose([p.x for p in points], np.degrees(annotation.grid.longitude))
    np.testing.assert_allclose([p.row for p in points], annotation.grid.line)


def test_the_annotation_reproduces_its_own_grid_by_the_nearest_rule(product):
    annotation, _ = read_metadata(product.path)
    grid = annotation.grid
    frame = frame_of(annotation, range_rule="nearest")
    where = frame.locate(grid.longitude, grid.latitude, grid.height)
    # Azimuth times carry microseconds: 0.5e-6 s is 3e-4 line.
    assert np.abs(where[:, 0] - grid.line).max() < 1e-3
    assert np.abs(where[:, 1] - grid.sample).max() < 1e-6


def test_truth_lies_where_the_annotation_puts_it(product):
    truth = json.loads(product.path.with_name(product.path.stem + ".truth.json").read_text())
    annotation, _ = read_metadata(product.path)
    frame = frame_of(annotation)
    assert truth["targets"]
    assert truth["patches"]
    for target in truth["targets"]:
        longitude, latitude = (np.radians(target[key]) for key in ("longitude", "latitude"))
        where = frame.locate(*(np.array([v]) for v in (longitude, latitude, target["height"])))
        np.testing.assert_allclose(where[0], (target["line"], target["sample"]), atol=1e-6)
        height = product.terrain.height(np.array([longitude]), np.array([latitude]))
        assert target["height"] == pytest.approx(height[0], abs=1e-9)
        for epsg, place in target["utm"].items():
            to_degrees = Transformer.from_crs(int(epsg), 4326, always_xy=True)
            np.testing.assert_allclose(
                to_degrees.transform(*place), (target["longitude"], target["latitude"]), atol=1e-9
            )


@pytest.mark.parametrize(
    ("version", "name", "is_zero", "has_blocks"),
    [
        ("2.36", "noiseVector", True, False),
        ("2.70", "noiseVector", False, False),
        ("3.31", "noiseRangeVector", False, True),
        ("3.40", "noiseRangeVector", False, True),
    ],
)
def test_noise_has_the_format_of_the_processor(tmp_path, version, name, is_zero, has_blocks):
    (path,) = written(tmp_path, order(version=version))
    (noise,) = (path / "annotation" / "calibration").glob("noise-*-vv-*.xml")
    (calibration,) = (path / "annotation" / "calibration").glob("calibration-*-vv-*.xml")
    radiometry = parse_radiometry(calibration.read_bytes(), noise.read_bytes())

    assert f"<{name}>" in noise.read_text()
    assert all((value == 0).all() for value in radiometry.noise.value) == is_zero
    assert bool(radiometry.noise_blocks) == has_blocks
    assert f'version="{Processor.of(version).version}"' in (path / "manifest.safe").read_text()


def test_an_old_processor_has_an_azimuth_offset_degree_four_and_border_noise(tmp_path):
    (path,) = written(tmp_path, order(version="2.36"))
    annotation, _ = read_metadata(path)

    # The grid's microseconds average out over 210 points.
    assert frame_of(annotation).azimuth_offset == pytest.approx(3.5e-4, abs=1e-7)
    assert annotation.ground_range.coefficients.shape[1] == 5
    assert np.diff(annotation.trajectory.time) == pytest.approx(1.0)
    (measurement,) = (path / "measurement").glob("*-vv-*.tiff")
    with rasterio.open(measurement) as dataset:
        first = dataset.read(1, window=((0, 8), (0, 420)))
    assert 0 < first.max() < 30


@pytest.mark.parametrize(
    ("mode", "polarizations", "title"),
    [(EW, ("HH", "HV"), "S1B_EW_GRDM_1SDH"), (SM, ("VV",), "S1B_S4_GRDH_1SSV")],
)
def test_other_modes_and_polarisations(tmp_path, mode, polarizations, title):
    given = order(mode, place=(20.0, 70.0), satellite="S1B", ascending=False)
    (path,) = written(tmp_path, given, Options(polarizations))
    assert path.name.startswith(title)
    images = sorted(path.glob("measurement/*.tiff"))
    assert len(images) == len(polarizations)
    annotation, radiometry = read_metadata(path)
    assert tuple(radiometry) == polarizations
    assert annotation.range_spacing == mode.spacing


def test_frames_of_a_pass_are_contiguous_and_share_their_data_take(tmp_path):
    paths = written(tmp_path, order(frames=2), Options(("VV",)))
    first, second = (read_metadata(path)[0] for path in paths)

    start = (second.first_line_time - first.first_line_time) / first.line_interval
    # First lines are dated to the microsecond.
    assert start == pytest.approx(first.lines, abs=1e-3)
    assert paths[0].name.split("_")[-3:-1] == paths[1].name.split("_")[-3:-1]
    rows = []
    for path, row in zip(paths, (first.lines - 1, 0), strict=True):
        (measurement,) = path.glob("measurement/*.tiff")
        with rasterio.open(measurement) as dataset:
            rows.append(dataset.read(1, window=((row, row + 1), (0, first.samples))))
    for row in rows:  # no ragged edge on the seam
        assert (row[0, 60:-60] > 0).all()


@pytest.mark.parametrize("packing", ["stored", "deflated"])
def test_an_archive_holds_the_safe_folder(tmp_path, packing):
    (path,) = written(tmp_path, order(), Options(packing=packing))
    title = path.name.removesuffix(".zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        kinds = {archive.getinfo(name).compress_type for name in names if name[-1] != "/"}
    assert names[0] == f"{title}.SAFE/"
    assert f"{title}.SAFE/manifest.safe" in names
    assert kinds == {zipfile.ZIP_STORED if packing == "stored" else zipfile.ZIP_DEFLATED}
    assert not (tmp_path / f"{title}.SAFE").exists()


def test_a_degraded_orbit_comes_with_a_good_orbit_file(tmp_path):
    given, shift = order(), (30.0, 20.0)
    (good,) = written(tmp_path / "good", given)
    (bad,) = written(tmp_path / "bad", given, Options(degrade_orbit_m=shift))
    (orbit_file,) = (tmp_path / "bad" / "orbits").glob("S1A_OPER_AUX_POEORB_*.EOF")
    true, degraded = (read_metadata(path)[0] for path in (good, bad))

    away = np.linalg.norm(degraded.trajectory.position - true.trajectory.position, axis=1)
    np.testing.assert_allclose(away, np.hypot(*shift), rtol=1e-5)
    vectors = ET.parse(orbit_file).findall(".//OSV")
    position = np.array([[float(v.findtext(axis)) for axis in "XYZ"] for v in vectors])
    times = [datetime.fromisoformat(v.findtext("UTC").removeprefix("UTC=")) for v in vectors]
    seconds = [(time.replace(tzinfo=UTC) - true.epoch).total_seconds() for time in times]
    inside = (seconds > true.trajectory.time[0]) & (seconds < true.trajectory.time[-1])
    assert inside.sum() >= 13
    expected = true.trajectory.position_at(np.array(seconds)[inside])
    np.testing.assert_allclose(position[inside], expected, atol=1e-3)
    numbers = []
    for path in (good, bad):
        with rasterio.open(next(path.glob("measurement/*-vv-*"))) as dataset:
            numbers.append(dataset.read(1).astype(int))
    # The pixels are those of the true orbit; the calibration follows the vectors stated.
    assert np.abs(numbers[0] - numbers[1]).max() <= 1


def test_steep_relief_comes_with_masks_of_layover_and_shadow(tmp_path):
    given = order(lines=40, samples=300, range_position=0.0)
    (path,) = written(tmp_path, given, Options(ray_cast=True), STEEP_RIDGES)
    title = path.name.removesuffix(".SAFE")
    with np.load(tmp_path / f"{title}.masks.npz") as masks:
        assert masks["layover"].shape == masks["shadow"].shape == (40, 300)
    truth = json.loads((tmp_path / f"{title}.truth.json").read_text())
    assert truth["targets"] == []
    assert truth["uniform_gamma0"] == [0.12, 0.025]


def test_real_metadata_are_kept_byte_for_byte(tmp_path, reference_data):
    (real,) = (reference_data / "s1" / "safe").glob("S1C_S4_*.zip")
    title = real.name.removesuffix(".zip")
    source = tmp_path / "source" / f"{title}.SAFE"
    cut_to(real, source, 200)

    path = write_from_metadata(tmp_path / "filled", source)

    assert path.name == source.name
    before, after = read_files(source), read_files(path)
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"manifest.safe"}
    manifest = after["manifest.safe"].decode()
    measurements = sorted((path / "measurement").iterdir())
    assert [image.name[-8:] for image in measurements] == ["001.tiff", "002.tiff"]
    for image in measurements:
        assert hashlib.md5(image.read_bytes()).hexdigest() in manifest
        assert f'size="{image.stat().st_size}"' in manifest
        with rasterio.open(image) as dataset:
            assert dataset.shape == (200, 8087)
            assert (dataset.read(1)[20:180, 100:-100] > 0).all()
    annotation = parse_annotation(
        next(v for k, v in after.items() if re.match(r"annotation/[^/]*-hh-.*xml", k))
    )
    assert annotation.platform == "S1C"


def test_real_pixels_lie_where_the_noise_is_known(tmp_path, reference_data):
    """The swaths of an extra wide product start one after the other."""
    (real,) = (reference_data / "s1" / "safe").glob("S1A_EW_*.zip")
    source = tmp_path / "S1A_EW.SAFE"
    cut_to(real, source, 600)

    path = write_from_metadata(tmp_path / "filled", source)

    with rasterio.open(path / "measurement" / "ew-hh.tiff") as dataset:
        lit = [np.flatnonzero(dataset.read(1)[line])[-1] for line in (100, 300, 500)]
    # Last samples with noise in the vectors of lines 0, 167 and 422 of the product.
    assert lit == pytest.approx([3129, 5032, 10_439], abs=100)


@pytest.mark.parametrize(
    ("name", "version", "clean"),
    [
        ("S1A_IW_GRDH_1SDV_20150203T*_FEC3", "002.36", False),
        ("S1A_IW_GRDH_1SDV_20150203T*_6D00", "002.70", False),
        ("S1A_IW_GRDH_1SDV_20210809T*", "003.31", True),
        ("S1B_IW_GRDH_1SDV_20211223T*", "003.40", True),
    ],
)
def test_the_processor_of_a_real_product_tells_its_border(reference_data, name, version, clean):
    (real,) = (reference_data / "s1" / "safe").glob(f"{name}.zip")
    processor = processor_of(read_files(real)["manifest.safe"])
    assert processor.version == version
    assert processor.clean_border == clean


def test_real_metadata_without_calibration_are_refused(tmp_path, reference_data):
    (real,) = (reference_data / "s1" / "safe").glob("S1B_IW_GRDH_1SDV_20210401*.zip")
    with pytest.raises(ValueError, match="no calibration or noise"):
        write_from_metadata(tmp_path, real)
