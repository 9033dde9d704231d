from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_db import migrations
from catalog_db.engine import create_engine
from peps_wps.config import Config
from tests.jobs.job_house import House


@pytest.fixture
def pool_gb() -> str:
    return "1"


@pytest.fixture
def house(tmp_path: Path, pool_gb: str) -> Iterator[House]:
    environ = {
        "PEPS_PROCESSING_CHAINS": "tests.jobs.stand_in_chains",
        "PEPS_PROCESSING_LEASE_S": "1.5",
        "PEPS_PROCESSING_HEARTBEAT_S": "0.3",
        "PEPS_PROCESSING_PARALLELPROCESSES": "2",
        "PEPS_TAPE_SPEED": "1000",
        "PEPS_STORAGE_BUDGET_GB": pool_gb,
    }
    config = Config.load(var=tmp_path / "var", environ=environ)
    engine = create_engine(config.catalog.url)
    migrations.upgrade(engine)
    house = House(config, engine, tmp_path / "journal")
    yield house
    for process in house.supervisors:
        process.terminate()
    for process in house.supervisors:
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()
    engine.dispose()
