"""Builds the disk pool and the tape backends that the configuration names."""

from pathlib import Path

from catalog_db.archive.recalls import DISK_ONLY
from peps_wps.config import Config
from peps_wps.config.tape_sections import (
    GlacierTapeSection,
    PosixTapeSection,
    SimulatedTapeSection,
    TapeSection,
    WlcgTapeSection,
)
from peps_wps.errors import ConfigError
from storage.backend import TapeBackend
from storage.backends.glacier import GlacierVault, Terms
from storage.backends.patience import Patience
from storage.backends.posix import PosixHsm, has_attribute, has_no_blocks
from storage.backends.simtape import SimulatedTape
from storage.backends.wlcg import WlcgTape
from storage.backends.wlcg_site import TapeSite, site_session
from storage.pool import Pool
from storage.tape_geometry import LTO8, T10000D, TapeDriveModel, Winding

_LONGEST_PAUSE_S = 300.0  # between two looks at an object whose restore takes hours


def open_pool(config: Config) -> Pool:
    """Return the disk pool."""
    return Pool(config.storage.path, name=DISK_ONLY)


def pool_budget_bytes(config: Config) -> int:
    """Return how much the disk pool may hold."""
    return int(config.storage.budget_gb * 1e9)


def open_tapes(config: Config) -> dict[str, TapeBackend]:
    """Return the tape backends by name, that of ``[tape]``, where new files go, first.

    Opening them touches nothing.

    Raises
    ------
    ConfigError
        When one needs a package that is not there, or a list of places that cannot be read.
    """
    sections = [(config.tape.backend, config.tape), *config.further_tapes]
    return {name: _open(name, section, config.storage.path) for name, section in sections}


def _open(name: str, section: TapeSection, scratch: Path) -> TapeBackend:
    match section:
        case SimulatedTapeSection():
            return _simulated(name, section)
        case PosixTapeSection():
            return _posix(name, section)
        case WlcgTapeSection():
            return _wlcg(name, section)
        case GlacierTapeSection():
            return _glacier(name, section, scratch)


def _simulated(name: str, section: SimulatedTapeSection) -> TapeBackend:
    own = TapeDriveModel(
        Winding(speed_m_s=section.locate_m_s),
        bandwidth_bytes_s=section.bandwidth_mb_s * 1e6,
        load_s=section.mount_s,
        unload_s=section.mount_s,
        robot_s=0.0,
    )
    model = {"own": own, "lto8": LTO8, "t10000d": T10000D}[section.model]
    return SimulatedTape(
        section.path, drives=section.drives, model=model, speed=section.speed, name=name
    )


def _posix(name: str, section: PosixTapeSection) -> TapeBackend:
    attribute = section.offline_attribute
    return PosixHsm(
        section.path,
        readers=section.drives,
        time_limit_s=section.time_limit_s,
        name=name,
        is_offline=has_attribute(attribute) if attribute else has_no_blocks,
        places=_read_places(section.places) if section.places else {},
    )


def _read_places(path: Path) -> dict[str, tuple[str, int]]:
    """Return tape and position of files by archive path; a line each, separated by blanks."""
    places = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"places = {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if len(words) != 3 or not words[2].isdecimal():
            raise ConfigError(f"line {number} of {path}: expected path, tape and position")
        places[words[0]] = (words[1], int(words[2]))
    return places


def _wlcg(name: str, section: WlcgTapeSection) -> TapeBackend:
    session = site_session(section.token_file, section.ca_file)
    return WlcgTape(
        TapeSite(section.url, session),
        site_session(section.token_file, section.ca_file),
        section.data_url,
        batches=section.drives,
        name=name,
        folder=section.folder,
        disk_s=section.disk_hours * 3600,
        patience=Patience(away_s=section.patience_s),
    )


def _glacier(name: str, section: GlacierTapeSection, scratch: Path) -> TapeBackend:
    try:
        from storage.backends.s3 import open_bucket
    except ImportError as error:
        sentence = "backend = glacier needs the package boto3: pip install peps[glacier]"
        raise ConfigError(sentence) from error
    bucket = open_bucket(
        section.bucket,
        region=section.region,
        endpoint_url=section.endpoint_url,
        profile=section.profile,
    )
    return GlacierVault(
        bucket,
        scratch=scratch,
        batches=section.drives,
        name=name,
        prefix=section.prefix,
        terms=Terms(section.tier, section.days, section.storage_class),
        patience=Patience(longest_pause_s=_LONGEST_PAUSE_S, away_s=section.patience_s),
    )
