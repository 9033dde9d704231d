"""The requests of peps_download.py (olivierhagolle/peps_download, 3c721f1), one for one, by curl.

A search, a request of each product on tape whose answer is thrown away, then again and again a
search, and a download of each product that it calls ``disk``, until none is left. Sizes are
compared with `resourceSize`; the first entry of a zip is the folder of the product.
"""

import itertools
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import until
from tests.web.staging_site import NAME, PASSWORD, StagingSite, staging_site

pytestmark = pytest.mark.client


class StoppedError(Exception):
    """The script would have ended here."""


class Script:
    """What peps_download.py does for ``-c S1 -p GRD --lon --lat -x``."""

    def __init__(self, site: StagingSite, folder: Path, password: str = PASSWORD) -> None:
        self.site = site
        self.folder = folder
        self.user = f"{NAME}:{password}"
        self.numbers = itertools.count()

    def run(self) -> None:
        for title, feature in self.search().items():
            if feature["properties"]["storage"]["mode"] == "tape":
                self.fetch(title, feature)
                for left in self.folder.glob("tmp_*"):
                    left.unlink()
        until(lambda: self.left(self.search()) == 0, 60, pause_s=0.1)

    def search(self) -> dict[str, dict[str, Any]]:
        found = self.folder / "search.json"
        asked = "lat=43.000000&lon=2.000000&startDate=2021-08-01&completionDate=9999-01-01"
        self.curl(
            found,
            f"/resto/api/collections/S1/search.json?{asked}&maxRecords=500&productType=GRD&sensorMode=",
        )
        document = json.loads(found.read_text())
        if "ErrorCode" in document:
            raise StoppedError(document["ErrorMessage"])
        for feature in document["features"]:
            properties = feature["properties"]
            assert ((properties["orbitNumber"] - 73) % 175) + 1 > 0
            assert int(properties["resourceSize"]) > 0
            assert properties["platform"] in ("S1A", "S1B")
        return {one["properties"]["productIdentifier"]: one for one in document["features"]}

    def left(self, features: dict[str, dict[str, Any]]) -> int:
        """Download what is on disk; return how many products are not here yet."""
        left = 0
        for title, feature in features.items():
            if (self.folder / f"{title}.SAFE").exists():
                continue
            if feature["properties"]["storage"]["mode"] != "disk":
                left += 1
                continue
            file = self.fetch(title, feature)
            if not file.exists():
                left += 1
            else:
                self.check(file, int(feature["properties"]["resourceSize"]))
        return left

    def fetch(self, title: str, feature: dict[str, Any]) -> Path:
        file = self.folder / f"tmp_{next(self.numbers)}.tmp"
        path = f"/resto/collections/S1/{feature['id']}/download/?issuerId=peps"
        self.curl(file, path, "-u", self.user)
        return file

    def check(self, file: Path, size: int) -> None:
        if file.stat().st_size != size:
            try:
                document = json.loads(file.read_text())
            except ValueError as error:
                raise AssertionError(f"torn: {file.stat().st_size} of {size} bytes") from error
            raise StoppedError(document["ErrorMessage"])
        with zipfile.ZipFile(file) as archive:
            name = archive.namelist()[0].replace("/", "")
            archive.extractall(self.folder)
        assert (self.folder / name).is_dir()
        file.unlink()

    def curl(self, file: Path, path: str, *options: str) -> None:
        subprocess.run(["curl", "-s", "-k", *options, "-o", file, self.site.url + path], check=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagingSite]:
    with staging_site(tmp_path_factory.mktemp("site")) as site:
        yield site


def test_products_on_disk_and_on_tape_all_arrive_as_they_were_made(site, tmp_path) -> None:
    site.evict_all()
    with site.recalling():
        Script(site, tmp_path).run()

    assert {path.stem for path in tmp_path.glob("*.SAFE")} == site.titles
    for title, folder in site.folders.items():
        for made in folder.rglob("*"):
            came = tmp_path / f"{title}.SAFE" / made.relative_to(folder)
            assert made.is_dir() if came.is_dir() else came.read_bytes() == made.read_bytes()
    assert not list(tmp_path.glob("tmp_*"))


def test_a_product_that_left_the_disk_after_the_search_leaves_nothing_in_its_place(
    site, tmp_path
) -> None:
    script = Script(site, tmp_path)
    with site.recalling():
        script.run()
    features = script.search()
    assert {one["properties"]["storage"]["mode"] for one in features.values()} == {"disk"}
    site.evict_all()
    came = {title: script.fetch(title, feature) for title, feature in features.items()}

    # curl makes an empty file of an empty answer (older ones make none): no size of a product.
    sizes = [file.stat().st_size if file.exists() else 0 for file in came.values()]
    assert sizes.count(0) == 2
    assert sum(sizes) == sum(site.size(title) for title, file in came.items() if _is_full(file))
    with site.recalling():
        script.run()


def _is_full(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def test_a_wrong_password_stops_the_script_with_its_reason(site, tmp_path) -> None:
    with pytest.raises(StoppedError, match="Unauthorized"):
        Script(site, tmp_path, password="wrong horse").run()


@pytest.mark.parametrize("resume", [("curl", "-s", "-C", "-", "-o"), ("wget", "-q", "-c", "-O")])
def test_a_broken_download_is_resumed(site, tmp_path, resume) -> None:
    title = next(
        title
        for title, feature in Script(site, tmp_path).search().items()
        if feature["properties"]["storage"]["mode"] == "disk"
    )
    feature = Script(site, tmp_path).search()[title]
    url = f"{site.url}/resto/collections/S1/{feature['id']}/download"
    whole, part = tmp_path / "whole", tmp_path / "part"
    login = ["-u", f"{NAME}:{PASSWORD}"]
    subprocess.run(["curl", "-s", *login, "-o", whole, url], check=True)
    part.write_bytes(whole.read_bytes()[:123_456])
    if resume[0] == "wget":
        login = [f"--user={NAME}", f"--password={PASSWORD}", "--auth-no-challenge"]
    subprocess.run([*resume, part, *login, url], check=True)
    assert part.read_bytes() == whole.read_bytes()
