"""Names, descriptions and outputs of results from one Sentinel-2 product each."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from affine import Affine

from peps_wps.chains.contract import FinishedTask, Json, Output, Outputs, Progress, Task, TaskInputs
from peps_wps.chains.packing import packed
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2 import Sentinel2Scene, open_scene
from peps_wps.writers import naming, stac
from peps_wps.writers.stac_optical import Making, Observation, optical_item

_LEVEL = {"LEVEL1C": "L1C", "LEVEL2A": "L2A"}


class MapGrid(Protocol):
    """Pixels on a map."""

    @property
    def epsg(self) -> int:
        """Code of the projection."""

    @property
    def transform(self) -> Affine:
        """Column and row to easting and northing."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @property
    def resolution(self) -> float:
        """Pixel size, metres."""


def scene_of(task: Task, inputs: TaskInputs) -> Sentinel2Scene:
    """Open the product of a task made by `scene_tasks`, on its tile."""
    (uid,) = task.products
    return open_scene(Safe.open(inputs.paths[uid]), str(task.body["tile"]))


def tile_of(scene: Sentinel2Scene) -> str:
    """Return the MGRS name of the tile that is open."""
    return scene.granule.tile


def stem_of(scene: Sentinel2Scene, kind: str) -> str:
    """Return the name of a file without extension: ``s2a_31TCJ_20240612t105031_l1c_ndvi``."""
    level = _LEVEL[scene.product.level].lower()
    return f"{_acquisition_name(scene)}_{level}_{kind.lower()}"


def _acquisition_name(scene: Sentinel2Scene) -> str:
    platform, time = scene.product.platform.lower(), f"{scene.product.start:%Y%m%dt%H%M%S}"
    return f"{platform}_{tile_of(scene)}_{time}"


def observation_of(scene: Sentinel2Scene) -> Observation:
    """Return what items say of the product that a result is from."""
    product = scene.product
    return Observation(
        titles=(product.title,),
        start=product.start,
        stop=product.stop,
        platform=product.platform,
        level=_LEVEL[product.level],
        relative_orbit=product.relative_orbit,
        orbit_direction=product.orbit_direction,
        cloud_cover=product.cloud_cover,
        footprint=product.footprint,
    )


def tags_of(scene: Sentinel2Scene, quantity: str, lineage: str) -> dict[str, str]:
    """Return the tags of a GeoTIFF from a product."""
    product = scene.product
    return {
        "ACQUISITION_DATETIME": f"{product.start:%Y:%m:%dT%H:%M:%SZ}",
        "FLYING_UNIT_CODE": product.platform.lower(),
        "INPUT_S2_IMAGES": product.title,
        "PROCESSING_LEVEL": _LEVEL[product.level],
        "PROCESSING_BASELINE": product.baseline,
        "ORBIT_DIRECTION": naming.ORBIT_DIRECTION[product.orbit_direction],
        "RELATIVE_ORBIT_NUMBER": f"{product.relative_orbit:03d}",
        "S2_TILE_CORRESPONDING_CODE": tile_of(scene),
        "QUANTITY": quantity,
        "TIFFTAG_IMAGEDESCRIPTION": lineage,
        "TIFFTAG_SOFTWARE": f"PEPS {version('peps')}",
    }


def item_of(
    scene: Sentinel2Scene,
    identifier: str,
    grid: MapGrid,
    *,
    title: str,
    lineage: str,
    assets: Mapping[str, stac.Asset],
    further: Mapping[str, Any],
) -> Json:
    """Return the STAC item of a result on a grid of its scene."""
    return optical_item(
        identifier,
        observation_of(scene),
        Making(title, lineage, version("peps"), datetime.now(UTC), further),
        stac.Grid(tile_of(scene), grid.epsg, grid.transform, grid.shape),
        resolution=float(grid.resolution),
        assets=assets,
    )


def asset_of(
    path: Path,
    title: str,
    role: str,
    *,
    raster: stac.Raster | None = None,
    media_type: str = stac.COG,
) -> stac.Asset:
    """Return a file beside the item as an asset."""
    return stac.Asset(path.name, media_type, title, (role,), path.stat().st_size, (), raster)


def body_of(scene: Sentinel2Scene, picture: Path, **further: Any) -> Json:
    """Return the body of a result: what `gather_scenes` needs, and what the report says."""
    return {
        "product": scene.product.title,
        "acquisition": _acquisition_name(scene),
        "start": scene.product.start.isoformat(),
        "level": _LEVEL[scene.product.level],
        "tile": tile_of(scene),
        "picture": picture.name,
        **further,
    }


def gather_scenes(
    process: str,
    order: Json,
    finished: Sequence[FinishedTask],
    folder: Path,
    progress: Progress,
) -> Outputs:
    """Write the zip of all files, a folder a product, and the picture of the first product.

    Parameters
    ----------
    process
        Its identifier.
    order
        What was asked.
    finished
        Results whose bodies are of `body_of`.
    folder
        Published as a whole by the caller.
    """
    progress("Packing the archive", 0)
    bodies = [done.result.body for done in finished]
    report = {"process": process, "order": order, "products": bodies}
    starts = {body["acquisition"]: datetime.fromisoformat(body["start"]) for body in bodies}
    archive = folder / naming.archive_name(process, starts, order)
    members = {
        f"{done.result.body['product']}/{name}": done.folder / name
        for done in finished
        for name in done.result.files
    }
    drawn = finished[0].folder / str(bodies[0]["picture"])
    picture = folder / f"{archive.stem}{drawn.suffix}"
    picture.write_bytes(drawn.read_bytes())
    outputs = (
        packed(archive, members, report),
        Output("quicklook", PICTURE_TYPES[drawn.suffix], path=picture.name),
    )
    return Outputs(outputs, report)


PICTURE_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
