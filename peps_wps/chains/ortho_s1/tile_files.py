"""The files of one tile while they fill: images, masks, and what is known of them at the end."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms import mgrs
from peps_wps.chains.contract import Json, TaskResult
from peps_wps.chains.ortho_s1.account import Statistics, processing_of
from peps_wps.chains.ortho_s1.plan import TileTask
from peps_wps.chains.ortho_s1.scene import Scene
from peps_wps.chains.ortho_s1.tile import BlockMasks, BlockResult, TileProcessor
from peps_wps.chains.ortho_s1.values import encode, value_format
from peps_wps.errors import ChainError
from peps_wps.readers.dem import DemWindow
from peps_wps.writers import naming, stac, tags
from peps_wps.writers.acquisition import acquisition_of
from peps_wps.writers.cog import CogWriter, OverviewRule
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.json_document import write_json
from peps_wps.writers.quicklook import read_overview, write_quicklook

ANGLE_SCALE = 0.01  # degrees, of uint16

BORDER_MASK = "BorderMask"
LAYOVER_SHADOW, INCIDENCE, LOCAL_INCIDENCE = "LayoverShadow", "IA", "LIA"
_TITLES = {
    BORDER_MASK: "Border mask: 1 where the image is valid",
    LAYOVER_SHADOW: "Layover and shadow: sum of 1 layover, 2 shadow",
    INCIDENCE: "Incidence angle from the normal of the ellipsoid",
    LOCAL_INCIDENCE: "Incidence angle from the normal of the ground",
}


class TileFiles:
    """Takes the blocks of a tile as they are computed and writes its files at the end.

    Parameters
    ----------
    folder
        Where the files go.
    task, scene, processor, heights
        What is computed, from what.
    """

    def __init__(
        self,
        folder: Path,
        task: TileTask,
        scene: Scene,
        processor: TileProcessor,
        heights: DemWindow,
    ) -> None:
        self._folder = folder
        self._task = task
        self._tile = mgrs.tile(task.tile)
        self._scene = scene
        self._acquisition = acquisition_of([frame.manifest for frame in scene.frames])
        self._processing = processing_of(task.order, scene, heights)
        self._heights = heights
        self._processor = processor
        self._format = value_format(task.order.format, task.order.calibration)
        self._paths = {name: folder / f"{self._stem(name)}.tif" for name in scene.polarizations}
        self._images = {name: self._image(path, name) for name, path in self._paths.items()}
        self._masks = self._open_masks() if task.order.masks else {}
        self._statistics = {name: Statistics() for name in scene.polarizations}

    def take(self, block: BlockResult) -> None:
        """Encode, compress and count one block; called from several threads."""
        for name, power in block.power.items():
            self._images[name].put(block.row, block.column, encode(power, self._format))
            self._statistics[name].add(power)
            if block.masks is not None:
                valid = np.logical_not(np.isnan(power)).view(np.uint8)
                self._masks[f"{BORDER_MASK} {name}"].put(block.row, block.column, valid)
        if block.masks is not None:
            for kind, values in _mask_values(block.masks).items():
                self._masks[kind].put(block.row, block.column, values)

    def close(self) -> TaskResult:
        """Write everything; refuse a tile on which no pixel is valid.

        Raises
        ------
        ChainError
            When the image holds no data here.
        """
        valid = max(statistics.count for statistics in self._statistics.values())
        if valid == 0:
            title = self._acquisition.titles[0]
            raise ChainError(f"no valid pixel of {title} on tile {self._task.tile}")
        for writer in [*self._images.values(), *self._masks.values()]:
            writer.close()
        self._write_quicklook()
        rows, columns = self._processor.shape
        valid_percent = round(100 * valid / (rows * columns), 2)
        write_json(self._folder / f"{self._whole_stem()}.json", self._item(valid_percent))
        files = tuple(sorted(path.name for path in self._folder.iterdir()))
        return TaskResult(self._body(valid_percent), files)

    def _stem(self, polarization: str, kind: str = "") -> str:
        return naming.tile_stem(
            self._acquisition,
            self._task.tile,
            polarization,
            self._task.order.calibration,
            kind=kind,
        )

    def _whole_stem(self) -> str:
        """Return the name of what belongs to all polarisations together."""
        return self._stem("".join(self._scene.polarizations))

    def _image(self, path: Path, polarization: str) -> CogWriter:
        form = self._format
        description = RasterDescription(
            form.dtype,
            self._tile.epsg,
            self._processor.transform,
            form.nodata,
            tags.tile_tags(
                self._acquisition,
                self._processing,
                self._task.tile,
                polarization,
                quantity=form.quantity,
            ),
            scale=form.scale,
        )
        bits = None if self._task.order.lossless else form.mantissa_bits
        return self._writer(path, description, form.overview, mantissa_bits=bits)

    def _open_masks(self) -> dict[str, CogWriter]:
        """Open a writer a mask; border masks are one a polarisation, the others one a tile."""
        masks = {
            f"{BORDER_MASK} {name}": self._mask(name, BORDER_MASK, "uint8", None, 1.0)
            for name in self._scene.polarizations
        }
        whole = "".join(self._scene.polarizations)
        masks[LAYOVER_SHADOW] = self._mask(whole, LAYOVER_SHADOW, "uint8", None, 1.0)
        for kind in (INCIDENCE, LOCAL_INCIDENCE):
            masks[kind] = self._mask(whole, kind, "uint16", 0.0, ANGLE_SCALE)
        return masks

    def _mask(
        self, polarization: str, kind: str, dtype: str, nodata: float | None, scale: float
    ) -> CogWriter:
        told = tags.tile_tags(
            self._acquisition,
            self._processing,
            self._task.tile,
            polarization,
            image_type="MASK",
            quantity=kind,
        )
        description = RasterDescription(
            dtype,
            self._tile.epsg,
            self._processor.transform,
            nodata,
            {**told, "UNIT": "degree"} if kind in (INCIDENCE, LOCAL_INCIDENCE) else told,
            scale=scale,
            description=_TITLES[kind],
        )
        path = self._folder / f"{self._stem(polarization, kind)}.tif"
        return self._writer(path, description, "nearest")

    def _writer(
        self,
        path: Path,
        description: RasterDescription,
        overview: OverviewRule,
        *,
        mantissa_bits: int | None = None,
    ) -> CogWriter:
        rows, columns = self._processor.shape
        return CogWriter(
            path,
            width=columns,
            height=rows,
            description=description,
            overview=overview,
            mantissa_bits=mantissa_bits,
        )

    def _write_quicklook(self) -> None:
        power = {
            name: read_overview(path, quantity=self._format.quantity)
            for name, path in self._paths.items()
        }
        write_quicklook(self._folder / f"{self._whole_stem()}.png", power)

    def _item(self, valid_percent: float) -> Mapping[str, Any]:
        """Return the STAC item of the tile."""
        grid = stac.Grid(
            self._task.tile, self._tile.epsg, self._processor.transform, self._processor.shape
        )
        return stac.tile_item(
            self._whole_stem(),
            self._acquisition,
            self._processing,
            grid,
            assets=dict(self._assets()),
            quality=stac.Quality(valid_percent, self._model()),
        )

    def _assets(self) -> Iterator[tuple[str, stac.Asset]]:
        """Give the files of the tile as STAC assets."""
        resolution = float(self._task.order.resolution)
        form = self._format
        raster = stac.Raster(form.dtype, form.nodata, resolution, form.scale)
        for name, path in self._paths.items():
            title = f"{self._task.order.calibration} {name}, {form.quantity}"
            yield (
                name.lower(),
                _asset(path, title, ("data",), raster=raster, polarizations=(name,)),
            )
        for key, mask in self._masks.items():
            is_angle = key in (INCIDENCE, LOCAL_INCIDENCE)
            raster = stac.Raster(
                "uint16" if is_angle else "uint8",
                0.0 if is_angle else None,
                resolution,
                ANGLE_SCALE if is_angle else 1.0,
                unit="degree" if is_angle else "",
            )
            kind, *polarization = key.split()
            title = " ".join([_TITLES[kind], *(f"({name})" for name in polarization)])
            roles = ("metadata",) if is_angle else ("data-mask",)
            yield key.lower().replace(" ", "-"), _asset(mask.path, title, roles, raster=raster)
        picture = self._folder / f"{self._whole_stem()}.png"
        yield "thumbnail", _asset(picture, "Quicklook", ("thumbnail",), media_type=stac.PNG)

    def _model(self) -> Json:
        """Return what is published of the geolocation model with each result."""
        return {
            "bistatic": self._task.order.bistatic,
            "srgr": self._task.order.srgr,
            "geolocation": [asdict(check) for check in self._scene.geometry.check_against_grid()],
        }

    def _body(self, valid_percent: float) -> Json:
        """Return what the report says of the tile."""
        return {
            "tile": self._task.tile,
            "pass": naming.pass_name(self._acquisition),
            "start": self._acquisition.starts[0].isoformat(),
            "images": {name: path.name for name, path in self._paths.items()},
            "products": list(self._acquisition.titles),
            "coverage_percent": valid_percent,
            "heights": self._heights.datum,
            "orbit": self._processing.orbit,
            "denoised": self._processing.denoised,
            "mean_db": {name: s.mean_db for name, s in self._statistics.items()},
            **self._model(),
        }


def _asset(
    path: Path,
    title: str,
    roles: tuple[str, ...],
    *,
    raster: stac.Raster | None = None,
    polarizations: tuple[str, ...] = (),
    media_type: str = stac.COG,
) -> stac.Asset:
    """Return a file beside the item as an asset."""
    return stac.Asset(
        path.name, media_type, title, roles, path.stat().st_size, polarizations, raster
    )


def _mask_values(masks: BlockMasks) -> dict[str, NDArray[Any]]:
    """Return the stored values of masks: flags as they are, angles in hundredths of a degree."""
    return {
        LAYOVER_SHADOW: masks.flags,
        INCIDENCE: _stored_angle(masks.angles.ellipsoid),
        LOCAL_INCIDENCE: _stored_angle(masks.angles.terrain),
    }


def _stored_angle(angle: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return radians as hundredths of a degree, 0 where unknown, never 0 where known."""
    stored = np.maximum(np.rint(np.degrees(angle) / np.float32(ANGLE_SCALE)), 1)
    return np.where(np.isnan(angle), np.float32(0), stored).astype(np.uint16)
