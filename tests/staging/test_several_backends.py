"""Masters on several tape backends at once: each is recalled from where it lies."""

import pytest

from peps_wps.staging.backends import open_tapes
from tests.archive_world import ArchiveWorld
from tests.background import running
from tests.patience import until

CONFIG = """
[tape:hsm]
backend = posix
path = hsm
places = places.txt
"""


@pytest.fixture
def world(tmp_path):
    (tmp_path / "several.cfg").write_text(CONFIG)
    (tmp_path / "places.txt").write_text("# path tape position\nS2/2021/08/09/H1.zip V00017 42\n")
    return ArchiveWorld(tmp_path, PEPS_CONFIG=str(tmp_path / "several.cfg"))


def add_on(world, backend, title, content):
    """Archive a product on a backend of its own; return its uid."""
    uid = world.add(title, content, collection="S2")
    tape = open_tapes(world.config)[backend]
    path = f"S2/2021/08/09/{title}.zip"
    stored = tape.store(path, lambda part: part.write(content), writer=title)
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE file SET backend = ?, tape = ?, position = ? WHERE path = ?",
            (backend, stored.tape, stored.position, path),
        )
    return uid


def test_a_request_brings_files_from_each_backend(world):
    assert list(open_tapes(world.config)) == ["simtape", "hsm"]
    uids = [world.add("T1", b"tape" * 1000), add_on(world, "hsm", "H1", b"hsm" * 1000)]
    request = world.archive.request(uids, user="u", purpose="p")
    with running(world.service()):
        until(lambda: world.archive.status(request).ready)
    assert world.pool_file("T1").read_bytes() == b"tape" * 1000
    assert world.pool_file("H1", "S2").read_bytes() == b"hsm" * 1000
    assert {row.attempt for row in world.recalls()} == {1}


def test_places_of_a_list_are_known(world):
    uid = add_on(world, "hsm", "H1", b"hsm")
    tape = open_tapes(world.config)["hsm"]
    row = world.archive.find(uid).file
    assert (row.tape, row.position) == ("V00017", 42)
    assert tape.locate([row]) == [("V00017", 42)]
