from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from catalog_db.catalogue import products
from catalog_db.catalogue.extents import collection_extents
from catalog_db.catalogue.statistics import Volume, archive_volume, monthly_volume, rebuild
from catalog_db.engine import Engine
from tests.catalog_db.synthetic import catalogue
from tests.catalog_db.test_products import grd

NOW = datetime(2021, 9, 1, 12, tzinfo=UTC)


def published(days_ago: int, **changes):
    instant = NOW - timedelta(days=days_ago)
    return grd(title=f"S1A_{days_ago}", published=instant, updated=instant, **changes)


def test_counts_are_those_of_the_products_whatever_happened_to_them(engine: Engine):
    known = [one.product for one in catalogue(400, np.random.default_rng(3))]
    with engine.begin() as connection:
        products.insert_products(connection, known)
        products.insert_products(connection, known[:50])
        for product in known[:20]:
            products.withdraw(connection, product.uid)
        newer = [
            replace(one, size_bytes=7, updated=one.updated + timedelta(days=1))
            for one in known[100:110]
        ]
        products.insert_products(connection, newer)

    in_service = [*known[20:100], *newer, *known[110:]]
    with engine.connect() as connection:
        volume, months = archive_volume(connection, NOW), monthly_volume(connection)

    size = sum(product.size_bytes for product in in_service)
    assert volume.total == Volume(380, size)
    for platform, counted in volume.platforms.items():
        members = [product for product in in_service if product.platform == platform]
        assert counted == Volume(len(members), sum(one.size_bytes for one in members))
    for month in months:
        members = [
            product
            for product in in_service
            if product.platform == month.platform
            and (product.start.year, product.start.month) == (month.month.year, month.month.month)
        ]
        assert month.volume == Volume(len(members), sum(one.size_bytes for one in members))
    assert sum(month.volume.products for month in months) == 380
    assert [month.month for month in months] == sorted(month.month for month in months)


def test_counting_anew_changes_nothing(engine: Engine):
    with engine.begin() as connection:
        products.insert_products(
            connection, [one.product for one in catalogue(200, np.random.default_rng(4))]
        )
        before = (archive_volume(connection, NOW), monthly_volume(connection))
        rebuild(connection)
        assert (archive_volume(connection, NOW), monthly_volume(connection)) == before


def test_daily_acquisition_is_the_mean_of_the_last_whole_days(engine: Engine):
    with engine.begin() as connection:
        # Today is not over, and 31 days ago is too long.
        for days_ago, size in ((0, 900), (1, 50), (30, 10), (31, 900)):
            products.insert_products(connection, [published(days_ago, size_bytes=size)])
        volume = archive_volume(connection, NOW, days=30)

    assert [counted.size_bytes for counted in volume.last_days.values()] == [10, 50]
    assert volume.daily == Volume(0, 2)


def test_an_extent_begins_with_the_first_product(engine: Engine):
    with engine.begin() as connection:
        assert collection_extents(connection) == {}
        products.insert_products(connection, [grd(), grd(title="b", product_type="SLC")])
        extent = collection_extents(connection)["S1"]

    assert extent.first_day == grd().start.date()
    assert (extent.platforms, extent.product_types) == (("S1A",), ("GRD", "SLC"))
