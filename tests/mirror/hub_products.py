"""Small products as a hub holds them: real SAFE structure, zipped, bytes that do not shrink."""

import hashlib
import io
import random
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tests.readers import safe_builder
from tests.readers.test_sentinel2_metadata import COMPACT

FOOTPRINT = "POLYGON((146 14.4, 147 14.4, 147 13.4, 146 13.4, 146 14.4))"
S1_FOOTPRINT = "POLYGON((1.5 46, 4.8 46.4, 5.1 44.9, 1.9 44.5, 1.5 46))"


@dataclass(frozen=True)
class HubProduct:
    id: str
    name: str  # with .SAFE
    collection: str
    content: bytes
    checksum: str  # what the hub says, right or wrong
    published: datetime
    modified: datetime
    start: datetime
    footprint: str
    attributes: dict[str, str | float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return self.name.removesuffix(".SAFE")

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=25)

    @property
    def announced(self) -> datetime:
        """When this form of it was first there."""
        return self.published if self.modified == self.published else self.modified

    def anew(self, rng: random.Random, now: datetime) -> "HubProduct":
        """The same product with other bytes, as after a repair at the hub."""
        content = _rezipped(self.content, rng)
        return replace(self, content=content, checksum=md5(content), modified=now)


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def sentinel2(rng: random.Random, number: int, published: datetime) -> HubProduct:
    start = datetime(2026, 11, 1, 0, 52, 51, tzinfo=UTC) + timedelta(minutes=number)
    title = f"S2A_MSIL1C_{start:%Y%m%dT%H%M%S}_N0511_R002_T55PDR_{start:%Y%m%d}T235900"
    text = COMPACT.replace("2020-08-15T00:52:51.024Z", f"{start:%Y-%m-%dT%H:%M:%S}.024Z")
    files = {
        "manifest.safe": b"<XFDU/>",
        "MTD_MSIL1C.xml": text.encode(),
        "pixels.jp2": rng.randbytes(rng.randrange(100_000, 300_000)),
    }
    content = _zip({f"{title}.SAFE/{name}": data for name, data in files.items()})
    attributes: dict[str, str | float] = {"productType": "S2MSI1C", "cloudCover": 20.5}
    return _product(rng, title, "SENTINEL-2", content, published, start, FOOTPRINT, attributes)


def sentinel1(rng: random.Random, number: int, published: datetime, folder: Path) -> HubProduct:
    start = datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)
    title = f"S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_{number:04X}"
    dn = np.full((30, 40), 100, np.uint16)
    recipe = safe_builder.SafeRecipe(title=title, dn={"VV": dn, "VH": dn})
    path = safe_builder.zip_folder(
        safe_builder.write_folder(recipe, folder), folder / f"{title}.zip"
    )
    attributes: dict[str, str | float] = {"productType": "GRD", "orbitNumber": 39156}
    content = path.read_bytes()
    return _product(rng, title, "SENTINEL-1", content, published, start, S1_FOOTPRINT, attributes)


def some_products(
    rng: random.Random, count: int, folder: Path, *, now: datetime, hours: float = 60
) -> Iterator[HubProduct]:
    """Products published over the last hours, one in six of Sentinel-1."""
    for number in range(count):
        published = now - timedelta(hours=rng.uniform(0.01, hours))
        if number % 6 == 5:
            yield sentinel1(rng, number, published, folder)
        else:
            yield sentinel2(rng, number, published)


def _product(
    rng: random.Random,
    title: str,
    collection: str,
    content: bytes,
    published: datetime,
    start: datetime,
    footprint: str,
    attributes: dict[str, str | float],
) -> HubProduct:
    return HubProduct(
        id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        name=f"{title}.SAFE",
        collection=collection,
        content=content,
        checksum=md5(content),
        published=published,
        modified=published,
        start=start,
        footprint=footprint,
        attributes=attributes,
    )


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _rezipped(content: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(files)).partition("/")[0]
    return _zip({**files, f"{root}/support.txt": rng.randbytes(1000)})
