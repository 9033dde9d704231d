"""Pictures of fields of vectors: colours of their length, arrows, and a scale."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry import LineString, Polygon

from peps_wps.writers.colour_maps import coloured

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

_SIDE = 1098  # pixels that the longer side of a picture has at least
_SPACING = 36  # pixels between arrows
_LEGEND_ROWS = 44
_FINE = 3  # arrows are drawn so many times finer and averaged
_BACKGROUND, _INK = 255, np.float32(25.0)
_LONG = 95  # percentile of lengths that an arrow of the spacing shows
# Rows of 3 x 5 dots from the top, a digit each; 5 x 5 of letters, two digits each.
_DIGITS = {
    "0": "75557",
    "1": "26227",
    "2": "71747",
    "3": "71717",
    "4": "55711",
    "5": "74717",
    "6": "74757",
    "7": "71111",
    "8": "75757",
    "9": "75717",
    ".": "00002",
    " ": "00000",
}
_LETTERS = {"m": "0026212121"}
_DOT = 3
_GLYPH_ROWS = 5


def vector_picture(east: Float32, north: Float32, *, least_side: int = _SIDE) -> UInt8:
    """Draw a field on a map.

    Parameters
    ----------
    east, north
        Components in metres, shape (row, column), north up; NaN where there is none.
    least_side
        Pixels that the longer side of the picture has at least, and half of what it has at most.

    Returns
    -------
    Red, green, blue, opacity, shape (4, row, column): lengths as colours, medians of the vectors
    around as arrows, and below a bar of the colours and an arrow of a round length.
    """
    length = np.hypot(east, north)
    finite = length[np.isfinite(length)]
    longest = _round_up(float(np.percentile(finite, _LONG))) if finite.size else 1.0
    zoom = max(1, round(least_side / max(length.shape)))
    thin = max(1, max(length.shape) // (2 * least_side))
    shown = length[::thin, ::thin].repeat(zoom, axis=0).repeat(zoom, axis=1)
    picture = coloured(np.asarray(shown, np.float32), 0.0, longest, "heat")
    picture[:3, picture[3] == 0] = _BACKGROUND
    picture[3] = 255
    scale = _SPACING / longest
    pixels = zoom / thin
    arrows = list(_arrows(east, north, pixels, scale))
    return np.concatenate([_inked(picture, arrows), _legend(picture.shape[2], longest)], axis=1)


def _round_up(value: float) -> float:
    """Return the next 1, 1.5, 2, 3, 5 or 7 times a power of ten."""
    if value <= 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        step * power for step in (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0) if step * power >= value
    )


def _arrows(east: Float32, north: Float32, pixels: float, scale: float) -> Iterator[Polygon]:
    """Yield an arrow for each cell of nodes half of which are answered."""
    side = max(1, round(_SPACING / pixels))
    for row in range(0, east.shape[0] - side + 1, side):
        for column in range(0, east.shape[1] - side + 1, side):
            cell = np.s_[row : row + side, column : column + side]
            x, y = east[cell], north[cell]
            known = np.isfinite(x)
            if 2 * np.count_nonzero(known) < known.size:
                continue
            centre = (column + side / 2) * pixels, (row + side / 2) * pixels
            moved = scale * float(np.median(x[known])), -scale * float(np.median(y[known]))
            if math.hypot(*moved) >= 2.0:
                yield from _arrow(centre, moved)


def _arrow(start: tuple[float, float], moved: tuple[float, float]) -> Iterator[Polygon]:
    """Yield shaft and head, pixels to the right and down."""
    length = math.hypot(*moved)
    x, y = moved[0] / length, moved[1] / length
    head = min(9.0, length)
    tip = start[0] + moved[0], start[1] + moved[1]
    neck = tip[0] - head * x, tip[1] - head * y
    half = 0.42 * head
    yield Polygon(
        [tip, (neck[0] - half * y, neck[1] + half * x), (neck[0] + half * y, neck[1] - half * x)]
    )
    if length > head:
        yield LineString([start, neck]).buffer(0.9, cap_style="flat")


def _inked(picture: UInt8, shapes: list[Polygon]) -> UInt8:
    """Draw shapes over a picture, their edges softened."""
    if not shapes:
        return picture
    rows, columns = picture.shape[1:]
    fine = rasterize(
        [(shape, 1) for shape in shapes],
        out_shape=(rows * _FINE, columns * _FINE),
        transform=(1 / _FINE, 0, 0, 0, 1 / _FINE, 0),
        dtype=np.uint8,
    )
    share = fine.reshape(rows, _FINE, columns, _FINE).mean(axis=(1, 3), dtype=np.float32)
    inked = picture.copy()
    inked[:3] = np.rint(picture[:3] + share * (_INK - picture[:3]))
    return inked


def _legend(columns: int, longest: float) -> UInt8:
    """Return the strip below: colours from 0 to the longest, and an arrow of that length."""
    strip = np.full((4, _LEGEND_ROWS, columns), 255, np.uint8)
    bar = min(240, columns // 3)
    ramp = np.tile(np.linspace(0.0, longest, bar, dtype=np.float32), (14, 1))
    strip[:, 8:22, 12 : 12 + bar] = coloured(ramp, 0.0, longest, "heat")
    _write(strip, "0", 26, 12)
    _write(strip, f"{longest:g} m", 26, 12 + bar)
    start = 12.0 + bar + 90.0
    strip = _inked(strip, list(_arrow((start, 15.0), (float(_SPACING), 0.0))))
    _write(strip, f"{longest:g} m", 26, int(start))
    return strip


def _write(image: UInt8, text: str, top: int, left: int) -> None:
    """Write digits and the sign of the metre; what does not fit is left out."""
    for character in text:
        width = 3 if character in _DIGITS else 5
        digits = _DIGITS.get(character) or _LETTERS[character]
        each = len(digits) // _GLYPH_ROWS
        for row in range(_GLYPH_ROWS):
            dots = int(digits[each * row : each * (row + 1)])
            for column in range(width):
                if dots >> (width - 1 - column) & 1:
                    y, x = top + _DOT * row, left + _DOT * column
                    image[:3, y : y + _DOT, x : x + _DOT] = int(_INK)
        left += _DOT * (width + 1)
