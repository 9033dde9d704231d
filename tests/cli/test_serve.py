"""`peps serve` as a whole: an order through tape, by the command line, on stand-in chains."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.job_house import House, opened_house
from tests.patience import stretched, until
from tests.ports import free_port
from tests.processes import descendants, is_alive

ROOT = Path(__file__).resolve().parents[2]


def peps(*arguments: str, var: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "peps_wps.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=stretched(60),
        check=False,
        env=environment(var),
    )


def environment(var: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PEPS_VAR": str(var),
        "PEPS_PROCESSING_CHAINS": "tests.jobs.stand_in_chains",
        "PEPS_PROCESSING_LEASE_S": "1.5",
        "PEPS_PROCESSING_HEARTBEAT_S": "0.3",
        "PEPS_TAPE_SPEED": "1000",
    }


class Served:
    """A running service."""

    def __init__(self, house: House, *, start_new_session: bool = False) -> None:
        self.start_new_session = start_new_session
        house.archive("PRODUCT_0")
        var = house.config.var
        self.port = free_port()
        self.var = var
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = var.with_name("serve.log")
        # The database of the house may lie elsewhere than its state.
        self.environment = {
            **environment(var),
            "PEPS_CATALOG_URL": str(house.config.catalog.url),
        }
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        with self.log.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "peps_wps.cli", "serve", "--open", "--port", str(self.port)],
                stderr=stream,
                text=True,
                env=self.environment,
                start_new_session=self.start_new_session,
            )
        until(lambda: "PEPS is at" in self.log.read_text() or process.poll() is not None, 30)
        return process


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that the test leaves as it is."""
    with opened_house(tmp_path_factory.mktemp("served")) as house:
        service = Served(house)
        yield service
        service.process.terminate()
        service.process.wait(stretched(20))


@pytest.fixture
def mortal(house: House) -> Iterator[Served]:
    """A service that the test may kill."""
    service = Served(house)
    yield service
    service.process.terminate()
    service.process.wait(stretched(20))


def test_an_order_goes_through_tape_to_files(served: Served, tmp_path: Path) -> None:
    output = tmp_path / "output"
    ended = peps(
        *("execute", "S1_ORTHO", "product=PRODUCT_0", "--watch", "--json"),
        *("--output", str(output), "--url", served.url),
        var=served.var,
    )

    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    assert answer["state"] == "succeeded"
    assert (output / "answer.txt").read_text() == "task 0 ['PRODUCT_0.......']\n"
    assert str(output / "answer.txt") in answer["files"]
    listed = json.loads(peps("jobs", "--json", var=served.var).stdout)
    assert [(job["id"], job["state"]) for job in listed] == [(answer["id"], "succeeded")]


def test_refusals_have_their_own_exit_codes(served: Served) -> None:
    unknown = peps("execute", "NONE", "--url", served.url, var=served.var)
    refused = peps("execute", "S1_ORTHO", "product=ABSENT", "--url", served.url, var=served.var)
    taken = peps("serve", "--port", str(served.port), var=served.var)

    assert (unknown.returncode, refused.returncode, taken.returncode) == (4, 4, 1)
    assert "no product is called ABSENT" in refused.stderr
    assert f"port {served.port} of 127.0.0.1 is taken" in taken.stderr


def test_a_cancelled_job_is_told_as_failed(served: Served) -> None:
    # The stand-in works for long when its product's order says so; here it waits behind another.
    ordered = peps("execute", "S1_ORTHO", "product=PRODUCT_0", "--url", served.url, var=served.var)
    job_id = ordered.stdout.strip()
    assert re.fullmatch(r"[0-9a-f-]{36}", job_id)
    cancelled = peps("cancel", job_id, "--url", served.url, var=served.var)
    watched = peps("watch", job_id, "--url", served.url, var=served.var)

    assert (cancelled.returncode, watched.returncode) == (0, 1)
    assert "dismissed" in watched.stderr


def test_no_process_outlives_a_killed_service_and_its_jobs_go_on(
    mortal: Served, tmp_path: Path
) -> None:
    before = descendants(mortal.process.pid)
    ordered = peps("execute", "S1_ORTHO", "product=PRODUCT_0", "--url", mortal.url, var=mortal.var)
    os.kill(mortal.process.pid, signal.SIGKILL)
    mortal.process.wait()
    until(lambda: not any(map(is_alive, before)), 15)

    mortal.process = mortal.start()
    watched = peps(
        *("watch", ordered.stdout.strip(), "--url", mortal.url, "--output", str(tmp_path / "o")),
        var=mortal.var,
    )
    assert watched.returncode == 0, watched.stderr


def test_the_service_ends_in_order_and_quickly(mortal: Served) -> None:
    before = descendants(mortal.process.pid)
    begun = time.monotonic()
    mortal.process.terminate()

    assert mortal.process.wait(stretched(20)) == 0
    assert time.monotonic() - begun < stretched(10)
    until(lambda: not any(map(is_alive, before)), 5)


def test_a_key_pressed_in_the_terminal_ends_the_service_at_once_and_quietly(house: House) -> None:
    service = Served(house, start_new_session=True)
    begun = time.monotonic()
    os.killpg(service.process.pid, signal.SIGINT)

    assert service.process.wait(stretched(20)) == 0
    assert time.monotonic() - begun < stretched(6)  # 2 s where nothing else runs
    log = service.log.read_text()
    assert "SIGKILL" not in log
    assert "leaked" not in log


def test_an_open_service_needs_a_word_on_another_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEPS_AUTH_MODE", "open")

    ended = peps("serve", "--host", "0.0.0.0", var=tmp_path / "var")

    assert ended.returncode == 2
    assert "--open" in ended.stderr


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom peps_wps.cli import main\ntry: main(['--help'])\n"
        "except SystemExit: sys.stderr.write(' '.join(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert "exit codes:" in ended.stdout
    assert not {"numpy", "sqlalchemy", "requests", "lxml"} & set(ended.stderr.split())


def test_a_service_without_users_says_how_to_add_one(tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "peps_wps.cli", "serve", "--port", str(port)],
            stderr=stream,
            env=environment(tmp_path / "var"),
        )
    until(lambda: "no user yet" in log.read_text() or process.poll() is not None, 30)
    process.terminate()

    assert process.wait(stretched(20)) == 0
    assert "peps user add NAME" in log.read_text()
