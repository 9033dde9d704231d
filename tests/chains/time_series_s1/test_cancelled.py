"""S1_TIME_SERIES cancelled midway: what is kept is whole, and the next order goes on with it."""

from pathlib import Path

import pytest
import shapely

from catalog_db.engine import create_engine
from peps_wps.chains.time_series_s1.holdings import RECORD
from peps_wps.datalake.lake import Lake
from peps_wps.jobs import Job, dismiss, get, submit
from tests.chains.service import stocked
from tests.chains.time_series_s1.simulated_stack import LATITUDE, LONGITUDE, SimulatedStack
from tests.patience import until
from tests.workers import working

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("time_series")]


def test_a_cancelled_series_leaves_what_the_next_one_goes_on_with(
    stack: SimulatedStack, tmp_path: Path
) -> None:
    settings = {"PEPS_DEM_PATH": str(stack.folder / "dem")}
    config = stocked(tmp_path / "var", list(stack.paths.values()), tier="disk", **settings)
    engine, lake = create_engine(config.catalog.url), Lake(config.datalake.path)
    inputs = {
        "products": stack.titles.split()[:3],
        "geometry": [shapely.to_wkt(shapely.Point(LONGITUDE, LATITUDE).buffer(0.004))],
        "looks": ["8x2"],
        "neighbours": ["1"],
        "dem_error": ["false"],
    }

    def submitted() -> Job:
        return submit(engine, config, process="S1_TIME_SERIES", inputs=inputs, owner="one")

    def ended(job_id: str) -> Job | None:
        job = get(engine, config, job_id)
        return job if job is not None and job.state in ("succeeded", "failed") else None

    def cells() -> dict[Path, int]:
        """Of pairs that are kept."""
        records = lake.root.rglob(RECORD)
        files = (path for record in records for path in record.parent.glob("*.npz"))
        return {path: path.stat().st_mtime_ns for path in files}

    with working(config):
        first = submitted()
        kept = until(cells, 120)
        assert dismiss(engine, config, first.id)
        second = submitted()
        job = until(lambda: ended(second.id), 120)
    engine.dispose()

    assert job.state == "succeeded", job.message
    assert not (config.results.path / first.id).exists()
    after = cells()
    assert {path: after[path] for path in kept} == kept
    assert len({path.parent for path in after}) == 2
    assert list(lake.files.unsettled()) == []
    products = list(lake.files.products())
    assert [list(lake.files.damage(product)) for product in products] == [[], []]
