"""A pass of two consecutive frames, as results describe it."""

from dataclasses import replace
from datetime import UTC, datetime

from shapely.geometry import Polygon

from peps_wps.readers.manifest import IpfVersion, Manifest
from peps_wps.writers.acquisition import Processing

FIRST = Manifest(
    title="S1A_IW_GRDH_1SDV_20200108T044150_20200108T044215_030704_038506_C7F5",
    platform="S1A",
    mode="IW",
    swath="IW",
    product_type="GRD",
    resolution="H",
    start=datetime(2020, 1, 8, 4, 41, 50, 123456, UTC),
    stop=datetime(2020, 1, 8, 4, 42, 15, tzinfo=UTC),
    orbit_number=30704,
    relative_orbit=7,
    cycle_number=100,
    orbit_direction="descending",
    polarizations=("VV", "VH"),
    datatake_id=0x38506,
    ipf_version=IpfVersion(3, 31),
    footprint=Polygon([(13, 1), (15.3, 1.5), (15, 3), (12.7, 2.5)]),
)
SECOND = replace(
    FIRST,
    title="S1A_IW_GRDH_1SDV_20200108T044215_20200108T044240_030704_038506_D953",
    start=datetime(2020, 1, 8, 4, 42, 15, tzinfo=UTC),
    stop=datetime(2020, 1, 8, 4, 42, 40, tzinfo=UTC),
    footprint=Polygon([(12.7, -0.5), (15, 0), (15.3, 1.5), (13, 1)]),
)
PROCESSING = Processing(
    calibration="sigma0",
    denoised=False,
    resampling="nearest",
    resolution=10.0,
    lower_signal_value=1e-7,
    dem="SRTM_30_hgt",
    orbit="annotation",
    version="0.1.0",
    created=datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
)
