"""How a product lies on the reference: tie points, model, and likeness before and after."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.correlation.images import Image
from algorithms.registration import Model, Registration, RegistrationError, register
from algorithms.registration.engine import default_settings
from algorithms.registration.similarity import Similarity, similarity
from peps_wps.chains.correlation_s2.pair import Pair, pair_of, read_images
from peps_wps.chains.registration_s2.order import Order
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel2 import BANDS, Sentinel2Scene


@dataclass(frozen=True)
class Match:
    """A product and the reference.

    Parameters
    ----------
    pair
        The reference and the product on the window that they have in common.
    images
        Of that window, in the order of the pair.
    registration
        How the second image must move to lie on the first.
    similarity
        Before and after; None where no part of the images can tell.
    band, resolution
        Whose images they are; pixels in metres.
    step
        Distance of the places where tie points were looked for, pixels.
    """

    pair: Pair
    images: tuple[Image, Image]
    registration: Registration
    similarity: Similarity | None
    band: str
    resolution: int
    step: int

    def held_pixels(
        self, band: str, resolution: int, shape: tuple[int, int]
    ) -> NDArray[np.uint16] | None:
        """Return a whole band of the product where it was read for the tie points."""
        pixels = self.images[1].pixels
        is_held = (band, resolution, shape) == (self.band, self.resolution, pixels.shape)
        return pixels if is_held else None

    def model_of(self, resolution: int) -> Model:
        """Return where pixels of the reference's tile lie in the product's, at a resolution."""
        first, second = self.pair.grids
        whole = self.registration.model.regridded(1.0, -first.row, -first.column).moved(
            second.row - first.row, second.column - first.column
        )
        return whole.regridded(resolution / self.resolution, 0.0, 0.0)


def matched(
    reference: Sentinel2Scene,
    target: Sentinel2Scene,
    order: Order,
    threads: int,
    progress: Callable[[str, float], None],
) -> Match:
    """Find how a product lies on the reference.

    Parameters
    ----------
    progress
        Told what is done and the fraction done.

    Raises
    ------
    ChainError
        When the images cannot be read, or do not say how one lies on the other.
    """
    title = target.product.title
    comparison = order.comparison(title)
    pair = pair_of(reference, target, comparison)
    progress(f"Reading {order.band}", 0.0)
    images = read_images(pair, comparison, threads)
    resolution = BANDS[order.band].resolution
    settings = default_settings(
        images[0].shape,
        window=order.window,
        max_displacement=comparison.max_displacement,
        **({} if order.step is None else {"step": order.step}),
    )
    message = f"Matching {order.band}"
    try:
        registration = register(
            *images,
            model="auto",
            kinds=order.kinds,
            settings=settings,
            threads=threads,
            progress=lambda share: progress(message, 0.2 + 0.7 * share),
        )
    except RegistrationError as error:
        raise ChainError(f"{title} cannot be registered: {error}") from error
    except ValueError as error:
        raise ChainError(str(error)) from error
    progress("Comparing", 0.9)
    alike = similarity(*images, registration.model)
    return Match(pair, images, registration, alike, order.band, resolution, settings.step)
