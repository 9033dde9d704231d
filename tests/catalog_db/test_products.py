import dataclasses
import multiprocessing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from sqlalchemy import insert, select

from catalog_db import SearchQuery, search
from catalog_db.catalogue import products
from catalog_db.catalogue.products import Product
from catalog_db.engine import Engine, create_engine
from catalog_db.errors import FootprintError, UnknownProductError
from catalog_db.tables import cell, file, item
from catalog_db.times import from_us, to_us
from tests.catalog_db.synthetic import catalogue

START = datetime(2021, 8, 9, 17, 39, 53, 123_456, UTC)


def grd(**changes) -> Product:
    fields = {
        "title": "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8",
        "collection": "S1",
        "platform": "S1A",
        "product_type": "GRD",
        "sensor_mode": "IW",
        "polarization": "VV VH",
        "orbit_number": 39156,
        "relative_orbit": 59,
        "orbit_direction": "ascending",
        "start": START,
        "end": START + timedelta(seconds=25),
        "published": START + timedelta(hours=3),
        "updated": START + timedelta(hours=3),
        "footprint": shapely.box(1.0, 42.0, 3.5, 43.7),
        "size_bytes": 1_016_021_543,
        "properties": {"realtime": "Fast-24h"},
    }
    return Product(**{**fields, **changes})


def test_identifiers_are_those_that_peps_gave():
    # The recorded PEPS answer in CS-SI/eodag v2.12.1, tests/resources/provider_responses.
    title = "S2A_MSIL1C_20200815T005251_N0209_R002_T55PDR_20200815T023440"

    assert products.product_uid("S2ST", title) == "01f888ef-3368-59ff-a639-52242d159d7c"


def test_a_product_comes_back_as_it_was_stored(engine: Engine):
    product = grd()
    with engine.begin() as connection:
        assert products.insert_products(connection, [product]) == 1

    with engine.connect() as connection:
        for identifier in (product.uid, product.title, product.title + ".SAFE"):
            found = products.get(connection, identifier)
            assert found.footprint.equals(product.footprint)
            assert dataclasses.replace(found, footprint=product.footprint) == product
        assert products.get(connection, "S1A_UNKNOWN") is None


def test_storing_again_changes_nothing(engine: Engine):
    with engine.begin() as connection:
        products.insert_products(connection, [grd()])
        assert products.insert_products(connection, [grd(), grd()]) == 0


def test_a_newer_form_replaces_the_older_in_its_row_and_keeps_the_publication(engine: Engine):
    newer = grd(
        updated=START + timedelta(days=9), published=START + timedelta(days=9), size_bytes=1
    )
    with engine.begin() as connection:
        products.insert_products(connection, [grd(), grd(title="another")])
        key = connection.scalar(select(item.c.pk).where(item.c.uid == newer.uid))
        assert products.insert_products(connection, [newer]) == 1
        assert products.insert_products(connection, [grd()]) == 0  # an older form comes late

        found = products.get(connection, newer.uid)
        assert (found.size_bytes, found.published) == (1, grd().published)
        assert connection.scalar(select(item.c.pk).where(item.c.uid == newer.uid)) == key


def test_a_withdrawn_product_is_kept_and_says_so(engine: Engine):
    with engine.begin() as connection:
        products.insert_products(connection, [grd()])
        products.withdraw(connection, grd().uid)

        assert products.get(connection, grd().uid).withdrawn
        with pytest.raises(UnknownProductError, match="no product is called x"):
            products.withdraw(connection, "x")


def test_a_placed_product_knows_its_file(engine: Engine):
    path = "S1/2021/08/09/a.zip"
    with engine.begin() as connection:
        products.insert_products(connection, [grd()])
        values = {
            "size_bytes": 1,
            "checksum_algorithm": "sha256",
            "checksum": "0",
            "backend": "disk",
        }
        key = connection.execute(
            insert(file).values(path=path, created_us=0, **values)
        ).inserted_primary_key[0]
        products.place(connection, {grd().uid: key})
        products.place(connection, {grd().uid: key})

        assert products.get(connection, grd().uid).file_path == path


def test_a_cell_holds_the_boxes_of_all_its_members(engine: Engine):
    tiles = [
        grd(title="west", mgrs_tile="01WCN", footprint=shapely.box(179.2, 65.1, 179.9, 66.0)),
        grd(title="east", mgrs_tile="01WCN", footprint=shapely.box(-179.9, 65.2, -177.3, 66.3)),
    ]
    with engine.begin() as connection:
        for tile in tiles:
            products.insert_products(connection, [tile])
        rows = connection.execute(select(cell.c.name, cell.c.x0, cell.c.y0, cell.c.x1, cell.c.y1))

        # One narrow box about zone 1, not one around the world; a unit of rounding either side.
        (name, *box) = rows.one()
        assert name == "01WCN"
        assert box == pytest.approx([-1_808_000, 651_000, -1_773_000, 663_000], abs=1)


@pytest.mark.parametrize(
    "footprint", [shapely.Point(1, 2), shapely.Polygon(), shapely.box(0, 80, 1, 91)]
)
def test_a_footprint_without_a_place_is_refused(engine: Engine, footprint):
    with pytest.raises(FootprintError), engine.begin() as connection:
        products.insert_products(connection, [grd(footprint=footprint)])


def test_instants_survive_to_the_microsecond():
    assert from_us(to_us(START)) == START
    with pytest.raises(ValueError, match="time zone"):
        to_us(datetime(2021, 8, 9))  # noqa: DTZ001


def _insert_and_search(url: str, seed: int, start, results) -> None:
    engine = create_engine(url)
    known = [one.product for one in catalogue(300, np.random.default_rng(7))]
    order = np.random.default_rng(seed).permutation(len(known))
    start.wait()
    changed = 0
    for batch in np.array_split(order, 10):
        with engine.begin() as connection:
            changed += products.insert_products(connection, [known[index] for index in batch])
        with engine.connect() as connection:
            # What this writer has committed is there; nothing is there twice.
            found = search(connection, SearchQuery(limit=500)).items
            titles = [product.title for product in found]
            assert len(titles) == len(set(titles))
            assert {known[index].title for index in batch} <= set(titles)
    results.put(changed)


def test_processes_that_store_the_same_products_at_once_store_each_once(url: str):
    fork = multiprocessing.get_context("fork")
    start, results = fork.Event(), fork.Queue()
    writers = [
        fork.Process(target=_insert_and_search, args=(url, seed, start, results))
        for seed in range(4)
    ]
    for writer in writers:
        writer.start()
    start.set()
    changed = [results.get(timeout=200) for _ in writers]
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0] * 4
    assert sum(changed) == 300
