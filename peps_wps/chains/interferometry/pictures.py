"""Pictures of phase, coherence and displacement, with their scales."""

from pathlib import Path

import numpy as np
import rasterio
from PIL import Image, ImageDraw, ImageFont
from rasterio.enums import Resampling

from algorithms.interferometry.model import Float32
from peps_wps.writers.colour_maps import coloured
from peps_wps.writers.picture import write_picture

SIDE = 1_024  # most pixels a side
_LEAST_WIDTH = 320  # for the scale below
_STRIP, _BAR = 46, 12  # pixels: height of the scale, and of its bar
_INK = (40, 40, 40, 255)


def phase_picture(path: Path, phase: Path) -> None:
    """Draw a wrapped phase on the wheel of colours."""
    _write(path, _read(phase), "phase", (-np.pi, np.pi), ("-pi", "0", "pi rad"))


def coherence_picture(path: Path, coherence: Path) -> None:
    """Draw a coherence in grey."""
    _write(path, _read(coherence), "grey", (0.0, 1.0), ("0", "0.5", "1"))


def displacement_picture(path: Path, displacement: Path, *, unit: str = "cm") -> None:
    """Draw a displacement in metres, blue away from the satellite and red towards it.

    Parameters
    ----------
    unit
        Of the scale: "cm", or "cm/year" of a velocity.
    """
    values = _read(displacement)
    known = np.abs(values[np.isfinite(values)])
    most = max(float(np.percentile(known, 99.8)) if known.size else 0.0, 1e-3)
    _write(
        path,
        values,
        "displacement",
        (-most, most),
        (f"{-100 * most:.1f} {unit}, away", "0", f"{100 * most:.1f} {unit}, towards"),
    )


def _read(path: Path) -> Float32:
    """Return what holds data of a raster, at most `SIDE` pixels a side, NaN for no data."""
    with rasterio.open(path) as dataset:
        scale = max(1.0, max(dataset.shape) / (2 * SIDE))
        shape = tuple(max(1, round(size / scale)) for size in dataset.shape)
        read = dataset.read(1, out_shape=shape, masked=True, resampling=Resampling.nearest)
    values = read.astype(np.float32).filled(np.nan)
    known = np.isfinite(values)
    rows, columns = (np.flatnonzero(known.any(axis=axis)) for axis in (1, 0))
    if rows.size:
        values = values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    step = -(-max(values.shape) // SIDE)
    return np.ascontiguousarray(values[::step, ::step])


def _write(
    path: Path,
    values: Float32,
    colour_map: str,
    limits: tuple[float, float],
    labels: tuple[str, str, str],
) -> None:
    """Draw values, magnified where they are few, above their scale."""
    factor = max(1, -(-_LEAST_WIDTH // values.shape[1]))
    drawn = coloured(values, *limits, colour_map)
    image = np.repeat(np.repeat(drawn, factor, axis=1), factor, axis=2)
    width = image.shape[2]
    bar = np.tile(np.linspace(*limits, width, dtype=np.float32), (_BAR, 1))
    strip = Image.new("RGBA", (width, _STRIP), "white")
    strip.paste(Image.fromarray(np.moveaxis(coloured(bar, *limits, colour_map), 0, -1)), (0, 4))
    draw, font = ImageDraw.Draw(strip), ImageFont.load_default(13)
    places = ((4, "la"), (width / 2, "ma"), (width - 4, "ra"))
    for (x, anchor), label in zip(places, labels, strict=True):
        draw.text((x, _BAR + 10), label, _INK, font, anchor)
    below = np.moveaxis(np.asarray(strip, np.uint8), -1, 0)
    write_picture(path, np.concatenate([image, below], axis=1))
