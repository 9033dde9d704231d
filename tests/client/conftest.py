import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from peps_wps.client import Options, Pace, Peps
from tests.archive_world import ArchiveWorld
from tests.client.faulty_service import Faults, served

# As the real ones, a thousand times as fast.
HASTY = Pace(fault_s=0.01, longest_s=0.2, unknown_s=0.05, poll_s=0.05, patience_s=0.2)


@dataclass
class Place:
    """A service with products, and what goes wrong on the way to it."""

    url: str
    faults: Faults
    contents: dict[str, bytes]  # title -> zip
    world: ArchiveWorld

    @property
    def peps(self) -> Peps:
        return Peps(self.url)

    def options(self, **more: object) -> Options:
        return Options(**{"pace": HASTY, **more})


def title(number: int) -> str:
    start = datetime(2021, 8, 9, 17, 0, 53, tzinfo=UTC) + timedelta(minutes=number)
    stamp = f"{start:%Y%m%dT%H%M%S}"
    return f"S1A_IW_GRDH_1SDV_{stamp}_{stamp}_039156_049F13_{number:04X}"


def safe_zip(name: str, content: bytes) -> bytes:
    """A product as it is stored: its folder first."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{name}.SAFE/", b"")
        archive.writestr(f"{name}.SAFE/manifest.safe", b"<xml/>")
        archive.writestr(f"{name}.SAFE/measurement/a.tiff", content)
    return stream.getvalue()


# Numbers of products on disk, and of those on tape.
ON_DISK, ON_TAPE = range(6), range(10, 14)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    rng = np.random.default_rng(20210809)
    world = ArchiveWorld(tmp_path_factory.mktemp("var"), PEPS_STORAGE_LOCAL_PATHS="on")
    contents = {}
    for number in (*ON_DISK, *ON_TAPE):
        name = title(number)
        contents[name] = safe_zip(name, rng.bytes(200_000))
        world.add(name, contents[name], tier="disk" if number in ON_DISK else "tape")
    with served(world) as (url, faults):
        yield Place(url, faults, contents, world)
    world.engine.dispose()


@pytest.fixture(autouse=True)
def _nothing_laid_down(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "place" in request.fixturenames:
        faults = request.getfixturevalue("place").faults
        faults.of_downloads.clear()
        faults.seen.clear()


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch) -> None:
    """No credentials and no server of who runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "PEPS_URL", "PEPS_USER", "PEPS_TOKEN", "PEPS_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
