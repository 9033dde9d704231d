"""Pictures of a registration: errors, vectors on the map, images less each other."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.correlation.images import Image
from algorithms.registration import Model
from algorithms.registration.resampling import on_block
from peps_wps.chains.contract import Json
from peps_wps.chains.registration_s2.match import Match
from peps_wps.writers.arrows import vector_picture
from peps_wps.writers.picture import write_picture
from peps_wps.writers.plots import ErrorCloud, error_plot, strips_of

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

_MAP_SIDE = 600  # pixels of each map
_SIDE = 420  # pixels of the part that is shown, at its full resolution
_TRIED = 8  # places along each axis for it
_STRETCH = 3.0  # standard deviations shown to either side of grey


def write_pictures(folder: Path, stem: str, match: Match, report: Json) -> dict[str, str]:
    """Write the pictures; return their names by kind."""
    pictures = {
        "residuals": _residuals(match, report),
        "vectors": _vectors(match),
        "difference": _difference(match),
    }
    names = {kind: f"{stem}_{kind}.png" for kind in pictures}
    for kind, picture in pictures.items():
        write_picture(folder / names[kind], picture)
    return names


def _residuals(match: Match, report: Json) -> UInt8:
    points = match.registration.tie_points
    clouds = []
    for when, x, y in (
        ("before", points.dx, -points.dy),
        ("after", points.residual_x, -points.residual_y),
    ):
        rmse, radius = report["rmse_px"][when], report["ce90_px"][when]
        caption = f"RMSE {rmse:.3f} px, CE90 {radius:.3f} px, {points.used} of {len(points)} points"
        title = f"Displacement {when} registration, model {report['model']}"
        clouds.append(ErrorCloud(title, caption, x, y, points.is_used, radius))
    return error_plot(clouds, "pixels")


def _vectors(match: Match) -> UInt8:
    """Draw displacements of all points, and what the model leaves of those used."""
    points, metres, step = match.registration.tie_points, match.resolution, match.step
    shape = tuple(len(range(step // 2, side, step)) for side in match.images[0].shape)
    node = (
        ((points.row - step // 2) / step).astype(int),
        ((points.column - step // 2) / step).astype(int),
    )

    def on_nodes(values: NDArray[np.float64]) -> Float32:
        field = np.full(shape, np.nan, np.float32)
        field[node] = values
        return field

    left = np.where(points.is_used, points.residual_x, np.nan)
    down = np.where(points.is_used, points.residual_y, np.nan)
    before, after = (
        vector_picture(on_nodes(metres * x), on_nodes(-metres * y), least_side=_MAP_SIDE)
        for x, y in ((points.dx, points.dy), (left, down))
    )
    gap = np.full((4, before.shape[1], 16), 255, np.uint8)
    return np.concatenate([before, gap, after], axis=2)


def _difference(match: Match) -> UInt8:
    """Show a part of the reference, and what the product differs from it before and after."""
    reference, target = match.images
    block = _shown_block(match)
    shown, valid = _part(reference, block)
    model = match.registration.model
    still = Model("shift", model.centre, model.span, (0.0,), (0.0,))
    moved = [on_block(target, one, block) for one in (still, model)]
    known = np.logical_and.reduce([valid == 1, *(part[1] == 1 for part in moved)])
    if not known.any():
        known[:] = True
    differences = [_matched(values, shown, known) - shown for values, _ in moved]
    limit = _STRETCH * max(float(differences[0][known].std()), 1e-6)
    middle, spread = float(shown[known].mean()), max(float(shown[known].std()), 1e-6)
    panels = [_grey((shown - middle) / (2.0 * spread), known)]
    panels += [_grey(one / limit, known) for one in differences]
    return strips_of(panels, ["Reference", "Product less reference before", "after"])


def _matched(values: Float32, shown: Float32, known: NDArray[np.bool_]) -> Float32:
    """Give an image the mean and the contrast of another."""
    gain = shown[known].std() / max(float(values[known].std()), 1e-6)
    return np.asarray(shown[known].mean() + gain * (values - values[known].mean()), np.float32)


def _grey(values: Float32, known: NDArray[np.bool_]) -> UInt8:
    """Return tones of values from -1 to 1, white where not known."""
    tones = np.rint(127.5 + 127.5 * np.clip(values, -1.0, 1.0)).astype(np.uint8)
    return np.where(known, tones, np.uint8(255))


def _part(image: Image, block: Block) -> tuple[Float32, UInt8]:
    pixels, valid = image.rows(block.row, block.row + block.rows)
    columns = slice(block.column, block.column + block.columns)
    return pixels[:, columns], valid[:, columns]


def _shown_block(match: Match) -> Block:
    """Return the part of the reference with the most tie points used, of those the richest."""
    image, points = match.images[0], match.registration.tie_points
    rows, columns = (min(_SIDE, side) for side in image.shape)
    row, column = points.row[points.is_used], points.column[points.is_used]
    best, most = Block(0, 0, rows, columns), (-1, -1.0)
    for top in np.unique(np.linspace(0, image.shape[0] - rows, _TRIED).astype(int)):
        for left in np.unique(np.linspace(0, image.shape[1] - columns, _TRIED).astype(int)):
            block = Block(int(top), int(left), rows, columns)
            inside = (np.abs(row - top - rows / 2) < rows / 2) & (
                np.abs(column - left - columns / 2) < columns / 2
            )
            thin = image.pixels[top : top + rows : 4, left : left + columns : 4]
            merit = int(np.count_nonzero(inside)), float(thin.std())
            if merit > most:
                best, most = block, merit
    return best
