"""A catalogue of Sentinel-1 and Sentinel-2 products, small and like a real one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import shapely

from catalog_db.catalogue import products
from catalog_db.catalogue.products import Product
from tests.archive_world import ArchiveWorld

FIRST = datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)


def fill(world: ArchiveWorld, number: int = 60) -> list[Product]:
    """Store `number` products, every third one of Sentinel-2; return them, latest start first."""
    known = [_optical(index) if index % 3 == 2 else radar(index) for index in range(number)]
    with world.engine.begin() as connection:
        products.insert_products(connection, known)
    return known[::-1]


def footprints_about(index: int) -> shapely.Polygon:
    """Return a box that moves east with the number of its product, from 1 degree on."""
    west = 1.0 + 0.1 * index
    return shapely.box(west, 42.0, west + 2.5, 43.7)


def titles(number: int) -> Iterator[str]:
    """Yield the titles of `fill`, the earliest first."""
    for index in range(number):
        yield (_optical(index) if index % 3 == 2 else radar(index)).title


def radar(index: int) -> Product:
    start = FIRST + timedelta(hours=index)
    platform = "S1A" if index % 2 else "S1B"
    stamp = f"{start:%Y%m%dT%H%M%S}"
    return Product(
        title=f"{platform}_IW_GRDH_1SDV_{stamp}_{stamp}_{39000 + index:06d}_049F13_{index:04X}",
        collection="S1",
        platform=platform,
        product_type="GRD",
        sensor_mode="IW",
        instrument="SAR-C SAR",
        processing_level="LEVEL1",
        polarization="VV VH" if index % 4 else "VV",
        swath="IW",
        orbit_number=39000 + index,
        relative_orbit=59 + index % 5,
        orbit_direction="ascending" if index % 2 else "descending",
        mission_take_id=302867,
        cycle_number=238,
        start=start,
        end=start + timedelta(seconds=25),
        published=start + timedelta(hours=3),
        updated=start + timedelta(hours=3),
        footprint=footprints_about(index),
        size_bytes=1_000_000_000 + index,
        checksum="ab" * 32,
    )


def _optical(index: int) -> Product:
    start = FIRST + timedelta(hours=index)
    stamp = f"{start:%Y%m%dT%H%M%S}"
    return Product(
        title=f"S2A_MSIL1C_{stamp}_N0301_R051_T31TCJ_{stamp}",
        collection="S2ST",
        platform="S2A",
        product_type="S2MSI1C",
        sensor_mode="INS-NOBS",
        instrument="MSI",
        processing_level="LEVEL1C",
        orbit_number=32000 + index,
        relative_orbit=51,
        orbit_direction="descending",
        mgrs_tile="31TCJ",
        cloud_cover=float(index),
        start=start,
        end=start,
        published=start + timedelta(hours=3),
        updated=start + timedelta(hours=3),
        footprint=footprints_about(index),
        size_bytes=800_000_000 + index,
        checksum="cd" * 16,
        properties={"quicklook": f"https://peps.example.org/{stamp}.jpg", "sunElevation": 55.5},
    )
