"""Typed settings: ``pywps.cfg``, the environment, nothing else; read once and passed down.

Each section of the file is a frozen dataclass here and each key one of its fields, so a misspelt
section or key is refused by name. ``PEPS_<SECTION>_<KEY>`` overrides the file. Relative paths lie
below the state folder ``var``. A `Config` holds plain values only: it pickles, and every process
rebuilds its own engine and archive from it.
"""

import configparser
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from peps_wps.config.archive_sections import Catalog, Datalake, Downloads, Mirror, Staging, Storage
from peps_wps.config.processing_sections import (
    Atmosphere,
    Dask,
    Dem,
    Orbits,
    Processing,
    Results,
    Slurm,
)
from peps_wps.config.tape_sections import DEFAULT_KIND, KINDS, SimulatedTapeSection, TapeSection
from peps_wps.config.values import read_value
from peps_wps.config.web_sections import Auth, Inputs, Logging, Metadata, Portal, Server
from peps_wps.errors import ConfigError

DEFAULT_PATH = Path(__file__).resolve().parents[2] / "pywps.cfg"
# Read by the command line and the tests, not by the service.
_OTHER_VARIABLES = {
    *("PEPS_CONFIG", "PEPS_VAR", "PEPS_URL", "PEPS_TOKEN", "PEPS_USER", "PEPS_PASSWORD"),
    "PEPS_CREDENTIALS",
    *("PEPS_STRICT", "PEPS_DRILLS", "PEPS_REFERENCE_DATA"),
}
_DISK_ONLY = "disk"  # what the catalogue calls the pool where it holds the only copy
_TAPE_PREFIX = "tape:"
# The name is that of the backend in the catalogue, where it has so much room.
_TAPE_SECTION = re.compile(_TAPE_PREFIX + r"[a-z][a-z0-9-]{0,15}")


@dataclass(frozen=True)
class Config:
    """All settings of the service; `var` is the folder that holds its whole state.

    `further_tapes` are the sections ``[tape:<name>]`` with their names.
    """

    var: Path
    server: Server = field(default_factory=Server)
    processing: Processing = field(default_factory=Processing)
    dask: Dask = field(default_factory=Dask)
    slurm: Slurm = field(default_factory=Slurm)
    catalog: Catalog = field(default_factory=Catalog)
    storage: Storage = field(default_factory=Storage)
    downloads: Downloads = field(default_factory=Downloads)
    tape: TapeSection = field(default_factory=SimulatedTapeSection)
    further_tapes: tuple[tuple[str, TapeSection], ...] = ()
    staging: Staging = field(default_factory=Staging)
    datalake: Datalake = field(default_factory=Datalake)
    results: Results = field(default_factory=Results)
    dem: Dem = field(default_factory=Dem)
    orbits: Orbits = field(default_factory=Orbits)
    atmosphere: Atmosphere = field(default_factory=Atmosphere)
    auth: Auth = field(default_factory=Auth)
    inputs: Inputs = field(default_factory=Inputs)
    mirror: Mirror = field(default_factory=Mirror)
    portal: Portal = field(default_factory=Portal)
    logging: Logging = field(default_factory=Logging)
    metadata: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        for name in self.tape_names:
            if self.tape_names.count(name) > 1:
                raise ConfigError(f"two tape backends are called {name}")
            if name == _DISK_ONLY:
                raise ConfigError(f"{name} is the name of the disk pool, not of a tape backend")

    @property
    def tape_names(self) -> list[str]:
        """Names of the tape backends, that of ``[tape]`` first."""
        return [self.tape.backend, *(name for name, _section in self.further_tapes)]

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
            further_tapes=tuple(
                (name.removeprefix(_TAPE_PREFIX), _build_tape(name, values[name], folder))
                for name in values
                if name.startswith(_TAPE_PREFIX)
            ),
            tape=_build_tape("tape", values.get("tape", {}), folder),
            **{
                attribute: _build(name, kind, values.get(name, {}), folder)
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


def _sections() -> Iterator[tuple[str, str, type[Any]]]:
    """Yield attribute of `Config`, name in the file and dataclass of each section but tapes."""
    for attribute, kind in get_type_hints(Config).items():
        if attribute not in ("var", "tape", "further_tapes"):
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
    known = _keys()
    for section in parser.sections():
        if _TAPE_SECTION.fullmatch(section):
            known[section] = known["tape"]
        if section not in known:
            raise ConfigError(f"{path} has an unknown section [{section}]")
        for key in parser[section]:
            if key not in known[section]:
                raise ConfigError(f"{path} has an unknown key {key} in section [{section}]")
    return {name: dict(parser[name]) for name in parser.sections()}


def _keys() -> dict[str, set[str]]:
    """Return the keys of each section; of tapes, those of all their kinds."""
    keys = {name: {key.name for key in fields(kind)} for _, name, kind in _sections()}
    return {**keys, "tape": {key.name for kind in KINDS.values() for key in fields(kind)}}


def _override(values: dict[str, dict[str, str]], environ: Mapping[str, str]) -> None:
    """Put the overrides of the environment into `values`; an unknown key is an error here too."""
    for variable, value in environ.items():
        if not variable.startswith("PEPS_") or variable in _OTHER_VARIABLES:
            continue
        name, key = _named_by(variable)
        values.setdefault(name, {})[key] = value


def _named_by(variable: str) -> tuple[str, str]:
    """Return section and key that a variable overrides."""
    for name, keys in _keys().items():
        prefix = "PEPS_" + name.replace(":", "_").upper() + "_"
        if variable.startswith(prefix):
            key = variable.removeprefix(prefix).lower()
            if key not in keys:
                raise ConfigError(f"{variable} names an unknown key {key} of section [{name}]")
            return name, key
    raise ConfigError(f"{variable} names no section of the configuration")


def _build_tape(section: str, values: Mapping[str, str], var: Path) -> TapeSection:
    """Return a section of the kind of tape backend that it names."""
    name = values.get("backend", DEFAULT_KIND).strip()
    if name not in KINDS:
        raise ConfigError(f"[{section}] backend = {name}: expected one of {', '.join(KINDS)}")
    known = {key.name for key in fields(KINDS[name])}
    for key in values:
        if key not in known:
            raise ConfigError(f"[{section}] {key} is no setting of backend = {name}")
    built: TapeSection = _build(section, KINDS[name], values, var)
    return built


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
