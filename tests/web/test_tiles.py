"""Map tiles over HTTP: results of jobs and files of the datalake, for whoever may read them."""

import itertools
import json
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import rasterio
from lxml import etree
from owslib.wmts import WebMapTileService
from PIL import Image
from rasterio.warp import transform
from werkzeug.test import Client

from catalog_db import times
from catalog_db.access import users
from catalog_db.engine import create_engine
from peps_wps.access.passwords import hash_password
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from peps_wps.datalake.lake import Lake
from peps_wps.tiles.grid import Box, tiles_over
from peps_wps.writers.archive import write_archive
from tests.loopback import on_the_loopback
from tests.tiles.rasters import TRANSFORM, write_cog
from tests.wps.stand_in import FullMaja, Ledger

SIDE = 1200
WMTS = {"wmts": "http://www.opengis.net/wmts/1.0", "ows": "http://www.opengis.net/ows/1.1"}


class Site:
    """A service with one job whose results can be shown."""

    def __init__(self, root: Path, **environ: str) -> None:
        self.config = Config.load(var=root, environ={"PEPS_AUTH_MODE": "open", **environ})
        self.engine = create_engine(self.config.catalog.url)
        self.app: Application = create_app(self.config, self.engine, processes=(FullMaja,))
        self.client = Client(self.app)
        self.ledger = Ledger(self.engine, self.config)
        self.job = self.add_job()

    def add_job(self, owner: str = "anonymous") -> str:
        job = self.ledger.insert(owner=owner)
        folder = self.config.results.path / job.id
        raster = write_cog(folder / "power.tif", _power(), tags={"QUANTITY": "linear power"})
        other = write_cog(folder / "other-31TCJ-power.tif", _power()[:300].copy())
        members = {"31TCJ/mask.tif": other, "31TCJ/power.tif": raster, "report.json": raster}
        write_archive(folder / "all.zip", members)
        (folder / "notes.txt").write_text("no raster")
        results = {
            "power": {"href": "power.tif", "type": "image/tiff"},
            "archive": {"href": "all.zip", "type": "application/zip"},
            "notes": {"href": "notes.txt", "type": "text/plain"},
            "tiles": {"value": "1", "type": "text/plain"},
        }
        self.ledger.set(job.id, state="succeeded", results=results)
        return job.id

    def map(self, name: str = "power.tif") -> str:
        return f"/tiles/{self.job}~{name}"

    def tile(self, zoom: int = 12, name: str = "power.tif") -> str:
        """The tile over the middle of the raster."""
        point = TRANSFORM @ (SIDE / 2, SIDE / 2)
        (x,), (y,) = transform("EPSG:32631", "EPSG:3857", [point[0]], [point[1]])
        tile, _ = tiles_over(Box(x, y, x, y), zoom)
        return f"{self.map(name)}/{tile.zoom}/{tile.column}/{tile.row}.png"


def _power() -> np.ndarray:
    values = np.random.default_rng(3).gamma(4.4, 0.02, (SIDE, SIDE)).astype(np.float32)
    values[:, :200] = 0
    return values


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    return Site(tmp_path_factory.mktemp("tiles"))


def _problem(answer: Any) -> str:
    assert answer.content_type == "application/problem+json"
    document = json.loads(answer.data)
    assert document["status"] == answer.status_code
    return str(document["detail"])


def test_a_result_is_shown(site):
    answer = site.client.get(site.tile())

    assert (answer.status_code, answer.content_type) == (200, "image/png")
    shown = np.asarray(Image.open(BytesIO(answer.data)).convert("RGBA"))
    assert shown.shape == (256, 256, 4)
    assert (shown[..., 3] == 255).all()
    assert shown[..., 0].std() > 20


def test_a_member_of_a_zip_is_shown_as_the_file_itself(site):
    inside = site.client.get(site.tile(name="all.zip~31TCJ~power.tif"))
    assert inside.data == site.client.get(site.tile()).data


def test_tiles_come_at_twice_the_pixels_and_as_webp(site):
    address = site.tile().removesuffix(".png")
    for suffix, form, side in (("@2x.png", "PNG", 512), (".webp", "WEBP", 256)):
        image = Image.open(BytesIO(site.client.get(address + suffix).data))
        assert (image.format, image.size) == (form, (side, side))


def test_a_client_that_has_a_tile_is_told_so(site):
    first = site.client.get(site.tile())
    again = site.client.get(site.tile(), headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "public, max-age=3600"
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_each_tile_style_and_size_has_a_tag_of_its_own(site):
    tile = site.tile()
    addresses = [tile, site.tile(11), f"{tile}?db=false", f"{tile}?gamma=2", f"{tile}?bands=1"]
    addresses += [tile.replace(".png", "@2x.png"), tile.replace(".png", ".webp")]
    addresses += [site.tile(name="all.zip~31TCJ~power.tif")]

    tags = [site.client.get(address).headers["ETag"] for address in addresses]

    assert len(set(tags)) == len(tags)


def test_a_replaced_result_has_another_tag_and_another_picture(site):
    job = site.add_job()
    address = site.tile().replace(site.job, job)
    before = site.client.get(address)
    write_cog(site.config.results.path / job / "power.tif", _power()[::-1].copy())

    after = site.client.get(address, headers={"If-None-Match": before.headers["ETag"]})

    assert after.status_code == 200
    assert after.data != before.data


@pytest.mark.parametrize(
    "path",
    [
        "power.tif/12/0", "power.tif/25/0/0.png", "power.tif/-1/0/0.png", "power.tif/2/4/0.png",
        "power.tif/2/0/4.png", "power.tif/2/0/0.jpg", "power.tif/2/0/0", "power.tif/2/0/x.png",
        f"power.tif/{'9' * 5000}/0/0.png", f"power.tif/2/{'9' * 5000}/0.png",
        f"power.tif/2/0/{'9' * 5000}.png", "power.tif/2.0/0/0.png", "power.tif/2/0/0@3x.png",
        "power.tif/\u0661/0/0.png", "other.tif/2/0/0.png", "/2/0/0.png", "~power.tif/2/0/0.png",
        "..~..~power.tif/2/0/0.png", "..~peps.sqlite/2/0/0.png", "%2e%2e%2fpeps/2/0/0.png",
        "%00/2/0/0.png", f"{'a' * 3000}/2/0/0.png", "all.zip~../2/0/0.png",
        "all.zip~31TCJ~other.tif/2/0/0.png", "all.zip~%2fetc%2fpasswd/2/0/0.png",
        "power.tif~x/2/0/0.png", "%7eetc~passwd/2/0/0.png",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(site, path):
    assert site.client.get(f"/tiles/{site.job}~{path}").status_code == 404


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("notes.txt/2/0/0.png", "notes.txt cannot be shown as a map: it is no GeoTIFF"),
        ("all.zip/2/0/0.png", "all.zip cannot be shown as a map: it is no GeoTIFF"),
        ("all.zip/tilejson.json", "all.zip cannot be shown as a map: it is no GeoTIFF"),
        ("power.tif/2/2/1.png?bands=2", "bands is 2, expected 1 to 1"),
        ("power.tif/2/2/1.png?stretch=x", "stretch is x, expected numbers between commas"),
        ("power.tif/2/2/1.png?size=512", "size is none of bands"),
        ("power.tif/tilejson.json?bands=7", "bands is 7, expected 1 to 1"),
        ("power.tif/WMTSCapabilities.xml?gamma=0", "gamma is 0, expected a number from 0.1 to 10"),
        ("power.tif/WMTSCapabilities.xml?REQUEST=GetTile", "request is none of GetCapabilities"),
    ],
)
def test_what_cannot_be_shown_says_why(site, path, message):
    answer = site.client.get(f"/tiles/{site.job}~{path}")

    assert answer.status_code == 400
    assert message in _problem(answer)


def test_a_link_out_of_the_results_is_not_followed(site, tmp_path):
    secret = write_cog(tmp_path / "secret.tif", _power()[:64, :64].copy())
    (site.config.results.path / site.job / "link.tif").symlink_to(secret)

    assert site.client.get(f"{site.map('link.tif')}/2/2/1.png").status_code == 404


def test_a_job_without_results_says_so(site):
    waiting, gone = site.ledger.insert().id, site.add_job()
    site.ledger.set(gone, state="dismissed")
    unknown = "00000000-0000-4000-8000-000000000000"

    for job, status in ((waiting, 404), (gone, 410), (unknown, 404)):
        for address in (f"/tiles/{job}", f"/tiles/{job}~power.tif/2/2/1.png"):
            answer = site.client.get(address)
            assert answer.status_code == status
            assert _problem(answer)


def test_the_maps_of_a_job_are_listed_with_what_is_in_its_zips(site):
    listed = json.loads(site.client.get(f"/tiles/{site.job}").data)["maps"]

    # That of the zip which is a result by itself too is not there twice.
    assert [one["name"] for one in listed] == ["power.tif", "all.zip/31TCJ/mask.tif"]
    for one in listed:
        for relation in ("tilejson", "wmts"):
            assert site.client.get(one[relation]).status_code == 200


def test_tilejson_says_where_tiles_are(site):
    address = f"{site.map()}/tilejson.json?stretch=-20,-5&colour_map=heat"
    document = json.loads(site.client.get(address).data)

    west, south, east, north = document["bounds"]
    assert west < document["center"][0] < east
    assert south < document["center"][1] < north
    # 20 m on the ground at 44 degrees north are 28 m of the plane.
    assert (document["minzoom"], document["maxzoom"]) == (0, 13)
    zoom, column, row = site.tile().removesuffix(".png").split("/")[-3:]
    template = document["tiles"][0]
    shown = site.client.get(template.format(z=zoom, x=column, y=row))
    assert shown.data == site.client.get(site.tile() + "?stretch=-20,-5&colour_map=heat").data


def test_the_common_parts_of_wmts_capabilities_are_valid(site, ogc_schemas):
    """The schemas of WMTS itself are not among those at hand, those of OWS Common are."""
    answer = site.client.get(f"{site.map()}/WMTSCapabilities.xml")
    assert answer.content_type.startswith("application/xml")
    root = etree.fromstring(answer.data)
    schema = etree.XMLSchema(etree.parse(ogc_schemas / "ows" / "1.1.0" / "owsAll.xsd"))

    common = root.xpath(".//ows:*[not(ancestor::ows:*)]", namespaces=WMTS)

    assert len(common) > 20
    for element in common:
        schema.assertValid(etree.fromstring(etree.tostring(element)))


def test_the_layer_has_the_elements_that_the_wmts_schema_asks_for_in_its_order(site):
    # OGC 07-057r7, wmtsGetCapabilities_response.xsd: LayerType, TileMatrixSetType.
    root = etree.fromstring(site.client.get(f"{site.map()}/WMTSCapabilities.xml").data)

    def children(path: str) -> list[str]:
        (found,) = root.xpath(path, namespaces=WMTS)
        names = [etree.QName(child).localname for child in found]
        return [name for name, _ in itertools.groupby(names)]

    assert children("/wmts:Capabilities") == [
        "ServiceIdentification", "OperationsMetadata", "Contents", "ServiceMetadataURL",
    ]  # fmt: skip
    assert children("//wmts:Contents") == ["Layer", "TileMatrixSet"]
    assert children("//wmts:Layer") == [
        "Title", "WGS84BoundingBox", "Identifier", "Style", "Format", "TileMatrixSetLink",
        "ResourceURL",
    ]  # fmt: skip
    assert children("//wmts:Contents/wmts:TileMatrixSet") == [
        "Identifier", "SupportedCRS", "WellKnownScaleSet", "TileMatrix",
    ]  # fmt: skip
    assert children("//wmts:TileMatrix[ows:Identifier='3']") == [
        "Identifier", "ScaleDenominator", "TopLeftCorner", "TileWidth", "TileHeight",
        "MatrixWidth", "MatrixHeight",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def address(site):
    with on_the_loopback(site.app) as address:
        yield address


@pytest.mark.client
def test_gdal_and_so_qgis_opens_the_map_and_sees_the_raster(site, address):
    url = f"{address}{site.map()}/WMTSCapabilities.xml?resampling=nearest&stretch=0%2C0.2&db=0"

    with rasterio.open(f"WMTS:{url},layer={site.job}~power.tif") as service:
        # Twelve pixels of the tiles at the finest zoom, where the raster is known.
        rows, columns = np.array([300, 450, 700, 900]), np.array([300, 650, 1000])
        points = [TRANSFORM @ (c + 0.5, r + 0.5) for r in rows for c in columns]
        x, y = transform("EPSG:32631", "EPSG:3857", *zip(*points, strict=True))
        shown = np.array(list(service.sample(zip(x, y, strict=True))))

    assert (shown[:, 3] == 255).all()
    truth = _power()[np.repeat(rows, 3), np.tile(columns, 4)]
    # A tone of 255 is 0.0008.
    np.testing.assert_allclose(shown[:, 0] / 255 * 0.2, np.minimum(truth, 0.2), atol=0.0009)


@pytest.mark.client
def test_owslib_reads_the_capabilities(site, address):
    service = WebMapTileService(f"{address}{site.map()}/WMTSCapabilities.xml?gamma=2")

    layer = service.contents[f"{site.job}~power.tif"]
    west, _, _, north = layer.boundingBoxWGS84
    assert (west, north) == pytest.approx((0.4959, 44.2331), abs=1e-3)
    assert list(layer.tilematrixsetlinks) == ["GoogleMapsCompatible"]
    assert layer.resourceURLs[0]["template"].endswith(
        "/{TileMatrix}/{TileCol}/{TileRow}.png?gamma=2"
    )


@pytest.mark.client
def test_owslib_asks_for_tiles_by_pairs(site, address):
    service = WebMapTileService(f"{address}{site.map()}/wmts?stretch=-20%2C-5")
    zoom, column, row = site.tile().removesuffix(".png").split("/")[-3:]

    assert not service.restonly
    tile = service.gettile(
        layer=f"{site.job}~power.tif", tilematrix=zoom, row=int(row), column=int(column)
    )
    assert tile.read() == site.client.get(f"{site.tile()}?stretch=-20,-5").data


def _pairs(site: Site, **changed: str) -> str:
    zoom, column, row = site.tile().removesuffix(".png").split("/")[-3:]
    pairs = {
        "Service": "WMTS", "REQUEST": "GetTile", "version": "1.0.0", "format": "image/png",
        "layer": f"{site.job}~power.tif", "style": "default", "unknown": "1",
        "tilematrixset": "GoogleMapsCompatible", "TileMatrix": zoom, "TileCol": column,
        "TileRow": row, **changed,
    }  # fmt: skip
    return f"{site.map()}/wmts?{urlencode(pairs)}"


def test_a_tile_by_pairs_is_the_one_by_its_address(site):
    by_pairs, by_address = (site.client.get(one) for one in (_pairs(site), site.tile()))
    assert (by_pairs.data, by_pairs.content_type) == (by_address.data, "image/png")
    assert by_pairs.headers["ETag"] == by_address.headers["ETag"]
    unsaid = _pairs(site, style="", gamma="2")
    assert site.client.get(unsaid).data == site.client.get(f"{site.tile()}?gamma=2").data


@pytest.mark.parametrize(
    ("changed", "status", "code", "locator"),
    [
        ({"Service": "WMS"}, 400, "InvalidParameterValue", "service"),
        ({"REQUEST": ""}, 400, "MissingParameterValue", "request"),
        ({"REQUEST": "GetFeatureInfo"}, 501, "OperationNotSupported", "GetFeatureInfo"),
        ({"version": ""}, 400, "MissingParameterValue", "version"),
        ({"version": "2.0.0"}, 400, "InvalidParameterValue", "version"),
        ({"layer": "other\x00\x1f"}, 400, "InvalidParameterValue", "layer"),
        ({"style": "dark"}, 400, "InvalidParameterValue", "style"),
        ({"format": "image/jpeg"}, 400, "InvalidParameterValue", "format"),
        ({"tilematrixset": "EPSG:4326"}, 400, "InvalidParameterValue", "tilematrixset"),
        ({"TileMatrix": "14"}, 400, "InvalidParameterValue", "tilematrix"),
        ({"TileMatrix": "x"}, 400, "InvalidParameterValue", "tilematrix"),
        ({"TileRow": "4096"}, 400, "TileOutOfRange", "tilerow"),
        ({"TileCol": "99999999"}, 400, "TileOutOfRange", "tilecol"),
        ({"TileCol": "-1"}, 400, "InvalidParameterValue", "tilecol"),
        ({"bands": "2"}, 400, "InvalidParameterValue", "bands"),
        (
            {"REQUEST": "GetCapabilities", "AcceptVersions": "2.0.0"},
            400,
            "VersionNegotiationFailed",
            None,
        ),
    ],
    ids=str,
)
def test_pairs_that_cannot_be_served_are_told_in_a_valid_report(
    site, ogc_schemas, changed, status, code, locator
):
    answer = site.client.get(_pairs(site, **changed))

    assert (answer.status_code, answer.mimetype) == (status, "application/xml")
    report = etree.fromstring(answer.data)
    schema = etree.parse(ogc_schemas / "ows" / "1.1.0" / "owsExceptionReport.xsd")
    etree.XMLSchema(schema).assertValid(report)
    assert (report[0].get("exceptionCode"), report[0].get("locator")) == (code, locator)


def test_capabilities_by_pairs_are_those_by_address(site):
    by_address = site.client.get(f"{site.map()}/WMTSCapabilities.xml?gamma=2")
    pairs = {"REQUEST": "GetCapabilities", "AcceptVersions": "", "gamma": "2", "unknown": "1"}
    by_pairs = site.client.get(f"{site.map()}/wmts?SERVICE=WMTS&{urlencode(pairs)}")

    assert (by_pairs.status_code, by_pairs.data) == (200, by_address.data)
    missing = site.client.get("/tiles/~power.tif/wmts?SERVICE=WMTS&REQUEST=GetCapabilities")
    assert (missing.status_code, missing.mimetype) == (404, "application/xml")


def _publish(site: Site, folder: Path) -> str:
    """Publish a product; return the path of its raster below the datalake."""
    raster = write_cog(folder / "s1a_31TCJ.tif", _power())
    item = {
        "type": "Feature", "stac_version": "1.1.0", "id": "s1a_31TCJ", "bbox": [0, 44, 1, 45],
        "geometry": {"type": "Point", "coordinates": [0.5, 44.5]},
        "properties": {"datetime": "2018-07-20T06:00:00Z"},
        "links": [], "assets": {"vv": {"href": "./s1a_31TCJ.tif"}},
    }  # fmt: skip
    place = "S1-L1-ORTHO/31TCJ/2018/07/20"
    Lake(site.config.datalake.path).publish(place, item, [raster])
    return f"{place}/s1a_31TCJ.tif"


def test_a_file_of_the_datalake_is_shown(site, tmp_path):
    name = _publish(site, tmp_path).replace("/", "~")

    shown = site.client.get(f"/tiles/{name}/12/2049/1484.png")
    assert (shown.status_code, shown.content_type) == (200, "image/png")
    folder, missing = name.rpartition("~")[0], name.replace("s1a", "s1b")
    for other in (folder, missing, f"{folder}~.locks", "S1-L1-ORTHO~..~..~peps.sqlite"):
        assert site.client.get(f"/tiles/{other}/2/2/1.png").status_code == 404


@pytest.fixture(scope="module")
def guarded(tmp_path_factory) -> Site:
    """A service for users, where results are their owner's."""
    site = Site(
        tmp_path_factory.mktemp("guarded"),
        PEPS_AUTH_MODE="basic",
        PEPS_AUTH_LINKS="owner",
        PEPS_DATALAKE_ACCESS="users",
    )
    with site.engine.begin() as connection:
        for name in ("alice", "bob"):
            users.add(connection, users.User(name, times.now(), hash_password(name * 4)))
    return site


def test_a_tile_is_for_who_may_read_the_result(guarded):
    job = guarded.add_job(owner="alice")
    address = guarded.tile().replace(guarded.job, job)
    for path in (address, f"/tiles/{job}", f"/tiles/{job}~power.tif/tilejson.json"):
        found = [
            guarded.client.get(path, auth=auth).status_code
            for auth in (None, ("bob", "bob" * 4), ("alice", "alice" * 4))
        ]
        assert found == [401, 403, 200]
    answer = guarded.client.get(address, auth=("alice", "alice" * 4))
    assert answer.headers["Cache-Control"] == "private, max-age=3600"
    tag = answer.headers["ETag"]
    assert guarded.client.get(address, headers={"If-None-Match": tag}).status_code == 401


def test_the_datalake_is_for_users_where_it_is_so_configured(guarded, tmp_path):
    address = f"/tiles/{_publish(guarded, tmp_path).replace('/', '~')}/12/2049/1484.png"
    assert guarded.client.get(address).status_code == 401
    assert guarded.client.get(address, auth=("bob", "bob" * 4)).status_code == 200
