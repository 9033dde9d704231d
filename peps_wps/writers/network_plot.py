"""Plots of the pairs of a series: dates along a line of time, arcs between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

UInt8 = NDArray[np.uint8]

_WIDTH, _HEIGHT, _SIDE, _BASE = 1_000, 420, 60, 300  # pixels; the dates lie at the base
_INK, _FAILED = (40, 40, 40), (200, 60, 50)
_LOW, _HIGH = np.array((190, 210, 235)), np.array((20, 60, 130))
_STEPS = 48


@dataclass(frozen=True)
class Arc:
    """A pair: indexes of its dates, and a share from 0 to 1 that colours it; None failed."""

    first: int
    second: int
    share: float | None


def network_plot(dates: Sequence[datetime], arcs: Sequence[Arc], *, title: str) -> UInt8:
    """Draw the network of a series.

    Parameters
    ----------
    dates
        Ascending.
    arcs
        Pairs: the darker the larger the share, red below the line where they failed.
    title
        Above the plot.

    Returns
    -------
    Red, green, blue, shape (3, row, column).
    """
    image = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    draw.text((_SIDE, 10), title, _INK, ImageFont.load_default(16))
    seconds = np.array([date.timestamp() for date in dates])
    places = _SIDE + (seconds - seconds[0]) / np.ptp(seconds) * (_WIDTH - 2 * _SIDE)
    draw.line((_SIDE, _BASE, _WIDTH - _SIDE, _BASE), _INK)
    ordered = sorted(arcs, key=lambda one: one.second - one.first, reverse=True)
    longest = max((float(places[arc.second] - places[arc.first]) for arc in ordered), default=1.0)
    for arc in ordered:
        _draw_arc(draw, (places[arc.first], places[arc.second]), longest, arc.share)
    label = ImageFont.load_default(11)
    free = 0.0
    for place, date in zip(places, dates, strict=True):
        draw.ellipse((place - 4, _BASE - 4, place + 4, _BASE + 4), _INK)
        if place >= free:
            draw.text((place, _HEIGHT - 18), f"{date:%Y-%m-%d}", _INK, label, "mm")
            draw.line((place, _BASE + 6, place, _HEIGHT - 26), (215, 215, 215))
            free = place + 66
    return np.moveaxis(np.asarray(image, np.uint8), -1, 0)


def _draw_arc(
    draw: ImageDraw.ImageDraw, ends: tuple[float, float], longest: float, share: float | None
) -> None:
    """Draw half an ellipse; the longer the higher, the longest as high as there is room."""
    left, right = ends
    height = (_BASE - 50) * (right - left) / longest
    height = max(height, 12.0) if share is not None else -min(max(0.3 * height, 12.0), 90.0)
    angle = np.linspace(0.0, np.pi, _STEPS)
    x = (left + right) / 2 - (right - left) / 2 * np.cos(angle)
    y = _BASE - height * np.sin(angle)
    mix = _FAILED if share is None else _LOW + share * (_HIGH - _LOW)
    colour = (int(mix[0]), int(mix[1]), int(mix[2]))
    draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), colour, 2)
