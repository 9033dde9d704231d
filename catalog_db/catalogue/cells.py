"""Home cells: each product belongs to one, and a cell knows the box around its members.

A gridded product lives in its tile. Any other lives in the loose quadtree cell that holds the
centre of its box, about a quarter of the product wide: a small region then meets few cells, and
each product has one entry in the index however large it is.
"""

import math
from dataclasses import dataclass

from catalog_db.catalogue.footprints import TURN, UNITS_PER_DEGREE, Box

# Cells of 1/4 to 64 degrees; smaller ones would outnumber their members.
_LEVELS = (-2, 6)
# A cell is 2**_LOOSENESS times narrower than the larger side of its members.
_LOOSENESS = 2


@dataclass(frozen=True)
class HomeCell:
    """A cell and one member's box, moved by whole turns to where the cell lies.

    All members of a cell are moved near the same longitude, so that the union of their boxes stays
    small on the antimeridian too: `x0` may be below -180 degrees.
    """

    name: str
    box: Box


def home_cell(box: Box, mgrs_tile: str | None) -> HomeCell:
    """Return the home cell of a product with this box (and tile, if it is gridded)."""
    if mgrs_tile is not None:
        zone = int(mgrs_tile[:2])
        return HomeCell(mgrs_tile, _near(box, (6 * zone - 183) * UNITS_PER_DEGREE))
    side = max(box.x1 - box.x0, box.y1 - box.y0, 1) / UNITS_PER_DEGREE
    level = min(max(math.ceil(math.log2(side)) - _LOOSENESS, _LEVELS[0]), _LEVELS[1])
    width = int(2.0**level * UNITS_PER_DEGREE)
    centre_x = ((box.x0 + box.x1) // 2 + TURN // 2) % TURN
    centre_y = (box.y0 + box.y1) // 2 + TURN // 4
    column, row = centre_x // width, centre_y // width
    middle = column * width + width // 2 - TURN // 2
    return HomeCell(f"{level}/{column}/{row}", _near(box, middle))


def _near(box: Box, longitude: int) -> Box:
    """Return the box moved by whole turns so that its centre is nearest to `longitude`."""
    turns = round((longitude - (box.x0 + box.x1) / 2) / TURN)
    return Box(box.x0 + turns * TURN, box.y0, box.x1 + turns * TURN, box.y1)
