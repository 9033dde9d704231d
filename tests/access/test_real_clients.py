"""Clients as they are, with credentials and without, against a service that asks for them."""

import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from birdy import WPSClient
from birdy.exceptions import UnauthorizedException
from owslib.util import ServiceException
from owslib.wps import WebProcessingService, monitorExecution

from peps_wps.client import Credentials, CredentialsError, WpsClient
from tests.access.conftest import PASSWORDS, Service
from tests.loopback import on_the_loopback
from tests.wps.stand_in import Ledger

pytestmark = [
    pytest.mark.client,
    # What scripts say, and will for years.
    pytest.mark.filterwarnings('ignore:The use of "username", "password":DeprecationWarning'),
]

ADA = ("ada@example.org", PASSWORDS["ada@example.org"])
EXECUTE = "wps?service=WPS&version=1.0.0&request=execute&identifier=ECHO&datainputs=text=hello"


@pytest.fixture
def url(service: Service, ledger: Ledger) -> Iterator[str]:
    with on_the_loopback(service.app) as address:
        yield address


def test_owslib_with_a_password_sees_orders_and_polls(url: str, ledger: Ledger) -> None:
    wps = WebProcessingService(f"{url}/wps", username=ADA[0], password=ADA[1])
    assert [one.identifier for one in wps.processes] == ["FULL_MAJA", "ECHO"]

    order = wps.execute("FULL_MAJA", [("tileid", "31TCJ")], output=[])
    ledger.succeed(order.statusLocation.rpartition("pywps-")[2].removesuffix(".xml"))
    monitorExecution(order, sleepSecs=0)

    assert order.isSucceded()
    assert ledger.submitted[-1]["owner"] == ADA[0]


def test_owslib_without_one_describes_and_is_told_why_it_may_not_order(url: str) -> None:
    wps = WebProcessingService(f"{url}/wps")
    assert [one.identifier for one in wps.processes] == ["ECHO"]
    assert wps.describeprocess("ECHO").identifier == "ECHO"

    with pytest.raises(ServiceException, match="AccessForbidden"):
        wps.execute("ECHO", [("text", "hello")], output=[])


def test_owslib_with_a_wrong_one_is_told_so(url: str) -> None:
    with pytest.raises(ServiceException, match="AccessForbidden"):
        WebProcessingService(f"{url}/wps", username="eve", password="wrong password")


def test_owslib_without_right_is_told_which_process(url: str) -> None:
    wps = WebProcessingService(f"{url}/wps", username="eve", password=PASSWORDS["eve"])
    with pytest.raises(ServiceException, match="FULL_MAJA"):
        wps.execute("FULL_MAJA", [("tileid", "31TCJ")], output=[])


def test_the_qgis_plugin_orders_with_a_token_in_the_address(
    url: str, service: Service, ledger: Ledger
) -> None:
    """It has no field for credentials, and hands its address to OWSLib, which hands it on."""
    address = url.replace("//", f"//eve:{service.token('eve')}@")
    wps = WebProcessingService(f"{address}/wps", version="1.0.0")

    order = wps.execute("ECHO", [("text", "hello")], output=[])

    monitorExecution(order, sleepSecs=0)
    assert order.isSucceded()
    assert ledger.submitted[-1]["owner"] == "eve"


def test_birdy_orders_with_a_password_and_knows_why_without(url: str) -> None:
    birdy = WPSClient(f"{url}/wps", username=ADA[0], password=ADA[1])
    assert birdy.echo(text="hello").get()[0] == "hello"

    with pytest.raises(UnauthorizedException):
        WPSClient(f"{url}/wps").echo(text="hello")


@pytest.mark.parametrize("how", ["--basic", "--anyauth"])
def test_curl_answers_a_challenge_as_it_foresees_one(url: str, how: str) -> None:
    credentials = f"eve:{PASSWORDS['eve']}"
    ended = subprocess.run(
        ["curl", "--silent", "--fail", how, "--user", credentials, f"{url}/{EXECUTE}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 0
    assert "ProcessSucceeded" in ended.stdout


def test_a_client_that_waits_for_the_challenge_is_let_in(url: str) -> None:
    manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    manager.add_password("PEPS", url, *ADA)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
    with opener.open(f"{url}/{EXECUTE}", timeout=30) as answer:
        assert b"ProcessSucceeded" in answer.read()

    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{url}/{EXECUTE}", timeout=30)
    with error.value as answer:
        assert answer.code == 401


def test_our_client_orders_with_a_token_and_dismisses(
    url: str, service: Service, ledger: Ledger
) -> None:
    client = WpsClient(url, Credentials(token=service.token("ada@example.org")))
    job = client.execute("FULL_MAJA", [("tileid", "31TCJ")])

    with pytest.raises(CredentialsError):
        WpsClient(url).dismiss(job.id)
    client.dismiss(job.id)

    assert client.status(job.id).state == "failed"


def test_a_netrc_file_is_enough(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    file = tmp_path / "netrc"
    file.write_text(f"machine 127.0.0.1 login {ADA[0]} password {ADA[1].replace(' ', '_')}\n")
    monkeypatch.setenv("NETRC", str(file))
    with pytest.raises(CredentialsError):
        WpsClient(url).execute("ECHO", [("text", "hello")])
    file.write_text(f'machine 127.0.0.1 login {ADA[0]} password "{ADA[1]}"\n')

    WpsClient(url).execute("ECHO", [("text", "hello")])

    assert ledger.submitted[-1]["owner"] == ADA[0]
