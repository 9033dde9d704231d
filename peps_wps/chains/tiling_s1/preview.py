"""An animation of a series: a small picture a date, all stretched alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw

from peps_wps.chains.composites.channels import Image
from peps_wps.writers.mosaic import read_reduced
from peps_wps.writers.publish import published
from peps_wps.writers.quicklook import render

SIDE = 549  # pixels: a twentieth of a tile
FRAME_MS = 700
_MOST_FRAMES = 100
_MARGIN = 4  # pixels beside the date
_QUALITY = 80


@dataclass(frozen=True)
class Frame:
    """A date: what to write on it, and its channels by polarisation."""

    label: str
    image: Image


def write_preview(path: Path, frames: Sequence[Frame], quantity: str) -> None:
    """Write an animated WebP.

    Parameters
    ----------
    path
        The file.
    frames
        The dates in their order; of more than a hundred some are left out.
    quantity
        What the values of the images are: "linear power", "amplitude" or "decibels".
    """
    step = -(-len(frames) // _MOST_FRAMES)
    shown = frames[::step]
    stacks = {
        name: np.concatenate([_read(frame, name, quantity) for frame in shown])
        for name in shown[0].image
    }
    # One picture of all dates, one below the other: the same value has the same colour in each.
    pictures = np.split(np.moveaxis(render(stacks), 0, -1), len(shown))
    images = [
        _labelled(picture, frame.label)
        for picture, frame in zip(_cropped(pictures), shown, strict=True)
    ]
    with published(path) as stream:
        images[0].save(
            stream,
            "WEBP",
            save_all=True,
            append_images=images[1:],
            duration=FRAME_MS,
            loop=0,
            quality=_QUALITY,
        )


def _read(frame: Frame, polarization: str, quantity: str) -> NDArray[np.float32]:
    channel = frame.image[polarization]
    return read_reduced(channel.path, quantity=quantity, side=SIDE, band=channel.band).power


def _cropped(pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Leave out rows and columns in which no date has anything."""
    opaque = np.any([picture[..., 3] > 0 for picture in pictures], axis=0)
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    if not rows.size:
        return list(pictures)
    return [picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] for picture in pictures]


def _labelled(picture: NDArray[np.uint8], label: str) -> Picture.Image:
    """Return a picture with its date in the corner, white on black."""
    image = Picture.fromarray(np.ascontiguousarray(picture), "RGBA")
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = draw.textbbox((_MARGIN, _MARGIN), label)
    draw.rectangle((left - 2, top - 2, right + 2, bottom + 2), fill=(0, 0, 0, 255))
    draw.text((_MARGIN, _MARGIN), label, fill=(255, 255, 255, 255))
    return image
