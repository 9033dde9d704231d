"""One tile: every pixel of the map finds its place in the image, block by block."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from algorithms import mgrs
from algorithms.block import Block
from algorithms.radar import ortho, resampling
from algorithms.radar.ground_range import SLANT_STEP
from algorithms.radar.incidence import IncidenceAngles, incidence_angles
from algorithms.radar.shadow import layover_shadow
from algorithms.terrain.flattening import flattening_factor
from algorithms.terrain.imaging import GrdImaging
from algorithms.terrain.nodes import Terrain
from algorithms.terrain.profiles import TerrainProfiles, trace_profiles
from peps_wps.chains.blocks import run_each
from peps_wps.chains.ortho_s1.order import Order
from peps_wps.chains.ortho_s1.scene import CalibratedImage, Scene
from peps_wps.readers.dem import DemWindow
from peps_wps.writers.cog import BLOCK, halve

Float32 = NDArray[np.float32]

METHODS: dict[str, resampling.Method] = {method: method for method in resampling.RADIUS}


@dataclass(frozen=True)
class BlockResult:
    """One block of the output.

    Parameters
    ----------
    row, column
        Position in blocks of 512 pixels of the output.
    power
        Linear power by polarisation, shape (512, 512), NaN for no data.
    masks
        Layover, shadow and angles; None when they are not asked for.
    """

    row: int
    column: int
    power: dict[str, Float32]
    masks: "BlockMasks | None"


@dataclass(frozen=True)
class BlockMasks:
    """What masks=true adds to a block, each of shape (512, 512).

    Parameters
    ----------
    flags
        Bits 1 (layover) and 2 (shadow).
    angles
        Radians, NaN where unknown.
    """

    flags: NDArray[np.uint8]
    angles: IncidenceAngles


class TileProcessor:
    """What is prepared once for a tile, and the work on one block.

    Parameters
    ----------
    scene
        The pass.
    tile
        Where the output lies.
    heights
        The terrain over it.
    order
        What is asked.
    """

    def __init__(self, scene: Scene, tile: mgrs.Tile, heights: DemWindow, order: Order) -> None:
        self._scene = scene
        self._order = order
        self._tile = tile
        self._heights = heights
        self._terrain = Terrain(heights.height, heights.transform)
        self._method: resampling.Method = METHODS[order.resampling]
        # Blocks of 512 output pixels are computed at 10 m; at 20 m four pixels become one.
        self._factor = order.resolution // mgrs.PIXEL_M
        low, high = self._terrain.height_range or (0.0, 0.0)
        self._nodes = ortho.prepare_tile(
            scene.geometry,
            epsg=tile.epsg,
            transform=tile.transform,
            shape=tile.shape,
            height_range=(low, high),
        )
        self._images = {name: CalibratedImage(scene, name, order) for name in scene.polarizations}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        rows, columns = self._tile.shape
        return rows // self._factor, columns // self._factor

    @property
    def transform(self) -> Affine:
        """Geotransform of the output."""
        return self._tile.transform @ Affine.scale(self._factor)

    def run(
        self,
        take: Callable[[BlockResult], None],
        threads: int,
        progress: Callable[[float], None],
    ) -> None:
        """Compute every block that the image touches.

        Parameters
        ----------
        take
            Called from the threads, once for each block that holds anything.
        threads
            Blocks computed at once.
        progress
            Told the fraction done.
        """
        run_each(
            self._sweep(),
            lambda place: self._block(*place, take),
            threads=threads,
            progress=progress,
        )

    def _sweep(self) -> list[tuple[int, int]]:
        """Return the blocks in the order of their image lines, so that lines are read once."""
        rows, columns = (-(-size // BLOCK) for size in self.shape)
        step = BLOCK * self._factor // self._nodes.spacing
        line = self._nodes.coefficients[step // 2 :: step, step // 2 :: step, 0]
        line = np.pad(line, ((0, rows - line.shape[0]), (0, columns - line.shape[1])), mode="edge")
        order = np.argsort(np.nan_to_num(line), axis=None, kind="stable")
        return [(int(index) // columns, int(index) % columns) for index in order]

    def _block(self, row: int, column: int, take: Callable[[BlockResult], None]) -> None:
        """Compute one block and hand it on, or nothing where the image does not reach."""
        side = BLOCK * self._factor
        rows, columns = self._tile.shape
        block = Block(
            row * side,
            column * side,
            min(side, rows - row * side),
            min(side, columns - column * side),
        )
        if not _is_in_reach(self._nodes, block):
            return
        positions = ortho.block_positions(
            self._nodes, block, self._heights.height, self._heights.transform
        )
        radius = resampling.RADIUS[self._method]
        window = ortho.source_window(self._scene.geometry, positions, radius)
        if window is None:
            return
        profiles = self._profiles(window)
        factor = None
        if self._order.calibration == "gamma0_rtc":
            factor = np.float32(np.nan) if profiles is None else flattening_factor(profiles)
        place = positions.relative_to(window)
        power = {
            name: self._sampled(image.backscatter(window), factor, place)
            for name, image in self._images.items()
        }
        masks = None
        if self._order.masks:
            masks = self._masks(positions, profiles)
        take(BlockResult(row, column, power, masks))

    def _masks(
        self, positions: ortho.BlockPositions, profiles: TerrainProfiles | None
    ) -> BlockMasks:
        """Return layover, shadow and angles of a block."""
        line, sample = positions.absolute()
        flags = np.zeros(line.shape, np.uint8)
        if profiles is not None:
            flags = layover_shadow(profiles, line, sample, positions.height)
        angles = self._angles(positions)
        if self._factor == 2:
            flags = _any_of_four(flags)
            angles = IncidenceAngles(*(halve(angle, "mean", np.nan) for angle in angles))
        return BlockMasks(
            _padded(flags, 0), IncidenceAngles(*(_padded(angle, np.nan) for angle in angles))
        )

    def _angles(self, positions: ortho.BlockPositions) -> IncidenceAngles:
        """Return the angles of a block where the image is; slopes look a pixel beyond the block."""
        block, (rows, columns) = positions.block, self._tile.shape
        row, column = max(block.row - 1, 0), max(block.column - 1, 0)
        last_row = min(block.row + block.rows + 1, rows)
        last_column = min(block.column + block.columns + 1, columns)
        grown = ortho.block_positions(
            self._nodes,
            Block(row, column, last_row - row, last_column - column),
            self._heights.height,
            self._heights.transform,
        )
        angles = incidence_angles(
            self._scene.geometry,
            grown.height,
            epsg=self._tile.epsg,
            transform=self._tile.transform @ Affine.translation(column, row),
        )
        own = (
            slice(block.row - row, block.row - row + block.rows),
            slice(block.column - column, block.column - column + block.columns),
        )
        outside = np.isnan(positions.line)
        return IncidenceAngles(
            *(np.where(outside, np.float32(np.nan), angle[own]) for angle in angles)
        )

    def _profiles(self, window: ortho.Window) -> TerrainProfiles | None:
        """Trace the terrain under a window where the order needs it."""
        if self._order.masks or self._order.calibration == "gamma0_rtc":
            return trace_profiles(GrdImaging(self._scene.geometry), window, self._terrain)
        return None

    def _sampled(
        self,
        source: Float32,
        factor: Float32 | np.float32 | None,
        place: tuple[Float32, Float32],
    ) -> Float32:
        """Interpolate a window of one image onto the block."""
        if factor is not None:
            source *= factor
        if self._order.interpolated == "amplitude":
            source = np.sqrt(np.maximum(source, 0, out=source), out=source)
        values = resampling.resample(source, *place, method=self._method)
        if self._order.interpolated == "amplitude":
            values *= values
        if self._factor == 2:
            values = halve(values, "mean", np.nan)
        return _padded(values, np.float32(np.nan))


def _is_in_reach(nodes: ortho.TileNodes, block: Block) -> bool:
    """Whether the image can hold any pixel of a block: a quick answer from the nodes around it."""
    around = nodes.coefficients[
        block.row // nodes.spacing : (block.row + block.rows) // nodes.spacing + 2,
        block.column // nodes.spacing : (block.column + block.columns) // nodes.spacing + 2,
    ]
    image = nodes.geometry.image_arrays
    slant_reach = SLANT_STEP * image.sample.shape[1]
    limits = (
        (around[..., 0:3], image.begin[0], image.begin[-1]),
        (around[..., 3:6], image.slant_origin, image.slant_origin + slant_reach),
    )
    for parabola, first, last in limits:
        # Terms of a height that runs from -1 to 1; a node that no orbit sees is not a number.
        bend = np.abs(parabola[..., 1]) + np.abs(parabola[..., 2])
        low, high = parabola[..., 0] - bend, parabola[..., 0] + bend
        if not (np.any(high >= first) and np.any(low <= last)):
            return False
    return True


def _any_of_four(flags: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the flags of each 2 x 2 pixels together."""
    rows = flags[::2] | flags[1::2]
    return rows[:, ::2] | rows[:, 1::2]


def _padded(values: NDArray[Any], fill: Any) -> NDArray[Any]:
    """Extend a block at the tile's edge to its full size."""
    if values.shape == (BLOCK, BLOCK):
        return values
    block = np.full((BLOCK, BLOCK), fill, values.dtype)
    block[: values.shape[0], : values.shape[1]] = values
    return block
