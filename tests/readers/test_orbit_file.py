"""Real orbit files are found, read and preferred as they should be."""

import logging
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from peps_wps.errors import SafeError
from peps_wps.readers.orbit_file import (
    best_orbit,
    find_orbit,
    orbit_files,
    read_orbit,
)

START = datetime(2023, 8, 23, 14, 0, 0, tzinfo=UTC)
STOP = START + timedelta(seconds=25)
EPOCH = datetime(2023, 8, 23, tzinfo=UTC)
RESORB = "S1A_OPER_AUX_RESORB_OPOD_20230823T162050_V20230823T123139_20230823T154909.EOF"


@pytest.fixture
def orbits(reference_data: Path) -> Path:
    return reference_data / "s1" / "orbits"


def osv_file(
    folder: Path, name: str, *, start: datetime = START, frame: str = "EARTH_FIXED"
) -> Path:
    vectors = "".join(
        f"<OSV><UTC>UTC={start + timedelta(seconds=s):%Y-%m-%dT%H:%M:%S.%f}</UTC>"
        f"<X>{s}</X><Y>2</Y><Z>3</Z><VX>4</VX><VY>5</VY><VZ>6</VZ></OSV>"
        for s in range(-200, 300, 10)
    )
    path = folder / name
    path.write_text(f"<E><Ref_Frame>{frame}</Ref_Frame><L>{vectors}</L></E>")
    return path


def name_of(kind: str, created: str = "20230824T000000", platform: str = "S1A") -> str:
    return f"{platform}_OPER_AUX_{kind}_OPOD_{created}_V20230823T120000_20230823T160000.EOF"


def test_a_real_orbit_covers_the_scene_and_is_consistent(orbits: Path) -> None:
    orbit = find_orbit(orbits, "S1A", START, STOP, EPOCH)
    assert orbit is not None
    assert orbit.name == f"{RESORB}.zip"
    vectors = orbit.vectors
    scene = (START - EPOCH).total_seconds()
    assert vectors.time[0] <= scene - 60
    assert vectors.time[-1] >= scene + 85
    # Velocity is the derivative of position: central differences over 20 s leave acceleration
    # terms, (10 s)**2 / 6 of the third derivative, about 0.14 m/s for this orbit.
    derivative = (vectors.position[2:] - vectors.position[:-2]) / 20
    np.testing.assert_allclose(derivative, vectors.velocity[1:-1], atol=0.2)


def test_every_real_precise_orbit_is_read(orbits: Path) -> None:
    for path in orbits.glob("*POEORB*"):
        day = datetime.strptime(path.name[-23:-8], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        noon = day - timedelta(hours=13)
        vectors = read_orbit(path, noon, noon, noon)
        assert 13 <= vectors.time.size <= 15
        np.testing.assert_allclose(np.linalg.norm(vectors.position, axis=1), 7.07e6, rtol=3e-3)


def test_a_zipped_orbit_equals_the_plain_one(orbits: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(orbits / f"{RESORB}.zip") as archive:
        archive.extractall(tmp_path)
    plain = read_orbit(tmp_path / RESORB, START, STOP, EPOCH)
    zipped = read_orbit(orbits / f"{RESORB}.zip", START, STOP, EPOCH)
    np.testing.assert_array_equal(plain.position, zipped.position)


def test_a_precise_orbit_goes_before_a_restituted_one(tmp_path: Path) -> None:
    osv_file(tmp_path, name_of("POEORB", "20230825T000000"))
    osv_file(tmp_path, name_of("POEORB", "20230926T000000"))
    osv_file(tmp_path, name_of("RESORB", "20240101T000000"))
    orbit = find_orbit(tmp_path, "S1A", START, STOP, EPOCH)
    assert orbit is not None
    assert orbit.name == name_of("POEORB", "20230926T000000")


def test_a_listing_serves_all_scenes(tmp_path: Path) -> None:
    (tmp_path / "older").mkdir()
    listed = osv_file(tmp_path / "older", name_of("POEORB", "20230825T000000"))
    (tmp_path / "README.EOF").touch()
    files = orbit_files(tmp_path)
    osv_file(tmp_path, name_of("POEORB", "20230926T000000"))  # unlike what comes later
    assert [file.path for file in files] == [listed]
    for begin in (START, START + timedelta(seconds=30)):
        orbit = best_orbit(files, "S1A", begin, STOP, EPOCH)
        assert orbit is not None
        assert orbit.name == listed.name


def test_an_orbit_of_another_satellite_is_not_used(tmp_path: Path) -> None:
    osv_file(tmp_path, name_of("POEORB", platform="S1B"))
    assert find_orbit(tmp_path, "S1A", START, STOP, EPOCH) is None


def test_an_orbit_that_ends_within_the_margin_is_not_used(orbits: Path) -> None:
    end = datetime(2023, 8, 23, 15, 49, 9, tzinfo=UTC)
    assert find_orbit(orbits, "S1A", end - timedelta(seconds=61), end, EPOCH) is None
    assert find_orbit(orbits, "S1A", START, end - timedelta(seconds=70), EPOCH) is not None


def test_an_unreadable_orbit_is_passed_over_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / (name_of("POEORB") + ".zip")).write_bytes(b"PK nothing")
    (tmp_path / name_of("POEORB", "20230830T000000")).write_text("<broken")
    osv_file(tmp_path, name_of("RESORB"))
    with caplog.at_level(logging.WARNING):
        orbit = find_orbit(tmp_path, "S1A", START, STOP, EPOCH)
    assert orbit is not None
    assert "RESORB" in orbit.name
    assert len(caplog.records) == 2


def test_an_orbit_with_a_gap_is_refused(tmp_path: Path) -> None:
    path = osv_file(tmp_path, name_of("POEORB"))
    text = path.read_text()
    start = text.index("<OSV><UTC>UTC=2023-08-23T14:00:00")
    path.write_text(text[:start] + text[text.index("<OSV><UTC>UTC=2023-08-23T14:00:30") :])
    with pytest.raises(SafeError, match="has a gap around 2023-08-23T14:00:00"):
        read_orbit(path, START, STOP, EPOCH)


def test_an_inertial_orbit_is_refused(tmp_path: Path) -> None:
    path = osv_file(tmp_path, name_of("POEORB"), frame="GM2000")
    with pytest.raises(SafeError, match="frame GM2000, EARTH_FIXED expected"):
        read_orbit(path, START, STOP, EPOCH)


def test_a_folder_that_is_not_there_gives_no_orbit(tmp_path: Path) -> None:
    assert find_orbit(tmp_path / "absent", "S1A", START, STOP, EPOCH) is None


def test_the_product_takes_the_orbit_of_the_folder(tmp_path: Path) -> None:
    from peps_wps.readers.sentinel1_grd import read_grd
    from tests.readers.safe_builder import SafeRecipe, write_folder

    folder = tmp_path / "orbits"
    folder.mkdir()
    name = "S1A_OPER_AUX_POEORB_OPOD_20210830T000000_V20210808T225942_20210810T005942.EOF"
    osv_file(folder, name, start=datetime(2021, 8, 9, 17, 39, 50, tzinfo=UTC))
    path = write_folder(SafeRecipe(dn={"VV": np.ones((20, 30), np.uint16)}), tmp_path)

    product = read_grd(path, orbit_folder=folder)

    assert product.orbit_source == name
    annotation = product.images["VV"].annotation
    assert annotation.precise_vectors is not None
    assert annotation.precise_vectors.position[0, 1] == 2
    # The model is fitted to the grid with the vectors that the grid was made with.
    assert annotation.state_vectors.position[0, 1] == 1000
    shutil.rmtree(folder)
    product = read_grd(path, orbit_folder=folder)
    assert product.orbit_source == "annotation"
    assert product.images["VV"].annotation.precise_vectors is None
