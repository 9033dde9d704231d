import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event

import peps_wps.ingest
from catalog_db import SearchQuery, search
from catalog_db.catalogue import products
from peps_wps.ingest import IngestState, ingest
from peps_wps.readers.sentinel1_grd import read_grd
from peps_wps.services import Services
from tests.archive_world import ArchiveWorld
from tests.readers.safe_builder import TITLE, SafeRecipe, write_folder, zip_folder


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ArchiveWorld]:
    world = ArchiveWorld(tmp_path / "var")
    yield world
    world.engine.dispose()


@pytest.fixture
def services(world: ArchiveWorld) -> Services:
    return Services.of(world.config, world.engine)


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    dn = np.arange(60, dtype=np.uint16).reshape(6, 10)
    return write_folder(SafeRecipe(dn={"VV": dn, "VH": dn + 1}), tmp_path)


def catalogued(services: Services) -> tuple[products.Product, ...]:
    with services.engine.connect() as connection:
        return search(connection, SearchQuery()).items


def test_a_folder_becomes_a_product_on_tape_whose_file_has_the_announced_size(
    safe: Path, services: Services, world: ArchiveWorld
):
    report = ingest([safe], tier="tape", services=services)

    assert report.is_complete
    (one,) = report.products
    (product,) = catalogued(services)
    assert (one.state, one.title, one.uid) == (IngestState.ADDED, TITLE, product.uid)
    assert product.file_path == f"S1/2021/08/09/{TITLE}.zip"
    assert world.archive.mode([product.uid]) == {product.uid: "tape"}
    assert product.size_bytes == world.tape_file(TITLE).stat().st_size
    # What the manifest of the recipe says.
    assert (product.platform, product.product_type, product.sensor_mode) == ("S1A", "GRD", "IW")
    assert (product.relative_orbit, product.orbit_direction) == (59, "ascending")
    assert product.polarization == "VV VH"
    assert product.start.isoformat() == "2021-08-09T17:39:53.153776+00:00"
    assert product.footprint.bounds == (1.5, 44.5, 5.1, 46.4)


def test_what_is_ingested_can_be_read_back_as_it_was(safe: Path, services: Services):
    ingest([safe], tier="disk", services=services)
    (product,) = catalogued(services)

    archived = services.archive.path(product.uid)
    with zipfile.ZipFile(archived) as archive:
        assert archive.namelist()[0] == f"{TITLE}.SAFE/"
    dn = read_grd(archived).images["VV"].lines.read(0, 6)
    np.testing.assert_array_equal(dn, np.arange(60, dtype=np.uint16).reshape(6, 10))


def test_ingesting_again_changes_nothing(safe: Path, tmp_path: Path, services: Services):
    zipped = zip_folder(safe, tmp_path / f"{TITLE}.zip")
    ingest([safe], tier="tape", services=services)
    before = catalogued(services)

    report = ingest([safe, zipped], tier="tape", services=services)

    assert [one.state for one in report.products] == [IngestState.KNOWN] * 2
    assert report.is_complete
    assert [product.updated for product in catalogued(services)] == [before[0].updated]


def test_a_malformed_product_is_refused_by_name_and_the_others_go_on(
    safe: Path, tmp_path: Path, services: Services, world: ArchiveWorld
):
    broken = tmp_path / f"{TITLE.replace('6FF8', '0000')}.zip"
    broken.write_bytes(b"no zip at all")

    report = ingest([broken, tmp_path / "absent.SAFE", safe], tier="tape", services=services)

    states = [one.state for one in report.products]
    assert states == [IngestState.REFUSED, IngestState.REFUSED, IngestState.ADDED]
    assert not report.is_complete
    assert report.products[0].title == broken.name
    assert all(one.message for one in report.products[:2])
    assert [product.title for product in catalogued(services)] == [TITLE]
    assert len(list(world.config.tape.path.rglob("*.zip"))) == 1


def test_a_damaged_product_is_refused_on_demand_and_nothing_of_it_kept(
    safe: Path, services: Services, world: ArchiveWorld
):
    measurement = next((safe / "measurement").iterdir())
    content = bytearray(measurement.read_bytes())
    content[-1] ^= 1
    measurement.write_bytes(content)

    (one,) = ingest([safe], tier="tape", services=services, strict=True).products

    assert one.state is IngestState.REFUSED
    assert f"measurement/{measurement.name} of {TITLE} is damaged" in one.message
    assert catalogued(services) == ()
    assert list(world.config.tape.path.rglob("*.zip")) == []


def test_a_product_other_than_its_manifest_states_is_taken_with_a_warning(
    safe: Path, services: Services
):
    measurement = next((safe / "measurement").iterdir())
    measurement.unlink()

    report = ingest([safe], tier="tape", services=services)

    (one,) = report.products
    assert report.is_complete
    assert one.state is IngestState.ADDED
    assert f"lacks measurement/{measurement.name}" in one.message
    assert [product.title for product in catalogued(services)] == [TITLE]


def test_a_failure_between_copy_and_catalogue_leaves_nothing_half_and_can_be_repeated(
    safe: Path, services: Services, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as context:

        def fail(*_arguments):
            raise RuntimeError("killed here")

        context.setattr(products, "place", fail)
        with pytest.raises(RuntimeError, match="killed here"):
            ingest([safe], tier="tape", services=services)
    assert catalogued(services) == ()

    report = ingest([safe], tier="tape", services=services)

    assert [one.state for one in report.products] == [IngestState.ADDED]
    assert len(catalogued(services)) == 1


def test_a_withdrawn_product_stays_withdrawn(safe: Path, services: Services):
    ingest([safe], tier="tape", services=services)
    (product,) = catalogued(services)
    with services.engine.begin() as connection:
        products.withdraw(connection, product.uid)

    (one,) = ingest([safe], tier="tape", services=services).products

    assert (one.state, one.message) == (
        IngestState.REFUSED,
        f"the product {TITLE} has been withdrawn",
    )
    assert catalogued(services) == ()


def several(tmp_path: Path, number: int) -> list[Path]:
    dn = np.arange(60, dtype=np.uint16).reshape(6, 10)
    return [
        write_folder(
            SafeRecipe(title=f"{TITLE[:-4]}{one:04X}", dn={"VV": dn, "VH": dn + one}), tmp_path
        )
        for one in range(number)
    ]


def test_products_that_are_ready_together_become_known_in_one_transaction(
    tmp_path: Path, services: Services, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(peps_wps.ingest, "_GROUP_S", 60.0)
    commits = []
    event.listen(services.engine, "commit", commits.append)
    paths = several(tmp_path, 6)
    report = ingest(paths, tier="tape", services=services)

    assert [one.path for one in report.products] == paths
    assert {one.state for one in report.products} == {IngestState.ADDED}
    assert len(catalogued(services)) == 6
    assert len(commits) == 1


def test_a_product_that_cannot_become_known_does_not_stop_those_beside_it(
    tmp_path: Path, services: Services
):
    paths = several(tmp_path, 4)
    other = tmp_path / "other.zip"
    other.write_bytes(b"another content")
    stored = services.archive.copy(other, f"S1/2021/08/09/{paths[2].stem}.zip", tier="disk")
    with services.engine.begin() as connection:
        services.archive.record(stored, connection)

    report = ingest(paths, tier="tape", services=services)

    added, refused = IngestState.ADDED, IngestState.REFUSED
    assert [one.state for one in report.products] == [added, added, refused, added]
    assert "another content" in report.products[2].message
    assert len(catalogued(services)) == 3


def test_a_product_that_is_given_twice_is_taken_once(
    safe: Path, tmp_path: Path, services: Services
):
    zipped = zip_folder(safe, tmp_path / f"{TITLE}.zip")

    report = ingest([safe, zipped, safe], tier="tape", services=services)

    states = [one.state for one in report.products]
    assert sorted(states) == [IngestState.ADDED, IngestState.KNOWN, IngestState.KNOWN]
    assert {one.uid for one in report.products} == {catalogued(services)[0].uid}


def test_progress_ends_at_100_percent(safe: Path, services: Services):
    told = []

    ingest([safe], tier="disk", services=services, progress=lambda *step: told.append(step))

    assert told == [(0, f"Ingesting {safe.name}"), (100, "Ingested")]


def test_every_real_product_is_found_where_its_manifest_says_it_lies(
    reference_data: Path, services: Services
):
    paths = sorted((reference_data / "s1" / "safe").glob("*.zip"))

    strict = ingest(paths, tier="disk", services=services, strict=True)
    report = ingest(paths, tier="disk", services=services)

    # They came without measurements: nothing to be strict about, and enough to be catalogued.
    assert not any(one.uid for one in strict.products)
    assert report.is_complete
    assert all("which its manifest states" in one.message for one in report.products)
    found = {product.title: product for product in catalogued(services)}
    for path in paths:
        product = found[path.stem]
        assert product.title.startswith(f"{product.platform}_{product.sensor_mode}"[:4])
        assert f"_{product.start:%Y%m%dT%H%M%S}_{product.end:%Y%m%dT%H%M%S}_" in product.title
        assert f"_{product.orbit_number:06d}_{product.mission_take_id:06X}_" in product.title
        with services.engine.connect() as connection:
            query = SearchQuery(
                region=product.footprint.centroid, start_from=product.start, start_to=product.start
            )
            assert product.title in {one.title for one in search(connection, query).items}


def test_a_number_too_large_for_the_catalogue_refuses_its_product_and_no_other(
    safe: Path, tmp_path: Path, services: Services, world: ArchiveWorld
):
    dn = np.zeros((6, 10), np.uint16)
    good = write_folder(SafeRecipe(dn={"VV": dn}), tmp_path / "good")
    manifest = safe / "manifest.safe"
    text = manifest.read_text()
    manifest.write_text(text.replace("TakeID>302867<", f"TakeID>{2**64}<"))
    assert manifest.read_text() != text

    report = ingest([safe, good], tier="tape", services=services)

    refused, added = report.products
    assert (refused.state, added.state) == (IngestState.REFUSED, IngestState.ADDED)
    assert "more than 32 bits in missionDataTakeID" in refused.message
    assert len(list(world.config.tape.path.glob("*/*.zip"))) == 1
