"""What a correlation is asked and what it answers."""

from dataclasses import dataclass
from enum import IntFlag
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Flags = NDArray[np.uint8]

WarpModel = Literal["auto", "translation", "affine"]


class Flag(IntFlag):
    """Why a node has no answer; 0 where it has one."""

    BORDER = 1
    """The window, or what it is searched in, does not lie within the images."""
    NO_DATA = 2
    """Too few pixels of the window hold data in both images."""
    CLOUD = 4
    """Too few pixels of the window are free of what the masks exclude."""
    LOW_TEXTURE = 8
    """The window has too little structure for its noise, or structure in one direction only."""
    LOW_CORRELATION = 16
    """What was found does not resemble the window."""
    OUTLIER = 32
    """The displacement is unlike that of all neighbours."""
    NOT_CONVERGED = 64
    """The refinement did not settle near where the search had pointed."""
    INCONSISTENT = 128
    """The way back, from the secondary to the reference, ends elsewhere."""


@dataclass(frozen=True, slots=True)
class CorrelationSettings:
    """How windows are compared.

    Parameters
    ----------
    window
        Side of the window, odd, pixels.
    step
        Distance between nodes, pixels.
    max_displacement
        Largest displacement searched along each axis, pixels, about the prior.
    model
        What happens to a window between the images: "translation", it moves; "affine", it moves and
        deforms evenly, for strong shear, at two to three times the cost; "auto", it deforms where
        neighbours move differently and it resembles more then.
    least_correlation
        Normalised correlation from which an answer is given, 0 to 1.
    largest_sigma
        Predicted standard error up to which an answer is given, pixels.
    least_valid
        Share of a window that must hold data, 0 to 1.
    smoothing
        Standard deviation of the Gaussian that both images pass first, pixels; it removes what
        aliased texture adds to interpolation, and with it the locking to whole pixels.
    rough_step
        Distance between nodes of reduced images, where windows are looked for first, in their
        pixels, if images are large and `step` is not more; displacements that vary slowly need few.
    is_checked_backward
        Every node is also traced back from the secondary image; twice the time.
    """

    window: int = 31
    step: int = 10
    max_displacement: float = 4.0
    model: WarpModel = "auto"
    least_correlation: float = 0.5
    largest_sigma: float = 0.2
    least_valid: float = 0.6
    smoothing: float = 0.7
    rough_step: int = 8
    is_checked_backward: bool = False

    def __post_init__(self) -> None:
        if self.window < 7 or self.window % 2 == 0 or self.window > 255:
            raise ValueError(f"window = {self.window}: expected an odd number from 7 to 255")
        if self.model not in get_args(WarpModel):
            raise ValueError(f"model = {self.model}: expected one of {get_args(WarpModel)}")
        for name in ("step", "rough_step"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: expected 1 or more")
        if not 0.0 <= self.max_displacement <= 512.0:
            raise ValueError(f"max_displacement = {self.max_displacement}: expected 0 to 512")
        if not 0.0 <= self.smoothing <= 3.0:
            raise ValueError(f"smoothing = {self.smoothing}: expected 0 to 3")
        for name in ("least_correlation", "least_valid"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"{name} = {getattr(self, name)}: expected within 0 and 1")


@dataclass(frozen=True, slots=True)
class DisplacementField:
    """Displacements at the nodes of a grid, arrays of shape (row, column) of nodes.

    A point of the ground seen at (r, c) of the reference lies at (r + dy, c + dx) of the secondary.

    Parameters
    ----------
    rows, columns
        Pixel of the reference on which each row and column of nodes is centred.
    dx, dy
        Displacement along columns and rows, pixels; NaN where there is no answer.
    correlation
        Zero-mean normalised cross-correlation after refinement, -1 to 1; NaN where not computed.
    peak_ratio
        Correlation at the best place over that at the second best of the search; NaN where the
        search had no second peak.
    sigma
        Predicted standard error of a displacement along one axis, pixels.
    flags
        `Flag` bits.
    """

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    dx: Float32
    dy: Float32
    correlation: Float32
    peak_ratio: Float32
    sigma: Float32
    flags: Flags

    @property
    def quality(self) -> Float32:
        """The correlation: how well what was found resembles the window."""
        return self.correlation

    @property
    def is_answered(self) -> NDArray[np.bool_]:
        """Where there is an answer."""
        return np.asarray(self.flags == 0)
