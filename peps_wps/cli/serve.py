"""`peps serve` and `peps worker`: the processes of the service and who looks after them."""

import argparse
import dataclasses
import ipaddress
import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from catalog_db.access import users
from peps_wps import logs
from peps_wps.cli.terminal import JOB_FAILED, OK, USAGE, say
from peps_wps.cli.web import run_web
from peps_wps.config import Config
from peps_wps.config.tape_sections import SimulatedTapeSection
from peps_wps.errors import ConfigError
from peps_wps.jobs.chain_lookup import chains_of
from peps_wps.jobs.service import run_workers
from peps_wps.jobs.task_runner import check_executor
from peps_wps.services import open_catalogue
from peps_wps.signals import heard

logger = logging.getLogger(__name__)

READY_LIMIT_S = 60.0
RESTART_PAUSE_S = 1.0
STOP_LIMIT_S = 20.0
ENDING = (signal.SIGTERM, signal.SIGINT)
STOPPING = "Stopping; jobs that run go on with the next start"


def serve(arguments: argparse.Namespace) -> int:
    """Run web and workers until a signal."""
    config = serving_config(arguments)
    server = config.server
    if config.auth.mode == "open" and not (arguments.open or is_loopback(server.host)):
        say(
            f"peps: {server.host} is reachable from other machines and [auth] mode is open: "
            "no credentials would be asked; give --open if that is meant"
        )
        return USAGE
    if not _is_free(server.host, server.port):
        say(
            f"peps: port {server.port} of {server.host} is taken: is the service running already? "
            "Choose another with --port"
        )
        return JOB_FAILED
    stop = threading.Event()
    with heard(ENDING, lambda _number: stop.set()):
        prepare(config)
        with Service(config) as service:
            if not service.wait_ready(stop):
                if not stop.is_set():
                    say("peps: the web service did not start, its log above says why")
                    return JOB_FAILED
                return OK
            say(welcome(config))
            for warning in warnings_of(config):
                say(warning)
            service.look_after(stop)
            say(STOPPING)
    return OK


def worker(arguments: argparse.Namespace) -> int:
    """Run workers until a signal."""
    config = serving_config(arguments)
    stop = threading.Event()
    with heard(ENDING, lambda _number: stop.set()):
        prepare(config)
        with Service(config, web=False) as service:
            say(f"Working on {config.catalog.url}; Ctrl-C stops")
            service.look_after(stop)
            say(STOPPING)
    return OK


def serving_config(arguments: argparse.Namespace) -> Config:
    """Return the configuration with what the command line says on top."""
    config = Config.load(var=arguments.var)
    server: dict[str, Any] = {
        key: value
        for key in ("host", "port")
        if (value := getattr(arguments, key, None)) is not None
    }
    workers = getattr(arguments, "workers", None)
    processing = {"parallelprocesses": workers} if workers else {}
    auth: dict[str, Any] = {"mode": "open"} if getattr(arguments, "open", False) else {}
    return dataclasses.replace(
        config,
        server=dataclasses.replace(config.server, **server),
        processing=dataclasses.replace(config.processing, **processing),
        auth=dataclasses.replace(config.auth, **auth),
    )


def prepare(config: Config) -> None:
    """Set up the log, bring the database up to date, refuse what no job could run with."""
    logs.configure(config.logging)
    tapes = (config.tape, *(section for _name, section in config.further_tapes))
    simulated = [one.path for one in tapes if isinstance(one, SimulatedTapeSection)]
    for folder in (config.var, config.results.path, config.storage.path, *simulated):
        _require_writable(folder)
    open_catalogue(config).dispose()
    chains_of(config)
    check_executor(config)


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(f"the folder {folder} cannot be written: {error.strerror}") from error


class Service:
    """The processes of the service, each started again when it dies. A context: left, all end."""

    def __init__(self, config: Config, *, web: bool = True) -> None:
        self._config = config
        self._context = multiprocessing.get_context("spawn")
        self._roles: dict[str, Callable[[Config], None]] = {"workers": run_workers}
        if web:
            self._roles["web"] = run_web
        self._processes: dict[str, SpawnProcess] = {}

    def __enter__(self) -> "Service":
        for role in self._roles:
            self._start(role)
        return self

    def __exit__(self, *_: object) -> None:
        # At once: what the web accepts meanwhile is in the database, for the next start.
        for process in self._processes.values():
            if process.is_alive() and process.pid is not None:
                os.kill(process.pid, signal.SIGTERM)
        for process in self._processes.values():
            _end(process)

    def wait_ready(self, stop: threading.Event) -> bool:
        """Wait until the web service answers; False when it does not, or a signal came."""
        deadline = time.monotonic() + READY_LIMIT_S
        while not stop.wait(0.1) and time.monotonic() < deadline:
            if not self._processes["web"].is_alive():
                return False
            with socket.socket(_family(self._config.server.host)) as probe:
                probe.settimeout(1.0)
                if probe.connect_ex((self._config.server.host, self._config.server.port)) == 0:
                    return True
        return False

    def look_after(self, stop: threading.Event) -> None:
        """Start again what dies, until `stop` is set."""
        while not stop.wait(0.5):
            for role, process in list(self._processes.items()):
                if process.is_alive():
                    continue
                logger.error("the %s process ended with code %s", role, process.exitcode)
                if not stop.wait(RESTART_PAUSE_S):
                    self._start(role)

    def _start(self, role: str) -> None:
        process = self._context.Process(
            target=self._roles[role], args=(self._config,), name=f"peps-{role}"
        )
        process.start()
        self._processes[role] = process


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def welcome(config: Config) -> str:
    """Return what to try next."""
    host, port = config.server.host, config.server.port
    url = config.server.url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    demonstration = f"peps demo --url {url} --var {config.var}"
    add_user = f"peps user add NAME --var {config.var}"
    return f"""
PEPS is at {url}/   (state in {config.var}; Ctrl-C stops)
Try:
  curl '{url}/resto/wps?service=WPS&request=GetCapabilities'
  curl '{url}/resto/api/collections/S1/search.json?maxRecords=5'
  {demonstration if config.auth.mode == "open" else add_user}
"""


def warnings_of(config: Config) -> list[str]:
    """Return what whoever starts a web service should know of who can use it."""
    local = is_loopback(config.server.host)
    if config.auth.mode == "open":
        warning = f"Open: whoever reaches {config.server.host} may order, download and dismiss."
        return [] if local else [warning]
    warnings = []
    if not (local or config.server.url.startswith("https://")):
        warnings.append("Passwords travel unencrypted: put a proxy with TLS in front.")
    if not _has_users(config):
        warnings.append(
            "There is no user yet: everybody may search, nobody may order or download; "
            "add one with peps user add."
        )
    return warnings


def _has_users(config: Config) -> bool:
    engine = open_catalogue(config)
    with engine.connect() as connection:
        has_some = bool(users.list_users(connection))
    engine.dispose()
    return has_some


def _end(process: SpawnProcess) -> None:
    """Wait for a process that was asked to end, and end it when it does not."""
    process.join(STOP_LIMIT_S)
    if process.is_alive():
        logger.warning("%s did not end in %.0f s", process.name, STOP_LIMIT_S)
        process.kill()
        process.join()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _is_free(host: str, port: int) -> bool:
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
