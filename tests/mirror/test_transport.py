"""Requests to a hub: tokens, pauses that it asks for, rates."""

import random
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from peps_wps.mirror.errors import HubUnavailableError, StoppedError
from peps_wps.mirror.pacing import Breaker, Rate
from peps_wps.mirror.transport import Transport
from tests.mirror.fake_hub import FakeHub, Fault
from tests.mirror.hub_products import sentinel2
from tests.mirror.mirror_house import MirrorHouse


def test_a_token_is_fetched_once_and_again_when_it_ends(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    products = [sentinel2(dice, number, datetime.now(UTC)) for number in range(6)]
    house.write_sources(connections=1)
    hub.publish(*products[:3])
    mirror = house.mirror()
    mirror.run(once=True)
    assert hub.tokens == 1
    hub.expire_tokens()
    hub.publish(*products[3:])
    mirror.run(once=True)
    assert hub.tokens == 2
    assert house.states() == {"done": 6}
    assert "password" not in " ".join(hub.requests)


def test_a_token_that_is_about_to_end_is_refreshed(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    hub.token_lifetime_s = 0.2
    hub.publish(*(sentinel2(dice, number, datetime.now(UTC)) for number in range(4)))
    hub.piece_pause_s = 0.05
    house.write_sources(connections=1)
    house.run_once()
    assert hub.tokens > 1
    assert house.states() == {"done": 4}


def test_wrong_credentials_end_the_run_and_are_not_told(
    house: MirrorHouse, hub: FakeHub, dice: random.Random, caplog: pytest.LogCaptureFixture
) -> None:
    hub.publish(sentinel2(dice, 1, datetime.now(UTC)))
    house.credentials["MIRROR_HUB_PASSWORD"] = "not the password"
    tally = house.run_once()
    assert tally.problems == ["hub does not accept user and password"]
    assert house.states() == {"waiting": 1}
    assert "not the password" not in caplog.text


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_pause_that_a_hub_asks_for_is_kept(house: MirrorHouse, hub: FakeHub, form: str) -> None:
    breaker = Breaker(0.01)
    transport = Transport(house.source, Rate(0, threading.Event()), breaker)
    later = datetime.now(UTC) + timedelta(seconds=60)
    asked = 60 if form == "seconds" else format_datetime(later, usegmt=True)
    hub.catalogue_faults.append(Fault(status=503, retry_after=asked))
    url = f"{hub.url}/odata/v1/Products"
    with pytest.raises(HubUnavailableError, match="HTTP 503"):
        transport.json(url, {})
    assert 50 < breaker.wait_s <= 60
    with pytest.raises(HubUnavailableError, match="left alone"):
        transport.json(url, {})
    assert len(hub.requests) == 1
    assert transport.tally() == (1, 1)


def test_a_breaker_tries_with_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    breaker = Breaker(10)
    for _ in range(3):
        breaker.enter()
        breaker.fail(None)
    assert breaker.wait_s == 10
    now += 11
    breaker.enter()
    with pytest.raises(HubUnavailableError, match="another request"):
        breaker.enter()
    breaker.fail(None)
    assert breaker.wait_s == 20
    now += 21
    breaker.enter()
    breaker.succeed()
    for _ in range(5):
        breaker.enter()


def test_a_rate_is_kept_and_ends_when_told() -> None:
    stop = threading.Event()
    rate = Rate(1000, stop)
    begin = time.monotonic()
    for _ in range(15):
        rate.take(100)
    # 1500 units at 1000 a second, the first second's worth at once.
    assert time.monotonic() - begin > 0.4
    stop.set()
    with pytest.raises(StoppedError):
        rate.take(1)


def test_credentials_are_asked_for_only_where_needed(
    house: MirrorHouse, hub: FakeHub, dice: random.Random
) -> None:
    text = (house.root / "sources.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("token")]
    (house.root / "sources.toml").write_text("\n".join(lines))
    hub.publish(sentinel2(dice, 1, datetime.now(UTC)))
    assert house.source.credentials is None
    tally = house.run_once()
    # This hub wants a token all the same.
    assert tally.problems == ["hub refuses a new token"]
