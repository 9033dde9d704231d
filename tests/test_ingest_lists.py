"""Lists of products reach the catalogue whole, in batches, once."""

import csv
import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import shapely

from catalog_db.catalogue import ingestion, products
from catalog_db.catalogue.footprints import placed
from catalog_db.catalogue.products import Product
from peps_wps import ingest_lists
from peps_wps.cli import main
from peps_wps.ingest_lists import ListReport, ingest_list
from peps_wps.records import ListError, RecordList
from peps_wps.services import Services
from peps_wps.web import resto_feature
from peps_wps.web.stac import item as stac_item
from tests.archive_world import ArchiveWorld

DAY = datetime(2020, 8, 15, 0, 52, 51, 24000, tzinfo=UTC)


def optical(number: int = 0, **changes: Any) -> Product:
    title = f"S2A_MSIL1C_20200815T005251_N0209_R002_T55PDR_20200815T{number:06d}"
    values: dict[str, Any] = {
        "title": title,
        "collection": "S2ST",
        "platform": "S2A",
        "product_type": "S2MSI1C",
        "start": DAY,
        "end": DAY,
        "published": DAY,
        "updated": DAY,
        "footprint": shapely.box(146, 13.4, 147, 14.4),
        "size_bytes": 781865648,
        "checksum": "8f14e45fceea167a5a36dedd4bea2543",
        "instrument": "MSI",
        "processing_level": "LEVEL1C",
        "orbit_number": 26883,
        "relative_orbit": 2,
        "orbit_direction": "descending",
        "mgrs_tile": "55PDR",
        "cloud_cover": 20.5218,
        "snow_cover": 0.5,
    }
    return Product(**(values | changes))


def radar(**changes: Any) -> Product:
    return optical(
        title="S1A_IW_GRDH_1SDV_20200815T173953_20200815T174018_039156_049F13_6FF8",
        collection="S1",
        platform="S1A",
        product_type="GRD",
        sensor_mode="IW",
        swath="IW",
        polarization="VV VH",
        instrument="SAR-C SAR",
        processing_level="LEVEL1",
        orbit_number=39156,
        relative_orbit=59,
        orbit_direction="ascending",
        cycle_number=240,
        mission_take_id=302867,
        mgrs_tile=None,
        cloud_cover=None,
        snow_cover=None,
        checksum="9" * 64,
        footprint=shapely.box(178, -20, 181, -18),
        **changes,
    )


@pytest.fixture
def services(tmp_path: Path) -> Services:
    world = ArchiveWorld(tmp_path)
    return Services.of(world.config, world.engine, ())


def write(path: Path, features: list[Any]) -> Path:
    path.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))
    return path


def as_resto(product: Product) -> Any:
    (feature,) = resto_feature.features([stored(product)], {product.uid: "tape"}, "http://peps")
    return orjson.loads(orjson.dumps(feature))


def as_stac(product: Product) -> Any:
    (item,) = stac_item.items([stored(product)], ["tape"], "http://peps")
    return orjson.loads(orjson.dumps(item))


def stored(product: Product) -> Product:
    """As it comes from the catalogue: its footprint cut at the antimeridian."""
    return replace(product, footprint=placed(product.footprint)[0])


def known(services: Services, product: Product) -> Product | None:
    with services.engine.connect() as connection:
        return products.get(connection, product.uid)


def same(found: Product | None, wanted: Product) -> bool:
    assert found is not None
    apart = {"footprint", "properties"}
    for name, value in vars(wanted).items():
        if name not in apart:
            assert getattr(found, name) == value, name
    wanted_footprint = placed(wanted.footprint)[0].normalize()
    return bool(shapely.equals_exact(found.footprint.normalize(), wanted_footprint, 1e-6))


@pytest.mark.parametrize("product", [optical(), radar()], ids=["S2", "S1 over the antimeridian"])
def test_what_resto_shows_comes_back_the_same(
    services: Services, tmp_path: Path, product: Product
) -> None:
    report = ingest_list(write(tmp_path / "dump.json", [as_resto(product)]), services)
    assert report.refused == []
    assert same(known(services, product), product)


@pytest.mark.parametrize("product", [optical(), radar()], ids=["S2", "S1 over the antimeridian"])
def test_what_stac_shows_comes_back_the_same(
    services: Services, tmp_path: Path, product: Product
) -> None:
    report = ingest_list(write(tmp_path / "items.geojson", [as_stac(product)]), services)
    assert report.refused == []
    assert same(known(services, product), product)


def test_an_item_of_another_catalogue_is_understood(services: Services, tmp_path: Path) -> None:
    title = "S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126"
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "S2B_33XWJ_20220413_0_L2A",
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[15, 80.1], [17, 80.1], [17, 80.2], [15, 80.2], [15, 80.1]]],
        },
        "properties": {
            "datetime": "2022-04-13T15:07:59.024Z",
            "platform": "sentinel-2b",
            "s2:product_uri": f"{title}.SAFE",
            "s2:product_type": "S2MSI2A",
            "s2:datatake_type": "INS-NOBS",
            "s2:processing_baseline": "04.00",
            "sat:orbit_state": "ascending",
            "sat:relative_orbit": 25,
            "mgrs:utm_zone": 33,
            "mgrs:latitude_band": "X",
            "mgrs:grid_square": "WJ",
            "eo:cloud_cover": 98.94,
        },
        "assets": {},
    }
    assert ingest_list(write(tmp_path / "items.json", [item]), services).refused == []
    with services.engine.connect() as connection:
        found = products.get(connection, title)
    assert found is not None
    assert (found.collection, found.mgrs_tile, found.sensor_mode) == ("S2ST", "33XWJ", "INS-NOBS")
    assert found.properties == {"processingBaseline": "04.00"}


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


ROW = {
    "title": "S1A_IW_SLC__1SDV_20200815T173953_20200815T174018_039156_049F13_0000",
    "collection": "S1",
    "platform": "S1A",
    "product_type": "SLC",
    "start": "2020-08-15T17:39:53Z",
    "orbit_number": "39156",
    "footprint": "POLYGON((1 43, 3 43, 3 44, 1 44, 1 43))",
    "size_bytes": "4000000000",
    "checksum": "ab" * 32,
    "path": "S1/2020/08/15/old.zip",
    "tape": "T00017",
    "position": "123456",
}


def test_a_table_says_where_the_tape_holds_a_product(services: Services, tmp_path: Path) -> None:
    report = ingest_list(table(tmp_path / "tapes.csv", [ROW]), services)
    assert (report.taken, report.refused) == (1, [])
    with services.engine.connect() as connection:
        found = products.get(connection, ROW["title"])
        (row,) = connection.exec_driver_sql(
            "SELECT path, tape, position, checksum_algorithm, backend FROM file"
        ).all()
    assert found is not None
    assert (found.file_path, found.relative_orbit) == (ROW["path"], 59)
    assert tuple(row) == (ROW["path"], "T00017", 123456, "sha256", "simtape")


def test_a_table_may_name_the_tape_backend_of_each_product(tmp_path: Path) -> None:
    rows = [{**ROW, "backend": name} for name in ("hsm", "", "cloud")]
    first, second, third = RecordList(
        table(tmp_path / "tapes.csv", rows), ["simtape", "hsm"]
    ).records(DAY)
    assert first.file is not None
    assert second.file is not None
    assert (first.file.backend, second.file.backend) == ("hsm", "simtape")
    assert third.problem == "backend is cloud, expected simtape or hsm"


def test_another_content_under_a_known_path_is_refused(services: Services, tmp_path: Path) -> None:
    ingest_list(table(tmp_path / "one.csv", [ROW]), services)
    other = {**ROW, "title": "S1A_OTHER", "checksum": "cd" * 32}
    report = ingest_list(table(tmp_path / "two.csv", [other]), services)
    assert report.refused == [
        ("S1A_OTHER", "the archive holds another content as S1/2020/08/15/old.zip")
    ]
    with services.engine.connect() as connection:
        assert products.get(connection, "S1A_OTHER") is None


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("title", "", "title is missing"),
        ("title", "../../etc/passwd", "title ../../etc/passwd is not a name"),
        ("collection", "S9", "collection S9 is none of"),
        ("start", "yesterday", "start yesterday is not an ISO 8601 time"),
        ("start", "0001-01-01T00:00:00+23:00", "outside the calendar"),
        ("orbit_number", "12.5", "orbit_number 12.5 is not a whole number"),
        ("orbit_number", "99999999999", "more than 32 bits"),
        ("footprint", "POINT(1 2)", "geometry is a Point, a polygon expected"),
        ("footprint", "POLYGON((1 43, 3", "footprint is not WKT"),
        ("footprint", "CIRCULARSTRING(0 0, 1 1, 2 0)", "footprint is not WKT"),
        ("footprint", "POLYGON((0 91, 1 95, 2 91, 0 91))", "latitudes"),
        ("footprint", "POLYGON((0 nan, 1 nan, 2 nan, 0 nan))", "footprint is not WKT"),
        ("size_bytes", "-1", "size_bytes -1 is not a whole number"),
        ("checksum", "xyz", "neither MD5 nor SHA-256"),
        ("checksum", "", "checksum is missing"),
        ("path", "../x.zip", "not a path inside the archive"),
        ("path", "/x.zip", "not a path inside the archive"),
    ],
)
def test_a_malformed_record_is_refused_by_name_and_the_others_go_on(
    tmp_path: Path, column: str, value: str, problem: str
) -> None:
    good = {**ROW, "title": "S1A_GOOD", "path": "S1/good.zip"}
    path = table(tmp_path / "list.csv", [{**ROW, column: value}, good])
    bad, other = RecordList(path, ["simtape"]).records(DAY)
    assert problem in bad.problem
    assert bad.product is None
    assert bad.title == (ROW["title"] if column != "title" else value or "record 1")
    assert (other.title, other.problem) == ("S1A_GOOD", "")


@pytest.mark.parametrize(
    "feature",
    [
        None,
        7,
        {},
        {"properties": []},
        {"properties": {"productIdentifier": "A"}},
        {"properties": {"productIdentifier": "A"}, "geometry": {"type": "Polygon"}},
        {"properties": {"productIdentifier": ["A"]}, "geometry": {"type": "Point"}},
        {"stac_version": "1.0.0", "properties": {"platform": "landsat-8"}},
        {"stac_version": "1.0.0", "id": "x", "properties": {"platform": "S1A"}, "assets": [1]},
    ],
)
def test_what_is_no_product_is_refused(tmp_path: Path, feature: object) -> None:
    (record,) = RecordList(write(tmp_path / "list.json", [feature]), ["simtape"]).records(DAY)
    assert record.product is None
    assert record.problem


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("list.json", b"{", "not JSON"),
        ("list.json", b"7", "no feature collection"),
        ("list.csv", b"title,colour\n", "column colour is none of a product's"),
        ("list.csv", b"title,collection\n", "column platform is missing"),
        ("list.csv", b"\xff\xfe\x00", "cannot be read"),
        ("list.json.gz", b"no gzip", "cannot be read"),
    ],
)
def test_what_is_no_list_is_refused(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ListError, match=problem):
        list(RecordList(path, ["simtape"]).records(DAY))


def lines(path: Path, count: int) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number in range(count):
            file.write(orjson.dumps(as_resto(optical(number))) + b"\n")
    return path


def test_a_run_that_was_broken_off_goes_on_behind_its_last_batch(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_lists, "BATCH", 10)
    path = lines(tmp_path / "dump.ndjson.gz", 35)
    taken = ingestion.take
    calls: list[int] = []

    def break_in_third(*arguments: Any) -> dict[str, str]:
        calls.append(len(arguments[1]))
        refused = taken(*arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt  # within the transaction
        return refused

    monkeypatch.setattr(ingestion, "take", break_in_third)
    with pytest.raises(KeyboardInterrupt):
        ingest_list(path, services)
    assert known(services, optical(19)) is not None
    assert known(services, optical(20)) is None

    report = ingest_list(path, services)
    assert (report.skipped, report.taken) == (20, 15)
    assert known(services, optical(34)) is not None
    assert ingest_list(path, services) == ListReport(path, taken=0, skipped=35)
    assert ingest_list(path, services, again=True).taken == 35


def test_the_command_takes_products_in_folders_and_lists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lines(tmp_path / "dump.jsonl.gz", 3)
    assert main(["ingest", str(path), "--var", str(tmp_path / "var")]) == 0
    assert capsys.readouterr().out == "3 taken, 0 refused, 0 done before\n"

    assert main(["ingest", str(path), "--json", "--var", str(tmp_path / "var")]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["taken"], answer["skipped"]) == (0, 3)

    bad = write(tmp_path / "bad.json", [{}])
    assert main(["ingest", str(bad), "--var", str(tmp_path / "var")]) == 1
    assert "record 1: refused: is neither a STAC item nor" in capsys.readouterr().err
