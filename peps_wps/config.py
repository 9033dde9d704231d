"""Typed settings: ``pywps.cfg``, the environment, nothing else; read once and passed down.

Each section of the file is a frozen dataclass here and each key one of its fields, so a misspelt
section or key is refused by name. ``PEPS_<SECTION>_<KEY>`` overrides the file. Relative paths lie
below the state folder ``var``. A `Config` holds plain values only: it pickles, and every process
rebuilds its own engine and archive from it.
"""

import configparser
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

from peps_wps.config_values import DatabaseUrl, Source, read_value, size_in_bytes
from peps_wps.errors import ConfigError

DEFAULT_PATH = Path(__file__).resolve().parents[1] / "pywps.cfg"
_CATALOG_URL = DatabaseUrl("sqlite:///catalog.db")
_DEM_PATH = Source("dem")
# Read by the command line and the tests, not by the service.
_OTHER_VARIABLES = {
    *("PEPS_CONFIG", "PEPS_VAR", "PEPS_URL"),
    *("PEPS_STRICT", "PEPS_DRILLS", "PEPS_REFERENCE_DATA"),
}


@dataclass(frozen=True)
class Server:
    """``[server]``: the web application. Sizes are written as PyWPS writes them: 500kb, 3mb."""

    url: str = ""
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    threads: int = 8
    language: str = "en-US"
    maxrequestsize: str = "3mb"
    maxsingleinputsize: str = "1mb"

    def __post_init__(self) -> None:
        _require_some(self, "workers", "threads")
        if self.url and not re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", self.url):
            raise ConfigError(f"url = {self.url}: expected empty, http://host or https://host")
        if not 1 <= self.port <= 65535:
            raise ConfigError(f"port = {self.port}: expected 1 to 65535")
        size_in_bytes(self.maxrequestsize)
        size_in_bytes(self.maxsingleinputsize)

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

    `parallelprocesses` is the limit of this machine, whatever the number of its workers.
    """

    parallelprocesses: int = 1
    threads: int = 2
    max_attempts: int = 3
    lease_s: float = 30.0
    heartbeat_s: float = 5.0
    time_limit_s: int = 7200
    result_days: float = 5.0
    sync_limit_s: float = 60.0
    chains: str = "peps_wps.chains.registry"

    def __post_init__(self) -> None:
        _require_some(self, "parallelprocesses", "threads", "max_attempts", "time_limit_s")
        if not 0 < self.heartbeat_s < self.lease_s / 2:
            raise ConfigError(
                f"heartbeat_s = {self.heartbeat_s}: expected above 0 and below half of "
                f"lease_s = {self.lease_s}"
            )


@dataclass(frozen=True)
class Catalog:
    """``[catalog]``: the database of products, recalls and jobs."""

    url: DatabaseUrl = _CATALOG_URL


@dataclass(frozen=True)
class Storage:
    """``[storage]``: the disk pool in front of the tape; `pin_hours` is of downloads."""

    path: Path = Path("pool")
    budget_gb: float = 100.0
    pin_hours: float = 0.5


@dataclass(frozen=True)
class Tape:
    """``[tape]``: the tape backend; `speed` divides every delay of the simulated one."""

    backend: Literal["simtape"] = "simtape"
    path: Path = Path("tape")
    drives: int = 2
    mount_s: float = 4.0
    locate_m_s: float = 10.0
    bandwidth_mb_s: float = 300.0
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not (self.speed > 0 and self.bandwidth_mb_s > 0 and self.drives > 0):
            raise ConfigError("drives, bandwidth_mb_s and speed must be above zero")


@dataclass(frozen=True)
class Datalake:
    """``[datalake]``: published results that stay; not used yet."""

    path: Path = Path("datalake")
    standard: str = ""


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
    """``[auth]``: who may call, and who may follow the link of a job: everybody, today."""

    mode: Literal["open", "basic"] = "open"
    links: Literal["public", "owner"] = "public"

    def __post_init__(self) -> None:
        for key, value in (("mode", self.mode), ("links", self.links)):
            if value in ("basic", "owner"):
                raise ConfigError(
                    f"{key} = {value} would protect nothing: users come with a later version"
                )


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


@dataclass(frozen=True)
class Config:
    """All settings of the service; `var` is the folder that holds its whole state."""

    var: Path
    server: Server = field(default_factory=Server)
    processing: Processing = field(default_factory=Processing)
    catalog: Catalog = field(default_factory=Catalog)
    storage: Storage = field(default_factory=Storage)
    tape: Tape = field(default_factory=Tape)
    datalake: Datalake = field(default_factory=Datalake)
    results: Results = field(default_factory=Results)
    dem: Dem = field(default_factory=Dem)
    orbits: Orbits = field(default_factory=Orbits)
    auth: Auth = field(default_factory=Auth)
    portal: Portal = field(default_factory=Portal)
    logging: Logging = field(default_factory=Logging)
    metadata: Metadata = field(default_factory=Metadata)

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        *,
        var: Path | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> "Config":
        """Read the settings.

        Parameters
        ----------
        path
            The configuration file; by default ``PEPS_CONFIG``, else ``pywps.cfg`` beside the
            packages.
        var
            The state folder; by default ``PEPS_VAR``, else ``./var``. It need not exist.
        environ
            Where the overrides are looked up.

        Raises
        ------
        ConfigError
            On an unknown section or key, or a value that its key cannot have; the message names it.
        """
        folder = Path(var or environ.get("PEPS_VAR") or "var").absolute()
        values = _read_file(_find_file(path, environ))
        _override(values, environ)
        return cls(
            var=folder,
            **{
                attribute: _build(name, kind, values.pop(name, {}), folder)
                for attribute, name, kind in _sections()
            },
        )

    def pywps_settings(self) -> configparser.ConfigParser:
        """Return what PyWPS reads of these settings, in a parser of its own shape."""
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_dict(
            {
                "server": {
                    "language": self.server.language,
                    "maxrequestsize": self.server.maxrequestsize,
                    "maxsingleinputsize": self.server.maxsingleinputsize,
                    "url": self.server.url,
                    "default_mimetype": "text/xml",
                },
                "logging": {"level": self.logging.level},
                "metadata:main": {
                    key.name: getattr(self.metadata, key.name) for key in fields(Metadata)
                },
            }
        )
        return parser


def _require_some(section: object, *names: str) -> None:
    """Refuse counts below 1."""
    for name in names:
        if (value := getattr(section, name)) < 1:
            raise ConfigError(f"{name} = {value}: expected 1 or more")


def _sections() -> Iterator[tuple[str, str, type[Any]]]:
    """Yield attribute of `Config`, name in the file and dataclass of each section."""
    for attribute, kind in get_type_hints(Config).items():
        if attribute != "var":
            yield attribute, "metadata:main" if kind is Metadata else attribute, kind


def _find_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file to read; one that was asked for must exist, the default one need not."""
    wanted = path or (Path(environ["PEPS_CONFIG"]) if environ.get("PEPS_CONFIG") else None)
    if wanted is None:
        return DEFAULT_PATH if DEFAULT_PATH.is_file() else None
    if not wanted.is_file():
        raise ConfigError(f"there is no configuration file {wanted}")
    return wanted


def _read_file(path: Path | None) -> dict[str, dict[str, str]]:
    """Return the sections of the file as text, all of them known and with known keys."""
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        if path is not None:
            parser.read_string(path.read_text(encoding="utf-8"), source=str(path))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    known = {name: {key.name for key in fields(kind)} for _, name, kind in _sections()}
    for section in parser.sections():
        if section not in known:
            raise ConfigError(f"{path} has an unknown section [{section}]")
        for key in parser[section]:
            if key not in known[section]:
                raise ConfigError(f"{path} has an unknown key {key} in section [{section}]")
    return {name: dict(parser[name]) for name in parser.sections()}


def _override(values: dict[str, dict[str, str]], environ: Mapping[str, str]) -> None:
    """Put the overrides of the environment into `values`; an unknown key is an error here too."""
    for variable, value in environ.items():
        if not variable.startswith("PEPS_") or variable in _OTHER_VARIABLES:
            continue
        name, key = _named_by(variable)
        values.setdefault(name, {})[key] = value


def _named_by(variable: str) -> tuple[str, str]:
    """Return section and key that a variable overrides."""
    for _, name, kind in _sections():
        prefix = "PEPS_" + name.replace(":", "_").upper() + "_"
        if variable.startswith(prefix):
            key = variable.removeprefix(prefix).lower()
            if key not in {one.name for one in fields(kind)}:
                raise ConfigError(f"{variable} names an unknown key {key} of section [{name}]")
            return name, key
    raise ConfigError(f"{variable} names no section of the configuration")


def _build(section: str, kind: type[Any], values: Mapping[str, str], var: Path) -> Any:
    """Return one section, each value read as its key's type and each place put below `var`."""
    hints = get_type_hints(kind)
    built: dict[str, Any] = {}
    for key in fields(kind):
        text = str(values[key.name]).strip() if key.name in values else _text(key.default)
        try:
            built[key.name] = read_value(hints[key.name], text, var)
        except ValueError as error:
            message = f"[{section}] {key.name} = {text}: {error}"
            raise ConfigError(message) from error
    try:
        return kind(**built)
    except ConfigError as error:
        raise ConfigError(f"[{section}] {error}") from error


def _text(default: object) -> str:
    """Return a default as the file would spell it."""
    return "" if default is None else str(default)
