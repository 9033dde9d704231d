"""What a client may ask of S2_REGISTRATION, checked value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from algorithms.registration import Kind
from algorithms.registration.engine import KINDS, WINDOW
from peps_wps.chains.correlation_s2 import order as correlation
from peps_wps.chains.correlation_s2.order import LARGEST_STEP
from peps_wps.chains.fields import Fields
from peps_wps.chains.optical.products import SceneOrder, Selection, bands_of
from peps_wps.errors import InvalidInputError
from peps_wps.readers.sentinel2 import BANDS

MODELS = ("auto", *KINDS)
APPLICATIONS = ("none", "resample")
MOST_BANDS = len(BANDS)
DEFAULT_BANDS = ("B02", "B03", "B04", "B08")
LARGEST_SHIFT_M = 1_000.0
# What the corners of a geotransform can hold.
_OF_A_MATRIX: tuple[Kind, ...] = ("shift", "affine")


@dataclass(frozen=True)
class Order(SceneOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    selection
        What is registered, tile and area.
    reference
        On what: identifier or title, as the client gave it.
    band
        Whose images are compared.
    bands
        That are registered.
    model
        One of `MODELS`.
    apply
        One of `APPLICATIONS`.
    window
        Side of the windows, pixels of the band.
    step
        Distance of the places where a tie point is looked for, pixels of the band; None where it
        follows from the size of the images.
    max_shift_m
        How far is searched along each axis.
    mask_clouds
        Leave out what clouds, cirrus and shadows hide in either product.
    """

    reference: str
    band: str = "B04"
    bands: tuple[str, ...] = DEFAULT_BANDS
    model: str = "auto"
    apply: str = "none"
    window: int = WINDOW
    step: int | None = None
    max_shift_m: float = 100.0
    mask_clouds: bool = False

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; as `ChainOrder.parse`."""
        fields = Fields(inputs)
        order = cls(
            reference=correlation.product_of(fields, "reference"),
            selection=Selection.of(fields),
            band=correlation.band_of(fields),
            bands=bands_of(fields) or DEFAULT_BANDS,
            model=fields.choice("model", MODELS),
            apply=fields.choice("apply", APPLICATIONS),
            window=correlation.window_of(fields, WINDOW),
            step=fields.whole("step", 1, LARGEST_STEP),
            max_shift_m=fields.number(
                "max_shift_m", default=Order.max_shift_m, low=0.0, high=LARGEST_SHIFT_M
            ),
            mask_clouds=fields.boolean("mask_clouds"),
        )
        if order.apply == "none" and order.model not in ("auto", *_OF_A_MATRIX):
            raise InvalidInputError(
                "model",
                f"model is {order.model}: a geotransform holds shift and affine only, expected "
                "apply=resample with it",
            )
        return order

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The models that are considered."""
        if self.model != "auto":
            return tuple(kind for kind in KINDS if kind == self.model)
        return KINDS if self.apply == "resample" else _OF_A_MATRIX

    def comparison(self, product: str) -> correlation.Order:
        """Return the order of S2_CORRELATION whose images are those of one product's tie points."""
        return correlation.Order(
            self.reference,
            (product,),
            tile=self.selection.tile,
            band=self.band,
            window=self.window,
            step=self.step or 1,
            max_displacement_m=self.max_shift_m,
            region=self.selection.region,
            mask_clouds=self.mask_clouds,
        )
