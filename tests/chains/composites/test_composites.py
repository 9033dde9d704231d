"""Composites hold what the dates they are made of give, by formulas written out here."""

from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio
from affine import Affine
from rio_cogeo.cogeo import cog_validate

from peps_wps.chains.composites.channels import Channel
from peps_wps.chains.composites.composites import Making, Source, write_composites
from peps_wps.chains.ortho_s1.values import encode, value_format
from peps_wps.datalake.lake import Lake
from peps_wps.errors import ChainError
from tests.web.stac.extension_rules import validate

TILE, EPSG = "31TGL", 32631
SHAPE = (530, 540)  # more than one block each way
TRANSFORM = Affine(10, 0, 699960, 0, -10, 4900020)
FOLDER = "S1-L1-ORTHO/31TGL"
# (day, folder of the day)
DAYS = ("2018/07/08", "2018/07/20", "2018/08/01")
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[5.4, 44.1], [5.7, 44.1], [5.7, 44.3], [5.4, 44.3], [5.4, 44.1]]],
}


def item_of(identifier, day, **properties):
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": identifier,
        "geometry": SQUARE,
        "bbox": [5.4, 44.1, 5.7, 44.3],
        "properties": {"datetime": f"{day.replace('/', '-')}T05:52:00.000000Z", **properties},
        "links": [],
        "assets": {},
    }


def power_of(rng, mean):
    """Speckle with a corner of no data of its own."""
    power = rng.gamma(4.4, mean / 4.4, SHAPE).astype(np.float32)
    power[: rng.integers(100, 500), : rng.integers(100, 500)] = np.nan
    return power


def stored(path, bands, form):
    profile = {"driver": "GTiff", "height": SHAPE[0], "width": SHAPE[1], "count": len(bands)}
    profile |= {"dtype": form.dtype, "nodata": form.nodata, "crs": EPSG, "transform": TRANSFORM}
    with rasterio.open(path, "w", **profile) as dataset:
        for number, power in enumerate(bands, 1):
            dataset.write(encode(power, form), number)
            dataset.scales = (form.scale,) * len(bands)


@pytest.fixture
def form(request):
    return value_format(getattr(request, "param", "float32"), "gamma0")


@pytest.fixture
def series(rng, tmp_path, form):
    """Sources of three dates in two-band files, and their power (date, polarisation)."""
    power = [[power_of(rng, 0.2), power_of(rng, 0.04)] for _ in DAYS]
    sources = []
    for day, bands in zip(DAYS, power, strict=True):
        stem = f"s1b_gam_31TGL_vvvh_DES_139_{day.replace('/', '')}txxxxxx"
        path = tmp_path / f"{stem}.tif"
        stored(path, bands, form)
        image = {"VV": Channel(path, 1), "VH": Channel(path, 2)}
        item = item_of(stem, day, platform="sentinel-1b")
        item["properties"] |= {"peps:date": day, "peps:calibration": "gamma0"}
        sources.append(Source(f"{FOLDER}/{day}", item, image))
    return sources, np.array(power)


@pytest.fixture
def making(tmp_path, form):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    created = datetime(2026, 11, 22, tzinfo=UTC)
    stem = "s1_gam_31TGL_vvvh_DES_139"
    return Making(TILE, stem, form, created, scratch, threads=2, lossless=True)


def physical(path):
    """The values of all bands as GDAL scales them, NaN for no data."""
    with rasterio.open(path) as dataset:
        values = dataset.read(masked=True).astype(float) * np.array(dataset.scales)[:, None, None]
        return values.filled(np.nan)


def as_power(values, form):
    if form.quantity == "decibels":
        return 10 ** (values / 10)
    return values**2 if form.quantity == "amplitude" else values


@pytest.mark.parametrize("form", ["float32", "uint16", "float32_db"], indirect=True)
def test_the_mean_of_a_month_is_that_of_power_over_the_dates_with_data(series, making, form):
    sources, power = series
    july, august = write_composites(["monthly"], sources, making)
    with np.errstate(invalid="ignore"):
        expected = np.nansum(power[:2], axis=0) / (~np.isnan(power[:2])).sum(axis=0)
    mean, counts = (physical(path) for path in july.files)
    # uint16 rounds an amplitude of 0.05 or more to 1e-4 twice, in and out.
    tolerance = 0.01 if form.dtype == "uint16" else 1e-5
    np.testing.assert_allclose(as_power(mean, form), expected, rtol=tolerance, atol=1e-5)
    np.testing.assert_array_equal(np.nan_to_num(counts), (~np.isnan(power[:2])).sum(axis=0))
    assert july.folder == "S1-L1-ORTHO/31TGL/2018/07"
    assert july.item["id"] == "s1_gam_31TGL_vvvh_DES_139_201807_mean"
    assert august.folder == "S1-L1-ORTHO/31TGL/2018/08"
    np.testing.assert_allclose(
        as_power(physical(august.files[0]), form), power[2], rtol=tolerance, atol=1e-5
    )


def test_the_ratio_is_power_over_power_where_both_are_known(series, making):
    sources, power = series
    (composite,) = write_composites(["ratio"], sources[:1], making)
    vv, vh = power[0]
    np.testing.assert_allclose(physical(composite.files[0])[0], vv / vh, rtol=1e-5)
    known = ~np.isnan(vv) & ~np.isnan(vh)
    np.testing.assert_array_equal(~np.isnan(physical(composite.files[0])[0]), known)


def test_colours_are_decibels_between_fixed_limits(series, making):
    sources, power = series
    (composite,) = write_composites(["rgb"], sources[:1], making)
    with rasterio.open(composite.files[0]) as dataset:
        picture = dataset.read()
        assert [kind.name for kind in dataset.colorinterp] == ["red", "green", "blue"]
    vv, vh = 10 * np.log10(power[0].astype(float))
    known = ~np.isnan(vv) & ~np.isnan(vh)
    for found, decibels, low, high in (
        (picture[0], vv, -20, 0),
        (picture[1], vh, -26, -6),
        (picture[2], vv - vh, 0, 15),
    ):
        expected = 1 + 254 * np.clip((decibels - low) / (high - low), 0, 1)
        assert np.abs(found[known] - expected[known]).max() <= 0.51  # rounded to a step
        assert (found[~known] == 0).all()


def test_composites_are_valid_cogs_with_items_that_name_their_dates(series, making, tmp_path):
    sources, _ = series
    lake = Lake(tmp_path / "lake")
    published = [
        lake.publish(one.folder, one.item, one.files)
        for one in write_composites(["monthly", "ratio", "rgb"], sources[:2], making)
    ]
    assert len(published) == 5
    for product in published:
        validate(product.item)
        for name in product.files:
            is_valid, errors, _ = cog_validate(lake.files.path(f"{product.folder}/{name}"))
            assert is_valid, errors
    mean = published[0].item
    assert mean["properties"]["datetime"] is None
    assert mean["properties"]["start_datetime"].startswith("2018-07-08")
    assert mean["properties"]["end_datetime"].startswith("2018-07-20")
    assert mean["properties"]["platform"] == "sentinel-1b"
    assert mean["properties"]["peps:calibration"] == "gamma0"
    for product in published:  # none of them is taken for a date of the series
        assert "peps:date" not in product.item["properties"]
        assert product.item["properties"]["peps:composite"] in ("monthly", "ratio", "rgb")
    links = [link["href"] for link in mean["links"] if link["rel"] == "derived_from"]
    month = lake.files.path(published[0].folder)
    expected = [lake.root / f"{source.folder}/{source.item['id']}.json" for source in sources[:2]]
    assert [(month / link).resolve() for link in links] == expected


def test_files_of_one_polarisation_each_are_read_as_well(rng, tmp_path, making, form):
    power = {name: power_of(rng, 0.1) for name in ("VV", "VH")}
    image = {}
    for name, values in power.items():
        stored(tmp_path / f"{name}.tif", [values], form)
        image[name] = Channel(tmp_path / f"{name}.tif")
    source = Source(f"{FOLDER}/{DAYS[0]}", item_of("s1b", DAYS[0]), image)
    (mean,) = write_composites(["monthly"], [source], making)
    found = as_power(physical(mean.files[0]), form)
    np.testing.assert_allclose(found, np.stack([*power.values()]), rtol=1e-5)


def test_colours_of_one_polarisation_are_refused(series, making):
    sources, _ = series
    only = Source(sources[0].folder, sources[0].item, {"VV": sources[0].image["VV"]})
    with pytest.raises(ChainError, match="has VV: a ratio needs VV and VH"):
        list(write_composites(["rgb"], [only], making))
