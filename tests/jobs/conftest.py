from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.job_house import House, opened_house


@pytest.fixture
def pool_gb() -> str:
    return "1"


@pytest.fixture
def house(tmp_path: Path, pool_gb: str, database_url: str) -> Iterator[House]:
    with opened_house(tmp_path, pool_gb=pool_gb, database_url=database_url) as house:
        yield house
