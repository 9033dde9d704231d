"""Exit codes and words of the command, without a server."""

import argparse
import re
import socket
import threading
from pathlib import Path

import pytest

from catalog_db import migrations
from catalog_db.engine import create_engine
from catalog_db.processing.jobs import ACTIVE, FINISHED
from peps_wps import cli
from peps_wps.cli import demo as cli_demo
from peps_wps.cli.orders import follow, told
from peps_wps.cli.serve import is_loopback
from peps_wps.client import (
    ClientError,
    GoneError,
    JobStatus,
    RefusedError,
    UnreachableError,
    WpsClient,
)
from tests.jobs.job_house import House


def test_an_interrupted_watch_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> JobStatus:
        raise KeyboardInterrupt

    monkeypatch.setattr(WpsClient, "follow", interrupted)
    arguments = argparse.Namespace(json=False, output=None, url="http://h:1")

    assert follow(WpsClient("http://h:1"), "the-job", arguments) == 130
    assert "peps watch the-job --url http://h:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RefusedError("InvalidParameterValue", "tiles", "no"), 4),
        (UnreachableError("away"), 3),
        (ClientError("cut"), 1),
        (GoneError("its results are gone"), 1),
        (OSError("disk full"), 1),
    ],
)
def test_each_error_has_its_exit_code(error: Exception, code: int) -> None:
    def run() -> int:
        raise error

    assert told(run) == code


def test_an_input_without_a_value_is_a_wrong_command_line() -> None:
    assert cli.main(["execute", "S1_ORTHO", "product"]) == 2
    assert cli.main(["execute", "S1_ORTHO", "=x"]) == 2


def test_a_misspelt_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PEPS_TAPE_SPED", "2")

    assert cli.main(["jobs", "--var", str(tmp_path)]) == 2
    assert "sped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PEPS_CATALOG_URL", "nonsense", "[catalog] url cannot be used"),
        ("PEPS_CATALOG_URL", "oracle2://user:secret@host/x", "[catalog] url cannot be used"),
        ("PEPS_CATALOG_URL", "sqlite:////proc/x/y.db", "/proc/x/y.db cannot be used"),
        ("PEPS_LOGGING_FILE", "/proc/x/log", "[logging] file = /proc/x/log cannot be written"),
        ("PEPS_LOGGING_FORMAT", "%(colour)s", "[logging] format"),
        ("PEPS_RESULTS_PATH", "/proc/x", "the folder /proc/x cannot be written"),
        ("PEPS_TAPE_PATH", "/proc/x", "the folder /proc/x cannot be written"),
        ("PEPS_PROCESSING_CHAINS", "no.such", "[processing] chains = no.such cannot be used"),
        ("PEPS_PROCESSING_CHAINS", "json", "[processing] chains = json cannot be used"),
    ],
)
def test_a_setting_that_cannot_work_is_one_sentence_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    variable: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(variable, value)

    assert cli.main(["worker", "--var", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert "secret" not in line


@pytest.mark.parametrize("command", [["jobs"], ["worker"], ["db", "upgrade"]])
def test_a_database_of_another_kind_or_version_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: list[str]
) -> None:
    file = tmp_path / "catalog.db"
    file.write_text("no database, whatever its name says")
    assert cli.main([*command, "--var", str(tmp_path)]) == 2
    file.unlink()
    engine = create_engine(f"sqlite:///{file}")
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    assert cli.main([*command, "--var", str(tmp_path)]) == 2

    garbage, newer = capsys.readouterr().err.splitlines()
    assert "file is not a database" in garbage
    assert "written by a newer version" in newer


def test_listing_jobs_makes_no_state_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["jobs", "--var", str(tmp_path / "absent")]) == 2
    assert "there is no database" in capsys.readouterr().err
    assert not (tmp_path / "absent").exists()


def test_a_state_that_no_job_has_is_a_wrong_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert set(cli.STATES) == {*ACTIVE, *FINISHED}
    with pytest.raises(SystemExit) as left:
        cli.main(["jobs", "--state", "bogus"])
    assert left.value.code == 2
    assert "invalid choice: 'bogus'" in capsys.readouterr().err


def test_a_job_that_waits_again_is_not_listed_as_running(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEPS_CATALOG_URL", str(house.config.catalog.url))
    job_id = house.submit()
    with house.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE job SET state = 'queued', started_us = 1")

    assert cli.main(["jobs", "--var", str(house.config.var)]) == 0
    assert re.match(rf"{job_id} .* queued ", capsys.readouterr().out)


def test_each_refusal_of_ingest_is_told_once_and_without_progress(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["ingest", "absent.SAFE", "none.zip", "--var", str(tmp_path)]) == 1
    told = capsys.readouterr().err.splitlines()

    assert [line.partition(":")[0] for line in told] == ["absent.SAFE", "none.zip"]


def test_a_demonstration_is_ordered_only_where_a_peps_service_answers() -> None:
    def application(status: bytes) -> threading.Thread:
        listener = socket.create_server(("127.0.0.1", 0))
        ports.append(listener.getsockname()[1])

        def answer() -> None:
            with listener, listener.accept()[0] as client:
                client.recv(4096)
                head = b"HTTP/1.1 503 Away\r\nContent-Length: %d\r\n\r\n" % len(status)
                client.sendall(head + status)

        thread = threading.Thread(target=answer)
        thread.start()
        return thread

    ports: list[int] = []
    threads = [application(b'{"checks": {"database": {"ok": false}}}'), application(b"Welcome")]
    answers = [cli_demo._answers(f"http://127.0.0.1:{port}") for port in ports]
    for thread in threads:
        thread.join()

    assert answers == [True, False]
    assert not cli_demo._answers(f"http://127.0.0.1:{ports[0]}")


def test_every_command_can_be_imported_and_describes_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command in cli.COMMANDS:
        with pytest.raises(SystemExit) as left:
            cli.main([command, "--help"])
        assert left.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: peps {command}")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("peps.example", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected
