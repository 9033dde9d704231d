"""Bounding boxes as literals: one text, the same in every protocol.

PyWPS's own bounding boxes break OWSLib and birdy, so WPS 1.0.0 shows a box as a literal; WPS 2.0
and OGC API - Processes give it their own form.
"""

import math
from dataclasses import dataclass
from typing import Any

from pywps import LiteralInput, LiteralOutput

# Longitude, latitude: the axes in the order in which everybody writes them.
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@dataclass(frozen=True)
class Box:
    """A bounding box, its corners in the axis order of its coordinate reference system.

    Parameters
    ----------
    lower, upper
        The corners, of two or three coordinates each.
    crs
        Address or name of the coordinate reference system.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    crs: str = CRS84

    @classmethod
    def of_text(cls, text: str) -> "Box":
        """Read ``lower..., upper...[, crs[, dimensions]]`` (OGC 06-121r3, clause 10.2.3).

        Raises
        ------
        ValueError
            When it is not four or six numbers, and a name.
        """
        parts = [part.strip() for part in text.split(",")]
        numbers = []
        for part in parts:
            try:
                numbers.append(float(part))
            except ValueError:
                break
        name = parts[len(numbers) : len(numbers) + 1]
        rest = parts[len(numbers) + 1 :]
        dimensions = len(numbers) // 2
        is_whole = len(numbers) in (4, 6) and all(map(math.isfinite, numbers))
        if not is_whole or rest not in ([], [str(dimensions)]) or name == [""]:
            raise ValueError(f"{text} is no box: expected 4 or 6 numbers, then perhaps its CRS")
        return cls(tuple(numbers[:dimensions]), tuple(numbers[dimensions:]), *name)

    def __str__(self) -> str:
        return ",".join([*(f"{number:.15g}" for number in (*self.lower, *self.upper)), self.crs])


class BoxInput(LiteralInput):  # type: ignore[misc]  # PyWPS carries no types
    """An input that is a bounding box."""

    def __init__(self, identifier: str, title: str, **options: Any) -> None:
        super().__init__(identifier, title, data_type="string", **options)


class BoxOutput(LiteralOutput):  # type: ignore[misc]  # PyWPS carries no types
    """An output that is a bounding box."""

    def __init__(self, identifier: str, title: str, **options: Any) -> None:
        super().__init__(identifier, title, data_type="string", **options)
