"""Pictures of map tiles: values stretched to tones, coloured, encoded."""

import functools
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from peps_wps.tiles.grid import Tile
from peps_wps.tiles.pool import RasterPool
from peps_wps.tiles.raster import Raster
from peps_wps.tiles.sampling import read_overview, read_tile
from peps_wps.tiles.style import Style, tones
from peps_wps.writers.colour_maps import coloured

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]
PictureFormat = Literal["png", "webp"]

MIME_TYPES: dict[PictureFormat, str] = {"png": "image/png", "webp": "image/webp"}
# Changes when the same file and style give other bytes: part of the tag of every tile.
VERSION = 1
_TONES = 254  # steps of one band: the first of the 256 colours is transparent
_QUANTILES = np.linspace(0, 100, 1001)
_COMPRESSION = {"png": {"compress_level": 1}, "webp": {"quality": 90, "method": 0}}


def render(
    pool: RasterPool, raster: Raster, tile: Tile, style: Style, *, side: int, form: PictureFormat
) -> bytes:
    """Return the picture of a tile, transparent where there is no data.

    Parameters
    ----------
    pool, raster
        What is shown.
    tile, side
        Where, and pixels a side.
    style
        How; what it leaves to the raster is filled in.
    form
        How it is encoded.

    Raises
    ------
    InvalidInputError, NotACogError
        When the raster has not what the style or the tile needs.
    """
    style = style.suited(raster)
    method = style.resampling or "nearest"
    values = read_tile(pool, raster, tile.box, side=side, bands=style.bands, method=method)
    if np.isnan(values).all():
        return _empty(side, form)
    shown = style.shown(values, raster.quantity)
    stretched = [
        tones(band, limits, style.gamma)
        for band, limits in zip(shown, _limits(pool, raster, style), strict=True)
    ]
    if len(stretched) == 1:
        return _encoded(_one_band(stretched[0], style.colour_map), form)
    return _encoded(_composite(np.stack(stretched, axis=-1)), form)


def _limits(pool: RasterPool, raster: Raster, style: Style) -> list[tuple[float, float]]:
    """Return the numbers shown darkest and brightest, band by band."""
    if style.stretch:
        pairs = list(zip(style.stretch[::2], style.stretch[1::2], strict=True))
        return pairs * (len(style.bands) // len(pairs))
    found = []
    for band in style.bands:
        quantiles = pool.quantiles(raster, band, _quantiles_of)
        low, high = np.interp(style.percentiles or (0, 100), _QUANTILES, quantiles)
        low, high = style.shown(np.array([low, high], np.float32), raster.quantity)
        found.append((float(low), float(high if high > low else low + 1)))
    return found


def _quantiles_of(pool: RasterPool, raster: Raster, band: int) -> Float32:
    """Return quantiles of a band's smallest resolution, zeros where it has no data."""
    values = read_overview(pool, raster, band)
    valid = values[np.isfinite(values)]
    if not len(valid):
        return np.zeros(len(_QUANTILES), np.float32)
    return np.percentile(valid, _QUANTILES).astype(np.float32)


def _one_band(stretched: Float32, colour_map: str) -> Image.Image:
    """Return a picture of at most 255 colours and a transparent one."""
    with np.errstate(invalid="ignore"):  # NaN becomes any number, and is replaced
        indices = (stretched * np.float32(_TONES) + np.float32(1.5)).astype(np.uint8)
    indices[np.isnan(stretched)] = 0
    image = Image.frombytes("P", indices.shape[::-1], indices.tobytes())
    image.putpalette(_palette(colour_map), "RGB")
    image.info["transparency"] = bytes([0]) + bytes([255]) * (_TONES + 1)
    return image


@functools.cache
def _palette(colour_map: str) -> bytes:
    """Return red, green and blue of the colours of a map, a black one before."""
    steps = np.linspace(0, 1, _TONES + 1, dtype=np.float32)[np.newaxis]
    colours = coloured(steps, 0.0, 1.0, colour_map)[:3, 0].T
    return bytes(3) + colours.tobytes()


def _composite(stretched: Float32) -> Image.Image:
    """Return a picture in true colours; shape (row, column, 3) in."""
    valid = ~np.isnan(stretched).any(axis=-1)
    with np.errstate(invalid="ignore"):  # NaN becomes any number, and is transparent
        colours: UInt8 = (stretched * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    if valid.all():
        return Image.fromarray(colours, "RGB")
    colours[~valid] = 0
    opacity = np.where(valid, np.uint8(255), np.uint8(0))
    return Image.fromarray(np.dstack([colours, opacity]), "RGBA")


@functools.cache
def _empty(side: int, form: PictureFormat) -> bytes:
    """Return a picture that shows nothing."""
    return _encoded(Image.new("RGBA", (side, side)), form)


def _encoded(image: Image.Image, form: PictureFormat) -> bytes:
    """Return the bytes of a picture."""
    content = BytesIO()
    if form == "webp" and image.mode == "P":
        image = image.convert("RGBA")
    image.save(content, form.upper(), **_COMPRESSION[form])
    return content.getvalue()
