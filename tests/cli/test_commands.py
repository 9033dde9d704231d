"""Exit codes and words of the command, without a server."""

import argparse
from pathlib import Path

import pytest

from peps_wps import cli
from peps_wps.cli_orders import follow, told
from peps_wps.cli_serve import is_loopback
from peps_wps.client import ClientError, JobStatus, RefusedError, UnreachableError, WpsClient


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
