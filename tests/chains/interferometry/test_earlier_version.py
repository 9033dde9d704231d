"""Jobs that an earlier version planned go on: what it stored of them is read."""

import json
from datetime import UTC, datetime
from typing import Any

from affine import Affine

from peps_wps.chains.coherence_s1.order import Order as CoherenceOrder
from peps_wps.chains.interferogram_s1.order import Order as InterferogramOrder
from peps_wps.chains.interferometry.bursts import Wanted
from peps_wps.chains.interferometry.facts import SceneFacts
from peps_wps.chains.interferometry.map_grid import MapGrid
from peps_wps.chains.interferometry.tasks import CellsTask
from peps_wps.chains.time_series_s1.order import Order as SeriesOrder
from peps_wps.chains.time_series_s1.tasks import SERIES, Acquisition, Stack, StackWork

# Before slices of a pass were joined, and coherences of cells.


def stored(body: dict[str, Any], *without: str, **changed: Any) -> Any:
    """Return what the database gives back of a body, as the earlier version wrote it."""
    kept = {name: value for name, value in body.items() if name not in without}
    return json.loads(json.dumps({**kept, **changed}))


def test_an_order_of_one_product_each_is_read() -> None:
    order = InterferogramOrder.parse({"reference": ["A"], "secondary": ["B"], "looks": ["8x2"]})
    body = stored(order.to_json(), "coherence_looks", reference="A", secondary="B")
    assert InterferogramOrder.from_json(body) == order


def test_an_order_without_looks_of_its_coherence_is_read() -> None:
    order = CoherenceOrder.parse({"products": ["A", "B"], "polarizations": ["VV"]})
    assert CoherenceOrder.from_json(stored(order.to_json(), "coherence_looks")) == order


def test_a_task_of_two_products_is_read() -> None:
    task = CellsTask(Wanted(None, ("044_093000_IW1",)), (4, 20), "VV", 1, "IW1", 0, 2)
    body = stored(task.to_json(), "references", is_unwrapped=True)
    assert CellsTask.from_json(body) == task


def test_what_an_earlier_task_told_of_its_products_is_read() -> None:
    facts = SceneFacts("A", "S1A", "", "", 7, "annotation", "annotation", "3.31", ("A",))
    assert SceneFacts.from_json(stored(vars(facts), "titles")) == facts


def test_tasks_of_a_series_are_read() -> None:
    order = SeriesOrder.parse({"products": ["A", "B"]})
    grid = MapGrid("", 32631, Affine.identity(), (2, 3))
    stack = Stack(order, "S1-INTERFEROGRAMS-0", 44, "ascending", "VV", "POINT (0 0)", grid)
    dates = [
        Acquisition((title,), (title,), datetime(2023, 3, day, tzinfo=UTC))
        for title, day in (("A", 7), ("B", 19))
    ]
    work = StackWork(stack, tuple(dates), ((0, 1),))
    body = stored(
        work.to_json(SERIES),
        "too_long",
        acquisitions=[
            {"uid": one.uid, "title": one.title, "start": one.start.isoformat()} for one in dates
        ],
    )
    del body["stack"]["order"]["network"]
    assert StackWork.from_json(body) == work
