"""What a GRD product says reaches the annotation unchanged, in the units that are promised."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from peps_wps.errors import SafeError
from peps_wps.readers.sentinel1_grd import GrdProduct, read_grd
from tests.readers.safe_builder import SafeRecipe, write_folder

EPOCH = datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)


def small(**changes: object) -> SafeRecipe:
    dn = {"VV": np.ones((20, 30), np.uint16), "VH": np.ones((20, 30), np.uint16)}
    return SafeRecipe(**{"dn": dn, **changes})  # type: ignore[arg-type]


def read(tmp_path: Path, **changes: object) -> GrdProduct:
    return read_grd(write_folder(small(**changes), tmp_path), epoch=EPOCH)


def test_times_are_seconds_since_the_epoch_given(tmp_path: Path) -> None:
    annotation = read(tmp_path).images["VV"].annotation
    assert annotation.first_line_time == 0.153776
    np.testing.assert_array_equal(annotation.state_vectors.time, np.arange(0, 100, 10) - 53.0)
    assert annotation.ground_range.azimuth_time[0] == 0.153776


def test_angles_are_radians_and_grids_are_lines_by_samples(tmp_path: Path) -> None:
    grid = read(tmp_path).images["VV"].annotation.grid
    np.testing.assert_array_equal(grid.line, [[0, 0, 0], [19, 19, 19]])
    np.testing.assert_array_equal(grid.sample, [[0, 15, 29], [0, 15, 29]])
    np.testing.assert_allclose(grid.latitude, np.pi / 4, rtol=1e-15)
    np.testing.assert_allclose(grid.incidence_angle, np.pi / 6, rtol=1e-15)


def test_polynomials_of_two_degrees_are_kept(tmp_path: Path) -> None:
    records = read(tmp_path).images["VV"].annotation.ground_range
    np.testing.assert_array_equal(records.slant_to_ground, [[0, 2]])
    np.testing.assert_array_equal(records.ground_to_slant, [[8e5, 0.5, 1e-7]])


def test_calibration_vectors_may_start_before_the_image(tmp_path: Path) -> None:
    gamma = read(tmp_path).images["VV"].annotation.calibration["gamma0"]
    np.testing.assert_array_equal(gamma.line, [-1, 20])
    np.testing.assert_array_equal(gamma.value, [[549, 450], [570, 450]])


@pytest.mark.parametrize(
    ("mode", "ipf", "expected"),
    [
        ("IW", "003.31", 2.0),
        ("IW", "002.70", 2.0),
        ("IW", "002.36", 2.0 * 75_088.7 * 3**2),
        ("IW", "002.34", 2.0 * 75_088.7 * 3**2),
        ("IW", "002.33", 2.0 * 75_088.7 * 3),
        ("EW", "002.36", 2.0 * 56_065.87 * 3**2),
    ],
)
def test_noise_of_old_processors_is_scaled(
    tmp_path: Path, mode: str, ipf: str, expected: float
) -> None:
    product = read(tmp_path, mode=mode, ipf=ipf, noise=2.0, dn_table=3.0)
    noise = product.images["VV"].annotation.noise
    assert noise is not None
    np.testing.assert_allclose(noise.range.value, expected)
    assert len(noise.azimuth) == (ipf >= "002.90")
    assert not noise.is_zero


def test_noise_of_zeros_is_flagged(tmp_path: Path) -> None:
    noise = read(tmp_path, ipf="002.36", noise=0).images["VV"].annotation.noise
    assert noise is not None
    assert noise.is_zero


def test_noise_whose_scale_is_unknown_is_none(tmp_path: Path) -> None:
    product = read(tmp_path, mode="SM", ipf="002.36", noise=2.0)
    assert product.images["VV"].annotation.noise is None


def test_a_missing_calibration_is_missed_only_when_asked_for(tmp_path: Path) -> None:
    annotation = read(tmp_path, calibration=False, noise=None).images["VV"].annotation
    assert annotation.noise is None
    with pytest.raises(SafeError, match=r"calibration file of VV missing: no .* gamma0 found"):
        _ = annotation.calibration["gamma0"]


def test_names_of_the_aws_bucket_are_found(tmp_path: Path) -> None:
    product = read(tmp_path, aws_names=True)
    assert list(product.images) == ["VV", "VH"]
    assert product.images["VH"].lines.read(0, 20).all()


def test_only_the_polarizations_asked_for_are_read(tmp_path: Path) -> None:
    path = write_folder(small(), tmp_path)
    assert list(read_grd(path, polarizations=["VH"]).images) == ["VH"]
    with pytest.raises(SafeError, match="has no polarisation HH: VV, VH found"):
        read_grd(path, polarizations=["HH"])


def test_another_product_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SafeError, match="_6FF8 is a SLC product, GRD expected"):
        read(tmp_path, product_type="SLC")


def test_a_slant_range_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SafeError, match="is in Slant Range, Ground Range expected"):
        read(tmp_path, projection="Slant Range")


@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        ("<numberOfLines>20", "<numberOfLines>0", "has 0 lines"),
        ("<azimuthTimeInterval>1.5e-03", "<azimuthTimeInterval>-1", "more than 0 expected"),
        ("Earth Fixed", "Gm2000", "frame Gm2000, Earth Fixed expected"),
        ('<srgrCoefficients count="2">0.0 2.0', '<srgrCoefficients count="3">0 2', "3 expected"),
        ("0.0 2.0", "0.0 nan", "not finite"),
        ("0.0 2.0", "0.0 two", "malformed number"),
        ("<pixel>29</pixel>", "", "has no pixel"),
    ],
)
def test_an_annotation_with_nonsense_is_refused(
    tmp_path: Path, found: str, instead: str, message: str
) -> None:
    path = write_folder(small(), tmp_path)
    (file,) = (path / "annotation").glob("*-vv-*.xml")
    text = file.read_text()
    assert found in text
    file.write_text(text.replace(found, instead))
    with pytest.raises(SafeError, match=message):
        read_grd(path)


def real_products() -> list[str]:
    return ["BB15", "6D00", "FEC3", "CEAB", "3768", "9550", "8255", "6FF8", "ECC8", "5371", "4B8B"]


@pytest.mark.parametrize("suffix", real_products())
def test_a_real_product_says_what_its_xml_says(reference_data: Path, suffix: str) -> None:
    (path,) = (reference_data / "s1" / "safe").glob(f"*_{suffix}.zip")
    product = read_grd(path)

    image = next(iter(product.images.values()))
    name = next(n for n in image.safe.names("annotation/", ".xml") if n.count("/") == 1)
    root = etree.fromstring(image.safe.read(name))
    polarization = root.findtext("adsHeader/polarisation")
    annotation = product.images[polarization].annotation
    grid = annotation.grid
    assert annotation.samples == int(root.findtext(".//numberOfSamples"))
    assert grid.line.size == int(root.find(".//geolocationGridPointList").get("count"))
    assert np.degrees(grid.latitude[-1, -1]) == pytest.approx(
        float(root.findall(".//geolocationGridPoint/latitude")[-1].text), rel=1e-14
    )
    # The annotation's own geolocation lies in the footprint of the manifest, rounded or cropped.
    # Near the pole straight lines between its corners are not those of the image.
    inside = product.footprint.buffer(1.0 if product.mode == "EW" else 0.05)
    for longitude, latitude in np.degrees([grid.longitude.ravel(), grid.latitude.ravel()]).T:
        turn = 360 * round((product.footprint.centroid.x - longitude) / 360)
        assert inside.intersects(_point(longitude + turn, latitude))
    # The image lies inside the state vectors and the ground range records.
    last = annotation.first_line_time + annotation.lines * annotation.line_interval
    assert annotation.state_vectors.time[0] < annotation.first_line_time
    assert last < annotation.state_vectors.time[-1]
    np.testing.assert_allclose(
        np.linalg.norm(annotation.state_vectors.velocity, axis=1), 7590, atol=60
    )


def _point(longitude: float, latitude: float):  # type: ignore[no-untyped-def]
    from shapely.geometry import Point

    return Point(longitude, latitude)


@pytest.mark.parametrize(
    ("suffix", "noise_element"), [("6FF8", "noiseRangeLut"), ("6D00", "noiseLut")]
)
def test_tables_of_a_real_product_are_those_of_its_xml(
    reference_data: Path, suffix: str, noise_element: str
) -> None:
    (path,) = (reference_data / "s1" / "safe").glob(f"*_{suffix}.zip")
    image = read_grd(path, polarizations=["VH"]).images["VH"]
    annotation = image.annotation
    assert annotation.noise is not None
    for kind, table, element in [
        ("calibration", annotation.calibration["gamma0"], "gamma"),
        ("noise", annotation.noise.range, noise_element),
    ]:
        (name,) = (
            name for name in image.safe.names(f"annotation/calibration/{kind}-") if "-vh-" in name
        )
        root = etree.fromstring(image.safe.read(name))
        expected = [vector.text.split() for vector in root.iter(element)]
        assert len(expected) == len(table.value)
        for texts, values in zip(expected, table.value, strict=True):
            np.testing.assert_array_equal(values, [float(text) for text in texts])
    # Every sample of the image lies in one azimuth block, where there are blocks at all.
    if annotation.noise.azimuth:
        middle = annotation.lines // 2
        covered = np.zeros(annotation.samples, int)
        for block in annotation.noise.azimuth:
            if block.first_line <= middle <= block.last_line:
                covered[block.first_sample : block.last_sample + 1] += 1
        assert (covered == 1).all()


def test_consecutive_real_frames_share_an_epoch_and_a_datatake(reference_data: Path) -> None:
    folder = reference_data / "s1" / "safe"
    (first,), (second,) = folder.glob("*_CEAB.zip"), folder.glob("*_3768.zip")
    epoch = datetime(2015, 2, 22, tzinfo=UTC)
    a, b = (read_grd(path, epoch=epoch, polarizations=["VV"]) for path in (first, second))
    one, two = a.images["VV"].annotation, b.images["VV"].annotation
    assert a.manifest.datatake_id == b.manifest.datatake_id
    gap = (two.first_line_time - one.first_line_time) / one.line_interval - one.lines
    assert gap == pytest.approx(0, abs=0.001)
