"""The verbs of libamalthee, with a worker that stages."""

import pytest

from peps_wps.client import ClientError, Peps
from peps_wps.client.amalthee import Amalthee, Availability
from peps_wps.jobs.dispatcher import Dispatcher
from tests.background import running
from tests.client.conftest import ON_DISK, ON_TAPE, title


def test_a_selection_is_searched_filled_and_linked(place, tmp_path):
    on_disk, on_tape = title(ON_DISK[0]), title(ON_TAPE[0])
    with running(Dispatcher(place.world.config, place.world.engine, place.world.archive)):
        amalthee = Amalthee("peps", place.peps)
        amalthee.search(
            "S1", "2021-08-01", "2021-09-01", {"productIdentifier": on_disk}, nthreads=2
        )
        amalthee.add([on_tape])
        assert amalthee.products == [Availability(on_disk, True), Availability(on_tape, False)]

        job = amalthee.fill_datalake()
        status = amalthee.wait(job, interval_s=0.05)
        links = amalthee.create_links(tmp_path / "links")

    assert status.state == "succeeded"
    assert all(one.available for one in amalthee.check_datalake())
    assert {link.stem: link.read_bytes() for link in links} == {
        name: place.contents[name] for name in (on_disk, on_tape)
    }


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
