"""The main job at full size: tape, WPS order by OWSLib, all tiles, fetched and measured.

    python -m benchmarks.main_job FOLDER [--var DIR]

FOLDER as for `benchmarks.s1_ortho`. The service is started with a fresh state folder, the product
ingested onto the simulated tape at its honest speed.
"""

import argparse
import os
import shutil
import socket
import subprocess
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import requests
from owslib.wps import WebProcessingService

from benchmarks.s1_ortho import Case
from simulator.score import score


@contextmanager
def service(case: Case, var: Path):
    """Serve a fresh state folder; gives the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PEPS_VAR": str(var), "PEPS_DEM_PATH": str(case.folder / "dem")}
    start = time.perf_counter()
    subprocess.run(["peps", "ingest", str(case.path), "--tape"], env=environment, check=True)
    print(f"ingested onto tape in {time.perf_counter() - start:.1f} s")
    process = subprocess.Popen(["peps", "serve", "--port", str(port)], env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        while not _is_up(url):
            time.sleep(0.2)
        time.sleep(20)  # the worker loads its kernels
        yield url
    finally:
        process.terminate()
        process.wait(60)


def _is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=5).ok
    except requests.RequestException:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--var", type=Path)
    arguments = parser.parse_args()
    case = Case.of(arguments.folder)
    var = arguments.var or case.folder / "service"
    shutil.rmtree(var, ignore_errors=True)
    with service(case, var) as url:
        order(case, url, var)


def order(case: Case, url: str, var: Path) -> None:
    """Order, follow, fetch and measure."""
    start = time.perf_counter()
    wps = WebProcessingService(f"{url}/resto/wps", version="1.0.0")
    execution = wps.execute("S1_ORTHO", [("product", case.known.title)], output=[])
    state = ""
    while not execution.isComplete():
        execution.checkStatus(sleepSecs=0.5)
        words = execution.statusMessage or ""
        step = "computing" if "omputing" in words else words.split(" ")[0]
        if step != state:
            state = step
            print(f"{time.perf_counter() - start:7.1f} s  {words}")
    print(f"{time.perf_counter() - start:7.1f} s  {execution.status}")
    links = {output.identifier: output.reference for output in execution.processOutputs}
    archive = var / "fetched.zip"
    with requests.get(links["archive"], stream=True, timeout=60) as answer:
        answer.raise_for_status()
        with archive.open("wb") as target:
            shutil.copyfileobj(answer.raw, target, 2**22)
    print(f"{time.perf_counter() - start:7.1f} s  fetched {archive.stat().st_size / 1e9:.2f} GB")
    folder = var / "fetched"
    with zipfile.ZipFile(archive) as members:
        members.extractall(folder)
    for image in sorted(folder.glob("*/s1*_[vh][vh]_*.tif")):
        polarization = image.name.split("_")[2].upper()
        print(f"{image.name}: {score(case.truth, image, polarization=polarization)}")


if __name__ == "__main__":
    main()
