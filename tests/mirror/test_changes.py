"""What a hub changes later: published late, repaired, replaced; and what it lists twice."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalog_db.catalogue import products as catalogue
from peps_wps.mirror.reconciling import reconcile
from tests.mirror.fake_hub import FakeHub, Fault
from tests.mirror.hub_products import md5, sentinel2
from tests.mirror.mirror_house import MirrorHouse, add_products, truth


def test_reconciliation_finds_what_the_overlap_cannot(
    house: MirrorHouse, hub: FakeHub, dice: random.Random, tmp_path: Path
) -> None:
    add_products(hub, dice, tmp_path, 6)
    house.run_once()
    # Published long before the overlap, never modified since.
    very_late = sentinel2(dice, 901, datetime.now(UTC) - timedelta(days=8))
    hub.publish(very_late)
    house.run_once()
    assert very_late.title not in house.served()
    mirror = house.mirror()
    found = reconcile(
        house.source, mirror.hub, mirror.lister, house.services.engine, until=datetime.now(UTC)
    )
    (gap,) = found.gaps
    assert (gap.feed, gap.theirs, gap.ours, gap.reopened) == ("s2", 1, 0, 1)
    assert gap.day.date() == very_late.published.date()
    house.run_once()
    assert house.served() == truth(hub)


def test_a_repaired_product_comes_back_under_another_identifier(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    product = sentinel2(dice, 1, datetime.now(UTC) - timedelta(hours=2))
    hub.publish(product)
    house.run_once()
    hub.delete(product.id, "Corrupted product")
    house.run_once()
    assert house.served() == {}
    now = datetime.now(UTC)
    again = replace(product.anew(dice, now), id="00000000-0000-4000-8000-000000000002")
    hub.publish(replace(again, published=now))
    house.run_once()
    assert house.served() == truth(hub)
    assert not house.product(product.title).withdrawn


def test_what_was_withdrawn_here_stays_so(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    product = sentinel2(dice, 1, datetime.now(UTC) - timedelta(hours=2))
    hub.publish(product)
    house.run_once()
    with house.services.engine.begin() as connection:
        catalogue.withdraw(connection, house.product(product.title).uid)
    hub.publish(product.anew(dice, datetime.now(UTC)))
    house.run_once()
    assert house.served() == {}
    assert house.row(product.id).state == "gone"


def test_more_than_can_be_skipped_are_listed(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    now = datetime.now(UTC) - timedelta(hours=5)
    template = sentinel2(dice, 1, now)
    # Bursts of one instant, and more on a day than may be skipped.
    for number in range(120):
        published = now + timedelta(seconds=number // 30)
        name = template.name.replace("T55PDR", f"T55P{number:02X}")
        hub.publish(
            replace(
                template,
                id=f"p-{number}",
                name=name,
                published=published,
                modified=published,
                checksum="0" * 32,
            )
        )
    hub.page, hub.most_skipped = 8, 40
    house.mirror().lister.run()
    assert sum(house.states().values()) == 120


def test_what_goes_to_tape_is_replaced_there_too(
    hub: FakeHub, dice: random.Random, tmp_path: Path, database_url: str
) -> None:
    house = MirrorHouse(tmp_path, hub, database_url, tier="tape")
    product = sentinel2(dice, 1, datetime.now(UTC) - timedelta(hours=1))
    hub.publish(product)
    house.run_once()
    newer = product.anew(dice, datetime.now(UTC))
    hub.publish(newer)
    house.run_once()
    on_tape = {md5(path.read_bytes()) for path in house.config.tape.path.glob("*/*.zip")}
    assert on_tape == {product.checksum, newer.checksum}
    found = house.product(product.title)
    assert found.size_bytes == len(newer.content)
    assert house.services.archive.mode([found.uid]) == {found.uid: "tape"}
    house.services.engine.dispose()


def test_feeds_that_overlap_fetch_once_and_leave_no_gap(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    path = house.root / "sources.toml"
    first = path.read_text().partition("[[source.feed]]")[2].partition("[[source.feed]]")[0]
    path.write_text(path.read_text() + "[[source.feed]]" + first.replace('"s2"', '"again"'))
    hub.publish(*(sentinel2(dice, n, datetime.now(UTC) - timedelta(hours=9)) for n in range(3)))
    house.run_once()
    assert all(len(hub.whole_downloads(one)) == 1 for one in hub.products)
    mirror = house.mirror()
    found = reconcile(
        house.source, mirror.hub, mirror.lister, house.services.engine, until=datetime.now(UTC)
    )
    assert found.gaps == ()


def test_parts_that_nobody_waits_for_are_removed(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    product = sentinel2(dice, 1, datetime.now(UTC))
    hub.publish(product)
    hub.download_faults[product.id].extend([Fault(drop_at=70_000), Fault(status=503)])
    house.run_once()
    parts = house.config.mirror.path / "hub"
    orphans = [parts / f"{product.id}-{'0' * 32}", parts / f"unknown-{'0' * 32}"]
    for orphan in orphans:
        orphan.mkdir()
    house.mirror().run(once=True)
    assert not any(orphan.exists() for orphan in orphans)
    house.run_until_settled()
    assert house.served() == truth(hub)
    assert hub.log[-1].begin > 0  # its own part was kept
    assert list(parts.iterdir()) == []
