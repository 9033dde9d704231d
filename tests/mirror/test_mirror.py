"""The mirror against a hub that does wrong whatever a hub can do wrong."""

import random
from datetime import UTC, datetime
from pathlib import Path

from tests.mirror.fake_hub import FakeHub
from tests.mirror.hub_products import md5, some_products
from tests.mirror.mirror_house import MirrorHouse


def truth(hub: FakeHub) -> dict[str, str]:
    return {one.title: md5(one.content) for one in hub.products.values()}


def test_what_the_hub_has_is_mirrored_once(
    house: MirrorHouse, hub: FakeHub, dice: random.Random, tmp_path: Path
) -> None:
    hub.publish(*some_products(dice, 12, tmp_path / "safe", now=datetime.now(UTC)))
    house.run_once()
    assert house.served() == truth(hub)
    house.run_once()
    assert all(len(hub.whole_downloads(one)) == 1 for one in hub.products)
    assert house.states() == {"done": 12}
