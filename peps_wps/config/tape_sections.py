"""The sections ``[tape]`` and ``[tape:<name>]``: one dataclass for each kind of tape backend."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from peps_wps.errors import ConfigError

_ADDRESS = re.compile(r"https?://[^/?#\s]+[^?#\s]*")


@dataclass(frozen=True)
class SimulatedTapeSection:
    """``backend = simtape``: a folder that behaves like a tape library.

    `model` says whose times it takes: its own four, of which `speed` divides every delay, or those
    of a make of drives, in which `mount_s`, `locate_m_s` and `bandwidth_mb_s` mean nothing.
    """

    backend: Literal["simtape"] = "simtape"
    path: Path = Path("tape")
    drives: int = 2
    model: Literal["own", "lto8", "t10000d"] = "own"
    mount_s: float = 4.0
    locate_m_s: float = 10.0
    bandwidth_mb_s: float = 300.0
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not (self.speed > 0 and self.bandwidth_mb_s > 0 and self.drives > 0):
            raise ConfigError("drives, bandwidth_mb_s and speed must be above zero")
        if not self.locate_m_s > 0:
            raise ConfigError("locate_m_s must be above zero")


@dataclass(frozen=True)
class PosixTapeSection:
    """``backend = posix``: a folder of an HSM that recalls a file when it is opened.

    `drives` files are opened at once; one that does not come within `time_limit_s` has failed.
    `offline_attribute` names an extended attribute that files on tape have; without it they are
    told by having no blocks. `places` is a file with ``path tape position`` on each line.
    """

    backend: Literal["posix"] = "posix"
    path: Path = Path("hsm")
    drives: int = 4
    time_limit_s: float = 14_400.0
    offline_attribute: str = ""
    places: Path | None = None

    def __post_init__(self) -> None:
        _require_above_zero(self, "drives", "time_limit_s")


@dataclass(frozen=True)
class WlcgTapeSection:
    """``backend = wlcg``: another site's tape by WLCG Tape REST v1, its files by HTTP or WebDAV.

    `url` is where ``/.well-known/wlcg-tape-rest-api`` is asked for, and `data_url` where files are
    read and written; `folder` is the path of our archive at that site. `token_file` holds a bearer
    token that nobody else may read. A file stays on the site's disk for `disk_hours`; a site out of
    reach is waited for `patience_s`. `drives` requests are under way at once.
    """

    backend: Literal["wlcg"] = "wlcg"
    url: str = ""
    data_url: str = ""
    folder: str = "/"
    token_file: Path | None = None
    ca_file: Path | None = None
    drives: int = 16
    disk_hours: float = 24.0
    patience_s: float = 600.0

    def __post_init__(self) -> None:
        _require_above_zero(self, "drives", "disk_hours")
        for name in ("url", "data_url"):
            value = getattr(self, name)
            if not _ADDRESS.fullmatch(value):
                raise ConfigError(f"{name} = {value}: expected http://host or https://host")
        if not re.fullmatch(r"/[^?#\s]*", self.folder) or ".." in self.folder.split("/"):
            raise ConfigError(f"folder = {self.folder}: expected a path that begins with a slash")


@dataclass(frozen=True)
class GlacierTapeSection:
    """``backend = glacier``: an S3 bucket whose objects must be restored before they are read.

    Credentials are those of boto3: environment, profile, instance. Restored copies are kept for
    `days`; new files are written as `storage_class`. `drives` batches are under way at once.
    """

    backend: Literal["glacier"] = "glacier"
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    endpoint_url: str = ""
    profile: str = ""
    tier: Literal["Standard", "Bulk", "Expedited"] = "Standard"
    days: int = 2
    storage_class: Literal["DEEP_ARCHIVE", "GLACIER", "GLACIER_IR", "STANDARD"] = "DEEP_ARCHIVE"
    drives: int = 16
    patience_s: float = 600.0

    def __post_init__(self) -> None:
        _require_above_zero(self, "drives", "days")
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", self.bucket):
            raise ConfigError(f"bucket = {self.bucket}: expected the name of a bucket")
        if self.endpoint_url and not _ADDRESS.fullmatch(self.endpoint_url):
            raise ConfigError(f"endpoint_url = {self.endpoint_url}: expected https://host or empty")


TapeSection = SimulatedTapeSection | PosixTapeSection | WlcgTapeSection | GlacierTapeSection
KINDS: dict[str, type[TapeSection]] = {
    kind.backend: kind
    for kind in (SimulatedTapeSection, PosixTapeSection, WlcgTapeSection, GlacierTapeSection)
}
DEFAULT_KIND = SimulatedTapeSection.backend


def _require_above_zero(section: object, *names: str) -> None:
    for name in names:
        if not (value := getattr(section, name)) > 0:
            raise ConfigError(f"{name} = {value}: expected above 0")
