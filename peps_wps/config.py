"""Typed settings: ``pywps.cfg``, the environment, nothing else; read once and passed down.

Each section of the file is a frozen dataclass here and each key one of its fields, so a misspelt
section or key is refused by name. ``PEPS_<SECTION>_<KEY>`` overrides the file. Relative paths lie
below the state folder ``var``. A `Config` holds plain values only: it pickles, and every process
rebuilds its own engine and archive from it.
"""

import configparser
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from peps_wps.config_sections import (
    Auth,
    Catalog,
    Dask,
    Datalake,
    Dem,
    Inputs,
    Logging,
    Metadata,
    Mirror,
    Orbits,
    Portal,
    Processing,
    Results,
    Server,
    Slurm,
    Storage,
    Tape,
)
from peps_wps.config_values import read_value
from peps_wps.errors import ConfigError

DEFAULT_PATH = Path(__file__).resolve().parents[1] / "pywps.cfg"
# Read by the command line and the tests, not by the service.
_OTHER_VARIABLES = {
    *("PEPS_CONFIG", "PEPS_VAR", "PEPS_URL", "PEPS_TOKEN", "PEPS_USER", "PEPS_PASSWORD"),
    *("PEPS_STRICT", "PEPS_DRILLS", "PEPS_REFERENCE_DATA"),
}


@dataclass(frozen=True)
class Config:
    """All settings of the service; `var` is the folder that holds its whole state."""

    var: Path
    server: Server = field(default_factory=Server)
    processing: Processing = field(default_factory=Processing)
    dask: Dask = field(default_factory=Dask)
    slurm: Slurm = field(default_factory=Slurm)
    catalog: Catalog = field(default_factory=Catalog)
    storage: Storage = field(default_factory=Storage)
    tape: Tape = field(default_factory=Tape)
    datalake: Datalake = field(default_factory=Datalake)
    results: Results = field(default_factory=Results)
    dem: Dem = field(default_factory=Dem)
    orbits: Orbits = field(default_factory=Orbits)
    auth: Auth = field(default_factory=Auth)
    inputs: Inputs = field(default_factory=Inputs)
    mirror: Mirror = field(default_factory=Mirror)
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
