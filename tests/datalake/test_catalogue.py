"""The static catalogue is valid STAC, says what is published, and can be moved anywhere."""

import json
import shutil
import threading

import pystac
import pytest
from pystac.extensions.file import FileExtension

from tests.datalake.conftest import sha256, small_product
from tests.web.stac.extension_rules import validate


def catalogue_of(folder):
    return pystac.Catalog.from_file(str(folder / "catalog.json"))


def documents(folder):
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_bytes())
        for path in sorted(folder.rglob("*.json"))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


@pytest.fixture
def filled(lake, publish):
    publish("2020-01-08")
    publish("2020-01-08", "_filtered")
    publish("2020-01-20")
    publish("2020-01-08", tile="33NVB")
    publish("2020-02-01", collection="S1-L1-ORTHO-5f2c09ab")
    return lake


def test_every_document_is_valid(filled):
    found = documents(filled.root)
    assert len(found) == 5 + 1 + 2 + 3 + 3 + 3 + 4  # items, root, collections, tiles ... days
    for document in found.values():
        validate(document)


def test_a_walk_from_the_root_finds_every_item_and_back(filled):
    root = catalogue_of(filled.root)
    found = {item.get_self_href(): item for item in root.get_items(recursive=True)}
    assert set(found) == {str(filled.root / one.path) for one in filled.files.products()}
    for item in found.values():
        assert item.get_root().id == root.id
        assert item.get_collection().id == item.collection_id
        assert item.get_parent().get_self_href() == item.get_self_href().rpartition("/")[0] + (
            "/catalog.json"
        )
    assert {child.id for child in root.get_children()} == {"S1-L1-ORTHO", "S1-L1-ORTHO-5f2c09ab"}


def test_links_hold_wherever_the_folder_is_moved(filled, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.move(filled.root, moved)
    items = list(catalogue_of(moved).get_items(recursive=True))
    assert len(items) == 5
    for item in items:
        for asset in item.get_assets().values():
            assert FileExtension.ext(asset).checksum == "1220" + sha256(
                moved / asset.get_absolute_href().removeprefix(f"{moved}/")
            )


def test_the_extent_is_that_of_what_is_there(filled):
    collection = pystac.Collection.from_file(str(filled.root / "S1-L1-ORTHO/collection.json"))
    ((start, end),) = collection.extent.temporal.intervals
    assert f"{start:%Y-%m-%d} {end:%Y-%m-%d}" == "2020-01-08 2020-01-20"
    boxes = [product.item["bbox"] for product in filled.files.products("S1-L1-ORTHO")]
    expected = [min(box[0] for box in boxes), min(box[1] for box in boxes)]
    expected += [max(box[2] for box in boxes), max(box[3] for box in boxes)]
    assert collection.extent.spatial.bboxes == [expected]
    assert collection.extra_fields["peps:parameters"] == {"filter": "quegan"}


def test_what_is_removed_leaves_the_catalogue(filled):
    for product in list(filled.files.products("S1-L1-ORTHO/33NWB")):
        filled.remove(product.path)
    root = catalogue_of(filled.root)
    assert len(list(root.get_items(recursive=True))) == 2
    collection = root.get_child("S1-L1-ORTHO")
    assert [child.title for child in collection.get_children()] == ["33NVB"]
    for product in list(filled.files.products()):
        filled.remove(product.path)
    assert documents(filled.root) == {}


def test_the_catalogue_depends_on_what_is_there_and_not_on_how_it_came(filled, lake):
    """Published in another order, replaced, removed and published again: the same documents."""
    before = documents(filled.root)
    products = list(filled.files.products())
    kept = {
        one.path: [filled.files.path(f"{one.folder}/{name}").read_bytes() for name in one.files]
        for one in products
    }
    scratch = filled.root.parent / "again"
    for product in products:
        filled.remove(product.path)
    for product in reversed(products):
        scratch.mkdir(exist_ok=True)
        files = [scratch / name for name in product.files]
        for file, content in zip(files, kept[product.path], strict=True):
            file.write_bytes(content)
        filled.publish(product.folder, product.item, files)
    assert documents(filled.root) == before


def test_publishing_in_many_threads_misses_nothing(lake, publish):
    days = [f"2020-0{month}-{day:02d}" for month in (1, 2, 3) for day in range(1, 9)]
    threads = [
        threading.Thread(target=lambda part: [publish(day) for day in part], args=(days[n::4],))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items = list(catalogue_of(lake.root).get_items(recursive=True))
    assert len(items) == len(days)
    assert len(lake.journal.present()) == len(days)


def test_a_collection_across_the_antimeridian_spans_all_longitudes(lake, publish, tmp_path):
    publish()
    folder, item, files = small_product(tmp_path, "2020-01-08", "", "01KAB", "S1-L1-ORTHO")
    west, south, east, north = 179.0, -20.0, -178.5, -19.0  # RFC 7946, 5.2
    lake.publish(folder, {**item, "bbox": [west, south, east, north]}, files)
    collection = pystac.Collection.from_file(str(lake.root / "S1-L1-ORTHO/collection.json"))
    ((box_west, box_south, box_east, _),) = collection.extent.spatial.bboxes
    assert (box_west, box_south, box_east) == (-180, -20, 180)
