"""Plots of errors: points about a centre, with the circle that holds nine of ten."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

_SIDE, _LEFT, _TOP, _BOTTOM = 440, 62, 62, 46  # pixels of a panel and around it
_GREY, _INK, _USED, _REJECTED = (215, 215, 215), (40, 40, 40), (30, 100, 160), (225, 130, 40)
_TICKS = 5
_DOT = 1.6


@dataclass(frozen=True)
class ErrorCloud:
    """Points of one panel.

    Parameters
    ----------
    title, caption
        Above and below the title.
    x, y
        Shape (point,), y upwards.
    is_used
        False for points shown as rejected.
    radius
        Of the circle about the centre that holds nine of ten of the points used.
    """

    title: str
    caption: str
    x: Float64
    y: Float64
    is_used: NDArray[np.bool_]
    radius: float


def error_plot(clouds: list[ErrorCloud], unit: str) -> UInt8:
    """Draw panels side by side.

    Parameters
    ----------
    clouds
        From left to right, each on its own scale.
    unit
        Of both axes.

    Returns
    -------
    Red, green, blue, shape (3, row, column).
    """
    width, height = _SIDE + _LEFT + 24, _SIDE + _TOP + _BOTTOM
    image = Image.new("RGB", (width * len(clouds), height), "white")
    for number, cloud in enumerate(clouds):
        _panel(ImageDraw.Draw(image), (number * width + _LEFT, _TOP), cloud, unit)
    return np.moveaxis(np.asarray(image, np.uint8), -1, 0)


def _panel(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], cloud: ErrorCloud, unit: str
) -> None:
    """Draw one panel, its upper left corner given."""
    left, top = corner
    half = _half_width(cloud)
    scale = _SIDE / (2.0 * half)
    small, large = ImageFont.load_default(13), ImageFont.load_default(17)
    draw.text((left, top - 56), cloud.title, _INK, large)
    draw.text((left, top - 28), cloud.caption, _INK, small)
    for value in np.linspace(-half, half, _TICKS):
        at = scale * (value + half)
        colour = _INK if value == 0.0 else _GREY
        draw.line((left + at, top, left + at, top + _SIDE), colour)
        draw.line((left, top + at, left + _SIDE, top + at), colour)
        label = f"{value:.3g}" if value else "0"
        draw.text((left + at, top + _SIDE + 6), label, _INK, small, "ma")
        draw.text((left - 6, top + _SIDE - at), label, _INK, small, "rm")
    draw.text((left + _SIDE / 2, top + _SIDE + 24), f"east, {unit}", _INK, small, "ma")
    draw.text((left + 4, top + 4), f"north, {unit}", _INK, small)
    inside = np.maximum(np.abs(cloud.x), np.abs(cloud.y)) <= half
    for mask, colour in ((~cloud.is_used, _REJECTED), (cloud.is_used, _USED)):
        shown = inside & mask
        for x, y in zip(cloud.x[shown], cloud.y[shown], strict=True):
            column, row = left + scale * (x + half), top + scale * (half - y)
            draw.ellipse((column - _DOT, row - _DOT, column + _DOT, row + _DOT), colour)
    reach = scale * cloud.radius
    middle = left + _SIDE / 2, top + _SIDE / 2
    draw.ellipse(
        (middle[0] - reach, middle[1] - reach, middle[0] + reach, middle[1] + reach),
        outline=_INK,
        width=2,
    )


def _half_width(cloud: ErrorCloud) -> float:
    """Return what a panel shows to each side of the centre: a round number, two circles."""
    wanted = max(2.0 * cloud.radius, 1e-6)
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(next(step * power for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * power >= wanted))


def strips_of(panels: list[UInt8], titles: list[str]) -> UInt8:
    """Lay grey images of one size side by side under their titles.

    Returns
    -------
    Red, green, blue, shape (3, row, column).
    """
    rows, columns = panels[0].shape
    gap, head = 8, 28
    width = len(panels) * (columns + gap) - gap
    image = Image.new("RGB", (width, rows + head), "white")
    draw = ImageDraw.Draw(image)
    for number, (panel, title) in enumerate(zip(panels, titles, strict=True)):
        left = number * (columns + gap)
        image.paste(Image.fromarray(panel), (left, head))
        draw.text((left + 2, 5), title, _INK, ImageFont.load_default(15))
    return np.moveaxis(np.asarray(image, np.uint8), -1, 0)
