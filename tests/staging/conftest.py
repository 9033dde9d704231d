from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.archive_world import ArchiveWorld


@pytest.fixture
def open_world(tmp_path: Path, database_url: str) -> Callable[..., ArchiveWorld]:
    """What makes the archive of this test, with settings of its own."""
    return partial(ArchiveWorld, tmp_path, PEPS_CATALOG_URL=database_url)


@pytest.fixture
def world(open_world: Callable[..., ArchiveWorld]) -> ArchiveWorld:
    return open_world()
