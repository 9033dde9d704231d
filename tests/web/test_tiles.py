"""Map tiles over HTTP: results of jobs and files of the datalake, for whoever may read them."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from catalog_db import times
from catalog_db.access import users
from peps_wps.access.passwords import hash_password
from peps_wps.datalake.lake import Lake
from tests.tiles.rasters import write_cog
from tests.web.tile_site import Site, power


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
    write_cog(site.config.results.path / job / "power.tif", power()[::-1].copy())

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
    secret = write_cog(tmp_path / "secret.tif", power()[:64, :64].copy())
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


def _publish(site: Site, folder: Path) -> str:
    """Publish a product; return the path of its raster below the datalake."""
    raster = write_cog(folder / "s1a_31TCJ.tif", power())
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
