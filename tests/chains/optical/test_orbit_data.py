"""ORBIT_DATA against the orbits that were simulated, and real metadata."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely

from peps_wps.chains.orbit_data.chain import OrbitDataChain
from peps_wps.chains.orbit_data.documents import csv_text, czml, geojson
from peps_wps.chains.orbit_data.reading import OrbitData, read_orbit_data
from peps_wps.errors import OrderRefusedError, SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_grd import read_grd
from peps_wps.readers.sentinel2.ephemeris import read_ephemeris
from simulator.optical.datastrip_xml import position
from simulator.optical.product_xml import Tile
from tests.chains.optical.conftest import SENSING
from tests.chains.optical.simulated_scene import bench_of

pytestmark = pytest.mark.xdist_group("optical")

CHAIN = OrbitDataChain()


@pytest.fixture(scope="module")
def both(bench, small, tmp_path_factory):
    """A Sentinel-2 and a Sentinel-1 product."""
    paths = [*bench.shelf.paths.values(), *small.paths]
    return bench_of(paths, tmp_path_factory.mktemp("orbits"))


@pytest.fixture(scope="module")
def done(both):
    return both.run(CHAIN)


@pytest.fixture(scope="module")
def lines(done):
    return list(csv.DictReader(done.outputs["vectors"].read_text().splitlines()))


def _states(lines, platform):
    columns = ("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")
    own = [line for line in lines if line["platform"] == platform]
    times = [datetime.fromisoformat(line["time_utc"]) for line in own]
    return times, np.array([[float(line[name]) for name in columns] for line in own])


def test_vectors_of_sentinel_2_are_those_of_the_orbit_in_utc(lines):
    times, states = _states(lines, "S2A")
    orbit = position(Tile.of("31TCJ", 32631, 330_000, 4_840_020, 600, SENSING, 0.0))
    expected = [np.concatenate(orbit((time - SENSING).total_seconds())) for time in times]
    # Millimetres are rounded to whole ones.
    np.testing.assert_allclose(states, expected, atol=0.6e-3)
    assert times[0] == SENSING - timedelta(seconds=40)


def test_the_satellite_is_above_its_tile(lines):
    (overhead,) = [line for line in lines if datetime.fromisoformat(line["time_utc"]) == SENSING]
    # Up is from the centre of the Earth there, from the ellipsoid here: 0.2 degrees at most.
    assert float(overhead["longitude_deg"]) == pytest.approx(0.93, abs=0.02)
    assert float(overhead["latitude_deg"]) == pytest.approx(43.66, abs=0.2)
    assert float(overhead["height_m"]) == pytest.approx(789_000, abs=3_000)


def test_vectors_of_sentinel_1_are_those_of_the_annotation(lines, small):
    times, states = _states(lines, "S1A")
    product = read_grd(small.paths[0])
    vectors = product.images["VV"].annotation.state_vectors
    np.testing.assert_allclose(states[:, :3], vectors.position, atol=1e-6)
    np.testing.assert_allclose(states[:, 3:], vectors.velocity, atol=1e-6)
    seconds = [(time - product.epoch).total_seconds() for time in times]
    np.testing.assert_allclose(seconds, vectors.time, atol=1e-6)


def test_footprints_and_tracks_are_features(done, both):
    document = json.loads(done.outputs["footprints"].read_text())
    kinds = [feature["properties"]["kind"] for feature in document["features"]]
    assert sorted(kinds) == ["footprint"] * 2 + ["ground track"] * 2
    for feature in document["features"]:
        geometry = shapely.geometry.shape(feature["geometry"])
        product = both.shelf.product(feature["properties"]["product"])
        if feature["properties"]["kind"] == "footprint":
            assert geometry.symmetric_difference(product.footprint).area < 1e-5
        else:
            assert geometry.geom_type == "LineString"
            assert len(feature["properties"]["times"]) == len(geometry.coords)


def test_a_globe_can_show_them(done):
    packets = json.loads(done.outputs["czml"].read_text())
    assert packets[0]["id"] == "document"
    satellites = [packet for packet in packets if "position" in packet]
    assert sorted(packet["name"] for packet in satellites) == ["S1A", "S2A"]
    for packet in satellites:
        numbers = np.array(packet["position"]["cartesian"]).reshape(-1, 4)
        assert (np.diff(numbers[:, 0]) > 0).all()
        assert np.linalg.norm(numbers[:, 1:], axis=1) == pytest.approx(7.1e6, rel=0.02)


def test_the_report_says_where_vectors_are_from(done):
    sources = {entry["product"][:3]: entry["source"] for entry in done.report["products"]}
    assert sources == {"S1A": "annotation", "S2A": "datastrip"}


def test_a_product_without_vectors_still_has_place_and_time(reference_data):
    folder = reference_data / "s2/safe_l1c_n0510"
    path = sorted(folder.glob("S2A_*.SAFE"))[0]
    found = read_orbit_data(path, path / "no orbits")
    assert (found.source, found.times) == ("none", ())
    document = geojson([found])
    assert len(document["features"]) == 1
    assert "GPS" not in csv_text([found])
    assert [packet["id"].split("/")[1:] for packet in czml([found])[1:]] == [["footprint", "0"]]


def test_a_track_across_the_antimeridian_is_cut():
    longitude = np.radians([179.0, 179.8, -179.4, -178.6])
    states = np.zeros((4, 6))
    states[:, 0], states[:, 1] = 7e6 * np.cos(longitude), 7e6 * np.sin(longitude)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    times = tuple(start + timedelta(seconds=second) for second in range(4))
    footprint = shapely.box(178.0, -1.0, 181.0, 1.0)
    data = OrbitData(
        *("X", "S1A", start, times[-1], 1, 1, "ascending", footprint, "annotation", times),
        states=states,
    )
    outline, track = (
        shapely.geometry.shape(feature["geometry"]) for feature in geojson([data])["features"]
    )
    for geometry in (outline, track):
        west, _, east, _ = geometry.bounds
        assert (west, east) == (-180.0, 180.0)
        assert len(geometry.geoms) == 2
    assert track.length == pytest.approx(2.4, abs=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('unit="mm"', 'unit="inch"', "not three lengths"),
        ("POSITION_VALUES unit", "ERRORS unit", "is not"),
        ("<UTC_TIME>2024", "<UTC_TIME>soon", "malformed time"),
    ],
)
def test_a_malformed_datastrip_is_refused(bench, tmp_path, old, new, message):
    (source,) = bench.shelf.paths.values()
    product = tmp_path / source.name
    datastrip = product / "DATASTRIP/DS_X"
    datastrip.mkdir(parents=True)
    (product / "manifest.safe").touch()
    (written,) = source.glob("DATASTRIP/*/MTD_DS.xml")
    (datastrip / "MTD_DS.xml").write_text(written.read_text().replace(old, new, 1))
    with pytest.raises(SafeError, match=message):
        read_ephemeris(Safe.open(product))


def test_another_mission_is_refused(bench):
    other = replace(bench, shelf=bench.shelf.changed(platform="S3A"))
    with pytest.raises(OrderRefusedError, match="expected Sentinel-1 or Sentinel-2"):
        other.plan(CHAIN)
