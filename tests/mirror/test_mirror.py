"""The mirror against a hub that does wrong whatever a hub can do wrong."""

import math
import os
import random
import signal
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog_db.engine import create_engine
from peps_wps.services import Services
from tests.mirror.fake_hub import FakeHub, Fault, seeded_faults, with_wrong_checksum
from tests.mirror.hub_products import HubProduct, md5, sentinel2
from tests.mirror.mirror_house import MirrorHouse, add_products, truth
from tests.patience import until
from tests.processes import states

IS_DRILL = os.environ.get("PEPS_DRILLS") == "1"
KILLS = 30 if IS_DRILL else 2
FAULTY = 60 if IS_DRILL else 24


@pytest.mark.drill
def test_all_faults_in_one_run(
    house: MirrorHouse, hub: FakeHub, dice: random.Random, tmp_path: Path
) -> None:
    first = add_products(hub, dice, tmp_path, FAULTY)
    now = datetime.now(UTC)
    faults = seeded_faults(hub, dice)
    assert len(faults) > FAULTY // 3
    hub.catalogue_faults.extend(
        [Fault(cut=True), Fault(status=503), Fault(replace={"value": "none"}), Fault(replace=[])]
    )
    hub.page = 20
    # One that the hub lists twice, one whose MD5 is wrong until it is repaired.
    tiles = [one for one in first if one.collection == "SENTINEL-2"]
    twin = replace(tiles[0], id="00000000-0000-4000-8000-000000000001")
    wrong = tiles[1]
    hub.publish(twin, with_wrong_checksum(wrong))
    house.run_until_settled()

    assert house.states() == {"done": FAULTY, "failed": 1}
    (failure,) = house.report().failures
    assert (failure.name, failure.attempts, failure.corrupt) == (wrong.title, 5, 5)
    assert "MD5" in failure.error

    # Meanwhile: a late one, others repaired, deleted for several causes; the token ends.
    late = sentinel2(dice, 900, now - timedelta(hours=40))
    repaired, changed = wrong.anew(dice, now), tiles[2].anew(dice, now)
    hub.publish(late, repaired, changed)
    for product, cause in ((tiles[3], "Corrupted product"), (tiles[4], "Obsolete product")):
        hub.delete(product.id, cause)
    hub.delete(twin.id, "Duplicated product")
    hub.expire_tokens()
    house.run_until_settled()

    assert house.served() == truth(hub)
    assert house.states() == {"done": FAULTY - 1, "gone": 3}
    assert house.product(tiles[3].title).withdrawn
    assert house.product(tiles[4].title).withdrawn
    assert not house.product(tiles[0].title).withdrawn
    check_history(house, hub, changed)
    check_delays(house, hub)


def check_history(house: MirrorHouse, hub: FakeHub, changed: HubProduct) -> None:
    """Each content was stored once, with the MD5 that the hub stated."""
    for product in hub.products.values():
        contents = house.contents(product.title)
        assert contents[-1].checksum == md5(product.content)
        assert [one.replaced_us is None for one in contents].count(True) == 1
    old, new = house.contents(changed.title)
    assert old.checksum != new.checksum
    assert old.file != new.file


def check_delays(house: MirrorHouse, hub: FakeHub) -> None:
    """The report against the hub's own log: what was served when, and announced when."""
    served = {one.checksum: one.at for one in hub.log if one.is_whole and one.status in (200, 206)}
    forms = [*hub.products.values(), *(one for one, _, _ in hub.deleted.values()), *hub.earlier]
    delays = {
        form.checksum: (served[form.checksum] - form.announced).total_seconds()
        for form in forms
        if form.checksum in served and form.checksum == md5(form.content)
    }
    found = house.report().delay
    assert found.number == len(delays)
    # The hub's log ends with the last byte; verification and storage follow it.
    for name, share in (("p50_s", 0.5), ("p95_s", 0.95), ("max_s", 1.0)):
        expected = sorted(delays.values())[math.ceil(share * len(delays)) - 1]
        assert getattr(found, name) == pytest.approx(expected, abs=10)
    promised = [delay <= 48 * 3600 for delay in delays.values()]
    assert found.share_within_48h == pytest.approx(sum(promised) / len(promised))


@pytest.mark.drill
@pytest.mark.postgresql
def test_a_killed_mirror_goes_on(
    house: MirrorHouse, hub: FakeHub, dice: random.Random, tmp_path: Path
) -> None:
    add_products(hub, dice, tmp_path, 16)
    hub.piece_pause_s = 0.02
    house.services.engine.dispose()
    for left in reversed(range(KILLS)):
        child = os.fork()
        if child == 0:
            follow_and_vanish(house)
        wait_for_pieces(hub, dice.randrange(0, 24 if KILLS < 10 else 8))
        time.sleep(dice.uniform(0, 0.05))
        if left == 0:
            until(lambda process=child: has_stopped_inside_a_file(house, hub, process))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    hub.piece_pause_s = 0
    assert house.states().get("done", 0) < 16
    house.run_until_settled()
    assert house.served() == truth(hub)
    assert house.states() == {"done": 16}
    for product in hub.products.values():
        assert len(house.contents(product.title)) == 1
    assert house.files() == 16
    assert any(one.begin for one in hub.log)  # parts were continued
    pool = [path for path in house.config.storage.path.rglob("*.zip") if path.is_file()]
    assert {md5(path.read_bytes()) for path in pool} == set(truth(hub).values())


def wait_for_pieces(hub: FakeHub, count: int) -> None:
    """Wait until a hub has sent some more pieces of files, not long if there are none."""
    wanted, deadline = hub.pieces + count, time.monotonic() + 5
    while hub.pieces < wanted and time.monotonic() < deadline:
        time.sleep(0.002)


def has_stopped_inside_a_file(house: MirrorHouse, hub: FakeHub, process: int) -> bool:
    """Stop a mirror; let it go on where no file is here in part only."""
    os.kill(process, signal.SIGSTOP)
    until(lambda: set(states(process)) == {"T"})
    for part in house.config.mirror.path.glob("hub/*/*.zip"):
        hub_id = part.parent.name.rpartition("-")[0]
        if 0 < part.stat().st_size < len(hub.products[hub_id].content):
            return True
    os.kill(process, signal.SIGCONT)
    return False


def follow_and_vanish(house: MirrorHouse) -> None:
    """In a child: follow the hub until killed."""
    try:
        engine = create_engine(house.config.catalog.url)
        house.services = Services.of(house.config, engine)
        while True:
            house.run_once()
    finally:
        os._exit(1)


def test_an_interrupted_download_is_continued(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    product = sentinel2(dice, 1, datetime.now(UTC))
    hub.publish(product)
    hub.download_faults[product.id].append(Fault(drop_at=90_000))
    house.run_once()
    first, second = hub.log
    assert (first.begin, second.status) == (0, 206)
    assert 0 < second.begin <= 90_000
    assert house.served() == truth(hub)
    assert house.row(product.id).corrupt == 0


def test_a_part_of_other_bytes_is_not_continued(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    product = sentinel2(dice, 1, datetime.now(UTC))
    hub.publish(product)
    part = house.config.mirror.path / "hub" / f"{product.id}-{product.checksum}"
    part.mkdir(parents=True)
    (part / f"{product.title}.zip").write_bytes(bytes(50_000))
    (part / "etag").write_text('"of other bytes"')
    house.run_once()
    assert [(one.status, one.begin) for one in hub.log] == [(200, 0)]
    assert house.served() == truth(hub)


def test_damage_is_fetched_from_zero_and_counted(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    product = sentinel2(dice, 1, datetime.now(UTC))
    hub.publish(product)
    hub.download_faults[product.id].extend([Fault(flip_at=77_000)] * 2)
    house.run_until_settled()
    assert [one.begin for one in hub.log] == [0, 0, 0]
    assert house.row(product.id).corrupt == 2
    assert house.report().corrupt_downloads == 2
    assert house.served() == truth(hub)


def test_newest_go_first_and_the_backlog_has_its_share(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    now = datetime.now(UTC)
    ages = [sentinel2(dice, number, now - timedelta(hours=number)) for number in range(8)]
    hub.publish(*ages)
    house.write_sources(connections=1, backlog_share=0.25)
    house.run_once()
    order = [next(n for n, one in enumerate(ages) if one.id == s.hub_id) for s in hub.log]
    assert order == [0, 1, 2, 7, 3, 4, 5, 6]


def test_the_volume_of_a_day_and_connections_are_kept_to(
    house: MirrorHouse, hub: FakeHub, dice: random.Random, tmp_path: Path
) -> None:
    add_products(hub, dice, tmp_path, 12)
    hub.piece_pause_s = 0.005
    house.write_sources(connections=2, daily_gb=0.001)
    house.run_once()
    sent = sum(one.sent for one in hub.log)
    assert hub.most_connections <= 2
    assert 0 < sent <= 1_000_000
    done = house.states()["done"]
    house.run_once()
    assert house.states()["done"] == done


def test_a_hub_out_of_service_is_left_alone(
    house: MirrorHouse, hub: FakeHub, dice: random.Random, tmp_path: Path
) -> None:
    products = add_products(hub, dice, tmp_path, 4)
    for product in products:
        hub.download_faults[product.id].append(Fault(status=429, retry_after=30))
    house.write_sources(connections=1)
    house.run_once()
    assert len(hub.log) == 1
    assert house.states() == {"waiting": 4}
    assert house.row(hub.log[0].hub_id).attempts == 0
    availability = house.report().availability
    assert availability is not None
    assert 0 < availability < 1


def test_a_full_disk_stops_the_run(
    house: MirrorHouse, hub: FakeHub, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.publish(sentinel2(dice, 1, datetime.now(UTC)))

    def full(*_given: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(house.services.archive, "copy", full)
    tally = house.run_once()
    assert "No space left" in tally.problems[0]
    assert house.states() == {"waiting": 1}
    monkeypatch.undo()
    house.run_once()
    assert house.served() == truth(hub)
    assert len(hub.log) == 1  # the part was whole


def test_a_run_ends_when_it_is_told(
    house: MirrorHouse, hub: FakeHub, dice: random.Random, tmp_path: Path
) -> None:
    add_products(hub, dice, tmp_path, 12)
    hub.piece_pause_s = 0.05
    mirror = house.mirror()
    thread = threading.Thread(target=mirror.run)
    thread.start()
    until(lambda: hub.connections)
    mirror.stop()
    thread.join()
    assert mirror.tally.problems == []
    assert "fetching" not in house.states()
    hub.piece_pause_s = 0
    house.run_until_settled()
    assert house.served() == truth(hub)


def test_two_runs_do_not_follow_one_source(house: MirrorHouse, hub: FakeHub) -> None:
    first, second = house.mirror(), house.mirror()
    thread = threading.Thread(target=first.run)
    thread.start()
    until(lambda: hub.requests)
    assert second.run(once=True).problems == ["another process follows hub"]
    first.stop()
    thread.join()


def test_a_source_that_continues_elsewhere_is_not_believed(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    product = sentinel2(dice, 1, datetime.now(UTC))
    hub.publish(product)
    hub.download_faults[product.id].extend(
        [Fault(drop_at=90_000), Fault(shift=7), Fault(longer_by=100)]
    )
    house.run_until_settled()
    assert house.served() == truth(hub)
    assert house.row(product.id).corrupt == 2
