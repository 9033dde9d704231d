"""Settings are typed, complete in the shipped file, and refused by name when wrong."""

import pickle
from configparser import ConfigParser
from dataclasses import fields
from pathlib import Path

import pytest

from peps_wps.config import DEFAULT_PATH, Config
from peps_wps.config.values import size_in_bytes
from peps_wps.errors import ConfigError


def load(folder: Path, text: str = "", **environ: str) -> Config:
    path = folder / "pywps.cfg"
    path.write_text(text, encoding="utf-8")
    return Config.load(path, var=folder / "var", environ=environ)


def test_the_shipped_file_spells_out_every_default(tmp_path):
    shipped = ConfigParser(interpolation=None)
    shipped.read(DEFAULT_PATH, encoding="utf-8")
    config = load(tmp_path)

    keys = {
        "metadata:main" if one.name == "metadata" else one.name: {
            key.name for key in fields(getattr(config, one.name))
        }
        for one in fields(config)
        if one.name not in ("var", "further_tapes")
    }

    assert {name: set(shipped[name]) for name in shipped.sections()} == keys
    assert Config.load(DEFAULT_PATH, var=tmp_path / "var", environ={}) == config


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[tapes]\ndrives = 2", r"\[tapes\]"),
        ("[tape]\ndrive = 2", r"key drive in section \[tape\]"),
        ("[tape]\nbackend = cloud", r"\[tape\] backend = cloud: expected one of simtape, posix"),
        ("[tape]\nbackend = posix\nspeed = 2", r"\[tape\] speed is no setting of backend = posix"),
        ("[tape]\nbackend = wlcg", r"\[tape\] url = : expected http"),
        ("[tape:COLD]\nbackend = posix", r"unknown section \[tape:COLD\]"),
        (
            "[tape:cold]\nbackend = glacier\nbucket = A",
            r"\[tape:cold\] bucket = A: expected the name",
        ),
        ("[tape:simtape]\nbackend = posix", "two tape backends are called simtape"),
        ("[tape:disk]\nbackend = posix", "disk is the name of the disk pool"),
        ("[tape]\ndrives = two", r"\[tape\] drives = two"),
        ("[tape]\nspeed = 0", "speed must be above zero"),
        ("[tape]\nspeed = nan", r"\[tape\] speed = nan"),
        ("[dem]\nsea = wet", "zero, error"),
        ("[server]\nmaxrequestsize = big", r"\[server\] big is not a size"),
        ("[storage]\npath =", r"\[storage\] path"),
        ("[catalog]\nurl = sqlite:///:memory:", r"\[catalog\] url"),
        ("drives = 2", "no section headers"),
        ("[server]\nworkers = 0", r"\[server\] workers = 0: expected 1 or more"),
        (
            "[downloads]\nfiles_user = -1",
            r"\[downloads\] files_user = -1: expected a whole",
        ),
        ("[downloads]\ngb_day_user = inf", r"\[downloads\] gb_day_user = inf"),
        ("[server]\nthreads = 0", r"\[server\] threads = 0"),
        ("[server]\nport = 70000", r"\[server\] port = 70000"),
        ("[server]\nurl = peps.example.org", r"\[server\] url = peps"),
        ("[server]\nurl = ftp://peps.example.org", r"\[server\] url = ftp"),
        ("[server]\nurl = http://", r"\[server\] url = http"),
        ("[processing]\nparallelprocesses = 0", r"\[processing\] parallelprocesses = 0"),
        ("[processing]\nthreads = 0", r"\[processing\] threads = 0"),
        ("[processing]\nmax_attempts = 0", r"\[processing\] max_attempts = 0"),
        ("[processing]\ntime_limit_s = 0", r"\[processing\] time_limit_s = 0"),
        ("[processing]\nlease_s = 0", "half of lease_s = 0"),
        ("[processing]\nlease_s = 10\nheartbeat_s = 5", "heartbeat_s = 5.0: expected"),
        ("[logging]\nformat = %(message", r"\[logging\] format"),
        ("[logging]\nformat = %(colour)s", r"\[logging\] format"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(tmp_path, text, named):
    with pytest.raises(ConfigError, match=named):
        load(tmp_path, text)


def test_the_environment_overrides_the_file(tmp_path):
    config = load(
        tmp_path,
        "[tape]\nspeed = 10\ndrives = 3",
        PEPS_TAPE_SPEED="1000",
        PEPS_METADATA_MAIN_PROVIDER_NAME="CNES",
    )

    assert (config.tape.speed, config.tape.drives) == (1000.0, 3)
    assert config.metadata.provider_name == "CNES"


def test_further_sections_are_further_tape_backends(tmp_path):
    config = load(
        tmp_path,
        "[tape:hpss]\nbackend = posix\npath = hsm\n[tape:cold]\nbackend = glacier\nbucket = cold",
        PEPS_TAPE_BACKEND="posix",
    )

    assert [(name, one.backend) for name, one in config.further_tapes] == [
        ("hpss", "posix"),
        ("cold", "glacier"),
    ]
    assert config.further_tapes[0][1].path == tmp_path / "var" / "hsm"
    assert config.tape.backend == "posix"


def test_an_override_of_an_unknown_key_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="PEPS_TAPE_SPED"):
        load(tmp_path, PEPS_TAPE_SPED="2")
    with pytest.raises(ConfigError, match="PEPS_TAPES_SPEED names no section"):
        load(tmp_path, PEPS_TAPES_SPEED="2")


def test_variables_that_are_no_settings_are_left_alone(tmp_path):
    names = ("PEPS_VAR", "PEPS_CONFIG", "PEPS_URL", "PEPS_STRICT", "PEPS_REFERENCE_DATA")

    assert load(tmp_path, **dict.fromkeys(names, "x")) == load(tmp_path)


def test_a_named_file_that_is_absent_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        Config.load(var=tmp_path, environ={"PEPS_CONFIG": str(tmp_path / "nowhere.cfg")})


def test_relative_places_lie_below_the_state_folder(tmp_path):
    config = load(
        tmp_path,
        "[storage]\npath = disks/a\n[tape]\npath = /tapes\n[dem]\npath = heights/all.vrt",
    )

    assert config.storage.path == tmp_path / "var" / "disks" / "a"
    assert config.tape.path == Path("/tapes")
    assert config.dem.path == str(tmp_path / "var" / "heights" / "all.vrt")
    assert config.catalog.url == f"sqlite:///{tmp_path / 'var' / 'catalog.db'}"


def test_remote_heights_stay_as_written(tmp_path):
    address = "https://dem.example.org/{lat}{lon}.tif"

    assert load(tmp_path, f"[dem]\npath = {address}").dem.path == address


def test_settings_cross_a_process_border(tmp_path):
    config = load(tmp_path)

    assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.parametrize(
    ("text", "size"), [("3mb", 3 * 2**20), ("1.5 kb", 1536), ("2G", 2**31), ("17", 17)]
)
def test_sizes_count_in_powers_of_1024(text, size):
    assert size_in_bytes(text) == size
