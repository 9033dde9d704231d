"""`peps mirror` as an operator uses it."""

import json
import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from peps_wps import cli
from peps_wps.cli.terminal import JOB_FAILED, OK, USAGE
from tests.mirror.fake_hub import FakeHub, Fault
from tests.mirror.hub_products import md5, sentinel2, some_products
from tests.mirror.mirror_house import MirrorHouse
from tests.patience import until


@pytest.fixture
def command(house: MirrorHouse, monkeypatch: pytest.MonkeyPatch) -> MirrorHouse:
    for name, value in {**house.environ, **house.credentials}.items():
        monkeypatch.setenv(name, value)
    for number in (signal.SIGINT, signal.SIGTERM):
        kept = signal.getsignal(number)
        monkeypatch.setattr(signal, "signal", lambda _number, _handler, kept=kept: kept)
    return house


def peps(house: MirrorHouse, *arguments: str) -> int:
    return cli.main(["mirror", *arguments, "--var", str(house.root)])


def test_a_run_is_reported(
    command: MirrorHouse,
    hub: FakeHub,
    dice: random.Random,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hub.publish(*some_products(dice, 6, tmp_path / "safe", now=datetime.now(UTC), hours=30))
    assert peps(command, "run", "--once") == OK
    assert "6 mirrored" in capsys.readouterr().out
    assert peps(command, "status", "--json") == OK
    (found,) = json.loads(capsys.readouterr().out)
    assert found["states"] == {"done": 6}
    assert found["delay"]["share_within_48h"] == 1
    assert found["backlog_products"] == 0
    volume = sum(day["size_bytes"] for day in found["days"])
    assert volume == sum(len(one.content) for one in hub.products.values())
    assert peps(command, "status") == OK
    assert "within 48 h: 100.00 %" in capsys.readouterr().out
    assert peps(command, "reconcile") == OK
    assert "0 differ" in capsys.readouterr().out


def test_what_is_left_shows_in_the_exit_code(
    command: MirrorHouse, hub: FakeHub, dice: random.Random, capsys: pytest.CaptureFixture[str]
) -> None:
    late = sentinel2(dice, 1, datetime.now(UTC) - timedelta(hours=50))
    hub.publish(late)
    hub.download_faults[late.id].extend([Fault(status=500)] * 10)
    for _ in range(5):
        assert peps(command, "run", "--once") == JOB_FAILED
    capsys.readouterr()
    assert peps(command, "status") == OK
    text = capsys.readouterr().out
    assert "within 48 h: 0.00 %" in text
    assert f"given up       {late.title}: the download is answered with 500" in text
    hub.download_faults.clear()
    assert peps(command, "reconcile") == OK
    assert "1 given up before wait again" in capsys.readouterr().out
    assert peps(command, "run", "--once") == OK


def test_a_source_that_is_none_is_named(
    command: MirrorHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert peps(command, "status", "--source", "other") == USAGE
    assert "there is no source other" in capsys.readouterr().err


@pytest.mark.slow
def test_sigterm_ends_a_run_cleanly(
    house: MirrorHouse, hub: FakeHub, dice: random.Random, tmp_path: Path
) -> None:
    hub.publish(*some_products(dice, 8, tmp_path / "safe", now=datetime.now(UTC)))
    hub.piece_pause_s = 0.05
    process = subprocess.Popen(
        [sys.executable, "-m", "peps_wps.cli", "mirror", "run", "--var", str(house.root)],
        env={**os.environ, **house.environ, **house.credentials},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: hub.connections, 60)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "received" in out
    assert "password" not in out + err
    assert "fetching" not in house.states()
    hub.piece_pause_s = 0
    house.run_until_settled()
    assert house.served() == {one.title: md5(one.content) for one in hub.products.values()}
