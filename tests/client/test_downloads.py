"""Downloads against the service and what can go wrong between it and us: each ends right."""

import errno
import fcntl
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from peps_wps.client import (
    CredentialsError,
    NoSpaceError,
    Options,
    Peps,
    Product,
    Progress,
    UnreachableError,
)
from peps_wps.client import transfer as client_transfer
from peps_wps.client.part import Part
from tests.client.conftest import HASTY, ON_DISK, ON_TAPE, Place, title
from tests.client.faulty_service import answering, cut, flipped, shorter, slowly

DISK = title(0)


def whole(place: Place, folder: Path, *names: str) -> bool:
    """Whether a folder holds these products, byte by byte, and nothing else."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return files == {f"{name}.zip": place.contents[name] for name in names}


def test_products_on_disk_and_on_tape_arrive_whole(place, tmp_path):
    told: list[Progress] = []
    found = place.peps.search(collection="S1")

    results = place.peps.download(found, tmp_path / "new", place.options(), watch=told.append)

    assert {one.state for one in results} == {"fetched"}
    assert whole(place, tmp_path / "new", *place.contents)
    assert {one.path for one in results} == set((tmp_path / "new").iterdir())
    recalled = {one.name for one in told if one.state == "recalling"}
    assert recalled == {title(number) for number in ON_TAPE}


def test_what_is_there_is_not_fetched_again(place, tmp_path):
    place.peps.download([DISK], tmp_path, place.options())
    place.faults.seen.clear()
    (again,) = place.peps.download([DISK], tmp_path, place.options())

    assert (again.state, again.path) == ("present", tmp_path / f"{DISK}.zip")
    assert place.faults.seen == []


def test_a_file_of_another_size_is_replaced(place, tmp_path):
    (tmp_path / f"{DISK}.zip").write_bytes(b"")
    (result,) = place.peps.download([DISK], tmp_path, place.options())

    assert result.state == "fetched"
    assert whole(place, tmp_path, DISK)


def test_a_cut_connection_is_taken_up_where_it_broke_off(place, tmp_path):
    size = len(place.contents[DISK])
    place.faults.of_downloads.extend([cut(0.25), cut(0.5)])

    (result,) = place.peps.download([DISK], tmp_path, place.options())

    assert result.state == "fetched"
    assert whole(place, tmp_path, DISK)
    first = size // 4
    second = first + (size - first) // 2
    assert place.faults.seen == [None, f"bytes={first}-", f"bytes={second}-"]


def test_a_connection_that_brings_nothing_is_tried_a_few_times(place, tmp_path):
    place.faults.of_downloads.extend([cut(0.5), cut(0), cut(0), cut(0), cut(0)])
    (result,) = place.peps.download([DISK], tmp_path, place.options(tries=3))

    assert result.state == "failed"
    assert "broke off" in result.message
    assert len(place.faults.seen) == 3
    # The next run goes on from what came.
    place.faults.of_downloads.clear()
    place.peps.download([DISK], tmp_path, place.options())
    assert place.faults.seen[-1] == f"bytes={len(place.contents[DISK]) // 2}-"
    assert whole(place, tmp_path, DISK)


def test_wrong_bytes_are_thrown_away_and_fetched_once_more(place, tmp_path):
    place.faults.of_downloads.append(flipped)
    (result,) = place.peps.download([DISK], tmp_path, place.options())

    assert result.state == "fetched"
    assert whole(place, tmp_path, DISK)


@pytest.mark.parametrize(
    ("fault", "said"), [(flipped, "the SHA-256 of what came is"), (shorter, "sends 100 bytes")]
)
def test_bytes_that_stay_wrong_never_get_the_name_of_the_product(place, tmp_path, fault, said):
    place.faults.of_downloads.extend([fault, fault])
    (result,) = place.peps.download([DISK], tmp_path, place.options())

    assert result.state == "failed"
    assert said in result.message
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_fails_is_asked_again_and_not_for_ever(place, tmp_path):
    broken = answering("503 Service Unavailable", b'{"ErrorMessage": "no drive"}')
    place.faults.of_downloads.extend([broken, broken])
    (result,) = place.peps.download([DISK], tmp_path / "a", place.options(tries=3))
    assert result.state == "fetched"

    place.faults.of_downloads.extend([broken] * 9)
    (result,) = place.peps.download([DISK], tmp_path / "b", place.options(tries=3))
    assert result.state == "failed"
    assert len(place.faults.of_downloads) == 6


@pytest.mark.parametrize("seed", range(3))
def test_every_product_is_whole_in_the_end_whatever_order_faults_come_in(place, tmp_path, seed):
    rng = np.random.default_rng(seed)
    kinds = [
        lambda: cut(rng.uniform(0, 1)),
        lambda: answering("503 Service Unavailable", Retry_After="0"),
        lambda: answering("202 You should retry the request", Retry_After="0"),
        lambda: answering("429 Too Many Requests", Retry_After="0"),
        lambda: None,
    ]
    place.faults.of_downloads.extend(kinds[kind]() for kind in rng.integers(0, 5, 40))
    wanted = [title(number) for number in ON_DISK]
    results = place.peps.download(wanted, tmp_path, place.options(parallel=3, tries=30))

    assert {one.state for one in results} == {"fetched"}
    assert whole(place, tmp_path, *wanted)


def test_a_product_evicted_in_between_is_waited_for(place, tmp_path):
    # PEPS wrote milliseconds into Retry-After: no client shall wait for two days.
    gone = answering("202 You should retry the request", Retry_After="180000")
    place.faults.of_downloads.extend([gone, gone])
    told: list[Progress] = []

    (result,) = place.peps.download([DISK], tmp_path, place.options(), watch=told.append)

    assert result.state == "fetched"
    waits = [one.expected_s for one in told if one.state == "recalling"]
    assert len(waits) == 2
    assert all(HASTY.longest_s <= wait <= 1.1 * HASTY.longest_s for wait in waits)


def test_a_quota_is_waited_for_and_told_in_the_words_of_the_server(place, tmp_path):
    body = b'{"ErrorMessage": "2 of 2 files are in flight", "ErrorCode": 420}'
    full = answering("429 Too Many", body, Retry_After="1", Content_Type="application/json")
    place.faults.of_downloads.append(full)
    told: list[Progress] = []

    (result,) = place.peps.download([DISK], tmp_path, place.options(), watch=told.append)

    assert result.state == "fetched"
    assert "2 of 2 files are in flight" in [one.message for one in told]


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "410 Gone"])
def test_a_refusal_ends_one_product_and_no_other(place, tmp_path, status):
    body = b'{"ErrorMessage": "not for you"}'
    place.faults.of_downloads.append(answering(status, body, Content_Type="application/json"))
    first, second = place.peps.download([DISK, title(1)], tmp_path, place.options(parallel=1))

    assert (first.state, first.message) == ("failed", "not for you")
    assert second.state == "fetched"


def test_a_page_of_a_portal_is_no_product(place, tmp_path):
    page = answering("200 OK", b"<html>please log in", Content_Type="text/html; charset=utf-8")
    place.faults.of_downloads.append(page)
    (result,) = place.peps.download([DISK], tmp_path, place.options())

    assert result.state == "failed"
    assert "text/html" in result.message
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name_fails_alone(place, tmp_path):
    results = place.peps.download(["nonsense", DISK], tmp_path, place.options())

    assert {one.name: one.state for one in results} == {"nonsense": "failed", DISK: "fetched"}


def test_refused_credentials_end_the_run_with_what_to_do(place, tmp_path):
    place.faults.of_downloads.append(answering("401 Unauthorized"))
    with pytest.raises(CredentialsError, match=r"PEPS_TOKEN.*credentials"):
        place.peps.download([DISK, title(1)], tmp_path, place.options(parallel=1))
    assert not list(tmp_path.glob("*.zip"))


def test_an_interruption_keeps_what_came(place, tmp_path, monkeypatch):
    def interrupt(progress: Progress) -> None:
        if progress.state == "receiving" and progress.done_bytes:
            raise KeyboardInterrupt

    place.faults.of_downloads.append(slowly)
    monkeypatch.setattr(client_transfer, "CHUNK_BYTES", 5_000)
    with pytest.raises(KeyboardInterrupt):
        place.peps.download([DISK], tmp_path, place.options(), watch=interrupt)
    part = tmp_path / f"{DISK}.zip.part"
    kept = part.read_bytes()
    assert 0 < len(kept) < len(place.contents[DISK])
    assert place.contents[DISK].startswith(kept)

    place.peps.download([DISK], tmp_path, place.options())
    assert place.faults.seen == [None, f"bytes={len(kept)}-"]
    assert whole(place, tmp_path, DISK)


def test_what_came_of_another_state_of_the_file_is_not_taken_up(place, tmp_path):
    (tmp_path / f"{DISK}.zip.part").write_bytes(b"old")
    (tmp_path / f"{DISK}.zip.part.from").write_text('"another"')
    (result,) = place.peps.download([DISK], tmp_path, place.options())

    assert result.state == "fetched"
    assert place.faults.seen == ["bytes=3-"]  # If-Range: the whole file came
    assert whole(place, tmp_path, DISK)


@pytest.mark.parametrize("extra", [0, 1])
def test_a_part_as_long_as_the_file_or_longer_ends_right(place, tmp_path, extra):
    content = place.contents[DISK]
    (tmp_path / f"{DISK}.zip.part").write_bytes(content + b"x" * extra)
    (result,) = place.peps.download([DISK], tmp_path, place.options())

    assert result.state == "fetched"
    assert whole(place, tmp_path, DISK)
    assert len(place.faults.seen) == (0, 2)[extra]


def test_a_product_asked_for_twice_is_fetched_once(place, tmp_path):
    results = place.peps.download([DISK, DISK, f"{DISK}.SAFE"], tmp_path, place.options())

    assert [one.state for one in results if one.state == "fetched"] == ["fetched"]
    assert len(place.faults.seen) == 1


def test_at_the_deadline_what_is_not_there_is_late(place, tmp_path):
    gone = answering("202 You should retry the request", Retry_After="60")
    place.faults.of_downloads.extend([gone] * 100)
    soon = datetime.now(UTC) + timedelta(seconds=0.3)

    results = place.peps.download(
        [title(number) for number in ON_DISK], tmp_path, place.options(deadline=soon)
    )

    assert {one.state for one in results} == {"late"}
    assert 1 <= len(results) <= len(ON_DISK)  # what was not taken on by then is not told


def test_no_more_transfers_run_at_once_than_wished(place, tmp_path):
    running: list[str] = []
    most = 0

    def counted(progress: Progress) -> None:
        nonlocal most
        if progress.state == "receiving" and progress.name not in running:
            running.append(progress.name)
        elif progress.state == "over":
            running.remove(progress.name)
        most = max(most, len(running))

    wanted = [title(number) for number in ON_DISK]
    place.peps.download(wanted, tmp_path, place.options(parallel=2), watch=counted)
    assert 1 <= most <= 2


def test_a_list_is_read_as_it_is_needed(place, tmp_path):
    taken: list[int] = []

    def names():
        for number in ON_DISK:
            taken.append(number)
            yield title(number)

    run = place.peps.downloads(names(), tmp_path, place.options(ahead=2))
    next(run)
    assert len(taken) <= 3
    run.close()


def test_a_full_disk_is_told_before_anything_is_sent(place, tmp_path, monkeypatch):
    monkeypatch.setattr(client_transfer, "_free_bytes", lambda part: 1000)
    with pytest.raises(NoSpaceError, match="make room"):
        place.peps.download([DISK], tmp_path, place.options())
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_meanwhile_ends_the_run(place, tmp_path, monkeypatch):
    def full(self: Part, chunk: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Part, "write", full)
    with pytest.raises(NoSpaceError, match="is full"):
        place.peps.download([DISK], tmp_path, place.options())


def test_two_programs_do_not_write_one_file(place, tmp_path):
    with (tmp_path / f"{DISK}.zip.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        (result,) = place.peps.download([DISK], tmp_path, place.options())
    assert result.state == "failed"
    assert "another program" in result.message


def test_a_server_that_stays_away_ends_the_run(tmp_path):
    product = Product("1", DISK, "S1", "disk", "http://127.0.0.1:9/resto/collections/S1/1/download")
    with pytest.raises(UnreachableError):
        Peps("http://127.0.0.1:9").download([product], tmp_path, Options(pace=HASTY))


@pytest.mark.parametrize("name", ["../evil", ".hidden", "a/b"])
def test_a_title_that_is_a_path_is_refused(place, tmp_path, name):
    product = Product("1", name, "S1", "disk", f"{place.url}/resto/collections/S1/1/download")
    (result,) = place.peps.download([product], tmp_path / "in", place.options())

    assert result.state == "failed"
    assert not (tmp_path / "evil.zip").exists()


def test_the_folder_in_the_zip_takes_its_place(place, tmp_path):
    (result,) = place.peps.download([DISK], tmp_path, place.options(extract=True))

    assert result.path == tmp_path / f"{DISK}.SAFE"
    assert [path.name for path in tmp_path.iterdir()] == [f"{DISK}.SAFE"]
    assert (result.path / "manifest.safe").read_bytes() == b"<xml/>"
    (again,) = place.peps.download([DISK], tmp_path, place.options(extract=True))
    assert again.state == "present"


def test_a_zip_that_is_there_is_extracted_without_another_transfer(place, tmp_path):
    place.peps.download([DISK], tmp_path, place.options())
    place.faults.seen.clear()
    (result,) = place.peps.download([DISK], tmp_path, place.options(extract=True))

    assert result.path == tmp_path / f"{DISK}.SAFE"
    assert place.faults.seen == []


def test_every_checksum_that_servers_show_is_known(tmp_path):
    content = b"peps" * 1000
    known = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
    for shown, name in known.items():
        with Part(tmp_path / "file", shown) as part:
            part.begin(None)
            part.write(content)
            part.verify(len(content), hashlib.new(name, content).hexdigest())
    with Part(tmp_path / "file", "ADLER32") as part:
        part.verify(len(content), "1316b71b")
