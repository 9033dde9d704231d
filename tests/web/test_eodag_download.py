"""EODAG 3.10.2, unmodified: search, download from disk and from tape, extraction, refusal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eodag import EODataAccessGateway
from eodag.utils.exceptions import AuthenticationError, NotAvailableError

from tests.patience import stretched
from tests.web.staging_site import NAME, PASSWORD, StagingSite, staging_site

pytestmark = pytest.mark.client

WAIT_MIN = 0.2 / 60  # of EODAG, between two requests


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagingSite]:
    with staging_site(tmp_path_factory.mktemp("site")) as site:
        yield site


def gateway(
    site: StagingSite,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    password: str = PASSWORD,
    depth: int = 1,
) -> EODataAccessGateway:
    """EODAG whose provider `peps` is pointed here, as its configuration file allows.

    `depth` is how many folders of an extracted product it counts as its own: of 2, its default,
    it takes the product's folder away.
    """
    monkeypatch.setenv("EODAG_CFG_DIR", str(folder / "configuration"))
    # No file of further product types: it would be fetched.
    monkeypatch.setenv("EODAG_EXT_PRODUCT_TYPES_CFG_FILE", "")
    file = folder / "eodag.yml"
    endpoint = f"{site.url}/resto/api/collections/{{collection}}/search.json"
    file.write_text(
        f"""
peps:
  priority: 10
  search:
    api_endpoint: '{endpoint}'
  auth:
    matching_url: '{site.url}'
    credentials: {{username: '{NAME}', password: '{password}'}}
  download:
    output_dir: '{folder}/products'
    extract: true
    archive_depth: {depth}
"""
    )
    (folder / "products").mkdir()
    made = EODataAccessGateway(user_conf_file_path=str(file))
    made.set_preferred_provider("peps")
    return made


def found(eodag: EODataAccessGateway, status: str) -> list:
    """What S1Tiling asks for, by where it is."""
    products = eodag.search(
        provider="peps",
        productType="S1_SAR_GRD",
        geom={"lonmin": 2, "latmin": 42.5, "lonmax": 2.2, "latmax": 42.6},
        start="2021-08-01",
        end="2021-09-01",
        polarizationMode="VV VH",
        sensorMode="IW",
        orbitDirection="ascending",
        items_per_page=20,
        page=1,
    )
    return [one for one in products if one.properties["storageStatus"] == status]


@pytest.mark.parametrize("depth", [1, 2])
def test_a_product_on_disk_is_there_as_s1tiling_wants_it(
    site, tmp_path, monkeypatch, depth: int
) -> None:
    eodag = gateway(site, tmp_path, monkeypatch, depth=depth)
    (product,) = found(eodag, "ONLINE")
    path = Path(eodag.download(product, wait=WAIT_MIN, timeout=1))
    title = product.properties["id"]

    assert path == tmp_path / "products" / title
    safe = path / f"{title}.SAFE" if depth == 1 else path
    assert (safe / "manifest.safe").is_file()
    assert contents(safe) == contents(site.folders[title])


def contents(folder: Path) -> dict[Path, bytes | None]:
    """What a folder holds, by the path of each file and folder in it."""
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_a_product_on_tape_is_waited_for(site, tmp_path, monkeypatch) -> None:
    site.evict_all()
    eodag = gateway(site, tmp_path, monkeypatch)
    product = found(eodag, "OFFLINE")[0]
    with site.recalling():
        path = Path(eodag.download(product, wait=WAIT_MIN, timeout=stretched(30) / 60))

    title = product.properties["id"]
    assert contents(path / f"{title}.SAFE") == contents(site.folders[title])


def test_a_product_that_does_not_come_is_not_stored(site, tmp_path, monkeypatch) -> None:
    site.evict_all()
    eodag = gateway(site, tmp_path, monkeypatch)
    with pytest.raises(NotAvailableError, match="OFFLINE"):
        eodag.download(found(eodag, "OFFLINE")[0], wait=WAIT_MIN, timeout=0.02)
    assert not list((tmp_path / "products").glob("S1*"))


def test_a_wrong_password_is_an_error_of_authentication(site, tmp_path, monkeypatch) -> None:
    eodag = gateway(site, tmp_path, monkeypatch, password="wrong horse")
    with pytest.raises(AuthenticationError, match="401"):
        eodag.download(found(eodag, "ONLINE")[0], wait=WAIT_MIN, timeout=0.02)
