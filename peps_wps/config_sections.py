"""The sections of the configuration: each a frozen dataclass, each key one of its fields."""

import ipaddress
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from peps_wps.config_values import DatabaseUrl, Source, size_in_bytes, words
from peps_wps.errors import ConfigError

# In `[auth] restricted`, instead of the name of each.
EVERY_PROCESS = "*"

_CATALOG_URL = DatabaseUrl("sqlite:///catalog.db")
_DEM_PATH = Source("dem")


@dataclass(frozen=True)
class Server:
    """``[server]``: the web application. Sizes are written as PyWPS writes them: 500kb, 3mb."""

    url: str = ""
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    threads: int = 8
    proxies: int = 0
    language: str = "en-US"
    maxrequestsize: str = "3mb"
    maxsingleinputsize: str = "1mb"
    allowed_origin: str = "*"
    metrics_allow: str = "127.0.0.0/8, ::1/128"

    def __post_init__(self) -> None:
        _require_some(self, "workers", "threads")
        try:
            _ = self.metrics_networks
        except ValueError as error:
            raise ConfigError(f"metrics_allow: {error}, expected one like 10.1.0.0/16") from error
        if self.url and not re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", self.url):
            raise ConfigError(f"url = {self.url}: expected empty, http://host or https://host")
        if not 1 <= self.port <= 65535:
            raise ConfigError(f"port = {self.port}: expected 1 to 65535")
        if not re.fullmatch(r"|\*|https?://[^/?#\s]+", self.allowed_origin):
            raise ConfigError(
                f"allowed_origin = {self.allowed_origin}: expected empty, * or https://host"
            )
        size_in_bytes(self.maxrequestsize)
        size_in_bytes(self.maxsingleinputsize)

    @property
    def metrics_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Networks that metrics are told to without a question; operators read them anywhere."""
        return tuple(ipaddress.ip_network(network) for network in words(self.metrics_allow))

    @property
    def max_request_bytes(self) -> int:
        """Largest request body that is read, in bytes."""
        return size_in_bytes(self.maxrequestsize)

    @property
    def max_input_bytes(self) -> int:
        """Largest single input value, in bytes."""
        return size_in_bytes(self.maxsingleinputsize)


@dataclass(frozen=True)
class Processing:
    """``[processing]``: how jobs run; `chains` is the module holding ``CHAINS``.

    `parallelprocesses` and `quickprocesses` are limits of this machine, whatever the number of its
    workers; `maxrunning` and those of a user hold for all machines together. 0 is no limit.
    """

    parallelprocesses: int = 1
    quickprocesses: int = 1
    maxrunning: int = 0
    maxrunning_user: int = 0
    maxprocesses: int = 1000
    maxprocesses_user: int = 0
    threads: int = 2
    max_attempts: int = 3
    lease_s: float = 30.0
    heartbeat_s: float = 5.0
    time_limit_s: int = 7200
    result_days: float = 5.0
    job_days: float = 90.0
    sync_limit_s: float = 60.0
    executor: Literal["local", "dask", "slurm"] = "local"
    chains: str = "peps_wps.chains.registry"

    def __post_init__(self) -> None:
        _require_some(self, "parallelprocesses", "quickprocesses", "threads", "max_attempts")
        _require_some(self, "time_limit_s")
        for name in ("maxrunning", "maxrunning_user", "maxprocesses", "maxprocesses_user"):
            if (value := getattr(self, name)) < 0:
                raise ConfigError(f"{name} = {value}: expected 0, for no limit, or more")
        if not 0 < self.heartbeat_s < self.lease_s / 2:
            raise ConfigError(
                f"heartbeat_s = {self.heartbeat_s}: expected above 0 and below half of "
                f"lease_s = {self.lease_s}"
            )


@dataclass(frozen=True)
class Dask:
    """``[dask]``: the cluster of ``executor = dask``; `threads` cores for each task."""

    address: str = ""
    tasks_per_job: int = 4
    threads: int = 2

    def __post_init__(self) -> None:
        _require_some(self, "tasks_per_job", "threads")
        if self.address and not re.fullmatch(r"(tcp|tls)://[^/\s]+:\d+", self.address):
            raise ConfigError(f"address = {self.address}: expected tcp://host:port or tls://")


@dataclass(frozen=True)
class Slurm:
    """``[slurm]``: what ``executor = slurm`` asks Slurm for; a Slurm job runs a task at a time.

    `minimum_jobs` and `maximum_jobs` are Slurm jobs of one running job of ours; `job_extra` are
    further options of sbatch and `prologue` commands before the worker, separated by semicolons.
    """

    partition: str = ""
    account: str = ""
    cores: int = 2
    memory: str = "8gb"
    walltime: str = "02:00:00"
    minimum_jobs: int = 0
    maximum_jobs: int = 4
    interface: str = ""
    host: str = ""
    job_extra: str = ""
    prologue: str = ""

    def __post_init__(self) -> None:
        _require_some(self, "cores", "maximum_jobs")
        size_in_bytes(self.memory)
        if not re.fullmatch(r"(\d+-)?\d+(:\d+){0,2}", self.walltime):
            raise ConfigError(f"walltime = {self.walltime}: expected days-hours:minutes:seconds")
        if not 0 <= self.minimum_jobs <= self.maximum_jobs:
            raise ConfigError(
                f"minimum_jobs = {self.minimum_jobs}: expected at most "
                f"maximum_jobs = {self.maximum_jobs}"
            )


@dataclass(frozen=True)
class Catalog:
    """``[catalog]``: the database of products, recalls and jobs."""

    url: DatabaseUrl = _CATALOG_URL


@dataclass(frozen=True)
class Storage:
    """``[storage]``: the disk pool in front of the tape, and what a user may ask of it.

    `pin_hours` is how long requests keep files that do not say how long, `max_pin_hours` how long
    they may, `download_pin_hours` what a download gets. `max_waiting_files` and `max_waiting_gb`
    are what one user may wait for. With `local_paths`, who has products staged is told where their
    files lie.
    """

    path: Path = Path("pool")
    budget_gb: float = 100.0
    eviction: Literal["gdsf", "lru"] = "gdsf"
    pin_hours: float = 48.0
    max_pin_hours: float = 336.0
    download_pin_hours: float = 0.5
    max_waiting_files: int = 5000
    max_waiting_gb: float = 10_000.0
    local_paths: Literal["off", "on"] = "off"

    def __post_init__(self) -> None:
        _require_some(self, "max_waiting_files")
        for name in ("budget_gb", "pin_hours", "download_pin_hours", "max_waiting_gb"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ConfigError(f"{name} = {getattr(self, name)}: expected above 0")
        for name in ("pin_hours", "download_pin_hours"):
            if getattr(self, name) > self.max_pin_hours:
                raise ConfigError(
                    f"{name} = {getattr(self, name)}: expected at most "
                    f"max_pin_hours = {self.max_pin_hours}"
                )


@dataclass(frozen=True)
class Staging:
    """``[staging]``: orders that bring products to disk (AMALTHEE).

    One is for `max_products` at most; all of them together hold at most `pool_share` of the pool.
    """

    max_products: int = 500
    pool_share: float = 0.5

    def __post_init__(self) -> None:
        _require_some(self, "max_products")
        if not 0 < self.pool_share <= 1:
            raise ConfigError(f"pool_share = {self.pool_share}: expected above 0, 1 at most")


@dataclass(frozen=True)
class Downloads:
    """``[downloads]``: what one user may download, or one address that gives no name; 0: no limit.

    `files_user` and `gb_user` (GB of 10**9 bytes) are of downloads at once, `gb_day_user` of what
    is sent within 24 hours.
    """

    files_user: int = 250
    gb_user: float = 0.0
    gb_day_user: float = 0.0


@dataclass(frozen=True)
class Datalake:
    """``[datalake]``: published results that stay; 0 is no limit of size or age."""

    path: Path = Path("datalake")
    standard: str = ""
    access: Literal["public", "users"] = "public"
    budget_gb: float = 0.0
    keep_days: float = 0.0


@dataclass(frozen=True)
class Results:
    """``[results]``: outputs of jobs until they expire, and the scratch of running ones."""

    path: Path = Path("results")


@dataclass(frozen=True)
class Dem:
    """``[dem]``: heights. An empty `vertical_datum` leaves it to the files' own tags and names."""

    path: Source = _DEM_PATH
    vertical_datum: Literal["", "EGM96", "EGM2008", "ellipsoid"] = ""
    geoid_path: Path | None = None
    geoid_fallback: Literal["", "EGM96"] = ""
    sea: Literal["zero", "error"] = "zero"


@dataclass(frozen=True)
class Orbits:
    """``[orbits]``: the folder of precise and restituted orbit files."""

    path: Path = Path("orbits")


@dataclass(frozen=True)
class Auth:
    """``[auth]``: who may call, and who may follow the link of a job.

    `restricted` names the processes that need a right; `token_hours` is of tokens that clients
    fetch for themselves.
    """

    mode: Literal["open", "basic"] = "basic"
    links: Literal["public", "owner"] = "public"
    restricted: str = ""
    token_hours: float = 24.0

    @property
    def restricted_processes(self) -> frozenset[str]:
        """The processes that only those may order who hold them."""
        return frozenset(words(self.restricted))


@dataclass(frozen=True)
class Inputs:
    """``[inputs]``: where inputs by reference may be fetched from; from nowhere, at first."""

    allowed_hosts: str = ""
    allowed_schemes: str = "https"
    allowed_folders: str = ""
    private_networks: str = ""
    timeout_s: float = 20.0
    idle_s: float = 5.0

    def __post_init__(self) -> None:
        for host in self.hosts:
            if not re.fullmatch(
                r"(\*\.[a-z0-9-]+|\[[0-9a-f:]+\]|[a-z0-9-]+)[a-z0-9.-]*(:\d+)?", host
            ):
                raise ConfigError(
                    f"allowed_hosts = {host}: expected host, host:port or *.example.org"
                )
        for scheme in self.schemes:
            if scheme not in ("http", "https"):
                raise ConfigError(f"allowed_schemes = {scheme}: expected http or https")
        for folder in self.folders:
            if not folder.is_absolute():
                raise ConfigError(f"allowed_folders = {folder}: expected an absolute path")
        try:
            _ = self.networks
        except ValueError as error:
            raise ConfigError(
                f"private_networks: {error}, expected one like 10.1.0.0/16"
            ) from error

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names that references may lead to."""
        return tuple(words(self.allowed_hosts.lower()))

    @property
    def schemes(self) -> tuple[str, ...]:
        """How they may be asked."""
        return tuple(words(self.allowed_schemes.lower()))

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders whose files references may lead to."""
        return tuple(Path(folder) for folder in words(self.allowed_folders))

    @property
    def networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Networks that may be connected to although their addresses are not public."""
        return tuple(ipaddress.ip_network(network) for network in words(self.private_networks))


@dataclass(frozen=True)
class Mirror:
    """``[mirror]``: archives that are followed; `sources` is the file that names them."""

    sources: Path | None = None
    path: Path = Path("mirror")
    tier: Literal["tape", "disk"] = "tape"
    interval_s: float = 300.0
    overlap_hours: float = 72.0
    rescan_s: float = 3600.0
    max_attempts: int = 5
    backoff_s: float = 60.0

    def __post_init__(self) -> None:
        _require_some(self, "max_attempts")
        if self.overlap_hours < 48:
            raise ConfigError(f"overlap_hours = {self.overlap_hours}: expected 48 or more")


@dataclass(frozen=True)
class Portal:
    """``[portal]``: the web pages."""

    title: str = "PEPS"


@dataclass(frozen=True)
class Logging:
    """``[logging]``: an empty `file` is the standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    file: Path | None = None
    format: str = "%(asctime)s %(levelname)s %(name)s: %(message)s"

    def __post_init__(self) -> None:
        record = logging.LogRecord("peps", logging.INFO, "", 0, "", (), None)
        try:
            logging.Formatter(self.format).format(record)
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"format = {self.format}: expected as logging has it") from error


@dataclass(frozen=True)
class Metadata:
    """``[metadata:main]``: what the capabilities say of the service, in PyWPS's own keys."""

    identification_title: str = "PEPS processing service"
    identification_abstract: str = (
        "Sentinel archive with processing beside it: orders, tape recall, analysis-ready tiles."
    )
    identification_keywords: str = "WPS,Sentinel-1,Sentinel-2,SAR,orthorectification"
    identification_keywords_type: str = "theme"
    identification_fees: str = "NONE"
    identification_accessconstraints: str = "NONE"
    provider_name: str = "PEPS"
    provider_url: str = "https://github.com/CNES"
    contact_name: str = ""
    contact_position: str = ""
    contact_address: str = ""
    contact_city: str = ""
    contact_stateorprovince: str = ""
    contact_postalcode: str = ""
    contact_country: str = ""
    contact_phone: str = ""
    contact_fax: str = ""
    contact_email: str = ""
    contact_url: str = ""
    contact_hours: str = ""
    contact_instructions: str = ""
    contact_role: str = "pointOfContact"


def _require_some(section: object, *names: str) -> None:
    """Refuse counts below 1."""
    for name in names:
        if (value := getattr(section, name)) < 1:
            raise ConfigError(f"{name} = {value}: expected 1 or more")
