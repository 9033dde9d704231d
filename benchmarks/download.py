"""Downloads beside nginx: throughput and CPU of the same file, many readers at once, slow ones.

``python -m benchmarks.download [--var DIR] [--size-gb 2] [--part throughput parallel slow]``: a
product of the size in the pool of a state folder (by default below /tmp), sent by the service as
``peps serve`` runs it and by nginx (sendfile, tcp_nopush, a worker for each core), from the page
cache, to curl on the same machine.
"""

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog_db.catalogue import products
from tests.archive_world import ArchiveWorld
from tests.live_server import serving

TITLE = "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8"
SMALL = "S1A_IW_GRDH_1SDV_20210810T173953_20210810T174018_039157_049F13_6FF8"
SMALL_BYTES = 20_000_000
READERS = 200
SLOW_READERS = 100
BLOCK = 1 << 20
_TICKS = os.sysconf("SC_CLK_TCK")

NGINX = """
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; types {{}} default_type application/zip;
  {temporary}
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


@dataclass(frozen=True)
class Server:
    """A server of the product: its address, its first process, and the size of the product."""

    name: str
    url: str
    process: int
    size_bytes: int


@dataclass(frozen=True)
class Run:
    """Wall and CPU seconds of downloads, the latter of the server alone."""

    wall_s: float
    cpu_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--var", type=Path, help="state folder, kept; on a disk that holds the file"
    )
    parser.add_argument("--size-gb", type=float, default=2.0, help="size of the product")
    parser.add_argument("--rounds", type=int, default=5, help="of each server, by turns")
    parser.add_argument("--part", nargs="*", default=["throughput", "parallel", "slow"])
    given = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    folder = given.var or Path(tempfile.mkdtemp(prefix="peps-download-"))
    try:
        with servers(folder, round(given.size_gb * 1e9)) as (ours, nginx, small):
            if "throughput" in given.part:
                for clients in (1, 8):
                    throughput(ours, nginx, clients, rounds=given.rounds)
            if "parallel" in given.part:
                parallel(ours, small)
            if "slow" in given.part:
                slow(ours)
    finally:
        if given.var is None:
            shutil.rmtree(folder)


def throughput(ours: Server, nginx: Server, clients: int, *, rounds: int) -> float:
    """Send the whole file to clients at once, by turns; return our rate as a share of nginx's."""
    runs: dict[str, list[Run]] = {server.name: [] for server in (ours, nginx)}
    for _ in range(rounds):
        for server in (ours, nginx):
            runs[server.name].append(_measured(server, clients))
    rate = {}
    for name, taken in runs.items():
        wall_s = statistics.median(run.wall_s for run in taken)
        cpu_s = statistics.median(run.cpu_s for run in taken)
        gigabytes = clients * ours.size_bytes / 1e9
        rate[name] = gigabytes / wall_s
        print(
            f"{clients} clients, {name}: median of {rounds} {rate[name]:.2f} GB/s, "
            f"{wall_s:.2f} s, CPU of the server {1000 * cpu_s / gigabytes:.0f} ms/GB"
        )
    share = rate[ours.name] / rate[nginx.name]
    print(f"{clients} clients: {100 * share:.0f} % of nginx")
    return share


def parallel(ours: Server, small: str) -> None:
    """Download a product many times at once."""
    begin = time.monotonic()
    with ThreadPoolExecutor(READERS) as threads:
        sizes = list(threads.map(_discarded, [small] * READERS))
    wall_s = time.monotonic() - begin
    wrong = sum(size != SMALL_BYTES for size in sizes)
    print(
        f"{READERS} at once of {SMALL_BYTES / 1e6:.0f} MB: {wall_s:.1f} s, {wrong} wrong; server: "
        f"{_threads(ours)} threads, at most {_peak_mb(ours):.0f} MB resident"
    )


def slow(ours: Server) -> None:
    """Search while slow readers take their time."""
    before = _search_s(ours)
    with contextlib.ExitStack() as readers:
        for _ in range(SLOW_READERS):
            readers.enter_context(_slow_reader(ours.url))
        during = _search_s(ours)
        threads = _threads(ours)
    print(
        f"a search, median: {1000 * before:.1f} ms alone, {1000 * during:.1f} ms beside "
        f"{SLOW_READERS} downloads that nobody reads; {threads} threads"
    )


@contextlib.contextmanager
def servers(folder: Path, size_bytes: int) -> Iterator[tuple[Server, Server, str]]:
    """Serve a large product by us and by nginx; yields both and the address of a small one."""
    world = ArchiveWorld(folder)
    uid = _stored(world, TITLE, size_bytes)
    small = _stored(world, SMALL, SMALL_BYTES)
    file = world.pool_file(TITLE)
    world.engine.dispose()
    _discard(file)  # into the page cache
    environ: dict[str, Any] = {"PEPS_AUTH_MODE": "open", "PEPS_DOWNLOADS_FILES_USER": "0"}
    with serving(folder, workers=1, **environ) as address:
        path = f"{address}/resto/collections/S1"
        ours = Server("PEPS", f"{path}/{uid}/download", _youngest_child(), size_bytes)
        _discarded(f"{path}/{small}/download")
        with _nginx(folder, file) as nginx:
            yield ours, nginx, f"{path}/{small}/download"


def _stored(world: ArchiveWorld, title: str, size_bytes: int) -> str:
    """Return the uid of a product in the pool, made where it is missing."""
    if world.pool_file(title).is_file():
        return products.product_uid("S1", title)
    source = world.root / "incoming" / f"{title}.zip"
    source.parent.mkdir(parents=True, exist_ok=True)
    block = os.urandom(BLOCK)
    with source.open("wb") as stream:
        for position in range(0, size_bytes, BLOCK):
            stream.write(block[: size_bytes - position])
    uid = world.add_path(source, title, tier="disk")
    source.unlink(missing_ok=True)
    return uid


@contextlib.contextmanager
def _nginx(folder: Path, file: Path) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    temporary = " ".join(
        f"{name}_temp_path {folder}/nginx;"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    settings = folder / "nginx.conf"
    settings.write_text(
        "user root;" + NGINX.format(folder=folder, port=port, root=file.parent, temporary=temporary)
    )
    process = subprocess.Popen(["nginx", "-c", str(settings), "-e", f"{folder}/error.log"])
    address = f"http://127.0.0.1:{port}/{file.name}"
    try:
        _await(port)
        yield Server("nginx", address, process.pid, file.stat().st_size)
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def _measured(server: Server, clients: int) -> Run:
    """Download by curl, several at once."""
    cpu_s, begin = _cpu_s(server), time.monotonic()
    curls = [
        subprocess.Popen(["curl", "-sSf", "-o", "/dev/null", server.url]) for _ in range(clients)
    ]
    failed = [curl.wait() for curl in curls if curl.wait() != 0]
    wall_s = time.monotonic() - begin
    if failed:
        raise RuntimeError(f"{server.name}: {len(failed)} of {clients} downloads failed")
    return Run(wall_s, _cpu_s(server) - cpu_s)


def _discard(file: Path) -> None:
    with file.open("rb", buffering=0) as stream:
        while stream.read(BLOCK):
            pass


def _discarded(url: str) -> int:
    """Return how many bytes an address gives."""
    size, block = 0, memoryview(bytearray(BLOCK))
    with urllib.request.urlopen(url, timeout=300) as answer:
        while count := answer.readinto(block):
            size += count
    return size


@contextlib.contextmanager
def _slow_reader(url: str) -> Iterator[None]:
    """Ask for the file, and read its first bytes only."""
    host, path = url.removeprefix("http://").split("/", 1)
    name, port = host.split(":")
    with socket.create_connection((name, int(port))) as connection:
        connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        connection.recv(1024)
        yield


def _search_s(ours: Server) -> float:
    """Return the median time of a search."""
    base = ours.url.split("/resto/")[0]
    took = []
    for _ in range(50):
        begin = time.monotonic()
        with urllib.request.urlopen(f"{base}/resto/api/collections/S1/search.json") as answer:
            answer.read()
        took.append(time.monotonic() - begin)
    return statistics.median(took)


def _youngest_child() -> int:
    """Return the process that `serving` has just started."""
    with Path(f"/proc/self/task/{os.getpid()}/children").open() as children:
        return max(int(child) for child in children.read().split())


def _family(server: Server) -> Sequence[int]:
    """Return the processes of a server."""
    found = [server.process]
    for parent in found:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
            found += [int(child) for child in text.split()]
    return found


def _cpu_s(server: Server) -> float:
    ticks = 0
    for process in _family(server):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def _status(server: Server, key: str) -> int:
    """Return the greatest value of a line of the status of the processes of a server."""
    lines = [
        line
        for process in _family(server)
        for line in Path(f"/proc/{process}/status").read_text().splitlines()
    ]
    return max(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def _threads(server: Server) -> int:
    return _status(server, "Threads")


def _peak_mb(server: Server) -> float:
    return _status(server, "VmHWM") / 1024


if __name__ == "__main__":
    main()
