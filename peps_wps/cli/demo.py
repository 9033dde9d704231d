"""`peps demo`: the main job once, from a product on tape to GeoTIFFs, on simulated data."""

import argparse
import contextlib
import dataclasses
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import requests

import catalog_db
from peps_wps.cli.archive import open_services
from peps_wps.cli.orders import client_of, follow, told
from peps_wps.cli.serve import Service, prepare, serving_config
from peps_wps.cli.terminal import JOB_FAILED, OK, ProgressLine, say
from peps_wps.client import UnreachableError
from peps_wps.config import Config
from peps_wps.errors import ConfigError
from peps_wps.ingest import ingest
from peps_wps.resto.places import load_places
from peps_wps.services import Services

PROCESS = "S1_ORTHO"


def demo(arguments: argparse.Namespace) -> int:
    """Prepare the data, then order the main job and fetch what it gives."""
    config = serving_config(arguments)
    quiet = dataclasses.replace(
        config, logging=dataclasses.replace(config.logging, level="WARNING")
    )
    if not arguments.url or arguments.prepare:
        prepare_data(quiet)
    if arguments.prepare:
        return OK

    def run() -> int:
        with server(quiet, arguments.url) as url:
            return order(quiet, url, arguments.output)

    return told(run)


def prepare_data(config: Config) -> None:
    """Write the demonstration data and take them into an archive that has no product yet."""
    services = open_services(config)
    if demonstration_title(config) is None and _has_products(services):
        return
    folder = demonstration_folder(config)
    if demonstration_title(config) is None:
        from simulator.demonstration import write as write_demonstration

        say("Simulating products of Sentinel-1 and Sentinel-2 over known landscapes...")
        begun = time.monotonic()
        partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        write_demonstration(partial)
        partial.rename(folder)
        say(f"  {demonstration_title(config)} ({time.monotonic() - begun:.0f} s)")
    place_dem(folder, config)
    with ProgressLine(quiet=True) as line:
        ingest(products_in(folder), tier="tape", services=services, progress=line.show)
    load_places(services.engine)
    services.engine.dispose()


def order(config: Config, url: str, output: Path) -> int:
    """Order the orthorectification of the demonstration product; say where the results are."""
    title = demonstration_title(config)
    if title is None:
        say("The archive holds products of its own: order one of them with peps execute")
        return JOB_FAILED
    client = client_of(url)
    say(f"Ordering {PROCESS} of {title} at {client.endpoint}")
    begun = time.monotonic()
    accepted = client.execute(PROCESS, [("product", title)])
    following = argparse.Namespace(json=False, output=output, url=url)
    code = follow(client, accepted.url, following)
    if code == OK:
        say(f"Done in {time.monotonic() - begun:.0f} s. The files are in {output.resolve()}:")
        say("the GeoTIFFs in the zip, the quicklook beside it. They superpose on Sentinel-2 tiles.")
    return code


@contextlib.contextmanager
def server(config: Config, url: str | None) -> Iterator[str]:
    """Give the address of a server: the one asked for, the one that runs, or one of its own."""
    host = config.server.host
    running = url or f"http://{f'[{host}]' if ':' in host else host}:{config.server.port}"
    if url or _answers(running):
        yield running
        return
    own = dataclasses.replace(config.server, host="127.0.0.1", port=_free_port())
    # On this machine, for as long as the demonstration takes: nobody is asked for credentials.
    auth = dataclasses.replace(config.auth, mode="open")
    with_own = dataclasses.replace(config, server=own, auth=auth)
    prepare(with_own)
    with Service(with_own) as service:
        if not service.wait_ready(threading.Event()):
            raise UnreachableError("the service did not start")
        yield f"http://{own.host}:{own.port}"


def demonstration_folder(config: Config) -> Path:
    """Return where the demonstration data lie."""
    return config.var / "demonstration"


def demonstration_title(config: Config) -> str | None:
    """Return the title of the product that is ordered, None before it is written."""
    found = [path.name for path in products_in(demonstration_folder(config))]
    return next((name.split(".")[0] for name in found if name.startswith("S1")), None)


def products_in(folder: Path) -> list[Path]:
    """Return the SAFE products of a folder."""
    return sorted(path for path in folder.glob("*.SAFE*") if not path.name.startswith("."))


def place_dem(folder: Path, config: Config) -> None:
    """Copy the elevation model of the demonstration to where the service looks for one."""
    if "://" in config.dem.path or config.dem.path.startswith("/vsi"):
        raise ConfigError("the demonstration needs a folder as [dem] path")
    target = Path(config.dem.path)
    target.mkdir(parents=True, exist_ok=True)
    for tile in sorted((folder / "dem").glob("*.tif")):
        if not (target / tile.name).exists():
            shutil.copyfile(tile, target / f".{tile.name}.partial")
            (target / f".{tile.name}.partial").rename(target / tile.name)


def _has_products(services: Services) -> bool:
    with services.engine.connect() as connection:
        return catalog_db.search(connection, catalog_db.SearchQuery(limit=1)).total > 0


def _answers(url: str) -> bool:
    """Tell whether a PEPS service answers at an address, and not just anything."""
    try:
        checks = requests.get(f"{url}/health", timeout=5.0).json()["checks"]
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return False
    return "database" in checks


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
