"""Requests of the tape service, on either database."""

import pytest

from peps_wps.staging.stage_requests import StageRequests
from storage.errors import NotRequestedError
from tests.archive_world import ArchiveWorld

ONE, TWO = "/archive/S1/2021/08/09/P1.zip", "P2"  # by path, and by title


def test_files_are_let_go_by_all_requests_of_their_user_and_no_other(world: ArchiveWorld) -> None:
    for title in ("P1", "P2"):
        world.add(title, b"bytes")
    requests = StageRequests(world.archive, world.engine)
    first, second = (requests.open(paths, "one") for paths in ([ONE, TWO], [ONE]))
    others = requests.open([ONE], "other")

    def states(request: str, user: str) -> list[str]:
        files = requests.status(request, user).files
        return [file.status.state for file in files if file.status is not None]

    with pytest.raises(NotRequestedError, match="no file P3"):
        requests.release_all("one", [ONE, "P3"])
    assert states(second, "one") == states(others, "other") == ["waiting"]
    requests.release_all("one", [ONE])

    assert states(first, "one") == ["cancelled", "waiting"]
    assert states(second, "one") == ["cancelled"]
    assert states(others, "other") == ["waiting"]
