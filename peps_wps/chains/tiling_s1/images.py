"""The images of a date: which file holds which polarisation, and how it is described."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from algorithms import mgrs
from peps_wps.chains.ortho_s1.tile import TileProcessor
from peps_wps.chains.ortho_s1.values import ValueFormat
from peps_wps.writers import stac
from peps_wps.writers.cog_layout import RasterDescription


def image_names(stem: str, polarizations: Sequence[str], naming: str) -> dict[str, tuple[str, ...]]:
    """Return the polarisations in each file of a date, by its name.

    Parameters
    ----------
    stem
        With all polarisations: ``s1b_sig_31TGL_vvvh_DES_139_20180720txxxxxx``, or as S1Tiling has
        it, ``s1b_31TGL_vvvh_DES_139_20180720txxxxxx``, whose files are one a polarisation.
    naming
        "peps" or "s1tiling".
    """
    if naming == "peps":
        return {f"{stem}.tif": tuple(polarizations)}
    together = f"_{''.join(polarizations).lower()}_"
    return {
        f"{stem.replace(together, f'_{name.lower()}_', 1)}.tif": (name,) for name in polarizations
    }


def describe(
    processor: TileProcessor,
    tile: mgrs.Tile,
    form: ValueFormat,
    tags: Mapping[str, str],
    polarizations: Sequence[str],
) -> RasterDescription:
    """Return the description of an image."""
    return RasterDescription(
        form.dtype,
        tile.epsg,
        processor.transform,
        form.nodata,
        tags,
        scale=form.scale,
        bands=tuple(polarizations) if len(polarizations) > 1 else (),
    )


def image_asset(
    path: Path, title: str, form: ValueFormat, polarizations: Sequence[str]
) -> stac.Asset:
    """Return an image as an asset of its item."""
    raster = stac.Raster(form.dtype, form.nodata, mgrs.PIXEL_M, form.scale)
    return stac.Asset(
        path.name,
        stac.COG,
        f"{title}, {form.quantity}",
        ("data",),
        polarizations=tuple(polarizations),
        raster=raster,
    )
