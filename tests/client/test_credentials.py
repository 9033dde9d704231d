"""Who a client says it is: found where it should be, and shown to nobody else."""

import os
from pathlib import Path

import pytest

from peps_wps import cli
from peps_wps.client import Credentials, CredentialsError, Peps
from peps_wps.client.credentials import credentials_file, read_private
from peps_wps.config import Config
from tests.client.conftest import ON_DISK, title
from tests.client.faulty_service import answering

SERVER = "https://peps.example.org/resto"
TEXT = """[https://other.example.org]
token = another
[https://peps.example.org:443]
user = ada
password = 100%=secret
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "credentials"
    path.write_text(TEXT)
    path.chmod(0o600)
    return path


def test_those_of_the_server_are_read(file):
    assert Credentials.of_file(file, SERVER) == Credentials(user="ada", password="100%=secret")
    assert Credentials.of_file(file, "https://other.example.org") == Credentials(token="another")
    assert Credentials.of_file(file, "http://peps.example.org") is None
    assert Credentials.of_file(file.with_name("none"), SERVER) is None


def test_the_environment_wins_and_may_name_the_file(file):
    assert Credentials.find(SERVER, {"PEPS_CREDENTIALS": str(file)}) == Credentials(
        user="ada", password="100%=secret"
    )
    both = {"PEPS_CREDENTIALS": str(file), "PEPS_TOKEN": "mine"}
    assert Credentials.find(SERVER, both) == Credentials(token="mine")
    assert credentials_file({"XDG_CONFIG_HOME": "/x"}) == Path("/x/peps/credentials")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_that_others_reach_is_refused_with_how_to_mend_it(file, mode):
    file.chmod(mode)
    with pytest.raises(CredentialsError, match=f"{mode:04o}.*chmod 600 {file}"):
        Credentials.of_file(file, SERVER)


def test_a_file_of_somebody_else_is_refused(file, monkeypatch):
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(CredentialsError, match="somebody else"):
        read_private(file)


@pytest.mark.parametrize(
    "text", ["token = secret", "[https://peps.example.org]\nsecret", "[https://peps.example.org]\n"]
)
def test_a_file_that_is_none_is_told_without_what_is_in_it(file, text):
    file.write_text(text)
    with pytest.raises(CredentialsError) as caught:
        Credentials.of_file(file, SERVER)
    assert "secret" not in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_command_tells_it_as_refused(place, tmp_path, monkeypatch, capsys, file):
    file.chmod(0o644)
    monkeypatch.setenv("PEPS_CREDENTIALS", str(file))
    assert cli.main(["search", "--url", place.url]) == 4
    assert "chmod 600" in capsys.readouterr().err


@pytest.fixture
def shown(place, monkeypatch) -> list[tuple[str, str | None]]:
    """Host and Authorization of each request that the service gets."""
    requests: list[tuple[str, str | None]] = []
    before = place.faults._application

    def application(environ, start_response):
        host = environ["HTTP_HOST"].partition(":")[0]
        requests.append((host, environ.get("HTTP_AUTHORIZATION")))
        return before(environ, start_response)

    monkeypatch.setattr(place.faults, "_application", application)
    return requests


def test_the_file_is_used_for_its_server(place, shown, file, monkeypatch):
    file.write_text(f"[{place.url}]\ntoken = peps_x\n")
    monkeypatch.setenv("PEPS_CREDENTIALS", str(file))
    list(Peps(place.url).search(limit=1))
    assert shown == [("127.0.0.1", "Bearer peps_x")]


def test_a_redirect_to_another_host_is_followed_without_credentials(place, shown, tmp_path):
    product = place.peps.find(title(ON_DISK[0]))
    elsewhere = product.download_url.replace("127.0.0.1", "localhost")
    place.faults.of_downloads.append(answering("302 Found", Location=elsewhere))
    shown.clear()
    peps = Peps(place.url, Credentials(user="ada", password="secret"))
    (result,) = peps.download([product], tmp_path, place.options())

    assert result.state == "fetched"
    assert shown[-1] == ("localhost", None)


def test_no_name_of_a_credential_is_taken_for_a_setting(tmp_path):
    names = ("PEPS_URL", "PEPS_TOKEN", "PEPS_USER", "PEPS_PASSWORD", "PEPS_CREDENTIALS")
    Config.load(var=tmp_path, environ=dict.fromkeys(names, "x"))
