"""A service with results to be shown as map tiles."""

from pathlib import Path

import numpy as np
from rasterio.warp import transform
from werkzeug.test import Client

from catalog_db.engine import create_engine
from peps_wps.app import Application, create_app
from peps_wps.config import Config
from peps_wps.tiles.grid import Box, tiles_over
from peps_wps.writers.archive import write_archive
from tests.tiles.rasters import TRANSFORM, write_cog
from tests.wps.stand_in import FullMaja, Ledger

SIDE = 1200


class Site:
    """A service with one job whose results can be shown."""

    def __init__(self, root: Path, **environ: str) -> None:
        self.config = Config.load(var=root, environ={"PEPS_AUTH_MODE": "open", **environ})
        self.engine = create_engine(self.config.catalog.url)
        self.app: Application = create_app(self.config, self.engine, processes=(FullMaja,))
        self.client = Client(self.app)
        self.ledger = Ledger(self.engine, self.config)
        self.job = self.add_job()

    def add_job(self, owner: str = "anonymous") -> str:
        job = self.ledger.insert(owner=owner)
        folder = self.config.results.path / job.id
        raster = write_cog(folder / "power.tif", power(), tags={"QUANTITY": "linear power"})
        other = write_cog(folder / "other-31TCJ-power.tif", power()[:300].copy())
        members = {"31TCJ/mask.tif": other, "31TCJ/power.tif": raster, "report.json": raster}
        write_archive(folder / "all.zip", members)
        (folder / "notes.txt").write_text("no raster")
        results = {
            "power": {"href": "power.tif", "type": "image/tiff"},
            "archive": {"href": "all.zip", "type": "application/zip"},
            "notes": {"href": "notes.txt", "type": "text/plain"},
            "tiles": {"value": "1", "type": "text/plain"},
        }
        self.ledger.set(job.id, state="succeeded", results=results)
        return job.id

    def map(self, name: str = "power.tif") -> str:
        return f"/tiles/{self.job}~{name}"

    def tile(self, zoom: int = 12, name: str = "power.tif") -> str:
        """The tile over the middle of the raster."""
        point = TRANSFORM @ (SIDE / 2, SIDE / 2)
        (x,), (y,) = transform("EPSG:32631", "EPSG:3857", [point[0]], [point[1]])
        tile, _ = tiles_over(Box(x, y, x, y), zoom)
        return f"{self.map(name)}/{tile.zoom}/{tile.column}/{tile.row}.png"


def power() -> np.ndarray:
    values = np.random.default_rng(3).gamma(4.4, 0.02, (SIDE, SIDE)).astype(np.float32)
    values[:, :200] = 0
    return values
