"""S2_QUICKLOOK as a chain: the true colour image of each product from its lowest resolutions."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize

from algorithms.optical import NO_DATA, reflectance_from_dn, stretched_uint8
from peps_wps.chains.contract import TaskInputs, TaskResult
from peps_wps.chains.fields import Fields
from peps_wps.chains.optical import results
from peps_wps.chains.optical.grid import SceneGrid, scene_grid
from peps_wps.chains.optical.products import SceneOrder, Selection
from peps_wps.chains.optical.scene_chain import SceneChain
from peps_wps.chains.optical.source import held_resolution
from peps_wps.chains.optical.stretch import Stretch
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel2 import Sentinel2Scene
from peps_wps.writers.picture import SUFFIXES, write_picture

UInt8 = NDArray[np.uint8]

SIDES = 64, 4096  # pixels
DEFAULT_SIDE = 1024
PICTURES = tuple(SUFFIXES)
_SMALLEST = "B01"
_TRUE_COLOR = ("B04", "B03", "B02")


@dataclass(frozen=True)
class Order(SceneOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    selection
        Products, tile and area.
    size
        Most pixels a side.
    picture
        "png" or "jpeg".
    """

    size: int = DEFAULT_SIDE
    picture: str = "png"

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Turn literal inputs into an order; raise InvalidInputError with its locator."""
        fields = Fields(inputs)
        size = fields.number("size", default=DEFAULT_SIDE, low=SIDES[0], high=SIDES[1])
        picture = fields.choice("picture", PICTURES)
        return cls(Selection.of(fields), round(size), picture)


class QuicklookS2(SceneChain[Order]):
    """The chain of S2_QUICKLOOK."""

    name = "S2_QUICKLOOK"
    order_type = Order

    def compute(
        self,
        order: Order,
        scene: Sentinel2Scene,
        inputs: TaskInputs,
        progress: Callable[[float], None],
    ) -> TaskResult:
        """Draw one product.

        Raises
        ------
        ChainError
            When it has no data in the area.
        """
        image = quicklook(scene, scene_grid(scene, 10, order.selection.region), order.size)
        if not image[3].any():
            raise ChainError(f"{scene.product.title} has no data in the area")
        stem = results.stem_of(scene, "quicklook")
        path = inputs.scratch / f"{stem}{SUFFIXES[order.picture]}"
        write_picture(path, image)
        progress(1.0)
        return TaskResult(results.body_of(scene, path, shape=list(image.shape[1:])), (path.name,))


def quicklook(scene: Sentinel2Scene, grid: SceneGrid, size: int) -> UInt8:
    """Return a picture of a window of a scene.

    Parameters
    ----------
    grid
        The window, pixels of 10 m.
    size
        Most pixels a side.

    Returns
    -------
    Red, green, blue and opacity, shape (4, row, column); tones as in the true colour image of ESA.
    """
    step = max(1.0, max(grid.shape) / size)
    rows, columns = scene.geometry.shapes[10]
    whole = max(1, round(rows / step)), max(1, round(columns / step))
    down, across = rows / whole[0], columns / whole[1]
    top, left = math.floor(grid.row / down), math.floor(grid.column / across)
    bottom = max(top + 1, math.ceil((grid.row + grid.shape[0]) / down))
    right = max(left + 1, math.ceil((grid.column + grid.shape[1]) / across))
    window = (slice(top, bottom), slice(left, right))
    tones = np.stack([tone[window] for tone in _tones(scene, whole)])
    opaque = _has_data(scene, whole)[window]
    if grid.area is not None:
        transform = grid.tile_transform @ Affine.scale(across, down) @ Affine.translation(left, top)
        opaque &= rasterize(
            [(grid.area, 1)],
            out_shape=opaque.shape,
            transform=transform,
            all_touched=True,
            dtype=np.uint8,
        ).astype(bool)
    opacity = np.where(opaque, np.uint8(255), np.uint8(0))
    return np.concatenate([np.where(opaque, tones, np.uint8(0)), opacity[None]])


def _has_data(scene: Sentinel2Scene, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return where a scene holds data, by its smallest band.

    Tones do not tell: beside a cloud, the wavelet of a reduced resolution makes dark ones 0.
    """
    image = scene.image(_SMALLEST, held_resolution(scene, _SMALLEST, 60))
    return np.asarray(image.read_reduced(shape) > NO_DATA)


def _tones(scene: Sentinel2Scene, shape: tuple[int, int]) -> list[UInt8]:
    """Return red, green and blue of a whole scene, reduced, 0 for no data."""
    if any(name == "TCI" for name, _ in scene.granule.images):
        image = scene.image("TCI")
        return [image.read_reduced(shape, band=band).astype(np.uint8) for band in (1, 2, 3)]
    low, high = Stretch().low, Stretch().high
    radiometry = scene.radiometry
    return [
        stretched_uint8(
            reflectance_from_dn(
                scene.image(band).read_reduced(shape),
                offset=radiometry.offsets[band],
                quantification=radiometry.quantification,
            ),
            low,
            high,
            1.0,
        )
        for band in _TRUE_COLOR
    ]
