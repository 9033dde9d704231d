"""Sentinel-2 products reach the catalogue with the words of PEPS."""

import shutil
import zipfile
from pathlib import Path

import pytest
import shapely
from pyproj import Transformer

from algorithms import mgrs
from peps_wps.errors import SafeError
from peps_wps.readers.product_metadata import read_metadata
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2_metadata import read_sentinel2

COMPACT = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-1C_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-1C">
<n1:General_Info><Product_Info>
<PRODUCT_START_TIME>2020-08-15T00:52:51.024Z</PRODUCT_START_TIME>
<PRODUCT_STOP_TIME>2020-08-15T00:52:51.024Z</PRODUCT_STOP_TIME>
<PROCESSING_LEVEL>Level-1C</PROCESSING_LEVEL><PRODUCT_TYPE>S2MSI1C</PRODUCT_TYPE>
<PROCESSING_BASELINE>02.09</PROCESSING_BASELINE>
<Datatake datatakeIdentifier="GS2A_20200815T005251_026883_N02.09">
<SPACECRAFT_NAME>Sentinel-2A</SPACECRAFT_NAME><DATATAKE_TYPE>INS-NOBS</DATATAKE_TYPE>
<SENSING_ORBIT_NUMBER>2</SENSING_ORBIT_NUMBER>
<SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION></Datatake>
<Product_Organisation><Granule_List>
<Granule granuleIdentifier="S2A_OPER_MSI_L1C_TL_EPAE_20200815T023440_A026883_T55PDR_N02.09"/>
</Granule_List></Product_Organisation></Product_Info></n1:General_Info>
<n1:Geometric_Info><Product_Footprint><Product_Footprint><Global_Footprint>
<EXT_POS_LIST>14.4 146 14.4 147 13.4 147 13.4 146 14.4 146 </EXT_POS_LIST>
</Global_Footprint></Product_Footprint></Product_Footprint></n1:Geometric_Info>
<n1:Quality_Indicators_Info>
<Cloud_Coverage_Assessment>20.5218</Cloud_Coverage_Assessment>
</n1:Quality_Indicators_Info></n1:Level-1C_User_Product>
"""
TITLE = "S2A_MSIL1C_20200815T005251_N0209_R002_T55PDR_20200815T023440"


def write_product(folder: Path, *changes: tuple[str, str], title: str = TITLE) -> Path:
    """Write a compact product whose metadata have some texts replaced."""
    text = COMPACT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    product = folder / f"{title}.SAFE"
    product.mkdir()
    (product / "manifest.safe").write_text("<XFDU/>")
    (product / "MTD_MSIL1C.xml").write_text(text)
    return product


def test_a_compact_product_is_described_as_peps_did(tmp_path: Path) -> None:
    metadata = read_metadata(write_product(tmp_path))
    # As PEPS described this very product.
    assert (metadata.title, metadata.collection) == (TITLE, "S2ST")
    assert (metadata.platform, metadata.instrument) == ("S2A", "MSI")
    assert (metadata.product_type, metadata.processing_level) == ("S2MSI1C", "LEVEL1C")
    assert (metadata.sensor_mode, metadata.mgrs_tile) == ("INS-NOBS", "55PDR")
    assert (metadata.orbit_number, metadata.relative_orbit) == (26883, 2)
    assert (metadata.orbit_direction, metadata.cloud_cover) == ("descending", 20.5218)
    assert metadata.start.isoformat() == "2020-08-15T00:52:51.024000+00:00"
    assert metadata.properties["s2TakeId"] == "GS2A_20200815T005251_026883_N02.09"
    assert (metadata.polarization, metadata.swath, metadata.snow_cover) == (None, None, None)
    assert metadata.footprint.bounds == (146, 13.4, 147, pytest.approx(14.4, abs=0.01))


def test_a_zip_tells_the_same_as_its_folder(tmp_path: Path) -> None:
    folder = write_product(tmp_path)
    archive = tmp_path / "product.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for file in folder.iterdir():
            target.write(file, f"{folder.name}/{file.name}")
    assert read_metadata(archive) == read_metadata(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("Sentinel-2A", "Sentinel-9A"), "spacecraft Sentinel-9A"),
        (("Level-1C</PROC", "Level-0</PROC"), "level Level-0, Level-1C or"),
        (("DESCENDING", "SIDEWAYS"), "orbit direction SIDEWAYS"),
        ((">20.5218<", ">1e9<"), "Cloud_Coverage_Assessment 1e9, 0 to 100 expected"),
        ((">20.5218<", ">nan<"), "Cloud_Coverage_Assessment nan"),
        (("14.4 146 14.4 147", "14.4 146 94.4 147"), "footprint outside the Earth"),
        (("14.4 146 14.4 147", "14.4 146 14.4"), "footprint outside the Earth"),
        (("14.4 146 14.4 147", "14.4 x 14.4 147"), "malformed footprint"),
        (("13.4 147 13.4 146", "14.4 146.5 14.4 146.2"), "no polygon"),
        (("_T55PDR_N02.09", "_none"), "granules of 0 tiles"),
        (("2020-08-15T00:52:51.024Z</PRODUCT_STOP", "yesterday</PRODUCT_STOP"), "malformed time"),
        (("S2MSI1C<", "S2 MSI 1C; DROP TABLE item<"), "a word expected"),
    ],
)
def test_what_no_product_can_say_is_refused(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(SafeError, match=message):
        read_metadata(write_product(tmp_path, change))


def test_a_product_across_the_antimeridian_is_one_piece(tmp_path: Path) -> None:
    ring = "-15.4 179.3 -15.4 -179.7 -16.4 -179.7 -16.4 179.3"
    change = ("14.4 146 14.4 147 13.4 147 13.4 146 14.4 146", ring)
    footprint = read_metadata(write_product(tmp_path, change)).footprint
    assert footprint.bounds[0] == 179.3
    assert footprint.bounds[2] == pytest.approx(180.3)


def real_products(reference_data: Path) -> list[Path]:
    found = [path.parent for path in (reference_data / "s2").rglob("manifest.safe")]
    assert len(found) == 9
    return found


def test_every_real_product_says_what_its_name_says(reference_data: Path) -> None:
    for path in real_products(reference_data):
        metadata = read_metadata(path)
        words = metadata.title.removeprefix("esa_").split("_")
        assert metadata.platform == words[0]
        assert metadata.processing_level[-2:] == ("1C" if "1C" in metadata.title else "2A")
        assert f"R{metadata.relative_orbit:03d}" in words
        # Both satellites repeat after 143 orbits, counted from a different one.
        assert metadata.orbit_number is not None
        first = {"S2A": -3, "S2B": 26}[metadata.platform]
        assert (metadata.orbit_number - metadata.relative_orbit - first) % 143 == 0


def test_a_real_footprint_lies_in_its_tile(reference_data: Path) -> None:
    for path in real_products(reference_data):
        metadata = read_metadata(path)
        if metadata.mgrs_tile is None:
            continue
        tile = mgrs.tile(metadata.mgrs_tile)
        to_tile = Transformer.from_crs(4326, tile.epsg, always_xy=True)
        x, y = to_tile.transform(*shapely.get_coordinates(metadata.footprint).T)
        columns, rows = ~tile.transform * (x, y)
        # One old product says of itself that its swath ends 207 m below its tile.
        assert min(columns.min(), rows.min()) > -10
        assert max(columns.max(), rows.max()) < 10980 + 21


def test_an_old_product_of_many_granules_is_of_the_collection_before_tiles(
    reference_data: Path,
) -> None:
    (path,) = (reference_data / "s2").rglob("S2A_OPER_PRD_MSIL1C_*.SAFE")
    metadata = read_metadata(path)
    assert (metadata.collection, metadata.mgrs_tile) == ("S2", None)
    assert read_sentinel2(Safe.open(path)).tiles == (
        *("53HLA", "53HMA", "53HNA", "53HNV", "53HPA", "53HPV"),
    )
    assert (metadata.start.hour, metadata.end.hour) == (0, 1)
    # 6.6 thousand vertices say what a hundred do.
    assert shapely.get_num_coordinates(metadata.footprint) < 200


def test_metadata_of_the_first_months_are_understood(reference_data: Path, tmp_path: Path) -> None:
    (sample,) = (reference_data / "s2").rglob("*MTD_SAFL1C*_R065_V20091211T165928*.xml")
    product = tmp_path / "S2A_OPER_PRD_MSIL1C_PDMC_20130621T120000_R065.SAFE"
    product.mkdir()
    shutil.copy(sample, product)
    (product / "manifest.safe").write_text("<XFDU/>")
    found = read_sentinel2(Safe.open(product))
    assert (found.baseline, found.orbit_number, found.relative_orbit) == ("01.01", 65, 65)
    assert len(found.tiles) == 18
    assert found.tiles[:3] == ("14SLD", "14SLE", "14SLF")
