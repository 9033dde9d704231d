"""The fake hub is one for real clients too: what the mirror is tested against is no hub of ours."""

import random
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cdsetool.credentials
import cdsetool.download
import cdsetool.query
import pytest
import requests
from sentinelsat import InvalidChecksumError, SentinelAPI

from tests.mirror.fake_hub import PASSWORD, USER, FakeHub, Fault
from tests.mirror.hub_products import md5, some_products

pytestmark = pytest.mark.client
HOSTS = ("https://catalogue.dataspace.copernicus.eu", "https://download.dataspace.copernicus.eu")


@pytest.fixture
def full_hub(hub: FakeHub, dice: random.Random, tmp_path: Path) -> FakeHub:
    hub.publish(*some_products(dice, 12, tmp_path / "safe", now=datetime.now(UTC)))
    return hub


@pytest.fixture
def cdse(full_hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """The addresses that cdsetool has built in lead to the fake hub, as a name server would."""
    request = requests.Session.request

    def redirected(session: requests.Session, method: str, url: str, **options: Any) -> Any:
        for host in HOSTS:
            url = url.replace(host, full_hub.url)
        return request(session, method, url, **options)

    monkeypatch.setattr(requests.Session, "request", redirected)
    return full_hub


@pytest.fixture
def sentinelsat(full_hub: FakeHub) -> SentinelAPI:
    return SentinelAPI(USER, PASSWORD, f"{full_hub.url}/dhus/", show_progressbars=False)


def test_cdsetool_finds_and_downloads(cdse: FakeHub, tmp_path: Path) -> None:
    hour = timedelta(hours=1)
    terms = {
        "publicationDateGe": datetime.now(UTC) - 30 * hour,
        "geometry": "POLYGON((146.5 13.5, 146.6 13.5, 146.6 13.6, 146.5 13.5))",
        "productType": "S2MSI1C",
        "cloudCover": "[0,50]",
        "top": 2,
    }
    found = list(cdsetool.query.query_features("SENTINEL-2", terms))
    recent = datetime.now(UTC) - 30 * hour
    expected = {
        one.name: one
        for one in cdse.products.values()
        if one.collection == "SENTINEL-2" and one.published >= recent
    }
    assert {one["Name"] for one in found} == set(expected)
    assert len(expected) > 2

    endpoint = f"{cdse.url}/auth/realms/CDSE/.well-known/openid-configuration"
    credentials = cdsetool.credentials.Credentials(USER, PASSWORD, endpoint)
    options = {"credentials": credentials}
    saved = list(cdsetool.download.download_features(found[:3], str(tmp_path / "cdse"), options))
    for name in saved:
        content = (tmp_path / "cdse" / str(name)).read_bytes()
        assert md5(content) == expected[str(name).removesuffix(".zip")].checksum


def test_cdsetool_is_refused_with_a_wrong_password(cdse: FakeHub) -> None:
    endpoint = f"{cdse.url}/auth/realms/CDSE/.well-known/openid-configuration"
    with pytest.raises(cdsetool.credentials.InvalidCredentialsException):
        cdsetool.credentials.Credentials(USER, "wrong", endpoint)


def test_sentinelsat_finds_and_downloads(
    full_hub: FakeHub, sentinelsat: SentinelAPI, tmp_path: Path
) -> None:
    area = "POLYGON((2 45, 3 45, 3 46, 2 46, 2 45))"
    found = sentinelsat.query(area, platformname="Sentinel-1", producttype="GRD")
    expected = {one.id: one for one in full_hub.products.values() if one.collection[-1] == "1"}
    assert set(found) == set(expected)
    assert sentinelsat.count(ingestiondate=("20200101", "NOW")) == 12

    downloaded, triggered, failed = sentinelsat.download_all(list(found), tmp_path)
    assert (set(downloaded), triggered, failed) == (set(expected), {}, {})
    for uuid, product in expected.items():
        assert Path(downloaded[uuid]["path"]).read_bytes() == product.content
        assert zipfile.is_zipfile(tmp_path / f"{product.title}.zip")


def test_sentinelsat_resumes_and_notices_damage(
    full_hub: FakeHub, sentinelsat: SentinelAPI, tmp_path: Path
) -> None:
    first, second = [one for one in full_hub.products.values() if "S2A" in one.name][:2]
    full_hub.download_faults[second.id].append(Fault(flip_at=60_000))
    with pytest.raises(InvalidChecksumError):
        sentinelsat.download(second.id, tmp_path)
    (tmp_path / f"{first.title}.zip.incomplete").write_bytes(first.content[:70_000])
    info = sentinelsat.download(first.id, tmp_path)
    assert info["downloaded_bytes"] == len(first.content) - 70_000
    assert Path(info["path"]).read_bytes() == first.content
