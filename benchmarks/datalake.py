"""The datalake: publishing, indexes of big folders, polls; composites of full tiles.

python -m benchmarks.datalake web
python -m benchmarks.datalake composites FOLDER [DATES [SIDE]]
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from werkzeug.test import Client

from benchmarks.measure import measure
from catalog_db import migrations
from catalog_db.engine import create_engine
from peps_wps.app import Application
from peps_wps.chains.composites.channels import Channel
from peps_wps.chains.composites.rasters import Work, write_colours, write_mean, write_ratio
from peps_wps.chains.ortho_s1.values import value_format
from peps_wps.config import Config
from peps_wps.datalake.lake import Lake
from peps_wps.services import Services
from peps_wps.web import datalake
from peps_wps.writers.cog import BLOCK, CogWriter
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.stac import Grid

PUBLISHED, FILES, POLLED = 60, 10_000, 100_000
DATES, SIDE = 15, 10980
TRANSFORM = Affine(10, 0, 699960, 0, -10, 4900020)


def item_of(name: str) -> dict[str, Any]:
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": name,
        "bbox": [5, 43, 6, 44],
        "geometry": None,
        "properties": {"datetime": "2018-07-20T05:52:00Z"},
        "assets": {"vvvh": {"href": f"./{name}.tif"}},
    }


def publish(lake: Lake, folder: Path) -> None:
    """Publish small products on many days; print what one takes."""
    begun, cpu = time.perf_counter(), time.process_time()
    for number in range(PUBLISHED):
        file = folder / f"p{number}.tif"
        file.write_bytes(b"x" * 1000)
        day = f"S1-L1-ORTHO/31TGL/2018/{1 + number % 12:02d}/{1 + number // 12:02d}"
        lake.publish(day, item_of(f"p{number}"), [file])
    wall_ms, cpu_ms = (
        1e3 * (now - then) / PUBLISHED
        for now, then in ((time.perf_counter(), begun), (time.process_time(), cpu))
    )
    print(f"publish one product        {wall_ms:8.1f} ms, {cpu_ms:.1f} ms CPU")


def fill(lake: Lake) -> None:
    """Make a folder of many files, half of them items, and a journal of many lines."""
    many = lake.root / "S1-L1-ORTHO" / "many"
    many.mkdir()
    for number in range(FILES // 2):
        name = f"q{number}"
        (many / f"{name}.tif").touch()
        item = item_of(name)
        item["assets"]["vvvh"] |= {"file:size": 0, "file:checksum": "1220" + "0" * 64}
        (many / f"{name}.json").write_text(json.dumps(item))
    os.utime(many, (1, 1))
    (day,) = (lake.root / ".journal").glob("*.ndjson")
    last = day.read_bytes().splitlines()[-1]
    with day.open("ab") as stream:
        stream.write(b"".join(last.replace(b"/p", b"/z%d" % n) + b"\n" for n in range(POLLED)))


def web() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = Config.load(var=folder / "var", environ={})
        engine = create_engine(config.catalog.url)
        migrations.upgrade(engine)
        lake = Lake(config.datalake.path)
        publish(lake, folder)
        fill(lake)
        client = Client(Application(Services.of(config, engine), datalake.rules()))
        many = "/datalake/S1-L1-ORTHO/many/"
        for what, address in (
            ("index of 10000 files", many),
            ("sorted by size", f"{many}?C=S;O=D"),
            ("JSON, 5000 items read", f"{many}?format=json"),
            ("JSON again", f"{many}?format=json"),
            ("one file of the folder", f"{many}q7.tif"),
            (
                "a poll over 100000 lines",
                f"/datalake/?since={datetime.now(UTC):%Y-%m-%dT23:59:59Z}",
            ),
            ("its first 1000 products", "/datalake/?since=2018-01-01"),
        ):
            begun = time.perf_counter()
            size = len(client.get(address, buffered=True).data)
            print(f"{what:26} {1e3 * (time.perf_counter() - begun):8.1f} ms  {size:9,} bytes")


def write_image(path: Path, side: int) -> None:
    """Write speckle of two polarisations."""
    description = RasterDescription("float32", 32631, TRANSFORM, 0.0, {}, bands=("VV", "VH"))
    writer = CogWriter(path, width=side, height=side, description=description, mantissa_bits=10)
    block = np.random.default_rng(1).gamma(4.4, 0.02, (BLOCK, BLOCK)).astype(np.float32)
    rows, columns = writer.shape_in_blocks
    for index in range(rows * columns):
        for band in (0, 1):
            row, column = divmod(index, columns)
            writer.put(row, column, np.roll(block, 7 * index), band=band)
    writer.close()


def composites(folder: Path, dates: int, side: int) -> None:
    """Make composites of one image taken for many dates, from decoding to COGs."""
    folder.mkdir(exist_ok=True)
    path = folder / f"image_{side}.tif"
    measure(lambda: write_image(path, side))
    image = {"VV": Channel(path, 1), "VH": Channel(path, 2)}
    grid = Grid("31TGL", 32631, TRANSFORM, (side, side))
    work = Work(grid, value_format("float32", "gamma0"), threads=2)
    mean, count, one = (folder / f"{name}.tif" for name in ("mean", "count", "one"))
    made: tuple[tuple[str, Callable[[], object]], ...] = (
        (
            f"mean and count of {dates} dates",
            lambda: write_mean(mean, count, [image] * dates, work),
        ),
        ("ratio", lambda: write_ratio(one, image, work)),
        ("colours", lambda: write_colours(one, image, work)),
    )
    for name, make in made:
        print(f"{name:28} {measure(make)}")


def main() -> None:
    match sys.argv[1:]:
        case ["web"]:
            web()
        case ["composites", folder, *sizes]:
            dates, side, *_ = *map(int, sizes), *(DATES, SIDE)[len(sizes) :]
            composites(Path(folder), dates, side)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
