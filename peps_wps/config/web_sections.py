"""Sections of the configuration about who is served, how, and what they are told."""

import ipaddress
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from peps_wps.config.values import require_some, size_in_bytes, words
from peps_wps.errors import ConfigError

# In `[auth] restricted`, instead of the name of each.
EVERY_PROCESS = "*"


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
        require_some(self, "workers", "threads")
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
