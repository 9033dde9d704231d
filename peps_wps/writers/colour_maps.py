"""Colours of values from 0 to 1, for pictures of one quantity."""

import math

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]


def _wheel(steps: int = 24) -> tuple[tuple[int, ...], ...]:
    """Return colours that run through a turn: red, green and blue a third of it apart."""
    return tuple(
        tuple(
            round(127.5 + 127.5 * math.cos(2 * math.pi * (step / steps - third / 3)))
            for third in range(3)
        )
        for step in range(steps + 1)
    )


# Red, green and blue at even steps.
_ANCHORS = {
    "grey": ((0, 0, 0), (255, 255, 255)),
    "vegetation": (
        *((120, 70, 40), (190, 150, 100), (240, 225, 180)),
        *((170, 205, 110), (60, 145, 60), (10, 75, 35)),
    ),
    "water": ((130, 95, 50), (215, 185, 130), (245, 245, 240), (120, 180, 220), (20, 70, 150)),
    "displacement": (
        (20, 50, 130),
        (100, 160, 220),
        (245, 245, 240),
        (230, 140, 90),
        (130, 20, 30),
    ),
    "phase": _wheel(),
    "heat": ((20, 80, 50), (150, 190, 120), (250, 245, 200), (235, 130, 60), (120, 20, 40)),
}

COLOUR_MAPS = tuple(_ANCHORS)


def coloured(values: Float32, low: float, high: float, name: str) -> UInt8:
    """Return a picture of values.

    Parameters
    ----------
    values
        Shape (row, column), NaN for no data.
    low, high
        Shown as the first and the last colour.
    name
        One of `COLOUR_MAPS`.

    Returns
    -------
    Red, green, blue and opacity, shape (4, row, column).
    """
    anchors = np.array(_ANCHORS[name], np.float32)
    valid = np.isfinite(values)
    share = np.clip((np.where(valid, values, low) - low) / (high - low), 0, 1)
    steps = np.linspace(0, 1, len(anchors))
    channels = [np.rint(np.interp(share, steps, anchors[:, k])) for k in range(3)]
    return np.stack([*channels, np.where(valid, 255, 0)]).astype(np.uint8)
