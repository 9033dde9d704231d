"""The verbs of libamalthee, with a worker that stages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from peps_wps.client import ClientError, Peps
from peps_wps.client.amalthee import Amalthee
from peps_wps.jobs.dispatcher import Dispatcher
from tests.archive_world import ArchiveWorld
from tests.client.conftest import ON_DISK, title
from tests.client.faulty_service import served


@contextmanager
def staging(world: ArchiveWorld) -> Iterator[None]:
    """Have jobs that stage served."""
    stop = threading.Event()
    dispatcher = Dispatcher(world.config, world.engine, world.archive)
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_selection_is_searched_filled_and_linked(tmp_path):
    world = ArchiveWorld(tmp_path / "var", PEPS_STORAGE_LOCAL_PATHS="on")
    names = [title(1), title(2)]
    for name, tier in zip(names, ("disk", "tape"), strict=True):
        world.add(name, name.encode() * 1000, tier=tier)
    with served(world) as (url, _), staging(world):
        amalthee = Amalthee("peps", Peps(url))
        amalthee.search("S1", "2021-08-01", "2021-09-01", {"productType": "GRD"}, nthreads=2)
        assert {(one.name, one.available) for one in amalthee.products} == {
            (names[0], True),
            (names[1], False),
        }

        job = amalthee.fill_datalake()
        status = amalthee.wait(job, interval_s=0.05)
        links = amalthee.create_links(tmp_path / "links")

        assert status.state == "succeeded"
        assert all(one.available for one in amalthee.check_datalake())
        assert {link.name for link in links} == {f"{name}.zip" for name in names}
        assert {link.read_bytes() for link in links} == {name.encode() * 1000 for name in names}
    world.engine.dispose()


def test_products_are_added_by_name(place):
    amalthee = Amalthee(peps=Peps(place.url))
    amalthee.add([title(ON_DISK[0])])
    assert [(one.name, one.available) for one in amalthee.check_datalake()] == [
        (title(ON_DISK[0]), True)
    ]
    with pytest.raises(ClientError, match="no product is called"):
        amalthee.add(["nonsense"])


def test_what_cannot_be_done_is_told(place):
    with pytest.raises(ValueError, match="expected peps"):
        Amalthee("theia")
    amalthee = Amalthee(peps=Peps(place.url))
    with pytest.raises(ClientError, match="search or add"):
        amalthee.fill_datalake()
    with pytest.raises(ClientError, match="nothing was ordered"):
        amalthee.create_links("links")
