"""Registration of an image on another: tie points, model, and whether the points support it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import shapely
from numpy.typing import NDArray

from algorithms.correlation import CorrelationSettings, correlate
from algorithms.correlation.images import Image
from algorithms.registration.errors import RegistrationError
from algorithms.registration.fit import Fit, fit
from algorithms.registration.model import Kind, Model, Shift
from algorithms.registration.tie_points import Matches, Places, TiePoints

Progress = Callable[[float], None]
Float64 = NDArray[np.float64]

KINDS: tuple[Kind, ...] = get_args(Kind)
WINDOW, MAX_DISPLACEMENT = 41, 10.0  # pixels
# Stronger than for single answers: what interpolation adds is the same at all points, and no mean
# removes it. On real texture it falls from 0.003 to 0.001 pixels.
_SMOOTHING = 1.0  # pixels
MOST_STEP, _LEAST_STEP = 100, 8  # pixels
_NODES_A_SIDE = 128
# Pixels of reduced images: half a window. An image moves as a whole or nearly so.
_ROUGH_STEP = 20
# Points that a model must have, and how much of the ground they must enclose: beyond it a model
# says what nobody has seen.
LEAST_POINTS: dict[Kind, int] = {"shift": 10, "affine": 20, "polynomial": 40}
LEAST_EXTENT: dict[Kind, float] = {"shift": 0.0, "affine": 0.25, "polynomial": 0.5}
LEAST_AGREEMENT = 0.5  # of the points found, follow the model
# Pixels. Windows that tell less than 0.2 give no point: what scatters more is ground that moves, or
# chance.
LARGEST_SCATTER = 0.3
LARGEST_ERROR = 0.1  # pixels, standard error of the model anywhere on the ground


@dataclass(frozen=True)
class Registration:
    """How a target lies on a reference.

    Parameters
    ----------
    model
        Where pixels of the reference lie in the target.
    tie_points
        What it rests on.
    places
        Where tie points were looked for.
    scatter
        Standard deviation of a component of the tie points used about the model, pixels.
    error
        Largest standard error of a component of the model anywhere on the ground, pixels.
    extent
        Share of the ground that the tie points used enclose, 0 to 1.
    criteria
        Bayesian information criterion of each model that was considered; the least is the best.
    refused
        Why others were not.
    """

    model: Model
    tie_points: TiePoints
    places: Places
    scatter: float
    error: float
    extent: float
    criteria: dict[Kind, float]
    refused: dict[Kind, str]

    @property
    def shift(self) -> Shift:
        """The displacement at the centre of the reference, pixels."""
        return self.model.shift


def register(
    reference: Image | NDArray[Any],
    target: Image | NDArray[Any],
    *,
    model: Kind | Literal["auto"] = "auto",
    settings: CorrelationSettings | None = None,
    kinds: tuple[Kind, ...] = KINDS,
    threads: int = 1,
    progress: Progress | None = None,
) -> Registration:
    """Find how a target must move to lie on a reference.

    Parameters
    ----------
    reference, target
        Images of shape (row, column) whose first pixels coincide but for the shift that is looked
        for; sizes may differ. Of plain arrays NaN is no data.
    model
        How the displacement may vary; "auto" takes the one of least Bayesian information criterion
        of those that the points support.
    settings
        How tie points are looked for; by default in windows of 41 pixels within 10 pixels.
    kinds
        Models that "auto" considers.
    threads
        Strips worked on at once.
    progress
        Told the share that is done, 0 to 1.

    Raises
    ------
    RegistrationError
        When the points are too few, do not agree, enclose too little of the ground for the model,
        or the model moves pixels farther than was searched.
    ValueError
        When the window does not fit into the images.
    """
    first, second = (
        one if isinstance(one, Image) else Image(np.asarray(one)) for one in (reference, target)
    )
    settings = settings or default_settings(first.shape)
    field = correlate(first, second, settings, threads=threads, progress=progress)
    matches = Matches.of(field)
    wanted = kinds if model == "auto" else (model,)
    return _fitted(matches, wanted, first.shape, settings)


def default_settings(shape: tuple[int, int], **changed: Any) -> CorrelationSettings:
    """Return how tie points of an image are looked for.

    Parameters
    ----------
    shape
        Of the reference: some 16,000 nodes, of large images one every 100 pixels.
    changed
        Settings that shall be others.
    """
    step = min(MOST_STEP, max(_LEAST_STEP, math.isqrt(shape[0] * shape[1]) // _NODES_A_SIDE))
    settings = CorrelationSettings(
        window=WINDOW,
        step=step,
        max_displacement=MAX_DISPLACEMENT,
        smoothing=_SMOOTHING,
        rough_step=_ROUGH_STEP,
    )
    return replace(settings, **changed)


def _fitted(
    matches: Matches,
    wanted: tuple[Kind, ...],
    shape: tuple[int, int],
    settings: CorrelationSettings,
) -> Registration:
    """Fit the models that are wanted and return the best that holds."""
    fits, refused = _attempts(matches, wanted, shape, settings)
    scatter = min((one.scatter for one in fits.values()), default=math.nan)
    criteria = {kind: one.criterion(scatter) for kind, one in fits.items() if kind not in refused}
    if not criteria:
        raise RegistrationError(refused[wanted[0]])
    best = fits[min(criteria, key=lambda kind: criteria[kind])]
    return Registration(
        best.model,
        _tie_points(matches, best),
        matches.places,
        best.scatter,
        float(best.error_at(*matches.ground).max()),
        _extent(best, matches),
        criteria,
        refused,
    )


def _attempts(
    matches: Matches,
    wanted: tuple[Kind, ...],
    shape: tuple[int, int],
    settings: CorrelationSettings,
) -> tuple[dict[Kind, Fit], dict[Kind, str]]:
    """Fit each model that has the points for it; return the fits, and why some models do not hold.

    A model whose fit the points do not support is in both.
    """
    centre = (shape[0] - 1) / 2.0, (shape[1] - 1) / 2.0
    span = max(*shape) / 2.0
    # The Gaussian weights of two windows have as much in common as if each had a window's area.
    independent = min(1.0, (settings.step / settings.window) ** 2)
    fits: dict[Kind, Fit] = {}
    refused: dict[Kind, str] = {}
    for kind in wanted:
        reason = _too_few(kind, matches)
        if reason is None:
            fits[kind] = fit(kind, matches, centre, span, independent=independent)
            reason = _unsupported(fits[kind], matches, settings.max_displacement)
        if reason is not None:
            refused[kind] = reason
    return fits, refused


def _tie_points(matches: Matches, best: Fit) -> TiePoints:
    """Return the points with what a fit leaves of them."""
    return TiePoints(
        matches.row,
        matches.column,
        matches.dy,
        matches.dx,
        matches.correlation,
        matches.sigma,
        best.residual_y,
        best.residual_x,
        best.is_used,
    )


def _too_few(kind: Kind, matches: Matches) -> str | None:
    if matches.count < LEAST_POINTS[kind]:
        places = matches.places
        return (
            f"{matches.count} tie points were found, {LEAST_POINTS[kind]} are needed for the model "
            f"{kind}: of {places.all} places {places.empty} have no data and {places.clouded} lie "
            "under clouds; elsewhere the images do not resemble each other, have no structure, or "
            "lie farther apart than searched"
        )
    return None


def _unsupported(found: Fit, matches: Matches, searched: float) -> str | None:
    """Return why the points do not support a model, None where they do."""
    kind, used = found.model.kind, found.is_used
    count = int(np.count_nonzero(used))
    if found.scatter > LARGEST_SCATTER or count < LEAST_AGREEMENT * matches.count:
        return (
            f"{count} of {matches.count} tie points agree on the model {kind}, scattered by "
            f"{found.scatter:.2f} pixels: at least half within {LARGEST_SCATTER:g} pixels expected"
        )
    if count < LEAST_POINTS[kind]:
        return f"{count} tie points agree on the model {kind}, {LEAST_POINTS[kind]} are needed"
    extent = _extent(found, matches)
    if extent < LEAST_EXTENT[kind]:
        return (
            f"the tie points enclose {100 * extent:.0f} percent of the ground, "
            f"{100 * LEAST_EXTENT[kind]:.0f} are needed for the model {kind}"
        )
    error = float(found.error_at(*matches.ground).max())
    if error > LARGEST_ERROR:
        return (
            f"the tie points tell the model {kind} to {error:.2f} pixels only, "
            f"{LARGEST_ERROR:g} expected"
        )
    farthest = max(float(np.abs(part).max()) for part in found.model.at(*matches.ground))
    if farthest > searched:
        return (
            f"the model {kind} moves pixels by {farthest:.1f}, farther than the {searched:g} "
            "searched"
        )
    return None


def _extent(found: Fit, matches: Matches) -> float:
    """Return the share of the ground that the points which follow a model enclose."""
    used = found.is_used
    return _area(matches.row[used], matches.column[used]) / max(_area(*matches.ground), 1.0)


def _area(row: Float64, column: Float64) -> float:
    """Return the area that points enclose, pixels squared."""
    # One line through all of them: as many points would be as many objects.
    return float(shapely.LineString(np.column_stack([column, row])).convex_hull.area)
