"""Results as layers of WMTS: by addresses, and by pairs of keys and values."""

import itertools
from urllib.parse import urlencode

import numpy as np
import pytest
import rasterio
from lxml import etree
from owslib.wmts import WebMapTileService
from rasterio.warp import transform

from tests.loopback import on_the_loopback
from tests.tiles.rasters import TRANSFORM, write_cog
from tests.web.tile_site import Site, power

WMTS = {"wmts": "http://www.opengis.net/wmts/1.0", "ows": "http://www.opengis.net/ows/1.1"}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    return Site(tmp_path_factory.mktemp("tiles"))


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
    truth = power()[np.repeat(rows, 3), np.tile(columns, 4)]
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


def test_a_tile_of_a_file_that_is_being_replaced_is_to_be_asked_for_again(site, monkeypatch):
    rasters = site.app.services.rasters
    job = site.add_job()
    described = rasters.raster

    def described_before_it_was_replaced(source):
        raster = described(source)
        write_cog(source.path, power()[::-1].copy())
        return raster

    monkeypatch.setattr(rasters, "raster", described_before_it_was_replaced)
    for address in (_pairs(site), site.tile()):
        answer = site.client.get(address.replace(site.job, job))

        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
