"""Which file of a product holds what, for the layouts of all years."""

import re
from dataclasses import dataclass

from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2.bands import BANDS

_FOLDER = re.compile(r"L(?:1C|2A)_T(?P<compact>[0-9]{2}[A-Z]{3})_A|_T(?P<old>[0-9]{2}[A-Z]{3})_N")
_IMAGE = re.compile(
    r"IMG_DATA/(?:R[126]0m/)?[^/]*_(?P<kind>B[01][0-9]|B8A|SCL|AOT|WVP|TCI)"
    r"(?:_(?P<resolution>[126]0)m)?\.jp2"
)
_MASK = re.compile(
    r"QI_DATA/(?:[^/]*_)?MSK_(?P<kind>[A-Z]+)_(?:[^/]*_)?(?P<band>B[01][0-9]|B8A|[26]0m)"
    r"(?:_MSIL[12][AC])?\.(?:gml|jp2)"
)
_METADATA = re.compile(r"MTD_TL\.xml|S2[A-D]_[A-Z0-9]{4}_MTD_L(?:1C|2A)_TL_[^/]*\.xml")
# Level 1C images are named without their resolution.
_RESOLUTION = {name: band.resolution for name, band in BANDS.items()} | {"TCI": 10}


@dataclass(frozen=True, slots=True)
class Granule:
    """One tile of a product.

    Parameters
    ----------
    tile
        MGRS tile without T.
    metadata
        Name of its metadata.
    images
        Name of each image by band, or "SCL", "AOT", "WVP", "TCI", and resolution in metres.
    masks
        Name of each mask by kind ("DETFOO", "CLOUDS", ...) and band; the band of what concerns all
        is "B00", of probabilities "20m" or "60m".
    """

    tile: str
    metadata: str
    images: dict[tuple[str, int], str]
    masks: dict[tuple[str, str], str]


def read_granules(safe: Safe) -> dict[str, Granule]:
    """Return the granules of a product by their tile.

    Raises
    ------
    SafeError
        When there is none, or one without metadata.
    """
    folders: dict[str, list[str]] = {}
    for name in safe.names("GRANULE/"):
        folders.setdefault(name.split("/", 2)[1], []).append(name)
    granules = {}
    for folder, names in folders.items():
        match = _FOLDER.search(folder)
        if match:
            tile = match["compact"] or match["old"]
            granules[tile] = _granule(tile, f"GRANULE/{folder}/", names, safe.title)
    if not granules:
        raise SafeError(f"{safe.title} has no granule")
    return granules


def _granule(tile: str, prefix: str, names: list[str], title: str) -> Granule:
    images, masks, metadata = {}, {}, None
    for name in names:
        rest = name.removeprefix(prefix)
        if image := _IMAGE.fullmatch(rest):
            kind = image["kind"]
            images[kind, int(image["resolution"] or _RESOLUTION.get(kind, 0))] = name
        elif mask := _MASK.fullmatch(rest):
            masks[mask["kind"], mask["band"]] = name
        elif _METADATA.fullmatch(rest):
            metadata = name
    if metadata is None:
        raise SafeError(f"{title} has no metadata of tile {tile}")
    return Granule(tile, metadata, images, masks)
