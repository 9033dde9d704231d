"""`peps user`: what it changes, what it says, and what it never says."""

import contextlib
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from catalog_db.access import users
from peps_wps import cli
from peps_wps.access import Access
from peps_wps.config import Config
from peps_wps.errors import UnauthorizedError
from peps_wps.services import open_catalogue
from processes import PROCESSES

PASSWORD = "correct horse battery"


class Peps:
    """The command on a state folder of its own."""

    def __init__(
        self,
        var: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.var = var
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, typed: str = "") -> tuple[int, str, str]:
        """Return exit code, standard output and error of ``peps user``."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = cli.main(["user", *arguments, "--var", str(self.var)])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def lets_in(self, name: str, secret: str) -> bool:
        config = Config.load(var=self.var, environ={})
        engine = open_catalogue(config)
        request = Request(EnvironBuilder(auth=(name, secret)).get_environ())
        try:
            return Access(config, engine).caller(request).name == name
        except UnauthorizedError:
            return False
        finally:
            engine.dispose()


@pytest.fixture
def peps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Peps:
    return Peps(tmp_path / "var", monkeypatch, capsys)


def test_a_password_comes_from_standard_input(peps: Peps) -> None:
    code, out, _ = peps("add", "Ada@example.org", "--password-stdin", typed=f"{PASSWORD}\n")

    assert (code, out) == (0, "")
    assert peps.lets_in("ada@example.org", PASSWORD)
    assert not peps.lets_in("ada@example.org", "another password")


def test_a_generated_password_is_shown_once_and_works(peps: Peps) -> None:
    code, out, _ = peps("add", "ada", "--json")
    first = json.loads(out)["password"]
    _, out, _ = peps("password", "ada", "--generate")
    second = out.strip()

    assert code == 0
    assert len(first) >= 20
    assert first != second
    assert not peps.lets_in("ada", first)
    assert peps.lets_in("ada", second)


def test_a_password_is_typed_without_being_shown(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "peps_wps.cli", "user", "add", "ada", "--var", str(tmp_path)],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
    )
    shown = b""
    for prompt in (b"Password: ", b"Once more: "):
        while prompt not in shown:
            shown += os.read(controller, 1000)
        os.write(controller, f"{PASSWORD}\n".encode())
    out, _ = process.communicate()
    os.close(terminal)
    os.set_blocking(controller, False)
    with contextlib.suppress(OSError):
        shown += os.read(controller, 1000)
    os.close(controller)

    assert process.returncode == 0
    assert PASSWORD.encode() not in out + shown


def test_a_bad_password_or_name_adds_nobody(peps: Peps) -> None:
    for name, password in (("ada", "short"), ("a b", PASSWORD), ("anonymous", PASSWORD)):
        code, out, err = peps("add", name, "--password-stdin", typed=f"{password}\n")
        assert (code, out) == (1, "")
        assert err.startswith("peps: ")
        assert password not in err
    assert json.loads(peps("list", "--json")[1])["users"] == []


def test_who_is_there_is_not_added_again(peps: Peps) -> None:
    peps("add", "ada", "--password-stdin", typed=f"{PASSWORD}\n")
    code, out, err = peps("add", "ADA", "--generate")

    assert (code, out) == (1, "")
    assert "there is a user ada already" in err
    assert peps.lets_in("ada", PASSWORD)


def test_a_disabled_user_is_out_until_enabled(peps: Peps) -> None:
    peps("add", "ada", "--password-stdin", typed=f"{PASSWORD}\n")
    token = peps("token", "ada")[1].strip()
    for action, is_in in (("disable", False), ("enable", True)):
        assert peps(action, "ada")[0] == 0
        assert peps.lets_in("ada", PASSWORD) is is_in
        assert peps.lets_in("ada", token) is is_in


def test_disabling_one_who_is_not_there_disables_nobody(peps: Peps) -> None:
    peps("add", "ada", "--password-stdin", typed=f"{PASSWORD}\n")
    code, _, err = peps("disable", "ada", "nobody")

    assert code == 1
    assert "there is no user nobody" in err
    assert peps.lets_in("ada", PASSWORD)


def test_a_token_is_made_listed_and_revoked(peps: Peps) -> None:
    peps("add", "ada", "--no-password")
    made = json.loads(peps("token", "ada", "--label", "QGIS", "--days", "1", "--json")[1])
    assert peps.lets_in("ada", made["token"])

    listed = peps("token", "ada", "--list")[1]
    assert made["id"] in listed
    assert "QGIS" in listed
    assert made["token"] not in listed

    assert peps("token", "ada", "--revoke", made["id"])[0] == 0
    assert not peps.lets_in("ada", made["token"])
    assert peps("token", "ada", "--revoke", made["id"])[0] == 1
    assert peps("token", "ada", "--days", "0")[0] == 2


def test_rights_and_groups_are_given_and_taken(peps: Peps) -> None:
    peps("add", "ada", "--group", "radar", "--no-password")
    assert peps("grant", "ada", "S1_ORTHO", "echo")[0] == 0
    assert peps("grant", "--group", "radar", "S1_TILING")[0] == 0
    assert peps("join", "ada", "optical")[0] == 0
    assert peps("leave", "ada", "radar")[0] == 0
    assert peps("revoke", "ada", "echo")[0] == 0
    assert peps("revoke", "ada", "echo")[0] == 1
    assert peps("grant", "nobody", "echo")[0] == 1

    listed = json.loads(peps("list", "--json")[1])
    assert listed["users"][0]["groups"] == ["optical"]
    assert listed["rights"] == [
        {"process": "S1_ORTHO", "user": "ada"},
        {"process": "S1_TILING", "group": "radar"},
    ]


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [("S1_ORTHOS", "S1_ORTHO"), ("s1_tiling", "S1_TILING"), ("NDVI", "S2_NDVI")],
)
def test_a_right_to_what_is_no_process_is_refused_with_the_nearest_names_first(
    peps: Peps, misspelt: str, meant: str
) -> None:
    peps("add", "ada", "--no-password")

    code, _, said = peps("grant", "ada", "echo", misspelt)

    assert code == 2
    assert f"there is no process {misspelt}: {meant}, " in said
    assert all(one.identifier in said for one in PROCESSES)
    assert json.loads(peps("list", "--json")[1])["rights"] == []


def test_no_listing_shows_a_hash(peps: Peps) -> None:
    peps("add", "ada", "--password-stdin", typed=f"{PASSWORD}\n")
    engine = open_catalogue(Config.load(var=peps.var, environ={}))
    with engine.connect() as connection:
        stored = users.require(connection, "ada").password_hash
    engine.dispose()

    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored
    assert "argon2" not in "".join(peps("list", "--json")[1:] + peps("list")[1:])
