"""A product reaches the catalogue with the words of PEPS."""

from pathlib import Path

import numpy as np
import pytest

from peps_wps.errors import SafeError
from peps_wps.readers.product_metadata import read_metadata
from tests.readers.safe_builder import SafeRecipe, write_folder


def test_a_real_grd_is_described_as_peps_does(reference_data: Path) -> None:
    (path,) = (reference_data / "s1" / "safe").glob("*_6FF8.zip")
    metadata = read_metadata(path)
    assert metadata.title == path.name.removesuffix(".zip")
    assert (metadata.collection, metadata.platform, metadata.product_type) == ("S1", "S1A", "GRD")
    assert (metadata.sensor_mode, metadata.swath) == ("IW", "IW")
    assert (metadata.instrument, metadata.processing_level) == ("SAR-C SAR", "LEVEL1")
    assert metadata.polarization == "VV VH"
    assert (metadata.orbit_number, metadata.relative_orbit) == (39156, 59)
    assert (metadata.orbit_direction, metadata.mission_take_id) == ("ascending", 302867)
    assert metadata.start.isoformat() == "2021-08-09T17:39:53.153776+00:00"
    assert metadata.footprint.bounds == (1.512143, 44.536255, 5.188996, 46.436539)


# Relative orbits of the satellites follow from the absolute number: peps_download counts so.
@pytest.mark.parametrize(("platform", "offset"), [("S1A", 73), ("S1B", 27)])
def test_relative_orbits_of_real_products_follow_their_number(
    reference_data: Path, platform: str, offset: int
) -> None:
    for path in (reference_data / "s1" / "safe").glob(f"{platform}_*.zip"):
        metadata = read_metadata(path)
        assert metadata.relative_orbit == (metadata.orbit_number - offset) % 175 + 1


def test_the_swaths_of_a_real_slc_are_listed(reference_data: Path) -> None:
    (path,) = (reference_data / "insar" / "s1_annotation_and_orbits").glob("*_6681.zip")
    metadata = read_metadata(path)
    assert (metadata.product_type, metadata.swath) == ("SLC", "IW1 IW2 IW3")


@pytest.mark.parametrize(
    ("product_type", "level"), [("RAW", "LEVEL0"), ("SLC", "LEVEL1"), ("OCN", "LEVEL2")]
)
def test_levels_follow_the_product_type(tmp_path: Path, product_type: str, level: str) -> None:
    path = write_folder(SafeRecipe(product_type=product_type), tmp_path)
    assert read_metadata(path).processing_level == level


def test_single_polarization_has_one_word(tmp_path: Path) -> None:
    path = write_folder(SafeRecipe(dn={"HH": np.ones((4, 4), np.uint16)}), tmp_path)
    assert read_metadata(path).polarization == "HH"


def test_an_unknown_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SafeError, match="is of type ETA, RAW, SLC, GRD, OCN expected"):
        read_metadata(write_folder(SafeRecipe(product_type="ETA"), tmp_path))


def test_a_product_cut_down_to_one_polarization_is_known_by_that(reference_data: Path) -> None:
    """Its manifest still names VV and VH; annotation and tables are of VV alone."""
    (path,) = (reference_data / "s1" / "safe").glob("S1B_IW_GRDH_*_5371.zip")
    assert read_metadata(path).polarization == "VV"
