"""One tile of a Sentinel-2 product, ready to be read."""

from dataclasses import dataclass

import numpy as np

from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2.bands import BANDS, RESOLUTIONS
from peps_wps.readers.sentinel2.images import Jp2Image
from peps_wps.readers.sentinel2.layout import Granule, read_granules
from peps_wps.readers.sentinel2.masks import Mask, clouds_of_classes, read_clouds, read_detectors
from peps_wps.readers.sentinel2.radiometry import Radiometry, read_radiometry
from peps_wps.readers.sentinel2.tile import TileGeometry, read_tile
from peps_wps.readers.sentinel2_metadata import Sentinel2Metadata, metadata_name, read_sentinel2
from peps_wps.readers.wording import printable
from peps_wps.readers.xml_document import parse_xml
from peps_wps.xml_parsing import Element


@dataclass(frozen=True)
class Sentinel2Scene:
    """A tile of a product: what it says of itself, and its images on demand.

    Parameters
    ----------
    safe
        The product.
    product
        What it says of itself as a whole.
    granule
        Which file holds what.
    geometry
        Place and angles.
    radiometry
        How numbers become reflectances.
    """

    safe: Safe
    product: Sentinel2Metadata
    granule: Granule
    geometry: TileGeometry
    radiometry: Radiometry

    def image(self, kind: str, resolution: int | None = None) -> Jp2Image:
        """Return an image: a band, or "SCL", "AOT", "WVP", "TCI".

        Parameters
        ----------
        kind
            Name of the band or layer.
        resolution
            Metres; by default the finest that the product holds.

        Raises
        ------
        SafeError
            When the product does not hold it, or it does not have the size of the tile.
        """
        held = sorted(metres for name, metres in self.granule.images if name == kind)
        wanted = [metres for metres in held if resolution in (None, metres)]
        if not wanted:
            at = "" if resolution is None else f" at {resolution} m"
            names = ", ".join(sorted({name for name, _ in self.granule.images}))
            raise SafeError(
                f"{self.safe.title} has no {printable(kind)}{at}: {names or 'no image'} found"
            )
        name = self.granule.images[kind, wanted[0]]
        return Jp2Image(self.safe, name, self.geometry.shapes[wanted[0]])

    def has_image(self, kind: str, resolution: int) -> bool:
        """Tell whether the product holds an image at a resolution in metres."""
        return (kind, resolution) in self.granule.images

    def clouds(self, resolution: int) -> Mask | None:
        """Return `Cloud` bits on the grid of a resolution; None where the product has no mask."""
        if ("SCL", 20) in self.granule.images:
            return self._at(clouds_of_classes(self.image("SCL", 20).read_all()), 20, resolution)
        for kind in ("CLASSI", "CLOUDS"):
            name = self.granule.masks.get((kind, "B00"))
            if name is not None:
                grid = self.geometry.shapes[60], self.geometry.transforms[60]
                return self._at(read_clouds(self.safe, name, *grid), 60, resolution)
        return None

    def detectors(self, band: str) -> Mask | None:
        """Return the detector that saw each pixel of a band; None where the product has no mask."""
        name = self.granule.masks.get(("DETFOO", band))
        if name is None:
            return None
        resolution = BANDS[band].resolution
        grid = self.geometry.shapes[resolution], self.geometry.transforms[resolution]
        return read_detectors(self.safe, name, *grid)

    def _at(self, mask: Mask, resolution: int, wanted: int) -> Mask:
        """Return a mask on the grid of another resolution: nearest, bits joined when coarser."""
        if wanted not in RESOLUTIONS:
            raise ValueError(f"resolution {wanted} m: expected 10, 20 or 60")
        if wanted <= resolution:
            factor = resolution // wanted
            rows, columns = self.geometry.shapes[wanted]
            return mask.repeat(factor, axis=0).repeat(factor, axis=1)[:rows, :columns]
        factor = wanted // resolution
        rows, columns = self.geometry.shapes[wanted]
        blocks = mask[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
        return np.asarray(np.bitwise_or.reduce(blocks, axis=(1, 3)), np.uint8)


def open_scene(safe: Safe, tile: str | None = None) -> Sentinel2Scene:
    """Open a tile of a product.

    Parameters
    ----------
    safe
        The product.
    tile
        MGRS tile without T; may be left out where the product has one only.

    Raises
    ------
    SafeError
        When it is no Sentinel-2 product, is broken, or does not hold the tile.
    """
    product = read_sentinel2(safe)
    granules = read_granules(safe)
    if tile is None and len(granules) > 1:
        raise SafeError(f"{safe.title} has {len(granules)} tiles: {', '.join(sorted(granules))}")
    granule = granules.get(tile or next(iter(granules)))
    if granule is None:
        raise SafeError(
            f"{safe.title} has no tile {printable(tile or '')}: {', '.join(sorted(granules))}"
        )
    name = metadata_name(safe) or ""
    return Sentinel2Scene(
        safe=safe,
        product=product,
        granule=granule,
        geometry=read_tile(_document(safe, granule.metadata), granule.metadata),
        radiometry=read_radiometry(_document(safe, name), f"{name} of {safe.title}"),
    )


def _document(safe: Safe, name: str) -> Element:
    return parse_xml(safe.read(name), f"{printable(name)} of {safe.title}")
