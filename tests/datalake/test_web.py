"""The datalake as browsers, scripts and readers of rasters meet it."""

import base64
import os
import re
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
import rasterio
from werkzeug.test import Client

from catalog_db.engine import create_engine
from peps_wps.app import Application
from peps_wps.config import Config
from peps_wps.services import Services
from peps_wps.web import datalake
from peps_wps.web.datalake_listing import size_text
from storage.datalake import Datalake
from tests.datalake.conftest import TILE, sha256
from tests.live_server import serving

DAY = f"/datalake/S1-L1-ORTHO/{TILE}/2020/01/08"


class Page(HTMLParser):
    """Links and cells of an index, as a script reads them."""

    def __init__(self, text):
        super().__init__()
        self.links, self.rows, self.cells = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.links.append(dict(attributes)["href"])
        if tag == "tr":
            self.cells = []
            self.rows.append(self.cells)

    def handle_data(self, data):
        if self.rows and data.strip():
            self.cells.append(data.strip())


class ClosingClient(Client):
    """Reads each answer to its end and closes it, as a server does."""

    def open(self, *arguments, **options):
        return super().open(*arguments, **{**options, "buffered": True})


@pytest.fixture
def config(tmp_path):
    return Config.load(var=tmp_path / "var", environ={})


@pytest.fixture
def client(config, lake):
    return client_of(config)


def client_of(config):
    services = Services.of(config, create_engine(config.catalog.url))
    return ClosingClient(Application(services, datalake.rules()))


def names(client, address, query=""):
    listed = client.get(f"{address}?format=json&{query}").json["entries"]
    return [entry["name"] for entry in listed]


def test_a_folder_is_listed_as_apache_lists_it(client, publish):
    product = publish()
    page = Page(client.get(f"{DAY}/").text)
    stem = product.item["id"]
    assert page.links == [
        *("?C=N;O=D", "?C=M;O=A", "?C=S;O=A"),
        DAY.rpartition("/")[0] + "/",
        *("catalog.json", f"{stem}.json", f"{stem}.tif"),
    ]
    assert page.rows[0] == ["Name", "Last modified", "Size"]
    row = page.rows[-2]
    assert row[1] == f"{stem}.tif"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", row[2])
    assert re.fullmatch(r"\d\.\dK", row[3])
    above = Page(client.get("/datalake/S1-L1-ORTHO/").text)
    assert above.rows[3][:2] == ["[DIR]", f"{TILE}/"]
    assert above.rows[3][-1] == "-"
    assert f"{TILE}/" in above.links


# What Apache 2.4 shows (apr_strfsize).
@pytest.mark.parametrize(
    ("size", "text"),
    [
        *((0, "  0 "), (972, "972 "), (973, "1.0K"), (1024, "1.0K"), (9_800, "9.6K")),
        *((10_240, " 10K"), (996_147, "973K"), (1_048_576, "1.0M"), (1_932_735_283, "1.8G")),
    ],
)
def test_sizes_are_those_of_apache(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize("without", ["/datalake", "/datalake/S1-L1-ORTHO", DAY])
def test_a_folder_without_its_slash_is_moved_to(client, publish, without):
    publish()
    answer = client.get(without)
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{without}/"
    assert client.get(without, follow_redirects=True).status_code == 200


def test_columns_sort_both_ways(client, publish):
    product = publish()
    folder = client.application.services.config.datalake.path / product.folder
    stem = product.item["id"]
    for age, name in enumerate(("catalog.json", f"{stem}.tif", f"{stem}.json")):
        os.utime(folder / name, (10**9 - age, 10**9 - age))
    by_time = [f"{stem}.json", f"{stem}.tif", "catalog.json"]
    assert names(client, f"{DAY}/", "C=M;O=A") == by_time
    assert names(client, f"{DAY}/", "C=M;O=D") == by_time[::-1]
    assert names(client, f"{DAY}/", "C=N&O=D") == sorted(by_time, reverse=True)
    sizes = {name: (folder / name).stat().st_size for name in by_time}
    assert names(client, f"{DAY}/", "C=S;O=D") == sorted(by_time, key=sizes.get, reverse=True)
    head = Page(client.get(f"{DAY}/?C=M;O=A").text).links[:3]
    assert head == ["?C=N;O=A", "?C=M;O=D", "?C=S;O=A"]


def test_the_same_list_is_given_as_json(client, publish):
    product = publish()
    answer = client.get(f"{DAY}/", headers={"Accept": "application/json"})
    assert answer.content_type == "application/json"
    assert answer.headers["Vary"] == "Accept"
    listed = {entry["name"]: entry for entry in answer.json["entries"]}
    name, asset = next(iter(product.files.items()))
    assert listed[name]["size"] == asset["file:size"]
    assert "1220" + listed[name]["sha256"] == asset["file:checksum"]
    assert listed[name]["type"] == "file"
    below = product.folder.replace("/", "~")
    assert listed[name]["map"] == f"http://localhost/tiles/{below}~{name}"
    (folder,) = [
        entry
        for entry in client.get("/datalake/?format=json").json["entries"]
        if entry["type"] == "directory"
    ]
    assert folder["href"] == "S1-L1-ORTHO/"
    assert client.get(f"{DAY}/?format=xml").status_code == 400
    assert client.get(f"{DAY}/").content_type.startswith("text/html")


def test_a_file_says_its_digest_and_comes_in_parts(client, publish, lake):
    product = publish()
    name = next(iter(product.files))
    content = lake.files.path(f"{product.folder}/{name}").read_bytes()
    whole = client.get(f"{DAY}/{name}")
    assert whole.data == content
    digest = product.files[name]["file:checksum"].removeprefix("1220")
    assert whole.headers["ETag"] == f'"{digest}"'
    assert whole.headers["Repr-Digest"] == (
        f"sha-256=:{base64.b64encode(bytes.fromhex(digest)).decode()}:"
    )
    assert whole.content_type.startswith("image/tiff")
    part = client.get(f"{DAY}/{name}", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, content[10:20])
    changed = {"Range": "bytes=10-19", "If-Range": '"of another"'}
    assert client.get(f"{DAY}/{name}", headers=changed).status_code == 200
    held = client.get(f"{DAY}/{name}", headers={"If-None-Match": whole.headers["ETag"]})
    assert held.status_code == 304
    head = client.head(f"{DAY}/{name}")
    assert (head.data, head.headers["Content-Length"]) == (b"", str(len(content)))
    assert "Last-Modified" in head.headers
    assert client.get(f"{DAY}/{product.item['id']}.json").content_type == "application/geo+json"
    assert client.get(f"{DAY}/{name}/").status_code == 404


def test_the_validator_of_a_file_follows_its_content(client, publish):
    name = next(iter(publish(seed=1).files))
    before = client.get(f"{DAY}/{name}").headers["ETag"]
    product = publish(seed=2)
    after = client.get(f"{DAY}/{name}")
    assert after.headers["ETag"] != before
    assert product.files[name]["file:checksum"] == "1220" + after.headers["ETag"].strip('"')


def test_hidden_and_unfinished_things_are_not_there(client, lake, publish, tmp_path, monkeypatch):
    publish()
    (lake.state_folder(f"S1-L1-ORTHO/{TILE}")).mkdir()
    (lake.root / DAY.removeprefix("/datalake/") / ".part-x.tif").write_bytes(b"half")
    assert not [name for name in names(client, "/datalake/") if name.startswith(".")]
    assert names(client, f"/datalake/S1-L1-ORTHO/{TILE}/") == ["2020", "catalog.json"]
    for hidden in (".journal/", f"S1-L1-ORTHO/{TILE}/.state/", f"{DAY[10:]}/.part-x.tif"):
        assert client.get(f"/datalake/{hidden}").status_code == 404

    def die(*_arguments):
        raise KeyboardInterrupt

    # Between the files and the item, as a kill leaves it: not even settled.
    monkeypatch.setattr("storage.datalake.PartFile.publish", die)
    monkeypatch.setattr(Datalake, "_settle", lambda *_arguments: [])
    with pytest.raises(KeyboardInterrupt):
        publish(kind="_filtered")
    (name,) = [path.name for path in (lake.root / DAY[10:]).glob("s1a*_filtered.tif")]
    assert name not in names(client, f"{DAY}/")
    assert client.get(f"{DAY}/{name}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        *("../catalog.db", "..%2Fcatalog.db", "%2e%2e/catalog.db", "S1-L1-ORTHO/../../secret"),
        *("S1-L1-ORTHO/out/secret", "S1-L1-ORTHO/out.txt", "loop", "a%00b", "x" * 300, "//etc"),
    ],
)
def test_nothing_outside_is_served(client, lake, publish, tmp_path, path):
    publish()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (tmp_path / "var" / "secret").write_text("secret")
    (lake.root / "S1-L1-ORTHO" / "out").symlink_to(tmp_path / "outside")
    (lake.root / "S1-L1-ORTHO" / "out.txt").symlink_to(tmp_path / "outside" / "secret")
    (lake.root / "loop").symlink_to(lake.root / "loop")
    answer = client.get(f"/datalake/{path}", follow_redirects=True)
    assert answer.status_code == 404
    assert b"secret" not in answer.data
    assert "out" not in names(client, "/datalake/S1-L1-ORTHO/")
    assert "loop" not in names(client, "/datalake/")


def test_names_are_text_and_no_markup(client, lake, publish):
    publish()
    name = '<img src=x onerror="a()">&é:1.txt'
    (lake.root / "S1-L1-ORTHO" / name).write_text("x")
    text = client.get("/datalake/S1-L1-ORTHO/").text
    assert "<img" not in text
    link = next(link for link in Page(text).links if "onerror" in link)
    assert link.startswith("%3C")
    assert client.get(f"/datalake/S1-L1-ORTHO/{link}").data == b"x"


def test_an_empty_datalake_has_a_page(client):
    assert "Index of /datalake" in client.get("/datalake/").text
    assert client.get("/datalake/?format=json").json["entries"] == []


def test_a_folder_of_ten_thousand_files_answers_at_once(client, lake, publish):
    publish()
    folder = lake.root / "S1-L1-ORTHO" / "many"
    folder.mkdir()
    (folder / "00000.tif").touch()
    for number in range(1, 10_000):
        os.link(folder / "00000.tif", folder / f"{number:05d}.tif")
    text = client.get("/datalake/S1-L1-ORTHO/many/?C=S;O=D").text
    assert text.count("<tr>") == 10_004  # and its head, two rules, the way up
    assert text.index("09999.tif") < text.index("09998.tif")


def test_a_poller_is_told_what_came_since_it_asked(client, lake, publish):
    asked = "/datalake/?since=2018-01-01T00:00:00Z"
    assert client.get(asked).json["products"] == []
    first = publish("2020-01-08")
    publish("2020-01-20")
    answer = client.get(f"{asked}&limit=1").json
    (told,) = answer["products"]
    assert told["href"] == f"http://localhost/datalake/{first.path}"
    assert told["files"][0]["size"] == first.size_bytes
    assert client.get(told["files"][0]["href"]).status_code == 200
    rest = client.get(answer["next"]).json
    assert [one["path"].split("/")[-2] for one in rest["products"]] == ["20"]
    assert "next" not in rest
    lake.remove(first.path)
    gone = client.get(f"/datalake/?since={rest['until']}").json["products"]
    assert [(one["event"], one["path"]) for one in gone] == [("removed", first.path)]
    elsewhere = client.get(f"/datalake/S1-L1-ORTHO/{TILE}/2020/01/20/?since=2018-01-01").json
    assert len(elsewhere["products"]) == 1
    assert client.get("/datalake/?since=yesterday").status_code == 400
    assert client.get("/datalake/?since=0001-01-01T00:00:00%2B05:00").status_code == 400
    assert client.get("/datalake/?since=2018-01-01&limit=0").status_code == 400


def test_a_datalake_for_users_asks_who_reads(tmp_path, lake, publish):
    publish()
    environ = {"PEPS_DATALAKE_ACCESS": "users"}
    client = client_of(Config.load(var=tmp_path / "var", environ=environ))
    for address in ("/datalake/", f"{DAY}/", "/datalake/catalog.json"):
        answer = client.get(address)
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers


@pytest.mark.client
def test_rasterio_and_wget_read_it_from_a_real_server(lake, publish, tmp_path):
    product = publish()
    (name,) = product.files
    file = lake.files.path(f"{product.folder}/{name}")
    with rasterio.open(file) as local:
        expected = local.read()
    with serving(tmp_path / "var") as address:
        # GDAL goes through /vsicurl/, which lists the folder unless it is told not to.
        with rasterio.open(f"{address}{DAY}/{name}") as remote:
            np.testing.assert_array_equal(remote.read(), expected)
        target = tmp_path / "mirrored"
        command = ["wget", "--quiet", "--recursive", "--no-parent", "--no-host-directories"]
        command += ["--reject", "index.html*", "--directory-prefix", str(target)]
        subprocess.run([*command, f"{address}/datalake/S1-L1-ORTHO/{TILE}/2020/"], check=True)
    assert sha256(target / f"{DAY[1:]}/{name}") == sha256(file)
    assert sorted(path.name for path in (target / DAY[1:]).iterdir()) == [
        "catalog.json",
        *sorted([f"{product.item['id']}.json", name]),
    ]
