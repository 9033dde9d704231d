from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_db.engine import Engine, create_engine
from catalog_db.migrations import upgrade


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'catalog.db'}"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    upgrade(engine)
    yield engine
    engine.dispose()
