from pathlib import Path

import pytest

from tests.archive_world import ArchiveWorld


@pytest.fixture
def world(tmp_path: Path) -> ArchiveWorld:
    return ArchiveWorld(tmp_path)
