"""The tiles of an area are found by their names, in folders of thousands and behind addresses."""

import itertools
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import rasterio
from werkzeug.utils import send_file
from werkzeug.wrappers import Response

from peps_wps.errors import DemError
from peps_wps.readers import dem as dem_module
from peps_wps.readers.dem_tiles import Bounds, find_tiles
from tests.loopback import on_the_loopback
from tests.patience import stretched
from tests.readers.dem_planes import Write, assert_is_plane, ellipsoidal


@pytest.mark.parametrize("name", ["S34W071", "S34W072"])
def test_southern_and_western_tiles_are_found_by_name(
    write: Write, tmp_path: Path, name: str
) -> None:
    west = -float(name[-3:])
    write(f"{name}.tif", west=west, north=-33)
    window = ellipsoidal(tmp_path).heights((west + 0.3, -33.8, west + 0.6, -33.2))
    assert_is_plane(window)


@pytest.mark.parametrize(
    "name", ["ALPSMLC30_N044E003_DSM.tif", "n44e003.tif", "TDM1_DEM__30_N44E003_DEM.tif"]
)
def test_tiles_are_found_by_the_names_of_other_models(
    write: Write, tmp_path: Path, name: str
) -> None:
    write(name, west=3, north=45)
    (tmp_path / name.replace("44", "14")).write_text("would fail if it were opened")
    assert_is_plane(ellipsoidal(tmp_path).heights((3.3, 44.2, 3.6, 44.8)))


def copernicus(latitude: int, longitude: int) -> str:
    return f"Copernicus_DSM_COG_10_N{latitude:02d}_00_E{longitude:03d}_00_DEM"


def test_of_a_folder_a_tile_only_those_of_the_area_are_looked_into(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for latitude, longitude in itertools.product(range(40, 50), range(10)):
        (tmp_path / copernicus(latitude, longitude)).mkdir()
    write(f"{copernicus(44, 3)}/{copernicus(44, 3)}.tif", west=3, north=45)
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(str(folder)) or scandir(folder))

    tiles = find_tiles(tmp_path, Bounds(3.3, 44.2, 3.6, 44.8))

    assert [Path(tile.name).stem for tile in tiles] == [copernicus(44, 3)]
    assert listed == [str(tmp_path), str(tmp_path / copernicus(44, 3))]
    assert find_tiles(tmp_path, Bounds(3.3, 44.2, 3.6, 44.8)) == tiles
    assert len(listed) == 2


def test_a_folder_named_after_a_corner_may_hold_many_degrees(write: Write, tmp_path: Path) -> None:
    write("N40E000/N44E003.tif", west=3, north=45)
    write("N40E000-N50E010_FABDEM_V1-2/N44E004_FABDEM_V1-2.tif", west=4, north=45)
    window = ellipsoidal(tmp_path).heights((3.7, 44.2, 4.4, 44.8))
    assert window.missing == 0


def test_a_tile_that_is_added_or_removed_is_noticed(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "regional"
    area = Bounds(3.3, 44.2, 3.6, 44.8)
    first = write("regional/N44E003.tif", west=3, north=45)
    assert [tile.name for tile in find_tiles(tmp_path, area)] == [str(first)]
    second = write("regional/deep/n44e003.tif", west=3, north=45)
    assert [tile.name for tile in find_tiles(folder, area)] == [str(first), str(second)]
    first.unlink()
    assert [tile.name for tile in find_tiles(tmp_path, area)] == [str(second)]


def test_what_lies_beside_the_heights_is_not_taken_for_them(write: Write, tmp_path: Path) -> None:
    name = copernicus(44, 3)
    write(f"{name}/{name}.tif", west=3, north=45)
    for layer in ("EDM", "FLM", "HEM", "WBM"):
        write(
            f"{name}/AUXFILES/{name.removesuffix('DEM')}{layer}.tif", west=3, north=45, height=2.0
        )
    assert_is_plane(ellipsoidal(tmp_path).heights((3.3, 44.2, 3.6, 44.8)))


def test_the_check_of_an_order_opens_each_file_once(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("N44E003.tif", west=3, north=45)
    opened = []
    monkeypatch.setattr(
        dem_module, "_open", lambda name, **_: opened.append(name) or rasterio.open(name)
    )
    areas = {str(n): (3.1 + n / 10, 44.2, 3.2 + n / 10, 44.8) for n in range(5)}
    ellipsoidal(tmp_path).check(areas)
    assert opened == [str(tmp_path / "N44E003.tif")]
    with pytest.raises(DemError, match="the moon: no DEM for"):
        ellipsoidal(tmp_path).check({**areas, "the moon": (30, 44, 31, 45)})


def test_only_the_tiles_of_the_area_are_opened(write: Write, tmp_path: Path) -> None:
    write("N44E003.tif", west=3, north=45)
    (tmp_path / "N10E010.tif").write_text("would fail if it were opened")
    assert_is_plane(ellipsoidal(tmp_path).heights((3.3, 44.2, 3.6, 44.8)))


def test_a_template_names_one_tile_a_degree(write: Write, tmp_path: Path) -> None:
    write("dem_N44_E003.tif", west=3, north=45)
    dem = ellipsoidal(f"{tmp_path}/dem_{{lat}}_{{lon}}.tif")
    assert_is_plane(dem.heights((3.3, 44.2, 3.6, 44.8)))
    with pytest.raises(
        DemError, match=r"no DEM for longitude 9\.29 to 9\.61, latitude 44\.19 to 44\.81"
    ):
        dem.heights((9.3, 44.2, 9.6, 44.8))


def test_check_refuses_an_area_without_tiles(write: Write, tmp_path: Path) -> None:
    write("N44E003.tif", west=3, north=45)
    dem = ellipsoidal(tmp_path)
    dem.check({"tile": (3.3, 44.2, 3.6, 44.8)})
    with pytest.raises(DemError, match=r"no DEM for longitude 30\.00 to 31\.00"):
        dem.check({"tile": (30, 44, 31, 45)})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serve the folder by HTTP with ranges, on the loopback."""

    def serve(environ: dict[str, object], start_response: object) -> object:
        file = tmp_path / str(environ["PATH_INFO"]).lstrip("/")
        if file.suffix == ".broken":
            return Response(status=500)(environ, start_response)
        if not file.is_file():
            return Response(status=404)(environ, start_response)
        return send_file(file, environ, conditional=True)(environ, start_response)

    with on_the_loopback(serve) as address:
        yield address


def test_a_template_of_addresses_reads_the_tiles_that_exist(write: Write, server: str) -> None:
    write("dem_N44_E003.tif", west=3, north=45)
    dem = ellipsoidal(f"{server}/dem_{{lat}}_{{lon}}.tif")
    window = dem.heights((3.6, 44.2, 4.2, 44.8), margin=0)
    assert window.missing == pytest.approx(1 / 3, abs=0.02)
    assert window.height[10, 10] == pytest.approx(100 + 7 * 3.6875 + 3 * 44.7125, abs=0.1)
    with pytest.raises(DemError, match="no DEM for"):
        dem.check({"tile": (9.3, 44.2, 9.6, 44.8)})


def test_a_server_that_fails_is_not_taken_for_the_sea(server: str) -> None:
    dem = ellipsoidal(f"{server}/dem_{{lat}}_{{lon}}.broken")
    with pytest.raises(DemError, match=r"the DEM dem_N44_E003\.broken cannot be opened"):
        dem.check({"tile": (3.6, 44.2, 3.9, 44.8)})


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Take connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_server_that_does_not_answer_is_not_waited_for(
    silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(dem_module.GDAL_OPTIONS, "GDAL_HTTP_TIMEOUT", 1)
    started = time.monotonic()
    with pytest.raises(DemError, match=r"the DEM dem_N44_E003\.tif cannot be opened"):
        ellipsoidal(f"{silent_server}/dem_{{lat}}_{{lon}}.tif").heights((3.6, 44.2, 3.9, 44.8))
    # GDAL asks twice, HEAD and then GET.
    assert time.monotonic() - started < stretched(6)
