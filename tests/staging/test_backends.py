"""The tape backends that a configuration names are built, or refused in words."""

import sys

import pytest

from peps_wps.config import Config
from peps_wps.errors import ConfigError
from peps_wps.staging.backends import open_tapes
from storage.backends.glacier import GlacierVault
from storage.backends.posix import PosixHsm
from storage.backends.simtape import SimulatedTape
from storage.backends.wlcg import WlcgTape

EVERY_KIND = """
[tape]
model = t10000d
[tape:hsm]
backend = posix
offline_attribute = user.offline
[tape:site]
backend = wlcg
url = https://tape.example.org
data_url = https://webdav.example.org:1094/
folder = /pnfs/example.org/peps
[tape:cold]
backend = glacier
bucket = cold
region = eu-west-3
"""


def tapes(folder, text):
    path = folder / "peps.cfg"
    path.write_text(text)
    return open_tapes(Config.load(path, var=folder / "var", environ={}))


def test_each_kind_is_built_and_touches_nothing(tmp_path):
    found = tapes(tmp_path, EVERY_KIND)
    kinds = {"simtape": SimulatedTape, "hsm": PosixHsm, "site": WlcgTape, "cold": GlacierVault}
    assert {name: type(tape) for name, tape in found.items()} == kinds
    assert all(tape.name == name for name, tape in found.items())
    assert all(len(tape.drives()) == tape.capabilities.drives > 0 for tape in found.values())
    assert all(tape.expected_s(10**9, 1) > 0 for tape in found.values())
    assert not (tmp_path / "var").exists()


def test_glacier_without_boto3_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "storage.backends.s3", raising=False)
    with pytest.raises(ConfigError, match=r"pip install peps\[glacier\]"):
        tapes(tmp_path, "[tape]\nbackend = glacier\nbucket = cold")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("a b\n", "line 1"),
        ("# x\n\na b c\n", "line 3"),
        ("a b -1", "line 1"),
    ],
)
def test_a_list_of_places_that_is_wrong_is_refused_by_line(tmp_path, content, said):
    places = tmp_path / "places"
    if content is not None:
        places.write_text(content)
    with pytest.raises(ConfigError, match=said):
        tapes(tmp_path, f"[tape]\nbackend = posix\nplaces = {places}")
