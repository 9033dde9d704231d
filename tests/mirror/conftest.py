import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mirror.fake_hub import FakeHub
from tests.mirror.mirror_house import MirrorHouse


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    hub = FakeHub()
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def house(tmp_path: Path, hub: FakeHub, database_url: str) -> Iterator[MirrorHouse]:
    house = MirrorHouse(tmp_path, hub, database_url)
    yield house
    house.services.engine.dispose()


@pytest.fixture
def dice() -> random.Random:
    return random.Random(20261122)
