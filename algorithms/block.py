"""A rectangle of pixels, as images are worked through."""

from typing import NamedTuple


class Block(NamedTuple):
    """A rectangle of pixels: first row and column, numbers of rows and columns."""

    row: int
    column: int
    rows: int
    columns: int
